"""The layers, under one roof: `from fastopt.nn.layers import Dense`."""

from .activation import Activation
from .bidirectional import Bidirectional
from .dense import Dense
from .dropout import Dropout, SpatialDropout1D
from .embedding import Embedding
from .gru import GRU
from .input import Input, InputLayer
from .layer import Layer
from .lstm import LSTM
from .masking import Masking
from .merge import Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract
from .normalization import BatchNormalization, LayerNormalization
from .pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from .prelu import PReLU
from .rectifiers import ELU, LeakyReLU, ReLU
from .reshape import Flatten, RepeatVector, Reshape
from .simple_rnn import SimpleRNN
from .softmax import Softmax
from .wrappers import TimeDistributed

__all__ = ["ELU", "GRU", "LSTM", "Activation", "Add", "Average", "BatchNormalization", "Bidirectional", "Concatenate", "Dense",
           "Dropout", "Embedding", "Flatten", "GlobalAveragePooling1D", "GlobalAvgPool1D", "GlobalMaxPool1D", "GlobalMaxPooling1D",
           "Input", "InputLayer", "Layer", "LayerNormalization", "LeakyReLU", "Masking", "Maximum", "Minimum", "Multiply", "PReLU",
           "ReLU", "RepeatVector", "Reshape", "SimpleRNN", "Softmax", "SpatialDropout1D", "Subtract", "TimeDistributed", "add",
           "average", "concatenate", "maximum", "minimum", "multiply", "subtract"]  # fmt: skip

GlobalAvgPool1D, GlobalMaxPool1D = GlobalAveragePooling1D, GlobalMaxPooling1D  # Keras's other names


def add(inputs):
    """Add()(inputs)."""
    return Add()(inputs)


def average(inputs):
    """Average()(inputs)."""
    return Average()(inputs)


def concatenate(inputs, axis=-1):
    """Concatenate(axis)(inputs)."""
    return Concatenate(axis)(inputs)


def maximum(inputs):
    """Maximum()(inputs)."""
    return Maximum()(inputs)


def minimum(inputs):
    """Minimum()(inputs)."""
    return Minimum()(inputs)


def multiply(inputs):
    """Multiply()(inputs)."""
    return Multiply()(inputs)


def subtract(inputs):
    """Subtract()(inputs)."""
    return Subtract()(inputs)
