"""Products of matrices and the dense layer, y = activation(x kernel + bias), in plain NumPy."""

import math

import numpy as np

from .activations import activation_backward, activation_forward
from .out import deliver


class Packed:
    """The right operand of products that use it again and again: b (K, N), or with transpose (N, K), copied, for gemm.

    The compiled one keeps it in the order in which the products read it. `shape` is (K, N).

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> packed = kernels.Packed(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> kernels.gemm(np.array([[1.0, 1.0]]), packed)
    array([[4., 6.]])
    """

    def __init__(self, b, *, transpose=False):
        if b.ndim != 2:
            raise ValueError(f"Packed: b has shape {b.shape}, expected two dimensions")
        self.array = np.array(b.T if transpose else b)
        self.shape, self.dtype = self.array.shape, self.array.dtype


def gemm(a, b, *, transpose_a=False, transpose_b=False, out=None, accumulate=False):
    """c = a b, or c + a b: a is (M, K), or (K, M) with transpose_a, b (K, N), or (N, K) with transpose_b; c is (M, N).

    With `accumulate` the product is added to `out`, which must be given. b may be Packed. Raises ValueError where the shapes do
    not chain.

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> kernels.gemm(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), transpose_b=True)
    array([[11.]])
    """
    if isinstance(b, Packed):
        if transpose_b:
            raise ValueError("gemm: transpose_b=True with a packed b, expected Packed(b, transpose=True)")
        b = b.array
    a, b = a.T if transpose_a else a, b.T if transpose_b else b
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"gemm: a and b, transposed as asked for, have shapes {a.shape} and {b.shape}, expected (M, K) and (K, N)")
    if accumulate and out is None:
        raise ValueError("gemm: accumulate=True needs out, the array to add to")
    return deliver("gemm", out, a @ b + out if accumulate else a @ b)


def dense_forward(x, kernel, bias=None, activation="linear", *, return_z=False, alpha=None, out=None):
    """y = activation(z), z = x kernel + bias, of shape (..., O); with `return_z` the pair y, z.

    x is (..., I), kernel (I, O), bias (O,); activation and alpha as in activation_forward. `out`: y, or with `return_z` a tuple.

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> kernels.dense_forward(np.array([[1.0, 2.0]]), np.array([[1.0, -1.0], [1.0, -1.0]]), np.zeros(2), "relu")
    array([[3., 0.]])
    """
    if kernel.ndim != 2 or x.ndim < 1 or x.shape[-1] != kernel.shape[0]:
        raise ValueError(f"dense_forward: x and kernel have shapes {x.shape} and {kernel.shape}, expected (..., I) and (I, O)")
    z = x @ kernel
    if bias is not None:
        if bias.shape != kernel.shape[1:]:
            raise ValueError(f"dense_forward: bias has shape {bias.shape}, expected {kernel.shape[1:]} = (O,)")
        z = z + bias
    y = activation_forward(z, activation, alpha=alpha)
    return deliver("dense_forward", out, y, z) if return_z else deliver("dense_forward", out, y)


def dense_backward(dy, x, kernel, y, activation="linear", *, z=None, alpha=None, need=(True, True, True), accumulate=False,
                   overwrite_dy=False, out=None):  # fmt: skip
    """The gradients dx, dkernel, dbias of a loss whose gradient with respect to y is dy; None for what `need` does not ask for.

    x, kernel, activation, alpha are those of dense_forward, y is what it returned; z as well, with `return_z`, where the
    derivative is no function of y (gelu, gelu_tanh, silu). With `accumulate` dkernel and dbias are added to those in `out`; with
    `overwrite_dy` dy serves as workspace.
    """
    shape = (*x.shape[:-1], kernel.shape[-1])
    for name, array in (("dy", dy), ("y", y), ("z", z)):
        if array is not None and array.shape != shape:
            raise ValueError(f"dense_backward: {name} has shape {array.shape}, expected {shape} = (..., O)")
    dz = activation_backward(dy, y, activation, z=z, alpha=alpha)
    count = math.prod(dz.shape[:-1])
    rows = dz.reshape(count, dz.shape[-1])
    dx = dz @ kernel.T if need[0] else None
    dkernel = x.reshape(count, x.shape[-1]).T @ rows if need[1] else None
    dbias = rows.sum(0) if need[2] else None
    if accumulate:
        dkernel_out, dbias_out = (None, None) if out is None else out[1:]
        if (need[1] and dkernel_out is None) or (need[2] and dbias_out is None):
            raise ValueError("dense_backward: accumulate=True needs dkernel and dbias in out, the arrays to add to")
        dkernel = dkernel + dkernel_out if need[1] else None
        dbias = dbias + dbias_out if need[2] else None
    return deliver("dense_backward", out, dx, dkernel, dbias)
