"""What layers keep beside their weights in a `.keras` archive: files under `assets/`.

A layer at a path P of the walk writes its files with `save_assets(folder)`, and reads them with
`load_assets(folder)`; in the archive they are the members below `assets/P`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .walk import walk


def found_assets(model: Any) -> Iterator[tuple[str, bytes]]:
    """(name of a member, its bytes) for every file that the layers of `model` keep."""
    for path, obj in _walk_with(model, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            obj.save_assets(folder)
            for file in sorted(Path(folder).rglob("*")):
                if file.is_file():
                    yield f"{path}/{file.relative_to(folder).as_posix()}", file.read_bytes()


def load_assets(model: Any, names: list[str], read: Callable[[str], bytes]) -> None:
    """Hand the files of the archive, whose members are `names`, to the layers that wrote them."""
    for path, obj in _walk_with(model, "load_assets"):
        own = [name for name in names if name.startswith(f"{path}/") and not name.endswith("/")]
        if not own:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for name in own:
                target = Path(folder, os.path.relpath(name, path))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(read(name))
            obj.load_assets(folder)


def _walk_with(model: Any, method: str) -> Iterator[tuple[str, Any]]:
    """(path below `assets`, object) for all of the walk that have the method."""
    for path, obj in walk(model):
        if callable(getattr(type(obj), method, None)):
            yield f"assets/{path}" if path else "assets", obj
