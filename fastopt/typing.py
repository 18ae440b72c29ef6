"""Names for annotations: what the arguments of fastopt's functions may be."""

from collections.abc import Callable, Iterator, Mapping, Sequence, ValuesView
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Grads", "Params", "Preset", "Schedule"]

Array: TypeAlias = NDArray[np.floating[Any]]  # float32 or float64
Several: TypeAlias = Sequence[Array] | ValuesView[Array] | Iterator[Array] | Mapping[str, Array]
Params: TypeAlias = Array | Several | Sequence[Mapping[str, Any]]
Grads: TypeAlias = Array | Sequence[Array | None] | Mapping[str, Array | None] | Sequence[Any]
Schedule: TypeAlias = Callable[[int], float]
Preset: TypeAlias = Literal["torch", "keras", "optax", "sklearn", "textbook"]
