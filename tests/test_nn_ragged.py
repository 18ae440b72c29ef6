"""Ragged data in fit, evaluate and predict: the same as padded data with their mask, and as Keras with masked zeros."""

import itertools
import os
import threading
import tracemalloc

import numpy as np
import pytest

from fastopt import nn


class Total(nn.Layer):
    """The sum of the steps, those that the mask leaves; sees what a recurrent layer would."""

    seen = ()

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[2])

    def compute(self, call, x, training):
        type(self).seen = (*type(self).seen, (x.shape, None if call.mask is None else call.mask.copy(), x.copy()))
        call.kept = np.ones(x.shape[:2], bool) if call.mask is None else call.mask.copy()
        return (x * call.kept[:, :, None]).sum(1)

    def gradient(self, call, dy):
        return dy[:, None] * call.kept[:, :, None].astype(dy.dtype)

    def compute_mask(self, x, mask):
        return None


@pytest.fixture(autouse=True)
def _fresh():
    Total.seen = ()
    nn.set_random_seed(1)


def sequences(rng, n=40, features=(), low=0, high=9):
    lengths = rng.integers(low, high, n)
    lengths[3], lengths[5] = high, low  # the ends are there
    if features:
        return [rng.standard_normal((t, *features)).astype("f4") for t in lengths]
    return [rng.integers(1, 20, t) for t in lengths]


def padded(parts, steps=None):
    """What a batch of them is, and its mask."""
    steps = max([1, *map(len, parts)]) if steps is None else steps
    array = np.zeros((len(parts), steps, *parts[0].shape[1:]), parts[0].dtype)
    mask = np.zeros((len(parts), steps), bool)
    for row, flags, part in zip(array, mask, parts):
        row[: len(part)], flags[: len(part)] = part, True
    return array, mask


def words():
    return nn.Sequential([nn.Input(shape=(None,)), nn.Embedding(20, 4), Total(), nn.Dense(1)])


def signals():
    return nn.Sequential([nn.Input(shape=(None, 3)), nn.Dense(4, activation="tanh"), Total(), nn.Dense(1)])


def tagger():
    return nn.Sequential([nn.Input(shape=(None,)), nn.Embedding(20, 4), nn.Dense(3, activation="softmax")])


def alike(*models):
    for model in models[1:]:
        model.set_weights(models[0].get_weights())
    for model in models:
        model.compile("adam", "mse")
    return models


def same_weights(one, other, tolerance=0):
    for a, b in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("make", "features"), [(words, ()), (signals, (3,))])
@pytest.mark.parametrize("form", ["list", "tuple", "objects", "lists"])
def test_fit_is_training_on_padded_batches(form, make, features, rng):
    x, y = sequences(rng, features=features), rng.standard_normal(40).astype("f4")
    given = {"list": x, "tuple": tuple(x), "objects": np.array(x, object), "lists": [part.tolist() for part in x]}[form]
    one, other = alike(make(), make())
    history = one.fit(given, y, batch_size=7, epochs=2, shuffle=False, verbose=0).history["loss"]
    runner, losses = other._running("test"), []
    for _ in range(2):
        runner.reset()
        for start in range(0, 40, 7):
            array, mask = padded(x[start : start + 7])
            runner.train([array], [y[start : start + 7, None]], [None], [mask])
        losses.append(runner.results()["loss"])
    assert history == losses
    same_weights(one, other)
    batches = Total.seen[: len(Total.seen) // 2]
    assert [shape[1] for shape, *_ in batches[:6]] == [max(map(len, x[i : i + 7])) for i in range(0, 40, 7)]
    for _, mask, _ in batches:
        assert (np.sort(mask, axis=1)[:, ::-1] == mask).all()  # a prefix


def test_shuffled_batches_keep_samples_together(rng):
    """Each sequence holds its own number, and so does its target."""
    x = [np.full((t, 1), i, "f4") for i, t in enumerate(rng.integers(1, 6, 30))]
    model = nn.Sequential([nn.Input(shape=(None, 1)), Total(), nn.Dense(1, kernel_initializer="ones")])
    model.compile(nn.optimizers.SGD(0.0), "mse")
    y = np.array([part.sum() for part in x])
    history = model.fit(x, y, batch_size=4, epochs=3, verbose=0).history["loss"]
    assert history == [0, 0, 0]
    first, second = ([array[:, 0, 0].tolist() for _, _, array in Total.seen[i : i + 8]] for i in (0, 8))
    assert first != second
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*second)) == list(range(30))


