"""NumPy's kernels beside their plain twins: `python benchmarks/kernels.py`.

For every kernel that NumpyBackend writes anew, the milliseconds of the reference in Backend, of the
fast one, and how many times as fast it is, and the same of NumbaBackend where numba is installed;
medians of runs in turn, BLAS on one thread.
"""

import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

import layerkit
from layerkit.backend import Backend, get_backend, memory, threads
from layerkit.backend.numpy_backend import NumpyBackend

RUNS = 15
NONE, SAME = ((0, 0), (0, 0)), ((1, 1), (1, 1))
ONES, TWOS = (1, 1), (2, 2)


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, dtype="float32")


def cases() -> dict[str, Callable[[Backend], object]]:
    found: dict[str, Callable[[Backend], object]] = {}
    for size, channels, filters in ((28, 1, 32), (14, 32, 64), (7, 64, 128)):
        x, g = images(50, size, size, channels), images(50, size, size, filters)
        w = images(3, 3, channels, filters)
        name = f"{size}x{size}x{channels}->{filters}"
        geometry = (ONES, SAME, ONES, 1)
        found[f"conv {name}"] = lambda b, x=x, w=w, a=geometry: b.conv(x, w, *a)
        found[f"conv_input_grad {name}"] = lambda b, x=x, w=w, g=g, a=geometry: b.conv_input_grad(
            g, w, x.shape, *a
        )
        found[f"conv_kernel_grad {name}"] = lambda b, x=x, w=w, g=g, a=geometry: b.conv_kernel_grad(
            x, g, w.shape, *a
        )
    x, w = images(50, 28, 28, 32), images(3, 3, 1, 32)
    found["conv depthwise 28x28x32"] = lambda b: b.conv(x, w, ONES, SAME, ONES, 32)
    y, geometry = images(50, 28, 28, 32), (ONES, SAME, ONES, 32)
    found["its input gradient"] = lambda b: b.conv_input_grad(y, w, x.shape, *geometry)
    found["its kernel gradient"] = lambda b: b.conv_kernel_grad(x, y, w.shape, *geometry)
    strided, kernel = images(50, 14, 14, 64), images(3, 3, 32, 64)
    found["conv_input_grad 28x28x32->64, strides 2"] = lambda b: b.conv_input_grad(
        strided, kernel, (50, 28, 28, 32), TWOS, SAME, ONES, 1
    )
    found["max_pool 28x28x32"] = lambda b: b.max_pool(x, TWOS, TWOS, NONE)
    g, winner = images(50, 14, 14, 32), np.zeros((50, 14, 14, 32), "uint8")
    found["max_pool_grad 28x28x32"] = lambda b: b.max_pool_grad(
        g, winner, x.shape, TWOS, TWOS, NONE
    )
    table, ids = images(10_000, 64), np.random.default_rng(0).integers(0, 10_000, 5_000)
    updates = images(5_000, 64)
    found["scatter_add 5,000 rows of 10,000x64"] = lambda b: b.scatter_add(table, (ids,), updates)
    return found | passes() | products() | recurrent()


