"""Let the preprocessing that Keras keeps from Keras 2 work on tests/tables/preprocessing.py.

    KERAS_BACKEND=jax python tests/golden/make_preprocessing_golden.py

with Keras 3, JAX, SciPy, Pillow and pandas installed; it writes preprocessing.npz beside this file.
"""

import json
import random
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import pandas
import scipy.ndimage

# Keras asks for SciPy's older name of the module.
older = types.ModuleType("scipy.ndimage.interpolation")
older.affine_transform = scipy.ndimage.affine_transform
scipy.ndimage.interpolation = older

from keras.src.legacy.preprocessing import image, sequence, text  # noqa: E402

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables import preprocessing as rows  # noqa: E402

golden = {}


def put(name, batch):
    for index, array in enumerate(rows.flat(batch)):
        golden[f"{name} {index}"] = array


for warp in rows.WARPS:
    for settings in rows.WARP_SETTINGS:
        for axes in rows.AXES if settings == {"fill_mode": "nearest"} else rows.AXES[1:2]:
            x = np.moveaxis(rows.image(), *((2, 0) if axes.get("channel_axis", 0) == 0 else (0, 0)))
            x = x.swapaxes(1, 2) if axes.get("row_axis") == 2 else x
            golden[rows.key("warp", warp, settings, axes)] = image.apply_affine_transform(
                x, **warp, **settings, **axes
            )
            if len(settings) == 1:
                golden[rows.key("bytes", warp, settings, axes)] = image.apply_affine_transform(
                    (x * 255).astype("uint8"), **warp, **settings, **axes
                )
for name, args, options in rows.FUNCTIONS:
    for factor in (1, 200):
        np.random.seed(5)
        golden[rows.key(name, args, options, factor)] = getattr(image, name)(
            rows.image() * np.float32(factor) - (10 if factor > 1 else 0), *args, **options
        )
for options in rows.GENERATORS:
    x = rows.batch_of(options)
    generator = image.ImageDataGenerator(validation_split=0.3, **options)
    if rows.fits(options):
        generator.fit(x)
    name = rows.key("generator", options)
    np.random.seed(11)
    golden[f"{name} transform"] = generator.random_transform(x[0], seed=2)
    golden[f"{name} standardize"] = generator.standardize(x[:2].copy())
    for flow in rows.FLOWS[:1] if options else rows.FLOWS:
        np.random.seed(6)
        batches = generator.flow(x, np.arange(7), sample_weight=np.ones(7), **flow)
        for step in range(2 if options else 5):
            put(rows.key("flow", options, flow, step), next(batches)[:2])
        put(rows.key("item", options, flow), batches[len(batches) - 1][:2])
for augment in True, False:
    generator = image.ImageDataGenerator(
        featurewise_center=True, featurewise_std_normalization=True, rotation_range=30, rescale=0.1
    )
    generator.fit(rows.images(), augment=augment, rounds=2, seed=3)
    golden[f"fit {augment}"] = np.stack([generator.mean, generator.std])

folder = rows.pictures(Path(tempfile.mkdtemp()))
generator = image.ImageDataGenerator(rescale=1 / 255, validation_split=0.4, horizontal_flip=True)
for options in rows.FROM_DIRECTORY:
    np.random.seed(8)
    flow = generator.flow_from_directory(folder, target_size=(4, 3), **options)
    for step in range(3):
        put(rows.key("directory", options, step), next(flow))
table = pandas.DataFrame(rows.TABLE)
for options in rows.FROM_TABLE:
    np.random.seed(8)
    flow = generator.flow_from_dataframe(table, folder, target_size=(4, 3), **options)
    for step in range(3):
        put(rows.key("table", options, step), next(flow))

for options in rows.TOKENIZERS:
    tokenizer = text.Tokenizer(**options)
    tokenizer.fit_on_texts(rows.TEXTS)
    name = rows.key("tokenizer", options)
    sequences = tokenizer.texts_to_sequences([*rows.TEXTS, "a cat of mice", ["The", "dog"]])
    found = {
        "config": tokenizer.get_config(),
        "sequences": sequences,
        "texts": tokenizer.sequences_to_texts([*sequences, [1, 99]]),
    }
    golden[name] = np.array(json.dumps(found))
    for mode in ("binary", "count", "freq", "tfidf"):
        golden[f"{name} {mode}"] = tokenizer.texts_to_matrix(rows.TEXTS, mode)
golden["hashes"] = np.array(text.hashing_trick(rows.TEXTS[0], 50, "md5"))
data = rows.series()
for options in rows.SERIES:
    np.random.seed(9)
    generator = sequence.TimeseriesGenerator(data, data[:, 0] * 2, **options)
    for index in range(len(generator)):
        put(rows.key("series", options, index), generator[index])
for options in rows.SKIPGRAMS:
    random.seed(4)
    golden[rows.key("skipgrams", options)] = np.array(
        json.dumps(sequence.skipgrams(rows.WORDS, 8, **options))
    )
golden["table"] = sequence.make_sampling_table(20, 1e-3)
np.savez_compressed(HERE / "preprocessing.npz", **golden)
