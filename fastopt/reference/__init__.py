"""The definition of every kernel, in plain NumPy, under the kernel's name and with its arguments.

FASTOPT_BACKEND=reference runs the whole library on these functions; the tests hold the compiled kernels to them.
"""

from .activations import activation_backward, activation_forward
from .dense import dense_backward, dense_forward, gemm
from .dropout import dropout
from .embedding import embedding_backward, embedding_forward
from .gru import gru_backward, gru_forward
from .losses import (
    binary_crossentropy,
    categorical_crossentropy,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    mean_absolute_error,
    mean_squared_error,
    penalty,
    sparse_categorical_crossentropy,
)
from .lstm import lstm_backward, lstm_forward
from .normalization import batch_norm_backward, batch_norm_forward, layer_norm_backward, layer_norm_forward
from .optimizers import adadelta, adagrad, adam, adamax, ema, lion, nadam, radam, rmsprop, rprop, sgd
from .rnn import rnn_backward, rnn_forward

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
