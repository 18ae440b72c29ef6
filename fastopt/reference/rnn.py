"""The simple recurrent network (Elman 1990), h = activation(x kernel + h' recurrent_kernel + bias), in plain NumPy."""

from types import SimpleNamespace

import numpy as np

from .recurrent import Product, columns, finish, hand_back, opened, state, steps
from .recurrent_checks import activation_named, check_backward, check_forward


def rnn_forward(x, kernel, recurrent_kernel, bias=None, h0=None, *, activation="tanh", lengths=None, reverse=False, dropout=None,
                recurrent_dropout=None, keep=True, out=None):  # fmt: skip
    """y (B, T, H), h_n (B, H) and saved, from x (B, T, I), kernel (I, H), recurrent_kernel (H, H), bias (H,), h0 (B, H).

    The simple recurrent network (Elman 1990): h = activation(x kernel + h' recurrent_kernel + bias). The options, dtypes and
    errors are those of all recurrent kernels: see fastopt.reference.recurrent.

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> x, one = np.ones((1, 3, 1)), np.ones((1, 1))
    >>> y, h_n, saved = kernels.rnn_forward(x, one, one, activation="linear")
    >>> y.ravel(), h_n
    (array([1., 2., 3.]), array([[3.]]))
    >>> dx, dkernel, drecurrent_kernel, dbias, dh0 = kernels.rnn_backward(None, np.ones((1, 1)), saved)
    >>> dx.ravel(), dkernel
    (array([1., 1., 1.]), array([[3.]]))
    """
    owner = "rnn_forward"
    sizes = check_forward(owner, 1, x, kernel, recurrent_kernel, bias, h0, lengths=lengths, dropout=dropout,
                          recurrent_dropout=recurrent_dropout)  # fmt: skip
    act, act_back = activation_named(owner, "activation", activation)
    inputs, recurrent = Product(kernel, dropout, 1), Product(recurrent_kernel, recurrent_dropout, 1)
    h = state(h0, (sizes["B"], sizes["H"]), x.dtype)
    y = np.zeros((sizes["B"], sizes["T"], sizes["H"]), x.dtype)
    taken = []
    for t, rows in steps(lengths, x, reverse):
        before = h[rows]
        z = inputs(x[rows, t], rows) + recurrent(before, rows)
        (z,) = z if bias is None else z + columns(bias, 1)
        y[rows, t] = h[rows] = act(z)
        if keep:
            taken.append((t, rows, before, h[rows]))
    call = SimpleNamespace(x=x, sizes=sizes, inputs=inputs, recurrent=recurrent, act_back=act_back, taken=taken)
    return finish(owner, out, call if keep else None, y=y, h_n=h)


def rnn_backward(dy, dh_n, saved, *, need=(True,) * 5, accumulate=False, out=None):
    """dx, dkernel, drecurrent_kernel, dbias, dh0 of a loss with the gradients dy (B, T, H) and dh_n (B, H), each or None.

    saved is what rnn_forward returned, good for one call. With `accumulate` dkernel, drecurrent_kernel and dbias are added to
    those in `out`; `need` has a flag for each result, None comes for what it does not ask for. See fastopt.reference.recurrent.
    """
    owner = "rnn_backward"
    call = opened(owner, saved)
    check_backward(owner, call.x, call.sizes, False, dy=dy, dh_n=dh_n)
    x, inputs, recurrent = call.x, call.inputs, call.recurrent
    dh = state(dh_n, (call.sizes["B"], call.sizes["H"]), x.dtype)
    dx, dbias = np.zeros(x.shape, x.dtype), np.zeros(call.sizes["H"], x.dtype)
    dkernel, drecurrent = np.zeros(inputs.shape, x.dtype), np.zeros(recurrent.shape, x.dtype)
    for t, rows, before, after in reversed(call.taken):
        slope = dh[rows] if dy is None else dh[rows] + dy[rows, t]
        dz = call.act_back(slope, after)[None]
        dx[rows, t] = inputs.backward(dz, rows)
        dh[rows] = recurrent.backward(dz, rows)
        dkernel += inputs.gradient(dz, x[rows, t], rows)
        drecurrent += recurrent.gradient(dz, before, rows)
        dbias += dz.sum((0, 1))
    return hand_back(owner, saved, need, accumulate, out,
                     dx=dx, dkernel=dkernel, drecurrent_kernel=drecurrent, dbias=dbias, dh0=dh)  # fmt: skip
