"""plot_model and model_to_dot: what boxes say, none over another, and where arrows end."""

from __future__ import annotations

import stat
import sys
from itertools import combinations
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

import layerkit
from layerkit import layers
from layerkit.utils import drawing_layout, model_to_dot, plot_model
from layerkit.utils.drawing import Box, Cell, Graph
from layerkit.utils.drawing_layout import lay_out
from layerkit.utils.drawing_svg import svg_of
from layerkit.utils.plot_model import SPLINES

RANKDIRS = ["TB", "BT", "LR", "RL"]


def sequential(nested=True):
    inner = layerkit.Sequential(
        [layers.Dense(3, activation="relu", name="a"), layers.Dropout(0.5, name="b")], name="in<&>"
    )
    last = layers.Dense(2, name="c", trainable=False)
    return layerkit.Sequential([layers.Input((4,)), *([inner] if nested else []), last], name="m")


def texts(svg):
    root = ElementTree.fromstring(svg)
    return [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]


def branched():
    """Boxes 0 to 7 with arrows that skip ranks, a frame with a frame in it, and a way back."""
    small = Graph("small", "small", [Box(5, "five"), Box(6, "six")], [(5, 6)])
    frame = Graph("frame", "a frame", [Box(4, "four"), small], [(4, 5)])
    items = [Box(i, f"box {i}", ((Cell("(None, 3)", "Output shape"),),)) for i in range(4)]
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 4), (6, 7), (3, 7), (0, 7), (3, 0)]
    return Graph("all", "", [*items, frame, Box(7, "a box with a long name")], edges)


def apart(a, b):
    return (
        a.x + a.width <= b.x
        or b.x + b.width <= a.x
        or a.y + a.height <= b.y
        or b.y + b.height <= a.y
    )


@pytest.mark.parametrize("rankdir", RANKDIRS)
def test_layout(rankdir):
    graph = branched()
    layout = lay_out(graph, rankdir)
    places = layout.places
    assert set(places) == {*range(8)}
    for a, b in combinations(places.values(), 2):
        assert apart(a, b)
    for place in (*places.values(), *layout.frames.values()):
        assert place.x >= 0
        assert place.y >= 0
        assert place.x + place.width <= layout.width
        assert place.y + place.height <= layout.height
    axis, sign = {"TB": (1, 1), "BT": (1, -1), "LR": (0, 1), "RL": (0, -1)}[rankdir]
    for a, b in [(0, 1), (0, 2), (1, 3), (3, 7), (6, 7), (5, 6), (4, 5)]:
        assert sign * places[a][axis] < sign * places[b][axis]
    for key, inside in (("frame", (4, 5, 6)), ("small", (5, 6))):
        frame = layout.frames[key]
        for box, place in places.items():
            within = not apart(frame, place)
            assert within == (box in inside)
    assert layout.frames["frame"].y + drawing_layout.FRAME_LABEL <= places[4].y
    assert len(layout.arrows) == 9 + 2


@pytest.mark.parametrize("rankdir", RANKDIRS)
def test_arrows_end_at_boxes_and_cross_none(rankdir):
    graph = branched()
    layout = lay_out(graph, rankdir)
    ends = [*graph.edges, (4, 5), (5, 6)]
    found = []
    for corners in layout.arrows:
        touched = [
            {key for key, place in layout.places.items() if on_edge(place, corner)}
            for corner in (corners[0], corners[-1])
        ]
        assert [len(keys) for keys in touched] == [1, 1]
        pair = (*touched[0], *touched[1])
        found.append(pair)
        for key, place in layout.places.items():
            if key not in pair and not ({4, 5, 6} & {*pair, key}):
                assert not crosses(place, corners)
    assert sorted(found) == sorted(ends)


def on_edge(place, point):
    x, y = point
    on_x = place.x - 0.01 <= x <= place.x + place.width + 0.01
    on_y = place.y - 0.01 <= y <= place.y + place.height + 0.01
    return on_x and on_y


def crosses(place, corners):
    for (x1, y1), (x2, y2) in zip(corners, corners[1:], strict=False):
        for t in np.linspace(0.02, 0.98, 25):
            x, y = x1 + t * (x2 - x1), y1 + t * (y2 - y1)
            if place.x < x < place.x + place.width and place.y < y < place.y + place.height:
                return True
    return False


@pytest.mark.parametrize("splines", SPLINES)
@pytest.mark.parametrize("rankdir", RANKDIRS)
def test_svg_is_xml_with_an_arrow_each(rankdir, splines):
    graph = branched()
    root = ElementTree.fromstring(svg_of(graph, rankdir, 144, splines))
    layout = lay_out(graph, rankdir)
    assert [float(n) for n in root.get("viewBox").split()[2:]] == pytest.approx(
        [layout.width, layout.height], abs=0.1
    )
    assert int(root.get("width")) == round(2 * layout.width)
    paths = list(root.iter("{http://www.w3.org/2000/svg}path"))
    assert len(paths) == 11
    assert all(("C" in path.get("d")) == (splines in ("curved", "spline")) for path in paths)
    assert all(path.get("d").startswith("M") for path in paths)


