"""A classifier: which digit is it? Ten probabilities from a softmax; training stops when unseen images gain no more."""

import time

import numpy as np

from .. import nn
from ..nn.callbacks import EarlyStopping
from ..nn.layers import Dense, Dropout, Input
from ..nn.models import Sequential
from .pictures import figure, save
from .sources import images


def main(data=None, epochs=50, seed=0, output="."):
    """Returns (accuracy on the test images, confusion matrix (10, 10))."""
    nn.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = images(data)

    model = Sequential([
        Input(shape=(x_train.shape[1],)),
        Dense(128, activation="relu"),
        Dropout(0.2),
        Dense(64, activation="relu"),
        Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.summary()

    stopping = EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
    start = time.perf_counter()
    history = model.fit(x_train, y_train, epochs=epochs, batch_size=64, validation_split=0.1, callbacks=[stopping])
    seconds = time.perf_counter() - start

    loss, accuracy = model.evaluate(x_test, y_test)
    predicted = model.predict(x_test).argmax(axis=1)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (y_test, predicted), 1)
    draw(confusion, output)
    best = int(np.argmin(history.history["val_loss"])) + 1
    print(
        "Confusion matrix: a row for each digit, a column for what it was taken for.\n"
        + "\n".join(f"{digit} | " + " ".join(f"{count or '.':>4}" for count in row) for digit, row in enumerate(confusion))
        + f"\nEpochs: {len(history.epoch)}, in {seconds:.2f} s, of which number {best} was the best. On the test images: loss "
        f"{loss:.4f},\naccuracy {accuracy:.4f}, {len(y_test) - np.trace(confusion)} of {len(y_test)} wrong."
    )
    return accuracy, confusion


def draw(confusion, output):
    """The confusion matrix; the shade is the share of the row, on a scale that shows the rare mistakes."""
    drawing, axes = figure(1, 1, (5, 5))
    if drawing is None:
        return
    axis = axes[0, 0]
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axis.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            axis.text(column, row, count, ha="center", va="center", color="white" if shares[row, column] > 0.25 else "black")
    axis.set(xlabel="taken for", ylabel="digit", xticks=range(10), yticks=range(10))
    save(drawing, output, "classifier.png")
