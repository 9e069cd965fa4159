"""The table that `Model.summary` prints: layers, output shapes, weights, and who feeds whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from layerkit.backend import tree

from ..symbolic import Node


class _Column(NamedTuple):
    title: str
    align: str  # as in format strings


_COLUMNS = [_Column("Layer (type)", "<"), _Column("Output Shape", "<"), _Column("Param #", ">")]
_CONNECTED = _Column("Connected to", "<")
_TRAINABLE = _Column("Trainable", "^")


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print the summary of `model`, or hand its text to `print_fn`, all at once.

    `line_length`: characters a line; by default what fits the terminal. `positions`: where columns
    end, as parts of a line. `layer_range`: names, or regular expressions, of the first and the
    last layer that are shown. ValueError where a line is too short, or a name is no layer's.
    """
    graph = getattr(model, "_graph", None)
    nodes = None if graph is None or _is_chain(graph.nodes) else set(graph.nodes)
    columns = [*_COLUMNS, *([_CONNECTED] if nodes else [])]
    ends = list(positions or ([0.3, 0.56, 0.74, 1.0] if nodes else [0.45, 0.80, 1.0]))
    fitting = 108 if nodes else 88
    if show_trainable:
        columns.append(_TRAINABLE)
        ends, fitting = [0.9 * end for end in ends] + [1.0], fitting + 12
    if line_length is None:
        import shutil

        line_length = min(fitting, shutil.get_terminal_size().columns - 4)
    rows = []
    shown = _layers(model) if graph is None else graph.operations
    for layer, shape in _with_shapes(model, _in_range(shown, layer_range)):
        rows += _rows(layer, shape, nodes, expand_nested, show_trainable)
    table = _table(rows, columns, _widths(ends, line_length))
    text = "\n".join([f'Model: "{model.name}"', *table, *_totals(model), *_notes(model)]) + "\n"
    if print_fn is None:
        print(text, end="")
    else:
        print_fn(text)


def _notes(model: Any) -> list[str]:
    """What names mean otherwise in a model from an old file than they mean today."""
    return [f" Note: {note}" for note in getattr(model, "file_notes", None) or ()]


def _is_chain(nodes: Sequence[Node]) -> bool:
    """Whether each call takes what the one before gave, and nothing else."""
    if len({node.operation for node in nodes}) < len(nodes) or len(nodes[0].output_tensors) > 1:
        return False
    return all(
        len(node.input_tensors) == 1 and node.parent_nodes[0] is previous
        for previous, node in zip(nodes, nodes[1:], strict=False)
    )


def _layers(model: Any) -> list[Any]:
    return list(getattr(model, "layers", ()))


def _in_range(layers: list[Any], names: Sequence[str] | None) -> list[Any]:
    if names is None:
        return layers
    if len(names) != 2:
        raise ValueError(
            "layer_range must be a list or tuple of two names, of the first and the last layer. "
            f"Received: layer_range={names}"
        )
    first = [i for i, layer in enumerate(layers) if re.match(names[0], layer.name)]
    last = [i for i, layer in enumerate(layers) if re.match(names[1], layer.name)]
    if not first or not last:
        raise ValueError(
            f"The names in layer_range are no layers of the model. Received: layer_range={names}; "
            f"the layers are {[layer.name for layer in layers]}."
        )
    low, high = sorted((first[0], last[-1]))
    return layers[low : high + 1]


def _rows(
    layer: Any, shape: str, nodes: set[Node] | None, expand: bool, trainable: bool, level: int = 0
) -> list[list[str]]:
    """The row of a layer and, with `expand`, those of the layers inside."""
    prefix = f"{'   ' * level}└ " if level else ""
    params = f"{layer.count_params():,}" if getattr(layer, "built", False) else "0 (unbuilt)"
    name = getattr(layer, "class_name", type(layer).__name__)
    row = [f"{prefix}{layer.name} ({name})", shape, params if hasattr(layer, "built") else "0"]
    if nodes:
        row.append(_connections(layer, nodes))
    if trainable:
        row.append(("Y" if layer.trainable else "N") if getattr(layer, "weights", None) else "-")
    rows = [row]
    for inner, inner_shape in _with_shapes(layer, _layers(layer)) if expand else ():
        rows += _rows(inner, inner_shape, nodes, expand, trainable, level + 1)
    return rows


def _connections(layer: Any, nodes: set[Node]) -> str:
    """Whose outputs it takes: name, number of the call, number of the output."""
    histories = [
        tensor._keras_history
        for node in layer._inbound_nodes
        if node in nodes
        for tensor in node.input_tensors
    ]
    return ", ".join(f"{op.name}[{call}][{output}]" for op, call, output in histories) or "-"


