"""Arrays of files whose axes stand in the order of a config, not in today's."""

from __future__ import annotations

from typing import Any

from ..layers import LayerNormalization


def in_other_order(layer: Any, expected: Any, found: Any) -> bool:
    """Whether an array needs its shape changed, for its axes have the order of the config.

    So it is with LayerNormalization over several axes before Keras 3.15, where gamma and beta were
    given the right shape by reshaping, not by transposing, when they were used.
    """
    expected, found = tuple(expected), tuple(found)
    same = expected != found and sorted(expected) == sorted(found)
    return same and isinstance(layer, LayerNormalization)
