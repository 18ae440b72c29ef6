"""Graphs of layers: gradients through branches, shared layers, several inputs and outputs; one buffer of weights."""

import numpy as np
import pytest
from slopes import close, slope

from fastopt import nn


def two_branches():
    x = nn.Input(shape=(4,))
    h = nn.Dense(5, "tanh")(x)
    return nn.Model(x, nn.Add()([nn.Dense(3, "softplus")(h), nn.Dense(3)(h), nn.Dense(3)(x)]))


def shared_layer():
    x, layer = nn.Input(shape=(4,)), nn.Dense(4, "tanh")
    return nn.Model(x, nn.Add()([layer(x), layer(layer(x))]))


def two_inputs():
    a, b = nn.Input(shape=(4,)), nn.Input(shape=(3,))
    shared = nn.Dense(2, "tanh")
    return nn.Model([a, b], nn.Concatenate()([shared(nn.Dense(4)(b)), shared(a), b]))


def two_outputs():
    x = nn.Input(shape=(4,))
    h = nn.Dense(5, "tanh")(x)
    return nn.Model(x, [nn.Dense(2)(h), nn.Dense(3, "sigmoid")(h), h])


def sum_with_itself():
    x = nn.Input(shape=(4,))
    h = nn.Dense(3, "tanh")(x)
    return nn.Model(x, nn.Multiply()([h, h]) + h)


def nested():
    inner = nn.Sequential([nn.Input(shape=(4,)), nn.Dense(4, "tanh"), nn.Dense(4)])
    x = nn.Input(shape=(4,))
    return nn.Model(x, nn.Dense(2)(inner(inner(x))))


def shared_inside_and_outside():
    layer = nn.Dense(4, "tanh")
    inner = nn.Sequential([nn.Input(shape=(4,)), layer])
    x = nn.Input(shape=(4,))
    return nn.Model(x, inner(layer(x)))


def normalized():
    x = nn.Input(shape=(4,))
    h = nn.BatchNormalization()(nn.Dense(3)(x))
    return nn.Model(x, nn.Dense(2)(nn.LayerNormalization()(nn.Flatten()(nn.Reshape((3, 1))(nn.Activation("tanh")(h))))))


def shared_norms():
    x = nn.Input(shape=(4,))
    norm, batch = nn.LayerNormalization(), nn.BatchNormalization()
    return nn.Model(x, nn.Multiply()([batch(norm(x)), norm(nn.Dense(4, "gelu")(batch(x)))]))


def called_in_inference():
    inner = nn.Sequential([nn.Input(shape=(4,)), nn.Dense(4, "gelu"), nn.Dropout(0.5)])
    x = nn.Input(shape=(4,))
    return nn.Model(x, nn.Dense(2)(inner(x, training=False)))


class OfCalls(nn.Model):
    def __init__(self):
        super().__init__()
        self.first = nn.Dense(3, "tanh")
        self.blocks = [nn.Dense(3, "tanh"), nn.Dense(3)]

    def call(self, inputs, training=False):
        h = self.first(inputs)
        for block in self.blocks:
            h = block(h) + h
        return h


def subclass():
    model = OfCalls()
    model.build((None, 4))
    return model


MODELS = [two_branches, shared_layer, two_inputs, two_outputs, sum_with_itself, nested, shared_inside_and_outside, normalized,
          shared_norms, called_in_inference, subclass]  # fmt: skip


def in_double(make, rng):
    """The model in float64 with weights of all sizes, and its inputs."""
    model = make()
    model.recast("float64")
    draw = lambda name, shape: rng.uniform(0.2, 1, shape) * (1 if name == "moving_variance" else rng.choice([-1, 1], shape))
    model.set_weights([draw(weight.name, weight.shape) for weight in model.weights])
    return model, [rng.uniform(-1, 1, (3, *tensor.shape[1:])) for tensor in model.inputs]


