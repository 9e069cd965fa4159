"""The fake `cupy.ndarray`: NumPy memory that no NumPy function gets to see by accident."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .api import API, names, signature
from .cuda import PinnedMemoryPointer
from .machine import Machine, check_operand, poison, unwrap

_IMPLICIT = (
    "Implicit conversion to a NumPy array is not allowed. "
    "Please use `.get()` to construct a NumPy array explicitly."
)
_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "divmod": "divmod",
}
_COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
# Which dtypes the atomics of `cupy.<ufunc>.at` have.
_AT = {
    "add": "ilqILQefd",
    "subtract": "iI",
    "maximum": "ilqILQfd",
    "minimum": "ilqILQfd",
    "bitwise_and": "ilqILQ",
    "bitwise_or": "ilqILQ",
    "bitwise_xor": "ilqILQ",
}
# Methods that are the function of the same name.
_AS_FUNCTION = names(
    """
    all any argmax argmin argpartition argsort choose clip compress conj conjugate cumprod
    cumsum diagonal dot max mean min nonzero prod ptp put ravel repeat round searchsorted
    squeeze std sum swapaxes take trace var
    """
)


class Flags:
    """Of a layout: `flags.c_contiguous` or `flags["C_CONTIGUOUS"]`, as CuPy knows them."""

    def __init__(self, array: np.ndarray):
        self.c_contiguous = array.flags.c_contiguous
        self.f_contiguous = array.flags.f_contiguous
        self.owndata = array.base is None
        self.forc = self.c_contiguous or self.f_contiguous

    def __getitem__(self, name: str) -> bool:
        return getattr(self, name.lower())


class Array:
    """Base of each module's `ndarray`; not a subclass of NumPy's, and deaf to its conversions."""

    _cp: Any  # the module, set by `make`
    _machine: Machine
    _a: np.ndarray
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        shape: Any,
        dtype: Any = float,
        memptr: Any = None,
        strides: Any = None,
        order: str = "C",
    ):
        if memptr is None:
            a = poison(np.empty(unwrap(self._machine, shape), dtype, order=order or "C"))
        else:
            offset = memptr.ptr - memptr.mem.ptr
            a = np.ndarray(shape, dtype, memptr.mem.cells, offset, strides, order)
        self._a = a
        self._machine.allocate(a)

    @classmethod
    def _of(cls, a: np.ndarray) -> Any:
        self = object.__new__(cls)
        self._a = a
        cls._machine.allocate(a)
        return self

    # What it is.

    dtype = property(lambda self: self._a.dtype)
    ndim = property(lambda self: self._a.ndim)
    size = property(lambda self: self._a.size)
    itemsize = property(lambda self: self._a.itemsize)
    nbytes = property(lambda self: self._a.nbytes)
    strides = property(lambda self: self._a.strides)
    flags = property(lambda self: Flags(self._a))
    T = property(lambda self: self._of(self._a.T))
    mT = property(lambda self: self._of(self._a.swapaxes(-1, -2)))
    real = property(lambda self: self._of(self._a.real))
    device = property(lambda self: self._cp.cuda.Device(0))

    @property
    def data(self) -> Any:
        self._machine.order.touch(self._a, writes=True)  # or reads it: nobody knows
        return self._cp.cuda.MemoryPointer._of(self._a)

    @property
    def imag(self) -> Any:
        if self._a.dtype.kind != "c":
            return self._of(np.zeros_like(self._a))
        return self._of(self._a.imag)

    @property
    def base(self) -> Any:
        return None if self._a.base is None else self._of(self._a.base)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._a.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        view = self._a.reshape(shape)
        if not np.shares_memory(view, self._a) and self._a.size:
            raise AttributeError("incompatible shape")
        self._a = view

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        data = (self._a.ctypes.data, False)
        strides = None if self._a.flags.c_contiguous else self._a.strides
        form = {"shape": self._a.shape, "typestr": self._a.dtype.str, "strides": strides}
        return form | {"data": data, "version": 3, "descr": [("", self._a.dtype.str)], "stream": 1}

    # NumPy's protocols.

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError(_IMPLICIT)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or ufunc.__name__ not in API["ufuncs"]:
            return NotImplemented
        if "out" in kwargs:
            (kwargs["out"],) = kwargs["out"]
        known = (type(self), np.ndarray, np.generic, bool, int, float, complex)
        if not all(isinstance(x, known) for x in inputs):
            return NotImplemented
        return getattr(self._cp, ufunc.__name__)(*inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(t, (type(self), np.ndarray)) for t in types):
            return NotImplemented
        try:
            module = functools.reduce(getattr, func.__module__.split(".")[1:], self._cp)
            own = getattr(module, func.__name__)
        except AttributeError:
            return NotImplemented
        return own(*args, **kwargs)

    # To the host: each of these waits for the device.

    def get(
        self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True
    ) -> np.ndarray:
        if blocking:
            self._machine.sync("get")
        self._machine.d2h("get")
        self._machine.order.touch(self._a, writes=False)
        if out is None:
            return self._a.copy(order)
        if not isinstance(out, np.ndarray):
            raise TypeError("Only numpy.ndarray can be obtained from cupy.ndarray")
        if out.dtype != self.dtype:
            raise TypeError(f"{out.dtype} array cannot be obtained from {self.dtype} array")
        if out.shape != self.shape:
            raise ValueError(f"Shape mismatch. Expected shape: {self.shape}, got: {out.shape}")
        out[...] = self._a
        return out

    def set(self, arr: Any, stream: Any = None) -> None:
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if arr.dtype != self.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
        if arr.shape != self.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        if not Flags(self._a).forc:
            raise RuntimeError("Cannot set to non-contiguous array")
        self._machine.h2d("set")
        if stream is None:
            self._machine.order.touch(self._a, writes=True)
        else:
            memory, place = PinnedMemoryPointer._of(arr)
            self._machine.order.copy(self._a, memory, place, stream.ptr)
        self._a[...] = arr

    def item(self) -> Any:
        return self.get().item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def tobytes(self, order: str = "C") -> bytes:
        return self.get().tobytes(order)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError("The truth value of an array with other than one element is ambiguous")
        return bool(self.item())

    def __repr__(self) -> str:
        return repr(self.get())

    def __str__(self) -> str:
        return str(self.get())

    def __format__(self, spec: str) -> str:
        return format(self.get(), spec)

    def __reduce__(self) -> Any:
        return self._cp.array, (self.get(),)

    # As a container.

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(self.shape[0]))

    def __getitem__(self, index: Any) -> Any:
        parts = self._index(index)
        if not self._is_advanced(index):
            return self._of(_view(self._a, parts))  # nothing is read
        return self._machine.compute(lambda a: _view(a, self._wrapped(parts)), self)

    def __setitem__(self, index: Any, value: Any) -> None:
        parts, advanced = self._index(index), self._is_advanced(index)
        self._machine.order.touch(self._a, writes=True)
        if isinstance(value, np.ndarray) and not advanced:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        check_operand(self._machine, value)
        source = unwrap(self._machine, value)
        if not advanced and isinstance(source, np.ndarray) and _same(_view(self._a, parts), source):
            return

        def work() -> None:
            place = self._wrapped(parts)
            if advanced and np.size(source) > 1:
                self._check_distinct(place)
            self._a[place] = source

        self._machine.mutate(work)

    def _index(self, index: Any) -> Any:
        """The parts of `index` as NumPy's; lists are copied to the device, masks make it wait."""
        return tuple(self._index_part(p) for p in (index if type(index) is tuple else (index,)))

    def _wrapped(self, parts: tuple) -> tuple:
        """Places out of bounds come in again at the other end, where CuPy does not look."""
        taken = sum(_axes_of(part) for part in parts)
        axis, wrapped = 0, []
        for part in parts:
            if isinstance(part, np.ndarray) and part.dtype.kind in "iu" and axis < self.ndim:
                part = part.astype(np.intp) % max(self.shape[axis], 1)
            wrapped.append(part)
            axis += self.ndim - taken if part is Ellipsis else _axes_of(part)
        return tuple(wrapped)

    def _index_part(self, part: Any) -> Any:
        if isinstance(part, (list, tuple, np.ndarray, bool, np.bool_)):
            self._machine.h2d("index")
            part = np.asarray(part, None if np.size(part) else np.int32)
        part = unwrap(self._machine, part) if isinstance(part, Array) else part
        if isinstance(part, np.ndarray):
            if part.dtype.kind not in "biu":
                raise IndexError(
                    "arrays used as indices must be of integer or boolean type. "
                    f"(actual: {part.dtype.type})"
                )
            if part.dtype.kind == "b":
                self._machine.sync("boolean mask")
        return part

    def _is_advanced(self, index: Any) -> bool:
        parts = index if isinstance(index, tuple) else (index,)
        arrays = (Array, list, tuple, np.ndarray, bool, np.bool_)
        return any(isinstance(part, arrays) for part in parts)

    def _check_distinct(self, place: Any) -> None:
        cells = np.arange(self.size).reshape(self.shape)[place]
        if len(np.unique(cells)) < cells.size:
            raise AssertionError("x[index] = values with an index twice: undefined on a GPU.")

    # Methods that are more than their function.

    def astype(
        self,
        dtype: Any,
        order: str = "K",
        casting: Any = None,
        subok: Any = None,
        copy: bool = True,
    ) -> Any:
        if casting is not None or subok is not None:
            raise TypeError("astype: casting and subok are not supported yet")
        if not copy and self.dtype == np.dtype(dtype):
            return self
        return self._machine.compute(np.ndarray.astype, self, dtype, order or "K")

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        result = self._machine.compute(lambda a: a.reshape(*shape, order=order), self)
        if copy is False and self.size and not np.shares_memory(result._a, self._a):
            raise ValueError("Unable to avoid creating a copy while reshaping.")
        return result.copy() if copy else result

    def transpose(self, *axes: Any) -> Any:
        return self._of(self._a.transpose(*axes))

    def view(self, dtype: Any = None, type: Any = None) -> Any:
        return self._of(self._a.view() if dtype is None else self._a.view(dtype))

    def reduced_view(self, dtype: Any = None) -> Any:
        return self.reshape(-1) if self._a.flags.c_contiguous else self

    def copy(self, order: str = "C") -> Any:
        return self._machine.compute(np.ndarray.copy, self, order)

    def flatten(self, order: str = "C") -> Any:
        return self._machine.compute(np.ndarray.flatten, self, order)

    def fill(self, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.shape:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        self[...] = value

    def sort(self, axis: int = -1, kind: Any = None) -> None:
        self._machine.mutate(lambda: self._a.sort(axis, kind="stable"))

    def partition(self, kth: Any, axis: int = -1) -> None:
        self._machine.mutate(lambda: self._a.partition(kth, axis))

    def scatter_add(self, slices: Any, value: Any) -> None:
        self._scatter("add", slices, value)

    def scatter_max(self, slices: Any, value: Any) -> None:
        self._scatter("maximum", slices, value)

    def scatter_min(self, slices: Any, value: Any) -> None:
        self._scatter("minimum", slices, value)

    def _scatter(self, name: str, slices: Any, value: Any) -> None:
        """`cupy.<name>.at`: atomics, of the dtypes that have them."""
        if name not in _AT:
            raise NotImplementedError(f"`cupy_{name}.at` is not supported yet")
        check_operand(self._machine, value)
        if self._is_advanced(slices) and self.dtype.char not in _AT[name]:
            raise TypeError(f"scatter_{name} only supports {_AT[name]}, not {self.dtype}")
        parts, source = self._index(slices), np.asarray(unwrap(self._machine, value))
        at = getattr(np, name).at
        self._machine.mutate(
            lambda: at(self._a, self._wrapped(parts), source.astype(self.dtype, copy=False))
        )

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __pos__(self) -> Any:
        return self

    def __neg__(self) -> Any:
        return self._cp.negative(self)

    def __abs__(self) -> Any:
        return self._cp.absolute(self)

    def __invert__(self) -> Any:
        return self._cp.invert(self)


def _defers(x: Any, y: Any) -> bool:
    """Whether `x + y` is for `y` to compute (NEP 13)."""
    if isinstance(y, (Array, np.ndarray, np.generic, bool, int, float, complex)):
        return False
    if hasattr(y, "__array_ufunc__"):
        return y.__array_ufunc__ is None
    return getattr(y, "__array_priority__", 0) > x.__array_priority__


def _binary(name: str, reflected: bool = False) -> Any:
    def operator(self: Any, other: Any) -> Any:
        if _defers(self, other):
            return NotImplemented
        ufunc = getattr(self._cp, name)
        return ufunc(other, self) if reflected else ufunc(self, other)

    return operator


def _in_place(name: str) -> Any:
    def operator(self: Any, other: Any) -> Any:
        getattr(self._cp, name)(self, other, out=self)
        return self

    return operator


def _method(name: str) -> Any:
    checked = signature(API["methods"][name])

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = dict(checked.bind(*args, **kwargs).arguments)
        if name == "clip":
            given = {{"min": "a_min", "max": "a_max"}.get(k, k): v for k, v in given.items()}
            given = {"a_min": None, "a_max": None} | given
        if name == "compress":
            return self._cp.compress(given.pop("condition"), self, **given)
        return getattr(self._cp, name)(self, **given)

    method.__name__ = name
    return method


for _name, _ufunc in _BINARY.items():
    setattr(Array, f"__{_name}__", _binary(_ufunc))
    setattr(Array, f"__r{_name}__", _binary(_ufunc, reflected=True))
    if _name not in ("divmod", "matmul"):
        setattr(Array, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in _COMPARISONS.items():
    setattr(Array, f"__{_name}__", _binary(_ufunc))
for _name in sorted(_AS_FUNCTION):
    setattr(Array, _name, _method(_name))


def _view(a: np.ndarray, index: tuple) -> np.ndarray:
    """`a[index]`, where one element is a view of no dimension rather than a scalar."""
    basic = not any(isinstance(part, np.ndarray) for part in index)
    return a[(*index, Ellipsis)] if basic and Ellipsis not in index else a[index]


def _axes_of(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype.kind == "b" else 1


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    form = (a.shape, a.strides, a.dtype, a.ctypes.data)
    return form == (b.shape, b.strides, b.dtype, b.ctypes.data)
