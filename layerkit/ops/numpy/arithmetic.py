"""Arithmetic element by element: sums to remainders, powers and roots, rounding, bounds.

`x1` and `x2` are broadcast together. Results have Keras's dtypes: integers beside floats become
floats, quotients and roots of integers are `floatx()`.
"""

from __future__ import annotations

import math
from typing import Any

from layerkit import backend as K

from ...symbolic import operation
from .dtypes import as_float, as_floats

absolute = operation(K.absolute)
add = operation(K.add)
cbrt = operation(K.cbrt)
ceil = operation(K.ceil)
divide = operation(K.divide)
floor = operation(K.floor)
floor_divide = operation(K.floor_divide)
fmod = operation(K.fmod)
gcd = operation(K.gcd)
hypot = operation(K.hypot)
lcm = operation(K.lcm)
maximum = operation(K.maximum)
minimum = operation(K.minimum)
mod = operation(K.mod)
multiply = operation(K.multiply)
nan_to_num = operation(K.nan_to_num)
negative = operation(K.negative)
nextafter = operation(K.nextafter)
power = operation(K.power)
reciprocal = operation(K.reciprocal)
round = operation(K.round)
sign = operation(K.sign)
sqrt = operation(K.sqrt)
square = operation(K.square)
subtract = operation(K.subtract)
trunc = operation(K.trunc)


@operation
def abs(x: Any) -> Any:
    """The absolute value: `absolute` by its short name."""
    return K.absolute(x)


@operation
def fabs(x: Any) -> Any:
    """The absolute value as a float."""
    return K.absolute(as_float(x))


@operation
def true_divide(x1: Any, x2: Any) -> Any:
    """x1 / x2: `divide` by its other name."""
    return K.divide(x1, x2)


@operation
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """x1 / x2, and 0 where x2 is 0."""
    x1, x2 = as_floats(x1, x2)
    return K.where(x2 == 0, 0.0, x1 / K.where(x2 == 0, 1.0, x2))


@operation
def fmax(x1: Any, x2: Any) -> Any:
    """The larger of x1 and x2; where one is nan, the other."""
    return K.where(K.logical_or(K.greater(x1, x2), K.isnan(x2)), x1, x2)


@operation
def fmin(x1: Any, x2: Any) -> Any:
    """The smaller of x1 and x2; where one is nan, the other."""
    return K.where(K.logical_or(K.less(x1, x2), K.isnan(x2)), x1, x2)


@operation
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """x limited to [x_min, x_max], in the dtype of x; bools as int32."""
    x = K.convert_to_tensor(x)
    return K.clip(K.cast(x, "int32") if x.dtype == bool else x, x_min, x_max)


@operation
def heaviside(x1: Any, x2: Any) -> Any:
    """0 where x1 < 0, 1 where x1 > 0, x2 where it is 0; nan stays nan."""
    x1, x2 = as_floats(x1, x2)
    step = K.where(K.isnan(x1), x1, K.cast(x1 > 0, x1.dtype))
    return K.where(x1 == 0, x2, step)


@operation
def ldexp(x1: Any, x2: Any) -> Any:
    """x1 * 2**x2. TypeError for an x2 that is not of integers."""
    x2 = K.convert_to_tensor(x2)
    if x2.dtype.kind not in "iu":
        raise TypeError(
            f"ldexp exponent must be an integer type. Received: x2 dtype={x2.dtype}. "
            "Give x2 as integers, or compute x1 * 2.0**x2."
        )
    return K.ldexp(x1, x2)


@operation
def deg2rad(x: Any) -> Any:
    """Degrees in radians."""
    return as_float(x) * (math.pi / 180)


@operation
def rad2deg(x: Any) -> Any:
    """Radians in degrees."""
    return as_float(x) * (180 / math.pi)


# Parts of complex numbers, where every tensor is real.


@operation
def angle(x: Any) -> Any:
    """The angle of x in the complex plane, in radians: pi for negative numbers, 0 for others."""
    return K.arctan2(0.0, K.stop_gradient(as_float(x)))


@operation
def conj(x: Any) -> Any:
    """The complex conjugate: of a real number, itself."""
    return K.convert_to_tensor(x)


@operation
def conjugate(x: Any) -> Any:
    """The complex conjugate: of a real number, itself."""
    return K.convert_to_tensor(x)


@operation
def imag(x: Any) -> Any:
    """The imaginary part: of a real number, 0."""
    return K.zeros_like(x)


@operation
def real(x: Any) -> Any:
    """The real part: of a real number, itself."""
    return K.convert_to_tensor(x)
