"""Draws the results of `pytest bench --benchmark-json=FILE`: the pictures of the README, beside this file.

python bench/plot.py FILE [FOLDER]

A picture shows what is in the file, and says what is not; one of which nothing is there stays as it is. Wants matplotlib.
"""

import sys
from pathlib import Path

from drawings import networks, optimizers, recurrent
from grid import picture
from results import by_name, read

from fastopt.bench.products import GRID

SHOWN = 5  # of the rows that are missing


def products(runs):
    """The grid of products, which is drawn whole or not at all."""
    results = by_name(runs, "cell")
    missing = [cell for cell in GRID if cell.id not in results]
    if missing:
        return None, missing
    seconds = {(c.m, c.k, c.n): results[c.id]["seconds"] for c in GRID}
    return picture({size: s["NumPy"] / s["fastopt"] for size, s in seconds.items()}), []


PICTURES = {"optimizers": optimizers, "recurrent": recurrent, "networks": networks, "gemm_grid": products}


def main(file, folder=Path(__file__).parent):
    runs = read(file)
    for name, draw in PICTURES.items():
        path = Path(folder) / f"{name}.svg"
        picture, missing = draw(runs)
        if picture is not None:
            path.write_text(picture)
        state = "left as it is" if picture is None else "drawn"
        print(f"{path.name}: {state}" + "".join(f"\n    not in {file}: {row.id}" for row in missing[:SHOWN])
              + (f"\n    and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
