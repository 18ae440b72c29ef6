"""CASES: how to try each kernel - inputs, options, tolerance - and check(), which holds the kernels here to their definitions.

A case's inputs are random and away from zero in every position. The definition runs in float64 on the same numbers; results
may differ by `ulp` units in the last place of the larger of the value before and after.
"""

from dataclasses import dataclass, field

import numpy as np

from . import kernels, reference


def signed(rng, shape):
    """Of either sign, between a half and two."""
    return rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)


def positive(rng, shape):
    return rng.uniform(0.5, 2, shape)


def small(rng, shape):
    """As gradients are in training: many magnitudes, down to where eps decides."""
    return signed(rng, shape) * 10.0 ** rng.uniform(-9, 1, shape)


@dataclass(frozen=True)
class Case:
    arrays: dict  # name: how it is drawn, in the order of the arguments; the first is written
    variants: tuple  # options beside `common`, one call each
    common: dict = field(default_factory=lambda: {"lr": 0.1, "step": 3})
    read_only: tuple = ("grad",)
    ulp: float = 8
    flops: int = 0  # a rough count per element, multiply-add as two

    def draw(self, rng, shape, dtype, options):
        """Arrays by name; a state that the options do not ask for is None."""
        return {
            name: None
            if name in kernels.ASKED_BY and not options.get(kernels.ASKED_BY[name])
            else np.asarray(make(rng, shape), dtype)
            for name, make in self.arrays.items()
        }

    def options(self):
        return [self.common | variant for variant in self.variants]


def eight_or_more(rng, shape):
    """A second moment well above the square of any `signed` first moment: their difference loses no digits."""
    return rng.uniform(8, 16, shape)


# fmt: off
PROLOGUE = (dict(maximize=True, grad_scale=8.0), dict(clip_value=0.75, clip_factor=0.3))
DECAY = (dict(weight_decay=0.1), dict(weight_decay=0.1, decoupled_weight_decay=True, lr=0.5), *PROLOGUE)
EPS = ({}, dict(eps=0.1))
MOMENTS = {"param": signed, "grad": small, "exp_avg": signed, "exp_avg_sq": positive}
VELOCITIES = ({}, dict(step=1), dict(step=1, dampening=0.5), dict(dampening=0.5), dict(nesterov=True), dict(velocity="average"),
              dict(velocity="average", nesterov=True), dict(velocity="step"), dict(velocity="step", nesterov=True))

