"""cuDNN's engines against the reference kernels: on a stand-in library, and on a GPU where one is.

The stand-in is called through the C calling convention and does cuDNN's documented mathematics on
the host's memory, by the descriptors and pointers that it is given.
"""

from __future__ import annotations

import ctypes
import re
import threading
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes.c_library import CLibrary
from tables.convolutions import GEOMETRIES, PLAIN, SAME, HostDevice, check, dtype_of, normal

from layerkit.backend import cudnn as C
from layerkit.backend import engines as E
from layerkit.backend.nvidia import CupyDevice, Flags

TYPES = {0: "float32", 1: "float64", 2: "float16", 9: "bfloat16"}
NOT_SUPPORTED, BAD_PARAM, EXECUTION_FAILED, NOT_INITIALIZED = 3000, 2000, 5000, 1001


# ------------------------------------------------------------------------- the stand-in library


class Library(CLibrary):
    """cuDNN's functions."""

    prefix = "cudnn"

    def __init__(self) -> None:
        super().__init__()
        # algorithm, status, deterministic, math type, workspace
        self.ranking = [(7, NOT_SUPPORTED, 1, 0, 0), (1, 0, 0, 1, 4096), (0, 0, 1, 0, 64)]
        self.executed = []

    def GetErrorString(self, status):
        return f"CUDNN_STATUS_{status}".encode()

    def GetLastErrorString(self, buffer, size):
        ctypes.memmove(buffer, b"why it failed\0", 14)

    def create(self, out):
        self.put(out, SimpleNamespace())

    def destroy(self, number):
        del self.objects[number]

    Create = CreateTensorDescriptor = CreateFilterDescriptor = create
    CreateConvolutionDescriptor = CreatePoolingDescriptor = create
    Destroy = DestroyTensorDescriptor = DestroyFilterDescriptor = destroy
    DestroyConvolutionDescriptor = DestroyPoolingDescriptor = destroy

    def SetStream(self, handle, stream):
        self.objects[handle].stream = stream

    def SetTensor4dDescriptorEx(self, number, dtype, *sizes_and_strides):
        tensor = self.objects[number]
        tensor.dtype = dtype
        tensor.sizes, tensor.strides = sizes_and_strides[:4], sizes_and_strides[4:]

    def SetFilter4dDescriptor(self, number, dtype, layout, k, c, h, w):
        kernel = self.objects[number]
        kernel.dtype, kernel.sizes = dtype, (k, c, h, w)
        nchw, nhwc = (c * h * w, h * w, w, 1), (c * h * w, 1, w * c, c)
        kernel.strides = {0: nchw, 1: nhwc}[layout]

    def SetConvolution2dDescriptor(self, number, ph, pw, u, v, dh, dw, mode, compute):
        assert mode == 1, "a true convolution turns the kernel around"
        self.objects[number].__dict__.update(
            pads=(ph, pw), strides=(u, v), dilation=(dh, dw), compute=compute, groups=1, math=0
        )

    def SetConvolutionGroupCount(self, number, groups):
        self.objects[number].groups = groups

    def SetConvolutionMathType(self, number, math):
        self.objects[number].math = math

    def SetPooling2dDescriptor(self, number, mode, nan, *geometry):
        window, pads, strides = geometry[:2], geometry[2:4], geometry[4:]
        assert nan == 1
        assert all(p < k for p, k in zip(pads, window, strict=True))
        self.objects[number].__dict__.update(mode=mode, window=window, pads=pads, strides=strides)

    # Heuristics

    def rank(self, handle, a, b, conv, out, wanted, found, ranking):
        assert handle in self.objects and wanted == 10
        ctypes.c_int.from_address(found).value = len(self.ranking)
        entries = (C._Performance * wanted).from_address(ranking)
        for entry, (algorithm, status, deterministic, math, nbytes) in zip(
            entries, self.ranking, strict=False
        ):
            entry.algorithm, entry.status, entry.memory = algorithm, status, nbytes
            entry.determinism, entry.math_type = deterministic, math

    def measure(self, handle, a, b, conv, out, algorithm, nbytes):
        ctypes.c_size_t.from_address(nbytes).value = self.needed(algorithm)

    def needed(self, algorithm):
        return {number: nbytes for number, _, _, _, nbytes in self.ranking}[algorithm]

    GetConvolutionForwardAlgorithm_v7 = GetConvolutionBackwardDataAlgorithm_v7 = rank
    GetConvolutionBackwardFilterAlgorithm_v7 = rank
    GetConvolutionForwardWorkspaceSize = GetConvolutionBackwardDataWorkspaceSize = measure
    GetConvolutionBackwardFilterWorkspaceSize = measure

    # Mathematics, in the order (batch, channels, height, width)

    def array(self, number, pointer):
        of = self.objects[number]
        dtype = np.dtype(
            pytest.importorskip("ml_dtypes").bfloat16 if of.dtype == 9 else TYPES[of.dtype]
        )
        extent = 1 + sum((n - 1) * s for n, s in zip(of.sizes, of.strides, strict=True))
        memory = (ctypes.c_char * (extent * dtype.itemsize)).from_address(pointer)
        strides = [s * dtype.itemsize for s in of.strides]
        return np.ndarray(of.sizes, dtype, memory, strides=strides)

    def blend(self, out, value, alpha, beta):
        scalar = ctypes.c_double if out.dtype == np.float64 else ctypes.c_float
        alpha, beta = (scalar.from_address(p).value for p in (alpha, beta))
        out[...] = alpha * value + (beta * out if beta else 0)

    def convolution(self, number, x, w, y):
        """The descriptor and, for each group and cell of the window, which parts meet."""
        conv, cells = self.objects[number], []
        sizes = [
            (n + 2 * p - (k - 1) * d - 1) // s + 1
            for n, k, p, s, d in zip(
                x.shape[2:], w.shape[2:], conv.pads, conv.strides, conv.dilation, strict=True
            )
        ]
        assert y.shape == (x.shape[0], w.shape[0], *sizes)
        assert x.shape[1] == w.shape[1] * conv.groups
        depth, filters = w.shape[1], w.shape[0] // conv.groups
        for group in range(conv.groups):
            for r, s in np.ndindex(w.shape[2:]):
                seen = [
                    slice(at * d, at * d + (n - 1) * step + 1, step)
                    for at, d, n, step in zip(
                        (r, s), conv.dilation, sizes, conv.strides, strict=True
                    )
                ]
                channels = slice(group * depth, (group + 1) * depth)
                outputs = slice(group * filters, (group + 1) * filters)
                cells.append(((slice(None), channels, *seen), outputs, (r, s)))
        return conv, cells

    def run(self, handle, conv, algorithm, workspace, nbytes):
        assert nbytes >= self.needed(algorithm)
        if nbytes:
            ctypes.memset(workspace, 0xA5, nbytes)
        stream = self.objects[handle].stream
        self.executed.append(SimpleNamespace(algorithm=algorithm, math=conv.math, stream=stream))

    def ConvolutionForward(self, h, alpha, xd, x, wd, w, cd, algo, ws, nbytes, beta, yd, y):
        x, w, y = self.array(xd, x), self.array(wd, w), self.array(yd, y)
        conv, cells = self.convolution(cd, x, w, y)
        self.run(h, conv, algo, ws, nbytes)
        x, value = padded(x, conv.pads), np.zeros(y.shape)
        for seen, outputs, (r, s) in cells:
            value[:, outputs] += np.einsum("nchw,kc->nkhw", x[seen], w[outputs, :, r, s])
        self.blend(y, value, alpha, beta)

    def ConvolutionBackwardData(self, h, alpha, wd, w, yd, y, cd, algo, ws, nbytes, beta, xd, x):
        x, w, y = self.array(xd, x), self.array(wd, w), self.array(yd, y)
        conv, cells = self.convolution(cd, x, w, y)
        self.run(h, conv, algo, ws, nbytes)
        value = padded(np.zeros(x.shape), conv.pads)
        for seen, outputs, (r, s) in cells:
            value[seen] += np.einsum(
                "nkhw,kc->nchw", y[:, outputs].astype(float), w[outputs, :, r, s].astype(float)
            )
        self.blend(x, cut(value, conv.pads), alpha, beta)

    def ConvolutionBackwardFilter(self, h, alpha, xd, x, yd, y, cd, algo, ws, nbytes, beta, wd, w):
        x, w, y = self.array(xd, x), self.array(wd, w), self.array(yd, y)
        conv, cells = self.convolution(cd, x, w, y)
        self.run(h, conv, algo, ws, nbytes)
        x, value = padded(x, conv.pads), np.zeros(w.shape)
        for seen, outputs, (r, s) in cells:
            value[outputs, :, r, s] += np.einsum(
                "nchw,nkhw->kc", x[seen], y[:, outputs].astype(float)
            )
        self.blend(w, value, alpha, beta)

    def windows(self, pooling, x, sizes):
        """Each window's cells along the first axis: views of padded images."""
        return [
            x[
                :,
                :,
                r : r + (sizes[0] - 1) * pooling.strides[0] + 1 : pooling.strides[0],
                s : s + (sizes[1] - 1) * pooling.strides[1] + 1 : pooling.strides[1],
            ]
            for r, s in np.ndindex(pooling.window)
        ]

    def PoolingForward(self, h, number, alpha, xd, x, beta, yd, y):
        pooling, x, y = self.objects[number], self.array(xd, x), self.array(yd, y)
        is_max = pooling.mode in (0, 3)
        x = padded(x, pooling.pads, -np.inf if is_max else 0)
        cells = np.stack(self.windows(pooling, x, y.shape[2:]))
        self.blend(y, cells.max(0) if is_max else cells.mean(0), alpha, beta)

    def PoolingBackward(self, h, number, alpha, yd, y, gd, g, xd, x, beta, dxd, dx):
        pooling, g, dx = self.objects[number], self.array(gd, g), self.array(dxd, dx)
        value = padded(np.zeros(dx.shape), pooling.pads)
        targets = self.windows(pooling, value, g.shape[2:])
        if pooling.mode in (0, 3):
            x = padded(self.array(xd, x), pooling.pads, -np.inf)
            y, won = self.array(yd, y), np.zeros(g.shape, bool)
            for cell, target in zip(self.windows(pooling, x, g.shape[2:]), targets, strict=True):
                target += np.where((cell == y) & ~won, g, 0)
                won |= cell == y
        else:
            for target in targets:
                target += g.astype(float) / len(targets)
        self.blend(dx, cut(value, pooling.pads), alpha, beta)


