"""Looks at the structures of HDF5's newer layout, which files have that libver="latest" made.

They carry checksums, so damage is found by the library (2.0.0, and all before); but it believes
whatever has a right checksum, and divides by zero, follows null pointers, writes outside of its
memory or counts to 2**64 where a file was made to that end. So the structures with which fuzzing
could do that must be as the library itself makes them: with its constants, every node of a B-tree
and every block of a heap in one place alone, and counts that agree.

- B-tree 2 (links, attributes, chunks, large attributes): header BTHD, nodes BTIN and BTLF;
- fractal heap (the names of links, and attributes): header FRHP, blocks FHIB and FHDB;
- extensible and fixed arrays (chunks): headers EAHD and FAHD.

No refusal hits an ordinary file, for the constants cannot be chosen by those who write files. A
child process that opens the file first was the other way: it would hold whatever is wrong, but
starts in a quarter of a second, needs a program to start, and has no limit of memory on Windows
and macOS. "HDF5 File Format Specification", version 3, sections III.A.2, III.G and VII.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import error as _StructError
from struct import unpack_from

_UNDEFINED = 2**64 - 1  # an address
_MOST_ELEMENTS = 1 << 20  # of an array that a small file may have: the library looks at each

_RECORDS = {1: (24, 24), 5: (11, 11), 6: (15, 15), 8: (17, 17), 9: (13, 13)}  # {kind: bytes}
_RECORDS |= {10: (16, 8 + 8 * 32), 11: (21, 20 + 8 * 32)}  # of chunks: by dimensions
_NODES_OF_CHUNKS = {10, 11}
_ATTRIBUTES = {8: 8, 9: 8}  # {kind: where in its record the flags are}
_SHARED = 2  # a flag

_HEAPS = {(7, 512, 32), (8, 1024, 40)}  # (bytes of an ID, of the first block, bits): links, others
_WIDTH = 4  # blocks in a row of a heap
_LARGEST_BLOCK = 65536
_ARRAY = bytes([32, 4, 16, 4, 10])  # bits of a count, sizes of blocks


class Latest:
    """Checks of one file.

    bytes_at(place, count): so many bytes of the file, or fewer at its end. size: bytes of it.
    """

    def __init__(self, bytes_at: Callable[[int, int], bytes], size: int):
        self.bytes_at = bytes_at
        self.size = size
        self.nodes: set[int] = set()  # places of those of all B-trees

    def problem(self, place: int, signature: bytes) -> str:
        """What is wrong with the header at a place; '' for none, and where no header is."""
        length, check = _HEADERS[signature]
        header = self.bytes_at(place, length + 4)
        if len(header) < length + 4 or lookup3(header[:-4]) != unpack_from("<I", header, length)[0]:
            return ""  # bytes that only look like one; the library does not take it either
        try:
            return check(self, place, header)
        except (_StructError, IndexError):
            return "a structure is cut off"

    def _tree(self, place: int, header: bytes) -> str:
        kind, node_size, record, depth, split, merge, root, count, total = unpack_from(
            "<BIHHBBQHQ", header, 5
        )
        least, most = _RECORDS.get(kind, (1, 0))
        usual = 2048 if kind in _NODES_OF_CHUNKS else 512
        if not least <= record <= most or (node_size, split, merge) != (usual, 100, 40):
            return "a B-tree is not as HDF5's library makes it"
        if root == _UNDEFINED:
            return "" if not (depth or count or total) else "a B-tree counts wrongly"
        levels = _levels(node_size, record, depth, self.size)
        if len(levels) <= depth:
            return "a B-tree is deeper than its file"
        return self._node(root, kind, record, levels[: depth + 1], count, total)

    def _node(
        self, place: int, kind: int, record: int, levels: list, count: int, total: int
    ) -> str:
        """A node with `count` records of its own and `total` with those below, and all below."""
        *below, (most, count_width, total_width) = levels
        if place in self.nodes:
            return "a B-tree contains a node twice"
        self.nodes.add(place)
        start = self.bytes_at(place, 6)
        if start != (b"BTIN" if below else b"BTLF") + bytes([0, kind]) or count > most:
            return "a B-tree contains what is no node of it"
        records = self.bytes_at(place + 6, count * record)
        if kind in _ATTRIBUTES and any(x & _SHARED for x in records[_ATTRIBUTES[kind] :: record]):
            return "an attribute is shared"
        if not below:
            return "" if count == total else "a B-tree counts wrongly"
        step = 8 + count_width + total_width
        pointers = self.bytes_at(place + 6 + count * record, (count + 1) * step)
        rest = total - count
        for at in range(0, (count + 1) * step, step):
            (child,) = unpack_from("<Q", pointers, at)
            own = int.from_bytes(pointers[at + 8 : at + 8 + count_width], "little")
            last = pointers[at + 8 + count_width : at + step]
            all_below = int.from_bytes(last, "little") if last else own
            rest -= all_below
            problem = self._node(child, kind, record, below, own, all_below)
            if problem:
                return problem
        return "a B-tree counts wrongly" if rest else ""

    def _heap(self, place: int, header: bytes) -> str:
        id_size, filters, flags, most = unpack_from("<HHBI", header, 5)
        width, first, largest, bits, rows, root, current = unpack_from("<HQQHHQH", header, 110)
        usual = (0, 4096, _WIDTH, _LARGEST_BLOCK, 1)
        if (filters, most, width, largest, rows) != usual or flags & ~3:
            return "a heap is not as HDF5's library makes it"
        if (id_size, first, bits) not in _HEAPS or current > bits:
            return "a heap is not as HDF5's library makes it"
        if root == _UNDEFINED:
            return ""
        blocks = _Blocks(self.bytes_at, place, first, bits // 8)
        return blocks.indirect(root, current, 0) if current else blocks.direct(root, 0)

    def _extensible(self, place: int, header: bytes) -> str:
        if header[7:12] != _ARRAY:
            return "an array of chunks is not as HDF5's library makes it"
        return self._elements(unpack_from("<Q", header, 44)[0])

    def _fixed(self, place: int, header: bytes) -> str:
        if header[7] != _ARRAY[-1]:
            return "an array of chunks is not as HDF5's library makes it"
        return self._elements(unpack_from("<Q", header, 8)[0])

    def _elements(self, count: int) -> str:
        most = max(_MOST_ELEMENTS, self.size)
        return "an array of chunks is far larger than the file" if count > most else ""


class _Blocks:
    """The blocks of one heap: the library finds them by arithmetic, and looks no further."""

    def __init__(self, bytes_at: Callable[[int, int], bytes], owner: int, first: int, width: int):
        self.bytes_at = bytes_at
        self.owner = owner
        self.first = first  # bytes of the first block
        self.width = width  # bytes of a block's own place in the heap

    def direct(self, place: int, offset: int) -> str:
        return self._start(place, b"FHDB", offset)

    def indirect(self, place: int, rows: int, offset: int) -> str:
        """A block of pointers, and all below it. rows: how many it has."""
        problem = self._start(place, b"FHIB", offset)
        pointers = self.bytes_at(place + 13 + self.width, 8 * _WIDTH * rows)
        for number in range(_WIDTH * rows):
            if problem:
                return problem
            row = number // _WIDTH
            size = self.first << max(0, row - 1)
            (child,) = unpack_from("<Q", pointers, 8 * number)
            if child != _UNDEFINED and size <= _LARGEST_BLOCK:
                problem = self.direct(child, offset)
            elif child != _UNDEFINED:  # a block of blocks: so many rows have that size together
                problem = self.indirect(child, row - _WIDTH.bit_length() + 2, offset)
            offset += size
        return problem

    def _start(self, place: int, signature: bytes, offset: int) -> str:
        words = signature + b"\0" + self.owner.to_bytes(8, "little")
        if self.bytes_at(place, 13 + self.width) != words + offset.to_bytes(self.width, "little"):
            return "a heap contains what is no block of it"
        return ""


def _levels(node_size: int, record: int, depth: int, most: int) -> list[tuple[int, int, int]]:
    """Of nodes, the lowest first: (most records, bytes of the count, of the total below).

    No more levels than hold `most` records.
    """
    largest = total = (node_size - 10) // record
    width = _width(largest)
    levels = [(largest, 0, 0)]
    while len(levels) <= depth and total <= most:
        total_width = _width(total) if len(levels) > 1 else 0
        pointer = 8 + width + total_width
        largest = (node_size - 10 - pointer) // (record + pointer)
        levels.append((largest, width, total_width))
        total = (largest + 1) * total + largest
    return levels


def _width(number: int) -> int:
    """The bytes in which HDF5 keeps numbers up to this one."""
    return (number.bit_length() - 1) // 8 + 1


def lookup3(data: bytes) -> int:
    """The checksum of HDF5's metadata: Bob Jenkins' "lookup3", hashlittle() of 2006."""
    a = b = c = (0xDEADBEEF + len(data)) & _WORD
    parts = range(0, max(1, len(data)), 12)
    for at in parts:
        x, y, z = unpack_from("<III", data[at : at + 12].ljust(12, b"\0"))
        a, b, c = (a + x) & _WORD, (b + y) & _WORD, (c + z) & _WORD
        if at == parts[-1]:
            break
        a, c = _minus(a, c, 4), c + b
        b, a = _minus(b, a, 6), a + c
        c, b = _minus(c, b, 8), b + a
        a, c = _minus(a, c, 16), c + b
        b, a = _minus(b, a, 19), a + c
        c, b = _minus(c, b, 4), b + a
    for turn in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _turned(b, turn)) & _WORD
        a, b, c = b, c, a
    return b


_WORD = 0xFFFFFFFF


def _minus(x: int, y: int, turn: int) -> int:
    return ((x - y) & _WORD) ^ _turned(y, turn)


def _turned(x: int, turn: int) -> int:
    x &= _WORD
    return (x << turn | x >> (32 - turn)) & _WORD


_HEADERS: dict[
    bytes, tuple[int, Callable[[Latest, int, bytes], str]]
] = {  # {signature: (bytes, check)}
    b"BTHD": (34, Latest._tree),
    b"FRHP": (142, Latest._heap),
    b"EAHD": (68, Latest._extensible),
    b"FAHD": (24, Latest._fixed),
}
SIGNATURES = tuple(_HEADERS)
