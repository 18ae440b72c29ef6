"""Recurrent layers by themselves: gradients against central differences, dropout, masks, workspace, configurations, bad input."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from slopes import close, slope

from fastopt import kernels, nn
from fastopt.nn.program import Program
from fastopt.nn.unmasked import Unmasked

ROWS, STEPS, WIDTH, UNITS = 4, 5, 3, 2
HOLES = np.array([[1, 0, 0, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
RIGHT = np.arange(STEPS) < np.array([[3], [5], [0], [1]])
LAYERS = {
    "rnn": lambda **more: nn.SimpleRNN(UNITS, **more),
    "rnn, dropout": lambda **more: nn.SimpleRNN(UNITS, dropout=0.4, recurrent_dropout=0.4, seed=1, **more),
    "lstm": lambda **more: nn.LSTM(UNITS, **more),
    "lstm, dropout": lambda **more: nn.LSTM(UNITS, dropout=0.4, seed=1, **more),
    "lstm, dropout of both": lambda **more: nn.LSTM(UNITS, dropout=0.4, recurrent_dropout=0.4, seed=1, **more),
    "lstm, peepholes": lambda **more: nn.LSTM(UNITS, peepholes=True, **more),
    "lstm, projection": lambda **more: nn.LSTM(3, projection=UNITS, recurrent_dropout=0.3, seed=2, **more),
    "lstm, clip": lambda **more: nn.LSTM(UNITS, clip=1.0, **more),
    "lstm, input and forget": lambda **more: nn.LSTM(UNITS, input_forget=True, **more),
    "lstm, all": lambda **more: nn.LSTM(3, peepholes=True, projection=UNITS, clip=2.0, input_forget=True, use_bias=False, **more),
    "gru": lambda **more: nn.GRU(UNITS, **more),
    "gru, dropout of both": lambda **more: nn.GRU(UNITS, dropout=0.4, recurrent_dropout=0.4, seed=1, **more),
    "gru, reset before": lambda **more: nn.GRU(UNITS, reset_after=False, recurrent_dropout=0.4, seed=1, **more),
    "both ways": lambda **more: nn.Bidirectional(nn.LSTM(UNITS, recurrent_dropout=0.3, seed=1, **more)),
    "both ways, multiplied": lambda **more: nn.Bidirectional(nn.SimpleRNN(UNITS, **more), merge_mode="mul"),
    "both ways, averaged": lambda **more: nn.Bidirectional(nn.SimpleRNN(UNITS, **more), merge_mode="ave"),
    "both ways, apart": lambda **more: nn.Bidirectional(nn.GRU(UNITS, **more), merge_mode=None),
}
FORMS = {
    "last": (dict(), None),
    "all": (dict(return_sequences=True), None),
    "last, holes": (dict(return_state=True), HOLES),
    "all, holes": (dict(return_sequences=True), HOLES),
    "all, padding": (dict(return_sequences=True, return_state=True), RIGHT),
    "all, backwards, holes": (dict(return_sequences=True, go_backwards=True), HOLES),
    "zeros, padding": (dict(return_sequences=True, zero_output_for_mask=True), RIGHT),
}


def made(name, rng, **options):
    """The layer in float64, with weights that are not at their starting values, and an input with first states."""
    layer = LAYERS[name](**options)
    layer.recast("float64")
    layer.build((ROWS, STEPS, WIDTH))
    layer.set_weights([rng.uniform(-1, 1, weight.shape) for weight in layer.weights])
    return layer, [rng.standard_normal((ROWS, n)) for n in (layer.state_sizes)]


def again(layer):
    """Makes dropout draw as in the pass before."""
    for inner in getattr(layer, "layers", [layer]):
        inner.step = 0


def listed(results):
    return results if isinstance(results, list) else [results]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LAYERS)
def test_gradients(name, form, rng):
    options, mask = FORMS[form]
    if "both" in name and "go_backwards" in options:
        pytest.skip("goes both ways anyhow")
    layer, states = made(name, rng, **options)
    inputs = [rng.standard_normal((ROWS, STEPS, WIDTH)), *states]

    def results():
        again(layer)
        return listed(layer.forward(inputs, training=True, mask=mask))

    dys = [rng.uniform(0.5, 1.5, y.shape) for y in results()]
    value = lambda: sum(float((y * dy).sum()) for y, dy in zip(results(), dys))
    given = [dy.copy() for dy in dys]
    slopes = layer.backward(dys if len(dys) > 1 else dys[0])
    assert all(np.array_equal(dy, kept) for dy, kept in zip(dys, given))
    grads = {name: grad.copy() for name, grad in layer.grads.items()}
    assert set(grads) == set(layer.params)
    for got, array in zip(slopes, inputs, strict=True):
        assert close(got, slope(value, array))
    for name, param in layer.params.items():
        assert close(grads[name], slope(value, param)), name


@pytest.mark.parametrize("name", LAYERS)
def test_states_as_an_argument_are_those_of_a_list(name, rng):
    layer, states = made(name, rng, return_sequences=True)
    x = rng.standard_normal((ROWS, STEPS, WIDTH))
    dy, results = None, []
    for again_x, more in ([x, *states], {}), (x, dict(initial_state=states)):
        again(layer)
        y = listed(layer.forward(again_x, training=True, mask=HOLES, **more))
        dy = dy or [rng.standard_normal(part.shape) for part in y]
        slopes = listed(layer.backward(dy if len(dy) > 1 else dy[0]))
        results.append([*y, slopes[0], *(grad.copy() for grad in layer.grads.values())])
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
    assert isinstance(slopes, list)
    assert len(slopes) == 1
    given = layer.forward(x, initial_state=states)
    assert all(np.array_equal(a, b) for a, b in zip(listed(given), listed(layer(x, states))))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
def test_masks_by_definition(rng, backwards, zeros):
    """Step by step as the words say it: a masked step changes nothing, and shows the output before it, or 0."""
    mask = rng.random((40, STEPS)) < 0.5
    mask[:2] = [[False], [True]]
    layer = nn.SimpleRNN(UNITS, dtype="float64", return_sequences=True, return_state=True, go_backwards=backwards,
                         zero_output_for_mask=zeros)  # fmt: skip
    x, start = rng.standard_normal((40, STEPS, WIDTH)), rng.standard_normal((40, UNITS))
    y, final = layer.forward([x, start], mask=mask)
    layer.return_sequences = False
    last, same = layer.forward([x, start], mask=mask)
    assert np.array_equal(same, final)
    for row in range(40):
        state, shown, outputs = start[row], np.zeros(UNITS), []
        for t in reversed(range(STEPS)) if backwards else range(STEPS):
            if mask[row, t]:
                state = shown = np.tanh(x[row, t] @ layer.kernel + state @ layer.recurrent_kernel + layer.bias)
            elif zeros:
                shown = np.zeros(UNITS)
            outputs.append(shown)
        np.testing.assert_allclose(y[row], outputs, atol=1e-12)
        np.testing.assert_allclose(final[row], state, atol=1e-12)
        np.testing.assert_allclose(last[row], shown, atol=1e-12)


@pytest.mark.parametrize("forget", [False, True])
@pytest.mark.parametrize("clip", [None, 0.3])
def test_what_keras_has_not_by_definition(rng, clip, forget):
    layer, (h, c) = made("lstm, projection", rng, peepholes=True, clip=clip, input_forget=forget, return_sequences=True)
    assert [weight.shape for weight in layer.weights] == [(WIDTH, 12), (UNITS, 12), (12,), (3, 3), (3, UNITS)]
    assert [weight.name for weight in layer.weights[3:]] == ["peepholes", "projection"]
    x = rng.standard_normal((ROWS, STEPS, WIDTH))
    y = layer.forward([x, h, c])
    limit = (lambda z: z) if clip is None else lambda z: np.clip(z, -clip, clip)
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    for t in range(STEPS):
        i, f, g, o = np.split(x[:, t] @ layer.kernel + h @ layer.recurrent_kernel + layer.bias, 4, axis=1)
        i = sigmoid(limit(i + layer.peepholes[0] * c))
        f = 1 - i if forget else sigmoid(limit(f + layer.peepholes[1] * c))
        c = f * c + i * np.tanh(limit(g))
        h = sigmoid(limit(o + layer.peepholes[2] * c)) * np.tanh(c) @ layer.projection
        np.testing.assert_allclose(y[:, t], h, rtol=1e-12, atol=1e-12)


def test_what_is_masked_has_no_influence(rng):
    layer, _ = made("lstm", rng, return_sequences=True)
    x = rng.standard_normal((ROWS, STEPS, WIDTH))
    y = layer.forward(x, mask=HOLES)
    x[~HOLES] = np.nan
    assert np.array_equal(layer.forward(x, training=True, mask=HOLES), y)
    dx = layer.backward(np.ones_like(y))
    assert not dx[~HOLES].any()
    assert all(np.isfinite(grad).all() for grad in layer.grads.values())


def test_nan_stays_in_its_row(rng):
    layer, _ = made("gru", rng)
    x = rng.standard_normal((ROWS, STEPS, WIDTH))
    x[1, 2, 0] = np.nan
    assert np.isnan(layer.forward(x)).any(1).tolist() == [False, True, False, False]


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_merges(mode, rng):
    x = rng.standard_normal((ROWS, STEPS, WIDTH))
    layer = nn.Bidirectional(nn.GRU(UNITS, return_sequences=True, dtype="float64"), mode)
    y = layer.forward(x)
    a, b = layer.forward_layer.forward(x), layer.backward_layer.forward(x)[:, ::-1]
    merged = {"concat": np.concatenate([a, b], 2), "sum": a + b, "mul": a * b, "ave": (a + b) / 2, None: [a, b]}[mode]
    np.testing.assert_allclose(y, merged, rtol=1e-12)


def test_only_what_is_needed_is_gathered():
    assert not Unmasked(RIGHT).gathered
    assert not Unmasked(RIGHT, backwards=True).repeats
    left = Unmasked(RIGHT[:, ::-1])
    assert left.gathered
    assert not left.repeats


def test_dropout_is_drawn_once_a_pass_and_kept_for_all_steps(rng):
    """One set of multipliers for all gates, or with recurrent_dropout one for each; the state's are 0 or 1 / (1 - rate)."""
    x = np.ones((200, STEPS, WIDTH))
    for own, layer in (False, nn.LSTM(UNITS, dropout=0.25, dtype="float64")), (True, nn.LSTM(
            UNITS, dropout=0.25, recurrent_dropout=0.5, dtype="float64")):  # fmt: skip
        seen = spied("lstm_forward", lambda layer=layer: layer.forward(x, training=True))
        noise, state = seen["dropout"], seen["recurrent_dropout"]
        assert noise.shape == ((200, 4, WIDTH) if own else (200, WIDTH))
        assert set(np.unique(noise)) == {0, 1 / 0.75}
        assert 0.15 < (noise == 0).mean() < 0.35
        assert (state is None) == (not own)
        if own:
            assert state.shape == (200, 4, UNITS)
            assert set(np.unique(state)) == {0, 2}
            assert not np.array_equal(state[:, 0], state[:, 1])
        other = spied("lstm_forward", lambda layer=layer: layer.forward(x, training=True))["dropout"]
        assert not np.array_equal(noise, other)
        assert spied("lstm_forward", lambda layer=layer: layer.forward(x))["dropout"] is None
    same = [nn.GRU(2, recurrent_dropout=0.5, kernel_initializer="ones", recurrent_initializer="ones", seed=s) for s in (5, 5, 6)]
    a, b, c = (layer.forward(x, training=True) for layer in same)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def spied(name, run):
    """The keyword arguments with which the kernel `name` is called in run()."""
    real, seen = getattr(kernels, name), {}

    def spy(*args, **options):
        seen.update(options, args=args)
        return real(*args, **options)

    setattr(kernels, name, spy)
    try:
        run()
    finally:
        setattr(kernels, name, real)
    return seen


