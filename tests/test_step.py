"""What one step does to which memory: forms, strides, order of clipping, skipping, averages, options changed on the way.

Expectations are literals that are exact in binary, or NumPy lines written here (`adam`); nothing comes from the library.
"""

import math

import numpy as np
import pytest
from snapshots import frozen

import fastopt
from fastopt import SGD, Adam

INF, NAN = math.inf, math.nan


def ones(*shape):
    return np.ones(shape)


def adam(p, grads, lr=0.1, b1=0.9, b2=0.999, eps=1e-8, decay=None):
    """Adam's parameter after these gradients, in float64; with `decay` the average of the parameter, too."""
    p = np.array(p, np.float64)
    average, m, v = p.copy(), 0.0, 0.0
    for t, g in enumerate(grads, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * np.square(g)
        p = p - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        average = average if decay is None else decay * average + (1 - decay) * p
    return p if decay is None else (p, average)


def close(got, want):
    tolerance = 4e-6 if got.dtype == np.float32 else 1e-13
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def snapshot(opt):
    return frozen([[group["params"] for group in opt.param_groups], opt.state_dict(), opt.steps])


# ---- forms: params, gradients and averages alike

FORMS = {  # name: (form around two arrays, learning rate of each where the default is 0.5)
    "array": (lambda a, b: a, (0.5, 0)),
    "list": (lambda a, b: [a, b], (0.5, 0.5)),
    "tuple": (lambda a, b: (a, b), (0.5, 0.5)),
    "dict": (lambda a, b: {"w": a, "b": b}, (0.5, 0.5)),
    "groups": (lambda a, b: [{"params": [a]}, {"params": (b,), "lr": 0.25}], (0.5, 0.25)),
    "group of an array": (lambda a, b: [{"params": a, "lr": 2.0}, {"params": b}], (2.0, 0.5)),
    "group of a dict": (lambda a, b: [{"params": {"w": a, "b": b}, "lr": 0.25}], (0.25, 0.25)),
    "generator": (lambda a, b: iter([a, b]), (0.5, 0.5)),
}


def gradients(form, a, b):
    made = form(a, b)
    return [group["params"] for group in made] if isinstance(made, list) and isinstance(made[0], dict) else made


@pytest.mark.parametrize("name", FORMS)
def test_forms(name):
    form, rates = FORMS[name]
    a, b = ones(2, 3), ones(4)
    opt = SGD(form(a, b), lr=0.5, ema=0.5)
    opt.step(gradients(form, np.full((2, 3), 4.0), np.full(4, 8.0)))
    assert (a == 1 - 4 * rates[0]).all()
    assert (b == 1 - 8 * rates[1]).all()
    want = gradients(form, np.full((2, 3), 1 - 2 * rates[0]), np.full(4, 1 - 4 * rates[1]))  # halfway to where each began
    assert frozen(opt.ema()) == frozen(list(want) if name == "generator" else want)


def test_dict_goes_by_name_not_by_order():
    a, b = ones(2), ones(2)
    SGD({"a": a, "b": b}, lr=1.0).step({"b": np.full(2, 4.0), "a": np.full(2, 2.0)})
    assert (a == -1).all()
    assert (b == -3).all()


@pytest.mark.parametrize("grads", [lambda a, b: (a, b), lambda a, b: iter([a, b]), lambda a, b: {1: a, 2: b}.values()])
def test_gradients_of_a_list_come_in_any_iterable(grads):
    a, b = ones(2), ones(3)
    SGD([a, b], lr=1.0).step(grads(2 * ones(2), 4 * ones(3)))
    assert (a == -1).all()
    assert (b == -3).all()


def test_group_options_are_the_groups_own():
    a, b, c = ones(1), ones(1), ones(1)
    opt = SGD([{"params": [a], "momentum": 0.5}, {"params": [b], "weight_decay": 0.25, "maximize": True}, {"params": [c]}], lr=1.0)
    for _ in range(2):
        opt.step([[ones(1)], [ones(1)], [ones(1)]])
    assert (a[0], c[0]) == (-1.5, -1.0)  # velocity 1, then 1.5
    assert b[0] == 1 - (-1 + 0.25) - (-1 + 0.25 * 1.75)


def test_none_skips_a_tensor_and_its_bias_correction_lags():
    a, b = ones(3), ones(3)
    opt = Adam([a, b], lr=0.1, ema=0.5)
    g = np.array([1.0, -2.0, 3.0])
    opt.step([g, None])
    assert (b == 1).all()
    assert opt.state_dict()["state"][1]["step"] == 0
    opt.step([None, g])
    opt.step([2 * g, -g])
    close(a, adam(ones(3), [g, 2 * g]))
    close(b, adam(ones(3), [g, -g]))
    assert [opt.state_dict()["state"][i]["step"] for i in (0, 1)] == [2, 2]
    assert opt.steps == 3


@pytest.mark.parametrize(("like", "move"), [
    ("torch", 1), ("textbook", 0.1 / math.sqrt(0.001)),
    *((like, 0.1 / 0.19 * math.sqrt(0.001999 / 0.001)) for like in ("keras", "optax", "sklearn")),
])  # fmt: skip
def test_whose_steps_correct_the_bias_of_a_skipped_tensor(like, move):
    """torch counts the tensor's own steps, the others the optimizer's."""
    a, b = np.zeros(2), np.zeros(2)
    opt = Adam([a, b], lr=1.0, betas=(0.9, 0.999), eps=0.0, like=like)
    opt.step([ones(2), None])
    opt.step([ones(2), np.array([3.0, -5.0])])
    close(b, [-move, move])


def test_none_in_a_dict_an_array_and_a_group():
    a, b = ones(2), ones(2)
    SGD({"a": a, "b": b}, lr=1.0).step({"a": None, "b": ones(2)})
    SGD(a, lr=1.0).step(None)
    SGD([{"params": a}, {"params": {"x": b}}], lr=1.0).step([None, {"x": None}])
    assert (a == 1).all()
    assert (b == 0).all()


def test_both_dtypes_in_one_optimizer():
    a, b = np.full(5, 1, np.float32), ones(5)
    grads = [np.linspace(-1, 1, 5) * k for k in (1, 2, -3)]
    opt = Adam([a, b], lr=0.1)
    for g in grads:
        opt.step([g.astype(np.float32), g])
    close(a, adam(ones(5), [g.astype(np.float32).astype(np.float64) for g in grads]))
    close(b, adam(ones(5), grads))


# ---- strides

VIEWS = {  # of a (6, 40, 50) array; all of it that the view does not show must stay
    "contiguous": lambda b: b,
    "rows apart": lambda b: b[1:5, 2:37, 3:48],
    "every second": lambda b: b[:, :, ::2],
    "backwards": lambda b: b[::-1, ::-1, ::-1],
    "backwards apart": lambda b: b[::-2, ::3, ::-2],
    "fortran": lambda b: b.T,
    "transposed": lambda b: b.transpose(2, 0, 1),
    "transposed apart": lambda b: b.transpose(1, 2, 0)[::-2, 1:],
    "one column": lambda b: b[:, 7:8, 3],
    "axes of one": lambda b: b[2:3, :, 4:5],
    "new axes": lambda b: b[:, None, ::3, :, None],
    "diagonal": lambda b: np.einsum("iij->ij", b[:, :6]),
    "axes interleave": lambda b: np.lib.stride_tricks.as_strided(b, (3, 2), (2 * b.itemsize, 3 * b.itemsize)),
    "0-d": lambda b: b[1, 2, 3, ...],
    "one element": lambda b: b[1, 2, 3:4],
    "no rows": lambda b: b[:0],
    "no columns": lambda b: b[:, 3:3],
}


def spaced(g):
    base = np.full((*g.shape, 3), NAN, g.dtype)
    base[..., 1] = g
    return base[..., 1]


def locked(g):
    g = g.copy()
    g.flags.writeable = False
    return g


GRADIENTS = (  # the same numbers, laid out otherwise
    np.ascontiguousarray, np.asfortranarray, spaced, locked, lambda g: np.flip(np.flip(g).copy()), lambda g: g.T.copy().T,
)  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("view", VIEWS)
def test_updated_where_it_lies_and_nothing_beside_it(view, dtype, rng):
    base = rng.uniform(1, 2, (6, 40, 50)).astype(dtype)
    param, mask = VIEWS[view](base), np.zeros(base.shape, bool)
    VIEWS[view](mask)[...] = True
    began, before = base.copy(), param.copy()
    grads = [np.asarray(arrange(rng.normal(size=param.shape).astype(dtype))).reshape(param.shape) for arrange in GRADIENTS]
    kept = [g.copy() for g in grads]
    opt = Adam([param], lr=0.1, ema=0.75)
    for g in grads:
        opt.step([g])
    want, average = adam(before, [g.astype(np.float64) for g in kept], decay=0.75)
    close(param, want)
    close(opt.ema()[0], average)
    assert mask.sum() == param.size
    assert (base[~mask] == began[~mask]).all()
    assert all(g.tobytes() == k.tobytes() for g, k in zip(grads, kept)), "a gradient was modified"


@pytest.mark.parametrize("view", VIEWS)
def test_cut_among_threads_gives_the_same_bits(view, rng, cut):
    results, base, raw = [], rng.normal(size=(6, 40, 50)), rng.normal(size=(6, 40, 50))
    for threads in (1, 2, 5):
        cut(threads)
        mine = base.copy()
        opt = Adam([VIEWS[view](mine)], lr=0.1, ema=0.5, amsgrad=True)
        for k in range(3):
            opt.step([np.asarray(VIEWS[view](raw) - k)], clip_norm=1.0)
        results.append((mine.tobytes(), frozen(opt.state_dict())))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("shape", [(), (4,), (3, 5), (4, 0)])
def test_broadcast_gradients(shape):
    param = np.full(shape, 1.0)
    opt = SGD([param], lr=0.5)
    opt.step([np.broadcast_to(np.float64(3.0), shape)])
    assert (param == -0.5).all()
    if len(shape) == 2:
        opt.step([np.broadcast_to(np.arange(float(shape[1])), shape)])
        assert (param == -0.5 - np.arange(shape[1]) / 2).all()


def test_interleaved_views_of_one_array():
    base = np.arange(10.0)
    opt = SGD([base[::2], base[1::2]], lr=1.0, momentum=0.5)
    opt.step([np.full(5, 1.0), np.full(5, -1.0)])
    assert (base == np.arange(10) + np.tile([-1, 1], 5)).all()


def test_gradient_between_the_elements_of_a_parameter():
    base = np.tile([1.0, 4.0], 5)
    SGD([base[::2]], lr=0.5).step([base[1::2]])
    assert (base == np.tile([-1.0, 4.0], 5)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_arrays_agree_with_numpy_lines(dtype, rng):
    """Beyond the size from which on threads share the work."""
    start, grads = rng.uniform(1, 2, 300_007).astype(dtype), [rng.normal(size=300_007).astype(dtype) for _ in range(3)]
    p, q = start.copy(), start.copy()
    with fastopt.num_threads(2):
        one, two = Adam([p], lr=0.1), SGD([q[::-1]], lr=0.5)
        for g in grads:
            one.step([g])
            two.step([g])
    close(p, adam(start, [g.astype(np.float64) for g in grads]))
    close(q, start - 0.5 * np.sum(grads, axis=0, dtype=np.float64)[::-1])


# ---- grad_scale, clip_value, clip_norm


@pytest.mark.parametrize(("options", "want"), [
    ({}, [6, -20]),
    ({"grad_scale": 2}, [3, -10]),
    ({"clip_value": 4}, [4, -4]),
    ({"grad_scale": 2, "clip_value": 4}, [3, -4]),
    ({"grad_scale": 2, "clip_value": 4, "clip_norm": 2.5}, [1.5, -2]),
    ({"grad_scale": 2, "clip_value": 4, "clip_norm": 8}, [3, -4]),
])  # fmt: skip
def test_order_of_scale_value_norm(options, want):
    """Divided by 2, limited to 4, the gradient is (3, -4) with norm 5; in any other order it would be something else."""
    p = np.zeros(2)
    opt = SGD([p], lr=1.0, like="textbook")
    opt.step([np.array([6.0, -20.0])], **options)
    np.testing.assert_allclose(-p, want, rtol=1e-15)
    assert opt.last_step == (5.0 if "clip_norm" in options else None, False, None)


@pytest.mark.parametrize(("like", "grad", "norm", "want"), [
    ("torch", [3, 4], 1, [3 / 5.000001, 4 / 5.000001]),
    ("torch", [3, 4], 5, [3 * (5 / 5.000001), 4 * (5 / 5.000001)]),
    ("torch", [3, 4], 6, [3, 4]),
    ("torch", [3, INF], 1, [0, NAN]),
    ("torch", [3, NAN], 1, [NAN, NAN]),
    *((like, grad, norm, want) for like in ("optax", "sklearn", "textbook") for grad, norm, want in (
        ([3, 4], 1, [0.6, 0.8]), ([3, 4], 5, [3, 4]), ([3, 4], 6, [3, 4]), ([3, INF], 1, [0, NAN]), ([3, NAN], 1, [NAN, NAN]))),
    ("keras", [3, 4], 1, [0.6, 0.8]),
    ("keras", [3, 4], 6, [3, 4]),
    ("keras", [3, INF], 1, [NAN, NAN]),
    ("keras", [3, NAN], 1, [NAN, NAN]),
    *((like, [0, 0], 1, [0, 0]) for like in ("torch", "optax", "sklearn", "textbook", "keras")),
])  # fmt: skip
def test_clip_norm_as_each_preset_has_it(like, grad, norm, want):
    p = np.zeros(2)
    SGD([p], lr=1.0, momentum=0.0, nesterov=False, like=like).step([np.array(grad, float)], clip_norm=norm)
    np.testing.assert_allclose(-p, want, rtol=3e-16)


def test_norm_is_global():
    """Over tensors, groups, dtypes and strides, without those that are skipped; squares of float32 do not overflow."""
    a, b, c, d = np.zeros(4, np.float32)[::2], np.zeros((2, 2), order="F"), np.zeros(1), np.zeros(())
    opt = SGD([{"params": [a, b]}, {"params": {"c": c, "d": d}}], lr=1.0, like="textbook")
    opt.step([[np.full(2, 2, np.float32), np.full((2, 2), 2.0)], {"c": None, "d": np.array(1.0)}], clip_norm=1.0)
    assert opt.last_step.grad_norm == 5
    assert a[0] == np.float32(-0.4)
    assert (b == -0.4).all()
    assert c == 0
    assert d == -0.2
    opt.step([[np.full(2, 3e38, np.float32), None], {"c": None, "d": None}], clip_norm=1.0)
    assert opt.last_step.grad_norm == pytest.approx(math.sqrt(2) * float(np.float32(3e38)), rel=1e-14)


def test_norm_of_many_chunks(rng):
    grads = [rng.normal(size=n) for n in (1, 8191, 8192, 8193, 50_000)]
    opt = SGD([np.zeros(g.shape) for g in grads], lr=0.0)
    opt.step(grads, clip_norm=1e9)
    assert opt.last_step.grad_norm == pytest.approx(math.sqrt(math.fsum(x * x for g in grads for x in g)), rel=1e-14)


@pytest.mark.parametrize(("like", "factor"), [("torch", 1 / 5.000001), ("keras", 0.2), ("optax", 0.2), ("textbook", 0.2)])
def test_each_array_clipped_by_itself(like, factor):
    """Norms 5, 0.5, 0 and the one of an array that is skipped; the norm reported is that of all."""
    params = [np.zeros(2), np.zeros((2, 2), np.float32).T, np.zeros(1), np.zeros(3), np.zeros(())]
    grads = [np.array([3.0, -4.0]), np.full((2, 2), 0.25, np.float32), np.zeros(1), None, np.array(1.0)]
    opt = SGD(params, lr=1.0, momentum=0.0, like=like)
    opt.step(grads, clip_norm=1.0, clip_each=True)
    np.testing.assert_allclose(params[0], [-3 * factor, 4 * factor], rtol=3e-16)
    assert (params[1] == -0.25).all()
    assert params[2] == 0
    assert (params[3] == 0).all()
    assert params[4] == (-1 / 1.000001 if like == "torch" else -1)
    assert opt.last_step.grad_norm == math.sqrt(26.25)


def test_what_is_not_finite_stays_in_its_array():
    params = [np.zeros(2), np.zeros(2), np.zeros(2)]
    grads = [np.array([1.0, NAN]), np.array([3.0, 4.0]), np.array([1.0, INF])]
    SGD(params, lr=1.0, momentum=0.0, like="keras").step(grads, clip_norm=1.0, clip_each=True)
    np.testing.assert_array_equal(params, [[NAN, NAN], [-3 * 0.2, -4 * 0.2], [0, NAN]])


def test_each_array_of_many_chunks(rng):
    """Views and groups; the scale and the limit come first."""
    grads = [rng.normal(size=n) for n in (1, 8191, 16384, 8193, 50_000)]
    params = [np.zeros(2 * g.size)[::-2] for g in grads]
    opt = SGD([{"params": params[:2]}, {"params": params[2:], "lr": 2.0}], lr=1.0, like="textbook")
    opt.step([grads[:2], grads[2:]], clip_norm=3.0, clip_each=True, grad_scale=0.5, clip_value=2.5)
    for param, grad, rate in zip(params, grads, (1, 1, 2, 2, 2)):
        limited = np.clip(grad * 2, -2.5, 2.5)
        norm = math.sqrt(math.fsum(limited * limited))
        np.testing.assert_allclose(param, -rate * limited * min(1, 3 / norm), rtol=1e-14)


def test_weight_decay_comes_after_clipping():
    p, q = np.array([8.0]), np.array([8.0])
    SGD([p], lr=0.5, weight_decay=0.25).step([np.array([100.0])], clip_value=1.0)
    SGD([q], lr=0.5, weight_decay=0.25, decoupled_weight_decay=True, maximize=True).step([np.array([100.0])], clip_value=1.0)
    assert p[0] == 8 - 0.5 * (1 + 2)
    assert q[0] == 8 * (1 - 0.125) + 0.5


# ---- skip_nonfinite, last_step


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_bad_element_skips_the_whole_step(bad, dtype):
    params = [np.ones(3, dtype), np.ones((4, 5), dtype, order="F"), np.ones(20_000, dtype)[::2], np.ones((), dtype)]
    opt = Adam(params, lr=0.1, amsgrad=True, ema=0.5)
    good = [np.full(p.shape, 0.5, dtype) for p in params]
    opt.step(good)
    for i, where in ((0, (2,)), (1, (1, 3)), (2, (9_999,)), (2, (0,)), (3, ())):
        grads = [g.copy() for g in good]
        grads[i][where] = bad
        before = snapshot(opt)
        opt.step(grads, skip_nonfinite=True)
        assert opt.last_step[1:] == (True, (i, where))
        assert not math.isfinite(opt.last_step.grad_norm)
        assert snapshot(opt) == before
    opt.step(good, skip_nonfinite=True)
    assert opt.last_step == (pytest.approx(0.5 * math.sqrt(3 + 20 + 10_000 + 1)), False, None)
    assert opt.steps == 2


def turned(g):
    return g.transpose(1, 2, 0).copy().transpose(2, 0, 1)


@pytest.mark.parametrize("form", [*GRADIENTS[:3], turned], ids=["C", "F", "apart", "turned"])
@pytest.mark.parametrize("param", [np.copy, np.asfortranarray, spaced, turned], ids=["C", "F", "apart", "turned"])
def test_first_nonfinite_is_the_first_in_the_order_of_indices(param, form):
    """Whatever lies first in memory: an index is a place in the array."""
    g = np.zeros((3, 4, 5))
    g[2, 0, 0] = g[1, 3, 0] = g[1, 2, 4] = NAN
    opt = Adam([np.ones(2), param(np.ones((3, 4, 5)))])
    opt.step([np.ones(2), form(g)], skip_nonfinite=True)
    assert opt.last_step.nonfinite == (1, (1, 2, 4))


@pytest.mark.parametrize(("form", "where"), [
    (lambda a, b: a, (0, (1,))), (lambda a, b: [b, a], (1, (1,))), (lambda a, b: {"x": b, "y": a}, ("y", (1,))),
    (lambda a, b: [{"params": b}, {"params": a}], ((1, 0), (1,))), (lambda a, b: [{"params": [b, a]}], ((0, 1), (1,))),
    (lambda a, b: [{"params": [b, b.copy()]}, {"params": {"x": b.copy(), "y": a}}], ((1, "y"), (1,))),
])  # fmt: skip
def test_nonfinite_is_named_as_the_parameters_are(form, where):
    opt = SGD(form(ones(3), ones(2)))
    opt.step(gradients(form, np.array([1, NAN, INF]), ones(2)), skip_nonfinite=True)
    assert opt.last_step[1:] == (True, where)


def test_first_of_several_tensors_with_none_between():
    opt = SGD([ones(2), ones(2), ones(2), ones(2)])
    opt.step([ones(2), None, np.array([1, INF]), np.array([NAN, 1])], skip_nonfinite=True)
    assert opt.last_step.nonfinite == (2, (1,))


def test_overflow_made_by_grad_scale_counts_as_nonfinite():
    p = np.zeros(2, np.float32)
    opt = SGD([p], lr=1.0)
    opt.step([np.array([1, 1e38], np.float32)], grad_scale=2.0**-10, skip_nonfinite=True)
    assert opt.last_step[1:] == (True, (0, (1,)))
    assert (p == 0).all()
    opt.step([np.array([1, 1e38], np.float32)], grad_scale=2.0, skip_nonfinite=True)
    assert not opt.last_step.skipped
    assert p[0] == -0.5


def test_finite_values_with_overflowing_squares_are_not_skipped():
    p = np.zeros(3)
    opt = SGD([p], lr=1.0)
    opt.step([np.array([1.0, -1e200, 1.7e308])], skip_nonfinite=True)
    assert opt.last_step == (INF, False, None)
    assert p.tolist() == [-1.0, 1e200, -1.7e308]


def test_infinity_is_found_before_clip_value_hides_it():
    p = np.zeros(2)
    opt = SGD([p], lr=1.0)
    opt.step([np.array([1, INF])], clip_value=2.0)
    assert p.tolist() == [-1, -2]
    assert opt.last_step == (None, False, None)
    opt.step([np.array([1, INF])], clip_value=2.0, skip_nonfinite=True)
    assert p.tolist() == [-1, -2]
    assert opt.last_step == (pytest.approx(math.sqrt(5)), True, (0, (1,)))


def test_last_step_tells_of_the_last_step_only():
    opt = SGD([ones(2)])
    assert opt.last_step == (None, False, None)
    opt.step([np.array([NAN, 1])], skip_nonfinite=True)
    opt.step([ones(2)])
    assert opt.last_step == (None, False, None)
    opt.step([None], clip_norm=1.0)
    assert opt.last_step == (0.0, False, None)


# ---- averages


def test_ema_by_hand():
    p = np.array([8.0, -8.0])
    opt = SGD([p], lr=1.0, ema=0.75)
    assert opt.ema()[0].tolist() == [8, -8]  # starts from the parameters as they are
    opt.step([np.array([4.0, 0.0])])
    assert opt.ema()[0].tolist() == [7, -8]
    opt.step([np.array([4.0, -16.0])])
    assert opt.ema()[0].tolist() == [5.25, -4]
    opt.ema()[0][...] = NAN  # a copy
    assert opt.ema()[0].tolist() == [5.25, -4]


def test_ema_of_long_strided_and_skipped_parameters(rng):
    p, q = rng.normal(size=(300, 201)).T[::2], np.full(20_001, 1.0)
    a, b = p.copy(), q.copy()
    opt = SGD([p, q], lr=1.0, ema=0.5)
    for g in (rng.normal(size=p.shape), rng.normal(size=p.shape)):
        opt.step([g, np.full(20_001, 2.0)])
        a, b = a * 0.5 + p * 0.5, b * 0.5 + q * 0.5
    opt.step([None, None])
    close(opt.ema()[0], a)
    assert (opt.ema()[1] == b).all()


def test_ema_of_a_group_and_switched_off():
    p, q = np.array([0.0]), np.array([0.0])
    opt = SGD([{"params": p, "ema": 0.5}, {"params": q, "ema": 0.0}], lr=1.0)
    opt.step([np.array([-4.0]), np.array([-4.0])])
    assert [x.tolist() for x in opt.ema()] == [[2], [4]]
    opt.param_groups[0]["ema"] = None
    opt.step([np.array([-4.0]), np.array([-4.0])])
    assert opt.state_dict()["state"][0]["ema"] == 2
    assert opt.state_dict()["state"][1]["ema"] == 8


# ---- options changed between steps, schedules


@pytest.mark.parametrize(("make", "options", "change"), [
    (SGD, {"dampening": 0.5}, {"momentum": 0.5}), (fastopt.NAdam, {"betas": (0.9, 0.99)}, {"betas": (0.5, 0.75)}),
])  # fmt: skip
def test_tensors_with_different_pasts_step_like_each_alone(make, options, change):
    """As many steps each, yet a first step with momentum behind one only; other products of the momenta."""
    arrays, g = [ones(3), ones(3), ones(3)], np.array([1.0, -2.0, 3.0])
    together, alone = make(arrays, **options), [make([np.copy(a)], **options) for a in arrays]
    for k, used in enumerate(((0, 1, 1), (1, 1, 1), (1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 1, 1))):
        if k == 2:
            for opt in (together, *alone):
                opt.param_groups[0].update(change)
        grads = [(k + 1) * g if use else None for use in used]
        together.step(grads)
        for opt, grad in zip(alone, grads):
            opt.step([grad])
    assert frozen(arrays) == frozen([opt.param_groups[0]["params"][0] for opt in alone])


def test_lr_set():
    p, q = ones(1), ones(1)
    opt = SGD([{"params": p}, {"params": q, "lr": 2.0}], lr=1.0)
    assert opt.lr == [1.0, 2.0]
    opt.lr = 0.5
    opt.step([ones(1), ones(1)])
    assert (p[0], q[0], opt.lr) == (0.5, 0.5, 0.5)
    opt.param_groups[1]["lr"] = np.float32(0.25)
    opt.step([ones(1), ones(1)])
    assert (p[0], q[0]) == (0, 0.25)


@pytest.mark.parametrize("make", [lambda x: [x, 0.5], lambda x: np.array([x, 0.5])])
def test_options_changed_within(make):
    """param_groups is read at each step: also where a list or an array in it was changed in place."""
    (p, q), rate, betas = (np.zeros(1), np.zeros(1)), np.array(1.0), make(0.0)
    sgd, lion = SGD([p], lr=rate), fastopt.Lion([q], lr=1.0, betas=betas)
    sgd.step([ones(1)])
    lion.step([ones(1)])  # the average is 0.5
    rate[...], betas[0] = 0.5, 0.75
    sgd.step([ones(1)])
    lion.step([-ones(1)])  # the direction: 0.75 * 0.5 - 0.25 > 0
    assert (p[0], q[0]) == (-1.5, -2)


def test_weight_decay_and_maximize_changed():
    p = np.array([4.0])
    opt = SGD([p], lr=0.5)
    opt.step([np.array([2.0])])
    opt.param_groups[0]["weight_decay"] = 1.0
    opt.step([np.array([2.0])])
    opt.param_groups[0]["maximize"] = True
    opt.step([np.array([2.0])])
    assert p[0] == (0.5 + 0.5 * 2) - 0.25  # 4, 3, 0.5, then 0.5 - 0.5 (-2 + 0.5)


def test_betas_changed():
    p = ones(3)
    opt = Adam([p], lr=0.1, eps=0.5)
    g, h = np.array([1.0, -2.0, 0.5]), np.array([-3.0, 1.0, 2.0])
    opt.step([g])
    opt.param_groups[0]["betas"] = (0.5, 0.75)
    opt.step([h])
    m, v = 0.5 * 0.1 * g + 0.5 * h, 0.75 * 0.001 * g**2 + 0.25 * h**2
    close(p, 1 - 0.1 * g / (abs(g) + 0.5) - 0.1 * m / 0.75 / (np.sqrt(v / 0.4375) + 0.5))


@pytest.mark.parametrize("dampening", [0.0, 0.5])
def test_momentum_switched_on_later(dampening):
    """torch makes the buffer then: a copy of that step's gradient, undampened."""
    p = np.zeros(1)
    opt = SGD([p], lr=1.0, dampening=dampening)
    opt.step([np.array([1.0])])
    opt.param_groups[0]["momentum"] = 0.5
    opt.step([np.array([2.0])])
    assert p[0] == -3
    opt.step([np.array([4.0])])
    assert p[0] == -3 - (1 + (1 - dampening) * 4)
    opt.param_groups[0]["momentum"] = 0.0
    opt.step([np.array([4.0])])
    assert p[0] == -7 - (1 + (1 - dampening) * 4)


def test_amsgrad_switched_on_later():
    """The maximum counts from then on."""
    p = np.zeros(1)
    opt = Adam([p], lr=1.0, betas=(0.5, 0.5), bias_correction=False, eps=0.0)
    opt.step([np.array([8.0])])  # m 4, v 32
    opt.param_groups[0]["amsgrad"] = True
    opt.step([np.array([0.0])])  # m 2, v 16
    opt.step([np.array([0.0])])  # m 1, v 8
    opt.param_groups[0]["amsgrad"] = False
    opt.step([np.array([0.0])])  # m 0.5, v 4
    close(p, [-4 / math.sqrt(32) - 2 / 4 - 1 / 4 - 0.5 / 2])


def test_nadam_of_constant_momentum_counts_its_steps():
    """optax: (1 - b1) g / (1 - b1^t) + b1 m / (1 - b1^(t+1)), by powers that grow."""
    p, m, v, want = ones(2), 0.0, 0.0, ones(2)
    opt = fastopt.NAdam([p], lr=0.1, like="optax")
    for t, g in enumerate(([1.0, -2.0], [3.0, 0.5], [-1.0, 0.25]), 1):
        opt.step([np.array(g)])
        m, v = 0.9 * m + 0.1 * np.array(g), 0.999 * v + 0.001 * np.square(g)
        direction = 0.1 * np.array(g) / (1 - 0.9**t) + 0.9 * m / (1 - 0.9 ** (t + 1))
        want = want - 0.1 * direction / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    close(p, want)


def test_schedule_is_called_with_the_number_of_steps_done():
    p = np.zeros(1)
    opt = SGD([p], lr=lambda t: 2.0**-t)
    seen = []
    for g in (1.0, NAN, 1.0, None, 1.0):  # a skipped step does not advance it, a skipped tensor is a step
        opt.step([g if g is None else np.array([g])], skip_nonfinite=True)
        seen.append((p[0], opt.steps))
    assert seen == [(-1, 1), (-1, 1), (-1.5, 2), (-1.5, 3), (-1.625, 4)]


def test_schedule_for_a_group_and_set_later():
    p, q = np.zeros(1), np.zeros(1)
    opt = SGD([{"params": p, "lr": fastopt.schedules.StepDecay(1.0, step_size=1, gamma=0.5)}, {"params": q}], lr=0.25)
    opt.step([ones(1), ones(1)])
    opt.step([ones(1), ones(1)])
    assert (p[0], q[0]) == (-1.5, -0.5)
    opt.lr = lambda t: float(t)
    opt.step([ones(1), ones(1)])
    opt.lr = 1.0
    opt.step([ones(1), ones(1)])
    assert (p[0], q[0]) == (-4.5, -3.5)


# ---- bind


def test_bind_once_later():
    p, opt = ones(2), Adam(lr=0.1)
    opt.lr = 0.5
    opt.bind({"w": p})
    opt.step({"w": np.array([2.0, -2.0])})
    np.testing.assert_allclose(p, [0.5, 1.5], rtol=1e-7)
    with pytest.raises(ValueError, match="already has parameters"):
        opt.bind({"w": ones(2)})
    opt.step({"w": np.array([2.0, -2.0])})
    np.testing.assert_allclose(p, [0.0, 2.0], atol=1e-7)


def test_a_refused_bind_leaves_it_unbound():
    opt, p = SGD(lr=1.0), ones(2)
    with pytest.raises(ValueError, match="overlap"):
        opt.bind([p, p])
    opt.bind([p])
    opt.step([ones(2)])
    assert (p == 0).all()


def test_a_scalar_as_gradient_of_a_0_d_parameter():
    """2 * p of a 0-d array p is no array but an np.float64."""
    p = np.array(2.0)
    SGD([p], lr=0.25).step([2 * p])
    assert p == 1.0


def test_an_infinite_clip_norm_only_measures():
    p = ones(2)
    opt = SGD([p], lr=1.0)
    opt.step([np.array([3.0, 4.0])], clip_norm=INF, clip_value=INF)
    assert p.tolist() == [-2, -3]
    assert opt.last_step.grad_norm == 5
