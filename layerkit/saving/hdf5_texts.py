"""How long the texts of an attribute in an HDF5 file are, before HDF5's library reads them.

The library takes several times the memory that a text says it needs (up to 4 GiB each), before it
finds that the file holds another; and many texts can be one and the same in the file. It has no
function that tells lengths, so the message of the attribute is read here: "HDF5 File Format
Specification", version 3, sections IV.A and IV.A.2.m (attributes).
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import error as _StructError
from struct import unpack_from
from typing import BinaryIO

_CONTINUED, _ATTRIBUTE, _ATTRIBUTES_ELSEWHERE = 0x10, 0x0C, 0x15  # kinds of messages
_UNDEFINED = 2**64 - 1  # an address
_TEXT = 16  # bytes of a text in a message: its length, and where it is
_PART = 1 << 20  # bytes that are read at once


class TooMany(Exception):
    """An object has more messages than it may."""


def lengths_of_texts(file: BinaryIO, place: int, name: str, count: int, most: int) -> list[int]:
    """The bytes of the `count` texts of an attribute; [] where they cannot be told.

    place: of the header of its object in `file`. TooMany for more than `most` messages there.
    """
    key = name.encode()
    try:
        for kind, body in messages(file, place, most):
            if kind == _ATTRIBUTE and _name(body) == key:
                return _lengths(body, count)
            if kind == _ATTRIBUTES_ELSEWHERE and _are_elsewhere(body):
                return _longest_named(file, key, count)
    except (_StructError, IndexError):  # cut off
        pass
    return []


def messages(file: BinaryIO, place: int, most: int) -> Iterator[tuple[int, bytes]]:
    """(kind, content) of the messages of the object whose header is at `place`."""
    start = _bytes(file, place, 64)
    new = start.startswith(b"OHDR")
    if new:
        flags = start[5]
        size = 1 << (flags & 3)
        at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        length = int.from_bytes(start[at : at + size], "little")
        chunks = [(place + at + size, length)]
        head, form = 6 if flags & 4 else 4, "<BH"
    else:
        chunks = [(place + 16, unpack_from("<I", start, 8)[0])]
        head, form = 8, "<HH"
    found = 0
    for at, length in chunks:  # which grows
        chunk, at = _bytes(file, at, length), 0
        while at + head <= len(chunk):
            kind, size = unpack_from(form, chunk, at)
            body = chunk[at + head : at + head + size]
            at += head + size
            found += 1
            if found > most:
                raise TooMany
            if kind == _CONTINUED:
                start, length = unpack_from("<QQ", body)
                chunks.append((start + 4, length - 8) if new else (start, length))
            yield kind, body


def _bytes(file: BinaryIO, place: int, count: int) -> bytes:
    size = file.seek(0, 2)
    if not 0 <= place < size or count < 0:
        return b""
    file.seek(place)
    return file.read(min(count, size - place))


def _name(message: bytes) -> bytes:
    start = 9 if message[0] == 3 else 8
    return message[start : start + unpack_from("<H", message, 2)[0]].partition(b"\0")[0]


def _lengths(message: bytes, count: int) -> list[int]:
    version, flags, *sizes = unpack_from("<BBHHH", message)
    if version not in (1, 2, 3) or version > 1 and flags:  # the type is not here
        return []
    start = (9 if version == 3 else 8) + sum(-(-n // 8) * 8 if version == 1 else n for n in sizes)
    texts = message[start : start + count * _TEXT]
    return [unpack_from("<I", texts, at)[0] for at in range(0, count * _TEXT, _TEXT)]


def _are_elsewhere(message: bytes) -> bool:
    """Whether attributes lie in a heap."""
    return unpack_from("<Q", message, 4 if message[1] & 1 else 2)[0] != _UNDEFINED


def _longest_named(file: BinaryIO, name: bytes, count: int) -> list[int]:
    """Of all attributes of this name that the file has anywhere: a heap keeps them as they are."""
    found: list[int] = []
    size, more = file.seek(0, 2), len(name) + 1
    for start in range(0, size, _PART):
        part = _bytes(file, start, _PART + more)
        at = part.find(name + b"\0")
        while at >= 0:
            for back in (8, 9):
                other = _lengths_at(file, start + at - back, name, count)
                found = max(other, found, key=sum) if other else found
            at = part.find(name + b"\0", at + 1)
    return found


def _lengths_at(file: BinaryIO, place: int, name: bytes, count: int) -> list[int]:
    message = _bytes(file, place, 1024 + len(name) + count * _TEXT)
    try:
        return _lengths(message, count) if _name(message) == name else []
    except (_StructError, IndexError):
        return []
