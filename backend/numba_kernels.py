"""Kernels for the CPU that numba compiles: what NumPy needs several passes or many calls for.

Each computes a part of the work, rows `start` to `stop`, on one thread; at the end of this file is
what Python calls, for all parts at once. Arrays are C-contiguous and of one float type, images
(batch, height, width, channels). A `geometry` is (window, strides, pads before, dilation), two
numbers each. An array that is not given has no elements. What a kernel computes is told by its
twin in `Backend`.

Inner loops run over views with one axis: there the compiler knows that no index is negative. They
read before they choose: an array read on one branch alone is read element by element.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .numba_parts import entry, helper, in_parts
from .numba_tiles import ROWS as TILE_ROWS
from .numba_tiles import VECTOR_BYTES
from .numba_tiles import tile as add_tile

# numba compiles anew what it kept when this file changes; so it does when those two change:
TEXTS = "52a6cb6809b060f6"  # the SHA-256 of numba_parts.py and numba_tiles.py, in part

LINEAR, RELU, RELU6, SIGMOID, TANH = range(5)  # activations
_ROW_MAJOR, _AS_IS, _TRANSPOSED = np.int32(101), np.int32(111), np.int32(112)  # as CBLAS has it

_NEAR_BYTES = 2**14  # of output images at a time: with what else they need, in the first cache
_FEW = 8  # channels whose unfolded windows are better columns than rows

_intrinsic: Any = intrinsic  # numba's own hints do not know every option


# Convolutions: images unfolded block by block, one row per window, times the kernel's matrix.
# `blas` is the address of CBLAS's gemm and whether its integers have 64 bits. Rows are rows of
# output images, counted on from image to image; a block of `block` of them fits the cache.


@in_parts
def _convolve(blas, x, w, bias, y, geometry, activation, block, start, stop):
    width, (inner, filters) = y.shape[2], w.shape
    pixels, room = y.reshape(-1, filters), np.empty(block * width * inner, x.dtype)
    few = x.shape[3] < _FEW
    for first in range(start, stop, block):
        last = min(first + block, stop)
        seen = _unfolded(x, y, room, geometry, first, last)
        out = pixels[first * width : last * width]
        _product(blas, _TRANSPOSED if few else _AS_IS, _AS_IS, seen, w, 0, out)
        if len(bias) or activation != LINEAR:
            lines = out.reshape(last - first, width * filters)
            for row in range(last - first):
                _finish(lines[row], bias, activation)


@in_parts
def _gather(blas, x, g, totals, geometry, block, start, stop):
    """`conv_kernel_grad`, added to the part's own total."""
    w = _own(totals, start, g.shape[0] * g.shape[1])
    width, (inner, filters) = g.shape[2], w.shape
    pixels, room = g.reshape(-1, filters), np.empty(block * width * inner, x.dtype)
    few = x.shape[3] < _FEW
    for first in range(start, stop, block):
        last = min(first + block, stop)
        seen = _unfolded(x, g, room, geometry, first, last)
        upstream = pixels[first * width : last * width]
        _product(blas, _AS_IS if few else _TRANSPOSED, _AS_IS, seen, upstream, 1, w)


