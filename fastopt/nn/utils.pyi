from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data import pad_sequences as pad_sequences
from .layers import Layer

__all__ = [
    "clear_session",
    "export_torch_weights",
    "import_torch_weights",
    "pad_sequences",
    "set_random_seed",
    "to_categorical",
]

def clear_session() -> None: ...
def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[np.float64]: ...
def set_random_seed(seed: int) -> None: ...
def import_torch_weights(
    layer: Layer, weights: Mapping[str, Any] | Any, layer_index: int = 0, *, prefix: str = "", reverse: bool = False
) -> None: ...
def export_torch_weights(
    layer: Layer, layer_index: int = 0, *, prefix: str = "", reverse: bool = False
) -> dict[str, NDArray[Any]]: ...
