"""The cases of the products: gemm and the dense layer. Errors are counted in units of the sum of absolute products."""

import numpy as np

from .. import reference
from .case import Function, normal


def _turned(arrays, options):
    """a and b as they are stored where they are to be transposed."""
    arrays = dict(arrays)
    for name in "ab":
        if options.get(f"transpose_{name}"):
            arrays[name] = np.ascontiguousarray(arrays[name].T)
    return arrays


def _product_scale(arrays, options):
    return reference.gemm(np.abs(arrays["a"]), np.abs(arrays["b"]), **options)


ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "gelu", "softmax", "log_softmax")


def _scale_of_z(arrays, options):
    """What z's rounding is counted in; no activation here is steeper than its argument."""
    z = np.abs(arrays["x"]) @ np.abs(arrays["kernel"]) + (0 if arrays["bias"] is None else np.abs(arrays["bias"])) + 1
    return (z, z) if options.get("return_z") else z


def _trained(arrays, options):
    """y, and z where asked for, are those of the forward pass."""
    chosen = {key: options[key] for key in ("activation", "alpha") if key in options}
    y, z = reference.dense_forward(arrays["x"], arrays["kernel"], None, **chosen, return_z=True)
    return arrays | {"y": y, "z": None if arrays["z"] is None else z}


def _scale_of_gradients(arrays, options):
    """Sums of absolute products, dz no larger than five times the largest dy of its row."""
    dz = 5 * np.abs(arrays["dy"]).max(-1, keepdims=True, initial=0) + 0 * arrays["dy"]
    x, kernel = np.abs(arrays["x"]), np.abs(arrays["kernel"])
    return dz @ kernel.T, x.T @ dz, dz.sum(0)


CASES = {
    "gemm": Function(
        {"a": ("MK", normal), "b": ("KN", normal)},
        ("c",),
        ({}, dict(transpose_b=True), dict(transpose_a=True), dict(transpose_a=True, transpose_b=True)),
        adapt=_turned,
        scale=_product_scale,
        ulp=4,
        flops=lambda s: 2 * s["M"] * s["N"] * s["K"],
    ),
    "dense_forward": Function(
        {"x": ("BI", normal), "kernel": ("IO", normal), "bias": ("O", normal)},
        ("y", "z"),
        ({}, dict(bias=None), *(dict(activation=name) for name in ACTIVATIONS), dict(activation="elu", alpha=0.5),
         dict(activation="silu", return_z=True), dict(activation="softmax", return_z=True)),
        scale=_scale_of_z,
        flops=lambda s: 2 * s["B"] * s["I"] * s["O"],
    ),
    "dense_backward": Function(
        {"dy": ("BO", normal), "x": ("BI", normal), "kernel": ("IO", normal), "y": ("BO", normal), "z": ("BO", normal)},
        ("dx", "dkernel", "dbias"),
        (*(dict(activation=name) for name in ACTIVATIONS), dict(activation="elu", alpha=0.5, z=None),
         dict(need=(False, True, True)), dict(need=(True, False, False), activation="relu")),
        adapt=_trained,
        scale=_scale_of_gradients,
        flops=lambda s: 4 * s["B"] * s["I"] * s["O"],
    ),
}
