"""Callback, and the list of callbacks that training calls."""

from ..arguments import KnownAlone

EVENTS = ("train", "test", "predict", "epoch", "batch", "train_batch", "test_batch", "predict_batch")
HOOKS = tuple(f"on_{event}_{when}" for event in EVENTS for when in ("begin", "end"))
BATCH_HOOKS = tuple(hook for hook in HOOKS if "batch" in hook)


class Callback(KnownAlone):
    """Base: a subclass overrides the hooks that it needs.

    `model` is the model at work, `params` a dict: verbose, epochs, steps. logs are dicts name -> number; what a callback writes
    into those of on_epoch_end, the callbacks after it and the history see; a batch is counted from 0 in each epoch.
    model.stop_training = True ends the training.

    >>> from fastopt import nn
    >>> class Halt(nn.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.model.stop_training = logs["loss"] < 0.1
    """

    def __init__(self):
        self.params, self.model = {}, None

    def set_params(self, params):
        """Takes the parameters of the run."""
        self.params = params

    def set_model(self, model):
        """Takes the model."""
        self.model = model

    @property
    def wants_batches(self):
        """Whether any hook for batches does something here."""
        return any(overrides(self, hook) for hook in BATCH_HOOKS)

    def on_train_begin(self, logs=None):
        """Before fit."""

    def on_train_end(self, logs=None):
        """After fit, with the logs of its last epoch; also where it was interrupted."""

    def on_epoch_begin(self, epoch, logs=None):
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch, logs=None):
        """After an epoch and its validation."""

    def on_batch_begin(self, batch, logs=None):
        """Older name of on_train_batch_begin."""

    def on_batch_end(self, batch, logs=None):
        """Older name of on_train_batch_end."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before a step, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a step, with the means over the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs=None):
        """Before evaluate, or the validation in fit."""

    def on_test_end(self, logs=None):
        """After it."""

    def on_test_batch_begin(self, batch, logs=None):
        """Before a batch of it."""

    def on_test_batch_end(self, batch, logs=None):
        """After a batch of it, with the means so far."""

    def on_predict_begin(self, logs=None):
        """Before predict."""

    def on_predict_end(self, logs=None):
        """After predict."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before a batch of it."""

    def on_predict_batch_end(self, batch, logs=None):
        """After a batch of it, with its outputs."""


def overrides(callback, hook):
    """Whether a callback has a hook of its own, in its class or as an attribute."""
    own = getattr(callback, hook, None)
    return own is not None and getattr(own, "__func__", own) is not getattr(Callback, hook)


class CallbackList(Callback):
    """Callbacks as one: each hook calls those of the callbacks that have it, in their order, and then history and progress bar.

    callbacks: a list, nested as one likes, or one callback. add_history, add_progbar: whether to add a History and a ProgressBar
        where there is none. model: see set_model. params: verbose, epochs, steps.
    `wants_batches` says whether hooks for batches need to be called at all. Their logs may be a function that returns the dict: it
    is called only where someone looks.
    """

    wants_batches = False

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        from .history import History
        from .progress import ProgressBar

        self.model, self.callbacks = None, list(_flat(callbacks))
        histories = [callback for callback in self.callbacks if isinstance(callback, History)]
        if add_history and not histories:
            histories = [History()]
            self.callbacks += histories
        if add_progbar and not any(isinstance(callback, ProgressBar) for callback in self.callbacks):
            self.callbacks.append(ProgressBar())
        self._history = histories[0] if histories else None
        self.set_params(params)
        if model is not None:
            self.set_model(model)
        self._hooks = {hook: [getattr(c, hook) for c in self.callbacks if _has(c, hook)] for hook in HOOKS}
        wanting = [c for c in self.callbacks if any(_has(c, hook) for hook in BATCH_HOOKS)]
        self.wants_batches, self._only_bar = bool(wanting), all(isinstance(c, ProgressBar) for c in wanting)

    def append(self, callback):
        """Adds a callback."""
        self.__init__([*self.callbacks, callback], model=self.model, **self.params)

    def set_params(self, params):
        """Gives all the parameters of the run."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model):
        """Gives all the model, whose `history` becomes the History among them."""
        self.model = model
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def _call(self, hook, logs, *position):
        called = self._hooks[hook]
        if called:
            logs = _readable(logs)
            for method in called:
                method(*position, logs)

    def on_train_begin(self, logs=None):
        self._call("on_train_begin", logs)

    def on_train_end(self, logs=None):
        self._call("on_train_end", logs)

    def on_epoch_begin(self, epoch, logs=None):
        self._call("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch, logs=None):
        self._call("on_epoch_end", logs, epoch)

    def on_train_batch_begin(self, batch, logs=None):
        self._call("on_train_batch_begin", logs, batch)

    def on_train_batch_end(self, batch, logs=None):
        self._batch_end("on_train_batch_end", logs, batch)

    def on_test_begin(self, logs=None):
        self._call("on_test_begin", logs)

    def on_test_end(self, logs=None):
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch, logs=None):
        self._call("on_test_batch_begin", logs, batch)

    def on_test_batch_end(self, batch, logs=None):
        self._batch_end("on_test_batch_end", logs, batch)

    def on_predict_begin(self, logs=None):
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs=None):
        self._call("on_predict_end", logs)

    def on_predict_batch_begin(self, batch, logs=None):
        self._call("on_predict_batch_begin", logs, batch)

    def on_predict_batch_end(self, batch, logs=None):
        for method in self._hooks["on_predict_batch_end"]:
            method(batch, logs)

    def _batch_end(self, hook, logs, batch):
        if self._only_bar:
            for method in self._hooks[hook]:
                method(batch, logs)
        else:
            self._call(hook, logs, batch)


def _flat(callbacks):
    if callbacks is None:
        return
    if isinstance(callbacks, (list, tuple)):
        for callback in callbacks:
            yield from _flat(callback)
    elif isinstance(callbacks, type) or not hasattr(callbacks, "set_model"):
        hint = f"; write {callbacks.__name__}(...)" if isinstance(callbacks, type) else ""
        raise TypeError(f"callbacks: expected Callback objects, got {callbacks!r}{hint}")
    else:
        yield callbacks


def _has(callback, hook):
    if hook in BATCH_HOOKS and not getattr(callback, "wants_batches", True):
        return False
    if hook.startswith("on_batch"):  # called by on_train_batch_...
        return False
    older = hook.replace("train_batch", "batch")
    return overrides(callback, hook) or (older != hook and overrides(callback, older))


def _readable(logs):
    """A dict of its own, sorted by name as Keras's are, with NumPy's numbers as Python's."""
    logs = logs() if callable(logs) else logs or {}
    return {name: logs[name].item() if getattr(logs[name], "ndim", None) == 0 else logs[name] for name in sorted(logs)}
