"""Files are replaced whole or not at all: full disks, other writers, killed ones."""

from __future__ import annotations

import contextlib
import errno
import io
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
            file.write(bytes(100))
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


def test_an_interruption_that_hdf5_swallows_is_not_forgotten(tmp_path, monkeypatch):
    """Ctrl-C arrives in the middle of a write; HDF5 may make nothing of it, or another error."""
    model, path = trained(), tmp_path / "a.weights.h5"
    model.save_weights(path)
    before, left = path.read_bytes(), [0]

    class Interrupted(io.BufferedRandom):
        def write(self, data):
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
            return super().write(data)

    class File(atomic._File, Interrupted):
        """Between the file that remembers and the file of the system."""

    monkeypatch.setattr(atomic, "_File", File)
    for left[0] in (1, 2, 5):
        with pytest.raises(KeyboardInterrupt):
            model.save_weights(path)
        assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.weights.h5"]


WRITING = """
import sys
import numpy as np
from layerkit import Input, Sequential, layers
path, number, times = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
model = Sequential([Input((30,)), layers.Dense(50, name="d")])
model.compile("sgd", "mse")
model.set_weights([np.full_like(w, number) for w in model.get_weights()])
print("begins", flush=True)
saved = 0
for _ in range(times):
    try:
        model.save(path)
        saved += 1
    except OSError as error:
        assert "somebody else" in str(error), error
print(saved, flush=True)
"""


def test_two_writers_at_a_time_leave_one_of_their_files(tmp_path):
    path = str(tmp_path / "a.keras")
    first = layers.Dense(50, kernel_initializer="zeros")
    Sequential([Input((30,)), first]).save(path)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITING, path, number, "15"],
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
    saved = [writer.communicate() for writer in writers]
    assert not any(errors for _, errors in saved), saved
    assert sum(int(count) for count, _ in saved) >= 15
    assert loads > 1 and os.listdir(tmp_path) == ["a.keras"]


@pytest.mark.skipif(os.name != "posix", reason="needs locks of files")
@pytest.mark.parametrize("writer", WRITERS)
def test_a_second_writer_is_told(writer, tmp_path):
    name, write = WRITERS[writer]
    path, model = tmp_path / name, trained()
    path.write_bytes(b"old")
    with replacing(str(path)) as file:
        file.write(b"new")
        with pytest.raises(OSError, match="somebody else, .* is writing it at this moment") as told:
            write(model, path)
        assert told.value.errno == errno.EBUSY and path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == [name]
    write(model, path)


@pytest.mark.skipif(os.name != "posix", reason="needs locks of files")
def test_of_two_that_begin_at_once_the_first_goes_on(tmp_path, monkeypatch):
    path, second, made = str(tmp_path / "a"), [], atomic._made

    def made_with_another(target):
        """Between making a file and looking for others, another writer begins, and ends."""
        found = made(target)
        monkeypatch.setattr(atomic, "_made", made)
        with pytest.raises(OSError, match="somebody else"), replacing(path):
            raise AssertionError("two writers")
        second.append(True)
        return found

    monkeypatch.setattr(atomic, "_made", made_with_another)
    with replacing(path) as file:
        file.write(b"first")
    assert second and (tmp_path / "a").read_bytes() == b"first"


