"""Masks in files of Keras 3.0 to 3.3, which ended at layers that merge."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from layerkit import models
from layerkit.saving.legacy.masks_that_end import with_copies
from layerkit.saving.legacy.origin import origin_named

GOLDEN = json.loads((Path(__file__).parent / "golden" / "masks_before_34.json").read_text())
INPUTS = [np.array(x, "float32") for x in GOLDEN["inputs"]]
pytestmark = pytest.mark.numpy_only("files hold no backend")


def values(shape):
    return np.sin(np.arange(1, np.prod(shape) + 1)).reshape(shape).astype("float32")


@pytest.mark.parametrize("row", list(GOLDEN["rows"]))
def test_models_compute_what_keras_computed(row, tmp_path):
    path = as_keras_wrote(GOLDEN["rows"][row]["model"], "3.3.3", tmp_path)
    model = models.load_model(path)
    expected = GOLDEN["rows"][row]["prediction"]
    assert bool(model.file_notes) == (row != "no_masks")
    assert_predicts(model, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Keras reads what is written
        model.save(path)
    assert_predicts(models.load_model(path), expected)


def as_keras_wrote(description, version, folder):
    """The path of a `.keras` file with the weights that the predictions are of."""
    model = models.model_from_json(json.dumps(description))
    model.set_weights([values(w.shape) for w in model.get_weights()])
    made, path = folder / "made.keras", folder / "old.keras"
    model.save(made)
    with zipfile.ZipFile(made) as read, zipfile.ZipFile(path, "w") as written:
        written.writestr("metadata.json", json.dumps({"keras_version": version}))
        written.writestr("config.json", json.dumps(description))
        written.writestr("model.weights.h5", read.read("model.weights.h5"))
    return path


def assert_predicts(model, expected):
    found = model.predict(INPUTS, verbose=0)
    found = found if isinstance(found, list) else [found]
    for each, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(each, wanted, rtol=1e-5, atol=1e-6)


def test_later_files_and_layerkits_own_are_as_they_are(tmp_path):
    description = GOLDEN["rows"]["Add"]["model"]
    assert with_copies(description, origin_named("3.4.1")) is description
    model = models.model_from_json(json.dumps(description))
    expected = model.predict(INPUTS, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the old format
        for name in ("own.keras", "own.h5"):
            model.save(tmp_path / name)
            again = models.load_model(tmp_path / name)
            assert not again.file_notes
            assert_predicts(again, expected)


def test_copies_have_names_of_their_own():
    description = json.loads(json.dumps(GOLDEN["rows"]["Add"]["model"]).replace('"met"', '"copy"'))
    changed = with_copies(description, origin_named("3.0.5"))
    names = [entry["name"] for entry in changed["config"]["layers"]]
    assert sorted(name for name in names if "copy" in name) == ["copy", "copy_1", "copy_2"]
