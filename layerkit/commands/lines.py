"""Text in lines that fit."""

from __future__ import annotations

import textwrap
from typing import Any

WIDTH = 80  # columns
_PATHS_STAY_WHOLE: Any = {
    "break_long_words": False,
    "break_on_hyphens": False,
    "replace_whitespace": False,
}


def wrapped(text: str, indent: str = "") -> str:
    """`text` in lines that fit, all but the first indented; its own ends of lines stay."""
    lines = (
        textwrap.fill(line, WIDTH, subsequent_indent=indent, **_PATHS_STAY_WHOLE)
        for line in text.split("\n")
    )
    return "\n".join(lines)
