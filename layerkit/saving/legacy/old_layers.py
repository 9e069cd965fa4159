"""Layers that have another name now, or whose configs need more than other names.

Where a layer computed something else, the name is that of one that computes the same today.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .masks import MASKS_MEET
from .origin import Origin

MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
    "cos": "Dot",
}


def renamed(name: str, config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
    """The class and the config of the layer that does today what `name` did."""
    special = _SPECIAL.get(name)
    if special is not None:
        name, config = special(config)
    changed = _CHANGED.get(name)
    if changed is not None and origin.is_old:
        name, config = changed(config, origin)
    return name, config


def _merge(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    mode, name = config.get("mode"), config["name"]
    if "function" in config or mode not in MERGES:
        return "Lambda", {"name": name, "function": config.get("function", _named_function(mode))}
    options: dict[str, Any] = {"name": name}
    if mode == "concat":
        options["axis"] = config["concat_axis"]
    if mode in ("dot", "cos"):
        options |= {"axes": config["dot_axes"], "normalize": mode == "cos"}
    return MERGES[mode], options


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
    """Conv2DTranspose, which is told what its outputs have above the least that they can."""
    kept = {key: x for key, x in config.items() if key != "output_shape"}
    shape = config.get("output_shape")
    if not isinstance(shape, list) or len(shape) != 4:
        return "Conv2DTranspose", kept
    lengths = shape[2:] if config.get("dim_ordering") == "th" else shape[1:3]
    windows, strides = [config["nb_row"], config["nb_col"]], config["subsample"]
    same = config.get("border_mode") == "same"
    beyond, usual = [], []
    for length, window, stride in zip(lengths, windows, strides, strict=True):
        inputs = -(-length // stride) if same else (length - window) // stride + 1
        least = (inputs - 1) * stride + (window % 2 if same else window)
        beyond.append(length - least)
        usual.append(inputs * stride + (0 if same else max(window - stride, 0)) - least)
    return "Conv2DTranspose", kept if beyond == usual else {**kept, "output_padding": beyond}


def _zero_padding(config: dict[str, Any], sides: tuple[str, ...]) -> dict[str, Any]:
    """The config with padding in pairs, where Keras 1 took a dict, or four numbers, too."""
    padding = config.get("padding")
    if isinstance(padding, dict):
        padding = [padding.get(f"{side}_pad", 0) for side in sides]
    if isinstance(padding, list) and len(padding) == 4:
        padding = [padding[:2], padding[2:]]
    return {**config, "padding": padding}


def _cudnn_lstm(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "LSTM", {"activation": "tanh", "recurrent_activation": "sigmoid", **config}


def _cudnn_gru(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    activations = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    return "GRU", {**activations, "reset_after": True, **config}


def _thresholded_relu(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    threshold = float(config.pop("theta"))
    return "ReLU", {**config, "threshold": threshold}


def _old_normalization(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
    """The layer that computes what BatchNormalization of Keras 0 to 2 did, in its mode."""
    mode = config.pop("mode", 0)
    oldest = origin.keras < (1,)
    if mode == 0 and not oldest:
        return _with_averages(config, origin)
    if mode not in (0, 1, 2):
        raise ValueError(
            f"Layer '{config.get('name')}' (BatchNormalization) expects a mode of 0, 1 or 2, the "
            f"ones that Keras had. Received: mode={mode!r}"
        )
    name = "BatchNormalizationOf" + ("Deviations", "Samples", "Batches")[mode]
    origin.note(_NORMALIZATIONS[name])
    return name, {**config, "inner_epsilon": False} if mode == 1 and oldest else config


def _with_averages(
    config: dict[str, Any], origin: Origin, thaws: bool = False
) -> tuple[str, dict[str, Any]]:
    """BatchNormalization that trains as it did: its averages, where it is frozen, with masks.

    thaws: whether the class of tf.keras trained by the batch's statistics where it was frozen.
    """
    sampled = not origin.of_tensorflow and origin.keras >= (2, 1, 3)
    last = config.get("axis", -1) in (-1, 3, [-1], [3])
    unbiased: list[int] = []  # the ranks that one kernel of TensorFlow normalized
    if origin.of_tensorflow:
        unbiased = [4, 5] if origin.keras >= (2, 5) else [4]
    elif sampled and origin.backend == "tensorflow" and last:
        unbiased = [4]
    standalone = not origin.of_tensorflow
    shifted = standalone and origin.backend == "theano" and origin.keras >= (1, 2)
    thaws = thaws or standalone
    frozen = thaws and not config.get("trainable", True)
    if config.get("renorm") or not (sampled or shifted or unbiased or frozen or origin.has_masks):
        return "BatchNormalization", config
    origin.note(_AVERAGES)
    own = {"unbiased": unbiased, "sampled": sampled, "thaws": thaws}
    own |= {"shifted": shifted, "masks": origin.keras >= (2, 11)}
    own["always_moving"] = standalone and origin.keras < (2, 1, 3)
    return "BatchNormalizationKeras2", {**config, **own}


_AVERAGES = (
    "BatchNormalizationKeras2 trains as BatchNormalization of Keras 1 and 2: with unbiased "
    "variances in its average, on Theano with epsilon added to them, before tf.keras 2.11 whatever "
    "is masked, and but for tf.keras whether it is frozen or not. Files that are written call it "
    "BatchNormalization, and there it is today's."
)
_NORMALIZATIONS = {
    "BatchNormalizationOfBatches": (
        "BatchNormalizationOfBatches is BatchNormalization of Keras 1 with mode=2: by the "
        "statistics of each batch, in predictions too."
    ),
    "BatchNormalizationOfDeviations": (
        "BatchNormalizationOfDeviations is BatchNormalization of Keras 0, which averaged standard "
        "deviations."
    ),
    "BatchNormalizationOfSamples": (
        "BatchNormalizationOfSamples is BatchNormalization with mode=1, which went away with Keras "
        "2: by the statistics of each sample."
    ),
}


def _hashing(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
    """Hashing, whose dtype before Keras 3 said nothing where it gives whole numbers."""
    if config.get("output_mode", "int") == "int":
        config = {key: x for key, x in config.items() if key != "dtype"}
    return "Hashing", config


def _lookup(name: str) -> Callable[[dict[str, Any], Origin], tuple[str, dict[str, Any]]]:
    """A lookup, whose arguments were called otherwise in tf.keras 2.4.

    There, outputs that were to be padded up to no number were as long as the vocabulary.
    """

    def changed(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
        config = {_OF_VALUES.get(key, key): x for key, x in config.items()}
        if config.get("max_tokens") is None:
            config.pop("pad_to_max_tokens", None)
        return name, config

    return changed


_OF_VALUES = {"max_values": "max_tokens", "mask_value": "mask_token", "oov_value": "oov_token"}


def _embedding(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
    return "DroppingEmbedding" if config.get("dropout") else "Embedding", config


def _both_ways(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
    """Bidirectional, whose outputs at masked steps are zeros since tf.keras.

    Its second layer went the other way than the first one; since Keras 3 it goes backwards. And
    the penalty of what the layer computes was that of the merged outputs, but for tf.keras.
    """
    layer = config["layer"]
    inner = dict(layer["config"])
    if not origin.of_tensorflow:
        config = {**config, "activity_regularizer": inner.pop("activity_regularizer", None)}
    config = {**config, "layer": {**layer, "config": inner}}
    if inner.get("go_backwards") and not config.get("backward_layer"):
        other = {**inner, "go_backwards": False, "name": f"backward_{inner.get('name')}"}
        config["backward_layer"] = {**layer, "config": other}
    if origin.of_tensorflow or not origin.has_masks:
        return "Bidirectional", config
    origin.note(_HOLDING)
    return "HoldingBidirectional", config


def _merging(name: str) -> Callable[[dict[str, Any], Origin], tuple[str, dict[str, Any]]]:
    """A layer that merges: today's, but where it matters how it took masks."""

    def changed(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
        if origin.masks is None or not origin.masks.meet_in(config.get("name")):
            return name, config
        origin.note(_MASKS_MEET)
        return f"{name}Keras2", config

    return changed


def _random_crop(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
    """RandomCrop, which before tf.keras 2.7 cut what it had resized, in predictions."""
    if origin.keras >= (2, 7):
        return "RandomCrop", config
    origin.note(_RESIZED_FIRST)
    return "RandomCropKeras2", config


def _of_each_step(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
    """TimeDistributed, whose layer once saw all steps together: noted where it shows."""
    layer = config["layer"]
    if "BatchNormalization" in str(layer.get("class_name")):
        origin.note(_STATISTICS)
    if layer["config"].get("activity_regularizer"):
        if origin.of_tensorflow:
            origin.note(_MEAN_PENALTY)
        elif origin.keras >= (2, 3):
            origin.note(_PENALTY_TWICE)
    return "TimeDistributed", config


def _penalty(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
    """ActivityRegularization, or where its penalty was summed, an Activation that has it."""
    if not origin.sums_activity:
        return "ActivityRegularization", config
    penalty = {key: config.get(key, 0.0) for key in ("l1", "l2")}
    kept = {key: x for key, x in config.items() if key not in penalty}
    penalty = {"class_name": "L1L2", "config": penalty}
    return "Activation", {**kept, "activation": "linear", "activity_regularizer": penalty}


def _of_gates(config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """The config with the recurrent kernel's regularizer: in Keras 1.2 that of the other kernel.

    Where gates had weights of their own, it mixed them up.
    """
    if not (1, 2) <= origin.keras < (2,) or config.get("consume_less") == "gpu":
        return config
    return {**config, "U_regularizer": config.get("W_regularizer")}


def _recurrent(name: str) -> Callable[[dict[str, Any], Origin], tuple[str, dict[str, Any]]]:
    """A recurrent layer, noted where its outputs before the first step that counts differ."""

    def changed(config: dict[str, Any], origin: Origin) -> tuple[str, dict[str, Any]]:
        held = origin.of_tensorflow or origin.keras < (2,) and origin.backend == "tensorflow"
        shows = config.get("stateful") and config.get("return_sequences")
        if shows and origin.has_masks and not held:
            origin.note(_ZEROS_FIRST)
        return name, config if name == "SimpleRNN" else _of_gates(config, origin)

    return changed


def _sharing(config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """The config with `shared_axes`, which Keras 1 left out: they have size 1 in the arrays."""
    if origin.keras >= (2,):
        return config
    shape = next(iter(origin.shapes.get(str(config.get("name")), ())), ())
    axes = [axis for axis, size in enumerate(shape, 1) if size == 1]
    return {**config, "shared_axes": axes} if axes else config


_HOLDING = (
    "HoldingBidirectional is Bidirectional of Keras 1 and 2, whose outputs at masked steps are "
    "those of the step before."
)
_MASKS_MEET = (
    "Layers that merge and end in Keras2 take masks as Keras before 3.4: a step counts where no "
    "input masks it."
)
_RESIZED_FIRST = (
    "RandomCropKeras2 is RandomCrop of tf.keras before 2.7, which in predictions resized images "
    "and then cut out the middle."
)
_ZEROS_FIRST = (
    "Stateful layers put out what their state holds at masked steps that a batch begins with; in "
    "the Keras that wrote the file they put out zeros there."
)
_STATISTICS = (
    "BatchNormalization in TimeDistributed trains by the statistics of each step, and its averages "
    "move at each. In Keras 2 those of all steps together counted, once; in Keras 1 the averages "
    "stayed."
)
_MEAN_PENALTY = (
    "An activity regularizer in TimeDistributed has its penalty divided by the batch size alone; "
    "tf.keras divided it by the number of steps, too."
)
_PENALTY_TWICE = (
    "An activity regularizer in TimeDistributed counts once; Keras 2.3 counted it twice where the "
    "batch size was fixed."
)
_SIDES = ("top", "bottom", "left", "right")
_SPECIAL: dict[str, Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "CuDNNGRU": _cudnn_gru,
    "CuDNNLSTM": _cudnn_lstm,
    "Deconvolution2D": _deconvolution,
    "Lambda": _lambda,
    "Merge": _merge,
    "ThresholdedReLU": _thresholded_relu,
    "ZeroPadding1D": lambda config: ("ZeroPadding1D", _zero_padding(config, _SIDES[2:])),
    "ZeroPadding2D": lambda config: ("ZeroPadding2D", _zero_padding(config, _SIDES)),
}
# What those computed, or what their configs left out, depends on who wrote them.
_CHANGED: dict[str, Callable[[dict[str, Any], Origin], tuple[str, dict[str, Any]]]] = {
    "ActivityRegularization": _penalty,
    "BatchNormalization": _old_normalization,
    "BatchNormalizationV1": lambda config, origin: _with_averages(config, origin, thaws=True),
    "BatchNormalizationV2": lambda config, origin: _with_averages(config, origin),
    "Bidirectional": _both_ways,
    "Embedding": _embedding,
    "GRU": _recurrent("GRU"),
    "Hashing": _hashing,
    "IntegerLookup": _lookup("IntegerLookup"),
    "LSTM": _recurrent("LSTM"),
    "PReLU": lambda config, origin: ("PReLU", _sharing(config, origin)),
    "RandomCrop": _random_crop,
    "SReLU": lambda config, origin: ("SReLU", _sharing(config, origin)),
    "SimpleRNN": _recurrent("SimpleRNN"),
    "StringLookup": _lookup("StringLookup"),
    "TextVectorization": _lookup("TextVectorization"),
    "TimeDistributed": _of_each_step,
    **{name: _merging(name) for name in MASKS_MEET},
}
