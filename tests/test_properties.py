"""Whatever the shape, strides, alignment, dtype, optimizer and values: a step does what the definition says, and nothing beside it.

The compiled step is held to fastopt.reference on contiguous float64 copies, one step at a time; the reference has a judge of
its own (test_reference.py). SGD and Adam are held to formulas written here as well. Runs are derandomized: a failure repeats.
"""

import inspect

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastopt
from fastopt import reference

pytestmark = pytest.mark.usefixtures("compiled")

OPTIMIZERS = {  # name: options; rates so large that a mistake shows
    "SGD": {"lr": 0.5, "momentum": 0.9, "dampening": 0.25},
    "Adagrad": {"lr": 0.5, "lr_decay": 0.25, "weight_decay": 0.1},
    "RMSprop": {"lr": 0.1, "momentum": 0.5, "alpha": 0.75},
    "Adadelta": {"rho": 0.5, "eps": 0.01},
    "Adam": {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1},
    "AdamW": {"lr": 0.1, "betas": (0.5, 0.75), "maximize": True},
    "Adamax": {"lr": 0.1, "betas": (0.5, 0.75)},
    "NAdam": {"lr": 0.1},
    "RAdam": {"lr": 0.1, "betas": (0.9, 0.75)},
    "Lion": {"lr": 0.1, "weight_decay": 0.1},
    "Rprop": {"lr": 0.25},
}
ULP = 64  # units in the last place of the larger of before, after and 0.01; CASES has tight bounds, on inputs that do not cancel
CANARY = 171
EXAMPLES = settings(
    max_examples=250, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def layouts(draw, shape):
    """How an array of a shape lies: a step and a lead per axis, the order of the axes, elements behind a 64-byte boundary."""
    axes = len(shape)
    steps = draw(st.tuples(*[st.sampled_from([1, 1, 1, 2, -1, -3])] * axes))
    leads = draw(st.tuples(*[st.integers(0, 2)] * axes))
    return steps, leads, draw(st.permutations(range(axes))), draw(st.integers(0, 17))


shapes = st.one_of(
    st.lists(st.sampled_from([0, 1, 1, 2, 3, 4, 5, 7, 9]), max_size=4),
    st.lists(st.sampled_from([1, 16, 31, 33, 65]), min_size=1, max_size=2),
    st.sampled_from([[1023], [1025], [8193], [3, 2731], [2, 1, 4097]]),  # about the sizes of the step's chunks and buffers
).map(tuple)


def arranged(flat, shape, layout):
    """A view of a flat array, in the layout; flat None: how many elements that takes."""
    steps, leads, order, _ = layout
    spread = [abs(step) * n + lead for n, step, lead in zip(shape, steps, leads)]
    if flat is None:
        return int(np.prod(spread))
    view = flat.reshape([spread[axis] for axis in order]).transpose(np.argsort(order).astype(int))
    cuts = (slice(lead, lead + abs(step) * n, abs(step)) for n, step, lead in zip(shape, steps, leads))
    return view[(*cuts, ...)][(*(slice(None, None, -1 if step < 0 else 1) for step in steps), ...)]


class Placed:
    """An array of a shape in a layout, amid bytes that must not change."""

    def __init__(self, shape, dtype, layout):
        size, count = np.dtype(dtype).itemsize, arranged(None, shape, layout)
        self.bytes = np.full(count * size + 256, CANARY, np.uint8)
        start = -self.bytes.ctypes.data % 64 + (1 + layout[-1]) * size
        inside = slice(start, start + count * size)
        self.view = arranged(self.bytes[inside].view(dtype), shape, layout)
        assert self.view.shape == shape
        self.outside = np.ones(self.bytes.size, bool)
        self.outside[inside].reshape(count, size)[arranged(np.arange(count), shape, layout)] = False

    def beside_is_untouched(self):
        return (self.bytes[self.outside] == CANARY).all()


@st.composite
def cases(draw, names=tuple(OPTIMIZERS)):
    shape = draw(shapes)
    name, dtype = draw(st.sampled_from(names)), draw(st.sampled_from([np.float32, np.float64]))
    return name, dtype, shape, draw(layouts(shape)), draw(layouts(shape)), draw(st.integers(0, 2**32 - 1))


def define(opt, t, param, grad, states, product, dtype=np.float64, **scaling):
    """One step by the definition, on copies: param, states, NAdam's product."""
    kernel = getattr(reference, opt.rule.kernel)
    known = inspect.signature(kernel).parameters
    options = {name: value for name, value in opt.param_groups[0].items() if name in known} | scaling
    if "mu_product" in known:
        options["mu_product"] = product
        product *= 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004))
    param, grad, states = np.array(param, dtype), np.array(grad, dtype), {n: np.array(a, dtype) for n, a in states.items()}
    with np.errstate(all="ignore"):
        kernel(param, grad, **states, step=t, **options)
    return param, states, product


