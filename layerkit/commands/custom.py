"""The user's own classes and functions for files that name them, from a module of the user's."""

from __future__ import annotations

import inspect
import runpy
from pathlib import Path
from typing import Any

from ..compat import install_as_keras


def custom_objects_of(module: str | None) -> dict[str, Any]:
    """{name: class or function} that a Python file defines or imports; {} for None.

    What its dict `custom_objects` holds comes on top, for names that Python has for other things.
    The file is run, as it would be by an import; `import keras` in it gives layerkit.
    FileNotFoundError where there is none.
    """
    if module is None:
        return {}
    if not Path(module).is_file():
        raise FileNotFoundError(
            f"--custom expects a Python file with the model's own classes; there is no '{module}'."
        )
    install_as_keras()
    names = runpy.run_path(module, run_name="custom")
    found = {
        name: thing
        for name, thing in names.items()
        if not name.startswith("_") and (inspect.isclass(thing) or inspect.isfunction(thing))
    }
    return {**found, **names.get("custom_objects", {})}


HINT = (
    "Here: --custom module.py, a file that defines them, or what custom_objects is in it, a dict "
    "as above."
)
