"""python -m layerkit inspect FILE: what a file holds, and whether and how it would load."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..configurable import custom_object_scope
from ..models.summary import print_summary
from ..saving import from_architecture, hdf5, load_model
from ..saving.identify import (
    ARCHITECTURE,
    KERAS,
    LEGACY_MODEL,
    LEGACY_WEIGHTS,
    UNZIPPED,
    YAML,
    identify,
)
from ..saving.keras_file import read_config, read_metadata
from ..saving.legacy import arrays as legacy
from ..saving.legacy.configs import modern_architecture, modern_model
from ..saving.legacy.origin import Origin, origin_named
from ..saving.model_config import entries, unknown_classes
from ..saving.only_here import only_here
from ..saving.stores import open_store
from .architectures import ARCHITECTURES, architecture_in
from .custom import HINT
from .lines import WIDTH, wrapped

_MOST_ROWS = 500  # of a table


class Contents(NamedTuple):
    """What is in a file, read without making anything of it."""

    writer: str = ""
    config: Any = None  # the model's, in today's words
    training: Any = None
    arrays: dict[str, list[tuple[int, ...]]] | None = None  # shapes by their place
    optimizer: list[Any] | None = None  # datasets, empty where the file has no state


def inspect(path: str, custom_objects: dict[str, Any]) -> tuple[str, bool]:
    """The text about a file, and whether it would load."""
    try:
        kind = identify(path)
    except (ValueError, OSError) as error:
        return wrapped(str(error)), False
    lines = [f"{path}: {kind}"]
    try:
        contents = _READERS.get(kind, _of_weights)(path, kind)
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        return "\n".join([*lines, "", *_would_not_load(error, [])]), False
    lines += [wrapped(line) for line in [contents.writer] if line]
    if contents.config is None:
        return "\n".join([*lines, "", *_arrays(contents), "", wrapped(_WEIGHTS_ONLY)]), True
    model, told, failed = _loaded(path, kind, custom_objects)
    if model is None:
        lines += ["", *_layers(contents.config), "", *_arrays(contents)]
    else:
        lines += ["", *_summary(model), *_only_here(model)]
    without = ["It holds no weights and no training configuration."]
    lines += ["", *(without if kind in ARCHITECTURES else _training(contents))]
    lines += [wrapped(f"On loading: {text}", "  ") for text in told]
    if failed is not None:
        with custom_object_scope(custom_objects):
            missing = unknown_classes(contents.config)
        lines += ["", *_would_not_load(failed, missing)]
    else:
        lines += ["", "It loads."]
    return "\n".join(lines), failed is None


_WEIGHTS_ONLY = (
    "It holds weights only: build their model in code and use model.load_weights(filepath)."
)


# --- reading -----------------------------------------------------------------------------------


def _of_keras(path: str, kind: str) -> Contents:
    metadata, config = read_metadata(path), read_config(path)
    origin = origin_named(str(metadata.get("keras_version", "3")))
    training = config.get("compile_config")
    own = metadata.get("layerkit_version")
    version = metadata.get("keras_version", "of unknown version")
    by = f"layerkit {own}, for Keras {version} and later" if own else f"Keras {version}"
    writer = f"Written by {by}, on {metadata.get('date_saved', 'a day that it does not say')}."
    found = _of_weights(path, kind)
    config = _modern(config, origin) if origin.is_old else config
    return found._replace(writer=writer, config=config, training=training)


def _of_weights(path: str, kind: str) -> Contents:
    with open_store(path, kind) as store:
        state = [_value_or_shape(x) for x in store.arrays_at("optimizer").values()]
        return Contents(arrays=store.shapes(), optimizer=state)


def _of_legacy(path: str, kind: str) -> Contents:
    with open(path, "rb") as file, hdf5.open_hdf5(file, path) as root:
        origin = legacy.origin_of(root)
        version = ".".join(map(str, origin.keras)) + ("-tf" if origin.of_tensorflow else "")
        writer = f"Written by Keras {version} on {origin.backend or 'a backend it does not say'}."
        arrays = {layer.name: layer.shapes for layer in legacy.stored_layers(root)}
        if kind == LEGACY_WEIGHTS:
            return Contents(writer, arrays=arrays)
        config = legacy.parsed(root, "model_config", path)
        training = legacy.parsed(root, "training_config", path)
        group = hdf5.find_group(root, "optimizer_weights")
        state = [] if group is None else legacy.stored_in(group, "optimizer").datasets
        return Contents(
            writer,
            _modern(config, origin),
            training,
            arrays,
            [_value_or_shape(dataset) for dataset in state],
        )


def _modern(config: Any, origin: Origin) -> Any:
    """The config in today's words; as it is in the file where it has none: loading says why."""
    try:
        return modern_model(config, origin)
    except Exception:
        return config


def _of_architecture(path: str, kind: str) -> Contents:
    config = architecture_in(path, kind)
    version = config.get("keras_version")
    writer = f"Written by Keras {version}." if version else ""
    return Contents(writer, modern_architecture(config)[0], arrays={}, optimizer=[])


_READERS = {
    KERAS: _of_keras,
    UNZIPPED: _of_keras,
    LEGACY_MODEL: _of_legacy,
    LEGACY_WEIGHTS: _of_legacy,
    ARCHITECTURE: _of_architecture,
    YAML: _of_architecture,
}


def _value_or_shape(dataset: Any) -> Any:
    """The number in a dataset of one; the shape of another."""
    return dataset.shape if dataset.shape else hdf5.read(dataset).item()


