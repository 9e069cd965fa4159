"""Random calls of `ops`, `activations` and `tree` in real Keras and in layerkit: what differs.

Run it where both can be imported, Keras with JAX (or with NumPy, which is quick and has no
gradients, but is not always what Keras is elsewhere):

    KERAS_BACKEND=jax python tests/golden/compare_ops_with_keras.py [--seed N] [--rounds N]
        [--only NAME]

A round draws one call of each row of `CALLS`. Values, dtypes, shapes, gradients and the refusal of
arguments must be Keras's; what a call on symbolic tensors promises must be what comes out.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")
sys.path.insert(0, str(Path(__file__).parents[1]))

import jax  # noqa: E402
import keras  # noqa: E402
import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402
from tables.golden_row import flat, weight_of  # noqa: E402

import layerkit  # noqa: E402
from layerkit import backend as K  # noqa: E402

# Where both are right, or Keras is the wrong one: the calls are drawn, these findings are dropped.
# A row's name and what is not compared: "refusal", "dtype", "value", "gradient", "spec".
KNOWN: dict[tuple[str, str], str] = {
    ("erf", "refusal"): "JAX takes no integers; Keras's other backends do",
    **{
        (name, "value"): "Keras adds up what stands beside gaps in the support: sums are not 1"
        for name in ("sparsemax", "activations.sparsemax")
    },
    **{
        (name, "spec"): "the shape depends on the values"
        for name in ("unique", "nonzero", "segment_sum", "segment_max", "segment_min")
    },
    ("segment_prod", "spec"): "the shape depends on the values",
    ("bincount", "spec"): "the shape depends on the values",
    **{
        ("clip", what): "integers between float bounds: floats on JAX, integers on TensorFlow"
        for what in ("dtype", "value")
    },
    **{
        (name, "dtype"): "JAX makes float32 of a number beside a half; Keras elsewhere does not"
        for name in ("arctan2", "logaddexp", "logaddexp2")
    },
    ("array_split", "refusal"): "Keras takes counts of sections only",
    ("rearrange", "refusal"): "lengths of axes that the pattern lacks are refused here",
    **{("cholesky_inverse", what): "Keras takes no batches" for what in ("refusal", "value")},
    ("view_as_real", "gradient"): "of real numbers it has none here",
    **{
        (name, "refusal"): "JAX needs the number of segments; Keras's other backends do not"
        for name in ("segment_sum", "segment_max", "segment_min", "segment_prod")
    },
    ("ndim", "spec"): "a number of Python's",
    ("size", "spec"): "a number of Python's",
    ("categorical_crossentropy", "dtype"): "Keras's backends differ; ours is that of the output",
    ("sparse_categorical_crossentropy", "dtype"): "Keras's backends differ",
}

SIGNED, UNSIGNED = ["int8", "int16", "int32", "int64"], ["uint8", "uint16", "uint32"]
HALVES = ["float16", "bfloat16"]
DTYPES = {
    "float": ["float32"] * 6 + [*HALVES, "float64"],
    "single": ["float32"],
    "int": ["int32"] * 3 + SIGNED + UNSIGNED,
    "index": ["int32", "int64", "int8", "uint8"],
    "bool": ["bool"],
}
DTYPES["number"] = DTYPES["float"] + DTYPES["int"]
DTYPES["any"] = [*DTYPES["number"], "bool", "bool", "bool"]


@dataclass
class Call:
    """The arguments of one call. Arrays are tensors, and may stand in lists."""

    args: list[Any]
    options: dict[str, Any] = field(default_factory=dict)


class Draw:
    """Random shapes, dtypes, arrays and arguments, from a seed."""

    def __init__(self, *seed: int):
        self.random = np.random.default_rng(seed)

    def int(self, least: int, most: int) -> int:
        return int(self.random.integers(least, most + 1))

    def number(self, least: float = -2.0, most: float = 2.0) -> float:
        return round(float(self.random.uniform(least, most)), 3)

    def flip(self, chance: float = 0.5) -> bool:
        return bool(self.random.random() < chance)

    def one(self, *options: Any) -> Any:
        return options[self.int(0, len(options) - 1)]

    def shape(self, least: int = 0, most: int = 3) -> tuple[int, ...]:
        return tuple(self.int(1, 4) for _ in range(self.int(least, most)))

    def array(
        self,
        shape: tuple[int, ...] | None = None,
        kind: str = "any",
        low: float = -3.0,
        high: float = 3.0,
        dtype: str | None = None,
        special: bool = False,
    ) -> np.ndarray:
        """Numbers from `low` to `high`, no two floats near to each other; `special`: nan too."""
        shape = self.shape() if shape is None else shape
        dtype = dtype or self.one(*DTYPES[kind])
        if dtype == "bool":
            return self.random.random(shape) < 0.5
        if "int" in dtype:
            low = max(low, 0) if dtype[0] == "u" else low
            return self.random.integers(int(np.ceil(low)), int(high) + 1, shape).astype(dtype)
        count = int(np.prod(shape))
        steps = (self.random.permutation(count) + self.random.uniform(0.2, 0.8)) / max(count, 1)
        values = (low + (high - low) * steps).reshape(shape)
        if special and self.flip(0.2):
            holes = self.random.random(shape) < 0.3
            values = np.where(
                holes, self.random.choice([np.nan, np.inf, -np.inf, 0.0], shape), values
            )
        return np.asarray(values, _numpy_dtype(dtype))

    def beside(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts with `shape`; rarely one that does not."""
        other = tuple(1 if self.flip(0.25) else size for size in shape)[self.int(0, len(shape)) :]
        return (*other[:-1], 7) if other and self.flip(0.03) else other

    def pair(self, kind: str = "any", scalars: bool = True, **options: Any) -> list[Any]:
        """Two operands that broadcast; one may be a number of Python's."""
        shape = self.shape()
        operands = [self.array(s, kind, **options) for s in (shape, self.beside(shape))]
        if scalars and self.flip(0.25):
            low, high = options.get("low", -3), options.get("high", 3)
            integer = self.int(int(np.ceil(low)), int(high))
            operands[1] = (
                integer if kind in ("int", "index") else self.one(integer, self.number(low, high))
            )
            if kind == "any" and self.flip(0.2):
                operands[1] = self.flip()
        return operands[:: self.one(1, -1)]

    def axis(self, rank: int, none: bool = False) -> int | None:
        """An axis of a tensor of that rank; rarely one that it does not have."""
        if none and self.flip(0.2):
            return None
        if rank == 0 or self.flip(0.04):
            return self.one(rank, -rank - 1)
        return self.int(-rank, rank - 1)

    def axes(self, rank: int) -> Any:
        """None, an axis or several."""
        if rank < 2 or self.flip(0.7):
            return self.axis(rank, none=True)
        several = self.random.permutation(rank)[: self.int(1, rank)]
        return tuple(int(a) - (rank if self.flip() else 0) for a in several)


