"""The judge of the definitions of the recurrent kernels: literals worked by hand, central differences, sequences one by one.

Beside it test_reference_recurrent_frameworks.py, Torch and Keras, and test_recurrent_calls.py, bad input, `saved`, `out`.
"""

import numpy as np
import pytest
from slopes import slope

from fastopt.reference import gru, lstm, rnn
from fastopt.reference.recurrent_checks import USABLE
from fastopt.testing.recurrent import CASES

KERNELS = {"rnn": rnn, "lstm": lstm, "gru": gru}
LINEAR = dict(activation="linear", recurrent_activation="linear")


def run(kernel, arguments, dy=None, dh_n=None, dc_n=None, **options):
    """The results of the forward pass, and the gradients by the argument's name."""
    module = KERNELS[kernel]
    *results, saved = getattr(module, f"{kernel}_forward")(**arguments)
    incoming = (dy, dh_n, dc_n) if kernel == "lstm" else (dy, dh_n)
    gradients = getattr(module, f"{kernel}_backward")(*incoming, saved, **options)
    states = ("h0", "c0") if kernel == "lstm" else ("h0",)
    return results, dict(zip(("x", "kernel", "recurrent_kernel", "bias", *states, "peepholes", "projection"), gradients))


def given(dtype, **arrays):
    return {name: np.array(a, dtype) if isinstance(a, list) else a for name, a in arrays.items()}


def exactly(got, **want):
    for name, value in want.items():
        value = np.asarray(value, got[name].dtype)
        assert got[name].shape == value.shape, name
        np.testing.assert_array_equal(got[name], value, err_msg=name)


# ---- literals


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rnn_literal(dtype):
    a = given(dtype, x=[[[1], [2]]], kernel=[[1, -1]], recurrent_kernel=[[1, 2], [0, 1]], bias=[0.5, 0], h0=[[1, 1]],
              activation="linear")  # fmt: skip
    dy, dh_n = np.array([[[1, 0], [0, 1]]], dtype), np.array([[1, 1]], dtype)
    (y, h_n), got = run("rnn", a, dy, dh_n)
    # (1, -1) + (1, 2 + 1) + (0.5, 0); (2, -2) + (2.5, 5 + 2) + (0.5, 0)
    exactly(dict(y=y, h_n=h_n), y=[[[2.5, 2], [5, 5]]], h_n=[[5, 5]])
    # the last step: dz = (0, 1) + (1, 1), back through the recurrent kernel (1 + 4, 2); the first: dz = (5, 2) + (1, 0)
    exactly(
        got,
        x=[[[4], [-1]]],  # 6 - 2; 1 - 2
        kernel=[[8, 6]],  # 2 (1, 2) + (6, 2)
        recurrent_kernel=[[8.5, 7], [8, 6]],  # (2.5, 2)^T (1, 2) + (1, 1)^T (6, 2)
        bias=[7, 4],
        h0=[[10, 2]],  # 6 + 4, 2
    )
    assert y.dtype == h_n.dtype == got["x"].dtype == got["h0"].dtype == dtype
    # reversed, x[:, 1] comes first: (2, -2) + (1, 3) + (0.5, 0); (1, -1) + (3.5, 7 + 1) + (0.5, 0)
    (y, h_n), _ = run("rnn", a | dict(reverse=True))
    exactly(dict(y=y, h_n=h_n), y=[[[5, 7], [3.5, 1]]], h_n=[[5, 7]])
    # of length 1 the second step is not there; in reverse the first is the only one
    for reverse in (False, True):
        (y, h_n), got = run("rnn", a | dict(lengths=np.array([1]), reverse=reverse), dy, dh_n)
        exactly(dict(y=y, h_n=h_n), y=[[[2.5, 2], [0, 0]]], h_n=[[2.5, 2]])
        exactly(got, x=[[[1], [0]]], kernel=[[2, 1]], bias=[2, 1], h0=[[4, 1]])  # dz = (1, 0) + (1, 1); 2 - 1; 2 + 2, 1
    (y, h_n), got = run("rnn", a | dict(lengths=np.array([0])), dy, dh_n)
    exactly(dict(y=y, h_n=h_n), y=np.zeros((1, 2, 2)), h_n=[[1, 1]])
    exactly(got, x=np.zeros((1, 2, 1)), kernel=[[0, 0]], recurrent_kernel=np.zeros((2, 2)), bias=[0, 0], h0=[[1, 1]])


