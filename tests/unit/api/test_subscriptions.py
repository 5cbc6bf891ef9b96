import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from movieql.api.limits import OperationLimits
from movieql.domain.callers import Caller
from movieql.domain.errors import StoreError
from movieql.domain.exports import ExportStatus
from movieql.ports import ExportProgress
from tests.unit.api.asking import CORE_SCHEMA, cost_of, executor
from tests.unit.api.exporting import PROGRESS, STEP_S, WATCH_RULES, ExportingApi, exporting
from tests.unit.api.writing import caller

MISSING = "0" * 24


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ExportingApi]:
    async with exporting(tmp_path / "store") as opened:
        yield opened


def shown(body: Any) -> Any:
    """Return the status and the percentage of an event."""
    assert "errors" not in body, body["errors"]
    export = body["data"]["exportProgress"]
    return export["status"], export["progress"]["percent"]


async def refusal(api: ExportingApi, export_id: str) -> str:
    """Return the code of the one error with which a subscription ends at once."""
    events = api.subscribed(PROGRESS, export_id)
    body = await api.following(events)
    assert await api.following(events) is None
    assert "data" not in body
    (error,) = body["errors"]
    code: str = error["extensions"]["code"]
    return code


def listeners(api: ExportingApi) -> int:
    """Return how many listen to the board."""
    return api.board._watchers  # noqa: SLF001  # what is left open is the point


# Who may


def test_every_subscription_is_looked_at_here() -> None:
    assert CORE_SCHEMA.subscription_type is not None
    assert CORE_SCHEMA.subscription_type.fields.keys() == {"exportProgress"}


@pytest.mark.parametrize(
    "who, code",
    [
        (None, "UNAUTHENTICATED"),
        (caller("movies:write"), "FORBIDDEN"),
        (Caller("bob", frozenset({"exports"})), "BAD_USER_INPUT"),
    ],
    ids=["nobody", "another scope", "another"],
)
async def test_who_may_not_see_it_gets_one_error(
    api: ExportingApi, who: Caller | None, code: str
) -> None:
    export_id = await api.requested()
    api.caller = who
    assert await refusal(api, export_id) == code
    assert await refusal(api, MISSING) == code
    assert api.faults == []


async def test_an_admin_sees_anothers(api: ExportingApi) -> None:
    export_id = await api.requested()
    api.caller = Caller("carol", frozenset({"admin"}))
    async with aclosing(api.subscribed(PROGRESS, export_id)) as events:
        assert shown(await api.following(events)) == ("QUEUED", 0)


async def test_a_server_without_a_store_says_so(api: ExportingApi) -> None:
    api.watch = None
    assert await refusal(api, MISSING) == "UNAVAILABLE"


