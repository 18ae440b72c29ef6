"""Bad input is refused with a message that names the place, and nothing has changed then: no bit, no count, nor what comes next."""

import math

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from snapshots import frozen, snapshot

import fastopt
from fastopt import SGD, Adagrad, Adam, AdamW, Lion, RMSprop, Rprop

INF, NAN = math.inf, math.nan


def refused(call, error, words):
    """call() raises `error` with all these words in its message."""
    with pytest.raises(error) as caught:
        call()
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{missing} not in {caught.value}"


def params():
    """A float64 matrix in Fortran order, a float32 vector with gaps, a 0-d array; all different numbers."""
    return [np.array([[1.0, 2, 3], [4, 5, 6]], order="F"), np.arange(8, dtype=np.float32)[::2], np.array(7.0)]


def gradients():
    return [np.array([[1.0, -1, 2], [-2, 3, -3]]), np.full(4, 0.5, np.float32), np.array(-0.25)]


def trained(steps=2):
    """An optimizer with every kind of state, under way."""
    opt = Adam(params(), lr=0.1, amsgrad=True, ema=0.5)
    for _ in range(steps):
        opt.step(gradients())
    return opt


def but(i, array):
    """Gradients of which the i-th is replaced."""
    return [array if k == i else g for k, g in enumerate(gradients())]


def harmless(bad, error, words, make=trained, grads=gradients, restore=lambda opt: None):
    """bad(opt) is refused, changes nothing, and the optimizer goes on exactly like a twin to which it never happened."""
    opt, twin = make(), make()
    before = snapshot(opt)
    refused(lambda: bad(opt), error, words)
    restore(opt)
    assert snapshot(opt) == before
    for one in (opt, twin):
        one.step(grads())
    assert snapshot(opt) == snapshot(twin)


# ---- parameters