CELL = dict(x=[[[1]]], kernel=[[1, 2, 3, -1]], recurrent_kernel=[[1, 0, -1, 2]], bias=[0, -1, 0, 2 - 1], h0=[[1]], c0=[[3]])


@pytest.mark.parametrize(
    ("options", "h", "c", "want"),
    [
        # i = 1 + 1, f = 2 - 1, g = 3 - 1, o = -1 + 2 + 1; c = 1 * 3 + 2 * 2, h = 2 * 7
        # do = c, dc = o = 2; di = 2 g, df = 2 c0, dg = 2 i; dx = 4 + 12 + 12 - 7, dh0 = 4 - 4 + 14, dc0 = 2 f
        ({}, [[14]], [[7]], dict(x=[[[21]]], bias=[4, 6, 4, 7], h0=[[14]], c0=[[2]])),
        # i = 2 + 3, f = 1 + 6; c = 21 + 10, o = 2 - 31; do = 31, dc = -29 - 31 = -60; dc0 = -60 * 7 - 120 - 2 * 180
        (dict(peepholes=[[1], [2], [-1]]), [[-899]], [[31]],
         dict(bias=[-120, -180, -300, 31], c0=[[-900]], peepholes=[[-360], [-540], [961]])),
        # i, g and o are 2, and become 1.5 without a gradient; c = 3 + 1.5^2; dc = 1.5, df = 4.5
        (dict(clip=1.5), [[7.875]], [[5.25]], dict(x=[[[9]]], bias=[0, 4.5, 0, 0], h0=[[0]], c0=[[1.5]])),
        # f = -1, c = -3 + 4; do = 1, dc = 2, di = 2 (g - c0) = -2, dg = 4
        (dict(input_forget=True), [[2]], [[1]], dict(bias=[-2, 0, 4, 1], c0=[[-2]])),
        # the first again, then times (2, -1): the gradient of o c is 2 - 1
        (dict(projection=[[2, -1]], h0=[[1, 0]], recurrent_kernel=[[1, 0, -1, 2], [5, 5, 5, 5]]), [[28, -14]], [[7]],
         dict(x=[[[21]]], bias=[4, 6, 4, 7], h0=[[14, 105]], c0=[[2]], projection=[[14, 14]],
              recurrent_kernel=[[4, 6, 4, 7], [0, 0, 0, 0]])),
    ],
    ids=["plain", "peepholes", "clip", "input_forget", "projection"],
)  # fmt: skip
def test_lstm_literal(options, h, c, want):
    a = given(np.float64, **CELL | options, **LINEAR)
    (y, h_n, c_n), got = run("lstm", a, np.ones_like(h, dtype="f8")[:, None])
    exactly(dict(y=y, h_n=h_n, c_n=c_n), y=[h], h_n=h, c_n=c)
    exactly(got, **want, kernel=[want["bias"]])
    assert got.get("peepholes") is None or "peepholes" in want
    (_, _, _), again = run("lstm", a, None, np.ones_like(h, dtype="f8"))
    np.testing.assert_equal(again, got)


@pytest.mark.parametrize(
    ("options", "h", "want"),
    [
        # z = 1 + 2, r = 2 + 2 - 2, n = 3 + r (2 * 2 + 1) = 13; h = 3 * 2 - 2 * 13
        # dn = -2, dz = 2 - 13, dr = -2 * 5, of the recurrent part of n -2 r; dx = -11 - 20 - 6, dh0 = 3 - 11 + 10 - 8
        (dict(bias=[[0, 2, 0], [0, 0, 1]]), -20,
         dict(x=-37, kernel=[[-11, -10, -2]], recurrent_kernel=[[-22, -20, -8]], bias=[[-11, -10, -2], [-11, -10, -4]], h0=-6)),
        # n = 3 + (2 * 2) 2 + 1; h = 6 - 2 * 12; dz = 2 - 12, of r h' -2 * 2, dr = -4 * 2; dx = -10 - 16 - 6
        # dh0 = 3 - 4 r - 10 + 8; 2 (-10, -8) and r h' times -2
        (dict(bias=[0, 2, 1], reset_after=False), -18,
         dict(x=-32, kernel=[[-10, -8, -2]], recurrent_kernel=[[-20, -16, -8]], bias=[-10, -8, -2], h0=-7)),
    ],
    ids=["after", "before"],
)  # fmt: skip
def test_gru_literal(options, h, want):
    a = given(np.float64, x=[[[1]]], kernel=[[1, 2, 3]], recurrent_kernel=[[1, -1, 2]], h0=[[2]], **LINEAR, **options)
    (y, h_n), got = run("gru", a, None, np.ones((1, 1)))
    exactly(dict(y=y, h_n=h_n), y=[[[h]]], h_n=[[h]])
    exactly(got, **want | dict(x=[[[want["x"]]]], h0=[[want["h0"]]]))


