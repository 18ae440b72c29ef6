from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from ..typing import Array

class Constraint:
    def __call__(self, w: Array) -> Array: ...
    def get_config(self) -> dict[str, Any]: ...
    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self: ...

class NonNeg(Constraint): ...

class _Norm(Constraint):
    axis: int | list[int]
    def __init__(self, axis: int | Sequence[int] = 0) -> None: ...

class MaxNorm(_Norm):
    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None: ...

class UnitNorm(_Norm): ...

class MinMaxNorm(_Norm):
    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None: ...

max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm

def serialize(thing: Any) -> Any: ...
def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Callable[[Array], Array]: ...
def get(identifier: Any) -> Callable[[Array], Array] | None: ...

TABLE: dict[str, Any]
