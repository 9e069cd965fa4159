"""A strict fake of CuPy's module over NumPy, to find what would fail on a GPU without having one.

    cp = strict_cupy.make()          # own journal, own memory, own `cp.ndarray`
    with strict_cupy.no_syncs(cp):   # AssertionError if the host waited for the device
        train_step()

`cp.journal` (`cp.log` is the logarithm) has lists `syncs`, `h2d`, `d2h`, `launches`, with the
places that caused them, and `clear()`. `cp.register_kernel` and `cp.set_executor` say how kernels
of CUDA text are computed (see `kernels`). `cp.allocations` counts the blocks of memory handed out.

What the real CuPy refuses is refused: arrays of NumPy as operands, implicit conversion, names and
keyword arguments that CuPy 14.2 lacks (cupy_api.json), cuBLAS and transfers in a captured stream.
Results of no dimension are arrays. Fresh memory is poison. Indices wrap. A captured graph computes
nothing until it is launched, into the arrays that were given out. Work on several streams is done
in the order of the program, but memory that `set(..., stream=...)` wrote is watched: what does not
wait for an event where a GPU would have to raises (see `ordering`), and so does a change of pinned
memory that a copy still reads, at the next call that concerns streams or in `check_order(cp)`.

Stricter than CuPy: assigning a NumPy array through an index array is refused (CuPy copies it to
the device); repeated places in `x[index] = values` raise (CuPy: undefined); every function wants
fake arrays where CuPy might only call a method of what it got; integer matmul and `einsum` of two
operands are refused in capture whatever their dtype; `array(0.5)` counts as a transfer; scalars of
raw kernels must have exactly the declared type; `set(..., stream=...)` takes pinned memory only;
the default stream and others wait for each other by events alone; an event is not `done` before
the host waited; views of `broadcast_to` and `sliding_window_view` cannot be written; an implicit
transfer of an index is allowed, but logged.

Not modelled, so that a green run does not prove it: races over memory that no `set(stream=...)`
wrote, copies to pinned memory, memory freed after capture is not reused, order and rounding of
sums, flushed denormals, saturating casts, TF32, int32 limits, several devices, DLPack,
`cupy.random`, `cupyx`, sparse, files, printing options; contiguity of results is
NumPy's; a captured index or kernel is never checked again when the graph is launched.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from . import functions, kernels
from .api import API, signature
from .arrays import Array
from .cuda import make_cuda
from .machine import Journal, Machine

__all__ = ["Journal", "check_order", "make", "no_syncs"]

_PLAIN = (int, float, type(None), np.dtype)


class StrictCupy(ModuleType):
    """The fake module. Names are made when first asked for."""

    journal: Journal
    ndarray: Any
    cuda: Any

    def __init__(self) -> None:
        super().__init__("cupy")
        machine = self._machine = Machine()
        self.journal = machine.journal
        self.__version__ = API["version"]
        self.ndarray = type("ndarray", (Array,), {"_cp": self, "_machine": machine})
        self.ndarray.__module__ = "cupy"
        machine.array_type = self.ndarray
        self._special = functions.Special(self, machine)
        self.cuda = make_cuda(machine)
        self.fft = _Namespace(self, "fft", np.fft)
        self.linalg = _Namespace(self, "linalg", np.linalg)
        tricks = _Namespace(self, "lib.stride_tricks", np.lib.stride_tricks)
        self.lib = SimpleNamespace(stride_tricks=tricks)
        self.ufunc = functions.Ufunc
        for name in ("ElementwiseKernel", "ReductionKernel", "RawKernel", "RawModule"):
            setattr(self, name, functools.partial(getattr(kernels, name), machine))

    @property
    def allocations(self) -> int:
        return self._machine.allocations

    def register_kernel(self, name: str, function: Callable[..., Any]) -> None:
        """Compute the kernels called `name` by `function` of NumPy arrays (see `kernels`)."""
        self._machine.references[name] = function

    def set_executor(self, executor: Callable[..., Any] | None) -> None:
        """Run CUDA text by `executor(source, name, grid, block, args, shared_mem)`."""
        self._machine.executor = executor

    def __getattr__(self, name: str) -> Any:
        value = self._find(name)
        setattr(self, name, value)
        return value

    def _find(self, name: str) -> Any:
        known = (API["functions"], API["ufuncs"], API["names"])
        if not any(name in names for names in known):
            raise AttributeError(f"module 'cupy' has no attribute '{name}'")
        machine = self._machine
        if not name.startswith("_") and hasattr(functions.Special, name):
            return _checked(name, getattr(self._special, name))
        if name == "newaxis":
            return None
        twin = getattr(np, functions.OLD_NAMES.get(name, name), None)
        if name in API["ufuncs"] and isinstance(twin, np.ufunc):
            kind = functions.Matmul if name == "matmul" else functions.Ufunc
            return kind(machine, name, API["ufuncs"][name])
        if name in functions.UNMODELLED or twin is None or name == "matmul":
            raise _unmodelled(f"cupy.{name}")
        if name in API["functions"]:
            return functions.function(machine, name, API["functions"][name], twin)
        if name in API["ufuncs"]:  # a function in NumPy
            return functions.function(machine, name, "x", twin)
        if isinstance(twin, type) and not issubclass(twin, (np.generic, np.dtype, Exception)):
            if twin in (bool, np.finfo, np.iinfo, np.ndindex):
                return twin
            raise _unmodelled(f"cupy.{name}")
        if isinstance(twin, (type, *_PLAIN)) or name in ("s_", "index_exp"):
            return twin
        raise _unmodelled(f"cupy.{name}")


class _Namespace:
    """`cupy.linalg` and its like: functions of NumPy with CuPy's arguments."""

    def __init__(self, cp: StrictCupy, path: str, twin: Any):
        self._cp, self._path, self._twin = cp, path, twin

    def __getattr__(self, name: str) -> Any:
        signatures = API[self._path]
        if name not in signatures:
            raise AttributeError(f"module 'cupy.{self._path}' has no attribute '{name}'")
        if name == "matmul":
            return self._cp.matmul
        if not hasattr(self._twin, name):
            raise _unmodelled(f"cupy.{self._path}.{name}")
        twin, machine = getattr(self._twin, name), self._cp._machine
        owner = "linalg" if self._path == "linalg" and name not in ("norm", "cross") else ""
        return functions.function(machine, name, signatures[name], twin, owner)


def _checked(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """`method`, whose arguments are held against the real function's first."""
    bound = signature(API["functions"][name])
    takes_options = "**" in API["functions"][name] or "*args" in API["functions"][name]

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not takes_options:
            bound.bind(*args, **kwargs)
        return method(*args, **kwargs)

    return call


def _unmodelled(name: str) -> AttributeError:
    return AttributeError(f"{name} exists in CuPy, but strict_cupy does not model it.")


def make() -> Any:
    """A new fake module, with nothing in its journal and no memory taken."""
    return StrictCupy()


def check_order(cp: Any) -> None:
    """AssertionError for pinned memory that was changed or given back while a copy read it."""
    cp._machine.order.check()


@contextlib.contextmanager
def no_syncs(cp: Any) -> Iterator[None]:
    """AssertionError if something inside made the host wait for the device, saying where."""
    before = len(cp.journal.syncs)
    yield
    waits = cp.journal.syncs[before:]
    assert not waits, "The host waited for the device:\n  " + "\n  ".join(waits)
