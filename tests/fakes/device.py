"""A CuPy backend that needs no GPU: CuPy and cuBLAS are stand-ins, kernels run on the CPU."""

from __future__ import annotations

import cuda_emulator

from layerkit.backend.cublas import Cublas
from layerkit.backend.cupy_backend import CupyBackend
from layerkit.backend.nvidia import CupyDevice

from . import strict_cupy
from .cublas import FakeCublas


class WithoutKernels(CupyBackend):
    """No kernel fits, so that the reference runs over the stand-in: for where g++ is absent."""

    def _fits(self, *arrays):
        return False


def strict_cupy_backend():
    """A new backend over a stand-in of its own, `backend.xp`."""
    cp = strict_cupy.make()
    cp.set_executor(cuda_emulator.run)
    backend = (CupyBackend if cuda_emulator.available else WithoutKernels)(cp)
    backend._cublas = Cublas(FakeCublas(cp), CupyDevice(cp))
    return backend
