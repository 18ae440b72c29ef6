"""The gated recurrent unit (Cho et al. 2014), with the reset before or after the recurrent product, in plain NumPy."""

from types import SimpleNamespace

import numpy as np

from .recurrent import Product, columns, finish, hand_back, opened, state, steps
from .recurrent_checks import activation_named, check_backward, check_forward


def gru_forward(x, kernel, recurrent_kernel, bias=None, h0=None, *, reset_after=True, activation="tanh",
                recurrent_activation="sigmoid", lengths=None, reverse=False, dropout=None, recurrent_dropout=None, keep=True,
                out=None):  # fmt: skip
    """y (B, T, H), h_n (B, H) and saved, from x (B, T, I), kernel (I, 3H), recurrent_kernel (H, 3H), bias, h0 (B, H).

    The gated recurrent unit (Cho et al. 2014). The gates are z, r and the candidate n: h = z h' + (1 - z) n, n with `activation`,
    z and r with `recurrent_activation`. With reset_after, n is of x kernel + bias[0] + r (h' recurrent_kernel + bias[1]), bias
    (2, 3H); without, of x kernel + (r h') recurrent_kernel + bias, bias (3H,). recurrent_dropout multiplies what enters a product
    with recurrent_kernel, r h' included, and not the h' of z h'. The other options, dtypes and errors are those of all recurrent
    kernels: see fastopt.reference.recurrent.
    """
    owner = "gru_forward"
    sizes = check_forward(owner, 3, x, kernel, recurrent_kernel, bias, h0, lengths=lengths, dropout=dropout,
                          recurrent_dropout=recurrent_dropout, biases=2 if reset_after else 1)  # fmt: skip
    act, act_back = activation_named(owner, "activation", activation)
    gate, gate_back = activation_named(owner, "recurrent_activation", recurrent_activation)
    inputs, recurrent = Product(kernel, dropout, 3), Recurrent(recurrent_kernel, recurrent_dropout, reset_after)
    bias = (
        np.zeros((2, 3 * sizes["H"]), x.dtype) if bias is None else bias if reset_after else np.stack([bias, np.zeros_like(bias)])
    )
    h = state(h0, (sizes["B"], sizes["H"]), x.dtype)
    y = np.zeros((sizes["B"], sizes["T"], sizes["H"]), x.dtype)
    taken = []
    for t, rows in steps(lengths, x, reverse):
        before = h[rows]
        u = inputs(x[rows, t], rows) + columns(bias[0], 3)
        z, r = gate(u[:2] + recurrent.gates(before, rows) + columns(bias[1], 3)[:2])
        if reset_after:
            (s,) = recurrent.candidate(before, rows) + columns(bias[1], 3)[2:]
            n = act(u[2] + r * s)
        else:
            s = r * before
            n = act(u[2] + recurrent.candidate(s, rows)[0])
        y[rows, t] = h[rows] = z * before + (1 - z) * n
        if keep:
            taken.append((t, rows, before, z, r, n, s))
    call = SimpleNamespace(x=x, sizes=sizes, inputs=inputs, recurrent=recurrent, reset_after=reset_after, act_back=act_back,
                           gate_back=gate_back, taken=taken)  # fmt: skip
    return finish(owner, out, call if keep else None, y=y, h_n=h)


class Recurrent:
    """The recurrent product in two: that of z and r, and that of the candidate, which waits for r where the reset comes before."""

    def __init__(self, kernel, mask, reset_after):
        units = len(kernel)
        parts = (mask, mask) if mask is None or mask.ndim == 2 else (mask[:, :2], mask[:, 2:])
        self.shape = kernel.shape
        self.gates = Product(kernel[:, : 2 * units], parts[0], 2)
        self.candidate = Product(kernel[:, 2 * units :], parts[1], 1)


def gru_backward(dy, dh_n, saved, *, need=(True,) * 5, accumulate=False, out=None):
    """dx, dkernel, drecurrent_kernel, dbias, dh0 of a loss with the gradients dy (B, T, H) and dh_n (B, H), each or None.

    saved is what gru_forward returned, good for one call; dbias is (2, 3H) with reset_after, else (3H,). With `accumulate` dkernel,
    drecurrent_kernel and dbias are added to those in `out`; `need` has a flag for each result. See fastopt.reference.recurrent.
    """
    owner = "gru_backward"
    call = opened(owner, saved)
    check_backward(owner, call.x, call.sizes, False, dy=dy, dh_n=dh_n)
    x, inputs, gates, candidate = call.x, call.inputs, call.recurrent.gates, call.recurrent.candidate
    dh = state(dh_n, (call.sizes["B"], call.sizes["H"]), x.dtype)
    dx, dbias = np.zeros(x.shape, x.dtype), np.zeros((2, 3 * call.sizes["H"]), x.dtype)
    dkernel, drecurrent = np.zeros(inputs.shape, x.dtype), np.zeros(call.recurrent.shape, x.dtype)
    for t, rows, before, z, r, n, s in reversed(call.taken):
        slope = dh[rows] if dy is None else dh[rows] + dy[rows, t]
        dn = call.act_back(slope * (1 - z), n)
        dv = dn * r if call.reset_after else dn  # of the candidate's recurrent product
        ds = candidate.backward(dv[None], rows)  # of what entered it
        dz, dr = call.gate_back(np.stack([slope * (before - n), dn * s if call.reset_after else ds * before]), np.stack([z, r]))
        du, dw = np.stack([dz, dr, dn]), np.stack([dz, dr])
        dh[rows] = slope * z + gates.backward(dw, rows) + (ds if call.reset_after else ds * r)
        dx[rows, t] = inputs.backward(du, rows)
        dkernel += inputs.gradient(du, x[rows, t], rows)
        operand = before if call.reset_after else s
        drecurrent += np.hstack([gates.gradient(dw, before, rows), candidate.gradient(dv[None], operand, rows)])
        dbias[0] += du.sum(1).ravel()
        dbias[1] += np.stack([dz, dr, dv]).sum(1).ravel()
    return hand_back(owner, saved, need, accumulate, out, dx=dx, dkernel=dkernel, drecurrent_kernel=drecurrent,
                     dbias=dbias if call.reset_after else dbias[0], dh0=dh)  # fmt: skip
