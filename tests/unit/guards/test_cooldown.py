"""A shop's `Retry-After`, behind all guards as the server stacks them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from movieql.app import guarded
from movieql.cache.storage import BoundedMemoryCache
from movieql.domain.movies import Answer, ContentRevision, SourceErrorCode, SourceStatus, failed
from movieql.memory import MemoryProvider, RecordedTelemetry, VirtualClock
from movieql.ports import LIST, Call
from movieql.providers.guards import Cooldown
from movieql.settings import Settings
from movieql.settings.providers import parse_providers
from tests.builders import fresh, row

GOOD = fresh(row())
DETAIL = Call("fw1")
(SHOP,) = parse_providers(
    {
        "providers": [
            {
                "id": "filmworld",
                "name": "Filmworld",
                "base_url": "https://shop.test",
                "currency": "AUD",
                "list": {"path": "/movies", "fields": ["title", "year", "price"]},
                "keys": {"id": "ID", "title": "Title", "year": "Year", "price": "Price"},
            }
        ]
    }
)


class World:
    """A shop behind its guards, with the settings that a server has by default."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.shop = MemoryProvider(self.clock, otherwise=GOOD)
        self.cooldown = Cooldown("filmworld")
        self.revision = ContentRevision()
        self.cached = guarded(
            self.shop,
            SHOP,
            Settings(fresh_jitter=0.0),
            BoundedMemoryCache(self.clock, 1_000_000),
            self.revision,
            self.clock,
            RecordedTelemetry(),
            cooldown=self.cooldown,
        )

    @property
    def calls(self) -> int:
        return self.shop.calls.total()

    def refuses(self, retry_after_s: float | None, code: SourceErrorCode) -> None:
        now_s = self.clock.monotonic_s()
        until_s = None if retry_after_s is None else now_s + retry_after_s
        self.shop.otherwise = failed(code, "filmworld answered 503.", retry_at_s=until_s)

    async def ask(self, call: Call = LIST) -> Answer:
        until_s = self.clock.monotonic_s() + 2.5
        asking = asyncio.ensure_future(self.cached.fetch(call, until_s))
        await self.clock.settle()
        assert asking.done()  # nobody waits for what will not be asked
        return asking.result()

    def left_ms(self, answer: Answer) -> int | None:
        assert answer.error is not None
        return answer.error.retry_after_ms(self.clock.monotonic_s())


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.cached.close()


@pytest.mark.parametrize("code", [SourceErrorCode.UNAVAILABLE, SourceErrorCode.RATE_LIMITED])
async def test_thirty_seconds_of_questions_are_one_call(
    world: World, code: SourceErrorCode
) -> None:
    world.refuses(30, code)
    for half_seconds in range(60):
        answer = await world.ask()
        assert answer.status is SourceStatus.FAILED
        assert answer.error is not None
        assert answer.error.code is code
        assert world.left_ms(answer) == 30_000 - 500 * half_seconds
        assert world.calls == 1
        await world.clock.advance(0.5)
    world.shop.otherwise = GOOD
    assert (await world.ask()).status is SourceStatus.OK


@pytest.mark.parametrize("age_s", [50.0, 61.0, 400.0], ids=["ahead", "behind", "waited for"])
async def test_what_is_kept_is_not_refreshed_either_and_the_wait_grows_shorter(
    world: World, age_s: float
) -> None:
    await world.ask()
    await world.clock.advance(age_s)
    world.refuses(30, SourceErrorCode.UNAVAILABLE)
    began_s = world.clock.monotonic_s()
    await world.ask()
    await world.clock.settle()
    assert world.calls == 2
    revision = world.revision.number
    for _ in range(59):
        await world.clock.advance(0.5)
        answer = await world.ask()
        await world.clock.settle()
        assert answer.rows == GOOD.rows
        if answer.error is not None:
            elapsed_s = world.clock.monotonic_s() - began_s
            assert world.left_ms(answer) == round(30_000 - 1_000 * elapsed_s)
    assert world.calls == 2
    # The error is the same one all the while, so what was computed from the answer stays valid.
    assert world.revision.number <= revision + 1


async def test_all_endpoints_of_a_shop_wait(world: World) -> None:
    world.refuses(30, SourceErrorCode.UNAVAILABLE)
    await world.ask(DETAIL)
    await world.ask(LIST)
    await world.ask(Call("fw2"))
    assert world.calls == 1


async def test_an_open_breaker_does_not_probe_before_the_shop_said(world: World) -> None:
    world.refuses(None, SourceErrorCode.UNAVAILABLE)
    for _ in range(10):
        await world.ask()
    before = world.calls
    world.cooldown.note(failed(SourceErrorCode.UNAVAILABLE, "503.", retry_at_s=30).error)
    await world.clock.advance(29)
    assert (await world.ask()).error is not None
    assert world.calls == before


async def test_a_breaker_that_is_open_for_longer_says_its_own_time(world: World) -> None:
    world.refuses(None, SourceErrorCode.UNAVAILABLE)
    for _ in range(10):
        await world.ask()
    world.cooldown.note(failed(SourceErrorCode.UNAVAILABLE, "503.", retry_at_s=0.5).error)
    answer = await world.ask()
    assert answer.error is not None
    assert answer.error.code is SourceErrorCode.CIRCUIT_OPEN


async def test_no_hedge_goes_out_once_the_shop_asked_for_a_wait(world: World) -> None:
    world.shop.delay_s = 1.0
    slow = asyncio.ensure_future(world.cached.fetch(LIST, 2.5))
    await world.clock.advance(0.2)
    world.cooldown.note(failed(SourceErrorCode.UNAVAILABLE, "503.", retry_at_s=30).error)
    await world.clock.advance(1.0)
    assert slow.result().status is SourceStatus.OK  # what was under way counts
    assert world.calls == 1
    await world.ask(DETAIL)
    assert world.calls == 1  # and does not end the wait


async def test_an_answer_that_comes_after_its_time_is_heard_too(world: World) -> None:
    world.shop.delay_s = 5.0
    world.refuses(35, SourceErrorCode.UNAVAILABLE)
    slow = asyncio.ensure_future(world.cached.fetch(LIST, 2.5))
    await world.clock.advance(6.0)
    assert slow.done()
    hedged = world.calls
    for _ in range(20):
        await world.clock.advance(1.0)
        await world.ask()
    assert world.calls == hedged


@pytest.mark.parametrize("later_s", [None, 0.0, 5.0])
def test_a_shorter_wait_shortens_nothing(later_s: float | None) -> None:
    cooldown = Cooldown("filmworld")
    cooldown.note(failed(SourceErrorCode.UNAVAILABLE, "503.", retry_at_s=30).error)
    cooldown.note(failed(SourceErrorCode.RATE_LIMITED, "429.", retry_at_s=later_s).error)
    cooldown.note(None)
    error = cooldown.error(29.9)
    assert error is not None
    assert (error.code, error.retry_at_s) == (SourceErrorCode.UNAVAILABLE, 30)
    assert cooldown.error(30.0) is None


def test_a_longer_wait_counts() -> None:
    cooldown = Cooldown("filmworld")
    cooldown.note(failed(SourceErrorCode.UNAVAILABLE, "503.", retry_at_s=5).error)
    cooldown.note(failed(SourceErrorCode.UNAVAILABLE, "503.", retry_at_s=30).error)
    assert cooldown.error(29.9) is not None
