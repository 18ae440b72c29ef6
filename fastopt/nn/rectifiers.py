"""ReLU and its kin as layers: x where it is positive, and something less elsewhere."""

import numpy as np

from .activation import Fixed
from .arguments import number


class ReLU(Fixed):
    """x above threshold, at most max_value, and elsewhere negative_slope (x - threshold) (Nair & Hinton 2010).

    max_value: a number >= 0, None (default) for no limit, 6.0 for what Keras calls relu6. negative_slope, threshold: numbers >= 0.
    Where x is threshold the gradient is negative_slope, where it is max_value 0. Further arguments: see Layer.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> nn.ReLU(max_value=6.0)(np.array([[-1.0, 2.0, 8.0]], "float32"))
    array([[0., 2., 6.]], dtype=float32)
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        self.max_value = None if max_value is None else float(number("ReLU", "max_value", max_value, 0))
        self.negative_slope = float(number("ReLU", "negative_slope", negative_slope, 0))
        self.threshold = float(number("ReLU", "threshold", threshold, 0))
        self._plain = self.max_value is None and not self.threshold  # what the kernels do
        super().__init__(*(("leaky_relu", self.negative_slope) if negative_slope else ("relu",)), **kwargs)

    def compute(self, call, x, training):
        if self._plain:
            return super().compute(call, x, training)
        y, below = call.buffer("y", x.shape, x.dtype), call.buffer("below", x.shape, bool)
        call.saved = y, below
        return rectify(x, self.negative_slope, self.max_value, self.threshold, y, below)

    def gradient(self, call, dy):
        if self._plain:
            return super().gradient(call, dy)
        y, below = call.saved
        np.multiply(dy, self.negative_slope, out=dy, where=below)
        if self.max_value is not None:  # above, for y <= 0 <= max_value below
            np.copyto(dy, 0, where=np.greater_equal(y, self.max_value, out=call.buffer("above", y.shape, bool)))
        return dy

    def get_config(self):
        own = {"max_value": self.max_value, "negative_slope": self.negative_slope, "threshold": self.threshold}
        return super().get_config() | own


class LeakyReLU(Fixed):
    """x where it is positive, negative_slope x elsewhere (Maas, Hannun & Ng 2013); alpha is its older name.

    negative_slope: a finite number >= 0. Further arguments: see Layer.
    """

    def __init__(self, negative_slope=0.3, alpha=None, **kwargs):
        slope = negative_slope if alpha is None else alpha
        self.negative_slope = float(number("LeakyReLU", "negative_slope", slope, 0))
        super().__init__("leaky_relu", self.negative_slope, **kwargs)

    def get_config(self):
        return super().get_config() | {"negative_slope": self.negative_slope}


class ELU(Fixed):
    """x where it is positive, alpha (exp(x) - 1) elsewhere (Clevert, Unterthiner & Hochreiter 2016).

    alpha: a finite number >= 0. Further arguments: see Layer.
    """

    def __init__(self, alpha=1.0, **kwargs):
        self.alpha = float(number("ELU", "alpha", alpha, 0))
        super().__init__("elu", self.alpha, **kwargs)

    def get_config(self):
        return super().get_config() | {"alpha": self.alpha}


def rectify(x, negative_slope, max_value, threshold, y, below):
    """What ReLU gives, written to y; `below`, booleans, becomes true where x is not above threshold. NaN stays."""
    np.less_equal(x, threshold, out=below)
    np.minimum(x, np.inf if max_value is None else max_value, out=y)
    if negative_slope:
        np.subtract(x, threshold, out=y, where=below)
        np.multiply(y, negative_slope, out=y, where=below)
    else:
        np.copyto(y, 0, where=below)
    return y
