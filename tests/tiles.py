"""The sizes in which the products go, as csrc/gemm.c and tile.h have them: what tests choose their sizes around."""

import numpy as np

VECTOR = {"avx512": 64, "avx2": 32, "baseline": 16}  # bytes
KC = 256  # depth of a block


def lanes_of(isa, dtype):
    return VECTOR[isa] // np.dtype(dtype).itemsize


def columns_of(dtype):
    """Columns of b packed at a time."""
    return 524288 // np.dtype(dtype).itemsize // KC


def around(*sizes):
    return [n + d for n in sizes for d in (-1, 0, 1)]


def whole(rng, shape, dtype):
    """Integers from -3 to 3: sums of a thousand of their products are exact in float32, in any order."""
    return rng.integers(-3, 4, shape).astype(dtype)
