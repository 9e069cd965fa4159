"""Let real Keras read the folders and series of tests/tables/utils.py.

    KERAS_BACKEND=tensorflow python tests/golden/make_utils_golden.py

with an installation of Keras 3, TensorFlow and Pillow; it writes utils.npz beside this file.
"""

import os
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables import utils as rows  # noqa: E402

golden = {}


def put(name, dataset):
    """Every batch of a data set: x, and y where there is one."""
    for index, batch in enumerate(dataset):
        x, y = batch if isinstance(batch, tuple) else (batch, None)
        golden[f"{name} x{index}"] = np.asarray(x)
        if y is not None:
            golden[f"{name} y{index}"] = np.asarray(y)


folder = Path(tempfile.mkdtemp())
pictures = rows.write_pictures(folder / "pictures")
texts = rows.write_texts(folder / "texts")
for options in rows.IMAGE_ROWS:
    put(
        rows.key("images", options),
        keras.utils.image_dataset_from_directory(pictures, **options, **rows.LISTED),
    )
for options in rows.TEXT_ROWS:
    name = rows.key("texts", options)
    put(name, keras.utils.text_dataset_from_directory(texts, **options, **rows.LISTED))
for name in [name for name in golden if golden[name].dtype == object]:  # bytes of TensorFlow
    value = golden[name]
    golden[name] = np.array([text.decode("utf8", "ignore") for text in value.reshape(-1)])
for options in rows.ORDER_ROWS:
    dataset = keras.utils.image_dataset_from_directory(pictures, verbose=False, **options)
    golden[rows.key("order", options)] = np.array(
        [os.path.relpath(path, pictures) for path in dataset.file_paths]
    )
series = rows.series()
for with_targets, options in rows.SERIES_ROWS:
    targets = series[:, 0] * 10 if with_targets else None
    dataset = keras.utils.timeseries_dataset_from_array(series, targets, **options)
    put(rows.key("series", with_targets, options), dataset)
for options in rows.PAD_ROWS:
    golden[rows.key("pad", options)] = keras.utils.pad_sequences(rows.SEQUENCES, **options)
golden["pad deep"] = keras.utils.pad_sequences(rows.DEEP_SEQUENCES, maxlen=3)
for options in rows.LOAD_ROWS:
    image = keras.utils.load_img(pictures / "cats" / "a.png", **options)
    golden[rows.key("load", options)] = keras.utils.img_to_array(image)
for scale in True, False:
    array = series[:9].reshape(3, 2, 3) * 60 + 100
    golden[f"array_to_img {scale}"] = np.asarray(keras.utils.array_to_img(array, scale=scale))
    golden[f"array_to_img grey {scale}"] = np.asarray(
        keras.utils.array_to_img(array[..., :1] * 9, scale=scale)
    )
for options in rows.SPLIT_ROWS:
    for side, part in enumerate(keras.utils.split_dataset(list(series[:10].T), **options)):
        golden[rows.key("split", options) + f" {side}"] = np.array([list(s) for s in part])
for size in (4, 6), (9, 5):
    golden[f"smart_resize {size}"] = keras.preprocessing.image.smart_resize(
        rows.picture(7, 9, 3, 1).astype("float32"), size
    )
np.savez_compressed(HERE / "utils.npz", **golden)
