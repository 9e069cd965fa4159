"""The table that `Model.summary` prints: layers, output shapes, numbers of weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

COLUMNS = ("Layer (type)", "Output Shape", "Param #")


def print_summary(
    model: Any, line_length: int | None = None, print_fn: Callable[[str], Any] | None = None
) -> None:
    """Print the summary of `model`, or hand its text to `print_fn`, all at once.

    `line_length`: characters a line; by default what fits the terminal, 88 at most.
    """
    if line_length is None:
        import shutil

        line_length = min(88, shutil.get_terminal_size().columns - 4)
    rows = [_row(layer, shape) for layer, shape in _output_shapes(model)]
    lines = [f'Model: "{model.name}"', *_table(rows, _widths(line_length)), *_totals(model)]
    text = "\n".join(lines) + "\n"
    if print_fn is None:
        print(text, end="")
    else:
        print_fn(text)


def _row(layer: Any, shape: str) -> tuple[str, str, str]:
    params = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    return f"{layer.name} ({type(layer).__name__})", shape, params


def _totals(model: Any) -> list[str]:
    """Weights and bytes: those that training changes, those it does not, the optimizer's."""
    trainable, frozen = model.trainable_variables, model.non_trainable_variables
    optimizer = model.optimizer
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


# Output shapes: a Sequential hands them on, other layers know what they were built for.


def _output_shapes(model: Any) -> Iterable[tuple[Any, str]]:
    shape = getattr(model, "input_shape", None)
    for layer in model.layers:
        if shape is not None:
            shape = layer.compute_output_shape(shape)
        yield layer, _format_shape(_shape_when_built(layer) if shape is None else shape)


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


def _widths(line_length: int) -> list[int]:
    """Widths of the columns, their two spaces included, for lines of `line_length`."""
    left, right = int(0.45 * line_length), int(0.80 * line_length)
    widths = [left - 1, right - left - 2, line_length - right - 1]
    if min(widths) < 4:
        raise ValueError(
            "Insufficient console width to print summary: give a `line_length` of 40 or more. "
            f"Received: line_length={line_length}"
        )
    return widths


def _table(rows: list[tuple[str, str, str]], widths: list[int]) -> list[str]:
    lines = [
        _rule("┏━┳┓", widths),
        *_cells(COLUMNS, widths, "┃"),
        _rule("┡━╇┩", widths),
    ]
    for number, row in enumerate(rows):
        if number:
            lines.append(_rule("├─┼┤", widths))
        lines += _cells(row, widths, "│")
    return [*lines, _rule("└─┴┘", widths)]


def _rule(characters: str, widths: list[int]) -> str:
    first, line, middle, last = list(characters)
    return first + middle.join(line * width for width in widths) + last


def _cells(row: Iterable[str], widths: list[int], border: str) -> list[str]:
    """The lines of one row: as many as its longest cell needs."""
    wrapped = [_wrap(cell, width - 2) for cell, width in zip(row, widths, strict=True)]
    lines = []
    for index in range(max(map(len, wrapped))):
        texts = [cell[index] if index < len(cell) else "" for cell in wrapped]
        aligned = [f" {text:<{n - 2}} " for text, n in zip(texts[:-1], widths[:-1], strict=True)]
        aligned.append(f" {texts[-1]:>{widths[-1] - 2}} ")
        lines.append(border + border.join(aligned) + border)
    return lines


def _wrap(text: str, width: int) -> list[str]:
    """Lines of whole words; a word that is too long is cut and ends with '…'."""
    lines = [""]
    for word in text.split(" "):
        if len(word) > width:
            word = word[: width - 1] + "…"
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines
