"""Tests of the fake itself: what it refuses, where it agrees with NumPy, what it logs."""

import importlib.util
import json
import sys

import numpy as np
import pytest
from fakes import make_cupy_api, strict_cupy
from fakes.strict_cupy.api import API


@pytest.fixture
def cp():
    return strict_cupy.make()


X = np.arange(1, 13, dtype="float32").reshape(3, 4) / 4
I = np.array([[2, 0, 1, 3], [1, 1, 0, 2], [0, 3, 2, 1]])  # noqa: E741
HOST = np.ones((3, 4), "float32")

REFUSALS = {
    "cp + np": (lambda cp, x: x + HOST, TypeError, "Unsupported type <class 'numpy.ndarray'>"),
    "np + cp": (lambda cp, x: HOST + x, TypeError, "Unsupported type"),
    "np += cp": (lambda cp, x: HOST.copy().__iadd__(x), TypeError, "."),
    "cp += np": (lambda cp, x: x.__iadd__(HOST), TypeError, "Unsupported type"),
    "cp @ np": (lambda cp, x: x @ HOST.T, TypeError, "Unsupported type"),
    "cp == None": (lambda cp, x: x == None, TypeError, "Unsupported type"),  # noqa: E711
    "cp + list": (lambda cp, x: x + [1, 2, 3, 4], TypeError, "Unsupported type"),
    "add(cp, np)": (lambda cp, x: cp.add(x, HOST), TypeError, "Unsupported type"),
    "where(np, ...)": (lambda cp, x: cp.where(HOST > 0, x, x), TypeError, "numpy.ndarray"),
    "where(..., np)": (lambda cp, x: cp.where(x > 1, x, HOST), TypeError, "Unsupported type"),
    "where(.., np 0-d)": (lambda cp, x: cp.where(x > 1, x, np.zeros(())), TypeError, "Unsupp"),
    "concatenate np": (lambda cp, x: cp.concatenate([x, HOST]), TypeError, "Only cupy arrays"),
    "stack np": (lambda cp, x: cp.stack([HOST]), TypeError, "Only cupy arrays"),
    "sum(np)": (lambda cp, x: cp.sum(HOST), TypeError, "expects a cupy.ndarray"),
    "sum(list)": (lambda cp, x: cp.sum([1, 2]), TypeError, "expects a cupy.ndarray"),
    "einsum np": (lambda cp, x: cp.einsum("ij,ij->i", x, HOST), TypeError, "Unsupported type"),
    "full of np": (lambda cp, x: cp.full((3, 4), HOST), TypeError, "Unsupported type"),
    "asarray": (lambda cp, x: np.asarray(x), TypeError, "Implicit conversion"),
    "np.array": (lambda cp, x: np.array([x, x]), TypeError, "Implicit conversion"),
    "x[...] = np": (lambda cp, x: x.__setitem__(..., HOST), ValueError, "used for fill"),
    "x[ints] = np": (
        lambda cp, x: x.__setitem__(cp.arange(3), HOST),
        TypeError,
        "Unsupported type",
    ),
    "repeated places": (
        lambda cp, x: x.__setitem__(cp.zeros(2, int), x[:2]),
        AssertionError,
        "twice",
    ),
    "float index": (lambda cp, x: x[cp.zeros(2)], IndexError, "integer or boolean"),
    "where=": (lambda cp, x: cp.add(x, x, where=x > 1), TypeError, "Wrong arguments"),
    "sum(initial=)": (lambda cp, x: cp.sum(x, initial=0), TypeError, "initial"),
    "x.sum(where=)": (lambda cp, x: x.sum(where=x > 1), TypeError, "where"),
    "max(initial=)": (lambda cp, x: x.max(initial=0), TypeError, "initial"),
    "take(mode=)": (lambda cp, x: cp.take(x, x, mode="clip"), TypeError, "mode"),
    "einsum(out=)": (lambda cp, x: cp.einsum("ij->i", x, out=x), TypeError, "out"),
    "maximum.reduce": (lambda cp, x: cp.maximum.reduce(x), NotImplementedError, "reduce"),
    "multiply.at": (lambda cp, x: cp.multiply.at(x, 0, 2), NotImplementedError, "at"),
    "subtract.at float": (lambda cp, x: cp.subtract.at(x, cp.arange(2), 1.0), TypeError, "only"),
    "argsort(kind=)": (lambda cp, x: cp.argsort(x, kind="quicksort"), ValueError, "stable"),
    "cp.block": (lambda cp, x: cp.block, AttributeError, "no attribute 'block'"),
    "cp.errstate": (lambda cp, x: cp.errstate, AttributeError, "no attribute"),
    "cp.linalg.multi_dot": (lambda cp, x: cp.linalg.multi_dot, AttributeError, "no attribute"),
    "cp.random": (lambda cp, x: cp.random, AttributeError, "does not model"),
    "x.ctypes": (lambda cp, x: x.ctypes, AttributeError, "ctypes"),
    "x.setflags": (lambda cp, x: x.setflags, AttributeError, "setflags"),
    "range(cp)": (lambda cp, x: range(cp.asarray(3)), TypeError, "interpreted as an integer"),
    "np.insert(cp)": (lambda cp, x: np.insert(x, 0, 1), TypeError, "no implementation"),
    "object dtype": (lambda cp, x: cp.asarray([None]), ValueError, "Unsupported dtype"),
    "string dtype": (lambda cp, x: cp.asarray(["a"]), ValueError, "Unsupported dtype"),
    "set, other dtype": (lambda cp, x: x.set(HOST.astype(int)), TypeError, "cannot be set"),
    "bool(several)": (lambda cp, x: bool(x), ValueError, "ambiguous"),
    "hash": (lambda cp, x: hash(x), TypeError, "unhashable"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusal(cp, name):
    function, error, message = REFUSALS[name]
    with pytest.raises(error, match=message):
        function(cp, cp.asarray(X))


AGREEMENTS = {
    "operators": lambda xp, x, i: (2 * x + 1 - x / 3) ** 2 // 0.5 % 0.7,
    "numpy scalars": lambda xp, x, i: np.float64(2) * x,
    "python scalars keep the dtype": lambda xp, x, i: x.astype("float16") * 2.5,
    "int / int": lambda xp, x, i: i / i,
    "zero divided by zero": lambda xp, x, i: (x - x) / (x - x),
    "comparisons": lambda xp, x, i: (x > 1) & (x <= 2) | ~(x == 1),
    "matmul": lambda xp, x, i: x @ x.T,
    "tensordot": lambda xp, x, i: xp.tensordot(x, x, axes=([1], [1])),
    "einsum": lambda xp, x, i: xp.einsum("ij,kj->ik", x, x),
    "ufuncs": lambda xp, x, i: xp.exp(-x) + xp.log1p(x) * xp.tanh(x),
    "ufunc out": lambda xp, x, i: xp.multiply(x, 2, out=xp.zeros_like(x)),
    "numpy's function": lambda xp, x, i: np.concatenate([np.exp(x), x], axis=1),
    "sum": lambda xp, x, i: x.sum(axis=-1, keepdims=True),
    "sum of all": lambda xp, x, i: xp.sum(x),
    "mean, var": lambda xp, x, i: x.mean(0) + xp.var(x, axis=0, ddof=1),
    "argmax": lambda xp, x, i: xp.argmax(i, axis=1),
    "sort": lambda xp, x, i: xp.sort(i, axis=-1),
    "argsort": lambda xp, x, i: i.argsort(axis=1),
    "clip": lambda xp, x, i: xp.clip(x, 0.5, 2) + x.clip(1, None),
    "where": lambda xp, x, i: xp.where(x > 1, x, 0.0),
    "pad": lambda xp, x, i: xp.pad(x, ((1, 0), (0, 2))),
    "take": lambda xp, x, i: xp.take(x, i[0], axis=1),
    "take_along_axis": lambda xp, x, i: xp.take_along_axis(x, i, axis=1),
    "index arrays": lambda xp, x, i: x[i[:, 0], i[:, 1]],
    "mixed index": lambda xp, x, i: x[:, None, i[0]],
    "one element": lambda xp, x, i: x[1, 2],
    "mask": lambda xp, x, i: x[x > 1],
    "slices": lambda xp, x, i: x[::-1, 1:3].T,
    "windows": lambda xp, x, i: xp.lib.stride_tricks.sliding_window_view(x, (2, 2)).sum((2, 3)),
    "moveaxis": lambda xp, x, i: xp.moveaxis(x[None], 0, -1),
    "split": lambda xp, x, i: xp.split(x, 2, axis=1)[1],
    "stack": lambda xp, x, i: xp.stack([x, 2 * x], axis=1),
    "broadcast_to": lambda xp, x, i: xp.broadcast_to(x[0], (5, 4)),
    "tril": lambda xp, x, i: xp.tril(x) + xp.triu(x, 1),
    "cumsum": lambda xp, x, i: xp.cumsum(x, axis=1),
    "linalg.norm": lambda xp, x, i: xp.linalg.norm(x),
    "arange, eye": lambda xp, x, i: xp.arange(3, dtype="float32") @ xp.eye(3, 4, dtype="float32"),
    "reshape": lambda xp, x, i: x.reshape(2, -1).transpose(1, 0).ravel(),
    "isfinite": lambda xp, x, i: xp.isfinite(xp.log(x - 1)).all(),
    "copyto where": lambda xp, x, i: copied(xp, x, x[:1] > 1),
    "copyto where one bool": lambda xp, x, i: copied(xp, x, xp.isfinite(x).all()),
}


def copied(xp, x, where):
    out = xp.zeros_like(x)
    xp.copyto(out, x, where=where)
    return out


@pytest.mark.parametrize("name", AGREEMENTS)
def test_agrees_with_numpy(cp, name):
    function = AGREEMENTS[name]
    with np.errstate(all="ignore"):
        expected = np.asarray(function(np, X, I))
    result = function(cp, cp.asarray(X), cp.asarray(I))
    assert type(result) is cp.ndarray
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result.get(), expected)


def test_in_place_operations_and_views_share_memory(cp):
    x = cp.asarray(X)
    row = x[1]
    row += 1
    row[0] = 7
    x[2, 3] = x[0, 0]
    expected = X.copy()
    expected[1] += 1
    expected[1, 0], expected[2, 3] = 7, expected[0, 0]
    np.testing.assert_array_equal(x.get(), expected)


def test_asarray_copies_from_the_host_and_not_on_the_device(cp):
    host = X.copy()
    x = cp.asarray(host)
    host[:] = 0
    assert x.get()[0, 0] == X[0, 0]
    assert cp.asarray(x) is x
    assert len(cp.journal.h2d) == 1


def test_places_out_of_bounds_wrap(cp):
    x = cp.arange(4)
    assert x[cp.asarray([5, -6])].tolist() == [1, 2]
    assert cp.take(x, cp.asarray([9])).tolist() == [1]


def test_scatter_add(cp):
    x = cp.zeros(3, "float32")
    cp.add.at(x, cp.asarray([0, 2, 0]), cp.asarray([1, 2, 3], "float32"))
    assert x.tolist() == [4, 0, 2]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64"])
def test_empty_is_poison(cp, dtype):
    assert np.isnan(cp.empty((2, 2), dtype).get()).all()
    assert np.isnan(cp.empty_like(cp.zeros(2, dtype)).get()).all()
    assert cp.empty(1, "int32").item() > 2**30


SYNCS = {
    "float": lambda cp, x: float(x.sum()),
    "int": lambda cp, x: int(x.sum()),
    "bool": lambda cp, x: bool(x.sum() > 0),
    "item": lambda cp, x: x[0, 0].item(),
    "get": lambda cp, x: x.get(),
    "asnumpy": lambda cp, x: cp.asnumpy(x),
    "tolist": lambda cp, x: x.tolist(),
    "print": lambda cp, x: str(x),
    "nonzero": lambda cp, x: cp.nonzero(x),
    "where of one": lambda cp, x: cp.where(x > 1),
    "mask": lambda cp, x: x[x > 1],
    "mask written": lambda cp, x: x.__setitem__(x > 1, 0),
    "unique": lambda cp, x: cp.unique(x),
    "stream": lambda cp, x: cp.cuda.get_current_stream().synchronize(),
    "event": lambda cp, x: cp.cuda.get_current_stream().record().synchronize(),
    "device": lambda cp, x: cp.cuda.Device().synchronize(),
}


@pytest.mark.parametrize("name", SYNCS)
def test_synchronization_is_logged_with_its_place(cp, name):
    x = cp.asarray(X)
    assert not cp.journal.syncs
    SYNCS[name](cp, x)
    assert len(cp.journal.syncs) == 1
    assert "test_strict_cupy.py" in cp.journal.syncs[0]
    with pytest.raises(AssertionError, match="waited"), strict_cupy.no_syncs(cp):
        SYNCS[name](cp, x)


def test_a_step_of_arithmetic_does_not_synchronize(cp):
    x, w = cp.asarray(X), cp.ones((4, 2), "float32")
    with strict_cupy.no_syncs(cp):
        w -= 0.1 * (x.T @ cp.tanh(x @ w))
        x[:, 0] = w[0, 0]
        cp.add.at(x, cp.arange(2), 1.0)
    cp.journal.clear()
    x[[0, 1]]
    assert len(cp.journal.h2d) == 1 and not cp.journal.syncs


def test_memory_is_counted_and_freed(cp):
    pool = cp.get_default_memory_pool()
    x = cp.zeros(1000, "float32")
    view = x[2:].reshape(2, -1)
    assert pool.used_bytes() == 4096 and cp.allocations == 1
    del x
    assert pool.used_bytes() == 4096
    del view
    assert pool.used_bytes() == 0 and pool.total_bytes() == 4096
    pool.free_all_blocks()
    assert pool.total_bytes() == 0


def test_arena_of_views_on_one_block(cp):
    block = cp.cuda.alloc(32)
    a = cp.ndarray((4,), "float32", memptr=block)
    b = cp.ndarray((4,), "float32", memptr=block + 16)
    assert np.isnan(a.get()).all()
    a.fill(1)
    b[...] = 2
    whole = cp.ndarray((8,), "float32", memptr=a.data)
    assert whole.tolist() == [1] * 4 + [2] * 4
    assert b.data.ptr - a.data.ptr == 16


class Transfer:
    """A copy from pinned memory on a stream of its own, and the events that it needs."""

    def __init__(self, cp):
        self.cp, self.stream = cp, cp.cuda.Stream(non_blocking=True)
        self.memory = cp.cuda.alloc_pinned_memory(48)
        self.pinned = np.frombuffer(self.memory, "float32", 12).reshape(3, 4)
        self.x = cp.empty((3, 4), "float32")
        self.ready = cp.cuda.get_current_stream().record()
        self.copied = cp.cuda.Event(disable_timing=True)

    def send(self, value=1.0):
        self.copied.synchronize()
        self.stream.wait_event(self.ready)
        self.queue(value)

    def queue(self, value=1.0):
        self.pinned[...] = value
        self.x.set(self.pinned, stream=self.stream)
        self.copied.record(self.stream)

    def receive(self):
        self.cp.cuda.get_current_stream().wait_event(self.copied)
        self.ready.record()
        return self.x.copy()


def test_pinned_memory(cp):
    t = Transfer(cp)
    for value in 1, 2, 3:
        t.send(value)
        got = t.receive()
        t.ready.record()
        np.testing.assert_array_equal(got.get(), np.full((3, 4), value, "float32"))
    assert sum("Event.synchronize" in place for place in cp.journal.syncs) == 0  # `get` waited
    strict_cupy.check_order(cp)


def early_read(t):
    t.send()
    t.x.copy()


def early_read_by_a_kernel(t):
    t.send()
    t.cp.ElementwiseKernel("T x", "T y", "y = x", "copied")(t.x)


def copy_before_the_memory_is_free(t):
    t.queue()


def copy_while_it_is_read(t):
    t.send()
    t.receive()  # its read comes after the record
    t.copied.synchronize()
    t.stream.wait_event(t.ready)
    t.queue()


def host_writes_too_early(t):
    t.send()
    t.receive()
    t.pinned[...] = 2  # the default stream has waited, the host has not
    strict_cupy.check_order(t.cp)


def host_writes_after_another_event(t):
    t.send()
    t.ready.synchronize()
    t.pinned[...] = 2
    t.cp.cuda.get_current_stream().record()


def pinned_memory_given_back(t):
    t.send()
    t.pinned = t.memory = None
    strict_cupy.check_order(t.cp)


def device_memory_given_back(t):
    t.send()
    t.x = None
    strict_cupy.check_order(t.cp)


DISORDER = {
    early_read: "reads memory and has not waited for stream 0x[1-9a-f][0-9a-f]*, which wrote to it",
    early_read_by_a_kernel: "reads memory and has not waited",
    copy_before_the_memory_is_free: "writes to memory and has not waited for stream 0x0, which wro",
    copy_while_it_is_read: "writes to memory and has not waited for stream 0x0, which reads it",
    host_writes_too_early: "Pinned memory was written to while a copy was reading it",
    host_writes_after_another_event: "Pinned memory was written to while a copy was reading it",
    pinned_memory_given_back: "Pinned memory was given back while a copy was reading it",
    device_memory_given_back: "Memory of the device was given back while a copy wrote to it",
}


@pytest.mark.parametrize("disorder", DISORDER, ids=lambda f: f.__name__)
def test_disorder_between_streams_is_found(cp, disorder):
    with pytest.raises(AssertionError, match=DISORDER[disorder]):
        disorder(Transfer(cp))


def test_copies_on_a_stream_need_contiguous_pinned_memory(cp):
    t = Transfer(cp)
    with pytest.raises(AssertionError, match="needs pinned memory"):
        t.x.set(X, stream=t.stream)
    with pytest.raises(AssertionError, match="needs contiguous memory"):
        t.x[:, 0].copy().set(t.pinned[:, 0], stream=t.stream)


def test_events_are_done_when_the_host_has_waited(cp):
    event, stream = cp.cuda.Event(), cp.cuda.Stream(non_blocking=True)
    event.synchronize()
    assert event.done and not cp.journal.syncs  # never recorded
    event.record(stream)
    assert not event.done
    stream.synchronize()
    assert event.done and stream.record().done is False
    later = stream.record()
    cp.cuda.Device().synchronize()
    assert later.done and len(cp.journal.syncs) == 2


IN_CAPTURE = {
    "matmul": (lambda cp, x: x @ x.T, NotImplementedError, "cuBLAS"),
    "dot": (lambda cp, x: cp.dot(x, x.T), NotImplementedError, "cuBLAS"),
    "tensordot": (lambda cp, x: cp.tensordot(x, x), NotImplementedError, "cuBLAS"),
    "einsum": (lambda cp, x: cp.einsum("ij,ij->", x, x), NotImplementedError, "cuBLAS"),
    "linalg.inv": (lambda cp, x: cp.linalg.inv(x[:, :3]), NotImplementedError, "cuSOLVER"),
    "asarray": (lambda cp, x: cp.asarray(HOST), RuntimeError, "capturing"),
    "scalar": (lambda cp, x: cp.array(0.5), RuntimeError, "capturing"),
    "list index": (lambda cp, x: x[[0, 1]], RuntimeError, "capturing"),
    "set": (lambda cp, x: x.set(HOST), RuntimeError, "capturing"),
    "get": (lambda cp, x: x.get(), RuntimeError, "capturing"),
    "float": (lambda cp, x: float(x[0, 0]), RuntimeError, "capturing"),
    "mask": (lambda cp, x: x[x > 1], RuntimeError, "capturing"),
}


@pytest.mark.parametrize("name", IN_CAPTURE)
def test_refused_in_capture(cp, name):
    function, error, message = IN_CAPTURE[name]
    x, stream = cp.asarray(X), cp.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        with pytest.raises(error, match=message):
            function(cp, x)
        stream.end_capture()
    if name != "linalg.inv" or x.shape[0] == 3:
        function(cp, x)


def test_a_captured_graph_computes_when_it_is_launched(cp):
    x, total = cp.zeros(3, "float32"), cp.zeros((), "float32")
    stream = cp.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        assert stream.is_capturing()
        y = cp.exp(x) * 2
        total += y.sum()
        x[1:] += 1
        graph = stream.end_capture()
    assert x.tolist() == [0, 0, 0] and np.isnan(y.get()).all() and total.item() == 0
    graph.launch(stream)
    assert (x.tolist(), y.tolist(), total.item()) == ([0, 1, 1], [2, 2, 2], 6)
    x.fill(0)
    graph.launch()
    assert (x.tolist(), total.item()) == ([0, 1, 1], 12)
    with pytest.raises(RuntimeError, match="default"):
        cp.cuda.Stream.null.begin_capture()


def axpy(cp):
    kernel = cp.ElementwiseKernel("T x, T y, float32 a", "T z", "z = a * x + y", "axpy")
    cp.register_kernel("axpy", lambda x, y, a, z: np.copyto(z, a * x + y))
    return kernel


def test_elementwise_kernel(cp):
    x, kernel = cp.asarray(X), axpy(cp)
    z = kernel(x, x[0], 2)
    np.testing.assert_array_equal(z.get(), 2 * X + X[0])
    assert kernel(x, x, 1.0, z) is z
    assert cp.journal.launches == ["axpy", "axpy"]
    with pytest.raises(TypeError, match="Wrong number of arguments"):
        kernel(x)
    with pytest.raises(TypeError, match="mismatched"):
        kernel(x, x.astype("float64"), 1)
    with pytest.raises(TypeError, match="mismatched. a"):
        kernel(x, x, cp.zeros(()))
    with pytest.raises(TypeError, match="Unsupported type"):
        kernel(x, HOST, 1)
    with pytest.raises(ValueError, match="Out shape"):
        kernel(x, x, 1, z[0])
    with pytest.raises(RuntimeError, match="register_kernel"):
        cp.ElementwiseKernel("T x", "T y", "y = x", "nameless")(x)


def test_reduction_kernel(cp):
    kernel = cp.ReductionKernel("T x", "T y", "x * x", "a + b", "y = sqrt(a)", "0", "length")
    cp.register_kernel("length", lambda x, axis, keepdims: np.sqrt((x * x).sum(axis)))
    x = cp.asarray(X)
    np.testing.assert_allclose(kernel(x, axis=1).get(), np.linalg.norm(X, axis=1), rtol=1e-6)
    assert kernel(x).shape == () and kernel(x, axis=0, keepdims=True).shape == (1, 4)


RAW = """
extern "C" __global__ void scale(const float* __restrict__ x, float* y, float a, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i];
}
"""


def test_raw_kernel(cp):
    kernel = cp.RawModule(code=RAW).get_function("scale")
    cp.register_kernel("scale", lambda grid, block, x, y, a, n: np.copyto(y, a * x))
    x, y = cp.asarray(X), cp.empty((3, 4), "float32")
    kernel((1,), (32,), (x, y, np.float32(3), np.int32(12)))
    np.testing.assert_array_equal(y.get(), 3 * X)
    wrong = {
        "declares 4": (x, y, np.float32(3)),
        "expected float32; received float64, whose": (x, y, 3.0, np.int32(12)),
        "expected int32": (x, y, np.float32(3), 12),
        "parameter y: expected float32": (x, y.astype("float64"), np.float32(3), np.int32(12)),
        "contiguous": (x.T, y, np.float32(3), np.int32(12)),
        "expected a cupy.ndarray": (HOST, y, np.float32(3), np.int32(12)),
    }
    for message, args in wrong.items():
        with pytest.raises((TypeError, ValueError), match=message):
            kernel((1,), (32,), args)
    with pytest.raises(ValueError, match="block"):
        kernel((1,), (2048,), (x, y, np.float32(3), np.int32(12)))
    with pytest.raises(ValueError, match="no kernel 'other'"):
        cp.RawKernel(RAW, "other")((1,), (1,), ())


def test_executor_gets_text_and_views(cp):
    calls = []

    def executor(source, name, grid, block, args, shared_mem):
        calls.append((name, grid, block, shared_mem))
        assert f"void {name}(" in source
        args[1][...] = args[0] * args[2]

    cp.set_executor(executor)
    x, y = cp.asarray(X), cp.zeros((3, 4), "float32")
    cp.RawKernel(RAW, "scale")((1,), (32,), (x, y, np.float32(3), np.int32(12)), shared_mem=64)
    np.testing.assert_array_equal(y.get(), 3 * X)
    assert calls == [("scale", (1, 1, 1), (32, 1, 1), 64)]


def test_kernels_are_captured(cp):
    x, kernel, stream = cp.asarray(X), axpy(cp), cp.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        z = kernel(x, x, 1)
        graph = stream.end_capture()
    assert np.isnan(z.get()).all()
    graph.launch()
    np.testing.assert_array_equal(z.get(), 2 * X)


def test_every_name_is_known_or_says_that_it_is_not_modelled(cp):
    for name in [*API["functions"], *API["ufuncs"], *API["names"]]:
        try:
            getattr(cp, name)
        except AttributeError as error:
            assert "does not model" in str(error)


def test_methods_are_those_of_cupy(cp):
    own = {name for name in dir(cp.ndarray) if not name.startswith("_")}
    assert own <= {*API["methods"], *API["attributes"]}


@pytest.mark.skipif(importlib.util.find_spec("cupy") is None, reason="CuPy is not installed")
def test_names_are_those_of_the_installed_cupy():
    cupy = sys.modules.get("cupy") or __import__("cupy")
    if not cupy.__version__.startswith("14.2."):
        pytest.skip(f"cupy_api.json is of CuPy 14.2; installed is {cupy.__version__}")
    real = json.loads(json.dumps(make_cupy_api.api()))
    assert real | {"version": API["version"]} == API


@pytest.mark.parametrize(
    "name, count, size, transfers",
    [
        ("concatenate", 8, 1, 0),
        ("concatenate", 9, 1, 1),
        ("stack", 9, 1, 1),
        ("concatenate", 9, 2**18, 0),
    ],
)
def test_many_small_arrays_are_joined_by_their_addresses(cp, name, count, size, transfers):
    arrays = [cp.zeros((size,)) for _ in range(count)]
    cp.journal.clear()
    getattr(cp, name)(arrays)
    assert len(cp.journal.h2d) == transfers
