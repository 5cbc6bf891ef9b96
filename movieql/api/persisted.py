"""Automatic persisted queries: a document once sent along is afterwards named by its hash."""

from contextlib import suppress

from movieql.api.execution import Prepared
from movieql.domain.errors import CacheError, PersistedQueryNotFoundError
from movieql.ports import Cache

LIFETIME_S = 86_400.0
"""Seconds a cache keeps a document; clients send it again when it is gone."""


class PersistedDocuments:
    """The texts of documents by their SHA-256 (hex), in the cache that replicas may share."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def find(self, sha256: str) -> str:
        """Return the document with a hash. Raises PersistedQueryNotFoundError."""
        with suppress(CacheError):
            stored = await self._cache.get(_key(sha256))
            if stored is not None:
                return stored.decode(errors="surrogatepass")
        raise PersistedQueryNotFoundError

    async def put(self, prepared: Prepared) -> None:
        """Keep a valid document under its hash, once as long as this process knows it."""
        if not prepared.is_persisted:
            text = prepared.text.encode(errors="surrogatepass")
            with suppress(CacheError):  # this process knows it all the same
                await self._cache.put(_key(prepared.sha256), text, LIFETIME_S)
                prepared.is_persisted = True


def _key(sha256: str) -> str:
    return f"movieql:document:{sha256}"
