"""The chunks of a dataset in an HDF5 file, looked at before HDF5's library unpacks them.

The library loads filters that it does not know from a folder of programs, and unpacks whatever a
chunk unpacks to: two megabytes become gigabytes, and a few bytes do that were packed many times.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any

_GZIP, _SHUFFLE, _FLETCHER32, _LZF = 1, 2, 3, 32000
_KNOWN = {_GZIP, _SHUFFLE, _FLETCHER32, _LZF}
_CHECKSUM = 4  # bytes
_SPARE = 1024  # bytes by which packing may lengthen


def problem_of_chunks(dataset: Any) -> str:
    """Why the chunks of `dataset` are not to be unpacked, in words; '' where they are."""
    if not dataset.chunks:
        return ""
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    unknown = sorted(set(filters) - _KNOWN)
    if unknown:
        return (
            f"it was packed by the HDF5 filters {unknown}, and only gzip (1), shuffle (2), "
            "fletcher32 (3) and lzf (32000) are read; `h5repack -f NONE` unpacks it"
        )
    packers = [code for code in filters if code in _UNPACKED]
    if len(packers) > 1 or len(set(filters)) < len(filters):
        return "its chunks are packed more than once"
    return _problem_of_sizes(dataset, filters)


def _problem_of_sizes(dataset: Any, filters: list[int]) -> str:
    """Whether each chunk unpacks to the bytes that it should."""
    usual = math.prod(dataset.chunks) * dataset.id.get_type().get_size()
    found: list[Any] = []
    dataset.id.chunk_iter(found.append)
    for chunk in found:
        if any(n >= m for n, m in zip(chunk.chunk_offset, dataset.shape, strict=True)):
            continue  # it is never read
        if chunk.size > 2 * usual + _SPARE:
            return "its chunks are larger than they should be"
        if not filters and chunk.size == usual:
            continue
        mask, packed = dataset.id.read_direct_chunk(chunk.chunk_offset)
        used = [code for bit, code in enumerate(filters) if not mask >> bit & 1]
        most = usual + (_CHECKSUM if _FLETCHER32 in used else 0)
        if _size(packed, used, most) != most:
            return "its chunks do not unpack to what they should"
    return ""


def _size(packed: bytes, used: list[int], most: int) -> int:
    """The bytes of a chunk before it was packed, its checksum counted; `most` + 1 where more."""
    packer = next((code for code in used if code in _UNPACKED), 0)
    if not packer:
        return len(packed)
    after = _CHECKSUM if _FLETCHER32 in used[used.index(packer) :] else 0
    return _UNPACKED[packer](packed[: len(packed) - after], most - after) + after


def _size_of_gzip(packed: bytes, most: int) -> int:
    """The bytes that it unpacks to; `most` + 1 where they are more."""
    try:
        return len(zlib.decompressobj().decompress(packed, most + 1))
    except zlib.error:
        return 0


def _size_of_lzf(packed: bytes, most: int) -> int:
    """The bytes that it unpacks to: runs of up to 32 as they are, and what came before again."""
    at = size = 0
    while at < len(packed) and size <= most:
        control = packed[at]
        if control < 32:
            at, size = at + control + 2, size + control + 1
        else:
            long = control >> 5 == 7
            size += (control >> 5) + 2 + (packed[at + 1] if long and at + 1 < len(packed) else 0)
            at += 3 if long else 2
    return size


_UNPACKED: dict[int, Callable[[bytes, int], int]] = {_GZIP: _size_of_gzip, _LZF: _size_of_lzf}
