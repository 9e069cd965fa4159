"""NumPy's arrays, and kernels that numba compiles: all parts of the work are one call from Python.

What is not here NumPy does as well, halves for one, or it comes in amounts too small to gain.
"""

from __future__ import annotations

import ctypes
from functools import cache, lru_cache
from importlib.util import find_spec
from math import prod
from typing import Any

import numpy as np

from . import threads
from .base import output_size
from .numpy_backend import FLOATS, PASS, NumpyBackend, cut_of_product, long_rows, summed

_WORTH = 500_000  # operations of a part below which a thread costs more than it brings
_FEW, _FEW_WEIGHTS = 2**14, 2**13  # elements below which NumPy is sooner done
_BLOCK_BYTES = 2**19  # unfolded images and what they meet, at a time: near one core
_VALUES = ("linear", "relu", "relu6")  # activations that the kernels know, by name
_CURVES = ("sigmoid", "tanh")  # and these of float32
_SLOPES = ("relu", "relu6", "sigmoid", "tanh")
_OR_NUMPY = "Or compute with NumPy alone: LAYERKIT_BACKEND=numpy, or set_backend('numpy')."


class NumbaBackend(NumpyBackend):
    """Arrays are `numpy.ndarray`. ImportError where the package numba is not installed."""

    name = "numba"
    fuses_updates = True

    def __init__(self) -> None:
        if find_spec("numba") is None:
            raise ImportError(
                "The backend 'numba' needs the package numba, which is not installed. Install it: "
                f'pip install "layerkit[numba]". {_OR_NUMPY}'
            )

    def matmul(self, a: Any, b: Any, out: Any = None) -> Any:
        fit = a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0] and _fit(a, b)
        if not fit or a.size * b.shape[1] < 2 * threads.WORTH or not _is_written(out, a, b):
            return super().matmul(a, b, out)
        of_a, of_b, blas = _stored(a), _stored(b), _blas(a.dtype)
        if of_a is None or of_b is None or blas is None:
            return super().matmul(a, b, out)
        (m, k), n, cut = a.shape, b.shape[1], cut_of_product(a, b)
        rows, work = {"rows": m, "columns": n, "inner": k}[cut], a.size * n
        terms = _parts(rows, work) if cut == "inner" else 1
        given = (terms, m, n)
        y = np.empty(given, a.dtype) if out is None or terms > 1 else out.reshape(given)
        kernels = _kernels()
        arguments = blas, *of_a, *of_b, y, getattr(kernels, cut.upper())
        _run(kernels.multiply, arguments, rows, work)
        if terms == 1:
            return y[0] if out is None else out
        if out is None:
            return summed(y)
        out[...] = summed(y)
        return out

    def scatter_add(self, like: Any, index: Any, updates: Any) -> Any:
        if isinstance(index, tuple) and len(index) == 1:
            (index,) = index
        rows = isinstance(index, np.ndarray) and index.dtype.kind == "i" and like.ndim > 1
        if not rows or not _fit(updates) or not like.size:
            return super().scatter_add(like, index, updates)
        out = np.empty(like.shape, updates.dtype)
        table, numbers = out.reshape(len(out), -1), _plain(index.astype("int64", copy=False))
        added = _plain(updates).reshape(index.size, table.shape[1])
        kernel = _kernels().scatter_rows
        _run(kernel, (table, numbers.reshape(-1), added), len(out), PASS * (out.size + added.size))
        return out

    def conv_bias_activation(
        self,
        x: Any,
        w: Any,
        bias: Any,
        activation: str,
        strides: tuple,
        pads: tuple,
        dilation: tuple,
        groups: int,
    ) -> Any:
        window = w.shape[:-2]
        sizes = map(output_size, x.shape[1:-1], window, strides, pads, dilation)
        shape = (len(x), *sizes, w.shape[-1])
        if _is_depthwise(x, w, groups, shape):
            y = np.empty(shape, x.dtype)
            _depthwise("OUTPUTS", x, _along(w, y), y, (window, strides, pads, dilation))
            return self.bias_activation(y, bias, activation, out=y)
        blas = _blas_for(x, w, *(() if bias is None else (bias,)), size=prod(shape))
        if blas is None or groups > 1:
            return super().conv_bias_activation(
                x, w, bias, activation, strides, pads, dilation, groups
            )
        y = np.empty(shape, x.dtype)
        images, out, matrix = _plane(x), _plane(y), _plain(w).reshape(-1, shape[-1])
        known = activation in _VALUES
        code = _code(activation if known else "linear")
        geometry, block = _geometry(window, strides, pads, dilation), _block(out, matrix)
        rows, work = out.shape[0] * out.shape[1], y.size * len(matrix)
        if _is_tiled(y, pads, dilation):
            start = np.zeros(shape[-1], x.dtype) if bias is None else _plain(bias)
            arguments: tuple = images, _panels(matrix), start, out, geometry, code
            _run(_kernels().convolve_tiles, arguments, rows, work)
        else:
            bias = _tiled(bias, x, out.shape[2] * shape[-1])
            arguments = blas, images, matrix, bias, out, geometry, code, block
            _run(_kernels().convolve, arguments, rows, work)
        return y if known else super().bias_activation(y, None, activation, out=y)

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
        geometry = (w.shape[:-2], strides, pads, dilation)
        if _is_depthwise(g, w, groups, shape):
            x = np.empty(shape, g.dtype)
            _depthwise("IMAGES", x, _along(w, g), g, geometry)
            return x
        blas = _blas_for(g, w, size=prod(shape))
        if blas is None or groups > 1:
            return super().conv_input_grad(g, w, shape, strides, pads, dilation, groups)
        many = 2 * shape[-1] >= w.shape[-1] or shape[-1] * g.itemsize % 32 == 0  # channels
        if many and all(s == 1 for s in strides):
            return self._turned(g, w, pads, dilation)
        x = np.empty(shape, g.dtype)
        upstream, images, matrix = _plane(g), _plane(x), _plain(w).reshape(-1, w.shape[-1])
        arguments = blas, upstream, matrix, images, _geometry(*geometry), _block(upstream, matrix)
        _run(_kernels().fold, arguments, len(x), g.size * len(matrix))
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
        geometry, matrix = (shape[:-2], strides, pads, dilation), (prod(shape[:-1]), shape[-1])
        if _is_depthwise(x, g, groups, shape):
            along = np.zeros((matrix[0], g.shape[-2] * matrix[1]), x.dtype)
            w = _depthwise("KERNEL", x, along, g, geometry)
            return w.reshape(matrix[0], *g.shape[-2:]).sum(axis=1).reshape(shape)
        blas = _blas_for(x, g, size=prod(shape))
        if blas is None or groups > 1:
            return super().conv_kernel_grad(x, g, shape, strides, pads, dilation, groups)
        images, upstream, sizes = _plane(x), _plane(g), _geometry(*geometry)
        rows, work = upstream.shape[0] * upstream.shape[1], g.size * matrix[0]
        if _is_tiled(g, pads, dilation):
            totals = np.zeros((_parts(len(x), work), *matrix), x.dtype)
            _run(_kernels().gather_tiles, (images, upstream, totals, sizes), len(x), work)
            return summed(totals).reshape(shape)
        totals = np.zeros((_parts(rows, work), *matrix), x.dtype)
        block = _block(upstream, totals[0])
        _run(_kernels().gather, (blas, images, upstream, totals, sizes, block), rows, work)
        return summed(totals).reshape(shape)

    def max_pool(self, x: Any, window: tuple, strides: tuple, pads: tuple) -> tuple[Any, Any]:
        ones = (1,) * len(window)
        sizes = map(output_size, x.shape[1:-1], window, strides, pads, ones)
        shape = (len(x), *sizes, x.shape[-1])
        if not _pools(x, window, prod(shape)):
            return super().max_pool(x, window, strides, pads)
        y, winner = np.empty(shape, x.dtype), np.empty(shape, "uint8")
        images, out = _plane(x), _plane(y)
        arrays = images, out, winner.reshape(out.shape), _geometry(window, strides, pads, ones)
        _run(_kernels().max_pool, arrays, out.shape[0] * out.shape[1], PASS * x.size)
        return y, winner

    def max_pool_grad(
        self, g: Any, winner: Any, shape: tuple, window: tuple, strides: tuple, pads: tuple
    ) -> Any:
        if not _pools(g, window, prod(shape)) or winner.dtype != "uint8":
            return super().max_pool_grad(g, winner, shape, window, strides, pads)
        x, upstream = np.empty(shape, g.dtype), _plane(g)
        geometry = _geometry(window, strides, pads, (1,) * len(window))
        arrays = upstream, _plain(winner).reshape(upstream.shape), _plane(x), geometry
        _run(_kernels().max_pool_grad, arrays, len(x), PASS * x.size)
        return x

    def dropout_mask(self, key: tuple, shape: tuple, rate: float, dtype: Any) -> Any:
        if np.dtype(dtype) not in FLOATS:
            return super().dropout_mask(key, shape, rate, dtype)
        mask, words = np.empty(shape, dtype), map(np.uint64, key)
        arguments = mask.reshape(-1), *words, round(rate * 65536), 1 / (1 - rate)
        _run(_kernels().dropout_mask, arguments, -(-mask.size // 16), 4 * PASS * mask.size)
        return mask

    def bias_activation(self, x: Any, bias: Any, activation: str, out: Any = None) -> Any:
        fit = _fit(x) if bias is None else _fit(x, bias)
        known = activation in _VALUES or (activation in _CURVES and x.dtype == "float32")
        few = x.size < max(1, _FEW)
        if not fit or not known or few or not _is_plain(out, x):
            return super().bias_activation(x, bias, activation, out)
        y = np.empty(x.shape, x.dtype) if out is None else out
        rows = long_rows(y)
        width = rows.shape[1]
        source = np.empty((0, 0), x.dtype) if x is out else _plain(x).reshape(-1, width)
        arguments = source, _tiled(bias, x, width), _code(activation), rows
        _run(_kernels().bias_activation, arguments, len(rows), PASS * y.size)
        return y

    def bias_activation_grad(self, g: Any, y: Any, activation: str) -> Any:
        if activation not in _SLOPES or not _fit(g, y):
            return super().bias_activation_grad(g, y, activation)
        dz = np.empty(y.shape, y.dtype)
        flat = _plain(g).reshape(-1), _plain(y).reshape(-1), _code(activation), dz.reshape(-1)
        _run(_kernels().bias_activation_grad, flat, y.size, PASS * y.size)
        return dz

    def softmax_crossentropy(self, logits: Any, target: Any) -> tuple[Any, Any]:
        if not _fit(logits) or not logits.size:
            return super().softmax_crossentropy(logits, target)
        loss, p = np.empty(len(logits), logits.dtype), np.empty(logits.shape, logits.dtype)
        arrays = _plain(logits), *_targets(target, logits), loss, p
        _run(_kernels().softmax_crossentropy, arrays, len(p), 16 * PASS * p.size)
        return loss, p

    def softmax_crossentropy_grad(self, g: Any, p: Any, target: Any) -> Any:
        if not _fit(g, p) or not p.size:
            return super().softmax_crossentropy_grad(g, p, target)
        out = np.empty(p.shape, p.dtype)
        arrays = _plain(g), _plain(p), *_targets(target, p), out
        _run(_kernels().softmax_crossentropy_grad, arrays, len(p), PASS * p.size)
        return out

    def scale_rows(self, x: Any, a: Any, b: Any, out: Any = None) -> Any:
        if not _fit(x, a, b) or not x.size or not _is_plain(out, x):
            return super().scale_rows(x, a, b, out)
        y = np.empty(x.shape, x.dtype) if out is None else out
        rows, to = _rows(x, y)
        arguments = rows, *_repeated((a, b), rows), to
        _run(_kernels().scale_rows, arguments, len(rows), PASS * x.size)
        return y

    def combine_rows(self, x: Any, a: Any, y: Any, b: Any, c: Any, out: Any = None) -> Any:
        if not _fit(x, a, y, b, c) or not x.size or not _is_plain(out, x):
            return super().combine_rows(x, a, y, b, c, out)
        z = np.empty(x.shape, x.dtype) if out is None else out
        rows, others, to = _rows(x, y, z)
        a, b, c = _repeated((a, b, c), rows)
        _run(_kernels().combine_rows, (rows, a, others, b, c, to), len(rows), PASS * x.size)
        return z

    def sum_products(self, x: Any, y: Any) -> Any:
        if not _fit(x, y) or not x.size:
            return super().sum_products(x, y)
        rows, others = _rows(x, y)
        parts = _parts(len(rows), PASS * x.size)
        totals = np.zeros((parts, rows.shape[1]), x.dtype)
        _run(_kernels().sum_products, (rows, others, totals), len(rows), PASS * x.size)
        return summed(totals).reshape(-1, x.shape[-1]).sum(axis=0)

    def lstm(self, gates: Any, r: Any, h: Any, c: Any, tanh_c: Any) -> None:
        arrays = gates, _plain(r), h, c, tanh_c
        blas = _blas_of_steps(*arrays)
        if blas is None:
            return super().lstm(gates, r, h, c, tanh_c)
        _run(_kernels().lstm, (blas, *arrays), gates.shape[1], gates.size * len(r))

    def lstm_grad(self, g_y: Any, dh: Any, dc: Any, gates: Any, r: Any, c: Any, tanh_c: Any) -> Any:
        arrays = dh, dc, gates, _plain(r), c, tanh_c
        upstream = np.empty((0, 0, 0), gates.dtype) if g_y is None else _plain(g_y)
        blas = _blas_of_steps(upstream, *arrays)
        if blas is None:
            return super().lstm_grad(g_y, dh, dc, gates, r, c, tanh_c)
        dz = np.empty(gates.shape, gates.dtype)
        arguments = blas, upstream, *arrays, dz
        _run(_kernels().lstm_grad, arguments, gates.shape[1], gates.size * len(r))
        return dz

    def fused_update(self, rule: str, arrays: dict[str, Any], numbers: dict[str, float]) -> bool:
        """Rules 'sgd', 'rmsprop', 'adam': arrays and numbers as `Optimizer.fused` names them."""
        w = arrays["w"]
        known = rule in _RULES and w.dtype in FLOATS and w.ndim and not numbers["decay"]
        if not known or w.size < _FEW_WEIGHTS:
            return False
        slots, names = _RULES[rule]
        flat = []
        for name in ("w", "g", *slots):
            array = arrays[name]
            if array is not None and (array.dtype != w.dtype or array.shape != w.shape):
                return False
            if name == "g":
                array = _plain(array)
            elif array is not None and not array.flags.carray:
                return False
            flat.append(_or_none(array, w).reshape(-1))
        values = [w.dtype.type(numbers[name]) for name in names]
        each = w.size // max(1, len(w))  # rows are cut: those that a product gave this thread
        _run(getattr(_kernels(), rule), (*flat, *values), len(w), PASS * w.size, each)
        return True


_RULES = {  # the slots and the numbers of each
    "sgd": (("momentum",), ("lr", "beta", "nesterov")),
    "rmsprop": (
        ("velocity", "momentum", "average_gradient"),
        ("lr", "beta", "epsilon", "rho", "one_minus_rho"),
    ),
    "adam": (
        ("momentum", "velocity", "velocity_hat"),
        ("step", "one_minus_beta_1", "one_minus_beta_2", "epsilon"),
    ),
}


@cache
def _kernels() -> Any:
    """The compiled kernels; imported when the first is needed, for that takes a while."""
    try:
        from . import numba_kernels, numba_parts
    except Exception as error:  # numba is particular about NumPy's and Python's versions
        raise ImportError(
            f"The backend 'numba' cannot start: numba is installed, but fails with "
            f"{type(error).__name__}: {error}. Install versions that fit: pip install --upgrade "
            f'"layerkit[numba]". {_OR_NUMPY}'
        ) from error
    threads.look_by(numba_parts.look)
    return numba_kernels


def _run(kernel: Any, arguments: tuple, rows: int, operations: int, each: int = 1) -> None:
    """The kernel for parts of the rows, of `each` elements, on their threads."""
    parts = _parts(rows, operations)
    borders = _borders(rows, parts) if each == 1 else _borders(rows, parts) * each
    if not threads.spread(lambda tasks: kernel(tasks, borders, *arguments), parts):
        raise MemoryError("A compiled kernel of the backend 'numba' ran out of memory.")


def _parts(rows: int, operations: int) -> int:
    return threads.parts_of(rows, operations, _WORTH)


@lru_cache(1024)
def _borders(rows: int, parts: int) -> Any:
    return np.array(threads.borders(rows, parts))


@cache
def _blas(dtype: Any) -> tuple[int, int] | None:
    """The address of CBLAS's gemm in NumPy's library, and whether its integers have 64 bits.

    None where it has no name that we know.
    """
    letter = "s" if dtype == "float32" else "d"
    for path in threads.blas_files():
        library = ctypes.CDLL(path)
        for prefix, suffix in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
            function = getattr(library, f"{prefix}cblas_{letter}gemm{suffix}", None)
            if function is not None:
                return ctypes.cast(function, ctypes.c_void_p).value or 0, int(suffix == "64_")
    return None


def _blas_for(*arrays: Any, size: int) -> tuple[int, int] | None:
    """BLAS for images and kernels that `numba_kernels` knows, else None; `size` of the result."""
    known = _fit(*arrays) and arrays[0].ndim <= 4 and size and all(a.size for a in arrays)
    return _blas(arrays[0].dtype) if known else None


def _is_tiled(y: Any, pads: tuple, dilation: tuple) -> bool:
    """Whether filters, the last axis, fill vectors, and windows are as they lie in memory."""
    as_they_lie = all(d == 1 for d in dilation) and all(before >= 0 for before, _ in pads)
    return as_they_lie and y.shape[-1] * y.itemsize % 32 == 0


def _panels(matrix: Any) -> Any:
    """(panel, rows, columns of a panel): one or two vectors wide, each panel contiguous."""
    rows, columns = matrix.shape
    wide = (64 if columns * matrix.itemsize % 64 == 0 else 32) // matrix.itemsize
    return np.ascontiguousarray(matrix.reshape(rows, -1, wide).swapaxes(0, 1))


def _blas_of_steps(*arrays: Any) -> tuple[int, int] | None:
    """BLAS for arrays of a recurrence that `numba_kernels` knows, else None."""
    known = all(a.dtype == "float32" and a.flags.carray for a in arrays)
    return _blas(np.dtype("float32")) if known else None


def _is_depthwise(x: Any, other: Any, groups: int, shape: tuple) -> bool:
    """Whether each of several channels has one filter; `shape` of the result."""
    one = groups == x.shape[-1] == other.shape[-1] == shape[-1] > 1
    return one and _fit(x, other) and x.ndim <= 4 and prod(shape) * x.size * other.size > 0


def _along(w: Any, y: Any) -> Any:
    """The kernel of a depthwise convolution, repeated along rows of its outputs `y`."""
    return np.tile(w.reshape(-1, w.shape[-1]), y.shape[-2])


def _depthwise(written: str, x: Any, w: Any, y: Any, geometry: tuple) -> Any:
    """Compute one of the three from the others; of the kernel each thread has zeros of its own."""
    images, outputs, sizes = _plane(x), _plane(y), _geometry(*geometry)
    work, code = PASS // 2 * y.size * len(w), getattr(_kernels(), written)
    parts = _parts(len(images), work)
    kernels = np.zeros((parts, *w.shape), w.dtype) if written == "KERNEL" else w[None]
    _run(_kernels().depthwise, (images, kernels, outputs, sizes, code), len(images), work)
    return summed(kernels) if written == "KERNEL" else None


def _fit(*arrays: Any) -> bool:
    dtype = arrays[0].dtype
    return dtype in FLOATS and all(a.dtype == dtype for a in arrays)


def _pools(x: Any, window: tuple, size: int) -> bool:
    return _fit(x) and len(window) <= 2 and prod(window) <= 256 and size > 0 and x.size > 0


def _plain(x: Any) -> Any:
    """`x` as kernels are compiled for: contiguous, and writable though they only read it."""
    return x if x.flags.carray else x.copy()


def _is_plain(x: Any, like: Any) -> bool:
    return x is None or (x.flags.carray and x.shape == like.shape)


def _stored(x: Any) -> tuple[Any, bool] | None:
    """A matrix as it lies in memory, row by row, and whether that is its transpose."""
    if x.flags.carray:
        return x, False
    return (x.T, True) if x.T.flags.carray else None


def _is_written(out: Any, *like: Any) -> bool:
    return out is None or (out.flags.carray and _fit(out, *like))


def _or_none(x: Any, like: Any) -> Any:
    """What stands for None has no elements: another type would be another kernel."""
    return np.empty(0, like.dtype) if x is None else _plain(x)


def _rows(*arrays: Any) -> list[Any]:
    """Arrays of one shape as matrices with long rows."""
    return [long_rows(_plain(x)) for x in arrays]


def _repeated(numbers: tuple, rows: Any) -> list[Any]:
    """One number for each entry of the last axis, over and over to the rows' length."""
    return [np.tile(n, rows.shape[1] // len(n)) for n in numbers]


def _tiled(bias: Any, like: Any, width: int) -> Any:
    if bias is None or len(bias) == width:
        return _or_none(bias, like)
    return np.tile(bias, width // len(bias))


def _plane(x: Any) -> Any:
    """Images with two spatial axes, of one or two."""
    x = _plain(x)
    return x if x.ndim == 4 else x[:, None]


def _geometry(window: tuple, strides: tuple, pads: tuple, dilation: tuple) -> tuple:
    """What the kernels call so, of one or two axes."""
    before = tuple(pad[0] for pad in pads)
    if len(window) == 2:
        return window, strides, before, dilation
    return (1, *window), (1, *strides), (0, *before), (1, *dilation)


def _block(y: Any, matrix: Any) -> int:
    """How many rows of output images `y` fit the cache, unfolded for the kernel's matrix."""
    return max(1, _BLOCK_BYTES // (y.shape[2] * sum(matrix.shape) * y.itemsize))


def _targets(target: Any, like: Any) -> tuple[Any, Any]:
    """Class numbers and distributions, of which one has no elements."""
    if target.ndim == 1:
        return _plain(target.astype("int64", copy=False)), np.empty((0, 0), like.dtype)
    return np.empty(0, "int64"), _plain(target.astype(like.dtype, copy=False))


def _code(activation: str) -> int:
    return getattr(_kernels(), activation.upper())
