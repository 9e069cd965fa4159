"""NVIDIA's cuBLAS through ctypes: products of matrices that a CUDA graph can contain.

It gives the CuPy backend `Cublas.open(device)`, once, and then `matmul`, which decides for each
call whether cuBLAS computes it. CuPy's own products refuse to run while a stream captures; they
also copy transposed batches, and widen batches of halves to float32.
https://docs.nvidia.com/cuda/cublas/
"""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import threading
import warnings
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .nvidia import Device, Flags, Library

_log = logging.getLogger(__name__)

# Values are those of NVIDIA's headers.
_DATA_TYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}
_COMPUTE_32F, _COMPUTE_64F, _COMPUTE_32F_FAST_TF32 = 68, 70, 77
_DEFAULT_MATH, _NO_REDUCED_PRECISION_REDUCTION = 0, 16
_AS_IT_IS, _TRANSPOSED = 0, 1
_DEFAULT_ALGORITHM = -1
_LARGEST = 2**31 - 1

_WORKSPACE_BYTES = 32 * 2**20  # what NVIDIA advises for Hopper; more than older ones want


class CublasError(RuntimeError):
    """A function of cuBLAS failed; `status` is what it returned."""

    def __init__(self, function: str, status: int, text: str) -> None:
        self.status = status
        super().__init__(
            f"{function} failed with {text} (status {status}). The environment variable "
            "LAYERKIT_CUBLAS=0 leaves products of matrices to CuPy."
        )


class Cublas(Library):
    """An open libcublas, with the handles and scratch memory that products need."""

    handle_functions = ("cublasCreate_v2", "cublasDestroy_v2", "cublasSetStream_v2")

    @classmethod
    def open(cls, device: Device, flags: Flags | None = None) -> Cublas | None:
        """cuBLAS on `device`, or None where it is not installed or LAYERKIT_CUBLAS is 0."""
        library = load_library()
        if library is None:
            return None
        try:
            cublas = cls(library, device, flags)
            cublas.handle()
        except (AttributeError, CublasError) as error:
            warnings.warn(
                f"cuBLAS was found ({library._name}) but does not start: {error} Products of "
                "matrices run by CuPy's, which no CUDA graph can contain; LAYERKIT_CUBLAS=0 "
                "silences this warning.",
                RuntimeWarning,
                stacklevel=2,
            )
            return None
        return cublas

    def __init__(self, library: Any, device: Device, flags: Flags | None = None) -> None:
        super().__init__(library, device, _SIGNATURES, {"cublasGetStatusName": ctypes.c_char_p})
        self.flags = flags or Flags()  # of which `tf32` matters; every sum is deterministic here
        self._workspaces: dict[tuple, Any] = {}
        # Shapes recur from step to step; those long gone are dropped.
        self._product = functools.lru_cache(maxsize=4096)(_product)

    def matmul(self, a: Any, b: Any, out: Any = None) -> Any:
        """As `Backend.matmul`, or None where another has to compute it.

        `a` (..., m, k), `b` (..., k, n): both float16, bfloat16, float32 or float64, and not
        empty. Halves are added up in float32. Transposed matrices and repeated ones are read where
        they are; what has no constant strides is copied first. CublasError where cuBLAS fails.
        """
        if a.dtype != b.dtype:
            return None
        plan = self._product(a.dtype, self.flags.tf32, a.shape, a.strides, b.shape, b.strides)
        if plan is None:
            return None
        if out is None:
            out = self.device.xp.empty(plan.shape, a.dtype)
        elif out.shape != plan.shape or out.dtype != a.dtype or not out.flags.c_contiguous:
            return None
        if any(plan.copied):
            a, b = map(self._copied, (a, b), plan.copied)
            return self.matmul(a, b, out)
        pointer = self.device.pointer
        self.call(
            plan.function,
            self.handle(),
            *plan.sizes,
            *(plan.one, pointer(b), *plan.second),
            *(pointer(a), *plan.first),
            *(plan.zero, pointer(out), *plan.result),
        )
        return out

    def _copied(self, x: Any, shape: tuple[int, ...] | None) -> Any:
        """`x`, or a C-contiguous copy of it, broadcast to `shape`."""
        xp = self.device.xp
        return x if shape is None else xp.ascontiguousarray(xp.broadcast_to(x, shape))

    def _error(self, function: str, status: int) -> CublasError:
        text = self._functions["cublasGetStatusName"](status).decode()
        return CublasError(function, status, text)

    def _new_handle(self) -> ctypes.c_void_p:
        handle = super()._new_handle()
        mode = _DEFAULT_MATH | _NO_REDUCED_PRECISION_REDUCTION  # halves meet as float32 sums
        self.call("cublasSetMathMode", handle, mode)
        return handle

    def _bind(self, handle: ctypes.c_void_p, stream: int) -> None:
        """Bind to `stream`, and to scratch memory of its own, which binding makes cuBLAS forget.

        With that memory nothing is allocated during capture, and the same bits come out whatever
        other streams do. It is never freed: graphs that were captured go on using it.
        """
        super()._bind(handle, stream)
        key = threading.get_ident(), self.device.id(), stream
        if key not in self._workspaces:
            self._workspaces[key] = self.device.empty(_WORKSPACE_BYTES)
        address = self.device.pointer(self._workspaces[key])
        self.call("cublasSetWorkspace_v2", handle, address, _WORKSPACE_BYTES)


@dataclass(frozen=True)
class _Product:
    """A product for arrays of one dtype, shapes and strides: what cuBLAS is told but pointers.

    cuBLAS counts along columns first, so that C-contiguous matrices are their transposes to it: it
    computes out.T = b.T @ a.T, and takes `b` before `a`. `copied`: the shape to which an operand
    must be copied first, None where it is read as it is.
    """

    shape: tuple[int, ...]
    copied: tuple[tuple[int, ...] | None, tuple[int, ...] | None]
    function: str = ""
    sizes: tuple[int, ...] = ()
    first: tuple[int, ...] = ()
    second: tuple[int, ...] = ()
    result: tuple[int, ...] = ()
    one: Any = None
    zero: Any = None


