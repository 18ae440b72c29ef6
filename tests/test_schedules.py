"""Schedules: are the rates those of the formula, of torch, and kept at the edges? Are bad arguments refused?"""

import copy
import dataclasses
import doctest
import inspect
import math
import pickle

import numpy as np
import pytest

from fastopt.optim import schedules
from fastopt.optim.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    InverseSqrt,
    MultiStep,
    OneCycle,
    Polynomial,
    ReduceOnPlateau,
    StepDecay,
    Warmup,
)

ROOT = math.sqrt(0.5)  # cos(pi / 4)

# Worked by hand: {step: rate}. Each has step 0, the last step of a finite schedule, and one far beyond it.
LITERALS = [
    (Constant(0.3), {0: 0.3, 1: 0.3, 10**9: 0.3}),
    # 0.8 / 10^floor(t / 3)
    (StepDecay(0.8, step_size=3), {0: 0.8, 2: 0.8, 3: 0.08, 5: 0.08, 6: 0.008}),
    (StepDecay(8, step_size=1, gamma=0.5), {0: 8, 1: 4, 10: 8 / 1024}),
    # milestones passed, the step of the milestone included: 0, 0, 1, 1, 2, 2
    (MultiStep(0.8, milestones=[2, 5]), {0: 0.8, 1: 0.8, 2: 0.08, 4: 0.08, 5: 0.008, 1000: 0.008}),
    # in any order, 3 twice: 1 at step 0, 3 at step 3
    (MultiStep(8, milestones=(3, 0, 3), gamma=0.5), {0: 4, 2: 4, 3: 1, 4: 1}),
    (MultiStep(8, milestones=[]), {0: 8, 99: 8}),
    # 0.9^2 = 0.81, 0.9^3 = 0.729
    (Exponential(2, gamma=0.9), {0: 2, 1: 1.8, 2: 1.62, 3: 1.458}),
    # (1 - t/4)^2 = 1, 9/16, 1/4, 1/16, 0
    (Polynomial(16, steps=4, power=2), {0: 16, 1: 9, 2: 4, 3: 1, 4: 0, 5: 0, 10**9: 0}),
    # 1 + 4 (1 - t/4)
    (Polynomial(5, steps=4, eta_min=1), {0: 5, 1: 4, 3: 2, 4: 1, 100: 1}),
    (Polynomial(5, steps=1), {0: 5, 1: 0}),
    # 2 + 8 (1 + c) / 2 = 6 + 4 c, c = cos(0, pi/4, pi/2, 3 pi/4, pi) = 1, r, 0, -r, -1
    (Cosine(10, steps=4, eta_min=2), {0: 10, 1: 6 + 4 * ROOT, 2: 6, 3: 6 - 4 * ROOT, 4: 2, 5: 2, 8: 2, 10**9: 2}),
    # (1 + c) / 2 at 1/3, 2/3: cos = 1/2, -1/2
    (Cosine(4, steps=3), {0: 4, 1: 3, 2: 1, 3: 0}),
    # periods 2, 4, 8 start at 0, 2, 6, 14
    (CosineRestarts(8, steps=2, T_mult=2),
     {0: 8, 1: 4, 2: 8, 3: 4 + 4 * ROOT, 4: 4, 5: 4 - 4 * ROOT, 6: 8, 10: 4, 14: 8}),
    # period 3 for ever, 2 + 8 * (1, 3/4, 1/4)
    (CosineRestarts(10, steps=3, eta_min=2), {0: 10, 1: 8, 2: 4, 3: 10, 4: 8, 3 * 10**15 + 2: 4}),
    # restarts at 0, 1, 4, 13, 40, 121; step 120 is the last of 81: (1 + cos(80 pi / 81)) / 2
    (CosineRestarts(1, steps=1, T_mult=3), {0: 1, 1: 1, 4: 1, 13: 1, 40: 1, 120: math.sin(math.pi / 162) ** 2, 121: 1}),
    # 0.9 (1/3 + 2/3 t/4) = 0.3 + 0.15 t
    (Warmup(0.9, steps=4), {0: 0.3, 1: 0.45, 2: 0.6, 3: 0.75, 4: 0.9, 5: 0.9}),
    # 8 (1/2 + 1/2 t/4), then 8 / 2^(t - 4)
    (Warmup(Exponential(8, gamma=0.5), steps=4, start_factor=0.5), {0: 4, 1: 5, 2: 6, 3: 7, 4: 8, 5: 4, 6: 2}),
    # the line ends at the first rate of the next, 4, not at its lr, 8
    (Warmup(MultiStep(8, [0], gamma=0.5), steps=2, start_factor=0), {0: 0, 1: 2, 2: 4, 3: 4}),
    (Warmup(lambda step: 10 + step, steps=2, start_factor=0), {0: 0, 1: 5, 2: 10, 3: 11}),
    # restarts of periods 2, 4 behind 3 steps: at 3, 5, 9
    (Warmup(CosineRestarts(8, steps=2, T_mult=2), steps=3, start_factor=0.25),
     {0: 2, 1: 4, 2: 6, 3: 8, 4: 4, 5: 8, 6: 4 + 4 * ROOT, 7: 4, 9: 8}),
    # a warm-up of a warm-up: 4 (0, 1/2), then 8 (1/2, 3/4), then 8
    (Warmup(Warmup(8, steps=2, start_factor=0.5), steps=2, start_factor=0), {0: 0, 1: 2, 2: 4, 3: 6, 4: 8, 5: 8}),
    # 4 at 0, 100 at 0.3 * 10 - 1 = 2, 0.04 at 9; halfway up 52; at 2 + 7/2 the mean 50.02, so 5 and 6 stand
    # cos(3 pi / 7), cos(4 pi / 7) = +-0.2225209339563144 half-widths (49.98) from it
    (OneCycle(100, steps=10, div_factor=25, final_div_factor=100),
     {0: 4, 1: 52, 2: 100, 5: 50.02 + 49.98 * 0.2225209339563144, 6: 50.02 - 49.98 * 0.2225209339563144,
      9: 0.04, 10: 0.04, 1000: 0.04}),
    # the defaults of torch: 1 / 25 at 0, 1 / 25 / 1e4 at the end
    (OneCycle(1, steps=10), {0: 0.04, 2: 1, 9: 4e-6}),
    # 2 at 0, 8 at 0.5 * 5 - 1 = 1.5, 1 at 4: slopes 4 and -2.8
    (OneCycle(8, steps=5, pct_start=0.5, anneal_strategy="linear", div_factor=4, final_div_factor=2),
     {0: 2, 1: 6, 2: 6.6, 3: 3.8, 4: 1, 5: 1}),
    # 2 at 0, 8 at 0.3 * 10 - 1 = 2, 2 at 4, 1 at 9
    (OneCycle(8, 10, 0.3, "linear", 4, 2, three_phase=True),
     {0: 2, 1: 5, 2: 8, 3: 5, 4: 2, 5: 1.8, 8: 1.2, 9: 1, 10: 1}),
    # no way up: the peak stands at step 0.1 * 10 - 1 = 0
    (OneCycle(8, 10, pct_start=0.1, anneal_strategy="linear", final_div_factor=0.04), {0: 8, 1: 8, 9: 8}),
    # no way down: the peak is the last step
    (OneCycle(8, 5, pct_start=1, anneal_strategy="linear", div_factor=2), {0: 4, 1: 5, 4: 8, 5: 8}),
    # n / 4 up to n = t + 1 = 4, then sqrt(4 / n)
    (InverseSqrt(8, warmup_steps=4), {0: 2, 2: 6, 3: 8, 4: 8 * math.sqrt(0.8), 15: 4, 63: 2, 399: 0.8}),
    (InverseSqrt(8, warmup_steps=1), {0: 8, 3: 4, 15: 2}),
]
SCHEDULES = [schedule for schedule, _ in LITERALS] + [ReduceOnPlateau(0.1)]
IDS = [f"{type(schedule).__name__}-{i}" for i, schedule in enumerate(SCHEDULES)]


