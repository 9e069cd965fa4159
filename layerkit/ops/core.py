"""Keras's basic operations: types, slices, scattering, and control flow over tensors.

Control flow runs in Python: functions are called as often as the loop says, and a tape records
what they do. In a traced pass, conditions and counts must not depend on values of tensors.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor, tree
from layerkit.backend.autodiff import remembered
from layerkit.backend.dtypes import standardize_dtype
from layerkit.backend.ops.scattering import slices

from ..symbolic import operation
from .strings import as_strings

__all__ = [
    "associative_scan",
    "cast",
    "cond",
    "convert_to_numpy",
    "convert_to_tensor",
    "custom_gradient",
    "dtype",
    "fori_loop",
    "is_tensor",
    "map",
    "saturate_cast",
    "scan",
    "scatter",
    "scatter_update",
    "shape",
    "slice",
    "slice_update",
    "stop_gradient",
    "switch",
    "unstack",
    "vectorized_map",
    "while_loop",
]

# Tensors and their types


@operation
def cast(x: Any, dtype: Any) -> Tensor:
    """`x` in another dtype; between floats the gradient is cast back."""
    return K.cast(x, standardize_dtype(dtype))


@operation
def saturate_cast(x: Any, dtype: Any) -> Tensor:
    """`x` in another dtype, limited to the numbers which that has."""
    x, dtype = K.convert_to_tensor(x), np.dtype(standardize_dtype(dtype))
    low, high = _limits(dtype)
    least, greatest = _limits(x.dtype)
    low, high = max(low, least), min(high, greatest)
    if x.dtype.kind == "f" and dtype.kind != "f":  # a float may not have the largest integer
        while int(x.dtype.type(high)) > high:
            high = int(np.nextafter(x.dtype.type(high), x.dtype.type(0)))
    if x.dtype.kind != "b":
        x = K.clip(x, x.dtype.type(low).item(), x.dtype.type(high).item())
    return K.cast(x, dtype)


def _limits(dtype: np.dtype) -> tuple[Any, Any]:
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind in "iu":
        return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if dtype.name == "bfloat16":
        return -(2.0**127) * (2 - 2.0**-7), 2.0**127 * (2 - 2.0**-7)
    return float(np.finfo(dtype).min), float(np.finfo(dtype).max)


@operation
def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """`x` as a tensor: arrays, numbers, and nestings of them in lists.

    Strings, which no tensor holds, as a NumPy array: layers of texts and categories take it.
    `dtype`: None for that of an array; `floatx()` of floats, int32 of ints. ValueError for
    `sparse` and `ragged`, and for what is no rectangular nesting of numbers or of strings.
    """
    if sparse or ragged:
        raise ValueError(
            "convert_to_tensor expects sparse and ragged to be None or False: layerkit's tensors "
            f"are dense. Received: sparse={sparse}, ragged={ragged}"
        )
    strings = as_strings(x) if dtype in (None, "string") else None
    if strings is not None:
        return strings
    if isinstance(x, Tensor) and dtype is not None:
        return x if x.dtype == standardize_dtype(dtype) else K.cast(x, standardize_dtype(dtype))
    return K.convert_to_tensor(x, None if dtype is None else standardize_dtype(dtype))


def convert_to_numpy(x: Any) -> np.ndarray:
    """`x` as a NumPy array of its own."""
    return np.array(K.to_numpy(x))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of layerkit; arrays of NumPy are not."""
    return isinstance(x, Tensor)


def shape(x: Any) -> tuple[int | None, ...]:
    """The lengths of the axes, None where a symbolic tensor leaves them open."""
    return tuple(x.shape) if hasattr(x, "shape") else K.shape(x)


def dtype(x: Any) -> str:
    """The name of the dtype, 'float32' for one."""
    return standardize_dtype(x.dtype)


@operation
def stop_gradient(variable: Any) -> Tensor:
    """The same values as a constant: no gradient flows back through the result."""
    return K.stop_gradient(variable)


# Parts of tensors


