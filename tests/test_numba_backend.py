"""The backend 'numba': its kernels against the reference, cut and in blocks; how it is chosen."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tables.row import distinct, normal

from layerkit import backend as K
from layerkit import optimizers
from layerkit.backend import numba_backend, numpy_backend, threads
from layerkit.backend.numba_backend import NumbaBackend
from layerkit.backend.numpy_backend import NumpyBackend
from layerkit.backend.testing import REFERENCE, check_backend

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
FLOATS = ("float32", "float64")


@pytest.fixture
def numba():
    return K.get_backend("numba")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Kernels are used however little there is."""
    monkeypatch.setattr(numba_backend, "_FEW", 0)
    monkeypatch.setattr(numba_backend, "_FEW_WEIGHTS", 0)


@pytest.fixture(params=[1, 4], ids=["one thread", "four threads"])
def cut(request, monkeypatch):
    """Work is cut among so many threads and into small blocks, however little there is."""
    monkeypatch.setattr(threads, "count", lambda: request.param)
    monkeypatch.setattr(threads, "WORTH", 1)
    monkeypatch.setattr(numba_backend, "_WORTH", 1)
    monkeypatch.setattr(numba_backend, "_BLOCK_BYTES", 2**12)
    monkeypatch.setattr(numpy_backend, "_LONG_ROW", 16)


@needs_numba
@pytest.mark.usefixtures("cut")
def test_the_conformance_suite_in_parts():
    assert check_backend("numba").startswith("Backend 'numba': ")


class Counting:
    """The compiled kernels, and the names of those that were asked for."""

    def __init__(self, kernels):
        self.kernels, self.asked = kernels, set()

    def __getattr__(self, name):
        self.asked.add(name)
        return getattr(self.kernels, name)


KERNELS = {
    "convolve",
    "gather",
    "fold",
    "convolve_tiles",
    "gather_tiles",
    "multiply",
    "depthwise",
    "max_pool",
    "max_pool_grad",
    "bias_activation",
    "bias_activation_grad",
    "softmax_crossentropy",
    "softmax_crossentropy_grad",
    "scatter_rows",
    "dropout_mask",
    "sgd",
    "scale_rows",
    "combine_rows",
    "sum_products",
    "lstm",
    "lstm_grad",
}


@needs_numba
def test_the_conformance_suite_reaches_every_kernel(monkeypatch):
    """And not the twins of NumpyBackend."""
    monkeypatch.setattr(threads, "WORTH", 1)
    counting = Counting(numba_backend._kernels())
    monkeypatch.setattr(numba_backend, "_kernels", lambda: counting)
    check_backend("numba")
    assert counting.asked >= KERNELS


@needs_numba
def test_the_gates_are_exact_wherever_they_are(numba):
    """Near zero in relative terms, far away, and for what is no number."""
    near = np.concatenate([np.geomspace(1e-30, 1, 60), np.linspace(0.5, 8, 61)])
    z = np.concatenate([-near, near, [0, 88, -88, 1e4, -1e4, np.inf, -np.inf, np.nan]])
    found = []
    for backend in REFERENCE, numba:
        gates = np.tile(z.astype("float32"), 4)[None, None]
        shape, units = (1, 1, z.size), z.size
        h, c = np.zeros((2, *shape[1:]), "float32"), np.zeros((2, *shape[1:]), "float32")
        tanh_c = np.zeros(shape, "float32")
        with np.errstate(all="ignore"):
            backend.lstm(gates, np.zeros((units, 4 * units), "float32"), h, c, tanh_c)
        found.append((gates, h, c, tanh_c))
    for expected, result in zip(*found, strict=True):
        np.testing.assert_allclose(result, expected, rtol=5e-7, atol=1e-37)


