"""Thousands of steps, passes, batches, models and threads leave nothing behind, nor do those that are refused or that fail."""

import copy
import pickle
import threading

import numpy as np
import pytest
from leaks import in_turn, leaves_nothing, needs_counters, refusing, resident
from test_nn_layers import LAYERS

import fastopt
from fastopt import nn
from fastopt.optim import rules

pytestmark = needs_counters


@pytest.fixture(params=[200, pytest.param(10_000, marks=pytest.mark.slow)])
def calls(request, compiled):
    return request.param


# --- optimizers -------------------------------------------------------------------------------------------------------


def tensors(rng):
    return [rng.standard_normal((3, 2)), rng.standard_normal((4, 5)).astype("f4").T, rng.standard_normal(()), np.ones((0, 2))]


@pytest.mark.parametrize("name", rules.RULES)
def test_steps(name, calls, rng):
    """All forms of gradients, all options of a step, rates that are read and set, steps skipped and refused."""
    params, grads = tensors(rng), tensors(rng)
    known = rules.RULES[name].defaults(next(iter(rules.RULES[name].presets)))
    more = {key: value for key, value in dict(momentum=0.9, centered=True, amsgrad=True).items() if key in known}
    opt = getattr(fastopt, name)(params, ema=0.9, lr=1e-4, **more)
    groups = [{"params": {"a": params[0].copy()}}, {"params": [p.copy() for p in params[1:]], "lr": lambda step: 1e-4}]
    other = getattr(fastopt, name)(groups, **more)
    one = getattr(fastopt, name)(params[0].copy(), lr=1e-4)
    infinite = [np.full_like(g, np.inf) for g in grads]
    wrong = [grads[0], grads[1].astype("f8"), *grads[2:]]
    leaves_nothing(in_turn([
        lambda: opt.step(grads),
        lambda: opt.step(tuple(grads), clip_norm=1.0, clip_value=0.5, grad_scale=2.0, skip_nonfinite=True),
        lambda: opt.step([None, *grads[1:]]),
        lambda: opt.step(infinite, skip_nonfinite=True),
        lambda: (opt.last_step.grad_norm, opt.last_step.skipped, opt.steps, opt.lr),
        lambda: setattr(opt, "lr", 2e-4),
        lambda: other.step([{"a": grads[0]}, grads[1:]], clip_norm=1.0),
        lambda: one.step(grads[0]),
        refusing(lambda: opt.step(wrong)), refusing(lambda: opt.step(params)), refusing(lambda: opt.step(grads[:2])),
        refusing(lambda: opt.step(grads, clip_norm=-1.0)), refusing(lambda: opt.step(grads, no_such=1)),
        refusing(lambda: opt.step([g.tolist() for g in grads])), refusing(lambda: other.step(grads)),
    ]), [*params, *grads, *infinite, *wrong], calls)  # fmt: skip


def test_lives_of_optimizers(calls, rng, tmp_path):
    """Made, copied, pickled, saved and loaded, refused."""
    params, grads = tensors(rng), tensors(rng)
    opt = fastopt.Adam(params, ema=0.9)
    opt.step(grads)
    path = tmp_path / "state.npz"
    wrong = opt.state_dict() | {"param_groups": []}

    def live():
        fastopt.Adam(params, ema=0.9).step(grads)

    def file():
        fastopt.optim.save(path, opt)
        fastopt.optim.load(path, opt)

    leaves_nothing(in_turn([
        live, file, lambda: copy.deepcopy(opt), lambda: pickle.loads(pickle.dumps(opt)),
        lambda: opt.load_state_dict(opt.state_dict()),
        refusing(lambda: fastopt.Adam([params[0], params[0]])), refusing(lambda: fastopt.Adam(params, lr=-1)),
        refusing(lambda: fastopt.Adam([np.ones(3, int)])), refusing(lambda: copy.copy(opt)),
        refusing(lambda: opt.load_state_dict(wrong)),
    ]), [*params, *grads], calls)  # fmt: skip


# --- layers and models ------------------------------------------------------------------------------------------------

SEQUENCES = {
    "embedding": (lambda: nn.Embedding(7, 3), (2, 4)),
    "rnn": (lambda: nn.SimpleRNN(3), (2, 4, 3)),
    "lstm": (lambda: nn.LSTM(3, return_sequences=True, dropout=0.2, recurrent_dropout=0.2, seed=1), (2, 4, 3)),
    "lstm, peepholes": (lambda: nn.LSTM(3, peepholes=True, projection=2), (2, 4, 3)),
    "gru": (lambda: nn.GRU(3, go_backwards=True), (2, 4, 3)),
    "gru, before": (lambda: nn.GRU(3, reset_after=False), (2, 4, 3)),
    "bidirectional": (lambda: nn.Bidirectional(nn.LSTM(3)), (2, 4, 3)),
    "time distributed": (lambda: nn.TimeDistributed(nn.Dense(3)), (2, 4, 3)),
    "masking": (lambda: nn.Masking(), (2, 4, 3)),
    "spatial dropout": (lambda: nn.SpatialDropout1D(0.3, seed=1), (2, 4, 3)),
    "average pooling": (lambda: nn.GlobalAveragePooling1D(), (2, 4, 3)),
    "maximum pooling": (lambda: nn.GlobalMaxPooling1D(), (2, 4, 3)),
}
KINDS = SEQUENCES | LAYERS


