"""NumPy on the CPU: convolutions whose unfolded images never leave the cache, cut over threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from . import threads
from .base import Backend, output_size, overlap, pad, padded_shape, unpad, window_slices
from .by_value import BY_VALUE

_BLOCK_BYTES = 2**21  # unfolded images and what they meet, at a time: near one core
_LONG_ROW = 1024  # numbers in a row that are worth a loop
_SHORT_ROW = 8  # channels below which unfolding goes column by column
_CHUNK = 2**19  # elements at a time in several passes over the same arrays
FLOATS = (np.dtype("float32"), np.dtype("float64"))  # what BLAS knows
_PIECE = 2**18  # elements at a time of an optimizer's rule, which makes many passes
PASS = 16  # products of matrices do so many operations in the time of one element of a pass


class NumpyBackend(Backend):
    """Arrays are `numpy.ndarray`."""

    name = "numpy"
    emulated_floats = frozenset({"float16", "bfloat16"})
    xp = np
    array_type = np.ndarray

    def to_numpy(self, array: Any) -> np.ndarray:
        return array

    def memory_info(self) -> dict[str, int]:
        """As in `Backend`, of the whole process: NumPy keeps no pool and counts no arrays."""
        try:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            lines = Path("/proc/meminfo").read_text().splitlines()
        except FileNotFoundError as error:
            raise NotImplementedError(
                f"memory_info of the backend '{self.name}' reads Linux's /proc, which is not here. "
                "Ask the system, or psutil.Process().memory_info()."
            ) from error
        host = {key: int(rest.split()[0]) * 1024 for key, rest in (s.split(":") for s in lines)}
        used = pages * os.sysconf("SC_PAGE_SIZE")
        free, total = host["MemAvailable"], host["MemTotal"]
        return {"used": used, "pooled": used, "free": free, "total": total}

    def scatter_add(self, like: Any, index: Any, updates: Any) -> Any:
        out = np.zeros(like.shape, updates.dtype)
        if all(_is_basic(part) for part in (index if isinstance(index, tuple) else (index,))):
            out[index] = updates  # no element is picked twice
            return out
        # `add.at` is fast along one axis only, so each update gets its place in the flat array.
        if isinstance(index, np.ndarray):  # whole rows, of a table that may be large
            width = prod(out.shape[1:])
            places = (index.astype(np.intp) % len(out))[..., None] * width + np.arange(width)
        else:
            places = np.arange(out.size).reshape(out.shape)[index]
        np.add.at(out.reshape(-1), places.reshape(-1), np.ascontiguousarray(updates).reshape(-1))
        return out

    def matmul(self, a: Any, b: Any, out: Any = None) -> Any:
        fit = a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0]  # if not, NumPy says so
        if not fit or a.size * b.shape[1] < 2 * threads.WORTH:
            return np.matmul(a, b, out=out)
        (m, k), n, cut = a.shape, b.shape[1], cut_of_product(a, b)
        if cut == "inner":
            y = summed(
                threads.run(
                    lambda part: np.matmul(a[:, part], b[part]), threads.split(k, a.size * n)
                )
            )
            if out is None:
                return y
            out[...] = y
            return out
        y = np.empty((m, n), np.result_type(a, b)) if out is None else out
        if cut == "rows":
            threads.run(
                lambda part: np.matmul(a[part], b, out=y[part]), threads.split(m, a.size * n)
            )
        else:
            threads.run(
                lambda part: np.matmul(a, b[:, part], out=y[:, part]), threads.split(n, a.size * n)
            )
        return y

    def conv(
        self, x: Any, w: Any, strides: tuple, pads: tuple, dilation: tuple, groups: int
    ) -> Any:
        return self.conv_bias_activation(x, w, None, "linear", strides, pads, dilation, groups)

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
        if groups > 1:
            if w.shape[-2] > 1:
                y = super().conv(x, w, strides, pads, dilation, groups)
            else:
                y = _depthwise(x, w, strides, pads, dilation)
            return self.bias_activation(y, bias, activation, out=y)
        size, window = _sizes(x.shape, w, strides, pads, dilation), w.shape[:-2]
        matrix = w.reshape(-1, w.shape[-1])
        y = np.empty((len(x), *size, w.shape[-1]), np.result_type(x, w))
        finish = _finish(bias, activation, size[-1])

        def convolve(part: slice) -> None:
            unfolded = self._unfolded(x[part], y[part], window, strides, pads, dilation)
            for block, rows in unfolded:
                images = y[part][block]
                np.matmul(rows, matrix, out=images.reshape(len(rows), -1))
                finish(images)  # while the block is in the cache

        threads.run(convolve, threads.split(len(x), y.size * len(matrix)))
        return y

    def bias_activation(self, x: Any, bias: Any, activation: str, out: Any = None) -> Any:
        plain = x.dtype.kind == "f" and (out is None or out.flags.c_contiguous)
        if x.size < _CHUNK or not plain:
            return super().bias_activation(x, bias, activation, out)
        y = np.empty(x.shape, x.dtype) if out is None else out
        finish = _finish(bias, activation, 1)

        def apply(part: slice) -> None:
            for block in _blocks(len(x[part]), x[:1].nbytes, _CHUNK * x.itemsize):
                rows = y[part][block]
                if y is not x:
                    rows[...] = x[part][block]
                finish(rows)

        threads.run(apply, threads.split(len(x), PASS * x.size))
        return y

    def bias_activation_grad(self, g: Any, y: Any, activation: str) -> Any:
        if activation == "linear" or g.size < _CHUNK:
            return super().bias_activation_grad(g, y, activation)
        slope, dz = BY_VALUE[activation].slope, np.empty(y.shape, y.dtype)

        def apply(part: slice) -> None:
            for block in _blocks(len(g[part]), g[:1].nbytes, _CHUNK * g.itemsize):
                slope(np, g[part][block], y[part][block], dz[part][block])

        threads.run(apply, threads.split(len(g), PASS * g.size))
        return dz

    def sum_rows(self, x: Any) -> Any:
        if x.dtype not in FLOATS or x.size < _CHUNK:
            return super().sum_rows(x)
        # A product of matrices is the fastest way to add up; that of long rows is faster still.
        rows = long_rows(x)

        def add(part: slice) -> Any:
            return np.dot(np.ones(len(rows[part]), x.dtype), rows[part])

        parts = threads.split(len(rows), PASS * x.size)
        return summed(threads.run(add, parts)).reshape(-1, x.shape[-1]).sum(axis=0)

    def sum_products(self, x: Any, y: Any) -> Any:
        if x.size < _CHUNK or not x.flags.c_contiguous or not y.flags.c_contiguous:
            return super().sum_products(x, y)
        rows, others = long_rows(x), long_rows(y)

        def add(part: slice) -> Any:
            total = np.zeros(rows.shape[1], x.dtype)
            for block in _blocks(len(rows[part]), rows[:1].nbytes, _CHUNK * x.itemsize):
                products = rows[part][block] * others[part][block]
                total += np.dot(np.ones(len(products), x.dtype), products)
            return total

        parts = threads.split(len(rows), 2 * PASS * x.size)
        return summed(threads.run(add, parts)).reshape(-1, x.shape[-1]).sum(axis=0)

    def scale_rows(self, x: Any, a: Any, b: Any, out: Any = None) -> Any:
        scale = super().scale_rows
        return _in_long_rows(lambda x, a, b, out: scale(x, a, b, out), (x,), (a, b), out)

    def combine_rows(self, x: Any, a: Any, y: Any, b: Any, c: Any, out: Any = None) -> Any:
        combine = super().combine_rows
        return _in_long_rows(
            lambda x, y, a, b, c, out: combine(x, a, y, b, c, out), (x, y), (a, b, c), out
        )

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
        if groups > 1:
            if w.shape[-2] > 1:
                return super().conv_input_grad(g, w, shape, strides, pads, dilation, groups)
            return _depthwise_input_grad(g, w, shape, strides, pads, dilation)
        window = w.shape[:-2]
        # With unit strides it is a convolution with the kernel turned around; but where there are
        # far fewer channels than filters, adding up windows moves less than unfolding them.
        if all(s == 1 for s in strides) and 2 * shape[-1] >= w.shape[-1]:
            return self._turned(g, w, pads, dilation)
        matrix = w.reshape(-1, w.shape[-1]).T
        x = np.zeros(padded_shape(shape, pads), np.result_type(g, w))
        columns = matrix.shape[1]

        def fold(part: slice) -> None:
            upstream, whole = g[part], x[part]
            for block in _blocks(len(upstream), prod(g.shape[1:-1]) * columns * x.itemsize):
                rows = upstream[block].reshape(-1, g.shape[-1]) @ matrix
                cells = rows.reshape(-1, *g.shape[1:-1], *window, shape[-1])
                images = whole[block]
                for position, seen in window_slices(window, g.shape[1:-1], strides, dilation):
                    images[seen] += cells[(..., *position, slice(None))]

        threads.run(fold, threads.split(len(g), g.size * columns))
        return unpad(np, x, shape, pads)

    def _turned(self, g: Any, w: Any, pads: tuple, dilation: tuple) -> Any:
        """`conv_input_grad` with unit strides."""
        window = w.shape[:-2]
        turned = w[(slice(None, None, -1),) * len(window)].swapaxes(-1, -2)
        reach = [(k - 1) * d for k, d in zip(window, dilation, strict=True)]
        around = tuple((r - lo, r - hi) for r, (lo, hi) in zip(reach, pads, strict=True))
        return self.conv(g, turned, (1,) * len(window), around, dilation, 1)

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
        if groups > 1:
            if shape[-2] > 1:
                return super().conv_kernel_grad(x, g, shape, strides, pads, dilation, groups)
            return _depthwise_kernel_grad(x, g, shape, strides, pads, dilation)
        dtype = np.result_type(x, g)

        def gather(part: slice) -> Any:
            w = np.zeros((prod(shape[:-1]), shape[-1]), dtype)
            unfolded = self._unfolded(x[part], g[part], shape[:-2], strides, pads, dilation)
            for block, rows in unfolded:
                # Of a small result, `matmul` would keep the interpreter's lock, however long.
                w += np.dot(rows.T, g[part][block].reshape(len(rows), shape[-1]))
            return w

        parts = threads.split(len(x), g.size * prod(shape[:-1]))
        return summed(threads.run(gather, parts)).reshape(shape)

    def max_pool(self, x: Any, window: tuple, strides: tuple, pads: tuple) -> tuple[Any, Any]:
        sizes = tuple(map(output_size, x.shape[1:-1], window, strides, pads, (1,) * len(window)))
        shape = (len(x), *sizes, x.shape[-1])
        y = np.empty(shape, x.dtype)
        winner = np.empty(shape, "uint8" if prod(window) <= 256 else "int32")
        apart = window == strides and not any(map(any, pads)) and prod(window) <= 256
        pool = _max_pool_apart if apart else super().max_pool

        def fill(part: slice) -> None:
            for block in _blocks(len(x[part]), x[:1].nbytes, _CHUNK * x.itemsize):
                y[part][block], winner[part][block] = pool(x[part][block], window, strides, pads)

        threads.run(fill, threads.split(len(x), PASS * x.size))
        return y, winner

    def max_pool_grad(
        self, g: Any, winner: Any, shape: tuple, window: tuple, strides: tuple, pads: tuple
    ) -> Any:
        if any(k > s for k, s in zip(window, strides, strict=True)) or any(map(any, pads)):
            return super().max_pool_grad(g, winner, shape, window, strides, pads)
        tiled = shape[1:-1] == tuple(n * k for n, k in zip(g.shape[1:-1], window, strict=True))
        x = (np.empty if tiled and window == strides else np.zeros)(shape, g.dtype)
        cells = list(window_slices(window, g.shape[1:-1], strides, (1,) * len(window)))

        def scatter(part: slice) -> None:  # windows do not meet: each cell is written once
            for block in _blocks(len(g[part]), x[:1].nbytes, _CHUNK * x.itemsize):
                upstream, won, images = g[part][block], winner[part][block], x[part][block]
                for index, (_, seen) in enumerate(cells):
                    np.multiply(upstream, (won == index).astype(g.dtype), out=images[seen])

        threads.run(scatter, threads.split(len(g), PASS * x.size))
        return x

    def dropout_mask(self, key: tuple, shape: tuple, rate: float, dtype: Any) -> Any:
        size, threshold, dtype = prod(shape), round(rate * 65536), np.dtype(dtype)
        low, high, counter = key
        mask, kept = np.empty(size, dtype), dtype.type(1 / (1 - rate))

        def draw(part: slice) -> None:
            numbers = slice(16 * part.start, min(16 * part.stop, size))
            bits = np.random.Philox(key=low + (high << 64), counter=(counter << 128) + part.start)
            words = bits.random_raw(-(-(numbers.stop - numbers.start) // 4))
            drawn = words.astype("<u8", copy=False).view("<u2")[: numbers.stop - numbers.start]
            own = mask[numbers]
            own[...] = drawn >= threshold
            own *= kept

        blocks = -(-size // 16)  # each gives 16 numbers
        threads.run(draw, threads.split(blocks, 2 * PASS * size))
        return mask.reshape(shape)

    def in_pieces(self, function: Callable[..., None], *arrays: Any) -> None:
        first = arrays[0]
        if first.size <= _PIECE or not all(a.flags.c_contiguous for a in arrays):
            return function(*arrays)

        def run(part: slice) -> None:  # rows: those of a weight that a product gave this thread
            flat = [a[part].reshape(-1) for a in arrays]
            for start in range(0, flat[0].size, _PIECE):
                function(*(a[start : start + _PIECE] for a in flat))

        threads.run(run, threads.split(len(first), PASS * first.size))

    def _unfolded(
        self, x: Any, y: Any, window: tuple, strides: tuple, pads: tuple, dilation: tuple
    ) -> Iterator[tuple[slice, Any]]:
        """Blocks of samples and their unfolded images: one row per window, in a reused buffer.

        `y`: the images that they meet, whose blocks are to fit the cache with them.
        """
        size = y.shape[1:-1]
        columns = prod(window) * x.shape[-1]
        if prod(window) == 1 and not any(map(any, pads)) and all(s == 1 for s in strides):
            if len(x):
                yield slice(None), x.reshape(-1, columns)
            return
        if x.shape[-1] < _SHORT_ROW:
            yield from _unfolded_by_cell(x, y, window, strides, pads, dilation)
            return
        bytes_each = prod(size) * (columns + y.shape[-1]) * x.itemsize
        count = min(len(x), max(1, _BLOCK_BYTES // max(1, bytes_each)))
        rows = np.empty((count, *size, *window, x.shape[-1]), x.dtype)
        padded = any(map(any, pads))
        images = np.zeros(padded_shape((count, *x.shape[1:]), pads), x.dtype) if padded else x
        windows = self._windows(images, window, strides, dilation)
        inside, kept = overlap(x.shape, pads)
        for block in _blocks(len(x), bytes_each):
            n = len(x[block])
            if padded:
                images[:n][inside] = x[block][kept]
            rows[:n] = windows[:n] if padded else windows[block]
            yield block, rows[:n].reshape(-1, columns)


def _unfolded_by_cell(
    x: Any, y: Any, window: tuple, strides: tuple, pads: tuple, dilation: tuple
) -> Iterator[tuple[slice, Any]]:
    """The blocks of `_unfolded` for few channels, written column by column.

    Rows of a few floats are slow to copy; a column is a whole shifted image. Products take the
    rows as they are, transposed.
    """
    size, channels = y.shape[1:-1], x.shape[-1]
    cells = list(window_slices(window, size, strides, dilation))
    bytes_each = prod(size) * (len(cells) * channels + y.shape[-1]) * x.itemsize
    for block in _blocks(len(x), bytes_each):
        images = pad(np, x[block], pads)
        columns = np.empty((len(cells), channels, len(images), *size), x.dtype)
        for i, (_, seen) in enumerate(cells):
            columns[i] = np.moveaxis(images[seen], -1, 0)
        yield block, columns.reshape(len(cells) * channels, -1).T


def _finish(bias: Any, activation: str, width: int) -> Callable[[Any], None]:
    """What adds the bias to images, rows of at least `width` pixels, and activates, in place."""
    value = BY_VALUE[activation].value
    row = None if bias is None else np.tile(bias, width)  # long rows are faster to add

    def finish(images: Any) -> None:
        if row is not None:
            rows = images.reshape(-1, row.size)
            rows += row
        if activation != "linear":
            value(np, images, images)

    return finish


def cut_of_product(a: Any, b: Any) -> str:
    """What threads share of a product of matrices: "rows" of a, "columns" of b, or "inner" sums.

    Those go along the rows of b: of weights, each thread then reads those that it updates.
    """
    (m, k), n = a.shape, b.shape[1]
    if m < max(k, n) and (k >= 2 * n or (n < 2 * k and b.flags.c_contiguous)):
        return "inner"
    return "rows" if m >= max(k, n) else "columns"


def summed(parts: Sequence[Any] | np.ndarray) -> Any:
    """In the order of the parts, so that the bits are the same every time; into the first."""
    first, *others = parts
    for other in others:
        first += other
    return first


def long_rows(x: Any) -> Any:
    """`x` as a matrix, several of its rows in one: NumPy loops over rows, best over long ones."""
    rows, width = x.size // x.shape[-1], x.shape[-1]
    while rows % 2 == 0 and width < _LONG_ROW:
        rows, width = rows // 2, 2 * width
    return x.reshape(rows, width)


def _in_long_rows(function: Callable[..., Any], arrays: tuple, numbers: tuple, out: Any) -> Any:
    """`function(*arrays, *numbers, out)`, one number for each entry of the last axis, in pieces."""
    x = arrays[0]
    given = arrays if out is None else (*arrays, out)
    if x.size < _CHUNK or not all(a.flags.c_contiguous for a in given):
        return function(*arrays, *numbers, out)
    y = np.empty(x.shape, x.dtype) if out is None else out
    target, *rows = (long_rows(a) for a in (y, *arrays))
    tiled = [np.tile(number, target.shape[1] // len(number)) for number in numbers]

    def run(part: slice) -> None:
        for block in _blocks(len(target[part]), target[:1].nbytes, _CHUNK * y.itemsize):
            function(*(a[part][block] for a in rows), *tiled, target[part][block])

    threads.run(run, threads.split(len(target), len(numbers) * PASS * y.size))
    return y


def _max_pool_apart(x: Any, window: tuple, strides: tuple, pads: tuple) -> tuple[Any, Any]:
    """`max_pool` of windows that do not meet: the maximum axis by axis, then where it stands."""
    y = x
    for axis, k in enumerate(window, start=1):
        whole, end = (slice(None),) * axis, y.shape[axis] // k * k
        first, *others = (y[(*whole, slice(i, end, k))] for i in range(k))
        for other in others:
            first = np.maximum(first, other)
        y = first
    winner = np.zeros(y.shape, "uint8")
    cells = [seen for _, seen in window_slices(window, y.shape[1:-1], strides, (1,) * len(window))]
    for seen in reversed(cells[:-1]):  # one further on, unless it is this cell
        winner += np.uint8(1)
        winner *= (x[seen] != y).view("uint8")
    return y, winner


def _blocks(samples: int, bytes_each: int, limit: int = _BLOCK_BYTES) -> Iterator[slice]:
    """Consecutive slices of samples, as many as fit `limit` bytes of cache in each."""
    step = max(1, limit // max(1, bytes_each))
    return (slice(start, min(start + step, samples)) for start in range(0, samples, step))


def _sizes(shape: tuple, w: Any, strides: tuple, pads: tuple, dilation: tuple) -> tuple[int, ...]:
    return tuple(map(output_size, shape[1:-1], w.shape[:-2], strides, pads, dilation))


# Depthwise: no products of matrices, so one pass over all channels for each cell of the window.


def _depthwise(x: Any, w: Any, strides: tuple, pads: tuple, dilation: tuple) -> Any:
    size, w = _sizes(x.shape, w, strides, pads, dilation), _by_channel(w, x.shape[-1])
    y = np.zeros((len(x), *size, *w.shape[-2:]), np.result_type(x, w))
    rows_of_w = _along_rows(w, size[-1])
    for block in _blocks(len(x), y[:1].nbytes):
        images, sums = pad(np, x[block], pads)[..., None], y[block]
        for position, seen in window_slices(w.shape[:-2], size, strides, dilation):
            sums += images[seen] * rows_of_w[position]
    return y.reshape(len(x), *size, prod(w.shape[-2:]))


def _depthwise_input_grad(
    g: Any, w: Any, shape: tuple, strides: tuple, pads: tuple, dilation: tuple
) -> Any:
    w = _by_channel(w, shape[-1])
    g = g.reshape(*g.shape[:-1], *w.shape[-2:])
    rows_of_w = _along_rows(w, g.shape[-3])
    x = np.zeros(padded_shape(shape, pads), np.result_type(g, w))
    for block in _blocks(len(g), g[:1].nbytes):
        images, upstream = x[block], g[block]
        for position, seen in window_slices(w.shape[:-2], g.shape[1:-2], strides, dilation):
            images[seen] += _sum_last(upstream * rows_of_w[position])
    return unpad(np, x, shape, pads)


def _depthwise_kernel_grad(
    x: Any, g: Any, shape: tuple, strides: tuple, pads: tuple, dilation: tuple
) -> Any:
    w = np.zeros((*shape[:-2], x.shape[-1], shape[-1] // x.shape[-1]), np.result_type(x, g))
    g = g.reshape(*g.shape[:-1], *w.shape[-2:])
    ones = np.ones(prod(g.shape[:-2]), w.dtype)
    for block in _blocks(len(g), g[:1].nbytes):
        images, upstream = pad(np, x[block], pads)[..., None], g[block]
        for position, seen in window_slices(shape[:-2], g.shape[1:-2], strides, dilation):
            products = (images[seen] * upstream).reshape(-1, w[position].size)
            w[position] += (ones[: len(products)] @ products).reshape(w.shape[-2:])
    return w.reshape(shape)


def _by_channel(w: Any, channels: int) -> Any:
    """The kernel as (*window, channels, filters of each channel)."""
    return w.reshape(*w.shape[:-2], channels, w.shape[-1] // channels)


def _along_rows(w: Any, size: int) -> Any:
    """The kernel repeated `size` times, so that whole rows of images meet it in one long loop."""
    return np.repeat(w[..., None, :, :], size, axis=-3)


def _sum_last(x: Any) -> Any:
    return x[..., 0] if x.shape[-1] == 1 else x.sum(axis=-1)


def _is_basic(part: Any) -> bool:
    """Whether this part of an index picks no element twice: numbers, slices, boolean masks."""
    if part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice)):
        return True
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"
