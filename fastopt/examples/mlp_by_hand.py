"""A perceptron of two sigmoid layers by hand: the kernels of fastopt, an optimizer, and cross-entropy written out.

The third input is 1 throughout and serves as bias; of the first two the network is to say whether one, and only one, is on. No
straight line parts these points, so it takes a hidden layer.
"""

import time

import numpy as np

from .. import SGD
from ..kernels import dense_backward, dense_forward
from .pictures import figure, save

POINTS = np.array([(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)], float)
LABELS = np.array([[0], [1], [1], [0]], float)
HIDDEN = 8  # four would do, but from some beginnings get stuck


def forward(weights, x):
    """The hidden layer (N, HIDDEN), and the probability (N, 1) that the label is 1."""
    hidden = dense_forward(x, weights[0], activation="sigmoid")
    return hidden, dense_forward(hidden, weights[1], activation="sigmoid")


def cross_entropy(p, labels):
    """-mean(t log p + (1 - t) log(1 - p)), and its gradient with respect to p."""
    loss = -np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p))
    return float(loss), (p - labels) / (p * (1 - p)) / len(p)


def gradients(weights, x, labels):
    """The loss, and its gradient with respect to each array of weights: back through the layers, by the chain rule."""
    hidden, p = forward(weights, x)
    loss, dp = cross_entropy(p, labels)
    dhidden, dlast, _ = dense_backward(dp, hidden, weights[1], p, "sigmoid", need=(True, True, False))
    _, dfirst, _ = dense_backward(dhidden, x, weights[0], hidden, "sigmoid", need=(False, True, False))
    return loss, [dfirst, dlast]


def main(data=None, epochs=2000, seed=0, output="."):
    """Returns (loss, probabilities (4, 1)). The four points are all the data there is: `data` is for the other examples."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(3, HIDDEN)), rng.normal(size=(HIDDEN, 1))]
    optimizer = SGD(weights, lr=1.0, momentum=0.9)  # updates the arrays where they lie

    losses = []
    start = time.perf_counter()
    for _ in range(epochs):
        loss, grads = gradients(weights, POINTS, LABELS)
        optimizer.step(grads)
        losses.append(loss)
    seconds = time.perf_counter() - start

    p = forward(weights, POINTS)[1]
    loss = cross_entropy(p, LABELS)[0]
    draw(weights, losses, output)
    for point, label, probability in zip(POINTS, LABELS[:, 0], p[:, 0]):
        print(f"{point[:2].astype(int)}  label {label:.0f}  probability of 1: {probability:.4f}")
    print(
        f"Steps: {epochs}, in {seconds:.2f} s, {seconds / epochs * 1e6:.0f} us each. Cross-entropy {losses[0]:.3f} at first, "
        f"{loss:.2e} now;\n{np.count_nonzero((p > 0.5) == LABELS)} of 4 right."
    )
    return loss, p


def draw(weights, losses, output):
    """The loss over the steps, and the probability over the square."""
    drawing, axes = figure(1, 2, (9, 4))
    if drawing is None:
        return
    curve, square = axes[0]
    curve.semilogy(losses)
    curve.set(xlabel="step", ylabel="cross-entropy")
    grid = np.linspace(-0.25, 1.25, 101)
    first, second = np.meshgrid(grid, grid)
    p = forward(weights, np.stack([first.ravel(), second.ravel(), np.ones(first.size)], axis=1))[1]
    shown = square.contourf(grid, grid, p.reshape(first.shape), np.linspace(0, 1, 11), cmap="RdBu")
    square.scatter(POINTS[:, 0], POINTS[:, 1], c=LABELS[:, 0], cmap="RdBu", edgecolors="black", s=80)
    square.set(xlabel="first input", ylabel="second input")
    drawing.colorbar(shown, label="probability of 1")
    save(drawing, output, "mlp_by_hand.png")
