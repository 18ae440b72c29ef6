"""Sequences of unequal length as one array."""

import operator

import numpy as np


def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    """An array (N, maxlen, ...) of `dtype` from N sequences (T_i, ...), as keras.utils.pad_sequences: `value` where they are short.

    maxlen: the length of all; None for that of the longest. padding, truncating: "pre" fills and cuts at the beginning, "post" at
    the end. Floats become integers unless `dtype` is one of floats. Raises ValueError naming the sequence that does not fit.

    >>> pad_sequences([[1, 2, 3], [4], []], maxlen=2)
    array([[2, 3],
           [0, 4],
           [0, 0]], dtype=int32)
    """
    for name, way in (("padding", padding), ("truncating", truncating)):
        if way not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name} must be 'pre' or 'post', got {way!r}")
    dtype = np.dtype(dtype)
    if isinstance(value, str) and dtype.kind not in "OSU":
        raise ValueError(f"pad_sequences: value is the string {value!r}, but dtype {dtype}, expected object or strings")
    lengths = _lengths(sequences)
    longest = max(lengths, default=0)
    width = longest if maxlen is None else _width(maxlen)
    shape = next((np.shape(sequence)[1:] for sequence in sequences if len(sequence)), ()) if longest else ()

    padded = np.full((len(lengths), width, *shape), value, dtype)
    for i, (row, sequence, length) in enumerate(zip(padded, sequences, lengths)):
        kept = min(length, width)
        if not kept:
            continue
        part = sequence[:kept] if truncating == "post" else sequence[length - kept :]
        try:
            part = np.asarray(part, dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise type(error)(f"pad_sequences: sequence {i} is no array of {dtype}: {error}") from None
        if part.shape[1:] != shape:
            raise ValueError(f"pad_sequences: sequence {i} has samples of shape {part.shape[1:]}, expected {shape} like the first")
        row[width - kept if padding == "pre" else 0 :][:kept] = part
    return padded


def _lengths(sequences):
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: sequences is a {type(sequences).__name__}, expected a list of sequences")
    lengths = []
    for i, sequence in enumerate(sequences):
        try:
            lengths.append(len(sequence))
        except TypeError:
            raise ValueError(f"pad_sequences: sequence {i} is {sequence!r}, expected a list or an array") from None
    return lengths


def _width(maxlen):
    try:
        width = operator.index(maxlen)
    except TypeError:
        width = -1
    if width < 0 or isinstance(maxlen, bool):
        raise ValueError(f"pad_sequences: maxlen must be an integer >= 0 or None, got {maxlen!r}")
    return width
