"""HDF5 files of the newer layout: made, and changed such that all their checksums are right."""

from __future__ import annotations

import io
import re
import struct
from functools import cache
from itertools import cycle
from random import Random
from typing import Any, NamedTuple

import h5py

from layerkit.saving.hdf5_latest import lookup3

_LONGEST = 2100  # bytes of a structure; a node of a B-tree of chunks has 2048


def in_latest_layout(content: bytes) -> bytes:
    """The same in the newer layout, with all kinds of storage that it has."""
    file = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(file, "w", libver="latest") as new:
        _copy(old, new, cycle(_STORAGE))
    return file.getvalue()


_STORAGE: tuple[dict[str, Any], ...] = (
    {},
    {"chunks": 2},
    {"chunks": 2, "maxshape": None},
    {"chunks": 3, "compression": "gzip", "shuffle": True, "fletcher32": True},
    {"chunks": 2, "compression": "lzf", "maxshape": None},
)


def _copy(old: Any, new: Any, storage: Any) -> None:
    for key, value in old.attrs.items():
        new.attrs[key] = value
    for number in range(12 - len(old.attrs) if len(old) > 1 else 0):  # more than 8 go to a heap
        new.attrs[f"attribute{number}"] = "text" * number
    for name, thing in old.items():
        if isinstance(thing, h5py.Group):
            _copy(thing, new.create_group(name), storage)
            continue
        options = dict(next(storage)) if thing.shape else {}
        if "chunks" in options:
            options["chunks"] = tuple(min(n, options["chunks"]) for n in thing.shape)
        if "maxshape" in options:
            options["maxshape"] = (None,) * len(thing.shape)
        copied = new.create_dataset(name, data=thing[()], **options)
        copied.attrs.update(thing.attrs)
    if len(old) > 1:
        for number in range(60):  # a B-tree with nodes below
            new.create_group(f"group{number}")


class Structure(NamedTuple):
    """What has a checksum: its bytes are [start, end), those of the checksum [at, at + 4)."""

    signature: bytes
    start: int
    end: int
    at: int


_SIGNATURES = b"OHDR|OCHK|BTHD|BTIN|BTLF|FRHP|FHDB|FHIB|EAHD|EAIB|EASB|EADB|FAHD|FADB|FSHD|FSSE"


@cache
def structures(content: bytes) -> list[Structure]:
    """All structures in the file that have a right checksum."""
    found = []
    for match in re.finditer(_SIGNATURES, content):
        start = match.start()
        if match.group() == b"FHDB":
            found += _block_of_a_heap(content, start)
            continue
        for at in _ends(content, start):
            if lookup3(content[start:at]) == struct.unpack_from("<I", content, at)[0]:
                found.append(Structure(match.group(), start, at, at))
                break
    return found


def _ends(content: bytes, start: int) -> Any:
    if content.startswith(b"OHDR", start):
        flags = content[start + 5]
        before = start + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(content[before : before + width], "little")
        return [before + width + size]
    return range(start + 12, min(start + _LONGEST, len(content) - 3))


def _block_of_a_heap(content: bytes, start: int) -> list[Structure]:
    """Its checksum is in its head, after its place in the heap of 4 or 5 bytes."""
    for at in (start + 17, start + 18):
        for size in (512, 1024, 2048, 4096):
            found = Structure(b"FHDB", start, start + size, at)
            data = bytearray(content)
            if start + size <= len(data) and repair(data, found) == content[at : at + 4]:
                return [found]
    return []


def repair(data: bytearray, structure: Structure) -> bytes:
    """Set the checksum of a structure to what it should be; returns its bytes."""
    _, start, end, at = structure
    data[at : at + 4] = bytes(4)
    checksum = lookup3(bytes(data[start:end])).to_bytes(4, "little")
    data[at : at + 4] = checksum
    return checksum


def forged(rng: Random, content: bytes) -> bytes:
    """A file in which some structures are other than they were, and have right checksums."""
    data = bytearray(content)
    known: dict[bytes, list[Structure]] = {}
    for each in structures(content):
        known.setdefault(each.signature, []).append(each)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        same = known[rng.choice(list(known))]
        structure = rng.choice(same)
        rng.choice(_FORGERIES)(rng, data, structure, same, structures(content))
        repair(data, structure)
    return bytes(data)


def _forge_byte(rng: Random, data: bytearray, structure: Structure, *_: Any) -> None:
    at = _place(rng, structure)
    changes = (data[at] ^ 1 << rng.randrange(8), data[at] + 1, data[at] - 1, 0, 1, 2, 127, 128, 255)
    data[at] = rng.choice(changes) % 256


def _forge_word(rng: Random, data: bytearray, structure: Structure, *_: Any) -> None:
    width = rng.choice((2, 4, 8))
    at = min(_place(rng, structure), structure.end - width)
    word = rng.choice((0, 1, 2, 16, 2**31, 2**32 - 1, 2**63, 2**64 - 1, len(data)))
    data[at : at + width] = (word % 2 ** (8 * width)).to_bytes(width, "little")


def _forge_address(
    rng: Random, data: bytearray, structure: Structure, same: list, everything: list
) -> None:
    """An address becomes another's: of the same kind, or not."""
    starts = {each.start for each in everything}
    end = min(structure.end - 7, structure.start + _LONGEST)
    places = [
        at
        for at in range(structure.start + 4, end)
        if int.from_bytes(data[at : at + 8], "little") in starts
    ]
    if places:
        at, other = rng.choice(places), rng.choice((rng.choice(same), rng.choice(everything)))
        data[at : at + 8] = other.start.to_bytes(8, "little")


def _forge_part(rng: Random, data: bytearray, structure: Structure, same: list, *_: Any) -> None:
    """Some bytes are those of another of the same kind."""
    other = rng.choice(same)
    source, at = _place(rng, other), _place(rng, structure)
    part = data[source : min(source + rng.randrange(1, 64), other.end)][: structure.end - at]
    data[at : at + len(part)] = part


def _place(rng: Random, structure: Structure) -> int:
    """Of a byte, more often of the first ones."""
    most = rng.choice((16, 40, 100, _LONGEST))
    return rng.randrange(structure.start + 4, min(structure.end, structure.start + most))


_FORGERIES = (_forge_byte, _forge_byte, _forge_word, _forge_address, _forge_part)
