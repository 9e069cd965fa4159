"""Weights in HDF5 as Keras 3 lays them out: who has weights, under which path, and how they load.

An object at a path P of the walk keeps its own variables in the group `P/vars`, as datasets '0',
'1', ... The walk follows Keras's order exactly, for it decides the names in the file.
Loading is all or nothing: everything is compared before anything is assigned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, BinaryIO, Protocol

import numpy as np

from ..layers import Layer
from ..naming import snake_case
from . import hdf5
from .all_or_nothing import all_or_nothing
from .optimizer_variables import matched
from .refusal import tell
from .shared_layers import shared_layers
from .side_by_side import MOST_ROWS, REMEDY, TOO_LARGE, table

_NOT_WALKED = {"_layers", "_compile_config"}  # holds what `layers` and `optimizer` give, too
_NOT_WALKED |= {"lr"}  # which tells scripts of Keras 2 that it is `learning_rate` now


# --- the walk ----------------------------------------------------------------------------------


def walk(root: Any) -> Iterator[tuple[str, Any]]:
    """(path, object) for `root` and all below it that can have weights, each object once.

    Attributes are followed in Keras's order: capitals, small letters, then private ones. Lists
    and dicts give each of their objects the snake case of its class, numbered where it repeats.
    """
    yield from _walk(root, "", set())


def all_places(root: Any) -> Iterator[tuple[str, Any]]:
    """`walk`, with shared layers at all their places: Keras makes a layer of each when it loads."""
    yield from dict(_walk(root, "", set(), set(shared_layers(root)))).items()


def _walk(
    obj: Any, path: str, seen: set[int], again: Collection[Layer] = ()
) -> Iterator[tuple[str, Any]]:
    if id(obj) in seen:
        if obj in again and path.split("/")[-2:-1] == ["layers"]:
            yield from _walk(obj, path, set())
        return
    seen.add(id(obj))
    yield path, obj
    for name, value in _attributes(obj):
        yield from _walk_value(value, f"{path}/{name}" if path else name, seen, set(), again)


def _walk_value(
    value: Any, path: str, seen: set[int], containers: set[int], again: Collection[Layer]
) -> Iterator[tuple[str, Any]]:
    value = _standing_for(value)
    if _has_weights(value):
        yield from _walk(value, path, seen, again)
    elif isinstance(value, (list, tuple, dict)) and id(value) not in containers:
        containers.add(id(value))
        count: Counter[str] = Counter()
        for item in list(value.values() if isinstance(value, dict) else value):
            if not _has_weights(item) and not isinstance(item, (list, tuple, dict)):
                continue
            name = _kind(type(_standing_for(item))) if _has_weights(item) else "container"
            number = f"_{count[name]}" if count[name] else ""
            count[name] += 1  # also for objects that have a path already
            yield from _walk_value(item, f"{path}/{name}{number}", seen, containers, again)


def _standing_for(value: Any) -> Any:
    """What paths name in the place of `value`: of a wrapper that no old file has, its layer."""
    return value.layer if getattr(type(value), "only_its_layer_in_paths", False) else value


def _kind(cls: type) -> str:
    """What paths call an object of a class."""
    return snake_case(vars(cls).get("written_as", cls.__name__))


def _attributes(obj: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of all attributes that Keras would look at."""
    if getattr(type(obj), "layers_come_first", False):  # as in Sequential
        yield "layers", obj.layers
    skipped = _names_of_a_plain_layer() if isinstance(obj, Layer) else frozenset()
    for name in sorted(dir(obj), key=lambda name: f"~{name}" if name[0] == "_" else name):
        if name.startswith("__") or name in skipped or name in _NOT_WALKED:
            continue
        try:
            value = getattr(obj, name)
        except Exception:  # a property of the user's may raise anything
            continue
        yield name, value


@cache
def _names_of_a_plain_layer() -> frozenset[str]:
    return frozenset(dir(Layer(name="plain")))


def _has_weights(value: Any) -> bool:
    return callable(getattr(type(value), "save_own_variables", None))


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
    """Copies of the object's own variables, by their names in files."""
    store: dict[str, Any] = {}
    obj.save_own_variables(store)
    return {str(key): np.array(value) for key, value in store.items()}


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
        parts = [_compare(path, obj, store) for path, obj in walk(model)]
        failed = [part for part in parts if part.problem and isinstance(part.obj, Layer)]
        if failed and not skip_mismatch:
            raise ValueError(f"{_could_not_be_loaded(failed, parts, store, name)}\n{REMEDY}")
        for part in parts:
            if not part.problem:
                part.arrays |= {key: hdf5.read(dataset) for key, dataset in part.stored.items()}
        _assign(parts, skip_mismatch)
        failed = [part for part in parts if part.problem and isinstance(part.obj, Layer)]
        if failed and not skip_mismatch:
            raise ValueError(f"{_could_not_be_loaded(failed, parts, store, name)}\n{REMEDY}")
        _warn_of_skipped(failed, parts, store, name)


def _prepare_optimizer(model: Any, store: Store) -> None:
    """Make the optimizer's slots where the file has values for them."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or optimizer.built:
        return
    if len(store.arrays_at("optimizer")) > len(optimizer.variables):
        optimizer.build(model.trainable_variables)


def _paths_of_groups(path: str) -> list[str]:
    """Where the group of an object may lie: at its path, or at what tf.keras called it."""
    owner, _, name = path.rpartition("/")
    return list(dict.fromkeys([path, _path_in_tf_keras(path), f"{owner}/_{name}"]))


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
            if before[key].shape != stored[key].shape:
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
        text = _could_not_be_loaded(failed, parts, store, name)
        tell(f"Skipped, as asked: {text}", stacklevel=6)
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


def _could_not_be_loaded(failed: list[_Part], parts: list[_Part], store: Store, name: str) -> str:
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
    side_by_side = table(_HEAD, rows)
    return (
        f"A total of {len(failed)} objects could not be loaded. Example error message for object "
        f"{failed[0].obj}:\n\n{failed[0].problem}\n\nList of objects that could not be loaded:\n"
        f"{[part.obj for part in failed]}\n\nThe model and '{name}' side by side:\n{side_by_side}\n"
        f"Groups of the file that the model has no place for: {_listed(unused) or 'none'}"
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
    used |= {f"{path}/vars" for path, _ in all_places(parts[0].obj)}
    return {
        path: shapes
        for path, shapes in store.shapes().items()
        if path not in used
        and path.split("/")[0] != "metrics"
        and "optimizer" not in path.split("/")
    }


def _listed(groups: dict[str, list[tuple[int, ...]]]) -> str:
    listed = [f"{path} {shapes}" for path, shapes in list(groups.items())[:MOST_ROWS]]
    more = len(groups) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more else "")
