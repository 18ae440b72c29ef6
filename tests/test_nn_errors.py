"""Bad input: each is refused by a message that says what came and what was expected, and nothing has changed."""

import numpy as np
import pytest

from fastopt import nn


def regression():
    model = nn.Sequential([nn.Input((4,), name="start"), nn.Dense(3, "relu", name="hidden"), nn.Dense(2, name="last")])
    model.compile("adam", "mse")
    return model


def classifier(loss="sparse_categorical_crossentropy", outputs=3, activation="softmax"):
    model = nn.Sequential([nn.Input((4,)), nn.Dense(outputs, activation)])
    model.compile("adam", loss)
    return model


X, Y, LABELS = np.ones((6, 4), "f4"), np.ones((6, 2), "f4"), np.array([0, 1, 2, 0, 1, 2])

DATA = {
    "columns of x": (regression, (X[:, :3], Y), r"x has shape \(6, 3\), expected \(None, 4\), the shape of input 'start'"),
    "axes of x": (regression, (X[None], Y), r"x has shape \(1, 6, 4\)"),
    "targets that would broadcast": (regression, (X, Y[:, :1]), r"y has shape \(6, 1\), expected \(6, 2\)"),
    "one target for two outputs": (regression, (X, Y[:, 0]), r"y has shape \(6,\), expected \(6, 2\)"),
    "fewer targets": (regression, (X, Y[:5]), "y has 5 samples, expected 6"),
    "no targets": (regression, (X, None), "y is missing"),
    "no samples": (regression, (X[:0], Y[:0]), "no samples"),
    "NaN as target": (regression, (X, Y * np.nan), r"y\[0, 0\] is nan"),
    "strings": (regression, (X.astype(str), Y), "x has dtype <U"),
    "objects": (regression, (X.astype(object), Y), "x has dtype object"),
    "complex numbers": (regression, (X.astype(complex), Y), "x has dtype complex128"),
    "lists of unequal lengths": (regression, ([[1, 2], [3]], Y), "differ in shape"),
    "objects as targets": (regression, (X, Y.astype(object)), "y has dtype object"),
    "a label too high": (classifier, (X, LABELS + 1), r"y\[2\] is 3, expected a class in \[0, 3\)"),
    "a label below 0": (classifier, (X, LABELS - 1), r"y\[0\] is -1"),
    "labels between integers": (classifier, (X, LABELS + 0.5), "integer labels"),
    "one-hot for sparse": (classifier, (X, np.eye(3)[LABELS]), "categorical_crossentropy"),
    "labels for one-hot": (lambda: classifier("categorical_crossentropy"), (X, LABELS), "sparse_categorical_crossentropy"),
    "probabilities above 1": (lambda: classifier("binary_crossentropy", 1, "sigmoid"), (X, LABELS), r"probabilities in \[0, 1\]"),
    "two arrays for one input": (regression, ([X, X], Y), "x has shape"),
}


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize("what", DATA)
def test_data(what, method):
    make, (x, y), message = DATA[what]
    model = make()
    before = model.get_weights()
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        getattr(model, method)(x, y, **({"verbose": 0} if method in ("fit", "evaluate") else {}))
    assert str(caught.value).startswith(method)
    assert all(np.array_equal(v, w) for v, w in zip(before, model.get_weights()))
    assert model.optimizer.steps == 0


FITTING = {
    "batch_size 0": (dict(batch_size=0), "batch_size must be an integer >= 1, got 0"),
    "epochs": (dict(epochs=-1), "epochs must be an integer >= 0"),
    "steps": (dict(steps_per_epoch=0), "fit: steps_per_epoch must be an integer >= 1"),
    "batch_size 2.5": (dict(batch_size=2.5), "batch_size"),
    "a split of all": (dict(validation_split=1.0), "validation_split"),
    "a split that is no number": (dict(validation_split="0.2"), "validation_split must be in"),
    "validation batches of nothing": (dict(validation_split=0.5, validation_batch_size=-3), "validation_batch_size must be"),
    "no validation steps": (dict(validation_split=0.5, validation_steps=0), "validation_steps must be"),
    "never to validate": (dict(validation_split=0.5, validation_freq=0), "validation_freq must be"),
    "validation at no number": (dict(validation_split=0.5, validation_freq=None), "validation_freq must be"),
    "a negative first epoch": (dict(initial_epoch=-1), "initial_epoch must be"),
    "a split that leaves nothing": (dict(validation_split=0.9), "leaves none"),
    "validation data that do not fit": (dict(validation_data=(X[:, :2], Y)), r"validation_data: x has shape \(6, 2\)"),
    "validation data without targets": (dict(validation_data=X), "validation_data must be"),
    "fewer weights": (dict(sample_weight=np.ones(5)), "sample_weight has 5 samples, expected 6"),
    "NaN as weight": (dict(sample_weight=np.full(6, np.nan)), "sample_weight"),
    "both weights": (dict(sample_weight=np.ones(6), class_weight={0: 1.0}), "expected one of them"),
    "class_weight of a matrix": (dict(class_weight={0: 1.0}), "class_weight needs one class for each sample"),
    "a class's weight that is no number": (dict(class_weight={0: "a"}), r"fit: class_weight\[0\] must be a number, got 'a'"),
    "a class that is no number": (dict(class_weight={"0": 1.0}), "class_weight must have classes, integers, as its keys, got '0'"),
    "class_weight that is a list": (dict(class_weight=[1.0]), "class_weight must be a dict"),
}


