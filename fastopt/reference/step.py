"""A step over all parameters of an optimizer, in plain NumPy: the definition of what fastopt._core.Stepper does."""

import inspect
import math

import numpy as np

from .. import checks
from . import optimizers

OF_FIRST_STEP = (optimizers.sgd, optimizers.rprop)  # to these the step only tells whether it is the first with their states


def clip_factor(norm, clip_norm, rule):
    """What gradients are multiplied by so that their norm becomes at most clip_norm: torch's formula (rule 0), the plain one (1),
    Keras's for the norm of all (2)."""
    if math.isinf(clip_norm):
        return 1.0
    if rule == 2:
        return clip_norm * min(1 / norm, 1 / clip_norm) if 0 < norm < math.inf else 1.0 if norm == 0 else math.nan
    bound = norm + 1e-6 if rule == 0 else norm
    factor = clip_norm / bound if bound else math.inf
    return factor if not factor > 1 else 1.0


class Stepper:
    """The parameters of an optimizer with their states; see fastopt._core.Stepper for the arguments."""

    def __init__(self, owner, kernel, params, labels, plain, group_of, groups, clip_rule, count_all):
        self.owner, self.params, self.labels, self.group_of, self.groups = owner, params, labels, group_of, groups
        self.clip_rule, self.count_all, self.checked = clip_rule, count_all, len(groups)
        self.kernel = getattr(optimizers, kernel)
        self.options = [name for name, p in inspect.signature(self.kernel).parameters.items() if p.kind is p.KEYWORD_ONLY]
        self.states, self.views = [{} for _ in params], [param.view() for param in params]
        self.done, self.born = [0] * len(params), [0] * len(params)  # steps, and those before the states were made
        self.products = [1.0] * len(params)  # NAdam's
        self.last = (None, False, None, None)
        self.steps = 0

    def attach(self, i, k, array):
        self.states[i][k] = array

    def begin(self, i):
        self.born[i] = self.done[i]

    def counts(self, i):
        return self.done[i], self.products[i], self.born[i]

    def set_counts(self, i, step, mu_product, born):
        self.done[i], self.products[i], self.born[i] = int(step), mu_product, int(born)

    def report(self):
        return self.last

    def step(self, optimizer, grads, clip_norm, clip_value, grad_scale, skip_nonfinite, clip_each):
        flat = [checks.array_of(grad) for grad in optimizer._flatten(grads)]
        for label, param, then, grad in zip(self.labels, self.params, self.views, flat):
            if not param.flags.writeable or param.__array_interface__ != then.__array_interface__:
                checks.moved(self.owner, label)
            if grad is not None:
                checks.gradient(self.owner, label, param, grad)
                checks.unshared(self.owner, label, self.labels, self.params, grad)
        if len(self.groups) != self.checked:
            raise ValueError(f"{self.owner}: there are {len(self.groups)} groups, expected {self.checked} as at construction")
        for k in range(len(self.groups)):
            optimizer._refresh(k, self.steps)
        rates = [optimizer._rate(k, self.steps) if callable(group["lr"]) else group["lr"] for k, group in enumerate(self.groups)]
        for k in range(len(self.groups)):
            optimizer._equip(k)
        limit = math.inf if clip_value is None else clip_value
        factors, self.last = [1.0] * len(flat), (None, False, None, None)
        with np.errstate(all="ignore"):
            if clip_norm is not None or skip_nonfinite:
                sums = [0.0 if g is None else _sum_of_squares(np.clip(g * (1 / grad_scale), -limit, limit)) for g in flat]
                norm = math.sqrt(sum(sums))
                bad = ((i, checks.first_nonfinite(g, grad_scale)) for i, g in enumerate(flat) if g is not None)
                tensor, index = next((found for found in bad if found[1] is not None), (None, None))
                self.last = (norm, skip_nonfinite and tensor is not None, tensor, index)
                if self.last[1]:
                    return
                if clip_each:
                    rule = min(self.clip_rule, 1)  # the plain one in Keras
                    factors = [clip_factor(math.sqrt(of_one), clip_norm, rule) for of_one in sums]
                elif clip_norm is not None:
                    factors = [clip_factor(norm, clip_norm, self.clip_rule)] * len(flat)
            for i, grad in enumerate(flat):
                if grad is not None:
                    scaling = {"grad_scale": grad_scale, "clip_value": limit, "clip_factor": factors[i]}
                    self._update(i, grad, rates[self.group_of[i]], scaling)
                if grad is not None or self.count_all:
                    self._count(i)
        self.steps += 1

    def _update(self, i, grad, rate, scaling):
        group, states, step = self.groups[self.group_of[i]], self.states[i], self.done[i] + 1
        options = {name: _plain(group[name]) for name in self.options if name in group} | scaling
        if "lr" in options:
            options["lr"] = _plain(rate)
        if "mu_product" in self.options:
            options["mu_product"] = self.products[i]
        if self.kernel in OF_FIRST_STEP:
            step -= self.born[i]
        named = [states.get(k) for k in range(max(states, default=-1) + 1)]
        self.kernel(self.params[i], grad, *named, step=step, **options)
        if group["ema"] is not None:
            optimizers.ema(states[-1], self.params[i], decay=group["ema"])

    def _count(self, i):
        self.done[i] += 1
        group = self.groups[self.group_of[i]]
        if "mu_product" in self.options:
            self.products[i] *= optimizers.nadam_momentum(self.done[i], group["betas"][0], group["momentum_decay"])


def _sum_of_squares(array):
    return float(np.sum(np.square(array, dtype=np.float64)))


def _plain(value):
    """A Python number for one of NumPy's, whose dtype would decide that of the result."""
    return value.item() if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 else value
