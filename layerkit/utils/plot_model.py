"""`plot_model` and `model_to_dot`: a picture of a model. SVG needs nothing, PNG needs Graphviz."""

from __future__ import annotations

import os
import sys
from typing import Any

from .drawing import Graph
from .drawing_dot import dot_of
from .drawing_svg import SPLINES, svg_of
from .model_drawing import Shown, drawing_of

RANKDIRS = ("TB", "BT", "LR", "RL")


class Dot:
    """A drawing of boxes and arrows, shown by notebooks, and written in several formats."""

    def __init__(self, graph: Graph, rankdir: str, dpi: float, splines: str, subgraph: bool):
        self.graph = graph
        self.rankdir, self.dpi, self.splines, self.subgraph = rankdir, dpi, splines, subgraph

    def to_string(self) -> str:
        """The drawing in Graphviz's language, DOT."""
        return dot_of(self.graph, self.rankdir, self.dpi, self.splines, self.subgraph)

    def create(self, prog: str | None = None, format: str = "svg") -> bytes:
        """The content of a file of the format: "svg" and "dot" are made here, others by Graphviz.

        prog: the program of Graphviz to lay it out with, for any format; by default "dot".
        ImportError where Graphviz is needed and not installed.
        """
        if prog is None and format == "svg":
            return svg_of(self.graph, self.rankdir, self.dpi, self.splines).encode()
        if prog is None and format == "dot":
            return self.to_string().encode()
        return _run_graphviz(prog or "dot", format, self.to_string())

    def write(self, path: str | os.PathLike, prog: str | None = None, format: str = "") -> None:
        """Write a file, of the format of the path's ending where none is given."""
        content = self.create(prog, format or os.path.splitext(path)[1][1:].lower())
        with open(path, "wb") as file:
            file.write(content)

    def _repr_svg_(self) -> str:
        return self.create().decode()


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Dot:
    """The drawing of a built model: a box a layer, arrows between them.

    show_shapes, show_dtype: the shapes that go in and out, the dtype that comes out.
    show_layer_names: names beside the classes.
    rankdir: where arrows lead: "TB" downwards, "BT" upwards, "LR" to the right, "RL" to the left.
    expand_nested: show models inside the model as frames around their layers.
    dpi: pixels an inch; letters are 14 and 16 points.
    subgraph: give a cluster in DOT, to be put into another drawing.
    show_layer_activations, show_trainable: activations; whether a layer's weights are trained.
    splines: how arrows are drawn: "ortho" (right angles), "curved", "polyline", "spline", "line".

    A subclassed model is one box, for the order of its layers is not known. ValueError for a model
    without weights yet, and for other values.
    """
    if not model.built:
        raise ValueError(
            f"This model, '{model.name}', has not yet been built. Build the model first by calling "
            "`build()` or by calling the model on a batch of data."
        )
    for name, value, known in (("rankdir", rankdir, RANKDIRS), ("splines", splines, SPLINES)):
        if value not in known:
            raise ValueError(f"`{name}` should be one of {known}. Received: {name}={value}")
    shown = Shown(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable)
    graph = drawing_of(model, shown, expand_nested)
    if not subgraph:
        graph.label = ""
    return Dot(graph, rankdir, dpi, splines, subgraph)


def plot_model(
    model: Any,
    to_file: str | os.PathLike = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """Write the drawing of a built model to a file; in a notebook, return it as an image.

    to_file: .svg and .dot need nothing; .png, .pdf and others need Graphviz.

    The other arguments are those of `model_to_dot`. ImportError where Graphviz is missing.
    """
    dot = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
    )
    format = os.path.splitext(to_file)[1][1:].lower() or "png"
    dot.write(to_file, format=format)
    if "IPython" not in sys.modules or format in ("pdf", "dot"):
        return None
    from IPython import display

    return (display.SVG if format == "svg" else display.Image)(filename=os.fspath(to_file))


def _run_graphviz(prog: str, format: str, text: str) -> bytes:
    import shutil
    import subprocess

    program = shutil.which(prog)
    if program is None:
        raise ImportError(
            f"You must install graphviz (see https://graphviz.org/download/) to write .{format}: "
            f"its program '{prog}' was not found. Or choose a name that ends with .svg, which "
            "needs nothing."
        )
    run = subprocess.run([program, f"-T{format}"], input=text.encode(), capture_output=True)
    if run.returncode:
        raise ValueError(f"Graphviz cannot write .{format}: {run.stderr.decode().strip()}")
    return run.stdout
