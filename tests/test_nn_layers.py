"""Layers by themselves: gradients against central differences, shapes, weights, configurations."""

import numpy as np
import pytest
from slopes import check_gradients

from fastopt import nn

LAYERS = {
    "dense": (lambda: nn.Dense(3), (4, 5)),
    "dense, no bias": (lambda: nn.Dense(3, "tanh", use_bias=False), (4, 5)),
    "dense, one unit": (lambda: nn.Dense(1, "sigmoid"), (4, 5)),
    "dense over the last axis": (lambda: nn.Dense(3, "softplus"), (2, 3, 4)),
    **{f"dense, {name}": (lambda name=name: nn.Dense(3, name), (4, 5)) for name in
       ("relu", "leaky_relu", "elu", "selu", "gelu", "gelu_tanh", "silu", "hard_sigmoid", "softsign", "exponential", "softmax",
        "log_softmax")},
    "activation": (lambda: nn.Activation("tanh"), (4, 5)),
    "activation, silu": (lambda: nn.Activation("silu"), (4, 5)),
    "relu": (lambda: nn.ReLU(), (4, 5)),
    "relu, limited": (lambda: nn.ReLU(0.55), (4, 5)),
    "relu, sloping": (lambda: nn.ReLU(negative_slope=0.2), (4, 5)),
    "relu, from a threshold": (lambda: nn.ReLU(threshold=0.45), (4, 5)),
    "relu, all of it": (lambda: nn.ReLU(0.75, 0.2, 0.45), (4, 5)),
    "leaky relu": (lambda: nn.LeakyReLU(0.1), (4, 5)),
    "prelu": (lambda: nn.PReLU(), (4, 5)),
    "prelu, one for all steps": (lambda: nn.PReLU(shared_axes=[1]), (3, 4, 2)),
    "elu": (lambda: nn.ELU(0.5), (4, 5)),
    "softmax": (lambda: nn.Softmax(), (4, 5)),
    "softmax, middle axis": (lambda: nn.Softmax(axis=1), (3, 4, 2)),
    "softmax, two axes": (lambda: nn.Softmax(axis=[-1, 1]), (3, 4, 2, 3)),
    "dropout": (lambda: nn.Dropout(0.4, seed=3), (4, 5)),
    "dropout, rows alike": (lambda: nn.Dropout(0.4, noise_shape=(None, 1), seed=3), (4, 5)),
    "flatten": (lambda: nn.Flatten(), (2, 3, 4)),
    "reshape": (lambda: nn.Reshape((-1, 2)), (2, 3, 4)),
    "repeated": (lambda: nn.RepeatVector(3), (4, 5)),
    "batch normalisation": (lambda: nn.BatchNormalization(), (6, 3)),
    "batch normalisation, plain": (lambda: nn.BatchNormalization(center=False, scale=False), (6, 3)),
    "batch normalisation, axis 1": (lambda: nn.BatchNormalization(axis=1), (3, 4, 2)),
    "batch normalisation, frozen": (lambda: nn.BatchNormalization(trainable=False), (6, 3)),
    "layer normalisation": (lambda: nn.LayerNormalization(), (3, 5)),
    "layer normalisation, two axes": (lambda: nn.LayerNormalization(axis=[1, 2]), (3, 2, 4)),
    "layer normalisation, plain": (lambda: nn.LayerNormalization(center=False, scale=False), (3, 5)),
    "add": (lambda: nn.Add(), [(4, 3), (4, 3), (4, 3)]),
    "add, spread": (lambda: nn.Add(), [(4, 3, 2), (4, 1, 2)]),
    "average": (lambda: nn.Average(), [(4, 3), (4, 3)]),
    "subtract": (lambda: nn.Subtract(), [(4, 3), (4, 3)]),
    "multiply": (lambda: nn.Multiply(), [(4, 3), (4, 3), (4, 3)]),
    "multiply, spread": (lambda: nn.Multiply(), [(4, 3, 1), (4, 3, 2)]),
    "maximum": (lambda: nn.Maximum(), [(4, 3), (4, 3), (4, 3)]),
    "minimum": (lambda: nn.Minimum(), [(4, 3), (4, 3)]),
    "concatenate": (lambda: nn.Concatenate(), [(4, 3), (4, 1), (4, 2)]),
    "concatenate, axis 1": (lambda: nn.Concatenate(axis=1), [(4, 3, 2), (4, 1, 2)]),
}  # fmt: skip


def away_from_zero(rng, shape):
    """Values at which no kink of an activation lies within a step of differences."""
    return rng.uniform(0.1, 1, shape) * rng.choice([-1, 1], shape)


def made(name, rng):
    """The layer in float64, built, with weights that are not at their starting values, and its input."""
    make, shape = LAYERS[name]
    layer = make()
    layer.recast("float64")
    x = [away_from_zero(rng, s) for s in shape] if isinstance(shape, list) else away_from_zero(rng, shape)
    layer.build(shape)
    layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
    return layer, x


def again(layer):
    """Makes dropout draw as in the pass before."""
    if isinstance(layer, nn.Dropout):
        layer.step = 0


