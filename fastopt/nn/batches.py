"""Data for training: what the user passed as lists of arrays, checked and converted, and cut into batches."""

from numbers import Real

import numpy as np

from ..backend import core
from . import indices, ragged, random
from .arguments import number
from .call import Call
from .dtypes import as_float
from .ragged import Ragged


def parts(owner, what, given, names, spare=()):
    """One entry for each name: of a list or tuple by position, of a dict by name; a model of one input takes the data itself.

    spare: names that a dict need not have, None standing for them.
    """
    if isinstance(given, dict):
        missing = [name for name in names if name not in given and name not in spare]
        if missing:
            raise ValueError(
                f"{owner}: {what} has no entry {missing[0]!r}, expected {', '.join(names)}; got {', '.join(map(str, given))}"
            )
        return [given.get(name) for name in names]
    if len(names) == 1:
        alone = isinstance(given, (list, tuple)) and len(given) == 1 and hasattr(given[0], "__array__") and np.ndim(given[0]) > 0
        return [given[0] if alone else given]
    if not isinstance(given, (list, tuple)) or len(given) != len(names):
        got = f"{len(given)} entries" if isinstance(given, (list, tuple)) else type(given).__name__
        raise ValueError(f"{owner}: {what} must be a list of {len(names)} arrays, for {', '.join(names)}; got {got}")
    return list(given)


def input_array(owner, x, tensor, dtype, limit=None):
    """The array of one input, of a dtype and shape that its symbolic tensor admits; rows without columns become (B, 1).

    Sequences of different lengths come back as Ragged. limit: for an input that takes indices alone, what they lie below.
    """
    shape = tensor.shape
    if isinstance(x, (list, tuple)) and len(x) == 0:
        raise ValueError(f"{owner}: x is an empty list, expected samples for input {tensor.name!r}")
    if len(shape) > 1 and shape[1] is None and ragged.is_ragged(x):
        return _sequences(owner, x, tensor, dtype, limit)
    if isinstance(x, np.ndarray) and x.dtype == object:
        x = ragged.listed(x) or x
    x = _numbers(owner, x, tensor.dtype, dtype, limit)
    if limit is not None:
        indices.check(owner, x, limit, "x")
    if x.ndim == len(shape) - 1 and x.ndim > 0 and shape[-1] == 1:
        x = x[..., None]
    elif x.ndim == len(shape) + 1 and x.shape[-1] == 1:
        x = x[..., 0]
    if x.ndim != len(shape) or any(size is not None and size != got for size, got in zip(shape, x.shape)):
        raise ValueError(f"{owner}: x has shape {x.shape}, expected {shape}, the shape of input {tensor.name!r}")
    return x


def _numbers(owner, x, kind, dtype, limit):
    """x as indices, as what an Input's dtype says, or as floats of the model's."""
    if limit is not None:
        return indices.integers(owner, x, "x")
    return as_float(owner, x, kind or dtype, "x") if kind is None else _as_integers(owner, x, kind)


def _as_integers(owner, x, dtype):
    x = np.asarray(x)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{owner}: x has dtype {x.dtype}, expected numbers")
    return x.astype(dtype, copy=False)


def _sequences(owner, x, tensor, dtype, limit):
    """The same for sequences of different lengths."""
    shape = tensor.shape
    x = ragged.gathered(owner, x, lambda values: _numbers(owner, values, tensor.dtype, dtype, limit), "x")
    if len(x.shape) == len(shape) - 1 and shape[-1] == 1:
        x.values = x.values[..., None]
    fits = len(x.shape) == len(shape) and all(size in (None, got) for size, got in zip(shape[2:], x.shape[2:]))
    if not fits:
        got = f"({len(x)}, {x.lengths.min()} to {x.lengths.max()}{''.join(f', {n}' for n in x.shape[2:])})"
        raise ValueError(f"{owner}: x has sequences, in all of shape {got}, expected {shape}, the shape of input {tensor.name!r}")
    position = -1 if limit is None else core.first_outside(x.values, limit)
    if position >= 0:
        sample, step = x.place(position)
        raise ValueError(f"{owner}: x[{sample}][{step}] is {x.values[position]}, expected an index in [0, {limit})")
    return x


def count(owner, inputs, targets=(), weights=(), none=False, names=("y",)):
    """The number of samples, which all arrays share; raises where they do not, and where there are none, unless that may be.

    names: what messages call the targets.
    """
    called = *(("x", array) for array in inputs), *zip(names, targets), *(("sample_weight", array) for array in weights)
    sizes = [(what, len(array)) for what, array in called if array is not None]
    for what, size in sizes:
        if size != sizes[0][1]:
            raise ValueError(f"{owner}: {what} has {size} samples, expected {sizes[0][1]} as x")
    if not (sizes[0][1] or none):
        raise ValueError(f"{owner}: there are no samples: x has shape {inputs[0].shape}")
    return sizes[0][1]


