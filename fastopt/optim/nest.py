"""How parameters are handed over - one array, a sequence, a dict, a list of groups - and gradients in the same form."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Nest:
    """The form of one group's parameters, of which `start` is the number of the first."""

    kind: str  # "array", "sequence" or "dict"
    start: int
    keys: tuple  # position or name of each parameter
    prefix: str = ""

    def labels(self):
        where = f" of {self.prefix}" if self.prefix else ""
        return [f"the parameter{where}"] if self.kind == "array" else [f"parameter {key!r}{where}" for key in self.keys]

    def flatten(self, owner, grads):
        """The gradients as a list in the parameters' order."""
        of = f" of {self.prefix}" if self.prefix else ""
        if self.kind == "array":
            if isinstance(grads, (list, tuple)) and len(grads) == 1:
                grads = grads[0]
            return [grads]
        if self.kind == "dict":
            if not isinstance(grads, Mapping):
                raise TypeError(f"{owner}: gradients{of} are {_kind(grads)}, expected a dict with the parameters' names")
            for wrong, words in (
                ([k for k in self.keys if k not in grads], "lack"),
                ([k for k in grads if k not in self.keys], "name no parameter:"),
            ):
                if wrong:
                    raise ValueError(f"{owner}: gradients{of} {words} {wrong}; None as a gradient skips a parameter")
            return [grads[k] for k in self.keys]
        if isinstance(grads, (np.ndarray, Mapping, str)) or not hasattr(grads, "__iter__"):
            raise TypeError(f"{owner}: gradients{of} are {_kind(grads)}, expected a list of {len(self.keys)} arrays")
        grads = list(grads)
        if len(grads) != len(self.keys):
            raise ValueError(
                f"{owner}: got {len(grads)} gradients for {len(self.keys)} parameters{of}; None as a gradient skips a parameter"
            )
        return grads

    def unflatten(self, values):
        """The same form as the parameters', around values in their order."""
        mine = values[self.start : self.start + len(self.keys)]
        return mine[0] if self.kind == "array" else dict(zip(self.keys, mine)) if self.kind == "dict" else mine


def _kind(value):
    return "None" if value is None else f"a {type(value).__name__}"


def open_nest(owner, params, start=0, prefix=""):
    """(Nest, list of parameters) of one group."""
    if isinstance(params, np.ndarray):
        return Nest("array", start, (0,), prefix), [params]
    if isinstance(params, Mapping):
        return Nest("dict", start, tuple(params), prefix), list(params.values())
    if isinstance(params, str) or not hasattr(params, "__iter__"):
        raise TypeError(
            f"{owner}: params are {_kind(params)}, expected an array, a sequence or a dict of arrays, or a list of groups"
        )
    params = list(params)
    return Nest("sequence", start, tuple(range(len(params))), prefix), params


def open_groups(owner, params):
    """([(Nest, parameters, options)], whether groups were given)."""
    if isinstance(params, (list, tuple)) and params and all(isinstance(p, Mapping) for p in params):
        groups, start = [], 0
        for k, group in enumerate(params):
            if "params" not in group:
                raise ValueError(f"{owner}: group {k} has no 'params'")
            nest, arrays = open_nest(owner, group["params"], start, f"group {k}")
            groups.append((nest, arrays, {name: value for name, value in group.items() if name != "params"}))
            start += len(arrays)
        return groups, True
    nest, arrays = open_nest(owner, params)
    return [(nest, arrays, {})], False
