"""Weights in HDF5 as Keras 3 lays them out, and how they load.

An object at a path P of the walk keeps its own variables in the group `P/vars`, as datasets '0',
'1', ... The walk follows Keras's order exactly, for it decides the names in the file.
Loading is all or nothing: everything is compared before anything is assigned.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import numpy as np

from ..layers import Layer
from . import hdf5
from .all_or_nothing import all_or_nothing
from .optimizer_variables import matched
from .order_of_axes import in_other_order
from .refusal import report, tell
from .side_by_side import MOST_ROWS, REMEDY, TOO_LARGE, table
from .walk import OLDER_WAYS, all_places, walk

# --- writing -----------------------------------------------------------------------------------


def write_weights(model: Any, file: BinaryIO, include_optimizer: bool = True) -> None:
    """Write all weights of `model`, and its optimizer's state, into the empty binary `file`."""
    import h5py

    with h5py.File(file, "w") as root:
        for path, obj in all_places(model):
            if path.split("/")[0] == "optimizer" and not include_optimizer:
                continue
            group = root.create_group(f"{path}/vars")
            group.attrs["name"] = str(obj.name)
            for key, value in state_of(obj).items():
                hdf5.write(group, key, value)


def state_of(obj: Any) -> dict[str, np.ndarray]:
    """The object's own variables as arrays, by their names in files."""
    store: dict[str, Any] = {}
    obj.save_own_variables(store)
    return {str(key): np.asarray(value) for key, value in store.items()}


# --- loading -----------------------------------------------------------------------------------


class Store(Protocol):
    """Where weights lie: arrays by the paths of the walk, read when they are asked for."""

    def arrays_at(self, path: str) -> dict[str, Any]:
        """{name: dataset} of the object at a path of the walk; {} where there is nothing."""

    def shapes(self) -> dict[str, list[tuple[int, ...]]]:
        """{path: shapes} of all groups that hold arrays."""


class HDF5Store:
    """The groups of one HDF5 file, or of several that together hold the weights."""

    def __init__(self, *roots: Any):
        self._roots = roots

    def arrays_at(self, path: str) -> dict[str, Any]:
        for group_path in _paths_of_groups(path):
            groups = [hdf5.find_group(root, f"{group_path}/vars") for root in self._roots]
            if any(group is not None for group in groups):
                found = [hdf5.find_datasets(group) for group in groups if group is not None]
                merged = {key: dataset for own in found for key, dataset in own.items()}
                return {key: merged[key] for key in sorted(merged, key=hdf5.by_number)}
        return {}

    def shapes(self) -> dict[str, list[tuple[int, ...]]]:
        found: dict[str, list[tuple[int, ...]]] = {}
        for root in self._roots:
            for path, shapes in hdf5.groups_with_data(root).items():
                found.setdefault(path, []).extend(shapes)
        return found


@dataclass
class _Part:
    """One object of the model beside its arrays in the file."""

    path: str
    obj: Any
    before: dict[str, np.ndarray]  # what it would save now: names and shapes
    stored: dict[str, Any]  # datasets
    problem: str = ""
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def decides_itself(self) -> bool:
        """Whether the object's class has its own way to load."""
        return (
            isinstance(self.obj, Layer)
            and type(self.obj).load_own_variables is not Layer.load_own_variables
        )


def read_weights(model: Any, file: BinaryIO, name: str, skip_mismatch: bool = False) -> None:
    """Load what `write_weights`, here or in Keras, wrote into the layers and the optimizer.

    `name`: of the file, for messages. ValueError, and nothing changed, where the file holds
    anything but what the model expects; with `skip_mismatch` the rest is loaded, with a warning.
    """
    with hdf5.open_hdf5(file, name) as root:
        load_from(model, HDF5Store(root), name, skip_mismatch)


def load_from(model: Any, store: Store, name: str, skip_mismatch: bool) -> None:
    """`read_weights` of what is in a store."""
    with all_or_nothing(model):
        _prepare_optimizer(model, store)
        parts = _parts(model, store)
        failed = [part for part in parts if part.problem and isinstance(part.obj, Layer)]
        if failed and not skip_mismatch:
            raise ValueError(f"{_could_not_be_loaded(failed, parts, store, name)}\n{REMEDY}")
        for part in parts:
            if not part.problem:
                part.arrays |= {key: _read(part, key, x) for key, x in part.stored.items()}
        _assign(parts, skip_mismatch)
        failed = [part for part in parts if part.problem and isinstance(part.obj, Layer)]
        if failed and not skip_mismatch:
            raise ValueError(f"{_could_not_be_loaded(failed, parts, store, name)}\n{REMEDY}")
        _warn_of_skipped(failed, parts, store, name)


