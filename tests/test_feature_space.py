"""FeatureSpace, from one row for each kind of features: Keras's encodings, configs and files."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tables.feature_space import (
    NEW,
    ROWS,
    TABLE,
    Row,
    batches_of,
    columns,
    feature_space,
    rows_of,
)

import layerkit
from layerkit import Model, layers
from layerkit import backend as K
from layerkit.data import Batches
from layerkit.models import load_model
from layerkit.utils import FeatureSpace, PyDataset

GOLDEN = Path(__file__).parent / "golden"
KERAS = json.loads((GOLDEN / "feature_space.json").read_text(encoding="utf-8"))
FILE = GOLDEN / "files" / "tensorflow-feature-space.keras"


def adapted(row: Row) -> FeatureSpace:
    space = feature_space(row, layerkit)
    space.adapt(columns(row, TABLE))
    return space


def row_named(label: str) -> Row:
    return next(row for row in ROWS if str(row) == label)


def equal(encoded: Any, expected: dict) -> None:
    if "values" not in expected:
        assert list(encoded) == list(expected)
        for name, x in encoded.items():
            equal(x, expected[name])
        return
    values = K.to_numpy(encoded)
    assert values.dtype.name == expected["dtype"]
    assert values.shape == np.shape(expected["values"])
    np.testing.assert_allclose(values, expected["values"], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_encodings_are_those_of_keras(row: Row):
    space, new = adapted(row), columns(row, NEW)
    equal(space(new), KERAS[str(row)]["encoded"])
    equal(space(rows_of(new)[0]), KERAS[str(row)]["row"])


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_learned_of_batches_is_what_keras_learns(row: Row):
    space = feature_space(row, layerkit)
    space.adapt(iter(batches_of(columns(row, TABLE))))
    equal(space(columns(row, NEW)), KERAS[str(row)]["of_batches"])


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_symbolic_encodings_become_the_encodings(row: Row):
    space, new = adapted(row), columns(row, NEW)
    inputs, encoded = space.get_inputs(), space.get_encoded_features()
    specs = KERAS[str(row)]["symbolic"]
    for name, x in encoded.items() if isinstance(encoded, dict) else [(None, encoded)]:
        spec = specs if name is None else specs[name]
        shape = spec["shape"] if str(row) != "feature" else [None, 5]  # Keras says (None, 1, 5)
        assert (list(x.shape), x.dtype) == (shape, spec["dtype"])
    assert {name: x.shape for name, x in inputs.items()} == dict.fromkeys(row.features, (None, 1))
    equal(Model(inputs, encoded)(matrices(new)), KERAS[str(row)]["encoded"])
    assert space.get_encoded_features() is encoded


def matrices(table: dict[str, list]) -> dict[str, np.ndarray]:
    return {name: np.array(values)[:, None] for name, values in table.items()}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_configs_are_those_of_keras(row: Row):
    ours, theirs = adapted(row).get_config(), KERAS[str(row)]["config"]
    assert list(ours) == list(theirs)
    assert {**ours, "features": None} == {**theirs, "features": None}
    for name, feature in theirs["features"].items():
        own = ours["features"][name]
        for key in ("module", "class_name", "registered_name"):
            assert own[key] == feature[key]
            assert own["config"]["preprocessor"][key] == feature["config"]["preprocessor"][key]
        assert {**own["config"], "preprocessor": None} == {
            **feature["config"],
            "preprocessor": None,
        }
    again = FeatureSpace.from_config(theirs)
    again.adapt(columns(row, TABLE))
    equal(again(columns(row, NEW)), KERAS[str(row)]["encoded"])


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_files_keep_what_was_learned(row: Row, tmp_path):
    path = tmp_path / "space.keras"
    adapted(row).save(path)
    again = load_model(path)
    assert again.built
    equal(again(columns(row, NEW)), KERAS[str(row)]["encoded"])
    again.save(path)  # and what was loaded is saved
    equal(load_model(path)(columns(row, NEW)), KERAS[str(row)]["encoded"])


def test_a_file_of_keras_opens():
    row = row_named("concat")
    equal(load_model(FILE)(columns(row, NEW)), KERAS["concat"]["encoded"])


def test_files_are_laid_out_as_those_of_keras(tmp_path):
    adapted(row_named("concat")).save(tmp_path / "space.keras")
    ours, theirs = (described(path) for path in (tmp_path / "space.keras", FILE))
    assert ours == theirs


def described(path: Path) -> tuple[set[str], dict]:
    """The members of an archive, and what its config says of the space itself."""
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        names = set(archive.namelist())
    return names, {**config, "config": None, "build_config": set(config["build_config"])}


@pytest.mark.numpy_only("a process of its own")
def test_a_file_brings_it_into_a_fresh_process():
    code = (
        "import sys, layerkit; there = 'layerkit.utils.feature_space' in sys.modules; "
        f"space = layerkit.models.load_model({str(FILE)!r}); "
        "print(there, space({'city': 'rome', 'age': 3.0, 'code': 7}).shape)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.startswith("False (1"), result.stderr


# What it learns from.


class Batched(PyDataset):
    def __init__(self, batches: list):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index], np.zeros(4)


TABLES = {
    "columns": lambda table: table,
    "arrays": lambda table: {name: np.array(x) for name, x in table.items()},
    "rows": rows_of,
    "a generator of rows": lambda table: (row for row in rows_of(table)),
    "a list of batches": batches_of,
    "matrices": lambda table: [matrices(batch) for batch in batches_of(table)],
    "batches with targets": lambda table: ((x, np.zeros(4)) for x in batches_of(table)),
    "a PyDataset": lambda table: Batched(batches_of(table)),
    "a Source": lambda table: Batches(
        {name: np.array(x) for name, x in table.items()}, None, None, 4
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_it_adapts_to(kind: str):
    row = row_named("concat")
    space = feature_space(row, layerkit)
    space.adapt(TABLES[kind](columns(row, TABLE)))
    equal(space(columns(row, NEW)), KERAS["concat"]["encoded"])


def test_it_adapts_anew():
    space = FeatureSpace({"city": "string_categorical"})
    space.adapt({"city": ["a", "b"]})
    assert space({"city": "a"}).shape == (3,)
    space.adapt({"city": ["a", "b", "c"]})
    np.testing.assert_array_equal(space({"city": "c"}), [0, 1, 0, 0])
    assert space.get_encoded_features().shape == (None, 4)


# What it encodes.


def test_columns_come_in_many_kinds():
    space = FeatureSpace({"x": "float", "n": FeatureSpace.integer_hashed(3)})
    expected = K.to_numpy(space({"x": [1.0, 2.0], "n": [5, 6]}))
    assert expected.dtype == np.float32
    for x, n in (
        ([[1.0], [2.0]], [[5], [6]]),
        (np.array([1.0, 2.0]), np.array([5, 6], "uint8")),
        ([1, 2], (5, 6)),
        (K.convert_to_tensor([1.0, 2.0]), K.convert_to_tensor([5, 6])),
    ):
        np.testing.assert_array_equal(space({"n": n, "x": x}), expected)
    np.testing.assert_array_equal(space({"x": np.float64(1), "n": np.int64(5)}), expected[0])


def test_a_call_on_inputs_of_ones_own_gives_a_model():
    row = row_named("concat")
    space = adapted(row)
    inputs = {
        name: layers.Input((1,), dtype=x.dtype, name=name) for name, x in space.get_inputs().items()
    }
    model = Model(inputs, space(inputs))
    equal(model(matrices(columns(row, NEW))), KERAS["concat"]["encoded"])


def test_models_on_encodings_and_on_columns_share_their_layers(tmp_path):
    """As in Keras's guide: one is trained on what was encoded before, the other is used."""
    row = row_named("concat")
    space = adapted(row)
    encoded = space.get_encoded_features()
    outputs = layers.Dense(1, activation="sigmoid")(encoded)
    training_model = Model(encoded, outputs)
    inference_model = Model(space.get_inputs(), outputs)
    training_model.compile("adam", "binary_crossentropy")
    table = columns(row, TABLE)
    training_model.fit(space(table), np.array([0.0, 1, 0, 1, 1, 0]), epochs=2, verbose=0)
    expected = training_model.predict(space(table), verbose=0)
    np.testing.assert_allclose(
        inference_model.predict(matrices(table), verbose=0), expected, rtol=1e-6
    )
    inference_model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(matrices(table), verbose=0), expected, rtol=1e-6)


