"""Ten thousand calls of every kernel, and as many that it refuses, leave nothing behind."""

import numpy as np
import pytest
from leaks import in_turn, leaves_nothing, needs_counters, refusing

import fastopt
from fastopt import backend, kernels
from fastopt.testing import CASES
from fastopt.testing.case import Update
from fastopt.testing.recurrent import Recurrent

pytestmark = needs_counters
TINY = {"B": 2, "T": 2, "I": 3, "H": 4, "P": 2}


@pytest.fixture(params=[300, pytest.param(10_000, marks=pytest.mark.slow)])
def calls(request, compiled):
    return request.param


def drawn(name, dtype, rng):
    """[(options, arrays)] of every variant of a kernel, tiny."""
    case = CASES[name]
    size = (3,) if isinstance(case, Update) else TINY if isinstance(case, Recurrent) else case._grid(3)[-1]
    return [(options, case.draw(rng, size, dtype, options)) for options in case.options()]


def call_of(name, options, arrays):
    """() -> what the kernel returns; a backward pass over sequences comes behind its forward pass."""
    arguments, kernel = options | arrays, getattr(kernels, name)
    if not (isinstance(CASES[name], Recurrent) and name.endswith("_backward")):
        return lambda: kernel(**arguments)
    forward = getattr(kernels, name.replace("backward", "forward"))
    slopes = {key: arguments.pop(key) for key in ("dy", "dh_n", "dc_n", "need") if key in arguments}
    return lambda: kernel(**slopes, saved=forward(**arguments)[-1])


def with_gaps(a):
    return np.repeat(a, 2, -1)[..., ::2] if isinstance(a, np.ndarray) and a.ndim else a


@pytest.mark.parametrize("name", CASES)
def test_kernels(name, calls, rng):
    """Every variant, contiguous and with gaps."""
    variants = [(options, {key: arrange(a) for key, a in arrays.items()})
                for options, arrays in drawn(name, np.float32, rng) for arrange in (lambda a: a, with_gaps)]  # fmt: skip
    leaves_nothing(in_turn([call_of(name, *v) for v in variants]), [a for _, arrays in variants for a in arrays.values()], calls)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_kernels_in_threads(name, cut, compiled, rng):
    """Cut among three threads, fewer calls."""
    cut(3)
    options, arrays = drawn(name, np.float64, rng)[0]
    leaves_nothing(call_of(name, options, arrays), arrays.values(), 100)


WRONG = (  # in place of an array
    lambda a: a.tolist(),
    lambda a: a.astype("i4" if a.dtype.kind == "f" else "f4"),
    lambda a: a.astype("f2" if a.dtype.kind == "f" else "c8"),
    lambda a: a.astype("f8" if a.dtype.kind == "f" else "M8[s]"),
    lambda a: np.concatenate([a, a], -1),
    lambda a: np.stack([a, a])[None, None],
    lambda a: a.astype(a.dtype.newbyteorder()) if a.dtype.kind == "f" else a.astype(object) * 0.5,
)


def wrong_calls(name, rng):
    """[(call, the wrong array)]: each array of a kernel wrong in each way, where that is wrong."""
    options, arrays = drawn(name, np.float32, rng)[0]
    for key, array in arrays.items():
        for make in WRONG if array is not None else ():
            wrong = make(array)
            call = call_of(name, options, arrays | {key: wrong})
            try:
                call()
            except (TypeError, ValueError):
                yield call, wrong


@pytest.mark.parametrize("name", CASES)
def test_refusals(name, calls, rng):
    wrong = list(wrong_calls(name, rng))
    assert len(wrong) >= 4
    leaves_nothing(in_turn([refusing(call) for call, _ in wrong]), [array for _, array in wrong], calls)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not isinstance(case, Update)])
def test_out(name, calls, rng):
    """Places for results that do not fit, and arguments that there are not."""
    options, arrays = drawn(name, np.float32, rng)[0]
    bad = np.zeros((2, 3, 5, 7))
    wrong = [call_of(name, options, arrays | more) for more in (dict(no_such=1), dict(out=bad), dict(out=(bad,) * 9), dict(out=""))]
    if name.endswith("_backward") and isinstance(CASES[name], Recurrent):  # they would go to the forward pass
        wrong += [lambda: getattr(kernels, name)(None, None, saved=None)]
    leaves_nothing(in_turn([refusing(call) for call in wrong]), [bad, *arrays.values()], calls)


def test_packed(calls, rng):
    a, b = (rng.standard_normal((3, 3)) for _ in "ab")
    other = kernels.Packed(b.astype("f4"))
    out = np.empty((3, 3))
    leaves_nothing(in_turn([
        lambda: kernels.Packed(b),
        lambda: kernels.gemm(a, kernels.Packed(b, transpose=True)),
        lambda: kernels.gemm(a, b, out=out, accumulate=True),
        refusing(lambda: kernels.Packed(b[0])),
        refusing(lambda: kernels.gemm(a, other)),
        refusing(lambda: kernels.gemm(a, b, out=a)),
    ]), [a, b, out], calls)  # fmt: skip


def test_dense_passes(calls, rng):
    x, kernel, dy, bias = (rng.standard_normal(shape) for shape in ((4, 3), (3, 2), (4, 2), (2,)))
    y, out = np.empty((4, 2)), (np.empty((4, 3)), np.empty((3, 2)), None)
    kept = backend.core.DensePasses("tanh", None, y, None)

    def passes(layer):
        for _ in range(2):
            layer.forward(x, kernel, bias)
            layer.backward(dy, x, kernel, out, False)

    leaves_nothing(in_turn([
        lambda: passes(kept),
        lambda: passes(backend.core.DensePasses("tanh", None, y, None)),
        refusing(lambda: kept.forward(dy, kernel, bias)),
        refusing(lambda: kept.backward(x, x, kernel, out, False)),
    ]), [x, kernel, dy, bias, y, *out[:2]], calls)  # fmt: skip


def test_settings(calls, cut):
    cut(2)  # restores
    core, isa = backend.core, backend.core.isa()

    def with_three():
        with fastopt.num_threads(3):
            pass

    leaves_nothing(in_turn([
        lambda: fastopt.set_num_threads(2), fastopt.get_num_threads, with_three,
        core.isa, core.isas, lambda: core.use_isa(isa), core.optimizers, core.activations, core.region_nanoseconds,
        refusing(lambda: fastopt.set_num_threads(0)), refusing(lambda: fastopt.set_num_threads("2")),
        refusing(lambda: core.use_isa("no such")),
    ]), [], calls)  # fmt: skip
