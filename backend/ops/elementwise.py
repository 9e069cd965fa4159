"""Operations element by element: arithmetic, exponentials, trigonometry, comparison, choice.

Dtypes: floats stay what they are, Python numbers take the dtype of the array beside them, and
where integers meet floats the result is a float of the float's size, or `floatx()` where there
is none (NumPy would answer float64).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from ..autodiff import convert_to_tensor, natural_dtype, primitive
from ..by_value import FUSED
from ..config import floatx, is_floating
from ..registry import backend_of, beside, namespace

__all__ = [
    "abs",
    "absolute",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "cast",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "divide",
    "equal",
    "erf",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log10",
    "log1p",
    "log2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nan_to_num",
    "negative",
    "not_equal",
    "power",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "stop_gradient",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "where",
]


def promote(x1: Any, x2: Any) -> tuple:
    """Two operands, at least one of them an array, such that `x1 * x2` has Keras's dtype."""
    kind1 = x1.dtype.kind if hasattr(x1, "dtype") else type(x1)
    kind2 = x2.dtype.kind if hasattr(x2, "dtype") else type(x2)
    if kind1 == kind2 or (kind1 == "f" and kind2 in _NUMBERS):
        return x1, x2
    if x1 is None or x2 is None:
        raise TypeError("Expected two tensors or numbers; received None.")
    return _beside(x1, kind1, x2, kind2), _beside(x2, kind2, x1, kind1)


_NUMBERS = (float, int, bool)


def _beside(x: Any, kind: Any, other: Any, other_kind: Any) -> Any:
    if kind in _NUMBERS or kind not in "biu":
        return x
    if other_kind == "f":
        return x.astype(other.dtype)
    if other_kind is float:
        return x.astype(floatx())
    return x.astype("int32") if kind == "b" and other_kind is int else x


def promote_all(xs: tuple) -> tuple:
    """The same for any number of arrays: integers beside floats become floats of their size."""
    floats = [x.dtype for x in xs if x.dtype.kind == "f"]
    if not floats or len(floats) == len(xs):
        return xs
    widest = max(floats, key=lambda dtype: dtype.itemsize)
    return tuple(x.astype(widest) for x in xs)


def floating(x: Any) -> Any:
    """Integers and bools as `floatx()`; floats and Python numbers as they are."""
    return x.astype(floatx()) if hasattr(x, "dtype") and x.dtype.kind in "biu" else x


def whole(x: Any) -> Any:
    """Bools as int32, to count with; others as they are."""
    return x.astype("int32") if hasattr(x, "dtype") and x.dtype.kind == "b" else x


def by_value(activation: str, x: Any) -> tuple:
    """Value and vjp of an activation of `BY_VALUE`, for a body of an operation."""
    x = whole(x)
    backend = backend_of(x)
    y = backend.bias_activation(x, None, activation)
    return y, lambda g: backend.bias_activation_grad(g, y, activation)


def _module(x1: Any, x2: Any) -> Any:
    return namespace(x1 if hasattr(x1, "dtype") else x2)


# Arithmetic


@primitive
def add(x1: Any, x2: Any, /) -> tuple:
    """x1 + x2."""
    x1, x2 = promote(x1, x2)
    return x1 + x2, lambda g: g, lambda g: g


@primitive
def subtract(x1: Any, x2: Any, /) -> tuple:
    """x1 - x2."""
    x1, x2 = promote(x1, x2)
    return x1 - x2, lambda g: g, lambda g: -g


@primitive
def multiply(x1: Any, x2: Any, /) -> tuple:
    """x1 * x2."""
    x1, x2 = promote(x1, x2)
    return x1 * x2, lambda g: g * x2, lambda g: g * x1


@primitive
def divide(x1: Any, x2: Any, /) -> tuple:
    """x1 / x2; integers are divided in `floatx()`."""
    x1, x2 = map(floating, promote(x1, x2))
    y = x1 / x2
    return y, lambda g: g / x2, lambda g: -g * y / x2


