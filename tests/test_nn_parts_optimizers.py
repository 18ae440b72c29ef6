"""Optimizers under Keras's names: the same steps, options, configurations; schedules."""

import copy
import inspect
import json
import os
import pickle

import numpy as np
import pytest

import fastopt
from fastopt.nn import optimizers
from fastopt.nn.optimizers import schedules

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported

CASES = [
    ("SGD", {}), ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("RMSprop", {}), ("RMSprop", {"rho": 0.8, "momentum": 0.5, "epsilon": 1e-3, "centered": True}), ("Adam", {}),
    ("Adam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3, "amsgrad": True}),
    ("Adam", {"clipvalue": 0.1}), ("Adam", {"global_clipnorm": 0.2, "epsilon": 0.1}), ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "learning_rate": 0.1}), ("Adadelta", {}), ("Adadelta", {"rho": 0.5, "epsilon": 1e-2}),
    ("Adagrad", {}), ("Adagrad", {"initial_accumulator_value": 0.3, "epsilon": 1e-2}), ("Adamax", {}), ("Adamax", {"beta_2": 0.5}),
    ("Nadam", {}), ("Nadam", {"beta_1": 0.5}), ("Lion", {}), ("Lion", {"beta_1": 0.5, "weight_decay": 0.2}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.7}), ("Adam", {"clipnorm": 0.4, "epsilon": 0.1}),
    ("SGD", {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}),
    ("SGD", {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 2}),
    ("Adam", {"gradient_accumulation_steps": 2, "use_ema": True, "learning_rate": 0.1}),
    ("Adam", {"gradient_accumulation_steps": 2, "clipnorm": 0.4}), ("SGD", {"gradient_accumulation_steps": 3, "momentum": 0.5}),
]  # fmt: skip
IDS = [f"{name}-{'-'.join(options)}" for name, options in CASES]
SCHEDULES = [
    ("ExponentialDecay", (0.1, 7, 0.5), {}), ("ExponentialDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("InverseTimeDecay", (0.1, 7, 0.5), {}), ("InverseTimeDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("PiecewiseConstantDecay", ([3, 9], [0.1, 0.05, 0.01]), {}), ("PolynomialDecay", (0.1, 10), {}),
    ("PolynomialDecay", (0.1, 10, 0.01), {"power": 2.0, "cycle": True}), ("CosineDecay", (0.1, 10), {}),
    ("CosineDecay", (0.01, 10), {"alpha": 0.2, "warmup_target": 0.1, "warmup_steps": 4}), ("CosineDecayRestarts", (0.1, 5), {}),
    ("CosineDecayRestarts", (0.1, 5), {"t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1}),
    ("CosineDecayRestarts", (0.1, 5), {"t_mul": 1.5, "m_mul": 0.9}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_keras_steps_the_same(name, options, rng):
    keras = pytest.importorskip("keras")
    params = [rng.standard_normal((3, 2)).astype(np.float32), rng.standard_normal(4).astype(np.float32)]
    theirs, variables = getattr(keras.optimizers, name)(**options), [keras.Variable(p.copy()) for p in params]
    ours = getattr(optimizers, name)(**options)
    ours.bind(params)
    for _ in range(5):
        grads = [rng.standard_normal(p.shape).astype(np.float32) for p in params]
        ours.step(grads, **ours.step_options)
        theirs.apply([keras.ops.convert_to_tensor(g) for g in grads], variables)
        assert ours.iterations == int(theirs.iterations)
    for param, variable in zip(params, variables):
        np.testing.assert_allclose(param, variable.numpy(), rtol=2e-5, atol=2e-6)
    ours.finalize_variable_values()
    theirs.finalize_variable_values(variables)
    for param, variable in zip(params, variables):
        np.testing.assert_allclose(param, variable.numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", list(optimizers.TABLE))
def test_signatures_are_keras_s(name):
    keras = pytest.importorskip("keras")
    theirs = inspect.signature(getattr(keras.optimizers, name)).parameters
    ours = inspect.signature(getattr(optimizers, name)).parameters
    assert {n: p.default for n, p in ours.items()} == {n: p.default for n, p in theirs.items() if n != "kwargs"}
    positional = [n for n, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == list(theirs)[: len(positional)]


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_configuration_and_copies(name, options):
    made = getattr(optimizers, name)(**options)
    config = json.loads(json.dumps(optimizers.serialize(made)))
    assert config["class_name"] == name
    again = optimizers.get(config)
    assert type(again) is type(made)
    assert again.get_config() == made.get_config()
    made.bind([np.zeros(3)])
    calls = options.get("gradient_accumulation_steps", 1)
    for _ in range(calls):
        made.step([np.ones(3)])
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert (type(other), other.steps, other.step_options) == (type(made), 1, made.step_options)
        for _ in range(calls):
            other.step([np.ones(3)])
        assert (made.steps, other.steps) == (1, 2)
    for _ in range(calls):
        made.step([np.ones(3)])
    np.testing.assert_array_equal(other._params[0], made._params[0])


def test_they_are_fastopt_s_own():
    opt = optimizers.Adam()
    assert isinstance(opt, fastopt.Adam)
    assert opt.like == "keras"
    assert isinstance(optimizers.Nadam(), fastopt.NAdam)


def test_learning_rate():
    opt = optimizers.Adam(0.1)
    assert opt.learning_rate == opt.lr == 0.1
    opt.learning_rate = 0.2
    assert opt.lr == 0.2
    opt.bind([np.zeros(2)])
    opt.learning_rate = 0.3
    assert opt.param_groups[0]["lr"] == 0.3
    assert opt.get_config()["learning_rate"] == 0.3
    falling = optimizers.SGD(schedules.ExponentialDecay(0.1, 1, 0.5))
    falling.bind([np.zeros(2)])
    assert falling.learning_rate == 0.1
    falling.step([np.ones(2)])
    assert (falling.iterations, falling.learning_rate) == (1, 0.05)
    with pytest.raises(TypeError, match="given by the schedule ExponentialDecay"):
        falling.learning_rate = 0.1


def test_averages_become_the_parameters():
    p = np.zeros(1)
    opt = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    opt.bind([p])
    opt.step([np.full(1, -1.0)])  # p = 1, average 1
    opt.step([np.full(1, -2.0)])  # p = 3, average 2
    opt.step([np.full(1, -3.0)])  # p = 6, average 4
    assert p == 6
    opt.finalize_variable_values()
    assert p == 4
    plain = optimizers.SGD(1.0)
    plain.bind([p])
    plain.finalize_variable_values()
    assert p == 4


@pytest.mark.parametrize(("identifier", "expected"), [
    ("adam", optimizers.Adam), ("Adam", optimizers.Adam), ("rmsprop", optimizers.RMSprop), ("SGD", optimizers.SGD),
    ("adam_w", optimizers.AdamW), ("nadam", optimizers.Nadam), (optimizers.Lion, optimizers.Lion),
    ({"class_name": "Adam", "config": {"learning_rate": 0.1}}, optimizers.Adam), (fastopt.Rprop, fastopt.Rprop),
])  # fmt: skip
def test_get(identifier, expected):
    assert type(optimizers.get(identifier)) is expected


def test_get_leaves_objects_as_they_are():
    for opt in (fastopt.Adam(lr=0.1, like="textbook"), optimizers.SGD()):
        assert optimizers.get(opt) is opt


@pytest.mark.parametrize("opt", [
    fastopt.AdamW(lr=fastopt.schedules.Warmup(fastopt.schedules.Cosine(0.1, 10), 5), betas=(0.8, 0.9), like="textbook"),
    fastopt.SGD(lr=0.1, momentum=0.9, ema=0.99), fastopt.Rprop(etas=(0.3, 1.5)), fastopt.Adam(lr=schedules.CosineDecay(0.1, 5)),
])  # fmt: skip
def test_configuration_of_fastopt_s(opt):
    again = optimizers.get(json.loads(json.dumps(optimizers.serialize(opt))))
    assert type(again) is type(opt)
    assert (again._defaults, again.like) == (opt._defaults, opt.like)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: optimizers.get("addam"), ValueError, "optimizer: unknown name 'addam', nearest known: 'Adam'"),
    (lambda: optimizers.get(3), TypeError, "optimizer: expected a name"),
    (lambda: optimizers.Adam(lr=0.1), TypeError, "Adam: unknown argument 'lr'; did you mean 'learning_rate'"),
    (lambda: optimizers.Adam(beta1=0.1), TypeError, "did you mean 'beta_1'"),
    (lambda: optimizers.Adam(clip_norm=0.1), TypeError, "did you mean 'clipnorm'"),
    (lambda: optimizers.Adam(clipnorm="a"), ValueError, "Adam: clipnorm must be a finite number > 0, got 'a'"),
    (lambda: optimizers.Adam(loss_scale_factor=2.0), ValueError, "loss_scale_factor=2.0 is for half precision"),
    (lambda: optimizers.Adam(gradient_accumulation_steps=1), ValueError, "steps must be None or an integer >= 2, got 1"),
    (lambda: optimizers.Adam(use_ema=True, ema_overwrite_frequency=2.5), ValueError, "frequency must be None or an integer >= 1"),
    (lambda: optimizers.Adam(ema_overwrite_frequency=2), ValueError, "ema_overwrite_frequency=2 needs use_ema=True"),
    (lambda: optimizers.Adam(clipvalue=1, clipnorm=1), ValueError, "only one of .* may be given, got clipvalue=1, clipnorm=1"),
    (lambda: optimizers.Adam(clipnorm=2, global_clipnorm=1), ValueError, "got clipnorm=2, global_clipnorm=1"),
    (lambda: optimizers.Adam(clipvalue=-1), ValueError, "clipvalue must be a finite number > 0, got -1"),
    (lambda: optimizers.Adam(learning_rate=-1), ValueError, "lr must be a finite number >= 0"),
    (lambda: optimizers.Adam(beta_1=1.0), ValueError, r"beta1 must be in \[0, 1\)"),
])  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("n", [None, 3])
def test_a_schedule_counts_calls(n, rng):
    keras = pytest.importorskip("keras")
    w = rng.standard_normal(3).astype("f4")
    ours = optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), gradient_accumulation_steps=n)
    theirs = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), gradient_accumulation_steps=n)
    variable = keras.Variable(w.copy())
    ours.bind([w])
    for _ in range(10):
        assert ours.learning_rate == pytest.approx(float(theirs.learning_rate), rel=1e-6)
        grad = rng.standard_normal(3).astype("f4")
        ours.step([grad])
        theirs.apply([keras.ops.convert_to_tensor(grad)], [variable])
        np.testing.assert_allclose(w, variable.numpy(), rtol=2e-6)


