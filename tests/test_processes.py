"""Processes: trainings in children of every kind, after the parent has computed in threads, and beside threads that still do;
what crosses from one to another; and how a process ends."""

import pickle
from multiprocessing import get_all_start_methods

import numpy as np
import pytest
from child import run
from trainings import train_all

import fastopt
from fastopt import backend, kernels, nn

needs_openmp = pytest.mark.skipif(not backend.core.has_openmp(), reason="built without OpenMP")
BEGIN = """
import multiprocessing, os, sys, threading, time
import numpy as np
import fastopt, trainings
from child import fork
from fastopt import kernels
from trainings import train_all

trainings.cut_all(2)
expected = train_all()  # the threads have started
matrix = np.ones((300, 300))

def check():
    assert train_all() == expected
"""




def marked(cases, usual):
    """The cases, those that are not among the usual ones marked slow."""
    return [case if case in usual else pytest.param(case, marks=pytest.mark.slow) for case in cases]


def begun(code, cwd, timeout=60):
    """run() behind BEGIN; threads that wait sleep, for here they are many more than processors."""
    return run(BEGIN + code, cwd, timeout, OMP_WAIT_POLICY="passive")


@pytest.mark.parametrize("method", marked(get_all_start_methods(), ("fork", "spawn")))
def test_start_methods(method, tmp_path, compiled):
    """A process, a pool, an executor and a pool in a pool's thread train alike; the parent goes on afterwards."""
    begun(f"""
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import ThreadPool

context = multiprocessing.get_context({method!r})
process = context.Process(target=trainings.train_all)
process.start()
process.join()
assert process.exitcode == 0
with context.Pool(2) as pool:
    assert pool.map(train_all, range(2)) == [expected] * 2
    with ThreadPool(2) as threads:
        assert threads.map(train_all, range(2)) == [expected] * 2
    assert pool.map(train_all, range(2)) == [expected] * 2
with ThreadPool(2) as threads:
    assert threads.map(train_all, range(2)) == [expected] * 2
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(train_all, range(2))) == [expected] * 2
check()
""", tmp_path)  # fmt: skip


FORKS = {
    "beside threads in kernels": """
stop = threading.Event()
def compute():
    while not stop.is_set():
        kernels.gemm(matrix, matrix)
threads = [threading.Thread(target=compute) for _ in range(3)]
for thread in threads: thread.start()
for _ in range(5): fork(check)
stop.set()
for thread in threads: thread.join()
check()
""",
    "beside a training": """
thread = threading.Thread(target=lambda: [check() for _ in range(5)])
thread.start()
while thread.is_alive(): fork(check)
""",
    "threads in the child": """
def child():
    threads = [threading.Thread(target=check) for _ in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    check()
fork(child)
""",
    "a child that ends by itself": """
if os.fork() == 0:
    check()
    sys.exit()
assert os.wait()[1] == 0
check()
""",
    "other numbers of threads": """
def child():
    fastopt.set_num_threads(3)
    check()
    with fastopt.num_threads(1): check()
    assert fastopt.get_num_threads() == 3 and len(os.listdir("/proc/self/task")) == 1
fork(child)
""",
    "a pool of forked children that fork": "fork(lambda: (check(), fork(lambda: (check(), fork(check)))))",
    "a daemon": """
read, write = os.pipe()
def child():
    if os.fork(): os._exit(0)
    check()
    os.write(write, b"done")
fork(child)
assert os.read(read, 9) == b"done"
""",
    "subprocess": """
import subprocess
subprocess.run([sys.executable, "-c", "from trainings import *; cut_all(2); print(*train_all())"], check=True)
""",
}  # fmt: skip


@needs_openmp
@pytest.mark.parametrize("case", marked(FORKS, ("beside threads in kernels", "a child that ends by itself")))
def test_forks(case, tmp_path):
    printed = begun(FORKS[case], tmp_path, 40)
    assert printed == (" ".join(train_all()) if case == "subprocess" else "")


# --- from one to another ----------------------------------------------------------------------------------------------


