"""Who else trains a network: torch at one thread and at all, scikit-learn, Keras, and NumPy as it is written by hand. Each gives
a training step and a prediction of its own. What is not installed does not race.

The learning rate is so small that the weights stay where they are: otherwise what a step costs, by subnormal numbers at the
latest, would depend on how many each has done.
"""

import functools
import os

import numpy as np

from .. import threads
from .peers import installed, numpy_adam, torch_counts

LEARNING_RATE = 1e-5


def everyone(net):
    """Name -> (training step, prediction), each a contestant of a Race."""
    from .. import nn

    x, y = net.draw()
    prepare = functools.partial(threads.set_num_threads, threads.default_count())  # torch's, where it shares our OpenMP, limits us
    return {
        "fastopt": tuple((prepare, work) for work in keras_like(nn, net, x, y)),
        **torch(net, x, y),
        **sklearn(net, x, y),
        **on_keras(lambda keras: keras_like(keras, net, x, y)),
        "NumPy": by_hand(net, x, y),
    }


def keras_like(home, net, x, y):
    """The same lines train with fastopt.nn and with Keras."""
    layers = [home.layers.Dense(n, activation=a) for n, a in zip(net.units[1:], net.activations)]
    model = home.Sequential([home.layers.Input(shape=net.units[:1]), *layers])
    model.compile(optimizer=home.optimizers.Adam(learning_rate=LEARNING_RATE), loss=net.loss)
    return functools.partial(model.train_on_batch, x, y), functools.partial(model.predict, x, verbose=0)


def on_keras(make):
    """Keras on torch, at all threads; make(keras) gives the work, or a pair of works."""
    if not installed("keras") or not installed("torch"):
        return {}
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    import torch

    prepare = functools.partial(torch.set_num_threads, os.cpu_count() or 1)
    work = make(keras)
    both = tuple((prepare, one) for one in work) if isinstance(work, tuple) else (prepare, work)
    return {f"Keras on {keras.backend.backend()}": both}


def torch(net, x, y):
    """torch.nn with the fused Adam, and a loss that takes logits where there is one."""
    if not installed("torch"):
        return {}
    import torch
    from torch import nn

    activations = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "softmax": lambda: nn.Softmax(dim=-1),
                   "linear": nn.Identity}  # fmt: skip
    layers = []
    for inputs, outputs, activation in zip(net.units, net.units[1:], net.activations):
        layers += [nn.Linear(inputs, outputs), activations[activation]()]
    logits, whole = nn.Sequential(*layers[:-1]), nn.Sequential(*layers)
    losses = {"binary_crossentropy": nn.BCEWithLogitsLoss, "sparse_categorical_crossentropy": nn.CrossEntropyLoss,
              "mean_squared_error": nn.MSELoss}  # fmt: skip
    criterion = losses[net.loss]()
    opt = torch.optim.Adam(logits.parameters(), lr=LEARNING_RATE, fused=True)
    x, y = torch.from_numpy(x), torch.from_numpy(y)

    def train():
        opt.zero_grad(set_to_none=True)
        criterion(logits(x), y).backward()
        opt.step()

    def predict():
        with torch.inference_mode():
            return whole(x)

    predictions = torch_counts(predict)
    return {name: (training, predictions[name]) for name, training in torch_counts(train).items()}


def sklearn(net, x, y):
    """scikit-learn's networks: partial_fit of one batch is one step. Zeros and ones are labels there."""
    if not installed("sklearn"):
        return {}
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    regression = net.loss == "mean_squared_error"
    model = (MLPRegressor if regression else MLPClassifier)(
        hidden_layer_sizes=net.units[1:-1],
        activation=net.hidden,
        alpha=0,
        batch_size=net.batch,
        learning_rate_init=LEARNING_RATE,
    )
    if regression:
        y = y.ravel() if y.shape[1] == 1 else y
    else:
        y = y.astype(int)
    model.partial_fit(x, y, **({} if regression else {"classes": np.arange(net.units[-1])}))
    predict = model.predict if regression else model.predict_proba
    return {"scikit-learn": (functools.partial(model.partial_fit, x, y), functools.partial(predict, x))}


def by_hand(net, x, y):
    """Forward, backward and Adam as they stand in NumPy training code."""
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal((i, o), np.float32) * np.float32(i**-0.5) for i, o in zip(net.units, net.units[1:])]
    biases = [np.zeros(o, np.float32) for o in net.units[1:]]
    gradients = [np.zeros_like(p) for p in weights + biases]
    adam = numpy_adam(weights + biases, gradients, lr=LEARNING_RATE)["NumPy"]

    def forward():
        outputs = [x]
        for w, b, activation in zip(weights, biases, net.activations):
            outputs.append(ACTIVATIONS[activation](outputs[-1] @ w + b))
        return outputs

    def train():
        outputs = forward()
        loss, dz = LOSSES[net.loss](outputs[-1], y)
        for k in reversed(range(len(weights))):
            gradients[k], gradients[k + len(weights)] = outputs[k].T @ dz, dz.sum(axis=0)
            if k:
                dz = dz @ weights[k].T * SLOPES[net.hidden](outputs[k])
        adam()
        return loss

    return train, lambda: forward()[-1]


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _one_hot(labels, classes):
    return np.eye(classes, dtype=np.float32)[labels]


ACTIVATIONS = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "softmax": _softmax,
               "linear": lambda z: z}  # fmt: skip
SLOPES = {"relu": lambda y: y > 0, "tanh": lambda y: 1 - y**2}  # as functions of the output
LOSSES = {  # (output, target) -> value, gradient of what the last activation was given
    "binary_crossentropy": lambda p, y: (
        -np.mean(y * np.log(p + 1e-7) + (1 - y) * np.log(1 - p + 1e-7)),
        (p - y) / y.size,
    ),
    "sparse_categorical_crossentropy": lambda p, y: (
        -np.mean(np.log(p[np.arange(len(y)), y] + 1e-7)),
        (p - _one_hot(y, p.shape[1])) / len(y),
    ),
    "mean_squared_error": lambda p, y: (np.mean((p - y) ** 2), 2 * (p - y) / y.size),
}