@pytest.mark.parametrize("mask", [None, HOLES, RIGHT], ids=["no mask", "holes", "right"])
@pytest.mark.parametrize("name", LAYERS)
def test_workspace_serves_again(name, mask, rng, monkeypatch):
    """In a loop of training every array that a kernel writes to is one of the passes before; it also gets the last `saved`."""
    written = []
    for kernel in "rnn_forward", "rnn_backward", "lstm_forward", "lstm_backward", "gru_forward", "gru_backward":
        real = getattr(kernels, kernel)

        def spy(*args, out, real=real, **options):
            needed = options.get("need", (True,) * len(out))
            written.extend(array for array, need in zip(out, needed, strict=True) if need)
            return real(*args, out=out, **options)

        monkeypatch.setattr(kernels, kernel, spy)
    x = nn.Input((STEPS, WIDTH))
    y = listed(LAYERS[name](return_sequences=True)(nn.LSTM(UNITS, go_backwards=True, return_sequences=True)(x)))
    model = nn.Model(x, y, dtype="float64")
    model.place_weights()
    program, passes = Program(model.graph, reuse=True), []
    for _ in range(3):
        outputs = program.forward([rng.standard_normal((ROWS, STEPS, WIDTH))], True, None if mask is None else [mask])
        slopes = program.backward([np.ones_like(output) for output in outputs])
        passes.append([*written, *outputs, *slopes])
        written.clear()
    assert all(array is not None for array in passes[1])
    assert len(passes[1]) > 10
    assert all(a is b for a, b in zip(passes[1], passes[2], strict=True) if isinstance(a, np.ndarray))


