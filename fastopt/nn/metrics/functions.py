"""What metrics average: functions of targets y_true (y) and predictions y_pred (p) under Keras's names, in plain NumPy.

Each returns a value for every row (...) of predictions (..., C), the accuracies of elements (accuracy, binary_accuracy) for every
element; accuracies are 0 or 1, float32. Where the last dimension is 1, targets or predictions may lack it; other shapes
never broadcast.
"""

import numpy as np

EPSILON = 1e-7  # Keras's backend.epsilon()


def arrays(name, y_true, y_pred):
    """y_true and y_pred as arrays of one shape, predictions as floats; name: the function that errors name."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    y_pred = y_pred if y_pred.dtype.kind == "f" else y_pred.astype(np.float64)
    if y_true.shape == y_pred.shape:
        return y_true, y_pred
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        y_true = y_true[..., None]
    elif y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        y_pred = y_pred[..., None]
    if y_true.shape != y_pred.shape:
        raise ValueError(f"{name}: y_true has shape {y_true.shape}, expected {y_pred.shape} as y_pred")
    return y_true, y_pred


def classes(name, y_true, y_pred):
    """Labels y_true (...) and predictions y_pred (..., C) as arrays; name: the function that errors name."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1:] == (1,):
        y_true = y_true[..., 0]
    if y_true.shape != y_pred.shape[:-1]:
        raise ValueError(f"{name}: y_true has shape {y_true.shape}, expected labels of shape {y_pred.shape[:-1]}")
    return y_true, y_pred


def _mean(values):
    return np.add.reduce(values, -1) / values.shape[-1]  # several times quicker than np.mean on a small batch


def accuracy(y_true, y_pred):
    """Whether each element equals its target. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("accuracy", y_true, y_pred)
    return (y_true == y_pred).astype(np.float32)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """Whether each element lies above the threshold where its target is 1, and not where it is 0.

    Arguments: see fastopt.nn.metrics.functions.
    """
    y_true, y_pred = arrays("binary_accuracy", y_true, y_pred)
    return ((y_pred > threshold) == y_true).astype(np.float32)


def categorical_accuracy(y_true, y_pred):
    """Whether the largest element of each row stands where the largest target does. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("categorical_accuracy", y_true, y_pred)
    return (y_true.argmax(-1) == y_pred.argmax(-1)).astype(np.float32)


def sparse_categorical_accuracy(y_true, y_pred):
    """Whether the largest element of each row stands at the label. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = classes("sparse_categorical_accuracy", y_true, y_pred)
    return (y_true == y_pred.argmax(-1)).astype(np.float32)


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """Whether the largest target of each row stands at one of the k largest elements.

    Arguments: see fastopt.nn.metrics.functions.
    """
    y_true, y_pred = arrays("top_k_categorical_accuracy", y_true, y_pred)
    return _in_top_k(y_true.argmax(-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5):
    """Whether the label of each row stands at one of the k largest elements. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = classes("sparse_top_k_categorical_accuracy", y_true, y_pred)
    return _in_top_k(y_true.astype(np.intp), y_pred, k)


def _in_top_k(labels, y_pred, k):
    inside = (labels >= 0) & (labels < y_pred.shape[-1])
    chosen = np.take_along_axis(y_pred, np.where(inside, labels, 0)[..., None], -1)
    return (inside & np.isfinite(chosen[..., 0]) & ((y_pred > chosen).sum(-1) < k)).astype(np.float32)


def mean_squared_error(y_true, y_pred):
    """mean (y - p)^2. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("mean_squared_error", y_true, y_pred)
    return _mean(np.square(y_true - y_pred))


def mean_absolute_error(y_true, y_pred):
    """mean |y - p|. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("mean_absolute_error", y_true, y_pred)
    return _mean(np.abs(y_true - y_pred))


def mean_absolute_percentage_error(y_true, y_pred):
    """100 mean |y - p| / max(|y|, 1e-7). Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("mean_absolute_percentage_error", y_true, y_pred)
    return 100 * _mean(np.abs((y_true - y_pred) / np.maximum(np.abs(y_true), EPSILON)))


def mean_squared_logarithmic_error(y_true, y_pred):
    """mean (log(1 + y) - log(1 + p))^2, y and p at least 1e-7. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("mean_squared_logarithmic_error", y_true, y_pred)
    return np.square(np.log1p(np.maximum(y_pred, EPSILON)) - np.log1p(np.maximum(y_true, EPSILON))).mean(-1)