@pytest.mark.parametrize("what", FITTING)
def test_arguments_of_fit(what):
    options, message = FITTING[what]
    model = regression()
    if "class_weight of" in what:
        y = np.array([[0, 0.5]] * 6)
        model = nn.Sequential([nn.Input((4,)), nn.Dense(2), nn.Reshape((2, 1))])
        model.compile("adam", "mse")
    else:
        y = Y
    before = model.get_weights()
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(X, y, verbose=0, **options)
    assert all(np.array_equal(v, w) for v, w in zip(before, model.get_weights()))


@pytest.mark.parametrize(("call", "message"), [
    (lambda model: model.fit(X, Y, workers=3), "^fit: unexpected argument 'workers', known: x, y, batch_size, "),
    (lambda model: model.fit(X, Y, nb_epoch=3), "^fit: unexpected argument 'nb_epoch', nearest known: 'epochs'$"),
    (lambda model: model.compile(metric=["mae"]), "^compile: unexpected argument 'metric', nearest known: 'metrics'$"),
    (lambda model: model.evaluate(X, Y, batchsize=3), "^evaluate: unexpected argument 'batchsize', nearest known: 'batch_size'$"),
])  # fmt: skip
def test_unknown_arguments(call, message):
    with pytest.raises(TypeError, match=message):
        call(regression())


def test_batches_that_do_not_fit():
    model = regression()
    with pytest.raises(ValueError, match="gave none"):
        model.fit(iter([]), verbose=0)
    with pytest.raises(ValueError, match="y and sample_weight must be None"):
        model.fit(iter([(X, Y)]), Y, verbose=0)
    with pytest.raises(ValueError, match=r"x has shape \(6, 3\)"):
        model.fit(iter([(X[:, :3], Y)]), verbose=0)
    with pytest.raises(ValueError, match=r"\(x, y\) or \(x, y, sample_weight\)"):
        model.fit(iter([(X, Y, None, None)]), verbose=0)
    with pytest.raises(ValueError, match="validation_split needs arrays"):
        model.fit(iter([(X, Y)]), validation_split=0.5, verbose=0)
    assert model.optimizer.steps == 0


def test_no_loss():
    model = nn.Sequential([nn.Input((4,)), nn.Dense(2)])
    model.compile("adam", metrics=["mae"])
    for train in model.fit, model.train_on_batch:
        with pytest.raises(ValueError, match="there is no loss"):
            train(X, Y)
    assert model.evaluate(X, Y, verbose=0)[0] == 0
    with pytest.raises(TypeError, match="pass several inputs as a list"):
        nn.Add()(X, X)


def test_not_built_and_not_compiled():
    model = nn.Sequential([nn.Dense(2)])
    with pytest.raises(ValueError, match="not compiled"):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="not built"):
        _ = model.outputs
    with pytest.raises(ValueError, match="no weights yet"):
        model.count_params()
    with pytest.raises(RuntimeError, match="forward"):
        regression().backward(Y)
    with pytest.raises(RuntimeError, match="forward"):
        nn.Dense(2).backward(Y)
    with pytest.raises(ValueError, match="has no layers"):
        nn.Sequential([]).predict(X)
    model = regression()
    model.forward(X, training=True)
    with pytest.raises(ValueError, match=r"dy has shape \(6, 1\), expected \(6, 2\)"):
        model.backward(Y[:, :1])


