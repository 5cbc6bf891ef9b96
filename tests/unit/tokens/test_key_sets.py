"""How long an issuer's keys are trusted, and how often it is asked."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from movieql.domain.errors import UnauthenticatedError
from movieql.memory import VirtualClock
from movieql.tokens.claims import IssuerRules
from movieql.tokens.key_sets import KeyLifetimes, KeySet
from movieql.tokens.keys import KeysError, VerifyingKey, read_keys
from movieql.tokens.verifying import Issuer, Tokens
from tests.unit.tokens.issuing import (
    AUDIENCE,
    NOW_S,
    OUTSIDE,
    jwk,
    jwks,
    outside,
)

LIFETIMES = KeyLifetimes(lifetime_s=600, stale_s=86_400, pause_s=10)


class Published:
    """What an issuer publishes, after `delay_s`; `body` None: it cannot be reached."""

    def __init__(self, clock: VirtualClock, *entries: Any) -> None:
        self._clock = clock
        self.body: bytes | None = jwks(*entries)
        self.delay_s = 0.0
        self.fetches = 0

    async def fetch(self) -> Mapping[str, VerifyingKey]:
        self.fetches += 1
        body = self.body
        if self.delay_s:
            await self._clock.sleep(self.delay_s)
        if body is None:
            raise KeysError("it cannot be reached")
        return read_keys(body)


class World:
    """An issuer, and the keys that are known of it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.published = Published(self.clock, jwk("ES256"))
        self.failures: list[str] = []
        self.keys = KeySet(self.published.fetch, self.clock, LIFETIMES, self.failures.append)

    async def knows(self, kid: str | None = "first") -> bool:
        try:
            return (await self.keys.key(kid)).kid == kid
        except UnauthenticatedError:
            return False


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.keys.close()


async def test_keys_are_fetched_once_in_their_lifetime(world: World) -> None:
    for _ in range(59):
        assert await world.knows()
        await world.clock.advance(10)
    assert world.published.fetches == 1
    await world.clock.advance(10)
    assert await world.knows()
    assert world.published.fetches == 2


async def test_two_hundred_who_ask_at_once_cause_one_fetch(world: World) -> None:
    world.published.delay_s = 1
    asking = [asyncio.ensure_future(world.knows()) for _ in range(200)]
    await world.clock.advance(1)
    assert all(await asyncio.gather(*asking))
    assert world.published.fetches == 1


async def test_a_fetch_that_takes_longer_than_the_pause_stays_the_only_one(world: World) -> None:
    world.published.delay_s = 35
    asking = []
    for _ in range(4):
        asking.append(asyncio.ensure_future(world.knows()))
        await world.clock.advance(10)
    assert world.published.fetches == 1
    assert all(await asyncio.gather(*asking))


async def test_one_who_leaves_does_not_take_the_fetch_along(world: World) -> None:
    world.published.delay_s = 1
    leaving, staying = (asyncio.ensure_future(world.knows()) for _ in range(2))
    await world.clock.settle()
    leaving.cancel()
    await world.clock.advance(1)
    assert await staying
    assert leaving.cancelled()
    assert world.published.fetches == 1


async def test_a_new_key_is_known_as_soon_as_a_token_names_it(world: World) -> None:
    assert await world.knows()
    await world.clock.advance(10)
    world.published.body = jwks(jwk("ES256", "second"))
    assert await world.knows("second")
    assert not await world.knows("first")


async def test_invented_keys_do_not_hammer_the_issuer(world: World) -> None:
    for number in range(1_000):
        assert not await world.knows(f"invented {number}")
        await world.clock.advance(0.1)
    assert world.published.fetches <= 11
    assert await world.knows()


async def test_a_token_that_names_no_key_causes_no_fetch(world: World) -> None:
    assert not await world.knows(None)
    assert not await world.knows("")
    assert world.published.fetches == 0


async def test_a_withdrawn_key_ends_within_the_lifetime(world: World) -> None:
    assert await world.knows()
    world.published.body = jwks(jwk("ES256", "second"))
    await world.clock.advance(600)
    assert not await world.knows()


async def test_a_withdrawn_key_ends_also_after_a_long_rest(world: World) -> None:
    assert await world.knows()
    good, world.published.body = jwks(jwk("ES256", "second")), None
    await world.clock.advance(600)
    assert await world.knows()
    world.published.body = good
    world.published.delay_s = 1
    await world.clock.advance(50_000)
    asking = asyncio.ensure_future(world.knows())
    await world.clock.advance(1)
    assert not await asking


async def test_an_outage_leaves_known_keys_and_lets_no_new_ones_in(world: World) -> None:
    assert await world.knows()
    world.published.body = None
    for _ in range(143):
        await world.clock.advance(600)
        assert await world.knows()
        assert not await world.knows("second")
    await world.clock.advance(600)
    assert not await world.knows()
    assert set(world.failures) == {"it cannot be reached"}


async def test_in_an_outage_known_keys_wait_for_nothing(world: World) -> None:
    assert await world.knows()
    world.published.body, world.published.delay_s = None, 2
    await world.clock.advance(600)
    first = asyncio.ensure_future(world.knows())
    await world.clock.advance(2)
    assert await first
    await world.clock.advance(10)
    async with asyncio.timeout(1):  # of the wall's clock: the virtual one stands still
        assert await world.knows()
    await world.clock.settle()
    assert world.published.fetches == 3


async def test_what_was_never_reached_lets_nobody_in_and_is_asked_again(world: World) -> None:
    good, world.published.body = world.published.body, None
    assert not await world.knows()
    world.published.body = good
    assert not await world.knows()
    await world.clock.advance(10)
    assert await world.knows()


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"{}", jwks(), jwks({"kty": "oct", "k": "AAAA", "kid": "first"})],
    ids=range(4),
)
async def test_bad_keys_never_replace_good_ones(world: World, body: bytes) -> None:
    assert await world.knows()
    world.published.body = body
    await world.clock.advance(1_000)
    assert await world.knows()
    assert world.failures


async def test_a_remembered_token_ends_with_its_key(world: World) -> None:
    rules = IssuerRules(OUTSIDE, AUDIENCE, 86_400)
    tokens = Tokens([Issuer(rules, world.keys)], world.clock)
    token = outside("ES256", exp=NOW_S + 3_600)
    assert (await tokens.verify(token)).subject
    await world.clock.advance(300)
    # Fetched again, and still there: the token stays good.
    assert not await world.knows("invented")
    assert (await tokens.verify(token)).subject
    world.published.body = jwks(jwk("ES256", "other", kid="first"))
    await world.clock.advance(600)
    with pytest.raises(UnauthenticatedError, match="signature"):
        await tokens.verify(token)
