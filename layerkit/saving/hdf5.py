"""HDF5 files from strangers: what a file may contain, and reading no more than that.

Links, external storage and virtual datasets can point at other files, filters can be programs
that HDF5 would look for in a folder, and a few bytes can declare a dataset that fills the memory:
all of that is refused before anything is read. So are structures on which HDF5's library would
loop or crash (see `hdf5_structure`), attributes that are neither texts nor numbers, for the library
converts damaged types without looking, and groups nested so deep that it would overflow its stack.

Memory: what is read of a file, numbers and texts together, comes to at most 256 MiB, or to 100
times the size of a larger file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from .hdf5_filters import problem_of_chunks
from .hdf5_structure import problem_of
from .hdf5_texts import TooMany, lengths_of_texts, messages
from .refusal import naming

_SMALL = 64 * 2**20  # bytes that any dataset may declare
_RATIO = 1000  # times its bytes in the file that a larger one may declare
_TOTAL = 256 * 2**20  # bytes that may be read of any file
_TOTAL_RATIO = 100  # times its size that may be read of a larger one
_OF_A_CHUNK = 4096  # bytes that HDF5's library takes for each chunk while it reads
_MOST_GROUPS = 100_000
_MOST_MESSAGES = 4096  # of one object: attributes, and the library goes through all for each
_DEEPEST = 100  # groups in groups
_LARGEST_ATTRIBUTE = 64 * 2**20  # bytes, all of its texts together
_MOST_TEXTS = 10_000  # of one attribute
_OF_AN_ITEM = 64  # bytes of a text or number of an attribute, beside its letters


@dataclass
class _Opened:
    """The file that is open."""

    file: BinaryIO
    left: int  # bytes that may be read yet


_opened: dict[int, _Opened] = {}  # {number that HDF5's library gives to an open file: it}


@contextmanager
def open_hdf5(file: BinaryIO, name: Any, *wholes: Any) -> Iterator[Any]:
    """The HDF5 file in `file`, called `name` in messages; `wholes`: what it is a part of.

    ValueError where it cannot be read.
    """
    import h5py

    problem = problem_of(file)
    if problem:
        raise ValueError(f"'{name}' is {_DAMAGED}: {problem}. {_AGAIN}")
    size = file.seek(0, 2)
    file.seek(0)
    try:
        with naming(name, f"is {_DAMAGED}", *wholes), h5py.File(file, "r") as root:
            number, _ = _number_and_place(root)
            _opened[number] = _Opened(file, max(_TOTAL, _TOTAL_RATIO * size))
            try:
                _check_header(root)
                yield root
            finally:
                del _opened[number]
    except OSError as error:
        raise ValueError(f"{error}. {_AGAIN}") from error


_DAMAGED = "not a readable HDF5 file"
_AGAIN = "It is damaged or was cut off: expected a whole file; copy or download it again."


def find_group(root: Any, path: str) -> Any:
    """The group at `path`, None where there is none. ValueError for links and other objects."""
    import h5py

    group = root
    for part in filter(None, path.split("/")):
        if not _has(group, part):
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
    dataset = _follow(parent, name) if parent is not None and _has(parent, name) else None
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
    """The value of an attribute, None where there is none. ValueError for odd types and sizes."""
    import h5py

    if key not in group.attrs:
        return None
    opened = h5py.h5a.open(group.id, key.encode())
    if opened.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        return None
    kind = opened.get_type()
    if kind.get_class() not in (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT):
        raise ValueError(_refused(group.name, f"its attribute '{key}' is no text and no number"))
    count = int(np.prod(opened.shape, dtype=object))
    size = count * kind.get_size()
    if isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str() and count:
        size = _size_of_texts(group, key, count) * kind.get_super().get_size()
    if size > _LARGEST_ATTRIBUTE:
        raise ValueError(_refused(group.name, f"its attribute '{key}' is too large"))
    _spend(size + count * _OF_AN_ITEM, group)
    return group.attrs[key]


def _size_of_texts(group: Any, key: str, count: int) -> int:
    """The bytes of an attribute's texts. ValueError where they cannot be told."""
    if count > _MOST_TEXTS:
        raise ValueError(_refused(group.name, f"its attribute '{key}' is too large"))
    number, place = _number_and_place(group)
    lengths = lengths_of_texts(_opened[number].file, place, key, count, _MOST_MESSAGES)
    if not lengths:
        raise ValueError(_refused(group.name, f"its attribute '{key}' is kept in an odd way"))
    return sum(lengths)


def _spend(count: int, thing: Any) -> None:
    """Count bytes that are read. ValueError where they come to more than a file can hold."""
    opened = _opened[_number_and_place(thing)[0]]
    opened.left -= count
    if opened.left < 0:
        raise ValueError(_refused(thing.name, _TOO_MUCH))


def _check_header(thing: Any) -> None:
    """ValueError for an object with more attributes than one of Keras has."""
    number, place = _number_and_place(thing)
    try:
        for _ in messages(_opened[number].file, place, _MOST_MESSAGES):
            pass
    except TooMany:
        raise ValueError(_refused(thing.name, "it has too many attributes")) from None


