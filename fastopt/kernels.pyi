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
    ema as ema,
)
from .reference import (
    lion as lion,
)
from .reference import (
    nadam as nadam,
)
from .reference import (
    radam as radam,
)
from .reference import (
    rmsprop as rmsprop,
)
from .reference import (
    rprop as rprop,
)
from .reference import (
    sgd as sgd,
)

ASKED_BY: dict[str, str]
OPTIMIZERS: list[str]
__all__: list[str]
