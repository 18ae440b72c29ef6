"""Lessons of about a page each, to read and to run: fastopt example NAME. A module has what it does in its main()."""

import argparse
import difflib
import importlib
import inspect
import sys
from pathlib import Path

from ..arguments import at_least
from .sources import Unusable

EXAMPLES = {
    "autoencoder": "images through a narrow layer and back; a picture of originals over reconstructions",
    "classifier": "digits read by a softmax, with early stopping; the confusion matrix",
    "regression": "a number from a table, by a small network and by least squares; the learning curves",
    "mlp_by_hand": "a perceptron for exclusive or, by the kernels alone, with its loss and gradient written out",
    "sequence_classifier": "digits read row by row, with a softmax after each",
    "sentiment": "praise or blame in reviews of films, by an LSTM, padded or ragged",
    "toy_text": "four sentences, from words to integers to a probability",
    "character_model": "an LSTM that foretells the next character of a text, and then writes",
    "forecast": "the next day of a series by the hour, by a GRU, against the last value kept",
}


def add_arguments(parser):
    def add(option, metavar, kind, words):
        parser.add_argument(option, metavar=metavar, type=kind, default=argparse.SUPPRESS, help=words)

    parser.add_argument("name", nargs="?", type=_name, metavar="NAME", help=f"one of {', '.join(EXAMPLES)}; without it, lists them")
    add("--data", "DIR", str, "folder of data sets (default: the variable FASTOPT_DATA; without one, what comes with fastopt)")
    add("--epochs", "N", at_least(1), "passes over the data (default: the example's)")
    add("--seed", "S", at_least(0), "of all that is random (default: 0)")
    add("--output", "DIR", str, "folder for the picture, made if need be (default: the current one)")
    add("--samples", "N", at_least(10), "at most so many reviews, images, hours or characters (default: all that there are)")
    parser.add_argument("--ragged", action="store_true", default=argparse.SUPPRESS, help="sentiment: without padding")


def run(arguments):
    """Runs the example named, or lists them all; the exit code."""
    options = dict(vars(arguments))
    name = options.pop("name")
    options.pop("command", None)
    if name is None:
        for name, words in EXAMPLES.items():
            print(f"{name:20} {words}")
        print(
            "\nfastopt example NAME runs one, fastopt example --help shows the options. The lessons themselves:\n"
            + str(Path(__file__).parent)
        )
        return 0
    main = importlib.import_module(f".{name}", __name__).main
    unknown = [option for option in options if option not in inspect.signature(main).parameters]
    if unknown:
        print(f"fastopt example {name}: --{unknown[0]} is for other examples", file=sys.stderr)
        return 2
    try:
        Path(options.get("output", ".")).mkdir(parents=True, exist_ok=True)  # before the work, not after it
    except OSError as error:
        print(f"fastopt example: --output: {error}", file=sys.stderr)
        return 2
    try:
        main(**options)
    except Unusable as error:
        print(f"fastopt example {name}: {error}", file=sys.stderr)
        return 2
    return 0


def _name(text):
    if text not in EXAMPLES:
        near = difflib.get_close_matches(text.lower().replace("-", "_"), EXAMPLES, 1, 0.0)
        raise argparse.ArgumentTypeError(f"no example {text!r}, nearest known: {near[0]!r}; there are {', '.join(EXAMPLES)}")
    return text