def _number_and_place(thing: Any) -> tuple[int, int]:
    """The number of the open file that a group or dataset is in, and where its header is there."""
    import h5py

    found = h5py.h5g.get_objinfo(thing.id)
    number, place = (low | high << 32 for low, high in (found.fileno, found.objno))
    return number, place  # in two words where those of C's `long` have 32 bits; else one is 0


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
    return declared(dataset) > max(_SMALL, _RATIO * dataset.id.get_storage_size())


def read(dataset: Any, bare_bfloat16: bool = False) -> np.ndarray:
    """The numbers of `dataset`; those of bfloat16 as float32, also if `bare_bfloat16` without mark.

    ValueError for what holds no numbers, and where more would be read of the file than it can hold.
    """
    bare = bare_bfloat16 and dataset.dtype == np.dtype("V2")
    if not bare and not is_numeric(dataset):
        raise ValueError(_refused(dataset.name, f"expected numbers; it holds {dataset.dtype}"))
    array = np.asarray(_raw(dataset))
    if bare or _is_bfloat16(dataset):
        return (array.view("<u2").astype("<u4") << 16).view("<f4").reshape(dataset.shape)
    return array


def write(group: Any, name: str, array: np.ndarray) -> None:
    """Add `array` to `group` as `read` takes it: HDF5 has no bfloat16, so an attribute says it."""
    dataset = group.create_dataset(name, data=array)
    if array.dtype.name == "bfloat16":
        dataset.attrs["dtype"] = "bfloat16"


def _raw(dataset: Any) -> Any:
    import h5py

    if is_bomb(dataset):
        raise ValueError(_refused(dataset.name, _TOO_MUCH))
    if isinstance(dataset, h5py.Dataset):  # and not an array of an archive
        _spend(declared(dataset), dataset)
        problem = problem_of_chunks(dataset)
        if problem:
            raise ValueError(_refused(dataset.name, problem))
    return dataset[()]


_TOO_MUCH = "it declares far more than the file can hold"


def declared(dataset: Any) -> int:
    """The bytes that the shape of `dataset` stands for, and those that reading it takes."""
    size, chunk = dataset.dtype.itemsize, dataset.chunks
    whole = _product(dataset.shape) * size
    if not chunk:
        return whole
    chunks = _product(-(-n // m) for n, m in zip(dataset.shape, chunk, strict=True))
    return max(whole, _product(chunk) * size) + chunks * _OF_A_CHUNK


def _product(numbers: Iterable[int]) -> int:
    return math.prod(int(n) for n in numbers)


def groups_with_data(root: Any) -> dict[str, list[tuple[int, ...]]]:
    """{path: shapes} of all groups that hold datasets, links not followed; each group once.

    ValueError for more groups, or deeper ones, than a model has.
    """
    import h5py

    found: dict[str, list[tuple[int, ...]]] = {}
    todo, known, seen = [("", root, 0)], {root}, 0
    while todo:
        path, group, depth = todo.pop()
        for name in _names(group):
            seen += 1
            if seen > _MOST_GROUPS or depth > _DEEPEST:
                raise ValueError(_refused(path, "the file has too many groups, or too deep ones"))
            if not _is_inside(group, name):
                continue
            thing = group[name]
            if isinstance(thing, h5py.Dataset):
                found.setdefault(path, []).append(thing.shape)
            elif isinstance(thing, h5py.Group) and thing not in known:
                _check_header(thing)
                known.add(thing)
                todo.append((f"{path}/{name}".lstrip("/"), thing, depth + 1))
    return found


def _names(group: Any) -> list[str]:
    """The names of what is in a group. ValueError for more than a model has."""
    found: list[bytes] = []
    letters = 0

    def keep(name: bytes) -> bool:
        """Whether it is enough."""
        nonlocal letters
        found.append(name)
        letters += len(name)
        return len(found) > _MOST_GROUPS or letters > _SMALL

    too_many, _ = group.id.links.iterate(keep)
    if too_many:
        raise ValueError(_refused(group.name, "it has too many names, or too long ones"))
    return [name.decode("utf-8", "surrogateescape") for name in found]


def _follow(group: Any, name: str) -> Any:
    if not _is_inside(group, name):
        raise ValueError(_refused(f"{group.name}/{name}", "it is a link, which may point anywhere"))
    thing = group[name]
    _check_header(thing)
    return thing


def _has(group: Any, name: str) -> bool:
    """Whether a group has this name; no list of all is made, for there may be thousands."""
    return bool(name) and group.id.links.exists(name.encode("utf-8", "surrogateescape"))


def _is_inside(group: Any, name: str) -> bool:
    """Whether a name is a thing's own, and no link that leads to one."""
    import h5py

    kind = group.id.links.get_info(name.encode("utf-8", "surrogateescape")).type
    return kind == h5py.h5l.TYPE_HARD


def _is_bfloat16(dataset: Any) -> bool:
    return dataset.dtype == np.dtype("V2") and text(dataset, "dtype") == "bfloat16"


def _refused(path: str, reason: str) -> str:
    return (
        f"Refused to read '{path}': {reason}. Expected groups with plain datasets, as Keras and "
        "layerkit write them. Do not trust this file."
    )
