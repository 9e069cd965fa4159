"""Kernels given as CUDA text: checked against their declaration, computed by a reference.

A kernel is computed by the function that `cp.register_kernel(name, function)` was given, or else
by `cp.set_executor(executor)`, which runs CUDA text:
`executor(source_text, kernel_name, grid, block, args, shared_mem)`, where arrays among `args` are
writable NumPy views of the fake's memory, C-contiguous, and scalars are NumPy's, of the declared
types. References take NumPy arrays:

    ElementwiseKernel   function(*inputs, *outputs) writes outputs; all are broadcast, but raw ones
    ReductionKernel     function(*inputs, axis=axis, keepdims=keepdims) returns the output(s)
    RawKernel           function(grid, block, *args) writes into args
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .machine import Machine, check_operand, poison

_C_TYPES = {
    "float": "f",
    "double": "d",
    "half": "e",
    "__half": "e",
    "float16": "e",
    "bool": "?",
    "char": "b",
    "signed char": "b",
    "unsigned char": "B",
    "short": "h",
    "unsigned short": "H",
    "int": "i",
    "unsigned": "I",
    "unsigned int": "I",
    "long long": "q",
    "long long int": "q",
    "unsigned long long": "Q",
    "size_t": "Q",
    "ptrdiff_t": "q",
    **{f"{n}_t": np.dtype(n).char for n in ("int8", "int16", "int32", "int64")},
    **{f"{n}_t": np.dtype(n).char for n in ("uint8", "uint16", "uint32", "uint64")},
}
_TO_C = {"f": "float", "d": "double", "e": "float16", "?": "bool", "b": "signed char"}
_TO_C |= {"B": "unsigned char", "h": "short", "H": "unsigned short", "i": "int"}
_TO_C |= {"I": "unsigned int", "l": "long long", "q": "long long"}
_TO_C |= {"L": "unsigned long long", "Q": "unsigned long long"}
_SHARED_MEMORY = 49152  # bytes a block may ask for without setting an attribute


class Parameter:
    """One declared parameter: 'T x', 'float32 y' or 'raw T table'."""

    def __init__(self, text: str):
        *qualifiers, kind, self.name = text.split()
        if [q for q in qualifiers if q not in ("raw", "_non_const")]:
            raise Exception(f'Unknown keyword "{qualifiers[0]}"')
        self.raw = "raw" in qualifiers
        self.letter = kind if len(kind) == 1 else None
        self.dtype = None if self.letter else np.dtype(kind)


def parameters(text: str) -> tuple[Parameter, ...]:
    return tuple(map(Parameter, text.strip().split(","))) if text else ()


def _types(kernel: Any, inputs: Any, outputs: Any) -> dict[str, np.dtype]:
    """What each letter stands for. TypeError where an array differs from the declaration."""
    letters: dict[str, np.dtype] = {}
    given = (*outputs, *inputs)
    declared = (kernel.out_params if outputs else ()) + kernel.in_params
    for p, a in zip(declared, given, strict=True):
        if not hasattr(a, "_a"):
            continue  # a scalar: it will be cast
        expected = p.dtype or letters.setdefault(p.letter, a.dtype)
        if expected != a.dtype:
            raise TypeError(f"Type is mismatched. {p.name} {a.dtype} {expected}")
    return letters


def _dtype_of(p: Parameter, letters: dict[str, np.dtype]) -> np.dtype:
    return p.dtype or letters[p.letter or ""]


class _Kernel:
    """What elementwise and reduction kernels share: parameters, and how arguments are checked."""

    def __init__(self, machine: Machine, in_params: str, out_params: str, name: str):
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ValueError(f'Invalid kernel name: "{name}"')
        self._machine, self.name = machine, name
        self.__name__ = name
        self.in_params, self.out_params = parameters(in_params), parameters(out_params)
        self.nin, self.nout = len(self.in_params), len(self.out_params)
        self.nargs = self.nin + self.nout

    def _split(self, args: tuple) -> tuple[tuple, tuple]:
        if len(args) not in (self.nin, self.nargs):
            raise TypeError(
                f"Wrong number of arguments for {self.name!r}. It must be either {self.nin} or "
                f"{self.nargs} (with outputs), but given {len(args)}."
            )
        for x in args:
            check_operand(self._machine, x)
        for x in args[self.nin :]:
            if not isinstance(x, self._machine.array_type):
                raise TypeError("Output arguments type must be cupy.ndarray")
        for place, x in enumerate(args):
            if isinstance(x, self._machine.array_type):
                self._machine.order.touch(x._a, writes=place >= self.nin)
        return args[: self.nin], args[self.nin :]

    def _inputs(self, args: tuple, letters: dict[str, np.dtype]) -> list[Any]:
        """Memory of arrays, and scalars cast to their declared types."""
        pairs = zip(self.in_params, args, strict=True)
        return [
            a._a if hasattr(a, "_a") else np.asarray(a).astype(_dtype_of(p, letters))[()]
            for p, a in pairs
        ]

    def _typedefs(self, letters: dict[str, np.dtype]) -> str:
        return "".join(f"typedef {_TO_C[t.char]} {n};\n" for n, t in sorted(letters.items()))


class ElementwiseKernel(_Kernel):
    """`operation` for each element of the broadcast arguments."""

    def __init__(
        self,
        machine: Machine,
        in_params: str,
        out_params: str,
        operation: str,
        name: str = "kernel",
        reduce_dims: bool = True,
        preamble: str = "",
        no_return: bool = False,
        return_tuple: bool = False,
        **kwargs: Any,
    ):
        super().__init__(machine, in_params, out_params, name)
        unknown = set(kwargs) - {"loop_prep", "after_loop", "options"}
        if unknown:
            raise TypeError(f"Wrong arguments {unknown}")
        if "i" in [p.name for p in self.in_params + self.out_params]:
            raise ValueError("Can not use 'i' as a parameter name")
        self.operation, self.preamble, self.kwargs = operation, preamble, kwargs
        self.no_return, self.return_tuple = no_return, return_tuple

    def __call__(self, *args: Any, size: int = -1, block_size: int = 128, **kwargs: Any) -> Any:
        if kwargs.keys() - {"stream"}:
            raise TypeError(f"Wrong arguments {kwargs}")
        ins, outs = self._split(args)
        letters = _types(self, ins, outs)
        shape = self._shape(ins, outs, size)
        if not outs:
            if any(p.raw for p in self.out_params) and size < 0:
                raise ValueError("Output array size is Undecided")
            new = [np.empty(shape, _dtype_of(p, letters)) for p in self.out_params]
            outs = tuple(self._machine.wrap(poison(a)) for a in new)
        for p, a in zip(self.out_params, outs, strict=True):
            if not p.raw and a.shape != shape:
                raise ValueError("Out shape is mismatched")
        inputs, outputs = self._inputs(ins, letters), [a._a for a in outs]
        self._machine.journal.launches.append(self.name)
        self._machine.mutate(lambda: self._work(inputs, outputs, shape, letters, block_size))
        if self.no_return:
            return None
        return outs[0] if self.nout == 1 and not self.return_tuple else tuple(outs)

    def _shape(self, ins: Any, outs: Any, size: int) -> tuple[int, ...]:
        declared = self.in_params + (self.out_params if outs else ())
        pairs = zip(declared, (*ins, *outs), strict=True)
        shapes = [a.shape for p, a in pairs if hasattr(a, "_a") and not p.raw]
        if size >= 0 and shapes:
            raise ValueError("Specified 'size' can be used only if all of the ndarray are 'raw'.")
        if size < 0 and not shapes:
            raise ValueError("Loop size is undecided.")
        return np.broadcast_shapes(*shapes) if shapes else (size,)

    def _work(
        self, inputs: list, outputs: list, shape: tuple, letters: dict, block_size: int
    ) -> None:
        if 0 in shape:
            return
        pairs = zip(self.in_params, inputs, strict=True)
        spread = [
            np.broadcast_to(x, shape) if isinstance(x, np.ndarray) and not p.raw else x
            for p, x in pairs
        ]
        reference = self._machine.references.get(self.name)
        if reference is not None:
            reference(*spread, *outputs)
            return
        size = int(np.prod(shape))
        packed = [np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x for x in spread]
        results = [np.ascontiguousarray(a) for a in outputs]
        grid, block = (-(-size // block_size),), (block_size,)
        arguments = (*packed, *results, np.int64(size))
        _execute(self._machine, self._source(packed, letters), self.name, grid, block, arguments, 0)
        for a, b in zip(outputs, results, strict=True):
            a[...] = b

    def _source(self, packed: list, letters: dict[str, np.dtype]) -> str:
        """Plain CUDA text of the same loop, over contiguous arrays."""
        heads, elements = [], []
        for index, p in enumerate(self.in_params + self.out_params):
            is_input = index < self.nin
            is_array = not is_input or isinstance(packed[index], np.ndarray)
            kind = p.letter or _TO_C[p.dtype.char]  # type: ignore[union-attr]
            const = "const " if is_input else ""
            if not is_array:
                heads.append(f"{kind} {p.name}")
            elif p.raw:
                heads.append(f"{const}{kind}* {p.name}")
            else:
                heads.append(f"{const}{kind}* _raw_{p.name}")
                elements.append(f"{const}{kind} &{p.name} = _raw_{p.name}[i];")
        return f"""{self._typedefs(letters)}{self.preamble}
