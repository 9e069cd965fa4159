"""CuPy on an NVIDIA GPU: convolutions as one product of matrices, and our own CUDA kernels.

Nothing here waits for the device: kernels are queued on the current stream, numbers come from
shapes. Where a kernel does not fit (integers, mixed dtypes, more than three spatial axes) the
reference of `Backend` runs over CuPy. The kernels' texts and their launches' shapes belong
together: see `cuda_kernels`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Any

import numpy as np

from . import cuda_kernels, cupy_feed
from .base import Backend, output_size
from .by_value import BY_VALUE
from .cublas import Cublas
from .cuda_kernels import LANES, THREADS, TYPES, WARP
from .cupy_graph import CupyGraph
from .engines import Engines
from .nvidia import CupyDevice, Flags

_COLUMN_BYTES = 2**28  # unfolded images at a time
_SHORT = 2**30  # arrays with fewer elements are indexed with 32 bits
_EXTRAS = 'pip install "layerkit[cuda12]" or "layerkit[cuda13]"'
_OR_CPU = "Or compute on the CPU: set_backend('numpy')."


class CupyBackend(Backend):
    """Arrays are `cupy.ndarray`. `cp`: the module to use as CuPy.

    ImportError without CuPy, RuntimeError without a driver or a GPU that it can use. Convolutions
    are cuDNN's where it is installed and has a plan for them (`engines` decides), and otherwise
    im2col, a product of matrices, and col2im. Products are cuBLAS's, through a handle of our own
    where it starts (see `cublas`), and otherwise CuPy's.
    """

    name = "cupy"
    updates_flat = True  # one kernel launch for all variables
    emulated_floats = frozenset({"bfloat16"})  # until its own kernels have run on a device
    can_replay = True

    def __init__(self, cp: Any = None):
        self.xp = _import_cupy() if cp is None else cp
        _check_device(self.xp)
        if cp is None:
            _check_libraries(self.xp)
        self.array_type = self.xp.ndarray
        self._kernels: dict[tuple, tuple[Any, dict]] = {}
        self._thread = threading.local()
        self._graphs: weakref.WeakSet[CupyGraph] = weakref.WeakSet()  # each has memory of its own
        self._constants: dict[tuple, Any] = {}  # never dropped: captured graphs know their places
        device = CupyDevice(self.xp)
        self._engines = Engines.open(device) if cp is None else Engines([], device)
        self._cublas = Cublas.open(device) if cp is None else None

    @property
    def has_cudnn(self) -> bool:
        """Whether cuDNN was found and started; LAYERKIT_CUDNN=0 in the environment refuses it."""
        return bool(self._engines.found)

    @property
    def engines(self) -> tuple[str, ...]:
        """Who is asked for a convolution, in order, before our own kernels: names.

        "cudnn graph" (the package nvidia-cudnn-frontend), "cudnn" (its older interface), or
        nothing. Can be set to fewer of those found, or to another order; ValueError for others.
        """
        return self._engines.names

    @engines.setter
    def engines(self, names: Iterable[str]) -> None:
        self._engines.names = names

    def engine_of(self, kernel: str, a: Any, b: Any, *arguments: Any) -> str:
        """Who computes `kernel` ("conv", ...) of these arrays: one of `engines`, or "own"."""
        return self._engines.name_for(kernel, (a, b), *arguments) or "own"

    @property
    def has_cublas(self) -> bool:
        """Whether we have a cuBLAS of our own; LAYERKIT_CUBLAS=0 in the environment refuses it."""
        return self._cublas is not None

    @property
    def flags(self) -> Flags:
        """What cuDNN and cuBLAS may do: TF32, other bits each time, how much scratch memory.

        Can be set: `get_backend("cupy").flags = Flags(tf32=True)`, `Flags` of
        `layerkit.backend.nvidia`. RuntimeError without both libraries, and for TF32 without cuBLAS.
        `einsum` is CuPy's own, and heeds the environment variable CUPY_TF32 alone.
        """
        return self._libraries()[0].flags

    @flags.setter
    def flags(self, flags: Flags) -> None:
        libraries = self._libraries()
        if not isinstance(flags, Flags):
            raise TypeError(
                f"Expected `flags` to be layerkit.backend.nvidia.Flags(...); received {flags!r}."
            )
        if flags.tf32 and not self.has_cublas:
            raise RuntimeError(
                "Flags(tf32=True) needs our cuBLAS too, or it would hold for convolutions alone: "
                "libcublas.so.13 (or 12) was not found, did not start, or LAYERKIT_CUBLAS is 0. "
                "Install it: pip install nvidia-cublas."
            )
        for library in libraries:
            library.flags = flags

    def _libraries(self) -> list[Any]:
        """cuDNN's engines and cuBLAS, or the one that is in use."""
        used: list[Any] = [self._engines] if self.has_cudnn else []
        if self._cublas is not None:
            used.append(self._cublas)
        if not used:
            raise RuntimeError(
                "The `flags` of the backend 'cupy' are cuDNN's and cuBLAS's, neither of which is "
                "in use: libcudnn.so.9 and libcublas.so.13 (or 12) were not found, did not start, "
                "or LAYERKIT_CUDNN and LAYERKIT_CUBLAS are 0. "
                "Install them: pip install nvidia-cudnn-cu13 (or cu12), which brings both."
            )
        return used

    # Transfers and the device

    def constant(self, x: np.ndarray) -> Any:
        key = (x.dtype, x.shape, x.tobytes())
        if key not in self._constants:
            self._constants[key] = self.xp.asarray(x)
        return self._constants[key]

    def to_numpy(self, array: Any) -> np.ndarray:
        return self.xp.asnumpy(array)

    def synchronize(self) -> None:
        """Wait until the device has done all that was asked of it on the current stream."""
        self.xp.cuda.get_current_stream().synchronize()

    def memory_info(self) -> dict[str, int]:
        """Bytes: `used` by arrays, `pooled` (held for arrays, used or not), device `free`, `total`.

        What this process holds but does not use is `pooled` - `used`: `free_memory` returns it.
        """
        pool = self.xp.get_default_memory_pool()
        free, total = self.xp.cuda.runtime.memGetInfo()
        replayed = sum(graph.pool.total_bytes() for graph in self._graphs)  # all of it is used
        used, pooled = pool.used_bytes() + replayed, pool.total_bytes() + replayed
        return {"used": used, "pooled": pooled, "free": free, "total": total}

    def free_memory(self) -> None:
        """Give the memory that no array uses back to the device."""
        self.xp.get_default_memory_pool().free_all_blocks()

    def feeder(
        self, arrays: list[np.ndarray], batch_size: int
    ) -> Callable[[Any], Iterator[list[Any]]]:
        """As in `Backend`; see `cupy_feed`."""
        return cupy_feed.feeder(self, arrays, batch_size)

    def new_graph(self) -> CupyGraph:
        """An empty CUDA graph. All of a thread are captured on one stream: libraries keep memory
        for each stream that they have seen."""
        if not hasattr(self._thread, "stream"):
            self._thread.stream = self.xp.cuda.Stream(non_blocking=True)
        graph = CupyGraph(self.xp, self._thread.stream)
        self._graphs.add(graph)
        return graph

    # Picking

    def scatter_add(self, like: Any, index: Any, updates: Any) -> Any:
        """As in `Backend`; sums are deterministic but for indices by several arrays (atomics)."""
        axis = self._picked_axis(like, index)
        if axis is None or not self._fits(updates):
            if all(map(_is_basic, index if isinstance(index, tuple) else (index,))):
                out = self.xp.zeros(like.shape, updates.dtype)
                out[index] = updates  # no element is picked twice
                return out
            return super().scatter_add(like, index, updates)
        ids = index[-1] if isinstance(index, tuple) else index
        first, rest = like.shape[axis], like.shape[:axis] + like.shape[axis + 1 :]
        ids_axes = tuple(range(axis, axis + ids.ndim))
        rows = self.xp.moveaxis(updates, ids_axes, tuple(range(ids.ndim)))
        out = self._scatter_rows(ids, rows, first, prod(rest)).reshape(first, *rest)
        return self.xp.moveaxis(out, 0, axis)

    def _scatter_rows(self, ids: Any, updates: Any, rows: int, columns: int) -> Any:
        """(rows, columns) with each of the updates added to the row of its id."""
        out = self.xp.zeros((rows, columns), updates.dtype)
        ids = ids.reshape(-1).astype("int64")
        if ids.size == 0 or out.size == 0:
            return out
        ids += (ids < 0) * rows
        order = self.xp.argsort(ids, kind="stable").astype("int64", copy=False)
        arrays = {"out": out, "updates": updates, "ids": ids[order], "order": order}
        numbers = {"count": ids.size, "columns": columns, "rows": rows}
        grid = (ids.size * -(-columns // WARP),)
        self._launch("scatter_add", out.dtype, grid, (WARP, LANES), arrays, numbers)
        return out

    def _picked_axis(self, like: Any, index: Any) -> int | None:
        """The axis that `index` picks from by one array of integers, all others being whole."""
        *whole, ids = index if isinstance(index, tuple) else (index,)
        if not all(isinstance(part, slice) and part == slice(None) for part in whole):
            return None
        picks = isinstance(ids, self.array_type) and ids.dtype.kind in "iu"
        return len(whole) if picks else None

    # Products

    def matmul(self, a: Any, b: Any, out: Any = None) -> Any:
        product = self._cublas.matmul(a, b, out) if self._cublas else None
        return super().matmul(a, b, out) if product is None else product

    # Convolutions

    def _engine(self, kernel: str, arrays: tuple, *arguments: Any) -> Callable | None:
        """cuDNN's plan for a kernel, to be called with `arrays`; None: it is ours to compute."""
        return self._engines.engine_for(kernel, arrays, *arguments)

    def conv(
        self, x: Any, w: Any, strides: tuple, pads: tuple, dilation: tuple, groups: int
    ) -> Any:
        run = self._engine("conv", (x, w), strides, pads, dilation, groups)
        if run:
            return run(x, w)
        if not self._fits(x, w):
            return super().conv(x, w, strides, pads, dilation, groups)
        window, filters = w.shape[:-2], w.shape[-1]
        size = tuple(map(output_size, x.shape[1:-1], window, strides, pads, dilation))
        y, geometry = self._empty((len(x), *size, filters), x), (strides, pads, dilation)
        if _is_depthwise(w.shape, groups):
            numbers = {"filters": filters, "multiplier": filters // groups}
            numbers |= _axes(x.shape, size, window, *geometry)
            self._each("depthwise", y, {"y": y, "x": x, "w": w}, numbers)
            return y
        matrix = self._grouped_kernel(w, groups)
        for block, columns in self._unfolded(x, window, size, *geometry, groups):
            rows = y[block].reshape(columns.shape[1], filters)
            if groups == 1:
                self.matmul(columns[0], matrix[0], rows)
            else:
                grouped = self._product(columns, matrix)
                rows.reshape(len(rows), groups, -1)[...] = grouped.swapaxes(0, 1)
        return y

    def conv_input_grad(
        self,
        g: Any,
        w: Any,
        shape: tuple,
        strides: tuple,
        pads: tuple,
        dilation: tuple,
        groups: int,
    ) -> Any:
        geometry, window, size = (strides, pads, dilation), w.shape[:-2], g.shape[1:-1]
        run = self._engine("conv_input_grad", (g, w), shape, *geometry, groups)
        if run:
            return run(g, w)
        if not self._fits(g, w):
            return super().conv_input_grad(g, w, shape, *geometry, groups)
        x, numbers = self._empty(shape, g), _axes(shape, size, window, *geometry)
        if _is_depthwise(w.shape, groups):
            numbers |= {"channels": shape[-1], "multiplier": w.shape[-1] // groups}
            self._each("depthwise_input_grad", x, {"x": x, "g": g, "w": w}, numbers)
            return x
        numbers |= {"channels": shape[-1], "depth": w.shape[-2]}
        matrix = self._grouped_kernel(w, groups).swapaxes(1, 2)
        for block in _blocks(len(g), prod(size) * prod(window) * shape[-1] * x.itemsize):
            upstream = self._grouped_rows(g[block], g.ndim - 1, groups)
            columns = self._product(upstream, matrix)
            if groups == 1 and _is_pointwise(window, strides, pads):
                x[block] = columns.reshape(x[block].shape)
                continue
            arrays = {"x": x[block], "columns": columns}
            self._each("col2im", x[block], arrays, numbers | {"windows": columns.shape[1]})
        return x

    def conv_kernel_grad(
        self,
        x: Any,
        g: Any,
        shape: tuple,
        strides: tuple,
        pads: tuple,
        dilation: tuple,
        groups: int,
    ) -> Any:
        geometry, window, size = (strides, pads, dilation), shape[:-2], g.shape[1:-1]
        run = self._engine("conv_kernel_grad", (x, g), shape, *geometry, groups)
        if run:
            return run(x, g)
        if not self._fits(x, g):
            return super().conv_kernel_grad(x, g, shape, *geometry, groups)
        if _is_depthwise(shape, groups):
            return self._depthwise_kernel_grad(x, g, shape, *geometry)
        w = self.xp.zeros((groups, prod(shape[:-1]), shape[-1] // groups), x.dtype)
        for block, columns in self._unfolded(x, window, size, *geometry, groups):
            upstream = self._grouped_rows(g[block], g.ndim - 1, groups)
            w += self._product(columns.swapaxes(1, 2), upstream)
        return self.xp.moveaxis(w, 0, 1).reshape(shape)

    def _depthwise_kernel_grad(
        self, x: Any, g: Any, shape: tuple, strides: tuple, pads: tuple, dilation: tuple
    ) -> Any:
        filters, windows, cells = shape[-1], prod(g.shape[:-1]), prod(shape[:-2])
        parts = max(1, min(256, windows // 1024))  # enough blocks for a GPU, each with a long sum
        sums = self.xp.zeros((parts, cells, filters), _accumulator(x.dtype))
        numbers = {"filters": filters, "multiplier": filters // x.shape[-1], "windows": windows}
        numbers |= _axes(x.shape, g.shape[1:-1], shape[:-2], strides, pads, dilation)
        grid, arrays = (-(-filters // WARP), cells, parts), {"parts": sums, "x": x, "g": g}
        self._launch("depthwise_kernel_grad", x.dtype, grid, (WARP, LANES), arrays, numbers)
        return sums.sum(axis=0).astype(x.dtype, copy=False).reshape(shape)

    def _unfolded(
        self,
        x: Any,
        window: tuple,
        size: tuple,
        strides: tuple,
        pads: tuple,
        dilation: tuple,
        groups: int,
    ) -> Iterator[tuple[slice, Any]]:
        """Blocks of samples and their unfolded images, (groups, windows, cells * depth)."""
        channels, depth = x.shape[-1], x.shape[-1] // groups
        if groups == 1 and _is_pointwise(window, strides, pads):
            if x.size:
                yield slice(None), x.reshape(1, -1, channels)
            return
        numbers = {"channels": channels, "depth": depth}
        numbers |= _axes(x.shape, size, window, strides, pads, dilation)
        for block in _blocks(len(x), prod(size) * prod(window) * channels * x.itemsize):
            windows = len(x[block]) * prod(size)
            columns = self._empty((groups, windows, prod(window) * depth), x)
            arrays = {"columns": columns, "x": x[block]}
            self._each("im2col", windows * channels, arrays, numbers)
            yield block, columns

    def _product(self, a: Any, b: Any) -> Any:
        """a @ b, group by group; of one group as plain matrices, which transposes cost nothing."""
        return self.matmul(a[0], b[0])[None] if len(a) == 1 else self.matmul(a, b)

    # Pooling

    def max_pool(self, x: Any, window: tuple, strides: tuple, pads: tuple) -> tuple[Any, Any]:
        if not self._fits(x):
            return super().max_pool(x, window, strides, pads)
        y, numbers = self._pooled(x, window, strides, pads)
        winner = self.xp.empty(y.shape, "uint8" if prod(window) <= 256 else "int32")
        arrays = {"y": y, "winner": winner, "x": x}
        self._each("max_pool", y, arrays, numbers, W=_winner_type(winner))
        return y, winner

    def max_pool_grad(
        self, g: Any, winner: Any, shape: tuple, window: tuple, strides: tuple, pads: tuple
    ) -> Any:
        if not self._fits(g):
            return super().max_pool_grad(g, winner, shape, window, strides, pads)
        x, numbers = self._unpooled(g, shape, window, strides, pads)
        arrays = {"x": x, "g": g, "winner": winner}
        self._each("max_pool_grad", x, arrays, numbers, W=_winner_type(winner))
        return x

    def sum_pool(self, x: Any, window: tuple, strides: tuple, pads: tuple) -> Any:
        if not self._fits(x):
            return super().sum_pool(x, window, strides, pads)
        y, numbers = self._pooled(x, window, strides, pads)
        self._each("sum_pool", y, {"y": y, "x": x}, numbers)
        return y

    def sum_pool_grad(
        self, g: Any, shape: tuple, window: tuple, strides: tuple, pads: tuple
    ) -> Any:
        if not self._fits(g):
            return super().sum_pool_grad(g, shape, window, strides, pads)
        x, numbers = self._unpooled(g, shape, window, strides, pads)
        self._each("sum_pool_grad", x, {"x": x, "g": g}, numbers)
        return x

    def _pooled(self, x: Any, window: tuple, strides: tuple, pads: tuple) -> tuple[Any, dict]:
        ones = (1,) * len(window)
        size = tuple(map(output_size, x.shape[1:-1], window, strides, pads, ones))
        numbers = _axes(x.shape, size, window, strides, pads, ones) | {"channels": x.shape[-1]}
        return self._empty((len(x), *size, x.shape[-1]), x), numbers

    def _unpooled(
        self, g: Any, shape: tuple, window: tuple, strides: tuple, pads: tuple
    ) -> tuple[Any, dict]:
        numbers = _axes(shape, g.shape[1:-1], window, strides, pads, (1,) * len(window))
        return self._empty(shape, g), numbers | {"channels": shape[-1]}

    # Fused and random

    def dropout_mask(self, key: tuple, shape: tuple, rate: float, dtype: Any) -> Any:
        dtype = np.dtype(dtype)
        mask = self.xp.empty(shape, dtype)
        if not self._fits(mask):
            return super().dropout_mask(key, shape, rate, dtype)
        numbers = dict(zip(("key0", "key1", "counter"), key, strict=True))
        numbers |= {"count": mask.size, "dropped": round(rate * 65536)}
        numbers |= {"kept": float(dtype.type(1 / (1 - rate)))}
        grid = (-(-mask.size // (16 * THREADS)),)
        self._launch("dropout_mask", dtype, grid, (THREADS,), {"mask": mask}, numbers)
        return mask

    def bias_activation(self, x: Any, bias: Any, activation: str, out: Any = None) -> Any:
        given = (x,) if bias is None else (x, bias)
        if not self._fits(*given) or (out is not None and not out.flags.c_contiguous):
            return super().bias_activation(x, bias, activation, out)
        y, value = self._empty(x.shape, x) if out is None else out, BY_VALUE[activation].cuda_value
        arrays = {"y": y, "x": x, "bias": bias}
        self._each("bias_activation", y, arrays, {"size": x.shape[-1]}, ACTIVATION=value)
        return y

    def bias_activation_grad(self, g: Any, y: Any, activation: str) -> Any:
        if not self._fits(g, y):
            return super().bias_activation_grad(g, y, activation)
        dz, derivative = self._empty(y.shape, y), BY_VALUE[activation].cuda_derivative
        arrays = {"dz": dz, "g": g, "values": y}
        self._each("bias_activation_grad", dz, arrays, {}, DERIVATIVE=derivative)
        return dz

    def softmax_crossentropy(self, logits: Any, target: Any) -> tuple[Any, Any]:
        if not self._fits(logits):
            return super().softmax_crossentropy(logits, target)
        loss, p = self._empty(logits.shape[:1], logits), self._empty(logits.shape, logits)
        arrays = {"loss": loss, "p": p, "logits": logits}
        self._each_row("softmax_crossentropy", p, arrays, target)
        return loss, p

    def softmax_crossentropy_grad(self, g: Any, p: Any, target: Any) -> Any:
        if not self._fits(g, p):
            return super().softmax_crossentropy_grad(g, p, target)
        dz = self._empty(p.shape, p)
        self._each_row("softmax_crossentropy_grad", dz, {"dz": dz, "g": g, "p": p}, target)
        return dz

    def _each_row(self, name: str, out: Any, arrays: dict, target: Any) -> None:
        """Launch a kernel with a warp for each row of `out`, over a target of either kind."""
        if target.ndim == 1:
            kind = {"W": "I64", "TARGET": "A(target[row] == c)"}
            target = target.astype("int64", copy=False)
        else:
            kind = {"W": "T", "TARGET": "A(target[first + c])"}
            target = target.astype(out.dtype, copy=False)
        rows, classes = out.shape
        grid, numbers = (-(-rows * WARP // THREADS),), {"rows": rows, "classes": classes}
        arrays = arrays | {"target": target}
        self._launch(name, out.dtype, grid, (THREADS,), arrays, numbers, **kind)

    def fused_update(self, rule: str, arrays: dict[str, Any], numbers: dict[str, float]) -> bool:
        """Rules 'sgd', 'rmsprop', 'adam': arrays and numbers by the kernels' parameters' names.

        Arrays are contiguous and alike; a slot that the rule does without is None. Numbers are
        Python's, or arrays of the device without dimensions.
        """
        given = [array for array in arrays.values() if array is not None]
        if rule not in ("sgd", "rmsprop", "adam") or not self._fits(*given):
            return False
        if any(a.shape != given[0].shape or not a.flags.c_contiguous for a in given):
            return False
        self._each(rule, arrays["w"], arrays, numbers)
        return True

    # Launching

    def _fits(self, *arrays: Any) -> bool:
        """Whether the kernels know these arrays: one dtype, no more than three spatial axes."""
        return arrays[0].dtype.name in TYPES and all(
            a.dtype == arrays[0].dtype and a.ndim <= 5 for a in arrays
        )

    def _empty(self, shape: tuple, like: Any) -> Any:
        return self.xp.empty(shape, like.dtype)

    def _each(self, name: str, over: Any, arrays: dict, numbers: dict, **macros: str) -> None:
        """Launch a kernel with one thread for each element of `over` (an array or a number)."""
        count = over if isinstance(over, int) else over.size
        dtype = next(iter(arrays.values())).dtype
        grid, numbers = (-(-count // THREADS),), numbers | {"count": count}
        self._launch(name, dtype, grid, (THREADS,), arrays, numbers, **macros)

    def _launch(
        self,
        name: str,
        dtype: Any,
        grid: tuple,
        block: tuple,
        arrays: dict[str, Any],
        numbers: dict[str, Any],
        **macros: str,
    ) -> None:
        """Queue a kernel; arrays and numbers are given by the names of its parameters.

        A number may be an array of the device without dimensions: the kernel reads it there.
        """
        if prod(grid) == 0:
            return
        contiguous = self.xp.ascontiguousarray
        arrays = {key: a if a is None else contiguous(a) for key, a in arrays.items()}
        wide = any(a is not None and a.size >= _SHORT for a in arrays.values())
        held = tuple(key for key, n in numbers.items() if isinstance(n, self.array_type))
        key = (name, dtype.name, wide, held, *macros.values())
        if key not in self._kernels:
            text = cuda_kernels.source(name, dtype.name, wide, held, **macros)
            kernel = self.xp.RawKernel(text, name)
            self._kernels[key] = kernel, cuda_kernels.converters(name, dtype.name, wide)
        kernel, scalars = self._kernels[key]
        given = arrays | {
            key: n.astype(scalars[key], copy=False) if key in held else scalars[key](n)
            for key, n in numbers.items()
        }
        kernel(grid, block, tuple(given[parameter] for parameter in scalars))


def _axes(
    shape: tuple, size: tuple, window: tuple, strides: tuple, pads: tuple, dilation: tuple
) -> dict[str, int]:
    """The three axes of a kernel over windows: those of images of `shape`, after some of size 1."""
    before = [lo for lo, _ in pads]
    axes = list(zip(shape[1:-1], size, window, strides, before, dilation, strict=True))
    axes = [(1, 1, 1, 1, 0, 1)] * (3 - len(axes)) + axes
    fields = ("size", "out", "window", "stride", "pad", "dilation")
    return {
        f"{field}{i}": value
        for i, axis in enumerate(axes)
        for field, value in zip(fields, axis, strict=True)
    }


def _blocks(samples: int, bytes_each: int) -> Iterator[slice]:
    """Consecutive slices of samples whose unfolded images stay under the cap."""
    step = max(1, _COLUMN_BYTES // max(1, bytes_each))
    return (slice(start, min(start + step, samples)) for start in range(0, samples, step))


def _is_depthwise(kernel_shape: tuple, groups: int) -> bool:
    return groups > 1 and kernel_shape[-2] == 1


def _is_pointwise(window: tuple, strides: tuple, pads: tuple) -> bool:
    return prod(window) == 1 and all(s == 1 for s in strides) and not any(map(any, pads))


def _winner_type(winner: Any) -> str:
    return "unsigned char" if winner.dtype.itemsize == 1 else "int"


def _accumulator(dtype: Any) -> str:
    return "float64" if dtype.name == "float64" else "float32"


def _is_basic(part: Any) -> bool:
    """Whether this part of an index picks no element twice: numbers and slices."""
    return part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice))


def _import_cupy() -> Any:
    try:
        import cupy
    except ImportError as error:
        absent = error.name == "cupy"
        why = "is not installed" if absent else f"cannot be imported here: {error}"
        raise ImportError(
            f"The backend 'cupy' needs CuPy, which {why}. Install the CuPy for the CUDA version of "
            f"your driver, and only that one: {_EXTRAS}. {_OR_CPU}"
        ) from error
    return cupy


def _check_libraries(cp: Any) -> None:
    """RuntimeError where CUDA's compiler or its products of matrices cannot be loaded."""
    try:
        cp.cuda.nvrtc.getVersion()
        cp.cuda.cublas  # noqa: B018 (asking for it loads it)
    except (ImportError, RuntimeError) as error:
        raise RuntimeError(
            f"The backend 'cupy' needs CUDA's libraries, of which one is missing: {error}. Install "
            f'them with CuPy, pip install "cupy-cuda13x[ctk]" (or cuda12x). {_OR_CPU}'
        ) from error


def _check_device(cp: Any) -> None:
    """RuntimeError where the first kernel would fail: no driver, too old a driver, no GPU."""
    if cp.cuda.is_available():
        return
    runtime = cp.cuda.runtime
    driver, needed = runtime.driverGetVersion(), runtime.runtimeGetVersion()
    if driver == 0:
        missing = "an NVIDIA driver, which is not installed: install one"
    elif driver // 1000 < needed // 1000:
        missing = (
            f"a driver for CUDA {_version(needed)}, for which this CuPy was built; yours is for "
            f"CUDA {_version(driver)}: update it, or install the other CuPy with {_EXTRAS}"
        )
    else:
        missing = (
            "an NVIDIA GPU, and the driver shows none: check `nvidia-smi` and the environment "
            "variable CUDA_VISIBLE_DEVICES"
        )
    raise RuntimeError(f"The backend 'cupy' needs {missing}. {_OR_CPU}")


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
