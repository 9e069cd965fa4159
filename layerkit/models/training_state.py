"""The whole state of a training: what a file keeps of it, and how a model goes on from there.

A state has two parts. What the model is: weights, optimizer, states of recurrent layers, and all
random counters. Where a fit is, if one was running: the epoch, the batch and the order of the data,
the running values of metrics, the logs so far, and what the callbacks keep.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from layerkit.backend import SeedGenerator, to_numpy
from layerkit.backend.random import random_state, set_random_state

from ..callbacks import CallbackList
from ..callbacks.callback import as_floats
from ..data import Passes
from ..layers.structure import found_in

_MOST_ROWS = 40  # of a message


@dataclass
class Place:
    """Where a fit is. `within`: what it is in the middle of, when no state can be saved."""

    passes: Passes
    validation: Passes | None
    callbacks: CallbackList
    epoch: int = 0
    begun: bool = False  # whether callbacks were told of this epoch
    stopped: bool = False  # whether a training that goes on had been stopped after its last epoch
    logs: dict[str, Any] = field(default_factory=dict)
    within: str = ""


def state_of(model: Any) -> dict[str, Any]:
    """All of it, as dicts, lists, numbers and arrays. ValueError where there is none to be had."""
    place = model._place
    if not model.built:
        raise ValueError(
            f"Model '{model.name}' has no weights yet, so no state to be saved. Call it on a batch "
            "of data, or give it an Input."
        )
    if place is not None and place.within:
        raise ValueError(
            f"A training's state cannot be saved in the middle of {place.within}. In a callback, "
            "call save_state in on_train_batch_end or on_epoch_end."
        )
    return {
        "names": [variable.path for variable in model.variables],
        "weights": [to_numpy(variable) for variable in model.variables],
        "optimizer": _optimizer_state(model.optimizer),
        "recurrent": [layer._kept_states() for layer in _recurrent_layers(model)],
        "seeds": [list(generator.state) for generator in _generators(model)],
        "random": random_state(),
        "fit": None if place is None else _state_of_place(place, model),
    }


def load_into(model: Any, path: str) -> None:
    """Give `model` the state in the file at `path`; its next fit goes on where that one was.

    ValueError, and nothing changed, for a file of another kind or of another model.
    """
    from ..saving.state_file import read_state

    state = read_state(path)
    if not model.built:
        raise ValueError(
            f"Model '{model.name}' has no weights yet to load a state into. Call it on a batch of "
            "data, or give it an Input."
        )
    try:
        _check(model, state, path)
        _set_all_random(model, state)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        if isinstance(error, ValueError) and path in str(error):
            raise
        raise ValueError(
            f"'{path}' is a state of a training that layerkit did not write: {error!r}"
        ) from error
    optimizer, saved = model.optimizer, state["optimizer"]
    _assign(model.variables, state["weights"])
    if optimizer is not None:
        if saved["built"]:
            optimizer.build(model.trainable_variables)
        _assign(optimizer.variables, saved["values"])
    _keep_recurrent_states(model, state)
    model._resumption = None if state["fit"] is None else state


def resume(model: Any, place: Place) -> None:
    """Go on where the state that was loaded says: called when callbacks know that fit begins."""
    state, model._resumption = model._resumption, None
    if state is None:
        return
    fit = state["fit"]
    place.epoch, place.begun, place.logs = fit["epoch"], fit["begun"], fit["logs"]
    place.passes.set_state(fit["passes"], in_a_pass=place.begun)
    if place.validation is not None:
        place.validation.source.set_state(fit["validation"])
    if place.begun:
        _set_metrics(model.metrics, fit["metrics"])
    model.stop_training = fit["stop_training"]
    place.stopped = model.stop_training and not place.begun
    place.callbacks.learn_steps(place.passes.steps)
    place.callbacks.go_on(fit["callbacks"], place.epoch if place.begun else None)
    _keep_recurrent_states(model, state)
    _set_all_random(model, state)


# --- parts ---------------------------------------------------------------------------------------


def _state_of_place(place: Place, model: Any) -> dict[str, Any]:
    validation = place.validation
    return {
        "epoch": place.epoch,
        "begun": place.begun,
        "logs": as_floats(place.logs),
        "metrics": [metric.running_values() for metric in model.metrics],
        "stop_training": bool(model.stop_training),
        "passes": place.passes.get_state(),
        "validation": None if validation is None else validation.source.get_state(),
        "callbacks": place.callbacks.get_state(),
    }


def _optimizer_state(optimizer: Any) -> dict[str, Any] | None:
    if optimizer is None:
        return None
    return {
        "class": type(optimizer).__name__,
        "built": optimizer.built,
        "names": [variable.path for variable in optimizer.variables],
        "values": [to_numpy(variable) for variable in optimizer.variables],
    }


def _recurrent_layers(model: Any) -> list[Any]:
    return [layer for layer in model._flatten_layers() if hasattr(layer, "_kept_states")]


def _keep_recurrent_states(model: Any, state: dict[str, Any]) -> None:
    for layer, arrays in zip(_recurrent_layers(model), state["recurrent"], strict=True):
        layer._keep_states(arrays)


def _generators(model: Any) -> list[SeedGenerator]:
    """All that layers draw their random numbers from; the global one aside."""
    found = [found_in(SeedGenerator, vars(layer)) for layer in model._flatten_layers()]
    return list(dict.fromkeys(generator for own in found for generator in own))


def _set_all_random(model: Any, state: dict[str, Any]) -> None:
    before = random_state()
    try:
        set_random_state(state["random"])
    except BaseException:
        set_random_state(before)
        raise
    for generator, pair in zip(_generators(model), state["seeds"], strict=True):
        generator.state = pair


def _set_metrics(metrics: list[Any], values: list[Any]) -> None:
    if len(metrics) != len(values):
        raise ValueError(
            f"The saved state is of {len(values)} metrics; the model has {len(metrics)}: "
            f"{[metric.name for metric in metrics]}. Compile it with the same metrics."
        )
    for metric, value in zip(metrics, values, strict=True):
        metric.set_running_values(value)


def _assign(variables: list[Any], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


# --- checks --------------------------------------------------------------------------------------


def _check(model: Any, state: dict[str, Any], path: str) -> None:
    """ValueError unless `state` is one of this model, compiled with this optimizer."""
    _compare(f"model '{model.name}'", model.variables, state["names"], state["weights"], path)
    for what, found, saved in (
        ("random generators", _generators(model), state["seeds"]),
        ("recurrent layers", _recurrent_layers(model), state["recurrent"]),
    ):
        if len(found) != len(saved):
            raise ValueError(_other_model(path, model, f"{len(saved)} {what}", str(len(found))))
    saved, optimizer = state["optimizer"], model.optimizer
    mine = "no optimizer" if optimizer is None else type(optimizer).__name__
    its = "no optimizer" if saved is None else saved["class"]
    if mine != its:
        raise ValueError(_other_model(path, model, its, mine) + " Compile the model as it was.")
    if optimizer is not None:
        if not optimizer.built and saved["built"]:  # its slots are made for a copy, to be compared
            optimizer = copy.deepcopy(optimizer)
            optimizer.build(model.trainable_variables)
        _compare(mine, optimizer.variables, saved["names"], saved["values"], path)


def _compare(what: str, own: list[Any], names: list[str], saved: list[Any], path: str) -> None:
    mine = [(tuple(v.shape), np.dtype(v.dtype).name) for v in own]
    theirs = [(tuple(v.shape), v.dtype.name) for v in saved]
    if mine == theirs:
        return
    left = [f"{v.path} {shape} {dtype}" for v, (shape, dtype) in zip(own, mine, strict=True)]
    right = [f"{n} {shape} {dtype}" for n, (shape, dtype) in zip(names, theirs, strict=True)]
    width = max(map(len, left), default=10)
    table = [
        f"  {a:<{width}}  {b}{'' if one == other else '   <- differs'}"
        for (a, one), (b, other) in zip_longest(
            zip(left, mine, strict=True),
            zip(right, theirs, strict=True),
            fillvalue=("nothing", None),
        )
    ]
    listed = "\n".join(table[:_MOST_ROWS])
    raise ValueError(
        f"'{path}' is the state of another training: {what} has {len(mine)} variables, the file "
        f"holds {len(theirs)}, and they do not match one by one:\n"
        f"  {'expected':<{width}}  in the file\n{listed}\n"
        "Make and compile the model as it was when the state was saved. Nothing was changed."
    )


def _other_model(path: str, model: Any, saved: str, found: str) -> str:
    return (
        f"'{path}' is the state of another training: it has {saved}; model '{model.name}' has "
        f"{found}. Nothing was changed."
    )
