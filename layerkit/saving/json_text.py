"""The JSON text that a user gives for an architecture, and what else people give."""

from __future__ import annotations

import os
from typing import Any

_LONGEST_NAME = 1000  # characters of a path


def text_of(json_string: Any) -> str | bytes:
    """`json_string`, a text or its bytes, where it begins as JSON does.

    TypeError for anything but texts, ValueError for the name of a file, YAML and other texts.
    """
    if isinstance(json_string, (bytearray, memoryview)):
        json_string = bytes(json_string)
    if not isinstance(json_string, (str, bytes)):
        raise TypeError(
            "model_from_json expects the text that model.to_json() gave. Received: "
            f"{type(json_string).__name__}. {_remedy(json_string)}"
        )
    plain = (
        json_string.decode("utf-8", "replace") if isinstance(json_string, bytes) else json_string
    )
    start = plain.removeprefix("\ufeff").lstrip()[:1]
    if start not in ("{", "["):
        raise ValueError(
            "model_from_json expects the text that model.to_json() gave, which begins with '{'. "
            f"Received: {_described(plain)}"
        )
    return json_string.removeprefix("\ufeff") if isinstance(json_string, str) else json_string


def _remedy(value: Any) -> str:
    if isinstance(value, os.PathLike):
        return "It is a path: give the text of the file, path.read_text()."
    if hasattr(value, "read"):
        return "It is an open file: give its text, file.read()."
    if isinstance(value, (dict, list)):
        return (
            "A config as model.get_config() gives it is for from_config of the model's class, as "
            "in Sequential.from_config(config)."
        )
    return "Give the text."


def _described(text: str) -> str:
    """What a text that is no JSON is, and what to do."""
    if not text.strip():
        return "an empty text. The file may not have been written whole: save the model again."
    if len(text) <= _LONGEST_NAME and "\n" not in text.strip():
        if text.endswith((".h5", ".hdf5", ".keras")):
            return f"'{text}', the name of a file. A whole model is loaded with load_model(path)."
        if text.endswith((".json", ".txt")) or os.path.isfile(text):
            return f"'{text}', the name of a file. Read it first: Path('{text}').read_text()."
    if text.startswith(("class_name:", "backend:", "config:")):
        return "a text in YAML. Use keras.models.model_from_yaml(text) in a Keras script."
    return f"{text[:40]!r}."


def check_whole(config: Any) -> None:
    """ValueError for the config of a model without the name of its class."""
    if isinstance(config, dict) and "class_name" not in config and "layers" in config:
        described = isinstance(config["layers"], list) and all(
            isinstance(layer, dict) and "class_name" in layer for layer in config["layers"]
        )
        if described:
            raise ValueError(
                "model_from_json expects a dict with 'class_name' and 'config', as model.to_json() "
                "gives it. Received: the config alone, as model.get_config() gives it. Use "
                "from_config of the model's class, as in Sequential.from_config(json.loads(text))."
            )
