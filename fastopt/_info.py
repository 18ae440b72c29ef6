"""What runs here: everything that a report of a problem should contain, and nothing private."""

import ctypes
import importlib.metadata
import json
import os
import platform
import re
import sys
from pathlib import Path

from . import backend, threads
from .version import __version__

VARIABLES = re.compile(r"(FASTOPT|OMP|GOMP|KMP|LIBOMP|MKL|OPENBLAS|BLIS|VECLIB|NPY|NUMEXPR)_\w+|GLIBC_TUNABLES|LD_PRELOAD")
RUNTIMES = re.compile(r"lib(?:gomp|omp|iomp5|\w*openblas\w*|mkl_rt|mkl_core|blis)[-.\d][^/]*")
VECTORS = re.compile(r"sse|ssse|avx|fma|f16c|amx|neon|asimd|sve|vsx|lsx|lasx|rvv|vx", re.I)  # CPU features of arithmetic


def info():
    """A dict of strings, numbers, lists and dicts of them: what fastopt.info documents."""
    import numpy

    core = backend.core
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = threads._quota()
    built = core.build()
    return {
        "version": __version__,
        "backend": backend.NAME,
        "path": core.__file__,
        "installed": _installed(),
        "isa": core.isa(),
        "isas": core.isas(),
        "openmp": core.has_openmp(),
        "num_threads": threads.get_num_threads(),
        "region_ns": round(core.region_nanoseconds()),
        "cpus": cpus,
        "cpus_of_machine": os.cpu_count(),
        "cpu_quota": None if quota == float("inf") else quota,
        "runtimes": _runtimes(),
        "python": sys.version.split()[0],
        "implementation": f"{platform.python_implementation()}, {platform.python_compiler()}, {sys.maxsize.bit_length() + 1} bits"
        + ("" if getattr(sys, "_is_gil_enabled", lambda: True)() else ", without GIL"),
        "numpy": numpy.__version__,
        "blas": _blas(numpy),
        "compiler": built.get("compiler", "unknown"),
        "flags": built.get("flags", "unknown"),
        "cython": built.get("cython", "unknown"),
        "platform": platform.platform(),
        "libc": " ".join(filter(None, platform.libc_ver())) or "unknown",
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cpu_features": _features(),
        "caches": _caches(),
        "floating_point": _floating_point(numpy),
        "environment": _environment(),
        "warnings": _warnings(cpus),
    }


def _installed():
    """By what, from what, as which wheel; a link names its kind only, as it may hold a folder of the user's."""
    try:
        found = importlib.metadata.distribution("fastopt")
        if not Path(str(found.locate_file("fastopt"))).samefile(Path(__file__).parent):
            return "no: these are its sources"
        link = json.loads(found.read_text("direct_url.json") or "{}")
        kind = "a package index" if not link else "a folder" if "dir_info" in link else next(iter(link.keys() - {"url"}), "a file")
        kind = {"archive_info": "a file", "vcs_info": "a version control system"}.get(kind, kind)
        tags = re.findall(r"^Tag: (.*)$", found.read_text("WHEEL") or "", re.M)
        editable = ", editable" if link.get("dir_info", {}).get("editable") else ""
        return f"from {kind}{editable} by {(found.read_text('INSTALLER') or 'unknown').strip()}, {', '.join(tags) or 'no wheel'}"
    except (OSError, ValueError, importlib.metadata.PackageNotFoundError):
        return "no: these are its sources"


def _runtimes():
    """Libraries with threads of their own that are loaded in this process: {file name: threads that OpenMP would start in it}."""
    found = {}
    for line in _lines("/proc/self/maps"):
        path = line[line.find("/") :] if "/" in line else ""
        name = path.rpartition("/")[2]
        if RUNTIMES.fullmatch(name) and name not in found:
            try:
                found[name] = ctypes.CDLL(path, os.RTLD_NOLOAD | os.RTLD_NOW).omp_get_max_threads()
            except (OSError, AttributeError):
                found[name] = None  # threads of another kind
    return found


def _blas(numpy):
    """What numpy.dot calls."""
    try:
        blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{blas['name']} {blas.get('version', '')}".strip()
    except (KeyError, TypeError, AttributeError):
        return "unknown"


def _cpu():
    """The name of the processor."""
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Processor", "cpu model", "cpu"):
            return value.strip()
    return platform.processor() or "unknown"


def _features():
    """Those of its instruction sets that NumPy found and that matter here."""
    try:
        features = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__  # it has no types
    except (ImportError, AttributeError):
        return []
    return sorted(name for name, there in features.items() if there and VECTORS.match(name))


def _caches():
    """{"L1 data": "32K", ...} of the first processor."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ("".join(_lines(folder / name)).strip() for name in ("level", "type", "size"))
        if size:
            found[f"L{level}" + ("" if kind == "Unified" else f" {kind.lower()}")] = size
    return found


def _floating_point(numpy):
    """The state of this thread's unit, found by calculating."""
    one, tiny, least = 1.0, 2.0**-60, sys.float_info.min
    rounding = "up" if one + tiny > one else "nearest" if one - tiny == one else "down" if -one - tiny < -one else "to zero"
    results, operands = (least / 2 > 0, numpy.float64(5e-324) > 0)  # flushed to zero, taken for zero
    kept = "kept" if results and operands else "flushed"
    return {"rounding": rounding, "subnormals": kept} | {f"numpy {kind}": what for kind, what in numpy.geterr().items()}


def _environment():
    """The variables that change what runs; the folders that some name are private."""
    return {
        name: "(a path)" if os.sep in value or (os.altsep and os.altsep in value) else value
        for name, value in sorted(os.environ.items())
        if VARIABLES.fullmatch(name)
    }


def _warnings(cpus):
    """What seems wrong."""
    if cpus == 1 and (os.cpu_count() or 1) > 1 and os.environ.get("OMP_PROC_BIND", "false").lower() not in ("", "false"):
        return ["OMP_PROC_BIND pins this process to one processor: another library's OpenMP did so when it was loaded"]
    return []


def _lines(path):
    """The lines of one of the kernel's files, none where it is not there."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def lines(facts):
    """The facts as aligned lines of text."""
    width = max(map(len, facts))
    return [f"{name:{width}}  {_text(value)}" for name, value in facts.items()]


def _text(value):
    if isinstance(value, dict):
        return ", ".join(f"{name}={part}" for name, part in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)
