"""Ways to spoil a file: every function takes a `random.Random`, and gives the same for the same."""

from __future__ import annotations

import copy
import io
import json
import re
import struct
import warnings
import zipfile
from contextlib import suppress
from random import Random
from typing import Any

import h5py
import numpy as np

Json = Any


# --- bytes -------------------------------------------------------------------------------------


def damaged(rng: Random, content: bytes) -> bytes:
    """A few bits turned, words replaced, parts moved, or the end cut off."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        rng.choice(_DAMAGES)(rng, data)
    return bytes(data)


def _place(rng: Random, data: bytearray, unit: int = 1) -> int:
    return rng.randrange(max(1, len(data) // unit)) * unit


def _flip(rng: Random, data: bytearray) -> None:
    if data:
        data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _set_byte(rng: Random, data: bytearray) -> None:
    if data:
        data[_place(rng, data)] = rng.choice((0, 1, 2, 8, 127, 128, 254, 255))


def _set_word(rng: Random, data: bytearray) -> None:
    """An aligned word becomes a size, an address, or a number that overflows."""
    width, form = rng.choice(((2, "<H"), (4, "<I"), (8, "<Q")))
    place = _place(rng, data, width)
    most = 2 ** (8 * width) - 1
    words = (0, 1, 2, 8, 16, 96, len(data), len(data) - 8, place, place // 8 * 8, most, most // 2)
    value = rng.choice((*words, most - 7, _place(rng, data, 8)))
    data[place : place + width] = struct.pack(form, max(0, value) & most)


def _copy(rng: Random, data: bytearray) -> None:
    size = rng.choice((4, 8, 16, 24, 64, 512))
    source, target = _place(rng, data, 4), _place(rng, data, 4)
    part = data[source : source + size]
    data[target : target + len(part)] = part


def _cut(rng: Random, data: bytearray) -> None:
    if rng.random() < 0.3:
        del data[_place(rng, data) :]


def _known_place(rng: Random, data: bytearray) -> None:
    """A byte behind one of HDF5's signatures, where its own structures are."""
    places = []
    for signature in (b"GCOL", b"HEAP", b"TREE", b"SNOD", b"OHDR", b"FRHP", b"BTHD", b"\x89HDF"):
        place = data.find(signature)
        while place >= 0 and len(places) < 200:
            places.append(place)
            place = data.find(signature, place + 1)
    if places:
        place = rng.choice(places) + rng.randrange(64)
        if place < len(data):
            data[place] = rng.choice((0, 1, 255, rng.randrange(256), data[place] ^ 8))


_DAMAGES = (_flip, _flip, _set_byte, _set_word, _set_word, _copy, _cut, _known_place, _known_place)


# --- JSON --------------------------------------------------------------------------------------

_NUMBERS = (0, 1, -1, 2, 3, 7, 100, 65536, 10**6, 2**31 - 1, 2**31, 10**9, 2**63, 10**30, -(10**12))
_OTHERS = (None, True, False, "", "x", "relu", "Dense", "../..", "\0", "\ud800", [], {}, 1.5, 1e308)
_FLOATS = (float("nan"), float("inf"), -float("inf"), -1.5)


def odd_value(rng: Random) -> Json:
    """A value that nobody expects, of its own: what is spliced into it stays there alone."""
    kind = rng.randrange(8)
    if kind < 3:
        return rng.choice(_NUMBERS)
    if kind < 5:
        return copy.deepcopy(rng.choice(_OTHERS))
    if kind == 5:
        return rng.choice(_FLOATS)
    if kind == 6:
        return [rng.choice(_NUMBERS) for _ in range(rng.choice((1, 2, 3, 4, 40)))]
    return copy.deepcopy(rng.choice(_DESCRIBED))