def test_right_angles():
    root = ElementTree.fromstring(svg_of(branched(), "TB", 72, "ortho"))
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        points = [tuple(map(float, part.split(","))) for part in path.get("d")[1:].split(" L")]
        for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
            assert abs(x1 - x2) < 0.2 or abs(y1 - y2) < 0.2


def test_boxes_of_a_sequential():
    svg = model_to_dot(sequential()).create().decode()
    assert texts(svg) == ["in<&> (Sequential)", "c (Dense)"]
    assert svg.count("<polygon") == 1


def test_everything_shown():
    svg = model_to_dot(
        sequential(),
        show_shapes=True,
        show_dtype=True,
        show_layer_activations=True,
        show_trainable=True,
        expand_nested=True,
    )
    output = ["Output dtype:", "float32"]
    shapes = [
        ["Input shape:", f"(None, {i})", "Output shape:", f"(None, {o})"]
        for i, o in ((4, 3), (3, 3), (3, 2))
    ]
    assert texts(svg.create()) == [
        "in<&>",
        *["a (Dense)", "Activation:", "relu", *shapes[0], *output, "Trainable"],
        *["b (Dropout)", *shapes[1], *output],
        *["c (Dense)", "Activation:", "linear", *shapes[2], *output, "Non-trainable"],
    ]
    assert svg._repr_svg_() == svg.create().decode()


def test_dot():
    dot = model_to_dot(sequential(), expand_nested=True, rankdir="LR", dpi=96, splines="line")
    table = (
        '<table border="0" cellborder="1" cellspacing="0" cellpadding="10"><tr><td colspan="1" '
        'bgcolor="black"><font point-size="16" color="white"><b>{} ({})</b></font></td></tr>'
        "</table>"
    )
    assert dot.to_string().splitlines() == [
        "digraph G {",
        "rankdir=LR;",
        "concentrate=true;",
        "dpi=96;",
        "splines=line;",
        "node [shape=plain, fontname=Helvetica];",
        "edge [penwidth=2];",
        "subgraph cluster_0 {",
        "style=dashed;",
        "labeljust=l;",
        'label="in<&>";',
        f"n0 [label=<{table.format('a', 'Dense')}>];",
        f"n1 [label=<{table.format('b', 'Dropout')}>];",
        "n0 -> n1;",
        "}",
        f"n2 [label=<{table.format('c', 'Dense')}>];",
        "n1 -> n2;",
        "}",
    ]
    assert dot.create(format="dot").decode() == dot.to_string()


def test_dot_of_a_cluster():
    text = model_to_dot(sequential(nested=False), subgraph=True, show_shapes=True).to_string()
    assert text.startswith('subgraph cluster {\nstyle=dashed;\nlabeljust=l;\nlabel="m";\n')
    assert "Input shape: <b>(None, 4)</b>" in text


@pytest.mark.parametrize("name", ["m.svg", "m.SVG", "m.dot"])
def test_files(tmp_path, name):
    model = sequential()
    assert plot_model(model, tmp_path / name) is None
    content = (tmp_path / name).read_text()
    expected = model_to_dot(model, show_layer_names=False)
    assert content == (expected.to_string() if name == "m.dot" else expected.create().decode())
    assert "Sequential" in content
    assert "in&lt;&amp;&gt;" not in content


def test_subclassed_model_is_one_box():
    class Mine(layerkit.Model):
        def __init__(self):
            super().__init__(name="mine")
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Mine()
    model.build((None, 3))
    assert texts(model_to_dot(model, show_shapes=True).create()) == [
        *["mine (Mine)", "Input shape:", "?", "Output shape:", "?"]
    ]


def functional():
    """What a functional model has, as far as it is drawn: in -> a, b -> add, and `m` in it."""

    class Thing:
        weights = ()

        def __init__(self, name):
            self.name = name

    Thing.__name__ = "InputLayer"
    source = Thing("in")
    kind = type("Dense", (Thing,), {})
    a, b, add = kind("a"), kind("b"), kind("add")
    inner = sequential(nested=False)

    def node(operation, parents):
        tensor = SimpleNamespace(shape=(None, 4), dtype="float32")
        tensor._keras_history = SimpleNamespace(operation=operation, tensor_index=0)
        inputs = [tensor for parent in parents for tensor in parent.output_tensors]
        return SimpleNamespace(
            operation=operation, parent_nodes=parents, input_tensors=inputs, output_tensors=[tensor]
        )

    first = node(source, [])
    left, right = node(a, [first]), node(b, [first])
    both, last = node(add, [left, right]), None
    last = node(inner, [both])
    graph = SimpleNamespace(
        nodes=[first, left, right, both, last],
        operations=[source, a, b, add, inner],
        inputs=first.output_tensors,
        outputs=last.output_tensors,
    )
    model = type("Functional", (Thing,), {})("f")
    model.built, model._graph = True, graph
    return model


