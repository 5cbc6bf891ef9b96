"""Questions about movies: asks providers for what is not known, and answers from the snapshot."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import is_

from movieql.domain.errors import BadInputError, IncompleteSourcesError
from movieql.domain.merge import Evidence, ListedMovie, merge_movie, shell
from movieql.domain.movies import (
    PENDING,
    Answer,
    Description,
    ListingKey,
    Movie,
    MovieOrder,
    Profile,
    Row,
    SourceReport,
    SourceStatus,
    is_complete,
)
from movieql.domain.selection import MovieFilter, read_cursor, write_cursor
from movieql.domain.titles import search_text
from movieql.movies.snapshot import Snapshot
from movieql.movies.views import View
from movieql.ports import LIST, Call, Clock, DetailLoad, KeptProvider
from movieql.waiting import in_steps

IDLE_S = 900.0
"""Details are read in the background for so long after somebody asked for movies."""

DETAILS_AT_ONCE = 40
"""Details that one question asks a provider for at once: twice what it is sent at once, so that
none of them waits long for its turn, and a slow call is told from one that waits."""

_LOOKED_AT_MAX = 1_000  # details a second and provider, for those that are old
_REFRESHED_AT_ONCE = 100
_KEYS_A_STEP = 1_000
_KEPT_A_STEP = 50


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


async def _nothing(keys: Sequence[ListingKey]) -> dict[ListingKey, Answer]:  # noqa: ARG001  # a load
    """Load no details."""
    return {}


class Browse:
    """Answers questions over all providers."""

    def __init__(self, sources: Sequence[Source], snapshot: Snapshot, clock: Clock) -> None:
        self._profiles = {source.profile.id: source.profile for source in sources}
        self._providers = {source.profile.id: source.provider for source in sources}
        self._everyone = frozenset(self._profiles)
        self._clock = clock
        self._snapshot = snapshot
        self._asked_s = -math.inf
        self._newest: dict[str, tuple[Row, ...]] = {}
        self._taking: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """End the work under way that no request waits for."""
        tasks = list(self._taking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """Return the configured providers, in order of configuration."""
        return tuple(self._profiles.values())

    async def movies(self, question: Question, load: DetailLoad) -> Page:
        """Return a page of the merged list. Raises BadInputError and IncompleteSourcesError."""
        asked = self._selected(question.narrowed.providers)
        order = question.order
        after = None if question.after is None else read_cursor(question.after, order)
        evidence = await self._lists(asked, question, load)
        view = await in_steps(self._snapshot.view(asked), self._clock)
        unknown = await in_steps(self._unknown(view, question, evidence), self._clock)
        await asyncio.gather(
            *(self._read_details(*each, evidence, question) for each in unknown.items())
        )
        narrowed = self._canonical(question.narrowed)
        chosen = await in_steps(view.select(narrowed, order, after, question.first), self._clock)
        await self._load_details(self._detail_keys(chosen.movies, question.fields), evidence, load)
        sources = self._reports(evidence)
        complete = is_complete(sources, self._everyone - asked)
        if question.require_complete and not complete:
            raise IncompleteSourcesError.of(sources)
        return Page(
            movies=tuple(_merged(movie, evidence) for movie in chosen.movies),
            cursors=tuple(write_cursor(place, order) for place in chosen.places),
            total_count=chosen.total_count,
            has_next=chosen.has_next,
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
        known = self._snapshot.of(listing) or self._snapshot.find(movie_id)
        evidence, _ = await asyncio.gather(
            self._lists(self._everyone, Question(until_s=until_s, first=0), load),
            load([] if known is None else self._detail_keys([known], fields)),
        )
        evidence = replace(evidence, at_once=known is not None)
        found = self._snapshot.of(listing) or self._snapshot.find(movie_id)
        if found is None:
            movie = self._unlisted(movie_id, evidence)
        else:
            await self._load_details(self._detail_keys([found], fields), evidence, load)
            movie = _merged(found, evidence)
        sources = self._reports(evidence)
        is_listed = found is not None
        return Found(movie, sources, evidence.fresh_until_s, evidence.renew_s, is_listed)

    async def is_missing(self, movie_id: str, until_s: float) -> bool:
        """Return whether every provider's list, known by `until_s`, is without the movie.

        `until_s` is a monotonic second. No provider is asked about an id that was seen before.
        """
        if self._snapshot.find(movie_id) or self._snapshot.last_seen(movie_id):
            return False
        evidence = await self._lists(self._everyone, Question(until_s=until_s, first=0), _nothing)
        if self._snapshot.find(movie_id):
            return False
        return self._unlisted(movie_id, evidence) is None

    async def read_ahead(self, calls_per_second: int) -> None:
        """Read the details of all movies in turn, for ever, so many a second of each provider.

        An order and a filter look at all of them, also at those that no page shows. While nobody
        asked for `IDLE_S` it rests.
        """
        waiting: dict[str, list[str]] = {
            each.id: [] for each in self.profiles if each.detail_fields
        }
        while True:
            await self._clock.sleep(1.0)
            if self._clock.monotonic_s() - self._asked_s > IDLE_S:
                continue
            for provider, own_ids in waiting.items():
                if not own_ids:
                    own_ids.extend(self._snapshot.listed(provider))
                    own_ids.extend(self._snapshot.unknown(provider))  # which are taken first
                calls = calls_per_second
                for own_id in islice(_popped(own_ids), _LOOKED_AT_MAX):
                    if self._snapshot.of((provider, own_id)) is not None:
                        calls -= self._providers[provider].refresh(Call(own_id))
                    if not calls:
                        break

    def _reports(self, evidence: Evidence) -> tuple[SourceReport, ...]:
        """Return the reports of an answer, with how many details of each list are known."""
        reports = []
        for report in evidence.sources(tuple(evidence.details)):
            provider = report.provider
            shelf = evidence.shelves.get(provider, PENDING)
            if shelf.rows is not None and self._profiles[provider].detail_fields:
                known, listed = self._snapshot.details_read(provider)
                reports.append(replace(report, details_known=known, details_expected=listed))
            else:
                reports.append(report)
        return tuple(reports)

    def _canonical(self, narrowed: MovieFilter) -> MovieFilter:
        """Return a filter whose ids are those of the movies that they lead to."""
        if narrowed.ids is None:
            return narrowed
        found = map(self._snapshot.find, narrowed.ids)
        return replace(narrowed, ids=frozenset(movie.id for movie in found if movie is not None))

    def _unlisted(self, movie_id: str, evidence: Evidence) -> Movie | None:
        withdrawn = self._snapshot.last_seen(movie_id)
        if withdrawn is not None:
            return shell(withdrawn.id, withdrawn.listings[0].row.description, evidence)
        if all(report.status is SourceStatus.OK for report in evidence.sources(())):
            return None
        return shell(movie_id, Description(), evidence)

    async def refresh(self, until_s: float) -> None:
        """Ask every provider for all that it sells, by the monotonic second `until_s`."""
        answers = await asyncio.gather(
            *(provider.fetch(LIST, until_s) for provider in self._providers.values())
        )
        keys = [
            (profile.id, row.provider_movie_id)
            for profile, answer in zip(self.profiles, answers, strict=True)
            if "price" in profile.detail_fields
            for row in answer.rows or ()
        ]
        for start in range(0, len(keys), _REFRESHED_AT_ONCE):
            await self.details(keys[start : start + _REFRESHED_AT_ONCE], until_s)

    def own_ids(self, movie_id: str, provider: str) -> tuple[str, ...]:
        """Return a provider's own ids of a movie, as lists were last taken in; no I/O."""
        found = self._snapshot.find(movie_id)
        listings = () if found is None else found.listings
        return tuple(each.row.provider_movie_id for each in listings if each.provider == provider)

    async def details(self, keys: Sequence[ListingKey], until_s: float) -> list[Answer]:
        """Return an answer per key by `until_s`, pending for what was not even asked for then."""
        own_ids: dict[str, list[str]] = defaultdict(list)
        for provider, own_id in keys:
            own_ids[provider].append(own_id)
        asked = [
            self._ask_for_details(provider, ids, until_s) for provider, ids in own_ids.items()
        ]
        answers = dict(zip(own_ids, await asyncio.gather(*asked), strict=True))
        return [answers[provider].get(own_id, PENDING) for provider, own_id in keys]

    async def _ask_for_details(
        self, provider: str, own_ids: Sequence[str], until_s: float
    ) -> dict[str, Answer]:
        """Ask for details, `DETAILS_AT_ONCE` at once; the first of those not asked is pending."""
        waiting = iter(own_ids)
        answers: dict[str, Answer] = {}

        async def ask() -> None:
            for own_id in waiting:
                answers[own_id] = await self._providers[provider].fetch(Call(own_id), until_s)
                self._note_detail((provider, own_id), answers[own_id])
                if len(answers) % _KEPT_A_STEP == 0:  # what is kept is given without any waiting
                    await asyncio.sleep(0)
                if self._clock.monotonic_s() >= until_s:
                    return

        await asyncio.gather(*(ask() for _ in range(min(len(own_ids), DETAILS_AT_ONCE))))
        answers.update((own_id, PENDING) for own_id in islice(waiting, 1))
        return answers

    def kept_details(self, keys: Iterable[ListingKey]) -> dict[ListingKey, Answer]:
        """Return what is kept and fresh of these details, without any I/O."""
        kept = {}
        for key in keys:
            answer = self._providers[key[0]].peek(Call(key[1]))
            if answer is not None:
                kept[key] = answer
        return kept

    def _selected(self, wanted: frozenset[str] | None) -> frozenset[str]:
        if wanted is None:
            return self._everyone
        unknown = sorted(wanted - self._everyone)
        if unknown or not wanted:
            raise BadInputError(
                f"`providers` takes some of {', '.join(sorted(self._everyone))}; got "
                f"{', '.join(unknown) or 'none'}."
            )
        return wanted

    async def _lists(
        self, asked: frozenset[str], question: Question, load: DetailLoad
    ) -> Evidence:
        """Ask for lists, take them in, and ask for details of each that are needed in any case.

        So a shop that is slow with its list does not take the time for the details of another.
        """
        self._asked_s = self._clock.monotonic_s()
        shelves: dict[str, Answer] = {}
        evidence = Evidence(self.profiles, shelves, {})

        async def ask(provider: str) -> None:
            kept = self._providers[provider].peek(LIST)
            answer = kept or await self._providers[provider].fetch(LIST, question.until_s)
            # At once: whoever was given nothing must not undo a list that comes meanwhile.
            if answer.rows is not None:
                self._newest[provider] = answer.rows
            elif answer.error is not None and self._is_forgotten(provider):
                self._newest[provider] = ()
            taking = self._taken_in(provider, answer, question.until_s)
            if kept is not None:
                shelves[provider] = await taking
                return

            async def loading() -> None:
                needed = self._needed_alone(provider, answer.rows or (), question)
                own_ids = await in_steps(needed, self._clock)
                if question.fields_of_all:
                    await self._read_details(provider, own_ids, evidence, question)
                else:
                    await load([(provider, own_id) for own_id in own_ids])

            shelves[provider], _ = await asyncio.gather(taking, loading())

        await asyncio.gather(*map(ask, asked))
        return evidence

    async def _taken_in(self, provider: str, answer: Answer, until_s: float) -> Answer:
        """Bring the snapshot to a list; one that is too long for the time left is pending."""
        if self._is_behind(provider):
            task = self._taking.get(provider)
            if task is None:
                task = self._taking[provider] = asyncio.ensure_future(self._take_in(provider))
            await self._clock.wait({task}, until_s - self._clock.monotonic_s())
            if not task.done():
                return PENDING
            task.result()
        return answer

    async def _take_in(self, provider: str) -> None:
        """Bring the snapshot to the newest list, whichever comes meanwhile."""
        try:
            while self._is_behind(provider):
                steps = self._snapshot.set_list(provider, self._newest[provider])
                await in_steps(steps, self._clock)
        finally:
            del self._taking[provider]

    def _is_forgotten(self, provider: str) -> bool:
        """Return whether the snapshot has a list that is too old to be shown."""
        return bool(self._snapshot.list_of(provider)) and not self._providers[provider].peek(LIST)

    def _is_behind(self, provider: str) -> bool:
        return self._snapshot.list_of(provider) is not self._newest.get(provider)

    def _needed_alone(
        self, provider: str, rows: Sequence[Row], question: Question
    ) -> Generator[None, None, list[str]]:
        """Return the details that are needed of a list, whatever the others have, in steps."""
        narrowed, of_all = question.narrowed, bool(question.fields_of_all)
        wanting = self._wanting(question.fields | question.fields_of_all)
        if question.after is not None or narrowed.ids is not None or provider not in wanting:
            return []
        own_ids: list[str] = []
        for at, row in enumerate(rows):
            own_id, title = row.provider_movie_id, row.description.title
            if (
                narrowed.admits_year(row.description.year)
                and (not narrowed.title_forms or narrowed.admits_text(search_text(title or "")))
                and not (of_all and self._snapshot.knows((provider, own_id)))
            ):
                own_ids.append(own_id)
                if len(own_ids) > question.first and not of_all:
                    return []  # which of them are on the page is not known yet
            if at % _KEYS_A_STEP == _KEYS_A_STEP - 1:
                yield
        return own_ids

    def _unknown(
        self, view: View, question: Question, evidence: Evidence
    ) -> Generator[None, None, dict[str, list[str]]]:
        """Return the details that a filter or an order needs and nobody read yet, in steps."""
        unknown: dict[str, list[str]] = {}
        narrowed = self._canonical(question.narrowed)
        for provider in self._wanting(question.fields_of_all) & view.providers:
            own_ids = unknown[provider] = []
            for at, own_id in enumerate(self._snapshot.unknown(provider)):
                key = (provider, own_id)
                movie = None if key in evidence.details else self._snapshot.of(key)
                if movie is not None and view.passes(movie.id, narrowed):
                    own_ids.append(own_id)
                if at % _KEYS_A_STEP == _KEYS_A_STEP - 1:
                    yield
        return unknown

    def _wanting(self, fields: frozenset[str]) -> frozenset[str]:
        return frozenset(each.id for each in self.profiles if fields & each.detail_fields)

    def _detail_keys(
        self, movies: Iterable[ListedMovie], fields: frozenset[str]
    ) -> list[ListingKey]:
        wanting = self._wanting(fields)
        return [
            listing.key
            for movie in movies
            for listing in movie.listings
            if listing.provider in wanting
        ]

    async def _load_details(
        self, keys: Sequence[ListingKey], evidence: Evidence, load: DetailLoad
    ) -> None:
        """Load details, and put those into the snapshot that it does not have.

        It loses the detail of a movie that is withdrawn, and a provider that answers from its
        cache afterwards does not report it again. A detail that it has may be newer than the
        answer, by a refresh meanwhile.
        """
        unread = [key for key in keys if key not in evidence.details]
        if unread:
            answers = await load(unread)
            evidence.details.update(answers)
            for key, answer in answers.items():
                self._note_detail(key, answer)

    async def _read_details(
        self, provider: str, own_ids: Sequence[str], evidence: Evidence, question: Question
    ) -> None:
        """Read details for an order or a filter; what is reported of them is what is missing."""
        answers = await self._ask_for_details(provider, own_ids, question.until_s)
        evidence.details.update(
            ((provider, own_id), answer) for own_id, answer in answers.items() if not answer.fresh
        )

    def _note_detail(self, key: ListingKey, answer: Answer) -> None:
        if answer.rows and not self._snapshot.knows(key):
            self._snapshot.set_detail(*key, answer.rows[0])


def _merged(movie: ListedMovie, evidence: Evidence) -> Movie:
    """Return a movie merged from evidence, the same object while that stays the same.

    A provider hands out the same answer for as long as it is fresh, so comparing by identity is
    enough, and whatever was computed from a movie may be kept by the movie's identity as well.
    """
    details = evidence.details
    inputs = (
        *(evidence.shelves.get(profile.id) for profile in evidence.profiles),
        *(details.get(listing.key) for listing in movie.listings),
    )
    # A page without details and one with them take turns; each has its place.
    kept = movie.values.get(bool(details))
    if kept is not None and all(map(is_, kept[0], inputs)):
        return kept[1]
    merged = merge_movie(movie, evidence)
    movie.values[bool(details)] = (inputs, merged)
    return merged


def _popped(items: list[str]) -> Iterator[str]:
    while items:
        yield items.pop()
