"""The training configuration of old files in the words of today: optimizer, losses, metrics."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from layerkit.backend import tree

from ...configurable import builtins_named
from ...constructors import parameters_of
from ...layers import Embedding
from ...old_arguments import with_new_names
from ...optimizers.retired import AdagradKeras2, RMSpropKeras2
from ..refusal import expecting_a_config, tell
from .configs import modern_model
from .names import without_slash
from .origin import Origin

_CASES = {"rmsprop": "RMSprop", "sgd": "SGD", "adamw": "AdamW"}
_NOT_NEEDED = ("is_legacy_optimizer", "jit_compile", "schedule_decay", "initial_decay")
_LARGE = 1e-7  # the usual one; below, sqrt(x) + epsilon and sqrt(x + epsilon**2) are the same
_BESIDE_ROOT = {"Adagrad": AdagradKeras2, "RMSprop": RMSpropKeras2}
_BESIDE = (
    "{name}Keras2 is {name} that adds its epsilon to the root of the mean square, not under it, "
    "as the Keras that wrote the file. Files that are written call it {name}, and there epsilon is "
    "squared, and under the root."
)
_EPSILON = (
    "The epsilon of {name} is the square of that in the file: the Keras that wrote it added its "
    "own to the root of the mean square, not under it."
)
_MOMENTA = "The momenta of Nadam grow as slowly as in the Keras that wrote the file."


def note_rows_that_stayed(model: Any, origin: Origin) -> None:
    """Note where tf.keras moved only rows of an Embedding, or clipped their gradients in parts."""
    optimizer = getattr(model, "optimizer", None)
    settings = [getattr(optimizer, name, None) for name in ("momentum", "clipnorm", "clipvalue")]
    by_rows = type(optimizer).__name__ in _BY_ROWS or any(settings)
    if not any(isinstance(layer, Embedding) for layer in model._flatten_layers()):
        return
    if by_rows and origin.of_tensorflow and origin.keras < (2, 11):
        origin.note(_ROWS)
    on_tensorflow = origin.is_old and not origin.of_tensorflow and origin.backend == "tensorflow"
    if on_tensorflow and settings[-1]:
        origin.note(_CLIPPED_PLACES)


_CLIPPED_PLACES = (
    "clipvalue limits the gradient of each row of an Embedding. On TensorFlow, Keras 1 and 2 "
    "limited the gradient of each place in the batch that had the row's id."
)
_BY_ROWS = ("Adadelta", "Adamax", "Nadam")
_ROWS = (
    "The optimizer moves all rows of an Embedding at each step, and clips a row's gradient as one. "
    "In the Keras that wrote the file those rows stayed whose ids a batch did not have, unless "
    "its optimizer was Adam, and the gradient of each place in the batch was clipped by itself."
)


def modern_description(config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """A model's config of tf.keras's `.keras` files, its training configuration included."""
    training = config.get("compile_config")
    config = modern_model(config, origin)
    if isinstance(training, dict):
        config = {**config, "compile_config": _or_none(_of_tf_keras, training, origin)}
    return config


def modern_training(
    config: Any, origin: Origin, outputs: Sequence[str] = ()
) -> dict[str, Any] | None:
    """A training configuration of any age as `compile_as_saved` takes it.

    outputs: the names of the model's. None, with a warning, where it is none of any Keras's.
    """
    return _or_none(_of_keras_1_or_2, config, origin, outputs)


def _or_none(convert: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any] | None:
    """What `convert` gives; None, with a warning, where it fails: a model is worth more."""
    try:
        with expecting_a_config():
            return convert(*arguments)
    except (TypeError, ValueError) as error:
        tell(
            f"The model was loaded without its training configuration: {error}. Call "
            "model.compile(...) to train or evaluate it.",
            stacklevel=5,
        )
        return None


def _of_tf_keras(training: dict[str, Any], origin: Origin) -> dict[str, Any]:
    optimizer = training.get("optimizer")
    if isinstance(optimizer, dict) and "class_name" in optimizer:
        training = {**training, "optimizer": modern_optimizer(optimizer, origin)}
    return _modern_parts(training, origin)


def _of_keras_1_or_2(
    config: dict[str, Any], origin: Origin, outputs: Sequence[str]
) -> dict[str, Any]:
    config = dict(config)
    optimizer = config.pop("optimizer_config", None)
    if isinstance(optimizer, dict):
        config["optimizer"] = modern_optimizer(optimizer, origin)
    modes = tree.flatten(config.get("sample_weight_mode"))
    if all(mode in (None, "temporal") for mode in modes):  # the weights' shape says it now
        config.pop("sample_weight_mode", None)
    parts = _modern_parts(config, origin)
    if len(set(outputs)) < len(outputs):
        named = _told_apart(outputs) if origin.of_tensorflow else outputs
        for key in ("loss", "loss_weights"):
            parts[key] = _in_order(parts.get(key), named)
        for key in _METRICS:
            parts[key] = _in_order(parts.get(key), named, in_lists=True)
    for key in _METRICS:
        parts[key] = _for_each(parts.get(key), len(outputs)) if origin.is_old else parts.get(key)
    return parts


def _told_apart(outputs: Sequence[str]) -> list[str]:
    """Names of outputs as tf.keras told them apart where one layer gives several."""
    names: list[str] = []
    for name in outputs:
        numbered = (f"{name}_{number}" for number in count(1))
        names.append(name if name not in names else next(n for n in numbered if n not in names))
    return names


def _in_order(value: Any, outputs: Sequence[str], in_lists: bool = False) -> Any:
    """What a dict says of outputs by their names as a list: one name may be that of several."""
    if not isinstance(value, dict) or "class_name" in value:
        return value
    found = [value.get(name) for name in outputs]
    if not in_lists:
        return found
    return [[] if x is None else x if isinstance(x, list) else [x] for x in found]


def _for_each(metrics: Any, outputs: int) -> Any:
    """Metrics in one list were those of every output."""
    if not isinstance(metrics, list) or outputs < 2 or any(isinstance(m, list) for m in metrics):
        return metrics
    return [metrics] * outputs


def _modern_parts(config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """A training configuration with losses and metrics in today's words."""
    modern_parts = dict(config)
    for key, family in _FAMILIES.items():
        if key in config:
            names = _names(family, origin) if origin.is_old else {}
            modern_parts[key] = _of_family(config[key], family, names)
    for key in (*_FAMILIES, "loss_weights"):
        value = modern_parts.get(key)
        if isinstance(value, dict) and "class_name" not in value:  # by the outputs' names
            modern_parts[key] = {without_slash(name): x for name, x in value.items()}
    loss, weights = modern_parts.get("loss"), modern_parts.get("loss_weights")
    if isinstance(loss, dict) and "class_name" not in loss and isinstance(weights, dict):
        modern_parts["loss_weights"] = {**dict.fromkeys(loss, 1.0), **weights}
    return modern_parts