def test_default_activations():
    """tanh of sigmoids: one step of one unit, from zero."""
    one = np.ones((1, 1))
    sigma = 1 / (1 + np.exp(-1))
    (y, _), _ = run("rnn", dict(x=one[None], kernel=one, recurrent_kernel=one))
    np.testing.assert_allclose(y, np.tanh([[[1]]]), rtol=1e-15)
    (y, _, c_n), _ = run("lstm", dict(x=one[None], kernel=one.repeat(4, 1), recurrent_kernel=one.repeat(4, 1)))
    np.testing.assert_allclose(c_n, [[sigma * np.tanh(1)]], rtol=1e-15)
    np.testing.assert_allclose(y, [[[sigma * np.tanh(sigma * np.tanh(1))]]], rtol=1e-15)
    (y, _), _ = run("gru", dict(x=one[None], kernel=one.repeat(3, 1), recurrent_kernel=one.repeat(3, 1)))
    np.testing.assert_allclose(y, [[[(1 - sigma) * np.tanh(1)]]], rtol=1e-15)


# ---- central differences, over every option and combinations

SIZES = dict(B=3, T=3, I=2, H=2, P=3)
CHOICES = {
    "lengths": [None, "B"], "reverse": [False, True], "bias": [None, ""], "h0": [None, ""], "c0": [None, ""],
    "dropout": [None, "B I", "gates"], "recurrent_dropout": [None, "B P", "gates"], "peepholes": [None, "3 H"],
    "projection": [None, "H P"], "clip": [None, 0.7], "input_forget": [False, True], "reset_after": [False, True],
    "activation": ["tanh", "sigmoid", "softplus"], "recurrent_activation": ["sigmoid", "tanh"],  # no bend at 0, where masks lead to
}  # fmt: skip


def combination(kernel, rng):
    """Every option by lot."""
    case = CASES[f"{kernel}_forward"]
    known = [n for n in CHOICES if n in reference_arguments(kernel)]
    chosen = {n: CHOICES[n][rng.integers(len(CHOICES[n]))] for n in known}
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[kernel]
    for name, letter in (("dropout", "I"), ("recurrent_dropout", "P")):
        chosen[name] = f"B {gates} {letter}" if chosen[name] == "gates" else chosen[name]
    if not chosen.get("reset_after", True) and chosen["bias"] is not None:
        chosen["bias"] = "3H"
    return {n: case.arrays[n][0] if v == "" else v for n, v in chosen.items()}


def reference_arguments(kernel):
    function = getattr(KERNELS[kernel], f"{kernel}_forward")
    return function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]


def judge(kernel, options, rng, sizes=SIZES):
    """All gradients of sum(dy y) + sum(dh_n h_n) + sum(dc_n c_n), where they are not None, against differences."""
    case = CASES[f"{kernel}_backward"]
    drawn = case.draw(rng, sizes, np.float64, options)
    incoming = {n: drawn.pop(n) for n in case.arrays}
    need = options.get("need")
    arguments = {k: v for k, v in options.items() if k not in incoming and k != "need"} | drawn

    def loss():
        results = getattr(KERNELS[kernel], f"{kernel}_forward")(**arguments)
        return sum(np.nansum(g * r) for g, r in zip(incoming.values(), results) if g is not None)

    _, got = run(kernel, arguments, *incoming.values(), **({} if need is None else {"need": need}))
    for i, (name, gradient) in enumerate(got.items()):
        if gradient is None:
            assert arguments.get(name) is None or not need[i]
            continue
        if arguments.get(name) is None:  # zero where not given, the gradient is there all the same
            arguments[name] = np.zeros(gradient.shape)
        np.testing.assert_allclose(gradient, slope(loss, arguments[name], 1e-4), rtol=1e-7, atol=1e-8, err_msg=f"{name} {options}")


