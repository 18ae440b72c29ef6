"""The table of optimizers: the kernel of each, the states it keeps, and what each framework's preset changes.

Names, order and defaults of the hyperparameters stand in the kernel's definition (fastopt.reference) and nowhere else;
they are torch's. A preset is the difference from that: another default, another formula.
"""

import inspect
import math
from dataclasses import dataclass, field

from .. import reference

OF_THE_STEP = ("step", "mu_product", "grad_scale", "clip_value", "clip_factor")  # set by the step, not by the user
PRESETS = ("torch", "keras", "optax", "sklearn", "textbook")
COUNTS_ALL = {"keras", "optax", "sklearn"}  # correct bias by the optimizer's steps, not by those in which a tensor had a gradient
CLIP_RULES = {"torch": 0, "optax": 1, "sklearn": 1, "textbook": 1, "keras": 2}  # as FO_CLIP_... in csrc/fastopt.h


def _always(options):
    return True


@dataclass(frozen=True)
class State:
    """A state array: torch's name, when it is needed, and the hyperparameter that holds its first value (else 0)."""

    name: str
    needed: object = _always
    first: str = ""


@dataclass(frozen=True)
class Rule:
    kernel: str
    states: tuple
    presets: dict
    arguments: dict = field(default_factory=dict)  # beyond those of the kernel, or with another default
    first: tuple = ()  # torch's order of the leading arguments, where the kernel's lacks some

    def defaults(self, like):
        """Every hyperparameter with its default under a preset, in the order of the signature."""
        signature = inspect.signature(getattr(reference, self.kernel))
        named = {
            name: p.default for name, p in signature.parameters.items() if p.kind is p.KEYWORD_ONLY and name not in OF_THE_STEP
        }
        return dict.fromkeys(self.first) | named | self.arguments | self.presets[like]


MOMENTS = (State("exp_avg"), State("exp_avg_sq"))
ADAM = (*MOMENTS, State("max_exp_avg_sq", lambda o: o["amsgrad"]))
KERAS = {"decoupled_weight_decay": True, "eps": 1e-7}

RULES = {
    "SGD": Rule("sgd", (State("momentum_buffer", lambda o: o["momentum"] != 0),), {
        "torch": {},
        "keras": {"lr": 0.01, "velocity": "step", "decoupled_weight_decay": True},
        "optax": {},
        "sklearn": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "velocity": "step"},
        "textbook": {"lr": 0.01, "velocity": "average"},
    }),
    "Adagrad": Rule("adagrad", (State("sum", first="initial_accumulator_value"),), {
        "torch": {},
        "keras": KERAS | {"lr": 1e-3, "initial_accumulator_value": 0.1, "eps_mode": "inside"},
        "optax": {"eps": 1e-7, "initial_accumulator_value": 0.1, "eps_mode": "inside"},
        "textbook": {"eps": 1e-8},
    }, {"initial_accumulator_value": 0.0}, ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")),
    "RMSprop": Rule("rmsprop", (
        State("square_avg"),
        State("grad_avg", lambda o: o["centered"]),
        State("momentum_buffer", lambda o: o["momentum"] != 0),
    ), {
        "torch": {},
        "keras": KERAS | {"lr": 1e-3, "alpha": 0.9, "eps_mode": "inside", "lr_in_momentum": True},
        "optax": {"alpha": 0.9, "eps_mode": "inside", "lr_in_momentum": True},
        "textbook": {"alpha": 0.9},
    }),
    "Adadelta": Rule("adadelta", (State("square_avg"), State("acc_delta")), {
        "torch": {},
        "keras": KERAS | {"lr": 1e-3, "rho": 0.95},
        "optax": {},
    }),
    "Adam": Rule("adam", ADAM, {
        "torch": {},
        "keras": KERAS | {"eps_mode": "hat"},
        "optax": {"amsgrad_max": "corrected"},
        "sklearn": {"eps_mode": "hat"},
        "textbook": {"lr": 0.01, "bias_correction": False},
    }),
    "AdamW": Rule("adam", ADAM, {
        "torch": {},
        "keras": KERAS | {"weight_decay": 0.004, "eps_mode": "hat"},
        "optax": {"weight_decay": 1e-4, "amsgrad_max": "corrected"},
        "textbook": {"lr": 0.01, "bias_correction": False},
    }, {"weight_decay": 0.01, "decoupled_weight_decay": True}),
    "Adamax": Rule("adamax", (State("exp_avg"), State("exp_inf")), {
        "torch": {},
        "keras": KERAS | {"lr": 1e-3, "eps_mode": "outside"},
        "optax": {},
    }),
    "NAdam": Rule("nadam", MOMENTS, {
        "torch": {},
        "keras": KERAS | {"lr": 1e-3, "momentum_decay": 1.0},
        "optax": {"momentum_decay": None},
    }),
    "RAdam": Rule("radam", MOMENTS, {
        "torch": {},
        "optax": {"eps_mode": "outside", "threshold": math.nextafter(5, 0)},  # optax asks rho >= 5, torch rho > 5
    }),
    "Lion": Rule("lion", (State("exp_avg"),), {
        "keras": {"lr": 1e-3},
        "optax": {"weight_decay": 1e-3},
    }),
    "Rprop": Rule("rprop", (State("prev"), State("step_size", first="lr")), {
        "torch": {},
        "optax": {"clamp_unchanged": False, "delayed": True},
    }),
}  # fmt: skip
