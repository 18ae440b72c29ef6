"""state_dict, load_state_dict, files, copies, pickles: what continues goes on bit for bit, what does not fit changes nothing."""

import copy
import functools
import os
import pickle
import resource

import numpy as np
import pytest
from snapshots import frozen, snapshot

from fastopt import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, NAdam, RAdam, RMSprop, Rprop, optim
from fastopt.optim.schedules import Exponential

VARIANTS = {  # name: (optimizer, options, names of the states beside "step")
    "SGD": (SGD, {}, ()),
    "momentum": (SGD, {"momentum": 0.9, "dampening": 0.5}, ("momentum_buffer",)),
    "nesterov": (SGD, {"momentum": 0.9, "nesterov": True, "like": "sklearn"}, ("momentum_buffer",)),
    "Adagrad": (Adagrad, {"lr_decay": 0.1, "initial_accumulator_value": 0.5}, ("sum",)),
    "RMSprop": (RMSprop, {}, ("square_avg",)),
    "centered": (RMSprop, {"centered": True, "momentum": 0.5}, ("square_avg", "grad_avg", "momentum_buffer")),
    "Adadelta": (Adadelta, {}, ("square_avg", "acc_delta")),
    "Adam": (Adam, {}, ("exp_avg", "exp_avg_sq")),
    "amsgrad": (Adam, {"amsgrad": True}, ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")),
    "options of numpy": (Adam, {"lr": np.float32(0.1), "eps": np.float64(1e-7), "maximize": np.True_}, ("exp_avg", "exp_avg_sq")),
    "AdamW": (AdamW, {"ema": 0.9, "betas": (0.8, 0.9)}, ("exp_avg", "exp_avg_sq", "ema")),
    "Adamax": (Adamax, {"like": "keras"}, ("exp_avg", "exp_inf")),
    "NAdam": (NAdam, {}, ("mu_product", "exp_avg", "exp_avg_sq")),
    "NAdam of optax": (NAdam, {"like": "optax"}, ("mu_product", "exp_avg", "exp_avg_sq")),
    "RAdam": (RAdam, {"betas": (0.9, 0.9)}, ("exp_avg", "exp_avg_sq")),
    "Lion": (Lion, {}, ("exp_avg",)),
    "Rprop": (Rprop, {}, ("prev", "step_size")),
    "schedule": (SGD, {"lr": Exponential(0.5, gamma=0.7), "momentum": 0.9}, ("momentum_buffer",)),
}
CLIPPED = {"grad_scale": 2.0, "clip_value": 0.5}  # no norm: its last bit follows the order in memory, which a pickle may change


def params():
    """Fortran order, gaps, an axis order of its own, 0-d, empty; both dtypes."""
    rng = np.random.default_rng(1)
    return [
        np.asfortranarray(rng.normal(size=(3, 4))), rng.normal(size=10).astype(np.float32)[::-2],
        rng.normal(size=(4, 2, 10)).transpose(2, 0, 1)[::2], np.array(0.5), np.zeros((2, 0, 3), np.float32),
    ]  # fmt: skip


def gradients(k):
    rng = np.random.default_rng(100 + k)
    grads = [np.asarray(rng.normal(size=p.shape)).astype(p.dtype) for p in params()]
    return [None, *grads[1:]] if k == 1 else grads  # the first tensor is a step behind


def grouped(arrays):
    return [{"params": arrays[:2]}, {"params": dict(enumerate(arrays[2:])), "lr": 0.25, "maximize": True}]


def as_groups(grads):
    return [grads[:2], dict(enumerate(grads[2:]))]


def train(opt, steps):
    for k in steps:
        opt.step(as_groups(gradients(k)) if len(opt.param_groups) > 1 else gradients(k), **CLIPPED)
    return opt


def trained(name, groups=False):
    make, options, _ = VARIANTS[name]
    return train(make(grouped(params()) if groups else params(), **options), range(3))


def arrays_of(opt):
    """The parameters in one list."""
    return [a for group in opt.param_groups for a in group["params"]]


# ---- state_dict


@pytest.mark.parametrize("name", VARIANTS)
def test_structure_and_names(name):
    opt = trained(name)
    given, names = opt.state_dict(), VARIANTS[name][2]
    assert set(given) >= {"state", "param_groups"}
    assert list(given["state"]) == [0, 1, 2, 3, 4]
    assert [group["params"] for group in given["param_groups"]] == [[0, 1, 2, 3, 4]]
    behind = 3 if opt.like in ("keras", "optax", "sklearn") else 2  # these count the optimizer's steps, not the tensor's
    for state, param, steps in zip(given["state"].values(), params(), (behind, 3, 3, 3, 3)):
        assert set(state) == {"step", *names}
        assert state["step"] == steps
        for array in (state[n] for n in names if n != "mu_product"):
            assert (array.shape, array.dtype) == (param.shape, param.dtype)


def test_groups_in_the_state_dict():
    groups = trained("AdamW", groups=True).state_dict()["param_groups"]
    assert [group["params"] for group in groups] == [[0, 1], [2, 3, 4]]
    assert [(group["lr"], group["maximize"], group["ema"]) for group in groups] == [(1e-3, False, 0.9), (0.25, True, 0.9)]


def test_states_before_the_first_step():
    """torch has no momentum_buffer before the first step."""
    assert SGD(params(), momentum=0.9).state_dict()["state"] == {i: {"step": 0} for i in range(5)}
    assert Rprop(np.ones(2), lr=0.25).state_dict()["state"][0]["step_size"].tolist() == [0.25, 0.25]
    assert Adagrad(np.ones(2), initial_accumulator_value=0.5).state_dict()["state"][0]["sum"].tolist() == [0.5, 0.5]


def test_a_schedule_is_given_by_its_present_rate():
    assert trained("schedule").state_dict()["param_groups"][0]["lr"] == pytest.approx(0.5 * 0.7**3)


def test_arrays_are_copied_out_and_in():
    opt, other = trained("AdamW"), trained("AdamW")
    before, given = snapshot(opt), opt.state_dict()
    other.load_state_dict(given)
    for state in given["state"].values():
        for value in state.values():
            if isinstance(value, np.ndarray):
                value[...] = 77
    given["param_groups"][0]["lr"] = 77.0
    given["param_groups"][0]["params"].clear()
    assert snapshot(opt) == before
    assert frozen(other.state_dict()) == frozen(opt.state_dict())


def test_options_are_copied_out():
    betas, rate = [0.8, 0.9], np.array(0.1)
    opt = Adam(np.ones(2), lr=rate, betas=betas)
    group = opt.state_dict()["param_groups"][0]
    assert group["betas"] is not betas
    assert group["lr"] is not rate


def test_a_state_from_before_the_first_step_takes_all_back():
    opt, new = trained("momentum"), SGD(params(), momentum=0.9, dampening=0.5)
    opt.load_state_dict(new.state_dict())
    for mine, first in zip(arrays_of(opt), params()):
        mine[...] = first
    assert snapshot(train(opt, range(3))) == snapshot(train(new, range(3)))
    opt = trained("centered")
    opt.load_state_dict({"state": {}, "param_groups": opt.state_dict()["param_groups"]})
    assert {array.any() for state in opt.state_dict()["state"].values() for n, array in state.items() if n != "step"} == {np.False_}


# ---- on from the middle, bit for bit


def fresh(opt, name):
    """An optimizer around copies of the parameters; its options, but for the preset and a schedule, come with the state."""
    make, options, _ = VARIANTS[name]
    arrays = [a.copy(order="K") for a in arrays_of(opt)]
    kept = {n: v for n, v in options.items() if n == "like" or callable(v)}
    return make(grouped(arrays) if len(opt.param_groups) > 1 else arrays, **kept)


def by_state_dict(opt, name, path):
    other = fresh(opt, name)
    other.load_state_dict(opt.state_dict())
    return other


def by_file(opt, name, path):
    other = fresh(opt, name)
    optim.save(path, opt)
    optim.load(path, other)
    return other


WAYS = {
    "state_dict": by_state_dict,
    "file": by_file,
    "deepcopy": lambda opt, *_: copy.deepcopy(opt),
    **{f"pickle {p}": functools.partial(lambda p, opt, *_: pickle.loads(pickle.dumps(opt, p)), p) for p in (2, 5)},
}


@pytest.mark.parametrize("groups", [False, True], ids=["list", "groups"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", VARIANTS)
def test_goes_on_bit_for_bit_and_alone(name, way, groups, tmp_path):
    opt = trained(name, groups)
    other = WAYS[way](opt, name, tmp_path / "state")
    before = snapshot(opt)
    assert snapshot(other) == before
    train(other, range(3, 6))
    assert snapshot(opt) == before, "they share an array"
    train(opt, range(3, 6))
    assert snapshot(opt) == snapshot(other) != before


@pytest.mark.parametrize("way", WAYS)
def test_options_switched_on_after_the_copy(way, tmp_path):
    """States that begin then lie like the parameter in its new place."""
    opt = trained("Adam")
    other = WAYS[way](opt, "Adam", tmp_path / "state")
    for one in (opt, other):
        one.param_groups[0].update(amsgrad=True, ema=0.5)
        train(one, range(3, 6))
    assert snapshot(opt) == snapshot(other)


@pytest.mark.parametrize("way", WAYS)
def test_states_not_in_use_come_along(way, tmp_path):
    """Momentum switched off for a while goes on from its buffer."""
    opt = trained("momentum")
    opt.param_groups[0]["momentum"] = 0.0
    train(opt, [3])
    other = WAYS[way](opt, "momentum", tmp_path / "state")
    for one in (opt, other):
        one.param_groups[0]["momentum"] = 0.9
        train(one, range(4, 6))
    assert snapshot(opt) == snapshot(other)


@pytest.mark.parametrize("way", WAYS)
def test_a_buffer_asked_for_but_not_begun(way, tmp_path):
    """Its first step is still to come: a copy of the gradient, undampened."""
    opt = trained("SGD")
    opt.param_groups[0].update(momentum=0.5, dampening=0.5)
    opt.step([None] * 5)
    other = WAYS[way](opt, "SGD", tmp_path / "state")
    train(opt, range(3, 6))
    train(other, range(3, 6))
    assert snapshot(opt) == snapshot(other)


@pytest.mark.parametrize("dup", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_a_copy_together_with_its_parameters_still_steps_them(dup):
    weights = {"w": np.ones(3), "b": np.ones(2, np.float32)}
    opt = SGD(weights, lr=1.0)
    others, other = dup((weights, opt))
    other.step({"w": np.ones(3), "b": np.full(2, 2, np.float32)})
    assert (others["w"] == 0).all()
    assert (others["b"] == -1).all()
    assert (weights["w"] == 1).all()
    assert (weights["b"] == 1).all()


def test_a_shallow_copy_takes_nothing_from_the_original():
    """Refused, or with states of its own: half shared, the counts of one would not fit the states of the other."""
    opt = trained("Adam")
    before = frozen(opt.state_dict())
    try:
        other = copy.copy(opt)
    except TypeError:
        return
    train(other, [3])
    assert frozen(opt.state_dict()) == before


@pytest.mark.parametrize("dup", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_a_copy_of_an_unbound_optimizer_binds(dup):
    opt, p = dup(Adam(lr=0.5, like="keras")), np.ones(2)
    opt.bind(p)
    opt.step(np.ones(2))
    np.testing.assert_allclose(p, 0.5, rtol=1e-5)


def test_states_of_torch():
    """As torch writes them: step as an array of float, no step for SGD, options of its own, no state before the first step."""
    opt = Adam([np.ones(2), np.ones(1)])
    opt.load_state_dict({
        "state": {0: {"step": np.array(3.0, np.float32), "exp_avg": np.full(2, 0.5), "exp_avg_sq": np.full(2, 0.25)}},
        "param_groups": [{"lr": 0.5, "betas": [0.5, 0.75], "eps": 0.0, "weight_decay": 0, "amsgrad": False, "maximize": False,
                          "foreach": None, "capturable": False, "differentiable": False, "fused": None, "params": [0, 1]}],
    })  # fmt: skip
    state = opt.state_dict()["state"]
    assert [(state[i]["step"], state[i]["exp_avg"].tolist()) for i in (0, 1)] == [(3, [0.5, 0.5]), (0, [0.0])]
    p = np.ones(1)
    sgd = SGD([p], dampening=0.0)
    sgd.load_state_dict({
        "state": {0: {"momentum_buffer": np.full(1, 2.0)}}, "param_groups": [{"lr": 1, "momentum": 0.5, "params": [0]}],
    })  # fmt: skip
    sgd.step([np.ones(1)])
    assert p[0] == -1


# ---- what does not fit


def edit(*path, value=None, drop=False):
    def apply(given):
        *way, last = path
        for key in way:
            given = given[key]
        if drop:
            del given[last]
        else:
            given[last] = value

    return apply


UNFIT = {  # name: (what happens to a good state_dict, words of the message)
    "state missing": (edit("state", 1, "exp_avg_sq", drop=True), ["exp_avg_sq", "missing"]),
    "state None": (edit("state", 1, "max_exp_avg_sq", value=None), ["max_exp_avg_sq", "missing"]),
    "average missing": (edit("state", 1, "ema", drop=True), ["ema", "missing"]),
    "shape": (edit("state", 1, "exp_avg", value=np.zeros(4, np.float32)), ["exp_avg", "(4,)", "(5,)"]),
    "shape that broadcasts": (edit("state", 1, "exp_avg", value=np.zeros(1, np.float32)), ["exp_avg", "(1,)", "(5,)"]),
    "dtype": (edit("state", 1, "exp_avg", value=np.zeros(5)), ["exp_avg", "float64", "float32"]),
    "integers": (edit("state", 3, "exp_avg", value=np.array(1)), ["exp_avg", "int64", "float64"]),
    "number for an array": (edit("state", 1, "exp_avg", value=1.0), ["exp_avg", "()", "(5,)"]),
    "text for an array": (edit("state", 1, "exp_avg", value="x"), ["exp_avg"]),
    "unknown state": (edit("state", 1, "momentum_buffer", value=np.zeros(5, np.float32)), ["momentum_buffer", "exp_avg"]),
    "unknown parameter": (edit("state", 5, value={"step": 1}), ["parameter 5", "5 parameters"]),
    "named parameter": (edit("state", "w", value={"step": 1}), ["'w'"]),
    "state of a parameter not a dict": (edit("state", 1, value=5), ["state"]),
    "states a list": (edit("state", value=[1, 2]), ["state"]),
    "states missing": (edit("state", drop=True), ["'state'"]),
    "groups missing": (edit("param_groups", drop=True), ["'param_groups'"]),
    "groups none": (edit("param_groups", value=[]), ["0", "2"]),
    "group too many": (lambda s: s["param_groups"].append(s["param_groups"][0]), ["3", "2"]),
    "group not a dict": (edit("param_groups", 1, value=5), ["group"]),
    "indices": (edit("param_groups", 1, "params", value=[2, 4, 3]), ["group 1", "[2, 4, 3]", "[2, 3, 4]"]),
    "indices of all": (edit("param_groups", 1, "params", value=[0, 1, 2, 3, 4]), ["group 1", "[2, 3, 4]"]),
    "indices missing": (edit("param_groups", 1, "params", drop=True), ["group 1", "[2, 3, 4]"]),
    "indices a number": (edit("param_groups", 1, "params", value=2), ["group 1"]),
    "option unknown": (edit("param_groups", 1, "momentum", value=0.9), ["'momentum'", "group 1"]),
    "option out of range": (edit("param_groups", 1, "betas", value=(0.9, 1.5)), ["beta2", "1.5"]),
    "rate NaN": (edit("param_groups", 1, "lr", value=np.nan), ["lr", "nan"]),
    "rate None": (edit("param_groups", 1, "lr", value=None), ["lr", "None"]),
    "ema out of range": (edit("param_groups", 1, "ema", value=1), ["ema", "1"]),
    "step negative": (edit("state", 1, "step", value=-1), ["step", "-1"]),
    "step half": (edit("state", 1, "step", value=1.5), ["step", "1.5"]),
    "step NaN": (edit("state", 1, "step", value=np.nan), ["step", "nan"]),
    "step inf": (edit("state", 1, "step", value=np.inf), ["step", "inf"]),
    "step text": (edit("state", 1, "step", value="three"), ["step", "three"]),
    "step beyond float": (edit("state", 4, "step", value=10**400), ["step"]),
    "steps negative": (edit("step", value=-1), ["step", "-1"]),
    "steps beyond int64": (edit("step", value=2**63), ["step"]),
    "None": (lambda s: s.clear(), ["'state'"]),
}  # fmt: skip


@pytest.mark.parametrize("name", UNFIT)
def test_a_state_that_does_not_fit_changes_nothing(name):
    def make(seed):
        arrays = [p + seed for p in params()]
        return train(Adam(grouped([a if a.ndim else np.array(a) for a in arrays]), lr=0.1, amsgrad=True, ema=0.5), range(1 + seed))

    change, words = UNFIT[name]
    opt, twin, given = make(1), make(1), make(2).state_dict()
    for group in given["param_groups"]:
        group["lr"] = 0.7
    change(given)
    before = snapshot(opt)
    with pytest.raises((ValueError, TypeError)) as caught:
        opt.load_state_dict(given)
    missing = [word for word in ("Adam", *words) if word not in str(caught.value)]
    assert not missing, f"{missing} not in {caught.value}"
    assert snapshot(opt) == before
    assert snapshot(train(opt, [4])) == snapshot(train(twin, [4]))


@pytest.mark.parametrize("given", [None, 5, "state", [], {}, np.zeros(3)], ids=repr)
def test_what_is_no_state_at_all(given):
    opt = trained("Adam")
    before = snapshot(opt)
    with pytest.raises((ValueError, TypeError), match=r"Adam\.load_state_dict"):
        opt.load_state_dict(given)
    assert snapshot(opt) == before


def test_a_schedule_that_has_no_rate_for_the_loaded_step():
    rates = [0.1, 0.2]
    opt = Adam(params(), lr=rates.__getitem__, eps=0.25)
    before = snapshot(opt)
    with pytest.raises(IndexError):
        opt.load_state_dict(trained("Adam").state_dict())  # 3 steps
    rates.append(0.3)
    assert snapshot(opt) == before


# ---- files


@pytest.fixture
def saved(tmp_path):
    """A file, and what makes optimizers that it fits."""
    path = tmp_path / "opt.state"
    optim.save(path, trained("AdamW"))
    return path, lambda: AdamW(params())


@pytest.mark.parametrize("name", ["state", "state.npz", "a b.tar", ".hidden"])
def test_exactly_that_path_is_written_and_nothing_beside_it(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opt = trained("Adam")
    for path in (name, tmp_path / name, os.fspath(tmp_path / name)):
        optim.save(path, opt)
        assert os.listdir(tmp_path) == [name]
    other = train(Adam(params()), range(1))
    optim.load(name, other)
    assert frozen(other.state_dict()["state"]) == frozen(opt.state_dict()["state"])


def test_a_plain_npz_with_the_permissions_of_any_new_file(tmp_path):
    optim.save(tmp_path / "state", trained("Adam"))
    (tmp_path / "other").touch()
    assert os.stat(tmp_path / "state").st_mode == os.stat(tmp_path / "other").st_mode
    with np.load(tmp_path / "state", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


@pytest.mark.parametrize("value", [np.nan, -0.0, np.inf, 5e-324, 0.1])
def test_every_bit_is_kept(value, tmp_path):
    p = np.full((2, 3), value, order="F")
    opt, other = Adam(p, ema=0.5, lr=1 / 3), Adam(p.copy(), ema=0.5)
    opt.step(np.full((2, 3), value))
    optim.save(tmp_path / "state", opt)
    optim.load(tmp_path / "state", other)
    assert frozen(other.state_dict()) == frozen(opt.state_dict())


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path, opt = tmp_path / "state", SGD(np.zeros(50_000), momentum=0.9)
    opt.step(np.ones(50_000))
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError):  # noqa: PT011
            optim.save(path, opt)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == ["state"]
    assert path.read_bytes() == b"old"


def test_places_that_cannot_be_written_or_read(tmp_path):
    opt, file = trained("Adam"), tmp_path / "folder"
    file.mkdir()
    before = snapshot(opt)
    missing = tmp_path / "none"
    for call, path in ((optim.save, missing / "x"), (optim.save, file), (optim.load, file), (optim.load, missing)):
        with pytest.raises(OSError):  # noqa: PT011
            call(path, opt)
    assert os.listdir(tmp_path) == ["folder"]
    assert os.listdir(file) == []
    assert snapshot(opt) == before


@pytest.mark.parametrize("other", [
    lambda: Adam(params()), lambda: AdamW(params()[:4]), lambda: AdamW(grouped(params())), lambda: AdamW(params()[::-1]),
    lambda: AdamW([np.zeros(p.shape) for p in params()]),
], ids=["optimizer", "count", "groups", "order", "dtype"])  # fmt: skip
def test_files_of_another_optimizer(saved, other):
    opt = other()
    before = snapshot(opt)
    with pytest.raises(ValueError, match="Adam"):
        optim.load(saved[0], opt)
    assert snapshot(opt) == before


def test_a_link_is_followed_and_stays(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"before")
    link.symlink_to(target)
    optim.save(os.fsencode(link), trained("Adam"))
    assert link.is_symlink()
    optim.load(target, Adam(params()))
    assert sorted(os.listdir(tmp_path)) == ["link", "target"]
