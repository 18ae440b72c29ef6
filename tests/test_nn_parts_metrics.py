"""Metrics: against Keras, and against numbers worked by hand."""

import copy
import json
import os
import pickle

import numpy as np
import pytest

from fastopt.nn import losses, metrics

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported


@pytest.fixture(scope="session")
def keras():
    return pytest.importorskip("keras")


def batches(kind, seed=1):
    """Three batches (targets, predictions, weights) of a kind of problem."""
    rng = np.random.default_rng(seed)
    for n in (7, 5, 1):
        scores = rng.random((n, 4)).astype(np.float32)
        if kind == "binary":
            y, p = rng.integers(0, 2, (n, 1)).astype(np.float32), scores[:, :1]
        elif kind == "flat":
            y, p = rng.integers(0, 2, n).astype(np.float32), scores[:, :1]
        elif kind == "many":
            y, p = rng.integers(0, 2, (n, 4)).astype(np.float32), scores
        elif kind == "one_hot":
            y, p = np.eye(4, dtype=np.float32)[rng.integers(0, 4, n)], scores / scores.sum(-1, keepdims=True)
        elif kind == "labels":
            y, p = rng.integers(0, 4, n), scores / scores.sum(-1, keepdims=True)
        elif kind == "steps":
            p = rng.random((n, 3, 4)).astype(np.float32)
            y = rng.integers(0, 4, (n, 3))
        else:
            y, p = rng.standard_normal((n, 4)).astype(np.float32), rng.standard_normal((n, 4)).astype(np.float32)
        yield y, p, rng.random(n).astype(np.float32)


CASES = [
    ("Accuracy", {}, "many"), ("BinaryAccuracy", {}, "binary"), ("BinaryAccuracy", {"threshold": 0.3}, "many"),
    ("BinaryAccuracy", {}, "flat"), ("CategoricalAccuracy", {}, "one_hot"), ("SparseCategoricalAccuracy", {}, "labels"),
    ("SparseCategoricalAccuracy", {}, "steps"), ("TopKCategoricalAccuracy", {"k": 2}, "one_hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "labels"), ("MeanSquaredError", {}, "numbers"), ("MeanSquaredError", {}, "flat"),
    ("RootMeanSquaredError", {}, "numbers"), ("MeanAbsoluteError", {}, "numbers"), ("MeanAbsolutePercentageError", {}, "numbers"),
    ("MeanSquaredLogarithmicError", {}, "numbers"), ("LogCoshError", {}, "numbers"), ("CosineSimilarity", {}, "numbers"),
    ("KLDivergence", {}, "one_hot"), ("Poisson", {}, "one_hot"), ("BinaryCrossentropy", {}, "many"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "many"), ("CategoricalCrossentropy", {}, "one_hot"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "one_hot"),
    ("SparseCategoricalCrossentropy", {}, "labels"), ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels"),
    ("Hinge", {}, "numbers"), ("Hinge", {}, "binary"), ("SquaredHinge", {}, "numbers"), ("CategoricalHinge", {}, "one_hot"),
    ("Precision", {}, "binary"), ("Precision", {"thresholds": [0.7, 0.2, 0.5]}, "many"), ("Precision", {"class_id": 2}, "many"),
    ("Precision", {"top_k": 2}, "many"), ("Precision", {"top_k": 2, "class_id": 1}, "many"), ("Recall", {}, "flat"),
    ("Recall", {"thresholds": 0.25}, "many"), ("Recall", {"top_k": 1}, "one_hot"), ("AUC", {}, "binary"),
    ("AUC", {"num_thresholds": 6}, "many"), ("AUC", {"curve": "PR"}, "binary"),
    ("AUC", {"curve": "PR", "summation_method": "majoring"}, "many"), ("AUC", {"summation_method": "minoring"}, "many"),
    ("AUC", {"thresholds": [0.1, 0.4, 0.45]}, "many"), ("AUC", {"multi_label": True}, "many"),
    ("AUC", {"multi_label": True, "label_weights": [0.1, 0.2, 0.3, 1.0], "curve": "PR"}, "many"),
    ("AUC", {"label_weights": [0.1, 0.2, 0.3, 1.0]}, "many"), ("AUC", {"from_logits": True}, "many"),
    ("TruePositives", {}, "many"), ("FalsePositives", {"thresholds": [0.2, 0.8]}, "many"), ("TrueNegatives", {}, "many"),
    ("FalseNegatives", {}, "flat"), ("F1Score", {}, "one_hot"), ("F1Score", {"average": "macro", "threshold": 0.4}, "many"),
    ("F1Score", {"average": "weighted"}, "one_hot"), ("FBetaScore", {"average": "micro", "beta": 2.0}, "one_hot"),
    ("R2Score", {}, "numbers"), ("R2Score", {"class_aggregation": None}, "numbers"),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, "numbers"),
]  # fmt: skip
IDS = [f"{name}-{'-'.join(options)}-{kind}" for name, options, kind in CASES]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
def test_keras_counts_the_same(keras, name, options, kind, weighted):
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for y, p, weight in batches(kind):
        if weighted and kind == "flat" and isinstance(ours, (metrics.Precision, metrics.Recall, metrics.FalseNegatives)):
            y = y[:, None]  # Keras wants the weights' rank otherwise
        ours.update_state(y, p, weight if weighted else None)
        theirs.update_state(y, p, weight if weighted else None)
    expected = theirs.result().detach().cpu().numpy()
    assert np.shape(ours.result()) == expected.shape
    np.testing.assert_allclose(ours.result(), expected, rtol=2e-5, atol=1e-6)
    assert ours.name == theirs.name or name in ("Precision", "Recall", "AUC") or name.endswith("tives")  # Keras numbers these


