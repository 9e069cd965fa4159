"""Masks in models of Keras 1 and 2: where different ones meet, and beside states that are given."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from layerkit import models
from layerkit.saving.legacy.attention_masks import note_masked_rows, with_copies_before
from layerkit.saving.legacy.masks import Masks
from layerkit.saving.legacy.origin import origin_named

GOLDEN = json.loads((Path(__file__).parent / "golden" / "legacy_masks.json").read_text())
INPUTS = [np.array(x, "float32") for x in GOLDEN["inputs"]]
files_only = pytest.mark.numpy_only("files hold no backend")


def values(shape):
    return np.sin(np.arange(1, np.prod(shape) + 1)).reshape(shape).astype("float32")


def opened(row):
    model = models.model_from_json(json.dumps(GOLDEN["rows"][row]["model"]))
    model.set_weights([values(w.shape) for w in model.get_weights()])
    return model


@files_only
@pytest.mark.parametrize("row", list(GOLDEN["rows"]))
def test_models_compute_what_tf_keras_computed(row, tmp_path):
    model, expected = opened(row), np.array(GOLDEN["rows"][row]["prediction"])
    np.testing.assert_allclose(model.predict(INPUTS, verbose=0), expected, rtol=1e-5, atol=1e-6)
    kept = row == "one_mask"
    with warnings.catch_warnings():
        warnings.simplefilter("error" if kept else "ignore")  # Keras 3 can read it, or cannot
        model.save(tmp_path / "again.keras")
    again = models.load_model(tmp_path / "again.keras")
    np.testing.assert_allclose(again.predict(INPUTS, verbose=0), expected, rtol=1e-5, atol=1e-6)


@files_only
def test_the_summary_tells_of_them():
    for row, told in (
        ("Add_two", "where no input masks it"),
        ("states_gru", "MaskedWithStates is a"),
    ):
        lines = []
        opened(row).summary(print_fn=lines.append)
        assert told in " ".join(" ".join(lines).split())


def layer(name, called_on=(), class_name="Dense", **config):
    nodes = [[[each, 0, 0, {}] for each in called_on]] if called_on else []
    return {"name": name, "class_name": class_name, "config": config, "inbound_nodes": nodes}


def test_where_masks_end():
    masked = [layer("x", class_name="InputLayer"), layer("m", ["x"], "Masking")]
    inner = {"layers": [layer("y", class_name="Masking")]}
    entries = masked + [
        layer("kept", ["m"], "TimeDistributed"),
        layer("read", ["m"], "LSTM", return_sequences=False),
        layer("all", ["m"], "Bidirectional", layer={"config": {"return_sequences": True}}),
        layer("flat", ["m"], "Flatten"),
        layer("twice", ["m"], "TFOpLambda", function="math.multiply"),
        layer("conv", ["m"], "Conv1D"),
        layer("own", ["m"], "SomebodysLayer"),
        layer("model", ["x"], "Functional", **inner),
        layer("same", ["m", "kept"], "Add"),
        layer("differ", ["m", "model"], "Add"),
        layer("values", ["m", "m"], "Multiply"),
    ]
    masks = Masks(entries, inner=False)
    named = {each["name"] for each in entries if masks.of([each["name"], 0, 0]) is not None}
    assert named == {"m", "kept", "all", "own", "model", "same", "differ", "values"}
    assert [masks.meet_in(name) for name in ("same", "differ", "values")] == [False, True, True]
    assert masks.of(["all", 0, 1]) is None  # a state
    assert Masks(entries, inner=True).of(["x", 0, 0]) is not None


def test_attention_without_masks_is_that_of_before_tf_keras_210():
    entries = [layer("m", class_name="Masking"), layer("a", ["m"], "MultiHeadAttention")]
    assert with_copies_before(entries, origin_named("2.10.0")) is entries
    copied = with_copies_before(entries, origin_named("2.9.0"))
    assert [entry["name"] for entry in copied] == ["m", "copy", "a"]


def test_rows_of_attention_that_are_masked_wholly_are_told_of():
    for options, dropout, told in (({"attention_mask": ["m", 0, 0]}, 0.1, True), ({}, 0.1, False)):
        entry = layer("a", class_name="MultiHeadAttention", dropout=dropout)
        entry["inbound_nodes"] = [[["x", 0, 0, options]]]
        origin = origin_named("2.9.0")
        note_masked_rows(entry, origin)
        assert bool(origin.all_notes) == told


def test_graphs_that_are_deep_or_have_a_loop():
    chain = [layer("0", class_name="Masking")]
    chain += [layer(str(i), [str(i - 1)]) for i in range(1, 5000)]
    assert Masks(chain, inner=False).of(["4999", 0, 0]) is not None
    loop = [layer("a", ["b"]), layer("b", ["a"])]
    assert Masks(loop, inner=False).of(["a", 0, 0]) is None
