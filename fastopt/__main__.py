"""The command line: fastopt info | check | demo | example | bench, also as python -m fastopt."""

import argparse
import sys

from . import demo, examples, info, threads
from ._info import lines
from .version import __version__

EXIT_CODES = "exit codes: 0 all is well, 1 a check failed, 2 the command line was not understood or names what is not there"


def print_info():
    """fastopt.info() as aligned lines."""
    print("\n".join(lines(info())))
    return 0


def add_check_arguments(command):
    command.add_argument("names", nargs="*", metavar="kernel", help="kernels to try (default: all)")
    command.add_argument("--quick", action="store_true", help="a few options and sizes of each, in seconds instead of minutes")
    command.add_argument("--targets", metavar="A,B,...", type=lambda text: text.split(","), help="CPU targets (default: all)")
    command.add_argument("--threads", metavar="N,M,...", type=_counts, help="numbers of threads (default: 1, 2, 3 and all)")
    command.add_argument("--seed", metavar="S", type=int, default=0, help="of the inputs (default: %(default)s)")


def _counts(text):
    counts = [int(part) if part.isdecimal() else 0 for part in text.split(",")]
    if not all(1 <= count <= threads.MOST for count in counts):
        raise argparse.ArgumentTypeError(f"expected integers from 1 to {threads.MOST}, got {text!r}")
    return counts


def run_check(arguments):
    """fastopt.testing.check; 1 where something differs."""
    from .testing import check

    try:
        return 1 if check(arguments.names or None, quick=arguments.quick, targets=arguments.targets,
                          num_threads=arguments.threads, seed=arguments.seed) else 0  # fmt: skip
    except (ValueError, RuntimeError) as error:
        print(f"fastopt: {error}", file=sys.stderr)
        return 2


def parser():
    top = argparse.ArgumentParser(
        prog="fastopt", description="Optimizer steps and small neural networks for NumPy arrays, compiled.", epilog=EXIT_CODES
    )
    top.add_argument("--version", action="version", version=f"fastopt {__version__}")
    commands = top.add_subparsers(dest="command", metavar="command", required=True)
    for name, short, description in (
        ("info", "show what runs here: backend, CPU target, threads", "Shows what runs here; include it in reports of problems."),
        (
            "check",
            "hold every kernel to its definition on this machine",
            "Holds every kernel to its NumPy definition on this machine, on each CPU target, and says what differs; attach it to a "
            "report.",
        ),
        (
            "demo",
            "train on handwritten digits with every optimizer, in NumPy and compiled; fit a line; train a model",
            demo.__doc__,
        ),
        ("example", "run one of the examples, or list them", "Runs one of the examples, or lists them."),
    ):
        command = commands.add_parser(name, help=short, description=description, epilog=EXIT_CODES)
        if name == "check":
            add_check_arguments(command)
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
    if arguments.command == "check":
        return run_check(arguments)
    return (demo if arguments.command == "demo" else examples).run(arguments)


if __name__ == "__main__":
    sys.exit(main())
