"""THE test: every kernel x CPU target x dtype x size x layout x threads against its definition in fastopt.reference."""

import numpy as np
import pytest

from fastopt import kernels
from fastopt.testing import CASES
from fastopt.testing.case import Function

DTYPES = (np.float32, np.float64)


def gaps(a):
    """Every second element of a larger array, the rest NaN."""
    base = np.full((*a.shape, 2), np.nan if a.dtype.kind == "f" else 99).astype(a.dtype)
    base[..., 0] = a
    return base[..., 0]


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
    assert not [w for size in case.sizes() for options in case.options() if (w := case.compare(name, rng, size, dtype, options))]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", CASES)
def test_layouts(name, layout, isa, rng):
    case = CASES[name]
    for dtype in DTYPES:
        for shape in case.shapes():
            for options in case.options()[:2]:
                assert not case.compare(name, rng, shape, dtype, options, lambda a: LAYOUTS[layout](a) if a.ndim else np.copy(a))


FUNCTIONS = [name for name, case in CASES.items() if isinstance(case, Function)]


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("name", [name for name in CASES if name not in (*FUNCTIONS, "ema")])
def test_threads(name, threads, isa, rng, cut):
    """Cut among threads, each kernel still agrees with its definition."""
    cut(threads)
    case = CASES[name]
    for dtype in DTYPES:
        for shape in case.cut():
            for options in case.options():
                assert not case.compare(name, rng, shape, dtype, options)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_threads_change_no_bit(name, isa, rng, cut):
    case = CASES[name]
    for dtype in DTYPES:
        for sizes in case.cut():
            for options in case.options():
                arguments = options | case.draw(rng, sizes, dtype, options)
                runs = []
                for threads in (1, 2, 3, 7) if options == case.options()[0] else (1, 3):
                    cut(threads)
                    runs.append(case.call(kernels, name, arguments))
                for run in runs[1:]:
                    np.testing.assert_equal(run, runs[0], err_msg=f"{sizes} {options}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_out(name, compiled, rng):
    """Results go where `out` says, the same to the bit; what does not fit is refused, and nothing written."""
    case = CASES[name]
    for dtype in DTYPES:
        for options in case.options():
            arguments = options | case.draw(rng, case.some()[-1], dtype, options)
            want = case.call(kernels, name, arguments)
            results = [r for r in (want if isinstance(want, tuple) else (want,)) if not isinstance(r, float)]  # a loss's value
            out = [None if r is None else np.full_like(r, 99) for r in results]
            got = case.call(kernels, name, arguments, out=tuple(out) if len(out) > 1 else out[0])
            np.testing.assert_equal(got, want)
            results = [r for r in (got if isinstance(got, tuple) else (got,)) if not isinstance(r, float)]
            assert all(r is o for r, o in zip(results, out))
            at = next(i for i, o in enumerate(out) if o is not None)
            shape = out[at].shape
            for wrong in (np.full(shape, 99, "f4" if dtype == np.float64 else "f8"), np.full((*shape, 2), 99, dtype), 3.0,
                          np.full((*shape, 2), 99, dtype)[..., 0]):  # fmt: skip
                given = tuple(wrong if i == at else o for i, o in enumerate(out))
                with pytest.raises((ValueError, TypeError), match=f"{name}: out"):
                    case.call(kernels, name, arguments, out=given if len(out) > 1 else wrong)
                assert np.all(np.asarray(wrong) == (3.0 if isinstance(wrong, float) else 99))
