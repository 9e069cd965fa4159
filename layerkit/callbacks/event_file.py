"""TensorBoard's event files: TensorFlow's records, each a message of protocol buffers.

Only what is written here is spoken of: an Event holds a time, a step and a Summary; a Summary holds
one named tensor, and the name of the plugin that shows it. The field numbers are those of
event.proto, summary.proto and tensor.proto.
"""

from __future__ import annotations

import os
import platform
import struct
import time
import zlib
from itertools import count
from typing import Any

import numpy as np

_files = count()  # of this process
_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # tensor.proto's DataType
_SCALAR, _TENSOR, _BLOBS = 1, 2, 3  # summary.proto's DataClass
_BUCKETS = 30


class EventFile:
    """A new event file in `folder`, which is made if it is not there.

    It is open only while `flush` writes what was gathered: a training that is cut off leaves no
    file open, and only whole records.
    """

    def __init__(self, folder: str):
        os.makedirs(folder, exist_ok=True)
        name = f"{time.time():.0f}.{platform.node()}.{os.getpid()}.{next(_files)}"
        self._path = os.path.join(folder, f"events.out.tfevents.{name}.v2")
        self._gathered = bytearray()
        self._write(field(3, b"brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A number, as float32."""
        tensor = varint_field(1, _FLOAT) + field(2, b"") + field(5, struct.pack("<f", value))
        self._summary(tag, tensor, "scalars", b"", _SCALAR, step)

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """How many of the values lie in each of 30 buckets of one width.

        What is not finite is left out.
        """
        values = values[np.isfinite(values)].astype("float64")
        if not values.size:
            return
        counts, edges = np.histogram(values, _BUCKETS)
        rows = np.stack([edges[:-1], edges[1:], counts], axis=1)
        shape = b"".join(field(2, varint_field(1, n)) for n in rows.shape)
        tensor = varint_field(1, _DOUBLE) + field(2, shape) + field(4, rows.astype("<f8").tobytes())
        self._summary(tag, tensor, "histograms", b"", _TENSOR, step)

    def images(self, tag: str, images: np.ndarray, step: int) -> None:
        """Grey or colored images (number, height, width, 1, 3 or 4) from 0 to 1; three at most."""
        pixels = (images[:3].clip(0, 1) * 255).astype("uint8")
        _, height, width, _ = images.shape
        strings = [b"%d" % width, b"%d" % height, *(png(image) for image in pixels)]
        self._strings(tag, strings, "images", b"", _BLOBS, step)

    def keras_model(self, json: str) -> None:
        """A model's description, of which TensorBoard draws the graph."""
        self._strings("keras", [json.encode()], "graph_keras_model", b"1", 0, 0, scalar=True)

    def flush(self) -> None:
        """Let readers see what was written."""
        with open(self._path, "ab") as file:
            file.write(self._gathered)
        self._gathered.clear()

    def _strings(
        self,
        tag: str,
        strings: list[bytes],
        plugin: str,
        content: bytes,
        data_class: int,
        step: int,
        scalar: bool = False,
    ) -> None:
        shape = b"" if scalar else field(2, varint_field(1, len(strings)))
        tensor = varint_field(1, _STRING) + field(2, shape)
        tensor += b"".join(field(8, string) for string in strings)
        self._summary(tag, tensor, plugin, content, data_class, step)

    def _summary(
        self, tag: str, tensor: bytes, plugin: str, content: bytes, data_class: int, step: int
    ) -> None:
        metadata = field(1, field(1, plugin.encode()) + (field(2, content) if content else b""))
        metadata += varint_field(4, data_class) if data_class else b""
        value = field(1, tag.encode()) + field(8, tensor) + field(9, metadata)
        self._write(varint_field(2, step) + field(5, field(1, value)))

    def _write(self, event: bytes) -> None:
        self._gathered += record(b"\x09" + struct.pack("<d", time.time()) + event)


# --- protocol buffers --------------------------------------------------------------------------


def varint(number: int) -> bytes:
    """A non-negative integer, seven bits a byte, the lowest first."""
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def varint_field(key: int, number: int) -> bytes:
    """A field that holds an integer."""
    return varint(key << 3) + varint(number)


def field(key: int, payload: bytes) -> bytes:
    """A field that holds bytes: a string, a message, packed numbers."""
    return varint(key << 3 | 2) + varint(len(payload)) + payload


# --- records -----------------------------------------------------------------------------------


def record(payload: bytes) -> bytes:
    """A TFRecord: the length, its checksum, the payload, its checksum."""
    length = struct.pack("<Q", len(payload))
    return b"".join((length, _masked_crc(length), payload, _masked_crc(payload)))


def _masked_crc(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def crc32c(data: bytes) -> int:
    """The checksum of Castagnoli's polynomial, reflected: 0x82F63B78."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[crc & 255 ^ byte]
    return crc ^ 0xFFFFFFFF


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_TABLE = [_remainder(byte) for byte in range(256)]


# --- images ------------------------------------------------------------------------------------


def png(pixels: Any) -> bytes:
    """An image (height, width, 1, 3 or 4) of uint8 as a PNG file."""
    height, width, channels = pixels.shape
    color = {1: 0, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)  # 0: no filter
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
