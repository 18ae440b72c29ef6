"""The axes of the suite: CPU targets that this machine runs, dtypes, numbers of threads."""

import os

import numpy as np
import pytest

import fastopt
from fastopt import backend

ISAS = os.environ.get("FASTOPT_ISA", "").split() or backend.core.isas()


def pytest_report_header():
    info = fastopt.info()
    return "fastopt {version}, {backend} at {path}, {isa} of {isas}, {num_threads} threads".format(**info)


@pytest.fixture
def compiled():
    """The compiled module; refuses to let a test compare the definitions with themselves."""
    assert backend.NAME == "compiled", "would compare the definitions with themselves: run without FASTOPT_BACKEND=reference"
    return backend.core


@pytest.fixture(params=ISAS)
def isa(request, compiled):
    """Every CPU target in turn."""
    before = compiled.isa()
    compiled.use_isa(request.param)
    yield request.param
    compiled.use_isa(before)


@pytest.fixture
def cut(compiled):
    """cut(n): n threads, and every work cut among them, however small."""
    before = fastopt.get_num_threads()

    def cut(n):
        fastopt.set_num_threads(n)
        compiled.force_threads(n > 1)

    yield cut
    compiled.force_threads(False)
    fastopt.set_num_threads(before)


@pytest.fixture
def rng():
    return np.random.default_rng(20261122)
