"""The optimizers by name. Options, presets and signatures come from the table in fastopt.optim.rules."""
from .optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent with momentum."""


class Adagrad(Optimizer):
    """AdaGrad."""


class RMSprop(Optimizer):
    """RMSprop."""


class Adadelta(Optimizer):
    """AdaDelta."""


class Adam(Optimizer):
    """Adam."""


class AdamW(Optimizer):
    """AdamW."""


class Adamax(Optimizer):
    """Adamax."""


class NAdam(Optimizer):
    """NAdam."""


class RAdam(Optimizer):
    """Rectified Adam."""


class Lion(Optimizer):
    """Lion."""


class Rprop(Optimizer):
    """Rprop."""
