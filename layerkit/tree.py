"""Keras's `tree`: nested lists, tuples, dicts, named tuples and deques, and what to do with them.

Leaves are all other things, None among them. They come in the order of lists and tuples, of sorted
keys, and of the keys as they stand in an `OrderedDict`. Results have the types of what they are
made from, and dicts the order of its keys.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from layerkit.backend.names import explain_missing

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]


class MAP_TO_NONE:  # noqa: N801 (Keras's name)
    """What a function given to `traverse` returns for None as a result."""


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a list, tuple, dict, named tuple or deque, be it empty."""
    return isinstance(structure, (list, tuple, dict, deque))


def flatten(structure: Any) -> list:
    """The leaves, depth first."""
    return [leaf for _, leaf in _leaves(structure, ())]


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """Pairs of each leaf's path, the keys and numbers that lead to it, and the leaf."""
    return list(_leaves(structure, ()))


def pack_sequence_as(structure: Any, flat_sequence: Iterable) -> Any:
    """The leaves `flat_sequence` in the shape of `structure`: the inverse of `flatten`.

    ValueError where their number is another one, TypeError for what is no sequence.
    """
    if not isinstance(flat_sequence, Iterable):
        raise TypeError(
            "pack_sequence_as expects `flat_sequence` to be a sequence of leaves; "
            f"received {flat_sequence!r}: put it in a list."
        )
    leaves = list(flat_sequence)
    expected = len(flatten(structure))
    if len(leaves) != expected:
        raise ValueError(f"The structure has {expected} leaves; `flat_sequence` has {len(leaves)}.")
    supply = iter(leaves)
    return map_structure(lambda _: next(supply), structure)


def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """`func` of the leaves of structures of one shape, in that shape.

    `none_is_leaf=False` leaves None as it is. ValueError without a structure, and where shapes or
    types of containers differ.
    """
    _check_given(structures)

    def of_leaves(*leaves: Any) -> Any:
        if not none_is_leaf and any(leaf is None for leaf in leaves):
            if any(leaf is not None for leaf in leaves):
                raise _different(f"None stands beside {leaves}")
            return None
        for leaf in leaves:
            if is_nested(leaf):
                raise _different(f"a leaf stands beside {leaf!r}")
        return func(*leaves)

    return _map(of_leaves, structures)


def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """`func` of what structures have where `shallow_structure` has leaves, in its shape.

    The structures may go deeper. ValueError without one, and where they do not go as deep or types
    of containers differ.
    """
    _check_given(structures)
    return _map(lambda _, *parts: func(*parts), (shallow_structure, *structures))


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """ValueError unless both are nested alike, by containers of the same types.

    `check_types` is deprecated: given, it has no effect but a DeprecationWarning.
    """
    if check_types is not None:
        warnings.warn(
            "The `check_types` argument is deprecated and has no effect: types are always checked; "
            "`assert_same_paths` does not look at them.",
            DeprecationWarning,
            stacklevel=2,
        )
    map_structure(lambda *_: None, a, b)


def assert_same_paths(a: Any, b: Any) -> None:
    """ValueError unless the same paths lead to leaves in both, whatever their containers' types."""
    of_a, of_b = ({path for path, _ in _leaves(x, ())} for x in (a, b))
    if of_a != of_b:
        message = "`a` and `b` don't have the same paths."
        if of_a - of_b:
            message += f"\nPaths in `a` missing in `b`:\n{of_a - of_b}"
        if of_b - of_a:
            message += f"\nPaths in `b` missing in `a`:\n{of_b - of_a}"
        raise ValueError(message)


def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """The structure with each part replaced by `func` of it, where that is not None.

    Parts are leaves and containers. `top_down`: a container comes before its parts, which are left
    out where it is replaced; else behind them. `MAP_TO_NONE` returned by `func` stands for None.
    """

    def of_children() -> Any:
        if not is_nested(structure):
            return structure
        parts = [traverse(func, child, top_down) for _, child in _children(structure)]
        return _rebuilt(structure, parts)

    if top_down:
        result = func(structure)
        result = of_children() if result is None else result
    else:
        inner = of_children()
        result = func(inner)
        result = inner if result is None else result
    return None if result is MAP_TO_NONE else result


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of its lists."""
    return traverse(lambda x: tuple(x) if isinstance(x, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable, structure: Any) -> Any:
    """`func` of each shape, a list or tuple of ints and Nones, in the shape of the structure."""
    is_shape = isinstance(structure, (list, tuple)) and all(
        n is None or isinstance(n, int) for n in structure
    )
    if is_shape or not is_nested(structure):
        return func(structure)
    parts = [map_shape_structure(func, child) for _, child in _children(structure)]
    return _rebuilt(structure, parts)


def _leaves(structure: Any, path: tuple) -> Iterator[tuple[tuple, Any]]:
    if not is_nested(structure):
        yield path, structure
        return
    for key, child in _children(structure):
        yield from _leaves(child, (*path, key))


def _map(function: Callable, structures: tuple) -> Any:
    """`function` of the parts of all structures that stand where the first has leaves."""
    first, *others = structures
    if not is_nested(first):
        return function(*structures)
    for other in others:
        _check_alike(first, other)
    keys = [key for key, _ in _children(first)]
    parts = [_map(function, tuple(x[key] for x in structures)) for key in keys]
    return _rebuilt(first, parts)


def _children(structure: Any) -> list[tuple[Any, Any]]:
    """The parts of a container, in the order of leaves, with their keys or numbers."""
    if not isinstance(structure, dict):
        return list(enumerate(structure))
    return [(key, structure[key]) for key in _ordered_keys(structure)]


def _ordered_keys(structure: dict) -> list:
    if isinstance(structure, OrderedDict):
        return list(structure)
    try:
        return sorted(structure)
    except TypeError:  # keys of several types, by the types' names
        return sorted(structure, key=lambda key: (type(key).__qualname__, key))


def _rebuilt(structure: Any, parts: list) -> Any:
    """A container like `structure` with other parts, given in the order of `_children`."""
    if isinstance(structure, dict):
        by_key = dict(zip(_ordered_keys(structure), parts, strict=True))
        items = {key: by_key[key] for key in structure}
        if isinstance(structure, defaultdict):
            return defaultdict(structure.default_factory, items)
        return items if type(structure) is dict else type(structure)(items)
    if isinstance(structure, deque):
        return deque(parts, structure.maxlen)
    if hasattr(structure, "_fields"):  # a named tuple takes its fields one by one
        return type(structure)(*parts)
    return type(structure)(parts)


def _check_alike(first: Any, other: Any) -> None:
    """ValueError unless two containers are of one type and length; dicts of one set of keys."""
    if isinstance(first, dict) and isinstance(other, dict):
        if set(first) != set(other):
            raise _different(f"dicts have the keys {list(first)} and {list(other)}")
    elif type(first) is not type(other):
        raise _different(
            f"expected an instance of {type(first).__name__}, got {type(other).__name__}: {other!r}"
        )
    elif len(first) != len(other):
        raise _different(f"lengths are {len(first)} and {len(other)}: {first!r} and {other!r}")


def _different(how: str) -> ValueError:
    return ValueError(f"Structures don't have the same nested structure: {how}.")


def _check_given(structures: tuple) -> None:
    if not structures:
        raise ValueError("Must provide at least one structure")


explain_missing(__name__)
