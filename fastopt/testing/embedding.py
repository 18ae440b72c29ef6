"""The cases of the embedding. Errors of the gradient are counted in units of the sums of absolute terms."""

import numpy as np

from .. import reference
from .case import Function, signed
from .losses import label

SIZES = {"B": (0, 1, 3)}  # the places of indices count by their number alone


def _in_range(arrays, options):
    """The indices numbers of rows; few of them, and one far more often than the others."""
    indices, count = arrays["indices"], len(arrays["embeddings"])
    return arrays | {"indices": indices % count * (indices % 3 > 0)}


CASES = {
    "embedding_forward": Function(
        {"indices": ("BT", label), "embeddings": ("VD", signed)},
        ("y",),
        sizes_of=SIZES,
        nonempty="V",
        adapt=_in_range,
        ulp=0,
        flops=lambda s: s["B"] * s["T"] * s["D"],
    ),
    "embedding_backward": Function(
        {"dy": ("BTD", signed), "indices": ("BT", label), "embeddings": ("VD", signed)},
        ("dembeddings",),
        sizes_of=SIZES,
        nonempty="V",
        adapt=_in_range,
        scale=lambda arrays, options: reference.embedding_backward(**arrays | {"dy": np.abs(arrays["dy"])}),
        ulp=4,
        flops=lambda s: s["B"] * s["T"] * s["D"] + s["V"] * s["D"],
    ),
}