def listed(parts):
    return parts if isinstance(parts, list) else [parts]


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_gradients(make, rng):
    model, x = in_double(make, rng)
    given = x if len(x) > 1 else x[0]
    dys = [rng.uniform(0.5, 1.5, y.shape) for y in listed(model.forward(given))]

    def value():
        return sum(float((y * dy).sum()) for y, dy in zip(listed(model.forward(given, training=True)), dys))

    value()
    dxs = listed(model.backward(dys if len(dys) > 1 else dys[0]))
    grads = {name: grad.copy() for name, grad in model.grads.items()}
    assert list(grads) == list(model.params)
    assert len(grads) == len(model.trainable_weights)
    for dx, part in zip(dxs, x):
        assert close(dx, slope(value, part))
    for name, param in model.params.items():
        assert close(grads[name], slope(value, param)), name


def test_an_output_without_gradient_leaves_zeros(rng):
    model, (x,) = in_double(two_outputs, rng)
    ys = model.forward(x, training=True)
    model.backward([np.ones_like(y) for y in ys])
    model.forward(x, training=True)
    model.backward([None, np.ones_like(ys[1]), None])
    first, second = (layer for layer in model.layers[2:])
    assert not first.grads["kernel"].any()
    assert second.grads["kernel"].all()


def test_accumulate_adds(rng):
    model, (x,) = in_double(shared_layer, rng)
    y = model.forward(x, training=True)
    model.backward(np.ones_like(y))
    once = {name: grad.copy() for name, grad in model.grads.items()}
    model.forward(x, training=True)
    model.backward(2 * np.ones_like(y), accumulate=True)
    for name, grad in model.grads.items():
        np.testing.assert_allclose(grad, 3 * once[name], rtol=1e-12)


def test_a_layer_called_twice_keeps_both_contexts(rng):
    layer = nn.Dense(2, "tanh", dtype="float64")
    x = nn.Input(shape=(3,))
    inner = nn.Model(x, layer(x))
    a, b = rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    y = inner.forward(a, training=True)
    inner.forward(b)  # inference in between changes nothing
    want = ((1 - y**2) @ layer.params["kernel"].T, a.T @ (1 - y**2))
    np.testing.assert_allclose(inner.backward(np.ones_like(y)), want[0], rtol=1e-12)
    np.testing.assert_allclose(layer.grads["kernel"], want[1], rtol=1e-12)


def test_weights_lie_in_one_buffer_and_gradients_in_another():
    model = nn.Sequential([nn.Input((5,)), nn.Dense(3), nn.BatchNormalization(), nn.Dense(2)])
    params, grads = list(model.params.values()), list(model.grads.values())
    for arrays in params, grads:
        assert len({id(array.base) for array in arrays}) == 1
        assert [array.ctypes.data % 64 for array in arrays] == [0] * len(arrays)
    model.compile("adam", "mse")
    assert [len(group["params"]) for group in model.optimizer.param_groups] == [1]
    assert model.layers[0].kernel is params[0]


def test_layers_shared_by_two_models_stay_where_they_are(rng):
    x = nn.Input((6,))
    h = nn.Dense(2, "relu")(x)
    whole = nn.Model(x, nn.Dense(6)(h))
    whole.compile("sgd", "mse")
    kernel = whole.layers[1].kernel
    encoder = nn.Model(x, h)
    encoder.compile("sgd", "mse")
    assert encoder.layers[1].kernel is kernel
    data = rng.standard_normal((8, 6)).astype("f4")
    before = encoder.predict(data)
    whole.fit(data, data, verbose=0, epochs=3)
    assert not np.array_equal(encoder.predict(data), before)
    np.testing.assert_allclose(encoder.predict(data), np.maximum(data @ kernel + whole.layers[1].bias, 0), rtol=1e-5)


def test_frozen_layers_stay(rng):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(3), nn.Dense(2), nn.Dense(1)])
    model.layers[1].trainable = False
    model.compile(nn.optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    x = rng.standard_normal((8, 4)).astype("f4")
    model.fit(x, x[:, :1], verbose=0)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights())]
    assert changed == [True, True, False, False, True, True]
    assert len(model.trainable_weights) == len(model.params) == 4


def test_what_trains_is_fixed_by_compile(rng):
    """The adversary trains by itself, and is frozen inside the model compiled later."""
    adversary = nn.Sequential([nn.Input((2,)), nn.Dense(3, "relu"), nn.Dense(1, "sigmoid")])
    adversary.compile("sgd", "binary_crossentropy")
    generator = nn.Sequential([nn.Input((4,)), nn.Dense(2)])
    adversary.trainable = False
    z = nn.Input((4,))
    both = nn.Model(z, adversary(generator(z)))
    both.compile("sgd", "binary_crossentropy")
    noise = rng.standard_normal((8, 4)).astype("f4")
    frozen, free = adversary.get_weights(), generator.get_weights()
    both.train_on_batch(noise, np.ones(8))
    assert all(np.array_equal(a, b) for a, b in zip(frozen, adversary.get_weights()))
    assert not np.array_equal(free[0], generator.get_weights()[0])
    adversary.train_on_batch(generator.predict(noise), np.zeros(8))
    assert not np.array_equal(frozen[0], adversary.get_weights()[0])


def test_training_flag_of_a_call():
    x = nn.Input((50,))
    always, never = nn.Model(x, nn.Dropout(0.5)(x, training=True)), nn.Model(x, nn.Dropout(0.5)(x, training=False))
    ones = np.ones((2, 50), "f4")
    assert not always.predict(ones).all()
    assert never.forward(ones, training=True).all()


def test_model_from_the_middle(rng):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(3, "tanh", name="a"), nn.Dense(2, name="b")])
    x = rng.standard_normal((5, 4)).astype("f4")
    features = nn.Model(model.input, model.get_layer("a").output)
    rest = nn.Model(model.get_layer("a").output, model.output)
    np.testing.assert_array_equal(rest.predict(features.predict(x)), model.predict(x))


def test_outputs_are_never_the_inputs():
    x = nn.Input((4,))
    data = np.ones((2, 4), "f4")
    for model in nn.Model(x, x), nn.Model(x, nn.Reshape((2, 2))(x)), nn.Model(x, nn.Dropout(0.5)(x)):
        assert not np.shares_memory(model.predict(data), data)
        assert not np.shares_memory(model.forward(data), data)


def test_pop_and_add():
    model = nn.Sequential([nn.Input((4,)), nn.Dense(3), nn.Dense(2)])
    assert model.pop().units == 2
    assert model.output_shape == (None, 3)
    model.add(nn.Dense(5))
    assert model.output_shape == (None, 5)
    assert model.predict(np.ones((1, 4))).shape == (1, 5)


def test_a_subclass_is_traced_once():
    calls = []

    class Counted(nn.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.drop, self.last = nn.Dense(8, "relu"), nn.Dropout(0.5), nn.Dense(1)

        def call(self, inputs, training=False):
            calls.append(training)
            h = self.hidden(inputs)
            if training:
                h = self.drop(h, training=training)
            return self.last(h)

    model = Counted()
    model.compile("adam", "mse")
    x = np.ones((20, 3), "f4")
    model.fit(x, x[:, 0], epochs=2, verbose=0)
    assert len(calls) == 1
    assert np.array_equal(model.predict(x), model(x, training=False))
    assert not np.array_equal(model(x, training=True), model.predict(x))
    assert [layer.name for layer in model.layers] == [model.hidden.name, model.drop.name, model.last.name]


def test_clones_have_weights_of_their_own(rng):
    for make in two_outputs, nested, lambda: nn.Sequential([nn.Dense(3, input_shape=(4,))]):
        model = make()
        clone = nn.models.clone_model(model)
        assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
        assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])


def test_summary():
    nn.clear_session()
    a = nn.Input((4,))
    shared = nn.Dense(4, name="shared")
    frozen = nn.Sequential([nn.Input((4,)), nn.Dense(2)], name="frozen")
    frozen.trainable = False
    texts = []
    nn.Model(a, frozen(nn.Add()([shared(a), shared(shared(a))]))).summary(print_fn=texts.append)
    (text,) = texts
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if "│" in line]
    assert rows == [
        ["Layer (type)", "Output Shape", "Param #", "Connected to"],
        ["input_layer (InputLayer)", "(None, 4)", "0", "-"],
        ["shared (Dense)", "(None, 4)", "20", "input_layer[0][0], shared[1][0]"],
        ["add (Add)", "(None, 4)", "0", "shared[0][0], shared[2][0]"],
        ["frozen (Sequential)", "(None, 2)", "10", "add[0][0]"],
    ]
    assert text.splitlines()[-3:] == [
        " Total params: 30 (120.00 B)",
        " Trainable params: 20 (80.00 B)",
        " Non-trainable params: 10 (40.00 B)",
    ]
    nn.Sequential([nn.Dense(2)]).summary(print_fn=texts.append)
    assert "0 (unbuilt)" in texts[1]


