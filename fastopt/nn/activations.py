"""Activations under Keras's names: functions of arrays, and what a layer's activation= may be.

A layer takes a name, None (linear), one of the functions here, or an Activation, which also holds a slope or factor.
"""

import inspect
import math
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np

from .. import kernels
from . import arguments, names

NEEDS_Z = ("gelu", "gelu_tanh", "silu")  # the derivative is no function of the result
DEFAULT_ALPHA = {"leaky_relu": 0.2, "elu": 1.0}


@dataclass(frozen=True)
class Activation:
    """An activation as the kernels take it: kernel, its name, and alpha, the slope of leaky_relu below 0 or the factor of elu
    there.

    needs_z: whether its gradient needs what went in, and not only what came out.
    """

    kernel: str
    alpha: float | None = None
    needs_z: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        kernel = names.find("activation", self.kernel, KERNELS)
        if self.alpha is not None and kernel not in DEFAULT_ALPHA:
            raise ValueError(f"activation: {kernel} takes no alpha, got {self.alpha!r}; leaky_relu and elu do")
        if self.alpha is not None and not 0 <= self.alpha < np.inf:
            raise ValueError(f"activation: alpha of {kernel} must be a finite number >= 0, got {self.alpha!r}")
        object.__setattr__(self, "kernel", kernel)
        object.__setattr__(self, "alpha", None if self.alpha is None else float(self.alpha))
        object.__setattr__(self, "needs_z", kernel in NEEDS_Z)

    def __call__(self, x):
        """The activation of an array; lists and integers are taken as float64."""
        return kernels.activation_forward(_floats(x), self.kernel, alpha=self.alpha)

    def get_config(self):
        """The arguments it was made with, as a dict."""
        return {"kernel": self.kernel, "alpha": self.alpha}


def _floats(x):
    x = np.asarray(x)
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)


def linear(x):
    """x."""
    return Activation("linear")(x)


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """x above threshold, at most max_value, if given, and elsewhere negative_slope (x - threshold) (Nair & Hinton 2010).

    negative_slope: a number >= 0.

    >>> from fastopt.nn import activations
    >>> activations.relu([-2.0, 3.0])
    array([0., 3.])
    """
    arguments.number("relu", "negative_slope", negative_slope, 0)
    if max_value is None and not threshold:
        return (Activation("leaky_relu", negative_slope) if negative_slope else Activation("relu"))(x)
    from .rectifiers import rectify

    x = _floats(x)
    return rectify(x, negative_slope, max_value, threshold, np.empty_like(x), np.empty(x.shape, bool))


def leaky_relu(x, negative_slope=0.2):
    """x where it is positive, elsewhere negative_slope x (Maas, Hannun & Ng 2013)."""
    return Activation("leaky_relu", negative_slope)(x)


def elu(x, alpha=1.0):
    """x where it is positive, elsewhere alpha (exp(x) - 1) (Clevert, Unterthiner & Hochreiter 2016)."""
    return Activation("elu", alpha)(x)


def selu(x):
    """1.0507 times elu of x with alpha = 1.6733, which keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    return Activation("selu")(x)


def gelu(x, approximate=False):
    """x times the normal distribution function at x, or, approximate, that by tanh (Hendrycks & Gimpel 2016)."""
    return Activation("gelu_tanh" if approximate else "gelu")(x)


def gelu_tanh(x):
    """gelu(x, approximate=True)."""
    return Activation("gelu_tanh")(x)


def silu(x):
    """x sigmoid(x) (Elfwing, Uchibe & Doya 2018)."""
    return Activation("silu")(x)


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return Activation("sigmoid")(x)


def hard_sigmoid(x):
    """x / 6 + 1 / 2, cut off at 0 and 1 (Courbariaux, Bengio & David 2015, in Keras 3's slope)."""
    return Activation("hard_sigmoid")(x)


def tanh(x):
    """The hyperbolic tangent of x."""
    return Activation("tanh")(x)


def softplus(x):
    """log(1 + exp(x)) (Dugas et al. 2001)."""
    return Activation("softplus")(x)


def softsign(x):
    """x / (1 + |x|) (Bergstra et al. 2009)."""
    return Activation("softsign")(x)


def exponential(x):
    """exp(x)."""
    return Activation("exponential")(x)


def _along(kernel, x, axis):
    """An activation of rows that lie along any axis, or over several."""
    x = _floats(x)
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    fits = [isinstance(one, Integral) and not isinstance(one, bool) and -x.ndim <= one < x.ndim for one in axes]
    if not axes or not all(fits) or len({one % x.ndim for one in axes}) < len(axes):
        raise ValueError(f"{kernel}: axis must be one of the {x.ndim} of x, got {axis!r}; or several, each once")
    last = list(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    rest = moved.shape[: last[0]]
    rows = moved.reshape(*rest, math.prod(moved.shape[len(rest) :]))
    return np.moveaxis(Activation(kernel)(rows).reshape(moved.shape), last, axes)


def softmax(x, axis=-1):
    """exp(x) over its sum along `axis`, an integer or several (Bridle 1990).

    >>> softmax([[0.0, 0.0]])
    array([[0.5, 0.5]])
    """
    return _along("softmax", x, axis)


def log_softmax(x, axis=-1):
    """log(softmax(x)); axis: as in softmax."""
    return _along("log_softmax", x, axis)


FUNCTIONS = (linear, relu, leaky_relu, elu, selu, gelu, gelu_tanh, silu, sigmoid, hard_sigmoid, tanh, softplus, softsign,
             exponential, softmax, log_softmax)  # fmt: skip
KERNELS = {function.__name__: function.__name__ for function in FUNCTIONS} | {"swish": "silu", "exp": "exponential"}
swish = silu
TABLE = {"Activation": Activation}


def serialize(activation):
    """The name of an activation, or where it has an alpha its configuration."""
    activation = get(activation)
    return activation.kernel if activation.alpha is None else names.serialize(activation)


def deserialize(config, custom_objects=None):
    """The Activation of config, a name or a configuration. custom_objects is not used."""
    return get(config)


def get(identifier):
    """The Activation for identifier: a name, None (linear), a function of this module, an Activation, or a configuration."""
    if identifier is None or isinstance(identifier, str):
        return Activation(identifier or "linear")
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, dict):
        given = identifier.get("config") or {}
        if names.plain(identifier.get("class_name", "")) == "activation":
            return Activation(**given)
        return Activation(identifier.get("class_name"), given.get("negative_slope", given.get("alpha")))
    if inspect.isfunction(identifier) and identifier in FUNCTIONS:
        return Activation(identifier.__name__)
    raise TypeError(f"activation: expected a name, None or a function of nn.activations, got {identifier!r}; a function of "
                    f"your own has no gradient here, the names are {', '.join(KERNELS)}")  # fmt: skip