def passes() -> dict[str, Callable[[Backend], object]]:
    """Kernels that go over large arrays once or more."""
    x, g, bias = images(50, 28, 28, 32), images(50, 28, 28, 32), images(32)
    y, shape = np.maximum(x, 0), (50, 14, 14, 32)
    w, gradient, velocity = images(784, 620), images(784, 620), np.abs(images(784, 620))
    optimizer = layerkit.optimizers.RMSprop()
    fused, slots, numbers = optimizer.fused(1e-9, 1, w.dtype)

    def rule(*arrays: np.ndarray) -> None:
        optimizer.rule(arrays[0], arrays[1], 1e-9, 1, arrays[2])

    def update(backend: Backend) -> None:
        arrays = {"w": w, "g": gradient, **dict.fromkeys(slots), "velocity": velocity}
        if not backend.fused_update(fused, arrays, numbers):
            backend.in_pieces(rule, w, gradient, velocity)

    found: dict[str, Callable[[Backend], object]] = {}
    for name in "relu", "sigmoid":
        found[f"bias + {name} 28x28x32"] = lambda b, n=name: b.bias_activation(x, bias, n)
        found[f"gradient of {name} 28x28x32"] = lambda b, n=name: b.bias_activation_grad(g, y, n)
    found["sum_rows 28x28x32"] = lambda b: b.sum_rows(g)
    found["sum_products 28x28x32"] = lambda b: b.sum_products(x, g)
    found["scale_rows 28x28x32"] = lambda b: b.scale_rows(x, bias, bias)
    found["combine_rows 28x28x32"] = lambda b: b.combine_rows(x, bias, g, bias, bias)
    found["dropout_mask 14x14x32"] = lambda b: b.dropout_mask((1, 0, 2), shape, 0.2, "float32")
    found["RMSprop 784x620"] = update
    logits, labels = images(5000, 10), np.arange(5000) % 10
    share = images(5000)
    found["softmax_crossentropy 5000x10"] = lambda b: b.softmax_crossentropy(logits, labels)
    found["its gradient"] = lambda b: b.softmax_crossentropy_grad(share, logits, labels)
    return found


def recurrent() -> dict[str, Callable[[Backend], object]]:
    """An LSTM of 128 units over 80 steps of 32 samples, there and back."""
    steps, batch, units = 80, 32, 128
    r, gates = images(units, 4 * units) / 20, images(steps, batch, 4 * units)
    h, c = images(steps + 1, batch, units), images(steps + 1, batch, units)
    tanh_c, dh, dc = images(steps, batch, units), images(batch, units), images(batch, units)

    def forward(backend: Backend) -> None:
        backend.lstm(gates.copy(), r, h, c, tanh_c)

    def back(backend: Backend) -> None:
        backend.lstm_grad(h[1:], dh.copy(), dc.copy(), gates, r, c, tanh_c)

    return {"lstm 80x32x128": forward, "lstm_grad 80x32x128": back}


def products() -> dict[str, Callable[[Backend], object]]:
    """A dense layer's three, each cut along another axis."""
    x, w, g = images(50, 784), images(784, 620), images(50, 620)
    return {
        "matmul 50x784x620": lambda b: b.matmul(x, w),
        "matmul 784x50x620": lambda b: b.matmul(x.T, g),
        "matmul 50x620x784": lambda b: b.matmul(g, w.T),
    }


def milliseconds(run: Callable[[Backend], object], backend: Backend) -> float:
    start = time.perf_counter()
    run(backend)
    return (time.perf_counter() - start) * 1000


class Plain(NumpyBackend):
    """NumPy with the reference kernels."""


for name in vars(NumpyBackend):
    if name in vars(Backend) and name != "to_numpy":
        setattr(Plain, name, vars(Backend)[name])


def main() -> None:
    columns: dict[str, Backend] = {"plain": Plain(), "numpy": get_backend("numpy")}
    if find_spec("numba"):
        columns["numba"] = get_backend("numba")
    heads = "".join(f"{name + ' ms':>10} {'times':>6}" for name in list(columns)[1:])
    print(f"threads: {threads.count()}\n{'kernel':40} {'plain ms':>9}{heads}")
    with threads.blas_on_one_thread(), memory.kept():
        for name, run in cases().items():
            for backend in columns.values():
                run(backend)  # numba compiles now
            times = [[milliseconds(run, b) for b in columns.values()] for _ in range(RUNS)]
            slow, *quick = (statistics.median(column) for column in zip(*times, strict=True))
            row = "".join(f"{ms:10.2f} {slow / ms:6.2f}" for ms in quick)
            print(f"{name:40} {slow:9.2f}{row}")


if __name__ == "__main__":
    main()
