"""Whatever the shape, strides, alignment, dtype and values: a step, and every kernel, does what the definition says, and nothing
beside it.

The compiled step is held to fastopt.reference on contiguous float64 copies, one step at a time; the reference has a judge of
its own (test_reference.py). SGD and Adam are held to formulas written here as well. Runs are derandomized: a failure repeats.
"""

import inspect
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastopt
from fastopt import kernels, reference
from fastopt.testing import CASES
from fastopt.testing.case import Update
from fastopt.testing.recurrent import Recurrent

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


# ---- every kernel, through its case


def passed_through(case, change):
    """The case, whose floats go through change(array, rng) as they are drawn."""

    def changed(make):
        def drawn(rng, shape):
            array = make(rng, shape)
            return change(array, rng) if np.asarray(array).dtype.kind == "f" else array

        return make and drawn

    arrays = {n: changed(a) if callable(a) else (a[0], changed(a[1])) for n, a in case.arrays.items()}
    forward = {"forward": passed_through(case.forward, change)} if getattr(case, "forward", None) else {}
    return replace(case, arrays=arrays, **forward)


@st.composite
def calls(draw):
    """A kernel, a dtype, options, sizes, a seed."""
    name = draw(st.sampled_from(list(CASES)))
    case, lengths = CASES[name], [0, 1, 1, 2, 3, 5, 8, 9, 17, 31, 33]
    if isinstance(case, Update):
        sizes = draw(shapes)
    elif isinstance(case, Recurrent):
        sizes = {x: draw(st.sampled_from(lengths if x in "BT" else lengths[1:])) for x in "BTIHP"}
    else:
        letters = dict.fromkeys("".join(axes for axes, _ in case.arrays.values()))
        sizes = {x: draw(st.sampled_from(case.sizes_of.get(x) or lengths[x in case.nonempty :])) for x in letters}
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return name, dtype, draw(st.sampled_from(case.options())), sizes, draw(st.integers(0, 2**32 - 1))


def constant_along(axis):
    """For passed_through: the same numbers again and again along an axis, where there is one."""

    def change(array, rng):
        return np.repeat(array.take([0], axis), array.shape[axis], axis) if 0 <= axis < array.ndim and array.size else array

    return change


@EXAMPLES
@given(calls(), st.integers(-1, 2), st.data())
def test_kernels_agree_with_the_definition(call, axis, data):
    """Arrays of any strides, 0 and negative ones among them, at any alignment, read-only where they are only read."""
    name, dtype, options, sizes, seed = call
    case, placed = CASES[name], []
    if not isinstance(case, Update):
        case = passed_through(case, constant_along(axis))

    def arrange(array):
        again = [n > 1 and not isinstance(case, Update) and (array == array.take([0], i)).all() for i, n in enumerate(array.shape)]
        once = array[tuple(slice(0, 1) if same else slice(None) for same in again)]
        placed.append(Placed(once.shape, array.dtype, data.draw(layouts(once.shape))))
        placed[-1].view[...] = once
        if isinstance(case, Update):
            return placed[-1].view
        view = np.broadcast_to(placed[-1].view, array.shape)
        view.flags.writeable = not any(again) and data.draw(st.booleans())
        return view

    assert not case.compare(name, np.random.default_rng(seed), sizes, dtype, options, arrange)
    assert all(p.beside_is_untouched() for p in placed)


def results(case, module, name, arrays, options):
    """The results of a kernel, or what it leaves in its arguments."""
    arrays = {n: np.copy(a) if isinstance(a, np.ndarray) else a for n, a in arrays.items()}
    with np.errstate(all="ignore"):
        if isinstance(case, Update):
            getattr(module, name)(**arrays, **options)
            return [a for a in arrays.values() if a is not None]
        got = case.call(module, name, arrays | {key: value for key, value in options.items() if key not in arrays})
    return [np.asarray(r) for r in (got if isinstance(got, tuple) else (got,)) if r is not None]


@EXAMPLES
@given(calls(), st.data())
def test_special_values_in_kernels(call, data):
    """NaN and infinities stand where the definition has them, in this dtype and in float64: where those differ, something between
    overflowed, or vanished, and how is not promised. The weights of a loss are numbers, as are the operands of a recurrent layer,
    infinity times the zeros of a tile's padding being NaN.
    """
    name, dtype, options, sizes, seed = call
    case = CASES[name]
    some = [x for x in SPECIAL[dtype] if not (isinstance(case, Recurrent) and abs(x) > 3)]
    values = data.draw(st.lists(st.sampled_from(some), min_size=1, max_size=3))

    def season(array, rng):
        array = np.array(array)
        for value in values:
            if array.size and rng.random() < 0.7:
                array.flat[rng.integers(array.size)] = value
        return array

    with np.errstate(all="ignore"):
        arrays = passed_through(case, season).draw(np.random.default_rng(seed), sizes, dtype, options)
        if arrays.get("weight") is not None:
            arrays["weight"] = case.draw(np.random.default_rng(seed), sizes, dtype, options)["weight"]
    double = {n: a.astype(np.float64) if getattr(a, "dtype", None) == dtype else a for n, a in arrays.items()}
    got, want = results(case, kernels, name, arrays, options), results(case, reference, name, arrays, options)
    with np.errstate(all="ignore"):
        wide = [w.astype(dtype) for w in results(case, reference, name, double, options)]
    for r, w, v in zip(got, want, wide, strict=True):
        off = (kinds(r) != kinds(w)) & (kinds(w) == kinds(v))
        assert not off.any(), (name, options, r[off], w[off], arrays)


