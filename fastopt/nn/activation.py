"""Activations as layers of their own."""

import numpy as np

from .. import kernels
from . import activations
from .layer import Layer

MASKED = -1e9  # what stands for masked elements before a softmax, as in Keras


class Activation(Layer):
    """y = activation(x), elementwise, or over the last axis for softmax and log_softmax.

    activation: a name of fastopt.nn.activations, or an object of theirs. Further arguments: see Layer.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> nn.Activation("tanh")(np.zeros((1, 2), "float32"))
    array([[0., 0.]], dtype=float32)
    """

    supports_masking = splits = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def compute(self, call, x, training):
        if call.linear:
            return x
        activation = self.activation
        y = kernels.activation_forward(x, activation.kernel, alpha=activation.alpha, out=call.buffer("y", x.shape, x.dtype))
        call.saved = y, x if activation.needs_z else None
        return y

    def gradient(self, call, dy):
        if call.linear:
            return dy
        y, z = call.saved
        return kernels.activation_backward(dy, y, self.activation.kernel, z=z, alpha=self.activation.alpha, out=dy)

    def get_config(self):
        return super().get_config() | {"activation": activations.serialize(self.activation)}


class _Fixed(Activation):
    """Base of the layers that are one activation."""

    def __init__(self, kernel, alpha=None, **kwargs):
        super().__init__(activations.Activation(kernel, alpha), **kwargs)

    def get_config(self):
        config = super().get_config()
        del config["activation"]
        return config


class ReLU(_Fixed):
    """max(x, 0), or with negative_slope > 0 LeakyReLU (Nair & Hinton 2010). Further arguments: see Layer."""

    def __init__(self, negative_slope=0.0, **kwargs):
        self.negative_slope = float(negative_slope)
        super().__init__(*(("leaky_relu", self.negative_slope) if negative_slope else ("relu",)), **kwargs)

    def get_config(self):
        return super().get_config() | {"negative_slope": self.negative_slope}


class LeakyReLU(_Fixed):
    """x where it is positive, negative_slope x elsewhere (Maas, Hannun & Ng 2013); alpha is its older name.

    Further arguments: see Layer.
    """

    def __init__(self, negative_slope=0.3, alpha=None, **kwargs):
        self.negative_slope = float(negative_slope if alpha is None else alpha)
        super().__init__("leaky_relu", self.negative_slope, **kwargs)

    def get_config(self):
        return super().get_config() | {"negative_slope": self.negative_slope}


class ELU(_Fixed):
    """x where it is positive, alpha (exp(x) - 1) elsewhere (Clevert, Unterthiner & Hochreiter 2016).

    Further arguments: see Layer.
    """

    def __init__(self, alpha=1.0, **kwargs):
        self.alpha = float(alpha)
        super().__init__("elu", self.alpha, **kwargs)

    def get_config(self):
        return super().get_config() | {"alpha": self.alpha}


class Softmax(_Fixed):
    """exp(x) over its sum along the last axis (Bridle 1990). Further arguments: see Layer.

    A mask of the input's shape leaves masked elements out, which get 0, or, where all of a row are, equal shares. A mask (B, T) of
    inputs (B, T, C), which Keras refuses, says nothing of the features and only goes on.
    """

    def __init__(self, axis=-1, **kwargs):
        if axis != -1:
            raise ValueError(f"Softmax: axis must be -1, got {axis!r}")
        super().__init__("softmax", **kwargs)

    def compute(self, call, x, training):
        if self._applies(call, x):
            x = np.where(call.mask, x, x.dtype.type(MASKED))
        return super().compute(call, x, training)

    def gradient(self, call, dy):
        dx = super().gradient(call, dy)
        if self._applies(call, dx):
            np.copyto(dx, 0, where=~call.mask)
        return dx

    @staticmethod
    def _applies(call, x):
        return call.mask is not None and call.mask.ndim == x.ndim
