"""KerasFileEditor: the weights in a file looked at, compared with a model, edited, and saved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from layerkit import backend as K

_DEEPEST = 200  # levels of groups in a file
_NAMES = ("saved file", "reference model")


class KerasFileEditor:
    """The weights of a `.keras` or a `.weights.h5` file, to look at and to edit.

    `weights_dict` holds them: {name of an object: {name of a weight: array, or of an object in it:
    {...}}}. `object_metadata` has {path: {"name": a layer's name}}; `config` and `metadata` are
    those of a `.keras` file, None for others. The file itself stays as it is: `save` writes
    another. Objects are told by their path ("layers/dense_2"), or by a name that occurs once.

    ValueError for other extensions, for what Keras 3 did not write, and for links and arrays that
    only an attacker puts into a file; FileNotFoundError where there is none.
    """

    def __init__(self, filepath: str | os.PathLike):
        from .identify import check_regular
        from .keras_file import read_config, read_metadata, read_weights_member

        self.filepath = os.fspath(filepath)
        if not self.filepath.endswith((".keras", ".weights.h5")):
            raise ValueError(
                "Invalid filename: expected a `.keras` `.weights.h5` extension. Received: "
                f"filepath={self.filepath}. Save the model with layerkit or Keras 3 first."
            )
        check_regular(self.filepath)
        self.config: dict[str, Any] | None = None
        self.metadata: dict[str, Any] | None = None
        self.object_metadata: dict[str, dict[str, Any]] = {}
        if self.filepath.endswith(".keras"):
            self.config, self.metadata = read_config(self.filepath), read_metadata(self.filepath)
            self.weights_dict = self._read(read_weights_member(self.filepath))
        else:
            with open(self.filepath, "rb") as file:
                self.weights_dict = self._read(file)
        print(f"Keras model file '{self.filepath}'")
        if self.metadata is not None:
            version, date = (self.metadata.get(key) for key in ("keras_version", "date_saved"))
            print(f"Saved with Keras {version} - date: {date}")

    # --- looking -------------------------------------------------------------------------------

    def summary(self) -> None:
        """Print the names, shapes and dtypes of all weights as a tree."""
        print("Weights structure")
        for index, line in enumerate(self._lines(self.weights_dict, "", "  ")):
            print(line if index else line.replace("├─", ">", 1).replace("└─", ">", 1))

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print where the file and the model differ: names and shapes, not values.

        Returns "status", which is "success" or "error", "error_count", of objects and weights
        that one of them lacks or that differ in shape, and "match_count", of weights that fit.
        """
        print("Running comparison")
        reference = _weights_of(reference_model)
        problems, matches = [], 0
        for path, expected, received in _pairs(reference, self.weights_dict):
            if received is None:
                problems.append(_lacking(path, expected, *_NAMES))
            elif expected.shape != received.shape:
                problems.append(
                    f"...Weight shape mismatch for {path}\n    In {_NAMES[1]}: "
                    f"shape={expected.shape}\n    In {_NAMES[0]}: shape={received.shape}"
                )
            else:
                matches += 1
        for path, value, other in _pairs(self.weights_dict, reference):
            if other is None:
                problems.append(_lacking(path, value, *reversed(_NAMES)))
        print("\n".join([*problems, "─" * 21, *_verdict(len(problems), matches)]))
        status = "error" if problems else "success"
        return {"status": status, "error_count": len(problems), "match_count": matches}

    # --- editing -------------------------------------------------------------------------------

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object another name in its place. ValueError where that is taken."""
        if "/" in new_name:
            raise ValueError(
                "Argument `target_name` should be a leaf name, not a full path name. Received: "
                f"target_name='{new_name}'"
            )
        parent, path, name = self._find(object_name)
        _check_free(parent, new_name, f"{path}/{new_name}")
        parent[new_name] = parent.pop(name)
        self._move_metadata(f"{path}/{name}", f"{path}/{new_name}")

    def delete_object(self, object_name: str) -> None:
        """Take an object out, with all that is in it."""
        parent, path, name = self._find(object_name)
        del parent[name]
        self._move_metadata(f"{path}/{name}", None)

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Put in a new object at a full path, as "layers/dense_2".

        weights: {name: array}, by names as "0" and "1". ValueError where the path is taken, or
        leads through an object that is not there.
        """
        weights = _checked(weights)
        *outer, name = _parts(object_path)
        parent: Any = self.weights_dict
        for part in outer:
            parent = parent.get(part)
            if not isinstance(parent, dict):
                raise ValueError(
                    f"Path '{'/'.join(outer)}' not found in model. Add that object first, or look "
                    "at `editor.summary()`."
                )
        _check_free(parent, name, object_path)
        parent[name] = weights

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Put weights {name: array} into an object, in place of those of the same names."""
        self._object(object_name).update(_checked(weights))

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Take one weight, as "0", out of an object. ValueError where it has none of that name."""
        found = self._object(object_name)
        if weight_name not in found:
            raise ValueError(
                f"Weight {weight_name} not found in object {object_name}. Weights found: "
                f"{list(found)}"
            )
        del found[weight_name]

    # --- writing -------------------------------------------------------------------------------

    def save(self, filepath: str | os.PathLike) -> None:
        """Write the weights as a `.weights.h5` file. An older one is replaced only by a whole one.

        ValueError for another extension.
        """
        import h5py

        from .atomic import replacing

        path = os.fspath(filepath)
        if not path.endswith(".weights.h5"):
            raise ValueError(
                "Invalid `filepath` argument: expected a `.weights.h5` extension. Received: "
                f"filepath={path}. A `.keras` file is saved by its model, after load_weights."
            )
        with replacing(path) as file, h5py.File(file, "w") as root:
            root.create_group("vars")  # by which readers know what the file is
            self._write(root, self.weights_dict, "")

    def resave_weights(self, filepath: str | os.PathLike) -> None:
        """The same as `save`."""
        self.save(filepath)

    # --- helpers -------------------------------------------------------------------------------

    def _read(self, file: Any) -> dict[str, Any]:
        from . import hdf5

        with hdf5.open_hdf5(file, self.filepath) as root:
            return self._weights_in(root, "", set())

    def _weights_in(self, group: Any, path: str, seen: set[Any]) -> dict[str, Any]:
        """The weights of the object at `path` by their names, and those of the objects in it."""
        from . import hdf5

        if group in seen or path.count("/") > _DEEPEST or hdf5.find_datasets(group):
            raise ValueError(
                f"Refused to read '{path}' of '{self.filepath}': expected groups, each in one "
                "place, and arrays only in groups 'vars', as Keras 3 and layerkit write them. "
                "Read the file with h5py."
            )
        seen.add(group)
        groups = hdf5.find_groups(group)
        found: dict[str, Any] = {}
        own = groups.pop("vars", None)
        if own is not None:
            found = {name: self._array(data) for name, data in hdf5.find_datasets(own).items()}
            name = own.attrs.get("name")
            if found and isinstance(name, str):
                self.object_metadata[path] = {"name": name}
        for name, child in groups.items():
            inner = self._weights_in(child, f"{path}/{name}", seen)
            if inner:
                found[name] = inner
        return found

    def _array(self, dataset: Any) -> np.ndarray:
        from . import hdf5

        if not hdf5.is_numeric(dataset) or hdf5.is_bomb(dataset):
            raise ValueError(
                f"Refused to read '{dataset.name}' of '{self.filepath}': expected numbers, and no "
                f"far larger array than the file holds; received shape {dataset.shape} of "
                f"{dataset.dtype}. Do not trust this file."
            )
        return hdf5.read(dataset)

    def _write(self, group: Any, weights: dict[str, Any], path: str) -> None:
        arrays = {name: value for name, value in weights.items() if not isinstance(value, dict)}
        if arrays:
            own = group.require_group("vars")
            own.attrs.update(self.object_metadata.get(path, {}))
            for name, value in arrays.items():
                own.create_dataset(name, data=value)
        for name, value in weights.items():
            if isinstance(value, dict) and value:
                self._write(group.create_group(name), value, f"{path}/{name}")

    def _lines(self, weights: dict[str, Any], path: str, indent: str) -> Iterator[str]:
        for index, (name, value) in enumerate(weights.items(), start=1):
            is_last = index == len(weights)
            branch = f"{indent}{'└─' if is_last else '├─'} {name}"
            if isinstance(value, dict):
                layer = self.object_metadata.get(f"{path}/{name}", {}).get("name", name)
                yield branch + (f" ('{layer}')" if layer != name else "")
                below = indent + ("    " if is_last else "│   ")
                yield from self._lines(value, f"{path}/{name}", below)
            else:
                yield f"{branch}: shape={value.shape}, dtype={value.dtype}"

    def _find(self, name: str) -> tuple[dict[str, Any], str, str]:
        """What holds the object or weight called `name`, its path, and the last part of `name`."""
        parts = _parts(name)
        places = [
            (parent, path)
            for parent, path in _objects(self.weights_dict, "")
            if parts[-1] in parent and ("/" not in name or path == "".join(_slashed(parts[:-1])))
        ]
        if len(places) == 1:
            return *places[0], parts[-1]
        if places:
            listed = ", ".join(f"'{path}/{name}'".replace("'/", "'") for _, path in places[:10])
            raise ValueError(
                f"Name '{name}' occurs more than once in the model; try passing a complete path, "
                f"one of {listed}."
            )
        if "/" in name:
            raise ValueError(
                f"Path '{name}' not found in model. Use `editor.summary()` to list all objects."
            )
        raise ValueError(
            f"Source name '{name}' does not appear in the model. Use `editor.summary()` to list "
            "all objects."
        )

    def _object(self, name: str) -> dict[str, Any]:
        parent, _, last = self._find(name)
        if not isinstance(parent[last], dict):
            raise ValueError(f"Expected the name of an object; received '{name}', a weight.")
        return parent[last]

    def _move_metadata(self, old: str, new: str | None) -> None:
        for path in list(self.object_metadata):
            if f"{path}/".startswith(f"{old}/"):
                value = self.object_metadata.pop(path)
                if new is not None:
                    self.object_metadata[new + path[len(old) :]] = value


def _objects(weights: dict[str, Any], path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """(weights, path) of an object and of all below it."""
    yield weights, path
    for name, value in weights.items():
        if isinstance(value, dict):
            yield from _objects(value, f"{path}/{name}")


def _weights_of(model: Any) -> dict[str, Any]:
    """What `weights_dict` would be for a file of `model`."""
    from .walk import walk
    from .weights_file import state_of

    found: dict[str, Any] = {}
    for path, obj in walk(model):
        state = state_of(obj)
        if state:
            inner = found
            for part in filter(None, path.split("/")):
                inner = inner.setdefault(part, {})
            inner.update(state)
    return found


def _pairs(
    first: dict[str, Any], second: dict[str, Any], path: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """(path, weight of the first, weight of the second or None); an object that lacks as one."""
    for name, value in first.items():
        other = second.get(name)
        if isinstance(value, dict) and isinstance(other, dict):
            yield from _pairs(value, other, f"{path}/{name}")
        else:
            both = not isinstance(value, dict) and not isinstance(other, dict)
            yield f"{path}/{name}", value, other if both else None


def _lacking(path: str, value: Any, lacks: str, has: str) -> str:
    kind = "Object" if isinstance(value, dict) else "Weight"
    text = f"...{kind} {path} present in {has}, missing from {lacks}"
    if isinstance(value, dict):
        text += f"\n    In {has}, {path} contains the following keys: {list(value)}"
    return text


def _verdict(errors: int, matches: int) -> list[str]:
    if errors:
        found = f"Found {errors} error{'' if errors == 1 else 's'}"
        return [f"{found}: saved file is not compatible with the reference model"]
    return [
        "Comparison successful: saved file is compatible with the reference model",
        f"    Found {matches} matching weight{'' if matches == 1 else 's'}",
    ]


def _checked(weights: Any) -> dict[str, Any]:
    """The weights as arrays of the host. ValueError for anything but a dict of numbers."""
    if not isinstance(weights, dict):
        raise ValueError(
            "Argument `weights` should be a dict where keys are weight names (usually '0', '1', "
            f"etc.) and values are NumPy arrays. Received: type(weights)={type(weights)}"
        )
    found: dict[str, Any] = {}
    for name, value in weights.items():
        _check_name(name)
        found[name] = _checked(value) if isinstance(value, dict) else K.to_numpy(value)
        if not isinstance(value, dict) and found[name].dtype.kind not in "fiub":
            raise ValueError(
                f"Argument `weights` should hold arrays of numbers. Received: '{name}' of dtype "
                f"{found[name].dtype}."
            )
    return found


def _check_free(parent: dict[str, Any], name: str, path: str) -> None:
    _check_name(name)
    if name in parent:
        raise ValueError(
            f"'{path.lstrip('/')}' is in the file already. Delete it first, with "
            "`editor.delete_object`, or choose another name."
        )


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or name in ("", ".", "vars") or "/" in name or "\0" in name:
        raise ValueError(
            "Expected the name of an object or a weight: a string without '/', which is not "
            f"'vars', the group of a file that holds weights. Received: {name!r}"
        )


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part]
    if not parts:
        raise ValueError(f"Expected the name or path of an object. Received: '{path}'")
    return parts


def _slashed(parts: list[str]) -> list[str]:
    return [f"/{part}" for part in parts]
