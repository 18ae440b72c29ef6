"""Layers that are activations, against Keras: results, gradients, arguments, and training with them."""

import os

import numpy as np
import pytest
from alongside import train_alike

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

from fastopt import nn  # noqa: E402

pytestmark = [pytest.mark.filterwarnings("ignore"),
              pytest.mark.skipif(keras.backend.backend() != "torch", reason="gradients by torch")]  # fmt: skip

LAYERS = {
    "relu": ("ReLU", {}, (6, 5)),
    "relu6": ("ReLU", dict(max_value=6.0), (6, 5)),
    "relu, limited": ("ReLU", dict(max_value=1.5), (6, 5)),
    "relu, to 0": ("ReLU", dict(max_value=0.0, negative_slope=0.5), (6, 5)),
    "relu, sloping": ("ReLU", dict(negative_slope=0.2), (6, 5)),
    "relu, from a threshold": ("ReLU", dict(threshold=1.0), (6, 5)),
    "relu, threshold above the limit": ("ReLU", dict(max_value=0.5, threshold=1.0, negative_slope=0.1), (6, 5)),
    "relu, all of it": ("ReLU", dict(max_value=2.0, negative_slope=0.3, threshold=0.5), (6, 5)),
    "leaky relu": ("LeakyReLU", {}, (6, 5)),
    "leaky relu, slope": ("LeakyReLU", dict(negative_slope=0.05), (6, 5)),
    "elu": ("ELU", {}, (6, 5)),
    "elu, alpha": ("ELU", dict(alpha=0.7), (6, 5)),
    "prelu": ("PReLU", {}, (6, 5)),
    "prelu, one for all steps": ("PReLU", dict(shared_axes=[1]), (2, 4, 3)),
    "softmax": ("Softmax", {}, (6, 5)),
    "softmax over samples": ("Softmax", dict(axis=0), (6, 5)),
    "softmax, axis 1 of two": ("Softmax", dict(axis=1), (6, 5)),
    "softmax over steps": ("Softmax", dict(axis=1), (2, 4, 3)),
    "softmax, one axis in a list": ("Softmax", dict(axis=[-2]), (2, 4, 3)),
    "softmax over steps and features": ("Softmax", dict(axis=(1, 2)), (2, 4, 3)),
    "softmax over two of four": ("Softmax", dict(axis=(3, -3)), (2, 4, 3, 2)),
}


def pair(name):
    kind, options, shape = LAYERS[name]
    return getattr(keras.layers, kind)(**options), getattr(nn.layers, kind)(**options), shape


@pytest.mark.parametrize("name", LAYERS)
def test_results_and_gradients(name, rng):
    import torch

    theirs, ours, shape = pair(name)
    x, dy = (3 * rng.standard_normal(shape)).astype("f4"), rng.standard_normal(shape).astype("f4")
    tensor = torch.tensor(x, requires_grad=True)
    theirs.build(shape)
    ours.build(shape)
    weights = [rng.uniform(0, 0.5, weight.shape) for weight in theirs.weights]
    for layer in theirs, ours:
        layer.set_weights(weights)
    want = theirs(tensor)
    want.backward(torch.tensor(dy))
    np.testing.assert_allclose(ours.forward(x, training=True), want.detach().numpy(), rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(ours.backward(dy), tensor.grad.numpy(), rtol=2e-6, atol=1e-6)
    for got, weight in zip(ours.grads.values(), theirs.weights, strict=True):
        np.testing.assert_allclose(got, weight.value.grad.numpy(), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_arguments_and_configuration(name):
    theirs, ours, _ = pair(name)
    kind, options, _ = LAYERS[name]
    want, got = theirs.get_config(), ours.get_config()
    assert set(got) <= set(want)
    for option in options:
        assert np.array_equal(got[option], want[option])
    assert type(ours).from_config(got).get_config() == got
    values = [want[option] for option in ("max_value", "negative_slope", "threshold")] if kind == "ReLU" else []
    assert getattr(nn.layers, kind)(*values, **{} if values else options, name=ours.name).get_config() == got


@pytest.mark.parametrize("name", ["relu, all of it", "prelu, one for all steps", "softmax over steps and features"])
def test_one_workspace_serves_batches_of_any_size(name, rng):
    """Batches of a program that reuses its memory, against fresh arrays."""
    _, layer, shape = pair(name)
    model = nn.Sequential([nn.Input(shape[1:]), nn.Dense(shape[-1]), layer, nn.Dense(1)])
    model.compile("sgd", "mse")
    for size in 5, 2, 5:
        fresh = nn.models.clone_model(model)
        fresh.set_weights(model.get_weights())
        fresh.compile("sgd", "mse")
        x, y = rng.standard_normal((size, *shape[1:])), rng.standard_normal((size, *model.output_shape[1:]))
        assert model.train_on_batch(x, y) == fresh.train_on_batch(x, y)
        assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), fresh.get_weights()))