def _loaded(
    path: str, kind: str, custom_objects: dict[str, Any]
) -> tuple[Any, list[str], Exception | None]:
    """The model, what was warned of, and the error that it fails with."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model, failed = None, None
        try:
            if kind in ARCHITECTURES:
                model = from_architecture(architecture_in(path, kind), custom_objects)
            else:
                model = load_model(path, custom_objects)
        except Exception as error:  # a class of the user's may raise anything
            failed = error
    return model, list(dict.fromkeys(str(each.message) for each in caught)), failed


# --- telling -----------------------------------------------------------------------------------


def _summary(model: Any) -> list[str]:
    written: list[str] = []
    print_summary(model, line_length=WIDTH - 4, print_fn=written.append, expand_nested=True)
    return [wrapped(line.rstrip(), "   ") for line in "".join(written).rstrip().split("\n")]


def _only_here(model: Any) -> list[str]:
    names = only_here(model)
    told = "Keras 3 does not know, and so reads no file of the model with: {}."
    return [wrapped(told.format(", ".join(names)))] if names else []


def _layers(config: dict[str, Any]) -> list[str]:
    rows = [("layer", "class"), *_described(config, "")]
    return ["By its config, the model has these layers:", *_table(rows)]


def _described(config: Any, indent: str) -> Iterator[tuple[str, str]]:
    """(name, class) of a layer, and of those that it holds as a model."""
    if not isinstance(config, dict):
        return
    inner = config.get("config")
    inner = inner if isinstance(inner, dict) else {}
    name = inner.get("name") or config.get("name") or ""
    yield f"{indent}{name}", str(config.get("registered_name") or config.get("class_name"))
    held = inner.get("layers")
    for layer in held if isinstance(held, list) else ():
        yield from _described(layer, f"{indent}  ")


def _arrays(contents: Contents) -> list[str]:
    arrays = {name: shapes for name, shapes in (contents.arrays or {}).items() if shapes}
    if not arrays:
        return ["It holds no arrays."]
    count = sum(_size(shape) for shapes in arrays.values() for shape in shapes)
    rows = [("place", "shapes of the arrays")]
    rows += [(name or "(the model itself)", _listed(shapes)) for name, shapes in arrays.items()]
    return [f"It holds arrays of {count:,} numbers:", *_table(rows)]


def _size(shape: tuple[int, ...] | None) -> int:
    product = 1
    for length in shape or ():  # None where an array is said to have no numbers
        product *= int(length)
    return product


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(str(tuple(map(int, shape or ()))) for shape in shapes)


def _table(rows: list[tuple[str, str]]) -> list[str]:
    left = min(max(len(row[0]) for row in rows), WIDTH // 2)
    shown = [
        f"  {_end_of(name, left):<{left}}  {_clipped(text, WIDTH - left - 4)}".rstrip()
        for name, text in rows[: _MOST_ROWS + 1]
    ]
    more = len(rows) - len(shown)
    return [*shown, *([f"  and {more} more"] if more else [])]


def _clipped(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _end_of(place: str, length: int) -> str:
    return place if len(place) <= length else f"...{place[3 - length :]}"


def _training(contents: Contents) -> list[str]:
    lines = []
    training = contents.training if isinstance(contents.training, dict) else {}
    optimizer = training.get("optimizer_config") or training.get("optimizer")
    if not training:
        lines.append("It was not compiled: there is no training configuration.")
    if isinstance(optimizer, dict):
        inner = optimizer.get("config")
        inner = inner if isinstance(inner, dict) else {}
        rate = inner.get("learning_rate", inner.get("lr"))
        rate = f"{rate:.6g}" if isinstance(rate, (int, float)) else "by a schedule"
        name = str(optimizer.get("class_name")).removeprefix("Custom>")
        lines.append(f"Optimizer: {name}, learning rate {rate}.")
    elif optimizer:
        lines.append(f"Optimizer: {optimizer}.")
    if training or contents.optimizer:
        lines.append(_state(contents.optimizer or []))
    for key in ("loss", "loss_weights", "metrics", "weighted_metrics"):
        if training.get(key):
            name = key.replace("_", " ").capitalize()
            lines.append(f"{name}: {_short(training[key])}")
    return [wrapped(line, "  ") for line in lines]


def _state(state: list[Any]) -> str:
    if not state:
        return "The optimizer's state is not in the file."
    steps = state[0] if isinstance(state[0], (int, float)) else None
    after = "" if steps is None else f", after {int(steps):,} steps"
    return f"The optimizer's state is there: {len(state)} arrays{after}."


def _short(value: Any) -> str:
    """A loss or metrics in few words: names in the place of descriptions."""
    if isinstance(value, dict) and "class_name" in value:
        inner = value.get("config")
        named = inner.get("name") if isinstance(inner, dict) else inner
        if named and value["class_name"] in _WRAPPERS:
            return str(named)
        return f"{value['class_name']} {named}" if named else str(value["class_name"])
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_short(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    return str(value)


_WRAPPERS = ("MeanMetricWrapper", "LossFunctionWrapper", "function")


def _would_not_load(error: Exception, missing: list[str]) -> list[str]:
    lines = [wrapped(f"It would not load: {error}")]
    if not all(name in str(error) for name in missing):
        lines.append(wrapped(f"Its own classes: {', '.join(missing)}. Give {entries(missing)}."))
    if "custom_objects=" in " ".join([str(error), *lines]):
        lines.append(wrapped(HINT))
    return lines
