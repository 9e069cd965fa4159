"""Which files of golden/legacy open, and compute what their own Keras computed: here, in Keras 3.

Run it by hand, each line with that package installed; each replaces its column in what_opens.json,
where it tries again only archives that are new or changed (--all: all of them). What did as well
as can be on one backend is not tried on another. The last prints the table, of the best outcomes.

    python tests/golden/what_opens.py layerkit --all
    KERAS_BACKEND=tensorflow python tests/golden/what_opens.py keras
    KERAS_BACKEND=jax python tests/golden/what_opens.py keras
    python tests/golden/what_opens.py tf_keras
    python tests/golden/what_opens.py table

A file is opened as a user would who does not give up: `load_model` with the classes and functions
of the user's own that it names; if that fails, with all of the library's layers and models as
`custom_objects` too; then with compile=False, without those and with them; and where it holds the
code of a lambda, in Keras with safe_mode=False, if that code is of the Python that runs, in
layerkit with functions of one's own by the layers' names, as it says. An architecture goes with the
weights beside it: `model_from_json`, `load_weights`. What opens must predict what was stored, and,
where it was trained, train on to the same predictions.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import re
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LEGACY, RESULTS = HERE / "legacy", HERE / "what_opens.json"
CLOSE, CLOSE_IN_HALVES, CLOSE_AFTER_TRAINING = 2e-5, 2e-3, 3e-4


# --- trying files ------------------------------------------------------------------------------


def own_objects(keras):
    """What users wrote for the rows with classes of their own."""

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

    ops = keras.ops if hasattr(keras, "ops") else tensorflow_operations()
    own = {
        "Scale": Scale,
        "Registered": Registered,
        "own_loss": lambda y, p: ops.mean(ops.square(y - p), axis=-1),
        "own_metric": lambda y, p: ops.max(ops.abs(y - p)),
        "own_activation": lambda x: ops.tanh(x) * 2.0,
        "registered_activation": lambda x: ops.tanh(x) * 3.0,
        "doubled": doubled,
    }
    return {**own, **{f"golden>{name}": thing for name, thing in own.items()}}


def tensorflow_operations():
    import tensorflow as tf

    tf.math.mean, tf.math.max = tf.reduce_mean, tf.reduce_max
    return tf.math


def doubled(x):
    return x * 2.0


def subtracted(pair):
    return pair[0] - pair[1]


def by_layer(row):
    """Functions by the names of Lambda layers, for a row with code."""
    names = ["lambda", *(f"lambda_{i}" for i in range(20)), *(f"merge_{i}" for i in range(20))]
    return dict.fromkeys(names, subtracted if row == "merge_lambda" else doubled)


def ways_to_open(keras, own, row, same_python):
    """(what it takes, arguments of load_model), the friendliest last."""
    yield "as it is", {"custom_objects": own}
    if "lambda" in row and keras.__name__ == "layerkit":
        yield "with help", {"custom_objects": {**own, **by_layer(row)}}
    functional = {"Functional": keras.Model, "Model": keras.Model}
    known = {**vars(keras.layers), "Sequential": keras.Sequential, **functional, **own}
    yield "with help", {"custom_objects": known}
    yield "with help", {"custom_objects": own, "compile": False}
    yield "with help", {"custom_objects": known, "compile": False}
    if "lambda" in row and keras.__name__ != "layerkit" and same_python:
        yield "with help", {"custom_objects": known, "compile": False, "safe_mode": False}


def opened(keras, files, ways):
    """(what it took, the model); None where nothing helps."""
    for effort, arguments in ways:
        try:
            if len(files) == 1:
                return effort, keras.models.load_model(files[0], **arguments)
            text = Path(files[0]).read_text()
            model = keras.models.model_from_json(text, arguments["custom_objects"])
            model.load_weights(files[1])
            return effort, model
        except Exception as error:
            print("   ", type(error).__name__, str(error).replace("\n", " ")[:150])
    return None


def tried(keras, files, row, entry, arrays, ways):
    """The outcome for a file: "no", or what it took and what holds then."""
    found = opened(keras, files, ways)
    if found is None:
        return "no"
    effort, model = found
    outcome = [effort]
    x, y = stored(arrays, row, "x"), stored(arrays, row, "y")
    close = CLOSE_IN_HALVES if row in ("mixed", "loss_scale") else CLOSE
    with contextlib.suppress(Exception):
        if "outputs" in entry and same(model, x, stored(arrays, row, "prediction"), close):
            outcome.append("predicts")
    with contextlib.suppress(Exception):
        for _ in range(entry.get("more_steps", 0)):
            model.train_on_batch(one(x), one(y))
        after = stored(arrays, row, "next_prediction")
        if "more_steps" in entry and same(model, x, after, CLOSE_AFTER_TRAINING):
            outcome.append("trains")
    return ", ".join(outcome)


def best_possible(entry):
    """The outcome of a file that opens as it is and does all that its row can show."""
    shown = {"predicts": "outputs" in entry, "trains": "more_steps" in entry}
    return ", ".join(["as it is", *(what for what, can in shown.items() if can)])


def stored(arrays, row, what):
    names = [f"{row}/{what}{i}" for i in range(len(arrays.files))]
    return [arrays[name] for name in names if name in arrays]


def one(values):
    return values[0] if len(values) == 1 else values


def same(model, inputs, expected, close):
    """Whether the model predicts what its own Keras predicted."""
    feed = one(inputs)
    if isinstance(getattr(model, "input", None), dict):
        feed = dict(zip(sorted(model.input), inputs, strict=True))
    found = model.predict(feed, batch_size=len(inputs[0]), verbose=0)
    if isinstance(found, dict):
        found = [found[key] for key in sorted(found)]
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    pairs = zip(found, expected, strict=True)
    return all(np.allclose(ours, theirs, rtol=close, atol=close) for ours, theirs in pairs)


# --- one column --------------------------------------------------------------------------------


def cases(manifest):
    """(row, its entry, files that are opened together) of an archive."""
    for row, entry in manifest["rows"].items():
        texts = [file for file in entry["files"] if file.endswith(".json")]
        for file in entry["files"]:
            if texts and file.endswith("weights.h5"):
                yield row, entry, (texts[0], file)
            elif file.endswith((".h5", ".hdf5", ".keras")) and "weights" not in file:
                yield row, entry, (file,)


def run(library, anew):
    """Fill in the column of a library."""
    keras = __import__(library)
    backend = f" on {keras.backend.backend()}" if library == "keras" else ""
    title = f"{library} {keras.__version__}{backend}"
    if anew:
        kept({title: {}})
    for path in sorted(LEGACY.glob("*.json")):
        digest = digest_of(path)
        known = {x: column.get(path.stem, {}) for x, column in kept({}).items()}
        if known.get(title, {}).get("digest") != digest:
            others = {x: own for x, own in known.items() if own.get("digest") == digest}
            done = best_of({x: {"": own} for x, own in others.items() if x != title}, library, "")
            kept({title: {path.stem: {"digest": digest, **outcomes(keras, path, done)}}})


def kept(columns):
    """All columns there are, after these archives were put into what_opens.json."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for title, archives in columns.items():
        results[title] = {**results.get(title, {}), **archives} if archives else {}
    if columns:
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    return results


