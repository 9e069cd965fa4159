"""A stand-in for cuBLAS: what its documentation says of products, on the memory of a fake device.

It reads the arguments as cuBLAS does: matrices column by column, leading dimensions, steps from
matrix to matrix. It refuses leading dimensions that the real one refuses, memory that no array
has, a handle without scratch memory of its own, and work that a captured graph would miss.
"""

from __future__ import annotations

import ctypes
from collections import deque
from types import SimpleNamespace
from typing import Any

import numpy as np

from .c_library import CLibrary

INVALID_VALUE, NOT_SUPPORTED = 7, 15
# NumPy knows bfloat16 once ml_dtypes is imported.
DTYPES = {0: "float32", 1: "float64", 2: "float16", 14: "bfloat16"}
COMPUTE = {68: {0, 2, 14}, 77: {0}, 70: {1}}  # of which types of matrices


class FakeCublas(CLibrary):
    """`cp`: the strict stand-in for CuPy whose arrays it multiplies.

    `executed`: what each product ran with.
    """

    prefix = "cublas"

    def __init__(self, cp: Any) -> None:
        super().__init__()
        self.cp, self.machine = cp, cp._machine
        self.calls: deque = deque(maxlen=1000)  # a whole test suite may run on one library
        self.executed: deque[SimpleNamespace] = deque(maxlen=1000)

    def GetStatusName(self, status: int) -> bytes:
        return f"CUBLAS_STATUS_{status}".encode()

    def Create_v2(self, out: int) -> None:
        self.machine.refuse_in_capture()
        self.put(out, SimpleNamespace(stream=None, workspace=0, math=0))

    def Destroy_v2(self, handle: int) -> None:
        del self.objects[handle]

    def SetStream_v2(self, handle: int, stream: int | None) -> None:
        self.objects[handle].__dict__.update(stream=stream or 0, workspace=0)

    def SetWorkspace_v2(self, handle: int, workspace: int, nbytes: int) -> None:
        assert workspace % 16 == 0
        self.machine.block(workspace, nbytes)
        self.objects[handle].workspace = nbytes

    def SetMathMode(self, handle: int, mode: int) -> None:
        self.objects[handle].math = mode

    def GemmEx(self, handle: int, ta, tb, m, n, k, alpha, *rest: Any) -> int | None:
        a, atype, lda, b, btype, ldb, beta, c, ctype, ldc, compute, algorithm = rest
        operands = (a, atype, lda, 0), (b, btype, ldb, 0), (c, ctype, ldc, 0)
        sizes = (m, n, k, 1)
        return self.multiply(handle, (ta, tb), sizes, (alpha, beta), operands, compute, algorithm)

    def GemmStridedBatchedEx(self, handle: int, ta, tb, m, n, k, alpha, *rest: Any) -> int | None:
        first, second, beta, result = rest[:4], rest[4:8], rest[8], rest[9:13]
        count, compute, algorithm = rest[13:]
        sizes, operands = (m, n, k, count), (first, second, result)
        return self.multiply(handle, (ta, tb), sizes, (alpha, beta), operands, compute, algorithm)

    def multiply(
        self, handle, operations, sizes, scalars, operands, compute, algorithm
    ) -> int | None:
        """C = alpha * op(A) op(B) + beta * C for every matrix of a batch."""
        state = self.objects[handle]
        (m, n, k, count), (ta, tb) = sizes, operations
        shapes = (k, m) if ta else (m, k), (n, k) if tb else (k, n), (m, n)
        kinds = {kind for _, kind, _, _ in operands}
        if min(sizes) < 0 or any(
            leading < max(1, rows)
            for (_, _, leading, _), (rows, _) in zip(operands, shapes, strict=True)
        ):
            return INVALID_VALUE
        if len(kinds) > 1 or not kinds <= COMPUTE.get(compute, set()) or algorithm != -1:
            return NOT_SUPPORTED
        assert state.workspace, "cuBLAS would allocate, or share, its scratch memory"
        capturing = self.machine.recording is not None
        assert capturing == self.cp.cuda.runtime.streamIsCapturing(state.stream)
        scalar = ctypes.c_double if compute == 70 else ctypes.c_float
        alpha, beta = (scalar.from_address(address).value for address in scalars)
        (a, b, c), held = zip(
            *(
                self.matrices(*operand, shape, count)
                for operand, shape in zip(operands, shapes, strict=True)
            ),
            strict=True,
        )
        a, b = (x.swapaxes(1, 2) if t else x for x, t in zip((a, b), operations, strict=True))
        accumulator = "float64" if compute == 70 else "float32"

        def work() -> None:
            assert held  # the arrays stay for as long as this may run
            left, right = (x.astype(accumulator, copy=False) for x in (a, b))
            product = alpha * np.matmul(left, right)
            c[...] = product + beta * c if beta else product

        self.executed.append(
            SimpleNamespace(compute=compute, operations=operations, count=count, **state.__dict__)
        )
        self.machine.mutate(work)
        return None

    def matrices(
        self, pointer: int, kind: int, leading: int, step: int, shape: tuple, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(count, rows, columns) of column-major matrices, and the array whose memory that is."""
        dtype, (rows, columns) = np.dtype(DTYPES[kind]), shape
        assert pointer % dtype.itemsize == 0
        extent = (count - 1) * step + (columns - 1) * leading + rows
        array = self.machine.block(pointer, extent * dtype.itemsize)
        memory = (ctypes.c_char * (extent * dtype.itemsize)).from_address(pointer)
        strides = tuple(n * dtype.itemsize for n in (step, 1, leading))
        return np.ndarray((count, rows, columns), dtype, memory, strides=strides), array
