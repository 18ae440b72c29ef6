"""The judge of the definitions: numbers worked by hand, with nothing compiled. Every row writes its arithmetic out."""

import inspect
import math

import numpy as np
import pytest

import fastopt
from fastopt import reference
from fastopt.optim import hyper, rules
from fastopt.reference import optimizers
from fastopt.reference.step import clip_factor

inf, nan = math.inf, math.nan
PREPARED = dict(grad_scale=4, clip_value=1.5, clip_factor=0.5, maximize=True)  # 8: 8 / 4 = 2, at most 1.5, 0.75, -0.75
LAYOUTS = {
    "scalar": lambda value, dtype: np.full((), value, dtype),
    "empty": lambda value, dtype: np.full((0, 3), value, dtype),
    "strided": lambda value, dtype: np.full((3, 8), value, dtype).T[::-2],
}


def each(arrays, options, after, *rows):
    """(arrays, options, what they are afterwards) for each row (its own options, what is peculiar to it afterwards)."""
    return [(arrays, options | own, after | peculiar) for own, peculiar in rows]


ADAM = dict(param=1, grad=10, exp_avg=5, exp_avg_sq=40)
HALF = dict(betas=(0.5, 0.6), step=2, eps=0, lr=0.1)  # 1 - 0.5^2 = 0.75, 1 - 0.6^2 = 0.64 = 0.8^2
MOVED = dict(exp_avg=7.5, exp_avg_sq=64)  # m = 2.5 + 5, m^ = 7.5 / 0.75 = 10; v = 24 + 0.4 * 100, v^ = 64 / 0.64 = 100
RHO = 7 - 16 * 6561 / 58975  # 2 / 0.25 - 1 = 7; 0.75^8 = 6561 / 65536, over 1 - 0.75^8 = 58975 / 65536: rho = 5.22
DECOUPLED = dict(decoupled_weight_decay=True)
INSIDE, OUTSIDE, HAT = dict(eps_mode="inside"), dict(eps_mode="outside"), dict(eps_mode="hat")
AVERAGE, RATE_INSIDE = dict(velocity="average"), dict(velocity="step")
AMSGRAD, CORRECTED = dict(amsgrad=True), dict(amsgrad=True, amsgrad_max="corrected")

