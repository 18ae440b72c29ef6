from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from numpy.typing import ArrayLike, NDArray

from . import functions as functions

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_hinge",
    "deserialize",
    "functions",
    "get",
    "hinge",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

class Metric:
    direction: Any
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...
    def update_state(self, *args: Any, **kwargs: Any) -> None: ...
    def result(self) -> Any: ...
    def reset_state(self) -> None: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def get_config(self) -> dict[str, Any]: ...
    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self: ...

class FBetaScore(Metric):
    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: str | None = None,
    ) -> None: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class R2Score(Metric):
    def __init__(
        self, class_aggregation: str = "uniform_average", num_regressors: int = 0, name: str = "r2_score", dtype: str | None = None
    ) -> None: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class Mean(Metric):
    def __init__(self, name: str = "mean", dtype: str | None = None) -> None: ...
    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class Sum(Metric):
    def __init__(self, name: str = "sum", dtype: str | None = None) -> None: ...
    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class RootMeanSquaredError(Mean):
    def __init__(self, name: str = "root_mean_squared_error", dtype: str | None = None) -> None: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...  # type: ignore[override]

class Precision(Metric):
    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None: ...
    @property
    def false_negatives(self) -> NDArray[Any]: ...
    @property
    def true_negatives(self) -> NDArray[Any]: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class Recall(Metric):
    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None: ...
    @property
    def false_negatives(self) -> NDArray[Any]: ...
    @property
    def true_negatives(self) -> NDArray[Any]: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class AUC(Metric):
    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: float | Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: ArrayLike | None = None,
        from_logits: bool = False,
    ) -> None: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...
    @property
    def false_negatives(self) -> NDArray[Any]: ...
    @property
    def true_negatives(self) -> NDArray[Any]: ...

class F1Score(FBetaScore):
    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str = "f1_score", dtype: str | None = None
    ) -> None: ...

class MeanMetricWrapper(Mean):
    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None, **kwargs: Any) -> None: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...  # type: ignore[override]
    def weight_under(self, mask: Any, sample_weight: ArrayLike | None) -> Any: ...

class TruePositives(Metric):
    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: str | None = None
    ) -> None: ...
    @property
    def false_negatives(self) -> NDArray[Any]: ...
    @property
    def true_negatives(self) -> NDArray[Any]: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class FalsePositives(Metric):
    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: str | None = None
    ) -> None: ...
    @property
    def false_negatives(self) -> NDArray[Any]: ...
    @property
    def true_negatives(self) -> NDArray[Any]: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class TrueNegatives(Metric):
    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: str | None = None
    ) -> None: ...
    @property
    def false_negatives(self) -> NDArray[Any]: ...
    @property
    def true_negatives(self) -> NDArray[Any]: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class FalseNegatives(Metric):
    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: str | None = None
    ) -> None: ...
    @property
    def false_negatives(self) -> NDArray[Any]: ...
    @property
    def true_negatives(self) -> NDArray[Any]: ...
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None: ...

class Accuracy(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class BinaryAccuracy(MeanMetricWrapper):
    def __init__(self, name: str = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5) -> None: ...

class CategoricalAccuracy(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class SparseCategoricalAccuracy(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class TopKCategoricalAccuracy(MeanMetricWrapper):
    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: str | None = None) -> None: ...

class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy", dtype: str | None = None) -> None: ...

class MeanSquaredError(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class MeanAbsoluteError(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class MeanAbsolutePercentageError(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class MeanSquaredLogarithmicError(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class LogCoshError(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class CosineSimilarity(MeanMetricWrapper):
    def __init__(self, name: str = "cosine_similarity", dtype: str | None = None, axis: int = -1) -> None: ...

class KLDivergence(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class Poisson(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class BinaryCrossentropy(MeanMetricWrapper):
    def __init__(
        self, name: str = "binary_crossentropy", dtype: str | None = None, from_logits: bool = False, label_smoothing: float = 0
    ) -> None: ...

class CategoricalCrossentropy(MeanMetricWrapper):
    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None: ...

class SparseCategoricalCrossentropy(MeanMetricWrapper):
    def __init__(
        self, name: str = "sparse_categorical_crossentropy", dtype: str | None = None, from_logits: bool = False
    ) -> None: ...

class Hinge(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class SquaredHinge(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

class CategoricalHinge(MeanMetricWrapper):
    def __init__(self, name: str | None = None, dtype: str | None = None) -> None: ...

def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> NDArray[Any]: ...
def binary_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0
) -> NDArray[Any]: ...
def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0
) -> NDArray[Any]: ...
def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def sparse_categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False) -> NDArray[Any]: ...
def sparse_top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> NDArray[Any]: ...
def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> NDArray[Any]: ...
def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Metric: ...
def get(identifier: Any, loss: Any = None, target_shape: Sequence[int] | None = None, output_shape: Any = None) -> Metric: ...
def serialize(thing: Any) -> Any: ...

FUNCTIONS: tuple[Callable[..., Any], ...]
CLASSES: tuple[Any, ...]
TABLE: dict[str, type[Metric]]
