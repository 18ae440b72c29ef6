"""The judge of the losses' definitions: numbers worked by hand, central differences, Keras; nothing compiled."""

import math
import os

import numpy as np
import pytest
from differences import differences

from fastopt.reference import losses

EPS = 1e-7
LOG2, LOG3 = math.log(2), math.log(3)
SOFTPLUS_1 = math.log(1 + math.exp(-1))
ENTROPIES = [{}, dict(label_smoothing=0.2), dict(from_logits=True), dict(from_logits=True, label_smoothing=0.2)]
LOSSES = {
    "mean_squared_error": [{}],
    "mean_absolute_error": [{}],
    "huber": [{}, dict(delta=0.3)],
    "binary_crossentropy": ENTROPIES,
    "categorical_crossentropy": ENTROPIES,
    "sparse_categorical_crossentropy": [{}, dict(from_logits=True)],
    "kl_divergence": [{}],
    "hinge": [{}],
    "cosine_similarity": [{}],
}  # fmt: skip
OF_PROBABILITIES = {"binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence"}
EACH = [(name, options) for name, variants in LOSSES.items() for options in variants]


def draw(name, options, rng, shape, dtype=np.float64):
    """Targets and predictions of the loss; probabilities do not sum to 1, so that normalising them shows."""
    if name == "sparse_categorical_crossentropy":
        y_true = rng.integers(0, shape[-1], shape[:-1])
    elif name in OF_PROBABILITIES:
        y_true = rng.uniform(0.05, 0.95, shape).astype(dtype)
    else:
        y_true = rng.normal(size=shape).astype(dtype)
    probabilities = name in OF_PROBABILITIES
    y_pred = rng.uniform(0.1, 0.9, shape) if probabilities and not options.get("from_logits") else 2 * rng.normal(size=shape)
    return y_true, y_pred.astype(dtype)


