"""The data that fit, evaluate and predict are given, as passes over batches of it."""

from __future__ import annotations

import warnings
from typing import Any

from .. import config
from ..data import Batches, Passes, Source, source_of, unpack_x_y_sample_weight


def passes_over(source: Source, steps: int | None, name: str) -> Passes:
    """The passes over a source, no longer than the settings allow."""
    most, asked = config.max_steps_per_epoch(), steps or source.num_batches
    if most is not None and (asked is None or asked > most):
        warnings.warn(
            f"Limiting {name} to {most}, as config.max_steps_per_epoch says.", stacklevel=3
        )
        steps = most
    return Passes(source, steps, name)


def limited(epochs: int) -> int:
    """`epochs`, or as many as the settings allow."""
    most = config.max_epochs()
    if most is None or epochs <= most:
        return epochs
    warnings.warn(f"Limiting epochs to {most}, as config.max_epochs says.", stacklevel=3)
    return most


def validation_source(
    data: Any, batch_size: int | None, own_size: int | None, steps: int | None
) -> Source | None:
    """The batches of `validation_data`, None without; `own_size`: its `validation_batch_size`."""
    if data is None:
        if steps is not None:
            raise ValueError(
                "`validation_steps` needs `validation_data`, of which it takes so many."
            )
        return None
    source = _validation_source(data, batch_size if own_size is None else own_size, steps)
    if own_size is not None and not isinstance(source, Batches):
        raise ValueError(
            "`validation_batch_size` is for `validation_data` of arrays; other batches come as "
            f"they are. Received: validation_batch_size={own_size}"
        )
    return source


def _validation_source(data: Any, batch_size: int | None, steps: int | None) -> Source:
    if isinstance(data, (list, tuple)):
        try:
            x, y, sample_weight = unpack_x_y_sample_weight(data)
            return source_of(x, y, sample_weight, batch_size, steps=steps)
        except ValueError as error:
            raise ValueError(f"{error} (In `validation_data`.)") from error
    if isinstance(data, (int, float)):
        raise ValueError(
            "`validation_data` must be a tuple (x, y) or (x, y, sample_weight), or give batches of "
            f"them. Received: {data}. For a share of the rows give `validation_split`."
        )
    source = source_of(data)
    if isinstance(source, Batches):
        raise ValueError(
            "`validation_data` must be a tuple (x, y) or (x, y, sample_weight), or give batches of "
            f"them. Received: {type(data).__name__}"
        )
    return source
