"""The weights of a legacy file into a model's layers: by position or by name, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .. import hdf5
from ..refusal import report
from ..side_by_side import MOST_ROWS, REMEDY, TOO_LARGE, table
from . import arrays as files
from .arrays import Stored
from .layouts import converted, old_count
from .origin import Origin
from .weights_alone import remedy_for

Key = tuple[str, str, int]  # of an array of the file: its name, its layer, its number there


class Part(NamedTuple):
    """Variables that one layer owns, and the keys of the file's arrays for them."""

    layer: Any
    variables: list[Any]
    keys: list[Key]


@dataclass
class _Pair:
    """One layer of the model, or the model without its layers, beside one of the file.

    Either may be missing. `runs`: (owner, variables) that the arrays are for, in their order.
    `values`: the variables whose arrays fit; `misfits`: the others, and the arrays' shapes.
    """

    layer: Any
    stored: Stored | None
    runs: list[tuple[Any, list[Any]]]
    problem: str = ""
    parts: list[Part] = field(default_factory=list)
    values: list[tuple[Any, np.ndarray]] = field(default_factory=list)
    misfits: list[tuple[Any, tuple[int, ...]]] = field(default_factory=list)


def load_by_position(model: Any, root: Any, name: str, skip_mismatch: bool = False) -> list[Part]:
    """Load into the layers with weights, in the order of the model; what went where.

    `name`: of the file, for messages. ValueError, and nothing changed, where the numbers of
    layers, of arrays or shapes differ; with `skip_mismatch` arrays of other shapes, and layers
    with other numbers of arrays, are left out with a warning.
    """
    stored = [layer for layer in files.stored_layers(root) if layer.datasets]
    of_tf_keras = files.origin_of(root).of_tensorflow
    found = _with_weights(in_order_of_keys(model) if of_tf_keras else model.layers)
    if len(found) != len(stored):  # Keras 1 kept the layers of inner models one by one
        flat = [x for x in model._flatten_layers() if x._own_variables() and x is not model]
        found = flat if len(flat) == len(stored) else found
    if len(found) != len(stored) and files.origin_of(root).keras < (2,):
        flat = [x for x in _in_file_order(model) if x._own_variables() and x is not model]
        found, stored = _handed_out(flat, stored) or (found, stored)
    if len(found) != len(stored):
        unbuilt = not found and not model.built
        raise ValueError((_unbuilt if unbuilt else _count_mismatch)(found, stored, name))
    pairs = [_pair_of(layer, own) for layer, own in zip(found, stored, strict=True)]
    return _load(model, pairs, root, name, skip_mismatch)


def load_by_name(model: Any, root: Any, name: str, skip_mismatch: bool = False) -> None:
    """Load into the layers that are called as layers in the file; the others stay as they are."""
    stored = {layer.name: layer for layer in files.stored_layers(root) if layer.datasets}
    found = _with_weights(model.layers)
    pairs = [_pair_of(layer, stored.pop(layer.name, None)) for layer in found]
    _load(model, [pair for pair in pairs if pair.stored], root, name, skip_mismatch)
    left = [pair.layer.name for pair in pairs if not pair.stored]
    if left or stored:
        some = len(left) < len(pairs)
        result = "were loaded by name" if some else "were not loaded: no layer has the same name"
        report(
            f"Weights of '{name}' {result}. Layers of the model that the file does not "
            f"have: {left or 'none'}. Layers of the file that the model does not have: "
            f"{sorted(stored) or 'none'}.",
            stacklevel=5,
        )


def in_order_of_keys(model: Any) -> list[Any]:
    """The layers of a model as tf.keras found them, which took those of a dict by their keys."""
    layers = list(model.layers)
    places = {id(layer): place for place, layer in enumerate(layers)}
    for value in vars(model).values():
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            continue
        held = [value[key] for key in sorted(value) if id(value[key]) in places]
        for place, layer in zip(sorted(places[id(layer)] for layer in held), held, strict=True):
            layers[place] = layer
    return layers


def _in_file_order(model: Any) -> list[Any]:
    """The layers of a model, those inside others too; of a Graph of Keras 0 in its own order."""
    order = getattr(model, "file_order", ())
    layers = sorted(model.layers, key=lambda x: order.index(x.name) if x.name in order else -1)
    return [inner for layer in layers for inner in layer._flatten_layers()]


