"""Constraints: what they make of arrays, by hand and in Keras; in layers, in training, in files; what is refused."""

import copy
import json
import os
import pickle

import numpy as np
import pytest

from fastopt import nn
from fastopt.nn import constraints

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported
W = np.array([[3.0, 0.0, 0.3], [-4.0, 0.0, 0.4]])  # columns of the lengths 5, 0 and 0.5

EVERY = [
    constraints.Constraint(), constraints.NonNeg(), constraints.MaxNorm(), constraints.MaxNorm(0.5, axis=1), constraints.UnitNorm(),
    constraints.MaxNorm(1.5, [0, 1]), constraints.UnitNorm(-1), constraints.MinMaxNorm(), constraints.MinMaxNorm(0.5, 1.5, 0.3, 1),
]  # fmt: skip


@pytest.mark.parametrize(("constraint", "expected"), [
    (constraints.Constraint(), W),
    (constraints.NonNeg(), [[3, 0, 0.3], [0, 0, 0.4]]),
    (constraints.MaxNorm(), [[1.2, 0, 0.3], [-1.6, 0, 0.4]]),  # 2 / 5
    (constraints.MaxNorm(1, axis=1), [[3 / 9.09**0.5, 0, 0.3 / 9.09**0.5], [-4 / 16.16**0.5, 0, 0.4 / 16.16**0.5]]),
    (constraints.UnitNorm(), [[0.6, 0, 0.6], [-0.8, 0, 0.8]]),  # 1 / 5 and 1 / 0.5
    (constraints.UnitNorm([0, 1]), W / 25.25**0.5),
    (constraints.MinMaxNorm(), [[0.6, 0, 0.3], [-0.8, 0, 0.4]]),
    (constraints.MinMaxNorm(1, 2), [[1.2, 0, 0.6], [-1.6, 0, 0.8]]),
    (constraints.MinMaxNorm(1, 2, rate=0.5), [[2.1, 0, 0.45], [-2.8, 0, 0.6]]),  # to 3.5 and 0.75, half of the way
])  # fmt: skip
def test_by_hand(constraint, expected):
    given = W.copy()
    np.testing.assert_allclose(constraint(given), expected, rtol=3e-7)
    np.testing.assert_array_equal(given, W)
    assert constraint(W.astype("f4")).dtype == np.float32


def test_epsilon_stands_beside_the_norm():
    np.testing.assert_allclose(constraints.UnitNorm()(np.array([1e-7])), [0.5])
    np.testing.assert_allclose(constraints.MaxNorm()(np.array([1e-7])), [0.5e-7])


@pytest.mark.parametrize("constraint", EVERY, ids=repr)
def test_keras(constraint, rng):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.constraints, type(constraint).__name__)(**constraint.get_config())
    w = rng.standard_normal((4, 3)).astype("f4")
    want = keras.ops.convert_to_numpy(theirs(keras.ops.convert_to_tensor(w)))
    np.testing.assert_allclose(constraint(w), want, rtol=3e-6)
    assert constraint.get_config() == theirs.get_config()
    assert type(constraint)().get_config() == type(theirs)().get_config()


def test_the_home_is_keras():
    keras = pytest.importorskip("keras")
    public = {name for name in dir(keras.constraints) if not name.startswith("_")}
    assert public <= set(dir(constraints))
    assert constraints.max_norm is constraints.MaxNorm
    assert nn.constraints is constraints


@pytest.mark.parametrize("constraint", EVERY, ids=repr)
def test_configuration(constraint):
    again = constraints.get(json.loads(json.dumps(constraints.serialize(constraint))))
    assert (type(again), vars(again)) == (type(constraint), vars(constraint))
    assert repr(again) == repr(constraint)


def non_positive(w):
    return np.minimum(w, 0)


class Limit(nn.constraints.Constraint):
    def __init__(self, to):
        self.to = to

    def __call__(self, w):
        return np.clip(w, -self.to, self.to, out=w)

    def get_config(self):
        return {"to": self.to}


class Apart:
    """No subclass, and called all the same."""

    def __call__(self, w):
        return w


APART = Apart()


