"""Questions over several providers, on a virtual clock."""

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.cache.storage import BoundedMemoryCache
from movieql.domain.errors import BadInputError, IncompleteSourcesError
from movieql.domain.matching import Identities, match_listings
from movieql.domain.movies import (
    Answer,
    ContentRevision,
    ListingKey,
    Movie,
    MovieOrder,
    Profile,
    Row,
    SourceErrorCode,
    SourceStatus,
    failed,
)
from movieql.domain.selection import MovieFilter
from movieql.memory import MemoryProvider, RecordedTelemetry, VirtualClock
from movieql.movies.browse import IDLE_S, Browse, Page, Question, Source
from movieql.movies.snapshot import Snapshot
from movieql.ports import LIST, Call
from movieql.providers.cached import Cached, Lifetimes
from tests.builders import row, shop

OK, STALE, PENDING, FAILED, SKIPPED = (
    SourceStatus.OK,
    SourceStatus.STALE,
    SourceStatus.PENDING,
    SourceStatus.FAILED,
    SourceStatus.SKIPPED,
)
BUDGET_S = 2.5
HANG_S = 1e6
PRICE = frozenset({"price"})
CINEMAWORLD, FILMWORLD = "cinemaworld", "filmworld"

Shelf = Mapping[str, tuple[Row, str | None]]
"""A shop's movies: own id to (list row, price in the detail)."""


def stocked(prefix: str, **prices: str | None) -> Shelf:
    """Return a shelf of the movies named, with a price each: `star_wars="29.5"`."""
    numbers = {"star_wars": "0076759", "jaws": "0073195", "alien": "0078748", "dune": "1160419"}
    years = {"star_wars": 1977, "jaws": 1975, "alien": 1979, "dune": 2021}
    return {
        prefix + numbers[name]: (
            row(prefix + numbers[name], title=name.replace("_", " ").title(), year=years[name]),
            price,
        )
        for name, price in prices.items()
    }


