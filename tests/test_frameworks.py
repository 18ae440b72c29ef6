"""Every preset beside the framework's own optimizer: the same steps, the same defaults, states that can be exchanged?

Both run over the same gradients and are compared after every step: scalars and odd shapes, single zeros and a whole step of them,
None for gradients where the framework takes it, a learning rate that changes on the way.
"""

import inspect
import itertools
import math
import os
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest

import fastopt
from fastopt.optim.rules import RULES

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported

# The largest difference allowed, in multiples of eps max(|p|, 1). Nearly all cases stay below 20. RAdam's rho loses three digits
# to cancellation (600 in float64), Keras computes 1 - beta2^t in float32 (80 in float32). Another convention, see
# test_another_convention_shows, is WRONG times as far off at least.
TOLERANCE = {"float64": 2500, "float32": 320}
WRONG = 10

SHAPES = (), (7,), (3, 5), (2, 3, 17)
STEPS = 12
ZEROS = 3  # the step at which all gradients are 0
MISSING = {0: (1, 3), 1: (1,), 4: (0, 3), 8: (2,)}  # step: parameters without a gradient, under torch and Keras
RATES = {5: 0.3, 9: 0.02}  # the learning rate from that step on; before, it is the optimizer's own


@dataclass(frozen=True)
class Case:
    """An optimizer under a preset. Options have our names."""

    like: str
    name: str
    options: dict = field(default_factory=dict)
    other: dict = field(default_factory=dict)  # what would make it another framework's optimizer
    function: str = ""  # optax's, where it has another name
    clip: dict = field(default_factory=dict)
    rates: dict = field(default_factory=lambda: RATES)
    size: float = 1.0  # of the gradients
    broken: float = 0.0  # an element of the last gradients but one, where not 0

    def __str__(self):
        given = self.options | self.clip | ({"broken": self.broken} if self.broken else {})
        return " ".join((self.like, self.name, *(f"{name}={value}" for name, value in given.items())))


def having(like):
    return [name for name, rule in RULES.items() if like in rule.presets]


BETAS = {"betas": (0.8, 0.95)}
EDGE = {"lr": 0.1, "betas": (0.9, 0.8397685748659791)}  # RAdam's rho is 5 exactly at step 6 (glibc's pow)
HEAVY = {"lr": 0.1, "momentum": 0.9}
DECAY = {"lr": 0.1, "weight_decay": 0.1}
EPS = {"lr": 0.1, "eps": 1e-2}
L2, DECOUPLED = ({"decoupled_weight_decay": decoupled} for decoupled in (False, True))
INSIDE, OUTSIDE, HAT = ({"eps_mode": mode} for mode in ("inside", "outside", "hat"))
LIKE_TORCH, LIKE_KERAS, LIKE_OPTAX, TEXTBOOK = ({"like": like} for like in ("torch", "keras", "optax", "textbook"))

