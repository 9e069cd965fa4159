"""Comparison, logic and bits, element by element. No derivatives; what is asked for is a bool."""

from __future__ import annotations

import math
from typing import Any

from layerkit import backend as K

from ...symbolic import operation

bitwise_and = operation(K.bitwise_and)
bitwise_not = operation(K.bitwise_not)
bitwise_or = operation(K.bitwise_or)
bitwise_xor = operation(K.bitwise_xor)
equal = operation(K.equal)
greater = operation(K.greater)
greater_equal = operation(K.greater_equal)
isclose = operation(K.isclose)
isfinite = operation(K.isfinite)
isinf = operation(K.isinf)
isnan = operation(K.isnan)
left_shift = operation(K.left_shift)
less = operation(K.less)
less_equal = operation(K.less_equal)
logical_and = operation(K.logical_and)
logical_not = operation(K.logical_not)
logical_or = operation(K.logical_or)
logical_xor = operation(K.logical_xor)
not_equal = operation(K.not_equal)
right_shift = operation(K.right_shift)
signbit = operation(K.signbit)


@operation
def allclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether abs(x1 - x2) <= atol + rtol * abs(x2) everywhere: one bool."""
    return K.all(K.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))


@operation
def bitwise_invert(x: Any) -> Any:
    """~x: `bitwise_not` by its other name."""
    return K.bitwise_not(x)


@operation
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """x << y: `left_shift` by its other name."""
    return K.left_shift(x, y)


@operation
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """x >> y: `right_shift` by its other name."""
    return K.right_shift(x, y)


@operation
def isneginf(x: Any) -> Any:
    """Whether x is minus infinity."""
    return K.equal(x, -math.inf)


@operation
def isposinf(x: Any) -> Any:
    """Whether x is plus infinity."""
    return K.equal(x, math.inf)


@operation
def isreal(x: Any) -> Any:
    """Whether x has no imaginary part: true, for every tensor is real."""
    return K.ones_like(x, dtype="bool")
