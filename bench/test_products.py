"""Matrix products: the grid against NumPy's matmul, and 1024^3 against the FMA peak of the same run.

pytest bench/test_products.py --benchmark-json=results.json && python bench/table.py results.json
"""

import statistics
import time

import pytest

import fastopt
from fastopt import backend
from fastopt.bench import Race
from fastopt.bench.products import CUBES, GRID


@pytest.mark.parametrize("cell", GRID, ids=lambda cell: cell.id)
def test_cell(benchmark, cell):
    race = Race(cell.contestants(), seconds=0.02, pause=cell.pause)
    benchmark.group = f"{cell.table}, k = {cell.k}"
    benchmark.pedantic(lambda: race.batch("fastopt"), setup=lambda: race.batch("NumPy") and None, rounds=3)
    benchmark.extra_info.update(cell=cell.id, seconds=race.medians(), machine=fastopt.info())


@pytest.mark.parametrize("cell", CUBES, ids=lambda cell: cell.id)
def test_peak(benchmark, cell):
    race = Race(cell.contestants(), cell.seconds, cell.pause)
    benchmark.group = "FMA peak"
    peaks = []

    def others():
        time.sleep(cell.pause)
        peaks.append(backend.core.fma_peak(cell.dtype))
        race.batch("NumPy")

    benchmark.pedantic(lambda: race.batch("fastopt"), setup=others, rounds=15, warmup_rounds=1)
    benchmark.extra_info.update(cube=cell.id, seconds=race.medians(), peak=statistics.median(peaks), machine=fastopt.info())