@pytest.mark.parametrize(("name", "y_true", "y_pred", "options", "loss", "gradient"), [
    # two columns, one row: (1^2 + 2^2) / 2, 2 e / 2
    ("mean_squared_error", [1, 5], [2, 3], {}, 2.5, [1, -2]),
    ("mean_absolute_error", [1, 5], [2, 3], {}, 1.5, [0.5, -0.5]),
    ("mean_absolute_error", [1, 5], [1, 5], {}, 0, [0, 0]),
    # 0.5^2 / 2 inside, 1 * 3 - 1 / 2 outside
    ("huber", [0, 5], [0.5, 2], {}, (0.125 + 2.5) / 2, [0.25, -0.5]),
    ("huber", [0, 5], [0.5, 2], dict(delta=4.0), (0.125 + 4.5) / 2, [0.25, -1.5]),
    ("huber", [0, 0], [1, -1], {}, 0.5, [0.5, -0.5]),  # on the edge
    # -log(1/4), -log(1 - 1/4); -1 / p, 1 / (1 - p)
    ("binary_crossentropy", [1, 0], [0.25, 0.25], {}, (3 * LOG2 + LOG2 - LOG3) / 2, [-2, 2 / 3]),
    # targets 0.9, 0.1: both logs
    ("binary_crossentropy", [1, 0], [0.5, 0.5], dict(label_smoothing=0.2), LOG2, [-0.8, 0.8]),
    ("binary_crossentropy", [1, 0], [0.0, 1.0], {}, -(math.log(EPS) + math.log(1 - (1 - EPS))) / 2, [0, 0]),  # clipped
    ("binary_crossentropy", [1, 0], [1.0, 0.0], {}, -math.log1p(-EPS), [0, 0]),
    ("binary_crossentropy", [1, 0], [0.0, 0.0], dict(from_logits=True), LOG2, [-0.25, 0.25]),
    ("binary_crossentropy", [1, 0], [1.0, 1.0], dict(from_logits=True), SOFTPLUS_1 + 0.5,
     [-0.5 / (1 + math.e), 0.5 * math.e / (1 + math.e)]),
    ("binary_crossentropy", [1, 0], [1e4, -1e4], dict(from_logits=True), 0, [0, 0]),
    ("binary_crossentropy", [0, 1], [1e4, -1e4], dict(from_logits=True), 1e4, [0.5, -0.5]),
    # 2, 6 over 8: -log(1/4); (1, 1) / 8 less 1 / 2 where the target is
    ("categorical_crossentropy", [1, 0], [2, 6], {}, 2 * LOG2, [-3 / 8, 1 / 8]),
    ("sparse_categorical_crossentropy", 0, [2, 6], {}, 2 * LOG2, [-3 / 8, 1 / 8]),
    ("categorical_crossentropy", [1, 0], [2, 6], dict(label_smoothing=0.5),  # targets 3/4, 1/4; 1 / 8 - t / y
     0.75 * 2 * LOG2 + 0.25 * (2 * LOG2 - LOG3), [1 / 8 - 3 / 8, 1 / 8 - 1 / 24]),
    ("categorical_crossentropy", [1, 0], [0.0, 1.0], {}, -math.log(EPS), [0, 0]),
    ("categorical_crossentropy", [0, 1], [0.0, 1.0], {}, -math.log1p(-EPS), [0, 0]),
    ("sparse_categorical_crossentropy", 1, [1.0, 0.0], {}, -math.log(EPS), [0, 0]),
    ("sparse_categorical_crossentropy", 0, [3.0], {}, -math.log1p(-EPS), [0]),  # one column: p = 1
    ("categorical_crossentropy", [1, 0], [LOG3, 0], dict(from_logits=True), 2 * LOG2 - LOG3, [-0.25, 0.25]),
    ("sparse_categorical_crossentropy", 1, [LOG3, 0], dict(from_logits=True), 2 * LOG2, [0.75, -0.75]),
    ("categorical_crossentropy", [2, 1], [LOG3, 0], dict(from_logits=True), 6 * LOG2 - 2 * LOG3, [0.25, -0.25]),  # 3 p - t
    ("sparse_categorical_crossentropy", 1, [1e4, -1e4], dict(from_logits=True), 2e4, [1, -1]),
    ("sparse_categorical_crossentropy", 0, [1e4, -1e4], dict(from_logits=True), 0, [0, 0]),
    ("sparse_categorical_crossentropy", 0, [7.0], dict(from_logits=True), 0, [0]),
    ("kl_divergence", [0.5, 0.5], [0.25, 1], {}, 0.5 * LOG2 - 0.5 * LOG2, [-2, -0.5]),
    ("kl_divergence", [0, 1], [0.5, 0.5], {}, EPS * math.log(2 * EPS) + LOG2, [-2 * EPS, -2]),
    ("kl_divergence", [1, 1], [0.0, 2.0], {}, -math.log(EPS), [0, 0]),
    ("hinge", [1, -1], [0.5, 0.25], {}, (0.5 + 1.25) / 2, [-0.5, 0.5]),
    ("hinge", [1, 0], [0.5, 0.25], {}, (0.5 + 1.25) / 2, [-0.5, 0.5]),  # all 0 or 1
    ("hinge", [2, 0], [0.25, 9], {}, (0.5 + 1) / 2, [-1, 0]),  # not all: as they are
    ("hinge", [1, 1], [1, 3], {}, 0, [0, 0]),
    # (0.6, 0.8) and (1, 0): the cosine is 0.6; (0.6 (1, 0) - (0.6, 0.8)) / 5
    ("cosine_similarity", [3, 4], [5, 0], {}, -0.6, [0, -0.16]),
    ("cosine_similarity", [0, 0], [5, 0], {}, 0, [0, 0]),
    ("cosine_similarity", [3, 4], [0, 0], {}, 0, [-0.6 / EPS, -0.8 / EPS]),
    ("cosine_similarity", [2], [-5], {}, 1, [0]),
])  # fmt: skip
def test_literals(name, y_true, y_pred, options, loss, gradient):
    y_true = np.array(y_true, None if name.startswith("sparse") else np.float64)
    value, dy = getattr(losses, name)(y_true, np.array(y_pred, np.float64), **options)
    assert isinstance(value, float)
    assert value == pytest.approx(loss, rel=1e-14, abs=1e-15)
    np.testing.assert_allclose(dy, gradient, rtol=1e-14, atol=1e-15)


