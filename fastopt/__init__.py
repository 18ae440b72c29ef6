"""fastopt: optimizer steps and small neural networks for NumPy arrays, compiled."""

import importlib
from typing import TYPE_CHECKING, Any

from .optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, NAdam, RAdam, RMSprop, Rprop, schedules
from .threads import get_num_threads, num_threads, set_num_threads
from .version import __version__

if TYPE_CHECKING:
    from . import data, kernels, nn, optim, reference, testing

_LAZY = ("data", "kernels", "nn", "optim", "reference", "testing")  # loaded when first touched

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "NAdam", "RAdam", "RMSprop", "Rprop", "__version__",
           "data", "get_num_threads", "info", "kernels", "nn", "num_threads", "optim", "reference", "schedules", "set_num_threads",
           "testing"]  # fmt: skip


def info() -> dict[str, Any]:
    """What runs here, as a dict that json can write; `fastopt info` prints it, for reports of problems.

    version; backend, compiled or reference; path of the module that computes; installed: from what, by what, as which wheel.
    isa: the CPU target in use; isas: all that run here, best first; openmp: whether the build has it; num_threads: of a large call;
    region_ns: cost of a parallel region; cpus: processors that this process may use; cpus_of_machine; cpu_quota: what its control
    group grants, in processors, or None; runtimes: libraries loaded in this process that have threads, {file: OpenMP's number}.
    python, implementation, numpy, blas (NumPy's); compiler, flags and cython of the build; platform, libc, machine, cpu,
    cpu_features, caches; floating_point: rounding, subnormals, and what NumPy does on errors; environment: the variables that
    matter (of one with a path only that it is set); warnings: a list of what seems wrong.
    """
    from ._info import info

    return info()


if not TYPE_CHECKING:  # else every name would be one of these to a checker

    def __getattr__(name):
        if name in _LAZY:
            return importlib.import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted(__all__)
