"""What of a model only layerkit has: Keras cannot read a file of it, which is told when saving."""

from __future__ import annotations

import warnings
from typing import Any

from ..activations import hard_sigmoid_keras2
from ..layers import Layer

_RETIRED = f"{Layer.__module__.rpartition('.')[0]}.retired"  # layers that Keras 3 left behind


def warn_of_unknown_to_keras(model: Any, path: str) -> None:
    """Warn once, of all parts of `model` that no Keras 3 has, that Keras cannot read `path`."""
    found = [text for layer in model._flatten_layers() for text in _unknown_in(layer)]
    if found:
        warnings.warn(
            f"Keras 3 cannot read '{path}', layerkit can: there is no {', no '.join(found)} in "
            "Keras. To load it there, pass classes and functions of your own by these names as "
            "custom_objects.",
            stacklevel=4,
        )


def _unknown_in(layer: Any) -> list[str]:
    if type(layer).__module__ == _RETIRED:
        return [f"{type(layer).__name__} (layer '{layer.name}')"]
    if any(value is hard_sigmoid_keras2 for value in vars(layer).values()):
        return [f"activation hard_sigmoid_keras2 (layer '{layer.name}')"]
    return []
