"""The kernels as functions, each under its own name: compiled, or with FASTOPT_BACKEND=reference their NumPy definitions.

Arrays are float32 or float64, of any strides, of one dtype in a call. An optimizer's kernel changes its parameter and states in
place and leaves the gradient alone; every other one returns fresh arrays, or writes to those given as `out` (C-contiguous; a
tuple where there are several results, None in it for a fresh one). Arguments and formulas: fastopt.reference, whose functions
bear the same names.
"""

import functools
import inspect

import numpy as np

from . import checks, reference
from .backend import NAME, core
from .optim import hyper

ASKED_BY = {"momentum_buffer": "momentum", "grad_avg": "centered", "max_exp_avg_sq": "amsgrad"}  # states that an option needs


def _arrays(owner, named, read_only=()):
    """Checks the arrays of a call, None left out: of one shape and dtype, writeable where they are written, apart in memory."""
    first = next(iter(named))
    for name, array in named.items():
        (checks.readable if name in read_only else checks.parameter)(owner, name, array)
        if array.shape != named[first].shape or array.dtype != named[first].dtype:
            raise ValueError(f"{owner}: {name} has shape {array.shape} and dtype {array.dtype}, expected {named[first].shape} and "
                             f"{named[first].dtype} as {first}")  # fmt: skip
    checks.distinct(owner, list(named), list(named.values()))


def _dense(arrays):
    """The arrays, those that are not C-contiguous as copies; and the pairs (array, copy) to write back."""
    copies = [a if a is None or a.flags.c_contiguous else np.ascontiguousarray(a).reshape(a.shape) for a in arrays]
    return copies, [(a, c) for a, c in zip(arrays, copies) if c is not a]


def _compiled(name):
    """The compiled kernel of an optimizer, with the signature of its definition."""
    definition = getattr(reference, name)
    signature = inspect.signature(definition)
    positional = [p for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]

    @functools.wraps(definition)
    def kernel(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        options = bound.arguments
        arrays = {p.name: options.pop(p.name) for p in positional}
        _arrays(name, {n: a for n, a in arrays.items() if a is not None}, read_only=("grad",))
        step, product = options.pop("step"), options.pop("mu_product", 1.0)
        grad_scale = hyper.number(name, "grad_scale", options.pop("grad_scale"), hyper.POSITIVE)
        clip_value = hyper.number(name, "clip_value", options.pop("clip_value"), hyper.LIMIT)
        if isinstance(step, bool) or not hasattr(step, "__index__") or step < 1:
            raise ValueError(f"{name}: step must be an integer >= 1, got {step!r}")
        numbers = hyper.encode(name, name, options)
        for state, option in ASKED_BY.items():
            if options.get(option) and state in arrays and arrays[state] is None:
                raise ValueError(f"{name}: {option}={options[option]} needs {state}, got None")
        param, grad, *states = arrays.values()
        states, changed = _dense(states)
        core.update(name, param, grad, states, numbers, step, product, grad_scale, clip_value)
        for array, copy in changed:
            array[...] = copy

    kernel.__module__ = __name__
    return kernel


def ema(average, param, *, decay):
    """average <- decay average + (1 - decay) param, in place (Polyak & Juditsky 1992, with a fixed horizon); decay in [0, 1]."""
    _arrays("ema", {"average": average, "param": param}, read_only=("param",))
    decay = hyper.number("ema", "decay", decay, hyper.CLOSED_UNIT)
    (target, source), changed = _dense([average, param])
    core.ema(target, source, decay)
    for array, copy in changed:
        if array is average:
            array[...] = copy


OPTIMIZERS = [name for name in reference.__all__ if "grad" in inspect.signature(getattr(reference, name)).parameters]
Packed = core.Packed if NAME == "compiled" else reference.dense.Packed
if NAME == "compiled":
    globals().update({name: getattr(core, name) for name in reference.__all__ if name not in (*OPTIMIZERS, "ema")})
    for _name in set(reference.__all__) - {*OPTIMIZERS, "ema"}:
        globals()[_name].__doc__ = getattr(reference, _name).__doc__
    globals().update({name: _compiled(name) for name in OPTIMIZERS})
else:
    globals().update({name: getattr(reference, name) for name in reference.__all__})

__all__ = list(reference.__all__)
