"""Names: CamelCase to snake_case, and fresh names for objects that were given none."""

from __future__ import annotations

import re

from layerkit.backend import get_uid


def snake_case(name: str) -> str:
    """`name` in Keras's snake case: 'Conv2D' is 'conv2d', 'ReLU' 're_lu', 'RMSprop' 'rm_sprop'."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(cls: type | str) -> str:
    """A fresh name for an object of `cls` (a class or its name): 'dense', 'dense_1'..."""
    prefix = snake_case(cls if isinstance(cls, str) else cls.__name__)
    count = get_uid(prefix) - 1
    return f"{prefix}_{count}" if count else prefix
