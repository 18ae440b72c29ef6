"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000) in plain NumPy."""

import math
from numbers import Real
from types import SimpleNamespace

import numpy as np

from .recurrent import Product, columns, finish, hand_back, opened, state, steps
from .recurrent_checks import activation_named, check_backward, check_forward


def lstm_forward(x, kernel, recurrent_kernel, bias=None, h0=None, c0=None, *, activation="tanh", recurrent_activation="sigmoid",
                 lengths=None, reverse=False, dropout=None, recurrent_dropout=None, peepholes=None, projection=None, clip=None,
                 input_forget=False, keep=True, out=None):  # fmt: skip
    """y (B, T, H), h_n (B, H), c_n (B, H) and saved, from x (B, T, I), kernel (I, 4H), recurrent_kernel (H, 4H), bias (4H,).

    Long short-term memory (Hochreiter & Schmidhuber 1997). The gates are i, f, g, o: c = f c' + i g, h = o activation(c), g with
    `activation`, the others with `recurrent_activation`. peepholes (3, H), of i, f and o: c' times theirs is added to the
    pre-activations of i and f, the new c to that of o (Gers & Schmidhuber 2000). projection (H, P): h = (o activation(c))
    projection (Sak et al. 2014), recurrent_kernel is then (P, 4H), h0 and h_n (B, P), y (B, T, P). clip > 0: pre-activations are
    limited to [-clip, clip], their gradient is 0 beyond.
    input_forget: f = 1 - i, the columns of f are not used (Greff et al. 2017). The other options, dtypes and errors are those of
    all recurrent kernels: see fastopt.reference.recurrent.

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> rng = np.random.default_rng(0)
    >>> x, kernel, recurrent_kernel = (rng.standard_normal(shape) for shape in ((2, 5, 3), (3, 16), (4, 16)))
    >>> y, h_n, c_n, saved = kernels.lstm_forward(x, kernel, recurrent_kernel, lengths=np.array([5, 2]))
    >>> y.shape, bool((y[0, 4] == h_n[0]).all()), bool((y[1, 1] == h_n[1]).all()), y[1, 2]
    ((2, 5, 4), True, True, array([0., 0., 0., 0.]))
    """
    owner = "lstm_forward"
    sizes = check_forward(owner, 4, x, kernel, recurrent_kernel, bias, h0, c0, lengths=lengths, dropout=dropout,
                          recurrent_dropout=recurrent_dropout, peepholes=peepholes, projection=projection)  # fmt: skip
    act, act_back = activation_named(owner, "activation", activation)
    gate, gate_back = activation_named(owner, "recurrent_activation", recurrent_activation)
    clip = limit(owner, clip)
    inputs, recurrent = Product(kernel, dropout, 4), Product(recurrent_kernel, recurrent_dropout, 4)
    h = state(h0, (sizes["B"], sizes["P"]), x.dtype)
    c = state(c0, (sizes["B"], sizes["H"]), x.dtype)
    y = np.zeros((sizes["B"], sizes["T"], sizes["P"]), x.dtype)
    taken = []
    for t, rows in steps(lengths, x, reverse):
        h_before, c_before = h[rows], c[rows]
        z = inputs(x[rows, t], rows) + recurrent(h_before, rows)
        z = z if bias is None else z + columns(bias, 4)
        if peepholes is not None:
            z[:2] += peepholes[:2, None] * c_before
        i, g = gate(within(z[0], clip)), act(within(z[2], clip))
        f = 1 - i if input_forget else gate(within(z[1], clip))
        c[rows] = f * c_before + i * g
        if peepholes is not None:
            z[3] += peepholes[2] * c[rows]
        o, a = gate(within(z[3], clip)), act(c[rows])
        y[rows, t] = h[rows] = o * a if projection is None else (o * a) @ projection
        beyond = None if clip is None else np.abs(z) > clip
        if keep:
            taken.append((t, rows, h_before, c_before, (i, f, g, o), beyond, c[rows], a))
    call = SimpleNamespace(x=x, sizes=sizes, inputs=inputs, recurrent=recurrent, peepholes=peepholes, projection=projection,
                           input_forget=input_forget, act_back=act_back, gate_back=gate_back, taken=taken)  # fmt: skip
    return finish(owner, out, call if keep else None, y=y, h_n=h, c_n=c)