@pytest.mark.parametrize("name", LAYERS)
def test_configurations(name, rng):
    layer, _ = made(name, rng, return_sequences=True)
    x = rng.standard_normal((ROWS, STEPS, WIDTH))
    y = listed(layer.forward(x))
    for other in type(layer).from_config(layer.get_config()), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)):
        assert other.get_config() == layer.get_config()
        assert listed(other.compute_output_shape((None, STEPS, WIDTH))) == [(None, *part.shape[1:]) for part in y]
        other.build((None, STEPS, WIDTH))
        other.set_weights(layer.get_weights())
        assert all(np.array_equal(a, b) for a, b in zip(listed(other.forward(x)), y))


def test_every_argument_is_in_the_configuration():
    common = dict(units=3, activation="relu", use_bias=False, kernel_initializer="ones", recurrent_initializer="zeros",
                  bias_initializer="ones", kernel_regularizer="l1", recurrent_regularizer="l2", bias_regularizer="l1_l2",
                  activity_regularizer="l2", kernel_constraint="max_norm", recurrent_constraint="unit_norm",
                  bias_constraint="non_neg", dropout=0.1, recurrent_dropout=0.2, seed=3, return_sequences=True, return_state=True,
                  go_backwards=True, stateful=True, unroll=True, zero_output_for_mask=True, implementation=1, use_cudnn=False,
                  name="mine", trainable=False, dtype="float64", input_shape=(5, 2))  # fmt: skip
    gates = dict(recurrent_activation="hard_sigmoid")
    for kind, more in (
        (nn.SimpleRNN, {}),
        (nn.GRU, gates | dict(reset_after=False)),
        (nn.LSTM, gates | dict(unit_forget_bias=False, peepholes=True, projection=2, clip=1.5, input_forget=True)),
    ):
        config, default = kind(**common, **more).get_config(), kind(4).get_config()
        assert config.keys() >= (common | more).keys() - {"input_shape"}
        assert config.keys() - default.keys() == {"activity_regularizer", "batch_input_shape"}
        assert [name for name, value in default.items() if config[name] == value] == []
        assert kind.from_config(config).get_config() == config
    both = nn.Bidirectional(nn.GRU(2, dropout=0.5), merge_mode="mul", name="both", trainable=False, dtype="float64")
    config = both.get_config()
    assert config.keys() >= {"merge_mode", "layer", "backward_layer", "name", "trainable", "dtype"}
    other = nn.Bidirectional.from_config(config)
    assert other.get_config() == config
    assert not other.backward_layer.trainable
    assert other.backward_layer.dtype == "float64"