@pytest.mark.parametrize(("schedule", "rates"), LITERALS, ids=IDS[:-1])
def test_rates_worked_by_hand(schedule, rates):
    got = {step: schedule(step) for step in reversed(rates)}  # in any order
    assert got == pytest.approx(rates, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(("schedule", "last", "rate"), [
    (Polynomial(0.3, steps=7, power=0.9, eta_min=0.007), 7, 0.007),
    (Cosine(0.3, steps=7, eta_min=0.007), 7, 0.007),
    (OneCycle(0.3, steps=7), 6, 0.3 / 25 / 1e4),
    (OneCycle(0.3, steps=7, anneal_strategy="linear", three_phase=True), 6, 0.3 / 25 / 1e4),
    (OneCycle(0.3, steps=1), 0, 0.3 / 25 / 1e4),
])
def test_the_last_rate_is_exact_and_holds(schedule, last, rate):
    assert [schedule(last + k) for k in (0, 1, 2, 100)] == [rate] * 4
    assert last == 0 or schedule(last - 1) != rate


def test_inverse_sqrt_is_the_formula_of_the_transformer_paper():
    width, warmup = 512, 4000
    schedule = InverseSqrt(1 / math.sqrt(width * warmup), warmup)
    for n in (1, 2, 3999, 4000, 4001, 100_000):  # the paper counts from 1
        assert schedule(n - 1) == pytest.approx(width**-0.5 * min(n**-0.5, n * warmup**-1.5), rel=1e-12)


def test_all_names_are_tested_here():
    assert {type(schedule).__name__ for schedule in SCHEDULES} == set(schedules.__all__)


def test_examples_of_the_docstrings():
    failed, run = doctest.testmod(schedules)
    assert (failed, run >= len(schedules.__all__)) == (0, True)


# What a schedule is as an object


@pytest.mark.parametrize("schedule", SCHEDULES, ids=IDS)
def test_pickles_copies_compares_prints(schedule):
    deep = copy.deepcopy(schedule)
    assert deep == schedule
    if not isinstance(schedule, ReduceOnPlateau) and "<lambda>" not in repr(schedule):
        assert eval(repr(schedule), vars(schedules)) == schedule
        assert hash(deep) == hash(schedule)
    if "<lambda>" not in repr(schedule):
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            loaded = pickle.loads(pickle.dumps(schedule, protocol))
            assert loaded == schedule
            assert [loaded(t) for t in range(20)] == [schedule(t) for t in range(20)]


def test_arguments_are_kept_as_plain_python():
    assert repr(Cosine(np.float64(0.5), np.int32(10), eta_min=np.float32(0.25))) == (
        "Cosine(lr=0.5, steps=10, eta_min=0.25)")
    assert repr(Constant(np.array(1))) == "Constant(lr=1.0)"
    assert MultiStep(1, np.array([5, 3])) == MultiStep(1.0, (3, 5))
    assert Cosine(0.5, 10) != Cosine(0.5, 11)
    assert Constant(1) != Exponential(1, 1)


def test_is_frozen():
    with pytest.raises(AttributeError):
        Cosine(0.1, 10).steps = 20


@pytest.mark.parametrize("schedule", SCHEDULES, ids=IDS)
def test_step(schedule):
    name = type(schedule).__name__
    assert schedule(np.int64(3)) == schedule(np.uint8(3)) == schedule(3)
    for step, error, shown in [(-1, ValueError, "-1"), (1.0, TypeError, "1.0"), ("1", TypeError, "'1'"),
                               (True, TypeError, "True"), (None, TypeError, "None")]:
        with pytest.raises(error) as caught:
            schedule(step)
        assert str(caught.value) == f"{name}: step must be a non-negative integer, got {shown}"


# Arguments: one table of what each refuses

NUMBERS = ["0.1", None, True, [0.1], 1j, math.nan]
RATES = [*NUMBERS, -0.1, math.inf, 10**400]
POSITIVES = [*NUMBERS, 0, -1, math.inf]
LENGTHS = ["3", None, True, 2.0, 0, -1]
SHARES = [*NUMBERS, -0.1, 1.1]
GOOD = [
    Constant(0.1), StepDecay(0.1, 2), MultiStep(0.1, [1, 2]), Exponential(0.1, 0.5), Polynomial(0.1, 5), Cosine(0.1, 5),
    CosineRestarts(0.1, 5), Warmup(0.1, 5), OneCycle(0.1, 5), InverseSqrt(0.1, 5), ReduceOnPlateau(0.1),
]
BAD = {
    "lr": RATES, "eta_min": RATES, "min_lr": RATES, "eps": RATES, "threshold": RATES,
    "gamma": POSITIVES, "power": POSITIVES, "div_factor": POSITIVES, "final_div_factor": POSITIVES,
    "steps": LENGTHS, "step_size": LENGTHS, "warmup_steps": LENGTHS, "T_mult": LENGTHS,
    "patience": ["3", None, True, 2.0, -1], "cooldown": ["3", None, True, 2.0, -1],
    "milestones": [3, None, "12", [1.5], [True], [4, -1]],
    "start_factor": SHARES, "pct_start": SHARES, "factor": [*SHARES, 0, 1],
    "anneal_strategy": ["cosine", 1, None, []], "three_phase": ["yes", 2, None],
    "mode": ["minimum", 1, None, []], "threshold_mode": ["relativ", 1, None, []],
}


@pytest.mark.parametrize(
    ("good", "argument"), [(good, f.name) for good in GOOD for f in dataclasses.fields(good) if f.init],
    ids=lambda p: p if isinstance(p, str) else type(p).__name__)
def test_bad_arguments_are_refused_by_name(good, argument):
    for value in BAD[argument]:
        with pytest.raises((ValueError, TypeError)) as caught:
            dataclasses.replace(good, **{argument: value})
        message = str(caught.value)
        assert message.startswith(f"{type(good).__name__}: {argument} must be ")
        assert message.endswith(f", got {value!r}")


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: Cosine(0.1, 0), ValueError, "Cosine: steps must be a positive integer, got 0"),
    (lambda: Cosine(0.1, 2.5), TypeError, "Cosine: steps must be a positive integer, got 2.5"),
    (lambda: Constant("1"), TypeError, "Constant: lr must be a finite number >= 0, got '1'"),
    (lambda: Warmup(-1, 5), ValueError, "Warmup: lr must be a schedule or a finite number >= 0, got -1"),
    (lambda: Warmup("cosine", 5), TypeError,
     "Warmup: lr must be a schedule or a finite number >= 0, got 'cosine'"),
    (lambda: MultiStep(1, 3), TypeError, "MultiStep: milestones must be a sequence of non-negative integers, got 3"),
    (lambda: OneCycle(1, 10, anneal_strategy="sin"), ValueError,
     "OneCycle: anneal_strategy must be 'cos' or 'linear', got 'sin'"),
    (lambda: OneCycle(1, 10, 0.6, three_phase=True), ValueError,
     "OneCycle: pct_start must be at most 0.5 with three_phase, got 0.6"),
    (lambda: ReduceOnPlateau(1, factor=1), ValueError,
     "ReduceOnPlateau: factor must be in (0, 1), got 1"),
    (lambda: ReduceOnPlateau(1).report("0.5"), TypeError, "ReduceOnPlateau: metric must be a number, got '0.5'"),
])
def test_messages(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert (type(caught.value), str(caught.value)) == (error, message)


# ReduceOnPlateau: metric in, rate out


@pytest.mark.parametrize(("options", "metrics", "rates"), [
    # patience 2: the third epoch in a row that is no better, not the second; a better one starts the count again
    ({"patience": 2}, [5, 5, 5, 4, 4, 4, 4, 4, 4, 4], [8, 8, 8, 8, 8, 8, 4, 4, 4, 2]),
    ({"patience": 0}, [5, 6, 5, 4, 4], [8, 4, 2, 2, 1]),
    # best 100: below 90 improves, 90 itself does not; then below 80.1 = 89 * 0.9
    ({"patience": 0, "threshold": 0.1}, [100, 91, 90, 89, 81, 80], [8, 4, 2, 2, 1, 1]),
    # best 100: below 98 improves, then below 95.5 = 97.5 - 2
    ({"patience": 0, "threshold": 2, "threshold_mode": "absolute"}, [100, 98, 97.5, 95.5, 95], [8, 4, 4, 2, 2]),
    # best 10, then above 11; above 10.5
    ({"patience": 0, "mode": "max", "threshold": 0.1}, [10, 10.9, 11.1, 12, 12.3], [8, 4, 4, 2, 2]),
    ({"patience": 0, "mode": "max", "threshold": 0.5, "threshold_mode": "absolute"},
     [10, 10.5, 10.6, 0, 11.2], [8, 4, 4, 2, 2]),
    # a reduction, two epochs of cooldown whatever they bring, then patience again
    ({"patience": 1, "cooldown": 2}, [5, 5, 5, 5, 5, 5, 5, 5], [8, 8, 4, 4, 4, 4, 2, 2]),
    # the best of a cooldown is remembered: 3 is no better than 2
    ({"patience": 0, "cooldown": 1}, [5, 6, 2, 3], [8, 4, 4, 2]),
    ({"patience": 0, "min_lr": 3}, [5, 5, 5, 5], [8, 4, 3, 3]),
    # 8 to 4 and 4 to 2 are steps of more than 1.5, 2 to 1 is not
    ({"patience": 0, "eps": 1.5}, [5, 5, 5, 5, 5], [8, 4, 2, 2, 2]),
    # NaN is no improvement, at first either; infinity is none over infinity
    ({"patience": 1}, [math.nan, math.nan, 5, math.nan, math.nan, 4], [8, 4, 4, 4, 2, 2]),
    ({"patience": 0}, [math.inf, 5], [4, 4]),
    # relative and negative, as in torch: -0.95 is below -1 (1 - 0.1), an improvement
    ({"patience": 0, "threshold": 0.1}, [-1, -0.95, -0.8], [8, 8, 4]),
])
def test_plateau_worked_by_hand(options, metrics, rates):
    schedule = ReduceOnPlateau(8, factor=0.5, **options)
    for epoch, (metric, rate) in enumerate(zip(metrics, rates, strict=True)):
        assert schedule.report(metric) == schedule(epoch) == schedule(0) == schedule.rate == rate


def test_plateau_takes_any_real_number_and_the_names_of_torch():
    schedule = ReduceOnPlateau(1, patience=0)
    for metric in (np.float32(4), np.array(3), np.int64(2), 1):
        schedule.report(metric)
    assert (schedule.best, type(schedule.best)) == (1.0, float)
    assert ReduceOnPlateau(1, threshold_mode="rel") == ReduceOnPlateau(1, threshold_mode="relative")
    assert ReduceOnPlateau(1, threshold_mode="abs") == ReduceOnPlateau(1, threshold_mode="absolute")


@pytest.mark.parametrize("revive", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s)), None],
                         ids=["copy", "deepcopy", "pickle", "state_dict"])