def _names(family: str, origin: Origin) -> dict[str, Any]:
    """What old names of losses, and of metrics, mean, where it is not what they mean now."""
    cosine = "cosine_proximity_keras1" if origin.keras < (2,) else "cosine_similarity"
    names: dict[str, Any] = {
        "KLD": "kl_divergence",
        "cosine": cosine,
        "cosine_proximity": cosine,
        "kld": "kl_divergence",
        "kullback_leibler_divergence": "kl_divergence",
        "logcosh": "log_cosh",
    }
    if not origin.of_tensorflow and origin.keras < (2, 3):
        names |= {name: f"{name}_keras2" for name in ("hinge", "squared_hinge")}
    if family == "metrics":  # whose names do not include those of retired losses
        named = {old: _function(new) if "_keras" in new else new for old, new in names.items()}
        return named | {"log_cosh": _LOG_COSH, "logcosh": _LOG_COSH}  # whose function has no name
    return names


def _function(name: str) -> dict[str, str]:
    return {"module": "keras.losses", "class_name": "function", "config": name}


_LOG_COSH = {"module": "keras.metrics", "class_name": "LogCoshError", "config": {}}
_METRICS = ("metrics", "weighted_metrics")
_FAMILIES = {"loss": "losses", "metrics": "metrics", "weighted_metrics": "metrics"}


def _of_family(value: Any, family: str, names: dict[str, Any]) -> Any:
    """Losses or metrics as they were given, with the module that old files leave out."""
    if isinstance(value, list):
        return [_of_family(item, family, names) for item in value]
    if isinstance(value, str):
        return names.get(value, value)
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {key: _of_family(item, family, names) for key, item in value.items()}
    config = value.get("config")
    if not isinstance(config, dict):
        return value
    function = config.get("fn")
    if value["class_name"] in _WRAPPERS and isinstance(function, str):
        return names.get(function, function)
    config = {k: x for k, x in config.items() if k != "fn" and (k, x) != ("reduction", "auto")}
    return {"module": f"keras.{family}", **value, "config": config}


