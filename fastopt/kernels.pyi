from .reference import *  # noqa: F403, every kernel
from .reference import __all__ as __all__
from .reference import _Packed

Packed = _Packed
ASKED_BY: dict[str, str]
OPTIMIZERS: list[str]
