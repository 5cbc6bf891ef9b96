"""Automatic persisted queries: a document once sent along is afterwards named by its hash."""

import hashlib
from collections import OrderedDict
from contextlib import suppress

from movieql.domain.errors import BadInputError, CacheError, PersistedQueryNotFoundError
from movieql.ports import Cache

LIFETIME_S = 86_400.0
"""Seconds a shared cache keeps a document; clients send it again when it is gone."""


class PersistedDocuments:
    """Documents by hash: the latest `documents_max` in this process, all in the shared cache."""

    def __init__(self, cache: Cache, documents_max: int) -> None:
        self._cache = cache
        self._documents_max = documents_max
        self._documents: OrderedDict[str, str] = OrderedDict()

    async def find(self, sha256: str) -> str:
        """Return the document with a hash. Raises PersistedQueryNotFoundError."""
        query = self._documents.get(sha256)
        if query is None:
            query = await self._recall(sha256)
        if query is None:
            raise PersistedQueryNotFoundError
        self._remember(sha256, query)
        return query

    async def register(self, sha256: str, query: str) -> None:
        """Keep a document under its hash. Raises BadInputError when it is another's."""
        if hashlib.sha256(query.encode(errors="surrogatepass")).hexdigest() != sha256:
            raise BadInputError("`sha256Hash` is not the SHA-256 of `query`, in small hex digits.")
        if sha256 not in self._documents:
            # Without the shared cache this process knows it all the same.
            with suppress(CacheError):
                stored = query.encode(errors="surrogatepass")
                await self._cache.put(self._key(sha256), stored, LIFETIME_S)
        self._remember(sha256, query)

    async def _recall(self, sha256: str) -> str | None:
        try:
            stored = await self._cache.get(self._key(sha256))
        except CacheError:
            return None
        return None if stored is None else stored.decode(errors="surrogatepass")

    def _remember(self, sha256: str, query: str) -> None:
        self._documents[sha256] = query
        self._documents.move_to_end(sha256)
        while len(self._documents) > self._documents_max:
            self._documents.popitem(last=False)

    @staticmethod
    def _key(sha256: str) -> str:
        return f"movieql:document:{sha256}"
