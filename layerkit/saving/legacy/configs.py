"""Configs of Keras 1 and 2 and of tf.keras in the words of today: dicts to dicts, nothing is made.

Where a name means other numbers now, the config names a function or a layer that computes what it
meant when the file was written.
"""

from __future__ import annotations

from typing import Any

from ...configurable import builtins_named, get_registered_object
from ...constructors import first_of_ours, parameters_of
from ...layers import GRU, GRUCell, Layer
from ...old_arguments import with_new_names
from ...symbolic import is_operation
from ..refusal import expecting_a_config, tell
from . import keras0, tensorflow_operations, theano
from .attention_masks import note_masked_rows, with_copies_before
from .masks import Masks
from .names import addressed, is_address, without_slashes
from .old_layers import MERGES, renamed
from .origin import Origin, origin_named, with_context
from .tensorflow_shapes import without_shapes
from .values import modern_value


def modern_architecture(config: Any) -> tuple[Any, tuple[str, ...] | None]:
    """What `to_json` of Keras 1 and 2 gave, as today's, and notes on it; Keras 3's as it is."""
    if not isinstance(config, dict):
        return config, None
    if keras0.is_of_keras_0(config):
        config = keras0.as_keras_1(config)
    if "module" in config or "class_name" not in config or "config" not in config:
        return config, None
    origin = origin_named(str(config.get("keras_version", "1")), str(config.get("backend", "")))
    model = modern_model(config, origin)
    if origin.keras < (2,) and not with_context(origin, config).backend:
        _tell_what_depends_on_theano(model)
    return model, origin.all_notes


def _tell_what_depends_on_theano(config: Any) -> None:
    names = theano.layers_that_depend_on_it(config)
    if names:
        tell(
            "The architecture does not say whether its Keras ran on TensorFlow or on Theano, where "
            f"layers {names} computed something else: they are made as TensorFlow's. If it was "
            'Theano, add "backend": "theano" to the JSON, beside "keras_version".',
            stacklevel=3,
        )


def modern_model(config: Any, origin: Origin) -> Any:
    """The description of a whole model as today's classes take it; ValueError as of `modern`."""
    with expecting_a_config():
        origin = with_context(origin, config)
        return modern(without_slashes(config), origin)


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
    "GroupedQueryAttention": "GroupQueryAttention",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    "SyncBatchNormalization": "BatchNormalization",
    "TimeDistributedDense": "Dense",
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
    if description["class_name"] == "SeparableConv1D" and config.get("padding") == "causal":
        return _padded_before(layer)
    return theano.layers_for(layer, origin.note) if origin.backend == "theano" else [layer]


def _padded_before(layer: dict[str, Any]) -> list[dict[str, Any]]:
    """A SeparableConv1D of tf.keras with padding 'causal', which it has no more."""
    config = layer["config"]
    window, dilation = (
        x[0] if isinstance(x, (list, tuple)) else x
        for x in (config["kernel_size"], config.get("dilation_rate", 1))
    )
    before = {"name": f"{config['name']}_padding", "padding": [(window - 1) * dilation, 0]}
    before["data_format"] = config.get("data_format")
    padding = {"class_name": "ZeroPadding1D", "config": before}
    return [padding, {**layer, "config": {**config, "padding": "valid"}}]


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


# --- models ------------------------------------------------------------------------------------


def _sequential(description: dict[str, Any], origin: Origin) -> dict[str, Any]:
    config = description["config"]
    if isinstance(config, list):  # before Keras 2.0.7, and in Keras 1
        config = {"layers": config}
    found = _checked(config["layers"])
    if found and found[0]["class_name"] == "Merge" and found[0]["config"].get("layers"):
        return _branches(config, origin)
    inputs = [] if not found or found[0]["class_name"] in _INPUTS else _input_of(found[0])
    origin = origin._replace(is_inner=True)
    described = {**config, "layers": inputs + [m for x in found for m in _chain(x, origin)]}
    return {**description, "config": _without_policy(described)}


def _checked(entries: Any) -> list[dict[str, Any]]:
    """The layers of a model, each a dict that says its class. ValueError for anything else."""
    if not isinstance(entries, list):
        raise ValueError(f"Expected the layers of a model to be a list. Received: {entries!r:.80}")
    for number, entry in enumerate(entries):
        described = isinstance(entry, dict) and isinstance(entry.get("class_name"), str)
        if not described or "config" not in entry:
            raise ValueError(
                f"Expected layer {number} of a model to be a dict with the name of its class as "
                f"'class_name', and 'config'. Received: {entry!r:.80}"
            )
    return entries


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
    _checked(config["layers"])
    if origin.keras < (2,):
        config["input_layers"] = [_source(x, config["layers"]) for x in config["input_layers"]]
    entries = without_shapes(config["layers"], config["output_layers"])
    if origin.is_old and origin.has_masks:
        entries = with_copies_before(entries, origin)
        origin = origin._replace(masks=Masks(entries, origin.is_inner))
    origin = origin._replace(is_inner=True)
    entries = [linked for entry in entries for linked in _entries_of(entry, origin)]
    models = {e["name"]: len(e["inbound_nodes"]) for e in entries if _is_model(e)}
    ends = [config["input_layers"], config["output_layers"]]
    largest = addressed([ends, [entry["inbound_nodes"] for entry in entries]])
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


