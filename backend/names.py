"""Names that do not exist: an error that offers the nearest of those that do."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def explain_missing(
    module: str, on_demand: Mapping[str, str] | None = None, parts: Sequence[str] = ()
) -> None:
    """Give a module, by its `__name__`, an AttributeError that offers what it has instead.

    `on_demand`: {name: module} of names that it takes from other modules, loaded only then.
    `parts`: names of modules in it that are loaded only then.
    """

    def __getattr__(name: str) -> Any:
        if name in parts:
            return importlib.import_module(f"{module}.{name}")
        if on_demand is None or name not in on_demand:
            raise missing(module, name)
        value = getattr(importlib.import_module(on_demand[name]), name)
        setattr(sys.modules[module], name, value)
        return value

    # Set here, where type checkers do not see it: to them a module with a `__getattr__` has it all.
    sys.modules[module].__getattr__ = __getattr__  # type: ignore[method-assign]


def missing(module: str, name: str) -> AttributeError:
    """The error for a name that a module does not have."""
    message = f"module '{module}' has no attribute '{name}'"
    if name.startswith("__"):  # Python asks for those by itself
        return AttributeError(message)
    package, there = module.partition(".")[0], vars(sys.modules[module])
    known = there.get("__all__") or [known for known in there if not known.startswith("_")]
    return AttributeError(f"{message}: it is not in {package}.{did_you_mean(name, known)}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """' Did you mean ...?' with the nearest of the known names, or ''."""
    from difflib import get_close_matches  # only errors need it

    like = sorted(
        sorted(known), key=lambda candidate: candidate[:1].isupper() == name[:1].isupper()
    )
    by_lower = {candidate.lower(): candidate for candidate in like}  # 'Zeros' or 'zeros', as asked
    near = get_close_matches(name.lower(), by_lower, n=6, cutoff=0.6)
    spelled = {plain(match): by_lower[match] for match in reversed(near)}  # one spelling of each
    nearest = list(spelled.values())[::-1][:3]
    return f" Did you mean {' or '.join(map(repr, nearest))}?" if nearest else ""


def plain(name: str) -> str:
    """What 'GlorotUniform', 'glorot_uniform' and 'glorotuniform' have in common."""
    return name.replace("_", "").lower()
