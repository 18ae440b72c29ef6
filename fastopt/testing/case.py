"""How a kernel is tried: what every case says, and how results are held to the definition's.

A case's inputs are random and away from zero in every position. The definition runs in float64 on the same numbers.
"""

import itertools
from dataclasses import dataclass, field

import numpy as np

from .. import kernels
from .trial import Trial

EDGES = [0, 1, 3, *(n + d for n in (4, 8, 16, 32, 64, 128, 256, 1024) for d in (-1, 0, 1)), 24, 48, 96, 1000]


def signed(rng, shape):
    """Of either sign, between a half and two."""
    return rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)


def positive(rng, shape):
    return rng.uniform(0.5, 2, shape)


def normal(rng, shape):
    return rng.standard_normal(shape)


class Case:
    """What both kinds of cases have."""

    def trial(self, name, rng, sizes, dtype, options):
        return Trial(self, name, rng, sizes, dtype, options)

    def compare(self, name, rng, sizes, dtype, options, arrange=np.copy):
        """One call held to its definition: a Difference, or None."""
        trial = self.trial(name, rng, sizes, dtype, options)
        return trial.judge(*trial.run(arrange))


@dataclass(frozen=True)
class Update(Case):
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

    @property
    def written(self):
        """Arguments that the kernel writes to."""
        return [n for n in self.arrays if n not in self.read_only]

    def run(self, module, name, given, options):
        """What the kernel of that module wrote."""
        getattr(module, name)(**given, **options)
        return {n: given[n] for n in self.written}

    def units(self, arrays, options, want):
        """What the errors are counted in: the larger of before and after."""
        return {n: np.maximum(np.abs(arrays[n]), np.abs(w)) for n, w in want.items() if w is not None}


@dataclass(frozen=True)
class Function(Case):
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

    written = ()

    def run(self, module, name, given, options):
        """What it returns, by name."""
        rest = {key: value for key, value in options.items() if key not in given}
        results = self.call(module, name, given | rest)
        results = results if isinstance(results, tuple) else (results,)
        names = [*self.results, *range(len(self.results), len(results))]  # one too many is called by its number
        return dict(zip(names, results))

    def units(self, arrays, options, want):
        """What the errors of each result are counted in, by name; the result itself where there is none."""
        rest = {key: value for key, value in options.items() if key not in arrays}
        scales = self.scale(arrays, rest) if self.scale else ()
        return dict(zip(self.results, scales if isinstance(scales, tuple) else (scales,)))
