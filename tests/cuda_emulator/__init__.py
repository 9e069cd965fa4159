"""Runs CUDA C on the CPU: `run` compiles a kernel's text with g++ and calls it over NumPy's memory.

For tests of what a kernel computes. Blocks run one after the other, the threads of a block take
turns at barriers and shuffles; races, memory order and speed are not emulated.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

_INCLUDE = Path(__file__).parent / "include"
_COMPILER = shutil.which("g++")
_FLAGS = ("-std=c++17", "-O1", "-ffp-contract=off", "-fPIC", "-w")

available = _COMPILER is not None


class EmulationError(RuntimeError):
    """What a GPU would do wrong in silence, or would refuse."""


def run(
    source: str, kernel_name: str, grid: tuple, block: tuple, args: Any, shared_mem: int = 0
) -> None:
    """Launch the kernel `kernel_name` of the CUDA text `source`.

    `args`: contiguous NumPy arrays, which are passed as pointers, NumPy scalars, Python numbers
    (as int64 and float64, like CuPy), or None (a null pointer). EmulationError where their types
    are not those of the kernel's parameters, and where threads of a block wait for each other
    forever.
    """
    grid, block = (tuple(size) + (1,) * (3 - len(size)) for size in (grid, block))
    if shared_mem:
        raise NotImplementedError("The emulator knows static shared memory only.")
    if not all(1 <= n <= most for n, most in zip(grid, (2**31 - 1, 65535, 65535), strict=True)):
        raise EmulationError(f"No GPU launches a grid of {grid}.")
    if not 1 <= block[0] * block[1] * block[2] <= 1024 or block[2] > 64:
        raise EmulationError(f"No GPU launches blocks of {block}.")
    library = _compiled(source, kernel_name)
    values = [_value(arg) for arg in args]
    expected = library.emulated_signature().decode().split()
    received = [kind for kind, _ in values]
    if len(expected) != len(received) or any(map(_differ, expected, received)):
        raise EmulationError(f"{kernel_name} takes {expected}; received {received}.")
    pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for _, v in values))
    if library.emulated_launch(*grid, *block, pointers):
        raise EmulationError(f"{kernel_name}: some threads of a block never reach a barrier.")


def _value(arg: Any) -> tuple[str, Any]:
    """The kind of an argument ('*f4', 'i8', ...), and a C object that holds its value."""
    if arg is None:
        return "*", ctypes.c_void_p(0)
    if isinstance(arg, np.ndarray):
        if not (arg.flags.c_contiguous and arg.flags.writeable):
            raise EmulationError("Kernels take contiguous arrays of the device's own memory.")
        return "*" + arg.dtype.str[1:], ctypes.c_void_p(arg.ctypes.data)
    scalar = np.asarray(arg)  # int64 or float64 for Python's numbers
    return scalar.dtype.str[1:], ctypes.create_string_buffer(scalar.tobytes(), scalar.nbytes)


def _differ(expected: str, received: str) -> bool:
    return expected != received and not (received == "*" and expected.startswith("*"))


@functools.cache
def _compiled(source: str, kernel_name: str) -> Any:
    """The library with the kernel, compiled once for all processes of this user."""
    if _COMPILER is None:
        raise EmulationError("The emulator needs g++ on the PATH.")
    shim = "".join(path.read_text() for path in sorted(_INCLUDE.iterdir()))
    program = f'#include "cudaemu.h"\n{source}\nEMULATED_KERNEL({kernel_name})\n'
    key = hashlib.sha256("\0".join((shim, program, *_FLAGS)).encode()).hexdigest()[:32]
    target = _cache() / f"{key}.so"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            text = Path(folder, "kernel.cpp")
            text.write_text(program)
            _compile(text, target, "-shared", f"-I{_precompiled_header()}", f"-I{_INCLUDE}")
    library = ctypes.CDLL(str(target))
    library.emulated_signature.restype = ctypes.c_char_p
    return library


@functools.cache
def _precompiled_header() -> Path:
    """A folder with the shim's header as the compiler reads it fastest."""
    header = _INCLUDE / "cudaemu.h"
    key = hashlib.sha256("\0".join((header.read_text(), *_FLAGS)).encode()).hexdigest()[:32]
    folder = _cache() / key
    folder.mkdir(exist_ok=True)
    if not (folder / "cudaemu.h.gch").exists():
        _compile(header, folder / "cudaemu.h.gch", "-x", "c++-header")
    return folder


def _compile(text: Path, target: Path, *flags: str) -> None:
    """`target` appears whole, whoever else compiles it at the same time."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder, target.name)
        command = [str(_COMPILER), *_FLAGS, *flags, "-o", str(made), str(text)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise EmulationError(f"{text.name} does not compile:\n{done.stderr}")
        os.replace(made, target)


@functools.cache
def _cache() -> Path:
    """A folder that nobody else can write to."""
    folder = Path(tempfile.gettempdir(), f"layerkit-cuda-emulator-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        return Path(tempfile.mkdtemp())
    return folder