# What tf.keras made of a function's name.
_WRAPPERS = ("MeanMetricWrapper", "LossFunctionWrapper", "SumOverBatchSizeMetricWrapper")


def modern_optimizer(description: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """{"class_name", "config"} of an optimizer of any age as today's classes take it."""
    name = str(description["class_name"]).removeprefix("Custom>")
    if name in _SCALING:
        return _scaling(description["config"], origin)
    name = _CASES.get(name.lower(), name[:1].upper() + name[1:])
    cls = builtins_named(name).get("optimizers")
    if cls is None or not isinstance(description["config"], dict):
        return description
    config, _ = with_new_names(cls, description["config"])
    if origin.is_old and config.get("is_legacy_optimizer", True):
        name, config = _of_keras_2(name, config, origin)
    config = {key: x for key, x in config.items() if key not in _NOT_NEEDED}
    decay = config.pop("decay", None) if name != "Nadam" else None
    if config.get("epsilon", 0) is None:
        del config["epsilon"]
    if config.get("clipnorm") and origin.is_old and not origin.of_tensorflow:  # of all gradients
        config["global_clipnorm"] = config.pop("clipnorm")
    if decay and isinstance(config.get("learning_rate"), dict):
        raise ValueError(
            f"{name} has decay={decay} and a learning rate schedule, which its Keras divided by "
            "1 + decay * step. Compile the model with a schedule of your own that does, a subclass "
            "of layerkit.optimizers.schedules.LearningRateSchedule"
        )
    if decay:
        config["learning_rate"] = _decaying(cls, config, decay)
    if "clipnorm" in config or "clipvalue" in config:
        config = _without_zero_clipping(config)
    taken = parameters_of(cls)
    kept = {k: x for k, x in config.items() if k in taken or k == "decay" or x}
    return {"class_name": name, "config": kept}


_SCALING = ("LossScaleOptimizer", "LossScaleOptimizerV1", "LossScaleOptimizerV3")


def _scaling(config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """A LossScaleOptimizer, or where its scale is fixed, the optimizer inside with that scale."""
    config = dict(config)
    inner = modern_optimizer(config.pop("inner_optimizer", config.pop("optimizer", None)), origin)
    old = config.pop("loss_scale", {}).get("config", {})  # before TensorFlow 2.4
    named = {"initial_loss_scale": "initial_scale", "increment_period": "dynamic_growth_steps"}
    config |= {named[key]: x for key, x in old.items() if key in named}
    fixed = old.get("loss_scale_value")
    if config.get("dynamic") is False:
        fixed = config["initial_scale"]
    if fixed is not None:
        return {**inner, "config": {**inner["config"], "loss_scale_factor": fixed}}
    config = {key: x for key, x in config.items() if x is not None}
    return {"class_name": "LossScaleOptimizer", "config": {**config, "inner_optimizer": inner}}


def _of_keras_2(name: str, config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
    """The class and the config of an optimizer of Keras 1 or 2 that updates as it did there."""
    if name == "Nadam":
        origin.note(_MOMENTA)
        return name, {**config, "decay": config.get("schedule_decay", config.get("decay"))}
    if name == "Adagrad" and "initial_accumulator_value" not in config:
        config = {**config, "initial_accumulator_value": 0.0}
    if name == "Adagrad" or name == "RMSprop" and not config.get("momentum"):
        return _with_epsilon_beside(name, config, origin)
    return name, config


def _with_epsilon_beside(
    name: str, config: dict[str, Any], origin: Origin
) -> tuple[str, dict[str, Any]]:
    """An optimizer whose epsilon was added to the root: where it is large, it still is."""
    epsilon = config.get("epsilon")
    if epsilon is not None and epsilon > _LARGE:
        origin.note(_BESIDE.format(name=name))
        return _BESIDE_ROOT[name].__name__, config
    origin.note(_EPSILON.format(name=name))
    return name, {**config, "epsilon": (_LARGE if epsilon is None else epsilon) ** 2}


def _decaying(cls: Any, config: dict[str, Any], decay: float) -> dict[str, Any]:
    default = inspect.signature(cls).parameters["learning_rate"].default
    inner = {
        "initial_learning_rate": config.get("learning_rate", default),
        "decay_steps": 1,
        "decay_rate": decay,
    }
    return {"class_name": "InverseTimeDecay", "config": inner}


def _without_zero_clipping(config: dict[str, Any]) -> dict[str, Any]:
    """Keras 1 and 2 meant "no clipping" by 0."""
    clips = ("clipnorm", "clipvalue", "global_clipnorm")
    return {key: x for key, x in config.items() if key not in clips or x}
