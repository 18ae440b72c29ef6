"""Names and configurations: how a string, a class or a dict becomes an object, in each of nn's homes.

A configuration is {"class_name": name, "config": keyword arguments}, as Keras writes it; other keys are ignored.
"""

import contextlib
import difflib
import inspect
from contextvars import ContextVar

from .. import archive

_own: ContextVar = ContextVar("the custom_objects of the model that is being made from its configuration", default=None)


@contextlib.contextmanager
def scope(custom_objects):
    """While a model is made from its configuration: what its parts are made of may be the user's own, {name: class or function}."""
    token = _own.set(custom_objects)
    try:
        yield
    finally:
        _own.reset(token)


class Configured:
    """Base of what is made from arguments, and made again from get_config."""

    def get_config(self):
        """The arguments it was made with, as a dict."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The object with the arguments `config`."""
        return cls(**config)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def plain(name):
    """`name` as it is compared: lower case, without underscores, hyphens and spaces."""
    return name.lower().translate(str.maketrans("", "", "_- "))


def find(kind, name, table):
    """The entry of `table` under `name`, whatever its case and underscores; kind ("loss") stands in the message.

    Raises TypeError for a name that is no string, ValueError for one that is unknown, with the nearest known one.
    """
    if not isinstance(name, str):
        raise TypeError(f"{kind}: the name must be a string, got {name!r}")
    if name in table:
        return table[name]
    known = {plain(key): key for key in reversed(table)}  # of several spellings the first
    if plain(name) in known:
        return table[known[plain(name)]]
    hint = nearest(name, table) or f", known: {', '.join(sorted(known.values(), key=str.lower))}"
    raise ValueError(f"{kind}: unknown name {name!r}{hint}")


def nearest(name, table):
    """What a message says behind an unknown name: that of `table` which begins with it, or is most like it; "" for none."""
    known, wanted = {plain(key): key for key in reversed(table)}, plain(name)
    longer = [key for key in known if wanted and key.startswith(wanted)]
    near = min(longer, key=len) if longer else next(iter(difflib.get_close_matches(wanted, known, 1, 0.5)), None)
    return "" if near is None else f", nearest known: {known[near]!r}"


def find_own(kind, name, table):
    """find among what `table` has and, in a scope, the user's own."""
    own = _own.get()
    try:
        return find(kind, name, {**table, **(own or {})})
    except ValueError as error:
        if own is None:
            raise
        why = f"needs what is not known here: {archive.brief(str(error))}; a class or function of your own goes into custom_objects"
        raise archive.Intact(why) from None


def serialize(thing):
    """The configuration of thing, an object that has get_config; of a function its name; None of None."""
    if thing is None:
        return None
    if hasattr(thing, "get_config") and not inspect.isclass(thing):
        return {"class_name": type(thing).__name__, "config": thing.get_config()}
    if hasattr(thing, "__name__"):
        return thing.__name__
    raise TypeError(f"serialize: {type(thing).__qualname__} has neither get_config nor a name")


def deserialize(kind, config, table, custom_objects=None):
    """The object of a configuration, made by from_config of the class that `table` or custom_objects has under its name."""
    known = {**table, **(custom_objects or {})}
    if isinstance(config, str):
        found = find_own(kind, config, known)
        return found() if inspect.isclass(found) else found
    if not isinstance(config, dict) or "class_name" not in config:
        raise TypeError(f"{kind}: expected {{'class_name': ..., 'config': {{...}}}}, got {config!r}")
    found, arguments = find_own(kind, config["class_name"], known), config.get("config") or {}
    if not isinstance(arguments, dict):
        raise TypeError(f"{kind}: 'config' of {config['class_name']!r} must be a dict, got {arguments!r}")
    if not inspect.isclass(found):
        return found
    try:
        return found.from_config(arguments) if hasattr(found, "from_config") else found(**arguments)
    except TypeError as error:
        raise TypeError(f"{kind}: {config['class_name']!r} cannot be made from {arguments!r}: {error}") from None


def resolve(kind, identifier, table, base):
    """What an argument of a layer or of compile stands for: None, a name, a configuration, a class, an object or a function."""
    if identifier is None or isinstance(identifier, base):
        return identifier
    if isinstance(identifier, (str, dict)):
        return deserialize(kind, identifier, table)
    if inspect.isclass(identifier) and issubclass(identifier, base):
        return identifier()
    if callable(identifier) and not inspect.isclass(identifier):
        return identifier
    raise TypeError(f"{kind}: expected a name, a configuration, {base.__name__} or a function, got {identifier!r}")
