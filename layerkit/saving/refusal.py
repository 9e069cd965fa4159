"""Errors of files: whatever goes wrong while a file is read ends in one error that names it.

What a message repeats of a file is cut, and cannot steer the terminal that shows it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dis import opmap
from typing import Any

_LONGEST = 20_000  # characters of a message
_STEERING = re.compile(  # but for ends of lines: what terminals obey, and half characters
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


@contextmanager
def naming(name: Any, problem: str, *wholes: Any) -> Iterator[None]:
    """In the `with` block errors become ones that say `'name' problem: ...`, with their cause.

    TypeErrors stay TypeErrors, all others become ValueErrors. Those that name the file already, or
    one of the `wholes` that it is a part of, pass as they are, and so do missing packages, and
    warnings where they are errors.
    """
    try:
        yield
    except (ImportError, Warning):
        raise
    except Exception as error:
        named = any(str(each) in str(error) for each in (name, *wholes))
        known = named and isinstance(error, (ValueError, TypeError, OSError))
        if known and printable(error) == str(error):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        plain = isinstance(error, (ValueError, TypeError, OSError, RuntimeError))
        text = str(error) if plain and str(error) else f"{type(error).__name__}: {error}"
        raise kind(printable(text if known else f"'{name}' {problem}: {text}")) from error


@contextmanager
def expecting_a_config() -> Iterator[None]:
    """In the `with` block Python's own errors, on values of another kind, say what was expected.

    Errors that `raise` statements raised, those of the user's classes too, pass as they are.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        if _is_raised_by_a_statement(error):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            "expected a config as Keras and layerkit write it; something in it is missing, or of "
            f"another kind ({type(error).__name__}: {error})"
        ) from error


def _is_raised_by_a_statement(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    assert trace is not None  # it was caught
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == opmap["RAISE_VARARGS"]


def tell(text: str, stacklevel: int) -> None:
    """Warn of something in a file, whose text may be part of the warning."""
    warnings.warn(printable(text), stacklevel=stacklevel + 1)


def report(text: str, stacklevel: int) -> None:
    """Warn of all that was skipped, as the user asked, however much it is."""
    warnings.warn(without_steering(text), stacklevel=stacklevel + 1)


def without_steering(text: str) -> str:
    """`text` with what steers terminals escaped, and what no encoding has."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def printable(text: Any) -> str:
    """A message as it may be shown: without what steers terminals, or the middle of a long one."""
    text = without_steering(str(text))
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]} [...] {text[-_LONGEST // 2 :]}"
