"""fit, evaluate, predict and single batches: what they take, how they cut it up, what comes back."""

import copy
import pickle
import threading

import numpy as np
import pytest

from fastopt import nn


def model_of(inputs=4, outputs=1, loss="mse", optimizer="sgd", **options):
    nn.set_random_seed(3)
    model = nn.Sequential([nn.Input((inputs,)), nn.Dense(5, "tanh"), nn.Dense(outputs)])
    model.compile(optimizer, loss, **options)
    return model


@pytest.fixture
def x(rng):
    return rng.standard_normal((30, 4)).astype("f4")


@pytest.fixture
def y(x):
    return x[:, :1] - x[:, 1:2]


def weights_equal(a, b):
    return all(np.array_equal(v, w) for v, w in zip(a.get_weights(), b.get_weights()))


def test_fit_is_train_on_batch_in_order(x, y):
    whole, steps = model_of(), model_of()
    whole.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    losses = [steps.train_on_batch(x[i : i + 8], y[i : i + 8]) for i in range(0, 30, 8)]
    assert weights_equal(whole, steps)
    mean = np.average(losses, weights=[8, 8, 8, 6])
    assert whole.history.history["loss"] == [pytest.approx(mean, rel=1e-6)]


def test_train_on_batch_is_forward_loss_backward_step(x, y):
    ours, by_hand = model_of(), model_of()
    value = ours.train_on_batch(x, y)
    p = by_hand.forward(x, training=True)
    assert value == pytest.approx(float(((p - y) ** 2).mean()), rel=1e-5)
    by_hand.backward(2 * (p - y) / len(x))
    for name, param in by_hand.params.items():
        param -= np.float32(0.01) * by_hand.grads[name]
    for a, b in zip(ours.get_weights(), by_hand.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_same_seed_same_training(x, y):
    def train():
        nn.set_random_seed(11)
        model = nn.Sequential([nn.Dense(8, "relu"), nn.Dropout(0.3), nn.Dense(1)])
        model.compile("adam", "mse")
        return model.fit(x, y, epochs=3, batch_size=7, verbose=0).history["loss"], model

    (first, a), (second, b) = train(), train()
    assert first == second
    assert weights_equal(a, b)


def test_shuffling_takes_every_sample_once(x):
    seen = []

    def remember(y_true, p):
        seen.append(y_true[:, 0].copy())
        return 0.0, np.zeros_like(p)

    model = model_of(loss=remember)
    model.fit(x, np.arange(30.0), epochs=2, batch_size=7, verbose=0)
    first, second = np.concatenate(seen[:5]), np.concatenate(seen[5:])
    assert sorted(first) == sorted(second) == list(range(30))
    assert not np.array_equal(first, second)
    assert [len(part) for part in seen] == [7, 7, 7, 7, 2] * 2


def test_validation_data_and_split_agree(x, y):
    split, given = model_of(metrics=["mae"]), model_of(metrics=["mae"])
    a = split.fit(x, y, validation_split=0.2, shuffle=False, epochs=2, verbose=0).history
    b = given.fit(x[:24], y[:24], validation_data=(x[24:], y[24:]), shuffle=False, epochs=2, verbose=0).history
    assert a == b
    assert set(a) == {"loss", "mae", "val_loss", "val_mae"}
    loss, mae = split.evaluate(x[24:], y[24:], verbose=0)
    assert [a["val_loss"][-1], a["val_mae"][-1]] == pytest.approx([loss, mae])


def test_a_split_leaves_the_steps_of_an_epoch(x, y):
    model, batches = model_of(), []
    count = nn.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    model.fit(x, y, batch_size=2, steps_per_epoch=3, validation_split=0.5, verbose=0, callbacks=[count])
    assert batches == [0, 1, 2]


def test_validation_frequency(x, y):
    history = model_of().fit(x, y, validation_split=0.2, epochs=5, validation_freq=2, verbose=0).history
    assert [len(history[key]) for key in ("loss", "val_loss")] == [5, 2]


class Numbered:
    """Batches by number, as Keras's PyDataset."""

    ended = 0

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return self.x[10 * i : 10 * i + 10], self.y[10 * i : 10 * i + 10]

    def on_epoch_end(self):
        self.ended += 1


def parts(x, y):
    return [(x[i : i + 10], y[i : i + 10]) for i in range(0, 30, 10)]


class Iterable:
    def __init__(self, x, y):
        self.parts = parts(x, y)

    def __iter__(self):
        return iter(self.parts)


def endless(x, y):
    while True:
        yield from parts(x, y)


SOURCES = {
    "by number": (Numbered, {}),
    "iterable": (Iterable, {}),
    "iterable, steps": (Iterable, {"steps_per_epoch": 3}),
    "generator": (endless, {"steps_per_epoch": 3}),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("built", [True, False])
def test_batches_of_the_users(source, built, x, y):
    make, options = SOURCES[source]
    want = model_of()
    want.fit(x, y, batch_size=10, epochs=2, shuffle=False, verbose=0)
    model = model_of()
    if not built:
        nn.set_random_seed(3)
        model = nn.Sequential([nn.Dense(5, "tanh"), nn.Dense(1)])
        model.compile("sgd", "mse")
    history = model.fit(make(x, y), epochs=2, shuffle=False, verbose=0, **options)
    assert len(history.history["loss"]) == 2
    assert weights_equal(model, want)


def test_evaluate_and_predict_take_batches(x, y):
    model = model_of()
    assert model.evaluate(Numbered(x, y), verbose=0) == pytest.approx(model.evaluate(x, y, batch_size=10, verbose=0))
    np.testing.assert_allclose(model.predict(Numbered(x, y)), model.predict(x), rtol=1e-6)


def test_an_iterator_that_ends_makes_one_epoch(x, y):
    model, want = model_of(), model_of()
    model.fit(iter(parts(x, y)), verbose=0)
    want.fit(x, y, batch_size=10, shuffle=False, verbose=0)
    assert weights_equal(model, want)


def test_an_iterator_that_ends_early_ends_training(x, y):
    model = model_of()
    with pytest.warns(UserWarning, match="ended after 1 epochs") as warned:
        history = model.fit(iter(parts(x, y)), epochs=3, steps_per_epoch=3, verbose=0)
    assert warned[0].filename == __file__
    assert len(history.history["loss"]) == 1
    with pytest.warns(UserWarning, match="ended after 2 epochs"):
        assert len(model.fit(iter(parts(x, y)), epochs=3, steps_per_epoch=2, verbose=0).history["loss"]) == 2


def test_fewer_steps_than_batches(x, y):
    model, want = model_of(), model_of()
    model.fit(x, y, batch_size=10, steps_per_epoch=2, shuffle=False, verbose=0)
    want.fit(x[:20], y[:20], batch_size=10, shuffle=False, verbose=0)
    assert weights_equal(model, want)


def test_weights_of_samples_and_classes(x):
    labels = np.arange(30) % 3
    weight = np.where(labels == 1, 4.0, np.where(labels == 2, 0.0, 1.0))
    a, b, c = (model_of(outputs=3, loss=nn.losses.SparseCategoricalCrossentropy(from_logits=True)) for _ in range(3))
    a.fit(x, labels, sample_weight=weight, shuffle=False, verbose=0)
    b.fit(x, labels, class_weight={1: 4.0, 2: 0.0}, shuffle=False, verbose=0)
    c.fit(x, labels, shuffle=False, verbose=0)
    assert weights_equal(a, b)
    assert not weights_equal(a, c)
    zero = model_of()
    before = zero.get_weights()
    zero.fit(x, x[:, :1], sample_weight=np.zeros(30), verbose=0)
    assert all(np.array_equal(v, w) for v, w in zip(before, zero.get_weights()))


def test_sample_weights_by_hand(x, y):
    model = model_of()
    weight = np.linspace(0, 3, 30)
    p = model.predict(x)
    want = float((((p - y) ** 2)[:, 0] * weight).mean())  # over the number of samples, not over the sum of weights
    assert model.evaluate(x, y, sample_weight=weight, batch_size=30, verbose=0) == pytest.approx(want, rel=1e-5)


def test_what_comes_back(x, y):
    plain, with_metric = model_of(), model_of(metrics=["mae", "mse"])
    for method in "train_on_batch", "test_on_batch":
        assert type(getattr(plain, method)(x, y)) is float
        assert set(getattr(plain, method)(x, y, return_dict=True)) == {"loss"}
        values = getattr(with_metric, method)(x, y)
        assert [type(value) for value in values] == [float] * 3
        assert list(getattr(with_metric, method)(x, y, return_dict=True)) == ["loss", "mae", "mse"]
    assert type(plain.evaluate(x, y, verbose=0)) is float
    assert len(with_metric.evaluate(x, y, verbose=0)) == 3
    assert with_metric.metrics_names == ["loss", "mae", "mse"]
    assert plain.predict_on_batch(x).shape == (30, 1)
    history = plain.fit(x, y, verbose=0)
    assert history is plain.history
    assert [type(value) for value in history.history["loss"]] == [float]


def test_predict_by_batches_is_predict_at_once(x):
    model = model_of()
    np.testing.assert_allclose(model.predict(x, batch_size=7, verbose=0), model.predict(x, batch_size=100), rtol=1e-5)
    assert model.predict(x[0:0]).shape == (0, 1)


def test_predict_from_several_threads(x):
    model = model_of(outputs=3)
    want, wrong = model.predict(x), []

    def work():
        wrong.extend(1 for _ in range(50) if not np.array_equal(model.predict(x), want))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_labels_fit_one_column(x):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    labels = (x[:, 0] > 0).astype(int)
    assert model.evaluate(x, labels, verbose=0) == model.evaluate(x, labels[:, None], verbose=0)


def test_rows_without_columns_and_lists():
    model = nn.Sequential([nn.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    a = model.evaluate([1, 2, 3], [2, 4, 6], verbose=0)
    assert a == model.evaluate(np.array([[1.0], [2], [3]]), np.array([[2.0], [4], [6]]), verbose=0)
    assert model.predict([[1], [2]]).shape == (2, 1)


def test_integers_and_booleans_are_converted():
    model = model_of(inputs=2)
    images = np.array([[0, 255], [3, 7]], np.uint8)
    assert np.array_equal(model.predict(images), model.predict(images.astype("f4")))
    assert model.predict(np.array([[True, False]])).dtype == np.float32


def test_batch_larger_than_the_data(x, y):
    model, want = model_of(), model_of()
    model.fit(x, y, batch_size=1000, shuffle=False, verbose=0)
    want.train_on_batch(x, y)
    assert weights_equal(model, want)


def test_strided_data(x, y):
    wide = np.repeat(x, 2, axis=1)
    model = model_of()
    assert np.array_equal(model.predict(wide[:, ::2]), model.predict(x))
    assert np.array_equal(model.predict(np.asfortranarray(x)), model.predict(x))
    a, b = model_of(), model_of()
    a.fit(wide[::-1, ::2], y[::-1], shuffle=False, verbose=0)
    b.fit(x[::-1].copy(), y[::-1].copy(), shuffle=False, verbose=0)
    assert weights_equal(a, b)


def test_arrays_of_all_kinds(x, y):
    model = model_of()
    want, raw = model.predict(x), np.zeros(x.nbytes + 1, np.uint8)
    unaligned, read_only = raw[1:].view("f4").reshape(x.shape), x.copy()
    unaligned[...] = x
    read_only.flags.writeable = False
    for other in unaligned, read_only, x.astype(">f4"), x.tolist(), x.astype("f8"), [x]:
        assert np.array_equal(model.predict(other), want)
        assert np.isfinite(model_of().fit(other, y, verbose=0, shuffle=False).history["loss"]).all()
    assert np.array_equal(read_only, x)


def test_callbacks_at_work(tmp_path, x, y):
    """Those that act on the model: the best weights come back, the rate falls, files appear."""
    homes = nn.callbacks
    model = model_of(optimizer=nn.optimizers.SGD(5.0))  # too fast: the first epoch stays the best
    best = tmp_path / "best"
    stop = homes.EarlyStopping("loss", patience=2, restore_best_weights=True)
    save = homes.ModelCheckpoint(best, "loss", save_best_only=True)
    rate = homes.ReduceLROnPlateau("loss", factor=0.5, patience=1)
    log = homes.CSVLogger(tmp_path / "log.csv")
    history = model.fit(x, y, epochs=20, batch_size=5, verbose=0, callbacks=[stop, save, rate, log])
    assert len(history.epoch) < 20
    assert model.optimizer.lr < 5
    assert (tmp_path / "log.csv").read_text().count("\n") == 1 + len(history.epoch)
    assert weights_equal(nn.load_model(best), model)
    halved = model_of().fit(x, y, epochs=3, verbose=0, callbacks=[homes.LearningRateScheduler(lambda epoch, lr: lr / 2)])
    assert halved.model.optimizer.lr == 0.01 / 8
    x[7] = np.nan
    ended = model_of().fit(x, y, epochs=3, verbose=0, callbacks=[homes.TerminateOnNaN()])
    assert len(ended.epoch) == 1


def test_the_bar_and_the_lines(capsys, x, y):
    model = model_of(metrics=["mae"])
    model.fit(x, y, epochs=2, verbose=2)
    assert capsys.readouterr().out.count("loss") == 2
    model.fit(x, y, epochs=2, verbose=1)
    shown = capsys.readouterr().err
    assert "Epoch 2/2" in shown
    assert "mae=" in shown
    for verbose in 0, "auto":
        model.fit(x, y, verbose=verbose)
        model.evaluate(x, y, verbose=verbose)
        model.predict(x, batch_size=5, verbose=verbose)
    assert capsys.readouterr() == ("", "")


def test_nan_shows_in_the_history(x, y):
    model = model_of()
    x[3, 1] = np.nan
    assert np.isnan(model.fit(x, y, batch_size=30, verbose=0).history["loss"]).all()


def test_interrupt_leaves_a_usable_model(x, y):
    class Interrupting(nn.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise KeyboardInterrupt

    model, want = model_of(), model_of()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=10, shuffle=False, verbose=0, callbacks=[Interrupting()])
    want.fit(x[:20], y[:20], batch_size=10, shuffle=False, verbose=0)
    assert weights_equal(model, want)
    model.fit(x, y, verbose=0)
    assert len(model.history.history["loss"]) == 1


def test_stop_training_and_initial_epoch(x, y):
    class Stopping(nn.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 3

    history = model_of().fit(x, y, epochs=9, initial_epoch=2, verbose=0, callbacks=[Stopping()])
    assert history.epoch == [2, 3]


def test_penalties_enter_loss_and_gradients(x):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(2, kernel_regularizer=nn.regularizers.L1L2(0.25, 0.5), use_bias=False)])
    model.compile(nn.optimizers.SGD(1.0), lambda y, p: (0.0, np.zeros_like(p)))
    w = model.get_weights()[0]
    want = float(0.25 * np.abs(w).sum() + 0.5 * (w**2).sum())
    assert model.losses == [pytest.approx(want, rel=1e-5)]
    assert model.train_on_batch(x, x[:, :2]) == pytest.approx(want, rel=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], w - (0.25 * np.sign(w) + w), rtol=1e-4, atol=1e-6)


def test_penalty_on_results(x):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(2, activity_regularizer=nn.regularizers.L2(0.5), use_bias=False)])
    model.compile(nn.optimizers.SGD(1.0), lambda y, p: (0.0, np.zeros_like(p)))
    w, p = model.get_weights()[0], model.predict(x)
    assert model.train_on_batch(x, p) == pytest.approx(0.5 * float((p**2).sum()) / 30, rel=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], w - x.T @ p / 30, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        (1, "sigmoid", "BinaryCrossentropy"),
        (3, "softmax", "CategoricalCrossentropy"),
        (3, "softmax", "SparseCategoricalCrossentropy"),
    ],
)
def test_loss_from_logits_is_the_loss_from_probabilities(units, activation, loss, x):
    """Fused, with the activation as a layer of its own, and unfused (the output goes elsewhere, too)."""
    labels = np.arange(30) % 3
    target = {1: labels[:, None] > 0, 3: nn.to_categorical(labels, 3) if loss[0] == "C" else labels}[units]
    results = []
    for way in "fused", "layer", "unfused", "logits":
        nn.set_random_seed(1)
        a = nn.Input((4,))
        z = nn.Dense(units, None if way in ("layer", "logits") else activation)(a)
        p = nn.Activation(activation)(z) if way == "layer" else z
        model = nn.Model(a, [p, nn.Flatten()(p)] if way == "unfused" else p)
        given = getattr(nn.losses, loss)(from_logits=way == "logits")
        model.compile("sgd", [given, None] if way == "unfused" else given, metrics=None if way == "unfused" else ["accuracy"])
        targets = [target, None] if way == "unfused" else target
        values = [model.train_on_batch(x, targets) for _ in range(3)]
        results.append(([value[0] if isinstance(value, list) else value for value in values], model.get_weights()))
    for losses, weights in results[1:]:
        np.testing.assert_allclose(losses, results[0][0], rtol=1e-5)
        for v, w in zip(weights, results[0][1]):
            np.testing.assert_allclose(v, w, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("again", [lambda p: p, lambda p: nn.Flatten()(p)], ids=["twice", "used"])
def test_an_output_that_goes_elsewhere_stays_a_probability(again, x):
    a = nn.Input((4,))
    p = nn.Dense(1, "sigmoid")(a)
    model = nn.Model(a, [p, again(p)])
    model.compile(nn.optimizers.SGD(0.5), ["binary_crossentropy", "mse"], loss_weights=[2.0, 3.0])
    y, (q, _) = (x[:, :1] > 0).astype("f4"), model.predict(x)
    cross = -np.log(np.where(y > 0, q, 1 - q)).mean()
    square = ((q - y) ** 2).mean()
    kernel, bias = model.get_weights()
    dz = (2 * (q - y) + 3 * 2 * (q - y) * q * (1 - q)) / 30
    total, first, second = model.train_on_batch(x, [y, y])
    assert [first, second] == pytest.approx([cross, square], rel=1e-5)
    assert total == pytest.approx(2 * cross + 3 * square, rel=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], kernel - 0.5 * x.T @ dz, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], bias - 0.5 * dz.sum(0), rtol=1e-4, atol=1e-6)


