"""Rows of the functions of `keras.ops.numpy`, and the list of their names."""

from __future__ import annotations

import numpy as np

from .golden_row import Row, distinct, normal, positive

_NAMES = """
    abs absolute add all allclose amax amin angle any append arange arccos arccosh arcsin arcsinh
    arctan arctan2 arctanh argmax argmin argpartition argsort array array_split average bartlett
    bincount bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor blackman broadcast_to cbrt ceil clip concatenate conj conjugate
    copy corrcoef correlate cos cosh count_nonzero cross cumprod cumsum deg2rad diag diagflat
    diagonal diff digitize divide divide_no_nan dot dsplit dstack einsum empty empty_like equal exp
    exp2 expand_dims expm1 eye fabs flip fliplr flipud floor floor_divide fmax fmin fmod full
    full_like gcd geomspace get_item greater greater_equal hamming hanning heaviside histogram
    hsplit hstack hypot i0 identity imag inner isclose isfinite isin isinf isnan isneginf isposinf
    isreal kaiser kron lcm ldexp left_shift less less_equal linspace log log10 log1p log2 logaddexp
    logaddexp2 logical_and logical_not logical_or logical_xor logspace matmul max maximum mean
    median meshgrid min minimum mod moveaxis multiply nan_to_num nanargmax nanargmin nancumprod
    nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum
    nanvar ndim negative nextafter nonzero not_equal ones ones_like outer pad percentile power prod
    ptp quantile rad2deg ravel real reciprocal repeat reshape right_shift roll rot90 round
    searchsorted select sign signbit sin sinc sinh size slogdet sort split sqrt square squeeze
    stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace transpose
    trapezoid tri tril triu true_divide trunc unique unravel_index vander var vdot vectorize view
    vsplit vstack where zeros zeros_like
"""
NAMES = _NAMES.split()

X, Y, VECTOR, CUBE = normal(3, 4), normal(3, 4, seed=1), normal(4), normal(2, 3, 4)
POSITIVE = positive(3, 4)
AWAY = np.sign(X) * POSITIVE  # no zeros
INSIDE = np.tanh(X) * np.float32(0.9)
APART = distinct(2, 3, 4)
INTS = np.array([[1, -2, 3, 0], [5, 6, 7, 8], [0, 0, 1, 2]], "int32")
OTHERS = np.array([3, 2, 1, 4], "int32")
BYTES, WORDS = np.array([-3, 0, 7], "int8"), np.array([1, 2, 200], "uint8")
BOOLS, MORE_BOOLS = X > 0, np.array([True, False, True, True])
HALVES = VECTOR.astype("float16")
SPECIAL = np.array([1.0, np.nan, np.inf, -np.inf, 0.0, -0.0], "float32")
HOLES = np.where(X > 0.4, np.nan, X).astype("float32")
HOLES[1] = np.nan
SOME_HOLES = np.where(X > 0.4, np.nan, X).astype("float32")
ONE_ZERO = np.array([[1.0, 0.0, 2.0], [3.0, 4.0, 5.0], [0.0, 0.0, 7.0]], "float32")
SQUARES = normal(2, 3, 3) + np.eye(3, dtype="float32")
EDGES = np.array([-1.0, 0.0, 0.5], "float32")
IDS = np.array([[0, 3, 3], [2, 0, 3]], "int32")
PADS = ((0, 0), (2, 1))


def unary(names: str, x: np.ndarray, gradient: bool = True) -> list[Row]:
    """Rows of floats, integers and bools."""
    rows = []
    for name in names.split():
        rows += [
            Row(name, [x], gradient=gradient),
            Row(f"{name}:integers", [np.abs(OTHERS) if x is POSITIVE else INTS]),
            Row(f"{name}:halves", [np.abs(HALVES)], gradient=False, tolerance=2e-3),
        ]
    return rows


def in_dtypes(names: str, gradient: bool = True) -> list[Row]:
    """Rows of two operands of several dtypes."""
    rows = []
    for name in names.split():
        rows += [
            Row(name, [AWAY, Y], gradient=gradient),
            Row(f"{name}:broadcast", [normal(3, 1), VECTOR], gradient=gradient),
            Row(f"{name}:number", [X, 2.5], gradient=gradient),
            Row(f"{name}:integers", [INTS, OTHERS]),
            Row(f"{name}:integers and floats", [OTHERS, VECTOR], gradient=gradient),
            Row(f"{name}:integers and a float", [OTHERS, 1.5]),
        ]
    return rows