class WorkingClock(VirtualClock):
    """Time passes, by 5 ms, whenever somebody looks at the clock, as if that took so long."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = 0

    def monotonic_s(self) -> float:
        self._looks += 1
        return super().monotonic_s() + 0.005 * self._looks

    async def wait(self, futures: Collection[asyncio.Future[Any]], timeout_s: float) -> None:
        if timeout_s > 0:
            await super().wait(futures, timeout_s)


class World:
    """Shops on a virtual clock, each behind its cache, and what a person may ask."""

    def __init__(
        self,
        shops: Mapping[Profile, Shelf],
        entries_max: int = 100_000,
        clock: VirtualClock | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.telemetry = RecordedTelemetry()
        self.shops: dict[str, MemoryProvider] = {}
        self.caches: dict[str, Cached] = {}
        self.snapshot = Snapshot(shops, Identities(entries_max))
        sources = []
        for profile, shelf in shops.items():
            inner = self.shops[profile.id] = MemoryProvider(self.clock)
            self.stock(profile.id, shelf)
            cached = self.caches[profile.id] = Cached(
                inner,
                provider=profile.id,
                cache=BoundedMemoryCache(self.clock, 1_000_000),
                key_prefix="movieql",
                lifetimes=Lifetimes(fresh_jitter=0.0),
                revision=ContentRevision(),
                clock=self.clock,
                telemetry=self.telemetry,
                rng=random.Random(7),  # jitter is no secret
                note_detail=self.snapshot.set_detail,
            )
            sources.append(Source(profile, cached))
        self.browse = Browse(sources, self.snapshot, self.clock)

    def stock(self, provider: str, shelf: Shelf) -> None:
        """Let a shop sell these movies and no others."""
        answers: dict[Call, Any] = {LIST: self._saying(*(listed for listed, _ in shelf.values()))}
        for own_id, (listed, price) in shelf.items():
            amount = None if price is None else Decimal(price)
            problem = None if price is not None else "The provider sent no usable price."
            genres = ("Thriller",) if listed.description.title in {"Jaws", "Alien"} else ("Epic",)
            detail = replace(
                listed,
                amount=amount,
                price_problem=problem,
                description=replace(listed.description, genres=genres),
            )
            answers[Call(own_id)] = self._saying(detail)
        self.shops[provider].answers = answers

    def _saying(self, *rows: Row) -> Any:
        return lambda: Answer(rows=rows, as_of=self.clock.now(), fresh=True)

    def break_down(self, provider: str, *calls: Call) -> None:
        """Let these calls to a shop fail, all of them when none is named."""
        inner = self.shops[provider]
        broken = failed(SourceErrorCode.UNAVAILABLE, "The shop answered 503.")
        for call in calls or tuple(inner.answers):
            inner.answers[call] = broken

    async def done(self, asking: "asyncio.Task[Any]") -> Any:
        """Let time pass until an answer is there."""
        await self.clock.settle()
        while not asking.done():
            await self.clock.advance(0.1)
        return asking.result()

    async def movies(self, **question: Any) -> Page:
        asked = Question(
            **{"until_s": self.clock.monotonic_s() + BUDGET_S, "first": 50, **question}
        )
        page = await self.done(
            asyncio.ensure_future(self.browse.movies(asked, self.loader(asked.until_s)))
        )
        assert isinstance(page, Page)
        assert [each.provider for each in page.sources] == list(self.shops)
        for movie in page.movies:
            assert [each.provider for each in movie.sources] == list(self.shops)
        return page

    async def movie(
        self, movie_id: str, fields: frozenset[str] = PRICE, wait_s: float = BUDGET_S
    ) -> Movie | None:
        until_s = self.clock.monotonic_s() + wait_s
        asking = self.browse.movie(movie_id, fields, until_s, self.loader(until_s))
        movie = (await self.done(asyncio.ensure_future(asking))).movie
        assert movie is None or isinstance(movie, Movie)
        return movie

    def loader(self, until_s: float) -> "Loader":
        return Loader(self.browse, until_s)

    def details_asked(self, provider: str) -> set[str]:
        return {call.movie_id for call in self.shops[provider].calls if call.movie_id is not None}

    async def close(self) -> None:
        await self.browse.close()
        for cached in self.caches.values():
            await cached.close()


class Loader:
    """Details for one request: each key once."""

    def __init__(self, browse: Browse, until_s: float) -> None:
        self._browse, self._until_s = browse, until_s
        self._loading: dict[ListingKey, asyncio.Task[list[Answer]]] = {}

    async def __call__(self, keys: Sequence[ListingKey]) -> Mapping[ListingKey, Answer]:
        answers = self._browse.kept_details(keys)
        for key in keys:
            if key not in answers and key not in self._loading:
                self._loading[key] = asyncio.ensure_future(
                    self._browse.details([key], self._until_s)
                )
        for key in keys:
            if key not in answers:
                answers[key] = (await asyncio.shield(self._loading[key]))[0]
        return answers


def two_shops() -> dict[Profile, Shelf]:
    return {
        shop(CINEMAWORLD, priority=1): stocked("cw", star_wars="123.5", jaws="20", alien="5.5"),
        shop(FILMWORLD, priority=2): stocked("fw", star_wars="29.5", jaws="25", dune="7"),
    }


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(two_shops())
    yield world
    await world.close()


def titles(page: Page) -> list[str | None]:
    return [movie.title for movie in page.movies]


def statuses(reported: Page | Movie | IncompleteSourcesError) -> list[SourceStatus]:
    return [report.status for report in reported.sources]


def by_title(page: Page, title: str) -> Movie:
    (movie,) = [movie for movie in page.movies if movie.title == title]
    return movie


def amounts(movie: Movie) -> dict[str, str | None]:
    return {
        offer.provider: None if offer.price is None else str(offer.price.amount)
        for offer in movie.offers
    }


# The merged list


async def test_both_shops_movies_are_one_list_by_title(world: World) -> None:
    page = await world.movies(fields=PRICE)
    assert titles(page) == ["Alien", "Dune", "Jaws", "Star Wars"]
    assert (page.total_count, page.has_next, page.complete) == (4, False, True)
    assert statuses(page) == [OK, OK]
    star_wars = by_title(page, "Star Wars")
    assert star_wars.id == "tt0076759"
    assert amounts(star_wars) == {CINEMAWORLD: "123.5", FILMWORLD: "29.5"}
    assert star_wars.cheapest.offer is not None
    assert star_wars.cheapest.offer.provider == FILMWORLD
    assert star_wars.cheapest.final
    assert star_wars.cheapest.saving is not None
    assert star_wars.cheapest.saving.amount == Decimal(94)


async def test_no_detail_is_asked_for_when_no_wanted_field_needs_one(world: World) -> None:
    page = await world.movies(fields=frozenset({"title", "year", "poster"}))
    assert len(page.movies) == 4
    assert world.details_asked(CINEMAWORLD) == world.details_asked(FILMWORLD) == set()
    assert statuses(page) == [OK, OK]


async def test_details_are_asked_for_of_the_page_only(world: World) -> None:
    page = await world.movies(fields=PRICE, first=1, after=None)
    assert titles(page) == ["Alien"]
    assert page.has_next
    assert world.details_asked(CINEMAWORLD) == {"cw0078748"}
    assert world.details_asked(FILMWORLD) == set()


async def test_a_shop_whose_list_tells_prices_is_asked_for_no_detail() -> None:
    world = World({shop(FILMWORLD, detail_fields=frozenset()): {}})
    world.shops[FILMWORLD].answers[LIST] = Answer(
        rows=(row("fw1", price="9.5"),), as_of=world.clock.now(), fresh=True
    )
    page = await world.movies(fields=PRICE)
    assert amounts(page.movies[0]) == {FILMWORLD: "9.5"}
    assert world.details_asked(FILMWORLD) == set()
    await world.close()


async def test_each_detail_is_asked_for_once_and_then_kept(world: World) -> None:
    await world.movies(fields=PRICE, order=MovieOrder("price"))
    await world.movies(fields=PRICE)
    assert set(world.shops[CINEMAWORLD].calls.values()) == {1}


# The budget


async def test_a_hung_shop_does_not_delay_the_prices_of_the_other(world: World) -> None:
    world.shops[FILMWORLD].delay_s = HANG_S
    page = await world.movies(fields=PRICE)
    assert world.clock.monotonic_s() <= BUDGET_S + 0.1
    assert statuses(page) == [OK, FAILED]
    assert page.sources[1].error is not None
    assert page.sources[1].error.code is SourceErrorCode.TIMEOUT
    star_wars = by_title(page, "Star Wars")
    assert amounts(star_wars) == {CINEMAWORLD: "123.5"}
    assert not star_wars.cheapest.final
    assert not page.complete


@pytest.mark.parametrize("hung", [CINEMAWORLD, FILMWORLD])
async def test_a_hung_shop_without_a_cache_is_left_at_the_budget_too(hung: str) -> None:
    world = World(two_shops())
    sources = [Source(profile, world.shops[profile.id]) for profile in world.browse.profiles]
    world.shops[hung].delay_s = HANG_S
    world.browse = Browse(sources, Snapshot(world.browse.profiles, Identities()), world.clock)
    page = await world.movies(fields=PRICE)
    assert world.clock.monotonic_s() <= BUDGET_S + 0.1
    assert sorted(statuses(page)) == sorted([OK, FAILED])
    await world.close()


async def test_a_slow_list_of_one_shop_takes_no_time_from_the_details_of_the_other(
    world: World,
) -> None:
    world.shops[FILMWORLD].delay_s = 1.4
    world.shops[CINEMAWORLD].delay_s = 1.2
    page = await world.movies(fields=PRICE)
    assert amounts(by_title(page, "Alien")) == {CINEMAWORLD: "5.5"}
    assert page.sources[0].status is OK
    # filmworld's details were asked for at 1.4 s and are too late; cinemaworld's at 1.2 s.
    assert page.sources[1].status is PENDING


async def test_what_is_late_is_there_for_the_next_question(world: World) -> None:
    world.shops[FILMWORLD].delay_s = 4.0
    assert (await world.movies(fields=PRICE)).sources[1].status is FAILED
    await world.clock.advance(8.0)
    world.shops[FILMWORLD].delay_s = 0.0
    page = await world.movies(fields=PRICE)
    assert page.complete
    assert world.shops[FILMWORLD].calls[LIST] == 1


async def test_one_broken_detail_leaves_the_other_prices_in_place(world: World) -> None:
    world.break_down(CINEMAWORLD, Call("cw0076759"))
    page = await world.movies(fields=PRICE)
    assert amounts(by_title(page, "Jaws")) == {CINEMAWORLD: "20", FILMWORLD: "25"}
    star_wars = by_title(page, "Star Wars")
    assert amounts(star_wars) == {CINEMAWORLD: None, FILMWORLD: "29.5"}
    assert star_wars.offers[0].error is not None
    assert star_wars.offers[0].error.code is SourceErrorCode.UNAVAILABLE
    assert not star_wars.cheapest.final
    assert statuses(page) == [FAILED, OK]
    assert statuses(by_title(page, "Jaws")) == [OK, OK]


# Sources


async def test_all_shops_down_and_nothing_kept_is_an_empty_list_with_reasons(world: World) -> None:
    world.break_down(CINEMAWORLD)
    world.break_down(FILMWORLD)
    page = await world.movies(fields=PRICE)
    assert (page.movies, page.total_count, page.complete) == ((), 0, False)
    assert statuses(page) == [FAILED, FAILED]


async def test_old_data_is_shown_with_its_age_and_is_never_final(world: World) -> None:
    first = await world.movies(fields=PRICE)
    world.break_down(FILMWORLD)
    await world.clock.advance(3_600.0)
    page = await world.movies(fields=PRICE)
    assert statuses(page) == [OK, STALE]
    assert page.sources[1].as_of == first.sources[1].as_of
    star_wars = by_title(page, "Star Wars")
    assert star_wars.cheapest.offer is not None
    assert (star_wars.cheapest.offer.provider, star_wars.cheapest.offer.stale) == (FILMWORLD, True)
    assert not star_wars.cheapest.final


async def test_an_unusable_price_is_data_and_the_movie_stays(world: World) -> None:
    world.stock(CINEMAWORLD, stocked("cw", star_wars=None))
    page = await world.movies(fields=PRICE)
    star_wars = by_title(page, "Star Wars")
    assert amounts(star_wars) == {CINEMAWORLD: None, FILMWORLD: "29.5"}
    assert star_wars.offers[0].error is not None
    assert statuses(page) == [OK, OK]
    assert not star_wars.cheapest.final


# Completeness


async def test_a_gap_is_an_error_for_who_asks_for_nothing_less(world: World) -> None:
    world.break_down(FILMWORLD)
    with pytest.raises(IncompleteSourcesError) as raised:
        await world.movies(require_complete=True)
    assert statuses(raised.value) == [OK, FAILED]


async def test_a_gap_in_the_details_is_a_gap(world: World) -> None:
    world.break_down(FILMWORLD, Call("fw0076759"))
    assert (await world.movies(require_complete=True)).complete  # the list needs no details
    with pytest.raises(IncompleteSourcesError):
        await world.movies(require_complete=True, fields=PRICE)


async def test_a_complete_answer_is_given_to_who_requires_it(world: World) -> None:
    assert (await world.movies(require_complete=True, fields=PRICE)).complete


# Left out by the caller


def only(*providers: str, **narrowed: Any) -> MovieFilter:
    return MovieFilter(providers=frozenset(providers), **narrowed)


async def test_a_shop_that_is_left_out_is_skipped_and_not_asked(world: World) -> None:
    page = await world.movies(fields=PRICE, narrowed=only(CINEMAWORLD))
    assert titles(page) == ["Alien", "Jaws", "Star Wars"]
    assert statuses(page) == [OK, SKIPPED]
    assert world.shops[FILMWORLD].calls.total() == 0


async def test_a_shop_that_is_left_out_leaves_no_gap_but_may_undercut(world: World) -> None:
    world.break_down(FILMWORLD)
    page = await world.movies(fields=PRICE, narrowed=only(CINEMAWORLD), require_complete=True)
    assert page.complete
    assert not any(movie.cheapest.final for movie in page.movies)


async def test_prices_of_a_shop_that_is_left_out_are_not_shown_though_they_are_kept(
    world: World,
) -> None:
    await world.movies(fields=PRICE)
    page = await world.movies(fields=PRICE, narrowed=only(CINEMAWORLD))
    assert amounts(by_title(page, "Star Wars")) == {CINEMAWORLD: "123.5"}
    assert statuses(page) == [OK, SKIPPED]
    assert not by_title(page, "Star Wars").cheapest.final


@pytest.mark.parametrize(
    "wanted", [frozenset(), frozenset({"netflix"}), frozenset({"", CINEMAWORLD})]
)
async def test_unknown_providers_are_refused_with_the_known_ones(
    world: World, wanted: frozenset[str]
) -> None:
    with pytest.raises(BadInputError, match="cinemaworld, filmworld"):
        await world.movies(narrowed=MovieFilter(providers=wanted))


async def test_ids_do_not_depend_on_who_was_asked() -> None:
    profiles = {
        shop(CINEMAWORLD): stocked("cw", star_wars="1"),
        shop("opaque", imdb_ids=False): {"x1": (row("x1", title="Star Wars", year=1977), "2")},
    }
    world = World(profiles)
    everybody = (await world.movies()).movies[0].id
    for wait_s in (0.0, 100.0, 90_000.0):
        await world.clock.advance(wait_s)
        page = await world.movies(narrowed=only("opaque"))
        assert [movie.id for movie in page.movies] == [everybody] == ["tt0076759"]
    await world.close()


async def test_what_a_left_out_shop_calls_a_movie_neither_chooses_nor_orders_it() -> None:
    profiles = {
        shop(CINEMAWORLD, priority=1): {
            "cw0000001": (row("cw0000001", title="Zorro", year=1990), None),
            "cw0000002": (row("cw0000002", title="Alien", year=1979), None),
        },
        shop(FILMWORLD, priority=2): {
            "fw0000001": (row("fw0000001", title="Amelie"), None),
            "fw0000002": (row("fw0000002", title="Brazil"), None),
        },
    }
    world = World(profiles)
    cold = World(profiles)
    await world.movies()  # now both lists are at hand
    for narrowed in (
        only(FILMWORLD),
        only(FILMWORLD, title="zorro"),
        only(FILMWORLD, title="amelie"),
        only(FILMWORLD, year_from=1980),
    ):
        page, expected = (
            await world.movies(narrowed=narrowed),
            await cold.movies(narrowed=narrowed),
        )
        assert titles(page) == titles(expected)
        assert page.total_count == expected.total_count
    assert titles(await world.movies(narrowed=only(FILMWORLD))) == ["Amelie", "Brazil"]
    await world.close()
    await cold.close()


# Filters, orders, pages


@pytest.mark.parametrize(
    "narrowed, expected",
    [
        (MovieFilter(title="WARS"), ["Star Wars"]),
        (MovieFilter(title="zzz"), []),
        (MovieFilter(year_from=1977, year_to=1979), ["Alien", "Star Wars"]),
        (MovieFilter(genre="thriller"), ["Alien", "Jaws"]),
        (MovieFilter(price_to=Decimal(7)), ["Alien", "Dune"]),
        (MovieFilter(price_from=Decimal(20), price_to=Decimal("29.5")), ["Jaws", "Star Wars"]),
        (MovieFilter(genre="Thriller", price_from=Decimal(6)), ["Jaws"]),
    ],
)
async def test_a_filter_narrows_the_list(
    world: World, narrowed: MovieFilter, expected: list[str]
) -> None:
    page = await world.movies(narrowed=narrowed)
    assert titles(page) == expected
    assert page.total_count == len(expected)


def of(*ids: str, **narrowed: Any) -> MovieFilter:
    """Return a filter that leaves these movies."""
    return MovieFilter(ids=frozenset(ids), **narrowed)


@pytest.mark.parametrize(
    "question, expected",
    [
        ({"narrowed": of()}, []),
        ({"narrowed": of("tt0076759", "star-wars_1977", "nobody_1999")}, ["Star Wars"]),
        ({"narrowed": of("tt0073195", "alien_1979")}, ["Alien", "Jaws"]),
        ({"narrowed": of("tt0073195", "alien_1979", title="ja")}, ["Jaws"]),
        ({"narrowed": of("tt0073195", "alien_1979", genre="epic")}, []),
        (
            {
                "narrowed": of("tt0073195", "tt0076759"),
                "order": MovieOrder("price", descending=True),
            },
            ["Star Wars", "Jaws"],
        ),
    ],
)
async def test_a_list_may_be_of_given_movies_by_any_of_their_ids(
    world: World, question: dict[str, Any], expected: list[str]
) -> None:
    page = await world.movies(**question)
    assert titles(page) == expected
    assert page.total_count == len(expected)


async def test_given_movies_come_page_by_page(world: World) -> None:
    narrowed = of("tt0073195", "alien_1979", "tt0076759")
    first = await world.movies(narrowed=narrowed, first=2)
    second = await world.movies(narrowed=narrowed, first=2, after=first.cursors[-1])
    assert (first.has_next, first.total_count) == (True, 3)
    assert titles(second) == ["Star Wars"]


async def test_no_detail_is_asked_for_of_a_movie_that_is_not_given(world: World) -> None:
    await world.movies(narrowed=of("tt0073195"), fields=PRICE)
    for provider in world.shops:
        assert all("0073195" in each for each in world.details_asked(provider))


@pytest.mark.parametrize(
    "order, expected",
    [
        (MovieOrder("title"), ["Alien", "Dune", "Jaws", "Star Wars"]),
        (MovieOrder("title", descending=True), ["Star Wars", "Jaws", "Dune", "Alien"]),
        (MovieOrder("year"), ["Jaws", "Star Wars", "Alien", "Dune"]),
        (MovieOrder("year", descending=True), ["Dune", "Alien", "Star Wars", "Jaws"]),
        (MovieOrder("price"), ["Alien", "Dune", "Jaws", "Star Wars"]),
        (MovieOrder("price", descending=True), ["Star Wars", "Jaws", "Dune", "Alien"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("first", [1, 2, 50])
async def test_pages_in_any_order_are_the_whole_list_in_that_order(
    world: World, order: MovieOrder, expected: list[str], first: int
) -> None:
    seen: list[str | None] = []
    after = None
    while True:
        page = await world.movies(order=order, first=first, after=after)
        assert page.total_count == 4
        seen += titles(page)
        if not page.has_next:
            break
        after = page.cursors[-1]
    assert seen == expected


@pytest.mark.parametrize(
    "question",
    [
        {"order": MovieOrder("price")},
        {"narrowed": MovieFilter(genre="Epic")},
        {"narrowed": MovieFilter(price_to=Decimal(1))},
    ],
    ids=["order by price", "filter by genre", "filter by price"],
)
async def test_what_needs_details_of_all_loads_them_first(
    world: World, question: dict[str, Any]
) -> None:
    await world.movies(first=1, **question)
    assert len(world.details_asked(CINEMAWORLD)) == 3
    assert len(world.details_asked(FILMWORLD)) == 3


async def test_a_missing_price_comes_last_in_both_directions(world: World) -> None:
    world.break_down(CINEMAWORLD, Call("cw0078748"))
    for descending in (False, True):
        page = await world.movies(order=MovieOrder("price", descending=descending))
        assert titles(page)[-1] == "Alien"
        assert page.total_count == 4
        assert statuses(page)[0] is FAILED


async def test_a_cursor_is_for_the_order_it_was_made_with(world: World) -> None:
    page = await world.movies(first=1)
    with pytest.raises(BadInputError, match="orderBy"):
        await world.movies(first=1, after=page.cursors[0], order=MovieOrder("year"))


async def test_a_page_behind_the_end_is_empty(world: World) -> None:
    page = await world.movies()
    behind = await world.movies(after=page.cursors[-1])
    assert (behind.movies, behind.has_next, behind.total_count) == ((), False, 4)


# One movie


@pytest.mark.parametrize("movie_id", ["tt0076759", "star-wars_1977"])
async def test_a_movie_is_found_by_every_id_it_has(world: World, movie_id: str) -> None:
    movie = await world.movie(movie_id)
    assert movie is not None
    assert movie.id == "tt0076759"
    assert amounts(movie) == {CINEMAWORLD: "123.5", FILMWORLD: "29.5"}
    assert world.details_asked(CINEMAWORLD) == {"cw0076759"}


async def test_a_known_movie_has_the_price_of_one_shop_while_another_hangs(world: World) -> None:
    await world.movies()
    await world.clock.advance(400.0)
    world.shops[CINEMAWORLD].delay_s = 0.1
    world.shops[FILMWORLD].delay_s = HANG_S
    movie = await world.movie("tt0076759", wait_s=0.5)
    assert movie is not None
    assert amounts(movie)[CINEMAWORLD] == "123.5"


async def test_a_movie_whose_wanted_fields_need_no_detail_asks_for_none(world: World) -> None:
    assert await world.movie("tt0076759", frozenset({"title"})) is not None
    assert world.details_asked(CINEMAWORLD) == set()


async def test_a_movie_that_only_one_shop_sells_is_final_when_both_answered(world: World) -> None:
    movie = await world.movie("tt0078748")
    assert movie is not None
    assert movie.cheapest.final
    assert movie.cheapest.saving is None


async def test_an_unknown_movie_is_null_when_every_shop_said_so(world: World) -> None:
    assert await world.movie("tt9999999") is None


@pytest.mark.parametrize("delay_s", [0.0, HANG_S], ids=["error", "hang"])
async def test_an_unknown_movie_is_a_shell_while_a_shop_does_not_answer(
    world: World, delay_s: float
) -> None:
    world.break_down(FILMWORLD)
    world.shops[FILMWORLD].delay_s = delay_s
    movie = await world.movie("tt1160419")
    assert movie is not None
    assert (movie.id, movie.title, movie.offers) == ("tt1160419", None, ())
    assert statuses(movie) == [OK, FAILED]
    assert not movie.cheapest.final


async def test_an_unknown_movie_is_a_shell_while_a_list_is_old(world: World) -> None:
    await world.movies()
    world.break_down(FILMWORLD)
    await world.clock.advance(3_600.0)
    movie = await world.movie("tt9999999")
    assert movie is not None
    assert statuses(movie) == [OK, STALE]


async def test_a_withdrawn_movie_still_resolves_without_offers(world: World) -> None:
    await world.movies()
    world.stock(FILMWORLD, stocked("fw", star_wars="29.5"))
    await world.clock.advance(400.0)
    movie = await world.movie("tt1160419")
    assert movie is not None
    assert (movie.title, movie.offers, statuses(movie)) == ("Dune", (), [OK, OK])
    assert titles(await world.movies()) == ["Alien", "Jaws", "Star Wars"]


async def is_missing(world: World, movie_id: str, wait_s: float = 0.5) -> bool:
    """Return whether the movie is certainly none, as it is known after so many seconds."""
    asking = world.browse.is_missing(movie_id, world.clock.monotonic_s() + wait_s)
    missing: bool = await world.done(asyncio.ensure_future(asking))
    return missing


async def test_a_movie_is_missing_only_if_every_list_is_without_it(world: World) -> None:
    assert await is_missing(world, "tt9999999")
    assert not await is_missing(world, "tt0076759")
    assert not await is_missing(world, "star-wars_1977")
    assert world.details_asked(CINEMAWORLD) == set()


@pytest.mark.parametrize("delay_s", [0.0, HANG_S], ids=["error", "hang"])
async def test_no_movie_is_missing_while_a_shop_does_not_answer(
    world: World, delay_s: float
) -> None:
    world.break_down(FILMWORLD)
    world.shops[FILMWORLD].delay_s = delay_s
    began_s = world.clock.monotonic_s()
    assert not await is_missing(world, "tt9999999", 0.5)
    assert world.clock.monotonic_s() - began_s < 1.0


async def test_no_movie_is_missing_while_a_list_is_old_or_once_it_was_seen(world: World) -> None:
    await world.movies()
    world.stock(FILMWORLD, stocked("fw", star_wars="29.5"))
    await world.clock.advance(400.0)
    await world.movies()
    assert not await is_missing(world, "tt1160419")  # withdrawn
    world.break_down(FILMWORLD)
    await world.clock.advance(3_600.0)
    assert not await is_missing(world, "tt9999999")


async def test_of_a_movie_that_was_seen_no_shop_is_asked(world: World) -> None:
    await world.movies()
    world.shops[FILMWORLD].delay_s = HANG_S
    await world.clock.advance(3_600.0)
    began_s = world.clock.monotonic_s()
    assert not await is_missing(world, "tt0076759")
    assert world.clock.monotonic_s() == began_s


async def test_a_slug_keeps_resolving_after_the_digits_are_known() -> None:
    named = shop("opaque", imdb_ids=False)
    world = World(
        {shop(CINEMAWORLD): {}, named: {"x1": (row("x1", title="Jaws", year=1975), "9")}}
    )
    world.break_down(CINEMAWORLD)
    (movie,) = (await world.movies()).movies
    assert movie.id == "jaws_1975"
    world.stock(CINEMAWORLD, stocked("cw", jaws="20"))
    await world.clock.advance(400.0)
    later = await world.movie("jaws_1975")
    assert later is not None
    assert later.id == "tt0073195"
    assert amounts(later) == {CINEMAWORLD: "20", "opaque": "9"}
    world.stock(CINEMAWORLD, stocked("cw", alien="5"))
    await world.clock.advance(400.0)
    assert [each.id for each in (await world.movies(narrowed=only("opaque"))).movies] == [
        "tt0073195"
    ]
    await world.close()


# A house catalogue that does not sell


async def test_a_catalogue_gives_fields_and_a_report_and_never_an_offer() -> None:
    house = shop("house", sells=False, currency=None, priority=9, imdb_ids=False)
    house = replace(house, detail_fields=frozenset())
    told = row("h1", title="Star Wars", year=1977, director="George Lucas")
    world = World({shop(CINEMAWORLD): stocked("cw", star_wars="9"), house: {"h1": (told, None)}})
    movie = await world.movie("tt0076759")
    assert movie is not None
    assert movie.director == "George Lucas"
    assert amounts(movie) == {CINEMAWORLD: "9"}
    assert movie.cheapest.final
    world.break_down("house")
    await world.clock.advance(90_000.0)
    movie = await world.movie("tt0076759")
    assert movie is not None
    assert statuses(movie) == [OK, FAILED]
    assert movie.cheapest.final
    await world.close()


# Work that is not done twice


@pytest.fixture
def matching(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Return the function that matches listings, which notes its calls."""
    matching = Mock(wraps=match_listings)
    monkeypatch.setattr("movieql.movies.snapshot.match_listings", matching)
    return matching


