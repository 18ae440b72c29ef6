"""Threads: the same bits for any number of them, and peace with fork, other threads, signals and the floating-point environment."""

import functools
import hashlib
import math
import os
import platform
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import child
import numpy as np
import pytest

import fastopt
from fastopt import backend, threads
from fastopt.optim import rules

needs_openmp = pytest.mark.skipif(not backend.core.has_openmp(), reason="built without OpenMP")
SHAPES = [(), (0,), (3, 0, 2), (1,), (5, 7), (63,), (64,), (65,), (4, 1, 9), (8191,), (8192,), (8193,), (30011,)]
OPTIONS = {"SGD": {"momentum": 0.9, "nesterov": True}, "RMSprop": {"momentum": 0.9, "centered": True}, "Adam": {"amsgrad": True}}

# What the child processes begin with: an optimizer of 200,001 parameters, cut among threads; a digest of all that a step changes
PRELUDE = """
import ctypes, os, signal, sys, threading
import numpy as np
import fastopt
from fastopt import backend

def make(n=200_001, threads=2, force=True):
    rng = np.random.default_rng(0)
    opt = fastopt.Adam([rng.standard_normal(n), rng.standard_normal((n // 1000, 9)).astype(np.float32).T], ema=0.9)
    fastopt.set_num_threads(threads)
    backend.core.force_threads(force and threads > 1)
    return opt, [rng.standard_normal(n), rng.standard_normal((9, n // 1000)).astype(np.float32)]

def bits(opt):
    arrays = [a for s in opt.state_dict()["state"].values() for a in s.values() if isinstance(a, np.ndarray)]
    return b"".join(a.tobytes() for a in [*opt.param_groups[0]["params"], *arrays])

def stepped(steps=3, **options):
    opt, grads = make(**options)
    for _ in range(steps):
        opt.step(grads, clip_norm=1.0)
    return bits(opt)

def openmp():
    return ctypes.CDLL(next(line.split()[-1] for line in open("/proc/self/maps") if "libgomp" in line))

def region(n, function):
    openmp().GOMP_parallel(ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function), None, n, 0)

def tasks():
    return len(os.listdir("/proc/self/task"))
"""


run = functools.partial(child.run, prelude=PRELUDE, quiet=False)


# --- the same bits ----------------------------------------------------------------------------------------------------


def tensors(seed):
    """Odd shapes, contiguous and strided, of both dtypes and many magnitudes."""
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape) * 10.0 ** rng.uniform(-3, 3, shape) for shape in SHAPES]
    arrays += [rng.standard_normal((130, 77)).T, rng.standard_normal(9001)[::-3], rng.standard_normal((40, 30, 6))[::2, :, ::-1]]
    return [np.asarray(a, dtype) if a.flags.c_contiguous else a.astype(dtype, order="K", copy=False)
            for a in arrays for dtype in (np.float32, np.float64)]  # fmt: skip


