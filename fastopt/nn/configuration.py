"""Models as JSON: which layers, called on what; what compile said. Classes are found by name, nothing is executed.

A layer is described wherever it stands, each time under its number, so that one which stands in several places is one again.
"""

import contextlib
import inspect
import json
from contextvars import ContextVar

import numpy as np

from .. import archive
from . import layers, losses, metrics, names, optimizers
from .bidirectional import Bidirectional
from .input import InputLayer
from .layer import Layer
from .model import Model
from .sequential import Sequential
from .tensor import flat
from .wrappers import Wrapper

LAYERS = {name: cls for name, cls in vars(layers).items() if inspect.isclass(cls) and issubclass(cls, Layer)}

_NUMBERS: ContextVar = ContextVar("numbers of the layers that the present describe() has met", default=None)
_MADE: ContextVar = ContextVar("layers that the present build() has made, by number", default=None)


@contextlib.contextmanager
def _shared(variable):
    """The dict that a call and those inside it have in common."""
    if variable.get() is not None:
        yield variable.get()
        return
    token = variable.set({})
    try:
        yield variable.get()
    finally:
        variable.reset(token)


def describe(model):
    """The configuration of a built model, or of a layer."""
    with _shared(_NUMBERS) as numbers:
        return {"number": numbers.setdefault(model, len(numbers))} | _described(model)


def _described(model):
    if not isinstance(model, Model):
        return {"class_name": type(model).__name__, "config": model.get_config()}
    config = {"name": model.name, "dtype": model.dtype if model.explicit_dtype else None}
    described = {"class_name": type(model).__name__, "config": config, "trainable": model._trainable}
    if type(model) is Sequential:
        start = model._start
        config["input"] = None if start is None else {"batch_shape": list(start.shape), "dtype": start.dtype, "name": start.name}
        config["layers"] = [describe(layer) for layer in model.layers]
    elif type(model) is Model:
        config.update(_graph(model))
    else:
        own = type(model).get_config is not Model.get_config
        described["config"] = model.get_config() if own else {}
        described["inputs"] = [list(tensor.shape) for tensor in model.inputs]
        described["input_form"] = model._input_form
    return described


def _graph(model):
    """The nodes of a functional model; tensors are [number of the node, number of its result], inputs come first."""
    graph, numbers = model.graph, {}
    for tensor in graph.inputs:
        numbers[tensor] = [len(numbers), 0]
    for i, node in enumerate(graph.nodes, len(numbers)):
        numbers.update((tensor, [i, j]) for j, tensor in enumerate(node.outputs))
    made = [layer for layer in graph.layers if not isinstance(layer, InputLayer)]
    return {
        "inputs": [{"batch_shape": list(t.shape), "dtype": t.dtype, "name": t.node.layer.name if not t.node.inputs else None}
                   for t in graph.inputs],
        "layers": [describe(layer) for layer in made],
        "nodes": [{"layer": made.index(node.layer), "inputs": [numbers[t] for t in node.inputs], "several": node.several,
                   "training": node.training} for node in graph.nodes],
        "outputs": [numbers[tensor] for tensor in graph.outputs],
        "input_form": model._input_form,
        "output_form": model._output_form,
    }  # fmt: skip


def build(described, custom_objects):
    """The layer or model that describe() described, with weights of its own."""
    number = described.get("number")
    with _shared(_MADE) as made, names.scope(_without_layers(custom_objects)):
        if number is None or number not in made or made[number][0] != described:  # of another describe(), by a user's from_config
            made[number] = described, _built(described, custom_objects)
        return made[number][1]


def _without_layers(custom_objects):
    """What layers can be made of, which may have the name that one of the user's layers has."""
    return {name: own for name, own in custom_objects.items() if not (inspect.isclass(own) and issubclass(own, Layer))}


def _built(described, custom_objects):
    name, config = described["class_name"], described["config"]
    if name == "Sequential" and name not in custom_objects:
        model = _sequential(config, custom_objects)
    elif name == "Model" and name not in custom_objects:
        model = _functional(config, custom_objects)
    else:
        known = LAYERS | custom_objects
        try:
            cls = names.find("layer", name, known)
        except ValueError:
            shown = archive.brief(repr(name))
            raise archive.Intact(f"has a layer of unknown class {shown}{names.nearest(name, known)}; a class of your own goes into "
                                 f"custom_objects={{{shown}: ...}}") from None  # fmt: skip
        if not (inspect.isclass(cls) and issubclass(cls, Layer)):
            raise TypeError(f"{name} is no layer")
        model = cls.from_config(config, *([custom_objects] if issubclass(cls, (Wrapper, Bidirectional)) else []))
        if isinstance(model, Model) and not model.built:
            shapes = [tuple(shape) for shape in described["inputs"]]
            form = described.get("input_form")
            model.build(dict(zip(form, shapes)) if form else shapes if len(shapes) > 1 else shapes[0])
    if isinstance(model, Model):
        model._trainable = bool(described["trainable"])
    return model


