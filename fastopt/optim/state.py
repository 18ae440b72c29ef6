"""The state of an optimizer as plain dicts of arrays and numbers, and in a file."""

import copy
import os
from collections.abc import Mapping

import numpy as np

from .. import archive
from . import hyper

FORMAT = "fastopt optimizer 1"
OF_TORCH_ALONE = ("foreach", "fused", "capturable", "differentiable", "initial_lr", "param_names")  # without meaning here


def take(opt):
    """state_dict of an optimizer."""
    _bound(opt, "state_dict")
    states = {}
    for i in range(len(opt._params)):
        step, product, born = opt._stepper.counts(i)
        states[i] = {"step": step}
        if opt.rule.kernel == "nadam":
            states[i]["mu_product"] = product
        if step > born or opt.rule.kernel != "sgd":  # torch has no momentum_buffer before the first step with it
            states[i].update({name: array.copy(order="K") for name, array in opt._states[i].items()})
        if opt._averages[i] is not None:
            states[i]["ema"] = opt._averages[i].copy(order="K")
    groups = []
    for k, group in enumerate(opt.param_groups):
        rate = opt._rate(k, opt.steps) if callable(group["lr"]) else group["lr"]
        indices = [i for i, of in enumerate(opt._group_of) if of == k]
        groups.append(copy.deepcopy({name: value for name, value in group.items() if name != "params"} | {"lr": rate}))
        groups[-1]["params"] = indices
    return {"state": states, "param_groups": groups, "step": opt.steps}


def put(opt, given):
    """load_state_dict of an optimizer: everything is checked, then everything is taken."""
    owner = f"{type(opt).__name__}.load_state_dict"
    _bound(opt, "load_state_dict")
    try:
        states, groups = dict(given["state"]), list(given["param_groups"])
    except (TypeError, KeyError, IndexError, ValueError):
        raise TypeError(f"{owner}: expected a dict with 'state' and 'param_groups', got {_brief(given)}") from None
    options = _options(opt, owner, groups)
    unknown = [i for i in states if i not in range(len(opt._params))]
    if unknown:
        raise ValueError(f"{owner}: state of parameter {unknown[0]!r}, but there are {len(opt._params)} parameters")
    taken = [_of_parameter(opt, owner, i, states.get(i, {}), options[opt._group_of[i]]) for i in range(len(opt._params))]
    steps = _count(owner, "step", given.get("step", max(step for step, _, _ in taken)))
    for k, group in enumerate(opt.param_groups):
        if callable(group["lr"]):
            opt._rate(k, steps)

    for k, group in enumerate(options):
        opt.param_groups[k].update(group)
        opt._equip(k)
    for i, (step, product, arrays) in enumerate(taken):
        begun = any(item.name in arrays for item in opt.rule.states)
        opt._stepper.set_counts(i, step, product, 0 if begun else step)
        for name in {*opt._states[i], *arrays}:
            average = name == "ema"
            array = opt._averages[i] if average else opt._states[i].get(name)
            (opt._make(i, name) if array is None else array)[...] = arrays.get(name, 0)
    opt._stepper.steps = steps


def _options(opt, owner, groups):
    """The options of each group, checked; a schedule stays."""
    if len(groups) != len(opt.param_groups):
        raise ValueError(f"{owner}: got {len(groups)} parameter groups, expected {len(opt.param_groups)}")
    checked = []
    for k, (group, mine) in enumerate(zip(groups, opt.param_groups)):
        if not isinstance(group, Mapping):
            raise TypeError(f"{owner}: group {k} is {_brief(group)}, expected a dict")
        indices = [i for i, of in enumerate(opt._group_of) if of == k]
        params = group.get("params")
        if not isinstance(params, (list, tuple)) or list(params) != indices:
            raise ValueError(f"{owner}: group {k} holds parameters {_brief(params)}, expected {_brief(indices)}")
        options = {name: value for name, value in group.items() if name not in ("params", *OF_TORCH_ALONE)}
        unknown = [name for name in options if name not in mine]
        if unknown:
            raise ValueError(f"{owner}: option {unknown[0]!r} of group {k} is unknown")
        options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        if callable(mine["lr"]):
            options["lr"] = mine["lr"]
        opt._numbers(mine | options, 0)
        checked.append(options)
    return checked


