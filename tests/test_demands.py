"""What users have on their disks and ask for; tests/golden/make_demands_golden.py wrote files."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import layerkit
from layerkit import Input, Model, Sequential, layers, ops
from layerkit.models import load_model, model_from_json

FOLDER = Path(__file__).parent / "golden" / "demands"
ARCHIVES = sorted(FOLDER.glob("*.zip"))

pytestmark = pytest.mark.numpy_only("files hold no backend")


def names():
    for archive in ARCHIVES:
        with zipfile.ZipFile(archive) as files:
            for name in files.namelist():
                if name.endswith(".json"):
                    yield pytest.param(archive, name[:-5], id=f"{archive.stem}-{name[:-5]}")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folders = {archive: tmp_path_factory.mktemp(archive.stem) for archive in ARCHIVES}
    for archive, folder in folders.items():
        with zipfile.ZipFile(archive) as files:
            files.extractall(folder)
    return folders


@pytest.fixture(scope="module")
def known(unpacked):
    """{name of a model: its arrays} of each archive."""
    found = {}
    for archive, folder in unpacked.items():
        with np.load(folder / "arrays.npz") as arrays:
            for key in arrays.files:
                name, _, what = key.partition("/")
                found.setdefault((archive, name), {})[what] = arrays[key]
    return found


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(("archive", "name"), [*names()])
def test_load_evaluate_and_fit_on(archive, name, unpacked, known):
    """Items 1 to 3, 8 and 14: no argument but the path, no warning, its own Keras's numbers."""
    path, arrays = unpacked[archive] / f"{name}.h5", known[archive, name]
    x, y = arrays["x"], arrays["y"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load_model(path)
        assert_close(model.predict(x, verbose=0), arrays["prediction"])
        assert_close(model.evaluate(x, y, verbose=0), arrays["evaluated"])
        again = model_from_json(path.with_suffix(".json").read_text())
        again.load_weights(path.with_name(f"{name}_weights.h5"))
        assert_close(again.predict(x, verbose=0), arrays["prediction"])
        again.load_weights(path)
        history = model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    if "losses" in arrays:
        assert_close(history.history["loss"], arrays["losses"])
        np.testing.assert_allclose(
            model.predict(x, verbose=0), arrays["next_prediction"], rtol=3e-4, atol=3e-4
        )


# --- item 4: the training configuration --------------------------------------------------------


def compiled(metrics, **said):
    model = Sequential([Input((4,)), layers.Dense(1)])
    model.compile("adam", said.get("loss", "mse"), metrics=metrics)
    return model


def furthest(y_true, y_pred):
    return ops.max(ops.abs(y_true - y_pred))


def test_only_the_unknown_metric_is_left_out(tmp_path):
    compiled([furthest, "mae"]).save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as root:  # as tf.keras writes metrics: by output
        training = json.loads(root.attrs["training_config"])
        root.attrs["training_config"] = json.dumps({**training, "metrics": [training["metrics"]]})
    with pytest.warns(UserWarning, match=r"metrics: .* furthest[\s\S]*custom_objects={name: obj"):
        model = load_model(tmp_path / "a.h5")
    x, y = np.ones((2, 4), "float32"), np.ones((2, 1), "float32")
    assert list(model.evaluate(x, y, return_dict=True, verbose=0)) == [
        "loss",
        "mean_absolute_error",
    ]
    model = load_model(tmp_path / "a.h5", custom_objects={"furthest": furthest})
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    assert set(logs) == {"furthest", "loss", "mean_absolute_error"}


PARTS = {
    "lists by output": {
        "loss": ["mse", "nobody's"],
        "metrics": [["nobody's", "mae"], ["mse"]],
    },
    "dicts by output": {
        "loss": {"a": "mse", "b": "nobody's"},
        "metrics": {"a": ["nobody's", "mae"], "b": "mse"},
    },
}


@pytest.mark.parametrize("case", PARTS)
def test_what_is_left_out_by_output(case):
    x = Input((4,))
    model = Model(x, [layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x)])
    with pytest.warns(UserWarning, match="loss: .*nobody's[\\s\\S]*metrics: .*nobody's") as told:
        layerkit.saving.compile_as_saved(model, {"optimizer": "sgd", **PARTS[case]})
    assert str(told[0].message).count("nobody's") == 2
    logs = model.evaluate(np.ones((2, 4)), [np.ones((2, 1))] * 2, return_dict=True, verbose=0)
    assert {"a_mae", "b_mse"} <= set(logs)


# --- items 6 and 7: weights that do not fit ----------------------------------------------------


def deep(count, units=3):
    made = [layers.Dense(units if i == count - 2 else 3, name=f"d{i}") for i in range(count)]
    return Sequential([Input((3,)), *made])