@pytest.mark.parametrize("name", LAYERS)
def test_saving(name, rng, tmp_path):
    x, start = nn.Input((STEPS, WIDTH)), nn.Input((UNITS,))
    y = listed(LAYERS[name](return_sequences=True)(nn.Masking()(x)))[0]
    model = nn.Model([x, start], nn.GRU(UNITS)(y, initial_state=start))
    model.compile("adam", "mse")
    data = [rng.standard_normal((8, STEPS, WIDTH)), rng.standard_normal((8, UNITS))]
    data[0][:3, 2:] = 0
    model.fit(data, data[1], verbose=0)
    model.save(tmp_path / "model.npz")
    other = nn.load_model(tmp_path / "model.npz")
    assert np.array_equal(other.predict(data, verbose=0), model.predict(data, verbose=0))
    assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]
    assert list(other.params) == list(model.params)
    again(other.layers[2])
    other.train_on_batch(data, data[1])


class Mine(nn.GRU):
    """A class of the user's."""


def test_saving_with_a_class_of_ones_own(tmp_path):
    model = nn.Sequential([nn.Input((STEPS, WIDTH)), nn.Bidirectional(Mine(2))])
    model.save(tmp_path / "model.npz")
    other = nn.load_model(tmp_path / "model.npz", custom_objects={"Mine": Mine})
    assert type(other.layers[0].backward_layer) is Mine
    with pytest.raises(ValueError, match="custom_objects"):
        nn.load_model(tmp_path / "model.npz")