async def test_a_refresh_that_brings_what_was_there_matches_nothing(
    world: World, matching: Mock
) -> None:
    await world.movies(fields=PRICE)
    matching.reset_mock()
    for _ in range(3):
        await world.clock.advance(400.0)
        await world.movies(fields=PRICE)
    matching.assert_not_called()
    assert world.shops[CINEMAWORLD].calls[LIST] == 4


async def test_a_changed_price_in_a_detail_matches_nothing(world: World, matching: Mock) -> None:
    await world.movies(fields=PRICE)
    matching.reset_mock()
    world.stock(CINEMAWORLD, stocked("cw", star_wars="1", jaws="20", alien="5.5"))
    await world.clock.advance(400.0)
    page = await world.movies(fields=PRICE)
    assert amounts(by_title(page, "Star Wars"))[CINEMAWORLD] == "1"
    matching.assert_not_called()


async def test_of_a_changed_list_only_what_changed_is_matched(
    world: World, matching: Mock
) -> None:
    await world.movies()
    matching.reset_mock()
    world.stock(CINEMAWORLD, stocked("cw", jaws="20"))
    await world.clock.advance(400.0)
    assert titles(await world.movies()) == ["Dune", "Jaws", "Star Wars"]
    matching.assert_called_once()
    listings, _ = matching.call_args.args
    assert [listing.key for listing in listings] == [(FILMWORLD, "fw0076759")]


