from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, TypeAlias, TypedDict, Unpack

from numpy.typing import ArrayLike, NDArray

from .tensor import Tensor

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "Activation",
    "Add",
    "Average",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalAvgPool1D",
    "GlobalMaxPool1D",
    "GlobalMaxPooling1D",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SimpleRNN",
    "Softmax",
    "SpatialDropout1D",
    "Subtract",
    "TimeDistributed",
    "add",
    "average",
    "concatenate",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]

_Activation: TypeAlias = str | dict[str, Any] | Callable[..., Any] | None
_Initializer: TypeAlias = str | dict[str, Any] | Callable[..., Any] | ArrayLike
_Regularizer: TypeAlias = str | dict[str, Any] | Callable[..., Any] | None
_Constraint: TypeAlias = str | dict[str, Any] | Callable[..., Any] | None

class _Layer(TypedDict, total=False):
    name: str | None
    dtype: str | None
    trainable: bool
    input_shape: Any
    input_dim: int | None
    batch_input_shape: Sequence[int | None] | None
    batch_shape: Sequence[int | None] | None
    input_length: int | None

class _Options(_Layer, total=False):
    activity_regularizer: _Regularizer

class _OfRecurrent(_Layer, total=False):
    zero_output_for_mask: bool
    implementation: int
    use_cudnn: bool | str

