"""compile(jit_compile="auto") on the CPU: the forward and backward pass as a list of kernels.

The first batch of a kind (structure, shapes and dtypes) runs as it is, the second is traced, and
later ones run what was traced: the same kernels in the same order, so the same bits, without the
layers' and the tape's own microseconds. "auto" traces only what is layerkit's own from end to end,
whose layers compute with nothing but operations. With True, a user's layers and losses too: what
Python does inside them happens while tracing only. A layer's attribute that is changed later counts
from the next step on. Optimizer and metrics run as they are.
"""

from __future__ import annotations

import warnings
from typing import Any

from layerkit.backend import Tensor, tree
from layerkit.backend.traced import Traced, trace

from ..layers import Layer

_KINDS = 8  # of batches that are kept


class TracedPass:
    """`model._pass(x, y, sample_weight)`, run, traced and run again from there: see above.

    What cannot be traced goes on as it is; a warning says why, if tracing was `asked` for.
    """

    def __init__(self, model: Any, asked: bool):
        self._model, self._asked = model, asked
        self._kinds: dict[Any, Traced | None] = {}  # None where one was seen, but not yet traced
        self._gave_up_at = -1  # when layers had been changed so often

    def __call__(self, *data: Any) -> tuple[Tensor, Any, list]:
        """The loss, the predictions, and the gradients of the trainable variables."""
        model, kind = self._model, self._kind(data)
        if Layer.changes == self._gave_up_at:
            return model._pass(*data)
        if kind not in self._kinds:
            if len(self._kinds) == _KINDS:
                del self._kinds[next(iter(self._kinds))]
            self._kinds[kind] = None
            return model._pass(*data)
        leaves = [x for x in tree.flatten(data) if x is not None]
        traced = self._kinds[kind]
        if traced is None:
            return self._trace(kind, data, leaves)
        (loss, y_pred), gradients = traced(leaves)
        return loss, y_pred, gradients

    def _kind(self, data: tuple) -> tuple:
        """What a trace is good for: the form of a batch, what trains, the layers as they are."""
        form = [(x.shape, x.dtype) if isinstance(x, Tensor) else _form(x) for x in data]
        trained = map(id, self._model.trainable_variables)
        return (*form, *trained, Layer.changes)

    def _trace(self, kind: Any, data: tuple, leaves: list) -> tuple[Tensor, Any, list]:
        model = self._model
        foreign = None if self._asked else _foreign(model)
        if foreign is not None:
            self._gave_up_at = Layer.changes
            return model._pass(*data)

        def forward(*given: Tensor) -> tuple[Tensor, Any]:
            tensors = iter(given)
            packed = [x if x is None else tree.pack_sequence_as(x, tensors) for x in data]
            return model._forward(*packed)

        (loss, y_pred), gradients, traced = trace(forward, leaves, model.trainable_variables)
        if isinstance(traced, Traced):
            self._kinds[kind] = traced
            return loss, y_pred, gradients
        self._gave_up_at = Layer.changes
        if self._asked:
            warnings.warn(
                f"jit_compile=True: the training step of model '{model.name}' cannot be traced, "
                f"because of {traced}, which would not be done again. It runs as it is. Leave that "
                "to a callback, or compile the model with jit_compile=False.",
                stacklevel=2,
            )
        return loss, y_pred, gradients


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
                for part in (value, getattr(value, "fn", value)):
                    if not _is_ours(part):
                        return part
    return None if _is_ours(model.optimizer) else model.optimizer


def _is_ours(thing: Any) -> bool:
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return named.__module__.partition(".")[0] == __name__.partition(".")[0]