@pytest.mark.parametrize("kind", KINDS)
def test_layers(kind, calls, rng):
    make, shape = KINDS[kind]
    layer = make()
    several = isinstance(shape, list)
    x = [rng.standard_normal(s).astype("f4") for s in shape] if several else rng.integers(0, 7, shape) if kind == "embedding" \
        else rng.standard_normal(shape).astype("f4")  # fmt: skip
    layer.build(shape)
    dy = np.ones_like(layer.forward(x, training=True))

    def pass_():
        layer.forward(x, training=True)
        layer.backward(dy)

    text = np.array("text")
    leaves_nothing(in_turn([
        pass_, lambda: layer.forward(x), lambda: (layer.params, layer.grads, layer.get_weights()),
        refusing(lambda: layer.forward(text)), refusing(lambda: layer.backward(text)),
    ]), [*(x if several else [x]), dy, *layer.params.values()], calls)  # fmt: skip


def test_models(calls, rng):
    model = nn.Sequential([nn.Input((3,)), nn.Dense(4, "relu", kernel_regularizer="l2"), nn.Dropout(0.3), nn.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y, weights = rng.standard_normal((6, 3)).astype("f4"), rng.integers(0, 2, 6), np.ones(6, "f4")
    wrong, dy = np.ones((6, 5), "f4"), np.ones((6, 2), "f4")

    def by_hand():
        model.forward(x, training=True)
        model.backward(dy.copy())

    leaves_nothing(in_turn([
        lambda: model.train_on_batch(x, y), lambda: model.train_on_batch(x, y, sample_weight=weights),
        lambda: model.train_on_batch(x, y, class_weight={0: 1.0, 1: 2.0}), lambda: model.test_on_batch(x, y),
        lambda: model.predict_on_batch(x), lambda: model.predict(x, verbose=0), lambda: model(x), by_hand,
        lambda: model.evaluate(x, y, batch_size=4, verbose=0), lambda: model.set_weights(model.get_weights()),
        lambda: model.fit(x, y, batch_size=4, epochs=2, verbose=0, validation_data=(x, y)),
        refusing(lambda: model.train_on_batch(wrong, y)), refusing(lambda: model.predict(wrong, verbose=0)),
        refusing(lambda: model.train_on_batch(x, y + 5)), refusing(lambda: model.train_on_batch(x, y[:2])),
        refusing(lambda: model.fit(x, y, batch_size=0, verbose=0)), refusing(lambda: model.set_weights([wrong])),
    ]), [x, y, weights, wrong, dy, *model.params.values()], calls)  # fmt: skip


def test_ragged(calls, rng):
    model = nn.Sequential([nn.Input((None,)), nn.Embedding(9, 3, mask_zero=True), nn.Bidirectional(nn.GRU(3)), nn.Dense(1)])
    model.compile("sgd", "mse")
    x, y = [rng.integers(1, 9, n) for n in (3, 1, 4, 2)], np.ones((4, 1), "f4")
    leaves_nothing(in_turn([
        lambda: model.fit(x, y, batch_size=2, verbose=0), lambda: model.predict(x, verbose=0),
        lambda: model.evaluate(x, y, verbose=0), refusing(lambda: model.fit(x, y[:2], verbose=0)),
    ]), [*x, y], calls // 5)  # fmt: skip


def test_lives_of_models(calls, rng, tmp_path):
    """Made, trained, copied, pickled, saved and loaded."""
    x, y, path = rng.standard_normal((6, 3)).astype("f4"), np.ones((6, 2), "f4"), tmp_path / "model.npz"

    def made():
        model = nn.Sequential([nn.Input((3,)), nn.Dense(4), nn.Dense(2)])
        model.compile("adam", "mse")
        model.train_on_batch(x, y)
        return model

    kept = made()

    def file():
        kept.save(path)
        nn.load_model(path)

    copies = [lambda: copy.deepcopy(kept), lambda: pickle.loads(pickle.dumps(kept))]
    leaves_nothing(in_turn([made, file, *copies]), [x, y], calls // 10)


# --- threads ----------------------------------------------------------------------------------------------------------


def test_threads_come_and_go(cut, compiled, rng):
    """A thread's workspace, 2 MB of packed matrices, and its team go with it."""
    cut(2)
    a = rng.standard_normal((500, 500))

    def live():
        threads = [threading.Thread(target=fastopt.kernels.gemm, args=(a, a)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    for _ in range(20):  # malloc's arenas for threads
        live()
    before = resident()
    for _ in range(20):
        live()
    assert resident() - before < 20_000_000, "of 160 MB that all of them had"
