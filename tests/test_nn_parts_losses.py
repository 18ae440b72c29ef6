"""Losses: reductions, weights, targets, twins on logits; against Keras, numbers by hand, and differences."""

import copy
import json
import os
import pickle

import numpy as np
import pytest

from fastopt import nn
from fastopt.nn import losses

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported

CASES = [
    ("MeanSquaredError", {}, "numbers"), ("MeanAbsoluteError", {}, "numbers"), ("Huber", {}, "numbers"),
    ("Huber", {"delta": 0.3}, "numbers"), ("CosineSimilarity", {}, "numbers"), ("KLDivergence", {}, "shares"),
    ("Hinge", {}, "signs"), ("Hinge", {}, "bits"), ("BinaryCrossentropy", {}, "bits"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "bits"), ("CategoricalCrossentropy", {}, "shares"),
    ("CategoricalCrossentropy", {"from_logits": True}, "shares"), ("CategoricalCrossentropy", {"label_smoothing": 0.3}, "shares"),
    ("SparseCategoricalCrossentropy", {}, "labels"), ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "labels"), ("SquaredHinge", {}, "signs"), ("SquaredHinge", {}, "bits"),
    ("CategoricalHinge", {}, "one_hot"), ("Poisson", {}, "shares"), ("LogCosh", {}, "numbers"),
    ("MeanAbsolutePercentageError", {}, "numbers"), ("MeanSquaredLogarithmicError", {}, "numbers"),
]  # fmt: skip
IDS = [f"{name}-{'-'.join(options)}-{kind}" for name, options, kind in CASES]


def draw(kind, dtype=np.float64, rows=(6,)):
    """Targets and predictions (..., 4)."""
    rng = np.random.default_rng(11)
    p = rng.random((*rows, 4)).astype(dtype)
    if kind == "numbers":
        return rng.standard_normal((*rows, 4)).astype(dtype), rng.standard_normal((*rows, 4)).astype(dtype)
    if kind == "shares":
        y = rng.random((*rows, 4)).astype(dtype)
        return y / y.sum(-1, keepdims=True), p / p.sum(-1, keepdims=True)
    if kind == "labels":
        return rng.integers(0, 4, rows), p
    if kind == "one_hot":
        return np.eye(4, dtype=dtype)[rng.integers(0, 4, rows)], (3 * p - 2).astype(dtype)  # rows of nothing but negatives, too
    bits = rng.integers(0, 2, (*rows, 4)).astype(dtype)
    return (bits if kind == "bits" else 2 * bits - 1), p


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", None])
@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
def test_keras(name, options, kind, reduction):
    keras = pytest.importorskip("keras")
    y, p = draw(kind, np.float32)
    weight = np.random.default_rng(2).random(len(p)).astype(np.float32)
    ours, theirs = (getattr(home, name)(reduction=reduction, **options) for home in (losses, keras.losses))
    for given in (None, weight):
        expected = theirs(y, p, given).detach().cpu().numpy()
        if options.get("ignore_class") and reduction is None:
            expected = expected * (y != 2)
        np.testing.assert_allclose(ours(y, p, given), expected, rtol=3e-5, atol=1e-6)
    assert ours.name == theirs.name


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
def test_gradient_is_that_of_the_value(name, options, kind, reduction):
    loss = getattr(losses, name)(reduction=reduction, **options)
    y, p = draw(kind)
    y = loss.prepare("test", y, (None, 4), np.float64)
    weight = loss.row_weights(np.random.default_rng(2).random(len(p)), (len(p),), np.float64)
    for w in (None, weight):
        value, dy = loss.value_and_gradient(y, p, weight=w)
        for i in np.ndindex(p.shape):
            step = np.zeros_like(p)
            step[i] = 1e-6
            above, below = (loss.value_and_gradient(y, p + s, weight=w)[0] for s in (step, -step))
            assert dy[i] == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-7)
        out, rows = np.full_like(p, np.nan), np.full(len(p), np.nan)
        again, written = loss.value_and_gradient(y, p, weight=w, out=out, rows=rows)
        assert written is out
        np.testing.assert_array_equal(out, dy)
        assert again == value
        factor = loss.row_weights(np.ones(len(p)), (len(p),), np.float64) if w is None else w
        if "ignore_class" not in options:
            assert (rows * factor).sum() == pytest.approx(value)


