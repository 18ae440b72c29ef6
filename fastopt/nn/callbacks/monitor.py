"""Callbacks that watch a number of the logs: EarlyStopping, ReduceLROnPlateau, and what is common to them."""

import warnings
from math import isfinite

from .. import metrics, names
from ..arguments import flag, number, verbosity
from .base import Callback
from .progress import say
from .rates import rate_of, set_rate


class Monitor(Callback):
    """Base: knows whether the monitored number got better.

    monitor: its name in the logs. mode: "min" or "max" is better; "auto": as the metric of that name has it, loss "min".
    min_delta: by how much at least it must get better. verbose, of its heirs: 1 to say what is done.
    """

    def __init__(self, monitor="val_loss", mode="auto", min_delta=0):
        super().__init__()
        owner = type(self).__name__
        if not isinstance(monitor, str):
            raise TypeError(f"{owner}: monitor must be a name in the logs, got {monitor!r}")
        self.monitor = monitor
        self.mode = names.find(f"{owner}: mode", mode, {"auto": "auto", "min": "min", "max": "max"})
        self.min_delta, self.best = abs(number(owner, "min_delta", min_delta)), None

    def improves(self, value, reference):
        """Whether value is better than reference; anything is better than None."""
        if self._direction() == "min":
            return reference is None or value + self.min_delta < reference
        return reference is None or value - self.min_delta > reference

    def _direction(self):
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return "min"
        for metric in getattr(self.model, "metrics", None) or ():
            if getattr(metric, "name", None) == name and getattr(metric, "direction", None):
                return metric.direction
        known = {names.plain(key): cls.direction for key, cls in metrics.TABLE.items() if cls.direction}
        found = [key for key in known if names.plain(name).endswith(key)]  # the name may begin with that of an output
        if not found:
            raise ValueError(f"{type(self).__name__}: is a high or a low {self.monitor!r} better? pass mode='max' or mode='min'")
        return known[found[0]]

    def value(self, logs):
        """The monitored number, None with a warning where it is missing."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            there = ", ".join(logs or ()) or "nothing"
            warnings.warn(f"{type(self).__name__}: {self.monitor!r} is not in the logs, which have {there}", stacklevel=2)
        return value


class EarlyStopping(Monitor):
    """Stops training when the monitored number has not got better for `patience` epochs (Prechelt 1998).

    baseline: what it must also beat for the waiting to begin anew. restore_best_weights: at the end of training the weights of the
        best epoch are put back. start_from_epoch: epochs before it count for nothing.
    `stopped_epoch` is the epoch, from 0, at which it stopped, 0 if it did not; `best`, `best_epoch` the best so far.
    Further arguments: see Monitor.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.Dense(1)])
    >>> model.compile(optimizer=nn.optimizers.SGD(learning_rate=0.0), loss="mse")
    >>> x = np.ones((8, 1), "float32")
    >>> history = model.fit(x, x, epochs=9, verbose=0, callbacks=[nn.callbacks.EarlyStopping("loss", patience=2)])
    >>> history.epoch
    [0, 1, 2]
    """

    def __init__(self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None,
                 restore_best_weights=False, start_from_epoch=0):  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        owner = type(self).__name__
        self.patience, self.verbose = number(owner, "patience", patience, 0), verbosity(owner, verbose)
        self.baseline = None if baseline is None else number(owner, "baseline", baseline)
        self.restore_best_weights = flag(owner, "restore_best_weights", restore_best_weights)
        self.start_from_epoch = number(owner, "start_from_epoch", start_from_epoch, 0)
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_epoch_end(self, epoch, logs=None):
        current = self.value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.improves(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improves(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def on_train_end(self, logs=None):
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when the monitored number has not got better for `patience` epochs.

    cooldown: epochs after a reduction that do not count. min_lr: the rate does not go below it. The rate enters the logs of each
    epoch as "learning_rate". Further arguments: see Monitor.
    """

    def __init__(self, monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto", min_delta=1e-4, cooldown=0,
                 min_lr=0.0):  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        owner = type(self).__name__
        if not 0 < number(owner, "factor", factor) < 1:
            raise ValueError(f"{owner}: factor must be in (0, 1), got {factor!r}")
        if not isfinite(number(owner, "min_lr", min_lr, 0)):
            raise ValueError(f"{owner}: min_lr must be finite, got {min_lr!r}")
        self.factor, self.min_lr, self.verbose = factor, min_lr, verbosity(owner, verbose)
        self.patience, self.cooldown = number(owner, "patience", patience, 0), number(owner, "cooldown", cooldown, 0)
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.best, self.cooldown_counter, self.wait = None, 0, 0

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs["learning_rate"] = rate = rate_of(self.model.optimizer)
        current = self.value(logs)
        if current is None:
            return
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(current, self.best):
            self.best, self.wait = current, 0
        elif not self.cooldown_counter:
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                rate = max(rate * self.factor, self.min_lr)
                set_rate("ReduceLROnPlateau", self.model.optimizer, rate)
                if self.verbose:
                    say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate:g}.")
                self.cooldown_counter, self.wait = self.cooldown, 0
