"""Masks: where they go, what they weigh, and the layers that make, read or pass them."""

import threading
import tracemalloc
import warnings

import numpy as np
import pytest
from slopes import check_gradients, close, slope

from fastopt import nn
from fastopt.nn import masks as masking
from fastopt.nn.call import Call


class Probe(nn.Layer):
    """Passes its input on and notes the mask that came with it."""

    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = []

    def compute(self, call, x, training):
        self.seen.append(call.mask)
        return x.copy() if isinstance(x, np.ndarray) else x[0].copy()

    def gradient(self, call, dy):
        return dy

    def compute_output_shape(self, input_shape):
        return input_shape[0] if isinstance(input_shape, list) else input_shape


def gaps(rng, shape=(6, 5, 3)):
    """(x, its mask): some steps are zero, one sample altogether."""
    x = rng.uniform(0.1, 1, shape) * rng.choice([-1, 1], shape)
    mask = rng.random(shape[:2]) < 0.6
    mask[0], mask[1], mask[2] = True, False, [True, True, False, True, False]
    x[~mask] = 0
    return x, mask


def same(got, want):
    return got is want is None or (got.dtype == bool and np.array_equal(got, want))


# where masks go


def test_a_mask_goes_through_layers_that_support_it(rng):
    x, mask = gaps(rng)
    probe = Probe()
    model = nn.Sequential([nn.Input((5, 3)), nn.Masking(), nn.Dense(4, "relu"), nn.Dropout(0.2), nn.SpatialDropout1D(0.1),
                           nn.Activation("tanh"), nn.LeakyReLU(), nn.Softmax(), nn.BatchNormalization(), nn.LayerNormalization(),
                           nn.TimeDistributed(nn.Dense(2)), probe])  # fmt: skip
    model.compile("sgd", "mse")
    y = np.zeros((6, 5, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        uses = [
            lambda: model.predict(x, verbose=0),
            lambda: model.evaluate(x, y, verbose=0),
            lambda: model.train_on_batch(x, y),
            lambda: model(x),
            lambda: model.forward(x, training=True),
        ]
        for use in uses:
            probe.seen.clear()
            use()
            assert len(probe.seen) == 1
            assert same(probe.seen[0], mask)


def test_a_mask_that_is_fed_stays_with_its_pass(rng):
    x, mask = gaps(rng)
    probe = Probe()
    model = nn.Sequential([nn.Input((5, 3)), nn.Dense(4), probe])
    for training in False, True:
        model.forward(x, training=training, mask=mask)
        model.forward(x, training=training)
        assert same(probe.seen[-2], mask)
        assert probe.seen[-1] is None
    model.compile("sgd", "mse")
    inputs, targets = model.inputs_of("test", x), [np.zeros((6, 5, 4), "f4")]
    for step in model._runner.train, model._runner.test:  # one program for both: nothing stays in it
        step(inputs, targets, [None], [mask])
        assert same(probe.seen[-1], mask)
        step(inputs, targets, [None])
        assert probe.seen[-1] is None
        assert model._runner.program.output_masks == [None]
    with pytest.raises(ValueError, match=r"forward: mask has shape \(6, 4\), expected \(6, 5\) = \(B, T\)"):
        model.forward(x, mask=mask[:, :4])
    with pytest.raises(TypeError, match="forward: mask has dtype float64, expected booleans"):
        model.forward(x, mask=mask * 1.0)


def test_a_graph_without_masks_does_not_carry_any(rng, monkeypatch):
    monkeypatch.setattr(masking, "begin", lambda *_: pytest.fail("carries masks"))
    model = nn.Sequential([nn.Input((5, 3)), nn.TimeDistributed(nn.Dense(4)), nn.GlobalAveragePooling1D(), nn.Dense(1)])
    model.compile("sgd", "mse")
    x, _ = gaps(rng)
    model.fit(x, np.zeros(6), verbose=0)
    model.predict(x, verbose=0)


@pytest.mark.parametrize("make", [nn.Add, nn.Average, nn.Multiply, nn.Maximum, nn.Minimum, nn.Subtract])
def test_merges_keep_what_is_unmasked_anywhere(make, rng):
    x, first = gaps(rng)
    second = rng.random((6, 5)) < 0.5
    layer = make()
    assert same(layer.compute_mask([x, x], [first, second]), first | second)
    assert layer.compute_mask([x, x], [first, None]) is None
    assert layer.compute_mask([x, x], None) is None


def test_concatenate_joins_masks(rng):
    x, first = gaps(rng)
    second = rng.random((6, 5)) < 0.5
    over = lambda axis, *masks: nn.Concatenate(axis).compute_mask([x] * len(masks), list(masks))
    assert same(over(-1, first, second), first | second)
    assert same(over(1, first, second), np.concatenate([first, second], axis=1))
    assert same(over(1, first, None), np.concatenate([first, np.ones((6, 5), bool)], axis=1))
    assert over(-1, first, None).all()
    assert nn.Concatenate().compute_mask([x, x], None) is None


def test_each_call_of_a_shared_layer_has_its_own_mask(rng):
    x, mask = gaps(rng)
    a, b = nn.Input((5, 3)), nn.Input((5, 3))
    probe, both = Probe(), Probe()
    model = nn.Model([a, b], both([probe(nn.Masking()(a)), probe(b)]))
    other = np.ones_like(x)
    for training in False, True:
        model.forward([x, other], training=training)
        assert same(probe.seen[-2], mask)
        assert probe.seen[-1] is None
        assert same(both.seen[-1][0], mask)
        assert both.seen[-1][1] is None
        model.forward([x, other], training=training, mask=[None, mask[::-1]])
        assert same(probe.seen[-2], mask)
        assert same(probe.seen[-1], mask[::-1])
        model.forward([other, x], training=training, mask=None)
        assert same(probe.seen[-2], np.ones((6, 5), bool))
    with pytest.raises(ValueError, match="forward: mask must be a list of 2 arrays"):
        model.forward([x, other], mask=mask)


def test_masks_go_into_models_and_come_out_of_them(rng):
    x, mask = gaps(rng)
    inside, outside = Probe(), Probe()
    inner = nn.Sequential([nn.Input((5, 3)), inside, nn.Dense(3)])
    model = nn.Sequential([nn.Input((5, 3)), nn.Masking(), inner, outside])
    model.predict(x, verbose=0)
    assert same(inside.seen[-1], mask)
    assert same(outside.seen[-1], mask)
    maker = nn.Sequential([nn.Input((5, 3)), nn.Masking(), nn.Dense(3)])
    model = nn.Sequential([nn.Input((5, 3)), maker, outside])
    model.forward(x, training=True)
    assert same(outside.seen[-1], mask)


def test_a_layer_of_several_results_gives_a_mask_to_each(rng):
    class Twice(Probe):
        def compute_output_shape(self, input_shape):
            return [input_shape, input_shape, input_shape]

        def compute(self, call, x, training):
            return [x.copy(), x.copy(), x.copy()]

        def compute_mask(self, x, mask):
            return [None, mask]

    x, mask = gaps(rng)
    tensor, probe = nn.Input((5, 3)), Probe()
    model = nn.Model(tensor, probe(Twice()(nn.Masking()(tensor))))
    model.predict(x, verbose=0)
    assert probe.seen[-1][0] is None
    assert same(probe.seen[-1][1], mask)
    assert probe.seen[-1][2] is None


@pytest.mark.parametrize("layer", [nn.Flatten, lambda: nn.Reshape((15,)), nn.GlobalMaxPooling1D])
def test_where_a_mask_ends(layer, rng):
    x, _ = gaps(rng)
    layer, probe = layer(), Probe()
    model = nn.Sequential([nn.Input((5, 3)), nn.Masking(), layer, probe])
    with pytest.warns(UserWarning, match=f"layer '{layer.name}' .* supports no masking"):
        model.predict(x, verbose=0)
    assert probe.seen == [None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert layer.compute_mask(x, None) is None
        nn.Sequential([nn.Input((5, 3)), nn.Masking(), nn.GlobalAveragePooling1D(), probe]).predict(x, verbose=0)
    assert probe.seen == [None, None]


def test_symbolic_tensors_take_no_mask(rng):
    with pytest.raises(ValueError, match="symbolic tensors have the masks that layers make"):
        nn.Dense(3)(nn.Input((5, 3)), mask=gaps(rng)[1])


def test_predict_from_threads_with_masks(rng):
    model = nn.Sequential([nn.Input((5, 3)), nn.Masking(), nn.BatchNormalization(), nn.GlobalAveragePooling1D()])
    batches = [gaps(np.random.default_rng(i))[0][[0, 2, 3]] for i in range(8)]
    for batch in batches:
        batch[:, 0] = 1
    want, got = [model.predict(x, verbose=0) for x in batches], [None] * 8

    def work(i):
        for _ in range(20):
            got[i] = model.predict(batches[i], verbose=0)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.isfinite(want).all()
    assert np.array_equal(got, want)


# what they weigh


def steps(loss_layer, dtype=None):
    return nn.Sequential([nn.Input((5, 3)), nn.Masking(), *loss_layer], dtype=dtype)


HEADS = {
    "softmax": (lambda: [nn.Dense(4, "softmax")], "sparse_categorical_crossentropy", lambda rng: rng.integers(0, 4, (6, 5))),
    "sigmoid": (lambda: [nn.Dense(1, "sigmoid")], "binary_crossentropy", lambda rng: rng.integers(0, 2, (6, 5))),
    "linear": (lambda: [nn.Dense(2)], "mse", lambda rng: rng.standard_normal((6, 5, 2))),
    "softmax layer": (lambda: [nn.Dense(4), nn.Softmax()], "categorical_crossentropy",
                      lambda rng: np.eye(4)[rng.integers(0, 4, (6, 5))]),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_masked_steps_count_for_nothing(name, rng):
    layers, loss, targets = HEADS[name]
    x, mask = gaps(rng)
    y, model = targets(rng), steps(layers(), "float64")
    metric = "mae" if name == "linear" else "accuracy"
    model.compile("sgd", loss, metrics=[metric], weighted_metrics=[metric])
    want = model.evaluate(x, y, verbose=0)
    assert model.evaluate(x, np.where(mask.reshape(6, 5, *[1] * (y.ndim - 2)), y, 0), verbose=0) == want
    left = nn.Sequential([nn.Input((3,)), *layers()], dtype="float64")  # the unmasked steps as samples
    left.set_weights(model.get_weights())
    left.compile("sgd", loss, metrics=[metric], weighted_metrics=[metric])
    np.testing.assert_allclose(want, left.evaluate(x[mask], y[mask], verbose=0), rtol=1e-12)
    weight = rng.uniform(0.5, 2, (6, 5))
    np.testing.assert_allclose(
        model.evaluate(x, y, sample_weight=weight, verbose=0),
        left.evaluate(x[mask], y[mask], sample_weight=weight[mask], verbose=0),
        rtol=1e-12,
    )
    each = rng.uniform(0.5, 2, 6)  # one for each sample goes for its steps
    spread = np.broadcast_to(each[:, None], (6, 5))
    for given in each, each[:, None]:
        assert model.evaluate(x, y, sample_weight=given, verbose=0) == model.evaluate(x, y, sample_weight=spread, verbose=0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", HEADS)
def test_gradients_of_masked_losses(name, weighted, rng):
    layers, loss, targets = HEADS[name]
    x, _ = gaps(rng)
    model = steps([nn.Dense(3, "tanh"), nn.BatchNormalization(), *layers()], "float64")
    model.compile(nn.optimizers.SGD(0.0), loss)
    y, weight = targets(rng), rng.uniform(0.5, 2, (6, 5)) if weighted else None
    model.train_on_batch(x, y, sample_weight=weight)
    grads = {name: grad.copy() for name, grad in model.grads.items()}
    value = lambda: model.train_on_batch(x, y, sample_weight=weight)
    for name, param in model.params.items():
        assert close(grads[name], slope(value, param)), name


def test_ignored_labels_under_a_mask(rng):
    x, mask = gaps(rng)
    y = rng.integers(0, 3, (6, 5))
    y[0, 0] = y[1, 1] = 2
    model = steps([nn.Dense(3, "softmax")], "float64")
    model.compile("sgd", nn.losses.SparseCategoricalCrossentropy(ignore_class=2))
    chosen = mask & (y != 2)
    rows = -np.log(np.take_along_axis(model.predict(x, verbose=0), y[..., None], -1)[..., 0])
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), rows[chosen].mean(), rtol=1e-12)
    weight = rng.uniform(0.5, 2, (6, 5))
    want = (rows * weight)[chosen].sum() / chosen.sum()
    np.testing.assert_allclose(model.evaluate(x, y, sample_weight=weight, verbose=0), want, rtol=1e-12)


def test_a_batch_that_is_masked_altogether(rng):
    model = steps([nn.Dense(4, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = model.get_weights()
    assert model.train_on_batch(np.zeros((2, 5, 3)), np.zeros((2, 5), int)) == [0, 0]
    for got, want in zip(model.get_weights(), before):
        assert np.array_equal(got, want)


def test_outputs_with_and_without_a_mask(rng):
    x, mask = gaps(rng)
    tensor = nn.Input((5, 3))
    h = nn.Masking()(tensor)
    model = nn.Model(tensor, [nn.Dense(2, name="each")(h), nn.Dense(1, name="all")(nn.GlobalMaxPooling1D()(h))])
    model.compile("sgd", "mse", metrics=[["mae"], ["mae"]])
    with pytest.warns(UserWarning, match="supports no masking"):
        logs = model.evaluate(x, [np.zeros((6, 5, 2)), np.zeros((6, 1))], verbose=0, return_dict=True)
    with pytest.warns(UserWarning, match="supports no masking"):
        each, whole = model.predict(x, verbose=0)
    np.testing.assert_allclose(logs["each_loss"], np.square(each[mask]).mean(), rtol=1e-5)
    np.testing.assert_allclose(logs["each_mae"], np.abs(each[mask]).mean(), rtol=1e-5)
    np.testing.assert_allclose(logs["all_loss"], np.square(whole).mean(), rtol=1e-5)


def test_a_function_of_one_value_as_loss_knows_of_no_mask(rng):
    model = steps([nn.Dense(1)])
    model.compile("sgd", lambda y, p: (0.0, np.zeros_like(p)))
    with pytest.raises(ValueError, match="takes no sample weights and no mask"):
        model.evaluate(gaps(rng)[0], np.zeros((6, 5)), verbose=0)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_function_of_rows_as_loss_is_that_loss(weighted, rng):
    x, y = gaps(rng)[0], rng.standard_normal((6, 5, 2))
    weight = rng.uniform(0.5, 2, (6, 5)) if weighted else None
    results = []
    for loss in "mse", lambda y, p: (np.square(p - y).mean(-1), p - y):  # 2 (p - y) over 2 elements
        model = steps([nn.Dense(2)], "float64")
        model.set_weights([np.arange(1.0, 7).reshape(3, 2), np.ones(2)])
        model.compile("sgd", loss)
        history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, sample_weight=weight, verbose=0).history["loss"]
        results.append([*history, model.evaluate(x, y, sample_weight=weight, verbose=0), *model.get_weights()[0].ravel()])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-12)


# layers


LAYERS = {
    "masking": (lambda: nn.Masking(0.5), (4, 5, 3)),
    "batch normalisation": (lambda: nn.BatchNormalization(), (4, 5, 3)),
    "batch normalisation, plain": (lambda: nn.BatchNormalization(center=False, scale=False), (4, 5, 3)),
    "batch normalisation, axis 1": (lambda: nn.BatchNormalization(axis=1), (4, 5, 3)),
    "batch normalisation, frozen": (lambda: nn.BatchNormalization(trainable=False), (4, 5, 3)),
    "softmax over time": (lambda: nn.Softmax(), (4, 5)),
    "softmax over features": (lambda: nn.Softmax(), (4, 5, 3)),
    "softmax over samples": (lambda: nn.Softmax(axis=0), (4, 5)),
    "spatial dropout": (lambda: nn.SpatialDropout1D(0.4, seed=3), (4, 5, 3)),
    "average": (lambda: nn.GlobalAveragePooling1D(), (4, 5, 3)),
    "average, time last": (lambda: nn.GlobalAveragePooling1D("channels_first", keepdims=True), (4, 3, 5)),
    "maximum": (lambda: nn.GlobalMaxPooling1D(keepdims=True), (4, 5, 3)),
    "maximum, time last": (lambda: nn.GlobalMaxPooling1D("channels_first"), (4, 3, 5)),
    "dense on steps": (lambda: nn.TimeDistributed(nn.Dense(2, "tanh")), (4, 5, 3)),
    "flatten on steps": (lambda: nn.TimeDistributed(nn.Flatten()), (4, 5, 3, 2)),
    "dropout on steps": (lambda: nn.TimeDistributed(nn.Dropout(0.4, seed=3)), (4, 5, 3)),
    "batch normalisation on steps": (lambda: nn.TimeDistributed(nn.BatchNormalization()), (4, 5, 3)),
    "steps of steps": (lambda: nn.TimeDistributed(nn.TimeDistributed(nn.Dense(2))), (4, 5, 2, 3)),
    "model on steps": (lambda: nn.TimeDistributed(branching()), (4, 5, 3)),
    "pooling model on steps": (lambda: nn.TimeDistributed(pooling()), (4, 5, 2, 3)),
    "normalising model on steps": (lambda: nn.TimeDistributed(normalizing()), (4, 5, 3)),
}


def pooling():
    return nn.Sequential([nn.Input((2, 3)), nn.Masking(), nn.Dense(2), nn.GlobalAveragePooling1D()])


def normalizing():
    return nn.Sequential([nn.Input((3,)), nn.Dense(2, "tanh"), nn.BatchNormalization(), nn.Dense(2)])


def branching():
    x, shared = nn.Input((3,)), nn.Dense(3, "tanh")
    return nn.Model(x, nn.Add()([shared(x), shared(shared(x))]))


def made(name, rng):
    """The layer in float64, built, with weights that are not at their starting values, and its input and mask."""
    make, shape = LAYERS[name]
    layer = make()
    layer.recast("float64")
    layer.ready(shape)
    layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
    mask = rng.random((4, 5)) < 0.6
    mask[:, 2] = mask[0, 0] = True
    mask[0, 1] = False
    return layer, rng.uniform(0.1, 1, shape) * rng.choice([-1, 1], shape), mask


def again(layer):
    """Makes dropout draw as in the pass before."""
    for one in layer, getattr(layer, "layer", None):
        if isinstance(one, nn.Dropout):
            one.step = 0


@pytest.mark.filterwarnings("ignore:.*supports no masking")
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_gradients(name, masked, rng):
    layer, x, mask = made(name, rng)
    check_gradients(layer, x, again, rng, mask=mask if masked else None)


@pytest.mark.parametrize("name", LAYERS)
def test_shapes_and_configurations(name, rng):
    layer, x, _ = made(name, rng)
    y, shape = layer.forward(x), LAYERS[name][1]
    assert layer.compute_output_shape(shape) == y.shape
    other = type(layer).from_config(layer.get_config())
    assert other.get_config() == layer.get_config()
    assert other(nn.Input(shape[1:])).shape == (None, *y.shape[1:])
    other.set_weights(layer.get_weights())
    assert np.array_equal(other.forward(x), y)
    assert layer.compute_output_shape((0, *shape[1:])) == layer.forward(x[:0]).shape


@pytest.mark.parametrize("name", LAYERS)
def test_layers_in_a_model_and_in_a_file(name, rng, tmp_path):
    make, shape = LAYERS[name]
    model = nn.Sequential([nn.Input(shape[1:]), make(), nn.Flatten(), nn.Dense(2)])
    model.compile("adam", "mse")
    x, y = rng.standard_normal((4, *shape[1:])), np.ones((4, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x, y, epochs=2, verbose=0)
        model.save(tmp_path / "model")
        other = nn.load_model(tmp_path / "model")
        assert np.array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
        if "dropout" not in name:
            assert other.train_on_batch(x, y) == model.train_on_batch(x, y)
    for got, want in zip(other.get_weights(), model.get_weights()):
        assert "dropout" in name or np.array_equal(got, want)


def test_masking_allocates_its_mask_alone(rng):
    x = rng.standard_normal((64, 40, 60)).astype("f4")
    x[:, 3] = x[5, 7:] = 0
    layer, call = nn.Masking(), Call(reuse=True)
    first = layer.compute(call, x, True)
    np.testing.assert_array_equal(first, x)
    np.testing.assert_array_equal(layer.compute_mask(x), (x != 0).any(-1))
    tracemalloc.start()
    assert layer.compute(call, x, True) is first
    layer.compute_mask(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.size / 3  # comparing all at once takes a byte for each element


def test_masking_by_hand():
    layer = nn.Masking(mask_value=-1.0)
    x = np.array([[[-1, -1], [-1, 2], [0, 0]]], "f4")
    assert layer.compute_mask(x, None).tolist() == [[False, True, True]]
    assert layer.compute_mask(x, np.zeros((1, 3), bool)).tolist() == [[False, True, True]]
    assert layer.forward(x, training=True).tolist() == [[[0, 0], [-1, 2], [0, 0]]]
    assert layer.backward(np.ones_like(x)).tolist() == [[[0, 0], [1, 1], [1, 1]]]


def test_spatial_dropout_drops_features_of_whole_sequences():
    layer, x = nn.SpatialDropout1D(0.5, seed=1), np.ones((40, 7, 20), "f4")
    y = layer.forward(x, training=True)
    assert set(np.unique(y)) == {0, 2}
    assert (y == y[:, :1]).all()
    assert 0.4 < (y[:, 0] == 0).mean() < 0.6
    assert not np.array_equal(layer.forward(x, training=True), y)
    assert np.array_equal(layer.forward(x), x)
    assert np.array_equal(nn.SpatialDropout1D(0.5, seed=1).forward(x, training=True), y)
    with pytest.raises(ValueError, match=r"expected shape \(B, T, C\)"):
        nn.SpatialDropout1D(0.5)(nn.Input((3,)))
    with pytest.raises(ValueError, match="SpatialDropout1D: rate must be a number"):
        nn.SpatialDropout1D(2)


def test_pooling_by_hand():
    x = np.array([[[1, 5], [3, 5], [8, -1]]], "f4")
    average, largest = nn.GlobalAveragePooling1D(), nn.GlobalMaxPooling1D()
    assert average.forward(x).tolist() == [[4, 3]]
    assert average.forward(x, mask=[[True, True, False]]).tolist() == [[2, 5]]
    x[0, 2] = np.nan  # what is masked is not looked at
    assert average.forward(x, training=True, mask=[[True, True, False]]).tolist() == [[2, 5]]
    assert average.backward(np.array([[4, 6]])).tolist() == [[[2, 3], [2, 3], [0, 0]]]
    assert np.isnan(average.forward(x, mask=[[False] * 3])).all()
    x[0, 2] = [8, -1]
    assert largest.forward(x, training=True).tolist() == [[8, 5]]
    assert largest.backward(np.array([[1, 1]])).tolist() == [[[0, 1], [0, 0], [1, 0]]]  # the first of those that are equal
    with pytest.raises(ValueError, match=r"expected shape \(B, T, C\), got \(None, 3\)"):
        nn.GlobalMaxPooling1D()(nn.Input((3,)))
    with pytest.raises(ValueError, match="GlobalAveragePooling1D: data_format must be"):
        nn.GlobalAveragePooling1D("last")
    with pytest.raises(ValueError, match="without a step"):
        nn.GlobalMaxPooling1D().forward(np.ones((2, 0, 3)))


def test_batch_normalization_with_a_mask_looks_at_what_is_unmasked(rng):
    x, mask = gaps(rng)
    x[~mask] = np.inf
    layer, plain = nn.BatchNormalization(dtype="float64"), nn.BatchNormalization(dtype="float64")
    got, want = layer.forward(x, training=True, mask=mask), plain.forward(x[mask], training=True)
    np.testing.assert_allclose(got[mask], want, rtol=1e-6)
    np.testing.assert_allclose(layer.moving_mean, plain.moving_mean, rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, plain.moving_variance, rtol=1e-6)
    with pytest.raises(ValueError, match=r"mask has shape .*, expected one axis less than x"):
        layer.forward(x, mask=mask[:, 0])


def test_softmax_leaves_masked_elements_out():
    layer, x = nn.Softmax(), np.array([[1.0, 5.0, 1.0], [1.0, 2.0, 3.0]])
    y = layer.forward(x, training=True, mask=[[True, False, True], [False] * 3])
    np.testing.assert_allclose(y, [[0.5, 0, 0.5], [0] * 3], rtol=1e-6)
    np.testing.assert_allclose(layer.backward(np.array([[1, 5, 0], [1, 2, 3]])), [[0.25, 0, -0.25], [0, 0, 0]], atol=1e-6)


# TimeDistributed


def test_time_distributed_holds_the_weights_of_its_layer(rng):
    layer = nn.Dense(4)
    model = nn.Sequential([nn.Input((5, 3)), nn.TimeDistributed(layer, name="steps"), nn.Dense(2, name="last")])
    model.compile("sgd", "mse")
    model.train_on_batch(rng.standard_normal((6, 5, 3)), np.ones((6, 5, 2)))
    assert list(model.params) == [f"steps/{layer.name}/kernel", f"steps/{layer.name}/bias", "last/kernel", "last/bias"]
    assert model.layers[0].weights == layer.weights
    assert len({id(weight.storage) for weight in model.weights}) == 1
    assert len(model._runner.gradients) == 1  # one stretch of memory for the optimizer
    assert np.shares_memory(model.params[f"steps/{layer.name}/kernel"], layer.kernel)
    assert layer.grads["kernel"].any()


def test_time_distributed_in_a_frozen_model(rng):
    x, y = rng.standard_normal((6, 5, 3)), np.ones((6, 5, 2))
    for freeze in (lambda outer: setattr(outer, "trainable", False), lambda outer: setattr(outer.layer, "trainable", False)):
        outer = nn.TimeDistributed(nn.Dense(4, "tanh"))
        model = nn.Sequential([nn.Input((5, 3)), nn.Dense(3), outer, nn.Dense(2)])
        freeze(outer)
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.train_on_batch(x, y)
        moved = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights())]
        assert moved == [True, True, False, False, True, True]
        assert len(model.trainable_weights) == 4
    assert not nn.TimeDistributed(nn.Dense(4), trainable=False).layer.trainable


def shared_by_both():
    """A layer called by itself, within a wrapper, and with another layer in a model within a wrapper."""
    x, first, second = nn.Input((5, 3)), nn.Dense(3, "tanh"), nn.Dense(3, "tanh")
    inner = nn.Sequential([nn.Input((3,)), second, first])
    return nn.Model(x, nn.TimeDistributed(first)(nn.TimeDistributed(inner)(first(x))), dtype="float64")


def test_gradients_of_a_layer_inside_and_outside_of_wrappers(rng):
    model, x = shared_by_both(), rng.standard_normal((4, 5, 3))
    dy = rng.uniform(0.5, 1.5, (4, 5, 3))
    value = lambda: float((model.forward(x) * dy).sum())
    for _ in range(2):  # the second pass finds gradients there
        model.forward(x, training=True)
        dx = model.backward(dy)
        assert close(dx, slope(value, x))
        for name, grad in model.grads.items():
            assert close(grad, slope(value, model.params[name])), name
    grads = {name: grad.copy() for name, grad in model.grads.items()}
    model.forward(x, training=True)
    model.backward(dy, accumulate=True)
    for name, grad in model.grads.items():
        np.testing.assert_allclose(grad, 2 * grads[name], rtol=1e-12)


def test_time_distributed_draws_for_each_step():
    y = nn.TimeDistributed(nn.Dropout(0.5)).forward(np.ones((20, 5, 10)), training=True)
    assert not (y == y[:, :1]).all()
    alike = nn.TimeDistributed(nn.Dropout(0.5, noise_shape=(1, None))).forward(np.ones((20, 5, 10)), training=True)
    assert (alike == alike[:1]).all()
    assert not (alike == alike[:, :1]).all()


def test_masks_within_a_step(rng):
    probe = Probe()
    layer = nn.TimeDistributed(nn.Sequential([nn.Input((2, 3)), probe]))
    x, mask = rng.standard_normal((4, 5, 2, 3)), rng.random((4, 5, 2)) < 0.5
    layer.forward(x, training=True, mask=mask)
    assert same(probe.seen[-1], mask.reshape(20, 2))
    layer.forward(x, training=True, mask=mask[..., 0])
    assert probe.seen[-1] is None


def test_time_distributed_refuses():
    with pytest.raises(ValueError, match="TimeDistributed: layer must be a layer, got 3"):
        nn.TimeDistributed(3)
    with pytest.raises(ValueError, match=r"expected one input of shape \(batch, steps, ...\).*got \(None, 5\)"):
        nn.TimeDistributed(nn.Dense(2))(nn.Input((5,)))
    with pytest.raises(ValueError, match="the last axis must have a known size"):
        nn.TimeDistributed(nn.Dense(2))(nn.Input((5, None)))
    x = nn.Input((3,))
    with pytest.raises(ValueError, match="has 2 results, expected one"):
        nn.TimeDistributed(nn.Model(x, [nn.Dense(2)(x), nn.Dense(3)(x)]))(nn.Input((5, 3)))
    with pytest.raises(ValueError, match="has an activity_regularizer"):
        nn.TimeDistributed(nn.Sequential([nn.Input((3,)), nn.Dense(2, activity_regularizer="l2")]))(nn.Input((5, 3)))
    with pytest.raises(ValueError, match="one dtype is expected"):
        nn.TimeDistributed(nn.Dense(2, dtype="float32"), dtype="float64")


def test_layers_of_ones_own_in_wrappers_are_found_by_name(tmp_path, rng):
    model = nn.Sequential([nn.Input((5, 3)), nn.TimeDistributed(Mine())])
    model.save(tmp_path / "model")
    x = rng.standard_normal((2, 5, 3))
    other = nn.load_model(tmp_path / "model", custom_objects={"Mine": Mine})
    assert np.array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))


class Mine(nn.Layer):
    def compute(self, call, x, training):
        return x * 2

    def gradient(self, call, dy):
        return dy * 2