def _numpy_dtype(dtype: str) -> Any:
    return ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype


# ---- The tables: how the arguments of each function are drawn ------------------------------------

CALLS: dict[str, Callable[[Draw], Call]] = {}


def row(names: str, call: Callable[[Draw], Call]) -> None:
    for name in names.split():
        assert name not in CALLS, f"two rows are called {name}"
        CALLS[name] = call


def unary(kind: str = "any", **options: Any) -> Callable[[Draw], Call]:
    return lambda d: Call([d.array(None, kind, **options)])


def pairs(kind: str = "any", **options: Any) -> Callable[[Draw], Call]:
    return lambda d: Call(d.pair(kind, **options))


def reduction(kind: str = "any", least: int = 0, several: bool = True, **more: Any) -> Callable:
    def call(d: Draw) -> Call:
        x = d.array(d.shape(least), kind, **more)
        # NumPy and TensorFlow know of axes of a number, JAX does not.
        options = (
            {}
            if x.ndim == 0 or d.flip(0.2)
            else {"axis": d.axes(x.ndim) if several else d.axis(x.ndim, True)}
        )
        return Call([x], options | ({"keepdims": True} if d.flip(0.3) else {}))

    return call


def along(kind: str = "any", least: int = 1, **more: Any) -> Callable:
    """An array, and perhaps an axis."""

    def call(d: Draw) -> Call:
        x = d.array(d.shape(least), kind, **more)
        return Call([x], {"axis": d.axis(x.ndim)} if d.flip(0.8) else {})

    return call


def of(*makers: Callable[[Draw], Any], **options: Callable[[Draw], Any]) -> Callable[[Draw], Call]:
    """Arguments drawn independently of each other; each option is given four times in five."""

    def call(d: Draw) -> Call:
        args = [make(d) for make in makers]
        return Call(args, {name: make(d) for name, make in options.items() if d.flip(0.8)})

    return call


def with_array(function: Callable[[Draw, np.ndarray], Call], kind="any", least=0, most=3, **more):
    return lambda d: function(d, d.array(d.shape(least, most), kind, **more))


# Element by element
row("abs absolute negative sign square copy conj conjugate real imag", unary(special=True))
row("floor ceil trunc fabs cbrt deg2rad rad2deg signbit isreal", unary(special=True))
row("isnan isinf isfinite isneginf isposinf logical_not", unary(special=True))
row("exp exp2 expm1 sin cos tan sinh cosh tanh arcsinh arctan sinc erf erfc", unary(special=True))
row("sqrt rsqrt log log10 log1p log2", unary(low=0.2, high=4))
row("reciprocal", unary("number", low=1, high=4))
row("arcsin arccos arctanh erfinv", unary(low=-0.9, high=0.9))
row("arccosh", unary(low=1.2, high=4))
row("i0", unary())
row("angle", unary(low=-3))
row(
    "nan_to_num",
    lambda d: Call([d.array(special=True)], d.one({}, {"nan": 2.0}, {"posinf": 3, "neginf": -1.0})),
)
row("round", lambda d: Call([d.array(low=-30, high=30)], d.one({}, {"decimals": d.int(-2, 2)})))
row("add subtract multiply maximum minimum", pairs(special=True))
row("divide true_divide", pairs(low=1))
row("divide_no_nan", pairs())
row("floor_divide mod fmod", pairs(low=1, high=5))
row("fmax fmin", pairs(special=True))
row("power", lambda d: Call([d.array((2, 3), low=1), d.one(2, 3, 0.5, d.array((3,), low=0))]))
row("arctan2 hypot logaddexp logaddexp2", pairs())
row("heaviside nextafter", pairs())
row("equal not_equal greater greater_equal less less_equal", pairs(special=True))
row("logical_and logical_or logical_xor", pairs())
row(
    "isclose allclose",
    of(lambda d: d.array((2, 3)), lambda d: d.array((3,)), rtol=lambda d: 0.5, equal_nan=Draw.flip),
)
row("bitwise_and bitwise_or bitwise_xor", pairs("int"))
row("bitwise_not bitwise_invert", unary("int"))
row("bitwise_left_shift left_shift bitwise_right_shift right_shift", pairs("int", low=0, high=5))
row("gcd lcm", pairs("int", low=1, high=12))
row("ldexp", of(lambda d: d.array((2, 3)), lambda d: d.one(d.array((3,), "index", low=0), 2)))
row("clip", lambda d: Call([d.array(), d.one(-1, -1.5, 0), d.one(1, 1.5, 2)]))
row("where", lambda d: Call([d.array(kind="bool", shape=(2, 3)), *_pair_of(d, (2, 3))]))
row("isin", of(lambda d: d.array(kind="number"), lambda d: d.array((3,), "int"), invert=Draw.flip))


def _pair_of(d: Draw, shape: tuple[int, ...]) -> list[Any]:
    other = d.one(d.array(d.beside(shape)), d.int(-2, 2), d.number())
    return [d.array(shape), other][:: d.one(1, -1)]


# Activations
_ACTIVATIONS = """relu relu6 sigmoid softplus softsign silu swish log_sigmoid hard_sigmoid hard_silu
    hard_swish hard_tanh selu tanh_shrink sparse_plus sparse_sigmoid"""