async def test_many_questions_at_once_are_one_call_per_list_and_detail(world: World) -> None:
    for inner in world.shops.values():
        inner.delay_s = 0.5
    pages = asyncio.gather(*(world.movies(fields=PRICE) for _ in range(20)))
    for page in await pages:
        assert page.complete
    for inner in world.shops.values():
        assert set(inner.calls.values()) == {1}


async def test_an_order_by_price_waits_for_no_old_detail_but_those_of_the_page(
    world: World,
) -> None:
    await world.movies(order=MovieOrder("price"))
    await world.clock.advance(400.0)
    cinemaworld = world.shops[CINEMAWORLD]
    cinemaworld.answers[Call("cw0073195")] = failed(SourceErrorCode.UNAVAILABLE, "Down.")
    before = cinemaworld.calls.copy()
    page = await world.movies(order=MovieOrder("price"), first=1, fields=PRICE)
    assert titles(page) == ["Alien"]
    assert page.complete  # which speaks of the page
    await world.clock.settle()
    assert set((cinemaworld.calls - before).values()) == {1}


async def test_an_order_by_price_follows_what_is_refreshed_for_others(world: World) -> None:
    await world.movies(order=MovieOrder("price"))
    world.stock(CINEMAWORLD, stocked("cw", star_wars="1", jaws="20", alien="5.5"))
    await world.clock.advance(400.0)
    await world.movie("tt0076759")
    assert titles(await world.movies(order=MovieOrder("price")))[0] == "Star Wars"


