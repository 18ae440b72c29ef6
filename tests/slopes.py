"""Central differences: the judge of gradients. float64 throughout."""

import numpy as np


def slope(f, array, step=1e-5):
    """d f() / d array by fourth-order central differences; f reads the array, which is changed in place and put back."""
    result = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        kept, values = array[index], []
        for k in (-2, -1, 1, 2):
            array[index] = kept + k * step
            values.append(f())
        array[index] = kept
        result[index] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
    return result


def close(got, want):
    """Whether a gradient agrees with differences, to a millionth of the largest."""
    return got.shape == want.shape and np.abs(got - want).max(initial=0) <= 1e-6 * max(np.abs(want).max(initial=0), 1e-3)
