"""A training leaves the same bits with any number of threads, and beside others in the same process."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from child import run
from trainings import TRAININGS, digest, optimizer, train, train_all

from fastopt import backend

needs_openmp = pytest.mark.skipif(not backend.core.has_openmp(), reason="built without OpenMP")
COUNTS = (1, 2, 3, 7)


@pytest.fixture
def alone(cut):
    """The digests of every training with one thread."""
    cut(1)
    return train_all()


@pytest.mark.parametrize("name", TRAININGS)
def test_over_numbers_of_threads(name, isa, cut):
    """Every work is cut, however small."""
    digests = {}
    for n in COUNTS:
        cut(n)
        digests.setdefault(train(name), []).append(n)
    assert list(digests.values()) == [list(COUNTS)]


@pytest.mark.parametrize("threads", COUNTS)
def test_over_omp_num_threads(threads, alone, tmp_path, compiled):
    """Read once, when the process begins; also by NumPy's BLAS, which none of it may go through."""
    code = """
import fastopt, trainings
fastopt.backend.core.force_threads(True)
print(fastopt.get_num_threads(), *trainings.train_all())
"""
    count, *digests = run(code, tmp_path, OMP_NUM_THREADS=str(threads)).split()
    assert int(count) == (threads if backend.core.has_openmp() else 1)
    assert digests == alone


@needs_openmp
def test_trainings_are_cut(tmp_path):
    """Without this the tests above would prove nothing: every training runs in as many threads as it may."""
    assert run("""
import os, trainings
before = len(os.listdir("/proc/self/task"))
for threads, name in enumerate(trainings.TRAININGS, 2):
    trainings.cut_all(threads)
    trainings.train(name)
    print(len(os.listdir("/proc/self/task")) - before)
""", tmp_path, OPENBLAS_NUM_THREADS="1").split() == ["1", "2", "3"]  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2])
def test_eight_at_a_time(threads, alone, cut):
    """Each Python thread trains a model of its own."""
    cut(threads)
    names = [*TRAININGS] * 4
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(train, names)) == alone * 4


def test_a_digest_tells(compiled):
    """Of one bit."""
    arrays = optimizer()
    before = digest(arrays)
    arrays[0].view(np.uint64)[-1] ^= 1
    assert digest(arrays) != before
