"""What calls leave behind, by the counters that show it: references to arguments and to constants, blocks of Python's own
allocator (small objects), bytes in use by mallinfo2 (what C and NumPy take), the resident set (all of it)."""

import ctypes
import gc
import itertools
import sys

import numpy as np
import pytest

try:
    with open("/proc/self/maps") as maps:
        SANITIZED = "libasan" in maps.read()  # it keeps freed memory for a while, and knows leaks itself
    mallinfo = ctypes.CDLL(None).mallinfo2
except (OSError, AttributeError):  # neither Linux nor glibc 2.33
    mallinfo = None
else:
    mallinfo.restype = type("mallinfo2", (ctypes.Structure,), {"_fields_": [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]})  # fmt: skip

needs_counters = pytest.mark.skipif(mallinfo is None or SANITIZED, reason="needs /proc, mallinfo2 and a plain malloc")
CONSTANTS = (None, True, False, (), "", np.dtype("f4"), np.ndarray, TypeError, ValueError)  # np.ones leaks references to f8 itself


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def _counted(watched):
    gc.collect()
    memory = mallinfo()
    return ([sys.getrefcount(a) for a in watched], [sys.getrefcount(a) for a in CONSTANTS],
            sys.getallocatedblocks(), memory.uordblks + memory.hblkhd, resident())  # fmt: skip


def _grown(before, after, calls):
    """The text of what grew by as much as one call in twenty would leave, or ""."""
    references, constants, blocks, used, pages = zip(before, after)
    few = max(calls // 20, 20)
    texts = [f"{n} references to argument {i}" for i, (m, n) in enumerate(zip(*references)) if m != n]
    texts += [f"{n - m} references to {a!r}" for a, m, n in zip(CONSTANTS, *constants) if n - m >= few]
    texts += [f"{after - before} {what}" for what, (before, after), bound in (
        ("blocks", blocks, few), ("bytes of malloc", used, 8 * calls), ("bytes resident", pages, 1_000_000))
        if after - before >= bound]  # fmt: skip
    return ", ".join(texts)


def leaves_nothing(task, watched, calls):
    """Fails where something grows in each of eight rounds of `calls` calls of task(): what fills free lists and tables of Python's
    and NumPy's comes to an end. References to the arrays among `watched` are counted."""
    watched = [a for a in watched if isinstance(a, np.ndarray)]
    gc.freeze()  # what is there already, other libraries above all, the collections below need not walk
    try:
        for _ in range(calls // 10):
            task()
        for _ in range(8):
            before = _counted(watched)
            for _ in range(calls):
                task()
            text = _grown(before, _counted(watched), calls)
            if not text:
                return
    finally:
        gc.unfreeze()
    raise AssertionError(f"{calls} calls leave {text}")


def in_turn(tasks):
    """A task that does one of them at each call, all of them equally often."""
    following = itertools.cycle(tasks).__next__
    return lambda: following()()


def refusing(call, errors=(TypeError, ValueError)):
    """A task that must raise."""

    def task():
        try:
            call()
        except errors:
            return
        raise AssertionError("not refused")

    task()
    return task
