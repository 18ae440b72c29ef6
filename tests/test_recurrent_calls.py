"""How the recurrent kernels, compiled and defined, are called: bad and empty input, NaN, `saved`, `need`, `accumulate`, `out`."""

import numpy as np
import pytest
from snapshots import frozen

from fastopt import kernels, reference
from fastopt.testing.recurrent import CASES

FORWARD, BACKWARD = {}, {}  # by kernel, those of the home at hand
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
SUMMED = ("dkernel", "drecurrent_kernel", "dbias", "dpeepholes", "dprojection")
each = pytest.mark.parametrize("kernel", GATES)


@pytest.fixture(params=[reference, kernels], ids=["definition", "kernels"], autouse=True)
def home(request, monkeypatch):
    for kernel in GATES:
        monkeypatch.setitem(FORWARD, kernel, getattr(request.param, f"{kernel}_forward"))
        monkeypatch.setitem(BACKWARD, kernel, getattr(request.param, f"{kernel}_backward"))


def drawn(kernel, rng, dtype=np.float64, sizes=(3, 4, 2, 5, 2), **options):
    """The arguments of a forward pass, and dy, dh_n (, dc_n)."""
    case = CASES[f"{kernel}_backward"]
    arrays = case.draw(rng, dict(zip("BTIHP", sizes)), dtype, options)
    incoming = [arrays.pop(n) for n in case.arrays]
    return {k: v for k, v in options.items() if k not in case.arrays} | arrays, incoming


def equal(got, want):
    assert len(got) == len(want)
    for g, w in zip(got, want):
        assert (g is None) == (w is None)
        if g is not None:
            assert g.shape == w.shape
            assert g.dtype == w.dtype
            np.testing.assert_array_equal(g, w)


# ---- empty


@each
@pytest.mark.parametrize("sizes", [(0, 3, 2, 4, 2), (3, 0, 2, 4, 2), (0, 0, 2, 4, 2)], ids=["B = 0", "T = 0", "both"])
@pytest.mark.parametrize("lengths", [None, "B"])
def test_empty(lengths, sizes, kernel, rng):
    """The states pass through, and so do their gradients; those of the weights are zero."""
    arguments, incoming = drawn(kernel, rng, sizes=sizes, lengths=lengths)
    y, *final, saved = FORWARD[kernel](**arguments)
    assert y.shape == (*sizes[:2], 4)
    equal(final, [arguments[s] for s in ("h0", "c0") if s in arguments])
    dx, *weights = BACKWARD[kernel](*incoming, saved)
    assert dx.shape == arguments["x"].shape
    for gradient, name in zip(weights, ("kernel", "recurrent_kernel", "bias")):
        equal([gradient], [np.zeros_like(arguments[name])])
    equal(weights[3:], incoming[1:])


@each
def test_lengths_of_zero(kernel, rng):
    arguments, incoming = drawn(kernel, rng)
    arguments["lengths"] = np.zeros(3, np.uint8)
    y, *final, saved = FORWARD[kernel](**arguments)
    assert not y.any()
    equal(final, [arguments[s] for s in ("h0", "c0") if s in arguments])
    dx, *weights = BACKWARD[kernel](*incoming, saved)
    assert not any(g.any() for g in (dx, *weights[:3]))
    equal(weights[3:], incoming[1:])


@each
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u4", "i8", "u8"])
def test_lengths_of_any_integer_type(dtype, kernel, rng):
    arguments, _ = drawn(kernel, rng)
    want = FORWARD[kernel](**arguments | dict(lengths=np.array([4, 0, 2])))[:-1]
    equal(FORWARD[kernel](**arguments | dict(lengths=np.array([4, 0, 2], dtype)))[:-1], want)
    equal(FORWARD[kernel](**arguments | dict(lengths=np.array([4, 9, 0, 9, 2], dtype)[::2]))[:-1], want)