def many(count: int) -> World:
    """Return a shop with so many movies, each at 9."""
    shelf = {f"cw{n:07}": (row(f"cw{n:07}", title=f"Movie {n}"), "9") for n in range(1, count + 1)}
    return World({shop(CINEMAWORLD): shelf})


async def test_an_order_of_many_prices_is_answered_in_time_and_complete_when_all_are_read() -> (
    None
):
    world = many(1_000)
    world.shops[CINEMAWORLD].delay_s = 0.2
    by_price = {"order": MovieOrder("price"), "first": 2, "fields": PRICE}
    started_s = world.clock.monotonic_s()
    page = await world.movies(**by_price)
    assert world.clock.monotonic_s() - started_s == pytest.approx(BUDGET_S, abs=0.2)
    (report,) = page.sources
    assert (report.status, report.error) == (PENDING, None)  # the shop is well
    assert not page.complete
    assert report.details_expected == 1_000
    assert 0 < (report.details_known or 0) < 1_000
    for _ in range(10):
        known, page = report.details_known or 0, await world.movies(**by_price)
        (report,) = page.sources
        assert (report.details_known or 0) > known
        if report.status is OK:
            break
    assert page.complete
    assert (report.details_known, report.details_expected) == (1_000, 1_000)
    assert set(world.shops[CINEMAWORLD].calls.values()) == {1}
    await world.close()