row(_ACTIVATIONS, unary("float", low=-8, high=8))
row("elu celu", of(lambda d: d.array(None, "float"), alpha=lambda d: d.number(0.2, 2)))
row("gelu", of(lambda d: d.array(None, "float"), approximate=Draw.flip))
row("leaky_relu", of(lambda d: d.array(None, "float"), negative_slope=lambda d: d.number(0, 1)))
row(
    "soft_shrink hard_shrink",
    of(lambda d: d.array(None, "float"), threshold=lambda d: d.number(0, 1)),
)
row("threshold", of(lambda d: d.array(None, "float"), Draw.number, Draw.number))
row("squareplus", of(lambda d: d.array(None, "float"), b=lambda d: d.one(1, 4, 0.5)))
row("softmax log_softmax sparsemax", along("float"))
row("glu", lambda d: Call([d.array((*d.shape(0, 2), d.one(2, 4, 4, 3)), "float")]))
row(
    """activations.relu activations.sigmoid activations.tanh activations.softplus
    activations.softsign activations.silu activations.log_sigmoid activations.selu
    activations.exponential activations.linear activations.mish activations.relu6
    activations.hard_sigmoid activations.hard_silu activations.hard_tanh activations.tanh_shrink
    activations.sparse_plus activations.sparse_sigmoid activations.squareplus""",
    unary("float", low=-8, high=8),
)
row(
    "activations.softmax activations.log_softmax activations.sparsemax",
    along("float", least=2),
)
row(
    "activations.elu activations.celu",
    of(lambda d: d.array(None, "float"), alpha=lambda d: d.number(0.2, 2)),
)
row("activations.gelu", of(lambda d: d.array(None, "float"), approximate=Draw.flip))
row(
    "activations.leaky_relu",
    of(lambda d: d.array(None, "float"), negative_slope=lambda d: d.number(0, 1)),
)
row(
    "activations.soft_shrink activations.hard_shrink",
    of(lambda d: d.array(None, "float"), threshold=lambda d: d.number(0, 1)),
)
row("activations.threshold", of(lambda d: d.array(None, "float"), Draw.number, Draw.number))
row("activations.glu", lambda d: Call([d.array((*d.shape(0, 2), d.one(2, 4, 4, 3)), "float")]))

# Reductions, sums along an axis, order
row("sum mean max min amax amin", reduction())
row("prod", reduction(low=-2, high=2))
row("std var median", reduction())
row("all any", reduction())
row("ptp logsumexp", reduction("number"))
row("nansum nanmean nanmax nanmin nanstd nanvar nanprod nanmedian", reduction())
row("argmax argmin", reduction("number", several=False))
row("nanargmax nanargmin", reduction("number", several=False))
row("count_nonzero", with_array(lambda d, x: Call([x], {"axis": d.axes(x.ndim)})))
row(
    "cumsum cumprod nancumsum nancumprod",
    lambda d: Call(
        [x := d.array(d.shape(1), low=-2, high=2)],
        {"axis": d.axis(x.ndim, none=True)} | d.one({}, {}, {"dtype": d.one("float32", "int32")}),
    ),
)
row("average", lambda d: _average(d, d.array(d.shape(1))))
row("quantile percentile", lambda d: _quantile(d))
row("nanquantile nanpercentile", lambda d: _quantile(d))
row("sort argsort", along("number"))
row("top_k", lambda d: Call([d.array((*d.shape(0, 2), 4), "number"), d.int(1, 5)]))
row("argpartition", lambda d: Call([d.array((4,), "number"), d.int(0, 3)]))
row(
    "in_top_k",
    lambda d: Call([d.array((3,), dtype="int32", low=0), d.array((3, 4), "single"), d.int(1, 4)]),
)
row(
    "searchsorted",
    of(
        lambda d: np.sort(d.array((5,), d.one("float", "int"))),
        lambda d: d.array(d.shape(1, 1), "number"),
        side=lambda d: d.one("left", "right", "middle"),
    ),
)
row("digitize", of(lambda d: d.array(), lambda d: np.sort(d.array((4,), "single"))))
row(
    "bincount",
    of(
        lambda d: d.array((6,), d.one("int", "int", "bool"), low=0),
        weights=lambda d: d.array((6,), "number"),
        minlength=lambda d: d.int(0, 6),
    ),
)
row(
    "histogram",
    of(
        lambda d: d.array(d.shape(1), "number"),
        bins=lambda d: d.int(1, 6),
        range=lambda d: (-1.0, 2.0),
    ),
)
row(
    "unique",
    lambda d: Call(
        [d.array(d.shape(1, 2), "int", low=0)],
        {o: True for o in ("return_index", "return_inverse", "return_counts") if d.flip()},
    ),
)
row("nonzero", unary("any", low=-1, high=1))
row(
    "moments",
    lambda d: Call(
        [x := d.array(d.shape(1), "float"), [d.axis(x.ndim)]], d.one({}, {"keepdims": True})
    ),
)
row(
    "norm",
    lambda d: Call(
        [x := d.array(d.shape(1, 2), "number")],
        {"ord": d.one(None, 1, 2, np.inf, -np.inf, 3, "fro"), "axis": d.axis(x.ndim)},
    ),
)
row(
    "normalize",
    lambda d: Call(
        [x := d.array(d.shape(1), "float")],
        {"axis": d.axis(x.ndim), "order": d.one(1, 2, 3, np.inf)},
    ),
)
row(
    "segment_sum segment_max segment_min segment_prod",
    lambda d: Call(
        [d.array((5, *d.shape(0, 1)), "number"), np.sort(d.array((5,), dtype="int32", low=0))],
        d.one({}, {"num_segments": 4}, {"num_segments": 6}, {"sorted": True, "num_segments": 4}),
    ),
)


def _average(d: Draw, x: np.ndarray) -> Call:
    axis = d.axis(x.ndim, none=True)
    shape = x.shape if axis is None or not -x.ndim <= axis < x.ndim else (x.shape[axis],)
    return Call([x], {"axis": axis} | ({"weights": d.array(shape, low=1)} if d.flip() else {}))


def _quantile(d: Draw) -> Call:
    x = d.array(d.shape(1), "number")
    q = d.one(0.5, d.number(0, 1), d.array(d.shape(1, 1), "single", low=0, high=1).tolist())
    method = d.one("linear", "lower", "higher", "midpoint", "nearest", "cubic")
    return Call([x, q], {"axis": d.axes(x.ndim), "method": method, "keepdims": d.flip()})


