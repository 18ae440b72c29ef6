"""The compiled activations beyond parity: special values, tails, gradients, positions, arrays written to, errors."""

import numpy as np
import pytest

from fastopt import kernels, reference
from fastopt.reference.activations import ACTIVATIONS, BY_ROWS

DTYPES = (np.float32, np.float64)
ELEMENTWISE = [name for name in ACTIVATIONS if name not in BY_ROWS]
inf, nan = np.inf, np.nan


def test_table_is_in_the_order_of_the_kinds(compiled):
    assert compiled.activations() == list(ACTIVATIONS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_special_values(name, dtype, isa):
    """Each in each place of a vector, as the definition has it in the same dtype."""
    info = np.finfo(dtype)
    values = [inf, -inf, nan, 0.0, -0.0, info.max, -info.max, info.smallest_subnormal, -info.smallest_subnormal, 3, -3, 1e4, -1e4]
    for shift in range(len(values)):
        z = np.roll(np.array(values * 3, dtype), shift)
        dy = np.full_like(z, 2)
        with np.errstate(over="ignore"):
            want = reference.activation_forward(z, name)
            slope = reference.activation_backward(dy, want, name, z=z)
        got = kernels.activation_forward(z, name)
        np.testing.assert_allclose(got, want, rtol=8 * info.eps, atol=2 * info.smallest_subnormal)
        np.testing.assert_allclose(kernels.activation_backward(dy, want, name, z=z), slope, rtol=8 * info.eps, atol=4 * info.eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BY_ROWS)
@pytest.mark.parametrize("columns", [1, 3, 10, 16, 17, 100])
def test_rows_of_special_values(name, columns, dtype, isa, rng):
    z = rng.normal(0, 1, (6, columns)).astype(dtype)
    z[1, -1], z[2, 0], z[3], z[4, 0] = nan, inf, -inf, -inf
    z[5] += np.finfo(dtype).max / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        want = reference.activation_forward(z.astype(np.float64), name)
    np.testing.assert_allclose(kernels.activation_forward(z, name), want, rtol=100 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


def test_gelu_keeps_the_digits_of_its_left_tail(isa):
    z = -np.linspace(0.01, 36, 10007)
    np.testing.assert_allclose(kernels.activation_forward(z, "gelu"), reference.activation_forward(z, "gelu"), rtol=6 * 2.0**-52)
    z = -np.linspace(0.01, 12, 10007).astype(np.float32)
    want = reference.activation_forward(z.astype(np.float64), "gelu")
    np.testing.assert_allclose(kernels.activation_forward(z, "gelu"), want, rtol=6 * 2.0**-23)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_central_differences(name, isa, rng):
    z, dy, h = rng.normal(0, 3, (30, 5)), rng.normal(0, 1, (30, 5)), 1e-5
    options = {"alpha": 0.7} if ACTIVATIONS[name].alpha else {}
    got = kernels.activation_backward(dy, kernels.activation_forward(z, name, **options), name, z=z, **options)
    for i in range(5):
        step = h * np.eye(5)[i]
        ahead, behind = (kernels.activation_forward(z + s, name, **options) for s in (step, -step))
        np.testing.assert_allclose(got[:, i], np.sum(dy * (ahead - behind), axis=1) / (2 * h), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_bits_do_not_depend_on_the_place(name, dtype, isa, rng):
    z, dy = rng.normal(0, 3, (2, 67)).astype(dtype)
    y = kernels.activation_forward(z, name)
    dz = kernels.activation_backward(dy, y, name, z=z)
    for begin in range(0, 20, 3):
        for n in (1, 2, 5, 8, 15, 16, 17, 33):
            part = slice(begin, begin + n)
            np.testing.assert_array_equal(kernels.activation_forward(z[part], name), y[part])
            np.testing.assert_array_equal(kernels.activation_backward(dy[part], y[part], name, z=z[part]), dz[part])


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("columns", [1, 7, 16, 37])
def test_in_place(name, columns, isa, rng):
    """Over the argument itself, and not a byte beyond."""
    for dtype in DTYPES:
        z, dy = rng.normal(0, 2, (2, 3, columns)).astype(dtype)
        y = kernels.activation_forward(z, name)
        dz = kernels.activation_backward(dy, y, name, z=z)
        around = np.full(z.size + 40, 7, dtype)
        inside = around[20:-20].reshape(z.shape)
        inside[...] = z
        assert kernels.activation_forward(inside, name, out=inside) is inside
        np.testing.assert_array_equal(inside, y)
        for over in "dy", "y":
            inside[...] = {"dy": dy, "y": y}[over]
            arguments = {"dy": dy, "y": y} | {over: inside}
            assert kernels.activation_backward(**arguments, activation=name, z=z, out=inside) is inside
            np.testing.assert_array_equal(inside, dz)
        assert np.all(around[:20] == 7)
        assert np.all(around[-20:] == 7)


def test_errors(compiled, rng):
    x = rng.normal(0, 1, (4, 6)).astype(np.float32)
    y, big = np.zeros_like(x), np.zeros(100, np.float32)
    forward, backward = kernels.activation_forward, kernels.activation_backward
    for call, error, words in [
        (lambda: forward(x, "gelo"), ValueError, "activation_forward: activation 'gelo' is unknown; did you mean 'gelu'"),
        (lambda: forward(x, "quadratic"), ValueError, "'quadratic' is unknown; expected one of linear, relu, "),
        (lambda: forward(x, ["relu"]), TypeError, r"activation must be one of the names linear, .*, got \['relu'\]"),
        (lambda: forward(x, "tanh", alpha=0.1), ValueError, r"'tanh' takes no alpha, got 0\.1"),
        (lambda: forward(x, "elu", alpha=-1), ValueError, "alpha must be a finite number >= 0, got -1"),
        (lambda: forward(x, "elu", alpha="1"), TypeError, "alpha must be a finite number >= 0, got '1'"),
        (lambda: forward([1.0]), TypeError, "activation_forward: x is of type builtins.list"),
        (lambda: forward(x.astype(int)), TypeError, "activation_forward: x has dtype int64"),
        (lambda: forward(np.array(1.0), "softmax"), ValueError, "softmax is taken over the last axis"),
        (lambda: forward(big[:24].reshape(4, 6), out=big[1:25].reshape(4, 6)), ValueError, "out, for y, overlaps x in memory"),
        (lambda: backward(x, y[:3]), ValueError, r"activation_backward: y has shape \(3, 6\), expected \(4, 6\) as dy"),
        (lambda: backward(x, y, z=y[:3]), ValueError, r"activation_backward: z has shape \(3, 6\), expected \(4, 6\) as dy"),
        (lambda: backward(x, y.astype(float)), TypeError, "activation_backward: y has dtype float64, expected float32"),
        (lambda: backward(x, y, "silu"), ValueError, "activation 'silu' needs z, got None"),
        (lambda: backward(big[:24], big[30:54], out=big[31:55]), ValueError, "out, for dz, overlaps y in memory"),
    ]:
        with pytest.raises(error, match=words):
            call()
    assert not y.any()
    assert not big.any()
