"""Central differences: what the gradients are held to."""

import numpy as np


def differences(function, x, h=1e-3):
    """The gradient of a function of x, by central differences of fourth order."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        at = lambda d, i=i: function(np.where(np.arange(x.size).reshape(x.shape) == np.ravel_multi_index(i, x.shape), x + d, x))
        gradient[i] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    return gradient
