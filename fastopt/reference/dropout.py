"""Dropout by a counter-based generator: the definition of the kernel of the same name."""

import numpy as np

from .out import deliver

LOW = np.uint64(0xFFFFFFFF)
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # the golden ratio, sqrt(3) - 1


def philox(counter, key):
    """Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011): four random words for a counter of four words and a key of two.

    Words are unsigned 32-bit numbers in uint64 arrays (...) or scalars, the lowest first.
    """
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        p0, p1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & LOW, (p0 >> 32) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + WEYL[0]) & LOW, (k1 + WEYL[1]) & LOW
    return c0, c1, c2, c3


def words(seed, step, n):
    """n random words: those of element i are word i % 4 of Philox with the key `seed` and the counter i // 4 + 2^64 step."""
    halves = lambda number: (np.uint64(int(number) & 0xFFFFFFFF), np.uint64(int(number) >> 32))
    block = np.arange((n + 3) // 4, dtype=np.uint64)
    return np.stack(philox((block & LOW, block >> 32, *halves(step)), halves(seed)), axis=-1).ravel()[:n]


def dropout(x, rate, *, seed, step=0, out=None):
    """Inverted dropout (Srivastava et al. 2014): each element is 0 with probability `rate`, else x / (1 - rate).

    Which ones depends on seed, step (both in [0, 2^64)) and the element's index in C order alone, so that the backward pass is the
    same call on dy: element i is dropped where its random word is below rate 2^32. 0 <= rate <= 1. `out` may be x.

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> kernels.dropout(np.ones(6), 0.5, seed=5)
    array([2., 0., 2., 2., 0., 0.])
    """
    keep = words(seed, step, x.size).reshape(x.shape) >= np.uint64(rate * 2**32)
    return deliver("dropout", out, np.where(keep, x, 0) * x.dtype.type(1 / (1 - rate) if rate < 1 else 1))
