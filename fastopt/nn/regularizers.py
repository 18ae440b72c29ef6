"""Regularisers: penalties on parameters that enter the loss and the gradients, under Keras's names and defaults."""

import math
from numbers import Real

import numpy as np

from .. import kernels
from . import names


class Regularizer(names.Configured):
    """Base: a subclass writes __call__(w) -> float, add_gradient(w, grad) -> float and get_config.

    >>> import numpy as np
    >>> from fastopt.nn import regularizers
    >>> regularizers.L2(0.5)(np.array([1.0, 2.0]))
    2.5
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__call__" in vars(cls) and "add_gradient" not in vars(cls):
            raise TypeError(f"{cls.__name__}: __call__ alone leaves the gradient open; write add_gradient(w, grad) too")

    def __call__(self, w):
        """The penalty of the array w, a float."""
        raise NotImplementedError(f"{type(self).__name__}: a regularizer must define __call__(w)")

    def add_gradient(self, w, grad):
        """Adds the penalty's gradient to the array grad, in place, and returns the penalty."""
        raise NotImplementedError(f"{type(self).__name__}: a regularizer must define add_gradient(w, grad)")

    def get_config(self):
        """The arguments it was made with, as a dict."""
        raise NotImplementedError(f"{type(self).__name__}: a regularizer must define get_config() to be saved")


class L1L2(Regularizer):
    """l1 sum |w| + l2 sum w^2 (Zou & Hastie 2005); the gradient of |w| at 0 is 0."""

    def __init__(self, l1=0.0, l2=0.0):
        self.l1, self.l2 = _factor(self, "l1", l1, 0.0), _factor(self, "l2", l2, 0.0)

    def __call__(self, w):
        return kernels.penalty(w, l1=self.l1, l2=self.l2)[0]

    def add_gradient(self, w, grad):
        return kernels.penalty(w, l1=self.l1, l2=self.l2, accumulate=True, out=grad)[0]

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """l1 sum |w| (Tibshirani 1996)."""

    def __init__(self, l1=0.01):
        super().__init__(l1=_factor(self, "l1", l1, 0.01))

    def get_config(self):
        return {"l1": self.l1}


class L2(L1L2):
    """l2 sum w^2 (Hoerl & Kennard 1970)."""

    def __init__(self, l2=0.01):
        super().__init__(l2=_factor(self, "l2", l2, 0.01))

    def get_config(self):
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """factor times the mean of |cos| between different rows, or with mode "columns" columns, of a matrix."""

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _factor(self, "factor", factor, 0.01)
        self.mode = names.find("OrthogonalRegularizer: mode", mode, {"rows": "rows", "columns": "columns"})

    def __call__(self, w):
        return self._cosines(w)[0]

    def add_gradient(self, w, grad):
        value, signs, units, norms, scale = self._cosines(w)
        slope = (2 * scale) * (signs @ units)
        slope -= (slope * units).sum(1, keepdims=True) * units
        slope /= norms
        grad += slope if self.mode == "rows" else slope.T
        return value

    def _cosines(self, w):
        """The penalty, and for its gradient the signs of the cosines, the vectors at length 1, their lengths, the scale."""
        if w.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer: w has shape {w.shape}, expected two dimensions")
        vectors = w if self.mode == "rows" else w.T
        norms = np.maximum(np.sqrt((vectors * vectors).sum(1, keepdims=True)), 1e-12)
        units, count = vectors / norms, len(vectors)
        cosines = units @ units.T
        np.fill_diagonal(cosines, 0)
        scale = self.factor / max(count * (count - 1), 1)
        return scale * float(np.abs(cosines).sum()), np.sign(cosines), units, norms, scale

    def get_config(self):
        return {"factor": self.factor, "mode": self.mode}


def l1(l1=0.01):
    """L1(l1)."""
    return L1(l1)


def l2(l2=0.01):
    """L2(l2)."""
    return L2(l2)


def l1_l2(l1=0.01, l2=0.01):
    """L1L2(l1, l2), here with defaults of 0.01."""
    return L1L2(l1, l2)


def _factor(owner, name, value, default):
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < math.inf:
        raise ValueError(f"{type(owner).__name__}: {name} must be a finite number >= 0, got {value!r}")
    return float(value)


TABLE = {cls.__name__: cls for cls in (L1, L2, L1L2, OrthogonalRegularizer)}

serialize = names.serialize


def deserialize(config, custom_objects=None):
    """The regulariser of config, {"class_name": ..., "config": ...}.

    custom_objects: {name: class} for what is not fastopt's own.
    """
    return names.deserialize("regularizer", config, TABLE, custom_objects)


def get(identifier):
    """The regulariser for identifier: a name ("l2" has Keras's factor 0.01), class, configuration or object; None for None."""
    found = names.resolve("regularizer", identifier, TABLE, Regularizer)
    if found is not None and not hasattr(found, "add_gradient"):
        raise TypeError(f"regularizer: {identifier!r} has no add_gradient(w, grad); subclass Regularizer")
    return found
