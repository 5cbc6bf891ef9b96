import asyncio
import json
import random
from itertools import count
from typing import Any

import pytest

from movieql.domain.catalogue import entry_id
from movieql.domain.errors import (
    BadInputError,
    CatalogueBusyError,
    CatalogueConflictError,
    CatalogueCorruptError,
    InvalidInputError,
    LimitExceededError,
    NearDuplicateError,
    StoreError,
    UnavailableError,
)
from movieql.memory import VirtualClock
from movieql.services.catalogue import TRIES_MAX, Catalogue, Written
from movieql.services.catalogue_writes import SUPERSEDED
from tests.unit.services.stores import ScriptedStore

_WRITERS = count()


def catalogue(
    store: ScriptedStore, clock: VirtualClock | None = None, **options: Any
) -> Catalogue:
    return Catalogue(
        store.port,
        key="movies.json",
        clock=clock or VirtualClock(),
        rng=random.Random(0),
        new_write_id=lambda: f"writer{next(_WRITERS)}",
        **options,
    )


async def ended(work: "asyncio.Future[Any]", clock: VirtualClock) -> None:
    """Let time pass until the work has ended, however it does."""
    for _ in range(200):
        if work.done():
            return
        await clock.advance(0.5)
    raise AssertionError("it does not end")


def names(store: ScriptedStore) -> list[str]:
    assert store.body is not None
    return [entry["name"] for entry in json.loads(store.body)]


async def test_a_catalogue_without_a_file_is_empty() -> None:
    file = await catalogue(ScriptedStore()).read()
    assert (file.entries, file.etag) == ((), None)


async def test_a_first_write_creates_the_file() -> None:
    store = ScriptedStore()
    written = await catalogue(store).upsert("Alien", 1979, {"director": "Ridley Scott"})
    assert written.created
    assert written.etag == store.etag
    assert written.entry is not None
    assert (written.entry.id, written.entry.fields) == (
        entry_id("Alien", 1979),
        {"director": "Ridley Scott"},
    )


async def test_what_was_written_is_read_with_the_version_that_was_given() -> None:
    store = ScriptedStore()
    mine = catalogue(store)
    written = await mine.upsert("Alien", 1979, {"genre": "Horror"})
    for reader in (mine, catalogue(store)):
        file = await reader.read()
        assert file.entries == (written.entry,)
        assert file.etag == written.etag


async def test_the_same_version_of_the_file_is_the_same_object() -> None:
    mine = catalogue(ScriptedStore(b'[{"name": "Alien", "year": 1979}]'))
    assert await mine.read() is await mine.read()


async def test_a_name_is_the_same_in_any_case_and_keeps_its_first_spelling() -> None:
    store = ScriptedStore()
    mine = catalogue(store)
    await mine.upsert("Straße", 1979, {"a": 1, "b": 1})
    written = await mine.upsert("STRASSE", 1979, {"b": 2, "a": None})
    assert not written.created
    assert written.entry is not None
    assert (written.entry.name, dict(written.entry.fields)) == ("Straße", {"b": 2})


async def test_a_query_is_by_name_in_any_case_by_year_or_by_both() -> None:
    mine = catalogue(ScriptedStore())
    for name, year in (("Alien", 1979), ("Alien", 1992), ("Heat", 1995)):
        await mine.upsert(name, year, {})

    async def found(name: str | None, year: int | None) -> list[tuple[str, int]]:
        return [(each.name, each.year) for each in (await mine.query(name, year))[1]]

    assert await found("ALIEN", None) == [("Alien", 1979), ("Alien", 1992)]
    assert await found("alien", 1992) == [("Alien", 1992)]
    assert await found(None, 1995) == [("Heat", 1995)]
    assert len(await found(None, None)) == 3
    assert await found("", None) == []