def misaligned(array):
    """The array one byte behind where it could be read at once."""
    bytes_ = np.zeros(array.nbytes + 16, np.uint8)
    view = bytes_[1 : 1 + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def locked(array):
    array = array.copy()
    array.flags.writeable = False
    return array


WRONG = {  # of an array that is read
    "misaligned": misaligned,
    "byte-swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "half": lambda a: a.astype(np.float16),
    "integer": lambda a: a.astype(np.int64),
    "list": lambda a: a.tolist(),
    "record": lambda a: np.zeros(a.shape, [("x", a.dtype)]),
}
WRITTEN = {  # of one that is written
    "read-only": locked,
    "misaligned": misaligned,
    "every second": lambda a: np.repeat(a, 2, -1)[..., ::2],
    "half": WRONG["half"],
    "longer": lambda a: np.concatenate([a, a[..., :1]], -1),
}


SHAPE_ALONE = {("embedding_backward", "embeddings")}  # whose numbers are not read


def bits(arrays):
    return [a.tobytes() for a in arrays if isinstance(a, np.ndarray)]


def refuses(call, name, arrays):
    """call() is refused by a message that names the kernel, and leaves every array as it was."""
    before = bits(arrays)
    with pytest.raises((TypeError, ValueError), match=name.replace("_backward", "_(for|back)ward")):
        call()
    assert bits(arrays) == before


@EXAMPLES
@given(calls(), st.data())
def test_kernels_refuse(call, data):
    """Arrays that a kernel cannot read or write where they lie, and results over what is still read: refused, nothing changed."""
    name, dtype, options, sizes, seed = call
    case = CASES[name]
    arrays = case.draw(np.random.default_rng(seed), sizes, dtype, options)
    rest = {key: value for key, value in options.items() if key not in arrays}
    floats = [n for n, a in arrays.items() if isinstance(a, np.ndarray) and a.dtype == dtype and a.size and a.ndim]
    if not floats:
        return
    at, kind = data.draw(st.sampled_from(floats)), data.draw(st.sampled_from(list(WRONG)))
    wrong = arrays | {at: WRONG[kind](arrays[at])}
    if isinstance(case, Update):
        written = [n for n in floats if n not in case.read_only]
        refuses(lambda: getattr(kernels, name)(**wrong, **rest), name, wrong.values())
        at = data.draw(st.sampled_from(written))
        wrong = arrays | {at: locked(arrays[at])}
        refuses(lambda: getattr(kernels, name)(**wrong, **rest), name, wrong.values())
        other = data.draw(st.sampled_from([n for n in floats if n != at]))
        base = np.resize(arrays[at], arrays[at].size + 1)
        pair = {at: base[:-1].reshape(arrays[at].shape), other: base[1:].reshape(arrays[at].shape)}
        if arrays[at].size > 1:
            refuses(lambda: getattr(kernels, name)(**arrays | pair, **rest), name, [*arrays.values(), base])
        return
    refuses(lambda: case.call(kernels, name, wrong | rest), name, wrong.values())
    fresh = case.call(kernels, name, arrays | rest)
    fresh = [r for r in (fresh if isinstance(fresh, tuple) else (fresh,)) if not isinstance(r, float)]
    sized = [i for i, r in enumerate(fresh) if r is not None and r.size and r.ndim]
    if not sized:
        return

    def into(i, array, arguments=arrays):
        out = tuple(array if k == i else r for k, r in enumerate(fresh))
        base = () if not isinstance(array, np.ndarray) else (array if array.base is None else array.base,)
        refuses(lambda: case.call(kernels, name, arguments | rest, out=out if len(out) > 1 else array), name,
                [*arguments.values(), *(o for o in out if isinstance(o, np.ndarray)), *base])  # fmt: skip

    i, kind = data.draw(st.sampled_from(sized)), data.draw(st.sampled_from(list(WRITTEN)))
    bad = WRITTEN[kind](fresh[i])
    if not (bad.flags.c_contiguous and kind == "every second"):
        into(i, bad)
    alike = [n for n in floats if arrays[n].size == fresh[i].size > 1 and (name, n) not in SHAPE_ALONE]
    if alike:
        at = data.draw(st.sampled_from(alike))
        base = np.resize(arrays[at], arrays[at].size + 1)
        into(i, base[1:].reshape(fresh[i].shape), arrays | {at: base[:-1].reshape(arrays[at].shape)})
