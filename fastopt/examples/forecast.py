"""A forecast: from two days by the hour the next one, by a GRU, against the naive forecast that nothing changes.

The network sees changes from the last known value and foretells them, so that it need not learn the level, which wanders.
"""

import time

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .. import nn
from ..nn.layers import GRU, Dense, Input
from ..nn.models import Sequential
from .pictures import figure, save
from .sources import Unusable, hours

SEEN, AHEAD = 48, 24  # hours


def main(data=None, epochs=10, seed=0, output=".", samples=None):
    """Returns (mean absolute error of the GRU over the hours ahead, of the last value kept), in the unit of the series."""
    nn.set_random_seed(seed)
    series, unit = hours(data, samples)
    cut = int(0.8 * len(series)) // 24 * 24  # the past to learn from, in whole days; what comes after is not seen
    if min(cut - SEEN, len(series) - cut) < AHEAD:
        raise Unusable(f"the series is too short: {len(series)} hours")
    scale = series[:cut].std()
    x_train, y_train, _ = windows(series[:cut], scale)
    x_test, y_test, last = windows(series[cut - SEEN :], scale)

    model = Sequential([Input(shape=(SEEN, 3)), GRU(32), Dense(AHEAD)])
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    model.summary()

    start = time.perf_counter()
    model.fit(x_train, y_train, epochs=epochs, batch_size=64)
    seconds = time.perf_counter() - start

    predicted = model.predict(x_test)
    by_hour = scale * np.abs(predicted - y_test).mean(axis=0), scale * np.abs(y_test).mean(axis=0)
    error, naive = (float(errors.mean()) for errors in by_hour)
    draw(series[cut:], last + scale * predicted, by_hour, unit, output)
    print(
        f"Epochs: {epochs}, in {seconds:.2f} s. Over the next {AHEAD} hours of unseen days the GRU is {error:.3f} {unit} off (mean "
        f"absolute error),\nthe last value kept {naive:.3f}; in the first hour {by_hour[0][0]:.3f} and {by_hour[1][0]:.3f}."
    )
    return error, naive


def windows(series, scale):
    """x (N, SEEN, 3): the change from the last value, the hour of the day as a point on a circle; y (N, AHEAD); the last (N, 1)."""
    parts = sliding_window_view(series, SEEN + AHEAD)
    last = parts[:, SEEN - 1 : SEEN]
    change = (parts - last) / scale
    hour = 2 * np.pi / 24 * (np.arange(len(parts))[:, None] + np.arange(SEEN))
    x = np.stack([change[:, :SEEN], np.sin(hour), np.cos(hour)], axis=-1)
    return x.astype(np.float32), change[:, SEEN:].astype(np.float32), last


def draw(series, forecasts, by_hour, unit, output):
    """A week with the forecast of each midnight, and the errors by hours ahead."""
    drawing, axes = figure(1, 2, (11, 4))
    if drawing is None:
        return
    week, curve = axes[0]
    week.plot(series[: 7 * 24], color="black", linewidth=1, label="measured")
    for day in range(0, min(7 * 24, len(forecasts)), 24):
        week.plot(range(day, day + AHEAD), forecasts[day], color="tab:blue", label=None if day else "forecast a day ahead")
    week.set(xlabel="hour", ylabel=unit)
    for errors, label in zip(by_hour, ("GRU", "last value kept")):
        curve.plot(range(1, AHEAD + 1), errors, label=label)
    curve.set(xlabel="hours ahead", ylabel=f"mean absolute error, {unit}", ylim=(0, None))
    for axis in (week, curve):
        axis.grid(alpha=0.3)
        axis.legend()
    save(drawing, output, "forecast.png")
