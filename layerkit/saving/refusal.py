"""Errors of files: whatever goes wrong while a file is read ends in one error that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def naming(name: Any, problem: str) -> Iterator[None]:
    """In the `with` block errors become ones that say `'name' problem: ...`, with their cause.

    TypeErrors stay TypeErrors, all others become ValueErrors. Those that name the file already
    pass as they are, and so do missing packages, and warnings where they are errors.
    """
    try:
        yield
    except (ImportError, Warning):
        raise
    except Exception as error:
        if isinstance(error, (ValueError, TypeError, OSError)) and str(name) in str(error):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        plain = isinstance(error, (ValueError, TypeError, OSError, RuntimeError))
        text = str(error) if plain and str(error) else f"{type(error).__name__}: {error}"
        raise kind(f"'{name}' {problem}: {text}") from error
