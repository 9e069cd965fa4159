"""Stand-ins for shared libraries: Python functions, called through the C calling convention."""

from __future__ import annotations

import ctypes
from typing import Any


class Export:
    """A function of the library: what it is declared to take is what goes through C to it.

    Functions that return text are called as they are: a callback of C cannot return any.
    """

    def __init__(self, library: CLibrary, name: str) -> None:
        self.library, self.body = library, getattr(library, name.removeprefix(library.prefix))
        self.name, self.argtypes, self.restype = name, [], ctypes.c_int
        self.through_c: Any = None

    def __call__(self, *arguments: Any) -> Any:
        if self.restype is ctypes.c_char_p:
            return self.body(*arguments)
        if self.through_c is None:
            self.through_c = ctypes.CFUNCTYPE(self.restype, *self.argtypes)(self.guarded)
        self.library.error = None
        status = self.through_c(*arguments)
        if self.library.error:
            raise self.library.error
        return status

    def guarded(self, *arguments: Any) -> int:
        self.library.calls.append((self.name, arguments))
        try:
            return self.library.failing.get(self.name) or self.body(*arguments) or 0
        except Exception as error:  # it cannot pass through C
            self.library.error = error
            return 4000


class CLibrary:
    """A library's functions are methods, named without `prefix`; what they create is numbered.

    `calls`: the name and arguments of each call. `failing`: the status that functions return
    instead of doing anything.
    """

    _name, prefix = "stand-in", ""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple]] = []
        self.failing: dict[str, int] = {}
        self.objects: dict[int, Any] = {}
        self.exports: dict[str, Export] = {}
        self.error: Exception | None = None
        self.next = 2**40  # beyond 32 bits: pointers must not be cut

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(self.__class__.prefix):
            raise AttributeError(name)
        return self.exports.setdefault(name, Export(self, name))

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def put(self, out: int, thing: Any) -> None:
        """`thing` gets a number, which is written to the address `out`."""
        self.next += 64
        self.objects[self.next] = thing
        ctypes.c_void_p.from_address(out).value = self.next
