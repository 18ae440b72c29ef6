"""Trains a small network on handwritten digits with every optimizer, stepping in NumPy and compiled, and checks that both lead
to the same weights; then fits a line with the five classical methods and checks their slopes against least squares; and last
trains the network as a model of fastopt.nn, beside the same training in plain NumPy."""

import argparse
import sys

from .. import backend
from .._info import info
from ..arguments import at_least
from . import digits, line


def add_arguments(parser):
    def add(option, metavar, kind, default, words):
        parser.add_argument(option, metavar=metavar, type=kind, default=default, help=words)

    known = list(digits.OPTIMIZERS)
    add("--epochs", "N", at_least(1), 20, "passes over the digits (default: %(default)s)")
    add("--optimizers", "A,B,...", _names, known, f"some of {', '.join(known)} (default: all)")
    add("--seed", "S", at_least(0), 0, "of all that is random (default: %(default)s)")


def run(arguments):
    """Prints the three parts and returns the exit code: 1 if a check failed, with the reasons on stderr."""
    from . import network  # loads the layers, which other commands do without

    facts = info()
    print(f"fastopt {facts['version']}, backend {facts['backend']}, CPU target {facts['isa']}, threads {facts['num_threads']}")
    compiled = backend.NAME == "compiled"
    failures = digits.run(arguments.optimizers, arguments.epochs, arguments.seed, compiled) + line.run(arguments.seed)
    failures += network.run(arguments.epochs, arguments.seed, compiled)
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    if not failures:
        print("\nAll checks passed.")
    return 1 if failures else 0


def _names(text):
    names = [name.strip() for name in text.lower().split(",")]
    for name in names:
        if name not in digits.OPTIMIZERS:
            raise argparse.ArgumentTypeError(f"no optimizer {name!r}; there are {', '.join(digits.OPTIMIZERS)}")
    return names