@pytest.mark.parametrize(("identifier", "expected"), [
    ("max_norm", constraints.MaxNorm), ("MaxNorm", constraints.MaxNorm), ("non_neg", constraints.NonNeg), (Limit(2), Limit),
    (constraints.UnitNorm, constraints.UnitNorm), ({"class_name": "MinMaxNorm", "config": {"rate": 0.5}}, constraints.MinMaxNorm),
])  # fmt: skip
def test_get(identifier, expected):
    assert type(constraints.get(identifier)) is expected


def test_get_takes_what_can_be_called():
    assert constraints.get(non_positive) is non_positive
    assert constraints.get(APART) is APART
    assert constraints.get(None) is constraints.serialize(None) is None
    assert constraints.deserialize("non_positive", {"non_positive": non_positive}) is non_positive


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: constraints.get(3), TypeError, "^constraint: expected a name, a configuration, Constraint or a function, got 3$"),
    (lambda: constraints.get(Apart), TypeError, "constraint: expected"),
    (lambda: constraints.get("max_nrm"), ValueError, "^constraint: unknown name 'max_nrm', nearest known: 'MaxNorm'$"),
    (lambda: constraints.get({"class_name": "MaxNorm", "config": {"min": 1}}), TypeError, "'MaxNorm' cannot be made from"),
    (lambda: constraints.deserialize(3), TypeError, "^constraint: expected {'class_name': ...,"),
    (lambda: constraints.MaxNorm(-1), ValueError, "^MaxNorm: max_value must be a finite number >= 0, got -1$"),
    (lambda: constraints.MaxNorm(np.inf), ValueError, "max_value must be a finite number >= 0, got inf"),
    (lambda: constraints.MaxNorm("2"), ValueError, "max_value must be a finite number >= 0, got '2'"),
    (lambda: constraints.MinMaxNorm(rate=1.5), ValueError, r"^MinMaxNorm: rate must be a number in \[0, 1\], got 1.5$"),
    (lambda: constraints.MinMaxNorm(2), ValueError, "^MinMaxNorm: min_value must be <= max_value, got 2 and 1.0$"),
    (lambda: constraints.UnitNorm(0.5), ValueError, "^UnitNorm: axis must be an integer or a list of integers, got 0.5$"),
    (lambda: constraints.UnitNorm([0, None]), ValueError, r"got \[0, None\]$"),
])  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


# in layers

DENSE = ("kernel", "bias")
RECURRENT = ("kernel", "recurrent", "bias")
LAYERS = {
    "Dense": ((4,), (5,), DENSE), "SimpleRNN": ((4,), (5, 3), RECURRENT), "LSTM": ((4,), (5, 3), RECURRENT),
    "GRU": ((4,), (5, 3), RECURRENT), "Embedding": ((7, 4), (5,), ("embeddings",)),
    "PReLU": ((), (5,), ("alpha",)), "BatchNormalization": ((), (5,), ("gamma", "beta")),
    "LayerNormalization": ((), (5,), ("gamma", "beta")),
}  # fmt: skip


@pytest.mark.parametrize("kind", LAYERS)
def test_every_weight_of_every_layer(kind):
    """Each constraint reaches its own weight and no other, and stands in the configuration as in Keras's."""
    positional, shape, parts = LAYERS[kind]
    given = {f"{part}_constraint": constraints.MaxNorm(i + 1) for i, part in enumerate(parts)}
    layer = getattr(nn, kind)(*positional, **given)
    layer.ready((None, *shape))
    names = {"recurrent": "recurrent_kernel"}
    wanted = {names.get(part, part): given[f"{part}_constraint"] for part in parts}
    assert {weight.name: weight.constraint for weight in layer.trainable_weights} == wanted
    assert all(weight.constraint is None for weight in layer.non_trainable_weights)
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert again.get_config() == layer.get_config()
    for name, constraint in given.items():
        assert getattr(again, name).get_config() == constraint.get_config()


