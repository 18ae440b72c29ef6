"""The cases of dropout, batch and layer normalisation. Errors are counted in units of the sums of absolute terms."""

import numpy as np

from .case import Function, normal, positive, signed

NO_AFFINE = dict(gamma=None, beta=None)
NO_STATISTICS = dict(mean=None, variance=None)


def _times(array, gamma):
    return array if gamma is None else array * np.abs(gamma)


def _normal(x, mean, rstd):
    """|x - mean| rstd, as large as it could be."""
    return (np.abs(x) + np.abs(mean)) * rstd


def _batch_forward(a, options):
    x, mean, variance = a["x"], a["mean"], a["variance"]
    if mean is None:
        mean, variance = np.abs(x).max(axis=0), x.var(axis=0)
    y = _times(_normal(x, mean, 1 / np.sqrt(variance + options.get("eps", 1e-3))), a["gamma"])
    return y + (0 if a["beta"] is None else np.abs(a["beta"])), np.abs(x).max(axis=0), (x**2).max(axis=0)


def _batch_backward(a, options):
    rstd = 1 / np.sqrt(a["variance"] + options.get("eps", 1e-3))
    size, normal = np.abs(a["dy"]), _normal(a["x"], a["mean"], rstd)
    dx = size + size.mean(axis=0) + normal * (size * normal).mean(axis=0)
    return _times(dx * rstd, a["gamma"]), (size * normal).sum(axis=0), size.sum(axis=0)


def _layer_forward(a, options):
    x = a["x"]
    rstd = 1 / np.sqrt(x.var(axis=1) + options.get("eps", 1e-3))
    size = np.abs(x).max(axis=1)
    y = _times(_normal(x, size[:, None], rstd[:, None]), a["gamma"])
    return y + (0 if a["beta"] is None else np.abs(a["beta"])), size, rstd


def _layer_backward(a, options):
    size, normal = np.abs(a["dy"]), _normal(a["x"], a["mean"][:, None], a["rstd"][:, None])
    slope = _times(size, a["gamma"])
    dx = slope + slope.mean(axis=1, keepdims=True) + normal * (slope * normal).mean(axis=1, keepdims=True)
    return dx * a["rstd"][:, None], (size * normal).sum(axis=0), size.sum(axis=0)


def _case(arrays, results, variants, scale, flops):
    drawn = {name: (axes, positive if name in ("variance", "rstd") else normal) for name, axes in arrays.items()}
    return Function(drawn, results, variants, nonempty="BC", scale=scale, flops=lambda s: flops * s["B"] * s["C"])


# fmt: off
CASES = {
    "dropout": Function(
        {"x": ("MN", signed)}, ("y",),
        (dict(rate=0.5, seed=1), dict(rate=0.1, seed=2**64 - 1, step=5), dict(rate=0.9, seed=1, step=2**63), dict(rate=0.0, seed=3),
         dict(rate=1.0, seed=3)), ulp=1, flops=lambda s: 20 * s["M"] * s["N"]),
    "batch_norm_forward": _case(
        dict(x="BC", gamma="C", beta="C", mean="C", variance="C"), ("y", "mean", "variance"),
        (NO_STATISTICS, {}, NO_STATISTICS | NO_AFFINE, NO_AFFINE, NO_STATISTICS | dict(eps=0.1), dict(eps=0.1)),
        _batch_forward, 10),
    "batch_norm_backward": _case(
        dict(dy="BC", x="BC", gamma="C", mean="C", variance="C"), ("dx", "dgamma", "dbeta"),
        ({}, dict(fixed=True), dict(gamma=None), dict(eps=0.1)), _batch_backward, 10),
    "layer_norm_forward": _case(
        dict(x="BC", gamma="C", beta="C"), ("y", "mean", "rstd"), ({}, NO_AFFINE, dict(eps=0.1)), _layer_forward, 10),
    "layer_norm_backward": _case(
        dict(dy="BC", x="BC", gamma="C", mean="B", rstd="B"), ("dx", "dgamma", "dbeta"),
        ({}, dict(gamma=None)), _layer_backward, 15),
}
# fmt: on
