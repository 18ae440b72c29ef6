"""Callbacks, driven by a small model of numbers: what they do, in which order, with which logs; against Keras's."""

import copy
import csv
import io
import os
import pickle
import sys

import numpy as np
import pytest

from fastopt.nn import callbacks, metrics, optimizers

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported

NAN = float("nan")


class Model:
    """As much of a model as callbacks use: its one weight is the number of the epoch, from 0."""

    def __init__(self, learning_rate=0.1):
        self.optimizer, self.stop_training, self.saved = optimizers.SGD(learning_rate), False, []
        self.weight, self.metrics = None, [metrics.BinaryAccuracy(name="accuracy")]

    def get_weights(self):
        return [np.array(self.weight)]

    def set_weights(self, weights):
        self.weight = float(weights[0])

    def save(self, path):
        self.saved.append(("model", path))

    def save_weights(self, path):
        self.saved.append(("weights", path))


def fit(given, logs, model=None, batches=2, verbose=0):
    """Runs the hooks of fit over epochs with these logs; a log {"batch": [...]} gives the losses after each batch."""
    model = model or Model()
    hooks = callbacks.CallbackList(given, add_history=True, add_progbar=verbose != 0, model=model, verbose=verbose,
                                   epochs=len(logs), steps=batches)  # fmt: skip
    model.stop_training = False
    hooks.on_train_begin()
    last = {}
    for epoch, last in enumerate(logs):
        model.weight = float(epoch)
        hooks.on_epoch_begin(epoch)
        for batch in range(batches):
            losses = last.get("batch", [1.0] * batches)
            hooks.on_train_batch_begin(batch)
            hooks.on_train_batch_end(batch, {"loss": losses[batch]})
            if model.stop_training:
                break
        hooks.on_test_begin()
        hooks.on_test_end({})
        hooks.on_epoch_end(epoch, {name: value for name, value in last.items() if name != "batch"})
        if model.stop_training:
            break
    hooks.on_train_end({name: value for name, value in last.items() if name != "batch"})
    return model


def losses(*values, name="val_loss"):
    return [{"loss": 1.0, name: value} for value in values]