@pytest.fixture
async def reading(world: World) -> AsyncIterator[World]:
    """Shops whose details are read in the background, two a second."""
    task = asyncio.ensure_future(world.browse.read_ahead(2))
    await world.clock.settle()
    yield world
    task.cancel()


async def test_an_order_by_price_follows_prices_that_no_page_shows(reading: World) -> None:
    by_price = {"order": MovieOrder("price"), "first": 1, "fields": PRICE}
    assert titles(await reading.movies(**by_price)) == ["Alien"]
    reading.stock(CINEMAWORLD, stocked("cw", star_wars="1", jaws="20", alien="5.5"))
    await reading.clock.advance(70.0)
    assert titles(await reading.movies(**by_price)) == ["Star Wars"]


async def test_details_that_nobody_asked_for_are_read_so_many_a_second(reading: World) -> None:
    await reading.movies()  # which needs none
    assert reading.details_asked(CINEMAWORLD) == set()
    await reading.clock.advance(1.0)
    assert len(reading.details_asked(CINEMAWORLD)) == 2
    await reading.clock.advance(1.0)
    assert len(reading.details_asked(CINEMAWORLD)) == 3
    page = await reading.movies()
    assert [report.details_known for report in page.sources] == [3, 3]


async def test_nothing_is_read_in_the_background_before_and_long_after_somebody_asked(
    reading: World,
) -> None:
    await reading.clock.advance(10.0)
    assert not reading.shops[CINEMAWORLD].calls
    await reading.movies()
    await reading.clock.advance(IDLE_S + 1.0)
    calls = reading.shops[CINEMAWORLD].calls.total()
    await reading.clock.advance(2 * IDLE_S)
    assert reading.shops[CINEMAWORLD].calls.total() == calls


