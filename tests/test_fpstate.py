"""The floating-point state belongs to the process: import and calls leave it as it was, in this thread and in the workers, and
compute under it. Exception flags are not part of that: as in any arithmetic, a call may raise them.

The state: rounding, what is masked, and whether subnormal numbers count as zero, as fegetenv gives it.
"""

import contextlib
import ctypes
import dataclasses
import platform

import numpy as np
import pytest
from child import run
from trainings import TRAININGS, train

from fastopt import kernels
from fastopt.testing import CASES
from fastopt.testing.case import Update

KNOWN = platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"
pytestmark = pytest.mark.skipif(not KNOWN, reason="fenv_t is known here for glibc on x86-64 only")
MASKS = {"nearest": 0, "down": 0x400, "up": 0x800, "toward zero": 0xC00}  # <fenv.h>
FLAGS, DENORMALS, FLUSH = 0x3F, 0x40, 0x8000  # of MXCSR


class State:
    """fenv_t of glibc on x86-64: the x87 environment, then MXCSR."""

    def __init__(self):
        self.libm, self.words = ctypes.CDLL("libm.so.6"), (ctypes.c_uint * 8)()

    def get(self):
        """(x87 control word, MXCSR without its flags)."""
        self.libm.fegetenv(self.words)
        return self.words[0] & 0xFFFF, self.words[7] & ~FLAGS

    @contextlib.contextmanager
    def rounding(self, mode):
        self.libm.fesetround(MASKS[mode])
        try:
            yield
        finally:
            self.libm.fesetround(0)

    @contextlib.contextmanager
    def flushing(self):
        self.get()
        self.words[7] |= DENORMALS | FLUSH
        self.libm.fesetenv(self.words)
        try:
            yield
        finally:
            self.get()
            self.words[7] &= ~(DENORMALS | FLUSH)
            self.libm.fesetenv(self.words)


@pytest.fixture
def state():
    found = State()
    before = found.get()
    yield found
    assert found.get() == before, "this test leaves another state"


def variants(name, rng, dtype=np.float32):
    case = CASES[name]
    return [(options, case.draw(rng, case.cut()[-1], dtype, options)) for options in case.options()[:3]]


def call(name, options, arrays):
    """What a kernel computes, a list of arrays and numbers."""
    case = CASES[name]
    if isinstance(case, Update):
        arrays = {key: None if a is None else a.copy() for key, a in arrays.items()}
        getattr(kernels, name)(**arrays, **options)
        return [a for a in arrays.values() if a is not None]
    found = case.call(kernels, name, options | arrays)
    return [a for a in (found if isinstance(found, tuple) else (found,)) if a is not None]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_kernels_leave_it(name, threads, state, cut, rng):
    """Whatever it was: rounding in each direction, subnormals kept and flushed."""
    cut(threads)
    ways = [contextlib.nullcontext(), state.flushing(), *(state.rounding(mode) for mode in MASKS)]
    for (options, arrays), way in zip(variants(name, rng) * 6, ways):
        with way:
            before = state.get()
            call(name, options, arrays)
            assert state.get() == before


@pytest.mark.parametrize("mode", MASKS)
@pytest.mark.parametrize("name", CASES)
def test_kernels_round_as_the_caller_does(name, mode, state, cut, rng):
    """The same bits in one thread and in three, and still what the definition says, which rounds that way as well."""
    options, arrays = variants(name, rng)[0]
    case = dataclasses.replace(CASES[name], ulp=20 * CASES[name].ulp + 4)  # of one sign, errors add up
    with state.rounding(mode):
        cut(1)
        want = call(name, options, arrays)
        text = case.compare(name, rng, case.cut()[-1], np.float32, options)
        cut(3)
        got = call(name, options, arrays)
    np.testing.assert_equal(got, want)
    assert not text


TINY = {  # calls whose results are subnormal, of normal or subnormal numbers
    "gemm": lambda x: kernels.gemm(x, np.eye(x.shape[1], dtype=x.dtype) / 8),
    "dense_forward": lambda x: kernels.dense_forward(x, np.eye(x.shape[1], dtype=x.dtype) / 8),
    "dense_backward": lambda x: kernels.dense_backward(x, x, np.eye(x.shape[1], dtype=x.dtype) / 8, x)[0],
    "dropout": lambda x: kernels.dropout(x, 0.0, seed=1) / 8,
    "embedding_forward": lambda x: kernels.embedding_forward(np.arange(len(x)), x) / 8,
    "activation_forward": lambda x: kernels.activation_forward(-x, "leaky_relu", alpha=0.125),
    "activation_backward": lambda x: kernels.activation_backward(x, -np.ones_like(x), "leaky_relu", alpha=0.125),
    "mean_squared_error": lambda x: kernels.mean_squared_error(np.zeros_like(x), x)[1],
    "penalty": lambda x: kernels.penalty(x, l2=0.0625)[1],
    "rnn_forward": lambda x: kernels.rnn_forward(
        x[:, None], np.eye(x.shape[1], dtype=x.dtype) / 8, np.zeros((x.shape[1],) * 2, x.dtype), activation="linear")[0],
}  # fmt: skip


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TINY)
def test_subnormals_count(name, dtype, threads, isa, cut):
    cut(threads)
    tiny = np.finfo(dtype).tiny
    for x in (np.full((70, 33), tiny, dtype), np.full((70, 33), tiny / 4, dtype)):
        y = np.abs(TINY[name](x))
        assert ((y > 0) & (y < tiny)).all()


@pytest.mark.parametrize("name", TRAININGS)
def test_trainings_leave_it(name, state, cut):
    for threads in (1, 3):
        cut(threads)
        before = state.get()
        train(name)
        assert state.get() == before


def test_import_leaves_it(tmp_path, compiled):
    """As it was when the process began, or as it was set before."""
    run("""
import ctypes, os
import numpy
libm, words = ctypes.CDLL("libm.so.6"), (ctypes.c_uint * 8)()
def get():
    libm.fegetenv(words)
    return words[0] & 0xffff, words[7] & ~0x3f
for change in (0, 0x8040, 0x4000):  # nothing; subnormals count as zero; rounding up
    if os.fork() == 0:
        get()
        words[7] ^= change
        libm.fesetenv(words)
        before = get()
        import fastopt, fastopt.data, fastopt.nn, fastopt.testing
        os._exit(get() != before)
    assert os.wait()[1] == 0, hex(change)
""", tmp_path)  # fmt: skip
