"""The optimizers under Keras's names and arguments; formulas and states are those of fastopt's, like="keras"."""

import difflib
import inspect
import math
import warnings
from numbers import Integral

from ... import optim
from ..arguments import uncalled
from . import schedules
from .stepping import Stepping

COMMON = {
    "weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None, "use_ema": False, "ema_momentum": 0.99,
    "ema_overwrite_frequency": None, "loss_scale_factor": None, "gradient_accumulation_steps": None, "name": None,
}  # fmt: skip
CLIPS = {"clipvalue": "clip_value", "clipnorm": "clip_norm", "global_clipnorm": "clip_norm"}  # what the step calls them


class KerasOptimizer(Stepping):
    """What Keras's optimizers have in common; see fastopt's optimizer of the same name for formulas and states.

    learning_rate: a number or a schedule. weight_decay: shrinks the parameters by learning_rate times it, apart from the gradient.
    clipvalue: gradients are clipped to +-clipvalue; clipnorm: that of each array is scaled down to that norm, which the model
        counts weight by weight; global_clipnorm: all together to that norm; one of the three at most.
    use_ema: keep averages of the parameters, with ema_momentum, which become the parameters at the end of fit, and every
        ema_overwrite_frequency steps.
    gradient_accumulation_steps: n >= 2: each n-th call of step is a step, with the mean of n gradients, the others add theirs up.
        As in Keras `iterations` counts the steps, a schedule the calls.
    name: by default the class's in lower case. ValueError for what is out of range, TypeError for what is unknown.
    Of loss_scale_factor, which is for half precision, there is none: ValueError.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        uncalled(cls, ("update_step", "apply", "apply_gradients"), "a rule of your own is a loop over model.params and model.grads")
        own = [p for p in list(inspect.signature(cls.__init__).parameters.values())[1:] if p.kind is p.POSITIONAL_OR_KEYWORD]
        named = {p.name for p in own}
        common = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=d) for n, d in COMMON.items() if n not in named]
        cls.__signature__ = inspect.Signature(own + common)  # what help() shows

    def _begin(self, learning_rate, common, own, **options):
        """Construction: `own` are Keras's arguments of the class, `options` fastopt's, `common` those of every optimizer."""
        owner = type(self).__name__
        if common.pop("decay", None) is not None:
            warnings.warn(f"{owner}: decay is ignored, as in Keras 3; give a schedule as learning_rate", stacklevel=3)
        for given in common:
            if given not in COMMON:
                known = {"lr": "learning_rate", "eps": "epsilon", "betas": "beta_1", "alpha": "rho"}
                near = [known[given]] if given in known else difflib.get_close_matches(given, ["learning_rate", *own, *COMMON], 1)
                raise TypeError(f"{owner}: unknown argument {given!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        common = COMMON | common
        if common["loss_scale_factor"] is not None:
            given = common["loss_scale_factor"]
            raise ValueError(f"{owner}: loss_scale_factor={given!r} is for half precision, which fastopt has not")
        self.step_options = _clipping(owner, {name: common[name] for name in CLIPS if common[name] is not None})
        options["weight_decay"] = common["weight_decay"] or 0.0
        self.name = common["name"] or owner.lower()
        self.use_ema, self.ema_momentum = bool(common["use_ema"]), common["ema_momentum"]
        self.ema_overwrite_frequency = _count(owner, common, "ema_overwrite_frequency", 1)
        self.gradient_accumulation_steps = _count(owner, common, "gradient_accumulation_steps", 2)
        if self.ema_overwrite_frequency and not self.use_ema:
            raise ValueError(f"{owner}: ema_overwrite_frequency={self.ema_overwrite_frequency!r} needs use_ema=True")
        self._config = own | common | {"name": self.name}
        ema = self.ema_momentum if self.use_ema else None
        super().__init__(lr=schedules.deserialize(learning_rate), like="keras", ema=ema, **options)
        if self.use_ema:
            self._defaults["ema"] = 0.0  # Keras's average is at first what the first step leaves
        if self.use_ema or self.gradient_accumulation_steps:
            self.step = self._step_with_more

    @property
    def learning_rate(self):
        """The present rate, a float, also where a schedule gives it; can be set where none does."""
        rate = self.lr
        return rate(self.steps * (self.gradient_accumulation_steps or 1) + self._added) if callable(rate) else rate

    @learning_rate.setter
    def learning_rate(self, value):
        if callable(self.lr):
            raise TypeError(f"{type(self).__name__}: learning_rate is given by the schedule {self.lr!r} and cannot be set; set lr")
        self.lr = value

    @property
    def iterations(self):
        """The number of steps done."""
        return self.steps

    def get_config(self):
        """The arguments it was made with, as a dict; the learning rate as it is now."""
        return {"learning_rate": schedules.serialize(self.lr), **self._config}

    @classmethod
    def from_config(cls, config):
        """The optimizer, without parameters, with the arguments `config`."""
        return cls(**config)


def _clipping(owner, given):
    """The arguments of a step for what is given of CLIPS."""
    for name, value in given.items():
        if isinstance(value, bool) or not hasattr(value, "__float__") or not 0 < value < math.inf:
            raise ValueError(f"{owner}: {name} must be a finite number > 0, got {value!r}")
    if len(given) > 1:
        listed = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise ValueError(f"{owner}: only one of {', '.join(CLIPS)} may be given, got {listed}")
    options = {CLIPS[name]: float(value) for name, value in given.items()}
    return options | {"clip_each": True} if "clipnorm" in given else options


def _count(owner, given, name, least):
    value = given[name]
    if value is not None and (isinstance(value, bool) or not isinstance(value, Integral) or value < least):
        raise ValueError(f"{owner}: {name} must be None or an integer >= {least}, got {value!r}")
    return value


class SGD(KerasOptimizer, optim.SGD):
    """fastopt.SGD, like="keras": momentum and, with nesterov, that form of it.

    See fastopt.SGD; further arguments: see KerasOptimizer.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **common):
        own = {"momentum": momentum, "nesterov": nesterov}
        self._begin(learning_rate, common, own, momentum=momentum, nesterov=nesterov)


