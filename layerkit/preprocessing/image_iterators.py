"""Batches of images that an ImageDataGenerator changes: from arrays, folders and tables.

Orders and changes are drawn from NumPy's global generator, in the same order as in Keras 2, which
with `seed` is seeded for every batch anew.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator as IteratorType
from typing import Any

import numpy as np

from layerkit.backend import floatx
from layerkit.backend.config import standardize_data_format

from ..data import PyDataset
from ..utils.images import COLOR_MODES, array_to_img, img_to_array, load_img

FORMATS = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")


class Iterator(PyDataset):
    """Batches without an end by `next`, or batch by batch by index: `iterator[i]`, `len(iterator)`.

    n: samples. batch_size: of all but the last batch. shuffle: another order after each pass. seed:
    of orders and changes. kwargs: those of `PyDataset`.
    """

    white_list_formats = FORMATS

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any):
        super().__init__(**kwargs)
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: np.ndarray | None = None
        self.index_generator = self._flow_index()

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if idx >= len(self):
            raise ValueError(
                f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}"
            )
        self._seed()
        self.total_batches_seen += 1
        if self.index_array is None:
            self._set_index_array()
        assert self.index_array is not None
        start = self.batch_size * idx
        return self._batch_of(self.index_array[start : start + self.batch_size])

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        with self.lock:
            indices = next(self.index_generator)
        return self._batch_of(indices)

    def next(self) -> Any:
        """The next batch, as in Keras 2."""
        return self.__next__()

    def on_epoch_end(self) -> None:
        """Another order, where they are shuffled."""
        self._set_index_array()

    def reset(self) -> None:
        """`next` begins with the first batch again."""
        self.batch_index = 0

    def get_state(self) -> Any:
        return {"seen": self.total_batches_seen, "order": self.index_array}

    def set_state(self, state: Any) -> None:
        self.total_batches_seen, self.index_array = state["seen"], state["order"]

    def _batch_of(self, indices: np.ndarray) -> Any:
        raise NotImplementedError

    def _seed(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _flow_index(self) -> IteratorType[np.ndarray]:
        while True:
            self._seed()
            if self.batch_index == 0:
                self._set_index_array()
            assert self.index_array is not None
            start = (self.batch_index * self.batch_size) % self.n if self.n else 0
            last = start + self.batch_size >= self.n
            self.batch_index = 0 if last else self.batch_index + 1
            self.total_batches_seen += 1
            yield self.index_array[start : start + self.batch_size]


class NumpyArrayIterator(Iterator):
    """Batches of an array of images (n, rows, columns, channels), changed by a generator.

    x may also be (images, others): others, arrays of n rows, go along unchanged. y, sample_weight:
    arrays of n rows, or None. subset: the "training" or the "validation" part of them; they are
    checked to have the same classes unless `ignore_class_split`. save_to_dir, save_prefix,
    save_format: where to write what is made, to look at it.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: str | None = None,
    ):
        self.dtype = dtype or floatx()
        self.data_format = standardize_data_format(data_format)
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        others: list[Any] = []
        if isinstance(x, (tuple, list)):
            x, others = x[0], x[1] if isinstance(x[1], list) else [x[1]]
        beside = [("y", y), ("sample_weight", sample_weight), *(("x", array) for array in others)]
        for name, array in beside:
            if array is not None and len(array) != len(x):
                raise ValueError(
                    f"`x` (images tensor) and `{name}` should have the same length. Found: "
                    f"x.shape = {np.shape(x)}, {name}.shape = {np.shape(array)}"
                )
        rows = self._rows(subset, len(x), y, ignore_class_split)
        self.x = np.asarray(x[rows], dtype=self.dtype)
        self.x_misc = [np.asarray(array[rows]) for array in others]
        self.y = None if y is None else np.asarray(y[rows])
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight[rows])
        if self.x.ndim != 4:
            raise ValueError(
                "Input data in `NumpyArrayIterator` should have rank 4. You passed an array with "
                f"shape {self.x.shape}"
            )
        warn_of_channels("NumpyArrayIterator", self.x.shape, self.data_format)
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _rows(self, subset: str | None, n: int, y: Any, ignore_classes: bool) -> slice:
        if subset is None:
            return slice(None)
        split = int(n * self.image_data_generator._validation_split)
        parts = {"validation": slice(split), "training": slice(split, None)}
        if subset not in parts:
            raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation".')
        if y is not None and not ignore_classes:
            first, second = (np.unique(y[rows]) for rows in parts.values())
            if not np.array_equal(first, second):
                raise ValueError(
                    "Training and validation subsets have different number of classes after the "
                    "split. If your numpy arrays are sorted by the label, you might want to "
                    "shuffle them."
                )
        return parts[subset]

    def _batch_of(self, indices: np.ndarray) -> Any:
        batch_x = np.zeros((len(indices), *self.x.shape[1:]), self.dtype)
        for row, index in enumerate(indices):
            batch_x[row] = changed(self.image_data_generator, self.x[index].astype(self.dtype))
        if self.save_to_dir:
            save(self, batch_x, indices, 10_000)
        others = [array[indices] for array in self.x_misc]
        output: Any = [batch_x, *others] if others else batch_x
        if self.y is None:
            return output
        if self.sample_weight is None:
            return output, self.y[indices]
        return output, self.y[indices], self.sample_weight[indices]


