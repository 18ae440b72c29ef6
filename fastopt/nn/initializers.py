"""Initialisers: the first values of parameters, under Keras's names, arguments and defaults.

An initialiser is called with a shape and a dtype and returns a new array. One with a random distribution takes its seed at
construction and gives the same values at each call for the same shape; without one it draws a seed then. Values are drawn in
double and rounded once, so float32 and float64 models of one seed begin alike.
"""

import math

import numpy as np

from . import names, random

TRUNCATED_STDDEV = 0.87962566103423978  # of the standard normal distribution cut off at +-2


class Initializer(names.Configured):
    """Base: a subclass writes __call__(shape, dtype="float32") -> array, and get_config where it has arguments.

    >>> from fastopt.nn import initializers
    >>> initializers.get("glorot_uniform")((3, 2)).shape
    (3, 2)
    """

    def __call__(self, shape, dtype="float32"):
        raise NotImplementedError(f"{type(self).__name__}: an initializer must define __call__(shape, dtype)")


class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape, dtype="float32"):
        return np.zeros(shape, dtype)


class Ones(Initializer):
    """All 1."""

    def __call__(self, shape, dtype="float32"):
        return np.ones(shape, dtype)


class Constant(Initializer):
    """value everywhere, or where it is an array that fits the shape (an embedding matrix, say) its elements."""

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype="float32"):
        try:
            return np.array(np.broadcast_to(np.asarray(self.value, dtype), shape))
        except ValueError:
            raise ValueError(f"Constant: value has shape {np.shape(self.value)}, expected {_shape(shape)}") from None

    def get_config(self):
        return {"value": np.asarray(self.value).tolist()}


class Identity(Initializer):
    """gain on the diagonal of a matrix, 0 elsewhere."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype="float32"):
        if len(shape) != 2:
            raise ValueError(f"Identity: shape must have two dimensions, got {_shape(shape)}")
        return np.multiply(np.eye(*shape, dtype=dtype), self.gain, dtype=dtype)

    def get_config(self):
        return {"gain": self.gain}


class RandomInitializer(Initializer):
    """Base of those that draw. seed: an integer >= 0, or None for one drawn at construction; ValueError for others."""

    def __init__(self, seed=None):
        if seed is not None and (isinstance(seed, bool) or not hasattr(seed, "__index__") or seed < 0):
            raise ValueError(f"{type(self).__name__}: seed must be None or an integer >= 0, got {seed!r}")
        self._given = None if seed is None else int(seed)
        self.seed = random.draw_seed() if seed is None else int(seed)

    def _generator(self):
        return np.random.default_rng(self.seed)

    def get_config(self):
        return {"seed": self._given}


class RandomNormal(RandomInitializer):
    """Normally distributed with mean and stddev. seed: see RandomInitializer."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape, dtype="float32"):
        return np.asarray(self._generator().normal(self.mean, self.stddev, shape), dtype)

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomNormal):
    """Normally distributed, what lies beyond two standard deviations drawn again. mean, stddev, seed: see RandomNormal."""

    def __call__(self, shape, dtype="float32"):
        return np.asarray(truncated_normal(self._generator(), shape, self.mean, self.stddev), dtype)


