"""Feeder: what the user passes to fit and its kin - arrays, lists, dicts, iterators, weights - as checked batches."""

import numpy as np

from ..backend import core
from . import batches, ragged
from .arguments import integer
from .batches import Arrays, Stream
from .call import Call
from .dtypes import as_float
from .ragged import Ragged
from .tensor import flat


class Feeder:
    """The part of Model that checks data: everything is checked before anything changes."""

    _compiled = _runner = None
    one_input = False  # whether it is known, before the model is built, that there is one

    def inputs_of(self, owner, x):
        """x as a list of arrays, of the dtype and shapes that the inputs admit; builds the model where that needs data.

        owner: the function that errors name.
        """
        graph = self.graph
        if graph is not None and len(graph.inputs) == 1 and x.__class__ is np.ndarray and self._fixed:
            tensor = graph.inputs[0]
            fits = x.dtype == self.numpy_dtype and x.shape[1:] == tensor.shape[1:] and x.ndim == len(tensor.shape)
            if fits and tensor.dtype is None and x.flags.aligned and graph.index_limits[0] is None:
                return (x,)
        if graph is None:
            self._build_for(owner, x)
        graph = self.graph
        alone = len(graph.inputs) == 1 and _one_sequence(x, graph.inputs[0].shape)
        given = [x] if alone else batches.parts(owner, "x", x, self.input_names)
        inputs = [batches.input_array(owner, part, tensor, self.dtype, limit)
                  for part, tensor, limit in zip(given, graph.inputs, graph.index_limits)]  # fmt: skip
        batches.count(owner, inputs, none=True)
        return inputs

    def _build_for(self, owner, x):
        """Builds the model for data of this shape."""
        several = isinstance(x, (list, tuple, dict)) and all(hasattr(part, "__array__") for part in flat(x))
        if several and self.one_input and ragged.listed(x) is not None and len(x) > 1:
            several = not (ragged.is_ragged(x) or np.ndim(x[0]) == 1)
        given = flat(x) if several else [x]
        shapes = [_shape(owner, part, self.dtype) for part in given]
        shapes = [shape if len(shape) > 1 else (*shape, 1) for shape in shapes]
        if isinstance(x, dict):
            self.build(dict(zip(x, shapes)))
        else:
            self.build(shapes if len(shapes) > 1 else shapes[0])

    def output_shapes(self, inputs):
        """The shapes of the outputs for these arrays, the batch's size as None."""
        if self._fixed:
            return self._open_shapes
        return self.graph.shapes([(None, *x.shape[1:]) for x in inputs])

    def _data(self, owner, x, y, sample_weight, class_weight, batch_size, shuffle, steps):
        """(what yields batches, the runner)."""
        batch_size = 32 if batch_size is None else integer(owner, "batch_size", batch_size)
        if steps is not None:
            integer(owner, "steps", steps)
        if x is None:
            raise ValueError(f"{owner}: x is missing")
        if self._compiled is None:
            self._running(owner)  # raises
        if not batches.is_stream(x):
            samples = self._batch(owner, x, y, sample_weight, class_weight)
            return Arrays(*samples, batch_size, bool(shuffle), steps), self._runner
        if y is not None or sample_weight is not None:
            raise ValueError(f"{owner}: x yields batches with their targets and weights, so y and sample_weight must be None")
        stream = Stream(owner, x, steps, lambda batch: self._one_batch(owner, *_opened(owner, batch), class_weight), shuffle)
        if not self.built:
            self.inputs_of(owner, _opened(owner, stream.peek())[0])
        return stream, self._running(owner)

    def _validation(self, given, batch_size, steps):
        """What yields the batches of validation_data."""
        x, y, weight = given, None, None
        if not batches.is_stream(given):
            if not isinstance(given, (tuple, list)) or not 1 < len(given) < 4:
                raise ValueError("fit: validation_data must be (x, y) or (x, y, sample_weight)")
            x, y, weight = (*given, None)[:3]
        return self._data("fit, validation_data", x, y, weight, None, batch_size, False, steps)[0]

    def _batch(self, owner, x, y, sample_weight, class_weight):
        """(inputs, targets, weights), lists of arrays, of one batch; builds the model where it is not."""
        inputs = self.inputs_of(owner, x)
        runner = self._runner
        if runner is None or runner.graph is not self.graph:
            runner = self._running(owner)
        shapes = self.output_shapes(inputs)
        plain = runner.single and y.__class__ is np.ndarray and inputs[0].__class__ is np.ndarray and not runner.heads[0].unused
        if plain and sample_weight is None and class_weight is None:
            target = runner.heads[0].prepare(owner, y, shapes[0], self.numpy_dtype)
            if not len(target) == len(inputs[0]) > 0:
                batches.count(owner, inputs, [target])
            return inputs, (target,), (None,)
        spare = [name for name, head in zip(self.output_names, runner.heads) if head.unused]
        ys = [None] * len(runner.heads) if y is None else batches.parts(owner, "y", y, self.output_names, spare)
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(f"{owner}: class_weight and sample_weight were both given, expected one of them")
            if len(ys) > 1:
                raise ValueError(f"{owner}: class_weight is for models of one output, this one has {len(ys)}")
            sample_weight = batches.weights_of_classes(owner, class_weight, ys[0], shapes[0][-1])
        lengths = [None] * len(shapes)
        if Ragged in map(type, inputs):
            lengths = ragged.lengths_at_outputs(owner, self.graph, inputs)
        targets = [self._target(owner, *given) for given in zip(runner.heads, ys, shapes, lengths)]
        weights = self._sample_weights(owner, sample_weight, lengths)
        batches.count(owner, inputs, targets, weights, names=[head.argument for head in runner.heads])
        return inputs, targets, weights

    def _target(self, owner, head, y, shape, lengths):
        """The targets of one output; for one with steps of ragged data, which have these lengths, sequences like them."""
        if lengths is None or head.unused or ragged.listed(y) is None:
            return head.prepare(owner, y, shape, self.numpy_dtype)
        steps = (None, *shape[2:])
        y = ragged.gathered(owner, y, lambda values: head.prepare(owner, values, steps, self.numpy_dtype, True), head.argument)
        return ragged.as_long(owner, head.argument, y, lengths)

    def _one_batch(self, *given):
        """A batch as a step takes it; arguments as of _batch."""
        batch = self._batch(*given)
        return ragged.ready(batch, Call()) if Ragged in map(type, batch[0]) else batch

    def _sample_weights(self, owner, given, lengths):
        """Weights, or None, for each output; one array is for all of them. lengths: of the steps of each, None for one without."""
        names = self.output_names
        nested = isinstance(given, (list, tuple)) and any(part is None or np.iterable(part) for part in given)
        apart = nested or isinstance(given, dict)
        each = batches.parts(owner, "sample_weight", given, names) if apart and len(names) > 1 else [given] * len(names)
        return [None if weight is None else self._weight(owner, weight, steps) for weight, steps in zip(each, lengths)]

    def _weight(self, owner, weight, lengths):
        """The weights for one output, an array; for the steps of ragged data, which have these lengths, sequences like them."""
        convert = lambda values: as_float(owner, values, self.dtype, "sample_weight")
        if lengths is not None and ragged.is_ragged(weight):
            weight = ragged.gathered(owner, weight, convert, "sample_weight")
            values = ragged.as_long(owner, "sample_weight", weight, lengths).values
        else:
            weight = values = convert(weight)
        if weight.shape == () or not core.all_within(values):
            raise ValueError(f"{owner}: sample_weight must hold a finite number for each sample, got shape {weight.shape}")
        padded = lengths is not None and weight is values and weight.ndim > 1 and weight.shape[1:] != (1,)
        return ragged.without_padding(owner, "sample_weight", weight, lengths) if padded else weight


def _opened(owner, batch):
    """(x, y, sample_weight) of a batch from the user's iterator."""
    if isinstance(batch, list) and len(batch) in (2, 3):
        batch = tuple(batch)
    batch = batch if isinstance(batch, tuple) else (batch,)
    if not 1 <= len(batch) <= 3:
        raise ValueError(f"{owner}: a batch must be (x, y) or (x, y, sample_weight), got {len(batch)} entries")
    return (*batch, None, None)[:3]


def _one_sequence(x, shape):
    """Whether x is a list of one sequence, for an input (None, None, ...), and not an array in a list."""
    return isinstance(x, (list, tuple)) and len(x) == 1 and len(shape) > 1 and shape[1] is None and np.ndim(x[0]) == len(shape) - 1


def _shape(owner, x, dtype):
    """The shape of x, an array or nested lists; that of ragged data has None for the number of steps."""
    if ragged.is_ragged(x):
        return ragged.gathered(owner, x, lambda values: values, "x").shape
    return as_float(owner, x, dtype, "x").shape
