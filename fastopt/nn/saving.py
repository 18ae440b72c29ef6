"""Models in files: configuration and arrays in one .npz, without pickle, written beside the file and renamed into place."""

import json
import os
import warnings
import zipfile

import numpy as np

from .. import files
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
    """The model in a file of model.save, compiled as it was and with the optimizer's state.

    custom_objects: {name: class or function} for what is not fastopt's own: layers, subclasses of Model, losses, metrics.
    compile: False leaves the model uncompiled. Raises ValueError with the reason for a file that is damaged or of another kind,
    FileNotFoundError where there is none.
    """
    with _Archive("load_model", path, (FORMAT,)) as archive:
        header = archive.header
        with allowance(archive.size):
            model = archive.attempt(lambda: configuration.build(header["model"], custom_objects or {}))
        weights = archive.fitting(model, header["weights"])
        state = archive.state() if compile and header.get("state") else None
    for weight, array in weights:
        weight.value[...] = array
    if compile and header["compiled"] is not None:
        try:
            model.compile(**configuration.compiled(header["compiled"], custom_objects or {}))
        except (KeyError, ValueError, TypeError) as error:
            warnings.warn(f"load_model: the model is not compiled: {error}; pass custom_objects, or compile it", stacklevel=2)
            return model
        if state is not None:
            model.optimizer.load_state_dict(state)
    return model


def load_weights(path, model):
    """model.load_weights: everything is checked, then everything is taken."""
    model._built("load_weights")
    with _Archive("load_weights", path, (WEIGHTS, FORMAT)) as archive:
        weights = archive.fitting(model, archive.header["weights"])
    for weight, array in weights:
        weight.value[...] = array


def _listing(weights):
    return [{"path": weight.path, "shape": list(weight.shape), "dtype": weight.dtype} for weight in weights]


def _write(path, header, arrays, overwrite):
    if not overwrite and os.path.exists(files.target(path)):
        raise FileExistsError(f"save: {files.target(path)!r} exists, and overwrite is False")
    files.write(path, header, arrays, _plain)


def _plain(value):
    """NumPy's numbers and arrays for JSON."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"save: {value!r} cannot be saved")


class _Archive:
    """An .npz under suspicion: nothing is read before its size is known to be that of the file."""

    def __init__(self, owner, path, formats):
        self.owner, self.path, self.formats = owner, os.fsdecode(path), formats

    def __enter__(self):
        self.file = open(self.path, "rb")
        try:
            self.size = os.fstat(self.file.fileno()).st_size
            self.zip = self.attempt(lambda: zipfile.ZipFile(self.file))
            self.header = self.attempt(lambda: json.loads(self.array("header", np.uint8).tobytes()))
            self.attempt(self._check)
        except BaseException:
            self.file.close()
            raise
        return self

    def __exit__(self, *error):
        self.zip.close()
        self.file.close()

    def _check(self):
        known = isinstance(self.header, dict) and self.header.get("format")
        if known not in self.formats:
            raise ValueError(f"its format is {known!r}, expected {' or '.join(map(repr, self.formats))}")

    def attempt(self, read):
        """What read() gives; whatever a damaged archive makes zipfile, NumPy, json or a layer raise is a ValueError here."""
        try:
            return read()
        except Exception as error:
            raise ValueError(
                f"{self.owner}: {self.path!r} is not what fastopt.nn saved, or it is damaged ({type(error).__name__}: {error})"
            ) from error

    def array(self, name, dtype, shape=None):
        """An array of the archive, of this dtype and shape, stored as it is."""
        info = self.zip.getinfo(f"{name}.npy")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > self.size:
            raise ValueError(f"{name} is compressed, or longer than the file")
        with self.zip.open(info) as member:
            version = np.lib.format.read_magic(member)
            reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            found, _, stored = reader(member)
            if stored != np.dtype(dtype) or (shape is not None and found != tuple(shape)):
                raise ValueError(f"{name} has shape {found} and dtype {stored}, expected {shape} and {np.dtype(dtype)}")
            count = int(np.prod([int(size) for size in found], dtype=object))
            if count * stored.itemsize > info.file_size:
                raise ValueError(f"{name} claims {count} elements, more than there are")
        with self.zip.open(info) as member:
            return np.lib.format.read_array(member, allow_pickle=False)

    def fitting(self, model, listing):
        """[(weight, array)] for all weights of the model; ValueError that names the first that differs."""
        mine = model.weights
        theirs = self.attempt(lambda: [(str(entry["path"]), tuple(map(int, entry["shape"])), entry["dtype"]) for entry in listing])
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
        read = lambda i, dtype, shape: self.attempt(lambda: self.array(f"weights/{i}", dtype, shape))
        return [(weight, read(i, dtype, weight.shape)) for i, (weight, (_, _, dtype)) in enumerate(zip(mine, theirs))]

    def state(self):
        """The optimizer's state_dict."""
        return self.attempt(self._state)

    def _state(self):
        header = self.header["state"]
        states = {int(i): dict(numbers) for i, numbers in header["numbers"].items()}
        for name in self.zip.namelist():
            if name.startswith("optimizer/"):
                _, i, key = name.removesuffix(".npy").split("/")
                states.setdefault(int(i), {})[key] = self.array(f"optimizer/{i}/{key}", self.header["weights"][0]["dtype"])
        return {"state": states, "param_groups": header["param_groups"], "step": header["step"]}
