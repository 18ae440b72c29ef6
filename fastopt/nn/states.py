"""Layers that begin with states: how these are given, and what they must be."""

import numpy as np

from .arguments import integer
from .call import Call
from .dtypes import as_float
from .layer import Layer
from .tensor import Tensor, flat, is_symbolic


class TakesStates(Layer):
    """A layer whose call takes first states: arrays, or symbolic tensors, which then are inputs of the call beside the sequence."""

    supports_masking = True

    def __call__(self, sequences, initial_state=None, mask=None, training=None):
        """On symbolic tensors a node of the graph and its tensors; on arrays the result, as by forward."""
        if initial_state is None:
            return super().__call__(sequences, training=training, mask=mask)
        states = flat(initial_state)
        if not is_symbolic(sequences) and not is_symbolic(states):
            return self.forward(sequences, bool(training), mask, states)
        tensors = [*flat(sequences), *states]
        if not all(isinstance(tensor, Tensor) for tensor in tensors):
            raise TypeError(f"{self.name}: expected a symbolic sequence with symbolic states, or arrays with arrays")
        return super().__call__(tensors, training=training, mask=mask)

    def forward(self, x, training=False, mask=None, initial_state=None):
        """The result for arrays, fresh arrays. With training=True, backward may follow.

        x: (B, T, I), or a list of it and the first states, each (B, H), whose gradients backward gives too; initial_state gives
        them without. mask: (B, T), False for steps to leave out.
        """
        if initial_state is not None:
            initial_state = [as_float(self.name, state, self.dtype, "initial_state") for state in flat(initial_state)]
        if isinstance(x, (list, tuple)) and isinstance(mask, np.ndarray) and all(isinstance(part, np.ndarray) for part in x):
            mask = [mask, *[None] * (len(x) - 1)]  # that of the sequence
        return super().forward(x, training, mask, initial_state)

    def infer(self, x):
        call = Call()
        call.keep = False
        return self.compute(call, x, False)

    def checked(self, states, rows):
        """Arrays given as first states; ValueError unless they fit the layer and a batch of so many rows."""
        try:
            check_states([state.shape for state in states], rows, self.state_sizes)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        return states

    def get_initial_state(self, batch_size):
        """Zeros as first states for batch_size samples, a list."""
        size = integer("get_initial_state", "batch_size", batch_size)
        return [np.zeros((size, width), self.dtype) for width in self.state_sizes]

    def reset_states(self, states=None):
        """Makes a stateful layer start from zeros again, or from these states; of any other there is nothing to reset."""
        if self.stateful:
            self._restart(states)
        elif states is not None:
            raise ValueError(f"reset_states: layer {self.name!r} carries no states; make it with stateful=True")

    def _restart(self, states):
        """reset_states of a layer that is stateful."""
        raise NotImplementedError

    def reset_state(self):
        """reset_states()."""
        self.reset_states()


def check_states(shapes, batch, widths):
    """Raises ValueError unless these are the shapes of states of these widths; None for the batch fits any."""
    fits = [len(shape) == 2 and shape[1] == width and (shape[0] == batch or None in (shape[0], batch))
            for shape, width in zip(shapes, widths)]  # fmt: skip
    if len(shapes) != len(widths) or not all(fits):
        expected = " and ".join(f"({batch}, {width})" for width in widths)
        got = " and ".join(str(tuple(shape)) for shape in shapes) or "none"
        raise ValueError(f"expected {len(widths)} initial state{'s' * (len(widths) > 1)} of shape {expected}, got {got}")
