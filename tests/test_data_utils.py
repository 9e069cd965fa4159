"""Pictures, texts and series as arrays and data sets, against real Keras (golden/utils.npz)."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from tables import utils as rows

import layerkit
from layerkit import layers, utils
from layerkit.backend import tree
from layerkit.data.dataset import Dataset

GOLDEN = dict(np.load(Path(__file__).parent / "golden" / "utils.npz"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    pytest.importorskip("PIL")
    return rows.write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    return rows.write_texts(tmp_path_factory.mktemp("texts"))


def check(dataset, name, **tolerance):
    """Every batch as Keras gave it, in two passes; texts as Python's strings."""
    for _ in range(2):
        count = 0
        for index, batch in enumerate(dataset):
            parts = batch if isinstance(batch, tuple) else (batch,)
            assert (f"{name} y{index}" in GOLDEN) == (len(parts) == 2)
            for letter, part in zip("xy", parts, strict=False):
                expected = GOLDEN[f"{name} {letter}{index}"]
                if expected.dtype.kind == "U":
                    assert np.reshape(part, -1).tolist() == expected.tolist()
                    continue
                if letter == "x" and expected.dtype == np.uint8:  # TensorFlow's nearest keeps bytes
                    expected = expected.astype("float32")
                assert (part.dtype, part.shape) == (expected.dtype, expected.shape)
                np.testing.assert_allclose(part, expected, **tolerance)
            count += 1
        assert count == len(dataset) == sum(key.startswith(f"{name} x") for key in GOLDEN)


@pytest.mark.parametrize("options", rows.IMAGE_ROWS, ids=str)
def test_pictures(pictures, options):
    dataset = utils.image_dataset_from_directory(pictures, **options, **rows.LISTED)
    # TensorFlow reads bicubic weights from a table, its steps are a 1024th of a pixel.
    tolerance = 0.2 if options.get("interpolation") == "bicubic" else 1e-3
    check(dataset, rows.key("images", options), atol=tolerance, rtol=0)


def test_grey_pictures(pictures):
    """As Pillow turns colours into grey; TensorFlow weighs them otherwise."""
    dataset = utils.image_dataset_from_directory(
        pictures, color_mode="grayscale", image_size=(7, 9), shuffle=False, verbose=False
    )
    x = next(iter(dataset))[0]
    assert x.shape == (5, 7, 9, 1)
    colours = rows.picture(7, 9, 3, 1) @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(x[0, ..., 0], colours, atol=1)


@pytest.mark.parametrize("options", rows.TEXT_ROWS, ids=str)
def test_texts(texts, options):
    dataset = utils.text_dataset_from_directory(texts, **options, **rows.LISTED)
    check(dataset, rows.key("texts", options))
    assert dataset.class_names == (None if options.get("labels", 1) is None else ["neg", "pos"])


@pytest.mark.parametrize("options", rows.AUDIO_ROWS, ids=str)
def test_sounds(tmp_path, options):
    folder = rows.write_sounds(tmp_path)
    dataset = utils.audio_dataset_from_directory(folder, **options, **rows.LISTED)
    check(dataset, rows.key("sounds", options), rtol=0)


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        (b"no sound", {}, ValueError, "a.wav: expected a .wav file of 16 bits; received another"),
        (rows.wav(np.zeros((3, 1), "u1")), {}, ValueError, "received one of 8 bits"),
        (
            rows.wav(np.zeros((3, 1), "<i2")),
            {"sampling_rate": 16000},
            NotImplementedError,
            "a.wav: expected 16000 samples a second; received 8000",
        ),
        (b"", {"ragged": True}, NotImplementedError, "no ragged tensors.*received ragged=True"),
        (b"", {"sampling_rate": 0}, ValueError, "`sampling_rate` should have an integer value"),
        (b"", {"sampling_rate": "x"}, ValueError, "`sampling_rate` should have an integer value"),
    ],
)
def test_sounds_that_cannot_be_read(tmp_path, content, options, error, message):
    (tmp_path / "hi").mkdir()
    (tmp_path / "hi" / "a.wav").write_bytes(content)
    with pytest.raises(error, match=message):
        next(iter(utils.audio_dataset_from_directory(tmp_path, verbose=False, **options)))


def test_sounds_of_one_rate(tmp_path):
    folder = rows.write_sounds(tmp_path)
    dataset = utils.audio_dataset_from_directory(folder, sampling_rate=8000, **rows.LISTED)
    check(dataset, rows.key("sounds", {}), rtol=0)


