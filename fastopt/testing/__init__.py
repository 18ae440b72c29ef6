"""CASES: how to try each kernel - inputs, options, tolerance - and check(), which holds the kernels here to their definitions."""

from . import activations, embedding, layers, losses, optimizers, products, recurrent

CASES = optimizers.CASES | products.CASES | activations.CASES | losses.CASES | layers.CASES | recurrent.CASES | embedding.CASES

from .parity import check  # noqa: E402 (it needs the table)

__all__ = ["CASES", "check"]