_DESCRIBED = (
    {"class_name": "Dense", "config": {"units": 10**9}},
    {"class_name": "function", "config": "eval"},
    {"module": "os", "class_name": "system", "config": "true", "registered_name": None},
    {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}},
    {"module": "keras.initializers", "class_name": "Ones", "config": {}},
    {"module": "builtins", "class_name": "function", "config": "relu"},
    {"class_name": "__numpy__", "config": {"value": [1, [2]], "dtype": "object"}},
    {"class_name": "__numpy__", "config": {"value": [1, 2], "dtype": "float32"}},
    {"class_name": "__tensor__", "config": {"value": 1e300, "dtype": "int8"}},
    {"class_name": "__bytes__", "config": {"value": "x"}},
    {"class_name": "__slice__", "config": {"start": 1}},
    {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}},
    {"class_name": "__tuple__", "items": [1, 2]},
    {"class_name": "TensorShape", "items": [None, 10**9]},
    {"class_name": "Sequential", "config": []},
    {"class_name": ["x"], "config": {}},
    {"class_name": {}, "config": None, "module": 3},
)


def spliced(rng: Random, value: Json) -> Json:
    """`value` with some keys or items dropped, doubled, exchanged, nested, or replaced."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        found = list(places(value))
        if not found:
            return odd_value(rng)
        _splice(rng, found)
    return value


def places(value: Json) -> Any:
    """(list or dict, index or key) of every value within."""
    todo = [value]
    while todo:
        thing = todo.pop()
        keys = thing if isinstance(thing, dict) else range(len(thing))
        for key in keys:
            yield thing, key
            if isinstance(thing[key], (dict, list)):
                todo.append(thing[key])


def _splice(rng: Random, places: list) -> None:
    where, key = rng.choice(places)
    kind = rng.randrange(10)
    if kind < 4:
        old = where[key]
        if isinstance(old, int) and rng.random() < 0.8:
            where[key] = rng.choice(_NUMBERS)
        else:
            where[key] = odd_value(rng)
    elif kind == 4:
        del where[key]
    elif kind == 5:
        other, place = rng.choice(places)
        where[key] = json.loads(json.dumps(other[place])) if place in _keys(other) else None
    elif kind == 6:
        if isinstance(where, dict):
            _, name = rng.choice(places)
            where[str(name) if rng.random() < 0.7 else "extra"] = odd_value(rng)
        else:
            where.insert(key, odd_value(rng))
    elif kind == 7 and isinstance(where, list):
        times = rng.choice((1, 3, 1000))
        times = min(times, 10**6 // (1 + len(json.dumps(where))))
        where += json.loads(json.dumps(where[:1] * times))  # each for itself, or all would grow
    elif kind == 8:
        where[key] = [where[key]]
    else:
        where[key] = _deep(rng, where[key])


def _keys(where: Json) -> Any:
    return where if isinstance(where, dict) else range(len(where))


def _deep(rng: Random, value: Json) -> Json:
    for _ in range(rng.choice((1, 10, 150))):
        value = rng.choice(([value], {"config": value}))
    return value


def as_text(rng: Random, value: Json) -> bytes:
    """JSON of a value; now and then with what JSON readers stumble over."""
    text = json.dumps(value)
    kind = rng.randrange(40)
    if kind == 0:
        depth = rng.choice((100, 1000, 100_000))
        text = text.replace("[", "[" * depth, 1).replace("]", "]" * depth, 1)
    elif kind == 1:
        text = text.replace("1", "1" * 5000, 1)
    elif kind == 2:
        return damaged(rng, text.encode())
    elif kind == 3:
        return text.encode("utf-16")
    return text.encode("utf-8", "surrogatepass")


# --- zip ---------------------------------------------------------------------------------------


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(items: list[tuple[Any, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", compression) as archive:
        warnings.simplefilter("ignore")  # names twice
        for name, value in items:
            archive.writestr(name, value)
    return file.getvalue()


_NAMES = ("../x", "/etc/x", "C:\\x", "a\\..\\..\\x", "assets/../../x", ".", "assets/", "x" * 300)
_NAMES += (
    "assets/layers/x",
    "assets/vocabulary.txt",
    "config.json",
    "model.weights.h5",
    "a/config.json",
)


def tampered_zip(rng: Random, content: bytes) -> bytes:
    """An archive with members dropped, doubled, renamed, packed otherwise, or made into links."""
    items: list[tuple[Any, bytes]] = list(members(content).items())
    for _ in range(rng.choice((1, 1, 2, 4))):
        kind = rng.randrange(7)
        if kind == 0 and items:
            items.pop(rng.randrange(len(items)))
        elif kind == 1:
            items.append((rng.choice(_NAMES), b"x" * rng.choice((0, 1, 1000))))
        elif kind == 2 and items:
            items.append(rng.choice(items))
        elif kind == 3 and items:
            place = rng.randrange(len(items))
            items[place] = rng.choice(_NAMES), items[place][1]
        elif kind == 4:
            items.append((rng.choice(("x", "config.json", "model.weights.h5")), bytes(70 << 20))
                         if rng.random() < 0.03 else ("assets/x", bytes(1 << 20)))  # fmt: skip
        elif kind == 5:
            link = zipfile.ZipInfo(rng.choice((*_NAMES, "assets/link")))
            link.external_attr = rng.choice((0o120777, 0o020666, 0o040777)) << 16
            items.append((link, b"/etc/passwd"))
        elif items:
            place = rng.randrange(len(items))
            items[place] = items[place][0], damaged(rng, items[place][1])
    packings = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    data = zipped(items, rng.choice(packings))
    return damaged_zip_entry(rng, data) if rng.random() < 0.3 else data


def damaged_zip_entry(rng: Random, content: bytes) -> bytes:
    """One field of a header of the archive overwritten: sizes, flags, offsets, methods."""
    data = bytearray(content)
    signature = rng.choice((b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"))
    places = [found.start() for found in re.finditer(re.escape(signature), content)]
    if places:
        place = rng.choice(places) + rng.randrange(4, 46, 2)
        width = rng.choice((2, 4))
        data[place : place + width] = rng.choice((b"\0", b"\x01", b"\xff", b"\x7f")) * width
    return bytes(data)


# --- HDF5 --------------------------------------------------------------------------------------


def tampered_hdf5(rng: Random, content: bytes) -> bytes:
    """An HDF5 file with other attributes, types, shapes, links, storage and groups."""
    file = io.BytesIO(content)
    with h5py.File(file, "r+", libver=rng.choice((None, None, "latest"))) as root:
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            with suppress(LookupError, ValueError, TypeError, OSError, RuntimeError, MemoryError):
                _change(rng, root)  # which the one before may have made impossible
    return file.getvalue()


def _change(rng: Random, root: Any) -> None:
    groups, datasets = [root], []

    def keep(_: str, thing: Any) -> None:
        if isinstance(thing, h5py.Group):
            groups.append(thing)
        elif isinstance(thing, h5py.Dataset):  # and not a named type
            datasets.append(thing)

    root.visititems(keep)
    rng.choice(_CHANGES)(rng, root, groups, datasets)


def _drop_attribute(rng: Random, root: Any, groups: list, datasets: list) -> None:
    holder = rng.choice([x for x in (*groups, *datasets) if len(x.attrs)])
    del holder.attrs[rng.choice(list(holder.attrs))]


_KEYS = (
    "name",
    "dtype",
    "model_config",
    "training_config",
    "keras_version",
    "backend",
    "layer_names",
)
_KEYS += ("weight_names", "layer_names0", "nb_layers", "weight_names0", "layer_names1")


def _set_attribute(rng: Random, root: Any, groups: list, datasets: list) -> None:
    holder = rng.choice((root, root, *groups, *datasets))
    known = [*holder.attrs] * 3
    key = rng.choice((*known, *_KEYS))
    holder.attrs.pop(key, None) if key in holder.attrs else None
    rng.choice(_ATTRIBUTES)(rng, holder.attrs, key)


def _attribute_kinds() -> tuple:
    text = h5py.string_dtype()
    pair = np.dtype([("a", "i4"), ("b", "f8")])
    values = [
        0, -1, 2**62, 1.5, float("nan"), "", "x", b"x", b"\xff\xfe", "{}", "[]", "null", '{"a": 1}',
        [], [b"a", b"b"], [[b"a"], [b"b"]], np.zeros(3), np.zeros((0, 2)), np.zeros((), pair),
        np.zeros(2, pair), h5py.Empty("f4"), h5py.Empty(text), np.bool_(True), 1j, np.float16(1),
        np.arange(8000), np.array([b"dense", b"dense"]), np.array([b"../x", b"/", b""]),
        np.array(["dense", "\u0661", "x/y/z"], dtype=object), np.void(b"abc"),
        np.array([b"/etc/passwd", b"a" * 300]),
    ]  # fmt: skip

    def plain(value: Any) -> Any:
        return lambda rng, attrs, key: attrs.create(key, value)

    def created(value: Any, dtype: Any) -> Any:
        return lambda rng, attrs, key: attrs.create(key, value, dtype=dtype)

    def reference(rng: Random, attrs: Any, key: str) -> None:
        attrs.create(key, h5py.Reference(), dtype=h5py.ref_dtype)

    def vlen(rng: Random, attrs: Any, key: str) -> None:
        value = np.empty(1, object)
        value[0] = np.arange(3)
        attrs.create(key, value, dtype=h5py.vlen_dtype("i4"))

    def many(rng: Random, attrs: Any, key: str) -> None:
        for number in range(rng.choice((10, 300))):
            attrs[f"{key}{number}"] = [b"dense"] * 3

    return (
        *map(plain, values),
        created([1, 2], h5py.enum_dtype({"A": 1, "B": 2})),
        created("x" * 30_000, text),
        created(["x"] * 500, text),
        reference,
        vlen,
        many,
    )


_ATTRIBUTES = _attribute_kinds()


def _change_attribute_text(rng: Random, root: Any, groups: list, datasets: list) -> None:
    keys = [key for key in root.attrs if key in ("model_config", "training_config")]
    key = rng.choice(keys)
    value = root.attrs[key]
    text = value.decode() if isinstance(value, bytes) else value
    new = as_text(rng, spliced(rng, json.loads(text)))
    root.attrs[key] = new.decode("utf-8", "replace").replace("\0", "")


def _change_names(rng: Random, root: Any, groups: list, datasets: list) -> None:
    keys = ("layer_names", "weight_names")
    holder = rng.choice([x for x in groups if any(key in x.attrs for key in keys)])
    key = rng.choice([key for key in keys if key in holder.attrs])
    names = [x if isinstance(x, bytes) else str(x).encode() for x in holder.attrs[key]]
    for _ in range(rng.choice((1, 2))):
        kind = rng.randrange(4)
        if kind == 0:
            rng.shuffle(names)
        elif kind == 1:
            names.pop()
        else:
            names.append(rng.choice((b"x", b"../" + names[0], names[-1])))
    holder.attrs[key] = names


def _linked(rng: Random, root: Any, groups: list, datasets: list) -> None:
    """A name that leads elsewhere: along a link, in a circle, to another file."""
    thing = rng.choice([x for x in (*groups, *datasets) if x.name != "/"])
    parent, _, name = thing.name.rpartition("/")
    parent = root[parent or "/"]
    target: Any = rng.choice((h5py.SoftLink("/"), h5py.SoftLink(thing.name), root, parent,
                              h5py.ExternalLink("/etc/passwd", "/x"), h5py.SoftLink("/nowhere"),
                              h5py.ExternalLink(".", "/"), *groups[:3], *datasets[:3]))  # fmt: skip
    if rng.random() < 0.7:
        del parent[name]
    else:
        name = f"{name}_{rng.randrange(9)}"
    parent[name] = target


def _dataset(rng: Random, root: Any, groups: list, datasets: list) -> None:
    """A dataset of another type, shape or storage in the place of one."""
    old = rng.choice(datasets)
    parent, name, shape, dtype = old.parent, old.name.rpartition("/")[2], old.shape, old.dtype
    del parent[name]
    kind = rng.randrange(12)
    if kind == 0:
        other = rng.choice(("f2", "f8", "i8", "u1", "?", "c8", "S3", "V2", "V5", ">f4", "i2", "O"))
        dtype = h5py.string_dtype() if other == "O" else other
        parent.create_dataset(name, shape, dtype)
    elif kind == 1:
        shapes = ((), (0,), (1,), shape[::-1], (*shape, 1), (2, *shape), (1,) * 32, (3, 0, 4))
        parent.create_dataset(name, rng.choice(shapes), dtype)
    elif kind == 2:
        huge = rng.choice(((2**20, 2**20), (2**31,), (2**62,), (2**16, 2**16, 2**16, 2**15)))
        parent.create_dataset(name, huge, dtype, chunks=(1,) * len(huge))
    elif kind == 3:
        parent.create_dataset(name, data=np.zeros(1 << 22, "f4"), compression="gzip")
    elif kind == 4:
        shape = shape or (1,)
        parent.create_dataset(name, shape, dtype, chunks=tuple(max(1, n) for n in shape),
                              compression="gzip", shuffle=True, fletcher32=True)  # fmt: skip
    elif kind == 5:
        parent.create_dataset(name, shape or (1,), "f4", external=[("/etc/passwd", 0, 10**6)])
    elif kind == 6:
        layout = h5py.VirtualLayout(shape or (1,), "f4")
        layout[...] = h5py.VirtualSource(".", "/vars", shape or (1,))
        parent.create_virtual_dataset(name, layout)
    elif kind == 7:
        parent.create_group(name)
    elif kind == 8:
        parent.create_dataset(name, (3,), h5py.vlen_dtype("f4"))
    elif kind == 9:
        parent.create_dataset(name, shape, np.dtype([("a", "f4"), ("b", "i4", (2,))]))
    elif kind == 10:
        parent[name] = h5py.Empty("f4")
    else:
        parent[name] = np.dtype("f4")


def _extra(rng: Random, root: Any, groups: list, datasets: list) -> None:
    parent = rng.choice(groups)
    for number in range(rng.choice((1, 1, 40))):
        name = rng.choice(
            ("0", "1", "10", "\u0661", "-1", "01", "1e5", "vars", "x" * 200, "e\u0301")
        )
        name = f"{name}{number or ''}"
        if name not in parent:
            parent.create_group(name) if rng.random() < 0.5 else parent.create_dataset(
                name, data=1.0
            )


def _gone(rng: Random, root: Any, groups: list, datasets: list) -> None:
    thing = rng.choice([x for x in (*groups, *datasets) if x.name != "/"])
    del root[thing.name]


def _deep_groups(rng: Random, root: Any, groups: list, datasets: list) -> None:
    group = rng.choice(groups)
    for _ in range(rng.choice((10, 400))):
        group = group.require_group("g")
    group["back"] = root


_MOST_VALUES = 10**6


def _values(rng: Random, root: Any, groups: list, datasets: list) -> None:
    small = [x for x in datasets if x.dtype.kind in "fiu" and (x.size or 0) < _MOST_VALUES]
    if not small:  # what declares more would be written out here
        return
    dataset = rng.choice(small)
    dataset[...] = rng.choice((0, -1, 1, 100)) if dataset.dtype.kind != "f" else rng.choice(_FLOATS)


_CHANGES = (
    _drop_attribute,
    *[_set_attribute] * 4,
    *[_change_attribute_text] * 4,
    *[_change_names] * 2,
    *[_linked] * 3,
    *[_dataset] * 4,
    _extra,
    _gone,
    _deep_groups,
    _values,
)