def digest_of(path):
    """Of an archive, by its manifest's path: whether it is the one that was tried."""
    return hashlib.sha256(path.with_suffix(".zip").read_bytes()).hexdigest()[:16]


def outcomes(keras, path, done):
    """{outcome: files, as one text} of an archive, but for those that did their best already."""
    own = own_objects(keras)
    manifest = json.loads(path.read_text())
    same_python = manifest["python"].split(".")[:2] == sys.version.split(".")[:2]
    found = {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(path.with_suffix(".zip")) as archive:
            archive.extractall(folder)
            arrays = np.load(io.BytesIO(archive.read("arrays.npz")))
        for row, entry, files in cases(manifest):
            if done.get(files[-1]) == best_possible(entry):
                continue
            print(path.stem, *files, flush=True)
            ways = ways_to_open(keras, own, row, same_python)
            paths = [f"{folder}/{file}" for file in files]
            outcome = tried(keras, paths, row, entry, arrays, ways)
            print("   ", outcome, flush=True)
            found.setdefault(outcome, []).append(files[-1])
    return {outcome: " ".join(files) for outcome, files in found.items()}


# --- the table ---------------------------------------------------------------------------------

COLUMNS = {"layerkit": "layerkit", "Keras 3": "keras", "tf_keras": "tf_keras"}
KINDS = {"h5": "`.h5`", "keras": "`.keras`", "apart": "JSON and weights"}


def kind_of(file):
    if "weights" in file:
        return "apart"
    return file.rpartition(".")[2]


def table():
    """The table in Markdown: of each archive's files, how many open, predict, train on."""
    results = json.loads(RESULTS.read_text())
    head = f"| files of | kind | number | {' | '.join(COLUMNS)} |"
    lines = [head, "|---|---|---:|" + "---|" * len(COLUMNS)]
    paths = sorted(LEGACY.glob("*.json"), key=by_version)
    totals = {title: {} for title in COLUMNS}
    for path in paths:
        manifest = json.loads(path.read_text())
        for kind, words in KINDS.items():
            files = {f[-1]: entry for _, entry, f in cases(manifest) if kind_of(f[-1]) == kind}
            if not files:
                continue
            cells = []
            for title, library in COLUMNS.items():
                best = best_of(results, library, path.stem)
                if not files.keys() <= best.keys():
                    sys.exit(f"{title} was not tried with all of {path.stem}: run it first")
                counts = counted(files, best)
                cells.append(cell(counts))
                for what, number in counts.items():
                    totals[title][what] = totals[title].get(what, 0) + number
            name = re.sub(r"^(tf\.keras-[0-9.]+)-tf$", r"\1", path.stem)
            name = re.sub(r"^keras-([0-9.]+)-(.*)", r"Keras \1 (\2)", name).replace("-", " ")
            lines.append(f"| {name} | {words} | {len(files)} | {' | '.join(cells)} |")
    sums = [f"**{cell(counts)}**" for counts in totals.values()]
    lines.append(f"| **all** | | **{totals['layerkit']['files']}** | {' | '.join(sums)} |")
    return "\n".join(lines)


def by_version(path):
    family, version = re.match(r"(\D+)-([0-9.]+)", path.stem).groups()
    return family.startswith("tf"), family, [int(part) for part in version.split(".")], path.stem


def best_of(results, library, archive):
    """{file: its outcome}, of a library's columns (one for each backend) the best."""
    best = {}
    for title, column in results.items():
        if title.split()[0] != library:
            continue
        for outcome, files in column.get(archive, {}).items():
            for file in [] if outcome == "digest" else files.split():
                best[file] = max(best.get(file, "no"), outcome, key=goodness)
    return best


def goodness(outcome):
    return "trains" in outcome, "predicts" in outcome, outcome != "no", "as it is" in outcome


def counted(files, outcomes):
    found = [(entry, outcomes[file]) for file, entry in files.items()]
    return {
        "files": len(found),
        "opens": sum(outcome != "no" for _, outcome in found),
        "helped": sum("with help" in outcome for _, outcome in found),
        "predicted": sum("outputs" in entry for entry, _ in found),
        "predicts": sum("predicts" in outcome for _, outcome in found),
        "trained": sum("more_steps" in entry for entry, _ in found),
        "trains": sum("trains" in outcome for _, outcome in found),
    }


def cell(counts):
    helped = f" ({counts['helped']} with help)" if counts["helped"] else ""
    kinds = (("predicts", "predicted"), ("trains", "trained"))
    of = [f"{counts[does]} of {counts[can]}" for does, can in kinds if counts[can]]
    return " / ".join([f"{counts['opens']}{helped}", *of])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["layerkit", "keras", "tf_keras", "table"])
    parser.add_argument("--all", action="store_true", help="try everything again")
    arguments = parser.parse_args()
    if arguments.action == "table":
        return print(table())
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return run(arguments.action, arguments.all)


if __name__ == "__main__":
    main()
