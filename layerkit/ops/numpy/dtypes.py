"""The float dtype that results take where Keras computes with floats alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.dtypes import result_type


def as_floats(*xs: Any) -> tuple:
    """The tensors in one float dtype: the widest among them, `floatx()` where there is none."""
    tensors = tuple(map(K.convert_to_tensor, xs))
    dtype = float_dtype(*tensors)
    return tuple(x if x.dtype == dtype else K.cast(x, dtype) for x in tensors)


def as_float(x: Any) -> Any:
    """The tensor as floats: integers and bools in `floatx()`."""
    return as_floats(x)[0]


def float_dtype(*xs: Any) -> Any:
    """The widest float dtype among those of tensors; `floatx()` where there is none."""
    floats = [x.dtype for x in xs if hasattr(x, "dtype") and K.is_floating(x.dtype)]
    return np.dtype(result_type(*floats)) if floats else K.floatx()
