"""Folders of files as data sets: a folder is a class, a share of the files is for validation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..data.dataset import Dataset
from .batched import any_seed, batched

LABEL_MODES = ("int", "categorical", "binary", None)


class Files(NamedTuple):
    """Paths with the numbers of their classes (None: no labels) and the classes' names."""

    paths: list[str]
    labels: list[int] | None
    class_names: list[str] | None


def dataset_from_directory(
    directory: str | os.PathLike,
    read: Callable[[str], Any],
    stack: Callable[[list[Any]], np.ndarray],
    *,
    what: str,
    formats: tuple[str, ...],
    labels: Any,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    verbose: bool,
) -> Any:
    """The data set, or with `subset="both"` the list of two, of what `read` makes of the files.

    `what`: "images", for messages. The rest as for `image_dataset_from_directory`.
    """
    _check_labels(labels, label_mode, class_names, what)
    _check_split(validation_split, subset, shuffle, seed)
    seed = any_seed(seed)
    if label_mode is None:
        labels = None
    files = index_directory(
        directory, labels, formats, class_names, shuffle, seed, follow_links, verbose
    )
    if labels is None:
        label_mode = None
    if label_mode == "binary" and len(files.class_names or ()) != 2:
        raise ValueError(
            'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: '
            f"class_names={files.class_names}"
        )

    def dataset(part: Files, name: str, shuffled: bool) -> Dataset:
        if not part.paths:
            raise ValueError(
                f"No {name}{what} found in directory {directory}. Allowed formats: {formats}"
            )
        made = batched(
            _reader(part, read, stack, label_mode), len(part.paths), batch_size, shuffled, seed
        )
        made.class_names, made.file_paths = part.class_names, part.paths
        return made

    if subset == "both":
        training, validation = _parts(files, validation_split, verbose)
        return [dataset(training, "training ", shuffle), dataset(validation, "validation ", False)]
    if subset is None:
        return dataset(files, "", shuffle)
    part = _parts(files, validation_split, verbose)[subset == "validation"]
    return dataset(part, f"{subset} ", shuffle)


def index_directory(
    directory: str | os.PathLike,
    labels: Any,
    formats: tuple[str, ...],
    class_names: Sequence[str] | None = None,
    shuffle: bool = True,
    seed: int = 0,
    follow_links: bool = False,
    verbose: bool = True,
) -> Files:
    """The files of a folder, in the order of their names or in `RandomState(seed)`'s.

    labels: "inferred" for one subfolder a class, None, or one int a file, in their names' order.
    """
    directory = os.fspath(directory)
    inferred = isinstance(labels, str)
    classes = _class_folders(directory, class_names) if inferred else [""]
    paths, numbers = [], []
    for number, name in enumerate(classes):
        for path in _files_below(os.path.join(directory, name), formats, follow_links):
            paths.append(path)
            numbers.append(number)
    if labels is None:
        found = Files(paths, None, None)
    elif inferred:
        found = Files(paths, numbers, list(classes))
    else:
        if len(labels) != len(paths):
            raise ValueError(
                "Expected the lengths of `labels` to match the number of files in the target "
                f"directory. len(labels) is {len(labels)} while we found {len(paths)} files in "
                f"directory {directory}."
            )
        found = Files(paths, list(labels), [str(label) for label in sorted(set(labels))])
    if verbose:
        of_classes = f" belonging to {len(found.class_names)} classes" if found.class_names else ""
        print(f"Found {len(paths)} files{of_classes}.")
    return _shuffled(found, seed) if shuffle else found


def _class_folders(directory: str, class_names: Sequence[str] | None) -> list[str]:
    found = sorted(
        entry.name
        for entry in os.scandir(directory)
        if entry.is_dir() and not entry.name.startswith(".")
    )
    if class_names is None:
        return found
    if not set(class_names) <= set(found):
        raise ValueError(
            "The `class_names` passed did not match the names of the subdirectories of the target "
            f"directory. Expected: {found} (or a subset of it), but received: "
            f"class_names={list(class_names)}"
        )
    return list(class_names)


