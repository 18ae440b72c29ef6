"""Bad input to the compiled products, and results that would lie over what is read."""

import itertools

import numpy as np
import pytest

from fastopt import kernels


def test_errors(compiled):
    """Each names the function and the argument, says what came and what was expected, and nothing was written."""
    x, kernel, bias, dy = np.ones((4, 3)), np.ones((3, 2)), np.ones(2), np.ones((4, 2))
    locked, odd = np.ones((4, 2)), np.frombuffer(bytes(65), np.uint8)[1:].view(np.float64).reshape(4, 2)
    locked.flags.writeable = False
    gemm, forward, backward = kernels.gemm, kernels.dense_forward, kernels.dense_backward
    cases = [
        (lambda: gemm(x.tolist(), kernel), TypeError, "gemm: a is of type builtins.list, expected a NumPy array"),
        (lambda: gemm(x, None), TypeError, "gemm: b is None, expected a NumPy array"),
        (lambda: gemm(x.astype(int), kernel), TypeError, "gemm: a has dtype int64, expected float32 or float64"),
        (lambda: gemm(x.astype("f2"), kernel), TypeError, "gemm: a has dtype float16"),
        (lambda: gemm(x.astype(">f8"), kernel), TypeError, "gemm: a has dtype >f8, .*newbyteorder"),
        (lambda: gemm(x, kernel.astype("f4")), TypeError, "gemm: b has dtype float32, expected float64"),
        (lambda: gemm(odd, kernel.T), ValueError, "gemm: a is not aligned"),
        (lambda: gemm(x[0], kernel), ValueError, r"gemm: a has shape \(3,\), expected two dimensions"),
        (lambda: gemm(x, kernel[None]), ValueError, r"gemm: b has shape \(1, 3, 2\), expected two dimensions"),
        (lambda: gemm(x, dy), ValueError, r"gemm: b has shape \(4, 2\), expected \(3, 2\) = \(K, N\)"),
        (lambda: gemm(x, kernel, transpose_a=True), ValueError, r"gemm: b has shape \(3, 2\), expected \(4, 2\) = \(K, N\)"),
        (lambda: gemm(x, kernel, transpose_b=True), ValueError, r"gemm: b has shape \(3, 2\), expected \(3, 3\) = \(N, K\)"),
        (lambda: gemm(x, kernel, accumulate=True), ValueError, "gemm: accumulate=True needs out"),
        (lambda: gemm(x, kernel, out=x), ValueError, r"gemm: out, for c, has shape \(4, 3\).*expected .*float64 .*\(4, 2\)"),
        (lambda: gemm(x, kernel, out=dy.astype("f4")), ValueError, "gemm: out, for c, .*dtype float32"),
        (lambda: gemm(x, kernel, out=np.ones((2, 4)).T), ValueError, r"gemm: out, for c, .*strides \(8, 32\)"),
        (lambda: gemm(x, kernel, out=locked), ValueError, "gemm: out, for c, .* is read-only"),
        (lambda: gemm(x, kernel, out=(dy,)), TypeError, "gemm: out, for c, is of type tuple"),
        (lambda: gemm(x, kernel, out=odd), ValueError, "gemm: out, for c"),
        (lambda: forward(x.tolist(), kernel), TypeError, "dense_forward: x is of type builtins.list"),
        (lambda: forward(x, kernel.astype("f4")), TypeError, "dense_forward: kernel has dtype float32, expected float64"),
        (lambda: forward(x, kernel, bias.astype("f4")), TypeError, "dense_forward: bias has dtype float32, expected float64"),
        (lambda: forward(np.ones(()), kernel), ValueError, r"dense_forward: x has shape \(\), expected \(..., 3\) = \(..., I\)"),
        (lambda: forward(dy, kernel), ValueError, r"dense_forward: x has shape \(4, 2\), expected \(..., 3\)"),
        (lambda: forward(x, bias), ValueError, r"dense_forward: kernel has shape \(2,\), expected \(I, O\)"),
        (lambda: forward(x, kernel, np.ones(3)), ValueError, r"dense_forward: bias has shape \(3,\), expected \(2,\) = \(O,\)"),
        (lambda: forward(x, kernel, bias[None]), ValueError, r"dense_forward: bias has shape \(1, 2\), expected \(2,\)"),
        (lambda: forward(x, kernel, bias, "tanj"), ValueError, "dense_forward: activation 'tanj' is unknown; did you mean 'tanh'"),
        (lambda: forward(x, kernel, bias, None), TypeError, "dense_forward: activation must be one of the names"),
        (lambda: forward(x, kernel, bias, "relu", alpha=0.1), ValueError,
         "dense_forward: activation 'relu' takes no alpha, got 0.1"),
        (lambda: forward(x, kernel, bias, "elu", alpha=np.nan), ValueError,
         "dense_forward: alpha must be a finite number >= 0, got nan"),
        (lambda: forward(x, kernel, return_z=True, out=dy), TypeError,
         "dense_forward: out must be a tuple of 2 arrays.* got ndarray"),
        (lambda: forward(x, kernel, return_z=True, out=(dy, x)), ValueError, "dense_forward: out, for z, has shape"),
        (lambda: forward(x, kernel, out=x), ValueError, "dense_forward: out, for y, has shape"),
        (lambda: backward(None, x, kernel, dy), TypeError, "dense_backward: dy is None"),
        (lambda: backward(dy, x, kernel, None), TypeError, "dense_backward: y is None"),
        (lambda: backward(dy.astype("f4"), x, kernel, dy), TypeError, "dense_backward: dy has dtype float32, expected float64"),
        (lambda: backward(dy, x, kernel, dy.astype("f4")), TypeError, "dense_backward: y has dtype float32, expected float64"),
        (lambda: backward(dy, x, kernel, dy, "silu", z=dy.astype("f4")), TypeError, "dense_backward: z has dtype float32"),
        (lambda: backward(dy, x, kernel.T, dy), ValueError, r"dense_backward: x has shape \(4, 3\), expected \(..., 2\)"),
        (lambda: backward(dy[:3], x, kernel, dy), ValueError,
         r"dense_backward: dy has shape \(3, 2\), expected \(4, 2\) = \(..., O\)"),
        (lambda: backward(dy.reshape(2, 2, 2), x.reshape(4, 1, 3), kernel, dy.reshape(2, 2, 2)), ValueError,
         r"dense_backward: dy has shape \(2, 2, 2\), expected \(4, 1, 2\)"),
        (lambda: backward(dy, x, kernel, dy[:3]), ValueError, r"dense_backward: y has shape \(3, 2\), expected \(4, 2\) as dy"),
        (lambda: backward(dy, x, kernel, dy, z=x), ValueError, r"dense_backward: z has shape \(4, 3\), expected \(4, 2\) as dy"),
        (lambda: backward(dy, x, kernel, dy, "gelu"), ValueError, "dense_backward: activation 'gelu' needs z, got None"),
        (lambda: backward(dy, x, kernel, dy, "gelo", z=dy), ValueError, "dense_backward: activation 'gelo' is unknown"),
        (lambda: backward(dy, x, kernel, dy, accumulate=True), ValueError,
         "dense_backward: accumulate=True needs dkernel and dbias"),
        (lambda: backward(dy, x, kernel, dy, accumulate=True, out=(None, kernel.copy(), None)), ValueError,
         "accumulate=True needs"),
        (lambda: backward(dy, x, kernel, dy, accumulate=True, out=(None, None, bias)), ValueError, "accumulate=True needs"),
        (lambda: backward(dy, x, kernel, dy, need=True), TypeError, "dense_backward: need must be three flags, .* got True"),
        (lambda: backward(dy, x, kernel, dy, need=(True, False)), TypeError, r"dense_backward: need .* got \(True, False\)"),
        (lambda: backward(dy, x, kernel, dy, out=x), TypeError, "dense_backward: out must be a tuple of 3 arrays.* got ndarray"),
        (lambda: backward(dy, x, kernel, dy, out=(None, None, kernel)), ValueError, "dense_backward: out, for dbias, has shape"),
        (lambda: backward(dy, x, kernel, dy, out=(dy, None, None)), ValueError, "dense_backward: out, for dx, has shape"),
        (lambda: backward(dy, x, kernel, dy, out=(None, x, None)), ValueError, "dense_backward: out, for dkernel, has shape"),
    ]  # fmt: skip
    for call, error, words in cases:
        with pytest.raises(error, match=words):
            call()
    for array in (x, kernel, bias, dy, locked):
        assert np.all(array == 1)