@helper
def _own(totals, start, rows):
    """What the part sums up that begins at row `start` of all rows, cut as `threads.split` does."""
    return totals[-(-start * len(totals) // rows)]


@in_parts
def _fold(blas, g, w, x, geometry, block, start, stop):
    """`conv_input_grad` of the images `start` to `stop`."""
    height, width, (inner, filters) = g.shape[1], g.shape[2], w.shape
    pixels, room = g.reshape(-1, filters), np.empty(block * width * inner, x.dtype)
    for image in range(start, stop):
        _fill(x[image].reshape(-1), 0)
    for first in range(start * height, stop * height, block):
        last = min(first + block, stop * height)
        upstream = pixels[first * width : last * width]
        own = room[: len(upstream) * inner]
        if x.shape[3] < _FEW:
            columns = own.reshape(inner, len(upstream))
            _product(blas, _AS_IS, _TRANSPOSED, w, upstream, 0, columns)
            _by_cell(x, columns, height, width, geometry, first, True)
        else:
            rows = own.reshape(len(upstream), inner)
            _product(blas, _AS_IS, _TRANSPOSED, upstream, w, 0, rows)
            _add_windows(x, rows, height, width, geometry, first)


@helper
def _unfolded(x, y, room, geometry, first, last):
    """The windows of rows of output images, in `room`: one row for each window.

    Of few channels one column, for a whole row of an image is then copied at once.
    """
    (kh, kw), strides, pads, _ = geometry
    channels, pixels = x.shape[3], (last - first) * y.shape[2]
    inner = kh * kw * channels
    if channels < _FEW:
        columns = room[: inner * pixels].reshape(inner, pixels)
        _by_cell(x, columns, y.shape[1], y.shape[2], geometry, first, False)
        return columns
    if kh == 1 and kw == 1 and strides == (1, 1) and pads == (0, 0) and x.shape[:3] == y.shape[:3]:
        return x.reshape(-1, channels)[first * y.shape[2] : last * y.shape[2]]  # as it is
    rows = room[: pixels * inner].reshape(pixels, inner)
    _unfold(x, rows, y.shape[1], y.shape[2], geometry, first)
    return rows


@helper
def _by_cell(x, columns, height, width, geometry, first, back):
    """Unfold images, cell by cell of the window; or, `back`, add the columns to the images."""
    (kh, kw), (sh, sw), (top, left), (dh, dw) = geometry
    _, limit, across, channels = x.shape
    for row in range(columns.shape[1] // width):
        image, oy = divmod(first + row, height)
        for ky in range(kh):
            iy = oy * sh - top + ky * dh
            for kx in range(kw):
                low, high, begin = _inside(left - kx * dw, sw, across, width)
                if not 0 <= iy < limit:
                    low = high = width
                for c in range(channels):
                    cell = columns[(ky * kw + kx) * channels + c, row * width : (row + 1) * width]
                    if low < high:
                        seen = x[image, iy, begin::sw, c]
                        if back:
                            _add(seen[: high - low], cell[low:high])
                        else:
                            _copy(cell[low:high], seen)
                    if not back:
                        _fill(cell[:low], 0)
                        _fill(cell[high:], 0)


@helper
def _inside(ahead, stride, size, count):
    """Which of `count` windows, `low` to `high`, see a pixel of a line of `size`, the first where.

    The first window begins `ahead` pixels before the line.
    """
    low = min(max(0, -(-ahead // stride)), count)
    high = min(max(low, -(-(size + ahead) // stride)), count)
    return low, high, low * stride - ahead


@helper
def _unfold(x, rows, height, width, geometry, first):
    """The windows of rows of output images, from row `first` on."""
    (kh, kw), (sh, sw), (top, left), (dh, dw) = geometry
    _, limit, across, channels = x.shape
    cells, length = (1, kw * channels) if dw == 1 else (kw, channels)  # what lies side by side
    for row in range(len(rows) // width):
        image, oy = divmod(first + row, height)
        for ky in range(kh):
            iy = oy * sh - top + ky * dh
            inside = 0 <= iy < limit
            line = x[image, iy if inside else 0].reshape(-1)
            for ox in range(width):
                for kx in range(cells):
                    start = (ky * kw + kx) * channels
                    to = rows[row * width + ox, start : start + length]
                    begin = (ox * sw - left + kx * dw) * channels
                    if inside and begin >= 0 and begin + length <= across * channels:
                        _copy(to, line[begin : begin + length])
                    else:
                        _fill(to, 0)
                        low, high = max(begin, 0), min(begin + length, across * channels)
                        if inside and low < high:
                            _copy(to[low - begin : high - begin], line[low:high])


@helper
def _add_windows(x, rows, height, width, geometry, first):
    """The adjoint of `_unfold`: added to `x`."""
    (kh, kw), (sh, sw), (top, left), (dh, dw) = geometry
    _, limit, across, channels = x.shape
    cells, length = (1, kw * channels) if dw == 1 else (kw, channels)
    for row in range(len(rows) // width):
        image, oy = divmod(first + row, height)
        for ky in range(kh):
            iy = oy * sh - top + ky * dh
            if not 0 <= iy < limit:
                continue
            line = x[image, iy].reshape(-1)
            for ox in range(width):
                for kx in range(cells):
                    start = (ky * kw + kx) * channels
                    seen = rows[row * width + ox, start : start + length]
                    begin = (ox * sw - left + kx * dw) * channels
                    low, high = max(begin, 0), min(begin + length, across * channels)
                    if low < high:
                        _add(line[low:high], seen[low - begin : high - begin])


@helper
def _product(blas, a_is, b_is, a, b, beta, out):
    """out = a b + beta out, matrices whose rows are contiguous, `a` and `b` perhaps transposed."""
    m, n = out.shape
    k = a.shape[1] if a_is == _AS_IS else a.shape[0]
    one, kept = out.dtype.type(1), out.dtype.type(beta)
    a_at, b_at, out_at = a.ctypes.data, b.ctypes.data, out.ctypes.data
    _product_at(
        blas, a_is, b_is, m, n, k, one, a_at, a.shape[1], b_at, b.shape[1], kept, out_at,
        out.shape[1],
    )  # fmt: skip


@helper
def _product_at(blas, a_is, b_is, m, n, k, alpha, a, lda, b, ldb, beta, out, ldc):
    """BLAS's gemm of matrices at addresses."""
    address, wide = blas
    if wide:
        _gemm(address, a_is, b_is, m, n, k, alpha, a, lda, b, ldb, beta, out, ldc)
    else:
        rows, columns, inner = np.int32(m), np.int32(n), np.int32(k)
        of_a, of_b, of_out = np.int32(lda), np.int32(ldb), np.int32(ldc)
        _gemm(address, a_is, b_is, rows, columns, inner, alpha, a, of_a, b, of_b, beta, out, of_out)


@_intrinsic
def _gemm(
    typing: Any,
    address: Any,
    a_is: Any,
    b_is: Any,
    m: Any,
    n: Any,
    k: Any,
    alpha: Any,
    a: Any,
    lda: Any,
    b: Any,
    ldb: Any,
    beta: Any,
    c: Any,
    ldc: Any,
) -> Any:
    """Call CBLAS's gemm at `address`; the integers' type is that of `m`."""
    given = (address, a_is, b_is, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        order = ir.Constant(ir.IntType(32), _ROW_MAJOR)
        values = [order, *arguments[1:]]
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), values)
        return context.get_dummy_value()

    return types.void(*given), generate


# Products of matrices

ROWS, COLUMNS, INNER = range(3)  # what is cut: rows of a, columns of b, or what is summed over


@in_parts
def _multiply(blas, a, a_turned, b, b_turned, out, cut, start, stop):
    """a b, each perhaps stored transposed; `out` (terms, rows, columns), one term but for INNER."""
    size, (_, m, n) = a.itemsize, out.shape
    k = a.shape[0] if a_turned else a.shape[1]
    lda, ldb, own = a.shape[1], b.shape[1], out[0]
    a_at, b_at, skip = np.int64(a.ctypes.data), np.int64(b.ctypes.data), 0
    if cut == ROWS:
        m, skip = stop - start, start * n
        a_at += start * size * (1 if a_turned else lda)
    elif cut == COLUMNS:
        n, skip = stop - start, start
        b_at += start * size * (ldb if b_turned else 1)
    else:
        own = _own(out, start, k)
        k = stop - start
        a_at += start * size * (lda if a_turned else 1)
        b_at += start * size * (1 if b_turned else ldb)
    a_is, b_is = _TRANSPOSED if a_turned else _AS_IS, _TRANSPOSED if b_turned else _AS_IS
    one, zero = a.dtype.type(1), a.dtype.type(0)
    out_at = np.int64(own.ctypes.data) + skip * size
    _product_at(blas, a_is, b_is, m, n, k, one, a_at, lda, b_at, ldb, zero, out_at, out.shape[2])


# Convolutions of as many filters as fill vectors: tiles of the result are summed up in registers,
# from images as they are. `panels` (panel, cells of the window, filters of a panel).


@in_parts
def _convolve_tiles(x, panels, bias, y, geometry, activation, start, stop):
    """Rows of output images; `bias` as the filters, `geometry` without dilation."""
    (kh, kw), (sh, sw), (top, left), _ = geometry
    (count, cells, wide), (_, height, width, filters) = panels.shape, y.shape
    zero, six, endless = x.dtype.type(0), x.dtype.type(6), x.dtype.type(np.inf)
    low = -endless if activation == LINEAR else zero
    high = six if activation == RELU6 else endless
    room = _room(x, height, width, geometry)
    size, channels, tiles = x.itemsize, x.shape[3], -(-width // TILE_ROWS)
    vectors, run, step = wide * size // VECTOR_BYTES, kw * channels, sw * channels
    b, initial, row = _address(panels), _address(bias), start
    block = max(1, _NEAR_BYTES // (width * filters * size))
    while row < stop:
        image, first = divmod(row, height)
        last = min(height, first + stop - row)
        seen = _framed(x[image], room, top, left)
        a, out, line = _address(seen), _address(y[image]), seen.shape[1] * channels
        for upper in range(first, last, block):
            for panel in range(count):
                for oy in range(upper, min(upper + block, last)):
                    for tile in range(tiles):
                        begin, end = tile * width // tiles, (tile + 1) * width // tiles
                        add_tile(
                            end - begin, vectors,
                            a + (oy * sh * line + begin * step) * size, step, line, 1,
                            b + panel * cells * wide * size, run * wide, wide, kh, run,
                            initial + panel * wide * size, 0,
                            out + ((oy * width + begin) * filters + panel * wide) * size, filters,
                            low, high,
                        )  # fmt: skip
        row += last - first


@in_parts
def _gather_tiles(x, g, totals, geometry, start, stop):
    """`conv_kernel_grad` of images, added to the part's own total; `geometry` without dilation."""
    (kh, kw), (sh, sw), (top, left), _ = geometry
    total, (_, height, width, filters) = _own(totals, start, len(x)), g.shape
    endless, room = x.dtype.type(np.inf), _room(x, height, width, geometry)
    size, channels = x.itemsize, x.shape[3]
    vectors = 2 if filters * size % (2 * VECTOR_BYTES) == 0 else 1
    wide, run, out = vectors * VECTOR_BYTES // size, kw * channels, _address(total)
    tiles, upstream = -(-run // TILE_ROWS), np.empty((height * width, wide), x.dtype)
    for image in range(start, stop):
        seen = _framed(x[image], room, top, left)
        a, line = _address(seen), seen.shape[1] * channels
        for panel in range(filters // wide):
            for oy in range(height):
                for ox in range(width):
                    own = g[image, oy, ox, panel * wide : (panel + 1) * wide]
                    _copy(upstream[oy * width + ox], own)
            for ky in range(kh):
                for tile in range(tiles):
                    begin, end = tile * run // tiles, (tile + 1) * run // tiles
                    to = out + ((ky * run + begin) * filters + panel * wide) * size
                    add_tile(
                        end - begin, vectors,
                        a + (ky * line + begin) * size, 1, sh * line, sw * channels,
                        _address(upstream), width * wide, wide, height, width,
                        to, filters, to, filters, -endless, endless,
                    )  # fmt: skip


@helper
def _address(x):
    return np.int64(x.ctypes.data)


@helper
def _room(x, height, width, geometry):
    """Zeros for an image with what windows see around it; of no size, if that is nothing."""
    (kh, kw), (sh, sw), (top, left), _ = geometry
    rows, columns = (height - 1) * sh + kh, (width - 1) * sw + kw
    if top > 0 or left > 0 or rows > x.shape[1] or columns > x.shape[2]:
        return np.zeros((rows, columns, x.shape[3]), x.dtype)
    return np.zeros((0, 0, 0), x.dtype)


@helper
def _framed(image, room, top, left):
    """The image, or `room` with it within: as much of it as there is room for."""
    if not room.size:
        return image
    height = min(image.shape[0], room.shape[0] - top)
    width = min(image.shape[1], room.shape[1] - left)
    for line in range(height):
        _copy(room[top + line, left : left + width].reshape(-1), image[line, :width].reshape(-1))
    return room


# Depthwise: no products of matrices. With one filter for each channel a convolution is a sum of
# x w, its gradients are sums of g w and x g: the same loops, in which another one is written.

IMAGES, KERNEL, OUTPUTS = range(3)


@in_parts
def _depthwise(x, kernels, y, geometry, written, start, stop):
    """Images; `kernels` (parts, cells of the window, width of y * channels), the channels over and
    over; one for all parts, if they only read it.
    """
    w = _own(kernels, start, len(x)) if written == KERNEL else kernels[0]
    (kh, kw), (sh, sw), (top, left), (dh, dw) = geometry
    _, limit, across, channels = x.shape
    _, height, width, _ = y.shape
    for image in range(start, stop):
        if written == IMAGES:
            _fill(x[image].reshape(-1), 0)
        elif written == OUTPUTS:
            _fill(y[image].reshape(-1), 0)
        for oy in range(height):
            outputs = y[image, oy].reshape(-1)
            for ky in range(kh):
                iy = oy * sh - top + ky * dh
                if not 0 <= iy < limit:
                    continue
                line = x[image, iy].reshape(-1)
                for kx in range(kw):
                    low, high, begin = _inside(left - kx * dw, sw, across, width)
                    length = high - low if sw == 1 else 1  # pixels that lie side by side
                    for ox in range(low, high, max(1, length)):
                        seen = (begin + (ox - low) * sw) * channels
                        xs = line[seen : seen + length * channels]
                        ws = w[ky * kw + kx, ox * channels : (ox + length) * channels]
                        ys = outputs[ox * channels : (ox + length) * channels]
                        if written == IMAGES:
                            _add_product(xs, ys, ws)
                        elif written == KERNEL:
                            _add_product(ws, xs, ys)
                        else:
                            _add_product(ys, xs, ws)


@helper
def _add_product(to, a, b):
    for i in range(len(to)):
        to[i] += a[i] * b[i]


# Pooling in two dimensions


@in_parts
def _max_pool(x, y, winner, geometry, start, stop):
    """Rows of output images; `winner` of bytes."""
    (kh, kw), (sh, sw), (top, left), _ = geometry
    _, limit, across, _ = x.shape
    _, height, width, _ = y.shape
    for row in range(start, stop):
        image, oy = divmod(row, height)
        for ox in range(width):
            best, won = y[image, oy, ox], winner[image, oy, ox]
            _fill(best, -np.inf)
            _fill(won, 0)
            for ky in range(kh):
                iy = oy * sh - top + ky
                if not 0 <= iy < limit:
                    continue
                for kx in range(kw):
                    ix = ox * sw - left + kx
                    if 0 <= ix < across:
                        if ky == 0 and kx == 0:
                            _copy(best, x[image, iy, ix])
                        else:
                            _keep_larger(best, won, x[image, iy, ix], np.uint8(ky * kw + kx))


@helper
def _keep_larger(best, won, cells, index):
    for c in range(len(best)):
        old, new, first = best[c], cells[c], won[c]
        won[c] = index if new > old else first
        best[c] = old if (new <= old) | (old != old) else new  # what is no number stays


@in_parts
def _max_pool_grad(g, winner, x, geometry, start, stop):
    """Images; windows from the last to the first, so that sums have the reference's order."""
    (kh, kw), (sh, sw), (top, left), _ = geometry
    _, limit, across, _ = x.shape
    _, height, width, _ = g.shape
    for image in range(start, stop):
        _fill(x[image].reshape(-1), 0)
        for oy in range(height - 1, -1, -1):
            for ox in range(width - 1, -1, -1):
                upstream, won = g[image, oy, ox], winner[image, oy, ox]
                for ky in range(kh):
                    iy = oy * sh - top + ky
                    if not 0 <= iy < limit:
                        continue
                    for kx in range(kw):
                        ix = ox * sw - left + kx
                        if 0 <= ix < across:
                            _add_where(x[image, iy, ix], upstream, won, ky * kw + kx)


@helper
def _add_where(to, upstream, won, index):
    zero, index = to.dtype.type(0), np.uint8(index)
    for c in range(len(to)):
        given = upstream[c]
        to[c] += given if won[c] == index else zero


# Passes over rows: matrices (rows, features)


@in_parts
def _bias_activation(x, bias, activation, y, start, stop):
    """`x` without elements: it is in `y`."""
    for row in range(start, stop):
        if len(x):
            _copy(y[row], x[row])
        _finish(y[row], bias, activation)


@helper
def _finish(y, bias, activation):
    """Add a bias of as many numbers, or of none, to `y`, and activate it."""
    zero, six = y.dtype.type(0), y.dtype.type(6)
    if len(bias):
        _add(y, bias)
    if activation == RELU:
        for i in range(len(y)):
            z = y[i]
            y[i] = zero if z <= zero else z
    elif activation == RELU6:
        for i in range(len(y)):
            z = y[i]
            y[i] = zero if z <= zero else six if z >= six else z
    elif activation == SIGMOID:
        for i in range(len(y)):
            y[i] = _sigmoid(y[i])
    elif activation == TANH:
        for i in range(len(y)):
            y[i] = _tanh(y[i])


@in_parts
def _bias_activation_grad(g, y, activation, out, start, stop):
    """Flat arrays."""
    g, y, out = g[start:stop], y[start:stop], out[start:stop]
    zero, one, six = y.dtype.type(0), y.dtype.type(1), y.dtype.type(6)
    if activation == RELU:
        for i in range(len(y)):
            out[i] = g[i] * (one if y[i] > zero else zero)
    elif activation == RELU6:
        for i in range(len(y)):
            out[i] = g[i] * (one if (y[i] > zero) & (y[i] < six) else zero)
    elif activation == SIGMOID:
        for i in range(len(y)):
            out[i] = g[i] * (y[i] * (one - y[i]))
    elif activation == TANH:
        for i in range(len(y)):
            out[i] = g[i] * (one - y[i] * y[i])


@in_parts
def _softmax_crossentropy(logits, numbers, shares, loss, p, start, stop):
    """Targets: class numbers, or, if there are none, distributions `shares`."""
    zero, one = p.dtype.type(0), p.dtype.type(1)
    for row in range(start, stop):
        z, e = logits[row], p[row]
        largest, total, lost = z[0], zero, zero
        for i in range(len(z)):
            largest = largest if z[i] <= largest or largest != largest else z[i]
        for i in range(len(z)):
            e[i] = np.exp(z[i] - largest)
            total += e[i]
        log_total, inverse = np.log(total), one / total
        for i in range(len(z)):
            log_p = z[i] - largest - log_total
            if len(numbers):
                lost -= (one if numbers[row] == i else zero) * log_p
            else:
                lost -= shares[row, i] * log_p
            e[i] *= inverse
        loss[row] = lost


@in_parts
def _softmax_crossentropy_grad(g, p, numbers, shares, out, start, stop):
    zero, one = p.dtype.type(0), p.dtype.type(1)
    for row in range(start, stop):
        known, to, upstream = p[row], out[row], g[row]
        if len(numbers):
            number = numbers[row]
            total = one if 0 <= number < len(known) else zero
            for i in range(len(known)):
                to[i] = (known[i] * total - (one if number == i else zero)) * upstream
        else:
            share, total = shares[row], zero
            for i in range(len(known)):
                total += share[i]
            for i in range(len(known)):
                to[i] = (known[i] * total - share[i]) * upstream


@in_parts
def _scatter_rows(out, index, updates, start, stop):
    """Rows `start` to `stop` of a table: zero, plus the updates that are theirs."""
    for row in range(start, stop):
        _fill(out[row], 0)
    for i in range(len(index)):
        row = index[i] % len(out)
        if start <= row < stop:
            _add(out[row], updates[i])


@helper
def _copy(to, source):
    for i in range(len(to)):
        to[i] = source[i]


@helper
def _fill(to, value):
    for i in range(len(to)):
        to[i] = value


@helper
def _add(to, source):
    for i in range(len(to)):
        to[i] += source[i]


@in_parts
def _scale_rows(x, a, b, y, start, stop):
    for row in range(start, stop):
        source, to = x[row], y[row]
        for i in range(len(to)):
            to[i] = source[i] * a[i] + b[i]


@in_parts
def _combine_rows(x, a, y, b, c, z, start, stop):
    for row in range(start, stop):
        first, second, to = x[row], y[row], z[row]
        for i in range(len(to)):
            to[i] = first[i] * a[i] + second[i] * b[i] + c[i]


@in_parts
def _sum_products(x, y, totals, start, stop):
    """Added to the part's own total."""
    total = _own(totals, start, len(x))
    for row in range(start, stop):
        _add_product(total, x[row], y[row])


# Recurrent: all steps of the samples `start` to `stop`; float32 alone


@in_parts
def _lstm(blas, gates, r, h, c, tanh_c, start, stop):
    for t in range(len(gates)):
        _product(blas, _AS_IS, _AS_IS, h[t, start:stop], r, 1, gates[t, start:stop])
        for row in range(start, stop):
            z, n = gates[t, row], h.shape[2]
            i, f, g, o = z[:n], z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]
            old, new, squashed, out = c[t, row], c[t + 1, row], tanh_c[t, row], h[t + 1, row]
            for k in range(n):
                i[k], f[k] = _sigmoid(i[k]), _sigmoid(f[k])
            for k in range(n):
                g[k], o[k] = _tanh(g[k]), _sigmoid(o[k])
            for k in range(n):
                new[k] = f[k] * old[k] + i[k] * g[k]
                squashed[k] = _tanh(new[k])
                out[k] = o[k] * squashed[k]


@in_parts
def _lstm_grad(blas, g_y, dh, dc, gates, r, c, tanh_c, dz, start, stop):
    one = np.float32(1)
    for t in range(len(gates) - 1, -1, -1):
        for row in range(start, stop):
            z, to, n = gates[t, row], dz[t, row], dh.shape[1]
            i, f, g, o = z[:n], z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]
            di, df, dg, do = to[:n], to[n : 2 * n], to[2 * n : 3 * n], to[3 * n :]
            upstream, carried, old, squashed = dh[row], dc[row], c[t, row], tanh_c[t, row]
            if len(g_y):
                _add(upstream, g_y[t, row])
            for k in range(n):
                s = carried[k] + upstream[k] * o[k] * (one - squashed[k] * squashed[k])
                di[k] = s * g[k] * (i[k] * (one - i[k]))
                df[k] = s * old[k] * (f[k] * (one - f[k]))
                dg[k] = s * i[k] * (one - g[k] * g[k])
                carried[k] = s * f[k]
            for k in range(n):
                do[k] = upstream[k] * squashed[k] * (o[k] * (one - o[k]))
        _product(blas, _AS_IS, _TRANSPOSED, dz[t, start:stop], r, 0, dh[start:stop])


# exp and tanh that the compiler computes several elements at a time in: a power of two times a
# polynomial, and an odd polynomial near zero. Coefficients: Cephes (Moshier, 1992).


def _floats(*numbers: float) -> tuple[np.float32, ...]:
    return tuple(np.float32(number) for number in numbers)


_LOWEST, _HIGHEST, _LOG2_E, _LN2_HIGH, _LN2_LOW = _floats(
    -87.33654, 88.37626, 1.44269504, 0.693359375, -2.12194440e-4
)
_EXP = _floats(1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2)
_EXP_END = _floats(1.6666665459e-1, 5.0000001201e-1)
_TANH = _floats(-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1)
_TANH_END = np.float32(-3.33332819422e-1)
_HALF, _ONE, _TWO, _NEAR = _floats(0.5, 1, 2, 0.625)


@helper
def _exp(x):
    x = _LOWEST if x < _LOWEST else x
    x = _HIGHEST if x > _HIGHEST else x
    n = np.floor(x * _LOG2_E + _HALF)
    r = x - n * _LN2_HIGH - n * _LN2_LOW
    p = ((_EXP[0] * r + _EXP[1]) * r + _EXP[2]) * r + _EXP[3]
    return (((p * r + _EXP_END[0]) * r + _EXP_END[1]) * r * r + r + _ONE) * _two_to(np.int32(n))


@helper
def _sigmoid(x):
    return _ONE / (_ONE + _exp(-x))


@helper
def _tanh(x):
    size, z = abs(x), x * x
    p = (((_TANH[0] * z + _TANH[1]) * z + _TANH[2]) * z + _TANH[3]) * z + _TANH_END
    far = _ONE - _TWO / (_exp(_TWO * size) + _ONE)
    return x + x * z * p if size < _NEAR else far if x > 0 else -far


@_intrinsic
def _two_to(typing: Any, n: Any) -> Any:
    """2**n as a float32, for an int32 from -126 to 127: the number's exponent alone."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        biased = builder.add(arguments[0], ir.Constant(word, 127))
        return builder.bitcast(builder.shl(biased, ir.Constant(word, 23)), ir.FloatType())

    return types.float32(types.int32), generate


# Random bits: Philox4x64-10 (Salmon et al., 2011)

_FACTORS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_STEPS = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)  # of the keys, by round


@in_parts
def _dropout_mask(
    mask,
    low,
    high,
    counter,
    threshold,
    kept,
    start,
    stop,
):
    """Blocks of 16 numbers of a flat mask; the last one may be shorter."""
    words = np.empty((64, 4), np.uint64)
    numbers = words.reshape(-1).view(np.uint16)
    zero, kept = mask.dtype.type(0), mask.dtype.type(kept)
    for first in range(start, stop, len(words)):
        for i in range(min(len(words), stop - first)):
            word = words[i]
            word[0], word[1], word[2], word[3] = _philox(first + i + 1, counter, low, high)
        own = mask[16 * first : 16 * min(first + len(words), stop)]
        for i in range(len(own)):
            own[i] = kept if numbers[i] >= threshold else zero


@helper
def _philox(number, counter, low, high):
    """The words (number, 0, counter, 0) encrypted under the key (low, high)."""
    a, b, c, d = np.uint64(number), np.uint64(0), counter, np.uint64(0)
    for _ in range(10):
        a, b, c, d = (
            _high(_FACTORS[1], c) ^ b ^ low,
            _FACTORS[1] * c,
            _high(_FACTORS[0], a) ^ d ^ high,
            _FACTORS[0] * a,
        )
        low += _STEPS[0]
        high += _STEPS[1]
    return a, b, c, d


@_intrinsic
def _high(typing: Any, a: Any, b: Any) -> Any:
    """The high word of the product of two words of 64 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = [builder.zext(value, ir.IntType(128)) for value in arguments]
        high = builder.lshr(builder.mul(*wide), ir.Constant(ir.IntType(128), 64))
        return builder.trunc(high, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


# The optimizers' rules over flat arrays: the operations of `Optimizer.rule` in their order. Slots
# that are not there have no elements; numbers are of the arrays' type.


@in_parts
def _sgd(w, g, m, lr, beta, nesterov, start, stop):
    w, g, m = w[start:stop], g[start:stop], m[start:stop]
    if not len(m):
        for i in range(len(w)):
            w[i] -= g[i] * lr
        return
    for i in range(len(w)):
        step = g[i] * lr
        m[i] = m[i] * beta - step
        w[i] += m[i] * beta - step if nesterov else m[i]


@in_parts
def _rmsprop(w, g, v, m, average, lr, beta, epsilon, rho, rest, start, stop):
    w, g, v = w[start:stop], g[start:stop], v[start:stop]
    m, average = m[start:stop], average[start:stop]
    moves, centers = len(m) > 0, len(average) > 0
    for i in range(len(w)):
        variance = v[i] * rho + g[i] * g[i] * rest
        v[i] = variance
        if centers:
            mean = average[i] * rho + g[i] * rest
            average[i] = mean
            variance -= mean * mean
        step = g[i] * lr / np.sqrt(variance + epsilon)
        if moves:
            step += m[i] * beta
            m[i] = step
        w[i] -= step


@in_parts
def _adam(w, g, m, v, largest, step, rest_1, rest_2, epsilon, start, stop):
    w, g, m = w[start:stop], g[start:stop], m[start:stop]
    v, largest = v[start:stop], largest[start:stop]
    keeps = len(largest) > 0
    for i in range(len(w)):
        m[i] += (g[i] - m[i]) * rest_1
        v[i] += (g[i] * g[i] - v[i]) * rest_2
        variance = v[i]
        if keeps:
            old = largest[i]
            variance = old if (variance <= old) | (old != old) else variance
            largest[i] = variance
        w[i] -= m[i] * step / (np.sqrt(variance) + epsilon)


# What Python calls: (tasks, borders, *arguments) -> whether all went well; see `in_parts`


@entry
def convolve(tasks, borders, *given):
    return _convolve(tasks, borders, given)


@entry
def gather(tasks, borders, *given):
    return _gather(tasks, borders, given)


@entry
def fold(tasks, borders, *given):
    return _fold(tasks, borders, given)


@entry
def multiply(tasks, borders, *given):
    return _multiply(tasks, borders, given)


@entry
def convolve_tiles(tasks, borders, *given):
    return _convolve_tiles(tasks, borders, given)


@entry
def gather_tiles(tasks, borders, *given):
    return _gather_tiles(tasks, borders, given)


@entry
def depthwise(tasks, borders, *given):
    return _depthwise(tasks, borders, given)


@entry
def max_pool(tasks, borders, *given):
    return _max_pool(tasks, borders, given)


@entry
def max_pool_grad(tasks, borders, *given):
    return _max_pool_grad(tasks, borders, given)


@entry
def bias_activation(tasks, borders, *given):
    return _bias_activation(tasks, borders, given)


@entry
def bias_activation_grad(tasks, borders, *given):
    return _bias_activation_grad(tasks, borders, given)


@entry
def softmax_crossentropy(tasks, borders, *given):
    return _softmax_crossentropy(tasks, borders, given)


@entry
def softmax_crossentropy_grad(tasks, borders, *given):
    return _softmax_crossentropy_grad(tasks, borders, given)


@entry
def scatter_rows(tasks, borders, *given):
    return _scatter_rows(tasks, borders, given)


@entry
def scale_rows(tasks, borders, *given):
    return _scale_rows(tasks, borders, given)


@entry
def combine_rows(tasks, borders, *given):
    return _combine_rows(tasks, borders, given)


@entry
def sum_products(tasks, borders, *given):
    return _sum_products(tasks, borders, given)


@entry
def lstm(tasks, borders, *given):
    return _lstm(tasks, borders, given)


@entry
def lstm_grad(tasks, borders, *given):
    return _lstm_grad(tasks, borders, given)


@entry
def dropout_mask(tasks, borders, *given):
    return _dropout_mask(tasks, borders, given)


@entry
def sgd(tasks, borders, *given):
    return _sgd(tasks, borders, given)


@entry
def rmsprop(tasks, borders, *given):
    return _rmsprop(tasks, borders, given)


@entry
def adam(tasks, borders, *given):
    return _adam(tasks, borders, given)
