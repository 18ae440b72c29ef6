from .reference import (
    activation_backward as activation_backward,
)
from .reference import (
    activation_forward as activation_forward,
)
from .reference import (
    adadelta as adadelta,
)
from .reference import (
    adagrad as adagrad,
)
from .reference import (
    adam as adam,
)
from .reference import (
    adamax as adamax,
)
from .reference import (
    batch_norm_backward as batch_norm_backward,
)
from .reference import (
    batch_norm_forward as batch_norm_forward,
)
from .reference import (
    binary_crossentropy as binary_crossentropy,
)
from .reference import (
    categorical_crossentropy as categorical_crossentropy,
)
from .reference import (
    cosine_similarity as cosine_similarity,
)
from .reference import (
    dropout as dropout,
)
from .reference import (
    ema as ema,
)
from .reference import (
    embedding_backward as embedding_backward,
)
from .reference import (
    embedding_forward as embedding_forward,
)
from .reference import (
    gru_backward as gru_backward,
)
from .reference import (
    gru_forward as gru_forward,
)
from .reference import (
    hinge as hinge,
)
from .reference import (
    huber as huber,
)
from .reference import (
    kl_divergence as kl_divergence,
)
from .reference import (
    layer_norm_backward as layer_norm_backward,
)
from .reference import (
    layer_norm_forward as layer_norm_forward,
)
from .reference import (
    lion as lion,
)
from .reference import (
    lstm_backward as lstm_backward,
)
from .reference import (
    lstm_forward as lstm_forward,
)
from .reference import (
    mean_absolute_error as mean_absolute_error,
)
from .reference import (
    mean_squared_error as mean_squared_error,
)
from .reference import (
    nadam as nadam,
)
from .reference import (
    penalty as penalty,
)
from .reference import (
    radam as radam,
)
from .reference import (
    rmsprop as rmsprop,
)
from .reference import (
    rnn_backward as rnn_backward,
)
from .reference import (
    rnn_forward as rnn_forward,
)
from .reference import (
    rprop as rprop,
)
from .reference import (
    sgd as sgd,
)
from .reference import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from .reference.dense import Packed as Packed

ASKED_BY: dict[str, str]
OPTIMIZERS: list[str]
__all__: list[str]