class _FileIterator(Iterator):
    """Batches of pictures in files; what each is a picture of is in `_targets_of`."""

    filepaths: list[str]
    sample_weight: Any = None

    def __init__(
        self,
        image_data_generator: Any,
        target_size: Any,
        color_mode: str,
        data_format: str | None,
        save_to_dir: Any,
        save_prefix: str,
        save_format: str,
        subset: str | None,
        interpolation: str,
        keep_aspect_ratio: bool,
        dtype: str | None,
        class_mode: str | None,
    ):
        if class_mode not in self.allowed_class_modes:
            raise ValueError(
                f"Invalid class_mode: {class_mode}; expected one of: {self.allowed_class_modes}"
            )
        if color_mode not in COLOR_MODES:
            raise ValueError(
                f'Invalid color mode: {color_mode}; expected "rgb", "rgba", or "grayscale".'
            )
        self.image_data_generator, self.class_mode = image_data_generator, class_mode
        self.target_size, self.color_mode = tuple(target_size), color_mode
        self.data_format, self.dtype = standardize_data_format(data_format), dtype or floatx()
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        channels = (COLOR_MODES[color_mode],)
        first = self.data_format == "channels_first"
        self.image_shape = channels + self.target_size if first else self.target_size + channels
        self.subset, self.split = subset, self._split_of(subset)

    allowed_class_modes: tuple[str | None, ...] = ()
    class_indices: dict[str, int]
    classes: Any

    def _split_of(self, subset: str | None) -> tuple[float, float] | None:
        if subset is None:
            return None
        share = self.image_data_generator._validation_split
        splits = {"validation": (0, share), "training": (share, 1)}
        if subset not in splits:
            raise ValueError(f'Invalid subset name: {subset};expected "training" or "validation"')
        return splits[subset]

    def _batch_of(self, indices: np.ndarray) -> Any:
        batch_x = np.zeros((len(indices), *self.image_shape), self.dtype)
        for row, index in enumerate(indices):
            image = load_img(
                self.filepaths[index],
                color_mode=self.color_mode,
                target_size=self.target_size,
                interpolation=self.interpolation,
                keep_aspect_ratio=self.keep_aspect_ratio,
            )
            x = img_to_array(image, data_format=self.data_format)
            batch_x[row] = (
                x
                if self.image_data_generator is None
                else changed(self.image_data_generator, x.copy())
            )
        if self.save_to_dir:
            save(self, batch_x, indices, 10_000_000)
        if self.class_mode is None:
            return batch_x
        batch_y = self._targets_of(indices, batch_x)
        if self.sample_weight is None:
            return batch_x, batch_y
        return batch_x, batch_y, self.sample_weight[indices]

    def _targets_of(self, indices: np.ndarray, batch_x: np.ndarray) -> Any:
        if self.class_mode == "input":
            return batch_x.copy()
        if self.class_mode in ("binary", "sparse"):
            return np.array([self.classes[index] for index in indices], self.dtype)
        batch_y = np.zeros((len(indices), len(self.class_indices)), self.dtype)
        for row, index in enumerate(indices):
            batch_y[row, self.classes[index]] = 1.0  # one class, or a list of them
        return batch_y


