"""Labels as one-hot rows, and back."""

import operator

import numpy as np


def one_hot(labels, classes=None, dtype=np.float32):
    """An array (..., C) of `dtype` with a 1 in the column of each label of `labels` (...) and 0 elsewhere.

    classes: the number C of classes, the labels being integers 0 to C - 1 (or floats that are such integers, as tables hold them);
    or the C distinct values that labels take (numbers or strings), in the order of the columns. None: one more than the largest.
    Raises ValueError naming the first label that is none of the classes.

    >>> one_hot([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]], dtype=float32)
    >>> one_hot(["no", "yes"], classes=["no", "yes"], dtype=int)
    array([[1, 0],
           [0, 1]])
    """
    labels, dtype = np.asarray(labels), np.dtype(dtype)
    if dtype.kind not in "biufc":
        raise TypeError(f"one_hot: dtype must be one of numbers, got {dtype}")
    values = _values("one_hot", classes)
    codes = _integers(labels) if values is None else _positions(labels, values)
    count = len(values) if values is not None else classes if classes is not None else int(codes.max(initial=-1)) + 1
    outside = (codes < 0) | (codes >= count)
    if outside.any():
        where = tuple(np.argwhere(outside)[0].tolist())
        expected = f"0 to {int(count) - 1}" if values is None else f"one of the {count} classes"
        raise ValueError(f"one_hot: labels holds {labels[where].item()!r} at index {where}, expected {expected}")
    rows = np.zeros((*codes.shape, count), dtype)
    np.put_along_axis(rows, codes[..., None], 1, axis=-1)
    return rows


def inverse_one_hot(rows, classes=None):
    """The labels (...) of `rows` (..., C): of each row the column of the largest entry, the first of equal ones; scores serve too.

    Returns int64, or entries of `classes` where these are given as values. NaN is refused.

    >>> inverse_one_hot([[0.1, 0.9], [0.8, 0.2]], classes=["no", "yes"])
    array(['yes', 'no'], dtype='<U3')
    """
    rows, values = np.asarray(rows), _values("inverse_one_hot", classes)
    if rows.dtype.kind not in "biuf":
        raise TypeError(f"inverse_one_hot: rows has dtype {rows.dtype}, expected numbers")
    count = None if classes is None else classes if values is None else len(values)
    if rows.ndim == 0 or rows.shape[-1] == 0 or count not in (None, rows.shape[-1]):
        raise ValueError(f"inverse_one_hot: rows has shape {rows.shape}, expected (..., {'C' if count is None else count})")
    if rows.dtype.kind == "f" and np.isnan(rows).any():
        raise ValueError(f"inverse_one_hot: rows holds NaN at index {tuple(np.argwhere(np.isnan(rows))[0].tolist())}")
    codes = rows.argmax(-1).astype(np.int64)
    return codes if values is None else values[codes]


def _values(owner, classes):
    """classes as an array of values, or None where it is None or a number."""
    if classes is None:
        return None
    try:
        count = operator.index(classes)
    except TypeError:
        pass
    else:
        if isinstance(classes, (bool, np.bool_)) or count < 1:
            raise ValueError(f"{owner}: classes must be at least 1, got {classes!r}")
        return None
    values = np.asarray(classes)
    if values.ndim != 1 or len(values) == 0 or values.dtype.kind not in "biufSU":
        raise TypeError(f"{owner}: classes must be a number or a sequence of numbers or strings, got {classes!r}")
    if len(np.unique(values)) != len(values):
        raise ValueError(f"{owner}: classes holds a value twice, got {classes!r}")
    return values


def _integers(labels):
    """Labels as int64, where they are whole numbers."""
    if labels.size == 0:
        return np.zeros(labels.shape, np.int64)
    if labels.dtype.kind not in "biuf":
        raise TypeError(
            f"one_hot: labels has dtype {labels.dtype}, expected integers; for others pass classes, the values they take"
        )
    with np.errstate(invalid="ignore"):
        codes = labels.astype(np.int64)
    wrong = codes != labels
    if wrong.any():
        where = tuple(np.argwhere(wrong)[0].tolist())
        raise ValueError(f"one_hot: labels holds {labels[where].item()!r} at index {where}, expected integers")
    return codes


def _positions(labels, values):
    """The position of each label among values, -1 where it is none of them."""
    kinds = {array.dtype.kind if array.dtype.kind in "OSU" else "number" for array in (labels, values)}
    if labels.size and len(kinds) > 1:
        raise TypeError(f"one_hot: labels has dtype {labels.dtype}, but classes {values.dtype}")
    order = np.argsort(values)
    codes = order[np.searchsorted(values[order], labels).clip(max=len(values) - 1)]
    return np.where(values[codes] == labels, codes, -1)
