"""Input: where a graph begins."""

from .layer import Layer
from .tensor import Node, flat


class InputLayer(Layer):
    """The start of a graph, made by Input; in a Sequential it may stand first itself.

    shape (or input_shape): that of a sample, None where a size is open; batch_shape (or batch_input_shape): the same with the
    batch in front; batch_size: the batch alone. dtype: "int32" and the like for indices; by default the model's. name: see Layer.
    """

    def __init__(self, shape=None, batch_size=None, dtype=None, batch_shape=None, name=None, input_shape=None,
                 batch_input_shape=None):  # fmt: skip
        shape = input_shape if shape is None else shape
        batch_shape = batch_input_shape if batch_shape is None else batch_shape
        if batch_shape is None:
            if shape is None:
                raise ValueError("Input: shape is missing, expected the shape of a sample, such as (784,)")
            batch_shape = (batch_size, *flat(shape))
        super().__init__(name=name, batch_shape=_sizes(batch_shape))
        self.input_dtype = None if dtype is None else str(getattr(dtype, "name", getattr(dtype, "__name__", dtype)))
        self.built = True
        node = Node(self, (), False, [self.batch_input_shape], dtype=self.input_dtype)
        self._nodes.append(node)
        node.outputs[0].name = self.name
        self.tensor = node.outputs[0]

    def get_config(self):
        return {"name": self.name, "batch_shape": list(self.batch_input_shape), "dtype": self.input_dtype}


def Input(shape=None, batch_size=None, dtype=None, batch_shape=None, name=None):
    """A symbolic tensor from which a graph of layers starts.

    shape: of a sample, without the batch, None where a size is open; batch_shape: the same with the batch in front.
    batch_size, dtype, name: see InputLayer.

    >>> from fastopt import nn
    >>> x = nn.Input(shape=(8,))
    >>> nn.Model(x, nn.Dense(3)(x)).count_params()
    27
    """
    return InputLayer(shape, batch_size, dtype, batch_shape, name).tensor


def _sizes(shape):
    for size in shape:
        if size is not None and (isinstance(size, bool) or not hasattr(size, "__index__") or size < 0):
            raise ValueError(f"Input: shape must hold integers >= 0 or None, got {tuple(shape)}")
    return tuple(None if size is None else int(size) for size in shape)
