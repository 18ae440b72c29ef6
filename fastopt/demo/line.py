"""A line through noisy points, found by the five classical methods in their textbook form, beside least squares."""

from typing import NamedTuple

import numpy as np

from .. import optim
from ..optim.schedules import Exponential

POINTS = 100


class Method(NamedTuple):
    name: str
    optimizer: type
    options: dict
    steps: int
    tolerance: float
    single: bool = False  # a step sees one point, not all

    @property
    def rate(self):
        lr = self.options["lr"]
        return f"{lr.lr} * {lr.gamma}^t" if isinstance(lr, Exponential) else str(lr)


METHODS = (
    Method("gradient descent", optim.SGD, {"lr": 1.0}, 600, 1e-6),
    Method("stochastic gradient descent", optim.SGD, {"lr": Exponential(0.5, gamma=0.999)}, 10_000, 5e-3, single=True),
    Method("momentum", optim.SGD, {"lr": 1.0, "momentum": 0.9}, 600, 1e-6),
    Method("AdaGrad", optim.Adagrad, {"lr": 1.0}, 600, 1e-6),
    Method("RMSprop", optim.RMSprop, {"lr": Exponential(0.1, gamma=0.98)}, 600, 1e-6),  # its steps stay about as long as the rate
)


def points(rng):
    """x uniform on [0, 1), and y = 3x + noise, also uniform on [0, 1)."""
    x = rng.random(POINTS)
    return x, 3 * x + rng.random(POINTS)


def fit(method, x, y, rng):
    """The slope that minimises the mean of (slope x - y)^2 / 2, from 0 on."""
    slope = np.zeros(1)
    optimizer = method.optimizer(slope, like="textbook", **method.options)
    for step in range(method.steps):
        if method.single and step % POINTS == 0:
            order = rng.permutation(POINTS)  # each pass in another order
        chosen = order[step % POINTS, None] if method.single else slice(None)
        optimizer.step(np.mean((slope * x[chosen] - y[chosen]) * x[chosen], keepdims=True))
    return slope[0]


def run(seed):
    """Prints a table of the methods and returns what failed."""
    rng, failures = np.random.default_rng(seed), []
    x, y = points(rng)
    least_squares = x @ y / (x @ x)
    print(
        f"\nA line: y = slope x through {POINTS} points y = 3x + noise, x and the noise uniform on\n"
        f'[0, 1), with like="textbook". Least squares gives slope {least_squares:.6f}, not 3: the noise has\n'
        "mean 0.5, which a line through the origin can only take up in its slope.\n\n"
        f"{'method':27}  {'learning rate':14}   steps     slope     error  allowed"
    )
    for method in METHODS:
        slope = fit(method, x, y, rng)
        error = slope - least_squares
        print(f"{method.name:27}  {method.rate:14}  {method.steps:6}  {slope:8.6f}  {error:8.1e}  {method.tolerance:7g}")
        if not abs(error) <= method.tolerance:
            failures.append(f"{method.name}: slope {slope:.6f} is {error:.1e} off least squares, allowed {method.tolerance:g}")
    return failures
