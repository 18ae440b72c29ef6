"""Neural networks with Keras's names, arguments and conventions, on the kernels of fastopt.

The homes are Keras's: layers, models, activations, callbacks, constraints, initializers, losses, metrics, optimizers,
preprocessing, regularizers, utils.
"""

from . import (
    activations,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    preprocessing,
    regularizers,
    utils,
)
from .layer import clear_session
from .layers import (
    ELU,
    GRU,
    LSTM,
    Activation,
    Add,
    Average,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Input,
    InputLayer,
    Layer,
    LayerNormalization,
    LeakyReLU,
    Masking,
    Maximum,
    Minimum,
    Multiply,
    PReLU,
    ReLU,
    RepeatVector,
    Reshape,
    SimpleRNN,
    Softmax,
    SpatialDropout1D,
    Subtract,
    TimeDistributed,
)
from .models import Model, Sequential, load_model
from .utils import export_torch_weights, import_torch_weights, set_random_seed, to_categorical

__all__ = ["ELU", "GRU", "LSTM", "Activation", "Add", "Average", "BatchNormalization", "Bidirectional", "Concatenate", "Dense",
           "Dropout", "Embedding", "Flatten", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "Input", "InputLayer", "Layer",
           "LayerNormalization", "LeakyReLU", "Masking", "Maximum", "Minimum", "Model", "Multiply", "PReLU", "ReLU",
           "RepeatVector", "Reshape", "Sequential", "SimpleRNN", "Softmax", "SpatialDropout1D", "Subtract", "TimeDistributed",
           "activations", "callbacks", "clear_session", "constraints", "export_torch_weights", "import_torch_weights",
           "initializers", "layers", "load_model", "losses", "metrics", "models", "optimizers", "preprocessing", "regularizers",
           "set_random_seed", "to_categorical", "utils"]  # fmt: skip
