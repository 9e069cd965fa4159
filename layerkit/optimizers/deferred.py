"""Numbers and decisions that may live on a device: the host hands them on and never waits for them.

A learning rate, a step count or a condition is a Python number wherever the host knows it. Where
only the device does (see `LossScaleOptimizer`), it is an array there without dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from layerkit.backend.autodiff import as_operand
from layerkit.backend.registry import namespace


def is_deferred(x: Any) -> bool:
    """Whether `x` is an array of a device, whose value the host would have to wait for."""
    return hasattr(x, "dtype") and not isinstance(x, (np.ndarray, np.generic))


def number(x: Any) -> Any:
    """A scalar (tensor, array or number) as a Python float; one on a device as an array of it."""
    x = as_operand(x)
    return x if is_deferred(x) else float(x)


def typed(x: Any, dtype: Any) -> Any:
    """A number beside arrays of `dtype`; one of Python takes their dtype by itself."""
    return x.astype(dtype) if is_deferred(x) else x


def scalar(x: Any, dtype: Any) -> Any:
    """A number as a scalar of `dtype`, so that it is computed no more exactly than that."""
    return x.astype(dtype) if is_deferred(x) else dtype.type(x)


def run_where(
    condition: Any, update: Callable[[], None], state: Callable[[], Iterable[Any]]
) -> None:
    """`update()` where `condition` holds; elsewhere `state()` stays as it was.

    A condition on a device is not waited for: the update runs in any case, and is taken back there.
    `state`: gives all that the update changes, as things with an `array`.
    """
    if not is_deferred(condition):
        if condition:
            update()
        return
    before = [(part, part.array.copy()) for part in state()]
    update()
    for part, array in before:
        write_where(~condition, part.array, array)


def write_where(condition: Any, array: Any, value: Any) -> None:
    """Write `value` into `array` where `condition`, one bool of the host or the device, holds."""
    if is_deferred(condition):
        namespace(array).copyto(array, value, where=condition)
    elif condition:
        array[...] = value