ROWS = {
    "torch": [
        *((name,) for name in having("torch")),
        ("SGD", HEAVY, TEXTBOOK),
        ("SGD", HEAVY | {"dampening": 0.9}, {"velocity": "average"}),  # which is dampened at the first step, too
        ("SGD", HEAVY | DECAY | {"dampening": 0.3, "maximize": True}, DECOUPLED),
        ("SGD", HEAVY | {"nesterov": True}, {"nesterov": False}),
        ("Adagrad", EPS, INSIDE),
        ("Adagrad", EPS | {"lr_decay": 0.2, "initial_accumulator_value": 0.3}, {"initial_accumulator_value": 0.0}),
        ("Adagrad", DECAY | {"maximize": True}, DECOUPLED),
        ("RMSprop", EPS | {"alpha": 0.8}, INSIDE),
        ("RMSprop", HEAVY, {"lr_in_momentum": True}),
        ("RMSprop", EPS | {"centered": True}, INSIDE),
        ("RMSprop", HEAVY | DECAY | {"centered": True, "maximize": True}, DECOUPLED),
        ("Adadelta", DECAY | {"rho": 0.7, "eps": 1e-3, "maximize": True}, DECOUPLED),
        ("Adam", EPS, HAT),
        ("Adam", DECAY | BETAS | {"maximize": True}, DECOUPLED),
        ("Adam", DECAY | DECOUPLED, L2),
        ("Adam", EPS | BETAS | {"amsgrad": True}, {"amsgrad_max": "corrected"}),
        ("AdamW", EPS | BETAS | {"amsgrad": True, "maximize": True}, L2),
        ("Adamax", EPS | BETAS, OUTSIDE),
        ("Adamax", DECAY | {"maximize": True}, DECOUPLED),
        ("NAdam", EPS, {"momentum_decay": 1.0}),
        ("NAdam", DECAY | BETAS | {"momentum_decay": 0.5, "maximize": True}, {"momentum_decay": None}),
        ("NAdam", DECAY | DECOUPLED, L2),
        ("RAdam", EPS, OUTSIDE),
        ("RAdam", EDGE, {"threshold": math.nextafter(5, 0)}),
        ("RAdam", DECAY | {"betas": (0.5, 0.5), "maximize": True}, DECOUPLED),  # never rectified
        ("RAdam", DECAY | DECOUPLED, L2),
        ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "maximize": True}, {"delayed": True}),
        ("Rprop", {"step_sizes": (0.02, 0.05)}, {"clamp_unchanged": False}),  # the first step_size lies outside
    ],
    "keras": [
        *((name,) for name in having("keras")),
        *((name, DECAY, L2) for name in having("keras") if name != "SGD"),
        ("SGD", HEAVY | DECAY, L2),
        ("SGD", HEAVY, LIKE_TORCH),
        ("SGD", HEAVY | {"nesterov": True}, {"velocity": "average"}),
        ("Adagrad", {}, {"initial_accumulator_value": 0.0}),
        ("Adagrad", EPS | {"initial_accumulator_value": 0.3}, LIKE_TORCH),
        ("RMSprop", EPS | {"alpha": 0.8}, LIKE_TORCH),
        ("RMSprop", EPS | {"alpha": 0.8, "centered": True}, OUTSIDE),
        ("RMSprop", HEAVY | {"centered": True}, {"lr_in_momentum": False}),
        ("Adadelta", EPS | {"rho": 0.7}),
        ("Adam", EPS, LIKE_TORCH),
        ("Adam", EPS | BETAS | {"amsgrad": True}, {"amsgrad_max": "corrected"}),
        ("AdamW", EPS | BETAS | {"amsgrad": True, "weight_decay": 0.1}, OUTSIDE),
        ("Adamax", EPS | BETAS, LIKE_TORCH),
        ("NAdam", EPS, LIKE_TORCH),
        ("NAdam", EPS | BETAS, LIKE_OPTAX),
        ("Lion", BETAS | {"lr": 0.1}),
    ],
    "optax": [
        *((name, {"lr": 0.01}) for name in having("optax")),
        ("SGD", HEAVY, LIKE_KERAS),
        ("SGD", HEAVY | DECAY | {"nesterov": True}, DECOUPLED),
        ("Adagrad", {"lr": 0.1}, {"initial_accumulator_value": 0.0}),
        ("Adagrad", EPS | {"initial_accumulator_value": 0.3}, OUTSIDE),
        ("RMSprop", EPS | {"alpha": 0.8}, LIKE_TORCH),
        ("RMSprop", EPS | {"centered": True}, OUTSIDE),
        ("RMSprop", HEAVY | DECAY | {"centered": True}, {"lr_in_momentum": False}),
        ("Adadelta", DECAY | {"rho": 0.7, "eps": 1e-3}, DECOUPLED),
        ("Adam", EPS, LIKE_KERAS),
        ("Adam", EPS | {"eps_root": 1e-3}, {"eps_root": 0.0}),
        ("Adam", EPS | BETAS | {"amsgrad": True}, LIKE_TORCH, "amsgrad"),
        ("AdamW", DECAY | BETAS | {"eps_root": 1e-3}, L2),
        ("Adamax", EPS | BETAS, LIKE_KERAS),
        ("Adamax", DECAY | DECOUPLED, L2, "adamaxw"),
        ("NAdam", EPS, LIKE_KERAS),
        ("NAdam", DECAY | BETAS | DECOUPLED, {"momentum_decay": 4e-3}, "nadamw"),
        ("RAdam", EPS, LIKE_TORCH),
        ("RAdam", EDGE, {"threshold": 5.0}),
        ("RAdam", BETAS | {"lr": 0.1, "threshold": 7.5}, {"threshold": 5.0}),
        ("Lion", DECAY | BETAS, L2),
        ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5)}, LIKE_TORCH),
        ("Rprop", {"lr": 0.01, "step_sizes": (0.02, 0.05)}, {"clamp_unchanged": True}),
    ],
    "sklearn": [
        *((name,) for name in having("sklearn")),
        ("SGD", {"momentum": 0.5}, {"nesterov": False}),
        ("SGD", {"nesterov": False}, LIKE_TORCH),
        ("Adam", EPS | BETAS, LIKE_TORCH),
    ],
}
SMALL = {"clip": {"clip_norm": 1e-5}, "size": 1e-5, "rates": {}}  # gradients so small that torch's norm + 1e-6 shows
CLIPPING = [
    case
    for like, formula, nonfinite in (("torch", "optax", "keras"), ("keras", "torch", "torch"), ("optax", "torch", "keras"))
    for case in (
        Case(like, "SGD", {"lr": 1e5}, {"like": formula}, **SMALL),
        Case(like, "AdamW", {"lr": 0.1}, clip={"clip_norm": 0.7}),
        Case(like, "SGD", {"lr": 0.1}, clip={"clip_norm": 1e9}),
        Case(like, "SGD", {"lr": 0.1}, clip={"clip_value": 0.05}),
        Case(like, "SGD", {"lr": 0.1}, {"like": nonfinite}, clip={"clip_norm": 0.7}, broken=math.inf),
        Case(like, "SGD", {"lr": 0.1}, clip={"clip_norm": 0.7}, broken=math.nan),
    )
] + [
    Case(like, name, {"lr": 0.1}, clip={"clip_norm": 0.7, "clip_each": True}, broken=broken)
    for like in ("torch", "keras")
    for name, broken in (("AdamW", 0.0), ("SGD", math.inf), ("SGD", math.nan))
]
CASES = [Case(like, *row) for like, rows in ROWS.items() for row in rows] + CLIPPING