BUFFER = np.zeros(64, np.uint8)
PARAMETERS = {  # name: (array, error, words)
    "read-only": (np.frombuffer(bytes(16)), ValueError, ["read-only", "writeable"]),
    "broadcast": (np.broadcast_to(np.zeros(3), (2, 3)), ValueError, ["read-only"]),
    "integer": (np.zeros(3, np.int64), TypeError, ["int64", "float32 or float64"]),
    "boolean": (np.zeros(3, bool), TypeError, ["bool", "float32 or float64"]),
    "half": (np.zeros(3, np.float16), TypeError, ["float16", "float32 or float64"]),
    "extended": (np.zeros(3, np.longdouble), TypeError, ["float32 or float64"]),
    "complex": (np.zeros(3, complex), TypeError, ["complex128", "float32 or float64"]),
    "object": (np.array([1.0, None]), TypeError, ["object", "float32 or float64"]),
    "record": (np.zeros(3, [("x", float)]), TypeError, ["float32 or float64"]),
    "text": (np.array(["a"]), TypeError, ["float32 or float64"]),
    "byte-swapped": (np.zeros(3, np.dtype("f8").newbyteorder()), TypeError, ["f8", "newbyteorder"]),
    "misaligned": (BUFFER[1:33].view(np.float64), ValueError, ["not aligned", "float64"]),
    "misaligned by half": (BUFFER[4:36].view(np.float64), ValueError, ["not aligned", "float64"]),
    "misaligned float32": (BUFFER[2:34].view(np.float32), ValueError, ["not aligned", "float32"]),
    "misaligned stride": (np.zeros(3, [("x", "f4"), ("y", "f8")])["y"], ValueError, ["not aligned"]),
    "stride 0": (as_strided(np.zeros(1), (4,), (0,)), ValueError, ["overlaps itself", "(4,)", "(0,)"]),
    "windows": (as_strided(np.zeros(5), (3, 3), (8, 8)), ValueError, ["overlaps itself", "(3, 3)"]),
    "windows backwards": (np.flip(as_strided(np.zeros(5), (3, 3), (8, 8))), ValueError, ["overlaps itself"]),
    "strides that meet late": (as_strided(np.zeros(50), (4, 3), (16, 24)), ValueError, ["overlaps itself"]),
    "None": (None, TypeError, ["None", "float32 or float64"]),
    "float": (1.5, TypeError, ["float", "NumPy array"]),
    "list": ([1.0, 2.0], TypeError, ["list", "NumPy array"]),
    "scalar": (np.float64(1), TypeError, ["numpy.float64", "NumPy array"]),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_that_cannot_be_updated_in_place(name):
    array, error, words = PARAMETERS[name]
    good = np.arange(3.0)
    for form, label in (
        ([good, array], "parameter 1"),
        ({"good": good, "bad": array}, "parameter 'bad'"),
        ([{"params": good}, {"params": {"bad": array}}], "parameter 'bad' of group 1"),
    ):
        refused(lambda form=form: Adam(form), error, ["Adam", label, *words])
    assert good.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("make", "fits"), [
    (lambda b: [b[::2], b[1::2]], True),
    (lambda b: [b.reshape(4, 3)[:, :2], b.reshape(4, 3)[:, 2:]], True),
    (lambda b: [b[:6], b[6:]], True),
    (lambda b: [b[:0], b], True),
    (lambda b: [b[3:3], b[:6]], True),
    (lambda b: [b[::2][::-1], b[1::2]], True),
    (lambda b: [b[::3], b[1::3], b[2::3]], True),
    (lambda b: [as_strided(b, (3, 2), (16, 24)), b[1:2]], True),  # elements 0, 2, 3, 4, 5, 7
    (lambda b: [as_strided(b, (3, 2), (16, 24)), b[7:8]], False),
    (lambda b: [b, b], False),
    (lambda b: [b, b[11:]], False),
    (lambda b: [b[:7], b[6:]], False),
    (lambda b: [b[::2], b[::3]], False),
    (lambda b: [b[::2], b[1::4], b[3::4][::-1], b[5:6]], False),
    (lambda b: [b.reshape(3, 4).T, b[7:8]], False),
    (lambda b: [b, b.view(np.float32)[5:6]], False),
])  # fmt: skip
def test_parameters_that_overlap_are_judged_exactly(make, fits):
    base = np.arange(12.0)
    if fits:
        SGD(make(base), lr=1.0).step([np.ones(p.shape) for p in make(base)])
        assert base.sum() == 66 - sum(p.size for p in make(base))
    else:
        refused(lambda: SGD(make(base)), ValueError, ["SGD", "parameter", "overlap"])
        assert base.tolist() == list(range(12))


def test_the_message_names_both_that_overlap():
    a = np.zeros(9)
    refused(lambda: Adam({"w": a[:5], "x": np.zeros(2), "b": a[4:]}), ValueError, ["'w'", "'b'"])
    refused(lambda: Adam([{"params": a}, {"params": [a[::2]]}]), ValueError, ["of group 0", "of group 1"])


@pytest.mark.parametrize(("form", "error", "words"), [
    ([], ValueError, ["no array"]), ((), ValueError, ["no array"]), ({}, ValueError, ["no array"]),
    ([{"params": []}], ValueError, ["no array"]),
    ("weights", TypeError, ["str"]), (3.0, TypeError, ["float"]), (len, TypeError, ["builtin_function_or_method"]),
    ([{"lr": 0.1}], ValueError, ["group 0", "'params'"]),
    ([{"params": np.zeros(2)}, {"param": np.zeros(2)}], ValueError, ["group 1", "'params'"]),
    ([{"params": None}], TypeError, ["None"]),
    ([{"params": np.zeros(2), "momentun": 0.9}], ValueError, ["group 0", "'momentun'", "'momentum'"]),
    ([{"params": np.zeros(2), "learning_rate": 0.9}], ValueError, ["group 0", "'learning_rate'", "'lr'"]),
    ([{"params": np.zeros(2)}, {"params": np.ones(2), "lr": -1.0}], ValueError, ["lr", "-1.0"]),
    ([{"params": np.zeros(2)}, {"params": np.ones(2), "like": "keras"}], ValueError, ["group 1", "'like'"]),
    ([{"params": np.zeros(2)}, np.ones(2)], TypeError, ["parameter 0", "dict"]),
])  # fmt: skip
def test_forms_that_hold_no_parameters(form, error, words):
    refused(lambda: SGD(form), error, ["SGD", *words])