@pytest.mark.parametrize("kind", LAYERS)
def test_configurations_are_keras(kind):
    keras = pytest.importorskip("keras")
    positional, _, parts = LAYERS[kind]
    theirs, ours = (
        getattr(home.layers, kind)(*positional, **{f"{part}_constraint": "max_norm" for part in parts}).get_config()
        for home in (keras, nn)
    )
    assert {name for name in theirs if name.endswith("_constraint")} == {name for name in ours if name.endswith("_constraint")}
    for part in parts:
        want, got = theirs[f"{part}_constraint"], ours[f"{part}_constraint"]
        assert got == {name: want[name] for name in ("class_name", "config")}


def test_the_weight_of_an_own_layer():
    class Scale(nn.Layer):
        def build(self, input_shape):
            self.add_weight("scale", (input_shape[-1],), "ones", constraint="non_neg")
            super().build(input_shape)

    layer = Scale()
    layer.ready((None, 3))
    layer.weights[0].assign([1, -1, 2])
    layer.weights[0].constrain()
    assert layer.get_weights()[0].tolist() == [1, 0, 2]


@pytest.mark.parametrize("constraint", [non_positive, Limit(0.5)])
def test_both_directions_have_what_is_the_users_own(constraint):
    both = nn.Bidirectional(nn.GRU(3, recurrent_constraint=constraint))
    assert both.forward_layer.recurrent_constraint is both.backward_layer.recurrent_constraint is constraint


