"""The rule for `out` that all kernels of dense networks share."""

import numpy as np


def deliver(owner, out, *results):
    """The results as C-contiguous arrays: fresh ones, or those of `out` with the results written to them.

    `out` is None, an array where there is one result, else a tuple with an array or None for each. A result None, one that was
    not asked for, stays None. One result comes back by itself, several as a tuple.
    """
    given = (out,) if len(results) == 1 else (None,) * len(results) if out is None else out
    if not isinstance(given, tuple) or len(given) != len(results):
        raise TypeError(f"{owner}: out must be None or a tuple of {len(results)}, each an array or None, got "
                        f"{type(out).__qualname__}")  # fmt: skip
    for result, array in zip(results, given):
        if array is not None and result is not None and (array.shape != np.shape(result) or array.dtype != result.dtype):
            raise ValueError(f"{owner}: out has shape {array.shape} and dtype {array.dtype}, expected {np.shape(result)} and "
                             f"{result.dtype}")  # fmt: skip
    delivered = []
    for result, array in zip(results, given):
        if array is None or result is None:
            delivered.append(None if result is None else np.asarray(result, order="C"))
        else:
            array[...] = result
            delivered.append(array)
    return delivered[0] if len(results) == 1 else tuple(delivered)
