"""What the products touch: no byte beyond their arrays at any strides, more than 2^31 elements, workspaces, no memory left."""

import itertools
import mmap
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from fenced import Field, libc, open_up, reserve
from numpy.lib.stride_tricks import as_strided
from tiles import around, lanes_of, whole

from fastopt import kernels

DTYPES = (np.float32, np.float64)
# of a matrix (rows, columns), in elements
STRIDES = {
    "rows": lambda r, c: (c, 1),
    "columns": lambda r, c: (1, r),
    "part of longer rows": lambda r, c: (c + 3, 1),
    "part of longer columns": lambda r, c: (1, r + 5),
    "every second": lambda r, c: (2 * c, 2),
    "last row first": lambda r, c: (-c, 1),
    "last column first": lambda r, c: (c, -1),
    "columns, last first": lambda r, c: (1, -r),
    "from the end": lambda r, c: (-c, -1),
    "one row": lambda r, c: (0, 1),
    "one column": lambda r, c: (1, 0),
    "one element": lambda r, c: (0, 0),
    "sliding": lambda r, c: (1, 1),
}


@pytest.fixture(scope="module")
def fields():
    return [Field(1 << 21) for _ in range(5)]


def gemm_in(fields, side, values, strides, turns=(False, False), accumulate=False):
    """The product of two matrices and its place, both against fences, next to what NumPy makes of the same numbers."""
    (a, b), (m, n) = values, (values[0].shape[0], values[1].shape[1])
    a, b = (field.place(v, side, STRIDES[s](*v.shape)) for field, v, s in zip(fields, (a, b), strides))
    out = fields[2].place(np.full((m, n), 5, a.dtype), side)
    want = a @ b + 5 * accumulate
    given = [x.T if turn else x for x, turn in zip((a, b), turns)]
    kernels.gemm(*given, transpose_a=turns[0], transpose_b=turns[1], out=out, accumulate=accumulate)
    return np.array_equal(out, want) and all(field.intact() for field in fields[:3])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("side", ["before", "behind"])
def test_strides(side, dtype, isa, rng, fields):
    """Every pair of strides, transposed or not: no NaN from beside the arrays arrives, nothing is read or written beyond them."""
    for m, n, k in [(7, 37, 33), (40, 5, 40), (1, 70, 40), (50, 40, 1), (3, 4, 70)]:
        values = whole(rng, (m, k), dtype), whole(rng, (k, n), dtype)
        for strides in itertools.product(STRIDES, repeat=2):
            for turns in itertools.product((False, True), repeat=2) if m == 7 else [(False, False)]:
                assert gemm_in(fields, side, values, strides, turns, accumulate=turns[0]), (m, n, k, strides, turns)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("side", ["before", "behind"])
def test_sizes(side, dtype, isa, rng, fields):
    """Rows, columns and depths around whole vectors and tiles; b read as it lies, packed, or in dot products."""
    lanes = lanes_of(isa, dtype)
    some = sorted({1, 2, 3, *around(lanes, 2 * lanes, 4 * lanes)})
    sizes = {
        *itertools.product((1, 3, 7, 13), some, (1, lanes + 1, 2 * lanes + 1)),
        *itertools.product((2, 6, 40), (3, lanes + 1, 2 * lanes - 1), some),
        *itertools.product(some, (lanes + 2, 40), (3, 40)),
        *itertools.product(around(lanes, 3 * lanes), (2, 4, 8), (2, 4, 8)),
        *((40, 8 * lanes + 3, 257), (5, 600, 300), (0, 3, 4), (3, 0, 4), (3, 4, 0)),
    }
    for m, n, k in sorted(sizes):
        values = whole(rng, (m, k), dtype), whole(rng, (k, n), dtype)
        for strides in itertools.product(("rows", "columns", "part of longer rows"), repeat=2):
            assert gemm_in(fields, side, values, strides), (m, n, k, strides)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("side", ["before", "behind"])
@pytest.mark.parametrize("name", ["linear", "relu", "silu", "softmax"])
def test_dense(name, side, dtype, isa, rng, fields, cut):
    lanes = lanes_of(isa, dtype)

    def place(arrays):
        return [f.place(a, side) for f, a in zip(fields, arrays)]

    for rows, inputs, outputs in [(1, 1, 1), (1, 40, 3), (3, 5, lanes + 1), (5, lanes + 1, 2 * lanes - 1), (9, 2 * lanes + 1, 7),
                                  (40, 3, 5), (33, 70, 37), (300, 4, lanes + 3), (4, 0, 3), (0, 4, 3), (3, 4, 0)]:  # fmt: skip
        sizes = ((rows, inputs), (inputs, outputs), (outputs,), (rows, outputs), (rows, outputs))
        given = [rng.normal(0, 1, size).astype(dtype) for size in sizes]
        want = kernels.dense_forward(*given[:3], name, return_z=True)
        gradients = kernels.dense_backward(given[3], *given[:2], want[0], name, z=want[1])
        for threads in (1, 3):
            cut(threads)

            x, kernel, bias, *out = place([*given[:3], *want])
            for o in out:
                o[...] = 99
            got = kernels.dense_forward(x, kernel, bias, name, return_z=True, out=tuple(out))
            np.testing.assert_equal(got, want)
            assert all(field.intact() for field in fields)
            dy, x, kernel, y, z = place([given[3], *given[:2], *want])
            for overwrite_dy in (False, True):
                got = kernels.dense_backward(dy, x, kernel, y, name, z=z, overwrite_dy=overwrite_dy)
                np.testing.assert_equal(got, gradients)
                assert all(field.intact() for field in fields)
            out = place(gradients)
            for o in out:
                o[...] = 99
            kernels.dense_backward(given[3], *given[:2], want[0], name, z=want[1], out=tuple(out))
            np.testing.assert_equal(tuple(out), gradients)
            assert all(field.intact() for field in fields[:3])


