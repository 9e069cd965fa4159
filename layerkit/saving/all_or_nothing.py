"""Loading into a model: where it fails, the model is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..optimizers import Optimizer


@contextmanager
def all_or_nothing(model: Any) -> Iterator[None]:
    """Whatever fails in the `with` block leaves all variables of `model`, and its optimizer, as
    they were: values, and whether there are any.

    Assigning gives a variable another array, so that nothing has to be copied.
    """
    optimizers = list(_optimizers(getattr(model, "optimizer", None)))
    attributes = [(each, _copied(vars(each))) for each in optimizers]
    variables = [*model.variables, *(v for each in optimizers for v in each.variables)]
    arrays = [(variable, variable.array) for variable in variables]
    try:
        yield
    except BaseException:
        for each, before in attributes:
            vars(each).clear()
            vars(each).update(before)
        for variable, array in arrays:
            variable.array = array
        raise


def _optimizers(value: Any) -> Iterator[Optimizer]:
    """An optimizer, and those that it is made of."""
    if isinstance(value, Optimizer):
        yield value
        for inner in vars(value).values():
            for each in inner if isinstance(inner, list) else [inner]:
                yield from _optimizers(each)


def _copied(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.copy() if isinstance(value, (list, dict, set)) else value
        for key, value in attributes.items()
    }