@pytest.mark.parametrize("axis", [-1, 1])
def test_softmax_as_the_last_layer(axis, rng):
    """Over the last axis the loss is taken from the logits, however it is called; over another it is not."""

    def make(home):
        return home.Sequential([home.Input((4, 3)), home.layers.Dense(3), home.layers.Softmax(axis=axis)])

    theirs, ours = make(keras), make(nn)
    ours.set_weights(theirs.get_weights())
    x, y = rng.standard_normal((6, 4, 3)).astype("f4"), rng.integers(0, 3, (6, 4))
    train_alike(ours, theirs, x, y, "sparse_categorical_crossentropy")


def test_a_mask_of_elements(rng):
    x, mask = rng.standard_normal((4, 5)).astype("f4"), rng.random((4, 5)) < 0.6
    mask[1] = False
    for axis in -1, 0:
        want = keras.ops.convert_to_numpy(keras.layers.Softmax(axis=axis)(x, mask=mask))
        np.testing.assert_allclose(nn.Softmax(axis=axis).forward(x, mask=mask), want, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("options", [dict(max_value=-1.0), dict(negative_slope=-0.1), dict(threshold=-1.0)])
def test_both_refuse(options):
    for home in keras, nn:
        with pytest.raises(ValueError, match=next(iter(options))):
            home.layers.ReLU(**options)


@pytest.mark.parametrize("options", [{}, dict(negative_slope=0.5), dict(max_value=5.0), dict(threshold=5.0),
                                     dict(negative_slope=0.1, max_value=4.0, threshold=1.0)])  # fmt: skip
def test_relu_as_a_function(options):
    x = np.array([-10, -5, 0.0, 1, 5, 10, np.inf, -np.inf], "f4")
    if options.get("negative_slope") and len(options) > 1:
        x = x[:-1]  # where Keras has -inf less 0 times inf in one place
    want = keras.ops.convert_to_numpy(keras.activations.relu(x, **options))
    np.testing.assert_allclose(nn.activations.relu(x, **options), want, rtol=1e-6)
    assert np.isnan(nn.activations.relu(np.array([np.nan]), **options)).all() or not options


@pytest.mark.parametrize("axis", [-1, 0, (0, 1), (2, 0), (0, 1, 2)])
def test_softmax_as_a_function(axis, rng):
    x = rng.standard_normal((2, 3, 4)).astype("f4")
    want = keras.ops.convert_to_numpy(keras.activations.softmax(x, axis=axis))
    np.testing.assert_allclose(nn.activations.softmax(x, axis=axis), want, rtol=2e-6)
    np.testing.assert_allclose(np.exp(nn.activations.log_softmax(x, axis=axis)), want, rtol=1e-5)
    if isinstance(axis, tuple):  # of which Keras takes none from the end
        from_the_end = [one - 3 for one in axis]
        np.testing.assert_array_equal(nn.activations.softmax(x, axis=from_the_end), nn.activations.softmax(x, axis=axis))


@pytest.mark.parametrize("axis", [None, 1.5, 2, (0, 2), (0, -2), (), True, "last", np.array([0, 1])])
def test_axes_that_are_none(axis):
    for name in "softmax", "log_softmax":
        with pytest.raises(ValueError, match=rf"^{name}: axis must be one of the 2 of x, got "):
            getattr(nn.activations, name)(np.ones((2, 3)), axis=axis)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: nn.Softmax(axis=np.array([1, 2])), r"^Softmax: axis must be an integer, or several, got array\(\[1, 2\]\)"),
    (lambda: nn.PReLU()([nn.Input((3,)), nn.Input((3,))]), r"does not take its input.*: expected one input, got 2"),
    (lambda: nn.PReLU().forward([np.ones((2, 3), "f4"), np.ones((2, 3), "f4")]), "expected one input, got 2"),
    (lambda: nn.activations.relu([1.0], negative_slope=-1, threshold=1), "^relu: negative_slope must be a number >= 0, got -1"),
    (lambda: nn.activations.relu([1.0], negative_slope=-1), "^relu: negative_slope must be a number >= 0, got -1"),
])  # fmt: skip
def test_what_makes_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_built_prelu_takes_one_input():
    layer = nn.PReLU()
    layer.build((None, 3))
    with pytest.raises(ValueError, match=r"does not take its input.*: expected one input, got 2"):
        layer([nn.Input((3,)), nn.Input((3,))])
