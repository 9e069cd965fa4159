"""Looks at the bytes of an HDF5 file before HDF5's library does.

The library (2.0.0, and all before) loops for ever, fills the memory or overflows its stack on
structures that are wrong in certain ways, where nothing can stop it: the process is lost. So what
it would follow in circles is looked for first, wherever the signature of such a structure stands:

- a global heap (texts of attributes) with an object of no size: looked up for ever;
- a local heap (names in a group) whose list of free blocks is a circle: takes all memory;
- a B-tree (of a group, or of chunks) that contains itself: overflows the stack; or that contains a
  node many times: takes for ever.

The structures of HDF5 1.8 and later (object headers, B-trees and heaps of version 2), which files
have that were made with libver="latest", carry checksums: damage is found by the library, but what
was made on purpose is not looked for here.

See the "HDF5 File Format Specification", version 3, sections III.A.1, III.D and III.E. All other
damage the library finds itself, or the limits of `hdf5` do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from struct import unpack_from
from typing import BinaryIO

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_PART = 1 << 20  # bytes that are read at once
_MOST_DIMENSIONS = 33  # of a chunk's place: those of the dataset, and one for its type


def problem_of(file: BinaryIO) -> str:
    """What is wrong with the structure of the HDF5 file, in words; '' where nothing is.

    file: seekable; it is left at its start.
    """
    try:
        return _Structure(file).problem()
    finally:
        file.seek(0)


class _Structure:
    def __init__(self, file: BinaryIO):
        self.file = file
        self.size = file.seek(0, os.SEEK_END)
        self.parents: dict[int, int] = {}  # {place of a node of a B-tree: of the one above}

    def problem(self) -> str:
        start = self._bytes(0, 96)
        if not start.startswith(SIGNATURE):
            return "it does not begin as an HDF5 file does"
        sizes = start[13:15] if start[8] < 2 else start[9:11]
        if sizes != b"\x08\x08":
            return "its addresses are not of 8 bytes"
        for place, signature in self._signatures():
            found = _CHECKS[signature](self, place)
            if found:
                return f"{found} at byte {place}"
        return ""

    def _bytes(self, place: int, count: int) -> bytes:
        """So many bytes, or fewer at the end of the file."""
        if not 0 <= place < self.size:
            return b""
        self.file.seek(place)
        return self.file.read(count)

    def _signatures(self) -> Iterator[tuple[int, bytes]]:
        """(place, signature) of all that looks like one of the structures."""
        for start in range(0, self.size, _PART):
            part = self._bytes(start, _PART + 3)
            for signature in _CHECKS:
                place = part.find(signature)
                while place >= 0:
                    yield start + place, signature
                    place = part.find(signature, place + 1)

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
        if len(node) < 8 or node[4] > 1 or not node[5]:
            return ""
        kind, level, count = node[4], node[5], int.from_bytes(node[6:8], "little")
        for children in self._children(place, kind, count):
            if len(children) != len(set(children)):
                return "a B-tree contains a node twice"
            for child in children:
                if self._bytes(child + 5, 1)[0] != level - 1:
                    return "a B-tree contains a node that does not belong below"
                if self.parents.setdefault(child, place) != place:
                    return "a B-tree contains a node twice"
        return ""

    def _children(self, place: int, kind: int, count: int) -> Iterator[list[int]]:
        """Where the nodes below are; of trees of chunks, for each length of their keys."""
        keys = [8] if kind == 0 else [8 + 8 * n for n in range(1, _MOST_DIMENSIONS + 1)]
        for key in keys:
            words = self._bytes(place + 24, (count + 1) * (key + 8))
            ends = min(len(words) - 7, count * (key + 8))
            found = [unpack_from("<Q", words, at)[0] for at in range(key, ends, key + 8)]
            yield [x for x in found if x + 5 < self.size and self._bytes(x, 4) == b"TREE"]

    def _word(self, place: int) -> int:
        return int.from_bytes(self._bytes(place, 8).ljust(8, b"\xff"), "little")


_CHECKS = {
    b"GCOL": _Structure._global_heap,
    b"HEAP": _Structure._local_heap,
    b"TREE": _Structure._tree,
}
