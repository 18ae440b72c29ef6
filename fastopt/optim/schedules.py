"""Learning-rate schedules: plain functions of the step, for the `lr=` of an optimizer.

    opt = fastopt.SGD(params, lr=Warmup(CosineRestarts(0.1, steps=1000, T_mult=2), steps=500))

A schedule is called with a step, an int counted from 0 (the optimizer's first step), and returns that step's rate, a
float. All lengths are in steps; whether a step is a batch or an epoch is up to whoever calls. A rate depends on the
step alone, so steps may come in any order; past its end a finite schedule keeps its last value.

Schedules are frozen dataclasses: they compare by value, pickle, copy, and print as the call that makes them. The one
with a memory is `ReduceOnPlateau`.

Formulas, argument names and defaults are those of `torch.optim.lr_scheduler`, but for two names: `lr` comes first
(torch takes it from its optimizer), and a length is always `steps` (torch: T_max, T_0, total_iters, total_steps). In
the formulas below t is the step.
"""

import math
import operator
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, get_type_hints

__all__ = [
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Exponential",
    "InverseSqrt",
    "MultiStep",
    "OneCycle",
    "Polynomial",
    "ReduceOnPlateau",
    "StepDecay",
    "Warmup",
]


class _Rule(NamedTuple):
    """What an argument must be: stated once, in its annotation, and enforced by `_checked`."""

    expected: str  # completes "<argument> must be ..."
    convert: Callable[[Any], Any]  # to plain Python, so that float32(0.1) or a list spoils neither repr nor equality
    holds: Callable[[Any], bool]

    def __repr__(self) -> str:  # help(Cosine) shows it beside the argument
        return self.expected


def _checked(owner: object, name: str, value: Any, rule: _Rule) -> Any:
    error: type[Exception] = ValueError
    try:
        converted = rule.convert(value)
        if rule.holds(converted):
            return converted
    except (TypeError, OverflowError):
        error = TypeError
    raise error(f"{type(owner).__name__}: {name} must be {rule.expected}, got {value!r}")


def _integer(value: Any) -> int:
    if isinstance(value, bool):  # an int to Python, a mistake here
        raise TypeError
    return operator.index(value)


def _real(value: Any) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):  # float() alone would also parse a str
        raise TypeError
    return float(value)


def _choice(*names: str, **short: str) -> _Rule:
    return _Rule(" or ".join(map(repr, names)), lambda v: short.get(v, v), lambda v: v in names)


_RATE = _Rule("a finite number >= 0", _real, lambda x: 0 <= x < math.inf)
_COUNT = _Rule("a non-negative integer", _integer, lambda n: n >= 0)
_METRIC = _Rule("a number", _real, lambda _: True)

Rate = Annotated[float, _RATE]
Positive = Annotated[float, _Rule("a finite number > 0", _real, lambda x: 0 < x < math.inf)]
Share = Annotated[float, _Rule("in [0, 1]", _real, lambda x: 0 <= x <= 1)]
Shrink = Annotated[float, _Rule("in (0, 1)", _real, lambda x: 0 < x < 1)]
Steps = Annotated[int, _Rule("a positive integer", _integer, lambda n: n > 0)]
Count = Annotated[int, _COUNT]
Milestones = Annotated[
    tuple[int, ...],
    _Rule("a sequence of non-negative integers", lambda v: tuple(sorted(map(_integer, v))), lambda v: all(n >= 0 for n in v)),
]
RateOrSchedule = Annotated[
    float | Callable[[int], float],
    _Rule(f"a schedule or {_RATE.expected}", lambda v: v if callable(v) else _real(v), lambda v: callable(v) or _RATE.holds(v)),
]


class _Schedule:
    """Checks the arguments and the step; a subclass gives the rate in `_at`."""

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            object.__setattr__(self, name, _checked(self, name, getattr(self, name), hint.__metadata__[0]))

    def __call__(self, step: int) -> float:
        return self._at(_checked(self, "step", step, _COUNT))

    def _at(self, step: int) -> float:
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(_Schedule):
    """The same rate at every step: lr.

    >>> Constant(0.1)(1000)
    0.1
    """

    lr: Rate

    def _at(self, step: int) -> float:
        return self.lr


