"""Masks, and the layers of sequences, as in Keras: the same results, gradients, histories, masks of outputs, names and defaults."""

import inspect
import os
import warnings

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

from fastopt import nn  # noqa: E402
from fastopt.nn.program import Program  # noqa: E402

HOMES = [keras, nn]
pytestmark = pytest.mark.filterwarnings("ignore")

LAYERS = {
    "masking": (lambda h: h.layers.Masking(0.5), (4, 5, 3)),
    "average": (lambda h: h.layers.GlobalAveragePooling1D(), (4, 5, 3)),
    "average, kept": (lambda h: h.layers.GlobalAveragePooling1D(keepdims=True), (4, 5, 3)),
    "average, time last": (lambda h: h.layers.GlobalAveragePooling1D("channels_first", True), (4, 3, 5)),
    "maximum": (lambda h: h.layers.GlobalMaxPooling1D(), (4, 5, 3)),
    "maximum, time last": (lambda h: h.layers.GlobalMaxPooling1D("channels_first", True), (4, 3, 5)),
    "batch normalisation": (lambda h: h.layers.BatchNormalization(), (4, 5, 3)),
    "batch normalisation, axis 1": (lambda h: h.layers.BatchNormalization(axis=1), (4, 5, 3)),
    "batch normalisation, plain": (lambda h: h.layers.BatchNormalization(center=False, scale=False), (4, 5, 3)),
    "softmax over time": (lambda h: h.layers.Softmax(), (4, 5)),
    "dense on steps": (lambda h: h.layers.TimeDistributed(h.layers.Dense(4, activation="tanh")), (4, 5, 3)),
    "flatten on steps": (lambda h: h.layers.TimeDistributed(h.layers.Flatten()), (4, 5, 3, 2)),
    "batch normalisation on steps": (lambda h: h.layers.TimeDistributed(h.layers.BatchNormalization()), (4, 5, 3)),
    "steps of steps": (lambda h: h.layers.TimeDistributed(h.layers.TimeDistributed(h.layers.Dense(4))), (4, 5, 2, 3)),
    "model on steps": (lambda h: h.layers.TimeDistributed(normalizing(h)), (4, 5, 3)),
}
UNMASKED = ("steps of steps",)  # Keras would take the second axis of the mask for the inner steps


def normalizing(home):
    layers = home.layers
    return home.Sequential([home.Input((3,)), layers.Dense(4, activation="tanh"), layers.BatchNormalization(), layers.Dense(2)])


def near(got, want):
    np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, masked, rng):
    torch = pytest.importorskip("torch")
    make, shape = LAYERS[name]
    theirs, ours = make(keras), make(nn)
    theirs.build(shape)
    ours.ready(shape)
    values = [rng.uniform(0.5, 1.5, weight.shape).astype("f4") for weight in theirs.weights]
    for layer in theirs, ours:
        layer.set_weights(values)
    x = rng.standard_normal(shape).astype("f4")
    if name == "masking":
        x[1, 2] = 0.5
    mask = rng.random((4, 5)) < 0.6
    mask[:, 2] = True
    mask = mask if masked and name not in UNMASKED else None
    given = torch.tensor(x, requires_grad=True, device="cpu")
    extra = {"training": True} if theirs._call_has_training_arg else {}
    if mask is not None and theirs._call_has_mask_arg:
        extra["mask"] = torch.tensor(mask)
    want = theirs(given, **extra)
    got = ours.forward(x, training=True, mask=mask)
    near(got, want.detach())
    dy = rng.standard_normal(got.shape).astype("f4")
    want.backward(torch.tensor(dy))
    near(ours.backward(dy), given.grad)
    for grad, variable in zip(ours.grads.values(), theirs.trainable_variables):
        near(grad, variable.value.grad)
    for weight, other in zip(ours.get_weights(), theirs.get_weights()):
        near(weight, other)
    if "training" in extra:
        extra["training"] = False
    near(ours.forward(x, mask=mask), theirs(given, **extra).detach())


def test_names_weights_and_configurations():
    keras.utils.clear_session()
    nn.clear_session()
    for make, shape in LAYERS.values():
        theirs, ours = make(keras), make(nn)
        assert ours.name == theirs.name
        theirs.build(shape)
        ours.ready(shape)
        assert ours.compute_output_shape((None, *shape[1:])) == theirs.compute_output_shape((None, *shape[1:]))
        assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]
        assert [weight.shape for weight in ours.weights] == [weight.shape for weight in theirs.weights]
        mine, known = ours.get_config(), theirs.get_config()
        for key in {"mask_value", "data_format", "keepdims", "rate", "seed"} & set(known):
            assert mine[key] == known[key]
    assert keras.layers.SpatialDropout1D(0.3, seed=2).name == nn.SpatialDropout1D(0.3, seed=2).name == "spatial_dropout1d"


def test_other_names():
    for home in HOMES:
        assert home.layers.GlobalAvgPool1D is home.layers.GlobalAveragePooling1D
        assert home.layers.GlobalMaxPool1D is home.layers.GlobalMaxPooling1D


