"""The choice among engines: their order, what is remembered, and why each might not compute."""

from __future__ import annotations

import numpy as np
import pytest
from tables.convolutions import SAME, HostDevice

from layerkit.backend import engines as E
from layerkit.backend.cudnn import Cudnn
from layerkit.backend.cudnn_graph import CudnnGraph
from layerkit.backend.cudnn_layout import Unsupported
from layerkit.backend.nvidia import Flags


class Engine:
    """Plans what is not in `refuses` (kernels and dtypes), and notes what it was asked."""

    def __init__(self, name, refuses=()):
        self.name, self.refuses, self.asked = name, refuses, []

    def plan(self, kernel, dtype, shapes, arguments, flags):
        self.asked.append((kernel, dtype, shapes, arguments, flags))
        for reason in self.refuses:
            if reason in (kernel, dtype):
                raise Unsupported(f"{reason} is not for {self.name}")
        return lambda *arrays: self.name


@pytest.fixture
def first():
    return Engine("first", ["float64", "conv_input_grad", "int32"])


@pytest.fixture
def second():
    return Engine("second", ["conv_input_grad", "int32"])


@pytest.fixture
def engines(first, second):
    return E.Engines([first, second], HostDevice())


def arrays(dtype="float32"):
    return np.ones((2, 6, 6, 3), dtype), np.ones((3, 3, 3, 4), dtype)


GEOMETRY = ((1, 1), SAME, (1, 1), 1)


def test_the_first_that_has_a_plan_computes(engines, first, second):
    x, w = arrays()
    assert engines.engine_for("conv", (x, w), *GEOMETRY)(x, w) == "first"
    assert first.asked == [("conv", "float32", (x.shape, w.shape), GEOMETRY, Flags())]
    assert engines.names == ("first", "second") and not second.asked


CHOICES = [  # kernel, dtype, who computes
    ("conv", "float32", "first"),
    ("conv_kernel_grad", "float32", "first"),
    ("conv", "float64", "second"),
    ("conv_input_grad", "float32", None),
    ("conv", "int32", None),
]


@pytest.mark.parametrize("kernel, dtype, name", CHOICES)
def test_the_next_is_asked_and_every_reason_logged(engines, caplog, kernel, dtype, name):
    result = {"conv": (), "conv_input_grad": ((2, 6, 6, 3),), "conv_kernel_grad": ((3, 3, 3, 4),)}
    arguments = (*result[kernel], *GEOMETRY)
    with caplog.at_level("INFO", logger=E.__name__):
        assert engines.name_for(kernel, arrays(dtype), *arguments) == name
    run = engines.engine_for(kernel, arrays(dtype), *arguments)
    assert (run and run()) == name
    declined = {"first": [], "second": ["first"], None: ["first", "second"]}[name]
    what = f"{kernel} of {dtype} ((2, 6, 6, 3), (3, 3, 3, 4)) {arguments}"
    why = kernel if kernel == "conv_input_grad" else dtype
    lines = [f"no {engine} for {what}: {why} is not for {engine}" for engine in declined]
    assert caplog.messages == lines + [f"{name} for {what}"] * bool(name)


def test_answers_are_remembered(engines, first, second):
    run = engines.engine_for("conv", arrays(), *GEOMETRY)
    assert engines.engine_for("conv", arrays(), *GEOMETRY) is run and len(first.asked) == 1
    for _ in range(2):  # that there is none, too
        assert engines.engine_for("conv_input_grad", arrays(), (2, 6, 6, 3), *GEOMETRY) is None
    assert (len(first.asked), len(second.asked)) == (2, 1)


def test_another_call_is_another_question(engines, first):
    x, w = arrays()
    runs = [engines.engine_for("conv", (x, w), *GEOMETRY)]
    runs.append(engines.engine_for("conv", (x[:1], w), *GEOMETRY))
    runs.append(engines.engine_for("conv", (x, w), (2, 2), *GEOMETRY[1:]))
    runs.append(engines.engine_for("conv", arrays("float16"), *GEOMETRY))
    engines.flags = Flags(tf32=True)
    runs.append(engines.engine_for("conv", (x, w), *GEOMETRY))
    engines.device.number = 1
    runs.append(engines.engine_for("conv", (x, w), *GEOMETRY))
    assert len(set(runs)) == len(runs) == len(first.asked)
    assert [asked[-1].tf32 for asked in first.asked] == [False] * 4 + [True] * 2


def test_names_choose_and_order(engines):
    ask = lambda: engines.name_for("conv", arrays(), *GEOMETRY)  # noqa: E731
    assert ask() == "first"
    engines.names = ["second", "first"]
    assert ask() == "second"
    engines.names = ()
    assert ask() is None and set(engines.found) == {"first", "second"}
    message = r"some of those found, \['first', 'second'\]; received \['third'\], .* install them"
    with pytest.raises(ValueError, match=message):
        engines.names = ["third"]
    assert engines.names == ()


def test_failures_go_through(engines, first, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(first, "plan", fail)
    with pytest.raises(RuntimeError, match="the device is gone"):
        engines.engine_for("conv", arrays(), *GEOMETRY)


def test_mixed_dtypes_are_ours(engines, first):
    x, w = arrays()
    assert engines.engine_for("conv", (x, w.astype("float64")), *GEOMETRY) is None
    assert not first.asked


x32, w32 = arrays()
UNPADDED = ((1, 1), ((0, 0), (0, 0)), (1, 1), 1)
OURS = [  # reason, kernel, arrays, arguments
    ("depthwise", "conv", (x32, w32[:, :, :1, :3]), (*GEOMETRY[:3], 3)),
    ("depthwise", "conv_kernel_grad", (x32, x32), ((3, 3, 1, 3), *GEOMETRY[:3], 3)),
    ("pointwise", "conv", (x32, w32[:1, :1]), UNPADDED),
    ("pointwise", "conv_input_grad", (x32, w32[:1, :1]), ((2, 6, 6, 3), *UNPADDED)),
]


@pytest.mark.parametrize("reason, kernel, operands, arguments", OURS)
def test_what_our_own_kernels_do_better(first, caplog, reason, kernel, operands, arguments):
    first.refuses = ()
    engines = E.Engines([first], HostDevice())
    with caplog.at_level("INFO", logger=E.__name__):
        assert engines.engine_for(kernel, operands, *arguments) is None
    assert reason in caplog.messages[-1] and not first.asked


def test_strided_pointwise_and_grouped_convolutions_are_the_engines(engines):
    x = np.ones((2, 6, 6, 4), "float32")
    pointwise, grouped = np.ones((1, 1, 4, 6), "float32"), np.ones((3, 3, 2, 6), "float32")
    assert engines.name_for("conv", (x, pointwise), (2, 2), *UNPADDED[1:]) == "first"
    assert engines.name_for("conv", (x, grouped), *UNPADDED[:3], 2) == "first"


@pytest.mark.parametrize(
    "installed, names",
    [
        (("graph", "legacy"), ("cudnn graph", "cudnn")),
        (("legacy",), ("cudnn",)),
        (("graph",), ("cudnn graph",)),
        ((), ()),
    ],
)
def test_open_asks_the_graph_api_before_the_legacy_one(monkeypatch, installed, names):
    def opens(kind, name):
        engine = Engine(kind.name) if name in installed else None
        monkeypatch.setattr(kind, "open", classmethod(lambda cls, device: engine))

    opens(Cudnn, "legacy")
    opens(CudnnGraph, "graph")
    engines = E.Engines.open(HostDevice())
    assert engines.names == names
    expected = names[0] if names else None
    assert engines.name_for("conv", arrays(), *GEOMETRY) == expected
