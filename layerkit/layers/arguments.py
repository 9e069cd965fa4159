"""Checks of layers' arguments: each gives the value in one form, or says what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np


def is_int(value: Any) -> bool:
    """Whether `value` is an integer; True and False are not."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def positive_int(name: str, value: Any) -> int:
    """`value` as an int above zero."""
    if not is_int(value) or value <= 0:
        raise ValueError(
            f"Received an invalid value for `{name}`, expected a positive integer. "
            f"Received: {name}={value!r}"
        )
    return int(value)


def int_tuple(name: str, value: Any, n: int, allow_zero: bool = False) -> tuple[int, ...]:
    """`value`, one int or n of them, as n ints above zero (or from zero)."""
    values = (value,) * n if is_int(value) else value
    message = f"The `{name}` argument must be a tuple of {n} integers. Received {name}={value!r}"
    if not isinstance(values, (list, tuple)) or len(values) != n or not all(map(is_int, values)):
        raise ValueError(message)
    least = 0 if allow_zero else 1
    if min(values) < least:
        raise ValueError(
            f"{message}, including values { {v for v in values if v < least} } that do not "
            f"satisfy `value {'>= 0' if allow_zero else '> 0'}`"
        )
    return tuple(int(v) for v in values)


def margins(name: str, value: Any, n: int) -> tuple[tuple[int, ...], ...]:
    """What is added or cut at both ends of n axes: an int, n ints, or n pairs of ints."""
    if is_int(value):
        value = (value,) * n
    if not isinstance(value, (list, tuple)) or len(value) != n:
        raise ValueError(
            f"`{name}` should have {n} elements: an int, {n} ints (the same at both ends of an "
            f"axis), or {n} pairs of ints. Received: {name}={value}"
        )
    return tuple(int_tuple(name, ends, 2, allow_zero=True) for ends in value)


def padding_mode(value: Any, allow_causal: bool = False) -> str:
    """'valid' or 'same', or 'causal' where it is allowed."""
    allowed = ("valid", "same", "causal") if allow_causal else ("valid", "same")
    if not isinstance(value, str) or value.lower() not in allowed:
        raise ValueError(
            f"The `padding` argument must be one of {allowed}. Received: padding={value}"
        )
    return value.lower()


def fraction(name: str, value: Any) -> float:
    """`value` as a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(
            f"Invalid value received for argument `{name}`. Expected a float value between 0 and "
            f"1. Received: {name}={value}"
        )
    return value


def known_size(layer: Any, input_shape: tuple[int | None, ...], axis: int) -> int:
    """The size of an axis that the weights' shapes need."""
    size = input_shape[axis]
    if size is None:
        raise ValueError(
            f"Layer '{layer.name}' ({type(layer).__name__}) needs the size of axis {axis} of its "
            f"inputs to make its weights. The dimension should be defined. Found `None`. Full "
            f"input shape received: {input_shape}"
        )
    return size