def test_layers_that_know_their_numbers_need_no_adapt():
    space = FeatureSpace(
        {
            "age": FeatureSpace.float_discretized(None, bin_boundaries=[30.0, 40.0]),
            "city": FeatureSpace.feature(
                "string", layers.StringLookup(vocabulary=["rome"]), "one_hot"
            ),
            "x": FeatureSpace.feature("float32", layers.Normalization(mean=1, variance=4), "float"),
        }
    )
    y = space({"age": [35.0, 50.0], "city": ["rome", "oslo"], "x": [3.0, 1.0]})
    np.testing.assert_array_equal(y, [[0, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0]])


def test_an_int_stays_as_it_is_in_a_dict():
    space = FeatureSpace(
        {"code": FeatureSpace.feature("int32", layers.Identity(dtype="int32"), "int")},
        output_mode="dict",
    )
    y = space({"code": np.array([3, 4], "int32")})["code"]
    assert y.dtype == np.int32
    np.testing.assert_array_equal(y, [[3], [4]])


# What is refused.


def space_of(*args: Any, **kwargs: Any):
    return lambda: FeatureSpace(*args, **kwargs)


def of_feature(kind: str, layer: str, mode: str, **kwargs: Any):
    def make():
        preprocessor = getattr(layers, layer)(**kwargs)
        feature = FeatureSpace.feature(kind, preprocessor, mode)
        FeatureSpace({"a": feature}).get_encoded_features()

    return make


