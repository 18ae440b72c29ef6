"""Dense: the fully connected layer, and the activations that can stand in one."""

from .. import kernels
from ..backend import core
from . import activations, constraints, initializers, regularizers
from .arguments import integer
from .layer import Layer

LINEAR = activations.get(None)


class Dense(Layer):
    """y = activation(x kernel + bias) over the last axis: x (..., I), kernel (I, units), bias (units,).

    units: number of outputs, >= 1. activation: a name of fastopt.nn.activations, or None for linear. use_bias: whether there is a
    bias. kernel_initializer (glorot_uniform: Glorot & Bengio 2010), bias_initializer: by name or object. kernel_regularizer,
    bias_regularizer, activity_regularizer: penalties on kernel, bias and result. kernel_constraint, bias_constraint: what they are
    put back into after each step, see fastopt.nn.constraints. Further arguments: see Layer.

    >>> from fastopt import nn
    >>> nn.Dense(3, activation="relu")(nn.Input(shape=(5,))).shape
    (None, 3)
    """

    supports_masking = splits = True

    def __init__(self, units, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, **kwargs):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units, self.use_bias = integer("Dense", "units", units), bool(use_bias)
        self.activation = activations.get(activation)
        self.kernel_initializer, self.bias_initializer = initializers.get(kernel_initializer), initializers.get(bias_initializer)
        self.kernel_regularizer, self.bias_regularizer = regularizers.get(kernel_regularizer), regularizers.get(bias_regularizer)
        self.kernel_constraint, self.bias_constraint = constraints.get(kernel_constraint), constraints.get(bias_constraint)
        self.bias = None

    def build(self, input_shape):
        width = input_shape[-1] if input_shape else None
        if width is None:
            raise ValueError(f"the last axis must have a known size, got shape {input_shape}")
        shape = width, self.units
        self.add_weight("kernel", shape, self.kernel_initializer, self.kernel_regularizer, constraint=self.kernel_constraint)
        if self.use_bias:
            shape = (self.units,)
            self.add_weight("bias", shape, self.bias_initializer, self.bias_regularizer, constraint=self.bias_constraint)
        super().build(input_shape)

    def check_input(self, input_shape):
        if isinstance(input_shape, list) or len(input_shape) < 2 or input_shape[-1] != self.kernel.shape[0]:
            raise ValueError(f"expected shape (batch, ..., {self.kernel.shape[0]}), got {input_shape}")

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def compute(self, call, x, training):
        if call.shape != x.shape:
            self._plan(call, x.shape)
        call.x = x
        if call.needs_z and not call.keep:
            return self._infer(x, call.activation, call.y)
        return call.passes.forward(x, self.kernel, self.bias)

    def _plan(self, call, shape):
        """Prepares what depends on the shape of the input alone; interrupted, or without memory, it leaves none prepared."""
        activation = LINEAR if call.linear else self.activation
        call.shape, call.activation, call.needs_z, call.out = None, activation, activation.needs_z, None
        call.y = call.buffer("y", (*shape[:-1], self.units), self.kernel.dtype)
        z = call.buffer("z", call.y.shape, call.y.dtype) if activation.needs_z else None
        call.passes = core.DensePasses(activation.kernel, activation.alpha, call.y, z)
        call.shape = shape

    def gradient(self, call, dy):
        if call.out is None:
            dx = call.buffer("dx", call.shape, call.y.dtype) if call.need_dx else None
            call.out = dx, *[weight.grad if call.trainable else None for weight in self._weights], *[None] * (not self.use_bias)
        call.passes.backward(dy, call.x, self.kernel, call.out, call.accumulate)
        return call.out[0]

    def infer(self, x):
        return self._infer(x, self.activation)

    def _infer(self, x, activation, out=None):
        return kernels.dense_forward(x, self.kernel, self.bias, activation.kernel, alpha=activation.alpha, out=out)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }
