"""Regression: a number from a few others, by Dense(10, relu) -> Dense(1), beside the straight answer of least squares."""

import time

import numpy as np

from .. import nn
from ..data import Standardizer, train_test_split
from ..nn.layers import Dense
from ..nn.models import Sequential
from .pictures import figure, save
from .sources import energy


def main(data=None, epochs=200, seed=0, output="."):
    """Returns (root mean square error of the network on the test rows, that of least squares), in the unit of the target."""
    nn.set_random_seed(seed)
    x, y, unit = energy(data)
    x_train, x_test, y_train, y_test = train_test_split(x, y[:, None], test_size=0.2, seed=seed)
    print(f"{len(x_train)} rows to train on, {len(x_test)} to test.")

    of_x, of_y = Standardizer().fit(x_train), Standardizer().fit(y_train)  # from the training rows alone
    x_train, x_test = of_x.transform(x_train), of_x.transform(x_test)

    model = Sequential()
    model.add(Dense(10, activation="relu", input_shape=(x_train.shape[1],)))
    model.add(Dense(1))
    model.compile(optimizer=nn.optimizers.Adam(learning_rate=0.01), loss="mse", metrics=["mae"])
    model.summary()

    start = time.perf_counter()
    history = model.fit(x_train, of_y.transform(y_train), epochs=epochs, validation_data=(x_test, of_y.transform(y_test)))
    seconds = time.perf_counter() - start
    predicted = of_y.inverse_transform(model.predict(x_test))

    with_one = [np.column_stack([rows, np.ones(len(rows))]) for rows in (x_train, x_test)]
    linear = with_one[1] @ np.linalg.lstsq(with_one[0], y_train)[0]
    error, straight = (float(np.sqrt(np.mean((guess - y_test) ** 2))) for guess in (predicted, linear))
    explained = 1 - np.mean((predicted - y_test) ** 2) / y_test.var()
    draw(history.history, output)
    print(
        f"Epochs: {epochs}, in {seconds:.2f} s. On the test rows the network is {error:.2f} {unit} off (root mean square),\n"
        f"least squares {straight:.2f}; it explains {explained:.1%} of the variance."
    )
    return error, straight


def draw(history, output):
    """The learning curves."""
    drawing, axes = figure(1, 1, (6, 4))
    if drawing is None:
        return
    axis = axes[0, 0]
    numbers = range(1, len(history["loss"]) + 1)
    axis.plot(numbers, history["loss"], label="training rows")
    axis.plot(numbers, history["val_loss"], label="test rows")
    axis.set(xlabel="epoch", ylabel="mean squared error, standardised", yscale="log")
    axis.grid(alpha=0.3)
    axis.legend()
    save(drawing, output, "regression.png")
