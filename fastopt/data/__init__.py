"""Data to try things on: the handwritten digits that come with fastopt."""

from .digits import load_digits

__all__ = ["load_digits"]
