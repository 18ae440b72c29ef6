"""Losses in plain NumPy that have no kernel of their own: each writes call(y_true, y_pred) -> rows, gradient."""

import numpy as np

from .base import Loss

EPSILON = 1e-7  # Keras's backend.epsilon()


class MeanAbsolutePercentageError(Loss):
    """100 mean |y - p| / max(|y|, 1e-7) over the last axis. Arguments: see Loss."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        error, scale = y_pred - y_true, np.maximum(np.abs(y_true), EPSILON)
        return 100 * np.mean(np.abs(error) / scale, -1), 100 / error.shape[-1] * np.sign(error) / scale


class MeanSquaredLogarithmicError(Loss):
    """mean (log(1 + p) - log(1 + y))^2 over the last axis, both at least 1e-7. Arguments: see Loss."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        inside = np.maximum(y_pred, EPSILON)
        error = np.log1p(inside) - np.log1p(np.maximum(y_true, EPSILON))
        return np.mean(error * error, -1), 2 / error.shape[-1] * error / (1 + inside) * (y_pred >= EPSILON)


class LogCosh(Loss):
    """mean log cosh(p - y) over the last axis. Arguments: see Loss."""

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        error = y_pred - y_true
        size = np.abs(error)
        return np.mean(size + np.log1p(np.exp(-2 * size)) - np.log(2), -1), np.tanh(error) / error.shape[-1]


class Poisson(Loss):
    """mean p - y log(p + 1e-7) over the last axis. Arguments: see Loss."""

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        rows = np.mean(y_pred - y_true * np.log(y_pred + EPSILON), -1)
        return rows, (1 - y_true / (y_pred + EPSILON)) / y_pred.shape[-1]


class SquaredHinge(Loss):
    """mean max(1 - y p, 0)^2 over the last axis, y being -1 or 1; labels 0 and 1 are taken as these. Arguments: see Loss."""

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        sign = 2 * y_true - 1 if ((y_true == 0) | (y_true == 1)).all() else y_true
        margin = np.maximum(1 - sign * y_pred, 0)
        return np.mean(margin * margin, -1), -2 / margin.shape[-1] * sign * margin


class CategoricalHinge(Loss):
    """max(1 + max (1 - y) p - sum y p, 0) over the last axis, y one-hot (Crammer & Singer 2001). Arguments: see Loss."""

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        others = (1 - y_true) * y_pred
        nearest = others.argmax(-1)[..., None]
        margin = 1 + np.take_along_axis(others, nearest, -1)[..., 0] - (y_true * y_pred).sum(-1)
        slope = -y_true
        np.put_along_axis(slope, nearest, np.take_along_axis(1 - 2 * y_true, nearest, -1), -1)
        return np.maximum(margin, 0), slope * (margin > 0)[..., None]
