"""python -m layerkit convert IN OUT: a model or its weights in another format, and the proof."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from layerkit.backend.allowance import LARGEST_SAMPLE, allowance, sampling

from ..configurable import custom_object_scope
from ..saving import from_architecture, load_model
from ..saving.atomic import replacing
from ..saving.identify import KERAS, LEGACY_MODEL, UNZIPPED, identify
from .architectures import ARCHITECTURES, architecture_in
from .custom import HINT
from .lines import wrapped

_WEIGHTS = (".weights.h5", ".weights.json", ".npz")
_LEGACY = (".h5", ".hdf5")
_MODELS = (".keras", *_LEGACY)
_ARCHITECTURES = (".json",)
_FOLDERS = ("/", os.sep)
_WITH_MODEL = (KERAS, UNZIPPED, LEGACY_MODEL)
_SEED = 0
_BATCH = 3
_LENGTHS = (8, 32, 128, 299)  # tried for axes of any length, the first that the model takes
_CLOSE = 1e-5


def convert(
    source: str,
    target: str,
    custom_objects: dict[str, Any],
    architecture: str | None = None,
    max_shard_size: float | None = None,
    weights_only: bool = False,
) -> tuple[str, bool]:
    """Write at `target` what is in `source`; the lines that prove it, and whether they do.

    The ending of `target` says the format. architecture: a file with the model, where `source`
    holds weights only. weights_only: `target`, an `.h5`, holds no model and no optimizer's state.
    ValueError for endings without a format, and what cannot be converted.
    """
    _check_target(target, max_shard_size, weights_only)
    with warnings.catch_warnings(record=True) as caught, custom_object_scope(custom_objects):
        warnings.simplefilter("always")
        with _hinting():
            model = _model_of(source, target, architecture, custom_objects)
        _write(model, target, max_shard_size, weights_only)
    texts = dict.fromkeys(str(each.message) for each in caught)
    told = [wrapped(f"Note: {text}", "  ") for text in texts]
    with warnings.catch_warnings(), custom_object_scope(custom_objects):
        warnings.simplefilter("ignore")  # they have been told
        proof, holds = _proof(model, _again(model, target, custom_objects, weights_only))
    return "\n".join([*told, f"Wrote {target}.", proof]), holds


@contextmanager
def _hinting() -> Iterator[None]:
    """Errors that ask for `custom_objects` say how they are given here."""
    try:
        yield
    except (ValueError, TypeError) as error:
        if "custom_objects=" not in str(error):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{error} {HINT}") from error


def _check_target(target: str, max_shard_size: float | None, weights_only: bool) -> None:
    known = (*_WEIGHTS, *_MODELS, *_ARCHITECTURES)
    if not target.endswith((*known, *_FOLDERS)):
        raise ValueError(
            f"The ending of OUT says its format: expected one of {', '.join(known)}, or '/' for a "
            f"folder with what is in a .keras file. Received: '{target}'."
        )
    if target.endswith(".weights.json") == (max_shard_size is None):
        raise ValueError(
            "Weights in parts are written to a `.weights.json`, with --max-shard-size GIGABYTES; "
            f"other formats are one file. Received: '{target}', --max-shard-size {max_shard_size}."
        )
    if weights_only and (target.endswith(_WEIGHTS) or not target.endswith(_LEGACY)):
        raise ValueError(
            "--weights-only writes weights as Keras 2 did: expected OUT to end in .h5 or .hdf5. "
            f"Received: '{target}'. Formats of weights need no such word."
        )


# --- the model ---------------------------------------------------------------------------------


def _model_of(
    source: str, target: str, architecture: str | None, custom_objects: dict[str, Any]
) -> Any:
    kind = identify(source)
    has_model = kind in (*_WITH_MODEL, *ARCHITECTURES)
    if has_model and architecture is not None:
        raise ValueError(
            f"--architecture is for weights without a model; '{source}' is {kind}. Leave it out."
        )
    if kind in ARCHITECTURES:
        if not target.endswith(_ARCHITECTURES):
            raise ValueError(
                f"'{source}' is {kind} and holds no weights, so it can become a `.json` only. "
                "Give the file with the weights as IN, and this one as --architecture."
            )
        return _described(source, custom_objects)
    if kind in _WITH_MODEL:
        return load_model(source, custom_objects)
    if architecture is None:
        raise ValueError(
            f"'{source}' is {kind}: they do not say what model they belong to. Give it by "
            "--architecture FILE, the text of model.to_json() or of to_yaml(), or a `.keras` or "
            "`.h5` file."
        )
    model = _described(architecture, custom_objects)
    model.load_weights(source)
    return model


def _described(path: str, custom_objects: dict[str, Any]) -> Any:
    """The model that a file describes, whatever its weights."""
    kind = identify(path)
    if kind not in ARCHITECTURES:
        return load_model(path, custom_objects)
    return from_architecture(architecture_in(path, kind), custom_objects)


def _write(model: Any, target: str, max_shard_size: float | None, weights_only: bool) -> None:
    if target.endswith(_WEIGHTS) or weights_only:
        model.save_weights(target, max_shard_size=max_shard_size)
    elif target.endswith(_MODELS):
        model.save(target)
    elif target.endswith(_FOLDERS):
        model.save(target, zipped=False)
    else:
        with replacing(target) as file:
            file.write(model.to_json(indent=2).encode())


def _again(model: Any, target: str, custom_objects: dict[str, Any], weights_only: bool) -> Any:
    """The model that comes out of what was written."""
    if target.endswith(_WEIGHTS) or weights_only:
        again = from_architecture(json.loads(model.to_json()), custom_objects)
        again.load_weights(target)
        again.optimizer = None if weights_only else again.optimizer
        return again
    if target.endswith((*_MODELS, *_FOLDERS)):
        return load_model(target, custom_objects)
    again = _described(target, custom_objects)
    again.set_weights(model.get_weights())
    again.optimizer = None  # an architecture has no state to compare
    return again


# --- the proof ---------------------------------------------------------------------------------


def _proof(model: Any, again: Any) -> tuple[str, bool]:
    """One line: the largest differences between the model and what came out of the file."""
    weights = _difference(model.get_weights(), again.get_weights())
    parts, largest = [f"weights {weights:.3g}"], weights
    if model.optimizer is not None and again.optimizer is not None:
        states = ([v.numpy() for v in each.optimizer.variables] for each in (model, again))
        state = _difference(*states)
        parts.append(f"the optimizer's state {state:.3g}")
        largest = max(largest, state)
    outputs, why = _outputs(model, again)
    if outputs is None:
        parts.append(f"outputs were not compared: {why}")
    else:
        parts.insert(0, f"outputs on random input (seed {_SEED}) {outputs:.3g}")
        largest = max(largest, outputs)
    line = f"Largest difference of what comes back: {', '.join(parts)}."
    return wrapped(line, "  "), largest <= _CLOSE


def _difference(first: Any, second: Any) -> float:
    """The largest absolute difference of two lists of arrays; infinite where shapes differ."""
    first, second = list(first), list(second)
    if [np.shape(a) for a in first] != [np.shape(b) for b in second]:
        return float("inf")
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(first, second, strict=True)]
    return max((_distance(a, b) for a, b in pairs if a.size), default=0.0)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    if a.dtype.kind in "OSU":
        return 0.0 if (a == b).all() else float("inf")
    a, b = a.astype("float64"), b.astype("float64")
    apart = np.where((a == b) | np.isnan(a) & np.isnan(b), 0.0, np.abs(a - b))
    return float(np.nan_to_num(apart, nan=np.inf).max())


def _outputs(model: Any, again: Any) -> tuple[float | None, str]:
    """The largest difference of the outputs, or why there is none."""
    tensors = getattr(model, "inputs", None)
    if not tensors:
        return None, "the model does not say what it takes"
    why = ""
    for length in _LENGTHS:
        rng = np.random.default_rng(_SEED)
        x = [_random(rng, tensor, length) for tensor in tensors]
        try:
            with allowance(LARGEST_SAMPLE, "the model"), sampling():  # for it may be a stranger's
                return _difference(_flat(model, x), _flat(again, x)), ""
        except Exception as error:  # what a model cannot take is for it to say
            why = str(error).strip().partition("\n")[0]
        if not any(None in tensor.shape[1:] for tensor in tensors):
            break
    return None, why


def _random(rng: np.random.Generator, tensor: Any, length: int) -> np.ndarray:
    """An array for an input: small enough to be an index of any table with two rows."""
    shape = [tensor.shape[0] or _BATCH, *(length if n is None else n for n in tensor.shape[1:])]
    if str(tensor.dtype) == "string":
        return rng.choice(["one", "two"], size=shape)
    return rng.uniform(0, 2, size=shape).astype(str(tensor.dtype))


def _flat(model: Any, x: list[np.ndarray]) -> list[np.ndarray]:
    from layerkit.backend import tree

    feed = tree.pack_sequence_as(model.input, x) if len(x) > 1 else x[0]
    predicted = model.predict(feed, batch_size=len(x[0]), verbose=0)
    return [np.asarray(y) for y in tree.flatten(predicted)]