def test_in_a_wrapper(rng):
    x = rng.standard_normal((ROWS, 2, STEPS, WIDTH))
    mask = rng.random((ROWS, 2, STEPS)) < 0.6
    inner = nn.LSTM(UNITS, dtype="float64")
    layer = nn.TimeDistributed(inner)
    y = layer.forward(x, training=True, mask=mask)
    dy = rng.standard_normal(y.shape)
    dx, grad = layer.backward(dy), inner.grads["kernel"].copy()
    flat = (ROWS * 2, STEPS)
    assert np.array_equal(inner.forward(x.reshape(*flat, WIDTH), True, mask.reshape(flat)), y.reshape(-1, UNITS))
    assert np.array_equal(inner.backward(dy.reshape(-1, UNITS)), dx.reshape(*flat, WIDTH))
    assert np.array_equal(inner.grads["kernel"], grad)


def test_penalties_on_results(rng):
    """Those of all results count, states included."""
    x, y = rng.standard_normal((8, STEPS, WIDTH)), rng.standard_normal((8, UNITS))
    sequence = nn.Input((STEPS, WIDTH))
    last, _ = nn.GRU(UNITS, return_state=True, activity_regularizer=nn.regularizers.L2(0.5))(sequence)
    model = nn.Model(sequence, last, dtype="float64")
    model.compile("sgd", "mse")
    h = model.predict(x, verbose=0)  # which is the state as well
    assert model.train_on_batch(x, y) == pytest.approx(np.square(h - y).mean() + 2 * 0.5 * np.square(h).sum() / 8)


def test_weights_lie_in_the_buffer_of_the_model():
    model = nn.Sequential([nn.Bidirectional(nn.LSTM(3, input_shape=(STEPS, WIDTH))), nn.Dense(1)])
    model.compile("adam", "mse")
    assert model.input_shape == (None, STEPS, WIDTH)
    layer = model.layers[0]
    values = model.weights[0].storage.values
    assert all(np.shares_memory(values, array) for array in (layer.forward_layer.kernel, layer.backward_layer.bias))
    assert [name.split("/", 1)[1] for name in list(model.params)[:6]] == list(layer.params)
    assert [weight.name for weight in layer.weights] == ["kernel", "recurrent_kernel", "bias"] * 2
    layer.trainable = False
    assert not layer.forward_layer.trainable
    assert len(model.trainable_weights) == 2


def test_first_values():
    layer = nn.LSTM(3, bias_initializer="ones")
    layer.build((None, None, 2))
    assert layer.bias.tolist() == [1.0] * 12
    layer = nn.LSTM(3)
    layer.build((None, None, 2))
    assert layer.bias.tolist() == [0] * 3 + [1] * 3 + [0] * 6
    layer = nn.LSTM(3, unit_forget_bias=False)
    layer.build((None, None, 2))
    assert not layer.bias.any()
    np.testing.assert_allclose(layer.recurrent_kernel @ layer.recurrent_kernel.T, np.eye(3), atol=1e-6)


def test_listings():
    assert nn.Sequential([nn.LSTM(64, input_shape=(10, 8))]).input_shape == (None, 10, 8)
    assert nn.Sequential([nn.LSTM(64, input_dim=8)]).input_shape == (None, None, 8)
    assert nn.Sequential([nn.GRU(64, input_dim=8, input_length=10)]).input_shape == (None, 10, 8)
    assert nn.Sequential([nn.Bidirectional(nn.GRU(4), input_shape=(10, 8))]).output_shape == (None, 8)
    model = nn.Sequential([nn.SimpleRNN(4, stateful=True, batch_input_shape=(2, None, 8), return_sequences=True)])
    assert model.predict(np.ones((2, 3, 8)), verbose=0).shape == (2, 3, 4)


def test_stateful_goes_on_where_the_batch_before_ended(rng):
    x = rng.standard_normal((2, 6, 3))
    for kind in nn.SimpleRNN, nn.LSTM, nn.GRU:
        make = lambda **more: kind(4, dtype="float64", return_sequences=True, **more)  # noqa: B023
        whole, layer = make(), make(stateful=True)
        model = nn.Sequential([nn.Input(batch_shape=(2, None, 3)), layer], dtype="float64")
        whole.build((None, None, 3))
        whole.set_weights(layer.get_weights())
        for _ in range(2):
            parts = [model.predict(x[:, t : t + 2], verbose=0) for t in (0, 2, 4)]
            np.testing.assert_allclose(np.concatenate(parts, 1), whole.forward(x), atol=1e-12)
            model.reset_states()
        states = [rng.standard_normal((2, 4)) for _ in range(layer.state_count)]
        layer.reset_states(states)
        np.testing.assert_allclose(model.predict(x, verbose=0), whole.forward(x, initial_state=states), atol=1e-12)
        with pytest.raises(ValueError, match="built for batches of 2 rows, got 3"):
            layer.forward(np.ones((3, 2, 3)))


