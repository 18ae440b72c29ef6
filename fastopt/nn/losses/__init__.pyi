from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from numpy.typing import ArrayLike, NDArray

class Loss:
    kernel: Any
    options: Any
    def __init__(self, name: str | None = None, reduction: str = "sum_over_batch_size", dtype: str | None = None) -> None: ...
    def call(self, y_true: ArrayLike, y_pred: ArrayLike) -> Any: ...
    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Any: ...
    def prepare(self, owner: str, y_true: ArrayLike, output_shape: Any, dtype: str | None) -> NDArray[Any]: ...
    def row_weights(
        self, sample_weight: ArrayLike | None, shape: Sequence[int | None], dtype: str = "float32", mask: Any = None
    ) -> NDArray[Any] | None: ...
    def under(self, mask: Any, y_true: ArrayLike) -> Any: ...
    def on_logits(self, activation: Any) -> Self | None: ...
    def get_config(self) -> dict[str, Any]: ...
    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self: ...

class FunctionLoss(Loss):
    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None: ...

class BinaryCrossentropy(Loss):
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None: ...

class CosineSimilarity(Loss):
    def __init__(
        self, axis: int = -1, reduction: str = "sum_over_batch_size", name: str = "cosine_similarity", dtype: str | None = None
    ) -> None: ...

class Hinge(Loss):
    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "hinge", dtype: str | None = None) -> None: ...

class Huber(Loss):
    def __init__(
        self, delta: float = 1.0, reduction: str = "sum_over_batch_size", name: str = "huber_loss", dtype: str | None = None
    ) -> None: ...

class KLDivergence(Loss):
    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "kl_divergence", dtype: str | None = None) -> None: ...

class MeanAbsoluteError(Loss):
    def __init__(
        self, reduction: str = "sum_over_batch_size", name: str = "mean_absolute_error", dtype: str | None = None
    ) -> None: ...

class MeanSquaredError(Loss):
    def __init__(
        self, reduction: str = "sum_over_batch_size", name: str = "mean_squared_error", dtype: str | None = None
    ) -> None: ...

class SparseCategoricalCrossentropy(Loss):
    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ) -> None: ...

class CategoricalHinge(Loss):
    def __init__(
        self, reduction: str = "sum_over_batch_size", name: str = "categorical_hinge", dtype: str | None = None
    ) -> None: ...

class LogCosh(Loss):
    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "log_cosh", dtype: str | None = None) -> None: ...

class MeanAbsolutePercentageError(Loss):
    def __init__(
        self, reduction: str = "sum_over_batch_size", name: str = "mean_absolute_percentage_error", dtype: str | None = None
    ) -> None: ...

class MeanSquaredLogarithmicError(Loss):
    def __init__(
        self, reduction: str = "sum_over_batch_size", name: str = "mean_squared_logarithmic_error", dtype: str | None = None
    ) -> None: ...

class Poisson(Loss):
    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "poisson", dtype: str | None = None) -> None: ...

class SquaredHinge(Loss):
    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "squared_hinge", dtype: str | None = None) -> None: ...

class CategoricalCrossentropy(BinaryCrossentropy):
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None: ...

def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> NDArray[Any]: ...
def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> NDArray[Any]: ...
def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def binary_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> NDArray[Any]: ...
def categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> NDArray[Any]: ...
def sparse_categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> NDArray[Any]: ...
def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...
def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]: ...

mse = mean_squared_error
MSE = mean_squared_error
mae = mean_absolute_error
MAE = mean_absolute_error
mape = mean_absolute_percentage_error
MAPE = mean_absolute_percentage_error
msle = mean_squared_logarithmic_error
MSLE = mean_squared_logarithmic_error
bce = binary_crossentropy
BCE = binary_crossentropy
kld = kl_divergence
KLD = kl_divergence

def serialize(thing: Any) -> Any: ...
def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Loss: ...
def get(identifier: Any) -> Loss | None: ...

FUNCTIONS: dict[Callable[..., Any], type[Loss]]
TABLE: dict[str, type[Loss]]
