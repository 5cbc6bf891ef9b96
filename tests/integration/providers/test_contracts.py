"""Shops of three different shapes, reached by settings alone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp import web

from movieql.clock import SystemClock
from movieql.dev.simulator import Simulator
from movieql.domain.movies import SourceErrorCode, SourceStatus
from movieql.ports import LIST, Call
from movieql.providers.contract import Contract, Operation
from movieql.settings.providers import parse_providers
from tests.integration.providers.doors import CINEMAWORLD, contract_of, opened


@pytest.mark.parametrize(
    "provider, own_id", [(CINEMAWORLD, "cw0076759"), ("filmworld", "fw0076759")]
)
async def test_contract_a_has_prices_only_in_its_details(
    simulator: Simulator, provider: str, own_id: str
) -> None:
    async with opened(contract_of(simulator, provider)) as door:
        listed = (await door.ask()).answer
        (detail,) = (await door.ask(Call(own_id))).answer.rows or ()
    assert listed.rows is not None
    assert all(row.amount is None and row.price_problem is None for row in listed.rows)
    assert own_id in {row.provider_movie_id for row in listed.rows}
    assert detail.amount is not None
    assert (detail.description.year, detail.description.genres[0]) == (1977, "Action")


async def test_contract_b_has_prices_in_its_list_and_the_same_in_its_details(
    simulator_b: Simulator,
) -> None:
    async with opened(contract_of(simulator_b)) as door:
        rows = (await door.ask()).answer.rows
        assert rows
        details = [(await door.ask(Call(row.provider_movie_id))).answer.rows for row in rows]
    assert all(row.amount is not None and row.created_at is not None for row in rows)
    assert details == [(row,) for row in rows]


@pytest.mark.parametrize("mode", ["bad-prices", "empty", "html", "truncated"])
async def test_contract_b_fails_as_contract_a_does(simulator_b: Simulator, mode: str) -> None:
    await simulator_b.turn(CINEMAWORLD, mode)
    async with opened(contract_of(simulator_b)) as door:
        answer = (await door.ask()).answer
    if mode == "bad-prices":
        assert answer.rows
        assert all(row.amount is None for row in answer.rows)
    else:
        assert answer.error is not None
        assert answer.error.code is SourceErrorCode.BAD_RESPONSE


# Posting a movie


def until_s(within_s: float = 5.0) -> float:
    return SystemClock().monotonic_s() + within_s


FIELDS = {"title": "Jaws", "plot": "A shark.", "price": Decimal("9.5")}


async def test_a_signed_post_is_stored_and_on_the_shelf(simulator_b: Simulator) -> None:
    async with opened(contract_of(simulator_b)) as door:
        stored = (await door.posting.add(FIELDS, until_s(), "key")).row
        listed = (await door.ask()).answer.rows
    assert stored is not None
    assert (stored.description.title, stored.amount) == ("Jaws", Decimal("9.5"))
    assert listed is not None
    assert stored in listed
    assert simulator_b.calls[CINEMAWORLD, "create", ""] == 1


@pytest.mark.parametrize("secret", ["SHOPS_ACCESS_KEY", "SHOPS_SECRET_KEY"])
async def test_a_wrong_key_is_unauthorized(simulator_b: Simulator, secret: str) -> None:
    async with opened(contract_of(simulator_b, **{secret: "hunter2"})) as door:
        addition = await door.posting.add(FIELDS, until_s(), "key")
    assert addition.error is not None
    assert (addition.error.code, addition.error.retryable) == (SourceErrorCode.UNAUTHORIZED, False)
    assert (addition.status, addition.may_have_happened) == (403, False)
    assert "hunter2" not in repr(addition)


async def test_a_movie_that_the_shop_refuses_is_not_stored_and_says_why(
    simulator_b: Simulator,
) -> None:
    async with opened(contract_of(simulator_b)) as door:
        addition = await door.posting.add({"title": "Jaws", "plot": " "}, until_s(), "key")
    assert addition.error is not None
    assert (addition.error.code, addition.error.message) == (
        SourceErrorCode.BAD_RESPONSE,
        "cinemaworld answered 400: Movie must have a title and body and they must not be empty",
    )
    assert (addition.status, addition.may_have_happened) == (400, False)


@pytest.mark.parametrize("mode", ["hang", "drip", "500", "503", "reset", "truncated", "html"])
async def test_a_post_is_made_once_and_its_unknown_outcome_said(
    simulator_b: Simulator, mode: str
) -> None:
    await simulator_b.turn(CINEMAWORLD, mode)
    async with opened(contract_of(simulator_b)) as door:
        addition = await door.posting.add(FIELDS, until_s(0.3), "key")
    assert addition.row is None
    assert addition.error is not None
    assert (addition.may_have_happened, addition.error.retryable) == (True, False)
    assert simulator_b.calls[CINEMAWORLD, "create", ""] == 1


async def test_a_post_that_never_left_may_be_tried_again(simulator_b: Simulator) -> None:
    await simulator_b.turn(CINEMAWORLD, "refuse")
    async with opened(contract_of(simulator_b)) as door:
        addition = await door.posting.add(FIELDS, until_s(), "key")
    assert addition.error is not None
    assert (addition.may_have_happened, addition.error.retryable) == (False, True)
    assert addition.error.code is SourceErrorCode.UNAVAILABLE


async def test_a_post_without_a_connection_in_time_never_left() -> None:
    listener = socket.socket()  # accepts nobody: its queue of one is taken by the others
    with listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for each in (first, second):
            each.setblocking(False)  # noqa: FBT003  # the standard library's
            each.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        contract = Contract(
            url, Operation("/movies"), {"id": "id", "title": "title"}, create=CREATE
        )
        async with opened(contract) as door:
            addition = await door.posting.add({"title": "Jaws"}, until_s(0.4), "key")
    assert addition.error is not None
    assert addition.error.code is SourceErrorCode.TIMEOUT
    assert (addition.may_have_happened, addition.error.retryable) == (False, True)


CREATE = Operation("/movie", method="POST")


# A third shop


@pytest.fixture
async def third_shop() -> AsyncIterator[str]:
    """A shop of a shape that nobody has seen: its own header, wrapper, and numbers for prices."""

    async def catalogue(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer of the key":
            return web.Response(status=401)
        movies = [
            {"sku": 17, "name": "Jaws", "cost": 9.5, "tags": ["Thriller"]},
            {"sku": 18, "name": "Alien", "cost": None},
        ]
        return web.json_response({"data": movies, "next": None})

    app = web.Application()
    app.router.add_get("/v3/catalogue", catalogue)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/v3"
    await runner.cleanup()


async def test_a_third_shop_of_another_shape_needs_settings_only(third_shop: str) -> None:
    (third,) = parse_providers(
        {
            "providers": [
                {
                    "id": "thirdshop",
                    "name": "Third Shop",
                    "base_url": third_shop,
                    "currency": "AUD",
                    "auth": {"kind": "header", "name": "Authorization", "token_env": "THIRD"},
                    "list": {
                        "path": "/catalogue",
                        "wrapper": "Data",
                        "fields": ["title", "price", "genres"],
                    },
                    "keys": {"id": "SKU", "title": "Name", "price": "Cost", "genres": "Tags"},
                }
            ]
        }
    )
    assert third.detail_fields == frozenset()
    async with opened(third.contract({"THIRD": "Bearer of the key"})) as door:
        answer = (await door.ask()).answer
        assert answer.status is SourceStatus.OK
        assert answer.rows is not None
        jaws, alien = answer.rows
        assert (await door.ask(Call("17"))).answer.rows == ()
    assert (jaws.provider_movie_id, jaws.amount) == ("17", Decimal("9.5"))
    assert (jaws.description.title, jaws.description.year) == ("Jaws", None)
    assert jaws.description.genres == ("Thriller",)
    assert alien.amount is None
    async with opened(third.contract({"THIRD": "another"})) as door:
        refused = (await door.ask()).answer
    assert refused.error is not None
    assert refused.error.code is SourceErrorCode.UNAUTHORIZED


async def test_many_calls_at_once_use_the_connections_that_there_are(
    simulator: Simulator,
) -> None:
    async with opened(contract_of(simulator)) as door:
        answers = await asyncio.gather(*(door.ask(LIST) for _ in range(100)))
    assert {timed.answer.status for timed in answers} == {SourceStatus.OK}
    assert simulator.calls[CINEMAWORLD, "list", ""] == 100