def test_by_hand():
    assert losses.MeanSquaredError()([[1.0, 2.0]], [[2.0, 4.0]]) == 2.5
    assert losses.MeanAbsoluteError()([1.0, 2.0], [[2.0], [5.0]]) == 2  # labels (2,) are those of (2, 1)
    assert losses.MeanAbsoluteError(reduction="sum")([1.0, 2.0], [[2.0], [5.0]]) == 4
    assert losses.BinaryCrossentropy()([1], [[0.25]]) == pytest.approx(np.log(4))
    assert losses.SparseCategoricalCrossentropy()([1, 0], [[0.5, 0.5], [0.25, 0.75]]) == pytest.approx((np.log(2) + np.log(4)) / 2)
    weighted = losses.MeanAbsoluteError()([1.0, 2.0], [[2.0], [5.0]], sample_weight=[1, 3])
    assert weighted == 5  # (1 1 + 3 3) / 2
    assert losses.MeanAbsoluteError(reduction="mean_with_sample_weight")([1.0, 2.0], [[2.0], [5.0]], [1, 3]) == 2.5
    np.testing.assert_array_equal(losses.mean_squared_error([[1.0, 2.0], [0.0, 0.0]], [[2.0, 4.0], [0.0, 2.0]]), [2.5, 2])
    assert losses.mse is losses.mean_squared_error
    np.testing.assert_allclose(losses.huber([[0.0]], [[3.0]], delta=2.0), [4])  # 2 3 - 2^2 / 2


def test_squared_errors_do_not_broadcast():
    y, p = np.arange(3.0), np.arange(3.0)[:, None]
    assert losses.MeanSquaredError()(y, p) == 0  # and not the mean over (3, 3)


class TestTargets:
    def test_what_fits_is_taken_as_it_is(self):
        y = np.ones((3, 2), np.float32)
        assert losses.MeanSquaredError().prepare("fit", y, (None, 2), np.float32) is y
        labels = np.array([0, 1, 2])
        assert losses.SparseCategoricalCrossentropy().prepare("fit", labels, (None, 3), np.float32) is labels

    @pytest.mark.parametrize(("shape", "output", "expected"), [
        ((3,), (None, 1), (3, 1)), ((3, 1), (None, 1), (3, 1)), ((3, 2), (None, 2, 1), (3, 2, 1)), ((3, 2, 1), (None, 2), (3, 2)),
    ])  # fmt: skip
    def test_a_last_dimension_of_one_may_be_missing(self, shape, output, expected):
        prepared = losses.MeanSquaredError().prepare("fit", np.ones(shape, np.int8), output, np.float32)
        assert (prepared.shape, prepared.dtype) == (expected, np.float32)
        assert prepared.flags.c_contiguous

    def test_labels(self):
        loss = losses.SparseCategoricalCrossentropy()
        for given in ([0, 2], [[0], [2]], np.array([0.0, 2.0]), np.array([0, 2], np.uint8), [False, True]):
            assert loss.prepare("fit", given, (None, 3), np.float32).tolist() == np.ravel(given).tolist()
        assert loss.prepare("fit", np.zeros((2, 5)), (None, 5, 3), np.float32).shape == (2, 5)

    @pytest.mark.parametrize(("name", "y", "output", "error", "message"), [
        ("mse", np.ones((3, 2)), (None, 1), ValueError, r"fit: y has shape \(3, 2\), expected \(3, 1\) as the outputs"),
        ("mse", np.ones(3), (None, 4), ValueError, r"y has shape \(3,\), expected \(3, 4\)"),
        ("mse", 1.0, (None, 1), ValueError, r"y has shape \(\), expected"),
        ("mse", [1.0, np.nan], (None, 1), ValueError, r"y\[1, 0\] is nan, expected finite numbers"),
        ("mse", [1.0, np.inf], (None, 1), ValueError, r"y\[1, 0\] is inf"),
        ("mse", [1e300], (None, 1), ValueError, r"is inf, expected finite"),
        ("mse", ["a"], (None, 1), TypeError, "y has dtype <U1, expected numbers"),
        ("mse", np.array([1, None]), (None, 1), TypeError, "y has dtype object"),
        ("mse", [[1.0], [1.0, 2.0]], (None, 1), ValueError, "no rectangular array"),
        ("mse", np.ones(3, complex), (None, 1), TypeError, "dtype complex128"),
        ("bce", [0.5, 1.5], (None, 1), ValueError, r"y\[1, 0\] is 1.5, expected probabilities in \[0, 1\]"),
        ("bce", [-1, 1], (None, 1), ValueError, r"y\[0, 0\] is -1"),
        ("categorical_crossentropy", [[0, 2]], (None, 2), ValueError, r"y\[0, 1\] is 2"),
        ("categorical_crossentropy", np.ones(3, int), (None, 4), ValueError, "take sparse_categorical_crossentropy"),
        ("kld", [[0.0, 1.1]], (None, 2), ValueError, "expected probabilities"),
        ("sparse_categorical_crossentropy", [0, 3], (None, 3), ValueError, r"y\[1\] is 3, expected a class in \[0, 3\)"),
        ("sparse_categorical_crossentropy", [-1, 2], (None, 3), ValueError, r"y\[0\] is -1"),
        ("sparse_categorical_crossentropy", [0.5], (None, 3), ValueError, r"y\[0\] is 0.5, expected integer labels"),
        ("sparse_categorical_crossentropy", [np.nan], (None, 3), ValueError, r"y\[0\] is nan"),
        ("sparse_categorical_crossentropy", np.eye(3), (None, 3), ValueError, "one-hot rows take categorical_crossentropy"),
        ("sparse_categorical_crossentropy", np.ones((4, 2)), (None, 5, 3), ValueError, r"labels of shape \(4, 5\)"),
    ])  # fmt: skip
    def test_refused(self, name, y, output, error, message):
        with np.errstate(over="ignore"), pytest.raises(error, match=message):
            losses.get(name).prepare("fit", y, output, np.float32)

    def test_lengths_differ(self):
        with pytest.raises(ValueError, match="y_true has 2 samples, expected 3"):
            losses.MeanSquaredError()([1, 2], [[1.0], [2], [3]])

    def test_empty(self):
        for name in ("mse", "bce", "sparse_categorical_crossentropy"):
            loss = losses.get(name)
            assert loss(np.zeros((0,)), np.zeros((0, 1))) == 0