COMPILING = {
    "loss": (dict(loss="msee"), "loss: unknown name 'msee', nearest known: 'mse'"),
    "optimizer": (dict(optimizer="adom"), "optimizer: unknown name 'adom', nearest known: '(?i:adam)'"),
    "metric": (dict(loss="mse", metrics=["acuracy"]), "metric: unknown name 'acuracy', nearest known: "),
    "metrics in the place of weights": (
        dict(loss="mse", loss_weights=["accuracy"]),
        "loss_weights must hold numbers, got 'accuracy'",
    ),
    "losses for one output": (dict(loss=["mse", "mae"]), "2 entries for the 1 outputs"),
    "an output's name": (dict(loss={"first": "mse"}), "names the output 'first', but the outputs are last"),
}


@pytest.mark.parametrize("what", COMPILING)
def test_compile(what):
    options, message = COMPILING[what]
    model = regression()
    optimizer = model.optimizer
    with pytest.raises((ValueError, TypeError), match=message):
        model.compile(**options)
    assert model.optimizer is optimizer
    assert np.isfinite(model.train_on_batch(X, Y))
    unbuilt = nn.Sequential([nn.Dense(2)])
    if what in ("loss", "optimizer", "metric"):
        with pytest.raises(ValueError, match=message):
            unbuilt.compile(**options)


def test_layers_that_do_not_chain_name_both():
    decoder = nn.Dense(4, name="decoder")
    decoder.build((None, 7))
    with pytest.raises(
        ValueError, match=r"layer 'decoder' does not take its input from layer 'code': .*\(batch, ..., 7\), got \(None, 3\)"
    ):
        nn.Sequential([nn.Input((4,)), nn.Dense(3, name="code"), decoder])
    with pytest.raises(ValueError, match=r"'cut' .* from layer 'code': expected samples of 4"):
        nn.Sequential([nn.Input((4,)), nn.Dense(3, name="code"), nn.Reshape((2, 2), name="cut")])
    a, b = nn.Dense(3, name="left")(nn.Input((4,))), nn.Dense(2, name="right")(nn.Input((4,)))
    for layer in nn.Add(), nn.Concatenate(axis=0):
        with pytest.raises(ValueError, match="from layer 'left' and layer 'right'"):
            layer([a, b])
    inner = nn.Sequential([nn.Input((5,)), nn.Dense(1)], name="inner")
    with pytest.raises(ValueError, match=r"'inner' expects shape \(None, 5\).* from layer 'left'"):
        inner(a)
    with pytest.raises(ValueError, match="two inputs"):
        nn.Subtract()([a])
    with pytest.raises(ValueError, match="two inputs or more"):
        nn.Add()(a)


