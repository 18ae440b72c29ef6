"""`from fastopt.nn.preprocessing.sequence import pad_sequences`."""

from ...data.sequences import pad_sequences

__all__ = ["pad_sequences"]
