"""A session: the names given so far, the scope of new ones, and how all of it is forgotten."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_used: Counter[str] = Counter()
_resets: list[Callable[[], Any]] = []


class _Local(threading.local):
    scopes: tuple[str, ...] = ()
    owner: Any = None  # of the innermost scope, where an object opened it


_local = _Local()


def get_uid(prefix: str = "") -> int:
    """How often a name of this prefix was asked for in this session, this time included."""
    _used[prefix] += 1
    return _used[prefix]


def clear_session() -> None:
    """Forget the names given so far and the global dtype policy: the next model is as the first."""
    _used.clear()
    for reset in _resets:
        reset()


def at_clear_session(reset: Callable[[], Any]) -> None:
    """Have `reset()` called by every `clear_session`."""
    _resets.append(reset)


class name_scope:  # noqa: N801 - Keras's name
    """In the `with` block, the paths of new variables begin with `name`; scopes nest.

    ValueError for a name with a slash.
    """

    def __init__(self, name: str):
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. "
                f"Received: name={name}"
            )
        self.name = name

    def __enter__(self) -> name_scope:
        self._before = _local.scopes, _local.owner
        _local.scopes, _local.owner = (*_local.scopes, self.name), None
        return self

    def __exit__(self, *exception: Any) -> None:
        _local.scopes, _local.owner = self._before


def scope_owner() -> Any:
    """The object whose scope the innermost one is; None where there is none."""
    return _local.owner


@contextmanager
def scope_of(owner: Any, names: tuple[str, ...]) -> Iterator[None]:
    """In the `with` block, the scopes `names`, unless the innermost ones are this owner's."""
    if _local.owner is owner:
        yield
        return
    before = _local.scopes, _local.owner
    _local.scopes, _local.owner = (*_local.scopes, *names), owner
    try:
        yield
    finally:
        _local.scopes, _local.owner = before


def in_scope(path: str) -> str:
    """`path` below the scopes that are open."""
    return "/".join((*_local.scopes, path))
