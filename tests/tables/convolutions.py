"""Convolutions that every engine computes, and the reference they are held against."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit.backend.base import Backend

TOLERANCE = {"float32": 2e-5, "float64": 1e-12, "float16": 5e-3, "bfloat16": 4e-2}


class Reference(Backend):
    name, xp, array_type = "reference", np, np.ndarray


PLAIN = Reference()


SAME = ((1, 1), (1, 1))
GEOMETRIES = {  # x, w, strides, pads, dilation, groups
    "plain": ((2, 7, 6, 3), (3, 2, 3, 5), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "same": ((2, 6, 5, 3), (3, 3, 3, 4), (1, 1), SAME, (1, 1), 1),
    "asymmetric": ((2, 6, 5, 3), (2, 4, 3, 4), (2, 1), ((0, 1), (1, 2)), (1, 1), 1),
    "strides": ((2, 8, 9, 3), (3, 3, 3, 4), (3, 2), SAME, (1, 1), 1),
    "dilation": ((2, 9, 9, 2), (3, 3, 2, 4), (1, 1), ((2, 2), (1, 1)), (2, 1), 1),
    "groups": ((2, 6, 6, 6), (3, 3, 2, 9), (1, 1), SAME, (1, 1), 3),
    "depthwise": ((2, 6, 6, 4), (3, 3, 1, 8), (2, 2), ((0, 1), (0, 1)), (1, 1), 4),
    "cut": ((2, 8, 8, 2), (2, 2, 2, 3), (2, 2), ((-1, 0), (0, -1)), (1, 1), 1),
    "pointwise": ((2, 4, 5, 3), (1, 1, 3, 6), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "1-d": ((2, 9, 3), (3, 3, 4), (2,), ((1, 1),), (1,), 1),
    "1-d causal": ((2, 9, 3), (3, 3, 4), (1,), ((4, 0),), (2,), 1),
}


class PoisonedNumpy:
    """NumPy whose fresh memory is full of NaN."""

    def __getattr__(self, name):
        return getattr(np, name)

    def empty(self, shape, dtype):
        return np.full(shape, np.nan, dtype)


class HostDevice:
    xp, number, stream = PoisonedNumpy(), 0, 0x7F0000000001

    def id(self):
        return self.number

    def stream_pointer(self):
        return self.stream

    def empty(self, nbytes):
        return np.empty(nbytes, "uint8")

    def pointer(self, array):
        assert array.flags.c_contiguous
        return array.ctypes.data


def dtype_of(name):
    return np.dtype(name if name != "bfloat16" else pytest.importorskip("ml_dtypes").bfloat16)


def normal(*shape, dtype="float64"):
    return np.random.default_rng(len(shape)).normal(size=shape).astype(dtype)


def check(anywhere, kernel, arrays, arguments, optional=False):
    """cuDNN's result, in the host's memory, once it is known to be the reference's."""
    engines, put, get = anywhere
    run = engines.engine_for(kernel, tuple(map(put, arrays)), *arguments)
    if run is None and optional and get is not np.asarray:
        pytest.skip("this cuDNN has no algorithm")
    assert run is not None
    result = get(run(*map(put, arrays)))
    wide = [array.astype("float64") for array in arrays]
    expected = getattr(PLAIN, kernel)(*wide, *arguments)
    assert result.dtype == arrays[0].dtype and result.shape == expected.shape
    tolerance = TOLERANCE[arrays[0].dtype.name] * max(1, np.abs(expected).max())
    np.testing.assert_allclose(result.astype("float64"), expected, rtol=0, atol=tolerance)
    return result
