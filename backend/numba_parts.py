"""Parts of a compiled kernel's work for threads that stay awake, handed over without Python.

Each worker of `threads` looks at a row of words: a part is posted there, taken and done. To hand
one over takes a microsecond; with Python it takes as long as a product of small matrices. What no
worker has taken when the caller is through with its own part, the caller does itself.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_njit: Any = njit  # numba's own hints do not know every option
_intrinsic: Any = intrinsic
_options = {"error_model": "numpy", "no_cfunc_wrapper": True}
entry = _njit(nogil=True, cache=True, **_options)  # for Python
helper = _njit(no_cpython_wrapper=True, **_options)  # called by others alone

_FREE, _POSTED, _TAKEN, _DONE, _FAILED = range(5)  # what the first word of a row says
_FUNCTION, _ARGUMENTS, _START, _STOP = range(8, 12)  # words in another cache line
_HAS_PAUSE = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")
_LOOKS = 40_000 if _HAS_PAUSE else 1_000_000  # about a millisecond, pauses included
_LET_GO = _LOOKS // 300  # who gave a signal needs some microseconds to let go of Python's lock

_word = ir.IntType(64)


@entry
def look(cells, task):
    """See `threads.look_by`; bool and int64 arrays."""
    given, at, looks = cells.ctypes.data, task.ctypes.data, 0
    while looks < _LOOKS:
        if _byte(given):
            for _ in range(_LET_GO):
                _pause()
            return
        if _word_at(at) == _POSTED and _swapped(at, _POSTED, _TAKEN):
            failed = _call(task[_FUNCTION], task[_ARGUMENTS], task[_START], task[_STOP])
            _set(at, _FAILED if failed else _DONE)
            looks = 0
        looks += 1
        _pause()


def in_parts(kernel: Callable) -> Any:
    """Of `kernel(*arguments, start, stop)`: (tasks, borders, arguments) -> whether all went well.

    It is called between all neighbours of `borders` (int64), on the threads of `tasks`: a row for
    each worker that takes a part; the others are the caller's. For compiled functions alone.
    """
    addresses = _addresses(helper(kernel))

    @helper
    def run(tasks, borders, arguments):
        function, given = addresses(arguments)
        first, stride, parts = np.int64(tasks.ctypes.data), tasks.strides[0], len(borders) - 1
        workers = min(len(tasks), parts - 1)
        for i in range(workers):
            task = tasks[i]
            task[_FUNCTION], task[_ARGUMENTS] = function, given
            task[_START], task[_STOP] = borders[i + 1], borders[i + 2]
            _set(first + i * stride, _POSTED)
        failed = _call(function, given, borders[0], borders[1])
        for i in range(workers + 1, parts):
            failed |= _call(function, given, borders[i], borders[i + 1])
        for i in range(workers):
            at = first + i * stride
            if _swapped(at, _POSTED, _TAKEN):
                failed |= _call(function, given, borders[i + 1], borders[i + 2])
            else:
                while _word_at(at) == _TAKEN:
                    _pause()
                failed |= _word_at(at) == _FAILED
            _set(at, _FREE)
        return not failed

    return run


def _addresses(kernel: Any) -> Any:
    """Addresses of (arguments, start, stop) -> failed, and of the arguments.

    Those live as long as the compiled function that calls this.
    """

    @_intrinsic
    def addresses(typing: Any, arguments: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            each = (*arguments.types, types.int64, types.int64)
            compiled = kernel.get_compile_result(types.void(*each))
            context.add_linking_libs([compiled.library])
            held = context.get_value_type(arguments)
            place = cgutils.alloca_once_value(builder, given[0])
            form = ir.FunctionType(_word, [held.as_pointer(), _word, _word])
            part = ir.Function(builder.module, form, builder.module.get_unique_name("part"))
            part.linkage = "internal"
            inside = ir.IRBuilder(part.append_basic_block())
            values = cgutils.unpack_tuple(inside, inside.load(part.args[0]), len(arguments.types))
            values = [
                _borrowed(context, inside, kind, value)
                for kind, value in zip(arguments.types, values, strict=True)
            ]
            status, _ = context.call_internal_no_propagate(
                inside, compiled.fndesc, compiled.signature, [*values, *part.args[1:]]
            )
            inside.ret(inside.zext(status.is_error, _word))
            found = [builder.ptrtoint(pointer, _word) for pointer in (part, place)]
            return context.make_tuple(builder, signature.return_type, found)

        return types.UniTuple(types.int64, 2)(arguments), generate

    return addresses


def _borrowed(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """An array whose references are not counted: threads would fight for the counter of each.

    The caller holds them all until every part is done.
    """
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = cgutils.get_null_value(array.meminfo.type)
    return array._getvalue()


@_intrinsic
def _call(typing: Any, function: Any, arguments: Any, start: Any, stop: Any) -> Any:
    """The function at an address (see `_addresses`) of rows `start` to `stop`: did it fail?"""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(_word, [_word] * 3)
        failed = builder.call(builder.inttoptr(given[0], kind.as_pointer()), given[1:])
        return builder.icmp_unsigned("!=", failed, ir.Constant(_word, 0))

    return types.boolean(*[types.int64] * 4), generate


# Words in memory, read and written in the order in which all threads see them


def _pointer(builder: Any, address: Any, bits: int) -> Any:
    return builder.inttoptr(address, ir.IntType(bits).as_pointer())


@_intrinsic
def _byte(typing: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        byte = builder.load_atomic(_pointer(builder, given[0], 8), "seq_cst", 1)
        return builder.icmp_unsigned("!=", byte, ir.Constant(byte.type, 0))

    return types.boolean(types.int64), generate


@_intrinsic
def _word_at(typing: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.load_atomic(_pointer(builder, given[0], 64), "seq_cst", 8)

    return types.int64(types.int64), generate


@_intrinsic
def _set(typing: Any, address: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        builder.store_atomic(given[1], _pointer(builder, given[0], 64), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@_intrinsic
def _swapped(typing: Any, address: Any, old: Any, new: Any) -> Any:
    """Put `new` where there is `old`; whether it was there."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        at = _pointer(builder, given[0], 64)
        found = builder.cmpxchg(at, given[1], given[2], "seq_cst", "seq_cst")
        return builder.extract_value(found, 1)

    return types.boolean(types.int64, types.int64, types.int64), generate


@_intrinsic
def _pause(typing: Any) -> Any:
    """Leave the core to its other thread for some cycles, where there is an instruction for it."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        if _HAS_PAUSE:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), kind), [])
        return context.get_dummy_value()

    return types.void(), generate
