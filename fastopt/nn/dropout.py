"""Dropout, by a generator that counts: which elements are dropped follows from seed, step and index alone."""

from numbers import Real

import numpy as np

from .. import kernels
from . import random
from .layer import Layer


class Dropout(Layer):
    """In training each element is 0 with probability `rate`, else divided by 1 - rate (Srivastava et al. 2014).

    rate: in [0, 1]. seed: an integer; by default one drawn at construction, so that set_random_seed makes it repeatable. A layer
    from load_model draws from the beginning again: with a seed what it drew at first, without one by a seed newly drawn.
    noise_shape: the shape in which is drawn, 1 on axes along which elements share their fate, None for the input's size. Further
    arguments: see Layer.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> nn.Dropout(0.5, seed=5)(np.ones((1, 6), "float32"), training=True)
    array([[2., 0., 2., 2., 0., 0.]], dtype=float32)
    """

    passes = supports_masking = True

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 <= rate <= 1:
            raise ValueError(f"{type(self).__name__}: rate must be a number in [0, 1], got {rate!r}")
        super().__init__(**kwargs)
        self.rate, self.noise_shape, self.given_seed = float(rate), noise_shape, seed
        self.seed = random.draw_seed() if seed is None else int(seed) % 2**64
        self.step = 0  # forward passes in training so far

    def compute(self, call, x, training):
        call.step = None
        if not training or self.rate == 0:
            return x
        call.step = self.step
        self.step += 1
        return self._drop(call, x, call.buffer("y", x.shape, x.dtype))

    def gradient(self, call, dy):
        return dy if call.step is None else self._drop(call, dy, dy)

    def _drop(self, call, x, out):
        if self.noise_shape is None:
            return kernels.dropout(x, self.rate, seed=self.seed, step=call.step, out=out)
        shape = tuple(x.shape[axis] if size is None else size for axis, size in enumerate(self.noise_shape))
        mask = kernels.dropout(np.ones(shape, x.dtype), self.rate, seed=self.seed, step=call.step)
        return np.multiply(x, mask, out=out)

    def compute_output_shape(self, input_shape):
        if self.noise_shape is not None:
            drawn = tuple(self.noise_shape)
            fits = len(drawn) == len(input_shape) and all(
                n in (None, 1, size) or size is None for n, size in zip(drawn, input_shape)
            )
            if not fits:
                raise ValueError(f"noise_shape is {drawn}, which does not spread over shape {input_shape}")
        return input_shape

    @property
    def mixes(self):
        """Whether samples share their fate."""
        return self.noise_shape is not None and self.noise_shape[0] is not None

    def get_config(self):
        return super().get_config() | {"rate": self.rate, "noise_shape": self.noise_shape, "seed": self.given_seed}


class SpatialDropout1D(Dropout):
    """Dropout that keeps or drops a feature for all steps of a sample at once (Tompson et al. 2015): x (B, T, C).

    rate, seed: see Dropout.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(rate, (None, 1, None), seed, **kwargs)

    def check_input(self, input_shape):
        if isinstance(input_shape, list) or len(input_shape) != 3:
            raise ValueError(f"expected shape (B, T, C), got {input_shape}")

    def get_config(self):
        config = super().get_config()
        del config["noise_shape"]
        return config