class TestWeights:
    LOSS = losses.MeanSquaredError()

    @pytest.mark.parametrize("weight", [[1, 2, 3], [[1], [2], [3]]])
    def test_one_for_each_sample(self, weight):
        np.testing.assert_allclose(self.LOSS.row_weights(weight, (3,)), [1 / 3, 2 / 3, 1])
        expected = np.outer([1, 2, 3], [1, 1]) / 6
        np.testing.assert_allclose(self.LOSS.row_weights(weight, (3, 2)), expected)

    def test_one_for_each_row(self):
        weight = np.arange(6.0).reshape(3, 2)
        np.testing.assert_allclose(self.LOSS.row_weights(weight, (3, 2)), weight / 6)
        np.testing.assert_allclose(self.LOSS.row_weights(weight[..., None], (3, 2)), weight / 6)

    def test_mask(self):
        mask = np.array([[True, True], [True, False]])
        np.testing.assert_allclose(self.LOSS.row_weights(None, (2, 2), mask=mask), [[1 / 3, 1 / 3], [1 / 3, 0]])
        np.testing.assert_allclose(self.LOSS.row_weights([3, 6], (2, 2), mask=mask), [[1, 1], [2, 0]])
        assert not self.LOSS.row_weights(None, (2, 2), mask=~np.ones((2, 2), bool)).any()  # nothing left: 0, not NaN
        summed = losses.MeanSquaredError(reduction="sum").row_weights(None, (2, 2), mask=mask)
        np.testing.assert_array_equal(summed, mask)

    def test_none_means_none(self):
        assert self.LOSS.row_weights(None, (3,)) is None

    @pytest.mark.parametrize(("weight", "shape"), [([1, 2], (3,)), (np.ones((3, 2)), (3,)), (np.ones((3, 3)), (3, 2)), (2.0, (3,))])
    def test_others_are_refused(self, weight, shape):
        with pytest.raises(ValueError, match="mean_squared_error: sample_weight has shape"):
            self.LOSS.row_weights(weight, shape)


class TestOnLogits:
    @pytest.mark.parametrize(("name", "activation"), [
        ("binary_crossentropy", "sigmoid"), ("categorical_crossentropy", "softmax"), ("sparse_categorical_crossentropy", "softmax"),
    ])  # fmt: skip
    def test_twin(self, name, activation):
        loss = losses.get(name)
        twin = loss.on_logits(activation)
        assert type(twin) is type(loss)
        assert twin.from_logits
        assert (twin.name, twin.reduction) == (loss.name, loss.reduction)
        assert twin.on_logits(activation) is None
        assert loss.on_logits({"sigmoid": "softmax", "softmax": "sigmoid"}[activation]) is None
        assert losses.MeanSquaredError().on_logits(activation) is None

    def test_twin_keeps_the_arguments(self):
        twin = losses.BinaryCrossentropy(label_smoothing=0.1, reduction="sum", name="x").on_logits("sigmoid")
        assert (twin.label_smoothing, twin.reduction, twin.name) == (0.1, "sum", "x")
        assert losses.SparseCategoricalCrossentropy(ignore_class=3).on_logits("softmax").ignore_class == 3


