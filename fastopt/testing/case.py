"""How a kernel is tried: what every case says, and how results are held to the definition's.

A case's inputs are random and away from zero in every position. The definition runs in float64 on the same numbers.
"""

import itertools
from dataclasses import dataclass, field

import numpy as np

from .. import kernels, reference

EDGES = [0, 1, 3, *(n + d for n in (4, 8, 16, 32, 64, 128, 256, 1024) for d in (-1, 0, 1)), 24, 48, 96, 1000]


def signed(rng, shape):
    """Of either sign, between a half and two."""
    return rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)


def positive(rng, shape):
    return rng.uniform(0.5, 2, shape)


def normal(rng, shape):
    return rng.standard_normal(shape)


def difference(label, got, want, unit, ulp):
    """The text of how `got` is not `want` to within `ulp` units, or ""; a NaN is off where the other is not one."""
    if np.shape(got) != np.shape(want):
        return f"{label} has shape {np.shape(got)}, the definition's {np.shape(want)}"
    same = (np.isnan(got) & np.isnan(want)) | (got == want)
    with np.errstate(all="ignore"):
        off = np.where(same, 0, np.abs(np.asarray(got, np.float64) - want) / unit)
    if off.size == 0 or off.max() <= ulp:
        return ""
    at = np.unravel_index(np.nanargmax(np.where(np.isnan(off), np.inf, off)), off.shape)
    return (f"{label}{[int(i) for i in at]} is {got[at]!r}, the definition has {want[at]!r}: "
            f"{off[at]:.1f} ulp, at most {ulp} expected")  # fmt: skip


@dataclass(frozen=True)
class Update:
    """A kernel that changes its arrays in place: all of one shape, off by at most `ulp` of the larger of before and after."""

    arrays: dict  # name: how it is drawn, in the order of the arguments; the first is written
    variants: tuple  # options beside `common`, one call each
    common: dict = field(default_factory=lambda: {"lr": 0.1, "step": 3})
    read_only: tuple = ("grad",)
    ulp: float = 8
    flops: int = 0  # a rough count per element, multiply-add as two

    def options(self):
        return [self.common | variant for variant in self.variants]

    def sizes(self):
        """The sizes that the parity test runs over."""
        return [(n,) for n in EDGES]

    def shapes(self):
        """Some of more dimensions, to be laid out in memory in other ways."""
        return [(), (3, 0, 2), (5, 7), (4, 1, 9), (3, 4, 5), (11, 130), (2, 2100)]

    def cut(self):
        """Those that the threads are tried on."""
        return [(n,) for n in (1, 63, 64, 65, 1000, 20011)]

    def some(self):
        """A few, for a quick look."""
        return [(), (1,), (17,), (5, 67), (70001,)]

    def draw(self, rng, shape, dtype, options):
        """Arrays by name; a state that the options do not ask for is None."""
        return {
            name: None
            if name in kernels.ASKED_BY and not options.get(kernels.ASKED_BY[name])
            else np.asarray(make(rng, shape), dtype)
            for name, make in self.arrays.items()
        }

    def compare(self, name, rng, shape, dtype, options, arrange=np.copy):
        given = self.draw(rng, shape, dtype, options)
        got = {n: a if a is None else arrange(a) for n, a in given.items()}
        want = {n: a if a is None else np.array(a, np.float64) for n, a in given.items()}
        with np.errstate(all="ignore"):
            getattr(reference, name)(**want, **options)
        getattr(kernels, name)(**got, **options)
        for n, before in given.items():
            if before is None:
                continue
            if n in self.read_only:
                if not np.array_equal(got[n], before):
                    return f"{name}({options}): wrote to {n}"
                continue
            unit = np.finfo(dtype).eps * np.maximum(np.abs(before.astype(np.float64)), np.abs(want[n]))
            if text := difference(n, got[n], want[n], unit, self.ulp):
                return f"{name}({options}): {text}"
        return ""


