"""HDF5 files from strangers: what a file may contain, and reading no more than that.

Links, external storage and virtual datasets can point at other files, and a few bytes can
declare a dataset that fills the memory: all of that is refused before anything is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

_SMALL = 64 * 2**20  # bytes that any dataset may declare
_RATIO = 1000  # times its bytes in the file that a larger one may declare
_MOST_GROUPS = 100_000


@contextmanager
def open_hdf5(file: BinaryIO, name: str) -> Iterator[Any]:
    """The HDF5 file in `file`, called `name` in messages. ValueError where it cannot be read."""
    import h5py

    try:
        with h5py.File(file, "r") as root:
            yield root
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(
            f"'{name}' is not a readable HDF5 file: {error}. It is damaged or was cut off: "
            "expected a whole file; copy or download it again."
        ) from error


def find_group(root: Any, path: str) -> Any:
    """The group at `path`, None where there is none. ValueError for links and other objects."""
    import h5py

    group = root
    for part in filter(None, path.split("/")):
        if group.get(part, getlink=True) is None:  # no list of all names: there may be thousands
            return None
        group = _follow(group, part)
        if not isinstance(group, h5py.Group):
            raise ValueError(_refused(path, f"'{part}' is a dataset where a group must be"))
    return group


def find_groups(group: Any) -> dict[str, Any]:
    """{name: group} of those directly in `group`, '2' before '10'. ValueError for links."""
    import h5py

    found = {name: _follow(group, name) for name in sorted(_names(group), key=by_number)}
    return {name: child for name, child in found.items() if isinstance(child, h5py.Group)}


def find_datasets(group: Any) -> dict[str, Any]:
    """{name: dataset} of those directly in `group`, '2' before '10'. Nothing is read yet."""
    import h5py

    found = {}
    for name in sorted(_names(group), key=by_number):
        dataset = _follow(group, name)
        if not isinstance(dataset, h5py.Dataset):
            continue
        _check_inside(dataset)
        found[name] = dataset
    return found


def find_dataset(group: Any, path: str) -> Any:
    """The dataset at `path` below `group`. ValueError for links, and where there is none."""
    import h5py

    folder, _, name = path.rpartition("/")
    parent = find_group(group, folder)
    dataset = None if parent is None or name not in _names(parent) else _follow(parent, name)
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(_refused(f"{group.name}/{path}", "there is no dataset"))
    _check_inside(dataset)
    return dataset


def text(group: Any, key: str) -> str:
    """The attribute `key` as text, whether bytes or str was written; '' where there is none."""
    value = _attribute(group, key)
    return value.decode() if isinstance(value, bytes) else str(value or "")


def names_in(group: Any, key: str) -> list[str]:
    """The names in an attribute; long lists of them are spread over `key`0, `key`1, ..."""
    value = _attribute(group, key)
    parts = [] if value is None else [value]
    while (part := _attribute(group, f"{key}{len(parts)}")) is not None and value is None:
        parts.append(part)
    items = [item for part in parts for item in np.asarray(part).ravel().tolist()]
    return [item.decode() if isinstance(item, bytes) else str(item) for item in items]


def _attribute(group: Any, key: str) -> Any:
    import h5py

    value = group.attrs.get(key)
    return None if isinstance(value, h5py.Empty) else value


def _check_inside(dataset: Any) -> None:
    if dataset.external or dataset.is_virtual:
        raise ValueError(_refused(dataset.name, "its numbers lie outside of the file"))


def by_number(name: str) -> tuple[int, str]:
    """Sorts '2' before '10', and numbers before words."""
    return (int(name), "") if name.isdecimal() and name.isascii() else (2**63, name)


def is_numeric(dataset: Any) -> bool:
    """Whether `dataset` holds floats, integers or booleans."""
    return dataset.dtype.kind in "fiub" or _is_bfloat16(dataset)


def is_bomb(dataset: Any) -> bool:
    """Whether `dataset` declares far more bytes than it has in the file."""
    declared = int(np.prod(dataset.shape, dtype=object)) * dataset.dtype.itemsize
    return declared > max(_SMALL, _RATIO * dataset.id.get_storage_size())


def read(dataset: Any) -> np.ndarray:
    """The numbers of `dataset`; those of bfloat16 as float32."""
    array = np.asarray(dataset[()])
    if _is_bfloat16(dataset):
        return (array.view("<u2").astype("<u4") << 16).view("<f4").reshape(dataset.shape)
    return array


def write(group: Any, name: str, array: np.ndarray) -> None:
    """Add `array` to `group` as `read` takes it: HDF5 has no bfloat16, so an attribute says it."""
    dataset = group.create_dataset(name, data=array)
    if array.dtype.name == "bfloat16":
        dataset.attrs["dtype"] = "bfloat16"


def groups_with_data(root: Any) -> dict[str, list[tuple[int, ...]]]:
    """{path: shapes} of all groups that hold datasets, links not followed."""
    import h5py

    found: dict[str, list[tuple[int, ...]]] = {}

    def visit(path: str, thing: Any) -> bool | None:
        if isinstance(thing, h5py.Dataset):
            found.setdefault(path.rpartition("/")[0], []).append(thing.shape)
        return True if len(found) > _MOST_GROUPS else None

    root.visititems(visit)
    return found


def _names(group: Any) -> list[str]:
    return list(group.keys())


def _follow(group: Any, name: str) -> Any:
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(_refused(f"{group.name}/{name}", "it is a link, which may point anywhere"))
    return group[name]


def _is_bfloat16(dataset: Any) -> bool:
    return dataset.dtype == np.dtype("V2") and dataset.attrs.get("dtype") == "bfloat16"


def _refused(path: str, reason: str) -> str:
    return (
        f"Refused to read '{path}': {reason}. Expected groups with plain datasets, as Keras and "
        "layerkit write them. Do not trust this file."
    )
