"""Optimizers under Keras's names, arguments, defaults and formulas: fastopt's own, like="keras", without parameters yet.

    model.compile(optimizer=optimizers.Adam(learning_rate=1e-3, global_clipnorm=1.0), loss="mse")

An optimizer of these has `step_options`, a dict: what its step is called with beside the gradients, for clipping.
"""

from ... import optim
from .. import names
from . import schedules
from .keras import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, KerasOptimizer, Lion, Nadam, RMSprop

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "KerasOptimizer", "Lion", "Nadam", "RMSprop", "deserialize",
           "get", "schedules", "serialize"]  # fmt: skip

TABLE = {cls.__name__: cls for cls in (SGD, RMSprop, Adam, AdamW, Adadelta, Adagrad, Adamax, Nadam, Lion)}
OWN = {schedules.OWN + name: getattr(optim, name) for name in optim.__all__ if getattr(getattr(optim, name), "rule", None)}


def serialize(optimizer):
    """The configuration of an optimizer: its options, not its state."""
    if hasattr(optimizer, "get_config"):
        return names.serialize(optimizer)
    options = optimizer._defaults | {"lr": schedules.serialize(optimizer.lr), "like": optimizer.like}
    return {"class_name": schedules.OWN + type(optimizer).__name__, "config": options}


def deserialize(config, custom_objects=None):
    """The optimizer, without parameters, of config, a name or what serialize wrote.

    custom_objects: {name: class} for what is not fastopt's own.
    """
    if not isinstance(config, dict) or config.get("class_name") not in OWN:
        return names.deserialize("optimizer", config, TABLE, custom_objects)
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in config["config"].items()}  # JSON's lists
    return OWN[config["class_name"]](**options | {"lr": schedules.deserialize(options["lr"])})


def get(identifier):
    """The optimizer, without parameters, for identifier: a name (Keras's conventions, defaults), class, configuration or object."""
    if isinstance(identifier, str):
        return names.find("optimizer", identifier, TABLE)()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, optim.Optimizer):
        return identifier()
    if isinstance(identifier, optim.Optimizer):
        return identifier
    raise TypeError(f"optimizer: expected a name, an optimizer of nn.optimizers or of fastopt, got {identifier!r}")
