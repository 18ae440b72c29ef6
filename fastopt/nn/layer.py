"""Layer: the base of all layers. A layer owns its weights and knows how to compute and to differentiate; see Call for the rest."""

import re
import warnings
from collections import Counter

import numpy as np

from . import regularizers
from .call import Call
from .dtypes import as_float, check_dtype
from .masks import masks_for
from .tensor import Node, Tensor, flat, is_symbolic
from .weighted import Weighted

_named: Counter[str] = Counter()  # how often a name was given out


def automatic_name(kind):
    """A name for an unnamed layer of this class, by its name, as Keras counts them: dense, dense_1, batch_normalization, ..."""
    stem = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", kind).lower()
    _named[stem] += 1
    return stem if _named[stem] == 1 else f"{stem}_{_named[stem] - 1}"


def clear_session():
    """Starts the automatic names of layers anew."""
    _named.clear()


class Layer(Weighted):
    """Base of all layers.

    name: unique in a model; by default that of the class with a number. dtype: "float32" (default) or "float64", that of weights
    and results; in a model that was given a dtype, the model's. trainable: False freezes the weights.
    activity_regularizer: penalty on the layer's result, divided by the number of rows, added to the loss.
    input_shape (without the batch), input_dim (with input_length for sequences), batch_input_shape or batch_shape: for the first
    layer of a Sequential, in place of an Input.

    >>> from fastopt import nn
    >>> class Scale(nn.Layer):
    ...     def build(self, input_shape):
    ...         self.add_weight("scale", (input_shape[-1],), "ones")
    ...         super().build(input_shape)
    ...     def compute(self, call, x, training):
    ...         call.x = x
    ...         return x * self.scale
    ...     def gradient(self, call, dy):
    ...         self.grads["scale"][...] = (dy * call.x).sum(axis=0)
    ...         return dy * self.scale
    >>> nn.Sequential([nn.Input(shape=(3,)), nn.Dense(4), Scale()]).count_params()
    20

    A subclass writes

    build(input_shape)                 makes its weights by add_weight, which it finds as attributes of their names; ends with
                                       super().build(input_shape)
    compute_output_shape(input_shape)  by default the shape of the input
    compute(call, x, training) -> y    keeps in `call` what gradient needs; a list of arrays comes, or goes, where there are several
    gradient(call, dy) -> dx           writes the gradients of the weights, in self.grads, and may use dy as workspace; what it
                                       returns is no other's: the layer that comes next may overwrite it
    get_config() -> dict               arguments of the constructor, super().get_config() among them

    and, where masks matter, reads call.mask, has supports_masking = True, or writes

    compute_mask(x, mask=None)         the mask of the result, None for none; a list where there are several results
    """

    kind = property(lambda self: type(self).__name__, doc="What summaries and automatic names call the layer.")
    passes = False  # whether the result may be the input itself, or a view of it
    traced = False  # whether it may have a `call`, made of other layers
    supports_masking = False  # whether the mask of the input is that of the result as well
    makes_mask = False  # whether the result may have a mask where the input has none
    mixes = False  # whether, in training, the result for a sample depends on the others of its batch
    index_limit = None  # of a layer whose input is indices, which have no gradient: they lie in [0, index_limit)
    splits = False  # whether `call.linear` leaves out an activation of the attribute `activation`

    def __init__(self, *, name=None, dtype=None, trainable=True, activity_regularizer=None, input_shape=None, input_dim=None,
                 batch_input_shape=None, batch_shape=None, input_length=None, **unknown):  # fmt: skip
        owner = type(self).__name__
        if unknown:
            raise TypeError(f"{owner}: unexpected argument {next(iter(unknown))!r}")
        if hasattr(self, "call") and not self.traced:
            raise TypeError(f"{owner}: a layer has compute(call, x, training) and gradient(call, dy) in place of call; "
                            "a subclass of Model may define call")  # fmt: skip
        self.name = automatic_name(self.kind) if name is None else str(name)
        self.explicit_dtype = dtype is not None
        self.set_dtype(check_dtype(owner, dtype))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if input_dim is not None and input_shape is None:
            input_shape = (input_dim,) if input_length is None else (input_length, input_dim)
        if input_shape is not None:
            batch_input_shape = (None, *(flat(input_shape)))
        self.batch_input_shape = tuple(batch_input_shape) if batch_input_shape is not None else batch_shape
        self.built = False
        self._trainable = bool(trainable)
        self._weights, self._nodes, self._last = [], [], None

    # what a subclass writes

    def build(self, input_shape):
        """Makes the weights for inputs of this shape, the batch's size included (it may be None)."""
        self.built = True

    def compute_output_shape(self, input_shape):
        """The shape of the result, batch included; a list of shapes for a layer of several results."""
        return input_shape

    def compute(self, call, x, training):
        """The forward pass."""
        raise NotImplementedError(f"{type(self).__name__}: a layer must define compute(call, x, training)")

    def gradient(self, call, dy):
        """The backward pass of the same call."""
        raise NotImplementedError(f"{type(self).__name__}: a layer must define gradient(call, dy)")

    def compute_mask(self, x, mask=None):
        """The mask of the result, given that of the input: the same, or None, with a warning, from a layer that supports none.

        It is called after compute, where the input has a mask or the layer makes one. mask: as call.mask.
        """
        if self.supports_masking:
            return mask
        if mask is not None:
            warnings.warn(f"layer {self.name!r} ({type(self).__name__}) supports no masking: the mask of its input ends there, "
                          "and the layers after it do not know of it", stacklevel=2)  # fmt: skip
        return None

    def infer(self, x):
        """compute outside of training, where nothing is kept; a layer may define a shorter way."""
        return self.compute(Call(), x, False)

    def convert(self, x):
        """What forward was given, as the array that compute takes."""
        return as_float(self.name, x, self.dtype)

    def check_input(self, input_shape):
        """Raises ValueError where an input of this shape does not fit the layer as it was built."""

    def get_config(self):
        """The arguments of the constructor, such that from_config makes an equal layer with weights of its own."""
        config = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype}
        if self.batch_input_shape is not None:
            config["batch_input_shape"] = list(self.batch_input_shape)
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config):
        """The layer that get_config described, `config`."""
        return cls(**config)

    # use

    def __call__(self, inputs, training=None, mask=None):
        """On symbolic tensors a node of the graph and its tensors; on arrays the result, as by forward."""
        if isinstance(training, (Tensor, np.ndarray)):
            raise TypeError(f"{self.name}: got a second input where training is expected; pass several inputs as a list")
        if not is_symbolic(inputs):
            return self.forward(inputs, training=bool(training), mask=mask)
        if mask is not None:
            raise ValueError(f"{self.name}: symbolic tensors have the masks that layers make; pass mask with arrays")
        tensors = flat(inputs)
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"{self.name}: expected symbolic tensors, got {type(tensor).__name__} among them")
        several = isinstance(inputs, (list, tuple, dict))
        shapes = [tensor.shape for tensor in tensors]
        sources = " and ".join(tensor.source for tensor in tensors)
        shape = self.ready(shapes if several else shapes[0], f" from {sources}")
        results = [tuple(s) for s in shape] if isinstance(shape, list) else [tuple(shape)]
        follow = training is None or training is FOLLOW
        node = Node(self, tensors, several, results, None if follow else bool(training))
        self._nodes.append(node)
        return list(node.outputs) if isinstance(shape, list) else node.outputs[0]

    def ready(self, shape, source=""):
        """Builds the layer for inputs of this shape, or checks that they fit it as it was built; returns the output's shape.

        source: what the message of the ValueError for a shape that does not fit says behind "its input".
        """
        try:
            if not self.built:
                self.build(shape)
                self.built = True
            self.check_input(shape)
            return self.compute_output_shape(shape)
        except ValueError as error:
            raise ValueError(f"layer {self.name!r} does not take its input{source}: {error}") from None

    def forward(self, x, training=False, mask=None, initial_state=None):
        """The result for arrays, a fresh array. With training=True, backward may follow. mask: (B, T) booleans, as call.mask.

        initial_state: of recurrent layers, the first states.
        """
        several = isinstance(x, (list, tuple)) and all(isinstance(part, np.ndarray) for part in x) and len(x) > 0
        x = [self.convert(part) for part in x] if several else self.convert(x)
        self.ready([part.shape for part in x] if several else x.shape)
        call = Call()
        masks = masks_for(self.name, mask, x) if several else masks_for(self.name, [mask], [x])
        call.mask = masks if several or masks is None else masks[0]
        call.initial_state, call.trainable, call.keep = initial_state, self._trainable, training
        y = self.compute(call, x, training)
        if training:
            self._last = call
        return y

    def backward(self, dy):
        """dx for the gradient dy of the last forward(training=True); overwrites grads. RuntimeError without such a forward."""
        if self._last is None:
            raise RuntimeError(f"backward: layer {self.name!r} has had no forward(x, training=True)")
        several = isinstance(dy, (list, tuple))
        dy = [np.array(part, self.dtype) for part in dy] if several else np.array(dy, self.dtype, order="C")
        return self.gradient(self._last, dy)

    @property
    def input(self):
        """The symbolic input of the only call of this layer."""
        node = self._only_node("input")
        return list(node.inputs) if node.several else node.inputs[0]

    @property
    def output(self):
        """The symbolic result of the only call of this layer, from which another Model can be built."""
        node = self._only_node("output")
        return list(node.outputs) if len(node.outputs) > 1 else node.outputs[0]

    def _only_node(self, what):
        if len(self._nodes) != 1:
            raise AttributeError(f"layer {self.name!r} was called {len(self._nodes)} times on tensors: it has no one {what}")
        return self._nodes[0]

    def __getstate__(self):
        return self.__dict__ | {"_last": None}

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name!r}{', built' * self.built}>"


class _Follow:
    """Stands for `training` while a Model's own call is traced: true, and not fixed."""

    def __bool__(self):
        return True


FOLLOW = _Follow()