async def test_who_does_not_wait_gets_what_is_known_and_the_rest_when_it_is_there(
    world: World,
) -> None:
    await world.movies()
    for inner in world.shops.values():
        inner.delay_s = 0.5
    asked = {"until_s": world.clock.monotonic_s(), "fields": PRICE}
    page = await world.movies(**asked)
    assert titles(page) == ["Alien", "Dune", "Jaws", "Star Wars"]
    assert [report.status for report in page.sources] == [PENDING, PENDING]
    assert {(offer.price, offer.error) for movie in page.movies for offer in movie.offers} == {
        (None, None)
    }
    assert not any(movie.cheapest.final for movie in page.movies)
    assert not page.complete
    await world.clock.advance(0.5)
    assert (await world.movies(**asked)).complete


async def test_a_price_that_its_shop_has_no_more_orders_nothing(world: World) -> None:
    await world.movies(order=MovieOrder("price"))
    world.shops[CINEMAWORLD].answers[Call("cw0078748")] = Answer(
        rows=(), as_of=world.clock.now(), fresh=True
    )
    await world.clock.advance(400.0)
    await world.movie("tt0078748")
    assert titles(await world.movies(order=MovieOrder("price")))[-1] == "Alien"


async def test_the_price_of_a_movie_that_was_withdrawn_is_asked_for_when_it_is_back(
    world: World,
) -> None:
    await world.movies(order=MovieOrder("price"))
    for shelf in (
        stocked("cw", jaws="20"),
        stocked("cw", jaws="20", star_wars="1"),
    ):
        world.stock(CINEMAWORLD, shelf)
        await world.clock.advance(400.0)
        await world.movies()
    assert titles(await world.movies(order=MovieOrder("price")))[0] == "Star Wars"


async def test_the_last_known_price_of_a_movie_that_is_listed_again_counts_while_details_fail(
    world: World,
) -> None:
    by_price = MovieOrder("price")
    assert titles(await world.movies(order=by_price))[0] == "Alien"
    whole = stocked("cw", star_wars="123.5", jaws="20", alien="5.5")
    for shelf in (stocked("cw", star_wars="123.5", jaws="20"), whole):
        world.stock(CINEMAWORLD, shelf)
        world.break_down(CINEMAWORLD, *map(Call, whole))
        await world.clock.advance(400.0)
        page = await world.movies()
    assert "Alien" in titles(page)
    assert titles(await world.movies(order=by_price)) == ["Alien", "Dune", "Jaws", "Star Wars"]
    cheap = MovieFilter(price_to=Decimal(10))
    assert titles(await world.movies(narrowed=cheap, order=by_price)) == ["Alien", "Dune"]


async def test_a_price_that_is_refreshed_while_old_ones_are_awaited_orders(world: World) -> None:
    await world.movies(order=MovieOrder("price"))
    world.stock(CINEMAWORLD, stocked("cw", star_wars="123.5", jaws="20", alien="99"))
    await world.clock.advance(100.0)
    await world.movies()
    await world.clock.settle()  # the lists are fresh, the details are not
    asked = Question(until_s=world.clock.monotonic_s() + BUDGET_S, first=50, fields=PRICE)
    load = world.loader(asked.until_s)

    async def late(keys: Sequence[ListingKey]) -> Mapping[ListingKey, Answer]:
        answers = await load(keys)
        await world.clock.sleep(1.0)
        return answers

    await world.done(asyncio.ensure_future(world.browse.movies(asked, late)))
    page = await world.movies(order=MovieOrder("price"))
    assert titles(page) == ["Dune", "Jaws", "Star Wars", "Alien"]