def weights_of_classes(owner, class_weight, y, width):
    """A weight for each sample from {class: weight}: of integer labels, or of one-hot rows of `width` classes; others weigh 1."""
    if not isinstance(class_weight, dict):
        raise TypeError(f"{owner}: class_weight must be a dict class -> weight, got {type(class_weight).__name__}")
    y = np.asarray(y)
    labels = y.argmax(-1) if y.ndim > 1 and y.shape[-1] == width > 1 else y.reshape(len(y), -1)[:, 0] if y.size == len(y) else None
    if labels is None:
        raise ValueError(f"{owner}: class_weight needs one class for each sample, got y of shape {y.shape}")
    weights = np.ones(len(y))
    for label, weight in class_weight.items():
        if not isinstance(label, Real):
            raise TypeError(f"{owner}: class_weight must have classes, integers, as its keys, got {label!r}")
        weights[labels == label] = number(owner, f"class_weight[{label}]", weight)
    return weights


def is_stream(x):
    """Whether x yields batches, rather than holding samples: an iterator, or what has batches by number."""
    if x.__class__ is np.ndarray or x is None or isinstance(x, (list, tuple, dict, str)) or hasattr(x, "__array__"):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


class Arrays:
    """Samples as arrays: inputs and targets, a list of each, weights with None where there are none; in order or shuffled.

    steps: batches in an epoch; None for all.
    """

    def __init__(self, inputs, targets, weights, batch_size, shuffle=False, steps=None):
        self.inputs, self.targets, self.weights = inputs, targets, weights
        self.size, self.batch_size, self.shuffle = len(inputs[0]), batch_size, shuffle
        self._asked, every = steps, -(-self.size // batch_size)
        self.steps = every if steps is None else min(steps, every)
        self._taken = {}  # of each array that is gathered, the workspace
        self._ragged = any(isinstance(array, Ragged) for array in (*inputs, *targets))
        self._workspace = Call(reuse=True)  # for what is padded

    def is_over(self):
        """Whether there is nothing for another epoch."""
        return False

    def __iter__(self):
        """Yields (inputs, targets, weights) by batches, shuffled anew each time; the arrays serve again at the next one.

        Where there are ragged data the masks of the inputs come fourth.
        """
        order = random.generator().permutation(self.size) if self.shuffle else None
        for start in range(0, self.steps * self.batch_size, self.batch_size):
            rows = slice(start, start + self.batch_size) if order is None else order[start : start + self.batch_size]
            batch = self._take(self.inputs, rows), self._take(self.targets, rows), self._take(self.weights, rows)
            yield ragged.ready(batch, self._workspace) if self._ragged else batch

    def _take(self, arrays, rows):
        if rows.__class__ is slice:
            return [array if array is None else array[rows] for array in arrays]
        return [array if array is None else array[rows] if isinstance(array, Ragged) else
                array.take(rows, 0, self._buffer(array, len(rows)), "clip") for array in arrays]  # fmt: skip

    def _buffer(self, array, count):
        buffer = self._taken.get(id(array))
        if buffer is None:
            self._taken[id(array)] = buffer = np.empty((min(self.batch_size, self.size), *array.shape[1:]), array.dtype)
        return buffer if len(buffer) == count else buffer[:count]

    def split(self, owner, share, batch_size, steps, weighted=True):
        """(the first samples, the last ones): the share of the second, in batches of their own; `weighted`: with their weights."""
        if not isinstance(share, Real) or not 0 < share < 1:
            raise ValueError(f"{owner}: validation_split must be in (0, 1), got {share!r}")
        at = int(self.size * (1 - share))
        if at == 0:
            raise ValueError(f"{owner}: validation_split={share} of {self.size} samples leaves none to train on")
        groups = self.inputs, self.targets, self.weights
        first, last = ([[array if array is None else array[rows] for array in group] for group in groups]
                       for rows in (slice(0, at), slice(at, None)))  # fmt: skip
        if not weighted:
            last[2] = [None] * len(last[2])
        return (Arrays(*first, self.batch_size, self.shuffle, self._asked),
                Arrays(*last, batch_size or self.batch_size, False, steps))  # fmt: skip


class Stream:
    """Batches from the user's iterator, iterable, or object with batches by number; `convert` checks each.

    steps: batches in an epoch; None for all that come. An iterable cut into epochs begins again where it ends; an iterator cannot.
    """

    def __init__(self, owner, source, steps, convert, shuffle=False):
        self.owner, self.source, self.convert, self.shuffle = owner, source, convert, shuffle
        self.once = hasattr(source, "__next__")
        self.numbered = not self.once and hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self.steps = len(source) if steps is None and self.numbered else steps
        self._running, self._ahead = None, []
        if self.is_over():
            raise ValueError(f"{owner}: the iterator of batches gave none")

    def is_over(self):
        """Whether there is nothing for another epoch; looks one batch ahead, which is kept."""
        for _ in range(1 if self.once else 2):
            if not self._ahead:
                self._running = self._running or self._begin()
                self._ahead = [batch for batch in (next(self._running, None),) if batch is not None]
            if self._ahead:
                return False
            self._running = None
        return True

    def peek(self):
        """The next batch as it came, which the next epoch still yields."""
        return self._ahead[0]

    def _begin(self):
        if not self.numbered:
            return iter(self.source)
        order = random.generator().permutation(len(self.source)) if self.shuffle else range(len(self.source))
        return (self.source[int(i)] for i in order)

    def __iter__(self):
        self.is_over()
        done = 0
        while self.steps is None or done < self.steps:
            batch = self._ahead.pop() if self._ahead else next(self._running, None)
            if batch is None:
                break
            done += 1
            yield self.convert(batch)
        if self.numbered:
            self._running = None
            if hasattr(self.source, "on_epoch_end"):
                self.source.on_epoch_end()