def test_edges_round_to_the_dtype():
    """1 - 1e-7 is 1 - 2^-23 in float32, 1e-7 within half a unit of itself."""
    for p, edge in ((1.0, 2.0**-23), (0.0, 1e-7)):
        value, dy = losses.binary_crossentropy(np.array([1 - p], np.float32), np.array([p], np.float32))
        assert value == pytest.approx(-math.log(edge), rel=1e-6)
        assert dy == 0


def test_penalty():
    w = np.array([[1.0, -2.0], [0.0, 4.0]])  # sum |w| = 7, sum w^2 = 21
    value, gradient = losses.penalty(w, l1=0.5, l2=0.25)
    assert value == 3.5 + 5.25
    np.testing.assert_array_equal(gradient, [[0.5 + 0.5, -0.5 - 1], [0, 0.5 + 2]])
    out = np.ones((2, 2))
    value, same = losses.penalty(w, l1=0.5, accumulate=True, out=out)
    assert value == 3.5
    assert same is out
    np.testing.assert_array_equal(out, [[1.5, 0.5], [1, 1.5]])
    assert losses.penalty(w) == (0, pytest.approx(np.zeros((2, 2))))


@pytest.mark.parametrize(("name", "options"), EACH)
def test_weights_and_rows(name, options, rng):
    """The mean of the rows, or their weighted sum; the gradient of each row by itself."""
    loss = getattr(losses, name)
    y_true, y_pred = draw(name, options, rng, (2, 3, 4))
    one_by_one = [[loss(y_true[i, j], y_pred[i, j], **options) for j in range(3)] for i in range(2)]
    each = np.array([[value for value, _ in row] for row in one_by_one])
    slopes = np.array([[dy for _, dy in row] for row in one_by_one])
    rows, weight = np.empty((2, 3)), rng.uniform(0.5, 2, (2, 3))
    value, dy = loss(y_true, y_pred, rows=rows, **options)
    np.testing.assert_allclose(rows, each, rtol=1e-12)
    np.testing.assert_allclose(value, each.mean(), rtol=1e-12)
    np.testing.assert_allclose(dy, slopes / 6, rtol=1e-12, atol=1e-15)
    out = np.empty((2, 3, 4))
    value, dy = loss(y_true, y_pred, weight=weight, out=out, **options)
    assert dy is out
    np.testing.assert_allclose(value, (weight * each).sum(), rtol=1e-12)
    np.testing.assert_allclose(dy, weight[..., None] * slopes, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("name", "options"), EACH)
def test_gradients(name, options, rng):
    loss = getattr(losses, name)
    y_true, y_pred = draw(name, options, rng, (3, 5))
    weight = rng.uniform(0.5, 2, 3)
    _, dy = loss(y_true, y_pred, weight=weight, **options)
    np.testing.assert_allclose(
        dy, differences(lambda p: loss(y_true, p, weight=weight, **options)[0], y_pred), rtol=1e-7, atol=1e-8
    )


def test_gradient_of_the_penalty(rng):
    w = rng.uniform(0.5, 2, (3, 4)) * rng.choice([-1, 1], (3, 4))
    _, gradient = losses.penalty(w, l1=0.3, l2=0.7)
    np.testing.assert_allclose(gradient, differences(lambda v: losses.penalty(v, l1=0.3, l2=0.7)[0], w), rtol=1e-9)


