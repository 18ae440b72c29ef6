"""Names, the source of randomness, activations, regularisers, to_categorical."""

import json
import os
import random as python_random

import numpy as np
import pytest

from fastopt import kernels
from fastopt.nn import activations, names, random, regularizers, utils

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported


def test_names_are_found_whatever_their_case_and_underscores():
    table = {"MeanSquaredError": 1, "mse": 2, "l1_l2": 3}
    found = [names.find("loss", name, table) for name in ("mean_squared_error", "MEANSQUAREDERROR", "MSE", "L1L2", "l1-l2")]
    assert found == [1, 1, 2, 3, 3]


@pytest.mark.parametrize(("name", "message"), [
    ("msee", "^loss: unknown name 'msee', nearest known: 'mse'$"),
    ("mean_sqared_error", "nearest known: 'MeanSquaredError'"),
    ("mean", "nearest known: 'MeanSquaredError'"),
    ("zzz", "^loss: unknown name 'zzz', known: MeanSquaredError, mse$"),
])  # fmt: skip
def test_unknown_names(name, message):
    with pytest.raises(ValueError, match=message):
        names.find("loss", name, {"MeanSquaredError": 1, "mse": 2})


def test_names_are_strings():
    with pytest.raises(TypeError, match="loss: the name must be a string, got 3"):
        names.find("loss", 3, {})


@pytest.mark.parametrize(("config", "message"), [
    ({"config": {}}, "expected {'class_name'"),
    (3, "expected {'class_name'"),
    ({"class_name": "L2", "config": [1]}, "'config' of 'L2' must be a dict"),
    ({"class_name": "L2", "config": {"l3": 1}}, "'L2' cannot be made from {'l3': 1}"),
])  # fmt: skip
def test_configurations_that_make_no_sense(config, message):
    with pytest.raises(TypeError, match=message):
        regularizers.deserialize(config)


def test_a_seed_fixes_everything_drawn():
    def drawn():
        utils.set_random_seed(7)
        return random.draw_seed(), random.generator().random(), np.random.rand(), python_random.random()

    first = drawn()
    random.draw_seed()
    assert drawn() == first
    assert len({random.draw_seed() for _ in range(100)}) == 100
    assert all(0 <= random.draw_seed() < 2**63 for _ in range(100))


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (2**32, ValueError), (1.5, TypeError), (True, TypeError)])
def test_seeds_are_integers(seed, error):
    state = random.generator().bit_generator.state
    with pytest.raises(error, match=r"seed must be an integer in \[0, 2\^32\)"):
        utils.set_random_seed(seed)
    assert random.generator().bit_generator.state == state


def test_to_categorical():
    expected = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    np.testing.assert_array_equal(utils.to_categorical([1, 2, 0]), expected)
    np.testing.assert_array_equal(utils.to_categorical([[1.0], [2.0], [0.0]]), expected)
    assert utils.to_categorical(np.zeros((2, 3), np.uint8), 5).shape == (2, 3, 5)
    assert utils.to_categorical([], 4).shape == (0, 4)


@pytest.mark.parametrize(("x", "classes", "error", "message"), [
    ([0, 3], 3, ValueError, r"label 3, expected 0 ... 2"), ([-1, 2], None, ValueError, "label -1"),
    ([0.5], None, ValueError, "holds 0.5"), ([np.nan], None, ValueError, "holds nan"), (["a"], None, TypeError, "dtype <U1"),
])  # fmt: skip
def test_to_categorical_refuses(x, classes, error, message):
    with pytest.raises(error, match=message):
        utils.to_categorical(x, classes)


class TestActivations:
    def test_every_kernel_has_its_function(self, rng):
        x = rng.standard_normal((3, 4))
        for name in set(activations.KERNELS.values()):
            np.testing.assert_array_equal(getattr(activations, name)(x), kernels.activation_forward(x, name), err_msg=name)

    def test_arguments_of_the_functions(self):
        x = np.array([-2.0, 3.0])
        np.testing.assert_array_equal(activations.leaky_relu(x, 0.5), [-1, 3])
        np.testing.assert_array_equal(activations.relu(x, negative_slope=0.5), [-1, 3])
        np.testing.assert_array_equal(activations.relu([-2, 1, 3, 9], 0.5, max_value=6, threshold=2), [-2, -0.5, 3, 6])
        np.testing.assert_array_equal(activations.softmax([[1.0], [1.0]], axis=0), [[0.5], [0.5]])
        np.testing.assert_allclose(activations.log_softmax([[1.0], [1.0]], axis=-2), np.log([[0.5], [0.5]]))
        np.testing.assert_allclose(activations.elu(x, alpha=2.0), [2 * np.expm1(-2), 3])
        np.testing.assert_array_equal(activations.gelu(x, approximate=True), activations.gelu_tanh(x))
        assert activations.relu([-1, 2]).tolist() == [0, 2]
        assert activations.tanh(x.astype(np.float32)).dtype == np.float32

    @pytest.mark.parametrize(("identifier", "expected"), [
        (None, "linear"), ("ReLU", "relu"), ("swish", "silu"), ("hardsigmoid", "hard_sigmoid"), (activations.softmax, "softmax"),
        (activations.Activation("tanh"), "tanh"), ({"class_name": "relu", "config": {}}, "relu"),
        ({"class_name": "LeakyReLU", "config": {"negative_slope": 0.2}}, "leaky_relu"),
    ])  # fmt: skip
    def test_get(self, identifier, expected):
        assert activations.get(identifier).kernel == expected

    @pytest.mark.parametrize("activation", [activations.Activation("elu", 0.5), activations.Activation("gelu")])
    def test_configuration(self, activation):
        assert activations.get(json.loads(json.dumps(activations.serialize(activation)))) == activation

    def test_which_need_what_went_in(self):
        assert {name for name in activations.KERNELS.values() if activations.get(name).needs_z} == {"gelu", "gelu_tanh", "silu"}

    @pytest.mark.parametrize(("call", "error", "message"), [
        (lambda: activations.get("rellu"), ValueError, "unknown name 'rellu', nearest known: 'relu'"),
        (lambda: activations.get(lambda x: x), TypeError, "has no gradient here"),
        (lambda: activations.Activation("relu", 0.1), ValueError, "relu takes no alpha"),
        (lambda: activations.Activation("elu", -1), ValueError, "alpha of elu must be a finite number >= 0"),
        (lambda: activations.softmax([1.0], axis=1), ValueError, "softmax: axis must be one of the 1 of x, got 1"),
    ])  # fmt: skip
    def test_errors(self, call, error, message):
        with pytest.raises(error, match=message):
            call()


