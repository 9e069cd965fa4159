"""Downloads that can be interrupted, shared between processes, and trusted.

`fetch` is what the loaders stand on: a file appears under its name only when it is whole and its
reader accepts it, so whoever finds it may use it. `hash_of`, `home` and `keras_home` are its
companions.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

T = TypeVar("T")

TIMEOUT = 20.0  # seconds without a byte
ATTEMPTS = 3  # connections per mirror, where each is cut before the end
BLOCK = 1 << 16


class DownloadError(ConnectionError):
    """No mirror gave a file. The message lists what was tried, and what to do without a network."""


def home() -> Path:
    """Where layerkit keeps files: `LAYERKIT_HOME`, or `~/.layerkit`."""
    return Path(os.environ.get("LAYERKIT_HOME") or "~/.layerkit").expanduser()


def keras_home() -> Path:
    """Where Keras keeps files: `KERAS_HOME`, or `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return hash_of(path, "sha256")


def hash_of(path: Path, algorithm: str) -> str:
    """The hash ("sha256" or "md5") of a file's bytes, in hexadecimal."""
    import hashlib

    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def fetch(
    path: Path,
    urls: Sequence[str],
    read: Callable[[Path], T],
    *,
    max_bytes: int,
    remedy: str = "",
    resume: bool = True,
    progress: bool = True,
    anew: bool = False,
) -> T:
    """`read(path)`, after downloading `path` if it is missing or `read` refuses it.

    path: where the file is kept; its folder is made.
    urls: http or https addresses of the same file, tried in order. Where one fails and a
        later one does not, the failure is logged (logger "layerkit").
    read: reads a file, whatever its name; returns what `fetch` is to return, never None; raises
        ValueError (expected, received) for wrong content. A cached file is checked so each time.
    max_bytes: a server that sends more is refused.
    remedy: the last sentence of the error, for users without a network.
    resume: continue the partial file of an interrupted run. Pass False where `read` does not check
        a hash, because only a hash notices that the file has changed on the server meanwhile.
    progress: show tqdm's bar.
    anew: download even where a good file is there; it stays until the new one has come.

    Two processes that fetch the same file download it once: the second waits for the first.
    Raises DownloadError (a ConnectionError) when no mirror has the right file, OSError when `path`
    cannot be written.
    """
    path = Path(path)
    problems: list[str] = []
    cached = None if anew else _read_if_good(path, read, problems)
    if cached is not None:
        return cached
    with _locked(path.with_name(f".{path.name}.lock")):
        problems.clear()
        cached = None if anew else _read_if_good(path, read, problems)
        if cached is not None:  # another process fetched it while this one waited
            return cached
        for url in urls:
            try:
                _fetch_from(url, path, read, max_bytes, resume, progress)
            except (DownloadError, ValueError) as error:
                problems.append(f"{url}: {error}")
            else:
                _log(problems)
                return read(path)
    tried = "\n".join(f"  {problem}" for problem in problems)
    raise DownloadError(f"Could not download {path.name}. Tried:\n{tried}\n{remedy}".rstrip())


def _read_if_good(path: Path, read: Callable[[Path], T], problems: list[str]) -> T | None:
    """`read(path)`; None if there is no such file, or, noted in `problems`, a bad one."""
    if path.exists():
        try:
            return read(path)
        except ValueError as error:
            problems.append(f"{path}: {error}")
    return None


def _log(problems: list[str]) -> None:
    """Tell of what went wrong before all was well; where nothing is well, the error tells it."""
    import logging

    for problem in problems:
        logging.getLogger("layerkit").warning("%s", problem)


def _fetch_from(
    url: str,
    path: Path,
    read: Callable[[Path], Any],
    max_bytes: int,
    resume: bool,
    progress: bool,
) -> None:
    """Download `path` from one mirror. What arrived of a cut transfer stays, for the next run."""
    import hashlib

    # Mirrors may compress differently, so each has its own partial file.
    mirror = hashlib.sha256(url.encode()).hexdigest()[:8]
    part = path.with_name(f".{path.name}.{mirror}.part")
    continued = resume and part.exists()
    _transfer(url, part, path.name, max_bytes, resume, progress)
    try:
        read(part)
    except ValueError:
        part.unlink()
        if not continued:
            raise
        # The old beginning and the new end were of two different files: once more, from the start.
        return _fetch_from(url, path, read, max_bytes, resume, progress)
    os.replace(part, path)
    _sync_folder(path.parent)
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        leftover.unlink()


def _transfer(
    url: str, part: Path, name: str, max_bytes: int, resume: bool, progress: bool
) -> None:
    """Bring `part` to its full length, in a few connections if need be."""
    for _ in range(ATTEMPTS):
        if not resume:
            part.unlink(missing_ok=True)
        if _receive(url, part, name, max_bytes, progress):
            return
    raise DownloadError(f"the connection was cut {ATTEMPTS} times")


def _receive(url: str, part: Path, name: str, max_bytes: int, progress: bool) -> bool:
    """Append to `part` what one connection gives. Returns whether the file is whole."""
    from http.client import HTTPException

    from tqdm import tqdm

    response = _open(url, offset=part.stat().st_size if part.exists() else 0)
    with response, open(part, "ab") as file:
        if response.status != 206:  # the server sends the whole file, wanted or not
            file.truncate(0)
        offset = file.seek(0, os.SEEK_END)
        length = response.headers.get("Content-Length")
        total = None if length is None else offset + int(length)
        bar = tqdm(
            total=total, initial=offset, desc=name, unit="B", unit_scale=True, disable=not progress
        )
        with bar:
            while True:
                if max(offset, total or 0) > max_bytes:
                    file.truncate(0)
                    raise DownloadError(f"expected at most {max_bytes} bytes; received more")
                try:
                    block = response.read1(BLOCK)
                except (OSError, HTTPException):
                    return False
                if not block:
                    break
                file.write(block)
                offset += len(block)
                bar.update(len(block))
        file.flush()
        os.fsync(file.fileno())
    return total is None or offset == total


def _open(url: str, offset: int) -> Any:
    """The response to a request for `url` from byte `offset` on, or for all of it."""
    from urllib import request
    from urllib.error import HTTPError

    headers = {"User-Agent": "layerkit", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        response = _opener().open(request.Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if offset and error.code == 416:  # nothing is left from `offset` on
            return _open(url, offset=0)
        raise DownloadError(f"HTTP {error.code} {error.reason}") from error
    except OSError as error:
        raise DownloadError(str(getattr(error, "reason", error))) from error
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if offset and response.status == 206 and (start is None or int(start[1]) != offset):
        response.close()
        return _open(url, offset=0)
    return response


def _opener() -> Any:
    """An opener that knows http and https only, so that no redirect leads to a local file."""
    from urllib import request

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.UnknownHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system lets folders be synced."""
    if os.name == "posix":
        with contextlib.suppress(OSError):  # some network file systems do not
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold `path` as a lock between processes and threads; the system frees it if one dies."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+b")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise OSError(
            f"Cannot write into {path.parent}: {error}. Set the environment variable "
            "LAYERKIT_HOME (KERAS_HOME for Keras's folder) to a folder that can be written."
        ) from error
    with file:
        _lock(file)
        try:
            yield
        finally:
            _unlock(file)


if sys.platform != "win32":
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:  # some network file systems have no locks
            warnings.warn(
                f"Cannot lock {file.name}: {error}. Do not start two downloads at once.",
                stacklevel=4,
            )

    def _unlock(file: IO[bytes]) -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)

else:
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        while True:
            file.seek(0)
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:  # somebody else holds it
                time.sleep(0.1)

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
