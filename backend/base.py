"""The Backend: an array module and the few kernels that it cannot say in one call.

This class is complete: written over an array module `xp`, it is the reference that every backend
is tested against. A subclass sets `name`, `xp` and `array_type`, and overrides what it can beat.
Kernels take and return raw arrays; images are (batch, *spatial, channels), kernels
(*window, channels / groups, filters). Gradient rules live in `ops` and, of activations that are
told from their value, in `by_value`; here are the adjoints and fused passes that they ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from .by_value import BY_VALUE


class Backend:
    """One place to compute: an array module, transfers, and reference kernels over both."""

    name: str
    xp: Any
    array_type: type[Any]
    float_types: tuple[str, ...] = ("float16", "float32", "float64")  # that its kernels know
    updates_flat = False  # whether optimizers had better update all variables as one flat array
    fuses_updates = False  # or ask `fused_update` for each
    emulated_floats: frozenset[str] = frozenset()  # halves that it computes with in float32
    can_replay = False  # whether `new_graph` records work, to be done again without Python

    def asarray(self, x: Any, dtype: Any = None) -> Any:
        """`x` as an array of this backend, copied only where it must be.

        `x`: numbers in lists, an array of NumPy or of any other backend.
        """
        if not isinstance(x, (self.array_type, np.ndarray, np.generic)):
            from .registry import backend_of, is_array  # which imports this module

            x = backend_of(x).to_numpy(x) if is_array(x) else x
        return self.xp.asarray(x, dtype=dtype)

    def constant(self, x: np.ndarray) -> Any:
        """`x`, a small array of the host that is always the same, on this backend; read only.

        A device gets it once and keeps it: steps that are to be captured may not transfer.
        """
        return self.asarray(x)

    def to_numpy(self, array: Any) -> np.ndarray:
        """`array` in the host's memory as a NumPy array."""
        raise NotImplementedError

    def memory_info(self) -> dict[str, int]:
        """Bytes: `used` by arrays, `pooled` (held for arrays, used or not), device `free`, `total`.

        NotImplementedError for a backend that cannot tell.
        """
        raise NotImplementedError(f"The backend '{self.name}' does not say how much memory it has.")

    def free_memory(self) -> None:
        """Give memory that no array uses back to the device; a backend without a pool has none."""

    def feeder(
        self, arrays: list[np.ndarray], batch_size: int
    ) -> Callable[[Any], Iterator[list[Any]]]:
        """What gives the batches of one epoch after another: a function of the order of the rows.

        `arrays`: on the host, of one length. The order is an array of row numbers, or None for the
        rows as they lie. A batch is a list of arrays of this backend, which are never written to
        again; the last one has the rows that are left. A backend may read `arrays` only once:
        what is changed in them after the first epoch began need not be seen.
        """

        def epoch(order: Any) -> Iterator[list[Any]]:
            for rows in batch_rows(len(arrays[0]), batch_size, order):
                yield [self.asarray(a[rows]) for a in arrays]

        return epoch

    def new_graph(self) -> Any:
        """An empty graph, see `cupy_graph`. NotImplementedError unless `can_replay`."""
        raise NotImplementedError(f"The backend '{self.name}' cannot record work and replay it.")

    def scatter_add(self, like: Any, index: Any, updates: Any) -> Any:
        """Zeros in the shape of `like` plus `updates` at `index`: the adjoint of `like[index]`."""
        out = self.xp.zeros(like.shape, dtype=updates.dtype)
        self.xp.add.at(out, index, updates)
        return out

    def matmul(self, a: Any, b: Any, out: Any = None) -> Any:
        """The product of matrices (..., m, k) and (..., k, n): (..., m, n); of `xp.matmul`'s dtype.

        Earlier axes broadcast; a vector counts as one row on the left, one column on the right.
        `out`: a C-contiguous array of the result's shape and dtype, to be written and returned.
        """
        return self.xp.matmul(a, b, out=out)

    # Convolutions over any number of spatial axes. `strides` and `dilation` have one int per
    # axis, `pads` a pair (before, after), which may be negative: then cells are cut off.

    def conv(
        self, x: Any, w: Any, strides: tuple, pads: tuple, dilation: tuple, groups: int
    ) -> Any:
        """Images `x` convolved with the kernel `w`: (batch, *output sizes, filters)."""
        x = pad(self.xp, x, pads)
        windows = self._windows(x, w.shape[:-2], strides, dilation)
        size = windows.shape[: x.ndim - 1]
        rows = self._grouped_rows(windows, x.ndim - 1, groups)
        y = self.matmul(rows, self._grouped_kernel(w, groups))
        return y.swapaxes(0, 1).reshape(*size, w.shape[-1])

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
        """The adjoint of `conv` in its images, of `shape`: each cell of `g` adds its kernel."""
        window, depth = w.shape[:-2], w.shape[-2]
        rows = self._grouped_rows(g, g.ndim - 1, groups)
        rows = self.matmul(rows, self._grouped_kernel(w, groups).swapaxes(1, 2))
        cells = rows.reshape(groups, *g.shape[:-1], *window, depth)
        cells = self.xp.moveaxis(cells, 0, -2).reshape(*g.shape[:-1], *window, shape[-1])
        x = self.xp.zeros(padded_shape(shape, pads), rows.dtype)
        for position, seen in window_slices(window, g.shape[1:-1], strides, dilation):
            x[seen] += cells[(..., *position, slice(None))]
        return unpad(self.xp, x, shape, pads)

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
        """The adjoint of `conv` in its kernel, of `shape`: what each weight met, times `g`."""
        x = pad(self.xp, x, pads)
        windows = self._windows(x, shape[:-2], strides, dilation)
        rows = self._grouped_rows(windows, x.ndim - 1, groups)
        w = self.matmul(rows.swapaxes(1, 2), self._grouped_rows(g, g.ndim - 1, groups))
        return self.xp.moveaxis(w, 0, 1).reshape(shape)

    def _windows(self, x: Any, window: tuple, strides: tuple, dilation: tuple) -> Any:
        """A view of padded images, (batch, *output sizes, *window, channels)."""
        rank = len(window)
        reach = tuple((k - 1) * d + 1 for k, d in zip(window, dilation, strict=True))
        view = self.xp.lib.stride_tricks.sliding_window_view(x, reach, tuple(range(1, rank + 1)))
        steps = [slice(None, None, s) for s in strides]
        cells = [slice(None, None, d) for d in dilation]
        return self.xp.moveaxis(view[(slice(None), *steps, slice(None), *cells)], rank + 1, -1)

    def _grouped_rows(self, x: Any, outer: int, groups: int) -> Any:
        """`x` as (groups, rows, columns): its first `outer` axes are rows, its last is split."""
        x = x.reshape(prod(x.shape[:outer]), *x.shape[outer:-1], groups, x.shape[-1] // groups)
        x = self.xp.moveaxis(x, -2, 0)
        return x.reshape(groups, x.shape[1], prod(x.shape[2:]))

    def _grouped_kernel(self, w: Any, groups: int) -> Any:
        """The kernel as (groups, window cells * channels / groups, filters / groups)."""
        matrix = w.reshape(prod(w.shape[:-1]), groups, w.shape[-1] // groups)
        return self.xp.moveaxis(matrix, 1, 0)

    # Pooling: `window`, `strides` and `pads` as above.

    def max_pool(self, x: Any, window: tuple, strides: tuple, pads: tuple) -> tuple[Any, Any]:
        """The largest cell of each window, and which one it was: the first of equal ones."""
        xp = self.xp
        sizes, dilation = _output_sizes(x.shape, window, strides, pads), (1,) * len(window)
        x = pad(xp, x, pads, -np.inf)
        (_, seen), *others = window_slices(window, sizes, strides, dilation)
        y = x[seen].copy()
        winner = xp.zeros(y.shape, "uint8" if len(others) < 256 else "int32")
        for index, (_, seen) in enumerate(others, start=1):
            cell = x[seen]
            xp.maximum(winner, (cell > y) * winner.dtype.type(index), out=winner)
            xp.maximum(y, cell, out=y)
        return y, winner

    def max_pool_grad(
        self, g: Any, winner: Any, shape: tuple, window: tuple, strides: tuple, pads: tuple
    ) -> Any:
        """The adjoint of `max_pool`: `g` goes to the cell that won."""
        x = self.xp.zeros(padded_shape(shape, pads), g.dtype)
        slices = window_slices(window, g.shape[1:-1], strides, (1,) * len(window))
        for index, (_, seen) in enumerate(slices):
            x[seen] += self.xp.where(winner == index, g, g.dtype.type(0))
        return unpad(self.xp, x, shape, pads)

    def sum_pool(self, x: Any, window: tuple, strides: tuple, pads: tuple) -> Any:
        """The sum of each window's cells; padded cells are zero."""
        sizes = _output_sizes(x.shape, window, strides, pads)
        x = pad(self.xp, x, pads)
        (_, seen), *others = window_slices(window, sizes, strides, (1,) * len(window))
        y = x[seen].copy()
        for _, seen in others:
            y += x[seen]
        return y

    def sum_pool_grad(
        self, g: Any, shape: tuple, window: tuple, strides: tuple, pads: tuple
    ) -> Any:
        """The adjoint of `sum_pool`: `g` goes to every cell of its window."""
        x = self.xp.zeros(padded_shape(shape, pads), g.dtype)
        for _, seen in window_slices(window, g.shape[1:-1], strides, (1,) * len(window)):
            x[seen] += g
        return unpad(self.xp, x, shape, pads)

    def dropout_mask(self, key: tuple, shape: tuple, rate: float, dtype: Any) -> Any:
        """Zeros with probability `rate`, else 1 / (1 - rate): a pure function of its arguments.

        `key`: three words of 64 bits, the low and the high one of a seed, and a counter: see
        `random.draw_key`. The bits are Philox4x64-10 (Salmon et al., 2011) under the seed; block
        b = 0, 1, ... encrypts the words (b + 1, 0, counter, 0). Element i, in C order, reads the
        i-th 16-bit number of the stream, the low bits of a word first, and is zero where that
        number is less than round(rate * 65536).
        """
        size = prod(shape)
        low, high, counter = key
        bits = np.random.Philox(key=low + (high << 64), counter=counter << 128)
        words = bits.random_raw(-(-size // 4)).astype("<u8", copy=False)
        kept = words.view("<u2")[:size].reshape(shape) >= round(rate * 65536)
        return self.asarray(np.multiply(kept, np.dtype(dtype).type(1 / (1 - rate)), dtype=dtype))

    # Fused: what would be several passes over the same arrays.

    def bias_activation(self, x: Any, bias: Any, activation: str, out: Any = None) -> Any:
        """activation(x + bias) for a bias along the last axis, or None; see `BY_VALUE`.

        `out`: where to write it, an array like x; may be x itself.
        """
        out = self.xp.empty_like(x) if out is None else out
        z = x if bias is None else self.xp.add(x, bias, out=out)
        return BY_VALUE[activation].value(self.xp, z, out)

    def bias_activation_grad(self, g: Any, y: Any, activation: str) -> Any:
        """`g` times the derivative of the activation where its value is `y`."""
        if activation == "linear":
            return g
        return BY_VALUE[activation].slope(self.xp, g, y, self.xp.empty_like(y))

    def dense(self, x: Any, w: Any, bias: Any, activation: str) -> Any:
        """activation(x @ w + bias) of matrices (rows, features) and (features, units)."""
        y = self.matmul(x, w)
        return self.bias_activation(y, bias, activation, out=y)

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
        """activation(conv + bias), a bias for each filter or None; see `conv`."""
        y = self.conv(x, w, strides, pads, dilation, groups)
        return self.bias_activation(y, bias, activation, out=y)

    def sum_rows(self, x: Any) -> Any:
        """The sum over all axes but the last; halves are added up in float32."""
        rows = x.reshape(-1, x.shape[-1])
        if x.dtype.itemsize > 2:
            return rows.sum(axis=0)
        return rows.sum(axis=0, dtype="float32").astype(x.dtype)

    def sum_products(self, x: Any, y: Any) -> Any:
        """The sum of x * y over all axes but the last, of arrays of one shape and no halves."""
        return self.sum_rows(x * y)

    def scale_rows(self, x: Any, a: Any, b: Any, out: Any = None) -> Any:
        """x * a + b, with one number a and b for each entry of the last axis."""
        y = self.xp.multiply(x, a, out=out)
        y += b
        return y

    def combine_rows(self, x: Any, a: Any, y: Any, b: Any, c: Any, out: Any = None) -> Any:
        """x * a + y * b + c, with one number a, b and c for each entry of the last axis."""
        z = self.xp.multiply(x, a, out=out)
        z += y * b
        z += c
        return z

    def softmax_crossentropy(self, logits: Any, target: Any) -> tuple[Any, Any]:
        """Loss (rows,) and probabilities of logits (rows, classes).

        `target`: class numbers (rows,) of an integer type, or distributions like the logits.
        """
        z = logits - logits.max(axis=-1, keepdims=True)
        log_p = z - self.xp.log(self.xp.exp(z).sum(axis=-1, keepdims=True))
        return -(self._distribution(target, log_p) * log_p).sum(axis=-1), self.xp.exp(log_p)

    def softmax_crossentropy_grad(self, g: Any, p: Any, target: Any) -> Any:
        """The adjoint of the loss in the logits, for `g` (rows,) and the probabilities `p`."""
        t = self._distribution(target, p)
        return (p * t.sum(axis=-1, keepdims=True) - t) * g[:, None]

    def _distribution(self, target: Any, like: Any) -> Any:
        if target.ndim == 1:
            target = target[:, None] == self.xp.arange(like.shape[-1])
        return target.astype(like.dtype)

    # Recurrent: arrays are time-major, gates i, f, g, o side by side: σ, σ, tanh, σ of
    # z = x w + h' r + b; c = f c' + i g; h = o tanh(c).

    def lstm(self, gates: Any, r: Any, h: Any, c: Any, tanh_c: Any) -> None:
        """An LSTM over all steps, in place.

        `gates` (steps, batch, 4 * units): x w + b, which become the gates. `r` (units, 4 * units).
        `h`, `c` (steps + 1, batch, units): the first of each is where it starts. `tanh_c`
        (steps, batch, units): tanh of all c but the first.
        """
        xp, sigmoid = self.xp, BY_VALUE["sigmoid"].value
        z = xp.empty(gates.shape[1:], gates.dtype)
        for t in range(len(gates)):
            a = gates[t]
            a += self.matmul(h[t], r, out=z)
            i, f, g, o = _gates(a)
            xp.tanh(g, out=h[t + 1])  # kept there, for one sigmoid of all four is faster than two
            sigmoid(xp, a, a)
            g[...] = h[t + 1]
            xp.multiply(f, c[t], out=c[t + 1])
            c[t + 1] += xp.multiply(i, g, out=h[t + 1])
            xp.tanh(c[t + 1], out=tanh_c[t])
            xp.multiply(o, tanh_c[t], out=h[t + 1])

    def lstm_grad(self, g_y: Any, dh: Any, dc: Any, gates: Any, r: Any, c: Any, tanh_c: Any) -> Any:
        """The gradient of all z, back through time, of what `lstm` left in its arrays.

        `g_y` (steps, batch, units): the upstream gradient of all h but the first, or None. `dh`,
        `dc` (batch, units): those of the last h and c, which become those of the first.
        """
        xp = self.xp
        dz, slope, s = xp.empty_like(gates), xp.empty_like(gates[:1])[0], xp.empty_like(dc)
        for t in reversed(range(len(gates))):
            if g_y is not None:
                dh += g_y[t]
            (i, f, g, o), (di, df, dg, do) = _gates(gates[t]), _gates(dz[t])
            xp.multiply(dh, tanh_c[t], out=do)
            _one_minus_square(xp, tanh_c[t], s)
            s *= o
            s *= dh
            dc += s  # dh o (1 - tanh²)
            xp.multiply(dc, g, out=di)
            xp.multiply(dc, c[t], out=df)
            xp.multiply(dc, i, out=dg)
            dc *= f
            xp.subtract(1, gates[t], out=slope)
            slope *= gates[t]  # of the sigmoid, a (1 - a)
            _one_minus_square(xp, g, _gates(slope)[2])
            dz[t] *= slope
            self.matmul(dz[t], r.T, out=dh)
        return dz

    # Gates z, r, n side by side: σ and σ of a + s, and tanh of a + r s, where a comes from the
    # inputs and s from the state; h = z h' + (1 - z) n.

    def gru(self, gates: Any, r: Any, bias: Any, h: Any, inner: Any) -> None:
        """Gated recurrent units over all steps, in place.

        `gates` (steps, batch, 3 * units): x w + b, which become the gates. `r` (units, 3 * units),
        `bias` (3 * units,) or None: of the state. `h` (steps + 1, batch, units): the first is where
        it starts. `inner` (steps, batch, units): the candidate's part of s.
        """
        xp, sigmoid, units = self.xp, BY_VALUE["sigmoid"].value, len(r)
        s = xp.empty(gates.shape[1:], gates.dtype)
        for t in range(len(gates)):
            a, n = gates[t, :, : 2 * units], gates[t, :, 2 * units :]
            self.matmul(h[t], r, out=s)
            if bias is not None:
                s += bias
            inner[t] = s[:, 2 * units :]
            a += s[:, : 2 * units]
            sigmoid(xp, a, a)
            n += xp.multiply(a[:, units:], inner[t], out=h[t + 1])
            xp.tanh(n, out=n)
            xp.subtract(h[t], n, out=h[t + 1])
            h[t + 1] *= a[:, :units]
            h[t + 1] += n

    def gru_grad(self, g_y: Any, dh: Any, gates: Any, r: Any, h: Any, inner: Any) -> tuple:
        """The gradients of all a and all s, back through time, of what `gru` left in its arrays.

        `g_y` (steps, batch, units): the upstream gradient of all h but the first, or None. `dh`
        (batch, units): that of the last h, which becomes that of the first.
        """
        xp, units = self.xp, len(r)
        da, ds = xp.empty_like(gates), xp.empty_like(gates)
        slope = xp.empty_like(gates[:1, :, : 2 * units])[0]
        for t in reversed(range(len(gates))):
            if g_y is not None:
                dh += g_y[t]
            z, r_gate, n = (gates[t, :, k * units : (k + 1) * units] for k in range(3))
            dz, dr, dn = (da[t, :, k * units : (k + 1) * units] for k in range(3))
            _one_minus_square(xp, n, dn)
            dn *= xp.subtract(1, z, out=dz)
            dn *= dh
            xp.subtract(h[t], n, out=dz)
            dz *= dh
            xp.multiply(dn, inner[t], out=dr)
            both = gates[t, :, : 2 * units]
            xp.subtract(1, both, out=slope)
            slope *= both  # of the sigmoid
            da[t, :, : 2 * units] *= slope
            ds[t] = da[t]
            ds[t, :, 2 * units :] *= r_gate
            dh *= z
            dh += self.matmul(ds[t], r.T)
        return da, ds

    def in_pieces(self, function: Callable[..., None], *arrays: Any) -> None:
        """Run `function(*arrays)`, which writes in place and treats each element alone.

        Arrays of one shape; a backend may cut them all in the same way, and run piece by piece.
        """
        function(*arrays)

    def fused_update(self, rule: str, arrays: dict[str, Any], numbers: dict[str, float]) -> bool:
        """Update arrays in place by the optimizer's rule `rule`, in one pass.

        False, and nothing done, where there is no such kernel: then the rule itself is the way.
        """
        return False


def _gates(z: Any) -> tuple:
    """The gates i, f, g, o of rows of all four."""
    n = z.shape[1] // 4
    return z[:, :n], z[:, n : 2 * n], z[:, 2 * n : 3 * n], z[:, 3 * n :]


def _one_minus_square(xp: Any, y: Any, out: Any) -> None:
    """The slope of tanh where its value is `y`."""
    xp.multiply(y, y, out=out)
    xp.subtract(1, out, out=out)


def batch_rows(size: int, batch_size: int, order: Any = None) -> Iterator[Any]:
    """For each batch of `size` rows a slice, or of the rows in an `order` the next part of it."""
    size = size if order is None else len(order)
    for start in range(0, size, batch_size):
        rows = slice(start, min(start + batch_size, size))
        yield rows if order is None else order[rows]


def output_size(n: int, k: int, stride: int, pad: tuple[int, int], dilation: int) -> int:
    """How many windows of `k` cells fit on an axis of `n`."""
    return (n + pad[0] + pad[1] - (k - 1) * dilation - 1) // stride + 1


def window_slices(
    window: tuple, sizes: tuple, strides: tuple, dilation: tuple
) -> Iterator[tuple[tuple[int, ...], tuple]]:
    """For each position in the window, the index of the cells that all windows see there."""
    for position in np.ndindex(*window):
        starts = [p * d for p, d in zip(position, dilation, strict=True)]
        yield (
            position,
            (
                slice(None),
                *(
                    slice(start, start + (n - 1) * s + 1, s)
                    for start, n, s in zip(starts, sizes, strides, strict=True)
                ),
            ),
        )


def pad(xp: Any, x: Any, pads: tuple, value: float = 0) -> Any:
    """Images with cells of `value` added (or, where negative, cut off) around spatial axes."""
    if not any(map(any, pads)):
        return x
    padded = xp.full(padded_shape(x.shape, pads), value, x.dtype)
    inside, kept = overlap(x.shape, pads)
    padded[inside] = x[kept]
    return padded


def unpad(xp: Any, x: Any, shape: tuple, pads: tuple) -> Any:
    """The adjoint of `pad`: images of `shape` again, with zeros where cells had been cut off."""
    if not any(map(any, pads)):
        return x
    inside, kept = overlap(shape, pads)
    if min(map(min, pads)) >= 0:
        return x[inside]
    whole = xp.zeros(shape, x.dtype)
    whole[kept] = x[inside]
    return whole


def padded_shape(shape: tuple, pads: tuple) -> tuple[int, ...]:
    """The shape of images of `shape` after `pad`."""
    sizes = (n + before + after for n, (before, after) in zip(shape[1:-1], pads, strict=True))
    return (shape[0], *sizes, shape[-1])


def overlap(shape: tuple, pads: tuple) -> tuple[tuple, tuple]:
    """Where padded images hold cells of the images, and which cells those are."""
    inside, kept = [slice(None)], [slice(None)]
    for n, (before, after) in zip(shape[1:-1], pads, strict=True):
        start, stop = max(0, -before), n + min(0, after)
        kept.append(slice(start, stop))
        inside.append(slice(start + before, stop + before))
    return tuple(inside), tuple(kept)


def _output_sizes(shape: tuple, window: tuple, strides: tuple, pads: tuple) -> tuple[int, ...]:
    ones = (1,) * len(window)
    return tuple(map(output_size, shape[1:-1], window, strides, pads, ones))
