"""Legacy HDF5 files: of weights, which every Keras since 2 reads, and whole models.

Architectures are written in the dialect that Keras 3 writes and reads. Optimizer state lies in
`optimizer_weights` in the order of `optimizer.variables_in_files`.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, BinaryIO

import numpy as np

from ..older_versions import for_every_version
from ..refusal import tell
from ..shared_layers import described
from .vocabularies import with_vocabularies
from .weights import in_order_of_keys, own_variables, variables_in_order

_VERSION = "3.0.0"  # the first version of Keras that reads this dialect
# Whose layout kernels have: Keras 2 refuses what it does not know, and turns them on Theano.
_BACKEND = "tensorflow"
_LONGEST = 64_000  # bytes that an attribute may have in HDF5's object header
_LONGER_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}  # of classes, in this dialect
_OF_KERAS_3 = ("module", "registered_name", "build_config", "compile_config")


def write_legacy_model(model: Any, file: BinaryIO, include_optimizer: bool = True) -> None:
    """Write `model` into the empty binary `file`.

    TypeError for a model that has no config; what of the training configuration cannot be
    described is left out with a warning.
    """
    import h5py

    config = json.dumps(_plain(for_every_version(with_vocabularies(described(model), model))))
    training = for_every_version(model.get_compile_config()) if include_optimizer else None
    with h5py.File(file, "w") as root:
        _write_origin(root)
        root.attrs["model_config"] = config
        _write_weights(model, root.create_group("model_weights"))
        if training:
            optimizer = training.pop("optimizer", None)
            training = {**_in_full(training), "optimizer_config": _plain(optimizer)}
            root.attrs["training_config"] = json.dumps(training)
            if model.optimizer is not None:
                _write_optimizer(model.optimizer, root)


def write_legacy_weights(model: Any, file: BinaryIO) -> None:
    """Write the weights of `model`, which has been built, into the empty binary `file`."""
    import h5py

    if [*map(id, in_order_of_keys(model))] != [*map(id, model.layers)]:
        tell(
            "tf.keras reads the layers that a dict holds by the order of its keys, where Keras 3 "
            "and layerkit take them as they were added: for tf.keras add them in the order of "
            "their keys.",
            stacklevel=4,
        )
    with h5py.File(file, "w") as root:
        _write_weights(model, root)


def _plain(config: Any) -> Any:
    """A description of layers without what the legacy dialect lacks; operations keep theirs."""
    if isinstance(config, list):
        return [_plain(item) for item in config]
    if not isinstance(config, dict):
        return config
    if not _is_layer(config):
        return config
    if _loses_axes(config):
        return {key: x for key, x in config.items() if key != "build_config"}
    name = config.get("registered_name") or config["class_name"]
    kept = {key: x for key, x in config.items() if key not in _OF_KERAS_3}
    inner = kept["config"]
    if isinstance(inner, dict):
        inner = {k: _plain(x) if k == "layers" else x for k, x in inner.items()}
        if isinstance(inner.get("axis"), int):
            inner["axis"] = [inner["axis"]]  # the first versions lose those that are no lists
    return {**kept, "class_name": _LONGER_NAMES.get(name, name), "config": inner}


def _loses_axes(config: dict[str, Any]) -> bool:
    """Whether the legacy dialect would lose a layer's axes: Keras keeps only a single one there.

    It reads an entry that says its module as it does in `.keras` files, with all axes.
    """
    inner = config["config"]
    axis = inner.get("axis") if isinstance(inner, dict) else None
    return isinstance(axis, (list, tuple)) and len(axis) != 1


# Short names that Keras 3 does not know in files of this format.
_SHORT = {
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}


def _in_full(value: Any) -> Any:
    """Losses and metrics by their long names."""
    if isinstance(value, dict):
        return {key: _in_full(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_full(item) for item in value]
    return _SHORT.get(value.lower(), value) if isinstance(value, str) else value


def _is_layer(config: dict[str, Any]) -> bool:
    operation = str(config.get("module", "")).startswith("keras.src.ops")
    return "class_name" in config and "config" in config and not operation


def _write_weights(model: Any, group: Any) -> None:
    layers = model.layers
    _write_names(group, "layer_names", [layer.name for layer in layers])
    _write_origin(group)
    for layer in layers:
        variables = [v for _, run in variables_in_order(layer) for v in run]
        _write_variables(group.create_group(layer.name), variables)
    _write_variables(group.create_group("top_level_model_weights"), own_variables(model))


def _write_origin(group: Any) -> None:
    group.attrs["keras_version"] = np.bytes_(_VERSION)  # Keras 2 decodes them
    group.attrs["backend"] = np.bytes_(_BACKEND)


def _write_optimizer(optimizer: Any, root: Any) -> None:
    _write_variables(root.create_group("optimizer_weights"), optimizer.variables_in_files)


def _write_variables(group: Any, variables: list[Any]) -> None:
    names = _unique([variable.path for variable in variables])
    _write_names(group, "weight_names", names)
    for name, variable in zip(names, variables, strict=True):
        group.create_dataset(name, data=np.asarray(variable.numpy()))


def _unique(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        unique.append(f"{name}_{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return unique


def _write_names(group: Any, key: str, names: list[str]) -> None:
    """A list of names as one attribute, or where that is too long as `key`0, `key`1, ..."""
    encoded = np.array([name.encode() for name in names]) if names else np.empty(0)
    if encoded.nbytes <= _LONGEST:
        group.attrs[key] = encoded
        return
    parts = np.array_split(encoded, -(-encoded.nbytes // _LONGEST))
    for number, part in enumerate(parts):
        group.attrs[f"{key}{number}"] = part
