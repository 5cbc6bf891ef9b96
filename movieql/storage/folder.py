"""A folder of files as an object store whose calls block; `files` runs them in threads.

    objects/   what is stored, readable: `exports+/data.csv` is the key `exports/data.csv`
    drafts/    what is being written; left behind only by a killed process, and swept
    uploads/   a folder per upload: `upload.json` and its parts
    locks/     a fixed number of lock files

Any number of processes may use one folder. A write is a draft that is flushed to the disk and
renamed, under the key's lock, after the versions were compared: whatever is killed at whatever
moment, each key has its old object or its new one.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

from movieql.domain.errors import PreconditionFailedError, StoreError, UploadGoneError
from movieql.ports import StoredObject, UnfinishedUpload
from movieql.storage.disk import Drafts, read_all, remove_empty_folders
from movieql.storage.disk_failures import unwritten
from movieql.storage.etags import CHUNK_BYTES, ETags, etag_text
from movieql.storage.keys import path_of
from movieql.storage.locks import Locks
from movieql.storage.uploads import UploadFolders
from movieql.storage.walking import keys_in

SWEPT_MAX = 1000
"""Left-behind drafts that a process removes before its first write."""


_PROBE_BYTES = 65_536
"""Bytes that have to fit on a disk that can be written to: more than a record or a note has."""


class Folder:
    """Objects in files. Keys are checked by the caller; every method may raise OSError.

    `now`: the time of day in UTC, which becomes the files' own.
    """

    def __init__(
        self,
        root: Path,
        *,
        now: Callable[[], datetime],
        lock_timeout_s: float,
        make_id: Callable[[], str],
    ) -> None:
        self._folders = (root / "objects", root / "drafts", root / "uploads", root / "locks")
        self._objects, drafts, uploads, locks = self._folders
        self._now = now
        self._make_id = make_id
        self._locks = Locks(locks, lock_timeout_s)
        self._drafts = Drafts(drafts, make_id)
        self._uploads = UploadFolders(uploads, self._drafts)
        self._etags = ETags()

    def prepare(self) -> None:
        """Make the folders, and remove what killed processes left of their writes."""
        for folder in self._folders:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._drafts.sweep(SWEPT_MAX)

    def check_writable(self) -> None:
        """Write a draft and throw it away. Raises StoreUnwritableError where that fails."""
        with self._drafts.written([bytes(_PROBE_BYTES)], self._now()):
            return

    def put(self, key: str, body: bytes, if_match: str | None, if_absent: bool) -> str:  # noqa: FBT001  # the port's own
        """Write an object; see `ports.ObjectStore.put`."""
        path = self._path(key)
        with self._drafts.written([body], self._now()) as draft, self._locks.held(key):
            if if_absent and path.exists():
                raise PreconditionFailedError
            self._compare(path, if_match, missing_ok=False)
            draft.place(path)
            return draft.etag

    def get(self, key: str, bytes_max: int) -> tuple[bytes, str] | None:
        """Read an object; see `ports.ObjectStore.get`."""
        try:
            with self._path(key).open("rb") as file:
                return _read(file, bytes_max)
        except FileNotFoundError:
            return None

    def get_unless(
        self, key: str, etag: str, bytes_max: int
    ) -> tuple[bytes, str] | Literal["unchanged"] | None:
        """Read an object that is not this version; see `ports.ObjectStore.get_unless`."""
        try:
            with self._path(key).open("rb") as file:
                if self._etags.of_open(file) == etag:
                    return "unchanged"
                file.seek(0)
                return _read(file, bytes_max)
        except FileNotFoundError:
            return None

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Read a part of an object; see `ports.ObjectStore.get_range`."""
        try:
            with self._path(key).open("rb") as file:
                file.seek(start)
                return file.read(min(length, max(_size_bytes(file) - start, 0)))
        except FileNotFoundError:
            return None

    def head(self, key: str) -> StoredObject | None:
        """Tell of an object; see `ports.ObjectStore.head`."""
        try:
            with self._path(key).open("rb") as file:
                status = os.fstat(file.fileno())
                modified = datetime.fromtimestamp(status.st_mtime, UTC)
                return StoredObject(key, self._etags.of_open(file), status.st_size, modified)
        except FileNotFoundError:
            return None

    def list(self, prefix: str, after: str | None, limit: int) -> Sequence[StoredObject]:
        """Tell of objects by key; see `ports.ObjectStore.list`."""
        return [*islice(self._heads(keys_in(self._objects, prefix, after)), max(limit, 0))]

    def delete(self, key: str, if_match: str | None) -> None:
        """Delete an object; see `ports.ObjectStore.delete`."""
        path = self._path(key)
        with self._locks.held(key):
            self._compare(path, if_match, missing_ok=True)
            with unwritten():
                path.unlink(missing_ok=True)
            remove_empty_folders(path.parent, self._objects)

    def begin(self, key: str) -> UnfinishedUpload:
        """Start an upload."""
        upload = UnfinishedUpload(key, self._make_id(), self._now())
        self._uploads.begin(upload)
        return upload

    def add(self, upload: UnfinishedUpload, number: int, part: bytes) -> None:
        """Write a part. Raises UploadGoneError."""
        self._uploads.add(upload, number, part)

    def complete(self, upload: UnfinishedUpload, parts: int) -> str:
        """Join the parts 1 to `parts` into the object. Raises UploadGoneError."""
        chunks = read_all(self._uploads.parts(upload, parts), CHUNK_BYTES)
        with (
            suppress(FileNotFoundError),  # a part is gone, and so is the upload
            self._drafts.written(chunks, self._now()) as draft,
            self._locks.held(upload.key),
        ):
            if self._uploads.is_there(upload):
                draft.place(self._path(upload.key))
                self._uploads.discard(upload.key, upload.upload_id)
                return draft.etag
        raise UploadGoneError

    def abort(self, key: str, upload_id: str) -> None:
        """Throw an upload away; see `ports.ObjectStore.abort_upload`."""
        with self._locks.held(key):
            self._uploads.discard(key, upload_id)

    def unfinished(self, prefix: str, limit: int) -> Sequence[UnfinishedUpload]:
        """Tell of uploads; see `ports.ObjectStore.unfinished_uploads`."""
        return self._uploads.under(prefix, limit)

    def _path(self, key: str) -> Path:
        return path_of(self._objects, key)

    def _compare(self, path: Path, if_match: str | None, *, missing_ok: bool) -> None:
        """Compare with what is in the file now, never with what is remembered of it."""
        if if_match is None:
            return
        etag = self._etags.of(path)
        if etag != if_match and not (etag is None and missing_ok):
            raise PreconditionFailedError

    def _heads(self, keys: Iterable[str]) -> Iterator[StoredObject]:
        for key in keys:
            head = self.head(key)
            if head is not None:  # None: deleted meanwhile
                yield head


def _read(file: BinaryIO, bytes_max: int) -> tuple[bytes, str]:
    size_bytes = _size_bytes(file)
    if size_bytes > bytes_max:
        raise StoreError(f"The object is larger than the {bytes_max} bytes that fit.")
    body = file.read(size_bytes)
    return body, etag_text(sha256(body))


def _size_bytes(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
