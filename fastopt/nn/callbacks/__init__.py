"""Callbacks under Keras's names, arguments and hooks: what training calls at its beginnings and ends."""

from .base import Callback, CallbackList
from .checkpoint import ModelCheckpoint
from .history import History
from .logs import CSVLogger, LambdaCallback, TerminateOnNaN
from .monitor import EarlyStopping, ReduceLROnPlateau
from .progress import ProgressBar
from .rates import LearningRateScheduler

__all__ = ["CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler",
           "ModelCheckpoint", "ProgressBar", "ReduceLROnPlateau", "TerminateOnNaN"]  # fmt: skip