@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
def test_configuration_reset_and_pickle(name, options, kind):
    metric = getattr(metrics, name)(**options)
    again = metrics.get(json.loads(json.dumps(metrics.serialize(metric))))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    y, p, _ = next(batches(kind))
    metric.update_state(p[0:0], p[0:0]) if kind in (
        "many",
        "numbers",
        "one_hot",
        "binary",
    ) else None  # an empty batch counts nothing
    metric.update_state(y, p)
    first = metric.result()
    metric.update_state(*[a for a, *_ in [(y,), (p,)]])
    metric.reset_state()
    metric.update_state(y, p)
    np.testing.assert_array_equal(metric.result(), first)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(metric)).result(), first)
    np.testing.assert_array_equal(copy.deepcopy(metric).result(), first)
    np.testing.assert_array_equal(again(y, p), first)


def test_accuracies_by_hand():
    assert metrics.BinaryAccuracy()([1, 0, 1, 1], [0.6, 0.5, 0.4, 0.9]) == 0.75  # 0.5 is not above 0.5
    assert metrics.BinaryAccuracy()([[1], [0]], [0.9, 0.9]) == 0.5  # (2, 1) and (2,) are the same
    assert metrics.CategoricalAccuracy()([[0, 1], [1, 0], [1, 0]], [[0.1, 0.9], [0.2, 0.8], [0.9, 0.1]]) == 2 / 3
    assert metrics.SparseCategoricalAccuracy()([[1], [0]], [[0.1, 0.9], [0.2, 0.8]]) == 0.5
    assert metrics.SparseTopKCategoricalAccuracy(k=2)([0, 1], [[0.1, 0.2, 0.7], [0.1, 0.2, 0.7]]) == 0.5
    weighted = metrics.BinaryAccuracy()
    weighted.update_state([1, 1], [0.9, 0.1], sample_weight=[1, 3])
    assert weighted.result() == 0.25


@pytest.mark.parametrize("name", ["binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
                                  "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"])  # fmt: skip
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_accuracies_of_rows_are_keras_s(keras, name, dtype):
    y, p, _ = next(batches("labels" if name.startswith("sparse") else "one_hot"))
    options = {"k": 2} if "top_k" in name else {}
    want = keras.ops.convert_to_numpy(getattr(keras.metrics, name)(y.astype("f4"), p.astype(dtype), **options))
    got = getattr(metrics, name)(y, p.astype(dtype), **options)
    assert got.dtype == want.dtype == np.float32
    np.testing.assert_array_equal(got, want)


def test_mean_by_hand():
    mean = metrics.Mean()
    assert mean.result() == 0
    mean.update_state([1, 2, 3])
    mean.update_state([[4, 6]])  # one sample, whose mean is 5
    assert mean.result() == 11 / 4
    mean.reset_state()
    mean.update_state([[1, 3], [5, 7]], sample_weight=[1, 2])
    assert mean.result() == (2 + 2 * 6) / 3
    mean.reset_state()
    mean.update_state(np.array([True, False]))
    assert type(mean.result()) is float  # in some releases np.count_nonzero returns a number of NumPy's
    total = metrics.Sum()
    total.update_state([1, 2], sample_weight=[2, 10])
    assert total.result() == 22