def padded(x, pads, value=0.0):
    (ph, pw) = pads
    return np.pad(x.astype(float), ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=value)


def cut(x, pads):
    (ph, pw), (h, w) = pads, x.shape[2:]
    return x[:, :, ph : h - ph, pw : w - pw]


@pytest.fixture
def library():
    return Library()


@pytest.fixture
def cudnn(library):
    return C.Cudnn(library, HostDevice())


@pytest.fixture
def engines(cudnn):
    return E.Engines([cudnn], cudnn.device)


@pytest.fixture(params=["stand-in"] + ["gpu"] * bool(find_spec("cupy")))
def anywhere(request, library, monkeypatch):
    """(engines, to the device, from the device), of engines that do all they can"""
    monkeypatch.setattr(E, "_better_without", lambda *_: "")
    if request.param == "stand-in":
        return E.Engines([C.Cudnn(library, HostDevice())], HostDevice()), np.asarray, np.asarray
    cupy = pytest.importorskip("cupy")
    if not cupy.cuda.is_available():
        pytest.skip("no GPU")
    device = CupyDevice(cupy)
    cudnn = C.Cudnn.open(device)
    if cudnn is None:
        pytest.skip("no cuDNN")
    return E.Engines([cudnn], device), cupy.asarray, cupy.asnumpy


