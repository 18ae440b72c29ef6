from typing import Any

from .reference import _Packed
from .reference import activation_backward as activation_backward
from .reference import activation_forward as activation_forward
from .reference import batch_norm_backward as batch_norm_backward
from .reference import batch_norm_forward as batch_norm_forward
from .reference import binary_crossentropy as binary_crossentropy
from .reference import categorical_crossentropy as categorical_crossentropy
from .reference import cosine_similarity as cosine_similarity
from .reference import dense_backward as dense_backward
from .reference import dense_forward as dense_forward
from .reference import dropout as dropout
from .reference import embedding_backward as embedding_backward
from .reference import embedding_forward as embedding_forward
from .reference import gemm as gemm
from .reference import gru_backward as gru_backward
from .reference import gru_forward as gru_forward
from .reference import hinge as hinge
from .reference import huber as huber
from .reference import kl_divergence as kl_divergence
from .reference import layer_norm_backward as layer_norm_backward
from .reference import layer_norm_forward as layer_norm_forward
from .reference import lstm_backward as lstm_backward
from .reference import lstm_forward as lstm_forward
from .reference import mean_absolute_error as mean_absolute_error
from .reference import mean_squared_error as mean_squared_error
from .reference import penalty as penalty
from .reference import rnn_backward as rnn_backward
from .reference import rnn_forward as rnn_forward
from .reference import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from .typing import Array

Packed = _Packed

def start(threads: int) -> None: ...
def isas() -> list[str]: ...
def isa() -> str: ...
def use_isa(name: str) -> None: ...
def build() -> dict[str, str]: ...
def optimizers() -> list[str]: ...
def set_num_threads(n: int) -> None: ...
def chosen_num_threads() -> int: ...
def get_num_threads() -> int: ...
def force_threads(always: bool) -> None: ...
def has_openmp() -> bool: ...
def region_nanoseconds() -> float: ...
def fma_peak(dtype: Any) -> float: ...
def all_within(numbers: Array, low: float = ..., high: float = ...) -> bool: ...
def first_outside(indices: Any, limit: int) -> int: ...
def activations() -> list[str]: ...
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

class DensePasses:
    def __init__(self, activation: str, alpha: float | None, y: Array, z: Array | None) -> None: ...
    def forward(self, x: Array, kernel: Array, bias: Array | None) -> Array: ...
    def backward(self, dy: Array, x: Array, kernel: Array, out: tuple[Array | None, ...], accumulate: bool) -> None: ...

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
        self,
        optimizer: Any,
        grads: Any,
        clip_norm: float | None,
        clip_value: float | None,
        grad_scale: float,
        skip_nonfinite: bool,
        clip_each: bool,
    ) -> None: ...
