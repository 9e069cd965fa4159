"""Fuzzing of files: python tests/fuzz_files.py [--cases N] [--seed N] [--only FORMAT] [--case N]

Spoils `.keras`, `.weights.h5`, `.h5`, `.npz`, states of trainings, JSON and archives in every way
of `fuzzing.mutations` and opens each in a worker process; with a state that loads, training goes
on. Some HDF5 files are in the newer layout, and have right checksums for what is wrong in them
(`fuzzing.latest_hdf5`). A case is good where it ends within SECONDS of the processor's time (other
programs may be running), in success or in a layerkit error, with at most MEMORY bytes more than
before. A layerkit error is a ValueError, a TypeError or an OSError that a `raise` statement of
layerkit itself raised, with a message. After a `load_weights` or `load_state` that failed, weights
and optimizer must be what they were, to the bit.

Each case is made from its seed, format and number alone: failures are printed with what repeats
them. Linux only.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import functools
import io
import json
import linecache
import math
import operator
import os
import resource
import select
import shutil
import signal
import sys
import tarfile
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # where it is run as a script
from fuzzing import latest_hdf5, mutations

import layerkit
from layerkit import callbacks, layers, models, saving
from layerkit.utils.archives import extract_archive

GOLDEN = Path(__file__).parent / "golden"
PACKAGE = str(Path(layerkit.__file__).parents[1])
SECONDS = 10
BLOCKED = 120  # seconds by the clock after which a worker is waiting for what never comes
MEMORY = 1536 << 20  # bytes of RAM that a case may take
ADDRESSES = 8 << 30  # ... and of address space, beside what the worker has


# --- seeds -------------------------------------------------------------------------------------


def small_model() -> Any:
    inputs = layers.Input((4,), name="in")
    x = layers.Dense(3, "relu", name="hidden")(inputs)
    x = layers.BatchNormalization(name="bn")(x)
    model = models.Model(inputs, layers.Dense(2, name="out")(x))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def sequential_model() -> Any:
    model = models.Sequential([layers.Input((4,)), layers.Dense(3, name="d"), layers.Dropout(0.5)])
    model.compile("sgd", "mse")
    return model


def trained(model: Any) -> Any:
    outputs = model.output_shape[-1]
    model.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, outputs), "float32"))
    return model


def _written(model: Any, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        (model.save_weights if name.endswith((".weights.h5", ".npz")) else model.save)(path)
        return path.read_bytes()


def lookup_model() -> Any:
    lookup = layers.StringLookup(vocabulary=["a", "b", "c"], output_mode="multi_hot")
    return models.Sequential([layers.Input((3,), dtype="string"), lookup, layers.Dense(2)])


DATA = {"x": np.ones((6, 4), "float32"), "y": np.ones((6, 2), "float32"), "batch_size": 2}


def _callbacks() -> list[Any]:
    found = [callbacks.EarlyStopping("loss"), callbacks.ReduceLROnPlateau("loss")]
    return [*found, callbacks.ModelCheckpoint("a.keras", save_freq=10**9), callbacks.History()]


def _state(batch: int) -> bytes:
    """A state that was saved at a batch of the second epoch; beyond the last, at its end."""
    with tempfile.TemporaryDirectory() as folder:
        path, model = Path(folder, "a.state"), small_model()

        def save(number: int, epoch: int = 1) -> None:
            if epoch == 1 and number == batch:
                model.save_state(path)

        saving_it = callbacks.LambdaCallback(
            on_train_batch_end=lambda number, logs: save(number, model._place.epoch),
            on_epoch_end=lambda epoch, logs: save(len(DATA["x"]) // 2, epoch),
        )
        model.fit(**DATA, epochs=2, verbose=0, callbacks=[*_callbacks(), saving_it])
        return path.read_bytes()


def _legacy(archive: str, *names: str) -> list[bytes]:
    with zipfile.ZipFile(GOLDEN / "legacy" / f"{archive}.zip") as opened:
        return [opened.read(name) for name in names]


_seeds: dict[str, list[Any]] = {}


def seeds(name: str) -> list[Any]:
    """Contents of whole files of a format, made once."""
    if name not in _seeds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _seeds[name] = _SEEDS[name]()
    return _seeds[name]


def _keras() -> list[bytes]:
    own = [_written(trained(make()), "a.keras") for make in (small_model, sequential_model)]
    own.append(_written(lookup_model(), "a.keras"))
    golden = [path.read_bytes() for path in sorted((GOLDEN / "files").glob("*.keras"))]
    later = _legacy("keras-3.12.0-jax", "operations.keras", "wrappers.keras", "objects.keras")
    return own * 6 + golden + later


def _legacy_models() -> list[bytes]:
    own = [_written(trained(make()), "a.h5") for make in (small_model, sequential_model)]
    names = (
        "sequential.h5",
        "functional.h5",
        "adam.h5",
        "merges.h5",
        "wrappers.h5",
        "resampling.h5",
    )
    return [
        *own * 3,
        *_legacy("keras-2.2.4-tensorflow", *names, "cudnn.h5", "recurrent.h5"),
        *_legacy("tf.keras-2.12.0", *names[:3], "operations.h5", "objects.h5", "lookups.h5"),
        *_legacy("keras-1.2.2-theano", "sequential.h5", "convolutions_th.h5", "merge_modes.h5"),
        *_legacy("keras-3.12.0-jax", "numbers.h5", "custom.h5"),
    ]


_SEEDS: dict[str, Callable[[], list[Any]]] = {
    "keras": _keras,
    "weights": lambda: [_written(trained(small_model()), "a.weights.h5")],
    "legacy": _legacy_models,
    "legacy_weights": lambda: [_written(trained(small_model()), "a.h5")],
    "npz": lambda: [_written(trained(small_model()), "a.npz")],
    "state": lambda: [_state(batch) for batch in (0, 1, 3)],
    "json": lambda: [
        *(mutations.members(x)["config.json"] for x in seeds("keras")),
        *_legacy("keras-1.2.2-theano", "apart.json"),
        *_legacy("keras-0.3.3-theano", "dense.json", "convolution.json", "recurrent.json"),
        *_legacy("tf.keras-2.12.0", "apart.json"),
    ],
}


# --- formats -----------------------------------------------------------------------------------


def _make_keras(rng: Random) -> bytes:
    content = rng.choice(seeds("keras"))
    kind = rng.randrange(20)
    if kind < 2:
        return mutations.damaged(rng, content)
    if kind < 6:
        return mutations.tampered_zip(rng, content)
    members = mutations.members(content)
    if kind < 15:
        config = mutations.spliced(rng, json.loads(members["config.json"]))
        members["config.json"] = mutations.as_text(rng, config)
    else:
        members["model.weights.h5"] = _spoiled_hdf5(rng, members["model.weights.h5"])
    if rng.random() < 0.05:
        members["metadata.json"] = mutations.as_text(
            rng, {"keras_version": mutations.odd_value(rng)}
        )
    return mutations.zipped(list(members.items()))


def _spoiled_hdf5(rng: Random, content: bytes) -> bytes:
    if rng.random() < 0.3:
        return latest_hdf5.forged(rng, _latest(content))
    if rng.random() < 0.4:
        return mutations.damaged(rng, content)
    content = mutations.tampered_hdf5(rng, content)
    return mutations.damaged(rng, content) if rng.random() < 0.4 else content


_latest = functools.cache(latest_hdf5.in_latest_layout)


def _make_hdf5(name: str) -> Callable[[Random], bytes]:
    return lambda rng: _spoiled_hdf5(rng, rng.choice(seeds(name)))


def _make_npz(rng: Random) -> bytes:
    content = rng.choice(seeds("npz"))
    if rng.random() < 0.4:
        return mutations.tampered_zip(rng, content)
    members = mutations.members(content)
    name = rng.choice(list(members))
    head = 128  # bytes of an array that say its type and shape
    members[name] = mutations.damaged(rng, members[name][:head]) + members[name][head:]
    return mutations.zipped(list(members.items()))


def _make_state(rng: Random) -> bytes:
    content = rng.choice(seeds("state"))
    if rng.random() < 0.2:
        return mutations.tampered_zip(rng, content)
    members = mutations.members(content)
    index = json.loads(members["state.json"])
    where = rng.choice(((), ("fit",), ("fit", "passes"), ("fit", "callbacks"), ("optimizers",)))
    place = functools.reduce(operator.getitem, where, index["state"])
    if rng.random() < 0.5:
        inside, key = rng.choice([p for p in mutations.places(place) if not _holds(*p)])
        inside[key] = rng.choice([-1, 0, 1, 2, 0.5, 10**9, 2**31, 2**63, math.nan, True, None, "a"])
    elif isinstance(place, dict):
        changed = mutations.spliced(rng, place)
        place.clear()
        place.update(changed if isinstance(changed, dict) else {"": changed})
    else:
        place[:] = [mutations.spliced(rng, place)]
    members["state.json"] = mutations.as_text(rng, index)
    return mutations.zipped(list(members.items()))


def _holds(inside: Any, key: Any) -> bool:
    """Whether there is a value of several."""
    return isinstance(inside[key], (dict, list)) and bool(inside[key])


def _make_json(rng: Random) -> bytes:
    return mutations.as_text(rng, mutations.spliced(rng, json.loads(rng.choice(seeds("json")))))


def _make_archive(rng: Random) -> bytes:
    """Of a few small files."""
    names = (
        "a.txt",
        "b/c.txt",
        "b/d/",
        "../x",
        "/tmp/x",
        "a\\b",
        "b/../../x",
        ".",
        "C:x",
        "b",
        "a",
    )
    file = io.BytesIO()
    if rng.random() < 0.5:
        items = [(rng.choice(names), b"x" * rng.randrange(99)) for _ in range(rng.randrange(1, 5))]
        return mutations.tampered_zip(rng, mutations.zipped([*items, ("z.txt", b"z")]))
    with tarfile.open(fileobj=file, mode=rng.choice(("w", "w:gz", "w:xz"))) as archive:  # type: ignore[call-overload]
        for _ in range(rng.randrange(1, 6)):
            info = tarfile.TarInfo(rng.choice(names))
            info.type = rng.choice((tarfile.REGTYPE,) * 6 + (tarfile.SYMTYPE, tarfile.LNKTYPE,
                                   tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE))  # fmt: skip
            info.linkname = rng.choice(names)
            info.size = rng.randrange(99) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    content = file.getvalue()
    return mutations.damaged(rng, content) if rng.random() < 0.6 else content


def _load_model(path: str, rng: Random) -> None:
    saving.load_model(path, compile=rng.random() < 0.9)


def _load_weights(path: str, rng: Random) -> None:
    kind = rng.choice(list(_MODELS))
    model = _kept.get(kind) or _kept.setdefault(kind, _MODELS[kind]())
    before = _state_of(model)
    options = {"skip_mismatch": rng.random() < 0.2}
    if path.endswith("a.h5"):
        options["by_name"] = rng.random() < 0.3
    try:
        model.load_weights(path, **options)
    except Exception:
        if _state_of(model) != before:
            raise Changed("the model was changed by a load_weights that failed") from None
        raise
    finally:
        if model.optimizer.built != before[0]:
            del _kept[kind]


class Changed(BaseException):
    """A failed load that left its mark."""


_MODELS: dict[str, Callable[[], Any]] = {
    "new": lambda: small_model(),
    "other": lambda: sequential_model(),
    "trained": lambda: trained(small_model()),
}
_kept: dict[str, Any] = {}


def _state_of(model: Any) -> list[Any]:
    variables = [*model.variables, *model.optimizer.variables]
    return [
        model.optimizer.built,
        *((id(v), v.shape, str(v.dtype), v.numpy().tobytes()) for v in variables),
    ]


def _load_state(path: str, rng: Random) -> None:
    """And train on; callbacks may find then that what they kept makes no sense."""
    model = small_model()
    before = _state_of(model)
    try:
        model.load_state(path)
    except Exception:
        if _state_of(model) != before:
            raise Changed("the model was changed by a load_state that failed") from None
        raise
    model.fit(**DATA, epochs=3, verbose=0, callbacks=_callbacks())


def _from_json(path: str, rng: Random) -> None:
    text = Path(path).read_bytes().decode("utf-8", "replace")
    models.model_from_json(text)


def _extract(path: str, rng: Random) -> None:
    folder = Path(path).parent / "out" / "in"
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.parent.mkdir()
    extract_archive(path, folder)
    outside = [p for p in folder.parent.rglob("*") if folder not in (p, *p.parents)]
    if outside or any(p.is_symlink() or not (p.is_file() or p.is_dir()) for p in folder.rglob("*")):
        raise Changed(f"something was written outside of the folder: {outside}")


class Format(NamedTuple):
    """How a case is made, how its file is called, and what opens it."""

    make: Callable[[Random], bytes]
    name: str
    load: Callable[[str, Random], None]


FORMATS = {
    "keras": Format(_make_keras, "a.keras", _load_model),
    "keras_weights": Format(_make_keras, "b.keras", _load_weights),
    "weights": Format(_make_hdf5("weights"), "a.weights.h5", _load_weights),
    "legacy": Format(_make_hdf5("legacy"), "m.h5", _load_model),
    "legacy_weights": Format(_make_hdf5("legacy_weights"), "a.h5", _load_weights),
    "json": Format(_make_json, "a.json", _from_json),
    "archive": Format(_make_archive, "a.zip", _extract),
    "npz": Format(_make_npz, "a.npz", _load_weights),
    "state": Format(_make_state, "a.state", _load_state),
}


# --- one case ----------------------------------------------------------------------------------


def run_case(
    name: str, seed: int, case: int, folder: str, made: Callable[[], Any] = lambda: None
) -> tuple[str, str]:
    """(outcome, details): 'loaded' and 'refused' are good, anything else is a failure.

    made() is called between the making of the file and its opening.
    """
    form = FORMATS[name]
    rng = Random(f"{seed} {name} {case}")
    path = os.path.join(folder, form.name)
    Path(path).write_bytes(form.make(rng))
    layerkit.utils.clear_session()
    made()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            form.load(path, rng)
        except Changed as error:
            return "changed", str(error)
        except Exception as error:
            return judged(error)
    return "loaded", ""


def judged(error: Exception) -> tuple[str, str]:
    """Whether an error is one of layerkit's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return "memory", "".join(traceback.format_exception(error))
        cause = cause.__cause__ or cause.__context__
    frame = traceback.extract_tb(error.__traceback__)[-1]
    own = frame.filename.startswith(PACKAGE) and "tests" not in frame.filename
    line = linecache.getline(frame.filename, frame.lineno or 0).strip()
    good = isinstance(error, (ValueError, TypeError, OSError)) and own and str(error).strip()
    if good and line.startswith("raise"):
        return "refused", str(error)
    return "bare", "".join(traceback.format_exception(error))