CASES = {
    "sgd": Case(
        {"param": signed, "grad": signed, "momentum_buffer": signed},
        ({}, *DECAY, *(dict(momentum=0.9) | options for options in (*VELOCITIES, *DECAY))), ulp=4, flops=2),
    "adagrad": Case(
        {"param": signed, "grad": small, "sum": positive},
        (*EPS, dict(eps=0.1, eps_mode="inside"), dict(lr_decay=0.1), *DECAY), flops=7),
    "rmsprop": Case(
        {"param": signed, "grad": small, "square_avg": eight_or_more, "grad_avg": signed, "momentum_buffer": signed},
        (*EPS, dict(eps=0.1, eps_mode="inside"), dict(centered=True), dict(centered=True, eps=0.1, eps_mode="inside"),
         dict(momentum=0.9), dict(momentum=0.9, lr_in_momentum=True), dict(momentum=0.9, centered=True),
         dict(momentum=0.9, centered=True, lr_in_momentum=True, alpha=0.8), *DECAY), flops=10),
    "adadelta": Case(
        {"param": signed, "grad": small, "square_avg": positive, "acc_delta": positive},
        (*EPS, dict(rho=0.8), *DECAY), flops=15),
    "adam": Case(
        MOMENTS | {"max_exp_avg_sq": positive},
        (*EPS, dict(step=1), dict(eps=0.1, eps_mode="hat"), dict(eps=0.1, eps_mode="inside"), dict(eps_root=0.1),
         dict(eps_root=0.1, eps_mode="hat"), dict(bias_correction=False), dict(betas=(0.5, 0.75)),
         dict(amsgrad=True), dict(amsgrad=True, eps=0.1, eps_mode="hat"), dict(amsgrad=True, amsgrad_max="corrected"),
         dict(amsgrad=True, amsgrad_max="corrected", eps_root=0.1), dict(amsgrad=True, amsgrad_max="corrected", eps_mode="hat"),
         *DECAY), flops=14),
    "adamax": Case(
        {"param": signed, "grad": signed, "exp_avg": signed, "exp_inf": positive},
        (*EPS, dict(eps=0.1, eps_mode="outside"), dict(betas=(0.5, 0.75)), *DECAY), flops=10),
    "nadam": Case(
        MOMENTS,
        (*EPS, dict(momentum_decay=0.5), dict(momentum_decay=None), dict(mu_product=0.4), dict(betas=(0.5, 0.75)), *DECAY),
        dict(lr=0.1, step=3, mu_product=0.2), flops=14),
    "radam": Case(
        MOMENTS,
        (*EPS, dict(eps=0.1, eps_mode="outside"), dict(step=3), dict(betas=(0.5, 0.9)), dict(threshold=20.0), *DECAY),
        dict(lr=0.1, step=12), flops=12),
    "lion": Case(
        {"param": signed, "grad": signed, "exp_avg": signed},
        ({}, dict(betas=(0.5, 0.75)), dict(weight_decay=0.1, decoupled_weight_decay=False), *DECAY), ulp=4, flops=9),
    "rprop": Case(
        {"param": signed, "grad": signed, "prev": signed, "step_size": positive},
        ({}, dict(step_sizes=(0.8, 1.5)), dict(etas=(0.3, 1.5)), dict(clamp_unchanged=False, step_sizes=(0.8, 1.5)),
         dict(delayed=True), dict(step=1, lr=1.1), *PROLOGUE), dict(step=3), ulp=4, flops=6),
    "ema": Case(
        {"average": signed, "param": signed},
        (dict(decay=0.9), dict(decay=0.0)), {}, read_only=("param",), ulp=4, flops=3),
}
# fmt: on


def compare(name, case, rng, shape, dtype, options, arrange=np.copy):
    """Runs kernel and definition on the same inputs; the text of what differs, or "". `arrange` lays the inputs out in memory."""
    given = case.draw(rng, shape, dtype, options)
    got = {n: a if a is None else arrange(a) for n, a in given.items()}
    want = {n: a if a is None else np.array(a, np.float64) for n, a in given.items()}
    with np.errstate(all="ignore"):
        getattr(reference, name)(**want, **options)
    getattr(kernels, name)(**got, **options)
    for n, before in given.items():
        if before is None:
            continue
        if n in case.read_only:
            if not np.array_equal(got[n], before):
                return f"{name}({options}): wrote to {n}"
            continue
        unit = np.finfo(dtype).eps * np.maximum(np.abs(before.astype(np.float64)), np.abs(want[n]))
        off = np.abs(got[n] - want[n]) / unit if unit.size else np.zeros(1)
        if not (off.max() <= case.ulp):  # a NaN is off, too
            at = np.unravel_index(np.nanargmax(np.where(np.isnan(off), np.inf, off)), off.shape)
            return (f"{name}({options}): {n}{[int(i) for i in at]} is {got[n][at]!r}, the definition has {want[n][at]!r}: "
                    f"{off[at]:.1f} ulp, at most {case.ulp} expected")  # fmt: skip
    return ""


def check(verbose=True):
    """Holds every kernel of this machine to its definition: float32 and float64, odd sizes, every option. Returns what differs."""
    rng = np.random.default_rng(0)
    wrong = []
    for name, case in CASES.items():
        for dtype in (np.float32, np.float64):
            for options in case.options():
                wrong += filter(
                    None, (compare(name, case, rng, shape, dtype, options) for shape in ((), (1,), (17,), (5, 67), (70001,)))
                )
        if verbose:
            print(f"{name:10} {'differs' if any(w.startswith(name + '(') for w in wrong) else 'agrees'}")
    if verbose:
        print("\n".join(wrong))
    return wrong
