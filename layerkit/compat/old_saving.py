"""Files of weights under any name, as Keras 1 and 2 wrote them: model.save_weights('best.h5').

What is written is their layout, as under names that end in `.h5`; `load_weights` knows a file by
its content.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from ..callbacks import ModelCheckpoint
from ..models import Model
from ..saving.atomic import replacing
from ..saving.legacy.writing import write_legacy_weights
from .deprecated import warn_once

ENDINGS = (".h5", ".hdf5", ".npz", ".json")


def name_weights_freely() -> None:
    """Let weights be saved under names without an ending that says a format."""
    setattr(Model, "save_weights", _under_any_name(Model.save_weights))  # noqa: B010
    setattr(ModelCheckpoint, "__init__", _to_any_name(ModelCheckpoint.__init__))  # noqa: B010


def _tell() -> None:
    warn_once("A file of weights whose name does not end in .h5", "let it end so")


def _under_any_name(save: Callable) -> Callable:
    @wraps(save)
    def saved(self: Any, filepath: Any, overwrite: bool = True, *args: Any, **kwargs: Any) -> None:
        path = os.fspath(filepath)
        if path.endswith(ENDINGS) or not self.built:
            save(self, filepath, overwrite, *args, **kwargs)
            return
        _tell()
        with replacing(path, overwrite) as file:
            write_legacy_weights(self, file)

    return saved


def _to_any_name(init: Callable) -> Callable:
    _, *names = signature(init).parameters

    @wraps(init)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(names, args, strict=False)) | kwargs
        path = os.fspath(given["filepath"])
        if not given.get("save_weights_only") or path.endswith(ENDINGS):
            init(self, *args, **kwargs)
            return
        _tell()
        init(self, **{**given, "filepath": f"{path}.h5"})
        self.filepath = path

    return made