def test_what_was_added_up_goes_with_the_state(tmp_path):
    make = lambda: optimizers.SGD(1.0, gradient_accumulation_steps=3)
    opt, other, w, v = make(), make(), [np.zeros(2), np.zeros(1)], [np.zeros(2), np.zeros(1)]
    opt.bind(w)
    other.bind(v)
    empty = opt.state_dict()
    opt.step([np.array([3.0, 6.0]), None], grad_scale=2.0)
    opt.step([np.array([3.0, 0.0]), None])
    kept = opt.state_dict()
    fastopt.optim.save(tmp_path / "state", opt)
    fastopt.optim.load(tmp_path / "state", other)
    copies = copy.deepcopy(opt)
    for one in (opt, other, copies):
        one.step([np.array([0.0, 3.0]), np.array([9.0])])
        assert [array.tolist() for array in one._params] == [[-1.5, -2.0], [-3.0]]
    other.load_state_dict(kept)
    other.step([np.zeros(2), np.zeros(1)])
    assert v[0].tolist() == [-3.0, -3.0]
    opt.load_state_dict(kept)
    opt.load_state_dict(empty)
    copies.load_state_dict(kept)
    fresh = copies.unbound()
    u = [np.zeros(2), np.zeros(1), np.zeros(1)]
    fresh.bind(u)
    for one, arrays in ((opt, w), (fresh, u)):
        before = arrays[0].copy()
        for _ in range(2):
            one.step([np.ones(a.shape) for a in arrays])
            assert (arrays[0] == before).all()
        one.step([np.ones(a.shape) for a in arrays])
        assert (arrays[0] == before - 1).all()


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"gradients_added": 3}, ValueError, r"SGD.load_state_dict: gradients_added are \[1, 3\], expected one number of at most 2"),
    ({"gradients_added": 5}, ValueError, "gradients_added are"),
    ({"gradient_sum": np.ones(3)}, ValueError, r"gradient of parameter 0 has shape \(3,\), expected \(2,\)"),
    ({"gradient_sum": np.ones(2, "f4")}, TypeError, "gradient of parameter 0 has dtype float32"),
])  # fmt: skip
def test_sums_that_do_not_fit(change, error, message):
    opt = optimizers.SGD(1.0, gradient_accumulation_steps=3)
    opt.bind([np.zeros(2), np.zeros(1)])
    opt.step([np.ones(2), np.ones(1)])
    state = opt.state_dict()
    state["state"][0] |= change
    with pytest.raises(error, match=message):
        opt.load_state_dict(state)
    assert (opt._added, opt._sums[0].tolist()) == (1, [1.0, 1.0])


