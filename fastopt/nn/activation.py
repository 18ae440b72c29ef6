"""Activations as layers of their own."""

from .. import kernels
from . import activations
from .layer import Layer


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


class Fixed(Activation):
    """Base of the layers that are one activation."""

    def __init__(self, kernel, alpha=None, /, **kwargs):
        Layer.__init__(self, **kwargs)  # which has no activation among its arguments
        self.activation = activations.Activation(kernel, alpha)

    def get_config(self):
        config = super().get_config()
        del config["activation"]
        return config
