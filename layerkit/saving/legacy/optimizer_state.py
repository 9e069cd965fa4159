"""The state of an optimizer of a legacy file into today's slots.

Old optimizers keep all first moments before all second ones, in the layout of the weights of
their Keras; some keep slots that ours do not have. What is restored must fit in every shape.
"""

from __future__ import annotations

from typing import Any

from ...optimizers import Nadam
from ...optimizers.schedules import LearningRateSchedule
from .. import hdf5
from ..optimizer_variables import matched
from ..refusal import tell
from . import arrays as files
from .layouts import converted
from .origin import Origin
from .weights import Key, Part


def restore_optimizer(model: Any, parts: list[Part], root: Any, origin: Origin, name: str) -> None:
    """Give the optimizer of `model` the state in the file; where it does not fit, one warning.

    parts: which arrays of the file became which variables.
    """
    optimizer = model.optimizer
    group = hdf5.find_group(root, "optimizer_weights")
    if optimizer is None or group is None:
        return
    stored = files.stored_in(group, "optimizer")
    if not stored.datasets:
        return
    try:
        slots = any(dataset.shape for dataset in stored.datasets)
        if slots or len(stored.datasets) > len(optimizer.variables):  # else it never took a step
            optimizer.build(model.trainable_variables)
        if len(stored.datasets) < len(optimizer.variables_in_files):  # tf.keras: the inner one's
            optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        _assign(optimizer, stored, _trained(model, parts), origin)
    except _NotFitting as error:
        tell(
            f"The state of optimizer '{optimizer.name}' in '{name}' was not restored: {error} "
            "Training goes on with a fresh one.",
            stacklevel=4,
        )


class _NotFitting(Exception):
    """Why a stored state cannot be this optimizer's."""


def _trained(model: Any, parts: list[Part]) -> list[Part]:
    """The trained parts of the model; of a layer at several places, those at the first."""
    places: dict[int, Part] = {}
    for part in parts:
        places.setdefault(id(part.variables[0]), part)
    trained = [part for part in places.values() if part.variables[0].trainable]
    if sum(len(part.variables) for part in trained) != len(model.trainable_variables):
        raise _NotFitting("not every trained variable is in the file.")
    return trained


def _assign(optimizer: Any, stored: files.Stored, parts: list[Part], origin: Origin) -> None:
    if stored.weight_names[0].partition(":")[0].rpartition("/")[2] == "iteration":
        return _assign_in_order(optimizer, stored)
    scalars, slots = _sorted(stored)
    if "iterations" not in scalars and isinstance(optimizer._learning_rate, LearningRateSchedule):
        tell(
            f"The file does not say how many steps optimizer '{optimizer.name}' took, which its "
            "learning rate depends on: training goes on as if it was the first, as in the Keras "
            "that wrote it. If you know it, use model.optimizer.iterations.assign(number).",
            stacklevel=5,
        )
    if optimizer._slots and optimizer._slots[0]:  # SGD without momentum: old files keep zeros
        keys = [key for part in parts for key in part.keys]
        if origin.keras < (2,):
            keys.sort()  # by the names of the weights, as Keras 1 did
        found = _by_kind(slots, keys, list(optimizer._slots[0]))
        values = _slot_values(optimizer, parts, found, origin)
        _check_shapes(values)
        for variable, array in values:
            variable.assign(array)
    if "iterations" in scalars:
        optimizer._iterations.assign(int(files.read(scalars["iterations"])))
    if isinstance(optimizer, Nadam) and optimizer.built:
        if "m_schedule" in scalars:
            optimizer._u_product.assign(files.read(scalars["m_schedule"]))
        optimizer.restore_product()


def _assign_in_order(optimizer: Any, stored: files.Stored) -> None:
    """Optimizers of Keras 3, and those of tf.keras since 2.11, keep their variables as ours do."""
    variables = optimizer.variables_stored_as(stored.datasets)
    found = matched(variables, stored.datasets)
    if found is None:
        raise _NotFitting(
            f"it expects arrays of shapes {[tuple(v.shape) for v in variables]}; the "
            f"file holds {stored.shapes}."
        )
    for variable, dataset in zip(variables, found, strict=True):
        if dataset is not None:
            variable.assign(files.read(dataset))
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if isinstance(inner, Nadam):
        inner.restore_product()


def _sorted(stored: files.Stored) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """The single numbers by what they are, and (last part of the name, dataset) of the slots."""
    scalars: dict[str, Any] = {}
    slots = []
    for name, dataset in zip(stored.weight_names, stored.datasets, strict=True):
        if dataset.shape:
            slots.append((name.partition(":")[0].rpartition("/")[2], dataset))
        elif not scalars:
            scalars["iterations"] = dataset
        else:
            scalars["m_schedule"] = dataset  # Nadam's
    return scalars, slots


def _by_kind(slots: list[Any], keys: list[Key], kinds: list[str]) -> list[dict[Key, Any]]:
    """For each kind of slot, {key of a weight: its array}: by kinds, or by weights."""
    count = len(keys)
    groups, rest = divmod(len(slots), count)
    if rest or groups < len(kinds):
        raise _NotFitting(
            f"it has {len(kinds)} arrays for each of {count} weights; the file holds {len(slots)}."
        )
    names = [name for name, _ in slots[:groups]]
    together = len(set(names)) == groups and [name for name, _ in slots] == names * count
    arrays = [files.read(dataset) for _, dataset in slots]  # Ftrl's slots alone stand together
    return [
        dict(
            zip(
                keys,
                arrays[i::groups] if together else arrays[i * count : (i + 1) * count],
                strict=True,
            )
        )
        for i in range(len(kinds))
    ]


def _slot_values(
    optimizer: Any, parts: list[Part], found: list[dict[Key, Any]], origin: Origin
) -> list[tuple[Any, Any]]:
    """(slot's variable, array) for all slots, in the layout of their weights."""
    values = []
    for kind, arrays in zip(optimizer._slots[0], found, strict=True):
        for part in parts:
            own = converted(part.layer, [arrays[key] for key in part.keys], origin)
            for variable, array in zip(part.variables, own, strict=True):
                slot = optimizer._slots[optimizer._get_variable_index(variable)][kind]
                values.append((slot, array))
    return values


def _check_shapes(values: list[tuple[Any, Any]]) -> None:
    for slot, array in values:
        if array.shape != tuple(slot.shape):
            raise _NotFitting(
                f"it expects an array of shape {tuple(slot.shape)}; the file holds {array.shape}."
            )
