"""Metrics are tried on the first targets before anything changes; what fits is trained with, whatever its axes."""

import numpy as np
import pytest

from fastopt import nn

X, LABELS = np.random.default_rng(3).standard_normal((40, 4)).astype("f4"), np.arange(40) % 3


class Squares(nn.metrics.Metric):
    """A metric of the user's, whose state is an array that it changes in place."""

    def __init__(self, name="squares"):
        super().__init__(name)
        self.total = np.zeros(2)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total += (y_pred**2).sum(), len(y_pred)

    def result(self):
        return self.total[0] / max(self.total[1], 1)

    def reset_state(self):
        self.total[...] = 0


MISFITS = {
    "name": ("precision", r"metric 'precision' does not take y of shape \(\d+,\) with predictions of shape \(None, 3\): "),
    "object": (nn.metrics.F1Score(), r"metric 'f1_score' does not take y of shape \(\d+,\) with predictions of shape \(None, 3\)"),
    "class": (nn.metrics.Recall, "metric 'recall' does not take y"),
}  # fmt: skip
WAYS = {
    "fit": lambda model: model.fit(X, LABELS, verbose=0),
    "fit, batches": lambda model: model.fit(iter([(X[:32], LABELS[:32])]), verbose=0),
    "evaluate": lambda model: model.evaluate(X, LABELS, verbose=0),
    "train_on_batch": lambda model: model.train_on_batch(X, LABELS),
}


@pytest.mark.parametrize("group", ["metrics", "weighted_metrics"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("misfit", MISFITS)
def test_a_misfit_changes_nothing(misfit, way, group):
    metric, message = MISFITS[misfit]
    model = nn.Sequential([nn.Input((4,)), nn.Dense(5), nn.BatchNormalization(), nn.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", **{group: ["accuracy", metric]})
    before = model.get_weights()
    for _ in range(2):  # the second time as the first
        with pytest.raises(ValueError, match=message) as caught:
            WAYS[way](model)
        assert str(caught.value).startswith(way.split(",")[0])
    assert all(np.array_equal(v, w) for v, w in zip(before, model.get_weights()))
    assert model.optimizer.steps == 0


def test_what_is_tried_is_not_counted():
    metric, model = Squares(), nn.Sequential([nn.Input((4,)), nn.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[metric])
    model.evaluate(X, LABELS, verbose=0)
    np.testing.assert_allclose(metric.result(), (model.predict(X, verbose=0) ** 2).sum() / len(X), rtol=1e-5)


def test_the_user_s_own_see_predictions_alone():
    """Functions, losses and subclasses, which may want things that only predictions have."""
    seen = []

    def noting(y, p):
        seen.append(p.shape)
        return np.zeros(len(y))

    class Own(Squares):
        def update_state(self, y_true, y_pred, sample_weight=None):
            seen.append(y_pred.shape)

    model = nn.Sequential([nn.Input((4,)), nn.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[noting, Own("own")], weighted_metrics=[noting])
    model.train_on_batch(X, LABELS)
    assert seen == [(40, 3)] * 3


def three_axes(y, p):
    assert p.shape == (*y.shape, 3)
    return y == p.argmax(-1)


STEPS = {
    "fixed": ((5, 2), []),
    "open": ((None, 2), []),
    "masked": ((5, 2), [nn.Masking]),
    "masked, open": ((None, 2), [nn.Masking]),
}


@pytest.mark.parametrize("kind", [*STEPS, "ragged"])
@pytest.mark.parametrize("group", ["metrics", "weighted_metrics"])
def test_sequences(kind, group, rng):
    shape, layers = STEPS.get(kind, STEPS["open"])
    model = nn.Sequential([nn.Input(shape), *(make() for make in layers), nn.GRU(4, return_sequences=True), nn.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", **{group: ["accuracy", three_axes, Squares()]})
    x, y = rng.standard_normal((12, 5, 2)).astype("f4"), rng.integers(0, 3, (12, 5))
    x[:, 3:] = 0
    if kind == "ragged":
        lengths = 1 + np.arange(12) % 5
        x, y = [part[:n] for part, n in zip(x, lengths)], [part[:n] for part, n in zip(y, lengths)]
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert logs["three_axes"] == pytest.approx(logs["accuracy"])


def test_functions_without_a_module():
    model = nn.Sequential([nn.Input((4,)), nn.Dense(1)])
    model.compile("sgd", "mse", metrics=[eval("lambda y, p: abs(y - p)", {}), np.ndarray.__sub__])
    model.train_on_batch(X, LABELS)
