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
    """What runs here, as a dict: version, backend, path, isa, isas, num_threads and more; see fastopt.info's source for all."""
    from ._info import info

    return info()


if not TYPE_CHECKING:  # else every name would be one of these to a checker

    def __getattr__(name):
        if name in _LAZY:
            return importlib.import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted(__all__)
