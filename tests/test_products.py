"""The compiled products beyond parity: edges of tiles, accumulation, NaN and Inf, gradients, threads.

Small integers make every result exact in any order of summation, so one wrong element shows.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from differences import differences
from tiles import KC, around, columns_of, lanes_of, whole

from fastopt import kernels, reference
from fastopt.reference.activations import ACTIVATIONS

DTYPES = (np.float32, np.float64)
inf, nan = np.inf, np.nan


def gemm_of(a, b, transpose_a=False, transpose_b=False, **options):
    """a (M, K) times b (K, N), handed over as the transposes of what the flags then transpose back."""
    return kernels.gemm(a.T if transpose_a else a, b.T if transpose_b else b, transpose_a=transpose_a, transpose_b=transpose_b,
                        **options)  # fmt: skip


# ---- sizes


@pytest.mark.parametrize("dtype", DTYPES)
def test_edges_of_the_tiles(dtype, isa, rng):
    """Rows about MR, columns about the widths of tiles and of what is packed at a time, k about vectors and KC."""
    lanes = lanes_of(isa, dtype)
    packed = columns_of(dtype)
    ms = [*range(14), *around(18, 24, 36)]
    ns = sorted({0, 1, 2, 3, 4, 5, *around(lanes, 2 * lanes, 4 * lanes, 8 * lanes, 16 * lanes, packed), packed + lanes})
    ks = sorted({0, 1, 2, *around(lanes, 2 * lanes, 64, KC, 2 * KC)})
    a, b = whole(rng, (max(ms), max(ks)), dtype), whole(rng, (max(ks), max(ns)), dtype)
    columns = np.asfortranarray(b)
    sizes = {
        *itertools.product(ms, ns, (3, 2 * lanes + 1)),
        *itertools.product(ms, (lanes - 1, 2 * lanes + 3), ks),
        *itertools.product((1, 5, 13), ns, (0, 1, KC + 1)),
        *itertools.product((1, 6, 13, 37), (packed + 1,), (2 * KC + 1,)),
    }
    for m, n, k in sorted(sizes):
        want = a[:m, :k] @ b[:k, :n]
        for right in (b[:k, :n], columns[:k, :n]):
            got = kernels.gemm(a[:m, :k], right)
            assert np.array_equal(got, want), (m, n, k, right.strides)
    assert np.array_equal(kernels.gemm(b[:300].T, a.T[:300].copy()), b[:300].T @ a.T[:300])  # many rows, few columns


@pytest.mark.parametrize("dtype", DTYPES)
def test_matrices_of_few_columns(dtype, isa, rng):
    """Without gaps between their rows, so that whole vectors of them are taken apart and put together; and with gaps."""
    lanes = lanes_of(isa, dtype)
    for m, k, n in itertools.product((1, 3, *around(lanes, 2 * lanes, 5 * lanes)), (1, 2, 3, 4, 8, 16), (1, 2, 3, 4, 8, 16)):
        a, b, c = (whole(rng, shape, dtype) for shape in ((m, k), (k, n), (m, n)))
        gaps = np.zeros((m, k + 1), dtype)[:, :k]
        gaps[...] = a
        for left in (a, gaps):
            out = c.copy()
            assert np.array_equal(kernels.gemm(left, b, out=out), a @ b), (m, k, n, left.strides)
            assert np.array_equal(kernels.gemm(left, b, out=out, accumulate=True), 2 * (a @ b)), (m, k, n, left.strides)
        assert np.array_equal(kernels.gemm(b, a, transpose_a=True, transpose_b=True), (a @ b).T), (m, k, n)
        assert np.array_equal(kernels.gemm(a, c, transpose_a=True), a.T @ c), (m, k, n)


# ---- accumulation


@pytest.mark.parametrize("dtype", DTYPES)
def test_gemm_accumulates(dtype, isa, rng, cut):
    for m, n, k in [(1, 1, 0), (1, 1, 1), (3, 5, 40), (1, 100, 40), (100, 1, 40), (5, 7, 0), (13, 70, 600), (70, 13, 600),
                    (40, 600, 9), (8, 3, 257), (0, 4, 4)]:  # fmt: skip
        a, b, c = (whole(rng, shape, dtype) for shape in ((m, k), (k, n), (m, n)))
        for turns in itertools.product((False, True), repeat=2):
            for threads in (1, 3):
                cut(threads)
                for left, right in ((a, b), (np.asfortranarray(a), np.asfortranarray(b))):
                    out = c.copy()
                    assert gemm_of(left, right, *turns, out=out, accumulate=True) is out
                    assert np.array_equal(out, c + a @ b), (m, n, k, turns, threads)
                    assert gemm_of(left, right, *turns, out=out) is out
                    assert np.array_equal(out, a @ b), (m, n, k, turns, threads)


@pytest.mark.parametrize("dtype", DTYPES)
def test_backward_accumulates(dtype, isa, rng, cut):
    """To dkernel and dbias, not to dx; each by itself, too."""
    for rows, inputs, outputs in [(1, 1, 1), (5, 7, 3), (300, 20, 33), (3, 100, 70), (0, 3, 4)]:
        x, kernel, dy = (whole(rng, shape, dtype) for shape in ((rows, inputs), (inputs, outputs), (rows, outputs)))
        want = reference.dense_backward(dy, x, kernel, dy)
        for threads, need in itertools.product((1, 3), itertools.product((False, True), repeat=3)):
            cut(threads)
            out = tuple(whole(rng, w.shape, dtype) for w in want)
            expected = [w + (o if i else 0) for i, (w, o) in enumerate(zip(want, out))]
            before = [o.copy() for o in out]
            given = tuple(o if needed else None for o, needed in zip(out, need))
            got = kernels.dense_backward(dy, x, kernel, dy, need=need, accumulate=True, out=given)
            for g, o, w, b, needed in zip(got, out, expected, before, need):
                assert g is (o if needed else None)
                assert np.array_equal(o, w if needed else b), (rows, inputs, outputs, threads, need)
    got = kernels.dense_backward(dy, x, kernel, dy, need=(True, False, False), accumulate=True)  # nothing to add to
    assert np.array_equal(got[0], want[0])


# ---- dy as workspace


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_overwrite_dy(name, isa, rng):
    """The same bits; without leave dy keeps its own."""
    x, kernel, dy = (rng.normal(0, 1, s) for s in ((9, 5), (5, 7), (9, 7)))
    y, z = kernels.dense_forward(x, kernel, None, name, return_z=True)
    given = dy.copy()
    want = kernels.dense_backward(given, x, kernel, y, name, z=z)
    assert np.array_equal(given, dy)
    spread = np.zeros((9, 14))[:, ::2]
    spread[...] = dy
    given.flags.writeable = False
    for leave in (dy.copy(), given, spread):
        got = kernels.dense_backward(leave, x, kernel, y, name, z=z, overwrite_dy=True)
        np.testing.assert_equal(got, want)
    assert np.array_equal(given, dy)
    assert np.array_equal(spread, dy)


def test_dy_is_no_workspace_where_it_is_read_again(isa, rng):
    """As x, as the kernel, or as part of either."""
    shared = rng.normal(0, 1, (6, 6))
    y = kernels.dense_forward(shared, shared, None, "tanh")
    want = kernels.dense_backward(shared.copy(), shared.copy(), shared.copy(), y, "tanh")
    before = shared.copy()
    for x, kernel in ((shared, shared.copy()), (shared.copy(), shared), (shared, shared)):
        np.testing.assert_equal(kernels.dense_backward(shared, x, kernel, y, "tanh", overwrite_dy=True), want)
        assert np.array_equal(shared, before)
    want = kernels.dense_backward(y.copy(), shared, shared.copy(), y, "tanh")
    np.testing.assert_equal(kernels.dense_backward(y, shared, shared.copy(), y, "tanh", overwrite_dy=True), want)


# ---- NaN and Inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_and_inf_stay_in_their_rows_and_columns(dtype, isa, rng):
    """0 * Inf is NaN, no product is left out, and no other row or column hears of it: in whichever variant, at whichever place."""
    lanes = lanes_of(isa, dtype)
    for m, n, k in [(1, 1, 1), (1, 40, 70), (40, 1, 70), (3, lanes + 1, 2 * lanes + 1), (13, 2 * lanes + 3, 300), (40, 70, 300),
                    (4, 4, 64)]:  # fmt: skip
        a, b = rng.integers(1, 4, (2, 700, 700)).astype(dtype)
        a, b = a[:m, :k].copy(), b[:k, :n].copy()
        for i, j, p in {(0, 0, 0), (m - 1, n - 1, k - 1), (m // 2, n // 3, k // 2), (m - 1, 0, k // 3)}:
            for turns in itertools.product((False, True), repeat=2):
                left, right = a.copy(), b.copy()
                left[i, p], right[p, j] = 0, inf
                want = a @ b
                want[i] = left[i] @ b
                want[:, j] = inf
                want[i, j] = nan
                for order in "CF":
                    got = gemm_of(np.asarray(left, order=order), np.asarray(right, order=order), *turns)
                    np.testing.assert_array_equal(got, want, err_msg=f"{m, n, k} {i, j, p} {turns} {order}")
                left[i, p] = nan
                want[i] = nan
                np.testing.assert_array_equal(gemm_of(left, right, *turns), want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_and_inf_in_a_layer(dtype, isa, rng):
    x, kernel, dy = rng.integers(1, 4, (3, 20, 20)).astype(dtype)
    for place in np.ndindex(4, 5):
        row, column = 5 * place[0] + 1, 4 * place[1] + 1
        bad = x.copy()
        bad[row, column] = nan
        y = kernels.dense_forward(bad, kernel, None, "relu")
        assert np.array_equal(np.isnan(y), np.broadcast_to(np.arange(20)[:, None] == row, y.shape))
        dx, dkernel, dbias = kernels.dense_backward(dy, bad, kernel, dy)
        assert np.array_equal(np.isnan(dkernel), np.broadcast_to(np.arange(20)[:, None] == column, y.shape))
        assert not np.isnan(dx).any()
        assert not np.isnan(dbias).any()
        bad = dy.copy()
        bad[row, column] = inf
        dx, dkernel, dbias = kernels.dense_backward(bad, x, kernel, dy)
        assert np.array_equal(np.isinf(dx), np.broadcast_to(np.arange(20)[:, None] == row, y.shape))
        assert np.array_equal(np.isinf(dkernel), np.broadcast_to(np.arange(20) == column, y.shape))
        assert np.array_equal(np.isinf(dbias), np.arange(20) == column)
        bias = np.ones(20, dtype)
        bias[column] = nan
        assert np.array_equal(np.isnan(kernels.dense_forward(x, kernel, bias)), np.broadcast_to(np.arange(20) == column, y.shape))


# ---- gradients


@pytest.mark.parametrize("shape", [(7,), (5, 7), (2, 3, 7)])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_central_differences(name, shape, isa, rng):
    options = {"alpha": 0.7} if ACTIVATIONS[name].alpha else {}
    given = [rng.normal(0, 1, shape), rng.normal(0, 1, (7, 3)), rng.normal(0, 1, 3)]
    dy = rng.normal(0, 1, (*shape[:-1], 3))
    y, z = kernels.dense_forward(*given, name, return_z=True, **options)
    got = kernels.dense_backward(dy, *given[:2], y, name, z=z, **options)
    for i, gradient in enumerate(got):

        def loss(moved, i=i):
            return np.sum(dy * kernels.dense_forward(*given[:i], moved, *given[i + 1 :], name, **options))

        np.testing.assert_allclose(gradient, differences(loss, given[i], 1e-5), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["linear", "gelu", "softmax"])
def test_leading_axes_are_rows(name, isa, rng):
    """(..., I) as (rows, I), to the bit, also where an axis is empty and where x is one row."""
    kernel, bias = rng.normal(0, 1, (6, 11)), rng.normal(0, 1, 11)
    for lead in [(), (1,), (3, 4), (2, 1, 3), (2, 0, 3), (1, 1, 1, 1, 5)]:
        rows = int(np.prod(lead))
        x, dy = rng.normal(0, 1, (*lead, 6)), rng.normal(0, 1, (*lead, 11))
        y, z = kernels.dense_forward(x, kernel, bias, name, return_z=True)
        assert y.shape == z.shape == dy.shape
        flat = kernels.dense_forward(x.reshape(rows, 6), kernel, bias, name, return_z=True)
        assert np.array_equal(y, flat[0].reshape(dy.shape))
        assert np.array_equal(z, flat[1].reshape(dy.shape))
        dx, dkernel, dbias = kernels.dense_backward(dy, x, kernel, y, name, z=z)
        want = kernels.dense_backward(dy.reshape(rows, 11), x.reshape(rows, 6), kernel, flat[0], name, z=flat[1])
        assert np.array_equal(dx, want[0].reshape(x.shape))
        assert np.array_equal(dkernel, want[1])
        assert np.array_equal(dbias, want[2])


# ---- threads


@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_change_no_bit(dtype, isa, rng, cut):
    """Also around the shapes where another variant takes over: the part of a thread would often have gone by another one."""
    lanes = lanes_of(isa, dtype)
    columns = (1, lanes - 1, 2 * lanes + 1, 16 * lanes + 3)
    shapes = [*itertools.product((1, 2, 4, 8, 9, 13), columns, (2 * lanes, 270)), *rng.integers(1, 200, (8, 3)).tolist()]
    shapes += [(300, 200, 300), (1, 5000, 40), (5000, 3, 40), (37, 1100, 5)]
    for m, n, k in shapes:
        a, b, bias = (rng.normal(0, 1, shape).astype(dtype) for shape in ((m, k), (k, n), (n,)))
        kept = {}
        for threads in (1, 2, 3, 6):
            cut(threads)
            for orders in itertools.product("CF", repeat=2):
                left, right = (np.asarray(x, order=o) for x, o in zip((a, b), orders))
                got = kernels.gemm(left, right)
                assert np.array_equal(kept.setdefault(orders, got), got), (m, n, k, orders, threads)
            if m * n * k < 1e6:
                y = kernels.dense_forward(a, b, bias, "tanh")
                got = (y, *kernels.dense_backward(y, a, b, y, "tanh"))
                for part, (one, many) in enumerate(zip(kept.setdefault("layer", got), got)):
                    assert np.array_equal(one, many), (m, n, k, "y dx dkernel dbias".split()[part], threads)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_do_not_depend_on_their_company(dtype, isa, rng):
    """A row of a product is the same by itself: one chain of operations in all variants but that of dot products."""
    for n, k in ((9, 40), (33, 300), (70, 600), (300, 40)):
        a, b = rng.normal(0, 1, (70, k)).astype(dtype), rng.normal(0, 1, (k, n)).astype(dtype)
        c = kernels.gemm(a, b)
        for begin, end in ((0, 1), (3, 5), (69, 70), (11, 24), (0, 40)):
            for part in (a[begin:end], a.T[:, begin:end].copy().T):
                assert np.array_equal(kernels.gemm(part, b), c[begin:end]), (n, k, begin, end)


@pytest.mark.parametrize("threads", [1, 2])
def test_from_many_python_threads(threads, compiled, rng, cut):
    """Each thread has a workspace of its own, which grows and is used again."""
    cut(threads)
    jobs, shapes = [], [(3, 5, 40), (200, 90, 300), (13, 700, 20), (4, 30, 600), (60, 60, 60), (2, 2, 5000)]
    for dtype, (m, n, k) in itertools.product(DTYPES, shapes):
        a, b = whole(rng, (m, k), dtype), whole(rng, (k, n), dtype)
        jobs.append((np.asfortranarray(a), b, a @ b))
        jobs.append((a, np.asfortranarray(b), a @ b))

    def work(seed):
        order = np.random.default_rng(seed).permutation(len(jobs) * 4) % len(jobs)
        return all(np.array_equal(kernels.gemm(jobs[i][0], jobs[i][1]), jobs[i][2]) for i in order)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(24)))
