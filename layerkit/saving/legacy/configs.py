"""Configs of Keras 1 and 2 and of tf.keras in the words of today: dicts to dicts, nothing is made.

Where a name means other numbers now, the config names a function or a layer that computes what it
meant when the file was written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...configurable import builtins_named, parameters_of
from ...old_arguments import with_new_names
from ...symbolic import is_operation
from ..refusal import tell
from . import tensorflow_operations


class Origin(NamedTuple):
    """Who wrote a file."""

    keras: tuple[int, ...]  # (2, 2, 4)
    backend: str = ""  # as 'theano'; '' where it is not known
    of_tensorflow: bool = False  # whether it was tf.keras
    data_format: str | None = None  # of layers whose config does not say it
    notes: tuple[list[str], ...] = ()  # a list to which what names mean otherwise is added

    @property
    def is_old(self) -> bool:
        """Whether it was Keras 1 or 2, where some names mean other numbers than in Keras 3."""
        return self.keras < (3,)

    @property
    def all_notes(self) -> tuple[str, ...]:
        return tuple(note for notes in self.notes for note in notes)

    def note(self, text: str) -> None:
        """Add to what `summary` tells of a model from such a file."""
        for notes in self.notes:
            if text not in notes:
                notes.append(text)


def origin_named(version: str, backend: str = "") -> Origin:
    """The origin of a file whose `keras_version` is `version`."""
    number = tuple(int(part) for part in version.split("-")[0].split(".")[:3] if part.isdecimal())
    number = number or (1,)
    of_tensorflow = version.endswith("-tf") or (2, 4) <= number < (3,)
    return Origin(number, backend, of_tensorflow, notes=([],))


def modern_architecture(config: Any) -> Any:
    """What `to_json` of Keras 1 and 2 gave, as today's; that of Keras 3 as it is."""
    if not isinstance(config, dict):
        return config
    if "class_name" not in config and isinstance(config.get("layers"), list):
        config = {**_described_by_name(config), "keras_version": "0"}
    if "module" in config or "class_name" not in config or "config" not in config:
        return config
    origin = origin_named(str(config.get("keras_version", "1")), str(config.get("backend", "")))
    return modern(config, with_data_format(origin, config))


def _described_by_name(config: dict[str, Any]) -> dict[str, Any]:
    """{"name": class, ...} of Keras 0 as {"class_name", "config"}."""
    about = ("name", "custom_name", "cache_enabled", "optimizer", "loss", "sample_weight_mode")
    inner = {key: x for key, x in config.items() if key not in about}
    if isinstance(inner.get("layers"), list):
        inner["layers"] = [_described_by_name(layer) for layer in inner["layers"]]
    if "input_shape" in inner:
        inner["batch_input_shape"] = [None, *inner.pop("input_shape")]
    return {"class_name": config["name"], "config": inner}


_MODELS = ("Sequential", "Functional", "Model", "Graph")
_RENAMED = {
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "CuDNNGRU": "GRU",
    "CuDNNLSTM": "LSTM",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    "SyncBatchNormalization": "BatchNormalization",
    "TimeDistributedDense": "Dense",
}
_MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
    "cos": "Dot",
}
# What says how a layer computed, or what its Input was, and so nothing that its config needs.
_WITHOUT_EFFECT = (
    "batch_input_shape",
    "causal",  # an argument of calls now
    "consume_less",
    "create_input_layer",
    "experimental_autocast",
    "implementation",
    "input_dim",
    "input_dtype",
    "input_length",
    "key_shape",
    "query_shape",
    "ragged",
    "transform_bias",
    "value_shape",
    "weights",
)


def _chain(description: dict[str, Any], origin: Origin) -> list[dict[str, Any]]:
    """The layers that together do what one old layer did; the last one has its name."""
    layer = modern(description, origin)
    config = layer["config"]
    if description["class_name"] == "Merge" and description["config"].get("mode") == "cos":
        name = config["name"]
        expand = {"module": "keras.src.ops.numpy", "class_name": "ExpandDims", "name": name}
        dot = {**layer, "name": f"{name}_dot", "config": {**config, "name": f"{name}_dot"}}
        return [dot, {**expand, "config": {"name": name, "axis": 1}}]
    if origin.backend == "theano" and isinstance(config, dict) and config.get("padding") == "same":
        return _padded_as_theano(layer, origin)
    return [layer]


