"""Files with an architecture alone, as the commands read them."""

from __future__ import annotations

import json
from typing import Any

from ..saving.identify import ARCHITECTURE, YAML
from ..saving.legacy.yaml_text import parsed_yaml

ARCHITECTURES = (ARCHITECTURE, YAML)


def architecture_in(path: str, kind: str) -> Any:
    """The config in a JSON or YAML file. ValueError for YAML with more than plain values."""
    with open(path, "rb") as file:
        return json.load(file) if kind == ARCHITECTURE else parsed_yaml(file.read(), f"'{path}'")
