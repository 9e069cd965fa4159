"""What callbacks get back from a file: looked at first, for a file may hold anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Kinds = dict[str, Callable[[Any], bool]]  # by the names of what is kept


def checked(state: Any, kinds: Kinds) -> dict[str, Any]:
    """What `state` has of these names; TypeError unless it has all of them, each of its kind."""
    if not isinstance(state, dict) or not state.keys() >= kinds.keys():
        raise TypeError(f"expected a dict of {', '.join(kinds)}; received {state!r:.80}")
    for name, is_one in kinds.items():
        if not is_one(state[name]):
            raise TypeError(f"{name} is {state[name]!r:.80}")
    return {name: state[name] for name in kinds}


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def is_number(value: Any) -> bool:
    """Of any kind, also an array of one; None stands for none yet."""
    if isinstance(value, np.ndarray):
        return value.size == 1 and value.dtype.kind in "iufV"
    return value is None or isinstance(value, (int, float))


def are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_count, value))


def is_batch_count(value: Any) -> bool:
    """Of batches that were counted, and of the last one, -1 before the first."""
    return isinstance(value, list) and [type(n) for n in value] == [int, int] and min(value) >= -1


def are_lists(value: Any) -> bool:
    """Lists by name."""
    return isinstance(value, dict) and all(isinstance(each, list) for each in value.values())


def are_texts(value: Any) -> bool:
    """A list of strings, or None."""
    return value is None or (
        isinstance(value, list) and all(isinstance(each, str) for each in value)
    )


def are_arrays(value: Any) -> bool:
    """A list of arrays, or None."""
    return value is None or (
        isinstance(value, list) and all(isinstance(each, np.ndarray) for each in value)
    )