def _files_below(folder: str, formats: tuple[str, ...], follow_links: bool) -> Iterator[str]:
    walk = os.walk(folder, followlinks=follow_links)
    for root, _, names in sorted(walk, key=lambda entry: entry[0]):
        for name in sorted(names):
            if name.lower().endswith(formats):
                yield os.path.join(root, name)


def _shuffled(files: Files, seed: int) -> Files:
    order = list(range(len(files.paths)))
    np.random.RandomState(seed).shuffle(order)
    labels = None if files.labels is None else [files.labels[index] for index in order]
    return Files([files.paths[index] for index in order], labels, files.class_names)


def _parts(files: Files, validation_split: float | None, verbose: bool) -> tuple[Files, Files]:
    """The files for training, and the last ones, for validation."""
    assert validation_split is not None
    end = len(files.paths) - int(validation_split * len(files.paths))
    if verbose:
        print(f"Using {end} files for training, {len(files.paths) - end} for validation.")
    parts = []
    for rows in (slice(end), slice(end, None)):
        labels = None if files.labels is None else files.labels[rows]
        parts.append(Files(files.paths[rows], labels, files.class_names))
    return parts[0], parts[1]


def _reader(
    files: Files,
    read: Callable[[str], Any],
    stack: Callable[[list[Any]], np.ndarray],
    label_mode: str | None,
) -> Callable[[np.ndarray], Any]:
    labels = None if label_mode is None else _encoded(files, label_mode)

    def batch(indices: np.ndarray) -> Any:
        x = stack([read(files.paths[index]) for index in indices])
        return x if labels is None else (x, labels[indices])

    return batch


def _encoded(files: Files, label_mode: str) -> np.ndarray:
    """int32 (n,), float32 (n, 1) for "binary", or one-hot float32 (n, classes)."""
    labels = np.asarray(files.labels, "int32")
    if label_mode == "int":
        return labels
    if label_mode == "binary":
        return labels[:, None].astype("float32")
    classes = np.arange(len(files.class_names or ()))
    return (labels[:, None] == classes).astype("float32")


def _check_labels(
    labels: Any, label_mode: str | None, class_names: Sequence[str] | None, what: str
) -> None:
    if label_mode not in LABEL_MODES:
        raise ValueError(
            '`label_mode` argument must be one of "int", "categorical", "binary", or None. '
            f"Received: label_mode={label_mode}"
        )
    if labels is not None and labels != "inferred" and not isinstance(labels, (list, tuple)):
        raise ValueError(
            "`labels` argument should be a list/tuple of integer labels, of the same size as the "
            f"number of {what} in the target directory. To infer the labels from the names of the "
            'subdirectories, pass `labels="inferred"`; for a dataset without labels, '
            f"`labels=None`. Received: labels={labels}"
        )
    if class_names and labels != "inferred":
        raise ValueError(
            'You can only pass `class_names` if `labels="inferred"`. Received: '
            f"labels={labels}, and class_names={class_names}"
        )


def _check_split(
    validation_split: float | None, subset: str | None, shuffle: bool, seed: int | None
) -> None:
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(
            f"`validation_split` must be between 0 and 1, received: {validation_split}"
        )
    if bool(validation_split) != bool(subset):
        raise ValueError(
            "If `subset` is set, `validation_split` must be set, and inversely. Received: "
            f"subset={subset}, validation_split={validation_split}"
        )
    if subset not in ("training", "validation", "both", None):
        raise ValueError(
            f'`subset` must be either "training", "validation" or "both", received: {subset}'
        )
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "If using `validation_split` and shuffling the data, you must provide a `seed` "
            "argument, to make sure that there is no overlap between the training and validation "
            "subset."
        )