MODULES = {"torch": "torch.optim", "keras": "keras.optimizers", "optax": "optax"}
MODULES["sklearn"] = "sklearn.neural_network._stochastic_optimizers"
NAMES = {  # theirs, where they differ
    "keras": {"lr": "learning_rate", "betas": ("beta_1", "beta_2"), "eps": "epsilon", "alpha": "rho"}
    | {"clip_norm": "global_clipnorm", "clip_value": "clipvalue"},
    "optax": {"lr": "learning_rate", "betas": ("b1", "b2"), "alpha": "decay"}
    | {"etas": ("eta_minus", "eta_plus"), "step_sizes": ("min_step_size", "max_step_size")},
    "sklearn": {"lr": "learning_rate_init", "betas": ("beta_1", "beta_2"), "eps": "epsilon"},
}
ON = {"eps_in_sqrt", "nesterov", "ema_momentum", "lr_schedule", "power_t"}  # theirs alone, on, and part of the preset or idle


def factory(like, name, function=""):
    """The framework's optimizer; the test is skipped where the framework is not installed."""
    spelled = {"keras": name.replace("NAdam", "Nadam"), "optax": function or name.lower(), "sklearn": f"{name}Optimizer"}
    return getattr(pytest.importorskip(MODULES[like]), spelled.get(like, name))


def translate(like, options):
    """Options in the framework's names."""
    translated = {}
    for name, value in options.items():
        spelled = NAMES.get(like, {}).get(name, name)
        translated.update(zip(spelled, value) if isinstance(spelled, tuple) else [(spelled, value)])
    return translated


@pytest.fixture(autouse=True)
def default_dtypes():
    yield
    if torch := sys.modules.get("torch"):
        torch.set_default_dtype(torch.float32)
    if keras := sys.modules.get("keras"):
        keras.config.set_floatx("float32")


# Each of these makes an optimizer of `params`, and a function that does a step and returns the parameters.


def ours(case, params, **options):
    opt = getattr(fastopt, case.name)(params, **{"like": case.like, **options})

    def step(grads, lr):
        if lr is not None:
            opt.lr = lr
        opt.step(grads, **case.clip)
        return [p.copy() for p in params]

    return opt, step


