"""The judge of the normalisations' definitions: numbers worked by hand, central differences, torch and Keras."""

import os

import numpy as np
import pytest
from differences import differences

from fastopt import reference

X = np.array([[1.0, 10.0], [3.0, 30.0]])  # columns: means 2 and 20, variances 1 and 100; rows: means 5.5 and 16.5


def test_batch_norm_by_hand():
    y, mean, variance = reference.batch_norm_forward(X, np.array([2.0, 1.0]), np.array([5.0, 0.0]), eps=3.0)
    np.testing.assert_array_equal(mean, [2, 20])
    np.testing.assert_array_equal(variance, [1, 100])
    np.testing.assert_allclose(y, [[5 - 1, -10 / 103**0.5], [5 + 1, 10 / 103**0.5]], rtol=1e-15)  # 2 (1 - 2) / sqrt(1 + 3)

    y, *same = reference.batch_norm_forward(X, mean=np.array([1.0, 10.0]), variance=np.array([13.0, 22.0]), eps=3.0)
    np.testing.assert_array_equal(y, [[0, 0], [0.5, 4]])  # 2 / sqrt(16), 20 / sqrt(25)
    np.testing.assert_array_equal(same, [[1, 10], [13, 22]])

    # one column: normal is -1/2, 1/2; dy = 1, 3: dbeta 4, dgamma 1; 2 / sqrt(4) (dy - (4 + normal) / 2)
    dx, dgamma, dbeta = reference.batch_norm_backward(
        np.array([[1.0], [3.0]]), X[:, :1], np.array([2.0]), np.array([2.0]), np.array([1.0]), eps=3.0
    )
    np.testing.assert_array_equal(dx, [[-0.75], [0.75]])
    assert [dgamma, dbeta] == [1, 4]
    dx, *_ = reference.batch_norm_backward(
        np.array([[1.0], [3.0]]), X[:, :1], None, np.array([2.0]), np.array([1.0]), eps=3.0, fixed=True
    )
    np.testing.assert_array_equal(dx, [[0.5], [1.5]])


def test_layer_norm_by_hand():
    x = np.array([[1.0, 3.0], [10.0, 30.0]])  # means 2 and 20, variances 1 and 100
    y, mean, rstd = reference.layer_norm_forward(x, np.array([2.0, 1.0]), np.array([5.0, 0.0]), eps=3.0)
    np.testing.assert_array_equal(mean, [2, 20])
    np.testing.assert_allclose(rstd, [0.5, 103**-0.5], rtol=1e-15)
    np.testing.assert_allclose(y, [[5 - 1, 0.5], [5 - 20 / 103**0.5, 10 / 103**0.5]], rtol=1e-15)

    # normal is -1/2, 1/2; dy gamma = 2, 3: 1/2 ((2, 3) - 5/2 - normal / 4)
    dx, dgamma, dbeta = reference.layer_norm_backward(
        np.array([[1.0, 3.0]]), x[:1], np.array([2.0, 1.0]), np.array([2.0]), np.array([0.5])
    )
    np.testing.assert_array_equal(dx, [[-0.1875, 0.1875]])
    np.testing.assert_array_equal(dgamma, [-0.5, 1.5])
    np.testing.assert_array_equal(dbeta, [1, 3])


@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 3), (3,)])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("fixed", [True, False])
def test_gradients_of_batch_norm(fixed, affine, shape, rng):
    x, dy = rng.normal(size=shape), rng.normal(size=shape)
    gamma, beta = rng.uniform(0.5, 2, (2, 3)) if affine else (None, None)
    given = dict(mean=rng.normal(size=3), variance=rng.uniform(0.5, 2, 3)) if fixed else {}
    y, mean, variance = reference.batch_norm_forward(x, gamma, beta, eps=0.1, **given)
    assert y.shape == shape
    run = lambda x, gamma, beta: np.sum(dy * reference.batch_norm_forward(x, gamma, beta, eps=0.1, **given)[0])
    got = reference.batch_norm_backward(dy, x, gamma, mean, variance, eps=0.1, fixed=fixed)
    check(got, run, x, gamma, beta)


