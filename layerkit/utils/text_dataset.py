"""Texts in folders as a data set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .directories import dataset_from_directory


def text_dataset_from_directory(
    directory: str | os.PathLike,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    *,
    verbose: bool = True,
) -> Any:
    """Batches of the texts (.txt, UTF-8) below a folder: (texts, labels).

    texts: an object array (batch,) of strings. The labels, the other arguments and the data set's
    attributes are those of `image_dataset_from_directory`.

    max_length: cut the texts to this many characters.
    """

    def read(path: str) -> str:
        return Path(path).read_bytes().decode("utf-8")[:max_length]

    return dataset_from_directory(
        directory,
        read,
        _as_array,
        what="text files",
        formats=(".txt",),
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        verbose=verbose,
    )


def _as_array(texts: list[str]) -> np.ndarray:
    return np.array(texts, dtype=object)
