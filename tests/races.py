"""Calls every kernel with its work cut among two and three threads, for ThreadSanitizer to watch; .ci/races builds and runs it.

With "planted" as its argument it makes one call that is a race, by passing the checks that refuse overlapping arrays.
"""

import math
import os
import sys

import numpy as np
from test_threads import five_steps

import fastopt
from fastopt import kernels
from fastopt.backend import core
from fastopt.optim import hyper, rules
from fastopt.testing import CASES
from fastopt.testing.case import Update


def run_case(name, dtype, rng):
    case = CASES[name]
    for options in case.options():
        for size in case.cut():
            arguments = options | case.draw(rng, size, dtype, options)
            if isinstance(case, Update):
                getattr(kernels, name)(**arguments)
            else:
                case.call(kernels, name, arguments)


def run_products(dtype, rng):
    """Beyond the blocks of a product, in every order of memory, and with an operand packed before."""
    for m, k, n in ((130, 600, 70), (7, 700, 300), (500, 9, 3), (1, 300, 900)):
        a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
        for x in (a, np.asfortranarray(a)):
            for y in (b, np.asfortranarray(b), kernels.Packed(b)):
                kernels.gemm(x, y, out=np.zeros((m, n), dtype), accumulate=True)


def planted():
    """Each element of the parameter is its neighbour's gradient: at the cut, one thread reads what the other writes."""
    array, numbers = np.ones(100_001), hyper.encode("sgd", "sgd", {"lr": 0.1})
    core.update("sgd", array[:-1], array[1:], [None], numbers, 1, 1.0, 1.0, math.inf)


def main():
    fastopt.set_num_threads(2)
    core.force_threads(True)
    if sys.argv[1:] == ["planted"]:
        return planted()
    rng = np.random.default_rng(0)
    for isa in core.isas():
        core.use_isa(isa)
        for threads, dtype in ((2, np.float32), (3, np.float64)):
            fastopt.set_num_threads(threads)
            for name in CASES:
                run_case(name, dtype, rng)
            run_products(dtype, rng)
            core.fma_peak(dtype)
        for name in rules.RULES:
            five_steps(name)
        assert len(os.listdir("/proc/self/task")) >= 3, "no threads were started"
        print(f"{isa}: {len(CASES)} kernels, products, steps of {len(rules.RULES)} optimizers")


if __name__ == "__main__":
    main()
