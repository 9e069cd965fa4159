"""`get_file`: a file from the web, downloaded once, checked and unpacked."""

from __future__ import annotations

import os
from pathlib import Path, PureWindowsPath
from typing import Any

from .archives import extract_archive

MAX_BYTES = 1 << 40


def get_file(
    fname: str | os.PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: str | os.PathLike | None = None,
    force_download: bool = False,
) -> str:
    """The path of the file at `origin`, or, with `extract`, of the folder it was unpacked into.

    fname: its name in the cache, by default the one in `origin`. For a folder: "flowers" is kept
        as "flowers_archive" and unpacked into "flowers", "flowers.tgz" into "flowers_extracted".
    origin: an http or https address.
    untar: an older word for `extract=True, archive_format="tar"`.
    md5_hash: an older word for `file_hash` with `hash_algorithm="md5"`.
    file_hash: in hexadecimal; a file with another one, downloaded or in the cache, is refused.
    cache_subdir: a folder in `cache_dir`, or an absolute one.
    hash_algorithm: "sha256", "md5", or "auto" for the one whose hashes are as long as `file_hash`.
    extract: unpack the file; see `archives.extract_archive` for what is refused.
    archive_format: "tar" (compressed or not), "zip", a list of these, or "auto" for both.
    cache_dir: by default `KERAS_HOME`, or `~/.keras`.
    force_download: download even where there is a file; it stays until the new one has come.

    The download is atomic, is continued after an interruption where there is a hash to notice a
    change, and is done once by processes that want the same file. Raises DownloadError (a
    ConnectionError) if the address cannot be reached or sends another file, ValueError for a wrong
    argument or an archive that is refused, OSError if the cache cannot be written.
    """
    from layerkit.datasets.download import fetch, keras_home  # needed by those who download only

    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = (keras_home() if cache_dir is None else Path(cache_dir).expanduser()) / cache_subdir
    name = _file_name(fname, origin)
    target, unpacked = _places(name, fname is not None) if extract or untar else (name, None)
    path = fetch(
        folder / target,
        [origin],
        _checker(file_hash, hash_algorithm),
        max_bytes=MAX_BYTES,
        remedy=f"Without a network: put the file into {folder} under the name {target}.",
        resume=file_hash is not None,
        anew=force_download,
    )
    if unpacked is None:
        return str(path)
    archive_format = "tar" if untar else archive_format
    if not extract_archive(path, folder / unpacked, archive_format):
        raise ValueError(
            f"Could not extract archive. Expected {path} to be of the format {archive_format!r}; "
            "received another file. Pass extract=False to get the file itself."
        )
    return str(folder / unpacked)


def _file_name(fname: Any, origin: str) -> str:
    """The name in the cache: a plain one, which leads to no other folder."""
    from urllib.parse import urlsplit

    name = os.fspath(fname) if fname else Path(urlsplit(origin).path).name
    if not name:
        raise ValueError(
            f"Can't parse the file name from the origin provided: '{origin}'. "
            "Please specify the `fname` argument."
        )
    if name in (".", "..") or PureWindowsPath(name).name != name or "/" in name:
        raise ValueError(
            "Paths are no longer accepted as the `fname` argument. To specify the file's parent "
            f"directory, use the `cache_dir` argument. Received: fname={name}"
        )
    return name


def _places(name: str, named: bool) -> tuple[str, str]:
    """The names of an archive and of the folder it is unpacked into, as Keras has them."""
    if named and "." in name:
        return name, f"{name[: name.find('.')]}_extracted"
    return f"{name}_archive", name


def _checker(file_hash: str | None, algorithm: str) -> Any:
    """A reader for `fetch`: it gives the path back, or ValueError where the hash is another."""
    from layerkit.datasets.download import hash_of

    if algorithm not in ("auto", "sha256", "md5"):
        raise ValueError(
            "`hash_algorithm` should be 'auto', 'sha256' or 'md5'. "
            f"Received: hash_algorithm={algorithm}"
        )
    if algorithm == "auto":
        algorithm = "sha256" if len(file_hash or "") == 64 else "md5"

    def check(path: Path) -> Path:
        if file_hash is not None:
            received = hash_of(path, algorithm)
            if received != file_hash.lower():
                raise ValueError(
                    f"Incomplete or corrupted file detected. The {algorithm} file hash does not "
                    f"match the provided value of {file_hash}; received {received}."
                )
        return path

    return check
