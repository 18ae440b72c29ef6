"""The compiled losses and the penalty: gradients by differences, edges as in the definitions, bad input refused."""

import math
import re

import numpy as np
import pytest
from differences import differences

from fastopt import kernels, reference
from fastopt.testing import CASES, losses

inf, nan = math.inf, math.nan
EACH = [(name, {k: v for k, v in o.items() if k != "weight"}) for name in losses.CASES if name != "penalty"
        for o in CASES[name].options() if "weight" not in o]  # fmt: skip
DTYPES = (np.float32, np.float64)


@pytest.mark.parametrize(("name", "options"), EACH)
def test_gradients(name, options, isa, rng):
    arrays = CASES[name].draw(rng, {"B": 3, "C": 11}, np.float64, options)
    loss, y_pred = getattr(kernels, name), arrays.pop("y_pred")
    _, dy = loss(y_pred=y_pred, **arrays, **options)
    expected = differences(lambda p: loss(y_pred=p, **arrays, **options)[0], y_pred)
    np.testing.assert_allclose(dy, expected, rtol=1e-6, atol=1e-8)


def test_gradient_of_the_penalty(isa, rng):
    w = rng.uniform(0.5, 2, (3, 4)) * rng.choice([-1, 1], (3, 4))
    _, gradient = kernels.penalty(w, l1=0.3, l2=0.7)
    np.testing.assert_allclose(gradient, differences(lambda v: kernels.penalty(v, l1=0.3, l2=0.7)[0], w), rtol=1e-9)


def edges(name, options, rng, dtype):
    """Rows of every kind: targets and predictions at the bounds of what a loss is defined for, and beyond."""
    c = 19
    t = rng.uniform(0, 1, (11, c))
    p = 3 * rng.standard_normal((11, c)) if options.get("from_logits") else rng.uniform(0.1, 0.9, (11, c))
    p[0], p[1], p[2] = 0, np.eye(c)[3], 1
    p[3, :5] = [0, 1, 1e-7, 1e-8, 1 - 1e-8]
    p[4] *= 1e4
    p[5, -1], p[6, 7], p[7, 0] = inf, -inf, nan
    p[8] = t[8]
    t[9] = 0
    t[10] = np.eye(c)[18]
    if name.startswith("sparse"):
        return rng.integers(0, c, 11), p.astype(dtype)
    return t.astype(dtype), p.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "options"), EACH)
