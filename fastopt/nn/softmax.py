"""Softmax as a layer, over any axes, with a mask for elements."""

import math
from numbers import Integral

import numpy as np

from .. import kernels
from .activation import Fixed

MASKED = -1e9  # what stands for masked elements before a softmax, as in Keras


class Softmax(Fixed):
    """exp(x) over its sum along `axis`, an integer or several (Bridle 1990). Further arguments: see Layer.

    A mask of the input's shape leaves masked elements out, which get 0. A mask (B, T) of inputs (B, T, C), which Keras refuses,
    says nothing of the features and only goes on.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> nn.Softmax(axis=1)(np.zeros((1, 2, 3), "float32"))
    array([[[0.5, 0.5, 0.5],
            [0.5, 0.5, 0.5]]], dtype=float32)
    """

    def __init__(self, axis=-1, **kwargs):
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not axes or not all(isinstance(one, Integral) and not isinstance(one, bool) for one in axes):
            raise ValueError(f"Softmax: axis must be an integer, or several, got {axis!r}")
        super().__init__("softmax", **kwargs)
        self.axis = [int(one) for one in axes] if axes is axis else int(axis)
        self._axes = [int(one) for one in axes]
        self.splits = self._axes == [-1]  # where rows are what losses take for rows

    def check_input(self, input_shape):
        self._order(len(input_shape))

    def compute(self, call, x, training):
        left_out = ~call.mask if call.mask is not None and call.mask.ndim == x.ndim else None
        call.left_out = left_out
        if left_out is not None:
            kept = call.buffer("kept", x.shape, x.dtype)
            np.copyto(kept, x)
            np.copyto(kept, MASKED, where=left_out)
            x = kept
        y = super().compute(call, x, training) if self.splits else self._compute_across(call, x)
        if left_out is not None and not call.linear:
            np.copyto(y, 0, where=left_out)
        return y

    def gradient(self, call, dy):
        dx = super().gradient(call, dy) if self.splits else self._gradient_across(call, dy)
        if call.left_out is not None:
            np.copyto(dx, 0, where=call.left_out)
        return dx

    def _compute_across(self, call, x):
        """compute for other axes than the last: these are moved to the end, where they make rows, and the results back."""
        moved, call.rows = self._moved(call, "rows", x)
        kernels.activation_forward(call.rows, "softmax", out=call.rows)
        y = call.buffer("y", x.shape, x.dtype)
        np.copyto(y.transpose(self._order(x.ndim)), moved)
        return y

    def _gradient_across(self, call, dy):
        moved, slopes = self._moved(call, "slopes", dy)
        kernels.activation_backward(slopes, call.rows, "softmax", out=slopes)
        np.copyto(dy.transpose(self._order(dy.ndim)), moved)
        return dy

    def _moved(self, call, name, x):
        """A copy of x whose last axes are those of the softmax, and a view of it in which they are one."""
        order = self._order(x.ndim)
        moved = call.buffer(name, tuple(x.shape[axis] for axis in order), x.dtype)
        np.copyto(moved, x.transpose(order))
        rest = moved.shape[: -len(self._axes)]
        return moved, moved.reshape(*rest, math.prod(moved.shape[len(rest) :]))

    def _order(self, rank):
        """All axes of an input of so many, those of the softmax last; ValueError where it has them not, or one of them twice."""
        axes = [axis + rank if axis < 0 else axis for axis in self._axes]
        if not all(0 <= axis < rank for axis in axes) or len(set(axes)) < len(axes):
            raise ValueError(f"expected an input with the axes {self._axes}, each once, got one of {rank} axes")
        return [axis for axis in range(rank) if axis not in axes] + axes

    def get_config(self):
        return super().get_config() | {"axis": self.axis}