# ---- hyperparameters


@pytest.mark.parametrize(("make", "options", "message"), [
    (Adam, {"betas": (1.5, 0.9)}, "Adam: beta1 must be in [0, 1), got 1.5"),
    (Adam, {"betas": (0.9, 1.0)}, "Adam: beta2 must be in [0, 1), got 1.0"),
    (AdamW, {"betas": (-0.1, 0.9)}, "AdamW: beta1 must be in [0, 1), got -0.1"),
    (Lion, {"betas": (0.9, NAN)}, "Lion: beta2 must be in [0, 1), got nan"),
    (Adam, {"betas": 0.9}, "Adam: betas must be a pair"), (Adam, {"betas": (0.9,)}, "Adam: betas must be a pair"),
    (Adam, {"betas": (0.9, 0.99, 0.999)}, "Adam: betas must be a pair"), (Adam, {"betas": "ab"}, "Adam: beta1 must be"),
    (Adam, {"eps": -1e-8}, "Adam: eps must be a finite number >= 0, got -1e-08"),
    (Adam, {"weight_decay": -0.1}, "Adam: weight_decay must be a finite number >= 0, got -0.1"),
    (Adam, {"eps_mode": "max"}, "Adam: eps_mode must be one of 'outside', 'hat', 'inside', got 'max'"),
    (Adam, {"amsgrad": 1}, "Adam: amsgrad must be True or False, got 1"),
    (Adam, {"ema": 1.0}, "Adam: ema must be in [0, 1), got 1.0"), (Adam, {"ema": True}, "Adam: ema must be"),
    (RMSprop, {"alpha": 1.01}, "RMSprop: alpha must be in [0, 1], got 1.01"),
    (RMSprop, {"momentum": NAN}, "RMSprop: momentum must be"),
    (SGD, {"momentum": -0.5}, "SGD: momentum must be"), (SGD, {"dampening": INF}, "SGD: dampening must be"),
    (SGD, {"nesterov": True}, "SGD: nesterov needs momentum > 0"),
    (SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "SGD: nesterov needs"),
    (SGD, {"velocity": "avarage"}, "SGD: velocity must be one of 'sum', 'average', 'step', got 'avarage'"),
    (SGD, {"like": "textbook", "momentum": 1.0}, "SGD: momentum must be in [0, 1)"),
    (Adagrad, {"initial_accumulator_value": -1}, "Adagrad: initial_accumulator_value must be"),
    (Rprop, {"etas": (1.5, 1.2)}, "Rprop: eta_minus must be"), (Rprop, {"etas": (0.5, 0.9)}, "Rprop: eta_plus must be"),
    (Rprop, {"step_sizes": (2.0, 1.0)}, "Rprop: step_sizes must be"),
    (Rprop, {"step_sizes": (0, 1.0)}, "Rprop: step_min must be"),
    (fastopt.NAdam, {"momentum_decay": -1.0}, "NAdam: momentum_decay must be"),
    (fastopt.Adadelta, {"rho": 2}, "Adadelta: rho must be"),
    *((SGD, {"lr": lr}, f"SGD: lr must be a finite number >= 0, got {lr!r}") for lr in (
        NAN, INF, -INF, -0.1, True, "0.1", None, 1j, [0.1])),
    pytest.param(SGD, {"lr": 10**400}, "SGD: lr must be a finite number >= 0", id="lr beyond float"),
    (SGD, {"lr": np.array([0.1, 0.2])}, "SGD: lr must be"), (SGD, {"lr": np.True_}, "SGD: lr must be"),
    (SGD, {"lr": lambda t: NAN}, "SGD: lr(0) must be"), (SGD, {"lr": lambda t: "0.1"}, "SGD: lr(0) must be"),
    (SGD, {"lr": lambda t: None}, "SGD: lr(0) must be"),
])  # fmt: skip
def test_hyperparameters_out_of_range(make, options, message):
    param, group = np.arange(3.0), {name: value for name, value in options.items() if name != "like"}
    refused(lambda: make(**options), (ValueError, TypeError), [message])
    refused(lambda: make([param], **options), (ValueError, TypeError), [message])
    opt = make(like=options.get("like", make.preset))
    refused(lambda: opt.bind([{"params": param, **group}]), (ValueError, TypeError), [message])
    assert param.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: Adam(weigth_decay=0.1), TypeError, ["Adam", "'weigth_decay'", "did you mean 'weight_decay'?"]),
    (lambda: Adam(learning_rate=0.1), TypeError, ["Adam", "'learning_rate'", "did you mean 'lr'?"]),
    (lambda: Adam(beta_1=0.1), TypeError, ["Adam", "'beta_1'", "did you mean 'betas'?"]),
    (lambda: SGD(nestrov=True), TypeError, ["SGD", "'nestrov'", "did you mean 'nesterov'?"]),
    (lambda: SGD(zzz=1), TypeError, ["SGD", "'zzz'", "momentum"]),
    (lambda: SGD([np.zeros(1)], 0.1, lr=0.2), TypeError, ["SGD", "lr"]),
    (lambda: Adam(like="tensorflow"), ValueError, ["Adam", "'tensorflow'", "'torch'", "'keras'", "'optax'", "'sklearn'"]),
    (lambda: Adam(like=None), ValueError, ["Adam", "None", "'torch'"]),
    (lambda: Adam(like=["torch"]), (ValueError, TypeError), ["Adam", "like", "'torch'"]),
    (lambda: AdamW(like="sklearn"), ValueError, ["AdamW", "sklearn", "'torch'", "SGD, Adam"]),
    (lambda: Lion(like="torch"), ValueError, ["Lion", "torch", "'keras'", "'optax'"]),
    (lambda: fastopt.optim.Optimizer([np.zeros(1)]), TypeError, ["Optimizer", "SGD"]),
    (lambda: SGD().step([np.zeros(1)]), RuntimeError, ["SGD.step", "no parameters", "bind"]),
    (lambda: SGD().state_dict(), RuntimeError, ["SGD.state_dict", "no parameters"]),
    (lambda: SGD().load_state_dict({}), RuntimeError, ["SGD.load_state_dict", "no parameters"]),
    (lambda: SGD().ema(), ValueError, ["SGD.ema", "ema="]),
    (lambda: SGD(np.zeros(1)).ema(), ValueError, ["SGD.ema", "ema="]),
    (lambda: SGD(np.zeros(1)).step(np.zeros(1), clip=1), TypeError, ["step", "'clip'"]),
])  # fmt: skip
def test_unknown_names_and_calls_too_early(call, error, words):
    refused(call, error, words)


