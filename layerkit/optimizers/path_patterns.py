"""Patterns of variables' paths, regular expressions that a stranger's file may give."""

from __future__ import annotations

import re
from typing import Any

from layerkit.backend.allowance import is_limited

_MOST_REPETITIONS = 3


def check_pattern(pattern: Any) -> None:
    """ValueError for a pattern of a file that could take for ever to be found not to match.

    Python's `re` tries all ways in which repetitions share a text: a repeated group has
    exponentially many, and so few other repetitions are allowed. What code gives is not looked at.
    """
    if not is_limited() or not isinstance(pattern, str):
        return
    if re.search(r"\)[*+{]", pattern) or len(re.findall(r"[*+{]", pattern)) > _MOST_REPETITIONS:
        raise ValueError(
            f"A pattern of a file may repeat at most {_MOST_REPETITIONS} times, and no group, or "
            f"it could take for ever. Received: {pattern[:80]!r}. Give the optimizer in compile()."
        )
