"""Which parts of a model Keras 3 does not know, for they compute what older Kerases did."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from layerkit.backend import tree

from ..regularizers import L1L2OfBatch
from .shared_layers import shared_layers

_FUNCTIONS = (
    "cosine_proximity_keras1",
    "hard_sigmoid_keras2",
    "hinge_keras2",
    "squared_hinge_keras2",
)


def only_here(model: Any) -> list[str]:
    """What Keras 3 could not make of a file of `model`: "Highway (layer 'highway')", ..."""
    found = []
    for owner, part in _parts(model):
        name = _retired_name(part)
        if name:
            found.append(f"{name} ({owner})")
    return list(dict.fromkeys(found))


def _parts(model: Any) -> Iterator[tuple[str, Any]]:
    """(whose it is, in words; a loss, a layer or a value in one)."""
    for loss in tree.flatten(getattr(model, "loss", None)):
        yield "loss", loss
    for layer in model._flatten_layers():
        owner = f"layer '{layer.name}'"
        for part in (layer, *vars(layer).values()):
            yield owner, part


def _retired_name(part: Any) -> str | None:
    """The name of a layer, a regularizer or a function that went away; None for all others."""
    cls = type(part)
    if cls is L1L2OfBatch or cls.__module__.startswith("layerkit.layers.retired."):
        return None if "written_as" in vars(cls) else cls.__name__
    name = part if isinstance(part, str) else getattr(part, "__name__", None)
    return name if isinstance(name, str) and name in _FUNCTIONS else None


def warn_of_what_is_only_here(model: Any, path: str) -> None:
    """A warning where Keras 3 cannot read a file of `model`, or makes another model of it."""
    if getattr(model, "compiled", False) and model.optimizer is None:
        warnings.warn(
            f"Keras 3 cannot compile the model in '{path}', which was compiled with "
            "optimizer=None: load it there with compile=False.",
            stacklevel=4,
        )
    shared = [f"'{layer.name}'" for layer in shared_layers(model) if layer.weights]
    if shared:
        warnings.warn(
            f"Keras 3 makes of '{path}' a model that predicts the same, but in which layers that "
            f"several models in it share are copies that train apart, with a fresh optimizer: "
            f"{', '.join(shared)}. "
            "layerkit restores one layer of each.",
            stacklevel=4,
        )
    names = only_here(model)
    if names:
        warnings.warn(
            f"Keras 3 cannot read '{path}', which layerkit can: it does not know "
            f"{', '.join(names)}: only older versions of Keras computed that. To load it there, "
            "pass classes and functions of your own by these names as custom_objects.",
            stacklevel=4,
        )
