"""Recurrence: the passes of a recurrent layer, forward and backward, each one call of a kernel for all steps."""

import numpy as np

from .. import kernels
from .states import TakesStates
from .unmasked import Unmasked


class Recurrence(TakesStates):
    """The part of Recurrent that computes and differentiates."""

    def compute(self, call, x, training):
        return self._finish(call, *self.scan(call, x, training))

    def _finish(self, call, y, states):
        if self.return_sequences and self.go_backwards:
            y = _flipped(y, call.buffer("y_flipped", y.shape, y.dtype))
        return [y, *states] if self.return_state else y

    def scan(self, call, x, training):
        """(y, final states): y as the layer returns it, but each step's output in the place of the step, whatever go_backwards."""
        call.several = isinstance(x, (list, tuple))
        x, states = (x[0], list(x[1:])) if call.several else (x, call.initial_state)
        call.x_shape, call.dtype = x.shape, x.dtype
        states = self._first_states(call, states)
        steps = call.steps = self._steps(call, x)
        if steps is not None:
            x = steps.gather(call, x)
        y = call.buffer("y", (*x.shape[:2], self.output_size), x.dtype)
        dropout, recurrent_dropout = self._noise(call, x) if training else (None, None)
        y, *finals, saved = getattr(kernels, self.forward_kernel)(
            x, self.kernel, self.recurrent_kernel, self.bias, *(states or [None] * self.state_count), **self.options(),
            lengths=None if steps is None else steps.lengths, reverse=self.go_backwards, dropout=dropout,
            recurrent_dropout=recurrent_dropout, keep=call.keep,
            out=(y, *self._rows(call, "state"), vars(call).get("saved") if call.keep else None))  # fmt: skip
        if call.keep:  # otherwise the memory of the last pass that did stays for the next that will
            call.saved = saved
        if self.stateful:
            for mine, state in zip(self.states, finals):
                mine[...] = state
        if not self.return_sequences:
            return self._last_output(call, finals[0], states is not None), finals
        return (y if steps is None else steps.spread(call, y)), finals

    def _last_output(self, call, h, started):
        """The output at the last step in time: the final state, except in rows where that step shows 0."""
        call.silent = None
        if call.steps is not None:
            mask = call.steps.mask
            if self.zero_output_for_mask:
                call.silent = ~mask[:, 0 if self.go_backwards else -1]
            elif started:
                call.silent = call.steps.lengths == 0
        if call.silent is None and not self.return_state:
            return h
        y = call.buffer("last", h.shape, h.dtype)
        y[...] = h
        if call.silent is not None:
            y[call.silent] = 0
        return y

    def _first_states(self, call, states):
        rows = call.x_shape[0]
        if states is not None:
            return self.checked(states, rows)
        if self.stateful:
            if rows != len(self.states[0]):
                raise ValueError(f"{self.name}: stateful=True, built for batches of {len(self.states[0])} rows, got {rows}")
            states = self._rows(call, "first")  # the layer's own are overwritten before gradient needs them
            for state, mine in zip(states, self.states):
                state[...] = mine
        return states

    def _rows(self, call, name):
        """Workspace like the states."""
        return [call.buffer(f"{name}{i}", (call.x_shape[0], n), call.dtype) for i, n in enumerate(self.state_sizes)]

    def _steps(self, call, x):
        mask = call.mask[0] if isinstance(call.mask, (list, tuple)) else call.mask
        if mask is None:
            return None
        mask = np.asarray(mask, bool)
        if mask.shape != x.shape[:2]:
            raise ValueError(f"{self.name}: mask has shape {mask.shape}, expected {x.shape[:2]} = (batch, timesteps)")
        return None if mask.all() else Unmasked(mask, self.go_backwards, self.zero_output_for_mask)

    def _noise(self, call, x):
        """The multipliers of this pass for x and for the state, None where there are none."""
        if not (self.dropout or self.recurrent_dropout):
            return None, None
        own = self.recurrent_dropout > 0 and self.gates > 1
        drawn = []
        for i, (share, width) in enumerate(((self.dropout, x.shape[2]), (self.recurrent_dropout, self.output_size))):
            noise = None
            if share:
                noise = call.buffer(f"noise{i}", (len(x), self.gates, width) if own else (len(x), width), x.dtype)
                noise.fill(1)
                kernels.dropout(noise, share, seed=self.seed, step=2 * self.step + i, out=noise)
            drawn.append(noise)
        self.step += 1
        return drawn

    def gradient(self, call, dy):
        dy, slopes = (dy[0], dy[1:]) if self.return_state else (dy, [None] * self.state_count)
        if self.return_sequences and self.go_backwards and dy is not None:
            dy = _flipped(dy, call.buffer("dy_flipped", dy.shape, dy.dtype))
        return self.unscan(call, dy, slopes)

    def unscan(self, call, dy, slopes):
        """dx, or a list of it and the gradients of the first states, for dy and slopes, those of what scan returned; or None."""
        steps, slopes = call.steps, list(slopes)
        if self.return_sequences:
            if dy is not None and steps is not None:
                dy = steps.collect(call, dy)
        else:
            if dy is not None and call.silent is not None:
                dy[call.silent] = 0
            if slopes[0] is None:
                slopes[0] = dy
            elif dy is not None:
                slopes[0] += dy
            dy = None
        dx, firsts = None, [None] * self.state_count
        if call.need_dx:
            dx = call.buffer("dx", call.x_shape, call.dtype)
            firsts = self._rows(call, "dfirst") if call.several else firsts
        grads = {weight.name: weight.grad for weight in self._weights} if call.trainable else {}
        out = dx, *(grads.get(name) for name in ("kernel", "recurrent_kernel", "bias")), *firsts, *self.further(grads)
        getattr(kernels, self.backward_kernel)(
            dy, *slopes, call.saved, need=tuple(array is not None for array in out), accumulate=call.accumulate, out=out
        )
        if call.need_dx and steps is not None:
            dx = steps.scatter(call, dx)
        return [dx, *firsts] if call.several else dx

    def options(self):
        """What the forward kernel takes beside the common arguments."""
        return {"activation": self.activation.kernel}

    def further(self, grads):
        """The entries that the results of the backward kernel have beside those of all layers."""
        return ()


def _flipped(array, out):
    out[...] = array[:, ::-1]
    return out
