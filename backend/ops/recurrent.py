"""Recurrent networks over whole sequences: one operation each, with its derivative through time.

Inside, arrays are time-major, (steps, batch, ...): what a step reads and writes lies together.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import primitive, remembered
from ..registry import backend_of, namespace, product
from .elementwise import floating, promote_all

__all__ = ["gru", "lstm"]


def lstm(
    inputs: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    initial_h: Any = None,
    initial_c: Any = None,
    go_backwards: bool = False,
    mask: Any = None,
) -> tuple:
    """All outputs, and the last output h and carry c, of an LSTM over sequences.

    `inputs` (batch, steps, features), `kernel` (features, 4 * units), `recurrent_kernel`
    (units, 4 * units), `bias` (4 * units,) or None; the gates in the order i, f, c, o.
    `initial_h`, `initial_c` (batch, units): zeros where None. `mask` (batch, steps): where it is
    False, h and c stay as they are; no such step where None. Results: (batch, steps, units), in the
    order of computing, from the last step on with `go_backwards`; (batch, units) twice.
    ValueError for other shapes (Hochreiter and Schmidhuber, 1997; forget gate: Gers et al., 2000).
    """
    return _lstm(inputs, kernel, recurrent_kernel, bias, initial_h, initial_c, mask, go_backwards)


@primitive
def _lstm(
    x: Any, w: Any, r: Any, b: Any, h0: Any, c0: Any, mask: Any, /, go_backwards: bool
) -> tuple:
    x, w, r, b, h0, c0 = _floats(x, w, r, b, h0, c0)
    _check_shapes("lstm", 4, x, w, r, mask, bias=b, initial_h=h0, initial_c=c0)
    backend, xp, units = backend_of(x), backend_of(x).xp, len(r)
    steps = _Steps(x, mask, go_backwards)
    x = steps.of_inputs(x)
    gates = backend.dense(x, w, b, "linear").reshape(*steps.shape, 4 * units)
    if steps.masked:
        gates[steps.left_out, :units] = -_SHUT  # i = 0 and f = 1: c stays
        gates[steps.left_out, units : 2 * units] = _SHUT
    h, c = (steps.states(start, units, gates.dtype) for start in (h0, c0))
    tanh_c = xp.empty((*steps.shape, units), gates.dtype)
    backend.lstm(gates, r, h, c, tanh_c)

    def backward(g_y: Any, g_h: Any, g_c: Any) -> tuple:
        """The gradients of all z, of h0 and of c0."""
        g_y, dh, of_first = steps.upstream(g_y, g_h, h)
        dc = xp.empty_like(c[0])
        dc[...] = 0 if g_c is None else g_c
        dz = backend.lstm_grad(g_y, dh, dc, gates, r, c, tanh_c)
        return dz.reshape(-1, 4 * units), dh + of_first, dc

    d = remembered(backward)
    return (
        (*steps.outputs(h), c[-1]),
        lambda *g: steps.inputs_grad(product(d(*g)[0], w.T)),
        lambda *g: product(x.T, d(*g)[0]),
        lambda *g: product(h[:-1].reshape(-1, units).T, d(*g)[0]),
        lambda *g: backend.sum_rows(d(*g)[0]),
        lambda *g: d(*g)[1],
        lambda *g: d(*g)[2],
    )


def gru(
    inputs: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    recurrent_bias: Any = None,
    initial_h: Any = None,
    go_backwards: bool = False,
    mask: Any = None,
) -> tuple:
    """All outputs, and the last one, of gated recurrent units over sequences.

    `inputs` (batch, steps, features), `kernel` (features, 3 * units), `recurrent_kernel`
    (units, 3 * units), `bias` and `recurrent_bias` (3 * units,) or None, of the inputs' part and of
    the state's; the gates in the order z, r, candidate, and r is applied after the product with
    the recurrent kernel. `initial_h` (batch, units): zeros where None. `mask` (batch, steps): where
    it is False, h stays as it is. Results: (batch, steps, units), in the order of computing, from
    the last step on with `go_backwards`; (batch, units). ValueError for other shapes (Cho et al.,
    2014; with the reset after the product: cuDNN's).
    """
    return _gru(
        inputs, kernel, recurrent_kernel, bias, recurrent_bias, initial_h, mask, go_backwards
    )


@primitive
def _gru(
    x: Any, w: Any, r: Any, b: Any, rb: Any, h0: Any, mask: Any, /, go_backwards: bool
) -> tuple:
    x, w, r, b, rb, h0 = _floats(x, w, r, b, rb, h0)
    _check_shapes("gru", 3, x, w, r, mask, bias=b, recurrent_bias=rb, initial_h=h0)
    backend, xp, units = backend_of(x), backend_of(x).xp, len(r)
    steps = _Steps(x, mask, go_backwards)
    x = steps.of_inputs(x)
    gates = backend.dense(x, w, b, "linear").reshape(*steps.shape, 3 * units)
    h = steps.states(h0, units, gates.dtype)
    inner = xp.empty((*steps.shape, units), gates.dtype)
    backend.gru(gates, r, rb, h, inner)

    def backward(g_y: Any, g_h: Any) -> tuple:
        """The gradients of what the inputs and of what the state give to the gates, and of h0."""
        g_y, dh, of_first = steps.upstream(g_y, g_h, h)
        da, ds = backend.gru_grad(g_y, dh, gates, r, h, inner)
        return da.reshape(-1, 3 * units), ds.reshape(-1, 3 * units), dh + of_first

    d = remembered(backward)
    return (
        steps.outputs(h),
        lambda *g: steps.inputs_grad(product(d(*g)[0], w.T)),
        lambda *g: product(x.T, d(*g)[0]),
        lambda *g: product(h[:-1].reshape(-1, units).T, d(*g)[1]),
        lambda *g: backend.sum_rows(d(*g)[0]),
        lambda *g: backend.sum_rows(d(*g)[1]),
        lambda *g: d(*g)[2],
    )


_SHUT = 1e4  # what makes a sigmoid 0 or 1, in half precision too


class _Steps:
    """The steps of a batch in the order of computing, those that a mask leaves out at the end.

    There they can do no harm: what they compute is read by nobody. Where a step was left out, the
    output is that of the last step before it which was not.
    """

    def __init__(self, x: Any, mask: Any, go_backwards: bool):
        self.xp, self.backend, self.masked = namespace(x), backend_of(x), mask is not None
        self.order = slice(None, None, -1 if go_backwards else 1)
        batch, steps, self.features = x.shape
        self.shape = (steps, batch)
        if mask is not None:
            kept = mask.astype(bool).T[self.order]
            self.turn = (~kept).astype("int8").argsort(axis=0, kind="stable")
            self.samples = self.xp.arange(batch)
            self.left_out = ~kept[self.turn, self.samples]
            self.done = kept.cumsum(axis=0)  # how many steps were computed by then

    def of_inputs(self, x: Any) -> Any:
        """Inputs (batch, steps, features) as (steps * batch, features)."""
        x = x.swapaxes(0, 1)[self.order]
        if self.masked:
            x = x[self.turn, self.samples]
            x[self.left_out] = 0  # whatever stands there
        return self.xp.ascontiguousarray(x).reshape(-1, self.features)

    def inputs_grad(self, g: Any) -> Any:
        """The adjoint of `of_inputs`."""
        g = g.reshape(*self.shape, self.features)
        if self.masked:
            g = g[self.turn.argsort(axis=0), self.samples]
        return g[self.order].swapaxes(0, 1)

    def states(self, start: Any, units: int, dtype: Any) -> Any:
        """Room for a state before and after each step, (steps + 1, batch, units)."""
        steps, batch = self.shape
        states = self.xp.empty((steps + 1, batch, units), dtype)
        states[0] = 0 if start is None else start
        return states

    def outputs(self, h: Any) -> tuple:
        """All outputs (batch, steps, units) and the last one, of the state h."""
        if not self.masked or not len(self.done):
            return h[1:].swapaxes(0, 1), h[-1]
        y = h[self.done, self.samples]
        return y.swapaxes(0, 1), y[-1]

    def upstream(self, g_y: Any, g_last: Any, h: Any) -> tuple:
        """The adjoint of `outputs`: gradients of h after each step (or None), of the last, of h0.

        The gradient of the last h is an array of its own, to be written into.
        """
        xp, dh = self.xp, self.xp.zeros_like(h[0])
        if not self.masked or not len(self.done):
            dh[...] = 0 if g_last is None else g_last
            return g_y if g_y is None else xp.ascontiguousarray(g_y.swapaxes(0, 1)), dh, 0
        g = xp.zeros((*self.shape, h.shape[-1]), h.dtype)
        g[...] = 0 if g_y is None else g_y.swapaxes(0, 1)
        g[-1] += 0 if g_last is None else g_last
        g = self.backend.scatter_add(h, (self.done, self.samples), g)
        return g[1:], dh, g[0]


def _floats(*xs: Any) -> tuple:
    """The arrays as floats of one size; None stays."""
    given = iter(promote_all(tuple(floating(x) for x in xs if x is not None)))
    return tuple(None if x is None else next(given) for x in xs)


def _check_shapes(name: str, gates: int, x: Any, w: Any, r: Any, mask: Any, **others: Any) -> None:
    """ValueError for an array that does not fit the inputs' and the recurrent kernel's shape."""
    units = r.shape[0] if r.ndim else 0
    batch = x.shape[0] if x.ndim else 0
    size = gates * units
    expected = [
        ("inputs", x, "(batch, steps, features)", x.ndim == 3),
        ("recurrent_kernel", r, f"(units, {gates} * units)", r.shape == (units, size)),
        ("kernel", w, f"(features, {gates} * units)", w.shape == (*x.shape[-1:], size)),
        ("mask", mask, "(batch, steps)", mask is None or mask.shape == x.shape[:2]),
    ]
    for key, array in others.items():
        is_state = key.startswith("initial")
        shape = (batch, units) if is_state else (size,)
        form = "(batch, units)" if is_state else f"({gates} * units,)"
        expected.append((key, array, form, array is None or array.shape == shape))
    for key, array, form, fits in expected:
        if not fits:
            raise ValueError(
                f"{name} expects `{key}` of shape {form}; received {array.shape}, with inputs of "
                f"shape {x.shape} and a recurrent_kernel of shape {r.shape}."
            )
