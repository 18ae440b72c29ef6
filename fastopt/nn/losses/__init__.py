"""Losses under Keras's names, arguments and defaults, most of them over kernels.

    loss = losses.get("binary_crossentropy")
    y = loss.prepare("fit", y, model.output_shape, "float32")         # once: checks, converts
    value, dy = loss.value_and_gradient(y[rows], y_pred, out=dy)       # each step: the kernel itself

Rows: outputs (..., C) have a loss for each of their (...) rows, and the value is their weighted sum.
"""

import inspect

from .. import names
from .base import FunctionLoss, Loss
from .compiled import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from .formulas import (
    CategoricalHinge,
    LogCosh,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Poisson,
    SquaredHinge,
)


def _rows(cls, y_true, y_pred, **options):
    return cls(reduction=None, **options)(y_true, y_pred)


def mean_squared_error(y_true, y_pred):
    """The loss of each row: see MeanSquaredError."""
    return _rows(MeanSquaredError, y_true, y_pred)


def mean_absolute_error(y_true, y_pred):
    """The loss of each row: see MeanAbsoluteError."""
    return _rows(MeanAbsoluteError, y_true, y_pred)


def huber(y_true, y_pred, delta=1.0):
    """The loss of each row: see Huber."""
    return _rows(Huber, y_true, y_pred, delta=delta)


def cosine_similarity(y_true, y_pred, axis=-1):
    """The loss of each row: see CosineSimilarity."""
    return _rows(CosineSimilarity, y_true, y_pred, axis=axis)


def kl_divergence(y_true, y_pred):
    """The loss of each row: see KLDivergence."""
    return _rows(KLDivergence, y_true, y_pred)


def hinge(y_true, y_pred):
    """The loss of each row: see Hinge."""
    return _rows(Hinge, y_true, y_pred)


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """The loss of each row: see BinaryCrossentropy."""
    return _rows(BinaryCrossentropy, y_true, y_pred, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """The loss of each row: see CategoricalCrossentropy."""
    return _rows(CategoricalCrossentropy, y_true, y_pred, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """The loss of each row: see SparseCategoricalCrossentropy."""
    return _rows(SparseCategoricalCrossentropy, y_true, y_pred, from_logits=from_logits, ignore_class=ignore_class, axis=axis)


def mean_absolute_percentage_error(y_true, y_pred):
    """The loss of each row: see MeanAbsolutePercentageError."""
    return _rows(MeanAbsolutePercentageError, y_true, y_pred)


def mean_squared_logarithmic_error(y_true, y_pred):
    """The loss of each row: see MeanSquaredLogarithmicError."""
    return _rows(MeanSquaredLogarithmicError, y_true, y_pred)


def log_cosh(y_true, y_pred):
    """The loss of each row: see LogCosh."""
    return _rows(LogCosh, y_true, y_pred)


def poisson(y_true, y_pred):
    """The loss of each row: see Poisson."""
    return _rows(Poisson, y_true, y_pred)


def squared_hinge(y_true, y_pred):
    """The loss of each row: see SquaredHinge."""
    return _rows(SquaredHinge, y_true, y_pred)


def categorical_hinge(y_true, y_pred):
    """The loss of each row: see CategoricalHinge."""
    return _rows(CategoricalHinge, y_true, y_pred)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
bce = BCE = binary_crossentropy
kld = KLD = kl_divergence

FUNCTIONS = {
    mean_squared_error: MeanSquaredError, mean_absolute_error: MeanAbsoluteError, huber: Huber,
    cosine_similarity: CosineSimilarity, kl_divergence: KLDivergence, hinge: Hinge, binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy, sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    mean_absolute_percentage_error: MeanAbsolutePercentageError, mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    log_cosh: LogCosh, poisson: Poisson, squared_hinge: SquaredHinge, categorical_hinge: CategoricalHinge,
}  # fmt: skip
TABLE = {function.__name__: cls for function, cls in FUNCTIONS.items()} | {cls.__name__: cls for cls in FUNCTIONS.values()}
TABLE |= {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError}
TABLE |= {"msle": MeanSquaredLogarithmicError, "bce": BinaryCrossentropy, "kld": KLDivergence, "logcosh": LogCosh}
TABLE |= {"kullback_leibler_divergence": KLDivergence, "huber_loss": Huber}

serialize = names.serialize


def deserialize(config, custom_objects=None):
    """The loss of config, {"class_name": ..., "config": ...}. custom_objects: {name: class} for what is not fastopt's own."""
    return names.deserialize("loss", config, TABLE, custom_objects)


def get(identifier):
    """The loss for identifier: a name, class, object, configuration, function of this module or one (y, p) -> (value, gradient)."""
    if inspect.isfunction(identifier) and identifier in FUNCTIONS:
        return FUNCTIONS[identifier]()
    found = names.resolve("loss", identifier, TABLE, Loss)
    return found if found is None or isinstance(found, Loss) else FunctionLoss(found)
