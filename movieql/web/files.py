"""`GET /files?…`: downloads by signed link, for a store whose links lead to this server."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from movieql.domain.errors import ForbiddenError, StoreError
from movieql.ports import StoredObject
from movieql.web.resources import NOT_FOUND, RestError, parameters

FILES = "/files"

LINK_PARAMETERS = frozenset({"key", "expires", "filename", "type", "signature"})
"""What a link's query has, each once."""

CHUNK_BYTES = 256 * 1024
"""Bytes of an object in memory at a time, per download."""


class Link(Protocol):
    """What a good link is for."""

    @property
    def key(self) -> str:
        """The object's key."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that the download must carry."""
        ...


class OpensLinks(Protocol):
    """Verifies links; `storage.links.LinkSigner.opened` does."""

    def __call__(self, query: Mapping[str, str], /) -> Link:
        """Return what a link is for. Raises ForbiddenError when it is not ours or too old."""
        ...


class ReadsObjects(Protocol):
    """The part of `ports.ObjectStore` that a download needs."""

    async def head(self, key: str) -> StoredObject | None:
        """Return what is known of an object, None where none is. Raises StoreError."""
        ...

    async def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return up to `length` bytes from `start`, None where no object is."""
        ...


class Files:
    """The route. Who has a link needs no token: the link is one, for one object."""

    def __init__(
        self, opened: OpensLinks, store: ReadsObjects, chunk_bytes: int = CHUNK_BYTES
    ) -> None:
        self._opened = opened
        self._store = store
        self._chunk_bytes = chunk_bytes

    async def download(self, request: Request) -> Response:
        """Stream the object; what is not there, not signed or too old is refused before."""
        try:
            link = self._opened(parameters(request, LINK_PARAMETERS))
        except ForbiddenError as error:
            # A token would not help, so there is no challenge for one.
            raise RestError(403, str(error), error.code) from error
        stored = await self._store.head(link.key)
        if stored is None:
            raise _gone()
        headers = {**link.headers, "Content-Length": str(stored.size_bytes)}
        if request.method == "HEAD":
            return Response(headers=headers)
        # Before the head goes out, the store can still fail with a status of its own.
        first = await self._store.get_range(link.key, 0, self._chunk_bytes)
        if first is None:
            raise _gone()
        return StreamingResponse(self._chunks(stored, first), headers=headers)

    async def _chunks(self, stored: StoredObject, first: bytes) -> AsyncIterator[bytes]:
        """Give the object's bytes. Raises StoreError when it changed: half a file is none."""
        chunk: bytes | None = first[: stored.size_bytes]
        sent = 0
        while chunk:
            yield chunk
            sent += len(chunk)
            length = min(self._chunk_bytes, stored.size_bytes - sent)
            chunk = await self._store.get_range(stored.key, sent, length) if length else b""
        if sent < stored.size_bytes:
            raise StoreError("An object changed while it was downloaded.")


def _gone() -> RestError:
    return RestError(404, "The file is gone: ask for a new one.", NOT_FOUND)
