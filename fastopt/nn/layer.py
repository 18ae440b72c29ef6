"""Layer: the base of all layers. A layer owns its weights and knows how to compute and to differentiate; see Call for the rest."""

import re
from collections import Counter

import numpy as np

from . import initializers, regularizers
from .call import Call
from .storage import Weight, first_value
from .tensor import Node, Tensor, flat, is_symbolic

_named = Counter()  # how often a name was given out


def automatic_name(kind):
    """A name for an unnamed layer of this class, by its name, as Keras counts them: dense, dense_1, batch_normalization, ..."""
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
    _named[stem] += 1
    return stem if _named[stem] == 1 else f"{stem}_{_named[stem] - 1}"


def clear_session():
    """Starts the automatic names of layers anew."""
    _named.clear()


class Layer:
    """Base of all layers.

    name: unique in a model; by default that of the class with a number. dtype: "float32" (default) or "float64", that of weights
    and results; in a model that was given a dtype, the model's. trainable: False freezes the weights.
    activity_regularizer: penalty on the layer's result, divided by the number of rows, added to the loss.
    input_shape (without the batch), input_dim, batch_input_shape: for the first layer of a Sequential, in place of an Input.

    A subclass writes

    build(input_shape)                 makes its weights by add_weight, which it finds as attributes of their names; ends with
                                       super().build(input_shape)
    compute_output_shape(input_shape)  by default the shape of the input
    compute(call, x, training) -> y    keeps in `call` what gradient needs; a list of arrays comes, or goes, where there are several
    gradient(call, dy) -> dx           writes the gradients of the weights, in self.grads, and may use dy as workspace; what it
                                       returns is no other's: the layer that comes next may overwrite it
    get_config() -> dict               arguments of the constructor, super().get_config() among them
    """

    kind = property(lambda self: type(self).__name__)  # what summaries and automatic names call it
    passes = False  # whether the result may be the input itself, or a view of it
    splits = False  # whether `call.linear` leaves out an activation of the attribute `activation`

    def __init__(self, *, name=None, dtype=None, trainable=True, activity_regularizer=None, input_shape=None, input_dim=None,
                 batch_input_shape=None, batch_shape=None, input_length=None, **unknown):  # fmt: skip
        owner = type(self).__name__
        if unknown:
            raise TypeError(f"{owner}: unexpected argument {next(iter(unknown))!r}")
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

    def infer(self, x):
        """compute outside of training, where nothing is kept; a layer may define a shorter way."""
        return self.compute(Call(), x, False)

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
        """The layer that get_config described."""
        return cls(**config)

    # weights

    def add_weight(self, name, shape, initializer="glorot_uniform", regularizer=None, trainable=True):
        """Makes a weight, keeps it as the attribute `name` and returns its array; of those that train, also in params and grads."""
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
        weight = Weight(self, name, value, initializer, regularizers.get(regularizer), trainable)
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

    variables = property(lambda self: self.weights)
    trainable_variables = property(lambda self: self.trainable_weights)
    non_trainable_variables = property(lambda self: self.non_trainable_weights)

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
        """Takes arrays in the order and of the shapes of get_weights; nothing changes where one does not fit."""
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

    # use

    def __call__(self, inputs, training=None, mask=None):
        """On symbolic tensors a node of the graph and its tensors; on arrays the result, as by forward."""
        if isinstance(training, (Tensor, np.ndarray)):
            raise TypeError(f"{self.name}: got a second input where training is expected; pass several inputs as a list")
        if not is_symbolic(inputs):
            return self.forward(inputs, training=bool(training), mask=mask)
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
        """Builds the layer for inputs of this shape, or checks that they fit it as it was built; returns the output's shape."""
        try:
            if not self.built:
                self.build(shape)
                self.built = True
            self.check_input(shape)
            return self.compute_output_shape(shape)
        except ValueError as error:
            raise ValueError(f"layer {self.name!r} does not take its input{source}: {error}") from None

    def forward(self, x, training=False, mask=None, initial_state=None):
        """The result for arrays, a fresh array. With training=True, backward may follow."""
        several = isinstance(x, (list, tuple)) and all(isinstance(part, np.ndarray) for part in x) and len(x) > 0
        x = [as_float(self.name, part, self.dtype) for part in x] if several else as_float(self.name, x, self.dtype)
        self.ready([part.shape for part in x] if several else x.shape)
        call = Call()
        call.mask, call.initial_state, call.trainable = mask, initial_state, self._trainable
        y = self.compute(call, x, training)
        if training:
            self._last = call
        return y

    def backward(self, dy):
        """dx for the gradient dy of the last forward(training=True); overwrites grads."""
        if self._last is None:
            raise RuntimeError(f"backward: layer {self.name!r} has had no forward(x, training=True)")
        several = isinstance(dy, (list, tuple))
        dy = [np.array(part, self.dtype) for part in dy] if several else np.array(dy, self.dtype, order="C")
        for weight in self._weights:
            if weight.trainable:
                _ = weight.grad
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


def check_dtype(owner, dtype):
    """ "float32" or "float64" for what stands for one of them; None is float32."""
    name = "float32" if dtype is None else getattr(dtype, "name", getattr(dtype, "__name__", dtype))
    if name not in ("float32", "float64"):
        raise ValueError(f"{owner}: dtype must be 'float32' or 'float64', got {dtype!r}")
    return name


def as_float(owner, x, dtype, argument="input"):
    """An array of real numbers in this dtype; the same array where it is one already. TypeError for objects, strings, complex."""
    if type(x) is np.ndarray and x.dtype == dtype:
        return x
    try:
        array = np.asarray(x)
    except ValueError:
        raise ValueError(f"{owner}: {argument} is a list whose parts differ in shape; expected one array") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{owner}: {argument} has dtype {array.dtype}, expected numbers; convert it before")
    return array.astype(dtype, copy=False)
