"""Layers of numbers, categories and texts, from one row each: Keras's values and configs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tables.preprocessing_layers import ROWS, Row, array, data

import layerkit
from layerkit import Model, Sequential, layers
from layerkit import backend as K
from layerkit.saving import load_model

GOLDEN = Path(__file__).parent / "golden"
KERAS = json.loads((GOLDEN / "preprocessing.json").read_text(encoding="utf-8"))["rows"]

lookups = [row for row in ROWS if row.layer.endswith("Lookup") or row.layer == "TextVectorization"]
learned = [row for row in lookups if row.adapt is not None]


def made(row: Row):
    layer = getattr(layers, row.layer)(**row.arguments, name="row")
    if row.adapt is not None:
        layer.adapt(data(row.adapt))
    return layer


def called(layer, row: Row) -> np.ndarray:
    y = layer(array(row.inputs), **row.options)
    return y if isinstance(y, np.ndarray) else K.to_numpy(y)


def equal(y: np.ndarray, expected: dict) -> None:
    if y.dtype.kind == "f":
        np.testing.assert_allclose(y, expected["y"], rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_array_equal(y, expected["y"])


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_output_is_that_of_keras(row: Row):
    expected, y = KERAS[str(row)], called(made(row), row)
    equal(y, expected)
    assert y.shape == np.shape(expected["y"])
    assert ("str" if y.dtype.kind == "U" else y.dtype.name) == expected["dtype"]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_weights_and_vocabulary_are_those_of_keras(row: Row):
    expected, layer = KERAS[str(row)], made(row)
    called(layer, row)
    assert [w.name for w in layer.weights] == [name for name, _ in expected["weights"]]
    for weight, (_, value) in zip(layer.weights, expected["weights"], strict=True):
        np.testing.assert_allclose(weight.numpy(), value, rtol=1e-5, atol=1e-6)
    if "vocabulary" in expected:
        assert layer.get_vocabulary() == expected["vocabulary"]
        assert layer.vocabulary_size() == len(expected["vocabulary"])
        start = len(expected["vocabulary"]) - len(layer.get_vocabulary(False))
        assert layer.get_vocabulary(False) == expected["vocabulary"][start:]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_is_that_of_keras(row: Row):
    layer, theirs = made(row), KERAS[str(row)]["config"]
    ours = json.loads(json.dumps(layer.get_config()))
    assert {**ours, "dtype": None} == {**theirs, "dtype": None}
    again = type(layer).from_config(theirs)
    assert json.loads(json.dumps(again.get_config())) == ours
    if row not in learned and row.layer != "Normalization":
        equal(called(again, row), KERAS[str(row)])


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_output_shape(row: Row):
    layer, inputs = made(row), array(row.inputs)
    shape = [x.shape for x in inputs] if isinstance(inputs, list) else inputs.shape
    expected, found = np.shape(KERAS[str(row)]["y"]), layer.compute_output_shape(shape)
    assert tuple(a if b is None else b for a, b in zip(expected, found, strict=True)) == expected


@pytest.mark.parametrize("row", learned, ids=str)
def test_a_learned_vocabulary_is_an_asset(row: Row, tmp_path):
    layer, store = made(row), {}
    layer.save_assets(tmp_path)
    layer.save_own_variables(store)
    text = (tmp_path / "vocabulary.txt").read_bytes().decode()
    assert text == "\n".join(str(token) for token in layer.get_vocabulary())
    again = type(layer).from_config(layer.get_config())
    again.load_own_variables(store)
    again.load_assets(tmp_path)
    assert again.get_vocabulary() == layer.get_vocabulary()
    equal(called(again, row), KERAS[str(row)])
    with pytest.raises(ValueError, match="at least one repeated term"):
        again.set_vocabulary(["x", "x"] if row.layer != "IntegerLookup" else [4, 4], *idf(row))


def idf(row: Row) -> list:
    return [[1.0, 1.0]] if "tf" in row.arguments.get("output_mode", "") else []


def test_a_given_vocabulary_is_no_asset(tmp_path):
    layer = layers.StringLookup(vocabulary=["a"])
    layer.save_assets(tmp_path)
    assert not list(tmp_path.iterdir())
    layer.load_assets(tmp_path)
    assert layer.get_vocabulary() == ["[UNK]", "a"]


# What the inputs may be


@pytest.mark.parametrize(
    "texts",
    [["a", "zz"], ("a", "zz"), np.array(["a", "zz"], object), np.array([b"a", b"zz"])],
    ids=["list", "tuple", "objects", "bytes"],
)
def test_strings_come_in_many_kinds(texts):
    np.testing.assert_array_equal(layers.StringLookup(vocabulary=["a"])(texts), [1, 0])
    np.testing.assert_array_equal(layers.TextVectorization(vocabulary=["a"])(texts), [[2], [1]])
    expected = layers.Hashing(1000)(np.array(["a", "zz"])).numpy()
    np.testing.assert_array_equal(layers.Hashing(1000)(texts), expected)


def test_integers_come_in_many_kinds():
    layer = layers.IntegerLookup(vocabulary=[3, 5])
    for ids in (
        [3, 9],
        np.array([3, 9], "uint8"),
        np.array([3.0, 9.0]),
        K.convert_to_tensor([3, 9]),
    ):
        y = layer(ids)
        assert isinstance(y, K.Tensor) and y.dtype == np.int64
        np.testing.assert_array_equal(y, [1, 0])


def test_a_vocabulary_is_a_file_or_an_array_too(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("é\nb\n", encoding="utf-8")
    for words in (str(path), np.array(["é", "b"]), ("é", b"b")):
        layer = layers.StringLookup(vocabulary=words)
        assert layer.get_vocabulary() == ["[UNK]", "é", "b"]
    with pytest.raises(ValueError, match="Vocabulary file .* does not exist"):
        layers.StringLookup(vocabulary=str(tmp_path / "none.txt"))


@pytest.mark.parametrize("name", ["StringLookup", "TextVectorization"])
def test_a_config_names_no_file(name: str):
    """Reading it could open any file there is."""
    cls = getattr(layers, name)
    config = {**cls(vocabulary=["a"]).get_config(), "vocabulary": "/etc/hostname"}
    with pytest.raises(ValueError, match="carries a potential risk"):
        cls.from_config(config)


def test_own_functions_cut_and_clean_texts():
    def clean(texts):
        return np.char.replace(texts, "x", "-")

    def cut(texts):
        return np.char.split(texts, "-")

    layer = layers.TextVectorization(standardize=clean, split=cut)
    layer.adapt(["axbxb", "b-c"])
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "c", "a"]
    np.testing.assert_array_equal(layer(["axc", "d"]), [[4, 3], [1, 0]])
    assert callable(layer.standardize) and callable(layer.split)


def test_words_end_at_spaces_of_ascii_alone():
    layer = layers.TextVectorization(standardize=None)
    layer.adapt(["a\x0bb\tc\n\r\x0c d e\u2003f\x1cg"])
    assert sorted(layer.get_vocabulary(False)) == ["a", "b", "c", "d", "e\u2003f\x1cg"]


def test_datasets_of_pairs_and_a_number_of_steps():
    pairs = [(np.array(["a b"]), np.zeros(1)), (np.array(["c"]), np.zeros(1))]
    layer = layers.TextVectorization()
    layer.adapt(iter(pairs))
    assert sorted(layer.get_vocabulary(False)) == ["a", "b", "c"]
    layer.adapt(iter(pairs), steps=1)
    assert sorted(layer.get_vocabulary(False)) == ["a", "b"]
    normalization = layers.Normalization()
    normalization.adapt((np.full((2, 1), float(i)), None) for i in (1, 3))
    np.testing.assert_allclose(normalization.adapt_mean, [2.0])
    np.testing.assert_allclose(normalization.adapt_variance, [1.0])


class Sequence:
    """A dataset that is indexed, as Keras's PyDataset."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.array([[index + 1.0]]), np.zeros(1)


