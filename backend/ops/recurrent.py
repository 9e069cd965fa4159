"""Recurrent networks over whole sequences: one operation each, with its derivative through time.

Inside, arrays are time-major, (steps, batch, ...): what a step reads and writes lies together.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import primitive, remembered
from ..registry import backend_of, product
from .elementwise import floating, promote_all

__all__ = ["lstm"]


def lstm(
    inputs: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    initial_h: Any = None,
    initial_c: Any = None,
    go_backwards: bool = False,
) -> tuple:
    """All outputs, and the last output h and carry c, of an LSTM over sequences.

    `inputs` (batch, steps, features), `kernel` (features, 4 * units), `recurrent_kernel`
    (units, 4 * units), `bias` (4 * units,) or None; the gates in the order i, f, c, o.
    `initial_h`, `initial_c` (batch, units): zeros where None. Results: (batch, steps, units), in
    the order of computing, from the last step on with `go_backwards`; (batch, units) twice.
    ValueError for other shapes (Hochreiter and Schmidhuber, 1997; forget gate: Gers et al., 2000).
    """
    return _lstm(
        inputs, kernel, recurrent_kernel, bias, initial_h, initial_c, go_backwards=go_backwards
    )


@primitive
def _lstm(x: Any, w: Any, r: Any, b: Any, h0: Any, c0: Any, /, go_backwards: bool) -> tuple:
    x, w, r, b, h0, c0 = _floats(x, w, r, b, h0, c0)
    _check_shapes(x, w, r, b, h0, c0)
    backend, xp = backend_of(x), backend_of(x).xp
    (batch, steps, features), units = x.shape, len(r)
    order = slice(None, None, -1 if go_backwards else 1)
    x = xp.ascontiguousarray(x.swapaxes(0, 1)[order]).reshape(steps * batch, features)
    gates = backend.dense(x, w, b, "linear").reshape(steps, batch, 4 * units)
    h, c = (xp.empty((steps + 1, batch, units), gates.dtype) for _ in range(2))
    h[0], c[0] = (0 if start is None else start for start in (h0, c0))
    tanh_c = xp.empty((steps, batch, units), gates.dtype)
    backend.lstm(gates, r, h, c, tanh_c)

    def backward(g_y: Any, g_h: Any, g_c: Any) -> tuple:
        """The gradients of all z, of h0 and of c0."""
        dh, dc = (xp.empty_like(c[0]) for _ in range(2))
        dh[...], dc[...] = (0 if g is None else g for g in (g_h, g_c))
        g_y = g_y if g_y is None else xp.ascontiguousarray(g_y.swapaxes(0, 1))
        dz = backend.lstm_grad(g_y, dh, dc, gates, r, c, tanh_c)
        return dz.reshape(-1, 4 * units), dh, dc

    d = remembered(backward)
    return (
        (h[1:].swapaxes(0, 1), h[-1], c[-1]),
        lambda *g: product(d(*g)[0], w.T).reshape(steps, batch, features)[order].swapaxes(0, 1),
        lambda *g: product(x.T, d(*g)[0]),
        lambda *g: product(h[:-1].reshape(-1, units).T, d(*g)[0]),
        lambda *g: backend.sum_rows(d(*g)[0]),
        lambda *g: d(*g)[1],
        lambda *g: d(*g)[2],
    )


def _floats(*xs: Any) -> tuple:
    """The arrays as floats of one size; None stays."""
    given = iter(promote_all(tuple(floating(x) for x in xs if x is not None)))
    return tuple(None if x is None else next(given) for x in xs)


def _check_shapes(x: Any, w: Any, r: Any, b: Any, h0: Any, c0: Any) -> None:
    units = r.shape[0] if r.ndim else 0
    state = (x.shape[0] if x.ndim else 0, units)
    expected = [
        ("inputs", x, "(batch, steps, features)", x.ndim == 3),
        ("recurrent_kernel", r, "(units, 4 * units)", r.shape == (units, 4 * units)),
        ("kernel", w, "(features, 4 * units)", w.shape == (*x.shape[-1:], 4 * units)),
        ("bias", b, "(4 * units,)", b is None or b.shape == (4 * units,)),
        ("initial_h", h0, "(batch, units)", h0 is None or h0.shape == state),
        ("initial_c", c0, "(batch, units)", c0 is None or c0.shape == state),
    ]
    for name, array, shape, fits in expected:
        if not fits:
            raise ValueError(
                f"lstm expects `{name}` of shape {shape}; received {array.shape}, with inputs of "
                f"shape {x.shape} and a recurrent_kernel of shape {r.shape}."
            )