def test_far_logits_stay_finite():
    model = nn.Sequential([nn.Input((1,)), nn.Dense(1, "sigmoid")])
    model.set_weights([[[1000.0]], [0.0]])
    model.compile("sgd", "binary_crossentropy")
    assert model.train_on_batch([[1.0]], [0]) == pytest.approx(1000)  # Keras's clipping stops at 16.1 and has no gradient


def test_softmax_before_a_loss_from_logits_warns(x):
    labels = np.arange(30) % 3
    good = model_of(outputs=3, loss=nn.losses.SparseCategoricalCrossentropy(from_logits=True))
    nn.set_random_seed(3)
    twice = nn.Sequential([nn.Input((4,)), nn.Dense(5, "tanh"), nn.Dense(3, "softmax")])
    with pytest.warns(UserWarning, match="from_logits") as warned:
        twice.compile("sgd", nn.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert warned[0].filename == __file__
    assert twice.train_on_batch(x, labels) == good.train_on_batch(x, labels)


def test_optimizers_of_fastopt(x, y):
    import fastopt

    model = model_of(optimizer=fastopt.Adam(lr=0.05))
    losses = model.fit(x, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 3
    with pytest.raises(ValueError, match="optimizer"):
        model_of(optimizer=model.optimizer)


def test_a_loop_of_ones_own(x, y):
    import fastopt

    model = model_of()
    opt, losses = fastopt.Adam(model.params, lr=0.05), []
    for _ in range(40):
        p = model.forward(x, training=True)
        losses.append(float(((p - y) ** 2).mean()))
        model.backward(2 * (p - y) / p.size)
        opt.step(model.grads)
    assert losses[-1] < losses[0] / 3


duplicates = pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"]
)


@duplicates
@pytest.mark.parametrize("make", [
    lambda: model_of(optimizer="adam"), lambda: nested(),
    lambda: model_of(optimizer=nn.optimizers.Adam(use_ema=True, clipnorm=0.1, gradient_accumulation_steps=2)),
], ids=["sequential", "nested", "averages"])  # fmt: skip
def test_copies_train_on_alike_and_apart(duplicate, make, x, y):
    model = make()
    model.fit(x, y, verbose=0)
    twin = duplicate(model)
    before = twin.get_weights()
    value = model.train_on_batch(x, y)
    assert all(np.array_equal(v, w) for v, w in zip(before, twin.get_weights()))
    assert twin.train_on_batch(x, y) == value
    assert weights_equal(model, twin)
    assert twin.layers[-1].kernel is twin.params[f"{twin.layers[-1].name}/kernel"]


@duplicates
def test_copies_have_the_state_of_the_optimizer(duplicate, x, y, tmp_path):
    model = model_of(optimizer="adam")
    model.train_on_batch(x, y)
    want = model.optimizer.state_dict()
    assert_equal_trees(duplicate(model).optimizer.state_dict(), want)
    assert_equal_trees(duplicate(duplicate(model)).optimizer.state_dict(), want)
    duplicate(model).save(tmp_path / "copy.npz")
    assert_equal_trees(nn.load_model(tmp_path / "copy.npz").optimizer.state_dict(), want)
    other = duplicate(model)
    other.compile("sgd", "mse")
    assert other.optimizer.state_dict()["step"] == 0
    other.train_on_batch(x, y)


def assert_equal_trees(got, want):
    assert got.keys() == want.keys()
    for name, value in want.items():
        if isinstance(value, dict):
            assert_equal_trees(got[name], value)
        else:
            np.testing.assert_equal(got[name], value)


def test_deep_models_can_be_copied(x):
    deep = nn.Sequential([nn.Input((4,)), *(nn.Dense(4) for _ in range(300))])
    assert np.array_equal(copy.deepcopy(deep).predict(x), deep.predict(x))
    a = h = nn.Input((4,))
    for _ in range(300):
        h = nn.Dense(4)(h)
    deep = nn.Model(a, h)
    assert np.array_equal(copy.deepcopy(deep).predict(x), deep.predict(x))
    assert np.array_equal(pickle.loads(pickle.dumps(deep)).predict(x), deep.predict(x))


def nested():
    inner = nn.Sequential([nn.Input((4,)), nn.Dense(4, "tanh")])
    a = nn.Input((4,))
    model = nn.Model(a, nn.Dense(1)(inner(a)))
    model.compile("adam", "mse")
    return model


def test_compile_anew_begins_anew(x, y):
    model = model_of(optimizer="adam")
    model.fit(x, y, verbose=0)
    old = model.optimizer
    model.compile("adam", "mae")
    assert model.optimizer is not old
    assert model.optimizer.steps == 0
    model.fit(x, y, verbose=0)
    model.compile(model.optimizer, "mse")  # its own optimizer goes on
    assert model.optimizer.steps == 1


def test_no_weights_to_train(x):
    model = nn.Sequential([nn.Input((4,)), nn.Activation("tanh")])
    model.compile("sgd", "mse")
    assert model.train_on_batch(x, x) == pytest.approx(float(((np.tanh(x) - x) ** 2).mean()), rel=1e-5)


def test_fit_ends_with_the_averaged_weights_of_use_ema():
    """As Keras: the averages stand in the weights when fit returns."""
    model = nn.Sequential([nn.Input(shape=(2,)), nn.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(nn.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5), loss="mse")
    seen = []
    watch = nn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0].copy()))
    model.fit(np.ones((1, 2)), np.zeros((1, 1)), epochs=2, verbose=0, callbacks=[watch])
    np.testing.assert_allclose(seen, [[[-1], [-1]], [[1], [1]]])  # gradient 2 (w1 + w2) = 4, then -4
    np.testing.assert_allclose(model.get_weights()[0], 0)  # the mean of -1 and 1


