"""One call of a kernel held to its definition, and how a result is off."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from .. import kernels, reference


@dataclass(frozen=True, repr=False)
class Difference:
    """One result that is not the definition's: of which call, how far off, where. As text, a line for a report."""

    part: str  # which result
    problem: str  # in words
    ulp: float = math.nan  # the largest difference, in units of the last place
    allowed: float = math.nan
    first: tuple = ()  # the first element that is too far off
    kernel: str = ""
    dtype: str = ""
    options: dict = field(default_factory=dict)
    sizes: object = None
    target: str = ""  # where several are tried
    threads: int = 0

    def __str__(self):
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        where = [self.dtype, self.target, f"threads {self.threads}" if self.threads else "", f"sizes {self.sizes}"]
        return f"{self.kernel}({options}), {', '.join(filter(None, where))}: {self.part}{self.problem}"

    __repr__ = __str__


def difference(part, got, want, unit, ulp):
    """How `got` is not `want` to within `ulp` units, or None; a NaN is off where the other is not one."""
    if np.shape(got) != np.shape(want):
        return Difference(part, f" has shape {np.shape(got)}, the definition's {np.shape(want)}")
    same = (np.isnan(got) & np.isnan(want)) | (got == want)
    with np.errstate(all="ignore"):
        off = np.where(same, 0, np.abs(np.asarray(got, np.float64) - want) / unit)
    wrong = ~(off <= ulp)
    if not wrong.any():
        return None
    place = lambda flat: tuple(map(int, np.unravel_index(flat, off.shape)))
    first, at = place(wrong.argmax()), place(np.where(np.isnan(off), np.inf, off).argmax())
    problem = (f"{list(at)} is {got[at]!r}, the definition has {want[at]!r}: {off[at]:.1f} ulp, at most {ulp} expected; "
               f"{np.count_nonzero(wrong)} of {off.size} are off, the first at {list(first)}")  # fmt: skip
    return Difference(part, problem, float(off[at]), ulp, first)


class Trial:
    """One call of a kernel: run it as often as you like, and hold what it gives to the definition, which runs once, in float64."""

    def __init__(self, case, name, rng, sizes, dtype, options):
        self.case, self.name, self.sizes, self.dtype, self.options = case, name, sizes, np.dtype(dtype), options
        self.given = case.draw(rng, sizes, dtype, options)
        double = lambda: {n: a.astype(np.float64) if getattr(a, "dtype", None) == dtype else a for n, a in self.given.items()}
        with np.errstate(all="ignore"):
            self.want = case.run(reference, name, double(), options)
            self.units = case.units(double(), options, self.want)

    def run(self, arrange=np.copy):
        """(results by name, arguments after the call) of the kernel."""
        given = {n: arrange(a) if isinstance(a, np.ndarray) else a for n, a in self.given.items()}
        return self.case.run(kernels, self.name, given, self.options), given

    def judge(self, results, given):
        """The first Difference of what run gave, or None."""
        found = self._written(given) or self._off(results)
        return found and self.named(found)

    def named(self, found, **more):
        """The same Difference, as one of this call."""
        return replace(found, kernel=self.name, dtype=str(self.dtype), options=self.options, sizes=self.sizes, **more)

    def _written(self, given):
        for n, before in self.given.items():
            if n in self.case.written or not isinstance(before, np.ndarray):
                continue
            if not np.array_equal(given[n], before, equal_nan=before.dtype.kind == "f"):
                return Difference(n, " is an argument that was written to")
        return None

    def _off(self, results):
        for part in dict.fromkeys([*self.want, *results]):
            got, want, unit = results.get(part), self.want.get(part), self.units.get(part)
            if (got is None) != (want is None):
                return Difference(part, f" is {got if got is None else 'not None'}, the definition's is otherwise")
            if want is None:
                continue
            if isinstance(got, np.ndarray) and got.dtype != self.dtype:
                return Difference(part, f" has dtype {got.dtype}, expected {self.dtype}")
            eps = np.finfo(self.dtype).eps * np.abs(want if unit is None else unit)
            if found := difference(part, np.asarray(got), np.asarray(want), eps, self.case.ulp):
                return found
        return None
