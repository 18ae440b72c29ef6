"""Checks of arguments, shared by all that take them: ValueError names the owner, the argument, what is expected and what came."""

from numbers import Real


def integer(owner, name, value, least=1):
    """The value as an int; raises unless it is an integer >= least."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise ValueError(f"{owner}: {name} must be an integer >= {least}, got {value!r}")
    return int(value)


def number(owner, name, value, least=float("-inf")):
    """The value; raises unless it is a real number >= least, which NaN is not."""
    if isinstance(value, bool) or not isinstance(value, Real) or not value >= least:
        bound = "" if least == float("-inf") else f" >= {least}"
        raise ValueError(f"{owner}: {name} must be a number{bound}, got {value!r}")
    return value
