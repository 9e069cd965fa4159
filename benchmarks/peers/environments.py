"""An environment of its own for each peer: made where it is absent, otherwise used again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .frameworks import FRAMEWORKS

ROOT = Path(__file__).parents[2]
REQUIREMENTS = {
    "numba": ("-e", f"{ROOT}[numba]"),  # this very layerkit
    "tensorflow": ("keras", "tensorflow-cpu"),
    "jax": ("keras", "jax"),
    "torch": ("keras", "torch==2.13.0"),
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
DEFAULT = CACHE / "layerkit-benchmark-peers"


class CannotInstall(Exception):
    """With the last of what was said."""


def interpreters(
    names: list[str], folder: Path, say: Callable[[str], None]
) -> tuple[dict[str, str], dict[str, str]]:
    """The Python of each framework in `names`, and why those left out cannot be set up.

    `folder` holds the environments, one folder each.
    """
    found: dict[str, str] = {}
    left_out: dict[str, str] = {}
    made: dict[str, str | CannotInstall] = {}
    for name in names:
        environment = FRAMEWORKS[name].environment
        if environment is None:
            found[name] = sys.executable
            continue
        if environment not in made:
            say(f"environment of {environment}: {folder / environment}")
            made[environment] = _prepared(folder / environment, REQUIREMENTS[environment])
        python = made[environment]
        if isinstance(python, str):
            found[name] = python
        else:
            left_out[name] = str(python)
            say(f"{FRAMEWORKS[name].title} is left out, it cannot be installed: {python}")
    return found, left_out


def _prepared(folder: Path, requirements: tuple[str, ...]) -> str | CannotInstall:
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    try:
        if not python.exists():
            _run(sys.executable, "-m", "venv", str(folder))
        # Does nothing where they are there already.
        _run(str(python), "-m", "pip", "install", "--quiet", *requirements)
    except CannotInstall as error:
        return error
    return str(python)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise CannotInstall(said[-1] if said else f"exit code {done.returncode}")
