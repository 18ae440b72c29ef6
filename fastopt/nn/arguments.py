"""Checks of arguments, shared by all that take them: errors name the owner, the argument, what is expected and what came."""

import functools
import inspect
import os
from numbers import Real

import numpy as np

from . import names


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


def uncalled(cls, methods, instead):
    """Raises TypeError where a class has one of these methods, which Keras would call and nothing does here; instead: its hint."""
    for name in methods:
        if hasattr(cls, name):
            raise TypeError(f"{cls.__name__}: {name} is never called here; {instead}")


def known_alone(method):
    """The method, which refuses an argument that it has not under its own name, and with the nearest that it has."""
    known = list(inspect.signature(method).parameters)[1:]

    @functools.wraps(method)
    def checked(self, *given, **named):
        for name in named:
            if name not in known:
                hint = names.nearest(name, known) or f", known: {', '.join(known)}"
                raise TypeError(f"{method.__name__}: unexpected argument {name!r}{hint}")
        return method(self, *given, **named)

    return checked
