"""The models, under one roof: `from fastopt.nn.models import Sequential, load_model`."""

from .configuration import model_from_json
from .model import Model
from .saving import load_model
from .sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json"]


def clone_model(model):
    """A model of the same layers as model, with weights of its own, drawn anew; not compiled."""
    return type(model).from_config(model.get_config())
