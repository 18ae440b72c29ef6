"""Every kernel against fences: no byte beside an array is touched, on any CPU target, at lengths about every vector edge.

Each array of a call, arguments, states and results, ends where a page begins that may not be touched, or begins where one ends;
NaN lies on its other side. What the call leaves in them has to be, to the bit, what it leaves in arrays of NumPy's. A kernel that
reads or writes beyond is a crash of the interpreter: `pytest -v` names the test that ran.
"""

import inspect

import numpy as np
import pytest
from fenced import Fields
from tiles import lanes_of

import fastopt
from fastopt import kernels, reference
from fastopt.kernels import ASKED_BY
from fastopt.optim.optimizer import Optimizer
from fastopt.optim.rules import RULES
from fastopt.testing import CASES
from fastopt.testing.case import Update
from fastopt.testing.recurrent import Recurrent

DTYPES = (np.float32, np.float64)
SIDES = ("before", "behind")


@pytest.fixture(scope="module")
def fields():
    return Fields(1 << 20)


def edges(lanes):
    return sorted({0, 1, 2, lanes - 1, lanes, lanes + 1, 2 * lanes - 1, 2 * lanes + 1, 4 * lanes + 3})


def sizes_of(case, lanes):
    """Every edge along each axis, the others short."""
    if isinstance(case, Update):
        return [(n,) for n in edges(lanes)] + [(3, lanes + 1), (1025,)]
    if isinstance(case, Recurrent):
        usual = dict(B=3, T=2, I=3, H=5, P=4)
        batches = [usual | {"B": n, "H": h} for n in (0, 1, 7, 8, 17) for h in (4, lanes + 1)]
        return [usual | {x: n} for x in "IHP" for n in edges(lanes)[1:]] + [usual | {"T": n} for n in (0, 1, 5)] + batches
    letters = dict.fromkeys("".join(axes for axes, _ in case.arrays.values()))
    usual = [{x: case.sizes_of.get(x, (n,))[-1] for x in letters} for n in (1, 3)]
    return [u | {x: n} for u in usual for x in letters for n in case.sizes_of.get(x, edges(lanes)) if n or x not in case.nonempty]


def flags_of(case, name):
    """What a call may be asked beside the case's options."""
    known = [] if isinstance(case, Update) else inspect.signature(getattr(reference, name)).parameters
    return [{}] + [{flag: True} for flag in ("accumulate", "overwrite_dy", "rows") if flag in known]


def arguments_of(case, name, rng, size, dtype, options, flags):
    """The arrays of a call, None where there is none, and the rest of its arguments."""
    arrays = case.draw(rng, size, dtype, options)
    if flags.get("rows"):
        arrays["rows"], flags = np.full(size["B"], 5, dtype), {}
    return arrays, {key: value for key, value in options.items() if key not in arrays} | flags


def left(case, name, arrays, rest, place):
    """Everything that a call leaves in memory, all of it where `place` puts it."""
    arrays = {n: place(a) if isinstance(a, np.ndarray) else a for n, a in arrays.items()}
    if isinstance(case, Update):
        getattr(kernels, name)(**arrays, **rest)
        return list(arrays.values())
    asked = {key: value for key, value in rest.items() if key not in ("accumulate", "overwrite_dy")}
    fresh = case.call(kernels, name, arrays | asked)
    fresh = [r for r in (fresh if isinstance(fresh, tuple) else (fresh,)) if not isinstance(r, float)]  # a loss's value
    out = tuple(None if r is None else place(np.full_like(r, 5)) for r in fresh)
    case.call(kernels, name, arrays | rest, out=out if len(out) > 1 else out[0])
    return [*arrays.values(), *out]


def same(got, want):
    """The same bits; what is no array is the same object."""
    return all(g.tobytes() == w.tobytes() if isinstance(w, np.ndarray) else g is w for g, w in zip(got, want, strict=True))