@operation
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices of `x` along `axis`, without that axis; `num`, where given, is their number."""
    return K.unstack(x, num, axis)


@operation
def slice(inputs: Any, start_indices: Any, shape: Any) -> Tensor:
    """The part of `shape` that starts at `start_indices`, moved to fit where it does not.

    One int per axis in each; -1 in `shape` is the rest of the axis. ValueError where ranks differ
    or the part is larger than `inputs`.
    """
    x = K.convert_to_tensor(inputs)
    starts = [int(start) for start in start_indices]
    lengths = [
        limit - start if n == -1 else int(n)
        for n, start, limit in zip(shape, starts, x.shape, strict=len(shape) == x.ndim)
    ]
    return x[slices(starts, lengths, x.shape)]


@operation
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    """`inputs` with `updates` written over the part that starts at `start_indices`.

    `updates` has the rank of `inputs`; a part that would not fit is moved until it does.
    """
    return K.slice_update(inputs, start_indices, updates)


@operation
def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Zeros of `shape` with `values` added at `indices`.

    `indices`: integers (..., k), each a place in the first k axes. `values`: (..., *shape[k:]).
    """
    return K.scatter(indices, values, shape)


@operation
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Tensor:
    """`inputs` with `updates` written at `indices`.

    `indices`: integers (n, k), each a place in the first k axes; `updates`: (n, *shape[k:]).
    `reduction`: None, or how updates are combined with what was there: 'add', 'max', 'min', 'mul'.
    """
    return K.scatter_update(inputs, indices, updates, reduction)