async def test_a_store_that_does_not_answer_at_first_is_told(
    api: ExportingApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise StoreError

    monkeypatch.setattr(api.store, "get", fail)
    assert await refusal(api, MISSING) == "UNAVAILABLE"


# Events


async def test_an_export_is_followed_to_its_end(api: ExportingApi) -> None:
    export_id = await api.requested()
    events = api.subscribed(PROGRESS, export_id)
    assert shown(await api.following(events)) == ("QUEUED", 0)
    await api.board.report(export_id, ExportProgress(1, 4, 1))
    assert shown(await api.following(events)) == ("RUNNING", 25)
    await api.board.report(export_id, ExportProgress(3, 4, 2))
    assert shown(await api.following(events)) == ("RETRYING", 75)
    await api.end(export_id)
    await api.board.report(export_id, ExportProgress(4, 4, 2, over=True))
    last = await api.following(events)
    assert shown(last) == ("READY", 100)
    assert last["data"]["exportProgress"]["downloadUrl"]
    assert await api.following(events) is None


@pytest.mark.parametrize("status", [ExportStatus.READY, ExportStatus.CANCELLED])
async def test_what_has_ended_is_told_once(api: ExportingApi, status: ExportStatus) -> None:
    export_id = await api.requested()
    await api.end(export_id, status)
    events = api.subscribed(PROGRESS, export_id)
    assert shown(await api.following(events))[0] == status.value
    assert await api.following(events) is None


async def test_a_change_is_told_at_once_when_the_board_tells(api: ExportingApi) -> None:
    export_id = await api.requested()
    async with aclosing(api.subscribed(PROGRESS, export_id)) as events:
        await api.following(events)
        began_s = api.clock.monotonic_s()
        await api.board.report(export_id, ExportProgress(1, 4, 1))
        await api.following(events)
        assert api.clock.monotonic_s() - began_s < WATCH_RULES.poll_s


async def test_an_end_that_nobody_tells_of_is_seen_all_the_same(api: ExportingApi) -> None:
    export_id = await api.requested()
    events = api.subscribed(PROGRESS, export_id)
    await api.following(events)
    await api.end(export_id)
    began_s = api.clock.monotonic_s()
    assert shown(await api.following(events)) == ("READY", 100)
    assert api.clock.monotonic_s() - began_s < WATCH_RULES.look_s + WATCH_RULES.pause_s + 1


@pytest.mark.parametrize("kind", ["down", "none"])
async def test_without_a_board_the_store_is_asked_every_two_seconds(
    api: ExportingApi, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    api.board.broken = kind == "down"
    api.watch = api.watching(None) if kind == "none" else api.watch
    looks_s = []
    assert api.service is not None
    get = api.service.get

    async def counted(*arguments: Any) -> Any:
        looks_s.append(api.clock.monotonic_s())
        return await get(*arguments)

    export_id = await api.requested()
    monkeypatch.setattr(api.service, "get", counted)
    events = api.subscribed(PROGRESS, export_id)
    assert shown(await api.following(events)) == ("QUEUED", 0)
    coming = asyncio.ensure_future(anext(events))
    await api.until(lambda: len(looks_s) == 4)
    await api.end(export_id)
    await api.until(coming.done)
    assert shown((await coming).body) == ("READY", 100)
    steps_s = [after - before for before, after in pairwise(looks_s)]
    least_s, most_s = WATCH_RULES.poll_s, WATCH_RULES.poll_s + WATCH_RULES.pause_s + 1
    assert all(least_s <= each <= most_s for each in steps_s), steps_s


async def test_a_board_that_comes_back_is_listened_to_again(api: ExportingApi) -> None:
    api.board.broken = True
    export_id = await api.requested()
    async with aclosing(api.subscribed(PROGRESS, export_id)) as events:
        await api.following(events)
        coming = asyncio.ensure_future(anext(events))
        began_s = api.clock.monotonic_s()
        await api.until(lambda: api.clock.monotonic_s() > began_s + 3)
        api.board.broken = False
        await api.board.report(export_id, ExportProgress(1, 4, 1))
        await api.until(coming.done)
        assert shown((await coming).body) == ("RUNNING", 25)
        coming = asyncio.ensure_future(anext(events))
        await api.until(lambda: listeners(api) == 1)
        coming.cancel()
        await asyncio.wait([coming])


async def test_an_outage_of_the_store_does_not_end_it(
    api: ExportingApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = 0

    async def fail(*_: object, **__: object) -> None:
        nonlocal failures
        failures += 1
        raise StoreError

    export_id = await api.requested()
    events = api.subscribed(PROGRESS, export_id)
    await api.following(events)
    await api.end(export_id)
    with monkeypatch.context() as patched:
        patched.setattr(api.store, "get", fail)
        coming = asyncio.ensure_future(anext(events))
        await api.until(lambda: failures > 3)
    await api.until(coming.done)
    assert shown((await coming).body) == ("READY", 100)


async def test_events_are_no_closer_than_the_pause_however_fast_the_board_is(
    api: ExportingApi,
) -> None:
    export_id = await api.requested()
    done, times_s = 0, []

    async def work() -> None:
        nonlocal done
        while True:
            done += 1
            await api.board.report(export_id, ExportProgress(done, 2**30, 1))
            await asyncio.sleep(0)

    working = asyncio.ensure_future(work())
    try:
        async with aclosing(api.subscribed(PROGRESS, export_id)) as events:
            for _ in range(5):
                await api.following(events)
                times_s.append(api.clock.monotonic_s())
    finally:
        working.cancel()
    steps_s = [after - before for before, after in pairwise(times_s)]
    # An event is told of up to one step of the clock after it came.
    assert all(each >= WATCH_RULES.pause_s - STEP_S - 0.001 for each in steps_s), steps_s


async def test_it_ends_after_so_long_whatever_the_export_does(api: ExportingApi) -> None:
    export_id = await api.requested()
    events = api.subscribed(PROGRESS, export_id)
    await api.following(events)
    coming = asyncio.ensure_future(anext(events, None))
    await api.until(lambda: api.clock.monotonic_s() > WATCH_RULES.watch_s - 40, step_s=20.0)
    assert not coming.done()
    await api.until(coming.done, step_s=20.0)
    assert await coming is None
    assert api.clock.monotonic_s() < WATCH_RULES.watch_s + 100


# Leaving


@pytest.mark.parametrize("leaves", ["between events", "while it waits"])
async def test_who_leaves_leaves_nobody_listening(api: ExportingApi, leaves: str) -> None:
    export_id = await api.requested()
    events = api.subscribed(PROGRESS, export_id)
    await api.following(events)
    coming = asyncio.ensure_future(anext(events))
    await api.until(lambda: listeners(api) == 1)
    if leaves == "between events":
        await api.board.report(export_id, ExportProgress(1, 2, 1))
        await api.until(coming.done)
        assert listeners(api) == 1
    else:
        coming.cancel()
        await asyncio.wait([coming])
    await events.aclose()
    assert listeners(api) == 0
    assert not api.board._news  # noqa: SLF001  # as in `listeners`


async def test_so_many_are_followed_at_once(api: ExportingApi) -> None:
    export_id = await api.requested()
    many = [api.subscribed(PROGRESS, export_id) for _ in range(WATCH_RULES.watches_max)]
    for events in many:
        await api.following(events)
    assert await refusal(api, export_id) == "LIMIT_EXCEEDED"
    await many.pop().aclose()
    async with aclosing(api.subscribed(PROGRESS, export_id)) as events:
        assert shown(await api.following(events)) == ("QUEUED", 0)
    for events in many:
        await events.aclose()


# Limits


def test_a_subscription_costs_more_than_one_answer() -> None:
    assert cost_of(PROGRESS, {"id": MISSING}, limits=OperationLimits(subscription_cost=70)) == 72


def test_one_subscription_has_one_field() -> None:
    twice = f'subscription {{ a: exportProgress(id: "{MISSING}") {{ id }} b: exportProgress(id: "") {{ id }} }}'  # noqa: E501  # one line of GraphQL
    assert executor().prepare(twice).errors