def _source(address: list[Any], entries: list[dict[str, Any]]) -> list[Any]:
    """The address of an Input, by which Keras 1 called it before a layer handed it on.

    There, a layer that returned its input itself became the one that the tensor came from.
    """
    calls = {entry["name"]: entry["inbound_nodes"] for entry in entries}
    for _ in entries:
        nodes = calls.get(address[0])
        if not nodes:
            break
        address = nodes[address[1]][0]
    return address[:3]


def _entries_of(entry: dict[str, Any], origin: Origin) -> list[dict[str, Any]]:
    """The layers or the operation that an entry of a graph stands for, with their calls."""
    if entry["class_name"] in tensorflow_operations.CLASSES:
        return tensorflow_operations.entries_of(entry)
    if not origin.is_old and _is_operation(entry):
        return [{**entry, "module": "keras.src.ops"}]
    chain = _chain(entry, origin)
    if origin.is_old:
        note_masked_rows(entry, origin)
    if _is_masked_beside_states(entry, origin):
        origin.note(_MASKED_STATES)
        chain[-1] = _wrapped("MaskedWithStates", chain[-1])
    return _linked(chain, _modern_calls(entry))


def _wrapped(name: str, layer: dict[str, Any]) -> dict[str, Any]:
    """A layer in a wrapper that has its name."""
    return {"class_name": name, "config": {"name": layer["config"]["name"], "layer": layer}}


def _is_masked_beside_states(entry: dict[str, Any], origin: Origin) -> bool:
    """Whether a recurrent layer is called on sequences that have a mask and on states too."""
    if origin.masks is None or entry["class_name"] not in _RECURRENT:
        return False
    calls = [node for node in entry["inbound_nodes"] if isinstance(node, list) and node]
    called = [node for node in calls if is_address(node[0]) and _takes_states(node)]
    return any(origin.masks.of(node[0]) for node in called)


def _takes_states(node: list) -> bool:
    return len(node) > 1 or bool(len(node[0]) > 3 and node[0][3].get("initial_state"))


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
    if not isinstance(node, list) or len(node) < 2 or not all(map(is_address, node)):
        return node
    return [_with_options(node, {"initial_state": [each[:3] for each in node[1:]]})[0]]


def _with_options(node: Any, options: dict[str, Any]) -> Any:
    if not isinstance(node, list) or not is_address(node[0]):
        return node
    first = [*node[0][:3], {**(node[0][3] if len(node[0]) > 3 else {}), **options}]
    return [first, *node[1:]]


_MERGING = (*MERGES.values(), "Minimum", "Subtract")


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
    return name in _MERGING and not (takes_one and isinstance(nodes[0]["args"][0], list))


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


def _shifted(x: Any, by: dict[str, int]) -> Any:
    """`x` with the numbers of calls in its addresses changed by layers' names."""
    if is_address(x):
        return [x[0], x[1] + by.get(x[0], 0), x[2], *_shifted(x[3:], by)]
    if isinstance(x, dict):
        return {key: _shifted(item, by) for key, item in x.items()}
    return [_shifted(item, by) for item in x] if isinstance(x, list) else x


def _without_policy(config: dict[str, Any]) -> dict[str, Any]:
    """A model's own dtype, which old configs have only where it says nothing, left out."""
    return {key: x for key, x in config.items() if key not in ("dtype", "trainable") or x is False}


# --- layers ------------------------------------------------------------------------------------


_CELLS = ("GRUCell", "LSTMCell", "SimpleRNNCell")


