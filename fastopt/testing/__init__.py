"""CASES: how to try each kernel - inputs, options, tolerance - and check(), which holds the kernels here to their definitions."""

import numpy as np

from . import activations, embedding, layers, losses, optimizers, products, recurrent

CASES = optimizers.CASES | products.CASES | activations.CASES | losses.CASES | layers.CASES | recurrent.CASES | embedding.CASES


def check(verbose=True):
    """Holds every kernel of this machine to its definition: float32 and float64, odd sizes, every option. Returns what differs.

    verbose: whether to print a line for each kernel. The list that comes back holds a line for each difference.
    """
    rng = np.random.default_rng(0)
    wrong = []
    for name, case in CASES.items():
        found = [
            text
            for dtype in (np.float32, np.float64)
            for options in case.options()
            for size in case.some()
            if (text := case.compare(name, rng, size, dtype, options))
        ]
        wrong += found
        if verbose:
            print(f"{name:32} {'differs' if found else 'agrees'}")
    if verbose:
        print("\n".join(wrong))
    return wrong