@pytest.mark.parametrize("options", rows.ORDER_ROWS, ids=str)
def test_order_of_files(pictures, options, capsys):
    dataset = utils.image_dataset_from_directory(pictures, verbose=False, **options)
    received = [os.path.relpath(path, pictures) for path in dataset.file_paths]
    assert received == GOLDEN[rows.key("order", options)].tolist()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("with_targets", "options"), rows.SERIES_ROWS, ids=str)
def test_series(with_targets, options):
    series = rows.series()
    targets = series[:, 0] * 10 if with_targets else None
    dataset = utils.timeseries_dataset_from_array(series, targets, **options)
    check(dataset, rows.key("series", with_targets, options), rtol=0)


@pytest.mark.parametrize("options", rows.PAD_ROWS, ids=str)
def test_pad_sequences(options):
    padded = utils.pad_sequences(rows.SEQUENCES, **options)
    expected = GOLDEN[rows.key("pad", options)]
    assert padded.dtype == expected.dtype
    np.testing.assert_array_equal(padded, expected)


def test_pad_sequences_of_vectors_and_texts():
    deep = utils.pad_sequences(rows.DEEP_SEQUENCES, maxlen=3)
    np.testing.assert_array_equal(deep, GOLDEN["pad deep"])
    texts = utils.pad_sequences([["a"], ["b", "cd"]], dtype=object, value="-")
    assert texts.tolist() == [["-", "a"], ["b", "cd"]]
    assert utils.pad_sequences([[1], [2, 3]], maxlen=0).shape == (2, 0)


@pytest.mark.parametrize("options", rows.LOAD_ROWS, ids=str)
def test_load_img(pictures, options):
    expected = GOLDEN[rows.key("load", options)]
    path = pictures / "cats" / "a.png"
    for given in (path, str(path), str(path).encode(), io.BytesIO(path.read_bytes())):
        image = utils.load_img(given, **options)
        array = utils.img_to_array(image)
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, expected)
    first = utils.img_to_array(image, data_format="channels_first", dtype="uint8")
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, expected.transpose(2, 0, 1))


@pytest.mark.parametrize("scale", [True, False])
def test_array_to_img(scale):
    pytest.importorskip("PIL")
    array = rows.series()[:9].reshape(3, 2, 3) * 60 + 100
    for name, x in (("", array), (" grey", array[..., :1] * 9)):
        expected = GOLDEN[f"array_to_img{name} {scale}"]
        np.testing.assert_array_equal(utils.array_to_img(x, scale=scale), expected)
        image = utils.array_to_img(x.transpose(2, 0, 1), data_format="channels_first", scale=scale)
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.gif"])
def test_save_img(tmp_path, name):
    pytest.importorskip("PIL")
    picture = np.repeat(rows.picture(4, 5, 1, 1), 3, axis=2)
    utils.save_img(tmp_path / name, picture, scale=False)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(tmp_path / name)), picture)


def test_save_img_as_jpeg(tmp_path):
    pytest.importorskip("PIL")
    with pytest.warns(UserWarning, match="JPEG format does not support RGBA"):
        utils.save_img(tmp_path / "a.jpg", rows.picture(8, 8, 4, 1))
    file = io.BytesIO()
    utils.save_img(file, rows.picture(8, 8, 3, 1), file_format="jpg")
    assert file.getvalue()[:2] == (tmp_path / "a.jpg").read_bytes()[:2] == b"\xff\xd8"


@pytest.mark.parametrize("options", rows.SPLIT_ROWS, ids=str)
def test_split_dataset(options):
    arrays = list(rows.series()[:10].T)
    for side, part in enumerate(utils.split_dataset(arrays, **options)):
        expected = GOLDEN[rows.key("split", options) + f" {side}"]
        assert len(part) == len(expected)
        for _ in range(2):
            np.testing.assert_array_equal([list(sample) for sample in part], expected)
        batches = list(part.batch(4))
        assert [len(x) for x, _ in batches] == [4] * (len(part) // 4) + [len(part) % 4] * bool(
            len(part) % 4
        )
        np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), expected[:, 0])


