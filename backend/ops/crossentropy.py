"""Cross-entropies of targets and predictions, one number per sample, with fused gradients.

Predictions are probabilities, normalized and clipped to [epsilon, 1 - epsilon], or logits, which
are exact: from logits the gradient is probabilities minus targets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import convert_to_tensor, primitive
from ..config import epsilon
from ..registry import backend_of, beside, namespace
from .elementwise import floating

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]


@primitive
def categorical_crossentropy(
    target: Any, output: Any, /, from_logits: bool = False, axis: int = -1
) -> tuple:
    """-sum(target * log(output)) along `axis`: both are distributions over classes.

    Result: the shape without `axis`. ValueError where the shapes differ.
    """
    target, p = _arrays(target, output)
    _check_same_shape(
        target,
        p,
        "let the last layer have one unit for each class of the targets"
        if target.ndim == p.ndim and target.shape[axis] > 1
        else "for class numbers as targets use sparse_categorical_crossentropy, or to_categorical "
        "to make them one-hot",
    )
    if p.ndim < 1:
        raise ValueError(
            "Arguments `target` and `output` must be at least rank 1. Received: "
            f"target.shape={target.shape}, output.shape={p.shape}"
        )
    xp, t = namespace(p), target.astype(p.dtype)
    if from_logits:
        loss, of_logits = _of_logits(t, p, axis)
        return loss, lambda g: -xp.expand_dims(g, axis) * _log_softmax(p, axis), of_logits
    log_p, log_vjp = _log_probabilities(p, axis)
    return (
        -xp.sum(t * log_p, axis=axis),
        lambda g: -xp.expand_dims(g, axis) * log_p,
        lambda g: log_vjp(-xp.expand_dims(g, axis) * t),
    )


@primitive
def sparse_categorical_crossentropy(
    target: Any, output: Any, /, from_logits: bool = False, axis: int = -1
) -> tuple:
    """-log(output[target]) along `axis`: `target` holds class numbers, `output` all classes.

    `target`: integers of the output's shape without `axis` (or with size 1 there). Result: that
    shape without `axis`. ValueError for shapes that do not fit and for labels without a class.
    """
    target, p = _arrays(target, output)
    if p.ndim < 1:
        raise ValueError(
            f"Argument `output` must be at least rank 1. Received: output.shape={p.shape}"
        )
    xp, axis = namespace(p), axis % p.ndim
    labels = _labels(target, p, axis)
    if from_logits:
        loss, of_logits = _of_logits(labels, p, axis)
        return loss, None, of_logits
    last = p if axis == p.ndim - 1 else xp.moveaxis(p, axis, -1)
    rows = last.reshape(-1, last.shape[-1])
    at = xp.arange(len(rows)), labels.reshape(-1)
    total = rows.sum(axis=-1)
    share = rows[at] / total
    q = share.clip(epsilon(), 1 - epsilon())

    def vjp(g: Any) -> Any:
        """Of log(total) - log(p[label]), where the share of the label was not clipped."""
        g = g.reshape(-1) * (q == share) / total
        dp = xp.empty_like(rows)
        dp[...] = g[:, None]
        dp[at] -= g / q
        dp = dp.reshape(last.shape)
        return dp if last is p else xp.moveaxis(dp, -1, axis)

    return -xp.log(q).reshape(labels.shape), None, vjp


@primitive
def binary_crossentropy(target: Any, output: Any, /, from_logits: bool = False) -> tuple:
    """-(target * log(output) + (1 - target) * log(1 - output)), element by element.

    Result: the shape of both. ValueError where the shapes differ.
    """
    target, x = _arrays(target, output)
    _check_same_shape(
        target, x, "reshape one of them, for example targets with y[:, None] for Dense(1)"
    )
    xp, t = namespace(x), target.astype(x.dtype)
    if from_logits:
        e = xp.exp(-abs(x))
        return (
            xp.maximum(x, 0) - x * t + xp.log1p(e),
            lambda g: -g * x,
            lambda g: g * (xp.where(x >= 0, x.dtype.type(1), e) / (1 + e) - t),
        )
    p = xp.clip(x, epsilon(), 1 - epsilon())
    inside = p == x
    return (
        -(t * xp.log(p) + (1 - t) * xp.log(1 - p)),
        lambda g: g * (xp.log(1 - p) - xp.log(p)),
        lambda g: g * inside * (p - t) / (p * (1 - p)),
    )


def _arrays(target: Any, output: Any) -> tuple:
    """Both as arrays, where one may be a number; the output floating."""
    like = target if hasattr(target, "dtype") else output
    return _array(target, like), floating(_array(output, like))


def _array(x: Any, like: Any) -> Any:
    return x if hasattr(x, "dtype") else beside(convert_to_tensor(x).array, like)


def _of_logits(target: Any, logits: Any, axis: int) -> tuple:
    """The cross-entropy and its vjp in the logits; `target` as `softmax_crossentropy` takes it."""
    xp, backend = namespace(logits), backend_of(logits)
    last = xp.moveaxis(logits, axis, -1)
    rows = last.reshape(-1, last.shape[-1])
    if target.ndim == logits.ndim:
        target = xp.moveaxis(target, axis, -1).reshape(rows.shape)
    else:
        target = target.reshape(-1)
    loss, p = backend.softmax_crossentropy(rows, target)

    def vjp(g: Any) -> Any:
        dz = backend.softmax_crossentropy_grad(g.reshape(-1), p, target)
        return xp.moveaxis(dz.reshape(last.shape), -1, axis)

    return loss.reshape(last.shape[:-1]), vjp


def _log_softmax(x: Any, axis: int) -> Any:
    xp = namespace(x)
    z = x - x.max(axis=axis, keepdims=True)
    return z - xp.log(xp.exp(z).sum(axis=axis, keepdims=True))


def _log_probabilities(x: Any, axis: int) -> tuple:
    """The log of the classes' probabilities along `axis`, and the vjp of it in `x`."""
    xp = namespace(x)
    total = x.sum(axis=axis, keepdims=True)
    share = x / total
    p = xp.clip(share, epsilon(), 1 - epsilon())

    def vjp(g: Any) -> Any:
        g = g * (p == share) / p
        return (g - (g * share).sum(axis=axis, keepdims=True)) / total

    return xp.log(p), vjp