def _handed_out(layers: list[Any], stored: list[Stored]) -> tuple[list[Any], list[Stored]] | None:
    """Each layer with its share of the file's arrays, in order; None where they do not add up.

    Keras 0 kept those of branches, and those of a graph, in one group.
    """
    counts = [old_count(layer, len(layer._own_variables())) for layer in layers]
    names = [name for each in stored for name in each.weight_names]
    datasets = [dataset for each in stored for dataset in each.datasets]
    if sum(counts) != len(datasets):
        return None
    shares, start = [], 0
    for layer, count in zip(layers, counts, strict=True):
        end = start + count
        shares.append(Stored(layer.name, names[start:end], datasets[start:end]))
        start = end
    return layers, shares


def _with_weights(layers: Any) -> list[Any]:
    return [layer for layer in layers if layer.weights]


def _load(model: Any, pairs: list[_Pair], root: Any, name: str, skip_mismatch: bool) -> list[Part]:
    """Load what belongs together in the pairs, and what belongs to the model itself."""
    pairs = [*pairs, *_pair_of_model(model, root)]
    origin = files.origin_of(root)
    for pair in pairs:
        _match(pair, origin)
    failed = [pair for pair in pairs if pair.problem]
    if failed and not skip_mismatch:
        raise ValueError(f"{_mismatch(failed, pairs, name)}\n{REMEDY}")
    for pair in pairs:
        for variable, array in pair.values:
            variable.assign(array)
    if failed:
        report(f"Skipped, as asked: {failed[0].problem} {_skipped(failed, name)}", stacklevel=6)
    return [part for pair in pairs for part in pair.parts]


def _pair_of(layer: Any, stored: Stored | None) -> _Pair:
    return _Pair(layer, stored, variables_in_order(layer))


def _pair_of_model(model: Any, root: Any) -> list[_Pair]:
    """The pair of what belongs to the model itself, where both sides have any."""
    stored, own = files.stored_top_level(root), own_variables(model)
    return [_Pair(model, stored, [(model, own)])] if stored.datasets and own else []


def own_variables(model: Any) -> list[Any]:
    """The variables of a model that none of its layers has, those that are trained first."""
    return sorted(model._own_variables(), key=lambda variable: not variable.trainable)


def _match(pair: _Pair, origin: Origin) -> None:
    """Fill in the values of a pair, or its problem."""
    assert pair.stored is not None
    datasets = pair.stored.datasets
    if any(hdf5.is_bomb(dataset) for dataset in datasets):
        pair.problem = TOO_LARGE
        return
    runs = pair.runs
    counts = [len(variables) for _, variables in runs]
    if sum(counts) != len(datasets):
        counts = [old_count(layer, len(variables)) for layer, variables in runs]
    if sum(counts) != len(datasets):
        counts = _counts_by_shapes(runs, datasets)
    if sum(counts) != len(datasets):
        pair.problem = (
            f"Weight count mismatch for layer '{pair.layer.name}': it expects "
            f"{sum(len(variables) for _, variables in runs)} arrays; the file holds "
            f"{len(datasets)}."
        )
        return
    name = pair.stored.name
    numbered = enumerate(zip(pair.stored.weight_names, datasets, strict=True))
    stored = (((own, name, number), dataset) for number, (own, dataset) in numbered)
    for (layer, variables), count in zip(runs, counts, strict=True):
        taken = [next(stored) for _ in range(count)]
        pair.parts.append(Part(layer, variables, [key for key, _ in taken]))
        own = converted(layer, [files.read(dataset) for _, dataset in taken], origin)
        for variable, array in zip(variables, own, strict=True):
            shape = tuple(variable.shape)
            if shape == array.shape:
                pair.values.append((variable, array))
                continue
            pair.misfits.append((variable, array.shape))
            pair.problem = pair.problem or (
                f"Shape mismatch in layer '{layer.name}' for weight '{variable.name}': it expects "
                f"shape {shape}; the file holds {array.shape}."
                f"{remedy_for(layer, shape, array.shape)}"
            )


