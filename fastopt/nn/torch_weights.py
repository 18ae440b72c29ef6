"""Weights of recurrent layers in the layout of torch.nn.RNN, LSTM and GRU, in and out; torch itself is not needed.

For each layer and direction torch has weight_ih (G H, I) and weight_hh (G H, H or P), products with the weight on the left, two
biases bias_ih and bias_hh (G H,) and, with proj_size, weight_hr (P, H); the names end with _l and the layer's number, then _reverse
for the second direction. Its gates are in the order i, f, g, o (LSTM) and r, z, n (GRU).
"""

import numpy as np

from .bidirectional import Bidirectional
from .gru import GRU
from .lstm import LSTM
from .recurrent import Recurrent


def import_torch_weights(layer, weights, layer_index=0, *, prefix="", reverse=False):
    """Gives a SimpleRNN, LSTM, GRU or a Bidirectional of one the weights of a layer of torch's module of the same kind.

    weights: a mapping of torch's names to arrays or tensors, such as state_dict() gives, or an object that has a state_dict.
    layer_index: which of the module's layers. prefix: what stands before the names, "encoder.rnn." say. reverse: for a layer that
    is no Bidirectional, torch's second direction. A layer not yet built is built. The biases of an LSTM or SimpleRNN are added up.

    Raises KeyError for names that are missing (both biases may be, as with torch's bias=False, and are 0 then), ValueError for
    shapes that do not fit and layers for which torch has no counterpart; nothing changes then. Activations are not in the weights:
    torch has tanh and sigmoid, or relu in an RNN.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> layer = nn.SimpleRNN(1)
    >>> shapes = {"weight_ih_l0": (1, 3), "weight_hh_l0": (1, 1), "bias_ih_l0": 1, "bias_hh_l0": 1}
    >>> nn.import_torch_weights(layer, {name: np.ones(shape) for name, shape in shapes.items()})
    >>> layer.kernel.shape, layer.bias.tolist()
    ((3, 1), [2.0])
    """
    owner = "import_torch_weights"
    weights = weights.state_dict() if hasattr(weights, "state_dict") else weights
    parts = _directions(owner, layer, layer_index, reverse)
    without = {suffix: not any(f"{prefix}{name}{suffix}" in weights for name in ("bias_ih", "bias_hh")) for _, suffix in parts}
    found = [[_array(owner, weights, f"{prefix}{name}{suffix}", without[suffix] and name.startswith("bias"))
              for name in _names(inner)] for inner, suffix in parts]  # fmt: skip
    width = parts[0][0].kernel.shape[0] if layer.built else (found[0][0].shape or (0,))[-1]
    converted = [_from_torch(owner, inner, suffix, width, arrays) for (inner, suffix), arrays in zip(parts, found)]
    if not layer.built:
        layer.build((None, None, width))
    layer.set_weights([array for arrays in converted for array in arrays])


def export_torch_weights(layer, layer_index=0, *, prefix="", reverse=False):
    """The weights of a SimpleRNN, LSTM, GRU or Bidirectional as a dict of arrays, for load_state_dict of torch's module.

    The bias of an LSTM or SimpleRNN becomes bias_ih, and bias_hh is 0; without bias both are left out, as with bias=False.
    Arguments as in import_torch_weights. Raises ValueError for layers for which torch has no counterpart, or that are not built.

    >>> from fastopt import nn
    >>> layer = nn.GRU(2)
    >>> layer.build((None, None, 3))
    >>> {name: array.shape for name, array in nn.export_torch_weights(layer).items()}
    {'weight_ih_l0': (6, 3), 'weight_hh_l0': (6, 2), 'bias_ih_l0': (6,), 'bias_hh_l0': (6,)}
    """
    owner = "export_torch_weights"
    if not layer.built:
        raise ValueError(f"{owner}: layer {layer.name!r} has no weights yet; build it, or call it on data")
    result = {}
    for inner, suffix in _directions(owner, layer, layer_index, reverse):
        for name, array in zip(_names(inner), _to_torch(inner)):
            if array is not None:
                result[f"{prefix}{name}{suffix}"] = np.ascontiguousarray(array)
    return result


def _directions(owner, layer, index, reverse):
    """(recurrent layer, how its names end) for each direction, those that torch has alone."""
    if isinstance(layer, Bidirectional):
        parts = [(layer.forward_layer, f"_l{index}"), (layer.backward_layer, f"_l{index}_reverse")]
    elif isinstance(layer, Recurrent):
        parts = [(layer, f"_l{index}{'_reverse' * reverse}")]
    else:
        raise TypeError(f"{owner}: expected SimpleRNN, LSTM, GRU or Bidirectional, got {layer!r}")
    for inner, _ in parts:
        if isinstance(inner, GRU) and not inner.reset_after:
            raise ValueError(f"{owner}: layer {inner.name!r} has reset_after=False, which torch.nn.GRU has not")
        for option in ("has_peepholes", "clip", "input_forget"):
            if getattr(inner, option, None):
                raise ValueError(f"{owner}: layer {inner.name!r} has {option.removeprefix('has_')}, which torch.nn.LSTM has not")
    return parts


def _names(layer):
    names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    return names + ["weight_hr"] if isinstance(layer, LSTM) and layer.projected else names


def _array(owner, weights, name, optional):
    if name not in weights:
        if optional:
            return None
        raise KeyError(f"{owner}: {name!r} is missing; there are {', '.join(map(repr, weights))}")
    value = weights[name]
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _swapped(layer, array):
    """An array with the gates in the other library's order, along its first axis: r, z, n and z, r, h change places alike."""
    if not isinstance(layer, GRU):
        return array
    first, second, rest = np.split(array, (layer.units, 2 * layer.units))
    return np.concatenate([second, first, rest])


def _from_torch(owner, layer, suffix, width, arrays):
    """The arrays of one direction for set_weights, in our layout."""
    columns, state = layer.gates * layer.units, layer.output_size
    shapes = [(columns, width), (columns, state), (columns,), (columns,), (state, layer.units)]
    for name, array, shape in zip(_names(layer), arrays, shapes):
        if array is not None and array.shape != shape:
            raise ValueError(f"{owner}: {name}{suffix} has shape {array.shape}, expected {shape} for layer {layer.name!r}")
    arrays = [None if array is None else _swapped(layer, array) for array in arrays[:4]] + arrays[4:]
    kernel, recurrent, *biases = arrays[:4]
    biases = [np.zeros(columns) if bias is None else bias for bias in biases]
    converted = [kernel.T, recurrent.T]
    if layer.use_bias:
        converted.append(np.stack(biases) if isinstance(layer, GRU) else biases[0] + biases[1])
    elif any(bias.any() for bias in biases):
        raise ValueError(f"{owner}: layer {layer.name!r} has use_bias=False, but the biases given are not 0")
    return converted + [array.T for array in arrays[4:]]


def _to_torch(layer):
    """weight_ih, weight_hh, bias_ih, bias_hh and weight_hr, None for what the layer has not."""
    biases = None, None
    if layer.use_bias:
        pair = layer.bias if isinstance(layer, GRU) else (layer.bias, np.zeros_like(layer.bias))
        biases = tuple(_swapped(layer, bias) for bias in pair)
    projection = getattr(layer, "projection", None)
    weights = _swapped(layer, layer.kernel.T), _swapped(layer, layer.recurrent_kernel.T)
    return *weights, *biases, None if projection is None else projection.T