struct _Indexer {{ long long n; __device__ long long size() const {{ return n; }} }};
extern "C" __global__ void {self.name}({", ".join(heads)}, long long _size) {{
  _Indexer _ind = {{_size}}; (void)_ind;
  {self.kwargs.get("loop_prep", "")};
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < _size;
       i += (long long)gridDim.x * blockDim.x) {{
    {" ".join(elements)}
    {self.operation};
  }}
  {self.kwargs.get("after_loop", "")};
}}
"""


class ReductionKernel(_Kernel):
    """`map_expr` of each element, folded by `reduce_expr` along axes, then `post_map_expr`."""

    def __init__(
        self,
        machine: Machine,
        in_params: str,
        out_params: str,
        map_expr: str,
        reduce_expr: str,
        post_map_expr: str,
        identity: str,
        name: str = "reduce_kernel",
        reduce_type: str | None = None,
        reduce_dims: bool = True,
        preamble: str = "",
        options: tuple = (),
    ):
        super().__init__(machine, in_params, out_params, name)
        self.map_expr, self.reduce_expr, self.post_map_expr = map_expr, reduce_expr, post_map_expr
        self.identity, self.preamble = identity, preamble
        self.reduce_type = reduce_type or self.out_params[0].letter or str(self.out_params[0].dtype)

    def __call__(
        self,
        *args: Any,
        out: Any = None,
        axis: Any = None,
        keepdims: bool = False,
        stream: Any = None,
    ) -> Any:
        ins, outs = self._split(args if out is None else (*args, out))
        letters = _types(self, ins, outs)
        inputs = self._inputs(ins, letters)
        arrays = [x for x in inputs if isinstance(x, np.ndarray)]
        if not arrays:
            raise ValueError("Loop size is undecided.")
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        axes = tuple(range(len(shape))) if axis is None else np.atleast_1d(axis) % len(shape)
        axes = tuple(int(x) for x in axes)
        kept = [1 if i in axes else n for i, n in enumerate(shape)]
        left = tuple(kept if keepdims else (n for i, n in enumerate(shape) if i not in axes))
        if not outs:
            new = [np.empty(left, _dtype_of(p, letters)) for p in self.out_params]
            outs = tuple(self._machine.wrap(poison(a)) for a in new)
        for a in outs:
            if a.shape != left:
                raise ValueError("Out shape is mismatched")
        outputs = [a._a for a in outs]
        self._machine.journal.launches.append(self.name)
        self._machine.mutate(lambda: self._work(inputs, outputs, shape, axes, keepdims, letters))
        return outs[0] if self.nout == 1 else tuple(outs)

    def _work(
        self, inputs: list, outputs: list, shape: tuple, axes: tuple, keepdims: bool, letters: dict
    ) -> None:
        spread = [np.broadcast_to(x, shape) if isinstance(x, np.ndarray) else x for x in inputs]
        reference = self._machine.references.get(self.name)
        if reference is not None:
            results = reference(*spread, axis=axes, keepdims=keepdims)
            results = results if isinstance(results, tuple) else (results,)
        else:
            results = self._fold(spread, outputs, shape, axes, letters)
        for a, b in zip(outputs, results, strict=True):
            a[...] = np.reshape(b, a.shape)

    def _fold(
        self, spread: list, outputs: list, shape: tuple, axes: tuple, letters: dict
    ) -> list[np.ndarray]:
        last = [i for i in range(len(shape)) if i not in axes] + list(axes)
        packed = [
            np.ascontiguousarray(x.transpose(last)) if isinstance(x, np.ndarray) else x
            for x in spread
        ]
        results = [np.ascontiguousarray(a) for a in outputs]
        outer = results[0].size
        inner = int(np.prod(shape)) // max(outer, 1)
        arguments = (*packed, *results, np.int64(outer), np.int64(inner))
        source = self._source(packed, letters)
        _execute(self._machine, source, self.name, (-(-outer // 128),), (128,), arguments, 0)
        return results

    def _source(self, packed: list, letters: dict[str, np.dtype]) -> str:
        """Plain CUDA text of the fold: one thread per output, over contiguous arrays."""
        heads, elements, places = [], [], []
        for p, x in zip(self.in_params, packed, strict=True):
            kind = p.letter or _TO_C[p.dtype.char]  # type: ignore[union-attr]
            if isinstance(x, np.ndarray):
                heads.append(f"const {kind}* _raw_{p.name}")
                elements.append(f"const {kind} &{p.name} = _raw_{p.name}[i];")
            else:
                heads.append(f"{kind} {p.name}")
        for p in self.out_params:
            kind = p.letter or _TO_C[p.dtype.char]  # type: ignore[union-attr]
            heads.append(f"{kind}* _raw_{p.name}")
            places.append(f"{kind} &{p.name} = _raw_{p.name}[_o];")
        return f"""{self._typedefs(letters)}{self.preamble}
