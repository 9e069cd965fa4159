"""The arguments of `compile` in a file: written as far as possible, restored as far as possible.

A model is worth more than its training configuration: neither saving nor loading fails for it.
"""

from __future__ import annotations

import warnings
from typing import Any

from ..configurable import deserialize, serialize

# What changes speed, not results: a matter of the machine, and so for who loads the model there.
_WITHOUT_EFFECT = ("run_eagerly", "jit_compile", "steps_per_execution")


def describe_training(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `compile` as plain values; what has none is left out with one warning."""
    left_out: list[str] = []
    described = {}
    for key, value in arguments.items():
        described[key], problems = _describe(value)
        left_out += [f"{key}: {problem}" for problem in problems]
    _warn(left_out, "was saved without", "Pass them to compile() again after loading.")
    return described


def compile_as_saved(model: Any, config: dict[str, Any]) -> None:
    """Compile `model` as `config` says; what cannot be restored is left out with one warning."""
    advice = "Call model.compile(...) with them to train or evaluate as before."
    if type(model).compile.__module__.partition(".")[0] != __name__.partition(".")[0]:
        reason = "its class overrides compile(): override compile_from_config(config) too"
        _warn([f"everything ({reason})"], "was loaded without", advice)
        return
    if config.get("optimizer") is None:
        _warn(["optimizer: the file has none"], "was loaded without", advice)
        return
    left_out: list[str] = []
    scaling = config.get("auto_scale_loss")
    arguments: dict[str, Any] = {} if scaling is None else {"auto_scale_loss": scaling}
    for key in ("optimizer", "loss", "metrics", "weighted_metrics"):
        left_out += _restore(model, arguments, key, config.get(key))
        if key == "optimizer" and key not in arguments:
            break  # nothing to compile with: the model stays uncompiled
    known = {"optimizer", "loss", "metrics", "weighted_metrics", "auto_scale_loss"}
    known.update(_WITHOUT_EFFECT)
    left_out += [f"{k}={v!r}" for k, v in config.items() if k not in known and v is not None]
    _warn(left_out, "was loaded without", advice)


def _describe(value: Any) -> tuple[Any, list[str]]:
    """The description of one argument, item by item for lists, and what has none."""
    if isinstance(value, (list, tuple)):
        pairs = [_describe(item) for item in value]
        kept = [described for described, problems in pairs if not problems]
        return kept, [problem for _, problems in pairs for problem in problems]
    try:
        return serialize(value), []
    except (TypeError, ValueError, NotImplementedError) as error:
        return None, [_short(error)]


def _restore(model: Any, arguments: dict[str, Any], key: str, value: Any) -> list[str]:
    """Add `key` to `arguments` and compile with them; returns what did not work, and why."""
    try:
        restored = deserialize(value)
        model.compile(**arguments, **{key: restored})
    except Exception as error:  # a class of the user's may raise anything
        if not isinstance(value, list) or len(value) < 2:
            return [f"{key}: {_short(error)}"]
        problems = [_restore(model, dict(arguments), key, [item]) for item in value]
        kept = [item for item, problem in zip(value, problems, strict=True) if not problem]
        if len(kept) == len(value):  # each would do, but not together
            return [f"{key}: {_short(error)}"]
        return sum(problems, []) + _restore(model, arguments, key, kept)
    arguments[key] = restored
    return []


def _short(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _warn(left_out: list[str], how: str, advice: str) -> None:
    if left_out:
        listed = "".join(f"\n  - {item}" for item in left_out)
        warnings.warn(
            f"The model {how} parts of its training configuration:{listed}\n{advice}",
            stacklevel=2,
        )
