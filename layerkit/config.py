"""Global settings, as `keras.config` has them: floats, image layout, dtypes, what is shown."""

from __future__ import annotations

import warnings

from layerkit.backend import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_backend,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from layerkit.backend.names import explain_missing

from .dtype_policies import dtype_policy, set_dtype_policy

_interactive = True


def enable_interactive_logging() -> None:
    """Show progress and what callbacks say on standard output, as at first."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Send progress and what callbacks say to the logger 'layerkit', in lines of level INFO."""
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress is shown on standard output."""
    return _interactive


def disable_traceback_filtering() -> None:
    """Tracebacks show every frame: so they do in any case."""


def enable_traceback_filtering() -> None:
    """Warns: layerkit leaves no frame out of a traceback."""
    warnings.warn(
        "layerkit does not filter tracebacks: errors show every frame, and say what to do in "
        "their message.",
        stacklevel=2,
    )


def is_traceback_filtering_enabled() -> bool:
    """False: every frame is shown."""
    return False


def enable_unsafe_deserialization() -> None:
    """Warns: nothing in a file is ever run here, so there is nothing to permit."""
    warnings.warn(
        "layerkit never runs code of a file, so lambdas in files are refused all the same: define "
        "the function with `def` and pass it in custom_objects.",
        stacklevel=2,
    )


__all__ = [
    "backend",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_interactive_logging_enabled",
    "is_traceback_filtering_enabled",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]

explain_missing(__name__)
