"""Loops over tensors, and CTC, by their names in keras.backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops

__all__ = ["ctc_batch_cost", "ctc_decode", "foldl", "foldr", "map_fn", "rnn"]
REMEDIES = {
    "ctc_batch_cost": "use keras.ops.ctc_loss, or losses.CTC",
    "ctc_decode": "use keras.ops.ctc_decode",
    "foldl": "write a loop",
    "foldr": "write a loop",
    "map_fn": "use keras.ops.map",
    "rnn": "write a cell, and use layers.RNN",
}


def map_fn(fn: Callable, elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`fn` of each entry along the first axis, in `dtype`."""
    found = ops.stack([fn(x) for x in ops.unstack(elems)], axis=0)
    return found if dtype is None else ops.cast(found, dtype)


def foldl(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`fn(accumulated, entry)` over the first axis; it begins with the first entry unless told."""
    return _folded(fn, list(ops.unstack(elems)), initializer)


def foldr(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """As `foldl`, from the last entry to the first."""
    return _folded(fn, list(ops.unstack(elems))[::-1], initializer)


def _folded(fn: Callable, entries: list[Any], state: Any) -> Any:
    if state is None:
        state, *entries = entries
    for entry in entries:
        state = fn(state, entry)
    return state


def rnn(
    step_function: Callable,
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Any, Any, list[Any]]:
    """The last output, all outputs (batch, steps, ...) and the last states of a recurrence.

    step_function(x, states) gives (output, new states) of a step; `constants` stand behind the
    states. mask: (batch, steps) of bool; where it is False states stay, and so does the output,
    zeros before the first step. `unroll` and `input_length` say how it was computed, and what the
    shape says.
    """
    steps = list(ops.unstack(inputs, axis=1))
    flags = [None] * len(steps) if mask is None else list(ops.unstack(mask, axis=1))
    if go_backwards:
        steps, flags = steps[::-1], flags[::-1]
    states, outputs = list(initial_states), list[Any]()
    for x, flag in zip(steps, flags, strict=True):
        output, following = step_function(x, [*states, *(constants or ())])
        if flag is not None:
            before = outputs[-1] if outputs else ops.zeros_like(output)
            output = _where(flag, output, before)
            following = [_where(flag, n, s) for n, s in zip(following, states, strict=True)]
        outputs.append(output)
        states = list(following)
    return outputs[-1], ops.stack(outputs, axis=1), states


def _where(flag: Any, x: Any, y: Any) -> Any:
    flag = ops.reshape(ops.cast(flag, "bool"), (-1, *(1,) * (len(x.shape) - 1)))
    return ops.where(flag, x, y)


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """(batch, 1): the CTC loss of labels (batch, n) and probabilities (batch, steps, classes).

    The blank is the last class. input_length, label_length: (batch, 1).
    Graves et al., Connectionist Temporal Classification, 2006.
    """
    blank = y_pred.shape[-1] - 1
    logits = ops.log(y_pred + 1e-7)
    labels, steps = (ops.cast(ops.reshape(n, (-1,)), "int32") for n in (label_length, input_length))
    loss = ops.ctc_loss(ops.cast(y_true, "int32"), logits, labels, steps, mask_index=blank)
    return ops.expand_dims(loss, 1)


def ctc_decode(
    y_pred: Any,
    input_length: Any,
    greedy: bool = True,
    beam_width: int = 100,
    top_paths: int = 1,
) -> tuple[list[Any], Any]:
    """Labels, one (batch, n) a path and filled up with -1, and the paths' log probabilities.

    y_pred: probabilities (batch, steps, classes), the blank is the last class. input_length:
    (batch,).
    """
    options: Any = {} if greedy else {"beam_width": beam_width, "top_paths": top_paths}
    found, scores = ops.ctc_decode(
        ops.log(y_pred + 1e-7),
        ops.cast(input_length, "int32"),
        "greedy" if greedy else "beam_search",
        mask_index=y_pred.shape[-1] - 1,
        **options,
    )
    return [_cut(ops.convert_to_numpy(path)) for path in found], scores


def _cut(labels: np.ndarray) -> Any:
    """Labels without the columns in which no path has one."""
    longest = int((labels >= 0).sum(axis=1).max(initial=0))
    return ops.convert_to_tensor(labels[:, :longest])
