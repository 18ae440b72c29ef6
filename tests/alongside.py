"""A model of fastopt's and the same one of Keras's, trained side by side."""

import numpy as np


def train_alike(ours, theirs, x, y, loss, steps=3, rtol=1e-4, atol=1e-6):
    """Compiles both with SGD; their losses agree at each step to a tenth of rtol, and then their weights."""
    for model in theirs, ours:
        model.compile("sgd", loss)
    for _ in range(steps):
        np.testing.assert_allclose(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=rtol / 10)
    for mine, weight in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(mine, weight, rtol=rtol, atol=atol)
