"""One DeprecationWarning for each thing of earlier versions that a script uses."""

from __future__ import annotations

import sys
import warnings

_warned: set[str] = set()


def warn_once(what: str, remedy: str | None = None) -> None:
    """Warn the script, at its first use only, that `what` is of an earlier version of Keras."""
    if what in _warned:
        return
    _warned.add(what)
    text = f"{what} is of an earlier version of Keras{f': {remedy}' if remedy else ''}."
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    warnings.warn_explicit(
        text,
        DeprecationWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_globals.get("__name__"),
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _is_ours(module: str) -> bool:
    return module.startswith(("layerkit.", "importlib.")) or module == "importlib"
