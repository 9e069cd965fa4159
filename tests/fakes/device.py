"""A CuPy backend that needs no GPU: CuPy is the strict stand-in, kernels run on the CPU."""

from __future__ import annotations

import cuda_emulator

from layerkit.backend.cupy_backend import CupyBackend

from . import strict_cupy


class WithoutKernels(CupyBackend):
    """No kernel fits, so that the reference runs over the stand-in: for where g++ is absent."""

    def _fits(self, *arrays):
        return False


def strict_cupy_backend():
    """A new backend over a stand-in of its own, `backend.xp`."""
    cp = strict_cupy.make()
    cp.set_executor(cuda_emulator.run)
    return (CupyBackend if cuda_emulator.available else WithoutKernels)(cp)