def _product(
    dtype: Any, tf32: bool, a_shape: tuple, a_strides: tuple, b_shape: tuple, b_strides: tuple
) -> _Product | None:
    """The product of such arrays, or None where it is not one for cuBLAS."""
    if dtype.name not in _DATA_TYPES or min(len(a_shape), len(b_shape)) < 2:
        return None
    (m, k), (rows, n) = a_shape[-2:], b_shape[-2:]
    try:
        lead = np.broadcast_shapes(a_shape[:-2], b_shape[:-2])
    except ValueError:
        return None
    count = prod(lead)
    sizes = (m, n, k, count)
    if k != rows or min(sizes) < 1 or max(sizes) > _LARGEST:
        return None
    first = _operand(a_shape, a_strides, lead, dtype.itemsize)
    second = _operand(b_shape, b_strides, lead, dtype.itemsize)
    shape = (*lead, m, n)
    if first is None or second is None:
        return _Product(
            shape,
            (
                None if first else _copy_shape(a_shape, lead, dtype.itemsize),
                None if second else _copy_shape(b_shape, lead, dtype.itemsize),
            ),
        )
    if max(first.leading, second.leading) > _LARGEST:
        return None
    wide = dtype.name == "float64"
    scalar = ctypes.c_double if wide else ctypes.c_float
    narrow = _COMPUTE_32F_FAST_TF32 if tf32 and dtype.name == "float32" else _COMPUTE_32F
    last = (_COMPUTE_64F if wide else narrow, _DEFAULT_ALGORITHM)
    kind = _DATA_TYPES[dtype.name]
    batched = count > 1
    return _Product(
        shape,
        (None, None),
        "cublasGemmStridedBatchedEx" if batched else "cublasGemmEx",
        (second.operation, first.operation, n, m, k),
        (kind, first.leading, *([first.step] if batched else [])),
        (kind, second.leading, *([second.step] if batched else [])),
        (kind, n, *([m * n, count] if batched else []), *last),
        ctypes.byref(scalar(1)),
        ctypes.byref(scalar(0)),
    )


@dataclass(frozen=True)
class _Operand:
    """A batch of matrices: an operation, leading dimension and step, in elements."""

    operation: int
    leading: int
    step: int


def _operand(shape: tuple, strides: tuple, lead: tuple, itemsize: int) -> _Operand | None:
    """Matrices broadcast to a batch of shape `lead`, or None where strides cannot say it."""
    if any(stride % itemsize for stride in strides):
        return None
    *outer, down, across = (stride // itemsize for stride in strides)
    rows, columns = shape[-2:]
    matrix = _matrix(rows, columns, down, across)
    outer = [0] * (len(lead) - len(outer)) + [
        0 if size == 1 else stride for size, stride in zip(shape[:-2], outer, strict=True)
    ]
    step = _step(lead, outer)
    return None if matrix is None or step is None else _Operand(*matrix, step)


def _copy_shape(shape: tuple, lead: tuple, itemsize: int) -> tuple[int, ...]:
    """The shape of a copy that `_operand` takes: the same or, if need be, with all repetitions."""
    strides = tuple(prod(shape[axis + 1 :]) * itemsize for axis in range(len(shape)))
    return shape if _operand(shape, strides, lead, itemsize) else (*lead, *shape[-2:])


def _matrix(rows: int, columns: int, down: int, across: int) -> tuple[int, int] | None:
    """(operation, leading dimension) of a matrix whose strides are `down` and `across`."""
    if (across == 1 or columns == 1) and (down >= columns or rows == 1):
        return _AS_IT_IS, columns if rows == 1 else down
    if (down == 1 or rows == 1) and across >= rows:
        return _TRANSPOSED, across
    return None


def _step(lead: tuple, strides: list) -> int | None:
    """The one stride along all axes of a batch, if there is one that is not negative."""
    axes = [(n, stride) for n, stride in zip(lead, strides, strict=True) if n > 1]
    for (_, stride), (n, inner) in zip(axes, axes[1:], strict=False):
        if stride != n * inner:
            return None
    step = axes[-1][1] if axes else 0
    return step if step >= 0 else None


# Arguments of every function used; see `Library`.
_SIGNATURES = {
    "cublasGetStatusName": "i",
    "cublasCreate_v2": "p",
    "cublasDestroy_v2": "p",
    "cublasSetStream_v2": "pp",
    "cublasSetWorkspace_v2": "ppz",
    "cublasSetMathMode": "pi",
    "cublasGemmEx": "piiiiippiipiippiiii",
    "cublasGemmStridedBatchedEx": "piiiiippiiqpiiqppiiqiii",
}


def load_library() -> ctypes.CDLL | None:
    """The libcublas that CuPy uses, or the system's; None without, or if switched off."""
    if os.environ.get("LAYERKIT_CUBLAS") == "0":
        return None
    for path in (*_found_like_cupy(), "libcublas.so.13", "libcublas.so.12"):
        try:
            return ctypes.CDLL(path)
        except OSError as error:
            _log.info("%s is not loaded: %s", path, error)
    return None


def _found_like_cupy() -> list[str]:
    """Where the package with which CuPy looks for CUDA's libraries finds this one."""
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib  # comes with CuPy
    except ImportError:
        return []
    try:
        path = load_nvidia_dynamic_lib("cublas").abs_path
    except RuntimeError as error:
        _log.info("cuda.pathfinder: %s", error)
        return []
    return [path] if path else []
