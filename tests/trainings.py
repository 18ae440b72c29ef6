"""Trainings whose every bit is to be the same wherever they run: sha256 over what they leave behind.

All that is drawn has a seed of its own, for the process's one generator is shared by its threads.
"""

import hashlib

import numpy as np

import fastopt
from fastopt import backend, nn


def digest(arrays):
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def states(opt):
    return [a for state in opt.state_dict()["state"].values() for a in state.values() if isinstance(a, np.ndarray)]


def mlp_model():
    """Dense layers, dropout and both normalisations, a softmax under its loss."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((200, 37), np.float32), rng.integers(0, 5, 200)
    model = nn.Sequential([
        nn.Input((37,)), nn.Dense(67, "relu", kernel_initializer=nn.initializers.HeNormal(1)), nn.Dropout(0.3, seed=2),
        nn.BatchNormalization(), nn.Dense(41, "gelu", kernel_initializer=nn.initializers.GlorotUniform(3)), nn.LayerNormalization(),
        nn.Dense(5, "softmax", kernel_initializer=nn.initializers.GlorotUniform(4))])  # fmt: skip
    model.compile(nn.optimizers.Adam(0.01, global_clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, dict(x=x, y=y, batch_size=64)


def recurrent_model():
    """Sequences of many lengths, two recurrent layers of two kinds, one of them in both directions with dropout."""
    rng = np.random.default_rng(2)
    x = [rng.integers(1, 30, n) for n in rng.integers(1, 14, 40)]
    y = rng.integers(0, 2, (40, 1)).astype(np.float32)
    kernels, squares = nn.initializers.GlorotUniform, nn.initializers.Orthogonal
    lstm = nn.LSTM(19, return_sequences=True, dropout=0.2, recurrent_dropout=0.1, seed=5,
                   kernel_initializer=kernels(6), recurrent_initializer=squares(seed=7))  # fmt: skip
    model = nn.Sequential([
        nn.Input((None,)), nn.Embedding(30, 13, nn.initializers.RandomUniform(seed=8), mask_zero=True), nn.Bidirectional(lstm),
        nn.GRU(11, kernel_initializer=kernels(9), recurrent_initializer=squares(seed=10)),
        nn.Dense(1, "sigmoid", kernel_initializer=kernels(11))])  # fmt: skip
    model.compile(nn.optimizers.RMSprop(0.01), "binary_crossentropy")
    return model, dict(x=x, y=y, batch_size=16)


def fitted(model, data):
    """The model, trained on."""
    model.fit(**data, epochs=2, shuffle=False, verbose=0)
    return model


def left(model, x):
    """What a training leaves: weights, the optimizer's states, results, losses."""
    losses = np.array(model.history.history["loss"])
    return [*model.get_weights(), *states(model.optimizer), model.predict(x, verbose=0), losses]


def mlp():
    model, data = mlp_model()
    return left(fitted(model, data), data["x"])


def recurrent():
    model, data = recurrent_model()
    return left(fitted(model, data), data["x"])


def optimizer():
    """A list of parameters of both dtypes, some strided; clipping by norm and value, an average, a tensor left out now and then."""
    rng = np.random.default_rng(3)
    params = [rng.standard_normal(20_011), rng.standard_normal((40, 30, 6))[::2, :, ::-1], rng.standard_normal(()),
              rng.standard_normal((130, 77)).astype(np.float32).T, rng.standard_normal(9001).astype(np.float32)[::-3]]  # fmt: skip
    opt = fastopt.Adam(params, lr=0.01, weight_decay=0.1, amsgrad=True, ema=0.9)
    norms = []
    for step in range(5):
        grads = [np.asarray(rng.standard_normal(p.shape) * 10.0 ** rng.uniform(-4, 4, p.shape), p.dtype) for p in params]
        opt.step([None if (i + step) % 7 == 0 else g for i, g in enumerate(grads)], clip_norm=1.0, clip_value=3.0)
        norms.append(opt.last_step.grad_norm)
    return params + states(opt) + opt.ema() + [np.array(norms)]


TRAININGS = {"mlp": mlp, "recurrent": recurrent, "optimizer": optimizer}


def train(name):
    """The digest of a training of TRAININGS."""
    return digest(TRAININGS[name]())


def train_all(*_):
    return [train(name) for name in TRAININGS]


def cut_all(threads):
    """Every work cut among so many threads, however small, from now on."""
    fastopt.set_num_threads(threads)
    backend.core.force_threads(threads > 1)
