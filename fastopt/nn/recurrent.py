"""Recurrent: the base of SimpleRNN, LSTM and GRU, whose loop over time is one call of a kernel."""

from numbers import Real

import numpy as np

from . import activations, constraints, initializers, random, regularizers
from .arguments import integer
from .dtypes import as_float
from .recurrence import Recurrence
from .states import check_states
from .tensor import flat


class Recurrent(Recurrence):
    """Base of the recurrent layers: x (B, T, I) gives the last output (B, H), or all with return_sequences (B, T, H).

    Weights are kernel (I, G H), recurrent_kernel (H, G H) and, with use_bias, bias, for G gates. activation: a name of
    fastopt.nn.activations whose derivative is a function of the result. kernel_initializer (glorot_uniform: Glorot & Bengio 2010),
    recurrent_initializer (orthogonal: Saxe et al. 2014), bias_initializer: by name or object. kernel_regularizer,
    recurrent_regularizer, bias_regularizer, activity_regularizer: penalties on these and on the result. kernel_constraint,
    recurrent_constraint, bias_constraint: what these are put back into after each step, see fastopt.nn.constraints. Further
    arguments: see Layer.

    dropout, recurrent_dropout: the probabilities with which, in training, an element of x and of the state is 0 where it enters
        the products, the same ones at all steps (Gal & Ghahramani 2016); with recurrent_dropout each gate has its own.
    seed: an integer, or None for one that is drawn, as for Dropout.
    return_sequences: all outputs instead of the last. return_state: the final states as further results.
    go_backwards: time runs from the last step to the first, and so do the outputs.
    stateful: each batch goes on from the states in which the one before it ended, until reset_states; the batch's size is fixed.
    zero_output_for_mask: the output of a masked step is 0, not that of the step before.
    unroll, implementation, use_cudnn: taken, as Keras does, and without influence.

    A layer may be called with first states, layer(x, initial_state=[h, c]), tensors or arrays: gradients flow to the tensors.
    """

    gates = 1
    state_count = 1  # h, or h and c
    forward_kernel: str  # names
    backward_kernel: str

    def __init__(self, units, activation, use_bias, kernel, recurrent, bias, *, dropout=0.0, recurrent_dropout=0.0, seed=None,
                 return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
                 zero_output_for_mask=False, implementation=2, use_cudnn="auto", input_shape=None, input_dim=None,
                 input_length=None, **kwargs):  # fmt: skip
        owner = type(self).__name__
        if input_dim is not None and input_shape is None:
            input_shape = (input_length, input_dim)
        super().__init__(input_shape=input_shape, **kwargs)
        self.units, self.use_bias = integer(owner, "units", units), bool(use_bias)
        self.activation = gate_activation(owner, "activation", activation)
        self.kernel_initializer, self.kernel_regularizer, self.kernel_constraint = parts_of(kernel)
        self.recurrent_initializer, self.recurrent_regularizer, self.recurrent_constraint = parts_of(recurrent)
        self.bias_initializer, self.bias_regularizer, self.bias_constraint = parts_of(bias)
        self.dropout, self.recurrent_dropout = rate(owner, "dropout", dropout), rate(owner, "recurrent_dropout", recurrent_dropout)
        self.given_seed, self.seed = seed, random.draw_seed() if seed is None else int(seed) % 2**64
        self.step = 0  # forward passes in training so far
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.stateful, self.unroll = bool(go_backwards), bool(stateful), bool(unroll)
        self.zero_output_for_mask, self.implementation, self.use_cudnn = bool(zero_output_for_mask), implementation, use_cudnn
        self.bias, self.states = None, None

    # weights and shapes

    @property
    def state_sizes(self):
        """The widths of the states."""
        return [self.units] * self.state_count

    output_size = property(lambda self: self.state_sizes[0], doc="The width of the output.")

    def build(self, input_shape):
        batch, _, width = self._sequence(input_shape)
        if width is None:
            raise ValueError(f"the last axis must have a known size, got shape {input_shape}")
        columns = self.gates * self.units
        self.add_weight("kernel", (width, columns), self.kernel_initializer, self.kernel_regularizer,
                        constraint=self.kernel_constraint)  # fmt: skip
        self.add_weight("recurrent_kernel", (self.output_size, columns), self.recurrent_initializer, self.recurrent_regularizer,
                        constraint=self.recurrent_constraint)  # fmt: skip
        if self.use_bias:
            self.add_weight("bias", self.bias_shape(), self.first_bias, self.bias_regularizer, constraint=self.bias_constraint)
        if self.stateful:
            if batch is None:
                raise ValueError("stateful=True needs a fixed batch, expected an Input(batch_shape=(batch, timesteps, features))")
            self.states = [np.zeros((batch, n), self.dtype) for n in self.state_sizes]
        super().build(input_shape)

    def bias_shape(self):
        """The shape of the bias."""
        return (self.gates * self.units,)

    def first_bias(self, shape, dtype="float32"):
        """The first value of the bias."""
        return self.bias_initializer(shape, dtype)

    @staticmethod
    def _sequence(input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        if len(shape) != 3:
            raise ValueError(f"expected shape (batch, timesteps, features), got {tuple(shape)}")
        return shape

    def check_input(self, input_shape):
        shape, width = self._sequence(input_shape), self.kernel.shape[0]
        if shape[2] != width:
            raise ValueError(f"expected shape (batch, timesteps, features) with {width} features, got {tuple(shape)}")
        if isinstance(input_shape, list):
            check_states(input_shape[1:], shape[0], self.state_sizes)

    def compute_output_shape(self, input_shape):
        batch, steps, _ = self._sequence(input_shape)
        y = (batch, steps, self.output_size) if self.return_sequences else (batch, self.output_size)
        return [y, *((batch, n) for n in self.state_sizes)] if self.return_state else y

    def compute_mask(self, x, mask=None):
        """The mask of the result: that of the sequence, where all outputs are returned; states have none."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        return [mask] + [None] * self.state_count if self.return_state else mask

    def _restart(self, states):
        if self.states is None:
            return
        given = [0] * self.state_count if states is None else [as_float(self.name, s, self.dtype, "states") for s in flat(states)]
        if states is not None:
            check_states([array.shape for array in given], len(self.states[0]), self.state_sizes)
        for mine, state in zip(self.states, given):
            mine[...] = state

    def recast(self, dtype):
        super().recast(dtype)
        if self.states is not None:
            self.states = [state.astype(dtype) for state in self.states]

    def get_config(self):
        config = super().get_config() | {"units": self.units, "activation": activations.serialize(self.activation),
                                         "use_bias": self.use_bias}  # fmt: skip
        for part in "kernel", "recurrent", "bias":
            config[f"{part}_initializer"] = initializers.serialize(getattr(self, f"{part}_initializer"))
            config[f"{part}_regularizer"] = regularizers.serialize(getattr(self, f"{part}_regularizer"))
            config[f"{part}_constraint"] = constraints.serialize(getattr(self, f"{part}_constraint"))
        for name in ("dropout", "recurrent_dropout", "return_sequences", "return_state", "go_backwards", "stateful", "unroll",
                     "zero_output_for_mask", "implementation", "use_cudnn"):  # fmt: skip
            config[name] = getattr(self, name)
        return config | {"seed": self.given_seed}


def parts_of(given):
    """Initialiser, regulariser and constraint of a weight, from what was given for them."""
    initializer, regularizer, constraint = given
    return initializers.get(initializer), regularizers.get(regularizer), constraints.get(constraint)


def rate(owner, name, value):
    """A probability, or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= 1:
        raise ValueError(f"{owner}: {name} must be a number in [0, 1], got {value!r}")
    return float(value)


def gate_activation(owner, name, identifier):
    """The Activation, or ValueError for one that the recurrent kernels do not have."""
    found = activations.get(identifier)
    if found.needs_z or found.kernel.endswith("softmax"):
        raise ValueError(f"{owner}: {name} must be elementwise, its derivative a function of its result, got {found.kernel!r}")
    alpha = activations.DEFAULT_ALPHA.get(found.kernel)
    if found.alpha not in (None, alpha):
        raise ValueError(f"{owner}: {name} {found.kernel!r} has alpha={alpha} here, got {found.alpha}")
    return found