def test_weights_as_objects():
    model = nn.Sequential([nn.Input((2,)), nn.Dense(1, name="one")])
    kernel, bias = model.weights
    assert (kernel.name, kernel.path, kernel.shape, kernel.dtype) == ("kernel", "one/kernel", (2, 1), "float32")
    kernel.assign([[2.0], [3.0]])
    bias.assign([1.0])
    assert model.predict(np.array([[1, 1]])).item() == 6
    copy = kernel.numpy()
    copy[:] = 0
    assert np.asarray(kernel).tolist() == [[2], [3]]
    assert model.trainable_variables == model.trainable_weights


def test_float64_models(rng):
    model = nn.Sequential([nn.Input((3,)), nn.Dense(2), nn.Dense(1)], dtype="float64")
    assert model.predict(np.ones((1, 3), "f4")).dtype == np.float64
    assert {weight.dtype for weight in model.weights} == {"float64"}
    x = nn.Input((3,))
    functional = nn.Model(x, nn.Dense(2, dtype="float64")(x))
    assert functional.dtype == "float64"
    with pytest.raises(ValueError, match="one dtype"):
        nn.Model(x, nn.Dense(2)(nn.Dense(2, dtype="float64")(x)))


def named(rng):
    x, y = nn.Input((3,), name="x"), nn.Input((2,), name="y")
    model = nn.Model({"x": x, "y": y}, {"a": nn.Dense(1)(x), "b": nn.Dense(2)(y)})
    return model, {"y": rng.normal(size=(50, 2)).astype("f4"), "x": rng.normal(size=(50, 3)).astype("f4")}


def test_outputs_given_as_a_dict_come_back_as_one(rng):
    model, data = named(rng)
    want = model.predict(data)
    assert {name: y.shape for name, y in want.items()} == {"a": (50, 1), "b": (50, 2)}
    halves = ({name: x[i : i + 25] for name, x in data.items()} for i in (0, 25))
    for got in (model(data), model.forward(data, training=True), model.predict_on_batch(data), model.predict(data, batch_size=7),
                model.predict(halves)):  # fmt: skip
        assert list(got) == ["a", "b"]
        for name, y in want.items():
            np.testing.assert_allclose(got[name], y, rtol=1e-5, atol=1e-6)
    one = nn.Model(model.inputs, {"a": model.outputs[0]})
    np.testing.assert_allclose(one.predict([data["x"], data["y"]])["a"], want["a"], rtol=1e-5, atol=1e-6)


def test_gradients_as_a_dict(rng):
    model, data = named(rng)
    y = model.forward(data, training=True)
    ones = {"b": np.ones_like(y["b"]), "a": np.ones_like(y["a"])}
    by_name = model.backward(ones)
    model.forward(data, training=True)
    for got, want in zip(by_name, model.backward([ones["a"], ones["b"]])):
        np.testing.assert_array_equal(got, want)


def test_a_model_with_dicts_within_a_model(tmp_path, rng):
    model, data = named(rng)
    x, y = nn.Input((3,)), nn.Input((2,))
    parts = model({"y": y, "x": x})  # by name, whatever the order
    assert list(parts) == ["a", "b"]
    outer = nn.Model([x, y], nn.Concatenate()([parts["b"], parts["a"]]))
    want = model.predict(data)
    got = outer.predict([data["x"], data["y"]])
    np.testing.assert_allclose(got, np.hstack([want["b"], want["a"]]), rtol=1e-5, atol=1e-6)
    outer.save(tmp_path / "outer")
    np.testing.assert_array_equal(nn.load_model(tmp_path / "outer").predict([data["x"], data["y"]]), got)
