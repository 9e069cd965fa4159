"""Optimizers of legacy files: their config in today's words, and their state into today's slots.

Old optimizers keep all first moments before all second ones, newer ones both of each variable
together; some keep slots that ours does not have. What is restored must fit in every shape.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from ...configurable import builtins_named, parameters_of
from ...old_arguments import with_new_names
from .. import hdf5
from . import arrays as files
from .configs import Origin
from .layouts import converted
from .weights import Key, Part

_CASES = {"rmsprop": "RMSprop", "sgd": "SGD", "adamw": "AdamW"}
_NOT_NEEDED = ("is_legacy_optimizer", "jit_compile", "schedule_decay", "initial_decay")
_SCALARS = {"iter", "iteration", "iterations", "learning_rate", "current_learning_rate", "decay"}
_SCALARS |= {"lr", "m_schedule", "momentum_cache", "hyper"}


# --- the config --------------------------------------------------------------------------------


def modern_optimizer(description: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """{"class_name", "config"} of an optimizer of any age as today's classes take it."""
    name = str(description["class_name"]).removeprefix("Custom>")
    if name == "LossScaleOptimizer":
        return description
    name = _CASES.get(name.lower(), name[:1].upper() + name[1:])
    cls = builtins_named(name).get("optimizers")
    if cls is None or not isinstance(description["config"], dict):
        return description
    config, _ = with_new_names(cls, description["config"])
    config = {key: x for key, x in config.items() if key not in _NOT_NEEDED}
    decay = config.pop("decay", None)
    if config.get("epsilon", 0) is None:
        del config["epsilon"]
    if config.get("clipnorm") and origin.is_old and not origin.of_tensorflow:  # of all gradients
        config["global_clipnorm"] = config.pop("clipnorm")
    if decay:
        config["learning_rate"] = _decaying(cls, config, decay)
    if "clipnorm" in config or "clipvalue" in config:
        config = _without_zero_clipping(config)
    taken = parameters_of(cls)
    return {"class_name": name, "config": {k: x for k, x in config.items() if k in taken or x}}


def _decaying(cls: Any, config: dict[str, Any], decay: float) -> dict[str, Any]:
    default = inspect.signature(cls).parameters["learning_rate"].default
    inner = {
        "initial_learning_rate": config.get("learning_rate", default),
        "decay_steps": 1,
        "decay_rate": decay,
    }
    return {"class_name": "InverseTimeDecay", "config": inner}


def _without_zero_clipping(config: dict[str, Any]) -> dict[str, Any]:
    """Keras 1 and 2 meant "no clipping" by 0."""
    clips = ("clipnorm", "clipvalue", "global_clipnorm")
    return {key: x for key, x in config.items() if key not in clips or x}


# --- the state ---------------------------------------------------------------------------------


def restore_optimizer(
    model: Any, parts: list[Part], root: Any, origin: Origin, name: str
) -> None:
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
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    try:
        optimizer.build(model.trainable_variables)
        _assign(inner, stored, _trained(model, parts), origin)
    except _NotFitting as error:
        warnings.warn(
            f"The state of optimizer '{optimizer.name}' in '{name}' was not restored: {error} "
            "Training goes on with a fresh one.",
            stacklevel=4,
        )


class _NotFitting(Exception):
    """Why a stored state cannot be this optimizer's."""


def _trained(model: Any, parts: list[Part]) -> list[Part]:
    """The trained parts of the model."""
    trained = [part for part in parts if part.variables[0].trainable]
    if sum(len(part.variables) for part in trained) != len(model.trainable_variables):
        raise _NotFitting("not every trained variable is in the file.")
    return trained