def test_an_indexed_dataset_can_be_learned():
    normalization = layers.Normalization()
    normalization.adapt(Sequence())
    np.testing.assert_allclose(normalization.adapt_mean, [1.5])
    discretization = layers.Discretization(num_bins=2)
    discretization.adapt(Sequence())
    assert len(discretization.bin_boundaries) == 1


def test_to_adapt_again_forgets():
    layer = layers.Normalization()
    layer.adapt(np.ones((3, 2)))
    layer.adapt(np.array([[1.0, 2.0], [3.0, 6.0]]))
    np.testing.assert_allclose(layer.mean, [[2.0, 4.0]])
    np.testing.assert_allclose(layer.variance, [[1.0, 4.0]])
    lookup = layers.StringLookup()
    lookup.adapt(["a", "a"])
    lookup.adapt(["b"])
    assert lookup.get_vocabulary() == ["[UNK]", "b"]


def test_normalization_has_a_gradient_and_keeps_its_weights_from_training():
    layer = layers.Normalization()
    layer.adapt(np.array([[1.0, 2.0], [3.0, 6.0]]))
    assert not layer.trainable_weights
    x = K.convert_to_tensor(np.ones((2, 2), "float32"))
    with K.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    np.testing.assert_allclose(tape.gradient(y, x), [[1.0, 0.5], [1.0, 0.5]])
    layer.set_weights([np.zeros(2), np.ones(2), 0])
    np.testing.assert_allclose(layer(x), np.ones((2, 2)))


