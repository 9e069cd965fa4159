"""What constructors take, and what they were called with: configs are made of that."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

from layerkit.backend import tree

PACKAGE = __name__.split(".")[0]


def is_ours(thing: Any) -> bool:
    """Whether a class or a function is of this package."""
    return thing.__module__.split(".")[0] == PACKAGE


def first_of_ours(cls: type) -> type:
    """`cls` itself, or the nearest of its base classes that is of this package, or `object`."""
    return next((base for base in cls.__mro__ if is_ours(base)), object)


def first_without_own_config(cls: type) -> tuple[type, ...]:
    """The classes whose parameters `Configurable.get_config` answers for.

    All of `cls`'s, unless a user's class overrides `get_config`: it adds its own parameters to
    what its `super()` gives.
    """
    mro = cls.__mro__
    own = [i for i, c in enumerate(mro) if "get_config" in vars(c) and not is_ours(c)]
    return mro[own[-1] + 1 :] if own else mro


@cache
def parameters_in(mro: tuple[type, ...]) -> tuple[tuple[str, ...], bool]:
    """Names of the constructor's parameters, base classes' first, and whether it takes any other.

    A constructor that takes **kwargs hands them on: the parameters of the next one count too.
    """
    names: tuple[str, ...] = ()
    open_ended = False
    for cls in mro:
        if cls is object or "__init__" not in vars(cls):
            continue
        parameters = list(inspect.signature(vars(cls)["__init__"]).parameters.values())[1:]
        own = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        names = (*own, *(name for name in names if name not in own))
        open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
        if not open_ended:
            break
    return names, open_ended


def parameters_of(cls: type) -> tuple[str, ...]:
    """Names of the parameters that the constructor of `cls` takes, its base classes' included."""
    return parameters_in(cls.__mro__)[0]


def note_arguments(obj: Any, args: tuple, kwargs: dict[str, Any]) -> None:
    """Let the config of `obj`, of a user's class, have what its constructor is called with.

    Those of its own arguments that are numbers, strings, bools or None, also nested ones; the
    others, and those of this package's constructors, are read from the attributes.
    """
    cls: Any = type(obj)
    form, own, nameless = _own_parameters(cls)
    try:
        given = form.bind(None, *args, **kwargs)
    except TypeError:
        return  # the constructor says what is wrong
    noted = None
    if not any(given.arguments.get(name) for name in nameless):
        given.apply_defaults()
        plain = {name: x for name, x in given.arguments.items() if name in own and _is_plain(x)}
        noted = tree.map_structure(lambda x: x, plain)
    object.__setattr__(obj, "_arguments", noted)


@cache
def _own_parameters(cls: type) -> tuple[inspect.Signature, list[str], list[str]]:
    """The signature of a user's constructor, its own parameters, and those without names.

    What goes on to this package's constructors, with **kwargs, is not its own.
    """
    theirs = parameters_of(next(c for c in cls.__mro__ if is_ours(c)))
    form = inspect.signature(cls.__init__)  # type: ignore[misc]
    parameters = list(form.parameters.values())[1:]
    own = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    goes_on = any(p.kind is p.VAR_KEYWORD for p in parameters)
    nameless = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)]
    return form, [name for name in own if name not in theirs], [] if goes_on else nameless


def _is_plain(value: Any) -> bool:
    return all(x is None or type(x) in (bool, int, float, str) for x in tree.flatten(value))
