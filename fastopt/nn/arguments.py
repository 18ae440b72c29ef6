"""Checks of arguments, shared by all that take them: errors name the owner, the argument, what is expected and what came."""

import os
from numbers import Real

import numpy as np


def integer(owner, name, value, least=1):
    """The value as an int; ValueError unless it is an integer >= least."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise ValueError(f"{owner}: {name} must be an integer >= {least}, got {value!r}")
    return int(value)


def number(owner, name, value, least=float("-inf")):
    """The value; ValueError unless it is a real number >= least, which NaN is not, nor are True and False."""
    if isinstance(value, bool) or not isinstance(value, Real) or not value >= least:
        bound = "" if least == float("-inf") else f" >= {least}"
        raise ValueError(f"{owner}: {name} must be a number{bound}, got {value!r}")
    return value


def flag(owner, name, value):
    """The value as a bool; ValueError unless it is True or False, or one of the numbers that are equal to them."""
    if not isinstance(value, (Real, np.bool_)) or value not in (False, True):
        raise ValueError(f"{owner}: {name} must be True or False, got {value!r}")
    return bool(value)


def verbosity(owner, value):
    """The value; ValueError unless it says how much is to be printed: a number, True or False."""
    return value if isinstance(value, bool) else number(owner, "verbose", value)


def path(owner, name, value):
    """The path as a string; TypeError for what is none."""
    try:
        return os.fsdecode(value)
    except TypeError:
        raise TypeError(f"{owner}: {name} must be a path, got {value!r}") from None