class RMSprop(KerasOptimizer, optim.RMSprop):
    """fastopt.RMSprop, like="keras": rho is alpha there, epsilon eps.

    See fastopt.RMSprop; further arguments: see KerasOptimizer.
    """

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **common):
        own = {"rho": rho, "momentum": momentum, "epsilon": epsilon, "centered": centered}
        self._begin(learning_rate, common, own, alpha=rho, momentum=momentum, eps=epsilon, centered=centered)


class Adam(KerasOptimizer, optim.Adam):
    """fastopt.Adam, like="keras": with amsgrad AMSGrad. beta_1, beta_2, epsilon: betas and eps there. See fastopt.Adam; further
    arguments: see KerasOptimizer.

    >>> import numpy as np
    >>> from fastopt import nn
    >>> opt = nn.optimizers.Adam(learning_rate=0.1, global_clipnorm=1.0)
    >>> w = np.array([1.0, 2.0])
    >>> opt.bind([w])
    >>> opt.step([np.array([3.0, -4.0])], **opt.step_options)
    >>> w.round(4)
    array([0.9, 2.1])
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **common):
        own = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "amsgrad": amsgrad}
        self._begin(learning_rate, common, own, betas=(beta_1, beta_2), eps=epsilon, amsgrad=amsgrad)


class AdamW(KerasOptimizer, optim.AdamW):
    """fastopt.AdamW, like="keras", with amsgrad AMSGrad. beta_1, beta_2, epsilon: betas and eps there.

    See fastopt.AdamW; further arguments: see KerasOptimizer.
    """

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **common):
        own = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "amsgrad": amsgrad}
        common["weight_decay"] = weight_decay
        self._begin(learning_rate, common, own, betas=(beta_1, beta_2), eps=epsilon, amsgrad=amsgrad)


class Adadelta(KerasOptimizer, optim.Adadelta):
    """fastopt.Adadelta, like="keras"; epsilon is eps there. See fastopt.Adadelta; further arguments: see KerasOptimizer."""

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **common):
        self._begin(learning_rate, common, {"rho": rho, "epsilon": epsilon}, rho=rho, eps=epsilon)


class Adagrad(KerasOptimizer, optim.Adagrad):
    """fastopt.Adagrad, like="keras"; epsilon is eps there. See fastopt.Adagrad; further arguments: see KerasOptimizer."""

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, **common):
        own = {"initial_accumulator_value": initial_accumulator_value, "epsilon": epsilon}
        self._begin(learning_rate, common, own, initial_accumulator_value=initial_accumulator_value, eps=epsilon)


class Adamax(KerasOptimizer, optim.Adamax):
    """fastopt.Adamax, like="keras". beta_1, beta_2, epsilon: betas and eps there.

    See fastopt.Adamax; further arguments: see KerasOptimizer.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **common):
        own = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
        self._begin(learning_rate, common, own, betas=(beta_1, beta_2), eps=epsilon)


class Nadam(KerasOptimizer, optim.NAdam):
    """fastopt.NAdam, like="keras". beta_1, beta_2, epsilon: betas and eps there.

    See fastopt.NAdam; further arguments: see KerasOptimizer.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **common):
        own = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
        self._begin(learning_rate, common, own, betas=(beta_1, beta_2), eps=epsilon)


class Lion(KerasOptimizer, optim.Lion):
    """fastopt.Lion, like="keras". beta_1, beta_2: betas there. See fastopt.Lion; further arguments: see KerasOptimizer."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **common):
        self._begin(learning_rate, common, {"beta_1": beta_1, "beta_2": beta_2}, betas=(beta_1, beta_2))