def test_split_of_an_array_and_of_a_dataset():
    array = np.arange(10)
    left, right = utils.split_dataset(array, right_size=0.2)
    assert (list(left), list(right)) == ([*range(8)], [8, 9])
    again, _ = utils.split_dataset(left.batch(2), left_size=1)
    assert [batch.tolist() for batch in again] == [[0, 1]]


@pytest.mark.parametrize("shuffle", [True, False])
def test_every_pass_has_all_samples(pictures, shuffle):
    options = {"image_size": 4, "seed": 5, "batch_size": 2, "verbose": False, "shuffle": shuffle}
    dataset = utils.image_dataset_from_directory(pictures, **options)
    labels = [np.concatenate([y for _, y in dataset]).tolist() for _ in range(4)]
    assert all(sorted(order) == [0, 0, 0, 1, 1] for order in labels)
    assert (len({tuple(order) for order in labels}) > 1) == shuffle
    again = utils.image_dataset_from_directory(pictures, **options)
    for (x, y), (x2, y2) in zip(dataset, again, strict=True):
        assert x.shape == x2.shape
        assert y.dtype == y2.dtype
    first, second = (
        np.concatenate([y for _, y in utils.image_dataset_from_directory(pictures, **options)])
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_both_parts(pictures, capsys):
    training, validation = utils.image_dataset_from_directory(
        pictures, image_size=4, seed=7, validation_split=0.4, subset="both"
    )
    assert capsys.readouterr().out == (
        "Found 5 files belonging to 2 classes.\nUsing 3 files for training, 2 for validation.\n"
    )
    for part, row in ((training, rows.ORDER_ROWS[1]), (validation, rows.ORDER_ROWS[2])):
        received = [os.path.relpath(path, pictures) for path in part.file_paths]
        assert received == GOLDEN[rows.key("order", row)].tolist()
        assert part.class_names == ["cats", "dogs"]


def test_shuffled_windows_hold_what_belongs_together():
    data = np.arange(40.0)
    dataset = utils.timeseries_dataset_from_array(
        data, data + 100, 3, batch_size=7, shuffle=True, seed=2
    )
    begins = []
    for windows, targets in dataset:
        np.testing.assert_array_equal(windows, windows[:, :1] + np.arange(3))
        np.testing.assert_array_equal(targets, windows[:, 0] + 100)
        begins += windows[:, 0].tolist()
    assert begins != sorted(begins)
    assert sorted(begins) == [*range(38)]


def test_fit_on_a_dataset():
    data = np.arange(20, dtype="float32") / 20
    dataset = utils.timeseries_dataset_from_array(data[:-3], data[3:], 3, batch_size=4)
    model = layerkit.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile(layerkit.optimizers.SGD(0.0), "mse")
    losses = model.fit(dataset, epochs=2, verbose=0).history["loss"]
    windows = np.array([data[i : i + 3] for i in range(15)])
    error = model.predict(windows, verbose=0)[:, 0] - data[3:18]
    np.testing.assert_allclose(losses, [np.mean(error**2)] * 2, rtol=1e-4)


def test_dataset_helpers():
    dataset = Dataset(lambda: iter([(1, 2), (3, 4), (5, 6)]), 3)
    assert list(dataset.map(lambda x, y: x + y)) == [3, 7, 11]
    assert list(dataset.map(lambda x, y: x).map(lambda x: -x)) == [-1, -3, -5]
    assert [*dataset.take(2).as_numpy_iterator()] == [(1, 2), (3, 4)] and len(dataset.take(9)) == 3
    assert [*dataset.skip(2).as_numpy_iterator()] == [(5, 6)]
    assert (len(dataset.skip(2)), len(dataset.skip(9))) == (1, 0)
    batches = list(dataset.batch(2))
    numbers = tree.map_structure(lambda x: x.numpy().tolist(), batches)
    assert numbers == [([1, 3], [2, 4]), ([5], [6])]
    assert len(dataset.batch(2)) == 2


def _images(**options):
    def call(folder):
        return utils.image_dataset_from_directory(folder, verbose=False, **options)

    return call


def _series(**options):
    return lambda _: utils.timeseries_dataset_from_array(
        np.arange(9), None, **{"sequence_length": 2, **options}
    )


def _split(*args, **options):
    return lambda _: utils.split_dataset(*args, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (_images(labels=3), "`labels` argument should be a list/tuple.*Received: labels=3"),
        (_images(labels=[1], class_names=["a"]), "can only pass `class_names` if"),
        (_images(labels=[1]), r"len\(labels\) is 1 while we found 5 files"),
        (_images(class_names=["mice"]), r"Expected: \['cats', 'dogs'\].*received: .*mice"),
        (_images(label_mode="some"), "`label_mode` argument must be one of"),
        (_images(label_mode="binary", class_names=["cats"]), "exactly 2 class_names"),
        (_images(color_mode="cmyk"), "`color_mode` must be one of"),
        (_images(image_size=(1, 2, 3)), "Invalid `image_size` value"),
        (_images(interpolation="best"), "`interpolation` should be one of"),
        (_images(pad_to_aspect_ratio=True, crop_to_aspect_ratio=True), "Only one of"),
        (_images(validation_split=2, subset="training"), "must be between 0 and 1, received: 2"),
        (_images(validation_split=0.2), "If `subset` is set, `validation_split` must be set"),
        (_images(validation_split=0.2, subset="test"), "`subset` must be either"),
        (_images(validation_split=0.2, subset="both"), "you must provide a `seed`"),
        (
            _images(validation_split=0.1, subset="validation", seed=1),
            "No validation images found in directory .* Allowed formats",
        ),
        (_series(sampling_rate=0), "`sampling_rate` must be higher than 0"),
        (_series(sequence_stride=9), "`sequence_stride` must be lower than the length"),
        (_series(start_index=-1), "`start_index` must be 0 or greater"),
        (_series(start_index=9), "`start_index` must be lower than the length"),
        (_series(start_index=4, end_index=4), "`end_index` must be higher than `start_index`"),
        (_series(end_index=9), "`end_index` must be lower than the length"),
        (_split(np.arange(4)), "At least one of the `left_size` or `right_size`"),
        (_split([], 1), "Received an empty list dataset"),
        (_split([[1, 2]], 1), "Expected a list of `numpy.ndarray` objects.*at index 0"),
        (_split((np.arange(3), np.arange(2)), 1), "different lengths. Mismatch found at index 1"),
        (_split(np.arange(4), 4), "`left_size` should be either a positive integer smaller than 4"),
        (_split(np.arange(4), None, 1.5), "`right_size` should be either"),
        (_split(np.arange(4), 0.6, 0.6), "is greater than 1"),
        (_split(np.arange(4), 3, 2), "should be smaller than the 4"),
        (_split(np.arange(4), 0.1), "Resulting left side dataset split will be empty"),
        (lambda _: utils.pad_sequences(3), "`sequences` must be a list"),
        (lambda _: utils.pad_sequences([3]), "Found non-iterable: 3"),
        (lambda _: utils.pad_sequences([[1]], padding="no"), 'Padding type "no" not understood'),
        (lambda _: utils.pad_sequences([[1]], truncating="no"), 'Truncating type "no" not under'),
        (lambda _: utils.pad_sequences([["a"]], value="x"), "You should set `dtype=object`"),
        (lambda _: utils.pad_sequences([[1], [[2]]]), r"Shape of sample \(1,\).*position 1"),
        (lambda _: utils.array_to_img(np.ones(3)), "rank 3.*Got array with shape: "),
        (lambda _: utils.array_to_img(np.ones((2, 2, 2))), "Unsupported channel number: 2"),
        (lambda _: utils.img_to_array(np.ones(3)), "Unsupported image shape"),
        (lambda f: utils.load_img(f / "cats" / "a.png", "cmyk"), "color_mode must be"),
        (
            lambda f: utils.load_img(f / "cats" / "a.png", "rgb", (2, 2), "best"),
            "Invalid interpolation method best specified",
        ),
    ],
)
def test_wrong_arguments(pictures, call, message):
    with pytest.raises(ValueError, match=message):
        call(pictures)


def test_wrong_types(pictures):
    with pytest.raises(TypeError, match="path should be path-like or io.BytesIO"):
        utils.load_img(3)
    with pytest.raises(TypeError, match="`dataset` argument must be an array"):
        utils.split_dataset({1}, 1)
    with pytest.raises(TypeError, match="Invalid `left_size` Type"):
        utils.split_dataset(np.arange(3), "1")


def test_empty_folder(tmp_path):
    with pytest.raises(ValueError, match="No text files found in directory"):
        utils.text_dataset_from_directory(tmp_path, verbose=False)


def test_without_pillow(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"array_to_img requires pillow.*'layerkit\[images\]'"):
        utils.array_to_img(np.ones((2, 2, 1)))
