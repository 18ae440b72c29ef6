"""Recurrent layers as Keras has them: results, every gradient, masks of all kinds, states, and training step by step.

Keras on torch computes products in float32 whatever the dtype, hence the tolerances.
"""

import inspect
import os

import numpy as np
import pytest
from alongside import train_alike

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
if keras.backend.backend() != "torch":
    pytest.skip("the gradients are those of torch", allow_module_level=True)

from fastopt import nn  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
ROWS, STEPS, WIDTH, UNITS = 5, 6, 3, 4
LAYERS = {
    "SimpleRNN": ("SimpleRNN", {}),
    "LSTM": ("LSTM", {}),
    "GRU": ("GRU", {}),
    "GRU, reset before": ("GRU", dict(reset_after=False)),
}
MASKS = {
    "none": None,
    "right": np.arange(STEPS) < np.array([[3], [6], [1], [5], [0]]),
    "left": np.arange(STEPS) >= np.array([[3], [0], [5], [1], [6]]),
    "holes": np.array([[1, 0, 0, 1, 1, 0], [0, 1, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1], [0, 0, 1, 0, 0, 0]], bool),
    "all": np.ones((ROWS, STEPS), bool),
}


def pair(rng, make):
    """Keras's layer and ours, built for (ROWS, STEPS, WIDTH), with the same weights."""
    theirs, ours = make(keras.layers), make(nn)
    for layer in theirs, ours:
        layer.build((ROWS, STEPS, WIDTH))
    weights = [0.5 * rng.standard_normal(w.shape) for w in theirs.weights]
    assert [w.name for w in theirs.weights] == [w.name for w in ours.weights]
    theirs.set_weights(weights)
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def listed(results):
    return list(results) if isinstance(results, (list, tuple)) else [results]


def agree(rng, theirs, ours, mask=None, states=0, x=None):
    """Asserts that results and all gradients are the same, with `states` first states, and with the steps of a mask."""
    x = rng.standard_normal((ROWS, STEPS, WIDTH)).astype("f4") if x is None else x
    firsts = [rng.standard_normal((ROWS, UNITS)).astype("f4") for _ in range(states)]
    inputs = [torch.tensor(a, requires_grad=True) for a in (x, *firsts)]
    given = {} if mask is None else {"mask": torch.tensor(mask)}
    want = listed(theirs(inputs[0], initial_state=inputs[1:] or None, **given))
    got = listed(ours.forward([x, *firsts] if firsts else x, training=True, mask=mask))
    assert len(got) == len(want)
    dys = [rng.standard_normal(y.shape).astype("f4") for y in got]
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-4, atol=2e-5)
    for weight in theirs.weights:
        weight.value.grad = None
    sum((y * torch.tensor(dy)).sum() for y, dy in zip(want, dys)).backward()
    slopes = listed(ours.backward(dys if len(dys) > 1 else dys[0]))
    assert len(slopes) == len(inputs)
    for slope, array in zip(slopes, inputs):
        np.testing.assert_allclose(slope, 0 if array.grad is None else array.grad.numpy(), rtol=1e-4, atol=5e-5)
    for slope, weight in zip((w.grad for w in ours.weights), theirs.weights):
        np.testing.assert_allclose(slope, weight.value.grad.numpy(), rtol=1e-4, atol=5e-5)
    for y, again in zip(got, listed(ours.forward([x, *firsts] if firsts else x, mask=mask))):
        assert np.array_equal(y, again)


def state_count(name):
    return 2 if name == "LSTM" else 1


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_results_and_gradients(rng, name, backwards, sequences, mask):
    kind, options = LAYERS[name]
    for zeros, state, started in (False, False, False), (True, True, True), (False, True, True):
        options = options | dict(return_sequences=sequences, go_backwards=backwards, return_state=state, zero_output_for_mask=zeros)
        theirs, ours = pair(rng, lambda home: getattr(home, kind)(UNITS, **options))  # noqa: B023
        agree(rng, theirs, ours, MASKS[mask], state_count(name) * started)


