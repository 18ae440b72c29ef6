"""PReLU: the rectifier whose slope below 0 is learned."""

import numpy as np

from . import constraints, initializers, regularizers
from .arguments import integer
from .layer import Layer


class PReLU(Layer):
    """x where it is positive, alpha x elsewhere, with a weight alpha for each feature (He et al. 2015).

    alpha_initializer, alpha_regularizer, alpha_constraint: of alpha, whose shape is the input's without the batch.
    shared_axes: axes, from 1 on, along which there is one alpha for all, such as [1] for the steps of a sequence (B, T, C).
    Further arguments: see Layer.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> nn.PReLU(alpha_initializer=nn.initializers.Constant(0.5))(np.array([[-2.0, 3.0]], "float32"))
    array([[-1.,  3.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, alpha_initializer="zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None, **kwargs):
        super().__init__(**kwargs)
        axes = shared_axes if isinstance(shared_axes, (list, tuple)) else [] if shared_axes is None else [shared_axes]
        self.shared_axes = sorted({integer("PReLU", "shared_axes", axis) for axis in axes})
        self.alpha_initializer, self.alpha_regularizer = initializers.get(alpha_initializer), regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)

    def build(self, input_shape):
        self._one(input_shape)
        if any(axis >= len(input_shape) for axis in self.shared_axes):
            raise ValueError(f"shared_axes are {self.shared_axes}, got shape {input_shape}")
        shape = [1 if axis in self.shared_axes else size for axis, size in enumerate(input_shape)][1:]
        if None in shape:
            axis = shape.index(None) + 1
            raise ValueError(f"the size of axis {axis} must be known, or shared_axes name it, got shape {input_shape}")
        self.add_weight("alpha", shape, self.alpha_initializer, self.alpha_regularizer, constraint=self.alpha_constraint)
        super().build(input_shape)

    def check_input(self, input_shape):
        expected = [None if axis in self.shared_axes else size for axis, size in enumerate(self.alpha.shape, 1)]
        self._one(input_shape)
        fits = len(input_shape) == len(expected) + 1 and all(n in (None, m) for n, m in zip(expected, input_shape[1:]))
        if not fits:
            raise ValueError(f"expected shape {(None, *expected)}, got {input_shape}")

    def _one(self, input_shape):
        if isinstance(input_shape, list):
            raise ValueError(f"expected one input, got {len(input_shape)}")

    def compute(self, call, x, training):
        call.x = x
        y = np.minimum(x, 0, out=call.buffer("y", x.shape, x.dtype))
        y *= self.alpha
        y += np.maximum(x, 0, out=call.buffer("above", x.shape, x.dtype))
        return y

    def gradient(self, call, dy):
        x = call.x
        if call.trainable:
            slopes = np.minimum(x, 0, out=call.buffer("slopes", x.shape, x.dtype))
            slopes *= dy
            grad = self._weights[0].grad
            np.add(grad if call.accumulate else 0, slopes.sum((0, *self.shared_axes), keepdims=True)[0], out=grad)
        below = np.less_equal(x, 0, out=call.buffer("below", x.shape, bool))
        return np.multiply(dy, self.alpha, out=dy, where=below)

    def get_config(self):
        return super().get_config() | {
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes or None,
        }
