"""The judge of the definitions of the products: hand-worked literals, central differences, torch where it is installed."""

import numpy as np
import pytest
from differences import differences

from fastopt.reference import dense_backward, dense_forward, gemm
from fastopt.reference.activations import ACTIVATIONS

DTYPES = (np.float32, np.float64)
NEEDS_Z = ("gelu", "gelu_tanh", "silu")
TORCH = {
    "linear": "identity", "relu": "relu", "leaky_relu": "leaky_relu", "elu": "elu", "selu": "selu", "gelu": "gelu",
    "gelu_tanh": "gelu", "silu": "silu", "sigmoid": "sigmoid", "hard_sigmoid": "hardsigmoid", "tanh": "tanh",
    "softplus": "softplus", "softsign": "softsign", "exponential": "exp", "softmax": "softmax", "log_softmax": "log_softmax",
}  # fmt: skip


def equal(got, want):
    """To the bit, shape and dtype included."""
    want = np.asarray(want, got.dtype)
    assert got.shape == want.shape
    np.testing.assert_array_equal(got, want)


# ---- gemm

A, B, C = [[1, 2, 3], [4, 5, 6]], [[1, 0], [0, 1], [2, -1]], [[7, -1], [16, -1]]  # 1 + 0 + 6, 0 + 2 - 3; 4 + 0 + 12, 0 + 5 - 6


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_gemm_literal(transpose_a, transpose_b, dtype):
    a, b = (np.array(v, dtype) for v in (A, B))
    a, b = a.T.copy() if transpose_a else a, b.T.copy() if transpose_b else b
    options = dict(transpose_a=transpose_a, transpose_b=transpose_b)
    got = gemm(a, b, **options)
    assert got.dtype == dtype
    assert got.flags.c_contiguous
    equal(got, C)
    out = np.full((2, 2), 99, dtype)
    assert gemm(a, b, **options, out=out) is out
    equal(out, C)
    assert gemm(a, b, **options, out=out, accumulate=True) is out
    equal(out, [[14, -2], [32, -2]])
    equal(a.T if transpose_a else a, A)
    equal(b.T if transpose_b else b, B)


def test_gemm_of_nothing():
    equal(gemm(np.ones((2, 0)), np.ones((0, 3))), np.zeros((2, 3)))
    equal(gemm(np.ones((2, 0)), np.ones((0, 3)), out=np.full((2, 3), 5.0), accumulate=True), np.full((2, 3), 5.0))
    assert gemm(np.ones((0, 2)), np.ones((2, 3))).shape == (0, 3)
    assert gemm(np.ones((2, 3)), np.ones((3, 0))).shape == (2, 0)


# ---- dense

X, KERNEL, BIAS = [[1, 2], [-1, 0.5]], [[1, -1, 2], [3, 0, -2]], [0.5, 1, -1]
Z = [[7.5, 0, -3], [1, 2, -4]]  # 1 + 6 + 0.5, -1 + 0 + 1, 2 - 4 - 1; -1 + 1.5 + 0.5, 1 + 0 + 1, -2 - 1 - 1
DY = [[1, 2, 3], [4, 5, 6]]
# relu: z > 0 of the first row in column 0 only, of the second in 0 and 1
RELU = ([[1, 3], [-1, 12]],  # (1, 0, 0) and (4, 5, 0) times kernel^T: 1, 3; 4 - 5, 12
        [[-3, -5, 0], [4, 2.5, 0]],  # x^T times them: 1 - 4, -5; 2 + 2, 2.5
        [5, 5, 0])  # fmt: skip
LINEAR = ([[5, -3], [11, 0]],  # 1 - 2 + 6, 3 + 0 - 6; 4 - 5 + 12, 12 + 0 - 12
          [[-3, -3, -3], [4, 6.5, 9]],  # 1 - 4, 2 - 5, 3 - 6; 2 + 2, 4 + 2.5, 6 + 3
          [5, 7, 9])  # fmt: skip


def layer(dtype):
    return tuple(np.array(v, dtype) for v in (X, KERNEL, BIAS))


