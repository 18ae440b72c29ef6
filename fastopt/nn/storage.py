"""Where weights live: records of single weights, and one buffer for all those of a model."""

import contextlib
import contextvars
import math

import numpy as np

ALIGNMENT = 64  # bytes: a cache line, the widest vector register


_allowed = contextvars.ContextVar("bytes that new weights may take", default=None)


@contextlib.contextmanager
def allowance(size):
    """While a file is read: weights made inside begin as zeros, and together take `size` bytes at most, those of the file."""
    token = _allowed.set([size])
    try:
        yield
    finally:
        _allowed.reset(token)


def first_value(initializer, shape, dtype):
    """A new array for a weight."""
    allowed = _allowed.get()
    if allowed is None:
        return np.array(initializer(shape, dtype), dtype)
    allowed[0] -= math.prod(shape) * np.dtype(dtype).itemsize
    if allowed[0] < 0:
        raise ValueError(f"a weight of shape {shape} is larger than what the file holds")
    return np.zeros(shape, dtype)


class Weight:
    """A named array of a layer, with its gradient where it is trained; `value` stays the same array once a model has placed it."""

    __slots__ = ("_grad", "constraint", "initializer", "layer", "name", "regularizer", "storage", "trainable", "value")

    def __init__(self, layer, name, value, initializer, regularizer, trainable, constraint=None):
        self.layer, self.name, self.value, self.initializer = layer, name, value, initializer
        self.regularizer, self.trainable, self.constraint, self.storage, self._grad = regularizer, trainable, constraint, None, None

    @property
    def grad(self):
        """The gradient, an array like value; allocated, with zeros, when first asked for."""
        if self._grad is None:
            if self.storage is None:
                self._grad = np.zeros_like(self.value)
            else:
                self.storage.make_gradients()
        return self._grad

    @property
    def path(self):
        """The name with that of the layer before it, as in "dense/kernel"."""
        return f"{self.layer.name}/{self.name}"

    def __getstate__(self):
        return {name: getattr(self, name) for name in self.__slots__} | {"storage": None, "_grad": None}

    def __setstate__(self, state):
        for name, value in state.items():
            setattr(self, name, value)

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype.name)

    def numpy(self):
        """A copy of the value."""
        return self.value.copy()

    def assign(self, value):
        """Writes `value` in place; its shape must be that of the weight."""
        value = np.asarray(value)
        if value.shape != self.shape:
            raise ValueError(f"assign: {self.path} has shape {self.shape}, got a value of shape {value.shape}")
        self.value[...] = value

    def constrained(self, value):
        """What the constraint makes of `value`, an array like that of the weight; ValueError where it does not fit the weight."""
        try:
            result = np.asarray(self.constraint(value))
        except (TypeError, ValueError) as error:
            raise ValueError(f"the constraint of {self.path}, of shape {self.shape}, failed: {error}") from error
        if result.shape != self.shape or result.dtype.kind not in "fiub":
            raise ValueError(f"the constraint of {self.path} gave shape {result.shape}, {result.dtype}, expected {self.shape}, "
                             f"{self.dtype}")  # fmt: skip
        return result

    def constrain(self):
        """Applies the constraint, if there is one, in place."""
        if self.constraint is not None:
            self.value[...] = self.constrained(self.value)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.value, dtype) if copy or copy is None else np.asarray(self.value, dtype)

    def __repr__(self):
        return f"<Weight {self.path} shape={self.shape} dtype={self.dtype}>"


class Storage:
    """One aligned buffer that takes the values of the given weights over, and one for their gradients with the same layout.

    Weights that train come first, so that what an optimizer sees is one stretch; each starts on a cache line. The gaps stay zero.
    """

    def __init__(self, weights, dtype):
        self.dtype = np.dtype(dtype)
        self.weights = sorted(weights, key=lambda weight: not weight.trainable)
        unit = ALIGNMENT // self.dtype.itemsize
        self.offsets, end = [], 0
        for weight in self.weights:
            self.offsets.append(end)
            end += math.ceil(weight.value.size / unit) * unit
        self.trained = next((at for at, weight in zip(self.offsets, self.weights) if not weight.trainable), end)
        self.values, self.gradients = _aligned(end, self.dtype), None
        for weight, view in self._views(self.values):
            view[...] = weight.value
            weight.value, weight.storage = view, self
            weight.layer.place(weight)
        if any(weight._grad is not None for weight in self.weights):
            self.make_gradients()

    def _views(self, buffer):
        """(weight, its part of the buffer) for all weights that it is long enough for."""
        for at, weight in zip(self.offsets, self.weights):
            if at < len(buffer) or not weight.value.size:
                yield weight, buffer[at : at + weight.value.size].reshape(weight.shape)

    def make_gradients(self):
        """Allocates the buffer of the gradients, of the weights that train alone."""
        if self.gradients is None:
            self.gradients = _aligned(self.trained, self.dtype)
            for weight, view in self._views(self.gradients):
                view[...] = 0 if weight._grad is None else weight._grad
                weight._grad = view


def spans(weights, apart=False):
    """(values, gradients): the given weights as one-dimensional arrays, as few as possible: neighbours in a buffer are one.

    apart: one for each weight, in their order.
    """
    if apart:
        return [weight.value.reshape(-1) for weight in weights], [weight.grad.reshape(-1) for weight in weights]
    wanted, values, gradients = {id(weight) for weight in weights}, [], []
    for storage in {id(weight.storage): weight.storage for weight in weights}.values():
        storage.make_gradients()
        start = None
        for at, weight in [*zip(storage.offsets, storage.weights), (None, None)]:
            if id(weight) in wanted:
                start, end = at if start is None else start, at + weight.value.size
            elif start is not None:
                values.append(storage.values[start:end])
                gradients.append(storage.gradients[start:end])
                start = None
    return values, gradients


def _aligned(size, dtype):
    """Zeros that start on a cache line."""
    raw = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size * dtype.itemsize].view(dtype)