@each
@pytest.mark.parametrize("reverse", [False, True])
def test_nan_stays_in_its_row(kernel, reverse, rng):
    options = dict(lengths="B", reverse=reverse, dropout="B I", recurrent_dropout="B P")
    arguments, incoming = drawn(kernel, rng, sizes=(4, 5, 3, 4, 4), **options)
    arguments["lengths"] = np.array([5, 3, 0, 4])
    inside = np.arange(5)[:, None] < arguments["lengths"][:, None, None]
    arguments["x"], incoming[0] = (np.where(inside, rng.standard_normal(a.shape), np.nan) for a in (arguments["x"], incoming[0]))
    *clean, saved = FORWARD[kernel](**arguments)
    gradients = BACKWARD[kernel](*incoming, saved)
    for result in (*clean, *gradients):  # beyond the ends nothing is read
        assert np.isfinite(result).all()
    arguments["x"][1, 1] = np.nan
    *spoilt, saved = FORWARD[kernel](**arguments)
    after = BACKWARD[kernel](*incoming, saved)
    others = [0, 2, 3]
    for want, got in (*zip(clean, spoilt), (gradients[0], after[0]), *zip(gradients[4:], after[4:])):  # dx, dh0, dc0
        np.testing.assert_array_equal(got[others], want[others])
    assert np.isnan(spoilt[0][1, :2] if reverse else spoilt[0][1, 1:3]).all()
    assert np.isfinite(spoilt[0][1, 2] if reverse else spoilt[0][1, 0]).all()
    assert np.isnan(spoilt[1][1]).all()


# ---- what is kept, and for how long


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_have_the_dtype(dtype, kernel, rng):
    arguments, incoming = drawn(kernel, rng, dtype, **({"projection": "H P", "peepholes": "3 H"} if kernel == "lstm" else {}))
    before = frozen(arguments | dict(enumerate(incoming)))
    *results, saved = FORWARD[kernel](**arguments)
    for result in (*results, *BACKWARD[kernel](*incoming, saved)):
        assert result.dtype == dtype
        assert result.flags.c_contiguous
    assert frozen(arguments | dict(enumerate(incoming))) == before


@each
def test_nothing_kept(kernel, rng):
    arguments, incoming = drawn(kernel, rng)
    *want, _ = FORWARD[kernel](**arguments)
    *got, saved = FORWARD[kernel](**arguments, keep=False)
    equal(got, want)
    assert saved is None
    with pytest.raises(TypeError, match=f"{kernel}_backward: saved is of type NoneType.*{kernel}_forward with keep=True"):
        BACKWARD[kernel](*incoming, saved)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("inputs", "units"), [(128, 4), (300, 16), (40, 20), (256, 9)])
def test_inference_has_the_bits_of_training(inputs, units, dtype, kernel, rng):
    """Batches and sizes for which the compiled kernels run inference in an order of its own."""
    arguments, _ = drawn(kernel, rng, dtype, sizes=(9, 4, inputs, units, 2))
    *want, _ = FORWARD[kernel](**arguments)
    *got, _ = FORWARD[kernel](**arguments, keep=False)
    equal(got, want)


@each
def test_saved_is_good_for_one_backward_pass(kernel, rng):
    arguments, incoming = drawn(kernel, rng)
    saved = FORWARD[kernel](**arguments)[-1]
    with pytest.raises(ValueError, match="dy has shape"):  # what is refused leaves it as it was
        BACKWARD[kernel](incoming[0][1:], *incoming[1:], saved)
    BACKWARD[kernel](*incoming, saved)
    with pytest.raises(RuntimeError, match=f"{kernel}_backward: saved is used up.*run {kernel}_forward again"):
        BACKWARD[kernel](*incoming, saved)


@each
def test_several_saved_at_once(kernel, rng):
    """Each belongs to its call, whatever became of the results and states since, in any order."""
    calls = [drawn(kernel, rng, lengths="B") for _ in range(3)]
    want = [BACKWARD[kernel](*incoming, FORWARD[kernel](**arguments)[-1]) for arguments, incoming in calls]
    results = [FORWARD[kernel](**arguments) for arguments, _ in calls]
    for *arrays, _ in results:
        for array in arrays:
            array[...] = np.nan
    for i in (1, 2, 0):
        equal(BACKWARD[kernel](*calls[i][1], results[i][-1]), want[i])


