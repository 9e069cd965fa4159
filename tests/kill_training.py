"""Kills trainings with SIGKILL at random instants, and lets them go on: the bits must be the same.

    python tests/kill_training.py --kills 200

A training with a backup after every second step is killed, several times over, at instants drawn
from the time that it takes. After each kill a whole backup must be there (the last or the one
before), and what remains in the end must equal a training that nobody killed: weights, optimizer,
history, random state, rows of the CSV file. `tests/test_resuming.py` runs a short form.
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
from pathlib import Path

_MOST_LIVES = 4  # kills of one training


def train(folder: Path) -> None:
    """The training in `folder`: begins it, or goes on with it; leaves `result.json` there."""
    import numpy as np

    from layerkit import Input, Sequential, callbacks, layers, optimizers
    from layerkit.backend.random import random_state, set_random_seed
    from layerkit.saving.atomic import replacing

    goes_on = any((folder / "backup").glob("*.state"))  # from there its seeds must come, too
    set_random_seed(os.getpid() if goes_on else 7)
    x = np.random.default_rng(0).random((60, 8), "float32")
    y = x.sum(axis=1, keepdims=True)
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
    print("begins", flush=True)
    history = model.fit(
        x,
        y,
        batch_size=5,
        epochs=5,
        verbose=0,
        validation_split=0.2,
        callbacks=[
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
        ],
    )
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


class Run:
    """One training, in processes of their own."""

    def __init__(self, folder: Path, double: bool):
        self.folder = folder
        if double:
            (folder / "double").touch()

    def live(self, seconds: float | None) -> bool:
        """Train for so long, then be killed; True where the training ended before."""
        command = [sys.executable, __file__, "--train", str(self.folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n", process.communicate()[1].decode()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
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


def kill_trainings(kills: int, seed: int, folder: Path) -> dict[str, int]:
    """How often which backup was there. AssertionError where one is torn, or the bits differ."""
    numbers = random.Random(seed)
    whole = Run(_new(folder / "whole"), double=False)
    began = time.perf_counter()
    assert whole.live(None)
    seconds = time.perf_counter() - began  # too long, by what Python needs to begin
    expected, found, trainings = whole.result(), {"kills": 0, "finished before": 0}, 0
    while found["kills"] < kills:
        run = Run(_new(folder / f"run{trainings}"), double=bool(trainings % 2))
        trainings += 1
        ended = False
        for _ in range(min(_MOST_LIVES, kills - found["kills"])):
            ended = run.live(numbers.uniform(0, seconds / 2))
            if ended:
                found["finished before"] += 1
                break
            left = run.check_backups()
            found["kills"] += 1
            found[left] = found.get(left, 0) + 1
        assert ended or run.live(None)
        result = run.result()
        assert result == expected, f"{run.folder}: {result}\nis not\n{expected}"
        leftovers = [p.name for p in run.folder.rglob("*.tmp")]
        assert not leftovers, f"{run.folder} is left with {leftovers}"
    return found | {"trainings": trainings}


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