@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 3), (3,)])
@pytest.mark.parametrize("affine", [True, False])
def test_gradients_of_layer_norm(affine, shape, rng):
    x, dy = rng.normal(size=shape), rng.normal(size=shape)
    gamma, beta = rng.uniform(0.5, 2, (2, 3)) if affine else (None, None)
    y, mean, rstd = reference.layer_norm_forward(x, gamma, beta, eps=0.1)
    assert y.shape == shape
    assert mean.shape == rstd.shape == shape[:-1]
    run = lambda x, gamma, beta: np.sum(dy * reference.layer_norm_forward(x, gamma, beta, eps=0.1)[0])
    check(reference.layer_norm_backward(dy, x, gamma, mean, rstd), run, x, gamma, beta)


def check(got, run, x, gamma, beta):
    """Central differences; gamma and beta of 1 and 0 where there are none."""
    gamma, beta = np.ones(3) if gamma is None else gamma, np.zeros(3) if beta is None else beta
    wanted = (lambda v: run(v, gamma, beta), x), (lambda v: run(x, v, beta), gamma), (lambda v: run(x, gamma, v), beta)
    for gradient, (function, at) in zip(got, wanted):
        np.testing.assert_allclose(gradient, differences(function, at), rtol=1e-7, atol=1e-9)


def test_out(rng):
    x, gamma = rng.normal(size=(2, 4, 3)), rng.normal(size=3)
    y, rows, columns = np.empty((2, 4, 3)), np.empty((2, 4)), np.empty(3)
    for name, out in (("batch_norm_forward", (y, None, columns)), ("layer_norm_forward", (y, rows, None))):
        fresh, got = getattr(reference, name)(x, gamma), getattr(reference, name)(x, gamma, out=out)
        for array, result, want in zip(out, got, fresh):
            assert array is None or result is array
            np.testing.assert_array_equal(result, want)


def test_refused():
    for x in (np.ones((0, 3)), np.ones((3, 0)), np.ones(())):
        with pytest.raises(ValueError, match="batch_norm_forward: x has shape"):
            reference.batch_norm_forward(x)
    for x in (np.ones((3, 0)), np.ones(())):
        with pytest.raises(ValueError, match="layer_norm_forward: x has shape"):
            reference.layer_norm_forward(x)
    with pytest.raises(ValueError, match="only one of mean and variance is given"):
        reference.batch_norm_forward(np.ones((2, 3)), mean=np.ones(3))
    y, *_ = reference.batch_norm_forward(np.ones((0, 3)), mean=np.ones(3), variance=np.ones(3))
    assert y.shape == (0, 3)


@pytest.mark.parametrize("shape", [(8, 5), (2, 3, 5)])
def test_torch_and_keras(shape, rng):
    torch = pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    x, gamma, beta, dy = rng.normal(3, 2, shape), rng.uniform(0.5, 2, 5), rng.normal(size=5), rng.normal(size=shape)
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    for layer, forward, backward in (
        (lambda x, g, b: torch.nn.functional.batch_norm(x.reshape(-1, 5), None, None, g, b, True, eps=1e-3).reshape(shape),
         reference.batch_norm_forward, reference.batch_norm_backward),
        (lambda x, g, b: torch.nn.functional.layer_norm(x, (5,), g, b, eps=1e-3),
         reference.layer_norm_forward, reference.layer_norm_backward),
    ):  # fmt: skip
        want = layer(*tensors)
        slopes = torch.autograd.grad(want, tensors, torch.tensor(dy))
        y, *saved = forward(x, gamma, beta)
        np.testing.assert_allclose(y, want.detach(), rtol=1e-12)
        for got, slope in zip(backward(dy, x, gamma, *saved), slopes):
            np.testing.assert_allclose(got, slope, rtol=1e-11, atol=1e-13)
    for layer, forward in ((keras.layers.BatchNormalization(dtype="float64"), reference.batch_norm_forward),
                           (keras.layers.LayerNormalization(dtype="float64"), reference.layer_norm_forward)):  # fmt: skip
        want = layer(torch.tensor(x), training=True)  # in float32 on the way
        np.testing.assert_allclose(forward(x)[0], want.detach(), rtol=1e-5, atol=1e-5)