def test_ignored_labels_may_be_out_of_range():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    p = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert loss([-1, 0], p) == pytest.approx(np.log(4))
    y = loss.prepare("fit", [-1, 0], (None, 2), np.float64)
    value, dy = loss.value_and_gradient(y, p)
    assert value == pytest.approx(np.log(4))
    assert not dy[0].any()
    assert loss([-1, -1], p) == 0
    with pytest.raises(ValueError, match=r"y\[0\] is -2"):
        loss.prepare("fit", [-2, -1], (None, 2), np.float64)


class TestFunctions:
    @staticmethod
    def cubic(y, p):
        return np.mean(np.abs(y - p) ** 3), 3 * np.abs(p - y) * (p - y) / p.size

    def test_a_function_is_a_loss(self):
        loss = losses.get(self.cubic)
        assert loss.name == "cubic"
        y = loss.prepare("fit", [1.0, 2.0], (None, 1), np.float32)
        assert y.shape == (2, 1)
        out = np.empty((2, 1), np.float32)
        value, dy = loss.value_and_gradient(y, np.array([[2.0], [4.0]], np.float32), out=out)
        assert value == 4.5
        assert dy is out
        np.testing.assert_array_equal(dy, [[1.5], [6]])
        assert loss([1.0, 2.0], [[2.0], [4.0]]) == 4.5

    def test_integers_stay_integers(self):
        labels = np.array([0, 1])
        assert losses.get(self.cubic).prepare("fit", labels, (None, 2), np.float32) is labels

    @pytest.mark.parametrize(("function", "error", "message"), [
        (lambda y, p: np.mean(y - p), TypeError, r"must return \(value, gradient\)"),
        (lambda y, p: ((y - p) ** 2).mean(-1), TypeError, r"must return \(value, gradient\), got ndarray"),
        (lambda y, p: (np.mean(y - p), y - p.T), ValueError, r"a gradient of shape \(2, 2\), expected \(\) or \(2,\), and"),
        (lambda y, p: (y - p, y - p), ValueError, r"a value of shape \(2, 1\)"),
    ])  # fmt: skip
    def test_what_it_must_return(self, function, error, message):
        with pytest.raises(error, match=message):
            losses.get(function)([1.0, 2.0], [[2.0], [4.0]])

    def test_errors_of_its_own_pass(self):
        def broken(y, p):
            raise TypeError("mine")

        with pytest.raises(TypeError, match="mine"):
            losses.get(broken)([1.0], [[2.0]])

    def test_it_takes_no_weights(self):
        with pytest.raises(ValueError, match="takes no sample weights"):
            losses.get(self.cubic)([1.0], [[2.0]], sample_weight=[2.0])

    def test_losses_of_rows_take_weights(self):
        loss = losses.get(lambda y, p: ((p - y)[:, 0] ** 4, 4 * (p - y) ** 3))
        y, p = np.zeros((2, 1)), np.array([[1.0], [2.0]])
        value, dy = loss.value_and_gradient(y, p)
        assert value == 8.5
        np.testing.assert_array_equal(dy, [[2], [16]])
        assert loss(y, p, sample_weight=[2, 0]) == 1
        out = np.empty((2, 1))
        assert loss.value_and_gradient(y, p, out=out)[1] is out
        np.testing.assert_array_equal(out, dy)

    def test_a_class_of_ones_own(self):
        class Quartic(losses.Loss):
            def call(self, y_true, y_pred):
                return ((y_pred - y_true) ** 4).sum(-1), 4 * (y_pred - y_true) ** 3

        y, p = np.zeros((2, 1)), np.array([[1.0], [2.0]])
        value, dy = Quartic().value_and_gradient(y, p)
        assert value == 8.5
        np.testing.assert_array_equal(dy, [[2], [16]])
        assert Quartic(reduction="sum")(y, p) == 17
        assert Quartic()(y, p, sample_weight=[2, 0]) == 1

        class Wrong(losses.Loss):
            def call(self, y_true, y_pred):
                return (y_pred - y_true) ** 2, y_pred

        with pytest.raises(ValueError, match=r"call returned shapes \(2, 1\) and \(2, 1\)"):
            Wrong()(y, p)

        class Keras(losses.Loss):
            def call(self, y_true, y_pred):
                return ((y_pred - y_true) ** 2).mean(-1)

        with pytest.raises(TypeError, match=r"Keras: call must return \(losses of the rows, gradient\), got ndarray"):
            Keras()(np.zeros((3, 1)), np.zeros((3, 1)))

    def test_a_call_of_ones_own_in_place_of_a_kernel(self):
        class Double(losses.MeanSquaredError):
            def call(self, y_true, y_pred):
                rows, gradient = super().call(y_true, y_pred)
                return 2 * rows, 2 * gradient

        y, p = draw("numbers")
        for weight in None, np.full(6, 0.5):
            value, slope = losses.MeanSquaredError().value_and_gradient(y, p, weight=weight)
            twice, slopes = Double().value_and_gradient(y, p, weight=weight)
            np.testing.assert_allclose(twice, 2 * value, rtol=1e-14)
            np.testing.assert_allclose(slopes, 2 * slope, rtol=1e-14)
        assert pickle.loads(pickle.dumps(losses.MeanSquaredError()))(y, p) == losses.MeanSquaredError()(y, p)

    @pytest.mark.parametrize("base", [losses.BinaryCrossentropy, losses.SparseCategoricalCrossentropy])
    def test_a_call_of_ones_own_gets_probabilities(self, base):
        class Seen(base):
            def call(self, y_true, y_pred):
                seen.append(y_pred.copy())
                return super().call(y_true, y_pred)

        seen, binary = [], base is losses.BinaryCrossentropy
        model = nn.Sequential([nn.Input((2,)), nn.Dense(1, "sigmoid") if binary else nn.Dense(3, "softmax")])
        model.compile("sgd", Seen())
        x = np.array([[9.0, -9.0], [-9.0, 9.0]], "f4")
        model.fit(x, np.array([0, 1]), verbose=0)
        assert len(seen) == 1
        assert ((seen[0] >= 0) & (seen[0] <= 1)).all()

    def test_what_training_does_not_call_is_refused(self):
        for base in losses.Loss, losses.Huber:
            with pytest.raises(TypeError, match=r"Own: __call__ is not what training calls; write call\(y_true, y_pred\)"):
                type("Own", (base,), {"__call__": lambda self, y_true, y_pred: 0.0})


