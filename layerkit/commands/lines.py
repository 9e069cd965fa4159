"""Text in lines that fit."""

from __future__ import annotations

import textwrap

WIDTH = 100  # columns


def wrapped(text: str, indent: str = "") -> str:
    """`text` in lines that fit, all but the first indented; its own ends of lines stay."""
    lines = (
        textwrap.fill(line, WIDTH, subsequent_indent=indent, replace_whitespace=False)
        for line in text.split("\n")
    )
    return "\n".join(lines)
