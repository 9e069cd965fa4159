"""The whole state of a training: what a file keeps of it, and how a model goes on from there.

A state has two parts. What the model is: weights, optimizer, states of recurrent layers, and all
random counters. Where a fit is, if one was running: the epoch, the batch and the order of the data,
the running values of metrics, the logs so far, and what the callbacks keep.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import threads, to_numpy, tree
from layerkit.backend.random import (
    random_state,
    random_state_kept_on_failure,
    set_random_state,
)

from .. import losses, metrics
from ..callbacks import CallbackList
from ..callbacks.callback import as_floats
from ..data import Passes
from ..data.random_sources import get_random_state, is_random_source, put_random_state
from ..layers.structure import found_in
from ..saving.all_or_nothing import all_or_nothing, optimizers_of
from ..saving.side_by_side import table
from .trainable_flags import TrainableFlags


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
    variables = model.variables
    return {
        "computed": _computed(),
        "names": [variable.path for variable in variables],
        "weights": [to_numpy(variable) for variable in variables],
        "trainable": [variable.trainable for variable in variables],
        "trainable_layers": [layer._trainable for layer in model._flatten_layers()],
        "optimizers": [_optimizer_state(each, variables) for each in optimizers_of(model)],
        "recurrent": [layer._kept_states() for layer in _recurrent_layers(model)],
        "generators": [get_random_state(each) for each in _generators(model)],
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
    with all_or_nothing(model), _random_numbers_kept(model), _written_here(path):
        _check(model, state, path)
        _check_place(state["fit"])
        _put(model, state)
        _warn_of_differences(model, state)
    model._resumption = None if state["fit"] is None else {**state, "path": path}


@contextmanager
def _written_here(path: str) -> Iterator[None]:
    """What a state that lacks something raises in the `with` block names the file."""
    try:
        yield
    except (*_RAISED_BY_SPOILED, ValueError) as error:
        if isinstance(error, ValueError) and path in str(error):
            raise
        raise _not_written_here(path, error) from error


_RAISED_BY_SPOILED = (KeyError, TypeError, IndexError, AttributeError, OverflowError)


def _not_written_here(path: str, error: Exception) -> ValueError:
    return ValueError(f"'{path}' is a state of a training that layerkit did not write: {error!r}")


@contextmanager
def as_loaded(model: Any) -> Iterator[None]:
    """What callbacks do to the weights and optimizers when fit begins is undone in the `with` block
    if fit goes on from a state that was loaded: they did it when it began."""
    state = model._resumption
    variables = [] if state is None else [*model.variables, *_variables_of_optimizers(model)]
    arrays = [variable.array for variable in variables]
    yield
    if model._resumption is state:
        for variable, array in zip(variables, arrays, strict=True):
            variable.array = array


def resume(model: Any, place: Place) -> None:
    """Go on where the state that was loaded says: called when callbacks know that fit begins.

    Where that fails, as with other data, the next fit may try again. ValueError for other data,
    other metrics, and a state that was tampered with.
    """
    state = model._resumption
    if state is None:
        return
    try:
        _go_on(model, place, state)
    except ValueError as error:  # of other data, as a rule
        raise ValueError(f"{error} (Going on from '{state['path']}'.)") from error
    except _RAISED_BY_SPOILED as error:
        raise _not_written_here(state["path"], error) from error
    model._resumption = None


def _go_on(model: Any, place: Place, state: dict[str, Any]) -> None:
    fit = state["fit"]
    with _random_numbers_kept(model):
        place.epoch, place.begun, place.logs = fit["epoch"], fit["begun"], fit["logs"]
        place.passes.set_state(fit["passes"], in_a_pass=place.begun)
        if place.validation is not None:
            place.validation.source.set_state(fit["validation"]["source"])
            place.validation.source.set_own_random_states(fit["validation"]["own"])
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
    source = None if place.validation is None else place.validation.source
    validation = source and {"source": source.get_state(), "own": source.own_random_states()}
    return {
        "epoch": place.epoch,
        "begun": place.begun,
        "logs": as_floats(place.logs),
        "metrics": [metric.running_values() for metric in model.metrics],
        "stop_training": bool(model.stop_training),
        "passes": place.passes.get_state(),
        "validation": validation,
        "callbacks": place.callbacks.get_state(),
    }


def _computed() -> dict[str, Any]:
    """What decides how sums are rounded."""
    return {"backend": K.backend(), "threads": threads.count()}


def _optimizer_state(optimizer: Any, variables: list[Any]) -> dict[str, Any]:
    """`trained`: the numbers of the variables that it was built for, among those of the model."""
    numbers = {id(variable): number for number, variable in enumerate(variables)}
    return {
        "class": type(optimizer).__name__,
        "built": optimizer.built,
        "trained": [numbers[id(v)] for v in optimizer._trainable_variables if id(v) in numbers],
        "settings": _settings(optimizer),
        "names": [variable.path for variable in optimizer.variables],
        "values": [to_numpy(variable) for variable in optimizer.variables],
    }


def _settings(optimizer: Any) -> dict[str, Any]:
    """The numbers that an optimizer computes with, beside its variables."""
    return {
        name: value
        for name, value in vars(optimizer).items()
        if isinstance(value, (bool, int, float, type(None))) and name not in ("built", "name")
    }


def _build(optimizer: Any, variables: list[Any], saved: dict[str, Any]) -> None:
    """Make the slots that the saved optimizer had."""
    if saved["built"] and not optimizer.built:
        optimizer.build([variables[number] for number in saved["trained"]])


def _put(model: Any, state: dict[str, Any]) -> None:
    """Give `model` what it is."""
    variables = model.variables
    _assign(variables, state["weights"])
    for optimizer, saved in zip(optimizers_of(model), state["optimizers"], strict=True):
        _build(optimizer, variables, saved)
        _assign(optimizer.variables, saved["values"])
    _set_trainable(model, state)
    _keep_recurrent_states(model, state)
    _set_all_random(model, state)


def _set_trainable(model: Any, state: dict[str, Any]) -> None:
    """Freeze and unfreeze layers as they were: a callback may have done it."""
    layers = model._flatten_layers()
    if [layer._trainable for layer in layers] != state["trainable_layers"]:
        for layer, flag in zip(layers, state["trainable_layers"], strict=True):
            layer._trainable = flag
        model._trainable_flags = model._trainable_flags and TrainableFlags(layers)
    for variable, flag in zip(model.variables, state["trainable"], strict=True):
        variable.trainable = flag


def _variables_of_optimizers(model: Any) -> list[Any]:
    return [variable for each in optimizers_of(model) for variable in each.variables]


def _recurrent_layers(model: Any) -> list[Any]:
    return [layer for layer in model._flatten_layers() if hasattr(layer, "_kept_states")]


def _keep_recurrent_states(model: Any, state: dict[str, Any]) -> None:
    for layer, arrays in zip(_recurrent_layers(model), state["recurrent"], strict=True):
        layer._keep_states(arrays)


def _generators(model: Any) -> list[Any]:
    """What layers, the loss and metrics draw their random numbers from; the global one aside."""
    compiled = found_in((losses.Loss, metrics.Metric), model._compile_config)
    things = [*model._flatten_layers(), *compiled]
    own = [each for thing in things for each in _drawn_from(vars(thing))]
    return list({id(each): each for each in own}.values())


def _drawn_from(value: Any) -> list[Any]:
    return [each for each in tree.flatten(value) if is_random_source(each)]


def _set_all_random(model: Any, state: dict[str, Any]) -> None:
    set_random_state(state["random"])
    for generator, saved in zip(_generators(model), state["generators"], strict=True):
        put_random_state(generator, saved)


@contextmanager
def _random_numbers_kept(model: Any) -> Iterator[None]:
    """Whatever fails in the `with` block leaves all random generators as they were."""
    generators = _generators(model)
    before = [get_random_state(each) for each in generators]
    try:
        with random_state_kept_on_failure():
            yield
    except BaseException:
        for generator, state in zip(generators, before, strict=True):
            put_random_state(generator, state)
        raise


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
    counted = (
        ("random generators", _generators(model), state["generators"]),
        ("recurrent layers", _recurrent_layers(model), state["recurrent"]),
        ("layers", model._flatten_layers(), state["trainable_layers"]),
    )
    for what, found, saved in counted:
        if len(found) != len(saved):
            raise ValueError(_other_model(path, model, f"{len(saved)} {what}", str(len(found))))
    own, saved = optimizers_of(model), state["optimizers"]
    mine = _in_words([type(each).__name__ for each in own])
    its = _in_words([each["class"] for each in saved])
    if mine != its:
        raise ValueError(_other_model(path, model, its, mine) + " Compile the model as it was.")
    for optimizer, one in zip(own, saved, strict=True):
        if not optimizer.built and one["built"]:  # its slots are made for a copy, to be compared
            optimizer = copy.deepcopy(optimizer)
            _build(optimizer, model.variables, one)
        _compare(one["class"], optimizer.variables, one["names"], one["values"], path)


_PLACE = {"epoch": int, "begun": bool, "logs": dict, "stop_training": bool}
_PASSES = {"came": int, "over": bool}


def _check_place(fit: dict[str, Any] | None) -> None:
    """TypeError for what fit would only notice when it is under way."""
    if fit is not None:
        _check_kinds(fit, _PLACE)
        _check_kinds(fit["passes"], _PASSES)


def _check_kinds(found: dict[str, Any], kinds: dict[str, type]) -> None:
    for key, kind in kinds.items():
        if type(found[key]) is not kind or kind is int and found[key] < 0:
            what = "number of 0 or more" if kind is int else kind.__name__
            raise TypeError(f"{key} is {found[key]!r:.80}, no {what}")


def _in_words(names: list[str]) -> str:
    return ", ".join(names) or "no optimizer"


def _warn_of_differences(model: Any, state: dict[str, Any]) -> None:
    """Warn of what lets a training go on, and not to the same bits."""
    computed = _computed()
    pairs = [(name, state["computed"][name], computed[name]) for name in computed]
    for optimizer, saved in zip(optimizers_of(model), state["optimizers"], strict=True):
        settings = _settings(optimizer)
        pairs += [
            (f"{optimizer.name}.{name}", saved["settings"].get(name), settings.get(name))
            for name in {**saved["settings"], **settings}
        ]
    found = [
        f"{name}: {before} when it was saved, {now} now"
        for name, before, now in pairs
        if before != now
    ]
    if found:
        warnings.warn(
            "The training goes on, but perhaps not to the same bits, for it is computed "
            f"otherwise: {'; '.join(found)}.",
            stacklevel=4,
        )


def _compare(what: str, own: list[Any], names: list[str], saved: list[Any], path: str) -> None:
    mine = [(tuple(v.shape), np.dtype(v.dtype).name) for v in own]
    theirs = [(tuple(v.shape), v.dtype.name) for v in saved]
    if mine == theirs:
        return
    left = [f"{v.path} {shape} {dtype}" for v, (shape, dtype) in zip(own, mine, strict=True)]
    right = [f"{n} {shape} {dtype}" for n, (shape, dtype) in zip(names, theirs, strict=True)]
    pairs = zip_longest(
        zip(left, mine, strict=True), zip(right, theirs, strict=True), fillvalue=("nothing", None)
    )
    rows = [(a, b, "" if one == other else "<- differs") for (a, one), (b, other) in pairs]
    raise ValueError(
        f"'{path}' is the state of another training: {what} has {len(mine)} variables, the file "
        f"holds {len(theirs)}, and they do not match one by one:\n"
        f"{table(('expected', 'in the file', ''), rows)}\n"
        "Make and compile the model as it was when the state was saved. Nothing was changed."
    )


def _other_model(path: str, model: Any, saved: str, found: str) -> str:
    return (
        f"'{path}' is the state of another training: it has {saved}; model '{model.name}' has "
        f"{found}. Nothing was changed."
    )
