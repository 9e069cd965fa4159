"""Exponentials, logarithms, trigonometry and windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K

from ...symbolic import operation

arccos = operation(K.arccos)
arccosh = operation(K.arccosh)
arcsin = operation(K.arcsin)
arcsinh = operation(K.arcsinh)
arctan = operation(K.arctan)
arctan2 = operation(K.arctan2)
arctanh = operation(K.arctanh)
cos = operation(K.cos)
cosh = operation(K.cosh)
exp = operation(K.exp)
exp2 = operation(K.exp2)
expm1 = operation(K.expm1)
i0 = operation(K.i0)
log = operation(K.log)
log10 = operation(K.log10)
log1p = operation(K.log1p)
log2 = operation(K.log2)
logaddexp = operation(K.logaddexp)
logaddexp2 = operation(K.logaddexp2)
sin = operation(K.sin)
sinc = operation(K.sinc)
sinh = operation(K.sinh)
tan = operation(K.tan)
tanh = operation(K.tanh)

# Windows for spectra: vectors of x points, in `floatx()`.


def bartlett(x: Any) -> Any:
    """The triangle of x points from 0 to 1 and back."""
    return _window(np.bartlett, x)


def blackman(x: Any) -> Any:
    """0.42 - 0.5 cos(t) + 0.08 cos(2 t), for x values of t from 0 to 2 pi."""
    return _window(np.blackman, x)


def hamming(x: Any) -> Any:
    """0.54 - 0.46 cos(t), for x values of t from 0 to 2 pi."""
    return _window(np.hamming, x)


def hanning(x: Any) -> Any:
    """0.5 - 0.5 cos(t), for x values of t from 0 to 2 pi."""
    return _window(np.hanning, x)


def kaiser(x: Any, beta: Any) -> Any:
    """i0(beta * sqrt(1 - t**2)) / i0(beta), for x values of t from -1 to 1."""
    return _window(np.kaiser, x, float(beta))


def _window(function: Any, x: Any, *options: Any) -> Any:
    return K.convert_to_tensor(function(int(x), *options), K.floatx())
