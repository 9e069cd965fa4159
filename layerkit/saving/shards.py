"""Weights in several files: a `.weights.json` that says which group lies in which `.weights.h5`.

The JSON is replaced last, and new parts never take the names of parts that it names: a writer that
is killed leaves the weights that were there before.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from typing import Any

import numpy as np

from . import hdf5
from .atomic import replacing
from .identify import check_regular
from .walk import all_places
from .weights_file import HDF5Store, load_from, state_of

_GIGABYTE = 1024**3
_MOST_TEXT = 64 * 2**20  # bytes of the JSON
_MOST_PARTS = 10_000

_Entry = tuple[str, str, np.ndarray]  # group, key, array


# --- writing -----------------------------------------------------------------------------------


def write_sharded_weights(
    model: Any, path: str, max_shard_size: float, overwrite: bool = True
) -> None:
    """Write the weights into files of at most `max_shard_size` gigabytes, and a JSON at `path`.

    ValueError for an array that is larger, FileExistsError with `overwrite=False` where there is
    a file at `path`.
    """
    if not max_shard_size > 0:
        raise ValueError(
            "`max_shard_size` is in gigabytes and must be positive. Received: max_shard_size="
            f"{max_shard_size}"
        )
    new: list[str] = []
    try:
        with replacing(path, overwrite) as file:
            old = _old_parts(path)
            killed = [name for name in _later_parts(path) if name not in old]
            _remove(path, killed)  # whose writers were killed
            generation = _free_generation(path) if old else ""
            config = _write_parts(model, path, max_shard_size * _GIGABYTE, generation, new)
            file.write(json.dumps(config, indent=4).encode())
    except BaseException:
        if _old_parts(path) != new:  # the new JSON is not there
            _remove(path, new)
        raise
    if generation:  # Keras opens its name of the first part, whatever the JSON says
        _write_part(_beside(path, _name(path, 0)), [])
    _remove(path, [name for name in old if name not in (*new, _name(path, 0))])


def _write_parts(
    model: Any, path: str, most: float, generation: str, new: list[str]
) -> dict[str, Any]:
    """Write all parts, add their names to `new`; returns what the JSON has to say."""
    weight_map: dict[str, list[str]] = {}
    total = 0
    for number, part in enumerate(_parts(model, most)):
        name = _name(path, number, generation)
        _write_part(_beside(path, name), part)
        new.append(name)
        for group in dict.fromkeys(group for group, _, _ in part):
            weight_map.setdefault(group, []).append(name)
        total += sum(array.nbytes for _, _, array in part)
    named = {group: own[0] if len(own) == 1 else own for group, own in weight_map.items()}
    return {"metadata": {"total_size": float(total)}, "weight_map": named}


def _parts(model: Any, most: float) -> Iterator[list[_Entry]]:
    """The arrays of the model in lists that are as long as fit in `most` bytes."""
    part: list[_Entry] = []
    size = 0
    for path, obj in all_places(model):
        group = f"/{path}/vars" if path else "/vars"
        for key, array in state_of(obj).items():
            if array.nbytes > most:
                raise ValueError(
                    f"The size of {group}/{key} is {array.nbytes} bytes which exceeds the maximum "
                    f"shard size {most:.0f} bytes. You can increase the `max_shard_size` parameter "
                    f"to accommodate the size: to {array.nbytes / _GIGABYTE:.3g} or more."
                )
            if size + array.nbytes > most:
                yield part
                part, size = [], 0
            part.append((group, key, array))
            size += array.nbytes
    yield part


def _write_part(path: str, part: list[_Entry]) -> None:
    import h5py

    with replacing(path) as file, h5py.File(file, "w") as root:
        for group, key, array in part:
            hdf5.write(root.require_group(group), key, array)


def _name(path: str, number: int, generation: str = "") -> str:
    """What Keras calls a part; where it has been saved before, a name beside that."""
    return f"{_stem(path)}_{generation}{number:05}.weights.h5"


def _stem(path: str) -> str:
    return os.path.basename(path).removesuffix(".json").replace(".weights", "")


def _free_generation(path: str) -> str:
    """What tells the names of new parts from those of the old ones."""
    taken = {name.removeprefix(_stem(path)).split("_")[1] for name in _later_parts(path)}
    return f"generation{next(n for n in count(1) if f'generation{n}' not in taken)}_"


def _later_parts(path: str) -> list[str]:
    """The parts in the folder whose names are layerkit's, not Keras's."""
    name = re.compile(re.escape(_stem(path)) + r"_generation\d+_\d{5}\.weights\.h5")
    return [each for each in os.listdir(os.path.dirname(path) or ".") if name.fullmatch(each)]


def _old_parts(path: str) -> list[str]:
    """The names of the parts that are to be replaced; none where the JSON there is no such."""
    try:
        return _named_parts(path)
    except (FileNotFoundError, ValueError):
        return []


def _remove(path: str, names: list[str]) -> None:
    for name in names:
        with suppress(OSError):  # a part that stays harms nobody
            os.unlink(_beside(path, name))


def _beside(path: str, name: str) -> str:
    return os.path.join(os.path.dirname(path), name)


# --- reading -----------------------------------------------------------------------------------


def read_sharded_weights(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Load the weights whose JSON lies at `path`, as `weights_file.read_weights` does.

    FileNotFoundError where one of the parts is missing.
    """
    with open_sharded(path) as store:
        load_from(model, store, path, skip_mismatch)


@contextmanager
def open_sharded(path: str) -> Iterator[HDF5Store]:
    """The parts that the JSON at `path` names, open for reading."""
    names = _named_parts(path)
    parts = [_beside(path, name) for name in names]
    for name, part in zip(names, parts, strict=True):
        if not os.path.exists(part):
            raise FileNotFoundError(
                f"'{path}' names '{name}' as a part of the weights, and it is not beside it. "
                "Expected all parts in one folder: copy the missing one there."
            )
        check_regular(part)
    with ExitStack() as opened:
        files = [opened.enter_context(open(part, "rb")) for part in parts]
        opens = [hdf5.open_hdf5(*pair, path) for pair in zip(files, parts, strict=True)]
        yield HDF5Store(*[opened.enter_context(each) for each in opens])


def _named_parts(path: str) -> list[str]:
    """The names of all parts in the JSON, each once. ValueError where it is another."""
    with open(path, "rb") as file:
        text = file.read(_MOST_TEXT + 1)
    try:
        weight_map = json.loads(text)["weight_map"]
        listed = [[own] if isinstance(own, str) else own for own in weight_map.values()]
        names = list(dict.fromkeys(name for own in listed for name in own))
        plain = len(text) <= _MOST_TEXT and len(names) <= _MOST_PARTS and all(map(_is_plain, names))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        plain = False
    if not plain:
        raise ValueError(
            f"'{path}' is not the JSON of sharded weights: expected 'weight_map' with the names of "
            "files beside it, as model.save_weights('x.weights.json', max_shard_size=...) writes "
            "it. Save the weights again."
        )
    return names


def _is_plain(name: Any) -> bool:
    """Whether a name is that of an HDF5 file in the same folder."""
    return (
        isinstance(name, str)
        and name.endswith(".h5")
        and not {"/", "\\", ":", "\0"} & set(name)
        and len(name) < 256
    )
