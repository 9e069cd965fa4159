"""Products of matrices by cuBLAS: on a stand-in library over the strict stand-in for CuPy."""

from __future__ import annotations

import ctypes
import itertools
import sys
import threading
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from fakes import strict_cupy
from fakes.cublas import FakeCublas
from fakes.device import strict_cupy_backend

from layerkit.backend import cublas as C
from layerkit.backend.nvidia import CupyDevice, Flags

TOLERANCE = {"float32": 1e-5, "float64": 1e-13, "float16": 2e-3, "bfloat16": 2e-2}
EXECUTION_FAILED, NOT_INITIALIZED = 13, 1


@pytest.fixture
def cp():
    return strict_cupy.make()


@pytest.fixture
def library(cp):
    return FakeCublas(cp)


@pytest.fixture
def cublas(library, cp):
    return C.Cublas(library, CupyDevice(cp))


def normal(*shape, dtype="float32"):
    return np.random.default_rng(shape).standard_normal(shape).astype(dtype)


def dtype_of(name):
    return np.dtype(name if name != "bfloat16" else pytest.importorskip("ml_dtypes").bfloat16)


# ------------------------------------------------------------------------------------- values


def transposed(x):
    """The same values, the last two axes lying in the other order."""
    return np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2)


def columns_of_more(x):
    """Within rows that are longer: a leading dimension that is not the number of columns."""
    wide = np.full((*x.shape[:-1], x.shape[-1] + 3), np.nan, x.dtype)
    wide[..., 1:-2] = x
    return wide[..., 1:-2]


def rows_of_more(x):
    return columns_of_more(x.swapaxes(-1, -2)).swapaxes(-1, -2)


def every_other(x):
    """No stride is 1: to be copied."""
    return np.repeat(x, 2, axis=-1)[..., ::2]


def upside_down(x):
    return np.flip(np.ascontiguousarray(np.flip(x, -2)), -2)


