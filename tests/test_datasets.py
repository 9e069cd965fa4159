"""Data sets: the bundled sample, IDX and .npz files, downloads from a server on this machine."""

import gzip
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest

from layerkit.datasets import fashion_mnist, mnist
from layerkit.datasets.download import DownloadError, fetch, home
from layerkit.datasets.idx import IdxFile, decode, encode, read_idx

NAMES = [file.name for file in mnist.DATASET.files]
KEYS = ["x_train", "y_train", "x_test", "y_test"]


def _arrays():
    """Sixty training and ten test images, too noisy to be compressed."""
    rng = np.random.default_rng(7)
    shapes = [(60, 28, 28), (60,), (10, 28, 28), (10,)]
    return [rng.integers(0, 256 if len(s) > 1 else 10, s, dtype=np.uint8) for s in shapes]


ARRAYS = _arrays()
PLAIN = {name: encode(array) for name, array in zip(NAMES, ARRAYS, strict=True)}
ZIPPED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in PLAIN.items()}
IMAGES = f"{NAMES[0]}.gz"


def _same(splits, arrays=ARRAYS):
    (x_train, y_train), (x_test, y_test) = splits
    for received, expected in zip((x_train, y_train, x_test, y_test), arrays, strict=True):
        assert received.dtype == expected.dtype
        np.testing.assert_array_equal(received, expected)
    return True


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.files` with ranges; `server.cuts` holds, per name, lengths to break off at."""

    def do_GET(self):
        server, name = self.server, self.path.lstrip("/")
        asked = self.headers.get("Range")
        server.log.append((name, asked))
        if name in server.redirects:
            self.send_response(302)
            self.send_header("Location", server.redirects[name])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if name not in server.files:
            return self.send_error(404)
        body, start = server.files[name], 0
        if asked and server.ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if server.lengths:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        body = body[start:]
        if server.cuts.get(name):
            body = body[: server.cuts[name].pop(0)]
        half = len(body) // 2
        self.wfile.write(body[:half])
        server.half_sent.set()
        server.gate.wait(10)
        self.wfile.write(body[half:])

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # the client hung up: what some of these tests are about


@contextmanager
def _serve(files):
    server = Server(("127.0.0.1", 0), Handler)
    server.files, server.redirects, server.cuts, server.log = dict(files), {}, {}, []
    server.ranges = server.lengths = True
    server.half_sent, server.gate = threading.Event(), threading.Event()
    server.gate.set()
    server.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server():
    with _serve(ZIPPED) as server:
        yield server


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    for name, folder in {"HOME": "", "LAYERKIT_HOME": "layerkit", "KERAS_HOME": "keras"}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.chdir(tmp_path)


def _small(monkeypatch, *mirrors, module=mnist, hashed="sha256"):
    """Let `module` be a data set of `ARRAYS` on these servers."""
    contents = PLAIN.values() if hashed == "sha256" else ZIPPED.values()
    files = tuple(
        IdxFile(name, array.shape, **{hashed: hashlib.sha256(content).hexdigest()})
        for name, array, content in zip(NAMES, ARRAYS, contents, strict=True)
    )
    small = module.DATASET._replace(files=files, mirrors=mirrors)
    monkeypatch.setattr(module, "DATASET", small)
    return small


def _fill(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


# The bundled sample.


def test_sample_is_mnist():
    (x_train, y_train), (x_test, y_test) = mnist.load_sample()
    assert (x_train.shape, x_train.dtype) == ((8000, 28, 28), np.uint8)
    assert (x_test.shape, x_test.dtype) == ((2000, 28, 28), np.uint8)
    assert (y_train.shape, y_train.dtype) == ((8000,), np.uint8)
    assert (y_test.shape, y_test.dtype) == ((2000,), np.uint8)
    digest = hashlib.sha256()
    for array in (x_train, x_test, y_train, y_test):
        digest.update(array.tobytes())
    expected = "5864e9e6ef6c58c89e80baaef84b4d06f1b37a45a4806f31d2294b488930c038"
    assert digest.hexdigest() == expected


def test_sample_is_balanced():
    (_, y_train), (_, y_test) = mnist.load_sample()
    for y in (y_train, y_test):
        shares = np.bincount(y, minlength=10) / len(y)
        assert shares.min() > 0.08
        assert shares.max() < 0.12


# The IDX format.


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_idx_round_trip(dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    decoded = decode(encode(array))
    assert decoded.dtype == array.dtype
    assert decoded.flags.writeable
    np.testing.assert_array_equal(decoded, array)


def test_idx_bytes_are_those_of_the_format():
    array = np.array([[1, 2], [3, 258]], np.int16)
    expected = "00000b02" + "00000002" * 2 + "0001" + "0002" + "0003" + "0102"
    assert encode(array).hex() == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"Not an IDX file.*received \[\]"),
        (b"<html>", r"Not an IDX file.*received \[60, 104, 116, 109\]"),
        (PLAIN[NAMES[0]][:-1], r"expected 47056 bytes for the shape \(60, 28, 28\).*47055"),
        (PLAIN[NAMES[0]][:9], r"Damaged IDX file"),
        (PLAIN[NAMES[0]] + b"x", r"Damaged IDX file.*47057"),
        (b"\0\0\x08\x02" + b"\xff" * 8, r"Damaged IDX file.*received 12"),
        (ZIPPED[IMAGES][:-9], r"Damaged gzip file"),
        (gzip.compress(bytes(200_001)), r"at most 200000 decompressed bytes"),
    ],
)
def test_damaged_idx_is_refused(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(path, max_bytes=200_000)


# path=


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
@pytest.mark.parametrize("contents", [PLAIN, ZIPPED])
def test_path_of_a_folder(tmp_path, module, contents):
    assert _same(module.load_data(path=_fill(tmp_path / "mine", contents)))
    assert _same(module.load_data(path="mine"))


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
def test_path_of_an_npz(tmp_path, module):
    np.savez(tmp_path / "mine.npz", **dict(zip(KEYS, ARRAYS, strict=True)))
    assert _same(module.load_data(tmp_path / "mine.npz"))
    assert _same(module.load_data("mine.npz"))


def test_folder_without_a_file(tmp_path):
    folder = _fill(tmp_path / "mine", {NAMES[0]: PLAIN[NAMES[0]]})
    message = r"expected train-labels-idx1-ubyte or .*\.gz.*received \['train-images-idx3-ubyte'\]"
    with pytest.raises(FileNotFoundError, match=message):
        mnist.load_data(folder)


def test_damaged_file_in_a_folder_is_named(tmp_path):
    folder = _fill(tmp_path / "mine", {**PLAIN, NAMES[1]: PLAIN[NAMES[1]][:-1]})
    with pytest.raises(ValueError, match="mine/train-labels-idx1-ubyte: Damaged IDX file"):
        mnist.load_data(folder)


def test_images_and_labels_must_be_as_many(tmp_path):
    folder = _fill(tmp_path / "mine", {**PLAIN, NAMES[1]: PLAIN[NAMES[3]]})
    with pytest.raises(ValueError, match=r"\(60, 28, 28\) and labels of shape \(10,\)"):
        mnist.load_data(folder)


def test_missing_path_names_the_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder of IDX files or an .npz.*does not exist"):
        mnist.load_data(tmp_path / "nowhere")


def test_npz_without_an_array(tmp_path):
    np.savez(tmp_path / "mine.npz", x_train=ARRAYS[0])
    with pytest.raises(ValueError, match=r"expected \['x_train', .*received \['x_train'\]"):
        mnist.load_data(tmp_path / "mine.npz")


def test_npz_is_never_unpickled(tmp_path):
    arrays = dict(zip(KEYS, ARRAYS, strict=True))
    arrays["y_train"] = np.array([{}] * 60, dtype=object)
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        mnist.load_data(tmp_path / "mine.npz")


def test_no_npz_at_all(tmp_path):
    (tmp_path / "mine.npz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="mine.npz: expected an .npz file"):
        mnist.load_data("mine.npz")


# The cache and Keras's.


def test_home(monkeypatch, tmp_path):
    assert home() == tmp_path / "layerkit"
    monkeypatch.delenv("LAYERKIT_HOME")
    assert home() == tmp_path / ".layerkit"


@pytest.mark.parametrize("moved", [True, False])
def test_npz_of_keras_is_used(monkeypatch, tmp_path, moved):
    _small(monkeypatch)
    if not moved:
        monkeypatch.delenv("KERAS_HOME")
    folder = _fill(tmp_path / ("keras" if moved else ".keras") / "datasets", {})
    np.savez(folder / "mnist.npz", **dict(zip(KEYS, ARRAYS, strict=True)))
    assert _same(mnist.load_data())
    assert not home().exists()


def test_wrong_npz_of_keras_is_passed_over(monkeypatch, tmp_path, server):
    _small(monkeypatch, server.url)
    folder = _fill(tmp_path / "keras" / "datasets", {})
    np.savez(folder / "mnist.npz", **dict(zip(KEYS, ARRAYS[2:] * 2, strict=True)))
    with pytest.warns(UserWarning, match="does not hold the arrays of MNIST"):
        assert _same(mnist.load_data())


@pytest.mark.parametrize("contents", [PLAIN, ZIPPED])
def test_files_put_into_the_cache_by_hand(monkeypatch, contents):
    dataset = _small(monkeypatch)
    _fill(dataset.folder, contents)
    assert _same(mnist.load_data())


def test_damaged_plain_file_in_the_cache(monkeypatch):
    dataset = _small(monkeypatch)
    _fill(dataset.folder, {**PLAIN, NAMES[0]: PLAIN[NAMES[1]]})
    with pytest.raises(ValueError, match="Expected SHA-256 .*Delete it to download it anew"):
        mnist.load_data()


# Downloads.


@pytest.mark.parametrize(("module", "hashed"), [(mnist, "sha256"), (fashion_mnist, "gzip_sha256")])
def test_fresh_download(monkeypatch, server, module, hashed):
    dataset = _small(monkeypatch, server.url, module=module, hashed=hashed)
    assert _same(module.load_data())
    assert _same(module.load_data())
    assert Counter(server.log) == Counter((name, None) for name in ZIPPED)
    visible = [entry.name for entry in dataset.folder.iterdir() if entry.suffix != ".lock"]
    assert sorted(visible) == sorted(ZIPPED)


def test_corrupt_cached_file_is_fetched_again(monkeypatch, server):
    dataset = _small(monkeypatch, server.url)
    _fill(dataset.folder, {**ZIPPED, IMAGES: ZIPPED[IMAGES][:-100]})
    assert _same(mnist.load_data())
    assert server.log == [(IMAGES, None)]


@pytest.mark.parametrize(("module", "hashed"), [(mnist, "sha256"), (fashion_mnist, "gzip_sha256")])
def test_wrong_hash_goes_to_the_next_mirror(monkeypatch, server, caplog, module, hashed):
    wrong = encode(ARRAYS[0] + np.uint8(1))
    with _serve({**ZIPPED, IMAGES: gzip.compress(wrong)}) as bad:
        dataset = _small(monkeypatch, bad.url, server.url, module=module, hashed=hashed)
        assert _same(module.load_data())
    assert server.log == [(IMAGES, None)]
    expected = getattr(dataset.files[0], hashed)
    assert f"{bad.url}{IMAGES}: Expected SHA-256 {expected}" in caplog.text
    assert "; received " in caplog.text


def test_cut_transfer_is_resumed_at_once(monkeypatch, server):
    _small(monkeypatch, server.url)
    server.cuts[IMAGES] = [20000, 10000]
    assert _same(mnist.load_data())
    ranges = [asked for name, asked in server.log if name == IMAGES]
    assert ranges == [None, "bytes=20000-", "bytes=30000-"]


def test_cut_transfer_restarts_where_ranges_are_unknown(monkeypatch, server):
    _small(monkeypatch, server.url)
    server.ranges, server.cuts[IMAGES] = False, [20000]
    assert _same(mnist.load_data())
    assert [asked for name, asked in server.log if name == IMAGES] == [None, "bytes=20000-"]


def test_partial_file_is_resumed_by_the_next_run(monkeypatch, server):
    dataset = _small(monkeypatch, server.url)
    server.cuts[IMAGES] = [10000] * 3
    with pytest.raises(DownloadError, match="connection was cut 3 times"):
        mnist.load_data()
    assert not (dataset.folder / IMAGES).exists()
    assert _same(mnist.load_data())
    assert server.log[3] == (IMAGES, "bytes=30000-")


@pytest.mark.parametrize("length", [30000, len(ZIPPED[IMAGES]), len(ZIPPED[IMAGES]) + 5])
def test_wrong_partial_file_is_dropped(monkeypatch, server, length):
    dataset = _small(monkeypatch, server.url)
    server.cuts[IMAGES] = [10000] * 3
    with pytest.raises(DownloadError):
        mnist.load_data()
    (part,) = dataset.folder.glob("*.part")
    part.write_bytes(bytes(length))
    assert _same(mnist.load_data())
    assert list(dataset.folder.glob("*.part")) == []


def test_without_a_network(monkeypatch):
    with _serve({}) as gone:
        pass
    dataset = _small(monkeypatch, gone.url)
    with pytest.raises(ConnectionError) as error:
        mnist.load_data()
    message = str(error.value)
    assert f"Could not download {IMAGES}. Tried:\n  {gone.url}{IMAGES}: " in message
    assert "refused" in message
    assert f"Without a network: put {', '.join(NAMES)} (gzipped, .gz, or not)" in message
    assert f"into {dataset.folder}, or pass path=" in message
    assert "use mnist.load_sample()" in message


def test_every_mirror_is_named(monkeypatch, server):
    server.files.clear()
    with _serve({}) as other:
        _small(monkeypatch, server.url, other.url, module=fashion_mnist)
        with pytest.raises(DownloadError) as error:
            fashion_mnist.load_data()
    assert f"{server.url}{IMAGES}: HTTP 404 Not Found\n  {other.url}{IMAGES}" in str(error.value)
    assert "load_sample" not in str(error.value)


@pytest.mark.parametrize("lengths", [True, False])
def test_server_that_sends_too_much(monkeypatch, server, lengths):
    dataset = _small(monkeypatch, server.url)
    server.lengths, server.files[IMAGES] = lengths, bytes(1_000_000)
    with pytest.raises(DownloadError, match="expected at most 48127 bytes; received more"):
        mnist.load_data()
    assert sum(file.stat().st_size for file in dataset.folder.iterdir()) == 0


def test_gzip_bomb_is_refused(monkeypatch, server):
    _small(monkeypatch, server.url)
    server.files[IMAGES] = gzip.compress(bytes(10_000_000))
    with pytest.raises(DownloadError, match="at most 47056 decompressed bytes; received more"):
        mnist.load_data()


@pytest.mark.parametrize("scheme", ["file://", "ftp://127.0.0.1"])
def test_only_http(tmp_path, server, scheme):
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    server.redirects["here"] = f"{scheme}{secret}"
    for url in (f"{scheme}{secret}", f"{server.url}here"):
        with pytest.raises(DownloadError, match=r"unknown url type|HTTP 302"):
            fetch(tmp_path / "out", [url], lambda path: path.read_bytes(), max_bytes=10)


def test_redirects_are_followed(tmp_path, server):
    server.redirects["here"] = f"{server.url}{IMAGES}"
    read = fetch(tmp_path / "out", [f"{server.url}here"], read_idx, max_bytes=100_000)
    np.testing.assert_array_equal(read, ARRAYS[0])


def test_without_resume_a_cut_transfer_starts_anew(tmp_path, server):
    server.cuts[IMAGES] = [20000]
    url = f"{server.url}{IMAGES}"
    fetch(tmp_path / "out", [url], read_idx, max_bytes=100_000, resume=False)
    assert server.log == [(IMAGES, None), (IMAGES, None)]


def test_cache_that_cannot_be_written(monkeypatch, tmp_path, server):
    _small(monkeypatch, server.url)
    (tmp_path / "layerkit").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="Cannot write into .*LAYERKIT_HOME"):
        mnist.load_data()


def test_bar_is_shown(monkeypatch, server, capfd):
    _small(monkeypatch, server.url)
    monkeypatch.delenv("TQDM_DISABLE")
    mnist.load_data()
    assert "train-images-idx3-ubyte.gz: 100%" in capfd.readouterr().err


# Other processes.

CHILD = """
import sys
from layerkit.datasets.download import fetch
from layerkit.datasets.idx import read_idx
print("ready", flush=True)
sys.stdin.readline()
print(fetch(sys.argv[1], [sys.argv[2]], read_idx, max_bytes=100_000).sum(), flush=True)
"""


def _child(path, url):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert child.stdout.readline() == "ready\n"
    return child


def _go(child):
    child.stdin.write("go\n")
    child.stdin.flush()


def test_two_processes_download_once(tmp_path, server):
    server.gate.clear()
    path, url = tmp_path / "cache" / "out", f"{server.url}{IMAGES}"
    children = [_child(path, url), _child(path, url)]
    for child in children:
        _go(child)
    assert server.half_sent.wait(10)
    time.sleep(0.2)  # the other one is waiting by now
    server.gate.set()
    results = [child.communicate(timeout=20)[0] for child in children]
    assert results == [f"{ARRAYS[0].sum()}\n"] * 2
    assert server.log == [(IMAGES, None)]


def test_killed_process_leaves_no_lock_and_a_partial_file(tmp_path, server):
    server.gate.clear()
    path, url = tmp_path / "cache" / "out", f"{server.url}{IMAGES}"
    with _child(path, url) as child:
        _go(child)
        deadline = time.monotonic() + 10
        while not any(part.stat().st_size for part in path.parent.glob("*.part")):
            assert time.monotonic() < deadline, "nothing arrived"
            time.sleep(0.01)
        child.kill()
    server.gate.set()
    assert not path.exists()
    np.testing.assert_array_equal(fetch(path, [url], read_idx, max_bytes=100_000), ARRAYS[0])
    assert server.log[1][1].startswith("bytes=")
    assert list(path.parent.glob("*.part")) == []


ALONE = """
import importlib.util, sys
import numpy
known = set(sys.modules)
folder = sys.argv[1]
spec = importlib.util.spec_from_file_location(
    "alone", f"{folder}/__init__.py", submodule_search_locations=[folder]
)
sys.modules["alone"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["alone"])
print(*set(sys.modules) - known)
"""


def test_datasets_stand_alone_and_import_cheaply():
    folder = os.path.dirname(mnist.__file__)
    run = subprocess.run(
        [sys.executable, "-c", ALONE, folder], capture_output=True, text=True, check=True
    )
    imported = set(run.stdout.split())
    assert "alone.mnist" in imported
    avoided = {"layerkit", "tqdm", "urllib.request", "http.client", "hashlib", "ssl", "logging"}
    assert imported.isdisjoint(avoided)
