"""What the recurrent kernels share: their arguments and how they are checked, the order of steps, products under a mask, `saved`.

Letters: B sequences, T steps, I inputs, H units, P outputs of a projection (H without one), G gates (RNN 1, GRU 3, LSTM 4).
x is (B, T, I), y (B, T, P), h0 and h_n (B, P), c0 and c_n (B, H), all of one dtype, float32 or float64. Missing initial states
and biases are zero. The columns of kernel (I, GH) and recurrent_kernel (P, GH) are the gates one after another.

- lengths: (B,) of any integer type, 0 <= length <= T. Beyond its end a sequence is not read, y and dx are 0 there and dy is
  ignored; h_n and c_n are the states at the end, the initial ones where the length is 0.
- reverse: the steps run from each sequence's own end to x[:, 0]; y[:, t] still belongs to x[:, t].
- dropout: multipliers of x, (B, I), or (B, G, I) with one for each gate; recurrent_dropout: those of the h that enters the
  recurrent product, (B, P) or (B, G, P). They are the same for all steps (Gal & Ghahramani 2016).
- activation, recurrent_activation: names of activations whose derivative is a function of y, with their default alpha.
- keep=False: `saved` is None. `out` of a forward pass ends with a place for `saved`: an earlier one of the same kernel,
  which gives its memory away and is used up.
- backward: dy, dh_n, dc_n or None where the loss does not depend on the result. `saved` is good for one backward pass; it holds
  on to the arrays of its forward pass, which must not be changed in between. What `need` does not ask for is None.
"""

import numpy as np

from .out import deliver


class Saved:
    """What a forward pass keeps for the backward pass: opaque, and good for one."""

    def __init__(self):
        self.kernel, self.call = None, None  # the forward kernel's name; what it kept, None once it is used up


class Product:
    """The products of a (n, K) with the kernel (K, GN) of each gate, a times `mask` (B, K) or (B, G, K) before: (G, n, N).

    `rows` says which of the B sequences the n rows of a are.
    """

    def __init__(self, kernel, mask, gates):
        self.shape = kernel.shape
        self.matrices = kernel.reshape(len(kernel), gates, kernel.shape[1] // gates).transpose(1, 0, 2)
        self.mask = mask if mask is None or mask.ndim == 3 else mask[:, None]

    def masked(self, a, rows):
        """a with the gates, or one for all of them, in front."""
        return a[None] if self.mask is None else a * self.mask[rows].transpose(1, 0, 2)

    def __call__(self, a, rows):
        return self.masked(a, rows) @ self.matrices

    def backward(self, dz, rows):
        """The gradient with respect to a; dz is (G, n, N)."""
        da = dz @ self.matrices.transpose(0, 2, 1)
        return (da if self.mask is None else da * self.mask[rows].transpose(1, 0, 2)).sum(0)

    def gradient(self, dz, a, rows):
        """The gradient with respect to the kernel."""
        return (self.masked(a, rows).transpose(0, 2, 1) @ dz).transpose(1, 0, 2).reshape(self.shape)


def columns(array, gates):
    """(GH,) as (G, 1, H), to be added to gates."""
    return array.reshape(gates, 1, len(array) // gates)


def steps(lengths, x, reverse):
    """The steps in the order in which they are taken, each with the sequences that have it."""
    count = x.shape[1]
    ends = np.full(len(x), count) if lengths is None else np.asarray(lengths).astype(np.intp)
    for t in reversed(range(count)) if reverse else range(count):
        yield t, np.flatnonzero(ends > t)


def state(given, shape, dtype):
    """A copy of an initial state or of the gradient of a final one, zero where there is none."""
    return np.zeros(shape, dtype) if given is None else np.array(given)


def places(owner, out, names):
    """`out` as a tuple with a place for each result."""
    given = (None,) * len(names) if out is None else out
    if not isinstance(given, tuple) or len(given) != len(names):
        raise TypeError(f"{owner}: out must be None or a tuple of {len(names)}, for {', '.join(names)}, got "
                        f"{type(out).__qualname__}{f' of {len(out)}' if isinstance(out, tuple) else ''}")  # fmt: skip
    return given


def what(saved):
    return f"that of {saved.kernel}" if type(saved) is Saved else f"of type {type(saved).__qualname__}"


def finish(owner, out, call, **results):
    """The results of a forward pass and `saved`, which holds `call`; None where that is None."""
    *given, saved = places(owner, out, (*results, "saved"))
    if saved is not None and (type(saved) is not Saved or saved.kernel != owner):
        raise TypeError(f"{owner}: out, for saved, is {what(saved)}, expected that of {owner}")
    results = deliver(owner, tuple(given), *results.values())
    if saved is not None:
        saved.call = None
    if call is None:
        return *results, None
    saved = Saved()
    saved.kernel, saved.call = owner, call
    return *results, saved


def opened(owner, saved):
    """What the forward pass kept."""
    forward = owner.replace("backward", "forward")
    if type(saved) is not Saved or saved.kernel != forward:
        raise TypeError(f"{owner}: saved is {what(saved)}, expected that of {forward} with keep=True")
    if saved.call is None:
        raise RuntimeError(f"{owner}: saved is used up, it is good for one backward pass; run {forward} again")
    return saved.call


def hand_back(owner, saved, need, accumulate, out, optional=(), **results):
    """The results of a backward pass as `need`, `accumulate` and `out` have them; `saved` is used up.

    `need` and `out` may leave away the `optional` ones at the end: needed, but without a place.
    """
    names, short = list(results), len(results) - len(optional)
    if not isinstance(need, (tuple, list)) or len(need) not in (short, len(names)):
        raise TypeError(f"{owner}: need must be {short} flags, for {', '.join(names[:short])}, got {need!r}")
    need = (*need, *(True,) * (len(names) - len(need)))
    if isinstance(out, tuple) and len(out) == short:
        out = (*out, *(None,) * len(optional))
    out = places(owner, out, names)
    summed = [n for n in names if n not in ("dx", "dh0", "dc0")]
    delivered = []
    for (name, result), place, needed in zip(results.items(), out, need):
        if accumulate and name in summed and needed and result is not None:
            if place is None:
                raise ValueError(f"{owner}: accumulate=True needs {name} in out, the array to add to")
            if place.shape == result.shape and place.dtype == result.dtype:  # if not, an error follows
                result = result + place
        delivered.append(result if needed else None)
    delivered = deliver(owner, out, *delivered)
    saved.call = None
    return delivered