# ---- more than 2^31 elements

FAR = 2**31 + 1024  # elements


def far_apart(values, axis):
    """The matrix with neighbours along one axis FAR elements apart; only the pages that it lies on exist."""
    itemsize = values.itemsize
    line, count = values.shape[1 - axis] * itemsize, values.shape[axis]
    nbytes = FAR * (count - 1) * itemsize + line
    address = reserve(nbytes)
    for i in range(count):
        open_up(address + i * FAR * itemsize, line)
    strides = (FAR * itemsize, itemsize) if axis == 0 else (itemsize, FAR * itemsize)
    start = np.ctypeslib.as_array((np.ctypeslib.as_ctypes_type(values.dtype) * 1).from_address(address))
    view = as_strided(start, values.shape, strides)
    view[...] = values
    return view, (address, nbytes)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1])
def test_elements_far_apart(axis, dtype, isa, rng):
    """Rows, or columns, of a and of b at offsets beyond what an int holds: those of panels, blocks and elements."""
    for m, n, k in [(30, 40, 300), (3, 40, 40), (40, 3, 40)]:
        a, b = whole(rng, (m, k), dtype), whole(rng, (k, n), dtype)
        for which in (0, 1):
            far, stretch = far_apart((a, b)[which], axis)
            for order in "CF":
                got = kernels.gemm(far, np.asarray(b, order=order)) if which == 0 else kernels.gemm(np.asarray(a, order=order), far)
                assert np.array_equal(got, a @ b), (m, n, k, which, order)
            libc.munmap(*stretch)


# ---- memory


def test_workspaces_end_with_their_threads(compiled, rng):
    a, b = rng.normal(0, 1, (50, 300)).astype(np.float32), rng.normal(0, 1, (300, 600)).astype(np.float32)

    def pages():
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1])

    if not os.path.exists("/proc/self/statm"):
        pytest.skip("no /proc/self/statm")
    out = kernels.gemm(a, b)
    counts = []
    for _ in range(3):
        for _ in range(100):
            thread = threading.Thread(target=kernels.gemm, args=(a, b), kwargs=dict(out=out))
            thread.start()
            thread.join()
        counts.append(pages())
    assert (counts[2] - counts[0]) * mmap.PAGESIZE < 200 * 500_000 / 4  # each packs half a megabyte


SCARCE = """
import resource, numpy as np, fastopt
from fastopt import backend, kernels
fastopt.set_num_threads({threads})
backend.core.force_threads({threads} > 1)
k = 1 << 22
a, b = np.broadcast_to(np.float32(1), (2, k)), np.zeros((16, k), np.float32).T
rows = np.zeros((2, k), np.float32)
x, kernel, dy = np.zeros((4 * k, 1), np.float32), np.ones((1, 2), np.float32), np.zeros((4 * k, 2), np.float32)
kernels.gemm(x[:99], kernel)
kernels.gemm(np.ones((2, 2)), np.ones((2, 2)))
with open("/proc/self/statm") as f:
    used = int(f.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (k << 2), -1))
for call in (lambda: kernels.gemm(a, b),
             lambda: kernels.dense_backward(dy, x, kernel, dy, "relu", need=(False, False, True)),
             lambda: kernels.gemm(x, np.ones((1, 99), np.float32)),
             lambda: kernels.gemm(rows, b)):
    try:
        call()
        print("enough")
    except MemoryError as error:
        print(error)
print(kernels.gemm(np.full((2, 3), 2.0), np.ones((3, 2))).tolist())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space are Linux's")
@pytest.mark.parametrize("threads", [1, 2])
def test_no_memory(threads, compiled, tmp_path):
    """MemoryError from the packing of a, from the gradient of z, from the result; not where nothing is packed; and all goes on."""
    code = SCARCE.format(threads=threads)  # in an empty folder: what was installed is tried, not the sources in this one
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    said = done.stdout.splitlines()
    assert said[:2] == ["gemm: no memory to pack the matrices in", "dense_backward: no memory to pack the matrices in"], done.stderr
    assert said[2].startswith("Unable to allocate")
    assert said[3:] == ["enough", "[[6.0, 6.0], [6.0, 6.0]]"]
