"""A drawing in the DOT language of Graphviz (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from collections.abc import Hashable
from html import escape

from .drawing import PLAIN, Box, Cell, Graph


def dot_of(
    graph: Graph,
    rankdir: str = "TB",
    dpi: float = 200,
    splines: str = "ortho",
    subgraph: bool = False,
) -> str:
    """The text of a .dot file, or, with `subgraph`, of a cluster to be put into another one."""
    names: dict[Hashable, str] = {box.key: f"n{i}" for i, box in enumerate(graph.boxes())}
    if subgraph:
        return "\n".join(_cluster(graph, names, "")) + "\n"
    lines = [
        "digraph G {",
        f"rankdir={rankdir};",
        "concentrate=true;",
        f"dpi={dpi};",
        f"splines={splines};",
        "node [shape=plain, fontname=Helvetica];",
        "edge [penwidth=2];",
        *_body(graph, names),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _body(graph: Graph, names: dict[Hashable, str], path: str = "") -> list[str]:
    lines: list[str] = []
    for index, item in enumerate(graph.items):
        if isinstance(item, Graph):
            lines += _cluster(item, names, f"{path}_{index}")
        else:
            lines.append(f"{names[item.key]} [label=<{_table(item)}>];")
    return lines + [f"{names[a]} -> {names[b]};" for a, b in graph.edges]


def _cluster(graph: Graph, names: dict[Hashable, str], path: str) -> list[str]:
    label = graph.label.replace("\\", "\\\\").replace('"', '\\"')
    return [
        f"subgraph cluster{path} {{",
        "style=dashed;",
        "labeljust=l;",
        f'label="{label}";',
        *_body(graph, names, path),
        "}",
    ]


def _table(box: Box) -> str:
    columns = max([1, *map(len, box.rows)])
    rows = [
        f'<tr><td colspan="{columns}" bgcolor="black"><font point-size="16" color="white">'
        f"<b>{escape(box.title)}</b></font></td></tr>"
    ]
    for row in box.rows:
        span = columns // len(row)
        rows.append(f"<tr>{''.join(_cell(cell, span) for cell in row)}</tr>")
    return (
        f'<table border="0" cellborder="1" cellspacing="0" cellpadding="10">{"".join(rows)}</table>'
    )


def _cell(cell: Cell, span: int) -> str:
    colour = "black" if cell.ground == PLAIN else "white"
    label = f"{escape(cell.label)}: " if cell.label else ""
    return (
        f'<td colspan="{span}" bgcolor="{cell.ground}"><font point-size="14" color="{colour}">'
        f"{label}<b>{escape(cell.value)}</b></font></td>"
    )
