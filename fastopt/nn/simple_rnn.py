"""SimpleRNN: the layer whose output is its state."""

from .recurrent import Recurrent


class SimpleRNN(Recurrent):
    """h = activation(x kernel + h' recurrent_kernel + bias) (Elman 1990).

    units: H, the number of outputs. Arguments, weights and results of all recurrent layers: see Recurrent.

    >>> from fastopt import nn
    >>> nn.SimpleRNN(4, return_sequences=True)(nn.Input(shape=(10, 8))).shape
    (None, 10, 4)
    """

    forward_kernel, backward_kernel = "rnn_forward", "rnn_backward"

    def __init__(self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
                 recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None, recurrent_regularizer=None,
                 bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
                 bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, return_sequences=False, return_state=False,
                 go_backwards=False, stateful=False, unroll=False, seed=None, **kwargs):  # fmt: skip
        super().__init__(
            units, activation, use_bias, (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint), activity_regularizer=activity_regularizer, dropout=dropout,
            recurrent_dropout=recurrent_dropout, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful, unroll=unroll, seed=seed, **kwargs)  # fmt: skip