WRONG = {
    "shape": (lambda w: w[:1], r"the constraint of d/kernel gave shape \(1, 2\), float32, expected \(3, 2\), float32"),
    "nothing": (lambda w: None, r"the constraint of d/kernel gave shape \(\), object, expected \(3, 2\)"),
    "strings": (lambda w: w.astype(str), r"the constraint of d/kernel gave shape \(3, 2\), <U32, expected \(3, 2\), float32"),
    "axis": (constraints.MaxNorm(axis=2), r"the constraint of d/kernel, of shape \(3, 2\), failed: axis 2 is out of bounds"),
    "own error": (lambda w: w @ w, r"the constraint of d/kernel, of shape \(3, 2\), failed: matmul"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_an_error_when_the_layer_is_built(what):
    constraint, message = WRONG[what]
    with pytest.raises(ValueError, match=f"^layer 'd' does not take its input.*: {message}"):
        nn.Dense(2, kernel_constraint=constraint, name="d")(nn.Input((3,)))


def test_what_does_not_fit_later_leaves_the_weight_as_the_optimizer_did():
    shapes = iter([(3, 2), (1, 2)])
    model = nn.Sequential([nn.Input((3,)), nn.Dense(2, kernel_constraint=lambda w: np.full(next(shapes), 7.0), name="d")])
    model.compile(nn.optimizers.SGD(0.0), "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"the constraint of d/kernel gave shape \(1, 2\)"):
        model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    assert all(np.array_equal(v, w) for v, w in zip(before, model.get_weights()))


# in training

def constrained(home):
    layers, kinds = home.layers, home.constraints
    return home.Sequential([
        home.Input((6,), dtype="int32"), layers.Embedding(11, 5, embeddings_constraint=kinds.UnitNorm(axis=1)),
        layers.LSTM(4, kernel_constraint=kinds.MaxNorm(0.7), recurrent_constraint="unit_norm", bias_constraint="non_neg"),
        layers.LayerNormalization(beta_constraint="non_neg", gamma_constraint=kinds.MinMaxNorm(0.2, 0.4, 0.5)),
        layers.Dense(3, activation="softmax", kernel_constraint=kinds.MinMaxNorm(0.5, 1.0, rate=0.6, axis=1),
                     bias_constraint=kinds.MaxNorm(0.01))])  # fmt: skip


@pytest.fixture
def data(rng):
    return rng.integers(0, 11, (40, 6)), rng.integers(0, 3, 40)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, dict(use_ema=True, ema_momentum=0.8), dict(global_clipnorm=0.1, weight_decay=0.1)])
def test_training_is_keras(options, data):
    """Averages of use_ema are of the weights before the constraint, and stand in their places at the end, unconstrained."""
    keras = pytest.importorskip("keras")
    theirs, ours = constrained(keras), constrained(nn)
    ours.set_weights(theirs.get_weights())
    losses = []
    for model, home in (theirs, keras), (ours, nn):
        model.compile(home.optimizers.Adam(0.02, **options), "sparse_categorical_crossentropy")
        losses.append(model.fit(*data, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for got, want in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(got, want, rtol=2e-3, atol=2e-4)


def test_constraints_hold_after_every_step(data):
    nn.set_random_seed(1)
    model = constrained(nn)
    model.compile(nn.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    for _ in range(3):
        model.train_on_batch(*data)
        words, kernel, recurrent, bias, *_, last = model.get_weights()
        np.testing.assert_allclose(np.linalg.norm(words, axis=1), 1, rtol=1e-5)  # 1e-7 beside norms of 0.05
        assert np.linalg.norm(kernel, axis=0).max() < 0.7 + 1e-6
        np.testing.assert_allclose(np.linalg.norm(recurrent, axis=0), 1, rtol=1e-6)
        assert bias.min() == 0 < bias.max()  # with this seed
        assert 0 < np.linalg.norm(last) < 0.01 + 1e-6


def test_what_is_frozen_stays_as_it_is():
    model = nn.Sequential([nn.Input((3,)), nn.Dense(4, kernel_constraint="unit_norm", trainable=False),
                           nn.Dense(2, kernel_constraint="unit_norm")])  # fmt: skip
    model.compile("sgd", "mse")
    frozen, free = (layer.weights[0] for layer in model.layers)
    before = frozen.numpy()
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    np.testing.assert_array_equal(frozen, before)
    np.testing.assert_allclose(np.linalg.norm(free, axis=0), 1, rtol=1e-6)


def test_first_values_are_not_touched_and_inference_changes_nothing():
    model = nn.Sequential([nn.Input((3,)), nn.Dense(2, kernel_initializer="ones", kernel_constraint="unit_norm")])
    model.compile("sgd", "mse")
    model.evaluate(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    model.predict(np.ones((4, 3)), verbose=0)
    assert (model.get_weights()[0] == 1).all()


# in files

def test_saved_and_loaded(tmp_path, data):
    model = constrained(nn)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(*data, verbose=0)
    model.save(tmp_path / "m")
    for twin in nn.load_model(tmp_path / "m"), copy.deepcopy(model), pickle.loads(pickle.dumps(model)):
        assert [repr(w.constraint) for w in twin.weights] == [repr(w.constraint) for w in model.weights]
    twin = nn.load_model(tmp_path / "m")
    assert twin.train_on_batch(*data) == model.train_on_batch(*data)
    assert all(np.array_equal(v, w) for v, w in zip(twin.get_weights(), model.get_weights()))


class Penalty(nn.regularizers.L2):
    """Another part of a layer that is the user's own."""


def test_the_users_own_in_files(tmp_path):
    inner = nn.Dense(2, kernel_constraint=non_positive, bias_constraint=Limit(0.25), kernel_regularizer=Penalty(0.1))
    both = nn.Bidirectional(nn.GRU(3, return_sequences=True, kernel_constraint=Limit(0.5)))
    model = nn.Sequential([nn.Input((4, 3)), both, nn.TimeDistributed(inner)])
    model.save(tmp_path / "m")
    own = {"non_positive": non_positive, "Limit": Limit, "Penalty": Penalty}
    twin = nn.load_model(tmp_path / "m", custom_objects=own)
    kernel, bias = twin.layers[-1].layer.weights
    assert kernel.constraint is non_positive
    assert (type(bias.constraint), bias.constraint.to) == (Limit, 0.25)
    assert type(kernel.regularizer) is Penalty
    assert twin.layers[0].backward_layer.kernel_constraint.to == 0.5
    assert nn.Sequential.from_config(model.get_config(), own).layers[-1].layer.kernel_constraint is non_positive
    for name in own:
        with pytest.raises(ValueError, match=f"unknown name '{name}'.*a class or function of your own goes into custom_objects"):
            nn.load_model(tmp_path / "m", custom_objects={key: value for key, value in own.items() if key != name})
    with pytest.raises(ValueError, match=r"unknown name 'Limit', known: [^;]*$"):
        constraints.get("Limit")  # known while the model was made, and no longer
