"""What the arguments of recurrent kernels must be, by letters as in recurrent.py, and the errors where they are not."""

import numpy as np

from .. import checks
from .activations import ACTIVATIONS, BY_ROWS

USABLE = [name for name, rule in ACTIVATIONS.items() if not rule.needs_z and name not in BY_ROWS]


def shaped(owner, name, array, sizes, *alternatives):
    """Raises unless `array` has one of the shapes, each a text like "B T 4H"; a letter not in `sizes` yet is learnt from it."""
    for axes in map(str.split, alternatives):
        if array.ndim == len(axes):
            for axis, n in zip(axes, array.shape):
                if axis.isalpha():
                    sizes.setdefault(axis, n)
    expected = []
    for axes in map(str.split, alternatives):
        known = all(axis.isdigit() or axis[-1] in sizes for axis in axes)
        shape = tuple(int(a) if a.isdigit() else int(a[:-1] or 1) * sizes[a[-1]] for a in axes) if known else None
        if array.shape == shape:
            return
        letters = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
        expected.append(f"{shape} = {letters}" if known else letters)
    raise ValueError(f"{owner}: {name} has shape {array.shape}, expected {' or '.join(expected)}")


def of_dtype(owner, name, array, like):
    """Raises unless `array` is a NumPy array of float32 or float64 and, where there is one, of the dtype of x."""
    checks.readable(owner, name, array)
    if array.dtype != like.dtype:
        raise TypeError(f"{owner}: {name} has dtype {array.dtype}, expected {like.dtype} as x; convert it with .astype")


def activation_named(owner, argument, name):
    """The functions y of z and dz of (dy, y)."""
    if isinstance(name, str) and name in ACTIVATIONS and name not in USABLE:
        raise ValueError(f"{owner}: {argument} {name!r} cannot be used, its derivative is no function of y element by element; "
                         f"expected one of {', '.join(USABLE)}")  # fmt: skip
    checks.known(owner, argument, name, USABLE)
    rule = ACTIVATIONS[name]
    return lambda z: rule.forward(z, rule.alpha), lambda dy, y: rule.backward(dy, y, None, rule.alpha)


def check_lengths(owner, lengths, sizes):
    """Raises unless they are (B,) integers from 0 to T; names the first that is not."""
    lengths = np.asarray(lengths)
    if lengths.dtype.kind not in "iu":
        raise TypeError(f"{owner}: lengths has dtype {lengths.dtype}, expected integers")
    shaped(owner, "lengths", lengths, sizes, "B")
    wrong = np.flatnonzero((lengths < 0) | (lengths > sizes["T"]))
    if wrong.size:
        raise ValueError(f"{owner}: lengths[{wrong[0]}] is {lengths[wrong[0]]}, expected 0 to T = {sizes['T']}")


def check_forward(owner, gates, x, kernel, recurrent_kernel, bias, h0, c0=None, *, lengths=None, dropout=None,
                  recurrent_dropout=None, peepholes=None, projection=None, biases=1):  # fmt: skip
    """Raises where an argument of a forward pass is not as fastopt.reference.recurrent says; returns the sizes by letter."""
    sizes, out, columns = {}, "H" if projection is None else "P", "H" if gates == 1 else f"{gates}H"
    given = {"x": x, "projection": projection, "recurrent_kernel": recurrent_kernel, "kernel": kernel, "bias": bias, "h0": h0,
             "c0": c0, "dropout": dropout, "recurrent_dropout": recurrent_dropout, "peepholes": peepholes}  # fmt: skip
    axes = {"x": ["B T I"], "projection": ["H P"], "recurrent_kernel": [f"{out} {columns}"], "kernel": [f"I {columns}"],
            "bias": [columns if biases == 1 else f"{biases} {columns}"], "h0": [f"B {out}"], "c0": ["B H"],
            "dropout": ["B I", f"B {gates} I"], "recurrent_dropout": [f"B {out}", f"B {gates} {out}"],
            "peepholes": ["3 H"]}  # fmt: skip
    for name, array in given.items():
        if array is not None or name in ("x", "kernel", "recurrent_kernel"):
            of_dtype(owner, name, array, x)
            shaped(owner, name, array, sizes, *axes[name])
    if lengths is not None:
        check_lengths(owner, lengths, sizes)
    return sizes | {"P": sizes[out]}


def check_backward(owner, x, sizes, projected, **gradients):
    """Raises unless the gradients that are not None have the shapes of the forward pass's results; sizes: by letter."""
    out = "P" if projected else "H"
    for name, array in gradients.items():
        if array is not None:
            of_dtype(owner, name, array, x)
            shaped(owner, name, array, sizes, {"dy": f"B T {out}", "dh_n": f"B {out}", "dc_n": "B H"}[name])