def test_bins_are_equally_full():
    numbers = np.random.default_rng(0).standard_normal(4000)
    layer = layers.Discretization(num_bins=8)
    layer.adapt(numbers.reshape(4, 1000))
    counts = np.bincount(layer(numbers).numpy(), minlength=8)
    assert len(counts) == 8 and abs(counts - 500).max() < 4000 * 0.01


def test_a_saved_summary_of_bins_is_read():
    layer = layers.Discretization(num_bins=2)
    layer.load_own_variables({"0": np.ones((2, 3), "float32")})
    assert layer.summary.shape == (2, 3)


def test_masks_pass_normalization_and_bins_are_named_by_dtype():
    assert layers.Normalization().supports_masking
    assert layers.Discretization([1.0]).output_dtype == "int32"
    assert layers.Discretization([1.0], output_mode="count").output_dtype == "float32"
    assert layers.Hashing(3).output_dtype == "int64"
    assert layers.StringLookup(output_mode="tf_idf").output_dtype == "float32"
    assert layers.StringLookup(invert=True).output_dtype == "string"
    assert layers.TextVectorization().output_dtype == "int64"


@pytest.mark.parametrize(
    "texts",
    [["a b", "b b b"], np.array(["a b", "b b b"]), np.array([["a b"], ["b b b"]], object)],
    ids=["list", "array", "column"],
)
def test_the_first_layer_of_a_model_may_take_strings(texts, tmp_path):
    vectors = layers.TextVectorization(output_mode="count")
    vectors.adapt(["a b"])
    model = Sequential([vectors, layers.Dense(2, kernel_initializer="ones")])
    for _ in range(2):
        np.testing.assert_array_equal(model(texts), [[2, 2], [3, 3]])
    assert model.inputs[0].dtype == "string"
    again = saved_and_loaded(model, tmp_path / "model.keras")
    np.testing.assert_array_equal(again(texts), [[2, 2], [3, 3]])


def test_symbolic_inputs_may_be_strings():
    texts = layers.Input((1,), dtype="string")
    ids = layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=3)(texts)
    assert (ids.shape, ids.dtype) == ((None, 3), "int64")
    model = Model(texts, layers.CategoryEncoding(4, output_mode="count")(ids))
    y = model(np.array([["a b"], ["b b b b"]], object))
    np.testing.assert_array_equal(y, [[1, 0, 1, 1], [0, 0, 0, 3]])


def test_symbolic_outputs_have_the_type_of_the_values():
    numbers = layers.Input((3,))
    bins = layers.Discretization([0.0])(numbers)
    assert (bins.shape, bins.dtype) == ((None, 3), "int32")
    ids = layers.Input((1,), dtype="int64")
    assert layers.IntegerLookup(vocabulary=[1])(ids).dtype == "int64"
    crossed = layers.HashedCrossing(5, output_mode="one_hot")([ids, ids])
    assert (crossed.shape, crossed.dtype) == ((None, 5), "float32")
    model = Model([ids, numbers], [crossed, bins])
    one_hot, _ = model([np.ones((2, 1), "int64"), np.ones((2, 3), "float32")])
    np.testing.assert_array_equal(one_hot.numpy().sum(axis=1), [1, 1])


