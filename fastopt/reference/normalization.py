"""Batch and layer normalisation, forward and backward: the definition of the kernels of the same names.

x is (..., C); gamma and beta (C,) are 1 and 0 where they are None. Arrays of a call have one dtype, float32 or float64.
"""

import numpy as np

from .out import deliver


def one_or_more(name, x, statistics=True):
    """Raises unless x is (..., C) with a column, and with a row where statistics are taken over the rows."""
    if not x.ndim or not x.shape[-1] or (statistics and not x.size):
        raise ValueError(f"{name}: x has shape {x.shape}, expected (..., C) with at least one row and column")


def batch_norm_forward(x, gamma=None, beta=None, *, mean=None, variance=None, eps=1e-3, out=None):
    """y = gamma (x - mean) / sqrt(variance + eps) + beta (Ioffe & Szegedy 2015), mean and variance.

    mean and biased variance (C,) are those over all axes but the last, or the given ones, which come back as they are. x is (...,
    C); gamma and beta (C,) are 1 and 0 where they are None. `out`: (y, mean, variance). ValueError for an x without rows or
    columns.

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> y, mean, variance = kernels.batch_norm_forward(np.array([[1.0], [3.0]]), eps=0.0)
    >>> y.ravel(), mean, variance
    (array([-1.,  1.]), array([2.]), array([1.]))
    """
    one_or_more("batch_norm_forward", x, mean is None)
    if (mean is None) != (variance is None):
        raise ValueError("batch_norm_forward: only one of mean and variance is given, expected both or none")
    if mean is None:
        rows = tuple(range(x.ndim - 1))
        mean, variance = np.mean(x, axis=rows), np.var(x, axis=rows)
    y = (x - mean) / np.sqrt(variance + eps)
    y = y if gamma is None else y * gamma
    return deliver("batch_norm_forward", out, y if beta is None else y + beta, mean, variance)


def batch_norm_backward(dy, x, gamma, mean, variance, *, eps=1e-3, fixed=False, out=None):
    """dx, dgamma, dbeta from dy (..., C), with what batch_norm_forward took and returned.

    fixed: mean and variance had been given, so that no gradient runs through them. x, gamma, eps: as in batch_norm_forward;
    `out`: (dx, dgamma, dbeta).
    """
    one_or_more("batch_norm_backward", x, not fixed)
    rows = tuple(range(x.ndim - 1))
    rstd = 1 / np.sqrt(variance + eps)
    normal = (x - mean) * rstd
    dgamma, dbeta = np.sum(dy * normal, axis=rows), np.sum(dy, axis=rows)
    n = x.size // x.shape[-1]
    dx = dy if fixed else dy - (dbeta + normal * dgamma) / n
    dx = dx * (rstd if gamma is None else rstd * gamma)
    return deliver("batch_norm_backward", out, dx, dgamma, dbeta)


def layer_norm_forward(x, gamma=None, beta=None, *, eps=1e-3, out=None):
    """y = gamma (x - mean) rstd + beta with rstd = 1 / sqrt(variance + eps) (Ba, Kiros & Hinton 2016), mean and rstd.

    mean, biased variance and rstd (...) are those over the last axis; x is (..., C), gamma and beta (C,) are 1 and 0 where they are
    None. `out`: (y, mean, rstd).
    """
    one_or_more("layer_norm_forward", x, False)
    mean, rstd = np.mean(x, axis=-1), 1 / np.sqrt(np.var(x, axis=-1) + eps)
    y = (x - mean[..., None]) * rstd[..., None]
    y = y if gamma is None else y * gamma
    return deliver("layer_norm_forward", out, y if beta is None else y + beta, mean, rstd)


def layer_norm_backward(dy, x, gamma, mean, rstd, *, out=None):
    """dx, dgamma, dbeta, also the form of `out`, from dy (..., C), with x, gamma, mean, rstd as in layer_norm_forward."""
    one_or_more("layer_norm_backward", x, False)
    rows = tuple(range(x.ndim - 1))
    normal = (x - mean[..., None]) * rstd[..., None]
    slope = dy if gamma is None else dy * gamma
    along = lambda a: np.mean(a, axis=-1, keepdims=True)
    dx = (slope - along(slope) - normal * along(slope * normal)) * rstd[..., None]
    return deliver("layer_norm_backward", out, dx, np.sum(dy * normal, axis=rows), np.sum(dy, axis=rows))
