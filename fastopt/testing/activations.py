"""The cases of the activations, every one of them a variant."""

import numpy as np

from .. import reference
from ..reference.activations import ACTIVATIONS, BY_ROWS
from .case import Function


def wide(rng, shape):
    """Far enough to both sides for every bend, and the tails."""
    return 3 * rng.standard_normal(shape)


def _forward_scale(arrays, options):
    """The result; of the argument where its rounding counts: in the tail of gelu_tanh, and as the difference to a row's largest."""
    x, name = np.abs(arrays["x"]), options.get("activation")
    y = np.abs(reference.activation_forward(arrays["x"], **options))
    if name == "gelu_tanh":
        return x
    if name in BY_ROWS:
        apart = x + np.max(x, axis=-1, keepdims=True, initial=0)
        return y * (1 + apart) if name == "softmax" else y + apart
    return y + 2 * np.finfo(np.float32).tiny  # below, float32 has fewer digits


def _of_z(arrays, options):
    """y as it follows from z."""
    z = arrays["y"] if arrays["z"] is None else arrays["z"]
    rest = {key: value for key, value in options.items() if key != "z"}
    return arrays | {"y": reference.activation_forward(z, **rest)}


def _backward_scale(arrays, options):
    """The result; dy where terms of the derivative cancel; what is added up in softmax and log_softmax."""
    dy, y, name = np.abs(arrays["dy"]), arrays["y"], options.get("activation")
    if name in ("elu", "selu", "gelu", "gelu_tanh", "silu"):
        return dy
    if name == "softmax":
        return np.abs(y) * (dy + np.sum(dy * np.abs(y), axis=-1, keepdims=True))
    if name == "log_softmax":
        return dy + np.exp(y) * np.sum(dy, axis=-1, keepdims=True)
    return np.abs(reference.activation_backward(arrays["dy"], y, z=arrays["z"], **options))


ROWS = {"R": (0, 1, 3, 7)}  # how rows are cut is seen at few of them
VARIANTS = ({}, *(dict(activation=name) for name in ACTIVATIONS), dict(activation="leaky_relu", alpha=0.5),
            dict(activation="elu", alpha=1.5))  # fmt: skip

CASES = {
    "activation_forward": Function(
        {"x": ("RC", wide)},
        ("y",),
        VARIANTS,
        sizes_of=ROWS,
        scale=_forward_scale,
        flops=lambda s: 20 * s["R"] * s["C"],
    ),
    "activation_backward": Function(
        {"dy": ("RC", wide), "y": ("RC", wide), "z": ("RC", wide)},
        ("dz",),
        (*VARIANTS, dict(activation="tanh", z=None)),
        sizes_of=ROWS,
        adapt=_of_z,
        scale=_backward_scale,
        flops=lambda s: 20 * s["R"] * s["C"],
    ),
}