async def test_a_deleted_entry_is_returned_and_gone() -> None:
    mine = catalogue(ScriptedStore())
    entry = (await mine.upsert("Alien", 1979, {})).entry
    assert (await mine.delete("ALIEN", 1979)).entry == entry
    assert (await mine.read()).entries == ()
    assert (await mine.delete("Alien", 1979)).entry is None


@pytest.mark.parametrize(
    "fields, path",
    [
        ({"name": "Aliens"}, ("name",)),
        ({"year": 1986}, ("year",)),
        ({"Year": True}, ("Year",)),
        ({"year": 1979.0}, ("year",)),
        ({"_movieql": {}}, ("_movieql",)),
        ({"plot": "a\x00b"}, ("plot",)),
        ({"plot": "half \ud800"}, ("plot",)),
        ({"plot": "x" * 4_001}, ("plot",)),
        ({"cast": ["a", {"b": object()}]}, ("cast", "1", "b")),
        ({"deep": {"a": {"b": {"c": {"d": 1}}}}}, ("deep", "a", "b", "c", "d")),
        ({"rating": float("nan")}, ("rating",)),
        ({"votes": 2**60}, ("votes",)),
        ({"": 1}, ()),
        ({"many": [0] * 501}, ("many", "499")),
    ],
)
async def test_input_that_is_not_allowed_says_where(
    fields: dict[str, Any], path: tuple[str, ...]
) -> None:
    store = ScriptedStore()
    with pytest.raises(InvalidInputError) as raised:
        await catalogue(store).upsert("Alien", 1979, fields)
    assert raised.value.path == path
    assert store.puts == 0


async def test_name_and_year_may_be_repeated_in_the_fields() -> None:
    mine = catalogue(ScriptedStore())
    written = await mine.upsert("Alien", 1979, {"name": "ALIEN", "year": "1979", "a": 1})
    assert written.entry is not None
    assert (written.entry.name, dict(written.entry.fields)) == ("Alien", {"a": 1})


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 1_001])
async def test_a_name_is_short_and_printable(name: str) -> None:
    with pytest.raises(BadInputError):
        await catalogue(ScriptedStore()).upsert(name, 1979, {})


@pytest.mark.parametrize("year", [0, 1869, 2200, True])
async def test_a_year_is_one_of_films(year: int) -> None:
    with pytest.raises(BadInputError):
        await catalogue(ScriptedStore()).upsert("Alien", year, {})


async def test_what_is_not_understood_survives_a_write() -> None:
    odd = [{"title": "no name"}, 7, {"name": "X", "year": "soon"}, "text"]
    store = ScriptedStore(
        json.dumps([*odd, {"name": "Heat", "year": "1995", "k": [1.5]}]).encode()
    )
    mine = catalogue(store)
    assert (await mine.read()).left_aside == 4
    await mine.upsert("heat", 1995, {"genre": "Crime"})
    assert store.body is not None
    *carried, heat = json.loads(store.body)
    assert carried == odd
    assert (heat["name"], heat["year"], heat["k"], heat["genre"]) == ("Heat", 1995, [1.5], "Crime")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{}",
        b'"text"',
        b"[NaN]",
        b"[1e999]",
        b"[0.1234567890123456789]",
        b"\xff",
        b"[" * 100_000,
        b'[{"name": "A", "name": "B", "year": 1979}]',
        b'[{"name": "A", "year": 1979}, {"name": "a", "year": "1979"}]',
        b"[" + b"0," * 100 + b"0]",
        b" " * 2_000,
    ],
)
async def test_a_corrupt_file_is_an_error_and_is_never_written_over(body: bytes) -> None:
    store = ScriptedStore(body)
    mine = catalogue(store, entries_max=100, file_bytes_max=1_500 if body[:1] == b" " else 10**6)
    with pytest.raises(CatalogueCorruptError):
        await mine.read()
    with pytest.raises(CatalogueCorruptError):
        await mine.upsert("Alien", 1979, {})
    assert store.history == [body]


