"""Stands in for fastopt._core where FASTOPT_BACKEND=reference: the same names, on the NumPy definitions alone."""

import numpy as np

from .step import Stepper

__all__ = [
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