@pytest.mark.parametrize("options", [dict(activation="relu"), dict(activation=None, use_bias=False), dict(use_bias=False),
                                     dict(recurrent_activation="hard_sigmoid"), dict(unroll=True, seed=3),
                                     dict(recurrent_activation="softsign", activation="elu")])  # fmt: skip
@pytest.mark.parametrize("name", LAYERS)
def test_options(rng, name, options):
    kind, more = LAYERS[name]
    if kind == "SimpleRNN" and "recurrent_activation" in options:
        pytest.skip("has no gates")
    theirs, ours = pair(rng, lambda home: getattr(home, kind)(UNITS, **options, **more))
    agree(rng, theirs, ours)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_bidirectional(rng, mode, sequences, mask):
    for name in LAYERS:
        kind, options = LAYERS[name]
        for state in (False, True):
            options = options | dict(return_sequences=sequences, return_state=state)

            def make(home):
                layer = getattr(home, kind)(UNITS, **options)  # noqa: B023
                return home.Bidirectional(layer, merge_mode=mode)

            theirs, ours = pair(rng, make)
            agree(rng, theirs, ours, MASKS[mask], 2 * state_count(name) * state)


def test_bidirectional_of_two_layers(rng):
    def make(home):
        back = home.LSTM(2, activation="relu", go_backwards=True, return_sequences=True)
        front = home.GRU(UNITS, return_sequences=True)
        return home.Bidirectional(front, backward_layer=back)

    theirs, ours = pair(rng, make)
    agree(rng, theirs, ours, MASKS["holes"])
    assert ours.compute_output_shape((None, STEPS, WIDTH)) == (None, STEPS, UNITS + 2)


@pytest.mark.parametrize("name", LAYERS)
def test_stateful(rng, name):
    kind, options = LAYERS[name]
    theirs, ours = pair(rng, lambda home: getattr(home, kind)(UNITS, stateful=True, return_state=True, **options))
    for step in range(4):
        x, mask = rng.standard_normal((ROWS, STEPS, WIDTH)).astype("f4"), MASKS["holes"] if step == 1 else None
        with torch.no_grad():
            want = theirs(torch.tensor(x), mask=None if mask is None else torch.tensor(mask))
        for y, expected in zip(ours.forward(x, mask=mask), want):
            np.testing.assert_allclose(y, expected.numpy(), rtol=1e-4, atol=2e-5)
        if step == 2:
            theirs.reset_state()
            ours.reset_state()


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_states_to_begin_with(name):
    """Zeros for a batch; a layer that carries none may be reset, too."""
    theirs, ours = (getattr(home, name)(UNITS) for home in (keras.layers, nn))
    want, got = theirs.get_initial_state(5), ours.get_initial_state(5)
    assert isinstance(got, list)
    assert [state.tolist() for state in got] == [keras.ops.convert_to_numpy(state).tolist() for state in want]
    for layer in theirs, ours:
        layer.reset_state()
        layer.reset_states()


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_arguments(name):
    """All of Keras's, with the same defaults and in the same order."""
    theirs, ours = (inspect.signature(getattr(home, name)).parameters.values() for home in (keras.layers, nn))
    known = [(p.name, p.default) for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    wanted = [(p.name, p.default) for p in theirs if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert known == [pair for pair in wanted if pair[0] != "use_cudnn"]  # which is taken by name
    config = getattr(keras.layers, name)(3).get_config()
    assert set(config) - set(getattr(nn, name)(3).get_config()) <= {"activity_regularizer"}
    getattr(nn, name)(3, use_cudnn="auto", implementation=1, unroll=True)


def masked(home):
    layers = home.layers
    return home.Sequential([home.Input((STEPS, WIDTH)), layers.Masking(), layers.GRU(UNITS, return_sequences=True),
                            layers.LSTM(3, return_sequences=True, go_backwards=True), layers.Dense(2)])  # fmt: skip


def deep(home):
    layers = home.layers
    both = layers.Bidirectional(layers.GRU(UNITS, return_sequences=True), merge_mode="ave")
    return home.Sequential([layers.LSTM(UNITS, return_sequences=True, input_shape=(STEPS, WIDTH), kernel_regularizer="l2",
                                        recurrent_regularizer="l1", bias_regularizer="l2"), both,
                            layers.Bidirectional(layers.LSTM(3)), layers.Dense(2)])  # fmt: skip


def translator(home):
    layers = home.layers
    source, target = home.Input((None, WIDTH)), home.Input((None, WIDTH))
    _, h, c = layers.LSTM(UNITS, return_state=True, activity_regularizer="l2")(source)
    y = layers.LSTM(UNITS, return_sequences=True)(target, initial_state=[h, c])
    y, state = layers.GRU(UNITS, return_sequences=True, return_state=True)(y, initial_state=h)
    return home.Model([source, target], [layers.Dense(2)(y), layers.Dense(1)(state)])


def translator_both_ways(home):
    layers = home.layers
    source, target = home.Input((None, WIDTH)), home.Input((None, WIDTH))
    masked_source = layers.Masking()(source)
    y, *states = layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True, return_state=True))(masked_source)
    z = layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True))(target, initial_state=states)
    last = layers.GRU(2 * UNITS)(z, initial_state=layers.Concatenate()([states[0], states[2]]))
    return home.Model([source, target], [layers.Dense(2)(y), layers.Dense(1)(last)])