@each
def test_saved_holds_on_to_the_arrays(kernel, rng):
    arguments, incoming = drawn(kernel, rng, lengths="B", dropout="B I", recurrent_dropout="B P")
    want = BACKWARD[kernel](*incoming, FORWARD[kernel](**arguments)[-1])
    copies = {name: np.repeat(a, 2, -1)[..., ::2] if isinstance(a, np.ndarray) else a for name, a in arguments.items()}
    saved = FORWARD[kernel](**copies)[-1]
    sizes = [a.nbytes for a in copies.values() if isinstance(a, np.ndarray)]
    del copies
    rubbish = [np.full(n // 8, np.nan) for n in sizes * 8]
    for got, expected in zip(BACKWARD[kernel](*incoming, saved), want):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-13)
    assert len(rubbish) == 8 * len(sizes)


@each
def test_saved_of_another_kernel(kernel, rng):
    incoming = drawn(kernel, rng)[1]
    for other in FORWARD:
        if other != kernel:
            saved = FORWARD[other](**drawn(other, rng)[0])[-1]
            with pytest.raises(
                TypeError, match=f"{kernel}_backward: saved is that of {other}_forward, expected that of {kernel}_for"
            ):
                BACKWARD[kernel](*incoming, saved)
    for wrong in (3, incoming[0], (saved,)):
        with pytest.raises(TypeError, match=f"{kernel}_backward: saved is of type "):
            BACKWARD[kernel](*incoming, wrong)


@each
def test_saved_taken_over(kernel, rng):
    """As the last of `out`, used up or not, it gives its memory away."""
    first = drawn(kernel, rng)[0]
    second, more = drawn(kernel, rng, sizes=(2, 3, 4, 6, 2), lengths="B")
    want = BACKWARD[kernel](*more, FORWARD[kernel](**second)[-1])
    *results, saved = FORWARD[kernel](**first)
    none = (None,) * len(results)
    for used in (False, False, True, True):
        *_, again = FORWARD[kernel](**second, out=(*none, saved))
        with pytest.raises(RuntimeError, match="saved is used up"):
            BACKWARD[kernel](*more, saved)
        saved = again
        if used:
            equal(BACKWARD[kernel](*more, saved), want)
    for other in FORWARD:
        if other != kernel:
            wrong = FORWARD[other](**drawn(other, rng)[0])[-1]
            with pytest.raises(TypeError, match=f"{kernel}_forward: out, for saved, is that of {other}_forward, expected that of"):
                FORWARD[kernel](**first, out=(*none, wrong))
    with pytest.raises(TypeError, match=f"{kernel}_forward: out, for saved, is of type"):
        FORWARD[kernel](**first, out=(*none, results[0]))


# ---- which results, and where


@each
def test_need(kernel, rng):
    arguments, incoming = drawn(kernel, rng)
    want = BACKWARD[kernel](*incoming, FORWARD[kernel](**arguments)[-1])
    for i in range(2 ** len(want)):
        need = [bool(i >> k & 1) for k in range(len(want))]
        got = BACKWARD[kernel](*incoming, FORWARD[kernel](**arguments)[-1], need=tuple(need))
        equal(got, [w if n else None for w, n in zip(want, need)])


@pytest.mark.parametrize("given", [("peepholes",), ("projection",), ("peepholes", "projection")])
def test_need_of_eight(given, rng):
    arguments, incoming = drawn("lstm", rng, **{n: dict(peepholes="3 H", projection="H P")[n] for n in given})
    back = lambda **options: BACKWARD["lstm"](*incoming, FORWARD["lstm"](**arguments)[-1], **options)
    want = back()
    assert [g is None for g in want] == [False] * 6 + ["peepholes" not in given, "projection" not in given]
    equal(back(need=(True,) * 8), want)
    equal(back(need=(True,) * 6), want)
    for i in (6, 7):
        need = tuple(k == i for k in range(8))
        equal(back(need=need), [w if n else None for w, n in zip(want, need)])
    out = [None if w is None else np.full_like(w, 99) for w in want]
    equal(back(out=tuple(out)), want)
    equal(back(out=tuple(out[:6])), want)
    assert all(g is o for g, o in zip(back(out=tuple(out)), out))
    out = tuple(None if w is None else np.full_like(w, 2) for w in want)
    back(accumulate=True, out=out)
    for name, o, w in zip(CASES["lstm_backward"].results, out, want):
        if w is not None:
            np.testing.assert_array_equal(o, w + 2 if name in SUMMED else w)
    with pytest.raises(ValueError, match=f"lstm_backward: accumulate=True needs d{given[0]} in out"):
        back(accumulate=True, out=out[:6])


@each
def test_gradients_that_are_none(kernel, rng):
    """Are as if they were zero."""
    arguments, incoming = drawn(kernel, rng)
    for i in range(2 ** len(incoming)):
        some = [d if i >> k & 1 else None for k, d in enumerate(incoming)]
        zero = [np.zeros_like(d) if s is None else s for s, d in zip(some, incoming)]
        equal(*(BACKWARD[kernel](*g, FORWARD[kernel](**arguments)[-1]) for g in (some, zero)))


@each
def test_results_are_put_into_out(kernel, rng):
    arguments, incoming = drawn(kernel, rng)
    *want, saved = FORWARD[kernel](**arguments)
    out = [np.full_like(w, 99) for w in want]
    *got, _ = FORWARD[kernel](**arguments, out=(*out, None))
    assert all(g is o for g, o in zip(got, out))
    equal(out, want)
    want = BACKWARD[kernel](*incoming, saved)
    out = [np.full_like(w, 99) for w in want]
    back = lambda **options: BACKWARD[kernel](*incoming, FORWARD[kernel](**arguments)[-1], **options)
    got = back(out=tuple(out))
    assert all(g is o for g, o in zip(got, out))
    equal(out, want)
    out = [np.full_like(w, 2) for w in want]
    back(accumulate=True, out=tuple(out))
    for name, o, w in zip(CASES[f"{kernel}_backward"].results, out, want):
        np.testing.assert_array_equal(o, w + 2 if name in SUMMED else w)
    need = (True, False, False, False, *(True,) * (len(want) - 4))
    equal(back(accumulate=True, need=need), [w if n else None for w, n in zip(want, need)])  # nothing to add to is needed
    with pytest.raises(ValueError, match=f"{kernel}_backward: accumulate=True needs dkernel in out"):
        back(accumulate=True)


# ---- bad input

B, T, I, H, P = 3, 4, 2, 5, 7  # noqa: E741
COMMON = [
    (dict(x=np.ones((B, I))), ValueError, r"x has shape \(3, 2\), expected \(B, T, I\)"),
    (dict(x=np.ones((B, T, I), "f4")), TypeError, "recurrent_kernel has dtype float64, expected float32 as x"),
    (dict(x=np.ones((B, T, I), int)), TypeError, "x has dtype int64, expected float32 or float64"),
    (dict(x=[[[1.0]]]), TypeError, "x is of type builtins.list, expected a NumPy array"),
    (dict(kernel=None), TypeError, "kernel is None, expected a NumPy array"),
    (dict(kernel=np.ones(I)), ValueError, r"kernel has shape \(2,\), expected \(2, {G}\) = \(I, {GH}\)"),
    (dict(kernel=np.ones((I + 1, H))), ValueError, r"kernel has shape \(3, 5\), expected \(2, {G}\) = \(I, {GH}\)"),
    (dict(recurrent_kernel=np.ones(H)), ValueError, r"recurrent_kernel has shape \(5,\), expected \(H, {GH}\)"),
    (dict(recurrent_kernel=np.ones((H, 7 * H))), ValueError,
     r"recurrent_kernel has shape \(5, 35\), expected \(5, {G}\) = \(H, {GH}\)"),
    (dict(bias=np.ones(1)), ValueError, r"bias has shape \(1,\), expected \({bias}\)"),
    (dict(bias=np.ones(H, "f4")), TypeError, "bias has dtype float32, expected float64 as x"),
    (dict(h0=np.ones((B + 1, H))), ValueError, r"h0 has shape \(4, 5\), expected \(3, 5\) = \(B, H\)"),
    (dict(h0=np.ones((1, B, H))), ValueError, r"h0 has shape \(1, 3, 5\), expected \(3, 5\) = \(B, H\)"),
    (dict(lengths=np.ones(B)), TypeError, "lengths has dtype float64, expected integers"),
    (dict(lengths=np.ones(B, bool)), TypeError, "lengths has dtype bool, expected integers"),
    (dict(lengths=np.array([1, 5, 9])), ValueError, r"lengths\[1\] is 5, expected 0 to T = 4"),
    (dict(lengths=np.array([1, 2, -1])), ValueError, r"lengths\[2\] is -1, expected 0 to T = 4"),
    (dict(lengths=np.array([2**64 - 1, 2, 1], np.uint64)), ValueError, r"lengths\[0\] is 18446744073709551615, expected 0 to"),
    (dict(lengths=np.ones(B + 1, int)), ValueError, r"lengths has shape \(4,\), expected \(3,\) = \(B,\)"),
    (dict(lengths=np.ones((B, 1), int)), ValueError, r"lengths has shape \(3, 1\), expected \(3,\) = \(B,\)"),
    (dict(dropout=np.ones((B, H))), ValueError,
     r"dropout has shape \(3, 5\), expected \(3, 2\) = \(B, I\) or \(3, {gates}, 2\) = \(B, {gates}, I\)"),
    (dict(dropout=np.ones((B, 9, I))), ValueError, r"dropout has shape \(3, 9, 2\), expected \(3, 2\) = \(B, I\) or"),
    (dict(recurrent_dropout=np.ones((B, I))), ValueError,
     r"recurrent_dropout has shape \(3, 2\), expected \(3, 5\) = \(B, H\) or \(3, {gates}, 5\) = \(B, {gates}, H\)"),
    (dict(recurrent_dropout=np.ones((B, H), bool)), TypeError, "recurrent_dropout has dtype bool, expected float"),
    (dict(activation="tanhh"), ValueError, "activation 'tanhh' is unknown; did you mean 'tanh'"),
    (dict(activation=None), TypeError, "activation must be one of the names linear, relu"),
    (dict(activation="gelu"), ValueError, "activation 'gelu' cannot be used, its derivative is no function of y.* linear"),
    (dict(activation="softmax"), ValueError, "activation 'softmax' cannot be used"),
    (dict(out=3), TypeError, "out must be None or a tuple of {results}, for y, h_n.* saved, got int"),
    (dict(out=(None,)), TypeError, "out must be None or a tuple of {results}"),
]  # fmt: skip
GATED = [
    (dict(recurrent_activation="silu"), ValueError, "recurrent_activation 'silu' cannot be used"),
    (dict(recurrent_activation="hard"), ValueError, "recurrent_activation 'hard' is unknown"),
]
LSTM = [
    (dict(c0=np.ones((B, H + 1))), ValueError, r"c0 has shape \(3, 6\), expected \(3, 5\) = \(B, H\)"),
    (dict(peepholes=np.ones((2, H))), ValueError, r"peepholes has shape \(2, 5\), expected \(3, 5\) = \(3, H\)"),
    (dict(peepholes=np.ones(3 * H)), ValueError, r"peepholes has shape \(15,\), expected \(3, 5\) = \(3, H\)"),
    (dict(projection=np.ones((H, P))), ValueError, r"recurrent_kernel has shape \(5, 20\), expected \(7, 20\) = \(P, 4H\)"),
    (dict(projection=np.ones(H)), ValueError, r"projection has shape \(5,\), expected \(H, P\)"),
    (dict(projection=np.ones((H, P)), recurrent_kernel=np.ones((P, 4 * H))), ValueError,
     r"h0 has shape \(3, 5\), expected \(3, 7\) = \(B, P\)"),
    (dict(clip=0), ValueError, "clip must be None or a finite number > 0, got 0"),
    (dict(clip=-1.0), ValueError, "clip must be None or a finite number > 0, got -1.0"),
    (dict(clip=np.nan), ValueError, "clip must be None or a finite number > 0, got nan"),
    (dict(clip=np.inf), ValueError, "clip must be None or a finite number > 0, got inf"),
    (dict(clip=True), TypeError, "clip must be None or a finite number > 0, got True"),
    (dict(clip="1"), TypeError, "clip must be None or a finite number > 0, got '1'"),
]  # fmt: skip
AFTER = [(dict(bias=np.ones(3 * H)), ValueError, r"bias has shape \(15,\), expected \(2, 15\) = \(2, 3H\)"),
         (dict(reset_after=False), ValueError, r"bias has shape \(2, 15\), expected \(15,\) = \(3H,\)")]  # fmt: skip
BAD = {"rnn": COMMON, "lstm": COMMON + GATED + LSTM, "gru": COMMON + GATED + AFTER}


@each
def test_bad_input(kernel, rng):
    arguments, _ = drawn(kernel, rng, sizes=(B, T, I, H, P))
    gates = GATES[kernel]
    columns = "H" if gates == 1 else f"{gates}H"
    bias = {"rnn": r"5,\) = \(H,", "lstm": r"20,\) = \(4H,", "gru": r"2, 15\) = \(2, 3H"}[kernel]
    results = {"rnn": 3, "lstm": 4, "gru": 3}[kernel]
    before = frozen(arguments)
    for change, error, words in BAD[kernel]:
        for key, value in dict(G=gates * H, GH=columns, gates=gates, bias=bias, results=results).items():
            words = words.replace(f"{{{key}}}", str(value))
        with pytest.raises(error, match=f"^{kernel}_forward: {words}"):
            FORWARD[kernel](**arguments | change)
    assert frozen(arguments) == before


@each
def test_bad_gradients(kernel, rng):
    arguments, incoming = drawn(kernel, rng, sizes=(B, T, I, H, P))
    saved = FORWARD[kernel](**arguments)[-1]
    dy, *final = incoming
    count = len(CASES[f"{kernel}_backward"].results) - 2 * (kernel == "lstm")
    none = (None,) * (count - 1)
    for (gradients, options), error, words in [
        (((dy[:, 1:], *final), {}), ValueError, r"dy has shape \(3, 3, 5\), expected \(3, 4, 5\) = \(B, T, [HP]\)"),
        (((dy.astype("f4"), *final), {}), TypeError, "dy has dtype float32, expected float64 as x"),
        (((list(dy), *final), {}), TypeError, "dy is of type builtins.list"),
        (((dy, final[0][1:], *final[1:]), {}), ValueError, r"dh_n has shape \(2, 5\), expected \(3, 5\) = \(B, [HP]\)"),
        ((incoming, dict(need=True)), TypeError, f"need must be {count} flags, for dx, dkernel, .*got True"),
        ((incoming, dict(need=(True,) * 8)), TypeError, f"need must be {count} flags"),
        ((incoming, dict(out=np.ones((B, T, I)))), TypeError, f"out must be None or a tuple of {count}"),
        ((incoming, dict(out=(np.ones((B, T, I + 1)), *none))), ValueError, "out(, for dx,)? has shape"),
        ((incoming, dict(out=(np.ones((B, T, I), "f4"), *none))), ValueError, "out(, for dx,)? has shape .* dtype float32"),
        ((incoming, dict(out=(None, np.ones((9, 9)), *none[1:]), accumulate=True, need=(False, True, *(False,) * (count - 2)))),
         ValueError, r"out(, for dkernel,)? has shape \(9, 9\)"),
    ]:  # fmt: skip
        with pytest.raises(error, match=f"^{kernel}_backward: {words}"):
            BACKWARD[kernel](*gradients, saved, **options)
    if kernel == "lstm":
        with pytest.raises(ValueError, match=r"^lstm_backward: dc_n has shape \(3, 4\), expected \(3, 5\) = \(B, H\)"):
            BACKWARD["lstm"](dy, final[0], final[1][:, 1:], saved)
        projected, _ = drawn("lstm", rng, sizes=(B, T, I, H, P), projection="H P")
        with pytest.raises(ValueError, match=r"^lstm_backward: dy has shape \(3, 4, 5\), expected \(3, 4, 7\) = \(B, T, P\)"):
            BACKWARD["lstm"](*incoming, FORWARD["lstm"](**projected)[-1])
    BACKWARD[kernel](*incoming, saved)  # none of them used it up