class TestGet:
    @pytest.mark.parametrize(("identifier", "expected"), [
        ("mse", "MeanSquaredError"), ("MSE", "MeanSquaredError"), ("mean_squared_error", "MeanSquaredError"),
        ("MeanAbsoluteError", "MeanAbsoluteError"), ("mae", "MeanAbsoluteError"), ("bce", "BinaryCrossentropy"),
        ("kld", "KLDivergence"), ("kl_divergence", "KLDivergence"), ("mape", "MeanAbsolutePercentageError"),
        ("msle", "MeanSquaredLogarithmicError"), ("huber", "Huber"), ("log_cosh", "LogCosh"), ("hinge", "Hinge"),
        (losses.Huber, "Huber"), (losses.mean_squared_error, "MeanSquaredError"), (losses.Huber(0.5), "Huber"),
        ({"class_name": "Huber", "config": {"delta": 3.0}}, "Huber"),
    ])  # fmt: skip
    def test_identifiers(self, identifier, expected):
        assert type(losses.get(identifier)).__name__ == expected

    def test_none(self):
        assert losses.get(None) is None

    @pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
    def test_configuration_and_copies(self, name, options, kind):
        loss = getattr(losses, name)(reduction="sum", name="mine", **options)
        y, p = draw(kind)
        again = losses.get(json.loads(json.dumps(losses.serialize(loss))))
        assert type(again) is type(loss)
        assert again.get_config() == loss.get_config()
        for other in (again, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
            assert other(y, p) == loss(y, p)

    @pytest.mark.parametrize(("call", "error", "message"), [
        (lambda: losses.get("msee"), ValueError, "loss: unknown name 'msee', nearest known: 'mse'"),
        (lambda: losses.get("categorical_crosentropy"), ValueError, "nearest known: 'categorical_crossentropy'"),
        (lambda: losses.get(3), TypeError, "loss: expected a name"),
        (lambda: losses.MeanSquaredError(reduction="median"), ValueError, "reduction must be one of"),
        (lambda: losses.BinaryCrossentropy(axis=1), ValueError, "axis must be -1"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2), ValueError, r"label_smoothing must be in \[0, 1\]"),
        (lambda: losses.MeanSquaredError(reduction=None).value_and_gradient(0, 0), ValueError, "reduction to train with"),
    ])  # fmt: skip
    def test_errors(self, call, error, message):
        with pytest.raises(error, match=message):
            call()
