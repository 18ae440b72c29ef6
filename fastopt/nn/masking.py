"""Masking: a mask from the data themselves."""

import numpy as np

from .layer import Layer

BLOCK = 2**15  # elements compared at once: the results of all would take as many bytes as x has elements


class Masking(Layer):
    """Masks the steps whose features all equal mask_value, and sets them to 0: x (B, T, ..., F), its mask (B, T, ...). Further
    arguments: see Layer.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> x = np.array([[[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]]])
    >>> nn.Masking().compute_mask(x)
    array([[ True,  True, False]])
    """

    supports_masking = makes_mask = True

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def check_input(self, input_shape):
        if isinstance(input_shape, list) or len(input_shape) < 2:
            raise ValueError(f"expected shape (batch, ..., features), got {input_shape}")

    def compute(self, call, x, training):
        call.kept, y = self.compute_mask(x)[..., None], call.buffer("y", x.shape, x.dtype)
        y[...] = 0
        np.copyto(y, x, where=call.kept)
        return y

    def gradient(self, call, dy):
        return np.multiply(dy, call.kept, out=dy)

    def compute_mask(self, x, mask=None):
        """True where some feature differs from mask_value; a mask that came with the input does not count."""
        value, kept = x.dtype.type(self.mask_value), np.empty(x.shape[:-1], bool)
        rows = max(BLOCK * len(x) // max(x.size, 1), 1)
        for start in range(0, len(x), rows):
            block = slice(start, start + rows)
            np.any(x[block] != value, axis=-1, out=kept[block])
        return kept

    def get_config(self):
        return super().get_config() | {"mask_value": self.mask_value}