def with_torch(case, params, **options):
    make = factory("torch", case.name)
    import torch

    torch.set_default_dtype(getattr(torch, params[0].dtype.name))  # in which it keeps NAdam's mu_product
    tensors = [torch.tensor(p, requires_grad=True) for p in params]
    opt = make(tensors, **options)
    clips = {"clip_norm": torch.nn.utils.clip_grad_norm_, "clip_value": torch.nn.utils.clip_grad_value_}

    def step(grads, lr):
        for tensor, grad in zip(tensors, grads):
            tensor.grad = None if grad is None else torch.tensor(grad)
        clip = {name: limit for name, limit in case.clip.items() if name in clips}
        for name, limit in clip.items():
            for some in [[t] for t in tensors] if "clip_each" in case.clip else [tensors]:
                clips[name](some, limit)
        if lr is not None:
            opt.param_groups[0]["lr"] = lr
        opt.step()
        return [t.detach().numpy().copy() for t in tensors]

    return opt, step


def with_keras(case, params, **options):
    make = factory("keras", case.name)
    import keras

    keras.config.set_floatx(params[0].dtype.name)  # in which it keeps the learning rate
    variables = [keras.Variable(p, dtype=p.dtype.name) for p in params]
    clip = {"clipnorm": case.clip["clip_norm"]} if "clip_each" in case.clip else case.clip
    opt = make(**translate("keras", options | clip))

    def step(grads, lr):
        if lr is not None:
            opt.learning_rate = lr
        opt.apply([None if g is None else keras.ops.convert_to_tensor(g) for g in grads], variables)
        return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]

    return opt, step


def with_optax(case, params, *, lr, **options):
    make = factory("optax", case.name, case.function)
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    takes = inspect.signature(make).parameters
    clips = {"clip_norm": optax.clip_by_global_norm, "clip_value": optax.clip}
    chain = [clips[name](limit) for name, limit in case.clip.items()]
    if "weight_decay" not in takes:
        chain.append(optax.add_decayed_weights(options.pop("weight_decay", 0.0)))
    rates = {0: lr} | ({} if case.name == "Rprop" else case.rates)  # a schedule, but Rprop takes none
    rate = lr if case.name == "Rprop" else lambda count: rates[max(start for start in rates if start <= count)]
    taken = {name: value for name, value in translate("optax", options).items() if name in takes or not case.function}
    opt = optax.chain(*chain, make(rate, **taken))
    params = [jax.numpy.array(p) for p in params]
    state = opt.init(params)

    def step(grads, lr):
        nonlocal params, state
        updates, state = opt.update([jax.numpy.array(g) for g in grads], state, params)
        params = optax.apply_updates(params, updates)
        return [np.array(p) for p in params]

    return opt, step


def with_sklearn(case, params, **options):
    opt = factory("sklearn", case.name)(params, **translate("sklearn", options))

    def step(grads, lr):
        if lr is not None:
            opt.learning_rate = opt.learning_rate_init = lr
        opt.update_params(params, grads)
        return [p.copy() for p in params]

    return opt, step


THEIRS = {"torch": with_torch, "keras": with_keras, "optax": with_optax, "sklearn": with_sklearn}


def parameters(dtype):
    random = np.random.default_rng(1)
    return [np.array(random.normal(size=shape), dtype) for shape in SHAPES]


def script(case, dtype):
    """[(gradients, the new learning rate or None)] of the steps."""
    random, steps = np.random.default_rng(2), []
    for step in range(STEPS):
        grads = [random.choice([-1, 0, 1], shape, p=[0.45, 0.1, 0.45]) * 10 ** random.uniform(-4, 0, shape) for shape in SHAPES]
        grads = [np.array(g * case.size * (step != ZEROS), dtype) for g in grads]
        if case.broken and step == STEPS - 2:
            grads[2][1, 2] = case.broken
        missing = MISSING.get(step, ()) if case.like in ("torch", "keras") else ()
        steps.append(([None if i in missing else g for i, g in enumerate(grads)], case.rates.get(step)))
    return steps


def run(side, case, dtype, **other):
    """The parameters after each step."""
    _, step = side(case, parameters(dtype), **(case.options | other))
    return [step(*given) for given in script(case, dtype)]


