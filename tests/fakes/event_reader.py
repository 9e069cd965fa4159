"""A reader of TensorBoard's event files, as little of it as the tests need."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from layerkit.callbacks.event_file import record


def read(folder: Path) -> list[dict[str, Any]]:
    """The events of the only file in a folder: step, tag, plugin, value."""
    (path,) = folder.glob("*tfevents*")
    return [event(payload) for payload in payloads(path.read_bytes())]


def payloads(data: bytes):
    """The records' contents; AssertionError where a frame or a checksum is wrong."""
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        payload, whole = data[12 : 12 + length], length + 16
        assert data[:whole] == record(payload)
        yield payload
        data = data[whole:]


def event(payload: bytes) -> dict[str, Any]:
    fields = fields_of(payload)
    if 3 in fields:
        return {"version": fields[3][0].decode()}
    value = fields_of(fields_of(fields[5][0])[1][0])
    metadata = fields_of(fields_of(value[9][0])[1][0])
    return {
        "step": fields[2][0],
        "tag": value[1][0].decode(),
        "plugin": metadata[1][0].decode(),
        "value": tensor(fields_of(value[8][0])),
    }


def tensor(fields: dict[int, list]) -> Any:
    shape = [fields_of(size)[1][0] for size in fields_of(fields[2][0]).get(2, [])]
    if fields[1] == [1]:
        return struct.unpack("<f", fields[5][0])[0]
    if fields[1] == [2]:
        return np.frombuffer(fields[4][0], "<f8").reshape(shape)
    return fields[8]


def fields_of(message: bytes) -> dict[int, list]:
    """The values of a message of protocol buffers by field number."""
    found: dict[int, list] = {}
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
        else:
            length, at = (8, at) if key & 7 == 1 else varint(message, at)
            value, at = message[at : at + length], at + length
        found.setdefault(key >> 3, []).append(value)
    return found


def varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
