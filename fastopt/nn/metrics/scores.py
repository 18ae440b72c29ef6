"""Scores that are no means over samples: F scores, the coefficient of determination."""

import warnings

import numpy as np

from .. import targets
from . import functions
from .base import Metric


class FBetaScore(Metric):
    """(1 + beta^2) P R / (beta^2 P + R) of precision P and recall R, for each class, from targets and predictions (batch, classes).

    average: None (an array, one for each class), "micro" (all thrown together), "macro" (the mean), "weighted" (by frequency).
    threshold: what a positive prediction exceeds; None: the largest of its row is positive. Further arguments: see Metric.
    (van Rijsbergen 1979)
    """

    direction = "max"

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(name, dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"{self.name}: average must be None, 'micro', 'macro' or 'weighted', got {average!r}")
        if not beta > 0:
            raise ValueError(f"{self.name}: beta must be > 0, got {beta!r}")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"{self.name}: threshold must be None or in (0, 1], got {threshold!r}")
        self.average, self.beta, self.threshold = average, beta, threshold
        self.reset_state()

    def reset_state(self):
        self.true_positives = self.positives = self.labels = 0.0  # labels: positive targets

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = functions.arrays(self.name, y_true, y_pred)
        if y_pred.ndim != 2:
            raise ValueError(f"{self.name}: y_pred has shape {y_pred.shape}, expected (batch, classes)")
        if self.threshold is None:
            chosen = (y_pred >= y_pred.max(-1, keepdims=True)) & (np.abs(y_pred) > 1e-9)  # a row of zeros has no largest
        else:
            chosen = y_pred > self.threshold
        weight = 1.0
        if sample_weight is not None:
            weight = _of_samples(self.name, sample_weight, len(y_pred))
        axis = None if self.average == "micro" else 0
        self.true_positives = self.true_positives + (chosen * y_true * weight).sum(axis, dtype=np.float64)
        self.positives = self.positives + (chosen * weight).sum(axis, dtype=np.float64)
        self.labels = self.labels + (y_true * weight).sum(axis, dtype=np.float64)

    def result(self):
        precision = self.true_positives / (self.positives + functions.EPSILON)
        recall = self.true_positives / (self.labels + functions.EPSILON)
        square = self.beta**2
        score = (1 + square) * precision * recall / (square * precision + recall + functions.EPSILON)
        if self.average == "weighted":
            return float((score * self.labels / (np.sum(self.labels) + functions.EPSILON)).sum())
        return np.array(score) if self.average is None else float(np.mean(score))

    def get_config(self):
        return {"average": self.average, "beta": self.beta, "threshold": self.threshold, "name": self.name}


class F1Score(FBetaScore):
    """FBetaScore with beta 1: the harmonic mean of precision and recall. Arguments: see FBetaScore."""

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        config = super().get_config()
        del config["beta"]
        return config


class R2Score(Metric):
    """1 - residual variance / variance of the targets, for predictions (batch, outputs); 0 where targets do not vary.

    class_aggregation: "uniform_average" over the outputs, "variance_weighted_average", or None for an array.
    num_regressors: > 0 for the score adjusted to that many independent variables. Further arguments: see Metric.
    """

    direction = "max"

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(name, dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(f"{self.name}: class_aggregation must be None, 'uniform_average' or 'variance_weighted_average', got "
                             f"{class_aggregation!r}")  # fmt: skip
        if not num_regressors >= 0:
            raise ValueError(f"{self.name}: num_regressors must be >= 0, got {num_regressors!r}")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.reset_state()

    def reset_state(self):
        self.samples, self.count, self.residual = 0, 0.0, 0.0
        self.mean = self.spread = 0.0  # spread: weighted sum of squared distances from the mean

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = functions.arrays(self.name, y_true, y_pred)
        if y_pred.ndim != 2:
            raise ValueError(f"{self.name}: y_pred has shape {y_pred.shape}, expected (batch, outputs)")
        if not y_pred.size:
            return
        weight = np.ones((len(y_pred), 1)) if sample_weight is None else _of_samples(self.name, sample_weight, len(y_pred))
        y_true, y_pred = y_true.astype(np.float64), y_pred.astype(np.float64)
        self.residual = self.residual + ((y_true - y_pred) ** 2 * weight).sum(0)
        self.samples += y_true.size
        added = float(weight.sum())
        if not added:
            return
        mean = (y_true * weight).sum(0) / added
        spread = ((y_true - mean) ** 2 * weight).sum(0)
        count = self.count + added  # two sets of samples combined: Chan, Golub & LeVeque 1983
        self.spread = self.spread + spread + (mean - self.mean) ** 2 * self.count * added / count
        self.mean = self.mean + (mean - self.mean) * added / count
        self.count = count

    def result(self):
        spread = np.atleast_1d(np.asarray(self.spread, np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            score = 1 - self.residual / spread
            score = np.where(np.isinf(score), 0, score)
            if self.class_aggregation == "uniform_average":
                score = score.mean()
            elif self.class_aggregation == "variance_weighted_average":
                score = (spread * score).sum() / spread.sum()
        left = self.samples - self.num_regressors - 1
        if self.num_regressors and left <= 0:
            warnings.warn(f"{self.name}: {self.samples} samples are too few for {self.num_regressors} regressors; the score is not "
                          "adjusted", stacklevel=2)  # fmt: skip
        elif self.num_regressors:
            score = 1 - (1 - score) * (self.samples - 1) / left
        return float(score) if np.ndim(score) == 0 else score

    def get_config(self):
        return {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors, "name": self.name}


def _of_samples(owner, sample_weight, count):
    weight = targets.numeric(owner, sample_weight, "sample_weight").astype(np.float64)
    if weight.shape not in ((count,), (count, 1)):
        raise ValueError(f"{owner}: sample_weight has shape {weight.shape}, expected ({count},)")
    return weight.reshape(count, 1)