def _layer(name: str, config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    if name == "InputLayer":
        return {"class_name": name, "config": _input(config)}
    name, config = renamed(name, config, origin)
    if config.get("time_major") is True:
        return _with_time_first(name, config, origin)
    name = _RENAMED.get(name, name)
    cls = builtins_named(name).get("layers")
    if name in _CELLS and "units" not in config:
        raise ValueError(
            f"Layer '{config.get('name')}' ({name}) has no `units` in its config, nor activations: "
            "Keras 2.0 left out what cells were. Make the model in code, with its cells as they "
            "were, and use model.load_weights(filepath) with this file."
        )
    for key in ("layer", "backward_layer", "cell"):
        if isinstance(config.get(key), dict):
            config[key] = modern(config[key], origin)
    if isinstance(config.get("cells"), list):
        config["cells"] = [modern(cell, origin) for cell in config["cells"]]
    if cls is None:
        return {"class_name": name, "config": _of_users(name, config, origin)}
    config, _ = with_new_names(cls, config)
    if origin.data_format and name.endswith(("2D", "3D")) and "data_format" in parameters_of(cls):
        config.setdefault("data_format", origin.data_format)
    config = {key: modern_value(key, x, origin) for key, x in config.items()}
    if origin.keras < (2,):
        config |= _turned_constraint(name, config)
    taken = parameters_of(cls)
    left = {
        k: x
        for k, x in config.items()
        if x and k not in (*taken, *_WITHOUT_EFFECT) and not (k == "groups" and x == 1)
    }
    own = {k: x for k, x in config.items() if k in taken and k not in ("input_shape", "weights")}
    config = _with_old_defaults(name, own | left, origin)
    return {"class_name": _as_it_computed(name, config, origin), "config": config}


def _of_users(name: str, config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """The config of a user's class: in the words of today where it inherits from a layer here."""
    left_out: tuple[str, ...] = ("batch_input_shape", "input_dtype")
    cls = get_registered_object(name)
    base = first_of_ours(cls) if isinstance(cls, type) else Layer
    if base not in (Layer, object):
        taken = parameters_of(cls)
        config, _ = with_new_names(cls, config)
        without_effect = (*_WITHOUT_EFFECT, "forget_bias_init")
        left_out += tuple(key for key in without_effect if key not in taken)
        if origin.is_old and issubclass(base, (GRU, GRUCell)) and "reset_after" in taken:
            config = _with_old_defaults("GRU", config, origin)
        if origin.data_format and "data_format" in taken and base.__name__.endswith(("2D", "3D")):
            config.setdefault("data_format", origin.data_format)
    return {k: modern_value(k, x, origin) for k, x in config.items() if k not in left_out}


def _as_it_computed(name: str, config: dict[str, Any], origin: Origin) -> str:
    """The class that computes what `name` meant to who wrote the file."""
    old = origin.is_old and origin.backend in _CORNERED and not origin.of_tensorflow
    if name == "UpSampling2D" and config.get("interpolation") == "bilinear" and old:
        origin.note(_CORNERS)
        return "UpSampling2DKeras2"
    return name


def _with_time_first(name: str, config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """A recurrent layer in one that exchanges the first two axes, and exchanges them again."""
    if config.get("return_state") or config.get("stateful"):
        raise ValueError(
            f"Layer '{config.get('name')}' ({name}) has time_major=True and states that are kept "
            "or returned; layerkit's recurrent layers take (batch, time, features). Make the model "
            "in code, with ops.transpose before and after it, and use load_weights(filepath)."
        )
    layer = {"class_name": name, **_layer(name, {**config, "time_major": False}, origin)}
    origin.note("TimeFirst exchanges time and batch around a layer that had time_major=True.")
    return _wrapped("TimeFirst", layer)


TURNED_KERNELS = {  # of Keras 1 with 'th': axes of today's kernel
    "Conv2D": (2, 3, 1, 0),
    "Conv2DTranspose": (2, 3, 0, 1),
    "Conv3D": (2, 3, 4, 1, 0),
}


def _turned_constraint(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The constraint of a kernel that is turned, along the axis that was meant."""
    axes, constraint = TURNED_KERNELS.get(name), config.get("kernel_constraint")
    if axes is None or config.get("data_format") != "channels_first":
        return {}
    if not isinstance(constraint, dict):
        return {}
    inner = constraint["config"]
    if inner.get("axis") not in axes:
        return {}
    turned = {**constraint, "config": {**inner, "axis": axes.index(inner["axis"])}}
    return {"kernel_constraint": turned}


def _input(config: dict[str, Any]) -> dict[str, Any]:
    """An InputLayer's config, whose shape and dtype have had three names."""
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    dtype = config.get("dtype") or config.get("input_dtype")
    return {"batch_shape": shape, "dtype": dtype, "name": config.get("name")} | {
        key: True for key in ("sparse", "ragged") if config.get(key)
    }


_OF_ONE_KERNEL = ("init", "kernel_initializer", "kernel_regularizer", "kernel_constraint")


def _with_old_defaults(name: str, config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """A config with what it leaves out, because its Keras had it one way only."""
    if name in ("GRU", "GRUCell") and origin.is_old:
        if not config.get("reset_after"):
            origin.note(_RESET)
        return {"reset_after": False, **config}
    if name.startswith(("Separable", "Depthwise")):  # which have other kernels
        return {key: x for key, x in config.items() if key not in _OF_ONE_KERNEL}
    if name.startswith("SpatialDropout"):
        return {key: x for key, x in config.items() if key != "noise_shape"}
    return {key: x for key, x in config.items() if key != "forget_bias_init"}


_MASKED_STATES = (
    "MaskedWithStates is a recurrent layer that is masked, as in Keras 1 and 2, where it is given "
    "states; Keras 3 leaves the mask out."
)
_RESET = "GRU has reset_after=False, as in the Keras that wrote the file."
_CORNERED = ("tensorflow", "theano")
_CORNERS = (
    "UpSampling2DKeras2 interpolates between the corners of pixels, as UpSampling2D of Keras 2 did "
    "on TensorFlow and on Theano, not between their centres."
)