@pytest.mark.parametrize("kernel", KERNELS)
def test_central_differences(kernel, rng):
    for options in CASES[f"{kernel}_backward"].options():
        judge(kernel, options, rng)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("seed", range(12))
def test_central_differences_of_combinations(kernel, seed):
    rng = np.random.default_rng(seed)
    judge(kernel, combination(kernel, rng), rng)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", USABLE)
def test_central_differences_of_activations(name, kernel, rng):
    judge(kernel, dict(activation=name), rng)
    if kernel != "rnn":
        judge(kernel, dict(recurrent_activation=name), rng)


# ---- a ragged, reversed, masked batch is its sequences one by one


def alone(kernel, arguments, b):
    """The arguments of sequence b: cut to its length, turned where reversed, the masks multiplied into the kernels' rows."""
    a = dict(arguments)
    end = a["x"].shape[1] if a["lengths"] is None else int(a["lengths"][b])
    a["x"] = a["x"][b : b + 1, :end][:, :: -1 if a.get("reverse") else 1]
    for name in ("h0", "c0"):
        if a.get(name) is not None:
            a[name] = a[name][b : b + 1]
    for name, mask in (("kernel", "dropout"), ("recurrent_kernel", "recurrent_dropout")):
        a[name] = a[name] * columns_of(a[mask], b, a[name].shape)
    return {n: v for n, v in a.items() if n not in ("lengths", "reverse", "dropout", "recurrent_dropout")}, end


def columns_of(mask, b, shape):
    """The mask of sequence b as factors of a kernel's elements."""
    if mask is None:
        return np.ones(shape)
    rows = np.atleast_2d(mask[b])
    return np.repeat(rows.T, shape[1] // len(rows), axis=1)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("seed", range(8))
def test_sequences_one_by_one(kernel, seed):
    rng = np.random.default_rng(100 + seed)
    case, options = CASES[f"{kernel}_backward"], combination(kernel, rng)
    drawn = case.draw(rng, dict(B=5, T=4, I=3, H=4, P=2), np.float64, options)
    dy, *incoming = (drawn.pop(n) for n in case.arrays)
    arguments = options | drawn
    (y, *final), got = run(kernel, arguments, dy, *incoming)
    sums = {n: 0 for n, g in got.items() if n not in ("x", "h0", "c0") and g is not None}
    for b in range(5):
        mine, end = alone(kernel, arguments, b)
        turn = slice(None, None, -1 if options["reverse"] else 1)
        (y_b, *final_b), got_b = run(kernel, mine, dy[b : b + 1, :end][:, turn], *(d[b : b + 1] for d in incoming))
        near = dict(rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(y[b, :end], y_b[0, turn], **near)
        np.testing.assert_allclose(got["x"][b, :end], got_b["x"][0, turn], **near)
        assert not y[b, end:].any()
        assert not got["x"][b, end:].any()
        for whole, part in (*zip(final, final_b), *((got[n], got_b[n]) for n in ("h0", "c0") if n in got)):
            np.testing.assert_allclose(whole[b], part[0], **near)
        for name, mask in (("kernel", "dropout"), ("recurrent_kernel", "recurrent_dropout")):
            got_b[name] = got_b[name] * columns_of(arguments[mask], b, got_b[name].shape)
        sums = {n: s + got_b[n] for n, s in sums.items()}
    for name, total in sums.items():
        np.testing.assert_allclose(got[name], total, rtol=1e-11, atol=1e-13, err_msg=name)


def test_every_usable_activation_is_named():
    assert USABLE == ["linear", "relu", "leaky_relu", "elu", "selu", "sigmoid", "hard_sigmoid", "tanh", "softplus", "softsign",
                      "exponential"]  # fmt: skip