def test_calls_that_only_add_up_check_their_options():
    opt = optimizers.SGD(1.0, gradient_accumulation_steps=2)
    with pytest.raises(RuntimeError, match="step: this optimizer has no parameters"):
        opt.step([np.ones(2)])
    opt.bind([np.zeros(2)])
    wrong = {"foo": 1}, {"clip_norm": "x"}, {"clip_each": 1}
    for options, message in zip(wrong, ("foo", "clip_norm must be", "clip_each must be")):
        with pytest.raises(TypeError, match=message):
            opt.step([np.ones(2)], **options)
    assert opt._added == 0


def test_what_is_refused_is_not_added_up():
    opt, w = optimizers.SGD(1.0, gradient_accumulation_steps=2), np.zeros(2)
    opt.bind([w])
    opt.step([np.array([1.0, 2.0])])
    for bad in ([np.ones(3)], [np.ones(2, np.float32)], []):
        with pytest.raises((ValueError, TypeError)):
            opt.step(bad)
    with pytest.raises(ValueError, match="grad_scale must be"):
        opt.step([np.ones(2)], grad_scale=0)
    with pytest.raises(ValueError, match="clip_norm must be"):
        opt.step([np.ones(2)], clip_norm=-1)
    assert (w == 0).all()
    opt.step([np.array([2.0, 4.0])], grad_scale=2.0)
    assert w.tolist() == [-1, -2]
    opt.step([None])
    opt.step([np.array([4.0, 0.0])])
    assert w.tolist() == [-3, -2]


