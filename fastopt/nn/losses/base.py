"""Loss: reductions, weights of rows, and what a step calls; and functions as losses."""

import functools

import numpy as np

from ... import kernels
from .. import targets
from ..arguments import KnownAlone

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


class Loss(KnownAlone):
    """Base of the losses: called with y_true (y) and y_pred (p), arrays or lists. A subclass writes call(y_true, y_pred) -> rows,
    gradient.

    reduction: "sum_over_batch_size" or "mean" (the mean over all rows, samples being rows), "mean_with_sample_weight" (divided by
        the sum of the weights instead), "sum", or None: the rows themselves, for calls only.
    name: as repr shows it; by default the class's. dtype: kept, as in Keras, and without influence: that of the predictions counts.
    `value_and_gradient(y_true, y_pred, *, weight=None, rows=None, out=None) -> value, dy` takes prepared targets; weight (...) are
    weights of the rows that hold the reduction already (see row_weights), None means those of the reduction.
    """

    kernel: str | None = None  # its name in fastopt.kernels
    options: tuple[str, ...] = ()  # attributes that the kernel takes
    _by_kernel = False  # whether the kernel is the whole of it: a subclass may have a call of its own

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__call__ is not Loss.__call__:
            raise TypeError(f"{cls.__name__}: __call__ is not what training calls; write call(y_true, y_pred) -> rows, gradient")
        cls._by_kernel = cls.kernel is not None and cls.call is Loss.call

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if reduction not in REDUCTIONS:
            allowed = ", ".join(map(repr, REDUCTIONS))
            raise ValueError(f"{type(self).__name__}: reduction must be one of {allowed}, got {reduction!r}")
        self.name, self.reduction, self.dtype = name or type(self).__name__, None if reduction == "none" else reduction, dtype
        self._connect()

    def _connect(self):
        """Sets value_and_gradient to what has the least to do in a step."""
        self._rowwise = self._kernel() if self._by_kernel else self._from_call
        self.value_and_gradient = {"sum": self._sum, None: self._unreduced}.get(self.reduction, self._rowwise)

    def _kernel(self):
        options = {name: getattr(self, name) for name in self.options}
        kernel = getattr(kernels, self.kernel)
        return functools.partial(kernel, **options) if options else kernel

    def call(self, y_true, y_pred):
        """The loss of each row (...) and its gradient with respect to the row, of y_pred's shape (..., C); arrays, y_true prepared.

        A subclass of a loss that has a kernel may write it, too, and finds that of the kernel by super().
        """
        if self.kernel is None:
            raise NotImplementedError(f"{type(self).__name__}: a loss must define call(y_true, y_pred) -> rows, gradient")
        rows = np.empty(y_pred.shape[:-1], y_pred.dtype)
        return rows, self._kernel()(y_true, y_pred, weight=np.ones_like(rows), rows=rows)[1]

    def _from_call(self, y_true, y_pred, *, weight=None, rows=None, out=None):
        losses, slope = _pair(f"{self.name}: call must return (losses of the rows, gradient)", self.call(y_true, y_pred))
        losses, slope = np.asarray(losses), np.asarray(slope)
        if losses.shape != y_pred.shape[:-1] or slope.shape != y_pred.shape:
            raise ValueError(f"{self.name}: call returned shapes {losses.shape} and {slope.shape} for predictions {y_pred.shape}, "
                             f"expected {y_pred.shape[:-1]} and {y_pred.shape}")  # fmt: skip
        return self._weighed(losses, slope, y_pred.dtype, weight, rows, out)

    @staticmethod
    def _weighed(losses, slope, dtype, weight, rows, out):
        """value_and_gradient from the losses of rows and their gradients."""
        if rows is not None:
            rows[...] = losses
        weight = np.full(losses.shape, 1 / max(losses.size, 1), dtype) if weight is None else weight
        value = float(np.multiply(losses, weight, dtype=np.float64).sum())
        return value, np.multiply(slope, weight[..., None], out=out, dtype=dtype)

    def _sum(self, y_true, y_pred, *, weight=None, rows=None, out=None):
        weight = np.ones(y_pred.shape[:-1], y_pred.dtype) if weight is None else weight
        return self._rowwise(y_true, y_pred, weight=weight, rows=rows, out=out)

    def _unreduced(self, y_true, y_pred, **arguments):
        raise ValueError(f"{self.name}: reduction=None leaves a loss for each sample, expected a reduction to train with")

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The loss, a float; with reduction=None the loss of each row."""
        y_pred = np.asarray(y_pred)
        y_pred = y_pred if y_pred.dtype in (np.float32, np.float64) else targets.numeric(self.name, y_pred, "y_pred").astype(float)
        if y_pred.ndim == 0:
            raise ValueError(f"{self.name}: y_pred has shape (), expected (..., C)")
        y_true = self.prepare(self.name, y_true, (None, *y_pred.shape[1:]), y_pred.dtype)
        if len(y_true) != len(y_pred):
            raise ValueError(f"{self.name}: y_true has {len(y_true)} samples, expected {len(y_pred)} as y_pred")
        shape = y_pred.shape[:-1]
        weight = self.row_weights(sample_weight, shape, y_pred.dtype)
        if self.reduction is not None:
            return self.value_and_gradient(y_true, y_pred, weight=weight)[0]
        rows = np.empty(shape, y_pred.dtype)
        self._rowwise(y_true, y_pred, rows=rows)
        return rows if weight is None else rows * weight

    def prepare(self, owner, y_true, output_shape, dtype):
        """Targets of dtype as value_and_gradient takes them, for outputs of output_shape (None, ...): the array itself where it
        fits.

        Raises ValueError or TypeError, beginning with owner, where they do not fit: other shapes, labels out of range,
        probabilities outside [0, 1], NaN.
        """
        return targets.floats(owner, y_true, output_shape, dtype)

    def row_weights(self, sample_weight, shape, dtype="float32", mask=None):
        """Weights for value_and_gradient, the reduction included; None where no weights and no mask are given.

        shape: that of the rows, (B, ...). sample_weight: (B,), (B, 1) or with as many dimensions more as one likes of the rows.
        mask: booleans (B, ...); the mean is one over what is True. dtype: of the result.
        """
        if sample_weight is None and mask is None:
            return None
        weight = np.ones(shape)
        count = weight.size
        if mask is not None:
            weight *= aligned(self.name, "mask", mask, shape)
            count = weight.sum()
        if sample_weight is not None:
            weight *= aligned(self.name, "sample_weight", sample_weight, shape)
        if self.reduction == "mean_with_sample_weight":
            count = weight.sum()
        if self.reduction not in ("sum", None):
            weight *= 1 / count if count else 0
        return weight.astype(dtype)

    def under(self, mask, y_true):
        """(targets, what of the mask is left for row_weights): all of it, unless the targets themselves can say it."""
        return y_true, mask

    def on_logits(self, activation):
        """This loss taken from what stands before `activation` (a name), where the two are better computed at once; or None."""
        return None

    def get_config(self):
        """The arguments it was made with, as a dict."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config):
        """The loss with the arguments `config`."""
        return cls(**config)

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name not in ("value_and_gradient", "_rowwise")}

    def __setstate__(self, kept):
        self.__dict__.update(kept)
        self._connect()

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class FunctionLoss(Loss):
    """A function (y_true, y_pred) -> (value, gradient with respect to y_pred) as a loss, which averages by itself.

    Or it returns the losses of the rows (...) and the gradient of each, of y_pred's shape (..., C): of these the mean is taken, and
    weights and masks count. name: by default the function's.
    """

    def __init__(self, function, name=None):
        self.function = function
        super().__init__(name or getattr(function, "__name__", type(function).__name__))

    def _connect(self):
        self._rowwise = self.value_and_gradient = self._whole

    def _whole(self, y_true, y_pred, *, weight=None, rows=None, out=None):
        expected = f"{self.name}: a loss given as a function must return (value, gradient)"
        value, gradient = _pair(expected, self.function(y_true, y_pred))
        gradient, shape = np.asarray(gradient, y_pred.dtype), y_pred.shape[:-1]
        if gradient.shape != y_pred.shape or np.shape(value) not in ((), shape):
            raise ValueError(f"{self.name}: returned a value of shape {np.shape(value)} and a gradient of shape {gradient.shape}, "
                             f"expected () or {shape}, and {y_pred.shape}")  # fmt: skip
        if np.ndim(value):
            return self._weighed(np.asarray(value), gradient, y_pred.dtype, weight, rows, out)
        if weight is not None or rows is not None:
            raise ValueError(f"{self.name}: a loss given as a function takes no sample weights and no mask where it returns one "
                             f"value; return the losses of the rows, shape {shape}, and the gradient of each")  # fmt: skip
        if out is not None:
            out[...] = gradient
        return float(value), gradient if out is None else out

    def prepare(self, owner, y_true, output_shape, dtype):
        """Integers stay integers; labels (N,) become (N, 1) for outputs (None, 1); other shapes are the function's affair."""
        y_true = targets.numeric(owner, y_true)
        if tuple(output_shape[-1:]) == (1,) and y_true.shape[1:] == tuple(output_shape[1:-1]):
            y_true = y_true[..., None]
        return np.ascontiguousarray(y_true, dtype) if y_true.dtype.kind == "f" else y_true

    def get_config(self):
        return {"name": self.name}

    def __repr__(self):
        return f"FunctionLoss({self.name})"


def _pair(expected, result):
    """What a loss of the user's own returned; TypeError where that is not two things, most often for want of the gradient."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(f"{expected}, got {type(result).__name__}: nothing here differentiates by itself")
    return result


def aligned(owner, name, given, shape):
    """`given`, one number for each row of `shape` or for each of its leading dimensions, so shaped that it multiplies them."""
    given = targets.numeric(owner, given, name)
    trimmed = given[..., 0] if given.ndim > 1 and given.shape[-1] == 1 and given.ndim > len(shape) else given
    if trimmed.ndim > 1 and trimmed.shape[-1] == 1 and trimmed.shape != shape:
        trimmed = trimmed[..., 0]
    if trimmed.ndim > len(shape) or trimmed.shape != shape[: trimmed.ndim] or not trimmed.ndim > 0 < len(shape):
        raise ValueError(f"{owner}: {name} has shape {given.shape}, expected {shape} or its leading dimensions")
    return trimmed.reshape(trimmed.shape + (1,) * (len(shape) - trimmed.ndim))