# Shapes
row(
    "reshape",
    lambda d: Call(
        [
            d.array((2, 3, 4)),
            d.one((-1,), (6, 4), (4, -1), 24, (2, -1, 2), (5, 5), (-1, 7), (-1, -1)),
        ]
    ),
)
row("ravel ndim size shape", unary())
row("squeeze", with_array(lambda d, x: Call([x], d.one({}, {"axis": d.axes(x.ndim)}))))
row("expand_dims", with_array(lambda d, x: Call([x, d.one(d.axis(x.ndim + 1), (0, -1))])))
row(
    "transpose",
    with_array(
        lambda d, x: Call(
            [x], d.one({}, {"axes": tuple(map(int, d.random.permutation(x.ndim)))}, {"axes": (0,)})
        )
    ),
)
row("swapaxes", with_array(lambda d, x: Call([x, d.axis(x.ndim), d.axis(x.ndim)]), least=1))
row("moveaxis", with_array(lambda d, x: Call([x, d.axis(x.ndim), d.axis(x.ndim)]), least=1))
row("flip", with_array(lambda d, x: Call([x], {"axis": d.axes(x.ndim)}), least=1))
row("fliplr flipud", unary())
row(
    "roll",
    with_array(lambda d, x: Call([x, d.int(-5, 5)], {"axis": d.axis(x.ndim, True)}), least=1),
)
row(
    "rot90",
    with_array(lambda d, x: Call([x], d.one({}, {"k": d.int(-3, 5)}, {"axes": (1, 0)})), least=1),
)
row(
    "repeat",
    with_array(lambda d, x: Call([x, d.int(0, 3)], {"axis": d.axis(x.ndim, True)}), least=1),
)
row("tile", with_array(lambda d, x: Call([x, d.one(2, (2, 1), (1, 2, 1, 2), (3,))])))
row("broadcast_to", with_array(lambda d, x: Call([x, d.one((2, *x.shape), x.shape, (3, 4))])))
row(
    "pad",
    with_array(
        lambda d, x: Call(
            [x, d.one(1, (1, 2), [(d.int(0, 2), d.int(0, 2)) for _ in x.shape])],
            d.one(
                {},
                {"constant_values": 2},
                {"mode": "edge"},
                {"mode": "reflect"},
                {"mode": "symmetric"},
            ),
        ),
        least=1,
    ),
)
row("concatenate stack", lambda d: _several(d))
row("hstack vstack dstack", lambda d: Call([[d.array((2, 3)), d.array((2, 3))]]))
row("append", lambda d: Call([d.array((2, 3)), d.array((2, 3))], {"axis": d.axis(2, True)}))
row(
    "split array_split",
    lambda d: Call([d.array((4, 6)), d.one(2, 3, 5, [1, 3], [2], [2, 9])], {"axis": d.axis(2)}),
)
row("hsplit vsplit", lambda d: Call([d.array((4, 6)), d.one(2, 3, [1, 3])]))
row("dsplit", lambda d: Call([d.array((2, 3, 4)), d.one(2, [1, 3])]))
row("unstack", with_array(lambda d, x: Call([x], {"axis": d.axis(x.ndim)}), least=1))
row("diag", with_array(lambda d, x: Call([x], {"k": d.int(-2, 2)}), least=1))
row("diagflat", with_array(lambda d, x: Call([x], {"k": d.int(-2, 2)})))
row(
    "diagonal trace",
    with_array(
        lambda d, x: Call([x], d.one({}, {"offset": d.int(-2, 2)}, {"axis1": -1, "axis2": 0})),
        least=2,
    ),
)
row("tril triu", with_array(lambda d, x: Call([x], {"k": d.int(-3, 3)}), least=2))
row(
    "meshgrid",
    lambda d: Call([d.array((3,)), d.array((2,))], {"indexing": d.one("xy", "ij", "yx")}),
)
row("diff", with_array(lambda d, x: Call([x], {"n": d.int(0, 2), "axis": d.axis(x.ndim)}), least=1))
row(
    "trapezoid",
    with_array(lambda d, x: Call([x], {"dx": d.number(0.5, 2), "axis": d.axis(x.ndim)}), least=1),
)
row("view_as_real view_as_complex", lambda d: Call([d.array((3, 2), "single")]))
row(
    "rearrange",
    lambda d: Call(
        [
            d.array((2, 4, 3)),
            d.one("a b c -> c a b", "a b c -> (a b) c", "a b c -> a c", "a (b q) c -> a q (b c)"),
        ],
        d.one({}, {"q": 2}),
    ),
)
row(
    "depth_to_space space_to_depth",
    lambda d: Call(
        [d.array((2, 4, 4, 8), "number"), d.one(2, 2, 3)],
        {"data_format": d.one("channels_last", "channels_first")},
    ),
)
row(
    "get_item",
    lambda d: Call(
        [
            d.array((3, 4)),
            d.one(
                1,
                -1,
                (0, 2),
                (slice(None), slice(1, 3)),
                Ellipsis,
                None,
                (None, 1),
                slice(None, None, -2),
            ),
        ]
    ),
)


def _several(d: Draw) -> Call:
    shape, count = d.shape(1), d.int(1, 3)
    dtypes = d.one(["float32"], DTYPES["any"])
    return Call(
        [[d.array(shape, dtype=d.one(*dtypes)) for _ in range(count)]], {"axis": d.axis(len(shape))}
    )


# Creation
_DTYPE = {
    "dtype": lambda d: d.one(
        None, "float32", "int32", "bool", "float16", "bfloat16", "int8", "uint8", "word"
    )
}
row("zeros ones", of(lambda d: d.one(d.shape(), 3), **_DTYPE))
row("full", of(Draw.shape, lambda d: d.one(2, 1.5, True), **_DTYPE))
row("zeros_like ones_like", of(Draw.array, **_DTYPE))
row("full_like", of(Draw.array, lambda d: d.one(2, 1.5, True), **_DTYPE))
row(
    "eye tri",
    of(lambda d: d.int(1, 4), M=lambda d: d.one(None, 3), k=lambda d: d.int(-2, 2), **_DTYPE),
)
row("identity", of(lambda d: d.int(1, 4), **_DTYPE))
row(
    "arange",
    lambda d: Call(
        d.one(
            [d.int(0, 5)], [1, d.int(2, 6)], [0, 5, 2], [5, 0, -1], [0.0, 2.0, 0.5], [3.5], [2, 4.0]
        ),
        d.one({}, {"dtype": "float32"}, {"dtype": "int32"}),
    ),
)
row(
    "linspace",
    of(
        lambda d: d.one(0, 1.5, d.array((2,), "single")),
        lambda d: d.one(3, 2.5),
        num=lambda d: d.int(1, 5),
        endpoint=Draw.flip,
        dtype=lambda d: d.one(None, "float32", "int32"),
    ),
)
row(
    "logspace",
    of(
        lambda d: d.one(0, 0.5),
        lambda d: d.one(2, 1.5),
        num=lambda d: d.int(1, 5),
        endpoint=Draw.flip,
        base=lambda d: d.one(2, 10),
    ),
)
row(
    "geomspace",
    of(
        lambda d: d.one(1, 0.5),
        lambda d: d.one(8, 4.5),
        num=lambda d: d.int(1, 5),
        endpoint=Draw.flip,
    ),
)
row("bartlett blackman hamming hanning", lambda d: Call([d.int(1, 6)]))
row("kaiser", lambda d: Call([d.int(1, 6), d.number(0, 5)]))
row("vander", of(lambda d: d.array((3,), "number"), N=lambda d: d.int(1, 4), increasing=Draw.flip))
row(
    "array convert_to_tensor",
    of(
        lambda d: d.one(d.array(), 3, 2.5, True, [1, 2], [1.5, 2], [True, 2], [[1, 2], [3, 4]]),
        **_DTYPE,
    ),
)
row(
    "cast",
    lambda d: Call(
        [
            d.array(low=0),
            d.one("float32", "int32", "bool", "float16", "bfloat16", "int8", "uint8", "word"),
        ]
    ),
)
row(
    "saturate_cast",
    lambda d: Call(
        [
            d.array(low=-300, high=300, dtype=d.one("float32", "int16", "int32")),
            d.one("float32", "int32", "float16", "int8", "uint8"),
        ]
    ),
)
row(
    "one_hot",
    of(
        lambda d: d.array(d.shape(0, 2), "index", low=-1, high=4),
        lambda d: d.int(1, 5),
        axis=lambda d: d.one(-1, 0),
        dtype=lambda d: d.one(None, "int32", "bool"),
    ),
)
row(
    "multi_hot",
    of(
        lambda d: d.array(d.shape(1, 2), "index", low=0, high=4),
        lambda d: d.int(3, 5),
        dtype=lambda d: d.one(None, "int32", "bool"),
    ),
)

