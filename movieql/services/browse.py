"""Questions about movies: asks every provider, merges what came in time, says what is missing."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from movieql.domain.answers import Answer
from movieql.domain.errors import BadInputError, IncompleteSourcesError
from movieql.domain.identities import Identities
from movieql.domain.index import Index, IndexedMovie
from movieql.domain.matching import match_listings
from movieql.domain.merge import Evidence, merge_movie, shell
from movieql.domain.movies import (
    Description,
    Listing,
    ListingKey,
    Movie,
    MovieOrder,
    Profile,
    Row,
)
from movieql.domain.reports import SourceReport, SourceStatus, is_complete
from movieql.domain.selection import (
    MovieFilter,
    Position,
    listed_position,
    page_after,
    priced_position,
    write_cursor,
)
from movieql.ports import LIST, Call, DetailLoad, KeptProvider


@dataclass(frozen=True, slots=True)
class Source:
    """A configured provider: what merging knows of it, and what answers for it."""

    profile: Profile
    provider: KeptProvider


@dataclass(frozen=True, slots=True)
class Question:
    """A list of movies as somebody asks for it.

    `until_s`: the monotonic second at which it is answered with what is there. `fields`: the
    `Row` fields that will be shown; details are called for only when one of these needs them.
    """

    until_s: float
    first: int
    fields: frozenset[str] = frozenset()
    narrowed: MovieFilter = MovieFilter()
    order: MovieOrder = MovieOrder()
    after: str | None = None
    require_complete: bool = False

    @property
    def fields_of_all(self) -> frozenset[str]:
        """Return the fields needed of every movie before the page is known."""
        price = {"price"} if self.order.field == "price" else set()
        return self.narrowed.detail_fields | price


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list: movies with a cursor each, and what every provider did for it."""

    movies: tuple[Movie, ...]
    cursors: tuple[str, ...]
    total_count: int
    has_next: bool
    complete: bool
    sources: tuple[SourceReport, ...]