class Landing(MemoryProvider):
    """A shop whose list comes as the first caller gives up."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.gives_up = asyncio.Event()
        self.kept: Answer | None = None

    def peek(self, call: Call) -> Answer | None:
        return self.kept if call == LIST else None

    async def fetch(self, call: Call, until_s: float) -> Answer:
        del call, until_s
        await self.gives_up.wait()
        return Answer(rows=None)


async def test_who_hardly_waits_is_told_of_a_shop_that_hangs_as_soon_as_it_is_late() -> None:
    world = World(two_shops(), clock=WorkingClock())
    world.shops[FILMWORLD].delay_s = HANG_S
    seen = []
    for _ in range(2):
        page = await world.movies(until_s=world.clock.monotonic_s() + 0.7)
        seen.append(page.sources[1].status)
        await world.clock.advance(1.3)
    assert seen == [PENDING, FAILED]
    await world.close()


async def test_who_gives_up_undoes_no_list_that_comes_meanwhile() -> None:
    clock, profile = VirtualClock(), shop(CINEMAWORLD, detail_fields=frozenset())
    landing = Landing(clock)
    browse = Browse([Source(profile, landing)], Snapshot([profile], Identities()), clock)
    asked = Question(until_s=1e9, first=50)

    async def nothing(keys: Sequence[ListingKey]) -> Mapping[ListingKey, Answer]:
        assert not keys
        return {}

    first = asyncio.ensure_future(browse.movies(asked, nothing))
    await clock.settle()
    landing.kept = Answer(rows=(row(),), as_of=clock.now(), fresh=True)
    landing.gives_up.set()
    second = asyncio.ensure_future(browse.movies(asked, nothing))
    pages = await asyncio.gather(first, second)
    assert [statuses(page) for page in pages] == [[PENDING], [OK]]
    assert (pages[1].total_count, pages[1].complete) == (1, True)
    await browse.close()


async def test_a_known_movie_waited_for_its_list_and_its_detail_at_once(world: World) -> None:
    await world.movies(fields=PRICE)
    await world.clock.advance(400.0)
    for inner in world.shops.values():
        inner.delay_s = 0.2
    movie = await world.movie("tt0076759")
    assert movie is not None
    assert [report.latency_ms for report in movie.sources] == [200, 200]


# Lists that are long


def long_shelf(count: int) -> Shelf:
    return {f"x{n}": (row(f"x{n}", title=f"Movie {n}", year=1900 + n), "1") for n in range(count)}


@pytest.fixture
async def long() -> AsyncIterator[World]:
    world = World({shop(CINEMAWORLD, imdb_ids=False): long_shelf(3_000)}, clock=WorkingClock())
    yield world
    await world.close()


async def under_way(long: World) -> None:
    """Wait until a list is being read."""
    async with asyncio.timeout(10):
        while not len(long.snapshot):  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0)
    assert len(long.snapshot) < 1_000


async def late(world: World) -> Page:
    """Ask, with no time left, when a list is at hand that was not read before."""
    cached, until_s = world.caches[CINEMAWORLD], world.clock.monotonic_s() + BUDGET_S
    await world.done(asyncio.ensure_future(cached.fetch(LIST, until_s)))
    asked = Question(until_s=world.clock.monotonic_s(), first=1)
    page = await world.browse.movies(asked, world.loader(asked.until_s))
    assert len(world.snapshot) < 3_000
    return page


async def test_a_list_too_long_for_the_time_left_is_pending_and_read_all_the_same(
    long: World,
) -> None:
    page = await late(long)
    assert statuses(page) == [PENDING]
    assert page.sources[0].error is None
    page = await long.movies()
    assert (page.total_count, statuses(page)) == (3_000, [OK])


async def test_a_request_that_is_given_up_gives_up_no_list(long: World) -> None:
    asked = Question(until_s=long.clock.monotonic_s() + BUDGET_S, first=1)
    asking = asyncio.ensure_future(long.browse.movies(asked, long.loader(asked.until_s)))
    await under_way(long)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(10):
        while len(long.snapshot) < 3_000:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0)


async def test_of_two_lists_at_once_the_newer_one_stays(long: World) -> None:
    asked = Question(until_s=long.clock.monotonic_s() + BUDGET_S, first=1)
    older = asyncio.ensure_future(long.browse.movies(asked, long.loader(asked.until_s)))
    await under_way(long)
    long.stock(CINEMAWORLD, long_shelf(2_990))
    long.caches[CINEMAWORLD].renew(LIST)
    await asyncio.sleep(0)
    assert (await long.movies()).total_count == 2_990
    await long.done(older)
    assert (await long.movies()).total_count == 2_990


async def test_closing_ends_what_is_being_read(long: World) -> None:
    await late(long)
    await long.browse.close()
    read = len(long.snapshot)
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert len(long.snapshot) == read < 3_000


# The order of arrival

_delays = st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5]), min_size=3, max_size=3)


def _three_shops() -> dict[Profile, Shelf]:
    opaque = {
        "x9": (row("x9", title="Star Wars", year=1977, plot="P"), "30"),
        "x8": (row("x8", title="Dune"), "1"),
        "x7": (row("x7", title="Only here"), None),
    }
    return {**two_shops(), shop("opaque", imdb_ids=False, priority=3): opaque}


def _content(page: Page) -> Any:
    reports = [replace(report, as_of=None, latency_ms=0) for report in page.sources]
    movies = [
        replace(
            movie,
            sources=(),
            offers=tuple(replace(offer, as_of=None) for offer in movie.offers),
            cheapest=replace(
                movie.cheapest,
                offer=movie.cheapest.offer and replace(movie.cheapest.offer, as_of=None),
            ),
        )
        for movie in page.movies
    ]
    return movies, page.cursors, page.total_count, page.complete, reports


async def _final_page(
    delays: Iterable[float], shuffle: random.Random, question: dict[str, Any]
) -> Any:
    shops = _three_shops()
    world = World(
        {
            profile: dict(shuffle.sample(list(shelf.items()), len(shelf)))
            for profile, shelf in shops.items()
        }
    )
    for inner, delay_s in zip(world.shops.values(), delays, strict=True):
        inner.delay_s = delay_s
    page = await world.movies(fields=PRICE, **question)
    await world.close()
    return _content(page)


_questions: dict[str, dict[str, Any]] = {
    "by title": {},
    "by price": {"order": MovieOrder("price")},
    "a page by year": {"order": MovieOrder("year", descending=True), "first": 2},
    "by genre": {"narrowed": MovieFilter(genre="Epic")},
    "new": {"narrowed": MovieFilter(year_from=2000)},
}


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """Return every page as it is when all shops answer at once."""
    return {
        name: asyncio.run(_final_page([0.0] * 3, random.Random(7), question))
        for name, question in _questions.items()
    }


@given(
    delays=_delays,
    shuffle=st.randoms(use_true_random=False),
    name=st.sampled_from(sorted(_questions)),
)
def test_the_order_of_arrival_and_of_rows_never_matters(
    expected: dict[str, Any], delays: list[float], shuffle: random.Random, name: str
) -> None:
    assert asyncio.run(_final_page(delays, shuffle, _questions[name])) == expected[name]
