"""TensorBoard: what happens in training, as event files that TensorBoard shows."""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

import numpy as np

from layerkit.backend import to_numpy

from .callback import Callback, as_floats
from .event_file import EventFile
from .kept import checked, is_count
from .learning_rate import learning_rates


class TensorBoard(Callback):
    """Writes losses, metrics and the learning rate for TensorBoard; nothing else is installed.

    `log_dir`: the folders 'train' and 'validation' in it get one file each. `histogram_freq`: after
    how many epochs the weights are written as histograms, and with `write_images` as images; 0:
    never. `write_graph`: the description of a Sequential or a functional model, whose graph is
    drawn. `write_steps_per_second`: also the speed. `update_freq`: 'epoch', 'batch', or after how
    many batches the running metrics are written too. Look at them with `tensorboard --logdir logs`.

    ValueError for `profile_batch` and `embeddings_freq`, which layerkit cannot honour.
    """

    reads_batch_logs = False  # only those of batches that are written

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ):
        super().__init__()
        if profile_batch:
            raise ValueError(
                "Profiling is not available: use a profiler of Python's, as cProfile. Received: "
                f"profile_batch={profile_batch} (must be 0)"
            )
        if embeddings_freq or embeddings_metadata is not None:
            raise ValueError(
                "TensorBoard's projector of embeddings needs a checkpoint of TensorFlow, which "
                "layerkit does not write. Received: "
                f"embeddings_freq={embeddings_freq} (must be 0), "
                f"embeddings_metadata={embeddings_metadata} (must be None)"
            )
        frequency = 1 if update_freq == "batch" else update_freq
        if frequency != "epoch" and (not isinstance(frequency, int) or frequency < 1):
            raise ValueError(
                "`update_freq` must be 'epoch', 'batch' or a positive integer. Received: "
                f"update_freq={update_freq}"
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = frequency
        self._files: dict[str, EventFile] = {}
        self._batches = 0  # of training, since it began
        self._batch_began = self._epoch_began = 0.0
        self._batches_before = 0

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._files = {}

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = 0
        if self.write_graph and _has_graph(self.model):
            self._write_graph()

    def get_state(self) -> Any:
        return {"batches": self._batches}

    def set_state(self, state: Any) -> None:
        self._batches = self._batches_before = checked(state, {"batches": is_count})["batches"]
        self._epoch_began = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_began, self._batches_before = time.perf_counter(), self._batches

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.update_freq == "epoch" or self._batches % int(self.update_freq):
            return
        file = self._file("train")
        if self.write_steps_per_second:
            speed = 1 / (time.perf_counter() - self._batch_began)
            file.scalar("batch_steps_per_second", speed, self._batches)
        for name, value in as_floats(logs).items():
            file.scalar(f"batch_{name}", value, self._batches)
        file.flush()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        training = {name: value for name, value in logs.items() if not name.startswith("val_")}
        if self.model.optimizer is not None:
            training.update(learning_rates(self.model.optimizer))
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._epoch_began
            training["steps_per_second"] = (self._batches - self._batches_before) / seconds
        for name, value in training.items():
            self._file("train").scalar(f"epoch_{name}", value, epoch)
        for name, value in logs.items():
            if name.startswith("val_"):
                self._file("validation").scalar(f"epoch_{name[4:]}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        for file in self._files.values():
            file.flush()

    def on_test_end(self, logs: Any = None) -> None:
        if self.model.optimizer is None:
            return
        step = int(self.model.optimizer.iterations)
        for name, value in (logs or {}).items():
            self._file("validation").scalar(f"evaluation_{name}_vs_iterations", value, step)
        self._file("validation").flush()

    def _write_graph(self) -> None:
        try:
            description = self.model.to_json()
        except (NotImplementedError, TypeError) as error:
            warnings.warn(
                f"Model failed to serialize as JSON, so it has no graph: {error}", stacklevel=2
            )
            return
        self._file("train").keras_model(description)

    def _write_weights(self, epoch: int) -> None:
        for layer in self.model.layers:
            for weight in layer.weights:
                name, values = weight.path.replace(":", "_"), to_numpy(weight)
                self._file("train").histogram(f"{name}/histogram", values, epoch)
                images = _as_images(values) if self.write_images else None
                if images is not None:
                    self._file("train").images(f"{name}/image", images, epoch)

    def _file(self, folder: str) -> EventFile:
        if folder not in self._files:
            self._files[folder] = EventFile(os.path.join(self.log_dir, folder))
        return self._files[folder]


def _has_graph(model: Any) -> bool:
    return any(cls.__name__ in ("Functional", "Sequential") for cls in type(model).__mro__)


def _as_images(w: np.ndarray) -> np.ndarray | None:
    """A weight as images (number, height, width, channels); None for one that is not an image."""
    w = w.squeeze()
    if w.ndim == 1:
        w = w[None, :, None, None]
    elif w.ndim == 2:
        w = (w.T if w.shape[0] > w.shape[1] else w)[None, :, :, None]
    elif w.ndim == 3:
        w = w.transpose(2, 0, 1)[..., None]
    return w if w.ndim == 4 and w.shape[-1] in (1, 3, 4) else None
