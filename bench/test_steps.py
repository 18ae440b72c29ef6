"""The tables of the README: each row of fastopt.bench raced against its peers; pytest-benchmark times fastopt's batches.

    pytest bench --benchmark-json=results.json && python bench/table.py results.json

Before each timed round of ours every peer is timed, too, so that all see the same machine.
"""

import statistics

import pytest

import fastopt
from fastopt.bench import NETWORKS, ROWS, Race

ROUNDS = 11


@pytest.mark.parametrize("row", [*ROWS, *NETWORKS], ids=lambda row: row.id)
def test_row(benchmark, row):
    race = Race(row.contestants(), row.seconds, row.pause)
    rivals = [name for name in race.contestants if name != "fastopt"]
    benchmark.group = row.table

    def others():
        for name in rivals:
            race.batch(name)

    benchmark.pedantic(lambda: race.batch("fastopt"), setup=others, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info.update(
        row=row.id, seconds=race.medians(), rounds={n: len(t) for n, t in race.times.items()}, machine=fastopt.info()
    )
    assert statistics.median(race.times["fastopt"]) > 0
