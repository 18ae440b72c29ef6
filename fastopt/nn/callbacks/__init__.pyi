from collections.abc import Callable
from os import PathLike
from typing import Any

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgressBar",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]

class Callback:
    params: dict[str, Any]
    model: Any
    def __init__(self) -> None: ...
    def set_params(self, params: dict[str, Any]) -> None: ...
    def set_model(self, model: Any) -> None: ...
    @property
    def wants_batches(self) -> bool: ...
    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None: ...
    def on_train_end(self, logs: dict[str, Any] | None = None) -> None: ...
    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None: ...
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None: ...
    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None: ...
    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None: ...
    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None: ...
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None: ...
    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None: ...
    def on_test_end(self, logs: dict[str, Any] | None = None) -> None: ...
    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None: ...
    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None: ...
    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None: ...
    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None: ...
    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None: ...
    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None: ...

class CSVLogger(Callback):
    def __init__(self, filename: str | PathLike[str], separator: str = ",", append: bool = False) -> None: ...

class CallbackList(Callback):
    def __init__(
        self, callbacks: Any = None, add_history: bool = False, add_progbar: bool = False, model: Any = None, **params: Any
    ) -> None: ...
    def append(self, callback: Callback) -> None: ...

class EarlyStopping(Callback):
    best: float | None
    best_epoch: int
    stopped_epoch: int
    best_weights: Any
    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None: ...
    def improves(self, value: Any, reference: float | None) -> bool: ...
    def value(self, logs: dict[str, Any] | None) -> float | None: ...

class History(Callback):
    history: dict[str, list[Any]]
    epoch: list[int]
    def __init__(self) -> None: ...
    def plot(self, names: Any = None, path: str | PathLike[str] | None = None) -> Any: ...

class LambdaCallback(Callback):
    def __init__(
        self,
        on_epoch_begin: Callable[..., object] | None = None,
        on_epoch_end: Callable[..., object] | None = None,
        on_train_begin: Callable[..., object] | None = None,
        on_train_end: Callable[..., object] | None = None,
        on_train_batch_begin: Callable[..., object] | None = None,
        on_train_batch_end: Callable[..., object] | None = None,
        **hooks: Any,
    ) -> None: ...

class LearningRateScheduler(Callback):
    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None: ...

class ModelCheckpoint(Callback):
    best: float | None
    def __init__(
        self,
        filepath: str | PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None: ...
    def improves(self, value: Any, reference: float | None) -> bool: ...
    def value(self, logs: dict[str, Any] | None) -> float | None: ...

class ProgressBar(Callback):
    def __init__(self) -> None: ...

class ReduceLROnPlateau(Callback):
    best: float | None
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 0.0001,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None: ...
    def improves(self, value: Any, reference: float | None) -> bool: ...
    def value(self, logs: dict[str, Any] | None) -> float | None: ...

class TerminateOnNaN(Callback):
    def __init__(self, raise_error: bool = False) -> None: ...
