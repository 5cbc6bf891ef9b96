"""The simulator over real sockets, as a client meets it."""

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from movieql.dev.catalogues import bare_id, captured, invented
from movieql.dev.faults import Knob, Mode, NotAllowedError, Pace
from movieql.dev.listener import Listener, PortBusyError
from movieql.dev.misbehaviour import BAD_PRICES, MISSING
from movieql.dev.sigv4 import SigningKey
from movieql.dev.simulator import Simulator

TOKEN = "the token"  # noqa: S105 - opens a simulator that lives for one test
QUICK = Pace(slow_s=0.05, drip_s=0.01, retry_after_s=3)
PROMPTLY_S = 0.2
"""Longer than any healthy answer here takes, and what a call that hangs is given."""


@dataclass
class Reply:
    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    def __init__(self, session: aiohttp.ClientSession, simulator: Simulator) -> None:
        self.session, self.simulator = session, simulator

    async def call(self, method: str, url: str, **options: Any) -> Reply:
        async with self.session.request(method, url, **options) as response:
            return Reply(response.status, response.headers, await response.text())

    async def shop(self, path: str, provider: str = "filmworld", **options: Any) -> Reply:
        options = {"headers": {"x-access-token": TOKEN}, **options}
        return await self.call("GET", self.simulator.provider_url(provider) + path, **options)

    async def control(self, method: str, path: str, body: str | None = None) -> Reply:
        return await self.call(method, self.simulator.url + path, data=body)


Start = Callable[..., Awaitable[Client]]


