"""Weighted: the part of a layer that holds its weights."""

import numpy as np

from . import constraints, initializers, regularizers
from .storage import Weight, first_value


class Weighted:
    """Weights by name, in Keras's order, in and out; the dtype; what is frozen."""

    def add_weight(self, name, shape, initializer="glorot_uniform", regularizer=None, trainable=True, constraint=None):
        """Makes a weight, keeps it as the attribute `name` and returns its array; of those that train, also in params and grads.

        shape: a tuple; initializer, regularizer, constraint: by name or object; trainable: whether it trains.
        """
        initializer, shape = initializers.get(initializer), tuple(shape)
        known = next((weight for weight in self._weights if weight.name == name), None)
        if known is not None and known.shape != shape:
            raise ValueError(f"{self.name}: {name} was built with shape {known.shape}, got {shape}; make another layer")
        value = first_value(initializer, shape, self.dtype)
        if value.shape != shape:
            raise ValueError(f"{self.name}: the initializer of {name} gave shape {value.shape}, expected {shape}")
        if known is not None:
            known.value[...] = value
            return known.value
        constraint = constraints.get(constraint)
        weight = Weight(self, name, value, initializer, regularizers.get(regularizer), trainable, constraint)
        if constraint is not None:
            weight.constrained(np.ones_like(value))  # one that does not fit is an error now, not after the first step
        self._weights.append(weight)
        self.place(weight)
        return weight.value

    def unbuild(self):
        """Forgets the weights, as if the layer had not been built."""
        self.built, self._weights = False, []

    def place(self, weight):
        """Called where a weight got its array, or another one: renews the attribute."""
        setattr(self, weight.name, weight.value)

    @property
    def weights(self):
        """The weights in Keras's order: those that train, then the others."""
        return sorted(self._weights, key=lambda weight: not weight.trainable)

    @property
    def trainable_weights(self):
        """Those that an optimizer moves; none where trainable is False."""
        return [weight for weight in self.weights if weight.trainable and weight.layer.trainable]

    @property
    def non_trainable_weights(self):
        """The other weights."""
        return [weight for weight in self.weights if not (weight.trainable and weight.layer.trainable)]

    variables = property(lambda self: self.weights, doc="weights.")
    trainable_variables = property(lambda self: self.trainable_weights, doc="trainable_weights.")
    non_trainable_variables = property(lambda self: self.non_trainable_weights, doc="non_trainable_weights.")

    @property
    def params(self):
        """The arrays that can be trained, by name; they may be written in place."""
        return {weight.name: weight.value for weight in self._weights if weight.trainable}

    @property
    def grads(self):
        """Their gradients as the last backward pass left them, by name."""
        return {weight.name: weight.grad for weight in self._weights if weight.trainable}

    def get_weights(self):
        """Copies of all weights, in the order of `weights`."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights):
        """Takes weights, arrays in the order and of the shapes of get_weights.

        ValueError, and no change, where one does not fit.
        """
        given, mine = [np.asarray(array) for array in weights], self.weights
        if len(given) != len(mine):
            raise ValueError(f"set_weights: {self.name} has {len(mine)} weights, got {len(given)} arrays")
        for weight, array in zip(mine, given):
            if array.shape != weight.shape or array.dtype.kind not in "fiub":
                raise ValueError(f"set_weights: {weight.path} has shape {weight.shape}, got shape {array.shape}, {array.dtype}")
        for weight, array in zip(mine, given):
            weight.value[...] = array

    def count_params(self):
        """The number of all elements of the weights."""
        if not self.built:
            raise ValueError(f"count_params: layer {self.name!r} has no weights yet; build it, or call it on data")
        return sum(weight.value.size for weight in self.weights)

    @property
    def trainable(self):
        """Whether the weights train; setting False freezes them from the next compile on."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)

    def set_dtype(self, dtype):
        """The dtype by name, and as NumPy compares it quickest."""
        self.dtype, self.numpy_dtype = dtype, np.dtype(dtype)

    def recast(self, dtype):
        """Changes the dtype of the layer and its weights; not where it was given one of its own, or a model holds the weights."""
        if self.dtype == dtype:
            return
        if self.explicit_dtype or any(weight.storage is not None for weight in self._weights):
            raise ValueError(f"layer {self.name!r} computes in {self.dtype}, the model in {dtype}; one dtype is expected")
        self.set_dtype(dtype)
        for weight in self._weights:
            weight.value, weight._grad = weight.value.astype(dtype), None
            self.place(weight)
