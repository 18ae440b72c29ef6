"""The cases of the losses and the penalty. Probabilities keep away from 0 and 1, and do not sum to 1."""

import numpy as np

from .. import reference
from .case import Function, normal, positive, signed

SUMMED = {"categorical_crossentropy", "kl_divergence"}  # over the row, not averaged


def probability(rng, shape):
    return rng.uniform(0.1, 0.9, shape)


def label(rng, shape):
    return rng.integers(0, 2**31, shape)


def _drawn(arrays, options):
    """Labels in [0, C), logits in place of probabilities."""
    t, p = arrays["y_true"], arrays["y_pred"]
    return arrays | {
        "y_true": t if t.dtype.kind == "f" else t % p.shape[-1],
        "y_pred": 10 * (p - 0.5) if options.get("from_logits") else p,
    }


def _loss(name, y_true, y_pred, variants=({},), flops=4):
    """The value is held in units of 1 + |y_pred|, for its terms cancel; dy in those of the largest of its row and of the weight."""

    def scale(arrays, options):
        _, dy = getattr(reference, name)(**arrays, **options)
        weight, rows = arrays["weight"], max(len(dy), 1)
        weight = np.full(len(dy), 1 / rows) if weight is None else weight
        sizes = weight * (1 + np.abs(arrays["y_pred"]).max(axis=-1, initial=0))
        if name in SUMMED:
            sizes = sizes * (1 + arrays["y_true"].sum(axis=-1))
        return sizes.sum(), np.zeros_like(dy) + weight[:, None] / dy.shape[-1] + np.abs(dy).max(axis=-1, keepdims=True)

    axes = "B" if y_true is label else "BC"
    return Function(
        {"y_true": (axes, y_true), "y_pred": ("BC", y_pred), "weight": ("B", positive)},
        ("value", "dy"),
        (*variants, {"weight": None}),
        nonempty="C",
        adapt=_drawn,
        scale=scale,
        ulp=12,
        flops=lambda s: flops * s["B"] * s["C"],
    )


# fmt: off
LOGITS: tuple[dict[str, object], ...] = ({}, dict(from_logits=True))
SMOOTHED = (*LOGITS, dict(label_smoothing=0.2), dict(from_logits=True, label_smoothing=0.2))
CASES = {name: _loss(name, *rest) for name, rest in {
    "mean_squared_error": (normal, normal),
    "mean_absolute_error": (normal, normal),
    "huber": (normal, normal, ({}, dict(delta=0.5)), 7),
    "binary_crossentropy": (probability, probability, SMOOTHED, 60),
    "categorical_crossentropy": (probability, probability, SMOOTHED, 40),
    "sparse_categorical_crossentropy": (label, probability, LOGITS, 30),
    "kl_divergence": (probability, probability, ({},), 35),
    "hinge": (signed, normal, ({},), 5),
    "cosine_similarity": (signed, signed, ({},), 9),
}.items()}
# fmt: on
CASES["penalty"] = Function(
    {"param": ("MN", signed)},
    ("value", "gradient"),
    ({}, dict(l1=0.3), dict(l2=0.2), dict(l1=0.3, l2=0.2)),
    scale=lambda arrays, options: (reference.penalty(**arrays, **options)[0], 1),
    flops=lambda s: 6 * s["M"] * s["N"],
)
