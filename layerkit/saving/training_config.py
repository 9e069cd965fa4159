"""The arguments of `compile` in a file: written as far as possible, restored as far as possible.

A model is worth more than its training configuration: neither saving nor loading fails for it.
"""

from __future__ import annotations

from typing import Any

from ..configurable import deserialize, get_registered_object, serialize
from .refusal import tell

# What changes speed, not results: a matter of the machine, and so for who loads the model there.
_RESTORED = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
_MOST_PARTS, _DEEPEST = 50, 3  # of what is restored part by part
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
    advice = (
        "Call model.compile(...) with them to train or evaluate as before, or load the model with "
        "custom_objects={name: object} for those of your own."
    )
    if type(model).compile.__module__.partition(".")[0] != __name__.partition(".")[0]:
        reason = "its class overrides compile(): override compile_from_config(config) too"
        _warn([f"everything ({reason})"], "was loaded without", advice)
        return
    left_out = ["optimizer: the file has none"] if config.get("optimizer") is None else []
    arguments: dict[str, Any] = {"optimizer": None}
    if config.get("auto_scale_loss") is not None:
        arguments["auto_scale_loss"] = config["auto_scale_loss"]
    for key in _RESTORED:
        if config.get(key) is not None:
            left_out += _restore(model, arguments, key, config[key])
    known = {*_RESTORED, *_WITHOUT_EFFECT, "auto_scale_loss"}
    left_out += [f"{k}={v!r}" for k, v in config.items() if k not in known and v is not None]
    _warn(left_out, "was loaded without", advice)


def _describe(value: Any) -> tuple[Any, list[str]]:
    """The description of one argument, and what has none; None takes its place."""
    if isinstance(value, (list, tuple)):
        pairs = [_describe(item) for item in value]
        return [item for item, _ in pairs], [problem for _, own in pairs for problem in own]
    if isinstance(value, dict):
        described, problems = _describe(list(value.values()))
        return dict(zip(value, described, strict=True)), problems
    try:
        return serialize(value), []
    except (TypeError, ValueError, NotImplementedError) as error:
        return None, [_short(error)]


def _restore(model: Any, arguments: dict[str, Any], key: str, value: Any) -> list[str]:
    """Add `key` to `arguments` and compile with them; returns what did not work, and why."""
    try:
        restored = _own(deserialize(value))
        model.compile(**{**arguments, key: restored})
    except Exception as error:  # a class of the user's may raise anything
        problems: list[str] = []
        if key != "optimizer" and _is_several(value) and _is_small(value):
            kept = _kept(model, arguments, key, value, problems)
        if not problems:  # each would do, but not together
            return [f"{key}: {_short(error)}"]
        return problems + _restore(model, arguments, key, kept)
    arguments[key] = restored
    return []


def _kept(model: Any, arguments: dict[str, Any], key: str, value: Any, problems: list[str]) -> Any:
    """`value` with None for its parts that do not work; why not is added to `problems`."""
    if isinstance(value, list):
        return [_kept(model, arguments, key, item, problems) for item in value]
    if _is_several(value):
        return {k: _kept(model, arguments, key, item, problems) for k, item in value.items()}
    if value is None:
        return None
    try:
        model.compile(**arguments, **{key: [_own(deserialize(value))]})
    except Exception as error:
        problems.append(f"{key}: {_short(error)}")
        return None
    return value


def _own(value: Any) -> Any:
    """Names of the user's own losses and metrics as what they name, while it can be found."""
    if isinstance(value, list):
        return [_own(item) for item in value]
    if isinstance(value, dict):
        return {key: _own(item) for key, item in value.items()}
    found = get_registered_object(value) if isinstance(value, str) else None
    return value if found is None else found


def _is_several(value: Any) -> bool:
    """Whether losses or metrics stand in lists, or by output."""
    return isinstance(value, list) or isinstance(value, dict) and "class_name" not in value


def _is_small(value: Any, depth: int = 0) -> bool:
    """Whether there are few enough parts to try each."""
    items = list(value.values() if isinstance(value, dict) else value)
    inner = [item for item in items if _is_several(item)]
    few = len(items) <= _MOST_PARTS and depth <= _DEEPEST
    return few and all(_is_small(item, depth + 1) for item in inner)


def _short(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _warn(left_out: list[str], how: str, advice: str) -> None:
    if left_out:
        listed = "".join(f"\n  - {item}" for item in left_out)
        tell(
            f"The model {how} parts of its training configuration:{listed}\n{advice}",
            stacklevel=2,
        )
