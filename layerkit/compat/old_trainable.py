"""Training what was trainable when the model was compiled, as Keras 1 and 2 did.

Scripts of adversarial networks stand on it: the discriminator is compiled, then frozen for the
model of both, and trained by itself nevertheless. Keras 3 trains nothing then; so here, only a
model of which nothing is left to train is trained as it was compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from ..models import Model
from .deprecated import warn_once

_trainable_at_compile: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()


def train_as_compiled() -> None:
    """Let models that were frozen after `compile` train as they were compiled."""
    setattr(Model, "compile", _noting(Model.compile))  # noqa: B010
    setattr(Model, "_training_step", _as_compiled(Model._training_step))  # noqa: B010


def _noting(method: Callable) -> Callable:
    @wraps(method)
    def compiled(self: Any, *args: Any, **kwargs: Any) -> None:
        method(self, *args, **kwargs)
        _trainable_at_compile[self] = [x for x in self._flatten_layers() if x.trainable]

    return compiled


def _as_compiled(step: Callable) -> Callable:
    @wraps(step)
    def trained(self: Any, data: Any) -> Any:
        if self.trainable_variables:
            return step(self, data)
        layers = _trainable_at_compile.get(self, [])
        frozen = [v for layer in layers for v in layer._own_variables() if v.born_trainable]
        if not frozen:
            return step(self, data)
        warn_once(
            "Training a model that was frozen after compile()",
            "it is trained as it was compiled; set `trainable` before each training instead",
        )
        for variable in frozen:
            variable.trainable = True
        try:
            return step(self, data)
        finally:
            for variable in frozen:
                variable.trainable = False

    return trained
