"""The process's one source of randomness: seeds of initialisers and dropout, and the order of the samples, come from here."""

import random as python_random

import numpy as np

_generator = np.random.default_rng()


def generator():
    """The np.random.Generator that everything without a seed of its own draws from."""
    return _generator


def set_random_seed(seed):
    """Seeds all that is drawn from now on: the same seed and the same program give the same training, bit for bit.

    As in Keras, Python's `random` and NumPy's `np.random` are seeded too. seed: an integer in [0, 2^32).

    >>> from fastopt import nn
    >>> nn.set_random_seed(1)
    >>> first = nn.initializers.GlorotUniform()((2, 2))
    >>> nn.set_random_seed(1)
    >>> bool((first == nn.initializers.GlorotUniform()((2, 2))).all())
    True
    """
    global _generator
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= seed < 2**32:
        error = ValueError if hasattr(seed, "__index__") and not isinstance(seed, bool) else TypeError
        raise error(f"set_random_seed: seed must be an integer in [0, 2^32), got {seed!r}")
    seed = int(seed)
    python_random.seed(seed)
    np.random.seed(seed)
    _generator = np.random.default_rng(seed)


def draw_seed():
    """A seed, an int in [0, 2^63), for an object that was given none."""
    return int(_generator.integers(2**63))