def test_metrics_lists_the_metric_objects(x):
    model = nn.Sequential([nn.Dense(3, activation="softmax")])
    accuracy = nn.metrics.SparseCategoricalAccuracy(name="a")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[accuracy, "accuracy"])
    model.fit(x, np.zeros(len(x), int), verbose=0)
    assert model.metrics[0] is accuracy
    assert [metric.name for metric in model.metrics] == ["a", "accuracy"]


def test_weighted_metrics_of_the_users(x, y):
    """A function returns a value for each sample; a metric gets the weights as its third argument, or None."""

    def distance(y, p):
        return abs(y - p)[:, 0]

    class Noting(nn.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            noted.append(sample_weight)
            super().update_state(distance(y_true, y_pred), sample_weight)

    noted, weights, model = [], np.arange(30.0), model_of()
    model.compile("sgd", "mse", weighted_metrics=[distance, Noting(name="noting")])
    logs = model.evaluate(x, y, batch_size=30, sample_weight=weights, verbose=0, return_dict=True)
    assert logs["distance"] == logs["noting"]
    assert logs["distance"] == pytest.approx(np.average(distance(y, model.predict(x, verbose=0)), weights=weights), rel=1e-5)
    model.evaluate(x, y, verbose=0)
    assert noted[-1] is None
    assert noted[0].tolist() == weights.tolist()


def test_reset_metrics(x, y):
    model = nn.Sequential([nn.Input((x.shape[1],)), nn.Dense(1)])
    model.reset_metrics()
    model.compile("sgd", "mse", metrics=["mae"])
    model.evaluate(x, y, verbose=0)
    model.reset_metrics()
    assert model.metrics[0].result() == 0
    assert model._runner.count == 0


def test_class_weights_are_for_training_alone(x):
    """As Keras: the share held out by validation_split is judged without them, with sample weights where those were given."""
    y = np.arange(len(x)) % 3
    at = int(len(x) * 0.75)
    for given, weights in ((dict(class_weight={0: 3.0, 2: 0.1}), None), (dict(sample_weight=1.0 + y), 1.0 + y[at:])):
        model = nn.Sequential([nn.Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
        history = model.fit(x, y, validation_split=0.25, verbose=0, **given).history
        expected = model.evaluate(x[at:], y[at:], sample_weight=weights, verbose=0)
        np.testing.assert_allclose([history["val_loss"][0], history["val_accuracy"][0]], expected, rtol=1e-6)


@pytest.mark.parametrize("change", [
    lambda model: model.add(nn.Dense(1)), lambda model: model.pop(), lambda model: setattr(model.layers[0], "trainable", False),
])  # fmt: skip
def test_an_optimizer_that_has_not_stepped_follows_its_model(change, x):
    model, optimizer = nn.Sequential([nn.Input((x.shape[1],)), nn.Dense(3), nn.Dense(1)]), nn.optimizers.Adam()
    model.compile(optimizer, "mse")
    change(model)
    model.compile(optimizer, "mse")
    before, y = model.get_weights(), np.zeros((len(x), *model.output_shape[1:]), "f4")
    model.train_on_batch(x, y)
    trained = [not np.array_equal(v, w) for v, w in zip(before, model.get_weights())]
    assert trained == [layer.trainable for layer in model.layers for _ in layer.weights]
    model.add(nn.Dense(1))
    with pytest.raises(ValueError, match="the optimizer already has parameters"):
        model.compile(optimizer, "mse")
    with pytest.raises(ValueError, match="the optimizer already has parameters"):
        nn.Sequential([nn.Input((2,)), nn.Dense(3)]).compile(optimizer, "mse")


def two_outputs():
    nn.set_random_seed(0)
    a = nn.Input((4,))
    return nn.Model(a, [nn.Dense(1, name="a")(a), nn.Dense(2, name="b")(a)])


@pytest.mark.parametrize("given", [lambda y: [y, None], lambda y: [y, "whatever"], lambda y: [y, y[:3]], lambda y: {"a": y},
                                   lambda y: {"a": y, "b": [[1], [2, 3]]}])  # fmt: skip
def test_an_output_without_loss_and_metrics_needs_no_targets(given, x, y):
    models = []
    for target in [np.asarray(y), np.zeros((len(x), 2))], given(np.asarray(y)):
        model = two_outputs()
        model.compile("sgd", {"a": "mse"})
        history = model.fit(x, target, verbose=0, shuffle=False, validation_split=0.5)
        model.evaluate(x, target, verbose=0)
        model.train_on_batch(x, target)
        models.append(model)
    assert weights_equal(*models)
    assert sorted(history.history) == ["loss", "val_loss"]


def test_targets_of_a_model_whose_only_loss_is_a_penalty(x):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(2, kernel_regularizer="l2")])
    model.compile("sgd")
    assert model.fit(x, np.zeros((3, 7)), verbose=0).history["loss"][0] > 0


def test_an_output_with_metrics_alone_needs_targets(x, y):
    model = two_outputs()
    model.compile("sgd", {"a": "mse"}, metrics={"b": ["mae"]})
    with pytest.raises(ValueError, match=r"y has no entry 'b'"):
        model.fit(x, {"a": y}, verbose=0)
