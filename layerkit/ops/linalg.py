"""Keras's `ops.linalg`: solving and taking apart matrices, the last two axes of tensors.

Integers become `floatx()`. A matrix that has no solution raises on the host, by NumPy's
`LinAlgError`; on a device the numbers are undefined.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.allowance import check_decomposition
from layerkit.backend.names import explain_missing

from ..symbolic import operation

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
]

# Square matrices


@operation
def cholesky(x: Any, upper: bool = False) -> Tensor:
    """L, lower triangular with L Lᵀ = x, for symmetric positive definite x; Lᵀ with `upper`.

    `x`: (..., n, n). ValueError for other shapes, and on the host where x is not positive definite.
    """
    x = _square(x)
    try:
        return K.cholesky(x, upper)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"Cholesky decomposition failed: {error}. The input might not be a valid positive "
            "definite matrix: add a small multiple of the identity."
        ) from error


@operation
def cholesky_inverse(x: Any, upper: bool = False) -> Tensor:
    """The inverse of L Lᵀ for lower triangular `x` = L, or of Lᵀ L for `upper` triangular `x`.

    `x`: (..., n, n), else ValueError.
    """
    x = _square(x)
    y = K.solve_triangular(x, K.broadcast_to(K.eye(x.shape[-1], dtype=x.dtype), x.shape), not upper)
    turned = K.swapaxes(y, -1, -2)
    return K.matmul(y, turned) if upper else K.matmul(turned, y)


@operation
def det(x: Any) -> Tensor:
    """The determinant of matrices (..., n, n): (...,). ValueError for other shapes."""
    return K.det(_square(x))


@operation
def inv(x: Any) -> Tensor:
    """The inverse of matrices (..., n, n). ValueError for other shapes."""
    return K.inv(_square(x))


@operation
def eig(x: Any) -> tuple[Tensor, Tensor]:
    """Complex eigenvalues (..., n) and eigenvectors, the columns of (..., n, n); no derivative.

    `x`: (..., n, n), else ValueError.
    """
    return K.eig(_square(x))


@operation
def eigh(x: Any) -> tuple[Tensor, Tensor]:
    """Eigenvalues (..., n), ascending, and eigenvectors, the columns of (..., n, n), of the
    symmetric part of `x`. ValueError for other shapes."""
    return K.eigh(_square(x))


@operation
def solve(a: Any, b: Any) -> Tensor:
    """y with a y = b.

    `a`: (..., n, n). `b`: (..., n, k), or vectors (..., n) of one rank less. Result: the shape of
    `b`. ValueError where shapes do not fit.
    """
    return K.solve(*_system(a, b))


@operation
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """y with t y = b for the upper triangle t of `a`, the lower one with `lower`; see `solve`."""
    return K.solve_triangular(*_system(a, b), lower)


# Matrices of any shape


@operation
def lu_factor(x: Any) -> tuple[Tensor, Tensor]:
    """L and U in one matrix (..., m, n) with row swaps, and the int32 swaps (..., min(m, n)).

    Row i was swapped with row swaps[i], one after the other. L's diagonal of ones is left out.
    """
    return K.lu_factor(_matrix(x))


@operation
def qr(x: Any, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Orthonormal columns Q and an upper triangle R with Q R = x.

    `mode`: 'reduced' for (..., m, k) and (..., k, n) with k = min(m, n), or 'complete' for
    (..., m, m) and (..., m, n). ValueError for another mode.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(
            "`mode` argument value not supported. Expected one of 'reduced', 'complete'. "
            f"Received: mode={mode}"
        )
    return K.qr(_matrix(x), mode)


@operation
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """(U, s, Vᵀ) with U diag(s) Vᵀ = x, the singular values s descending; or s alone.

    `full_matrices`: U (..., m, m) and Vᵀ (..., n, n), else (..., m, k) and (..., k, n) with
    k = min(m, n).
    """
    x = _matrix(x)
    return K.svd(x, full_matrices) if compute_uv else K.singular_values(x)


@operation
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Tensor:
    """y that makes the norm of a y - b least, the shortest of them.

    `a`: (m, n). `b`: (m,) or (m, k). `rcond`: singular values up to this share of the largest count
    as 0; None for max(m, n) times the resolution of the dtype.
    """
    a, b = _matrix(a), K.convert_to_tensor(b)
    if b.ndim not in (1, 2) or a.ndim != 2 or a.shape[0] != b.shape[0]:
        raise ValueError(
            "lstsq expects `a` of shape (m, n) and `b` of shape (m,) or (m, k). "
            f"Received: a.shape={a.shape}, b.shape={b.shape}"
        )
    a = a if K.is_floating(a.dtype) else K.cast(a, K.floatx())
    if rcond is None:
        rcond = max(a.shape) * float(np.finfo(a.dtype).eps)
    return K.matmul(K.pinv(a, rcond), b)


@operation
def pinv(x: Any, rcond: float | None = None) -> Tensor:
    """The pseudo-inverse of matrices (..., m, n): (..., n, m).

    `rcond`: singular values up to this share of the largest count as 0; None for
    10 max(m, n) times the resolution of the dtype.
    """
    return K.pinv(_matrix(x), rcond)


@operation
def matrix_rank(x: Any, tol: float | None = None) -> Tensor:
    """How many singular values exceed `tol`; int32 (...,).

    None for max(m, n) times the resolution of the dtype times the largest singular value.
    """
    s = K.singular_values(_matrix(x))
    if tol is None:
        share = max(K.shape(x)[-2:]) * float(np.finfo(s.dtype).eps)
        return K.count_nonzero(K.greater(s, K.max(s, -1, keepdims=True) * share), -1)
    return K.count_nonzero(K.greater(s, tol), -1)


@operation
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """A norm of vectors along one `axis`, or of matrices over a pair; None: of all of `x`.

    `ord` of vectors: None or 2 (Euclidean), inf, -inf, 0, or another number p: sum(|x|^p)^(1/p).
    Of matrices: None or 'fro' (Euclidean), 'nuc' (the sum of the singular values), 2 and -2 (the
    largest and the least of them), 1 and -1, inf and -inf (the largest and the least sum of
    absolute values of a column, of a row). ValueError for others.
    """
    x = K.convert_to_tensor(x)
    x = x if K.is_floating(x.dtype) else K.cast(x, K.floatx())
    if axis is None and ord is None:
        return K.norm(x, None, None, keepdims)
    axis = tuple(range(x.ndim)) if axis is None else axis
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if ord is None or (ord == "fro" and len(axes) == 2):
        return K.norm(x, None, axes, keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return K.norm(x, ord, axes[0], keepdims)
    if len(axes) != 2 or ord not in _MATRIX_NORMS:
        raise ValueError(
            "norm expects `ord` None, a number for one axis, or 'fro', 'nuc', 1, -1, 2, -2, inf or "
            f"-inf for two axes. Received: ord={ord}, axis={axis}, x of shape {x.shape}"
        )
    y = _MATRIX_NORMS[ord](_matrix(K.moveaxis(x, axes, (-2, -1))))
    return K.expand_dims(y, tuple(a % x.ndim for a in axes)) if keepdims else y


_MATRIX_NORMS: dict[Any, Any] = {
    "nuc": lambda x: K.sum(K.singular_values(x), -1),
    2: lambda x: K.max(K.singular_values(x), -1),
    -2: lambda x: K.min(K.singular_values(x), -1),
    1: lambda x: K.max(K.sum(K.absolute(x), -2), -1),
    -1: lambda x: K.min(K.sum(K.absolute(x), -2), -1),
    math.inf: lambda x: K.max(K.sum(K.absolute(x), -1), -1),
    -math.inf: lambda x: K.min(K.sum(K.absolute(x), -1), -1),
}


def _matrix(x: Any) -> Tensor:
    x = K.convert_to_tensor(x)
    if x.ndim < 2:
        raise ValueError(f"Expected input to have rank >= 2. Received input with shape {x.shape}.")
    check_decomposition(x)
    return x


def _square(x: Any) -> Tensor:
    x = _matrix(x)
    if x.shape[-1] != x.shape[-2]:
        raise ValueError(
            f"Expected a square matrix. Received non-square input with shape {x.shape}"
        )
    return x


def _system(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    a, b = _square(a), K.convert_to_tensor(b)
    if b.ndim < 1:
        raise ValueError(f"Expected input to have rank >= 1. Received scalar input {b}.")
    rows = b.shape[-1] if a.ndim == b.ndim + 1 else b.shape[-2]
    if rows != a.shape[-1]:
        raise ValueError(
            "Incompatible shapes between `a` and `b`: `b` needs a row for each row of `a`. "
            f"Received: a.shape={a.shape}, b.shape={b.shape}"
        )
    return a, b


explain_missing(__name__)
