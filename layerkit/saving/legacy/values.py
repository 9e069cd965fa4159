"""Values in configs of Keras 1 and 2 as today's: activations, regularizers, constraints."""

from __future__ import annotations

from typing import Any

from ...configurable import builtins_named
from ...old_arguments import with_new_names
from ..refusal import tell
from .origin import Origin

_HARD_SIGMOID = (
    "hard_sigmoid_keras2 is x / 5 + 1 / 2 between 0 and 1, which Keras 1 and 2 called hard_sigmoid."
)
_SUMMED = (
    "L1L2OfBatch is L1L2 as an activity regularizer that is not divided by the batch size, as in "
    "Keras 1 and 2."
)


def modern_value(key: str, value: Any, origin: Origin) -> Any:
    if key.endswith("activation") and value == "hard_sigmoid" and origin.is_old:
        origin.note(_HARD_SIGMOID)
        return "hard_sigmoid_keras2"
    if key == "axis" and isinstance(value, list) and len(value) == 1:
        return value[0]
    if key == "dtype" and value == "string":  # of what it is fed
        return None
    if not isinstance(value, dict):
        return value
    if key == "dtype":  # a policy
        return value["config"]["name"]
    if key.endswith("regularizer"):
        return _regularizer(key, value, origin)
    if key.endswith("constraint"):
        return _constraint(value)
    if key.endswith("initializer") and isinstance(value.get("config"), dict):
        config = {k: x for k, x in value["config"].items() if k != "dtype"}
        return {**value, "config": config}
    return value


_OF_KERAS_1 = ("ActivityRegularizer", "L1L2Regularizer", "WeightRegularizer")  # in {"name", ...}


def _regularizer(key: str, value: dict[str, Any], origin: Origin) -> dict[str, Any] | None:
    """{"name", "l1", "l2"} of Keras 1, {"class_name", "config"} of Keras 2."""
    if "name" in value and "class_name" not in value:
        if value["name"] not in _OF_KERAS_1:
            tell(
                f"The model was loaded without its {key} {value}, which went away with Keras 2: "
                "predictions are the same, training is not.",
                stacklevel=2,
            )
            return None
        value = {"class_name": "L1L2", "config": {k: value.get(k, 0.0) for k in ("l1", "l2")}}
    if key == "activity_regularizer" and value["class_name"] == "L1L2" and origin.sums_activity:
        origin.note(_SUMMED)
        return {**value, "class_name": "L1L2OfBatch"}
    return value


def _constraint(value: dict[str, Any]) -> dict[str, Any]:
    """{"name", "m"} of Keras 1, {"class_name", "config"} of Keras 2."""
    name = value.get("class_name") or value["name"]
    config = value.get("config", {k: x for k, x in value.items() if k != "name"})
    cls = builtins_named(name).get("constraints")
    if cls is not None:
        config, _ = with_new_names(cls, config)
    return {"class_name": name, "config": config}
