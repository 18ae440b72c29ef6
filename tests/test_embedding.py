"""The compiled embedding: every integer type, odd sizes, the same bits for any number of threads, bad input refused."""

import re

import numpy as np
import pytest

from fastopt import kernels, reference

DTYPES = (np.float32, np.float64)
INTEGERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", ">u8", np.longlong)


def random(rng, shape, dtype=np.float64):
    return rng.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("kind", INTEGERS)
def test_any_integer_type(kind, compiled, rng):
    indices, table, dy = rng.integers(0, 100, (5, 7)), random(rng, (100, 3)), random(rng, (5, 7, 3))
    given = indices.astype(kind)
    y, gradient = kernels.embedding_forward(given, table), kernels.embedding_backward(dy, given, table)
    np.testing.assert_array_equal(y, table[indices])
    np.testing.assert_array_equal(gradient, reference.embedding_backward(dy, indices, table))
    for view in (given[:, ::-2], given.T, np.broadcast_to(given[:1], (4, 7)), given[0, 0:1].reshape(())):
        np.testing.assert_array_equal(kernels.embedding_forward(view, table), table[view.astype(np.int64)])
        dy = random(rng, (*view.shape, 3))
        want = reference.embedding_backward(dy, view, table)
        np.testing.assert_array_equal(kernels.embedding_backward(dy, view, table), want)


@pytest.mark.parametrize("columns", [0, 1, 3, 15, 16, 17, 31, 33, 100, 128, 130, 257])
@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_change_no_bit(columns, dtype, isa, rng, cut):
    """Repeated indices above all; the sum begins anywhere in a cache line."""
    indices = np.where(rng.random(600) < 0.6, 0, rng.integers(0, 9, 600))
    table, dy = random(rng, (9, columns), dtype), random(rng, (600, columns), dtype)
    want = reference.embedding_backward(dy, indices, table)
    for threads in (1, 2, 3, 7):
        cut(threads)
        np.testing.assert_array_equal(kernels.embedding_forward(indices, table), table[indices])
        for shift in (0, 1, 5, 31):
            out = np.full(9 * columns + shift, np.nan, dtype)[shift:].reshape(9, columns)
            assert kernels.embedding_backward(dy, indices, table, out=out) is out
            np.testing.assert_array_equal(out, want)
        kernels.embedding_backward(dy, indices, table, accumulate=True, out=out)
        again = reference.embedding_backward(dy, indices, table, accumulate=True, out=want.copy())
        np.testing.assert_array_equal(out, again)


@pytest.mark.parametrize("dtype", DTYPES)
def test_ends_of_sizes(dtype, isa, rng, cut):
    sizes = (1, 1, (4,)), (1, 0, (4,)), (5, 3, (0,)), (0, 3, (2, 0)), (3, 2, (2, 0, 4)), (70, 1, ())
    for threads in (1, 3):
        cut(threads)
        for vocabulary, columns, shape in sizes:
            table = random(rng, (vocabulary, columns), dtype)
            indices = rng.integers(0, max(vocabulary, 1), shape)
            dy = random(rng, (*np.shape(indices), columns), dtype)
            indices = np.asarray(indices)
            y, gradient = kernels.embedding_forward(indices, table), kernels.embedding_backward(dy, indices, table)
            np.testing.assert_array_equal(y, reference.embedding_forward(indices, table))
            np.testing.assert_array_equal(gradient, reference.embedding_backward(dy, indices, table))
            assert y.dtype == gradient.dtype == dtype


def test_nan_stays_in_its_row(compiled):
    dy = np.ones((3, 4))
    dy[1] = np.nan
    gradient = kernels.embedding_backward(dy, np.array([0, 1, 2]), np.zeros((4, 4)))
    np.testing.assert_array_equal(np.isnan(gradient).any(1), [False, True, False, False])
    table = np.full((3, 2), np.nan)
    table[1] = 5
    np.testing.assert_array_equal(kernels.embedding_forward(np.array([1, 1]), table), 5)


OUTSIDE = [
    (np.array([[0, 2], [3, 4]]), "[1, 0] is 3"),
    (np.array([0, -1]), "[1] is -1"),
    (np.array([2, 2**63], "u8"), f"[1] is {2**63}"),
    (np.array([0, -(2**63)]), f"[1] is {-(2**63)}"),
    (np.array([[0, 1, 2], [1, 255, 200]], "u1")[:, ::-1], "[1, 0] is 200"),
    (np.array(-2, "i1"), " is -2"),
]


