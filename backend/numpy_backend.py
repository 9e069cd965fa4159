"""NumPy on the CPU: convolutions whose unfolded images never leave the cache, cut over threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from . import threads
from .base import Backend, output_size, overlap, pad, padded_shape, unpad, window_slices

_BLOCK_BYTES = 2**20  # unfolded images at a time: what one core's L2 cache holds
_SHORT_ROW = 8  # channels below which unfolding goes column by column


class NumpyBackend(Backend):
    """Arrays are `numpy.ndarray`."""

    name = "numpy"
    emulated_floats = frozenset({"float16", "bfloat16"})
    xp = np
    array_type = np.ndarray

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def memory_info(self) -> dict[str, int]:
        """As in `Backend`, of the whole process: NumPy keeps no pool and counts no arrays."""
        try:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            lines = Path("/proc/meminfo").read_text().splitlines()
        except FileNotFoundError as error:
            raise NotImplementedError(
                "memory_info of the backend 'numpy' reads Linux's /proc, which is not here. "
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

    def conv(
        self, x: Any, w: Any, strides: tuple, pads: tuple, dilation: tuple, groups: int
    ) -> Any:
        if groups > 1:
            if w.shape[-2] > 1:
                return super().conv(x, w, strides, pads, dilation, groups)
            return _depthwise(x, w, strides, pads, dilation)
        size, window = _sizes(x.shape, w, strides, pads, dilation), w.shape[:-2]
        matrix = w.reshape(-1, w.shape[-1])
        y = np.empty((len(x), *size, w.shape[-1]), np.result_type(x, w))

        def convolve(part: slice) -> None:
            unfolded = self._unfolded(x[part], window, size, strides, pads, dilation)
            for block, rows in unfolded:
                np.matmul(rows, matrix, out=y[part][block].reshape(len(rows), -1))

        threads.run(convolve, threads.split(len(x), y.size * len(matrix)))
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
        if groups > 1:
            if w.shape[-2] > 1:
                return super().conv_input_grad(g, w, shape, strides, pads, dilation, groups)
            return _depthwise_input_grad(g, w, shape, strides, pads, dilation)
        window = w.shape[:-2]
        # With unit strides it is a convolution with the kernel turned around; but where there are
        # far fewer channels than filters, adding up windows moves less than unfolding them.
        if all(s == 1 for s in strides) and 2 * shape[-1] >= w.shape[-1]:
            turned = w[(slice(None, None, -1),) * len(window)].swapaxes(-1, -2)
            reach = [(k - 1) * d for k, d in zip(window, dilation, strict=True)]
            around = tuple((r - lo, r - hi) for r, (lo, hi) in zip(reach, pads, strict=True))
            return self.conv(g, turned, strides, around, dilation, 1)
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
        size, dtype = g.shape[1:-1], np.result_type(x, g)

        def gather(part: slice) -> Any:
            w = np.zeros((prod(shape[:-1]), shape[-1]), dtype)
            unfolded = self._unfolded(x[part], shape[:-2], size, strides, pads, dilation)
            for block, rows in unfolded:
                w += rows.T @ g[part][block].reshape(len(rows), shape[-1])
            return w

        parts = threads.split(len(x), g.size * prod(shape[:-1]))
        first, *others = threads.run(gather, parts)
        for w in others:  # in the order of the samples, so that the bits are the same every time
            first += w
        return first.reshape(shape)

    def max_pool(self, x: Any, window: tuple, strides: tuple, pads: tuple) -> tuple[Any, Any]:
        pool = super().max_pool
        parts = threads.split(len(x), x.size)
        pooled = threads.run(lambda part: pool(x[part], window, strides, pads), parts)
        if len(pooled) == 1:
            return pooled[0]
        values, winners = zip(*pooled, strict=True)
        return np.concatenate(values), np.concatenate(winners)

    def max_pool_grad(
        self, g: Any, winner: Any, shape: tuple, window: tuple, strides: tuple, pads: tuple
    ) -> Any:
        if any(k > s for k, s in zip(window, strides, strict=True)) or any(map(any, pads)):
            return super().max_pool_grad(g, winner, shape, window, strides, pads)
        tiled = shape[1:-1] == tuple(n * k for n, k in zip(g.shape[1:-1], window, strict=True))
        x = (np.empty if tiled and window == strides else np.zeros)(shape, g.dtype)
        cells = list(window_slices(window, g.shape[1:-1], strides, (1,) * len(window)))

        def scatter(part: slice) -> None:  # windows do not meet: each cell is written once
            upstream, won, images = g[part], winner[part], x[part]
            for index, (_, seen) in enumerate(cells):
                np.multiply(upstream, won == index, out=images[seen])

        threads.run(scatter, threads.split(len(g), x.size))
        return x

    def _unfolded(
        self, x: Any, window: tuple, size: tuple, strides: tuple, pads: tuple, dilation: tuple
    ) -> Iterator[tuple[slice, Any]]:
        """Blocks of samples and their unfolded images: one row per window, in a reused buffer."""
        columns = prod(window) * x.shape[-1]
        if prod(window) == 1 and not any(map(any, pads)) and all(s == 1 for s in strides):
            if len(x):
                yield slice(None), x.reshape(-1, columns)
            return
        if x.shape[-1] < _SHORT_ROW:
            yield from _unfolded_by_cell(x, window, size, strides, pads, dilation)
            return
        bytes_each = prod(size) * columns * x.itemsize
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
    x: Any, window: tuple, size: tuple, strides: tuple, pads: tuple, dilation: tuple
) -> Iterator[tuple[slice, Any]]:
    """The blocks of `_unfolded` for few channels, written column by column.

    Rows of a few floats are slow to copy; a column is a whole shifted image. Products take the
    rows as they are, transposed.
    """
    channels = x.shape[-1]
    cells = list(window_slices(window, size, strides, dilation))
    for block in _blocks(len(x), prod(size) * len(cells) * channels * x.itemsize):
        images = pad(np, x[block], pads)
        columns = np.empty((len(cells), channels, len(images), *size), x.dtype)
        for i, (_, seen) in enumerate(cells):
            columns[i] = np.moveaxis(images[seen], -1, 0)
        yield block, columns.reshape(len(cells) * channels, -1).T


def _blocks(samples: int, bytes_each: int) -> Iterator[slice]:
    """Consecutive slices of samples, as many as fit the cache in each."""
    step = max(1, _BLOCK_BYTES // max(1, bytes_each))
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