def crossed(features: dict, crosses: list, **kwargs: Any):
    return lambda: FeatureSpace(features, crosses=crosses, **kwargs).get_encoded_features()


def called(data: Any, **features: str):
    return lambda: FeatureSpace(features or {"a": "float", "b": "float"})(data)


def adapting(data: Any):
    return lambda: FeatureSpace({"a": "string_categorical"}).adapt(data)


REFUSED = {
    "no features": (space_of({}), "The `features` argument cannot be None or empty"),
    "an unknown kind": (
        space_of({"a": "float_normalised"}),
        "Invalid feature type: float_normalised. Feature 'a' .* Did you mean 'float_normalized'",
    ),
    "no kind": (space_of({"a": None}), "Invalid feature type: None"),
    "an output mode": (
        space_of({"a": "float"}, output_mode="x"),
        r"Invalid value for argument `output_mode` .* \('dict', 'concat'\). .* output_mode=x",
    ),
    "a feature's output mode": (
        lambda: FeatureSpace.integer_hashed(3, output_mode="x"),
        r"`output_mode` .* \('int', 'one_hot', 'float'\). Received: output_mode=x",
    ),
    "a cross's output mode": (
        lambda: FeatureSpace.cross(("a", "b"), 3, "float"),
        r"`output_mode` .* \('int', 'one_hot'\). Received: output_mode=float",
    ),
    "an unknown name in a cross": (
        crossed({"a": "integer_hashed"}, [("a", "z")]),
        r"should be present in the `features` dict, which has \['a'\]. .* \['z'\] in \('a', 'z'\)",
    ),
    "a cross without bins": (
        crossed(dict.fromkeys("ab", "integer_hashed"), [("a", "b")], crossing_dim=None),
        "When specifying `crosses`, the argument `crossing_dim` .* Received: crossing_dim=None",
    ),
    "a cross of one": (
        crossed({"a": "integer_hashed"}, [("a",)]),
        r"at least two features. Received: \('a',\)",
    ),
    "a cross of floats": (
        crossed({"a": "float", "b": "integer_hashed"}, [("a", "b")]),
        "Cross 'a_X_b' takes features whose preprocessor gives integers. .* 'a', .* float32",
    ),
    "one-hot floats": (
        of_feature("float32", "Rescaling", "one_hot", scale=2.0),
        "Feature 'a' has `output_mode='one_hot'`. .* Instead it returns a float32 dtype",
    ),
    "one-hot integers without end": (
        of_feature("int32", "Identity", "one_hot", dtype="int32"),
        "Feature 'a' .* it isn't a standard feature and the dimensionality .* is not known",
    ),
    "integers beside floats": (
        of_feature("int32", "Hashing", "int", num_bins=3),
        r"Cannot concatenate features because feature 'a' has not been encoded .*int64",
    ),
    "nothing learned": (
        called({"a": ["x"]}, a="string_categorical"),
        r"You need to call `.adapt\(dataset\)` on the FeatureSpace .* \['a'\] have something",
    ),
    "no dict": (called([1.0]), r"can only be called with a dict: .* Received: data=\[1.0\]"),
    "a missing column": (called({"a": [1.0]}), r"Missing: \['b'\], to be left out: \[\]"),
    "an unknown column": (
        called({"a": [1.0], "b": [1.0], "c": [1.0]}),
        r"expects values of the features \['a', 'b'\]. .* Missing: \[\], to be left out: \['c'\]",
    ),
    "columns of other lengths": (
        called({"a": 1.0, "b": [1.0, 2.0]}),
        "expects as many values of each feature. Received: {'a': 1, 'b': 2}",
    ),
    "strings for floats": (
        called({"a": ["x"], "b": [1.0]}),
        "Feature 'a' .* expects float32 values; received strings",
    ),
    "an array to adapt to": (
        adapting(np.ones(3)),
        r"`adapt\(\)` can only be called on a dict of arrays/lists, .* Received instead: \[1.",
    ),
    "rows that are no dicts": (
        adapting([np.array(["x"])]),
        r"expects a dataset that gives dicts: .* It gave array\(\['x'\]",
    ),
    "rows without the feature": (
        adapting({"b": ["x"]}),
        r"expects values of feature 'a'. Received: values of \['b'\]",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str):
    make, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        make()


def test_what_has_learned_nothing_is_saved_so(tmp_path):
    path = tmp_path / "space.keras"
    with pytest.warns(UserWarning, match="You are saving a model that has not yet been built"):
        FeatureSpace({"city": "string_categorical"}).save(path)
    again = load_model(path)
    with pytest.raises(ValueError, match=r"You need to call `.adapt\(dataset\)`"):
        again({"city": "x"})
    again.adapt({"city": ["x"]})
    np.testing.assert_array_equal(again({"city": "x"}), [0, 1])
