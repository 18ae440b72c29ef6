"""Model: a graph of layers that is a layer itself, with one buffer for all its weights."""

import inspect

import numpy as np

from . import batches
from .call import Call
from .container import Container
from .dtypes import as_float
from .graph import Graph
from .input import Input
from .layer import FOLLOW
from .masks import masks_for
from .program import Program, run
from .ragged import Ragged, cut, laid, lengths_at_outputs, ready
from .tensor import Tensor, flat, is_symbolic
from .training import Trainer


class Model(Trainer, Container):
    """Layers from `inputs` to `outputs`, symbolic tensors or lists or dicts of them; or a subclass with a `call` of its own.

    A subclass makes its layers in __init__ and calls them in call(self, inputs) or call(self, inputs, training=...), which is
    traced once, on symbolic tensors: it builds the graph, and runs no more after that. dtype: "float64" makes all layers
    compute so. trainable: False freezes all of them. name: see Layer.

    >>> from fastopt import nn
    >>> a, b = nn.Input(shape=(3,)), nn.Input(shape=(3,))
    >>> shared = nn.Dense(4, activation="tanh")
    >>> nn.Model([a, b], nn.Add()([shared(a), shared(b)])).count_params()
    16
    """

    def __init__(self, inputs=None, outputs=None, *, name=None, dtype=None, trainable=True, **kwargs):
        super().__init__(name=name, dtype=dtype, **kwargs)
        if (inputs is None) != (outputs is None):
            raise TypeError(f"{type(self).__name__}: expected both inputs and outputs, or neither")
        if inputs is not None:
            self._adopt(inputs, outputs)
        elif type(self) is Model:
            raise TypeError("Model: expected inputs and outputs, symbolic tensors; or subclass it and define call(self, inputs)")
        if not trainable:
            self.trainable = False

    @property
    def kind(self):
        """What summaries and automatic names call it."""
        return "Functional" if type(self) is Model else type(self).__name__

    def _adopt(self, inputs, outputs):
        """Takes the graph between these tensors as its own."""
        graph = Graph(self.name, flat(inputs), flat(outputs))
        wanted = {layer.dtype for layer in graph.layers if layer.weights} if not self.explicit_dtype else {self.dtype}
        if len(wanted) > 1:
            raise ValueError(f"{self.name}: layers compute in {' and '.join(sorted(wanted))}, expected one dtype")
        for dtype in wanted:
            self.recast_all(graph.layers, dtype)
        self._input_form = list(inputs) if isinstance(inputs, dict) else None
        self._output_form = list(outputs) if isinstance(outputs, dict) else None
        self.graph, self.built = graph, True
        self._fixed = all(None not in tensor.shape[1:] for tensor in (*graph.inputs, *graph.outputs))
        self._open_shapes = [(None, *tensor.shape[1:]) for tensor in graph.outputs]

    # shapes

    inputs = property(lambda self: list(self._built("inputs").inputs), doc="The symbolic inputs, a list.")
    outputs = property(lambda self: list(self._built("outputs").outputs), doc="The symbolic outputs, a list.")
    input = property(lambda self: _one(self.inputs), doc="The symbolic input, a list of several.")
    output = property(lambda self: _one(self.outputs), doc="The symbolic output, a list of several.")
    input_shape = property(
        lambda self: _one([tensor.shape for tensor in self.inputs]), doc="The input's shape, None where a size is open."
    )
    output_shape = property(
        lambda self: _one([tensor.shape for tensor in self.outputs]), doc="The output's shape, None where a size is open."
    )
    input_names = property(
        lambda self: self._input_form or [tensor.node.layer.name for tensor in self.inputs],
        doc="The names of the inputs: the keys of a dict, or those of the layers.",
    )
    output_names = property(
        lambda self: self._output_form or _apart_by_number([t.node.layer.name for t in self.outputs]),
        doc="The names of the outputs, by which losses and metrics are given: the keys of a dict, or those of the layers.",
    )

    def _built(self, what):
        if self.graph is None:
            raise ValueError(f"{what}: model {self.name!r} is not built; call it on data or Input, or call build(input_shape)")
        return self.graph

    def build(self, input_shape):
        """Builds a model that has no Input, for inputs of this shape, the batch's size (or None) first; or a list or dict."""
        if self.graph is not None:
            return
        if isinstance(input_shape, dict):
            self._trace({name: Input(batch_shape=(None, *shape[1:]), name=name) for name, shape in input_shape.items()})
            return
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        tensors = [Input(batch_shape=(None, *shape[1:])) for shape in shapes]
        self._trace(tensors if isinstance(input_shape, list) else tensors[0])

    def _trace(self, inputs):
        if not hasattr(self, "call"):
            raise TypeError(f"{type(self).__name__}: a Model without inputs and outputs must define call(self, inputs)")
        layers = self._attributes()
        follow = {"training": FOLLOW} if "training" in inspect.signature(self.call).parameters else {}
        outputs = self.call(inputs, **follow)
        if not all(isinstance(tensor, Tensor) for tensor in flat(outputs)):
            raise TypeError(f"{type(self).__name__}: call must return what layers of fastopt.nn gave, got {type(outputs).__name__}")
        self._adopt(inputs, outputs)
        self.graph.layers = layers + [layer for layer in self.graph.layers if layer not in layers and layer.weights]

    def ready(self, shape, source=""):
        shapes = shape if isinstance(shape, list) else [shape]
        if self.graph is None:
            self.build(shape)
        if len(shapes) != len(self.graph.inputs):
            raise ValueError(f"model {self.name!r} has {len(self.graph.inputs)} inputs, got {len(shapes)}{source}")
        for given, tensor in zip(shapes, self.graph.inputs):
            agree = len(given) == len(tensor.shape) and all(
                a in (b, None) or b is None for a, b in zip(given[1:], tensor.shape[1:])
            )
            if not agree:
                raise ValueError(f"model {self.name!r} expects shape {tensor.shape} at its input, got {tuple(given)}{source}")
        return self.compute_output_shape(shape)

    def compute_output_shape(self, input_shape):
        shapes = self._built("compute_output_shape").shapes(input_shape if isinstance(input_shape, list) else [input_shape])
        return shapes if len(shapes) > 1 else shapes[0]

    # use

    def outputs_of(self, inputs, masks=None):
        """The outputs for a list of arrays, fresh: one, a list of several, or a dict where the model was made with one."""
        outputs = run(self.graph, inputs, masks)
        if self.graph.aliases:
            outputs = _apart(outputs, inputs)
        return self.formed(outputs)

    def formed(self, outputs):
        """A list with an entry per output, in the form that the model was made with: one, a list, or a dict by name."""
        if self._output_form is not None:
            return dict(zip(self._output_form, outputs))
        return outputs if len(outputs) > 1 else outputs[0]

    def __call__(self, inputs, training=None, mask=None):
        """As any layer, on symbolic tensors or arrays; the results in the form that the model was made with."""
        if not is_symbolic(inputs):
            return super().__call__(inputs, training, mask)
        if isinstance(inputs, dict):
            self.build({name: tensor.shape for name, tensor in inputs.items()})
            inputs = _one(batches.parts(self.name, "inputs", inputs, self.input_names))
        return self.formed(flat(super().__call__(inputs, training, mask)))

    def forward(self, x, training=False, mask=None, initial_state=None):
        """The outputs for x, fresh arrays: one, or a list or dict of several. With training=True, backward may follow.

        mask: (B, T) booleans, False where there is padding; for several inputs a list or dict, None for an input without.
        For ragged data, a list of arrays that differ in their length, an output with steps is such a list, too, and so are the
        gradients that backward takes and returns.
        initial_state is for layers.
        """
        inputs, masks, lengths = self.inputs_of("forward", x), None, None
        if Ragged in map(type, inputs):
            if mask is not None:
                raise ValueError("forward: x is ragged, whose mask follows from its lengths; expected mask=None")
            if not training:
                return self._predicted("forward", inputs)
            own = [part.lengths if isinstance(part, Ragged) else None for part in inputs]
            lengths = own, lengths_at_outputs("forward", self.graph, inputs)
            inputs, masks = ready((inputs,), Call())
        elif mask is not None:
            masks = masks_for("forward", batches.parts("forward", "mask", mask, self.input_names), inputs)
        if not training:
            return self.outputs_of(inputs, masks)
        self.place_weights()
        self._last = Program(self.graph)
        outputs = _apart(self._last.forward(inputs, True, masks), inputs)
        self._last.output_shapes, self._last.lengths = [y.shape for y in outputs], lengths
        return self.formed(outputs if lengths is None else list(map(cut, outputs, lengths[1])))

    def backward(self, dy, accumulate=False):
        """The gradient of the inputs, for the gradient dy of the outputs of the last forward(x, training=True).

        Writes grads of the layers that train, or with accumulate adds to them. For several outputs dy is a list, or a dict as the
        outputs, None standing for an output that does not count; of several inputs a list comes back, None standing for one
        without influence. Penalties are left out.
        """
        if self._last is None:
            raise RuntimeError(f"backward: model {self.name!r} has had no forward(x, training=True)")
        outputs = self.graph.outputs
        before, behind = self._last.lengths or ([None] * len(self.graph.inputs), [None] * len(outputs))
        if isinstance(dy, dict):
            given = batches.parts("backward", "dy", dy, self.output_names)
        elif isinstance(dy, (list, tuple)) and (len(outputs) > 1 or behind[0] is None):  # otherwise it is one of sequences
            given = dy
        else:
            given = [dy]
        if len(given) != len(outputs):
            raise ValueError(f"backward: got {len(given)} gradients for {len(outputs)} outputs")
        given = [laid("backward", "dy", part, steps) for part, steps in zip(given, behind)]
        slopes = [None if part is None else np.array(as_float("backward", part, self.dtype, "dy"), order="C") for part in given]
        for slope, shape in zip(slopes, self._last.output_shapes):
            if slope is not None and slope.shape != shape:
                raise ValueError(f"backward: dy has shape {slope.shape}, expected {shape} as the output")
        return _one(list(map(cut, self._last.backward(slopes, accumulate), before)))

    def summary(self, line_length=None, print_fn=None, **_):
        """Prints the layers with the shapes of their results and the numbers of their parameters; print_fn replaces print.

        line_length: the width of the table; by default as wide as need be.
        """
        from .summary import table

        (print_fn or print)(table(self, line_length))

    def save(self, path, overwrite=True):
        """Writes configuration, weights and the optimizer's state to the file `path`, an .npz without pickle; see load_model.

        overwrite: False refuses a path that exists.
        """
        from . import saving

        saving.save_model(path, self, overwrite)

    def save_weights(self, path, overwrite=True):
        """Writes the weights alone to the file `path`. overwrite: as in save."""
        from . import saving

        saving.save_weights(path, self, overwrite)

    def load_weights(self, path):
        """Takes the weights from the file `path` of save_weights or save; ValueError where layers differ in order or shapes."""
        from . import saving

        saving.load_weights(path, self)

    def get_config(self):
        """The model as from_config takes it; a subclass returns the arguments of its constructor."""
        from . import configuration

        return configuration.describe(self)["config"] if type(self).get_config is Model.get_config else {}

    def to_json(self, **kwargs):
        """The layers and how they hang together as JSON, for nn.models.model_from_json: no weights, nothing of what compile said.

        kwargs: arguments of json.dumps.
        """
        from . import configuration

        return configuration.to_json(self, **kwargs)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A model as get_config described it, `config`, with weights of its own. custom_objects: as in load_model."""
        from . import configuration

        if cls.__name__ not in ("Model", "Sequential"):
            return cls(**config)
        described = {"class_name": cls.__name__, "config": config, "trainable": True}
        return configuration.build(described, custom_objects or {})

    def __getstate__(self):
        state = super().__getstate__() | {"_runner": None}
        if self._optimizer is not None and self._optimizer.param_groups:  # its parameters are views of this model's weights
            state |= {"_optimizer": self._optimizer.unbound(), "_optimizer_state": self._optimizer.state_dict()}
        return state


def _apart(outputs, inputs):
    """The outputs, as copies where they are inputs or views of them."""
    return [y.copy() if any(np.may_share_memory(y, x) for x in inputs) else y for y in outputs]


def _apart_by_number(names):
    """The names, those that were there before with a number."""
    return [name if (again := names[:i].count(name)) == 0 else f"{name}_{again}" for i, name in enumerate(names)]


def _one(items):
    """The items, or what they are where there is one."""
    return items[0] if len(items) == 1 else items
