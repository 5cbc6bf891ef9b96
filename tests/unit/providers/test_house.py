import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from movieql.domain.catalogue import CatalogueEntry, CatalogueFile, entry_id, parse
from movieql.domain.errors import CatalogueCorruptError, StoreError
from movieql.domain.movies import ContentRevision, Row, SourceErrorCode, SourceStatus
from movieql.memory import RecordedTelemetry, VirtualClock
from movieql.ports import LIST, Call
from movieql.providers.house import LOOKS_MAX, House, HouseTimes, house_profile, rows_of

ALIEN = b'[{"name": "Alien", "year": 1979, "genre": "Horror"}]'
HEAT = b'[{"name": "Heat", "year": 1995}]'
ALIEN_ID, HEAT_ID = entry_id("Alien", 1979), entry_id("Heat", 1995)


class Source:
    """A file that takes `delay_s` to read, or fails, and counts who asks."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.delay_s = 0.0
        self.error: Exception | None = None
        self.reads = 0
        self.become(ALIEN)

    def become(self, body: bytes) -> None:
        self.file = parse(body).file(f"etag of {body!r}")

    async def read(self) -> CatalogueFile:
        self.reads += 1
        file, error = self.file, self.error
        if self.delay_s:
            await self.clock.sleep(self.delay_s)
        if error is not None:
            raise error
        return file


@pytest.fixture
def source(clock: VirtualClock) -> Source:
    return Source(clock)


@pytest.fixture
def revision() -> ContentRevision:
    return ContentRevision()


@pytest.fixture
async def house(
    source: Source, clock: VirtualClock, revision: ContentRevision, telemetry: RecordedTelemetry
) -> AsyncIterator[House]:
    opened = House(
        source.read,
        provider="house",
        times=HouseTimes(stale_on_error_s=600.0),
        revision=revision,
        clock=clock,
        telemetry=telemetry,
    )
    yield opened
    await opened.close()


async def ids_shown(house: House, clock: VirtualClock) -> list[str]:
    answer = house.peek(LIST) or await asked(house, clock)
    return [row.provider_movie_id for row in answer.rows or ()]


async def asked(house: House, clock: VirtualClock) -> Any:
    work = asyncio.ensure_future(house.fetch(LIST, clock.monotonic_s() + 2.5))
    await clock.settle()
    while not work.done():
        await clock.advance(0.1)
    return work.result()


def row_of(**fields: Any) -> Row:
    entry = CatalogueEntry(ALIEN_ID, "Alien", 1979, "v", MappingProxyType(fields))
    (row,) = rows_of(CatalogueFile((entry,)))
    return row


def test_fields_are_read_whatever_the_case_of_their_keys() -> None:
    described = row_of(
        Director="Ridley Scott",
        GENRE="Horror, Sci-Fi",
        actors=["Sigourney Weaver", "Tom Skerritt"],
        runtime="117 min",
        Released="25 May 1979",
        poster="https://posters.example/alien.png",
        rated="R",
        plot="In space.",
    ).description
    assert (described.title, described.year) == ("Alien", 1979)
    assert described.director == "Ridley Scott"
    assert described.genres == ("Horror", "Sci-Fi")
    assert described.actors == ("Sigourney Weaver", "Tom Skerritt")
    assert described.runtime_minutes == 117
    assert described.released == date(1979, 5, 25)
    assert described.poster == "https://posters.example/alien.png"


@pytest.mark.parametrize(
    "field, value",
    [("poster", "javascript:alert(1)"), ("genre", 7), ("runtime", "long"), ("director", ["x"])],
)
def test_a_bad_value_drops_its_field_and_not_the_row(field: str, value: Any) -> None:
    assert row_of(**{field: value}) == row_of()


def test_no_field_can_take_the_place_of_id_name_or_year() -> None:
    assert row_of(ID="other", Title="Other", YEAR=1, price="9.5") == row_of()


def test_a_row_is_read_like_that_of_a_shop() -> None:
    described = row_of(
        plot="Fast &amp; loud\u200b", runtime="1 h 57 min", votes="915K", rating=8.5, rated=18
    ).description
    assert (described.plot, described.runtime_minutes, described.votes) == (
        "Fast & loud",
        117,
        915_000,
    )
    assert (described.rating, described.rated) == (Decimal("8.5"), "18")


def test_a_movie_may_be_called_as_others_say_that_they_do_not_know() -> None:
    (row,) = rows_of(parse(b'[{"name": "Unknown", "year": 2011}]').file("etag"))
    assert row.description.title == "Unknown"


def test_names_that_differ_in_signs_are_rows_of_their_own() -> None:
    names = ["Blade Runner", "Blade-Runner", "x" * 300, "x" * 301]
    body = json.dumps([{"name": name, "year": 1982} for name in names]).encode()
    rows = rows_of(parse(body).file("etag"))
    assert {row.provider_movie_id for row in rows} == {entry_id(name, 1982) for name in names}


def test_the_catalogue_sells_nothing_and_knows_least() -> None:
    profile = house_profile()
    assert (profile.sells, profile.currency, profile.priority) == (False, None, 1000)
    assert not profile.detail_fields


async def test_a_first_question_looks_at_the_file(house: House, clock: VirtualClock) -> None:
    assert house.peek(LIST) is None
    answer = await asked(house, clock)
    assert answer.status is SourceStatus.OK
    assert [row.provider_movie_id for row in answer.rows] == [ALIEN_ID]
    assert (answer.fresh_until_s, answer.renew_s) == (60.0, 60.0)


async def test_an_empty_catalogue_is_an_answer(
    house: House, clock: VirtualClock, source: Source
) -> None:
    source.become(b"[{}]")
    answer = await asked(house, clock)
    assert (answer.rows, answer.status) == ((), SourceStatus.OK)


async def test_nothing_is_looked_at_without_a_question(
    house: House, clock: VirtualClock, source: Source
) -> None:
    await asked(house, clock)
    await clock.advance(100.0)
    assert source.reads == 1


async def test_the_same_content_is_the_same_object_and_no_change(
    house: House, clock: VirtualClock, source: Source, revision: ContentRevision
) -> None:
    first = await asked(house, clock)
    number = revision.number
    source.become(ALIEN + b" ")  # another version that says the same
    await clock.advance(1.0)
    second = await asked(house, clock)
    assert source.reads == 2
    assert second is first  # so that what was computed from it stays valid
    assert revision.number == number


async def test_that_the_file_is_still_the_same_is_noted_now_and_then(
    house: House, clock: VirtualClock, source: Source, revision: ContentRevision
) -> None:
    first = await asked(house, clock)
    number = revision.number
    for _ in range(7):
        await clock.advance(1.0)
        await asked(house, clock)
    later = await asked(house, clock)
    assert source.reads == 8
    assert later.as_of > first.as_of
    assert later.fresh_until_s > first.fresh_until_s
    assert later.rows is first.rows
    assert revision.number == number


async def test_what_only_the_entry_tells_is_a_change_too(
    house: House, clock: VirtualClock, source: Source, revision: ContentRevision
) -> None:
    await asked(house, clock)
    before, number = house.entry(ALIEN_ID), revision.number
    source.become(b'[{"name": "Alien", "year": 1979, "shelf": "B"}]')
    await clock.advance(1.0)
    await asked(house, clock)
    after = house.entry(ALIEN_ID)
    assert revision.number == number + 1
    assert before is not None
    assert after is not None
    assert after.fields == {"shelf": "B"}
    assert after.version != before.version
    assert house.entry(HEAT_ID) is None


async def test_what_was_made_of_it_may_be_given_out_again_for_a_second(
    house: House, clock: VirtualClock, source: Source
) -> None:
    assert not house.is_current()
    await asked(house, clock)
    await clock.advance(0.4)
    assert house.is_current()
    assert source.reads == 1
    await clock.advance(0.2)
    assert house.is_current()  # and it is looked at in the background
    await clock.settle()
    assert source.reads == 2
    await clock.advance(1.1)
    assert not house.is_current()


async def test_a_write_elsewhere_is_seen_within_a_second_while_it_is_asked_for(
    house: House, clock: VirtualClock, source: Source, revision: ContentRevision
) -> None:
    await asked(house, clock)
    number = revision.number
    await clock.advance(0.1)
    source.become(HEAT)
    for _ in range(10):
        await clock.advance(0.1)
        shown = await ids_shown(house, clock)
    assert shown == [HEAT_ID]
    assert revision.number == number + 1
    assert source.reads <= 3


async def test_a_question_after_a_pause_does_not_get_what_is_old(
    house: House, clock: VirtualClock, source: Source
) -> None:
    await asked(house, clock)
    source.become(HEAT)
    await clock.advance(1.0)
    assert house.peek(LIST) is None
    assert (await asked(house, clock)).rows[0].provider_movie_id == HEAT_ID


async def test_questions_together_look_once(
    house: House, clock: VirtualClock, source: Source
) -> None:
    source.delay_s = 0.1
    works = [asyncio.ensure_future(house.fetch(LIST, 2.5)) for _ in range(50)]
    await clock.advance(0.2)
    assert {work.result().latency_ms for work in works} == {100}
    assert source.reads == 1


async def test_a_write_from_here_is_seen_by_the_next_question(
    house: House, clock: VirtualClock, source: Source, revision: ContentRevision
) -> None:
    await asked(house, clock)
    number = revision.number
    source.become(HEAT)
    house.expect_change()
    assert revision.number > number  # so that no kept answer goes out
    assert (await asked(house, clock)).rows[0].provider_movie_id == HEAT_ID


async def test_a_look_that_began_before_a_write_does_not_count_after_it(
    house: House, clock: VirtualClock, source: Source
) -> None:
    source.delay_s = 0.1
    early = asyncio.ensure_future(house.fetch(LIST, 2.5))
    await clock.settle()
    source.become(HEAT)
    house.expect_change()
    late = asyncio.ensure_future(house.fetch(LIST, 2.5))
    await clock.advance(0.3)
    assert early.done()
    assert [row.provider_movie_id for row in late.result().rows or ()] == [HEAT_ID]


async def test_a_store_that_is_down_leaves_what_was_seen_fresh_and_then_stale(
    house: House, clock: VirtualClock, source: Source
) -> None:
    await asked(house, clock)
    source.error = StoreError()
    await clock.advance(30.0)
    assert (await asked(house, clock)).status is SourceStatus.OK
    await clock.advance(31.0)
    answer = await asked(house, clock)
    assert answer.status is SourceStatus.STALE
    assert answer.error.code is SourceErrorCode.UNAVAILABLE
    await clock.advance(600.0)
    answer = await asked(house, clock)
    assert (answer.rows, answer.status) == (None, SourceStatus.FAILED)


async def test_after_a_failure_the_store_is_not_asked_by_every_question(
    house: House, clock: VirtualClock, source: Source
) -> None:
    source.error = StoreError()
    for _ in range(100):
        assert (await asked(house, clock)).status is SourceStatus.FAILED
        await clock.advance(0.01)
    assert source.reads <= 3


async def test_a_store_that_hangs_makes_nobody_wait_twice(
    house: House, clock: VirtualClock, source: Source
) -> None:
    await asked(house, clock)
    source.delay_s = 20.0
    await clock.advance(61.0)
    answer = await asked(house, clock)
    assert answer.error.code is SourceErrorCode.TIMEOUT
    assert 0 < answer.latency_ms <= 500
    for _ in range(30):
        again = house.peek(LIST)
        assert again is not None
        assert again.status is SourceStatus.STALE
        await clock.advance(0.3)
        house.peek(LIST)
        await clock.settle()
        if clock.monotonic_s() > 61.9:
            break
    assert source.reads <= 1 + LOOKS_MAX


async def test_what_a_slow_store_brings_late_is_taken(
    house: House, clock: VirtualClock, source: Source
) -> None:
    source.delay_s = 2.0
    assert (await asked(house, clock)).status is SourceStatus.FAILED
    source.delay_s = 0.0
    await clock.advance(1.5)
    answer = house.peek(LIST) or await asked(house, clock)
    assert answer.status is SourceStatus.OK


async def test_a_look_that_ends_after_a_later_one_takes_nothing_back(
    house: House, clock: VirtualClock, source: Source, revision: ContentRevision
) -> None:
    source.delay_s = 2.0
    await asked(house, clock)
    source.delay_s = 0.0
    source.become(HEAT)
    await clock.advance(1.0)
    assert (await asked(house, clock)).rows[0].provider_movie_id == HEAT_ID
    number = revision.number
    await clock.advance(0.9)
    assert revision.number == number
    assert await ids_shown(house, clock) == [HEAT_ID]


async def test_a_corrupt_file_is_a_bad_response_beside_what_was_seen(
    house: House, clock: VirtualClock, source: Source, revision: ContentRevision
) -> None:
    await asked(house, clock)
    number = revision.number
    source.error = CatalogueCorruptError("The catalogue's file is not JSON.")
    await clock.advance(1.0)
    answer = await asked(house, clock)
    assert answer.status is SourceStatus.STALE
    assert answer.error.code is SourceErrorCode.BAD_RESPONSE
    assert answer.rows
    assert revision.number == number + 1
    source.error = None
    await clock.advance(1.0)
    assert (await asked(house, clock)).status is SourceStatus.OK
    assert revision.number == number + 2


async def test_a_fault_of_ours_is_noted_and_is_an_answer(
    house: House, clock: VirtualClock, source: Source, telemetry: RecordedTelemetry
) -> None:
    source.error = KeyError("a bug")
    answer = await asked(house, clock)
    assert answer.error.code is SourceErrorCode.INTERNAL
    assert telemetry.faults


async def test_a_detail_is_its_row_of_the_list(house: House, clock: VirtualClock) -> None:
    await asked(house, clock)
    found, none = house.peek(Call(ALIEN_ID)), house.peek(Call(HEAT_ID))
    assert found is not None
    assert none is not None
    assert found.rows == house.peek(LIST).rows  # type: ignore[union-attr]  # it was seen
    assert none.rows == ()


async def test_a_question_without_time_is_answered_at_once(
    house: House, clock: VirtualClock, source: Source
) -> None:
    source.delay_s = random.Random(0).uniform(1, 2)
    answer = await house.fetch(LIST, clock.monotonic_s())
    assert answer.status is SourceStatus.PENDING


async def test_what_is_fresh_stays_so_for_who_does_not_wait(
    house: House, clock: VirtualClock, source: Source
) -> None:
    await asked(house, clock)
    source.delay_s = 0.1
    await clock.advance(10.0)
    assert (await house.fetch(LIST, clock.monotonic_s())).status is SourceStatus.OK


async def test_who_never_waits_is_told_that_the_store_hangs(
    house: House, clock: VirtualClock, source: Source
) -> None:
    source.delay_s = 1e6
    seen = []
    for _ in range(2):
        seen.append((await house.fetch(LIST, clock.monotonic_s())).status)
        await clock.advance(2.0)
    assert seen == [SourceStatus.PENDING, SourceStatus.FAILED]


async def test_after_a_write_who_does_not_wait_sees_that_the_file_is_older(
    house: House, clock: VirtualClock, source: Source
) -> None:
    await asked(house, clock)
    source.delay_s = 0.1
    house.expect_change()
    answer = await house.fetch(LIST, clock.monotonic_s())
    assert (answer.status, answer.error) == (SourceStatus.STALE, None)
    await clock.advance(0.2)
    assert (await asked(house, clock)).status is SourceStatus.OK