@pytest.mark.parametrize("name", ["Masking", "SpatialDropout1D", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "TimeDistributed"])
def test_arguments(name):
    theirs, ours = (inspect.signature(getattr(home.layers, name)).parameters for home in HOMES)
    for argument, parameter in theirs.items():
        if parameter.kind is parameter.VAR_KEYWORD or argument in ("name", "dtype"):
            continue
        assert ours[argument].default == parameter.default
    shared = [argument for argument in theirs if argument in ours]
    assert shared == [argument for argument in ours if argument in theirs]


def merged(layer):
    def make(home):
        a, b = home.Input((5, 3)), home.Input((5, 3))
        return home.Model([a, b], layer(home)([home.layers.Masking()(a), home.layers.Masking(1.0)(b)]))

    return make


def merged_with_unmasked(layer):
    def make(home):
        a, b = home.Input((5, 3)), home.Input((5, 3))
        return home.Model([a, b], layer(home)([home.layers.Masking()(a), b]))

    return make


def chain(*layers):
    def make(home):
        a, b = home.Input((5, 3)), home.Input((5, 3))
        h = home.layers.Masking()(a)
        for layer in layers:
            h = layer(home)(h)
        return home.Model([a, b], [h, b])

    return make


GRAPHS = {
    "add": merged(lambda h: h.layers.Add()),
    "average": merged(lambda h: h.layers.Average()),
    "subtract": merged(lambda h: h.layers.Subtract()),
    "concatenate": merged(lambda h: h.layers.Concatenate()),
    "concatenate, axis 1": merged(lambda h: h.layers.Concatenate(axis=1)),
    "add, one mask": merged_with_unmasked(lambda h: h.layers.Add()),
    "concatenate, one mask": merged_with_unmasked(lambda h: h.layers.Concatenate()),
    "concatenate, axis 1, one mask": merged_with_unmasked(lambda h: h.layers.Concatenate(axis=1)),
    "what passes": chain(
        lambda h: h.layers.Dense(4),
        lambda h: h.layers.BatchNormalization(),
        lambda h: h.layers.LayerNormalization(),
        lambda h: h.layers.Activation("tanh"),
        lambda h: h.layers.LeakyReLU(),
        lambda h: h.layers.ReLU(),
        lambda h: h.layers.ELU(),
        lambda h: h.layers.SpatialDropout1D(0.2),
        lambda h: h.layers.TimeDistributed(h.layers.Dense(2)),
    ),
    "masked twice": chain(lambda h: h.layers.Masking(), lambda h: h.layers.Masking(1.0)),
    "flatten": chain(lambda h: h.layers.Flatten()),
    "reshape": chain(lambda h: h.layers.Reshape((5, 3, 1))),
    "average over time": chain(lambda h: h.layers.GlobalAveragePooling1D()),
    "maximum over time": chain(lambda h: h.layers.GlobalMaxPooling1D()),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_masks_of_outputs(name, rng):
    a, b = rng.standard_normal((2, 4, 5, 3)).astype("f4")
    a[rng.random((4, 5)) < 0.4], b[rng.random((4, 5)) < 0.4] = 0, 1
    theirs, ours = GRAPHS[name](keras), GRAPHS[name](nn)
    wanted = theirs([a, b])
    program = Program(ours.graph)
    program.forward([a, b], False)
    for got, want in zip(program.output_masks, wanted if isinstance(wanted, list) else [wanted]):
        want = getattr(want, "_keras_mask", None)
        assert (got is None) == (want is None)
        assert got is None or np.array_equal(got, want.cpu().numpy())


@pytest.mark.parametrize("layer", ["Flatten", "GlobalMaxPooling1D"])
def test_both_warn_where_a_mask_ends(layer):
    for home in HOMES:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model = home.Sequential([home.Input((5, 3)), home.layers.Masking(), getattr(home.layers, layer)()])
            model.predict(np.ones((2, 5, 3)), verbose=0)
        assert any(issubclass(w.category, UserWarning) and "mask" in str(w.message) for w in said)


def tagger(home, *last):
    layers = home.layers
    return home.Sequential([home.Input((5, 3)), layers.Masking(), layers.Dense(6, activation="tanh"), layers.BatchNormalization(),
                            *[layer(layers) for layer in last]])  # fmt: skip


MODELS = {
    "labels": ([lambda at: at.Dense(3, activation="softmax")], "sparse_categorical_crossentropy", "labels", "accuracy"),
    "labels, softmax apart": ([lambda at: at.Dense(3), lambda at: at.Activation("softmax")], "sparse_categorical_crossentropy",
                              "labels", "accuracy"),
    "one-hot": ([lambda at: at.Dense(3, activation="softmax")], "categorical_crossentropy", "hot", "accuracy"),
    "binary": ([lambda at: at.Dense(1, activation="sigmoid")], "binary_crossentropy", "binary", "accuracy"),
    "values": ([lambda at: at.TimeDistributed(at.Dense(3))], "mse", "values", "mae"),
    "values, and no mean of rows": ([lambda at: at.Dense(3)], "mse", "values", "root_mean_squared_error"),
    "sum": ([lambda at: at.Dense(3)], lambda h: h.losses.Huber(reduction="sum"), "values", "mae"),
    "mean by weights": ([lambda at: at.Dense(3)], lambda h: h.losses.MeanAbsoluteError(reduction="mean_with_sample_weight"),
                        "values", "mse"),
    "ignored labels": ([lambda at: at.Dense(3, activation="softmax")],
                       lambda h: h.losses.SparseCategoricalCrossentropy(ignore_class=1), "labels", "accuracy"),
    "mask gone": ([lambda at: at.GlobalAveragePooling1D(), lambda at: at.Dense(3)], "mse", "rows", "mae"),
}  # fmt: skip


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_function_of_rows_as_loss(weighted, masked):
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((24, 5, 3)).astype("f4"), rng.standard_normal((24, 5, 2)).astype("f4")
    if masked:
        x[rng.random((24, 5)) < 0.3], x[:, 1] = 0, 1
    weight = rng.uniform(0.5, 2, (24, 5)) if weighted else None
    theirs, ours = tagger(keras, lambda at: at.Dense(2)), tagger(nn, lambda at: at.Dense(2))
    ours.set_weights(theirs.get_weights())
    results = []
    rows = lambda y, p: ((p - y) ** 4).sum(-1)
    for model, loss in (theirs, rows), (ours, lambda y, p: (rows(y, p), 4 * (p - y) ** 3)):
        model.compile("sgd", loss)
        given = {"batch_size": 24, "sample_weight": None if weight is None else weight.copy(), "verbose": 0}
        losses = model.fit(x, y, epochs=2, shuffle=False, **given).history["loss"]
        results.append([*losses, model.evaluate(x, y, **given)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4)


@pytest.mark.parametrize("shape", [(24, 1), (24, 5), (24, 5, 1)])
def test_weights_of_steps_without_a_mask(shape):
    rng = np.random.default_rng(5)
    x, y, weight = rng.standard_normal((24, 5, 3)), rng.integers(0, 3, (24, 5)), rng.uniform(0.5, 2, shape)
    theirs, ours = (home.Sequential([home.Input((5, 3)), home.layers.Dense(3, activation="softmax")]) for home in (keras, nn))
    ours.set_weights(theirs.get_weights())
    results = []
    for model in theirs, ours:
        model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
        given = {"batch_size": 7, "sample_weight": weight, "verbose": 0}
        history = model.fit(x, y, epochs=2, shuffle=False, validation_data=(x, y, weight), **given).history
        results.append([*history["loss"], *history["accuracy"], *history["val_loss"], *model.evaluate(x, y, **given),
                        *model.train_on_batch(x, y, sample_weight=weight)])  # fmt: skip
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_training(name, weighted):
    last, loss, kind, metric = MODELS[name]
    rng = np.random.default_rng(3)
    x = rng.standard_normal((24, 5, 3)).astype("f4")
    x[rng.random((24, 5)) < 0.3], x[:, 1] = 0, 1
    labels = rng.integers(0, 3, (24, 5))
    y = {"labels": labels, "hot": np.eye(3)[labels], "binary": labels[..., None] % 2, "values": rng.standard_normal((24, 5, 3)),
         "rows": rng.standard_normal((24, 3))}[kind]  # fmt: skip
    weight = None
    if weighted:
        weight = rng.uniform(0.5, 2, 24 if kind == "rows" else (24, 5))
    # on the torch backend Keras's loss scales the weights in place by the share of masked steps before the metrics get them,
    # so that weighted means of rows are comparable within one batch only, and others not at all
    size = 24 if weighted else 7
    theirs, ours = tagger(keras, *last), tagger(nn, *last)
    ours.set_weights(theirs.get_weights())
    weighted_metrics = [] if weighted and name in ("ignored labels", "values, and no mean of rows") else [metric]
    rate, results = 0.002 if name == "sum" else 0.1, []
    for model, home in (theirs, keras), (ours, nn):
        given = {"batch_size": size, "sample_weight": None if weight is None else weight.copy(), "verbose": 0}
        model.compile(home.optimizers.SGD(rate), loss(home) if callable(loss) else loss, metrics=[metric],
                      weighted_metrics=weighted_metrics)  # fmt: skip
        before = model.evaluate(x, y, return_dict=True, **given)
        history = model.fit(x, y, epochs=3, shuffle=False, **given).history
        results.append((before, history, model.get_weights(), model.predict(x, verbose=0)))
    for got, want in zip(results[1][:2], results[0][:2]):
        assert set(want) >= set(got) >= {"loss", metric}
        for key in got:
            np.testing.assert_allclose(got[key], want[key], rtol=2e-4, atol=1e-5, err_msg=key)
    for got, want in zip(results[1][2], results[0][2]):  # three steps of plain descent: the gradients
        np.testing.assert_allclose(got, want, rtol=2e-3, atol=5e-5)
    np.testing.assert_allclose(results[1][3], results[0][3], rtol=2e-3, atol=1e-4)
