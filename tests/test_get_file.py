"""get_file: names, hashes, a server on this machine, and archives that mean harm."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile

import pytest

from layerkit.datasets.download import DownloadError
from layerkit.utils import archives, get_file

TEXT = b"some text\n" * 40


def tar_of(*entries, mode="w:gz"):
    """A tar archive of (name, content, type) entries; type None for files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content, kind in entries:
            info = tarfile.TarInfo(name)
            if kind is not None:
                info.type, info.linkname = kind, content.decode()
                content = b""
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def zip_of(*entries, mode=0o100644):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return file.getvalue()


FILES = {
    "text.txt": TEXT,
    "pets.tgz": tar_of(("./pets", b"", tarfile.DIRTYPE), ("pets/a/cat.txt", TEXT, None)),
    "pets.zip": zip_of(("pets/a/cat.txt", TEXT)),
    "plain.tar": tar_of(("pets/a/cat.txt", TEXT, None), mode="w"),
    "text.gz": TEXT,
}


@pytest.fixture(scope="module")
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.log.append(self.path)
            body = server.files.get(self.path.split("?")[0].lstrip("/"))
            if body is None:
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def own_home(server, tmp_path, monkeypatch):
    server.log, server.files = [], dict(FILES)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("TQDM_DISABLE", "1")


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({}, "keras/datasets/text.txt"),
        ({"fname": "mine"}, "keras/datasets/mine"),
        ({"cache_subdir": "texts"}, "keras/texts/text.txt"),
        ({"cache_dir": "~/other"}, "other/datasets/text.txt"),
        ({"cache_dir": "~/other", "cache_subdir": ""}, "other/text.txt"),
    ],
)
def test_place(server, tmp_path, options, place):
    for _ in range(2):
        path = get_file(origin=f"{server.url}/text.txt?version=2", **options)
        assert path == str(tmp_path / place)
    assert (tmp_path / place).read_bytes() == TEXT
    assert len(server.log) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"file_hash": hashlib.sha256(TEXT).hexdigest()},
        {"file_hash": hashlib.sha256(TEXT).hexdigest().upper(), "hash_algorithm": "sha256"},
        {"file_hash": hashlib.md5(TEXT).hexdigest()},
        {"md5_hash": hashlib.md5(TEXT).hexdigest()},
    ],
)
def test_hash(server, tmp_path, options):
    origin = f"{server.url}/text.txt"
    path = get_file(origin=origin, **options)
    (tmp_path / "keras" / "datasets" / "text.txt").write_bytes(b"outdated")
    assert get_file(origin=origin, **options) == path
    assert (tmp_path / "keras" / "datasets" / "text.txt").read_bytes() == TEXT
    assert len(server.log) == 2
    server.files["text.txt"] = b"other"
    with pytest.raises(DownloadError, match="Incomplete or corrupted file detected. The .* hash"):
        get_file(origin=origin, force_download=True, **options)
    assert (tmp_path / "keras" / "datasets" / "text.txt").read_bytes() == TEXT


def test_force_download(server, tmp_path):
    origin = f"{server.url}/text.txt"
    path = get_file(origin=origin)
    server.files["text.txt"] = b"newer"
    assert get_file(origin=origin) == path
    assert get_file(origin=origin, force_download=True) == path
    assert (tmp_path / "keras" / "datasets" / "text.txt").read_bytes() == b"newer"
    assert len(server.log) == 2


@pytest.mark.parametrize(
    ("fname", "folder", "archive"),
    [
        (None, "{0}", "{0}_archive"),
        ("pets", "pets", "pets_archive"),
        ("pets.v2.tgz", "pets_extracted", "pets.v2.tgz"),
    ],
)
@pytest.mark.parametrize("name", ["pets.tgz", "pets.zip", "plain.tar"])
def test_extract(server, tmp_path, name, fname, folder, archive):
    datasets = tmp_path / "keras" / "datasets"
    path = get_file(fname, f"{server.url}/{name}", extract=True)
    assert path == str(datasets / folder.format(name))
    assert (datasets / archive.format(name)).read_bytes() == FILES[name]
    cat = datasets / folder.format(name) / "pets" / "a" / "cat.txt"
    assert cat.read_bytes() == TEXT
    cat.unlink()
    assert get_file(fname, f"{server.url}/{name}", extract=True) == path
    assert cat.read_bytes() == TEXT
    assert [entry.name for entry in cat.parent.iterdir()] == ["cat.txt"]
    assert len(server.log) == 1


def test_untar(server):
    assert get_file("pets", f"{server.url}/pets.tgz", untar=True).endswith("pets")
    with pytest.raises(ValueError, match="Could not extract archive.*format 'tar'"):
        get_file("zipped", f"{server.url}/pets.zip", untar=True)


