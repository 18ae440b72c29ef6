"""Checks of arguments, shared by all that take them: errors name the owner, the argument, what is expected and what came."""

import functools
import inspect
import operator
import os
from numbers import Real

import numpy as np

from . import names


def integer(owner, name, value, least=1):
    """The value as an int; ValueError unless it is an integer >= least."""
    try:
        whole = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        whole = least - 1
    if whole < least:
        got = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)
        raise ValueError(f"{owner}: {name} must be an integer >= {least}, got {got}")
    return whole


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


class KnownAlone:
    """Base of classes that refuse an argument which they have not under their own name, and with the nearest that they have."""

    def __new__(cls, *given, **named):
        parameters = inspect.signature(cls.__init__).parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            _refuse_unknown(cls.__name__, list(parameters)[1:], named)
        return super().__new__(cls)


def _refuse_unknown(owner, known, named):
    for name in named:
        if name not in known:
            hint = names.nearest(name, known) or f", known: {', '.join(known)}"
            raise TypeError(f"{owner}: unexpected argument {name!r}{hint}")


def known_alone(method):
    """The method, which refuses an argument that it has not under its own name, and with the nearest that it has."""
    known = list(inspect.signature(method).parameters)[1:]

    @functools.wraps(method)
    def checked(self, *given, **named):
        _refuse_unknown(method.__name__, known, named)
        return method(self, *given, **named)

    return checked