struct _Indexer {{ long long n; __device__ long long size() const {{ return n; }} }};
typedef {_c_name(self.reduce_type)} _reduced;
extern "C" __global__ void {self.name}({", ".join(heads)}, long long _outer, long long _inner) {{
  _Indexer _in_ind = {{_outer * _inner}}, _out_ind = {{_outer}}; (void)_in_ind; (void)_out_ind;
  for (long long _o = (long long)blockIdx.x * blockDim.x + threadIdx.x; _o < _outer;
       _o += (long long)gridDim.x * blockDim.x) {{
    _reduced a = _reduced({self.identity});
    for (long long _j = 0; _j < _inner; ++_j) {{
      long long i = _o * _inner + _j;
      {" ".join(elements)}
      _reduced b = _reduced({self.map_expr});
      a = ({self.reduce_expr});
    }}
    {" ".join(places)}
    {self.post_map_expr};
  }}
}}
"""


class RawKernel:
    """A kernel whose whole text is given; it sees pointers, so arrays must be contiguous."""

    def __init__(
        self,
        machine: Machine,
        code: str,
        name: str,
        options: tuple = (),
        backend: str = "nvrtc",
        translate_cucomplex: bool = False,
        *,
        enable_cooperative_groups: bool = False,
        jitify: bool = False,
    ):
        self._machine, self.code, self.name, self.options = machine, code, name, options
        self.__name__ = name
        self.max_dynamic_shared_size_bytes = _SHARED_MEMORY
        self._declared = raw_parameters(code, name)

    def compile(self, log_stream: Any = None) -> None: ...

    def __call__(self, grid: tuple, block: tuple, args: tuple, *, shared_mem: int = 0) -> None:
        if not isinstance(grid, tuple) or not isinstance(block, tuple):
            raise TypeError("Argument 'grid' and 'block' must be tuples")
        if not 0 < int(np.prod(block)) <= 1024 or min(grid) < 1 or max(grid[1:], default=1) > 65535:
            raise ValueError(f"CUDA_ERROR_INVALID_VALUE: grid {grid}, block {block}")
        if shared_mem > self.max_dynamic_shared_size_bytes:
            raise ValueError(f"CUDA_ERROR_INVALID_VALUE: {shared_mem} bytes of shared memory")
        values = self._checked(args)
        self._machine.journal.launches.append(self.name)

        def work() -> None:
            reference = self._machine.references.get(self.name)
            if reference is not None:
                reference(grid, block, *values)
            else:
                _execute(self._machine, self.code, self.name, grid, block, values, shared_mem)

        self._machine.mutate(work)

    def _checked(self, args: tuple) -> tuple:
        """Memory and scalars. TypeError or ValueError where they are not what the text declares."""
        if self._declared is None:
            raise ValueError(f"CUDA_ERROR_NOT_FOUND: no kernel {self.name!r} in the text")
        if len(args) != len(self._declared):
            raise TypeError(
                f"{self.name} declares {len(self._declared)} parameters; {len(args)} were given."
            )
        triples = zip(self._declared, args, strict=True)
        return tuple(self._argument(*declared, x) for declared, x in triples)

    def _argument(self, name: str, pointer: bool, char: str | None, x: Any) -> Any:
        where = f"{self.name}, parameter {name}"
        if pointer:
            if x is None:
                return None
            if not isinstance(x, self._machine.array_type):
                raise TypeError(f"{where}: expected a cupy.ndarray; received {type(x)}.")
            if char and np.dtype(char) != x.dtype:
                raise TypeError(f"{where}: expected {np.dtype(char)}; received {x.dtype}.")
            if not x._a.flags.c_contiguous:
                raise ValueError(f"{where}: a raw kernel ignores strides, pass it contiguous.")
            self._machine.order.touch(x._a, writes=True)
            return x._a
        if isinstance(x, self._machine.array_type):
            raise TypeError(f"{where}: expected a scalar; received an array.")
        check_operand(self._machine, x)
        value = x if isinstance(x, np.generic) else np.asarray(x)[()]
        if char and np.dtype(char) != value.dtype:
            raise TypeError(
                f"{where}: expected {np.dtype(char)}; received {value.dtype}, whose bytes would "
                f"be read as that. Pass numpy.{np.dtype(char)}(...)."
            )
        return value


class RawModule:
    """Several kernels in one text."""

    def __init__(
        self,
        machine: Machine,
        code: str | None = None,
        *,
        path: str | None = None,
        options: tuple = (),
        backend: str = "nvrtc",
        translate_cucomplex: bool = False,
        enable_cooperative_groups: bool = False,
        name_expressions: Any = None,
        jitify: bool = False,
    ):
        if (code is None) == (path is None):
            raise TypeError("Exactly one of `code` and `path` keyword arguments must be given.")
        if code is None:
            raise NotImplementedError("strict_cupy runs no cubins: give the module its code.")
        self._machine, self.code, self.options = machine, code, options
        self.name_expressions = name_expressions

    def compile(self, log_stream: Any = None) -> None: ...

    def get_function(self, name: str) -> RawKernel:
        if "<" in name and name not in (self.name_expressions or ()):
            raise ValueError(f"CUDA_ERROR_NOT_FOUND: {name!r} is not among the name_expressions")
        return RawKernel(self._machine, self.code, name, self.options)


def raw_parameters(code: str, name: str) -> list[tuple[str, bool, str | None]] | None:
    """(name, is a pointer, dtype character or None if unknown) of each parameter of a kernel."""
    code = re.sub(r"//.*?$|/\*.*?\*/", "", code, flags=re.S | re.M)
    bounds = r"(?:__launch_bounds__\s*\([^)]*\)\s*)?"
    plain = re.escape(name.split("<")[0])
    match = re.search(rf"__global__\s+{bounds}void\s+{bounds}{plain}\s*\(([^)]*)\)", code)
    if match is None:
        return None
    return [_raw_parameter(part) for part in match[1].split(",") if part.strip()]


def _raw_parameter(text: str) -> tuple[str, bool, str | None]:
    words = re.sub(r"\b(const|__restrict__|volatile)\b|\*", " ", text).split()
    return words[-1], "*" in text, _C_TYPES.get(" ".join(words[:-1]))


def _c_name(dtype: str) -> str:
    try:
        return dtype if len(dtype) == 1 else _TO_C[np.dtype(dtype).char]
    except TypeError:
        return dtype


def _execute(
    machine: Machine,
    source: str,
    name: str,
    grid: tuple,
    block: tuple,
    args: Any,
    shared_mem: int,
) -> None:
    run: Callable[..., Any] | None = machine.executor
    if run is None:
        raise RuntimeError(
            f"strict_cupy cannot compute the kernel {name!r}: give it a reference with "
            "cp.register_kernel(name, function), or an executor with cp.set_executor(executor)."
        )
    run(source, name, (*grid, 1, 1)[:3], (*block, 1, 1)[:3], tuple(args), shared_mem)