def outermost_last(x):
    """A batch that lies innermost."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)


def batch_backwards(x):
    return np.flip(np.ascontiguousarray(np.flip(x, 0)), 0)


def batch_swapped(x):
    """Two axes of a batch, the inner one lying outside."""
    if x.ndim < 4:
        return x
    return np.ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1)


def between_elements(x):
    """Rows that are no whole number of elements apart."""
    rows = np.zeros((*x.shape[:-1], x.shape[-1] * x.itemsize + 1), "uint8")
    y = np.ndarray(x.shape, x.dtype, rows, strides=(*rows.strides[:-1], x.itemsize))
    y[...] = x
    return y


def added_axis(x):
    """One row, no step away from itself."""
    return np.broadcast_to(x[0], x.shape)


LAYOUTS = [np.ascontiguousarray, transposed, columns_of_more, rows_of_more, every_other]
LAYOUTS += [upside_down, outermost_last, batch_backwards, batch_swapped]
LAYOUTS += [between_elements]
SHAPES = [
    ((3, 4), (4, 5)),
    ((1, 4), (4, 5)),
    ((3, 4), (4, 1)),
    ((3, 1), (1, 5)),
    ((1, 1), (1, 1)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 3, 4), (4, 5)),
    ((3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (2, 6, 4, 5)),
    ((2, 6, 3, 4), (2, 6, 4, 5)),
    ((6, 1, 3, 4), (1, 2, 4, 5)),
    ((1, 1, 3, 4), (1, 4, 5)),
    ((2, 1, 4), (2, 4, 1)),
]


def put(cp, x):
    """`x` on the device, in the same layout."""
    root = x
    while isinstance(root.base, np.ndarray):
        root = root.base
    there = cp.ndarray._of(root.copy())
    offset = x.ctypes.data - root.ctypes.data
    return cp.ndarray(x.shape, x.dtype, there.data + offset, x.strides)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_values(cublas, library, cp, shapes, dtype):
    dtype = dtype_of(dtype)
    hosts = [normal(*shape, dtype=dtype) for shape in shapes]
    wide = [x.astype("float64") for x in hosts]
    expected = np.matmul(*wide)
    tolerance = TOLERANCE[dtype.name] * max(1, abs(expected).max())
    for layouts in itertools.product(LAYOUTS, LAYOUTS):
        a, b = (put(cp, layout(x)) for layout, x in zip(layouts, hosts, strict=True))
        count = len(library.executed)
        y = cublas.matmul(a, b)
        assert y is not None and len(library.executed) == count + 1, layouts
        assert y.dtype == dtype and y.shape == expected.shape and y.flags.c_contiguous
        np.testing.assert_allclose(
            y.get().astype("float64"), expected, rtol=0, atol=tolerance, err_msg=str(layouts)
        )


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_out(cublas, cp, shapes):
    a, b = (put(cp, normal(*shape)) for shape in shapes)
    expected = np.matmul(a.get(), b.get())
    out = cp.empty((2, *expected.shape), "float32")
    place = out[1]
    assert cublas.matmul(a, b, place) is place
    np.testing.assert_allclose(out[1].get(), expected, rtol=1e-5, atol=1e-5)
    assert np.isnan(out[0].get()).all()


AS_THEY_LIE = [  # operands' layouts and shapes, operations, leading dimensions, steps
    ((np.ascontiguousarray, (3, 4)), (np.ascontiguousarray, (4, 5)), (0, 0), (4, 5), None),
    ((transposed, (3, 4)), (np.ascontiguousarray, (4, 5)), (1, 0), (3, 5), None),
    ((np.ascontiguousarray, (3, 4)), (transposed, (4, 5)), (0, 1), (4, 4), None),
    ((columns_of_more, (3, 4)), (rows_of_more, (4, 5)), (0, 1), (7, 7), None),
    ((transposed, (2, 3, 4)), (transposed, (2, 4, 5)), (1, 1), (3, 4), (12, 20)),
    ((np.ascontiguousarray, (2, 3, 4)), (transposed, (4, 5)), (0, 1), (4, 4), (12, 0)),
    ((transposed, (3, 4)), (np.ascontiguousarray, (2, 6, 4, 5)), (1, 0), (3, 5), (0, 20)),
    ((transposed, (2, 1, 3, 4)), (transposed, (2, 1, 4, 5)), (1, 1), (3, 4), (12, 20)),
    ((added_axis, (1, 4)), (np.ascontiguousarray, (4, 5)), (0, 0), (4, 5), None),
    ((every_other, (1, 4)), (np.ascontiguousarray, (4, 5)), (1, 0), (2, 5), None),
]


@pytest.mark.parametrize("first, second, operations, leading, steps", AS_THEY_LIE)
def test_operands_are_read_where_they_lie(
    cublas, library, cp, first, second, operations, leading, steps
):
    a, b = (put(cp, layout(normal(*shape))) for layout, shape in (first, second))
    cublas.matmul(a, b)
    blocks = cp.allocations
    cublas.matmul(a, b)
    assert cp.allocations == blocks + 1  # the result
    name, arguments = library.calls[-1]
    width = 3 if steps is None else 4
    y, x = arguments[7 : 7 + width], arguments[7 + width : 7 + 2 * width]  # b comes before a
    assert name == ("cublasGemmEx" if steps is None else "cublasGemmStridedBatchedEx")
    assert arguments[1:3] == operations[::-1]
    assert (x[0], y[0]) == (a.data.ptr, b.data.ptr)
    assert (x[2], y[2]) == leading
    assert steps is None or (x[3], y[3]) == steps


def test_rows_that_overlap(cublas, cp):
    host = np.lib.stride_tricks.sliding_window_view(normal(9), 3)[::2]
    x = cp.ndarray(host.shape, "float32", cp.asarray(normal(9)).data, host.strides)
    for a, b, expected in (x, x.T, host @ host.T), (x.T, x, host.T @ host):
        np.testing.assert_allclose(cublas.matmul(a, b).get(), expected, rtol=1e-5, atol=1e-6)


COPIES = [  # operands' layouts and shapes, elements that are copied
    ((every_other, (3, 4)), (np.ascontiguousarray, (6, 4, 5)), 12),
    ((np.ascontiguousarray, (6, 3, 4)), (every_other, (1, 4, 5)), 20),
    ((batch_swapped, (2, 6, 3, 4)), (np.ascontiguousarray, (2, 6, 4, 5)), 144),
    ((np.ascontiguousarray, (6, 1, 3, 4)), (np.ascontiguousarray, (1, 2, 4, 5)), 144 + 240),
]


@pytest.mark.parametrize("first, second, elements", COPIES)
def test_no_more_is_copied_than_must_be(cublas, cp, monkeypatch, first, second, elements):
    a, b = (put(cp, layout(normal(*shape))) for layout, shape in (first, second))
    copy, copied = cp.ascontiguousarray, []
    monkeypatch.setattr(cp, "ascontiguousarray", lambda x: copied.append(x.size) or copy(x))
    cublas.matmul(a, b)
    assert sum(copied) == elements


LEFT = [  # operands
    (normal(3, 4).astype("int32"), normal(4, 5).astype("int32")),
    (normal(3, 4), normal(4, 5, dtype="float64")),
    (normal(4), normal(4, 5)),
    (normal(3, 4), normal(4)),
    (normal(0, 4), normal(4, 5)),
    (normal(3, 0), normal(0, 5)),
    (normal(0, 3, 4), normal(4, 5)),
    (normal(3, 4), normal(5, 4)),
    (normal(2, 3, 4), normal(3, 4, 5)),
    (np.broadcast_to(normal(1, 1), (2**31, 1)), normal(1, 1)),
    (np.lib.stride_tricks.as_strided(normal(2, 1), strides=(2**33, 4)), normal(1, 1)),
]


@pytest.mark.parametrize("a, b", LEFT, ids=lambda x: f"{x.dtype}{x.shape}")
def test_what_is_left_to_the_reference(cublas, library, cp, a, b):
    assert cublas.matmul(cp.ndarray._of(a), cp.ndarray._of(b)) is None
    assert not library.executed


def test_results_that_are_left_to_the_reference(cublas, library, cp):
    a, b = put(cp, normal(3, 4)), put(cp, normal(4, 5))
    for out in cp.empty((5, 3), "float32").T, cp.empty((3, 5)), cp.empty((1, 5), "float32"):
        assert cublas.matmul(a, b, out) is None
    assert not library.executed


def test_the_backend_falls_back_to_the_reference():
    gpu = strict_cupy_backend()
    executed = gpu._cublas._functions["cublasGemmEx"].library.executed
    for a, b in LEFT[:7]:
        result = gpu.matmul(gpu.asarray(a), gpu.asarray(b))
        np.testing.assert_allclose(gpu.to_numpy(result), np.matmul(a, b), rtol=1e-5, atol=1e-5)
    out = gpu.xp.empty((3, 5))
    assert gpu.matmul(gpu.asarray(normal(3, 4)), gpu.asarray(normal(4, 5)), out) is out
    np.testing.assert_allclose(gpu.to_numpy(out), normal(3, 4) @ normal(4, 5), rtol=1e-5)
    assert not executed
    with pytest.raises(ValueError, match="mismatch in its core dimension"):
        gpu.matmul(*map(gpu.asarray, LEFT[7]))


# ------------------------------------------------------------------------------------ choices


@pytest.mark.parametrize(
    "dtype, tf32, compute",
    [
        ("float32", False, 68),
        ("float32", True, 77),
        ("float64", True, 70),
        ("float16", True, 68),
        ("bfloat16", False, 68),
    ],
)
def test_how_exact(cublas, library, cp, dtype, tf32, compute):
    dtype = dtype_of(dtype)
    a, b = put(cp, normal(3, 4, dtype=dtype)), put(cp, normal(4, 5, dtype=dtype))
    for cublas.flags in Flags(tf32=not tf32), Flags(tf32=tf32):
        cublas.matmul(a, b)
    assert library.executed[-1].compute == compute
    assert library.executed[-1].math == 16  # sums of halves stay in float32


def test_halves_are_added_up_in_float32(cublas, cp):
    ones = cp.ones((1, 4096), "float16")
    assert cublas.matmul(ones, ones.T).item() == 4096  # in float16 it would stop at 2048


def test_one_flag_for_both_libraries():
    gpu = strict_cupy_backend()
    assert gpu.has_cublas and not gpu.has_cudnn and gpu.flags == Flags()
    gpu.flags = Flags(tf32=True)
    assert gpu._cublas.flags.tf32
    gpu._engines = SimpleNamespace(flags=Flags(), found=["cudnn"])
    gpu.flags = flags = Flags(tf32=True, deterministic=True)
    assert gpu._engines.flags == gpu._cublas.flags == gpu.flags == flags


def test_convolutions_go_through_it():
    gpu = strict_cupy_backend()
    library = gpu._cublas._functions["cublasGemmEx"].library
    x, w = gpu.asarray(normal(2, 5, 5, 4)), gpu.asarray(normal(3, 3, 4, 6))
    geometry, executed = ((1, 1), ((1, 1), (1, 1)), (1, 1)), library.executed
    y = gpu.conv(x, w, *geometry, 1)
    gpu.conv_input_grad(y, w, x.shape, *geometry, 1)
    gpu.conv_kernel_grad(x, y, w.shape, *geometry, 1)
    assert [e.count for e in executed] == [1, 1, 1]
    executed.clear()
    w = gpu.asarray(normal(3, 3, 2, 6))
    y = gpu.conv(x, w, *geometry, 2)
    gpu.conv_input_grad(y, w, x.shape, *geometry, 2)
    gpu.conv_kernel_grad(x, y, w.shape, *geometry, 2)
    assert [e.count for e in executed] == [2, 2, 2]


# ----------------------------------------------------------------------------------- captures


def test_a_captured_graph_computes_products(cublas, library, cp):
    host = normal(2, 3, 4), normal(4, 5), normal(2, 5, 3)
    a, b, c = map(cp.asarray, host)
    cublas.matmul(a, b)  # the handle is made
    stream = cp.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        with pytest.raises(NotImplementedError, match="during stream capture"):
            cp.matmul(a, b)
        y = cublas.matmul(cublas.matmul(a, b), c)
        z = cublas.matmul(a[:, ::2, ::2], b[::2])  # copied in the graph
        graph = stream.end_capture()
    assert np.isnan(y.get()).all() and np.isnan(z.get()).all()
    for factor in 1, 2:
        a[...] = cp.asarray(host[0]) * factor
        graph.launch(stream)
        np.testing.assert_allclose(y.get(), factor * (host[0] @ host[1] @ host[2]), rtol=1e-4)
        expected = factor * (host[0][:, ::2, ::2] @ host[1][::2])
        np.testing.assert_allclose(z.get(), expected, rtol=1e-4, atol=1e-6)
    assert {e.stream for e in list(library.executed)[1:]} == {stream.ptr}


def test_a_handle_is_not_made_during_capture(cublas, cp):
    a, stream = cp.ones((3, 3), "float32"), cp.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        with pytest.raises(RuntimeError, match="capturing"):
            cublas.matmul(a, a)
        stream.end_capture()


def test_each_stream_has_its_own_scratch_memory(cublas, library, cp):
    a = cp.ones((3, 3), "float32")
    first, second = (cp.cuda.Stream(non_blocking=True) for _ in range(2))
    for stream in first, first, second, first, cp.cuda.Stream.null:
        with stream:
            cublas.matmul(a, a)
    given = [arguments for name, arguments in library.calls if name == "cublasSetWorkspace_v2"]
    assert [nbytes for _, _, nbytes in given] == [C._WORKSPACE_BYTES] * 4
    addresses = [address for _, address, _ in given]
    assert addresses[0] == addresses[2] and len(set(addresses)) == 3
    streams = [arguments[1] for name, arguments in library.calls if name == "cublasSetStream_v2"]
    assert streams == [first.ptr, second.ptr, first.ptr, None]  # null is the default stream


def test_one_handle_and_scratch_memory_per_thread(cublas, library, cp):
    a = cp.ones((3, 3), "float32")
    cublas.matmul(a, a)
    thread = threading.Thread(target=cublas.matmul, args=(a, a))
    thread.start()
    thread.join()
    assert library.names().count("cublasCreate_v2") == 2
    assert len(cublas._workspaces) == 2  # also that of the thread that is gone: graphs may use it
    assert len(library.objects) == 1
    cublas._thread.__dict__.clear()
    assert not library.objects


@pytest.mark.parametrize("function", ["cublasGemmEx", "cublasSetStream_v2", "cublasCreate_v2"])
def test_failures_are_raised(cublas, library, cp, function):
    library.failing[function] = EXECUTION_FAILED
    a = cp.ones((3, 3), "float32")
    message = function + r" failed with CUBLAS_STATUS_13 \(status 13\). .*LAYERKIT_CUBLAS=0"
    with pytest.raises(C.CublasError, match=message) as caught:
        cublas.matmul(a, a)
    assert caught.value.status == EXECUTION_FAILED


# --------------------------------------------------------------------------- the stand-in itself


WRONG = {  # m, n, k, leading dimensions: none of them legal
    "a": (4, 3, 2, 3, 2, 4),
    "b": (4, 3, 2, 4, 1, 4),
    "c": (4, 3, 2, 4, 2, 3),
    "zero": (1, 1, 0, 1, 0, 1),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_stand_in_refuses_leading_dimensions(cublas, cp, case):
    m, n, k, lda, ldb, ldc = WRONG[case]
    x, one = cp.ones(64, "float32"), ctypes.byref(ctypes.c_float(1))
    with pytest.raises(C.CublasError, match="status 7"):
        cublas.call(
            "cublasGemmEx",
            cublas.handle(),
            *(0, 0, m, n, k, one, x.data.ptr, 0, lda, x.data.ptr, 0, ldb),
            *(one, x.data.ptr, 0, ldc, 68, -1),
        )


def test_the_stand_in_finds_what_lies_outside_of_arrays(cublas, cp):
    x, one = cp.ones(15, "float32"), ctypes.byref(ctypes.c_float(1))
    y = cp.ones(16, "float32")
    arguments = (0, 4, y.data.ptr, 0, 4, one, y.data.ptr, 0, 4, 68, -1)
    with pytest.raises(AssertionError, match="64 bytes at .* lie in no array"):
        cublas.call("cublasGemmEx", cublas.handle(), 0, 0, 4, 4, 4, one, x.data.ptr, *arguments)


# ---------------------------------------------------------------------------- the library itself


def test_switched_off(monkeypatch, cp):
    monkeypatch.delenv("LAYERKIT_CUBLAS", raising=False)
    monkeypatch.setattr(C.ctypes, "CDLL", lambda path: path)
    assert C.load_library()
    monkeypatch.setenv("LAYERKIT_CUBLAS", "0")
    assert C.load_library() is None
    assert C.Cublas.open(CupyDevice(cp)) is None


@pytest.fixture
def tried(monkeypatch):
    """The libraries that were looked for; none is found."""
    monkeypatch.delenv("LAYERKIT_CUBLAS", raising=False)
    names = []

    def load(path):
        names.append(path)
        raise OSError("not a library")

    monkeypatch.setattr(C.ctypes, "CDLL", load)
    return names


def missing(name):
    raise RuntimeError(f"{name} was not found")


FOUND = "/cuda/libcublas.so.13"
FINDERS = {
    "cuda's": (lambda name: SimpleNamespace(abs_path=f"/cuda/lib{name}.so.13"), [FOUND]),
    "no path": (lambda name: SimpleNamespace(abs_path=None), []),
    "missing": (missing, []),
    "no finder": (None, []),
}


@pytest.mark.parametrize("case", FINDERS)
def test_search(monkeypatch, tried, case):
    find, paths = FINDERS[case]
    finder = ModuleType("cuda.pathfinder")
    finder.load_nvidia_dynamic_lib = find
    monkeypatch.setitem(sys.modules, "cuda", ModuleType("cuda"))
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", finder if find else None)
    assert C.load_library() is None
    assert tried == [*paths, "libcublas.so.13", "libcublas.so.12"]


def test_open(monkeypatch, library, cp):
    monkeypatch.setattr(C, "load_library", lambda: library)
    flags = Flags(tf32=True)
    assert C.Cublas.open(CupyDevice(cp), flags).flags == flags
    library.failing["cublasCreate_v2"] = NOT_INITIALIZED
    with pytest.warns(RuntimeWarning, match="found .stand-in. but does not start: cublasCreate_v2"):
        assert C.Cublas.open(CupyDevice(cp)) is None


def test_the_real_library_has_the_functions(cp):
    library = C.load_library()
    if library is None:
        pytest.skip("no libcublas")
    cublas = C.Cublas(library, CupyDevice(cp))
    assert "f failed with CUBLAS_STATUS_" in str(cublas._error("f", 15))


def test_values_on_a_gpu():
    cupy = pytest.importorskip("cupy")
    cublas = C.Cublas.open(CupyDevice(cupy)) if cupy.cuda.is_available() else None
    if cublas is None:
        pytest.skip("no GPU, or no cuBLAS")
    turned = lambda x: x.swapaxes(-1, -2).copy().swapaxes(-1, -2)  # noqa: E731
    for dtype, shapes in itertools.product(("float32", "float64", "float16"), SHAPES):
        hosts = [normal(*shape, dtype=dtype) for shape in shapes]
        expected = np.matmul(*(x.astype("float64") for x in hosts))
        tolerance = TOLERANCE[dtype] * max(1, abs(expected).max())
        a, b = map(cupy.asarray, hosts)
        for operands in itertools.product((a, turned(a)), (b, turned(b))):
            y = cublas.matmul(*operands).get().astype("float64")
            np.testing.assert_allclose(y, expected, rtol=0, atol=tolerance)
