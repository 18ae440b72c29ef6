"""ProgressBar: tqdm's bar for fit, evaluate and predict."""

import sys
import time

import numpy as np
from tqdm import tqdm

from .base import Callback

INTERVAL = 0.1  # seconds between two drawings


class Bar(tqdm):
    """tqdm without its watching thread."""

    monitor_interval = 0


class ProgressBar(Callback):
    """Shows how training goes, by verbose.

    1: a bar for each epoch on stderr, with loss, metrics and rate; 2: a line for each on stdout; 0: nothing; "auto": 1 where stderr
    is a terminal, else 0. In evaluate and predict there is one bar; in fit none for the validation.
    """

    def __init__(self):
        super().__init__()
        self._bar, self._training, self._due, self._began = None, False, 0.0, 0.0

    def set_params(self, params):
        super().set_params(params)
        verbose = params.get("verbose", "auto")
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"verbose must be 'auto', 0, 1 or 2, got {verbose!r}")
        self.verbose = int(sys.stderr is not None and sys.stderr.isatty()) if verbose == "auto" else int(verbose)

    @property
    def wants_batches(self):
        """Only where there is a bar."""
        return self.verbose == 1

    def on_train_begin(self, logs=None):
        self._training = True

    def on_epoch_begin(self, epoch, logs=None):
        epochs = self.params.get("epochs") or 1
        self._open(f"Epoch {epoch + 1}/{epochs}")

    def on_epoch_end(self, epoch, logs=None):
        self._close(logs)

    def on_train_end(self, logs=None):
        self._training = False
        if self._bar is not None:  # interrupted
            self._bar.close()
            self._bar = None

    def on_train_batch_end(self, batch, logs=None):
        self._draw(batch, logs)

    def on_test_begin(self, logs=None):
        if not self._training:
            self._open("evaluate")

    def on_test_batch_end(self, batch, logs=None):
        if not self._training:
            self._draw(batch, logs)

    def on_test_end(self, logs=None):
        if not self._training:
            self._close(logs)

    def on_predict_begin(self, logs=None):
        self._open("predict")

    def on_predict_batch_end(self, batch, logs=None):
        self._draw(batch, None)

    def on_predict_end(self, logs=None):
        self._close(None)

    def _open(self, title):
        self._title, self._began, self._due, self._seen = title, time.perf_counter(), 0.0, 0
        if self.verbose == 1:
            steps = self.params.get("steps")
            self._bar = Bar(total=steps, desc=title, unit="step", file=sys.stderr, leave=True, mininterval=0, dynamic_ncols=True)

    def _draw(self, batch, logs):
        self._seen = batch + 1
        now = time.perf_counter()
        if now < self._due or self._bar is None:
            return
        self._due = now + INTERVAL
        self._show(logs)

    def _show(self, logs):
        self._bar.n = self._seen
        self._bar.set_postfix_str(text(logs() if callable(logs) else logs), refresh=True)

    def _close(self, logs):
        if self._bar is not None:
            if self._bar.total is None:
                self._bar.total = self._seen
            self._show(logs)
            self._bar.close()
            self._bar = None
        elif self.verbose == 2:
            seconds = time.perf_counter() - self._began
            print(" - ".join(part for part in (self._title, f"{seconds:.1f}s", text(logs, ": ", " - ")) if part), flush=True)


def say(message):
    """Prints a line on stdout, apart from the bar."""
    Bar.write(message)


def text(logs, equals="=", between=", "):
    """Logs in a line, the loss first, those of the validation last."""
    order = sorted(logs or {}, key=lambda name: (name.startswith("val_"), name.removeprefix("val_") != "loss"))
    return between.join(f"{name}{equals}{_number(logs[name])}" for name in order)


def _number(value):
    if np.ndim(value):
        return f"[{' '.join(map(_number, np.ravel(value)))}]"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.3e}"