@pytest.mark.parametrize("name", LAYERS)
def test_gradients(name, rng):
    check_gradients(*made(name, rng), again, rng)


@pytest.mark.parametrize("name", LAYERS)
def test_shapes_and_configurations(name, rng):
    layer, x = made(name, rng)
    shape = LAYERS[name][1]
    y = layer.forward(x)
    assert layer.compute_output_shape(shape) == y.shape
    several = isinstance(shape, list)
    symbolic = [nn.Input(shape=s[1:]) for s in shape] if several else nn.Input(shape=shape[1:])
    other = type(layer).from_config(layer.get_config())
    assert other.get_config() == layer.get_config()
    assert other(symbolic).shape == (None, *y.shape[1:])
    other.set_weights(layer.get_weights())
    assert np.array_equal(other.forward(x), y)


def test_forward_gives_fresh_arrays(rng):
    layer, x = made("dense", rng)
    first = layer.forward(x, training=True)
    kept = first.copy()
    layer.forward(x + 1, training=True)
    assert np.array_equal(first, kept)
    flat = nn.Flatten(dtype="float64").forward(np.ones((2, 3)))
    assert flat.shape == (2, 3)


def test_dense_by_hand():
    layer = nn.Dense(2, activation="relu")
    layer.build((None, 2))
    layer.set_weights([[[1, 2], [3, -4]], [0.5, 1]])
    y = layer.forward([[1, 1]], training=True)
    assert y.tolist() == [[4.5, 0]]
    assert y.dtype == np.float32
    assert layer.backward(np.array([[1, 1]], "f4")).tolist() == [[1, 3]]
    assert layer.grads["kernel"].tolist() == [[1, 0], [1, 0]]
    assert layer.grads["bias"].tolist() == [1, 0]


def test_batch_normalization_follows_the_batches():
    layer = nn.BatchNormalization(momentum=0.75, dtype="float64")
    x = np.array([[1.0, 10], [3, 30]])
    layer.forward(x, training=True)
    assert layer.moving_mean.tolist() == [0.5, 5]  # 0.75 * 0 + 0.25 * mean
    assert layer.moving_variance.tolist() == [0.75 + 0.25, 0.75 + 0.25 * 100]
    layer.forward(x)
    layer.trainable = False
    layer.forward(x, training=True)
    assert layer.moving_mean.tolist() == [0.5, 5]
    expected = (x - layer.moving_mean) / np.sqrt(layer.moving_variance + 1e-3)
    np.testing.assert_allclose(layer.forward(x, training=True), expected, rtol=1e-12)


def test_dropout_draws_anew_each_time_and_not_in_inference():
    layer, x = nn.Dropout(0.5, seed=1), np.ones((50, 20), "f4")
    first, second = layer.forward(x, training=True), layer.forward(x, training=True)
    assert not np.array_equal(first, second)
    assert set(np.unique(first)) == {0, 2}
    assert np.array_equal(layer.forward(x), x)
    assert np.array_equal(nn.Dropout(0.5, seed=1).forward(x, training=True), first)
    assert np.array_equal(layer.backward(x), second)


def test_set_random_seed_repeats_all():
    def draw():
        nn.set_random_seed(7)
        return nn.Dense(4)(nn.Input((3,))).node.layer.get_weights()[0], nn.Dropout(0.5).seed

    (first, seed), (second, same) = draw(), draw()
    assert np.array_equal(first, second)
    assert seed == same


def test_weights_in_keras_order():
    layer = nn.BatchNormalization()
    layer.build((None, 3))
    assert [weight.name for weight in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert list(layer.params) == list(layer.grads) == ["gamma", "beta"]
    assert layer.count_params() == 12
    assert [weight.path for weight in layer.trainable_weights] == [f"{layer.name}/gamma", f"{layer.name}/beta"]
    layer.trainable = False
    assert not layer.trainable_weights
    assert len(layer.non_trainable_weights) == 4


def test_names_are_counted_as_in_keras():
    nn.clear_session()
    assert nn.utils.clear_session is nn.clear_session
    layers = [nn.Dense(1), nn.Dense(1), nn.BatchNormalization(), nn.ReLU(), nn.Dense(1, name="mine")]
    assert [layer.name for layer in layers] == ["dense", "dense_1", "batch_normalization", "re_lu", "mine"]


def test_a_vector_repeated(rng):
    layer, x, dy = nn.RepeatVector(3), rng.standard_normal((2, 4)).astype("f4"), rng.standard_normal((2, 3, 4)).astype("f4")
    np.testing.assert_array_equal(layer.forward(x, training=True), np.stack([x, x, x], 1))
    np.testing.assert_allclose(layer.backward(dy), dy.sum(1), rtol=1e-6)
    assert layer.get_config()["n"] == 3
    with pytest.raises(ValueError, match=r"does not take its input: expected shape \(B, C\), got \(2, 3, 4\)"):
        layer(dy)
    for n in 0, 2.5, "3":
        with pytest.raises(ValueError, match="RepeatVector: n must be an integer >= 1"):
            nn.RepeatVector(n)
