"""Every kernel of CASES on every CPU target: nanoseconds an element from cache, beside the definition in NumPy.

pytest bench/test_kernels.py
"""

import numpy as np
import pytest

from fastopt import backend, kernels, reference
from fastopt.bench import Race
from fastopt.testing import CASES
from fastopt.testing.case import Function

SIZE = 30_000  # a parameter, its gradient and its states stay in the second-level cache
SIDE = 128  # of every axis of a function's arrays: so do those


def variants(name):
    """A function's variants are kernels of their own: activations, transpositions. Of an update the first stands for all."""
    options = CASES[name].options()
    return options if isinstance(CASES[name], Function) else options[:1]


def sizes_of(case):
    if isinstance(case, Function):
        return case.large(SIDE)
    return (SIZE,)


def label(value):
    return "-".join(f"{key}={v}" for key, v in value.items()) or "default" if isinstance(value, dict) else None


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("isa", backend.core.isas())
@pytest.mark.parametrize(("name", "options"), [(name, o) for name in CASES for o in variants(name)], ids=label)
def test_kernel(benchmark, name, options, isa, dtype):
    case = CASES[name]
    sizes = sizes_of(case)
    arrays = case.draw(np.random.default_rng(0), sizes, dtype, options)
    arguments = options | arrays
    call = case.call if isinstance(case, Function) else lambda module, name, arguments: getattr(module, name)(**arguments)
    before = backend.core.isa()
    backend.core.use_isa(isa)
    race = Race(
        {
            "kernel": lambda: call(kernels, name, arguments),
            "definition": lambda: call(reference, name, arguments),
        },
        seconds=0.004,
    )
    benchmark.group = f"{name} {np.dtype(dtype)}"
    benchmark.pedantic(lambda: race.batch("kernel"), setup=lambda: race.batch("definition") and None, rounds=7)
    medians = race.medians()
    backend.core.use_isa(before)
    given = [a for a in arrays.values() if isinstance(a, np.ndarray)]
    elements = max(a.size for a in given)
    flops = case.flops(sizes) if callable(case.flops) else case.flops * SIZE
    benchmark.extra_info.update(
        ns_per_element=medians["kernel"] / elements * 1e9,
        gigaflops=flops / medians["kernel"] / 1e9,
        gigabytes_in_reach_per_second=sum(a.nbytes for a in given) / medians["kernel"] / 1e9,
        over_definition=medians["definition"] / medians["kernel"],
    )
