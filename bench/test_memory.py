"""Peak memory of a training step, each library in a process of its own. What is timed here is that process, and means nothing."""

import os

import pytest

import fastopt
from fastopt.bench import memory
from fastopt.bench.peers import installed


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="Linux counts the resident set")
def test_peak_of_a_step(benchmark):
    libraries = ["fastopt", *(["torch"] if installed("torch") else [])]
    peaks = benchmark.pedantic(lambda: {library: memory.measure(library) for library in libraries}, rounds=1)
    benchmark.extra_info.update(memory=peaks, machine=fastopt.info())
