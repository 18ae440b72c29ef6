"""Models in files: what comes back is the same to the bit, and whatever is wrong with a file is said."""

import os

import numpy as np
import pytest

from fastopt import nn


def everything():
    """A model with every kind of layer, shared and nested ones, two inputs and two outputs."""
    a, b = nn.Input((6,), name="a"), nn.Input((4,), name="b")
    shared = nn.Dense(4, "tanh", kernel_regularizer=nn.regularizers.L2(0.1), kernel_initializer="he_normal")
    inner = nn.Sequential([nn.Input((4,)), nn.Dense(4, nn.activations.elu), nn.Dropout(0.1, seed=2)], name="inner")
    h = nn.Add()([inner(shared(nn.Dense(4)(a))), inner(shared(b)), nn.LeakyReLU(0.2)(b)])
    h = nn.Concatenate()([nn.BatchNormalization(momentum=0.8)(h), nn.LayerNormalization()(h), nn.Multiply()([h, b])])
    h = nn.Flatten()(nn.Reshape((2, 6))(nn.Activation("gelu")(h)))
    return nn.Model([a, b], [nn.Dense(1, name="one")(h), nn.Dense(3, "softmax", name="three")(h)], name="all")


def chain():
    return nn.Sequential([nn.Dense(5, "relu", input_shape=(4,), name="first"), nn.Dense(2, name="second")])


@pytest.fixture
def data(rng):
    a, b = rng.standard_normal((20, 6)).astype("f4"), rng.standard_normal((20, 4)).astype("f4")
    return [a, b], [a[:, 0], np.arange(20) % 3]


def trained(data, optimizer="adam"):
    model = everything()
    model.compile(
        optimizer, ["mse", nn.losses.SparseCategoricalCrossentropy()], loss_weights=[0.5, 1], metrics=[["mae"], ["accuracy"]]
    )
    model.fit(*data, epochs=2, batch_size=8, verbose=0)
    return model


@pytest.mark.parametrize("optimizer", ["adam", nn.optimizers.SGD(0.01, momentum=0.9, global_clipnorm=1.0), "rmsprop"], ids=str)
def test_a_model_comes_back_and_trains_on_alike(tmp_path, data, optimizer):
    model = trained(data, optimizer)
    path = tmp_path / "model.anything"
    model.save(path)
    assert os.listdir(tmp_path) == ["model.anything"]
    twin = nn.load_model(path)
    assert type(twin) is type(model)
    assert twin.name == "all"
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert all(np.array_equal(p, q) for p, q in zip(model.predict(data[0]), twin.predict(data[0])))
    assert twin.get_layer("inner").layers[1].rate == 0.1
    assert twin.evaluate(*data, verbose=0) == model.evaluate(*data, verbose=0)
    for one in model, twin:
        one.get_layer("inner").layers[1].step = 0  # dropout draws the same in both
    assert twin.train_on_batch(*data) == model.train_on_batch(*data)
    assert all(np.array_equal(v, w) for v, w in zip(model.get_weights(), twin.get_weights()))


def beside_a_wrapper():
    dense, x = nn.Dense(3), nn.Input((6, 3))
    return nn.Model(x, [nn.TimeDistributed(dense)(x), dense(x)])


def in_two_models():
    table, x = nn.Embedding(9, 4), nn.Input((6,))
    one, two = (nn.Sequential([nn.Input((6,)), table, layer]) for layer in (nn.LSTM(2), nn.GRU(2)))
    return nn.Model(x, [one(x), two(x)])


@pytest.mark.parametrize("make", [beside_a_wrapper, in_two_models])
def test_a_layer_that_stands_in_several_places_is_one_again(tmp_path, make):
    model, x = make(), np.ones((2, 6, 3)[: 3 if make is beside_a_wrapper else 2])
    model.save(tmp_path / "model.npz")
    twin = nn.load_model(tmp_path / "model.npz")
    assert all(np.array_equal(p, q) for p, q in zip(model.predict(x), twin.predict(x)))
    made = nn.Model.from_config(model.get_config())
    assert made.count_params() == twin.count_params() == model.count_params()


def test_uncompiled_and_sequential(tmp_path, data):
    model = chain()
    model.layers[0].trainable = False
    model.save(tmp_path / "m")
    twin = nn.load_model(tmp_path / "m")
    assert twin.optimizer is None
    assert np.array_equal(twin.predict(data[0][1]), model.predict(data[0][1]))
    assert [layer.trainable for layer in twin.layers] == [False, True]
    trained(data).save(tmp_path / "m")
    assert nn.load_model(tmp_path / "m", compile=False).optimizer is None


