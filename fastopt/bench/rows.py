"""The rows of the optimizers: which optimizer over which workload against whom, and the ratio to reach."""

from dataclasses import dataclass, field

from . import peers
from .workloads import ONE_TENSOR, WORKLOADS, bytes_per_parameter, draw

SIZES = list(WORKLOADS)
ADAM = dict(zip(SIZES, (25, 12, 15, 3.5, 1.5, 1.2, 1.05)))
MOMENTUM = dict(zip(SIZES, (12.5, 6, 7.5, 1.75, 1, 1, 1)))  # half of Adam's on the small ones, never under 1
UNFUSED = {SIZES[k]: goal for k, goal in ((0, 8), (1, 8), (3, 5), (4, 3), (6, 4))}
UNFUSED_NAMES = ("RMSprop", "Adadelta", "Adamax", "NAdam", "RAdam", "Rprop")


@dataclass(frozen=True)
class Row:
    table: str
    optimizer: str
    workload: str
    shapes: list
    options: dict = field(default_factory=dict)
    goal: float | None = None  # over the best torch
    over_numpy: float | None = None
    clip_norm: float | None = None

    pause, seconds = 0.003, 0.01

    @property
    def id(self):
        return f"{self.table}: {self.optimizer}, {self.workload}"

    @property
    def parameters(self):
        return sum(_product(shape) for shape in self.shapes)

    def contestants(self):
        """Name -> work; each peer steps parameters of its own only where it must."""
        params, grads = draw(self.shapes)
        if self.table == "Subnormal moments":
            return peers.faded(params)
        everyone = peers.ours(
            self.optimizer, params, grads, self.options, {"clip_norm": self.clip_norm} if self.clip_norm else None
        )
        everyone |= peers.torch(self.optimizer, params, grads, self.options, self.clip_norm)
        if self.clip_norm is None and self.optimizer == "Adam":
            everyone |= peers.numpy_adam(params, grads)
            everyone |= peers.sklearn_adam(params, grads) if self.table == "Adam" else {}
        if self.optimizer == "SGD" and not self.options:
            everyone |= peers.numpy_sgd(params, grads)
        if self.table == "Adam" and self.parameters >= 10**7 and len(self.shapes) == 1:
            everyone |= peers.triad(self.parameters * bytes_per_parameter("Adam") // 12)
        return everyone


def _product(shape):
    total = 1
    for n in shape:
        total *= n
    return total


ROWS = [
    *(Row("Adam", "Adam", w, s, goal=ADAM[w], over_numpy=8) for w, s in WORKLOADS.items()),
    *(Row("SGD with momentum", "SGD", w, s, {"momentum": 0.9}, MOMENTUM[w]) for w, s in WORKLOADS.items()),
    *(Row("Gradient descent", "SGD", w, s, over_numpy=1) for w, s in WORKLOADS.items()),
    *(Row("Unfused in torch", name, w, WORKLOADS[w], goal=goal) for name in UNFUSED_NAMES for w, goal in UNFUSED.items()),
    *(Row("Others", name, w, WORKLOADS[w]) for name in ("AdamW", "Adagrad", "Lion") for w in (SIZES[0], SIZES[4])),
    Row("Clipping", "Adam", SIZES[6], WORKLOADS[SIZES[6]], goal=1.2, clip_norm=1.0),
    Row("Subnormal moments", "Adam", "one of 10,000", [(10_000,)]),
    *(Row("Growth", "Adam", w, s) for w, s in ONE_TENSOR.items()),
]  # fmt: skip
