"""Accuracies and errors: means of the functions of the same names."""

import math
from collections.abc import Callable
from typing import Any

from . import functions
from .base import Mean, MeanMetricWrapper


class _Named(MeanMetricWrapper):
    """A MeanMetricWrapper whose function is fixed by its class; options are attributes that the function takes."""

    direction = "min"

    function: Callable[..., Any] | None = None
    label: str | None = None  # the name where none is given, if not the function's
    options: tuple[str, ...] = ()

    def __init__(self, name=None, dtype=None):
        options = {option: getattr(self, option) for option in self.options}
        super().__init__(type(self).function, name or self.label, dtype, **options)

    def get_config(self):
        return {"name": self.name, **self.arguments}


class Accuracy(_Named):
    """The share of elements that equal their targets. Arguments: see Metric."""

    direction = "max"
    function = staticmethod(functions.accuracy)


class BinaryAccuracy(_Named):
    """The share of elements on the right side of the threshold. Arguments: see Metric.

    >>> from fastopt.nn import metrics
    >>> metrics.BinaryAccuracy(threshold=0.3)([0, 1, 1], [0.2, 0.4, 0.1])
    0.6666666666666666
    """

    direction = "max"
    function, options = staticmethod(functions.binary_accuracy), ("threshold",)

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        self.threshold = threshold
        super().__init__(name, dtype)


class CategoricalAccuracy(_Named):
    """The share of rows whose largest element stands at that of the one-hot targets. Arguments: see Metric."""

    direction = "max"
    function = staticmethod(functions.categorical_accuracy)


class SparseCategoricalAccuracy(_Named):
    """The share of rows whose largest element stands at the label. Arguments: see Metric."""

    direction = "max"
    function = staticmethod(functions.sparse_categorical_accuracy)


class TopKCategoricalAccuracy(_Named):
    """The share of rows where the one-hot target is among the k largest elements. Arguments: see Metric."""

    direction = "max"
    function, options = staticmethod(functions.top_k_categorical_accuracy), ("k",)

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        self.k = k
        super().__init__(name, dtype)


class SparseTopKCategoricalAccuracy(_Named):
    """The share of rows where the label is among the k largest elements. Arguments: see Metric."""

    direction = "max"
    function, options = staticmethod(functions.sparse_top_k_categorical_accuracy), ("k",)

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None):
        self.k = k
        super().__init__(name, dtype)


class MeanSquaredError(_Named):
    """mean (y - p)^2. Arguments: see Metric."""

    function = staticmethod(functions.mean_squared_error)


class RootMeanSquaredError(Mean):
    """The root of mean (y - p)^2 over all that was counted. Arguments: see Metric."""

    direction = "min"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = functions.arrays(self.name, y_true, y_pred)
        super().update_state((y_pred - y_true) ** 2, sample_weight)

    def result(self):
        return math.sqrt(super().result())


class MeanAbsoluteError(_Named):
    """mean |y - p|. Arguments: see Metric."""

    function = staticmethod(functions.mean_absolute_error)


class MeanAbsolutePercentageError(_Named):
    """100 mean |y - p| / |y|. Arguments: see Metric."""

    function = staticmethod(functions.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_Named):
    """mean (log(1 + y) - log(1 + p))^2. Arguments: see Metric."""

    function = staticmethod(functions.mean_squared_logarithmic_error)


class LogCoshError(_Named):
    """mean log cosh (p - y). Arguments: see Metric."""

    function, label = staticmethod(functions.log_cosh), "logcosh"


class CosineSimilarity(_Named):
    """The mean cosine of the angle between y and p. axis: -1. Further arguments: see Metric."""

    direction = "max"
    function = staticmethod(functions.cosine_similarity)

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        if axis != -1:
            raise ValueError(f"CosineSimilarity: axis must be -1, the last, got {axis!r}")
        super().__init__(name, dtype)


class KLDivergence(_Named):
    """sum y log(y / p). Arguments: see Metric."""

    function = staticmethod(functions.kl_divergence)


class Poisson(_Named):
    """mean p - y log p. Arguments: see Metric."""

    function = staticmethod(functions.poisson)


class BinaryCrossentropy(_Named):
    """mean -y log p - (1 - y) log(1 - p).

    from_logits, label_smoothing: see losses.BinaryCrossentropy. Further arguments: see Metric.
    """

    function, options = staticmethod(functions.binary_crossentropy), ("from_logits", "label_smoothing")

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        self.from_logits, self.label_smoothing = from_logits, label_smoothing
        super().__init__(name, dtype)


class CategoricalCrossentropy(_Named):
    """-sum y log p, y one-hot. from_logits, label_smoothing: see losses.CategoricalCrossentropy. Further arguments: see Metric."""

    function, options = staticmethod(functions.categorical_crossentropy), ("from_logits", "label_smoothing")

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        self.from_logits, self.label_smoothing = from_logits, label_smoothing
        super().__init__(name, dtype)


class SparseCategoricalCrossentropy(_Named):
    """-log p at the label. from_logits: see losses.CategoricalCrossentropy. Further arguments: see Metric."""

    function, options = staticmethod(functions.sparse_categorical_crossentropy), ("from_logits",)

    def __init__(self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False):
        self.from_logits = from_logits
        super().__init__(name, dtype)


class Hinge(_Named):
    """mean max(1 - y p, 0). Arguments: see Metric."""

    function = staticmethod(functions.hinge)


class SquaredHinge(_Named):
    """mean max(1 - y p, 0)^2. Arguments: see Metric."""

    function = staticmethod(functions.squared_hinge)


class CategoricalHinge(_Named):
    """max(1 + max (1 - y) p - sum y p, 0), y one-hot. Arguments: see Metric."""

    function = staticmethod(functions.categorical_hinge)