def test_double(tmp_path):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(3)], dtype="float64")
    model.save(tmp_path / "m")
    x = np.ones((2, 4))
    assert nn.load_model(tmp_path / "m").predict(x).dtype == np.float64
    assert np.array_equal(nn.load_model(tmp_path / "m").predict(x), model.predict(x))


class Own(nn.Model):
    def __init__(self, units=3):
        super().__init__()
        self.units, self.hidden, self.last = units, nn.Dense(units, "relu"), nn.Dense(1)

    def call(self, inputs):
        return self.last(self.hidden(inputs))

    def get_config(self):
        return {"units": self.units}


def own_loss(y, p):
    return float(((p - y) ** 2).mean()), 2 * (p - y) / p.size


def test_what_is_the_users_own(tmp_path, data):
    model, x = Own(7), data[0][1]
    model.compile("sgd", own_loss)
    model.fit(x, x[:, 0], verbose=0)
    model.save(tmp_path / "m")
    twin = nn.load_model(tmp_path / "m", custom_objects={"Own": Own, "own_loss": own_loss})
    assert twin.hidden.units == 7
    assert np.array_equal(twin.predict(x), model.predict(x))
    assert twin.train_on_batch(x, x[:, 0]) == model.train_on_batch(x, x[:, 0])
    with pytest.raises(ValueError, match=r"m' has a layer of unknown class 'Own'; .* goes into custom_objects={'Own': ...}$"):
        nn.load_model(tmp_path / "m")
    with pytest.warns(UserWarning, match="not compiled"):
        assert nn.load_model(tmp_path / "m", custom_objects={"Own": Own}).optimizer is None


def test_a_model_as_json(data):
    model = everything()
    text = model.to_json(indent=1)
    twin = nn.models.model_from_json(text)
    assert twin.to_json(indent=1) == text
    twin.set_weights(model.get_weights())
    for got, want in zip(twin.predict(data[0]), model.predict(data[0]), strict=True):
        assert np.array_equal(got, want)
    assert twin.optimizer is None
    assert nn.models.model_from_json(nn.Sequential([nn.Dense(np.int64(2))]).to_json()).layers[0].units == 2


def test_json_of_what_is_the_users_own():
    model = Own(7)
    with pytest.raises(ValueError, match=r"to_json: model 'own.*' is not built"):
        model.to_json()
    model.build((None, 4))
    assert nn.models.model_from_json(model.to_json(), {"Own": Own}).hidden.units == 7
    with pytest.raises(ValueError, match=r"^model_from_json: json_string has a layer of unknown class 'Own'; .* custom_objects="):
        nn.models.model_from_json(model.to_json())


@pytest.mark.parametrize("text", ["", "3", "[]", '{"class_name": "Sequential", "config": {"layers": []}}', None])
def test_other_json(text):
    with pytest.raises(ValueError, match="model_from_json: json_string is not what to_json wrote"):
        nn.models.model_from_json(text)


@pytest.mark.parametrize("seed", [3, None])
def test_dropout_begins_its_draws_anew(tmp_path, seed):
    model = nn.Sequential([nn.Input((200,)), nn.Dropout(0.5, seed=seed)])
    model.save(tmp_path / "m")
    first, second = (model.forward(np.ones((1, 200)), training=True) for _ in range(2))
    model.save(tmp_path / "n")
    for name in "mn":
        drawn = nn.load_model(tmp_path / name).forward(np.ones((1, 200)), training=True)
        assert np.array_equal(drawn, first) == (seed == 3)
        assert not np.array_equal(drawn, second)


def test_weights_alone(tmp_path, data):
    model, other = chain(), chain()
    model.save_weights(tmp_path / "w")
    other.load_weights(tmp_path / "w")
    assert np.array_equal(other.predict(data[0][1]), model.predict(data[0][1]))
    model.save(tmp_path / "m")
    other.set_weights([0 * w for w in other.get_weights()])
    other.load_weights(tmp_path / "m")
    assert np.array_equal(other.predict(data[0][1]), model.predict(data[0][1]))
    with pytest.raises(ValueError, match="weights"):
        nn.load_model(tmp_path / "w")


