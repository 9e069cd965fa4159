"""The float dtype that results take where Keras computes with floats alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.dtypes import result_type


def as_floats(*xs: Any) -> tuple:
    """The tensors in one float dtype: the widest among them, `floatx()` where there is none."""
    given = [x if isinstance(x, (int, float)) else K.convert_to_tensor(x) for x in xs]
    dtype = float_dtype(*given)  # Python's numbers take that of the tensors beside them
    return tuple(x if hasattr(x, "dtype") and x.dtype == dtype else K.cast(x, dtype) for x in given)


def as_float(x: Any) -> Any:
    """The tensor as floats: integers and bools in `floatx()`."""
    return as_floats(x)[0]


def float_dtype(*xs: Any) -> Any:
    """The widest float dtype among those of tensors; `floatx()` where there is none."""
    floats = [x.dtype for x in xs if hasattr(x, "dtype") and K.is_floating(x.dtype)]
    return np.dtype(result_type(*floats)) if floats else K.floatx()
