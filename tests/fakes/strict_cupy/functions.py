"""The functions and ufuncs of the module: CuPy's arguments, NumPy's work."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .api import names, signature
from .machine import Machine, check_dtype, check_operand, poison, unwrap

# Their arguments are shapes and numbers, not arrays.
CREATORS = names(
    """
    zeros ones full eye identity tri linspace logspace indices tril_indices triu_indices
    broadcast_shapes result_type promote_types can_cast issubdtype isdtype isscalar
    min_scalar_type bartlett blackman hamming hanning kaiser diag_indices common_type ndim shape
    size
    """
)
SEQUENCES = names(
    """
    concatenate concat stack vstack hstack dstack column_stack row_stack meshgrid
    broadcast_arrays atleast_1d atleast_2d atleast_3d select lexsort ix_ einsum unravel_index
    """
)
# These join more than 8 arrays of one dtype, unless they are large, by a kernel that is told their
# addresses by a copy from the host (_routines_manipulation.pyx).
JOINING = names("concatenate concat stack vstack hstack dstack column_stack row_stack")
_LARGE = 2 * 2**20  # bytes, on average
# What is known on the device only and decides a shape or raises: the host waits for it.
SYNCHRONIZING = names(
    """
    nonzero flatnonzero argwhere unique unique_all unique_counts unique_inverse unique_values
    isin in1d bincount histogram histogram2d histogramdd compress extract delete choose
    percentile quantile average trim_zeros setdiff1d setxor1d union1d intersect1d
    ravel_multi_index digitize piecewise place interp array_str array_repr array2string
    """
)
CUBLAS = {"dot", "vdot", "inner", "matmul", "tensordot", "convolve", "correlate", "cov", "corrcoef"}
MUTATING = {"copyto", "put", "putmask", "place", "fill_diagonal", "put_along_axis"}
# Answers that NumPy gives as a bool of Python, and CuPy as an array.
ANSWERS = {"array_equal", "array_equiv", "allclose"}
OLD_NAMES = {"alltrue": "all", "sometrue": "any", "product": "prod", "round_": "round"}
UNMODELLED = names(
    """
    load save savez savez_compressed savetxt loadtxt genfromtxt fromfile fromstring fromiter
    frombuffer from_dlpack fromDlpack fromfunction who disp safe_eval apply_along_axis
    apply_over_axes set_string_function get_array_wrap get_printoptions set_printoptions
    printoptions array2string
    """
)


class Ufunc:
    """A ufunc of the module: takes `out`, `dtype` and `casting`, and fake arrays or scalars."""

    def __init__(self, machine: Machine, name: str, arity: list[int]):
        self._machine, self._numpy = machine, getattr(np, name)
        self.__name__, self.name = name, f"cupy_{name}"
        self.nin, self.nout = arity
        self.nargs = sum(arity)

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        wrong = {k: v for k, v in kwargs.items() if k not in ("dtype", "casting")}
        if wrong:
            raise TypeError(f"Wrong arguments {wrong}")
        if not self.nin <= len(args) <= self.nargs:
            raise TypeError(
                f"Wrong number of arguments for {self.name!r}. It must be either {self.nin} or "
                f"{self.nargs} (with outputs), but given {len(args)}."
            )
        operands, places = args[: self.nin], args[self.nin :]
        if places and out is not None:
            raise ValueError("Cannot specify 'out' as both a positional and keyword argument")
        for x in operands:
            check_operand(self._machine, x)
        if self.__name__ == "matmul" or kwargs.get("dtype", 0) is None:
            kwargs = {k: v for k, v in kwargs.items() if v is not None}
        if places:
            out = places[0] if self.nout == 1 else places
        if out is not None:
            for place in out if isinstance(out, tuple) else (out,):
                if not isinstance(place, self._machine.array_type):
                    raise TypeError("Output arguments type must be cupy.ndarray")
            kwargs["out"] = out
        result = self._machine.compute(self._numpy, *operands, **kwargs)
        return result if out is None or isinstance(out, tuple) else out

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        a._scatter(self.__name__, indices, b)

    def outer(self, A: Any, B: Any, **kwargs: Any) -> Any:
        return self(A.reshape(A.shape + (1,) * B.ndim), B, **kwargs)

    def reduce(
        self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> Any:
        method = {"add": "sum", "multiply": "prod"}.get(self.__name__)
        if method is None:
            raise NotImplementedError(f"`{self.name}.reduce` is not supported yet")
        return getattr(array, method)(axis, dtype, out, keepdims)

    def accumulate(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        method = {"add": "cumsum", "multiply": "cumprod"}.get(self.__name__)
        if method is None:
            raise NotImplementedError(f"`{self.name}.accumulate` is not supported yet")
        return getattr(array, method)(axis, dtype, out)

    def reduceat(
        self, array: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None
    ) -> Any:
        if self.__name__ != "add":
            raise NotImplementedError(f"`{self.name}.reduceat` is not supported yet")
        return self._machine.compute(np.add.reduceat, array, indices, axis, dtype)

    def __repr__(self) -> str:
        return f"<ufunc '{self.name}'>"


class Matmul(Ufunc):
    """The generalized ufunc, which is a call of cuBLAS."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._machine.library("cuBLAS")
        for x in args[:2]:
            if not isinstance(x, self._machine.array_type):
                raise TypeError(f"Unsupported type {type(x)}")
        return super().__call__(*args, **kwargs)


