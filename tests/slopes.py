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


def check_gradients(layer, x, again, rng, **arguments):
    """Holds backward to differences: with respect to x, one array or a list, and the weights, dy being left alone.

    again(layer): makes the layer draw as in the pass before; arguments: those of forward.
    """

    def value():
        again(layer)
        return float((layer.forward(x, training=True, **arguments) * dy).sum())

    dy = rng.uniform(0.5, 1.5, layer.forward(x).shape)
    value()
    given = dy.copy()
    dx = layer.backward(dy)
    assert np.array_equal(dy, given)
    grads = {name: grad.copy() for name, grad in layer.grads.items()}
    assert set(grads) == set(layer.params)
    for got, part in zip(dx, x) if isinstance(x, list) else [(dx, x)]:
        assert close(got, slope(value, part))
    for name, param in layer.params.items() if layer.trainable else ():
        assert close(grads[name], slope(value, param)), name
