"""Files that appear whole or not at all, whatever kills whoever writes them."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from movieql.domain.errors import StoreError
from movieql.storage.disk_failures import unwritten
from movieql.storage.etags import etag_text
from movieql.storage.locks import try_lock

_TRIES = 5
"""How often a folder is made anew that another removes as empty at that moment."""


class Draft:
    """A file that nobody sees yet; `place` gives it its name. `etag`: its version."""

    def __init__(self, path: Path, etag: str) -> None:
        self.etag = etag
        self._path = path

    def place(self, path: Path) -> None:
        """Become the file at a path, in one step, for good; makes the folders above it."""
        for _ in range(_TRIES):
            try:
                with unwritten():
                    made = _make_folders(path.parent)
                    self._path.replace(path)
            except FileNotFoundError:
                continue
            for folder in {path.parent, *made}:
                _flush_folder(folder)
            return
        raise StoreError("The file store could not make a folder: another removes it again.")

    def join(self, path: Path) -> None:
        """Become the file at a path in a folder that is there. Raises FileNotFoundError."""
        with unwritten():
            self._path.replace(path)
        _flush_folder(path.parent)


class Drafts:
    """Drafts in a folder on the same file system as what they will become.

    A draft is locked while it is written, so a draft that can be locked was left behind.
    """

    def __init__(self, folder: Path, make_id: Callable[[], str]) -> None:
        self._folder = folder
        self._make_id = make_id

    @contextmanager
    def written(self, chunks: Iterable[bytes], modified: datetime) -> Iterator[Draft]:
        """Write chunks to the disk as a draft; it goes away with the block unless placed."""
        with unwritten():
            file, path = self._locked()
        try:
            with unwritten():
                digest = sha256()
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                at_ns = round(modified.timestamp() * 1_000_000) * 1000
                os.utime(path, ns=(at_ns, at_ns))
                os.fsync(file.fileno())
            yield Draft(path, etag_text(digest))
        finally:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # what the disk refused is in the buffer, and refused again
                file.close()

    def _locked(self) -> tuple[BinaryIO, Path]:
        for _ in range(_TRIES):
            path = self._folder / self._make_id()
            file = path.open("xb")
            if try_lock(file.fileno()) and os.fstat(file.fileno()).st_nlink:
                return file, path
            file.close()  # a sweep took it in the moment before the lock
        raise StoreError("The file store could not start a file.")

    def discard(self, folder: Path) -> bool:
        """Remove a folder in one step and then what is in it; say whether it was there."""
        grave = self._folder / self._make_id()
        try:
            folder.rename(grave)
        except FileNotFoundError:
            return False
        shutil.rmtree(grave, ignore_errors=True)
        return True

    def sweep(self, limit: int) -> None:
        """Remove up to `limit` of what killed processes left behind."""
        swept = 0
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if swept >= limit:
                    break
                swept += _swept(entry)


def read_all(paths: Iterable[Path], chunk_bytes: int) -> Iterator[bytes]:
    """Read files one after the other. Raises FileNotFoundError."""
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(chunk_bytes):
                yield chunk


def remove_empty_folders(folder: Path, top: Path) -> None:
    """Remove a folder and those above it while they are empty, up to `top`, which stays."""
    while folder != top:
        try:
            folder.rmdir()
        except OSError:  # not empty, or gone already
            return
        folder = folder.parent


def _swept(entry: "os.DirEntry[str]") -> bool:
    if entry.is_dir(follow_symlinks=False):  # on its way out: nobody needs what is in it
        shutil.rmtree(entry.path, ignore_errors=True)
        return True
    # Where the disk is read-only they stay, and keep nobody from reading.
    with suppress(OSError), Path(entry.path).open("rb") as file:
        if try_lock(file.fileno()):
            Path(entry.path).unlink(missing_ok=True)
            return True
    return False


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the folders in which one was made."""
    if folder.is_dir():
        return []
    made = _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    return [*made, folder.parent]


def _flush_folder(folder: Path) -> None:
    with suppress(FileNotFoundError):  # removed as empty meanwhile: what was placed is deleted
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