class Layer:
    name: str
    dtype: str
    built: bool
    @property
    def kind(self) -> str: ...
    passes: bool
    traced: bool
    supports_masking: bool
    makes_mask: bool
    mixes: Any
    index_limit: Any
    splits: bool
    def __init__(
        self,
        *,
        name: str | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        activity_regularizer: _Regularizer = None,
        input_shape: Any = None,
        input_dim: int | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_length: int | None = None,
        **unknown: Any,
    ) -> None: ...
    def build(self, input_shape: Any) -> None: ...
    def compute_output_shape(self, input_shape: Any) -> Any: ...
    def compute(self, call: Any, x: Any, training: bool) -> Any: ...
    def gradient(self, call: Any, dy: Any) -> Any: ...
    def compute_mask(self, x: Any, mask: Any = None) -> Any: ...
    def infer(self, x: Any) -> Any: ...
    def convert(self, x: Any) -> Any: ...
    def check_input(self, input_shape: Any) -> None: ...
    def get_config(self) -> dict[str, Any]: ...
    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self: ...
    def __call__(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any: ...
    def ready(self, shape: Sequence[int | None], source: str = "") -> Any: ...
    def forward(self, x: Any, training: bool = False, mask: Any = None, initial_state: Any = None) -> Any: ...
    def backward(self, dy: Any) -> Any: ...
    @property
    def input(self) -> Any: ...
    @property
    def output(self) -> Any: ...
    def add_weight(
        self,
        name: str | None,
        shape: Sequence[int | None],
        initializer: _Initializer = "glorot_uniform",
        regularizer: _Regularizer = None,
        trainable: bool = True,
        constraint: _Constraint = None,
    ) -> NDArray[Any]: ...
    def unbuild(self) -> None: ...
    def place(self, weight: Any) -> None: ...
    @property
    def weights(self) -> list[Any]: ...
    @property
    def trainable_weights(self) -> list[Any]: ...
    @property
    def non_trainable_weights(self) -> list[Any]: ...
    @property
    def variables(self) -> list[Any]: ...
    @property
    def trainable_variables(self) -> list[Any]: ...
    @property
    def non_trainable_variables(self) -> list[Any]: ...
    @property
    def params(self) -> dict[str, NDArray[Any]]: ...
    @property
    def grads(self) -> dict[str, NDArray[Any]]: ...
    def get_weights(self) -> list[NDArray[Any]]: ...
    def set_weights(self, weights: Sequence[ArrayLike]) -> None: ...
    def count_params(self) -> int: ...
    @property
    def trainable(self) -> bool: ...
    @trainable.setter
    def trainable(self, value: bool) -> None: ...
    def set_dtype(self, dtype: str | None) -> None: ...
    def recast(self, dtype: str | None) -> None: ...

class _Recurrent(Layer):
    kernel: NDArray[Any]
    recurrent_kernel: NDArray[Any]
    bias: NDArray[Any] | None
    @property
    def state_sizes(self) -> list[int]: ...
    @property
    def output_size(self) -> int: ...
    def bias_shape(self) -> tuple[int, ...]: ...
    def first_bias(self, shape: Sequence[int | None], dtype: str = "float32") -> Any: ...
    def get_initial_state(self, batch_size: int) -> list[NDArray[Any]]: ...
    def reset_states(self, states: Any = None) -> None: ...
    def reset_state(self) -> None: ...
    def __call__(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any: ...  # type: ignore[override]
    def forward(self, x: Any, training: bool = False, mask: Any = None, initial_state: Any = None) -> Any: ...
    def checked(self, states: Any, rows: Any) -> Any: ...

class _Container(Layer):
    @property
    def layers(self) -> list[Layer]: ...
    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer: ...
    @property
    def losses(self) -> list[float]: ...
    def reset_states(self) -> None: ...

class ELU(Activation):
    def __init__(self, alpha: float = 1.0, **kwargs: Unpack[_Options]) -> None: ...

class GRU(_Recurrent):
    def __init__(
        self,
        units: int,
        activation: _Activation = "tanh",
        recurrent_activation: _Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: _Initializer = "glorot_uniform",
        recurrent_initializer: _Initializer = "orthogonal",
        bias_initializer: _Initializer = "zeros",
        kernel_regularizer: _Regularizer = None,
        recurrent_regularizer: _Regularizer = None,
        bias_regularizer: _Regularizer = None,
        activity_regularizer: _Regularizer = None,
        kernel_constraint: _Constraint = None,
        recurrent_constraint: _Constraint = None,
        bias_constraint: _Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        **kwargs: Unpack[_OfRecurrent],
    ) -> None: ...

class LSTM(_Recurrent):
    def __init__(
        self,
        units: int,
        activation: _Activation = "tanh",
        recurrent_activation: _Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: _Initializer = "glorot_uniform",
        recurrent_initializer: _Initializer = "orthogonal",
        bias_initializer: _Initializer = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: _Regularizer = None,
        recurrent_regularizer: _Regularizer = None,
        bias_regularizer: _Regularizer = None,
        activity_regularizer: _Regularizer = None,
        kernel_constraint: _Constraint = None,
        recurrent_constraint: _Constraint = None,
        bias_constraint: _Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        *,
        peepholes: bool = False,
        projection: int | None = None,
        clip: float | None = None,
        input_forget: bool = False,
        **kwargs: Unpack[_OfRecurrent],
    ) -> None: ...

class Activation(Layer):
    def __init__(self, activation: _Activation, **kwargs: Unpack[_Options]) -> None: ...

class Add(Layer): ...
class Average(Add): ...

class BatchNormalization(Layer):
    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: float = True,
        beta_initializer: _Initializer = "zeros",
        gamma_initializer: _Initializer = "ones",
        moving_mean_initializer: _Initializer = "zeros",
        moving_variance_initializer: _Initializer = "ones",
        beta_regularizer: _Regularizer = None,
        gamma_regularizer: _Regularizer = None,
        beta_constraint: _Constraint = None,
        gamma_constraint: _Constraint = None,
        **kwargs: Unpack[_Options],
    ) -> None: ...

class Bidirectional(_Container):
    forward_layer: Any
    backward_layer: Any
    def __init__(
        self,
        layer: Layer,
        merge_mode: str = "concat",
        weights: Sequence[ArrayLike] | None = None,
        backward_layer: Layer | None = None,
        *,
        dtype: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None: ...
    @property
    def state_sizes(self) -> list[int]: ...
    def get_initial_state(self, batch_size: int) -> list[NDArray[Any]]: ...
    def reset_states(self, states: Any = None) -> None: ...
    def reset_state(self) -> None: ...
    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self: ...
    def __call__(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any: ...  # type: ignore[override]
    def checked(self, states: Any, rows: Any) -> Any: ...

class Concatenate(Layer):
    def __init__(self, axis: int = -1, **kwargs: Unpack[_Options]) -> None: ...

class Dense(Layer):
    units: int
    use_bias: bool
    kernel: NDArray[Any]
    bias: NDArray[Any] | None
    def __init__(
        self,
        units: int,
        activation: _Activation = None,
        use_bias: bool = True,
        kernel_initializer: _Initializer = "glorot_uniform",
        bias_initializer: _Initializer = "zeros",
        kernel_regularizer: _Regularizer = None,
        bias_regularizer: _Regularizer = None,
        activity_regularizer: _Regularizer = None,
        kernel_constraint: _Constraint = None,
        bias_constraint: _Constraint = None,
        **kwargs: Unpack[_Layer],
    ) -> None: ...

class Dropout(Layer):
    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Unpack[_Options]
    ) -> None: ...

class Embedding(Layer):
    embeddings: NDArray[Any]
    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: _Initializer = "uniform",
        embeddings_regularizer: _Regularizer = None,
        embeddings_constraint: _Constraint = None,
        mask_zero: bool = False,
        weights: Sequence[ArrayLike] | None = None,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None: ...
    @property
    def index_limit(self) -> int | None: ...
    def build(self, input_shape: Any = None) -> None: ...
    def compute_mask(self, x: Any, mask: Any = None) -> Any: ...

class Flatten(Layer):
    def __init__(self, data_format: str | None = None, **kwargs: Unpack[_Options]) -> None: ...

class GlobalAveragePooling1D(Layer):
    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Unpack[_Options]) -> None: ...

class GlobalMaxPooling1D(Layer):
    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Unpack[_Options]) -> None: ...