def test_weights_of_another_architecture(tmp_path):
    chain().save_weights(tmp_path / "w")
    wider = nn.Sequential([nn.Dense(5, input_shape=(4,), name="first"), nn.Dense(3, name="last")])
    before = wider.get_weights()
    with pytest.raises(
        ValueError, match=r"layer 'last' has kernel of shape \(5, 3\), in the file stands second/kernel of shape \(5, 2\)"
    ):
        wider.load_weights(tmp_path / "w")
    assert all(np.array_equal(v, w) for v, w in zip(before, wider.get_weights()))
    longer = nn.Sequential([*(layer for layer in chain().layers), nn.Dense(1, name="third")])
    longer.build((None, 4))
    with pytest.raises(ValueError, match="only the model has is third/kernel"):
        longer.load_weights(tmp_path / "w")


def test_an_existing_file_stays_where_saving_fails(tmp_path, monkeypatch):
    chain().save(tmp_path / "m")
    kept = (tmp_path / "m").read_bytes()
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        chain().save(tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == kept
    assert os.listdir(tmp_path) == ["m"]
    with pytest.raises(FileExistsError):
        chain().save(tmp_path / "m", overwrite=False)
    with pytest.raises(ValueError, match="not built"):
        nn.Sequential([nn.Dense(2)]).save(tmp_path / "n")


def test_paths_that_cannot_be_written(tmp_path):
    model = nn.Sequential([nn.Input((2,)), nn.Dense(1)])
    for write in model.save, model.save_weights:
        with pytest.raises(FileNotFoundError, match=r"no folder '.*a.b' to write '.*c.keras'"):
            write(tmp_path / "a" / "b" / "c.keras")
        with pytest.raises(IsADirectoryError, match="is a folder, expected the path of a file"):
            write(tmp_path)
    assert not list(tmp_path.iterdir())


class Named(nn.Model):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Dense(2), nn.Dense(2)

    def call(self, inputs):
        return self.left(inputs["x"]) + self.right(inputs["y"])


def test_a_subclass_whose_inputs_are_a_dict(tmp_path, rng):
    model, data = Named(), {"y": rng.normal(size=(5, 4)), "x": rng.normal(size=(5, 3))}
    want = model.predict(data)
    model.save(tmp_path / "m")
    twin = nn.load_model(tmp_path / "m", custom_objects={"Named": Named})
    np.testing.assert_array_equal(twin.predict(data), want)
    x, y = nn.Input((3,)), nn.Input((4,))
    assert nn.Model([x, y], Named()({"x": x, "y": y})).predict([data["x"], data["y"]]).shape == (5, 2)


class Zeros(nn.Layer):
    """A layer whose name an initializer of fastopt's has, too."""

    def compute(self, call, x, training):
        return x

    def gradient(self, call, dy):
        return dy


def squared(w):
    return w * w


def test_own_layers_are_not_taken_for_initializers(tmp_path):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(2, bias_initializer="zeros"), Zeros()])
    model.save(tmp_path / "m")
    for twin in (
        nn.load_model(tmp_path / "m", custom_objects={"Zeros": Zeros}),
        nn.models.model_from_json(model.to_json(), custom_objects={"Zeros": Zeros}),
    ):
        assert type(twin.layers[0].bias_initializer) is nn.initializers.Zeros
        assert type(twin.layers[1]) is Zeros


def test_what_layers_are_made_of_is_missed_by_name(tmp_path):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(2, kernel_constraint=squared)])
    model.save(tmp_path / "m")
    missed = "needs what is not known here: constraint: unknown name 'squared'.*; a class or function of your own goes into cust"
    with pytest.raises(ValueError, match=f"^load_model: .*m' {missed}"):
        nn.load_model(tmp_path / "m")
    with pytest.raises(ValueError, match=f"^model_from_json: json_string {missed}"):
        nn.models.model_from_json(model.to_json())
    twin = nn.load_model(tmp_path / "m", custom_objects={"squared": squared})
    assert twin.layers[0].kernel_constraint is squared


def test_keras_s_own_files(tmp_path):
    pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"^model_from_json: json_string is Keras's, .* get_weights and set_weights"):
        nn.models.model_from_json(model.to_json())
    with pytest.raises(ValueError, match=r"^model_from_json: json_string is Keras's"):  # that of Keras 2
        nn.models.model_from_json('{"class_name": "Sequential", "config": {}, "keras_version": "2.3.1", "backend": "tensorflow"}')
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"is a file of Keras's, which fastopt does not read; .* get_weights and set_weights"):
        nn.load_model(tmp_path / "model.keras")
    (tmp_path / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ValueError, match=r"is an HDF5 file, as Keras writes them, .* get_weights and set_weights"):
        nn.load_model(tmp_path / "model.h5")
