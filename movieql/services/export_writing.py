"""Writing an export's file: parts of bounded size, hashed and counted on the way."""

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from movieql.domain.errors import MovieqlError, StoreError, UploadGoneError
from movieql.ports import ObjectStore, Upload

PART_BYTES = 8 * 1024 * 1024
"""Of a part, or the store's smallest if that is more; 10,000 of them are 80 GB (S3's bound)."""

CSV_TYPE = "text/csv; charset=utf-8"
"""The media type of the file."""

GZIP_TYPE = "application/gzip"
"""The media type of the file when it is compressed."""

_GZIP_BITS = 31  # zlib's number for the gzip format; its header carries no time


@dataclass(frozen=True, slots=True)
class Written:
    """A file that is there: of its bytes as they are stored, compressed or not."""

    sha256: str
    size_bytes: int


class _Packed:
    """Bytes, compressed if that is wanted, with their hash and number."""

    def __init__(self, *, gzip: bool) -> None:
        self._compress = zlib.compressobj(wbits=_GZIP_BITS) if gzip else None
        self._hash = sha256()
        self.waiting = bytearray()
        self.size_bytes = 0

    def add(self, plain: bytes) -> None:
        self._take(plain if self._compress is None else self._compress.compress(plain))

    def finish(self) -> Written:
        if self._compress is not None:
            self._take(self._compress.flush())
        return Written(self._hash.hexdigest(), self.size_bytes)

    def _take(self, packed: bytes) -> None:
        self._hash.update(packed)
        self.size_bytes += len(packed)
        self.waiting += packed


async def write_file(
    store: ObjectStore,
    key: str,
    chunks: AsyncIterator[bytes],
    *,
    gzip: bool,
    before_part: Callable[[], Awaitable[None]],
    part_bytes: int = PART_BYTES,
) -> Written:
    """Write a file in parts. Whatever is raised on the way, nothing is left of it but an upload.

    Raises StoreError, UploadGoneError and what `before_part` and `chunks` raise.
    """
    upload = await store.begin_upload(key, content_type=GZIP_TYPE if gzip else CSV_TYPE)
    try:
        size = max(part_bytes, store.part_bytes_min)
        written = await _fill(upload, chunks, _Packed(gzip=gzip), size, before_part)
        await _complete(store, key, upload, written)
    except BaseException:
        await _abort(upload)
        raise
    return written


async def _fill(
    upload: Upload,
    chunks: AsyncIterator[bytes],
    packed: _Packed,
    part_bytes: int,
    before_part: Callable[[], Awaitable[None]],
) -> Written:
    async for chunk in chunks:
        packed.add(chunk)
        while len(packed.waiting) >= part_bytes:
            await before_part()
            await upload.add(bytes(memoryview(packed.waiting)[:part_bytes]))
            del packed.waiting[:part_bytes]
    written = packed.finish()
    await before_part()
    await upload.add(bytes(packed.waiting))
    return written


async def _complete(store: ObjectStore, key: str, upload: Upload, written: Written) -> None:
    """Make the file visible; the answer to that may be lost, so look whether it is there."""
    try:
        await upload.complete()
    except (StoreError, UploadGoneError):
        there = await store.head(key)
        if there is None or there.size_bytes != written.size_bytes:
            raise


async def _abort(upload: Upload) -> None:
    try:
        await upload.abort()
    except MovieqlError:
        return  # the janitor does it later; what went wrong before is what counts
