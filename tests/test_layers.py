"""The compiled dropout and normalisations: gradients by differences, chunks and threads, bad input refused."""

import math
import re

import numpy as np
import pytest
from differences import differences

from fastopt import kernels, reference

DTYPES = (np.float32, np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout_has_the_definitions_bits(dtype, isa, rng, cut):
    """Whatever the target and the number of threads; in place, backwards and with seed and step at their ends."""
    for n in (0, 1, 3, 127, 128, 129, 10_001):
        x = rng.standard_normal(n).astype(dtype)
        for rate, seed, step in (
            (0.5, 0, 0),
            (0.3, 2**64 - 1, 2**64 - 1),
            (0, 5, 7),
            (1, 5, 7),
            (0.999, 2**32, 2**32),
            (1e-9, 1, 1),
        ):
            want = reference.dropout(x, rate, seed=seed, step=step)
            for threads in (1, 3):
                cut(threads)
                np.testing.assert_array_equal(kernels.dropout(x, rate, seed=seed, step=step), want)
            own = x.copy()
            assert kernels.dropout(own, rate, seed=seed, step=step, out=own) is own
            np.testing.assert_array_equal(own, want)
    x = rng.standard_normal((6, 5, 7)).astype(dtype)
    np.testing.assert_array_equal(kernels.dropout(x.T, 0.5, seed=1), reference.dropout(x.T, 0.5, seed=1))
    x[1] = np.nan
    np.testing.assert_array_equal(kernels.dropout(x, 0.5, seed=np.uint8(1)), reference.dropout(x, 0.5, seed=1))


@pytest.mark.parametrize("fixed", [False, True])
def test_gradients_of_batch_norm(fixed, isa, rng):
    x, dy = rng.standard_normal((2, 7, 3, 5))
    x, dy = x.reshape(7, 3, 5), dy.reshape(7, 3, 5)
    gamma, beta, at, spread = rng.uniform(0.5, 2, (4, 5))
    given = dict(mean=at, variance=spread) if fixed else {}
    _, mean, variance = kernels.batch_norm_forward(x, gamma, beta, eps=0.1, **given)
    run = lambda x, gamma, beta: np.sum(dy * kernels.batch_norm_forward(x, gamma, beta, eps=0.1, **given)[0])
    held_to_differences(kernels.batch_norm_backward(dy, x, gamma, mean, variance, eps=0.1, fixed=fixed), run, x, gamma, beta)


def test_gradients_of_layer_norm(isa, rng):
    x, dy = rng.standard_normal((2, 7, 11))
    gamma, beta = rng.uniform(0.5, 2, (2, 11))
    _, mean, rstd = kernels.layer_norm_forward(x, gamma, beta, eps=0.1)
    run = lambda x, gamma, beta: np.sum(dy * kernels.layer_norm_forward(x, gamma, beta, eps=0.1)[0])
    held_to_differences(kernels.layer_norm_backward(dy, x, gamma, mean, rstd), run, x, gamma, beta)


def held_to_differences(got, run, x, gamma, beta):
    wanted = (lambda v: run(v, gamma, beta), x), (lambda v: run(x, v, beta), gamma), (lambda v: run(x, gamma, v), beta)
    for gradient, (function, at) in zip(got, wanted):
        np.testing.assert_allclose(gradient, differences(function, at), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [2048, 2049, 5003])
def test_many_rows(rows, dtype, isa, rng, cut):
    """More than 64 chunks would hold: larger chunks, and still the same bits for any number of threads."""
    x, dy = (rng.standard_normal((2, rows, 19)) + 100).astype(dtype)
    gamma, beta = rng.uniform(0.5, 2, (2, 19)).astype(dtype)
    runs = []
    for threads in (1, 2, 7):
        cut(threads)
        y, mean, variance = kernels.batch_norm_forward(x, gamma, beta)
        z, middle, rstd = kernels.layer_norm_forward(x, gamma, beta)
        runs.append((y, mean, variance, *kernels.batch_norm_backward(dy, x, gamma, mean, variance), z, middle, rstd,
                     *kernels.layer_norm_backward(dy, x, gamma, middle, rstd)))  # fmt: skip
    np.testing.assert_equal(runs[1], runs[0])
    np.testing.assert_equal(runs[2], runs[0])
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(mean, [math.fsum(column) / rows for column in x.T], rtol=8 * eps)
    np.testing.assert_allclose(variance, x.astype(float).var(axis=0), rtol=100 * eps)  # of numbers a hundred times their spread


def test_statistics_given_come_back(compiled, rng):
    x, (mean, variance) = rng.standard_normal((4, 3)), rng.uniform(0.5, 2, (2, 3))
    y, *same = kernels.batch_norm_forward(x, mean=mean, variance=variance)
    assert same[0] is mean
    assert same[1] is variance
    out = np.empty((4, 3)), np.empty(3), None
    got = kernels.batch_norm_forward(x, mean=mean, variance=variance, out=out)
    assert got[0] is out[0]
    assert got[1] is out[1]
    assert got[2] is variance
    np.testing.assert_equal(got, (y, mean, variance))


def test_no_rows(compiled):
    x, one = np.ones((0, 3)), np.ones(3)
    assert kernels.batch_norm_forward(x, mean=one, variance=one)[0].shape == (0, 3)
    assert kernels.layer_norm_forward(x)[1].shape == (0,)
    for got in (
        kernels.batch_norm_backward(x, x, one, one, one, fixed=True),
        kernels.layer_norm_backward(x, x, one, x[:, 0], x[:, 0]),
    ):
        np.testing.assert_equal(got, (x, np.zeros(3), np.zeros(3)))


X, ONE, TWO = np.ones((2, 3)), np.ones(3), np.ones(2)
BUFFER = np.ones(9)
BAD = [
    ("dropout", (X, 1.5), dict(seed=1), ValueError, "rate must be a number in [0, 1], got 1.5"),
    ("dropout", (X, math.nan), dict(seed=1), ValueError, "rate must be a number in [0, 1], got nan"),
    ("dropout", (X, None), dict(seed=1), TypeError, "rate must be a number in [0, 1], got None"),
    ("dropout", (X, 0.5), dict(seed=-1), ValueError, "seed must be an integer in [0, 2^64), got -1"),
    ("dropout", (X, 0.5), dict(seed=1, step=2**64), ValueError, "step must be an integer in [0, 2^64), got 18446744073709551616"),
    ("dropout", (X, 0.5), dict(seed=1.0), TypeError, "seed must be an integer in [0, 2^64), got 1.0"),
    ("dropout", (BUFFER[:6], 0.5), dict(seed=1, out=BUFFER[3:]), ValueError, "overlaps x in memory"),
    ("batch_norm_forward", (X[:0],), {}, ValueError, "x has shape (0, 3), expected (..., C) with at least one row and column"),
    ("batch_norm_forward", (X, TWO), {}, ValueError, "gamma has shape (2,), expected (3,) = (C,)"),
    ("batch_norm_forward", (X, ONE, np.float32(ONE)), {}, TypeError, "beta has dtype float32, expected float64"),
    ("batch_norm_forward", (X,), dict(mean=ONE), ValueError, "only one of mean and variance is given, expected both or none"),
    ("batch_norm_forward", (X,), dict(eps=-1), ValueError, "eps must be a finite number >= 0, got -1"),
    ("batch_norm_forward", (X,), dict(out=X.copy()), TypeError, "out must be a tuple of 3 arrays"),
    ("batch_norm_forward", (X, BUFFER[:3]), dict(out=(None, BUFFER[2:5], None)), ValueError, "for mean, overlaps gamma in memory"),
    ("batch_norm_forward", (X,), dict(out=(None, BUFFER[:3], BUFFER[2:5])), ValueError, "for variance, overlaps mean in memory"),
    ("batch_norm_backward", (X[:1], X, ONE, ONE, ONE), {}, ValueError, "dy has shape (1, 3), expected (2, 3) as x"),
    ("batch_norm_backward", (X, X, ONE, None, ONE), {}, TypeError, "mean or variance is None"),
    ("layer_norm_forward", (np.array(1.0),), {}, ValueError, "x has shape (), expected (..., C) with at least one row and column"),
    ("layer_norm_forward", (X, None, TWO), {}, ValueError, "beta has shape (2,), expected (3,) = (C,)"),
    ("layer_norm_backward", (X, X, ONE, ONE, TWO), {}, ValueError, "mean has shape (3,), expected (2,) for x of shape (2, 3)"),
    ("layer_norm_backward", (X, X, ONE, TWO, TWO), dict(out=(None, BUFFER[:3], BUFFER[:3])), ValueError,
     "for dbeta, overlaps dgamma in memory"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "options", "error", "message"), BAD)
def test_refused(name, arguments, options, error, message, compiled):
    with pytest.raises(error, match=f"^{name}: .*{re.escape(message)}"):
        getattr(kernels, name)(*arguments, **options)
    assert (BUFFER == 1).all()