def test_a_failed_build_can_be_repeated():
    model = nn.Sequential([nn.Dense(3), nn.Reshape((2, 2)), nn.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="expected samples of 4"):
        model.predict(X)
    assert not model.layers[0].built
    model.pop(), model.pop()
    assert model.predict(X[:, :2]).shape == (6, 3)


def test_graphs():
    a, b = nn.Input((4,), name="a"), nn.Input((4,), name="b")
    h = nn.Add()([a, b])
    with pytest.raises(ValueError, match="depend on the input 'b', which is not among the inputs"):
        nn.Model(a, h)
    with pytest.raises(ValueError, match="2 layers are named 'same'"):
        nn.Model(a, nn.Dense(2, name="same")(nn.Dense(2, name="same")(a)))
    with pytest.raises(ValueError, match="'same' is there already"):
        nn.Sequential([nn.Dense(2, name="same"), nn.Dense(2, name="same")])
    with pytest.raises(TypeError, match="symbolic tensors"):
        nn.Model(a, X)
    with pytest.raises(TypeError, match="both inputs and outputs"):
        nn.Model(a)
    with pytest.raises(TypeError, match="subclass it"):
        nn.Model()
    with pytest.raises(ValueError, match="expected inputs that differ"):
        nn.Model([a, a], h)
    with pytest.raises(TypeError, match="no values"):
        np.asarray(h)
    with pytest.raises(TypeError, match="symbolic tensors"):
        nn.Add()([a, X])
    with pytest.raises(TypeError, match="expected a layer"):
        nn.Sequential([nn.Dense])
    with pytest.raises(ValueError, match="stands first"):
        nn.Sequential([nn.Dense(2), nn.Input((3,))])
    with pytest.raises(ValueError, match="there are no layers"):
        nn.Sequential().pop()
    with pytest.raises(ValueError, match="no layer is named 'x'"):
        regression().get_layer("x")


def test_two_inputs():
    a, b = nn.Input((4,), name="a"), nn.Input((4,), name="b")
    model = nn.Model([a, b], nn.Add()([a, b]))
    with pytest.raises(ValueError, match="x must be a list of 2 arrays, for a, b"):
        model.predict(X)
    with pytest.raises(ValueError, match="x has no entry 'b'"):
        model.predict({"a": X})
    with pytest.raises(ValueError, match="x has 5 samples, expected 6"):
        model.predict([X, X[:5]])


LAYERS = {
    "units 0": (lambda: nn.Dense(0), "units must be an integer >= 1, got 0"),
    "units 2.5": (lambda: nn.Dense(2.5), "units"),
    "activation": (lambda: nn.Dense(2, "relo"), "unknown name 'relo', nearest known: 'relu'"),
    "initializer": (lambda: nn.Dense(2, kernel_initializer="glorot"), "initializer: unknown name 'glorot'"),
    "regularizer": (lambda: nn.Dense(2, kernel_regularizer="l3"), "regularizer: unknown name 'l3'"),
    "constraint": (lambda: nn.Dense(2, kernel_constraint="maxnrm"), "constraint: unknown name 'maxnrm', nearest known: 'MaxNorm'"),
    "constraint of nothing": (lambda: nn.Dropout(0.5, kernel_constraint=None), "unexpected argument 'kernel_constraint'"),
    "argument": (lambda: nn.Dense(2, unit=3), "unexpected argument 'unit'"),
    "dtype": (lambda: nn.Dense(2, dtype="float16"), "dtype must be 'float32' or 'float64', got 'float16'"),
    "rate": (lambda: nn.Dropout(1.5), r"rate must be a number in \[0, 1\], got 1.5"),
    "noise shape": (lambda: nn.Dropout(0.5, noise_shape=(None, 3))(nn.Input((4,))), "noise_shape"),
    "limit of a relu": (lambda: nn.ReLU(-1.0), "ReLU: max_value must be a number >= 0, got -1.0"),
    "slope of a relu": (lambda: nn.ReLU(negative_slope=None), "ReLU: negative_slope must be a number >= 0, got None"),
    "threshold of a relu": (lambda: nn.ReLU(threshold="1"), "ReLU: threshold must be a number >= 0, got '1'"),
    "slope of a leaky relu": (lambda: nn.LeakyReLU(-0.1), "LeakyReLU: negative_slope must be a number >= 0, got -0.1"),
    "alpha of an elu": (lambda: nn.ELU(None), "ELU: alpha must be a number >= 0, got None"),
    "shared axes of a prelu": (lambda: nn.PReLU(shared_axes=[0]), "PReLU: shared_axes must be an integer >= 1, got 0"),
    "open axis of a prelu": (lambda: nn.PReLU()(nn.Input((None, 3))), "size of axis 1 must be known, or shared_axes name it"),
    "input of a prelu": (lambda: list(map(nn.PReLU(shared_axes=1), (nn.Input((4, 3)), nn.Input((4, 2))))), r"None, 3\), got"),
    "axis of a softmax": (lambda: nn.Softmax(axis="last"), "Softmax: axis must be an integer, or several, got 'last'"),
    "axis that is not there": (lambda: nn.Softmax(axis=2)(nn.Input((4,))), r"axes \[2\], each once, got one of 2 axes"),
    "axis twice": (lambda: nn.Softmax(axis=(1, -1))(nn.Input((4,))), r"axes \[1, -1\], each once"),
    "two -1": (lambda: nn.Reshape((-1, -1)), "one -1"),
    "axis of a norm": (lambda: nn.BatchNormalization(axis=3)(nn.Input((4,))), "axis 3"),
    "first axis": (lambda: nn.LayerNormalization(axis=0)(nn.Input((4,))), "last axes"),
    "input shape": (lambda: nn.Input((2.5,)), "shape must hold integers"),
    "no input shape": (lambda: nn.Input(), "shape is missing"),
    "open width": (lambda: nn.Dense(2)(nn.Input((None,))), "known size"),
}


@pytest.mark.parametrize("what", LAYERS)
def test_layers(what):
    make, message = LAYERS[what]
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_weights():
    model = regression()
    before = model.get_weights()
    with pytest.raises(ValueError, match="has 4 weights, got 3 arrays"):
        model.set_weights(before[:3])
    with pytest.raises(ValueError, match=r"last/kernel has shape \(3, 2\), got shape \(2, 3\)"):
        model.set_weights([w + 1 for w in before[:2]] + [before[2].T, before[3]])
    assert all(np.array_equal(v, w) for v, w in zip(before, model.get_weights()))
    with pytest.raises(ValueError, match="hidden/bias has shape"):
        model.weights[1].assign([1.0])


def test_a_subclass_that_returns_no_tensor():
    class Wrong(nn.Model):
        def call(self, inputs):
            return 3

    class Without(nn.Model):
        pass

    with pytest.raises(TypeError, match="call must return"):
        Wrong().predict(X)
    with pytest.raises(TypeError, match="must define call"):
        Without().predict(X)


def test_a_layer_with_call():
    class Twice(nn.Layer):
        def call(self, x):
            return x * 2

    with pytest.raises(TypeError, match=r"Twice: a layer has compute\(call, x, training\) and gradient"):
        Twice()


@pytest.mark.parametrize("base", [nn.Model, nn.Sequential])
@pytest.mark.parametrize("method", ["train_step", "test_step", "predict_step", "compute_loss", "compute_metrics",
                                    "make_train_function"])  # fmt: skip
def test_a_model_with_a_step(base, method):
    with pytest.raises(TypeError, match=f"Own: {method} is never called here; give compile a loss"):
        type("Own", (base,), {method: lambda self, *given: None})


@pytest.mark.parametrize("method", ["update_step", "apply", "apply_gradients"])
def test_an_optimizer_with_a_rule(method):
    with pytest.raises(TypeError, match=rf"Own: {method} is never called here; .* model\.params and model\.grads"):
        type("Own", (nn.optimizers.SGD,), {method: lambda self, *given: None})


@pytest.mark.parametrize("base", [nn.regularizers.Regularizer, nn.regularizers.L2])
def test_a_regularizer_without_its_gradient(base):
    with pytest.raises(TypeError, match=r"Own: __call__ alone leaves the gradient open; write add_gradient\(w, grad\) too"):
        type("Own", (base,), {"__call__": lambda self, w: 0.0})
    type("Own", (base,), {"__call__": lambda self, w: 0.0, "add_gradient": lambda self, w, grad: 0.0})


TARGETS = {
    "shape": ([Y, Y], r"y\['b'\] has shape \(6, 2\), expected \(6, 3\)"),
    "count": ([Y, np.ones((3, 3))], r"y\['b'\] has 3 samples, expected 6 as x"),
    "NaN": ([Y, np.full((6, 3), np.nan)], r"y\['b'\]\[0, 0\] is nan"),
    "kind": ([Y, np.full((6, 3), "x")], r"y\['b'\] has dtype <U1"),
    "missing": ([Y, None], "y is missing for output 'b'"),
}


@pytest.mark.parametrize("what", TARGETS)
def test_targets_of_several_outputs(what):
    y, message = TARGETS[what]
    a = nn.Input((4,))
    model = nn.Model(a, [nn.Dense(2, name="a")(a), nn.Dense(3, name="b")(a)])
    model.compile("adam", "mse")
    for given in y, dict(zip("ab", y)):
        with pytest.raises((TypeError, ValueError), match=f"^fit: {message}"):
            model.fit(X, given, verbose=0)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: regression().predict(X, Y), r"predict: batch_size must be an integer >= 1, got an array of shape \(6, 2\)"),
    (lambda: regression().fit(X, Y, batch_size=2.0), "fit: batch_size must be an integer >= 1, got 2.0"),
    (lambda: regression().get_layer(index=9), "get_layer: index must be an integer below 2, the number of layers, got 9"),
    (lambda: regression().get_layer(index="last"), "get_layer: index must be an integer below 2, .* got 'last'"),
    (lambda: regression().get_layer(0), "get_layer: name must be a string, got 0; pass a number as index"),
    (lambda: nn.ReLU(alpha=0.1), "^ReLU: unexpected argument 'alpha'"),
    (lambda: nn.ReLU(activation="relu"), "^ReLU: unexpected argument 'activation'"),
    (lambda: nn.Softmax(activation="relu"), "^Softmax: unexpected argument 'activation'"),
    (lambda: nn.LeakyReLU(kernel="relu"), "^LeakyReLU: unexpected argument 'kernel'"),
    (lambda: nn.callbacks.EarlyStopping(patient=3), "^EarlyStopping: unexpected argument 'patient', nearest known: 'patience'"),
    (lambda: nn.callbacks.ModelCheckpoint("x", save_best=True), "^ModelCheckpoint: .*, nearest known: 'save_best_only'"),
    (lambda: nn.metrics.BinaryAccuracy(treshold=0.3), "^BinaryAccuracy: .* 'treshold', nearest known: 'threshold'"),
    (lambda: nn.losses.Huber(detla=1.0), "^Huber: unexpected argument 'detla', nearest known: 'delta'"),
    (lambda: nn.losses.Hinge(x=1), "^Hinge: unexpected argument 'x', known: reduction, name, dtype"),
])  # fmt: skip
def test_arguments_that_make_no_sense(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
