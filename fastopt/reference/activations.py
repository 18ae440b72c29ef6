"""The activations and their gradients, in plain NumPy: the definition of the kernels of the same names.

Formulas and constants are Keras 3's. Results have the shape and dtype of the arguments. `alpha` is the slope of leaky_relu
below zero (0.2 where None) and the factor of elu there (1.0); no other activation takes it. NaN gives NaN; at an infinity
stands the limit, except in softmax and log_softmax, where a row that holds +inf becomes NaN.
"""

import math
from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np

from .. import checks
from .out import deliver

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017
TANH_SLOPE, TANH_CUBIC = math.sqrt(2 / math.pi), 0.044715  # Hendrycks & Gimpel 2016


def sigmoid(x):
    e = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1, e) / (1 + e)


def bounded(z):
    """z or, beyond it, the nearer of +-1000, where every derivative has its limit: no inf * 0, no inf - inf."""
    return np.clip(z, -1000, 1000)


def weighted(x, weight):
    """x * weight(x), which below zero vanishes: 0 at -inf."""
    return np.maximum(x, -1000) * weight(bounded(x))


def normal_distribution(x):
    """The probability that a standard normal variable is below x: erfc(t) / 2, t = -x sqrt(1/2).

    The rounding of t to `near` would cost all but the first digits of a tail: exp(-t^2) changes by t^2 times as much. So what it
    left out is computed, from parts of x and of sqrt(1/2) short enough for an exact product (Dekker 1971), and corrected for.
    """
    high, low = 0.7071067690849304, 1.210161710447897e-08  # of sqrt(1/2)
    near = x * -(high + low)
    short = x.astype(np.float32).astype(np.float64)
    left_out = (short * -high - near) - short * low - (x - short) * (high + low)
    erfc = np.reshape([math.erfc(t) for t in near.flat], x.shape)
    return erfc / 2 - left_out * np.exp(-near * near) / math.sqrt(math.pi)


def gelu(x):
    """x times the normal distribution function (Hendrycks & Gimpel 2016), computed in float64."""
    return weighted(np.asarray(x, np.float64), normal_distribution).astype(x.dtype)


def gelu_gradient(dy, z):
    z = bounded(np.asarray(z, np.float64))
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return dy * (normal_distribution(z) + z * density).astype(dy.dtype)


def tanh_argument(x):
    """The u for which (1 + tanh(u / 2)) / 2 = sigmoid(u) stands in for the normal distribution."""
    return 2 * TANH_SLOPE * (x + TANH_CUBIC * x**3)


def gelu_tanh_gradient(dy, z):
    z = bounded(z)
    u, slope = tanh_argument(z), 2 * TANH_SLOPE * (1 + 3 * TANH_CUBIC * z * z)
    s = sigmoid(u)
    return dy * (s + z * s * sigmoid(-u) * slope)


def silu_gradient(dy, z):
    z = bounded(z)
    s = sigmoid(z)
    return dy * (s + z * s * sigmoid(-z))


def softsign(x):
    largest = np.finfo(x.dtype).max  # for inf / inf
    return np.clip(x, -largest, largest) / (1 + np.minimum(np.abs(x), largest))


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True, initial=-math.inf))
    return e / np.sum(e, axis=-1, keepdims=True)


def log_softmax(x):
    below = x - np.max(x, axis=-1, keepdims=True, initial=-math.inf)
    with np.errstate(divide="ignore"):  # the sum of an empty row
        return below - np.log(np.sum(np.exp(below), axis=-1, keepdims=True))


class Activation(NamedTuple):
    forward: Callable  # y of x and alpha
    backward: Callable  # dz of dy, y, z and alpha
    needs_z: bool = False  # the derivative is no function of y
    alpha: float | None = None  # the default of one that takes it


