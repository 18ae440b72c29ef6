"""Metrics of right and wrong positives: counts at thresholds, precision, recall, the area under curves."""

import numpy as np

from .. import targets
from . import functions
from .base import Metric

METHODS = ("interpolation", "minoring", "majoring")
MOST_THRESHOLDS = 10**6
NEVER = -1e10  # what stands for a prediction that is not among the top k


class Confusion(Metric):
    """Base: counts true and false positives and negatives at thresholds; a prediction above a threshold is positive there.

    thresholds: a number in [0, 1] or several; 0.5 by default. top_k: only the k largest predictions of a row may be positive.
    class_id: only this column counts. Further arguments: see Metric.
    """

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(name, dtype)
        self.given, self.top_k, self.class_id = thresholds, top_k, class_id
        if thresholds is None:
            thresholds = 0.5 if top_k is None else NEVER
        elif not all(0 <= t <= 1 for t in np.atleast_1d(thresholds)):
            raise ValueError(f"{self.name}: thresholds must lie in [0, 1], got {thresholds!r}")
        self._set_thresholds(np.atleast_1d(np.asarray(thresholds, np.float64)))
        self.reset_state()

    def _set_thresholds(self, thresholds):
        self.thresholds, self._order = thresholds, np.argsort(thresholds, kind="stable")
        self._sorted = thresholds[self._order]

    def reset_state(self):
        self.true_positives = self.false_positives = np.zeros(len(self.thresholds))
        self.positives = self.negatives = 0.0  # targets

    @property
    def false_negatives(self):
        """Positive targets that were not found, at each threshold."""
        return self.positives - self.true_positives

    @property
    def true_negatives(self):
        """Negative targets that were not taken for positives, at each threshold."""
        return self.negatives - self.false_positives

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = functions.arrays(self.name, y_true, y_pred)
        weight = None
        if sample_weight is not None:
            weight = _spread(self.name, sample_weight, y_pred.shape)
        if self.top_k is not None:
            y_pred = _keep_top(y_pred, self.top_k)
        if self.class_id is not None:
            if y_pred.ndim < 2 or not 0 <= self.class_id < y_pred.shape[-1]:
                raise ValueError(f"{self.name}: class_id is {self.class_id}, expected a column of predictions {y_pred.shape}")
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
            weight = None if weight is None else weight[..., self.class_id]
        self._count(y_true.reshape(-1), y_pred.reshape(-1), None if weight is None else weight.reshape(-1))

    def _count(self, y_true, y_pred, weight):
        found = self._at_thresholds(y_true != 0, y_pred, weight)
        self.true_positives = self.true_positives + found[0]
        self.false_positives = self.false_positives + found[1]
        self.positives += found[2]
        self.negatives += found[3]

    def _at_thresholds(self, label, y_pred, weight):
        """True and false positives at each threshold, and the sums of the weights of positive and negative targets."""
        count = len(self.thresholds)
        below = np.searchsorted(self._sorted.astype(y_pred.dtype), y_pred, side="left")  # thresholds that it exceeds
        below[np.isnan(y_pred)] = 0
        sums = []
        for chosen in (label, ~label):
            histogram = np.bincount(below[chosen], None if weight is None else weight[chosen], count + 1)
            exceeding = np.empty(count)
            exceeding[self._order] = histogram[::-1].cumsum()[::-1][1:]
            sums.append((exceeding, float(histogram.sum())))
        return sums[0][0], sums[1][0], sums[0][1], sums[1][1]

    def _single(self, values):
        return float(values[0]) if len(values) == 1 else values.copy()

    def get_config(self):
        given = self.given.tolist() if isinstance(self.given, np.ndarray) else self.given
        return {"thresholds": given, "top_k": self.top_k, "class_id": self.class_id, "name": self.name}


