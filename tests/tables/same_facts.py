"""What a case shows in a framework, as plain data, and how the facts of two of them differ."""

from __future__ import annotations

import inspect
import json
import zlib
from typing import Any

import numpy as np

from .draw import Draw
from .random_layers import Case, leaves, mapped
from .recurrent import made

NOT_NEGATIVE = ("moving_variance", "renorm_stddev", "moving_stddev")


class Refused:
    """An error where a fact would be."""

    def __init__(self, error: BaseException):
        self.text = f"{type(error).__name__}: {str(error).strip()[:300]}"


def attempt(function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except Exception as error:  # of whatever kind: that is what is compared
        return Refused(error)


def facts(framework: Any, case: Case) -> dict[str, Any]:
    """All that is compared; a `Refused` in the place of what raised."""
    framework.fresh()
    layer = attempt(create, framework, case)
    if isinstance(layer, Refused):
        return {"call": layer}
    found: dict[str, Any] = {"call": attempt(called, framework, case, layer)}
    if isinstance(found["call"], Refused):
        return found
    found["config"] = attempt(config, framework, layer)
    found["output shape"] = attempt(output_shape, case, layer)
    found["symbolic"] = attempt(symbolic, framework, case, False)
    found["free axes"] = attempt(symbolic, framework, case, True)
    if not case.layer.arguments.get("stateful"):
        found["gradients"] = attempt(gradients, framework, case, layer)
    return found


def create(framework: Any, case: Case) -> Any:
    more = {} if case.dtype is None else {"dtype": case.dtype}
    return made(framework.layers, case.layer, **more)


def called(framework: Any, case: Case, layer: Any) -> dict[str, Any]:
    """What calls give. The first one builds; then the weights get values."""
    call(framework, case, layer)
    names = [(w.path, w.name, tuple(w.shape), str(w.dtype), w.trainable) for w in layer.weights]
    layer.set_weights(weight_values(layer))
    if hasattr(layer, "reset_states") and case.layer.arguments.get("stateful"):
        layer.reset_states()
    for _ in range(case.calls):
        ys = call(framework, case, layer)
    outputs = leaves(ys)
    masks = [framework.mask_of(y) for y in outputs]
    return {
        "weights": names,
        "structure": structure(ys),
        "outputs": [framework.numpy(y) for y in outputs],
        "masks": [None if mask is None else framework.numpy(mask) for mask in masks],
        "weights after": [framework.numpy(w) for w in layer.weights],
        "losses": [framework.numpy(loss) for loss in layer.losses],
    }


def weight_values(layer: Any) -> list[np.ndarray]:
    d = Draw(5)
    values = [d.floats(tuple(w.shape)) * 0.7 for w in layer.weights]
    return [
        abs(v) + 0.5 if w.name in NOT_NEGATIVE else v
        for v, w in zip(values, layer.weights, strict=True)
    ]


def structure(ys: Any) -> str:
    if isinstance(ys, dict):
        return "{" + ", ".join(f"{key}: {structure(y)}" for key, y in ys.items()) + "}"
    if isinstance(ys, (list, tuple)):
        return f"{type(ys).__name__}({', '.join(map(structure, ys))})"
    return "."


def call(framework: Any, case: Case, layer: Any) -> Any:
    masks = leaves(case.masks) if case.masks is not None else [None] * len(case.arrays)
    tensors = [framework.tensor(x, m) for x, m in zip(case.arrays, masks, strict=True)]
    return applied(framework, case, layer, layer, tensors)


def applied(framework: Any, case: Case, layer: Any, function: Any, tensors: list) -> Any:
    """`function` called as `layer` would be, on tensors in the structure of the case's inputs."""
    options = mapped(
        lambda x: framework.tensor(x) if isinstance(x, np.ndarray) else x, dict(case.call)
    )
    takes = inspect.signature(layer.call).parameters
    if case.training is not None and ("training" in takes or case.layer.name == "TimeDistributed"):
        options["training"] = case.training
    rest = iter(tensors)
    given = mapped(lambda _: next(rest), case.inputs)
    return function(**given, **options) if isinstance(given, dict) else function(given, **options)


def gradients(framework: Any, case: Case, layer: Any) -> dict[str, list]:
    masks = leaves(case.masks) if case.masks is not None else [None] * len(case.arrays)
    layer.set_weights(weight_values(layer))
    xs = [framework.tensor(x) for x in case.arrays]

    def function(made: Any, tensors: list, masks: list) -> Any:
        options = explicit_masks(framework, case, layer, masks)
        return applied(framework, case, layer, lambda *a, **k: made(*a, **k, **options), tensors)

    watched = xs if case.differentiable else []
    if case.differentiable:
        of_weights, of_inputs = framework.gradients(layer, watched, masks, function)
    else:
        of_weights, of_inputs = framework.gradients(
            layer, [], masks, lambda made, _, masks: function(made, xs, masks)
        )
    return {
        "of weights": [framework.numpy(g) for g in of_weights],
        "of inputs": [framework.numpy(g) for g in of_inputs],
    }


def explicit_masks(framework: Any, case: Case, layer: Any, masks: list) -> dict[str, Any]:
    """The masks as arguments, for `stateless_call` in a trace does not find those of tensors."""
    if all(mask is None for mask in masks):
        return {}
    tensors = [None if mask is None else framework.tensor(mask) for mask in masks]
    if isinstance(case.inputs, dict):
        named = zip((f"{key}_mask" for key in case.inputs), tensors, strict=True)
        return {key: mask for key, mask in named if mask is not None}
    if "mask" not in inspect.signature(layer.call).parameters:
        return {}
    return {"mask": tensors if isinstance(case.inputs, list) else tensors[0]}


# Shapes.


def shapes_of(case: Case) -> Any:
    return mapped_shapes(lambda x: (None, *x.shape[1:]), case.inputs)


def mapped_shapes(function: Any, inputs: Any) -> Any:
    if isinstance(inputs, dict):
        return {key: function(x) for key, x in inputs.items()}
    return [function(x) for x in inputs] if isinstance(inputs, list) else function(inputs)


def output_shape(case: Case, layer: Any) -> Any:
    shapes = shapes_of(case)
    if isinstance(shapes, dict):
        found = layer.compute_output_shape(**{f"{key}_shape": s for key, s in shapes.items()})
    else:
        found = layer.compute_output_shape(shapes)
    return plain_shapes(found)


def plain_shapes(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: plain_shapes(item) for key, item in found.items()}
    return [plain_shapes(n) if isinstance(n, (list, tuple)) else n for n in found]


def symbolic(framework: Any, case: Case, free: bool) -> list:
    """Shapes and dtypes that a new layer gives for symbolic inputs, with axes `free` or not."""
    framework.fresh()
    layer = create(framework, case)
    d = Draw(zlib.crc32(str(case).encode()))
    keep = 1 if case.layer.arguments.get("data_format") == "channels_first" else -1

    def placeholder(x: np.ndarray) -> Any:
        shape = [None, *x.shape[1:]]
        for axis in range(1, len(shape)):
            if free and axis != keep % len(shape) and d.chance():
                shape[axis] = None
        return framework.keras.Input(batch_shape=tuple(shape), dtype=str(x.dtype))

    inputs = [placeholder(x) for x in case.arrays]
    ys = applied(framework, case, layer, layer, inputs)
    return [structure(ys), *([list(y.shape), str(y.dtype)] for y in leaves(ys))]


# Configs.


def config(framework: Any, layer: Any) -> dict[str, Any]:
    """The config as a file has it, and as it is after a round trip."""
    found = plain_config(framework, layer)
    again = type(layer).from_config(json.loads(json.dumps(layer_config(framework, layer))))
    changes = config_differences(found, plain_config(framework, again))
    return {"config": found, "round trip": changes}


def layer_config(framework: Any, layer: Any) -> dict[str, Any]:
    return framework.keras.saving.serialize_keras_object(layer)["config"]


def plain_config(framework: Any, layer: Any) -> dict[str, Any]:
    return json.loads(json.dumps(layer_config(framework, layer)))


# What keys of Keras's configs are in ours by being absent.
UNSAID = (None, False)
NOT_OURS = {"renorm_momentum": 0.99, "synchronized": False, "use_cudnn": "auto", "sparse": False}


def config_differences(theirs: Any, ours: Any, where: str = "config") -> list[str]:
    if isinstance(theirs, dict) and theirs.get("class_name") == "DTypePolicy":
        theirs = theirs["config"]["name"]
    if isinstance(ours, dict) and ours.get("class_name") == "DTypePolicy":
        ours = ours["config"]["name"]
    if isinstance(theirs, dict) and isinstance(ours, dict):
        lines = []
        for key in dict.fromkeys([*theirs, *ours]):
            if key in ("module", "registered_name", "build_config", "quantization_config"):
                continue
            if key not in ours:
                if theirs[key] not in UNSAID and NOT_OURS.get(key) != theirs[key]:
                    lines.append(f"{where}[{key!r}] is absent, in Keras {theirs[key]!r}")
            elif key not in theirs:
                if ours[key] is not None:
                    lines.append(f"{where}[{key!r}] is {ours[key]!r}, in Keras absent")
            else:
                lines += config_differences(theirs[key], ours[key], f"{where}[{key!r}]")
        return lines
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = enumerate(zip(theirs, ours, strict=True))
        return [d for i, (t, o) in pairs for d in config_differences(t, o, f"{where}[{i}]")]
    if isinstance(theirs, float) and isinstance(ours, (int, float)):
        theirs, ours = float(np.float32(theirs)), float(np.float32(ours))  # as PyTorch keeps it
    if theirs != ours:
        return [f"{where} is {ours!r}, in Keras {theirs!r}"]
    return []


# Differences.


def differences(case: Case, theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """Lines that say what is different."""
    lines = refusals("call", theirs["call"], ours["call"])
    if isinstance(theirs["call"], Refused) or isinstance(ours["call"], Refused):
        return lines
    lines += of_calls(case, theirs["call"], ours["call"])
    for key in ("output shape", "symbolic", "free axes"):
        if isinstance(theirs[key], Refused):
            continue  # layerkit may do more
        if isinstance(ours[key], Refused):
            lines += refusals(key, theirs[key], ours[key])
        elif theirs[key] != ours[key]:
            lines.append(f"{key}: {ours[key]}, in Keras {theirs[key]}")
    lines += refusals("config", theirs["config"], ours["config"])
    if not any(isinstance(side["config"], Refused) for side in (theirs, ours)):
        lines += config_differences(theirs["config"]["config"], ours["config"]["config"])
        if ours["config"]["round trip"] and not theirs["config"]["round trip"]:
            lines.append(f"the config changes in a round trip: {ours['config']['round trip']}")
    if "gradients" in ours and not isinstance(theirs["gradients"], Refused):
        if isinstance(ours["gradients"], Refused):
            lines += refusals("gradients", theirs["gradients"], ours["gradients"])
        else:
            for key in ("of weights", "of inputs"):
                tolerance = 4 * tolerance_of(case, theirs["call"])
                pairs = theirs["gradients"][key], ours["gradients"][key]
                lines += of_arrays(f"gradients {key}", *pairs, tolerance)
    return lines


def refusals(what: str, theirs: Any, ours: Any) -> list[str]:
    if isinstance(theirs, Refused) == isinstance(ours, Refused):
        return []
    if isinstance(theirs, Refused):
        return [f"{what}: accepted, in Keras {theirs.text}"]
    return [f"{what}: refused, {ours.text}"]


def of_calls(case: Case, theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    lines = []
    for key in ("weights", "structure"):
        if theirs[key] != ours[key]:
            lines.append(f"{key}: {ours[key]}, in Keras {theirs[key]}")
    tolerance = tolerance_of(case, theirs)
    for key in ("outputs", "weights after", "losses"):
        lines += of_arrays(key, theirs[key], ours[key], tolerance)
    return lines + of_masks(theirs["masks"], ours["masks"])


def of_masks(theirs: list, ours: list) -> list[str]:
    for t, o in zip(theirs, ours, strict=False):
        if (t is None) != (o is None) or t is not None and not np.array_equal(t, o):
            return [f"masks: {ours}, in Keras {theirs}"]
    return []


TOLERANCES = {"float16": 1e-2, "bfloat16": 6e-2, "float32": 1e-4, "float64": 1e-4}


def tolerance_of(case: Case, theirs: dict[str, Any]) -> float:
    """That of the coarsest type among the outputs and the policy's."""
    names = [str(y.dtype) for y in [*theirs["outputs"], *case.arrays]]
    names.append((case.dtype or "float32").removeprefix("mixed_"))
    if set(names) == {"float64"}:
        return 1e-9
    return max(TOLERANCES.get(name, 1e-4) for name in names)


def of_arrays(what: str, theirs: list, ours: list, tolerance: float) -> list[str]:
    if len(theirs) != len(ours):
        return [f"{what}: {len(ours)} of them, in Keras {len(theirs)}"]
    lines = []
    for index, (t, o) in enumerate(zip(theirs, ours, strict=True)):
        at = f"{what} [{index}]"
        if t.shape != o.shape or t.dtype != o.dtype:
            lines.append(f"{at}: {o.dtype}{o.shape}, in Keras {t.dtype}{t.shape}")
            continue
        t, o = t.astype("float64"), o.astype("float64")
        scale = max(1.0, float(np.abs(t[np.isfinite(t)]).max(initial=0)))
        if not np.allclose(o, t, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
            worst = np.nanmax(abs(o - t)) if np.isfinite(o - t).any() else np.nan
            lines.append(f"{at}: values differ by up to {worst:.3g} at a scale of {scale:.3g}")
    return lines
