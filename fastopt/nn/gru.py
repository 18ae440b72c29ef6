"""GRU: the gated recurrent unit."""

from . import activations
from .recurrent import Recurrent, gate_activation


class GRU(Recurrent):
    """h = z h' + (1 - z) c with gates z (update) and r (reset) and the candidate c (Cho et al. 2014).

    Columns of the weights are in the order z, r, c. reset_after: r multiplies the recurrent product, which has a bias of its own,
    bias (2, 3 H); otherwise r multiplies h' before it, bias (3 H,). recurrent_activation: of z and r.

    units: H, the number of outputs. Arguments, weights and results of all recurrent layers: see Recurrent.

    >>> from fastopt import nn
    >>> nn.GRU(4)(nn.Input(shape=(10, 8))).shape
    (None, 4)
    """

    gates = 3
    forward_kernel, backward_kernel = "gru_forward", "gru_backward"

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
                 recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None, recurrent_regularizer=None,
                 bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
                 bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False,
                 go_backwards=False, stateful=False, unroll=False, reset_after=True, **kwargs):  # fmt: skip
        super().__init__(
            units, activation, use_bias, (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint), activity_regularizer=activity_regularizer, dropout=dropout,
            recurrent_dropout=recurrent_dropout, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful, unroll=unroll, seed=seed, **kwargs)  # fmt: skip
        self.recurrent_activation = gate_activation("GRU", "recurrent_activation", recurrent_activation)
        self.reset_after = bool(reset_after)

    def bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def options(self):
        gates = {"recurrent_activation": self.recurrent_activation.kernel, "reset_after": self.reset_after}
        return super().options() | gates

    def get_config(self):
        return super().get_config() | {
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }
