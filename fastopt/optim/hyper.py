"""Hyperparameters: which values are allowed, and how they reach C (one named number each)."""

import math
from numbers import Real

import numpy as np

EPS_MODES = {"outside": 0, "hat": 1, "inside": 2, "max": 3}  # as FO_EPS_... in csrc/fastopt.h
VELOCITIES = {"sum": 0, "average": 1, "step": 2}
AMSGRAD_MAXIMA = {"raw": 1, "corrected": 2}
CHOICES = {
    "velocity": tuple(VELOCITIES),
    "amsgrad_max": tuple(AMSGRAD_MAXIMA),
    "adam": ("outside", "hat", "inside"),
    "adagrad": ("outside", "inside"),
    "rmsprop": ("outside", "inside"),
    "adamax": ("max", "outside"),
    "radam": ("hat", "outside"),
}


class Range:
    """An interval of numbers, finite ones if not said otherwise, with the words for it."""

    def __init__(self, words, low=-math.inf, high=math.inf, open_low=False, open_high=False, infinite=False):
        self.words, self.low, self.high, self.open_low, self.open_high = words, low, high, open_low, open_high
        self.infinite = infinite

    def __contains__(self, x):
        above = x > self.low if self.open_low else x >= self.low
        return above and (x < self.high if self.open_high else x <= self.high) and (self.infinite or math.isfinite(x))


UNIT = Range("in [0, 1)", 0, 1, open_high=True)
CLOSED_UNIT = Range("in [0, 1]", 0, 1)
NOT_NEGATIVE = Range("a finite number >= 0", 0)
POSITIVE = Range("a finite number > 0", 0, open_low=True)
FINITE = Range("a finite number")
LIMIT = Range("a number > 0", 0, open_low=True, infinite=True)

NUMBERS = {
    "lr": NOT_NEGATIVE, "weight_decay": NOT_NEGATIVE, "momentum": NOT_NEGATIVE, "dampening": FINITE, "lr_decay": NOT_NEGATIVE,
    "alpha": CLOSED_UNIT, "rho": CLOSED_UNIT, "eps": NOT_NEGATIVE, "eps_root": NOT_NEGATIVE, "threshold": FINITE,
    "initial_accumulator_value": NOT_NEGATIVE, "grad_scale": POSITIVE, "clip_factor": FINITE, "mu_product": FINITE,
}  # fmt: skip
PAIRS = {
    "betas": (("beta1", UNIT), ("beta2", UNIT)),
    "etas": (("eta_minus", Range("in (0, 1)", 0, 1, True, True)), ("eta_plus", Range("a finite number > 1", 1, open_low=True))),
    "step_sizes": (("step_min", POSITIVE), ("step_max", POSITIVE)),
}
OPTIONAL = {"momentum_decay": NOT_NEGATIVE, "ema": UNIT}
FLAGS = ("nesterov", "maximize", "decoupled_weight_decay", "centered", "amsgrad", "bias_correction", "lr_in_momentum",
         "clamp_unchanged", "delayed", "flush_subnormals")  # fmt: skip


def number(owner, name, value, allowed):
    """`value` as a float, or an error that says what was expected."""
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf":
        value = value.item()
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{owner}: {name} must be {allowed.words}, got {value!r}")
    try:
        if value in allowed:
            return float(value)
    except OverflowError:  # an int beyond every float
        pass
    raise ValueError(f"{owner}: {name} must be {allowed.words}, got {value}")


def _pair(owner, name, value):
    try:
        first, second = value
    except (TypeError, ValueError):
        raise TypeError(f"{owner}: {name} must be a pair of numbers, got {value!r}") from None
    return {part: number(owner, part, x, allowed) for (part, allowed), x in zip(PAIRS[name], (first, second))}


def encode(owner, kernel, options):
    """The named numbers of `options` for the kernel, after checking every one: {"lr": 0.1, "beta1": 0.9, ...}."""
    numbers = {}
    for name, value in options.items():
        if name in NUMBERS:
            numbers[name] = number(owner, name, value, NUMBERS[name])
        elif name in PAIRS:
            numbers.update(_pair(owner, name, value))
        elif name in OPTIONAL:
            numbers[name] = None if value is None else number(owner, name, value, OPTIONAL[name])
        elif name in FLAGS:
            if not isinstance(value, (bool, np.bool_)):
                raise TypeError(f"{owner}: {name} must be True or False, got {value!r}")
            numbers[name] = bool(value)
        else:
            allowed = CHOICES[kernel if name == "eps_mode" else name]
            if value not in allowed:
                raise ValueError(f"{owner}: {name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
            numbers[name] = value
    _together(owner, numbers)
    if "amsgrad_max" in numbers:
        maximum = AMSGRAD_MAXIMA[numbers.pop("amsgrad_max")]
        numbers["amsgrad"] = maximum if numbers["amsgrad"] else 0
    for name, codes in (("eps_mode", EPS_MODES), ("velocity", VELOCITIES)):
        if name in numbers:
            numbers[name] = codes[numbers[name]]
    if "momentum_decay" in numbers:
        numbers["scheduled_momentum"] = numbers["momentum_decay"] is not None
    if "ema" in numbers and numbers["ema"] is None:
        numbers["ema"] = -1
    return {name: float(value or 0) for name, value in numbers.items()}


def _together(owner, numbers):
    """What only makes sense in combination."""
    if numbers.get("nesterov") and numbers["velocity"] == "sum" and (not numbers["momentum"] or numbers["dampening"]):
        raise ValueError(f"{owner}: nesterov needs momentum > 0 and dampening = 0, got momentum {numbers['momentum']:g} "
                         f"and dampening {numbers['dampening']:g}")  # fmt: skip
    if "step_min" in numbers and numbers["step_min"] > numbers["step_max"]:
        raise ValueError(f"{owner}: step_sizes must be (least, greatest), got ({numbers['step_min']:g}, {numbers['step_max']:g})")
    if numbers.get("velocity") == "average" and numbers["momentum"] >= 1:
        raise ValueError(f"{owner}: momentum must be in [0, 1) where velocity is an average, got {numbers['momentum']:g}")
