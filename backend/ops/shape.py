"""Operations that move elements without computing, and the creation of new tensors.

New tensors are born on the default backend, in `floatx()` where no dtype is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..allowance import check_parts, check_sample
from ..autodiff import Tensor, as_operand, convert_to_tensor, primitive, raise_if_tracked
from ..base import Backend
from ..config import floatx
from ..registry import backend_of, default_backend, namespace
from . import reductions
from .elementwise import add, cast, promote_all
from .indexing import getitem, take, take_along_axis

__all__ = [
    "arange",
    "argsort",
    "broadcast_to",
    "concatenate",
    "copy",
    "diag",
    "diagonal",
    "expand_dims",
    "eye",
    "flip",
    "full",
    "full_like",
    "identity",
    "linspace",
    "moveaxis",
    "ndim",
    "ones",
    "ones_like",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "shape",
    "size",
    "sort",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "top_k",
    "trace",
    "transpose",
    "tril",
    "triu",
    "unstack",
    "view",
    "zeros",
    "zeros_like",
]

Shape = int | Sequence[int]


def shape(x: Any) -> tuple[int, ...]:
    """The lengths of the axes."""
    return tuple(convert_to_tensor(x).shape)


def ndim(x: Any) -> int:
    """The number of axes."""
    return convert_to_tensor(x).ndim


def size(x: Any) -> int:
    """The number of elements."""
    return convert_to_tensor(x).size


@primitive
def copy(x: Any, /) -> tuple:
    """x in memory of its own."""
    return x.copy(), lambda g: g


@primitive
def view(x: Any, /, dtype: Any = None) -> tuple:
    """The bytes of x read as another dtype, the last axis as long as they need; no derivative."""
    x = x if x.flags.c_contiguous else x.copy()
    return (x if dtype is None else x.view(dtype),)


# The same elements in another shape


@primitive
def reshape(x: Any, /, newshape: Shape) -> tuple:
    """x in the shape `newshape`; one length may be -1 and is computed."""
    return x.reshape(newshape), lambda g: g.reshape(x.shape)


@primitive
def ravel(x: Any, /) -> tuple:
    """x as a vector."""
    return x.reshape(-1), lambda g: g.reshape(x.shape)


@primitive
def expand_dims(x: Any, /, axis: Shape) -> tuple:
    """x with a new axis of length 1 at position `axis` of the result, or several."""
    return namespace(x).expand_dims(x, axis), lambda g: g.reshape(x.shape)


@primitive
def squeeze(x: Any, /, axis: Shape | None = None) -> tuple:
    """x without the axes of length 1, or without those of them in `axis`."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    return x.squeeze(axis), lambda g: g.reshape(x.shape)


@primitive
def broadcast_to(x: Any, /, shape: Shape) -> tuple:
    """x repeated along missing axes and axes of length 1 until it has the shape."""
    check_sample(shape, x.dtype)
    return namespace(x).broadcast_to(x, shape), lambda g: g  # the engine undoes broadcasting


# Another order of axes or elements


@primitive
def transpose(x: Any, /, axes: Sequence[int] | None = None) -> tuple:
    """x with its axes in the order `axes`; reversed for None."""
    if axes is None:
        return x.transpose(), lambda g: g.transpose()
    order = [axis % x.ndim for axis in axes]
    inverse = sorted(range(x.ndim), key=order.__getitem__)
    return x.transpose(axes), lambda g: g.transpose(inverse)


@primitive
def swapaxes(x: Any, /, axis1: int, axis2: int) -> tuple:
    """x with two axes exchanged."""
    return x.swapaxes(axis1, axis2), lambda g: g.swapaxes(axis1, axis2)


@primitive
def moveaxis(x: Any, /, source: Shape, destination: Shape) -> tuple:
    """x with the axes `source` moved to the positions `destination`."""
    xp = namespace(x)
    return xp.moveaxis(x, source, destination), lambda g: xp.moveaxis(g, destination, source)


@primitive
def flip(x: Any, /, axis: Shape | None = None) -> tuple:
    """x with its elements in reverse order along `axis`; along all for None."""
    xp = namespace(x)
    return xp.flip(x, axis), lambda g: xp.flip(g, axis)