class DirectoryIterator(_FileIterator):
    """Batches of the pictures below a folder, one subfolder a class; see `flow_from_directory`."""

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: str | None = None,
    ):
        super().__init__(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix,
            save_format, subset, interpolation, keep_aspect_ratio, dtype, class_mode,
        )  # fmt: skip
        self.directory = os.fspath(directory)
        names = list(classes or sorted(e.name for e in os.scandir(directory) if e.is_dir()))
        self.num_classes = len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.filenames: list[str] = []
        numbers: list[int] = []
        for number, name in enumerate(names):
            found = _pictures_below(self.directory, name, follow_links)
            if self.split:
                found = found[slice(*(int(share * len(found)) for share in self.split))]
            self.filenames += found
            numbers += [number] * len(found)
        self.classes = np.array(numbers, "int32")
        self.samples = len(self.filenames)
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        self.filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)

    @property
    def labels(self) -> np.ndarray:
        """The number of each file's class."""
        return self.classes


class DataFrameIterator(_FileIterator):
    """Batches of the pictures that a table names; see `flow_from_dataframe`.

    dataframe: pandas's, or anything whose columns `dataframe[name]` are sequences of one length.
    """

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = "channels_last",
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: str | None = "float32",
        validate_filenames: bool = True,
    ):
        super().__init__(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix,
            save_format, subset, interpolation, keep_aspect_ratio, dtype, class_mode,
        )  # fmt: skip
        self.directory = os.fspath(directory or "")
        names = list(dataframe[x_col])
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"All values in column x_col={x_col} must be strings.")
        rows = list(range(len(names)))
        if validate_filenames:
            rows = self._valid(rows, names, x_col)
        of_classes = class_mode in ("binary", "categorical", "sparse")
        if of_classes:
            labels = list(dataframe[y_col])
            _check_labels(labels, class_mode, y_col, classes)
            rows, labels, known = _of_classes(rows, labels, classes)
            self.class_indices = {name: number for number, name in enumerate(known)}
        elif classes:
            warnings.warn(
                f'`classes` will be ignored given the class_mode="{class_mode}"', stacklevel=4
            )
        if self.split:
            rows = rows[slice(*(int(share * len(rows)) for share in self.split))]
        if of_classes:
            self.classes = [_numbers(labels[row], self.class_indices) for row in rows]
        if class_mode == "multi_output":
            if not isinstance(y_col, list):
                raise TypeError(
                    'If class_mode="multi_output", y_col must be a list. Received '
                    f"{type(y_col).__name__}."
                )
            self._targets: Any = [_column(dataframe, name, rows) for name in y_col]
        if class_mode == "raw":
            columns = y_col if isinstance(y_col, list) else [y_col]
            values = [_column(dataframe, name, rows) for name in columns]
            self._targets = np.stack(values, axis=1) if isinstance(y_col, list) else values[0]
        if weight_col:
            self.sample_weight = _column(dataframe, weight_col, rows)
            if self.sample_weight.dtype.kind not in "iufb":
                raise TypeError(f"Column weight_col={weight_col} must be numeric.")
        self.filenames = [names[row] for row in rows]
        self.samples = len(self.filenames)
        belonging = f" belonging to {len(self.class_indices)} classes" if of_classes else ""
        kind = "validated" if validate_filenames else "non-validated"
        print(f"Found {self.samples} {kind} image filenames{belonging}.")
        self.filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)

    @property
    def labels(self) -> Any:
        """The class numbers, or with class_mode "raw" and "multi_output" the targets."""
        return self._targets if self.class_mode in ("raw", "multi_output") else self.classes

    def _valid(self, rows: list[int], names: list[str], x_col: str) -> list[int]:
        kept = [
            row
            for row in rows
            if names[row].lower().endswith(FORMATS)
            and os.path.isfile(os.path.join(self.directory, names[row]))
        ]
        if len(kept) < len(rows):
            warnings.warn(
                f'Found {len(rows) - len(kept)} invalid image filename(s) in x_col="{x_col}". '
                "These filename(s) will be ignored.",
                stacklevel=5,
            )
        return kept

    def _targets_of(self, indices: np.ndarray, batch_x: np.ndarray) -> Any:
        if self.class_mode == "multi_output":
            return [values[indices] for values in self._targets]
        if self.class_mode == "raw":
            return self._targets[indices]
        return super()._targets_of(indices, batch_x)


