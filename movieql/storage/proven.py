"""A store that nobody writes to before it is known to compare before it writes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from movieql.domain.errors import SettingsError, StoreError
from movieql.ports import ObjectStore, StoredObject, UnfinishedUpload, Upload
from movieql.storage.probe import refuse_without_conditions


class Proven:
    """Probes a store once, at the start or, when it did not answer then, before the first write.

    A store that is down keeps nobody from starting: what is sold elsewhere does not need it.
    """

    def __init__(
        self, store: ObjectStore, new_probe_id: Callable[[], str], probe_s: float = 5.0
    ) -> None:
        self._store = store
        self._probe_s = probe_s
        self._new_probe_id = new_probe_id
        self._lock = asyncio.Lock()
        self._is_proven = False
        self.part_bytes_min = store.part_bytes_min

    async def prove(self) -> None:
        """Probe the store unless that went well before.

        Raises SettingsError when it ignores conditions, StoreError when it does not answer, or
        not within `probe_s` seconds.
        """
        try:
            async with asyncio.timeout(self._probe_s), self._lock:
                if not self._is_proven:
                    await refuse_without_conditions(self._store, self._new_probe_id())
                    self._is_proven = True
        except TimeoutError as error:
            said = f"The object store did not answer the probe within {self._probe_s:g} s."
            raise StoreError(said) from error

    async def _proved(self) -> None:
        if not self._is_proven:
            try:
                await self.prove()
            except SettingsError as error:
                raise StoreError(str(error)) from error

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        content_type: str = "application/octet-stream",
    ) -> str:
        """See `ports.ObjectStore`."""
        await self._proved()
        return await self._store.put(
            key, body, if_match=if_match, if_absent=if_absent, content_type=content_type
        )

    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        """See `ports.ObjectStore`."""
        await self._proved()
        await self._store.delete(key, if_match=if_match)

    async def begin_upload(self, key: str, *, content_type: str) -> Upload:
        """See `ports.ObjectStore`."""
        await self._proved()
        return await self._store.begin_upload(key, content_type=content_type)

    async def abort_upload(self, key: str, upload_id: str) -> None:
        """See `ports.ObjectStore`."""
        await self._store.abort_upload(key, upload_id)

    async def get(self, key: str, *, bytes_max: int) -> tuple[bytes, str] | None:
        """See `ports.ObjectStore`."""
        return await self._store.get(key, bytes_max=bytes_max)

    async def get_unless(
        self, key: str, etag: str, *, bytes_max: int
    ) -> tuple[bytes, str] | Literal["unchanged"] | None:
        """See `ports.ObjectStore`."""
        return await self._store.get_unless(key, etag, bytes_max=bytes_max)

    async def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """See `ports.ObjectStore`."""
        return await self._store.get_range(key, start, length)

    async def head(self, key: str) -> StoredObject | None:
        """See `ports.ObjectStore`."""
        return await self._store.head(key)

    async def list(
        self, prefix: str, *, after: str | None = None, limit: int = 1000
    ) -> Sequence[StoredObject]:
        """See `ports.ObjectStore`."""
        return await self._store.list(prefix, after=after, limit=limit)

    async def unfinished_uploads(
        self, prefix: str, limit: int = 1000
    ) -> Sequence[UnfinishedUpload]:
        """See `ports.ObjectStore`."""
        return await self._store.unfinished_uploads(prefix, limit)

    async def link(self, key: str, *, lifetime_s: int, filename: str, content_type: str) -> str:
        """See `ports.ObjectStore`."""
        return await self._store.link(
            key, lifetime_s=lifetime_s, filename=filename, content_type=content_type
        )
