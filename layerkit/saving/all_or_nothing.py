"""Loading into a model: where it fails, the model is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from layerkit.backend import Variable

from ..layers.structure import found_in
from ..optimizers import Optimizer


@contextmanager
def all_or_nothing(model: Any) -> Iterator[None]:
    """Whatever fails in the `with` block leaves `model` as it was: its layers and optimizers with
    all that they hold, their variables with values and flags, and whether there are any.

    Assigning gives a variable another array, so that no weights have to be copied.
    """
    things = _things(model)
    attributes = [(each, _copied(vars(each))) for each in things]
    variables = {id(v): v for each in things for v in found_in(Variable, vars(each))}.values()
    values = [(variable, variable.array, variable.trainable) for variable in variables]
    try:
        yield
    except BaseException:
        for variable, array, trainable in values:
            variable.array, variable.trainable = array, trainable
        for each, before in attributes:
            now = vars(each)
            now.update(before)
            for name in now.keys() - before.keys():
                del now[name]
        raise


def optimizers_of(model: Any) -> list[Optimizer]:
    """The optimizer that a model was compiled with, if any, then those in attributes; each once,
    those that others are made of left out."""
    layers = model._flatten_layers()
    found = found_in(Optimizer, [getattr(model, "optimizer", None), [vars(x) for x in layers]])
    inside = {id(inner) for each in found for inner in _with_inner(each) if inner is not each}
    return [each for each in found if id(each) not in inside]


def _things(model: Any) -> list[Any]:
    """What keeps something that loading may change."""
    layers = model._flatten_layers()
    kept = [layer._kept for layer in layers if hasattr(layer, "_kept_states")]
    optimizers = [inner for each in optimizers_of(model) for inner in _with_inner(each)]
    return [*layers, *kept, *optimizers]


def _with_inner(optimizer: Optimizer) -> Iterator[Optimizer]:
    """An optimizer, and those that it is made of."""
    yield optimizer
    for inner in found_in(Optimizer, vars(optimizer)):
        yield from _with_inner(inner)


def _copied(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.copy() if isinstance(value, (list, dict, set)) else value
        for key, value in attributes.items()
    }