@dataclass(frozen=True)
class StepDecay(_Schedule):
    """Times gamma every step_size steps: lr gamma^floor(t / step_size). (Ge et al. 2019; torch: StepLR)

    >>> [StepDecay(8, step_size=2, gamma=0.5)(t) for t in range(5)]
    [8.0, 8.0, 4.0, 4.0, 2.0]
    """

    lr: Rate
    step_size: Steps
    gamma: Positive = 0.1

    def _at(self, step: int) -> float:
        return self.lr * self.gamma ** (step // self.step_size)


@dataclass(frozen=True)
class MultiStep(_Schedule):
    """Times gamma from each milestone on: lr gamma^(milestones <= t). (He et al. 2016; torch: MultiStepLR)

    >>> [MultiStep(8, milestones=[1, 4], gamma=0.5)(t) for t in range(5)]
    [8.0, 4.0, 4.0, 4.0, 2.0]
    """

    lr: Rate
    milestones: Milestones  # in any order; one given twice counts twice
    gamma: Positive = 0.1

    def _at(self, step: int) -> float:
        return self.lr * self.gamma ** bisect_right(self.milestones, step)


@dataclass(frozen=True)
class Exponential(_Schedule):
    """Times gamma at every step: lr gamma^t. (Senior et al. 2013; torch: ExponentialLR)

    >>> [Exponential(8, gamma=0.5)(t) for t in range(3)]
    [8.0, 4.0, 2.0]
    """

    lr: Rate
    gamma: Positive

    def _at(self, step: int) -> float:
        return self.lr * self.gamma**step


@dataclass(frozen=True)
class Polynomial(_Schedule):
    """From lr to eta_min along a power, 1 for a straight line. (Chen et al. 2018, DeepLab; torch: PolynomialLR)

    eta_min + (lr - eta_min) (1 - t / steps)^power; eta_min from t = steps on (always 0 in torch).

    >>> [Polynomial(8, steps=4)(t) for t in range(6)]
    [8.0, 6.0, 4.0, 2.0, 0.0, 0.0]
    """

    lr: Rate
    steps: Steps
    power: Positive = 1.0
    eta_min: Rate = 0.0

    def _at(self, step: int) -> float:
        return self.eta_min + (self.lr - self.eta_min) * (1 - min(step, self.steps) / self.steps) ** self.power


@dataclass(frozen=True)
class Cosine(_Schedule):
    """From lr to eta_min along half a cosine. (Loshchilov & Hutter 2017, eq. 5; torch: CosineAnnealingLR)

    eta_min + (lr - eta_min) (1 + cos(pi t / steps)) / 2; eta_min from t = steps on, where torch climbs up again.

    >>> [round(Cosine(8, steps=4)(t), 2) for t in range(6)]
    [8.0, 6.83, 4.0, 1.17, 0.0, 0.0]
    """

    lr: Rate
    steps: Steps
    eta_min: Rate = 0.0

    def _at(self, step: int) -> float:
        share = min(step, self.steps) / self.steps
        return self.eta_min + (self.lr - self.eta_min) * (1 + math.cos(math.pi * share)) / 2


@dataclass(frozen=True)
class CosineRestarts(_Schedule):
    """`Cosine` over and over: the first for `steps` steps, each next one T_mult times as long, all of them from lr.

    eta_min + (lr - eta_min) (1 + cos(pi u / T)) / 2, u steps after the last restart, in a period of T = steps T_mult^i.
    (SGDR: Loshchilov & Hutter 2017; torch: CosineAnnealingWarmRestarts)

    >>> [round(CosineRestarts(8, steps=2, T_mult=2)(t), 2) for t in range(7)]
    [8.0, 4.0, 8.0, 6.83, 4.0, 1.17, 8.0]
    """

    lr: Rate
    steps: Steps
    T_mult: Steps = 1
    eta_min: Rate = 0.0

    def _at(self, step: int) -> float:
        period = self.steps
        if self.T_mult == 1:
            step %= period
        # Counted in integers: a logarithm would give the period's number at once, but rounding makes it miss some
        # restarts, such as step 121 of CosineRestarts(lr, steps=1, T_mult=3).
        while step >= period:
            step, period = step - period, period * self.T_mult
        return self.eta_min + (self.lr - self.eta_min) * (1 + math.cos(math.pi * step / period)) / 2


@dataclass(frozen=True)
class Warmup(_Schedule):
    """A line up to the first rate of `lr`, a schedule or a number, which takes over and counts from its own step 0.

    lr(0) (start_factor + (1 - start_factor) t / steps) for t < steps, then lr(t - steps).
    (Goyal et al. 2017; torch: a SequentialLR of LinearLR and the other)

    >>> [Warmup(Exponential(8, gamma=0.5), steps=2, start_factor=0)(t) for t in range(5)]
    [0.0, 4.0, 8.0, 4.0, 2.0]
    """

    lr: RateOrSchedule
    steps: Steps
    start_factor: Share = 1 / 3

    def _at(self, step: int) -> float:
        rate = self.lr(max(step - self.steps, 0)) if callable(self.lr) else self.lr
        return rate * (self.start_factor + (1 - self.start_factor) * step / self.steps) if step < self.steps else rate


@dataclass(frozen=True)
class OneCycle(_Schedule):
    """Up to lr, then far down. (Smith & Topin 2018; torch: OneCycleLR, where max_lr is lr; momentum is left alone)

    anneal_strategy: "cos" or "linear". From lr / div_factor at step 0 to lr at step pct_start steps - 1 to lr / div_factor /
    final_div_factor at step steps - 1, each way along half a cosine or ("linear") a line. With three_phase, as in the paper, it
    is back at lr / div_factor at step 2 pct_start steps - 2. As in torch, these turning points need not be whole steps.

    >>> [round(OneCycle(8, steps=5, pct_start=0.6, div_factor=4, final_div_factor=2)(t), 2) for t in range(6)]
    [2.0, 5.0, 8.0, 4.5, 1.0, 1.0]
    """

    lr: Rate
    steps: Steps
    pct_start: Share = 0.3
    anneal_strategy: Annotated[str, _choice("cos", "linear")] = "cos"
    div_factor: Positive = 25.0
    final_div_factor: Positive = 1e4
    three_phase: Annotated[bool, _Rule("True or False", lambda v: v, lambda v: v in (True, False))] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.three_phase and self.pct_start > 0.5:  # no room for the way back
            raise ValueError(f"OneCycle: pct_start must be at most 0.5 with three_phase, got {self.pct_start!r}")

    def _at(self, step: int) -> float:
        top, end, low = self.pct_start * self.steps - 1, self.steps - 1, self.lr / self.div_factor
        back = [(2 * top, low)] if self.three_phase else []
        step, start, rate = min(step, end), 0.0, low
        for turn, next_rate in [(top, self.lr), *back, (end, low / self.final_div_factor)]:
            if step <= turn:
                break
            start, rate = turn, next_rate
        left = (turn - step) / (turn - start) if turn > start else 0.0  # turn = start = 0: torch divides by zero
        if self.anneal_strategy == "cos":
            left = (1 - math.cos(math.pi * left)) / 2
        return next_rate + (rate - next_rate) * left


@dataclass(frozen=True)
class InverseSqrt(_Schedule):
    """A line up to lr at the last step of the warm-up, then down with 1 / sqrt(t). (Vaswani et al. 2017, eq. 3, "Noam")

    lr min(n / warmup_steps, sqrt(warmup_steps / n)) with n = t + 1; the paper's lr is 1 / sqrt(d_model warmup_steps).

    >>> [InverseSqrt(8, warmup_steps=4)(t) for t in (0, 1, 3, 15)]
    [2.0, 4.0, 8.0, 4.0]
    """

    lr: Rate
    warmup_steps: Steps

    def _at(self, step: int) -> float:
        return self.lr * min((step + 1) / self.warmup_steps, math.sqrt(self.warmup_steps / (step + 1)))


@dataclass
class ReduceOnPlateau(_Schedule):
    """Times `factor` when a metric stops improving. (He et al. 2016, section 3.4; torch: ReduceLROnPlateau)

    At every step the rate is `rate`, at first lr, which `report(metric)`, called once an epoch, changes: when more than `patience`
    epochs in a row brought no improvement, to max(rate factor, min_lr), if that is lower by more than eps; the next
    `cooldown` epochs then count as good. In mode "min" improvement means below best (1 - threshold) or, with
    threshold_mode "absolute", best - threshold; in mode "max" above best (1 + threshold) or best + threshold. As in
    torch, "relative" supposes a positive metric, and NaN is no improvement. Torch's "rel" and "abs" are understood.

    >>> plateau = ReduceOnPlateau(8, factor=0.5, patience=1)
    >>> [plateau.report(loss) for loss in (3.0, 2.0, 2.0, 2.5, 1.0)]
    [8.0, 8.0, 8.0, 4.0, 4.0]
    """

    lr: Rate
    mode: Annotated[str, _choice("min", "max")] = "min"
    factor: Shrink = 0.1
    patience: Count = 10
    threshold: Rate = 1e-4
    threshold_mode: Annotated[str, _choice("relative", "absolute", rel="relative", abs="absolute")] = "relative"
    cooldown: Count = 0
    min_lr: Rate = 0.0
    eps: Rate = 1e-8
    rate: Rate = field(init=False)
    best: Annotated[float, _METRIC] = field(init=False)
    num_bad_epochs: Count = field(init=False, default=0)
    cooldown_counter: Count = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.rate = self.lr
        self.best = -math.inf if self.mode == "max" else math.inf
        super().__post_init__()

    def _at(self, step: int) -> float:
        return self.rate

    def report(self, metric: float) -> float:
        """Takes the metric of an epoch, returns the rate of the next."""
        metric = _checked(self, "metric", metric, _METRIC)
        sign = 1 if self.mode == "max" else -1
        margin = sign * self.threshold
        bar = self.best * (1 + margin) if self.threshold_mode == "relative" else self.best + margin
        self.num_bad_epochs += 1
        if sign * metric > sign * bar:  # never so for NaN
            self.best, self.num_bad_epochs = metric, 0
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            lower = max(self.rate * self.factor, self.min_lr)
            if self.rate - lower > self.eps:
                self.rate = lower
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        return self.rate

    def state_dict(self) -> dict[str, Any]:
        """What the reports have led to, not the arguments."""
        return {name: getattr(self, name) for name in ("rate", "best", "num_bad_epochs", "cooldown_counter")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes what `state_dict` gave; everything is checked before anything changes."""
        names, hints = self.state_dict(), get_type_hints(type(self), include_extras=True)
        whole = _Rule("a dict of " + ", ".join(names), dict, lambda d: d.keys() == names.keys())
        state = _checked(self, "state_dict", state_dict, whole)
        self.__dict__.update({n: _checked(self, n, v, hints[n].__metadata__[0]) for n, v in state.items()})
