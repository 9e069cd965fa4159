"""The folder that a `.keras` archive unpacks to, as Keras writes it with `zipped=False`.

Links are not followed: what a stranger sends as a model must bring no other files along. Devices,
pipes and what is not a model's are not touched.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

ASSETS = "assets"
MEMBERS = {"config.json", "metadata.json", "model.weights.h5", ASSETS}


def is_unzipped(path: Any) -> bool:
    """Whether there is a folder with a model's config and weights at `path`."""
    if not isinstance(path, str) or not os.path.isdir(path):
        return False
    return all(os.path.lexists(os.path.join(path, x)) for x in ("config.json", "model.weights.h5"))


def sizes(folder: str) -> dict[str, tuple[int, int]]:
    """{name of a member: its `size`} for all that belongs to the model."""
    found = {}
    for name in sorted(MEMBERS & set(os.listdir(folder))):
        inner = _files(folder, name) if name == ASSETS else [name]
        found.update({each: size(folder, each) for each in inner})
    return found


def size(folder: str, name: str) -> tuple[int, int]:
    """Bytes on the disk, and bytes of the file. ValueError for links, folders, pipes, devices."""
    found = os.lstat(_path(folder, name))
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(
            f"Refused to read '{folder}': its member '{name}' is a link, a folder, a pipe or a "
            "device. Expected plain files, as Keras and layerkit write them. If you trust these "
            f"links, copy what they point to: cp -rL '{folder}' NEW"
        )
    on_disk = getattr(found, "st_blocks", 0) * 512  # less than its size where it has holes
    return on_disk or found.st_size, found.st_size


def read(folder: str, name: str) -> bytes:
    """The bytes of a member, which `size` found to be a plain file."""
    with open(_path(folder, name), "rb") as file:
        return file.read()


def write(folder: str, members: Iterator[tuple[str, Any]]) -> None:
    """Write (name, bytes) pairs into the new `folder`."""
    for name, content in members:
        path = _path(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


def _files(folder: str, name: str) -> Iterator[str]:
    """The names of the files below a folder of the model's; links are names of files here."""
    path = _path(folder, name)
    if os.path.islink(path) or not os.path.isdir(path):
        yield name
        return
    for inner in sorted(os.listdir(path)):
        yield from _files(folder, f"{name}/{inner}")


def _path(folder: str, name: str) -> str:
    return os.path.join(folder, *name.split("/"))
