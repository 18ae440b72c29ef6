"""The definition of every kernel, in plain NumPy, under the kernel's name and with its arguments.

FASTOPT_BACKEND=reference runs the whole library on these functions; the tests hold the compiled kernels to them.
"""

from .activations import activation_backward, activation_forward
from .dense import dense_backward, dense_forward, gemm
from .optimizers import adadelta, adagrad, adam, adamax, ema, lion, nadam, radam, rmsprop, rprop, sgd

# fmt: off
__all__ = [  # noqa: RUF022, a line a family
    "sgd", "adagrad", "rmsprop", "adadelta", "adam", "adamax", "nadam", "radam", "lion", "rprop", "ema",
    "gemm", "dense_forward", "dense_backward",
    "activation_forward", "activation_backward",
]
# fmt: on
