"""Docstrings: every public name has one, it names every argument, and an algorithm's says where it comes from.

An argument counts as named in the docstring itself, in the class's (or its bases') for a method, or in what the docstring refers
to: "see Optimizer", "as in fit", "see fastopt.reference.losses". A class must refer to its base, too, where it hands arguments on:
only references that are written out count, for those a reader can follow.
"""

import importlib
import inspect
import re
from types import ModuleType

import pytest

import fastopt

REFERENCE = re.compile(r"\b(?:[Ss]ee|[Aa]s in|[Aa]s for|[Aa]s|[Aa]rguments of) ((?:[A-Za-z_][\w.]*\w(?:, | and )?)+)")
YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
# where a formula has an author; the plain ones, which nobody claims, stand here by name
SOURCED = {
    "fastopt.optim": "LastStep load save",
    "fastopt.optim.schedules": "Constant",
    "fastopt.kernels": "gemm dense_forward activation_forward mean_squared_error mean_absolute_error binary_crossentropy "
    "categorical_crossentropy sparse_categorical_crossentropy cosine_similarity penalty embedding_forward",
    "fastopt.nn.layers": "Activation Add Average Concatenate Flatten GlobalAveragePooling1D GlobalMaxPooling1D Input InputLayer "
    "Layer Masking Maximum Minimum Multiply RepeatVector Reshape Subtract TimeDistributed GlobalAvgPool1D GlobalMaxPool1D add "
    "average concatenate maximum minimum multiply subtract",
    "fastopt.nn.initializers": "Initializer RandomInitializer Zeros Ones Constant Identity RandomNormal TruncatedNormal "
    "RandomUniform truncated_normal fans serialize deserialize get",
    "fastopt.nn.activations": "Activation linear gelu_tanh sigmoid tanh exponential log_softmax serialize deserialize get",
}


def names(module):
    """(name, object) of what a module offers, in its order."""
    listed = getattr(module, "__all__", None) or [n for n, thing in vars(module).items() if not n.startswith("_") and own(thing)]
    return [(name, getattr(module, name)) for name in listed]


def own(thing):
    """Whether this is a class or function of fastopt: not a module, a constant or something imported from elsewhere."""
    return (inspect.isclass(thing) or callable(thing)) and getattr(thing, "__module__", "").startswith("fastopt")


def homes(module, seen):
    """The public modules, from `module` down."""
    seen[module.__name__] = module
    for _, thing in names(module):
        if isinstance(thing, ModuleType) and thing.__name__ not in seen:
            homes(thing, seen)
    return seen


HOMES = homes(fastopt, {})
TOP = {f"{home}.{name}": thing for home, module in HOMES.items() for name, thing in names(module) if own(thing)}


def members(cls):
    """(name, object) of the methods and properties that fastopt gives a class."""
    for name in sorted(n for n in dir(cls) if not n.startswith("_")):
        where = next((c for c in cls.__mro__ if name in vars(c)), None)
        if where is not None and where.__module__.startswith("fastopt"):
            thing = inspect.getattr_static(cls, name)
            if isinstance(thing, (property, classmethod, staticmethod)) or inspect.isroutine(thing):
                yield name, thing if isinstance(thing, property) else getattr(cls, name)


def function_of(member):
    return getattr(member, "__func__", member)


ALL = {id(thing): (path, thing, None) for path, thing in reversed(TOP.items())}  # once each, however many homes and heirs
for _path, _thing in TOP.items():
    for _name, _member in members(_thing) if inspect.isclass(_thing) else ():
        ALL.setdefault(id(function_of(_member)), (f"{_path}.{_name}", _member, _thing))


def of(home):
    """Those whose first home is this one."""
    return [entry for entry in ALL.values() if max((h for h in HOMES if entry[0].startswith(h + ".")), key=len) == home]


def resolve(name, thing, cls):
    """What a docstring means by a name, or None: a method beside this one, a name of its module or of a home, a dotted path."""
    for scope in (cls, inspect.getmodule(thing), inspect.getmodule(cls), *HOMES.values()):
        if scope is not None and hasattr(scope, name):
            return getattr(scope, name)
    module, _, last = name.rpartition(".")
    if name.startswith("fastopt."):
        try:
            return importlib.import_module(name)
        except ImportError:
            return getattr(importlib.import_module(module), last, None)
    return getattr(resolve(module, thing, cls), last, None) if module else None


def docstring(thing):
    """A class's own; a method may have that of the method it overrides."""
    return inspect.cleandoc(thing.__doc__ or "") if inspect.isclass(thing) else inspect.getdoc(thing) or ""


def text(thing, cls=None, seen=()):
    """A docstring with those it refers to, and for a method its class's."""
    if thing is None or id(thing) in seen or isinstance(thing, (str, int, float, tuple, dict)):
        return ""
    seen, doc = (*seen, id(thing)), " ".join(docstring(thing).split())
    found = [resolve(name, thing, cls) for names in REFERENCE.findall(doc) for name in re.split(r", | and ", names) if name]
    above = [*cls.__mro__, *(vars(c).get(getattr(thing, "__name__", "")) for c in cls.__mro__)] if cls is not None else ()
    return "\n".join([doc, *(text(other, cls if inspect.isroutine(other) else None, seen) for other in (*found, *above))])


def arguments(thing):
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return []
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.kind not in variadic and p.name not in ("self", "cls") and not p.name.startswith("_")]


@pytest.mark.parametrize("home", HOMES)
def test_every_module_says_what_it_is(home):
    assert HOMES[home].__doc__


@pytest.mark.parametrize("home", HOMES)
def test_every_name_has_a_docstring(home):
    missing = [path for path, thing, _ in of(home) if not docstring(thing).strip()]
    assert not missing, f"without docstring: {', '.join(missing)}"


@pytest.mark.parametrize("home", HOMES)
def test_every_argument_is_named(home):
    missing = []
    for path, thing, cls in of(home):
        if not isinstance(thing, property):
            said = text(thing, cls)
            missing += [f"{path}: {name}" for name in arguments(thing) if not re.search(rf"(?<!\w){name}(?!\w)", said)]
    assert not missing, "named neither in the docstring nor in what it refers to:\n" + "\n".join(missing)


@pytest.mark.parametrize("home", SOURCED)
def test_algorithms_name_their_source(home):
    plain = SOURCED[home].split()
    asked = {name: thing for name, thing in names(HOMES[home]) if own(thing) and not name.endswith("_backward")}
    assert set(plain) <= asked.keys()
    missing = [name for name, thing in asked.items() if name not in plain and not YEAR.search(docstring(thing))]
    assert not missing, f"{home}: {', '.join(missing)} without author and year"