def of_bits(*names: str) -> list[Row]:
    return [
        row
        for n in names
        for row in (Row(n, [INTS, OTHERS]), Row(f"{n}:bools", [BOOLS, MORE_BOOLS]))
    ]


def over_axes(names: str, x: np.ndarray, gradient: bool = True) -> list[Row]:
    rows = []
    for name in names.split():
        rows += [
            Row(name, [x], gradient=gradient),
            Row(f"{name}:axis", [x], {"axis": -1}, gradient=gradient),
            Row(f"{name}:keepdims", [x], {"axis": 1, "keepdims": True}, gradient=gradient),
            Row(f"{name}:integers", [INTS], {"axis": 0}),
        ]
    return rows


def over_several(names: str, x: np.ndarray, gradient: bool = True) -> list[Row]:
    return [
        row
        for name in names.split()
        for row in (
            *over_axes(name, x, gradient),
            Row(f"{name}:axes", [x], {"axis": (0, -1)}, gradient=gradient),
            Row(f"{name}:bools", [BOOLS], {"axis": 1}),
        )
    ]


ARITHMETIC = [
    *in_dtypes("add subtract multiply divide true_divide maximum minimum fmax fmin"),
    *in_dtypes("divide_no_nan arctan2 logaddexp logaddexp2 hypot"),
    *in_dtypes("floor_divide heaviside", gradient=False),
    Row("nextafter", [X, Y], gradient=False),
    Row("nextafter:number", [X, 1.0], gradient=False),
    Row("add:bytes", [BYTES, WORDS]),
    Row("add:bools", [BOOLS, MORE_BOOLS]),
    Row("add:number and bools", [BOOLS, 1]),
    Row("add:halves", [HALVES, VECTOR], gradient=False),
    Row("multiply:bools", [BOOLS, X]),
    Row("divide:numbers", [3, 2]),
    Row("divide_no_nan:zeros", [X, X * BOOLS]),
    Row("fmax:nan", [SPECIAL, normal(6)], gradient=False),
    Row("fmin:nan", [SPECIAL, 0.5], gradient=False),
    Row("heaviside:zeros", [X * BOOLS, Y]),
    Row("mod", [X, POSITIVE]),
    Row("mod:number", [X, -0.7]),
    Row("mod:integers", [INTS, OTHERS]),
    Row("mod:bools", [BOOLS, np.array([True])]),
    Row("floor_divide:zero", [X, 0.7], gradient=False),
    Row("fmod", [X, POSITIVE]),
    Row("fmod:integers", [INTS, OTHERS]),
    Row("power", [POSITIVE, Y]),
    Row("power:number", [X, 2]),
    Row("power:integers", [INTS, 3]),
    Row("power:integers and floats", [OTHERS, VECTOR]),
    Row("gcd", [INTS, OTHERS]),
    Row("lcm", [INTS, OTHERS]),
    Row("gcd:bytes", [BYTES, WORDS]),
    Row("ldexp", [X, OTHERS]),
    Row("ldexp:number", [1, 3]),
    Row("ldexp:integers", [INTS, OTHERS]),
    Row("clip", [APART, -0.33, 0.33]),
    Row("clip:integers", [INTS, 0, 3]),
    Row("clip:bools", [BOOLS, 0, 1]),
    Row(
        "clip:tensors",
        [distinct(3, 4), np.full(4, -0.33, "float32"), np.full((3, 1), 0.33, "float32")],
    ),
    Row("nan_to_num", [SPECIAL]),
    Row("nan_to_num:values", [SPECIAL], {"nan": 7.0, "posinf": 9.0, "neginf": -9.0}),
    Row("nan_to_num:integers", [INTS]),
    *unary("abs absolute fabs cbrt deg2rad rad2deg", AWAY),
    *unary("negative square conj conjugate real", X),
    *unary("reciprocal sqrt", POSITIVE),
    *unary("sign floor ceil trunc round", X, gradient=False),
    *unary("angle imag", AWAY, gradient=False),
    Row("abs:bools", [BOOLS]),
    Row("square:bools", [BOOLS]),
    Row("trunc:bools", [BOOLS]),
    Row("floor:bools", [BOOLS]),
    Row("cbrt:bools", [BOOLS]),
    Row("sign:special", [SPECIAL], gradient=False),
    Row("round:decimals", [X], {"decimals": 1}, gradient=False),
    Row("round:tens", [np.array([14, 15, 26, -37], "int32")], {"decimals": -1}),
]