CONVOLUTIONS = [  # image, window, filters, strides, pads, dilation
    ((3, 9, 8, 9), (3, 2), 5, (1, 1), ((1, 1), (0, 1)), (1, 1)),
    ((3, 9, 8, 9), (3, 2), 5, (2, 3), ((3, 0), (0, -1)), (2, 1)),
    ((3, 9, 8, 9), (3, 3), 5, (1, 2), ((4, 4), (5, 3)), (1, 2)),  # windows beside the image
    ((3, 9, 8, 9), (3, 3), 32, (2, 2), ((-1, 2), (2, 1)), (1, 1)),
    ((3, 9, 8, 2), (3, 2), 5, (2, 3), ((3, 0), (0, -1)), (2, 1)),
    ((3, 9, 8, 2), (3, 3), 5, (1, 2), ((4, 4), (5, 3)), (1, 2)),
    ((3, 9, 8, 1), (1, 5), 1, (1, 1), ((0, 0), (4, 4)), (1, 1)),
    ((2, 5, 4, 16), (1, 1), 7, (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ((2, 5, 4, 16), (1, 1), 7, (1, 1), ((0, -1), (0, 0)), (1, 1)),
    ((2, 5, 4, 16), (1, 1), 7, (2, 1), ((0, 0), (0, 0)), (1, 1)),
    ((2, 5, 13, 3), (3, 3), 32, (1, 1), ((1, 1), (1, 1)), (1, 1)),  # from here on filters fill
    ((2, 9, 8, 5), (3, 2), 8, (2, 3), ((3, 0), (0, -1)), (1, 1)),  # vectors
    ((2, 9, 8, 5), (3, 2), 16, (1, 1), ((1, 1), (0, 1)), (1, 2)),
    ((3, 5, 4, 8), (3, 3), 24, (1, 2), ((4, 4), (5, 3)), (1, 1)),
    ((2, 7, 8, 16), (1, 1), 16, (2, 1), ((0, 0), (0, 0)), (1, 1)),
    ((2, 9, 3), (5,), 4, (1,), ((2, 2),), (1,)),
    *[((2, 4, width, 2), (3, 2), 16, (1, 1), ((0, 0), (0, 0)), (1, 1)) for width in range(2, 9)],
    ((2, 11, 12), (4,), 3, (2,), ((3, 0),), (2,)),
    ((2, 11, 3), (4,), 13, (1,), ((0, 3),), (1,)),
]


@needs_numba
@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolutions(numba, case, dtype):
    image, window, filters, *geometry = case
    x, w = normal(*image).astype(dtype), normal(*window, image[-1], filters).astype(dtype)
    bias, tolerance = normal(filters).astype(dtype), {"float32": 2e-4, "float64": 1e-11}[dtype]
    for given, activation in itertools.product((bias, None), ("linear", "relu", "relu6", "tanh")):
        arguments = (x, w, given, activation, *geometry, 1)
        y = numba.conv_bias_activation(*arguments)
        assert y.dtype == dtype
        expected = REFERENCE.conv_bias_activation(*arguments)
        np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
        np.testing.assert_array_equal(y, numba.conv_bias_activation(*arguments))
    g = normal(*y.shape, seed=1).astype(dtype)
    for kernel, arguments in (
        ("conv_input_grad", (g, w, x.shape)),
        ("conv_kernel_grad", (x, g, w.shape)),
    ):
        result = getattr(numba, kernel)(*arguments, *geometry, 1)
        expected = getattr(REFERENCE, kernel)(*arguments, *geometry, 1)
        assert result.dtype == dtype
        np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)
        np.testing.assert_array_equal(result, getattr(numba, kernel)(*arguments, *geometry, 1))


@needs_numba
@pytest.mark.usefixtures("cut")
def test_tiles_cut_off_and_pass_on_what_is_no_number(numba):
    x, w = np.zeros((1, 1, 4, 1)), np.ones((1, 1, 1, 8))
    x[0, 0, :, 0] = np.nan, -np.inf, np.inf, 9
    geometry = ((1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    for activation, expected in (
        ("linear", [np.nan, -np.inf, np.inf, 9]),
        ("relu", [np.nan, 0, np.inf, 9]),
        ("relu6", [np.nan, 0, 6, 6]),
    ):
        y = numba.conv_bias_activation(x, w, None, activation, *geometry)
        np.testing.assert_array_equal(y[0, 0], np.repeat(np.array(expected)[:, None], 8, axis=1))


PRODUCTS = [
    (9, 4, 5),
    (3, 4, 9),
    (3, 12, 5),
    (1, 7, 1),
    (5, 5, 5),
    (4, 9, 6),
]  # rows, inner, columns


@needs_numba
@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("m, k, n", PRODUCTS)
def test_products_of_matrices_stored_either_way(numba, monkeypatch, m, k, n, dtype):
    counting, cuts = Counting(numba_backend._kernels()), set()
    monkeypatch.setattr(numba_backend, "_kernels", lambda: counting)
    tolerance = {"float32": 1e-5, "float64": 1e-12}[dtype]
    for a_order, b_order, given in itertools.product("CF", "CF", (False, True)):
        a = np.asarray(normal(m, k).astype(dtype), order=a_order)
        b = np.asarray(normal(k, n, seed=1).astype(dtype), order=b_order)
        out = np.full((m, n), np.nan, dtype) if given else None
        y = numba.matmul(a, b, out)
        assert y.dtype == dtype and (out is None or y is out)
        np.testing.assert_allclose(y, a @ b, rtol=tolerance, atol=tolerance)
        np.testing.assert_array_equal(y, numba.matmul(a, b))
        cuts.add(numpy_backend.cut_of_product(a, b))
    assert {"multiply", *(cut.upper() for cut in cuts)} <= counting.asked


@needs_numba
def test_products_that_are_left_to_numpy(numba, monkeypatch):
    monkeypatch.setattr(threads, "WORTH", 1)
    a, b = normal(8, 6), normal(6, 4)
    for x, y, out in (
        (a[:, ::2], b[::2], None),
        (a, b.astype("float32"), None),
        (a, b, np.empty((4, 8)).T),
        (np.ones((8, 6), int), np.ones((6, 4), int), None),
        (normal(2, 8, 6), b, None),
    ):
        result = numba.matmul(x, y, out)
        np.testing.assert_allclose(result, np.matmul(x, y), rtol=1e-6)
        assert out is None or result is out
    with pytest.raises(ValueError, match="mismatch"):
        numba.matmul(a, b[:5])


@needs_numba
@pytest.mark.usefixtures("cut")
def test_a_kernel_without_memory_says_so(numba, monkeypatch):
    x, w, geometry = normal(8, 5, 5, 8), normal(3, 3, 8, 3), ((1, 1), ((0, 0),) * 2, (1, 1), 1)
    y = numba.conv(x, w, *geometry)
    with monkeypatch.context() as patch:
        patch.setattr(numba_backend, "_block", lambda *_: 2**46)
        with pytest.raises(MemoryError, match="the backend 'numba' ran out of memory"):
            numba.conv(x, w, *geometry)
    np.testing.assert_array_equal(numba.conv(x, w, *geometry), y)


@needs_numba
@pytest.mark.parametrize("parts, workers", [(1, 0), (2, 1), (4, 1), (4, 3), (3, 0)])
def test_every_part_is_done_once_whoever_does_it(parts, workers):
    """Nobody looks at these rows: what is posted there the caller takes back."""
    out, tasks = np.zeros((8, 2)), np.zeros((workers, 64), np.int64)
    arrays = np.ones((8, 2)), np.ones(2), np.zeros(2), np.array(threads.borders(8, parts))
    x, scale, shift, borders = arrays
    assert numba_backend._kernels().scale_rows(tasks, borders, x, scale, shift, out)
    assert (out == 1).all() and not tasks[:, 0].any()


def scaled(tasks, x, out):
    """The kernel's answer: out = 2 x in two parts, of which the caller's is by far the longer."""
    two, zero, borders = np.full(2, 2.0), np.zeros(2), np.array([0, len(x) - 2, len(x)])
    return numba_backend._kernels().scale_rows(tasks, borders, x, two, zero, out)


@needs_numba
def test_a_worker_that_looks_takes_its_part():
    from layerkit.backend import numba_parts

    x, tasks, never = np.ones((8_000_000, 2)), np.zeros((1, 64), np.int64), np.zeros(8, bool)
    out, answers = np.zeros_like(x), []
    scaled(tasks[:0], x[:4], out[:4])  # compiled now, that nothing has to wait for it later
    numba_parts.look(never, tasks[0])
    caller = threading.Thread(target=lambda: answers.append(scaled(tasks, x, out)))
    caller.start()
    while caller.is_alive() and not out[-1, -1]:
        numba_parts.look(never, tasks[0])
    assert not answers  # the caller is still at its own part
    caller.join()
    assert answers == [True] and (out == 2).all()


@needs_numba
@pytest.mark.parametrize("ends, answer", [("_DONE", True), ("_FAILED", False)])
def test_a_part_that_is_taken_is_waited_for_and_believed(ends, answer):
    """By a worker that does nothing: so nobody else does it either."""
    from layerkit.backend import numba_parts

    x, tasks = np.ones((8_000_000, 2)), np.zeros((1, 64), np.int64)
    out = np.zeros_like(x)
    scaled(tasks[:0], x[:4], out[:4])

    def pretend():
        while tasks[0, 0] != numba_parts._POSTED:
            time.sleep(0)
        tasks[0, 0] = numba_parts._TAKEN
        while not out[-3, -1]:  # the caller is at its own part, or waits
            time.sleep(0)
        tasks[0, 0] = getattr(numba_parts, ends)

    worker = threading.Thread(target=pretend)
    worker.start()
    assert scaled(tasks, x, out) is answer
    worker.join()
    assert (out[:-2] == 2).all() and (out[-2:] == 0).all() and not tasks[0, 0]


@needs_numba
def test_what_numba_keeps_is_compiled_anew_when_the_parts_it_is_made_of_change():
    """numba looks at the text of numba_kernels.py alone: the others' is told there by `TEXTS`."""
    folder = Path(numba_backend.__file__).parent
    texts = [(folder / f"numba_{name}.py").read_bytes() for name in ("parts", "tiles")]
    assert hashlib.sha256(b"".join(texts)).hexdigest()[:16] == numba_backend._kernels().TEXTS


DEPTHWISE = [  # image, window, multiplier, strides, pads, dilation
    ((3, 9, 8, 5), (3, 2), 1, (1, 1), ((1, 1), (0, 1)), (1, 1)),
    ((3, 9, 8, 5), (3, 3), 1, (2, 3), ((4, 4), (5, -1)), (1, 2)),
    ((3, 9, 8, 5), (3, 2), 2, (1, 1), ((1, 1), (0, 1)), (1, 1)),
    ((3, 11, 5), (4,), 1, (1,), ((3, 5),), (2,)),
]


@needs_numba
@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("case", DEPTHWISE, ids=str)
def test_depthwise_convolutions(numba, case):
    image, window, multiplier, *geometry = case
    filters = image[-1] * multiplier
    x, w, bias = normal(*image), normal(*window, 1, filters), normal(filters)
    arguments = (x, w, bias, "relu", *geometry, image[-1])
    y = REFERENCE.conv_bias_activation(*arguments)
    np.testing.assert_allclose(numba.conv_bias_activation(*arguments), y, rtol=1e-11, atol=1e-11)
    g = normal(*y.shape, seed=1)
    for kernel, given in (
        ("conv_input_grad", (g, w, x.shape)),
        ("conv_kernel_grad", (x, g, w.shape)),
    ):
        result = getattr(numba, kernel)(*given, *geometry, image[-1])
        expected = getattr(REFERENCE, kernel)(*given, *geometry, image[-1])
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-10)
        np.testing.assert_array_equal(result, getattr(numba, kernel)(*given, *geometry, image[-1]))


@needs_numba
@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("integers", [0, 1], ids=["32 bits", "64 bits"])
def test_integers_of_blas_of_either_width(numba, monkeypatch, integers):
    """On this machine's calling convention an integer of 32 bits fills a place of 64."""
    blas = numba_backend._blas(np.dtype("float64"))
    monkeypatch.setattr(numba_backend, "_blas", lambda dtype: (blas[0], integers))
    x, w = normal(2, 5, 5, 8), normal(3, 3, 8, 4)
    geometry = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    expected = REFERENCE.conv(x, w, *geometry)
    np.testing.assert_allclose(numba.conv(x, w, *geometry), expected, rtol=1e-11, atol=1e-11)


@needs_numba
@pytest.mark.parametrize("size, window, strides", [(6, 2, 2), (7, 3, 2), (6, 2, 1), (5, 1, 2)])
@pytest.mark.usefixtures("cut")
def test_max_pool_has_the_bits_of_the_reference(numba, size, window, strides):
    for pads in ((0, 0), (0, 0)), ((1, 0), (1, 1)):
        x, geometry = distinct(3, size, size, 5), ((window,) * 2, (strides,) * 2, pads)
        y, winner = REFERENCE.max_pool(x, *geometry)
        for result, expected in zip(numba.max_pool(x, *geometry), (y, winner), strict=True):
            np.testing.assert_array_equal(result, expected)
            assert result.dtype == expected.dtype
        g = normal(*y.shape)
        np.testing.assert_array_equal(
            numba.max_pool_grad(g, winner, x.shape, *geometry),
            REFERENCE.max_pool_grad(g, winner, x.shape, *geometry),
        )


@needs_numba
@pytest.mark.usefixtures("cut")
def test_dropout_masks_have_numpys_bits(numba):
    keys = [((5, 0, 2), 0.25), ((2**64 - 1, 2**63, 2**64 - 1), 0.9), ((0, 0, 0), 0.0)]
    for (key, rate), size, dtype in itertools.product(keys, (0, 1, 63, 1024, 5000), FLOATS):
        mask = numba.dropout_mask(key, (size,), rate, dtype)
        np.testing.assert_array_equal(mask, REFERENCE.dropout_mask(key, (size,), rate, dtype))
        assert mask.dtype == dtype


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "sgd:momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "sgd:nesterov": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: optimizers.RMSprop(0.1),
    "rmsprop:centered": lambda: optimizers.RMSprop(0.1, momentum=0.9, centered=True),
    "adam": lambda: optimizers.Adam(0.1),
    "adam:amsgrad": lambda: optimizers.Adam(0.1, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.1, weight_decay=0.1),
}


@needs_numba
@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rules_have_the_bits_of_their_text(monkeypatch, name, dtype):
    found, done = {}, []
    whole = NumbaBackend.fused_update

    def noted(self, *arguments):
        done.append(whole(self, *arguments))
        return done[-1]

    monkeypatch.setattr(NumbaBackend, "fused_update", noted)
    for backend in "numpy", "numba":
        K.set_backend(backend)
        variables = [K.Variable(normal(7, 5).astype(dtype)), K.Variable(normal(6).astype(dtype))]
        optimizer = OPTIMIZERS[name]()
        for seed in range(3):
            g = normal(5, 7, seed=seed).astype(dtype).T, normal(6, seed=seed).astype(dtype)
            optimizer.apply(g, variables)
        found[backend] = [v.numpy() for v in (*variables, *optimizer.variables)]
    assert done == [True] * 6
    for result, expected in zip(found["numba"], found["numpy"], strict=True):
        np.testing.assert_array_equal(result, expected)


@needs_numba
def test_what_no_update_is_made_for(numba):
    w, numbers = np.ones((4, 3)), {"lr": 0.1, "decay": 0.0, "beta": 0.0, "nesterov": False}
    for arrays, given in (
        ({"w": w[:, ::2], "g": w[:, ::2], "momentum": None}, numbers),
        ({"w": w, "g": w.astype("float32"), "momentum": None}, numbers),
        ({"w": w[0, 0], "g": w[0, 0], "momentum": None}, numbers),
        ({"w": w, "g": w, "momentum": None}, numbers | {"decay": 0.1}),
    ):
        assert not numba.fused_update("sgd", arrays, given)
    assert (w == 1).all()


@needs_numba
@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("activation", ["linear", "relu", "relu6", "sigmoid", "tanh", "softplus"])
def test_activations_of_rows_of_every_length(numba, activation):
    special = np.array([[np.nan, np.inf, -np.inf, -0.0, 6, 7]])
    for x in special, normal(1, 3), normal(12, 5, 3), normal(7, 300), normal(5, 4).T:
        for bias, dtype in itertools.product((normal(x.shape[-1]), None), FLOATS):
            given, b = x.astype(dtype), None if bias is None else bias.astype(dtype)
            with np.errstate(invalid="ignore"):
                y = REFERENCE.bias_activation(given, b, activation)
                np.testing.assert_allclose(
                    numba.bias_activation(given, b, activation), y, rtol=1e-6, atol=1e-30
                )
                own = np.array(given, order="K")
                assert numba.bias_activation(own, b, activation, out=own) is own
                np.testing.assert_allclose(own, y, rtol=1e-6, atol=1e-30)
                g = np.flip(given, -1)
                np.testing.assert_allclose(
                    numba.bias_activation_grad(g, y, activation),
                    REFERENCE.bias_activation_grad(g, y, activation),
                    rtol=1e-6,
                )


@needs_numba
def test_crossentropy_of_what_is_no_number_and_of_unknown_classes(numba):
    logits = np.array([[0.0, np.nan], [np.inf, 0], [-np.inf, 0], [3, -2], [1, 2]])
    targets = np.array([0, 0, 1, -1, 2])
    with np.errstate(all="ignore"):
        expected = REFERENCE.softmax_crossentropy(logits, targets)
    for result, value in zip(numba.softmax_crossentropy(logits, targets), expected, strict=True):
        np.testing.assert_allclose(result, value, rtol=1e-12)
    p, g = np.full((5, 2), 0.5), normal(5)
    np.testing.assert_allclose(
        numba.softmax_crossentropy_grad(g, p, targets),
        REFERENCE.softmax_crossentropy_grad(g, p, targets),
    )


@needs_numba
def test_arrays_that_may_not_be_written_to_need_no_kernels_of_their_own(numba):
    kernel = numba_backend._kernels().max_pool
    x, geometry = normal(2, 4, 4, 3), ((2, 2), (2, 2), ((0, 0), (0, 0)))
    y, _ = numba.max_pool(x, *geometry)
    known = len(kernel.signatures)
    frozen = np.array(x)
    frozen.flags.writeable = False
    for same in frozen, np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2]:
        np.testing.assert_array_equal(numba.max_pool(same, *geometry)[0], y)
    assert len(kernel.signatures) == known


