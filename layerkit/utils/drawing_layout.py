"""Where boxes and arrows go: in ranks from top to bottom, as few crossings as a few sweeps find.

Sugiyama, Tagawa, Toda, Methods for visual understanding of hierarchical system structures, 1981.
A frame is laid out by itself and then stands in the ranks of the outer graph as one large box.
Lengths are points, 1/72 of an inch.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from .drawing import Box, Cell, Graph

TITLE_SIZE, TEXT_SIZE = 16, 14  # of letters
PADDING = 10  # around text
GAP, RANK_GAP, MARGIN = 24, 36, 8  # between boxes, between ranks, around a graph
FRAME_LABEL = 24  # height
SWEEPS = 6
_LETTER = 0.6  # mean width of a letter by its size; generous, so that text stays in its box

Point = tuple[float, float]


class Rect(NamedTuple):
    """Left and upper edge, width and height."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, x: float, y: float) -> Rect:
        return self._replace(x=self.x + x, y=self.y + y)

    def turned(self) -> Rect:
        return Rect(self.y, self.x, self.height, self.width)


@dataclass
class Layout:
    """The size of a drawing, the places of boxes and frames by key, the corners of its arrows."""

    width: float = 0.0
    height: float = 0.0
    places: dict[Hashable, Rect] = field(default_factory=dict)
    frames: dict[Hashable, Rect] = field(default_factory=dict)
    arrows: list[list[Point]] = field(default_factory=list)


def lay_out(graph: Graph, rankdir: str = "TB") -> Layout:
    """The layout of `graph` with arrows downwards (TB), upwards (BT), to the right (LR) or left."""
    turned = rankdir in ("LR", "RL")
    layout = _lay_out(graph, rankdir)
    if turned:
        layout = _mapped(layout, lambda x, y: (y, x), Rect.turned)
        layout.width, layout.height = layout.height, layout.width
    width, height = layout.width, layout.height
    if rankdir == "BT":
        layout = _mapped(
            layout, lambda x, y: (x, height - y), lambda r: r._replace(y=height - r.y - r.height)
        )
    if rankdir == "RL":
        layout = _mapped(
            layout, lambda x, y: (width - x, y), lambda r: r._replace(x=width - r.x - r.width)
        )
    return layout


def size_of(box: Box) -> tuple[float, float]:
    """Width and height of a box: what its text needs."""
    width = len(box.title) * TITLE_SIZE * _LETTER + 2 * PADDING
    for row in box.rows:
        width = max(width, sum(cell_width(cell) for cell in row))
    return width, _line(TITLE_SIZE) + len(box.rows) * _line(TEXT_SIZE)


def cell_width(cell: Cell) -> float:
    """What the text of a cell needs."""
    letters = len(cell.value) + (len(cell.label) + 2 if cell.label else 0)
    return letters * TEXT_SIZE * _LETTER + 2 * PADDING


def _line(size: float) -> float:
    return size + 2 * PADDING


def _mapped(layout: Layout, point, rect) -> Layout:
    return Layout(
        layout.width,
        layout.height,
        {key: rect(place) for key, place in layout.places.items()},
        {key: rect(place) for key, place in layout.frames.items()},
        [[point(*corner) for corner in arrow] for arrow in layout.arrows],
    )


def _lay_out(graph: Graph, rankdir: str) -> Layout:
    """The layout with arrows downwards, of boxes as high as they will be wide where they turn."""
    turned = rankdir in ("LR", "RL")
    inner = {item.key: _lay_out(item, rankdir) for item in graph.items if isinstance(item, Graph)}
    owner = {key: item.key for item in graph.items for key in _keys_in(item)}
    sizes = {}
    for item in graph.items:
        if isinstance(item, Graph):
            sizes[item.key] = (inner[item.key].width, inner[item.key].height)
        else:
            sizes[item.key] = size_of(item)[:: -1 if turned else 1]
    edges = [(owner[a], owner[b]) for a, b in graph.edges if owner[a] != owner[b]]
    ranks = _in_ranks(list(sizes), edges)
    rows, links = _with_bends(ranks, edges)
    _uncross(rows, links)
    spots, heights = _coordinates(rows, links, sizes)
    layout = _collect(graph, inner, sizes, spots, rankdir)
    ends = [(a, b) for a, b in graph.edges if owner[a] != owner[b]]
    for (a, b), chain in zip(ends, links, strict=True):
        bends = [(*spots[bend], heights[bend]) for bend in chain[1:-1]]
        layout.arrows.append(_arrow(layout.places[a], bends, layout.places[b]))
    return layout


def _keys_in(item: Box | Graph) -> list[Hashable]:
    return [box.key for box in item.boxes()] if isinstance(item, Graph) else [item.key]


def _in_ranks(keys: list, edges: list) -> dict:
    """The rank of each key: below all that have arrows to it, arrows back up aside."""
    targets: dict = {key: [] for key in keys}
    for a, b in edges:
        targets[a].append(b)
    order: list = []
    state = dict.fromkeys(keys, 0)  # 1 while below it is visited, 2 then
    backward = set()
    for root in keys:
        stack = [(root, iter(targets[root]))] if not state[root] else []
        state[root] = state[root] or 1
        while stack:
            key, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                stack.pop()
                state[key] = 2
                order.append(key)
            elif state[target] == 1:
                backward.add((key, target))
            elif not state[target]:
                state[target] = 1
                stack.append((target, iter(targets[target])))
    ranks = dict.fromkeys(keys, 0)
    for key in reversed(order):
        for target in targets[key]:
            if (key, target) not in backward:
                ranks[target] = max(ranks[target], ranks[key] + 1)
    return ranks


