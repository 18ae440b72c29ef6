"""More elements than 32 bits count: a few kernels really run on them, the others on a vector whose pages are the same ones over
and over, so that only the arithmetic of indices is large.

`pytest -m slow tests/test_large.py`: up to a minute each, 14 GB at most; one after the other.
"""

import numpy as np
import pytest
from fenced import Aliased, libc, open_up, reserve

import fastopt
from fastopt import kernels, reference
from fastopt.reference.activations import BY_ROWS
from fastopt.testing import CASES
from fastopt.testing.case import Update

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("compiled")]

REST = 1025
PERIOD = Aliased.PERIOD
MANY = -(-(2**31) // PERIOD) * PERIOD + REST  # elements


@pytest.fixture
def aliased():
    """aliased(values, size=MANY): these values, as many as there are in a period, over and over."""
    made = []

    def make(values, size=MANY):
        made.append(Aliased(values.dtype, size, values))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def memory():
    """memory(gigabytes): skips the test where so much is not to be had."""

    def needs(gigabytes):
        with open("/proc/meminfo") as f:
            free = next(int(line.split()[1]) for line in f if line.startswith("MemAvailable"))
        if free < (gigabytes + 1) * 1e6:
            pytest.skip(f"needs {gigabytes} GB of memory, {free / 1e6:.1f} are available")

    return needs


# ---- really run


def test_sgd(memory, aliased, rng):
    """2^31 parameters and some in memory, both threads."""
    memory(9)
    grad = aliased(rng.normal(0, 1, PERIOD).astype("f4"))
    param = np.zeros(MANY, np.float32)
    fastopt.SGD([param], lr=0.5).step([grad.all])
    want = -0.5 * grad.once
    assert all(np.array_equal(param[i : i + PERIOD], want[: MANY - i]) for i in range(0, MANY, PERIOD))


def test_relu_in_place(memory, aliased, rng):
    memory(9)
    x = np.empty(MANY, np.float32)
    values = rng.normal(0, 1, PERIOD).astype("f4")
    for i in range(0, MANY, PERIOD):
        x[i : i + PERIOD] = values[: MANY - i]
    assert kernels.activation_forward(x, "relu", out=x) is x
    want = np.maximum(values, 0)
    assert all(np.array_equal(x[i : i + PERIOD], want[: MANY - i]) for i in range(0, MANY, PERIOD))


def test_embedding_gradient(memory, rng):
    """Every row of a (2^21 + 5, 1024) gradient is zeroed, few are added to."""
    memory(9)
    vocabulary = 2**21 + 5
    indices, dy = np.array([0, vocabulary - 1, 2**20, vocabulary - 1]), rng.normal(0, 1, (4, 1024)).astype("f4")
    like = np.broadcast_to(np.float32(0), (vocabulary, 1024))
    got = kernels.embedding_backward(dy, indices, like)
    assert np.array_equal(got[[0, 2**20, -1]], [dy[0], dy[2], dy[1] + dy[3]])
    assert np.count_nonzero(got) == np.count_nonzero(got[[0, 2**20, -1]])


def test_embedding_far_rows(rng):
    """A matrix of 2^33 elements, of which only the pages of the rows that are asked for exist."""
    columns, rows = 1000, np.array([0, 5, 2**22 + 1, 2**23 + 7, 2**23 + 9])
    nbytes = (rows[-1] + 1) * columns * 4
    before = 1 << 36  # bytes
    address = reserve(before + nbytes) + before
    view = np.lib.stride_tricks.as_strided(
        np.ctypeslib.as_array((np.ctypeslib.as_ctypes_type(np.dtype("f4")) * 1).from_address(address)),
        (int(rows[-1]) + 1, columns), (4 * columns, 4))  # fmt: skip
    for row in rows:
        open_up(address + int(row) * columns * 4, columns * 4)
        view[row] = rng.normal(0, 1, columns)
    values, indices = view[rows], rng.integers(0, len(rows), 300)
    assert np.array_equal(kernels.embedding_forward(rows[indices], view), values[indices])
    dy = rng.normal(0, 1, (300, columns)).astype("f4")
    want = reference.embedding_backward(dy, indices, values, accumulate=True, out=values.copy())
    kernels.embedding_backward(dy, rows[indices], np.broadcast_to(np.float32(0), view.shape), accumulate=True, out=view)
    np.testing.assert_allclose(view[rows], want, rtol=1e-4, atol=1e-4)
    libc.munmap(address - before, before + nbytes)


# ---- the same pages over and over


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if isinstance(case, Update)])
def test_updates(name, aliased, rng, cut):
    """Each pass over the period is one more update of it."""
    cut(1)
    case = CASES[name]
    options = case.options()[0]
    arrays = case.draw(rng, (PERIOD,), np.float32, options)
    many = {n: a if a is None else aliased(a) for n, a in arrays.items()}
    getattr(kernels, name)(**{n: a and a.all for n, a in many.items()}, **options)
    for _ in range(MANY // PERIOD):
        getattr(kernels, name)(**arrays, **options)
    getattr(kernels, name)(**{n: None if a is None else a[:REST] for n, a in arrays.items()}, **options)
    for n, a in arrays.items():
        assert a is None or many[n].once.tobytes() == a.tobytes(), n


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", ["relu", "tanh", "gelu"])
def test_activations(name, threads, aliased, rng, cut):
    cut(threads)
    x, dy = aliased(rng.normal(0, 1, PERIOD).astype("f4")), aliased(rng.normal(0, 1, PERIOD).astype("f4"))
    y = aliased(np.zeros(PERIOD, np.float32))
    kernels.activation_forward(x.all, name, out=y.all)
    assert np.array_equal(y.once, kernels.activation_forward(x.once, name))
    dz = aliased(np.zeros(PERIOD, np.float32))
    kernels.activation_backward(dy.all, y.all, name, z=x.all, out=dz.all)
    assert np.array_equal(dz.once, kernels.activation_backward(dy.once, y.once, name, z=x.once))


SHAPE = (MANY // PERIOD * 1024, 1021)


def rows_of(one):
    """All of it as rows, and one period of it."""
    return one.all[: MANY - REST].reshape(SHAPE), one.once.reshape(-1, 1021)


@pytest.fixture
def matrices(aliased, rng):
    """matrices(n): n random ones of SHAPE, and one period of each."""
    return lambda n: [rows_of(aliased(rng.uniform(0.1, 0.9, PERIOD).astype("f4"))) for _ in range(n)]


@pytest.mark.parametrize("name", BY_ROWS)
def test_activations_by_rows(name, matrices):
    (x, one_x), (y, one_y) = matrices(2)
    kernels.activation_forward(x, name, out=y)
    assert np.array_equal(one_y, kernels.activation_forward(one_x, name))


@pytest.mark.parametrize("name", ["mean_squared_error", "huber", "categorical_crossentropy", "cosine_similarity"])
def test_losses(name, matrices):
    (t, one_t), (p, one_p), (dy, one_dy) = matrices(3)
    value, _ = getattr(kernels, name)(t, p, out=dy)
    want, gradient = getattr(kernels, name)(one_t, one_p)
    np.testing.assert_allclose(value, want, rtol=1e-6)
    np.testing.assert_allclose(one_dy, gradient * (len(one_p) / len(p)), rtol=1e-5, atol=1e-15)


def test_penalty(matrices):
    ((w, one_w),) = matrices(1)
    value, gradient = kernels.penalty(w, l1=0.5, l2=0.25, out=(g := matrices(1)[0])[0])
    want, one = kernels.penalty(one_w, l1=0.5, l2=0.25)
    np.testing.assert_allclose(value, want * (w.size // one_w.size), rtol=1e-6)
    assert gradient is g[0]
    assert np.array_equal(g[1], one)


def test_layer_norm(matrices):
    (x, one_x), (y, one_y) = matrices(2)
    _, mean, rstd = kernels.layer_norm_forward(x, out=(y, None, None))
    want, *statistics = kernels.layer_norm_forward(one_x)
    assert np.array_equal(one_y, want)
    for got, one in zip((mean, rstd), statistics):
        assert all(np.array_equal(got[i : i + len(one)], one) for i in range(0, len(got), len(one)))


def test_batch_norm(matrices):
    (x, one_x), (y, one_y) = matrices(2)
    got = kernels.batch_norm_forward(x, out=(y, None, None))
    for g, want in zip((one_y, *got[1:]), kernels.batch_norm_forward(one_x)):
        np.testing.assert_allclose(g, want, rtol=1e-4, atol=1e-5)


def test_dropout_counts_on(aliased):
    """The mask of an element is drawn by its number, all of it: the last ones have not that of the first."""
    x, y = aliased(np.ones(PERIOD, np.float32)), aliased(np.zeros(PERIOD, np.float32))
    kernels.dropout(x.all, 0.5, seed=1, out=y.all)
    first = kernels.dropout(x.once, 0.5, seed=1)
    assert 0.4 < np.mean(y.once[:REST] != first[:REST]) < 0.6


@pytest.mark.parametrize("columns", [1, 2, 20])
def test_products_of_depth(columns, aliased, rng):
    """k runs over 2^31 elements of a and of b, whose products sum up to 0 in each period."""
    a, b = (rng.integers(-3, 4, PERIOD).astype("f4") for _ in range(2))
    a[PERIOD // 2 : 2 * (PERIOD // 2)], b[PERIOD // 2 : 2 * (PERIOD // 2)] = a[: PERIOD // 2], -b[: PERIOD // 2]
    want = a[:REST] @ b[:REST]
    a, b = aliased(a).all, aliased(b).all
    b = np.lib.stride_tricks.as_strided(b, (MANY, columns), (4, 0))
    assert np.array_equal(kernels.gemm(a[None], b), np.full((1, columns), want))


def test_dense(aliased):
    """A layer of one input and 1024 outputs: y, and the gradients from it."""
    outputs, inside = 1024, PERIOD // 1024
    rows = -(-(2**31) // PERIOD) * inside + 1
    x = (np.arange(rows, dtype=np.float32) % inside % 7)[:, None]
    kernel = (np.arange(outputs, dtype=np.float32) % 5)[None]
    big = aliased(np.zeros(PERIOD, np.float32), rows * outputs)
    y = kernels.dense_forward(x, kernel, None, "relu", out=big.all.reshape(rows, outputs))
    assert np.array_equal(big.once.reshape(inside, outputs), x[:inside] * kernel)
    assert np.array_equal(kernels.gemm(y, kernel, transpose_b=True), x * 6134)  # sum of squares of kernel
    dx, dkernel, dbias = kernels.dense_backward(y, x, kernel, y, "linear")
    assert np.array_equal(dx, x * 6134)
    np.testing.assert_allclose(dbias, kernel[0] * x.sum(dtype=float), rtol=1e-4)
    np.testing.assert_allclose(dkernel, kernel * np.sum(x * x, dtype=float), rtol=1e-4)


def assert_repeated(got, once, times):
    """Sums over `times` as many tokens as `once`."""
    for a, b in zip(got, once):
        np.testing.assert_allclose(a, times * b, rtol=1e-3, atol=1e-3 * times * np.abs(b).max())


@pytest.mark.parametrize(("name", "gates"), [("rnn", 1), ("lstm", 4), ("gru", 3)])
def test_recurrent_inputs(name, gates, aliased, rng):
    """x and dx of sequences that are the same 256 over and over; units are whole vectors, so that dx is written once."""
    steps, inputs, units, times = 4, 1021, 16, MANY // PERIOD
    x, dx = (aliased(rng.normal(0, 1, PERIOD).astype("f4"), times * PERIOD) for _ in range(2))
    weights = [rng.normal(0, 0.1, shape).astype("f4") for shape in ((inputs, gates * units), (units, gates * units))]
    dy, states = rng.normal(0, 1, (256, steps, units)).astype("f4"), 2 if name == "lstm" else 1

    def passes(x, dy, dx):
        y, *_, saved = getattr(kernels, f"{name}_forward")(x.reshape(-1, steps, inputs), *weights)
        out = (dx.reshape(-1, steps, inputs), *(None,) * (3 + states))
        return y, *getattr(kernels, f"{name}_backward")(dy, *(None,) * states, saved, out=out)

    y, _, *many = passes(x.all, np.tile(dy, (times, 1, 1)), dx.all)
    one_y, one_dx, *one = passes(x.once, dy, np.empty(PERIOD, np.float32))
    assert np.array_equal(y.reshape(times, *one_y.shape), np.broadcast_to(one_y, (times, *one_y.shape)))
    assert np.array_equal(dx.once.reshape(one_dx.shape), one_dx)
    assert_repeated(many[:3], one[:3], times)


def test_recurrent_memory(memory, aliased, rng):
    """What a layer keeps of 2^23 tokens with four gates of 64 units, sequences that are the same 16 over and over."""
    memory(14)
    steps, units, sequences, times = 1021, 64, 16, 2**23 // (16 * 1021) + 1
    x = np.tile(rng.normal(0, 1, (sequences, steps, 1)).astype("f4"), (times, 1, 1))
    weights = [rng.normal(0, 0.1, shape).astype("f4") for shape in ((1, 4 * units), (units, 4 * units))]
    y, dy = (aliased(rng.normal(0, 1, PERIOD).astype("f4"), times * PERIOD) for _ in range(2))
    assert len(x) * steps * 4 * units > 2**31
    *_, saved = kernels.lstm_forward(x, *weights, out=(y.all.reshape(-1, steps, units), None, None, None))
    dx, *many = kernels.lstm_backward(dy.all.reshape(-1, steps, units), None, None, saved)
    one_y, *_, saved = kernels.lstm_forward(x[:sequences], *weights)
    one_dx, *one = kernels.lstm_backward(dy.once.reshape(-1, steps, units), None, None, saved)
    assert np.array_equal(y.once.reshape(one_y.shape), one_y)
    assert np.array_equal(dx.reshape(times, *one_dx.shape), np.broadcast_to(one_dx, (times, *one_dx.shape)))
    assert_repeated(many[:3], one[:3], times)