def test_zeros_are_states_to_begin_with(rng):
    x = rng.standard_normal((2, 4, 3))
    for layer in nn.LSTM(4, projection=2), nn.Bidirectional(nn.GRU(4), dtype="float64"):
        states = layer.get_initial_state(2)
        assert [state.dtype.name for state in states] == [layer.dtype] * 2
        assert np.array_equal(layer.forward(x, initial_state=states), layer.forward(x))
        layer.reset_states()
    with pytest.raises(ValueError, match="get_initial_state: batch_size must be an integer >= 1, got None"):
        layer.get_initial_state(None)


def test_a_stateful_layer_changes_its_dtype_with_its_model():
    layer = nn.GRU(2, stateful=True)
    layer.build((2, None, 3))
    nn.Sequential([nn.Input(batch_shape=(2, None, 3)), layer], dtype="float64")
    assert layer.states[0].dtype == np.float64
    assert layer.forward(np.ones((2, 4, 3))).dtype == np.float64


def test_gradient_of_a_stateful_layer(rng):
    layer = nn.LSTM(3, stateful=True, dtype="float64")
    x, dy = rng.standard_normal((2, 5, 4)), rng.standard_normal((2, 3))
    layer.forward(x)
    states = [state.copy() for state in layer.states]
    other = nn.LSTM(3, dtype="float64")
    other.build((None, None, 4))
    other.set_weights(layer.get_weights())
    assert np.array_equal(layer.forward(x, training=True), other.forward(x, training=True, initial_state=states))
    assert np.array_equal(layer.backward(dy), other.backward(dy))
    assert np.array_equal(layer.grads["recurrent_kernel"], other.grads["recurrent_kernel"])


def test_gradients_flow_from_a_decoder_to_its_encoder(rng):
    source, target = nn.Input((None, 3)), nn.Input((None, 2))
    encoder = nn.LSTM(4, return_state=True)
    _, h, c = encoder(source)
    model = nn.Model([source, target], nn.LSTM(4, return_sequences=True)(target, initial_state=[h, c]), dtype="float64")
    data = [rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 4, 2))]
    dy = rng.standard_normal(model.forward(data, training=True).shape)
    value = lambda: float((model.forward(data) * dy).sum())
    slopes = model.backward(dy)
    assert all(close(got, slope(value, array)) for got, array in zip(slopes, data))
    assert close(encoder.grads["kernel"], slope(value, encoder.kernel))


@pytest.mark.parametrize("name", ["rnn", "lstm, all", "gru", "both ways, averaged"])
def test_gradients_of_a_layer_called_twice(name, rng):
    layer, a, b = LAYERS[name](), nn.Input((STEPS, WIDTH)), nn.Input((None, WIDTH))
    model = nn.Model([a, b], nn.Concatenate()([layer(a), layer(b)]), dtype="float64")
    data = [rng.standard_normal((2, steps, WIDTH)) for steps in (STEPS, 3)]
    dy = rng.standard_normal(model.forward(data, training=True).shape)
    value = lambda: float((model.forward(data) * dy).sum())
    assert all(close(got, slope(value, array)) for got, array in zip(model.backward(dy), data))
    for path, grad in model.grads.items():
        assert close(grad, slope(value, model.params[path])), path


@pytest.mark.parametrize("shape", [(0, 5, 3), (2, 0, 3)])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "both ways"])
def test_nothing_to_do(name, shape):
    layer = LAYERS[name](return_sequences=True)
    y = layer.forward(np.zeros(shape, "f4"), training=True)
    assert y.shape == (*shape[:2], layer.compute_output_shape(shape)[2])
    assert layer.backward(y).shape == shape
    assert not any(grad.any() for grad in layer.grads.values())
    last = LAYERS[name]()
    assert not last.forward(np.zeros(shape, "f4")).any()


