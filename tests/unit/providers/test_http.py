"""One attempt at a provider, where a mock of the wire is enough."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses
from yarl import URL

from movieql.domain.movies import Answer, SourceErrorCode, SourceStatus
from movieql.memory import RecordedTelemetry, VirtualClock
from movieql.ports import LIST, Call
from movieql.providers.contract import Contract, HeaderAuth, Operation
from movieql.providers.http import HttpProvider

TOKEN = "hunter2"  # noqa: S105  # to be looked for
AUTH = HeaderAuth("x-access-token", TOKEN)
CONTRACT = Contract(
    base_url="https://shop.test/api",
    list=Operation("/movies", wrapper="Movies", auth=AUTH),
    keys={"id": "ID", "title": "Title", "price": "Price"},
    detail=Operation("/movie/{id}", auth=AUTH),
)
MOVIES, MOVIE = "https://shop.test/api/movies", "https://shop.test/api/movie/cw1"
DETAIL = Call("cw1")
UNTIL_S = 1.5


def provider_of(
    contract: Contract,
    session: aiohttp.ClientSession,
    clock: VirtualClock,
    telemetry: RecordedTelemetry,
) -> HttpProvider:
    return HttpProvider("cinemaworld", contract, session, clock, telemetry)


@pytest.fixture
async def session(shops: aioresponses) -> AsyncIterator[aiohttp.ClientSession]:
    assert shops is not None  # or the session would have real sockets
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def provider(
    session: aiohttp.ClientSession, clock: VirtualClock, telemetry: RecordedTelemetry
) -> HttpProvider:
    return provider_of(CONTRACT, session, clock, telemetry)


def sent(shops: aioresponses, method: str, url: str) -> list[dict[str, Any]]:
    return [call.kwargs for call in shops.requests.get((method, URL(url, encoded=True)), [])]


def told(answer: Answer) -> tuple[SourceErrorCode, bool]:
    assert answer.rows is None
    assert answer.error is not None
    return answer.error.code, answer.error.retryable


# What is sent


async def test_the_token_is_sent_in_its_header(
    shops: aioresponses, provider: HttpProvider
) -> None:
    shops.get(MOVIES, payload={"Movies": [{"ID": "cw1"}]})
    answer = await provider.fetch(LIST, UNTIL_S)
    assert answer.status is SourceStatus.OK
    (request,) = sent(shops, "GET", MOVIES)
    assert request["headers"]["x-access-token"] == TOKEN


@pytest.mark.parametrize("own_id", ["../../admin", "a/b", "a?b=c#d", "%2e%2e", "a b"])
async def test_an_odd_id_stays_one_segment_on_the_wire(
    shops: aioresponses, provider: HttpProvider, own_id: str
) -> None:
    url = CONTRACT.url(Operation("/movie/{id}"), own_id)
    shops.get(URL(url, encoded=True), payload={"Title": "Jaws"})
    answer = await provider.fetch(Call(own_id), UNTIL_S)
    assert answer.status is SourceStatus.OK
    assert len(sent(shops, "GET", url)) == 1


async def test_a_call_without_time_is_not_made(
    shops: aioresponses, provider: HttpProvider, clock: VirtualClock
) -> None:
    await clock.advance(UNTIL_S)
    assert told(await provider.fetch(LIST, UNTIL_S)) == (SourceErrorCode.TIMEOUT, True)
    assert not shops.requests


async def test_the_time_of_a_call_is_not_rounded_up(
    shops: aioresponses, provider: HttpProvider
) -> None:
    shops.get(MOVIES, payload={"Movies": [{"ID": "cw1"}]})
    await provider.fetch(LIST, 9.25)
    (request,) = sent(shops, "GET", MOVIES)
    assert request["timeout"].total == 9.25
    assert request["timeout"].ceil_threshold > 9.25


async def test_a_contract_without_details_asks_nothing(
    shops: aioresponses,
    session: aiohttp.ClientSession,
    clock: VirtualClock,
    telemetry: RecordedTelemetry,
) -> None:
    provider = provider_of(replace(CONTRACT, detail=None), session, clock, telemetry)
    answer = await provider.fetch(DETAIL, UNTIL_S)
    assert (answer.rows, answer.fresh) == ((), True)
    assert not shops.requests


# Where the token must not be


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 429, 500, 503])
async def test_the_token_is_never_in_an_answer(
    shops: aioresponses, provider: HttpProvider, telemetry: RecordedTelemetry, status: int
) -> None:
    shops.get(MOVIES, status=status, body=f"no {TOKEN} for you", headers={"Retry-After": TOKEN})
    answer = await provider.fetch(LIST, UNTIL_S)
    assert answer.rows is None
    assert TOKEN not in f"{answer} {answer!r} {telemetry} {provider!r}"


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ClientConnectionError(TOKEN),
        aiohttp.ServerDisconnectedError(TOKEN),
        aiohttp.ClientOSError(TOKEN),
        aiohttp.InvalidURL(f"https://{TOKEN}"),
        ConnectionResetError(TOKEN),
        OSError(TOKEN),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_connection_that_fails_is_unavailable_and_says_no_secret(
    shops: aioresponses, provider: HttpProvider, error: Exception
) -> None:
    shops.get(MOVIES, exception=error)
    answer = await provider.fetch(LIST, UNTIL_S)
    assert told(answer) == (SourceErrorCode.UNAVAILABLE, True)
    assert TOKEN not in repr(answer)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_the_token_stays_here(
    shops: aioresponses, provider: HttpProvider, status: int
) -> None:
    elsewhere = "https://thief.test/movies"
    shops.get(MOVIES, status=status, headers={"Location": elsewhere})
    shops.get(elsewhere, payload={"Movies": [{"ID": "cw1"}]})
    assert told(await provider.fetch(LIST, UNTIL_S)) == (SourceErrorCode.BAD_RESPONSE, False)
    assert [url.host for _, url in shops.requests] == ["shop.test"]


# Statuses


@pytest.mark.parametrize(
    "status, code, retryable",
    [
        (204, SourceErrorCode.BAD_RESPONSE, False),
        (400, SourceErrorCode.BAD_RESPONSE, False),
        (401, SourceErrorCode.UNAUTHORIZED, False),
        (403, SourceErrorCode.UNAUTHORIZED, False),
        (404, SourceErrorCode.BAD_RESPONSE, False),
        (410, SourceErrorCode.BAD_RESPONSE, False),
        (429, SourceErrorCode.RATE_LIMITED, True),
        (500, SourceErrorCode.UNAVAILABLE, True),
        (502, SourceErrorCode.UNAVAILABLE, True),
        (503, SourceErrorCode.UNAVAILABLE, True),
        (504, SourceErrorCode.UNAVAILABLE, True),
    ],
)
async def test_a_status_says_what_went_wrong_with_a_list(
    shops: aioresponses,
    provider: HttpProvider,
    status: int,
    code: SourceErrorCode,
    retryable: bool,  # noqa: FBT001  # pytest names it
) -> None:
    shops.get(MOVIES, status=status)
    answer = await provider.fetch(LIST, UNTIL_S)
    assert told(answer) == (code, retryable)
    assert answer.error is not None
    assert answer.error.message == f"cinemaworld answered {status}."


async def test_a_404_on_a_detail_is_the_answer_that_there_is_no_such_movie(
    shops: aioresponses, provider: HttpProvider, clock: VirtualClock
) -> None:
    shops.get(MOVIE, status=404, body="<html>not even JSON")
    assert await provider.fetch(DETAIL, UNTIL_S) == Answer(rows=(), as_of=clock.now(), fresh=True)


async def test_every_attempt_is_told_to_operators(
    shops: aioresponses, provider: HttpProvider, telemetry: RecordedTelemetry
) -> None:
    shops.get(MOVIES, status=500)
    shops.get(MOVIE, payload={"Title": "Jaws"})
    answers = [await provider.fetch(LIST, UNTIL_S), await provider.fetch(DETAIL, UNTIL_S)]
    assert telemetry.upstream == [
        ("cinemaworld", LIST, answers[0]),
        ("cinemaworld", DETAIL, answers[1]),
    ]


# Retry-After


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 507, 599])
@pytest.mark.parametrize(
    "header, wait_s",
    [
        (None, None),
        ("soon", None),
        ("0", 0),
        ("30", 30),
        ("86400", 60),
        ("9" * 4_000, 60),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 60),
    ],
)
@pytest.mark.parametrize("call, url", [(LIST, MOVIES), (DETAIL, MOVIE)], ids=["list", "detail"])
async def test_retry_after_of_a_busy_or_broken_shop_is_told_up_to_a_minute(  # a table
    shops: aioresponses,
    provider: HttpProvider,
    clock: VirtualClock,
    call: Call,
    url: str,
    status: int,
    header: str | None,
    wait_s: float | None,
) -> None:
    await clock.advance(1)
    given = {} if header is None else {"Retry-After": header.replace(":30 ", ":31 ")}
    shops.get(url, status=status, headers=given)
    error = (await provider.fetch(call, 1 + UNTIL_S)).error
    assert error is not None
    assert error.retry_at_s == (None if wait_s is None else 1 + wait_s)


@pytest.mark.parametrize("status", [302, 400, 403, 404])
async def test_retry_after_of_other_statuses_asks_for_nothing(
    shops: aioresponses, provider: HttpProvider, status: int
) -> None:
    shops.get(MOVIES, status=status, headers={"Retry-After": "30"})
    error = (await provider.fetch(LIST, UNTIL_S)).error
    assert error is not None
    assert error.retry_at_s is None


async def test_a_list_that_came_before_is_not_read_again(
    provider: HttpProvider, shops: aioresponses
) -> None:
    shops.get(MOVIES, payload={"Movies": [{"ID": "cw1"}, {"ID": "cw2"}]}, repeat=True)
    first, again = await provider.fetch(LIST, UNTIL_S), await provider.fetch(LIST, UNTIL_S)
    assert first.rows is not None
    assert again.rows is first.rows


async def test_a_list_after_a_broken_one_is_read(
    provider: HttpProvider, shops: aioresponses
) -> None:
    shops.get(MOVIES, payload={"Movies": [{"ID": "cw1"}]})
    shops.get(MOVIES, body='{"Movies": [{"ID": "cw1"}')
    shops.get(MOVIES, payload={"Movies": [{"ID": "cw1"}, {"ID": "cw2"}]})
    answers = [await provider.fetch(LIST, UNTIL_S) for _ in range(3)]
    assert [len(answer.rows or ()) for answer in answers] == [1, 0, 2]
    assert not provider.is_reading()


async def test_a_long_list_lets_others_run_while_it_is_read(
    session: aiohttp.ClientSession, telemetry: RecordedTelemetry, shops: aioresponses
) -> None:
    class Busy(VirtualClock):
        """Each look at it takes longer than a turn."""

        def monotonic_s(self) -> float:
            self.looks = getattr(self, "looks", 0) + 1
            return super().monotonic_s() + self.looks * 0.005

    entries = [{"ID": f"cw{n}"} for n in range(1_000)]
    shops.get(MOVIES, payload={"Movies": entries})
    provider = provider_of(CONTRACT, session, Busy(), telemetry)
    reading = asyncio.ensure_future(provider.fetch(LIST, 1e6))
    turns = 0
    while not reading.done():
        turns += provider.is_reading()
        await asyncio.sleep(0)
    assert len(reading.result().rows or ()) == 1_000
    assert turns >= 10
