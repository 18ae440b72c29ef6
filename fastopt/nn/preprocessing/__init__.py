"""Where Keras 2 has its helpers for text and sequences; they live in fastopt.data."""

from . import sequence, text

__all__ = ["sequence", "text"]
