"""Files are replaced whole or not at all: full disks, other writers, killed ones."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys

import numpy as np
import pytest

from layerkit import Input, Sequential, layers
from layerkit.models import load_model
from layerkit.saving import atomic
from layerkit.saving.atomic import replacing

pytestmark = pytest.mark.numpy_only("files are written on the host")

X = np.ones((2, 30), "float32")

WRITERS = {
    "save": ("a.keras", lambda model, path: model.save(path)),
    "save, legacy": ("a.h5", lambda model, path: model.save(path)),
    "save_weights": ("a.weights.h5", lambda model, path: model.save_weights(path)),
    "save_state": ("a.state", lambda model, path: model.save_state(path)),
}


def trained():
    model = Sequential([Input((30,)), layers.Dense(200), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    return model


@pytest.fixture
def full_disk(monkeypatch):
    """Room for so many bytes more, as a disk has it: counted when they are written."""
    room = [None]
    write = atomic._File.write

    def limited(self, data):
        size = memoryview(data).nbytes
        if room[0] is not None and size > room[0]:
            self.failed = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise self.failed
        room[0] = None if room[0] is None else room[0] - size
        return write(self, data)

    monkeypatch.setattr(atomic._File, "write", limited)
    return lambda bytes_left: room.__setitem__(0, bytes_left)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_leaves_the_old_file(writer, tmp_path, full_disk):
    name, write = WRITERS[writer]
    path, model = tmp_path / name, trained()
    for left in (0, 100, 20_000):  # with nothing there yet
        full_disk(left)
        with pytest.raises(OSError, match=f"Cannot save to '.*{name}': No space left.*Nothing"):
            write(model, path)
        assert os.listdir(tmp_path) == []
    full_disk(None)
    write(model, path)
    before = path.read_bytes()
    for left in (0, 1000, 50_000, len(before) - 1000):
        full_disk(left)
        with pytest.raises(OSError, match="The file there is as it was") as raised:
            write(model, path)
        assert raised.value.errno == errno.ENOSPC
        assert path.read_bytes() == before and os.listdir(tmp_path) == [name]
    full_disk(None)
    write(model, path)


def test_a_failed_write_is_not_forgotten(tmp_path, full_disk):
    full_disk(10)
    with pytest.raises(OSError, match="No space left"), replacing(str(tmp_path / "a")) as file:
        with contextlib.suppress(OSError):
            file.raw.write(bytes(100))
        file.write(b"little")
    assert os.listdir(tmp_path) == []


LIMITED = """
import resource, sys
import numpy as np
from layerkit import Input, Sequential, layers
model = Sequential([Input((30,)), layers.Dense(200), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(np.ones((2, 30)), np.ones((2, 1)), verbose=0)
for name in ("a.keras", "a.h5", "a.weights.h5", "a.state"):
    path = f"{sys.argv[1]}/{name}"
    save = {"a.weights.h5": model.save_weights, "a.state": model.save_state}.get(name, model.save)
    save(path)
    before = open(path, "rb").read()
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, resource.RLIM_INFINITY))
    try:
        save(path)
    except OSError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert open(path, "rb").read() == before
"""


@pytest.mark.skipif(os.name != "posix", reason="needs limits of processes")
def test_a_limit_of_the_system_leaves_the_old_file(tmp_path):
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0 and not process.stderr, process.stderr
    lines = process.stdout.splitlines()
    names = ["a.keras", "a.h5", "a.weights.h5", "a.state"]
    for line, name in zip(lines, names, strict=True):
        assert f"Cannot save to '{tmp_path}/{name}': File too large" in line
    assert sorted(os.listdir(tmp_path)) == sorted(names)


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    def refused(path, flags, mode=0o777):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    model = trained()  # permissions themselves do not bind the user root, whom tests may run as
    monkeypatch.setattr(atomic.os, "open", refused)
    for name, write in WRITERS.values():
        with pytest.raises(PermissionError, match=f"Cannot save to '.*{name}': Permission denied"):
            write(model, tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_disk_that_fails_at_the_end(tmp_path, monkeypatch):
    def failing(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(atomic.os, "fsync", failing)
    failed = pytest.raises(OSError, match="Input/output error. The file there is as it was")
    with failed, replacing(str(tmp_path / "a")) as file:
        file.write(b"new")
    assert (tmp_path / "a").read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


WRITING = """
import sys
import numpy as np
from layerkit import Input, Sequential, layers
path, number, times = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
model = Sequential([Input((30,)), layers.Dense(50, name="d")])
model.compile("sgd", "mse")
model.set_weights([np.full_like(w, number) for w in model.get_weights()])
print("begins", flush=True)
for _ in range(times):
    model.save(path)
"""


def test_two_writers_at_a_time_leave_one_of_their_files(tmp_path):
    path = str(tmp_path / "a.keras")
    first = layers.Dense(50, kernel_initializer="zeros")
    Sequential([Input((30,)), first]).save(path)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITING, path, number, "40"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in ("1", "2")
    ]
    for writer in writers:
        assert writer.stdout.readline() == b"begins\n"
    loads = 0
    while any(writer.poll() is None for writer in writers):
        values = np.unique(np.concatenate([w.ravel() for w in load_model(path).get_weights()]))
        assert values.tolist() in ([0.0], [1.0], [2.0])
        loads += 1
    for writer in writers:
        assert writer.communicate() == (b"", b"") and writer.returncode == 0
    assert loads > 3 and os.listdir(tmp_path) == ["a.keras"]


KILLED = """
import sys, time
from layerkit.saving.atomic import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half")
    print("half", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs locks of files")
def test_what_killed_writers_left_is_removed_and_living_ones_are_let_be(tmp_path):
    path = str(tmp_path / "a.bin")
    mine = [".a.bin.mine.tmp", ".a.bin.0123456789ab", ".b.bin.0123456789ab.tmp"]
    for name in mine:
        (tmp_path / name).write_bytes(b"")
    command = [sys.executable, "-c", KILLED, path]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"half\n"
    with replacing(path) as file:
        file.write(b"whole")
    assert len(os.listdir(tmp_path)) == len(mine) + 2  # the writer lives
    writer.kill()
    writer.wait()
    writer.stdout.close()
    assert len(os.listdir(tmp_path)) == len(mine) + 2
    with replacing(path) as file:
        file.write(b"again")
    assert sorted(os.listdir(tmp_path)) == sorted([*mine, "a.bin"])


def test_a_writer_whose_file_was_taken_for_a_leftover_makes_another(tmp_path, monkeypatch):
    removed = []

    def locked(file):
        if not removed:
            removed.append(file.name)
            return False
        return True

    monkeypatch.setattr(atomic, "_is_locked", locked)
    with replacing(str(tmp_path / "a")) as file:
        file.write(b"new")
    assert removed and (tmp_path / "a").read_bytes() == b"new"
