"""A model and a file that do not fit, shown side by side in errors: what all such errors share."""

from __future__ import annotations

from collections.abc import Sequence

MOST_ROWS = 60  # of a message
REMEDY = (
    "Make the model as it was when the file was written, or pass skip_mismatch=True to "
    "load_weights to load the rest."
)
TOO_LARGE = "The file declares far larger arrays than it holds: do not trust it."


def table(
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]], most: int | None = MOST_ROWS
) -> str:
    """Lines of columns, below `head`; of rows beyond `most`, unless it is None, their number."""
    shown = [head, *rows[:most]]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in shown]
    more = len(rows) - len(shown[1:])
    return "\n".join(lines + ([f"  and {more} more"] if more > 0 else []))
