"""Writes cupy_api.json: the names, keyword arguments and ufuncs of the installed CuPy.

Run with a Python that has CuPy 14.2 (no GPU is needed): `python tests/fakes/make_cupy_api.py`.
A signature is kept as text, "a, axis=, *, dtype=": which arguments there are, in which order, and
which may be left out; the values of defaults stay NumPy's, which the two share.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("cupy_api.json")
_CLASSES = ("Stream", "Event", "Device", "Graph", "MemoryPool", "PinnedMemoryPool")
_KERNELS = ("ElementwiseKernel", "ReductionKernel", "RawKernel", "RawModule")


def api() -> dict[str, Any]:
    """What the installed CuPy knows, as JSON keeps it."""
    import cupy

    top = _public(cupy)
    ufuncs = {n: f for n, f in top.items() if type(f).__name__ in ("ufunc", "_GUFunc")}
    return {
        "version": cupy.__version__,
        "functions": _signatures(top, skip=ufuncs),
        "ufuncs": {n: _arity(f) for n, f in ufuncs.items()},
        "names": sorted(n for n, f in top.items() if n not in ufuncs and not _is_function(f)),
        "fft": _signatures(_public(cupy.fft)),
        "linalg": _signatures(_public(cupy.linalg)),
        "lib.stride_tricks": _signatures(_public(cupy.lib.stride_tricks)),
        "random": sorted(_public(cupy.random)),
        "cuda": sorted(_public(cupy.cuda)),
        "methods": _signatures(_public(cupy.ndarray)),
        "attributes": sorted(
            n for n, f in _public(cupy.ndarray).items() if inspect.isdatadescriptor(f)
        ),
        "classes": {n: sorted(_public(getattr(cupy.cuda, n))) for n in _CLASSES}
        | {n: sorted(_public(getattr(cupy, n))) for n in _KERNELS},
    }


def _public(owner: Any) -> dict[str, Any]:
    return {n: getattr(owner, n) for n in dir(owner) if not n.startswith("_")}


def _is_function(f: Any) -> bool:
    return callable(f) and not isinstance(f, type) and not inspect.isdatadescriptor(f)


def _signatures(names: dict[str, Any], skip: Any = ()) -> dict[str, str]:
    found = {n: _signature(f) for n, f in names.items() if _is_function(f) and n not in skip}
    return {n: text for n, text in found.items() if text is not None}


def _signature(f: Any) -> str | None:
    """The signature as text; of compiled functions it stands in the first line of their help."""
    try:
        parameters = str(inspect.signature(f).replace(return_annotation=inspect.Signature.empty))
    except ValueError:
        first = (f.__doc__ or "").split("\n")[0]
        match = re.match(r"[\w.]+\((.*)\)( -> .*)?$", first)
        if not match:
            return "*args, **kwargs"
        parameters = match[1]
    parts = [_parameter(part) for part in _split(parameters.removeprefix("(").removesuffix(")"))]
    return ", ".join(part for part in parts if part not in ("self", ""))


def _split(text: str) -> list[str]:
    """`text` at its outermost commas."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{<") - (letter in ")]}>")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _parameter(text: str) -> str:
    """A parameter without its type and the value of its default."""
    name, equals, _ = text.partition("=")
    name = name.split(":")[0].strip().split(" ")[-1]
    return name + equals


def _arity(f: Any) -> list[int]:
    """How many arrays a ufunc takes and gives; `matmul` is the only generalized one."""
    return [f.nin, f.nout] if hasattr(f, "nin") else [2, 1]


if __name__ == "__main__":
    PATH.write_text(json.dumps(api(), indent=0, sort_keys=True) + "\n")
