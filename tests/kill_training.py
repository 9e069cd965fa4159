"""Kills trainings with SIGKILL at random instants, and lets them go on: the bits must be the same.

    python tests/kill_training.py --kills 200

Trainings of three kinds, with a backup after every second or third step, are killed, several times
over, at instants drawn from the time that they take. After each kill a whole backup must be there
(the last or the one before), and what remains in the end must equal a training that nobody killed:
weights, optimizer, history, random state, rows of the CSV file. `tests/test_resuming.py` runs a
short form.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def train(folder: Path) -> None:
    """The training in `folder`: begins it, or goes on with it; leaves `result.json` there."""
    from layerkit.backend.random import random_state, set_random_seed
    from layerkit.saving.atomic import replacing

    goes_on = any((folder / "backup").glob("*.state"))  # from there its seeds must come, too
    set_random_seed(os.getpid() if goes_on else 7)
    model, fit = KINDS[(folder / "kind").read_text()](folder)
    print("begins", flush=True)
    history = fit()
    arrays = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    arrays.append(random_state()["numpy"]["state"]["key"])
    result = {
        "bits": hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest(),
        "history": history.history,
        "epochs": history.epoch,
        "random": random_state()["layerkit"],
        "rows": (folder / "log.csv").read_text(),
    }
    with replacing(str(folder / "result.json")) as file:
        file.write(json.dumps(result).encode())


def of_arrays(folder: Path) -> tuple[Any, Callable[[], Any]]:
    """Arrays, split and shuffled; averages of the weights; callbacks that count epochs."""
    from layerkit import Input, Sequential, callbacks, layers, optimizers

    x, y = _data()
    model = Sequential(
        [
            Input((8,)),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(64),
            layers.GaussianNoise(0.1),
            layers.Dense(1),
        ]
    )
    rate = optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=7)
    model.compile(rate, "mse", metrics=["mae"])
    given = [
        callbacks.BackupAndRestore(
            folder / "backup",
            save_freq=2,
            double_checkpoint=(folder / "double").exists(),
            delete_checkpoint=False,
        ),
        callbacks.EarlyStopping(patience=3, restore_best_weights=True),
        callbacks.ReduceLROnPlateau(patience=1, min_delta=1.0),
        callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True),
        callbacks.CSVLogger(folder / "log.csv"),
    ]
    options = {"batch_size": 5, "epochs": 5, "verbose": 0, "validation_split": 0.2}
    return model, lambda: model.fit(x, y, callbacks=given, **options)


def of_numbered_batches(folder: Path) -> tuple[Any, Callable[[], Any]]:
    """A PyDataset that draws, gradients that are gathered, traced steps, and two files of
    ModelCheckpoint, of which the state is loaded by hand."""
    from layerkit import Input, Sequential, callbacks, layers, optimizers
    from layerkit.data import PyDataset

    x, y = _data()

    class Drawing(PyDataset):
        def __init__(self) -> None:
            super().__init__()
            self.numbers = np.random.default_rng(os.getpid() if state.exists() else 3)

        def __len__(self) -> int:
            return 12

        def __getitem__(self, index: int) -> Any:
            rows = slice(5 * index, 5 * index + 5)
            return x[rows] + self.numbers.random((1, 8), "float32"), y[rows]

    state = folder / "backup" / "last.state"
    model = Sequential(
        [Input((8,)), layers.Dense(64, activation="relu"), layers.Dropout(0.2), layers.Dense(1)]
    )
    rate = optimizers.Nadam(0.01, gradient_accumulation_steps=3)
    model.compile(rate, "mse", metrics=["mae"], jit_compile=True)
    if state.exists():
        model.load_state(state)
    given = [
        callbacks.ModelCheckpoint(state, save_freq=2),
        callbacks.ModelCheckpoint(folder / "{epoch}.weights.h5", save_weights_only=True),
        callbacks.CSVLogger(folder / "log.csv"),
    ]
    options = {"epochs": 5, "verbose": 0, "shuffle": True}
    return model, lambda: model.fit(Drawing(), callbacks=given, **options)


def of_a_stream(folder: Path) -> tuple[Any, Callable[[], Any]]:
    """A Dataset without end that shuffles and is augmented by a layer outside of the model; losses
    that are scaled, a schedule, a stateful layer."""
    from layerkit import Input, Sequential, callbacks, layers, optimizers
    from layerkit.data.dataset import Dataset

    x, y = _data()
    noise = layers.GaussianNoise(0.1)

    def augmented(x: Any, y: Any) -> Any:
        return noise(x, training=True) * np.random.random(), y

    data = (
        Dataset.from_tensor_slices((x[..., None], y)).shuffle(20).repeat().map(augmented).batch(5)
    )
    model = Sequential(
        [
            Input((8, 1), batch_size=5),
            layers.GRU(8, stateful=True, dropout=0.1, dtype="mixed_float16"),
            layers.Dense(1, dtype="mixed_float16"),
        ]
    )
    rate = optimizers.schedules.ExponentialDecay(0.05, 4, 0.9)
    scaled = optimizers.LossScaleOptimizer(optimizers.RMSprop(rate), dynamic_growth_steps=5)
    model.compile(scaled, "mse", metrics=["mae"])
    given = [
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.BackupAndRestore(folder / "backup", save_freq=3, delete_checkpoint=False),
    ]
    options = {"epochs": 5, "verbose": 0, "steps_per_epoch": 9}
    return model, lambda: model.fit(data, callbacks=given, **options)


KINDS = {"arrays": of_arrays, "numbered batches": of_numbered_batches, "stream": of_a_stream}


def _data() -> tuple[Any, Any]:
    x = np.random.default_rng(0).random((60, 8), "float32")
    return x, x.sum(axis=1, keepdims=True)


class Run:
    """One training, in processes of their own."""

    def __init__(self, folder: Path, kind: str, double: bool = False):
        self.folder = folder
        (folder / "kind").write_text(kind)
        if double:
            (folder / "double").touch()

    def live(self, seconds: float | None) -> bool:
        """Train for so long, then be killed; True where the training ended before."""
        command = [sys.executable, __file__, "--train", str(self.folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n", process.communicate()[1].decode()
        began = time.perf_counter()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        self.seconds = time.perf_counter() - began
        _, errors = process.communicate()
        if process.returncode > 0 or errors:
            raise AssertionError(f"the training in {self.folder} failed:\n{errors.decode()}")
        return process.returncode == 0

    def check_backups(self) -> str:
        """Which backup a kill left whole: the last, the one before, or none before the first."""
        from layerkit.saving.state_file import read_state

        for name in ("last", "before"):
            path = self.folder / "backup" / f"{name}.state"
            if path.exists():
                read_state(str(path))
                return name
        return "none yet"

    def result(self) -> dict:
        return json.loads((self.folder / "result.json").read_text())


def kill_trainings(kills: int, seed: int, folder: Path, most: int = 4) -> dict[str, int]:
    """How often which backup was there, with at most so many kills of one training.

    AssertionError where a backup is torn, or the bits differ.
    """
    numbers = random.Random(seed)
    found, trainings = {"kills": 0, "finished before": 0}, 0
    expected: dict[str, tuple[dict, float]] = {}
    while found["kills"] < kills:
        kind = list(KINDS)[trainings % len(KINDS)]
        if kind not in expected:
            expected[kind] = _whole(kind, _new(folder / f"whole {kind}"))
        result, seconds = expected[kind]
        run = Run(_new(folder / f"run{trainings}"), kind, double=bool(trainings % 2))
        trainings += 1
        ended = False
        for _ in range(min(most, kills - found["kills"])):
            ended = run.live(numbers.uniform(0, seconds))
            if ended:
                found["finished before"] += 1
                break
            left = run.check_backups()
            found["kills"] += 1
            for name in (left, kind):
                found[name] = found.get(name, 0) + 1
        assert ended or run.live(None)
        assert run.result() == result, f"{run.folder}: {run.result()}\nis not\n{result}"
        leftovers = [p.name for p in run.folder.rglob("*.tmp")]
        assert not leftovers, f"{run.folder} is left with {leftovers}"
    return found | {"trainings": trainings}


def _whole(kind: str, folder: Path) -> tuple[dict, float]:
    """What a training that nobody kills ends in, and how long it trains."""
    run = Run(folder, kind)
    assert run.live(None)
    return run.result(), run.seconds


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", type=Path, help="what the processes that are killed do")
    arguments = parser.parse_args()
    if arguments.train is not None:
        train(arguments.train)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = kill_trainings(arguments.kills, arguments.seed, Path(folder))
    print(", ".join(f"{name}: {count}" for name, count in found.items()))
    print("every resumed training ended in the same bits")


if __name__ == "__main__":
    main()
