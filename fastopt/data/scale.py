"""Scaling of columns: to mean 0 and standard deviation 1, or to a range."""

import math

import numpy as np

from .fitted import Fitted, blocks, by_blocks, column


class Scaler(Fitted):
    """Base of the two: per column of x (N, ...) with axis=0, over all of x with axis=None."""

    def inverse_transform(self, x):
        """What transform was given, to rounding, as a fresh array."""
        return self._transform(self._columns("inverse_transform", x), inverse=True)

    def _check(self, owner):
        shape = getattr(self, self.STATISTICS[0]).shape
        if self.axis is None and shape != ():
            raise ValueError(f"{owner}: with axis=None the statistics are single numbers, got shape {shape}")

    def _extremes(self, x):
        """Least and greatest known value, float64; raises for Inf, columns of nothing but NaN, and where the spread overflows."""
        owner = f"{type(self).__name__}.fit"
        low = np.asarray(np.fmin.reduce(x, axis=self.axis), np.float64)
        high = np.asarray(np.fmax.reduce(x, axis=self.axis), np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            bad = ~np.isfinite(high - low)
        if bad.any():
            first = tuple(np.argwhere(bad)[0])
            raise ValueError(f"{owner}: {column(bad)} ranges from {low[first]} to {high[first]}, expected finite numbers")
        return low, high


class Standardizer(Scaler):
    """(x - mean) / scale: mean 0 and standard deviation 1, for each column of x (N, ...) (axis=0) or over all of it (axis=None).

    mean, scale: float64 (...), or () for axis=None; scale is the standard deviation with divisor N, 1 where a column is constant,
    which thus becomes 0. NaN is left out of both.

    >>> scaler = Standardizer().fit([[1.0, 7.0], [3.0, 7.0]])
    >>> scaler.mean, scaler.scale
    (array([2., 7.]), array([1., 1.]))
    >>> scaler.transform([[5.0, 8.0]])
    array([[3., 1.]])
    """

    SETTINGS = ("axis",)
    STATISTICS = ("mean", "scale")

    def __init__(self, axis=0):
        self.axis = _axis("Standardizer", axis)

    def _statistics(self, x):
        low, _ = self._extremes(x)  # taken off first, so that a constant column is exactly zero
        count = total = squares = np.zeros_like(low)
        for rows in blocks(x):
            offset = x[rows] - low
            count = count + np.count_nonzero(~np.isnan(offset), axis=self.axis)
            total = total + np.nansum(offset, axis=self.axis)
        centre = total / count
        with np.errstate(over="ignore"):
            for rows in blocks(x):
                squares = squares + np.nansum((x[rows] - low - centre) ** 2, axis=self.axis)
        scale = np.sqrt(squares / count)
        if not np.isfinite(scale).all():
            raise ValueError(
                f"Standardizer.fit: the variance of {column(~np.isfinite(scale))} overflows; divide x by its magnitude first"
            )
        return np.asarray(low + centre), np.where(scale > 0, scale, 1.0)

    def _transform(self, x, inverse):
        if inverse:
            return by_blocks(x, lambda block: block * self.scale + self.mean)
        return by_blocks(x, lambda block: (block - self.mean) / self.scale)

    def _check(self, owner):
        super()._check(owner)
        if not (self.scale > 0).all():
            raise ValueError(f"{owner}: scale must be > 0, got {self.scale}")


class MinMaxScaler(Scaler):
    """x mapped linearly so that its least value becomes feature_range[0] and its greatest feature_range[1], these two exactly.

    Per column of x (N, ...) (axis=0) or over all of it (axis=None). min, max: float64 (...), or () for axis=None, NaN left out. A
    constant column becomes feature_range[0]. Values outside [min, max] go outside the range.

    >>> MinMaxScaler().fit_transform(np.array([[0, 5], [10, 5], [5, 5]], np.uint8))
    array([[0. , 0. ],
           [1. , 0. ],
           [0.5, 0. ]], dtype=float32)
    """

    SETTINGS = ("feature_range", "axis")
    STATISTICS = ("min", "max")

    def __init__(self, feature_range=(0, 1), axis=0):
        self.axis = _axis("MinMaxScaler", axis)
        try:
            low, high = map(float, feature_range)
        except (TypeError, ValueError):
            raise TypeError(f"MinMaxScaler: feature_range must be a pair of numbers, got {feature_range!r}") from None
        if not (low < high and math.isfinite(high - low)):
            raise ValueError(f"MinMaxScaler: feature_range must be (low, high), finite and low < high, got {feature_range!r}")
        self.feature_range = low, high

    def _statistics(self, x):
        return self._extremes(x)

    def _transform(self, x, inverse):
        varies = self.max > self.min  # a constant column is taken to be 1 wide
        (a, b), start, width = self.feature_range, self.min, np.where(varies, self.max - self.min, 1.0)
        if inverse:
            a, b, start, width = self.min, np.where(varies, self.max, self.min + 1), a, b - a

        def mapped(block):
            t = (block - start) / width
            return (1 - t) * a + t * b  # exact at both ends, which a + t * (b - a) is not

        return by_blocks(x, mapped)

    def _check(self, owner):
        super()._check(owner)
        if not (self.min <= self.max).all():
            raise ValueError(f"{owner}: min must not be above max, got {self.min} and {self.max}")


def _axis(owner, axis):
    if axis is None or (isinstance(axis, int) and axis == 0 and axis is not False):
        return axis
    raise ValueError(f"{owner}: axis must be 0 (per column) or None (over all), got {axis!r}")