def test_plateau_goes_on_where_it_was(revive):
    options = {"mode": "max", "factor": 0.5, "patience": 1, "cooldown": 2}
    first = ReduceOnPlateau(8, **options)
    for metric in (1, 0, 0, 0):  # reduced once, amid cooldown
        first.report(metric)
    assert first.state_dict() == {"rate": 4.0, "best": 1.0, "num_bad_epochs": 0, "cooldown_counter": 1}
    if revive:
        second = revive(first)
    else:
        second = ReduceOnPlateau(8, **options)
        assert second != first
        second.load_state_dict({name: np.array(value) for name, value in first.state_dict().items()})  # as from an .npz
    assert second == first
    assert repr(second) == repr(first)
    rates = [second.report(metric) for metric in (0, 0, 0, 0, 0)]
    assert rates == [4, 4, 2, 2, 2]
    assert (first.rate, first.cooldown_counter) == (4, 1)  # nothing is shared
    assert rates == [first.report(metric) for metric in (0, 0, 0, 0, 0)]


@pytest.mark.parametrize(("change", "error", "message"), [
    (lambda s: [1], TypeError, "state_dict must be a dict of rate, best, num_bad_epochs, cooldown_counter, got [1]"),
    (lambda s: s | {"factor": 1}, ValueError, "state_dict must be a dict of rate, best"),
    (lambda s: {"rate": 1.0}, ValueError, "state_dict must be a dict of rate, best"),
    (lambda s: s | {"rate": 1, "cooldown_counter": -1}, ValueError,
     "cooldown_counter must be a non-negative integer, got -1"),
    (lambda s: s | {"rate": 1, "num_bad_epochs": 0.5}, TypeError,
     "num_bad_epochs must be a non-negative integer, got 0.5"),
    (lambda s: s | {"num_bad_epochs": 3, "best": "1"}, TypeError, "best must be a number, got '1'"),
    (lambda s: s | {"num_bad_epochs": 3, "rate": -1}, ValueError, "rate must be a finite number >= 0, got -1"),
])
def test_plateau_refuses_a_bad_state_and_keeps_its_own(change, error, message):
    schedule = ReduceOnPlateau(8)
    schedule.report(1)
    before = schedule.state_dict()
    with pytest.raises(error) as caught:
        schedule.load_state_dict(change(schedule.state_dict()))
    assert str(caught.value).startswith(f"ReduceOnPlateau: {message}")
    assert schedule.state_dict() == before


