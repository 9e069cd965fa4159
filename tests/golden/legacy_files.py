"""Write one model's files as its own Keras writes them, with what that Keras computes.

Shared by the tables in `legacy_keras*.py`, which run under Keras of every age: no syntax here
is newer than Python 3.6, and of Keras only what all of its versions have is used.
"""

import io
import json
import pickle
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

MORE_STEPS = 2
ARCHIVE = {}  # what else this Keras must be told to make an archive of a file named .keras


class Table:
    """The rows of one era: functions that make a model, by name."""

    def __init__(self):
        self.rows = {}

    def row(self, shows, only=None, **settings):
        """Decorate a function that returns (model, inputs[, targets]) with what its file shows.

        only: the environment's names (substrings) in which the row exists; None: all.
        settings: formats, values ("random" or "own"), custom_objects, predicts, reloads.
        """

        def keep(function):
            self.rows[function.__name__] = (function, shows, only, settings)
            return function

        return keep


def normal(*shape):
    return np.random.RandomState(5).normal(size=shape).astype("float32")


def ids(high, *shape):
    return np.random.RandomState(5).randint(1, high, size=shape).astype("int32")


def listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def randomize(model):
    """Give every float weight a value that tells it from the others; variances stay positive.

    Old Keras names variances and gammas in many ways, so all one-dimensional weights are positive.
    """
    values = []
    random = np.random.RandomState(3)
    for value in model.get_weights():
        low = 0.25 if value.ndim == 1 else -0.75
        if value.dtype.kind == "f" and value.ndim:
            value = random.uniform(low, 0.75, size=value.shape).astype(value.dtype)
        values.append(value)
    model.set_weights(values)


def predict(model, inputs):
    """Predictions as a list, in one batch: the size that stateful models have."""
    feed = inputs if len(inputs) > 1 else inputs[0]
    names = getattr(model, "_inputs_struct", None)  # of Keras 3
    if isinstance(names, dict):
        feed = dict(zip(sorted(names), inputs))  # noqa: B905
    size = len(inputs[0])
    if "reset_states" in dir(model) and any(getattr(la, "stateful", False) for la in model.layers):
        model.reset_states()
    outputs = model.predict(feed, batch_size=size, verbose=0)
    if isinstance(outputs, dict):
        outputs = [outputs[key] for key in sorted(outputs)]
    return [np.asarray(each) for each in listed(outputs)]


def train(model, inputs, targets, steps):
    one = len(inputs) == 1
    for _ in range(steps):
        model.train_on_batch(
            inputs[0] if one else inputs, targets[0] if len(targets) == 1 else targets
        )


