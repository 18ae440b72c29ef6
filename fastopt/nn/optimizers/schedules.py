"""Learning-rate schedules under Keras's names: callables of the number of steps done, for learning_rate= or lr=.

fastopt.schedules has more of them, under torch's names; either kind serves any optimizer.
"""

import dataclasses
import inspect
import math

from ... import optim
from .. import names

OWN = "fastopt."  # stands before the name of a schedule that is fastopt's and not Keras's


class LearningRateSchedule:
    """Base: a subclass writes __call__(step) -> rate, step being the number of steps done. Its arguments are its attributes.

    initial_learning_rate: the rate at step 0. name: kept, as in Keras.

    >>> from fastopt.nn.optimizers import schedules
    >>> schedules.ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)(20)
    0.25
    """

    def __call__(self, step):
        raise NotImplementedError(f"{type(self).__name__}: a schedule must define __call__(step)")

    def get_config(self):
        """The arguments it was made with, as a dict."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @classmethod
    def from_config(cls, config):
        """The schedule with the arguments `config`."""
        return cls(**config)

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate decay_rate^(step / decay_steps), the exponent rounded down with staircase. See LearningRateSchedule."""

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        self.initial_learning_rate, self.decay_rate, self.staircase, self.name = initial_learning_rate, decay_rate, staircase, name
        self.decay_steps = _positive(self, "decay_steps", decay_steps)

    def __call__(self, step):
        return self.initial_learning_rate * self.decay_rate ** _periods(step, self)


class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate step / decay_steps), the fraction rounded down with staircase.

    See LearningRateSchedule.
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        self.initial_learning_rate, self.decay_rate, self.staircase, self.name = initial_learning_rate, decay_rate, staircase, name
        self.decay_steps = _positive(self, "decay_steps", decay_steps)

    def __call__(self, step):
        return self.initial_learning_rate / (1 + self.decay_rate * _periods(step, self))


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and with step boundaries[0], then values[1] up to and with boundaries[1], and so on.

    See LearningRateSchedule.
    """

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            expected = f"expected {len(boundaries) + 1}, one more than boundaries"
            raise ValueError(f"PiecewiseConstantDecay: values has length {len(values)}, {expected}")
        if list(boundaries) != sorted(boundaries):
            raise ValueError(f"PiecewiseConstantDecay: boundaries must ascend, got {boundaries!r}")
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step):
        return self.values[sum(step > boundary for boundary in self.boundaries)]


class PolynomialDecay(LearningRateSchedule):
    """From initial_learning_rate to end_learning_rate along (1 - step / decay_steps)^power.

    Then it stays there, or with cycle starts again, over a span that is a multiple of decay_steps and each time longer. See
    LearningRateSchedule.
    """

    def __init__(
        self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False, name="PolynomialDecay"
    ):
        self.initial_learning_rate, self.end_learning_rate, self.power = initial_learning_rate, end_learning_rate, power
        self.decay_steps, self.cycle, self.name = _positive(self, "decay_steps", decay_steps), cycle, name

    def __call__(self, step):
        span = self.decay_steps * (max(math.ceil(step / self.decay_steps), 1) if self.cycle else 1)
        left = (1 - min(step, span) / span) ** self.power
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """From the initial rate to alpha times it along half a cosine in decay_steps (Loshchilov & Hutter 2017).

    With warmup_target first along a line from the initial rate to the target in warmup_steps, and down from there. See
    LearningRateSchedule.
    """

    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None, warmup_steps=0):
        self.initial_learning_rate, self.alpha, self.name = initial_learning_rate, alpha, name
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step):
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            top, step = self.warmup_target, step - self.warmup_steps
        return top * _cosine(min(step, self.decay_steps) / self.decay_steps, self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """CosineDecay over and over, each span t_mul times as long as the one before, each top m_mul times as high.

    first_decay_steps: the first span. As in Keras m_mul scales the cosine alone, not the floor alpha. (SGDR: Loshchilov & Hutter
    2017) See LearningRateSchedule.
    """

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"):
        self.initial_learning_rate, self.alpha, self.name = initial_learning_rate, alpha, name
        self.first_decay_steps = _positive(self, "first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul = t_mul, m_mul
        if t_mul < 1:
            raise ValueError(f"CosineDecayRestarts: t_mul must be >= 1, got {t_mul!r}")

    def __call__(self, step):
        span, top = self.first_decay_steps, 1.0
        if self.t_mul == 1:
            top, step = self.m_mul ** (step // span), step % span
        while step >= span:  # counted, not by logarithms, whose rounding misses some restarts
            step, span, top = step - span, span * self.t_mul, top * self.m_mul
        return self.initial_learning_rate * _cosine(step / span, self.alpha, top)


def _cosine(share, alpha, top=1.0):
    return (1 - alpha) * top * (1 + math.cos(math.pi * share)) / 2 + alpha


def _periods(step, schedule):
    periods = step / schedule.decay_steps
    return math.floor(periods) if schedule.staircase else periods


def _positive(owner, name, value):
    if isinstance(value, bool) or not value > 0:
        raise ValueError(f"{type(owner).__name__}: {name} must be > 0, got {value!r}")
    return value


TABLE = {cls.__name__: cls for cls in (ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay, CosineDecay,
                                       CosineDecayRestarts)}  # fmt: skip


def serialize(rate):
    """A learning rate as JSON can hold it: a number as it is, a schedule as its configuration."""
    if not callable(rate):
        return rate
    if type(rate).__name__ in optim.schedules.__all__ and dataclasses.is_dataclass(rate):
        fields = {field.name: serialize(getattr(rate, field.name)) for field in dataclasses.fields(rate) if field.init}
        return {"class_name": OWN + type(rate).__name__, "config": fields}
    return names.serialize(rate)


def deserialize(config, custom_objects=None):
    """The learning rate of config, which serialize wrote. custom_objects: {name: class} for what is not fastopt's own."""
    if not isinstance(config, dict):
        return config
    own = {OWN + name: getattr(optim.schedules, name) for name in optim.schedules.__all__}
    if config.get("class_name") in own:
        return own[config["class_name"]](**{name: deserialize(value) for name, value in config["config"].items()})
    return names.deserialize("schedule", config, TABLE, custom_objects)
