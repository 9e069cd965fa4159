"""Everything that only a GPU can show, in one run: `python benchmarks/gpu.py`.

The test suite and the conformance suite on CuPy, NumPy beside CuPy for every operation, products of
matrices beside CuPy's own, the engines of convolutions beside each other and PyTorch's, eager
beside replayed steps, the ways of batches to the device, and samples a second of five MNIST models
beside Keras and PyTorch where those are installed. Takes under ten minutes and writes one JSON
file, after each step anew. A failure is recorded there and the rest goes on.

Exit code: 0 where all went well, 1 where something failed, 2 where there is no GPU.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import layerkit
from layerkit import backend as K
from layerkit.backend import cupy_feed, testing, tree
from layerkit.backend.nvidia import Flags
from peers.frameworks import KerasLike
from peers.workloads import WORKLOADS, data

ROOT = Path(__file__).parents[1]
BUDGET = 350  # seconds after which no further step begins
SUITE_BUDGET = 240  # seconds for the test suite, the last step
RUNS = 9  # medians of so many


# Steps: functions of the GPU's backend that return what goes into the JSON


def machine(gpu: Any) -> dict:
    """What this ran on."""
    runtime = gpu.xp.cuda.runtime
    properties = runtime.getDeviceProperties(0)
    modules = {name: version(name) for name in ("cupy", "numpy", "torch", "keras")}
    return {
        "gpu": properties["name"].decode(),
        "driver": runtime.driverGetVersion(),
        "cuda": runtime.runtimeGetVersion(),
        "engines": gpu.engines,
        "cublas": gpu.has_cublas,
        "python": platform.python_version(),
        "layerkit": layerkit.__version__,
        "memory": gpu.memory_info(),
        **modules,
    }


def version(name: str) -> str | None:
    return importlib.import_module(name).__version__ if find_spec(name) else None


def suite(gpu: Any) -> dict:
    """The whole test suite with CuPy as the default backend, in a process of its own."""
    if not find_spec("pytest"):
        return skipped("pytest is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--tb=line", "--maxfail=50", "tests"],
        cwd=ROOT,
        env=os.environ | {"LAYERKIT_BACKEND": "cupy"},
        capture_output=True,
        text=True,
        timeout=SUITE_BUDGET,
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    result = {"exit code": done.returncode, "last lines": lines[-60:]}
    return result | ({"error": lines[-1] if lines else "no output"} if done.returncode else {})


def conformance(gpu: Any) -> dict:
    return {"report": testing.check_backend(gpu.name)}


def operations(gpu: Any) -> dict:
    """For each row of the tests' tables, in float32: CuPy's distance from NumPy, and both times."""
    return {str(row): attempt(compare_operation, gpu, row) for row in rows()}


def rows() -> Iterator[Any]:
    if str(ROOT / "tests") not in sys.path:
        sys.path.insert(0, str(ROOT / "tests"))
    for path in sorted((ROOT / "tests" / "tables").glob("ops_*.py")):
        yield from importlib.import_module(f"tables.{path.stem}").ROWS


def compare_operation(gpu: Any, row: Any) -> dict:
    values, times = [], []
    for backend in K.get_backend("numpy"), gpu:
        K.set_backend(backend.name)
        call = operation(row, backend)
        values.append([host(y) for y in tree.flatten(call())])
        times.append(milliseconds(call, waiter(backend), runs=3, calls=5))
    gap = max((difference(a, b) for a, b in zip(*values, strict=True)), default=0.0)
    result = {"difference": gap, "numpy ms": times[0], "cupy ms": times[1]}
    wrong = not gap <= 20 * row.tolerance
    return result | ({"error": "NumPy and CuPy do not agree"} if wrong else {})


def operation(row: Any, backend: Any) -> Callable[[], Any]:
    """The row's operation, called on its inputs on `backend`."""

    def place(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        x = x.astype("float32") if x.dtype.kind == "f" else x
        return K.Tensor(backend.asarray(x))

    function = getattr(K, row.name.split(":")[0])
    inputs = [tree.map_structure(place, x) for x in row.inputs]
    return lambda: function(*row.leading, *inputs, **row.options)


def host(y: Any) -> np.ndarray:
    return np.asarray(y.numpy() if isinstance(y, K.Tensor) else y)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest one, relative to the largest number or 1; NaN and infinities must be the same."""
    a, b = a.astype("float64"), b.astype("float64")
    if a.shape != b.shape or (np.isfinite(a) != np.isfinite(b)).any():
        return float("inf")
    finite = np.isfinite(a)
    return float(abs(a - b)[finite].max(initial=0) / max(1, abs(a[finite]).max(initial=0)))


PRODUCTS = [  # batch, rows, inner size, columns, whether both operands lie transposed
    (1, 128, 784, 625, False),
    (1, 784, 128, 625, True),
    (1, 25088, 288, 64, False),
    (1, 2048, 2048, 2048, False),
    (64, 128, 64, 128, False),
    (64, 128, 64, 128, True),
]
KINDS = {  # dtype, TF32, how far from CuPy's product it may be
    "float32": ("float32", False, 1e-4),
    "tf32": ("float32", True, 1e-2),
    "float16": ("float16", False, 1e-2),
}


def products(gpu: Any) -> dict:
    """Milliseconds of our cuBLAS and of `cupy.matmul`, and how far their values are apart."""
    if not gpu.has_cublas:
        return skipped("libcublas was not found or did not start")
    flags, found = gpu.flags, {}
    for case, kind in itertools.product(PRODUCTS, KINDS):
        batch, m, k, n, transposed = case
        name = f"{batch} x {m}x{k}x{n}{', transposed' if transposed else ''}, {kind}"
        found[name] = attempt(compare_products, gpu, case, *KINDS[kind])
    gpu.flags = flags
    return found


def compare_products(gpu: Any, case: tuple, dtype: str, tf32: bool, allowed: float) -> dict:
    gpu.flags = Flags(tf32=tf32)
    (batch, m, k, n, transposed), random = case, np.random.default_rng(0)
    shapes = [(batch, k, m), (batch, n, k)] if transposed else [(batch, m, k), (batch, k, n)]
    hosts = (random.standard_normal(shape, "float32").astype(dtype) for shape in shapes)
    a, b = (gpu.asarray(x if batch > 1 else x[0]) for x in hosts)
    if transposed:
        a, b = a.swapaxes(-1, -2), b.swapaxes(-1, -2)
    values, times = [], []
    for product in gpu.matmul, gpu.xp.matmul:
        values.append(gpu.to_numpy(product(a, b)))
        times.append(milliseconds(lambda call=product: call(a, b), gpu.synchronize))
    gap = difference(*values)
    result = {"difference": gap, "cublas ms": times[0], "cupy ms": times[1]}
    return result | ({} if gap <= allowed else {"error": "the products do not agree"})


CONVOLUTIONS = [  # batch, size, channels, filters, window, stride
    (128, 28, 1, 32, 3, 1),
    (128, 14, 32, 64, 3, 1),
    (128, 7, 64, 128, 3, 1),
    (64, 56, 64, 64, 3, 1),
    (64, 56, 64, 128, 3, 2),
    (64, 28, 128, 256, 1, 1),
]
KERNELS = ("conv", "conv_input_grad", "conv_kernel_grad")


def convolutions(gpu: Any) -> dict:
    """Milliseconds of each engine, who really computed, and its distance from im2col's values."""
    names, flags = gpu.engines, gpu.flags if gpu.has_cudnn or gpu.has_cublas else None
    try:
        return all_convolutions(convolution_engines(gpu))
    finally:
        gpu.engines = names
        if flags is not None:
            gpu.flags = flags


def all_convolutions(engines: dict[str, Callable]) -> dict:
    found: dict[str, Any] = {}
    for case in CONVOLUTIONS:
        n, size, c, k, window, stride = case
        name = f"{n}x{size}x{size}x{c}->{k}, window {window}, stride {stride}"
        for dtype in "float32", "float16":
            for kernel in KERNELS:
                result = attempt(compare_engines, engines, kernel, *case, dtype)
                found[f"{kernel} {name}, {dtype}"] = result
    return found


def convolution_engines(gpu: Any) -> dict[str, Callable]:
    """By name: what takes a kernel's name and operands and gives (call, to_host, wait, by)."""
    exact = Flags() if gpu.has_cudnn or gpu.has_cublas else None
    engines: dict[str, Callable] = {"im2col": functools.partial(ours, gpu, (), exact)}
    choices = {"": Flags(), " tf32": Flags(tf32=True), " deterministic": Flags(deterministic=True)}
    for name in gpu.engines:
        for suffix, flags in choices.items():
            engines[name + suffix] = functools.partial(ours, gpu, (name,), flags)
    if torch_on_gpu():
        engines["torch"] = lambda *a: torchs(False, *a)
        engines["torch tf32"] = lambda *a: torchs(True, *a)
    return engines


def compare_engines(
    engines: dict, kernel: str, n: int, size: int, c: int, k: int, window: int, stride: int, dtype
) -> dict:
    random, pad = np.random.default_rng(0), window // 2
    out = (size + 2 * pad - window) // stride + 1
    draw = lambda *shape: random.standard_normal(shape, "float32").astype(dtype)  # noqa: E731
    x, w, g = draw(n, size, size, c), draw(window, window, c, k) / 8, draw(n, out, out, k)
    result: dict[str, Any] = {}
    expected: Any = None
    for name, engine in engines.items():
        entry = attempt(time_engine, engine, kernel, x, w, g, stride, pad)
        if "error" not in entry:
            value = entry.pop("value")
            expected = value if expected is None else expected
            entry["difference"] = difference(expected, value)
        result[name] = entry
    return result


def time_engine(engine: Callable, *arguments: Any) -> dict:
    call, to_host, wait, by = engine(*arguments)
    return {"value": to_host(call()), "ms": milliseconds(call, wait), "by": by}


def ours(
    gpu: Any,
    names: tuple,
    flags: Flags | None,
    kernel: str,
    x: Any,
    w: Any,
    g: Any,
    stride: int,
    pad: int,
) -> tuple:
    """A convolution by the engines `names`, or by im2col where they have no plan for it."""
    gpu.engines = names
    if flags is not None:
        gpu.flags = flags
    geometry = ((stride, stride), ((pad, pad), (pad, pad)), (1, 1), 1)
    dx, dw, dg = map(gpu.asarray, (x, w, g))
    arguments = {
        "conv": (dx, dw, *geometry),
        "conv_input_grad": (dg, dw, x.shape, *geometry),
        "conv_kernel_grad": (dx, dg, w.shape, *geometry),
    }[kernel]
    by = gpu.engine_of(kernel, *arguments)
    return lambda: getattr(gpu, kernel)(*arguments), gpu.to_numpy, gpu.synchronize, by


def torch_on_gpu() -> bool:
    if not find_spec("torch"):
        return False
    import torch

    return torch.cuda.is_available()


def torchs(tf32: bool, kernel: str, x: Any, w: Any, g: Any, stride: int, pad: int) -> tuple:
    """PyTorch's convolution of channels-last images, as `ours`."""
    import torch

    torch.backends.cudnn.allow_tf32 = tf32
    form = {"device": "cuda", "memory_format": torch.channels_last}
    images, upstream = (torch.tensor(a.transpose(0, 3, 1, 2)).to(**form) for a in (x, g))
    filters = torch.tensor(w.transpose(3, 2, 0, 1)).to(**form)
    options = {"stride": stride, "padding": pad}
    grad = torch.nn.grad
    calls = {
        "conv": lambda: torch.nn.functional.conv2d(images, filters, **options),
        "conv_input_grad": lambda: grad.conv2d_input(images.shape, filters, upstream, **options),
        "conv_kernel_grad": lambda: grad.conv2d_weight(images, filters.shape, upstream, **options),
    }
    axes = (2, 3, 1, 0) if kernel == "conv_kernel_grad" else (0, 2, 3, 1)
    to_host = lambda y: y.permute(axes).cpu().numpy()  # noqa: E731
    return calls[kernel], to_host, torch.cuda.synchronize, "torch"


def replay(gpu: Any) -> dict:
    """Losses and samples a second of eager steps and of replayed ones."""
    K.set_backend(gpu.name)
    return {name: attempt(compare_replay, name) for name in MODELS}


def compare_replay(name: str) -> dict:
    losses, speeds = {}, {}
    batch_size = WORKLOADS[name].batch_size
    x, y = data(name, 20 * batch_size)
    for kind in False, True:
        layerkit.utils.set_random_seed(0)
        model = KerasLike(layerkit, name, jit_compile=kind)
        losses[kind] = model.fit(x, y, batch_size, 2)
        speeds[kind] = speed(model, name)
    gap = difference(np.asarray(losses[False]), np.asarray(losses[True]))
    result = {"difference of losses": gap, "eager/s": speeds[False], "replayed/s": speeds[True]}
    return result | ({"error": "the losses do not agree"} if not gap < 1e-3 else {})


def models(gpu: Any) -> dict:
    """Samples a second while training, of each model in each framework."""
    frameworks: dict[str, Callable[[str], float]] = {
        "layerkit on cupy": lambda name: layerkit_speed(gpu.name, name),
        "layerkit on numpy": lambda name: layerkit_speed("numpy", name),
    }
    if find_spec("keras") and torch_on_gpu():
        os.environ.setdefault("KERAS_BACKEND", "torch")
        frameworks[f"keras on {os.environ['KERAS_BACKEND']}"] = keras_speed
    if torch_on_gpu():
        frameworks["torch"] = torch_speed
    return {
        name: {framework: attempt(run, name) for framework, run in frameworks.items()}
        for name in MODELS
    }


FEEDS: dict[str, Callable] = {
    "resident": cupy_feed.resident,
    "streamed": cupy_feed.streamed,
    "plain": K.Backend.feeder,
}


def feeding(gpu: Any) -> dict:
    """Milliseconds of an epoch of the MLP, by how batches reach the device and by their dtype."""
    K.set_backend(gpu.name)
    return {
        f"{feed}, {dtype}": attempt(time_feed, gpu, feed, dtype)
        for dtype in ("float32", "uint8")
        for feed in FEEDS
    }


def time_feed(gpu: Any, feed: str, dtype: str, epochs: int = 3) -> dict:
    """Of `fit` with some epochs, so that data that is sent once is sent once."""
    layerkit.utils.set_random_seed(0)
    batch_size, model = WORKLOADS["mlp"].batch_size, KerasLike(layerkit, "mlp")
    x, y = data("mlp", BATCHES * batch_size)
    x = (x * 255).astype(dtype)
    gpu.feeder = lambda *arguments: FEEDS[feed](gpu, *arguments)
    try:
        model.fit(x, y, batch_size, 1)
        start = time.perf_counter()
        model.fit(x, y, batch_size, epochs)
        return {"ms": round((time.perf_counter() - start) / epochs * 1000, 3)}
    finally:
        del gpu.feeder  # the class's own again


# The five MNIST models: speeds of each framework

MODELS = ("logistic", "mlp", "modern", "cnn", "convnet")
BATCHES = 100  # of an epoch that is timed; on the CPU, a tenth


def layerkit_speed(backend: str, name: str) -> dict:
    K.set_backend(backend)
    layerkit.utils.set_random_seed(0)
    less = 10 if backend == "numpy" else 1
    return {"samples/s": speed(KerasLike(layerkit, name), name, less)}


def keras_speed(name: str) -> dict:
    import keras

    return {"samples/s": speed(KerasLike(keras, name), name)}


def torch_speed(name: str) -> dict:
    from peers.torch_models import TorchModel

    return {"samples/s": speed(TorchModel(name, "cuda"), name)}


def speed(model: Any, name: str, less: int = 1) -> float:
    """Samples a second of a second epoch; its mean loss is a number on the host, so it is over."""
    batch_size = WORKLOADS[name].batch_size
    x, y = data(name, BATCHES // less * batch_size)
    model.fit(x, y, batch_size, 1)
    start = time.perf_counter()
    model.fit(x, y, batch_size, 1)
    return len(x) / (time.perf_counter() - start)


# Running, timing, recording

STEPS = (machine, conformance, operations, products, convolutions, replay, feeding, models, suite)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "gpu.json")
    parser.add_argument(
        "--only", nargs="+", choices=[s.__name__ for s in STEPS], help="these steps alone"
    )
    args = parser.parse_args()
    try:
        gpu = K.get_backend("cupy")
    except (ImportError, RuntimeError) as error:
        print(f"There is no GPU to measure here, nothing was run. {error}", file=sys.stderr)
        return 2
    steps = [step for step in STEPS if not args.only or step.__name__ in args.only]
    results = run_steps(steps, gpu, args.output)
    print(f"written: {args.output}")
    return 1 if has_error(results) else 0


def run_steps(steps: list[Callable], gpu: Any, output: Path) -> dict:
    """The steps' results and seconds by their names; the file is written after each."""
    results: dict[str, Any] = {}
    began = time.perf_counter()
    output.parent.mkdir(parents=True, exist_ok=True)
    for step in steps:
        start = time.perf_counter()
        late = start - began > BUDGET
        result = skipped("no time was left") if late else attempt(step, gpu)
        seconds = round(time.perf_counter() - start, 2)
        results[step.__name__] = {"seconds": seconds, **result}
        output.write_text(json.dumps(results, indent=1) + "\n")
        print(f"{step.__name__}: {seconds} s{', with errors' if has_error(result) else ''}")
    return results


def attempt(function: Callable[..., dict], *arguments: Any) -> dict:
    """What `function` returns, or {"error": ...}: one failure does not end the rest."""
    try:
        return function(*arguments)
    except Exception as error:  # whatever goes wrong on a machine that nobody has seen
        where = "".join(traceback.format_tb(error.__traceback__)[-3:])
        return {"error": f"{type(error).__name__}: {error}", "where": where}


def skipped(why: str) -> dict:
    return {"skipped": why}


def has_error(result: Any) -> bool:
    return isinstance(result, dict) and ("error" in result or any(map(has_error, result.values())))


def waiter(backend: Any) -> Callable[[], None]:
    return getattr(backend, "synchronize", lambda: None)


def milliseconds(
    call: Callable, wait: Callable[[], None], runs: int = RUNS, calls: int = 10
) -> float:
    """The median time of a call, of `runs` rounds of `calls` with one wait at the end of each."""
    times = []
    for _ in range(runs + 1):  # the first one warms up
        wait()
        start = time.perf_counter()
        for _ in range(calls):
            call()
        wait()
        times.append((time.perf_counter() - start) / calls * 1000)
    return round(statistics.median(times[1:]), 5)


if __name__ == "__main__":
    sys.exit(main())