true_divide = divide


@primitive
def floor_divide(x1: Any, x2: Any, /) -> tuple:
    """The largest whole number not above x1 / x2; no derivative."""
    x1, x2 = promote(whole(x1), whole(x2))
    return (x1 // x2,)


@primitive
def mod(x1: Any, x2: Any, /) -> tuple:
    """x1 - floor(x1 / x2) * x2: the remainder with the sign of x2."""
    x1, x2 = promote(whole(x1), whole(x2))
    return x1 % x2, lambda g: g, lambda g: -g * (x1 // x2)


@primitive
def power(x1: Any, x2: Any, /) -> tuple:
    """x1 ** x2. Where x1 <= 0, the derivative with respect to x2 is taken as 0."""
    x1, x2 = promote(whole(x1), whole(x2))
    y = x1**x2
    xp = namespace(y)

    def vjp_base(g: Any) -> Any:
        if not hasattr(x2, "dtype"):
            return g * (x2 * x1 ** (x2 - 1)) if x2 else xp.zeros_like(g)
        return g * x2 * x1 ** xp.where(x2 == 0, 1, x2 - 1)

    def vjp_exponent(g: Any) -> Any:
        base = x1 if hasattr(x1, "dtype") else xp.full((), x1, dtype=y.dtype)
        base = base.astype(y.dtype, copy=False)
        return g * y * xp.log(xp.where(base > 0, base, 1))

    return y, vjp_base, vjp_exponent


@primitive
def negative(x: Any, /) -> tuple:
    """-x."""
    return -x, lambda g: -g


@primitive
def absolute(x: Any, /) -> tuple:
    """The absolute value; its derivative at 0 is 0."""
    xp = namespace(x)
    return xp.abs(x), lambda g: g * xp.sign(x)


abs = absolute


@primitive
def sign(x: Any, /) -> tuple:
    """-1, 0 or 1; no derivative."""
    return (namespace(x).sign(x),)


@primitive
def square(x: Any, /) -> tuple:
    """x * x."""
    x = whole(x)
    return x * x, lambda g: g * (2 * x)


@primitive
def reciprocal(x: Any, /) -> tuple:
    """1 / x."""
    y = 1 / floating(x)
    return y, lambda g: -g * y * y


@primitive
def sqrt(x: Any, /) -> tuple:
    """The square root; its derivative at 0 is infinite."""
    y = namespace(x).sqrt(floating(x))
    return y, lambda g: g / (2 * y)


@primitive
def rsqrt(x: Any, /) -> tuple:
    """1 / sqrt(x)."""
    y = 1 / namespace(x).sqrt(floating(x))
    return y, lambda g: g * (-0.5 * y * y * y)


# Exponentials and logarithms


@primitive
def exp(x: Any, /) -> tuple:
    """e ** x."""
    y = namespace(x).exp(floating(x))
    return y, lambda g: g * y


@primitive
def expm1(x: Any, /) -> tuple:
    """exp(x) - 1, exact for small x."""
    y = namespace(x).expm1(floating(x))
    return y, lambda g: g * (y + 1)


@primitive
def log(x: Any, /) -> tuple:
    """The natural logarithm."""
    x = floating(x)
    return namespace(x).log(x), lambda g: g / x


@primitive
def log1p(x: Any, /) -> tuple:
    """log(1 + x), exact for small x."""
    x = floating(x)
    return namespace(x).log1p(x), lambda g: g / (1 + x)


@primitive
def log2(x: Any, /) -> tuple:
    """The logarithm to base 2."""
    x = floating(x)
    return namespace(x).log2(x), lambda g: g / (x * math.log(2))


@primitive
def log10(x: Any, /) -> tuple:
    """The logarithm to base 10."""
    x = floating(x)
    return namespace(x).log10(x), lambda g: g / (x * math.log(10))


@primitive
def erf(x: Any, /) -> tuple:
    """The error function, exact to rounding: 2 / sqrt(pi) * integral of exp(-t**2) from 0 to x."""
    x = floating(x)
    xp = namespace(x)
    limit, degree = (6.0, 40) if x.dtype == "float64" else (4.0, 16)
    inside = xp.clip(x, -limit, limit)  # beyond, erf is 1 in this dtype
    s = inside * inside * (2 / limit**2) - 1
    first, *rest = _erf_coefficients(limit, degree)
    p = xp.full_like(s, first)
    for coefficient in rest:  # Horner's scheme
        p *= s
        p += coefficient
    return inside * p, lambda g: g * (2 / math.sqrt(math.pi)) * xp.exp(-x * x)


@cache
def _erf_coefficients(limit: float, degree: int) -> list[float]:
    """p with erf(x) = x * p(s), s = 2 * (x / limit)**2 - 1 in [-1, 1]; highest power first.

    erf(x) / x is smooth and even, so interpolation at Chebyshev's points converges fast.
    """

    from numpy.polynomial import chebyshev  # slow to import, and only erf needs it

    def ratio(s: Any) -> Any:
        roots = [limit * math.sqrt((point + 1) / 2) for point in s.tolist()]
        return [math.erf(x) / x for x in roots]

    series: Any = chebyshev.chebinterpolate(ratio, degree)
    return chebyshev.cheb2poly(series)[::-1].tolist()


# Trigonometry


@primitive
def sin(x: Any, /) -> tuple:
    """The sine of x in radians."""
    x, xp = floating(x), namespace(x)
    return xp.sin(x), lambda g: g * xp.cos(x)


@primitive
def cos(x: Any, /) -> tuple:
    """The cosine of x in radians."""
    x, xp = floating(x), namespace(x)
    return xp.cos(x), lambda g: -g * xp.sin(x)


@primitive
def tan(x: Any, /) -> tuple:
    """The tangent of x in radians."""
    y = namespace(x).tan(floating(x))
    return y, lambda g: g * (1 + y * y)


@primitive
def arcsin(x: Any, /) -> tuple:
    """The angle in [-pi/2, pi/2] whose sine is x."""
    x, xp = floating(x), namespace(x)
    return xp.arcsin(x), lambda g: g / xp.sqrt(1 - x * x)


@primitive
def arccos(x: Any, /) -> tuple:
    """The angle in [0, pi] whose cosine is x."""
    x, xp = floating(x), namespace(x)
    return xp.arccos(x), lambda g: -g / xp.sqrt(1 - x * x)


@primitive
def arctan(x: Any, /) -> tuple:
    """The angle in [-pi/2, pi/2] whose tangent is x."""
    x = floating(x)
    return namespace(x).arctan(x), lambda g: g / (1 + x * x)


@primitive
def arctan2(x1: Any, x2: Any, /) -> tuple:
    """The angle in [-pi, pi] of the point with ordinate x1 and abscissa x2."""
    x1, x2 = map(floating, promote(x1, x2))
    y = _module(x1, x2).arctan2(x1, x2)
    return y, lambda g: g * x2 / (x1 * x1 + x2 * x2), lambda g: -g * x1 / (x1 * x1 + x2 * x2)


@primitive
def sinh(x: Any, /) -> tuple:
    """The hyperbolic sine."""
    x, xp = floating(x), namespace(x)
    return xp.sinh(x), lambda g: g * xp.cosh(x)


@primitive
def cosh(x: Any, /) -> tuple:
    """The hyperbolic cosine."""
    x, xp = floating(x), namespace(x)
    return xp.cosh(x), lambda g: g * xp.sinh(x)


@primitive
def tanh(x: Any, /) -> tuple:
    """The hyperbolic tangent."""
    return by_value("tanh", floating(x))


FUSED[tanh] = "tanh"


@primitive
def arcsinh(x: Any, /) -> tuple:
    """The inverse of sinh."""
    x, xp = floating(x), namespace(x)
    return xp.arcsinh(x), lambda g: g / xp.sqrt(x * x + 1)


@primitive
def arccosh(x: Any, /) -> tuple:
    """The inverse of cosh for x >= 1."""
    x, xp = floating(x), namespace(x)
    return xp.arccosh(x), lambda g: g / xp.sqrt(x * x - 1)


@primitive
def arctanh(x: Any, /) -> tuple:
    """The inverse of tanh."""
    x, xp = floating(x), namespace(x)
    return xp.arctanh(x), lambda g: g / (1 - x * x)


# Choice


@primitive
def maximum(x1: Any, x2: Any, /) -> tuple:
    """The larger of x1 and x2; where they are equal each gets half of the gradient."""
    x1, x2 = promote(x1, x2)
    y = _module(x1, x2).maximum(x1, x2)
    return y, lambda g: _share(g, x1 > x2, x1 == x2), lambda g: _share(g, x2 > x1, x1 == x2)


@primitive
def minimum(x1: Any, x2: Any, /) -> tuple:
    """The smaller of x1 and x2; where they are equal each gets half of the gradient."""
    x1, x2 = promote(x1, x2)
    y = _module(x1, x2).minimum(x1, x2)
    return y, lambda g: _share(g, x1 < x2, x1 == x2), lambda g: _share(g, x2 < x1, x1 == x2)


def _share(g: Any, won: Any, tied: Any) -> Any:
    return g * won + (0.5 * g) * tied


@primitive
def clip(x: Any, x_min: Any, x_max: Any, /) -> tuple:
    """x limited to [x_min, x_max], bounds included in the part with a gradient; None: no bound.

    The dtype is that of x. Bounds that are tensors get the gradient of what they cut off.
    """
    if not hasattr(x, "dtype"):  # a number between bounds that are tensors
        x = beside(convert_to_tensor(x).array, x_max if x_min is None else x_min)
    y = x.clip(x_min, x_max)

    def below() -> Any:
        return x < (-math.inf if x_min is None else x_min)

    def above() -> Any:
        return x > (math.inf if x_max is None else x_max)

    return (
        y if y.dtype == x.dtype else y.astype(x.dtype),
        lambda g: g * ~(below() | above()),
        lambda g: g * below(),
        lambda g: g * above(),
    )


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """x1 where the condition holds, else x2, broadcast together; the other one gets no gradient.

    With the condition alone: the indices where it holds, one int32 tensor per axis.
    """
    if x1 is None and x2 is None:
        return _places(condition)
    if x1 is None or x2 is None:
        raise ValueError(
            "`x1` and `x2` either both should be `None` or both should have a value. "
            f"Received: x1={x1}, x2={x2}"
        )
    return _where(condition, x1, x2)


@primitive
def _places(condition: Any, /) -> tuple:
    return (tuple(index.astype("int32") for index in namespace(condition).nonzero(condition)),)


@primitive
def _where(condition: Any, x1: Any, x2: Any, /) -> tuple:
    if not hasattr(x1, "dtype") and not hasattr(x2, "dtype"):
        x1 = namespace(condition).full((), x1, dtype=natural_dtype(x1))
    x1, x2 = promote(x1, x2)
    xp = _module(condition, x1)
    condition = xp.asarray(condition, dtype=bool)
    y = xp.where(condition, x1, x2)
    return y, None, lambda g: xp.where(condition, g, 0), lambda g: xp.where(condition, 0, g)


@primitive
def nan_to_num(
    x: Any, /, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> tuple:
    """x with nan and the infinities replaced (by 0, the largest and the smallest number)."""
    xp = namespace(x)
    y = xp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
    return y, lambda g: g * xp.isfinite(x)


@primitive
def cast(x: Any, /, dtype: Any) -> tuple:
    """x in another dtype; between floats the gradient is cast back."""
    y = x.astype(dtype, copy=False)
    return (y, lambda g: g) if is_floating(y.dtype) else (y,)


@primitive
def stop_gradient(variable: Any, /) -> tuple:
    """The same values as a constant: no gradient flows back through the result."""
    return (variable,)


# Rounding; no derivatives


@primitive
def round(x: Any, /, decimals: int = 0) -> tuple:
    """x rounded to `decimals`, halves to the even neighbour; no derivative."""
    return (whole(x).round(decimals),)


@primitive
def floor(x: Any, /) -> tuple:
    """The largest whole number not above x; no derivative."""
    return (namespace(x).floor(floating(x)),)


@primitive
def ceil(x: Any, /) -> tuple:
    """The smallest whole number not below x; no derivative."""
    return (namespace(x).ceil(floating(x)),)


# Comparison and logic; bools, no derivatives


@primitive
def equal(x1: Any, x2: Any, /) -> tuple:
    """x1 == x2, element by element."""
    return (x1 == x2,)


@primitive
def not_equal(x1: Any, x2: Any, /) -> tuple:
    """x1 != x2, element by element."""
    return (x1 != x2,)


@primitive
def less(x1: Any, x2: Any, /) -> tuple:
    """x1 < x2."""
    return (x1 < x2,)


@primitive
def less_equal(x1: Any, x2: Any, /) -> tuple:
    """x1 <= x2."""
    return (x1 <= x2,)


@primitive
def greater(x1: Any, x2: Any, /) -> tuple:
    """x1 > x2."""
    return (x1 > x2,)


@primitive
def greater_equal(x1: Any, x2: Any, /) -> tuple:
    """x1 >= x2."""
    return (x1 >= x2,)


@primitive
def logical_and(x1: Any, x2: Any, /) -> tuple:
    """Whether both are true (numbers: not zero)."""
    return (_module(x1, x2).logical_and(x1, x2),)


@primitive
def logical_or(x1: Any, x2: Any, /) -> tuple:
    """Whether one or both are true."""
    return (_module(x1, x2).logical_or(x1, x2),)


@primitive
def logical_xor(x1: Any, x2: Any, /) -> tuple:
    """Whether exactly one is true."""
    return (_module(x1, x2).logical_xor(x1, x2),)


@primitive
def logical_not(x: Any, /) -> tuple:
    """Whether x is false."""
    return (namespace(x).logical_not(x),)


@primitive
def bitwise_and(x: Any, y: Any, /) -> tuple:
    """x & y of integers, bit by bit, or of bools."""
    x, y = promote(x, y)
    return (x & y,)


@primitive
def bitwise_or(x: Any, y: Any, /) -> tuple:
    """x | y of integers, bit by bit, or of bools."""
    x, y = promote(x, y)
    return (x | y,)


@primitive
def bitwise_xor(x: Any, y: Any, /) -> tuple:
    """x ^ y of integers, bit by bit, or of bools."""
    x, y = promote(x, y)
    return (x ^ y,)


@primitive
def bitwise_not(x: Any, /) -> tuple:
    """~x of integers, bit by bit, or of bools."""
    return (~x,)


@primitive
def isnan(x: Any, /) -> tuple:
    """Whether x is not a number."""
    return (namespace(x).isnan(x),)


@primitive
def isinf(x: Any, /) -> tuple:
    """Whether x is infinite."""
    return (namespace(x).isinf(x),)


@primitive
def isfinite(x: Any, /) -> tuple:
    """Whether x is neither infinite nor nan."""
    return (namespace(x).isfinite(x),)


@primitive
def isclose(
    x1: Any, x2: Any, /, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> tuple:
    """Whether abs(x1 - x2) <= atol + rtol * abs(x2)."""
    return (_module(x1, x2).isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan),)
