"""Layers that change the shape and leave the numbers alone: the batch stays the first axis."""

import math

from .arguments import integer
from .layer import Layer


class Reshape(Layer):
    """The elements of each sample, in C order, in another shape.

    target_shape: without the batch; one size may be -1 and follows from the others. Further arguments: see Layer.

    >>> from fastopt import nn
    >>> nn.Reshape((4, -1))(nn.Input(shape=(8,))).shape
    (None, 4, 2)
    """

    passes = True

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        self.target_shape = tuple(int(size) for size in target_shape)
        if sum(size == -1 for size in self.target_shape) > 1 or any(size < -1 for size in self.target_shape):
            raise ValueError(f"Reshape: target_shape must hold sizes >= 0, and one -1 at most, got {self.target_shape}")

    def compute_output_shape(self, input_shape):
        sizes, target = input_shape[1:], self.target_shape
        if None in sizes:
            return (input_shape[0], *(None if size == -1 else size for size in target))
        total, known = math.prod(sizes), math.prod(size for size in target if size != -1)
        if total != known and (-1 not in target or not known or total % known):
            raise ValueError(f"expected samples of {known}{' k' * (-1 in target)} elements for {target}, got shape {input_shape}")
        return (input_shape[0], *(total // known if size == -1 else size for size in target))

    def compute(self, call, x, training):
        call.shape = x.shape
        return x.reshape(self.compute_output_shape(x.shape))

    def gradient(self, call, dy):
        return dy.reshape(call.shape)

    def get_config(self):
        return super().get_config() | {"target_shape": list(self.target_shape)}


class Flatten(Layer):
    """Each sample as one row: (B, ...) becomes (B, product of the others). data_format: None or "channels_last". Further
    arguments: see Layer.

    >>> from fastopt import nn
    >>> nn.Flatten()(nn.Input(shape=(28, 28))).shape
    (None, 784)
    """

    passes = True

    def __init__(self, data_format=None, **kwargs):
        if data_format not in (None, "channels_last"):
            raise ValueError(f"Flatten: data_format must be None or 'channels_last', got {data_format!r}")
        super().__init__(**kwargs)

    def compute_output_shape(self, input_shape):
        sizes = input_shape[1:]
        return (input_shape[0], None if None in sizes else math.prod(sizes))

    def compute(self, call, x, training):
        call.shape = x.shape
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def gradient(self, call, dy):
        return dy.reshape(call.shape)


class RepeatVector(Layer):
    """Each sample as all the steps of a sequence: (B, C) becomes (B, n, C), as between the two halves of an autoencoder.

    n: how often. Further arguments: see Layer.

    >>> from fastopt import nn
    >>> nn.RepeatVector(3)(nn.Input(shape=(8,))).shape
    (None, 3, 8)
    """

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n = integer("RepeatVector", "n", n)

    def check_input(self, input_shape):
        if isinstance(input_shape, list) or len(input_shape) != 2:
            raise ValueError(f"expected shape (B, C), got {input_shape}")

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])

    def compute(self, call, x, training):
        y = call.buffer("y", (len(x), self.n, x.shape[1]), x.dtype)
        y[...] = x[:, None]
        return y

    def gradient(self, call, dy):
        return dy.sum(axis=1, out=call.buffer("dx", (len(dy), dy.shape[2]), dy.dtype))

    def get_config(self):
        return super().get_config() | {"n": self.n}
