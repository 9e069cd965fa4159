"""tensorflow.strings: what standardizes texts before they are cut into words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit.data.elements import as_texts

from .. import ops

__all__ = ["join", "length", "lower", "regex_replace", "strip", "upper"]


def _each(function: Callable[[str], Any], texts: Any) -> np.ndarray:
    def of_one(text: Any) -> Any:
        return function(text.decode("utf-8") if isinstance(text, bytes) else str(text))

    array = np.asarray(texts, object)
    found = np.empty(array.shape, object)
    found.flat[:] = [of_one(text) for text in array.flat]
    return found


def lower(input: Any) -> Any:  # noqa: A002
    """Texts in small letters."""
    return as_texts(_each(str.lower, input))


def upper(input: Any) -> Any:  # noqa: A002
    """Texts in capital letters."""
    return as_texts(_each(str.upper, input))


def strip(input: Any) -> Any:  # noqa: A002
    """Texts without white space at their ends."""
    return as_texts(_each(str.strip, input))


def regex_replace(input: Any, pattern: str, rewrite: str, replace_global: bool = True) -> Any:  # noqa: A002
    """Texts with what matches a regular expression replaced."""
    found = re.compile(pattern)
    times = 0 if replace_global else 1
    return as_texts(_each(lambda text: found.sub(rewrite, text, count=times), input))


def length(input: Any, unit: str = "BYTE") -> Any:  # noqa: A002
    """int32: how many bytes (of UTF-8) the texts have, or with 'UTF8_CHAR' how many characters."""
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise ValueError(f"`unit` must be 'BYTE' or 'UTF8_CHAR'. Received: unit={unit!r}")
    in_bytes = unit == "BYTE"
    counts = _each(lambda text: len(text.encode() if in_bytes else text), input)
    return ops.convert_to_tensor(counts.astype("int32"))


def join(inputs: Any, separator: str = "") -> Any:
    """Texts put together, those of one place each."""
    arrays = np.broadcast_arrays(*(_each(str, texts) for texts in inputs))
    joined = [separator.join(group) for group in zip(*(a.flat for a in arrays), strict=True)]
    found = np.empty(arrays[0].shape, object)
    found.flat[:] = joined
    return as_texts(found)
