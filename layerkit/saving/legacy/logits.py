"""Losses of outputs that end in a softmax or a sigmoid, as Keras computes them on TensorFlow.

There, crossentropies take what that activation was given, as logits, whatever the loss says of its
predictions and whichever of the two the activation is. Elsewhere, as here, they take the outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...layers import Softmax
from ...losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from ..refusal import tell
from .origin import Origin

_OWN = {  # the activations that turn logits into what these losses take
    BinaryCrossentropy: "sigmoid",
    CategoricalCrossentropy: "softmax",
    SparseCategoricalCrossentropy: "softmax",
    "binary_crossentropy": "sigmoid",
    "categorical_crossentropy": "softmax",
    "sparse_categorical_crossentropy": "softmax",
}


def take_logits_as_tensorflow(model: Any, origin: Origin, path: Any) -> None:
    """Let losses of `model` take probabilities where tf.keras took what these were made of.

    Where that would not be the same, or it is not known whether Keras ran on TensorFlow, a note or
    a warning says so.
    """
    if not (origin.of_tensorflow or origin.keras >= (3,)) or origin.keras < (2, 4):
        return
    if origin.keras >= (3,) and origin.backend not in ("", "tensorflow"):
        return
    found = [*_outputs_and_losses(model)]
    for layer, activation, loss in found:
        if activation not in ("softmax", "sigmoid"):
            continue
        if origin.keras < (2, 12) and isinstance(layer, Softmax):  # which hid them
            continue
        fits = _OWN[_kind(loss)] == activation
        logits = getattr(loss, "from_logits", False)
        if fits and not logits:
            continue
        if origin.keras >= (3,):
            origin.note(_IF_ON_TENSORFLOW.format(layer=layer.name, activation=activation))
        elif fits and _others_fit(loss, found):
            loss.from_logits = False
            origin.note(_NO_LOGITS.format(layer=layer.name, activation=activation))
        else:
            tell(_OTHERWISE.format(path=path, layer=layer.name, activation=activation), 4)


def _others_fit(loss: Any, found: list[tuple[Any, str, Any]]) -> bool:
    """Whether all outputs whose loss is this object have the same activation."""
    return len({activation for _, activation, other in found if other is loss}) == 1


def _outputs_and_losses(model: Any) -> Iterator[tuple[Any, str, Any]]:
    """(the layer, the name of its activation, its loss) of outputs whose loss is a crossentropy."""
    loss, outputs = getattr(model, "loss", None), getattr(model, "outputs", None) or []
    names = getattr(model, "output_names", None) or []
    for number, output in enumerate(outputs if isinstance(outputs, list) else []):
        own = loss
        if isinstance(loss, dict):
            own = loss.get(names[number]) if number < len(names) else None
        elif isinstance(loss, (list, tuple)):
            own = loss[number] if number < len(loss) else None
        layer = output._keras_history.operation
        name = "softmax" if isinstance(layer, Softmax) else getattr(layer, "activation", None)
        name = getattr(name, "__name__", name)
        if _kind(own) is not None:
            yield layer, str(name), own


def _kind(loss: Any) -> Any:
    """What `_OWN` has for a loss, or for its name; None for all other losses."""
    kind = loss if isinstance(loss, str) else type(loss)
    return kind if kind in _OWN else None


_NO_LOGITS = (
    "The loss of layer '{layer}' has from_logits=False: the Keras that wrote the file computed it "
    "of what the {activation} was given, as if it said so, though it had from_logits=True."
)
_OTHERWISE = (
    "The Keras that wrote '{path}' computed the loss of layer '{layer}' of what its {activation} "
    "was given, as logits. Here the loss takes the layer's outputs: its values and gradients "
    "differ. To train as there, end the layer in a linear activation and use the loss with "
    "from_logits=True."
)
_IF_ON_TENSORFLOW = (
    "The loss of layer '{layer}' takes its outputs, as in Keras on JAX or PyTorch. On TensorFlow "
    "Keras computes it of what the {activation} was given, as logits."
)
