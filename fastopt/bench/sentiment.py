"""The row of the sentiment network: a training step over a batch of reviews, an embedding, an LSTM, one sigmoid, and Adam."""

import functools
from dataclasses import dataclass

import numpy as np

from .. import threads
from .peers import installed, torch_counts
from .trainers import LEARNING_RATE, on_keras

WORDS, FEATURES, UNITS = 10_000, 128, 64


@dataclass(frozen=True)
class Sentiment:
    """No dropout, float32; the words are drawn as texts have them, the k-th most frequent one proportionally to 1 / k."""

    batch: int = 128
    steps: int = 200
    goal: float = 2  # over the best torch

    table = "Sentiment"
    pause, seconds = 0.25, 0.3

    @property
    def workload(self):
        return f"Embedding({WORDS}, {FEATURES}), LSTM({UNITS}), Dense(1): {self.batch} reviews of {self.steps} words"

    @property
    def id(self):
        return f"{self.table}: {self.workload}"

    def draw(self):
        """Word numbers (batch, steps), labels (batch, 1)."""
        rng, frequency = np.random.default_rng(0), 1 / np.arange(1, WORDS + 1)
        words = rng.choice(WORDS, (self.batch, self.steps), p=frequency / frequency.sum())
        return words.astype(np.int32), rng.integers(0, 2, (self.batch, 1)).astype(np.float32)

    def contestants(self):
        """Name -> a training step."""
        from .. import nn

        x, y = self.draw()
        prepare = functools.partial(threads.set_num_threads, threads.default_count())  # torch sets ours
        return {"fastopt": (prepare, _keras_like(nn, x, y)), **_torch(x, y), **on_keras(lambda keras: _keras_like(keras, x, y))}


def _keras_like(home, x, y):
    """The same lines train with fastopt.nn and with Keras."""
    layers = home.layers
    model = home.Sequential([layers.Embedding(WORDS, FEATURES), layers.LSTM(UNITS), layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer=home.optimizers.Adam(learning_rate=LEARNING_RATE), loss="binary_crossentropy")
    return functools.partial(model.train_on_batch, x, y)


def _torch(x, y):
    """torch.nn with the fused Adam, and the loss of the logits."""
    if not installed("torch"):
        return {}
    import torch
    from torch import nn

    embedding, lstm, dense = nn.Embedding(WORDS, FEATURES), nn.LSTM(FEATURES, UNITS, batch_first=True), nn.Linear(UNITS, 1)
    parameters = [p for module in (embedding, lstm, dense) for p in module.parameters()]
    opt, criterion = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True), nn.BCEWithLogitsLoss()
    x, y = torch.from_numpy(x), torch.from_numpy(y)

    def train():
        opt.zero_grad(set_to_none=True)
        criterion(dense(lstm(embedding(x))[0][:, -1]), y).backward()
        opt.step()

    return torch_counts(train)


SENTIMENT = [Sentiment()]