FUNCTIONS = [
    *unary("exp exp2 expm1 sin cos sinh cosh tanh arcsinh arctan sinc i0", X),
    *unary("log log10 log1p log2", POSITIVE),
    Row("tan", [INSIDE]),
    Row("tan:integers", [OTHERS]),
    Row("arcsin", [INSIDE]),
    Row("arcsin:integers", [np.array([0, 1], "int32")]),
    Row("arccos", [INSIDE]),
    Row("arccos:integers", [np.array([0, 1], "int32")]),
    Row("arctanh", [INSIDE]),
    Row("arccosh", [POSITIVE + np.float32(1)]),
    Row("arccosh:integers", [OTHERS]),
    Row("exp:bools", [BOOLS]),
    Row("log:bools", [np.array([True])]),
    Row("sinc:zero", [np.array([0.0, 1.0], "float32")]),
    *[Row(name, [7]) for name in ("bartlett", "blackman", "hamming", "hanning")],
    Row("kaiser", [7, 2.5]),
]

LOGIC = [
    *of_bits("bitwise_and", "bitwise_or", "bitwise_xor"),
    Row("bitwise_or:bools and a number", [BOOLS, 3]),
    *[Row(n, [INTS]) for n in ("bitwise_not", "bitwise_invert")],
    *[Row(f"{n}:bools", [BOOLS]) for n in ("bitwise_not", "bitwise_invert")],
    *[Row(n, [INTS, OTHERS]) for n in ("bitwise_left_shift", "left_shift")],
    *[Row(n, [INTS, 1]) for n in ("bitwise_right_shift", "right_shift")],
    *[Row(n, [INTS, OTHERS]) for n in ("equal", "not_equal", "greater", "greater_equal")],
    *[Row(n, [X, 0.1]) for n in ("less", "less_equal")],
    *[Row(n, [INTS, MORE_BOOLS]) for n in ("logical_and", "logical_or", "logical_xor")],
    Row("logical_not", [X]),
    *[
        Row(n, [SPECIAL])
        for n in ("isnan", "isinf", "isfinite", "isneginf", "isposinf", "isreal", "signbit")
    ],
    *[
        Row(f"{n}:integers", [INTS])
        for n in ("isnan", "isinf", "isfinite", "isneginf", "isreal", "signbit")
    ],
    Row("isclose", [SPECIAL, SPECIAL + np.float32(1e-4)], {"atol": 1e-3}),
    Row("isclose:nan", [SPECIAL, SPECIAL], {"equal_nan": True}),
    Row("allclose", [X, X + np.float32(1e-7)]),
    Row("allclose:far", [X, Y], {"rtol": 1e-3}),
]

