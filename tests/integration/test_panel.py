"""The knobs of simulated shops on the server's own port, and that a real server has none."""

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from movieql.app import build_app, server_limits
from movieql.dev.faults import Endpoint, Mode
from movieql.dev.panel import Panel
from movieql.dev.simulator import BODY_BYTES_MAX, Simulator
from movieql.dev.stack import simulated_providers, simulated_secrets
from movieql.domain.callers import SCOPES
from movieql.settings import Settings
from movieql.tokens.login import User
from movieql.tokens.passwords import hash_password
from movieql.web.telemetry import make_logger
from tests.servers import JWT_SECRET, Client, Reply, listening, serving

JSON = {"content-type": "application/json"}
WELL = {"mode": "ok", "endpoint": "all"}


@asynccontextmanager
async def open_panel(users: Sequence[User] = ()) -> AsyncIterator[Client]:
    async with Simulator() as simulator:
        providers = simulated_providers(simulator)
        settings = Settings(jwt_secret=JWT_SECRET)
        app = build_app(
            settings,
            providers,
            simulated_secrets(simulator),
            make_logger("info", "json", io.StringIO()),
            users=users,
            knobs=Panel(simulator, {each.id: each.name for each in providers}).knobs,
        )
        async with (
            listening(app, server_limits(settings)) as url,
            aiohttp.ClientSession() as session,
        ):
            yield Client(url, session)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_panel() as client:
        yield client


async def turned(client: Client, shop: str, body: Any, **headers: str) -> Reply:
    data = body if isinstance(body, str) else json.dumps(body)
    return await client.call("PUT", f"/dev/knobs/{shop}", data=data, headers=JSON | headers)


def knobs(reply: Reply) -> dict[str, tuple[str, str]]:
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    return {each["id"]: (each["mode"], each["endpoint"]) for each in reply.json["shops"]}


async def test_it_says_what_every_shop_does_and_what_there_is(client: Client) -> None:
    reply = await client.call("GET", "/dev/knobs")
    assert reply.json["shops"] == [
        {"id": "cinemaworld", "name": "Cinemaworld", **WELL},
        {"id": "filmworld", "name": "Filmworld", **WELL},
    ]
    assert {each["mode"] for each in reply.json["modes"]} == {*Mode}
    assert {each["endpoint"] for each in reply.json["endpoints"]} == {*Endpoint}


async def test_a_knob_is_turned_and_all_are_well_again(client: Client) -> None:
    body = {"mode": "500", "endpoint": "list"}
    assert knobs(await turned(client, "filmworld", body))["filmworld"] == ("500", "list")
    told = knobs(await client.call("GET", "/dev/knobs"))
    assert told == {"cinemaworld": ("ok", "all"), "filmworld": ("500", "list")}
    answer = await client.ask("{ movies { complete } }")
    assert not answer.data["movies"]["complete"]
    healed = knobs(await client.call("DELETE", "/dev/knobs"))
    assert healed == {"cinemaworld": ("ok", "all"), "filmworld": ("ok", "all")}


@pytest.mark.parametrize(
    "shop, body, allowed",
    [
        ("filmworld", {"mode": "odd"}, "hang"),
        ("filmworld", {"mode": "hang", "endpoint": "none"}, "detail"),
        ("filmworld", {"mode": "hang", "more": 1}, "endpoint"),
        ("filmworld", [1], '{"mode": "hang", "endpoint": "all"}'),
        ("filmworld", "nonsense", '{"mode": "hang", "endpoint": "all"}'),
        ("shop", {"mode": "hang"}, "filmworld"),
    ],
)
async def test_a_bad_knob_is_a_400_that_lists_what_is_allowed(
    client: Client, shop: str, body: Any, allowed: str
) -> None:
    reply = await turned(client, shop, body)
    assert reply.status == 400
    assert reply.json["error"]
    assert allowed in reply.json["allowed"]
    assert knobs(await client.call("GET", "/dev/knobs"))["filmworld"] == ("ok", "all")


async def test_a_body_is_bounded(client: Client) -> None:
    reply = await turned(client, "filmworld", " " * (BODY_BYTES_MAX + 1))
    assert (reply.status, reply.json["allowed"]) == (413, ['{"mode": "hang", "endpoint": "all"}'])


async def test_a_page_of_another_origin_cannot_send_one_unasked(client: Client) -> None:
    plain = await turned(client, "filmworld", {"mode": "hang"}, **{"content-type": "text/plain"})
    assert plain.status == 415
    posted = await client.call("POST", "/dev/knobs/filmworld", data='{"mode": "hang"}')
    assert posted.status == 405
    wanted = {"origin": "http://elsewhere.example", "access-control-request-method": "PUT"}
    asked = await client.call("OPTIONS", "/dev/knobs/filmworld", headers=wanted)
    assert "access-control-allow-origin" not in asked.headers
    assert knobs(await client.call("GET", "/dev/knobs"))["filmworld"] == ("ok", "all")


async def test_the_client_is_told_where_the_knobs_are(client: Client) -> None:
    reply = await client.call("GET", "/client.json")
    assert reply.json == {"login": False, "knobs": "/dev/knobs"}
    assert reply.headers["cache-control"] == "no-cache"


async def test_the_client_is_told_that_names_and_passwords_are_known() -> None:
    async with open_panel([User("dev", hash_password("a password"), SCOPES)]) as client:
        assert (await client.call("GET", "/client.json")).json["login"]


async def test_a_server_of_real_shops_has_no_knobs() -> None:
    async with Simulator() as simulator:
        shops = simulated_providers(simulator), simulated_secrets(simulator)
        async with serving(*shops) as server:
            for method, path in [("GET", ""), ("DELETE", ""), ("PUT", "/filmworld")]:
                reply = await server.call(method, f"/dev/knobs{path}", data="{}", headers=JSON)
                assert reply.status == 404, method
            reply = await server.call("GET", "/client.json")
            assert reply.json == {"login": False, "knobs": None}
