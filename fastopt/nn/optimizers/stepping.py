"""What Keras's optimizers do in a call of step beside the step: gradients added up over calls, averages kept and put in place."""

import numpy as np

from ... import checks, kernels

SUM, ADDED = "gradient_sum", "gradients_added"  # in the state of each parameter


class Stepping:
    """Base of KerasOptimizer. As in Keras a schedule counts calls, while averages move, and may overwrite, in every one."""

    _sums, _added = None, 0  # of the gradients since the last step, an array or None for each parameter; how many

    def _step_with_more(self, grads, *, clip_norm=None, clip_value=None, grad_scale=1.0, skip_nonfinite=False, clip_each=False):
        """Takes the place of step where gradients are added up or averages kept."""
        self._need_parameters("step")
        clip_norm, clip_value, grad_scale = self._checked(clip_norm, clip_value, grad_scale, clip_each)
        if self.gradient_accumulation_steps:
            grads, grad_scale = self._add(grads, grad_scale), float(self.gradient_accumulation_steps)
        if grads is None:
            self._average()
        else:
            type(self).step(self, grads, clip_norm=clip_norm, clip_value=clip_value, grad_scale=grad_scale,
                            skip_nonfinite=skip_nonfinite, clip_each=clip_each)  # fmt: skip
            self._added = 0
            self._begin_averages()
        if self.ema_overwrite_frequency and (self.steps + (grads is None)) % self.ema_overwrite_frequency == 0:
            self.finalize_variable_values()

    def _add(self, grads, grad_scale):
        """Adds gradients to the sums; where those are complete with them, changes nothing and returns what they come to."""
        flat = [checks.array_of(grad) for grad in self._flatten(grads)]
        for label, param, grad in zip(self._labels, self._params, flat):
            if grad is not None:
                checks.gradient(f"{type(self).__name__}.step", label, param, grad)
        if grad_scale != 1:
            flat = [None if grad is None else grad * grad.dtype.type(1 / grad_scale) for grad in flat]
        sums = self._sums if self._added else [None] * len(flat)
        if self._added == self.gradient_accumulation_steps - 1:
            return self._unflatten([a if b is None else b if a is None else a + b for a, b in zip(sums, flat)])
        for i, grad in enumerate(flat):
            if grad is not None:
                sums[i] = grad.copy() if sums[i] is None else np.add(sums[i], grad, out=sums[i])
        self._sums, self._added = sums, self._added + 1
        return None

    def _average(self):
        """The averages of a call that is no step; before the first step they are the parameters."""
        for param, average in zip(self._params, self._averages):
            if average is not None:
                kernels.ema(average, param, decay=self.ema_momentum if self.steps else 0.0)

    def _begin_averages(self):
        """Keras's averages are at first what the first step leaves."""
        if self.use_ema and self.steps == 1:
            for group in self.param_groups:
                group["ema"] = self.ema_momentum

    def finalize_variable_values(self, trainable_variables=None):
        """With use_ema, puts the averages in the place of the parameters; fit does so at its end. trainable_variables: not used."""
        if self.use_ema and self._stepper is not None and self.steps:
            for param, average in zip(self._params, self._averages):
                param[...] = average

    def _calls(self, steps):
        """The calls that a schedule counts at the step after so many."""
        return steps if self.gradient_accumulation_steps is None else (steps + 1) * self.gradient_accumulation_steps - 1

    def _rate(self, k, count):
        return super()._rate(k, self._calls(count))

    def _unbind(self):
        super()._unbind()
        self._sums, self._added = None, 0

    def state_dict(self):
        """As fastopt's; gradients added up since the last step stand there as "gradient_sum", their number as "gradients_added"."""
        given = super().state_dict()
        for i, total in enumerate(self._sums if self._added else ()):
            given["state"][i] |= {ADDED: self._added} | ({} if total is None else {SUM: total.copy()})
        return given

    def load_state_dict(self, state_dict):
        """Takes what state_dict gave; everything is checked before anything is taken."""
        given, sums, added = self._without_sums(state_dict)
        super().load_state_dict(given)
        self._sums, self._added = sums, added

    def _without_sums(self, given):
        """(the state_dict without gradients added up, these, their number)."""
        try:
            states = {i: dict(state) for i, state in given["state"].items()}
            given = {**given, "state": states}
        except (TypeError, KeyError, AttributeError, ValueError):
            return given, None, 0  # no state_dict, which the optimizer's own check will say
        self._need_parameters("load_state_dict")
        owner, counts, sums = f"{type(self).__name__}.load_state_dict", {0}, [None] * len(self._params)
        for i, state in states.items():
            counts.add(state.pop(ADDED, 0))
            total = state.pop(SUM, None)
            if total is not None and i in range(len(sums)):
                sums[i] = np.array(total)
                checks.gradient(owner, self._labels[i], self._params[i], sums[i])
        most = (self.gradient_accumulation_steps or 1) - 1
        added = max(counts)
        if len(counts) > 2 or not 0 <= added <= most:
            raise ValueError(f"{owner}: {ADDED} are {sorted(counts - {0})}, expected one number of at most {most}")
        return given, sums, int(added)
