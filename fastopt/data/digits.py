"""The handwritten digits embedded in fastopt: 1,797 images of 8x8 pixels."""

from pathlib import Path

import numpy as np


def load_digits():
    """(x, y): x float32 (1797, 64), the 8x8 pixels of each image row by row, 0 for paper to 1 for ink; y int64 (1797,), the digits.

    Both are fresh arrays, in the order of the source; x.reshape(-1, 8, 8) are the images.

    >>> x, y = load_digits()
    >>> x.shape, x.dtype, y[:3]
    ((1797, 64), dtype('float32'), array([0, 1, 2]))

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
    https://doi.org/10.24432/C50P49, licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/). These are the images
    of its test set, by 13 writers, as scikit-learn's load_digits has them: stored as bytes (ink 0 to 16), otherwise unchanged.
    """
    with np.load(Path(__file__).with_name("digits.npz")) as stored:
        return stored["x"].astype(np.float32) / 16, stored["y"].astype(np.int64)
