"""Beside others in a process and on a machine: NumPy's BLAS, threadpoolctl, torch, one processor for many threads."""

import os
import statistics
import time

import numpy as np
import pytest
from child import run
from trainings import train_all

import fastopt
from fastopt import backend, kernels

needs_openmp = pytest.mark.skipif(not backend.core.has_openmp(), reason="built without OpenMP")
BEGIN = "from trainings import *\ncut_all(2)\n"


@pytest.fixture(scope="module")
def expected():
    return " ".join(train_all())


def test_blas_in_other_threads(tmp_path, expected, compiled):
    """Products of NumPy's and trainings of ours at the same time disturb neither."""
    assert run(BEGIN + """
import threading
a = np.random.default_rng(0).standard_normal((200, 200))
whole, wrong, stop = a @ a, [], threading.Event()
def multiply():
    while not stop.is_set():
        wrong.extend([1] * (not np.array_equal(a @ a, whole)))
threads = [threading.Thread(target=multiply) for _ in range(2)]
for thread in threads: thread.start()
print(*train_all())
stop.set()
for thread in threads: thread.join()
assert not wrong
""", tmp_path, OMP_WAIT_POLICY="passive") == expected  # fmt: skip


@needs_openmp
def test_threadpoolctl(tmp_path, expected):
    """It sees our OpenMP, and its limit holds where set_num_threads said nothing."""
    pytest.importorskip("threadpoolctl")
    assert run("""
import fastopt, threadpoolctl
from trainings import *
backend.core.force_threads(True)
assert fastopt.get_num_threads() == 4
with threadpoolctl.threadpool_limits(1, "openmp"):
    assert fastopt.get_num_threads() == 1
    one = train_all()
with threadpoolctl.threadpool_limits(3):
    assert fastopt.get_num_threads() == 3
    assert train_all() == one
assert fastopt.get_num_threads() == 4
print(*one)
""", tmp_path, OMP_NUM_THREADS="4") == expected  # fmt: skip


@needs_openmp
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
@pytest.mark.parametrize("when", ["before", pytest.param("after", marks=pytest.mark.slow)])
def test_one_processor(when, tmp_path, expected):
    """Several threads where the process may run on one processor only: slower, not stuck. `after` OpenMP has counted them, its
    waiting threads spin instead of sleeping."""
    pin = "import os; os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])\n"
    assert run(pin * (when == "before") + BEGIN + pin * (when == "after") + "print(*train_all())", tmp_path) == expected


SETTINGS = ["OMP_WAIT_POLICY=active", "OMP_DYNAMIC=true", "OMP_PROC_BIND=true", "OMP_STACKSIZE=256k", "OMP_NESTED=true",
            "GOMP_SPINCOUNT=0"]  # fmt: skip


@needs_openmp
@pytest.mark.parametrize("setting", ["OMP_WAIT_POLICY=passive", "OMP_THREAD_LIMIT=1",
                                     *(pytest.param(s, marks=pytest.mark.slow) for s in SETTINGS)])  # fmt: skip
def test_settings_of_openmp(setting, tmp_path, expected):
    """They change how threads wait and how many come, and no bit."""
    assert run(BEGIN + "print(*train_all())", tmp_path, **dict([setting.split("=")])) == expected


# --- torch ------------------------------------------------------------------------------------------------------------

TORCH = """
torch.manual_seed(0)
a = torch.randn(300, 300)
def theirs():
    linear = torch.nn.Linear(300, 300)
    linear(a).square().sum().backward()
    return (a @ a).sum().item()
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", ["import torch\n" + BEGIN, BEGIN + "import torch\n", BEGIN + "train_all()\nimport torch\n"])
def test_torch(order, tmp_path, expected):
    """Imported before or after, with its threads or ours at work first, in turn, at the same time, and in a child."""
    pytest.importorskip("torch")
    assert run(order + TORCH + """
import os, threading
first = theirs()
results = [train_all() for _ in range(2) if theirs() == first]
thread = threading.Thread(target=lambda: [theirs() for _ in range(20)])
thread.start()
results.append(train_all())
thread.join()
assert len(results) == 3 and results[0] == results[1] == results[2]
if os.fork() == 0:
    os._exit(train_all() != results[0])
assert os.wait()[1] == 0
torch.set_flush_denormal(True)
from fastopt import kernels
assert not kernels.gemm(np.full((9, 9), 1e-300), np.full((9, 9), 1e-20)).any(), "torch's switch is the process's"
torch.set_flush_denormal(False)
assert kernels.gemm(np.full((9, 9), 1e-300), np.full((9, 9), 1e-20)).all()
print(*train_all())
""", tmp_path, timeout=120) == expected  # fmt: skip


# --- more threads than processors -------------------------------------------------------------------------------------


def seconds(task, threads):
    fastopt.set_num_threads(threads)
    task()  # the team is there
    begin = time.perf_counter()
    for _ in range(5):
        task()
    return time.perf_counter() - begin


@needs_openmp
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gemm", "optimizer", "recurrent"])
def test_oversubscription(kind, cut, rng):
    """16 threads finish within twice the time of as many as there are processors: medians of turns. Needs a quiet machine."""
    a = rng.standard_normal((600, 600))
    params, grads = [np.zeros(3_000_000)], [rng.standard_normal(3_000_000)]
    opt = fastopt.Adam(params)
    x, weights = rng.standard_normal((32, 40, 128)), [rng.standard_normal((128, 512)) / 20 for _ in range(2)]
    task = {
        "gemm": lambda: kernels.gemm(a, a),
        "optimizer": lambda: opt.step(grads, clip_norm=1.0),
        "recurrent": lambda: kernels.lstm_forward(x, *weights),
    }[kind]
    cut(2)  # restores
    backend.core.force_threads(False)
    few = len(os.sched_getaffinity(0))
    pairs = [(seconds(task, few), seconds(task, 16)) for _ in range(9)]
    normal, crowded = (statistics.median(times) for times in zip(*pairs))
    assert crowded < 2 * normal, f"{crowded:.3f} s by 16 threads, {normal:.3f} s by {few}"