def spread(calls, sizes, count):
    """About `count` pairs of a call and a size, in which each call and each size is, the sizes shared out among the calls."""
    every = min(max(1, len(calls) * len(sizes) // count), len(calls), len(sizes))
    return [(call, size) for i, call in enumerate(calls) for size in sizes[i % every :: every]]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("count", "threads"), [(100, 1), *(pytest.param(10**6, n, marks=pytest.mark.slow) for n in (1, 3))])
def test_kernels(count, threads, name, dtype, side, isa, rng, fields, cut):
    case = CASES[name]
    calls = [(options, flags) for options in case.options() for flags in flags_of(case, name)]
    cut(threads)
    for (options, flags), size in spread(calls, sizes_of(case, lanes_of(isa, dtype)), count):
        arrays, rest = arguments_of(case, name, rng, size, dtype, options, flags)
        want = left(case, name, arrays, rest, np.copy)
        got = left(case, name, arrays, rest, lambda a: fields.place(a, side))
        assert same(got, want), (size, options, flags)
        assert fields.clear(), (size, options, flags)


@pytest.fixture
def states_at_fences(monkeypatch, fields):
    """states_at_fences(side): the states and averages that optimizers make from now on lie at fences."""
    make = Optimizer._make

    def use(side):
        def _make(self, i, name):
            array = fields.place(make(self, i, name), side)
            if name == "ema":
                self._averages[i] = array
            else:
                self._states[i][name] = array
            self._stepper.attach(i, self._slot(name), array)
            return array

        monkeypatch.setattr(Optimizer, "_make", _make)

    return use


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RULES)
def test_steps(name, dtype, side, isa, rng, fields, cut, states_at_fences):
    """The whole step with all its options and states, about the edges of vectors, buffers and chunks, contiguous and not."""
    sizes = [*edges(lanes_of(isa, dtype)), 1023, 1025, 8191, 8193]
    params, *grads = ([rng.normal(0, 1, n).astype(dtype) for n in sizes] for _ in range(4))
    optimizer = getattr(fastopt, name)
    asked = {"momentum": 0.5, "centered": True, "amsgrad": True}
    options = {option: asked[option] for option in ASKED_BY.values() if option in optimizer.arguments.parameters}

    def trained(place):
        given = [place(p, i) for i, p in enumerate(params)]
        opt = optimizer(given, **options, ema=0.5)
        for t, some in enumerate(grads):
            opt.step([place(g, i + t) for i, g in enumerate(some)], grad_scale=2.0, clip_value=1.5, clip_norm=3.0)
        return [*given, *opt.ema(), *(a for state in opt._states for a in state.values()), np.array(opt.last_step.grad_norm)]

    want = trained(lambda a, i: a.copy())
    states_at_fences(side)
    for strides in ([None], [(2,), (-1,), None, (-3,)]):
        cut(1 if strides == [None] else 3)
        assert same(trained(lambda a, i: fields.place(a, side, strides[i % len(strides)])), want)  # noqa: B023
        assert fields.clear()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_packed(dtype, side, isa, rng, fields):
    """A matrix is packed from where it lies; what has been packed meets a and c at fences."""
    lanes = lanes_of(isa, dtype)
    for m, n, k in [(1, lanes + 1, 5), (7, 2 * lanes - 1, lanes + 1), (40, 4 * lanes + 3, 3), (3, 1, 1), (2, 0, 3), (2, 3, 0)]:
        a, b = rng.normal(0, 1, (m, k)).astype(dtype), rng.normal(0, 1, (k, n)).astype(dtype)
        want = kernels.gemm(a, kernels.Packed(b))
        for strides in [None, (1, k), (2 * n, 2), (-n, -1)]:
            packed = kernels.Packed(fields.place(b, side, strides))
            out = fields.place(np.full((m, n), 5, dtype), side)
            kernels.gemm(fields.place(a, side), packed, out=out)
            assert same([out], [want])
            assert fields.clear()
