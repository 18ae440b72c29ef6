from os import PathLike

from . import schedules as schedules
from .optimizer import LastStep as LastStep
from .optimizer import Optimizer as Optimizer
from .optimizers import SGD as SGD
from .optimizers import Adadelta as Adadelta
from .optimizers import Adagrad as Adagrad
from .optimizers import Adam as Adam
from .optimizers import Adamax as Adamax
from .optimizers import AdamW as AdamW
from .optimizers import Lion as Lion
from .optimizers import NAdam as NAdam
from .optimizers import RAdam as RAdam
from .optimizers import RMSprop as RMSprop
from .optimizers import Rprop as Rprop

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LastStep",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "load",
    "save",
    "schedules",
]

def save(path: str | PathLike[str], opt: Optimizer) -> None: ...
def load(path: str | PathLike[str], opt: Optimizer) -> None: ...
