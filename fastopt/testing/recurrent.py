"""The cases of the recurrent kernels. A backward pass is tried behind the forward pass of the same module."""

import inspect
from dataclasses import dataclass

import numpy as np

from .. import reference
from .case import Function, normal


def weight(rng, shape):
    """So small that sums of products with them are about one, and errors do not grow from step to step."""
    return rng.uniform(-1, 1, shape) / np.sqrt(shape[0])


def half(rng, shape):
    return rng.standard_normal(shape) / 2


def multiplier(rng, shape):
    return 2.0 * rng.integers(0, 2, shape)


def length(rng, shape):
    """Of any integer type, reduced modulo T + 1 by `draw`."""
    return rng.integers(0, 120, shape).astype(rng.choice(["i1", "u1", "i4", "u8", "i8"]))


@dataclass(frozen=True)
class Recurrent(Function):
    """A forward pass, or with `forward` the backward pass behind it, whose arrays and options it takes as well.

    Axes are those of fastopt.reference.recurrent: "B T 4H". An optional array is drawn where the options have its axes in its
    place, initial states and biases where they do not have None. What must not be read, beyond the ends, is NaN.
    """

    forward: object = None  # the case of the forward pass
    wide: int = 0  # units that keep several threads busy

    def sizes(self):
        """Edges of vectors and tiles in I, H and P; of the batch; of time."""
        return [dict(zip("BTIHP", map(int, text.split()))) for text in (
            "0 3 2 4 3", "3 0 2 4 3", "1 1 1 1 1", "2 3 1 5 2", "5 6 3 7 8", "4 2 8 8 4", "3 3 15 16 9", "7 2 17 15 16",
            "8 2 31 33 17", "16 2 9 31 7", "17 3 5 17 23", "33 2 4 9 3", "2 2 63 65 33", "3 2 65 63 64", "2 3 70 64 12",
            "1 6 32 24 32", "1 4 3 48 48", "1 3 5 97 33", "1 2 9 259 20")]  # fmt: skip

    def shapes(self):
        return [dict(zip("BTIHP", size)) for size in ((3, 4, 5, 6, 7), (6, 2, 33, 17, 6), (1, 3, 1, 8, 1))]

    def cut(self):
        """Few sequences, whose units threads share where they are many, one alone, and many."""
        return [dict(zip("BTIHP", size)) for size in ((2, 3, 9, self.wide, 34), (1, 3, 9, 97, 40), (33, 4, 20, 24, 17))]

    def some(self):
        return [dict(zip("BTIHP", size)) for size in ((1, 4, 3, 5, 2), (6, 3, 16, 33, 17))]

    def large(self, side):
        return dict(B=side // 8, T=side // 32, I=side, H=side, P=side // 2)

    def draw(self, rng, sizes, dtype, options):
        sizes = sizes | {"P": sizes["P" if options.get("projection") else "H"]}
        arrays = {}
        for name, (axes, make) in ((self.forward.arrays if self.forward else {}) | self.arrays).items():
            axes = options.get(name, axes)
            shape = () if axes is None else tuple(
                int(axis) if axis.isdigit() else int(axis[:-1] or 1) * sizes[axis[-1]] for axis in axes.split())  # fmt: skip
            array = None if axes is None else make(rng, shape)
            arrays[name] = array.astype(dtype) if axes and array.dtype.kind == "f" else array
        if arrays["lengths"] is not None:
            arrays["lengths"] %= arrays["lengths"].dtype.type(sizes["T"] + 1)
            beyond = np.arange(sizes["T"]) >= arrays["lengths"][:, None]
            for name in {"x", "dy"} & {n for n, a in arrays.items() if a is not None}:
                arrays[name][beyond] = np.nan
        return arrays

    def call(self, module, name, arguments, out=None):
        """The results but `saved`, of which only is said whether there is one."""
        if self.forward is None:
            *results, saved = getattr(module, name)(**arguments, out=out and (*out, None))
            return *results, float(saved is not None)
        forward = getattr(module, name.replace("backward", "forward"))
        known = inspect.signature(getattr(reference, forward.__name__)).parameters
        *_, saved = forward(**{key: value for key, value in arguments.items() if key in known})
        rest = {key: value for key, value in arguments.items() if key not in known}
        return getattr(module, name)(**rest, saved=saved, out=out)

    def units(self, arrays, options, want):
        """Forward: 1 and the largest. Backward: the largest and, for terms may cancel, the sum of all as large as they could be."""
        largest = {name: 0 if w is None else np.abs(w).max(initial=0) for name, w in want.items()}
        if self.forward is None:
            return {name: 1 + size for name, size in largest.items()}
        sizes = {n: np.nan_to_num(np.abs(a)) for n, a in arrays.items() if a is not None}
        incoming, x = sum(sizes[n].max(initial=0) for n in self.arrays if n in sizes), sizes["x"]
        terms = {"dx": 1, "dh0": 1, "dc0": 1, "dkernel": x.sum((0, 1))[:, None]}
        return {name: size + incoming * terms.get(name, len(x) * x.shape[1]) for name, size in largest.items()}


SHARED: tuple[dict[str, object], ...] = (
    {}, dict(bias=None), dict(h0=None), dict(reverse=True), dict(lengths="B"), dict(lengths="B", reverse=True),
    dict(dropout="B I"), dict(recurrent_dropout="B P"),
)  # fmt: skip


def _of_gates(gates, **more):
    """Masks of their own for each gate."""
    return dict(dropout=f"B {gates} I", recurrent_dropout=f"B {gates} P", **more)


def _pair(name, gates, variants, states=("h",), more=None, need=(), bias=None):
    """The cases of the forward and the backward kernel; `more`: arrays at the end, `need`: variants of the backward pass."""
    columns, more = "H" if gates == 1 else f"{gates}H", more or {}
    axes = {"h": "B P", "c": "B H"}
    drawn = {"x": ("B T I", normal), "kernel": (f"I {columns}", weight), "recurrent_kernel": (f"P {columns}", weight),
             "bias": (bias or columns, half)} | {f"{s}0": (axes[s], half) for s in states}  # fmt: skip
    options = {"lengths": (None, length), "dropout": (None, multiplier), "recurrent_dropout": (None, multiplier)} | more
    gradients = {"dy": ("B T P", normal)} | {f"d{s}_n": (axes[s], normal) for s in states}
    results = [f"d{n}" for n in ("x", "kernel", "recurrent_kernel", "bias", *(f"{s}0" for s in states), *more)]
    none = [*({n: None} for n in gradients), dict.fromkeys(gradients)]
    need = [*(dict(need=tuple(k == i for k in range(4 + len(states)))) for i in range(4 + len(states))), *need]
    # of the backward pass with the forward pass before it, for they are timed together: three times as many
    flops = lambda s: 2 * s["B"] * s["T"] * (s["I"] + s["H"]) * gates * s["H"]
    results_of_forward = ("y", *(f"{s}_n" for s in states), "kept")
    wide = {1: 259, 3: 195, 4: 131}[gates]
    forward = Recurrent(drawn | options, results_of_forward, (*variants, dict(keep=False)), flops=flops, wide=wide)
    backward = Recurrent(
        gradients, tuple(results), (*variants, *none, *need), flops=lambda s: 3 * flops(s), forward=forward, wide=wide
    )
    return {f"{name}_forward": forward, f"{name}_backward": backward}


# fmt: off
RNN = (*SHARED, *(dict(activation=name) for name in ("relu", "sigmoid", "linear", "leaky_relu", "softsign")),
       _of_gates(1, lengths="B"), _of_gates(1, activation="relu", reverse=True))
GATED = (*SHARED, dict(activation="relu"), dict(activation="elu", recurrent_activation="hard_sigmoid"),
         dict(recurrent_activation="tanh", activation="sigmoid"), dict(activation="linear", recurrent_activation="softsign"))
LSTM = (*GATED, _of_gates(4), _of_gates(4, lengths="B", reverse=True), dict(h0=None, c0=None), dict(c0=None, bias=None),
        dict(peepholes="3 H"), dict(peepholes="3 H", lengths="B", reverse=True), dict(projection="H P"),
        dict(projection="H P", lengths="B", reverse=True), dict(clip=0.4), dict(clip=0.6, peepholes="3 H", lengths="B"),
        dict(input_forget=True), dict(input_forget=True, peepholes="3 H", projection="H P", clip=0.7),
        _of_gates(4, peepholes="3 H", projection="H P", lengths="B", activation="relu"))
BEFORE = dict(reset_after=False, bias="3H")
GRU = (*GATED, _of_gates(3), _of_gates(3, lengths="B", reverse=True), *(BEFORE | v for v in (
       {}, dict(bias=None), dict(lengths="B"), dict(lengths="B", reverse=True), dict(dropout="B I", recurrent_dropout="B P"),
       dict(activation="relu", recurrent_activation="hard_sigmoid"), _of_gates(3, lengths="B"))))
ALL_EIGHT = [dict(peepholes="3 H", projection="H P", need=n) for n in ((True,) * 8, (False,) * 6 + (True, False))]
CASES = (
    _pair("rnn", 1, RNN)
    | _pair("lstm", 4, LSTM, ("h", "c"), {"peepholes": (None, half), "projection": (None, weight)}, ALL_EIGHT)
    | _pair("gru", 3, GRU, bias="2 3H")
)
# fmt: on