# --- many --------------------------------------------------------------------------------------


def _work(name: str, seed: int, cases: range, pipe: int) -> None:
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    most = pages * resource.getpagesize() + ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    folder = tempfile.mkdtemp(prefix="fuzz-")
    with os.fdopen(pipe, "w", buffering=1) as out:
        try:
            for case in cases:
                before = 0

                def made(case: int = case) -> None:
                    nonlocal before
                    out.write(f"{json.dumps([case, 'started', ''])}\n")
                    before = _peak(reset=True)

                outcome, details = run_case(name, seed, case, folder, made)
                if _peak() - before > MEMORY * (4 if name == "json" else 1):
                    outcome, details = "memory", f"{_peak() - before} bytes; {outcome}: {details}"
                if outcome in ("loaded", "refused"):
                    details = details[:200]
                out.write(f"{json.dumps([case, outcome, details])}\n")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _peak(reset: bool = False) -> int:
    """The most bytes of RAM that this process had since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10
    return 0


def _used(pid: int) -> float:
    """The seconds of the processor's time that a process has had."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


class Worker:
    """A child process that goes through cases."""

    def __init__(self, name: str, seed: int, cases: range):
        self.name, self.seed, self.cases = name, seed, cases
        self.start()

    def start(self) -> None:
        read, write = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(read)
            code = 1
            try:
                _work(self.name, self.seed, self.cases, write)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(write)
        self.pipe, self.buffer, self.case = read, b"", -1
        self.mark()

    def mark(self) -> None:
        self.since, self.used = time.monotonic(), _used(self.pid)

    def results(self) -> list[tuple[int, str, str]]:
        """What has ended since: reads what is there, and ends what has run for too long."""
        found = []
        while select.select([self.pipe], [], [], 0)[0]:
            part = os.read(self.pipe, 1 << 16)
            if not part:
                return [*found, *self._ended()]
            self.buffer += part
            *lines, self.buffer = self.buffer.split(b"\n")
            for case, outcome, details in map(json.loads, lines):
                self.case = case
                self.mark()
                if outcome != "started":
                    found.append((case, outcome, details))
                    self.cases = range(case + self.cases.step, self.cases.stop, self.cases.step)
        waited = time.monotonic() - self.since
        if waited > BLOCKED or waited > SECONDS and _used(self.pid) - self.used > SECONDS:
            os.kill(self.pid, signal.SIGKILL)
            return [*found, *self._ended("hang")]
        return found

    def _ended(self, why: str = "crash") -> list[tuple[int, str, str]]:
        os.close(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        if not self.cases:
            self.pid = 0
            return []
        case = self.cases[0]
        self.cases = self.cases[1:]
        if self.cases:
            self.start()
        else:
            self.pid = 0
        return [(case, why, f"status {status}")]


def fuzz(name: str, seed: int, cases: int, workers: int = 2, first: int = 0) -> collections.Counter:
    """Run the cases of a format; prints failures, returns how many had which outcome."""
    if name in ("keras_weights", "keras"):
        seeds("keras")
    for known in _SEEDS:  # before the workers are made
        if known == name:
            seeds(known)
    for content in set(seeds(name) if name in ("weights", "legacy", "legacy_weights") else ()):
        latest_hdf5.structures(_latest(content))
    running = [Worker(name, seed, range(first + i, first + cases, workers)) for i in range(workers)]
    counts: collections.Counter = collections.Counter()
    while any(worker.pid for worker in running):
        alive = [worker for worker in running if worker.pid]
        select.select([worker.pipe for worker in alive], [], [], 0.2)
        for worker in alive:
            for case, outcome, details in worker.results():
                counts[outcome] += 1
                if outcome not in ("loaded", "refused"):
                    print(
                        f"--- {outcome}: --only {name} --seed {seed} --case {case}\n{details}",
                        flush=True,
                    )
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="over all formats together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(FORMATS))
    parser.add_argument("--case", type=int, help="this one alone, in this process")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    names = [options.only] if options.only else list(FORMATS)
    if options.case is not None:
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                faulthandler.enable()
                print(name, *run_case(name, options.seed, options.case, folder))
        return
    total: collections.Counter = collections.Counter()
    for name in names:
        started = time.monotonic()
        counts = fuzz(name, options.seed, options.cases // len(names), options.workers)
        total += counts
        print(f"{name}: {dict(counts)} in {time.monotonic() - started:.0f} s", flush=True)
    print(f"all: {dict(total)}")
    bad = total.keys() - {"loaded", "refused"}
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
