"""The data sets of Keras's cache: small files of the same structure, from a server on this machine.

Expected arrays are those that real Keras makes of the same files (tests/golden/datasets.json).
"""

from __future__ import annotations

import hashlib
import http.server
import importlib
import io
import json
import os
import pickle
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tables import datasets as small

from layerkit import backend as K
from layerkit.datasets import boston_housing, california_housing, cifar10, cifar100, imdb, reuters
from layerkit.datasets.download import DownloadError
from layerkit.datasets.pickled import load, load_npz

GOLDEN = json.loads((Path(__file__).parent / "golden" / "datasets.json").read_text())
FILES = small.files()
MODULES = (boston_housing, california_housing, cifar10, cifar100, imdb, reuters)


@pytest.fixture(scope="module")
def server():
    """Serves FILES under their names."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = FILES[self.path.lstrip("/")]
            server.log.append(self.path.lstrip("/"))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.log = []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def small_files(server, tmp_path, monkeypatch):
    """Every module means its small file on this server, with its hash."""
    server.log.clear()
    for name, content in (
        ("HOME", ""),
        ("KERAS_HOME", "keras"),
        ("LAYERKIT_HOME", "layerkit"),
    ):
        monkeypatch.setenv(name, str(tmp_path / content))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    for module in MODULES:
        for attribute in ("FILE", "WORD_INDEX"):
            file = getattr(module, attribute, None)
            if file is not None:
                content = FILES[file.name]
                algorithm = "sha256" if len(file.hash) == 64 else "md5"
                url = f"http://127.0.0.1:{server.server_port}/{file.name}"
                digest = hashlib.new(algorithm, content).hexdigest()
                monkeypatch.setattr(module, attribute, file._replace(url=url, hash=digest))


def _module(name):
    return importlib.import_module(f"layerkit.datasets.{name}")


@pytest.mark.parametrize(("name", "options"), small.ROWS, ids=lambda value: str(value))
def test_arrays_are_those_of_keras(name, options):
    assert small.described(_module(name).load_data(**options)) == GOLDEN[small.key(name, options)]


def test_cifar10_is_its_batches():
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert (x_train.shape, y_train.shape) == ((20, 32, 32, 3), (20, 1))
    for name, x, y in (
        ("data_batch_2", x_train[4:8], y_train[4:8]),
        ("test_batch", x_test, y_test),
    ):
        images, labels = GOLDEN[name]
        assert small.describe(x.transpose(0, 3, 1, 2)) == images
        assert y.dtype == np.uint8
        assert y[:, 0].tolist() == labels


@pytest.mark.parametrize("module", [cifar10, cifar100])
def test_channels_first(module):
    last, _ = module.load_data()
    K.set_image_data_format("channels_first")
    first, _ = module.load_data()
    np.testing.assert_array_equal(first[0], last[0].transpose(0, 3, 1, 2))


def test_words_and_topics():
    assert imdb.get_word_index() == {"the": 1, "naïve": 2}
    assert reuters.get_word_index() == {"oil": 1, "wheat": 2}
    assert list(reuters.get_label_names()) == GOLDEN["topics"]


@pytest.mark.parametrize("module", MODULES)
def test_files_are_kept_where_keras_keeps_them(module, server, tmp_path):
    module.load_data()
    module.load_data()
    assert server.log == [module.FILE.name]
    kept = tmp_path / "keras" / "datasets" / module.FILE.name
    assert kept.read_bytes() == FILES[module.FILE.name]


def test_another_name_in_the_cache(tmp_path):
    boston_housing.load_data("mine.npz")
    assert (tmp_path / "keras" / "datasets" / "mine.npz").exists()


def test_path_of_a_file_is_taken_as_it_is(server, tmp_path):
    x = np.arange(10.0)[:, None]
    np.savez(tmp_path / "mine.npz", x=x, y=x[:, 0])
    (x_train, y_train), (x_test, _) = boston_housing.load_data(tmp_path / "mine.npz")
    assert (len(x_train), len(x_test), server.log) == (8, 2, [])
    np.testing.assert_array_equal(x_train[:, 0], y_train)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: boston_housing.load_data(test_split=1), "Invalid `test_split` argument: 1"),
        (lambda: california_housing.load_data(test_split=-1), "Invalid `test_split` argument: -1"),
        (lambda: california_housing.load_data("tiny"), "`version` must be one of 'small', 'large'"),
        (lambda: cifar100.load_data("rough"), '`label_mode` must be one of `"fine"`, `"coarse"`'),
        (lambda: imdb.load_data(maxlen=2), "maxlen=2, no sequence was kept. Increase maxlen"),
        (lambda: reuters.load_data(maxlen=2), "maxlen=2, no sequence was kept. Increase maxlen"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_path_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected `path` to be a name in .*put http"):
        imdb.load_data(tmp_path / "nowhere" / "imdb.npz")


def test_another_file_is_refused_and_the_remedy_named(monkeypatch, tmp_path):
    monkeypatch.setattr(imdb, "FILE", imdb.FILE._replace(hash="0" * 64))
    with pytest.raises(DownloadError, match="Expected sha256 0000.*received") as error:
        imdb.load_data()
    assert f"into {tmp_path / 'keras' / 'datasets'} under the name imdb.npz" in str(error.value)


# Pickles: nothing but numbers, strings, lists, dicts and arrays.


class Evil:
    def __reduce__(self):
        return os.system, ("echo pwned",)


class Assigning:
    """A pickle that sets attributes of what stands for NumPy's names."""

    def __reduce__(self):
        return np.dtype, ("f4",), {"dtype": "mine"}