REDUCTIONS = [
    *over_several("sum mean var std", CUBE),
    *over_several("max min amax amin", APART),
    *over_several("prod", CUBE),
    *over_axes("ptp", APART),
    *over_axes("argmax argmin", APART),
    *over_several("median", APART),
    *[Row(n, [BOOLS]) for n in ("any", "all", "count_nonzero")],
    *[Row(f"{n}:axis", [INTS], {"axis": 1}) for n in ("any", "all", "count_nonzero")],
    *[Row(f"{n}:axes", [CUBE > 0], {"axis": (0, 1)}) for n in ("any", "all", "count_nonzero")],
    *[Row(f"{n}:keepdims", [BOOLS], {"axis": 0, "keepdims": True}) for n in ("any", "all")],
    Row("sum:bytes", [BYTES]),
    Row("sum:words", [WORDS]),
    Row("sum:halves", [HALVES], gradient=False, tolerance=2e-3),
    Row("mean:halves", [HALVES], gradient=False, tolerance=2e-3),
    Row("prod:zeros", [ONE_ZERO], {"axis": 1}),
    Row("prod:bytes", [BYTES]),
    Row("prod:dtype", [INTS], {"axis": 1, "dtype": "float32"}),
    Row("max:initial", [APART], {"axis": 0, "initial": 0.27}),
    Row("min:initial", [APART], {"axis": 0, "initial": -0.27}),
    Row("cumsum", [X]),
    Row("cumsum:axis", [CUBE], {"axis": -2}),
    Row("cumsum:integers", [INTS], {"axis": 0, "dtype": "float32"}),
    Row("cumsum:bools", [BOOLS], {"axis": 1}),
    Row("cumprod", [X]),
    Row("cumprod:axis", [CUBE], {"axis": -2}),
    Row("cumprod:zeros", [ONE_ZERO], {"axis": 1}),
    Row("cumprod:integers", [INTS], {"axis": 0}),
    Row("average", [CUBE]),
    Row("average:axis", [CUBE], {"axis": (0, 1)}),
    Row("average:integers", [INTS], {"axis": 0}),
    Row("average:weights", [X, None, POSITIVE]),
    Row("average:weights along", [CUBE, 1, positive(3)]),
    Row("average:integer weights", [INTS, -1, OTHERS]),
    Row("average:weights along axes", [CUBE, (2, 0), positive(4, 2)]),
    Row("median:nan", [SOME_HOLES], {"axis": 1}, gradient=False),
    Row("median:infinite", [np.array([1.0, np.inf, np.inf], "float32")], gradient=False),
    *[
        Row(f"quantile:{m}", [APART, 0.3], {"axis": 1, "method": m})
        for m in ("linear", "lower", "higher", "midpoint", "nearest")
    ],
    Row("quantile", [APART, 0.7]),
    Row("quantile:several", [APART, [0.0, 0.25, 1.0]], {"axis": (0, 2)}),
    Row("quantile:keepdims", [APART, [0.1, 0.9]], {"axis": -1, "keepdims": True}),
    Row("quantile:all kept", [APART, 0.5], {"keepdims": True}),
    Row("quantile:integers", [INTS, 0.4], {"axis": 0}),
    Row("percentile", [APART, 70.0]),
    Row("percentile:several", [APART, [10.0, 60.0]], {"axis": 1, "method": "nearest"}),
    Row("nanpercentile", [SOME_HOLES, 70.0], {"axis": 1}),
    Row("nanquantile", [SOME_HOLES, 0.7]),
    Row(
        "nanquantile:several",
        [HOLES, [0.2, 0.7]],
        {"axis": 1, "method": "midpoint"},
        gradient=False,
    ),
    Row(
        "nanquantile:keepdims", [SOME_HOLES, 0.3], {"axis": 0, "method": "lower", "keepdims": True}
    ),
    Row("nanmedian", [SOME_HOLES], {"axis": 1}),
    Row("nanmedian:all", [HOLES], gradient=False),
    Row("nanmedian:integers", [INTS], {"axis": 0}),
    *over_axes("nansum nanprod", HOLES),
    *over_axes("nanmax nanmin nanmean nanvar nanargmax nanargmin", HOLES, gradient=False),
    *[
        Row(f"{n}:gradient", [SOME_HOLES], {"axis": 1})
        for n in ("nanmax", "nanmin", "nanmean", "nanvar", "nanstd")
    ],
    *over_axes("nanstd", SOME_HOLES),
    Row("nansum:bools", [BOOLS]),
    Row("nancumsum", [HOLES], {"axis": 1}),
    Row("nancumsum:all", [HOLES]),
    Row("nancumprod", [HOLES], {"axis": 0}),
    Row("nancumprod:integers", [INTS], {"axis": 0}),
]