def _labels(target: Any, output: Any, axis: int) -> Any:
    """Class numbers of the output's shape without `axis`, all of them within the classes."""
    if target.ndim == output.ndim and target.shape[axis] == 1:
        target = target.squeeze(axis)
    if target.shape != output.shape[:axis] + output.shape[axis + 1 :]:
        remedy = (
            "For one-hot targets use categorical_crossentropy."
            if target.shape == output.shape
            else "An output is one row of classes for each label: is a Flatten missing?"
        )
        raise ValueError(
            "Arguments `target` and `output` must have the same shape up until the last "
            f"dimension: target.shape={target.shape}, output.shape={output.shape}. {remedy}"
        )
    classes, labels = output.shape[axis], target.astype("int64")
    # Only labels on the host are checked: a device would have to be waited for, at every step.
    # `fit` and `evaluate` check theirs before they start.
    on_host = isinstance(labels, np.ndarray)
    if on_host and (labels != target).any():
        raise ValueError(
            f"Received a label value of {target[labels != target].flat[0]}, which is no whole "
            "number: labels are the numbers of classes. For targets that are measured use a loss "
            "of numbers, such as mean_squared_error."
        )
    if on_host and labels.size and (labels.min() < 0 or labels.max() >= classes):
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(
            f"Received a label value of {int(wrong)} which is outside the valid range of "
            f"[0, {classes}): the output has {classes} classes. Number the labels from 0, or give "
            "the last layer more units."
        )
    return labels


def _check_same_shape(target: Any, output: Any, remedy: str) -> None:
    if target.shape != output.shape:
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={target.shape}, output.shape={output.shape}: {remedy}."
        )
