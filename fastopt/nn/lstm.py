"""LSTM: long short-term memory."""

from numbers import Real

import numpy as np

from . import activations
from .arguments import integer
from .recurrent import Recurrent, gate_activation


class LSTM(Recurrent):
    """c = f c' + i g, h = o activation(c), with gates i, f, o and the candidate g (Hochreiter & Schmidhuber 1997).

    Columns of the weights are in the order i, f (Gers et al. 2000), g, o. recurrent_activation: of the gates; activation: of g, c.
    unit_forget_bias: the bias of f starts at 1 (Jozefowicz et al. 2015). The states are h and c.

    peepholes: the gates see the cell, i and f the old one, o the new, through a further weight, peepholes (3, H), in the order
        i, f, o (Gers et al. 2002).
    projection: the size P to which h is reduced by a further weight, projection (H, P); h, the output, is (B, P) and
        recurrent_kernel (P, 4 H) (Sak et al. 2014).
    clip: the pre-activations of gates and candidate are limited to +-clip.
    input_forget: f = 1 - i (Greff et al. 2017).
    At first peepholes are 0, projection is drawn as kernel is.

    units: H, the number of cells. Arguments, weights and results of all recurrent layers: see Recurrent.

    >>> from fastopt import nn
    >>> nn.LSTM(64, input_shape=(10, 8))(nn.Input(shape=(10, 8))).shape
    (None, 64)
    """

    gates = 4
    state_count = 2
    forward_kernel, backward_kernel = "lstm_forward", "lstm_backward"

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
                 recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True, kernel_regularizer=None,
                 recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None,
                 return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, *, peepholes=False,
                 projection=None, clip=None, input_forget=False, **kwargs):  # fmt: skip
        super().__init__(
            units, activation, use_bias, (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint), activity_regularizer=activity_regularizer, dropout=dropout,
            recurrent_dropout=recurrent_dropout, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful, unroll=unroll, seed=seed, **kwargs)  # fmt: skip
        self.recurrent_activation = gate_activation("LSTM", "recurrent_activation", recurrent_activation)
        self.unit_forget_bias, self.input_forget = bool(unit_forget_bias), bool(input_forget)
        self.has_peepholes = bool(peepholes)
        self.projected = None if projection is None else integer("LSTM", "projection", projection)
        if clip is not None and (isinstance(clip, bool) or not isinstance(clip, Real) or not clip > 0):
            raise ValueError(f"LSTM: clip must be None or a number > 0, got {clip!r}")
        self.clip = None if clip is None else float(clip)
        self.peepholes = self.projection = None

    @property
    def state_sizes(self):
        """The widths of h and c."""
        return [self.projected or self.units, self.units]

    def build(self, input_shape):
        super().build(input_shape)
        if self.has_peepholes:
            self.add_weight("peepholes", (3, self.units), "zeros")
        if self.projected:
            self.add_weight("projection", (self.units, self.projected), self.kernel_initializer)

    def first_bias(self, shape, dtype="float32"):
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype)
        parts = [self.bias_initializer((n * self.units,), dtype) for n in (1, 2)]
        return np.concatenate([parts[0], np.ones(self.units, dtype), parts[1]])

    def options(self):
        return super().options() | {
            "recurrent_activation": self.recurrent_activation.kernel,
            "peepholes": self.peepholes,
            "projection": self.projection,
            "clip": self.clip,
            "input_forget": self.input_forget,
        }

    def further(self, grads):
        extras = grads.get("peepholes"), grads.get("projection")
        return extras if self.has_peepholes or self.projected else ()

    def get_config(self):
        return super().get_config() | {
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
            "peepholes": self.has_peepholes,
            "projection": self.projected,
            "clip": self.clip,
            "input_forget": self.input_forget,
        }
