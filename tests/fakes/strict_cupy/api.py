"""What the real CuPy knows, read from cupy_api.json."""

from __future__ import annotations

import functools
import json
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

API: dict[str, Any] = json.loads(Path(__file__).parents[1].joinpath("cupy_api.json").read_text())


def names(text: str) -> set[str]:
    """The words of `text`."""
    return set(text.split())


@functools.cache
def signature(text: str) -> Signature:
    """A signature that binds arguments as the text in the JSON says: "a, axis=, *, dtype="."""
    parameters: list[Parameter] = []
    kind: Any = Parameter.POSITIONAL_OR_KEYWORD
    for part in text.split(", ") if text else []:
        name = part.rstrip("=")
        default = None if part.endswith("=") else Parameter.empty
        if part == "*":
            kind = Parameter.KEYWORD_ONLY
        elif part == "/":
            parameters = [p.replace(kind=Parameter.POSITIONAL_ONLY) for p in parameters]
        elif part.startswith("**"):
            parameters.append(Parameter(name[2:], Parameter.VAR_KEYWORD))
        elif part.startswith("*"):
            parameters.append(Parameter(name[1:], Parameter.VAR_POSITIONAL))
            kind = Parameter.KEYWORD_ONLY
        else:
            parameters.append(Parameter(name, kind, default=default))
    return Signature(parameters)