@needs_numba
def test_a_library_without_the_product_leaves_convolutions_to_numpy(numba, monkeypatch):
    x, w, geometry = normal(2, 5, 5, 8), normal(3, 3, 8, 4), ((1, 1), ((0, 0),) * 2, (1, 1), 1)
    g, plain = normal(2, 3, 3, 4), NumpyBackend()
    numba_backend._blas.cache_clear()
    monkeypatch.setattr(threads, "blas_files", lambda: [find_spec("_ctypes").origin])
    assert numba_backend._blas(x.dtype) is None
    for kernel, arguments in (
        ("conv", (x, w)),
        ("conv_input_grad", (g, w, x.shape)),
        ("conv_kernel_grad", (x, g, w.shape)),
    ):
        np.testing.assert_array_equal(
            getattr(numba, kernel)(*arguments, *geometry),
            getattr(plain, kernel)(*arguments, *geometry),
        )
    numba_backend._blas.cache_clear()


# Which backend it is


def told(code: str, **environment: str) -> str:
    """What a process of its own prints last, or its last line of error."""
    env = {k: v for k, v in os.environ.items() if k != "LAYERKIT_BACKEND"} | environment
    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    return (result.stdout + result.stderr).strip().splitlines()[-1]


ABSENT = "import sys; sys.modules['numba'] = None\n"
BACKENDS = (
    "import numpy as np\nfrom layerkit.backend import registry as r\n"
    "print(r.backend_of(np.ones(2)).name, r.backend(), r.one_home)"
)


