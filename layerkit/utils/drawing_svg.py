"""A drawing as SVG, written here: no other program is needed."""

from __future__ import annotations

from html import escape

from .drawing import PLAIN, Box, Cell, Graph
from .drawing_layout import PADDING, TEXT_SIZE, TITLE_SIZE, Layout, Point, Rect, cell_width, lay_out

SPLINES = ("ortho", "curved", "polyline", "spline", "line")
_HEAD = 8  # length of an arrow's head


def svg_of(graph: Graph, rankdir: str = "TB", dpi: float = 200, splines: str = "ortho") -> str:
    """The text of an .svg file. `dpi`: pixels an inch, 72 of the drawing's points."""
    layout = lay_out(graph, rankdir)
    scale = dpi / 72
    frames = {item.key: item.label for item in _graphs_in(graph)}
    parts = [_frame(layout.frames[key], label) for key, label in frames.items()]
    parts += [_arrow(corners, rankdir, splines) for corners in layout.arrows]
    parts += [_box(box, layout.places[box.key]) for box in graph.boxes()]
    return "\n".join([_opening(layout, scale), *parts, "</svg>", ""])


def _opening(layout: Layout, scale: float) -> str:
    width, height = (round(size * scale) for size in (layout.width, layout.height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {layout.width:.1f} {layout.height:.1f}" font-family="Helvetica, Arial, '
        'sans-serif">\n<rect width="100%" height="100%" fill="white"/>'
    )


def _graphs_in(graph: Graph) -> list[Graph]:
    found = []
    for item in graph.items:
        if isinstance(item, Graph):
            found += [item, *_graphs_in(item)]
    return found


def _frame(place: Rect, label: str) -> str:
    text = f'<text x="{place.x + 8:.1f}" y="{place.y + 20:.1f}" font-size="{TEXT_SIZE}"'
    return (
        f'<rect {_rect(place)} fill="none" stroke="black" stroke-dasharray="5 3"/>'
        f"{text}>{escape(label)}</text>"
    )


def _box(box: Box, place: Rect) -> str:
    title = Rect(place.x, place.y, place.width, TITLE_SIZE + 2 * PADDING)
    parts = [f'<rect {_rect(title)} fill="black" stroke="black"/>']
    parts.append(_text(box.title, title, TITLE_SIZE, "white", "bold"))
    y = title.y + title.height
    for row in box.rows:
        x, spare = place.x, place.width - sum(cell_width(cell) for cell in row)
        for cell in row:
            width = cell_width(cell) + spare / len(row)
            parts.append(_cell(cell, Rect(x, y, width, TEXT_SIZE + 2 * PADDING)))
            x += width
        y += TEXT_SIZE + 2 * PADDING
    return f"<g>{''.join(parts)}</g>"


def _cell(cell: Cell, place: Rect) -> str:
    """Label and value side by side: each has its own text, for programs measure letters apart."""
    colour = "black" if cell.ground == PLAIN else "white"
    ground = f'<rect {_rect(place)} fill="{cell.ground}" stroke="black"/>'
    if not cell.label:
        return ground + _text(cell.value, place, TEXT_SIZE, colour, "bold")
    spare = place.width - cell_width(cell)
    between = Rect(
        place.x + spare / 2 + cell_width(cell._replace(value="")), place.y, 0, place.height
    )
    return (
        ground
        + _text(
            f"{cell.label}:", between.moved(-PADDING - 3, 0), TEXT_SIZE, colour, "normal", "end"
        )
        + _text(cell.value, between.moved(-PADDING + 3, 0), TEXT_SIZE, colour, "bold", "start")
    )


def _text(
    text: str, place: Rect, size: int, colour: str, weight: str, anchor: str = "middle"
) -> str:
    x, y = place.x + place.width / 2, place.y + place.height / 2 + size * 0.35
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
        f'font-weight="{weight}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _rect(place: Rect) -> str:
    return (
        f'x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" height="{place.height:.1f}"'
    )


def _arrow(corners: list[Point], rankdir: str, splines: str) -> str:
    """A line through the corners, and a head at its end."""
    sideways = rankdir in ("LR", "RL")
    if splines == "line":
        corners = [corners[0], corners[-1]]
    if splines == "ortho":
        corners = _right_angled(corners, sideways)
    (x1, y1), (x2, y2) = corners[-2:]
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1e-6)
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    if splines in ("curved", "spline"):
        ux, uy = ((1, 0) if x2 > corners[0][0] else (-1, 0)) if sideways else (0, 1)
        if rankdir == "BT":
            ux, uy = 0, -1
    neck = (x2 - _HEAD * ux, y2 - _HEAD * uy)
    path = (_curve if splines in ("curved", "spline") else _polyline)(
        [*corners[:-1], neck], sideways
    )
    sides = " ".join(
        f"{neck[0] - s * uy * _HEAD / 2:.1f},{neck[1] + s * ux * _HEAD / 2:.1f}" for s in (1, -1)
    )
    return (
        f'<path d="{path}" fill="none" stroke="black" stroke-width="2"/>'
        f'<polygon points="{x2:.1f},{y2:.1f} {sides}"/>'
    )


def _right_angled(corners: list[Point], sideways: bool) -> list[Point]:
    """The corners with a step half way wherever a line would be slanted."""
    path = [corners[0]]
    for (x1, y1), (x2, y2) in zip(corners, corners[1:], strict=False):
        if abs(x1 - x2) > 0.05 and abs(y1 - y2) > 0.05:
            middle = (x1 + x2) / 2 if sideways else (y1 + y2) / 2
            path += [(middle, y1), (middle, y2)] if sideways else [(x1, middle), (x2, middle)]
        path.append((x2, y2))
    return path


def _polyline(points: list[Point], sideways: bool) -> str:
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _curve(points: list[Point], sideways: bool) -> str:
    """Cubic curves, which leave and reach every corner along the ranks' direction."""
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
        a, b = ((x1 + x2) / 2, y1), ((x1 + x2) / 2, y2)
        if not sideways:
            a, b = (x1, (y1 + y2) / 2), (x2, (y1 + y2) / 2)
        path += f" C{a[0]:.1f},{a[1]:.1f} {b[0]:.1f},{b[1]:.1f} {x2:.1f},{y2:.1f}"
    return path