class _Counted(Confusion):
    """A Confusion whose result is one of the four counts."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name=name, dtype=dtype)

    def get_config(self):
        return {name: value for name, value in super().get_config().items() if name in ("thresholds", "name")}


class TruePositives(_Counted):
    """The number, or weight, of positives that are right. Arguments: see Confusion."""

    def result(self):
        return self._single(self.true_positives)


class FalsePositives(_Counted):
    """The number, or weight, of positives that are wrong. Arguments: see Confusion."""

    def result(self):
        return self._single(self.false_positives)


class TrueNegatives(_Counted):
    """The number, or weight, of negatives that are right. Arguments: see Confusion."""

    def result(self):
        return self._single(self.true_negatives)


class FalseNegatives(_Counted):
    """The number, or weight, of negatives that are wrong. Arguments: see Confusion."""

    def result(self):
        return self._single(self.false_negatives)


class Precision(Confusion):
    """The share of positives that are right, 0 where there are none; one for each threshold. Arguments: see Confusion.

    >>> from fastopt.nn import metrics
    >>> precision = metrics.Precision(thresholds=[0.3, 0.5])
    >>> precision.update_state([0, 1, 1, 0], [0.4, 0.8, 0.3, 0.1])
    >>> precision.result()
    array([0.5, 1. ])
    """

    direction = "max"

    def result(self):
        return self._single(ratio(self.true_positives, self.true_positives + self.false_positives))


class Recall(Confusion):
    """The share of positive targets that are found, 0 where there are none; one for each threshold. Arguments: see Confusion."""

    direction = "max"

    def result(self):
        return self._single(ratio(self.true_positives, self.true_positives + self.false_negatives))


class AUC(Confusion):
    """The area under a curve through num_thresholds points.

    curve: "ROC" (recall over the share of negatives taken for positives) or "PR" (precision over recall).
    summation_method: "interpolation" (trapezoids; for PR Davis & Goadrich 2006), "minoring" or "majoring" (lower or upper sums).
    thresholds: those between 0 and 1, instead of evenly spaced ones. multi_label: the mean of the columns' areas, weighted by
        label_weights; without it all elements are thrown together. num_labels: the number of columns, checked. from_logits:
        predictions are taken through the sigmoid. Further arguments: see Metric.

    >>> from fastopt.nn import metrics
    >>> round(metrics.AUC()([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 3)
    0.75
    """

    direction = "max"

    def __init__(self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None, thresholds=None,
                 multi_label=False, num_labels=None, label_weights=None, from_logits=False):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        self.curve, self.summation_method = str(curve).upper(), str(summation_method).lower()
        if self.curve not in ("ROC", "PR"):
            raise ValueError(f"{self.name}: curve must be 'ROC' or 'PR', got {curve!r}")
        if self.summation_method not in METHODS:
            raise ValueError(f"{self.name}: summation_method must be one of {', '.join(METHODS)}, got {summation_method!r}")
        if thresholds is None and not 1 < num_thresholds <= MOST_THRESHOLDS:
            raise ValueError(
                f"{self.name}: num_thresholds must be an integer > 1 and <= {MOST_THRESHOLDS}, got {num_thresholds!r}"
            )
        self.given = None if thresholds is None else sorted(float(t) for t in thresholds)
        self.num_thresholds = num_thresholds if self.given is None else len(self.given) + 2
        inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1) if self.given is None else self.given
        self._set_thresholds(np.array([-functions.EPSILON, *inner, 1 + functions.EPSILON]))
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else np.asarray(label_weights, np.float64)
        self.reset_state()

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = functions.arrays(self.name, y_true, y_pred)
        if self.from_logits:
            y_pred = 1 / (1 + np.exp(-y_pred))
        weight = None if sample_weight is None else _spread(self.name, sample_weight, y_pred.shape)
        if self.multi_label:
            if y_pred.ndim != 2 or y_pred.shape[1] != (self.num_labels or y_pred.shape[1]):
                raise ValueError(f"{self.name}: y_pred has shape {y_pred.shape}, expected (batch, labels) with multi_label")
            columns = [
                self._at_thresholds(y_true[:, j] != 0, y_pred[:, j], None if weight is None else weight[:, j])
                for j in range(y_pred.shape[1])
            ]
            found = [np.stack(parts, -1) for parts in zip(*columns)]
            self.true_positives = self.true_positives.reshape(len(self.thresholds), -1) + found[0]
            self.false_positives = self.false_positives.reshape(len(self.thresholds), -1) + found[1]
            self.positives, self.negatives = self.positives + found[2], self.negatives + found[3]
            return
        if self.label_weights is not None:
            weight = (1 if weight is None else weight) * np.broadcast_to(self.label_weights, y_pred.shape)
        self._count(y_true.reshape(-1), y_pred.reshape(-1), None if weight is None else weight.reshape(-1))

    def result(self):
        recall = ratio(self.true_positives, self.true_positives + self.false_negatives)
        if self.curve == "ROC":
            area = self._sum(ratio(self.false_positives, self.false_positives + self.true_negatives), recall)
        elif self.summation_method == "interpolation":
            area = self._interpolated()
        else:
            area = self._sum(recall, ratio(self.true_positives, self.true_positives + self.false_positives))
        if not self.multi_label or self.label_weights is None:
            return float(area.mean())
        return float(ratio((area * self.label_weights).sum(), self.label_weights.sum()))

    def _sum(self, x, y):
        left, right = y[:-1], y[1:]
        heights = {"minoring": np.minimum, "majoring": np.maximum}.get(self.summation_method, lambda a, b: (a + b) / 2)(left, right)
        return ((x[:-1] - x[1:]) * heights).sum(0)

    def _interpolated(self):
        """Between two points true positives grow in proportion to all positives, so precision goes along a hyperbola."""
        tp, p = self.true_positives, self.true_positives + self.false_positives
        slope = ratio(tp[:-1] - tp[1:], np.maximum(p[:-1] - p[1:], 0))
        intercept = tp[1:] - slope * p[1:]
        both = (p[:-1] > 0) & (p[1:] > 0)
        growth = np.where(both, ratio(p[:-1], np.maximum(p[1:], 0)), 1)
        area = slope * (tp[:-1] - tp[1:] + intercept * np.log(growth))
        return ratio(area, np.maximum((tp + self.false_negatives)[1:], 0)).sum(0)

    def get_config(self):
        weights = None if self.label_weights is None else self.label_weights.tolist()
        return {"num_thresholds": self.num_thresholds, "curve": self.curve, "summation_method": self.summation_method,
                "name": self.name, "thresholds": self.given, "multi_label": self.multi_label, "num_labels": self.num_labels,
                "label_weights": weights, "from_logits": self.from_logits}  # fmt: skip


def ratio(a, b):
    """a / b, 0 where b is 0."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b != 0)


def _spread(owner, sample_weight, shape):
    """A weight for each element of `shape`, from one for each sample or for each element."""
    weight = targets.numeric(owner, sample_weight, "sample_weight").astype(np.float64)
    weight = weight[..., None] if weight.ndim == len(shape) - 1 else weight
    if weight.ndim != len(shape) or any(n not in (1, m) for n, m in zip(weight.shape[1:], shape[1:])) or len(weight) != shape[0]:
        raise ValueError(f"{owner}: sample_weight has shape {np.shape(sample_weight)}, expected {shape} or {shape[:1]}")
    return np.broadcast_to(weight, shape)


def _keep_top(y_pred, k):
    top = np.argsort(-y_pred, axis=-1, kind="stable")[..., :k]
    kept = np.full_like(y_pred, NEVER)
    np.put_along_axis(kept, top, np.take_along_axis(y_pred, top, -1), -1)
    return kept
