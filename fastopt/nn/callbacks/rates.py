"""LearningRateScheduler, and how callbacks read and set the learning rate."""

import inspect
from numbers import Real

from ..arguments import verbosity
from .base import Callback
from .progress import say


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch to schedule(epoch, rate so far), or schedule(epoch) where it takes one argument.

    The rate enters the logs of each epoch as "learning_rate". verbose: 1 to say it.

    >>> from fastopt import nn
    >>> halved = nn.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch and epoch % 10 == 0 else rate)
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler: schedule must be a function of the epoch, got {schedule!r}")
        self.schedule, self.verbose = schedule, verbosity("LearningRateScheduler", verbose)

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, rate_of(optimizer)) if _takes_two(self.schedule) else self.schedule(epoch)
        if not isinstance(rate, Real) or isinstance(rate, bool):
            raise ValueError(f"LearningRateScheduler: schedule must return a number, got {rate!r}")
        set_rate("LearningRateScheduler", optimizer, float(rate))
        if self.verbose:
            say(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate:g}.")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = rate_of(self.model.optimizer)


def rate_of(optimizer):
    """The present learning rate of an optimizer, a float."""
    rate = optimizer.lr
    return float(rate(optimizer.steps) if callable(rate) else rate)


def set_rate(owner, optimizer, rate):
    """Sets it; TypeError where a schedule gives it."""
    if callable(optimizer.lr):
        raise TypeError(f"{owner}: the learning rate is given by the schedule {optimizer.lr!r} and cannot be set")
    optimizer.lr = rate


def _takes_two(schedule):
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True
