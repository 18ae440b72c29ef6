"""The definition of every kernel, in plain NumPy, under the kernel's name and with its arguments.

FASTOPT_BACKEND=reference runs the whole library on these functions; the tests hold the compiled kernels to them.
"""

from .activations import activation_backward, activation_forward
from .optimizers import adadelta, adagrad, adam, adamax, ema, lion, nadam, radam, rmsprop, rprop, sgd

__all__ = ["activation_backward", "activation_forward", "adadelta", "adagrad", "adam", "adamax", "ema", "lion", "nadam", "radam",
           "rmsprop", "rprop", "sgd"]  # fmt: skip