@primitive
def roll(x: Any, /, shift: Shape, axis: Shape | None = None) -> tuple:
    """x shifted along `axis`; what falls off the end comes back at the start."""
    xp = namespace(x)
    back = -shift if isinstance(shift, int) else tuple(-n for n in shift)
    return xp.roll(x, shift, axis), lambda g: xp.roll(g, back, axis)


@primitive
def tril(x: Any, /, k: int = 0) -> tuple:
    """The lower triangle of matrices, up to the k-th diagonal; zeros above."""
    xp = namespace(x)
    return xp.tril(x, k), lambda g: xp.tril(g, k)


@primitive
def triu(x: Any, /, k: int = 0) -> tuple:
    """The upper triangle of matrices, from the k-th diagonal; zeros below."""
    xp = namespace(x)
    return xp.triu(x, k), lambda g: xp.triu(g, k)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of the matrices in the axes `axis1` and `axis2`, as the last axis."""
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    places = np.nonzero(np.eye(rows, columns, k=offset))
    return getitem(x, (..., *map(backend_of(x.array).constant, places)))


def diag(x: Any, k: int = 0) -> Any:
    """The k-th diagonal of a matrix; of a vector, the square matrix that has it there.

    ValueError for a tensor of another rank.
    """
    x = convert_to_tensor(x)
    if x.ndim not in (1, 2):
        raise ValueError(f"`x` must be 1-D or 2-D, but received shape {x.shape}.")
    return diagonal(x, k) if x.ndim == 2 else _diagonal_matrix(x, k)


@primitive
def _diagonal_matrix(x: Any, /, k: int) -> tuple:
    xp, size = namespace(x), len(x) + abs(k)
    check_sample((size, size), x.dtype)
    y = xp.zeros((size, size), x.dtype)
    above, below = max(k, 0), max(-k, 0)
    cells = slice(above + below * size, (size - above) * size, size + 1)  # of y as one row
    y.reshape(-1)[cells] = x
    return y, lambda g: g.reshape(-1)[cells]


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of the diagonal."""
    return reductions.sum(diagonal(x, offset, axis1, axis2), axis=-1)


@primitive
def argsort(x: Any, /, axis: int | None = -1) -> tuple:
    """The int32 indices that sort x along `axis` (None: flattened); equal ones keep their order."""
    x = x.reshape(-1) if axis is None else x
    return (x.argsort(axis=-1 if axis is None else axis, kind="stable").astype("int32"),)


def sort(x: Any, axis: int | None = -1) -> Any:
    """x in ascending order along `axis`; flattened first for None."""
    x = convert_to_tensor(x)
    return take_along_axis(x, argsort(x, axis), axis)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Tensor]:
    """The k largest elements along the last axis in descending order, and their int32 indices.

    Of equal elements the first comes first. `sorted=False` allows any order; this one is given.
    """
    x = convert_to_tensor(x)
    if not 0 <= k <= x.shape[-1]:
        raise ValueError(f"top_k expects 0 <= k <= {x.shape[-1]}, the last axis; received k={k}.")
    indices = _largest(x, k)
    return take_along_axis(x, indices, axis=-1), indices


@primitive
def _largest(x: Any, /, k: int) -> tuple:
    descending = -x if x.dtype.kind == "f" else ~x  # ~ turns unsigned order too
    return (descending.argsort(axis=-1, kind="stable")[..., :k].astype("int32"),)


# Joining and cutting


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """The tensors one after the other along `axis`; their other axes must agree."""
    return _concatenate(*xs, axis=axis)


@primitive
def _concatenate(*xs: Any, axis: int) -> tuple:
    xs = promote_all(xs)
    check_sample(sum(x.size for x in xs), xs[0].dtype)
    value = namespace(xs[0]).concatenate(xs, axis)
    before = (slice(None),) * (axis % value.ndim)
    vjps, start = [], 0
    for x in xs:
        stop = start + x.shape[axis]
        vjps.append(lambda g, part=(*before, slice(start, stop)): g[part])
        start = stop
    return value, *vjps


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """The tensors of one shape side by side along a new axis at position `axis` of the result."""
    return _stack(*x, axis=axis)


