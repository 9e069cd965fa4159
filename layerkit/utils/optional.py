"""Packages that some helpers need and layerkit does not: imported when used, named when missing."""

from __future__ import annotations

import importlib
from typing import Any


def optional(module: str, package: str, extra: str, what: str) -> Any:
    """The module; ImportError that names the package and layerkit's extra where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"Could not import {module}. {what} requires {package}: "
            f"pip install {package}, or pip install 'layerkit[{extra}]'."
        ) from error
