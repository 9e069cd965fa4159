"""Global settings, as `keras.config` has them: floats, image layout, dtypes, what is shown."""

from __future__ import annotations

import os
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
_most_epochs = int(os.environ.get("KERAS_MAX_EPOCHS", 0)) or None
_most_steps = int(os.environ.get("KERAS_MAX_STEPS_PER_EPOCH", 0)) or None


def max_epochs() -> int | None:
    """How many epochs `fit` runs at most; None where nobody said, nor KERAS_MAX_EPOCHS."""
    return _most_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Let every `fit` end after so many epochs: to try a script out. None for no limit."""
    global _most_epochs
    _most_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """How many batches a pass of fit, evaluate or predict has at most; None where nobody said,
    nor KERAS_MAX_STEPS_PER_EPOCH."""
    return _most_steps


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Let every pass over data end after so many batches. None for no limit."""
    global _most_steps
    _most_steps = max_steps_per_epoch


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
