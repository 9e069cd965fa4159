"""Connectionist temporal classification: labels without the times at which they occur.

A path names one class at each time; it spells a target by merging repetitions and dropping blanks.
The loss is -log of the probability of all paths that spell the target. Graves et al. 2006.
"""

from __future__ import annotations

from typing import Any

from ..allowance import check_sample
from ..autodiff import primitive
from ..registry import beside, namespace, product
from .elementwise import floating

__all__ = ["ctc_loss"]

_LOG_ZERO = -1e5  # stands for log(0), so that a target longer than its time has a finite loss


@primitive
def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, /, mask_index: int = 0
) -> tuple:
    """-log p(target) of each sample, (batch,), from logits `output` (batch, time, classes).

    `target`: integers (batch, length), of which the first `target_length` (batch,) count;
    `output_length` (batch,) likewise. `mask_index`: the class of the blank.
    """
    logits = floating(output)
    xp = namespace(logits)
    target, lengths, times = (
        beside(x, logits).astype("int32") for x in (target, target_length, output_length)
    )
    states = _states(xp, target, mask_index)
    check_sample((logits.shape[1], *states.shape), logits.dtype)
    log_p = logits - logits.max(axis=-1, keepdims=True)
    log_p = log_p - xp.log(xp.exp(log_p).sum(axis=-1, keepdims=True))
    emitted = xp.take_along_axis(log_p, states[:, None, :], axis=2)
    skips = xp.zeros(states.shape, bool)  # from the label before, past the blank between them
    skips[:, 2:] = (states[:, 2:] != mask_index) & (states[:, 2:] != states[:, :-2])
    runs = xp.arange(emitted.shape[1])[:, None] < times
    last = _log(xp, abs(2 * lengths[:, None] - 0.5 - xp.arange(states.shape[1])) < 1, logits.dtype)
    before = _forward(xp, emitted, skips, runs)
    total = _log_sum(xp, before[-1] + last)

    def vjp(g: Any) -> Any:
        """Of log p(target): the share of paths that are in a class, less its probability."""
        after = _backward(xp, emitted, skips, runs, last)
        share = xp.exp(xp.stack(before, 1) + xp.stack(after, 1) - total[:, None, None])
        of_class = (states[:, :, None] == xp.arange(logits.shape[-1])).astype(logits.dtype)
        counts = (runs.T * g[:, None])[:, :, None]
        return (counts * (xp.exp(log_p) - product(share, of_class))).astype(logits.dtype)

    return -total, None, vjp, None, None


def _states(xp: Any, target: Any, blank: int) -> Any:
    """The classes that a path goes through: the labels with a blank before, between and after."""
    states = xp.full((len(target), 2 * target.shape[1] + 1), blank, target.dtype)
    states[:, 1::2] = target
    return states


def _forward(xp: Any, emitted: Any, skips: Any, runs: Any) -> list:
    """At each time, the log probability (batch, states) of having got into each state."""
    start = xp.arange(emitted.shape[2]) < 2
    state = _log(xp, start, emitted.dtype) + emitted[:, 0]
    found = [state]
    for t in range(1, emitted.shape[1]):
        skipped = xp.where(skips, _shifted(xp, state, 2), _LOG_ZERO)
        reached = xp.logaddexp(xp.logaddexp(state, _shifted(xp, state, 1)), skipped)
        state = xp.where(runs[t][:, None], reached + emitted[:, t], state)
        found.append(state)
    return found


def _backward(xp: Any, emitted: Any, skips: Any, runs: Any, last: Any) -> list:
    """At each time, the log probability (batch, states) of ending rightly from each state."""
    state = last
    found = [state]
    for t in range(emitted.shape[1] - 1, 0, -1):
        entered = state + emitted[:, t]
        skipped = _shifted(xp, xp.where(skips, entered, _LOG_ZERO), -2)
        left = xp.logaddexp(xp.logaddexp(entered, _shifted(xp, entered, -1)), skipped)
        state = xp.where(runs[t][:, None], left, state)
        found.append(state)
    return found[::-1]


def _log(xp: Any, condition: Any, dtype: Any) -> Any:
    return xp.where(condition, 0.0, _LOG_ZERO).astype(dtype)


def _shifted(xp: Any, x: Any, n: int) -> Any:
    """The columns `n` to the right, log(0) where there is none."""
    y = xp.full_like(x, _LOG_ZERO)
    if n > 0:
        y[:, n:] = x[:, :-n]
    else:
        y[:, :n] = x[:, -n:]
    return y


def _log_sum(xp: Any, x: Any) -> Any:
    most = x.max(axis=-1, keepdims=True)
    return (xp.log(xp.exp(x - most).sum(axis=-1, keepdims=True)) + most)[:, 0]