# kernel: its rows; an array that is not named must stay as it was
ROWS = {
    "sgd": [
        *each(dict(param=1, grad=2, momentum_buffer=6), dict(step=2, lr=0.1, momentum=0.75), {},
            ({}, dict(momentum_buffer=6.5, param=0.35)),  # 0.75 * 6 + 2; 1 - 0.1 * 6.5
            (dict(step=1), dict(momentum_buffer=2, param=0.8)),  # the first step: b = g
            (dict(dampening=0.25), dict(momentum_buffer=6, param=0.4)),  # 4.5 + 0.75 * 2
            (dict(dampening=0.25, step=1), dict(momentum_buffer=2, param=0.8)),  # the first step is not dampened
            (dict(nesterov=True), dict(momentum_buffer=6.5, param=0.3125)),  # 0.75 * 6.5 + 2 = 6.875
            (dict(nesterov=True, step=1), dict(momentum_buffer=2, param=0.65)),  # 1.5 + 2
            (AVERAGE, dict(momentum_buffer=5, param=0.5)),  # 4.5 + 0.25 * 2
            (AVERAGE | dict(step=1), dict(momentum_buffer=5, param=0.5)),  # its first step is like any other
            (AVERAGE | dict(nesterov=True), dict(momentum_buffer=5, param=0.575)),  # 3.75 + 0.5 = 4.25
            (RATE_INSIDE, dict(momentum_buffer=4.7, param=-3.7)),  # 4.5 + 0.1 * 2; 1 - 4.7
            (RATE_INSIDE | dict(step=1), dict(momentum_buffer=4.7, param=-3.7)),
            (RATE_INSIDE | dict(nesterov=True), dict(momentum_buffer=4.7, param=-2.725)),  # 3.525 + 0.2 = 3.725
            (dict(weight_decay=0.5, lr=0.2), dict(momentum_buffer=7, param=-0.4)),  # g = 2 + 0.5; 4.5 + 2.5; 1 - 1.4
            (dict(weight_decay=0.5, lr=0.2) | DECOUPLED, dict(momentum_buffer=6.5, param=-0.4)),  # 1 - 0.1; 0.9 - 1.3
        ),
        # what every rule does to its gradient first, seen through p - 0.1 g
        *each(dict(param=2, grad=8), dict(step=1, lr=0.1), {},
            ({}, dict(param=1.2)),
            (dict(grad_scale=4), dict(param=1.8)),
            (dict(clip_value=3), dict(param=1.7)),
            (dict(clip_factor=0.25), dict(param=1.8)),
            (dict(maximize=True), dict(param=2.8)),
            (dict(weight_decay=0.5), dict(param=1.1)),  # 8 + 1
            (dict(weight_decay=0.5) | DECOUPLED, dict(param=1.1)),  # 2 * 0.95 - 0.8
            (dict(weight_decay=0.5, maximize=True) | DECOUPLED, dict(param=2.7)),  # 1.9 + 0.8: shrinks all the same
            (PREPARED | dict(weight_decay=0.25), dict(param=2.025)),  # the decay comes last: -0.75 + 0.25 * 2 = -0.25
        ),
        (dict(param=2, grad=-8), dict(step=1, lr=0.1, clip_value=3), dict(param=2.3)),
    ],
    "adagrad": [
        *each(dict(param=1, grad=2, sum=5), dict(step=1, lr=0.3, eps=0), dict(sum=9),  # 5 + 4
            ({}, dict(param=0.8)),  # 1 - 0.3 * 2 / 3
            (dict(eps=1), dict(param=0.85)),  # / (3 + 1)
            (dict(eps=7) | INSIDE, dict(param=0.85)),  # / sqrt(9 + 7)
            (dict(step=3, lr_decay=0.5), dict(param=0.9)),  # 0.3 / (1 + 2 * 0.5)
        ),
        *each(dict(param=2, grad=2, sum=0), dict(step=1, lr=0.4, eps=0, weight_decay=0.5), {},
            ({}, dict(sum=9, param=1.6)),  # g = 2 + 1; 2 - 0.4 * 3 / 3
            (DECOUPLED, dict(sum=4, param=1.2)),  # 2 * 0.8 - 0.4 * 2 / 2
        ),
    ],
    "rmsprop": [
        *each(dict(param=1, grad=4, square_avg=16), dict(step=2, lr=0.3, alpha=0.75, eps=0), {},  # 12 + 0.25 * 16 = 16
            ({}, dict(param=0.7)),  # 1 - 0.3 * 4 / 4
            (dict(eps=4), dict(param=0.85)),  # / (4 + 4)
            (dict(eps=9) | INSIDE, dict(param=0.76)),  # / sqrt(16 + 9)
        ),
        *each(dict(param=1, grad=4, square_avg=16, grad_avg=4, momentum_buffer=6), dict(step=2, lr=0.3, alpha=0.75, eps=0), {},
            (dict(momentum=0.5), dict(momentum_buffer=4, param=-0.2)),  # 0.5 * 6 + 4 / 4; 1 - 0.3 * 4
            (dict(momentum=0.5, lr_in_momentum=True, eps=4), dict(momentum_buffer=3.15, param=-2.15)),  # 3 + 0.3 * 4 / 8
        ),
        # v = 21 + 4 = 25, the average of g = 3 + 1 = 4: 25 - 16 = 9
        *each(dict(param=1, grad=4, square_avg=28, grad_avg=4, momentum_buffer=6),
            dict(step=2, lr=0.3, alpha=0.75, eps=0, centered=True), dict(square_avg=25),
            ({}, dict(param=0.6)),  # 0.3 * 4 / 3
            (dict(eps=1), dict(param=0.7)),  # / (3 + 1)
            (dict(eps=7) | INSIDE, dict(param=0.7)),  # / sqrt(9 + 7)
            (dict(momentum=0.5), dict(momentum_buffer=13 / 3, param=-0.3)),  # 3 + 4 / 3; 1 - 1.3
        ),
        # the average of g = 6 + 1 = 7: 16 - 49 counts as 0
        *each(dict(param=1, grad=4, square_avg=16, grad_avg=8), dict(step=2, lr=0.3, alpha=0.75, centered=True), dict(grad_avg=7),
            (dict(eps=2), dict(param=0.4)),  # 0.3 * 4 / 2
            (dict(eps=16) | INSIDE, dict(param=0.7)),  # / sqrt(16)
            (dict(eps=0), dict(param=-inf)),
        ),
    ],
    "adadelta": [
        # v = 12 + 0.25 * 16 = 16; u = sqrt(27 + 9) / sqrt(16 + 9) * 4 = 4.8; 0.75 * 27 + 0.25 * 23.04; 1 - 0.5 * 4.8
        *each(dict(param=1, grad=4, square_avg=16, acc_delta=27), dict(step=1, rho=0.75, eps=9), dict(acc_delta=26.01),
            (dict(lr=0.5), dict(param=-1.4)),
            (dict(lr=0), {}),
        ),
        # without a history: v = 4, u = 1.5 / sqrt(4 + 2.25) * 4 = 2.4; 0.25 * 5.76; 1 - 2.4
        (dict(param=1, grad=4, square_avg=0, acc_delta=0), dict(step=1, rho=0.75, eps=2.25),
            dict(square_avg=4, acc_delta=1.44, param=-1.4)),
    ],
    "adam": [
        *each(ADAM, HALF, MOVED,
            ({}, dict(param=0.9)),  # 1 - 0.1 * 10 / 10
            (dict(eps=10), dict(param=0.95)),  # 10 / (10 + 10)
            (dict(eps=2) | HAT, dict(param=0.92)),  # 10 / ((8 + 2) / 0.8)
            (dict(eps=300) | INSIDE, dict(param=0.95)),  # 10 / sqrt(100 + 300)
            (dict(eps=5, eps_root=300), dict(param=0.96)),  # 10 / (sqrt(100 + 300) + 5)
            (dict(eps=6, eps_root=36) | HAT, dict(param=0.95)),  # 10 / ((sqrt(64 + 36) + 6) / 0.8)
            (dict(eps=7, bias_correction=False), dict(param=0.95)),  # 7.5 / (8 + 7)
            (dict(eps=7, bias_correction=False) | HAT, dict(param=0.95)),
            (dict(eps=36, bias_correction=False) | INSIDE, dict(param=0.925)),  # 7.5 / sqrt(64 + 36)
        ),
        # before 144: more than 64, and as a corrected one more than 100
        *each(ADAM | dict(max_exp_avg_sq=144), HALF, MOVED,
            ({}, dict(param=0.9)),  # not asked for: untouched
            (AMSGRAD | dict(lr=0.3), dict(param=0.8)),  # sqrt(144 / 0.64) = 15
            (AMSGRAD | dict(eps=5), dict(param=0.95)),  # 15 + 5
            (AMSGRAD | dict(eps=4) | HAT, dict(param=0.95)),  # (12 + 4) / 0.8 = 20
            (AMSGRAD | dict(eps=175) | INSIDE, dict(param=0.95)),  # sqrt(225 + 175)
            (CORRECTED | dict(lr=0.3), dict(param=0.75)),  # 12
            (CORRECTED | dict(eps=8), dict(param=0.95)),  # 12 + 8
            (CORRECTED | dict(eps=8) | HAT, dict(param=0.95)),  # not corrected once more
            (CORRECTED | dict(eps_root=256), dict(param=0.95)),  # sqrt(144 + 256)
        ),
        # before 81: more than the raw 64, less than the corrected 100
        *each(ADAM | dict(max_exp_avg_sq=81), HALF, MOVED,
            (AMSGRAD | dict(lr=0.9), dict(max_exp_avg_sq=81, param=0.2)),  # 9 / 0.8 = 11.25
            (CORRECTED | dict(lr=0.9), dict(max_exp_avg_sq=100, param=0.1)),
        ),
        (ADAM | dict(max_exp_avg_sq=40), HALF | AMSGRAD, MOVED | dict(max_exp_avg_sq=64, param=0.9)),
        # first step: m = 5, / 0.5 = 10; v = 40, / 0.4 = 100
        (ADAM | dict(exp_avg=0, exp_avg_sq=0), HALF | dict(step=1), dict(exp_avg=5, exp_avg_sq=40, param=0.9)),
        (ADAM | dict(param=2, grad=6), HALF | dict(weight_decay=2), MOVED | dict(param=1.9)),  # g = 6 + 4
        (ADAM | dict(param=2), HALF | dict(weight_decay=2) | DECOUPLED, MOVED | dict(param=1.5)),  # 2 * 0.8 - 0.1
    ],
    "adamax": [
        *each(dict(param=1, grad=10, exp_avg=5, exp_inf=16), dict(betas=(0.5, 0.75), step=2), dict(exp_avg=7.5),  # m^ = 10
            (dict(lr=0.12, eps=1), dict(exp_inf=12, param=0.9)),  # max(0.75 * 16, 10 + 1); 0.12 * 10 / 12
            (dict(lr=0.15, eps=5), dict(exp_inf=15, param=0.9)),  # max(12, 10 + 5)
            (dict(lr=0.2, eps=8) | OUTSIDE, dict(exp_inf=12, param=0.9)),  # max(12, 10); / (12 + 8)
        ),
        *each(dict(param=1, grad=-10, exp_avg=-5, exp_inf=8), dict(betas=(0.5, 0.75), step=2), dict(exp_avg=-7.5),
            (dict(lr=0.1, eps=0), dict(exp_inf=10, param=1.1)),  # max(6, |-10|)
            (dict(lr=0.1, eps=10) | OUTSIDE, dict(exp_inf=10, param=1.05)),  # / (10 + 10)
        ),
    ],
    "nadam": [
        *each(ADAM, HALF | dict(momentum_decay=None, mu_product=0.5, lr=0.21), MOVED,
            ({}, dict(param=0.77)),  # product 0.25: 0.5 / 0.75 * 10 + 0.5 / (1 - 0.125) * 7.5 = 230 / 21; 0.21 of it / 10
            (dict(eps=13), dict(param=0.9)),  # / (10 + 13)
        ),
        # a decay of 0 halves mu: product 0.8 * 0.25 = 0.2, 0.75 / 0.8 * 10 + 0.25 / 0.95 * 7.5 = 9.375 + 1.875 / 0.95
        (ADAM, HALF | dict(lr=0.95, momentum_decay=0, mu_product=0.8), MOVED | dict(param=1 - 0.890625 - 0.1875)),
        # mu = 0.5 (1 - 0.48) = 0.26, then 0.5 (1 - 0.5 * 0.9216) = 0.2696: 10 + 0.2696 * 5 / (1 - 0.26 * 0.2696)
        (ADAM | dict(exp_avg=0, exp_avg_sq=0), HALF | dict(step=1, momentum_decay=1),
            dict(exp_avg=5, exp_avg_sq=40, param=0.9 - 0.01348 / 0.929904)),
    ],
    "radam": [
        # step 1: rho = 7 - 2 * 0.75 / 0.25 = 1; m = 4, / 0.5 = 8; v = 16, / 0.25 = 64; r^2 = (-3) (-1) 7 / (3 * 5 * 1) = 1.4
        *each(dict(param=1, grad=8, exp_avg=0, exp_avg_sq=0), dict(step=1, lr=0.1, betas=(0.5, 0.75), eps=4),
            dict(exp_avg=4, exp_avg_sq=16),
            ({}, dict(param=0.2)),  # 1 - 0.1 * 8
            (dict(threshold=1), dict(param=0.2)),  # 1 is not above 1
            (dict(threshold=0.5), dict(param=1 - 0.8 * math.sqrt(1.4) / 16)),  # (4 + 4) / 0.5
            (dict(threshold=0.5) | OUTSIDE, dict(param=1 - 0.8 * math.sqrt(1.4) / 12)),  # 8 + 4
        ),
        # step 7: rho = 7 - 14 * 2187 / (16384 - 2187) = 4.84; m = 124 + 4, / (1 - 1 / 128) = 128^2 / 127
        (dict(param=1, grad=8, exp_avg=248, exp_avg_sq=12), dict(betas=(0.5, 0.75), step=7, lr=0.127),
            dict(exp_avg=128, exp_avg_sq=25, param=-15.384)),
        # step 8: above 5; m = 251 + 4, / (1 - 1 / 256) = 256; v = 9 + 16, sqrt(v^) = 5 * 256 / sqrt(58975)
        (dict(param=1, grad=8, exp_avg=502, exp_avg_sq=12), dict(betas=(0.5, 0.75), eps=0, step=8, lr=0.1),
            dict(exp_avg=255, exp_avg_sq=25, param=1 - 0.02 * math.sqrt((RHO - 4) * (RHO - 2) * 7 / (15 * RHO) * 58975))),
    ],
    "lion": [
        *each(dict(param=1, grad=2, exp_avg=-2), dict(step=1, lr=0.1, betas=(0.5, 0.75)), {},
            ({}, dict(exp_avg=-1)),  # sign(-1 + 1) = 0; -1.5 + 0.25 * 2
            (dict(weight_decay=0.5), dict(exp_avg=-1, param=0.95)),  # decoupled by itself: 1 - 0.05
            (dict(weight_decay=2, decoupled_weight_decay=False), dict(exp_avg=-0.5, param=0.9)),  # g = 4: sign(-1 + 2); -1.5 + 1
            (dict(betas=(0.75, 0.5)), dict(exp_avg=0, param=1.1)),  # sign(-1.5 + 0.5) = -1; -1 + 1
        ),
        (dict(param=1, grad=2, exp_avg=8), dict(step=1, lr=0.1, betas=(0.5, 0.75)), dict(exp_avg=6.5, param=0.9)),
    ],
    "rprop": [
        *each(dict(param=1, grad=2, prev=3, step_size=0.5), dict(step=2), dict(prev=2),  # the same sign
            ({}, dict(step_size=0.6, param=0.4)),  # 0.5 * 1.2
            (dict(etas=(0.25, 1.5)), dict(step_size=0.75, param=0.25)),
            (dict(step_sizes=(1e-6, 0.55)), dict(step_size=0.55, param=0.45)),
            (dict(step_sizes=(1e-6, 0.55), clamp_unchanged=False), dict(step_size=0.55, param=0.45)),
        ),
        *each(dict(param=1, grad=2, prev=-3, step_size=0.5), dict(step=2), dict(prev=0),  # turned: no move, none to compare with
            ({}, dict(step_size=0.25)),
            (dict(etas=(0.25, 1.5)), dict(step_size=0.125)),
            (dict(step_sizes=(0.3, 50)), dict(step_size=0.3)),
        ),
        *each(dict(param=1, grad=2, prev=0, step_size=0.5), dict(step=2), dict(prev=2),  # at first, or after a turn
            ({}, dict(param=0.5)),
            (dict(step_sizes=(0.6, 50)), dict(step_size=0.6, param=0.4)),  # clamped though nothing changed it
            (dict(step_sizes=(0.6, 50), clamp_unchanged=False), dict(param=0.5)),
        ),
        (dict(param=1, grad=0, prev=3, step_size=0.5), dict(step=2), dict(prev=0)),
        (dict(param=1, grad=-2, prev=-3, step_size=0.5), dict(step=2), dict(prev=-2, step_size=0.6, param=1.6)),
        # delayed: prev holds the move of the next step
        (dict(param=1, grad=2, prev=0.7, step_size=0.5), dict(delayed=True, step=2), dict(prev=0.6, step_size=0.6, param=0.3)),
        (dict(param=1, grad=2, prev=-0.7, step_size=0.5), dict(delayed=True, step=2), dict(prev=0, step_size=0.25)),
        (dict(param=1, grad=2, prev=0, step_size=0.5), dict(delayed=True, step=2), dict(prev=0.5)),
        (dict(param=1, grad=0, prev=0.7, step_size=0.5), dict(delayed=True, step=2), dict(prev=0, param=0.3)),
        # at the first step step_size is lr, whatever it was
        (dict(param=1, grad=2, prev=0, step_size=0.5), dict(step=1, lr=0.25), dict(step_size=0.25, param=0.75, prev=2)),
    ],
    "ema": each(dict(average=4, param=8), {}, {},
        (dict(decay=0.75), dict(average=5)),  # 3 + 2
        (dict(decay=0), dict(average=8)),
        (dict(decay=1), {}),
    ),
}  # fmt: skip
FLAT = [pytest.param(name, *row, id=f"{name}-{i}") for name, rows in ROWS.items() for i, row in enumerate(rows)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "arrays", "options", "expected"), FLAT)
def test_worked_by_hand(name, arrays, options, expected, dtype):
    """In place, in every layout; the gradient, and all that is not named, stay as they were."""
    close = 8 * np.finfo(dtype).eps
    for layout, lay_out in LAYOUTS.items():
        given = {key: lay_out(value, dtype) for key, value in arrays.items()}
        with np.errstate(divide="ignore"):
            assert getattr(reference, name)(**given, **options) is None
        for key, value in (arrays | expected).items():
            assert given[key].dtype == dtype
            np.testing.assert_allclose(given[key], np.full(given[key].shape, value), close, close, err_msg=f"{key}, {layout}")


