"""Bidirectional: two recurrent layers over the same sequence, one in each direction of time."""

import numpy as np

from .call import Call
from .container import Container
from .recurrent import Recurrent
from .states import TakesStates, check_states
from .tensor import flat

MERGES = ("concat", "sum", "mul", "ave", None)


class Bidirectional(TakesStates, Container):
    """The outputs of a recurrent layer and of one that goes backwards, merged step by step (Schuster & Paliwal 1997).

    layer: SimpleRNN, LSTM or GRU; what works is a copy, forward_layer, with weights of its own. backward_layer: by default another
    copy, with go_backwards=True. merge_mode: "concat" along the last axis, "sum", "mul", "ave", or None for both results.
    With return_sequences masked steps are 0. With return_state the states of forward_layer, then those of backward_layer follow;
    initial_state holds the first ones in this order. weights: arrays to begin with, as get_weights gives them. Further arguments:
    see Layer.

    >>> from fastopt import nn
    >>> nn.Bidirectional(nn.LSTM(4, return_sequences=True))(nn.Input(shape=(10, 8))).shape
    (None, 10, 8)
    """

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, *, dtype=None, trainable=True, **kwargs):
        for given in (layer, backward_layer) if backward_layer is not None else (layer,):
            if not isinstance(given, Recurrent):
                raise TypeError(f"Bidirectional: expected a recurrent layer, such as LSTM(8), got {given!r}")
        if merge_mode not in MERGES:
            raise ValueError(f"Bidirectional: merge_mode must be one of {', '.join(map(repr, MERGES))}, got {merge_mode!r}")
        if not {"input_shape", "input_dim", "batch_input_shape", "batch_shape"} & kwargs.keys():
            kwargs["batch_input_shape"] = layer.batch_input_shape
        super().__init__(dtype=layer.dtype if dtype is None and layer.explicit_dtype else dtype, **kwargs)
        self.merge_mode, self.return_state, self.stateful = merge_mode, layer.return_state, layer.stateful
        self.return_sequences = layer.return_sequences
        self.forward_layer = self._copy(layer, "forward_")
        self.backward_layer = backward_layer or self._copy(layer, "backward_", go_backwards=True)
        self.backward_layer.recast(self.dtype)
        _agree(self.forward_layer, self.backward_layer, merge_mode)
        for inner in self._layers:
            inner.zero_output_for_mask = self.return_sequences
        self._first_weights = weights
        if not trainable:
            self.trainable = False

    def _copy(self, layer, prefix, **changes):
        parts = [f"{weight}_{part}" for weight in ("kernel", "recurrent", "bias") for part in ("regularizer", "constraint")]
        own = {name: getattr(layer, name) for name in parts if hasattr(layer, name)}
        config = layer.get_config() | own | changes  # not by their names, which those of the user's own do not have
        explicit = self.dtype if self.explicit_dtype else None
        return type(layer).from_config(config | {"name": prefix + layer.name.removeprefix(prefix), "dtype": explicit})

    @property
    def _layers(self):
        return [self.forward_layer, self.backward_layer]

    def _by_name(self, attribute):
        return {name: getattr(weight, attribute) for weight, name in self._paths().items()}

    def unbuild(self):
        super().unbuild()
        for layer in self._layers:
            layer.unbuild()

    @property
    def state_sizes(self):
        """The widths of the states of both layers."""
        return [*self.forward_layer.state_sizes, *self.backward_layer.state_sizes]

    def build(self, input_shape):
        for layer in self._layers:
            if not layer.built:
                layer.build(input_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)
        super().build(input_shape)

    def check_input(self, input_shape):
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        for layer in self._layers:
            layer.check_input(shapes[0])
        if len(shapes) > 1:
            check_states(shapes[1:], shapes[0][0], self.state_sizes)

    def compute_output_shape(self, input_shape):
        forward, backward = (flat_shapes(layer.compute_output_shape(input_shape)) for layer in self._layers)
        first, second = forward[0], backward[0]
        if self.merge_mode is None:
            results = [first, second]
        else:
            results = [(*first[:-1], first[-1] + second[-1])] if self.merge_mode == "concat" else [first]
        results += forward[1:] + backward[1:]
        return results if len(results) > 1 else results[0]

    def compute_mask(self, x, mask=None):
        """The mask of the result: that of the sequence, where all outputs are returned; states have none."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        masks = [mask if self.return_sequences else None] * (2 if self.merge_mode is None else 1)
        masks += [None] * len(self.state_sizes) * self.return_state
        return masks if len(masks) > 1 else masks[0]

    def _restart(self, states):
        states, count = None if states is None else flat(states), self.forward_layer.state_count
        self.forward_layer.reset_states(states and states[:count])
        self.backward_layer.reset_states(states and states[count:])

    def compute(self, call, x, training):
        call.several = isinstance(x, (list, tuple))
        x, states = (x[0], list(x[1:])) if call.several else (x, call.initial_state)
        if states is not None:
            self.checked(states, len(x))
        calls, results = self._calls(call), []
        for i, (layer, inner) in enumerate(zip(self._layers, calls)):
            part = None if states is None else states[i * layer.state_count : (i + 1) * layer.state_count]
            inner.mask, inner.initial_state, inner.keep = call.mask, None if call.several else part, call.keep
            results.append(layer.scan(inner, [x, *part] if call.several else x, training))
        (first, starts), (second, ends) = results
        call.parts = first, second
        merged = [first, second] if self.merge_mode is None else [self._merged(call, first, second)]
        merged += [*starts, *ends] if self.return_state else []
        return merged if len(merged) > 1 else merged[0]

    def _calls(self, call):
        """The contexts of the two layers, which lie in that of this one."""
        if not hasattr(call, "calls"):
            call.calls = Call(call.reuse), Call(call.reuse)
        return call.calls

    def _merged(self, call, first, second):
        joined = self.merge_mode == "concat"
        y = call.buffer("y", (*first.shape[:-1], first.shape[-1] + second.shape[-1] * joined), first.dtype)
        if joined:
            return np.concatenate((first, second), axis=-1, out=y)
        if self.merge_mode == "mul":
            return np.multiply(first, second, out=y)
        np.add(first, second, out=y)
        if self.merge_mode == "ave":
            y *= 0.5
        return y

    def gradient(self, call, dy):
        slopes = list(dy) if isinstance(dy, (list, tuple)) else [dy]
        dys = [slopes.pop(0), slopes.pop(0)] if self.merge_mode is None else self._split(call, slopes.pop(0))
        results = []
        for i, (layer, inner) in enumerate(zip(self._layers, call.calls)):
            inner.need_dx, inner.accumulate = call.need_dx, call.accumulate
            inner.trainable = call.trainable and layer.trainable
            part = slopes[i * layer.state_count : (i + 1) * layer.state_count] or [None] * layer.state_count
            results.append(layer.unscan(inner, dys[i], part))
        if not call.need_dx:
            return None
        (dx, *firsts), (other, *seconds) = results if call.several else [[result] for result in results]
        dx += other
        return [dx, *firsts, *seconds] if call.several else dx

    def _split(self, call, dy):
        """The gradients of the two results from that of the merged one."""
        if dy is None:
            return None, None
        first, second = call.parts
        parts = [call.buffer(f"dy{i}", part.shape, part.dtype) for i, part in enumerate(call.parts)]
        if self.merge_mode == "concat":
            width = first.shape[-1]
            parts[0][...], parts[1][...] = dy[..., :width], dy[..., width:]
        elif self.merge_mode == "mul":
            np.multiply(dy, second, out=parts[0])
            np.multiply(dy, first, out=parts[1])
        else:
            for part in parts:
                np.multiply(dy, 0.5 if self.merge_mode == "ave" else 1, out=part)
        return parts

    def get_config(self):
        from . import configuration

        inner = {"layer": self.forward_layer, "backward_layer": self.backward_layer}
        described = {name: configuration.describe(layer) for name, layer in inner.items()}
        return super().get_config() | {"merge_mode": self.merge_mode} | described

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The layer that get_config described, `config`, with weights of its own. custom_objects: as in load_model."""
        from . import configuration

        inner = {name: configuration.build(config[name], custom_objects or {}) for name in ("layer", "backward_layer")}
        return cls(**config | inner)


def flat_shapes(shape):
    """A shape, or a list of them, as a list."""
    return list(shape) if isinstance(shape, list) else [shape]


def _agree(forward, backward, merge_mode):
    """Raises ValueError where two layers cannot be the two directions of one."""
    if forward.go_backwards or not backward.go_backwards:
        raise ValueError("Bidirectional: expected go_backwards=False of layer and go_backwards=True of backward_layer, got "
                         f"{forward.go_backwards} and {backward.go_backwards}")  # fmt: skip
    for name in "return_sequences", "return_state", "stateful":
        if getattr(forward, name) != getattr(backward, name):
            raise ValueError(f"Bidirectional: layer and backward_layer must agree in {name}, got {getattr(forward, name)} and "
                             f"{getattr(backward, name)}")  # fmt: skip
    if merge_mode in ("sum", "mul", "ave") and forward.output_size != backward.output_size:
        raise ValueError(f"Bidirectional: merge_mode={merge_mode!r} needs as many outputs in both directions, got "
                         f"{forward.output_size} and {backward.output_size}")  # fmt: skip
    for layer in forward, backward:
        if layer.activity_regularizer is not None:
            raise ValueError("Bidirectional: give activity_regularizer to Bidirectional itself, not to the layer in it")
