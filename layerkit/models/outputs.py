"""Outputs: which ones a model has, and what of a list or dict belongs to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from layerkit.backend import tree


class Mismatch(ValueError):
    """What was given for the outputs does not match them: why, and at which `path`."""

    def __init__(self, why: str, path: tuple = ()):
        super().__init__(why)
        self.path = path


class Outputs:
    """The outputs of a model in a row: the leaves of its predictions `y_pred`.

    `names`: the model's own, one for each. Lists and tuples are matched by place, dicts by the keys
    of `y_pred`, or by the names.
    """

    def __init__(self, y_pred: Any, names: Sequence[str] | None):
        self._like = tree.map_structure(lambda _: None, y_pred)
        self.paths = list(_paths(self._like))
        self.count = len(self.paths)
        self.names = list(names) if names is not None and len(names) == self.count else None

    @property
    def prefixes(self) -> list[str | None]:
        """What the names of each output's metrics begin with: keys of a dict, or its name."""
        if self.count > 1 and isinstance(self._like, dict) and len(self._like) == self.count:
            return [str(path[0]) for path in self.paths]
        if self.count > 1 and self.names is not None:
            return list(self.names)
        return [None] * self.count

    def name_of_loss(self, index: int, loss: str) -> str:
        """The name of the loss called `loss` of output `index`, without '_loss' behind it."""
        path = list(self.paths[index])
        if not path or isinstance(path[-1], int):
            path[-1:] = [loss if self.names is None else self.names[index]]
        return "/".join(map(str, path))

    def spread(self, data: Any) -> list:
        """What `data` has for each output, None where it has nothing. Mismatch otherwise.

        Where `data` ends above an output's place, as a list of metrics does, it is taken whole.
        """
        if self.count == 1:
            return [self._only(data)]
        names = self.names
        if isinstance(data, dict) and not isinstance(self._like, dict) and names is not None:
            _check_keys(data, names)
            return [data.get(name) for name in names]
        return _spread(self._like, data, ())

    def _only(self, data: Any) -> Any:
        """The one item of lists and dicts of one."""
        while isinstance(data, (list, tuple, dict)) and not is_config(data):
            if isinstance(data, dict):
                self.check_keys(data)
                data = list(data.values())
            if len(data) != 1:
                raise Mismatch(f"there is one output, and {len(data)} were given")
            data = data[0]
        return data

    def check_keys(self, data: Any) -> None:
        """Mismatch where `data`, for a single output, is a dict that has other keys than it."""
        known = self.names is not None or isinstance(self._like, dict)
        if isinstance(data, dict) and known:
            _check_keys(data, [*(self.names or ()), *map(str, self.paths[0])])

    def outline(self) -> Any:
        """The structure of the outputs, for messages."""
        return tree.map_structure(lambda _: "*", self._like)


def is_config(data: Any) -> bool:
    """Whether a dict describes an object, as those in files."""
    return isinstance(data, dict) and "class_name" in data


def map_leaves(function: Callable[[Any], Any], data: Any) -> Any:
    """`function` of each name, object or config in lists and dicts; None stays."""
    if data is None:
        return None
    if isinstance(data, dict) and not is_config(data):
        return {key: map_leaves(function, item) for key, item in data.items()}
    if isinstance(data, (list, tuple)):
        return [map_leaves(function, item) for item in data]
    return function(data)


def leaves_of(data: Any) -> list:
    """The names, objects and configs in lists and dicts."""
    found: list = []
    map_leaves(found.append, data)
    return found


def _paths(like: Any, path: tuple = ()) -> Iterator[tuple]:
    if isinstance(like, dict):
        for key in sorted(like):
            yield from _paths(like[key], (*path, key))
    elif isinstance(like, (list, tuple)):
        for index, item in enumerate(like):
            yield from _paths(item, (*path, index))
    else:
        yield path


def _spread(like: Any, data: Any, path: tuple) -> list:
    if data is None:
        return [None] * len(tree.flatten(like))
    if not isinstance(like, (dict, list, tuple)):
        return [data]
    keys = sorted(like) if isinstance(like, dict) else range(len(like))
    if isinstance(data, dict) and isinstance(like, dict):
        _check_keys(data, keys, path)
        items = [data.get(key) for key in keys]
    elif isinstance(data, (list, tuple)) and len(data) == len(like):
        items = list(data)
    else:
        length = f" of {len(data)}" if isinstance(data, (list, tuple, dict)) else ""
        raise Mismatch(
            f"at {path or 'the top level'} there is a {type(like).__name__} of {len(like)}, and a "
            f"{type(data).__name__}{length} was given",
            path,
        )
    pairs = zip(keys, items, strict=True)
    return [found for key, item in pairs for found in _spread(like[key], item, (*path, key))]


def _check_keys(data: dict, known: Any, path: tuple = ()) -> None:
    for key in data:
        if key not in known:
            raise Mismatch(f"{key!r} is none of the outputs {list(known)}", (*path, key))
