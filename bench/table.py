"""Turns the results of `pytest bench --benchmark-json=FILE` into the texts of the README, between its markers.

python bench/table.py FILE

What is not in the file stays as it is.
"""

import re
import sys
from pathlib import Path

from cells import against, against_torch, line, ratio, table
from networks import memory, networks, products
from recurrent import recurrent
from results import machine, read

from fastopt.bench import ROWS, human
from fastopt.bench.workloads import bytes_per_parameter

README = Path(__file__).parent.parent / "README.md"


def optimizers(results):
    """{name of a table: its text}: what each needs a step, and how often fastopt fits into it."""
    texts = {}
    for name in dict.fromkeys(row.table for row in ROWS if row.table != "Subnormal moments"):
        lines = [table("parameters", "fastopt", "torch, its best", "which", "ratio", "NumPy", "ratio")]
        for row in ROWS:
            if row.table == name and row.id in results:
                seconds = results[row.id]
                label = row.workload if name not in ("Unfused in torch", "Others") else f"{row.optimizer}, {row.workload}"
                cells = [label, human(seconds["fastopt"]), *against_torch(seconds, row.goal)]
                lines.append(line(cells + against(seconds, "NumPy", row.over_numpy)))
        if len(lines) > 1:
            texts[name] = "\n".join(lines)
    return texts


def bandwidth(results):
    """Adam over thirty million parameters beside a triad that moves as many bytes."""
    row = next(row for row in ROWS if row.table == "Adam" and row.parameters == 30_000_000)
    if row.id not in results:
        return {}
    seconds = results[row.id]
    moved = row.parameters * bytes_per_parameter("Adam")
    limit = min(seconds[name] for name in seconds if "triad" in name)
    text = (
        f"Adam over 30 million parameters moves {moved / 1e6:.0f} MB a step: {moved / seconds['fastopt'] / 1e9:.1f} GB/s, "
        f"{limit / seconds['fastopt']:.0%} of the {moved / limit / 1e9:.1f} GB/s that the better of two triads of the same "
        "traffic reached in the same run."
    )
    return {"bandwidth": text}


def subnormals(results):
    """What numbers below the smallest normal one cost, and what flushing them saves."""
    seconds = next((seconds for name, seconds in results.items() if name.startswith("Subnormal moments")), None)
    if seconds is None:
        return {}
    flushed, kept = seconds["fastopt"], seconds["subnormals kept"]
    text = (
        f"Adam over 10,000 parameters whose moments have decayed to subnormal numbers takes {human(kept)} a step here, and "
        f"{human(flushed)} with `flush_subnormals=True` ({ratio(kept / flushed)})."
    )
    return {"subnormals": text}


def main(path):
    runs = read(path)
    results = {run["row"]: run["seconds"] for run in runs if "row" in run}
    texts = optimizers(results) | networks(results) | recurrent(runs) | products(runs) | memory(runs)
    texts |= bandwidth(results) | subnormals(results) | {"machine": f"Measured with {machine(runs)}."}
    readme = README.read_text()
    for name, text in texts.items():
        readme, found = re.subn(
            rf"(<!-- bench: {name} -->\n).*?(<!-- end -->)", lambda m, t=text: m[1] + t + "\n" + m[2], readme, flags=re.DOTALL
        )
        print(name if found else f"{name}: no marker in the README")
    README.write_text(readme)


if __name__ == "__main__":
    main(sys.argv[1])
