"""cuDNN's graph API: on a stand-in package over the strict fake of CuPy, and on a GPU where one is.

The stand-in has the names, keyword arguments and order of calls that the engine may use, and no
others; it does the documented mathematics on the memory that pointers, sizes and strides describe.
"""

from __future__ import annotations

import ctypes
import enum
import importlib.metadata
import inspect
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import strict_cupy
from tables.convolutions import GEOMETRIES, PLAIN, SAME, HostDevice, check, dtype_of, normal

from layerkit.backend import cudnn_graph as G
from layerkit.backend import engines as E
from layerkit.backend.cudnn_layout import Unsupported
from layerkit.backend.nvidia import CupyDevice, Flags

# ------------------------------------------------------------------------- the stand-in package


class NotSupported(Exception):
    """As the package's: it derives from no error of Python's own."""


data_type = enum.Enum("data_type", "FLOAT HALF BFLOAT16")
heur_mode = enum.Enum("heur_mode", "A B FALLBACK")
numerical_note = enum.Enum(
    "numerical_note",
    "TENSOR_CORE DOWN_CONVERT_INPUTS REDUCED_PRECISION_REDUCTION FFT NONDETERMINISTIC WINOGRAD",
)
DTYPES = {data_type.FLOAT: "float32", data_type.HALF: "float16", data_type.BFLOAT16: "bfloat16"}


class Package:
    """`import cudnn`: handles, and graphs that choose from `ranking`."""

    cudnnGraphNotSupportedError = NotSupported
    data_type, heur_mode, numerical_note = data_type, heur_mode, numerical_note

    def __init__(self) -> None:
        self.handles, self.streams, self.graphs, self.executed = {}, [], [], []
        self.failing = {}  # a method of a graph: what it raises
        # name, notes, workspace
        self.ranking = [
            ("halved", ["DOWN_CONVERT_INPUTS"], 0),
            ("fast", ["TENSOR_CORE", "NONDETERMINISTIC"], 4096),
            ("tensor", ["TENSOR_CORE"], 2048),
            ("rounded", ["REDUCED_PRECISION_REDUCTION"], 0),
            ("atomic", ["NONDETERMINISTIC"], 1024),
            ("plain", [], 64),
        ]

    def create_handle(self):
        handle = object()
        self.handles[handle] = SimpleNamespace(stream=0)
        return handle

    def destroy_handle(self, handle):
        del self.handles[handle]

    def set_stream(self, handle, stream):
        self.handles[handle].stream = stream
        self.streams.append(stream)

    def pygraph(self, *, io_data_type, intermediate_data_type, compute_data_type, handle):
        assert handle in self.handles and io_data_type in data_type
        assert intermediate_data_type is compute_data_type is data_type.FLOAT
        self.graphs.append(Graph(self))
        return self.graphs[-1]


class Tensor:
    """The description of an array; setters give the tensor back."""

    def __init__(self, **facts):
        self.__dict__.update(dim=None, stride=None, data_type=None, uid=None, output=False)
        self.__dict__.update(facts)

    def setter(name):  # noqa: N805 (used while the class is made)
        def set_it(self, value):
            assert name not in ("dim", "stride") or all(type(n) is int for n in value)
            setattr(self, name, value)
            return self

        return set_it

    set_output, set_data_type, set_uid = setter("output"), setter("data_type"), setter("uid")
    set_dim, set_stride = setter("dim"), setter("stride")

    def check(self):
        """As cuDNN checks it: sizes (n, c, h, w), channels last and without gaps in memory."""
        n, c, h, w = self.dim
        assert self.stride == [h * w * c, 1, w * c, c] and self.uid in (1, 2, 3)

    def array(self, pointer):
        """The memory from `pointer` on, channels last."""
        assert type(pointer) is int and pointer % 16 == 0
        n, c, h, w = self.dim
        dtype = dtype_of(DTYPES[self.data_type])
        memory = (ctypes.c_char * (n * c * h * w * dtype.itemsize)).from_address(pointer)
        strides = [s * dtype.itemsize for s in self.stride]
        return np.ndarray(self.dim, dtype, memory, strides=strides).transpose(0, 2, 3, 1)