class InputLayer(Layer):
    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Sequence[int | None] | None = None,
    ) -> None: ...

class LayerNormalization(Layer):
    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: float = True,
        beta_initializer: _Initializer = "zeros",
        gamma_initializer: _Initializer = "ones",
        beta_regularizer: _Regularizer = None,
        gamma_regularizer: _Regularizer = None,
        beta_constraint: _Constraint = None,
        gamma_constraint: _Constraint = None,
        **kwargs: Unpack[_Options],
    ) -> None: ...

class LeakyReLU(Activation):
    def __init__(self, negative_slope: float = 0.3, alpha: float | None = None, **kwargs: Unpack[_Options]) -> None: ...

class Masking(Layer):
    def __init__(self, mask_value: float = 0.0, **kwargs: Unpack[_Options]) -> None: ...

class Maximum(Layer): ...
class Minimum(Maximum): ...
class Multiply(Layer): ...

class PReLU(Layer):
    def __init__(
        self,
        alpha_initializer: _Initializer = "zeros",
        alpha_regularizer: _Regularizer = None,
        alpha_constraint: _Constraint = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Unpack[_Options],
    ) -> None: ...

class ReLU(Activation):
    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Unpack[_Options]
    ) -> None: ...

class RepeatVector(Layer):
    def __init__(self, n: int, **kwargs: Unpack[_Options]) -> None: ...

class Reshape(Layer):
    def __init__(self, target_shape: Sequence[int], **kwargs: Unpack[_Options]) -> None: ...

class SimpleRNN(_Recurrent):
    def __init__(
        self,
        units: int,
        activation: _Activation = "tanh",
        use_bias: bool = True,
        kernel_initializer: _Initializer = "glorot_uniform",
        recurrent_initializer: _Initializer = "orthogonal",
        bias_initializer: _Initializer = "zeros",
        kernel_regularizer: _Regularizer = None,
        recurrent_regularizer: _Regularizer = None,
        bias_regularizer: _Regularizer = None,
        activity_regularizer: _Regularizer = None,
        kernel_constraint: _Constraint = None,
        recurrent_constraint: _Constraint = None,
        bias_constraint: _Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Unpack[_OfRecurrent],
    ) -> None: ...

class Softmax(Activation):
    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Unpack[_Options]) -> None: ...

class SpatialDropout1D(Dropout):
    def __init__(self, rate: float, seed: int | None = None, **kwargs: Unpack[_Options]) -> None: ...

class Subtract(Layer): ...

class TimeDistributed(_Container):
    def __init__(self, layer: Layer, *, dtype: str | None = None, trainable: bool = True, **kwargs: Any) -> None: ...
    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self: ...
    def reset_states(self) -> None: ...

GlobalAvgPool1D = GlobalAveragePooling1D
GlobalMaxPool1D = GlobalMaxPooling1D

def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> Tensor: ...
def add(inputs: Any) -> Any: ...
def average(inputs: Any) -> Any: ...
def concatenate(inputs: Any, axis: int = -1) -> Any: ...
def maximum(inputs: Any) -> Any: ...
def minimum(inputs: Any) -> Any: ...
def multiply(inputs: Any) -> Any: ...
def subtract(inputs: Any) -> Any: ...
