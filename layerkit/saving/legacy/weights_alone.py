"""Weights of an old Keras in a model made in code: what names and defaults meant then.

Nothing in a file of weights says how its layers computed. Where a layer of the model has what may
have been another function or number, a warning says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ... import activations, layers
from .. import hdf5
from ..refusal import tell
from .arrays import origin_of
from .origin import Origin

_HARD = "hard_sigmoid"
_RECURRENT = (layers.LSTM, layers.LSTMCell, layers.GRU, layers.GRUCell)
_CONVOLUTIONAL = (layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D)


def tell_what_meant_otherwise(model: Any, root: Any, name: str) -> None:
    """Warn of layers of `model`, made in code, that may compute otherwise than those that had the
    weights in the file called `name`; a model from an old file or JSON has what its Keras meant."""
    if getattr(model, "file_notes", None) is not None:
        return
    origin, config = origin_of(root), hdf5.text(root, "model_config")
    if config and _HARD not in config:
        return
    found: dict[str, list[str]] = {}
    for layer in _outermost(model._flatten_layers()):
        for text in _meant_otherwise(layer, origin):
            found.setdefault(text, []).append(layer.name)
    if found:
        listed = "; ".join(f"{text} ({', '.join(names)})" for text, names in found.items())
        by = ".".join(map(str, origin.keras))
        tell(
            f"The weights in '{name}' are of Keras {by}, where names and defaults meant other "
            f"numbers than in layers made today: {listed}. Make these layers as they were, if they "
            "were not as they are."
            + (f" Or open the model with load_model('{name}'), which does." if config else ""),
            stacklevel=5,
        )


def _outermost(found: list[Any]) -> list[Any]:
    """Layers, without the cells of those that show what their cells have."""
    shown = [vars(layer).get("cell") for layer in found if hasattr(layer, "recurrent_activation")]
    return [layer for layer in found if not any(layer is cell for cell in shown)]


def _meant_otherwise(layer: Any, origin: Origin) -> Iterator[str]:
    """What the layer has that was something else."""
    used = [getattr(layer, key, None) for key in ("activation", "recurrent_activation")]
    if activations.hard_sigmoid in used and origin.is_old:
        yield "hard_sigmoid was x / 5 + 1 / 2, here called 'hard_sigmoid_keras2'"
    if used[1] is activations.sigmoid and _was_hard(layer, origin):
        yield "recurrent_activation was 'hard_sigmoid_keras2' by default, and is 'sigmoid'"
    normalizes = isinstance(layer, layers.BatchNormalization)
    if normalizes and layer.epsilon == 1e-3 and origin.keras <= (1, 0, 99):
        yield "epsilon was 1e-6 by default in Keras 0, 1e-5 in 1.0, and is 1e-3"


def _was_hard(layer: Any, origin: Origin) -> bool:
    """Whether the layer's recurrent_activation was a hard sigmoid by default; 2.2.4 stands for all
    of TensorFlow 1, and for 2.0, where some were."""
    if isinstance(layer, _CONVOLUTIONAL):
        return origin.is_old
    last = (2, 2, 4) if origin.of_tensorflow else (2, 2, 99)
    return isinstance(layer, _RECURRENT) and origin.keras <= last


def remedy_for(layer: Any, expected: tuple[int, ...], found: tuple[int, ...]) -> str:
    """How to make `layer` so that it takes an array of another shape, where that is known."""
    if not isinstance(layer, layers.GRUCell):
        return ""
    biases = {False: (3 * layer.units,), True: (2, 3 * layer.units)}
    if (expected, found) != (biases[layer.reset_after], biases[not layer.reset_after]):
        return ""
    return f" Make the layer with reset_after={not layer.reset_after}, as it was."
