"""MultiHeadAttention of tf.keras, and before 2.10, where it did not look at masks of what it got.

There, copies of the tensors, which have no masks, stand before it, so that Keras 3 reads what is
written again as the same model.
"""

from __future__ import annotations

from typing import Any

from .masks import Masks
from .names import free_names, is_address
from .origin import Origin

_LAYER = "MultiHeadAttention"
_NOTE = (
    "Copies of tensors stand before MultiHeadAttention, which before tf.keras 2.10 did not look at "
    "masks."
)
_MASKED_ROWS = (
    "MultiHeadAttention with dropout, or where it returns its scores, gives queries that may "
    "attend to nothing scores of zero; in the Keras that wrote the file they attended to all alike."
)


def note_masked_rows(entry: dict[str, Any], origin: Origin) -> None:
    """Note where queries whose keys are all masked get something else today."""
    if entry["class_name"] != _LAYER or not origin.of_tensorflow:
        return
    options = [option for call in entry["inbound_nodes"] for option in _options(call)]
    scores = any(each.get("return_attention_scores") for each in options)
    given = any(each.get("attention_mask") for each in options)
    masked = given or origin.keras >= (2, 10) and origin.has_masks
    if masked and (scores or entry["config"].get("dropout")):
        origin.note(_MASKED_ROWS)


def _options(call: Any) -> list[dict[str, Any]]:
    """The named arguments of a call."""
    return [x[3] for x in call if is_address(x) and len(x) > 3 and isinstance(x[3], dict)]


def with_copies_before(entries: list[dict[str, Any]], origin: Origin) -> list[dict[str, Any]]:
    """The layers of a graph, with copies of what has masks before such layers."""
    attends = any(entry["class_name"] == _LAYER for entry in entries)
    if not attends or not origin.of_tensorflow or origin.keras >= (2, 10):
        return entries
    masks = Masks(entries, origin.is_inner)
    names = free_names("copy", {entry["name"] for entry in entries})
    copies: dict[tuple, str] = {}
    found = []
    for entry in entries:
        if entry["class_name"] != _LAYER:
            found.append(entry)
            continue
        masked = [x for x in _addresses(entry["inbound_nodes"]) if masks.of(x) is not None]
        for address in dict.fromkeys(masked):
            if address not in copies:
                copies[address] = next(names)
                found.append(_copy(copies[address], address))
                origin.note(_NOTE)
        found.append({**entry, "inbound_nodes": _redirected(entry["inbound_nodes"], copies)})
    return found


def _copy(name: str, address: tuple) -> dict[str, Any]:
    config = {"name": name, "function": "identity"}
    nodes = [[*address, {}]]
    return {"class_name": "TFOpLambda", "name": name, "config": config, "inbound_nodes": nodes}


def _addresses(value: Any) -> list[tuple]:
    """All addresses in the calls of a layer, those of named arguments among them."""
    if isinstance(value, dict):
        return [x for item in value.values() for x in _addresses(item)]
    if not isinstance(value, list):
        return []
    if is_address(value):
        return [tuple(value[:3]), *_addresses(value[3:])]
    return [x for item in value for x in _addresses(item)]


def _redirected(value: Any, copies: dict[tuple, str]) -> Any:
    if isinstance(value, dict):
        return {key: _redirected(item, copies) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if is_address(value):
        name = copies.get(tuple(value[:3]))
        first = value[:3] if name is None else [name, 0, 0]
        return [*first, *_redirected(value[3:], copies)]
    return [_redirected(item, copies) for item in value]