@pytest.mark.parametrize("value", [NAN, INF, -1.0, True, "0.1", None, [0.1], pytest.param(10**400, id="beyond float")])
def test_learning_rate_set(value):
    harmless(lambda opt: setattr(opt, "lr", value), (ValueError, TypeError), ["Adam: lr must be a finite number >= 0"])


# ---- gradients


def alias(make):
    """A step whose i-th gradient is made of the optimizer's own parameter."""

    def step(opt):
        matrix, vector, scalar = opt.param_groups[0]["params"]
        opt.step(make(matrix, vector, scalar))

    return step


GRADIENTS = {  # name: (what is called, error, words); the bad one never stands first, so that others could have been updated before
    "too few": (lambda o: o.step(gradients()[:2]), ValueError, ["got 2 gradients for 3 parameters"]),
    "too many": (lambda o: o.step([*gradients(), np.zeros(1)]), ValueError, ["got 4 gradients for 3 parameters"]),
    "none at all": (lambda o: o.step([]), ValueError, ["got 0 gradients for 3 parameters"]),
    "too few from a generator": (lambda o: o.step(g for g in gradients()[:2]), ValueError, ["got 2 gradients"]),
    "None": (lambda o: o.step(None), TypeError, ["None", "list of 3 arrays"]),
    "a dict": (lambda o: o.step(dict(enumerate(gradients()))), TypeError, ["dict", "list of 3 arrays"]),
    "an array": (lambda o: o.step(np.zeros((3, 2))), TypeError, ["ndarray", "list of 3 arrays"]),
    "a string": (lambda o: o.step("abc"), TypeError, ["str", "list of 3 arrays"]),
    "shape": (lambda o: o.step(but(1, np.zeros(5, np.float32))), ValueError, ["parameter 1", "(5,)", "(4,)"]),
    "shape transposed": (lambda o: o.step([gradients()[0].T, *gradients()[1:]]), ValueError, ["parameter 0", "(3, 2)", "(2, 3)"]),
    "shape that broadcasts": (lambda o: o.step(but(1, np.zeros((), np.float32))), ValueError, ["parameter 1", "()", "(4,)"]),
    "shape of a 0-d": (lambda o: o.step(but(2, np.zeros(1))), ValueError, ["parameter 2", "(1,)", "()"]),
    "float64 for float32": (lambda o: o.step(but(1, np.zeros(4))), TypeError, ["parameter 1", "float64", "float32"]),
    "float32 for float64": (lambda o: o.step(but(2, np.zeros((), "f4"))), TypeError, ["parameter 2", "float32", "float64"]),
    "integer": (lambda o: o.step(but(2, np.zeros((), int))), TypeError, ["parameter 2", "int64", "float"]),
    "half": (lambda o: o.step(but(1, np.zeros(4, np.float16))), TypeError, ["parameter 1", "float16", "float32"]),
    "complex": (lambda o: o.step(but(1, np.zeros(4, np.complex64))), TypeError, ["parameter 1", "complex64", "float32"]),
    "object": (lambda o: o.step(but(1, np.zeros(4, object))), TypeError, ["parameter 1", "object", "float32"]),
    "byte-swapped": (lambda o: o.step(but(1, np.zeros(4, np.dtype("f4").newbyteorder()))), TypeError, ["parameter 1", "f4"]),
    "misaligned": (lambda o: o.step(but(1, BUFFER[1:17].view(np.float32))), ValueError, ["parameter 1", "not aligned"]),
    "a list of numbers": (lambda o: o.step(but(1, [0.0] * 4)), TypeError, ["parameter 1", "list", "NumPy array"]),
    "a float": (lambda o: o.step(but(2, 1.0)), TypeError, ["parameter 2", "float", "NumPy array"]),
    "the parameter": (alias(lambda m, v, s: but(1, v)), ValueError, ["gradient of parameter 1 overlaps parameter 1"]),
    "the parameter backwards": (alias(lambda m, v, s: but(1, v[::-1])), ValueError, ["gradient of parameter 1 overlaps"]),
    "the 0-d parameter": (alias(lambda m, v, s: but(2, s)), ValueError, ["gradient of parameter 2 overlaps parameter 2"]),
    "another parameter": (alias(lambda m, v, s: but(2, m[1, 1, ...])), ValueError, ["parameter 2 overlaps parameter 0"]),
    "its base": (alias(lambda m, v, s: but(1, v.base[:4])), ValueError, ["gradient of parameter 1 overlaps parameter 1"]),
    "its end only": (alias(lambda m, v, s: but(1, as_strided(v.base[6:], (4,), (0,)))), ValueError, ["parameter 1 overlaps"]),
    "clip_norm 0": (lambda o: o.step(gradients(), clip_norm=0), ValueError, ["clip_norm", "> 0", "got 0"]),
    "clip_norm negative": (lambda o: o.step(gradients(), clip_norm=-1.0), ValueError, ["clip_norm", "> 0", "-1.0"]),
    "clip_norm NaN": (lambda o: o.step(gradients(), clip_norm=NAN), ValueError, ["clip_norm", "> 0", "nan"]),
    "clip_norm text": (lambda o: o.step(gradients(), clip_norm="1"), TypeError, ["clip_norm", "> 0", "'1'"]),
    "clip_norm True": (lambda o: o.step(gradients(), clip_norm=True), TypeError, ["clip_norm", "> 0", "True"]),
    "clip_each alone": (lambda o: o.step(gradients(), clip_each=True), ValueError, ["clip_each=True", "clip_norm is None"]),
    "clip_value 0": (lambda o: o.step(gradients(), clip_value=0.0), ValueError, ["clip_value", "> 0", "0.0"]),
    "clip_value NaN": (lambda o: o.step(gradients(), clip_value=NAN), ValueError, ["clip_value", "> 0", "nan"]),
    "grad_scale 0": (lambda o: o.step(gradients(), grad_scale=0), ValueError, ["grad_scale", "> 0", "got 0"]),
    "grad_scale negative": (lambda o: o.step(gradients(), grad_scale=-2), ValueError, ["grad_scale", "> 0", "-2"]),
    "grad_scale NaN": (lambda o: o.step(gradients(), grad_scale=NAN), ValueError, ["grad_scale", "> 0", "nan"]),
    "grad_scale inf": (lambda o: o.step(gradients(), grad_scale=INF), ValueError, ["grad_scale", "> 0", "inf"]),
    "grad_scale True": (lambda o: o.step(gradients(), grad_scale=True), TypeError, ["grad_scale", "> 0", "True"]),
    "grad_scale None": (lambda o: o.step(gradients(), grad_scale=None), TypeError, ["grad_scale", "> 0", "None"]),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_step_that_is_refused_changes_nothing(name):
    bad, error, words = GRADIENTS[name]
    harmless(bad, error, ["Adam.step", *words])


LIST, DICT = (lambda a, b: [a, b]), (lambda a, b: {"w": a, "b": b})
MIXED = lambda a, b: [{"params": a}, {"params": {"b": b}}]
GROUPS, LISTS = (lambda a, b: [{"params": a}, {"params": b}]), (lambda a, b: [{"params": [a]}, {"params": [b]}])
FORMS = {  # name: (form of the parameters, bad gradients, error, words)
    "list for dict": (DICT, LIST, TypeError, ["list", "dict with the parameters' names"]),
    "missing name": (DICT, lambda a, b: {"w": a}, ValueError, ["lack", "'b'", "None"]),
    "unknown name": (DICT, lambda a, b: {"w": a, "b": b, "c": b}, ValueError, ["'c'"]),
    "other name": (DICT, lambda a, b: {"w": a, "B": b}, ValueError, ["'b'"]),
    "dict for array": (lambda a, b: a, lambda a, b: {"w": a}, TypeError, ["dict"]),
    "two for array": (lambda a, b: a, LIST, TypeError, ["list"]),
    "one for two groups": (GROUPS, lambda a, b: [a], ValueError, ["2 groups", "got 1"]),
    "dict for groups": (GROUPS, DICT, ValueError, ["2 groups", "dict"]),
    "array for a group's list": (LISTS, lambda a, b: [[a], b], TypeError, ["of group 1"]),
    "list for a group's dict": (MIXED, lambda a, b: [a, [b]], TypeError, ["of group 1"]),
    "count in a group": (LISTS, lambda a, b: [[a], []], ValueError, ["0 gradients for 1", "group 1"]),
}


@pytest.mark.parametrize("name", FORMS)
def test_gradients_in_another_form_than_the_parameters(name):
    form, bad, error, words = FORMS[name]

    def good():
        made = form(np.ones((2, 2)), np.ones(3))
        return [group["params"] for group in made] if isinstance(made, list) else made

    harmless(lambda opt: opt.step(bad(np.ones((2, 2)), np.ones(3))), error, ["Adam.step", *words],
             make=lambda: Adam(form(np.arange(4.0).reshape(2, 2), np.arange(3.0))), grads=good)  # fmt: skip


SAME_ADDRESS = {
    "broadcast": lambda b: np.broadcast_to(b[:1], 8), "apart": lambda b: b[:16:2], "contiguous": lambda b: b[:8],
    "backwards": lambda b: b[7::-1],
}  # fmt: skip


@pytest.mark.parametrize("first", ["broadcast", "apart"])
@pytest.mark.parametrize("second", SAME_ADDRESS)
def test_a_gradient_that_passed_once_clears_no_other_at_its_address(first, second):
    """What begins at the same place may reach further, into a parameter."""
    base = np.arange(32.0)
    opt = SGD([np.zeros(8), base[1:16:4]], lr=0.5)
    opt.step([SAME_ADDRESS[first](base), None])
    before = snapshot(opt)
    if second in ("contiguous", "backwards"):
        refused(lambda: opt.step([SAME_ADDRESS[second](base), None]), ValueError, ["gradient of parameter 0 overlaps parameter 1"])
        assert snapshot(opt) == before
    else:
        opt.step([SAME_ADDRESS[second](base), None])


# ---- options and parameters spoiled on the way


def two_groups(rate=0.5):
    opt = SGD([{"params": [np.arange(4.0)]}, {"params": {"b": np.arange(3, dtype=np.float32)}, "lr": rate}], lr=0.5)
    opt.step([[np.ones(4)], {"b": np.ones(3, np.float32)}])
    return opt


def two_gradients():
    return [[np.full(4, 2.0)], {"b": np.full(3, 0.5, np.float32)}]


def spoiled(change):
    """A step after a change of the groups, and what takes the change back."""
    kept = []

    def bad(opt):
        kept[:] = [dict(group) for group in opt.param_groups]
        change(opt.param_groups)
        opt.step(two_gradients())

    def restore(opt):
        for k, group in enumerate(kept):
            opt.param_groups[k].clear()
            opt.param_groups[k].update(group)

    return bad, restore


@pytest.mark.parametrize(("name", "value", "words"), [
    *(("lr", value, ["SGD: lr must be", repr(value)]) for value in (NAN, -1.0, None, True, "0.5")),
    ("momentum", -0.5, ["SGD: momentum must be"]), ("weight_decay", "0.1", ["SGD: weight_decay must be"]),
    ("maximize", 1, ["SGD: maximize"]), ("nesterov", True, ["SGD: nesterov needs"]), ("ema", 2.0, ["SGD: ema must be"]),
    ("momentun", 0.9, ["'momentun'", "group 1", "unknown"]), ("params", [np.zeros(3)], ["params of group 1 were replaced"]),
])  # fmt: skip
def test_a_bad_option_in_a_group(name, value, words):
    bad, restore = spoiled(lambda groups: (groups[0].update(lr=0.25), groups[1].update({name: value})))
    harmless(bad, (ValueError, TypeError), words, two_groups, two_gradients, restore)


def test_a_groups_parameters_cannot_be_changed_in_place():
    """Silence would leave the new array unstepped."""
    assert [type(group["params"]) for group in two_groups().param_groups] == [tuple, tuple]


def test_an_option_removed_from_a_group():
    bad, restore = spoiled(lambda groups: groups[1].pop("lr"))
    harmless(bad, ValueError, ["'lr'", "group 1", "missing"], two_groups, two_gradients, restore)


@pytest.mark.parametrize("option", [{"momentum": 0.9}, {"ema": 0.5}])
def test_no_state_begins_in_a_group_before_the_bad_one(option):
    bad, restore = spoiled(lambda groups: (groups[0].update(option), groups[1].update(lr=NAN)))
    harmless(bad, ValueError, ["SGD: lr must be"], two_groups, two_gradients, restore)


@pytest.mark.parametrize("option", [{"momentum": 0.9}, {"ema": 0.5}])
def test_no_state_begins_where_a_schedule_fails(option):
    """The group with the schedule is the second, and did not change."""
    rates = [0.5] * 9
    bad, restore = spoiled(lambda groups: (groups[0].update(option), rates.__setitem__(2, NAN)))

    def make():
        opt = two_groups(lambda step: rates[step])
        opt.step(two_gradients())
        return opt

    harmless(bad, ValueError, ["SGD: lr(2) must be"], make, two_gradients, lambda opt: (restore(opt), rates.__setitem__(2, 0.5)))


@pytest.mark.parametrize("change", [
    lambda groups: groups.pop(),
    lambda groups: groups.append(dict(groups[0], params=[np.zeros(2)])),
    lambda groups: groups.reverse(),
], ids=["removed", "added", "exchanged"])  # fmt: skip
def test_groups_changed_in_number_or_order(change):
    opt = two_groups()
    kept, before = list(opt.param_groups), snapshot(opt)
    change(opt.param_groups)
    refused(lambda: opt.step(two_gradients()), ValueError, ["SGD", "group"])
    opt.param_groups[:] = kept
    assert snapshot(opt) == before


@pytest.mark.parametrize(("value", "error", "words"), [
    (NAN, ValueError, ["SGD: lr(1) must be", "nan"]), (-1.0, ValueError, ["SGD: lr(1) must be", "-1.0"]),
    (None, TypeError, ["SGD: lr(1) must be", "None"]), (True, TypeError, ["SGD: lr(1) must be", "True"]),
    (ZeroDivisionError("mine"), ZeroDivisionError, ["mine"]),
])  # fmt: skip
def test_a_schedule_that_fails_later(value, error, words):
    faults = []

    def rate(step):
        if faults and isinstance(value, Exception):
            raise value
        return value if faults else 0.5

    def bad(opt):
        faults.append(True)
        opt.step(two_gradients())

    harmless(bad, error, words, lambda: two_groups(rate), two_gradients, lambda opt: faults.clear())


SPOILED = {  # name: (what happens to an array of six numbers, the gradient of the next step)
    "read-only": (lambda p: p.setflags(write=False), np.ones(6)),
    "read-only, skipped": (lambda p: p.setflags(write=False), None),
    "longer": (lambda p: p.resize(8, refcheck=False), np.ones(8)),
    "shorter": (lambda p: p.resize(3, refcheck=False), np.ones(3)),
    "resized to its size": (lambda p: p.resize((2, 3), refcheck=False), np.ones((2, 3))),
    "shape": (lambda p: setattr(p, "shape", (2, 3)), np.ones((2, 3))),
    "float32": (lambda p: setattr(p, "dtype", np.float32), np.ones(12, np.float32)),
    "int64": (lambda p: setattr(p, "dtype", np.int64), np.ones(6, np.int64)),
}


@pytest.mark.parametrize("name", SPOILED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_parameter_resized_or_made_read_only_since(name):
    spoil, grad = SPOILED[name]
    first, spoiled = np.arange(4.0), np.arange(6.0)
    opt = Adam([first, spoiled])
    opt.step([np.ones(4), np.ones(6)])
    spoil(spoiled)
    before = first.tobytes(), spoiled.tobytes(), opt.steps, frozen(opt.state_dict())
    refused(lambda: opt.step([np.ones(4), grad]), (ValueError, TypeError), ["Adam.step", "parameter 1"])
    assert (first.tobytes(), spoiled.tobytes(), opt.steps, frozen(opt.state_dict())) == before


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_strided_parameter_reshaped_since():
    p = np.arange(12.0)[::2]
    opt = Adam([p])
    p.shape = (2, 3)
    refused(lambda: opt.step([np.ones((2, 3))]), ValueError, ["Adam.step", "parameter 0"])
    assert p.ravel().tolist() == [0, 2, 4, 6, 8, 10]
