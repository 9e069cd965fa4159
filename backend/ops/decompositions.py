"""Solving and taking apart matrices: the last two axes of a tensor, the first ones are a batch.

Letters are the field's: x = L Lᵀ, x = Q R, x = U diag(s) Vᵀ, x = V diag(w) Vᵀ, P x = L U. Rules of
derivatives after Giles 2008, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation". Integers become `floatx()`.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from ..autodiff import primitive, remembered
from ..registry import namespace, product
from .elementwise import floating
from .linalg import slogdet

__all__ = [
    "cholesky",
    "det",
    "eig",
    "eigh",
    "inv",
    "logdet",
    "lu_factor",
    "pinv",
    "qr",
    "singular_values",
    "solve",
    "solve_triangular",
    "svd",
]


def _t(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def _times(*matrices: Any) -> Any:
    """The product of several, from left to right."""
    return reduce(product, matrices)


def _eye(x: Any) -> Any:
    return namespace(x).eye(x.shape[-1], dtype=x.dtype)


@primitive
def inv(x: Any, /) -> tuple:
    """The inverse of square matrices."""
    x = floating(x)
    y = namespace(x).linalg.inv(x)
    return y, lambda g: -_times(_t(y), g, _t(y))


@primitive
def det(x: Any, /) -> tuple:
    """The determinant of square matrices (..., n, n): (...,)."""
    x = floating(x)
    linalg = namespace(x).linalg

    def vjp(g: Any) -> Any:
        """The cofactors, of singular matrices too: |U| |V| U diag(products of the others) Vᵀ."""
        u, s, v = linalg.svd(x)
        return (g * linalg.det(product(u, v)))[..., None, None] * product(
            u * _products_of_others(s), v
        )

    return linalg.det(x), vjp


def _products_of_others(s: Any) -> Any:
    """Of rows (..., n): for each number the product of the others, (..., 1, n)."""
    xp = namespace(s)
    others = xp.where(_eye(s) > 0, 1, s[..., None, :])
    return others.prod(-1)[..., None, :]


def logdet(x: Any) -> Any:
    """log(abs(determinant)) of square matrices (..., n, n): (...,)."""
    return slogdet(x)[1]


@primitive
def solve(a: Any, b: Any, /) -> tuple:
    """y with a y = b, for square matrices a and b (..., n, k), or (..., n) of one rank less."""
    a, b = floating(a), floating(b)
    linalg = namespace(a).linalg
    y = linalg.solve(a, _columns(a, b))
    of_b = remembered(lambda g: linalg.solve(_t(a), g.reshape(y.shape)))
    return (
        y.reshape(_solution_shape(a, b, y)),
        lambda g: -product(of_b(g), _t(y)),
        lambda g: _like(of_b(g), a, b),
    )


@primitive
def solve_triangular(a: Any, b: Any, /, lower: bool = False) -> tuple:
    """y with t y = b, t the upper (or lower) triangle of a; shapes as in `solve`."""
    a, b = floating(a), floating(b)
    xp = namespace(a)
    triangle = xp.tril if lower else xp.triu
    t = triangle(a)
    y = xp.linalg.solve(t, _columns(a, b))
    of_b = remembered(lambda g: xp.linalg.solve(_t(t), g.reshape(y.shape)))
    return (
        y.reshape(_solution_shape(a, b, y)),
        lambda g: -triangle(product(of_b(g), _t(y))),
        lambda g: _like(of_b(g), a, b),
    )


def _columns(a: Any, b: Any) -> Any:
    return b[..., None] if b.ndim == a.ndim - 1 else b


def _solution_shape(a: Any, b: Any, y: Any) -> tuple:
    return y.shape[:-1] if b.ndim == a.ndim - 1 else y.shape


def _like(g: Any, a: Any, b: Any) -> Any:
    return g[..., 0] if b.ndim == a.ndim - 1 else g


@primitive
def cholesky(x: Any, /, upper: bool = False) -> tuple:
    """L, lower triangular with L Lᵀ = x, for symmetric positive definite x; Lᵀ with `upper`.

    Where x is not symmetric, that of its symmetric part (x + xᵀ) / 2.
    """
    x = floating(x)
    linalg = namespace(x).linalg
    low = linalg.cholesky((x + _t(x)) / 2)

    def vjp(g: Any) -> Any:
        middle = _halved_lower(product(_t(low), _t(g) if upper else g))
        y = linalg.solve(_t(low), _t(linalg.solve(_t(low), _t(middle))))
        return (y + _t(y)) / 2

    return (_t(low) if upper else low), vjp


def _halved_lower(x: Any) -> Any:
    """The lower triangle, its diagonal halved."""
    return namespace(x).tril(x) * (1 - _eye(x) / 2)


@primitive
def eigh(x: Any, /) -> tuple:
    """(w, V): eigenvalues in ascending order and eigenvectors (columns) of symmetric matrices.

    Where x is not symmetric, those of (x + xᵀ) / 2. Gradients through V need distinct eigenvalues.
    """
    x = floating(x)
    w, v = namespace(x).linalg.eigh((x + _t(x)) / 2)

    def vjp(g_w: Any, g_v: Any) -> Any:
        middle = 0 if g_w is None else g_w[..., None, :] * _eye(x)
        if g_v is not None:
            middle = middle + _inverse_differences(w) * product(_t(v), g_v)
        y = _times(v, middle, _t(v))
        return (y + _t(y)) / 2

    return (w, v), vjp


def _inverse_differences(w: Any) -> Any:
    """1 / (w[j] - w[i]) in row i and column j, 0 on the diagonal."""
    eye = _eye(w)
    return (1 - eye) / (w[..., None, :] - w[..., :, None] + eye)


@primitive
def eig(x: Any, /) -> tuple:
    """(w, V): complex eigenvalues and eigenvectors (columns) of square matrices; no derivative."""
    x = floating(x)
    kind = "complex128" if x.dtype == "float64" else "complex64"
    w, v = namespace(x).linalg.eig(x)
    return ((w.astype(kind, copy=False), v.astype(kind, copy=False)),)


@primitive
def qr(x: Any, /, mode: str = "reduced") -> tuple:
    """(Q, R): orthonormal columns and an upper triangle with Q R = x.

    `mode`: 'reduced' for Q (..., m, k) and R (..., k, n) with k = min(m, n), or 'complete' for
    (..., m, m) and (..., m, n). NotImplementedError for gradients where Q has more columns than x.
    """
    x = floating(x)
    xp = namespace(x)
    q, r = xp.linalg.qr(x, mode)

    def vjp(g_q: Any, g_r: Any) -> Any:
        if q.shape[-1] > x.shape[-1] or r.shape[-2] < r.shape[-1]:
            raise NotImplementedError(
                "The gradient of qr needs at least as many rows as columns, and mode='reduced' "
                f"where there are more. Received: x.shape={x.shape}, mode='{mode}'"
            )
        g_q = xp.zeros_like(q) if g_q is None else g_q
        m = -product(_t(g_q), q)
        m = m if g_r is None else m + product(r, _t(g_r))
        symmetric = xp.tril(m) + _t(xp.tril(m, -1))
        return _t(xp.linalg.solve(r, _t(g_q + product(q, symmetric))))

    return (q, r), vjp


@primitive
def svd(x: Any, /, full_matrices: bool = True) -> tuple:
    """(U, s, Vᵀ): orthonormal columns and rows, and the singular values in descending order.

    `full_matrices`: U (..., m, m) and Vᵀ (..., n, n), else (..., m, k) and (..., k, n) with
    k = min(m, n). Gradients through U and V need distinct singular values; NotImplementedError
    where `full_matrices` adds columns of no meaning.
    """
    x = floating(x)
    u, s, v = namespace(x).linalg.svd(x, full_matrices)

    def vjp(g_u: Any, g_s: Any, g_v: Any) -> Any:
        """Above U diag(g_s) Vᵀ, what turns U and V within the space they span, and out of it."""
        if full_matrices and x.shape[-1] != x.shape[-2] and (g_u is not None or g_v is not None):
            raise NotImplementedError(
                "The gradient of svd through U or V of matrices that are not square needs "
                f"full_matrices=False. Received: x.shape={x.shape}, full_matrices=True"
            )
        k = s.shape[-1]
        left, right = u[..., :k], v[..., :k, :]
        row, squares = s[..., None, :], _inverse_differences(s * s)
        middle = 0 if g_s is None else g_s[..., None, :] * _eye(s)
        rest = 0
        if g_u is not None:
            turn = product(_t(left), g_u)
            middle = middle + squares * (turn - _t(turn)) * row
            rest = rest + product((g_u - product(left, turn)) / row, right)
        if g_v is not None:
            turn = product(right, _t(g_v))
            middle = middle + _t(row) * (squares * (turn - _t(turn)))
            rest = rest + product(left, (g_v - product(_t(turn), right)) / _t(row))
        return _times(left, middle, right) + rest

    return (u, s, v), vjp


@primitive
def singular_values(x: Any, /) -> tuple:
    """The singular values of matrices (..., m, n), in descending order: (..., min(m, n))."""
    x = floating(x)
    linalg = namespace(x).linalg

    def vjp(g: Any) -> Any:
        u, _, v = linalg.svd(x, False)
        return product(u * g[..., None, :], v)

    return linalg.svd(x, compute_uv=False), vjp


@primitive
def pinv(x: Any, /, rcond: float | None = None) -> tuple:
    """The pseudo-inverse of matrices (..., m, n): (..., n, m). Moore 1920, Penrose 1955.

    `rcond`: singular values up to this share of the largest count as 0; None for
    10 max(m, n) times the resolution of the dtype.
    """
    x = floating(x)
    xp = namespace(x)
    if rcond is None:
        rcond = 10 * max(x.shape[-2:]) * float(xp.finfo(x.dtype).eps)
    u, s, v = xp.linalg.svd(x, False)
    large = s > rcond * s.max(-1, keepdims=True)
    inverse = xp.where(large, 1 / xp.where(large, s, 1), 0)
    p = product(_t(v) * inverse[..., None, :], _t(u))

    def vjp(g: Any) -> Any:
        """Golub and Pereyra 1973, where the rank does not change."""
        left = _t(g) - product(x, product(p, _t(g)))
        right = _t(g) - _times(_t(g), p, x)
        turned = _t(p)
        y = _times(left, p, turned) + _times(turned, p, right)
        return y - _times(turned, g, turned)

    return p, vjp


@primitive
def lu_factor(x: Any, /) -> tuple:
    """(LU, pivots) of matrices (..., m, n): both triangles in one, and what the rows were swapped
    with, int32 (..., min(m, n)).

    L has ones on its diagonal, which are left out. Row i was swapped with row pivots[i], one after
    the other, for the largest number of the column. NotImplementedError for gradients of matrices
    that are not square.
    """
    x = floating(x)
    xp = namespace(x)
    (m, n), batch = x.shape[-2:], x.shape[:-2]
    lu = x.reshape(-1, m, n).copy()
    samples = xp.arange(len(lu))
    order = xp.arange(m) + xp.zeros((len(lu), 1), "int64")
    pivots = xp.zeros((len(lu), min(m, n)), "int32")
    for k in range(min(m, n)):
        pivot = k + abs(lu[:, k:, k]).argmax(-1)
        pivots[:, k] = pivot
        for rows in (lu, order):
            chosen = rows[samples, pivot].copy()
            rows[samples, pivot] = rows[:, k]
            rows[:, k] = chosen
        diagonal = lu[:, k, k][:, None]
        lu[:, k + 1 :, k] /= xp.where(diagonal == 0, 1, diagonal)  # the column is 0 as well
        lu[:, k + 1 :, k + 1 :] -= lu[:, k + 1 :, k, None] * lu[:, k, None, k + 1 :]

    def vjp(g: Any, _: Any) -> Any:
        if m != n:
            raise NotImplementedError(
                f"The gradient of lu_factor needs square matrices. Received: x.shape={x.shape}"
            )
        g = g.reshape(lu.shape)
        low, high = xp.tril(lu, -1) + _eye(lu), xp.triu(lu)
        middle = xp.tril(product(_t(low), xp.tril(g, -1)), -1)
        middle += xp.triu(product(xp.triu(g), _t(high)))
        y = _t(xp.linalg.solve(high, _t(xp.linalg.solve(_t(low), middle))))
        back = xp.empty_like(y)
        back[samples[:, None], order] = y
        return back.reshape(x.shape)

    return (lu.reshape(x.shape), pivots.reshape(*batch, min(m, n))), vjp
