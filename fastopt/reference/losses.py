"""Losses with their gradients, in Keras 3's formulas: the definition of the kernels of the same names.

y_pred is (..., C), float32 or float64; y_true has its shape and dtype, sparse labels are integers (...). A loss takes each row,
the C elements along the last axis, to one number. Returned are value, the sum over the rows of weight * loss, a Python float
summed in double; and dy, its gradient with respect to y_pred, written to `out` where given. `weight` (...) is 1 / number of rows
where it is None: then value is the mean, 0.0 for no rows. `rows` (...) receives each row's loss, unweighted.

Probabilities are clipped to [EPSILON, 1 - EPSILON], bounds rounded to the dtype; beyond the bounds the gradient is 0. Where a
formula has a kink, it is 0 there.
"""

import numpy as np

from .out import deliver

EPSILON = 1e-7  # Keras's backend.epsilon()


def same_shape(name, y_true, y_pred, shape):
    """Raises unless y_pred is (..., C), C at least 1, and y_true of the shape expected of it: nothing broadcasts."""
    if not y_pred.ndim or not y_pred.shape[-1]:
        raise ValueError(f"{name}: y_pred has shape {y_pred.shape}, expected (..., C) with at least one column")
    if y_true.shape != shape:
        raise ValueError(f"{name}: y_true has shape {y_true.shape}, expected {shape} for y_pred of shape {y_pred.shape}")


def clipped(x, low, high):
    """x within [low, high], and where it had been there: NaN counts as inside."""
    return np.clip(x, low, high), ~((x < low) | (x > high))


def reduced(name, loss, gradient, weight, rows, out):
    """Value and dy, from the loss of each row and its gradient with respect to that row."""
    if rows is not None:
        rows[...] = loss
    if weight is None:
        share = 1 / max(loss.size, 1)
        return float(np.sum(loss, dtype=np.float64)) * share, deliver(name, out, gradient * share)
    return float(np.sum(np.multiply(loss, weight, dtype=np.float64))), deliver(name, out, gradient * weight[..., None])


def mean_reduced(name, terms, gradient, weight, rows, out):
    """Value and dy, where a row's loss is the mean of its terms."""
    return reduced(name, np.mean(terms, axis=-1), gradient / terms.shape[-1], weight, rows, out)


def mean_squared_error(y_true, y_pred, *, weight=None, rows=None, out=None):
    """Mean of (y_pred - y_true)^2 over the last axis. Arguments and results: see fastopt.reference.losses.

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> kernels.mean_squared_error(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]]))
    (2.0, array([[0., 2.]]))
    """
    same_shape("mean_squared_error", y_true, y_pred, y_pred.shape)
    error = y_pred - y_true
    return mean_reduced("mean_squared_error", error**2, 2 * error, weight, rows, out)


def mean_absolute_error(y_true, y_pred, *, weight=None, rows=None, out=None):
    """Mean of |y_pred - y_true| over the last axis. Arguments and results: see fastopt.reference.losses."""
    same_shape("mean_absolute_error", y_true, y_pred, y_pred.shape)
    error = y_pred - y_true
    return mean_reduced("mean_absolute_error", np.abs(error), np.sign(error), weight, rows, out)


def huber(y_true, y_pred, *, delta=1.0, weight=None, rows=None, out=None):
    """Mean of e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2, with e = y_pred - y_true (Huber 1964).

    Arguments and results: see fastopt.reference.losses.
    """
    same_shape("huber", y_true, y_pred, y_pred.shape)
    error = y_pred - y_true
    size = np.abs(error)
    terms = np.where(size <= delta, 0.5 * error**2, delta * size - 0.5 * delta**2)
    return mean_reduced("huber", terms, np.where(size <= delta, error, delta * np.sign(error)), weight, rows, out)


def binary_crossentropy(y_true, y_pred, *, from_logits=False, label_smoothing=0.0, weight=None, rows=None, out=None):
    """Mean of -t log(p) - (1 - t) log(1 - p) over the last axis.

    p is y_pred clipped, or the sigmoid of y_pred, never computed, with from_logits. t is y_true, drawn towards 1/2 by
    label_smoothing: y_true (1 - label_smoothing) + label_smoothing / 2. Arguments and results: see fastopt.reference.losses.
    """
    same_shape("binary_crossentropy", y_true, y_pred, y_pred.shape)
    t = y_true * (1 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else y_true
    if from_logits:  # log(sigmoid(x)) = -max(-x, 0) - log(1 + exp(-|x|))
        e = np.exp(-np.abs(y_pred))
        terms = np.abs(y_pred) * np.where(y_pred > 0, 1 - t, t) + np.log1p(e)
        return mean_reduced("binary_crossentropy", terms, np.where(y_pred > 0, 1, e) / (1 + e) - t, weight, rows, out)
    p, inside = clipped(y_pred, EPSILON, 1 - EPSILON)
    gradient = np.where(inside, (p - t) / (p * (1 - p)), 0)
    return mean_reduced("binary_crossentropy", -t * np.log(p) - (1 - t) * np.log1p(-p), gradient, weight, rows, out)


def log_softmax(x):
    """x - log(sum(exp(x))) over the last axis, by the differences to the largest."""
    z = x - np.max(x, axis=-1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))


