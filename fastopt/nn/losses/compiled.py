"""The losses that have a kernel."""

import numpy as np

from .. import targets
from .base import Loss


class MeanSquaredError(Loss):
    """mean (y - p)^2 over the last axis. Arguments: see Loss.

    >>> from fastopt.nn import losses
    >>> losses.MeanSquaredError()([[1.0, 2.0]], [[1.0, 4.0]])
    2.0
    """

    kernel = "mean_squared_error"

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name, reduction, dtype)


class MeanAbsoluteError(Loss):
    """mean |y - p| over the last axis; the gradient where they are equal is 0. Arguments: see Loss."""

    kernel = "mean_absolute_error"

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(name, reduction, dtype)


class Huber(Loss):
    """Huber (1964): (y - p)^2 / 2 within delta, delta |y - p| - delta^2 / 2 beyond; mean over the last axis.

    Further arguments: see Loss.
    """

    kernel, options = "huber", ("delta",)

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        self.delta = delta
        super().__init__(name, reduction, dtype)

    def get_config(self):
        return super().get_config() | {"delta": self.delta}


class CosineSimilarity(Loss):
    """-cos of the angle between y and p, over the last axis: -1 where they point the same way.

    axis: -1. Further arguments: see Loss.
    """

    kernel = "cosine_similarity"

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        _last_axis(self, axis)
        super().__init__(name, reduction, dtype)


class KLDivergence(Loss):
    """sum y log(y / p) over the last axis, both clipped to [1e-7, 1] (Kullback & Leibler 1951). Arguments: see Loss."""

    kernel = "kl_divergence"

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(name, reduction, dtype)

    def prepare(self, owner, y_true, output_shape, dtype):
        return targets.probabilities(owner, y_true, output_shape, dtype)


class Hinge(Loss):
    """mean max(1 - y p, 0) over the last axis, y being -1 or 1; labels 0 and 1 are taken as these (Cortes & Vapnik 1995).

    Arguments: see Loss.
    """

    kernel = "hinge"

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(name, reduction, dtype)


class BinaryCrossentropy(Loss):
    """mean -y log p - (1 - y) log(1 - p) over the last axis, p clipped to [1e-7, 1 - 1e-7]; from logits p = sigmoid(z), unclipped.

    >>> from fastopt.nn import losses
    >>> round(losses.BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]]), 4)
    0.6931

    label_smoothing s in [0, 1] puts (1 - s) y + s / 2 in the place of y. from_logits: predictions are z, before the sigmoid.
    axis: -1. Further arguments: see Loss.
    """

    kernel, options = "binary_crossentropy", ("from_logits", "label_smoothing")
    activation = "sigmoid"

    def __init__(self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
                 name="binary_crossentropy", dtype=None):  # fmt: skip
        _last_axis(self, axis)
        self.from_logits, self.label_smoothing = bool(from_logits), _share(self, label_smoothing)
        super().__init__(name, reduction, dtype)

    def prepare(self, owner, y_true, output_shape, dtype):
        return targets.probabilities(owner, y_true, output_shape, dtype)

    def on_logits(self, activation):
        fits = activation == self.activation and not self.from_logits and self._by_kernel
        return type(self)(**self.get_config() | {"from_logits": True}) if fits else None

    def get_config(self):
        return super().get_config() | {name: getattr(self, name) for name in self.options}


class CategoricalCrossentropy(BinaryCrossentropy):
    """-sum y log p over the last axis, y a distribution (one-hot), p scaled to sum 1 and clipped; from logits p = softmax(z).

    label_smoothing s in [0, 1] puts (1 - s) y + s / C in the place of y. from_logits: predictions are z, before the softmax.
    axis: -1. Further arguments: see Loss.
    """

    kernel = "categorical_crossentropy"
    activation = "softmax"

    def __init__(self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
                 name="categorical_crossentropy", dtype=None):  # fmt: skip
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)


class SparseCategoricalCrossentropy(Loss):
    """CategoricalCrossentropy for integer labels: -log p[y].

    ignore_class: a label whose rows count for nothing, out of range as it may be; None for none. from_logits: see
    CategoricalCrossentropy. axis: -1. Further arguments: see Loss.

    >>> from fastopt.nn import losses
    >>> round(losses.SparseCategoricalCrossentropy(from_logits=True)([1], [[0.0, 0.0]]), 4)
    0.6931
    """

    kernel, options = "sparse_categorical_crossentropy", ("from_logits",)

    def __init__(self, from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
                 name="sparse_categorical_crossentropy", dtype=None):  # fmt: skip
        _last_axis(self, axis)
        self.from_logits, self.ignore_class = bool(from_logits), ignore_class
        super().__init__(name, reduction, dtype)

    def _connect(self):
        super()._connect()
        if self.ignore_class is not None:
            self._all_rows, self._rowwise = self._rowwise, self._ignoring
            self.value_and_gradient = self._rowwise if self.value_and_gradient is self._all_rows else self.value_and_gradient

    def _ignoring(self, y_true, y_pred, *, weight=None, rows=None, out=None):
        valid = y_true != self.ignore_class
        weight = np.full(valid.shape, 1 / max(valid.size, 1)) if weight is None else weight
        if self.reduction != "sum":  # the means are those of the other rows
            every = weight if self.reduction == "mean_with_sample_weight" else np.ones(valid.shape)
            left = (every * valid).sum()
            weight = weight * (every.sum() / left if left else 0)
        weight = (weight * valid).astype(y_pred.dtype)
        result = self._all_rows(np.where(valid, y_true, 0), y_pred, weight=weight, rows=rows, out=out)
        if rows is not None:
            rows[~valid] = 0
        return result

    def prepare(self, owner, y_true, output_shape, dtype):
        return targets.labels(owner, y_true, output_shape, self.ignore_class)

    def under(self, mask, y_true):
        return (y_true, mask) if self.ignore_class is None else (np.where(mask, y_true, self.ignore_class), None)

    def on_logits(self, activation):
        fits = activation == "softmax" and not self.from_logits and self._by_kernel
        return type(self)(**self.get_config() | {"from_logits": True}) if fits else None

    def get_config(self):
        return super().get_config() | {"from_logits": self.from_logits, "ignore_class": self.ignore_class}

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "_all_rows"}


def _last_axis(owner, axis):
    if axis != -1:
        raise ValueError(f"{type(owner).__name__}: axis must be -1, the last, got {axis!r}")


def _share(owner, value):
    if isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{type(owner).__name__}: label_smoothing must be in [0, 1], got {value!r}")
    return float(value)
