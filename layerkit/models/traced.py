"""Training and prediction on the CPU: a pass through the model as a list of kernels.

The first batch of a kind (structure, shapes and dtypes) runs as it is, the second is traced, and
later ones run what was traced: the same kernels in the same order, so the same bits, without the
layers' and the tape's own microseconds. compile(jit_compile="auto") traces only what is layerkit's
own from end to end, whose layers compute with nothing but operations. With True, training traces a
user's layers and losses too: what Python does inside them happens while tracing only. A layer's
attribute that is changed later counts from the next step on. Optimizer and metrics run as they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor, Variable, tree
from layerkit.backend.autodiff import is_taped
from layerkit.backend.traced import Traced, trace

from ..layers import Layer
from .compiled import CompiledLoss

_KINDS = 8  # of batches that are kept


class TracedPass:
    """`plain(model, *data) -> (others, gradients)`, traced and run again from there: see above.

    `forward(model, *data) -> (target, others)`: what it computes before gradients are taken of
    the target in `variables(model)`. What cannot be traced goes on as it is; a warning says why, if
    tracing was `asked` for.
    """

    def __init__(
        self,
        forward: Callable[..., tuple[Tensor | None, Any]],
        plain: Callable[..., tuple[Any, list]],
        variables: Callable[[Any], list[Variable]],
        asked: bool = False,
    ):
        self._forward, self._plain, self._asked = forward, plain, asked
        self._variables = variables
        self._kinds: dict[Any, Traced | None] = {}  # None where one was seen, but not yet traced
        self._gave_up_at = -1  # when layers had been changed so often

    def __call__(self, model: Any, *data: Any) -> tuple[Any, list]:
        """`others` (a structure of tensors) and the gradients."""
        if Layer.changes == self._gave_up_at or is_taped():
            return self._plain(model, *data)
        leaves = [x for x in tree.flatten(data) if x is not None]
        if not all(isinstance(x, Tensor) for x in leaves):
            return self._plain(model, *data)
        kind = self._kind(model, data)
        if kind not in self._kinds:
            if len(self._kinds) == _KINDS:
                del self._kinds[next(iter(self._kinds))]
            self._kinds[kind] = None
            return self._plain(model, *data)
        traced = self._kinds[kind]
        if traced is None:
            return self._trace(kind, model, data, leaves)
        try:
            return traced(leaves)
        except Exception:
            self._plain(model, *data)  # raises it with what the layers have to say
            raise

    def _kind(self, model: Any, data: tuple) -> tuple:
        """What a trace is good for: the form of a batch, what trains, layers and settings."""
        form = [(x.shape, x.dtype) if isinstance(x, Tensor) else _form(x) for x in data]
        return (*form, *map(id, self._variables(model)), Layer.changes, K.floatx(), K.epsilon())

    def _trace(self, kind: Any, model: Any, data: tuple, leaves: list) -> tuple[Any, list]:
        on_cpu = all(isinstance(x.array, np.ndarray) for x in leaves)
        if not on_cpu or (not self._asked and _foreign(model) is not None):
            self._gave_up_at = Layer.changes
            return self._plain(model, *data)

        def forward(*given: Tensor) -> tuple[Tensor | None, Any]:
            tensors = iter(given)
            packed = [
                tree.map_structure(lambda leaf: None if leaf is None else next(tensors), x)
                for x in data
            ]
            return self._forward(model, *packed)

        others, gradients, traced = trace(forward, leaves, self._variables(model))
        if isinstance(traced, Traced):
            self._kinds[kind] = traced
            return others, gradients
        self._gave_up_at = Layer.changes
        if self._asked:
            warnings.warn(
                f"jit_compile=True: the training step of model '{model.name}' cannot be traced, "
                f"because of {traced}, which would not be done again. It runs as it is. Leave that "
                "to a callback, or compile the model with jit_compile=False.",
                stacklevel=2,
            )
        return others, gradients


def _form(x: Any) -> str:
    return repr(tree.map_structure(lambda leaf: leaf is not None and (leaf.shape, leaf.dtype), x))


def _foreign(model: Any) -> Any:
    """Something of the model that is not layerkit's own; None if all is.

    Only in layerkit's own layers and losses it is known that they compute with operations alone,
    and keep nothing from step to step but variables.
    """
    for layer in model._flatten_layers():
        if layer.activity_regularizer is not None:  # `model.losses` shows what it added last
            return layer.activity_regularizer
        for name, value in (("", layer), *vars(layer).items()):
            if callable(value) and not name.endswith(("_initializer", "_constraint")):
                parts = (value, *value.losses) if isinstance(value, CompiledLoss) else (value,)
                for part in parts:
                    for inner in (part, getattr(part, "fn", part)):
                        if not _is_ours(inner):
                            return inner
    return None if model.optimizer is None or _is_ours(model.optimizer) else model.optimizer


def _is_ours(thing: Any) -> bool:
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return named.__module__.partition(".")[0] == __name__.partition(".")[0]
