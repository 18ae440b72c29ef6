"""Helpers of Keras's keras.utils that listings use."""

import numpy as np

from ..backend import core
from ..data.sequences import pad_sequences
from .layer import clear_session
from .random import set_random_seed
from .torch_weights import export_torch_weights, import_torch_weights

__all__ = ["clear_session", "export_torch_weights", "import_torch_weights", "pad_sequences", "set_random_seed",
           "to_categorical"]  # fmt: skip


def to_categorical(x, num_classes=None):
    """One-hot rows of integer labels: x of shape (...) or (..., 1) gives (..., num_classes), float64 as in Keras.

    num_classes: None for the largest label + 1. Raises ValueError for labels below 0, at num_classes or above, or between integers.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    given = np.asarray(x)
    if given.dtype.kind not in "biuf":
        raise TypeError(f"to_categorical: x has dtype {given.dtype}, expected integers")
    if given.ndim > 1 and given.shape[-1] == 1:
        given = given[..., 0]
    with np.errstate(invalid="ignore"):
        labels = given.astype(np.int64)
    if (labels != given).any():
        raise ValueError(f"to_categorical: x holds {given[labels != given].flat[0]}, expected integers")
    if num_classes is None:
        num_classes = int(labels.max(initial=-1)) + 1
    if core.first_outside(labels, num_classes) >= 0:
        worst = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(f"to_categorical: x holds the label {worst}, expected 0 ... {num_classes - 1}")
    rows = np.zeros((labels.size, num_classes))
    rows[np.arange(labels.size), labels.reshape(-1)] = 1
    return rows.reshape(*labels.shape, num_classes)
