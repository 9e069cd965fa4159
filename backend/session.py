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
    scopes: tuple[name_scope, ...] = ()


_local = _Local()


def get_uid(prefix: str = "") -> int:
    """How often a name of this prefix was asked for in this session, this time included."""
    _used[prefix] += 1
    return _used[prefix]


@contextmanager
def names_kept_on_failure() -> Iterator[None]:
    """Whatever fails in the `with` block has asked for no names."""
    before = _used.copy()
    try:
        yield
    except BaseException:
        _used.clear()
        _used.update(before)
        raise


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

    `caller`: whose scope it is; within its own it adds nothing.

    ValueError for a name with a slash.
    """

    def __init__(self, name: str, caller: Any = None):
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. "
                f"Received: name={name}"
            )
        self.name = name
        self.caller = caller
        self._outer: list[tuple[name_scope, ...]] = []

    def __enter__(self) -> name_scope:
        scopes = _local.scopes
        self._outer.append(scopes)
        if self.caller is None or not scopes or scopes[-1].caller is not self.caller:
            _local.scopes = (*scopes, self)
        return self

    def __exit__(self, *exception: Any) -> None:
        _local.scopes = self._outer.pop()


def open_scopes() -> str:
    """The names of the scopes that are open, as a path."""
    return "/".join(scope.name for scope in _local.scopes)


def in_scope(path: str) -> str:
    """`path` below the scopes that are open."""
    return "/".join((*(scope.name for scope in _local.scopes), path))
