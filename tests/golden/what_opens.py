"""Which files of golden/legacy open, and compute what their own Keras computed: here, in Keras 3.

Run it by hand, the first line with layerkit installed, the second with real Keras:

    python tests/golden/what_opens.py layerkit /tmp/layerkit.json
    KERAS_BACKEND=torch python tests/golden/what_opens.py keras /tmp/keras.json
    KERAS_BACKEND=numpy python tests/golden/what_opens.py keras /tmp/keras.json  # does not train
    python tests/golden/what_opens.py table /tmp/layerkit.json /tmp/keras.json

Each whole model in an archive is loaded with the classes of the user's that it names, must predict
what was stored, and where it was compiled go on training as stored. `table` prints both columns:
files that open / that predict the same / that train on to the same predictions, of how many.
"""

import io
import json
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np

LEGACY = Path(__file__).parent / "legacy"
NOTHING = {"files": 0, "opens": 0, "predicts": 0, "trained": 0, "trains": 0}


def own_objects(keras):
    """What users wrote for the rows with classes of their own, and functions for Lambda layers."""

    class Scale(keras.layers.Layer):
        def __init__(self, power=1, **kwargs):
            super().__init__(**kwargs)
            self.power = power

        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

        def call(self, x):
            return x * self.scale**self.power

        def get_config(self):
            return {**super().get_config(), "power": self.power}

    class Registered(Scale):
        pass

    ops = keras.ops
    own = {
        "Scale": Scale,
        "Registered": Registered,
        "own_loss": lambda y, p: ops.mean(ops.square(y - p), axis=-1),
        "own_metric": lambda y, p: ops.max(ops.abs(y - p)),
        "own_activation": lambda x: ops.tanh(x) * 2.0,
        "registered_activation": lambda x: ops.tanh(x) * 3.0,
        "doubled": lambda x: x * 2.0,
    }
    return {**own, **{f"golden>{name}": thing for name, thing in own.items()}}


def run(library, out):
    keras = __import__(library)
    own = own_objects(keras)
    found = {}
    for path in sorted(LEGACY.glob("*.json")):
        manifest = json.loads(path.read_text())
        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(path.with_suffix(".zip")) as archive:
                archive.extractall(folder)
                arrays = np.load(io.BytesIO(archive.read("arrays.npz")))
            for row, entry in manifest["rows"].items():
                for file in entry["files"]:
                    ending = file.rpartition(".")[2]
                    if ending not in ("h5", "hdf5", "keras") or "weights" in file:
                        continue
                    key = f"{path.stem} .{'keras' if ending == 'keras' else 'h5'}"
                    counts = found.setdefault(key, dict(NOTHING))
                    result = tried(keras, f"{folder}/{file}", row, entry, arrays, own)
                    for what, holds in result.items():
                        counts[what] += holds
                    print(library, path.stem, file, result, flush=True)
        Path(out).write_text(json.dumps(found, indent=1))


def tried(keras, file, row, entry, arrays, own):
    """What of a file works: {"files", "opens", "predicts", "trained", "trains": bool}."""
    lambdas = ["lambda", *(f"lambda_{i}" for i in range(20))] if row == "lambda_named" else []
    objects = {**own, **dict.fromkeys(lambdas, own["doubled"])}
    only_predicts = keras.__name__ == "keras" and keras.backend.backend() == "numpy"
    trained = not only_predicts and f"{row}/next_prediction0" in arrays
    result = {**dict.fromkeys(NOTHING, False), "files": True, "trained": trained}
    close = 2e-3 if row == "mixed" else 2e-5
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = keras.models.load_model(file, custom_objects=objects)
            result["opens"] = True
            x, y = stored(arrays, row, "x"), stored(arrays, row, "y")
            result["predicts"] = same(model, x, stored(arrays, row, "prediction"), close)
            if trained:
                for _ in range(entry["more_steps"]):
                    model.train_on_batch(one(x), one(y))
                result["trains"] = same(model, x, stored(arrays, row, "next_prediction"), 1e-4)
    except Exception as error:
        print(type(error).__name__, str(error).replace("\n", " ")[:150])
    return result


def stored(arrays, row, what):
    names = [f"{row}/{what}{i}" for i in range(len(arrays.files))]
    return [arrays[name] for name in names if name in arrays]


def one(values):
    return values[0] if len(values) == 1 else values


def same(model, inputs, expected, close):
    """Whether the model predicts what its own Keras predicted; models that predict nothing do."""
    if not expected:
        return True
    feed = one(inputs)
    if isinstance(getattr(model, "input", None), dict):
        feed = dict(zip(sorted(model.input), inputs, strict=True))
    found = model.predict(feed, batch_size=len(inputs[0]), verbose=0)
    if isinstance(found, dict):
        found = [found[key] for key in sorted(found)]
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    pairs = zip(found, expected, strict=True)
    return all(np.allclose(ours, theirs, rtol=close, atol=close) for ours, theirs in pairs)


def table(ours, theirs):
    ours, theirs = (json.loads(Path(path).read_text()) for path in (ours, theirs))
    print("| written by | files | layerkit | Keras 3.15 |\n|---|---|---|---|")
    for key, own in ours.items():
        cells = [cell(own), cell(theirs[key]) if key in theirs else "?"]
        print(f"| {key} | {own['files']} | {' | '.join(cells)} |")
    print("\nEach cell: open / predict the same / train on to the same, of those trained.")


def cell(counts):
    trains = f"{counts['trains']} of {counts['trained']}" if counts["trained"] else "–"
    return f"{counts['opens']} / {counts['predicts']} / {trains}"


if __name__ == "__main__":
    action, *paths = sys.argv[1:]
    table(*paths) if action == "table" else run(action, *paths)
