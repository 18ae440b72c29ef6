"""A small network in plain NumPy, and its training on the handwritten digits by one optimizer: in NumPy, or by its own step()."""

import inspect
import time

import numpy as np

from .. import reference
from ..data import load_digits
from ..reference.optimizers import nadam_momentum

IMAGES, HIDDEN, BATCH = 1437, 32, 32  # images to train on (the others test), hidden units, images in a batch
FULL_STEPS = 5  # steps an epoch where every batch is all images


def new_network(rng):
    """Weights and biases: 64 inputs, a hidden layer, 10 outputs."""
    return [rng.normal(0, 64**-0.5, (64, HIDDEN)), np.zeros(HIDDEN), rng.normal(0, HIDDEN**-0.5, (HIDDEN, 10)), np.zeros(10)]


def forward(params, x):
    """The hidden layer's values, and the outputs: ten scores for each image."""
    w1, b1, w2, b2 = params
    h = np.tanh(x @ w1 + b1)
    return h, h @ w2 + b2


def gradients(params, x, y):
    """Of the mean cross-entropy of the scores' softmax, one for each of params."""
    h, scores = forward(params, x)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)  # the probability of each digit
    p[np.arange(len(y)), y] -= 1
    dscores = p / len(y)
    dh = dscores @ params[2].T * (1 - h**2)
    return [x.T @ dh, dh.sum(axis=0), h.T @ dscores, dscores.sum(axis=0)]


class NumPySteps:
    """Steps as plain NumPy code takes them: the definition of a rule in fastopt.reference, called for one parameter at a time.

    Takes parameters and options from `optimizer`, but never its step, and keeps states of its own.
    """

    def __init__(self, optimizer):
        rule, (group,) = optimizer.rule, optimizer.param_groups
        self.kernel, self.update, self.count = rule.kernel, getattr(reference, rule.kernel), 0
        self.options = {name: group[name] for name in inspect.signature(self.update).parameters if name in group}
        if self.kernel == "nadam":
            self.options["mu_product"] = 1.0
        self.params, self.states = group["params"], [[] for _ in group["params"]]
        for state in rule.states:
            first = group[state.first] if state.first else 0
            for param, states in zip(self.params, self.states):
                states.append(np.full_like(param, first) if state.needed(group) else None)

    def step(self, grads):
        self.count += 1
        for param, grad, states in zip(self.params, grads, self.states):
            self.update(param, grad, *states, step=self.count, **self.options)
        if self.kernel == "nadam":
            self.options["mu_product"] *= nadam_momentum(self.count, self.options["betas"][0], self.options["momentum_decay"])


class Training:
    """A network on its way: images, weights, what steps them, the nanoseconds of each step. The seed decides all that is random."""

    def __init__(self, choice, seed, in_numpy):
        x, y = load_digits()
        self.x, self.y, self.full_batch, self.nanoseconds = x.astype(np.float64), y, choice.full_batch, []
        self.rng = np.random.default_rng(seed)
        self.train, self.test = np.split(self.rng.permutation(len(x)), [IMAGES])
        self.params = new_network(self.rng)
        optimizer = choice.optimizer(self.params, **choice.options)
        self.stepper = NumPySteps(optimizer) if in_numpy else optimizer

    def epoch(self):
        order = self.rng.permutation(self.train)
        for batch in [order] * FULL_STEPS if self.full_batch else np.split(order, range(BATCH, len(order), BATCH)):
            grads = gradients(self.params, self.x[batch], self.y[batch])
            start = time.perf_counter_ns()
            self.stepper.step(grads)
            self.nanoseconds.append(time.perf_counter_ns() - start)

    def accuracy(self):
        """The share of the test images that are read rightly."""
        return np.mean(forward(self.params, self.x[self.test])[1].argmax(axis=1) == self.y[self.test])

    def microseconds(self):
        """Of a step, the median."""
        return np.median(self.nanoseconds) / 1000