# What is refused

STRINGS = np.array(["a"])


def adapting(layer, x):
    return lambda: layer.adapt(x)


def setting(layer, *vocabulary):
    return lambda: layer.set_vocabulary(*vocabulary)


L = layers
COUNTS = {"vocabulary": ["a"], "output_mode": "count"}
REFUSED = [
    (lambda: L.Normalization(mean=1.0), "both `mean` and `variance` must be set"),
    (lambda: L.Normalization(mean=1.0, variance=[1.0]), "must have the same shape"),
    (lambda: L.Normalization(mean=[[1.0]], variance=[[1.0]]), "rank of `mean` must be less than"),
    (lambda: L.Normalization(axis=2).build((None, 3)), r"must be in the range \[-ndim, ndim\)"),
    (lambda: L.Normalization().build((3, None)), "must have a known shape"),
    (adapting(L.Normalization(), iter([])), "received an empty iterable"),
    (adapting(L.Normalization(), [[1.0, 2.0]]), "yields arrays or tensors with a `.shape`"),
    (adapting(L.Normalization(), 3), "Unsupported data type"),
    (adapting(L.Normalization(), [np.ones((1, 2)), np.ones((1, 3))]), "incompatible shape"),
    (lambda: L.Discretization(), "set either `num_bins` or `bin_boundaries`"),
    (lambda: L.Discretization([1.0], 2), "Both `num_bins` and `bin_boundaries` should not be set"),
    (lambda: L.Discretization(num_bins=-1), "`num_bins` must be greater than or equal to 0"),
    (lambda: L.Discretization(num_bins=2)(np.ones(2)), r"call `adapt\(dataset\)` before"),
    (adapting(L.Discretization([1.0]), np.ones(2)), "initialized with `bin_boundaries`"),
    (lambda: L.Discretization([1.0], output_mode="x"), "`output_mode` of layer Discretization"),
    (lambda: L.Discretization([1.0], sparse=True), "`sparse=True` of Discretization"),
    (lambda: L.CategoryEncoding(), "num_tokens must be set"),
    (lambda: L.CategoryEncoding(0), "`num_tokens` must be >= 1"),
    (lambda: L.CategoryEncoding(1.5), "and an int. Received: num_tokens=1.5"),
    (lambda: L.CategoryEncoding(2, output_mode="int"), "Unknown arg for output_mode: int"),
    (lambda: L.CategoryEncoding(2, sparse=True), "`sparse=True` of CategoryEncoding"),
    (
        lambda: L.CategoryEncoding(2)(np.ones((1, 1), int), count_weights=np.ones((1, 1))),
        "`count_weights` is not used",
    ),
    (lambda: L.Hashing(0), "cannot be `None` or non-positive"),
    (lambda: L.Hashing(2, output_mode="x"), "`output_mode` of layer Hashing"),
    (lambda: L.Hashing(2, dtype="float32"), "`dtype` should be an integer type"),
    (lambda: L.Hashing(2, salt=[1, 2, 3]), "can only be a tuple of 2 integers"),
    (lambda: L.Hashing(2)(["a", ["b"]]), "Expected rows of one length"),
    (lambda: L.Hashing(2)(np.array(["a", 1], object)), "Expected strings; received 1 of type int"),
    (lambda: L.HashedCrossing(2)(STRINGS), "a list or tuple of at least two inputs"),
    (lambda: L.HashedCrossing(2)([STRINGS, np.ones(2, int)]), "should have equal shape"),
    (lambda: L.HashedCrossing(2)([np.ones((1, 2), int)] * 2), r"shape `\(\)`, `\(batch_size\)`"),
    (lambda: L.HashedCrossing(2)([STRINGS, np.ones(1)]), "an integer or string dtype"),
    (lambda: L.StringLookup(max_tokens=1), "`max_tokens` of StringLookup must be greater than 1"),
    (lambda: L.StringLookup(pad_to_max_tokens=True), "must set `max_tokens`"),
    (lambda: L.IntegerLookup(num_oov_indices=-1), "`num_oov_indices` argument for `IntegerLookup`"),
    (lambda: L.StringLookup(oov_method="x"), "`oov_method` of layer StringLookup"),
    (lambda: L.IntegerLookup(salt=1), "only be used when `oov_method='farmhash'`"),
    (lambda: L.StringLookup(output_mode="count", invert=True), "when `invert` is true"),
    (lambda: L.StringLookup(idf_weights=[1.0]), "only be set if `output_mode` is `'tf_idf'`"),
    (lambda: L.StringLookup(vocabulary=["a"], output_mode="tf_idf"), "must also be provided"),
    (lambda: L.StringLookup(encoding="latin-1"), "expects strings in UTF-8"),
    (lambda: L.IntegerLookup(vocabulary_dtype="int32"), "Only `vocabulary_dtype='int64'`"),
    (setting(L.StringLookup(), []), "Cannot set an empty vocabulary"),
    (setting(L.StringLookup(), ["a"], [1.0]), "only be set if `output_mode` is `'tf_idf'`"),
    (setting(L.StringLookup(output_mode="tf_idf"), ["a"]), "`idf_weights` must be set"),
    (setting(L.StringLookup(output_mode="tf_idf"), ["a"], [1.0, 2.0]), "same length as vocabulary"),
    (setting(L.StringLookup(output_mode="tf_idf"), __file__, [1.0]), "does not support loading"),
    (setting(L.StringLookup(mask_token=""), ["a", ""]), "Found reserved mask token"),
    (setting(L.StringLookup(invert=True), ["a", "[UNK]"]), "Found reserved OOV token"),
    (setting(L.StringLookup(max_tokens=2), ["a", "b"]), "larger than the maximum vocab size"),
    (setting(L.StringLookup(**COUNTS), ["a", "b"]), "the vocabulary size cannot be changed"),
    (adapting(L.StringLookup(vocabulary=["a"]), STRINGS), "after setting a static vocabulary"),
    (lambda: L.StringLookup(output_mode="count")(STRINGS), "you must set the vocabulary of layer"),
    (lambda: L.StringLookup(vocabulary=["b"], num_oov_indices=0)(STRINGS), "found OOV values"),
    (lambda: L.StringLookup()(np.ones(2)), "expects strings; received float64"),
    (lambda: L.IntegerLookup()(STRINGS), "expects integers; received strings"),
    (lambda: L.IntegerLookup()(np.array([0.5])), "expects integers; received float64"),
    (lambda: L.StringLookup(invert=True)(STRINGS), "with `invert=True` expects integers"),
    (lambda: L.TextVectorization(ragged=True), "`ragged=True` of TextVectorization"),
    (lambda: L.TextVectorization(split="x"), "`split` of layer TextVectorization"),
    (lambda: L.TextVectorization(standardize="x"), "`standardize` of layer TextVectorization"),
    (lambda: L.TextVectorization(ngrams="x"), "`ngrams` must be None, an integer"),
    (lambda: L.TextVectorization(output_sequence_length=0.5), "either None or an integer"),
    (
        lambda: L.TextVectorization(output_mode="count", output_sequence_length=2),
        "`output_sequence_length` must not be set",
    ),
    (lambda: L.TextVectorization()(np.ones(2)), "expects strings; received float64"),
    (lambda: L.TextVectorization()([["a", "b"]]), "the input rank must be 1"),
    (
        lambda: L.TextVectorization(vocabulary=["a"], output_mode="one_hot")(STRINGS),
        "layerkit has no ragged tensors",
    ),
]