ORDER = [
    "validate",
    "build_operation_graph",
    "create_execution_plans",
    "deselect_numeric_notes",
    "deselect_workspace_greater_than",
    "check_support",
    "build_plans",
    "get_workspace_size",
]


class Graph:
    def __init__(self, package):
        self.package, self.calls, self.tensors = package, [], {}

    def step(self, name, *arguments):
        """Note a call; it must be the next of ORDER."""
        self.calls.append((name, *arguments))
        assert [call[0] for call in self.calls] == ORDER[: len(self.calls)]
        if name in self.package.failing:
            raise self.package.failing[name]

    def tensor(self, *, dim, stride, data_type, name, uid):
        assert type(dim) is type(stride) is list and len(dim) == len(stride) == 4
        self.tensors[name] = Tensor(dim=dim, stride=stride, data_type=data_type, uid=uid)
        return self.tensors[name]

    def conv_fprop(self, *, image, weight, pre_padding, post_padding, stride, dilation):
        geometry = pre_padding, post_padding, stride, dilation
        return self.operation("conv", {"x": image, "w": weight}, "y", geometry)

    def conv_dgrad(self, *, loss, filter, pre_padding, post_padding, stride, dilation):
        geometry = pre_padding, post_padding, stride, dilation
        return self.operation("conv_input_grad", {"y": loss, "w": filter}, "x", geometry)

    def conv_wgrad(self, *, image, loss, pre_padding, post_padding, stride, dilation):
        geometry = pre_padding, post_padding, stride, dilation
        return self.operation("conv_kernel_grad", {"x": image, "y": loss}, "w", geometry)

    def operation(self, kernel, operands, result, geometry):
        assert all(type(numbers) is list and len(numbers) == 2 for numbers in geometry)
        assert min(min(numbers) for numbers in geometry) >= 0
        self.kernel, self.result, self.geometry = kernel, result, geometry
        self.named = operands | {result: Tensor()}
        return self.named[result]

    def validate(self):
        self.step("validate")
        for tensor in self.named.values():
            tensor.check()
        x, w, y = (self.named[name].dim for name in "xwy")
        pre, post, stride, dilation = self.geometry
        sizes = [
            (n + a + b - (k - 1) * d - 1) // s + 1
            for n, k, a, b, s, d in zip(x[2:], w[2:], pre, post, stride, dilation, strict=True)
        ]
        assert y == [x[0], w[0], *sizes] and x[1] % w[1] == 0 == w[0] % (x[1] // w[1])
        assert self.named[self.result].output

    def build_operation_graph(self):
        self.step("build_operation_graph")

    def create_execution_plans(self, modes):
        self.step("create_execution_plans", modes)
        assert modes == [heur_mode.A, heur_mode.FALLBACK]

    def deselect_numeric_notes(self, notes):
        self.step("deselect_numeric_notes", {note.name for note in notes})

    def deselect_workspace_greater_than(self, limit):
        self.step("deselect_workspace_greater_than", limit)

    def check_support(self):
        self.step("check_support")
        refused, limit = self.calls[3][1], self.calls[4][1]
        allowed = [p for p in self.package.ranking if not refused & {*p[1]} and p[2] <= limit]
        if not allowed:
            raise NotSupported("No execution plans support the graph.")
        self.plan = allowed[0]

    def build_plans(self):
        self.step("build_plans")

    def get_workspace_size(self):
        self.step("get_workspace_size")
        return self.plan[2]

    def execute(self, variant_pack, workspace, *, handle):
        assert len(self.calls) == len(ORDER) and set(variant_pack) == {1, 2, 3}
        if "execute" in self.package.failing:
            raise self.package.failing["execute"]
        assert type(workspace) is int and bool(workspace) == bool(self.plan[2])
        if workspace:
            ctypes.memset(workspace, 0xA5, self.plan[2])
        stream = self.package.handles[handle].stream
        self.package.executed.append((self.plan[0], stream, handle))
        given = {n: t.array(variant_pack[t.uid]) for n, t in self.named.items()}
        out = given.pop(self.result)
        pre, post, stride, dilation = self.geometry
        groups = self.named["x"].dim[1] // self.named["w"].dim[1]
        geometry = stride, tuple(zip(pre, post, strict=True)), dilation, groups
        if "w" in given:
            given["w"] = given["w"].transpose(1, 2, 3, 0)
        operands = [array.astype("float64") for array in given.values()]
        if self.kernel == "conv":
            out[...] = PLAIN.conv(*operands, *geometry)
        elif self.kernel == "conv_input_grad":
            out[...] = PLAIN.conv_input_grad(*operands, out.shape, *geometry)
        else:
            k, *window, c = out.shape
            grad = PLAIN.conv_kernel_grad(*operands, (*window, c, k), *geometry)
            out[...] = grad.transpose(3, 0, 1, 2)


@pytest.fixture
def package():
    return Package()


@pytest.fixture
def graphs(package):
    return G.CudnnGraph(package, HostDevice())


@pytest.fixture
def engines(graphs):
    return E.Engines([graphs], graphs.device)


@pytest.fixture(params=["host", "strict cupy", "gpu"])
def anywhere(request, package, monkeypatch):
    """(engines, to the device, from the device), of engines that do all they can"""
    monkeypatch.setattr(E, "_better_without", lambda *_: "")
    if request.param == "host":
        device = HostDevice()
        return E.Engines([G.CudnnGraph(package, device)], device), np.asarray, np.asarray
    if request.param == "strict cupy":
        cp = strict_cupy.make()
        device = CupyDevice(cp)
        return E.Engines([G.CudnnGraph(package, device)], device), cp.asarray, cp.asnumpy
    cupy = pytest.importorskip("cupy")
    if not cupy.cuda.is_available():
        pytest.skip("no GPU")
    device = CupyDevice(cupy)
    graphs = G.CudnnGraph.open(device)
    if graphs is None:
        pytest.skip(f"no {G._PACKAGE}")
    return E.Engines([graphs], device), cupy.asarray, cupy.asnumpy


# ------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("case", GEOMETRIES)
def test_convolutions(anywhere, case, dtype):
    x_shape, w_shape, *geometry = GEOMETRIES[case]
    if dtype == "bfloat16" and anywhere[1] is not np.asarray:
        pytest.skip("CuPy has no bfloat16 of its own")
    dtype = dtype_of(dtype)
    x, w = normal(*x_shape, dtype=dtype), normal(*w_shape, dtype=dtype)
    y = check(anywhere, "conv", (x, w), geometry)
    g = normal(*y.shape, dtype=dtype)
    check(anywhere, "conv_input_grad", (g, w), (x.shape, *geometry))
    check(anywhere, "conv_kernel_grad", (x, g), (w.shape, *geometry))


def test_nothing_waits_or_is_copied_to_the_host(package):
    cp = strict_cupy.make()
    engines = E.Engines([G.CudnnGraph(package, CupyDevice(cp))], CupyDevice(cp))
    x, w = (cp.asarray(array) for array in arrays())
    with strict_cupy.no_syncs(cp):
        run = engines.engine_for("conv", (x, w), *UNEVEN)
        allocations = cp.allocations
        run(x, w)
    # The transposed filters, the workspace and the result: pads cost no copy of the images.
    assert cp.allocations - allocations == 3


def test_an_operand_that_begins_between_two_alignments_is_copied(engines):
    whole = normal(3, 5, 5, 3, dtype="float32")  # 300 bytes an image
    x, w = whole[1:], normal(3, 3, 3, 4, dtype="float32")
    assert x.flags.c_contiguous and x.ctypes.data % 16
    check((engines, np.asarray, np.asarray), "conv", (x, w), UNEVEN)


# ------------------------------------------------------------------------------------ choices


def arrays(dtype="float32"):
    return normal(2, 6, 6, 3, dtype=dtype), normal(3, 3, 3, 4, dtype=dtype)


UNEVEN = ((1, 1), ((0, 1), (1, 0)), (1, 1), 1)
PLAIN_CONV = ((1, 1), SAME, (1, 1), 1)


@pytest.mark.parametrize(
    "dtype, flags, plan",
    [
        ("float32", {}, "atomic"),
        ("float32", {"tf32": True}, "fast"),
        ("float16", {}, "fast"),
        ("float32", {"deterministic": True}, "plain"),
        ("float32", {"tf32": True, "deterministic": True}, "tensor"),
        ("float16", {"deterministic": True}, "tensor"),
        ("float32", {"workspace_limit": 1023}, "plain"),
        ("float32", {"workspace_limit": 64}, "plain"),
        ("float16", {"workspace_limit": 2048}, "tensor"),
    ],
)
def test_flags_choose_among_plans(package, engines, dtype, flags, plan):
    engines.flags = Flags(**flags)
    x, w = arrays(dtype)
    engines.engine_for("conv", (x, w), *PLAIN_CONV)(x, w)
    assert [executed[0] for executed in package.executed] == [plan]


def test_plans_are_made_once(package, engines):
    x, w = arrays()
    run = engines.engine_for("conv", (x, w), *PLAIN_CONV)
    assert engines.engine_for("conv", (x + 1, w), *PLAIN_CONV) is run
    run(x, w)
    assert len(package.graphs) == 1
    others = [
        ("conv", (x[:1], w), PLAIN_CONV),
        ("conv", (x, w), UNEVEN),
        ("conv", arrays("float16"), PLAIN_CONV),
        ("conv_input_grad", (normal(2, 6, 6, 4, dtype="float32"), w), (x.shape, *PLAIN_CONV)),
    ]
    for made, (kernel, operands, arguments) in enumerate(others, 2):
        assert engines.engine_for(kernel, operands, *arguments) is not run
        assert len(package.graphs) == made
    engines.flags = Flags(deterministic=True)
    assert engines.engine_for("conv", (x, w), *PLAIN_CONV) is not run
    engines.device.number, engines.flags = 1, Flags()  # heuristics of another GPU may differ
    assert engines.engine_for("conv", (x, w), *PLAIN_CONV) is not run


x32, w32 = arrays()
UNPADDED_3D = ((1,) * 3, ((0, 0),) * 3, (1,) * 3, 1)
DECLINED = [  # reason, kernel, arrays, arguments
    ("dtype", "conv", arrays("float64"), PLAIN_CONV),
    ("empty", "conv", (x32[:0], w32), PLAIN_CONV),
    ("output sizes", "conv", (x32, w32), ((1, 1), ((-2, -2), (0, 0)), (1, 1), 1)),
    ("output sizes", "conv_input_grad", (x32[:, :3], w32), ((2, 6, 6, 4), *PLAIN_CONV)),
    ("not 1 or 2 spatial", "conv", (normal(1, 4, 4, 4, 2, dtype="float32"),) * 2, UNPADDED_3D),
    ("not a convolution", "max_pool", (x32,), ((2, 2), (2, 2), ((0, 0), (0, 0)))),
]


def plan(graphs, kernel, operands, arguments, flags=None):
    shapes = tuple(array.shape for array in operands)
    return graphs.plan(kernel, operands[0].dtype.name, shapes, arguments, flags or Flags())


@pytest.mark.parametrize("reason, kernel, operands, arguments", DECLINED)
def test_no_plan(graphs, reason, kernel, operands, arguments):
    with pytest.raises(Unsupported, match=reason):
        plan(graphs, kernel, operands, arguments)


def test_no_plan_under_the_limit(package, graphs):
    package.ranking = package.ranking[-1:]
    with pytest.raises(Unsupported, match="No execution plans support the graph"):
        plan(graphs, "conv", (x32, w32), PLAIN_CONV, Flags(workspace_limit=63))


def test_a_plan_that_needs_more_than_the_limit_after_all(graphs, monkeypatch):
    monkeypatch.setattr(Graph, "get_workspace_size", lambda self: 100)
    with pytest.raises(Unsupported, match="needs 100 bytes of workspace under .*limit=99"):
        plan(graphs, "conv", (x32, w32), PLAIN_CONV, Flags(workspace_limit=99))


@pytest.mark.parametrize("step", ORDER)
def test_the_package_declines_while_planning(package, graphs, step):
    package.failing[step] = NotSupported("no engine")
    with pytest.raises(Unsupported, match="no engine"):
        plan(graphs, "conv", (x32, w32), PLAIN_CONV)


def test_an_operation_that_cudnn_refuses_has_no_plan(package, graphs):
    package.failing["build_operation_graph"] = RuntimeError("CUDNN_STATUS_BAD_PARAM")
    with pytest.raises(Unsupported, match="refuses the operation: CUDNN_STATUS_BAD_PARAM"):
        plan(graphs, "conv", (x32, w32), PLAIN_CONV)


FAILURES = [(step, kind) for step in [*ORDER, "execute"] for kind in (RuntimeError, ValueError)]
FAILURES.remove(("build_operation_graph", RuntimeError))


@pytest.mark.parametrize("step, kind", FAILURES)
def test_failures_are_raised(package, engines, step, kind):
    package.failing[step] = kind("CUDA fell over")
    doing = "conv" if step == "execute" else "planning conv"
    message = f"graph API failed at {doing}: CUDA fell over .*LAYERKIT_CUDNN_FRONTEND=0 runs"
    with pytest.raises(G.GraphError, match=message):
        engines.engine_for("conv", (x32, w32), *PLAIN_CONV)(x32, w32)


def test_a_plan_that_declines_to_run_is_a_failure(package, engines):
    package.failing["execute"] = NotSupported("after all")
    with pytest.raises(G.GraphError, match="failed at conv: after all"):
        engines.engine_for("conv", (x32, w32), *PLAIN_CONV)(x32, w32)


# ------------------------------------------------------------------------------------ handles


def test_one_handle_per_thread_and_device(package, graphs, engines):
    run = engines.engine_for("conv", (x32, w32), *PLAIN_CONV)
    run(x32, w32)
    thread = threading.Thread(target=run, args=(x32, w32))
    thread.start()
    thread.join()
    first, second = (handle for _, _, handle in package.executed)
    assert first != second and list(package.handles) == [first]  # the thread's went with it
    graphs.device.number = 1
    assert graphs.handle().value not in (first, second)


def test_work_goes_to_the_current_stream(package, engines):
    run = engines.engine_for("conv", (x32, w32), *PLAIN_CONV)
    for stream in (2**40, 2**40, 2**41, 0):
        engines.device.stream = stream
        run(x32, w32)
    assert [stream for _, stream, _ in package.executed] == [2**40, 2**40, 2**41, 0]
    assert package.streams == [HostDevice.stream, 2**40, 2**41, 0]


def test_a_handle_lives_as_long_as_plans_made_with_it(package):
    graphs = G.CudnnGraph(package, HostDevice())
    engines = E.Engines([graphs], graphs.device)
    engines.engine_for("conv", (x32, w32), *PLAIN_CONV)
    graphs._thread.__dict__.clear()
    assert len(package.handles) == 1
    engines._choice.cache_clear()
    assert not package.handles


# ------------------------------------------------------------------------------ the package itself


@pytest.fixture
def installed(monkeypatch):
    """A function that installs `module` as the package of a version."""
    for variable in ("LAYERKIT_CUDNN", "LAYERKIT_CUDNN_FRONTEND"):
        monkeypatch.delenv(variable, raising=False)

    def install(version, module):
        monkeypatch.setattr(G, "_installed_version", lambda: version)
        monkeypatch.setitem(sys.modules, "cudnn", module)

    return install


@pytest.mark.parametrize("version", ["1.23.0", "1.28.0", "1.28.1rc1"])
def test_opens_what_is_installed(installed, package, version):
    installed(version, package)
    assert G.CudnnGraph.open(HostDevice()).frontend is package
    assert not package.graphs


ABSENT = [  # version, variable, message
    (None, None, "is not installed"),
    ("1.22.1", None, r"1.22.1 is not used: needs >=1.23,<1.29"),
    ("1.29.0", None, r"1.29.0 is not used: needs >=1.23,<1.29"),
    ("2.0", None, "2.0 is not used"),
    ("unknown", None, "unknown is not used"),
    ("1.28.0", "LAYERKIT_CUDNN_FRONTEND", "is not used: LAYERKIT_CUDNN_FRONTEND=0"),
    ("1.28.0", "LAYERKIT_CUDNN", "is not used: LAYERKIT_CUDNN=0"),
]


@pytest.mark.parametrize("version, variable, message", ABSENT)
def test_absent(installed, package, monkeypatch, caplog, version, variable, message):
    installed(version, package)
    if variable:
        monkeypatch.setenv(variable, "0")
    with caplog.at_level("INFO", logger=G.__name__):
        assert G.CudnnGraph.open(HostDevice()) is None
    assert f"{G._PACKAGE} {message}" in caplog.text


def test_a_package_that_does_not_start(installed, package):
    message = "was found but does not start: {} Convolutions .*LAYERKIT_CUDNN_FRONTEND=0 silences"
    package.create_handle = lambda: (_ for _ in ()).throw(RuntimeError("no symbol cudnnCreate"))
    installed("1.28.0", package)
    with pytest.warns(RuntimeWarning, match=message.format("no symbol cudnnCreate")):
        assert G.CudnnGraph.open(HostDevice()) is None
    installed("1.28.0", None)  # an import that fails
    with pytest.warns(RuntimeWarning, match=message.format("import of cudnn halted.*")):
        assert G.CudnnGraph.open(HostDevice()) is None


# Against the real package, where a version in range is installed. It needs no GPU and no libcudnn.


@pytest.fixture
def real():
    try:
        module = G.load_frontend()
    except (ImportError, OSError) as error:
        pytest.skip(f"{G._PACKAGE} cannot be imported: {error}")
    if module is None:
        pytest.skip(f"no {G._PACKAGE} in range")
    return module


def some_handle(real):
    """One that nothing looks into before a graph is built."""
    return real.Handle(1, 0, 0) if hasattr(real, "Handle") else 1


def public(kind):
    return [name for name, f in vars(kind).items() if inspect.isfunction(f) and name[0] != "_"]


def test_the_stand_in_claims_nothing_that_the_package_lacks(real):
    for name in public(Package) + ["cudnnGraphNotSupportedError"]:
        assert hasattr(real, name), name
    own = {"step", "operation", "check", "array", "setter"}
    for name in {*public(Graph)} - own:
        assert hasattr(real.pygraph, name), name
    graph = real.pygraph(io_data_type=real.data_type.FLOAT, handle=some_handle(real))
    tensor = graph.tensor(dim=[1, 1, 1, 1], stride=[1, 1, 1, 1])
    for name in {*public(Tensor)} - own:
        assert hasattr(tensor, name.replace("set_it", "set_dim")), name
    for kind in data_type, heur_mode, numerical_note:
        assert {member.name for member in kind} <= set(getattr(real, kind.__name__).__members__)
    assert not issubclass(real.cudnnGraphNotSupportedError, (RuntimeError, ValueError))
    assert issubclass(NotSupported, real.cudnnGraphNotSupportedError.__mro__[1])


@pytest.mark.parametrize("case", GEOMETRIES)
def test_the_package_takes_the_graphs(real, monkeypatch, case):
    """All that comes before `validate`, which asks libcudnn for its version."""
    x, w, *geometry = GEOMETRIES[case]
    y = PLAIN.conv(np.zeros(x), np.zeros(w), *geometry).shape
    handle = SimpleNamespace(value=some_handle(real))
    monkeypatch.setattr(G.CudnnGraph, "handle", lambda self: handle)
    monkeypatch.setattr(G._Convolution, "_built", lambda *_: 0)
    graphs = G.CudnnGraph(real, HostDevice())
    for kernel, shapes, arguments in (
        ("conv", (x, w), geometry),
        ("conv_input_grad", (y, w), (x, *geometry)),
        ("conv_kernel_grad", (x, y), (w, *geometry)),
    ):
        for dtype in G._DATA_TYPES:
            graphs.plan(kernel, dtype, shapes, tuple(arguments), Flags())


def test_the_calls_after_it_fit_the_signatures_of_the_package(real):
    if not inspect.isfunction(real.pygraph.validate):
        pytest.skip(f"{G._PACKAGE} {importlib.metadata.version(G._PACKAGE)} has no signatures")
    for name in ORDER:
        arguments = [None] * (len(inspect.signature(getattr(Graph, name)).parameters) - 1)
        inspect.signature(getattr(real.pygraph, name)).bind(None, *arguments)
    inspect.signature(real.pygraph.execute).bind(None, {}, 0, handle=None)
    inspect.signature(real.set_stream).bind(handle=None, stream=0)
    inspect.signature(real.create_handle).bind()
    inspect.signature(real.destroy_handle).bind(None)
