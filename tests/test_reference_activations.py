"""The judge of the activations' definitions: literals, central differences, torch where it is installed."""

import math

import numpy as np
import pytest

from fastopt.reference import activation_backward, activation_forward
from fastopt.reference.activations import ACTIVATIONS, BY_ROWS
from fastopt.reference.out import deliver

inf, nan = math.inf, math.nan
LN2, LN3 = math.log(2), math.log(3)
DTYPES = (np.float32, np.float64)
ROOT = math.sqrt(2 / math.pi)

# name, options, x, y, dz for dy = 2
ROWS = [
    ("linear", {}, -3, -3, 2),
    ("relu", {}, 3, 3, 2),
    ("relu", {}, -3, 0, 0),
    ("relu", {}, 0, 0, 0),
    ("leaky_relu", {}, 3, 3, 2),
    ("leaky_relu", {}, -3, -0.6, 0.4),
    ("leaky_relu", dict(alpha=0.5), -3, -1.5, 1),
    ("leaky_relu", dict(alpha=0), -3, 0, 0),
    ("leaky_relu", {}, 0, 0, 0.4),
    ("elu", {}, 3, 3, 2),
    ("elu", {}, -LN2, -0.5, 1),  # 1/2 - 1; -1/2 + 1
    ("elu", dict(alpha=3), -LN2, -1.5, 3),
    ("elu", dict(alpha=3), 0, 0, 6),
    ("selu", {}, 2, 2 * 1.0507009873554805, 2 * 1.0507009873554805),
    ("selu", {}, -LN2, -0.5 * 1.7580993408473766, 1.7580993408473766),  # 1.67326... * 1.05070...
    ("gelu", {}, 0, 0, 1),
    ("gelu", {}, 1, 0.8413447460685429, 2 * (0.8413447460685429 + 0.24197072451914337)),  # Phi(1), phi(1): any table of statistics
    ("gelu", {}, -1, -0.15865525393145707, 2 * (0.15865525393145707 - 0.24197072451914337)),
    ("gelu", {}, -5, -5 * 2.8665157187919391e-07, None),  # Phi(-5)
    ("gelu_tanh", {}, 0, 0, 1),
    ("gelu_tanh", {}, 1, 0.5 * (1 + math.tanh(ROOT * 1.044715)), None),
    ("gelu_tanh", {}, -1, -0.5 * (1 - math.tanh(ROOT * 1.044715)), None),
    ("silu", {}, LN3, 0.75 * LN3, 1.5 + LN3 * 0.375),  # s = 3/4; 2 (s + x s (1 - s))
    ("silu", {}, -LN3, -0.25 * LN3, 0.5 - LN3 * 0.375),
    ("sigmoid", {}, LN3, 0.75, 0.375),
    ("sigmoid", {}, -LN3, 0.25, 0.375),
    ("hard_sigmoid", {}, 1.5, 0.75, 1 / 3),
    ("hard_sigmoid", {}, -3, 0, 0),
    ("hard_sigmoid", {}, 3, 1, 0),
    ("hard_sigmoid", {}, 8, 1, 0),
    ("hard_sigmoid", {}, -8, 0, 0),
    ("tanh", {}, LN2, 0.6, 1.28),  # (4 - 1) / (4 + 1); 2 (1 - 0.36)
    ("tanh", {}, -LN2, -0.6, 1.28),
    ("softplus", {}, LN3, 2 * LN2, 1.5),  # log(1 + 3)
    ("softplus", {}, 0, LN2, 1),
    ("softplus", {}, 500, 500, 2),
    ("softsign", {}, 3, 0.75, 0.125),
    ("softsign", {}, -3, -0.75, 0.125),
    ("exponential", {}, LN3, 3, 6),
]
# name: y at -inf, at inf; dz there, for dy = 1
LIMITS = {
    "linear": (-inf, inf, 1, 1), "relu": (0, inf, 0, 1), "leaky_relu": (-inf, inf, 0.2, 1), "elu": (-1, inf, 0, 1),
    "selu": (-1.7580993408473766, inf, 0, 1.0507009873554805), "gelu": (0, inf, 0, 1), "gelu_tanh": (0, inf, 0, 1),
    "silu": (0, inf, 0, 1), "sigmoid": (0, 1, 0, 0), "hard_sigmoid": (0, 1, 0, 0), "tanh": (-1, 1, 0, 0),
    "softplus": (0, inf, 0, 1), "softsign": (-1, 1, 0, 0), "exponential": (0, inf, 0, inf),
}  # fmt: skip
ELEMENTWISE = [name for name in ACTIVATIONS if name not in BY_ROWS]
TORCH = {
    "linear": "nn.Identity()", "relu": "nn.ReLU()", "leaky_relu": "nn.LeakyReLU(0.2)", "elu": "nn.ELU()", "selu": "nn.SELU()",
    "gelu": "nn.GELU()", "gelu_tanh": "nn.GELU(approximate='tanh')", "silu": "nn.SiLU()", "sigmoid": "nn.Sigmoid()",
    "hard_sigmoid": "nn.Hardsigmoid()", "tanh": "nn.Tanh()", "softplus": "nn.Softplus(threshold=50)", "softsign": "nn.Softsign()",
    "exponential": "exp", "softmax": "nn.Softmax(-1)", "log_softmax": "nn.LogSoftmax(-1)",
}  # fmt: skip


