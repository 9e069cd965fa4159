"""layerkit.preprocessing against what Keras keeps of Keras 2's (golden/preprocessing.npz)."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from tables import preprocessing as rows
from tables import utils as pictures_table

import layerkit
from layerkit import Sequential, layers, preprocessing, utils
from layerkit import backend as K
from layerkit.preprocessing import image, sequence, text

GOLDEN = dict(np.load(Path(__file__).parent / "golden" / "preprocessing.npz"))
UTILS = dict(np.load(Path(__file__).parent / "golden" / "utils.npz"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("PIL")
    return rows.pictures(tmp_path_factory.mktemp("pictures"))


def check(name, batch, **tolerance):
    arrays = rows.flat(batch)
    assert sum(key.startswith(f"{name} ") for key in GOLDEN) == len(arrays)
    for index, array in enumerate(arrays):
        close(array, GOLDEN[f"{name} {index}"], **tolerance)


def close(array, expected, rtol=1e-5, atol=1e-5):
    assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(array, expected, rtol=rtol, atol=atol)


# Warps and the random functions.


def _warps():
    for warp in rows.WARPS:
        for settings in rows.WARP_SETTINGS:
            for axes in rows.AXES if settings == {"fill_mode": "nearest"} else rows.AXES[1:2]:
                yield warp, settings, axes


@pytest.mark.parametrize(("warp", "settings", "axes"), [*_warps()], ids=str)
def test_warps(warp, settings, axes):
    x = np.moveaxis(rows.image(), *((2, 0) if axes.get("channel_axis", 0) == 0 else (0, 0)))
    x = x.swapaxes(1, 2) if axes.get("row_axis") == 2 else x
    before = x.copy()
    warped = image.apply_affine_transform(x, **warp, **settings, **axes)
    close(warped, GOLDEN[rows.key("warp", warp, settings, axes)])
    np.testing.assert_array_equal(x, before)
    if len(settings) == 1:
        warped = image.apply_affine_transform((x * 255).astype("uint8"), **warp, **settings, **axes)
        expected = GOLDEN[rows.key("bytes", warp, settings, axes)]
        assert warped.dtype == np.uint8
        # A value that lies half way between two bytes may fall on either.
        np.testing.assert_allclose(warped.astype(int), expected.astype(int), atol=1)
        assert (warped != expected).mean() < 0.02


def test_no_warp_is_no_copy():
    x = rows.image()
    assert image.apply_affine_transform(x) is x


@pytest.mark.parametrize("factor", [1, 200])
@pytest.mark.parametrize(("name", "args", "options"), rows.FUNCTIONS, ids=str)
def test_functions(name, args, options, factor):
    np.random.seed(5)
    x = rows.image() * np.float32(factor) - (10 if factor > 1 else 0)
    result = getattr(image, name)(x, *args, **options)
    close(result, GOLDEN[rows.key(name, args, options, factor)], atol=1e-4)


def test_brightness_leaves_alpha():
    x = np.full((2, 2, 4), 100.0)
    np.testing.assert_array_equal(
        image.apply_brightness_shift(x, 2.0, scale=False)[0, 0], [200, 200, 200, 100]
    )
    K.set_image_data_format("channels_first")
    brighter = image.apply_brightness_shift(x.transpose(2, 0, 1), 2.0, scale=False)
    np.testing.assert_array_equal(brighter[:, 0, 0], [200, 200, 200, 100])


@pytest.mark.parametrize("size", [(4, 6), (9, 5)])
def test_smart_resize(size):
    x = pictures_table.picture(7, 9, 3, 1).astype("float32")
    expected = UTILS[f"smart_resize {size}"]
    close(image.smart_resize(x, size), expected, atol=1e-3)
    close(image.smart_resize(x[None], size)[0], expected, atol=1e-3)
    first = image.smart_resize(x.transpose(2, 0, 1), size, data_format="channels_first")
    close(first.transpose(1, 2, 0), expected, atol=1e-3)
    tensor = image.smart_resize(K.convert_to_tensor(x), size)
    assert isinstance(tensor, K.Tensor)
    close(tensor.numpy(), expected, atol=1e-3)


# ImageDataGenerator.


@pytest.mark.parametrize("options", rows.GENERATORS, ids=str)
def test_generator(options):
    x = rows.batch_of(options)
    generator = image.ImageDataGenerator(validation_split=0.3, **options)
    if rows.fits(options):
        generator.fit(x)
    name = rows.key("generator", options)
    transformed = generator.random_transform(x[0], seed=2)
    # A byte of brightness more or less, where a float lies upon the edge between two.
    atol = 1.0 if "brightness_range" in options else 1e-3
    close(transformed, GOLDEN[f"{name} transform"], atol=atol)
    close(generator.standardize(x[:2].copy()), GOLDEN[f"{name} standardize"], 1e-3, 1e-3)
    for flow in rows.FLOWS[:1] if options else rows.FLOWS:
        np.random.seed(6)
        batches = generator.flow(x, np.arange(7), sample_weight=np.ones(7), **flow)
        for step in range(2 if options else 5):
            check(rows.key("flow", options, flow, step), next(batches)[:2], rtol=1e-3, atol=atol)
        last = batches[len(batches) - 1]
        check(rows.key("item", options, flow), last[:2], rtol=1e-3, atol=atol)
        assert len(last) == 3


@pytest.mark.parametrize("augment", [True, False])
def test_fit(augment):
    generator = image.ImageDataGenerator(
        featurewise_center=True, featurewise_std_normalization=True, rotation_range=30, rescale=0.1
    )
    x = rows.images()
    generator.fit(x, augment=augment, rounds=2, seed=3)
    np.testing.assert_allclose(
        np.stack([generator.mean, generator.std]), GOLDEN[f"fit {augment}"], rtol=1e-5
    )
    np.testing.assert_array_equal(x, rows.images())


def test_iterator_as_a_sequence():
    generator = image.ImageDataGenerator(preprocessing_function=lambda x: x + 1)
    x = rows.images()
    batches = generator.flow((x, [np.arange(7), np.arange(7) * 2]), np.arange(7), 3, False)
    assert len(batches) == 3
    (first, one, two), y = batches[2]
    np.testing.assert_array_equal(first, x[6:] + 1)
    assert (one.tolist(), two.tolist(), y.tolist()) == ([6], [12], [6])
    assert iter(batches) is batches
    assert batches.next()[1].tolist() == [0, 1, 2]
    batches.reset()
    assert next(batches)[1].tolist() == [0, 1, 2]
    shuffled = generator.flow(x, batch_size=7)
    orders = []
    for _ in range(3):
        orders.append(shuffled[0].sum(axis=(1, 2, 3)).tolist())
        shuffled.on_epoch_end()
    assert len({tuple(order) for order in orders}) > 1
    assert len({tuple(sorted(order)) for order in orders}) == 1


def test_weights_are_those_of_the_subset():
    generator = image.ImageDataGenerator(validation_split=0.3)
    weights = np.arange(7.0)
    for subset, expected in (("validation", [0, 1]), ("training", [2, 3, 4, 5, 6])):
        flow = generator.flow(
            rows.images(), weights, sample_weight=weights, shuffle=False, subset=subset,
            ignore_class_split=True,
        )  # fmt: skip
        _, y, w = next(flow)
        assert y.tolist() == w.tolist() == expected


def test_saved_batches(tmp_path):
    pytest.importorskip("PIL")
    generator = image.ImageDataGenerator()
    flow = generator.flow(rows.images(), batch_size=2, save_to_dir=tmp_path, save_prefix="a")
    batch = next(flow)
    saved = sorted(tmp_path.glob("a_*.png"))
    assert len(saved) == 2
    array = utils.img_to_array(utils.load_img(saved[0]))
    close(array, utils.img_to_array(utils.array_to_img(batch[0])), atol=255)


@pytest.mark.parametrize("options", rows.FROM_DIRECTORY, ids=str)
def test_from_directory(folder, options, capsys):
    generator = image.ImageDataGenerator(
        rescale=1 / 255, validation_split=0.4, horizontal_flip=True
    )
    np.random.seed(8)
    flow = generator.flow_from_directory(folder, target_size=(4, 3), **options)
    assert capsys.readouterr().out.startswith("Found ")
    for step in range(3):
        check(rows.key("directory", options, step), next(flow), atol=1e-6)


@pytest.mark.parametrize("options", rows.FROM_TABLE, ids=str)
def test_from_a_table(folder, options, capsys):
    generator = image.ImageDataGenerator(
        rescale=1 / 255, validation_split=0.4, horizontal_flip=True
    )
    np.random.seed(8)
    flow = generator.flow_from_dataframe(rows.TABLE, folder, target_size=(4, 3), **options)
    assert capsys.readouterr().out.startswith(f"Found {flow.samples} validated image filenames")
    for step in range(3):
        check(rows.key("table", options, step), next(flow), atol=1e-6)


def test_files_that_are_not_there(folder):
    table = {"filename": ["cats/a.png", "gone.png", "cats/notes.txt"], "class": ["a", "b", "b"]}
    generator = image.ImageDataGenerator()
    with pytest.warns(UserWarning, match='Found 2 invalid image filename.*x_col="filename"'):
        flow = generator.flow_from_dataframe(table, folder, class_mode="sparse")
    assert (flow.filenames, flow.labels) == (["cats/a.png"], [0])
    flow = generator.flow_from_dataframe(
        table, folder, class_mode="sparse", validate_filenames=False
    )
    assert flow.samples == 3


# Training on them.


def _fitted(shape, data, **options):
    """The loss of a linear model, and that of a loop over the same batches."""
    model = layerkit.Sequential([layers.Input(shape), layers.Flatten(), layers.Dense(1)])
    model.compile(layerkit.optimizers.SGD(0.0), "mse")
    return model, model.fit(data, epochs=2, verbose=0, **options).history["loss"]


@pytest.mark.parametrize("workers", [1, 2])
def test_fit_on_images(workers):
    generator = image.ImageDataGenerator(rescale=1 / 255)
    flow = generator.flow(rows.images(), np.arange(7.0), batch_size=3, shuffle=False)
    assert isinstance(flow, utils.PyDataset)
    flow.workers = workers
    model, losses = _fitted((4, 5, 3), flow)
    error = model.predict(rows.images() / np.float32(255), verbose=0)[:, 0] - np.arange(7)
    np.testing.assert_allclose(losses, [np.mean(error**2)] * 2, rtol=1e-4)


def test_fit_on_a_series():
    data = rows.series().astype("float32") / 100
    generator = sequence.TimeseriesGenerator(data, data[:, 0], 4, batch_size=5)
    model, losses = _fitted((4, 2), generator)
    windows = np.array([data[i : i + 4] for i in range(13)])
    error = model.predict(windows, verbose=0)[:, 0] - data[4:, 0]
    np.testing.assert_allclose(losses, [np.mean(error**2)] * 2, rtol=1e-4)


# Texts.


@pytest.mark.parametrize("options", rows.TOKENIZERS, ids=str)
def test_tokenizer(options):
    tokenizer = text.Tokenizer(**options)
    tokenizer.fit_on_texts(rows.TEXTS)
    name = rows.key("tokenizer", options)
    expected = json.loads(str(GOLDEN[name]))
    for one in (tokenizer, text.tokenizer_from_json(tokenizer.to_json(indent=1))):
        sequences = one.texts_to_sequences([*rows.TEXTS, "a cat of mice", ["The", "dog"]])
        assert sequences == expected["sequences"]
        assert one.sequences_to_texts([*sequences, [1, 99]]) == expected["texts"]
        config = one.get_config()
        for key, value in expected["config"].items():
            if key in ("word_docs", "index_docs"):  # dicts that Keras fills in a set's order
                assert json.loads(config[key]) == json.loads(value)
            else:
                assert config[key] == value
        for mode in ("binary", "count", "freq", "tfidf"):
            matrix = one.texts_to_matrix(rows.TEXTS, mode)
            close(matrix, GOLDEN[f"{name} {mode}"], rtol=1e-12, atol=0)


def test_tokenizer_of_sequences():
    tokenizer = text.Tokenizer(num_words=4)
    tokenizer.fit_on_sequences([[1, 2, 2], [2, 3]])
    matrix = tokenizer.sequences_to_matrix([[2, 2, 9]], "tfidf")
    np.testing.assert_allclose(matrix, [[0, 0, (1 + np.log(2)) * np.log(1 + 2 / 3), 0]])


def test_tokenizer_with_an_analyzer():
    tokenizer = text.Tokenizer(analyzer=lambda text: text.split("-"))
    tokenizer.fit_on_texts(["a-B", "B"])
    assert tokenizer.texts_to_sequences(["B-a"]) == [[1, 2]]


def test_words():
    assert text.text_to_word_sequence("Ab, c\td!") == ["ab", "c", "d"]
    assert text.text_to_word_sequence("Ab, cxd", filters=",", lower=False, split="x") == [
        *["Ab", " c", "d"]
    ]


def test_hashes():
    expected = GOLDEN["hashes"].tolist()
    assert text.hashing_trick(rows.TEXTS[0], 50, "md5") == expected
    assert text.hashing_trick(rows.TEXTS[0], 50) == expected  # the same in every process
    assert text.one_hot(rows.TEXTS[0], 50) == expected
    assert text.hashing_trick("a bc", 9, len) == [2, 3]
    assert text.hashing_trick("abc", 9, ord, analyzer=list) == [2, 3, 4]


# Sequences.


@pytest.mark.parametrize("options", rows.SERIES, ids=str)
def test_timeseries_generator(options):
    data = rows.series()
    np.random.seed(9)
    generator = sequence.TimeseriesGenerator(data, data[:, 0] * 2, **options)
    for index, batch in enumerate(generator):
        check(rows.key("series", options, index), batch, rtol=0, atol=0)
    assert index + 1 == len(generator)
    assert rows.key("series", options, index + 1) + " 0" not in GOLDEN


def test_timeseries_generator_as_json():
    data = rows.series()
    generator = sequence.TimeseriesGenerator(data, data.tolist(), 3)
    made = json.loads(generator.to_json())
    assert made["class_name"] == "TimeseriesGenerator"
    assert json.loads(made["config"]["data"]) == json.loads(made["config"]["targets"])
    assert (made["config"]["length"], made["config"]["start_index"]) == (3, 3)
    generator.targets = [object()] * 17
    with pytest.raises(TypeError, match="Targets not JSON Serializable"):
        generator.get_config()


@pytest.mark.parametrize("options", rows.SKIPGRAMS, ids=str)
def test_skipgrams(options):
    random.seed(4)
    couples, labels = sequence.skipgrams(rows.WORDS, 8, **options)
    expected = json.loads(str(GOLDEN[rows.key("skipgrams", options)]))
    assert [couples, labels] == expected


def test_sampling_table():
    np.testing.assert_allclose(sequence.make_sampling_table(20, 1e-3), GOLDEN["table"], rtol=1e-12)


def test_names_of_keras_3():
    for name in preprocessing.__all__[1:2] + preprocessing.__all__[4:]:
        assert getattr(preprocessing, name) is getattr(utils, name)
    for name in ("array_to_img", "img_to_array", "load_img", "save_img"):
        assert getattr(image, name) is getattr(utils, name)
    assert sequence.pad_sequences is utils.pad_sequences


# Messages.


def _flow(*args, settings=None, **options):
    return lambda _: image.ImageDataGenerator(**(settings or {})).flow(*args, **options)


def _directory(**options):
    return lambda folder: image.ImageDataGenerator().flow_from_directory(folder, **options)


def _table(table, **options):
    return lambda folder: image.ImageDataGenerator().flow_from_dataframe(table, folder, **options)


X = rows.images()
NAMES = ["cats/a.png", "dogs/a.png"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda _: image.ImageDataGenerator(zoom_range=[1]), ValueError, "`zoom_range` should"),
        (lambda _: image.ImageDataGenerator(brightness_range=1), ValueError, "`brightness_range"),
        (lambda _: image.ImageDataGenerator(validation_split=2), ValueError, "between 0 and 1"),
        (lambda _: image.ImageDataGenerator(data_format="x"), ValueError, "`data_format`"),
        (lambda _: image.ImageDataGenerator().fit(X[0]), ValueError, "should have rank 4"),
        (_flow(X[0]), ValueError, "should have rank 4"),
        (_flow(X, np.ones(3)), ValueError, r"`y` should have the same length.*\(3,\)"),
        (_flow(X, sample_weight=np.ones(3)), ValueError, "`sample_weight` should have the same"),
        (_flow((X, np.ones(3))), ValueError, "`x` should have the same length"),
        (_flow(X, subset="test"), ValueError, "Invalid subset name: test"),
        (
            _flow(X, np.arange(7), subset="training", settings={"validation_split": 0.3}),
            ValueError,
            "Training and validation subsets have different number of classes",
        ),
        (lambda _: _flow(X)(_)[9], ValueError, "retrieve element 9, but the Sequence has length 1"),
        (_directory(class_mode="x"), ValueError, "Invalid class_mode: x; expected one of"),
        (_directory(color_mode="x"), ValueError, "Invalid color mode: x"),
        (_directory(subset="x"), ValueError, "Invalid subset name: x"),
        (_table({"filename": [3]}), TypeError, "x_col=filename must be strings"),
        (
            _table({"filename": NAMES, "class": [1, 2]}, class_mode="sparse"),
            TypeError,
            'If class_mode="sparse", y_col="class" column values must be strings',
        ),
        (
            _table({"filename": NAMES, "class": [1, 2]}),
            TypeError,
            "must be type string, list or tuple",
        ),
        (
            _table({"filename": NAMES, "class": ["a", "a"]}, class_mode="binary"),
            ValueError,
            "there must be 2 classes. Found 1 classes",
        ),
        (
            _table({"filename": NAMES, "class": [1, 2]}, class_mode="multi_output"),
            TypeError,
            "y_col must be a list. Received str",
        ),
        (
            _table({"filename": NAMES, "class": "ab"}, class_mode=None, weight_col="class"),
            TypeError,
            "Column weight_col=class must be numeric",
        ),
        (lambda _: image.apply_affine_transform(X), ValueError, r"of rank 3.*\(7, 4, 5, 3\)"),
        (lambda _: image.apply_affine_transform(X[0], row_axis=2), ValueError, "must be distinct"),
        (
            lambda _: image.apply_affine_transform(X[0], row_axis=0, channel_axis=1),
            ValueError,
            "Invalid axis' indices",
        ),
        (lambda _: image.apply_affine_transform(X[0], fill_mode="x"), ValueError, "`fill_mode`"),
        (lambda _: image.apply_affine_transform(X[0], order=3), ValueError, "should be 0 or 1"),
        (lambda _: image.random_zoom(X[0], (1,)), ValueError, "`zoom_range` should be a tuple"),
        (lambda _: image.random_brightness(X[0], 1), ValueError, "`brightness_range` should be"),
        (lambda _: image.smart_resize(X, (1, 2, 3)), ValueError, "Expected `size` to be a tuple"),
        (lambda _: image.smart_resize(X, (1, 2), "x"), ValueError, "`interpolation` should be one"),
        (lambda _: image.smart_resize(X[0, 0], (1, 2)), ValueError, "with incorrect rank"),
        (lambda _: text.Tokenizer().texts_to_matrix([]), ValueError, "Specify a dimension"),
        (lambda _: text.Tokenizer(3).texts_to_matrix([], "tfidf"), ValueError, "using tfidf mode"),
        (lambda _: text.Tokenizer(3).texts_to_matrix([], "x"), ValueError, "vectorization mode: x"),
        (
            lambda _: sequence.TimeseriesGenerator([1], [1, 2], 1),
            ValueError,
            "Data length is 1 while target length is 2",
        ),
        (
            lambda _: sequence.TimeseriesGenerator([1, 2], [1, 2], 3),
            ValueError,
            "`start_index.length=3 > end_index=1` is disallowed",
        ),
    ],
)  # fmt: skip
def test_messages(folder, call, error, message):
    with pytest.raises(error, match=message):
        call(folder)


@pytest.mark.parametrize(
    ("options", "overridden"),
    [
        ({"zca_whitening": True}, ["zca_whitening.*featurewise_center"]),
        (
            {"zca_whitening": True, "featurewise_std_normalization": True},
            ["zca.*featurewise_std_normalization", "zca.*featurewise_center"],
        ),
        ({"featurewise_std_normalization": True}, ["featurewise_std.*featurewise_center"]),
        ({"samplewise_std_normalization": True}, ["samplewise_std.*samplewise_center"]),
    ],
)
def test_settings_that_need_others(options, overridden):
    with pytest.warns(UserWarning) as warnings:
        image.ImageDataGenerator(**options)
    assert len(warnings) == len(overridden)
    for warning, pattern in zip(warnings, overridden, strict=True):
        assert re.search(pattern, str(warning.message))


@pytest.mark.parametrize("name", ["featurewise_center", "featurewise_std_normalization"])
def test_generator_that_was_not_fitted(name):
    generator = image.ImageDataGenerator()
    setattr(generator, name, True)
    with pytest.warns(UserWarning, match=f"specifies `{name}`, but it hasn't been fit"):
        generator.standardize(X[0].copy())


def test_unusual_channels():
    with pytest.warns(UserWarning, match=r"expected either 1, 3, or 4 channels on axis 3.*\(5 ch"):
        image.ImageDataGenerator().flow(X.transpose(0, 1, 3, 2))


@pytest.mark.parametrize("kind", ["series", "images"])
def test_fit_knows_how_many_batches_there_are(kind):
    if kind == "series":
        batches = sequence.TimeseriesGenerator(np.ones((9, 2)), np.ones(9), 3, batch_size=2)
    else:
        x = np.ones((5, 2, 3, 1), "float32")
        batches = image.ImageDataGenerator().flow(x, np.ones(5), batch_size=2)
    model = Sequential([layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(batches, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 6