def test_masks_of_results():
    mask = np.ones((2, 3), bool)
    assert nn.LSTM(2).compute_mask(None, mask) is None
    assert nn.LSTM(2, return_sequences=True).compute_mask(None, mask) is mask
    assert nn.LSTM(2, return_sequences=True, return_state=True).compute_mask(None, [mask, None, None]) == [mask, None, None]
    both = nn.Bidirectional(nn.GRU(2, return_sequences=True, return_state=True), merge_mode=None)
    assert both.compute_mask(None, mask) == [mask, mask, None, None]


def test_inference_keeps_nothing(rng):
    model = nn.Sequential([nn.Input((STEPS, WIDTH)), nn.Masking(), nn.LSTM(UNITS)])
    x = rng.standard_normal((ROWS, STEPS, WIDTH)).astype("f4")
    x[0, 1] = 0
    layer = model.layers[1]
    both = nn.Bidirectional(nn.LSTM(UNITS), input_shape=(STEPS, WIDTH))
    without_masks = nn.Sequential([both])
    for run in (lambda: model.predict(x, verbose=0), lambda: layer.forward(x), lambda: layer.infer(x), lambda: both.forward(x),
                lambda: without_masks.predict(x, verbose=0)):  # fmt: skip
        assert spied("lstm_forward", run)["keep"] is False
    assert spied("lstm_forward", lambda: layer.forward(x, training=True))["keep"] is True


def judged(make, shape, rng):
    """A compiled model on sequences, x and y."""
    model = nn.Sequential([nn.Input(shape[1:]), make(), nn.Flatten(), nn.Dense(1)])
    model.compile("sgd", "mse")
    return model, rng.standard_normal(shape).astype("f4"), rng.standard_normal((shape[0], 1)).astype("f4")


JUDGED = {
    "one layer": (lambda: nn.LSTM(UNITS), (ROWS, STEPS, WIDTH)),
    "both directions": (lambda: nn.Bidirectional(nn.LSTM(UNITS)), (ROWS, STEPS, WIDTH)),
    "a layer on steps": (lambda: nn.TimeDistributed(nn.LSTM(UNITS)), (ROWS, 2, STEPS, WIDTH)),
    "a model on steps": (lambda: nn.TimeDistributed(nn.Sequential([nn.Input((STEPS, WIDTH)), nn.LSTM(UNITS)])),
                         (ROWS, 2, STEPS, WIDTH)),
}  # fmt: skip


@pytest.mark.parametrize("name", JUDGED)
def test_evaluation_keeps_nothing_and_training_goes_on(name, rng, monkeypatch):
    model, x, y = judged(*JUDGED[name], rng)
    seen = []
    real = kernels.lstm_forward
    monkeypatch.setattr(kernels, "lstm_forward", lambda *args, **options: seen.append(options["keep"]) or real(*args, **options))
    once = 2 if name == "both directions" else 1
    for run, keeps in ((model.evaluate, [False]), (model.test_on_batch, [False]), (model.train_on_batch, [True])):
        seen.clear()
        run(x, y)
        assert seen == keeps * once
    seen.clear()
    first = model.get_weights()
    model.fit(x, y, epochs=2, validation_data=(x, y), shuffle=False, verbose=0)
    assert seen == 2 * (once * [True] + once * [False])
    watched = model.get_weights()
    model.set_weights(first)
    model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    assert all(map(np.array_equal, model.get_weights(), watched))