def _read(part: _Part, key: str, dataset: Any) -> np.ndarray:
    array, before = hdf5.read(dataset), part.before.get(key)
    if before is not None and in_other_order(part.obj, before.shape, array.shape):
        return array.reshape(before.shape)
    return array


def _parts(model: Any, store: Store) -> list[_Part]:
    """Every object beside its arrays, found in the way in which the file's Keras walked."""
    parts = [_compare(path, obj, store) for path, obj in walk(model)]
    if any(part.before and not part.stored and isinstance(part.obj, Layer) for part in parts):
        for way in OLDER_WAYS:
            others = [_compare(path, obj, store) for path, obj in walk(model, way)]
            if not any(part.problem for part in others if isinstance(part.obj, Layer)):
                return others
    return parts


def _prepare_optimizer(model: Any, store: Store) -> None:
    """Make the optimizer's slots where the file has values for them."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or optimizer.built:
        return
    if len(store.arrays_at("optimizer")) > len(optimizer.variables):
        optimizer.build(model.trainable_variables)


def _paths_of_groups(path: str) -> list[str]:
    """Where the group of an object may lie: at its path, or at what tf.keras called it.

    There some attributes were private, and a subclassed model's own layers were `layers`.
    """
    owner, _, name = path.rpartition("/")
    paths = [path, f"{owner}/_{name}"]
    first, layers, rest = path.partition("/layers/")
    paths += [_path_in_tf_keras(each) for each in paths]
    if layers:
        paths.append(first + _path_in_tf_keras(layers + rest))
    return list(dict.fromkeys(paths))


def _path_in_tf_keras(path: str) -> str:
    """A path in files of tf.keras 2.12 and 2.13, where layers with weights were counted twice."""

    def doubled(match: re.Match) -> str:
        number = f"_{2 * int(match[2])}" if match[2] else ""
        return f"_layer_checkpoint_dependencies/{match[1]}{number}"

    return re.sub(r"\blayers/([^/]+?)(?:_(\d+))?(?=/|$)", doubled, path)


def _compare(path: str, obj: Any, store: Store) -> _Part:
    stored, before = store.arrays_at(path), state_of(obj)
    keys = dict(zip(names_of_variables(obj, before), before, strict=True))
    stored = {key if key in before else keys.get(key, key): x for key, x in stored.items()}
    part = _Part(path, obj, before, stored)
    for dataset in stored.values():
        if not hdf5.is_numeric(dataset):
            part.problem = f"Expected numbers; '{dataset.name}' holds {dataset.dtype}."
    if part.problem:
        return part
    if part.decides_itself:
        if any(hdf5.is_bomb(dataset) for dataset in stored.values()):
            part.problem = TOO_LARGE
        return part
    if isinstance(obj, Layer):
        part.problem = _layer_problem(part)
    else:
        _compare_optimizer(part)
    return part


def _compare_optimizer(part: _Part) -> None:
    """Find the place of each stored array among an optimizer's variables, or a problem."""
    if len(part.before) < len(part.stored) == len(part.obj.variables):
        part.before = {str(i): v.numpy() for i, v in enumerate(part.obj.variables)}
    own, stored = list(part.before.values()), list(part.stored.values())
    found = matched(own, stored)
    if found is not None:
        part.stored = {key: x for key, x in zip(part.before, found, strict=True) if x is not None}
        part.arrays = {key: part.before[key] for key in part.before if key not in part.stored}
    elif len(own) != len(stored):
        part.problem = (
            f"Skipping variable loading for optimizer '{part.obj.name}', because it has "
            f"{len(own)} variables whereas the saved optimizer has {len(stored)} variables."
        )
    else:
        part.problem = (
            f"Skipping variable loading for optimizer '{part.obj.name}', because the saved "
            "optimizer was built for variables of other shapes."
        )


def _layer_problem(part: _Part) -> str:
    """Why a layer cannot take what is stored; '' where it can."""
    layer, before, stored = part.obj, part.before, part.stored
    if set(before) == set(stored):
        for name, key in zip(_variable_names(part), before, strict=True):
            if before[key].shape != stored[key].shape and not in_other_order(
                layer, before[key].shape, stored[key].shape
            ):
                return (
                    f"Layer '{layer.name}' expected '{name}' of shape {before[key].shape}, but "
                    f"the file holds shape {stored[key].shape}."
                )
        return ""
    if not before and not layer.built:
        return (
            f"Layer '{layer.name}' was never built and thus it doesn't have any variables. "
            f"However the weights file lists {len(stored)} variables for this layer. Build the "
            "model by calling it on some data, or make the layer's weights in the `build()` of "
            "the layer that owns it."
        )
    return (
        f"Layer '{layer.name}' expected {len(before)} variables, but received {len(stored)} "
        f"variables during loading. Expected: {_variable_names(part)}"
    )