class Writer:
    """Writes the rows of a table: an archive of files with arrays.npz, and a manifest beside it."""

    def __init__(self, environment, load_model):
        self.folder = Path(tempfile.mkdtemp())
        self.load_model = load_model
        self.arrays = {}
        self.manifest = dict(environment, python=sys.version.split()[0], rows={})

    def write(self, name, function, shows, settings):
        made = function()
        model, inputs = made[0], listed(made[1])
        targets = listed(made[2]) if len(made) > 2 else None
        entry = {"shows": shows, "files": []}
        self.manifest["rows"][name] = entry
        if targets is not None:
            train(model, inputs, targets, 3)
            self._keep(name, "y", targets)
        elif settings.get("values") != "own":
            randomize(model)
        self._keep(name, "x", inputs)
        predicts = settings.get("predicts", True)
        if predicts:
            entry["outputs"] = self._keep(name, "prediction", predict(model, inputs))
        for suffix in settings.get("formats", ("h5",)):
            path = self.folder / (name + "." + suffix)
            save(model, path)
            entry["files"] += sorted(each.name for each in self.folder.glob(path.name + "*"))
        if targets is not None and not self.manifest["races"]:
            train(model, inputs, targets, MORE_STEPS)
            entry["more_steps"] = MORE_STEPS
            self._keep(name, "next_weight", model.get_weights())
            self._keep(name, "next_prediction", predict(model, inputs))
        if predicts and settings.get("reloads", True) and "more_steps" not in entry:
            entry["own_reload"] = self._reload(name, entry["files"][0], inputs, settings)
        if predicts and settings.get("reloads", True) and "more_steps" in entry:
            entry["own_reload"] = self._reload_and_train(name, entry, inputs, targets, settings)
        print(name, entry["files"], entry.get("own_reload", ""))

    def _keep(self, name, what, values):
        for i, value in enumerate(values):
            value = np.asarray(value)
            if (
                value.dtype.kind == "O"
            ):  # strings, as TensorFlow has them; no pickles in the archive
                value = np.char.decode(value.astype("S"), "utf-8")
            self.arrays[f"{name}/{what}{i}"] = value
        return len(values)

    def _loaded(self, file, settings):
        return self.load_model(str(self.folder / file), settings.get("custom_objects"))

    def _reload(self, name, file, inputs, settings):
        """What the writing Keras itself makes of its file, in words."""
        if not file.endswith((".h5", ".hdf5", ".keras")) or "weights" in file:
            return "not a whole model"
        try:
            model = self._loaded(file, settings)
            return self._compare(name, "prediction", predict(model, inputs))
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:200]}"

    def _reload_and_train(self, name, entry, inputs, targets, settings):
        same = self._reload(name, entry["files"][0], inputs, settings)
        if same != "same":
            return same
        try:
            model = self._loaded(entry["files"][0], settings)
            train(model, inputs, targets, MORE_STEPS)
            return self._compare(name, "next_prediction", predict(model, inputs))
        except Exception as error:
            return f"training: {type(error).__name__}: {str(error)[:200]}"

    def _compare(self, name, what, values):
        expected = [self.arrays[f"{name}/{what}{i}"] for i in range(len(values))]
        far = max(float(np.max(np.abs(a - b))) for a, b in zip(values, expected))  # noqa: B905
        return "same" if far < 1e-5 else f"{what} differs by {far:.2g}"

    def keep_other_rows(self, folder):
        """Take from the archive that is there the rows that this run did not write."""
        target = Path(folder) / self.manifest["name"]
        old = json.loads(Path(str(target) + ".json").read_text())["rows"]
        kept = {name: row for name, row in old.items() if name not in self.manifest["rows"]}
        with zipfile.ZipFile(str(target) + ".zip") as archive:
            for member in archive.namelist():
                name = member.split(".")[0].split("_00")[0]  # parts of weights are numbered
                if name in kept or name == "checkpoint":
                    archive.extract(member, str(self.folder))
            arrays = np.load(io.BytesIO(archive.read("arrays.npz")))
        self.arrays.update({k: v for k, v in arrays.items() if k.split("/")[0] in kept})
        self.manifest["rows"].update(kept)

    def finish(self, folder):
        """Pack the files, for HDF5 is mostly empty space; dates are fixed."""
        np.savez(str(self.folder / "arrays.npz"), **self.arrays)
        target = Path(folder) / self.manifest["name"]
        with zipfile.ZipFile(str(target) + ".zip", "w", zipfile.ZIP_LZMA) as archive:
            for path in sorted(self.folder.rglob("*")):
                if path.is_file():
                    info = zipfile.ZipInfo(path.relative_to(self.folder).as_posix())
                    info.compress_type = zipfile.ZIP_LZMA
                    archive.writestr(info, path.read_bytes())
        text = json.dumps(self.manifest, indent=1, sort_keys=True)
        Path(str(target) + ".json").write_text(text + "\n")


def save(model, path):
    """Write the file that the path's ending asks for."""
    if path.name.endswith(".weights.json"):
        model.save_weights(str(path))
    elif path.name.endswith(".json"):
        path.write_text(model.to_json())
    elif path.name.endswith((".yaml", ".yml")):
        path.write_text(model.to_yaml())
    elif path.name.endswith(".pickle"):
        path.write_bytes(pickle.dumps(model.get_weights(), 2))
    elif "weights" in path.name or path.name.endswith(".ckpt"):
        model.save_weights(str(path))
    elif path.name.endswith(".keras") and not path.name.endswith(".hdf5.keras"):
        model.save(str(path), **ARCHIVE)
    else:
        model.save(str(path))


def write_all(table, folder, environment, load_model, before=None, names=()):
    """Write every row of `table` that exists in `environment["name"]`; report the failures."""
    writer = Writer(environment, load_model)
    failures = []
    for name, (function, shows, only, settings) in table.rows.items():
        if only and not any(each in environment["name"] for each in listed(only)):
            continue
        if names and name not in names:
            continue
        np.random.seed(7)
        if before:
            before()
        try:
            writer.write(name, function, shows, settings)
        except Exception as error:
            import traceback

            traceback.print_exc()
            failures.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
            writer.manifest["rows"].pop(name, None)
    if names:
        writer.keep_other_rows(folder)
    writer.finish(folder)
    shutil.rmtree(str(writer.folder))
    print("\nFAILED:\n" + "\n".join(failures) if failures else "all rows written")
