"""The judge of the embedding's definition: numbers worked by hand, central differences, torch and Keras."""

import os

import numpy as np
import pytest
from differences import differences

from fastopt import reference

TABLE = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_by_hand():
    y = reference.embedding_forward(np.array([[2, 0], [2, 2]]), TABLE)
    np.testing.assert_array_equal(y, [[[5, 6], [1, 2]], [[5, 6], [5, 6]]])
    dy = np.array([[[1.0, 10], [2, 20]], [[4, 40], [8, 80]]])
    gradient = reference.embedding_backward(dy, np.array([[2, 0], [2, 2]]), TABLE)
    np.testing.assert_array_equal(gradient, [[2, 20], [0, 0], [13, 130]])
    into = np.ones((3, 2))
    assert reference.embedding_backward(dy, np.array([[2, 0], [2, 2]]), TABLE, accumulate=True, out=into) is into
    np.testing.assert_array_equal(into, [[3, 21], [1, 1], [14, 131]])
    np.testing.assert_array_equal(reference.embedding_forward(np.array(1), TABLE), [3, 4])
    np.testing.assert_array_equal(reference.embedding_backward(np.array([7.0, 8]), np.array(1), TABLE), [[0, 0], [7, 8], [0, 0]])
    assert reference.embedding_forward(np.zeros((4, 0), np.uint8), TABLE).shape == (4, 0, 2)


def test_rows_are_added_in_the_order_of_the_indices():
    dy = np.array([[1e8], [1.0], [-1e8], [1.0]], np.float32)  # 1e8 + 1 is 1e8
    assert reference.embedding_backward(dy, np.zeros(4, int), np.zeros((1, 1), np.float32)) == 1


def test_gradient(rng):
    indices, table, dy = rng.integers(0, 5, (3, 4)), rng.standard_normal((5, 2)), rng.standard_normal((3, 4, 2))
    run = lambda table: np.sum(dy * reference.embedding_forward(indices, table))
    want = differences(run, table)
    np.testing.assert_allclose(reference.embedding_backward(dy, indices, table), want, rtol=1e-7, atol=1e-8)


def test_torch_and_keras_agree(rng):
    torch = pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    indices, table, dy = rng.integers(0, 6, (3, 4)), rng.standard_normal((7, 5)), rng.standard_normal((3, 4, 5))
    weight = torch.tensor(table, requires_grad=True)
    y = torch.nn.functional.embedding(torch.tensor(indices), weight)
    y.backward(torch.tensor(dy))
    np.testing.assert_array_equal(reference.embedding_forward(indices, table), y.detach().numpy())
    np.testing.assert_allclose(reference.embedding_backward(dy, indices, table), weight.grad.numpy(), rtol=1e-15)
    layer = keras.layers.Embedding(7, 5, weights=[table.astype("f4")])
    y = keras.ops.convert_to_numpy(layer(indices))
    np.testing.assert_array_equal(reference.embedding_forward(indices, table.astype("f4")), y)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"embedding_forward: indices\[1, 0\] is 3, expected an index in \[0, 3\)"):
        reference.embedding_forward(np.array([[0, 2], [3, 4]]), TABLE)
    with pytest.raises(ValueError, match=r"embedding_backward: indices\[1\] is -1"):
        reference.embedding_backward(np.ones((2, 2)), np.array([0, -1]), TABLE)
    with pytest.raises(ValueError, match=r"dy has shape \(2, 3\), expected \(2, 2\)"):
        reference.embedding_backward(np.ones((2, 3)), np.array([0, 1]), TABLE)
    with pytest.raises(TypeError, match="indices is float64, expected a NumPy array of integers"):
        reference.embedding_forward(np.array([0.0]), TABLE)
    with pytest.raises(ValueError, match="accumulate=True needs out"):
        reference.embedding_backward(np.ones((2, 2)), np.array([0, 1]), TABLE, accumulate=True)
