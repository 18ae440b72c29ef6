"""Symbolic tensors and nodes: what a layer is called on, and gives, while a graph is built. No numbers are involved."""


class Tensor:
    """A value that a graph will compute: its shape, None where a size is open (the batch), and the node that yields it.

    dtype: "int32" and the like where the values are indices; None for the dtype of the model. `a + b`, `a - b` and `a * b` of
    tensors of one shape call the layers Add, Subtract and Multiply.
    """

    __slots__ = ("dtype", "index", "name", "node", "shape")

    def __init__(self, shape, dtype=None, node=None, index=0, name=None):
        self.shape, self.dtype, self.node, self.index, self.name = tuple(shape), dtype, node, index, name

    @property
    def ndim(self):
        """The number of axes, the batch's included."""
        return len(self.shape)

    @property
    def source(self):
        """What yields this tensor, as error messages name it."""
        return "no layer" if self.node is None else f"layer {self.node.layer.name!r}"

    def __repr__(self):
        return f"<Tensor shape={self.shape} from {self.source}>"

    def __add__(self, other):
        from .merge import Add

        return Add()([self, other])

    def __sub__(self, other):
        from .merge import Subtract

        return Subtract()([self, other])

    def __mul__(self, other):
        from .merge import Multiply

        return Multiply()([self, other])

    def __array__(self, *args, **kwargs):
        raise TypeError("a symbolic tensor has no values: build a Model from it and call predict, or call the layer on arrays")

    def __iter__(self):
        raise TypeError("a symbolic tensor cannot be iterated over; pass several as a list")


class Node:
    """One call of a layer on tensors: an edge of the graph with its own context when the graph runs.

    several: whether the layer was given a list. training: None to follow the mode, or what the call was told.
    """

    __slots__ = ("inputs", "layer", "outputs", "several", "training")

    def __init__(self, layer, inputs, several, output_shapes, training=None, dtype=None, names=None):
        self.layer, self.inputs, self.several, self.training = layer, tuple(inputs), several, training
        self.outputs = tuple(
            Tensor(shape, dtype, self, i, f"{layer.name}_output{i or ''}") for i, shape in enumerate(output_shapes)
        )


def flat(structure):
    """A tensor, an array, or a list, tuple or dict of them, as a list."""
    if isinstance(structure, dict):
        return list(structure.values())
    return list(structure) if isinstance(structure, (list, tuple)) else [structure]


def is_symbolic(structure):
    """Whether it is a Tensor or holds one."""
    return any(isinstance(x, Tensor) for x in flat(structure))
