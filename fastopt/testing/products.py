"""The cases of the products: gemm and the dense layer. Errors are counted in units of the sum of absolute products."""

import numpy as np

from .. import reference
from .case import Function, normal, signed


def _turned(arrays, options):
    """a and b as they are stored where they are to be transposed."""
    arrays = dict(arrays)
    for name in "ab":
        if options.get(f"transpose_{name}"):
            arrays[name] = np.ascontiguousarray(arrays[name].T)
    return arrays


def _product_scale(arrays, options):
    return reference.gemm(np.abs(arrays["a"]), np.abs(arrays["b"]), **options)


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
}