def test_two_columns_and_the_first_difference(tmp_path):
    deep(3).save_weights(tmp_path / "a.h5")
    model = Sequential([Input((3,)), layers.Dense(3, name="one"), layers.Dense(4, name="two")])
    with pytest.raises(ValueError, match="Model expected 2 layers, found 3 saved") as told:
        model.load_weights(tmp_path / "a.h5")
    rows = str(told.value).split("\n")
    assert [" ".join(row.split()) for row in rows[1:5]] == [
        "the model's layer expects the file's layer holds",
        "one (3, 3), (3,) d0 (3, 3), (3,)",
        "two (3, 4), (4,) d1 (3, 3), (3,) <- the first difference",
        "d2 (3, 3), (3,)",
    ]


def test_the_first_difference_of_a_deep_model_is_shown(tmp_path):
    deep(64, units=5).save_weights(tmp_path / "a.h5")
    with pytest.raises(ValueError, match=r"4 pairs that agree, and then[\s\S]*d62 .*<- the first"):
        deep(63).load_weights(tmp_path / "a.h5")


def test_skipped_arrays_are_told_without_advice_to_skip(tmp_path):
    deep(3).save_weights(tmp_path / "a.h5")
    deep(3).save_weights(tmp_path / "a.weights.h5")
    for name in ("a.h5", "a.weights.h5"):
        with pytest.raises(ValueError, match="pass skip_mismatch=True"):
            deep(3, units=4).load_weights(tmp_path / name)
        with pytest.warns(UserWarning, match="Skipped, as asked") as told:
            deep(3, units=4).load_weights(tmp_path / name, skip_mismatch=True)
        text = str(told[0].message)
        assert "skip_mismatch=True" not in text
        skipped = {"a.h5": "sequential", "a.weights.h5": "<- not loaded"}[name]
        assert text.count(skipped) == {"a.h5": 3, "a.weights.h5": 2}[name]


@pytest.mark.parametrize("name", ["a.h5", "a.weights.h5", "a.npz", "a.keras"])
def test_all_that_is_skipped_is_told_however_much_it_is(name, tmp_path):
    long = [f"{'a name that is long ' * 10}{i}" for i in range(90)]
    wide, narrow = (
        Sequential([Input((n,)), *(layers.Dense(n, name=each) for each in long)]) for n in (3, 4)
    )
    (wide.save if name == "a.keras" else wide.save_weights)(tmp_path / name)
    with pytest.warns(UserWarning, match="Skipped, as asked") as told:
        narrow.load_weights(tmp_path / name, skip_mismatch=True)
    text = str(told[0].message)
    assert all(f"{each} " in text for each in long) and "more" not in text and "[...]" not in text
    with pytest.raises(ValueError, match="and 30 more"):
        narrow.load_weights(tmp_path / name)


def test_no_layer_of_that_name(tmp_path):
    deep(2).save_weights(tmp_path / "a.h5")
    model = Sequential([Input((3,)), layers.Dense(3, name="x"), layers.Dense(3, name="y")])
    message = r"were not loaded: no layer has the same name. .*\['x', 'y'\].*\['d0', 'd1'\]"
    with pytest.warns(UserWarning, match=message):
        model.load_weights(tmp_path / "a.h5", by_name=True)


# --- item 12: texts of h5py 2 and 3, and names of files ----------------------------------------


@pytest.mark.parametrize("kind", [str, bytes])
def test_attributes_as_texts_and_as_bytes(kind, tmp_path):
    model = deep(2)
    model.compile("sgd", "mse")
    model.save(tmp_path / "a.h5")

    def rewrite(thing):
        for key, value in list(thing.attrs.items()):
            texts = np.asarray(value)
            if texts.dtype.kind not in "OSU" or not texts.size:
                continue
            plain = [x.decode() if isinstance(x, bytes) else str(x) for x in texts.ravel().tolist()]
            items = [x if kind is str else x.encode() for x in plain]
            one, several = h5py.string_dtype(), np.array(items, "S" if kind is bytes else object)
            del thing.attrs[key]
            if texts.shape:
                thing.attrs.create(key, several, dtype=None if kind is bytes else one)
            else:
                thing.attrs[key] = items[0] if kind is str else np.bytes_(items[0])

    with h5py.File(tmp_path / "a.h5", "r+") as root:
        rewrite(root)
        root.visititems(lambda _, thing: rewrite(thing))
        assert isinstance(root.attrs["keras_version"], str if kind is str else np.bytes_)
    again = load_model(tmp_path / "a.h5")
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    deep(2).load_weights(tmp_path / "a.h5", by_name=True)


@pytest.mark.parametrize("name", ["model", "weights.03-0.12", "best.hdf5", "a.b.c", "model.h5.txt"])
def test_files_of_any_name_are_known_by_their_content(name, tmp_path):
    model = deep(2)
    for saved in ("a.keras", "a.h5", "a.weights.h5", "w.h5"):
        (model.save_weights if "w" in saved else model.save)(tmp_path / saved)
        path = (tmp_path / saved).rename(tmp_path / name)
        other = deep(2)
        other.load_weights(path)
        for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        if "w" not in saved:
            load_model(path)
