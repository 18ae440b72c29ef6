"""CSVLogger, TerminateOnNaN, LambdaCallback."""

import csv
import os
from math import isfinite

import numpy as np

from .. import names
from ..arguments import flag, path
from .base import HOOKS, Callback
from .progress import say


class CSVLogger(Callback):
    """Writes a line for each epoch into a CSV file: the epoch, from 0, and the logs by name, NA where one is missing.

    filename: the file; separator: what stands between columns; append: goes on with a file that exists, without another header.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        if not isinstance(separator, str) or len(separator) != 1 or separator in "\r\n":
            raise ValueError(f"CSVLogger: separator must be one character, got {separator!r}")
        self.filename, self.sep = path("CSVLogger", "filename", filename), separator
        self.append = flag("CSVLogger", "append", append)
        self._file = self._keys = None

    def on_train_begin(self, logs=None):
        self.on_train_end()
        going_on = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a" if self.append else "w", newline="")
        self._keys, self._header = None, not going_on

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self._keys is None:
            self._keys = sorted(logs)
            if not any(key.startswith("val_") for key in self._keys):  # validation may come in a later epoch
                self._keys += [f"val_{key}" for key in self._keys]
            if self._header:
                self._write(["epoch", *self._keys])
        self._write([epoch, *(_cell(logs.get(key, "NA")) for key in self._keys)])
        self._file.flush()

    def _write(self, row):
        csv.writer(self._file, delimiter=self.sep).writerow(row)

    def on_train_end(self, logs=None):
        if self._file is not None:
            self._file.close()
            self._file = None

    def __getstate__(self):
        return self.__dict__ | {"_file": None}


def _cell(value):
    return f"[{', '.join(map(str, np.ravel(value).tolist()))}]" if np.ndim(value) else value


class TerminateOnNaN(Callback):
    """Stops training after the first batch whose loss is NaN or infinite; with raise_error by a RuntimeError."""

    def __init__(self, raise_error=False):
        super().__init__()
        self.raise_error = flag("TerminateOnNaN", "raise_error", raise_error)

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None or isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"TerminateOnNaN: the loss is {loss} at batch {batch}")
        say(f"Batch {batch}: the loss is {loss}, terminating training")
        self.model.stop_training = True


class LambdaCallback(Callback):
    """A callback of functions: on_epoch_end=lambda epoch, logs: ..., and so for on_epoch_begin, on_train_begin, on_train_end,
    on_train_batch_begin, on_train_batch_end and every other hook of Callback; TypeError for what is none.

    >>> from fastopt import nn
    >>> report = nn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> report.on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    def __init__(self, on_epoch_begin=None, on_epoch_end=None, on_train_begin=None, on_train_end=None, on_train_batch_begin=None,
                 on_train_batch_end=None, **hooks):  # fmt: skip
        super().__init__()
        hooks |= {"on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin}
        hooks |= {"on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin}
        hooks |= {"on_train_batch_end": on_train_batch_end}
        for name, function in hooks.items():
            if name not in HOOKS:
                raise TypeError(f"LambdaCallback: unknown hook {name!r}{names.nearest(name, HOOKS)}")
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"LambdaCallback: {name} must be a function, got {function!r}")
            setattr(self, name, function)
