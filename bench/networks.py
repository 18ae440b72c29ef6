"""The texts of the README on networks and on matrix products."""

import math

from cells import against, against_torch, held, line, ratio, table

from fastopt.bench import NETWORKS, human
from fastopt.bench.memory import NETWORK, needed
from fastopt.bench.products import CUBES, GRID

GOAL = 0.9  # of each product of the grid


def networks(results):
    """{name of a table: its text}: what a training step and a prediction take."""
    rows = [row for row in NETWORKS if row.id in results]
    lines = {name: [] for name in dict.fromkeys(row.table for row in rows)}
    for row in rows:
        seconds = results[row.id]
        mine = human(seconds["fastopt"])
        if under := getattr(row, "under", None):
            mine = held(mine, f"under {human(under)}", seconds["fastopt"] < under)
        cells = [row.workload, mine, *against_torch(seconds, row.goal), *against(seconds, "scikit-learn", row.over_sklearn)]
        for name in ("Keras on torch", "NumPy"):
            cells += against(seconds, name)
        lines[row.table].append(line(cells))
    head = table("network", "fastopt", "torch, its best", "which", "ratio", "scikit-learn", "ratio", "Keras on torch", "ratio",
                 "NumPy", "ratio")  # fmt: skip
    return {name: "\n".join([head, *rows]) for name, rows in lines.items()}


def products(runs):
    """1024^3 beside the FMA peak; the grid in numbers."""
    texts = {}
    cubes = {run["cube"]: run for run in runs if "cube" in run}
    lines = [table("product", "FMA peak", "fastopt", "of the peak", "NumPy", "of the peak")]
    for cube in CUBES:
        if run := cubes.get(cube.id):
            rate = {name: cube.flops / seconds for name, seconds in run["seconds"].items()}
            share = {name: f"{r / run['peak']:.0%}" for name, r in rate.items()}
            mine = held(share["fastopt"], "85%", rate["fastopt"] >= 0.85 * run["peak"])
            speeds = [f"{r / 1e9:.0f} GFLOP/s" for r in (run["peak"], rate["fastopt"], rate["NumPy"])]
            lines.append(line([cube.workload, *speeds[:2], mine, speeds[2], share["NumPy"]]))
    if len(lines) > 1:
        texts["FMA peak"] = "\n".join(lines)
    seconds = {run["cell"]: run["seconds"] for run in runs if "cell" in run}
    ratios = {(c.m, c.k, c.n): seconds[c.id]["NumPy"] / seconds[c.id]["fastopt"] for c in GRID if c.id in seconds}
    if len(ratios) == len(GRID):
        mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
        worst, under = min(ratios, key=ratios.get), sum(r < GOAL for r in ratios.values())
        texts["Products"] = (
            f"Over the {len(ratios)} products: geometric mean {ratio(mean, 1.1)}; worst {ratio(ratios[worst], GOAL)}, at "
            f"{'x'.join(map(str, worst))}; {under or 'none'} under x{GOAL}."
        )
    return texts


def memory(runs):
    """The peak of a training step beside what it cannot do without."""
    peaks = next((run["memory"] for run in runs if "memory" in run), None)
    if peaks is None:
        return {}
    least = needed(NETWORK)
    beside = peaks["fastopt"] / least - 1
    text = (
        f"A training step of {NETWORK.workload} takes {peaks['fastopt'] / 1e6:.0f} MB at its peak: {least / 1e6:.0f} MB of "
        "parameters, gradients, Adam's two moments and the layers' outputs, and "
        f"{held(f'{beside:.1%}', 'under 10%', beside < 0.1)} beside."
    )
    if "torch" in peaks:
        text += f" torch's takes {peaks['torch'] / 1e6:.0f} MB."
    return {"Memory": text}
