"""What the tests compare before and after: everything about an optimizer, down to the bits."""

import numpy as np


def frozen(x):
    """Everything in nested dicts and lists, arrays down to their bits, as one comparable value."""
    if isinstance(x, dict):
        return tuple((k, frozen(v)) for k, v in x.items())
    if isinstance(x, (list, tuple)):
        return tuple(map(frozen, x))
    return (x.shape, x.dtype.str, x.tobytes()) if isinstance(x, np.ndarray) else x


def snapshot(opt):
    """Parameters, states, averages, counts."""
    return frozen([[group["params"] for group in opt.param_groups], opt.state_dict(), opt.steps])
