"""The dtypes that layers compute in, and data converted to them."""

import numpy as np


def check_dtype(owner, dtype):
    """Either "float32" or "float64" for what stands for one of them; None is float32."""
    name = "float32" if dtype is None else getattr(dtype, "name", getattr(dtype, "__name__", dtype))
    if name not in ("float32", "float64"):
        raise ValueError(f"{owner}: dtype must be 'float32' or 'float64', got {dtype!r}")
    return name


def as_float(owner, x, dtype, argument="input"):
    """An array of real numbers in this dtype; the same array where it is one already. TypeError for objects, strings, complex."""
    if type(x) is np.ndarray and x.dtype == dtype and x.flags.aligned:
        return x
    try:
        array = np.asarray(x)
    except ValueError:
        raise ValueError(f"{owner}: {argument} is a list whose parts differ in shape; expected one array") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{owner}: {argument} has dtype {array.dtype}, expected numbers; convert it before")
    return array.astype(dtype, copy=not array.flags.aligned)
