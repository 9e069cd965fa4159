"""What a drawing shows: boxes with text, arrows between them, and frames around some of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

PLAIN, GOOD, BAD = "white", "forestgreen", "firebrick"  # the grounds of cells


class Cell(NamedTuple):
    """`label: value` (or `value` alone) on a coloured ground."""

    value: str
    label: str = ""
    ground: str = PLAIN


class Box(NamedTuple):
    """A title over rows of cells. `key` is what arrows and frames know it by."""

    key: Hashable
    title: str
    rows: tuple[tuple[Cell, ...], ...] = ()


@dataclass
class Graph:
    """Boxes and framed graphs (`items`), with arrows from key to key (`edges`), in drawing order.

    An arrow may lead into a frame or out of it; it belongs to the outermost graph that knows both
    of its ends.
    """

    key: Hashable
    label: str = ""
    items: list[Box | Graph] = field(default_factory=list)
    edges: list[tuple[Hashable, Hashable]] = field(default_factory=list)

    def boxes(self) -> Iterator[Box]:
        """All boxes, those in frames included."""
        for item in self.items:
            if isinstance(item, Graph):
                yield from item.boxes()
            else:
                yield item

    def connect(self, source: Hashable, target: Hashable) -> None:
        """An arrow, unless it is there already."""
        if (source, target) not in self.edges:
            self.edges.append((source, target))
