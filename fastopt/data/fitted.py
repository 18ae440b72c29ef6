"""What scalers and imputers share: a fit remembers statistics of columns, which a state_dict carries from place to place."""

import numpy as np


class Fitted:
    """Base of what is fitted to samples x (N, ...) and then transforms them, or others with the same columns.

    Results have the dtype of x, float32 or float64; integers of up to 16 bits, booleans and float16 become float32, others float64.
    The arithmetic is double, so a result is rounded once.

    A subclass names its settings in SETTINGS and its statistics in STATISTICS, and has `_statistics(x)`, which returns the latter
    as arrays of float64, and `_transform(x, inverse)`.
    """

    SETTINGS: tuple[str, ...] = ()
    STATISTICS: tuple[str, ...] = ()

    def fit(self, x):
        """Remembers the statistics of x (N, ...), at least one sample; returns self. Inf is refused, NaN counts as missing."""
        x = floats(f"{type(self).__name__}.fit", x)
        if x.size == 0:
            raise ValueError(f"{type(self).__name__}.fit: x has shape {x.shape}, expected at least one sample")
        statistics = self._statistics(x)
        for name, value in zip(self.STATISTICS, statistics):
            setattr(self, name, value)
        return self

    def transform(self, x):
        """x (N, ...) transformed by the statistics that fit remembered, as a fresh array; NaN stays NaN where it is not filled."""
        return self._transform(self._columns("transform", x), inverse=False)

    def fit_transform(self, x):
        """fit(x), then transform(x)."""
        return self.fit(x).transform(x)

    def state_dict(self):
        """Settings and statistics as a dict of numbers and arrays, copied."""
        self._needs_fit("state_dict")
        return {
            name: np.copy(value) if isinstance(value := getattr(self, name), np.ndarray) else value
            for name in (*self.SETTINGS, *self.STATISTICS)
        }

    def load_state_dict(self, state):
        """Takes state, what state_dict returned, settings included; ValueError where it is of another, and nothing changes then."""
        owner, names = f"{type(self).__name__}.load_state_dict", (*self.SETTINGS, *self.STATISTICS)
        if not hasattr(state, "keys") or set(state.keys()) != set(names):
            got = sorted(map(str, state.keys())) if hasattr(state, "keys") else type(state).__name__
            raise ValueError(f"{owner}: expected a dict with {', '.join(names)}, got {got}")
        other = type(self)(**{name: state[name] for name in self.SETTINGS})
        for name in self.STATISTICS:
            value = np.array(floats(owner, state[name], name), np.float64)
            if not np.isfinite(value).all() or value.shape != np.shape(state[self.STATISTICS[0]]):
                raise ValueError(f"{owner}: {name} must be finite and of the shape of {self.STATISTICS[0]}, got {state[name]!r}")
            setattr(other, name, value)
        other._check(owner)
        self.__dict__ = other.__dict__

    def _check(self, owner):
        """Raises where loaded statistics cannot be those of a fit."""

    def _needs_fit(self, method):
        if not hasattr(self, self.STATISTICS[0]):
            raise RuntimeError(f"{type(self).__name__}.{method}: nothing is remembered yet; call fit first")

    def _columns(self, method, x):
        """x as floats, its columns being those of the fit."""
        self._needs_fit(method)
        owner, x = f"{type(self).__name__}.{method}", floats(f"{type(self).__name__}.{method}", x)
        expected = getattr(self, self.STATISTICS[0]).shape
        if getattr(self, "axis", 0) == 0 and x.shape[1:] != expected:
            raise ValueError(f"{owner}: x has shape {x.shape}, expected (N{''.join(f', {size}' for size in expected)}) as at fit")
        return x

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.SETTINGS)})"


def floats(owner, x, name="x"):
    """x as an array of float32 or float64, itself where it is one; at least one dimension where it is called x."""
    try:
        x = np.asarray(x)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{owner}: {name} is no array ({error})") from None
    if x.dtype.kind not in "biuf":
        raise TypeError(f"{owner}: {name} has dtype {x.dtype}, expected numbers")
    if name == "x" and x.ndim == 0:
        raise ValueError(f"{owner}: x has shape (), expected (N, ...)")
    narrow = x.dtype.itemsize <= 2 or (x.dtype.kind == "f" and x.dtype.itemsize == 4)
    return x.astype(np.float32 if narrow else np.float64, copy=False)


def column(where):
    """Words for the first column where `where` holds, or for all of it."""
    return f"column {', '.join(map(str, np.argwhere(where)[0].tolist()))}" if where.ndim else "x"


def blocks(x, size=2**16):
    """Slices of about `size` elements along the first axis: temporaries in double stay small."""
    rows = max(1, size * len(x) // max(1, x.size))
    return [slice(start, start + rows) for start in range(0, len(x), rows)]


def by_blocks(x, function):
    """function(block of x in double), which has the block's shape, for all of x, in the dtype of x."""
    out = np.empty(x.shape, x.dtype)
    for rows in blocks(x):
        out[rows] = function(x[rows].astype(np.float64))
    return out