class RandomUniform(RandomInitializer):
    """Uniform over [minval, maxval). seed: see RandomInitializer."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape, dtype="float32"):
        return np.asarray(self._generator().uniform(self.minval, self.maxval, shape), dtype)

    def get_config(self):
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


class VarianceScaling(RandomInitializer):
    """Variance scale / n, where n is by mode the fan-in, the fan-out or their mean ("fan_in", "fan_out", "fan_avg") (He et al.
    2015).

    distribution: "truncated_normal" (its standard deviation corrected for the cut), "untruncated_normal", or "uniform" over
        +-sqrt(3 scale / n). For a kernel (..., I, O) the fans are I and O times the product of the leading dimensions.
    seed: see RandomInitializer.
    """

    def __init__(self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None):
        super().__init__(seed)
        if not scale > 0:
            raise ValueError(f"{type(self).__name__}: scale must be > 0, got {scale!r}")
        self.scale, self.mode = scale, names.find(f"{type(self).__name__}: mode", mode, _same("fan_in", "fan_out", "fan_avg"))
        kinds = _same("truncated_normal", "untruncated_normal", "uniform") | {"normal": "truncated_normal"}
        self.distribution = names.find(f"{type(self).__name__}: distribution", distribution, kinds)

    def __call__(self, shape, dtype="float32"):
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance, rng = self.scale / max(1.0, n), self._generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            drawn = rng.uniform(-limit, limit, shape)
        elif self.distribution == "untruncated_normal":
            drawn = rng.normal(0, math.sqrt(variance), shape)
        else:
            drawn = truncated_normal(rng, shape, 0, math.sqrt(variance) / TRUNCATED_STDDEV)
        return np.asarray(drawn, dtype)

    def get_config(self):
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, **super().get_config()}


class _Named(VarianceScaling):
    """A VarianceScaling whose arguments are fixed by its name."""

    arguments = ()

    def __init__(self, seed=None):
        super().__init__(*self.arguments, seed)

    def get_config(self):
        return RandomInitializer.get_config(self)


class GlorotUniform(_Named):
    """Uniform over +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010). seed: see RandomInitializer."""

    arguments = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010). seed: see RandomInitializer."""

    arguments = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """Uniform over +-sqrt(6 / fan_in) (He et al. 2015). seed: see RandomInitializer."""

    arguments = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """Truncated normal of variance 2 / fan_in (He et al. 2015). seed: see RandomInitializer.

    >>> weights = HeNormal(seed=0)((1000, 100))
    >>> weights.dtype, round(float(weights.std() ** 2 * 1000), 1)
    (dtype('float32'), 2.0)
    """

    arguments = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """Uniform over +-sqrt(3 / fan_in) (LeCun et al. 1998). seed: see RandomInitializer."""

    arguments = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """Truncated normal of variance 1 / fan_in (LeCun et al. 1998). seed: see RandomInitializer."""

    arguments = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """gain times a matrix of orthonormal columns, or rows where those are fewer, uniform among them (Saxe et al. 2014).

    Leading dimensions of a shape of more than two count as rows. seed: see RandomInitializer.
    """

    def __init__(self, gain=1.0, seed=None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape, dtype="float32"):
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: shape must have two dimensions or more, got {_shape(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self._generator().standard_normal((max(rows, columns), min(rows, columns))))
        q *= np.sign(np.diag(r))  # without this, QR's own choice of signs would favour some matrices
        return np.multiply(q if rows >= columns else q.T, self.gain).reshape(shape).astype(dtype, order="C", copy=False)

    def get_config(self):
        return {"gain": self.gain, **super().get_config()}


def truncated_normal(rng, shape, mean, stddev):
    """Normal numbers (shape) of mean and stddev from the generator rng, those beyond two stddev drawn again; float64."""
    flat = rng.standard_normal(math.prod(shape))
    outside = np.flatnonzero(np.abs(flat) > 2)
    while outside.size:
        flat[outside] = rng.standard_normal(outside.size)
        outside = outside[np.abs(flat[outside]) > 2]
    return flat.reshape(shape) * stddev + mean


def fans(shape):
    """(fan_in, fan_out) of a kernel's shape."""
    if len(shape) < 2:
        return (shape[0],) * 2 if len(shape) else (1, 1)
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def _shape(shape):
    return tuple(int(n) for n in shape)


def _same(*words):
    return dict(zip(words, words))


CLASSES = (Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling, GlorotUniform,
           GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal)  # fmt: skip
TABLE = {cls.__name__: cls for cls in CLASSES}
TABLE |= {"zero": Zeros, "one": Ones, "normal": RandomNormal, "uniform": RandomUniform, "eye": Identity}

serialize = names.serialize


def deserialize(config, custom_objects=None):
    """The initialiser of config, {"class_name": ..., "config": ...}.

    custom_objects: {name: class} for what is not fastopt's own.
    """
    return names.deserialize("initializer", config, TABLE, custom_objects)


def get(identifier):
    """The initialiser for identifier: a name, class, configuration, array of first values, or function (shape, dtype) -> array."""
    if isinstance(identifier, (np.ndarray, np.generic, int, float)) and not isinstance(identifier, bool):
        return Constant(identifier)
    return names.resolve("initializer", identifier, TABLE, Initializer)
