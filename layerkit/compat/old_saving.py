"""Files of weights under any name, as Keras 1 and 2 wrote them: model.save_weights('best.h5').

What is written is Keras 3's format, and `load_weights` knows a file by its content.
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
from ..saving.weights_file import write_weights
from .deprecated import warn_once

ENDING = ".weights.h5"


def name_weights_freely() -> None:
    """Let weights be saved under names that do not end in `.weights.h5`."""
    setattr(Model, "save_weights", _under_any_name(Model.save_weights))  # noqa: B010
    setattr(ModelCheckpoint, "__init__", _to_any_name(ModelCheckpoint.__init__))  # noqa: B010


def _tell() -> None:
    warn_once(f"A file of weights whose name does not end in {ENDING}", "let it end so")


def _under_any_name(save: Callable) -> Callable:
    @wraps(save)
    def saved(self: Any, filepath: Any, overwrite: bool = True) -> None:
        path = os.fspath(filepath)
        if path.endswith(ENDING) or not self.built:
            save(self, filepath, overwrite)
            return
        _tell()
        with replacing(path, overwrite) as file:
            write_weights(self, file)

    return saved


def _to_any_name(init: Callable) -> Callable:
    _, *names = signature(init).parameters

    @wraps(init)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(names, args, strict=False)) | kwargs
        path = os.fspath(given["filepath"])
        if not given.get("save_weights_only") or path.endswith(ENDING):
            init(self, *args, **kwargs)
            return
        _tell()
        init(self, **{**given, "filepath": path + ENDING})
        self.filepath = path

    return made