def close(got, want, dtype, ulps=4):
    np.testing.assert_allclose(got, want, rtol=ulps * np.finfo(dtype).eps, atol=0)


def test_every_activation_is_judged():
    assert set(ACTIVATIONS) == set(TORCH) == set(LIMITS) | set(BY_ROWS) == {row[0] for row in ROWS} | set(BY_ROWS)
    assert len(ACTIVATIONS) == 16


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "options", "x", "y", "dz"), ROWS)
def test_literals(name, options, x, y, dz, dtype):
    z, dy = np.full((2, 3), x, dtype), np.full((2, 3), 2, dtype)
    got = activation_forward(z, name, **options)
    assert got.dtype == dtype
    close(got, np.full((2, 3), y), dtype, 6)
    if dz is not None:
        gradient = activation_backward(dy, got, name, z=z, **options)
        assert gradient.dtype == dtype
        close(gradient, np.full((2, 3), dz), dtype, 16)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_literals(dtype):
    x = np.array([[0, LN2, LN3 + LN2, 0], [700, 700, -inf, 700]], dtype)  # 1 : 2 : 6 : 1
    y = activation_forward(x, "softmax")
    close(y, [[0.1, 0.2, 0.6, 0.1], [1 / 3, 1 / 3, 0, 1 / 3]], dtype)
    logs = activation_forward(x, "log_softmax")
    with np.errstate(divide="ignore"):
        close(logs, np.log([[0.1, 0.2, 0.6, 0.1], [1 / 3, 1 / 3, 0, 1 / 3]]), dtype)
    dy = np.array([[1, 0, 0, 0], [0, 3, 0, 0]], dtype)
    close(activation_backward(dy, y, "softmax"), [[0.09, -0.02, -0.06, -0.01], [-1 / 3, 2 / 3, 0, -1 / 3]], dtype, 16)
    close(activation_backward(dy, logs, "log_softmax"), [[0.9, -0.2, -0.6, -0.1], [-1, 2, 0, -1]], dtype, 16)
    assert y.dtype == logs.dtype == dtype


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_central_differences(name, rng):
    x, dy, h = rng.normal(0, 3, (40, 5)), rng.normal(0, 1, (40, 5)), 1e-5
    options = {"alpha": 0.7} if ACTIVATIONS[name].alpha else {}
    got = activation_backward(dy, activation_forward(x, name, **options), name, z=x, **options)
    for i in range(5):  # of one column at a time, as softmax mixes them
        step = np.zeros(5)
        step[i] = h
        ahead, behind = (activation_forward(x + s, name, **options) for s in (step, -step))
        np.testing.assert_allclose(got[:, i], np.sum(dy * (ahead - behind), axis=1) / (2 * h), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_torch_agrees(name, dtype, rng):
    torch = pytest.importorskip("torch")
    x, dy = (rng.normal(0, 3, (30, 7)).astype(dtype) for _ in range(2))
    x[0] = [0, -3, 3, 20, -20, 1e-6, -1e-6]
    z = torch.tensor(x, requires_grad=True)
    y = torch.exp(z) if TORCH[name] == "exp" else eval(f"torch.{TORCH[name]}")(z)
    y.backward(torch.tensor(dy))
    got = activation_forward(x, name)
    tolerance = 64 * np.finfo(np.float32 if name == "hard_sigmoid" else dtype).eps  # whose 1/6 in torch is a float32
    np.testing.assert_allclose(got, y.detach(), rtol=tolerance, atol=tolerance)
    smooth = np.ones_like(x, bool)
    smooth[0, :3] = False  # corners: each has conventions of its own
    np.testing.assert_allclose(
        activation_backward(dy, got, name, z=x)[smooth], z.grad.numpy()[smooth], rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_limits(name, dtype):
    below, above, slope_below, slope_above = LIMITS[name]
    x = np.array([-inf, inf, nan, -np.finfo(dtype).max, np.finfo(dtype).max], dtype)
    with np.errstate(over="ignore"):
        y = activation_forward(x, name)
    close(y[:2], [below, above], dtype)
    assert np.isnan(y[2])
    finite = x[3:] if name == "linear" else x[3:] * dtype(0.2 if name == "leaky_relu" else 1)
    assert y[3] == (finite[0] if name in ("linear", "leaky_relu") else y[0])
    assert y[4] == y[1] or y[4] >= x[4]
    dz = activation_backward(np.ones_like(x), y, name, z=x)
    close(dz[:2], [slope_below, slope_above], dtype)
    np.testing.assert_array_equal(dz[3:], dz[:2])


def test_left_tails_keep_their_digits():
    for x, phi in ((-10, 7.619853024160527e-24), (-20, 2.7536241186062337e-89)):  # Phi(x)
        close(activation_forward(np.array([float(x)]), "gelu"), [x * phi], np.float64, 8)
    close(activation_forward(np.array([-80.0]), "softplus"), [math.exp(-80)], np.float64)
    close(activation_forward(np.array([-80.0]), "silu"), [-80 * math.exp(-80)], np.float64)
    close(activation_forward(np.array([-80.0]), "sigmoid"), [math.exp(-80)], np.float64)


def test_a_row_with_inf_or_nan_is_nan():
    x = np.array([[0, inf, 1], [0, nan, 1], [-inf, -inf, -inf]])
    for name in BY_ROWS:
        with np.errstate(invalid="ignore"):
            assert np.isnan(activation_forward(x, name)).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_empty_and_scalar(name):
    for shape in ((0,), (0, 3), (3, 0)):
        y = activation_forward(np.zeros(shape, np.float32), name)
        assert y.shape == activation_backward(y, y, name, z=y).shape == shape
        assert y.dtype == np.float32
    if name in BY_ROWS:
        with pytest.raises(ValueError, match=f"activation_forward: {name} is taken over the last axis"):
            activation_forward(np.array(1.0), name)
    else:
        y = activation_forward(np.array(1, np.float32), name)
        assert isinstance(y, np.ndarray)
        assert y.shape == ()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_out(name, rng):
    x, dy = rng.normal(0, 2, (2, 4, 3))
    y = activation_forward(x.T, name)
    assert y.flags.c_contiguous
    assert not np.shares_memory(y, x)
    x_before = x.copy()
    out = np.empty_like(y)
    assert activation_forward(x.T, name, out=out) is out
    np.testing.assert_array_equal(out, y)
    dz = activation_backward(dy.T, y, name, z=x.T)
    into = np.ascontiguousarray(dy.T)
    assert activation_backward(into, y, name, z=x.T, out=into) is into
    np.testing.assert_array_equal(into, dz)
    np.testing.assert_array_equal(x, x_before)


def test_deliver():
    a, b = np.ones((2, 3)), np.zeros(())
    assert deliver("f", None, a, None)[1] is None
    first, second = deliver("f", (None, b), a, np.float64(3))
    assert first is a
    assert second is b
    assert b == 3
    with pytest.raises(TypeError, match="f: out must be None or a tuple of 2"):
        deliver("f", a, a, b)
    with pytest.raises(ValueError, match=r"f: out has shape \(\) and dtype float64, expected \(2, 3\)"):
        deliver("f", b, a)


def test_errors():
    x = np.ones(3)
    for call in (lambda *args, **kwargs: activation_forward(x, *args, **kwargs),
                 lambda *args, **kwargs: activation_backward(x, x, *args, **kwargs)):  # fmt: skip
        with pytest.raises(ValueError, match="activation 'Sigmoyd' is unknown; did you mean 'sigmoid'"):
            call("Sigmoyd")
        with pytest.raises(ValueError, match="activation 'xyz' is unknown; expected one of linear, relu"):
            call("xyz")
        with pytest.raises(TypeError, match=r"activation must be one of the names linear, .* got None"):
            call(None)
        with pytest.raises(ValueError, match=r"'relu' takes no alpha, got 0\.1; leaky_relu and elu do"):
            call("relu", alpha=0.1)
        for alpha in (-0.1, inf, nan):
            with pytest.raises(ValueError, match="alpha must be a finite number >= 0, got"):
                call("elu", alpha=alpha)
        with pytest.raises(TypeError, match="alpha must be a finite number >= 0, got 'a'"):
            call("elu", alpha="a")
    for name in ("gelu", "gelu_tanh", "silu"):
        with pytest.raises(ValueError, match=f"activation_backward: activation '{name}' needs z"):
            activation_backward(x, x, name)