def distance(one, other, precision):
    """The largest difference of two runs, in multiples of eps max(|p|, 1); infinite where only one has NaN."""
    largest = 0.0
    for a, b in zip(itertools.chain(*one), itertools.chain(*other), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        if (np.isnan(a) != np.isnan(b)).any():
            return math.inf
        difference = np.abs(np.subtract(a, b, dtype=float)) / np.maximum(np.abs(b), 1)
        largest = max(largest, np.max(difference, initial=0, where=~np.isnan(a)))
    return largest / np.finfo(precision).eps


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # in Keras
@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables")
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_steps_agree(case, dtype):
    precision = "float32" if case.like == "keras" and "clip_norm" in case.clip else dtype  # that of Keras's factor
    assert distance(run(ours, case, dtype), run(THEIRS[case.like], case, dtype), precision) <= TOLERANCE[precision]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", [case for case in CASES if case.other], ids=lambda case: f"{case}, other {case.other}")
def test_another_convention_shows(case, dtype):
    """With it, ours would be far from theirs: it is far from ours. Where `other` is a preset, the two presets differ here."""
    assert distance(run(ours, case, dtype, **case.other), run(ours, case, dtype), dtype) > WRONG * TOLERANCE[dtype]


@pytest.mark.parametrize(("like", "name"), [(like, name) for like in THEIRS for name in having(like)])
def test_defaults(like, name):
    signature = inspect.signature(factory(like, name)).parameters
    defaults = {name: p.default for name, p in signature.items() if p.default is not p.empty}
    if like == "optax":
        defaults.pop("learning_rate", None)  # none, or one that does nothing
    opt, _ = ours(Case(like, name), [np.zeros(1)])
    for option, value in translate(like, opt.param_groups[0]).items():
        if option in defaults:
            assert value == pytest.approx(defaults.pop(option) or 0, rel=1e-15, abs=0), option  # RAdam: > 4.99... for >= 5
    assert {option for option, default in defaults.items() if default} <= ON, "options of theirs that ours does not have"
    if like == "torch":
        positional = [p.name for p in inspect.signature(type(opt)).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert positional == list(signature)[: len(positional)]


def convert(given, to):
    return given | {"state": {i: {name: to(value) for name, value in state.items()} for i, state in given["state"].items()}}


@pytest.mark.parametrize("done", [2, 6])  # after 2 steps, parameter 1 has had no gradient
@pytest.mark.parametrize("case", [case for case in CASES if case.like == "torch" and not case.clip], ids=str)
def test_states_are_torchs(case, done):
    """What one has begun goes on in the other, which was made with default options."""
    dtype, steps, begun = "float64", script(case, "float64"), parameters("float64")
    torchs, torch_step = with_torch(case, begun, **case.options)
    mine, my_step = ours(case, begun, **case.options)
    for given in steps[:done]:
        torch_step(*given), my_step(*given)
    mine_then, my_next = ours(case, [p.copy() for p in begun])
    torchs_then, torch_next = with_torch(case, begun)
    mine_then.load_state_dict(convert(torchs.state_dict(), lambda tensor: tensor.numpy()))
    torchs_then.load_state_dict(convert(mine.state_dict(), sys.modules["torch"].tensor))
    runs = [[step(*given) for given in steps[done:]] for step in (torch_step, my_step, my_next, torch_next)]
    assert max(distance(run, runs[0], dtype) for run in runs[1:]) <= TOLERANCE[dtype]


@pytest.mark.parametrize(
    ("name", "options", "changes"),
    [
        ("Rprop", {"lr": 0.1}, {1: {"lr": 0.02}}),  # its step sizes begin with the first gradient
        ("SGD", {"lr": 0.1, "dampening": 0.5}, {3: {"momentum": 0.9}}),  # a buffer that begins late is not dampened at first
    ],
)
def test_states_begin_when_torchs_do(name, options, changes):
    case = Case("torch", name)
    ours_, our_step = ours(case, parameters("float64"), **options)
    theirs, their_step = with_torch(case, parameters("float64"), **options)
    for step, (grads, _) in enumerate(script(case, "float64")):
        for opt in (ours_, theirs):
            opt.param_groups[0].update(changes.get(step, {}))
        grads = [None] * len(SHAPES) if step == 0 and name == "Rprop" else grads
        assert distance([our_step(grads, None)], [their_step(grads, None)], "float64") <= TOLERANCE["float64"]
