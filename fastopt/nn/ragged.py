"""Ragged data: samples that are sequences of different lengths, padded batch by batch."""

import numpy as np

from .call import Call


class Ragged:
    """Sequences (T_i, ...) end to end in `values`; that of sample i has lengths[i] steps and begins at starts[i].

    A batch of them is an array (B, T, ...) with zeros behind the ends, T the longest of the batch, and a (B, T) mask.
    """

    def __init__(self, values, lengths, starts=None):
        self.values, self.lengths = values, lengths
        self.starts = np.cumsum(lengths) - lengths if starts is None else starts

    shape = property(lambda self: (len(self), None, *self.values.shape[1:]))
    dtype = property(lambda self: self.values.dtype)

    def __len__(self):
        return len(self.lengths)

    def __getitem__(self, rows):
        return Ragged(self.values, self.lengths[rows], self.starts[rows])

    def place(self, position):
        """The number of the sequence, and the step in it, of a row of values."""
        sample = int(np.searchsorted(np.cumsum(self.lengths), position, side="right"))
        return sample, position - int(self.starts[sample])

    def padded(self, workspace, name):
        """The sequences as one array, in workspace; of one step at least, so that there is something to look at."""
        array = self._array(workspace, name, self.values.shape[1:], self.dtype)
        for row, length, start in zip(array, self.lengths.tolist(), self.starts.tolist()):
            row[:length] = self.values[start : start + length]
            row[length:] = 0
        return array

    def mask(self, workspace, name):
        """True where `padded` has a step of a sequence."""
        array = self._array(workspace, name, (), np.bool_)
        for row, length in zip(array, self.lengths.tolist()):  # np.less(steps, lengths[:, None]) would allocate
            row[:length] = True
            row[length:] = False
        return array

    def _array(self, workspace, name, features, dtype):
        return workspace.buffer(name, (len(self), max(int(self.lengths.max(initial=0)), 1), *features), dtype)


def listed(x):
    """x as a list of sequences: a list or tuple of arrays or lists, or an array of such objects; None for anything else."""
    if isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 1:
        x = list(x)
    if not isinstance(x, (list, tuple)) or len(x) == 0:
        return None
    return x if all(isinstance(part, (np.ndarray, list, tuple)) and np.iterable(part) for part in x) else None


def is_ragged(x):
    """Whether x holds sequences of different lengths."""
    parts = listed(x)
    return parts is not None and len({len(part) for part in parts}) > 1


def gathered(owner, x, convert, argument="x"):
    """Ragged from a list of sequences that agree in all but their lengths; `convert` makes one array of what they hold."""
    parts = []
    for i, part in enumerate(listed(x)):
        try:
            parts.append(np.asarray(part))
        except ValueError:
            raise ValueError(f"{owner}: {argument}[{i}] is a list whose parts differ in shape; expected one sequence") from None
    lengths = np.array([len(part) for part in parts])
    first = int(lengths.argmax())
    features, kind = parts[first].shape[1:], _kind(parts[first])
    for i, part in enumerate(parts):
        if len(part) and part.shape[1:] != features:
            raise ValueError(f"{owner}: {argument}[{i}] has shape {part.shape}, {argument}[{first}] {parts[first].shape}; "
                             "expected sequences that differ in their length alone")  # fmt: skip
        if len(part) and _kind(part) != kind:
            raise TypeError(
                f"{owner}: {argument}[{i}] has dtype {part.dtype}, {argument}[{first}] {parts[first].dtype}; expected one"
            )
    filled = [part for part in parts if len(part)]
    return Ragged(convert(np.concatenate(filled or parts[:1])), lengths)


def as_long(owner, name, sequences, lengths):
    """The sequences; ValueError where one has not its length. Their number is another's affair."""
    wrong = sequences.lengths != lengths if len(sequences) == len(lengths) else np.zeros(0, bool)
    if wrong.any():
        i = int(wrong.argmax())
        raise ValueError(f"{owner}: {name}[{i}] has {sequences.lengths[i]} steps, expected {lengths[i]} as x[{i}]")
    return sequences


def without_padding(owner, name, array, lengths):
    """The sequences of an array (B, T, ...), the steps behind their ends left out; the array where it has another B."""
    if len(array) != len(lengths):
        return array
    if array.shape[1] < (longest := int(lengths.max(initial=0))):
        raise ValueError(f"{owner}: {name} has shape {array.shape}, expected {longest} steps, those of the longest of x, or more")
    return Ragged(array[np.arange(array.shape[1]) < lengths[:, None]], lengths)


def _kind(array):
    """Integers of any size go together, and floats do; integers and floats do not."""
    return "i" if array.dtype.kind in "iu" else array.dtype.kind


def lengths_at_outputs(owner, graph, inputs):
    """For each output (B, T, ...) of the graph the lengths of the ragged inputs whose steps it has; None for another output."""
    known = {tensor: x.lengths for tensor, x in zip(graph.inputs, inputs) if isinstance(x, Ragged)}
    for node in graph.nodes:
        found = [known[tensor] for tensor in node.inputs if tensor in known]
        stepwise = [tensor for tensor in node.outputs if len(tensor.shape) > 1 and tensor.shape[1] is None]
        if found and stepwise:
            if not all(np.array_equal(lengths, found[0]) for lengths in found):
                raise ValueError(f"{owner}: layer {node.layer.name!r} takes several ragged inputs, whose lengths must agree")
            known.update(dict.fromkeys(stepwise, found[0]))
    return [known.get(tensor) for tensor in graph.outputs]


def laid(owner, name, sequences, lengths):
    """A list of sequences of these lengths as one array, zeros behind their ends; anything else, or without lengths, as it is."""
    if lengths is None or listed(sequences) is None:
        return sequences
    gathering = gathered(owner, sequences, lambda values: values, name)
    if len(gathering) != len(lengths):
        raise ValueError(f"{owner}: {name} has {len(gathering)} sequences, expected {len(lengths)} as x")
    return as_long(owner, name, gathering, lengths).padded(Call(), name)


def cut(y, lengths):
    """The rows of a padded result, each with its own number of steps; without lengths, or without a result, what is there."""
    if y is None or lengths is None:
        return y
    return [row[:length].copy() for row, length in zip(y, lengths.tolist())]


def ready(batch, workspace):
    """A batch (inputs, targets, weights), or (inputs,), as a step takes it: the ragged ones padded, the masks of inputs behind."""
    masks = [x.mask(workspace, ("mask", i)) if isinstance(x, Ragged) else None for i, x in enumerate(batch[0])]
    groups = [[x.padded(workspace, (group, i)) if isinstance(x, Ragged) else x for i, x in enumerate(arrays)]
              for group, arrays in enumerate(batch)]  # fmt: skip
    return (*groups, masks)
