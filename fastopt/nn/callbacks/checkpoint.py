"""ModelCheckpoint."""

import os
import warnings

import numpy as np

from ..arguments import flag, number, path, verbosity
from .monitor import Monitor
from .progress import say


class ModelCheckpoint(Monitor):
    """Saves the model after each epoch, or with save_freq=n after every n batches.

    filepath: may hold {epoch} (from 1), {batch} and names of the logs, "best-{epoch:02d}-{val_loss:.3f}.npz"; folders are made.
    save_best_only: only where the monitored number got better, the first time than initial_value_threshold, if given.
    save_weights_only: model.save_weights in the place of model.save. Further arguments: see Monitor.
    """

    def __init__(self, filepath, monitor="val_loss", verbose=0, save_best_only=False, save_weights_only=False, mode="auto",
                 save_freq="epoch", initial_value_threshold=None):  # fmt: skip
        super().__init__(monitor, mode)
        owner = type(self).__name__
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not hasattr(save_freq, "__index__") or save_freq < 1):
            raise ValueError(f"{owner}: save_freq must be 'epoch' or an integer >= 1, got {save_freq!r}")
        self.filepath, self.verbose, self.save_freq = path(owner, "filepath", filepath), verbosity(owner, verbose), save_freq
        self.save_best_only = flag(owner, "save_best_only", save_best_only)
        self.save_weights_only = flag(owner, "save_weights_only", save_weights_only)
        if initial_value_threshold is not None:
            self.best = number(owner, "initial_value_threshold", initial_value_threshold)
        self._unsaved, self._epoch = 0, 0  # batches since the last save

    @property
    def wants_batches(self):
        """Only where batches decide."""
        return self.save_freq != "epoch"

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self._unsaved += 1
        if self.wants_batches and self._unsaved >= self.save_freq:
            self._unsaved = 0
            self._save(self._epoch, logs or {}, batch)

    def on_epoch_end(self, epoch, logs=None):
        if not self.wants_batches:
            self._save(epoch, logs or {})

    def _save(self, epoch, logs, batch=None):
        try:
            target = self.filepath.format(**{"epoch": epoch + 1} | ({} if batch is None else {"batch": batch + 1}) | logs)
        except KeyError as error:
            known = ", ".join(logs)
            raise KeyError(f"ModelCheckpoint: filepath {self.filepath!r} names {error}, but the logs have {known}") from None
        if self.save_best_only and not self._better(epoch, logs):
            return
        if os.path.dirname(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(target)
        if self.verbose:
            say(f"Epoch {epoch + 1}: saved {'weights' if self.save_weights_only else 'model'} to {target}")

    def _better(self, epoch, logs):
        current = logs.get(self.monitor)
        if current is None or np.ndim(current):
            what = "is not in the logs" if current is None else "is no single number"
            warnings.warn(f"ModelCheckpoint: {self.monitor!r} {what}, so every model is saved", stacklevel=3)
            return True
        before = "nothing" if self.best is None else f"{self.best:.5f}"
        better = self.improves(current, self.best)
        if better:
            self.best = current
        if self.verbose:
            change = f"improved from {before} to {current:.5f}" if better else f"did not improve from {before}"
            say(f"Epoch {epoch + 1}: {self.monitor} {change}")
        return better
