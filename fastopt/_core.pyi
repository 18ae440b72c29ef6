from typing import Any

import numpy as np
from numpy.typing import NDArray

from .optim.optimizers import Array

__file__: str

def start(threads: int) -> None: ...
def isas() -> list[str]: ...
def isa() -> str: ...
def use_isa(name: str) -> None: ...
def optimizers() -> list[str]: ...
def set_num_threads(n: int) -> None: ...
def chosen_num_threads() -> int: ...
def get_num_threads() -> int: ...
def force_threads(always: bool) -> None: ...
def has_openmp() -> bool: ...
def region_nanoseconds() -> float: ...
def fma_peak(dtype: Any) -> float: ...
def activations() -> list[str]: ...
def activation_forward(x: Array, activation: str = "linear", *, alpha: float | None = None, out: Array | None = None) -> Array: ...
def activation_backward(
    dy: Array,
    y: Array,
    activation: str = "linear",
    *,
    z: Array | None = None,
    alpha: float | None = None,
    out: Array | None = None,
) -> Array: ...
def mean_squared_error(
    y_true: Array, y_pred: Array, *, weight: Array | None = None, rows: Array | None = None, out: Array | None = None
) -> tuple[float, Array]: ...
def mean_absolute_error(
    y_true: Array, y_pred: Array, *, weight: Array | None = None, rows: Array | None = None, out: Array | None = None
) -> tuple[float, Array]: ...
def huber(
    y_true: Array,
    y_pred: Array,
    *,
    delta: float = 1.0,
    weight: Array | None = None,
    rows: Array | None = None,
    out: Array | None = None,
) -> tuple[float, Array]: ...
def binary_crossentropy(
    y_true: Array,
    y_pred: Array,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    weight: Array | None = None,
    rows: Array | None = None,
    out: Array | None = None,
) -> tuple[float, Array]: ...
def categorical_crossentropy(
    y_true: Array,
    y_pred: Array,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    weight: Array | None = None,
    rows: Array | None = None,
    out: Array | None = None,
) -> tuple[float, Array]: ...
def sparse_categorical_crossentropy(
    y_true: NDArray[np.integer[Any]],
    y_pred: Array,
    *,
    from_logits: bool = False,
    weight: Array | None = None,
    rows: Array | None = None,
    out: Array | None = None,
) -> tuple[float, Array]: ...
def kl_divergence(
    y_true: Array, y_pred: Array, *, weight: Array | None = None, rows: Array | None = None, out: Array | None = None
) -> tuple[float, Array]: ...
def hinge(
    y_true: Array, y_pred: Array, *, weight: Array | None = None, rows: Array | None = None, out: Array | None = None
) -> tuple[float, Array]: ...
def cosine_similarity(
    y_true: Array, y_pred: Array, *, weight: Array | None = None, rows: Array | None = None, out: Array | None = None
) -> tuple[float, Array]: ...
def penalty(
    param: Array, *, l1: float = 0.0, l2: float = 0.0, accumulate: bool = False, out: Array | None = None
) -> tuple[float, Array]: ...
def dropout(x: Array, rate: float, *, seed: int, step: int = 0, out: Array | None = None) -> Array: ...
def batch_norm_forward(
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    *,
    mean: Array | None = None,
    variance: Array | None = None,
    eps: float = 1e-3,
    out: tuple[Array | None, Array | None, Array | None] | None = None,
) -> tuple[Array, Array, Array]: ...
def batch_norm_backward(
    dy: Array,
    x: Array,
    gamma: Array | None,
    mean: Array,
    variance: Array,
    *,
    eps: float = 1e-3,
    fixed: bool = False,
    out: tuple[Array | None, Array | None, Array | None] | None = None,
) -> tuple[Array, Array, Array]: ...
def layer_norm_forward(
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    *,
    eps: float = 1e-3,
    out: tuple[Array | None, Array | None, Array | None] | None = None,
) -> tuple[Array, Array, Array]: ...
def layer_norm_backward(
    dy: Array,
    x: Array,
    gamma: Array | None,
    mean: Array,
    rstd: Array,
    *,
    out: tuple[Array | None, Array | None, Array | None] | None = None,
) -> tuple[Array, Array, Array]: ...
def ema(average: Array, param: Array, decay: float) -> None: ...
def update(
    kernel: str,
    param: Array,
    grad: Array,
    states: list[Array | None],
    numbers: dict[str, float],
    step: float,
    mu_product: float,
    grad_scale: float,
    clip_value: float,
) -> None: ...

class Packed:
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    def __init__(self, b: Array, *, transpose: bool = False) -> None: ...

def gemm(
    a: Array,
    b: Array | Packed,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: Array | None = None,
    accumulate: bool = False,
) -> Array: ...
def dense_forward(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    activation: str = "linear",
    *,
    return_z: bool = False,
    alpha: float | None = None,
    out: Array | tuple[Array | None, Array | None] | None = None,
) -> Any: ...
def dense_backward(
    dy: Array,
    x: Array,
    kernel: Array,
    y: Array,
    activation: str = "linear",
    *,
    z: Array | None = None,
    alpha: float | None = None,
    need: tuple[bool, bool, bool] = (True, True, True),
    accumulate: bool = False,
    overwrite_dy: bool = False,
    out: tuple[Array | None, Array | None, Array | None] | None = None,
) -> tuple[Array | None, Array | None, Array | None]: ...
def embedding_forward(indices: NDArray[np.integer[Any]], embeddings: Array, *, out: Array | None = None) -> Array: ...
def embedding_backward(
    dy: Array, indices: NDArray[np.integer[Any]], embeddings: Array, *, accumulate: bool = False, out: Array | None = None
) -> Array: ...

class Stepper:
    steps: int
    def __init__(
        self,
        owner: str,
        kernel: str,
        params: list[Array],
        labels: list[str],
        plain: bool,
        group_of: list[int],
        groups: list[dict[str, Any]],
        clip_rule: int,
        count_all: bool,
    ) -> None: ...
    def attach(self, i: int, k: int, array: Array) -> None: ...
    def begin(self, i: int) -> None: ...
    def counts(self, i: int) -> tuple[int, float, int]: ...
    def set_counts(self, i: int, step: float, mu_product: float, born: float) -> None: ...
    def report(self) -> tuple[float | None, bool, int | None, tuple[int, ...] | None]: ...
    def step(
        self, optimizer: Any, grads: Any, clip_norm: float | None, clip_value: float | None, grad_scale: float, skip_nonfinite: bool
    ) -> None: ...
