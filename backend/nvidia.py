"""What calling NVIDIA's libraries by ctypes takes, for all of them: options, device, handles.

It gives `cudnn` and `cublas` the class `Library` to derive from, and `Flags`, which govern both.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Flags:
    """What an algorithm may do.

    `tf32`: round float32 operands to 10 bits of mantissa for tensor cores. `deterministic`: only
    algorithms that give the same bits every time. `workspace_limit`: scratch memory in bytes.
    """

    tf32: bool = False
    deterministic: bool = False
    workspace_limit: int = 512 * 2**20


class Device(Protocol):
    """What is needed of an array module and its GPU."""

    xp: Any

    def id(self) -> int:
        """Number of the current device."""

    def stream_pointer(self) -> int:
        """The current CUDA stream."""

    def empty(self, nbytes: int) -> Any:
        """Scratch memory, to be freed no earlier than the stream has used it."""

    def pointer(self, array: Any) -> int:
        """Address of the first element."""


class CupyDevice:
    """CuPy's current device and stream; memory comes from CuPy's pool."""

    def __init__(self, cupy: Any) -> None:
        self.xp = cupy

    def id(self) -> int:
        return self.xp.cuda.runtime.getDevice()

    def stream_pointer(self) -> int:
        return self.xp.cuda.get_current_stream().ptr

    def empty(self, nbytes: int) -> Any:
        return self.xp.empty(nbytes, "uint8")

    def pointer(self, array: Any) -> int:
        return array.data.ptr


class Library:
    """An open library whose functions return 0, or a status that says what failed.

    A subclass names the functions that make a handle, destroy it, and bind it to a stream.
    """

    handle_functions: tuple[str, str, str]

    def __init__(
        self, library: Any, device: Device, signatures: dict[str, str], results: dict[str, Any]
    ) -> None:
        """Declare the functions in use. AttributeError where `library` lacks one.

        `signatures`: the arguments of each, p a pointer, i an int or enum, q a long long, z a
        size_t. `results`: the types of results that are no status.
        """
        self.device = device
        self._functions = {
            name: _declared(getattr(library, name), signature, results.get(name, ctypes.c_int))
            for name, signature in signatures.items()
        }
        self._thread = threading.local()

    def call(self, function: str, *arguments: Any) -> None:
        """Call a function of the library. The library's own error where it fails."""
        status = self._functions[function](*arguments)
        if status:
            raise self._error(function, status)

    def _error(self, function: str, status: int) -> Exception:
        raise NotImplementedError

    def handle(self) -> ctypes.c_void_p:
        """This thread's handle for the current device, bound to the current stream."""
        device, stream = self.device.id(), self.device.stream_pointer()
        handles = self._thread.__dict__.setdefault("handles", {})  # device: (handle, its stream)
        handle, bound = handles.get(device) or (self._new_handle(), None)
        if stream != bound:
            self._bind(handle, stream)
            handles[device] = handle, stream
        return handle

    def _new_handle(self) -> ctypes.c_void_p:
        create, destroy, _ = self.handle_functions
        return self.own(create, destroy)

    def _bind(self, handle: ctypes.c_void_p, stream: int) -> None:
        self.call(self.handle_functions[2], handle, stream)

    def own(self, create: str, destroy: str) -> ctypes.c_void_p:
        """A new handle or descriptor, destroyed with the last reference to it."""
        pointer = ctypes.c_void_p()
        self.call(create, ctypes.byref(pointer))
        end = weakref.finalize(pointer, self._functions[destroy], pointer.value)
        end.atexit = False  # CUDA may be gone by then
        return pointer


_TYPES = {"p": ctypes.c_void_p, "i": ctypes.c_int, "q": ctypes.c_longlong, "z": ctypes.c_size_t}


def _declared(function: Any, signature: str, result: Any) -> Any:
    """`function`, knowing its arguments: without them, ctypes would cut pointers to 32 bits."""
    function.argtypes = [_TYPES[letter] for letter in signature]
    function.restype = result
    return function