SHAPES = [
    Row("append", [X, VECTOR]),
    Row("append:axis", [X, normal(1, 4)], {"axis": 0}),
    Row("append:integers", [INTS, X], {"axis": 1}),
    Row("array", [X]),
    Row("array:integers", [[[1, 2], [3, 4]]]),
    Row("array:dtype", [INTS], {"dtype": "float32"}),
    Row("array_split", [VECTOR, 3]),
    Row("array_split:axis", [CUBE, 3], {"axis": -1}),
    Row("broadcast_to", [normal(3, 1), (2, 3, 4)]),
    Row("concatenate", [[X, normal(2, 4), normal(1, 4, seed=2)]]),
    Row("concatenate:axis", [[X, normal(3, 1)]], {"axis": -1}),
    Row("concatenate:integers", [[X, INTS]]),
    Row("copy", [X]),
    Row("dsplit", [CUBE, 2]),
    Row("dstack", [[VECTOR, VECTOR]]),
    Row("dstack:matrices", [[X, Y]]),
    Row("expand_dims", [CUBE, -2]),
    Row("expand_dims:several", [X, (0, 3)]),
    Row("flip", [CUBE]),
    Row("flip:axis", [CUBE], {"axis": (0, -1)}),
    Row("fliplr", [X]),
    Row("flipud", [X]),
    Row("hsplit", [X, 2]),
    Row("hsplit:vector", [VECTOR, [1, 3]]),
    Row("hstack", [[X, normal(3, 2)]]),
    Row("hstack:vectors", [[VECTOR, normal(2)]]),
    Row("meshgrid", [VECTOR, normal(2), OTHERS]),
    Row("meshgrid:ij", [VECTOR, normal(2)], {"indexing": "ij"}),
    Row("moveaxis", [CUBE, (0, 1), (-1, 0)]),
    Row("pad", [X, 1]),
    Row("pad:constant", [X, PADS], {"constant_values": 3.0}),
    *[Row(f"pad:{mode}", [X, PADS, mode]) for mode in ("edge", "reflect", "symmetric", "wrap")],
    Row("ravel", [CUBE]),
    Row("repeat", [X, 2]),
    Row("repeat:axis", [CUBE, 3], {"axis": -2}),
    Row("repeat:each", [X, np.array([2, 0, 1], "int32")], {"axis": 0}),
    Row("reshape", [CUBE, (4, -1)]),
    Row("roll", [CUBE, 5]),
    Row("roll:axes", [CUBE, (1, -2), (0, 2)]),
    *[Row(f"rot90:{k}", [CUBE], {"k": k}) for k in (0, 1, 2, 3, -1)],
    Row("rot90:axes", [CUBE], {"axes": (2, 1)}),
    Row("split", [X, 3]),
    Row("split:indices", [X, [1, 3]], {"axis": -1}),
    Row("squeeze", [normal(1, 3, 1)]),
    Row("squeeze:axis", [normal(1, 3, 1)], {"axis": -1}),
    Row("stack", [[X, Y]]),
    Row("stack:axis", [[X, Y, INTS]], {"axis": -1}),
    Row("swapaxes", [CUBE, 0, -1]),
    Row("tile", [X, 2]),
    Row("tile:axes", [X, (2, 1, 3)]),
    Row("transpose", [CUBE]),
    Row("transpose:axes", [CUBE], {"axes": (1, -1, 0)}),
    Row("view", [INTS], {"dtype": "float32"}),
    Row("view:scalar", [1.5], {"dtype": "int32"}),
    Row("view:smaller", [INTS], {"dtype": "int16"}),
    Row("vsplit", [X, 3]),
    Row("vstack", [[X, VECTOR]]),
]

CREATION = [
    Row("arange", [5]),
    Row("arange:floats", [1.0, 2.0, 0.25]),
    Row("arange:dtype", [1, 7, 2], {"dtype": "float16"}),
    *[Row(n, [(2, 3)]) for n in ("zeros", "ones")],
    Row("zeros:dtype", [(2,), "int32"]),
    Row("ones:one", [4]),
    *[Row(n, [INTS]) for n in ("zeros_like", "ones_like")],
    Row("ones_like:dtype", [X], {"dtype": "int8"}, gradient=False),
    Row("full", [(2,), 1.5]),
    Row("full:tensor", [(2, 3), normal(3)]),
    Row("full_like:tensor", [INTS, normal(4)], {"dtype": "float32"}),
    Row("full:dtype", [2, 3, "int32"]),
    Row("full_like", [INTS, 2]),
    Row("full_like:dtype", [INTS, 2], {"dtype": "float32"}),
    Row("eye", [3, 4, 1]),
    Row("eye:dtype", [2], {"dtype": "int32"}),
    Row("identity", [3]),
    Row("linspace", [0, 1, 5]),
    Row("linspace:step", [0.0, 2.0], {"num": 4, "endpoint": False, "retstep": True}),
    Row("linspace:vectors", [VECTOR, 3.0, 3], {"axis": 1}, gradient=False),
    Row("linspace:halves", [HALVES, 3.0, 3], gradient=False, tolerance=1e-3),
    Row("linspace:integers", [0, 10, 4], {"dtype": "int32"}),
    Row("logspace", [0, 2, 5]),
    Row("logspace:base", [0.0, 2.0], {"num": 4, "base": 2, "endpoint": False}),
    Row("geomspace", [1.0, 1000.0, 4]),
    Row("geomspace:endpoint", [1.0, 16.0, 4], {"endpoint": False}),
    Row("tri", [3]),
    Row("tri:rectangle", [2, 4, 1, "int32"]),
]