def _assign(
    optimizer: Any, stored: files.Stored, parts: list[Part], origin: Origin
) -> None:
    scalars, slots = _sorted(stored)
    kinds = list(optimizer._slots[0]) if optimizer._slots else []
    if kinds:  # SGD without momentum has none, where old files keep zeros
        names = [key for part in parts for key in part.keys]
        if origin.keras < (2,):
            names.sort()  # by the names of the weights, as Keras 1 did
        found = _by_kind(slots, names, optimizer.slots, origin)
        values = _slot_values(optimizer, parts, found, origin)
        _check_shapes(values)
        for variable, array in values:
            variable.assign(array)
    for label in ("iter", "iteration", "iterations"):
        if label in scalars:
            optimizer._iterations.assign(int(files.read(scalars[label])))
    for label in ("learning_rate", "current_learning_rate"):
        if label in scalars and hasattr(optimizer._learning_rate, "assign"):
            optimizer.learning_rate = float(files.read(scalars[label]))
    for label in ("m_schedule", "momentum_cache"):
        if label in scalars and hasattr(optimizer, "_u_product"):
            optimizer._u_product.assign(files.read(scalars[label]))


def _sorted(stored: files.Stored) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """({label: dataset} of the single numbers, (label, dataset) of the slots in order)."""
    scalars: dict[str, Any] = {}
    slots = []
    for number, (weight_name, dataset) in enumerate(
        zip(stored.weight_names, stored.datasets, strict=True)
    ):
        label = weight_name.partition(":")[0]
        last = label.rpartition("/")[2]
        if last in _SCALARS and dataset.shape in ((), (1,)):
            scalars[last] = dataset
        elif dataset.shape == () and number == 0:  # Keras 1 and 2 did not name it
            scalars["iterations"] = dataset
        elif dataset.shape == ():
            scalars.setdefault("m_schedule", dataset)
        else:
            slots.append((label, dataset))
    return scalars, slots


def _order_by_names(labels: list[str]) -> bool | None:
    """Whether the slots of each variable stand together, where their names tell."""
    kinds = [_kind(label) for label in labels]
    if len(kinds) < 2 or None in kinds or len(set(kinds)) < 2:
        return None
    return kinds[0] != kinds[1]


_KINDS = ("momentum", "velocity", "velocity_hat", "accumulator", "linear", "norm", "m", "v", "vhat")
_KINDS += ("rms", "mg", "accum_grad", "accum_var", "u", "average_gradient")


def _kind(label: str) -> str | None:
    """The slot that a name means: 'Adam/dense/kernel/m', 'Adam/m/dense/kernel', 'adam/..._m'."""
    parts = label.split("/")
    for part in (parts[-1], parts[1] if len(parts) > 1 else ""):
        if part in _KINDS:
            return part
    endings = [kind for kind in _KINDS if parts[-1].endswith(f"_{kind}")]
    return max(endings, key=len) if endings else None


def _by_kind(
    slots: list[tuple[str, Any]],
    names: list[Key],
    groups_of_kinds: tuple[tuple[str, ...], ...],
    origin: Origin,
) -> list[dict[Key, Any]]:
    """For each kind of slot, {key of a weight: its array}."""
    count, kinds = len(names), [kind for group in groups_of_kinds for kind in group]
    groups, rest = divmod(len(slots), count)
    if rest or groups < len(kinds):
        raise _NotFitting(
            f"it has {len(kinds)} arrays for each of {count} weights; the file holds {len(slots)}."
        )
    named = _order_by_names([label for label, _ in slots])
    together = named if named is not None else origin.keras >= (3,)
    arrays = [files.read(dataset) for _, dataset in slots]
    if not together:
        return [
            dict(zip(names, arrays[i * count : (i + 1) * count], strict=True))
            for i in range(len(kinds))
        ]
    found, start = [], 0
    for group in groups_of_kinds:
        width = len(group)
        found += [
            dict(zip(names, arrays[start + i : start + width * count : width], strict=True))
            for i in range(width)
        ]
        start += width * count
    return found


def _slot_values(
    optimizer: Any, parts: list[Part], found: list[dict[Key, Any]], origin: Origin
) -> list[tuple[Any, Any]]:
    """(slot's variable, array) for all slots, in the layout of their weights."""
    values = []
    for (kind, arrays) in zip(optimizer._slots[0], found, strict=True):
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
