"""Stands in for fastopt._core where FASTOPT_BACKEND=reference: the same names, on the NumPy definitions alone."""

import numpy as np

from .dense import dense_backward, dense_forward
from .step import Stepper

__all__ = [
    "DensePasses",
    "Stepper",
    "all_within",
    "build",
    "chosen_num_threads",
    "first_outside",
    "get_num_threads",
    "has_openmp",
    "isa",
    "isas",
    "region_nanoseconds",
    "set_num_threads",
    "start",
]


def start(threads):
    pass


def build():
    return {}


def isas():
    return ["numpy"]


def isa():
    return "numpy"


def has_openmp():
    return False


def region_nanoseconds():
    return 0.0


def set_num_threads(n):
    pass


def chosen_num_threads():
    return 0


def get_num_threads():
    return 1


def all_within(numbers, low=-np.inf, high=np.inf):
    """Whether all numbers are finite and in [low, high]."""
    return bool((np.isfinite(numbers) & (numbers >= low) & (numbers <= high)).all())


def first_outside(indices, limit):
    """The position, in C order, of the first of some integers that is not in [0, limit); -1 where there is none."""
    outside = ((indices < 0) | (indices >= limit)).reshape(-1)
    return int(outside.argmax()) if outside.any() else -1


class DensePasses:
    """A dense layer that writes to the same arrays in every pass; see fastopt._core.DensePasses."""

    def __init__(self, activation, alpha, y, z):
        self.activation, self.alpha, self.y, self.z = activation, alpha, y, z

    def forward(self, x, kernel, bias):
        out = self.y if self.z is None else (self.y, self.z)
        dense_forward(x, kernel, bias, self.activation, return_z=self.z is not None, alpha=self.alpha, out=out)
        return self.y

    def backward(self, dy, x, kernel, out, accumulate):
        options = {"need": [array is not None for array in out], "accumulate": accumulate, "out": out}
        dense_backward(dy, x, kernel, self.y, self.activation, z=self.z, alpha=self.alpha, **options)
