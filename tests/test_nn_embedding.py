"""The layer Embedding: Keras as the judge, kinds of indices, gradients in place, indices out of range refused."""

import os
import tracemalloc

import numpy as np
import pytest
from differences import differences

from fastopt import backend, nn

KINDS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">i4", ">f8")


def classifier(home, **kwargs):
    layers = home.layers
    return home.Sequential([home.Input(shape=(7,)), layers.Embedding(20, 6, **kwargs), layers.Flatten(),
                            layers.Dense(5, activation="tanh"), layers.Dense(1, activation="sigmoid")])  # fmt: skip


def graph(home):
    """One embedding for two inputs, and a second one."""
    layers = home.layers
    a, b = home.Input(shape=(4,), dtype="int32", name="a"), home.Input(shape=(4,), dtype="int32", name="b")
    shared = layers.Embedding(20, 3, embeddings_regularizer="l2")
    h = layers.Concatenate()(
        [layers.Flatten()(shared(a)), layers.Flatten()(shared(b)), layers.Flatten()(layers.Embedding(20, 2)(b))]
    )
    return home.Model([a, b], layers.Dense(1)(h))


def pair(make, **kwargs):
    """Keras's model and ours with the same weights."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    theirs, ours = make(keras, **kwargs), make(nn, **kwargs)
    weights = theirs.get_weights()
    assert [w.shape for w in weights] == [w.shape for w in ours.get_weights()]
    ours.set_weights(weights)
    return theirs, ours


def words(rng, n=32, steps=7):
    return rng.integers(0, 20, (n, steps)), rng.integers(0, 2, n)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_is_keras(optimizer, rng):
    theirs, ours = pair(classifier)
    x, y = words(rng)
    histories = []
    for model in (theirs, ours):
        model.compile(optimizer, "binary_crossentropy")
        histories.append(model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-5)
    for mine, weight in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(mine, weight, atol=2e-6)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_a_shared_embedding_is_keras(rng):
    theirs, ours = pair(graph)
    a, b, y = rng.integers(0, 20, (24, 4)), rng.integers(0, 20, (24, 4)), rng.standard_normal(24)
    for model in (theirs, ours):
        model.compile("sgd", "mse")
        model.fit([a.astype("i4"), b.astype("i4")], y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for mine, weight in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(mine, weight, atol=2e-6)


@pytest.mark.filterwarnings("ignore")
def test_arguments_and_configuration_are_keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    given = dict(input_dim=9, output_dim=3, embeddings_initializer="ones", mask_zero=True, name="words", trainable=False)
    theirs, ours = keras.layers.Embedding(**given), nn.Embedding(**given)
    wanted = theirs.get_config()
    mine = ours.get_config()
    for name in ("input_dim", "output_dim", "mask_zero", "name", "trainable", "embeddings_constraint", "embeddings_regularizer"):
        assert mine[name] == wanted[name], name
    x = np.array([[0, 3], [2, 0]])
    np.testing.assert_array_equal(ours.compute_mask(x, None), np.asarray(theirs.compute_mask(x)))
    assert nn.Embedding(9, 3).compute_mask(x, None) is None
    np.testing.assert_array_equal(ours(x), np.asarray(theirs(x).detach()))
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights] == ["embeddings"]


def test_the_default_initializer_is_uniform():
    nn.set_random_seed(3)
    layer = nn.Embedding(500, 40)
    layer.build((None, 3))
    values = layer.params["embeddings"]
    assert values.shape == (500, 40)
    assert -0.05 <= values.min() < -0.0499
    assert 0.0499 < values.max() <= 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_indices(kind, rng):
    x, y = words(rng)
    model, same = classifier(nn), classifier(nn)
    same.set_weights(model.get_weights())
    want = model.predict(x, verbose=0)
    np.testing.assert_array_equal(model.predict(x.astype(kind), verbose=0), want)
    for m, data in ((model, x), (same, x.astype(kind))):
        m.compile("adam", "binary_crossentropy")
        m.fit(data, y, batch_size=8, shuffle=False, verbose=0)
        m.train_on_batch(data[:5], y[:5])
    for a, b in zip(model.get_weights(), same.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_other_forms_of_indices(rng):
    x, _ = words(rng)
    model = classifier(nn)
    want = model.predict(x, verbose=0)
    wide = np.zeros((64, 14), int)
    wide[::2, ::2] = x
    stacked = np.empty(len(x), object)
    stacked[:] = list(x)
    for given in (x.tolist(), tuple(map(tuple, x.tolist())), wide[::2, ::2], np.asfortranarray(x), list(x), stacked):
        np.testing.assert_array_equal(model.predict(given, verbose=0), want)
    layer = model.layers[0]
    for given in (x, x.tolist(), x.astype("f4"), x > 100):
        np.testing.assert_array_equal(layer(given), layer.params["embeddings"][np.asarray(given).astype(int)])
    np.testing.assert_array_equal(layer.forward(np.array([3, 4])), layer.params["embeddings"][[3, 4]])
    np.testing.assert_array_equal(layer.forward(x[:, :, None] + np.zeros(2, int)).shape, (32, 7, 2, 6))


def test_many_rows_as_floats_keep_their_numbers():
    """2^24 + 1 is no float32: integers never pass through one."""
    layer = nn.Embedding(2**24 + 2, 1, embeddings_initializer="zeros")
    layer.build(None)
    layer.params["embeddings"][-1] = 7
    model = nn.Sequential([nn.Input(shape=(1,)), layer])
    x = np.array([[2**24 + 1]])
    assert layer.forward(x) == 7
    assert model.predict(x, verbose=0) == 7


def test_gradients(rng):
    x, dy = rng.integers(0, 5, (4, 3)), rng.standard_normal((4, 3, 2))
    layer = nn.Embedding(5, 2, dtype="float64")
    layer.forward(x, training=True)
    assert layer.backward(dy) is None
    weight = layer.params["embeddings"]

    def run(values):
        weight[...] = values
        return np.sum(dy * layer.forward(x))

    np.testing.assert_allclose(layer.grads["embeddings"], differences(run, weight.copy()), rtol=1e-7, atol=1e-8)


def test_shared_calls_add_and_inputs_have_no_gradient(rng):
    a, b = nn.Input(shape=(3,)), nn.Input(shape=(2,))
    layer = nn.Embedding(5, 2, dtype="float64")
    model = nn.Model([a, b], [layer(a), layer(b), nn.Dense(2, dtype="float64")(a)], dtype="float64")
    x, z = rng.integers(0, 5, (4, 3)), rng.integers(0, 5, (4, 2))
    outputs = model.forward([x, z], training=True)
    dys = [rng.standard_normal(y.shape) for y in outputs]
    dx, dz = model.backward(dys)
    assert dz is None
    np.testing.assert_allclose(dx, dys[2] @ model.layers[-1].params["kernel"].T)
    want = np.zeros((5, 2))
    np.add.at(want, x, dys[0])
    np.add.at(want, z, dys[1])
    np.testing.assert_allclose(layer.grads["embeddings"], want, rtol=1e-12, atol=1e-15)
    model.backward([dy.copy() for dy in dys], accumulate=True)
    np.testing.assert_allclose(layer.grads["embeddings"], 2 * want, rtol=1e-12, atol=1e-15)


def test_layers_before_an_embedding_get_no_gradient(rng):
    x = nn.Input(shape=(2, 3))
    model = nn.Model(x, nn.Embedding(5, 2)(nn.Flatten()(x)))
    y = model.forward(rng.integers(0, 5, (4, 2, 3)), training=True)
    assert model.backward(np.ones_like(y)) is None
    assert model.layers[-1].grads["embeddings"].sum() == 4 * 6 * 2


def test_for_each_step(rng):
    x = nn.Input(shape=(4, 5))
    model = nn.Model(x, nn.TimeDistributed(nn.Embedding(10, 3))(x))
    indices = rng.integers(0, 10, (6, 4, 5))
    np.testing.assert_array_equal(model.predict(indices, verbose=0), model.get_weights()[0][indices])
    y = model.forward(indices, training=True)
    assert model.backward(np.ones_like(y)) is None
    np.testing.assert_array_equal(model.layers[-1].layer.grads["embeddings"][:, 0], np.bincount(indices.ravel(), minlength=10))


def test_frozen_and_pretrained(rng):
    vectors = rng.standard_normal((20, 6)).astype("f4")
    for weights in ([vectors], vectors, (vectors,)):
        layer = nn.Embedding(20, 6, weights=weights, trainable=False)
        np.testing.assert_array_equal(layer.get_weights()[0], vectors)
        layer.forward(np.array([[3]]), training=True)
        assert layer.backward(np.ones((1, 1, 6))) is None
        assert not layer.grads["embeddings"].any()
    layer = nn.Embedding(20, 6, trainable=False)
    model = nn.Sequential([layer, nn.Flatten(), nn.Dense(1)])
    model.build((None, 7))
    layer.set_weights([vectors])
    model.compile("adam", "mse")
    x, y = words(rng)
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(layer.get_weights()[0], vectors)
    assert not np.array_equal(model.get_weights()[1], before[1])
    with pytest.raises(ValueError, match=r"embeddings has shape \(20, 6\), got shape \(19, 6\)"):
        nn.Embedding(20, 6, weights=[vectors[1:]])


@pytest.mark.filterwarnings("ignore:.*supports no masking")
def test_saving_summary_and_input_length(tmp_path, rng, capsys):
    model = nn.Sequential(
        [nn.Embedding(20, 6, input_length=7, mask_zero=True, embeddings_regularizer="l1"), nn.Flatten(), nn.Dense(1)]
    )
    assert model.input_shape == (None, 7)
    model.compile("adam", "mse")
    x, y = words(rng)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model")
    again = nn.load_model(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.layers[0].get_config() == model.layers[0].get_config()
    assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
    model.summary()
    assert "(None, 7, 6)" in capsys.readouterr().out


def test_a_chain_built_on_data_takes_other_lengths(rng):
    x, y = words(rng)
    model = nn.Sequential([nn.Embedding(20, 6), nn.GlobalAveragePooling1D(), nn.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    assert model.predict(x[:, :3], verbose=0).shape == (32, 1)
    model = nn.Sequential([nn.Embedding(20, 6), nn.Flatten(), nn.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    assert model.input_shape == (None, 7)


@pytest.mark.skipif(backend.NAME == "reference", reason="the definitions may allocate")
def test_a_step_allocates_nothing_of_its_size(rng):
    x, y = rng.integers(0, 50, (256, 100)).astype("i4"), rng.standard_normal(256).astype("f4")
    model = nn.Sequential([nn.Input(shape=(100,)), nn.Embedding(50, 32), nn.Flatten(), nn.Dense(1)])
    model.compile("sgd", "mse")
    runner = model._running("test")
    runner.train([x], [y[:, None]], [None])
    tracemalloc.start()
    runner.train([x], [y[:, None]], [None])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000  # the indices alone are 100,000 bytes


OUTSIDE = [(lambda x: x + 1, r"x\[\d+, \d+\] is 20, expected an index in \[0, 20\)"), (lambda x: x - 1, "is -1"),
           (lambda x: x + 0.5, r"x\[0, 0\] is \d+.5, expected integers"), (lambda x: np.where(x == 3, np.nan, x), "is nan"),
           (lambda x: x.astype("u8") + np.uint64(2**63), "is 92"), (lambda x: x.astype("U"), "x has dtype <U"),
           (lambda x: x + 1j, "x has dtype complex128"), (lambda x: x[:, :3], r"shape \(64, 3\), expected \(None, 7\)"),
           (lambda x: x.tolist()[:-1] + [[1, 2]], "parts differ in shape"), (lambda x: [], "x is an empty list")]  # fmt: skip


@pytest.mark.parametrize("case", range(len(OUTSIDE)))
@pytest.mark.parametrize("method", ["fit", "train_on_batch", "evaluate", "test_on_batch"])
def test_bad_indices_change_nothing(method, case, rng):
    change, message = OUTSIDE[case]
    x, y = words(rng, 64)
    x[0, 0], x[-1, -1] = 19, 0
    model = classifier(nn)
    model.compile("adam", "binary_crossentropy")
    before = model.get_weights()
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        getattr(model, method)(change(x), y, **({"verbose": 0} if method in ("fit", "evaluate") else {}))
    assert str(caught.value).startswith(method)
    assert all(np.array_equal(v, w) for v, w in zip(before, model.get_weights()))
    assert model.optimizer.steps == 0


def test_an_index_computed_in_the_graph_is_checked_in_the_step(rng):
    x = nn.Input(shape=(2, 3))
    model = nn.Model(x, nn.Embedding(5, 1)(nn.Reshape((6,))(x)))
    model.compile("sgd", "mse")
    before = model.get_weights()
    data = np.full((4, 2, 3), 5)
    with pytest.raises(ValueError, match=r"indices\[0, 0\] is 5, expected an index in \[0, 5\)"):
        model.fit(data, np.zeros((4, 6, 1)), verbose=0)
    np.testing.assert_array_equal(model.get_weights(), before)


ARGUMENTS = [
    (dict(input_dim=0, output_dim=3), "input_dim must be an integer >= 1, got 0"),
    (dict(input_dim=3, output_dim=2.5), "output_dim must be an integer >= 1, got 2.5"),
    (dict(input_dim=True, output_dim=2), "input_dim must be an integer >= 1, got True"),
    (dict(input_dim=3, output_dim=2, embeddings_constraint="unitnrm"), "unknown name 'unitnrm', nearest known: 'UnitNorm'"),
    (dict(input_dim=3, output_dim=2, lora_rank=2), "unexpected argument 'lora_rank'"),
    (dict(input_dim=3, output_dim=2, embeddings_initializer="unifrom"), "nearest known"),
]


@pytest.mark.parametrize("case", range(len(ARGUMENTS)))
def test_bad_arguments(case):
    given, message = ARGUMENTS[case]
    with pytest.raises((ValueError, TypeError), match=message):
        nn.Embedding(**given)
