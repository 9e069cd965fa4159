"""Single files that Keras publishes, kept where Keras keeps them, so that both find them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .download import fetch, hash_of, keras_home

STORAGE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


class KerasFile(NamedTuple):
    """One file of Keras's cache: its name there, its address, its hash, and its size at most.

    `hash`: in hexadecimal; 64 digits are SHA-256, 32 are MD5, as Keras publishes them.
    """

    name: str
    url: str
    hash: str
    max_bytes: int

    def locate(self, path: str | Path | None = None) -> Path:
        """Where the file lies on this machine, after a download if it is not there yet.

        path: the name under which it is kept in `~/.keras/datasets` (`KERAS_HOME`), by default its
            own; or a path with a folder, which is taken as it is.

        Raises DownloadError (a ConnectionError) if the address cannot be reached or sends another
        file, FileNotFoundError for a path that does not exist.
        """
        path = Path(path or self.name).expanduser()
        if path.name != str(path):
            if path.is_file():
                return path
            raise FileNotFoundError(
                f"Expected `path` to be a name in {folder()} or an existing file. Received: "
                f"path={path}, which does not exist. {self.advice(self.name)}"
            )
        return fetch(
            folder() / path,
            [self.url],
            self._checked,
            max_bytes=self.max_bytes,
            remedy=self.advice(path.name),
        )

    def advice(self, name: str) -> str:
        """What a user without a network can do."""
        return f"Without a network: put {self.url} into {folder()} under the name {name}."

    def _checked(self, path: Path) -> Path:
        algorithm = "sha256" if len(self.hash) == 64 else "md5"
        received = hash_of(path, algorithm)
        if received != self.hash:
            raise ValueError(f"Expected {algorithm} {self.hash}; received {received}.")
        return path


def folder() -> Path:
    """Keras's folder of data sets."""
    return keras_home() / "datasets"