async def arrived(simulator: Simulator, calls: int) -> None:
    async with asyncio.timeout(1):
        while simulator.calls.total() < calls:  # noqa: ASYNC110 - the count has no event to wait for
            await asyncio.sleep(0)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start a simulator with the options given, and end it with the test."""
    async with AsyncExitStack() as stack:

        async def starting(**options: Any) -> Client:
            simulator = Simulator(**{"token": TOKEN, "pace": QUICK, **options})
            await stack.enter_async_context(simulator)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            return Client(session, simulator)

        yield starting


@pytest.fixture
async def client(start: Start) -> Client:
    return await start()


# In health, contract A


async def test_a_healthy_shop_lists_movies_without_prices(client: Client) -> None:
    reply = await client.shop("/movies")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    assert len(reply.json["Movies"]) == 6
    assert all("Price" not in movie for movie in reply.json["Movies"])


async def test_a_healthy_shop_tells_a_price_as_text(client: Client) -> None:
    assert (await client.shop("/movie/fw0076759")).json["Price"] == "29.5"


async def test_an_unknown_movie_is_not_found(client: Client) -> None:
    assert (await client.shop("/movie/cw0076759")).status == 404


async def test_healthy_answers_take_the_latency_asked_for(start: Start) -> None:
    waits: list[float] = []

    async def sleep(delay_s: float) -> None:
        waits.append(delay_s)

    client = await start(pace=Pace(latency_s=1.5), sleep=sleep)
    await client.shop("/movies")
    assert waits == [1.5]


@pytest.mark.parametrize("headers", [{}, {"x-access-token": "wrong"}, {"x-api-key": TOKEN}])
async def test_a_wrong_or_missing_token_is_forbidden(
    client: Client, headers: dict[str, str]
) -> None:
    began = time.monotonic()
    assert (await client.shop("/movies", headers=headers)).status == 403
    assert time.monotonic() - began >= 0.034


# Ways to fail


async def test_a_slow_shop_answers_late(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.SLOW)
    began = time.monotonic()
    assert (await client.shop("/movies")).status == 200
    assert time.monotonic() - began >= QUICK.slow_s


async def test_a_hanging_shop_never_answers(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.HANG)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.shop("/movies"), PROMPTLY_S)
    assert (await client.shop("/movies", "cinemaworld")).status == 200


async def test_a_dripping_shop_sends_headers_at_once_and_then_single_bytes(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.DRIP)
    began = time.monotonic()
    url = client.simulator.provider_url("filmworld") + "/movies"
    async with client.session.get(url, headers={"x-access-token": TOKEN}) as response:
        assert response.status == 200
        length = response.content_length or 0
        assert await response.content.readexactly(3) == b'{"M'
        assert time.monotonic() - began < length * QUICK.drip_s / 2


async def test_a_drip_ends_with_the_whole_answer(start: Start) -> None:
    client = await start(pace=Pace(drip_s=0))
    await client.simulator.turn("filmworld", Mode.DRIP)
    assert (await client.shop("/movie/fw0076759")).json["Price"] == "29.5"


@pytest.mark.parametrize("mode", ["500", "503", "429", "403"])
async def test_an_error_status_is_sent_as_such(client: Client, mode: str) -> None:
    await client.simulator.turn("filmworld", mode)
    reply = await client.shop("/movies")
    assert reply.status == int(mode)
    assert reply.headers.get("Retry-After") == ("3" if mode == "429" else None)


async def test_a_shop_may_send_a_page_instead_of_json(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.HTML)
    reply = await client.shop("/movies")
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.text.startswith("<!DOCTYPE html>")


async def test_a_truncated_answer_ends_before_its_content_length(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.TRUNCATED)
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.shop("/movies")


async def test_an_empty_shop_has_no_movies_and_empty_details(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.EMPTY)
    assert (await client.shop("/movies")).json == {"Movies": []}
    assert (await client.shop("/movie/fw0076759")).json == {}


async def test_a_shop_may_send_json_of_another_shape(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.WRONG_SHAPE)
    assert (await client.shop("/movies")).json == {"status": "ok", "data": 42}


async def test_a_resetting_shop_drops_the_connection(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.RESET)
    with pytest.raises(aiohttp.ClientOSError, match="reset by peer"):
        await client.shop("/movies")


async def test_a_huge_answer_is_over_50_megabytes_of_valid_json(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.HUGE)
    reply = await client.shop("/movies")
    assert len(reply.text) > 50 * 1024 * 1024
    assert len(reply.json["Movies"]) == 1


async def test_a_huge_answer_stops_when_the_client_has_had_enough(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.HUGE)
    url = client.simulator.provider_url("filmworld") + "/movies"
    async with client.session.get(url, headers={"x-access-token": TOKEN}) as response:
        await response.content.readexactly(100_000)
    await client.simulator.heal()
    assert (await client.shop("/movies")).status == 200


async def test_bad_prices_come_in_turn_and_the_list_stays_good(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.BAD_PRICES)
    assert len((await client.shop("/movies")).json["Movies"]) == 6
    prices = [(await client.shop("/movie/fw0076759")).json.get("Price", MISSING) for _ in range(8)]
    assert sorted(map(str, prices)) == sorted(map(str, BAD_PRICES))


async def test_a_flapping_shop_fails_every_second_call(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.FLAPPING)
    assert [(await client.shop("/movies")).status for _ in range(4)] == [200, 500, 200, 500]


async def test_a_refusing_shop_does_not_listen_and_comes_back_on_the_same_port(
    client: Client,
) -> None:
    assert (await client.shop("/movies")).status == 200
    url = client.simulator.provider_url("filmworld")
    for _ in range(2):
        await client.simulator.turn("filmworld", Mode.REFUSE)
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.shop("/movies")
    await client.simulator.turn("filmworld", Mode.OK)
    assert client.simulator.provider_url("filmworld") == url
    assert (await client.shop("/movies")).status == 200


async def test_a_call_in_flight_ends_when_its_shop_starts_to_refuse(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.HANG)
    hanging = asyncio.create_task(client.shop("/movies"))
    await arrived(client.simulator, 1)
    await client.simulator.turn("filmworld", Mode.REFUSE)
    with pytest.raises(aiohttp.ClientError):
        await asyncio.wait_for(hanging, 1)


async def test_observed_faults_are_the_same_for_the_same_seed(start: Start) -> None:
    async def no_sleep(_delay_s: float) -> None:
        """Draws are about seconds; the test is about outcomes."""

    async def statuses() -> list[int]:
        seed = Random(11)
        client = await start(random=seed, sleep=no_sleep, knob=Knob(Mode.OBSERVED))
        found = []
        for _ in range(60):
            try:
                found.append((await asyncio.wait_for(client.shop("/movies"), PROMPTLY_S)).status)
            except TimeoutError:
                found.append(0)
        return found

    first, second = await asyncio.gather(statuses(), statuses())
    assert first == second
    assert {200, 500, 503} <= set(first)


async def test_a_fault_can_be_limited_to_one_endpoint(client: Client) -> None:
    await client.simulator.turn("filmworld", "500", endpoint="detail")
    assert (await client.shop("/movies")).status == 200
    assert (await client.shop("/movie/fw0076759")).status == 500


@pytest.mark.parametrize(
    "wrong, allowed",
    [
        (("nowhere", "ok", "all"), "cinemaworld, filmworld"),
        (("filmworld", "odd", "all"), "ok, slow, hang"),
        (("filmworld", "ok", "odd"), "all, list, detail"),
    ],
)
async def test_what_is_unknown_is_refused_with_what_is_known(
    client: Client, wrong: tuple[str, str, str], allowed: str
) -> None:
    with pytest.raises(NotAllowedError, match=allowed):
        await client.simulator.turn(*wrong)


def test_an_unknown_contract_is_refused_before_anything_starts() -> None:
    with pytest.raises(NotAllowedError, match="unknown contract 'c'; allowed: a, b"):
        Simulator(contract="c")


# Counting and changing


async def test_calls_are_counted_as_they_arrive_also_those_that_hang(client: Client) -> None:
    await client.simulator.turn("filmworld", Mode.HANG, endpoint="detail")
    await client.shop("/movies")
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.shop("/movie/fw0076759"), PROMPTLY_S)
    assert client.simulator.calls == {
        ("filmworld", "list", ""): 1,
        ("filmworld", "detail", "fw0076759"): 2,
    }
    client.simulator.forget_calls()
    assert client.simulator.calls.total() == 0


async def test_a_price_can_change_while_the_shop_is_open(client: Client) -> None:
    client.simulator.change("filmworld", "fw0076759", Price="1.25")
    assert (await client.shop("/movie/fw0076759")).json["Price"] == "1.25"


async def test_a_movie_can_be_added_and_withdrawn_while_the_shop_is_open(client: Client) -> None:
    client.simulator.change("filmworld", "fw9", Title="New", Year="2026", Price="1.0")
    client.simulator.withdraw("filmworld", "fw0076759")
    ids = [movie["ID"] for movie in (await client.shop("/movies")).json["Movies"]]
    assert "fw9" in ids
    assert "fw0076759" not in ids
    assert (await client.shop("/movie/fw0076759")).status == 404
    assert (await client.call("GET", f"{client.simulator.url}/posters/fw9.svg")).status == 200


async def test_an_invented_catalogue_is_served_like_a_captured_one(start: Start) -> None:
    client = await start(catalogues=invented(2000, seed=1))
    movies = (await client.shop("/movies")).json["Movies"]
    assert len(movies) == 2000
    assert (await client.shop(f"/movie/{movies[0]['ID']}")).json["Title"] == movies[0]["Title"]


# Ports and the end


async def test_closing_takes_less_than_a_second_while_calls_hang() -> None:
    async with aiohttp.ClientSession() as session:
        async with Simulator(token=TOKEN) as simulator:
            client = Client(session, simulator)
            await simulator.turn("filmworld", Mode.HANG)
            await simulator.turn("cinemaworld", Mode.SLOW)
            hanging = [
                asyncio.create_task(client.shop("/movies", provider))
                for provider in ("filmworld", "cinemaworld", "filmworld")
            ]
            await arrived(simulator, len(hanging))
            began = time.monotonic()
        assert time.monotonic() - began < 1
        results = await asyncio.gather(*hanging, return_exceptions=True)
        assert all(isinstance(result, aiohttp.ClientError) for result in results)


def free_ports(count: int) -> int:
    """Find the first of so many free ports in a row, below those the system hands out.

    Test processes that run side by side begin in different places.
    """
    for first in range(20_000 + os.getpid() % 1000 * 10, 31_000, count):
        try:
            with ExitStack() as stack:
                for port in range(first, first + count):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError:
            continue
        return first
    raise AssertionError


async def test_a_fixed_port_is_the_control_server_and_shops_follow(start: Start) -> None:
    first = free_ports(3)
    simulator = (await start(port=first)).simulator
    assert simulator.url == f"http://127.0.0.1:{first}"
    assert simulator.provider_url("cinemaworld").startswith(f"http://127.0.0.1:{first + 1}/")
    assert simulator.provider_url("filmworld").startswith(f"http://127.0.0.1:{first + 2}/")


async def test_a_busy_port_is_named_and_the_others_are_given_back(start: Start) -> None:
    first = free_ports(3)
    busy = rf"port {first + 2} .* another port .*`port`"
    with socket.create_server(("127.0.0.1", first + 2)), pytest.raises(PortBusyError, match=busy):
        await start(port=first)
    await start(port=first)


async def test_of_two_that_bound_the_same_port_the_second_to_listen_is_told() -> None:
    first = Listener("127.0.0.1", 0, web.Application)
    second = Listener("127.0.0.1", first.port, web.Application)
    await first.open()
    with pytest.raises(PortBusyError, match=str(first.port)):
        await second.open()
    await asyncio.gather(first.close(), second.close())


async def test_an_address_that_is_not_ours_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="assign"):
        async with Simulator(host="192.0.2.1"):
            pass


async def test_the_simulator_also_listens_on_ipv6(start: Start) -> None:
    client = await start(host="::1")
    assert client.simulator.url.startswith("http://[::1]:")
    assert (await client.shop("/movies")).status == 200


# The control server


async def test_the_control_server_says_what_it_is_and_how_to_use_it(client: Client) -> None:
    text = (await client.control("GET", "/")).text
    assert client.simulator.provider_url("filmworld") in text
    assert f"curl -X PUT {client.simulator.url}/knobs/cinemaworld" in text
    assert all(mode in text for mode in Mode)


async def test_a_knob_is_turned_and_all_are_reset_over_http(client: Client) -> None:
    turned = await client.control("PUT", "/knobs/filmworld", '{"mode": "500", "endpoint": "list"}')
    well = {"mode": "ok", "endpoint": "all"}
    knobs = {"cinemaworld": well, "filmworld": {"mode": "500", "endpoint": "list"}}
    assert turned.json == knobs
    assert (await client.control("GET", "/knobs")).json == knobs
    assert (await client.shop("/movies")).status == 500
    assert (await client.control("DELETE", "/knobs")).json["filmworld"] == well
    assert (await client.shop("/movies")).status == 200


@pytest.mark.parametrize(
    "path, body, allowed",
    [
        ("/knobs/filmworld", '{"mode": "odd"}', "hang"),
        ("/knobs/filmworld", "{}", "hang"),
        ("/knobs/filmworld", '{"mode": "hang", "endpoint": []}', "detail"),
        ("/knobs/filmworld", '{"mode": "hang", "endpiont": "list"}', "endpoint"),
        ("/knobs/filmworld", "[1]", '{"mode": "hang", "endpoint": "all"}'),
        ("/knobs/filmworld", "nonsense", '{"mode": "hang", "endpoint": "all"}'),
        ("/knobs/shop", '{"mode": "hang"}', "filmworld"),
    ],
)
async def test_a_bad_knob_is_a_400_that_lists_what_is_allowed(
    client: Client, path: str, body: str, allowed: str
) -> None:
    reply = await client.control("PUT", path, body)
    assert reply.status == 400
    assert allowed in reply.json["allowed"]
    assert "Traceback" not in reply.json["error"]


async def test_a_body_without_bounds_is_refused(client: Client) -> None:
    assert (await client.control("PUT", "/knobs/filmworld", " " * 5000)).status == 413


async def test_counts_are_read_and_forgotten_over_http(client: Client) -> None:
    await client.shop("/movie/fw0076759")
    counted = {"provider": "filmworld", "endpoint": "detail", "id": "fw0076759", "count": 1}
    assert (await client.control("GET", "/calls")).json == {"total": 1, "calls": [counted]}
    assert (await client.control("DELETE", "/calls")).json == {"total": 0, "calls": []}


async def test_posters_load_except_the_four_broken_ones(client: Client) -> None:
    for provider, catalogue in captured().items():
        for movie in (await client.shop("/movies", provider)).json["Movies"]:
            reply = await client.call("GET", movie["Poster"])
            if movie["ID"] in catalogue.broken_posters:
                assert reply.status == 404
            else:
                assert reply.status == 200
                assert reply.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
                assert movie["Year"] in reply.text


async def test_a_poster_of_no_movie_is_not_found(client: Client) -> None:
    assert (await client.control("GET", "/posters/zz1.svg")).status == 404


# Contract B

NEW = {"title": "A New Film", "body": "Something happens.", "price": 9.5}


@pytest.fixture
async def bare(start: Start) -> Client:
    return await start(contract="b")


async def post(client: Client, body: bytes, key: SigningKey, **changes: Any) -> Reply:
    """Sign as boto does, then send, with what `changes` says replaced after signing."""
    url = client.simulator.provider_url("filmworld") + "/movie"
    headers = {"Content-Type": "application/json", **changes.pop("signed", {})}
    request = AWSRequest("POST", url, headers, body)
    credentials = Credentials(key.access_key, key.secret_key)
    SigV4Auth(credentials, "execute-api", "ap-southeast-2").add_auth(request)
    headers = {**dict(request.headers.items()), **changes.pop("headers", {})}
    return await client.call("POST", url, data=changes.get("sent", body), headers=headers)


async def test_contract_b_lists_a_bare_array_without_a_token(bare: Client) -> None:
    reply = await bare.shop("/movies", headers={})
    assert bare.simulator.provider_url("filmworld").endswith("/dev/filmworld")
    assert [item["price"] for item in reply.json][:2] == [1295.0, 1249.5]


async def test_contract_b_has_details_only_where_nobody_documented_them(bare: Client) -> None:
    item_id = bare_id("filmworld", "fw0076759")
    documented = await bare.shop(f"/movies/{item_id}")
    assert (documented.status, documented.json) == (502, {"message": "Internal server error"})
    assert (await bare.shop(f"/movie/{item_id}")).json["price"] == 29.5
    missing = await bare.shop("/movie/none")
    assert (missing.status, missing.json) == (404, {"error": "Post not found"})
    assert bare.simulator.calls["filmworld", "detail", item_id] == 2


async def test_contract_b_is_changed_by_its_own_ids_and_keys(bare: Client) -> None:
    item_id = bare_id("filmworld", "fw0076759")
    bare.simulator.change("filmworld", item_id, price=5000)
    assert (await bare.shop("/movies")).json[0]["price"] == 5000
    bare.simulator.withdraw("filmworld", item_id)
    assert len((await bare.shop("/movies")).json) == 5


async def test_contract_b_can_be_empty_or_badly_priced_too(bare: Client) -> None:
    await bare.simulator.turn("filmworld", Mode.EMPTY)
    assert (await bare.shop("/movies")).json == []
    await bare.simulator.turn("filmworld", Mode.BAD_PRICES)
    prices = [item.get("price", MISSING) for item in (await bare.shop("/movies")).json]
    assert prices == list(BAD_PRICES[:6])


async def test_an_unsigned_post_misses_a_token(bare: Client) -> None:
    url = bare.simulator.provider_url("filmworld") + "/movie"
    reply = await bare.call("POST", url, json=NEW)
    assert (reply.status, reply.json) == (403, {"message": "Missing Authentication Token"})


async def test_a_signed_post_is_stored_and_listed(start: Start) -> None:
    key = SigningKey("AKIATEST", "very secret")
    client = await start(contract="b", signing_key=key)
    reply = await post(client, json.dumps(NEW).encode(), key)
    assert reply.status == 201
    assert reply.json.items() >= NEW.items()
    assert reply.json in (await client.shop("/movies")).json
    assert client.simulator.calls["filmworld", "create", ""] == 1


async def test_a_post_may_carry_more_signed_headers(bare: Client) -> None:
    signed = {"X-Amz-Security-Token": "session", "X-Custom": "a  b"}
    reply = await post(bare, json.dumps(NEW).encode(), SigningKey(), signed=signed)
    assert reply.status == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"sent": b'{"title": "Another", "body": "film"}'},
        {"headers": {"Authorization": "AWS4-HMAC-SHA256 nonsense"}},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"X-Amz-Date": "20200101T000000Z"}},
        {"signed": {"X-Amz-Content-SHA256": "0" * 64}},
    ],
)
async def test_a_post_changed_after_signing_is_forbidden(
    bare: Client, changes: dict[str, Any]
) -> None:
    assert (await post(bare, json.dumps(NEW).encode(), SigningKey(), **changes)).status == 403


@pytest.mark.parametrize(
    "key",
    [SigningKey(secret_key="other"), SigningKey(access_key="AKIAOTHER")],  # noqa: S106
)
async def test_a_post_signed_with_another_key_is_forbidden(bare: Client, key: SigningKey) -> None:
    assert (await post(bare, json.dumps(NEW).encode(), key)).status == 403


@pytest.mark.parametrize(
    "body, status",
    [
        (b'{"title": "T"}', 400),
        (b'{"title": " ", "body": "B"}', 400),
        (b'{"title": 1, "body": "B"}', 502),
        (b"[]", 502),
        (b"not json", 502),
    ],
)
async def test_an_incomplete_post_fails_as_in_the_original(
    bare: Client, body: bytes, status: int
) -> None:
    reply = await post(bare, body, SigningKey())
    assert reply.status == status
    if status == 400:
        error = "Movie must have a title and body and they must not be empty"
        assert reply.json == {"error": error}


async def test_where_it_listens_everywhere_it_gives_out_addresses_of_this_machine() -> None:
    async with Simulator(host="0.0.0.0") as simulator, aiohttp.ClientSession() as session:  # noqa: S104  # what the test is about
        url = simulator.provider_url("filmworld")
        assert url.startswith("http://127.0.0.1:")
        headers = {"x-access-token": simulator.token}
        async with session.get(f"{url}/movies", headers=headers) as reply:
            assert reply.status == 200
