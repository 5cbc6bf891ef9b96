"""Posting one movie, where a mock of the wire is enough."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from movieql.domain.additions import Addition
from movieql.domain.movies import SourceErrorCode
from movieql.memory import RecordedTelemetry, VirtualClock
from movieql.providers.contract import Contract, HeaderAuth, Operation, SigV4Auth
from movieql.providers.guards import Cooldown
from movieql.providers.posting import (
    CONNECT_SHARE,
    REFUSAL_CHARACTERS_MAX,
    HttpPosting,
    _json,
    _words,
)

TOKEN = "hunter2"  # noqa: S105  # to be looked for
POST = "https://shop.test/api/movie"
CONTRACT = Contract(
    base_url="https://shop.test/api",
    list=Operation("/movies"),
    keys={"id": "ID", "title": "Title", "price": "Price", "created_at": "Made"},
    create=Operation("/movie", auth=HeaderAuth("x-access-token", TOKEN), method="POST"),
)
JAWS = {"title": "Jaws"}
UNTIL_S = 8.0


class World:
    """A posting, and what it is made of."""

    def __init__(self, shops: aioresponses, session: aiohttp.ClientSession) -> None:
        self.shops = shops
        self.session = session
        self.clock = VirtualClock()
        self.telemetry = RecordedTelemetry()
        self.cooldown = Cooldown("cinemaworld")

    def posting(self, contract: Contract = CONTRACT) -> HttpPosting:
        return HttpPosting(
            "cinemaworld", contract, self.session, self.clock, self.telemetry, self.cooldown
        )

    async def add(
        self, fields: dict[str, object] | None = None, contract: Contract = CONTRACT
    ) -> Addition:
        return await self.posting(contract).add(fields or {**JAWS}, UNTIL_S, "key-1")

    @property
    def sent(self) -> list[dict[str, Any]]:
        return [call.kwargs for call in self.shops.requests.get(("POST", URL(POST)), [])]


@pytest.fixture
async def world(shops: aioresponses) -> AsyncIterator[World]:
    async with aiohttp.ClientSession() as session:
        yield World(shops, session)


def told(addition: Addition) -> tuple[SourceErrorCode, bool, bool]:
    """Return the code, whether another try may help, and whether it may have happened."""
    assert addition.row is None
    assert addition.error is not None
    return addition.error.code, addition.error.retryable, addition.may_have_happened


# What is sent


async def test_a_movie_is_posted_under_the_providers_own_keys(world: World) -> None:
    world.shops.post(POST, status=201, payload={"ID": "cw9", "Title": "Jaws", "Price": 9.5})
    addition = await world.add({"title": "Jaws", "price": Decimal("9.50")})
    assert addition.row is not None
    assert (addition.row.provider_movie_id, addition.row.amount) == ("cw9", Decimal("9.5"))
    assert (addition.error, addition.status, addition.may_have_happened) == (None, 201, False)
    (request,) = world.sent
    assert request["data"] == b'{"Title": "Jaws", "Price": 9.50}'
    assert request["headers"]["x-access-token"] == TOKEN
    assert request["headers"]["Content-Type"] == "application/json"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**9))
def test_a_price_is_an_exact_json_number(price: Decimal) -> None:
    assert json.loads(_json(price), parse_float=Decimal, parse_int=Decimal) == price


async def test_text_that_json_has_to_escape_arrives_as_it_is(world: World) -> None:
    world.shops.post(POST, status=201, payload={"ID": "cw9"})
    title = 'A "quoted" \\ title\n\u2028 \N{CLAPPER BOARD}'
    await world.add({"title": title})
    assert json.loads(world.sent[0]["data"]) == {"Title": title}


def test_what_a_provider_takes_is_what_it_has_a_name_for(world: World) -> None:
    assert world.posting().takes == {"title", "price"}
    assert world.posting(replace(CONTRACT, create=None)).takes == frozenset()


@pytest.mark.parametrize(
    "contract, said",
    [(CONTRACT, "takes no genres."), (replace(CONTRACT, create=None), "takes no new movies.")],
)
async def test_what_has_no_place_is_not_posted(
    world: World, contract: Contract, said: str
) -> None:
    addition = await world.add({"title": "Jaws", "genres": "Horror"}, contract)
    assert told(addition) == (SourceErrorCode.BAD_RESPONSE, False, False)
    assert addition.error is not None
    assert said in addition.error.message
    assert not world.shops.requests
    assert not world.telemetry.upstream


async def test_a_post_without_time_is_not_made(world: World) -> None:
    await world.clock.advance(UNTIL_S)
    assert told(await world.add()) == (SourceErrorCode.TIMEOUT, False, False)
    assert not world.shops.requests


async def test_a_post_has_its_time_and_half_of_it_for_a_connection(world: World) -> None:
    world.shops.post(POST, status=201, payload={"ID": "cw9"})
    await world.add()
    timeout = world.sent[0]["timeout"]
    assert (timeout.total, timeout.connect) == (UNTIL_S, UNTIL_S * CONNECT_SHARE)
    assert timeout.ceil_threshold > UNTIL_S


@pytest.mark.parametrize("header", [None, "Idempotency-Key"])
async def test_a_key_goes_along_where_it_is_honoured(world: World, header: str | None) -> None:
    world.shops.post(POST, status=201, payload={"ID": "cw9"})
    contract = replace(CONTRACT, idempotency_header=header)
    await world.add(contract=contract)
    assert world.posting(contract).honours_keys is (header is not None)
    assert ("key-1" in world.sent[0]["headers"].values()) is (header is not None)


# What became of it

REFUSED = {
    400: (SourceErrorCode.BAD_RESPONSE, False, False),
    401: (SourceErrorCode.UNAUTHORIZED, False, False),
    403: (SourceErrorCode.UNAUTHORIZED, False, False),
    404: (SourceErrorCode.BAD_RESPONSE, False, False),
    409: (SourceErrorCode.BAD_RESPONSE, False, False),
    429: (SourceErrorCode.RATE_LIMITED, True, False),
    202: (SourceErrorCode.BAD_RESPONSE, False, True),
    204: (SourceErrorCode.BAD_RESPONSE, False, True),
    303: (SourceErrorCode.BAD_RESPONSE, False, True),
    500: (SourceErrorCode.UNAVAILABLE, False, True),
    502: (SourceErrorCode.UNAVAILABLE, False, True),
    503: (SourceErrorCode.UNAVAILABLE, False, True),
    504: (SourceErrorCode.UNAVAILABLE, False, True),
}


@pytest.mark.parametrize("status", REFUSED)
async def test_a_status_says_whether_it_may_have_happened(world: World, status: int) -> None:
    world.shops.post(POST, status=status, repeat=True, headers={"Location": "https://thief.test"})
    addition = await world.add()
    assert told(addition) == REFUSED[status]
    assert addition.status == status
    assert len(world.sent) == 1


FAILURES = {
    "timeout": (TimeoutError(), SourceErrorCode.TIMEOUT),
    "reset": (ConnectionResetError(TOKEN), SourceErrorCode.UNAVAILABLE),
    "hung up": (aiohttp.ServerDisconnectedError(TOKEN), SourceErrorCode.UNAVAILABLE),
    "cut off": (aiohttp.ClientPayloadError(TOKEN), SourceErrorCode.BAD_RESPONSE),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_what_was_sent_and_not_answered_may_have_happened(
    world: World, failure: str
) -> None:
    error, code = FAILURES[failure]
    world.shops.post(POST, exception=error, repeat=True)
    addition = await world.add()
    assert told(addition) == (code, False, True)
    assert len(world.sent) == 1
    assert TOKEN not in repr(addition)


@pytest.mark.parametrize("failure", FAILURES)
async def test_it_may_be_tried_again_where_keys_are_honoured(world: World, failure: str) -> None:
    error, code = FAILURES[failure]
    world.shops.post(POST, exception=error)
    addition = await world.add(contract=replace(CONTRACT, idempotency_header="Key"))
    assert told(addition) == (code, True, True)


async def test_what_never_left_did_not_happen(world: World) -> None:
    world.shops.post(POST, exception=aiohttp.ConnectionTimeoutError(TOKEN))
    assert told(await world.add()) == (SourceErrorCode.TIMEOUT, True, False)


@pytest.mark.parametrize("body", ["<html>", "{}", "[]", '{"Title": "Jaws"}', '{"ID": ""}'])
async def test_a_success_that_nobody_can_read_may_have_happened(world: World, body: str) -> None:
    world.shops.post(POST, status=201, body=body)
    assert told(await world.add()) == (SourceErrorCode.BAD_RESPONSE, False, True)


async def test_a_success_that_is_too_large_may_have_happened(world: World) -> None:
    world.shops.post(POST, status=201, payload={"ID": "cw9", "Title": "x" * 1_000})
    addition = await world.add(contract=replace(CONTRACT, body_bytes_max=1_000))
    assert told(addition) == (SourceErrorCode.BAD_RESPONSE, False, True)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_the_wait_that_a_provider_asks_for_is_told(world: World, status: int) -> None:
    world.shops.post(POST, status=status, headers={"Retry-After": "3"})
    addition = await world.add()
    assert addition.error is not None
    assert addition.error.retry_after_ms(world.clock.monotonic_s()) == 3_000


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_nothing_is_posted_before_the_provider_said_to_come_back(
    world: World, status: int
) -> None:
    headers = {"Retry-After": "3"}
    world.shops.post(POST, status=status, headers=headers, payload={"error": "for you alone"})
    world.shops.post(POST, status=201, payload={"ID": "cw9"})
    await world.add()
    await world.clock.advance(1)
    refused = await world.add()
    assert refused.error is not None
    assert (refused.may_have_happened, refused.error.retryable) == (False, True)
    assert refused.error.retry_after_ms(world.clock.monotonic_s()) == 2_000
    assert "for you alone" not in refused.error.message
    assert len(world.sent) == 1
    await world.clock.advance(2)
    assert (await world.posting().add({**JAWS}, 3 + UNTIL_S, "key-2")).row is not None


async def test_every_post_is_told_to_operators_as_what_it_is(world: World) -> None:
    world.shops.post(POST, status=500)
    world.shops.post(POST, status=201, payload={"ID": "cw9"})
    failed, stored = await world.add(), await world.add()
    (_, call, refusal), (_, _, answer) = world.telemetry.upstream
    assert (str(call.endpoint), call.movie_id) == ("create", None)
    assert (refusal.rows, refusal.error) == (None, failed.error)
    assert (answer.rows, answer.error) == ((stored.row,), None)


# Its own words


@pytest.mark.parametrize(
    "body, words",
    [
        ('{"error": "No\\n title\\u0000!"}', ": No title !"),
        ('{"message": "No"}', ": No"),
        ('{"error": {"code": 7}, "detail": "No"}', ": No"),
        ('{"error": 7}', "."),
        ('["No"]', "."),
        ("<html>No", "."),
        ("", "."),
        ('{"error": "your token hunter2 is not"}', "."),
        ('{"error": "No"}' + " " * 5_000, "."),  # larger than is read
    ],
)
async def test_a_refusal_is_told_in_the_providers_own_words_if_it_has_some(
    world: World, body: str, words: str
) -> None:
    world.shops.post(POST, status=422, body=body)
    addition = await world.add()
    assert addition.error is not None
    assert addition.error.message == f"cinemaworld answered 422{words}"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_of_our_proof_is_never_repeated(world: World, status: int) -> None:
    world.shops.post(POST, status=status, payload={"message": f"signature of {TOKEN[:4]}"})
    assert "hunt" not in repr(await world.add())


async def test_no_part_of_a_signature_is_told(world: World) -> None:
    auth = SigV4Auth("AKIAKEY", "secret-key", session_token="session")  # noqa: S106  # made up
    contract = replace(CONTRACT, create=Operation("/movie", auth=auth, method="POST"))
    for secret in ("AKIAKEY", "secret-key", "session"):
        world.shops.post(POST, status=400, payload={"error": f"not with {secret}"})
        assert secret not in repr(await world.add(contract=contract))


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_refusal_whatsoever_breaks_or_says_too_much(body: bytes) -> None:
    words = _words(body)
    assert len(words) <= REFUSAL_CHARACTERS_MAX
    assert words.isprintable()