# Indices
row("take", with_array(lambda d, x: _take(d, x), least=1))
row(
    "take_along_axis",
    lambda d: Call(
        [d.array((3, 4)), d.array((3, 4), dtype="int32", low=0, high=2)], {"axis": d.one(0, 1, -1)}
    ),
)
row(
    "scatter",
    lambda d: Call(
        [
            d.array((4, 1), "index", low=0, high=3),
            d.array((4, *(s := d.shape(0, 1))), "number"),
            (5, *s),
        ]
    ),
)
row(
    "scatter_update",
    lambda d: Call(
        [
            x := d.array((5, 2), "number"),
            d.random.permutation(5)[:3, None].astype("int32"),
            d.array((3, 2), dtype=x.dtype.name),
        ],
        d.one({}, {"reduction": d.one(None, "add", "max", "min", "mul", "div")}),
    ),
)
row(
    "slice",
    lambda d: Call([d.array((4, 5)), [d.int(0, 2), d.int(0, 2)], [d.int(1, 2), d.int(1, 3)]]),
)
row(
    "slice_update",
    lambda d: Call(
        [d.array((4, 5), dtype="float32"), [d.int(0, 2), d.int(0, 2)], d.array((2, 3), "single")]
    ),
)
row(
    "unravel_index", lambda d: Call([d.array(d.shape(0, 1), dtype="int32", low=0, high=11), (3, 4)])
)
row(
    "select",
    lambda d: Call(
        [[d.array((3,), "bool"), d.array((3,), "bool")], [d.array((3,)), d.array((3,))]],
        d.one({}, {"default": d.one(1, 2.5)}),
    ),
)


def _take(d: Draw, x: np.ndarray) -> Call:
    axis = d.axis(x.ndim, True)
    size = x.size if axis is None else x.shape[axis] if -x.ndim <= axis < x.ndim else 1
    indices = d.one(
        d.int(-size, size - 1), d.array(d.shape(0, 2), dtype="int32", low=-size, high=size - 1)
    )
    return Call([x, indices], {"axis": axis})


# Products and linear algebra
row(
    "matmul",
    lambda d: Call(
        [d.array(d.one((3,), (2, 3), (2, 2, 3))), d.array(d.one((3,), (3, 4), (2, 3, 2), (4, 2)))]
    ),
)
row(
    "dot inner",
    lambda d: Call([d.array(d.one((), (3,), (2, 3))), d.array(d.one((), (3,), (3, 3), (4, 3)))]),
)
row("vdot", lambda d: Call([d.array((2, 3), "number"), d.array((2, 3), "number")]))
row(
    "outer kron",
    of(lambda d: d.array(d.shape(1, 2), "number"), lambda d: d.array(d.shape(1, 2), "number")),
)
row(
    "tensordot",
    lambda d: Call(
        [d.array((2, 3, 4)), d.array((4, 3, 2))],
        {"axes": d.one(1, 0, [[1, 2], [1, 0]], [2, 0], [[2], [0]], 2)},
    ),
)
row(
    "einsum",
    lambda d: Call(
        [
            d.one("ij,jk->ik", "ij,jk", "ij,jk->", "ij,jk->ijk", "...j,jk->...k", "ij,kl->ij"),
            d.array((2, 3)),
            d.array((3, 4)),
        ]
    ),
)
row(
    "cross",
    lambda d: Call([d.array((2, 3), "number"), d.array(d.one((3,), (2, 3), (2, 2)), "number")]),
)
row(
    "correlate",
    lambda d: Call(
        [d.array((5,), "number"), d.array((3,), "number")], {"mode": d.one("valid", "same", "full")}
    ),
)
row("corrcoef", lambda d: Call([d.array((3, 5), "number")]))
row("cdist", of(lambda d: d.array((3, 2), "float"), lambda d: d.array((4, 2), "float")))
row("det inv slogdet logdet", lambda d: Call([_square(d)]))
row("cholesky cholesky_inverse", lambda d: Call([_definite(d)], d.one({}, {"upper": True})))
row("solve", lambda d: Call([a := _square(d), d.array((*a.shape[:-2], 3, 2), "single")]))
row(
    "solve_triangular",
    lambda d: Call(
        [a := np.tril(_square(d)), d.array((*a.shape[:-2], 3, 2), "single")], {"lower": True}
    ),
)
row("lstsq", lambda d: Call([d.array((4, 2), "single"), d.array(d.one((4,), (4, 3)), "single")]))
row("pinv matrix_rank", lambda d: Call([d.array((3, 2), "single")]))
row("eigh", lambda d: Call([_definite(d)]))
row("svd", lambda d: Call([d.array((3, 2), "single")], {"compute_uv": False}))
row(
    "qr", lambda d: Call([d.array((3, 2), "single")], {"mode": d.one("reduced", "complete", "raw")})
)


def _square(d: Draw) -> np.ndarray:
    batch = d.shape(0, 1)
    return d.array((*batch, 3, 3), "single") + 4 * np.eye(3, dtype="float32")


def _definite(d: Draw) -> np.ndarray:
    x = _square(d)
    return (x @ np.swapaxes(x, -1, -2)).astype("float32")


# Neural networks
_PADDING, _FORMAT = (
    lambda d: d.one("valid", "same", "full"),
    lambda d: d.one(None, "channels_first", "channels_last"),
)


def _windows(d: Draw) -> Call:
    rank = d.int(1, 2)
    pool = d.one(2, (2, 3)[:rank], 3)
    options = {"strides": d.one(1, 2), "padding": _PADDING(d), "data_format": _FORMAT(d)}
    return Call([d.array((2, *(5, 6)[:rank], 4), "float"), pool], options)


