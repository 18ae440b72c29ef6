"""Program: a graph made ready to run forward and backward, with a context for every call in it."""

import numpy as np

from . import masks as masking
from .call import Call


class Program:
    """The steps of a graph with their contexts, in flat lists of bound methods.

    reuse: whether workspace serves again at the next pass; otherwise results and gradients are fresh arrays. wanted: whether the
    gradients of the inputs are.
    output_masks: those of the outputs of the last forward pass, None for an output without.

    A gradient belongs to whoever gets it: a layer overwrites the dy that it is given, and where a tensor went to several layers
    their gradients are added into the first, in the order in which the steps run backward.
    """

    def __init__(self, graph, reuse=False, wanted=True):
        self.graph, self.wanted = graph, wanted
        self.calls = [Call(reuse) for _ in graph.steps]
        self.penalties = [
            _Penalized(step.layer, call) for step, call in zip(graph.steps, self.calls) if step.layer.activity_regularizer
        ]
        runs = {id(penalized.call): penalized for penalized in self.penalties}
        for step, call in zip(graph.steps, self.calls):
            call.trainable = step.layer.trainable
        self._runs = [runs.get(id(call), step.layer) for step, call in zip(graph.steps, self.calls)]
        self._forward = [
            (run.compute, call, step.source, step.target, step.training)
            for run, call, step in zip(self._runs, self.calls, graph.steps)
        ]
        self._seeds = self._backward = None
        self.kept = True
        self.output_masks = [None] * len(graph.outputs)
        self._masked = graph.makes_masks  # or since one was fed

    def keep(self, kept):
        """Whether backward may follow the next forward passes: where it may not, they leave out what only it needs."""
        if self.kept != kept:
            self.kept = kept
            for call in self.calls:
                call.keep = kept

    def forward(self, inputs, training=True, masks=None):
        """The outputs, a list of arrays, for a list of arrays; masks: one for each input, or None."""
        if self._masked or masks is not None:
            return self._forward_masked(inputs, training, masks)
        values = [*inputs, *self.graph.rest]
        for compute, call, source, target, fixed in self._forward:
            x = values[source] if source.__class__ is int else [values[slot] for slot in source]
            y = compute(call, x, training if fixed is None else fixed)
            if target.__class__ is int:
                values[target] = y
            else:
                for slot, part in zip(target, y):
                    values[slot] = part
        return [values[slot] for slot in self.graph.output_slots]

    def _forward_masked(self, inputs, training, masks):
        """forward, where masks go along with the values."""
        self._masked = True
        values, known = [*inputs, *self.graph.rest], masking.begin(self.graph, masks)
        for (compute, call, source, target, fixed), step in zip(self._forward, self.graph.steps):
            x = _taken(values, source)
            call.mask = masking.at(known, source)
            _put(values, target, compute(call, x, training if fixed is None else fixed))
            masking.carry(step.layer, x, call.mask, known, target)
        self.output_masks = [known[slot] for slot in self.graph.output_slots]
        return [values[slot] for slot in self.graph.output_slots]

    def backward(self, dys, accumulate=False):
        """Writes the gradients of the weights, or adds them; returns those of the inputs, None for one that has no influence.

        dys: gradients of the outputs, which are overwritten; None for an output that does not count.
        """
        seeds = [dy is not None for dy in dys], accumulate
        if seeds != self._seeds:
            self._plan(*seeds)
        for array in self._idle:
            array.fill(0)
        slopes = [None] * self.graph.size
        for slot, dy in zip(self.graph.output_slots, dys):
            if dy is not None:
                _add(slopes, slot, dy)
        for gradient, call, source, target in self._backward:
            if target.__class__ is int:
                dx = gradient(call, slopes[target])
                slopes[target] = None
            else:
                dx = gradient(call, [slopes[slot] for slot in target])
            if not call.need_dx:
                continue
            if source.__class__ is int:
                if slopes[source] is None:
                    slopes[source] = dx
                else:
                    slopes[source] += dx
            else:
                for slot, part in zip(source, dx):
                    _add(slopes, slot, part)
        return [slopes[slot] for slot in self.graph.input_slots] if self.wanted else None

    def want(self, wanted):
        """Whether backward is to give the gradients of the inputs, from now on."""
        if self.wanted != wanted:
            self.wanted, self._seeds = wanted, None

    def _plan(self, seeds, accumulate):
        """Lists the steps to run backward, where these outputs have gradients."""
        graph, self._seeds = self.graph, None  # until all is listed
        upstream = set(graph.input_slots) if self.wanted else set()  # slots whose gradients lead somewhere
        for step, call in zip(graph.steps, self.calls):
            call.out = None
            call.need_dx = step.layer.index_limit is None and not upstream.isdisjoint(slots(step.source))
            if call.need_dx or self._trained(step.layer, call):
                upstream.update(slots(step.target))
        reached = {slot for slot, seed in zip(graph.output_slots, seeds) if seed}
        self._backward, written, cleared = [], set(), set()  # written: layers, in wrappers the inner ones
        for step, call, run in reversed(list(zip(graph.steps, self.calls, self._runs))):
            targets = slots(step.target)
            if reached.isdisjoint(targets) or upstream.isdisjoint(targets):
                continue
            reached.update(slots(step.source) if step.layer.index_limit is None else ())
            owners = {weight.layer for weight in step.layer.weights}
            call.accumulate = accumulate or not written.isdisjoint(owners)
            if call.accumulate:
                cleared |= owners - written
            written |= owners
            self._backward.append((run.gradient, call, step.source, step.target))
        trained = [weight for step, call in zip(graph.steps, self.calls) for weight in self._trained(step.layer, call)]
        idle = [weight for weight in trained if weight.layer not in written or weight.layer in cleared]
        self._idle = [] if accumulate else [weight.grad for weight in idle]
        self._seeds = seeds, accumulate

    @staticmethod
    def _trained(layer, call):
        """The weights of a layer that get gradients in this program."""
        return [weight for weight in layer.weights if weight.trainable] if call.trainable else []

    def penalty(self):
        """The penalties on results of layers in the last forward pass."""
        return sum(penalized.value for penalized in self.penalties)