INDEXING = [
    Row("argpartition", [distinct(2, 3), 1]),  # the only order there is
    Row("argpartition:axis", [distinct(3, 4), 1], {"axis": 0}),
    Row("argsort", [APART]),
    Row("argsort:axis", [APART], {"axis": 0}),
    Row("argsort:all", [APART], {"axis": None}),
    Row("argsort:equal", [INTS]),
    Row("bincount", [OTHERS]),
    Row("bincount:longer", [OTHERS], {"minlength": 7}),
    Row("bincount:weights", [OTHERS, VECTOR], gradient=False),
    Row("bincount:rows", [IDS]),
    Row("bincount:weighted rows", [IDS, normal(2, 3)], {"minlength": 5}, gradient=False),
    Row("diag", [VECTOR]),
    Row("diag:below", [VECTOR], {"k": -2}),
    Row("diag:matrix", [X], {"k": 1}),
    Row("diagflat", [X], {"k": 1}),
    Row("diagonal", [X], {"offset": 1}),
    Row("diagonal:axes", [CUBE], {"offset": -1, "axis1": 0, "axis2": 2}),
    Row("digitize", [X, EDGES]),
    Row("digitize:integers", [INTS, OTHERS[:1]]),
    Row("get_item", [CUBE, (..., slice(1, 3), None, 0)]),
    Row("get_item:integers", [X, IDS % 3], gradient=(0,)),
    Row("histogram", [VECTOR], {"bins": 3}, gradient=False),
    Row("histogram:range", [normal(20)], {"bins": 4, "range": (-1.0, 1.0)}, gradient=False),
    Row("isin", [INTS, OTHERS]),
    Row("isin:not", [INTS, OTHERS], {"invert": True}),
    Row("isin:number", [3, OTHERS]),
    Row("nonzero", [INTS]),
    Row("searchsorted", [EDGES, X]),
    Row("searchsorted:right", [EDGES, np.array([0.0, 2.0], "float32")], {"side": "right"}),
    Row("select", [[X > 0.5, X > -0.5], [X, Y], 0.25]),
    Row("select:integers", [[INTS > 4, INTS > 1], [INTS, OTHERS]]),
    Row("sort", [APART]),
    Row("sort:axis", [APART], {"axis": 1}),
    Row("sort:all", [APART], {"axis": None}),
    Row("sort:integers", [INTS]),
    Row("sort:nan", [SOME_HOLES], gradient=False),
    Row("take", [X, IDS]),
    Row("take:axis", [CUBE, np.array([3, 0, 0, -1], "int32")], {"axis": -1}),
    Row("take:int", [CUBE, 1], {"axis": 1}),
    Row("take_along_axis", [X, np.array([[0, 3], [1, 1], [2, 0]], "int32")], {"axis": 1}),
    Row("take_along_axis:flat", [X, np.array([0, 11, 5, 5], "int32")]),
    Row("tril", [X], {"k": 1}),
    Row("triu", [CUBE], {"k": -1}),
    Row("unique", [INTS]),
    Row(
        "unique:indices",
        [INTS],
        {"return_index": True, "return_inverse": True, "return_counts": True},
    ),
    Row(
        "unique:axis",
        [np.array([[1, 2], [0, 5], [1, 2]], "int32")],
        {"axis": 0, "return_inverse": True},
    ),
    Row("unique:size", [OTHERS], {"size": 6, "fill_value": 9, "return_counts": True}),
    Row("unique:cut", [INTS], {"size": 3}),
    Row("unravel_index", [IDS, (2, 3)]),
    Row("where", [BOOLS, X, Y]),
    Row("where:number", [BOOLS, X, 0.0]),
    Row("where:integers", [BOOLS, INTS, X]),
    Row("where:numbers", [BOOLS, 1, 0]),
    Row("where:number types", [BOOLS, 1, 0.5]),
    Row("where:condition alone", [BOOLS]),
]