def test_warmup_over_a_plateau():
    plateau = ReduceOnPlateau(8, factor=0.5, patience=0)
    schedule = Warmup(plateau, steps=4, start_factor=0)
    assert [schedule(t) for t in range(6)] == [0, 2, 4, 6, 8, 8]
    plateau.report(1)
    plateau.report(1)
    assert [schedule(t) for t in range(6)] == [0, 1, 2, 3, 4, 4]
    assert pickle.loads(pickle.dumps(schedule)).lr.rate == 4


# Against torch, step by step


def torch_rates(make, steps, lr=0.3):
    """The rates of torch's scheduler `make(lr_scheduler, optimizer)`, from step 0."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def warmed(make, steps, start_factor):
    return lambda lr, opt: lr.SequentialLR(
        opt, [lr.LinearLR(opt, start_factor, total_iters=steps), make(lr, opt)], milestones=[steps])


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch's own, from inside SequentialLR
@pytest.mark.parametrize(("schedule", "make", "steps"), [
    (Constant(0.3), lambda lr, opt: lr.ConstantLR(opt, factor=1), 60),
    (StepDecay(0.3, 7), lambda lr, opt: lr.StepLR(opt, 7), 60),
    (StepDecay(0.3, 1, 0.9), lambda lr, opt: lr.StepLR(opt, 1, 0.9), 60),
    (MultiStep(0.3, [5, 20, 20, 41]), lambda lr, opt: lr.MultiStepLR(opt, [5, 20, 20, 41]), 60),
    (MultiStep(0.3, [0, 9], 0.5), lambda lr, opt: lr.MultiStepLR(opt, [0, 9], 0.5), 60),
    (Exponential(0.3, 0.93), lambda lr, opt: lr.ExponentialLR(opt, 0.93), 60),
    (Exponential(0.3, 1.1), lambda lr, opt: lr.ExponentialLR(opt, 1.1), 60),
    (Polynomial(0.3, 50), lambda lr, opt: lr.PolynomialLR(opt, 50), 70),
    (Polynomial(0.3, 50, 0.9), lambda lr, opt: lr.PolynomialLR(opt, 50, 0.9), 70),
    (Cosine(0.3, 60), lambda lr, opt: lr.CosineAnnealingLR(opt, 60), 61),  # torch climbs afterwards
    (Cosine(0.3, 60, 0.02), lambda lr, opt: lr.CosineAnnealingLR(opt, 60, 0.02), 61),
    (CosineRestarts(0.3, 7), lambda lr, opt: lr.CosineAnnealingWarmRestarts(opt, 7), 60),
    (CosineRestarts(0.3, 3, 2, 0.02), lambda lr, opt: lr.CosineAnnealingWarmRestarts(opt, 3, 2, 0.02), 100),
    (CosineRestarts(0.3, 1, 3), lambda lr, opt: lr.CosineAnnealingWarmRestarts(opt, 1, 3), 370),
    (Warmup(0.3, 20), lambda lr, opt: lr.LinearLR(opt, total_iters=20), 60),
    (Warmup(0.3, 20, 0.01), lambda lr, opt: lr.LinearLR(opt, 0.01, total_iters=20), 60),
    (Warmup(CosineRestarts(0.3, 5, 2), 10, 0.1),
     warmed(lambda lr, opt: lr.CosineAnnealingWarmRestarts(opt, 5, 2), 10, 0.1), 80),
    (Warmup(StepDecay(0.3, 4, 0.5), 10), warmed(lambda lr, opt: lr.StepLR(opt, 4, 0.5), 10, 1 / 3), 60),
    *[(OneCycle(0.3, steps, pct, how, div, final, phases),
       lambda lr, opt, a=(steps, pct, how, div, final, phases): lr.OneCycleLR(
           opt, 0.3, total_steps=a[0], pct_start=a[1], anneal_strategy=a[2], div_factor=a[3], final_div_factor=a[4],
           three_phase=a[5], cycle_momentum=False), steps)
      for steps, pct, how, div, final, phases in [
          (60, 0.3, "cos", 25.0, 1e4, False), (57, 0.3, "linear", 25.0, 1e4, False), (60, 0.3, "cos", 10, 50, True),
          (61, 0.5, "linear", 10, 50, True), (60, 0.01, "cos", 10, 50, False), (60, 0.0, "linear", 10, 50, False),
          (60, 1.0, "cos", 10, 50, False)]],
], ids=lambda p: type(p).__name__ if callable(p) and not hasattr(p, "__name__") else "")
def test_rates_of_torch(schedule, make, steps):
    want = torch_rates(make, steps)
    assert steps >= 50
    assert [schedule(t) for t in range(steps)] == pytest.approx(want, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(("patience", "cooldown", "threshold", "min_lr"), [
    (0, 0, 0.0, 0.0), (1, 0, 0.05, 1e-3), (2, 3, 0.02, 0.0), (5, 1, 0.1, 0.2)])
def test_plateau_of_torch(mode, threshold_mode, patience, cooldown, threshold, min_lr):
    torch = pytest.importorskip("torch")
    options = {"mode": mode, "factor": 0.7, "patience": patience, "threshold": threshold, "cooldown": cooldown,
               "threshold_mode": threshold_mode, "min_lr": min_lr, "eps": 1e-6}
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    want, got = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options), ReduceOnPlateau(0.3, **options)
    trend = np.exp(np.linspace(0, -1 if mode == "min" else 1, 200))
    metrics = trend * np.random.default_rng(0).uniform(0.8, 1.2, 200)
    metrics[[0, 40, 41, 90]] = math.nan
    for metric in metrics:
        want.step(metric)
        assert got.report(metric) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        assert got.state_dict() == {
            "rate": got.rate, **{name: getattr(want, name) for name in ("best", "num_bad_epochs", "cooldown_counter")}}
    assert got.rate < 0.3


@pytest.mark.parametrize(("ours", "theirs"), [
    (StepDecay, "StepLR"), (MultiStep, "MultiStepLR"), (Exponential, "ExponentialLR"), (Polynomial, "PolynomialLR"),
    (Cosine, "CosineAnnealingLR"), (CosineRestarts, "CosineAnnealingWarmRestarts"), (Warmup, "LinearLR"),
    (OneCycle, "OneCycleLR"), (ReduceOnPlateau, "ReduceLROnPlateau")], ids=lambda p: getattr(p, "__name__", p))
def test_argument_names_and_defaults_of_torch(ours, theirs):
    lr_scheduler = pytest.importorskip("torch").optim.lr_scheduler
    mine = inspect.signature(ours).parameters
    torchs = inspect.signature(getattr(lr_scheduler, theirs)).parameters
    own = {"lr", "steps"} | ({"eta_min"} if ours is Polynomial else set())
    for name in mine.keys() - own:
        if name == "threshold_mode":
            assert (mine[name].default, torchs[name].default) == ("relative", "rel")
        else:
            assert mine[name].default == torchs[name].default, name
