"""Questions about movies: asks every provider, merges what came in time, says what is missing."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from movieql.domain.answers import Answer
from movieql.domain.errors import BadInputError, IncompleteSourcesError
from movieql.domain.identities import Identities
from movieql.domain.index import Index, IndexedMovie
from movieql.domain.merge import Evidence, shell
from movieql.domain.movies import Description, Listing, ListingKey, Movie, MovieOrder, Profile
from movieql.domain.ordering import Ordered, write_cursor
from movieql.domain.reports import SourceReport, SourceStatus, is_complete
from movieql.domain.selection import MovieFilter
from movieql.ports import Call, DetailLoad
from movieql.services.merging import MergedMovies
from movieql.services.shelves import Shelves, Source

_REFRESHED_AT_ONCE = 100


async def _nothing(*_: object) -> None:
    """Ask for no details before all shelves are there."""


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
    """A part of a list: movies with a cursor each, and what every provider did for it.

    `fresh_until_s`: the monotonic second at which the first of what it was made from stops being
    fresh, in the past when something is not; `renew_s`: from which it is refreshed ahead.
    """

    movies: tuple[Movie, ...]
    cursors: tuple[str, ...]
    total_count: int
    has_next: bool
    complete: bool
    sources: tuple[SourceReport, ...]
    fresh_until_s: float
    renew_s: float


@dataclass(frozen=True, slots=True)
class Found:
    """A movie, or that there is none such, and what every provider did to find out.

    `is_listed`: whether a provider lists it now; else it is a shell of what is known of its id.
    """

    movie: Movie | None
    sources: tuple[SourceReport, ...]
    fresh_until_s: float
    renew_s: float
    is_listed: bool


class Browse:
    """Answers questions over all providers."""

    def __init__(self, sources: Sequence[Source], identities: Identities) -> None:
        self._profiles = {source.profile.id: source.profile for source in sources}
        self._providers = {source.profile.id: source.provider for source in sources}
        self._everyone = frozenset(self._profiles)
        self._shelves = Shelves(sources, identities)
        self._merged = MergedMovies()

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """Return the configured providers, in order of configuration."""
        return tuple(self._profiles.values())

    @property
    def index_builds(self) -> int:
        """Return how often the index of the shelves was built."""
        return self._shelves.index_builds

    async def movies(self, question: Question, load: DetailLoad) -> Page:
        """Return a page of the merged list. Raises BadInputError and IncompleteSourcesError."""
        asked = self._asked(question.narrowed.providers)
        evidence = await self._evidence(asked, question, load)
        index = self._shelves.index(evidence.shelves)
        question = self._canonical(question, index)
        chosen = await self._chosen(index, asked, question, evidence, load)
        page = chosen.behind[: question.first]
        await self._load(self._detail_keys(page, question.fields), evidence, load)
        sources = evidence.sources(tuple(evidence.details))
        complete = is_complete(sources, self._everyone - asked)
        if question.require_complete and not complete:
            raise IncompleteSourcesError.of(sources)
        movies = self._merged.all(page, evidence)
        order = question.order
        return Page(
            movies=tuple(movies),
            cursors=tuple(
                write_cursor((each.lowest_amount, each.id), order)
                if order.field == "price"
                else write_cursor(listed.position(order), order)
                for listed, each in zip(page, movies, strict=True)
            ),
            total_count=chosen.total_count,
            has_next=len(chosen.behind) > question.first,
            complete=complete,
            sources=sources,
            fresh_until_s=evidence.fresh_until_s,
            renew_s=evidence.renew_s,
        )

    async def movie(
        self,
        movie_id: str,
        fields: frozenset[str],
        until_s: float,
        load: DetailLoad,
        listing: ListingKey | None = None,
    ) -> Found:
        """Return a movie by any id it ever had; none only if every provider says there is none.

        `listing`: return the movie that this is part of, whatever `movie_id`, if it is listed.
        While a provider does not answer freshly, an unknown id gets a shell with its sources.
        """
        question = Question(until_s=until_s, first=0)
        evidence = await self._evidence(self._everyone, question, load)
        index = self._shelves.index(evidence.shelves)
        found = index.listing(listing) or self._find(index, movie_id)
        if found is None:
            movie = self._unlisted(movie_id, evidence)
        else:
            await self._load(self._detail_keys([found], fields), evidence, load)
            movie = self._merged.all([found], evidence)[0]
        sources = evidence.sources(tuple(evidence.details))
        is_listed = found is not None
        return Found(movie, sources, evidence.fresh_until_s, evidence.renew_s, is_listed)

    def _find(self, index: Index, movie_id: str) -> IndexedMovie | None:
        return index.find(movie_id) or index.find(self._shelves.canonical(movie_id))

    async def is_missing(self, movie_id: str, until_s: float) -> bool:
        """Return whether every provider's list, known by `until_s`, is without the movie.

        `until_s` is a monotonic second. No provider is asked about an id that was seen before.
        """
        if self._listed(movie_id, {}) or self._shelves.last_seen(movie_id):
            return False
        shelves = await self._shelves.answered(self._everyone, until_s, _nothing)
        if self._listed(movie_id, shelves):
            return False
        return self._unlisted(movie_id, Evidence(self.profiles, shelves, {})) is None

    def _listed(self, movie_id: str, shelves: Mapping[str, Answer]) -> IndexedMovie | None:
        return self._find(self._shelves.index(shelves), movie_id)

    def _canonical(self, question: Question, index: Index) -> Question:
        """Return a question whose ids are those of the movies that they lead to."""
        if question.narrowed.ids is None:
            return question
        found = (self._find(index, each) for each in question.narrowed.ids)
        ids = frozenset(movie.id for movie in found if movie is not None)
        return replace(question, narrowed=replace(question.narrowed, ids=ids))

    def _unlisted(self, movie_id: str, evidence: Evidence) -> Movie | None:
        withdrawn = self._shelves.last_seen(movie_id)
        if withdrawn is not None:
            return shell(withdrawn.id, withdrawn.listings[0].row.description, evidence)
        if all(report.status is SourceStatus.OK for report in evidence.sources(())):
            return None
        return shell(movie_id, Description(), evidence)

    async def refresh(self, until_s: float) -> None:
        """Ask every provider for all that it sells, by the monotonic second `until_s`."""
        shelves = await self._shelves.answered(self._everyone, until_s, _nothing)
        keys = [
            (profile.id, row.provider_movie_id)
            for profile in self.profiles
            if "price" in profile.detail_fields
            for row in shelves[profile.id].rows or ()
        ]
        for start in range(0, len(keys), _REFRESHED_AT_ONCE):
            await self.details(keys[start : start + _REFRESHED_AT_ONCE], until_s)

    def own_ids(self, movie_id: str, provider: str) -> tuple[str, ...]:
        """Return a provider's own ids of a movie, as the shelves were last seen; no I/O."""
        found = self._listed(movie_id, {})
        listings = () if found is None else found.listings
        return tuple(each.row.provider_movie_id for each in listings if each.provider == provider)

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
        if wanted is None:
            return self._everyone
        unknown = sorted(wanted - self._everyone)
        if unknown or not wanted:
            raise BadInputError(
                f"`providers` takes some of {', '.join(sorted(self._everyone))}; got "
                f"{', '.join(unknown) or 'none'}."
            )
        return wanted

    async def _evidence(
        self, asked: frozenset[str], question: Question, load: DetailLoad
    ) -> Evidence:
        """Ask for the shelves, and of each at once for the details needed whatever others list.

        So a shop that is slow with its list does not take the time for the details of another.
        """

        async def prefetch(profile: Profile, answer: Answer) -> None:
            needed = (question.fields | question.fields_of_all) & profile.detail_fields
            if needed and question.after is None:
                alone = [IndexedMovie.alone(Listing(profile.id, row)) for row in answer.rows or ()]
                listed = [each for each in alone if question.narrowed.admits_listed(each)]
                if question.fields_of_all or len(listed) <= question.first:
                    await load([each.listings[0].key for each in listed])

        shelves = await self._shelves.answered(asked, question.until_s, prefetch)
        return Evidence(self.profiles, shelves, {})

    def _detail_keys(
        self, movies: Iterable[IndexedMovie], fields: frozenset[str]
    ) -> list[ListingKey]:
        wanting = {each.id for each in self.profiles if fields & each.detail_fields}
        return [
            listing.key
            for movie in movies
            for listing in movie.listings
            if listing.provider in wanting
        ]

    @staticmethod
    async def _load(keys: Sequence[ListingKey], evidence: Evidence, load: DetailLoad) -> None:
        if keys:
            evidence.details.update(await load(keys))

    async def _chosen(
        self,
        index: Index,
        asked: frozenset[str],
        question: Question,
        evidence: Evidence,
        load: DetailLoad,
    ) -> "_Chosen":
        narrowed, order = question.narrowed, question.order
        view = index.told_by(asked)
        if not question.fields_of_all:
            ordered = view.ordered(order)
            start = ordered.start(question.after)
            if not narrowed.asks_lists:
                return _Chosen(ordered.entries[start:], len(ordered.entries))
            behind = [each for each in ordered.entries[start:] if narrowed.admits_listed(each)]
            before = sum(map(narrowed.admits_listed, ordered.entries[:start]))
            return _Chosen(behind, before + len(behind))
        listed = [each for each in view.movies if narrowed.admits_listed(each)]
        await self._load(self._detail_keys(listed, question.fields_of_all), evidence, load)
        merged = dict(
            zip((each.id for each in listed), self._merged.all(listed, evidence), strict=True)
        )
        ordered = Ordered(
            (each for each in listed if narrowed.admits(merged[each.id])),
            lambda each: (
                (merged[each.id].lowest_amount, each.id)
                if order.field == "price"
                else each.position(order)
            ),
            order,
        )
        return _Chosen(ordered.entries[ordered.start(question.after) :], len(ordered.entries))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The movies behind the cursor, and how many there are in all."""

    behind: Sequence[IndexedMovie]
    total_count: int