PRODUCTS = [
    Row("corrcoef", [CUBE[0]]),
    Row("corrcoef:integers", [INTS]),
    Row("corrcoef:vector", [VECTOR], gradient=False),
    *[Row(f"correlate:{m}", [normal(6), normal(3), m]) for m in ("valid", "same", "full")],
    *[Row(f"correlate:swapped {m}", [normal(3), normal(6), m]) for m in ("valid", "same", "full")],
    Row("correlate:even", [normal(5), normal(2), "same"]),
    Row("correlate:integers", [OTHERS, OTHERS[:2]]),
    Row("cross", [normal(4, 3), normal(4, 3, seed=1)]),
    Row("cross:two", [normal(4, 2), normal(4, 3)]),
    Row("cross:axis", [normal(3, 4), normal(3, 1)], {"axis": 0}),
    Row("cross:axes", [normal(3, 4), normal(4, 3)], {"axisa": 0, "axisb": 1, "axisc": 0}),
    Row("cross:integers", [INTS[:, :3], OTHERS[:3]]),
    Row("diff", [CUBE]),
    Row("diff:twice", [X], {"n": 2, "axis": 0}),
    Row("diff:bools", [BOOLS]),
    Row("diff:integers", [INTS]),
    Row("dot", [X, normal(4, 5)]),
    Row("dot:images", [CUBE, normal(5, 4, 2)]),
    Row("dot:integers", [INTS, OTHERS]),
    Row("einsum", ["bij,bkj->bik", CUBE, normal(2, 5, 4)]),
    Row("einsum:sums", ["ij,k->k", X, normal(5)]),
    Row("einsum:dots", ["...ij,...jk", CUBE, normal(4, 5)]),
    Row("einsum:diagonal", ["bii->bi", SQUARES]),
    Row("einsum:trace", ["bii,b->", SQUARES, normal(2)]),
    Row("einsum:bytes", ["i,i", BYTES, BYTES]),
    Row("inner", [X, normal(5, 4)]),
    Row("inner:number", [X, 2.0]),
    Row("kron", [X, normal(2, 3)]),
    Row("kron:ranks", [VECTOR, CUBE]),
    Row("matmul", [CUBE, normal(2, 4, 5)]),
    Row("matmul:vector", [CUBE, VECTOR]),
    Row("matmul:integers", [INTS, X.T.copy()]),
    Row("matmul:bytes", [BYTES, BYTES]),
    Row("outer", [X, VECTOR]),
    Row("slogdet", [SQUARES]),
    Row("tensordot", [CUBE, normal(3, 4, 5)]),
    Row("tensordot:axes", [CUBE, normal(4, 5, 2)], {"axes": ([0, -1], [2, 0])}),
    Row("tensordot:one", [CUBE, normal(4, 5), 1]),
    Row("trace", [CUBE], {"offset": 1, "axis1": 1, "axis2": 2}),
    Row("trapezoid", [X]),
    Row("trapezoid:apart", [X], {"dx": 0.5, "axis": 0}),
    Row("trapezoid:places", [X, VECTOR]),
    Row("trapezoid:integers", [INTS]),
    Row("vander", [VECTOR]),
    Row("vander:increasing", [VECTOR], {"N": 3, "increasing": True}),
    Row("vander:integers", [OTHERS]),
    Row("vdot", [X, Y]),
    Row("vdot:integers", [INTS, INTS]),
]

ROWS = [
    *ARITHMETIC,
    *FUNCTIONS,
    *LOGIC,
    *REDUCTIONS,
    *SHAPES,
    *CREATION,
    *INDEXING,
    *PRODUCTS,
]
