"""Open with real Keras, on any of its backends, the files that layerkit writes; compare.

Run it by hand, the first line with layerkit installed, the others with real Keras, 3.0 or later, or
with tf_keras:

    python tests/golden/check_files_with_keras.py write /tmp/files
    KERAS_BACKEND=torch python tests/golden/check_files_with_keras.py check /tmp/files
    KERAS_BACKEND=jax python tests/golden/check_files_with_keras.py check /tmp/files
    KERAS_BACKEND=tensorflow python tests/golden/check_files_with_keras.py check /tmp/files
    KERAS_BACKEND=numpy python tests/golden/check_files_with_keras.py check /tmp/files
    python tests/golden/check_files_with_keras.py tf_keras /tmp/files

`write` trains layerkit's twins of the models in `make_saving_golden.py` and saves each in every
format. `check` loads each file in Keras, compares weights, predictions and, where Keras restores
them, optimizer variables, and trains one step further. What Keras itself cannot do with files of
its own is in UNABLE. `tf_keras` loads the weights of the legacy files; models in Keras 3's words
it cannot read, whoever wrote them. Status 0 if all agree.
"""

import fnmatch
import inspect
import os
import sys
from pathlib import Path

import numpy as np

NAMES = ("mlp", "convnet", "settings", "dropout", "recurrent", "functional", "subclassed")
WHOLE, WEIGHTS = ("keras", "h5"), ("weights.h5", "weights.json")
PART = 2000 / 1024**3  # gigabytes
# (versions of Keras, model, file): what Keras cannot do with its own files of that model either.
UNABLE = {
    ("3.[0-3].*", "functional", "*"): "Keras loses the masks of tensors before a model inside",
    ("3.0.*", "settings", "keras"): "Keras trains layers that were made with trainable=False",
    ("3.0.*", "settings", "weights.h5"): "Keras trains layers that were made with trainable=False",
}
# (versions, model, backend): why a step further comes to other weights there.
OTHER_STEPS = {
    # Seen with the gradient made dense: then it comes to the same weights.
    ("*", "functional", "tensorflow"): "Adam leaves rows of an Embedding alone that no sample took",
    ("3.0.*", "recurrent", "*"): "Keras counted regularizers twice",
}
NOT_IN_TF_KERAS = {
    "functional": "it has no operations",
    "recurrent": "its hard_sigmoid is another one",
    "settings": "its LeakyReLU has other arguments",
}


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
        model.save_weights(folder / f"{name}.weights.h5")
        model.save_weights(folder / f"{name}.weights.json", max_shard_size=PART)
        for ending in WHOLE if name != "subclassed" else ():
            model.save(folder / f"{name}.{ending}")
        arrays = {"x": x, "y": y, "predictions": model.predict(makes.fed(model, x), verbose=0)}
        arrays |= {f"weight_{i}": v for i, v in enumerate(model.get_weights())}
        arrays |= {f"optimizer_{i}": v.numpy() for i, v in enumerate(model.optimizer.variables)}
        if name != "dropout":
            model.train_on_batch(makes.fed(model, x), y)
            arrays |= {f"next_weight_{i}": v for i, v in enumerate(model.get_weights())}
        np.savez_compressed(folder / f"{name}.npz", **arrays)
        print("wrote", name)


def check(folder, names=NAMES, whole=WHOLE, weights=WEIGHTS):
    import keras

    where = f"keras {keras.__version__} on {keras.backend.backend()}"
    if "max_shard_size" not in inspect.signature(keras.Model.save_weights).parameters:
        weights = [ending for ending in weights if ending != "weights.json"]  # before Keras 3.10
    failed = 0
    for name in names or NAMES:
        endings = [*(whole if name != "subclassed" else ()), *weights]
        endings += ["h5 as weights"] if name != "subclassed" else []
        for ending in endings:
            unable = listed(UNABLE, keras.__version__, name, ending)
            if unable:
                print(where, "cannot load", f"{name}.{ending}:", unable)
                continue
            try:
                _check(folder, name, ending)
                print(where, "agrees on", f"{name}.{ending}")
            except Exception as error:
                failed += 1
                reason = " ".join(str(error).split())[:300]
                print(where, "DIFFERS on", f"{name}.{ending}:", type(error).__name__, reason)
    return failed


def _check(folder, name, ending):
    import keras
    import make_saving_golden as makes

    expected = np.load(folder / f"{name}.npz")
    restores_optimizer = not ending.startswith("h5")  # Keras 3 drops the slots of legacy files
    if ending in WHOLE:
        model = keras.models.load_model(str(folder / f"{name}.{ending}"))
    else:
        model, shape, _ = getattr(makes, name)()
        if name == "subclassed":
            model(np.zeros((1, *shape), "float32"))
        if restores_optimizer:
            model.optimizer.build(model.trainable_variables)
        model.load_weights(str(folder / f"{name}.{ending.partition(' ')[0]}"))
    compare(expected, "weight", model.get_weights())
    x = makes.fed(model, expected["x"])
    predictions = model.predict(x, verbose=0)
    np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-5)
    if not restores_optimizer:
        return
    compare(expected, "optimizer", map(as_numpy, model.optimizer.variables))
    backend = keras.backend.backend()
    other = listed(OTHER_STEPS, keras.__version__, name, backend)
    if "next_weight_0" in expected and not other and backend != "numpy":  # which only predicts
        model.train_on_batch(x, expected["y"])
        compare(expected, "next_weight", model.get_weights(), atol=1e-5)


def listed(table, *what):
    """The reason in a table whose keys are patterns of `what`; None where it has none."""
    for patterns, reason in table.items():
        if all(map(fnmatch.fnmatch, what, patterns)):
            return reason
    return None


def tf_keras(folder, names):
    import tf_keras

    sys.modules["keras"] = tf_keras
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    names = [name for name in names or NAMES if name not in NOT_IN_TF_KERAS]
    return check(folder, names, whole=[], weights=[])


def compare(expected, name, arrays, atol=0.0):
    arrays = list(arrays)
    assert len(arrays) == sum(key.rpartition("_")[0] == name for key in expected.files)
    for index, array in enumerate(arrays):
        np.testing.assert_allclose(array, expected[f"{name}_{index}"], atol=atol, rtol=1e-6)


def as_numpy(variable):
    from keras import ops

    return ops.convert_to_numpy(variable)


if __name__ == "__main__":
    action, folder, *names = sys.argv[1:]
    if action == "write":
        write(Path(folder))
    else:
        sys.exit({"check": check, "tf_keras": tf_keras}[action](Path(folder), names))
