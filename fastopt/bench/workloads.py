"""What is stepped: lists of shapes, float32, from a bias to thirty million parameters."""

import numpy as np


def transformer(layers=12, width=256, vocabulary=10_000, context=256):
    """The shapes of a small GPT: 148 tensors for twelve layers."""
    layer = [(width,), (width,), (width, 3 * width), (3 * width,), (width, width), (width,),
             (width,), (width,), (width, 4 * width), (4 * width,), (4 * width, width), (width,)]  # fmt: skip
    return [(vocabulary, width), (context, width), *layers * layer, (width,), (width,)]


WORKLOADS = {
    "one tensor of 1,000": [(1000,)],
    "6 tensors of an MLP, 17 thousand in all": [(64, 128), (128,), (128, 64), (64,), (64, 10), (10,)],
    "200 tensors of 1,000": 200 * [(1000,)],
    "one of 100 thousand": [(100_000,)],
    "one of a million": [(1_000_000,)],
    "148 tensors, 12 million": transformer(),
    "one of 30 million": [(30_000_000,)],
}
ONE_TENSOR = {f"{10**k:,}": [(10**k,)] for k in range(2, 9)}  # how cost grows


def draw(shapes, dtype=np.float32):
    """Parameters and gradients."""
    rng = np.random.default_rng(0)
    return tuple([rng.standard_normal(shape, dtype) for shape in shapes] for _ in range(2))


def bytes_per_parameter(name, itemsize=4):
    """What a step must move to and from memory: parameter and gradient read, parameter written, each state read and written."""
    from ..optim.rules import RULES

    rule = RULES[name]
    options = rule.defaults(next(iter(rule.presets)))
    return itemsize * (3 + 2 * sum(state.needed(options) for state in rule.states))
