"""Models in files: configuration, weights and state in an archive."""

import os
import warnings

import numpy as np

from .. import archive, files
from . import configuration
from .storage import allowance

FORMAT = "fastopt model 1"
WEIGHTS = "fastopt weights 1"


def save_model(path, model, overwrite=True):
    """model.save: configuration, weights, what compile said, the optimizer's state."""
    model._built("save")
    weights = model.weights
    header = {"format": FORMAT, "model": configuration.describe(model), "weights": _listing(weights), "compiled": None}
    arrays = {f"weights/{i}": weight.value for i, weight in enumerate(weights)}
    if model._compiled is not None:
        header["compiled"] = configuration.describe_compiled(model)
        if model.optimizer.param_groups:
            state = model.optimizer.state_dict()
            header["state"] = {key: value for key, value in state.items() if key != "state"} | {"numbers": {}}
            for i, entries in state["state"].items():
                for name, value in entries.items():
                    if isinstance(value, np.ndarray):
                        arrays[f"optimizer/{i}/{name}"] = value
                    else:
                        header["state"]["numbers"].setdefault(i, {})[name] = value
    _write(path, header, arrays, overwrite)


def save_weights(path, model, overwrite=True):
    """model.save_weights."""
    model._built("save_weights")
    weights = model.weights
    arrays = {f"weights/{i}": weight.value for i, weight in enumerate(weights)}
    _write(path, {"format": WEIGHTS, "weights": _listing(weights)}, arrays, overwrite)


def load_model(path, custom_objects=None, compile=True):
    """The model in the file `path` of model.save, compiled as it was and with the optimizer's state.

    custom_objects: {name: class or function} for what is not fastopt's own: layers, subclasses of Model, losses, metrics.
    compile: False leaves the model uncompiled. Dropout begins its draws anew, see there.

    Raises ValueError with the reason for a file that is damaged or of another kind, FileNotFoundError where there is none.
    """
    with _Archive("load_model", path, (FORMAT,)) as stored:
        described, listing, told = stored.entries("model", "weights", "compiled")
        with allowance(stored.size):
            model = stored.attempt(configuration.build, described, custom_objects or {})
        weights = stored.fitting(model, listing)
        state = stored.state() if compile and stored.header.get("state") else None
    for weight, array in weights:
        weight.value[...] = array
    if compile and told is not None:
        try:
            model.compile(**configuration.compiled(told, custom_objects or {}))
        except Exception as error:  # of the user's own, most likely, which may raise anything
            warnings.warn(f"load_model: the model is not compiled: {error}; pass custom_objects, or compile it", stacklevel=2)
            return model
        if state is not None:
            stored.attempt(model.optimizer.load_state_dict, state)
    return model


def load_weights(path, model):
    """model.load_weights: everything is checked, then everything is taken."""
    model._built("load_weights")
    with _Archive("load_weights", path, (WEIGHTS, FORMAT)) as stored:
        weights = stored.fitting(model, *stored.entries("weights"))
    for weight, array in weights:
        weight.value[...] = array


def _listing(weights):
    return [{"path": weight.path, "shape": list(weight.shape), "dtype": weight.dtype} for weight in weights]


def _listed(listing):
    """What _listing wrote, as tuples."""
    entries = [(str(entry["path"]), tuple(map(int, entry["shape"])), entry["dtype"]) for entry in listing]
    for path, _, dtype in entries:
        if dtype not in archive.FLOATS:
            raise ValueError(f"{path} is {dtype!r}, expected {' or '.join(archive.FLOATS)}")
    return entries


def _write(path, header, arrays, overwrite):
    if not overwrite and os.path.exists(files.target(path)):
        raise FileExistsError(f"save: {files.target(path)!r} exists, and overwrite is False")
    archive.write(path, header, arrays, configuration.plain)


class _Archive(archive.Archive):
    """A file of models or weights."""

    def __init__(self, owner, path, formats):
        super().__init__(owner, path, formats, "fastopt.nn")

    def fitting(self, model, listing):
        """[(weight, array)] for all weights of the model; ValueError that names the first that differs."""
        mine = model.weights
        theirs = self.attempt(_listed, listing)
        for weight, (path, shape, _) in zip(mine, theirs):
            if weight.shape != shape:
                raise ValueError(f"{self.owner}: {self.path!r} is of another architecture: layer {weight.layer.name!r} has "
                                 f"{weight.name} of shape {weight.shape}, in the file stands {path} of shape {shape}")  # fmt: skip
        if len(mine) != len(theirs):
            here, there = [weight.path for weight in mine], [path for path, _, _ in theirs]
            longer, where = (there, "file") if len(there) > len(here) else (here, "model")
            first = longer[min(len(here), len(there))]
            raise ValueError(f"{self.owner}: {self.path!r} is of another architecture: it has {len(there)} weights, the model "
                             f"{len(here)}; the first that only the {where} has is {first}")  # fmt: skip
        return [(weight, self.attempt(self.array, f"weights/{i}", (dtype,), weight.shape))
                for i, (weight, (_, _, dtype)) in enumerate(zip(mine, theirs))]  # fmt: skip

    def state(self):
        """The optimizer's state_dict."""
        return self.attempt(self._state)

    def _state(self):
        header = self.header["state"]
        states = {int(i): dict(numbers) for i, numbers in header["numbers"].items()}
        for name in self.names():
            if name.startswith("optimizer/"):
                _, i, key = name.split("/")
                states.setdefault(int(i), {})[key] = self.array(name)
        return {"state": states, "param_groups": header["param_groups"], "step": header["step"]}
