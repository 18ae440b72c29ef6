"""Ctrl-C during fit and during long calls: a KeyboardInterrupt soon after, nothing torn, and what was interrupted can go on."""

import copy
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import trainings
from child import run

import fastopt

PACKAGE = str(Path(fastopt.__file__).parent)
PRELUDE = """
import copy, os, signal, sys, threading, time
import numpy as np
import fastopt, trainings
from fastopt import kernels, nn

signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupted(function, delay):
    '''How long after the signal the KeyboardInterrupt came; None where function was done before it.'''
    sent = []
    def send():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Timer(delay, send)
    try:
        timer.start()
        function()
    except KeyboardInterrupt:
        return time.monotonic() - sent[0]
    finally:
        timer.cancel()
"""


def test_fit(tmp_path, compiled):
    """Between two steps or within one; another fit takes it up: the weights are those of so many whole steps."""
    assert run(PRELUDE + """
model, data = trainings.mlp_model()
model.fit(**data, shuffle=False, verbose=0)
hits = 0
for delay in np.linspace(0.003, 0.05, 12):
    hits += interrupted(lambda: model.fit(**data, epochs=10_000, shuffle=False, verbose=0), delay) is not None
    assert all(np.isfinite(w).all() for w in model.get_weights())
    before = model.optimizer.steps
    model.train_on_batch(data["x"][:64], data["y"][:64])
    assert model.optimizer.steps == before + 1
    twin = copy.deepcopy(model)
    assert twin.train_on_batch(data["x"], data["y"]) == model.train_on_batch(data["x"], data["y"])
    assert trainings.digest(model.get_weights()) == trainings.digest(twin.get_weights())
print(hits)
""", tmp_path) == "12"  # fmt: skip


def test_weights_are_those_of_whole_steps(tmp_path, compiled):
    run(PRELUDE + """
x, y = np.random.default_rng(0).standard_normal((64, 20), np.float32), np.ones((64, 3), np.float32)
model = nn.Sequential([nn.Input((20,)), nn.Dense(30, "tanh"), nn.Dense(3)])
model.compile("adam", "mse")
model.train_on_batch(x, y)
for delay in np.linspace(0.003, 0.03, 10):
    begin = copy.deepcopy(model)
    begin.train_on_batch(x, y)
    first = begin.optimizer.steps
    model.train_on_batch(x, y)
    assert interrupted(lambda: model.fit(x, y, batch_size=64, epochs=100_000, shuffle=False, verbose=0), delay) is not None
    for _ in range(model.optimizer.steps - first):
        begin.train_on_batch(x, y)
    assert trainings.digest(model.get_weights()) == trainings.digest(begin.get_weights())
""", tmp_path)  # fmt: skip


def test_a_long_call(tmp_path, compiled):
    """It ends first, for nothing in C waits for a signal; then the interrupt comes, and the next call is good."""
    run(PRELUDE + """
a = np.random.default_rng(0).standard_normal((1000, 1000))
for threads in (1, 2):
    fastopt.set_num_threads(threads)
    begin = time.monotonic()
    whole = kernels.gemm(a, a)
    took = time.monotonic() - begin
    late = interrupted(lambda: [kernels.gemm(a, a) for _ in range(1000)], took / 2)
    assert late is not None and late < 20 * took + 1, (late, took)
    assert np.array_equal(kernels.gemm(a, a), whole)
""", tmp_path)  # fmt: skip


# --- everywhere -------------------------------------------------------------------------------------------------------


def interrupted_at(line, function):
    """Whether function() had run so many lines of the package before it was done, and was interrupted there."""
    left = line

    def trace(frame, event, argument):
        nonlocal left
        if event == "call":
            return trace if frame.f_code.co_filename.startswith(PACKAGE) else None
        left -= event == "line"
        if left < 0:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def batches(name):
    """A compiled model and two batches of different shapes."""
    model, data = getattr(trainings, name)()
    if name == "recurrent_model":
        return model, [(np.tile(np.arange(n), (n, 1)), data["y"][:n]) for n in (5, 9)]
    return model, [(data["x"][:n], data["y"][:n]) for n in (5, 9)]


@pytest.mark.parametrize("name", ["mlp_model", pytest.param("recurrent_model", marks=pytest.mark.slow)])
def test_at_every_line(name, compiled):
    """Of a step on a batch of another shape than the last: the model goes on like a copy with a workspace of its own."""
    model, (first, second) = batches(name)
    for line in count():
        model.train_on_batch(*first)
        if not interrupted_at(line, lambda: model.train_on_batch(*second)):
            break
        twin = copy.deepcopy(model)
        for batch in second, first:
            assert model.train_on_batch(*batch) == twin.train_on_batch(*batch), line
        assert trainings.digest(model.get_weights()) == trainings.digest(twin.get_weights()), line
    assert line > 100
