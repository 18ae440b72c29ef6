"""A dense layer's passes with what calls have in common checked once: the results, errors and untouched arrays of the functions."""

import numpy as np
import pytest

from fastopt import kernels
from fastopt.backend import core

ROWS, INPUTS, OUTPUTS = 6, 5, 3


class Layer:
    """Arrays of a layer, its passes, and what the functions say about them."""

    def __init__(self, rng, activation, alpha=None, dtype=np.float32, bias=True):
        self.draw = lambda *shape: rng.standard_normal(shape).astype(dtype)
        self.kernel, self.bias = self.draw(INPUTS, OUTPUTS), self.draw(OUTPUTS) if bias else None
        self.activation, self.alpha = activation, alpha
        self.y, z = self.draw(ROWS, OUTPUTS), self.draw(ROWS, OUTPUTS) if activation.startswith("gelu") else None
        self.passes = core.DensePasses(activation, alpha, self.y, z)
        self.out = self.draw(ROWS, INPUTS), self.draw(INPUTS, OUTPUTS), self.draw(OUTPUTS) if bias else None

    def check(self, x, dy, accumulate=False):
        """Both passes, against the functions on copies."""
        options = {"activation": self.activation, "alpha": self.alpha}
        y, z = kernels.dense_forward(x, self.kernel, self.bias, return_z=True, **options)
        need = [array is not None for array in self.out]
        before = tuple(None if array is None else array.copy() for array in self.out)
        want = kernels.dense_backward(
            dy.copy(), x, self.kernel, y, z=z, need=need, accumulate=accumulate, out=before if accumulate else None, **options
        )
        assert self.passes.forward(x, self.kernel, self.bias) is self.y
        np.testing.assert_array_equal(self.y, y)
        self.passes.backward(dy, x, self.kernel, self.out, accumulate)
        for got, expected in zip(self.out, want):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("activation", "alpha"), [("relu", None), ("leaky_relu", 0.3), ("gelu", None), ("softmax", None)])
@pytest.mark.parametrize("bias", [True, False])
def test_call_after_call(rng, isa, activation, alpha, dtype, bias):
    layer = Layer(rng, activation, alpha, dtype, bias)
    for turn in range(6):
        layer.check(layer.draw(ROWS, INPUTS), layer.draw(ROWS, OUTPUTS), accumulate=turn % 3 == 1)


def test_arrays_that_are_exchanged(rng):
    layer = Layer(rng, "tanh")
    changes = [
        lambda: setattr(layer, "kernel", layer.draw(INPUTS, OUTPUTS)),
        lambda: setattr(layer, "bias", layer.draw(OUTPUTS)),
        lambda: setattr(layer, "bias", None),
        lambda: setattr(layer, "out", (None, layer.draw(INPUTS, OUTPUTS), layer.draw(OUTPUTS))),
        lambda: setattr(layer, "out", (layer.draw(ROWS, INPUTS), None, layer.draw(OUTPUTS))),
        lambda: layer.kernel.fill(0.5),
    ]
    for change in changes:
        for _ in range(2):
            layer.check(layer.draw(ROWS, INPUTS), layer.draw(ROWS, OUTPUTS))
        change()
    layer.check(layer.draw(ROWS, INPUTS), layer.draw(ROWS, OUTPUTS))


def test_arrays_of_any_strides(rng):
    layer = Layer(rng, "relu")
    for _ in range(2):
        layer.check(layer.draw(INPUTS, ROWS).T, layer.draw(2 * ROWS, OUTPUTS)[::-2])
        layer.check(layer.draw(ROWS, INPUTS), layer.draw(ROWS, OUTPUTS))
    layer.kernel = layer.draw(OUTPUTS, INPUTS).T
    for _ in range(2):
        layer.check(layer.draw(ROWS, INPUTS), layer.draw(ROWS, OUTPUTS))


def test_dy_that_must_not_change_does_not(compiled, rng):
    """Read-only, or lying in what is still read."""
    layer = Layer(rng, "relu")
    shared = layer.draw(ROWS * INPUTS)
    layer.check(shared.reshape(ROWS, INPUTS), layer.draw(ROWS, OUTPUTS))
    fixed = layer.draw(ROWS, OUTPUTS)
    fixed.flags.writeable = False
    for dy in (fixed, shared[: ROWS * OUTPUTS].reshape(ROWS, OUTPUTS)):
        before, values = dy.copy(), shared.copy()
        layer.check(shared.reshape(ROWS, INPUTS), dy)
        np.testing.assert_array_equal(dy, before)
        np.testing.assert_array_equal(shared, values)


def test_what_does_not_fit_is_refused_and_the_next_call_is_right(compiled, rng):
    layer = Layer(rng, "relu")
    x, dy = layer.draw(ROWS, INPUTS), layer.draw(ROWS, OUTPUTS)
    forward = lambda given, kernel=layer.kernel, bias=layer.bias: lambda: layer.passes.forward(given, kernel, bias)
    backward = lambda given, out=layer.out: lambda: layer.passes.backward(given, x, layer.kernel, out, False)
    overlapping = layer.draw(ROWS * INPUTS + INPUTS * OUTPUTS)
    inside = overlapping[: ROWS * INPUTS].reshape(ROWS, INPUTS)
    wrong = [
        (forward(layer.draw(ROWS + 1, INPUTS)), ValueError, "out, for y, has shape"),
        (forward(layer.draw(ROWS, INPUTS + 1)), ValueError, "dense_forward: x has shape"),
        (forward(x.astype("f8")), TypeError, "dense_forward: kernel has dtype float32, expected float64"),
        (forward(x.tolist()), TypeError, "dense_forward: x"),
        (forward(x, layer.kernel[:, :2]), ValueError, "dense_forward: bias has shape"),
        (forward(x, bias=layer.y[0]), ValueError, "overlaps bias in memory"),
        (backward(layer.draw(ROWS + 1, OUTPUTS)), ValueError, "dense_backward: dy has shape"),
        (backward(dy.astype("f8")), TypeError, "dense_backward: dy has dtype float64"),
        (backward(layer.out[1][:3].repeat(2, 0), (None, layer.out[1][:3], None)), ValueError, "out, for dkernel, has shape"),
        (backward(layer.out[0].reshape(-1)[: ROWS * OUTPUTS].reshape(ROWS, OUTPUTS)), ValueError, "out, for dx, overlaps dy"),
        (lambda: layer.passes.backward(dy, inside, layer.kernel, (inside, None, None), False), ValueError, "dx, overlaps x"),
    ]
    for call, error, message in wrong:
        layer.check(x, dy.copy())
        with pytest.raises(error, match=message):
            call()
        layer.check(x, dy.copy())
    square = core.DensePasses("relu", None, inside[:, :INPUTS], None)
    kernel = layer.draw(INPUTS, INPUTS)
    square.forward(x, kernel, None)
    with pytest.raises(ValueError, match="out, for y, overlaps x"):
        square.forward(inside, kernel, None)
    with pytest.raises(TypeError):
        core.DensePasses.__new__(core.DensePasses)
