"""What runs here: everything that a report of a problem should contain."""

import os
import platform
import sys

from . import backend, threads
from .version import __version__


def info():
    """A dict: version, backend, path of the module that computes, isa (CPU target in use), isas (all that run here), openmp,
    num_threads, region_ns (cost of a parallel region), cpus, python, numpy, platform, and what seems wrong (warnings)."""
    import numpy

    core = backend.core
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    warnings = []
    if cpus == 1 and (os.cpu_count() or 1) > 1 and os.environ.get("OMP_PROC_BIND", "false").lower() not in ("", "false"):
        warnings.append("OMP_PROC_BIND pins this process to one processor: another library's OpenMP did so when it was loaded")
    return {
        "version": __version__,
        "backend": backend.NAME,
        "path": core.__file__,
        "isa": core.isa(),
        "isas": core.isas(),
        "openmp": core.has_openmp(),
        "num_threads": threads.get_num_threads(),
        "region_ns": round(core.region_nanoseconds()),
        "cpus": cpus,
        "python": sys.version.split()[0],
        "numpy": numpy.__version__,
        "platform": platform.platform(),
        "warnings": warnings,
    }