async def test_a_full_catalogue_takes_changes_and_no_further_entry() -> None:
    mine = catalogue(ScriptedStore(), entries_max=1)
    await mine.upsert("Alien", 1979, {})
    with pytest.raises(LimitExceededError):
        await mine.upsert("Heat", 1995, {})
    await mine.upsert("Alien", 1979, {"genre": "Horror"})


async def test_a_write_never_makes_a_file_that_could_not_be_read() -> None:
    mine = catalogue(ScriptedStore(), file_bytes_max=12_000)
    writes = (mine.upsert(f"Movie {n}", 1979, {"plot": "x" * 1_000}) for n in range(20))
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert isinstance(results[-1], LimitExceededError)
    assert len((await mine.read()).entries) > 5


async def test_an_entry_does_not_grow_without_end() -> None:
    mine = catalogue(ScriptedStore())
    writes = (mine.upsert("Alien", 1979, {f"key {n}": n}) for n in range(100))
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert sum(isinstance(each, InvalidInputError) for each in results) == 100 - 61


async def test_another_version_of_the_entry_is_a_conflict_that_tells_it() -> None:
    store = ScriptedStore()
    mine, theirs = catalogue(store), catalogue(store)
    first = (await mine.upsert("Alien", 1979, {"a": 1})).entry
    second = (await theirs.upsert("Alien", 1979, {"a": 1})).entry
    assert first is not None
    assert second is not None
    assert first.version != second.version  # though nothing else differs
    for change in (
        mine.upsert("Alien", 1979, {"a": 2}, if_version=first.version),
        mine.delete("Alien", 1979, if_version=first.version),
    ):
        with pytest.raises(CatalogueConflictError) as raised:
            await change
        assert raised.value.current_version == second.version
    assert (await mine.read()).entries == (second,)


async def test_a_version_of_an_entry_that_is_gone_is_a_conflict() -> None:
    mine = catalogue(ScriptedStore())
    with pytest.raises(CatalogueConflictError) as raised:
        await mine.upsert("Alien", 1979, {}, if_version="any")
    assert raised.value.current_version is None


async def test_an_edit_by_hand_is_another_version() -> None:
    store = ScriptedStore(b'[{"name": "Alien", "year": 1979}]')
    mine = catalogue(store)
    version = (await mine.read()).entries[0].version
    store.become(b'[{"name": "Alien", "year": 1979, "genre": "Horror"}]')
    with pytest.raises(CatalogueConflictError):
        await mine.upsert("Alien", 1979, {}, if_version=version)


async def test_a_change_of_other_entries_is_no_conflict_for_a_version_of_an_entry() -> None:
    store = ScriptedStore()
    clock = VirtualClock()
    mine, theirs = catalogue(store, clock), catalogue(store)
    alien = (await mine.upsert("Alien", 1979, {})).entry
    assert alien is not None
    store.held = True
    work = asyncio.ensure_future(mine.upsert("Alien", 1979, {"a": 1}, if_version=alien.version))
    await clock.settle()
    store.pending.pop().fate.set_result("ok")  # it has read
    await clock.settle()
    store.held = False
    await theirs.upsert("Heat", 1995, {})
    store.pending.pop().fate.set_result("ok")  # it puts, too late
    await ended(work, clock)
    assert work.result().entry == (await mine.query("Alien", None))[1][0]
    assert names(store) == ["Alien", "Heat"]


async def test_another_version_of_the_file_is_a_conflict_that_tells_it() -> None:
    store = ScriptedStore()
    mine = catalogue(store)
    etag = (await mine.upsert("Alien", 1979, {})).etag
    changed = await mine.upsert("Heat", 1995, {}, if_file=etag)
    with pytest.raises(CatalogueConflictError) as raised:
        await mine.upsert("Alien", 1979, {"a": 1}, if_file=etag)
    assert raised.value.current_version == changed.etag == store.etag