_PADDINGS = {"Conv1D": "ZeroPadding1D", "Conv2D": "ZeroPadding2D", "Conv3D": "ZeroPadding3D"}


def _padded_as_theano(layer: dict[str, Any], origin: Origin) -> list[dict[str, Any]]:
    """A convolution with padding 'same' as Theano padded: half before it, whatever the stride."""
    config = layer["config"]
    padding = _PADDINGS.get(layer["class_name"])
    sizes = _listed(config.get("kernel_size", 1))
    odd = all(size % 2 for size in sizes) and set(_listed(config.get("strides", 1))) == {1}
    if "Pooling" in layer["class_name"] or "Transpose" in layer["class_name"]:
        origin.note(_POOLED)
        tell(f"Layer '{config['name']}': {_POOLED}", stacklevel=2)
    if padding is None or odd:
        return [layer]
    origin.note(_PADDED)
    holes = _listed(config.get("dilation_rate", 1))
    holes = holes * len(sizes) if len(holes) == 1 else holes
    reach = [(size - 1) * rate + 1 for size, rate in zip(sizes, holes, strict=True)]
    amounts = [[size // 2, (size - 1) // 2] for size in reach]
    before: dict[str, Any] = {"name": f"{config['name']}_padding"}
    before["padding"] = amounts[0] if len(amounts) == 1 else amounts
    if len(amounts) > 1 or config.get("data_format"):
        before["data_format"] = config.get("data_format")
    return [
        {"class_name": padding, "config": before},
        {**layer, "config": {**config, "padding": "valid"}},
    ]


def _listed(value: Any) -> list[int]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def modern(description: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """The description of a layer or a model as today's classes take it.

    ValueError, with the layer's name, for what layerkit cannot compute.
    """
    name, config = description["class_name"], description["config"]
    if name == "Sequential":
        return _sequential(description, origin)
    if name in _MODELS or isinstance(config, dict) and "input_layers" in config:
        return _functional(description, origin)
    if not isinstance(config, dict):
        return description
    kept = {key: x for key, x in description.items() if key != "build_config"}  # calls build it
    return {**kept, **_layer(name, dict(config), origin)}


def with_data_format(origin: Origin, config: Any) -> Origin:
    """`origin` with the order of axes that all layers of a model name, if they name one.

    In Keras 1 the configs of some layers left out theirs.
    """
    named, todo = set(), [config]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            named.add(str(value.get("dim_ordering", "")))
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    formats = {"th": "channels_first", "tf": "channels_last"}
    found = [formats[name] for name in named & formats.keys()]
    return origin._replace(data_format=found[0] if len(found) == 1 else None)


# --- models ------------------------------------------------------------------------------------


def _sequential(description: dict[str, Any], origin: Origin) -> dict[str, Any]:
    config = description["config"]
    if isinstance(config, list):  # before Keras 2.0.7, and in Keras 1
        config = {"layers": config}
    found = config["layers"]
    if found and found[0]["class_name"] == "Merge" and found[0]["config"].get("layers"):
        return _branches(config, origin)
    inputs = [] if not found or found[0]["class_name"] in _INPUTS else _input_of(found[0])
    described = {**config, "layers": inputs + [m for x in found for m in _chain(x, origin)]}
    return {**description, "config": _without_policy(described)}


_INPUTS = ("InputLayer", *_MODELS)


def _input_of(layer: dict[str, Any]) -> list[dict[str, Any]]:
    """The InputLayer that the first layer of an old Sequential stands for."""
    config = layer["config"]
    shape = config.get("batch_input_shape")
    if shape is None and "layer" in config and isinstance(config["layer"], dict):
        shape = config["layer"]["config"].get("batch_input_shape")
    if shape is None:
        return []
    dtype = config.get("input_dtype") or config.get("dtype")
    if layer["class_name"] == "Embedding" or not isinstance(dtype, str):
        dtype = "float32"
    return [{"class_name": "InputLayer", "config": {"batch_shape": shape, "dtype": dtype}}]


def _branches(config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """A Sequential of Keras 1 that begins with a Merge of models: the functional model it is."""
    merge, *rest = config["layers"]
    inner = dict(merge["config"])
    entries: list[dict[str, Any]] = []
    inputs, outputs = [], []
    for number, branch in enumerate(inner.pop("layers")):
        model = modern(branch, origin)
        first = model["config"]["layers"][0]["config"]
        name = f"branch_{number}"
        inputs.append([f"{name}_input", 0, 0])
        outputs.append([name, 0, 0, {}])
        entries.append(_entry("InputLayer", {**first, "name": f"{name}_input"}, []))
        entries.append(_entry(model["class_name"], {**model["config"], "name": name}, inputs[-1:]))
    last = merge["config"]["name"]
    entries += _linked(_chain({**merge, "config": inner}, origin), [outputs])
    for layer in rest:
        entries += _linked(_chain(layer, origin), [[[last, 0, 0, {}]]])
        last = layer["config"]["name"]
    for entry in entries:
        entry["name"] = entry["config"]["name"]
    graph = {"layers": entries, "input_layers": inputs, "output_layers": [[last, 0, 0]]}
    return {"class_name": "Functional", "config": {"name": config.get("name"), **graph}}


def _entry(class_name: str, config: dict[str, Any], tensors: list) -> dict[str, Any]:
    nodes = [[[*tensor, {}] for tensor in tensors]] if tensors else []
    return {"class_name": class_name, "config": config, "inbound_nodes": nodes}


def _functional(description: dict[str, Any], origin: Origin) -> dict[str, Any]:
    config = dict(description["config"])
    entries = [linked for entry in config["layers"] for linked in _entries_of(entry, origin)]
    models = {e["name"]: len(e["inbound_nodes"]) for e in entries if _is_model(e)}
    ends = [config["input_layers"], config["output_layers"]]
    largest = _largest_numbers([ends, [entry["inbound_nodes"] for entry in entries]])
    # Whose calls inside this model are counted from 1.
    late = {name for name, calls in models.items() if largest.get(name, 0) >= calls}
    for entry in entries:
        entry["inbound_nodes"] = _shifted(entry["inbound_nodes"], dict.fromkeys(late, -1))
    graphs = {entry["name"] for entry in entries if entry["class_name"] == "Functional"}
    by = {name: (name in graphs) - (name in late) for name in models}  # as Keras 3 counts in ends
    config["input_layers"], config["output_layers"] = (_shifted(end, by) for end in ends)
    config["layers"] = entries
    name = "Functional" if description["class_name"] in _MODELS else description["class_name"]
    return {**description, "class_name": name, "config": _without_policy(config)}


def _entries_of(entry: dict[str, Any], origin: Origin) -> list[dict[str, Any]]:
    """The layers or the operation that an entry of a graph stands for, with their calls."""
    if entry["class_name"] in tensorflow_operations.CLASSES:
        return [tensorflow_operations.operation_of(entry)]
    if not origin.is_old and _is_operation(entry):
        return [{**entry, "module": "keras.src.ops"}]
    return _linked(_chain(entry, origin), _modern_calls(entry))


def _modern_calls(entry: dict[str, Any]) -> list:
    """The calls of a layer, with what was once said otherwise as its arguments by name."""
    nodes = entry["inbound_nodes"]
    if entry["class_name"] in _RECURRENT:
        nodes = [_with_states(node) for node in nodes]
    if isinstance(entry["config"], dict) and entry["config"].get("causal"):
        nodes = [_with_options(node, {"use_causal_mask": True}) for node in nodes]
    return nodes


_RECURRENT = (
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "CuDNNGRU",
    "CuDNNLSTM",
    "GRU",
    "LSTM",
    "RNN",
    "SimpleRNN",
)


def _with_states(node: Any) -> Any:
    """A call on [sequences, state, ...] as a call with `initial_state`."""
    if not isinstance(node, list) or len(node) < 2 or not all(map(_is_address, node)):
        return node
    return [_with_options(node, {"initial_state": [each[:3] for each in node[1:]]})[0]]


def _with_options(node: Any, options: dict[str, Any]) -> Any:
    if not isinstance(node, list) or not _is_address(node[0]):
        return node
    first = [*node[0][:3], {**(node[0][3] if len(node[0]) > 3 else {}), **options}]
    return [first, *node[1:]]


def _is_operation(entry: dict[str, Any]) -> bool:
    """Whether Keras 3 called an operation there: legacy files do not tell it from a layer.

    Operations take their tensors one by one, where layers that merge take a list.
    """
    name, nodes = entry["class_name"], entry["inbound_nodes"]
    if "module" in entry or _is_model(entry) or not nodes or not isinstance(nodes[0], dict):
        return False
    if "layers" not in builtins_named(name):
        return is_operation(name)
    takes_one = len(nodes[0]["args"]) == 1
    return name in _MERGES.values() and not (takes_one and isinstance(nodes[0]["args"][0], list))


def _linked(chain: list[dict[str, Any]], nodes: list) -> list[dict[str, Any]]:
    """The entries of a graph for layers that are called one after another, from `nodes` on."""
    entries = []
    for description in chain:
        name = description.get("name") or description["config"]["name"]
        entries.append({**description, "name": name, "inbound_nodes": nodes})
        nodes = [[[name, number, 0, {}]] for number in range(len(nodes))]
    return entries


def _is_model(entry: dict[str, Any]) -> bool:
    config = entry["config"]
    return entry["class_name"] in _MODELS or isinstance(config, dict) and "layers" in config


def _is_address(x: Any) -> bool:
    return (
        isinstance(x, list)
        and len(x) in (3, 4)
        and isinstance(x[0], str)
        and all(isinstance(n, int) for n in x[1:3])
    )


def _largest_numbers(x: Any) -> dict[str, int]:
    """The largest number of a call of each layer that is addressed in `x`."""
    largest: dict[str, int] = {}
    todo = [x]
    while todo:
        value = todo.pop()
        if _is_address(value):
            largest[value[0]] = max(value[1], largest.get(value[0], 0))
            value = value[3:]
        if isinstance(value, (dict, list)):
            todo += value.values() if isinstance(value, dict) else value
    return largest


def _shifted(x: Any, by: dict[str, int]) -> Any:
    """`x` with the numbers of calls in its addresses changed by layers' names."""
    if _is_address(x):
        return [x[0], x[1] + by.get(x[0], 0), x[2], *_shifted(x[3:], by)]
    if isinstance(x, dict):
        return {key: _shifted(item, by) for key, item in x.items()}
    return [_shifted(item, by) for item in x] if isinstance(x, list) else x


def _without_policy(config: dict[str, Any]) -> dict[str, Any]:
    """A model's own dtype, which old configs have only where it says nothing, left out."""
    return {key: x for key, x in config.items() if key not in ("dtype", "trainable") or x is False}


# --- layers ------------------------------------------------------------------------------------


def _layer(name: str, config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    if name == "InputLayer":
        return {"class_name": name, "config": _input(config)}
    special = _SPECIAL.get(name)
    if special is not None:
        name, config = special(config)
    name = _RENAMED.get(name, name)
    cls = builtins_named(name).get("layers")
    for key in ("layer", "backward_layer", "cell"):
        if isinstance(config.get(key), dict):
            config[key] = modern(config[key], origin)
    if isinstance(config.get("cells"), list):
        config["cells"] = [modern(cell, origin) for cell in config["cells"]]
    if cls is None:  # the user's own
        kept = {k: x for k, x in config.items() if k not in ("batch_input_shape", "input_dtype")}
        return {"class_name": name, "config": {k: _value(k, x, origin) for k, x in kept.items()}}
    config, _ = with_new_names(cls, config)
    if origin.data_format and name != "Flatten" and "data_format" in parameters_of(cls):
        config.setdefault("data_format", origin.data_format)
    config = {key: _value(key, x, origin) for key, x in config.items()}
    taken = parameters_of(cls)
    left = {
        k: x
        for k, x in config.items()
        if x and k not in (*taken, *_WITHOUT_EFFECT) and not (k == "groups" and x == 1)
    }
    own = {k: x for k, x in config.items() if k in taken and k not in ("input_shape", "weights")}
    return {"class_name": name, "config": _with_old_defaults(name, own | left, origin)}


def _input(config: dict[str, Any]) -> dict[str, Any]:
    """An InputLayer's config, whose shape and dtype have had three names."""
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    dtype = config.get("dtype") or config.get("input_dtype")
    return {"batch_shape": shape, "dtype": dtype, "name": config.get("name")} | {
        key: True for key in ("sparse", "ragged") if config.get(key)
    }


def _merge(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    mode, name = config.get("mode"), config["name"]
    if "function" in config or mode not in _MERGES:
        return "Lambda", {"name": name, "function": config.get("function", _named_function(mode))}
    options: dict[str, Any] = {"name": name}
    if mode == "concat":
        options["axis"] = config["concat_axis"]
    if mode in ("dot", "cos"):
        options |= {"axes": config["dot_axes"], "normalize": mode == "cos"}
    return _MERGES[mode], options


def _named_function(name: Any) -> dict[str, Any]:
    return {"module": "builtins", "class_name": "function", "config": name}


def _lambda(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A Lambda with a function of the user's own, or with one that the file names."""
    kept = {key: x for key, x in config.items() if key in ("name", "trainable", "dtype")}
    function = config.get("function")
    if isinstance(function, str):
        function = _named_function(function)
    if config.get("output_shape_type", "raw") == "raw" and config.get("output_shape"):
        kept["output_shape"] = config["output_shape"]
    return "Lambda", {**kept, "function": function, "arguments": config.get("arguments") or None}


def _deconvolution(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Conv2DTranspose, whose shape of the output follows from its other arguments."""
    return "Conv2DTranspose", {key: x for key, x in config.items() if key != "output_shape"}


def _cudnn_lstm(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "LSTM", {"activation": "tanh", "recurrent_activation": "sigmoid", **config}


def _cudnn_gru(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    activations = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    return "GRU", {**activations, "reset_after": True, **config}


def _thresholded_relu(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    threshold = float(config.pop("theta"))
    return "ReLU", {**config, "threshold": threshold}


_SPECIAL: dict[str, Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "CuDNNGRU": _cudnn_gru,
    "CuDNNLSTM": _cudnn_lstm,
    "Deconvolution2D": _deconvolution,
    "Lambda": _lambda,
    "Merge": _merge,
    "ThresholdedReLU": _thresholded_relu,
}


_OF_ONE_KERNEL = ("init", "kernel_initializer", "kernel_regularizer", "kernel_constraint")


def _with_old_defaults(name: str, config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """A config with what it leaves out, because its Keras had it one way only."""
    if name in ("GRU", "GRUCell") and origin.is_old:
        if not config.get("reset_after"):
            origin.note(_RESET)
        return {"reset_after": False, **config}
    if config.get("go_backwards") and origin.keras < (2,):
        origin.note(_BACKWARDS)
    if name.startswith(("Separable", "Depthwise")):  # which have other kernels
        return {key: x for key, x in config.items() if key not in _OF_ONE_KERNEL}
    if name.startswith("SpatialDropout"):
        return {key: x for key, x in config.items() if key != "noise_shape"}
    if name == "BatchNormalization" and config.pop("mode", 0):
        raise ValueError(
            f"Layer '{config.get('name')}' (BatchNormalization) has a mode other than 0, which "
            "went away with Keras 2. Make the model in code, with a Layer that computes the same "
            "there, and use load_weights(filepath)."
        )
    return {key: x for key, x in config.items() if key != "forget_bias_init"}


# --- values ------------------------------------------------------------------------------------


_HARD_SIGMOID = (
    "hard_sigmoid_keras2 is x / 5 + 1 / 2 between 0 and 1, which Keras 1 and 2 called hard_sigmoid."
)
_RESET = "GRU has reset_after=False, as in the Keras that wrote the file."
_PADDED = "Convolutions with padding 'same' have a ZeroPadding before them: so Theano padded."
_BACKWARDS = (
    "Keras 1 did not turn the mask round where a recurrent layer goes backwards: if there is a "
    "mask, values differ from those of the Keras that wrote the file."
)
_POOLED = (
    "Theano padded pooling layers and transposed convolutions with padding 'same' otherwise: "
    "values differ from those of the Keras that wrote the file."
)


def _value(key: str, value: Any, origin: Origin) -> Any:
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
    if key.endswith("regularizer") and "name" in value:
        return {"class_name": "L1L2", "config": {k: value.get(k, 0.0) for k in ("l1", "l2")}}
    if key.endswith("constraint"):
        return _constraint(value)
    if key.endswith("initializer") and isinstance(value.get("config"), dict):
        config = {k: x for k, x in value["config"].items() if k != "dtype"}
        return {**value, "config": config}
    return value


def _constraint(value: dict[str, Any]) -> dict[str, Any]:
    """{"name", "m"} of Keras 1, {"class_name", "config"} of Keras 2."""
    name = value.get("class_name") or value["name"]
    config = value.get("config", {k: x for k, x in value.items() if k != "name"})
    cls = builtins_named(name).get("constraints")
    if cls is not None:
        config, _ = with_new_names(cls, config)
    return {"class_name": name, "config": config}