def states_of(opt, param):
    """The arrays of the state; a momentum that has not begun is zero."""
    given = {n: a for n, a in opt.state_dict()["state"][0].items() if isinstance(a, np.ndarray)}
    if opt.rule.kernel == "sgd" and opt.param_groups[0]["momentum"] and not given:
        given["momentum_buffer"] = np.zeros(param.shape, param.dtype)
    return given


def agree(name, got, want, before):
    unit = np.finfo(got.dtype).eps * np.maximum(np.maximum(np.abs(before.astype(np.float64)), np.abs(want)), 0.01)
    off = np.abs(got - want) > ULP * unit
    assert not off.any(), f"{name}: {got[off][0]!r}, expected {want[off][0]!r}"


@EXAMPLES
@given(cases())
def test_steps_agree_with_the_definition(case):
    name, dtype, shape, layout, grad_layout, seed = case
    rng = np.random.default_rng(seed)
    param, grad = Placed(shape, dtype, layout), Placed(shape, dtype, grad_layout)
    param.view[...] = rng.normal(size=shape)
    opt, product = getattr(fastopt, name)([param.view], **OPTIMIZERS[name]), 1.0
    for t in range(1, 4):
        grad.view[...] = rng.normal(size=shape)
        kept, before, states = grad.bytes.copy(), param.view.copy(), states_of(opt, param.view)
        opt.step([grad.view], grad_scale=2.0, clip_value=0.75)
        want, wanted, product = define(opt, t, before, grad.view, states, product, grad_scale=2.0, clip_value=0.75)
        agree("param", param.view, want, before)
        for n, array in states_of(opt, param.view).items():
            agree(n, array, wanted[n], states[n])
        assert param.beside_is_untouched()
        assert (grad.bytes == kept).all()


@EXAMPLES
@given(cases(names=("SGD", "Adam")), st.booleans())
def test_sgd_and_adam_agree_with_formulas(case, fortran):
    name, dtype, shape, layout, grad_layout, seed = case
    rng = np.random.default_rng(seed)
    param, grad = Placed(shape, dtype, layout), Placed(shape, dtype, grad_layout)
    param.view[...] = rng.uniform(1, 2, shape)
    p, m, v = param.view.astype(np.float64), 0.0, 0.0
    opt = getattr(fastopt, name)([param.view], lr=0.125)
    for t in range(1, 4):
        grad.view[...] = rng.normal(size=shape)
        g = grad.view.astype(np.float64)
        opt.step([np.array(grad.view, order="F")] if fortran else [grad.view])
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        p = p - 0.125 * (g if name == "SGD" else m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8))
    np.testing.assert_allclose(param.view, p, rtol=32 * np.finfo(dtype).eps, atol=32 * np.finfo(dtype).eps)
    assert param.beside_is_untouched()


SPECIAL = {  # besides the largest number
    np.float32: [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-40, 1.2e-38, 1.0, -1.0, 3.0, 1e18],
    np.float64: [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -1e-310, 2.3e-308, 1.0, -1.0, 3.0, 1e150],
}


