"""check(): every kernel held to its definition on the machine at hand, with all that a report of a difference needs."""

import difflib
import time
from collections import Counter
from contextlib import contextmanager

import numpy as np

from .. import _info, backend, threads
from . import CASES
from .trial import Difference

SHOWN = 3  # differences of a kernel that are printed; the others are counted
DTYPES: tuple[type, ...] = (np.float32, np.float64)


def check(names=None, *, quick=False, targets=None, num_threads=None, seed=0, verbose=True):
    """Holds every kernel, recurrent ones too, to its NumPy definition on this machine; returns a list of what differs, or [].

    names: kernels to try, None for all. quick: each with a few of its options and sizes, in seconds instead of minutes.
    targets: CPU targets to try, None for all that run here. num_threads: how many threads work is cut among, a sequence; None for
    1, 2, 3 and as many as large calls use. seed: of the inputs. verbose: prints what runs here (as `fastopt info` does), a line for
    each kernel, and at the end what differs and where: attach it to a report. `fastopt check` does the same; its exit code is 1
    where something differs.

    Each is tried on each CPU target, in float32 and float64, with every option and odd sizes, and must give the same bits for any
    number of threads. An entry of the list is text when printed, and has kernel, part (which result), problem (in words), ulp (the
    largest difference, in units of the last place), allowed, first (index of the first element that is too far off), target,
    dtype, threads, options and sizes. CPU target and threads are afterwards as before, but nothing else may run meanwhile.

    Raises ValueError for a name that is unknown, RuntimeError with FASTOPT_BACKEND=reference, where there is nothing to compare.

    >>> from fastopt.testing import check
    >>> check(["sgd"], quick=True, verbose=False)
    []
    """
    if backend.NAME != "compiled":
        raise RuntimeError("check: the definitions run here (FASTOPT_BACKEND=reference), there is nothing to hold them to")
    core = backend.core
    names = _known("kernel", [names] if isinstance(names, str) else names, list(CASES))
    targets = _known("CPU target", [targets] if isinstance(targets, str) else targets, core.isas())
    counts = sorted({1, 2, 3, threads.get_num_threads()} if num_threads is None else set(num_threads))
    counts = counts if core.has_openmp() else [1]
    say = print if verbose else lambda *_, **__: None
    for line in _info.lines(_info.info()) if verbose else ():
        say(line)
    say(f"\ntargets {', '.join(targets)}; float32, float64; threads {', '.join(map(str, counts))}; seed {seed}"
        + ("; quick" if quick else ""))  # fmt: skip
    rng, begin, wrong, calls = np.random.default_rng(seed), time.perf_counter(), [], 0
    with _as_before(core):
        for name in names:
            say(f"{name:32} ", end="", flush=True)  # said before: should the process end here, this is the last line
            tried, found = 0, []
            for trial in _trials(name, rng, quick):
                tried += len(targets) * len(counts)
                found += _differences(core, trial, targets, counts)
            say(f"differs in {len(found)} of {tried} calls" if found else f"agrees in {tried} calls")
            wrong, calls = wrong + found, calls + tried
    if verbose:
        for name in dict.fromkeys(found.kernel for found in wrong):
            _show([found for found in wrong if found.kernel == name], targets, counts)
        kernels = len({found.kernel for found in wrong})
        say(f"\n{f'{kernels} of {len(names)} kernels differ' if wrong else f'all {len(names)} kernels agree'}, "
            f"{calls} calls, {time.perf_counter() - begin:.0f} s")  # fmt: skip
    return wrong


def _known(kind, given, there):
    """What was asked for, or all there are."""
    chosen = list(there if given is None else given)
    for name in chosen:
        if name not in there:
            near = difflib.get_close_matches(str(name), there, 3, 0.4) or there
            raise ValueError(f"check: no {kind} {name!r}, there are {', '.join(near)}")
    return chosen


@contextmanager
def _as_before(core):
    isa, chosen = core.isa(), core.chosen_num_threads()
    try:
        yield
    finally:
        core.use_isa(isa)
        core.force_threads(False)
        core.set_num_threads(chosen)


def _trials(name, rng, quick):
    """The calls to try: a few sizes in every option, and those that threads share."""
    case = CASES[name]
    options = case.options()
    for dtype in DTYPES:
        for k, chosen in enumerate(options[:3] if quick else options):
            sizes = case.some() if not quick else case.some()[-2:]
            for size in sizes + (case.cut()[-1:] if k == 0 and not quick else []):
                yield case.trial(name, rng, size, dtype, chosen)


def _differences(core, trial, targets, counts):
    """Of one call, on all targets with all numbers of threads."""
    found = []
    for target in targets:
        core.use_isa(target)
        first = None
        for count in counts:
            core.set_num_threads(count)
            core.force_threads(count > 1)
            here = dict(target=target, threads=count)
            try:
                results, given = trial.run()
            except Exception as error:
                found.append(trial.named(Difference("", f"raised {type(error).__name__}: {error}"), **here))
                continue
            off = trial.judge(results, given)
            if off is None and first is not None and (part := _other_bits(results, first)) is not None:
                off = trial.named(Difference(part, f" has other bits than with {counts[0]} threads"))
            if off is not None:
                found.append(trial.named(off, **here))
            first = results if first is None else first
    return found


def _other_bits(results, first):
    """The first result that is not the same to the bit, or None."""
    for part, result in results.items():
        if not np.array_equal(result, first[part], equal_nan=result is not None):
            return part
    return None


def _show(found, targets, counts):
    """The differences of one kernel, and what they have in common."""
    print(f"\n{found[0].kernel}: {len(found)} calls differ", end="")
    for what, of in (("target", targets), ("dtype", [np.dtype(dtype).name for dtype in DTYPES]), ("threads", counts)):
        tally = Counter(getattr(one, what) for one in found)
        print(f"; {what} " + ", ".join(f"{value} ({tally[value]})" for value in of if tally[value]), end="")
    print()
    worst = sorted(found, key=lambda one: one.ulp if one.ulp == one.ulp else np.inf, reverse=True)[:SHOWN]
    for one in worst:
        print(f"  {one}")
    if len(found) > SHOWN:
        print(f"  and {len(found) - SHOWN} more")
