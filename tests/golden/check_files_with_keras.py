"""Open with real Keras, on any of its backends, the files that layerkit writes; compare.

Run it by hand, the first line with layerkit installed, the others with real Keras:

    python tests/golden/check_files_with_keras.py write /tmp/files
    KERAS_BACKEND=torch python tests/golden/check_files_with_keras.py check /tmp/files
    KERAS_BACKEND=jax python tests/golden/check_files_with_keras.py check /tmp/files
    KERAS_BACKEND=tensorflow python tests/golden/check_files_with_keras.py check /tmp/files
    KERAS_BACKEND=numpy python tests/golden/check_files_with_keras.py check /tmp/files

`write` trains layerkit's twins of the models in `make_saving_golden.py`. `check` loads each in
Keras, compares weights, predictions and optimizer variables, and trains one step further.
"""

import sys
from pathlib import Path

import numpy as np

NAMES = ("mlp", "convnet", "settings", "dropout", "recurrent", "functional", "subclassed")


def write(folder):
    import layerkit as keras

    sys.modules["keras"] = keras  # so that the same functions make layerkit's models
    import make_saving_golden as makes

    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        keras.utils.set_random_seed(7)
        model, shape, classes = getattr(makes, name)()
        rng = np.random.default_rng(11)
        x = rng.normal(size=(16, *shape)).astype("float32")
        y = rng.integers(classes, size=(16, 1)).astype("float32" if classes == 2 else "int32")
        model.fit(makes.fed(model, x), y, batch_size=8, epochs=3, verbose=0)
        if name == "subclassed":
            model.save_weights(folder / f"{name}.weights.h5")
        else:
            model.save(folder / f"{name}.keras")
        arrays = {"x": x, "y": y, "predictions": model.predict(makes.fed(model, x), verbose=0)}
        arrays |= {f"weight_{i}": v for i, v in enumerate(model.get_weights())}
        arrays |= {f"optimizer_{i}": v.numpy() for i, v in enumerate(model.optimizer.variables)}
        if name != "dropout":
            model.train_on_batch(makes.fed(model, x), y)
            arrays |= {f"next_weight_{i}": v for i, v in enumerate(model.get_weights())}
        np.savez_compressed(folder / f"{name}.npz", **arrays)
        print("wrote", name)


def check(folder):
    import keras
    import make_saving_golden as makes

    trains = keras.backend.backend() != "numpy"  # that backend only predicts
    for name in NAMES:
        expected = np.load(folder / f"{name}.npz")
        if name == "subclassed":
            model, shape, _ = makes.subclassed()
            model(np.zeros((1, *shape), "float32"))
            model.optimizer.build(model.trainable_variables)
            model.load_weights(folder / f"{name}.weights.h5")
        else:
            model = keras.saving.load_model(folder / f"{name}.keras")
        compare(expected, "weight", model.get_weights())
        compare(expected, "optimizer", map(as_numpy, model.optimizer.variables))
        x = makes.fed(model, expected["x"])
        predictions = model.predict(x, verbose=0)
        np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-5)
        if "next_weight_0" in expected and trains:
            model.train_on_batch(x, expected["y"])
            compare(expected, "next_weight", model.get_weights(), atol=1e-5)
        print(keras.backend.backend(), "agrees on", name)


def compare(expected, name, arrays, atol=0.0):
    arrays = list(arrays)
    assert len(arrays) == sum(key.rpartition("_")[0] == name for key in expected.files)
    for index, array in enumerate(arrays):
        np.testing.assert_allclose(array, expected[f"{name}_{index}"], atol=atol, rtol=1e-6)


def as_numpy(variable):
    from keras import ops

    return ops.convert_to_numpy(variable)


if __name__ == "__main__":
    action, folder = sys.argv[1:]
    {"write": write, "check": check}[action](Path(folder))