class TestRegularizers:
    W = np.array([[1.0, -2.0], [0.0, 3.0]])

    @pytest.mark.parametrize(("regularizer", "value", "gradient"), [
        (regularizers.L1(0.5), 3.0, [[0.5, -0.5], [0, 0.5]]),  # 0.5 (1 + 2 + 3)
        (regularizers.L2(0.5), 7.0, [[1, -2], [0, 3]]),  # 0.5 (1 + 4 + 9); 2 0.5 w
        (regularizers.L1L2(0.5, 0.5), 10.0, [[1.5, -2.5], [0, 3.5]]),
    ])  # fmt: skip
    def test_by_hand(self, regularizer, value, gradient):
        assert regularizer(self.W) == value
        sums = np.full((2, 2), 10.0)
        assert regularizer.add_gradient(self.W, sums) == value
        np.testing.assert_array_equal(sums - 10, gradient)

    @pytest.mark.parametrize("mode", ["rows", "columns"])
    def test_orthogonal(self, mode, rng):
        regularizer = regularizers.OrthogonalRegularizer(0.3, mode)
        angles = regularizers.OrthogonalRegularizer(0.3)(np.array([[1.0, 0], [1, 1]]))
        assert angles == pytest.approx(0.3 * np.sqrt(0.5))  # one pair, cos 45 degrees
        w = rng.standard_normal((3, 4))
        gradient = np.zeros_like(w)
        regularizer.add_gradient(w, gradient)
        for i in np.ndindex(w.shape):
            step = np.zeros_like(w)
            step[i] = 1e-6
            assert gradient[i] == pytest.approx((regularizer(w + step) - regularizer(w - step)) / 2e-6, abs=1e-8)

    @pytest.mark.parametrize("mode", ["rows", "columns"])
    def test_keras(self, mode, rng):
        keras = pytest.importorskip("keras")
        w = rng.standard_normal((3, 4)).astype(np.float32)
        theirs = keras.regularizers.OrthogonalRegularizer(0.3, mode)(keras.ops.convert_to_tensor(w))
        assert regularizers.OrthogonalRegularizer(0.3, mode)(w) == pytest.approx(float(theirs), rel=1e-5)

    @pytest.mark.parametrize(("identifier", "expected"), [
        ("l2", {"l2": 0.01}), ("L1", {"l1": 0.01}), ("l1_l2", {"l1": 0.0, "l2": 0.0}), (regularizers.L1, {"l1": 0.01}),
        ({"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}}, {"l1": 0.1, "l2": 0.2}),
        (regularizers.l1_l2(), {"l1": 0.01, "l2": 0.01}), (regularizers.l2(0.3), {"l2": 0.3}),
    ])  # fmt: skip
    def test_get(self, identifier, expected):
        regularizer = regularizers.get(identifier)
        assert regularizer.get_config() == expected
        again = regularizers.get(json.loads(json.dumps(regularizers.serialize(regularizer))))
        assert (type(again), again.get_config()) == (type(regularizer), expected)

    def test_none(self):
        assert regularizers.get(None) is None
        assert regularizers.serialize(None) is None

    @pytest.mark.parametrize(("call", "error", "message"), [
        (lambda: regularizers.L2(-1), ValueError, "L2: l2 must be a finite number >= 0, got -1"),
        (lambda: regularizers.L1("a"), ValueError, "l1 must be"),
        (lambda: regularizers.get("l3"), ValueError, "regularizer: unknown name 'l3'"),
        (lambda: regularizers.get(lambda w: 0.0), TypeError, "has no add_gradient"),
        (lambda: regularizers.OrthogonalRegularizer()(np.ones(3)), ValueError, r"w has shape \(3,\)"),
    ])  # fmt: skip
    def test_errors(self, call, error, message):
        with pytest.raises(error, match=message):
            call()