@primitive
def _stack(*xs: Any, axis: int) -> tuple:
    xs = promote_all(xs)
    check_sample((len(xs), *xs[0].shape), xs[0].dtype)
    value = namespace(xs[0]).stack(xs, axis)
    before = (slice(None),) * (axis % value.ndim)
    return value, *[lambda g, i=i: g[(*before, i)] for i in range(len(xs))]


def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list:
    """x cut along `axis`: into that many equal parts, or before each of the given indices."""
    if isinstance(indices_or_sections, int):
        check_parts(indices_or_sections)
    return list(_split(x, indices_or_sections, axis))


@primitive
def _split(x: Any, /, indices_or_sections: Any, axis: int) -> tuple:
    xp = namespace(x)
    parts = tuple(xp.split(x, indices_or_sections, axis))
    return parts, lambda *gs: xp.concatenate(_zeros_for_none(gs, parts), axis)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list:
    """The slices of x along `axis`, without that axis; `num`, where given, must be their number."""
    x = convert_to_tensor(x)
    if num not in (None, x.shape[axis]):
        raise ValueError(f"unstack expects num={x.shape[axis]}, the axis' length; received {num}.")
    check_parts(x.shape[axis])
    return list(_unstack(x, axis))


@primitive
def _unstack(x: Any, /, axis: int) -> tuple:
    xp = namespace(x)
    parts = tuple(xp.moveaxis(x, axis, 0))
    return parts, lambda *gs: xp.stack(_zeros_for_none(gs, parts), axis)


def _zeros_for_none(gs: tuple, parts: tuple) -> list:
    """The upstream gradients, with zeros for the results that nothing used."""
    return [namespace(x).zeros_like(x) if g is None else g for g, x in zip(gs, parts, strict=True)]


# Repetition and padding


@primitive
def tile(x: Any, /, repeats: Shape) -> tuple:
    """x repeated as a whole, `repeats` times along each axis."""
    counts = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    rank = max(x.ndim, len(counts))
    counts = (1,) * (rank - len(counts)) + counts
    lengths = (1,) * (rank - x.ndim) + x.shape
    check_sample((*counts, *lengths), x.dtype)
    pairs = [n for pair in zip(counts, lengths, strict=True) for n in pair]
    copies = tuple(range(0, 2 * rank, 2))
    return (
        namespace(x).tile(x, counts),
        lambda g: g.reshape(pairs).sum(axis=copies).reshape(x.shape),
    )


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """x with each element repeated `repeats` times (an int, or one per element) along `axis`."""
    x = convert_to_tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    if isinstance(repeats, int):
        return _repeat(x, repeats, axis % x.ndim)
    check_sample(int(np.sum(repeats)) * x.size, x.dtype)
    indices = np.repeat(np.arange(x.shape[axis]), repeats)
    return take(x, backend_of(x.array).constant(indices), axis)


@primitive
def _repeat(x: Any, /, repeats: int, axis: int) -> tuple:
    copies = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
    check_sample(copies, x.dtype)
    return x.repeat(repeats, axis), lambda g: g.reshape(copies).sum(axis=axis + 1)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """x with elements added before and after each axis.

    `pad_width`: an int, a pair (before, after), or one pair per axis. `mode`: "constant" (with
    `constant_values`, 0 for None), "edge" (the outermost element), "reflect" (mirrored at that),
    "symmetric" (mirrored at the edge) or "wrap" (from the other end). ValueError for other modes,
    or values without the constant mode.
    """
    x = convert_to_tensor(x)
    widths = np.broadcast_to(pad_width, (x.ndim, 2)).tolist()
    if mode == "constant":
        return _pad_constant(x, widths, 0 if constant_values is None else constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(
            "pad expects mode 'constant', 'edge', 'reflect', 'symmetric' or 'wrap'; "
            f"received mode={mode!r}."
        )
    if constant_values is not None:
        raise ValueError(
            "Argument `constant_values` can only be provided when `mode == 'constant'`. "
            f"Received: mode={mode}"
        )
    for axis, width in enumerate(widths):
        if any(width):
            check_sample(x.shape[axis] + sum(width), "int64")
            sources = np.pad(np.arange(x.shape[axis]), width, mode=mode)  # type: ignore[call-overload]
            x = take(x, backend_of(x.array).constant(sources), axis)
    return x


@primitive
def _pad_constant(x: Any, /, widths: list, value: Any) -> tuple:
    lengths = [before + n + after for (before, after), n in zip(widths, x.shape, strict=True)]
    inside = tuple(
        slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)
    )
    check_sample(lengths, x.dtype)
    y = backend_of(x).xp.full(lengths, _fill_value(value, backend_of(x)), dtype=x.dtype)
    y[inside] = x
    return y, lambda g: g[inside]


