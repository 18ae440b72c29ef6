"""The same models in Keras and here: same weights, same results, same training, same names and shapes of what comes back."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

from fastopt import nn  # noqa: E402

HOMES = [keras, nn]
pytestmark = pytest.mark.filterwarnings("ignore")


def classifier(home):
    layers = home.layers
    return home.Sequential([layers.Dense(12, activation="relu", input_shape=(6,)), layers.Dense(8, activation="gelu"),
                            layers.Dense(3, activation="softmax")])  # fmt: skip


def regression(home):
    layers = home.layers
    return home.Sequential([home.Input(shape=(6,)), layers.Dense(10, activation="tanh"), layers.BatchNormalization(),
                            layers.LayerNormalization(), layers.Dense(1)])  # fmt: skip


def binary(home):
    layers = home.layers
    return home.Sequential([home.Input(shape=(6,)), layers.Dense(10, kernel_regularizer="l2", activation="elu"),
                            layers.Dense(1, activation="sigmoid", activity_regularizer="l1")])  # fmt: skip


def graph(home):
    layers = home.layers
    x = home.Input(shape=(6,))
    shared = layers.Dense(6, activation="tanh")
    left, right = shared(x), layers.Dense(6, activation="silu")(x)
    return home.Model(x, layers.Dense(1)(layers.Concatenate()([layers.Add()([left, right]), shared(left)])))


def two_of_each(home):
    layers = home.layers
    a, b = home.Input(shape=(6,), name="a"), home.Input(shape=(4,), name="b")
    h = layers.Concatenate()([layers.Dense(5, activation="relu")(a), layers.Dense(5, activation="selu")(b)])
    return home.Model([a, b], [layers.Dense(1, name="one")(h), layers.Dense(3, activation="softmax", name="three")(h)])


def unequal_branches(home):
    layers = home.layers
    x = home.Input(shape=(6,))
    short, long = layers.Dense(4)(x), layers.Dense(4)(layers.Dense(5)(layers.Dense(3)(x)))
    shared = layers.Dense(4)
    return home.Model(x, layers.Dense(1)(layers.Add()([shared(short), long, layers.Dense(4)(shared(long)), short])))


def pair(make, seed=0):
    """Keras's model and ours with the same weights."""
    theirs, ours = make(keras), make(nn)
    weights = theirs.get_weights()
    assert [w.shape for w in weights] == [w.shape for w in ours.get_weights()]
    ours.set_weights(weights)
    return theirs, ours


def data(n=48):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((n, 6)).astype("f4")
    return x, x[:, 0] * 2 - x[:, 1], (x[:, 2] > 0).astype("f4"), np.arange(n) % 3


CASES = {
    "classifier": (classifier, 3, dict(loss="sparse_categorical_crossentropy", metrics=["accuracy"])),
    "regression": (regression, 1, dict(loss="mse", metrics=["mae"])),
    "regression, mae": (regression, 1, dict(loss="mean_absolute_error")),
    "binary": (binary, 2, dict(loss="binary_crossentropy", metrics=["accuracy"])),
    "unequal branches": (unequal_branches, 1, dict(loss="mse")),
    "graph": (graph, 1, dict(loss=lambda home: home.losses.Huber(delta=0.5))),
}


def arguments(given, home):
    return {name: value(home) if callable(value) else value for name, value in given.items()}


@pytest.mark.parametrize("name", CASES)
def test_forward(name):
    theirs, ours = pair(CASES[name][0])
    x = data()[0]
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", {"class_name": "SGD", "config": {"learning_rate": 0.1, "clipnorm": 0.05}}])
@pytest.mark.parametrize("name", CASES)
def test_training_step_by_step(name, optimizer):
    make, target, options = CASES[name]
    theirs, ours = pair(make)
    for model, home in (theirs, keras), (ours, nn):
        model.compile(optimizer=optimizer, **arguments(options, home))
    x, y = data()[0], data()[target]
    for start in range(0, 48, 16):
        part = slice(start, start + 16)
        want, got = theirs.train_on_batch(x[part], y[part]), ours.train_on_batch(x[part], y[part])
        assert isinstance(got, list) == isinstance(want, list)
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-5)
    for got, want in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(got, want, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(ours.test_on_batch(x, y), theirs.test_on_batch(x, y), rtol=5e-4, atol=1e-5)
    np.testing.assert_allclose(ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), rtol=5e-4, atol=1e-5)
    assert list(ours.evaluate(x, y, verbose=0, return_dict=True)) == ["loss", *(m for m in options.get("metrics", []))]