def test_confusion_by_hand():
    y, p = [0, 1, 1, 1], [0.6, 0.9, 0.4, 0.7]
    assert metrics.Precision()(y, p) == 2 / 3
    assert metrics.Recall()(y, p) == 2 / 3
    np.testing.assert_array_equal(metrics.Recall(thresholds=[0.8, 0.3])(y, p), [1 / 3, 1])
    assert metrics.FalsePositives()(y, p) == 1
    assert metrics.TrueNegatives()(y, p) == 0
    assert metrics.F1Score(average="micro", threshold=0.5)(np.c_[y], np.c_[p]) == pytest.approx(2 / 3, abs=1e-6)
    assert metrics.Precision()([0], [0.1]) == 0  # no positives
    assert metrics.Precision()([0, 1], [np.nan, 0.9]) == 1  # NaN exceeds nothing
    assert metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]) == 0.75  # the example of Keras's documentation


def test_r2_keeps_its_digits_far_from_zero():
    rng = np.random.default_rng(3)
    y = 1e6 + rng.standard_normal((100, 1))
    p = y + 0.1 * rng.standard_normal((100, 1))
    expected = 1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    score = metrics.R2Score()
    for part in range(0, 100, 7):
        score.update_state(y[part : part + 7], p[part : part + 7])
    assert score.result() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("target", "output", "expected"), [
    ((None,), (None, 1), "BinaryAccuracy"), ((None, 1), (None, 1), "BinaryAccuracy"), ((None, 3), (None, 3), "CategoricalAccuracy"),
    ((None,), (None, 3), "SparseCategoricalAccuracy"), ((None, 1), (None, 3), "SparseCategoricalAccuracy"),
    ((None, 5), (None, 5, 3), "SparseCategoricalAccuracy"), ((None, 5, 3), (None, 5, 3), "CategoricalAccuracy"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_is_that_of_the_outputs(name, target, output, expected):
    metric = metrics.get(name, target_shape=target, output_shape=output)
    assert type(metric).__name__ == expected
    assert metric.name == name


def test_get():
    assert metrics.get("mse").name == "mse"  # as in Keras, the name it was asked for by
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
    assert metrics.get("AUC").name == "AUC"
    assert metrics.get(metrics.Recall).name == "recall"
    one = metrics.Precision(name="p")
    assert metrics.get(one) is one

    def distance(y_true, y_pred):
        return np.abs(y_true - y_pred)

    metric = metrics.get(distance)
    assert (metric.name, metric(np.array([1.0, 2.0]), np.array([3.0, 2.0]))) == ("distance", 1.0)
    y, p = np.array([[0.0], [1.0]]), np.array([[0.5], [0.25]])
    assert metrics.get(losses.MeanAbsoluteError())(y, p) == 0.625
    assert metrics.get(metrics.mean_absolute_error)(y, p) == 0.625
    assert metrics.get("accuracy", loss=losses.get("binary_crossentropy")).name == "accuracy"
    with pytest.raises(ValueError, match="unknown name 'acuracy', nearest known: 'Accuracy'"):
        metrics.get("acuracy")
    with pytest.raises(ValueError, match="unknown name 'f1', nearest known: 'F1Score'"):
        metrics.get("f1")
    with pytest.raises(TypeError, match="got None"):
        metrics.get(None)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: metrics.MeanSquaredError()(np.ones((3, 2)), np.ones((3, 1))), r"y_true has shape \(3, 2\), expected \(3, 1\)"),
    (lambda: metrics.MeanSquaredError()(np.ones(3), np.ones((3, 2))), r"y_true has shape \(3,\), expected \(3, 2\)"),
    (lambda: metrics.SparseCategoricalAccuracy()(np.ones((3, 2)), np.ones((3, 2))), r"expected labels of shape \(3,\)"),
    (lambda: metrics.Mean().update_state([1, 2, 3], [1, 2]), "sample_weight has shape"),
    (lambda: metrics.Precision()([1], [1], sample_weight=[1, 2]), "sample_weight has shape"),
    (lambda: metrics.Precision(thresholds=[0.5, 1.5]), r"thresholds must lie in \[0, 1\]"),
    (lambda: metrics.Precision(class_id=4)(np.ones((2, 3)), np.ones((2, 3))), "class_id is 4"),
    (lambda: metrics.AUC(curve="roc curve"), "curve must be"),
    (lambda: metrics.F1Score(average="mean"), "average must be"),
    (lambda: metrics.F1Score()([1], [1.0]), r"y_pred has shape \(1,\)"),
])  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