def test_not_a_number_shows(rng):
    for name, options in EACH:
        y_true, y_pred = draw(name, options, rng, (3, 4))
        y_pred[1, 2] = np.nan
        rows = np.empty(3)
        with np.errstate(invalid="ignore"):
            value, dy = getattr(losses, name)(y_true, y_pred, rows=rows, **options)
        assert math.isnan(value), name
        assert np.isnan(rows).tolist() == [False, True, False], name
        assert np.isnan(dy[1, 2]) or name == "hinge", name  # whose slope is -t on either side
        assert np.isfinite(dy[::2]).all(), name


def test_no_rows():
    for name, options in EACH:
        y_true = np.zeros(0, int) if name.startswith("sparse") else np.zeros((0, 3))
        value, dy = getattr(losses, name)(y_true, np.zeros((0, 3)), **options)
        assert value == 0
        assert dy.shape == (0, 3)


@pytest.mark.parametrize(("y_true", "y_pred", "error", "message"), [
    ([[3], [-1], [9]], np.ones((3, 1, 4)), ValueError, "y_true[1, 0] is -1, expected a class in [0, 4)"),
    ([0, 4], np.ones((2, 4)), ValueError, "y_true[1] is 4, expected a class in [0, 4)"),
    ([0.0, 1.0], np.ones((2, 4)), TypeError, "y_true has dtype float64, expected integers"),
    ([[0], [1]], np.ones((2, 4)), ValueError, "y_true has shape (2, 1), expected (2,) for y_pred of shape (2, 4)"),
    (0, np.ones(()), ValueError, "y_pred has shape (), expected (..., C) with at least one column"),
    ([0, 1], np.ones((2, 0)), ValueError, "y_pred has shape (2, 0), expected (..., C) with at least one column"),
])  # fmt: skip
def test_labels_that_are_refused(y_true, y_pred, error, message):
    with pytest.raises(error) as caught:
        losses.sparse_categorical_crossentropy(np.array(y_true), y_pred)
    assert str(caught.value) == f"sparse_categorical_crossentropy: {message}"


def test_targets_never_broadcast():
    for name in LOSSES:
        if not name.startswith("sparse"):
            with pytest.raises(ValueError, match=rf"{name}: y_true has shape \(4,\), expected \(4, 1\)"):
                getattr(losses, name)(np.ones(4), np.ones((4, 1)))


@pytest.mark.parametrize("edges", [False, True])
@pytest.mark.parametrize(("name", "options"), EACH)
def test_keras(name, options, edges, rng):
    """Losses and, away from the edges, the gradients that Keras's backend derives; Keras works in float32."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    torch, keras, dtype = pytest.importorskip("torch"), pytest.importorskip("keras"), np.float32
    y_true, y_pred = draw(name, options, rng, (40, 5), dtype)
    probabilities = name in OF_PROBABILITIES
    if edges and options.get("from_logits"):
        y_pred *= dtype(1e4)
    elif edges and probabilities:
        y_pred = np.eye(5, dtype=dtype)[rng.integers(0, 5, 40)]
    elif edges:
        y_pred[::3] = 0
        y_true[::4] = 0
    if edges and name == "hinge":
        y_true = rng.integers(0, 2, (40, 5)).astype(dtype)
    rows = np.empty(40, dtype)
    _, dy = getattr(losses, name)(y_true, y_pred, rows=rows, weight=np.ones(40, dtype), **options)
    p = torch.tensor(y_pred, requires_grad=True)
    want = getattr(keras.losses, name)(torch.tensor(y_true), p, **options)
    scale = np.finfo(dtype).eps
    np.testing.assert_allclose(rows, want.detach().numpy(), rtol=20 * scale, atol=20 * scale)
    if not edges:
        want.sum().backward()
        np.testing.assert_allclose(dy, p.grad.numpy(), rtol=50 * scale, atol=50 * scale)