# ------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("case", GEOMETRIES)
def test_convolutions(anywhere, case, dtype):
    x_shape, w_shape, *geometry = GEOMETRIES[case]
    dtype = dtype_of(dtype)
    x, w = normal(*x_shape, dtype=dtype), normal(*w_shape, dtype=dtype)
    optional = dtype == "float64"
    y = check(anywhere, "conv", (x, w), geometry, optional)
    g = normal(*y.shape, dtype=dtype)
    check(anywhere, "conv_input_grad", (g, w), (x.shape, *geometry), optional)
    check(anywhere, "conv_kernel_grad", (x, g), (w.shape, *geometry), optional)


def test_operands_that_are_not_contiguous(anywhere):
    x, w = normal(6, 5, 3, 2).T, normal(4, 3, 3, 3).transpose(1, 2, 3, 0)
    geometry = ((1, 1), SAME, (1, 1), 1)
    w = np.ascontiguousarray(w)[::-1]
    y = check(anywhere, "conv", (x, normal(3, 3, 6, 4)), geometry, optional=True)
    g = np.ascontiguousarray(y.transpose(3, 1, 2, 0)).transpose(3, 1, 2, 0)
    check(anywhere, "conv_kernel_grad", (x, g), ((3, 3, 6, 4), *geometry), optional=True)
    check(anywhere, "conv", (normal(2, 5, 5, 3), w), geometry, optional=True)