def limit(owner, clip):
    """The clip, checked; None is without one."""
    if clip is None:
        return None
    if not isinstance(clip, Real) or isinstance(clip, (bool, np.bool_)):
        raise TypeError(f"{owner}: clip must be None or a finite number > 0, got {clip!r}")
    if not 0 < clip < math.inf:
        raise ValueError(f"{owner}: clip must be None or a finite number > 0, got {clip}")
    return float(clip)


def within(z, clip):
    return z if clip is None else np.clip(z, -clip, clip)


def lstm_backward(dy, dh_n, dc_n, saved, *, need=(True,) * 6, accumulate=False, out=None):
    """dx, dkernel, drecurrent_kernel, dbias, dh0, dc0 of a loss with the gradients dy (B, T, P), dh_n (B, P), dc_n (B, H).

    saved is what lstm_forward returned, good for one call; see fastopt.reference.recurrent. Where the forward pass had peepholes
    or a projection, dpeepholes and dprojection follow, None for the one that it had not; `need` and `out` have an entry for each
    of the eight, or for the first six, the others being needed and made anew. With `accumulate` all but dx, dh0 and dc0 are added
    to those in `out`.
    """
    owner = "lstm_backward"
    call = opened(owner, saved)
    check_backward(owner, call.x, call.sizes, call.projection is not None, dy=dy, dh_n=dh_n, dc_n=dc_n)
    x, inputs, recurrent, peepholes, projection = call.x, call.inputs, call.recurrent, call.peepholes, call.projection
    dh = state(dh_n, (call.sizes["B"], call.sizes["P"]), x.dtype)
    dc = state(dc_n, (call.sizes["B"], call.sizes["H"]), x.dtype)
    dx, dbias = np.zeros(x.shape, x.dtype), np.zeros(4 * call.sizes["H"], x.dtype)
    dkernel, drecurrent = np.zeros(inputs.shape, x.dtype), np.zeros(recurrent.shape, x.dtype)
    dpeepholes = None if peepholes is None else np.zeros(peepholes.shape, x.dtype)
    dprojection = None if projection is None else np.zeros(projection.shape, x.dtype)
    for t, rows, h_before, c_before, (i, f, g, o), beyond, c, a in reversed(call.taken):
        slope = dh[rows] if dy is None else dh[rows] + dy[rows, t]
        if projection is not None:
            dprojection += (o * a).T @ slope
            slope = slope @ projection.T
        dz = np.empty((4, *c.shape), x.dtype)
        dz[3] = call.gate_back(slope * a, o)
        if beyond is not None:
            dz[3][beyond[3]] = 0
        dc_now = dc[rows] + call.act_back(slope * o, a)
        if peepholes is not None:
            dc_now += dz[3] * peepholes[2]
        di, df = dc_now * g, dc_now * c_before
        dz[0] = call.gate_back(di - df if call.input_forget else di, i)
        dz[1] = 0 if call.input_forget else call.gate_back(df, f)
        dz[2] = call.act_back(dc_now * i, g)
        if beyond is not None:
            dz[:3][beyond[:3]] = 0
        dc[rows] = dc_now * f
        if peepholes is not None:
            dc[rows] += dz[0] * peepholes[0] + dz[1] * peepholes[1]
            dpeepholes += np.stack([dz[0] * c_before, dz[1] * c_before, dz[3] * c]).sum(1)
        dx[rows, t] = inputs.backward(dz, rows)
        dh[rows] = recurrent.backward(dz, rows)
        dkernel += inputs.gradient(dz, x[rows, t], rows)
        drecurrent += recurrent.gradient(dz, h_before, rows)
        dbias += dz.sum(1).ravel()
    more = {} if peepholes is None and projection is None else {"dpeepholes": dpeepholes, "dprojection": dprojection}
    return hand_back(owner, saved, need, accumulate, out, tuple(more),
                     dx=dx, dkernel=dkernel, drecurrent_kernel=drecurrent, dbias=dbias, dh0=dh, dc0=dc, **more)  # fmt: skip