def categorical_crossentropy(y_true, y_pred, *, from_logits=False, label_smoothing=0.0, weight=None, rows=None, out=None):
    """-sum of t log(p) over the last axis.

    p is y_pred over its sum, then clipped; or the softmax of y_pred with from_logits. t is y_true, drawn towards 1 / C by
    label_smoothing: y_true (1 - label_smoothing) + label_smoothing / C. A row of probabilities whose sum is 0 gives NaN.
    Arguments and results: see fastopt.reference.losses.
    """
    same_shape("categorical_crossentropy", y_true, y_pred, y_pred.shape)
    t = y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[-1] if label_smoothing else y_true
    name = "categorical_crossentropy"
    if from_logits:
        logs = log_softmax(y_pred)
        gradient = np.exp(logs) * np.sum(t, axis=-1, keepdims=True) - t
        return reduced(name, -np.sum(t * logs, axis=-1), gradient, weight, rows, out)
    total = np.sum(y_pred, axis=-1, keepdims=True)
    p, inside = clipped(y_pred / total, EPSILON, 1 - EPSILON)
    gradient = (np.sum(np.where(inside, t, 0), axis=-1, keepdims=True) - np.where(inside, t / p, 0)) / total
    return reduced(name, -np.sum(t * np.log(p), axis=-1), gradient, weight, rows, out)


def sparse_categorical_crossentropy(y_true, y_pred, *, from_logits=False, weight=None, rows=None, out=None):
    """categorical_crossentropy of the classes y_true: integers (...) in [0, C), ValueError names the first that is not.

    from_logits: as in categorical_crossentropy. Arguments and results: see fastopt.reference.losses.

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> value, dy = kernels.sparse_categorical_crossentropy(np.array([1]), np.array([[0.0, 0.0]]), from_logits=True)
    >>> round(value, 4), dy
    (0.6931, array([[ 0.5, -0.5]]))
    """
    name = "sparse_categorical_crossentropy"
    same_shape(name, y_true, y_pred, y_pred.shape[:-1])
    classes = y_pred.shape[-1]
    if y_true.dtype.kind not in "iu":
        raise TypeError(f"{name}: y_true has dtype {y_true.dtype}, expected integers")
    wrong = (y_true < 0) | (y_true >= classes)
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(f"{name}: y_true{list(at) or ''} is {y_true[at]}, expected a class in [0, {classes})")
    label = y_true[..., None].astype(np.int64)
    of_label = lambda a: np.take_along_axis(a, label, axis=-1)
    if from_logits:
        logs = log_softmax(y_pred)
        gradient = np.exp(logs)
        np.put_along_axis(gradient, label, of_label(gradient) - 1, axis=-1)
        return reduced(name, -of_label(logs)[..., 0], gradient, weight, rows, out)
    total = np.sum(y_pred, axis=-1, keepdims=True)
    p, inside = clipped(of_label(y_pred) / total, EPSILON, 1 - EPSILON)
    gradient = np.zeros_like(y_pred) + np.where(inside, 1 / total, 0)
    np.put_along_axis(gradient, label, of_label(gradient) - np.where(inside, 1 / p / total, 0), axis=-1)
    return reduced(name, -np.log(p)[..., 0], gradient, weight, rows, out)


def kl_divergence(y_true, y_pred, *, weight=None, rows=None, out=None):
    """Sum of t log(t / p) over the last axis, t and p being y_true and y_pred clipped to [1e-7, 1] (Kullback & Leibler 1951).

    Arguments and results: see fastopt.reference.losses.
    """
    same_shape("kl_divergence", y_true, y_pred, y_pred.shape)
    t, (p, inside) = np.clip(y_true, EPSILON, 1), clipped(y_pred, EPSILON, 1)
    return reduced("kl_divergence", np.sum(t * np.log(t / p), axis=-1), np.where(inside, -t / p, 0), weight, rows, out)


def hinge(y_true, y_pred, *, weight=None, rows=None, out=None):
    """Mean of max(1 - t y_pred, 0) over the last axis, t in {-1, 1}: y_true, or 2 y_true - 1 where all of it is 0 or 1.

    (Cortes & Vapnik 1995) Arguments and results: see fastopt.reference.losses.
    """
    same_shape("hinge", y_true, y_pred, y_pred.shape)
    t = 2 * y_true - 1 if np.all((y_true == 0) | (y_true == 1)) else y_true
    margin = 1 - t * y_pred
    return mean_reduced("hinge", np.maximum(margin, 0), np.where(margin <= 0, 0, -t), weight, rows, out)


def cosine_similarity(y_true, y_pred, *, weight=None, rows=None, out=None):
    """-sum of t p over the last axis, t and p being y_true and y_pred over their length; a length counts as 1e-7 at least.

    Arguments and results: see fastopt.reference.losses.
    """
    same_shape("cosine_similarity", y_true, y_pred, y_pred.shape)
    length = np.sqrt(np.sum(y_pred**2, axis=-1, keepdims=True))
    t = y_true / np.maximum(np.sqrt(np.sum(y_true**2, axis=-1, keepdims=True)), EPSILON)
    p = y_pred / np.maximum(length, EPSILON)
    cosine = np.sum(t * p, axis=-1, keepdims=True)
    gradient = (np.where(length > EPSILON, cosine * p, 0) - t) / np.maximum(length, EPSILON)
    return reduced("cosine_similarity", -cosine[..., 0], gradient, weight, rows, out)


def penalty(param, *, l1=0.0, l2=0.0, accumulate=False, out=None):
    """l1 sum(|w|) + l2 sum(w^2) of w = param, a Python float summed in double, and its gradient; accumulate adds it to `out`."""
    value = l1 * np.sum(np.abs(param), dtype=np.float64) + l2 * np.sum(np.square(param, dtype=np.float64))
    gradient = l1 * np.sign(param) + 2 * l2 * param
    return float(value), deliver("penalty", out, out + gradient if accumulate else gradient)
