from typing import Any, NamedTuple, Self

from ..typing import Grads, Params, Schedule
from .rules import Rule

class LastStep(NamedTuple):
    grad_norm: float | None
    skipped: bool
    nonfinite: tuple[Any, tuple[int, ...]] | None

class Optimizer:
    rule: Rule | None
    like: str
    param_groups: list[dict[str, Any]]
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def bind(self, params: Params) -> None: ...
    def step(
        self,
        grads: Grads,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        grad_scale: float = 1.0,
        skip_nonfinite: bool = False,
        clip_each: bool = False,
    ) -> None: ...
    @property
    def last_step(self) -> LastStep: ...
    @property
    def steps(self) -> int: ...
    @property
    def lr(self) -> float | Schedule | list[float | Schedule]: ...
    @lr.setter
    def lr(self, value: float | Schedule) -> None: ...
    def ema(self) -> Any: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> None: ...
    def unbound(self) -> Self: ...
    def __copy__(self) -> Self: ...

OF_PARAMETERS: list[str]
COMMON: dict[str, Any]