def _totals(model: Any) -> list[str]:
    """Weights and bytes: those that training changes, those it does not, the optimizer's."""
    trainable, frozen = model.trainable_variables, model.non_trainable_variables
    optimizer = getattr(model, "optimizer", None)  # a layer alone may be saved, too
    slots = optimizer.variables if optimizer is not None and optimizer.built else None
    groups = {
        "Total": [*trainable, *frozen, *(slots or ())],
        "Trainable": trainable,
        "Non-trainable": frozen,
    }
    if slots is not None:
        groups["Optimizer"] = slots
    return [
        f" {name} params: {sum(v.size for v in variables):,} ({_readable_size(variables)})"
        for name, variables in groups.items()
    ]


def _readable_size(variables: Iterable[Any]) -> str:
    size = float(sum(variable.size * variable.dtype.itemsize for variable in variables))
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"


# Output shapes: those of the last symbolic call, or what layers were built for gives them.


def _with_shapes(model: Any, layers: list[Any]) -> Iterable[tuple[Any, str]]:
    for layer in layers:
        if layer._inbound_nodes:
            shape = tree.map_structure(lambda x: x.shape, layer._inbound_nodes[-1].outputs)
        else:
            shape = _shape_when_built(layer)
        yield layer, _format_shape(shape)


def _shape_when_built(layer: Any) -> Any:
    shape = getattr(layer, "_build_shape", None) or getattr(layer, "_first_shape", None)
    if shape is None or not layer.built:
        return None
    try:
        return layer.compute_output_shape(shape)
    except Exception:  # a layer that takes more than one input, in ways its shape does not tell
        return None


def _format_shape(shape: Any) -> str:
    if shape is None:
        return "?"
    if isinstance(shape, dict):
        return "{" + ", ".join(f"{k}: {_format_shape(v)}" for k, v in shape.items()) + "}"
    if any(isinstance(item, (tuple, list, dict)) for item in shape):
        return f"[{', '.join(map(_format_shape, shape))}]"
    return f"({', '.join(map(str, shape))})"


# The table: box characters, wrapped cells, the last column to the right.


def _widths(ends: Sequence[float], line_length: int) -> list[int]:
    """Widths of the columns, their two spaces included, for lines of `line_length`.

    They are shared out as if there were no borders, and then give up one part each of what is
    too much.
    """
    borders = [int(end * line_length) for end in ends]
    shares = [end - start for start, end in zip([0, *borders], borders, strict=False)]
    if min(shares) < 4:
        raise ValueError(
            "Insufficient console width to print summary: give a `line_length` of 40 or more. "
            f"Received: line_length={line_length}"
        )
    excess, widths = sum(shares) + 3 * len(shares) + 1 - line_length, []
    for index, share in enumerate(shares):
        part = round(excess / (len(shares) - index))
        widths.append(share + 2 - part)
        excess -= part
    return widths


def _table(rows: list[list[str]], columns: list[_Column], widths: list[int]) -> list[str]:
    lines = [
        _rule("┏━┳┓", widths),
        *_cells([column.title for column in columns], columns, widths, "┃"),
        _rule("┡━╇┩", widths),
    ]
    for number, row in enumerate(rows):
        if number:
            lines.append(_rule("├─┼┤", widths))
        lines += _cells(row, columns, widths, "│")
    return [*lines, _rule("└─┴┘", widths)]


def _rule(characters: str, widths: list[int]) -> str:
    first, line, middle, last = list(characters)
    return first + middle.join(line * width for width in widths) + last


def _cells(row: list[str], columns: list[_Column], widths: list[int], border: str) -> list[str]:
    """The lines of one row: as many as its longest cell needs."""
    wrapped = [_wrap(cell, width - 2) for cell, width in zip(row, widths, strict=True)]
    lines = []
    for index in range(max(map(len, wrapped))):
        texts = [cell[index] if index < len(cell) else "" for cell in wrapped]
        aligned = [
            f" {text:{column.align}{width - 2}} "
            for text, column, width in zip(texts, columns, widths, strict=True)
        ]
        lines.append(border + border.join(aligned) + border)
    return lines


def _wrap(text: str, width: int) -> list[str]:
    """Lines of whole words; a word that is too long is cut and ends with '…'."""
    first, *words = text.split(" ")
    lines = [first if len(first) <= width else first[: width - 1] + "…"]
    for word in words:
        if len(word) > width:
            word = word[: width - 1] + "…"
        joined = f"{lines[-1]} {word}"
        if len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines
