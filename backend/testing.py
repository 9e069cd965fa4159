"""The conformance suite: whether a backend computes what the reference over NumPy computes.

    from layerkit.backend.testing import check_backend
    check_backend("numpy")

It comes with the package and needs no test framework: whoever writes a backend calls it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from . import ops, registry, tree
from .autodiff import GradientTape, Tensor, Variable
from .base import Backend
from .by_value import BY_VALUE

_TOLERANCE = {"float16": 1e-2, "float32": 5e-5, "float64": 1e-11}
_SHOWN = 3  # failures of each kernel that the error tells in full


def check_backend(name: str) -> str:
    """Compare the backend called `name` with the reference; a line that says what was compared.

    Every kernel of `Backend` over shapes, strides, pads, dilations, groups, dtypes, ties, empty
    batches and memory layouts; transfers; how batches are fed; operations with their gradients; a
    training loop.
    Results may differ by rounding only; dropout masks, transfers, and what no rounding touches are
    the same bits. AssertionError names the kernels and cases that differ, and by how much.
    """
    backend = registry.get_backend(name)
    report = _Report(backend)
    for case in _cases(backend.float_types):
        report.check(case.kernel, str(case), partial(_check_case, backend, case))
    for kind, check in _OTHER_CHECKS.items():
        for text, run in check(backend):
            report.check(kind, text, run)
    return report.conclusion()


class Reference(Backend):
    """The kernels of `Backend`, over NumPy: what every backend is compared with."""

    name, xp, array_type = "reference", np, np.ndarray

    def to_numpy(self, array: Any) -> np.ndarray:
        return array


REFERENCE = Reference()


class _Report:
    """Counts checks and collects what failed."""

    def __init__(self, backend: Backend):
        self.backend = backend
        self.checked: dict[str, int] = {}
        self.failures: dict[str, list[str]] = {}

    def check(self, kernel: str, case: str, run: Callable[[], None]) -> None:
        self.checked[kernel] = self.checked.get(kernel, 0) + 1
        try:
            run()
        except AssertionError as error:
            self.failures.setdefault(kernel, []).append(f"{case}: {error}")
        except Exception as error:  # a kernel may fail in any way; the rest is checked all the same
            text = f"{case}: raised {type(error).__name__}: {error}"
            self.failures.setdefault(kernel, []).append(text)

    def conclusion(self) -> str:
        total = sum(self.checked.values())
        if not self.failures:
            return f"Backend '{self.backend.name}': {total} checks of {', '.join(self.checked)}."
        lines = [f"The backend '{self.backend.name}' ({type(self.backend).__name__}) is wrong:"]
        for kernel, cases in self.failures.items():
            lines.append(f"{kernel}: {len(cases)} of {self.checked[kernel]} checks fail")
            lines += [f"  {kernel}, {case}" for case in cases[:_SHOWN]]
        raise AssertionError("\n".join(lines))


# Kernels, one call at a time


@dataclass(frozen=True)
class _Case:
    """A call of a kernel. `exact`: the same bits are wanted. `layout`: how arrays lie in memory."""

    kernel: str
    arguments: tuple
    exact: bool = False
    layout: str = "contiguous"

    def __str__(self) -> str:
        text = ", ".join(map(_shown, self.arguments))
        return f"({text})" + ("" if self.layout == "contiguous" else f" {self.layout}")


def _shown(argument: Any) -> str:
    if isinstance(argument, np.ndarray):
        return f"{argument.dtype}{list(argument.shape)}"
    if isinstance(argument, tuple):
        return f"({', '.join(map(_shown, argument))})"
    return str(argument)


def _check_case(backend: Backend, case: _Case) -> None:
    host = case.arguments
    given = _map(lambda x: _laid_out(backend, x, case.layout), host)
    results = _as_tuple(getattr(backend, case.kernel)(*given))
    dtypes = [y.dtype for y in _as_tuple(getattr(REFERENCE, case.kernel)(*host))]
    exact_inputs = host if case.exact else _map(_in_float64, host)
    expected = _as_tuple(getattr(REFERENCE, case.kernel)(*exact_inputs))
    _require(
        len(results) == len(expected), f"gave {len(results)} results instead of {len(expected)}"
    )
    for result, value, dtype in zip(results, expected, dtypes, strict=True):
        _require(result.dtype == dtype, f"gave {result.dtype} instead of {dtype}")
        _assert_close(backend, result, value, 0 if case.exact else _tolerance(dtype))
    _map(lambda x: _assert_unchanged(backend, x), _pairs(given, host))


def _map(function: Callable, argument: Any) -> Any:
    """`argument` with `function` done to the arrays in its tuples."""
    if isinstance(argument, tuple):
        return tuple(_map(function, part) for part in argument)
    return function(argument) if isinstance(argument, (np.ndarray, _Pair)) else argument


@dataclass(frozen=True)
class _Pair:
    given: Any
    host: np.ndarray


def _pairs(given: Any, host: Any) -> Any:
    if isinstance(host, tuple):
        return tuple(map(_pairs, given, host))
    return _Pair(given, host) if isinstance(host, np.ndarray) else host


def _assert_unchanged(backend: Backend, pair: _Pair) -> None:
    unchanged = np.array_equal(backend.to_numpy(pair.given), pair.host, equal_nan=True)
    _require(unchanged, f"wrote into its argument of shape {pair.host.shape}")


def _in_float64(x: np.ndarray) -> np.ndarray:
    return x.astype("float64") if x.dtype.kind == "f" else x


def _laid_out(backend: Backend, x: np.ndarray, layout: str) -> Any:
    if layout == "contiguous" or not x.ndim:
        return backend.asarray(x.copy())  # or a mistake could spoil the reference's arguments
    if layout == "transposed":
        return backend.asarray(np.ascontiguousarray(x.T)).T
    return backend.asarray(np.repeat(x, 2, axis=-1))[..., ::2]


def _require(condition: bool, complaint: str) -> None:
    """What `assert` would do, had Python no option to leave it out."""
    if not condition:
        raise AssertionError(complaint)


def _as_tuple(x: Any) -> tuple:
    return x if isinstance(x, tuple) else (x,)


def _tolerance(dtype: Any) -> float:
    return _TOLERANCE.get(np.dtype(dtype).name, 0)


def _assert_close(backend: Backend, result: Any, expected: np.ndarray, tolerance: float) -> None:
    """The same shape and, up to `tolerance` of the largest number or of 1, the same values."""
    kind = type(result).__name__
    _require(isinstance(result, backend.array_type), f"gave a {kind}, no array of this backend")
    _require(
        result.shape == expected.shape, f"gave shape {result.shape} instead of {expected.shape}"
    )
    value, expected = (np.asarray(x, "float64") for x in (backend.to_numpy(result), expected))
    finite = expected[np.isfinite(expected)]
    allowed = tolerance * max(1.0, np.abs(finite).max(initial=0.0))
    with np.errstate(invalid="ignore"):
        gap = np.where(value == expected, 0.0, np.abs(value - expected))
    gap = np.where(np.isnan(value) & np.isnan(expected), 0.0, gap)
    if not (gap <= allowed).all():  # a NaN is no difference that is small
        place = np.unravel_index(np.argmax(np.where(np.isnan(gap), np.inf, gap)), gap.shape)
        raise AssertionError(
            f"the largest difference is {gap[place]:.3g} (allowed: {allowed:.3g}), where it gave "
            f"{value[place]:.8g} instead of {expected[place]:.8g} at {tuple(map(int, place))}"
        )


def _cases(float_types: tuple[str, ...]) -> Iterator[_Case]:
    makers = (_products, _convolutions, _poolings, _fused, _crossentropies, _picks)
    for dtype, maker in itertools.product(float_types, makers):
        yield from maker(dtype)
    layouts, dtype = ("strided", "transposed"), float_types[-1]
    for layout, maker in itertools.product(layouts, makers):
        for case in maker(dtype):
            yield _Case(case.kernel, case.arguments, case.exact, layout)
    yield from _dropout_masks(float_types)


def _normal(*shape: int, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape).astype(dtype)


def _few(*shape: int, dtype: str = "float64") -> np.ndarray:
    """Small whole numbers: many ties, and sums that no order changes."""
    return np.random.default_rng(shape).integers(-3, 4, shape).astype(dtype)


_PRODUCTS = [  # both operands
    ((3, 4), (4, 5)),
    ((4,), (4, 5)),
    ((3, 4), (4,)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 3, 4), (4, 5)),
    ((3, 4), (2, 4, 5)),
    ((6, 1, 3, 4), (1, 2, 4, 5)),
    ((2, 0, 4), (4, 5)),
    ((3, 0), (0, 5)),
]


def _products(dtype: str) -> Iterator[_Case]:
    for a, b in _PRODUCTS:
        yield _Case("matmul", (_normal(*a, dtype=dtype), _normal(*b, dtype=dtype)))
    yield _Case("matmul", (_few(3, 4, dtype="int64"), _normal(4, 5, dtype=dtype)))


_CONVOLUTIONS: list[tuple[Any, ...]] = [  # image, kernel, groups, strides, pads, dilation
    ((2, 7, 6, 3), (3, 2, 3, 5), 1, (1, 1), ((1, 1), (0, 1)), (1, 1)),
    ((2, 8, 8, 8), (3, 3, 8, 16), 1, (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((2, 8, 8, 8), (3, 3, 8, 4), 1, (2, 2), ((0, 1), (0, 1)), (1, 1)),
    ((3, 9, 8, 2), (3, 2, 2, 4), 1, (2, 1), ((3, 0), (0, -1)), (2, 3)),
    ((2, 9, 8, 4), (3, 2, 2, 6), 2, (2, 3), ((1, 2), (0, 1)), (1, 1)),
    ((2, 5, 5, 3), (1, 1, 3, 4), 1, (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ((2, 5, 5, 4), (1, 1, 2, 4), 2, (3, 2), ((0, 0), (-1, 0)), (1, 1)),
    ((2, 9, 8, 3), (3, 2, 1, 6), 3, (2, 1), ((1, 2), (0, -1)), (1, 2)),
    ((2, 6, 6, 40), (3, 3, 1, 40), 40, (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((2, 11, 3), (4, 3, 2), 1, (2,), ((3, 0),), (2,)),
    ((1, 5, 4, 6, 2), (2, 3, 2, 2, 3), 1, (1, 2, 2), ((0, 1), (1, 1), (0, 0)), (2, 1, 1)),
    ((1, 5, 4, 6, 2), (2, 3, 2, 1, 2), 2, (1, 2, 2), ((0, 1), (1, 1), (0, 0)), (2, 1, 1)),
    ((0, 5, 5, 2), (3, 3, 2, 4), 1, (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((0, 5, 5, 2), (3, 3, 1, 4), 2, (1, 1), ((1, 1), (1, 1)), (1, 1)),
]


def _convolutions(dtype: str) -> Iterator[_Case]:
    for image, kernel, groups, *rest in _CONVOLUTIONS:
        geometry = (*rest, groups)
        x, w = _normal(*image, dtype=dtype), _normal(*kernel, dtype=dtype) / np.dtype(dtype).type(4)
        g = _normal(*REFERENCE.conv(x, w, *geometry).shape, dtype=dtype)
        yield _Case("conv", (x, w, *geometry))
        yield _Case("conv_input_grad", (g, w, x.shape, *geometry))
        yield _Case("conv_kernel_grad", (x, g, w.shape, *geometry))


_NO_PADS = ((0, 0), (0, 0))
_POOLINGS: list[tuple[Any, ...]] = [  # image, window, strides, pads
    ((2, 6, 6, 3), (2, 2), (2, 2), _NO_PADS),
    ((2, 7, 7, 3), (2, 2), (2, 2), _NO_PADS),
    ((2, 7, 9, 3), (3, 2), (3, 2), _NO_PADS),
    ((2, 4, 5, 6, 2), (2, 1, 3), (2, 1, 3), ((0, 0),) * 3),
    ((2, 7, 7, 3), (2, 2), (1, 1), _NO_PADS),
    ((2, 7, 8, 3), (3, 2), (2, 1), ((1, 1), (0, 1))),
    ((2, 7, 8, 3), (2, 2), (3, 4), ((0, 0), (0, -1))),
    ((3, 9, 2), (4,), (3,), ((2, 1),)),
    ((1, 20, 20, 1), (17, 17), (1, 1), _NO_PADS),  # more cells than a byte can count
    ((1, 4, 5, 6, 2), (2, 3, 2), (2, 1, 2), ((0, 0), (1, 1), (0, 1))),
    ((0, 6, 6, 3), (2, 2), (2, 2), _NO_PADS),
]


def _poolings(dtype: str) -> Iterator[_Case]:
    for image, *geometry in _POOLINGS:
        x = _few(*image, dtype=dtype)
        y, winner = REFERENCE.max_pool(x, *geometry)
        g = _few(*y.shape, dtype=dtype)
        yield _Case("max_pool", (x, *geometry), exact=True)
        yield _Case("max_pool_grad", (g, winner, image, *geometry), exact=True)
        yield _Case("sum_pool", (x, *geometry), exact=True)
        yield _Case("sum_pool_grad", (g, image, *geometry), exact=True)
    x = np.array([-np.inf, 0, np.nan, np.inf], dtype)[_few(3, 6, 6, 2).astype(int)]
    yield _Case("max_pool", (x, (2, 3), (2, 2), ((1, 0), (0, 1))), exact=True)


def _fused(dtype: str) -> Iterator[_Case]:
    for activation, shape in itertools.product(BY_VALUE, [(6, 7, 5), (1, 300), (0, 5)]):
        x, bias = 3 * _normal(*shape, dtype=dtype), _normal(shape[-1], dtype=dtype)
        y = REFERENCE.bias_activation(x, bias, activation)
        g = _normal(*shape, dtype=dtype)
        yield _Case("bias_activation", (x, bias, activation))
        yield _Case("bias_activation_grad", (g, y, activation))
        w = _normal(shape[-1], 4, dtype=dtype)
        if len(shape) == 2:
            yield _Case("dense", (x, w, _normal(4, dtype=dtype), activation))
            yield _Case("dense", (x, w, None, activation))
        yield _Case("bias_activation", (x, None, activation))
        yield _Case("sum_rows", (x,))
        if dtype != "float16":  # which is widened before
            a, b = bias, _normal(shape[-1], dtype=dtype)
            yield _Case("sum_products", (x, g))
            yield _Case("scale_rows", (x, a, b))
            yield _Case("combine_rows", (x, a, g, b, a))
    for (image, kernel, groups, *rest), activation in zip(
        _CONVOLUTIONS, itertools.cycle(BY_VALUE), strict=False
    ):
        x, w = _normal(*image, dtype=dtype), _normal(*kernel, dtype=dtype) / np.dtype(dtype).type(4)
        for given in _normal(kernel[-1], dtype=dtype), None:
            yield _Case("conv_bias_activation", (x, w, given, activation, *rest, groups))
    x, bias = np.array([[-1e4, 1e4, np.nan]], dtype), np.zeros(3, dtype)
    for activation in BY_VALUE:
        if dtype != "float16":  # softplus overflows there
            yield _Case("bias_activation", (x, bias, activation))


def _crossentropies(dtype: str) -> Iterator[_Case]:
    for rows, classes in (1, 1), (9, 10), (3, 32), (5, 101), (0, 4):
        logits, g = 5 * _normal(rows, classes, dtype=dtype), _normal(rows, dtype=dtype)
        numbers = np.arange(rows) * 7 % classes
        shares = np.exp(_normal(rows, classes))
        shares = (shares / shares.sum(axis=-1, keepdims=True)).astype(dtype)
        p = REFERENCE.softmax_crossentropy(logits, numbers)[1]
        for target in numbers, numbers.astype("int32"), shares:
            yield _Case("softmax_crossentropy", (logits, target))
            yield _Case("softmax_crossentropy_grad", (g, p, target))
    if dtype != "float16":
        large = np.array([[1e4, 0, 0], [0, 0, -1e4]], dtype)
        yield _Case("softmax_crossentropy", (large, np.array([1, 2])))


def _ids(*numbers: Any) -> np.ndarray:
    return np.array(numbers, "int64")


_PICKS = [  # like, index, shape of the updates
    ((11, 5), _ids(3, 3, 0, -1, 10, 3), (6, 5)),
    ((11, 5), _ids([3, 1], [1, 1]), (2, 2, 5)),
    ((11, 5), _ids(*[0] * 40, 7), (41, 5)),
    ((11, 5), _ids(), (0, 5)),
    ((4, 70), _ids(2, 2, 1).astype("int32"), (3, 70)),
    ((4, 3, 2), _ids(2, 2, 1), (3, 3, 2)),
    ((9,), _ids([8, 8], [0, -9]), (2, 2)),
    ((4, 6, 3), (slice(None), _ids([5, 0], [5, 5])), (4, 2, 2, 3)),
    ((11, 5), (_ids(3, 3, 0), _ids(1, 1, 4)), (3,)),
    ((11, 5), (slice(1, 3), 2), (2,)),
    ((11, 5), (Ellipsis, 0), (11,)),
    ((11, 5), 4, (5,)),
    ((11, 5), slice(None, None, 2), (6, 5)),
]


def _picks(dtype: str) -> Iterator[_Case]:
    for like, index, shape in _PICKS:
        arrays = np.zeros(like, dtype), index, _few(*shape, dtype=dtype)
        yield _Case("scatter_add", arrays, exact=True)


def _dropout_masks(float_types: tuple[str, ...]) -> Iterator[_Case]:
    shapes = [(), (1,), (1000,), (3, 0), (7, 5, 3), (70_001,)]
    keys = [((5, 0, 2), 0.25), ((3, 2**63, 2**64 - 1), 0.9), ((0, 0, 0), 1 / 3), ((1, 0, 7), 0.0)]
    for shape, (key, rate), dtype in itertools.product(shapes, keys, float_types):
        yield _Case("dropout_mask", (key, shape, rate, dtype), exact=True)


# What is no single call of a kernel: pairs of a case's text and its check


def _check_transfers(backend: Backend) -> Iterator[tuple[str, Callable[[], None]]]:
    dtypes = ("bool", "uint8", "int32", "int64", *backend.float_types)
    shapes = [(), (0, 3), (2, 3, 4)]
    for dtype, shape in itertools.product(dtypes, shapes):
        x = _few(*shape).astype(dtype)
        for text, array in {"": x, " transposed": x.T, " reversed": np.flip(x)}.items():
            yield f"{dtype}{list(shape)}{text}", partial(_check_round_trip, backend, array)
    for value in (3, 2.5, True, [1, 2], [[0.5], [1.5]]):
        yield f"of {value}", partial(_check_round_trip, backend, np.asarray(value))
    for dtype in backend.float_types:
        x = _few(3, 4)
        yield f"as {dtype}", partial(_check_cast, backend, x, dtype)
    for other in dict(registry._loaded).values():
        yield f"from '{other.name}'", partial(_check_move, backend, other)


def _check_round_trip(backend: Backend, x: np.ndarray) -> None:
    array = backend.asarray(x)
    _require(array.dtype == x.dtype, f"asarray gave {array.dtype}")
    _assert_close(backend, array, x, 0)
    _assert_close(backend, backend.asarray(array), x, 0)
    host = backend.to_numpy(array)
    _require(type(host) is np.ndarray, f"to_numpy gave a {type(host).__name__}")
    _require(host.dtype == x.dtype, f"to_numpy gave {host.dtype}")


def _check_cast(backend: Backend, x: np.ndarray, dtype: str) -> None:
    for array in backend.asarray(x, dtype=dtype), backend.asarray(backend.asarray(x), dtype=dtype):
        _require(array.dtype == dtype, f"asarray gave {array.dtype}")
        _assert_close(backend, array, x, 0)


def _check_move(backend: Backend, other: Backend) -> None:
    """Arrays come over from another backend, and become the value of a variable."""
    x = _normal(3, 4, dtype="float32")
    _assert_close(backend, backend.asarray(other.asarray(x)), x, 0)
    with _default(backend):
        variable = Variable(backend.asarray(np.zeros_like(x)))
        variable.assign(other.asarray(x))
    _assert_close(backend, variable.array, x, 0)


def _check_feeders(backend: Backend) -> Iterator[tuple[str, Callable[[], None]]]:
    orders = {"in order": None, "shuffled": np.random.default_rng(0).permutation(11)}
    for dtype in ("bool", "uint8", "int64", *backend.float_types):
        for text, order in orders.items():
            yield f"{dtype} {text}", partial(_check_feeder, backend, dtype, order)


def _check_feeder(backend: Backend, dtype: str, order: Any) -> None:
    """The batches of two epochs, kept to the end, hold the rows that they should."""
    arrays = [_few(11, 3).astype(dtype), np.arange(11)]
    rows = np.arange(11) if order is None else order
    epoch = backend.feeder(arrays, 4)
    kept = [list(epoch(order)) for _ in range(2)]
    for batches in kept:
        _require(len(batches) == 3, f"gave {len(batches)} batches instead of 3")
        for start, batch in zip((0, 4, 8), batches, strict=True):
            for result, array in zip(batch, arrays, strict=True):
                _require(result.dtype == array.dtype, f"gave {result.dtype}")
                _assert_close(backend, result, array[rows[start : start + 4]], 0)


def _check_updates(backend: Backend) -> Iterator[tuple[str, Callable[[], None]]]:
    for dtype in backend.float_types:
        yield f"sgd {dtype}", partial(_check_sgd, backend, dtype)
    yield "a rule that is none", partial(_check_unknown_rule, backend)


def _check_sgd(backend: Backend, dtype: str) -> None:
    """Where the backend has this kernel, it is the textbook's, in place."""
    host = {"w": _normal(301, dtype=dtype), "g": _normal(302, dtype=dtype)[:301]}
    for nesterov in False, True:
        arrays = {key: backend.asarray(x.copy()) for key, x in host.items()}
        arrays["momentum"] = backend.asarray(np.full(301, 0.5, dtype))
        numbers = {"lr": 0.1, "decay": 0.0, "beta": 0.9, "nesterov": nesterov}
        if not backend.fused_update("sgd", arrays, numbers):
            return
        w, g = (x.astype("float64") for x in host.values())
        velocity = 0.9 * 0.5 - 0.1 * g
        w = w + (0.9 * velocity - 0.1 * g if nesterov else velocity)
        _assert_close(backend, arrays["momentum"], velocity, _tolerance(dtype))
        _assert_close(backend, arrays["w"], w, _tolerance(dtype))


def _check_lstm(backend: Backend, dtype: str, batch: int) -> None:
    """Both ways in place, as the reference, from what each of them was given."""
    steps, units = 5, 3
    shapes = {"gates": (steps, batch, 4 * units), "r": (units, 4 * units)}
    shapes |= {"h": (steps + 1, batch, units), "c": (steps + 1, batch, units)}
    shapes |= {"tanh_c": (steps, batch, units), "g_y": (steps, batch, units)}
    shapes |= {"dh": (batch, units), "dc": (batch, units)}
    host = {name: _normal(*shape, dtype=dtype) for name, shape in shapes.items()}
    for upstream in host["g_y"], None:
        found = []
        for one in REFERENCE, backend:
            given = {name: one.asarray(x.copy()) for name, x in host.items()}
            gates, r, h, c, tanh_c, _, dh, dc = given.values()
            one.lstm(gates, r, h, c, tanh_c)
            g_y = None if upstream is None else one.asarray(upstream)
            dz = one.lstm_grad(g_y, dh, dc, gates, r, c, tanh_c)
            found.append([gates, h, c, tanh_c, dz, dh, dc])
        for expected, array in zip(*found, strict=True):
            _assert_close(backend, array, expected, 10 * _tolerance(dtype))


def _check_gru(backend: Backend, dtype: str, batch: int) -> None:
    """Both ways in place, as the reference, from what each of them was given."""
    steps, units = 5, 3
    shapes = {"gates": (steps, batch, 3 * units), "r": (units, 3 * units)}
    shapes |= {"bias": (3 * units,), "h": (steps + 1, batch, units)}
    shapes |= {"inner": (steps, batch, units), "g_y": (steps, batch, units), "dh": (batch, units)}
    host = {name: _normal(*shape, dtype=dtype) for name, shape in shapes.items()}
    for upstream in host["g_y"], None:
        found = []
        for one in REFERENCE, backend:
            given = {name: one.asarray(x.copy()) for name, x in host.items()}
            gates, r, bias, h, inner, _, dh = given.values()
            one.gru(gates, r, None if upstream is None else bias, h, inner)
            g_y = None if upstream is None else one.asarray(upstream)
            da, ds = one.gru_grad(g_y, dh, gates, r, h, inner)
            found.append([gates, h, inner, da, ds, dh])
        for expected, array in zip(*found, strict=True):
            _assert_close(backend, array, expected, 10 * _tolerance(dtype))


def _check_unknown_rule(backend: Backend) -> None:
    w = backend.asarray(np.ones(3, "float32"))
    _require(not backend.fused_update("none", {"w": w, "g": w}, {}), "claims to have done it")
    _assert_close(backend, w, np.ones(3), 0)


def _check_recurrent(backend: Backend) -> Iterator[tuple[str, Callable[[], None]]]:
    for dtype in backend.float_types:
        if dtype != "float16":  # in which steps add up to anything
            for batch in (4, 1, 0):
                name = f"lstm {dtype}, batch of {batch}"
                yield name, partial(_check_lstm, backend, dtype, batch)
                name = f"gru {dtype}, batch of {batch}"
                yield name, partial(_check_gru, backend, dtype, batch)


_IDS = np.array([2, 0, 2, 1])
_IMAGES = _normal(2, 6, 5, 3)
_OPERATIONS: dict[str, tuple] = {  # text: function of tensors, its arrays
    "add": (ops.add, _normal(3, 4), _normal(4)),
    "subtract": (ops.subtract, _normal(3, 1), _normal(3, 4)),
    "multiply": (ops.multiply, _normal(3, 4), _normal(1, 4)),
    "divide": (ops.divide, _normal(3, 4), abs(_normal(3, 4)) + 1),
    "power": (lambda x: x**3, _normal(3, 4)),
    "maximum": (ops.maximum, _normal(3, 4), _normal(4)),
    "where": (lambda x, y: ops.where(x > 0, x, y), _normal(3, 4), _normal(4)),
    "exp, log": (lambda x: ops.log(ops.exp(x) + 1), _normal(3, 4)),
    "sqrt, tanh": (lambda x: ops.tanh(ops.sqrt(abs(x) + 1)), _normal(3, 4)),
    "relu": (ops.relu, _normal(3, 4)),
    "sigmoid": (ops.sigmoid, _normal(3, 4)),
    "softmax": (ops.softmax, _normal(3, 4)),
    "sum": (lambda x: ops.sum(x, axis=1), _normal(3, 4, 2)),
    "mean": (lambda x: ops.mean(x, axis=(0, 2), keepdims=True), _normal(3, 4, 2)),
    "max": (lambda x: ops.max(x, axis=1), _normal(3, 4)),
    "matmul": (ops.matmul, _normal(2, 3, 4), _normal(4, 5)),
    "einsum": (lambda x, y: ops.einsum("bij,kj->bik", x, y), _normal(2, 3, 4), _normal(5, 4)),
    "reshape": (lambda x: ops.reshape(x, (4, -1)), _normal(3, 4)),
    "transpose": (lambda x: ops.transpose(x, (2, 0, 1)), _normal(3, 4, 2)),
    "concatenate": (lambda x, y: ops.concatenate([x, y], axis=1), _normal(3, 4), _normal(3, 2)),
    "getitem": (lambda x: x[1:, ::2], _normal(3, 4)),
    "take": (lambda x, ids: ops.take(x, ids, axis=0), _normal(3, 4), _IDS),
    "conv": (lambda x, w: ops.conv(x, w, 2, "same"), _IMAGES, _normal(3, 3, 3, 4)),
    "conv_transpose": (lambda x, w: ops.conv_transpose(x, w, 2), _IMAGES, _normal(3, 3, 4, 3)),
    "depthwise_conv": (lambda x, w: ops.depthwise_conv(x, w, 1), _IMAGES, _normal(3, 3, 3, 2)),
    "max_pool": (lambda x: ops.max_pool(x, 2), _IMAGES),
    "average_pool": (lambda x: ops.average_pool(x, 2, 1, "same"), _IMAGES),
    "batch_normalize": (lambda x: ops.batch_normalize(x)[0], _normal(6, 3)),
    "layer_normalization": (ops.layer_normalization, _normal(6, 3), _normal(3), _normal(3)),
    "dropout": (lambda x: ops.dropout(x, 0.3, seed=5), _normal(30, 4)),
    "sparse_categorical_crossentropy": (
        lambda ids, x: ops.sparse_categorical_crossentropy(ids, x, from_logits=True),
        _IDS,
        _normal(4, 3),
    ),
}


def _check_operations(backend: Backend) -> Iterator[tuple[str, Callable[[], None]]]:
    for text, (function, *arrays) in _OPERATIONS.items():
        given = [x.astype("float32") if x.dtype.kind == "f" else x for x in arrays]
        yield text, partial(_check_operation, backend, function, given)


def _check_operation(backend: Backend, function: Callable, arrays: list) -> None:
    """The value and the gradients are those that NumPy gives."""
    results = _value_and_gradients(backend, function, arrays)
    expected = _value_and_gradients(registry.get_backend("numpy"), function, arrays)
    for result, value in zip(results, expected, strict=True):
        _require(result.array.dtype == value.array.dtype, f"gave {result.array.dtype}")
        _assert_close(backend, result.array, value.array, 2 * _tolerance("float32"))


def _value_and_gradients(backend: Backend, function: Callable, arrays: list) -> list[Tensor]:
    with _default(backend):
        tensors = [Tensor(backend.asarray(x)) for x in arrays]
        watched = [t for t in tensors if t.dtype.kind == "f"]
        with GradientTape() as tape:
            tape.watch(watched)
            y = function(*tensors)
        return [y, *tree.flatten(tape.gradient(y, watched))]


@contextmanager
def _default(backend: Backend) -> Iterator[None]:
    """New arrays are born on `backend` in the `with` block."""
    before = registry.default_backend()
    registry._default = backend
    try:
        yield
    finally:
        registry._default = before


