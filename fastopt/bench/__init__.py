"""`fastopt bench`: measures steps of optimizers and networks, recurrent layers, and a product, on the user's machine, against NumPy
and whatever else is installed, interleaved."""

import argparse
import json

from .. import _info
from .networks import NETWORKS
from .products import CUBES
from .race import Race
from .recurrent import RECURRENT
from .rows import ROWS
from .sentiment import SENTIMENT

__all__ = ["NETWORKS", "RECURRENT", "ROWS", "SENTIMENT", "Race", "best_torch", "human", "main", "measure"]


def measure(row, rounds=9):
    """Medians of one row, seconds a step by contestant."""
    return Race(row.contestants(), row.seconds, row.pause).run(rounds)


def best_torch(medians):
    """(name, seconds) of the fastest torch, or None."""
    torches = {name: t for name, t in medians.items() if name.startswith("torch") and "triad" not in name}
    return min(torches.items(), key=lambda item: item[1]) if torches else None


def human(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def main(argv=None):
    """The command: prints a line a row, writes everything to a file with --json."""
    parser = argparse.ArgumentParser(prog="fastopt bench", description=__doc__)
    parser.add_argument("pattern", nargs="?", default="", help="only rows whose name contains this, as 'Adam' or '30 million'")
    parser.add_argument("--rounds", type=int, default=9, help="timed rounds of each contestant (default 9)")
    parser.add_argument("--list", action="store_true", help="only list the rows")
    parser.add_argument("--json", metavar="FILE", help="write all medians, in seconds, to FILE")
    args = parser.parse_args(argv)
    rows = [row for row in (*ROWS, *NETWORKS, *RECURRENT, *SENTIMENT, *CUBES) if args.pattern.lower() in row.id.lower()]
    if not rows:
        parser.error(f"no row's name contains {args.pattern!r}; --list shows them")
    if args.list:
        print("\n".join(row.id for row in rows))
        return 0
    info, results = _info.info(), {}
    print("fastopt {version}, {isa}, {num_threads} threads, {platform}".format(**info))
    for row in rows:
        medians = results[row.id] = measure(row, args.rounds)
        mine, others = medians["fastopt"], {name: t for name, t in medians.items() if name != "fastopt"}
        print(
            f"{row.id:58} {human(mine):>8}   " + "   ".join(f"{name} {human(t)} (x{t / mine:.2f})" for name, t in others.items()),
            flush=True,
        )
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"info": info, "seconds": results}, file, indent=1)
    return 0
