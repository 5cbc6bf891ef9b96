"""The shelves of all providers: asked together, indexed once per change."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from movieql.domain.answers import Answer
from movieql.domain.identities import Identified, Identities
from movieql.domain.index import Index
from movieql.domain.matching import match_listings
from movieql.domain.movies import Listing, Profile, Row
from movieql.ports import LIST, KeptProvider


@dataclass(frozen=True, slots=True)
class Source:
    """A configured provider: what merging knows of it, and what answers for it."""

    profile: Profile
    provider: KeptProvider


Prefetch = Callable[[Profile, Answer], Awaitable[None]]
"""Told of a shelf as soon as it is there, to ask for details before the other shelves are."""


class Shelves:
    """Asks for lists, and keeps the index of the latest ones."""

    def __init__(self, sources: Sequence[Source], identities: Identities) -> None:
        self._sources = tuple(sources)
        self._identities = identities
        self._profiles = {source.profile.id: source.profile for source in self._sources}
        self._rows: tuple[tuple[Row, ...] | None, ...] = (None,) * len(self._sources)
        self._index = Index((), self._profiles)
        self.index_builds = 0

    async def answered(
        self, asked: frozenset[str], until_s: float, prefetch: Prefetch
    ) -> dict[str, Answer]:
        """Return the list answer of every provider asked, by provider."""
        sources = [source for source in self._sources if source.profile.id in asked]
        kept = {source.profile.id: source.provider.peek(LIST) for source in sources}
        fresh = {provider: answer for provider, answer in kept.items() if answer is not None}
        if len(fresh) == len(sources):
            return fresh

        async def ask(source: Source) -> Answer:
            answer = await source.provider.fetch(LIST, until_s)
            if answer.rows:
                await prefetch(source.profile, answer)
            return answer

        answers = await asyncio.gather(*map(ask, sources))
        return {source.profile.id: answer for source, answer in zip(sources, answers, strict=True)}

    def index(self, shelves: Mapping[str, Answer]) -> Index:
        """Return the index of these shelves, built only if a row of them changed.

        A shelf that was left out by the caller still tells which movies are the same, as it was
        when it was last seen: an id must not depend on who was asked.
        """
        rows = tuple(
            shelves[each.profile.id].rows if each.profile.id in shelves else last
            for each, last in zip(self._sources, self._rows, strict=True)
        )
        # The cache hands out the same object for the same content.
        if any(new is not old for new, old in zip(rows, self._rows, strict=True)):
            self._rows = rows
            self._index = self._built(rows)
            self.index_builds += 1
        return self._index

    def canonical(self, movie_id: str) -> str:
        """Return the canonical id for any id ever given out, else the id itself."""
        return self._identities.canonical(movie_id)

    def last_seen(self, movie_id: str) -> Identified | None:
        """Return a movie as it was when a provider last listed it."""
        return self._identities.last_seen(movie_id)

    def _built(self, rows: Sequence[tuple[Row, ...] | None]) -> Index:
        listings = [
            Listing(provider, row)
            for provider, shelf in zip(self._profiles, rows, strict=True)
            for row in shelf or ()
        ]
        numbered = {profile.id for profile in self._profiles.values() if profile.imdb_ids}
        identified = self._identities.identify(match_listings(listings, numbered))
        return Index(identified, self._profiles)
