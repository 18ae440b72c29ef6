from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

_R = TypeVar("_R", bound=np.floating[Any])  # float32 or float64: the arrays of a call have one dtype

# fmt: off
__all__ = [  # noqa: RUF022, a line a family
    "sgd", "adagrad", "rmsprop", "adadelta", "adam", "adamax", "nadam", "radam", "lion", "rprop", "ema",
    "gemm", "dense_forward", "dense_backward",
    "activation_forward", "activation_backward",
    "mean_squared_error", "mean_absolute_error", "huber", "binary_crossentropy", "categorical_crossentropy",
    "sparse_categorical_crossentropy", "kl_divergence", "hinge", "cosine_similarity", "penalty",
    "dropout", "batch_norm_forward", "batch_norm_backward", "layer_norm_forward", "layer_norm_backward",
    "rnn_forward", "rnn_backward", "lstm_forward", "lstm_backward", "gru_forward", "gru_backward",
    "embedding_forward", "embedding_backward",
]
# fmt: on

def sgd(
    param: NDArray[_R],
    grad: NDArray[_R],
    momentum_buffer: NDArray[_R] | None = None,
    *,
    step: int,
    lr: float = 0.001,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
    velocity: Literal["sum", "average", "step"] = "sum",
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def adagrad(
    param: NDArray[_R],
    grad: NDArray[_R],
    sum: NDArray[_R],
    *,
    step: int,
    lr: float = 0.01,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
    eps_mode: str = "outside",
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def rmsprop(
    param: NDArray[_R],
    grad: NDArray[_R],
    square_avg: NDArray[_R],
    grad_avg: NDArray[_R] | None = None,
    momentum_buffer: NDArray[_R] | None = None,
    *,
    step: int,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
    eps_mode: str = "outside",
    lr_in_momentum: bool = False,
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def adadelta(
    param: NDArray[_R],
    grad: NDArray[_R],
    square_avg: NDArray[_R],
    acc_delta: NDArray[_R],
    *,
    step: int,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-06,
    weight_decay: float = 0.0,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def adam(
    param: NDArray[_R],
    grad: NDArray[_R],
    exp_avg: NDArray[_R],
    exp_avg_sq: NDArray[_R],
    max_exp_avg_sq: NDArray[_R] | None = None,
    *,
    step: int,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
    bias_correction: bool = True,
    eps_mode: str = "outside",
    eps_root: float = 0.0,
    amsgrad_max: Literal["raw", "corrected"] = "raw",
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def adamax(
    param: NDArray[_R],
    grad: NDArray[_R],
    exp_avg: NDArray[_R],
    exp_inf: NDArray[_R],
    *,
    step: int,
    lr: float = 0.002,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
    eps_mode: str = "max",
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def nadam(
    param: NDArray[_R],
    grad: NDArray[_R],
    exp_avg: NDArray[_R],
    exp_avg_sq: NDArray[_R],
    *,
    step: int,
    mu_product: float = 1.0,
    lr: float = 0.002,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    momentum_decay: float | None = 0.004,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def radam(
    param: NDArray[_R],
    grad: NDArray[_R],
    exp_avg: NDArray[_R],
    exp_avg_sq: NDArray[_R],
    *,
    step: int,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    eps_mode: str = "hat",
    threshold: float = 5.0,
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def lion(
    param: NDArray[_R],
    grad: NDArray[_R],
    exp_avg: NDArray[_R],
    *,
    step: int,
    lr: float = 0.0001,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    maximize: bool = False,
    decoupled_weight_decay: bool = True,
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def rprop(
    param: NDArray[_R],
    grad: NDArray[_R],
    prev: NDArray[_R],
    step_size: NDArray[_R],
    *,
    step: int,
    lr: float = 0.01,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-06, 50.0),
    maximize: bool = False,
    clamp_unchanged: bool = True,
    delayed: bool = False,
    grad_scale: float = 1.0,
    clip_value: float = ...,
    clip_factor: float = 1.0,
) -> None: ...
def ema(average: NDArray[_R], param: NDArray[_R], *, decay: float) -> None: ...
def activation_forward(
    x: NDArray[_R], activation: str = "linear", *, alpha: float | None = None, out: NDArray[_R] | None = None
) -> NDArray[_R]: ...
def activation_backward(
    dy: NDArray[_R],
    y: NDArray[_R],
    activation: str = "linear",
    *,
    z: NDArray[_R] | None = None,
    alpha: float | None = None,
    out: NDArray[_R] | None = None,
) -> NDArray[_R]: ...
def mean_squared_error(
    y_true: NDArray[_R],
    y_pred: NDArray[_R],
    *,
    weight: NDArray[_R] | None = None,
    rows: NDArray[_R] | None = None,
    out: NDArray[_R] | None = None,
) -> tuple[float, NDArray[_R]]: ...
def mean_absolute_error(
    y_true: NDArray[_R],
    y_pred: NDArray[_R],
    *,
    weight: NDArray[_R] | None = None,
    rows: NDArray[_R] | None = None,
    out: NDArray[_R] | None = None,
) -> tuple[float, NDArray[_R]]: ...
def huber(
    y_true: NDArray[_R],
    y_pred: NDArray[_R],
    *,
    delta: float = 1.0,
    weight: NDArray[_R] | None = None,
    rows: NDArray[_R] | None = None,
    out: NDArray[_R] | None = None,
) -> tuple[float, NDArray[_R]]: ...
def binary_crossentropy(
    y_true: NDArray[_R],
    y_pred: NDArray[_R],
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    weight: NDArray[_R] | None = None,
    rows: NDArray[_R] | None = None,
    out: NDArray[_R] | None = None,
) -> tuple[float, NDArray[_R]]: ...
def categorical_crossentropy(
    y_true: NDArray[_R],
    y_pred: NDArray[_R],
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    weight: NDArray[_R] | None = None,
    rows: NDArray[_R] | None = None,
    out: NDArray[_R] | None = None,
) -> tuple[float, NDArray[_R]]: ...
def sparse_categorical_crossentropy(
    y_true: NDArray[np.integer[Any]],
    y_pred: NDArray[_R],
    *,
    from_logits: bool = False,
    weight: NDArray[_R] | None = None,
    rows: NDArray[_R] | None = None,
    out: NDArray[_R] | None = None,
) -> tuple[float, NDArray[_R]]: ...
def kl_divergence(
    y_true: NDArray[_R],
    y_pred: NDArray[_R],
    *,
    weight: NDArray[_R] | None = None,
    rows: NDArray[_R] | None = None,
    out: NDArray[_R] | None = None,
) -> tuple[float, NDArray[_R]]: ...
def hinge(
    y_true: NDArray[_R],
    y_pred: NDArray[_R],
    *,
    weight: NDArray[_R] | None = None,
    rows: NDArray[_R] | None = None,
    out: NDArray[_R] | None = None,
) -> tuple[float, NDArray[_R]]: ...
def cosine_similarity(
    y_true: NDArray[_R],
    y_pred: NDArray[_R],
    *,
    weight: NDArray[_R] | None = None,
    rows: NDArray[_R] | None = None,
    out: NDArray[_R] | None = None,
) -> tuple[float, NDArray[_R]]: ...
def penalty(
    param: NDArray[_R], *, l1: float = 0.0, l2: float = 0.0, accumulate: bool = False, out: NDArray[_R] | None = None
) -> tuple[float, NDArray[_R]]: ...
def dropout(x: NDArray[_R], rate: float, *, seed: int, step: int = 0, out: NDArray[_R] | None = None) -> NDArray[_R]: ...
def batch_norm_forward(
    x: NDArray[_R],
    gamma: NDArray[_R] | None = None,
    beta: NDArray[_R] | None = None,
    *,
    mean: NDArray[_R] | None = None,
    variance: NDArray[_R] | None = None,
    eps: float = 1e-3,
    out: tuple[NDArray[_R] | None, NDArray[_R] | None, NDArray[_R] | None] | None = None,
) -> tuple[NDArray[_R], NDArray[_R], NDArray[_R]]: ...
def batch_norm_backward(
    dy: NDArray[_R],
    x: NDArray[_R],
    gamma: NDArray[_R] | None,
    mean: NDArray[_R],
    variance: NDArray[_R],
    *,
    eps: float = 1e-3,
    fixed: bool = False,
    out: tuple[NDArray[_R] | None, NDArray[_R] | None, NDArray[_R] | None] | None = None,
) -> tuple[NDArray[_R], NDArray[_R], NDArray[_R]]: ...
def layer_norm_forward(
    x: NDArray[_R],
    gamma: NDArray[_R] | None = None,
    beta: NDArray[_R] | None = None,
    *,
    eps: float = 1e-3,
    out: tuple[NDArray[_R] | None, NDArray[_R] | None, NDArray[_R] | None] | None = None,
) -> tuple[NDArray[_R], NDArray[_R], NDArray[_R]]: ...
def layer_norm_backward(
    dy: NDArray[_R],
    x: NDArray[_R],
    gamma: NDArray[_R] | None,
    mean: NDArray[_R],
    rstd: NDArray[_R],
    *,
    out: tuple[NDArray[_R] | None, NDArray[_R] | None, NDArray[_R] | None] | None = None,
) -> tuple[NDArray[_R], NDArray[_R], NDArray[_R]]: ...
def gemm(
    a: NDArray[_R],
    b: NDArray[_R] | _Packed,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: NDArray[_R] | None = None,
    accumulate: bool = False,
) -> NDArray[_R]: ...
@overload
def dense_forward(
    x: NDArray[_R],
    kernel: NDArray[_R],
    bias: NDArray[_R] | None = None,
    activation: str = "linear",
    *,
    return_z: Literal[False] = False,
    alpha: float | None = None,
    out: NDArray[_R] | None = None,
) -> NDArray[_R]: ...
@overload
def dense_forward(
    x: NDArray[_R],
    kernel: NDArray[_R],
    bias: NDArray[_R] | None = None,
    activation: str = "linear",
    *,
    return_z: Literal[True],
    alpha: float | None = None,
    out: tuple[NDArray[_R] | None, NDArray[_R] | None] | None = None,
) -> tuple[NDArray[_R], NDArray[_R]]: ...
def dense_backward(
    dy: NDArray[_R],
    x: NDArray[_R],
    kernel: NDArray[_R],
    y: NDArray[_R],
    activation: str = "linear",
    *,
    z: NDArray[_R] | None = None,
    alpha: float | None = None,
    need: tuple[bool, bool, bool] = (True, True, True),
    accumulate: bool = False,
    overwrite_dy: bool = False,
    out: tuple[NDArray[_R] | None, NDArray[_R] | None, NDArray[_R] | None] | None = None,
) -> tuple[NDArray[_R], NDArray[_R], NDArray[_R]]: ...
def embedding_forward(
    indices: NDArray[np.integer[Any]], embeddings: NDArray[_R], *, out: NDArray[_R] | None = None
) -> NDArray[_R]: ...
def embedding_backward(
    dy: NDArray[_R],
    indices: NDArray[np.integer[Any]],
    embeddings: NDArray[_R],
    *,
    accumulate: bool = False,
    out: NDArray[_R] | None = None,
) -> NDArray[_R]: ...

class _Packed:
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    def __init__(self, b: NDArray[_R], *, transpose: bool = False) -> None: ...

class _Saved: ...

def rnn_forward(
    x: NDArray[_R],
    kernel: NDArray[_R],
    recurrent_kernel: NDArray[_R],
    bias: NDArray[_R] | None = None,
    h0: NDArray[_R] | None = None,
    *,
    activation: str = "tanh",
    lengths: NDArray[np.integer[Any]] | None = None,
    reverse: bool = False,
    dropout: NDArray[_R] | None = None,
    recurrent_dropout: NDArray[_R] | None = None,
    keep: bool = True,
    out: tuple[Any, ...] | None = None,
) -> tuple[NDArray[_R], NDArray[_R], _Saved]: ...
def rnn_backward(
    dy: NDArray[_R] | None,
    dh_n: NDArray[_R] | None,
    saved: _Saved,
    *,
    need: tuple[bool, ...] = ...,
    accumulate: bool = False,
    out: tuple[NDArray[_R] | None, ...] | None = None,
) -> tuple[NDArray[_R], ...]: ...
def lstm_forward(
    x: NDArray[_R],
    kernel: NDArray[_R],
    recurrent_kernel: NDArray[_R],
    bias: NDArray[_R] | None = None,
    h0: NDArray[_R] | None = None,
    c0: NDArray[_R] | None = None,
    *,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    lengths: NDArray[np.integer[Any]] | None = None,
    reverse: bool = False,
    dropout: NDArray[_R] | None = None,
    recurrent_dropout: NDArray[_R] | None = None,
    peepholes: NDArray[_R] | None = None,
    projection: NDArray[_R] | None = None,
    clip: float | None = None,
    input_forget: bool = False,
    keep: bool = True,
    out: tuple[Any, ...] | None = None,
) -> tuple[NDArray[_R], NDArray[_R], NDArray[_R], _Saved]: ...
def lstm_backward(
    dy: NDArray[_R] | None,
    dh_n: NDArray[_R] | None,
    dc_n: NDArray[_R] | None,
    saved: _Saved,
    *,
    need: tuple[bool, ...] = ...,
    accumulate: bool = False,
    out: tuple[NDArray[_R] | None, ...] | None = None,
) -> tuple[NDArray[_R], ...]: ...
def gru_forward(
    x: NDArray[_R],
    kernel: NDArray[_R],
    recurrent_kernel: NDArray[_R],
    bias: NDArray[_R] | None = None,
    h0: NDArray[_R] | None = None,
    *,
    reset_after: bool = True,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    lengths: NDArray[np.integer[Any]] | None = None,
    reverse: bool = False,
    dropout: NDArray[_R] | None = None,
    recurrent_dropout: NDArray[_R] | None = None,
    keep: bool = True,
    out: tuple[Any, ...] | None = None,
) -> tuple[NDArray[_R], NDArray[_R], _Saved]: ...
def gru_backward(
    dy: NDArray[_R] | None,
    dh_n: NDArray[_R] | None,
    saved: _Saved,
    *,
    need: tuple[bool, ...] = ...,
    accumulate: bool = False,
    out: tuple[NDArray[_R] | None, ...] | None = None,
) -> tuple[NDArray[_R], ...]: ...
