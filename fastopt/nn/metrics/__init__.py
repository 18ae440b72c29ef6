"""Metrics under Keras's names, arguments and formulas, in plain NumPy; they take any targets that fit the predictions.

metric = metrics.BinaryAccuracy(threshold=0.3)
metric.update_state(y_true, y_pred)
metric.result()
"""

import inspect

from .. import losses, names
from . import functions
from .base import Mean, MeanMetricWrapper, Metric, Sum
from .confusion import AUC, FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives
from .functions import (
    binary_accuracy,
    binary_crossentropy,
    categorical_accuracy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_accuracy,
    sparse_categorical_crossentropy,
    sparse_top_k_categorical_accuracy,
    squared_hinge,
    top_k_categorical_accuracy,
)
from .means import (
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SquaredHinge,
    TopKCategoricalAccuracy,
)
from .scores import F1Score, FBetaScore, R2Score

FUNCTIONS = (
    binary_accuracy, binary_crossentropy, categorical_accuracy, categorical_crossentropy, categorical_hinge, hinge, kl_divergence,
    log_cosh, mean_absolute_error, mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error, poisson,
    sparse_categorical_accuracy, sparse_categorical_crossentropy, sparse_top_k_categorical_accuracy, squared_hinge,
    top_k_categorical_accuracy,
)  # fmt: skip
CLASSES = (
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError, LogCoshError, CosineSimilarity, KLDivergence, Poisson, BinaryCrossentropy, CategoricalCrossentropy,
    SparseCategoricalCrossentropy, Hinge, SquaredHinge, CategoricalHinge, Precision, Recall, AUC, TruePositives, FalsePositives,
    TrueNegatives, FalseNegatives, F1Score, FBetaScore, R2Score, Mean, Sum, MeanMetricWrapper,
)  # fmt: skip
TABLE = {cls.__name__: cls for cls in CLASSES} | {
    "acc": Accuracy, "bce": BinaryCrossentropy, "mse": MeanSquaredError, "mae": MeanAbsoluteError, "rmse": RootMeanSquaredError,
    "mape": MeanAbsolutePercentageError, "msle": MeanSquaredLogarithmicError, "kld": KLDivergence, "log_cosh": LogCoshError,
}  # fmt: skip

__all__ = [cls.__name__ for cls in CLASSES] + [function.__name__ for function in FUNCTIONS]
__all__ += ["Metric", "deserialize", "functions", "get", "serialize"]

serialize = names.serialize


def deserialize(config, custom_objects=None):
    """The metric of config, {"class_name": ..., "config": ...}, or a name.

    custom_objects: {name: class} for what is not fastopt's own.
    """
    return names.deserialize("metric", config, TABLE, custom_objects)


def get(identifier, loss=None, target_shape=None, output_shape=None):
    """The metric for identifier: a name, class, object, configuration, or function (y_true, y_pred) -> values, which is averaged.

    "accuracy" and "acc" are those of the outputs: binary for (..., 1), categorical for one-hot targets, sparse for labels;
    target_shape and output_shape are (None, ...), or those of the data. Where they are not known the loss decides, if given. A
    metric given by its name has it.
    """
    if isinstance(identifier, str) and names.plain(identifier) in ("accuracy", "acc"):
        return _accuracy(loss, target_shape, output_shape)(name=identifier)
    if inspect.isclass(identifier) and issubclass(identifier, losses.Loss):
        identifier = identifier()
    if isinstance(identifier, losses.Loss):
        return MeanMetricWrapper(type(identifier)(**identifier.get_config() | {"reduction": None}), identifier.name)
    if isinstance(identifier, str):
        metric = names.find("metric", identifier, TABLE)()
        metric.name = identifier
        return metric
    found = names.resolve("metric", identifier, TABLE, Metric)
    if found is None:
        raise TypeError("metric: expected a name, a metric or a function, got None")
    return found if isinstance(found, Metric) else MeanMetricWrapper(found)


def _accuracy(loss, target_shape, output_shape):
    if output_shape is None or target_shape is None:
        of_loss = {"BinaryCrossentropy": BinaryAccuracy, "SparseCategoricalCrossentropy": SparseCategoricalAccuracy}
        return of_loss.get(type(loss).__name__, CategoricalAccuracy)
    if output_shape[-1] == 1:
        return BinaryAccuracy
    sparse = len(target_shape) < len(output_shape) or target_shape[-1] == 1
    return SparseCategoricalAccuracy if sparse else CategoricalAccuracy
