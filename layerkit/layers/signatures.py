"""What functions take, by the names of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature


def takes(function: Callable, parameter: str) -> bool:
    """Whether `function` has a parameter of that name, or takes any."""
    parameters = signature(function).parameters
    return parameter in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def parameters_after_self(method: Callable) -> tuple[str, ...]:
    """Names of what a method takes after `self`, without `*args` and `**kwargs`."""
    parameters = list(signature(method).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
