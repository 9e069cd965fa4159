"""Files of Keras on Theano: layers of today that compute what theirs did.

Where it padded, half of the window lies before the first place, whatever the stride is;
TensorFlow, and Keras 3, put the smaller half there, and of a stride only what it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Description = dict[str, Any]  # {"class_name", "config"} of a layer, in today's words
Note = Callable[[str], None]

_PADDED = "Convolutions that padded as Theano did have a ZeroPadding before them."
_POOLED = (
    "TheanoPooling is the pooling with padding 'same' of Theano, whose windows begin further left."
)
_STATES = "TheanoConvLSTM2D pads inputs and states as ConvLSTM2D did on Theano."
_CUT = (
    "Transposed convolutions with padding 'same' are whole ones with a Cropping after them: so "
    "Theano placed them."
)


def layers_for(layer: Description, note: Note) -> list[Description]:
    """The layers that compute one after the other what `layer` computed on Theano.

    The last one has its name. ValueError, with the layer's name, for what they cannot compute.
    """
    name, config = layer["class_name"], layer["config"]
    if not isinstance(config, dict):
        return [layer]
    if name == "TimeDistributed" and isinstance(config.get("layer"), dict):
        return _each_at_every_step(layer, layers_for(config["layer"], note))
    if name == "SReLU":
        return [{**layer, "config": {**config, "bounded": True}}]
    if name == "ConvLSTM2D" and _is_special(config):
        note(_STATES)
        return [{**layer, "class_name": "TheanoConvLSTM2D"}]
    padding = config.get("padding")
    if padding not in ("same", "full"):
        return [layer]
    if name in _POOLINGS:
        return [_pooling(layer, note)]
    if name in _TRANSPOSED:
        return _transposed(layer, note)
    if name in _PADDINGS and (padding == "full" or _is_special(config)):
        return _padded(layer, note)
    return [layer]


def layers_that_depend_on_it(config: Any) -> list[str]:
    """The names of the layers, in today's words, that Theano computed otherwise."""
    if isinstance(config, list):
        return [name for item in config for name in layers_that_depend_on_it(item)]
    if not isinstance(config, dict):
        return []
    inside = config.get("config")
    if "class_name" in config and isinstance(inside, dict) and "layers" not in inside:
        return [str(inside.get("name"))] if _is_computed_otherwise(config) else []
    return [name for item in config.values() for name in layers_that_depend_on_it(item)]


def _is_computed_otherwise(layer: Description) -> bool:
    try:
        return layers_for(layer, lambda note: None) != [layer]
    except ValueError:  # not even computed here
        return True


def _each_at_every_step(wrapper: Description, inner: list[Description]) -> list[Description]:
    *before, last = inner
    wrappers = [
        {
            "class_name": "TimeDistributed",
            "config": {**_named(each["config"], "at_steps"), "layer": each},
        }
        for each in before
    ]
    return [*wrappers, {**wrapper, "config": {**wrapper["config"], "layer": last}}]


def _named(config: dict[str, Any], part: str) -> dict[str, Any]:
    """The name of a layer beside the one of `config`."""
    return {"name": f"{config['name']}_{part}"}


def _listed(value: Any, count: int = 1) -> list[int]:
    """One number for each of `count` axes."""
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return values * count if len(values) == 1 else values


def _windows(config: dict[str, Any]) -> list[int]:
    """The length of a convolution's window along each axis, its holes included."""
    sizes = _listed(config["kernel_size"])
    holes = _listed(config.get("dilation_rate", 1), len(sizes))
    return [(size - 1) * rate + 1 for size, rate in zip(sizes, holes, strict=True)]


def _is_special(config: dict[str, Any]) -> bool:
    """Whether Theano's halves are others than TensorFlow's."""
    odd = all(size % 2 for size in _listed(config["kernel_size"]))
    return not odd or set(_listed(config.get("strides", 1))) != {1}


# --- convolutions --------------------------------------------------------------------------------

_PADDINGS = {
    "Conv1D": "ZeroPadding1D",
    "Conv2D": "ZeroPadding2D",
    "Conv3D": "ZeroPadding3D",
    "DepthwiseConv2D": "ZeroPadding2D",
    "SeparableConv1D": "ZeroPadding1D",
    "SeparableConv2D": "ZeroPadding2D",
}


def _padded(layer: Description, note: Note) -> list[Description]:
    note(_PADDED)
    config = layer["config"]
    windows = _windows(config)
    if config["padding"] == "full":
        amounts = [[size - 1, size - 1] for size in windows]
    elif layer["class_name"].startswith("Separable"):  # of which nothing was cut off afterwards
        amounts = [[size // 2, size // 2] for size in windows]
    else:
        amounts = [[size // 2, (size - 1) // 2] for size in windows]
    before: dict[str, Any] = _named(config, "padding")
    before["padding"] = amounts[0] if len(amounts) == 1 else amounts
    if len(amounts) > 1 or config.get("data_format"):
        before["data_format"] = config.get("data_format")
    return [
        {"class_name": _PADDINGS[layer["class_name"]], "config": before},
        {**layer, "config": {**config, "padding": "valid"}},
    ]


# --- transposed convolutions ---------------------------------------------------------------------

_TRANSPOSED = {"Conv2DTranspose": "Cropping2D", "Conv3DTranspose": "Cropping3D"}


def _transposed(layer: Description, note: Note) -> list[Description]:
    """The whole convolution, where needed with some zeros more, and the part that Theano kept."""
    note(_CUT)
    config = layer["config"]
    name, windows = config["name"], _windows(config)
    if not all(size % 2 for size in windows):
        raise ValueError(
            f"Layer '{name}' ({layer['class_name']}) has padding 'same' and a window of even "
            f"length, {windows}: with Theano, Keras cut its outputs to sizes that it did not say."
        )
    strides = _listed(config.get("strides", 1), len(windows))
    # Further than the whole convolution reaches: negative where it is cut.
    given = config.get("output_padding")
    beyond = (
        [stride - size for stride, size in zip(strides, windows, strict=True)]
        if given is None
        else [
            extra - 2 * (size // 2)
            for extra, size in zip(_listed(given, len(windows)), windows, strict=True)
        ]
    )
    ends = [size // 2 + more for size, more in zip(windows, beyond, strict=True)]
    options = {
        "padding": "valid",
        "output_padding": [max(end, 0) for end in ends],
        **_named(config, "whole"),
    }
    cut = {
        "name": name,
        "cropping": [[size // 2, max(-end, 0)] for size, end in zip(windows, ends, strict=True)],
        "data_format": config.get("data_format"),
    }
    return [
        {"class_name": layer["class_name"], "config": {**config, **options}},
        {**layer, "class_name": _TRANSPOSED[layer["class_name"]], "config": cut},
    ]


# --- pooling -------------------------------------------------------------------------------------

_POOLINGS = {
    f"{kind}Pooling{rank}D": (mode, rank)
    for kind, mode in (("Max", "max"), ("Average", "average"))
    for rank in (1, 2, 3)
}


def _pooling(layer: Description, note: Note) -> Description:
    note(_POOLED)
    mode, rank = _POOLINGS[layer["class_name"]]
    config = {key: x for key, x in layer["config"].items() if key not in ("padding", "strides")}
    config["pool_size"] = _listed(config.get("pool_size", 2), rank)
    strides = layer["config"].get("strides")
    if strides is not None:
        config["strides"] = _listed(strides, rank)
    return {**layer, "class_name": "TheanoPooling", "config": {**config, "mode": mode}}
