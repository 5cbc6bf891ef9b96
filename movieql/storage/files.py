"""The object store as plain files below one folder, for one machine; how, see `folder`."""

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, ParamSpec, Protocol, TypeVar

from movieql.domain.errors import StoreError
from movieql.ports import Clock, StoredObject, UnfinishedUpload
from movieql.storage.disk_failures import unwritten
from movieql.storage.folder import Folder
from movieql.storage.keys import checked_key, checked_prefix, checked_range
from movieql.storage.parts import PartCount
from movieql.storage.threads import Threads

_P = ParamSpec("_P")
_T = TypeVar("_T")


class SignLink(Protocol):
    """Makes a URL that downloads an object; `links.LinkSigner.sign` is one."""

    def __call__(self, key: str, lifetime_s: int, filename: str, content_type: str, /) -> str:
        """Return the URL. Raises BadInputError."""
        ...


class FileStore:
    """Objects in files; see `ports.ObjectStore`.

    An object's version is a hash of its content, so a file that is edited by hand has a new one.
    `lock_timeout_s`: how long a write waits for others of its key; `call_timeout_s`: how long a
    caller waits for a call altogether; `threads_max`: calls at once.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Clock,
        sign_link: SignLink,
        call_timeout_s: float,
        threads_max: int,
        lock_timeout_s: float = 5.0,
        part_bytes_min: int = 1,
        make_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self.part_bytes_min = part_bytes_min
        self._sign_link = sign_link
        self._folder = Folder(root, now=clock.now, lock_timeout_s=lock_timeout_s, make_id=make_id)
        self._blocking = _Blocking(
            Threads(threads_max, call_timeout_s, "movieql-files"), self._folder.prepare
        )

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        content_type: str = "application/octet-stream",  # noqa: ARG002  # the link says it
    ) -> str:
        """Write a whole object; see `ports.ObjectStore`."""
        return await self._blocking.write(
            self._folder.put, checked_key(key), body, if_match, if_absent
        )

    async def get(self, key: str, *, bytes_max: int) -> tuple[bytes, str] | None:
        """Read an object; see `ports.ObjectStore`."""
        return await self._blocking.run(self._folder.get, checked_key(key), bytes_max)

    async def get_unless(
        self, key: str, etag: str, *, bytes_max: int
    ) -> tuple[bytes, str] | Literal["unchanged"] | None:
        """Read an object that is not this version; see `ports.ObjectStore`."""
        return await self._blocking.run(self._folder.get_unless, checked_key(key), etag, bytes_max)

    async def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Read a part of an object; see `ports.ObjectStore`."""
        checked_range(start, length)
        return await self._blocking.run(self._folder.get_range, checked_key(key), start, length)

    async def head(self, key: str) -> StoredObject | None:
        """Tell of an object; see `ports.ObjectStore`."""
        return await self._blocking.run(self._folder.head, checked_key(key))

    async def list(
        self, prefix: str, *, after: str | None = None, limit: int = 1000
    ) -> Sequence[StoredObject]:
        """Tell of objects by key; see `ports.ObjectStore`."""
        return await self._blocking.run(self._folder.list, checked_prefix(prefix), after, limit)

    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        """Delete an object; see `ports.ObjectStore`."""
        await self._blocking.write(self._folder.delete, checked_key(key), if_match)

    async def begin_upload(self, key: str, *, content_type: str) -> "FileUpload":  # noqa: ARG002
        """Start an object in parts; see `ports.ObjectStore`."""
        upload = await self._blocking.write(self._folder.begin, checked_key(key))
        return FileUpload(upload, self._folder, self._blocking, self.part_bytes_min)

    async def unfinished_uploads(
        self, prefix: str, limit: int = 1000
    ) -> Sequence[UnfinishedUpload]:
        """Tell of uploads; see `ports.ObjectStore`."""
        return await self._blocking.run(self._folder.unfinished, checked_prefix(prefix), limit)

    async def abort_upload(self, key: str, upload_id: str) -> None:
        """Throw an upload away; see `ports.ObjectStore`."""
        await self._blocking.write(self._folder.abort, checked_key(key), upload_id)

    async def link(self, key: str, *, lifetime_s: int, filename: str, content_type: str) -> str:
        """Return a URL that downloads an object; see `ports.ObjectStore`."""
        return self._sign_link(checked_key(key), lifetime_s, filename, content_type)

    async def check_writable(self) -> None:
        """Raise StoreError where the disk takes no writes; it costs a write of 64 KiB."""
        await self._blocking.write(self._folder.check_writable)

    async def aclose(self) -> None:
        """End the threads."""
        await self._blocking.threads.aclose()


class FileUpload:
    """An object that is written in parts; see `ports.Upload`."""

    def __init__(
        self, upload: UnfinishedUpload, folder: Folder, blocking: "_Blocking", part_bytes_min: int
    ) -> None:
        self.upload_id = upload.upload_id
        self._upload = upload
        self._folder = folder
        self._blocking = blocking
        self._count = PartCount(part_bytes_min)

    async def add(self, part: bytes) -> None:
        """Write the next part; see `ports.Upload`."""
        number = self._count.next(part)
        await self._blocking.write(self._folder.add, self._upload, number, part)

    async def complete(self) -> str:
        """Make the object visible; see `ports.Upload`."""
        return await self._blocking.write(self._folder.complete, self._upload, self._count.last)

    async def abort(self) -> None:
        """Throw the parts away; see `ports.Upload`."""
        await self._blocking.write(self._folder.abort, self._upload.key, self.upload_id)


class _Blocking:
    """Calls to a folder in threads; their OSError is a StoreError.

    The folder is prepared once, before the first write: a disk that takes no writes can be read.
    """

    def __init__(self, threads: Threads, prepare: Callable[[], None]) -> None:
        self.threads = threads
        self._prepare = prepare
        self._prepared = False

    async def run(self, call: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
        return await self.threads.run(_reported, partial(call, *args, **named))

    async def write(self, call: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
        return await self.run(self._after_prepare, partial(call, *args, **named))

    def _after_prepare(self, call: Callable[[], _T]) -> _T:
        if not self._prepared:  # twice at once does no harm
            with unwritten():
                self._prepare()
            self._prepared = True
        return call()


def _reported(call: Callable[[], _T]) -> _T:
    try:
        return call()
    except OSError as error:  # its text names the path, its strerror does not
        raise StoreError(f"The file store failed: {error.strerror or 'no reason'}.") from error