@needs_numba
def test_the_default_is_numba_where_it_is_installed():
    assert told(BACKENDS) == "numba numba True"
    assert told(BACKENDS, LAYERKIT_BACKEND="numba") == "numba numba True"


@pytest.mark.parametrize("code, environment", [(ABSENT, {}), ("", {"LAYERKIT_BACKEND": "numpy"})])
def test_else_it_is_numpy(code, environment):
    assert told(code + BACKENDS, **environment) == "numpy numpy True"


@needs_numba
def test_numba_is_imported_when_the_first_kernel_is_needed():
    code = (
        "import sys, numpy as np, layerkit\nfrom layerkit import backend as K\n"
        "K.backend(), K.ones(3) + 1; early = 'numba' in sys.modules\n"
        "K.dropout(np.ones(3, 'float32'), 0.5); print(early, 'numba' in sys.modules)"
    )
    assert told(code) == "False True"


def test_numba_that_is_not_installed():
    message = told(ABSENT + "import layerkit.backend as K; K.set_backend('numba')")
    assert message.startswith("ImportError: The backend 'numba' needs the package numba")
    assert 'pip install "layerkit[numba]". Or' in message and "LAYERKIT_BACKEND=numpy" in message


def test_numba_that_is_installed_and_broken(tmp_path):
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs NumPy 2.3 or less.')")
    (tmp_path / "llvmlite.py").write_text("ir = None")  # which comes with it
    code = (
        "import numpy as np; from layerkit import backend as K; K.dropout(np.ones(3), 0.5, seed=1)"
    )
    message = told(code, PYTHONPATH=str(tmp_path))
    assert message.startswith("ImportError: The backend 'numba' cannot start: numba is installed")
    assert "ImportError: Numba needs NumPy 2.3 or less." in message
    assert "pip install --upgrade" in message and "LAYERKIT_BACKEND=numpy" in message
