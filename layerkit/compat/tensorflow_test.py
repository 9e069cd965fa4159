"""tensorflow.test: questions about the installation."""

from __future__ import annotations

from layerkit import backend as K

__all__ = ["gpu_device_name", "is_built_with_cuda", "is_gpu_available"]


def is_gpu_available() -> bool:
    """Whether CuPy's backend is the default."""
    return K.backend() == "cupy"


is_built_with_cuda = is_gpu_available


def gpu_device_name() -> str:
    """The name of the GPU in use, '' where there is none."""
    return "/device:GPU:0" if is_gpu_available() else ""
