"""The optimizers' cases."""

from typing import Any

from .case import Update, positive, signed


def small(rng, shape):
    """As gradients are in training: many magnitudes, down to where eps decides."""
    return signed(rng, shape) * 10.0 ** rng.uniform(-9, 1, shape)


def eight_or_more(rng, shape):
    """A second moment well above the square of any `signed` first moment: their difference loses no digits."""
    return rng.uniform(8, 16, shape)


# fmt: off
PROLOGUE = (dict(maximize=True, grad_scale=8.0), dict(clip_value=0.75, clip_factor=0.3))
DECAY = (dict(weight_decay=0.1), dict(weight_decay=0.1, decoupled_weight_decay=True, lr=0.5), *PROLOGUE)
EPS: tuple[dict[str, Any], ...] = ({}, dict(eps=0.1))
MOMENTS = {"param": signed, "grad": small, "exp_avg": signed, "exp_avg_sq": positive}
VELOCITIES: tuple[dict[str, Any], ...] = (
              {}, dict(step=1), dict(step=1, dampening=0.5), dict(dampening=0.5), dict(nesterov=True), dict(velocity="average"),
              dict(velocity="average", nesterov=True), dict(velocity="step"), dict(velocity="step", nesterov=True))

CASES = {
    "sgd": Update(
        {"param": signed, "grad": signed, "momentum_buffer": signed},
        ({}, *DECAY, *(dict(momentum=0.9) | options for options in (*VELOCITIES, *DECAY))), ulp=4, flops=2),
    "adagrad": Update(
        {"param": signed, "grad": small, "sum": positive},
        (*EPS, dict(eps=0.1, eps_mode="inside"), dict(lr_decay=0.1), *DECAY), flops=7),
    "rmsprop": Update(
        {"param": signed, "grad": small, "square_avg": eight_or_more, "grad_avg": signed, "momentum_buffer": signed},
        (*EPS, dict(eps=0.1, eps_mode="inside"), dict(centered=True), dict(centered=True, eps=0.1, eps_mode="inside"),
         dict(momentum=0.9), dict(momentum=0.9, lr_in_momentum=True), dict(momentum=0.9, centered=True),
         dict(momentum=0.9, centered=True, lr_in_momentum=True, alpha=0.8), *DECAY), flops=10),
    "adadelta": Update(
        {"param": signed, "grad": small, "square_avg": positive, "acc_delta": positive},
        (*EPS, dict(rho=0.8), *DECAY), flops=15),
    "adam": Update(
        MOMENTS | {"max_exp_avg_sq": positive},
        (*EPS, dict(step=1), dict(eps=0.1, eps_mode="hat"), dict(eps=0.1, eps_mode="inside"), dict(eps_root=0.1),
         dict(eps_root=0.1, eps_mode="hat"), dict(bias_correction=False), dict(betas=(0.5, 0.75)),
         dict(amsgrad=True), dict(amsgrad=True, eps=0.1, eps_mode="hat"), dict(amsgrad=True, amsgrad_max="corrected"),
         dict(amsgrad=True, amsgrad_max="corrected", eps_root=0.1), dict(amsgrad=True, amsgrad_max="corrected", eps_mode="hat"),
         *DECAY), flops=14),
    "adamax": Update(
        {"param": signed, "grad": signed, "exp_avg": signed, "exp_inf": positive},
        (*EPS, dict(eps=0.1, eps_mode="outside"), dict(betas=(0.5, 0.75)), *DECAY), flops=10),
    "nadam": Update(
        MOMENTS,
        (*EPS, dict(momentum_decay=0.5), dict(momentum_decay=None), dict(mu_product=0.4), dict(betas=(0.5, 0.75)), *DECAY),
        dict(lr=0.1, step=3, mu_product=0.2), flops=14),
    "radam": Update(
        MOMENTS,
        (*EPS, dict(eps=0.1, eps_mode="outside"), dict(step=3), dict(betas=(0.5, 0.9)), dict(threshold=20.0), *DECAY),
        dict(lr=0.1, step=12), flops=12),
    "lion": Update(
        {"param": signed, "grad": signed, "exp_avg": signed},
        ({}, dict(betas=(0.5, 0.75)), dict(weight_decay=0.1, decoupled_weight_decay=False), *DECAY), ulp=4, flops=9),
    "rprop": Update(
        {"param": signed, "grad": signed, "prev": signed, "step_size": positive},
        ({}, dict(step_sizes=(0.8, 1.5)), dict(etas=(0.3, 1.5)), dict(clamp_unchanged=False, step_sizes=(0.8, 1.5)),
         dict(delayed=True), dict(step=1, lr=1.1), *PROLOGUE), dict(step=3), ulp=4, flops=6),
    "ema": Update(
        {"average": signed, "param": signed},
        (dict(decay=0.9), dict(decay=0.0)), {}, read_only=("param",), ulp=4, flops=3),
}
# fmt: on