def _with_bends(ranks: dict, edges: list) -> tuple[list[list], list[list]]:
    """The rows of keys, with a bend in each row that an arrow crosses; and the arrows as chains."""
    rows: list[list] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for key, rank in ranks.items():
        rows[rank].append(key)
    links = []
    for number, (a, b) in enumerate(edges):
        step = 1 if ranks[b] >= ranks[a] else -1
        bends = [("bend", number, rank) for rank in range(ranks[a] + step, ranks[b], step)]
        for bend in bends:
            rows[bend[2]].append(bend)
        links.append([a, *bends, b])
    return rows, links


def _neighbours(links: list[list]) -> dict:
    found: dict = {}
    for chain in links:
        for a, b in zip(chain, chain[1:], strict=False):
            found.setdefault(a, []).append(b)
            found.setdefault(b, []).append(a)
    return found


def _uncross(rows: list[list], links: list[list]) -> None:
    """Order each row by the mean place of its neighbours in the row before, down and up again."""
    neighbours = _neighbours(links)
    for sweep in range(SWEEPS):
        sequence = rows if sweep % 2 == 0 else rows[::-1]
        for previous, row in zip(sequence, sequence[1:], strict=False):
            place = {key: index for index, key in enumerate(previous)}
            own = {key: index for index, key in enumerate(row)}

            def mean(key, place=place, own=own) -> float:
                near = [place[other] for other in neighbours.get(key, ()) if other in place]
                return sum(near) / len(near) if near else own[key]

            row.sort(key=mean)


def _coordinates(
    rows: list[list], links: list[list], sizes: dict
) -> tuple[dict[Hashable, Point], dict[Hashable, float]]:
    """The middle of each key, near its neighbours, and the height of its row."""
    neighbours = _neighbours(links)

    def width(key) -> float:
        return sizes[key][0] if key in sizes else 0.0

    x: dict = {}
    for row in rows:
        _spread(row, dict.fromkeys(row, 0.0), width, x)
    for sweep in range(SWEEPS):
        sequence = rows if sweep % 2 == 0 else rows[::-1]
        for previous, row in zip(sequence, sequence[1:], strict=False):
            wanted = {}
            for key in row:
                near = [x[other] for other in neighbours.get(key, ()) if other in previous]
                wanted[key] = sum(near) / len(near) if near else x[key]
            _spread(row, wanted, width, x)
    spots, heights, top = {}, {}, 0.0
    for row in rows:
        height = max((sizes[key][1] for key in row if key in sizes), default=0.0)
        for key in row:
            spots[key], heights[key] = (x[key], top + height / 2), height
        top += height + RANK_GAP
    return spots, heights


def _spread(row: list, wanted: dict, width, x: dict) -> None:
    """Put the keys of a row where they want to be, moved apart as little as their widths need.

    Keys that would overlap form a block, which stands where they want to be on average.
    """
    blocks: list[tuple[float, float, list]] = []  # left edge of the first, total width, keys
    for key in row:
        block = (wanted[key] - width(key) / 2, width(key), [key])
        while blocks and blocks[-1][0] + blocks[-1][1] + GAP > block[0]:
            left, size, keys = blocks.pop()
            keys = keys + block[2]
            size = size + GAP + block[1]
            centre, offset = 0.0, 0.0
            for other in keys:
                centre += wanted[other] - (offset + width(other) / 2)
                offset += width(other) + GAP
            block = (centre / len(keys), size, keys)
        blocks.append(block)
    for left, _, keys in blocks:
        for key in keys:
            x[key] = left + width(key) / 2
            left += width(key) + GAP


def _collect(graph: Graph, inner: dict, sizes: dict, spots: dict, rankdir: str) -> Layout:
    """All places in one layout, moved so that it begins at the margin, with room for a label."""
    halves = {key: (width / 2, height / 2) for key, (width, height) in sizes.items()}

    def reach(axis: int, sign: int) -> float:
        """How far anything reaches along an axis, one way or the other."""
        return max(sign * at[axis] + halves.get(key, (0, 0))[axis] for key, at in spots.items())

    x0, y0 = -reach(0, -1), -reach(1, -1)
    label = FRAME_LABEL if graph.label else 0
    # The label stands at the top: after turning what is now the left, after BT's flip the bottom.
    left, top = (label, 0) if rankdir in ("LR", "RL") else (0, 0 if rankdir == "BT" else label)
    for key, (x, y) in spots.items():
        spots[key] = (x - x0 + MARGIN + left, y - y0 + MARGIN + top)
    below = label if rankdir == "BT" else 0
    layout = Layout(reach(0, 1) + MARGIN, reach(1, 1) + MARGIN + below)
    for key, (width, height) in sizes.items():
        x, y = spots[key][0] - width / 2, spots[key][1] - height / 2
        if key in inner:
            part = _mapped(
                inner[key], lambda a, b, x=x, y=y: (a + x, b + y), lambda r, x=x, y=y: r.moved(x, y)
            )
            layout.places.update(part.places)
            layout.frames.update({key: Rect(x, y, width, height), **part.frames})
            layout.arrows += part.arrows
        else:
            layout.places[key] = Rect(x, y, width, height)
    return layout


def _arrow(source: Rect, bends: list[tuple[float, float, float]], target: Rect) -> list[Point]:
    """The corners from the lower edge of one box to the upper edge of the other.

    Bends (x, y, height) are passed straight, through the height of their row.
    """
    down = source.y <= target.y
    sides = (-0.5, 0.5) if down else (0.5, -0.5)
    corners = [(x, y + side * height) for x, y, height in bends for side in sides]
    start = (source.x + source.width / 2, source.y + (source.height if down else 0))
    end = (target.x + target.width / 2, target.y + (0 if down else target.height))
    return [start, *corners, end]
