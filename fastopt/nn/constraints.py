"""Constraints: sets that a weight is put back into after each step of the optimizer, under Keras's names, defaults and formulas.

Steps and ways back in turn are the method of projected gradients (Goldstein 1964).
"""

import sys
from numbers import Real

import numpy as np

from . import names

_EPSILON = 1e-7  # Keras's backend.epsilon(), which keeps a norm of 0 from being divided by


class Constraint(names.Configured):
    """Base: a subclass writes __call__(w) -> array like w, and get_config where it has arguments; a function w -> w serves, too.

    fit and train_on_batch apply the constraints of the weights that train after each step of the optimizer; averages that it keeps
    (use_ema) are, as in Keras, of the weights before. In a loop of your own, call weight.constrain() on model.trainable_weights.

    >>> import numpy as np
    >>> from fastopt.nn import constraints
    >>> constraints.NonNeg()(np.array([1.0, -2.0]))
    array([1., 0.])
    """

    def __call__(self, w):
        """What the array w becomes; here w itself. It may be written to."""
        return w


class NonNeg(Constraint):
    """max(w, 0)."""

    def __call__(self, w):
        return np.maximum(w, 0)


class _Norm(Constraint):
    """Base of those that give vectors another norm, w wanted / (1e-7 + norm): a subclass writes _wanted(norms)."""

    def __init__(self, axis=0):
        axes = axis if isinstance(axis, (list, tuple)) else (axis,)
        if any(isinstance(one, bool) or not hasattr(one, "__index__") for one in axes):
            raise ValueError(f"{type(self).__name__}: axis must be an integer or a list of integers, got {axis!r}")
        self.axis = [int(one) for one in axes] if axes is axis else int(axis)

    def __call__(self, w):
        norms = np.sqrt(np.square(w).sum(tuple(np.atleast_1d(self.axis)), keepdims=True))
        return w * (self._wanted(norms) / (_EPSILON + norms))

    def get_config(self):
        return {"axis": self.axis}


class MaxNorm(_Norm):
    """w min(norm, max_value) / (1e-7 + norm): vectors of at most that length (Srebro & Shraibman 2005).

    axis: an integer, or a list of them, along which a vector lies: 0 are the inputs of a unit in a kernel (I, O).
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value = _number(self, "max_value", max_value)
        super().__init__(axis)

    def _wanted(self, norms):
        return np.minimum(norms, self.max_value)

    def get_config(self):
        return {"max_value": self.max_value, **super().get_config()}


class UnitNorm(_Norm):
    """w / (1e-7 + norm): vectors of length 1. axis: as in MaxNorm."""

    def _wanted(self, norms):
        return 1


class MinMaxNorm(_Norm):
    """w (rate clip(norm, min_value, max_value) + (1 - rate) norm) / (1e-7 + norm): lengths between the two, or on the way there.

    rate: the share of the way that is gone at each step, in [0, 1]. axis: as in MaxNorm.
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value = _number(self, "min_value", min_value), _number(self, "max_value", max_value)
        if self.min_value > self.max_value:
            raise ValueError(f"MinMaxNorm: min_value must be <= max_value, got {min_value!r} and {max_value!r}")
        self.rate = _number(self, "rate", rate, most=1)
        super().__init__(axis)

    def _wanted(self, norms):
        return self.rate * np.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms

    def get_config(self):
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, **super().get_config()}


def _number(owner, name, value, most=sys.float_info.max):
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= most:
        expected = f"a number in [0, {most}]" if most == 1 else "a finite number >= 0"
        raise ValueError(f"{type(owner).__name__}: {name} must be {expected}, got {value!r}")
    return float(value)


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm  # as in Keras

TABLE = {cls.__name__: cls for cls in (Constraint, NonNeg, MaxNorm, UnitNorm, MinMaxNorm)}

serialize = names.serialize


def deserialize(config, custom_objects=None):
    """The constraint of config, {"class_name": ..., "config": ...}.

    custom_objects: {name: class or function} for what is not fastopt's own.
    """
    return names.deserialize("constraint", config, TABLE, custom_objects)


def get(identifier):
    """The constraint for identifier: a name, class, configuration, object, or function w -> w; None for None."""
    return names.resolve("constraint", identifier, TABLE, Constraint)
