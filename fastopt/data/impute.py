"""Filling of missing values: what stands for NaN is found once, on the training set, and remembered."""

import math

import numpy as np

from .fitted import Fitted, column

STRATEGIES = ("mean", "median", "most_frequent", "constant")


class Imputer(Fitted):
    """Puts a value for NaN, one for each column of x (N, ...), found from the column's known values.

    strategy: "mean", "median", "most_frequent" (of equally frequent values the least), or "constant" (`value`, 0 by default).
    fill: float64 (...), what is put.

    Raises ValueError at fit where a column holds nothing but NaN (but for "constant") or where it holds Inf.

    >>> Imputer("median").fit([[1.0], [2.0], [9.0]]).transform([[np.nan], [5.0]])
    array([[2.],
           [5.]])
    """

    SETTINGS = ("strategy", "value")
    STATISTICS = ("fill",)

    def __init__(self, strategy="mean", value=None):
        if strategy not in STRATEGIES:
            raise ValueError(f"Imputer: strategy must be one of {', '.join(map(repr, STRATEGIES))}, got {strategy!r}")
        if value is not None and strategy != "constant":
            raise ValueError(f"Imputer: value is for strategy='constant', got {value!r} with {strategy!r}")
        try:
            self.value = 0.0 if value is None and strategy == "constant" else None if value is None else float(value)
        except (TypeError, ValueError):
            raise TypeError(f"Imputer: value must be a number, got {value!r}") from None
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"Imputer: value must be finite, got {value!r}")
        self.strategy = strategy

    def _statistics(self, x):
        if np.isinf(x).any():
            raise ValueError(f"Imputer.fit: {column(np.isinf(x).any(0))} holds Inf, expected finite numbers or NaN")
        if self.strategy == "constant":
            return (np.full(x.shape[1:], self.value),)
        empty = np.isnan(x).all(0)
        if empty.any():
            raise ValueError(f"Imputer.fit: {column(empty)} holds nothing but NaN; drop it, or use strategy='constant'")
        if self.strategy == "mean":
            return (np.asarray(np.nanmean(x, axis=0, dtype=np.float64)),)
        if self.strategy == "median":
            return (np.asarray(np.nanmedian(x.astype(np.float64), axis=0)),)
        flat = x.reshape(len(x), -1)
        return (np.array([_most_frequent(flat[:, j]) for j in range(flat.shape[1])]).reshape(x.shape[1:]),)

    def _transform(self, x, inverse):
        return np.where(np.isnan(x), self.fill.astype(x.dtype), x)


def fill_missing(x, strategy="mean", value=None):
    """x (N, ...) with NaN replaced by the mean of its column, or what Imputer(strategy, value) puts there; a fresh array.

    >>> fill_missing([[1.0, np.nan], [3.0, 5.0], [np.nan, 5.0]])
    array([[1., 5.],
           [3., 5.],
           [2., 5.]])
    """
    return Imputer(strategy, value).fit_transform(x)


def _most_frequent(values):
    values, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return float(values[counts.argmax()])