def _sequential(config, custom_objects):
    model = Sequential(name=config["name"], dtype=config["dtype"])
    if config["input"] is not None:
        model.add(InputLayer(**config["input"]))
    for layer in config["layers"]:
        model.add(build(layer, custom_objects))
    return model


def _functional(config, custom_objects):
    made = [build(layer, custom_objects) for layer in config["layers"]]
    results = [[InputLayer(**arguments).tensor] for arguments in config["inputs"]]
    inputs = [tensors[0] for tensors in results]
    for node in config["nodes"]:
        tensors = [results[i][j] for i, j in node["inputs"]]
        result = made[node["layer"]](tensors if node["several"] else tensors[0], training=node["training"])
        results.append(flat(result))
    outputs = [results[i][j] for i, j in config["outputs"]]
    forms = [dict(zip(form, tensors)) if form else tensors for form, tensors in
             ((config["input_form"], inputs), (config["output_form"], outputs))]  # fmt: skip
    return Model(*forms, name=config["name"], dtype=config["dtype"])


def to_json(model, **kwargs):
    """Model.to_json."""
    if type(model) is not Sequential:  # whose layers are known before their shapes
        model._built("to_json")
    return json.dumps(describe(model), **{"default": plain} | kwargs)


def model_from_json(json_string, custom_objects=None):
    """The model that to_json described in json_string, with weights of its own, drawn anew; not compiled.

    custom_objects: as in load_model. Raises ValueError with the reason for any other text, such as Keras's own.

    >>> from fastopt import nn
    >>> model = nn.Sequential([nn.Input((4,)), nn.Dense(2)])
    >>> nn.models.model_from_json(model.to_json()).output_shape
    (None, 2)
    """
    try:
        described = json.loads(json_string)
        if isinstance(described, dict) and not described.keys().isdisjoint(("keras_version", "registered_name")):
            raise archive.Intact("is Keras's, which fastopt does not read; " + archive.TAKEN_OVER)
        return build(described, custom_objects or {})
    except archive.Intact as error:
        raise ValueError(f"model_from_json: json_string {error}") from None
    except Exception as error:  # of the user's own classes, too, which may raise anything
        reason = archive.brief(f"{type(error).__name__}: {error}")
        raise ValueError(f"model_from_json: json_string is not what to_json wrote ({reason})") from error


def plain(value):
    """NumPy's numbers and arrays for JSON."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{value!r} cannot be saved")


def describe_compiled(model):
    """What compile was told, with the optimizer's options."""
    kinds = {"loss": losses, "metrics": metrics, "weighted_metrics": metrics}
    told = {name: _nested(given, kinds.get(name)) for name, given in model._compiled.items()}
    return told | {"optimizer": optimizers.serialize(model.optimizer)}


def _nested(given, home):
    """Names, numbers and configurations in the lists and dicts in which they were given."""
    if isinstance(given, dict) and "class_name" not in given:
        return {name: _nested(part, home) for name, part in given.items()}
    if isinstance(given, (list, tuple)):
        return [_nested(part, home) for part in given]
    if given is None or isinstance(given, (str, int, float, dict)):
        return given
    if inspect.isclass(given):
        given = given()
    return home.serialize(given)


def compiled(described, custom_objects):
    """The arguments for compile from what describe_compiled gave."""
    optimizer = optimizers.deserialize(described["optimizer"], custom_objects)
    rest = {name: _known(given, custom_objects) for name, given in described.items() if name != "optimizer"}
    return {"optimizer": optimizer} | rest


def _known(given, custom_objects):
    """The same with objects of the user in the place of their names."""
    if isinstance(given, dict):
        if given.get("class_name") in custom_objects:
            return custom_objects[given["class_name"]](**given["config"])
        return given if "class_name" in given else {name: _known(part, custom_objects) for name, part in given.items()}
    if isinstance(given, list):
        return [_known(part, custom_objects) for part in given]
    return custom_objects.get(given, given) if isinstance(given, str) else given