SIZES = dict(dy=(4, 5), x=(4, 5), kernel=(5, 5), bias=(5,), y=(4, 5), z=(4, 5), dx=(4, 5), dkernel=(5, 5), dbias=(5,))
SIZES |= dict(a=(4, 5), b=(5, 5), c=(4, 5))


def overlapping(first, second):
    """Two arrays of these names' sizes with all but one element, and with one element, in common."""
    n, m = (int(np.prod(SIZES[name])) for name in (first, second))
    for start, other in ((0, 1), (m - 1, 0), (0, n - 1)):
        base = np.ones(n + m)
        yield base[start : start + n].reshape(SIZES[first]), base[other : other + m].reshape(SIZES[second])


@pytest.mark.parametrize(("function", "arguments", "names", "options"), [
    ("gemm", ("a", "b"), ("c",), {}),
    ("dense_forward", ("x", "kernel", "bias"), ("y",), {}),
    ("dense_forward", ("x", "kernel", "bias"), ("y", "z"), dict(return_z=True)),
    ("dense_backward", ("dy", "x", "kernel", "y", "z"), ("dx", "dkernel", "dbias"), {}),
])  # fmt: skip
def test_results_apart_from_arguments_and_each_other(function, arguments, names, options, compiled):
    """Each result over each argument and over each other result."""
    given = {name: np.ones(SIZES[name]) for name in arguments}

    def call(arrays, results):
        out = tuple(results.get(name) for name in names)
        return getattr(kernels, function)(**given | arrays, **options, out=out if len(out) > 1 else out[0])

    for name, argument in itertools.product(names, arguments):
        for out, array in overlapping(name, argument):
            with pytest.raises(ValueError, match=f"{function}: out, for {name}, overlaps {argument} in memory"):
                call({argument: array}, {name: out})
            assert np.all(out == 1)
    for first, second in itertools.combinations(names, 2):
        for pair in overlapping(first, second):
            with pytest.raises(ValueError, match=f"{function}: out, for {first}, overlaps {second} in memory"):
                call({}, dict(zip((first, second), pair)))
            assert np.all(pair[0] == 1)


def test_results_among_the_rows_of_an_argument(compiled):
    """Judged exactly: between two rows of b is room, in one of them is not."""
    base = np.ones((6, 6))
    a, b = np.full((1, 3), 2.0), base[::2, :4]
    with pytest.raises(ValueError, match="gemm: out, for c, overlaps b in memory"):
        kernels.gemm(a, b, out=base.reshape(-1)[3:7].reshape(1, 4))
    assert np.all(base == 1)
    kernels.gemm(a, b, out=base[1, 1:5].reshape(1, 4))
    assert np.all(base[1] == [1, 6, 6, 6, 6, 1])
    assert np.all(base[[0, 2, 3, 4, 5]] == 1)


def test_a_packed_operand_is_whole_once_it_exists(compiled):
    """Also that of a subclass that forgets to call its base."""

    class Named(kernels.Packed):
        def __init__(self, b, name):
            self.name = name

    with pytest.raises(TypeError):
        kernels.Packed.__new__(kernels.Packed)
    with pytest.raises(TypeError):
        Named(np.ones((2, 3)), "kernel")
