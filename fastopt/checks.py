"""What a parameter and a gradient must be, which names are known, and the errors where they are not."""

import difflib

import numpy as np

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def readable(owner, label, array):
    """Raises unless `array` is an aligned array of float32 or float64 in the machine's byte order."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{owner}: {label} is {_kind(array)}, expected a NumPy array of float32 or float64")
    if array.dtype not in DTYPES:
        hint = "; convert it with .astype(array.dtype.newbyteorder('='))" if array.dtype.newbyteorder("=") in DTYPES else ""
        raise TypeError(f"{owner}: {label} has dtype {array.dtype.str if hint else array.dtype}, expected float32 or float64{hint}")
    if not array.flags.aligned:
        raise ValueError(f"{owner}: {label} is not aligned to its dtype {array.dtype}; pass a copy of it")


def parameter(owner, label, array):
    """Raises unless `array` can be updated in place."""
    readable(owner, label, array)
    if not array.flags.writeable:
        raise ValueError(f"{owner}: {label} is read-only, expected a writeable array; pass a copy of it")
    if _overlaps_itself(array):
        raise ValueError(
            f"{owner}: {label} with shape {array.shape} and strides {array.strides} overlaps itself; pass a copy of it"
        )


def distinct(owner, labels, arrays):
    """Raises where two parameters share memory, judged exactly: a[::2] and a[1::2] do not."""
    spans = sorted((*np.lib.array_utils.byte_bounds(a), i) for i, a in enumerate(arrays) if a.size)
    open_spans: list[tuple[int, int]] = []  # those that reach beyond the start of the present one
    for low, high, i in spans:
        open_spans = [(end, j) for end, j in open_spans if end > low]
        for _, j in open_spans:
            if np.shares_memory(arrays[i], arrays[j]):
                first, second = sorted((i, j))
                raise ValueError(
                    f"{owner}: {labels[first]} and {labels[second]} overlap in memory; each element may be updated once only"
                )
        open_spans.append((high, i))


def islands(arrays):
    """The stretches of memory that the arrays lie in, [low, high), merged and in order."""
    merged: list[list[int]] = []
    for low, high in sorted(np.lib.array_utils.byte_bounds(a) for a in arrays if a.size):
        if merged and low <= merged[-1][1]:
            merged[-1][1] = max(high, merged[-1][1])
        else:
            merged.append([low, high])
    return merged


def array_of(grad):
    """A NumPy scalar, as 0-d arrays yield them in arithmetic, as an array; anything else as it is."""
    return np.asarray(grad) if isinstance(grad, np.generic) else grad


def gradient(owner, label, param, grad):
    """Raises unless `grad` is a gradient of `param`; gradients may have strides of their own and be read-only."""
    label = f"gradient of {label}"
    readable(owner, label, grad)
    if grad.shape != param.shape:
        raise ValueError(f"{owner}: {label} has shape {grad.shape}, expected {param.shape}")
    if grad.dtype != param.dtype:
        raise TypeError(
            f"{owner}: {label} has dtype {grad.dtype}, expected {param.dtype}; convert it with .astype(np.{param.dtype})"
        )


def known(owner, argument, name, names):
    """Raises unless `name` is one of `names`, with the nearest of them."""
    if not isinstance(name, str):
        raise TypeError(f"{owner}: {argument} must be one of the names {', '.join(names)}, got {name!r}")
    if name not in names:
        near = difflib.get_close_matches(name.lower(), names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(names)}"
        raise ValueError(f"{owner}: {argument} {name!r} is unknown; {hint}")


def moved(owner, label):
    """Raises for a parameter that its owner resized, reshaped or locked in the meantime."""
    raise ValueError(f"{owner}: {label} was resized, reshaped or made read-only since the optimizer was made; make another one")


def unshared(owner, label, labels, params, grad):
    """Raises where a gradient shares memory with one of the parameters."""
    for other, param in zip(labels, params):
        if np.may_share_memory(grad, param) and np.shares_memory(grad, param):
            raise ValueError(f"{owner}: gradient of {label} overlaps {other} in memory; pass a copy of it")


def first_nonfinite(grad, grad_scale):
    """The index of the first element of grad / grad_scale that is not finite, in C order; read piece by piece."""
    for start in range(0, grad.size, 65536):
        with np.errstate(over="ignore"):
            finite = np.isfinite(grad.flat[start : start + 65536] * grad.dtype.type(1 / grad_scale))
        if not finite.all():
            return tuple(map(int, np.unravel_index(start + int(finite.argmin()), grad.shape)))
    return None


def _kind(value):
    return "None" if value is None else f"of type {type(value).__module__}.{type(value).__qualname__}"


def _overlaps_itself(array):
    """Whether two indices lead to the same byte."""
    if array.size < 2:
        return False
    reach = array.itemsize
    for stride, size in sorted((abs(stride), size) for stride, size in zip(array.strides, array.shape) if size > 1):
        if stride < reach:
            break
        reach += stride * (size - 1)
    else:
        return False
    at = np.zeros(1, np.int64)  # strides interleave: look at every address; only as_strided makes such arrays
    for stride, size in zip(array.strides, array.shape):
        at = np.add.outer(at, stride * np.arange(size)).ravel()
    return bool((np.diff(np.sort(at)) < array.itemsize).any())
