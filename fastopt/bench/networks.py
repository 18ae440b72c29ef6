"""The rows of whole networks: what a training step of each takes, forward, loss, backward and Adam, and a prediction."""

from dataclasses import dataclass

import numpy as np

from . import trainers

OUTPUTS = {"binary_crossentropy": "sigmoid", "sparse_categorical_crossentropy": "softmax", "mean_squared_error": "linear"}


@dataclass(frozen=True)
class Network:
    """Dense layers, float32: `units` counts inputs, then the outputs of each layer; the loss says which activation is last."""

    workload: str
    units: tuple
    loss: str  # Keras's name
    batch: int
    goal: float | None = None  # over the best torch
    over_sklearn: float | None = None
    hidden: str = "relu"

    table = "Networks"
    pause, seconds = 0.25, 0.1  # BLAS takes part; batches long enough that what slept is warm again

    @property
    def id(self):
        return f"{self.table}: {self.workload}"

    @property
    def activations(self):
        """Of each layer."""
        return [self.hidden] * (len(self.units) - 2) + [OUTPUTS[self.loss]]

    def draw(self):
        """A batch x, y. The autoencoder's has zeros and ones alone, which scikit-learn takes as targets, too."""
        rng = np.random.default_rng(0)
        if self.loss == "binary_crossentropy":
            x = (rng.random((self.batch, self.units[0])) < 0.2).astype(np.float32)
            return x, x
        x = rng.standard_normal((self.batch, self.units[0]), np.float32)
        if self.loss == "mean_squared_error":
            return x, rng.standard_normal((self.batch, self.units[-1]), np.float32)
        return x, rng.permutation(np.arange(self.batch) % self.units[-1])

    def contestants(self):
        """Name -> a training step."""
        return {name: train for name, (train, _) in trainers.everyone(self).items()}


class Prediction(Network):
    """The outputs for a batch, in an array of their own."""

    table = "Predictions"
    under = 10e-6  # seconds, for one row

    def contestants(self):
        return {name: predict for name, (_, predict) in trainers.everyone(self).items()}


NETWORKS = [
    Network("784-256-784 autoencoder, batch 256", (784, 256, 784), "binary_crossentropy", 256, 1.9, 2),
    Network("64-128-64-10 softmax, batch 32", (64, 128, 64, 10), "sparse_categorical_crossentropy", 32, 8, 10),
    Network("8-64-64-4 regression, tanh, batch 64", (8, 64, 64, 4), "mean_squared_error", 64, 10, 10, hidden="tanh"),
    Network("16-10-1 regression, batch 32", (16, 10, 1), "mean_squared_error", 32, 15, 10),
    Network("784-512-512-10 softmax, batch 128", (784, 512, 512, 10), "sparse_categorical_crossentropy", 128, 2.5, 2),
    Network("1024-2048-2048-1024 regression, batch 256", (1024, 2048, 2048, 1024), "mean_squared_error", 256, 1.15, 2),
    Prediction("64-128-64-10 softmax, batch 1", (64, 128, 64, 10), "sparse_categorical_crossentropy", 1),
]