def _of_parameter(opt, owner, i, state, options):
    """(step, mu_product, arrays) of one parameter, checked."""
    label, param, options = opt._labels[i], opt._params[i], opt.param_groups[opt._group_of[i]] | options
    if not isinstance(state, Mapping):
        raise TypeError(f"{owner}: state of {label} is {_brief(state)}, expected a dict")
    arrays = {name: value for name, value in state.items() if name not in ("step", "mu_product") and value is not None}
    step = _count(owner, f"step of {label}", state.get("step", 1 if arrays else 0))
    product = hyper.number(owner, f"mu_product of {label}", state.get("mu_product", 1.0), hyper.FINITE)
    known = [item.name for item in opt.rule.states] + ["ema"]
    needed = [item.name for item in opt.rule.states if item.needed(options)]
    needed += ["ema"] if options["ema"] is not None else []
    for name in needed if step else []:
        if name not in arrays and (name == "ema" or opt.rule.kernel != "sgd"):  # SGD's momentum_buffer may begin later
            raise ValueError(f"{owner}: {name} of {label} is missing")
    for name, value in arrays.items():
        if name not in known:
            raise ValueError(f"{owner}: {label} has no state {name!r}, expected {', '.join(known)}")
        arrays[name] = array = np.asarray(value)
        if array.shape != param.shape or array.dtype != param.dtype:
            raise ValueError(
                f"{owner}: {name} of {label} has shape {array.shape} and dtype {array.dtype}, expected "
                f"{param.shape} and {param.dtype}"
            )
    if options["ema"] is not None and "ema" not in arrays:
        arrays["ema"] = param
    for item in opt.rule.states:  # a state that has not begun
        if item.first and item.name not in arrays:
            arrays[item.name] = options[item.first](0) if callable(options[item.first]) else options[item.first]
    return step, product, arrays


def save(path, opt):
    """Writes the state of opt to the file `path`, an .npz without pickle: first beside it, then renamed into place."""
    given = opt.state_dict()
    arrays, numbers = {}, {}
    for i, state in given["state"].items():
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                arrays[f"state/{i}/{name}"] = value
            else:
                numbers.setdefault(i, {})[name] = value
    header = {"format": FORMAT, "optimizer": type(opt).__name__, "numbers": numbers}
    header |= {"param_groups": given["param_groups"], "step": given["step"]}
    archive.write(path, header, arrays, plain=lambda x: x.tolist())  # NumPy's numbers


def load(path, opt):
    """Restores, to the bit, the state of opt from the file `path` of save; ValueError, and no change, for any other file."""
    with archive.Archive("load", path, (FORMAT,), "fastopt.optim.save") as stored:
        optimizer, given = stored.attempt(_read, stored)
    if optimizer != type(opt).__name__:
        raise ValueError(f"load: {os.fsdecode(path)!r} holds the state of {optimizer:.80}, expected {type(opt).__name__}")
    try:
        opt.load_state_dict(given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"load: {os.fsdecode(path)!r}: {archive.brief(str(error))}") from error


def _read(stored):
    """(class of the optimizer, state_dict) in an archive."""
    header = stored.header
    if not isinstance(header["optimizer"], str):
        raise ValueError("no optimizer is named")
    states = {int(i): dict(numbers) for i, numbers in header["numbers"].items()}
    for key in stored.names():
        _, i, name = key.split("/")
        states.setdefault(int(i), {})[name] = stored.array(key)
    return header["optimizer"], {"state": states, "param_groups": header["param_groups"], "step": header["step"]}


def _bound(opt, what):
    if opt._stepper is None:
        raise RuntimeError(f"{type(opt).__name__}.{what}: this optimizer has no parameters yet")


def _count(owner, name, value):
    """A number of steps; torch keeps them as 0-d arrays of float."""
    try:
        count = int(value)
        if count == value and 0 <= count <= 2**53:
            return count
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{owner}: {name} must be an integer >= 0, got {_brief(value)}")


def _brief(value):
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."
