"""The CuPy backend without a GPU: its CUDA text, run on the CPU, against the reference kernels.

A strict stand-in for CuPy runs the array code, the emulator the kernels. What this cannot show:
races, speed, and how a GPU rounds (it fuses multiply and add).
"""

from __future__ import annotations

import itertools
import sys
import types

import cuda_emulator
import numpy as np
import pytest
from fakes import strict_cupy
from tables.row import distinct, normal

from layerkit import backend as K
from layerkit.backend import cuda_kernels, cupy_backend, registry
from layerkit.backend.by_value import BY_VALUE
from layerkit.backend.cupy_backend import CupyBackend
from layerkit.optimizers import SGD, Adam, AdamW, RMSprop

pytestmark = pytest.mark.skipif(
    not cuda_emulator.available, reason="needs g++, which compiles the kernels for the CPU"
)

TOLERANCE = {"float16": 4e-3, "float32": 2e-5, "float64": 1e-12}
HALF_TOO = pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


class Reference(K.Backend):
    """The reference kernels over NumPy."""

    name, xp, array_type = "reference", np, np.ndarray


PLAIN = Reference()


@pytest.fixture
def gpu():
    """The backend over the strict stand-in; what it does must never wait for the device."""
    cp = strict_cupy.make()
    cp.set_executor(cuda_emulator.run)
    return CupyBackend(cp)