class Browse:
    """Answers questions over all providers; keeps the merged index of the latest shelves."""

    def __init__(self, sources: Sequence[Source], identities: Identities) -> None:
        self._sources = tuple(sources)
        self._identities = identities
        self._profiles = {source.profile.id: source.profile for source in self._sources}
        self._providers = {source.profile.id: source.provider for source in self._sources}
        self._shelves: tuple[tuple[Row, ...] | None, ...] = ()
        self._index = Index((), self._profiles)
        self.index_builds = 0

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """Return the configured providers, in order of configuration."""
        return tuple(self._profiles.values())

    async def movies(self, question: Question, load: DetailLoad) -> Page:
        """Return a page of the merged list. Raises BadInputError and IncompleteSourcesError."""
        asked = self._asked(question.narrowed.providers)
        shelves = await self._answered_shelves(asked, question, load)
        index = self._indexed(shelves)
        listed = [
            movie
            for movie in (_told_by(asked, each) for each in index.movies)
            if movie.listings and question.narrowed.admits_listed(movie)
        ]
        details = dict(await load(self._detail_keys(listed, asked, question.fields_of_all)))
        evidence = Evidence(self.profiles, shelves, details)
        chosen = self._chosen(listed, question, evidence)
        page, has_next = chosen.behind[: question.first], len(chosen.behind) > question.first
        details |= await load(self._detail_keys(page, asked, question.fields))
        sources = evidence.sources(tuple(details))
        complete = is_complete(sources, frozenset(self._profiles) - asked)
        if question.require_complete and not complete:
            raise IncompleteSourcesError.of(sources)
        return Page(
            movies=tuple(self._merged(movie, evidence) for movie in page),
            cursors=tuple(
                write_cursor(chosen.positions[movie.id], question.order) for movie in page
            ),
            total_count=chosen.total_count,
            has_next=has_next,
            complete=complete,
            sources=sources,
        )

    async def movie(
        self, movie_id: str, fields: frozenset[str], until_s: float, load: DetailLoad
    ) -> Movie | None:
        """Return a movie by any id it ever had; None only if every provider says there is none.

        While a provider does not answer freshly, an unknown id gets a shell with its sources.
        """
        asked = frozenset(self._profiles)
        question = Question(until_s=until_s, first=0)
        shelves = await self._answered_shelves(asked, question, load)
        index = self._indexed(shelves)
        found = index.find(movie_id) or index.find(self._identities.canonical(movie_id))
        if found is not None:
            details = await load(self._detail_keys([found], asked, fields))
            return self._merged(found, Evidence(self.profiles, shelves, details))
        evidence = Evidence(self.profiles, shelves, {})
        withdrawn = self._identities.last_seen(movie_id)
        if withdrawn is not None:
            return shell(withdrawn.id, withdrawn.listings[0].row.description, evidence)
        sources = evidence.sources(())
        if all(report.status is SourceStatus.OK for report in sources):
            return None
        return shell(movie_id, Description(), evidence)

    async def details(self, keys: Sequence[ListingKey], until_s: float) -> list[Answer]:
        """Return an answer per key, each by `until_s`."""
        return await asyncio.gather(
            *(self._providers[provider].fetch(Call(own_id), until_s) for provider, own_id in keys)
        )

    def kept_details(self, keys: Iterable[ListingKey]) -> dict[ListingKey, Answer]:
        """Return what is kept and fresh of these details, without any I/O."""
        kept = {}
        for key in keys:
            answer = self._providers[key[0]].peek(Call(key[1]))
            if answer is not None:
                kept[key] = answer
        return kept

    def _asked(self, wanted: frozenset[str] | None) -> frozenset[str]:
        known = frozenset(self._profiles)
        if wanted is None:
            return known
        unknown = sorted(wanted - known)
        if unknown or not wanted:
            raise BadInputError(
                f"`providers` takes some of {', '.join(sorted(known))}; got "
                f"{', '.join(unknown) or 'none'}."
            )
        return wanted

    async def _answered_shelves(
        self, asked: frozenset[str], question: Question, load: DetailLoad
    ) -> dict[str, Answer]:
        sources = [source for source in self._sources if source.profile.id in asked]
        answers = await asyncio.gather(
            *(self._answered_shelf(source, question, load) for source in sources)
        )
        return {source.profile.id: answer for source, answer in zip(sources, answers, strict=True)}

    async def _answered_shelf(
        self, source: Source, question: Question, load: DetailLoad
    ) -> Answer:
        """Ask for a list, and at once for the details that are needed whatever others list.

        So a shop that is slow with its list does not take the time for the details of another.
        """
        answer = await source.provider.fetch(LIST, question.until_s)
        needed = (question.fields | question.fields_of_all) & source.profile.detail_fields
        if needed and answer.rows and question.after is None:
            listed = [IndexedMovie.alone(Listing(source.profile.id, row)) for row in answer.rows]
            keys = [
                movie.listings[0].key for movie in listed if question.narrowed.admits_listed(movie)
            ]
            if question.fields_of_all or len(keys) <= question.first:
                await load(keys)
        return answer

    def _indexed(self, shelves: Mapping[str, Answer]) -> Index:
        """Return the index of these shelves, built only if a row of them changed.

        A shelf that was left out by the caller still tells which movies are the same, if it is
        at hand: an id must not depend on who was asked.
        """
        rows = tuple(
            answer.rows if (answer := shelves.get(provider) or kept.peek(LIST)) else None
            for provider, kept in self._providers.items()
        )
        # The cache hands out the same object for the same content.
        if len(rows) != len(self._shelves) or any(
            new is not old for new, old in zip(rows, self._shelves, strict=True)
        ):
            listings = [
                Listing(provider, row)
                for provider, shelf in zip(self._profiles, rows, strict=True)
                for row in shelf or ()
            ]
            numbered = {each.id for each in self.profiles if each.imdb_ids}
            matches = match_listings(listings, numbered)
            self._index = Index(self._identities.identify(matches), self._profiles)
            self._shelves = rows
            self.index_builds += 1
        return self._index

    def _detail_keys(
        self, movies: Iterable[IndexedMovie], asked: frozenset[str], fields: frozenset[str]
    ) -> list[ListingKey]:
        wanting = {
            provider for provider in asked if fields & self._profiles[provider].detail_fields
        }
        return [
            listing.key
            for movie in movies
            for listing in movie.listings
            if listing.provider in wanting
        ]

    def _chosen(
        self, listed: Sequence[IndexedMovie], question: Question, evidence: Evidence
    ) -> "_Chosen":
        narrowed, order = question.narrowed, question.order
        if not question.fields_of_all:
            positions = {movie.id: listed_position(movie, order) for movie in listed}
            admitted = listed
        else:
            merged = {movie.id: self._merged(movie, evidence) for movie in listed}
            admitted = [movie for movie in listed if narrowed.admits(merged[movie.id])]
            positions = {
                movie.id: priced_position(merged[movie.id])
                if order.field == "price"
                else listed_position(movie, order)
                for movie in admitted
            }
        behind = page_after(admitted, lambda movie: positions[movie.id], order, question.after)
        return _Chosen(behind, positions, len(admitted))

    @staticmethod
    def _merged(movie: IndexedMovie, evidence: Evidence) -> Movie:
        return merge_movie(movie.id, movie.listings, evidence)


def _told_by(asked: frozenset[str], movie: IndexedMovie) -> IndexedMovie:
    """Return a movie as these providers tell it: what others say must not choose or order it."""
    if movie.providers <= asked:
        return movie
    listings = tuple(each for each in movie.listings if each.provider in asked)
    return IndexedMovie(movie.id, movie.aliases, listings)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The movies behind the cursor, where each stands, and how many there are in all."""

    behind: Sequence[IndexedMovie]
    positions: Mapping[str, Position]
    total_count: int
