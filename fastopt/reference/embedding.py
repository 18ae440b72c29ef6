"""Embedding: rows of a matrix by number, and the gradient of the matrix: the definition of the kernels of the same names.

indices (...) are of any integer type, each in [0, V); embeddings (V, D), y and dy (..., D), float32 or float64.
"""

import numpy as np

from .out import deliver


def in_range(name, indices, embeddings):
    """Raises unless the indices are integers that number rows of embeddings (V, D)."""
    if embeddings.ndim != 2:
        raise ValueError(f"{name}: embeddings has shape {embeddings.shape}, expected (V, D)")
    if not isinstance(indices, np.ndarray) or indices.dtype.kind not in "iu":
        kind = indices.dtype if isinstance(indices, np.ndarray) else type(indices).__qualname__
        raise TypeError(f"{name}: indices is {kind}, expected a NumPy array of integers")
    wrong = (indices < 0) | (indices >= len(embeddings))
    if wrong.any():
        at = tuple(int(k) for k in np.unravel_index(np.argmax(wrong), wrong.shape))
        count = len(embeddings)
        raise ValueError(f"{name}: indices{list(at) or ''} is {indices[at]}, expected an index in [0, {count}) = [0, V)")


def embedding_forward(indices, embeddings, *, out=None):
    """y[...] = embeddings[indices[...]].

    indices (...) are of any integer type, each in [0, V); embeddings (V, D), y and `out` (..., D), float32 or float64. ValueError
    for an index out of range, which names the first one and its place; nothing is written then.

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> kernels.embedding_forward(np.array([2, 0]), np.array([[1.0], [2.0], [3.0]]))
    array([[3.],
           [1.]])
    """
    in_range("embedding_forward", indices, embeddings)
    return deliver("embedding_forward", out, embeddings[indices.astype(np.int64)])


def embedding_backward(dy, indices, embeddings, *, accumulate=False, out=None):
    """dembeddings (V, D): row v is the sum of the rows dy[...] with indices[...] = v, added in the order of the indices.

    embeddings is not read, its shape alone counts. With `accumulate` the rows are added to those in `out`. Errors as in
    embedding_forward.
    """
    in_range("embedding_backward", indices, embeddings)
    if dy.shape != (*indices.shape, embeddings.shape[1]):
        expected = (*indices.shape, embeddings.shape[1])
        raise ValueError(f"embedding_backward: dy has shape {dy.shape}, expected {expected} = (..., D)")
    if accumulate and out is None:
        raise ValueError("embedding_backward: accumulate=True needs out, the array to add to")
    total = out.copy() if accumulate else np.zeros(embeddings.shape, dy.dtype)
    np.add.at(total, indices.reshape(-1).astype(np.int64), dy.reshape(indices.size, embeddings.shape[1]))
    return deliver("embedding_backward", out, total)
