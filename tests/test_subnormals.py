"""flush_subnormals: moments that decay below the smallest normal number become zero, for the step only."""

import numpy as np
import pytest

import fastopt

TINY = {np.float32: 1e-30, np.float64: 1e-300}


def faded(dtype, n, **options):
    """Adam's first moment after a tiny gradient and many zeros."""
    opt = fastopt.Adam(np.ones(n, dtype), betas=(0.9, 0.9), **options)
    opt.step(np.full(n, TINY[dtype], dtype))
    while np.float64(TINY[dtype]) * 0.1 * 0.9 ** (opt.steps - 1) > np.finfo(dtype).tiny / 4:
        opt.step(np.zeros(n, dtype))
    return opt.state_dict()["state"][0]["exp_avg"]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("dtype", TINY)
def test_flushed_where_asked_for(dtype, threads, isa, cut):
    cut(threads)
    kept, flushed = faded(dtype, 1000), faded(dtype, 1000, flush_subnormals=True)
    assert ((kept > 0) & (kept < np.finfo(dtype).tiny)).all()
    assert not flushed.any()


def test_of_one_group_only(compiled):
    groups = [{"params": np.ones(3), "flush_subnormals": True}, {"params": np.ones(3)}]
    opt = fastopt.SGD(groups, lr=0.0, momentum=0.5)
    opt.step([np.full(3, 3e-308)] * 2)
    opt.step([np.zeros(3)] * 2)  # halves the buffers
    states = opt.state_dict()["state"]
    assert not states[0]["momentum_buffer"].any()
    assert (states[1]["momentum_buffer"] == 3e-308 * 0.5).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_the_process_keeps_its_subnormals(threads, cut):
    cut(threads)
    faded(np.float32, 1000, flush_subnormals=True)
    assert np.float64(1e-300) * np.float64(1e-20) != 0
    with np.errstate(under="ignore"):
        assert (np.full(100_000, 1e-30, np.float32) * np.float32(1e-10) != 0).all()
