"""Sounds in folders as a data set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from .directories import dataset_from_directory


def audio_dataset_from_directory(
    directory: str | os.PathLike,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Batches of the sounds (.wav of 16 bits) below a folder: (sounds, labels).

    sounds: float32 (batch, samples, channels) from -1 to 1, with zeros after those that are shorter
    than the longest of their batch. The labels, the other arguments and the data set's attributes
    are those of `image_dataset_from_directory`.

    sampling_rate: samples a second that the files must have. output_sequence_length: cut or pad
    each sound to this many samples.

    ValueError for files of another kind. NotImplementedError for `ragged=True`, and where a file
    would have to be resampled.
    """
    if ragged:
        raise NotImplementedError(
            "There are no ragged tensors here. Expected ragged=False, with which sounds are padded "
            "with zeros; received ragged=True."
        )
    if sampling_rate is not None and (not isinstance(sampling_rate, int) or sampling_rate <= 0):
        raise ValueError(
            "`sampling_rate` should have an integer value, higher than 0. "
            f"Received: sampling_rate={sampling_rate}"
        )

    def read(path: str) -> np.ndarray:
        sound = _decoded(path, sampling_rate)
        return sound if output_sequence_length is None else _fitted(sound, output_sequence_length)

    return dataset_from_directory(
        directory,
        read,
        _padded,
        what="audio files",
        formats=(".wav",),
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


def _decoded(path: str, sampling_rate: int | None) -> np.ndarray:
    import wave

    try:
        with wave.open(path) as file:
            channels, rate = file.getnchannels(), file.getframerate()
            bits = 8 * file.getsampwidth()
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(
            f"{path}: expected a .wav file of 16 bits; received another: {error}"
        ) from error
    if bits != 16:
        raise ValueError(f"{path}: expected a .wav file of 16 bits; received one of {bits} bits.")
    if sampling_rate is not None and rate != sampling_rate:
        raise NotImplementedError(
            f"{path}: expected {sampling_rate} samples a second; received {rate}. Sounds are not "
            "resampled here: resample the files first."
        )
    return np.frombuffer(content, "<i2").reshape(-1, channels).astype("float32") / 32768


def _fitted(sound: np.ndarray, length: int) -> np.ndarray:
    sound = sound[:length]
    return np.pad(sound, [(0, length - len(sound)), (0, 0)])


def _padded(sounds: list[np.ndarray]) -> np.ndarray:
    longest = max(map(len, sounds))
    return np.stack([_fitted(sound, longest) for sound in sounds])