@pytest.mark.parametrize("dtype", DTYPES)
def test_forward_literal(dtype):
    x, kernel, bias = layer(dtype)
    equal(dense_forward(x, kernel, bias), Z)
    equal(dense_forward(x, kernel), np.subtract(Z, BIAS))
    equal(dense_forward(x, kernel, bias, "relu"), np.maximum(Z, 0))
    equal(dense_forward(x, kernel, bias, "leaky_relu", alpha=0.5), [[7.5, 0, -1.5], [1, 2, -2]])
    equal(dense_forward(x, kernel, bias, "hard_sigmoid") * 6, [[6, 3, 0], [4, 5, 0]])
    y, z = dense_forward(x, kernel, bias, "relu", return_z=True)
    equal(y, np.maximum(Z, 0))
    equal(z, Z)
    assert y.dtype == z.dtype == dtype
    equal(dense_forward(x[0], kernel, bias), Z[0])
    equal(dense_forward(x[:, None, None], kernel, bias), np.reshape(Z, (2, 1, 1, 3)))
    out = tuple(np.full((2, 3), 99, dtype) for _ in "yz")
    got = dense_forward(x, kernel, bias, "relu", return_z=True, out=out)
    assert got[0] is out[0]
    assert got[1] is out[1]
    equal(out[0], np.maximum(Z, 0))
    equal(out[1], Z)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("activation", "want"), [("linear", LINEAR), ("relu", RELU)])
def test_backward_literal(activation, want, dtype):
    x, kernel, bias = layer(dtype)
    dy, y = np.array(DY, dtype), dense_forward(x, kernel, bias, activation)
    for overwrite_dy in (False, True):
        got = dense_backward(dy.copy(), x, kernel, y, activation, overwrite_dy=overwrite_dy)
        for g, w in zip(got, want):
            assert g.dtype == dtype
            equal(g, w)
    dx, dkernel, dbias = dense_backward(dy.reshape(2, 1, 3), x.reshape(2, 1, 2), kernel, y.reshape(2, 1, 3), activation)
    equal(dx, np.reshape(want[0], (2, 1, 2)))
    equal(dkernel, want[1])
    equal(dbias, want[2])
    for i in range(8):
        need = tuple(bool(i >> j & 1) for j in range(3))
        got = dense_backward(dy, x, kernel, y, activation, need=need)
        for g, w, needed in zip(got, want, need):
            assert (g is not None) == needed
            if needed:
                equal(g, w)


@pytest.mark.parametrize("dtype", DTYPES)
def test_backward_accumulates(dtype):
    """To dkernel and dbias, not to dx."""
    x, kernel, bias = layer(dtype)
    dy, y = np.array(DY, dtype), dense_forward(x, kernel, bias)
    out = tuple(np.full(np.shape(w), 10, dtype) for w in LINEAR)
    got = dense_backward(dy, x, kernel, y, accumulate=True, out=out)
    assert all(g is o for g, o in zip(got, out))
    for g, w in zip(got, (LINEAR[0], np.add(LINEAR[1], 10), np.add(LINEAR[2], 10))):
        equal(g, w)
    dx, dkernel, dbias = dense_backward(dy, x, kernel, y, accumulate=True, need=(True, True, False), out=(None, out[1], None))
    equal(dx, LINEAR[0])
    equal(dkernel, np.multiply(LINEAR[1], 2) + 10)
    assert dbias is None
    equal(dense_backward(dy, x, kernel, y, accumulate=True, need=(True, False, False))[0], LINEAR[0])


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_central_differences(name, shape, rng):
    options = {"alpha": 0.7} if ACTIVATIONS[name].alpha else {}
    x, kernel, bias = rng.normal(0, 1, shape), rng.normal(0, 1, (4, 5)), rng.normal(0, 1, 5)
    dy = rng.normal(0, 1, (*shape[:-1], 5))
    y, z = dense_forward(x, kernel, bias, name, return_z=True, **options)
    got = dense_backward(dy, x, kernel, y, name, z=z, **options)
    for which, gradient in enumerate(got):
        given = [x, kernel, bias]

        def loss(moved, which=which, given=given):
            return np.sum(dy * dense_forward(*given[:which], moved, *given[which + 1 :], name, **options))

        np.testing.assert_allclose(gradient, differences(loss, given[which], 1e-5), rtol=1e-6, atol=1e-7)
    if name not in NEEDS_Z:
        for g, w in zip(dense_backward(dy, x, kernel, y, name, **options), got):
            equal(g, w)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_torch_agrees(name, rng):
    torch = pytest.importorskip("torch")
    x, kernel, bias, dy = (rng.normal(0, 1, s) for s in ((2, 7, 6), (6, 5), (5,), (2, 7, 5)))
    parts = [torch.tensor(a, requires_grad=True) for a in (x, kernel, bias)]
    options = {"gelu_tanh": dict(approximate="tanh"), "leaky_relu": dict(negative_slope=0.2), "softmax": dict(dim=-1),
               "log_softmax": dict(dim=-1)}.get(name, {})  # fmt: skip
    z_torch = parts[0] @ parts[1] + parts[2]
    function = {"identity": lambda z: z, "exp": torch.exp}.get(TORCH[name]) or getattr(torch.nn.functional, TORCH[name])
    y_torch = function(z_torch, **options)
    y_torch.backward(torch.tensor(dy))
    y, z = dense_forward(x, kernel, bias, name, return_z=True)
    np.testing.assert_allclose(y, y_torch.detach(), rtol=1e-9, atol=1e-9)
    tolerance = 1e-6 if name == "hard_sigmoid" else 1e-9  # whose 1/6 in torch is a float32
    for got, part in zip(dense_backward(dy, x, kernel, y, name, z=z), parts):
        np.testing.assert_allclose(got, part.grad, rtol=tolerance, atol=tolerance)