def changed(generator: Any, x: np.ndarray) -> np.ndarray:
    """An image with a random change, and standardized."""
    parameters = generator.get_random_transform(x.shape)
    return generator.standardize(generator.apply_transform(x, parameters))


def save(iterator: Any, batch_x: np.ndarray, indices: np.ndarray, numbers: int) -> None:
    """Write a batch as pictures, under names with a random number."""
    for x, index in zip(batch_x, indices, strict=True):
        number = np.random.randint(numbers)
        name = f"{iterator.save_prefix}_{index}_{number}.{iterator.save_format}"
        image = array_to_img(x, iterator.data_format, scale=True)
        image.save(os.path.join(iterator.save_to_dir, name))


def warn_of_channels(who: str, shape: tuple[int, ...], data_format: str) -> None:
    """Warn where images have an unusual number of channels: mostly another layout is meant."""
    axis = 3 if data_format == "channels_last" else 1
    if shape[axis] not in (1, 3, 4):
        warnings.warn(
            f'{who} is set to use the data format convention "{data_format}" (channels on axis '
            f"{axis}), i.e. expected either 1, 3, or 4 channels on axis {axis}. However, it was "
            f"passed an array with shape {shape} ({shape[axis]} channels).",
            stacklevel=4,
        )


def _pictures_below(directory: str, name: str, follow_links: bool) -> list[str]:
    """Paths, relative to `directory`, of the pictures below its subfolder `name`, in order."""
    found = []
    walk = os.walk(os.path.join(directory, name), followlinks=follow_links)
    for root, _, files in sorted(walk, key=lambda entry: entry[0]):
        found += [
            os.path.relpath(os.path.join(root, file), directory)
            for file in sorted(files)
            if file.lower().endswith(FORMATS)
        ]
    return found


def _check_labels(labels: list[Any], class_mode: str | None, y_col: Any, classes: Any) -> None:
    allowed = (str, list, tuple) if class_mode == "categorical" else (str,)
    if not all(isinstance(label, allowed) for label in labels):
        kinds = "type string, list or tuple" if class_mode == "categorical" else "strings"
        raise TypeError(
            f'If class_mode="{class_mode}", y_col="{y_col}" column values must be {kinds}.'
        )
    count = len(set(classes) if classes else set(map(str, labels)))
    if class_mode == "binary" and count != 2:
        raise ValueError(f'If class_mode="binary" there must be 2 classes. Found {count} classes.')


def _of_classes(rows: list[int], labels: list[Any], classes: Any) -> tuple[list, list, list[str]]:
    """The rows that are of a class, the labels without others, and the names of the classes."""
    found = {name for row in rows for name in _as_list(labels[row])}
    known = list(dict.fromkeys(classes)) if classes else sorted(found)
    kept = [
        [name for name in label if name in known] if isinstance(label, (list, tuple)) else label
        for label in labels
    ]
    rows = [row for row in rows if kept[row] and set(_as_list(kept[row])) <= set(known)]
    return rows, kept, known


def _as_list(label: Any) -> list[str]:
    return [label] if isinstance(label, str) else list(label)


def _numbers(label: Any, class_indices: dict[str, int]) -> Any:
    if isinstance(label, str):
        return class_indices[label]
    return [class_indices[name] for name in label]


def _column(dataframe: Any, name: str, rows: list[int]) -> np.ndarray:
    values = list(dataframe[name])
    return np.array([values[row] for row in rows])
