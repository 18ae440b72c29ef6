"""Optimizers for NumPy arrays, learning-rate schedules, and optimizer states in files."""

from . import schedules
from .optimizer import LastStep, Optimizer
from .optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, NAdam, RAdam, RMSprop, Rprop
from .state import load, save

# fmt: off
__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "LastStep", "Lion", "NAdam", "Optimizer", "RAdam", "RMSprop",
           "Rprop", "load", "save", "schedules"]
# fmt: on