def function(machine: Machine, name: str, text: str, numpy_function: Any, owner: str = "") -> Any:
    """The function `name` with the arguments of `text`, computed by `numpy_function`."""
    checked = signature(text)

    @functools.wraps(numpy_function, assigned=("__doc__",), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        given = checked.bind(*args, **kwargs)
        _check_arrays(machine, name, given)
        if name in SYNCHRONIZING:
            machine.sync(name)
        if name in JOINING and _joined_by_addresses(next(iter(given.arguments.values()))):
            machine.h2d(f"{name} of more than 8 arrays")
        if name in CUBLAS or owner == "linalg":
            machine.library("cuSOLVER" if owner else "cuBLAS")
        positional, keyword = _arguments(name, given)
        if name in MUTATING:
            raw = [unwrap(machine, x) for x in positional]
            options = {key: unwrap(machine, x) for key, x in keyword.items()}
            machine.mutate(lambda: numpy_function(*raw, **options))
            return None
        result = machine.compute(numpy_function, *positional, **keyword)
        if name in ANSWERS:
            return machine.wrap(np.asarray(result))
        out = keyword.get("out")
        return result if out is None else out

    call.__name__ = name
    return call


def _joined_by_addresses(arrays: Any) -> bool:
    small = sum(x.nbytes for x in arrays) < _LARGE * len(arrays)
    return len(arrays) > 8 and small and len({x.dtype for x in arrays}) == 1


def _check_arrays(machine: Machine, name: str, given: Any) -> None:
    """The first argument is an array, or a sequence of arrays where that is what is joined."""
    if name in CREATORS or not given.arguments:
        return
    first = next(iter(given.arguments.values()))
    if name in SEQUENCES:
        for x in first if isinstance(first, (list, tuple)) else ():
            if isinstance(x, np.ndarray):
                raise TypeError("Only cupy arrays can be concatenated")
    elif not isinstance(first, machine.array_type):
        raise TypeError(f"cupy.{name} expects a cupy.ndarray; received {type(first)}.")


def _arguments(name: str, given: Any) -> tuple[list[Any], dict[str, Any]]:
    """Positional ones are those that have no default, and `*args`; the others go by name."""
    positional: list[Any] = []
    keyword: dict[str, Any] = {}
    for key, value in given.arguments.items():
        parameter = given.signature.parameters[key]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            keyword.update(value)
        elif parameter.default is parameter.empty and parameter.kind is not parameter.KEYWORD_ONLY:
            positional.append(value)
        else:
            keyword[key] = value
    if name in ("sort", "argsort"):
        if keyword.get("kind") not in (None, "stable"):
            raise ValueError("kind can only be None or 'stable'")
        keyword["kind"] = "stable"
    return positional, keyword


class Special:
    """Functions whose work is not NumPy's function of the same name; methods are their names."""

    def __init__(self, cp: Any, machine: Machine):
        self._cp, self._machine = cp, machine

    # Arrays from the host, or from arrays.

    def array(
        self,
        obj: Any,
        dtype: Any = None,
        copy: bool | None = True,
        order: str = "K",
        subok: bool = False,
        ndmin: int = 0,
        *,
        blocking: bool = False,
    ) -> Any:
        if subok:
            raise NotImplementedError
        kind = self._machine.array_type
        if isinstance(obj, kind):
            result = obj.astype(dtype or obj.dtype, order or "K", copy=bool(copy))
        elif _contains(obj, kind):
            parts = [self.array(x) for x in obj]
            result = self._cp.stack(parts).astype(dtype or self._cp.result_type(*parts), copy=False)
        else:
            if copy is False:
                raise ValueError("Unable to avoid copy while creating an array from host memory.")
            host = np.array(obj, dtype=dtype, order=order or "K")
            check_dtype(host.dtype)
            self._machine.h2d("array")
            if blocking:
                self._machine.sync("array(blocking=True)")
            result = kind._of(host)
        missing = ndmin - result.ndim
        return result.reshape((1,) * missing + result.shape) if missing > 0 else result

    def asarray(
        self,
        a: Any,
        dtype: Any = None,
        order: Any = None,
        *,
        copy: bool | None = None,
        blocking: bool = False,
    ) -> Any:
        if copy is False and not isinstance(a, self._machine.array_type):
            raise ValueError("Unable to avoid copy while creating an array from host memory.")
        if isinstance(a, self._machine.array_type) and not copy:
            return a.astype(dtype or a.dtype, order or "K", copy=False)
        return self.array(a, dtype, order=order or "K", blocking=blocking)

    asanyarray = asarray

    def ascontiguousarray(self, a: Any, dtype: Any = None) -> Any:
        return self._machine.compute(np.ascontiguousarray, self.asarray(a, dtype))

    def asfortranarray(self, a: Any, dtype: Any = None) -> Any:
        return self._machine.compute(np.asfortranarray, self.asarray(a, dtype))

    def asnumpy(
        self,
        a: Any,
        stream: Any = None,
        order: str = "C",
        out: Any = None,
        *,
        blocking: bool = True,
    ) -> Any:
        if isinstance(a, self._machine.array_type):
            return a.get(stream, order, out, blocking)
        if out is None:
            return np.asarray(a, order=order)  # type: ignore[call-overload]
        np.copyto(out, a)
        return out

    def empty(self, shape: Any, dtype: Any = float, order: str = "C") -> Any:
        return self._cp.ndarray(shape, dtype, order=order)

    def empty_like(
        self,
        prototype: Any,
        dtype: Any = None,
        order: str = "K",
        subok: Any = None,
        shape: Any = None,
    ) -> Any:
        a = np.empty_like(unwrap(self._machine, prototype), dtype, order, False, shape)
        return self._machine.wrap(poison(a))

    def arange(self, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
        bounds = (0, start) if stop is None else (start, stop)
        for x in (*bounds, step):
            if isinstance(x, (self._machine.array_type, np.ndarray)):
                raise TypeError(f"arange expects numbers; received {type(x)}.")
        return self._machine.compute(np.arange, *bounds, step, dtype)

    def copy(self, a: Any, order: str = "K") -> Any:
        return a.copy(order)

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
        return x.astype(dtype, copy=copy)

    def reshape(self, a: Any, newshape: Any, order: str = "C", *, copy: Any = None) -> Any:
        return a.reshape(newshape, order=order, copy=copy)

    # Choosing, ordering, contracting.

    def where(self, condition: Any, x: Any = None, y: Any = None) -> Any:
        if (x is None) != (y is None):
            raise ValueError("Must provide both 'x' and 'y' or neither.")
        if x is None:
            return self._cp.nonzero(condition)
        if not isinstance(condition, (self._machine.array_type, np.generic)):
            raise TypeError(f"cupy.where expects a cupy.ndarray; received {type(condition)}.")
        check_operand(self._machine, x)
        check_operand(self._machine, y)
        return self._machine.compute(np.where, condition, x, y)

    def clip(self, a: Any, a_min: Any, a_max: Any, out: Any = None) -> Any:
        for x in (a, *(bound for bound in (a_min, a_max) if bound is not None)):
            check_operand(self._machine, x)
        result = self._machine.compute(np.clip, a, a_min, a_max, out=out)
        return result if out is None else out

    def argmax(
        self, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> Any:
        return self._arg(np.argmax, a, axis, dtype, out, keepdims)

    def argmin(
        self, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> Any:
        return self._arg(np.argmin, a, axis, dtype, out, keepdims)

    def _arg(self, find: Any, a: Any, axis: Any, dtype: Any, out: Any, keepdims: bool) -> Any:
        result = self._machine.compute(find, a, axis, out, keepdims=keepdims)
        return result if dtype is None else result.astype(dtype)

    def take(self, a: Any, indices: Any, axis: Any = None, out: Any = None) -> Any:
        """Places out of bounds wrap; indices that are not on the device go there first."""
        if isinstance(indices, (list, tuple, np.ndarray)):
            indices = self.array(indices, int)
        return self._machine.compute(np.take, a, indices, axis, out, mode="wrap")

    def take_along_axis(self, a: Any, indices: Any, axis: Any) -> Any:
        if axis is None:
            a, axis = a.ravel(), 0
        n = max(a.shape[axis], 1)
        return self._machine.compute(lambda x, i: np.take_along_axis(x, i % n, axis), a, indices)

    def repeat(self, a: Any, repeats: Any, axis: Any = None) -> Any:
        if isinstance(repeats, self._machine.array_type):
            raise ValueError("'repeats' should be int or sequence of ints")
        return self._machine.compute(np.repeat, a, repeats, axis)

    def einsum(self, *operands: Any, dtype: Any = None, optimize: Any = False) -> Any:
        arrays = [x for x in operands if isinstance(x, self._machine.array_type)]
        if any(isinstance(x, np.ndarray) for x in operands):
            raise TypeError("Unsupported type <class 'numpy.ndarray'>")
        if len(arrays) > 1:
            self._machine.library("cuBLAS")
        result = self._machine.compute(np.einsum, *operands, dtype=dtype, optimize=optimize)
        return result if dtype is None else result.astype(dtype, copy=False)

    def dot(self, a: Any, b: Any, out: Any = None) -> Any:
        self._machine.library("cuBLAS")
        for x in (a, b):
            check_operand(self._machine, x)
        if out is not None and not out.flags.c_contiguous:
            raise ValueError("Output array must be C-contiguous")
        result = self._machine.compute(np.dot, a, b, out=out)
        return result if out is None else out

    # About the module.

    def get_array_module(self, *args: Any) -> Any:
        return self._cp if any(isinstance(x, self._machine.array_type) for x in args) else np

    def fuse(self, *args: Any, kernel_name: Any = None) -> Any:
        return args[0] if args else lambda function: function

    def memoize(self, for_each_device: bool = False) -> Any:
        return functools.cache

    def clear_memo(self) -> None: ...

    def show_config(self, *, _full: bool = False) -> None:
        print(f"CuPy Version                 : {self._cp.__version__} (strict fake over NumPy)")

    def is_available(self) -> bool:
        return True

    def get_default_memory_pool(self) -> Any:
        return self._cp.cuda._pool

    def get_default_pinned_memory_pool(self) -> Any:
        return self._cp.cuda._pinned_pool


def _contains(x: Any, kind: type) -> bool:
    return isinstance(x, (list, tuple)) and any(
        isinstance(p, kind) or _contains(p, kind) for p in x
    )