@pytest.mark.filterwarnings("ignore")
def test_masked_zeros_in_keras_are_the_same(rng):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")

    def make(home, mask_zero):
        layers = home.layers
        return home.Sequential([home.Input(shape=(None,)), layers.Embedding(20, 4, mask_zero=mask_zero),
                                layers.GlobalAveragePooling1D(), layers.Dense(1, activation="sigmoid")])  # fmt: skip

    theirs = make(keras, True)
    x, y = sequences(rng, low=1), rng.integers(0, 2, 40)
    whole = padded(x)[0]
    ours = [make(nn, False), make(nn, True)]
    for model in ours:
        model.set_weights(theirs.get_weights())
    for model, data in zip((theirs, *ours), (whole, x, x)):
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        model.history_ = model.fit(data, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    for model in ours:
        for name in ("loss", "accuracy"):
            np.testing.assert_allclose(model.history_[name], theirs.history_[name], rtol=1e-5)
        for a, b in zip(model.get_weights(), theirs.get_weights()):
            np.testing.assert_allclose(a, b, atol=1e-6)
        np.testing.assert_allclose(model.predict(x, verbose=0), theirs.predict(whole, verbose=0), atol=1e-6)


def test_recurrent_layers_see_the_ends(rng):
    """The same as zeros that mask_zero masks, in whole arrays; both directions begin at the ends."""
    both = lambda: nn.Bidirectional(nn.GRU(3, return_sequences=True))
    make = lambda mask_zero: nn.Sequential([nn.Embedding(20, 4, mask_zero=mask_zero), both(), nn.LSTM(5), nn.Dense(1)])
    x, y = sequences(rng), rng.standard_normal(40).astype("f4")
    whole, _ = padded(x)
    one, other = make(False), make(True)
    for model in (one, other):
        model.build((None, None))
    alike(one, other)
    losses = one.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"]
    assert other.fit(whole, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"] == pytest.approx(losses, rel=1e-5)
    same_weights(one, other, 1e-5)
    np.testing.assert_allclose(one.predict(x, verbose=0), other.predict(whole, verbose=0), atol=1e-5)


def taggers():
    """Keras's, and ours with its weights."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    theirs = keras.Sequential([keras.Input(shape=(None,)), keras.layers.Embedding(20, 4, mask_zero=True),
                               keras.layers.Dense(3, activation="softmax")])  # fmt: skip
    ours = tagger()
    ours.set_weights(theirs.get_weights())
    return theirs, ours


@pytest.mark.filterwarnings("ignore")
def test_targets_for_each_step_are_keras(rng):
    theirs, ours = taggers()
    x = sequences(rng, low=1)
    y = [part % 3 for part in x]
    for model, a, b in ((theirs, padded(x)[0], padded(y)[0]), (ours, x, y)):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.history_ = model.fit(a, b, batch_size=40, epochs=3, verbose=0, shuffle=False).history
    for name in ("loss", "accuracy"):
        np.testing.assert_allclose(ours.history_[name], theirs.history_[name], rtol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_one_hot_and_real_targets_for_each_step(rng):
    x = sequences(rng)
    one, other = tagger(), tagger()
    other.set_weights(one.get_weights())
    one.compile("sgd", "sparse_categorical_crossentropy")
    other.compile("sgd", "categorical_crossentropy")
    labels = [part % 3 for part in x]
    losses = one.fit(x, labels, verbose=0, shuffle=False).history["loss"]
    onehot = [np.eye(3)[part] for part in labels]
    assert other.fit(x, onehot, verbose=0, shuffle=False).history["loss"] == pytest.approx(losses, rel=1e-6)
    model = nn.Sequential([nn.Input(shape=(None,)), nn.Embedding(20, 1)])
    model.compile("sgd", "mse")
    rows, column = [part / 7 for part in x], [part[:, None] / 7 for part in x]
    assert model.evaluate(x, rows, verbose=0) == model.evaluate(x, column, verbose=0)
    values = model.layers[0].params["embeddings"][:, 0].astype("f8")
    batches = [np.concatenate([values[a] - b for a, b in zip(x[i : i + 32], rows[i : i + 32])]) for i in (0, 32)]
    want = sum(size * np.mean(part**2) for size, part in zip((32, 8), batches)) / 40
    assert model.evaluate(x, rows, verbose=0) == pytest.approx(want, rel=1e-5)


def test_evaluate_and_predict(rng):
    x, y = sequences(rng), rng.standard_normal(40).astype("f4")
    model = words()
    model.compile("sgd", "mse")
    each = np.concatenate([model.forward(part[None]) if len(part) else model.forward(np.zeros((1, 0), int)) for part in x])
    for size in (3, 32, 100):
        np.testing.assert_allclose(model.predict(x, batch_size=size, verbose=0), each, atol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(x), each, atol=1e-6)
    np.testing.assert_allclose(model.predict([x[3]], verbose=0), each[3:4], atol=1e-6)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(np.mean((each[:, 0] - y) ** 2), rel=1e-5)
    assert model.test_on_batch(x, y) == pytest.approx(np.mean((each[:, 0] - y) ** 2), rel=1e-5)


@pytest.mark.parametrize("size", [3, 100])
def test_predict_gives_results_for_steps_at_their_lengths(size, rng):
    x = sequences(rng)
    ids = nn.Input(shape=(None,))
    h = nn.Embedding(20, 4)(ids)
    model = nn.Model(ids, {"steps": nn.Dense(2)(h), "total": Total()(h)})
    got = model.predict(x, batch_size=size, verbose=0)
    table = next(layer for layer in model.layers if isinstance(layer, nn.Embedding)).get_weights()[0]
    assert isinstance(got["steps"], list)
    assert got["total"].shape == (40, 4)
    kernel, bias = next(layer for layer in model.layers if isinstance(layer, nn.Dense)).get_weights()
    for part, steps, total in zip(x, got["steps"], got["total"]):
        assert steps.shape == (len(part), 2)
        assert steps.base is None
        np.testing.assert_allclose(steps, table[part] @ kernel + bias, atol=1e-6)
        np.testing.assert_allclose(total, table[part].sum(0), atol=1e-6)


def test_beside_other_inputs_and_in_validation(rng):
    x, z = sequences(rng), rng.standard_normal((40, 3)).astype("f4")
    y = rng.standard_normal(40).astype("f4")
    ids, features = nn.Input(shape=(None,), name="ids"), nn.Input(shape=(3,), name="features")
    model = nn.Model([ids, features], nn.Dense(1)(nn.Concatenate()([Total()(nn.Embedding(20, 4)(ids)), features])))
    model.compile("sgd", "mse")
    history = model.fit([x, z], y, batch_size=8, epochs=2, validation_data=([x[:11], z[:11]], y[:11]), verbose=0).history
    assert history["val_loss"][-1] == pytest.approx(model.evaluate({"ids": x[:11], "features": z[:11]}, y[:11], verbose=0))
    history = model.fit({"features": z, "ids": x}, y, batch_size=8, validation_split=0.3, verbose=0).history
    assert history["val_loss"][-1] == pytest.approx(model.evaluate([x[28:], z[28:]], y[28:], verbose=0), rel=1e-6)
    with pytest.raises(ValueError, match="x has 39 samples, expected 40 as x"):
        model.fit([x, z[1:]], y, verbose=0)


def test_sample_and_class_weights(rng):
    x, y = sequences(rng), rng.integers(0, 2, 40)
    one, other = alike(words(), words())
    one.fit(x, y, class_weight={0: 1.0, 1: 3.0}, shuffle=False, verbose=0)
    other.fit(x, y, sample_weight=np.where(y, 3.0, 1.0), shuffle=False, verbose=0)
    same_weights(one, other)


def test_single_batches_and_streams(rng):
    x, y = sequences(rng), rng.standard_normal(40).astype("f4")
    one, other, third = alike(words(), words(), words())
    one.fit(x, y, batch_size=10, shuffle=False, verbose=0)
    for i in range(0, 40, 10):
        other.train_on_batch(x[i : i + 10], y[i : i + 10])
    third.fit(((x[i : i + 10], y[i : i + 10]) for i in range(0, 40, 10)), verbose=0)
    same_weights(one, other)
    same_weights(one, third)
    np.testing.assert_array_equal(one.predict((x[i : i + 10] for i in range(0, 40, 10)), verbose=0),
                                  one.predict(x, batch_size=10, verbose=0))  # fmt: skip
    steps = nn.Sequential([nn.Input(shape=(None,)), nn.Embedding(20, 4)])
    got = steps.predict(((x[i : i + 10] for i in range(0, 40, 10))), verbose=0)
    assert [part.shape for part in got] == [(len(part), 4) for part in x]


def test_a_model_without_an_input_is_built(rng):
    for x, first in ((sequences(rng), nn.Embedding(20, 4)), (sequences(rng, features=(3,)), nn.Dense(4))):
        model = nn.Sequential([first, Total(), nn.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(x, np.zeros(40), verbose=0)
        assert model.predict(x, verbose=0).shape == (40, 1)


def test_empty_sequences(rng):
    model = words()
    model.compile("sgd", "mse")
    x = [np.zeros(0, int)] * 3 + [np.array([4, 5])] + [[]]
    assert np.isfinite(model.fit(x, np.zeros(5), batch_size=1, verbose=0).history["loss"]).all()
    assert {shape[1] for shape, *_ in Total.seen} == {1, 2}
    np.testing.assert_array_equal(model.predict(x, verbose=0)[[0, 4], 0], model.layers[-1].get_weights()[1].repeat(2))
    steps = nn.Sequential([nn.Input(shape=(None,)), nn.Embedding(20, 4)])
    assert [part.shape for part in steps.predict(x, batch_size=1, verbose=0)] == [(0, 4)] * 3 + [(2, 4), (0, 4)]
    floats = signals()
    got = floats.predict([np.zeros((0, 3), "f4"), np.ones((2, 3), "f4"), []], verbose=0)
    np.testing.assert_array_equal(got[2], got[0])


def test_lists_of_equal_lengths_are_plain_arrays(rng):
    x = [rng.integers(0, 20, 5) for _ in range(8)]
    model = words()
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(np.array(x), verbose=0))
    assert all(mask is None for _, mask, _ in Total.seen)
    assert nn.Sequential([nn.Embedding(20, 4), Total()]).predict(x, verbose=0).shape == (8, 4)


def test_predict_from_several_threads(rng):
    x = sequences(rng, 200)
    model = words()
    want, got = model.predict(x, verbose=0), {}
    threads = [threading.Thread(target=lambda i=i: got.update({i: model.predict(x, verbose=0)})) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        np.testing.assert_array_equal(got[i], want)


def test_a_steady_loop_allocates_little(rng):
    x = [rng.integers(0, 20, t) for t in rng.integers(50, 200, 256)]
    model = nn.Sequential([nn.Input(shape=(None,)), nn.Embedding(20, 8), nn.GlobalMaxPooling1D(), nn.Dense(1)])
    model.compile("sgd", "mse")
    data, _ = model._data("fit", x, np.zeros(256), None, None, 64, True, None)
    for _ in range(3):
        assert [given[0][0].dtype for given in data] == [np.int64] * 4
    tracemalloc.start()
    for _ in range(2):
        assert len([None for _ in data]) == 4
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000  # the indices of a batch have 100,000 bytes, their mask 12,800


BAD = [
    ([], ValueError, "x is an empty list"),
    ([np.ones(3, int), np.ones((2, 2), int)], ValueError, r"x\[1\] has shape \(2, 2\), x\[0\] \(3,\)"),
    ([np.ones(3, int), np.ones(2)], TypeError, r"x\[1\] has dtype float64, x\[0\] int64; expected one"),
    ([np.ones(3, int), np.array([1, 20])], ValueError, r"x\[1\]\[1\] is 20, expected an index in \[0, 20\)"),
    ([np.ones(3, int), np.zeros(0, int), np.array([1, -1, 2, 3])], ValueError, r"x\[2\]\[1\] is -1"),
    ([np.array(["a", "b"]), np.array(["c"])], TypeError, "x has dtype <U1, expected integers"),
    ([np.array([1.0, 2.5]), np.array([1.0])], ValueError, "2.5, expected integers"),
    ([np.ones((3, 2), int), np.ones((2, 2), int)], ValueError, r"in all of shape \(2, 2 to 3, 2\), expected \(None, None\)"),
    ([[1, [2]], [3]], ValueError, r"x\[0\] is a list whose parts differ in shape"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "predict"])
def test_what_does_not_fit_changes_nothing(method, case):
    x, error, message = BAD[case]
    model = words()
    model.compile("adam", "mse")
    before = model.get_weights()
    given = (x,) if method == "predict" else (x, np.zeros(len(x)))
    with pytest.raises(error, match=message) as caught:
        getattr(model, method)(*given, **({"verbose": 0} if method != "train_on_batch" else {}))
    assert str(caught.value).startswith(method)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert model.optimizer.steps == 0


def test_other_things_that_do_not_fit(rng):
    x = sequences(rng)
    model = signals()
    with pytest.raises(ValueError, match=r"x\[1\] has shape \(2, 4\), x\[0\] \(3, 3\)"):
        model.predict([np.ones((3, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match=r"in all of shape \(2, 2 to 3, 4\), expected \(None, None, 3\)"):
        model.predict([np.ones((3, 4)), np.ones((2, 4))])
    fixed = nn.Sequential([nn.Input(shape=(5,)), nn.Embedding(20, 4)])
    with pytest.raises(ValueError, match="parts differ in shape"):
        fixed.predict(x)
    with pytest.raises(ValueError, match="forward: x is ragged, whose mask follows from its lengths"):
        words().forward(x, mask=np.ones((40, 9), bool))
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy")
    y = [part % 3 for part in x]
    with pytest.raises(ValueError, match=r"y\[2\] has \d+ steps, expected \d+ as x\[2\]"):
        model.fit(x, [*y[:2], np.append(y[2], 0), *y[3:]], verbose=0)
    with pytest.raises(ValueError, match="y has 39 samples, expected 40 as x"):
        model.fit(x, y[1:], verbose=0)
    with pytest.raises(ValueError, match="expected a class in"):
        model.fit(x, [part + 3 for part in y], verbose=0)
    a, b = nn.Input(shape=(None,)), nn.Input(shape=(None,))
    both = nn.Model([a, b], nn.Add()([nn.Embedding(20, 2)(a), nn.Embedding(20, 2)(b)]))
    with pytest.raises(ValueError, match="takes several ragged inputs, whose lengths must agree"):
        both.predict([x, x[::-1]])
    assert [part.shape for part in both.predict([x, x], verbose=0)] == [(len(part), 2) for part in x]


def stepwise():
    """Ragged floats to two outputs: one with steps, one without."""
    x = nn.Input(shape=(None, 3))
    h = nn.Dense(4, "tanh")(x)
    return nn.Model(x, [nn.GRU(2, return_sequences=True)(h), Total()(h)])


def test_forward_and_backward_are_those_of_padded_data(rng):
    x = sequences(rng, 7, (3,))
    whole, mask = padded(x)
    one, other = stepwise(), stepwise()
    other.set_weights(one.get_weights())
    for training in False, True:
        steps, totals = one.forward(x, training=training)
        want, sums = other.forward(whole, training=training, mask=mask)
        for got, row, part in zip(steps, want, x):
            np.testing.assert_array_equal(got, row[: len(part)])
        np.testing.assert_array_equal(totals, sums)
    dy, dsum = [rng.standard_normal((len(part), 2)).astype("f4") for part in x], rng.standard_normal((7, 4)).astype("f4")
    for given, same in (([dy, dsum], [padded(dy)[0], dsum]), ([dy, None], [padded(dy)[0], None]), ([None, dsum],) * 2):
        dx, dwhole = one.backward(given), other.backward(same)
        for got, row, part in zip(dx, dwhole, x):
            assert got.shape == part.shape
            np.testing.assert_array_equal(got, row[: len(part)])
        for name, grad in one.grads.items():
            np.testing.assert_array_equal(grad, other.grads[name.replace(*_renamed(one, other, name))], err_msg=name)
        one.forward(x, training=True)
        other.forward(whole, training=True, mask=mask)


def _renamed(one, other, name):
    """The name of the layer in one model and in the other."""
    layer = name.split("/")[0]
    return layer, next(b.name for a, b in zip(one.layers, other.layers) if a.name == layer)


def test_forward_of_one_output(rng):
    x = sequences(rng, 6, high=9)
    model = tagger()
    y = model.forward(x, training=True)
    assert [part.shape for part in y] == [(len(part), 3) for part in x]
    model.backward(y)
    first = {name: grad.copy() for name, grad in model.grads.items()}
    whole, mask = padded(x)
    model.forward(whole, training=True, mask=mask)
    model.backward(padded(y)[0])
    for name, grad in model.grads.items():
        np.testing.assert_array_equal(grad, first[name])
    model.forward(x, training=True)
    for dy, message in (([part[1:] for part in y], r"backward: dy\[0\] has \d steps, expected \d as x\[0\]"),
                        (y[1:], "backward: dy has 5 sequences, expected 6 as x"),
                        ([part[:, :2] for part in y], r"backward: dy has shape \(6, 9, 2\), expected \(6, 9, 3\)")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            model.backward(dy)


# weights of steps


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["list", "array"])
def test_weights_of_steps_are_keras(form, rng):
    theirs, ours = taggers()
    x = sequences(rng, low=1)
    y, weight = [part % 3 for part in x], [rng.uniform(0.5, 2, len(part)) for part in x]
    wide = padded(weight)[0] if form == "array" else weight
    if form == "array":
        wide = np.concatenate([wide, np.ones((40, 2))], 1)  # behind the ends anything
    for model, a, b, c in ((theirs, padded(x)[0], padded(y)[0], padded(weight)[0]), (ours, x, y, wide)):
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.history_ = model.fit(a, b, batch_size=40, epochs=3, verbose=0, shuffle=False, sample_weight=c).history["loss"]
        model.history_.append(model.evaluate(a, b, batch_size=40, verbose=0, sample_weight=c))
        model.history_.append(model.train_on_batch(a, b, sample_weight=c))
    np.testing.assert_allclose(ours.history_, theirs.history_, rtol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_weights_of_steps_by_batches(rng):
    """Each weight stays with its step where batches are shuffled, cut off for validation, or come from an iterator."""
    x = sequences(rng)
    y = [part % 3 for part in x]
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    zero = [np.where(part > 9, 0.0, 1.0) for part in x]
    table, (kernel, bias) = model.layers[0].get_weights()[0], model.layers[1].get_weights()
    flat = np.concatenate(x)
    right = ((table[flat] @ kernel + bias).argmax(-1) == flat % 3)[flat <= 9].mean()
    assert model.evaluate(x, y, batch_size=40, sample_weight=zero, verbose=0)[1] == pytest.approx(right, rel=1e-5)
    same = [np.where(part > 9, 0, part) for part in y]  # what weighs nothing teaches nothing
    results = []
    for targets in y, same:
        other = tagger()
        other.set_weights(model.get_weights())
        other.compile("sgd", "sparse_categorical_crossentropy")
        nn.set_random_seed(3)
        other.fit(x, targets, batch_size=7, sample_weight=zero, validation_split=0.25, verbose=0)
        other.fit(((x[i : i + 10], targets[i : i + 10], zero[i : i + 10]) for i in range(0, 40, 10)), verbose=0)
        results.append(other.get_weights())
    for a, b in zip(*results):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("change", "message"), [
    (lambda weight: [weight[0][1:], *weight[1:]], r"sample_weight\[0\] has \d steps, expected \d as x\[0\]"),
    (lambda weight: weight[1:], "sample_weight has 39 samples, expected 40 as x"),
    (lambda weight: np.ones((40, 5)), r"sample_weight has shape \(40, 5\), expected 9 steps"),
    (lambda weight: np.ones((39, 9)), "sample_weight has 39 samples, expected 40 as x"),
    (lambda weight: [part * np.nan for part in weight], "sample_weight must hold a finite number"),
])  # fmt: skip
def test_weights_of_steps_that_do_not_fit(change, message, rng):
    x = sequences(rng, low=1)
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy")
    weight = change([np.ones(len(part)) for part in x])
    with pytest.raises(ValueError, match=message):
        model.fit(x, [part % 3 for part in x], sample_weight=weight, verbose=0)
