from typing import Literal

from ..typing import Params, Preset, Schedule
from .optimizer import Optimizer

class SGD(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.001,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        velocity: Literal["sum", "average", "step"] = "sum",
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...

class Adagrad(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.01,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        eps_mode: Literal["outside", "inside"] = "outside",
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...

class RMSprop(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        eps_mode: Literal["outside", "inside"] = "outside",
        lr_in_momentum: bool = False,
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...

class Adadelta(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 1.0,
        rho: float = 0.9,
        eps: float = 1e-06,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...

class Adam(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        bias_correction: bool = True,
        eps_mode: Literal["outside", "hat", "inside"] = "outside",
        eps_root: float = 0.0,
        amsgrad_max: Literal["raw", "corrected"] = "raw",
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...

class AdamW(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = True,
        bias_correction: bool = True,
        eps_mode: Literal["outside", "hat", "inside"] = "outside",
        eps_root: float = 0.0,
        amsgrad_max: Literal["raw", "corrected"] = "raw",
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...

class Adamax(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        eps_mode: Literal["max", "outside"] = "max",
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...

class NAdam(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        momentum_decay: float | None = 0.004,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...

class RAdam(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        eps_mode: Literal["hat", "outside"] = "hat",
        threshold: float = 5.0,
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...

class Lion(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = True,
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "keras",
    ) -> None: ...

class Rprop(Optimizer):
    def __init__(
        self,
        params: Params | None = None,
        lr: float | Schedule = 0.01,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-06, 50.0),
        *,
        maximize: bool = False,
        clamp_unchanged: bool = True,
        delayed: bool = False,
        ema: float | None = None,
        flush_subnormals: bool = False,
        like: Preset = "torch",
    ) -> None: ...