def _convolution(d: Draw, transposed: bool = False, depthwise: bool = False) -> Call:
    rank, first = d.int(1, 2), d.flip(0.3)
    groups = 1 if transposed or depthwise else d.one(1, 1, 2)
    spatial, size = (6, 7)[:rank], (3, 2)[:rank]
    x = d.array((2, 4, *spatial) if first else (2, *spatial, 4), "single")
    out = (2, 4) if transposed else (4, 2) if depthwise else (4 // groups, 6)
    strides = d.one(1, 2)
    options = {
        "strides": strides,
        "padding": d.one("valid", "same"),
        "data_format": "channels_first" if first else "channels_last",
        "dilation_rate": d.one(1, 2) if strides == 1 else 1,
    }
    return Call([x, d.array((*size, *out), "single")], options)


def _separable(d: Draw) -> Call:
    args = [d.array(shape, "single") for shape in ((2, 5, 6, 3), (2, 2, 3, 2), (1, 1, 6, 4))]
    return Call(args, {"padding": d.one("valid", "same"), "strides": d.one(1, 2)})


row("max_pool average_pool", _windows)
row(
    "adaptive_average_pool adaptive_max_pool",
    lambda d: Call(
        [d.array((2, 5, 6, 3), "single"), d.one(2, (3, 2), 1)], {"data_format": _FORMAT(d)}
    ),
)
row("conv", _convolution)
row("conv_transpose", lambda d: _convolution(d, transposed=True))
row("depthwise_conv", lambda d: _convolution(d, depthwise=True))
row("separable_conv", _separable)
row(
    "batch_normalization",
    lambda d: Call(
        [d.array((2, 3, 4), "single"), d.array((4,), "single"), d.array((4,), "single", low=1), -1],
        {k: d.array((4,), "single") for k in ("offset", "scale") if d.flip()}
        | {"epsilon": d.one(1e-3, 0.1)},
    ),
)
row(
    "layer_normalization",
    lambda d: Call(
        [d.array((2, 3, 4), "float")],
        {"axis": d.one(-1, 1, (1, 2), [-1, -2]), "epsilon": d.one(None, 1e-3)},
    ),
)
row(
    "rms_normalization",
    lambda d: Call(
        [d.array((2, 3, 4), "float")], {"axis": d.one(-1, 1, (1, 2)), "epsilon": d.one(None, 1e-3)}
    ),
)
row(
    "binary_crossentropy",
    lambda d: Call(
        [
            d.array((3, 4), d.one("single", "bool", "int"), low=0, high=1),
            d.array((3, 4), "float", low=0.01, high=0.99),
        ],
        {"from_logits": d.flip()},
    ),
)
row(
    "categorical_crossentropy",
    lambda d: Call(
        [
            d.array((3, 4), "single", low=0, high=1),
            d.array(d.one((3, 4), (3, 4), (4, 3)), "float", low=0.01, high=0.99),
        ],
        {"from_logits": d.flip(), "axis": d.one(-1, 0)},
    ),
)
row(
    "sparse_categorical_crossentropy",
    lambda d: Call(
        [
            d.array(d.one((3,), (3, 1)), "index", low=0),
            d.array((3, 4), "float", low=0.01, high=0.99),
        ],
        {"from_logits": d.flip()},
    ),
)
row(
    "dot_product_attention",
    lambda d: Call(
        [d.array((2, 3, 2, 4), "single") for _ in range(3)],
        {"is_causal": d.flip()}
        | d.one(
            {},
            {"scale": 0.3},
            {"bias": d.array((1, 1, 3, 3), "single")},
            {"mask": d.array((2, 1, 3, 3), "bool") | np.eye(3, dtype=bool)},
        ),
    ),
)
row(
    "ctc_loss",
    lambda d: Call(
        [
            d.array((2, 3), dtype="int32", low=1),
            d.array((2, 7, 5), "single"),
            np.array([2, 3], "int32"),
            np.array([7, 6], "int32"),
        ],
        {"mask_index": d.one(0, 4)},
    ),
)
row(
    "ctc_decode",
    lambda d: Call(
        [d.array((2, 7, 5), "single"), np.array([7, 6], "int32")],
        {"merge_repeated": d.flip(), "mask_index": d.one(0, 2)},
    ),
)
row("psnr", lambda d: Call([d.array((2, 3), "single"), d.array((2, 3), "single"), d.one(1, 2.5)]))
row(
    "unfold",
    lambda d: Call(
        [d.array((2, 3, 5, 6), "single"), d.one(2, (2, 3))],
        {"padding": d.int(0, 1), "stride": d.int(1, 2), "dilation": d.int(1, 2)},
    ),
)
row("fold", lambda d: Call([d.array((2, 12, 20), "single"), (5, 6), 2]))

# Signals, images
row("rfft", lambda d: Call([d.array((2, 6), "float")], {"fft_length": d.one(None, 4, 8)}))
row(
    "irfft",
    lambda d: Call(
        [(d.array((2, 4), "single"), d.array((2, 4), "single"))], {"fft_length": d.one(None, 6, 5)}
    ),
)
row("fft", lambda d: Call([(d.array((2, 4), "single"), d.array((2, 4), "single"))]))
row("fft2 ifft2", lambda d: Call([(d.array((3, 4), "single"), d.array((3, 4), "single"))]))
row(
    "stft",
    lambda d: Call(
        [d.array((2, 30), "single"), d.one(4, 8), d.one(2, 4), 8],
        {"window": d.one("hann", "hamming", None), "center": d.flip()},
    ),
)
row("extract_sequences", lambda d: Call([d.array((2, 9)), d.int(1, 4), d.int(1, 3)]))
_IMAGE = lambda d: d.array(d.one((5, 6, 3), (2, 5, 6, 3)), d.one("single", "float"), low=0, high=1)  # noqa: E731
row(
    "image.resize",
    of(
        _IMAGE,
        lambda d: d.one((4, 4), (7, 9), (5, 3)),
        interpolation=lambda d: d.one(
            "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area5"
        ),
        antialias=Draw.flip,
    ),
)
row("image.rgb_to_grayscale image.rgb_to_hsv image.hsv_to_rgb", of(_IMAGE))
row(
    "image.extract_patches",
    of(
        _IMAGE,
        lambda d: d.one((2, 2), (3, 2), 2),
        strides=lambda d: d.one(None, (1, 1), (2, 1)),
        padding=lambda d: d.one("valid", "same"),
    ),
)
row(
    "image.pad_images",
    of(
        _IMAGE,
        lambda d: d.int(0, 2),
        lambda d: d.int(0, 2),
        lambda d: d.int(0, 2),
        lambda d: d.int(0, 2),
    ),
)
row(
    "image.crop_images",
    of(
        _IMAGE,
        lambda d: d.int(0, 2),
        lambda d: d.int(0, 2),
        lambda d: d.int(0, 2),
        lambda d: d.int(0, 2),
    ),
)
row(
    "image.gaussian_blur",
    # Without its layout Keras takes the rows for channels, whatever the default says.
    lambda d: Call(
        [_IMAGE(d), d.one((3, 3), (3, 5)), d.one((1.0, 1.0), (0.5, 1.5)), "channels_last"]
    ),
)
row("image.affine_transform", lambda d: _affine(d))
row(
    "image.map_coordinates",
    lambda d: Call(
        [d.array((5, 6), "single"), d.array((2, 7), "single", low=0, high=4), d.one(0, 1)],
        {
            "fill_mode": d.one("constant", "nearest", "wrap", "mirror", "reflect"),
            "fill_value": d.number(),
        },
    ),
)
row("image.sobel_edges", lambda d: Call([d.array((2, 5, 6, 3), "single")]))
row(
    "image.ssim",
    lambda d: Call(
        [
            d.array((1, 12, 12, 1), "single", low=0, high=1),
            d.array((1, 12, 12, 1), "single", low=0, high=1),
        ]
    ),
)


def _affine(d: Draw) -> Call:
    """What is no affine map, the last two numbers, is 0: Keras's backends disagree about it."""
    noise = d.array((8,), "single", low=-0.2, high=0.2)
    transform = (np.array([1, 0, 0, 0, 1, 0, 0, 0]) + noise * ([1] * 6 + [0, 0])).astype("float32")
    options = {
        "interpolation": d.one("bilinear", "nearest"),
        "fill_mode": d.one("constant", "nearest", "wrap", "mirror", "reflect"),
    }
    return Call([d.array((5, 6, 3), "single", low=0, high=1), transform], options)


# ---- Trees: structures of Python, results compared as they are -----------------------------------

Pair = namedtuple("Pair", "left right")


def structure(d: Draw, depth: int = 2) -> Any:
    if depth == 0 or d.flip(0.3):
        return d.one(d.int(0, 9), None, "word", 2.5, True)
    parts = [structure(d, depth - 1) for _ in range(d.int(0, 3))]
    keys = [str(d.one("b", "a", "c", "d")) + str(i) for i in range(len(parts))][:: d.one(1, -1)]
    made = [
        parts,
        tuple(parts),
        dict(zip(keys, parts, strict=True)),
        OrderedDict(zip(keys, parts, strict=True)),
    ]
    return d.one(*made, Pair(structure(d, depth - 1), 1))


def other_structure(d: Draw, like: Any) -> Any:
    """The same structure, or nearly."""
    return d.one(like, like, structure(d))


def _two_structures(d: Draw) -> Call:
    first = structure(d)
    return Call([first, other_structure(d, first)], {})


def _packing(d: Draw) -> Call:
    like = structure(d)
    count = len(keras.tree.flatten(like))
    return Call([like, list(range(count + d.one(0, 0, 0, 1, -1)))])


row(
    "tree.flatten tree.flatten_with_path tree.is_nested tree.lists_to_tuples",
    lambda d: Call([structure(d)]),
)
row("tree.assert_same_structure tree.assert_same_paths", _two_structures)
row("tree.pack_sequence_as", _packing)
row(
    "tree.map_structure tree.map_structure_up_to",
    lambda d: Call([lambda *xs: ("f", *map(str, xs)), *_two_structures(d).args]),
)
row(
    "tree.map_shape_structure",
    lambda d: Call(
        [
            lambda s: str(s),
            d.one((1, 2), {"b": (1, None), "a": [2, 3]}, [(1,), (2, 3)], [1, 2], None, {"a": None}),
        ]
    ),
)
row(
    "tree.traverse",
    lambda d: Call(
        [lambda s: len(s) if isinstance(s, list) else s if d is None else None, structure(d)],
        {"top_down": d.flip()},
    ),
)


# ---- The comparison ------------------------------------------------------------------------------


def compare(name: str, call: Call) -> list[tuple[str, str]]:
    """What differs: its kind and a sentence."""
    theirs, ours = _outcome(keras, name, call), _outcome(layerkit, name, call)
    for library, error in (("Keras", theirs), ("layerkit", ours)):
        if isinstance(error, Exception):
            other = ours if library == "Keras" else theirs
            if isinstance(other, Exception):
                return []
            return [
                ("refusal", f"only {library} refuses: {type(error).__name__}: {str(error)[:200]}")
            ]
    if name.startswith("tree."):
        return [] if _alike(theirs, ours) else [("value", f"Keras {theirs!r}, layerkit {ours!r}")]
    found = _compare_values(theirs, ours)
    if not found:
        found = _compare_gradients(name, call)
    return found + _compare_specs(name, call, ours)


def _outcome(library: Any, name: str, call: Call) -> Any:
    """The result, or the error."""
    try:
        args = call.args if name.startswith("tree.") else _tensors(library, call.args)
        options = call.options if name.startswith("tree.") else _tensors(library, call.options)
        return _function(library, name)(*args, **options)
    except Exception as error:
        return error


def _function(library: Any, name: str) -> Callable:
    path = name if name.startswith(("tree.", "activations.")) else f"ops.{name}"
    return reduce(getattr, path.split("."), library)


def _tensors(library: Any, x: Any) -> Any:
    return _replaced(x, library.ops.convert_to_tensor)


def _replaced(x: Any, function: Callable) -> Any:
    if isinstance(x, np.ndarray):
        return function(x)
    if type(x) in (list, tuple):
        return type(x)(_replaced(item, function) for item in x)
    return {k: _replaced(v, function) for k, v in x.items()} if isinstance(x, dict) else x


def _alike(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(_alike(a[k], b[k]) for k in a)
    return a == b


def _leaves(result: Any) -> list[Any]:
    return flat(tuple(result) if isinstance(result, tuple) else result)


def _array(x: Any) -> np.ndarray:
    return np.asarray(K.to_numpy(x) if isinstance(x, K.Tensor) else x)


def _compare_values(theirs: Any, ours: Any) -> list[tuple[str, str]]:
    theirs, ours = list(map(_array, _leaves(theirs))), list(map(_array, _leaves(ours)))
    if len(theirs) != len(ours):
        return [("value", f"Keras has {len(theirs)} results, layerkit {len(ours)}")]
    found = []
    for i, (a, b) in enumerate(zip(theirs, ours, strict=True)):
        if a.shape != b.shape:
            found.append(("value", f"result {i}: shape {a.shape} in Keras, {b.shape} here"))
            continue
        if _narrow(a.dtype) != _narrow(b.dtype):
            found.append(("dtype", f"result {i}: {a.dtype} in Keras, {b.dtype} here"))
        if not _close(a, b):
            found.append(("value", f"result {i}: {a.tolist()} in Keras, {b.tolist()} here"))
    return found


def _narrow(dtype: Any) -> str:
    """JAX has no 64 bits, unless asked for."""
    return (
        dtype.name.replace("complex128", "complex64").replace("64", "32")
        if "complex" not in dtype.name
        else "complex64"
    )


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype.kind == "U" or a.dtype == object:
        return bool((a == b).all())
    tolerance = max(_tolerance(a.dtype.name), _tolerance(b.dtype.name))
    wide = "complex128" if a.dtype.kind == "c" else "float64"
    a, b = a.astype(wide), b.astype(wide)
    with np.errstate(all="ignore"):
        size = np.abs(a[np.isfinite(a)]).max(initial=1e-3)
    return np.allclose(a, b, rtol=tolerance, atol=tolerance * min(size, 1e3), equal_nan=True)


def _tolerance(dtype: str) -> float:
    return {"bfloat16": 4e-2, "float16": 6e-3}.get(
        dtype, 5e-5 if "float" in dtype or "complex" in dtype else 0
    )


NO_GRADIENT = {
    "angle",
    "imag",
    "nextafter",
    "eigh",
    "svd",
    "qr",
    "pinv",
    "lstsq",
    "view_as_complex",
}


def _compare_gradients(name: str, call: Call) -> list[tuple[str, str]]:
    given = _arrays((call.args, call.options))
    watched = [i for i, x in enumerate(given) if x.dtype == "float32" and np.isfinite(x).all()]
    wide = any("64" in x.dtype.name for x in given)  # of which JAX makes 32 bits
    if not watched or wide or name in NO_GRADIENT or keras.backend.backend() != "jax":
        return []

    def of_watched(*values: Any) -> Any:
        tensors = list(map(jax.numpy.asarray, given))
        for i, value in zip(watched, values, strict=True):
            tensors[i] = value
        args, options = _refilled((call.args, call.options), iter(tensors))
        results = _leaves(_function(keras, name)(*args, **options))
        return [y for y in results if getattr(y, "dtype", None) == "float32"]

    try:
        values, pull = jax.vjp(of_watched, *[jax.numpy.asarray(given[i]) for i in watched])
    except Exception:  # shapes that depend on values, and the like
        return []
    if not values:
        return []
    upstream = [weight_of(np.asarray(y)) for y in values]
    theirs = [np.asarray(g) for g in pull(list(map(jax.numpy.asarray, upstream)))]
    try:
        tensors = [K.convert_to_tensor(x) for x in given]
        sources = [tensors[i] for i in watched]
        with K.GradientTape() as tape:
            tape.watch(sources)
            args, options = _refilled((call.args, call.options), iter(tensors))
            results = _leaves(_function(layerkit, name)(*args, **options))
        results = [y for y in results if getattr(y, "dtype", None) == "float32"]
        ours = tape.gradient(results, sources, output_gradients=upstream)
    except Exception as error:
        if not any(g.any() for g in theirs):
            return []
        return [("gradient", f"layerkit has none: {type(error).__name__}: {str(error)[:200]}")]
    found = []
    for i, a, b in zip(watched, theirs, ours, strict=True):
        b = np.zeros_like(a) if b is None else _array(b)
        if not _close(a, b):
            found.append(("gradient", f"of array {i}: {a.tolist()} in Keras, {b.tolist()} here"))
    return found


def _arrays(x: Any) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    _replaced(x, found.append)
    return found


def _refilled(x: Any, tensors: Any) -> Any:
    return _replaced(x, lambda _: next(tensors))


def _compare_specs(name: str, call: Call, ours: Any) -> list[tuple[str, str]]:
    """A call on symbolic tensors promises what the call on values gives."""
    if name.startswith("tree.") or not _arrays(call.args):
        return []
    try:
        args, options = _symbols(layerkit, call)
        promised = _leaves(_function(layerkit, name)(*args, **options))
    except Exception as error:
        try:
            args, options = _symbols(keras, call)
            _function(keras, name)(*args, **options)
        except Exception:
            return []
        return [
            ("spec", f"only layerkit refuses symbols: {type(error).__name__}: {str(error)[:200]}")
        ]
    found = []
    for i, (spec, y) in enumerate(zip(promised, map(_array, _leaves(ours)), strict=False)):
        if not isinstance(spec, layerkit.KerasTensor):
            continue
        if len(spec.shape) != y.ndim or any(
            s not in (None, n) for s, n in zip(spec.shape, y.shape, strict=True)
        ):
            found.append(("spec", f"result {i}: {spec.shape} promised, {y.shape} came"))
        if spec.dtype != y.dtype.name:
            found.append(("spec", f"result {i}: {spec.dtype} promised, {y.dtype} came"))
    return found


def _symbols(library: Any, call: Call) -> Any:
    made = lambda x: library.KerasTensor(x.shape, x.dtype.name)  # noqa: E731
    return _replaced(call.args, made), _replaced(call.options, made)


def _text(call: Call) -> str:
    def text(x: Any) -> Any:
        return f"{x.dtype.name}{list(x.shape)}={x.tolist()}"

    args, options = _replaced(call.args, text), _replaced(call.options, text)
    return f"{options}, {', '.join(map(str, args))}"[:400]


def differences(seed: int, rounds: int, only: str = "") -> Iterator[str]:
    """A sentence for each kind of difference of each row, beside those that are known."""
    told: set[str] = set()  # one finding of each kind is enough
    names = [name for name in CALLS if not only or name in only.split(",")]
    for number, name in enumerate(CALLS):
        for turn in range(rounds) if name in names else ():
            call = CALLS[name](Draw(seed, number, turn))
            try:
                differing = compare(name, call)
            except Exception:
                differing = [("comparison", traceback.format_exc(limit=-3))]
            for kind, text in differing:
                if (name, kind) not in KNOWN and f"{name} {kind}" not in told:
                    told.add(f"{name} {kind}")
                    yield f"{name}({_text(call)})\n    {kind}: {text[:400]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", default="", help="a row's name, or several with commas")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    count = 0
    for sentence in differences(arguments.seed, arguments.rounds, arguments.only):
        print(sentence, flush=True)
        count += 1
    print(f"{count} differences from Keras {keras.__version__}")
    sys.exit(bool(count))


if __name__ == "__main__":
    main()
