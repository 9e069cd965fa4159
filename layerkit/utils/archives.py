"""Archives unpacked so that nothing is written outside of one folder, and no disk is filled."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, NamedTuple

BUDGET = 1 << 30  # bytes that any archive may unpack to
BUDGET_RATIO = 100  # times its size that a larger one may unpack to
MAX_MEMBERS = 1_000_000


class Member(NamedTuple):
    """One entry of an archive: its name there, its size in bytes, and how to read it."""

    name: str
    size: int
    is_folder: bool
    is_file: bool
    open: Any


def extract_archive(
    path: str | os.PathLike, folder: str | os.PathLike, archive_format: Any = "auto"
) -> bool:
    """Unpack the archive `path` into `folder`; whether it is an archive of a format asked for.

    archive_format: "tar" (compressed or not), "zip", a list of these, or "auto" for both.

    Files that are there already are replaced, each at once. ValueError, before anything is
    written, for names that lead out of the folder, links, devices, and archives that unpack to
    more than 1 GiB and more than 100 times their own size. NotImplementedError for other formats.
    """
    path, folder = Path(path), Path(folder)
    for name in _formats(archive_format):
        try:
            if _unpacked(name, path, folder):
                return True
        except Exception as error:  # of the readers, which look at damaged bytes with little care
            if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
                raise
            if isinstance(error, ValueError) and str(path) in str(error):
                raise
            raise ValueError(
                f"{path}: expected a whole {name} archive; received a damaged one: {error}. "
                "Download it again."
            ) from error
    return False


# Errors that are no fault of the archive.
_OF_THE_DISK = (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOENT)


def _unpacked(name: str, path: Path, folder: Path) -> bool:
    """Whether it is of the format `name`, and so was unpacked."""
    opener = _opener(name, path)
    if opener is None:
        return False
    with opener as archive:
        members = list(_limited(_MEMBERS[name](archive), path))
        for member in members:
            _check(member, path)
        _unpack(members, folder, path)
    return True


def _formats(archive_format: Any) -> Iterable[str]:
    if archive_format is None:
        return []
    if archive_format == "auto":
        return ["tar", "zip"]
    formats = [archive_format] if isinstance(archive_format, str) else list(archive_format)
    for name in formats:
        if name not in _MEMBERS:
            raise NotImplementedError(
                f"`archive_format` should be 'auto', 'tar', 'zip' or None. Received: {name}"
            )
    return formats


def _opener(name: str, path: Path) -> Any:
    """The open archive, or None where `path` is not of this format."""
    if name == "tar":
        return _open_tar(path)
    import zipfile

    return zipfile.ZipFile(path) if zipfile.is_zipfile(path) else None


def _open_tar(path: Path) -> Any:
    import bz2
    import gzip
    import lzma
    import tarfile
    import zlib

    for opener in (open, gzip.open, bz2.open, lzma.open):
        file: Any = _SmallReads(opener(path, "rb"))
        try:
            return _closing(tarfile.open(fileobj=file, mode="r:"), file)
        except (tarfile.ReadError, OSError, EOFError, lzma.LZMAError, zlib.error):
            file.close()
        except BaseException:
            file.close()
            raise
    return None


@contextmanager
def _closing(archive: Any, file: Any) -> Iterator[Any]:
    """The archive, which does not close the file that it is read from."""
    try:
        with archive:
            yield archive
    finally:
        file.close()


class _SmallReads:
    """A file of which nobody reads much at once: tarfile reads what is said of a member whole, and
    a few compressed bytes can be gigabytes of that."""

    def __init__(self, file: Any):
        self._file = file
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_AT_ONCE:
            raise ValueError(f"a part of {size} bytes that describes a member")
        return self._file.read(size)


_MOST_AT_ONCE = 1 << 22  # bytes


def _tar_members(archive: Any) -> Iterator[Member]:
    for info in archive:
        yield Member(
            info.name,
            info.size,
            info.isdir(),
            info.isreg(),
            lambda info=info: archive.extractfile(info),
        )


def _zip_members(archive: Any) -> Iterator[Member]:
    for info in archive.infolist():
        kind = info.external_attr >> 28  # of the Unix mode: 8 a file, 4 a folder, 10 a link
        yield Member(
            info.filename,
            info.file_size,
            info.is_dir(),
            not info.is_dir() and kind in (0, 8),
            lambda info=info: archive.open(info),
        )


_MEMBERS = {"tar": _tar_members, "zip": _zip_members}


def _limited(members: Iterable[Member], path: Path) -> Iterator[Member]:
    """The members, as long as they stay within the budgets."""
    budget = max(BUDGET, BUDGET_RATIO * path.stat().st_size)
    size = 0
    for count, member in enumerate(members, start=1):
        size += member.size
        if size > budget or count > MAX_MEMBERS:
            raise ValueError(
                f"{path}: expected an archive of at most {MAX_MEMBERS} members and {budget} bytes "
                "when unpacked; received more. If you trust it, unpack it yourself."
            )
        yield member


def _check(member: Member, path: Path) -> None:
    """ValueError for what is no plain file or folder inside of the archive."""
    posix, windows = PurePosixPath(member.name), PureWindowsPath(member.name)
    outside = posix.is_absolute() or windows.anchor or ".." in windows.parts or "\0" in member.name
    if outside or not (member.is_file or member.is_folder):
        what = "a name outside of it" if outside else "a link or a device"
        raise ValueError(
            f"{path}: expected files and folders inside of the archive; received {what}, "
            f"'{member.name}'. If you trust it, unpack it yourself."
        )


def _unpack(members: Iterable[Member], folder: Path, path: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    for member in members:
        target = root.joinpath(*PurePosixPath(member.name).parts)
        parent = target if member.is_folder else target.parent
        if not parent.resolve().is_relative_to(root):
            raise ValueError(f"{path}: '{member.name}' would be written through a link of {folder}")
        parent.mkdir(parents=True, exist_ok=True)
        if member.is_file:
            with member.open() as source:
                _replace(target, source, member.size)


def _replace(target: Path, source: IO[bytes], size: int) -> None:
    """Write `target` under another name, then rename it: whoever sees it sees all of it."""
    part = target.with_name(f".{os.urandom(6).hex()}.part")
    try:
        with open(part, "xb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
            if file.tell() != size:
                raise ValueError(f"{target.name}: expected {size} bytes; received {file.tell()}")
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
