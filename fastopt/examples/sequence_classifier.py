"""A sequence labelled at every step: an image read row by row, and after each row a softmax over what digit it will be."""

import time

import numpy as np

from .. import nn
from ..nn.layers import Dense, Input, SimpleRNN
from ..nn.models import Sequential
from .sources import images


def main(data=None, epochs=20, seed=0, output=".", samples=None):
    """Returns (loss over all steps of the test images, accuracy after each row (rows,)). `output` is for the examples that draw."""
    nn.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = ((x[:samples], y[:samples]) for x, y in images(data))
    side = round(x_train.shape[1] ** 0.5)
    x_train, x_test = (x.reshape(-1, side, side) for x in (x_train, x_test))  # (images, rows, pixels): a row is a step
    at_each = np.repeat(y_train[:, None], side, axis=1), np.repeat(y_test[:, None], side, axis=1)

    model = Sequential([
        Input(shape=(side, side)),
        SimpleRNN(64, activation="relu", return_sequences=True),
        Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.summary()

    start = time.perf_counter()
    model.fit(x_train, at_each[0], epochs=epochs, batch_size=64, validation_split=0.1)
    seconds = time.perf_counter() - start

    loss, _ = model.evaluate(x_test, at_each[1])
    right = (model.predict(x_test).argmax(axis=-1) == y_test[:, None]).mean(axis=0)
    for row, share in enumerate(right, 1):
        print(f"after row {row:2}  {share:.3f}  {'#' * round(60 * share)}")
    print(
        f"Epochs: {epochs}, in {seconds:.2f} s. On the test images: loss {loss:.4f} over all rows,\n"
        f"accuracy {right[-1]:.4f} after the last one."
    )
    return loss, right
