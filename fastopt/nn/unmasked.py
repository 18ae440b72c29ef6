"""Unmasked: the steps of a masked batch that count, as a recurrent kernel takes them, and results in the places of all."""

import numpy as np


class Unmasked:
    """What follows from a mask (B, T), True for the steps that count, for one direction of time.

    lengths (B,): how many count in each row. Where they stand first in their rows (padding on the right) the arrays go to the
    kernel as they are; otherwise the steps that count are gathered to the front of each row, in their order.

    A masked step shows the result of the step before it in time, the first ones of a row 0; with `zeros` every masked step is 0.
    """

    def __init__(self, mask, backwards=False, zeros=False):
        self.mask, self.backwards = mask, backwards
        self.lengths = mask.sum(1)
        begins, ends = (mask[:, 1:] & ~mask[:, :-1]).any(), (mask[:, :-1] & ~mask[:, 1:]).any()
        self.repeats = bool(begins if backwards else ends) and not zeros  # whether a masked step shows another one's result
        self.gathered = bool(begins)
        if not self.gathered:
            return
        starts = np.arange(len(mask))[:, None] * mask.shape[1]
        passed, behind = mask.cumsum(1), self.lengths[:, None]  # behind the last that counts kernels write 0
        self.order = (np.argsort(~mask, axis=1, kind="stable") + starts).ravel()
        self.own = (np.where(mask, passed - 1, behind) + starts).ravel()
        if self.repeats:
            self.shown = ((passed - mask if backwards else np.where(passed > 0, passed - 1, behind)) + starts).ravel()
        else:
            self.shown = self.own

    def gather(self, call, x):
        """x (B, T, n) as the kernel takes it. Results that are no part of the argument are workspace of the call."""
        return self._take(call, "x_gathered", x, self.order) if self.gathered else x

    def spread(self, call, y):
        """The results of all steps from those of the kernel, over which it may write."""
        if self.gathered:
            return self._take(call, "y_spread", y, self.shown)
        if self.repeats:
            for row, length in enumerate(self.lengths):
                if 0 < length < y.shape[1]:
                    y[row, length:] = y[row, length - 1]
        return y

    def collect(self, call, dy):
        """The gradient of the kernel's results from that of all steps, over which it may write: the transpose of spread."""
        if self.gathered:
            if self.repeats:
                self._pass_back(dy)
            return self._take(call, "dy_gathered", dy, self.order)
        if self.repeats:
            for row, length in enumerate(self.lengths):
                if 0 < length < dy.shape[1]:
                    dy[row, length - 1] += dy[row, length:].sum(0)
        return dy

    def scatter(self, call, dx):
        """The gradient of x from the kernel's: the transpose of gather."""
        return self._take(call, "dx_scattered", dx, self.own) if self.gathered else dx

    def _pass_back(self, dy):
        """Adds the gradient of each masked step to that of the step before it in time, the last in time first."""
        steps, before = (range(dy.shape[1] - 1), 1) if self.backwards else (range(dy.shape[1] - 1, 0, -1), -1)
        for step in steps:
            rows = np.flatnonzero(~self.mask[:, step])
            if rows.size:
                dy[rows, step + before] += dy[rows, step]

    @staticmethod
    def _take(call, name, array, order):
        """The steps of an array (B, T, n) in this order, counted through all rows."""
        out, width = call.buffer(name, array.shape, array.dtype), array.shape[2]
        np.take(array.reshape(-1, width), order, axis=0, out=out.reshape(-1, width), mode="clip")
        return out
