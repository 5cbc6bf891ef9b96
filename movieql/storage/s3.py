"""The object store over S3."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from movieql.domain.errors import PreconditionFailedError
from movieql.ports import Clock, StoredObject, UnfinishedUpload
from movieql.storage.keys import checked_key, checked_prefix, checked_range
from movieql.storage.links import checked_link
from movieql.storage.parts import PartCount
from movieql.storage.s3_bucket import Bucket, Condition
from movieql.storage.s3_failures import UndecidedError
from movieql.storage.threads import Threads

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 8 * 1024 * 1024
"""Bytes of a part: S3 takes 5 MiB and 10,000 parts, so this makes objects of 80 GB."""

CONFLICT_DELAYS_S = (0.05, 0.1, 0.2)
"""Seconds before a conditional write that met another is tried again."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class S3Store:
    """Objects of a bucket under `prefix`; see `ports.ObjectStore`.

    `client`: of `s3_client.make_client`, with as many connections as there are threads;
    `call_timeout_s`: how long a caller waits for a call with all its attempts.
    """

    def __init__(
        self,
        client: "S3Client",
        *,
        bucket: str,
        clock: Clock,
        rng: random.Random,
        prefix: str = "",
        threads_max: int = 10,
        call_timeout_s: float = 30.0,
        part_bytes_min: int = PART_BYTES,
    ) -> None:
        self.part_bytes_min = part_bytes_min
        self._prefix = checked_prefix(prefix)
        self._clock = clock
        self._rng = rng
        self._threads = Threads(threads_max, call_timeout_s, "movieql-s3")
        self._bucket = Bucket(client, bucket)

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        content_type: str = "application/octet-stream",
    ) -> str:
        """Write a whole object; see `ports.ObjectStore`."""
        if if_absent and if_match is not None:
            raise PreconditionFailedError("No object is absent and a version at once.")
        condition = Condition(if_match, absent=if_absent)
        return await self._decided(
            self._bucket.put, self._full(key), body, content_type, condition
        )

    async def get(self, key: str, *, bytes_max: int) -> tuple[bytes, str] | None:
        """Read an object; see `ports.ObjectStore`."""
        return await self._run(self._bucket.get, self._full(key), bytes_max)

    async def get_unless(
        self, key: str, etag: str, *, bytes_max: int
    ) -> tuple[bytes, str] | Literal["unchanged"] | None:
        """Read an object that is not this version; see `ports.ObjectStore`."""
        return await self._run(self._bucket.get_unless, self._full(key), etag, bytes_max)

    async def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Read a part of an object; see `ports.ObjectStore`."""
        checked_range(start, length)
        if length == 0:  # no header can say it
            return None if await self.head(key) is None else b""
        return await self._run(self._bucket.get_range, self._full(key), start, length)

    async def head(self, key: str) -> StoredObject | None:
        """Tell of an object; see `ports.ObjectStore`."""
        found = await self._run(self._bucket.head, self._full(key))
        return found and self._object(key, found["ETag"], found["ContentLength"], found)

    async def list(
        self, prefix: str, *, after: str | None = None, limit: int = 1000
    ) -> Sequence[StoredObject]:
        """Tell of objects by key; see `ports.ObjectStore`."""
        full = self._prefix + checked_prefix(prefix)
        start = None if after is None else self._prefix + after
        found = await self._run(self._bucket.list, full, start, limit)
        return [
            self._object(self._short(each["Key"]), each["ETag"], each["Size"], each)
            for each in found
        ]

    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        """Delete an object; see `ports.ObjectStore`."""
        await self._decided(self._bucket.delete, self._full(key), Condition(if_match))

    async def begin_upload(self, key: str, *, content_type: str) -> "S3Upload":
        """Start an object in parts; see `ports.ObjectStore`."""
        full = self._full(key)
        upload_id = await self._run(self._bucket.begin, full, content_type)
        return S3Upload(upload_id, full, self._bucket, self._threads, self.part_bytes_min)

    async def unfinished_uploads(
        self, prefix: str, limit: int = 1000
    ) -> Sequence[UnfinishedUpload]:
        """Tell of uploads; see `ports.ObjectStore`."""
        full = self._prefix + checked_prefix(prefix)
        found = await self._run(self._bucket.unfinished, full, limit)
        return [
            UnfinishedUpload(
                self._short(each["Key"]), each["UploadId"], each["Initiated"].astimezone(UTC)
            )
            for each in found
        ]

    async def abort_upload(self, key: str, upload_id: str) -> None:
        """Throw an upload away; see `ports.ObjectStore`."""
        await self._run(self._bucket.abort, self._full(key), upload_id)

    async def link(self, key: str, *, lifetime_s: int, filename: str, content_type: str) -> str:
        """Return a URL that downloads an object; see `ports.ObjectStore`.

        It is signed with SigV4 by the store's own credentials and ends with them, if sooner.
        """
        checked_link(lifetime_s, filename, content_type)
        return await self._run(
            self._bucket.link, self._full(key), lifetime_s, filename, content_type
        )

    async def aclose(self) -> None:
        """End the threads and the connections."""
        await self._threads.aclose()
        self._bucket.close()

    async def _run(self, call: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
        return await self._threads.run(call, *args, **named)

    async def _decided(self, call: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
        """Try again what met another write at work: neither has won, and both may fail."""
        for delay_s in CONFLICT_DELAYS_S:
            try:
                return await self._run(call, *args, **named)
            except UndecidedError:
                await self._clock.sleep(delay_s * self._rng.uniform(0.5, 1.5))
        return await self._run(call, *args, **named)

    def _full(self, key: str) -> str:
        return self._prefix + checked_key(key)

    def _short(self, full: str) -> str:
        return full.removeprefix(self._prefix)

    def _object(self, key: str, etag: str, size_bytes: int, found: Any) -> StoredObject:
        return StoredObject(
            key, etag.strip('"'), size_bytes, found["LastModified"].astimezone(UTC)
        )


class S3Upload:
    """An object that is written in parts; see `ports.Upload`."""

    def __init__(
        self, upload_id: str, full: str, bucket: Bucket, threads: Threads, part_bytes_min: int
    ) -> None:
        self.upload_id = upload_id
        self._full = full
        self._bucket = bucket
        self._threads = threads
        self._count = PartCount(part_bytes_min)
        self._etags: list[str] = []

    async def add(self, part: bytes) -> None:
        """Write the next part; see `ports.Upload`."""
        number = self._count.next(part)
        etag = await self._threads.run(self._bucket.add, self._full, self.upload_id, number, part)
        self._etags.append(etag)

    async def complete(self) -> str:
        """Make the object visible; see `ports.Upload`."""
        if not self._etags:
            await self.add(b"")  # S3 completes nothing without a part
        return await self._threads.run(
            self._bucket.complete, self._full, self.upload_id, self._etags
        )

    async def abort(self) -> None:
        """Throw the parts away; see `ports.Upload`."""
        await self._threads.run(self._bucket.abort, self._full, self.upload_id)
