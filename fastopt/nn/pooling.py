"""Pooling over time: a sequence becomes one row of features."""

import numpy as np

from .layer import Layer


class _GlobalPooling1D(Layer):
    """Base: x (B, T, C), with data_format "channels_first" (B, C, T), becomes (B, C); with keepdims time stays, as an axis of 1."""

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        if data_format not in (None, "channels_last", "channels_first"):
            owner = type(self).__name__
            raise ValueError(f"{owner}: data_format must be 'channels_last' or 'channels_first', got {data_format!r}")
        super().__init__(**kwargs)
        self.data_format, self.keepdims = data_format or "channels_last", bool(keepdims)
        self.time = 1 if self.data_format == "channels_last" else 2

    def check_input(self, input_shape):
        if isinstance(input_shape, list) or len(input_shape) != 3:
            raise ValueError(f"expected shape {'(B, T, C)' if self.time == 1 else '(B, C, T)'}, got {input_shape}")

    def compute_output_shape(self, input_shape):
        rest = (1,) if self.keepdims else ()
        return (*input_shape[: self.time], *rest, *input_shape[self.time + 1 :])

    def _with_time(self, dy):
        return dy if self.keepdims else np.expand_dims(dy, self.time)

    def get_config(self):
        return super().get_config() | {"data_format": self.data_format, "keepdims": self.keepdims}


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean over time of each feature, of the unmasked steps; NaN where there are none, as in Keras.

    data_format: "channels_last" (default), x (B, T, C), or "channels_first", (B, C, T). keepdims: whether time stays as an axis of
    size 1. Further arguments: see Layer.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> nn.GlobalAveragePooling1D().forward(np.array([[[2.0], [4.0], [9.0]]]), mask=[[True, True, False]])
    array([[3.]], dtype=float32)
    """

    supports_masking = True

    def compute(self, call, x, training):
        call.shape, call.kept = x.shape, self._kept(call.mask)
        where = True if call.kept is None else call.kept
        total = x.sum(axis=self.time, keepdims=True, where=where)
        call.count = x.shape[self.time] if call.kept is None else call.kept.sum(self.time, x.dtype, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            total /= call.count
        return total if self.keepdims else total.squeeze(self.time)

    def gradient(self, call, dy):
        dx = call.buffer("dx", call.shape, dy.dtype)
        with np.errstate(divide="ignore", invalid="ignore"):
            dx[...] = self._with_time(dy) / call.count
        if call.kept is not None:
            np.copyto(dx, 0, where=~call.kept)
        return dx

    def _kept(self, mask):
        """The mask as it spreads over x."""
        return None if mask is None else np.expand_dims(mask, 3 - self.time)

    def compute_mask(self, x, mask=None):
        """None: there are no steps any more."""


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The largest value over time of each feature; masks are ignored, as in Keras.

    The gradient goes to the first of several largest. data_format, keepdims: as for GlobalAveragePooling1D.
    """

    def compute(self, call, x, training):
        if not x.shape[self.time]:
            raise ValueError(f"layer {self.name!r}: x has shape {x.shape}, without a step to take the largest of")
        call.shape, call.first = x.shape, x.argmax(axis=self.time, keepdims=True) if training else None
        call.x = None if training else x
        return x.max(axis=self.time, keepdims=self.keepdims)

    def gradient(self, call, dy):
        first = call.x.argmax(axis=self.time, keepdims=True) if call.first is None else call.first
        dx = call.buffer("dx", call.shape, dy.dtype)
        dx[...] = 0
        np.put_along_axis(dx, first, self._with_time(dy), self.time)
        return dx