def five_steps(name, seed=0, like=None, **options):
    """A digest of parameters, states, averages and norms after five steps that clip, and leave out a tensor now and then."""
    params = tensors(seed)
    opt = getattr(fastopt, name)(params, ema=0.9, **OPTIONS.get(name, {}) | options)
    digest = hashlib.sha256()
    for step in range(5):
        grads = [None if (i + step) % 7 == 0 else g for i, g in enumerate(tensors(seed + 1 + step))]
        opt.step(grads, clip_norm=10.0, clip_value=500.0, grad_scale=2.0, skip_nonfinite=step % 2 == 0, clip_each=step > 2)
        assert opt.last_step.grad_norm > 10
        digest.update(opt.last_step.grad_norm.hex().encode())
    states = [array for state in opt.state_dict()["state"].values() for array in state.values() if isinstance(array, np.ndarray)]
    for array in params + states:
        digest.update(array.tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("name", rules.RULES)
def test_same_bits(name, isa, cut):
    digests = set()
    for n in (1, 2, 3, 7):
        cut(n)
        digests.add(five_steps(name))
    assert len(digests) == 1
    assert five_steps(name, seed=1) not in digests


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_norm(dtype, isa, cut, rng):
    """Of a hundred chunks with magnitudes for which the order of summation shows."""
    grads = [(rng.standard_normal(n) * 10.0 ** rng.uniform(-4, 4, n)).astype(dtype) for n in (500_001, 3, 300_007)]
    norms = set()
    for n in (1, 2, 3, 5, 7, 16):
        cut(n)
        opt = fastopt.SGD([np.zeros_like(g) for g in grads])
        opt.step(grads, clip_norm=1e-3)
        norms.add(opt.last_step.grad_norm.hex())
    assert len(norms) == 1
    exact = math.sqrt(math.fsum(float(x) ** 2 for g in grads for x in g))
    assert float.fromhex(norms.pop()) == pytest.approx(exact, rel=1e-12)


@needs_openmp
def test_threads_are_used(tmp_path):
    """Without this the tests above would prove nothing; and small work opens no region."""
    assert run("""
before = tasks(); stepped(n=1000, force=False); print(tasks() - before)
before = tasks(); stepped(threads=1); print(tasks() - before)
before = tasks(); stepped(threads=3); print(tasks() - before)
""", tmp_path).split() == ["0", "0", "2"]  # fmt: skip


# --- how many ---------------------------------------------------------------------------------------------------------


@needs_openmp
def test_set_and_get(cut):
    cut(1)  # restores
    for n in (3, np.int64(2), 1):
        fastopt.set_num_threads(n)
        assert fastopt.get_num_threads() == fastopt.info()["num_threads"] == n
    with fastopt.num_threads(3):
        with fastopt.num_threads(2):
            assert fastopt.get_num_threads() == 2
        assert fastopt.get_num_threads() == 3
    assert fastopt.get_num_threads() == 1
    with pytest.raises(ZeroDivisionError), fastopt.num_threads(3):
        raise ZeroDivisionError
    assert fastopt.get_num_threads() == 1


@pytest.mark.parametrize(("n", "error"), [
    (0, ValueError), (-1, ValueError), (1025, ValueError), (2**31, ValueError), (10**30, ValueError),
    (1.0, TypeError), (math.nan, TypeError), ("2", TypeError), (None, TypeError), (True, TypeError), (np.float64(2), TypeError),
])  # fmt: skip
def test_bad_numbers_of_threads(n, error, cut):
    cut(2)
    before = fastopt.get_num_threads()
    with pytest.raises(error, match="n must be an integer from 1 to 1024, got"):
        fastopt.set_num_threads(n)
    with pytest.raises(error, match="n must be an integer from 1 to 1024, got"), fastopt.num_threads(n):
        pass
    assert fastopt.get_num_threads() == before


@needs_openmp
def test_a_number_that_no_machine_has(tmp_path):
    """Refused, or as many as there can be: never the end of the process."""
    run("""
try:
    fastopt.set_num_threads(2**31 - 1)
except ValueError:
    sys.exit()
opt, grads = make(threads=2**31 - 1)
opt.step(grads)
""", tmp_path)  # fmt: skip


@needs_openmp
@pytest.mark.parametrize(("value", "count"), [("3", 3), ("1", 1), ("4,2", 4), ("many", None), ("", None)])
def test_omp_num_threads(value, count, tmp_path):
    available = run(
        "print(len(os.sched_getaffinity(0)), threads._quota())", tmp_path, prelude="import os; from fastopt import threads\n"
    )
    cores, quota = available.split()
    count = count or math.ceil(min(float(cores), float(quota)))
    assert run("print(fastopt.get_num_threads())", tmp_path, prelude="import fastopt\n", OMP_NUM_THREADS=value) == str(count)


@needs_openmp
def test_affinity(tmp_path):
    one = "import os; os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1]); import fastopt\n"
    assert run("print(fastopt.get_num_threads(), fastopt.info()['cpus'])", tmp_path, prelude=one) == "1 1"


@pytest.mark.parametrize(("files", "count"), [
    ({}, 8),
    ({"cpu.max": "max 100000\n"}, 8), ({"cpu.max": "150000 100000\n"}, 2), ({"cpu.max": "20000 100000\n"}, 1),
    ({"cpu.max": "400000 100000\n"}, 4), ({"cpu.max": "3200000 100000\n"}, 8), ({"cpu.max": "0 0\n"}, 8), ({"cpu.max": "\n"}, 8),
    ({"cpu.cfs_quota_us": "250000\n", "cpu.cfs_period_us": "100000\n"}, 3),
    ({"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, 8), ({"cpu.cfs_quota_us": "250000\n"}, 8),
])  # fmt: skip
def test_quota_of_the_control_group(files, count, monkeypatch):
    def read(path):
        if os.path.basename(path) not in files:
            raise FileNotFoundError(path)
        return files[os.path.basename(path)]

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "_read", read)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert threads.default_count() == count
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert threads.default_count() == 5


LIMITED = {  # as threadpoolctl and joblib limit us; what set_num_threads said stands above it
    "limited": ("openmp().omp_set_num_threads(2)", 2),
    "chosen": ("openmp().omp_set_num_threads(2); fastopt.set_num_threads(3)", 3),
    "after num_threads": ("with fastopt.num_threads(1): pass\nopenmp().omp_set_num_threads(2)", 2),
    "num_threads within": ("""
libgomp = openmp()
libgomp.omp_set_num_threads(1)
with fastopt.num_threads(3): pass
libgomp.omp_set_num_threads(2)""", 2),
}  # fmt: skip


@needs_openmp
@pytest.mark.parametrize("case", LIMITED)
def test_limit_of_openmp(case, tmp_path):
    code, count = LIMITED[case]
    assert run(f"{code}\nprint(fastopt.get_num_threads())", tmp_path, OMP_NUM_THREADS="4") == str(count)


# --- processes --------------------------------------------------------------------------------------------------------

FORK = """
from child import fork

def check(**options):
    assert stepped(**options) == expected

def go_on():
    opt.step(grads, clip_norm=1.0)
    opt.step(grads, clip_norm=1.0)
    assert bits(opt) == expected

expected = stepped(threads=1)
"""
FORKS = {
    "after a parallel step": "check(); fork(check); check()",
    "with the optimizer": "opt, grads = make(); opt.step(grads, clip_norm=1.0); fork(go_on); go_on()",
    "of its own accord": "big = dict(n=3_000_001, force=False)\nexpected = stepped(**big); fork(lambda: check(**big))",
    "before any step": "fork(check); check()",
    "from a thread": "check(); t = threading.Thread(target=fork, args=(check,)); t.start(); t.join(); check()",
    "twice": "check(); fork(lambda: (check(), fork(check)))",
    "info": "check(); fork(fastopt.info)",
    "after a region of others": "region(2, lambda _: None); fork(check)",
}


@needs_openmp
@pytest.mark.parametrize("case", FORKS)
def test_fork(case, tmp_path):
    """libgomp's threads do not survive a fork: a child that opened a region would wait for them for ever."""
    run(FORK + FORKS[case], tmp_path, timeout=20)


# --- Python threads ---------------------------------------------------------------------------------------------------


def test_an_optimizer_per_thread(cut, compiled):
    names = ["SGD", "Adam", "RMSprop", "NAdam", "Lion", "Adamax", "RAdam", "Adagrad"]
    cut(1)
    expected = list(map(five_steps, names, range(8)))
    cut(2)
    with ThreadPoolExecutor(8) as pool:
        assert [list(pool.map(five_steps, names, range(8))) for _ in range(2)] == [expected] * 2


def test_one_optimizer_in_two_threads(cut, rng):
    """Each step is taken as a whole or refused."""
    cut(2)
    param, grad = rng.standard_normal(100_003), rng.standard_normal(100_003)
    again = param.copy()
    opt, refused = fastopt.Adam([param], ema=0.9), []

    def step(_):
        try:
            opt.step([grad], clip_norm=1.0)
        except RuntimeError as error:
            refused.append(str(error))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(step, range(200)))
    assert opt.steps == 200 - len(refused) > 0
    assert set(refused) <= {"Adam.step: a step of this optimizer is under way in another thread; give each thread its own"}
    other = fastopt.Adam([again], ema=0.9)
    for _ in range(opt.steps):
        other.step([grad], clip_norm=1.0)
    assert np.array_equal(param, again)
    assert np.array_equal(opt.ema()[0], other.ema()[0])


def test_the_gil_is_released(cut):
    """Another thread runs during a large step; nothing else lets it run, as no thread is interrupted for 100 s."""
    cut(1)
    opt, grads = fastopt.SGD([np.zeros(8_000_000)]), [np.ones(8_000_000)]
    progress, stop, interval = [0], threading.Event(), sys.getswitchinterval()

    def count():
        while not stop.is_set():
            progress[0] += 1
            time.sleep(0)  # lets go of the GIL

    other = threading.Thread(target=count)
    sys.setswitchinterval(100)
    try:
        other.start()
        moved = []
        for _ in range(10):
            before = progress[0]
            opt.step(grads)
            moved.append(progress[0] - before)
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        other.join()
    assert any(moved)


@needs_openmp
@pytest.mark.parametrize("limit", ["", "2"])
def test_more_threads_than_processors(limit, tmp_path):
    """The barrier before the update neither hangs nor waits for threads that never came."""
    code = "assert stepped(threads=16, steps=20) == stepped(threads=1, steps=20)"
    run(code, tmp_path, **{"OMP_THREAD_LIMIT": limit} if limit else {})


@needs_openmp
def test_within_a_region_of_others(tmp_path):
    run("""
expected, got, most, done = stepped(threads=1, steps=30), [], [], threading.Event()

def watch():
    while not done.is_set():
        most[:] = [max(most + [tasks()])]

watcher = threading.Thread(target=watch)
watcher.start()
before = tasks()
region(3, lambda _: got.append(stepped(steps=30)))
done.set()
watcher.join()
assert got == [expected] * 3
assert most == [before + 2], "a region in a region"
""", tmp_path, OMP_MAX_ACTIVE_LEVELS="3")  # fmt: skip


def test_interrupt(tmp_path, compiled):
    """Ctrl-C ends a loop of steps between two of them, or before one begins, and nothing is lost."""
    run("""
import time
signal.signal(signal.SIGINT, signal.default_int_handler)
opt, grads = make()
opt.lr = lambda step: 1e-3 * sum(1 for _ in range(100)) / 100  # Python runs inside of step, too
interrupted = 0
for delay in np.linspace(0.01, 0.05, 20):
    end = time.monotonic() + 10
    try:
        threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT)).start()  # on a busy machine it may come before start returns
        while time.monotonic() < end:
            opt.step(grads, clip_norm=1.0)
    except KeyboardInterrupt:
        interrupted += 1
assert interrupted == 20
assert bits(opt) == stepped(steps=opt.steps), opt.steps
""", tmp_path)  # fmt: skip


# --- the floating-point environment -----------------------------------------------------------------------------------

TINY = """
import numpy as np
def tiny():
    return np.float64(1e-300) * np.float64(1e-20) > 0 and np.float32(1e-38) * np.float32(0.1) > 0
assert tiny()
"""
UPWARD = {"x86_64": 0x800, "aarch64": 0x400000}.get(platform.machine())


def test_subnormals_survive(tmp_path, compiled):
    """Import and steps leave the treatment of subnormals alone, and steps themselves keep them."""
    run(TINY + PRELUDE + """
assert tiny()
for n in (1, 3):
    stepped(threads=n)
    assert tiny()
    params = [np.zeros(20_001), np.zeros(20_001, np.float32)]
    fastopt.SGD(params, lr=1e-20).step([np.full(20_001, 1e-300), np.full(20_001, 1e-25, np.float32)])
    assert all((p < 0).all() for p in params)
assert tiny()
""", tmp_path, prelude="")  # fmt: skip


@pytest.mark.skipif(UPWARD is None, reason="the constants of this processor's <fenv.h> are not known here")
def test_rounding_is_the_callers(tmp_path, compiled):
    """In every thread, and neither import nor a step changes it."""
    run(f"""
import ctypes
libm, upward = ctypes.CDLL("libm.so.6"), {UPWARD}
libm.fesetround(upward)
{PRELUDE}
assert libm.fegetround() == upward
one, many = stepped(threads=1), stepped(threads=3)
assert libm.fegetround() == upward
libm.fesetround(0)
nearest = stepped(threads=3)
assert libm.fegetround() == 0
assert one == many != nearest == stepped(threads=1)
""", tmp_path, prelude="")  # fmt: skip


@pytest.mark.skipif(platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc", reason="needs MXCSR in glibc's fenv_t")
def test_flushing_is_the_callers(tmp_path, compiled):
    run("""
libm, environment = ctypes.CDLL("libm.so.6"), (ctypes.c_uint * 8)()

def step(n, flush):
    param = np.zeros(20_001)
    opt = fastopt.SGD([param], lr=1e-20)
    make(threads=n)
    libm.fegetenv(environment)
    environment[7] = environment[7] & ~0x8000 | 0x8000 * flush  # MXCSR
    libm.fesetenv(environment)
    opt.step([np.full(20_001, 1e-300)])
    libm.fegetenv(environment)
    assert bool(environment[7] & 0x8000) == flush
    return set(param.tolist())

for n in (1, 3):
    assert step(n, True) <= {0.0, -0.0} and step(n, False) == {-1e-320}
""", tmp_path)  # fmt: skip
