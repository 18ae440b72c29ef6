"""Layers around another layer."""

import numpy as np

from .call import Call
from .container import Container
from .layer import Layer
from .program import Program, run


class Wrapper(Container):
    """Base of the layers made around one other, `layer`, whose weights are theirs, and whose dtype, unless they are given one."""

    def __init__(self, layer, *, dtype=None, trainable=True, **kwargs):
        owner = type(self).__name__
        if not isinstance(layer, Layer):
            raise ValueError(f"{owner}: layer must be a layer, got {layer!r}")
        super().__init__(dtype=dtype, **kwargs)
        self.layer, self._made = layer, False
        if dtype is not None:
            layer.recast(self.dtype)
        else:
            self.set_dtype(layer.dtype)
            self.explicit_dtype = layer.explicit_dtype
        if not trainable:
            self.trainable = False

    @property
    def _layers(self):
        return [self.layer]

    mixes = property(lambda self: _mixes(self.layer, True), doc="See Layer.")
    index_limit = property(lambda self: self.layer.index_limit, doc="See Layer.")

    def unbuild(self):
        super().unbuild()
        if self._made:
            self.layer.unbuild()

    def get_config(self):
        from . import configuration

        return super().get_config() | {"layer": configuration.describe(self.layer)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The wrapper that get_config described, `config`, around a layer with weights of its own.

        custom_objects: as in load_model.
        """
        from . import configuration

        return cls(**config | {"layer": configuration.build(config["layer"], custom_objects or {})})


class TimeDistributed(Wrapper):
    """`layer`, or a model of one input and output, on each step by itself: x (B, T, ...) -> (B, T, ...).

    All steps run as the rows of one batch of B T. A layer whose rows depend on each other in training (BatchNormalization) sees
    the steps one after the other instead, each a batch of B. A mask (B, T) goes on to the result; what it says of each step beyond
    B and T goes to the layer. Penalties on the layer's results do not count. dtype: by default the layer's. Further arguments:
    see Layer.

    >>> from fastopt import nn
    >>> nn.TimeDistributed(nn.Dense(4))(nn.Input(shape=(10, 8))).shape
    (None, 10, 4)
    """

    supports_masking = passes = True

    def build(self, input_shape):
        self._made = not self.layer.built
        self.layer.ready(self._step_shape(input_shape))
        graph = getattr(self.layer, "graph", None)
        penalized = (
            [] if graph is None else [step.layer.name for step in graph.steps if step.layer.activity_regularizer is not None]
        )
        if penalized:
            raise ValueError(f"layer {penalized[0]!r} has an activity_regularizer, which does not count in there")
        super().build(input_shape)

    def check_input(self, input_shape):
        self.layer.ready(self._step_shape(input_shape))

    def compute_output_shape(self, input_shape):
        shape = self.layer.compute_output_shape(self._step_shape(input_shape))
        if isinstance(shape, list):
            raise ValueError(f"layer {self.layer.name!r} has {len(shape)} results, expected one")
        return (shape[0], input_shape[1], *shape[1:])

    @staticmethod
    def _step_shape(input_shape):
        if isinstance(input_shape, list) or len(input_shape) < 3:
            raise ValueError(f"expected one input of shape (batch, steps, ...) with three axes or more, got {input_shape}")
        return (input_shape[0], *input_shape[2:])

    def compute(self, call, x, training):
        call.size, call.apart = x.shape[:2], _mixes(self.layer, training) and x.shape[1] > 0
        mask = call.mask
        if call.apart:
            parts = [np.ascontiguousarray(x[:, t]) for t in range(x.shape[1])]
            masks = [None if mask is None else mask[:, t] for t in range(x.shape[1])]
        else:
            parts, masks = [_rows(x)], [None if mask is None or mask.ndim < 3 else _rows(mask)]
        runs = self._runs(call, len(parts))
        results = [run.forward(part, mask, training, call.keep) for run, part, mask in zip(runs, parts, masks)]
        return self._joined(call, results, "y")

    def gradient(self, call, dy):
        parts = [np.ascontiguousarray(dy[:, t]) for t in range(dy.shape[1])] if call.apart else [_rows(dy)]
        runs = self._runs(call, len(parts))
        slopes = [run.backward(part, call.need_dx, call.accumulate or i > 0) for i, (run, part) in enumerate(zip(runs, parts))]
        return self._joined(call, slopes, "dx") if call.need_dx and slopes[0] is not None else None  # None for indices

    def infer(self, x):
        if _mixes(self.layer, False):
            return self.compute(Call(), x, False)
        y = run(self.layer.graph, [_rows(x)])[0] if _is_model(self.layer) else self.layer.infer(_rows(x))
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def _runs(self, call, count):
        """So many contexts of the inner layer, which stay with the call."""
        runs, make = vars(call).setdefault("runs", []), _ModelRun if _is_model(self.layer) else _LayerRun
        runs += [make(self.layer, call.reuse) for _ in range(count - len(runs))]
        return runs[:count]

    @staticmethod
    def _joined(call, parts, name):
        """What came of the rows, or of the steps, with batch and time as the first axes."""
        if not call.apart:
            return parts[0].reshape(*call.size, *parts[0].shape[1:])
        whole = call.buffer(name, (*call.size, *parts[0].shape[1:]), parts[0].dtype)
        return np.stack(parts, axis=1, out=whole)


class _LayerRun:
    """A layer with a context of its own."""

    def __init__(self, layer, reuse):
        self.layer, self.call = layer, Call(reuse)
        self.call.trainable = layer.trainable

    def forward(self, x, mask, training, keep):
        self.call.mask, self.call.keep = mask, keep
        return self.layer.compute(self.call, x, training)

    def backward(self, dy, need_dx, accumulate):
        call = self.call
        if call.need_dx != need_dx:
            call.need_dx, call.out = need_dx, None
        call.accumulate = accumulate
        return self.layer.gradient(call, dy)


class _ModelRun:
    """A model with a program of its own."""

    def __init__(self, model, reuse):
        self.program = Program(model.graph, reuse)

    def forward(self, x, mask, training, keep):
        self.shape = x.shape
        self.program.keep(keep)
        return self.program.forward([x], training, None if mask is None else [mask])[0]

    def backward(self, dy, need_dx, accumulate):
        self.program.want(need_dx)
        slopes = self.program.backward([dy], accumulate)
        return np.zeros(self.shape, dy.dtype) if need_dx and slopes[0] is None else slopes and slopes[0]


def _is_model(layer):
    return getattr(layer, "graph", None) is not None


def _rows(x):
    """Batch and time as one axis."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


def _mixes(layer, training):
    """Whether what a layer, or a model, gives for a row may depend on the others in its batch."""
    if not _is_model(layer):
        return layer.mixes and training
    return any(_mixes(step.layer, training if step.training is None else step.training) for step in layer.graph.steps)