# fmt: off
ACTIVATIONS = {
    "linear": Activation(lambda x, a: x.copy(), lambda dy, y, z, a: dy.copy()),
    "relu": Activation(lambda x, a: np.maximum(x, 0), lambda dy, y, z, a: np.where(y <= 0, 0, dy)),
    "leaky_relu": Activation(lambda x, a: np.where(x > 0, x, a * x), lambda dy, y, z, a: np.where(y > 0, dy, a * dy), alpha=0.2),
    "elu": Activation(lambda x, a: np.where(x > 0, x, a * np.expm1(np.minimum(x, 0))),
                      lambda dy, y, z, a: np.where(y > 0, dy, dy * (y + a)), alpha=1.0),
    "selu": Activation(lambda x, a: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))),
                       lambda dy, y, z, a: dy * np.where(y > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA)),
    "gelu": Activation(lambda x, a: gelu(x), lambda dy, y, z, a: gelu_gradient(dy, z), needs_z=True),
    "gelu_tanh": Activation(lambda x, a: weighted(x, lambda x: sigmoid(tanh_argument(x))),
                            lambda dy, y, z, a: gelu_tanh_gradient(dy, z), needs_z=True),
    "silu": Activation(lambda x, a: weighted(x, sigmoid), lambda dy, y, z, a: silu_gradient(dy, z), needs_z=True),
    "sigmoid": Activation(lambda x, a: sigmoid(x), lambda dy, y, z, a: dy * (y * (1 - y))),
    "hard_sigmoid": Activation(lambda x, a: np.clip(x + 3, 0, 6) / 6, lambda dy, y, z, a: np.where((y <= 0) | (y >= 1), 0, dy / 6)),
    "tanh": Activation(lambda x, a: np.tanh(x), lambda dy, y, z, a: dy * ((1 - y) * (1 + y))),
    "softplus": Activation(lambda x, a: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), lambda dy, y, z, a: dy * -np.expm1(-y)),
    "softsign": Activation(lambda x, a: softsign(x), lambda dy, y, z, a: dy * (1 - np.abs(y)) ** 2),
    "exponential": Activation(lambda x, a: np.exp(x), lambda dy, y, z, a: dy * y),
    "softmax": Activation(lambda x, a: softmax(x), lambda dy, y, z, a: y * (dy - np.sum(dy * y, axis=-1, keepdims=True))),
    "log_softmax": Activation(lambda x, a: log_softmax(x), lambda dy, y, z, a: dy - np.exp(y) * np.sum(dy, axis=-1, keepdims=True)),
}
# fmt: on
BY_ROWS = ("softmax", "log_softmax")  # over the last axis; the others are elementwise


def lookup(owner, activation, alpha, ndim):
    """The activation of that name and its alpha; raises for an unknown name, an alpha that it does not take, and a missing axis."""
    checks.known(owner, "activation", activation, ACTIVATIONS)
    if activation in BY_ROWS and ndim == 0:
        raise ValueError(f"{owner}: {activation} is taken over the last axis, got an array of shape ()")
    rule = ACTIVATIONS[activation]
    if alpha is None:
        return rule, rule.alpha
    if rule.alpha is None:
        raise ValueError(f"{owner}: activation {activation!r} takes no alpha, got {alpha!r}; leaky_relu and elu do")
    if not isinstance(alpha, Real) or isinstance(alpha, (bool, np.bool_)):
        raise TypeError(f"{owner}: alpha must be a finite number >= 0, got {alpha!r}")
    if not 0 <= alpha < math.inf:  # of a negative one, the sign of y would not tell that of z
        raise ValueError(f"{owner}: alpha must be a finite number >= 0, got {alpha}")
    return rule, float(alpha)


def activation_forward(x, activation="linear", *, alpha=None, out=None):
    """y = activation(x), of any shape; softmax and log_softmax over the last axis. `out` may be x.

    activation: linear, relu, leaky_relu, elu, selu, gelu, gelu_tanh, silu, sigmoid, hard_sigmoid, tanh, softplus, softsign,
        exponential, softmax or log_softmax; else ValueError. alpha >= 0: the slope of leaky_relu below 0 (0.2 by default), the
        factor of elu there (1.0).

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> kernels.activation_forward(np.array([-2.0, 3.0]), "leaky_relu", alpha=0.1)
    array([-0.2,  3. ])
    """
    rule, alpha = lookup("activation_forward", activation, alpha, x.ndim)
    return deliver("activation_forward", out, rule.forward(x, alpha))


def activation_backward(dy, y, activation="linear", *, z=None, alpha=None, out=None):
    """dz, the gradient with respect to z of a loss whose gradient with respect to y = activation(z) is dy, all of one shape.

    gelu, gelu_tanh and silu need z, for their derivative is no function of y. At a corner the derivative is that from the left, for
    hard_sigmoid 0. `out` may be dy. activation, alpha: as in activation_forward.
    """
    rule, alpha = lookup("activation_backward", activation, alpha, y.ndim)
    if rule.needs_z and z is None:
        raise ValueError(f"activation_backward: activation {activation!r} needs z, got None: its derivative is no function of y")
    return deliver("activation_backward", out, rule.backward(dy, y, z, alpha))