def test_every_option_is_worked():
    """Each optimizer of fastopt.reference has rows, each option of its own is set in one, each formula is chosen in one."""
    assert set(ROWS) == {name for name in reference.__all__ if hasattr(optimizers, name)}
    for name, rows in ROWS.items():
        for p in inspect.signature(getattr(reference, name)).parameters.values():
            if p.kind is p.KEYWORD_ONLY and p.name not in (*PREPARED, "weight_decay", "decoupled_weight_decay"):
                seen = {options[p.name] for _, options, _ in rows if p.name in options} | {p.default}
                assert len(seen) > 1, (name, p.name)
                assert seen >= set(hyper.CHOICES.get(name if p.name == "eps_mode" else p.name, ())), (name, p.name)


# torch's; what is not named is 0 or False
DEFAULTS = {
    "sgd": dict(lr=1e-3, velocity="sum"),
    "adagrad": dict(lr=1e-2, eps=1e-10) | OUTSIDE,
    "rmsprop": dict(lr=1e-2, alpha=0.99, eps=1e-8) | OUTSIDE,
    "adadelta": dict(lr=1.0, rho=0.9, eps=1e-6),
    "adam": dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, bias_correction=True, amsgrad_max="raw") | OUTSIDE,
    "adamax": dict(lr=2e-3, betas=(0.9, 0.999), eps=1e-8, eps_mode="max"),
    "nadam": dict(lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3, mu_product=1),
    "radam": dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, threshold=5) | HAT,
    "lion": dict(lr=1e-4, betas=(0.9, 0.99)) | DECOUPLED,  # optax's
    "rprop": dict(lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), clamp_unchanged=True),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name):
    parameters = inspect.signature(getattr(reference, name)).parameters.values()
    set_to = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default not in (0, p.empty)}
    assert set_to == DEFAULTS[name] | dict(grad_scale=1, clip_value=inf, clip_factor=1)


