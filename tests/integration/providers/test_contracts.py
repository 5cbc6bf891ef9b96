"""Shops of three different shapes, reached by settings alone."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp import web

from movieql.clock import SystemClock
from movieql.dev.simulator import Simulator
from movieql.domain.reports import SourceErrorCode, SourceStatus
from movieql.ports import LIST, Call
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


def until_s() -> float:
    return SystemClock().monotonic_s() + 5.0


FIELDS = {"title": "Jaws", "plot": "A shark.", "price": 9.5}


async def test_a_signed_post_is_stored_and_on_the_shelf(simulator_b: Simulator) -> None:
    async with opened(contract_of(simulator_b)) as door:
        answer = await door.provider.add(FIELDS, until_s())
        assert answer.rows is not None
        (stored,) = answer.rows
        listed = (await door.ask()).answer.rows
    assert (stored.description.title, stored.amount) == ("Jaws", Decimal("9.5"))
    assert listed is not None
    assert stored in listed
    assert simulator_b.calls[CINEMAWORLD, "create", ""] == 1


@pytest.mark.parametrize("secret", ["SHOPS_ACCESS_KEY", "SHOPS_SECRET_KEY"])
async def test_a_wrong_key_is_unauthorized(simulator_b: Simulator, secret: str) -> None:
    async with opened(contract_of(simulator_b, **{secret: "hunter2"})) as door:
        answer = await door.provider.add(FIELDS, until_s())
    assert answer.error is not None
    assert (answer.error.code, answer.error.retryable) == (SourceErrorCode.UNAUTHORIZED, False)
    assert "hunter2" not in repr(answer)


async def test_a_movie_that_the_shop_refuses_is_not_stored(simulator_b: Simulator) -> None:
    async with opened(contract_of(simulator_b)) as door:
        answer = await door.provider.add({"title": "Jaws", "plot": " "}, until_s())
    assert answer.error is not None
    assert (answer.error.code, answer.error.message) == (
        SourceErrorCode.BAD_RESPONSE,
        "cinemaworld answered 400.",
    )


@pytest.mark.parametrize("mode", ["hang", "500", "reset", "truncated"])
async def test_a_post_is_made_once_whatever_happens(simulator_b: Simulator, mode: str) -> None:
    await simulator_b.turn(CINEMAWORLD, mode)
    async with opened(contract_of(simulator_b)) as door:
        answer = await door.provider.add(FIELDS, SystemClock().monotonic_s() + 0.3)
    assert answer.rows is None
    assert simulator_b.calls[CINEMAWORLD, "create", ""] == 1


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
