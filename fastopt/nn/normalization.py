"""Batch and layer normalisation."""

import math

import numpy as np

from .. import kernels
from . import constraints, initializers, regularizers
from .layer import Layer

FEW = 1e-7  # what Keras adds to the number of unmasked elements


class _Normalization(Layer):
    """What both share: a scale gamma and a shift beta, each of which can be left out, and eps."""

    supports_masking = True

    def __init__(self, axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
                 beta_constraint, gamma_constraint, **kwargs):  # fmt: skip
        super().__init__(**kwargs)
        self.axis, self.epsilon, self.center, self.scale = axis, float(epsilon), bool(center), bool(scale)
        self.beta_initializer, self.gamma_initializer = initializers.get(beta_initializer), initializers.get(gamma_initializer)
        self.beta_regularizer, self.gamma_regularizer = regularizers.get(beta_regularizer), regularizers.get(gamma_regularizer)
        self.beta_constraint, self.gamma_constraint = constraints.get(beta_constraint), constraints.get(gamma_constraint)
        self.gamma = self.beta = None

    def _add_scale_and_shift(self, shape):
        if self.scale:
            self.add_weight("gamma", shape, self.gamma_initializer, self.gamma_regularizer, constraint=self.gamma_constraint)
        if self.center:
            self.add_weight("beta", shape, self.beta_initializer, self.beta_regularizer, constraint=self.beta_constraint)

    def _take(self, call, dgamma, dbeta):
        """Writes the gradients of gamma and beta, or adds them."""
        for name, slope in (("gamma", dgamma), ("beta", dbeta)) if call.trainable else ():
            weight = next((weight for weight in self._weights if weight.name == name), None)
            if weight is not None:
                np.add(weight.grad if call.accumulate else 0, slope.reshape(weight.shape), out=weight.grad)

    def get_config(self):
        return super().get_config() | {
            "axis": list(self.axis) if isinstance(self.axis, tuple) else self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


class BatchNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta for each feature (Ioffe & Szegedy 2015).

    In training mean and variance are the batch's, over all axes but `axis`, and moving averages of them follow:
    moving <- momentum moving + (1 - momentum) batch. Otherwise, and where trainable is False, the moving averages are taken. A
    mask, of one axis less than the input, leaves masked steps out of mean and variance; they are normalised like the others.

    center, scale: whether there are beta and gamma; beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
    beta_constraint, gamma_constraint: theirs. moving_mean_initializer, moving_variance_initializer: of the moving averages. Further
    arguments: see Layer.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> layer = nn.BatchNormalization(epsilon=0.0)
    >>> layer(np.array([[1.0], [3.0]], "float32"), training=True).ravel()
    array([-1.,  1.], dtype=float32)
    """

    mixes = True

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
                 beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, **kwargs):  # fmt: skip
        own = (beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint)
        super().__init__(int(axis), epsilon, center, scale, *own, **kwargs)
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape):
        if isinstance(input_shape, list) or not -len(input_shape) <= self.axis < len(input_shape):
            raise ValueError(f"axis {self.axis} is no axis of shape {input_shape}")
        width = input_shape[self.axis]
        if width is None:
            raise ValueError(f"axis {self.axis} must have a known size, got shape {input_shape}")
        self._add_scale_and_shift((width,))
        self.add_weight("moving_mean", (width,), self.moving_mean_initializer, trainable=False)
        self.add_weight("moving_variance", (width,), self.moving_variance_initializer, trainable=False)
        super().build(input_shape)

    def check_input(self, input_shape):
        if input_shape[self.axis] != len(self.moving_mean):
            raise ValueError(f"expected size {len(self.moving_mean)} on axis {self.axis}, got shape {input_shape}")

    def compute(self, call, x, training):
        mask = call.mask
        if mask is not None and mask.ndim != x.ndim - 1:
            raise ValueError(f"layer {self.name!r}: mask has shape {mask.shape}, expected one axis less than x, {x.shape}")
        call.kept = None if mask is None else self._last_axis(np.broadcast_to(mask[..., None], x.shape))
        x = self._last_axis(x)
        y = call.buffer("y", x.shape, x.dtype)
        call.fixed = fixed = not (training and call.trainable)
        if fixed:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            mean, variance = (None, None) if mask is None else self._moments(call, x)
        y, mean, variance = kernels.batch_norm_forward(
            x, self.gamma, self.beta, mean=mean, variance=variance, eps=self.epsilon, out=(y, None, None)
        )
        if not fixed:
            for moving, batch in (self.moving_mean, mean), (self.moving_variance, variance):
                np.add(moving * self.momentum, (1 - self.momentum) * batch, out=moving)  # at once: Ctrl-C comes before or after
        call.saved = x, mean, variance
        return self._own_axis(y)

    def gradient(self, call, dy):
        x, mean, variance = call.saved
        dx = call.buffer("dx", x.shape, x.dtype)
        masked = call.kept is not None and not call.fixed
        dx, dgamma, dbeta = kernels.batch_norm_backward(
            self._last_axis(dy), x, self.gamma, mean, variance, eps=self.epsilon, fixed=call.fixed or masked, out=(dx, None, None)
        )
        if masked:
            self._add_through_moments(call, dx, dgamma, dbeta)
        self._take(call, dgamma, dbeta)
        return self._own_axis(dx)

    def _moments(self, call, x):
        """Mean and variance of what is unmasked, with Keras's constant in the number of elements, which may be 0."""
        axes = tuple(range(x.ndim - 1))
        call.count = call.kept.sum(axes) + FEW
        mean = (x.sum(axes, np.float64, where=call.kept) / call.count).astype(x.dtype)
        work = np.subtract(x, mean, out=call.buffer("work", x.shape, x.dtype))
        variance = np.square(work, out=work).sum(axes, np.float64, where=call.kept) / call.count
        return mean, variance.astype(x.dtype)

    def _add_through_moments(self, call, dx, dgamma, dbeta):
        """Adds to dx, which holds the gradient for fixed mean and variance, what comes through these."""
        x, mean, variance = call.saved
        scale = 1 / np.sqrt(variance.astype(np.float64) + self.epsilon)
        gamma = 1 if self.gamma is None else self.gamma
        dvariance = -0.5 * gamma * scale**2 * dgamma
        dmean = -gamma * scale * dbeta - 2 * dvariance * mean * FEW / call.count  # the differences from mean sum to mean FEW
        work = np.subtract(x, mean, out=call.buffer("work", x.shape, x.dtype))
        work *= (2 * dvariance / call.count).astype(x.dtype)
        work += (dmean / call.count).astype(x.dtype)
        np.add(dx, work, out=dx, where=call.kept)

    def _last_axis(self, x):
        return x if self.axis in (-1, x.ndim - 1) else np.moveaxis(x, self.axis, -1)

    def _own_axis(self, x):
        return x if self.axis in (-1, x.ndim - 1) else np.ascontiguousarray(np.moveaxis(x, -1, self.axis))

    def get_config(self):
        return super().get_config() | {
            "momentum": self.momentum,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
        }


class LayerNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta for each sample (Ba, Kiros & Hinton 2016).

    axis: the axes over which mean and variance are taken: the last, or a list of last ones; gamma and beta have their shape.
    center, scale: whether there are beta and gamma; beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
    beta_constraint, gamma_constraint: theirs. Further arguments: see Layer.
    """

    def __init__(self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros", gamma_initializer="ones",
                 beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, **kwargs):  # fmt: skip
        axis = tuple(axis) if isinstance(axis, (list, tuple)) else int(axis)
        own = (beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint)
        super().__init__(axis, epsilon, center, scale, *own, **kwargs)

    def build(self, input_shape):
        axes = [axis % len(input_shape) for axis in (self.axis if isinstance(self.axis, tuple) else (self.axis,))]
        first = len(input_shape) - len(axes)
        if sorted(axes) != list(range(first, len(input_shape))) or first < 1:
            raise ValueError(f"axis must be the last axes of shape {input_shape}, got {self.axis}")
        self.normalized = input_shape[first:]
        if None in self.normalized:
            raise ValueError(f"axis {self.axis} must have a known size, got shape {input_shape}")
        self._add_scale_and_shift(self.normalized)
        super().build(input_shape)

    def check_input(self, input_shape):
        if tuple(input_shape[-len(self.normalized) :]) != tuple(self.normalized):
            raise ValueError(f"expected shape (batch, ..., {', '.join(map(str, self.normalized))}), got {input_shape}")

    def compute(self, call, x, training):
        rows = self._rows(x)
        y = call.buffer("y", rows.shape, x.dtype)
        gamma, beta = self._row(self.gamma), self._row(self.beta)
        y, mean, rstd = kernels.layer_norm_forward(rows, gamma, beta, eps=self.epsilon, out=(y, None, None))
        call.saved = rows, mean, rstd
        return y.reshape(x.shape)

    def gradient(self, call, dy):
        rows, mean, rstd = call.saved
        dx = call.buffer("dx", rows.shape, rows.dtype)
        dx, dgamma, dbeta = kernels.layer_norm_backward(
            self._rows(dy), rows, self._row(self.gamma), mean, rstd, out=(dx, None, None)
        )
        self._take(call, dgamma, dbeta)
        return dx.reshape(dy.shape)

    def _rows(self, x):
        """x with the normalised axes as one."""
        kept = x.ndim - len(self.normalized)
        return x if kept == x.ndim - 1 else x.reshape(*x.shape[:kept], math.prod(self.normalized))

    def _row(self, weight):
        return weight if weight is None or weight.ndim == 1 else weight.reshape(-1)
