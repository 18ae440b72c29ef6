"""What a compiled model does: compile, fit, evaluate, predict, and single batches. The arguments are Keras's."""

import warnings

import numpy as np

from . import batches, optimizers
from .arguments import integer, known_alone, uncalled
from .batches import Arrays, Stream
from .call import Call
from .callbacks import CallbackList
from .feeding import Feeder
from .metrics import get as find_metric
from .objective import heads, leaves
from .program import run
from .ragged import Ragged, cut, lengths_at_outputs, ready
from .runner import Runner

STEPS = ("train_step", "test_step", "predict_step", "compute_loss", "compute_metrics", "make_train_function", "make_test_function",
         "make_predict_function")  # fmt: skip

class Trainer(Feeder):
    """The part of Model that trains it."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        uncalled(cls, STEPS, "give compile a loss that returns its value and gradient, or metrics, or write the loop with forward, "
                             "backward and an optimizer's step")  # fmt: skip

    stop_training = False
    _optimizer = None
    _optimizer_state = None  # of the model that this one is a copy of, until _optimizer has it

    @property
    def optimizer(self):
        """The optimizer that compile was given or made; None before."""
        if self._optimizer_state is not None:
            self._running("optimizer")
        return self._optimizer

    @known_alone
    def compile(self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None, run_eagerly=False,
                steps_per_execution=1, jit_compile="auto", auto_scale_loss=True):  # fmt: skip
        """Says how the model is trained; layers frozen by trainable=False stay so until the next compile.

        optimizer: a Keras name, which means Keras's conventions and defaults, or an object of nn.optimizers or of fastopt.
        loss: a name, a loss object, or a function (y, prediction) -> (value, gradient), or -> (losses of the rows, the gradient of
            each), which weights and masks want; for several outputs also a list or a dict by output name. loss_weights: factors,
            likewise.
        metrics, weighted_metrics: lists of names, objects or functions (y, prediction) -> values; for several outputs a list of
            lists or a dict. The second kind is weighted by sample_weight: a function there returns a value for each sample, and
            update_state of a metric gets the weights, or None, as its third argument.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: accepted, and without meaning here. Raises ValueError or
        TypeError, and changes nothing, for what is unknown.
        """
        compiled = {"loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics}
        optimizer = optimizers.get(optimizer)
        runner = None
        if self.built:
            runner = self._make_runner(compiled, optimizer)
        elif not isinstance(loss, dict):  # the names of outputs are not known yet; what they are given is
            many = loss if isinstance(loss, (list, tuple)) else [loss]
            heads([str(i) for i in range(len(many))], loss, None, None, None)
            for identifier in (*leaves(metrics), *leaves(weighted_metrics)):
                find_metric(identifier)
        self._compiled, self._runner, self._optimizer, self._optimizer_state = compiled, runner, optimizer, None

    def _make_runner(self, compiled, optimizer):
        made = heads(
            self.output_names, compiled["loss"], compiled["loss_weights"], compiled["metrics"], compiled["weighted_metrics"]
        )
        self.place_weights()
        return Runner(self, made, optimizer)

    def _running(self, owner):
        """The runner of a compiled and built model."""
        if self._compiled is None:
            raise ValueError(f"{owner}: model {self.name!r} is not compiled; call compile(optimizer=..., loss=...) first")
        if self._runner is None or self._runner.graph is not self.graph:
            runner = self._make_runner(self._compiled, self._optimizer)
            if self._optimizer_state is not None:
                self._optimizer.load_state_dict(self._optimizer_state)
            self._runner, self._optimizer_state = runner, None
        return self._runner

    @property
    def metrics(self):
        """The metric objects, in the order of metrics_names, without the loss."""
        return [] if self._runner is None else [metric for _, metric in self._runner.metrics()]

    @property
    def metrics_names(self):
        """The names of what evaluate and train_on_batch return, in their order."""
        return [] if self._runner is None else list(self._runner.results())

    def reset_metrics(self):
        """Starts the means of the losses and the metrics anew, as fit and evaluate do, and the methods for single batches."""
        if self._runner is not None:
            self._runner.reset()

    @known_alone
    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
            validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0, steps_per_epoch=None,
            validation_steps=None, validation_batch_size=None, validation_freq=1):  # fmt: skip
        """Trains for `epochs` passes over the data; returns the History, whose `history` has a list per name, an entry per epoch.

        x, y: arrays or nested lists of numbers, a list or dict of them for several inputs or outputs; or x yields batches (x, y) or
            (x, y, sample_weight): an iterator, an iterable, or an object with batches by number. An input (None, ...) also takes
            ragged data, a list of arrays that differ in their length: each batch is padded to its longest, and masked; targets
            for each step are a list like it.
        batch_size: 32 by default; the last batch may be smaller. shuffle: a new order each epoch, from nn.set_random_seed.
        verbose: 0 silent, 1 a progress bar, 2 a line per epoch, "auto" a bar where there is a terminal.
        validation_split: share of the samples, the last ones, to validate on; validation_data: (x, y) or (x, y, sample_weight).
        class_weight: {class: factor}; sample_weight: a factor for each sample, (B,), or for each step of outputs (B, T, C), (B, T),
            for ragged data also a list of arrays as long as the sequences. The loss is the sum of the weighted losses over the
            number of samples, or of unmasked steps.
        callbacks: objects of nn.callbacks, or a list of them. initial_epoch: the first epoch's number, where training goes on.
        steps_per_epoch: of an iterator, batches that make an epoch. validation_steps, validation_batch_size: as steps_per_epoch and
            batch_size, for the validation. validation_freq: validate every so many epochs, or a list of
            epochs counted from 1.

        Nothing has changed when ValueError or TypeError is raised: shapes, labels, dtypes that do not fit, no samples. On Ctrl-C
        the last finished step stands.
        """
        integer("fit", "epochs", epochs, least=0)
        integer("fit", "initial_epoch", initial_epoch, least=0)
        sizes = {"steps_per_epoch": steps_per_epoch, "validation_steps": validation_steps}
        for name, value in (sizes | {"validation_batch_size": validation_batch_size}).items():
            if value is not None:
                integer("fit", name, value)
        if isinstance(validation_freq, str) or not hasattr(validation_freq, "__contains__"):
            integer("fit", "validation_freq", validation_freq)
        data, runner = self._data("fit", x, y, sample_weight, class_weight, batch_size, shuffle, steps_per_epoch)
        runner.check_loss("fit")
        validation = None
        if validation_data is not None:
            size = validation_batch_size or batch_size
            validation = self._validation(validation_data, size, validation_steps)
        elif validation_split:
            if not isinstance(data, Arrays):
                raise ValueError("fit: validation_split needs arrays, got an iterator; pass validation_data")
            weighted = class_weight is None  # the weights of classes are for training alone
            data, validation = data.split("fit", validation_split, validation_batch_size, validation_steps, weighted)
        if not isinstance(callbacks, CallbackList):
            params = {"verbose": verbose, "epochs": epochs, "steps": data.steps}
            callbacks = CallbackList(callbacks, add_history=True, add_progbar=verbose != 0, model=self, **params)
        self.stop_training = False
        logs = {}
        callbacks.on_train_begin()
        try:
            for epoch in range(initial_epoch, epochs):
                if data.is_over():
                    warnings.warn(f"fit: the iterator of batches ended after {epoch - initial_epoch} epochs", stacklevel=3)
                    break
                callbacks.on_epoch_begin(epoch)
                logs = self._epoch(runner.train, runner, data, callbacks, "train_batch")
                if validation is not None and _due(epoch, validation_freq):
                    logs |= {f"val_{name}": value for name, value in self._test(runner, validation, callbacks).items()}
                callbacks.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            if isinstance(self.optimizer, optimizers.KerasOptimizer):
                self.optimizer.finalize_variable_values()
        finally:
            callbacks.on_train_end(logs)
        return self.history

    def _epoch(self, step, runner, data, callbacks, batch):
        """Runs `step` over all batches; the logs."""
        runner.reset()
        if not callbacks.wants_batches:
            for given in data:
                step(*given)
            return runner.results()
        begin, end = getattr(callbacks, f"on_{batch}_begin"), getattr(callbacks, f"on_{batch}_end")
        for i, given in enumerate(data):
            begin(i)
            step(*given)
            end(i, runner.results)
            if self.stop_training and batch == "train_batch":
                break
        return runner.results()

    def _test(self, runner, data, callbacks):
        callbacks.on_test_begin()
        logs = self._epoch(runner.test, runner, data, callbacks, "test_batch")
        callbacks.on_test_end(logs)
        return logs

    @known_alone
    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, callbacks=None,
                 return_dict=False):  # fmt: skip
        """The loss, a float, or [loss, metric, ...] in the order of metrics_names; a dict with return_dict. Arguments as in fit.

        steps: of an iterator, how many batches to take.
        """
        data, runner = self._data("evaluate", x, y, sample_weight, None, batch_size, False, steps)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1, steps=data.steps)
        self.stop_training, stopped = False, self.stop_training
        logs = self._test(runner, data, callbacks)
        self.stop_training = stopped
        return logs if return_dict else _listed(logs)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """The outputs for x, a fresh array, or a list or dict of them for several; from several threads at once if need be.

        For ragged data an output with steps is a list of arrays, one for each sample, of as many steps as that has.
        batch_size, verbose, callbacks: as in fit; steps: as in evaluate.
        """
        if batches.is_stream(x):
            convert = lambda batch: self.inputs_of("predict", batch[0] if isinstance(batch, tuple) else batch)
            blocks = [self._outputs("predict", inputs) for inputs in Stream("predict", x, steps, convert)]
            return self.formed([_joined(parts) for parts in zip(*blocks)])
        inputs = self.inputs_of("predict", x)
        size, batch_size = len(inputs[0]), 32 if batch_size is None else integer("predict", "batch_size", batch_size)
        if size <= batch_size and callbacks is None:
            return self._predicted("predict", inputs)
        batches.count("predict", inputs)
        data = Arrays(inputs, [], [], batch_size)
        lengths = lengths_at_outputs("predict", self.graph, inputs)
        listed = CallbackList(callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1, steps=data.steps)
        outputs = None
        listed.on_predict_begin()
        for i, (part, _, _, *masks) in enumerate(data):
            listed.on_predict_batch_begin(i)
            result = run(self.graph, part, *masks)
            if outputs is None:
                outputs = [[] if n is not None else np.empty((size, *y.shape[1:]), y.dtype) for y, n in zip(result, lengths)]
            for whole, y, n in zip(outputs, result, lengths):
                rows = slice(i * batch_size, i * batch_size + len(y))
                whole[rows] = y if n is None else cut(y, n[rows])
            listed.on_predict_batch_end(i, {"outputs": result})
        listed.on_predict_end()
        return self.formed(outputs)

    def _predicted(self, owner, inputs):
        """The outputs for the inputs of one batch, as predict returns them."""
        return self.formed(self._outputs(owner, inputs)) if Ragged in map(type, inputs) else self.outputs_of(inputs)

    def _outputs(self, owner, inputs):
        """The outputs, a list: for ragged data lists of arrays among them."""
        if Ragged not in map(type, inputs):
            return run(self.graph, inputs)
        result = run(self.graph, *ready((inputs,), Call()))
        return [y if n is None else cut(y, n) for y, n in zip(result, lengths_at_outputs(owner, self.graph, inputs))]

    def predict_on_batch(self, x):
        """The outputs for one batch."""
        return self._predicted("predict_on_batch", self.inputs_of("predict_on_batch", x))

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One step on one batch. Returns its loss, a float, or [loss, metric, ...]; a dict with return_dict.

        sample_weight, class_weight: as in fit.
        """
        batch = self._one_batch("train_on_batch", x, y, sample_weight, class_weight)
        runner = self._runner
        if runner.without_loss:
            runner.check_loss("train_on_batch")
        runner.reset()
        runner.train(*batch)
        return self._result(return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """The loss of one batch, or [loss, metric, ...], without training. Arguments: as in train_on_batch."""
        batch = self._one_batch("test_on_batch", x, y, sample_weight, None)
        self._runner.reset()
        self._runner.test(*batch)
        return self._result(return_dict)

    def _result(self, return_dict):
        runner = self._runner
        if return_dict or runner.lists:
            logs = runner.results()
            return logs if return_dict else _listed(logs)
        return runner.total / runner.count


def _due(epoch, frequency):
    """Whether to validate after this epoch, counted from 0."""
    return (epoch + 1) % frequency == 0 if hasattr(frequency, "__index__") else epoch + 1 in frequency


def _joined(parts):
    """The results of several batches as one array, or one list where some are ragged."""
    return [row for part in parts for row in part] if any(isinstance(part, list) for part in parts) else np.concatenate(parts)


def _listed(logs):
    values = list(logs.values())
    return values if len(values) > 1 else values[0]
