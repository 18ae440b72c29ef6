"""How many threads a call may use by default, and the functions that change it."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 1024  # libgomp ends the process where it cannot start as many threads as asked for


def default_count():
    """OMP_NUM_THREADS, else the processors this process may run on, within the quota of its control group."""
    try:
        return min(MOST, max(1, int(os.environ["OMP_NUM_THREADS"].split(",")[0])))
    except (KeyError, ValueError):
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return math.ceil(max(1, min(cores, _quota())))


def _quota():
    """Processors' worth of time that the control group grants (version 2, else version 1), or infinity."""
    try:
        quota, period = _read("/sys/fs/cgroup/cpu.max").split()
    except (OSError, ValueError):
        try:
            quota, period = _read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), _read("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
        except OSError:
            return math.inf
    try:
        return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else math.inf
    except ValueError:  # "max"
        return math.inf


def _read(path):
    with open(path) as file:
        return file.read()


def set_num_threads(n: int) -> None:
    """Lets a call use `n` threads (1 to 1024), or one where it is too small to gain from them. Results do not depend on it.

    Raises TypeError for what is no integer, ValueError for one out of range. A child of `fork` always uses one: OpenMP's threads
    do not survive it.
    """
    from .backend import core

    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"set_num_threads: n must be an integer from 1 to {MOST}, got {n!r}")
    if not 1 <= n.__index__() <= MOST:
        raise ValueError(f"set_num_threads: n must be an integer from 1 to {MOST}, got {n}")
    core.set_num_threads(n.__index__())


def get_num_threads() -> int:
    """How many threads a large call uses: as set_num_threads said, else OMP_NUM_THREADS, else the processors available."""
    from .backend import core

    return core.get_num_threads()


@contextmanager
def num_threads(n: int) -> Iterator[None]:
    """A context in which calls use `n` threads; it holds for the whole process. Errors as in set_num_threads.

    >>> import fastopt
    >>> with fastopt.num_threads(1):
    ...     fastopt.get_num_threads()
    1
    """
    from .backend import core

    before = core.chosen_num_threads()
    set_num_threads(n)
    try:
        yield
    finally:
        core.set_num_threads(before)
