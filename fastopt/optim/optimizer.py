"""The optimizer: parameters, options and states of a rule, stepped in place by one call."""

import copy
import difflib
import inspect
from collections import namedtuple

import numpy as np

from .. import checks
from ..backend import core
from . import hyper, state
from .nest import open_groups
from .rules import CLIP_RULES, COUNTS_ALL, PRESETS, RULES

# what bind sets
OF_PARAMETERS = "param_groups _stepper _nests _grouped _group_of _params _labels _states _averages _members".split()
COMMON = {"ema": None, "flush_subnormals": False}  # options of every optimizer, whatever its rule

LastStep = namedtuple("LastStep", "grad_norm skipped nonfinite")
LastStep.__doc__ = """What a step found.

grad_norm: global norm of the gradients after grad_scale and clip_value, before clip_norm; None where neither clip_norm nor
    skip_nonfinite asked for it.
skipped: whether the step was left out because of skip_nonfinite.
nonfinite: (parameter, index) of the first element that is not finite, None where there is none or nobody asked; the parameter
    by position or name, (group, position or name) where there are groups, the index a tuple.
"""


class Optimizer:
    """Base of all optimizers; the formulas and the options of each stand in its own docstring.

    params: what is stepped, in place: one array, a sequence of arrays, a dict name -> array, or a list of groups
        {"params": ..., "lr": ..., ...} with options of their own. float32 and float64 NumPy arrays of any shape and strides, also
        in one optimizer; no two may share an element. None: to be given later, by bind(params).
    lr: learning rate, a number >= 0 or a schedule: any callable of the number of steps done, called with 0 for the first.
    weight_decay: >= 0; that many times the parameter is added to its gradient (L2), or with decoupled_weight_decay the parameter is
        multiplied by 1 - lr weight_decay before the update (Loshchilov & Hutter 2019).
    betas: the decays beta1, beta2 of the averages of g and g^2, in [0, 1). eps: >= 0, keeps the divisor from 0.
    maximize: ascend instead of descend.
    ema: decay in [0, 1) of an exponential average of the parameters after each step, kept in the same pass; read it with ema().
    flush_subnormals: while a step computes, numbers below the smallest normal one (1.2e-38 in float32) count as zero. Moments of
        parameters whose gradients stay zero decay into such numbers, with which many CPUs compute several times more slowly.
    like: whose formulas and defaults: "torch", "keras", "optax", "sklearn" or "textbook", as far as each has this optimizer.
        Argument names are torch's under all of them, and an explicit argument wins. optax has no default lr: torch's stands in.

    Raises TypeError or ValueError, naming the argument, what came and what was expected: options out of range or unknown, arrays of
    another dtype or byte order, read-only, misaligned or overlapping ones.
    `param_groups` holds the options of each group and is read at each step; `lr` sets that of all groups.

    >>> import numpy as np, fastopt
    >>> params = {"w": np.ones(2), "b": np.zeros(1)}
    >>> opt = fastopt.Adam([{"params": params}, {"params": np.ones(3), "lr": 0.5}], lr=0.1)
    >>> opt.step([{"w": np.ones(2), "b": None}, np.ones(3)])
    >>> sorted(opt.state_dict()["state"][0]), params["w"].round(4)
    (['exp_avg', 'exp_avg_sq', 'step'], array([0.9, 0.9]))
    """

    rule = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__name__ not in RULES:
            return
        cls.rule = RULES[cls.__name__]
        cls.preset = next(iter(cls.rule.presets))  # torch's, where torch has the optimizer
        kinds, kind = [], inspect.Parameter.POSITIONAL_OR_KEYWORD
        defaults = {"params": None} | cls.rule.defaults(cls.preset) | COMMON | {"like": cls.preset}
        for name, default in defaults.items():
            kind = inspect.Parameter.KEYWORD_ONLY if name == "maximize" else kind
            kinds.append(inspect.Parameter(name, kind, default=default))
        cls.__signature__ = cls.arguments = inspect.Signature(kinds)  # what help() shows; what the constructor binds

    def __init__(self, *args, **kwargs):
        owner = type(self).__name__
        if self.rule is None:
            raise TypeError(f"{owner} is no optimizer by itself: use {', '.join(RULES)}, or a subclass of one of them")
        try:
            given = self.arguments.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{owner}: {error}{self._suggestion(kwargs)}") from None
        params, self.like = given.pop("params", None), given.pop("like", self.preset)
        self._defaults = self._preset(self.like) | COMMON | given
        self._numbers(self._defaults, 0)
        self.param_groups = []
        self._stepper = None
        if params is not None:
            self.bind(params)

    def _preset(self, like):
        owner = type(self).__name__
        if isinstance(like, str) and like in self.rule.presets:
            return self.rule.defaults(like)
        has = ", ".join(map(repr, self.rule.presets))
        if isinstance(like, str) and like in PRESETS:
            others = ", ".join(name for name, rule in RULES.items() if like in rule.presets)
            raise ValueError(f"{owner}: {like} has no {owner}; like may be {has} here, and {like!r} is a preset of {others}")
        raise ValueError(f"{owner}: like must be one of {has}, got {like!r}")

    def _suggestion(self, kwargs):
        known = list(self.arguments.parameters)
        aliases = {
            "learning_rate": "lr",
            "beta_1": "betas",
            "beta_2": "betas",
            "epsilon": "eps",
            "learning_rate_init": "lr",
            "b1": "betas",
        }
        wrong = next((name for name in kwargs if name not in known), None)
        if wrong is None:
            return ""
        near = [aliases[wrong]] if aliases.get(wrong) in known else difflib.get_close_matches(wrong, known, 1)
        return f"; did you mean {near[0]!r}?" if near else f"; the options are {', '.join(known)}"

    def bind(self, params):
        """Takes the parameters, where none were given at construction: once only."""
        owner = type(self).__name__
        if self._stepper is not None:
            raise ValueError(f"{owner}: this optimizer already has parameters; make another one for others")
        opened, grouped = open_groups(owner, params)
        nests, groups, labels, arrays, owners = [], [], [], [], []
        for k, (nest, members, options) in enumerate(opened):
            unknown = [name for name in options if name not in self._defaults]
            if unknown:
                raise ValueError(f"{owner}: group {k} has the unknown option {unknown[0]!r}{self._suggestion({unknown[0]: None})}")
            group = self._defaults | options
            self._numbers(group, 0)
            nests.append(nest)
            labels += nest.labels()
            arrays += members
            owners += [k] * len(members)
            groups.append({"params": tuple(members)} | group)
        if not arrays:
            raise ValueError(f"{owner}: params holds no array")
        for label, array in zip(labels, arrays):
            checks.parameter(owner, label, array)
        checks.distinct(owner, labels, arrays)
        self.param_groups, self._nests, self._grouped, self._group_of = groups, nests, grouped, owners
        self._params, self._labels = arrays, labels
        self._states, self._averages = [{} for _ in arrays], [None] * len(arrays)
        self._build()
        for k in range(len(groups)):
            self._equip(k)

    def _build(self):
        plain = not self._grouped and self._nests[0].kind == "sequence"
        owner, clip_rule, count_all = f"{type(self).__name__}.step", CLIP_RULES[self.like], self.like in COUNTS_ALL
        self._stepper = core.Stepper(
            owner, self.rule.kernel, self._params, self._labels, plain, self._group_of, self.param_groups, clip_rule, count_all
        )
        self._members = [group["params"] for group in self.param_groups]

    def step(self, grads, *, clip_norm=None, clip_value=None, grad_scale=1.0, skip_nonfinite=False, clip_each=False):
        """Updates the parameters in place by one step, and the states with them; the gradients are left as they are.

        grads: gradients in the form in which the parameters were given: one array, a sequence, a dict, or for groups a list
            with one entry a group. Each has the shape and dtype of its parameter, any strides. None skips that parameter.
        In this order: gradients are divided by grad_scale; with skip_nonfinite the whole step is left out where one of them is not
        finite; they are clipped to +-clip_value; and scaled down together so that their global norm is at most clip_norm, by the
        preset's formula (torch: norm + 1e-6; Keras: NaN where the norm is not finite); inf only measures. With clip_each the norm
        of each array by itself is at most clip_norm (torch's formula, or the plain one). See last_step, whose norm is that of all.
        Raises ValueError or TypeError, and changes nothing, where a gradient or an option does not fit.
        """
        if self._stepper is None:
            self._need_parameters("step")
        if clip_norm is not None or clip_value is not None or type(grad_scale) is not float or grad_scale != 1.0 or clip_each:
            clip_norm, clip_value, grad_scale = self._checked(clip_norm, clip_value, grad_scale, clip_each)
        self._stepper.step(self, grads, clip_norm, clip_value, grad_scale, skip_nonfinite, clip_each)

    def _need_parameters(self, what):
        if self._stepper is None:
            raise RuntimeError(
                f"{type(self).__name__}.{what}: this optimizer has no parameters: pass them at construction, or call bind(params)"
            )

    def _checked(self, clip_norm, clip_value, grad_scale, clip_each):
        """The arguments of a step, the numbers among them as floats."""
        owner = f"{type(self).__name__}.step"
        clip_norm = None if clip_norm is None else hyper.number(owner, "clip_norm", clip_norm, hyper.LIMIT)
        clip_value = None if clip_value is None else hyper.number(owner, "clip_value", clip_value, hyper.LIMIT)
        if not isinstance(clip_each, (bool, np.bool_)):
            raise TypeError(f"{owner}: clip_each must be True or False, got {clip_each!r}")
        if clip_each and clip_norm is None:
            raise ValueError(f"{owner}: clip_each={clip_each!r} says whose norm clip_norm limits, but clip_norm is None")
        return clip_norm, clip_value, hyper.number(owner, "grad_scale", grad_scale, hyper.POSITIVE)

    def _flatten(self, grads):
        owner = f"{type(self).__name__}.step"
        if not self._grouped:
            return self._nests[0].flatten(owner, grads)
        if not isinstance(grads, (list, tuple)) or len(grads) != len(self._nests):
            raise ValueError(f"{owner}: gradients must be a list with one entry for each of the {len(self._nests)} groups, got "
                             f"{len(grads) if isinstance(grads, (list, tuple)) else type(grads).__name__}")  # fmt: skip
        return [g for nest, part in zip(self._nests, grads) for g in nest.flatten(owner, part)]

    def _unflatten(self, arrays):
        """One array for each parameter, in the form in which the parameters were given."""
        nested = [nest.unflatten(arrays) for nest in self._nests]
        return nested if self._grouped else nested[0]

    def _numbers(self, options, count):
        """The options as the kernel takes them, after checking every one."""
        owner = type(self).__name__
        if callable(options["lr"]):
            options = options | {"lr": hyper.number(owner, f"lr({count})", options["lr"](count), hyper.NOT_NEGATIVE)}
        return hyper.encode(owner, self.rule.kernel, {name: value for name, value in options.items() if name != "params"})

    def _refresh(self, k, count):
        """Called by the stepper where a group changed: its numbers, everything checked."""
        owner, group = type(self).__name__, self.param_groups[k]
        if group.get("params") is not self._members[k]:
            raise ValueError(f"{owner}: the params of group {k} were replaced; make another optimizer for other parameters")
        strange = [name for name in group if name not in self._defaults and name != "params"] + [
            n for n in self._defaults if n not in group
        ]
        if strange:
            raise ValueError(
                f"{owner}: option {strange[0]!r} of group {k} is {'missing' if strange[0] in self._defaults else 'unknown'}"
            )
        return self._numbers(group, count)

    def _equip(self, k):
        """Called by the stepper after all groups were found right: makes the state arrays that a group needs from now on."""
        group = self.param_groups[k]
        for i in (i for i, of in enumerate(self._group_of) if of == k):
            for item in self.rule.states:
                if item.name not in self._states[i] and item.needed(group):
                    first = self._numbers(group, self.steps)[item.first] if item.first else 0
                    self._make(i, item.name)[...] = first
                    self._stepper.begin(i)
            if group["ema"] is not None and self._averages[i] is None:
                self._make(i, "ema")[...] = self._params[i]

    def _make(self, i, name):
        """A new state array of zeros for parameter i, known to the stepper; it lies in memory like those that there are."""
        leader = next((a for a in (*self._states[i].values(), self._averages[i]) if a is not None), self._params[i])
        array = np.zeros_like(leader, order="K", subok=False)
        if name == "ema":
            self._averages[i] = array
        else:
            self._states[i][name] = array
        self._stepper.attach(i, self._slot(name), array)
        return array

    def _slot(self, name):
        """The number of a state among the kernel's; -1 is the average."""
        return -1 if name == "ema" else [item.name for item in self.rule.states].index(name)

    def _rate(self, k, count):
        return hyper.number(type(self).__name__, f"lr({count})", self.param_groups[k]["lr"](count), hyper.NOT_NEGATIVE)

    @property
    def last_step(self):
        """What the last step found: LastStep(grad_norm, skipped, nonfinite)."""
        if self._stepper is None:
            return LastStep(None, False, None)
        norm, skipped, tensor, index = self._stepper.report()
        where = None
        if tensor is not None:
            k = self._group_of[tensor]
            key = self._nests[k].keys[tensor - self._nests[k].start]
            where = ((k, key) if self._grouped else key, index)
        return LastStep(norm, skipped, where)

    @property
    def steps(self):
        """The number of steps done; skipped ones do not count. It is what a schedule given as lr is called with."""
        return 0 if self._stepper is None else self._stepper.steps

    @property
    def lr(self):
        """The learning rate, a number or a schedule; setting it sets that of every group. A list where groups differ."""
        rates = [group["lr"] for group in self.param_groups] or [self._defaults["lr"]]
        return rates[0] if all(rate is rates[0] or rate == rates[0] for rate in rates) else rates

    @lr.setter
    def lr(self, value):
        if not callable(value):
            hyper.number(type(self).__name__, "lr", value, hyper.NOT_NEGATIVE)
        for group in [self._defaults, *self.param_groups]:
            group["lr"] = value

    def ema(self):
        """Copies of the exponential averages of the parameters, in the form in which the parameters were given (ema=decay)."""
        if self._stepper is None or any(average is None for average in self._averages):
            raise ValueError(f"{type(self).__name__}.ema: no averages are kept; construct the optimizer with ema=0.999, say")
        copies = [average.copy(order="K") for average in self._averages]
        return self._unflatten(copies)

    def state_dict(self):
        """{"state": {0: {"step": 3, "exp_avg": array, ...}, ...}, "param_groups": [{"params": [0, ...], "lr": ...}], "step": n}.

        Integer keys in the order of the parameters, torch.optim's names, arrays copied. A schedule is given by its present rate.
        """
        return state.take(self)

    def load_state_dict(self, state_dict):
        """Takes the states and options of state_dict(), or of torch's with arrays for tensors; all is checked before any is taken.

        A group whose lr is a schedule keeps it. Raises ValueError or TypeError where something is missing or does not fit.
        """
        state.put(self, state_dict)

    def unbound(self):
        """An optimizer of the same options without parameters and states, for bind."""
        other = object.__new__(type(self))
        kept = {name: value for name, value in self.__dict__.items() if name not in OF_PARAMETERS}
        other.__dict__.update(copy.deepcopy(kept, {id(self): other}))  # a bound method becomes the other's
        other._unbind()
        return other

    def _unbind(self):
        self.param_groups, self._stepper = [], None

    def __copy__(self):
        raise TypeError(f"{type(self).__name__}: a shallow copy would share its states with the original; use copy.deepcopy")

    def __getstate__(self):
        kept = {name: value for name, value in self.__dict__.items() if name not in ("_stepper", "_members")}
        if self._stepper is not None:
            kept["_counts"] = [self._stepper.counts(i) for i in range(len(self._params))], self._stepper.steps
        return kept

    def __setstate__(self, kept):
        counts = kept.pop("_counts", None)
        self.__dict__.update(kept)
        self._stepper = None
        if counts is not None:
            self._build()
            for i, count in enumerate(counts[0]):
                self._stepper.set_counts(i, *count)
                for name, array in self._states[i].items():
                    self._stepper.attach(i, self._slot(name), array)
                if self._averages[i] is not None:
                    self._stepper.attach(i, -1, self._averages[i])
            self._stepper.steps = counts[1]

    def __repr__(self):
        changed = {n: v for n, v in self._defaults.items() if n not in (d := self._preset(self.like) | COMMON) or d[n] != v}
        options = [f"{name}={value!r}" for name, value in changed.items()] + [f"like={self.like!r}"] * (self.like != self.preset)
        size = (
            "no parameters yet"
            if self._stepper is None
            else f"{len(self._params)} arrays, {sum(p.size for p in self._params)} parameters"
        )
        return f"<{type(self).__name__}({', '.join(options)}): {size}, {self.steps} steps>"
