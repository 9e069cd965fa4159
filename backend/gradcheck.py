"""The gradient checker: one random inner product in float64 proves a derivative or refutes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import tree
from .autodiff import GradientTape, convert_to_tensor


def check_gradient(
    function: Callable[..., Any],
    *inputs: Any,
    step: float = 1e-6,
    tolerance: float = 1e-5,
    seed: int = 0,
    **options: Any,
) -> None:
    """Compare the gradient of `function(*inputs, **options)` with a central difference.

    For random directions u in the inputs and v in the outputs, v·(J u) by difference must equal
    (Jᵀ v)·u by the tape, in float64. Floating inputs are checked, others are passed on.
    `function` takes tensors and returns a tensor or a structure of them; it must be deterministic
    and smooth within `step` of the inputs. AssertionError names both numbers where they differ
    by more than `tolerance`, relative to the larger.
    """
    random = np.random.default_rng(seed)
    points = [_as_float64(x) for x in inputs]
    checked = [i for i, x in enumerate(points) if x.dtype.kind == "f"]
    if not checked:
        raise ValueError("check_gradient needs a floating input; received none.")
    directions = {i: random.standard_normal(points[i].shape) for i in checked}

    tensors = [convert_to_tensor(x) for x in points]
    with GradientTape() as tape:
        tape.watch([tensors[i] for i in checked])
        outputs = [y for y in tree.flatten(function(*tensors, **options)) if y.dtype.kind == "f"]
    weights = [random.standard_normal(y.shape) for y in outputs]
    gradients = tape.gradient(outputs, [tensors[i] for i in checked], output_gradients=weights)
    backward = sum(
        float((g.numpy() * directions[i]).sum())
        for i, g in zip(checked, gradients, strict=True)
        if g is not None
    )

    def value_at(t: float) -> float:
        moved = [
            convert_to_tensor(x + t * directions[i] if i in directions else x)
            for i, x in enumerate(points)
        ]
        results = [y for y in tree.flatten(function(*moved, **options)) if y.dtype.kind == "f"]
        return sum(float((y.numpy() * v).sum()) for y, v in zip(results, weights, strict=True))

    forward = (value_at(step) - value_at(-step)) / (2 * step)
    if not abs(forward - backward) <= tolerance * max(1.0, abs(forward), abs(backward)):
        name = getattr(function, "__name__", repr(function))
        raise AssertionError(
            f"The gradient of {name} is wrong: along a random direction the tape gives "
            f"{backward:.10g}, the central difference {forward:.10g}."
        )


def _as_float64(x: Any) -> np.ndarray:
    array = np.asarray(x)
    return array.astype("float64") if array.dtype.kind == "f" else array
