"""THE test: every kernel x CPU target x dtype x size x layout x threads against its definition in fastopt.reference."""

import numpy as np
import pytest

from fastopt.testing import CASES, compare

DTYPES = (np.float32, np.float64)
SIZES = [0, 1, 3, *(n + d for n in (4, 8, 16, 32, 64, 128, 256, 1024) for d in (-1, 0, 1)), 24, 48, 96, 1000]


def gaps(a):
    """Every second element of a larger array, the rest NaN."""
    base = np.full(2 * a.size, np.nan, a.dtype)
    base[::2] = a.ravel()
    return base[::2].reshape(a.shape) if a.ndim == 1 else np.lib.stride_tricks.as_strided(base, a.shape, [2 * s for s in a.strides])


def unaligned(a):
    """One element behind a 64-byte boundary."""
    base = np.empty(a.nbytes + 128, np.uint8)
    start = -base.ctypes.data % 64 + a.itemsize
    view = base[start : start + a.nbytes].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


LAYOUTS = {
    "contiguous": np.copy,
    "fortran": np.asfortranarray,
    "backwards": lambda a: np.copy(a[..., ::-1])[..., ::-1],
    "gaps": gaps,
    "unaligned": unaligned,
    "transposed": lambda a: np.copy(a.transpose(1, 2, 0)).transpose(2, 0, 1) if a.ndim == 3 else np.copy(a),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_sizes(name, dtype, isa, rng):
    case = CASES[name]
    assert not [w for n in SIZES for options in case.options() if (w := compare(name, case, rng, (n,), dtype, options))]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", CASES)
def test_layouts(name, layout, isa, rng):
    case = CASES[name]
    for dtype in DTYPES:
        for shape in ((), (3, 0, 2), (5, 7), (4, 1, 9), (3, 4, 5), (11, 130), (2, 2100)):
            for options in case.options()[:2]:
                assert not compare(name, case, rng, shape, dtype, options, LAYOUTS[layout] if len(shape) else np.copy)


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("name", [name for name in CASES if name != "ema"])
def test_threads(name, threads, isa, rng, cut):
    """Cut among threads, each kernel still agrees with its definition."""
    cut(threads)
    case = CASES[name]
    for dtype in DTYPES:
        for n in (1, 63, 64, 65, 1000, 20011):
            for options in case.options():
                assert not compare(name, case, rng, (n,), dtype, options)