def log_cosh(y_true, y_pred):
    """mean log cosh (p - y). Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("log_cosh", y_true, y_pred)
    size = np.abs(y_pred - y_true)
    return (size + np.log1p(np.exp(-2 * size)) - np.log(2)).mean(-1)


def cosine_similarity(y_true, y_pred):
    """cos of the angle between y and p: as a metric 1 where they point the same way.

    Arguments: see fastopt.nn.metrics.functions.
    """
    y_true, y_pred = arrays("cosine_similarity", y_true, y_pred)
    lengths = [np.maximum(np.sqrt(np.square(a).sum(-1)), EPSILON) for a in (y_true, y_pred)]
    return (y_true * y_pred).sum(-1) / (lengths[0] * lengths[1])


def kl_divergence(y_true, y_pred):
    """sum y log(y / p), both clipped to [1e-7, 1]. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("kl_divergence", y_true, y_pred)
    y_true, y_pred = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
    return (y_true * np.log(y_true / y_pred)).sum(-1)


def poisson(y_true, y_pred):
    """mean p - y log(p + 1e-7). Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("poisson", y_true, y_pred)
    return (y_pred - y_true * np.log(y_pred + EPSILON)).mean(-1)


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    """mean -y log p - (1 - y) log(1 - p), p clipped to [1e-7, 1 - 1e-7], or the sigmoid of logits.

    from_logits, label_smoothing: see losses.BinaryCrossentropy. Arguments: see fastopt.nn.metrics.functions.
    """
    y_true, y_pred = arrays("binary_crossentropy", y_true, y_pred)
    y_true = y_true * (1 - label_smoothing) + label_smoothing / 2
    if from_logits:
        return (np.maximum(y_pred, 0) - y_pred * y_true + np.log1p(np.exp(-np.abs(y_pred)))).mean(-1)
    p = np.clip(y_pred, EPSILON, 1 - EPSILON)
    return -(y_true * np.log(p) + (1 - y_true) * np.log1p(-p)).mean(-1)


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    """-sum y log p, p scaled to sum 1 and clipped to [1e-7, 1 - 1e-7], or the softmax of logits.

    from_logits, label_smoothing: see losses.CategoricalCrossentropy. Arguments: see fastopt.nn.metrics.functions.
    """
    y_true, y_pred = arrays("categorical_crossentropy", y_true, y_pred)
    y_true = y_true * (1 - label_smoothing) + label_smoothing / y_pred.shape[-1]
    return -(y_true * _log_probabilities(y_pred, from_logits)).sum(-1)


def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False):
    """categorical_crossentropy for integer labels.

    from_logits: see losses.CategoricalCrossentropy. Arguments: see fastopt.nn.metrics.functions.
    """
    y_true, y_pred = classes("sparse_categorical_crossentropy", y_true, y_pred)
    return -np.take_along_axis(_log_probabilities(y_pred, from_logits), y_true.astype(np.intp)[..., None], -1)[..., 0]


def _log_probabilities(y_pred, from_logits):
    if from_logits:
        shifted = y_pred - y_pred.max(-1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return np.log(np.clip(y_pred / y_pred.sum(-1, keepdims=True), EPSILON, 1 - EPSILON))


def hinge(y_true, y_pred):
    """mean max(1 - y p, 0), y being -1 or 1, or all 0 or 1. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("hinge", y_true, y_pred)
    return np.maximum(1 - _signs(y_true) * y_pred, 0).mean(-1)


def squared_hinge(y_true, y_pred):
    """mean max(1 - y p, 0)^2, y being -1 or 1, or all 0 or 1. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("squared_hinge", y_true, y_pred)
    return np.square(np.maximum(1 - _signs(y_true) * y_pred, 0)).mean(-1)


def categorical_hinge(y_true, y_pred):
    """max(1 + max (1 - y) p - sum y p, 0), y one-hot. Arguments: see fastopt.nn.metrics.functions."""
    y_true, y_pred = arrays("categorical_hinge", y_true, y_pred)
    return np.maximum(1 + ((1 - y_true) * y_pred).max(-1) - (y_true * y_pred).sum(-1), 0)


def _signs(y_true):
    return 2 * y_true - 1 if ((y_true == 0) | (y_true == 1)).all() else y_true
