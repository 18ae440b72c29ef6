"""The state of an optimizer as plain dicts of arrays and numbers, and in a file."""

import json
import os
import tempfile
import zipfile

import numpy as np

from . import hyper

FORMAT = "fastopt optimizer 1"
OF_TORCH_ALONE = ("foreach", "fused", "capturable", "differentiable", "initial_lr")  # in torch's groups, without meaning here


def take(opt):
    """state_dict of an optimizer."""
    _bound(opt, "state_dict")
    states = {}
    for i in range(len(opt._params)):
        step, product = opt._stepper.counts(i)
        states[i] = {"step": step}
        if opt.rule.kernel == "nadam":
            states[i]["mu_product"] = product
        if step or opt.rule.kernel != "sgd":  # torch has no momentum_buffer before the first step
            states[i].update({name: array.copy(order="K") for name, array in opt._states[i].items()})
        if opt._averages[i] is not None:
            states[i]["ema"] = opt._averages[i].copy(order="K")
    groups = []
    for k, group in enumerate(opt.param_groups):
        rate = opt._rate(k, opt.steps) if callable(group["lr"]) else group["lr"]
        groups.append(group | {"lr": rate, "params": [i for i, of in enumerate(opt._group_of) if of == k]})
    return {"state": states, "param_groups": groups, "step": opt.steps}


def put(opt, given):
    """load_state_dict of an optimizer: everything is checked, then everything is taken."""
    owner = f"{type(opt).__name__}.load_state_dict"
    _bound(opt, "load_state_dict")
    try:
        states, groups = dict(given["state"]), list(given["param_groups"])
    except (TypeError, KeyError, ValueError):
        raise TypeError(f"{owner}: expected a dict with 'state' and 'param_groups', got {_brief(given)}") from None
    options = _options(opt, owner, groups)
    unknown = [i for i in states if i not in range(len(opt._params))]
    if unknown:
        raise ValueError(f"{owner}: state of parameter {unknown[0]!r}, but there are {len(opt._params)} parameters")
    taken = [_of_parameter(opt, owner, i, states.get(i, {}), options[opt._group_of[i]]) for i in range(len(opt._params))]
    steps = _count(owner, "step", given.get("step", max(step for step, _, _ in taken)))

    for k, group in enumerate(options):
        opt.param_groups[k].update(group)
        opt._refresh(k, steps)
    for i, (step, product, arrays) in enumerate(taken):
        opt._stepper.set_counts(i, step, product)
        for name, array in opt._states[i].items():
            array[...] = arrays.get(name, 0)
        if opt._averages[i] is not None:
            opt._averages[i][...] = arrays["ema"]
    opt._stepper.steps = steps


def _options(opt, owner, groups):
    """The options of each group, checked; a schedule stays."""
    if len(groups) != len(opt.param_groups):
        raise ValueError(f"{owner}: got {len(groups)} parameter groups, expected {len(opt.param_groups)}")
    checked = []
    for k, (group, mine) in enumerate(zip(groups, opt.param_groups)):
        indices = [i for i, of in enumerate(opt._group_of) if of == k]
        if list(group.get("params", ())) != indices:
            raise ValueError(f"{owner}: group {k} holds parameters {_brief(group.get('params'))}, expected {_brief(indices)}")
        options = {name: value for name, value in group.items() if name not in ("params", "param_names", *OF_TORCH_ALONE)}
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
    arrays = {name: value for name, value in state.items() if name not in ("step", "mu_product") and value is not None}
    step = _count(owner, f"step of {label}", state.get("step", 1 if arrays else 0))
    product = hyper.number(owner, f"mu_product of {label}", state.get("mu_product", 1.0), hyper.FINITE)
    needed = [item.name for item in opt.rule.states if item.needed(options)] + ["ema"] * (options["ema"] is not None)
    known = [item.name for item in opt.rule.states] + ["ema"]
    for name in needed:
        if name not in arrays and step:
            raise ValueError(f"{owner}: {name} of {label} is missing")
    for name, value in arrays.items():
        if name not in known:
            raise ValueError(f"{owner}: {label} has no state {name!r}, expected {', '.join(known)}")
        array = np.asarray(value)
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
    """Writes the state of an optimizer to the file `path`, an .npz without pickle: first beside it, then renamed into place."""
    given = take(opt)
    arrays, numbers = {}, {}
    for i, state in given["state"].items():
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                arrays[f"state/{i}/{name}"] = value
            else:
                numbers.setdefault(i, {})[name] = value
    header = {
        "format": FORMAT,
        "optimizer": type(opt).__name__,
        "param_groups": given["param_groups"],
        "step": given["step"],
        "numbers": numbers,
    }
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    folder = os.path.dirname(os.path.abspath(path))
    handle, beside = tempfile.mkstemp(dir=folder, prefix=os.path.basename(path), suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def load(path, opt):
    """Restores what save wrote, to the bit. A damaged or foreign file, or one of another optimizer, is refused; nothing changes then."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop("header").tobytes())
        if header["format"] != FORMAT:
            raise ValueError(f"format {header['format']!r}")
        states = {int(i): dict(numbers) for i, numbers in header["numbers"].items()}
        for key, array in arrays.items():
            _, i, name = key.split("/")
            states.setdefault(int(i), {})[name] = array
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"load: {os.fspath(path)!r} is not a state written by fastopt.optim.save, or it is damaged ({error})"
        ) from error
    if header["optimizer"] != type(opt).__name__:
        raise ValueError(f"load: {os.fspath(path)!r} holds the state of {header['optimizer']}, expected {type(opt).__name__}")
    put(opt, {"state": states, "param_groups": header["param_groups"], "step": header["step"]})


def _bound(opt, what):
    if opt._stepper is None:
        raise RuntimeError(f"{type(opt).__name__}.{what}: this optimizer has no parameters yet")


def _count(owner, name, value):
    """A number of steps; torch keeps them as 0-d arrays of float."""
    try:
        count = int(value)
        if count != value or count < 0:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"{owner}: {name} must be an integer >= 0, got {value!r}") from None
    return count


def _brief(value):
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."
