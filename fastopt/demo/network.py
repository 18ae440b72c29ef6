"""The whole training by fastopt.nn: layers, loss and steps compiled, beside the same in plain NumPy."""

import time

import numpy as np

from .. import nn
from .digits import CHECKED, OPTIMIZERS, TOLERANCE, difference
from .training import BATCH, HIDDEN, Training

CHOICE = OPTIMIZERS["adam"]


class Network(Training):
    """The training of Training, by a model of fastopt.nn: the same images, first weights and batches for the same seed."""

    def __init__(self, seed):
        super().__init__(CHOICE, seed, in_numpy=True)
        layers = nn.layers
        self.model = nn.Sequential([
            layers.Input(shape=(64,), dtype="float64"),
            layers.Dense(HIDDEN, activation="tanh", dtype="float64"),
            layers.Dense(10, activation="softmax", dtype="float64"),
        ])  # fmt: skip
        self.model.compile(CHOICE.optimizer(**CHOICE.options), loss="sparse_categorical_crossentropy")
        self.model.set_weights(self.params)

    def epoch(self):
        order = self.rng.permutation(self.train)
        self.model.fit(self.x[order], self.y[order], batch_size=BATCH, shuffle=False, verbose=0)

    def accuracy(self):
        return np.mean(self.model.predict(self.x[self.test], verbose=0).argmax(axis=1) == self.y[self.test])


def run(epochs, seed, compiled=True):
    """Prints accuracy and time of both and returns what failed."""
    print(
        f"\nThe whole training: the same network with {CHOICE}, epochs: {epochs}, twice from the same\n"
        "weights: in plain NumPy as before, and as a model of fastopt.nn.\n\n"
        f"{'':12}  test accuracy  milliseconds per epoch"
    )
    ways = {"plain NumPy": Training(CHOICE, seed, in_numpy=True), "fastopt.nn": Network(seed)}
    nanoseconds, failures, checked = {way: [] for way in ways}, [], min(epochs, CHECKED)
    for epoch in range(1, epochs + 1):
        for way, training in ways.items():
            start = time.perf_counter_ns()
            training.epoch()
            nanoseconds[way].append(time.perf_counter_ns() - start)
        if epoch == checked:
            plain, network = ways.values()
            apart = difference(network.model.get_weights(), plain.params)
            if not apart <= TOLERANCE:
                failures = [f"fastopt.nn: weights after epoch {epoch} differ by {apart:.1e} of the largest; allowed {TOLERANCE:g}"]
    took = {way: np.median(spent) / 1e6 for way, spent in nanoseconds.items()}
    for way, training in ways.items():
        print(f"{way:12}  {training.accuracy():13.3f}  {took[way]:22.2f}")
    if compiled:
        print(f"The model trains {took['plain NumPy'] / took['fastopt.nn']:.1f} times as fast.")
    print(f"Weights after epoch {checked}: the two trainings differ by {apart:.1e} of the largest; allowed {TOLERANCE:g}.")
    return failures
