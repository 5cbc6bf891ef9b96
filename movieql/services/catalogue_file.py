"""The catalogue's file in its store: parsed once per version."""

from dataclasses import dataclass

from movieql.domain.catalogue import (
    CatalogueFile,
    Document,
    EntryLimits,
    FileLimits,
    parse,
)
from movieql.domain.errors import CatalogueCorruptError, StoreError
from movieql.ports import ObjectStore


@dataclass(slots=True)
class Version:
    """A version of the file; `etag` None: there is none yet. `document` is never changed."""

    document: Document
    etag: str | None
    _file: CatalogueFile | None = None

    @property
    def file(self) -> CatalogueFile:
        """Return what readers see, made when somebody asks for it first."""
        if self._file is None:
            self._file = self.document.file(self.etag)
        return self._file


class StoredFile:
    """Reads and replaces the file."""

    def __init__(
        self, store: ObjectStore, key: str, limits: FileLimits, entry_limits: EntryLimits
    ) -> None:
        self._store = store
        self._key = key
        self._limits = limits
        self._entry_limits = entry_limits
        self._missing = Version(parse(None, limits, entry_limits), None)
        self._last = self._missing

    async def current(self) -> Version:
        """Return the version there is. Raises StoreError, CatalogueCorruptError."""
        last, bytes_max = self._last, self._limits.bytes_max
        try:
            if last.etag is None:
                found = await self._store.get(self._key, bytes_max=bytes_max)
            else:
                unless = await self._store.get_unless(self._key, last.etag, bytes_max=bytes_max)
                if unless == "unchanged":
                    return last
                found = unless
        except StoreError as error:
            await self._check_size(error)
            raise
        if found is None:
            self._last = self._missing
        else:
            body, etag = found
            self._last = Version(parse(body, self._limits, self._entry_limits), etag)
        return self._last

    async def replace(self, version: Version, document: Document, body: bytes) -> Version:
        """Write `body`, which is `document`, over a version and no other.

        Raises PreconditionFailedError and StoreError, as a store does: either may come although
        it was written.
        """
        etag = await self._store.put(
            self._key,
            body,
            if_match=version.etag,
            if_absent=version.etag is None,
            content_type="application/json",
        )
        self._last = Version(document, etag)
        return self._last

    async def _check_size(self, error: StoreError) -> None:
        """Tell a file that is too large from a store that does not answer."""
        head = await self._store.head(self._key)
        if head is not None and head.size_bytes > self._limits.bytes_max:
            raise CatalogueCorruptError(
                f"The catalogue is larger than {self._limits.bytes_max} bytes."
            ) from error