POOLS = {  # x, window, strides, pads
    "tiles": ((2, 6, 8, 3), (2, 2), (2, 2), ((0, 0), (0, 0))),
    "overlap": ((2, 7, 8, 3), (3, 2), (2, 1), ((0, 0), (0, 0))),
    "same": ((2, 6, 6, 3), (3, 3), (1, 1), SAME),
    "asymmetric": ((2, 6, 5, 3), (2, 3), (2, 2), ((0, 1), (1, 2))),
    "far": ((2, 5, 5, 2), (2, 2), (2, 2), ((2, 2), (0, 0))),
    "1-d": ((2, 9, 3), (3,), (2,), ((1, 1),)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("case", POOLS)
def test_pooling(anywhere, case, dtype):
    shape, *geometry = POOLS[case]
    engines, put, get = anywhere
    x = np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape).astype(dtype)
    y, winner = engines.engine_for("max_pool", (put(x),), *geometry)(put(x))
    expected, reference_winner = PLAIN.max_pool(x, *geometry)
    np.testing.assert_array_equal(get(y), expected)
    g = np.random.default_rng(1).integers(-9, 9, expected.shape).astype(dtype)
    run = engines.engine_for("max_pool_grad", (put(g), *winner), x.shape, *geometry)
    np.testing.assert_array_equal(
        get(run(put(g), *winner)), PLAIN.max_pool_grad(g, reference_winner, x.shape, *geometry)
    )
    check(anywhere, "sum_pool", (normal(*shape, dtype=dtype),), geometry)
    check(anywhere, "sum_pool_grad", (normal(*g.shape, dtype=dtype),), (shape, *geometry))


def test_first_of_equal_cells_gets_the_gradient(anywhere):
    engines, put, get = anywhere
    x, geometry = put(np.zeros((1, 4, 4, 1), "float32")), ((2, 2), (2, 2), ((0, 0), (0, 0)))
    y, winner = engines.engine_for("max_pool", (x,), *geometry)(x)
    g = put(np.ones((1, 2, 2, 1), "float32"))
    grad = engines.engine_for("max_pool_grad", (g, *winner), x.shape, *geometry)(g, *winner)
    expected = np.zeros((4, 4))
    expected[::2, ::2] = 1
    np.testing.assert_array_equal(get(grad)[0, :, :, 0], expected)


# ------------------------------------------------------------------------------------ choices


def arrays(dtype="float32"):
    return normal(2, 6, 6, 3, dtype=dtype), normal(3, 3, 3, 4, dtype=dtype)


PLAIN_CONV = ((1, 1), SAME, (1, 1), 1)


def test_plans_are_made_once(library, engines):
    x, w = arrays()
    run = engines.engine_for("conv", (x, w), *PLAIN_CONV)
    planned = len(library.calls)
    assert engines.engine_for("conv", (x + 1, w), *PLAIN_CONV) is run
    assert len(library.calls) == planned
    run(x, w)
    assert library.names()[planned:] == ["cudnnConvolutionForward"]
    engines.device.number = 1  # heuristics of another GPU may differ
    assert engines.engine_for("conv", (x, w), *PLAIN_CONV) is not run


@pytest.mark.parametrize(
    "dtype, flags, algorithm, math",
    [
        ("float32", {}, 1, 3),
        ("float32", {"tf32": True}, 1, 1),
        ("float16", {}, 1, 1),
        ("float64", {}, 1, 1),
        ("float32", {"deterministic": True}, 0, 3),
        ("float32", {"tf32": True, "deterministic": True}, 0, 0),
        ("float32", {"workspace_limit": 100}, 0, 3),
        ("float32", {"workspace_limit": 64}, 0, 3),
    ],
)
def test_algorithms(library, engines, dtype, flags, algorithm, math):
    engines.flags = Flags(**flags)
    x, w = arrays(dtype)
    engines.engine_for("conv", (x, w), *PLAIN_CONV)(x, w)
    (executed,) = library.executed
    assert (executed.algorithm, executed.math) == (algorithm, math)


def test_deterministic_pooling(library, engines):
    for deterministic, mode in (False, 0), (True, 3):
        engines.flags = Flags(deterministic=deterministic)
        engines.engine_for("max_pool", (arrays()[0],), (2, 2), (2, 2), ((0, 0), (0, 0)))
        (_, arguments) = [c for c in library.calls if c[0] == "cudnnSetPooling2dDescriptor"][-1]
        assert arguments[1] == mode


x32, w32 = arrays()
UNPADDED_3D = ((1,) * 3, ((0, 0),) * 3, (1,) * 3, 1)
DECLINED = [  # reason in the log, kernel, arrays, arguments
    ("dtype", "conv", (x32.astype("int32"), w32.astype("int32")), PLAIN_CONV),
    ("empty", "conv", (x32[:0], w32), PLAIN_CONV),
    ("32-bit", "conv", (np.broadcast_to(x32[:1], (2**27, 6, 6, 3)), w32), PLAIN_CONV),
    ("32-bit", "conv", (np.broadcast_to(x32[:1], (2**24, 6, 6, 3)), w32), PLAIN_CONV),
    ("output sizes", "conv", (x32, w32), ((1, 1), ((-2, -2), (0, 0)), (1, 1), 1)),
    ("unknown kernel", "scatter_add", (x32,), ()),
    ("not 1 or 2 spatial", "conv", (normal(1, 4, 4, 4, 2), normal(2, 2, 2, 2, 3)), UNPADDED_3D),
    ("output sizes", "conv_input_grad", (x32[:, :3], w32), ((2, 6, 6, 4), *PLAIN_CONV)),
]


@pytest.mark.parametrize("reason, kernel, operands, arguments", DECLINED)
def test_no_engine(engines, caplog, reason, kernel, operands, arguments):
    with caplog.at_level("INFO", logger=E.__name__):
        assert engines.engine_for(kernel, operands, *arguments) is None
    assert reason in caplog.messages[-1]


def test_no_algorithm_under_the_limit(engines, caplog):
    engines.flags = Flags(workspace_limit=63)
    with caplog.at_level("INFO", logger=E.__name__):
        assert engines.engine_for("conv", (x32, w32), *PLAIN_CONV) is None
    assert "none of 3 ranked algorithms is usable" in caplog.messages[-1]


@pytest.mark.parametrize("status", [NOT_SUPPORTED, BAD_PARAM])
@pytest.mark.parametrize(
    "function",
    ["cudnnGetConvolutionForwardAlgorithm_v7", "cudnnGetConvolutionForwardWorkspaceSize"],
)
def test_cudnn_declines_while_planning(library, engines, function, status):
    library.failing[function] = status
    assert engines.engine_for("conv", (x32, w32), *PLAIN_CONV) is None


@pytest.mark.parametrize(
    "function", ["cudnnConvolutionForward", "cudnnGetConvolutionForwardAlgorithm_v7"]
)
def test_failures_are_raised(library, engines, function):
    library.failing[function] = EXECUTION_FAILED
    text = r" failed with CUDNN_STATUS_5000 \(status 5000\). why it failed .*LAYERKIT_CUDNN=0"
    message = function + text
    with pytest.raises(C.CudnnError, match=message):
        engines.engine_for("conv", (x32, w32), *PLAIN_CONV)(x32, w32)


def test_one_handle_per_thread_and_device(library, cudnn, engines):
    run = engines.engine_for("conv", (x32, w32), *PLAIN_CONV)
    run(x32, w32)
    thread = threading.Thread(target=run, args=(x32, w32))
    thread.start()
    thread.join()
    assert library.names().count("cudnnCreate") == 2
    cudnn.device.number = 1
    cudnn.handle()
    assert library.names().count("cudnnCreate") == 3


def test_work_goes_to_the_current_stream(library, engines):
    run = engines.engine_for("conv", (x32, w32), *PLAIN_CONV)
    for stream in (2**40, 2**40, 2**41, 0):
        engines.device.stream = stream
        run(x32, w32)
    # The default stream is the null pointer.
    assert [e.stream for e in library.executed] == [2**40, 2**40, 2**41, None]
    assert library.names().count("cudnnSetStream") == 4


def test_descriptors_and_handles_are_destroyed(library):
    cudnn = C.Cudnn(library, HostDevice())
    engines = E.Engines([cudnn], cudnn.device)
    x, w = arrays()
    engines.engine_for("conv", (x, w), *PLAIN_CONV)(x, w)
    assert len(library.objects) == 5
    engines._choice.cache_clear()
    assert len(library.objects) == 1  # the handle
    cudnn._thread.__dict__.clear()
    assert not library.objects


# ---------------------------------------------------------------------------- the library itself


def test_switched_off(monkeypatch):
    monkeypatch.setenv("LAYERKIT_CUDNN", "0")
    assert C.load_library() is None
    assert C.Cudnn.open(HostDevice()) is None


def test_search(monkeypatch, tmp_path):
    monkeypatch.delenv("LAYERKIT_CUDNN", raising=False)
    tried = []

    def load(path):
        tried.append(path)
        raise OSError("not a library")

    monkeypatch.setattr(C.ctypes, "CDLL", load)
    monkeypatch.setattr(C.sys, "path", [str(tmp_path)])
    for place in ("nvidia/cudnn/lib", "torch/lib"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "libcudnn.so.9").touch()
    assert C.load_library() is None
    assert [Path(p).parent.parent.name for p in tried[:2]] == ["cudnn", "torch"]
    assert tried[2:] == ["libcudnn.so.9"]


def test_open(monkeypatch, library):
    monkeypatch.setattr(C, "load_library", lambda: library)
    assert isinstance(C.Cudnn.open(HostDevice()), C.Cudnn)
    library.failing["cudnnCreate"] = NOT_INITIALIZED
    with pytest.warns(
        RuntimeWarning, match="found .stand-in. but does not start: cudnnCreate failed"
    ):
        assert C.Cudnn.open(HostDevice()) is None


@pytest.fixture
def real():
    library = C.load_library()
    if library is None:
        pytest.skip("no libcudnn")
    return library


def test_descriptors_of_the_real_library(real):
    engines = C.Cudnn(real, HostDevice())
    x = engines.images((4, 31, 33, 8), "float32")
    filters = engines.descriptor("Filter", "cudnnSetFilter4dDescriptor", 0, 1, 16, 4, 3, 5)
    settings = "cudnnSetConvolution2dDescriptor"
    convolution = engines.descriptor("Convolution", settings, 1, 2, 2, 3, 2, 1, 1, 0)
    engines.call("cudnnSetConvolutionGroupCount", convolution, 2)
    engines.call("cudnnSetConvolutionMathType", convolution, 3)
    settings = "cudnnSetPooling2dDescriptor"
    pooling = engines.descriptor("Pooling", settings, 1, 1, 3, 2, 1, 0, 2, 2)
    sizes = [ctypes.c_int() for _ in range(4)]
    p = ctypes.c_void_p
    real.cudnnGetConvolution2dForwardOutputDim.argtypes = [p] * 7
    real.cudnnGetPooling2dForwardOutputDim.argtypes = [p] * 6
    out = [ctypes.byref(size) for size in sizes]
    assert not real.cudnnGetConvolution2dForwardOutputDim(convolution, x, filters, *out)
    assert [size.value for size in sizes] == [4, 16, 15, 11]
    assert not real.cudnnGetPooling2dForwardOutputDim(pooling, x, *out)
    assert [size.value for size in sizes] == [4, 8, 16, 16]
    with pytest.raises(C.CudnnError, match="cudnnSetConvolution2dDescriptor failed with CUDNN_"):
        engines.call("cudnnSetConvolution2dDescriptor", convolution, -1, 0, 1, 1, 1, 1, 1, 0)


def test_signatures_and_constants_are_those_of_the_headers(real):
    include = Path(real._name).parent.parent / "include"
    text = "\n".join(path.read_text() for path in include.glob("cudnn_*_v9.h"))
    if not text:
        pytest.skip("no headers beside the library")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for name, signature in C._SIGNATURES.items():
        (arguments,) = re.findall(rf"CUDNNWINAPI\s+{name}\(([^)]*)\)", text)
        assert signature == "".join(letter(a) for a in arguments.split(",")), name
    values = dict(re.findall(r"(CUDNN_\w+)(?: CUDNN_DEPRECATED_ENUM)?\s*=\s*(\d+)", text))
    for name, value in {
        **{
            f"CUDNN_DATA_{n}": v
            for n, v in zip(
                ("FLOAT", "DOUBLE", "HALF", "BFLOAT16"), C._DATA_TYPES.values(), strict=True
            )
        },
        "CUDNN_TENSOR_NCHW": C._NCHW,
        "CUDNN_TENSOR_NHWC": C._NHWC,
        "CUDNN_TENSOR_OP_MATH": C._TENSOR_OP_MATH,
        "CUDNN_FMA_MATH": C._FMA_MATH,
        "CUDNN_DEFAULT_MATH": C._DEFAULT_MATH,
        "CUDNN_CROSS_CORRELATION": C._CROSS_CORRELATION,
        "CUDNN_DETERMINISTIC": C._DETERMINISTIC,
        "CUDNN_POOLING_MAX": C._POOL_MAX,
        "CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING": C._POOL_MEAN_WITH_PADS,
        "CUDNN_POOLING_MAX_DETERMINISTIC": C._POOL_MAX_DETERMINISTIC,
        "CUDNN_PROPAGATE_NAN": C._PROPAGATE_NAN,
        "CUDNN_STATUS_BAD_PARAM": BAD_PARAM,
        "CUDNN_STATUS_NOT_SUPPORTED": NOT_SUPPORTED,
    }.items():
        assert int(values[name]) == value, name


def letter(argument):
    """p, i or z for an argument of a C prototype."""
    kind = argument.replace("const ", "").split()[0]
    if (
        "*" in argument
        or kind.endswith("Descriptor_t")
        or kind in ("cudnnHandle_t", "cudaStream_t")
    ):
        return "p"
    return "z" if kind == "size_t" else "i"
