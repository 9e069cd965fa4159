"""Looks at the bytes of an HDF5 file before HDF5's library does.

The library (2.0.0, and all before) loops for ever, fills the memory, overflows its stack or writes
outside of its memory on structures that are wrong in certain ways, where nothing can stop it: the
process is lost. So these are looked for first, wherever the signature of such a structure stands:

- a global heap (texts of attributes) with an object of no size: looked up for ever;
- a local heap (names in a group) whose list of free blocks is a circle: takes all memory;
- a B-tree (of a group, or of chunks) that contains itself: overflows the stack; or that contains a
  node, or the names of a group, many times: takes for ever;
- what belongs to files that no Keras writes: other drivers, extensions of the superblock;
- the structures of HDF5 1.8 and later: see `hdf5_latest`.

Looking takes time in proportion to the file: structures that lie in one another are refused.

See the "HDF5 File Format Specification", version 3, sections II, III.A.1, III.D and III.E. All
other damage the library finds itself, or the limits of `hdf5` do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from struct import unpack_from
from typing import BinaryIO

import numpy as np

from .hdf5_latest import SIGNATURES, Latest

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_PART = 1 << 18  # bytes that are read at once
_THREE_BITS = np.uint32(0xE0E0E0E0)  # of each of four bytes: those that capital letters share
_CAPITALS = np.uint32(0x40404040)
_MOST_DIMENSIONS = 33  # of a chunk's place: those of the dataset, and one for its type
_UNDEFINED = b"\xff" * 8  # an address
_READS = 64  # bytes that a look counts for at least
_SPARE = 1 << 24  # bytes that may be looked at in any file
_TIMES = 4  # ... and its size so many times


def problem_of(file: BinaryIO) -> str:
    """What is wrong with the structure of the HDF5 file, in words; '' where nothing is.

    file: seekable; it is left at its start.
    """
    try:
        return _Structure(file).problem()
    except _Tangled:
        return "its structures lie in one another"
    finally:
        file.seek(0)


class _Tangled(Exception):
    """More was to be looked at than a file has."""


class _Structure:
    def __init__(self, file: BinaryIO):
        self.file = file
        self.size = file.seek(0, os.SEEK_END)
        self.left = _SPARE + _TIMES * self.size
        self.parents: dict[int, int] = {}  # {place of a node of a B-tree: of the one above}
        self.latest = Latest(self._bytes, self.size)

    def problem(self) -> str:
        found = self._superblock(self._bytes(0, 96))
        if found:
            return found
        for place, signature in self._signatures():
            if signature in SIGNATURES:
                found = self.latest.problem(place, signature)
            else:
                found = _CHECKS[signature](self, place)
            if found:
                return f"{found} at byte {place}"
        return ""

    def _superblock(self, start: bytes) -> str:
        if not start.startswith(SIGNATURE):
            return "it does not begin as an HDF5 file does"
        if len(start) < 96:
            return "it ends where it begins"
        version = start[8]
        sizes = start[13:15] if version < 2 else start[9:11]
        if sizes != b"\x08\x08":
            return "its addresses are not of 8 bytes"
        more = (48 if version == 0 else 52) if version < 2 else 20  # a driver's; an extension
        if start[more : more + 8] != _UNDEFINED:
            return "its superblock has extensions"
        return ""

    def _bytes(self, place: int, count: int) -> bytes:
        """So many bytes, or fewer at the end of the file."""
        if not 0 <= place < self.size:
            return b""
        self.left -= max(_READS, min(count, self.size - place))
        if self.left < 0:
            raise _Tangled
        self.file.seek(place)
        return self.file.read(count)

    def _signatures(self) -> Iterator[tuple[int, bytes]]:
        """(place, signature) of all that looks like one of the structures."""
        for start in range(0, self.size, _PART):
            part = self._bytes(start, _PART + 3)
            for shift in range(min(4, len(part) - 3)):
                words = np.frombuffer(part, "<u4", (len(part) - shift) // 4, shift)
                letters = np.flatnonzero((words & _THREE_BITS) == _CAPITALS)
                found = words[letters]
                places = np.searchsorted(_WORDS[:-1], found)  # many times faster than np.isin
                for index in letters[_WORDS[places] == found].tolist():
                    yield start + shift + 4 * index, words[index : index + 1].tobytes()

    def _global_heap(self, place: int) -> str:
        size = self._word(place + 8)
        if self._bytes(place + 4, 1) != b"\x01" or size > self.size - place:
            return ""
        heap = self._bytes(place, size)
        at = 16
        while at + 16 <= size:
            number, taken = unpack_from("<H6xQ", heap, at)
            step = taken if not number else (16 + (taken + 7) // 8 * 8) % 2**64
            if step < 16:
                return "a global heap has an object of no size"
            at += step
        return ""

    def _local_heap(self, place: int) -> str:
        if self._bytes(place + 4, 1) != b"\x00":
            return ""
        header = self._bytes(place, 32)
        if len(header) < 32:
            return ""
        size, free, start = unpack_from("<QQQ", header, 8)
        data = self._bytes(start, min(size, self.size))
        seen = set()
        while free + 16 <= len(data):
            if free in seen:
                return "the free blocks of a local heap are a circle"
            seen.add(free)
            (free,) = unpack_from("<Q", data, free)
        return ""

    def _tree(self, place: int) -> str:
        node = self._bytes(place, 8)
        if len(node) < 8 or node[4] > 1:
            return ""
        kind, level, count = node[4], node[5], int.from_bytes(node[6:8], "little")
        if kind == 1 and level == 0:  # above chunks
            return ""
        for children in self._children(place, kind, count, b"TREE" if level else b"SNOD"):
            if len(children) != len(set(children)):
                return "a B-tree contains a node twice"
            for child in children:
                if level and self._bytes(child + 5, 1)[0] != level - 1:
                    return "a B-tree contains a node that does not belong below"
                if self.parents.setdefault(child, place) != place:
                    return "a B-tree contains a node twice"
        return ""

    def _children(self, place: int, kind: int, count: int, what: bytes) -> Iterator[list[int]]:
        """Where the nodes below are; of trees of chunks, for each length of their keys."""
        keys = [8] if kind == 0 else [8 + 8 * n for n in range(1, _MOST_DIMENSIONS + 1)]
        words = np.frombuffer(self._words(place + 24, count * (keys[-1] // 8 + 1)), "<u8")
        for key in keys:
            found = words[key // 8 :: key // 8 + 1][:count]
            inside = found[found < max(0, self.size - 5)].tolist()
            yield [x for x in inside if self._bytes(x, 4) == what]

    def _words(self, place: int, count: int) -> bytes:
        words = self._bytes(place, 8 * count)
        return words[: len(words) // 8 * 8]

    def _word(self, place: int) -> int:
        return int.from_bytes(self._bytes(place, 8).ljust(8, b"\xff"), "little")


_CHECKS = {
    b"GCOL": _Structure._global_heap,
    b"HEAP": _Structure._local_heap,
    b"TREE": _Structure._tree,
}
_WORDS = np.sort([int.from_bytes(x, "little") for x in (*_CHECKS, *SIGNATURES)]).astype("<u4")