@dataclass(frozen=True)
class Function:
    """A kernel that returns its results: each off by at most `ulp` of its scale."""

    arrays: dict  # name: (its axes, one letter each, how it is drawn), in the order of the arguments
    results: tuple  # names of what is returned
    variants: tuple = ({},)  # options, one call each; an array's name with None leaves it out
    sizes_of: dict = field(default_factory=dict)  # letter: the only sizes tried of this axis, the usual one last
    nonempty: str = ""  # letters of the axes that have an element at least
    adapt: object = None  # (arrays, options) -> arrays: those that follow from others
    scale: object = (
        None  # (arrays, options) -> one array or number a result that its error is counted in; default: the result itself
    )
    ulp: float = 8
    flops: object = None  # (sizes) -> a rough count of a call

    def options(self):
        return [dict(variant) for variant in self.variants]

    def _grid(self, *sizes):
        """Every combination of the sizes of each axis."""
        letters = dict.fromkeys("".join(axes for axes, _ in self.arrays.values()))
        return [dict(zip(letters, n)) for n in itertools.product(*(self._of(x, sizes) for x in letters))]

    def _of(self, letter, sizes):
        """Those of the sizes that an axis may have, or its own."""
        return self.sizes_of.get(letter, [n for n in sizes if n or letter not in self.nonempty])

    def sizes(self):
        """Small ones in every combination, and each edge of every axis with the others small."""
        usual = self._grid(7)[-1]
        return self._grid(0, 1, 2, 5, 17) + [usual | {x: n} for x in usual for n in self._of(x, EDGES)]

    def shapes(self):
        return self._grid(1, 6, 33)

    def cut(self):
        return self._grid(33, 301)

    def some(self):
        return self._grid(1, 17, 130)

    def large(self, side):
        """Those of the benchmark."""
        return self._grid(side)[-1]

    def draw(self, rng, sizes, dtype, options):
        arrays = {name: np.asarray(make(rng, tuple(sizes[x] for x in axes))) for name, (axes, make) in self.arrays.items()}
        arrays = {name: a.astype(dtype) if a.dtype.kind == "f" else a for name, a in arrays.items()}
        arrays |= {name: options[name] for name in arrays if name in options}
        return self.adapt(arrays, options) if self.adapt else arrays

    def call(self, module, name, arguments, **out):
        """What the kernel of that module returns."""
        return getattr(module, name)(**arguments, **out)

    def units(self, arrays, options, want):
        """What the errors of each result are counted in, None for the result itself."""
        return self.scale(arrays, options) if self.scale else (None,) * len(self.results)

    def compare(self, name, rng, sizes, dtype, options, arrange=np.copy):
        given = self.draw(rng, sizes, dtype, options)
        rest = {key: value for key, value in options.items() if key not in given}
        got = {n: arrange(a) if isinstance(a, np.ndarray) else a for n, a in given.items()}
        double = {n: a.astype(np.float64) if getattr(a, "dtype", None) == dtype else a for n, a in given.items()}
        with np.errstate(all="ignore"):
            want = self.call(reference, name, double | rest)
            units = self.units(double, rest, want)
        result = self.call(kernels, name, got | rest)
        label = f"{name}({', '.join(f'{k}={v!r}' for k, v in options.items())}; {sizes})"
        for n, before in given.items():
            if isinstance(before, np.ndarray) and not np.array_equal(got[n], before, equal_nan=before.dtype.kind == "f"):
                return f"{label}: wrote to {n}"
        if not isinstance(want, tuple):
            want, result = (want,), (result,)
        if len(result) != len(want):
            return f"{label}: {len(result)} results, the definition has {len(want)}"
        for part, r, w, unit in zip(self.results, result, want, units if isinstance(units, tuple) else (units,)):
            if (r is None) != (w is None):
                return f"{label}: {part} is {r if r is None else 'not None'}, the definition's is otherwise"
            if w is None:
                continue
            if isinstance(r, np.ndarray) and r.dtype != dtype:
                return f"{label}: {part} has dtype {r.dtype}, expected {np.dtype(dtype)}"
            eps = np.finfo(dtype).eps * np.abs(w if unit is None else unit)
            if text := difference(part, np.asarray(r), np.asarray(w), eps, self.ulp):
                return f"{label}: {text}"
        return ""
