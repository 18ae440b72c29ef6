"""Heads: what compile says about each output of a model - its loss, the weight of that, its metrics."""

import copy
import warnings
from numbers import Real

import numpy as np

from .. import kernels
from . import losses, metrics
from .call import Call

NO_LOSS = losses.MeanSquaredError()  # checks targets that are there for metrics alone
OURS = __name__.partition(".")[0] + "."  # how the names of our modules begin


class Head:
    """The loss and the metrics of one output.

    Where the output is the softmax or sigmoid that its cross-entropy expects, the loss is taken from the logits, `fuse`.
    """

    def __init__(self, name, loss, loss_weight, metric, weighted):
        self.name, self.loss, self.argument = name, losses.get(loss), "y"
        if loss_weight is not None and not isinstance(loss_weight, Real):
            raise TypeError(f"compile: loss_weights must hold numbers, got {loss_weight!r}; metrics come after them")
        self.loss_weight = None if loss_weight in (None, 1, 1.0) else float(loss_weight)
        self.identifiers = _listed(metric), _listed(weighted)
        self.unused = self.loss is None and not any(self.identifiers)  # whether targets serve nothing
        for identifier in (*self.identifiers[0], *self.identifiers[1]):
            metrics.get(identifier, loss=self.loss)  # unknown names are errors of compile
        self.metrics = self.weighted = None  # known once targets are
        self.value_and_gradient = None if self.loss is None else self.loss.value_and_gradient
        self.activation, self._workspace, self.total = None, Call(reuse=True), 0.0

    def fuse(self, activation):
        """Takes the loss from the logits where that is meant, and says whether it does; activation is that of the output."""
        twin = None if self.loss is None else self.loss.on_logits(activation.kernel)
        if twin is None and getattr(self.loss, "from_logits", False):
            plain = type(self.loss)(**self.loss.get_config() | {"from_logits": False})
            if plain.on_logits(activation.kernel) is not None:
                warnings.warn(f"compile: the loss of output {self.name!r} has from_logits=True, but the output is a "
                              f"{activation.kernel}; the loss is computed from the logits before it", stacklevel=6)  # fmt: skip
                twin = self.loss
        if twin is not None:
            self.value_and_gradient, self.activation = twin.value_and_gradient, activation
        return twin is not None

    def begin(self, owner, y, output_shape, dtype, gathered):
        """Makes the metrics, whose kind may depend on the targets; ValueError, and there are none, where one does not take them."""
        make = lambda given: [
            metrics.get(one, loss=self.loss, target_shape=y.shape, output_shape=output_shape) for one in given
        ]
        made = [make(given) for given in self.identifiers]
        for metric in (*made[0], *made[1]):
            _try(owner, self.argument, metric, y, output_shape, dtype, gathered)
        self.metrics, self.weighted = made

    def prepare(self, owner, y, output_shape, dtype, gathered=False):
        """Targets as the loss takes them; None without a loss and metrics. gathered: y are the steps of all sequences."""
        if self.unused:
            return None
        if y is None:
            if self.loss is not None:
                raise ValueError(f"{owner}: y is missing for output {self.name!r}, whose loss is {self.loss.name!r}")
            return None
        try:
            y = (self.loss or NO_LOSS).prepare(owner, y, output_shape, dtype)
        except (TypeError, ValueError) as error:
            start, text = f"{owner}: y", str(error)
            if self.argument == "y" or not text.startswith((f"{start} ", f"{start}[")):
                raise
            raise type(error)(f"{owner}: {self.argument}{text.removeprefix(start)}") from None
        if self.metrics is None and y.ndim and len(y):
            self.begin(owner, y, output_shape, dtype, gathered)
        return y

    def reset(self):
        """Starts the means anew."""
        self.total = 0.0
        if self.metrics or self.weighted:
            for metric in (*self.metrics, *self.weighted):
                metric.reset_state()

    def judge(self, z, y, sample_weight, mask=None):
        """(loss, its gradient with respect to z, in workspace), where z is the output or, fused, the logits; counts metrics.

        mask: that of the output: rows where it is False weigh nothing in the loss and in those metrics that are means of rows.
        """
        value, dy, weight, target = 0.0, None, None, y
        if self.value_and_gradient is not None:
            if sample_weight is not None or mask is not None:
                target, left = (y, None) if mask is None else self.loss.under(mask, y)
                weight = self.loss.row_weights(sample_weight, z.shape[:-1], z.dtype, left)
            value, dy = self.value_and_gradient(target, z, weight=weight, out=self._workspace.buffer("dy", z.shape, z.dtype))
            self.total += value * len(z)
            if self.loss_weight is not None:
                value *= self.loss_weight
                dy *= self.loss_weight
        if self.metrics or self.weighted:
            if self.activation is not None:
                out = self._workspace.buffer("y", z.shape, z.dtype)
                z = kernels.activation_forward(z, self.activation.kernel, alpha=self.activation.alpha, out=out)
            if mask is not None:
                self._count_under(mask, y, z, sample_weight)
                return value, dy
            for metric in self.metrics:
                metric.update_state(y, z)
            for metric in self.weighted:
                metric.update_state(y, z, sample_weight)
        return value, dy

    def _count_under(self, mask, y, z, sample_weight):
        """Counts metrics where the output has a mask, which is a weight for means of rows and, as in Keras, nothing to others."""
        for group, weight in (self.metrics, None), (self.weighted, sample_weight):
            for metric in group:
                if isinstance(metric, metrics.MeanMetricWrapper):
                    metric.update_state(y, z, metric.weight_under(mask, weight))
                elif group is self.metrics:
                    metric.update_state(y, z)
                else:
                    metric.update_state(y, z, weight)