def test_decay_is_ignored_with_a_warning():
    with pytest.warns(UserWarning, match="decay is ignored"):
        optimizers.SGD(decay=1e-6)


@pytest.mark.parametrize(("name", "arguments", "options"), SCHEDULES)
def test_keras_has_the_same_rates(name, arguments, options):
    keras = pytest.importorskip("keras")
    ours, theirs = (getattr(home.schedules, name)(*arguments, **options) for home in (optimizers, keras.optimizers))
    for step in range(25):
        if name == "CosineDecayRestarts" and step in (5, 15, 10, 20):
            continue  # Keras counts restarts by logarithms, which may miss one
        np.testing.assert_allclose(ours(step), float(theirs(step)), rtol=1e-4, atol=1e-7)
    assert ours.get_config() == theirs.get_config()


@pytest.mark.parametrize(("name", "arguments", "options"), SCHEDULES)
def test_configuration_of_schedules(name, arguments, options):
    made = getattr(schedules, name)(*arguments, **options)
    again = schedules.deserialize(json.loads(json.dumps(schedules.serialize(made))))
    assert again == made
    assert again != getattr(schedules, name)(*arguments, **options | {"name": "other"})
    kept = optimizers.get(optimizers.serialize(optimizers.SGD(made)))
    assert kept.lr == made


def test_rates_by_hand():
    restarts = schedules.CosineDecayRestarts(8, 2)
    assert [restarts(t) for t in (0, 2, 6, 14)] == [8, 8, 8, 8]  # after 2, 4, 8 steps
    assert [schedules.PiecewiseConstantDecay([1, 3], [3.0, 2.0, 1.0])(t) for t in range(5)] == [3, 3, 2, 2, 1]
    assert [schedules.PolynomialDecay(8, 4, end_learning_rate=0)(t) for t in range(6)] == [8, 6, 4, 2, 0, 0]


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), ValueError, "decay_steps must be > 0"),
    (lambda: schedules.PiecewiseConstantDecay([1], [0.1]), ValueError, "values has length 1, expected 2"),
    (lambda: schedules.PiecewiseConstantDecay([3, 1], [1, 2, 3]), ValueError, "boundaries must ascend"),
    (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0.5), ValueError, "t_mul must be >= 1"),
    (lambda: schedules.deserialize({"class_name": "CosinDecay"}), ValueError, "schedule: unknown name 'CosinDecay'"),
    (lambda: schedules.LearningRateSchedule()(0), NotImplementedError, r"must define __call__"),
])  # fmt: skip
def test_errors_of_schedules(call, error, message):
    with pytest.raises(error, match=message):
        call()
