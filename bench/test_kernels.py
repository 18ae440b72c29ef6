"""Every kernel of CASES on every CPU target: nanoseconds an element from cache, beside the definition in NumPy.

pytest bench/test_kernels.py
"""

import numpy as np
import pytest

from fastopt import backend, kernels, reference
from fastopt.bench import Race
from fastopt.testing import CASES

SIZE = 30_000  # a parameter, its gradient and its states stay in the second-level cache


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("isa", backend.core.isas())
@pytest.mark.parametrize("name", CASES)
def test_kernel(benchmark, name, isa, dtype):
    case = CASES[name]
    options = case.options()[0]
    arrays = case.draw(np.random.default_rng(0), (SIZE,), dtype, options)
    before = backend.core.isa()
    backend.core.use_isa(isa)
    race = Race(
        {
            "kernel": lambda: getattr(kernels, name)(**arrays, **options),
            "definition": lambda: getattr(reference, name)(**arrays, **options),
        },
        seconds=0.004,
    )
    benchmark.group = f"{name} {np.dtype(dtype)}"
    benchmark.pedantic(lambda: race.batch("kernel"), setup=lambda: race.batch("definition") and None, rounds=7)
    medians = race.medians()
    backend.core.use_isa(before)
    moved = SIZE * np.dtype(dtype).itemsize * sum(a is not None for a in arrays.values())
    benchmark.extra_info.update(
        ns_per_element=medians["kernel"] / SIZE * 1e9,
        gigaflops=case.flops * SIZE / medians["kernel"] / 1e9,
        gigabytes_in_reach_per_second=moved / medians["kernel"] / 1e9,
        over_definition=medians["definition"] / medians["kernel"],
    )
