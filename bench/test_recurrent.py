"""Recurrent layers against torch, and beside the FMA peak of the same run; a network of one.

pytest bench/test_recurrent.py --benchmark-json=results.json && python bench/table.py results.json
"""

import statistics

import pytest

import fastopt
from fastopt import backend
from fastopt.bench import RECURRENT, SENTIMENT, Race


@pytest.mark.parametrize("row", [*RECURRENT, *SENTIMENT], ids=lambda row: row.id)
def test_layer(benchmark, row):
    race = Race(row.contestants(), row.seconds, row.pause)
    rivals = [name for name in race.contestants if name != "fastopt"]
    benchmark.group = row.table
    peaks = []

    def others():
        peaks.append(backend.core.fma_peak("float32"))
        for name in rivals:
            race.batch(name)

    benchmark.pedantic(lambda: race.batch("fastopt"), setup=others, rounds=11, warmup_rounds=1)
    benchmark.extra_info.update(layer=row.id, seconds=race.medians(), peak=statistics.median(peaks), machine=fastopt.info())