def shared(home):
    layers = home.layers
    a, b = home.Input((STEPS, WIDTH)), home.Input((STEPS, WIDTH))
    gru, both = layers.GRU(UNITS), layers.Bidirectional(layers.SimpleRNN(2))
    return home.Model([a, b], layers.Dense(2)(layers.Concatenate()([gru(a), gru(b), both(a), both(b)])))


def autoencoder(home):
    layers = home.layers
    return home.Sequential([home.Input((STEPS, WIDTH)), layers.Masking(), layers.LSTM(UNITS), layers.RepeatVector(STEPS),
                            layers.LSTM(UNITS, return_sequences=True), layers.TimeDistributed(layers.Dense(WIDTH))])  # fmt: skip


@pytest.mark.parametrize("make", [masked, deep, translator, translator_both_ways, shared, autoencoder])
def test_training(rng, make):
    theirs, ours = make(keras), make(nn)
    assert [w.shape for w in theirs.weights] == [w.shape for w in ours.weights]
    assert [layer.name.rstrip("_0123456789") for layer in theirs.layers] == [
        layer.name.rstrip("_0123456789") for layer in ours.layers
    ]
    ours.set_weights(theirs.get_weights())
    x = [rng.standard_normal((8, STEPS, WIDTH)).astype("f4") for _ in ours.inputs]
    x[0][1, 3:] = x[0][2, :2] = x[0][3] = x[0][4, 1] = 0
    y = [rng.standard_normal((8, *(n or STEPS for n in output.shape[1:]))).astype("f4") for output in ours.outputs]
    x, y = (parts[0] if len(parts) == 1 else parts for parts in (x, y))
    train_alike(ours, theirs, x, y, "mse", steps=4, rtol=1e-3, atol=1e-5)
    for mine, part in zip(listed(ours.predict(x, verbose=0)), listed(theirs.predict(x, verbose=0))):
        np.testing.assert_allclose(mine, part, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), rtol=1e-4)


def test_names_of_layers_and_weights():
    keras.utils.clear_session()
    nn.clear_session()
    for home in keras, nn:
        home.layers.LSTM(3)
    theirs, ours = (home.Bidirectional(home.LSTM(2)) for home in (keras.layers, nn))
    names = [(layer.name, layer.forward_layer.name, layer.backward_layer.name) for layer in (theirs, ours)]
    assert names[0] == names[1] == ("bidirectional", "forward_lstm_1", "backward_lstm_1")