class _Penalized:
    """A layer with an activity regulariser, in one call: its penalty, that of each result, is divided by the number of rows."""

    def __init__(self, layer, call):
        self.layer, self.call, self.value = layer, call, 0.0

    def compute(self, call, x, training):
        y = self.layer.compute(call, x, training)
        self.results = y if isinstance(y, list) else [y]
        self.value = sum(self.layer.activity_regularizer(part) / max(len(part), 1) for part in self.results)
        return y

    def gradient(self, call, dy):
        dys = dy if isinstance(dy, list) else [dy]
        for i, y in enumerate(self.results):
            slope = np.zeros_like(y)
            self.layer.activity_regularizer.add_gradient(y, slope)
            slope *= 1 / max(len(y), 1)
            if dys[i] is None:
                dys[i] = slope
            else:
                dys[i] += slope
        return self.layer.gradient(call, dy)


def run(graph, inputs, masks=None):
    """The outputs of a graph for a list of arrays, in inference; nothing is kept, so several threads may do this at once.

    masks: one for each input, or None.
    """
    if graph.makes_masks or masks is not None:
        return _run_masked(graph, inputs, masks)
    values = [*inputs, *graph.rest]
    for layer, source, target, fixed in graph.steps:
        x = values[source] if source.__class__ is int else [values[slot] for slot in source]
        y = layer.compute(Call(), x, True) if fixed else layer.infer(x)
        if target.__class__ is int:
            values[target] = y
        else:
            for slot, part in zip(target, y):
                values[slot] = part
    return [values[slot] for slot in graph.output_slots]


def _run_masked(graph, inputs, masks):
    """run, where masks go along with the values."""
    values, known = [*inputs, *graph.rest], masking.begin(graph, masks)
    for layer, source, target, fixed in graph.steps:
        x, mask = _taken(values, source), masking.at(known, source)
        if fixed or mask is not None:
            call = Call()
            call.mask, call.keep = mask, False
            y = layer.compute(call, x, bool(fixed))
        else:
            y = layer.infer(x)
        _put(values, target, y)
        masking.carry(layer, x, mask, known, target)
    return [values[slot] for slot in graph.output_slots]


def _taken(values, source):
    return values[source] if source.__class__ is int else [values[slot] for slot in source]


def _put(values, target, y):
    for slot, part in ((target, y),) if target.__class__ is int else zip(target, y):
        values[slot] = part


def slots(numbers):
    """One slot or several, as a tuple."""
    return (numbers,) if numbers.__class__ is int else numbers


def _add(slopes, slot, dy):
    if slopes[slot] is None:
        slopes[slot] = dy
    else:
        slopes[slot] += dy