def compare(gpu, method, *arguments, exact=False):
    """`method` of both backends: kernels were launched, nothing waited, results are the same."""
    queued = [gpu.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    with strict_cupy.no_syncs(gpu.xp):
        results = getattr(gpu, method)(*queued)
    expected = getattr(PLAIN, method)(*arguments)
    for result, value in zip(as_tuple(results), as_tuple(expected), strict=True):
        assert result.dtype == value.dtype and result.shape == value.shape
        tolerance = 0 if exact else TOLERANCE.get(value.dtype.name, 0)
        np.testing.assert_allclose(gpu.to_numpy(result), value, rtol=tolerance, atol=tolerance)
    return expected


def as_tuple(x):
    return x if isinstance(x, tuple) else (x,)


CONVOLUTIONS = [  # image, window, groups, strides, pads, dilation
    ((2, 7, 6, 3), (3, 2, 3, 5), 1, (1, 1), ((1, 1), (0, 1)), (1, 1)),
    ((2, 9, 8, 4), (3, 2, 2, 6), 2, (2, 3), ((1, 2), (0, 1)), (1, 1)),
    ((3, 9, 8, 2), (3, 2, 2, 4), 1, (2, 1), ((3, 0), (0, -1)), (2, 3)),
    ((2, 5, 5, 3), (1, 1, 3, 4), 1, (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ((2, 5, 5, 4), (1, 1, 2, 4), 2, (3, 2), ((0, 0), (-1, 0)), (1, 1)),
    ((2, 9, 8, 3), (3, 2, 1, 6), 3, (2, 1), ((1, 2), (0, -1)), (1, 2)),
    ((2, 6, 6, 40), (3, 3, 1, 40), 40, (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((2, 11, 3), (4, 3, 2), 1, (2,), ((3, 0),), (2,)),
    ((1, 5, 4, 6, 2), (2, 3, 2, 2, 3), 1, (1, 2, 2), ((0, 1), (1, 1), (0, 0)), (2, 1, 1)),
    ((1, 5, 4, 6, 2), (2, 3, 2, 1, 2), 2, (1, 2, 2), ((0, 1), (1, 1), (0, 0)), (2, 1, 1)),
    ((0, 5, 5, 2), (3, 3, 2, 4), 1, (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((0, 5, 5, 2), (3, 3, 1, 4), 2, (1, 1), ((1, 1), (1, 1)), (1, 1)),
]


@HALF_TOO
@pytest.mark.parametrize("image, window, groups, strides, pads, dilation", CONVOLUTIONS)
def test_convolutions(gpu, image, window, groups, strides, pads, dilation, dtype):
    x, w = normal(*image).astype(dtype), (normal(*window) / 4).astype(dtype)
    geometry = (strides, pads, dilation, groups)
    y = compare_convolution(gpu, "conv", x, w, *geometry)
    g = (normal(*y.shape) / 4).astype(dtype)
    compare_convolution(gpu, "conv_input_grad", g, w, x.shape, *geometry)
    compare_convolution(gpu, "conv_kernel_grad", x, g, w.shape, *geometry)


def compare_convolution(gpu, method, a, b, *rest):
    """As `compare`, against a reference in float64: halves are summed in float by both ways."""
    result = getattr(gpu, method)(gpu.asarray(a), gpu.asarray(b), *rest)
    expected = getattr(PLAIN, method)(a.astype("float64"), b.astype("float64"), *rest)
    assert result.dtype == a.dtype and result.shape == expected.shape
    tolerance = TOLERANCE[a.dtype.name]
    if a.dtype == "float16":
        tolerance *= max(1, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(gpu.to_numpy(result), expected, rtol=tolerance, atol=tolerance)
    return expected


def test_blocks_of_samples(gpu, monkeypatch):
    monkeypatch.setattr(cupy_backend, "_COLUMN_BYTES", 2 * 30 * 36 * 4)
    for groups in 1, 2:
        x, w = normal(5, 5, 6, 4).astype("float32"), normal(3, 3, 4 // groups, 4).astype("float32")
        geometry = ((1, 1), ((1, 1), (1, 1)), (1, 1), groups)
        y = compare(gpu, "conv", x, w, *geometry)
        compare(gpu, "conv_input_grad", y, w, x.shape, *geometry)
        compare_convolution(gpu, "conv_kernel_grad", x, y, w.shape, *geometry)
    assert gpu.xp.journal.launches.count("im2col") == 2 * 2 * 3


def test_convolutions_that_no_kernel_fits(gpu):
    x, w = np.arange(50).reshape(1, 5, 5, 2), np.ones((2, 2, 2, 3), "int64")
    compare(gpu, "conv", x, w, (1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    assert not gpu.xp.journal.launches.count("im2col")


def test_arrays_that_are_not_contiguous(gpu):
    x, w = normal(2, 6, 6, 3).astype("float32"), normal(2, 2, 3, 4).astype("float32")
    geometry = ((1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    expected = PLAIN.conv(x.swapaxes(1, 2), w, *geometry)
    result = gpu.conv(gpu.asarray(x).swapaxes(1, 2), gpu.asarray(w), *geometry)
    np.testing.assert_allclose(gpu.to_numpy(result), expected, rtol=1e-5, atol=1e-5)


POOLINGS = [  # image, window, strides, pads
    ((2, 6, 6, 3), (2, 2), (2, 2), ((0, 0), (0, 0))),
    ((2, 7, 8, 3), (3, 2), (2, 1), ((1, 1), (0, 1))),
    ((2, 7, 8, 3), (2, 2), (3, 4), ((0, 0), (0, -1))),
    ((3, 9, 2), (4,), (3,), ((2, 1),)),
    ((1, 20, 20, 1), (17, 17), (1, 1), ((0, 0), (0, 0))),
    ((1, 4, 5, 6, 2), (2, 3, 2), (2, 1, 2), ((0, 0), (1, 1), (0, 1))),
    ((0, 6, 6, 3), (2, 2), (2, 2), ((0, 0), (0, 0))),
]


@HALF_TOO
@pytest.mark.parametrize("image, window, strides, pads", POOLINGS)
def test_pooling(gpu, image, window, strides, pads, dtype):
    x, geometry = distinct(*image).astype(dtype), (window, strides, pads)
    y, winner = compare(gpu, "max_pool", x, *geometry, exact=True)
    g = (np.arange(y.size) % 7).reshape(y.shape).astype(dtype)  # sums that no order changes
    compare(gpu, "max_pool_grad", g, winner, x.shape, *geometry, exact=True)
    compare(gpu, "sum_pool_grad", g, x.shape, *geometry, exact=True)
    x = (x * 0 + np.arange(x.size).reshape(x.shape) % 5).astype(dtype)
    compare(gpu, "sum_pool", x, *geometry, exact=True)


@DTYPES
@pytest.mark.parametrize("pads", [((0, 0), (0, 0)), ((1, 0), (0, 1))])
def test_max_pool_of_equal_and_missing_numbers(gpu, pads, dtype):
    values = np.array([-np.inf, 0, 0, 1, np.nan, np.inf], dtype)
    x = np.random.default_rng(0).choice(values, (3, 7, 7, 2), p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    compare(gpu, "max_pool", x, (2, 3), (2, 2), pads, exact=True)
    compare(gpu, "max_pool", np.zeros_like(x), (2, 3), (1, 1), pads, exact=True)


def test_max_pool_of_integers(gpu):
    compare(gpu, "max_pool", np.arange(32).reshape(1, 4, 4, 2) % 7, (2, 2), (1, 1), ((0, 0),) * 2)


@HALF_TOO
@pytest.mark.parametrize("shape", [(1,), (1000,), (3, 0), (7, 5, 3), ()])
@pytest.mark.parametrize(
    "key, rate", [((5, 0, 2), 0.25), ((3, 2**63, 2**64 - 1), 0.9), ((0, 0, 0), 1 / 3)]
)
def test_dropout_mask_bit_for_bit(gpu, shape, key, rate, dtype):
    compare(gpu, "dropout_mask", key, shape, rate, dtype, exact=True)


def test_dropout_mask_at_the_very_threshold(gpu):
    compare(gpu, "dropout_mask", (3, 0, 1), (300_001,), 0.5, "float32", exact=True)


TABLE = (11, 5)
PICKS = [  # like, index, shape of the updates
    (TABLE, [3, 3, 0, -1, 10, 3], (6, 5)),
    (TABLE, [[3, 1], [1, 1]], (2, 2, 5)),
    (TABLE, [0] * 40 + [7], (41, 5)),
    (TABLE, np.zeros(0, "int64"), (0, 5)),
    ((4, 70), [2, 2, 1], (3, 70)),
    ((4, 3, 2), [2, 2, 1], (3, 3, 2)),
    ((9,), [[8, 8], [0, -9]], (2, 2)),
    ((4, 6, 3), (slice(None), [[5, 0], [5, 5]]), (4, 2, 2, 3)),
    (TABLE, ([3, 3, 0], [1, 1, 4]), (3,)),
    (TABLE, (slice(1, 3), 2), (2,)),
    (TABLE, (Ellipsis, 0), (11,)),
    (TABLE, 4, (5,)),
    (TABLE, slice(None, None, 2), (6, 5)),
]


@HALF_TOO
@pytest.mark.parametrize("like, index, shape", PICKS)
def test_scatter_add(gpu, like, index, shape, dtype):
    like, updates = np.zeros(like, dtype), (distinct(*shape) / 8).astype(dtype)
    expected = PLAIN.scatter_add(like, host_index(index), updates.astype("float64"))
    key = device_index(gpu, index)
    with strict_cupy.no_syncs(gpu.xp):
        result = gpu.scatter_add(gpu.asarray(like), key, gpu.asarray(updates))
    assert result.dtype == dtype and result.shape == like.shape
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(gpu.to_numpy(result), expected, rtol=tolerance, atol=tolerance)


def host_index(index):
    if isinstance(index, tuple):
        return tuple(map(host_index, index))
    return np.asarray(index) if isinstance(index, (list, np.ndarray)) else index


def device_index(gpu, index):
    if isinstance(index, tuple):
        return tuple(device_index(gpu, part) for part in index)
    return gpu.asarray(np.asarray(index)) if isinstance(index, (list, np.ndarray)) else index


@pytest.mark.parametrize(
    "activation, dtype",
    [*((name, "float32") for name in BY_VALUE)]
    + [*itertools.product(["relu", "sigmoid"], ["float16", "float64"])],
)
def test_bias_and_activation(gpu, activation, dtype):
    x, bias = (normal(6, 7, 5) * 3).astype(dtype), normal(5).astype(dtype)
    y = compare(gpu, "bias_activation", x, bias, activation)
    g = normal(*y.shape).astype(dtype)
    compare(gpu, "bias_activation_grad", g, y, activation)
    slope = PLAIN.bias_activation_grad(np.ones(y.shape), y.astype("float64"), activation)
    z = x.astype("float64") + bias
    values = [PLAIN.bias_activation(z + step, bias * 0, activation) for step in (1e-6, -1e-6)]
    np.testing.assert_allclose(slope, (values[0] - values[1]) / 2e-6, atol=2e-3)


def test_activations_of_large_and_missing_numbers(gpu):
    x, bias = np.array([[-1e4, 1e4, np.nan]], "float32"), np.zeros(3, "float32")
    for activation in BY_VALUE:
        compare(gpu, "bias_activation", x, bias, activation)


@HALF_TOO
@pytest.mark.parametrize("rows, classes", [(1, 1), (9, 10), (3, 32), (5, 101), (0, 4)])
def test_softmax_crossentropy(gpu, rows, classes, dtype):
    logits = (normal(rows, classes) * 5 + 3).astype(dtype)
    g = normal(rows).astype(dtype)
    shares = np.exp(normal(rows, classes)).astype(dtype) / np.dtype(dtype).type(classes)
    numbers = np.arange(rows) * 7 % classes
    for target in numbers, numbers.astype("int32"), shares:
        _, p = compare(gpu, "softmax_crossentropy", logits, target)
        compare(gpu, "softmax_crossentropy_grad", g, p, target)


@pytest.mark.parametrize("value", [1e4, -1e4])
def test_softmax_crossentropy_of_large_logits(gpu, value):
    logits = np.array([[value, 0, 0], [0, 0, value]], "float32")
    compare(gpu, "softmax_crossentropy", logits, np.array([1, 2]))


def update_numbers(optimizer, lr, t, dtype):
    """The rule's name and the numbers that its kernel takes."""
    o, shared = optimizer, {"lr": lr, "decay": optimizer.weight_decay or 0.0}
    if isinstance(o, SGD):
        return "sgd", shared | {"beta": o.momentum, "nesterov": o.nesterov}
    if isinstance(o, RMSprop):
        numbers = {"rho": o.rho, "one_minus_rho": 1 - o.rho, "beta": o.momentum}
        return "rmsprop", shared | numbers | {"epsilon": o.epsilon}
    numbers = {"one_minus_beta_1": 1 - o.beta_1, "one_minus_beta_2": 1 - o.beta_2}
    numbers |= {"epsilon": o.epsilon, "step": o._step_size(lr, t, np.dtype(dtype))}
    return "adam", shared | numbers


OPTIMIZERS = [
    (SGD, {}),
    (SGD, {"momentum": 0.9}),
    (SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    (RMSprop, {}),
    (RMSprop, {"momentum": 0.8}),
    (RMSprop, {"centered": True}),
    (RMSprop, {"momentum": 0.8, "centered": True, "weight_decay": 0.01}),
    (Adam, {}),
    (Adam, {"amsgrad": True}),
    (AdamW, {}),
]
SLOTS = {
    "sgd": ("momentum",),
    "rmsprop": ("velocity", "momentum", "average_gradient"),
    "adam": ("momentum", "velocity", "velocity_hat"),
}


@DTYPES
@pytest.mark.parametrize("optimizer, options", OPTIMIZERS)
def test_updates_are_the_optimizers_rules(gpu, optimizer, options, dtype):
    optimizer, lr = optimizer(**options), 0.03
    names = itertools.chain.from_iterable(optimizer.slots)
    slots = {name: np.zeros(301, dtype) for name in names}
    w = normal(301).astype(dtype)
    rule = update_numbers(optimizer, lr, 1, dtype)[0]
    device = {"w": gpu.asarray(w.copy()), "g": None} | dict.fromkeys(SLOTS[rule])
    device |= {name: gpu.asarray(slot.copy()) for name, slot in slots.items()}
    for t in range(1, 5):
        g = np.roll(normal(301), t).astype(dtype)
        if optimizer.weight_decay:
            w -= w * optimizer.weight_decay * lr
        optimizer.rule(w, g, lr, t, **slots)
        device["g"] = gpu.asarray(g)
        with strict_cupy.no_syncs(gpu.xp):
            assert gpu.fused_update(*(rule, device, update_numbers(optimizer, lr, t, dtype)[1]))
    tolerance = 4 * np.finfo(dtype).eps
    for name, expected in {"w": w, **slots}.items():
        result = gpu.to_numpy(device[name])
        np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


def on_device(gpu, number):
    """A number as an array of the device; floats in float64, which the launch has to convert."""
    return gpu.asarray(np.asarray(number))


@HALF_TOO
@pytest.mark.parametrize("held", ["all", "lr", "step"])
@pytest.mark.parametrize("optimizer, options", OPTIMIZERS)
def test_updates_by_numbers_that_the_device_holds(gpu, optimizer, options, held, dtype):
    optimizer = optimizer(**options)
    rule, numbers = update_numbers(optimizer, 0.03, 3, dtype)
    held = set(numbers) if held == "all" else {held} & set(numbers)
    results = []
    for names in set(), held:
        device = {"w": normal(301), "g": normal(301)[::-1]} | dict.fromkeys(SLOTS[rule])
        device |= {name: normal(301) ** 2 for group in optimizer.slots for name in group}
        device = {k: a if a is None else gpu.asarray(a.astype(dtype)) for k, a in device.items()}
        values = {k: on_device(gpu, n) if k in names else n for k, n in numbers.items()}
        with strict_cupy.no_syncs(gpu.xp):
            assert gpu.fused_update(rule, device, values)
        results.append({k: gpu.to_numpy(a) for k, a in device.items() if a is not None})
    assert len(gpu._kernels) == (2 if held else 1)
    for name, expected in results[0].items():
        np.testing.assert_array_equal(results[1][name], expected)
    assert not np.array_equal(results[1]["w"], normal(301).astype(dtype))


@HALF_TOO
@pytest.mark.parametrize("counter", [np.uint64(2**64 - 1), np.int64(7), np.int32(0)])
def test_dropout_mask_by_a_counter_that_the_device_holds(gpu, counter, dtype):
    queued = on_device(gpu, counter)
    with strict_cupy.no_syncs(gpu.xp):
        mask = gpu.dropout_mask((3, 2**63, queued), (70,), 0.4, dtype)
    expected = PLAIN.dropout_mask((3, 2**63, int(counter)), (70,), 0.4, dtype)
    np.testing.assert_array_equal(gpu.to_numpy(mask), expected)


def test_every_number_can_be_held():
    """Also those of kernels over windows, whose axes are made of numbers."""
    for name, kernel in cuda_kernels.KERNELS.items():
        scalars = cuda_kernels.converters(name, "float32")
        held = [parameter for parameter, scalar in scalars.items() if scalar]
        declared = strict_cupy.kernels.raw_parameters(
            cuda_kernels.source(name, "float32", held=held), name
        )
        assert [p for p, pointer, _ in declared if pointer] == [
            f"held_{parameter}" if parameter in held else parameter for parameter in scalars
        ]
        assert kernel.windows == ("size0" in held)


def test_updates_without_a_kernel(gpu):
    w = gpu.asarray(np.ones(3, "float32"))
    assert not gpu.fused_update("lion", {"w": w, "g": w}, {})
    assert not gpu.fused_update("sgd", {"w": w, "g": w.astype("float64"), "momentum": None}, {})
    assert not PLAIN.fused_update("sgd", {}, {})


def test_transfers_and_memory(gpu):
    x = np.arange(6, dtype="float32").reshape(2, 3)
    on_device = gpu.asarray(x, dtype="float64")
    assert isinstance(on_device, gpu.array_type) and on_device.dtype == "float64"
    np.testing.assert_array_equal(gpu.to_numpy(gpu.asarray(on_device)), x)
    gpu.synchronize()
    memory = gpu.memory_info()
    assert set(memory) == {"used", "pooled", "free", "total"}
    assert 48 <= memory["used"] <= memory["pooled"] < memory["total"]
    del on_device
    gpu.free_memory()
    assert gpu.memory_info()["pooled"] <= memory["pooled"]


def test_kernels_are_compiled_when_first_used_and_once(gpu):
    assert not gpu._kernels
    for _ in range(2):
        gpu.dropout_mask((1, 0, 2), (5,), 0.5, "float32")
    gpu.dropout_mask((1, 0, 2), (5,), 0.5, "float64")
    assert len(gpu._kernels) == 2


def test_indices_of_64_bits(gpu, monkeypatch):
    monkeypatch.setattr(cupy_backend, "_SHORT", 1)
    x, w = normal(2, 5, 5, 2).astype("float32"), normal(3, 3, 2, 4).astype("float32")
    geometry = ((2, 1), ((1, 1), (1, 1)), (1, 1), 1)
    y = compare(gpu, "conv", x, w, *geometry)
    compare(gpu, "conv_input_grad", y, w, x.shape, *geometry)
    ids = np.array([1, 1, 0])
    compare(gpu, "scatter_add", np.zeros((3, 4), "float32"), ids, np.ones((3, 4), "float32"))
    compare(gpu, "dropout_mask", (1, 0, 2), (100,), 0.5, "float32", exact=True)


# What a user without a GPU reads


def machine(available=False, driver=13000, built=13000):
    versions = {"driverGetVersion": lambda: driver, "runtimeGetVersion": lambda: built}
    cuda = types.SimpleNamespace(
        is_available=lambda: available, runtime=types.SimpleNamespace(**versions)
    )
    return types.SimpleNamespace(cuda=cuda)


@pytest.mark.parametrize(
    "versions, message",
    [
        ({"driver": 0}, "needs an NVIDIA driver, which is not installed"),
        ({"driver": 12040}, r"a driver for CUDA 13.0.*yours is for CUDA 12.4.*layerkit\[cuda12\]"),
        ({}, "needs an NVIDIA GPU, and the driver shows none"),
    ],
)
def test_what_is_missing_is_named(versions, message):
    with pytest.raises(RuntimeError, match=message):
        CupyBackend(machine(**versions))


@pytest.mark.parametrize("make", [CupyBackend, lambda: K.get_backend("cupy")])
def test_without_cupy(monkeypatch, make):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(registry, "_makers", {})
    monkeypatch.setattr(registry, "_loaded", {})
    with pytest.raises(ImportError, match=r'needs CuPy.*pip install "layerkit\[cuda12\]"'):
        make()


# The testers, tested

SHIFT = """
extern "C" __global__ void shift(float* y, const float* x, int n) {
    __shared__ float cells[64];
    int i = threadIdx.x;
    cells[i] = i < n ? x[i] : 0;
    WAIT
    if (i < n) y[i] = cells[(i + 1) % n] + __shfl_xor_sync(~0u, cells[i], 1);
}
"""


def shift(wait="__syncthreads();", n=None):
    x, y = np.arange(64, dtype="float32"), np.zeros(64, "float32")
    n = np.int32(64) if n is None else n
    cuda_emulator.run(SHIFT.replace("WAIT", wait), "shift", (1,), (64,), [y, x, n])
    return x, y


def test_emulator_runs_barriers_and_shuffles():
    x, y = shift()
    np.testing.assert_array_equal(y, np.roll(x, -1) + x.reshape(-1, 2)[:, ::-1].reshape(-1))
    assert (shift("")[1] != y).any()  # without its barrier, the kernel reads too early


def test_emulator_refuses_what_a_gpu_would_misread():
    with pytest.raises(cuda_emulator.EmulationError, match="received.*'i8'"):
        shift(n=64)
    with pytest.raises(cuda_emulator.EmulationError, match="never reach a barrier"):
        shift("if (i < 40 && i > 2) __shfl_xor_sync(~0u, 1, 1); else __syncthreads();")
    with pytest.raises(cuda_emulator.EmulationError, match="does not compile"):
        shift("this is no C")
    with pytest.raises(cuda_emulator.EmulationError, match="No GPU launches blocks"):
        cuda_emulator.run(SHIFT, "shift", (1,), (2048,), [])


def test_emulator_halves_are_ieee_halves():
    source = cuda_kernels.source("bias_activation", "float16", ACTIVATION="z")
    x = np.arange(2**16).astype("uint16").view("float16")
    y, zero = np.empty_like(x), np.zeros(1, "float16")
    arguments = [np.int32(x.size), y, x, zero, np.int32(1)]
    cuda_emulator.run(source, "bias_activation", (256,), (256,), arguments)
    np.testing.assert_array_equal(y, x)
    values = np.float32(normal(5000)) * np.float32(10) ** np.arange(-8, 12).repeat(250)
    sums = np.empty(5000, "float16")
    source = source.replace("const T* x", "const float* x")
    arguments = [np.int32(5000), sums, np.float32(values), zero, np.int32(1)]
    cuda_emulator.run(source, "bias_activation", (20,), (256,), arguments)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(sums, np.float32(values).astype("float16"))
