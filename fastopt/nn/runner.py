"""Runner: a compiled model at work: its program and workspace, the heads of its outputs, the optimizer on its weights."""

import functools

import numpy as np

from .program import Program, slots
from .storage import spans


class Runner:
    """Made by compile, or once the model is built; what trains is fixed then, as in Keras."""

    def __init__(self, model, heads, optimizer):
        self.graph, self.heads, self.optimizer = model.graph, heads, optimizer
        self.program = Program(model.graph, reuse=True, wanted=False)
        self.weights = model.trainable_weights
        options = getattr(optimizer, "step_options", {})
        values, self.gradients = spans(self.weights, apart=options.get("clip_each", False))
        if optimizer is model._optimizer and not optimizer.steps and not _same(optimizer.param_groups, values):
            optimizer._unbind()  # of what the model was before; it has done nothing yet
        if values and not optimizer.param_groups:
            optimizer.bind(values)
        elif values and not _same(optimizer.param_groups, values):
            raise ValueError(
                "compile: the optimizer already has parameters, those of another model or of other layers; make a new one"
            )
        self._step = functools.partial(optimizer.step, **options) if options else optimizer.step
        self._penalized = [(w.regularizer, w.value, w.grad) for w in self.weights if w.regularizer is not None]
        self._constrained = [w for w in self.weights if w.constraint is not None]
        for slot, head in zip(self.graph.output_slots, heads):
            at = self._maker(slot)
            if at is not None and head.fuse(self.graph.steps[at].layer.activation):
                self.program.calls[at].linear = True
        self.without_loss = all(head.loss is None for head in heads) and not self._penalized and not self.program.penalties
        self.single = len(heads) == len(self.graph.inputs) == 1
        self.lists = len(heads) > 1 or any(any(head.identifiers) for head in heads)  # whether results are more than the loss
        self.total, self.count = 0.0, 0

    def _maker(self, slot):
        """The number of the step whose activation can be left to the loss: nothing else takes its result."""
        makers = [i for i, step in enumerate(self.graph.steps) if step.target == slot]
        used = any(slot in slots(step.source) for step in self.graph.steps) or self.graph.output_slots.count(slot) > 1
        if not makers or used:
            return None
        layer = self.graph.steps[makers[0]].layer
        return makers[0] if layer.splits and layer.activity_regularizer is None else None

    def check_loss(self, owner):
        """Raises ValueError where there is nothing to minimise."""
        if self.without_loss:
            raise ValueError(f"{owner}: there is no loss; give compile one, as in compile(loss='mse')")

    def reset(self):
        """Starts the means of losses and metrics anew."""
        self.total, self.count = 0.0, 0
        for head in self.heads:
            head.reset()

    def train(self, inputs, targets, weights, masks=None):
        """One step: forward, losses, backward, optimizer, constraints. masks: one for each input, or None."""
        self.program.keep(True)
        outputs = self.program.forward(inputs, True, masks)
        total, slopes = 0.0, []
        for head, z, y, weight, mask in zip(self.heads, outputs, targets, weights, self.program.output_masks):
            value, dy = head.judge(z, y, weight, mask)
            total += value
            slopes.append(dy)
        self.program.backward(slopes)
        for regularizer, value, gradient in self._penalized:
            total += regularizer.add_gradient(value, gradient)
        if self.program.penalties:
            total += self.program.penalty()
        if self.gradients:
            self._step(self.gradients)
        for weight in self._constrained:
            weight.constrain()
        size = len(inputs[0])
        self.total += total * size
        self.count += size

    def test(self, inputs, targets, weights, masks=None):
        """Losses and metrics in inference."""
        self.program.keep(False)
        outputs = self.program.forward(inputs, False, masks)
        total = self.program.penalty() if self.program.penalties else 0.0
        for head, z, y, weight, mask in zip(self.heads, outputs, targets, weights, self.program.output_masks):
            total += head.judge(z, y, weight, mask)[0]
        for regularizer, value, _ in self._penalized:
            total += regularizer(value)
        size = len(inputs[0])
        self.total += total * size
        self.count += size

    def metrics(self):
        """[(name, metric)] of all outputs, named and ordered as in Keras."""
        found, taken = [], set()
        for group in "metrics", "weighted":
            for head in self.heads:
                prefix = f"{head.name}_" if len(self.heads) > 1 else ""
                for metric in getattr(head, group) or ():
                    name = prefix + metric.name
                    if name in taken and group == "weighted":
                        name = f"{prefix}weighted_{metric.name}"
                    stem, again = name, 0
                    while name in taken:
                        again += 1
                        name = f"{stem}_{again}"
                    taken.add(name)
                    found.append((name, metric))
        return sorted(found, key=lambda pair: pair[0]) if len(self.heads) > 1 else found

    def results(self):
        """{"loss": mean, ...} since the last reset: the loss, with several those of the outputs, the metrics."""
        count = self.count or 1
        logs = {"loss": self.total / count}
        counted = [head for head in self.heads if head.loss is not None]
        if len(counted) > 1:
            logs.update((f"{head.name}_loss", head.total / count) for head in counted)
        for name, metric in self.metrics():
            value = metric.result()
            logs[name] = value if np.ndim(value) else float(value)
        return logs


def _same(groups, values):
    """Whether an optimizer's parameters are these arrays."""
    params = [param for group in groups for param in group["params"]]
    return len(params) == len(values) and all(
        p.ctypes.data == v.ctypes.data and p.size == v.size and p.dtype == v.dtype for p, v in zip(params, values)
    )