async def test_of_many_for_one_version_of_the_file_exactly_one_writes() -> None:
    store = ScriptedStore()
    mine = catalogue(store)
    etag = (await mine.upsert("Alien", 1979, {})).etag
    writes = [mine.upsert(f"Movie {n}", 1979, {}, if_file=etag) for n in range(9)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert sum(not isinstance(each, CatalogueConflictError) for each in results) == 1
    assert len(names(store)) == 2


async def test_a_write_for_a_version_of_the_file_gets_the_version_of_it_alone() -> None:
    mine = catalogue(ScriptedStore())
    etag = (await mine.upsert("Alien", 1979, {})).etag
    written, _ = await asyncio.gather(
        mine.upsert("Alien", 1979, {"a": 1}, if_file=etag), mine.upsert("Heat", 1995, {})
    )
    with pytest.raises(CatalogueConflictError):  # it has not seen the other
        await mine.upsert("Alien", 1979, {"a": 2}, if_file=written.etag)


async def test_writes_that_wait_go_together() -> None:
    store = ScriptedStore()
    mine = catalogue(store)
    written = await asyncio.gather(*(mine.upsert(f"Movie {n}", 1979, {}) for n in range(100)))
    assert store.puts <= 2
    assert [each.entry for each in written] == list((await mine.read()).entries)


async def test_together_each_still_gets_its_own_verdict() -> None:
    mine = catalogue(ScriptedStore(), entries_max=1)
    results = await asyncio.gather(
        mine.upsert("Alien", 1979, {"a": 1}),
        mine.upsert("Heat", 1995, {}),
        mine.upsert("Alien", 1979, {"b": 2}),
        mine.delete("Alien", 1979, if_version="other"),
        return_exceptions=True,
    )
    kinds = [type(each).__name__ for each in results]
    assert kinds == ["Written", "LimitExceededError", "Written", "CatalogueConflictError"]
    assert dict((await mine.read()).entries[0].fields) == {"a": 1, "b": 2}


@pytest.mark.parametrize("fate", ["lost", "refused again"])
async def test_a_write_whose_answer_was_lost_is_recognised(fate: Any) -> None:
    store, clock = ScriptedStore(), VirtualClock()
    store.fates = ["ok", fate]
    work = asyncio.ensure_future(catalogue(store, clock).upsert("Alien", 1979, {"a": 1}))
    await ended(work, clock)
    assert store.puts == 1
    assert work.result().created
    assert work.result().etag == store.etag


@pytest.mark.parametrize("fate", ["lost", "refused again"])
async def test_a_delete_whose_answer_was_lost_is_recognised(fate: Any) -> None:
    store, clock = ScriptedStore(), VirtualClock()
    mine = catalogue(store, clock)
    entry = (await mine.upsert("Alien", 1979, {})).entry
    assert entry is not None
    store.fates = ["ok", fate]
    work = asyncio.ensure_future(mine.delete("Alien", 1979, if_version=entry.version))
    await ended(work, clock)
    assert work.result().entry == entry
    assert store.puts == 2


async def test_a_lost_write_is_recognised_after_others_have_deleted_what_it_wrote() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    mine, theirs = catalogue(store, clock), catalogue(store)
    store.fates = ["ok", "lost"]
    work = asyncio.ensure_future(mine.upsert("Alien", 1979, {}))
    await clock.settle()  # written, and it backs off
    assert names(store) == ["Alien"]
    await theirs.delete("Alien", 1979)
    await ended(work, clock)
    assert work.result().etag == SUPERSEDED
    assert (await mine.read()).entries == ()  # it does not come back


async def test_a_write_that_the_store_never_answers_may_have_happened() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    store.fates = ["ok", "late", *["refused"] * 100]  # type: ignore[list-item]  # literals
    work = asyncio.ensure_future(catalogue(store, clock).upsert("Alien", 1979, {}))
    await ended(work, clock)
    with pytest.raises(StoreError, match="may have happened"):
        work.result()


async def test_a_write_that_may_still_come_is_not_said_to_have_failed() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    mine = catalogue(store, clock, tries_max=1)
    store.fates = ["ok", "late"]
    work = asyncio.ensure_future(mine.upsert("Alien", 1979, {}))
    await ended(work, clock)
    with pytest.raises(StoreError, match="may have happened"):
        work.result()
    store.late.pop().execute()
    assert names(store) == ["Alien"]


async def test_a_write_that_was_put_when_its_time_was_over_may_have_happened() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    store.held = True
    mine = catalogue(store, clock, wait_s_max=3.0)
    work = asyncio.ensure_future(mine.upsert("Alien", 1979, {}))
    await clock.settle()
    store.pending.pop().fate.set_result("ok")
    await clock.advance(3.0)
    with pytest.raises(StoreError, match="may have happened"):
        work.result()
    store.pending.pop().fate.set_result("ok")
    await clock.settle()
    assert names(store) == ["Alien"]


async def test_a_write_that_the_disk_refuses_is_answered_at_once_and_has_not_happened() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    mine = catalogue(store, clock)
    store.fates = ["unwritable"] * 2
    with pytest.raises(UnavailableError, match="nothing was written") as raised:
        await mine.upsert("Alien", 1979, {})
    assert not isinstance(raised.value, StoreError)
    assert clock.monotonic_s() == VirtualClock().monotonic_s()
    store.fates = []
    await mine.upsert("Alien", 1979, {})
    assert names(store) == ["Alien"]


async def test_a_write_that_may_have_happened_before_the_disk_refused_it_may_have_happened() -> (
    None
):
    store, clock = ScriptedStore(), VirtualClock()
    store.fates = ["ok", "late", "ok", "unwritable"]
    work = asyncio.ensure_future(catalogue(store, clock).upsert("Alien", 1979, {}))
    await ended(work, clock)
    with pytest.raises(StoreError, match="may have happened"):
        work.result()


async def test_a_write_that_never_came_to_the_store_has_not_happened() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    store.fates = ["refused"] * 100
    work = asyncio.ensure_future(catalogue(store, clock).upsert("Alien", 1979, {}))
    await ended(work, clock)
    with pytest.raises(UnavailableError, match="nothing was written"):
        work.result()
    assert store.puts == 0
    assert len(store.fates) == 100 - TRIES_MAX


async def test_a_put_that_comes_late_does_not_harm_the_one_that_was_tried_after_it() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    mine = catalogue(store, clock)
    store.fates = ["ok", "late"]
    work = asyncio.ensure_future(mine.upsert("Alien", 1979, {"a": 1}))
    await ended(work, clock)
    before = store.body
    with pytest.raises(Exception, match="not the version"):
        store.late.pop().execute()
    assert store.body == before


async def test_a_race_that_is_always_lost_ends_with_nothing_written() -> None:
    store, clock = ScriptedStore(b"[]"), VirtualClock()
    store.held = True
    work = asyncio.ensure_future(catalogue(store, clock).upsert("Alien", 1979, {}))
    for number in range(1_000):
        await clock.advance(0.1)
        if work.done():
            break
        for call in store.pending:
            if call.is_put:
                store.become(b"[" + b" " * number + b"]")
            call.fate.set_result("ok")
        store.pending.clear()
    with pytest.raises(CatalogueBusyError):
        work.result()
    assert store.puts == TRIES_MAX


async def test_a_winner_leaves_its_rivals_time_and_waits_for_nobody_when_alone() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    mine, theirs = catalogue(store, clock), catalogue(store, clock)
    for number in range(3):  # alone, no time passes
        await mine.upsert("Alien", 1979, {"a": number})
    await theirs.upsert("Heat", 1995, {})
    store.held = True
    works = []
    for number in range(2):
        works.append(asyncio.ensure_future(mine.upsert("Alien", 1979, {"a": number})))
        for _ in range(2):
            await clock.advance(0.01)  # what a call takes
            for call in store.pending:
                call.fate.set_result("ok")
            store.pending.clear()
            await clock.settle()
    assert [work.done() for work in works] == [True, False]
    await clock.advance(0.2)
    assert store.pending


async def test_a_write_waits_a_bounded_time() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    store.held = True
    mine = catalogue(store, clock, wait_s_max=3.0)
    work = asyncio.ensure_future(mine.upsert("Alien", 1979, {}))
    await clock.advance(0.0)
    behind = asyncio.ensure_future(mine.upsert("Aliens", 1986, {}))
    await clock.advance(3.0)
    with pytest.raises(UnavailableError, match="does not answer: nothing was written"):
        work.result()
    with pytest.raises(CatalogueBusyError):
        behind.result()
    store.held = False
    store.pending.pop().fate.set_result("ok")
    await clock.advance(10.0)
    assert store.puts == 0  # nobody waits for it any more


async def test_a_bounded_number_of_writes_waits() -> None:
    mine = catalogue(ScriptedStore(), waiting_max=5)
    writes = (mine.upsert(f"Movie {n}", 1979, {}) for n in range(9))
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert sum(isinstance(each, CatalogueBusyError) for each in results) == 4


async def test_a_caller_that_goes_away_before_the_flush_writes_nothing() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    store.held = True
    mine = catalogue(store, clock)
    first = asyncio.ensure_future(mine.upsert("Alien", 1979, {}))
    await clock.settle()
    second = asyncio.ensure_future(mine.upsert("Heat", 1995, {}))
    await clock.settle()
    second.cancel()
    store.held = False
    store.pending.pop().fate.set_result("ok")
    await first
    await clock.advance(10.0)
    assert names(store) == ["Alien"]


async def test_closing_tells_those_who_wait_what_is_known() -> None:
    store, clock = ScriptedStore(), VirtualClock()
    store.held = True
    mine = catalogue(store, clock)
    first = asyncio.ensure_future(mine.upsert("Alien", 1979, {}))
    await clock.settle()
    store.pending.pop().fate.set_result("ok")
    await clock.settle()  # it puts now
    second = asyncio.ensure_future(mine.upsert("Heat", 1995, {}))
    await clock.settle()
    await mine.aclose()
    with pytest.raises(StoreError, match="may have happened"):
        await first
    with pytest.raises(UnavailableError, match="nothing was written"):
        await second


async def test_a_fault_of_ours_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = catalogue(ScriptedStore())
    monkeypatch.setattr("movieql.domain.catalogue.Document.serialise", lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await mine.upsert("Alien", 1979, {})


async def test_each_change_of_the_file_from_here_is_noted() -> None:
    noted: list[None] = []
    mine = catalogue(ScriptedStore(), note_written=lambda: noted.append(None))
    await mine.upsert("Alien", 1979, {})
    await mine.delete("Heat", 1995)
    assert len(noted) == 1


async def test_of_near_duplicates_that_are_made_at_once_one_is_created() -> None:
    clock, store = VirtualClock(), ScriptedStore()
    one, other = catalogue(store, clock), catalogue(store, clock)
    names_given = ["Blade Runner", "Blade-Runner", "The Blade Runner"]
    writes = [each.upsert(name, 1982, {}) for name in names_given for each in (one, other)]
    work = asyncio.gather(*writes, return_exceptions=True)
    await ended(work, clock)
    (kept,) = names(store)
    for name, outcome in zip(
        [each for each in names_given for _ in range(2)], work.result(), strict=True
    ):
        if name == kept:
            assert isinstance(outcome, Written)
        else:
            assert isinstance(outcome, NearDuplicateError)
            assert [each.name for each in outcome.entries] == [kept]


async def test_a_create_whose_answer_was_lost_is_no_near_duplicate_of_itself() -> None:
    clock, store = VirtualClock(), ScriptedStore()
    store.fates = ["ok", "lost"]
    work = asyncio.ensure_future(catalogue(store, clock).upsert("Blade Runner", 1982, {}))
    await ended(work, clock)
    assert work.result().created
    assert names(store) == ["Blade Runner"]
