"""Masks in a graph: booleans by slot, beside the values, from the layers that make them to those that read them."""

import numpy as np


def begin(graph, masks):
    """A list for the masks of all slots of a graph, those of the inputs in it; masks: one for each input, or None."""
    return [*(masks or [None] * len(graph.inputs)), *graph.rest]


def at(known, source):
    """What a call's mask is: that of one slot, or for several slots a list, None where none of them has one."""
    if source.__class__ is int:
        return known[source]
    found = [known[slot] for slot in source]
    return None if all(mask is None for mask in found) else found


def carry(layer, x, mask, known, target):
    """Notes the masks of what a layer gave for x and its mask."""
    if mask is None and not layer.makes_mask:
        return
    result = layer.compute_mask(x, mask)
    results = result if isinstance(result, list) else [result]
    for slot, part in zip((target,) if target.__class__ is int else target, results):  # those without an entry have none
        known[slot] = part


def masks_for(owner, masks, inputs):
    """The masks as boolean arrays, None for an input without, or None where all are; each fits the first axes of its input.

    A mask (B, T) also fits an input whose last axis is time, as data_format="channels_first" has it.
    """
    if masks is None or all(mask is None for mask in masks):
        return None
    if len(masks) != len(inputs):
        raise ValueError(f"{owner}: got {len(masks)} masks for {len(inputs)} inputs")
    return [None if mask is None else _checked(owner, mask, x.shape) for mask, x in zip(masks, inputs)]


def _checked(owner, mask, shape):
    mask = np.asarray(mask)
    if mask.dtype.kind not in "biu":
        raise TypeError(f"{owner}: mask has dtype {mask.dtype}, expected booleans")
    if mask.ndim < 1 or mask.shape not in (shape[: mask.ndim], (shape[0], shape[-1])):
        raise ValueError(f"{owner}: mask has shape {mask.shape}, expected {tuple(shape[:2])} = (B, T)")
    return mask.astype(bool, copy=False)
