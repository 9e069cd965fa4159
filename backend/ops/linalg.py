"""Products: dot, matmul, tensordot, outer, einsum; and the determinant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

from ..allowance import (
    check_decomposition,
    check_product,
    check_sample,
    check_together,
    is_sampled,
)
from ..autodiff import convert_to_tensor, primitive, remembered
from ..by_value import FUSED
from ..registry import backend_of, namespace, product
from .elementwise import floating, multiply, promote, promote_all
from .shape import diagonal, reshape

__all__ = ["dense", "dot", "einsum", "matmul", "outer", "slogdet", "tensordot"]


@primitive
def dot(x1: Any, x2: Any, /) -> tuple:
    """The sum over the last axis of x1 and the second to last of x2 (its only one for a vector).

    Where one is a scalar: the product.
    """
    x, w = promote(x1, x2)
    if getattr(x, "ndim", 0) == 0 or getattr(w, "ndim", 0) == 0:
        return x * w, lambda g: g * w, lambda g: g * x
    if x.ndim == w.ndim == 2:
        return product(x, w), lambda g: product(g, w.T), lambda g: product(x.T, g)
    return _contract(x, w, [x.ndim - 1], [max(w.ndim - 2, 0)])


def dense(inputs: Any, kernel: Any, bias: Any = None, activation: Any = None) -> Any:
    """activation(inputs @ kernel + bias), over the last axis of the inputs.

    `inputs` (..., features), `kernel` (features, units), `bias` (units,) or None. `activation`: a
    function of a tensor, or None; one of `FUSED` is computed in the same pass as the bias. Result:
    (..., units). ValueError where shapes do not fit.
    """
    fused = fusable(activation)
    y = _dense(inputs, kernel, bias, fused or "linear")
    return y if fused else activation(y)


def fusable(activation: Any) -> str | None:
    """The row of `BY_VALUE` that an activation is; None for others. TypeError for no function."""
    if activation is None:
        return "linear"
    if not callable(activation):
        raise TypeError(
            f"Expected `activation` to be a function of a tensor; received {activation!r}: "
            "layerkit.activations.get(name) gives one by its name."
        )
    return FUSED.get(activation) if type(activation).__hash__ is not None else None


def floats_with_bias(x: Any, w: Any, b: Any) -> tuple:
    """Inputs, kernel and bias (or None) as floats of one dtype. ValueError for another bias."""
    if b is None:
        x, w = promote(x, w)
        return floating(x), floating(w), None
    if getattr(b, "shape", ()) != w.shape[-1:]:
        raise ValueError(
            f"Expected `bias` to have one number for each unit or filter, shape {w.shape[-1:]}; "
            f"received shape {getattr(b, 'shape', ())}."
        )
    if not x.dtype == w.dtype == b.dtype:
        x, w, b = promote_all((x, w, b))
    return floating(x), floating(w), floating(b)


@primitive
def _dense(x: Any, w: Any, b: Any, /, activation: str) -> tuple:
    if getattr(x, "ndim", 0) < 1 or getattr(w, "ndim", 0) != 2 or x.shape[-1] != w.shape[0]:
        raise ValueError(
            "dense expects inputs (..., features) and a kernel (features, units). Received: "
            f"inputs.shape={getattr(x, 'shape', ())}, kernel.shape={getattr(w, 'shape', ())}"
        )
    x, w, b = floats_with_bias(x, w, b)
    backend = backend_of(x)
    rows = x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    y = backend.dense(rows, w, b, activation)
    dz = remembered(lambda g: backend.bias_activation_grad(g.reshape(y.shape), y, activation))
    return (
        y if x.ndim == 2 else y.reshape(*x.shape[:-1], w.shape[1]),
        lambda g: product(dz(g), w.T).reshape(x.shape),
        lambda g: product(rows.T, dz(g)),
        lambda g: backend.sum_rows(dz(g)),
    )


@primitive
def matmul(x1: Any, x2: Any, /) -> tuple:
    """The matrix product of the last two axes, earlier axes broadcast; vectors as in NumPy."""
    x1, x2 = promote(x1, x2)
    if x1.ndim == x2.ndim >= 2:
        return _batched(x1, x2)
    if x2.ndim <= 2:
        return _contract(x1, x2, [x1.ndim - 1], [max(x2.ndim - 2, 0)])
    if x1.ndim == 1:  # one row
        y, vjp1, vjp2 = _batched(x1[None, :], x2)
        return y[..., 0, :], lambda g: vjp1(g[..., None, :]), lambda g: vjp2(g[..., None, :])
    return _batched(x1, x2)


def _batched(x1: Any, x2: Any) -> tuple:
    check_product(x1, x2)
    return (
        product(x1, x2),
        lambda g: product(g, x2.swapaxes(-1, -2)),
        lambda g: product(x1.swapaxes(-1, -2), g),
    )


@primitive
def tensordot(x1: Any, x2: Any, /, axes: Any = 2) -> tuple:
    """The sum over pairs of axes.

    `axes`: how many last axes of x1 meet as many first ones of x2, or the pair (axes of x1,
    axes of x2).
    """
    x1, x2 = promote(x1, x2)
    if isinstance(axes, int):
        return _contract(x1, x2, list(range(x1.ndim - axes, x1.ndim)), list(range(axes)))
    axes1, axes2 = ([a] if isinstance(a, int) else list(a) for a in axes)
    return _contract(x1, x2, [a % x1.ndim for a in axes1], [a % x2.ndim for a in axes2])


def _contract(x1: Any, x2: Any, axes1: list[int], axes2: list[int]) -> tuple:
    """The sum over `axes1` of x1 with `axes2` of x2, as one product of matrices."""
    free1 = [i for i in range(x1.ndim) if i not in axes1]
    free2 = [i for i in range(x2.ndim) if i not in axes2]
    x, back1 = _as_matrix(x1, free1, axes1)
    w, back2 = _as_matrix(x2, axes2, free2)
    shape = [x1.shape[i] for i in free1] + [x2.shape[i] for i in free2]
    matrix = (x.shape[0], w.shape[1])
    check_product(x, w)
    return (
        product(x, w).reshape(shape),
        lambda g: back1(product(g.reshape(matrix), w.T)),
        lambda g: back2(product(x.T, g.reshape(matrix))),
    )


def _as_matrix(x: Any, rows: list[int], columns: list[int]) -> tuple:
    """x as a matrix with the axes `rows` in its rows and `columns` in its columns; the way back."""
    order = rows + columns
    turned = x.transpose(order)
    matrix = turned.reshape(
        math.prod(x.shape[i] for i in rows), math.prod(x.shape[i] for i in columns)
    )
    inverse = sorted(range(x.ndim), key=order.__getitem__)
    return matrix, lambda m: m.reshape(turned.shape).transpose(inverse)


def outer(x1: Any, x2: Any) -> Any:
    """All products of an element of x1 (the rows) with one of x2 (the columns)."""
    x1, x2 = reshape(x1, (-1, 1)), reshape(x2, (1, -1))
    check_together(x1, x2)
    return multiply(x1, x2)


def einsum(subscripts: str, *operands: Any) -> Any:
    """Einstein's sum: one letter per axis, "bij,bjk->bik"; "..." stands for further axes.

    Letters that are missing after the arrow are summed over; without an arrow those that occur
    once stay, in the alphabet's order. A letter that an operand has twice takes the diagonal. It is
    the array module's own `einsum`: on CuPy, no part of a CUDA graph.
    """
    operands = tuple(map(convert_to_tensor, operands))
    inputs, output = _parse(subscripts, [x.ndim for x in operands])
    pairs = [_without_repeats(x, letters) for x, letters in zip(operands, inputs, strict=True)]
    return _einsum(*(x for x, _ in pairs), inputs=[letters for _, letters in pairs], output=output)


def _without_repeats(x: Any, letters: str) -> tuple[Any, str]:
    """The diagonals over axes of the same letter: one operand and its letters, each there once."""
    for letter in sorted(set(letters)):
        while letters.count(letter) > 1:
            first, last = letters.index(letter), letters.rindex(letter)
            x = diagonal(x, axis1=first, axis2=last)  # puts the axis last
            letters = letters[:first] + letters[first + 1 : last] + letters[last + 1 :] + letter
    return x, letters


@primitive
def _einsum(*xs: Any, inputs: list[str], output: str) -> tuple:
    xs = promote_all(xs)
    xp = namespace(xs[0])

    def vjp_of(i: int) -> Any:
        others = inputs[:i] + inputs[i + 1 :]
        seen = {*output, *"".join(others)}
        kept = "".join(letter for letter in inputs[i] if letter in seen)
        formula = f"{','.join([output, *others])}->{kept}"

        def vjp(g: Any) -> Any:
            y = xp.einsum(formula, g, *xs[:i], *xs[i + 1 :], optimize=True)
            lengths = iter(y.shape)  # what this operand was summed over alone comes back as copies
            y = y.reshape([next(lengths) if letter in seen else 1 for letter in inputs[i]])
            return y if len(kept) == xs[i].ndim else y + xp.zeros_like(xs[i])

        return vjp

    if is_sampled():
        lengths = dict(zip("".join(inputs), chain(*(x.shape for x in xs)), strict=True))
        check_sample([lengths.get(letter, 1) for letter in output], xs[0].dtype)
    value = xp.einsum(f"{','.join(inputs)}->{output}", *xs, optimize=True)
    return value, *map(vjp_of, range(len(xs)))


def _parse(subscripts: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of every operand and of the result, with "..." spelled out."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ranks):
        raise ValueError(
            f"einsum '{subscripts}' names {len(inputs)} operands; received {len(ranks)}."
        )
    if not arrow:
        letters = sorted(set(left) - {",", "."})
        right = "..." * ("..." in left) + "".join(c for c in letters if left.count(c) == 1)
    spare = [c for c in "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in left]
    spelled, most = [], ""
    for text, rank in zip(inputs, ranks, strict=True):
        extra = rank - len(text.replace("...", "")) if "..." in text else 0
        dots = "".join(reversed(spare[: max(extra, 0)]))  # aligned at the last of them
        most = max(most, dots, key=len)
        letters_of = text.replace("...", dots)
        if len(letters_of) != rank or extra < 0:
            raise ValueError(
                f"einsum '{subscripts}': '{text}' needs {len(letters_of)} axes; "
                f"its operand has {rank}."
            )
        spelled.append(letters_of)
    return spelled, right.replace("...", most)


@primitive
def slogdet(x: Any, /) -> tuple:
    """The sign of the determinant of square matrices (..., n, n), and log(abs(determinant)).

    Both (...,); of a singular matrix 0 and -inf.
    """
    x, xp = floating(x), namespace(x)
    check_decomposition(x)
    sign, logarithm = xp.linalg.slogdet(x)

    def vjp(g_sign: Any, g: Any) -> Any:
        if g is None:
            return xp.zeros_like(x)
        return g[..., None, None] * xp.linalg.inv(x).swapaxes(-1, -2)

    return (sign, logarithm), vjp
