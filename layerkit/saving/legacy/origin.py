"""Who wrote a file: what decides what its names mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .masks import Masks


class Origin(NamedTuple):
    """Who wrote a file."""

    keras: tuple[int, ...]  # (2, 2, 4)
    backend: str = ""  # as 'theano'; '' where it is not known
    of_tensorflow: bool = False  # whether it was tf.keras
    has_masks: bool = False  # whether a layer of the model makes any
    is_inner: bool = False  # whether this is about what is inside of a model
    masks: Masks | None = None  # those of the graph that this is about, if it has any
    data_format: str | None = None  # of layers whose config does not say it
    shapes: Mapping[str, list[tuple[int, ...]]] = MappingProxyType({})  # of layers' arrays, by name
    notes: tuple[list[str], ...] = ()  # a list to which what names mean otherwise is added

    @property
    def is_old(self) -> bool:
        """Whether it was Keras 1 or 2, where some names mean other numbers than in Keras 3."""
        return self.keras < (3,)

    @property
    def sums_activity(self) -> bool:
        """Whether activity regularizers summed over the batch: later ones divide by its size."""
        return (1,) <= self.keras < (3,) and not self.of_tensorflow

    @property
    def all_notes(self) -> tuple[str, ...]:
        return tuple(note for notes in self.notes for note in notes)

    def note(self, text: str) -> None:
        """Add to what `summary` tells of a model from such a file."""
        for notes in self.notes:
            if text not in notes:
                notes.append(text)


def origin_named(version: str, backend: str = "") -> Origin:
    """The origin of a file whose `keras_version` is `version`."""
    number = tuple(int(part) for part in version.split("-")[0].split(".")[:3] if part.isdecimal())
    number = number or (1,)
    of_tensorflow = version.endswith("-tf") or (2, 4) <= number < (3,)
    return Origin(number, backend, of_tensorflow, notes=([],))


def with_context(origin: Origin, config: Any) -> Origin:
    """`origin` with what the configs of a model's layers say together.

    The order of axes that all of them name, if they name one, which in Keras 1 the configs of some
    layers left out; where it is the order of Theano, or a layer pads as only Theano could, and
    nothing says what the model ran on, it was Theano. And whether any layer masks.
    """
    named, todo, masks, full = set(), [config], False, False
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            masks |= value.get("class_name") == "Masking" or value.get("mask_zero") is True
            full |= value.get("border_mode") == "full"
            named.add(str(value.get("dim_ordering", "")))
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    formats = {"th": "channels_first", "tf": "channels_last"}
    found = [formats[name] for name in named & formats.keys()]
    one = found[0] if len(found) == 1 else None
    of_theano = one == "channels_first" or full
    if of_theano and not origin.backend and origin.keras < (2,):
        origin = origin._replace(backend="theano")
    if masks and ((2,) if origin.of_tensorflow else (2, 3)) <= origin.keras < (2, 10):
        origin.note(_MASKED_LOSSES)
    return origin._replace(data_format=one, has_masks=masks)


_MASKED_LOSSES = (
    "Masked losses are divided by the number of steps that count; the Keras that wrote the file "
    "divided them by all."
)
