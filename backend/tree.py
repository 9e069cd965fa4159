"""Nested lists, tuples and dicts: flatten them, map over them, put them together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def flatten(structure: Any) -> list:
    """The leaves of `structure`, depth first; a dict's in the order of its sorted keys."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flatten(item)]
    return [structure]


def pack_sequence_as(structure: Any, leaves: Iterable) -> Any:
    """`leaves` in the shape of `structure`: the inverse of `flatten`."""
    return _pack(structure, iter(leaves))


def _pack(structure: Any, leaves: Any) -> Any:
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], leaves) for key in sorted(structure)}
        return {key: packed[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        items = [_pack(item, leaves) for item in structure]
        if hasattr(structure, "_fields"):  # a namedtuple takes its fields one by one
            return type(structure)(*items)
        return type(structure)(items)
    return next(leaves)


def map_structure(function: Callable, *structures: Any) -> Any:
    """`function` applied leaf by leaf to structures of one shape; the result has that shape."""
    if len(structures) == 1 and not isinstance(structures[0], (dict, list, tuple)):
        return function(structures[0])
    leaves = zip(*(flatten(structure) for structure in structures), strict=True)
    return pack_sequence_as(structures[0], [function(*group) for group in leaves])
