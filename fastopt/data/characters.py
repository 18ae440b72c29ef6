"""Text as a sequence of characters."""

import io
import os

import numpy as np

from ..files import opened


def load_text(path, encoding="utf-8"):
    """The text in the file `path`, its line ends as "\\n". Raises ValueError naming the file where it is in another encoding."""
    try:
        with io.TextIOWrapper(opened("load_text", path), encoding) as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"load_text: {os.fsdecode(path)!r} is not {encoding.upper()} ({error}); pass encoding=") from error


class Characters:
    """Characters and their numbers: those that occur in `text`, numbered from 0 in the order of Unicode.

    >>> characters = Characters("banana")
    >>> len(characters), characters.encode("nab")
    (3, array([2, 0, 1], dtype=int32))
    >>> characters.decode([1, 0, 2])
    'ban'
    """

    def __init__(self, text):
        self._codes = np.unique(_codes(text))
        if not self._codes.size:
            raise ValueError("Characters: text is empty")

    def __len__(self):
        return len(self._codes)

    def __str__(self):
        """All of them, in order."""
        return "".join(map(chr, self._codes))

    def encode(self, text):
        """int32 (len(text),), the number of each character. Raises ValueError naming the first one that has none."""
        codes = _codes(text)
        numbers = np.searchsorted(self._codes, codes).clip(max=len(self) - 1)
        wrong = np.flatnonzero(self._codes[numbers] != codes)
        if wrong.size:
            at = wrong[0]
            raise ValueError(f"Characters.encode: {text[at]!r} at {at} is none of the {len(self)} characters")
        return numbers.astype(np.int32)

    def decode(self, numbers):
        """The text of an array of numbers."""
        numbers = np.asarray(numbers)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise ValueError(f"Characters.decode: numbers from {numbers.min()} to {numbers.max()}, expected 0 to {len(self) - 1}")
        return "".join(map(chr, self._codes[numbers.reshape(-1).astype(np.intp)]))


def _codes(text):
    """The code points of a string."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