@pytest.mark.parametrize("name", DEFAULTS)
def test_every_rule_prepares_its_gradient_alike(name):
    """What the rows of sgd show by hand holds for all: a gradient of 8 so prepared is one of -0.75."""

    def call(grad, param, **options):
        arrays = [n for n, p in signature.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
        given = {n: np.full(1, float(value)) for n, value in zip(arrays, (param, grad, 0.5, 2, 3))}
        getattr(reference, name)(**given, step=2, **({"lr": 0.25} if "lr" in signature else {}), **options)
        return [value.item() for n, value in given.items() if n != "grad"]

    signature = inspect.signature(getattr(reference, name)).parameters
    assert call(8, 2, **PREPARED) == call(-0.75, 2) != call(8, 2)
    if "weight_decay" in signature:
        assert call(8, 2, **PREPARED, weight_decay=0.25, decoupled_weight_decay=False) == call(-0.25, 2)
        assert call(8, 2, **PREPARED, weight_decay=0.4, decoupled_weight_decay=True) == call(-0.75, 1.8)  # 2 (1 - 0.25 * 0.4)


@pytest.mark.parametrize(("rule", "norm", "limit", "factor"), [
    (0, 3, 1.5, 1.5 / 3.000001), (1, 3, 1.5, 0.5), (2, 3, 1.5, 0.5),  # torch adds 1e-6, so at the limit it is below 1, too
    (0, 1.5, 1.5, 1.5 / 1.500001), (1, 1.5, 1.5, 1), (2, 1.5, 1.5, 1),
    *((rule, norm, 1.5, 1) for rule in (0, 1, 2) for norm in (0, 5e-324, 1, 1.499)),  # never enlarged
    (0, inf, 1.5, 0), (1, inf, 1.5, 0), (2, inf, 1.5, nan), *((rule, nan, 1.5, nan) for rule in (0, 1, 2)),
    *((rule, norm, inf, 1) for rule in (0, 1, 2) for norm in (0, 3, inf, nan)),  # no limit: only measured
])  # fmt: skip
def test_clip_factor(rule, norm, limit, factor):
    assert clip_factor(norm, limit, rule) == pytest.approx(factor, rel=1e-15, nan_ok=True)


def test_nadam_momentum():
    assert optimizers.nadam_momentum(1, 0.9, 1) == pytest.approx(0.468)  # 0.9 (1 - 0.48)
    assert optimizers.nadam_momentum(4, 0.9, 0.5) == pytest.approx(0.48528)  # 0.9 (1 - 0.5 * 0.9216)
    assert optimizers.nadam_momentum(7, 0.9, None) == 0.9


@pytest.mark.parametrize("name", DEFAULTS)
def test_nan_stays_where_it_is(name):
    """A NaN in a gradient makes NaN of its own parameter and states and of no other, under every option."""
    asked_by = {"momentum_buffer": "momentum", "grad_avg": "centered", "max_exp_avg_sq": "amsgrad"}
    for arrays, options, _ in ROWS[name]:
        clean = {key: np.full(3, float(value)) for key, value in arrays.items()}
        dirty = {key: value.copy() for key, value in clean.items()}
        dirty["grad"][1] = nan
        spared = [state for state, option in asked_by.items() if not options.get(option)]
        spared += ["param"] if options.get("delayed") else []  # its turn comes with the next step
        with np.errstate(all="ignore"):
            getattr(reference, name)(**clean, **options)
            getattr(reference, name)(**dirty, **options)
        for key in clean:
            assert np.array_equal(dirty[key][::2], clean[key][::2], equal_nan=True), (key, options)
            assert np.isnan(dirty[key][1]) != (key in spared), (key, options)


@pytest.mark.parametrize(("name", "grad", "options", "expected"), [
    *(("sgd", grad, dict(momentum=0) | options, expected) for grad, options, expected in [
        (inf, {}, -inf), (inf, dict(maximize=True), inf), (-inf, dict(clip_value=2), 1.2), (nan, dict(clip_value=2), nan),
        (0, dict(clip_factor=inf), nan), (2, dict(clip_factor=nan), nan)]),
    *((name, inf, {}, nan) for name in ("adagrad", "rmsprop", "adadelta", "adam", "adamax", "nadam")),  # inf / inf
    ("radam", inf, {}, -inf), ("radam", -inf, dict(threshold=0.5), nan),
    ("lion", inf, {}, 0.9), ("lion", -inf, {}, 1.1), ("rprop", inf, {}, 0.4),  # only the sign counts
])  # fmt: skip
def test_infinity(name, grad, options, expected):
    arrays, usual, _ = ROWS[name][0]
    given = {key: np.full(1, float(value)) for key, value in (arrays | dict(grad=grad)).items()}
    with np.errstate(all="ignore"):
        getattr(reference, name)(**given, **usual | options)
    np.testing.assert_allclose(given["param"], [expected], rtol=1e-15)


# like="textbook": how far the parameter goes down at the first step, where g = 2, and at the second, where g = -1
EPS = 1e-8
TEXTBOOK = [
    ("SGD", {}, 0.01 * 2, 0.01 * -1),
    ("SGD", dict(momentum=0.9), 0.01 * 0.2, 0.01 * 0.08),  # v = 0.1 * 2; v = 0.9 * 0.2 - 0.1
    ("Adagrad", {}, 0.02 / (2 + EPS), -0.01 / (math.sqrt(5) + EPS)),  # G = 4; G = 4 + 1
    ("RMSprop", {}, 0.02 / (math.sqrt(0.4) + EPS), -0.01 / (math.sqrt(0.46) + EPS)),  # G = 0.1 * 4; G = 0.36 + 0.1
    # m = 0.1 * 2, v = 0.001 * 4; m = 0.18 - 0.1, v = 0.999 * 0.004 + 0.001
    ("Adam", {}, 0.01 * 0.2 / (math.sqrt(0.004) + EPS), 0.01 * 0.08 / (math.sqrt(0.004996) + EPS)),
    ("AdamW", {}, 0.01 * 0.2 / (math.sqrt(0.004) + EPS), 0.01 * 0.08 / (math.sqrt(0.004996) + EPS)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "first", "second"), TEXTBOOK)
def test_textbook(name, options, first, second):
    """The issue's formulas and defaults, in the definition under the preset's options and in the optimizer itself."""
    rule = rules.RULES[name]
    chosen = {key: value for key, value in (rule.defaults("textbook") | options).items() if key != "initial_accumulator_value"}
    shrunk = 1 - 0.01 * 0.01 if name == "AdamW" else 1  # 1 - lr * weight_decay, torch's default
    once, states = np.ones(1), [np.zeros(1) for state in rule.states if state.needed(chosen)]
    param = np.ones(1)
    opt = getattr(fastopt, name)(param, like="textbook", **options)
    for step, (grad, expected) in enumerate([(2.0, shrunk - first), (-1.0, (shrunk - first) * shrunk - second)], 1):
        getattr(reference, rule.kernel)(once, np.full(1, grad), *states, step=step, **chosen)
        opt.step(np.full(1, grad))
        assert [once.item(), param.item()] == pytest.approx([expected] * 2, rel=2e-15)
    for nothing in np.zeros(1), np.full(1, -0.0):  # 0 / (0 + eps), not 0 / 0
        fresh = np.ones(1)
        getattr(fastopt, name)(fresh, like="textbook", **options).step(nothing)
        assert fresh.item() == shrunk
