"""Turns the results of `pytest bench --benchmark-json=FILE` into the tables of the README, between its markers.

python bench/table.py FILE
"""

import json
import re
import sys
from pathlib import Path

from fastopt.bench import ROWS, best_torch, human
from fastopt.bench.workloads import bytes_per_parameter

README = Path(__file__).parent.parent / "README.md"


def ratio(value, goal=None):
    """A ratio, marked where it misses its goal."""
    text = f"x{value:.1f}" if value >= 10 else f"x{value:.2f}"
    return text if goal is None else f"{text} (goal x{goal:g})" if value >= goal else f"**{text}** (goal x{goal:g}, missed)"


def line(row, seconds):
    """One row of a table: what each needs a step, and how often fastopt fits into it."""
    mine, torch = seconds["fastopt"], best_torch(seconds)
    cells = [row.workload if row.table not in ("Unfused in torch", "Others") else f"{row.optimizer}, {row.workload}", human(mine)]
    cells += [human(torch[1]), torch[0].removeprefix("torch "), ratio(torch[1] / mine, row.goal)] if torch else ["", "", ""]
    cells += [human(seconds["NumPy"]), ratio(seconds["NumPy"] / mine, row.over_numpy)] if "NumPy" in seconds else ["", ""]
    return "| " + " | ".join(cells) + " |"


def tables(results):
    """{name of a table: its text}."""
    texts = {}
    for name in dict.fromkeys(row.table for row in ROWS if row.table != "Subnormal moments"):
        rows = [row for row in ROWS if row.table == name and row.id in results]
        head = ["| parameters | fastopt | torch, its best | which | ratio | NumPy | ratio |", "| --- " * 7 + "|"]
        texts[name] = "\n".join(head + [line(row, results[row.id]) for row in rows])
    return texts


def bandwidth(results):
    """Adam over thirty million parameters beside a triad that moves as many bytes."""
    row = next(row for row in ROWS if row.table == "Adam" and row.parameters == 30_000_000)
    seconds = results[row.id]
    moved = row.parameters * bytes_per_parameter("Adam")
    limit = min(seconds[name] for name in seconds if "triad" in name)
    return (
        f"Adam over 30 million parameters moves {moved / 1e6:.0f} MB a step: {moved / seconds['fastopt'] / 1e9:.1f} GB/s, "
        f"{limit / seconds['fastopt']:.0%} of the {moved / limit / 1e9:.1f} GB/s that the better of two triads of the same "
        "traffic reached in the same run."
    )


def subnormals(results):
    """What numbers below the smallest normal one cost, and what flushing them saves."""
    seconds = next(seconds for name, seconds in results.items() if name.startswith("Subnormal moments"))
    flushed, kept = seconds["fastopt"], seconds["subnormals kept"]
    return (
        f"Adam over 10,000 parameters whose moments have decayed to subnormal numbers takes {human(kept)} a step here, and "
        f"{human(flushed)} with `flush_subnormals=True` ({ratio(kept / flushed)})."
    )


def main(path):
    benchmarks = json.loads(Path(path).read_text())["benchmarks"]
    runs = [b["extra_info"] for b in benchmarks if "row" in b["extra_info"]]
    results = {run["row"]: run["seconds"] for run in runs}
    machine = (
        "Measured with fastopt {version} ({isa}, {num_threads} threads) on {platform}, Python {python}, NumPy {numpy}.".format(
            **runs[0]["machine"]
        )
    )
    texts = tables(results) | {"bandwidth": bandwidth(results), "subnormals": subnormals(results), "machine": machine}
    readme = README.read_text()
    for name, text in texts.items():
        readme, found = re.subn(
            rf"(<!-- bench: {name} -->\n).*?(<!-- end -->)", lambda m, t=text: m[1] + t + "\n" + m[2], readme, flags=re.DOTALL
        )
        print(name if found else f"{name}: no marker in the README")
    README.write_text(readme)


if __name__ == "__main__":
    main(sys.argv[1])