def names_of_variables(obj: Any, state: dict[str, Any]) -> list[str]:
    """Names for the keys of an object's state: those of its variables where they correspond."""
    variables = _own_variables(obj)
    if list(state) != [str(index) for index in range(len(variables))]:
        return list(state)
    count: Counter[str] = Counter()
    names = []
    for name in (variable.name for variable in variables):
        names.append(f"{name}_{count[name]}" if count[name] else name)
        count[name] += 1
    return names


def _variable_names(part: _Part) -> list[str]:
    return names_of_variables(part.obj, part.before)


def _assign(parts: list[_Part], skip_mismatch: bool) -> None:
    """Assign all arrays; what an object took before it failed is undone."""
    for part in parts:
        if part.problem:
            continue
        before = [(variable, variable.array) for variable in part.obj.variables]
        try:
            part.obj.load_own_variables(part.arrays)
        except Exception as error:  # a class of the user's may raise anything
            part.problem = str(error) or type(error).__name__
            for variable, array in before:
                variable.array = array
            if not skip_mismatch:
                return


def _own_variables(obj: Any) -> list[Any]:
    return obj._own_variables() if isinstance(obj, Layer) else obj.variables


# --- what was not loaded -----------------------------------------------------------------------


def _warn_of_skipped(failed: list[_Part], parts: list[_Part], store: Store, name: str) -> None:
    if failed:
        text = _could_not_be_loaded(failed, parts, store, name, most=None)
        report(f"Skipped, as asked: {text}", stacklevel=6)
    for part in parts:
        if part.problem and not isinstance(part.obj, Layer) and part.stored:
            tell(f"{part.problem} It starts afresh.", stacklevel=6)
    unused = _unused_groups(parts, store)
    if unused and not failed:
        tell(
            f"'{name}' holds weights that the model has no place for; they were left out: "
            f"{_listed(unused)}",
            stacklevel=6,
        )


def _could_not_be_loaded(
    failed: list[_Part],
    parts: list[_Part],
    store: Store,
    name: str,
    most: int | None = MOST_ROWS,
) -> str:
    layers = [part for part in parts if isinstance(part.obj, Layer)]
    rows = [
        (
            part.path or "(the model itself)",
            part.obj.name,
            _shapes_in_words(part.before, _variable_names(part)),
            _shapes_in_words(part.stored, []),
            "<- not loaded" if part.problem else "",
        )
        for part in (layers if len(layers) <= MOST_ROWS else failed)
        if part.before or part.stored
    ]
    unused = _unused_groups(parts, store)
    side_by_side = table(_HEAD, rows, most)
    return (
        f"A total of {len(failed)} objects could not be loaded. Example error message for object "
        f"{failed[0].obj}:\n\n{failed[0].problem}\n\nList of objects that could not be loaded:\n"
        f"{[part.obj for part in failed]}\n\nThe model and '{name}' side by side:\n{side_by_side}\n"
        f"Groups of the file that the model has no place for: {_listed(unused, most) or 'none'}"
    )


_HEAD = ("path in the file", "layer", "the model expects", "the file holds", "")


def _shapes_in_words(arrays: dict[str, Any], names: list[str]) -> str:
    names = names or [""] * len(arrays)
    words = [f"{n} {a.shape}".strip() for n, a in zip(names, arrays.values(), strict=True)]
    return ", ".join(words) or "nothing"


def _unused_groups(parts: list[_Part], store: Store) -> dict[str, list[tuple[int, ...]]]:
    """Groups with arrays that belong to no object of the model; an optimizer's state aside."""
    used = {
        dataset.name.rpartition("/")[0].lstrip("/") for p in parts for dataset in p.stored.values()
    }
    unused = {
        path: shapes
        for path, shapes in store.shapes().items()
        if path not in used
        and path.split("/")[0] != "metrics"
        and "optimizer" not in path.split("/")
    }
    if unused:  # but for further places of shared layers
        places = {f"{path}/vars" for path, _ in all_places(parts[0].obj)}
        unused = {path: shapes for path, shapes in unused.items() if path not in places}
    return unused


def _listed(groups: dict[str, list[tuple[int, ...]]], most: int | None = MOST_ROWS) -> str:
    listed = [f"{path} {shapes}" for path, shapes in list(groups.items())[:most]]
    more = len(groups) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more else "")
