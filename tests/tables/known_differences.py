"""Where layerkit is not as Keras 3.15 and stays so, with the reason.

A row: names of layers, a part of the text of the case, a part of the line that says the difference
(regular expressions), and why.
"""

from __future__ import annotations

import re

KNOWN: list[tuple[str, str, str, str]] = []


def reason(name: str, case: str, line: str) -> str | None:
    """Why a difference stays; None where it is not known."""
    for names, cases, lines, why in KNOWN:
        if re.fullmatch(names, name) and re.search(cases, case) and re.search(lines, line):
            return why
    return None