def test_evaluation_takes_less_memory_and_gives_the_same(rng, monkeypatch):
    model, x, y = judged(lambda: nn.LSTM(32), (64, 50, 8), rng)

    def evaluated():
        model.compile("sgd", "mse")  # without workspace
        tracemalloc.start()
        loss = model.evaluate(x, y, batch_size=64, verbose=0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return loss, peak

    loss, peak = evaluated()
    monkeypatch.setattr(Program, "keep", lambda program, kept: None)
    kept, most = evaluated()
    assert loss == kept
    assert peak < most - 64 * 50 * 32 * 4 * 2  # at the least the cells and the states of all steps


ERRORS = {
    "sequences have three axes": (lambda: nn.LSTM(2).forward(np.ones((2, 3))),
                                  r"expected shape \(batch, timesteps, features\), got \(2, 3\)"),
    "of a symbolic tensor": (lambda: nn.GRU(2)(nn.Input((3,))), r"timesteps, features\), got \(None, 3\)"),
    "features": (lambda: _built(nn.GRU(2)).forward(np.ones((2, 3, 5))), r"with 3 features, got \(2, 3, 5\)"),
    "unknown features": (lambda: nn.GRU(2)(nn.Input((3, None))), "last axis must have a known size"),
    "units": (lambda: nn.LSTM(0), "LSTM: units must be an integer >= 1, got 0"),
    "projection": (lambda: nn.LSTM(2, projection=0), "LSTM: projection must be an integer >= 1"),
    "clip": (lambda: nn.LSTM(2, clip=-1), "clip must be None or a number > 0"),
    "rate": (lambda: nn.GRU(2, recurrent_dropout=1.5), r"GRU: recurrent_dropout must be a number in \[0, 1\], got 1.5"),
    "activation": (lambda: nn.SimpleRNN(2, activation="gelu"), "activation must be elementwise, .* got 'gelu'"),
    "softmax": (lambda: nn.LSTM(2, recurrent_activation="softmax"), "recurrent_activation must be elementwise"),
    "alpha": (lambda: nn.GRU(2, nn.activations.Activation("elu", 0.5)), "'elu' has alpha=1.0 here, got 0.5"),
    "number of states": (lambda: _built(nn.LSTM(2)).forward(np.ones((4, 2, 3)), initial_state=np.ones((4, 2))),
                         r"expected 2 initial states of shape \(4, 2\) and \(4, 2\), got \(4, 2\)"),
    "batch of a state": (lambda: _built(nn.GRU(2)).forward(np.ones((4, 2, 3)), initial_state=np.ones((3, 2))),
                         r"expected 1 initial state of shape \(4, 2\), got \(3, 2\)"),
    "symbolic state": (lambda: nn.GRU(2)(nn.Input((4, 3)), initial_state=nn.Input((3,))), r"\(None, 2\), got \(None, 3\)"),
    "no state carried": (lambda: nn.GRU(2).reset_states([[0, 0]]), "carries no states; make it with stateful=True"),
    "open batch": (lambda: nn.GRU(2, stateful=True)(nn.Input((4, 3))), "stateful=True needs a fixed batch"),
    "mask": (lambda: nn.GRU(2).forward(np.ones((4, 2, 3)), mask=np.ones((4, 3), bool)), r"mask has shape \(4, 3\)"),
    "merge mode": (lambda: nn.Bidirectional(nn.GRU(2), merge_mode="max"), "merge_mode must be one of 'concat', .* got 'max'"),
    "same direction": (lambda: nn.Bidirectional(nn.GRU(2), backward_layer=nn.GRU(2)), "expected go_backwards=False of layer"),
    "disagreement": (lambda: nn.Bidirectional(nn.GRU(2, return_sequences=True), backward_layer=nn.GRU(2, go_backwards=True)),
                     "must agree in return_sequences, got True and False"),
    "widths": (lambda: nn.Bidirectional(nn.GRU(2), "sum", backward_layer=nn.GRU(3, go_backwards=True)),
               "as many outputs .* 2 and 3"),
    "states both ways": (lambda: _built(nn.Bidirectional(nn.GRU(2))).forward(np.ones((4, 2, 3)), initial_state=np.ones((4, 2))),
                         "expected 2 initial states"),
    "penalty inside": (lambda: nn.Bidirectional(nn.GRU(2, activity_regularizer="l2")), "activity_regularizer to Bidirectional"),
}  # fmt: skip


def _built(layer):
    layer.build((None, None, WIDTH))
    return layer


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    run, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        run()


def test_errors_of_kind():
    with pytest.raises(TypeError, match="expected a recurrent layer, such as LSTM"):
        nn.Bidirectional(nn.Dense(2))
    with pytest.raises(TypeError, match="symbolic sequence with symbolic states"):
        nn.GRU(2)(nn.Input((4, 3)), initial_state=np.ones((4, 2)))
    with pytest.raises(RuntimeError, match="has had no forward"):
        nn.GRU(2).backward(np.ones((2, 2)))
    layer = nn.GRU(2)
    y = layer.forward(np.ones((2, 3, 4)), training=True)
    layer.backward(y)
    with pytest.raises(RuntimeError):
        layer.backward(y)


def test_a_layer_of_the_users_own_goes_both_ways():
    """What its configuration has beside the layer's need not be an attribute."""

    class Own(nn.LSTM):
        def __init__(self, units, extra_regularizer=None, **kwargs):
            super().__init__(units, **kwargs)
            self._extra = extra_regularizer

        def get_config(self):
            return super().get_config() | {"extra_regularizer": self._extra}

    both = nn.Bidirectional(Own(3))
    assert type(both.backward_layer) is Own
