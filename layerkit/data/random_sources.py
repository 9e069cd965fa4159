"""Random sources: the random generators that data draws from, found by walking what it is made of.

A data set may hold its own: a seeded shuffle, an augmenting layer in a mapped function, NumPy's
Generator in an attribute. A training goes on to the same bits only if they go on too.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from functools import cache, partial
from types import CodeType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

from layerkit.backend import SeedGenerator

_MOST = 10_000  # things looked at
_LONGEST = 1000  # lists of more are data
_LEAVES = (str, bytes, int, float, np.ndarray, np.generic, type, ModuleType, type(None))


def random_sources(root: Any) -> list[Any]:
    """The random generators reachable from `root`, each once: by attributes, lists and dicts, and
    by the variables that a user's functions refer to. The same code gives the same order."""
    found: list[Any] = []
    seen: dict[int, Any] = {}
    todo = deque([root])
    while todo and len(seen) < _MOST:
        thing = todo.popleft()
        if isinstance(thing, _LEAVES) or id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if is_random_source(thing):
            found.append(thing)
        else:
            todo.extend(_parts(thing))
    return found


def is_random_source(thing: Any) -> bool:
    """Whether `thing` is a random generator: layerkit's, NumPy's, Python's or torch's."""
    if isinstance(thing, (SeedGenerator, np.random.Generator, np.random.RandomState)):
        return True
    return _is_of_python(thing) or _is_of_torch(thing)


def get_random_state(source: Any) -> Any:
    """The state of a random generator as plain values and arrays."""
    if isinstance(source, SeedGenerator):
        return list(source.state)
    if isinstance(source, np.random.Generator):
        return source.bit_generator.state
    if isinstance(source, np.random.RandomState):
        return source.get_state(legacy=False)
    if _is_of_python(source):
        return source.getstate()
    return source.get_state().numpy()


def put_random_state(source: Any, state: Any) -> None:
    """Let a random generator go on from what `get_random_state` gave."""
    if isinstance(source, SeedGenerator):
        source.state = state
    elif isinstance(source, np.random.Generator):
        source.bit_generator.state = state
    elif isinstance(source, np.random.RandomState):
        source.set_state(state)
    elif _is_of_python(source):
        version, words, gauss = state
        source.setstate((version, tuple(words), gauss))
    else:
        source.set_state(sys.modules["torch"].from_numpy(state))


def _is_of_python(thing: Any) -> bool:
    module = sys.modules.get("random")  # who never imported it has none of its generators
    return module is not None and isinstance(thing, module.Random)


def _is_of_torch(thing: Any) -> bool:
    return type(thing).__name__ == "Generator" and type(thing).__module__.startswith("torch")


def _parts(thing: Any) -> Iterator[Any]:
    """What `thing` holds or refers to."""
    if isinstance(thing, (list, tuple, deque)):
        yield from thing if len(thing) <= _LONGEST else ()
    elif isinstance(thing, dict):
        yield from thing.values() if len(thing) <= _LONGEST else ()
    elif isinstance(thing, FunctionType):
        yield from (_content(cell) for cell in thing.__closure__ or ())
        yield from thing.__defaults__ or ()
        yield from _globals_of(thing.__code__, thing.__globals__)
    elif isinstance(thing, MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, partial):
        yield from (thing.func, thing.args, thing.keywords)
    elif isinstance(thing, GeneratorType):
        if thing.gi_frame is not None:
            yield from thing.gi_frame.f_locals.values()
            yield from _globals_of(thing.gi_code, thing.gi_frame.f_globals)
    else:
        yield from getattr(thing, "__dict__", {}).values()
        torch = sys.modules.get("torch")
        if torch is not None and type(thing).__module__.startswith("torch.utils.data"):
            yield torch.default_generator  # where it has none of its own


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty so far
        return None


def _globals_of(code: CodeType, names: dict[str, Any]) -> Iterator[Any]:
    """The values of the global names in a user's code; libraries are not looked into."""
    if names.get("__name__", "").startswith("layerkit.") or code.co_filename.startswith(
        _libraries()
    ):
        return
    yield from (names[name] for name in code.co_names if name in names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals_of(constant, names)


@cache
def _libraries() -> tuple[str, ...]:
    import sysconfig

    return tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})