def test_models_and_optimizers_travel(tmp_path, compiled):
    """Sent to another process, trained there and sent back, they are what they would have become here."""
    begun("""
import copy
from concurrent.futures import ProcessPoolExecutor

with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
    for make in (trainings.mlp_model, trainings.recurrent_model):
        model, data = make()
        twin = copy.deepcopy(model)
        for _ in range(2):
            model = pool.submit(trainings.fitted, model, data).result()
            trainings.fitted(twin, data)
            assert trainings.digest(model.get_weights()) == trainings.digest(twin.get_weights())
""", tmp_path)  # fmt: skip


def test_what_belongs_to_a_process_says_so(compiled):
    """Packed matrices and what a forward pass keeps are no values: pickle says no, and leaves them good."""
    x, weights = np.ones((1, 2, 3)), (np.ones((3, 4)), np.ones((4, 4)))
    saved, packed = kernels.rnn_forward(x, *weights)[-1], kernels.Packed(weights[0])
    for thing in (saved, packed):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    assert kernels.rnn_backward(np.ones((1, 2, 4)), None, saved)[0].shape == x.shape
    assert kernels.gemm(x[0], packed).shape == (2, 4)
    layer = nn.Dense(2)
    layer.build((1, 3))
    layer.forward(np.ones((1, 3)), training=True)
    again = pickle.loads(pickle.dumps(layer))
    assert np.array_equal(again.forward(np.ones((1, 3))), layer.forward(np.ones((1, 3))))
    opt = fastopt.Adam([np.ones(3)])
    assert pickle.loads(pickle.dumps(opt)).lr == opt.lr


# --- the end ----------------------------------------------------------------------------------------------------------

ENDS = {
    "threads that go on": """
for _ in range(3): threading.Thread(target=lambda: [kernels.gemm(matrix, matrix) for _ in range(10**9)], daemon=True).start()
time.sleep(0.2)
""",
    "a training that goes on": """
def forever():
    while True: train_all()
threading.Thread(target=forever, daemon=True).start()
time.sleep(0.2)
""",
    "threads that are waited for": "for _ in range(3): threading.Thread(target=check).start()",
    "an executor left open": """
from concurrent.futures import ThreadPoolExecutor
done = [ThreadPoolExecutor(3).submit(check) for _ in range(3)]
""",
    "at exit": "import atexit; atexit.register(check)",
    "in a finalizer": """
class Last:
    def __del__(self): self.gemm(matrix, matrix)
Last.gemm, Last.held = staticmethod(kernels.gemm), Last()
""",
    "os._exit": "threading.Thread(target=check).start(); sys.stdout.flush(); os._exit(0)",
}  # fmt: skip


@pytest.mark.parametrize("case", marked(ENDS, ("threads that go on", "an executor left open")))
def test_ends(case, tmp_path, compiled):
    """Exit code 0, and nothing said."""
    assert begun(ENDS[case], tmp_path, 40) == ""


def test_a_process_ended_by_a_signal(tmp_path, compiled):
    """SIGTERM ends it at once, whatever runs."""
    begun("""
import signal
pid = os.fork()
if pid == 0:
    os.execv(sys.executable, [sys.executable, "-c", "from trainings import *; cut_all(2)\\nwhile True: train_all()"])
time.sleep(1)
os.kill(pid, signal.SIGTERM)
assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGTERM
""", tmp_path)  # fmt: skip


SUBINTERPRETER = """
try:
    import _interpreters
    create, execute = _interpreters.create, _interpreters.exec
except ImportError:
    import _xxsubinterpreters as _interpreters
    create, execute = _interpreters.create, _interpreters.run_string

code = '''
import warnings
warnings.simplefilter("ignore")  # NumPy's
try:
    import fastopt
    from trainings import train_all
    assert train_all()
except ImportError:
    pass
'''
def tried():
    failed = execute(create(), code)
    assert failed is None, failed
"""


ORDERS = ["tried()", "tried(); tried()", "import trainings; tried(); trainings.train_all()", "tried(); import subprocess"]


@pytest.mark.parametrize("order", marked(ORDERS, ORDERS[2:3]))
def test_subinterpreters(order, tmp_path, compiled):
    """In another interpreter of the process it works, or the import fails as NumPy's does; the first one goes on."""
    run(SUBINTERPRETER + order, tmp_path)
