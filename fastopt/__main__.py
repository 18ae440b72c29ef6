"""The command line: fastopt info | demo | example | bench, also as python -m fastopt."""

import argparse
import sys

from . import demo, examples, info
from .version import __version__

EXIT_CODES = "exit codes: 0 all is well, 1 a check failed, 2 the command line was not understood or names what is not there"


def print_info():
    """fastopt.info() as aligned lines."""
    facts = info()
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:{width}}  {', '.join(value) or 'none' if isinstance(value, list) else value}")
    return 0


def parser():
    top = argparse.ArgumentParser(
        prog="fastopt", description="Optimizer steps and small neural networks for NumPy arrays, compiled.", epilog=EXIT_CODES
    )
    top.add_argument("--version", action="version", version=f"fastopt {__version__}")
    commands = top.add_subparsers(dest="command", metavar="command", required=True)
    for name, short, description in (
        ("info", "show what runs here: backend, CPU target, threads", "Shows what runs here; include it in reports of problems."),
        (
            "demo",
            "train on handwritten digits with every optimizer, in NumPy and compiled; fit a line; train a model",
            demo.__doc__,
        ),
        ("example", "run one of the examples, or list them", "Runs one of the examples, or lists them."),
    ):
        command = commands.add_parser(name, help=short, description=description, epilog=EXIT_CODES)
        if name == "demo":
            demo.add_arguments(command)
        if name == "example":
            examples.add_arguments(command)
    commands.add_parser("bench", add_help=False, help="measure on this machine; fastopt bench --help shows the options")
    return top


def main(argv=None):
    """Runs the command in argv, by default this process's, and returns the exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv[:1] == ["bench"]:  # parses what follows itself
        from .bench import main as bench

        return bench(argv[1:])
    arguments = parser().parse_args(argv)
    if arguments.command == "info":
        return print_info()
    return (demo if arguments.command == "demo" else examples).run(arguments)


if __name__ == "__main__":
    sys.exit(main())