def kinds(a):
    """1, -1 for infinities, 2 for NaN, else 0."""
    return np.where(np.isnan(a), 2, np.where(np.isinf(a), np.sign(a), 0))


@EXAMPLES
@given(st.sampled_from(list(OPTIMIZERS)), st.sampled_from([np.float32, np.float64]), st.data())
def test_special_values_stay_what_the_definition_makes_of_them(name, dtype, data):
    """NaN and infinities stand where the definition, in the same dtype, has them: in parameters and in states."""
    n = data.draw(st.integers(1, 40))
    largest = float(np.finfo(dtype).max) / (16 if name == "NAdam" else 1)  # its sum of two terms depends on where lr stands
    values = st.lists(st.sampled_from([*SPECIAL[dtype], largest, -largest]), min_size=n, max_size=n)
    param = np.array(data.draw(values), dtype)
    options = data.draw(st.sampled_from([{}, {"clip_value": 2.0}, {"grad_scale": 2.0}]))
    opt, product = getattr(fastopt, name)([param], **OPTIMIZERS[name]), 1.0
    for t in (1, 2, 3):
        grad, before, states = np.array(data.draw(values), dtype), param.copy(), states_of(opt, param)
        opt.step([grad], **options)
        want, wanted, product = define(opt, t, before, grad, states, product, dtype=dtype, **options)
        assert kinds(param).tolist() == kinds(want).tolist(), (before, grad, states)
        for s, array in states_of(opt, param).items():
            assert kinds(array).tolist() == kinds(wanted[s]).tolist(), (s, before, grad, states)


@EXAMPLES
@given(st.sampled_from([np.float32, np.float64]), st.data())
def test_norm_and_finite_check_see_every_element(dtype, data):
    """One value that is not finite is found wherever it stands; without one the norm is that of the numbers."""
    shape = data.draw(shapes.filter(lambda s: 0 not in s))
    grad = Placed(shape, dtype, data.draw(layouts(shape)))
    grad.view[...] = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=shape)
    param = np.zeros(shape, dtype, order=data.draw(st.sampled_from("CF")))
    opt = fastopt.SGD([param], lr=1.0)
    opt.step([grad.view], skip_nonfinite=True)
    norm = float(np.sqrt(np.sum(np.square(grad.view, dtype=np.float64))))
    assert opt.last_step == (pytest.approx(norm, rel=1e-12), False, None)
    assert (param == -grad.view).all()
    at = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    grad.view[at] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    opt.step([grad.view], skip_nonfinite=True)
    assert opt.last_step[1:] == (True, (0, at))
    grad.view[at] = -param[at]
    assert (param == -grad.view).all()


tensors = st.lists(st.tuples(shapes, st.sampled_from([np.float32, np.float64]), st.booleans()), min_size=1, max_size=12)


@settings(EXAMPLES, max_examples=60)
@given(tensors, st.sampled_from([1, 2, 3, 5]))
def test_many_tensors_step_like_each_alone(compiled, tensors, threads):
    """Cut among threads, with some skipped: the bits are those of single-threaded optimizers of one tensor each."""
    rng = np.random.default_rng(len(tensors))
    params = [np.asarray(rng.normal(size=shape)).astype(dtype) for shape, dtype, _ in tensors]
    grads = [np.asarray(rng.normal(size=p.shape)).astype(p.dtype) if used else None for p, (_, _, used) in zip(params, tensors)]
    alone = [p.copy() for p in params]
    try:
        compiled.force_threads(threads > 1)
        with fastopt.num_threads(threads):
            opt = fastopt.Adam(params, lr=0.1, ema=0.5)
            for _ in range(2):
                opt.step(grads)
    finally:
        compiled.force_threads(False)
    with fastopt.num_threads(1):
        for p, q, g in zip(params, alone, grads):
            single = fastopt.Adam(q, lr=0.1)
            for _ in range(2):
                single.step(g)
            assert p.tobytes() == q.tobytes()