def _counts_by_shapes(runs: list[tuple[Any, list[Any]]], datasets: list[Any]) -> list[int]:
    """How many arrays each layer has where only some keep their gates apart, as in Keras 1.2."""
    counts: list[int] = []
    for layer, variables in runs:
        first = next((d.shape for d in datasets[sum(counts) :]), None)
        together = first == tuple(variables[0].shape)
        counts.append(len(variables) if together else old_count(layer, len(variables)))
    return counts


def variables_in_order(layer: Any) -> list[tuple[Any, list[Any]]]:
    """The variables of a layer as legacy files order them: (owner, variables), owners repeated.

    First those that are trained, of all layers inside it, then the others.
    """
    owners = {id(v): each for each in layer._flatten_layers() for v in each._own_variables()}
    runs: list[tuple[Any, list[Any]]] = []
    for variable in [*layer.trainable_weights, *layer.non_trainable_weights]:
        owner = owners[id(variable)]
        if runs and runs[-1][0] is owner and runs[-1][1][-1].trainable == variable.trainable:
            runs[-1][1].append(variable)
        else:
            runs.append((owner, [variable]))
    return runs


# --- what was not loaded -----------------------------------------------------------------------


def _count_mismatch(found: list[Any], stored: list[Stored], name: str) -> str:
    rows, first = [], None
    for i in range(max(len(found), len(stored))):
        expects = _shapes(found[i]) if i < len(found) else ""
        holds = _listed(stored[i].shapes) if i < len(stored) else ""
        if first is None and expects != holds:
            first, holds = i, f"{holds}  <- the first difference".lstrip()
        rows.append(
            (
                found[i].name if i < len(found) else "",
                expects,
                stored[i].name if i < len(stored) else "",
                holds,
            )
        )
    start = max(0, min((first or 0) - MOST_ROWS // 2, len(rows) - MOST_ROWS))
    before = [f"  {start} pairs that agree, and then"] if start else []
    shown = "\n".join([*before, table(_HEAD, rows[start:])])
    return (
        "Layer count mismatch when loading weights from file. Model expected "
        f"{len(found)} layers, found {len(stored)} saved layers. The model and '{name}' side by "
        f"side:\n{shown}\nMake the model as it was when the file was written, or pass "
        "by_name=True to load the layers that have the same names."
    )


def _unbuilt(found: list[Any], stored: list[Stored], name: str) -> str:
    return (
        f"Layer count mismatch when loading weights from file. Model expected {len(found)} layers, "
        f"found {len(stored)} saved layers: the model is not built, for nothing says the shape of "
        "its inputs. Keras 2 did not write it where a Sequential began with an InputLayer. Make "
        "the model in code, with an Input of that shape first, and call its load_weights('"
        f"{name}')."
    )


def _mismatch(failed: list[_Pair], pairs: list[_Pair], name: str) -> str:
    rows = [
        (
            pair.layer.name,
            _shapes_in(pair.runs),
            pair.stored.name if pair.stored else "",
            (_listed(pair.stored.shapes) if pair.stored else "")
            + ("  <- not loaded" if pair.problem else ""),
        )
        for pair in (pairs if len(pairs) <= MOST_ROWS else failed)
    ]
    return (
        f"{failed[0].problem} {len(failed)} of {len(pairs)} layers could not be loaded. The model "
        f"and '{name}' side by side:\n{table(_HEAD, rows)}"
    )


_HEAD = ("the model's layer", "expects", "the file's layer", "holds")


def _skipped(failed: list[_Pair], name: str) -> str:
    """Every array of the model that was left as it was, though the rest was loaded."""
    rows = []
    for pair in failed:
        assert pair.stored is not None
        whole = (
            pair.layer.name,
            _shapes_in(pair.runs),
            pair.stored.name,
            _listed(pair.stored.shapes),
        )
        rows += [
            (variable.path, str(tuple(variable.shape)), pair.stored.name, str(shape))
            for variable, shape in pair.misfits
        ] or [whole]
    head = "not loaded", *_HEAD[1:]
    return f"The rest of '{name}' was loaded:\n{table(head, rows, most=None)}"


def _shapes(layer: Any) -> str:
    return _shapes_in(variables_in_order(layer))


def _shapes_in(runs: list[tuple[Any, list[Any]]]) -> str:
    return _listed([tuple(v.shape) for _, run in runs for v in run])


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes)) or "nothing"