@pytest.mark.parametrize("name", CASES)
def test_history(name):
    make, target, options = CASES[name]
    theirs, ours = pair(make)
    x, y = data()[0], data()[target]
    histories = []
    for model, home in (theirs, keras), (ours, nn):
        model.compile(optimizer="adam", **arguments(options, home))
        histories.append(model.fit(x, y, epochs=2, batch_size=10, validation_split=0.3, shuffle=False, verbose=0))
    theirs, ours = histories
    assert set(ours.history) == set(theirs.history)
    assert ours.epoch == theirs.epoch
    for key in theirs.history:
        np.testing.assert_allclose(ours.history[key], theirs.history[key], rtol=5e-3, atol=1e-4)


def test_weights_and_classes_weigh_as_in_keras():
    x, y = data()[0], data()[3]
    weight = np.linspace(0, 2, len(x)).astype("f4")
    for extra in dict(sample_weight=weight), dict(class_weight={0: 0.5, 2: 3.0}):
        theirs, ours = pair(classifier)
        for model in theirs, ours:
            model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
        logs = [model.fit(x, y, batch_size=10, shuffle=False, verbose=0, **extra).history for model in (theirs, ours)]
        assert set(logs[0]) == set(logs[1])
        for key in logs[0]:
            np.testing.assert_allclose(logs[1][key], logs[0][key], rtol=1e-4)


def test_two_inputs_two_outputs():
    theirs, ours = pair(two_of_each)
    x, r, _, c = data()
    inputs, targets = [x, x[:, :4]], [r, c]
    results = []
    for model in theirs, ours:
        model.compile("sgd", ["mse", "sparse_categorical_crossentropy"], loss_weights=[0.5, 2.0], metrics=[["mae"], ["accuracy"]])
        steps = [model.train_on_batch(inputs, targets), model.evaluate(inputs, targets, verbose=0)]
        steps.append(model.train_on_batch({"a": x, "b": x[:, :4]}, {"one": r, "three": c}))
        history = model.fit(inputs, targets, verbose=0, shuffle=False, validation_data=(inputs, targets)).history
        results.append((steps, history, [y.shape for y in model.predict(inputs, verbose=0)]))
    (want, theirs, shapes), (got, ours, mine) = results
    np.testing.assert_allclose(got, want, rtol=2e-4)
    assert set(ours) == set(theirs)
    for key in theirs:
        np.testing.assert_allclose(ours[key], theirs[key], rtol=5e-4)
    assert mine == shapes


@pytest.mark.parametrize("make", [classifier, regression, binary, graph, two_of_each, unequal_branches])
def test_layers_names_and_counts(make):
    keras.utils.clear_session()
    nn.clear_session()
    theirs, ours = make(keras), make(nn)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert ours.name == theirs.name
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]
    assert ours.count_params() == theirs.count_params()
    assert ours.output_shape == theirs.output_shape
    assert len(ours.trainable_weights) == len(theirs.trainable_weights)
    tables = []
    for model in theirs, ours:
        lines = []
        model.summary(print_fn=lambda text, lines=lines, **_: lines.append(text), line_length=160)
        text = "\n".join(lines)
        tables.append([line for line in text.splitlines() if "params:" in line])
        for layer in model.layers:
            assert f"{layer.name} ({type(layer).__name__})" in text
    assert [line.strip() for line in tables[1]] == [line.strip() for line in tables[0]]


def test_a_listing_with_its_import_lines_changed():
    """The layer-by-layer autoencoder on images flattened and scaled."""
    from fastopt.nn.layers import Dense, Input
    from fastopt.nn.models import Model

    x_train = np.random.default_rng(0).random((100, 28, 28)).reshape(100, 784)
    encoder = Dense(16, activation="relu", input_shape=(784,))
    decoder = Dense(784, activation="sigmoid")
    input_layer = Input(shape=(784,))
    autoencoder = Model(input_layer, decoder(encoder(input_layer)))
    autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
    history = autoencoder.fit(x_train, x_train, epochs=3, batch_size=25, shuffle=True, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert autoencoder.predict(x_train).shape == (100, 784)