def test_edges(name, options, dtype, isa, rng):
    """As the definition has it in the same dtype: infinities and NaN in the same places."""
    y_true, y_pred = edges(name, options, rng, dtype)
    got, want = np.empty((2, 11), dtype)
    _, dy = getattr(kernels, name)(y_true, y_pred, rows=got, **options)
    with np.errstate(all="ignore"):
        _, expected = getattr(reference, name)(y_true, y_pred, rows=want, **options)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(got, want, rtol=20 * eps, atol=20 * eps)
    scale = np.where(np.isfinite(expected), np.abs(expected), 0).max(axis=-1, keepdims=True)
    np.testing.assert_allclose(dy / (1 + scale), expected / (1 + scale), rtol=20 * eps, atol=20 * eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_binary_labels_of_hinge(dtype, isa, rng):
    """0 counts as -1 where all labels are 0 or 1; one that is not, in the last place, leaves them as they are."""
    y_true, y_pred = rng.integers(0, 2, (9, 37)).astype(dtype), rng.standard_normal((9, 37)).astype(dtype)
    for last in (1, 0, 2, -1):
        y_true[-1, -1] = last
        got, want = (module.hinge(y_true, y_pred) for module in (kernels, reference))
        np.testing.assert_allclose(got[0], want[0], rtol=1e-5)
        np.testing.assert_allclose(got[1], want[1], rtol=1e-6)


@pytest.mark.parametrize("shape", [(5,), (1, 1), (2, 3, 4), (2, 1, 3, 5), (0, 4), (2, 0, 4)])
@pytest.mark.parametrize(("name", "options"), EACH)
def test_shapes_and_rows(name, options, shape, compiled, rng):
    arrays = CASES[name].draw(rng, {"B": math.prod(shape[:-1]), "C": shape[-1]}, np.float32, options)
    y_true, y_pred, weight = (a.reshape(shape if a.ndim == 2 else shape[:-1]) for a in arrays.values())
    rows, out, wanted = np.empty(shape[:-1], np.float32), np.empty(shape, np.float32), np.empty(shape[:-1], np.float32)
    value, dy = getattr(kernels, name)(y_true, y_pred, weight=weight, rows=rows, out=out, **options)
    expected, slopes = getattr(reference, name)(y_true, y_pred, weight=weight, rows=wanted, **options)
    assert type(value) is float
    assert dy is out
    assert value == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(rows, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(dy, slopes, rtol=1e-4, atol=1e-6)
    assert value == pytest.approx(float((rows.astype(float) * weight).sum()), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", ">u8"])
def test_labels_of_any_integer_type(dtype, compiled, rng):
    y_pred, labels = rng.standard_normal((6, 100)), rng.integers(0, 100, 12)
    want = kernels.sparse_categorical_crossentropy(labels[::2], y_pred, from_logits=True)
    np.testing.assert_equal(kernels.sparse_categorical_crossentropy(labels.astype(dtype)[::2], y_pred, from_logits=True), want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_penalty_is_added(dtype, compiled, rng, cut):
    for n in (0, 1, 31, 4096, 10_007, 1_200_000):
        w, out = rng.standard_normal(n).astype(dtype), rng.standard_normal(n).astype(dtype)
        runs = []
        for threads in (1, 3):
            cut(threads)
            got = out.copy()
            value, same = kernels.penalty(w, l1=0.5, l2=0.25, accumulate=True, out=got)
            assert same is got
            runs.append((value, got))
        np.testing.assert_equal(runs[1], runs[0])
        expected, gradient = reference.penalty(w.astype(float), l1=0.5, l2=0.25)
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(got, out.astype(float) + gradient, rtol=1e-5, atol=1e-6)


X = np.full((2, 3), 0.25)
LABELS = np.zeros(2, int)
BUFFER = np.full(8, 0.25)
BAD = [
    ("mean_squared_error", (np.ones(2), np.ones((2, 1))), {}, ValueError,
     "y_true has shape (2,), expected (2, 1) for y_pred of shape (2, 1)"),
    ("mean_squared_error", (np.float32(X), X), {}, TypeError, "y_true has dtype float32, expected float64"),
    ("mean_squared_error", (X.astype(int), X.astype(int)), {}, TypeError, "y_pred has dtype int64, expected float32 or float64"),
    ("mean_squared_error", (X.tolist(), X), {}, TypeError, "y_true is of type builtins.list"),
    ("mean_squared_error", (np.array(1.0), np.array(1.0)), {}, ValueError,
     "y_pred has shape (), expected (..., C) with at least one column"),
    ("hinge", (X[:, :0], X[:, :0]), {}, ValueError, "y_pred has shape (2, 0), expected (..., C) with at least one column"),
    ("huber", (X, X), dict(delta=0), ValueError, "delta must be a number above 0, got 0"),
    ("huber", (X, X), dict(delta=nan), ValueError, "delta must be a number above 0, got nan"),
    ("huber", (X, X), dict(delta="1"), TypeError, "delta must be a number above 0, got '1'"),
    ("binary_crossentropy", (X, X), dict(label_smoothing=1.5), ValueError, "label_smoothing must be a number in [0, 1], got 1.5"),
    ("categorical_crossentropy", (X, X), dict(label_smoothing=-1), ValueError,
     "label_smoothing must be a number in [0, 1], got -1"),
    ("cosine_similarity", (X, X), dict(weight=np.ones(3)), ValueError,
     "weight has shape (3,), expected (2,) for y_pred of shape (2, 3)"),
    ("kl_divergence", (X, X), dict(weight=np.ones(2, "f4")), TypeError, "weight has dtype float32, expected float64"),
    ("kl_divergence", (X, X), dict(rows=np.ones((2, 1))), ValueError, "rows has shape (2, 1)"),
    ("kl_divergence", (X, X), dict(rows=np.ones(2, "f4")), ValueError, "rows has shape (2,), dtype float32"),
    ("kl_divergence", (X, X), dict(rows=[0, 0]), TypeError, "rows is of type list"),
    ("kl_divergence", (X, BUFFER[:6].reshape(2, 3)), dict(rows=BUFFER[4:6]), ValueError, "rows overlaps y_pred in memory"),
    ("kl_divergence", (X, BUFFER[:6].reshape(2, 3)), dict(out=BUFFER[2:].reshape(2, 3)), ValueError, "overlaps y_pred in memory"),
    ("kl_divergence", (BUFFER[:6].reshape(2, 3), X), dict(out=BUFFER[2:].reshape(2, 3)), ValueError, "overlaps y_true in memory"),
    ("kl_divergence", (X, X), dict(weight=BUFFER[:2], out=BUFFER[:6].reshape(2, 3)), ValueError, "overlaps weight in memory"),
    ("sparse_categorical_crossentropy", (np.array([0, 3]), X), {}, ValueError, "y_true[1] is 3, expected a class in [0, 3)"),
    ("sparse_categorical_crossentropy", (np.array([[-1], [3]]), X[:, None]), {}, ValueError,
     "y_true[0, 0] is -1, expected a class in [0, 3)"),
    ("sparse_categorical_crossentropy", (np.array([0, 2**64 - 1], "u8"), X), {}, ValueError,
     "y_true[1] is 18446744073709551615, expected a class in [0, 3)"),
    ("sparse_categorical_crossentropy", (np.array(5), X[0]), {}, ValueError, "y_true is 5, expected a class in [0, 3)"),
    ("sparse_categorical_crossentropy", (LABELS.astype(float), X), {}, TypeError, "y_true has dtype float64, expected integers"),
    ("sparse_categorical_crossentropy", (LABELS.astype(bool), X), {}, TypeError, "y_true has dtype bool, expected integers"),
    ("sparse_categorical_crossentropy", ([0, 1], X), {}, TypeError, "y_true is of type list, expected a NumPy array of integers"),
    ("sparse_categorical_crossentropy", (LABELS[:, None], X), {}, ValueError,
     "y_true has shape (2, 1), expected (2,) for y_pred of shape (2, 3)"),
    ("penalty", (X,), dict(l1=-1), ValueError, "l1 must be a finite number >= 0, got -1"),
    ("penalty", (X,), dict(l2=inf), ValueError, "l2 must be a finite number >= 0, got inf"),
    ("penalty", (X,), dict(accumulate=True), ValueError, "accumulate=True needs out"),
    ("penalty", (BUFFER[:4],), dict(out=BUFFER[2:6]), ValueError, "overlaps param in memory"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "options", "error", "message"), BAD)
def test_refused(name, arguments, options, error, message, compiled):
    """By a message that names the function and the argument, with nothing written."""
    out = np.full((2, 3), 99.0)
    rows = np.full(2, 99.0)
    given = {"out": out} if name == "penalty" else {"out": out, "rows": rows}
    if options.get("accumulate"):
        given = {}
    with pytest.raises(error, match=f"^{name}: .*{re.escape(message)}"):
        getattr(kernels, name)(*arguments, **given | options)
    assert (out == 99).all()
    assert (rows == 99).all()
    assert (BUFFER == 0.25).all()