def test_every_activation_is_judged():
    assert list(TORCH) == list(ACTIVATIONS)
    assert [name for name, rule in ACTIVATIONS.items() if rule.needs_z] == list(NEEDS_Z)


def test_errors():
    x, kernel, bias, dy = np.ones((4, 3)), np.ones((3, 2)), np.ones(2), np.ones((4, 2))
    buffer = np.ones((4, 2))
    for call, error, words in [
        (lambda: gemm(x, x), ValueError, r"gemm: a and b.*\(4, 3\) and \(4, 3\), expected \(M, K\) and \(K, N\)"),
        (lambda: gemm(x, kernel, transpose_a=True), ValueError, r"gemm: a and b.*\(3, 4\) and \(3, 2\)"),
        (lambda: gemm(x, kernel, transpose_b=True), ValueError, r"gemm: a and b.*\(4, 3\) and \(2, 3\)"),
        (lambda: gemm(x[0], kernel), ValueError, r"gemm: a and b.*\(3,\) and \(3, 2\)"),
        (lambda: gemm(x, kernel, accumulate=True), ValueError, "gemm: accumulate=True needs out"),
        (lambda: gemm(x, kernel, out=np.ones((4, 3))), ValueError, r"gemm: out has shape \(4, 3\).*expected \(4, 2\)"),
        (lambda: gemm(x, kernel, out=buffer.astype("f4")), ValueError, "gemm: out has .*dtype float32, expected .*float64"),
        (lambda: dense_forward(x, dy), ValueError, r"dense_forward: x and kernel have shapes \(4, 3\) and \(4, 2\)"),
        (lambda: dense_forward(x, bias), ValueError, "dense_forward: x and kernel"),
        (lambda: dense_forward(np.ones(()), kernel), ValueError, "dense_forward: x and kernel"),
        (lambda: dense_forward(x, kernel, np.ones(3)), ValueError,
         r"dense_forward: bias has shape \(3,\), expected \(2,\) = \(O,\)"),
        (lambda: dense_forward(x, kernel, bias, "rely"), ValueError, "activation 'rely' is unknown; did you mean 'relu'"),
        (lambda: dense_forward(x, kernel, bias, "relu", alpha=1), ValueError, "'relu' takes no alpha, got 1"),
        (lambda: dense_forward(x, kernel, return_z=True, out=dy), TypeError, "dense_forward: out must be None or a tuple of 2"),
        (lambda: dense_backward(dy, x, kernel, dy, "silu"), ValueError, "activation 'silu' needs z, got None"),
        (lambda: dense_backward(dy[:3], x, kernel, dy), ValueError, r"dense_backward: dy has shape \(3, 2\), expected \(4, 2\)"),
        (lambda: dense_backward(dy, x, kernel, x), ValueError, r"dense_backward: y has shape \(4, 3\), expected \(4, 2\)"),
        (lambda: dense_backward(dy, x, kernel, dy, "silu", z=x), ValueError,
         r"dense_backward: z has shape \(4, 3\), expected \(4, 2\)"),
        (lambda: dense_backward(dy, x, kernel, dy, accumulate=True), ValueError, "dense_backward: accumulate=True needs dkernel"),
        (lambda: dense_backward(dy, x, kernel, dy, accumulate=True, out=(None, kernel, None)), ValueError,
         "needs dkernel and dbias"),
        (lambda: dense_backward(dy, x, kernel, dy, out=x), TypeError, "dense_backward: out must be None or a tuple of 3"),
    ]:  # fmt: skip
        with pytest.raises(error, match=words):
            call()
    for array in (x, kernel, bias, dy, buffer):
        assert np.all(array == 1)
