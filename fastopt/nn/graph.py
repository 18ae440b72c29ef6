"""Graph: the nodes between symbolic inputs and outputs, in an order in which they can run."""

from typing import NamedTuple

from .input import InputLayer
from .tensor import Tensor


class Step(NamedTuple):
    """A node made ready to run: the slots of its tensors, one number or, for a list of them, a tuple."""

    layer: object
    source: object
    target: object
    training: object  # what the call was told, None to follow the mode


class Graph:
    """What lies between `inputs` and `outputs`, two sequences of tensors.

    nodes: each after those it needs; the calls of input layers are not among them. layers: each once, in Keras's order: by distance
    from the outputs, then as they are met on the way back from these. steps: the nodes of this graph and, in their place, of the
    models called in it; tensors are numbered slots. aliases: whether an output may be an input, or a view of one. makes_masks:
    whether there may be masks without one being fed. index_limits: for each input that takes indices alone, what they lie below.
    """

    def __init__(self, owner, inputs, outputs):
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        for what, tensors in ("inputs", self.inputs), ("outputs", self.outputs):
            for tensor in tensors:
                if not isinstance(tensor, Tensor):
                    raise TypeError(
                        f"{owner}: {what} must be symbolic tensors, as Input and the calls of layers give, got {tensor!r}"
                    )
        if not self.outputs or len(set(self.inputs)) != len(self.inputs):
            raise ValueError(f"{owner}: expected inputs that differ, and one output at least")
        found, seen = _walk(owner, self.inputs, self.outputs)
        self.layers = _in_order(self.inputs, found, seen)
        self.nodes = [node for node in found if node.inputs]
        names = [layer.name for layer in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{owner}: {names.count(name)} layers are named {name!r}; names must differ within a model")
        slots = {tensor: i for i, tensor in enumerate(self.inputs)}
        self.steps = []
        self.size = self._number(self.nodes, slots, len(slots), None)
        self.rest = [None] * (self.size - len(self.inputs))  # values of the slots beside the inputs, before a pass
        self.input_slots = tuple(range(len(self.inputs)))
        self.output_slots = tuple(slots[tensor] for tensor in self.outputs)
        self.index_limits = [self._index_limit(slot) for slot in self.input_slots]
        passed = set(self.input_slots)
        for step in self.steps:
            if step.layer.passes and step.source in passed:
                passed.add(step.target)
        self.makes_masks = any(step.layer.makes_mask for step in self.steps)
        self.aliases = not passed.isdisjoint(self.output_slots)

    def __getstate__(self):
        """For copies: the nodes first, in order, so that each finds those before it done and recursion stays shallow."""
        return {"nodes": self.nodes} | self.__dict__

    def _number(self, nodes, slots, size, training):
        """Appends the steps of the nodes; `slots` has the numbers of their tensors, below `size`; returns the next free one."""
        for node in nodes:
            sources = tuple(slots[tensor] for tensor in node.inputs)
            fixed = node.training if training is None else training
            inner = getattr(node.layer, "graph", None)
            if isinstance(inner, Graph):
                within = dict(zip(inner.inputs, sources))
                size = self._number(inner.nodes, within, size, fixed)
                slots.update((tensor, within[result]) for tensor, result in zip(node.outputs, inner.outputs))
                continue
            targets = tuple(range(size, size + len(node.outputs)))
            size += len(targets)
            slots.update(zip(node.outputs, targets))
            source = sources if node.several else sources[0]
            self.steps.append(Step(node.layer, source, targets if len(targets) > 1 else targets[0], fixed))
        return size

    def _index_limit(self, slot):
        """What the indices of an input must lie below; None where others than embeddings take it, too."""
        single = lambda source: (source,) if source.__class__ is int else source
        limits = [step.layer.index_limit for step in self.steps if slot in single(step.source)]
        return min(limits) if limits and None not in limits and slot not in self.output_slots else None

    def shapes(self, input_shapes):
        """The shapes of the outputs for inputs of these shapes."""
        known = dict(zip(self.inputs, input_shapes))
        for node in self.nodes:
            given = [known[tensor] for tensor in node.inputs]
            result = node.layer.compute_output_shape(given if node.several else given[0])
            known.update(zip(node.outputs, result if isinstance(result, list) else [result]))
        return [tuple(known[tensor]) for tensor in self.outputs]


def _walk(owner, inputs, outputs):
    """(nodes, each after those it needs; layers in the order in which they are met), from the outputs back to the inputs."""
    done, found, seen = set(), [], {}
    for output in outputs:
        stack = [(output.node, None)]
        while stack:
            node, rest = stack.pop()
            if rest is None:
                if node in done:
                    continue
                done.add(node)
                seen.setdefault(node.layer, len(seen))
                rest = iter(node.inputs)
            for tensor in rest:
                if tensor in inputs and tensor.node.inputs:
                    continue
                if tensor.node not in done:
                    stack += [(node, rest), (tensor.node, None)]
                    break
            else:
                if isinstance(node.layer, InputLayer) and node.outputs[0] not in inputs:
                    raise ValueError(f"{owner}: the outputs depend on the input {node.layer.name!r}, which is not among the inputs")
                found.append(node)
    return found, seen


def _in_order(inputs, found, seen):
    """The layers by distance from the outputs, the farthest first."""
    depths, of_layer = {}, {}
    for node in reversed(found):
        depth = max(depths.get(node, 0), of_layer.get(node.layer, 0))
        of_layer[node.layer] = depth
        for tensor in node.inputs:
            depths[tensor.node] = max(depths.get(tensor.node, 0), depth + 1)
    for tensor in inputs:
        if isinstance(tensor.node.layer, InputLayer) and tensor.node.layer not in of_layer:
            of_layer[tensor.node.layer], seen[tensor.node.layer] = 0, -1
    return sorted(of_layer, key=lambda layer: (-of_layer[layer], seen[layer]))
