"""Call: the context of one use of a layer, between its forward and its backward pass."""

import math

import numpy as np

KEPT_SHAPES = 64  # views of workspace kept by shape, before they are made anew: lengths may differ from batch to batch


class Call:
    """What a layer keeps from `compute` for `gradient`, as attributes of the layer's choice, and workspace for both.

    reuse: whether the workspace serves again at the next pass; otherwise every buffer is a fresh array.
    need_dx: whether the gradient of the input is wanted; `gradient` may return None otherwise.
    accumulate: whether gradients of parameters are added to what is in the layer's grads, rather than written over it.
    keep: whether gradient may follow, which it may after compute with training=False, too.
    trainable: whether the layer's weights are to get gradients, as it was when the pass was planned.
    linear: compute is to leave out the layer's activation, and gradient to take dy as that of what came out.
    shape, out: for a layer to mark what it has prepared: None where it must be prepared (anew).
    mask: the (B, T) booleans that came with the input, False where there is padding, or None; for several inputs a list of such,
        or None where no input has one. initial_state: first states of a recurrent layer, or None.
    """

    need_dx, accumulate, trainable, linear, mask, initial_state = True, False, True, False, None, None
    keep = True
    shape = out = _memory = _views = None
    reuse = False

    def __init__(self, reuse=False):
        if reuse:
            self.reuse, self._memory, self._views = True, {}, {}

    def buffer(self, name, shape, dtype):
        """An array for `name` with arbitrary contents, its own as long as this pass lasts."""
        if self._views is None:
            return np.empty(shape, dtype)
        view = self._views.get((name, shape))
        if view is None:
            view = self._make(name, shape, dtype)
        return view

    def _make(self, name, shape, dtype):
        size, memory = math.prod(shape), self._memory.get(name)
        if memory is None or memory.size < size or memory.dtype != dtype:
            self._memory[name] = memory = np.empty(size, dtype)
            self._views = {key: view for key, view in self._views.items() if key[0] != name}
        if len(self._views) >= KEPT_SHAPES:
            self._views = {}
        self._views[name, shape] = view = memory[:size].reshape(shape)
        return view