def _reduced(function, *args):
    class Reduced:
        def __reduce__(self):
            return function, args

    return Reduced()


def _dumped(value, protocol=2):
    return io.BytesIO(pickle.dumps(value, protocol))


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8", "?", ">i2"])
def test_arrays_come_out_of_any_pickle(protocol, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    for stored in (array, np.asfortranarray(array)):
        received = load(_dumped({"a": [stored, 1.5, "text", None, True]}, protocol))["a"]
        assert received[1:] == [1.5, "text", None, True]
        assert received[0].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(received[0], array)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Evil(), "received (posix|nt).system"),
        ({"data": [Evil()]}, "received (posix|nt).system"),
        (Assigning(), "Cannot read this pickle"),
        (Path("x"), "received pathlib"),
        (np.float32(1.5), "received numpy"),
        (np.array(["text"]), "expected a dtype of numbers or lists; received U4"),
        (np.array([{}], object), "expected an array of lists of numbers"),
        (np.array([[1], ["text"]], object), "expected an array of lists of numbers"),
        (_reduced(np.ndarray, (10**9,)), "made by its own function"),
        ((1, 2), "expected plain values and arrays; received <class 'tuple'>"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_anything_else_is_refused(value, message, protocol, capfd):
    with pytest.raises(ValueError, match=message):
        load(_dumped(value, protocol))
    assert "pwned" not in capfd.readouterr().out


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_damaged_pickle(cut):
    content = pickle.dumps(np.arange(9.0), 2)
    with pytest.raises(ValueError, match="Cannot read this pickle"):
        load(io.BytesIO(content[:-cut]))


def test_array_of_other_size_than_it_says():
    content = pickle.dumps(np.arange(4, dtype="u1"), 2).replace(b"K\x04\x85", b"K\x05\x85")
    with pytest.raises(ValueError, match=r"expected 5 bytes for an array of shape \(5,\)"):
        load(io.BytesIO(content))


def test_npz_whose_header_differs(tmp_path):
    texts = np.empty(2, object)
    texts[:] = [[1], [2, 3]]
    np.savez(tmp_path / "a.npz", x=texts)
    member = zipfile.ZipFile(tmp_path / "a.npz").read("x.npy")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("x.npy", member.replace(b"(2,)", b"(3,)"))
    assert load_npz(tmp_path / "a.npz")["x"].tolist() == [[1], [2, 3]]
    with pytest.raises(ValueError, match=r"b.npz cannot be read.*lists of shape \(3,\)"):
        load_npz(tmp_path / "b.npz")


def test_no_npz(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="a.npz cannot be read as an .npz"):
        load_npz(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="a.npz cannot be read as an .npz"):
        boston_housing.load_data(tmp_path / "a.npz")


def test_no_archive_of_cifar(monkeypatch):
    monkeypatch.setattr(cifar10, "_FOLDER", "elsewhere")
    with pytest.raises(ValueError, match="cannot be read as an archive of CIFAR.*elsewhere"):
        cifar10.load_data()