# Control flow


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of `true_fn()` where `pred`, a bool or a scalar tensor, holds; of the other."""
    return true_fn() if bool(pred) else false_fn()


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """`branches[index](*operands)`; an index outside of the branches means the nearest one."""
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """`loop_vars` after `body` has been applied to them for as long as `cond` of them holds.

    `loop_vars`: a list or tuple of (structures of) tensors, the arguments of both functions, whose
    new values `body` returns; or a single one. The result is a tuple, or the single one.
    """
    several = isinstance(loop_vars, (list, tuple))
    state = _tensors(tuple(loop_vars) if several else (loop_vars,))
    iterations = 0
    while (maximum_iterations is None or iterations < maximum_iterations) and bool(cond(*state)):
        result = body(*state)
        state = _tensors(tuple(result) if several else (result,))
        iterations += 1
    return state if several else state[0]


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """The value after `value = body_fun(i, value)` for each i from `lower` up to `upper` - 1."""
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """`carry, y = f(carry, x)` for the slices x of `xs` along the first axis; (carry, stacked ys).

    `xs`: a structure of tensors, or None for `length` steps without. `reverse`: from the last
    slice to the first; the ys keep their places. `unroll` says how compilers write the loop, and
    changes nothing here. ValueError where lengths differ or there is none.
    """
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ValueError(f"`unroll` must be a positive integer or boolean. Received: {unroll}")
    xs, steps = _over_first_axis("scan", xs, length)
    carry, ys = init, []
    for i in reversed(range(steps)) if reverse else range(steps):
        carry, y = f(carry, _at(xs, i))
        ys.append(y)
    return carry, _stacked(ys[::-1] if reverse else ys)


def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """The running results of an associative `f` along `axis`: e0, f(e0, e1), f(f(e0, e1), e2), ...

    `elems`: a structure of tensors; `f` takes two such structures, of any length along the axis,
    and combines them element by element. `reverse`: from the last element on. The calls of `f` are
    log2(length) (Hillis and Steele 1986). ValueError where lengths differ.
    """
    leaves = [K.convert_to_tensor(x) for x in tree.flatten(elems)]
    lengths = {x.shape[axis] for x in leaves}
    if len(lengths) != 1:
        raise ValueError(
            "associative_scan expects tensors of one length along the axis. "
            f"Received: axis={axis}, shapes {[x.shape for x in leaves]}"
        )
    state = [K.flip(x, axis) for x in leaves] if reverse else leaves

    def part(start: int | None, stop: int | None) -> Any:
        key = builtins.slice(start, stop)
        return tree.pack_sequence_as(
            elems, [x[(builtins.slice(None),) * (axis % x.ndim) + (key,)] for x in state]
        )

    distance, (length,) = 1, lengths
    while distance < length:  # each element becomes the result of twice as many
        combined = tree.flatten(f(part(None, -distance), part(distance, None)))
        first = tree.flatten(part(None, distance))
        state = [K.concatenate(pair, axis) for pair in zip(first, combined, strict=True)]
        distance *= 2
    return tree.pack_sequence_as(elems, [K.flip(x, axis) for x in state] if reverse else state)


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each slice of `xs` (a structure of tensors) along the first axis, stacked."""
    xs, steps = _over_first_axis("map", xs, None)
    return _stacked([f(_at(xs, i)) for i in range(steps)])


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`function` of each slice of `elements` along the first axis, stacked; like `map`."""
    elements, steps = _over_first_axis("vectorized_map", elements, None)
    return _stacked([function(_at(elements, i)) for i in range(steps)])


def custom_gradient(f: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Any]:
    """A function with a gradient of its own, from one that returns a value and a function.

    `f(*args)` returns (value, gradient); `gradient(*upstream)` takes one upstream gradient per
    tensor of the value and returns the gradients of the arguments, one or a tuple of them. What
    `f` uses beside its arguments gets no gradient.
    """

    @wraps(f)
    def call(*args: Any, **options: Any) -> Any:
        @K.primitive
        def with_gradient(*arrays: Any) -> tuple:
            value, gradient = f(*builtins.map(_as_tensor, arrays), **options)
            several = isinstance(value, (list, tuple))
            values = tuple(_tensors(value)) if several else (K.convert_to_tensor(value),)

            @remembered
            def gradients(*upstream: Any) -> list:
                given = [
                    K.zeros_like(y) if g is None else Tensor(g)
                    for g, y in zip(upstream, values, strict=True)
                ]
                found = gradient(*given)
                found = list(found) if isinstance(found, (list, tuple)) else [found]
                if len(found) != len(arrays):
                    raise ValueError(
                        f"custom_gradient expects {len(arrays)} gradients, one for each argument "
                        f"of {getattr(f, '__name__', f)}; received {len(found)}."
                    )
                return [K.convert_to_tensor(g).array for g in found]

            def vjp_of(i: int) -> Callable[..., Any]:
                return lambda *upstream: gradients(*upstream)[i]

            result = tuple(y.array for y in values) if several else values[0].array
            return result, *builtins.map(vjp_of, range(len(arrays)))

        return with_gradient(*args)

    return call


def _as_tensor(x: Any) -> Any:
    return Tensor(x) if K.is_array(x) else x


def _tensors(structure: Any) -> Any:
    return tree.map_structure(K.convert_to_tensor, structure)


def _over_first_axis(name: str, xs: Any, length: int | None) -> tuple[Any, int]:
    """The structure as tensors, and how many slices there are. ValueError where that is unclear."""
    xs = None if xs is None else _tensors(xs)
    lengths = {len(x) for x in tree.flatten(xs) if x is not None}
    if length is not None:
        lengths.add(int(length))
    if len(lengths) != 1:
        raise ValueError(
            f"{name} expects tensors of one length along their first axis, or `length`. "
            f"Received: lengths {sorted(lengths)}"
        )
    (steps,) = lengths
    if not steps:
        raise ValueError(
            f"{name} expects at least one slice along the first axis: nothing else shows what the "
            "results look like. Received: length 0"
        )
    return xs, steps


def _at(xs: Any, i: int) -> Any:
    return None if xs is None else tree.map_structure(lambda x: x[i], xs)


def _stacked(ys: list) -> Any:
    """Structures of one shape as one, whose leaves are stacked along a new first axis."""
    return tree.map_structure(lambda *leaves: None if leaves[0] is None else K.stack(leaves), *ys)
