"""Indices as users pass them: integers of any type, or floats that hold integers; and whether they are in range."""

import numpy as np

from ..backend import core


def integers(owner, x, argument="x"):
    """An array of integers of the type in which they came; floats and booleans that hold integers are converted.

    Raises ValueError for other numbers, TypeError for what is none.
    """
    try:
        array = np.asarray(x)
    except ValueError:
        raise ValueError(f"{owner}: {argument} is a list whose parts differ in shape; expected one array") from None
    if array.dtype.kind in "iu":
        return array
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind != "f":
        raise TypeError(f"{owner}: {argument} has dtype {array.dtype}, expected integers")
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.int64)
    if (whole != array).any():
        at = np.unravel_index(np.argmax(whole != array), array.shape)
        raise ValueError(f"{owner}: {argument}{[int(i) for i in at]} is {array[at]}, expected integers, which number rows")
    return whole


def check(owner, array, limit, argument="x"):
    """Raises ValueError that names the first index out of range and its place."""
    position = core.first_outside(array, limit)
    if position >= 0:
        at = np.unravel_index(position, array.shape)
        raise ValueError(f"{owner}: {argument}{[int(i) for i in at]} is {array[at]}, expected an index in [0, {limit})")
