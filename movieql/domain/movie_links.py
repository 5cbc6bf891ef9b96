"""Which offers have to be looked at together, so that movies can be matched a part at a time.

Matching joins listings only by IMDb digits and by match key. So offers are
dealt out by title, and titles that share digits count as one. Collisions of hashes only put more
offers together than need be.
"""

import heapq
from array import array
from collections.abc import Collection
from zlib import crc32

from movieql.domain.folding import OfferSummary
from movieql.domain.titles import imdb_id, match_key

_NODE_BITS = 30
_NODE_MASK = (1 << _NODE_BITS) - 1
_CHUNK = 65_536


class MovieLinks:
    """Titles and the digits that link them, 8 bytes an offer; add all, `close`, then ask."""

    def __init__(self, imdb_providers: Collection[str]) -> None:
        self._imdb_providers = frozenset(imdb_providers)
        self._open = array("Q")
        self._chunks: list[array[int]] = []
        self._parents: dict[int, int] = {}

    def add(self, summary: OfferSummary) -> int:
        """Take in an offer and return its node, which `group` wants."""
        digits = (
            imdb_id(summary.provider_movie_id)
            if summary.provider in self._imdb_providers
            else None
        )
        node = _node(summary, digits)
        if digits is not None:
            self._open.append(int(digits[2:]) << _NODE_BITS | node)
            if len(self._open) >= _CHUNK:
                self._end_chunk()
        return node

    def close(self) -> None:
        """Link the titles that go with the same digits."""
        self._end_chunk()
        before = -1
        for packed in heapq.merge(*self._chunks):
            if packed >> _NODE_BITS == before >> _NODE_BITS and packed != before:
                self._join(packed & _NODE_MASK, before & _NODE_MASK)
            before = packed
        self._chunks = []

    def group(self, node: int) -> int:
        """Return a number that is the same for all offers that may be one movie."""
        while (parent := self._parents.get(node, node)) != node:
            node = parent
        return node

    def _join(self, node: int, other: int) -> None:
        one, two = sorted((self.group(node), self.group(other)))
        for child in (node, other, two):
            if child != one:
                self._parents[child] = one

    def _end_chunk(self) -> None:
        self._chunks.append(array("Q", sorted(self._open)))
        self._open = array("Q")


def _node(summary: OfferSummary, digits: str | None) -> int:
    name = (
        match_key(summary.title)
        if summary.title is not None
        else f"\0{digits}"
        if digits is not None
        else "\0" + "\0".join(summary.key)
    )
    return crc32(name.encode(errors="replace")) & _NODE_MASK
