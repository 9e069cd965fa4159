"""What a legacy HDF5 file holds: its texts, and its layers with their arrays, in order."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np

from .. import hdf5
from .origin import Origin, origin_named


class Stored(NamedTuple):
    """One layer of a file: its name, the names of its arrays, and the datasets."""

    name: str
    weight_names: list[str]
    datasets: list[Any]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [dataset.shape for dataset in self.datasets]


def weights_group(root: Any) -> Any:
    """The group that has the layers: the root of a weights file, `model_weights` of a model."""
    group = hdf5.find_group(root, "model_weights")
    return root if group is None else group


def stored_layers(root: Any) -> list[Stored]:
    """The layers of a file in the order of their model. Nothing is read yet."""
    group = weights_group(root)
    if "nb_layers" in root.attrs:  # Keras 0
        count = int(root.attrs["nb_layers"])
        return [_numbered(root, f"layer_{i}") for i in range(min(count, len(root)))]
    if is_graph_of_keras_0(root):
        return [_numbered(root, "graph")]
    return [_stored(group, name, name) for name in hdf5.names_in(group, "layer_names")]


def is_graph_of_keras_0(root: Any) -> bool:
    """Whether the file has the weights of a Graph of Keras 0: all in one group, numbered."""
    group = hdf5.find_group(root, "graph")
    return len(root) == 1 and not root.attrs and group is not None and "param_0" in group


def _numbered(root: Any, name: str) -> Stored:
    found = hdf5.find_datasets(hdf5.find_group(root, name) or {})
    names = sorted(found, key=lambda key: hdf5.by_number(key.rpartition("_")[2]))
    return Stored(name, names, [found[each] for each in names])


def stored_top_level(root: Any) -> Stored:
    """The arrays that belong to the model itself."""
    return _stored(weights_group(root), "top_level_model_weights", "(the model itself)")


def _stored(group: Any, path: str, name: str) -> Stored:
    own = hdf5.find_group(group, path)
    return Stored(name, [], []) if own is None else stored_in(own, name)


def stored_in(group: Any, name: str) -> Stored:
    """The arrays of a group by the list of their names in it."""
    names = hdf5.names_in(group, "weight_names")
    return Stored(name, names, [hdf5.find_dataset(group, each) for each in names])


def origin_of(root: Any) -> Origin:
    """Which Keras wrote the file, and on what."""
    places = (root, weights_group(root))
    version = next((v for p in places if (v := hdf5.text(p, "keras_version"))), "1")
    backend = next((b for p in places if (b := hdf5.text(p, "backend"))), "")
    origin = origin_named(version, backend)
    if not backend and origin.keras < (2,):
        return origin._replace(backend=_backend_by_names(root))
    return origin


def _backend_by_names(root: Any) -> str:
    """Keras 1 does not say what it ran on; but only TensorFlow's variables end in ':0'."""
    names = [name for layer in stored_layers(root) for name in layer.weight_names]
    if not names:
        return ""
    return "tensorflow" if any(name.endswith(":0") for name in names) else "theano"


def parsed(root: Any, key: str, name: str) -> Any:
    """The JSON in an attribute of the file called `name`; None where there is none."""
    written = hdf5.text(root, key)
    if not written:
        return None
    try:
        return json.loads(written, object_hook=_revived)
    except (ValueError, LookupError, RecursionError) as error:
        raise ValueError(f"'{name}': its {key} is no valid JSON: {error}.") from None


def _revived(value: dict[str, Any]) -> Any:
    """What old files mark in their JSON: tuples and shapes, as lists."""
    marked = value.get("class_name")
    if marked == "__tuple__" or marked == "TensorShape":
        return list(value["items"])
    return value


def read(dataset: Any) -> np.ndarray:
    """The numbers of a dataset. In legacy files bfloat16 bears no mark: two raw bytes are it."""
    return hdf5.read(dataset, bare_bfloat16=True)