# New tensors


def zeros(shape: Shape, dtype: Any = None) -> Tensor:
    """Zeros."""
    dtype = dtype or floatx()
    check_sample(shape, dtype)
    return Tensor(default_backend().xp.zeros(shape, dtype=dtype))


def ones(shape: Shape, dtype: Any = None) -> Tensor:
    """Ones."""
    dtype = dtype or floatx()
    check_sample(shape, dtype)
    return Tensor(default_backend().xp.ones(shape, dtype=dtype))


def full(shape: Shape, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value everywhere; `fill_value` may be a tensor that broadcasts to the shape."""
    home = default_backend()
    if isinstance(fill_value, Tensor):
        if backend_of(fill_value.array) is home:
            return _filled(zeros(shape, dtype), fill_value)
        raise_if_tracked(fill_value, "Filling a tensor of another backend", "use broadcast_to")
    check_sample(shape, dtype or floatx())
    return Tensor(home.xp.full(shape, _fill_value(fill_value, home), dtype=dtype or floatx()))


def _filled(zeros: Tensor, value: Tensor) -> Tensor:
    """`value` in the place of zeros; it is added, so that it gets its gradient."""
    return add(zeros, broadcast_to(cast(value, zeros.dtype), zeros.shape))


def _fill_value(value: Any, home: Backend) -> Any:
    value = as_operand(value)
    return home.asarray(value) if hasattr(value, "dtype") else value


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Zeros in the shape of x, and in its dtype where none is given."""
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Ones in the shape of x, and in its dtype where none is given."""
    return full_like(x, 1, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value in the shape of x, and in its dtype where none is given."""
    if isinstance(fill_value, Tensor):
        return _filled(full_like(x, 0, dtype), fill_value)
    x = convert_to_tensor(x).array
    home = backend_of(x)
    value = _fill_value(fill_value, home)
    return Tensor(home.xp.full(x.shape, value, dtype=dtype or x.dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """start, start + step, ... up to but without stop; arange(n) counts from 0.

    int32 for ints, `floatx()` where a float is among the arguments.
    """
    numbers = [x.item() if hasattr(x, "item") else x for x in (start, stop, step)]
    if dtype is None:
        dtype = floatx() if any(isinstance(x, float) for x in numbers) else "int32"
    start, stop, step = numbers
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    check_sample((stop - start) / step if step else 0, dtype)
    return Tensor(default_backend().xp.arange(start, stop, step, dtype))


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` evenly spaced numbers from start to stop; with `retstep` also the step between them."""
    check_sample((num, *np.broadcast_shapes(np.shape(start), np.shape(stop))), "float64")
    values, step = np.linspace(start, stop, num, endpoint=endpoint, retstep=True, axis=axis)
    if dtype is not None and np.dtype(dtype).kind in "iu":
        values = np.floor(values)
    result = convert_to_tensor(values, dtype=dtype or floatx())
    return (result, convert_to_tensor(step, dtype=dtype or floatx())) if retstep else result


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """An N by M matrix (square without M) with ones on the k-th diagonal."""
    check_sample((N, N if M is None else M), dtype or floatx())
    return Tensor(default_backend().xp.eye(N, M, k, dtype=dtype or floatx()))


def identity(n: int, dtype: Any = None) -> Tensor:
    """The n by n identity matrix."""
    return eye(n, dtype=dtype)