@pytest.mark.parametrize("act, message", REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(act, message: str):
    with pytest.raises((ValueError, TypeError, RuntimeError), match=message):
        act()


# Files


def saved_and_loaded(model, path):
    model.save(path)
    return load_model(path)


@pytest.mark.parametrize("mode", ["int", "count", "tf_idf"])
def test_a_saved_model_keeps_its_learned_vocabulary(mode: str, tmp_path):
    lookup = layers.IntegerLookup(output_mode=mode, mask_token=0)
    lookup.adapt([[5, 5, 7], [7, 9, 5]])
    model = Sequential([layers.Input((3,), dtype="int64"), lookup])
    again = saved_and_loaded(model, tmp_path / "model.keras")
    assert again.layers[0].get_vocabulary() == lookup.get_vocabulary()
    x = np.array([[5, 9, 1], [0, 7, 7]])
    np.testing.assert_array_equal(again(x), model(x))


def test_assets_lie_where_keras_looks_for_them(tmp_path):
    texts = layers.TextVectorization()
    texts.adapt(["a b b"])
    model = Sequential([texts])
    model.build((None,))
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        path = "assets/layers/text_vectorization"
        names = [f"{path}/vocabulary.txt", f"{path}/_lookup_layer/vocabulary.txt"]
        assert sorted(n for n in archive.namelist() if n.startswith("assets")) == sorted(names)
        assert {archive.read(name) for name in names} == {b"\n[UNK]\nb\na"}
    assert load_model(tmp_path / "model.keras").layers[0].get_vocabulary() == [
        "",
        "[UNK]",
        "b",
        "a",
    ]


def test_keras_files_bring_their_vocabulary():
    model = load_model(GOLDEN / "files" / "tensorflow-lookup.keras")
    expected = KERAS["IntegerLookup:adapt"]["vocabulary"]
    assert model.layers[0].get_vocabulary() == expected
    stored = np.load(GOLDEN / "files" / "tensorflow-lookup.npz")
    np.testing.assert_allclose(model(stored["x"]), stored["predictions"], rtol=1e-5)


def test_what_was_never_learned_can_be_saved(tmp_path):
    for layer in (layers.IntegerLookup(), layers.IntegerLookup(num_oov_indices=0)):
        model = Sequential([layers.Input((3,), dtype="int64"), layer])
        again = saved_and_loaded(model, tmp_path / "model.keras")
        assert again.layers[0].get_vocabulary() == layer.get_vocabulary()


def test_learned_numbers_are_weights_and_configs(tmp_path):
    normalization, bins = layers.Normalization(), layers.Discretization(num_bins=3)
    normalization.adapt(array([[1.0, 2.0], [3.0, 6.0]]))
    bins.adapt(array([-1.0, -0.5, 0.5, 1.0]))
    model = Sequential([layers.Input((2,)), normalization, bins])
    again = saved_and_loaded(model, tmp_path / "model.keras")
    x = array([[1.0, 6.0], [3.0, 2.0]])
    np.testing.assert_array_equal(again(x), model(x))
    np.testing.assert_array_equal(again.layers[0].mean, normalization.mean)


@pytest.mark.numpy_only("strings stay on the host")
@pytest.mark.parametrize("functional", [False, True])
def test_a_model_is_trained_on_strings(functional, tmp_path):
    texts = np.array(["a b c", "b c", "d", "a a"] * 4)
    labels = np.array([0, 1, 1, 0] * 4)
    vectorize = layers.TextVectorization(max_tokens=10, output_sequence_length=4)
    vectorize.adapt(texts)
    parts = [
        vectorize,
        layers.Embedding(10, 4, mask_zero=True),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ]
    if functional:
        x = y = layerkit.Input((1,), dtype="string")
        for part in parts:
            y = part(y)
        model, texts = layerkit.Model(x, y), texts[:, None]
    else:
        model = layerkit.Sequential(parts)
    model.compile(layerkit.optimizers.Adam(0.2), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(texts, labels, batch_size=4, epochs=12, verbose=0).history
    assert history["accuracy"][-1] == 1
    predictions = model.predict(texts.astype(object), batch_size=3, verbose=0)
    np.testing.assert_array_equal(predictions[:, 0] > 0.5, labels == 1)
    model.save(tmp_path / "texts.keras")
    again = layerkit.models.load_model(tmp_path / "texts.keras")
    np.testing.assert_array_equal(again.predict(texts, verbose=0), model.predict(texts, verbose=0))
