"""Every optimizer teaches the network of demo_training the handwritten digits twice: stepping in NumPy, and compiled."""

from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from .. import optim
from .training import BATCH, FULL_STEPS, HIDDEN, IMAGES, Training

CHECKED = 10  # epochs after which the weights are compared: over hundreds, training magnifies differences in rounding
TOLERANCE = 1e-9  # allowed between the two trainings, as a share of the largest weight


class Choice(NamedTuple):
    optimizer: type
    options: dict
    full_batch: bool = False

    def __str__(self):
        return f"{self.optimizer.__name__}({', '.join(f'{name}={value}' for name, value in self.options.items())})"


OPTIMIZERS = {
    "sgd": Choice(optim.SGD, {"lr": 0.5}),
    "momentum": Choice(optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "nesterov": Choice(optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "adagrad": Choice(optim.Adagrad, {"lr": 0.05}),
    "rmsprop": Choice(optim.RMSprop, {"lr": 0.005}),
    "adadelta": Choice(optim.Adadelta, {"lr": 1.0}),
    "adam": Choice(optim.Adam, {"lr": 0.01}),
    "adamw": Choice(optim.AdamW, {"lr": 0.01}),
    "amsgrad": Choice(optim.Adam, {"lr": 0.01, "amsgrad": True}),
    "adamax": Choice(optim.Adamax, {"lr": 0.02}),
    "nadam": Choice(optim.NAdam, {"lr": 0.01}),
    "radam": Choice(optim.RAdam, {"lr": 0.02}),
    "lion": Choice(optim.Lion, {"lr": 0.003}),
    "rprop": Choice(optim.Rprop, {"lr": 0.01}, full_batch=True),  # it goes by signs, which single batches would turn
}


def difference(params, expected):
    """The greatest difference, as a share of the largest weight of its array; NaN where there is one."""
    return np.max([np.abs(p - e).max() / np.abs(e).max() for p, e in zip(params, expected)])


def run(names, epochs, seed, compiled=True):
    """Prints a table of the optimizers and returns what failed; `compiled` says what Optimizer.step is here."""
    ways = ("compiled", "compiled   ratio") if compiled else ("in NumPy by step()", "  step()")
    print(
        f"\nHandwritten digits: {IMAGES} images to train on, the others to test; a network of\n"
        f"64-{HIDDEN}-10 units in plain NumPy, float64, batches of {BATCH}, epochs: {epochs}. Each optimizer\n"
        f"trains it twice from the same weights: stepping in NumPy, and {ways[0]}.\n\n"
        f"{'':40}      test    microseconds per step\n"
        f"{'optimizer':40}  accuracy     NumPy  {ways[1]}"
    )
    checked, apart = min(epochs, CHECKED), {}
    with tqdm(total=epochs * len(names), unit="epoch", miniters=1, leave=False, disable=None) as bar:  # if stderr is a terminal
        for name in names:
            bar.set_description(name)
            choice = OPTIMIZERS[name]
            plain, fast = Training(choice, seed, in_numpy=True), Training(choice, seed, in_numpy=False)
            for epoch in range(1, epochs + 1):
                plain.epoch()
                fast.epoch()
                if epoch == checked:
                    apart[name] = difference(fast.params, plain.params)
                bar.update()
            slow, quick = plain.microseconds(), fast.microseconds()
            tqdm.write(f"{choice!s:40}  {fast.accuracy():8.3f}  {slow:8.1f}  {quick:8.1f}" + f"{slow / quick:8.1f}" * compiled)
    failures = [
        f"{name}: weights after epoch {checked} differ by {share:.1e} of the largest; allowed {TOLERANCE:g}"
        for name, share in apart.items()
        if not share <= TOLERANCE
    ]
    if any(OPTIMIZERS[name].full_batch for name in names):
        print(f"Rprop takes {FULL_STEPS} steps an epoch, each after work on all {IMAGES} images, which makes it longer.")
    greatest = np.max(list(apart.values()))  # NaN where there is one
    print(f"Weights after epoch {checked}: the two trainings differ by {greatest:.1e} of the largest; allowed {TOLERANCE:g}.")
    return failures
