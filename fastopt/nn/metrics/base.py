"""Metric, and the metrics that are means."""

import re

import numpy as np

from .. import losses, names, targets
from ..arguments import KnownAlone
from . import functions


class Metric(KnownAlone):
    """Base: a subclass writes update_state(y_true, y_pred, sample_weight=None), result() and reset_state().

    name: what it is called in histories and logs; the class's name in lower case by default. dtype: kept, as in Keras, and without
    influence. direction: "max" or "min", whichever is better, None where that is open. y_true and y_pred (y and p) are arrays or
    lists.
    """

    direction: str | None = None

    def __init__(self, name=None, dtype=None):
        self.name, self.dtype = name or snake(type(self).__name__), dtype

    def update_state(self, *args, **kwargs):
        """Counts a batch."""
        raise NotImplementedError(f"{type(self).__name__}: a metric must define update_state(y_true, y_pred, sample_weight=None)")

    def result(self):
        """The metric of all that was counted since reset_state: a float, or an array."""
        raise NotImplementedError(f"{type(self).__name__}: a metric must define result()")

    def reset_state(self):
        """Forgets what was counted."""
        raise NotImplementedError(f"{type(self).__name__}: a metric must define reset_state()")

    def __call__(self, *args, **kwargs):
        """update_state, then result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self):
        """The arguments it was made with, as a dict."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config):
        """The metric with the arguments `config`."""
        return cls(**config)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class Mean(Metric):
    """The mean of values, weighted; those of one sample are first averaged. Arguments: see Metric.

    >>> from fastopt.nn import metrics
    >>> mean = metrics.Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.result()
    2.0
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name, dtype)
        self.reset_state()

    def reset_state(self):
        self.total = self.count = 0.0

    def update_state(self, values, sample_weight=None):
        values = np.asarray(values)
        if not values.size:
            return
        if sample_weight is None:
            count = len(values) if values.ndim else 1
            total = int(np.count_nonzero(values)) if values.dtype == bool else float(np.add.reduce(values, None, np.float64))
            self.total += total if count == values.size else total * count / values.size
            self.count += count
        else:
            values, weight = samplewise(self.name, values, sample_weight, np.mean)
            self.total += float(values.sum())
            self.count += float(weight.sum())

    def result(self):
        return self.total / self.count if self.count else 0.0


class Sum(Metric):
    """The sum of values, weighted. Arguments: see Metric."""

    def __init__(self, name="sum", dtype=None):
        super().__init__(name, dtype)
        self.reset_state()

    def reset_state(self):
        self.total = 0.0

    def update_state(self, values, sample_weight=None):
        values = np.asarray(values, np.float64)
        if sample_weight is not None:
            values = samplewise(self.name, values, sample_weight, np.sum)[0]
        self.total += float(values.sum())

    def result(self):
        return self.total


class MeanMetricWrapper(Mean):
    """The mean of what a function (y_true, y_pred) -> values returns. fn: that function. Further arguments: see Metric."""

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", type(fn).__name__), dtype)
        self.fn, self.arguments = fn, kwargs
        if isinstance(fn, losses.Loss):
            self.direction = "min"

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(self.fn(y_true, y_pred, **self.arguments), sample_weight)

    def weight_under(self, mask, sample_weight):
        """The weights of rows whose mask is False set to 0; sample_weight: one for each row or each sample, or None."""
        if sample_weight is None:
            return mask
        return losses.base.aligned(self.name, "sample_weight", sample_weight, mask.shape) * mask

    def get_config(self):
        return {"fn": names.serialize(self.fn), "name": self.name, **self.arguments}

    @classmethod
    def from_config(cls, config):
        """The metric of get_config, `config`, where the function is one of fastopt.nn's."""
        fn = config.get("fn")
        if isinstance(fn, dict):
            config = config | {"fn": losses.deserialize(fn)}
        elif isinstance(fn, str):
            config = config | {"fn": names.find("metric", fn, {name: f for name, f in vars(functions).items() if callable(f)})}
        return cls(**config)


def samplewise(owner, values, sample_weight, reduce):
    """Weighted values, one for each sample, and the weight of each."""
    weight, values = targets.numeric(owner, sample_weight, "sample_weight").astype(np.float64), values.astype(np.float64)
    if abs(weight.ndim - values.ndim) == 1:
        weight = weight[..., 0] if weight.ndim > values.ndim and weight.shape[-1] == 1 else weight
        values = values[..., 0] if values.ndim > weight.ndim and values.shape[-1] == 1 else values
    values = reduce(values, axis=tuple(range(weight.ndim, values.ndim)))
    if any(n not in (1, m) for n, m in zip(weight.shape, values.shape)) or weight.ndim != values.ndim or len(weight) != len(values):
        raise ValueError(f"{owner}: sample_weight has shape {np.shape(sample_weight)}, expected that of the values, {values.shape}")
    weight = np.broadcast_to(weight, values.shape)
    rest = tuple(range(1, values.ndim))
    return reduce(values * weight, axis=rest), reduce(weight, axis=rest)


def snake(name):
    """CamelCase as camel_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