class Recorder(callbacks.Callback):
    """Notes the calls it gets."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            return lambda *args: object.__getattribute__(self, "calls").append((name, *args))
        return super().__getattribute__(name)


class TestList:
    def test_order_of_hooks(self):
        recorder = Recorder()
        fit([recorder], losses(0.5))
        assert [call[0] for call in recorder.calls] == [
            "on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_train_batch_begin",
            "on_train_batch_end", "on_test_begin", "on_test_end", "on_epoch_end", "on_train_end",
        ]  # fmt: skip
        assert recorder.calls[1] == ("on_epoch_begin", 0, {})
        assert recorder.calls[5] == ("on_train_batch_end", 1, {"loss": 1.0})
        assert recorder.calls[8] == ("on_epoch_end", 0, {"loss": 1.0, "val_loss": 0.5})

    def test_keras_calls_hooks_alike(self):
        keras = pytest.importorskip("keras")
        ours, calls = Recorder(), []

        class Theirs(keras.callbacks.Callback):
            pass

        for hook in callbacks.base.HOOKS:
            if not hook.startswith("on_batch"):
                setattr(
                    Theirs,
                    hook,
                    lambda self, *args, hook=hook, logs=None: calls.append((hook, *args[: "epoch" in hook or "batch" in hook])),
                )
        x = np.zeros((4, 1), np.float32)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(loss="mse")
        model.fit(x, x, batch_size=2, epochs=2, verbose=0, callbacks=[Theirs()])
        fit([ours], losses(0.5, 0.4))
        named = [call[: 1 + ("epoch" in call[0] or "batch" in call[0])] for call in ours.calls if "test" not in call[0]]
        assert named == calls

    def test_it_gives_model_and_parameters(self):
        recorder = callbacks.Callback()
        model = fit([[recorder]], losses(0.5))
        assert recorder.model is model
        assert recorder.params == {"verbose": 0, "epochs": 1, "steps": 2}

    def test_older_names_of_batch_hooks(self):
        seen = []

        class Older(callbacks.Callback):
            def on_batch_end(self, batch, logs=None):
                seen.append((batch, logs))

        fit(Older(), losses(0.5))
        assert seen == [(0, {"loss": 1.0}), (1, {"loss": 1.0})]

    def test_who_wants_batches(self):
        wants = lambda *given, **params: callbacks.CallbackList(list(given), **params).wants_batches
        assert not wants(callbacks.EarlyStopping(), callbacks.History(), callbacks.CSVLogger("x"), callbacks.ModelCheckpoint("x"))
        assert not wants(add_history=True, add_progbar=True, verbose=2)
        assert wants(callbacks.TerminateOnNaN())
        assert wants(callbacks.ModelCheckpoint("x", save_freq=3))
        assert wants(callbacks.LambdaCallback(on_train_batch_end=print))
        assert wants(callbacks.LambdaCallback(on_test_batch_end=print))
        assert wants(add_progbar=True, verbose=1)

    def test_logs_are_made_only_where_someone_looks(self):
        made = []
        logs = lambda: made.append(1) or {"loss": np.float64(0.5)}
        nobody = callbacks.CallbackList(add_history=True, model=Model(), verbose=0, epochs=1, steps=1)
        nobody.on_train_batch_end(0, logs)
        assert not made
        recorder = Recorder()
        callbacks.CallbackList([recorder], model=Model()).on_train_batch_end(0, logs)
        assert made == [1]
        assert recorder.calls == [("on_train_batch_end", 0, {"loss": 0.5})]
        assert type(recorder.calls[0][2]["loss"]) is float

    @pytest.mark.parametrize(("given", "message"), [
        (callbacks.EarlyStopping, r"expected Callback objects, got <class .*; write EarlyStopping\(...\)"),
        ([print], "expected Callback objects, got <built-in function print>"), ("EarlyStopping", "expected Callback objects"),
    ])  # fmt: skip
    def test_others_are_refused(self, given, message):
        with pytest.raises(TypeError, match=message):
            callbacks.CallbackList(given)


class TestHistory:
    def test_history(self):
        model = fit([], [{"loss": 2.0, "accuracy": 0.5}, {"loss": 1.0, "accuracy": 0.75}])
        assert list(model.history.history.items()) == [("accuracy", [0.5, 0.75]), ("loss", [2.0, 1.0])]  # sorted, as in Keras
        assert model.history.epoch == [0, 1]

    def test_one_of_the_users_is_used(self):
        history = callbacks.History()
        assert fit([history], losses(1)).history is history
        assert len(history.history["loss"]) == 1

    def test_it_can_be_kept_without_the_model(self):
        history = fit([], losses(1)).history
        assert pickle.loads(pickle.dumps(history)).history == history.history
        assert copy.deepcopy(history).model is None

    def test_plot_without_matplotlib(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
        with pytest.raises(ImportError, match=r"History\.plot needs matplotlib"):
            fit([], losses(1)).history.plot()

    def test_plot(self, tmp_path):
        pytest.importorskip("matplotlib").use("Agg")
        every, checked = {"loss": 2.0, "acc": 0.5}, {"loss": 1.0, "acc": 0.7, "val_loss": 3.0, "val_acc": 0.1}
        history = fit([], [every, checked, every, checked]).history
        figure = history.plot(path=tmp_path / "curves.png")
        assert (tmp_path / "curves.png").stat().st_size > 1000
        assert [axis.get_title() for axis in figure.axes] == ["loss", "acc"]
        lines = figure.axes[0].get_lines()
        assert [(line.get_label(), *map(list, line.get_data())) for line in lines] == [
            ("training", [1, 2, 3, 4], [2, 1, 2, 1]), ("validation", [2, 4], [3, 3]),
        ]  # fmt: skip
        assert len(history.plot("acc").axes) == 1

    def test_plot_refuses(self):
        with pytest.raises(ValueError, match="nothing to draw"):
            callbacks.History().plot()
        with pytest.raises(ValueError, match="there is no 'acc', but loss, val_loss"):
            fit([], losses(1)).history.plot("acc")


STOPPING = [
    ({}, (5, 4, 4.5, 3)), ({"patience": 2}, (5, 4, 4.5, 4.4, 3, 2)), ({"patience": 2}, (5, 4, 4.5, 3.9, 4, 4, 1)),
    ({"min_delta": 0.5, "patience": 1}, (5, 4.6, 4.4, 4.3, 4.2)), ({"baseline": 3.0, "patience": 2}, (5, 4, 3.5, 3.2, 2.9, 2.8)),
    ({"baseline": 1.0, "patience": 3}, (5, 4, 4.5, 3, 2)), ({"baseline": 4.5, "patience": 2}, (5, 4, 4.1, 4.2, 1)),
    ({"start_from_epoch": 3, "patience": 1}, (1, 2, 3, 4, 5, 3)),
    ({"mode": "max", "patience": 1}, (1, 2, 1.5, 3)), ({"monitor": "val_accuracy", "patience": 1}, (0.1, 0.2, 0.15, 0.3)),
    ({"restore_best_weights": True, "patience": 2}, (5, 4, 4.5, 4.4, 3)),
    ({"restore_best_weights": True, "patience": 9}, (5, 4, 6)),
    ({"restore_best_weights": True, "patience": 1, "start_from_epoch": 2}, (1, 2, 3, 4, 5)), ({"patience": 1}, (NAN, NAN, NAN, 1)),
]  # fmt: skip


class TestEarlyStopping:
    @pytest.mark.parametrize(("options", "values"), STOPPING)
    def test_keras_stops_at_the_same_epoch(self, options, values):
        keras = pytest.importorskip("keras")
        ours, theirs = callbacks.EarlyStopping(**options), keras.callbacks.EarlyStopping(**options)
        if "accuracy" in options.get("monitor", ""):
            theirs.mode = "max"  # without a compiled model Keras does not know
        logs = losses(*values, name=options.get("monitor", "val_loss"))
        model = fit([ours], logs)
        fake = Model()
        theirs.set_model(fake)
        theirs.on_train_begin()
        for epoch, log in enumerate(logs):
            fake.weight = float(epoch)
            theirs.on_epoch_end(epoch, log)
            if fake.stop_training:
                break
        theirs.on_train_end()
        assert (ours.stopped_epoch, model.weight) == (theirs.stopped_epoch, fake.weight)
        np.testing.assert_equal((ours.best, ours.best_epoch), (theirs.best, theirs.best_epoch))

    def test_by_hand(self):
        stopping = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
        model = fit([stopping], losses(5, 4, 4.5, 4.4, 3))  # two epochs without anything better than epoch 1
        assert (stopping.stopped_epoch, stopping.best, model.weight, model.stop_training) == (3, 4, 1.0, True)

    def test_it_serves_again(self):
        stopping = callbacks.EarlyStopping(patience=1)
        fit([stopping], losses(1, 2))
        model = fit([stopping], losses(5, 4, 3))
        assert (stopping.stopped_epoch, model.stop_training) == (0, False)

    def test_what_it_says(self, capsys):
        fit([callbacks.EarlyStopping(verbose=1, restore_best_weights=True)], losses(1, 2))
        assert capsys.readouterr().out.splitlines() == [
            "Epoch 2: early stopping", "Restoring model weights from the end of the best epoch: 1.",
        ]  # fmt: skip

    def test_a_name_that_is_missing(self):
        with pytest.warns(UserWarning, match="EarlyStopping: 'val_loss' is not in the logs, which have loss"):
            fit([callbacks.EarlyStopping()], [{"loss": 1.0}])

    @pytest.mark.parametrize(("monitor", "direction"), [
        ("val_loss", "min"), ("loss", "min"), ("val_out_loss", "min"), ("val_accuracy", "max"), ("acc", "max"), ("val_auc", "max"),
        ("val_mae", "min"), ("first_mean_squared_error", "min"), ("val_f1_score", "max"), ("val_recall", "max"),
    ])  # fmt: skip
    def test_auto(self, monitor, direction):
        stopping = callbacks.EarlyStopping(monitor)
        stopping.set_model(Model())
        assert stopping.improves(2, 1) == (direction == "max")
        assert stopping.improves(1, 2) == (direction == "min")

    def test_auto_asks_the_metrics(self):
        model = Model()
        model.metrics = [metrics.MeanSquaredError(name="fit_accuracy")]
        stopping = callbacks.EarlyStopping("val_fit_accuracy")
        stopping.set_model(model)
        assert stopping.improves(1, 2)

    def test_auto_is_not_guessed(self):
        with pytest.raises(ValueError, match="is a high or a low 'val_wealth' better"):
            fit([callbacks.EarlyStopping("val_wealth")], losses(1, name="val_wealth"))
        with pytest.raises(ValueError, match="EarlyStopping: mode: unknown name 'maxi', nearest known: 'max'"):
            callbacks.EarlyStopping(mode="maxi")


PLATEAUS = [
    ({"patience": 2}, (5, 4, 4, 4, 4, 4, 4)), ({"patience": 1, "factor": 0.5, "min_lr": 0.03}, (5, 5, 5, 5, 5, 5)),
    ({"patience": 1, "cooldown": 2}, (5, 5, 5, 5, 5, 5, 5)), ({"patience": 2, "min_delta": 0.5}, (5, 4.8, 4.6, 4.4, 4.2)),
    ({"patience": 1, "mode": "max"}, (1, 2, 2, 3, 3)),
]  # fmt: skip


class TestLearningRate:
    @pytest.mark.parametrize(("options", "values"), PLATEAUS)
    def test_keras_reduces_at_the_same_epochs(self, options, values):
        keras = pytest.importorskip("keras")
        ours = fit([callbacks.ReduceLROnPlateau(**options)], losses(*values)).history.history["learning_rate"]
        theirs, fake, expected = keras.callbacks.ReduceLROnPlateau(**options), Model(), []
        theirs.set_model(fake)
        theirs.on_train_begin()
        for epoch, log in enumerate(losses(*values)):
            theirs.on_epoch_end(epoch, log)
            expected.append(log["learning_rate"])
        np.testing.assert_allclose(ours, expected, rtol=1e-6)
        assert len(set(expected)) > 1

    def test_plateau_by_hand(self):
        model = fit([callbacks.ReduceLROnPlateau(patience=2, factor=0.5)], losses(5, 5, 5, 5, 5))
        np.testing.assert_allclose(model.history.history["learning_rate"], [0.1, 0.1, 0.1, 0.05, 0.05])
        assert model.optimizer.learning_rate == 0.025

    def test_scheduler(self):
        seen = []

        def halve(epoch, rate):
            seen.append((epoch, rate))
            return rate / 2

        model = fit([callbacks.LearningRateScheduler(halve)], losses(1, 1))
        assert seen == [(0, 0.1), (1, 0.05)]
        assert model.history.history["learning_rate"] == [0.05, 0.025]
        assert fit([callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))], losses(1, 1)).optimizer.lr == 0.05

    def test_what_they_say(self, capsys):
        fit([callbacks.LearningRateScheduler(lambda epoch: 0.5, verbose=1)], losses(1))
        fit([callbacks.ReduceLROnPlateau(patience=1, verbose=1)], losses(1, 1))
        assert capsys.readouterr().out.splitlines() == [
            "Epoch 1: LearningRateScheduler setting learning rate to 0.5.",
            "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.01.",
        ]  # fmt: skip

    def test_a_schedule_cannot_be_set(self):
        model = Model(optimizers.schedules.ExponentialDecay(0.1, 5, 0.5))
        with pytest.raises(TypeError, match="given by the schedule"):
            fit([callbacks.ReduceLROnPlateau(patience=1)], losses(1, 1), model)

    @pytest.mark.parametrize(("call", "error", "message"), [
        (lambda: callbacks.ReduceLROnPlateau(factor=1.0), ValueError, r"factor must be in \(0, 1\)"),
        (lambda: callbacks.ReduceLROnPlateau(min_lr=-1), ValueError, "min_lr must be"),
        (lambda: callbacks.LearningRateScheduler(0.1), TypeError, "schedule must be a function"),
        (lambda: fit([callbacks.LearningRateScheduler(lambda epoch: "a")], losses(1)), ValueError, "must return a number, got 'a'"),
    ])  # fmt: skip
    def test_errors(self, call, error, message):
        with pytest.raises(error, match=message):
            call()


class TestCheckpoint:
    def test_every_epoch(self):
        model = fit([callbacks.ModelCheckpoint("at-{epoch:02d}-{val_loss:.1f}.npz")], losses(3, 2.25))
        assert model.saved == [("model", "at-01-3.0.npz"), ("model", "at-02-2.2.npz")]

    def test_weights_only(self, tmp_path):
        path = tmp_path / "deep" / "er" / "w.npz"
        model = fit([callbacks.ModelCheckpoint(path, save_weights_only=True)], losses(3))
        assert model.saved == [("weights", str(path))]
        assert path.parent.is_dir()

    @pytest.mark.parametrize(("options", "saved"), [
        ({}, [1, 2, 4]), ({"mode": "max"}, [1, 3]), ({"initial_value_threshold": 2.5}, [2, 4]),
    ])  # fmt: skip
    def test_best_only(self, options, saved):
        model = fit([callbacks.ModelCheckpoint("{epoch}", save_best_only=True, **options)], losses(3, 2, 4, 1))
        assert [int(path) for _, path in model.saved] == saved

    def test_batches(self):
        model = fit([callbacks.ModelCheckpoint("{epoch}-{batch}", save_freq=3)], losses(3, 2, 1), batches=4)
        assert [path for _, path in model.saved] == ["1-3", "2-2", "3-1", "3-4"]

    def test_what_it_says(self, capsys):
        fit([callbacks.ModelCheckpoint("m", save_best_only=True, verbose=1)], losses(3, 4))
        assert capsys.readouterr().out.splitlines() == [
            "Epoch 1: val_loss improved from nothing to 3.00000", "Epoch 1: saved model to m",
            "Epoch 2: val_loss did not improve from 3.00000",
        ]  # fmt: skip

    def test_errors(self):
        with pytest.raises(KeyError, match="names 'val_los', but the logs have loss, val_loss"):
            fit([callbacks.ModelCheckpoint("{val_los}")], losses(1))
        with pytest.raises(ValueError, match="save_freq must be 'epoch' or an integer >= 1, got 'batch'"):
            callbacks.ModelCheckpoint("m", save_freq="batch")
        with pytest.warns(UserWarning, match="'val_loss' is not in the logs, so every model is saved"):
            model = fit([callbacks.ModelCheckpoint("m", save_best_only=True)], [{"loss": 1.0}])
        assert model.saved == [("model", "m")]


class TestCSVLogger:
    LOGS = ({"loss": 2.0, "acc": 0.5}, {"loss": 1.0, "acc": 0.75, "val_loss": 3.0, "val_acc": np.array([1.0, 2.0])})

    def test_rows(self, tmp_path):
        path = tmp_path / "log.csv"
        logger = callbacks.CSVLogger(path)
        fit([logger], self.LOGS)
        assert list(csv.reader(path.open())) == [
            ["epoch", "acc", "loss", "val_acc", "val_loss"], ["0", "0.5", "2.0", "NA", "NA"],
            ["1", "0.75", "1.0", "[1.0, 2.0]", "3.0"],
        ]  # fmt: skip
        fit([logger], self.LOGS[:1])
        assert len(path.read_text().splitlines()) == 2

    def test_append(self, tmp_path):
        path = tmp_path / "log.csv"
        for _ in range(2):
            fit([callbacks.CSVLogger(path, separator=";", append=True)], self.LOGS[:1])
        assert path.read_text().splitlines() == ["epoch;acc;loss;val_acc;val_loss", "0;0.5;2.0;NA;NA", "0;0.5;2.0;NA;NA"]

    def test_keras(self, tmp_path):
        keras = pytest.importorskip("keras")
        theirs = keras.callbacks.CSVLogger(tmp_path / "theirs.csv")
        theirs.on_train_begin()
        for epoch in range(2):
            theirs.on_epoch_end(epoch, {"acc": 0.5, "loss": float(epoch)})
        theirs.on_train_end()
        fit([callbacks.CSVLogger(tmp_path / "ours.csv")], [{"loss": 0.0, "acc": 0.5}, {"loss": 1.0, "acc": 0.5}])
        ours = list(csv.reader((tmp_path / "ours.csv").open()))
        assert ours == list(csv.reader((tmp_path / "theirs.csv").open()))

    def test_open_files_do_not_stop_copies(self, tmp_path):
        logger = callbacks.CSVLogger(tmp_path / "log.csv")
        logger.on_train_begin()
        assert copy.deepcopy(logger)._file is None
        logger.on_train_end()


class TestNaN:
    @pytest.mark.parametrize("value", [NAN, float("inf"), -float("inf")])
    def test_it_stops(self, value, capsys):
        model = fit([callbacks.TerminateOnNaN()], [{"loss": 1.0}, {"loss": value, "batch": [value, 1.0]}, {"loss": 1.0}])
        assert model.stop_training
        assert len(model.history.history["loss"]) == 2
        assert capsys.readouterr().out == f"Batch 0: the loss is {value}, terminating training\n"

    def test_it_raises(self):
        with pytest.raises(RuntimeError, match="TerminateOnNaN: the loss is nan at batch 1"):
            fit([callbacks.TerminateOnNaN(raise_error=True)], [{"loss": 1.0, "batch": [1.0, NAN]}])

    def test_numbers_pass(self):
        assert not fit([callbacks.TerminateOnNaN()], losses(1, 2)).stop_training


class TestLambda:
    def test_hooks(self):
        seen = []
        hooks = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_batch_end", "on_test_begin", "on_batch_begin")
        given = {hook: lambda *args, hook=hook: seen.append((hook, args[0])) for hook in hooks}
        fit([callbacks.LambdaCallback(**given)], losses(1), batches=1)
        assert [name for name, _ in seen] == [
            "on_train_begin", "on_epoch_begin", "on_batch_begin", "on_train_batch_end", "on_test_begin", "on_epoch_end",
        ]  # fmt: skip
        assert seen[1] == ("on_epoch_begin", 0)

    def test_unknown_hooks(self):
        with pytest.raises(TypeError, match="unknown hook 'on_epoch_ends', nearest known: 'on_epoch_end'"):
            callbacks.LambdaCallback(on_epoch_ends=print)


ARGUMENTS = [
    ("EarlyStopping", dict(monitor=3), TypeError, "monitor must be a name in the logs, got 3"),
    ("EarlyStopping", dict(min_delta="a"), ValueError, "min_delta must be a number, got 'a'"),
    ("EarlyStopping", dict(patience="a"), ValueError, "patience must be a number >= 0, got 'a'"),
    ("EarlyStopping", dict(patience=-1), ValueError, "patience must be a number >= 0, got -1"),
    ("EarlyStopping", dict(verbose="a"), ValueError, "verbose must be a number, got 'a'"),
    ("EarlyStopping", dict(baseline="a"), ValueError, "baseline must be a number, got 'a'"),
    ("EarlyStopping", dict(restore_best_weights="no"), ValueError, "restore_best_weights must be True or False, got 'no'"),
    ("EarlyStopping", dict(start_from_epoch=None), ValueError, "start_from_epoch must be a number >= 0, got None"),
    ("ReduceLROnPlateau", dict(factor="a"), ValueError, "factor must be a number, got 'a'"),
    ("ReduceLROnPlateau", dict(factor=1.0), ValueError, r"factor must be in \(0, 1\), got 1.0"),
    ("ReduceLROnPlateau", dict(patience=[1]), ValueError, r"patience must be a number >= 0, got \[1\]"),
    ("ReduceLROnPlateau", dict(cooldown="a"), ValueError, "cooldown must be a number >= 0, got 'a'"),
    ("ReduceLROnPlateau", dict(min_lr="a"), ValueError, "min_lr must be a number >= 0, got 'a'"),
    ("ReduceLROnPlateau", dict(min_lr=np.inf), ValueError, "min_lr must be finite, got inf"),
    ("ModelCheckpoint", dict(filepath=3), TypeError, "filepath must be a path, got 3"),
    ("ModelCheckpoint", dict(filepath="m", save_freq=2.5), ValueError, "save_freq must be 'epoch' or an integer >= 1, got 2.5"),
    ("ModelCheckpoint", dict(filepath="m", save_best_only="no"), ValueError, "save_best_only must be True or False, got 'no'"),
    ("ModelCheckpoint", dict(filepath="m", save_weights_only=[]), ValueError, r"save_weights_only must be True or False, got \[\]"),
    ("ModelCheckpoint", dict(filepath="m", initial_value_threshold="a"), ValueError, "initial_value_threshold must be a number"),
    ("LearningRateScheduler", dict(schedule=0.1), TypeError, "schedule must be a function of the epoch, got 0.1"),
    ("LearningRateScheduler", dict(schedule=abs, verbose=None), ValueError, "verbose must be a number, got None"),
    ("CSVLogger", dict(filename=None), TypeError, "filename must be a path, got None"),
    ("CSVLogger", dict(filename="a", separator=", "), ValueError, "separator must be one character, got ', '"),
    ("CSVLogger", dict(filename="a", append="no"), ValueError, "append must be True or False, got 'no'"),
    ("TerminateOnNaN", dict(raise_error="no"), ValueError, "raise_error must be True or False, got 'no'"),
    ("LambdaCallback", dict(on_epoch_end="a"), TypeError, "on_epoch_end must be a function, got 'a'"),
]


@pytest.mark.parametrize(("name", "options", "error", "message"), ARGUMENTS)
def test_arguments(name, options, error, message):
    with pytest.raises(error, match=f"^{name}: {message}"):
        getattr(callbacks, name)(**options)


def test_numbers_of_any_type_are_arguments():
    waiting = callbacks.EarlyStopping(patience=np.inf, min_delta=np.float32(-1), verbose=True, restore_best_weights=np.True_)
    assert (waiting.patience, waiting.min_delta, waiting.restore_best_weights) == (np.inf, 1, True)
    assert callbacks.ReduceLROnPlateau(patience=np.int64(3)).patience == 3
    assert callbacks.ModelCheckpoint(b"m", save_best_only=1).filepath == "m"


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestProgressBar:
    LOGS = [{"loss": 0.5, "accuracy": 0.25, "val_loss": 12345678.0, "val_accuracy": 0.0}] * 2

    def test_auto_is_silent_without_a_terminal(self, capsys):
        fit([], self.LOGS, verbose="auto")
        assert capsys.readouterr() == ("", "")

    def test_auto_draws_on_a_terminal(self, monkeypatch):
        monkeypatch.setattr(sys, "stderr", Terminal())
        fit([], self.LOGS, verbose="auto")
        shown = sys.stderr.getvalue()
        assert "Epoch 1/2: 100%" in shown
        assert "Epoch 2/2: 100%" in shown
        assert "step/s, loss=0.5000, accuracy=0.2500, val_loss=1.235e+07, val_accuracy=0.0000]" in shown

    def test_a_line_for_each_epoch(self, capsys):
        fit([], self.LOGS, verbose=2)
        out, err = capsys.readouterr()
        assert err == ""
        assert [line.split(" - ")[0] for line in out.splitlines()] == ["Epoch 1/2", "Epoch 2/2"]
        assert out.splitlines()[0].split(" - ")[2:] == [
            "loss: 0.5000",
            "accuracy: 0.2500",
            "val_loss: 1.235e+07",
            "val_accuracy: 0.0000",
        ]

    def test_forced(self, capsys):
        fit([], self.LOGS, verbose=1)
        assert "Epoch 2/2: 100%" in capsys.readouterr().err

    def test_silence(self, capsys):
        fit([], self.LOGS, verbose=0)
        assert capsys.readouterr() == ("", "")

    def test_evaluate_and_predict(self, capsys):
        hooks = callbacks.CallbackList(add_progbar=True, model=Model(), verbose=1, epochs=1, steps=None)
        for kind in ("test", "predict"):
            getattr(hooks, f"on_{kind}_begin")()
            for batch in range(3):
                getattr(hooks, f"on_{kind}_batch_end")(batch, {"loss": 0.5})
            getattr(hooks, f"on_{kind}_end")({"loss": 0.5})
        err = capsys.readouterr().err
        assert "evaluate: 100%" in err
        assert "3/3" in err
        assert "loss=0.5000" in err
        assert "predict: 100%" in err

    def test_interrupted(self, capsys):
        hooks = callbacks.CallbackList(add_progbar=True, model=Model(), verbose=1, epochs=1, steps=2)
        hooks.on_train_begin()
        hooks.on_epoch_begin(0)
        hooks.on_train_batch_end(0, {"loss": 0.5})
        hooks.on_train_end()
        assert capsys.readouterr().err.endswith("\n")

    def test_words(self):
        assert callbacks.progress.text({"f1": np.array([0.5, 1.0]), "loss": 1e-5, "val_loss": NAN}) == (
            "loss=1.000e-05, f1=[0.5000 1.0000], val_loss=nan"
        )

    def test_verbose_is_checked(self):
        with pytest.raises(ValueError, match="verbose must be 'auto', 0, 1 or 2, got 3"):
            callbacks.CallbackList(add_progbar=True, verbose=3)