@pytest.mark.parametrize("archive_format", ["tar", None, [], ["tar"]])
def test_not_an_archive_of_that_format(server, archive_format):
    with pytest.raises(ValueError, match="Could not extract archive. Expected .* of the format"):
        get_file(origin=f"{server.url}/pets.zip", extract=True, archive_format=archive_format)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, 'Please specify the "origin" argument'),
        ({"origin": "http://127.0.0.1"}, "Can't parse the file name from the origin"),
        ({"fname": "a/b"}, "Paths are no longer accepted as the `fname` argument.*fname=a/b"),
        ({"fname": ".."}, "Paths are no longer accepted"),
        ({"fname": "."}, "Paths are no longer accepted"),
        ({"fname": "a\\b"}, "Paths are no longer accepted"),
        ({"fname": "c:b"}, "Paths are no longer accepted"),
        ({"origin": "http://127.0.0.1/x/.."}, "Paths are no longer accepted"),
        ({"hash_algorithm": "crc"}, "`hash_algorithm` should be 'auto', 'sha256' or 'md5'"),
    ],
)
def test_wrong_arguments(server, options, message):
    options = {"origin": f"{server.url}/text.txt", **options} if options else {}
    with pytest.raises(ValueError, match=message):
        get_file(**options)
    assert server.log == []


def test_unknown_format(server):
    with pytest.raises(NotImplementedError, match="should be 'auto', 'tar', 'zip' or None.*rar"):
        get_file(origin=f"{server.url}/pets.zip", extract=True, archive_format="rar")


def test_address_that_gives_nothing(server, tmp_path):
    with pytest.raises(DownloadError, match="HTTP 404.*\n.*put the file into .* the name gone"):
        get_file(origin=f"{server.url}/gone")
    with pytest.raises(DownloadError, match="unknown url type: file"):
        get_file(origin=f"file://{tmp_path}/secret")


# Archives that mean harm: refused before anything is written.

HARMFUL = {
    "above": tar_of(("good", TEXT, None), ("../evil", TEXT, None)),
    "above later": tar_of(("a/../../evil", TEXT, None)),
    "absolute": tar_of(("/tmp/evil", TEXT, None)),
    "drive": tar_of(("c:evil", TEXT, None)),
    "backslash": tar_of(("..\\evil", TEXT, None)),
    "link": tar_of(("good", TEXT, None), ("evil", b"/etc", tarfile.SYMTYPE)),
    "hard link": tar_of(("good", TEXT, None), ("evil", b"good", tarfile.LNKTYPE)),
    "device": tar_of(("evil", b"", tarfile.CHRTYPE)),
    "pipe": tar_of(("evil", b"", tarfile.FIFOTYPE)),
    "zip above": zip_of(("good", TEXT), ("../evil", TEXT)),
    "zip absolute": zip_of(("/tmp/evil", TEXT)),
    "zip link": zip_of(("evil", b"/etc"), mode=0o120777),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harmful_archives(tmp_path, name):
    (tmp_path / "archive").write_bytes(HARMFUL[name])
    with pytest.raises(ValueError, match="expected files and folders inside of the archive.*evil"):
        archives.extract_archive(tmp_path / "archive", tmp_path / "out")
    assert [entry.name for entry in tmp_path.iterdir()] == ["archive"]


@pytest.mark.parametrize(
    "make", [lambda n: tar_of(("a", bytes(n), None)), lambda n: zip_of(("a", bytes(n)))]
)
def test_bombs(tmp_path, monkeypatch, make):
    monkeypatch.setattr(archives, "BUDGET", 100_000)
    (tmp_path / "archive").write_bytes(make(1_000_000))
    with pytest.raises(ValueError, match="at most 1000000 members and .* bytes when unpacked"):
        archives.extract_archive(tmp_path / "archive", tmp_path / "out")
    (tmp_path / "archive").write_bytes(make(90_000))
    assert archives.extract_archive(tmp_path / "archive", tmp_path / "out")
    monkeypatch.setattr(archives, "MAX_MEMBERS", 0)
    with pytest.raises(ValueError, match="at most 0 members"):
        archives.extract_archive(tmp_path / "archive", tmp_path / "out")


def test_links_on_the_disk_are_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pets").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "archive").write_bytes(FILES["pets.tgz"])
    with pytest.raises(ValueError, match="would be written through a link"):
        archives.extract_archive(tmp_path / "archive", tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_zip_that_says_less_than_it_holds(tmp_path):
    content = bytearray(zip_of(("a", bytes(5000))))
    at = content.index(b"PK\x01\x02") + 24  # the uncompressed size in the central directory
    content[at : at + 4] = (10).to_bytes(4, "little")
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises((ValueError, zipfile.BadZipFile)):
        archives.extract_archive(tmp_path / "archive", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_what_is_said_of_a_member_is_not_gigabytes(tmp_path, kind):
    info = tarfile.TarInfo("a")
    info.type, info.size = kind, 1 << 33
    header = info.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "archive").write_bytes(gzip.compress(header + bytes(10_000)))
    with pytest.raises(
        ValueError, match="a damaged one: a part of 8589934592 bytes that describes"
    ):
        archives.extract_archive(tmp_path / "archive", tmp_path / "out")
