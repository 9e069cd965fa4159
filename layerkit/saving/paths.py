"""The path that a user gives for a file."""

from __future__ import annotations

import io
import os
import re
from typing import Any


def path_of(filepath: Any) -> str:
    """`filepath`, a string or a `pathlib.Path`, as a string.

    TypeError for open files, bytes and other things, ValueError for addresses of the web, and for
    what no name of a file can hold.
    """
    if isinstance(filepath, (str, os.PathLike)):
        path = os.fspath(filepath)
        if isinstance(path, str):
            return _local(path)
    remedy = "Give its path."
    if isinstance(filepath, (io.IOBase, bytes, bytearray, memoryview)) or hasattr(filepath, "read"):
        remedy = "Write its bytes to a file first, and give the path of that."
    elif hasattr(filepath, "filename"):  # an h5py.File
        remedy = "Close it and give its name, as `file.filename` says it."
    raise TypeError(
        "`filepath` must be the path of a file, a string or a pathlib.Path. Received: "
        f"{type(filepath).__name__}. {remedy}"
    )


def _local(path: str) -> str:
    if "\0" in path:
        raise ValueError(
            "`filepath` must be the path of a file. Received one with a zero character, which no "
            f"name of a file has: filepath={path!r}. Give the path without it."
        )
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", path)
    if scheme is None:
        return path
    remedy = f"Give the path without it: '{path[7:]}'."
    if scheme[1].lower() != "file":
        remedy = (
            "Fetch the file first, for https as with keras.utils.get_file('model.keras', origin="
            f"'{path}')."
        )
    raise ValueError(
        "`filepath` must be the path of a file on this machine. Received an address: "
        f"filepath={path}. {remedy}"
    )