def _check_training(backend: Backend) -> Iterator[tuple[str, Callable[[], None]]]:
    yield "two layers, ten steps", partial(_check_losses, backend)


def _check_losses(backend: Backend) -> None:
    losses, expected = _losses(backend), _losses(registry.get_backend("numpy"))
    _require(expected[-1] < expected[0] / 2, "the reference does not learn")
    gap = max(abs(a - b) for a, b in zip(losses, expected, strict=True))
    _require(gap < 1e-4, f"the losses {losses} differ from NumPy's {expected} by {gap:.3g}")


def _losses(backend: Backend) -> list[float]:
    """The losses of a network with one hidden layer, a dropout and plain gradient descent."""
    x = _normal(32, 6, dtype="float32")
    labels = (x[:, 0] > 0).astype("int64") + (x[:, 1] > 0)
    with _default(backend):
        inputs, targets = Tensor(backend.asarray(x)), Tensor(backend.asarray(labels))
        w1, b1 = (Variable(backend.asarray(v)) for v in _weights(6, 16))
        w2, b2 = (Variable(backend.asarray(v)) for v in _weights(16, 3))
        losses = []
        for step in range(10):
            with GradientTape() as tape:
                hidden = ops.dropout(ops.relu(inputs @ w1 + b1), 0.1, seed=step)
                rows = ops.sparse_categorical_crossentropy(
                    targets, hidden @ w2 + b2, from_logits=True
                )
                loss = ops.mean(rows)
            variables = [w1, b1, w2, b2]
            for v, g in zip(variables, tape.gradient(loss, variables), strict=True):
                v.assign_sub(g * 0.5)
            losses.append(loss.item())
    return losses


def _weights(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    return _normal(rows, columns, dtype="float32") / 3, np.zeros(columns, "float32")


_OTHER_CHECKS: dict[str, Callable[[Backend], Iterator[tuple[str, Callable[[], None]]]]] = {
    "transfer": _check_transfers,
    "feeder": _check_feeders,
    "fused_update": _check_updates,
    "recurrent": _check_recurrent,
    "operation": _check_operations,
    "training": _check_training,
}
