"""Sequences of different lengths as one array."""

from __future__ import annotations

from typing import Any

import numpy as np


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences as one array (len(sequences), maxlen, ...), padded with `value`, or cut.

    sequences: a list of sequences, of numbers or of arrays of one shape.
    maxlen: by default the length of the longest.
    dtype: of the result; `object` for strings.
    padding, truncating: whether to do so at the beginning ("pre") or at the end ("post").

    ValueError for anything else.
    """
    lengths = [_length(sequence) for sequence in _listed(sequences)]
    for name, place in (("Padding", padding), ("Truncating", truncating)):
        if place not in ("pre", "post"):
            raise ValueError(f'{name} type "{place}" not understood. Expected "pre" or "post".')
    if isinstance(value, str) and not _holds_text(dtype):
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\nYou should set "
            "`dtype=object` for variable length strings."
        )
    if maxlen is None:
        maxlen = max(lengths, default=0)
    first = next((s for s, length in zip(sequences, lengths, strict=True) if length), ())
    shape = np.asarray(first).shape[1:]
    padded = np.full((len(lengths), maxlen, *shape), value, dtype=dtype)
    for index, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        kept = min(length, maxlen)
        if not kept:
            continue
        part = sequence[length - kept :] if truncating == "pre" else sequence[:kept]
        part = np.asarray(part, dtype=dtype)
        if part.shape[1:] != shape:
            raise ValueError(
                f"Shape of sample {part.shape[1:]} of sequence at position {index} is different "
                f"from expected shape {shape}"
            )
        rows = slice(maxlen - kept, None) if padding == "pre" else slice(kept)
        padded[index, rows] = part
    return padded


def _listed(sequences: Any) -> Any:
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"`sequences` must be a list. Received: {type(sequences)}")
    return sequences


def _length(sequence: Any) -> int:
    if not hasattr(sequence, "__len__"):
        raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {sequence}")
    return len(sequence)


def _holds_text(dtype: Any) -> bool:
    return np.dtype(dtype).kind in "OSU"