def test_functional_model():
    dot = model_to_dot(functional(), show_shapes=True, show_dtype=True)
    arrows = [line for line in dot.to_string().splitlines() if "->" in line]
    assert arrows == ["n0 -> n1;", "n0 -> n2;", "n1 -> n3;", "n2 -> n3;", "n3 -> n4;"]
    said = texts(dot.create())
    shape = ["Output shape:", "(None, 4)", "Output dtype:", "float32"]
    assert said[:5] == ["in (InputLayer)", *shape]
    assert said[5:9] == ["a (Dense)", "Input shape:", "(None, 4)", *shape[:1]]
    assert "[(None, 4), (None, 4)]" in said


def test_models_in_models():
    dot = model_to_dot(functional(), expand_nested=True)
    assert "n3 -> n4;" in dot.to_string()
    assert texts(dot.create()) == [
        *["m", "in (InputLayer)", "a (Dense)", "b (Dense)", "add (Dense)", "c (Dense)"]
    ]


@pytest.mark.parametrize(("output", "arrow"), [(0, "n4 -> n7;"), (1, "n5 -> n7;")])
def test_arrows_come_from_the_box_that_makes_the_output(output, arrow):
    outer, inner = functional(), functional()
    inner._graph.outputs = [node.output_tensors[0] for node in inner._graph.nodes[3:]]
    made = outer._graph.nodes[1].output_tensors[0]._keras_history
    made.operation = outer._graph.nodes[1].operation = outer._graph.operations[1] = inner
    made.tensor_index = output
    text = model_to_dot(outer, expand_nested=True).to_string()
    assert "n0 -> n1;" in text
    assert arrow in text


def test_operations_are_called_by_their_class_in_keras():
    model = functional()
    model._graph.operations[3].class_name = "Multiply"
    assert "add (Multiply)" in texts(model_to_dot(model).create())


# Other formats are Graphviz's.


def fake_graphviz(folder, monkeypatch, code):
    program = folder / "dot"
    program.write_text(f"#!{sys.executable}\nimport sys\n{code}")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(folder))


def test_graphviz(tmp_path, monkeypatch):
    fake_graphviz(tmp_path, monkeypatch, "print(sys.argv[1], sys.stdin.read()[:9])")
    plot_model(sequential(), tmp_path / "m.png")
    assert (tmp_path / "m.png").read_text() == "-Tpng digraph G\n"
    plot_model(sequential(), tmp_path / "m")
    assert (tmp_path / "m").read_text() == "-Tpng digraph G\n"
    assert model_to_dot(sequential()).create(prog="dot", format="svg") == b"-Tsvg digraph G\n"


def test_graphviz_that_fails(tmp_path, monkeypatch):
    fake_graphviz(tmp_path, monkeypatch, "sys.exit('no such format')")
    with pytest.raises(ValueError, match="Graphviz cannot write .xyz: no such format"):
        plot_model(sequential(), tmp_path / "m.xyz")


def test_without_graphviz(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImportError, match="install graphviz.* ends with .svg, which needs nothing"):
        plot_model(sequential(), tmp_path / "m.png")


def test_in_a_notebook(tmp_path, monkeypatch):
    display = SimpleNamespace(SVG=lambda filename: f"shown {filename}")
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=display))
    path = tmp_path / "m.svg"
    assert plot_model(sequential(), path) == f"shown {path}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rankdir": "UP"}, "`rankdir` should be one of .*'TB'.*rankdir=UP"),
        ({"splines": "wild"}, "`splines` should be one of .*'ortho'.*splines=wild"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        model_to_dot(sequential(), **options)


def test_unbuilt_model():
    with pytest.raises(ValueError, match="This model, 'm', has not yet been built"):
        plot_model(layerkit.Sequential([layers.Dense(2)], name="m"))


def test_a_real_functional_model():
    """Two inputs, a shared layer, a model with two outputs inside, and an operation."""
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(3, activation="relu", name="shared")
    source = layers.Input((3,), name="source")
    ends = [layers.Dense(2, name="left")(source), layers.Dense(3, name="right")(source)]
    inner = layerkit.Model(source, ends, name="inner")
    left, right = inner(shared(a))
    total = layers.Add(name="add")([shared(b), right])
    model = layerkit.Model([a, b], [left * 2.0, total], name="outer")
    dot = model_to_dot(model, show_shapes=True, expand_nested=True)
    titles = {box.key: box.title.split(" ")[0] for box in dot.graph.boxes()}
    inside = next(item for item in dot.graph.items if isinstance(item, Graph))
    arrows = {(titles[a], titles[b]) for a, b in (*dot.graph.edges, *inside.edges)}
    assert arrows == {
        ("a", "shared"),
        ("b", "shared"),
        ("shared", "source"),
        ("source", "left"),
        ("source", "right"),
        ("shared", "add"),
        ("right", "add"),
        ("left", "multiply"),
    }
    said = texts(dot.create())
    assert "multiply (Multiply)" in said
    assert "[(None, 3), (None, 3)]" in said
    flat = model_to_dot(model)
    assert "inner (Functional)" in texts(flat.create())
