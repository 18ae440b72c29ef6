"""Embedding: a vector for each of a number of things, looked up by its index."""

import numpy as np

from .. import kernels
from . import constraints, initializers, regularizers
from .arguments import integer
from .indices import integers
from .layer import Layer


class Embedding(Layer):
    """y[...] = embeddings[x[...]]: x (...) are integers in [0, input_dim), y (..., output_dim) (Bengio et al. 2003).

    input_dim: how many things there are, such as words; output_dim: the size of a vector. Weight: embeddings (input_dim,
    output_dim). embeddings_initializer: "uniform" draws from [-0.05, 0.05]; embeddings_regularizer: a penalty on them;
    embeddings_constraint: what they are put back into after each step, see fastopt.nn.constraints (axis=1 is along a vector).
    mask_zero: index 0 is padding, masked in layers that follow; the mask of the input, as ragged data have one, is passed on in any
    case. weights: [array] to begin with, such as vectors trained elsewhere. input_length: T, where the layer stands first in a
    Sequential and all samples have T indices. Further arguments: see Layer.

    Indices are integers of any type, or floats that hold integers. One out of range is a ValueError before anything changes.

    >>> from fastopt import nn
    >>> nn.Embedding(1000, 64)(nn.Input(shape=(10,))).shape
    (None, 10, 64)
    """

    supports_masking = True

    def __init__(self, input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
                 embeddings_constraint=None, mask_zero=False, weights=None, input_length=None, **kwargs):  # fmt: skip
        if input_length is not None:
            kwargs["input_shape"] = input_length
        super().__init__(**kwargs)
        self.input_dim = integer("Embedding", "input_dim", input_dim)
        self.output_dim = integer("Embedding", "output_dim", output_dim)
        self.mask_zero = self.makes_mask = bool(mask_zero)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, (list, tuple)) and len(weights) == 1 else [weights])

    index_limit = property(lambda self: self.input_dim, doc="Indices lie in [0, index_limit).")

    def build(self, input_shape=None):
        if not self.built:
            shape = self.input_dim, self.output_dim
            self.add_weight("embeddings", shape, self.embeddings_initializer, self.embeddings_regularizer,
                            constraint=self.embeddings_constraint)  # fmt: skip
        super().build(input_shape)

    def check_input(self, input_shape):
        if isinstance(input_shape, list):
            raise ValueError(f"expected one array of indices, got {len(input_shape)}")

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def convert(self, x):
        return integers(self.name, x, "input")

    def compute(self, call, x, training):
        call.indices = self._indices(call, x)
        out = call.buffer("y", (*x.shape, self.output_dim), self.embeddings.dtype)
        return kernels.embedding_forward(call.indices, self.embeddings, out=out)

    def _indices(self, call, x):
        """The indices as the kernel reads them without a copy."""
        if x.dtype == np.int64 and x.flags.c_contiguous:
            return x
        numbers = call.buffer("indices", x.shape, np.int64)
        numbers[...] = x if x.dtype.kind in "iu" else self.convert(x)
        return numbers

    def gradient(self, call, dy):
        if call.trainable:
            (weight,) = self._weights
            kernels.embedding_backward(dy, call.indices, self.embeddings, accumulate=call.accumulate, out=weight.grad)

    def compute_mask(self, x, mask=None):
        """Where the index is not 0, with mask_zero; else the mask of the input, if there is one."""
        if not self.mask_zero:
            return mask
        own = x != 0
        return own if mask is None else np.logical_and(own, mask, out=own)

    def get_config(self):
        return super().get_config() | {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }
