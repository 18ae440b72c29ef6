"""What `pytest bench --benchmark-json=FILE` wrote, as the tables and the pictures read it."""

import json
from pathlib import Path


def read(path):
    """What each row noted: {"row", "layer", "cell" or "cube": its name, "seconds": {contestant: median}, "machine": ...}."""
    runs = [benchmark["extra_info"] for benchmark in json.loads(Path(path).read_text())["benchmarks"]]
    runs = [run for run in runs if "machine" in run]
    if not runs:
        raise SystemExit(f"{path}: no row of fastopt's benchmarks in it; `pytest bench --benchmark-json={path}` writes one")
    return runs


def by_name(runs, kind):
    """{name: run} of those rows that are named under `kind`."""
    return {run[kind]: run for run in runs if kind in run}


def machine(runs, form="fastopt {version} ({isa}, {num_threads} threads) on {platform}, Python {python}, NumPy {numpy}"):
    """Where it was measured."""
    return form.format(**runs[0]["machine"])
