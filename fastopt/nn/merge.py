"""Layers of several inputs: elementwise ones, which spread axes of size 1 as NumPy does, and Concatenate."""

import functools

import numpy as np

from .layer import Layer


class _Merge(Layer):
    """Base of the elementwise layers of a list of inputs."""

    count: int | None = None  # of inputs, where it is fixed
    supports_masking = True

    def check_input(self, input_shape):
        expected = "two inputs" if self.count else "a list of two inputs or more"
        if not isinstance(input_shape, list) or len(input_shape) < 2 or (self.count and len(input_shape) != self.count):
            raise ValueError(f"expected {expected}, got shape{'s' * isinstance(input_shape, list)} {input_shape}")

    def compute_output_shape(self, input_shape):
        ranks = {len(shape) for shape in input_shape}
        columns = [set(sizes) - {1} for sizes in zip(*input_shape)]
        if len(ranks) > 1 or any(len(column - {None}) > 1 for column in columns):
            raise ValueError(f"expected inputs of one shape, got {' and '.join(map(str, input_shape))}")
        return tuple(1 if not column else max(column, key=lambda size: size or 0) for column in columns)

    def compute(self, call, x, training):
        call.x = x
        shape = x[0].shape if all(part.shape == x[0].shape for part in x) else np.broadcast_shapes(*(part.shape for part in x))
        call.y = self.merge(x, call.buffer("y", shape, x[0].dtype))
        return call.y

    def compute_mask(self, x, mask=None):
        """Where any input is unmasked; None where an input has no mask."""
        if mask is None or any(part is None for part in mask):
            return None
        return functools.reduce(np.logical_or, mask)

    def gradient(self, call, dy):
        parts = [call.buffer(f"dx{i}", dy.shape, dy.dtype) for i in range(1, len(call.x))]
        self.split(call, dy, parts)
        return [_gathered(part, x.shape) for part, x in zip([dy, *parts], call.x)]

    def merge(self, x, out):
        """The merged inputs, written to out."""
        raise NotImplementedError

    def split(self, call, dy, parts):
        """Writes the gradients of the inputs: of the first over dy, of the others to parts."""
        raise NotImplementedError


class Add(_Merge):
    """The sum of the inputs. Further arguments: see Layer.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> nn.Add()([np.ones((1, 2), "float32"), np.ones((1, 2), "float32")])
    array([[2., 2.]], dtype=float32)
    """

    def merge(self, x, out):
        np.add(x[0], x[1], out=out)
        for part in x[2:]:
            out += part
        return out

    def split(self, call, dy, parts):
        for part in parts:
            part[...] = dy


class Average(Add):
    """The mean of the inputs. Further arguments: see Layer."""

    def merge(self, x, out):
        super().merge(x, out)
        out *= 1 / len(x)
        return out

    def split(self, call, dy, parts):
        dy *= 1 / len(call.x)
        super().split(call, dy, parts)


class Subtract(_Merge):
    """The first input less the second. Further arguments: see Layer."""

    count = 2

    def merge(self, x, out):
        return np.subtract(*x, out=out)

    def split(self, call, dy, parts):
        np.negative(dy, out=parts[0])


class Multiply(_Merge):
    """The product of the inputs. Further arguments: see Layer."""

    def merge(self, x, out):
        np.multiply(x[0], x[1], out=out)
        for part in x[2:]:
            out *= part
        return out

    def split(self, call, dy, parts):
        first = dy.copy()
        for i, part in enumerate([dy, *parts]):
            part[...] = first
            for j, x in enumerate(call.x):
                if j != i:
                    part *= x


class Maximum(_Merge):
    """The largest of the inputs; where several are, the gradient goes to the first of them. Further arguments: see Layer."""

    def merge(self, x, out):
        np.maximum(x[0], x[1], out=out)
        for part in x[2:]:
            np.maximum(out, part, out=out)
        return out

    def split(self, call, dy, parts):
        left = dy.copy()
        for x, part in zip(call.x, [dy, *parts]):
            part[...] = np.where(x == call.y, left, 0)
            left[np.broadcast_to(x == call.y, left.shape)] = 0


class Minimum(Maximum):
    """The smallest of the inputs; where several are, the gradient goes to the first of them. Further arguments: see Layer."""

    def merge(self, x, out):
        np.minimum(x[0], x[1], out=out)
        for part in x[2:]:
            np.minimum(out, part, out=out)
        return out


class Concatenate(Layer):
    """The inputs one after the other along an axis, by default the last; their other sizes agree. Further arguments: see Layer.

    >>> from fastopt import nn
    >>> nn.Concatenate()([nn.Input(shape=(3,)), nn.Input(shape=(5,))]).shape
    (None, 8)
    """

    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = int(axis)

    def check_input(self, input_shape):
        if not isinstance(input_shape, list) or not input_shape:
            raise ValueError(f"expected a list of inputs, got shape {input_shape}")

    def compute_output_shape(self, input_shape):
        rank = len(input_shape[0])
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError(f"axis {self.axis} is none of the axes of shape {input_shape[0]} that can be joined")
        axis = self.axis % rank
        rests = [shape[:axis] + shape[axis + 1 :] for shape in input_shape]
        fits = all(
            len(rest) == rank - 1 and all(None in pair or pair[0] == pair[1] for pair in zip(rest, rests[0])) for rest in rests
        )
        if not fits:
            raise ValueError(f"expected shapes that differ in axis {self.axis} alone, got {' and '.join(map(str, input_shape))}")
        sizes = [shape[axis] for shape in input_shape]
        return (*input_shape[0][:axis], None if None in sizes else sum(sizes), *input_shape[0][axis + 1 :])

    def compute(self, call, x, training):
        call.shapes = [part.shape for part in x]
        y = call.buffer("y", self.compute_output_shape(call.shapes), x[0].dtype)
        return np.concatenate(x, axis=self.axis, out=y)

    def compute_mask(self, x, mask=None):
        """The masks one after the other, where time is joined; else where any is True. An input without one counts as True."""
        if mask is None:
            return None
        steps = [_mask_of_steps(part, array.shape) for part, array in zip(mask, x)]
        axis = self.axis % x[0].ndim
        return functools.reduce(np.logical_or, steps) if axis == x[0].ndim - 1 else np.concatenate(steps, axis=axis)

    def gradient(self, call, dy):
        ends = np.cumsum([shape[self.axis] for shape in call.shapes])[:-1]
        parts = [call.buffer(f"dx{i}", shape, dy.dtype) for i, shape in enumerate(call.shapes)]
        for part, slope in zip(parts, np.split(dy, ends, axis=self.axis)):
            part[...] = slope
        return parts

    def get_config(self):
        return super().get_config() | {"axis": self.axis}


def _mask_of_steps(mask, shape):
    """The mask of an input of this shape over all axes but the last."""
    if mask is None:
        return np.ones(shape[:-1], bool)
    if mask.ndim == len(shape):
        return mask.any(axis=-1)
    return np.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - 1 - mask.ndim)), shape[:-1])


def _gathered(slope, shape):
    """A gradient summed over the axes along which an input of this shape was spread."""
    axes = tuple(axis for axis, (size, wide) in enumerate(zip(shape, slope.shape)) if size != wide)
    return slope.sum(axis=axes, keepdims=True) if axes else slope
