"""What the examples learn from: files where there is a folder of them, else what needs none."""

import os
from pathlib import Path

import numpy as np

from ..data import load_digits, load_mnist, load_table, train_test_split


class Unusable(Exception):
    """The folder given does not hold what the example needs, or its files cannot be read."""


def images(data=None):
    """(x_train, y_train), (x_test, y_test): images flattened and scaled to [0, 1], float32 (N, pixels), and their labels (N,).

    MNIST from the folder `data` or FASTOPT_DATA, 60,000 and 10,000 images of 28x28; else the digits that come with fastopt,
    1,437 and 360 of 8x8. Raises Unusable where the folder `data` has no MNIST.
    """
    if data or os.environ.get("FASTOPT_DATA"):
        try:
            train, test = load_mnist(data or None)
        except (OSError, ValueError) as error:
            settle(data, error)
        else:
            shape = "x".join(map(str, train[0].shape[1:]))
            print(f"MNIST: {len(train[0]):,} images of {shape} pixels to train on, {len(test[0]):,} to test.")
            return tuple((x.reshape(len(x), -1).astype(np.float32) / 255, y) for x, y in (train, test))
    print("The digits that come with fastopt: 1,437 images of 8x8 pixels to train on, 360 to test.")
    x, y = load_digits()
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=360, stratify=y, seed=0)
    return (x_train, y_train), (x_test, y_test)


def energy(data=None):
    """x (768, 8), y (768,) and the unit of y: what buildings of twelve shapes need for heating, by form and glazing.

    From ENB2012_data.csv in the folder `data` or FASTOPT_DATA or in its subfolder "tabular" (A. Tsanas and A. Xifara, "Energy
    efficiency", UCI Machine Learning Repository, 2012); else made up: 768 rows of ten inputs, uniform on [0, 1), five of which
    matter, by J. H. Friedman's function (1991) with noise. Raises Unusable where the folder `data` has no such file.
    """
    folder = data or os.environ.get("FASTOPT_DATA")
    if folder:
        try:
            x, y = load_table(_table(folder, "ENB2012_data.csv"), drop="Y2").split("Y1")
        except (OSError, ValueError) as error:
            settle(data, error)
        else:
            print("Energy efficiency of buildings: their heating load from eight columns.")
            return x, y, "kWh/m2"
    print("No table given (--data), so one is made up: Friedman's function of ten columns, with noise of standard deviation 1.")
    rng = np.random.default_rng(0)
    x = rng.random((768, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4] + rng.normal(size=768)
    return x, y, "units"


def hours(data=None, samples=None):
    """y (N,): a measurement by the hour, and its unit.

    The temperature of the oil in a transformer, column OT of ETTh1.csv in the folder `data` or FASTOPT_DATA or in its subfolder
    "tabular" (H. Zhou et al., "Informer", AAAI 2021), 17,420 hours; else 4,320 made up: a daily swing whose size wanders, on a
    level that does. samples: at most so many. Raises Unusable where the folder `data` has no such file.
    """
    folder = data or os.environ.get("FASTOPT_DATA")
    if folder:
        try:
            y = load_table(_table(folder, "ETTh1.csv")).select("OT")[:samples, 0]
        except (OSError, ValueError) as error:
            settle(data, error)
        else:
            print(f"Oil of a transformer: its temperature in {len(y):,} hours.")
            return y, "degrees"
    rng = np.random.default_rng(0)
    level, swing = 0.3 * rng.normal(size=4320).cumsum(), 4 + 0.1 * rng.normal(size=4320).cumsum()
    y = (20 + level + swing * np.sin(2 * np.pi * np.arange(4320) / 24) + 0.5 * rng.normal(size=4320))[:samples]
    print(f"No table given (--data), so a series is made up: {len(y):,} hours.")
    return y, "units"


def _table(folder, name):
    """The path of a table."""
    places = [Path(folder) / name, Path(folder) / "tabular" / name]
    path = next((path for path in places if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"{name} not found in {folder!r} nor in its subfolder 'tabular'")
    return path


def settle(data, error):
    """A folder asked for by name must do; for one in the environment there is a substitute."""
    if data:
        raise Unusable(error) from error
    print(f"FASTOPT_DATA is of no use here: {error}")
