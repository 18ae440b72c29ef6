"""Targets: checked and converted once per fit to what the loss kernels take, never broadcast."""

import numpy as np

from ..backend import core


def floats(owner, y, output_shape, dtype):
    """Targets (N, ...) as an array of `dtype` that fits outputs of output_shape (None, ...); the array itself where it does.

    Where the last dimension is 1 either side may lack it. Raises ValueError for other shapes and where a target is NaN or
    infinite, TypeError for objects and strings.
    """
    converted = _converted(owner, y, output_shape, dtype)
    if not core.all_within(converted):
        _refuse(owner, converted, ~np.isfinite(converted), "finite numbers")
    return converted


def probabilities(owner, y, output_shape, dtype):
    """As floats; each must lie in [0, 1]."""
    converted = _converted(owner, y, output_shape, dtype)
    if not core.all_within(converted, 0, 1):
        floats(owner, converted, output_shape, dtype)
        _refuse(owner, converted, (converted < 0) | (converted > 1), "probabilities in [0, 1]")
    return converted


def labels(owner, y, output_shape, ignore=None):
    """Integer labels (N, ...), or (N, ..., 1), for outputs (None, ..., C), as int64 in [0, C); `ignore` may stand among them."""
    y = numeric(owner, y)
    count = output_shape[-1]
    if y.ndim == len(output_shape) and y.shape[-1] == 1:
        y = y[..., 0]
    if y.ndim != len(output_shape) - 1 or y.shape[1:] != tuple(output_shape[1:-1]):
        hint = "; for one-hot rows take categorical_crossentropy" if y.shape[1:] == tuple(output_shape[1:]) else ""
        expected = (*y.shape[:1], *output_shape[1:-1])
        raise ValueError(f"{owner}: y has shape {y.shape}, expected integer labels of shape {expected} for {count} classes{hint}")
    converted = _whole(owner, y) if y.dtype.kind == "f" else np.ascontiguousarray(y, np.int64)
    if core.first_outside(converted, count) >= 0:
        wrong = (converted < 0) | (converted >= count)
        if ignore is not None:
            wrong &= converted != ignore
        if wrong.any():
            _refuse(owner, converted, wrong, f"a class in [0, {count})")
    return converted


def _whole(owner, y):
    """Floats that hold integers, as int64."""
    with np.errstate(invalid="ignore"):
        converted = np.ascontiguousarray(y, np.int64)
    if (converted != y).any():
        _refuse(owner, y, converted != y, "integer labels")
    return converted


def numeric(owner, y, name="y"):
    """The array of y; raises TypeError for objects, strings, and lists of unequal lengths."""
    try:
        y = np.asarray(y)
    except ValueError as error:
        raise ValueError(f"{owner}: {name} is no rectangular array ({error})") from None
    if y.dtype.kind not in "biuf":
        raise TypeError(f"{owner}: {name} has dtype {y.dtype}, expected numbers")
    return y


def _converted(owner, y, output_shape, dtype):
    """Numbers of any kind as an array of `dtype` that fits outputs of output_shape."""
    return np.ascontiguousarray(_shaped(owner, numeric(owner, y), output_shape), dtype)


def _shaped(owner, y, output_shape):
    shape = tuple(output_shape[1:])
    if y.ndim and y.shape[1:] == shape:
        return y
    if y.ndim and shape[-1:] == (1,) and y.shape[1:] == shape[:-1]:
        return y[..., None]
    if y.ndim > 1 and y.shape[1:] == (*shape, 1):
        return y[..., 0]
    hint = ""
    if shape and y.shape[1:] in (shape[:-1], (*shape[:-1], 1)) and y.dtype.kind in "biu":
        hint = "; for integer labels take sparse_categorical_crossentropy, or nn.to_categorical"
    raise ValueError(f"{owner}: y has shape {y.shape}, expected {(*y.shape[:1], *shape)} as the outputs{hint}")


def _refuse(owner, y, wrong, expected):
    where = np.unravel_index(int(np.argmax(wrong)), y.shape)
    raise ValueError(f"{owner}: y[{', '.join(str(int(i)) for i in where)}] is {y[where]:g}, expected {expected}")