@pytest.mark.parametrize(("indices", "words"), OUTSIDE)
def test_an_index_out_of_range_is_named_and_nothing_written(indices, words, isa, cut):
    table = np.arange(12.0).reshape(3, 4)
    for threads in (1, 3):
        cut(threads)
        y, gradient = np.full((*indices.shape, 4), 99.0), np.full((3, 4), 99.0)
        for accumulate in (False, True):
            with pytest.raises(ValueError, match=re.escape(f"{words}, expected an index in [0, 3)")) as caught:
                kernels.embedding_backward(np.ones_like(y), indices, table, accumulate=accumulate, out=gradient)
            assert str(caught.value).startswith("embedding_backward: indices")
        with pytest.raises(ValueError, match=re.escape(f"{words}, expected an index in [0, 3)")) as caught:
            kernels.embedding_forward(indices, table, out=y)
        assert str(caught.value).startswith("embedding_forward: indices")
        assert (y == 99).all()
        assert (gradient == 99).all()


TABLE, DY, INDICES = np.ones((3, 4)), np.ones((2, 4)), np.array([0, 2])
BAD = {
    "list": (lambda: kernels.embedding_forward([0, 1], TABLE), TypeError, "indices is of type list"),
    "floats": (lambda: kernels.embedding_forward(np.ones(2), TABLE), TypeError, "indices has dtype float64, expected integers"),
    "booleans": (lambda: kernels.embedding_forward(np.ones(2, bool), TABLE), TypeError, "indices has dtype bool"),
    "objects": (lambda: kernels.embedding_backward(DY, np.array([0, 1], object), TABLE), TypeError, "indices has dtype object"),
    "vector": (lambda: kernels.embedding_forward(INDICES, np.ones(3)), ValueError, r"embeddings .*\(3,\), expected \(V, D\)"),
    "cube": (lambda: kernels.embedding_backward(DY, INDICES, np.ones((3, 4, 1))), ValueError, r"expected \(V, D\)"),
    "integers": (lambda: kernels.embedding_forward(INDICES, np.ones((3, 4), int)), TypeError, "embeddings has dtype int64"),
    "rows of dy": (lambda: kernels.embedding_backward(np.ones((3, 4)), INDICES, TABLE), ValueError,
                   r"dy has shape \(3, 4\), expected \(2, 4\) = \(..., D\)"),
    "columns of dy": (lambda: kernels.embedding_backward(np.ones((2, 3)), INDICES, TABLE), ValueError, r"expected \(2, 4\)"),
    "axes of dy": (lambda: kernels.embedding_backward(np.ones((1, 2, 4)), INDICES, TABLE), ValueError, r"expected \(2, 4\)"),
    "another dtype": (lambda: kernels.embedding_backward(DY.astype("f4"), INDICES, TABLE), TypeError, "embeddings has dtype float"),
    "no out": (lambda: kernels.embedding_backward(DY, INDICES, TABLE, accumulate=True), ValueError, "accumulate=True needs out"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused(name, compiled):
    call, error, words = BAD[name]
    with pytest.raises(error, match=words):
        call()


def test_overlaps_are_refused(compiled):
    table = np.ones((3, 4))
    with pytest.raises(ValueError, match="out, for y, overlaps embeddings"):
        kernels.embedding_forward(INDICES, table, out=table[:2])
    memory = np.zeros((3, 4))
    with pytest.raises(ValueError, match="out, for y, overlaps indices"):
        kernels.embedding_forward(memory.view("i8")[0, :3], table, out=memory)
    with pytest.raises(ValueError, match="out, for dembeddings, overlaps dy"):
        kernels.embedding_backward(memory[:2], INDICES, table, out=memory)
    with pytest.raises(ValueError, match="out, for dembeddings, overlaps indices"):
        kernels.embedding_backward(np.ones((4, 4)), memory.view("i8")[0], table, out=memory)
    out = table  # the gradient may take the matrix's place: that is not read
    kernels.embedding_backward(DY, INDICES, table, out=out)
    np.testing.assert_array_equal(out, [[1] * 4, [0] * 4, [1] * 4])