def _try(owner, argument, metric, y, output_shape, dtype, gathered):
    """Raises ValueError where a metric of ours does not take such targets; the user's own are called with predictions alone.

    A copy is tried; what the two share, the next reset clears.
    """
    module = getattr(getattr(metric, "fn", metric), "__module__", None)  # some functions have none
    if not (module or "").startswith(OURS):
        return
    sizes = [size or (y.shape[axis] if axis < y.ndim else 1) for axis, size in enumerate(output_shape[1:], 1)]
    y_true, y_pred = y[:1], np.full((1, *sizes), 0.5, dtype)
    if gathered:
        y_true, y_pred = y_true[None], y_pred[None]
    try:
        with np.errstate(all="ignore"):
            copy.copy(metric).update_state(y_true, y_pred)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{owner}: metric {metric.name!r} does not take {argument} of shape {y.shape} with predictions of shape "
                         f"{(None, *y_pred.shape[1 + gathered:])}: {error}") from error  # fmt: skip


def heads(output_names, loss, loss_weights, metric, weighted):
    """A Head for each output, from the arguments of compile: one thing for all, a list, or a dict by name."""
    columns = [
        _spread("loss", loss, output_names, every=True),
        _spread("loss_weights", loss_weights, output_names),
        _spread("metrics", metric, output_names, nested=True),
        _spread("weighted_metrics", weighted, output_names, nested=True),
    ]
    made = [Head(name, *row) for name, *row in zip(output_names, *columns)]
    if len(made) > 1:
        for head in made:
            head.argument = f"y[{head.name!r}]"  # what messages call its targets
    return made


def _spread(what, given, names, every=False, nested=False):
    """One entry for each output. every: one thing stands for all; nested: an entry may be a list itself."""
    if given is None:
        return [None] * len(names)
    if isinstance(given, dict) and not (every and "class_name" in given):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise ValueError(f"compile: {what} names the output {unknown[0]!r}, but the outputs are {', '.join(names)}")
        return [given.get(name) for name in names]
    if len(names) == 1 and nested:
        return [given]
    if not isinstance(given, (list, tuple)):
        if len(names) > 1 and not every:
            raise ValueError(f"compile: {what} must be a list or dict with an entry for each of the outputs {', '.join(names)}")
        return [given] * len(names)
    if len(given) != len(names):
        raise ValueError(f"compile: {what} has {len(given)} entries for the {len(names)} outputs {', '.join(names)}")
    return list(given)


def leaves(given):
    """What stands in nested lists and dicts."""
    if isinstance(given, (list, tuple)) or (isinstance(given, dict) and "class_name" not in given):
        return [leaf for part in (given.values() if isinstance(given, dict) else given) for leaf in leaves(part)]
    return [] if given is None else [given]


def _listed(given):
    return [] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
