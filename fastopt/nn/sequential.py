"""Sequential: one layer after the other."""

from .input import Input, InputLayer
from .layer import Layer
from .model import Model
from .tensor import Tensor


class Sequential(Model):
    """A chain of layers. Its input's shape comes from an Input standing first, from the first layer's input_shape, or from data.

    trainable, name, dtype: see Model.

    >>> from fastopt import nn
    >>> model = nn.Sequential([nn.Input(shape=(8,)), nn.Dense(16, activation="relu"), nn.Dense(3, activation="softmax")])
    >>> model.output_shape
    (None, 3)

    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
    >>> line = nn.Sequential([nn.Dense(1)])
    >>> line.compile(optimizer=nn.optimizers.SGD(learning_rate=0.5), loss="mse")
    >>> history = line.fit(x, 3 * x + 1, epochs=50, verbose=0)
    >>> line.predict(np.array([[2.0]], "float32"), verbose=0).round(2)
    array([[7.]], dtype=float32)
    >>> line.evaluate(x, 3 * x + 1, verbose=0) < 1e-6
    True
    """

    def __init__(self, layers=None, trainable=True, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self._chain, self._start = [], None
        for layer in layers or []:
            self.add(layer)
        if not trainable:
            self.trainable = False

    one_input = True

    @property
    def _layers(self):
        return self._chain

    @property
    def layers(self):
        """The layers in order, without an Input."""
        return list(self._chain)

    def add(self, layer):
        """Appends a layer; an Input only as the first. A model that was trained must be compiled anew."""
        if isinstance(layer, Tensor) and isinstance(layer.node.layer, InputLayer):
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential: expected a layer, got {layer!r}")
        if isinstance(layer, InputLayer):
            if self._start is not None or self._chain:
                raise ValueError(f"Sequential: an Input stands first, but model {self.name!r} has layers already")
            self._start = layer.tensor
            return
        if any(layer.name == other.name for other in self._chain):
            raise ValueError(f"Sequential: a layer named {layer.name!r} is there already; names must differ within a model")
        if self._start is None and not self._chain:
            if layer.batch_input_shape is not None:
                self._start = Input(batch_shape=layer.batch_input_shape)
            elif isinstance(layer, Model) and layer.graph is not None and len(layer.graph.inputs) == 1:
                self._start = Input(batch_shape=layer.input_shape, dtype=layer.graph.inputs[0].dtype)
        if self._start is not None:
            self._extend(layer)
        self._chain.append(layer)

    def pop(self):
        """Removes the last layer and returns it."""
        if not self._chain:
            raise ValueError("pop: there are no layers")
        layer = self._chain.pop()
        if self._start is not None:
            layer._nodes.remove(self.graph.outputs[0].node)
            self.graph, self.built, self._runner = None, False, None
            if self._chain:
                self._adopt(self._start, self._chain[-1]._nodes[-1].outputs[0])
        return layer

    def build(self, input_shape=None):
        """Builds the layers for inputs of this shape, the batch's size (or None) in front."""
        if self.graph is not None:
            return
        if not self._chain:
            raise ValueError(f"Sequential: model {self.name!r} has no layers")
        if isinstance(input_shape, list):
            raise ValueError(f"Sequential: model {self.name!r} has one input, got {len(input_shape)}")
        shape = (None, *input_shape[1:])
        if self._chain[0].index_limit is not None and None not in shape[1:]:
            try:  # sequences of any length, where the layers after the embedding take them
                self._build_chain((None,) * len(shape))
            except ValueError:
                self._build_chain(shape)
        else:
            self._build_chain(shape)

    def _build_chain(self, shape):
        tensor = start = Input(batch_shape=shape)
        fresh, called = [layer for layer in self._chain if not layer.built], []
        try:
            for layer in self._chain:
                tensor = self._call(layer, tensor)
                called.append(layer)
            self._adopt(start, tensor)
        except Exception:
            for layer in called:
                layer._nodes.pop()
            for layer in fresh:
                layer.unbuild()
            raise
        self._start = start

    def _extend(self, layer):
        """Calls the next layer on what the chain gives, and takes the longer graph."""
        result = self._call(layer, self.graph.outputs[0] if self._chain else self._start)
        self._adopt(self._start, result)

    def _call(self, layer, tensor):
        if self.explicit_dtype:
            layer.recast(self.dtype)
        result = layer(tensor)
        if not isinstance(result, Tensor):
            raise ValueError(f"Sequential: layer {layer.name!r} has several results; use Model")
        return result