@pytest.mark.skipif(os.name != "posix", reason="needs modes of files")
def test_locks_that_a_file_system_has_not(tmp_path, monkeypatch):
    def refused(file, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(atomic.fcntl, "flock", refused)
    left = tmp_path / f".a.{'0' * 24}.tmp"
    left.write_bytes(b"of somebody who may live")
    with replacing(str(tmp_path / "a")) as file, replacing(str(tmp_path / "a")) as later:
        file.write(b"first")
        later.write(b"later")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert sorted(os.listdir(tmp_path)) == [left.name, "a"]


# What a file is beside its content.


@pytest.mark.skipif(os.name != "posix", reason="needs modes of files")
def test_modes_are_those_of_other_new_files_or_of_the_old_file(tmp_path):
    path = tmp_path / "a"
    before = os.umask(0o027)
    try:
        with replacing(str(path)) as file:
            assert _mode(next(tmp_path.iterdir())) == 0o640
            file.write(b"1")
        assert _mode(path) == 0o640
        path.chmod(0o600)
        with replacing(str(path)) as file:
            (temporary,) = (each for each in tmp_path.iterdir() if each != path)
            assert _mode(temporary) == 0o600  # nobody reads it in the meantime
            file.write(b"2")
        assert _mode(path) == 0o600
    finally:
        os.umask(before)


def _mode(path):
    return path.stat().st_mode & 0o777


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_owner_stays(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    os.chown(path, 1234, 1235)
    with replacing(str(path)) as file:
        file.write(b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


@pytest.mark.skipif(os.name != "posix", reason="needs links of files")
def test_links(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "target").write_bytes(b"old")
    (tmp_path / "hard").hardlink_to(tmp_path / "folder" / "target")
    (tmp_path / "soft").symlink_to("folder/target")
    (tmp_path / "dangling").symlink_to("folder/new")
    (tmp_path / "loop").symlink_to("loop")
    for name, target in (("soft", "target"), ("dangling", "new")):
        with replacing(str(tmp_path / name)) as file:
            file.write(name.encode())
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "folder" / target).read_bytes() == name.encode()
    assert (tmp_path / "hard").read_bytes() == b"old"
    with pytest.raises(OSError, match="Cannot save to '.*loop': "), replacing(f"{tmp_path}/loop"):
        pass
    assert sorted(os.listdir(tmp_path / "folder")) == ["new", "target"]


def test_names_of_any_length_and_script(tmp_path):
    for name in ("模" * 80 + ".keras", "🧊" * 60, "é" * 120, "a b\n", "x" * 255, "%s{0}[a]*"):
        for content in (b"1", b"2"):
            with replacing(str(tmp_path / name)) as file:
                file.write(content)
            assert (tmp_path / name).read_bytes() == content
        os.unlink(tmp_path / name)
    assert os.listdir(tmp_path) == []
    too_long = pytest.raises(OSError, match="Cannot save to '.*xx': File name too long")
    with too_long, replacing(str(tmp_path / ("x" * 256))):
        raise AssertionError("must not begin")
    assert os.listdir(tmp_path) == []


# On the disk.


def test_what_is_put_on_the_disk_and_when(tmp_path, monkeypatch):
    """The content before the name, the folder after it."""
    happened = []
    real_ones = {"fsync": os.fsync, "replace": os.replace}
    for name in real_ones:

        def told(*args, name=name):
            is_folder = name == "fsync" and os.path.isdir(f"/proc/self/fd/{args[0]}")
            happened.append("fsync of folder" if is_folder else name)
            return real_ones[name](*args)

        monkeypatch.setattr(atomic.os, name, told)
    with replacing(str(tmp_path / "a")) as file:
        file.write(b"new")
    expected = ["fsync", "replace"] + ["fsync of folder"] * os.path.isdir("/proc/self/fd")
    assert happened[:3] == expected


@pytest.mark.skipif(os.name != "posix", reason="needs folders that can be opened")
@pytest.mark.parametrize("number", [errno.EINVAL, errno.EACCES, errno.EIO])
def test_folders_that_cannot_be_synced(number, tmp_path, monkeypatch):
    """The file has its name by then: only a disk that fails is told of."""
    target = "open" if number == errno.EACCES else "fsync"
    real = getattr(os, target)

    def failing(thing, *args):
        if thing == str(tmp_path) or (
            target == "fsync" and os.path.isdir(f"/proc/self/fd/{thing}")
        ):
            raise OSError(number, os.strerror(number))
        return real(thing, *args)

    monkeypatch.setattr(atomic.os, target, failing)
    fails = number == errno.EIO and os.path.isdir("/proc/self/fd")
    told = pytest.raises(OSError) if fails else contextlib.nullcontext()
    with told, replacing(str(tmp_path / "a")) as file:
        file.write(b"new")
    assert (tmp_path / "a").read_bytes() == b"new" and os.listdir(tmp_path) == ["a"]


def test_errors_that_are_not_of_the_file_stay_as_they_are(tmp_path):
    error = FileNotFoundError(errno.ENOENT, "a layer's vocabulary is missing")
    with pytest.raises(FileNotFoundError) as raised, replacing(str(tmp_path / "a")):
        raise error
    assert raised.value is error and os.listdir(tmp_path) == []


# Weights in several files.


def test_sharded_weights_are_replaced_whole(tmp_path, full_disk):
    path, model = tmp_path / "a.weights.json", trained()

    def save(room=None):
        full_disk(room)
        model.save_weights(path, max_shard_size=30_000 / 2**30)

    for room in (0, 20_000, 60_000):
        with pytest.raises(OSError, match="No space left"):
            save(room)
        assert os.listdir(tmp_path) == []
    save()
    expected = model.get_weights()
    model.set_weights([w + 1 for w in expected])
    for room in (0, 20_000, 60_000):
        files = sorted(os.listdir(tmp_path))
        with pytest.raises(OSError, match="No space left"):
            save(room)
        assert sorted(os.listdir(tmp_path)) == files
        again = trained()
        again.load_weights(path)
        np.testing.assert_equal(again.get_weights(), expected)
    full_disk(None)


def test_parts_of_killed_writers_do_not_pile_up(tmp_path):
    path, model = tmp_path / "a.weights.json", trained()
    for _ in range(3):
        model.save_weights(path, max_shard_size=30_000 / 2**30)
    files = sorted(os.listdir(tmp_path))
    mine = ["a_00007.weights.h5", "a_generation1_1.weights.h5", "ba_generation1_00000.weights.h5"]
    for name in [*mine, "a_generation7_00000.weights.h5"]:
        (tmp_path / name).write_bytes(b"")
    for _ in range(2):
        model.save_weights(path, max_shard_size=30_000 / 2**30)
    assert len(os.listdir(tmp_path)) == len(files) + len(mine)
    assert all((tmp_path / name).exists() for name in mine)


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
    mine = [".a.bin.mine.tmp", f".a.bin.{'0' * 24}", f".b.bin.{'0' * 24}.tmp"]
    for name in mine:
        (tmp_path / name).write_bytes(b"")
    command = [sys.executable, "-c", KILLED, path]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"half\n"
    with pytest.raises(OSError, match="somebody else"), replacing(path):
        raise AssertionError("the writer lives")
    assert len(os.listdir(tmp_path)) == len(mine) + 1
    writer.kill()
    writer.wait()
    writer.stdout.close()
    assert len(os.listdir(tmp_path)) == len(mine) + 1
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
