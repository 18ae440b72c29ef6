"""Stands in for fastopt._core where FASTOPT_BACKEND=reference: the same names, on the NumPy definitions alone."""

from .step import Stepper

__all__ = [
    "Stepper",
    "build",
    "chosen_num_threads",
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
