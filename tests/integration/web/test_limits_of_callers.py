"""What one caller may ask for in a minute, by whichever way it asks; and what nobody may ask."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.web.guarded import (
    ANONYMOUS,
    PASSWORD,
    USER,
    Guarded,
    Peer,
    Presented,
    bearer,
    codes_of,
    guarded,
)
from tests.servers import Reply, until

MINUTE_S = 61.0
HEAT = "/api/movies/Heat/1995"
MOVIES = "/api/movies"
READ = "{ __typename }"
UPSERT = 'mutation { upsertMovie(input: {name: "Heat", year: 1995}) { created } }'
COST_MAX = 300  # two writes of 100 each, with what comes on top, and not three


def refused(reply: Reply) -> bool:
    """Tell whether a caller is told to wait; check that it is told how long."""
    if reply.status != 429:
        return False
    assert 1 <= int(reply.headers["retry-after"]) <= 60
    assert reply.headers["cache-control"] == "no-store"
    codes = codes_of(reply.json) if "errors" in reply.json else [reply.json["code"]]
    assert codes == ["RATE_LIMITED"]
    return True


async def is_refused_by_websocket(peer: Peer, document: str = READ) -> bool:
    answer = await peer.asked(document)
    if isinstance(answer, dict):
        return False
    (error,) = answer
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 1_000 <= error["extensions"]["retryAfterMs"] <= 60_000
    return True


async def assert_no_handshake(server: Guarded, shown: Presented) -> None:
    with pytest.raises(InvalidStatus) as told:
        async with server.connected(shown):
            pass
    assert told.value.response.status_code == 429


@asynccontextmanager
async def writing(server: Guarded, subject: str) -> AsyncIterator[tuple[Presented, Peer]]:
    """Give a caller's token, and its WebSocket."""
    token = bearer(server.mint.ours(sub=subject))
    async with server.connected() as peer:
        assert await peer.is_let_in(token.authorizations[0])
        yield token, peer


async def ask(server: Guarded, way: str, token: Presented, peer: Peer) -> bool:
    """Ask for something by one way, and tell whether it was refused."""
    if way == "websocket":
        return await is_refused_by_websocket(peer)
    if way == "graphql":
        return refused(await server.graphql(token, READ))
    if way == "get":
        params = {"query": READ}
        return refused(await server.call("GET", "/graphql", params=params, headers=token.headers))
    if way == "read":
        return refused(await server.rest(token, "GET", MOVIES))
    if way == "write":
        return refused(await server.rest(token, "PUT", HEAT, json={"genre": "Crime"}))
    return refused(await server.rest(token, "DELETE", HEAT))


WAYS = ("graphql", "get", "read", "write", "delete", "websocket")


async def test_all_ways_take_from_one_budget_of_requests(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, requests_per_minute=len(WAYS)) as server,
        writing(server, "ada") as ada,
        writing(server, "grace") as grace,
    ):
        assert [await ask(server, way, *ada) for way in WAYS] == [False] * len(WAYS)
        files = server.files
        assert [await ask(server, way, *ada) for way in WAYS] == [True] * len(WAYS)
        assert server.files == files
        assert not await ask(server, "graphql", *grace)  # from the same address
        assert not await ask(server, "read", ANONYMOUS, ada[1])
        server.clock.ahead_s += MINUTE_S
        assert [await ask(server, way, *ada) for way in WAYS] == [False] * len(WAYS)


@pytest.mark.parametrize("first", WAYS)
async def test_each_way_uses_up_the_budget_of_every_other(tmp_path: Path, first: str) -> None:
    async with (
        guarded(tmp_path, requests_per_minute=2) as server,
        writing(server, "ada") as ada,
    ):
        assert [await ask(server, first, *ada) for _ in range(3)] == [False, False, True]
        assert [await ask(server, way, *ada) for way in WAYS] == [True] * len(WAYS)


async def test_all_ways_take_from_one_budget_of_cost(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"cost_max": COST_MAX, "cost_per_minute": COST_MAX}
    async with (
        guarded(tmp_path, **settings) as server,
        writing(server, "ada") as (ada, peer),
        writing(server, "grace") as (grace, _),
    ):
        assert "errors" not in (await server.graphql(ada, UPSERT)).json
        assert not await is_refused_by_websocket(peer, UPSERT)
        files = server.files
        assert await is_refused_by_websocket(peer, UPSERT)
        assert refused(await server.graphql(ada, UPSERT))
        assert refused(await server.rest(ada, "PUT", HEAT, json={"genre": "Crime"}))
        assert refused(await server.rest(ada, "GET", MOVIES))
        assert server.files == files
        assert "errors" not in (await server.graphql(grace, UPSERT)).json
        server.clock.ahead_s += MINUTE_S
        assert "errors" not in (await server.graphql(ada, UPSERT)).json


@pytest.mark.parametrize("size", [200, 200.0])
async def test_an_operation_that_costs_too_much_does_so_by_every_way(
    tmp_path: Path, size: float
) -> None:
    query = "query($n: Int) { movies(first: $n) { nodes { id } } }"
    variables, digest = {"n": size}, hashlib.sha256(query.encode()).hexdigest()
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    async with guarded(tmp_path, cost_max=100, cost_per_minute=1_000) as server:
        shown = {"query": query, "variables": json.dumps(variables)}
        replies = [
            await server.ask(query, variables),
            await server.call("GET", "/graphql", params=shown),
            await server.post({"variables": variables, "extensions": persisted}),
        ]
        async with server.connected() as peer:
            assert await peer.is_let_in()
            payload = {"query": query, "variables": variables}
            await peer.say({"id": "1", "type": "subscribe", "payload": payload})
            errors = [
                *(reply.json["errors"] for reply in replies),
                (await peer.heard())["payload"],
            ]
        assert [each[0]["extensions"]["code"] for each in errors] == ["LIMIT_EXCEEDED"] * 4


async def test_two_tokens_of_one_subject_share_a_budget_and_two_issuers_do_not(
    tmp_path: Path,
) -> None:
    async with guarded(tmp_path, requests_per_minute=2) as server:
        mint = server.mint
        for _ in range(2):
            assert not refused(await server.graphql(bearer(mint.ours(sub="ada")), READ))
        assert refused(await server.graphql(bearer(mint.ours(sub="ada")), READ))
        assert not refused(await server.graphql(bearer(mint.outside(sub="ada")), READ))


async def test_guesses_at_tokens_use_up_the_budget_of_their_address(tmp_path: Path) -> None:
    async with guarded(tmp_path, requests_per_minute=6) as server:
        guess = bearer(server.mint.ours(key="another" * 8))
        assert (await server.graphql(guess, READ)).status == 401
        assert (await server.rest(guess, "DELETE", HEAT)).status == 401
        for _ in range(2):
            async with server.connected() as peer:
                assert not await peer.is_let_in(guess.authorizations[0])
                assert peer.client.close_code == 4403
        assert refused(await server.graphql(guess, READ))
        assert refused(await server.rest(guess, "DELETE", HEAT))
        await assert_no_handshake(server, ANONYMOUS)
        assert refused(await server.graphql(ANONYMOUS, READ))
        assert not refused(await server.graphql(bearer(server.mint.ours()), READ))


# Logging in.


async def log_in(server: Guarded, name: str, password: str = "x" * 12, via: str = "") -> Reply:
    headers = {"x-forwarded-for": via} if via else {}
    body = {"username": name, "password": password}
    return await server.call("POST", "/login", json=body, headers=headers)


async def test_a_name_can_be_tried_so_often_from_one_address(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"login_attempts_per_minute": 2, "trusted_hops": 1}
    async with guarded(tmp_path, **settings) as server:
        statuses = [
            (await log_in(server, name, via="192.0.2.1")).status for name in (USER, USER.upper())
        ]
        assert statuses == [401, 401]
        assert refused(await log_in(server, USER, PASSWORD, via="192.0.2.1"))
        assert (await log_in(server, "grace", via="192.0.2.1")).status == 401
        assert (await log_in(server, USER, PASSWORD, via="192.0.2.2")).status == 200
        assert refused(await log_in(server, USER, PASSWORD, via="192.0.2.1"))
        server.clock.ahead_s += MINUTE_S
        assert (await log_in(server, USER, PASSWORD, via="192.0.2.1")).status == 200


async def test_many_names_from_one_address_are_bounded_by_its_requests(tmp_path: Path) -> None:
    async with guarded(tmp_path, requests_per_minute=3) as server:
        replies = [await log_in(server, f"nobody{number}") for number in range(4)]
        assert [refused(reply) for reply in replies] == [False, False, False, True]
        assert refused(await server.graphql(ANONYMOUS, READ))


@pytest.mark.parametrize("guessed", [USER, None])
async def test_a_right_password_is_not_starved_by_guesses_from_elsewhere(
    tmp_path: Path, guessed: str | None
) -> None:
    async with guarded(tmp_path, trusted_hops=1, login_waiting_max=20) as server:
        guessing = [
            asyncio.ensure_future(
                log_in(server, guessed or f"nobody{number}", via=f"2001:db8::{number}")
            )
            for number in range(60)
        ]
        await until(lambda: any(each.done() for each in guessing))
        for number in range(8):
            assert (await log_in(server, USER, PASSWORD, via=f"192.0.2.{number}")).status == 200
        assert {reply.status for reply in await asyncio.gather(*guessing)} == {401, 429}


async def test_one_address_may_try_few_passwords_a_minute(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"login_attempts_per_address_per_minute": 3, "trusted_hops": 1}
    async with guarded(tmp_path, **settings) as server:
        addresses = [f"2001:db8::{number}" for number in range(5)]
        replies = [await log_in(server, f"nobody{each}", via=each) for each in addresses]
        assert [refused(reply) for reply in replies] == [False, False, False, True, True]
        assert refused(await log_in(server, USER, PASSWORD, via=addresses[0]))
        assert (await log_in(server, USER, PASSWORD, via="2001:db8:0:1::1")).status == 200
        server.clock.ahead_s += MINUTE_S
        assert (await log_in(server, USER, PASSWORD, via=addresses[0])).status == 200


# What admits nobody itself.

OPEN = [
    ("GET", "/"),
    ("GET", "/movie/tt0076759"),
    ("GET", "/client.json"),
    ("GET", "/metrics"),
    ("GET", "/static/nothing"),
    ("GET", "/nothing"),
    ("GET", "/api/nothing"),
    ("GET", "/api/openapi.json"),
    ("GET", "/files"),
    ("POST", "/"),
    ("POST", "/metrics"),
    ("POST", "/files"),
    ("PATCH", "/api/movies"),
    ("OPTIONS", "/api/movies"),
    ("GET", "/login"),
    ("PUT", "/graphql"),
    ("TRACE", "/nothing"),
]


@pytest.mark.parametrize("method, path", OPEN)
async def test_whatever_a_stranger_calls_is_taken_from_its_address(
    tmp_path: Path, method: str, path: str
) -> None:
    async with guarded(tmp_path, requests_per_minute=2) as server:
        token = bearer(server.mint.ours())
        replies = [await server.call(method, path) for _ in range(3)]
        assert [reply.status == 429 for reply in replies] == [False, False, True]
        assert refused(replies[2])
        assert refused(await server.graphql(ANONYMOUS, READ))
        assert not refused(await server.graphql(token, READ))


HANDSHAKE = {
    "upgrade": "websocket",
    "connection": "upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    "path, status",
    [
        ("/graphql", 400),  # no subprotocol
        ("/nope", 404),
        ("/graphql/", 404),
        ("/movie/x", 404),
        ("/static/none.js", 404),
        ("/healthz", 404),
        ("/%0a", 404),
    ],
)
async def test_a_handshake_that_is_refused_is_a_request_as_others_are(
    tmp_path: Path, path: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with guarded(tmp_path, requests_per_minute=2, hsts_s=9) as server:
        headers = HANDSHAKE | {"accept": "text/html", "x-request-id": "handshake-1"}
        replies = [await server.call("GET", path, headers=headers) for _ in range(3)]
        assert [reply.status for reply in replies] == [status, status, 429]
        assert refused(replies[2])
        assert refused(await server.graphql(ANONYMOUS, READ))
        for reply in replies:
            assert reply.headers["content-type"] == "application/json"
            assert reply.headers["content-security-policy"].startswith("default-src 'none'")
            assert reply.headers["strict-transport-security"] == "max-age=9"
            assert reply.headers["x-request-id"] == "handshake-1"
        lines = [line for line in server.log.splitlines() if "handshake-1" in line]
        assert [json.loads(line)["status"] for line in lines] == [status, status, 429]
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_a_handshake_that_is_let_in_is_taken_from_a_budget(tmp_path: Path) -> None:
    async with guarded(tmp_path, requests_per_minute=2) as server:
        token = bearer(server.mint.ours())
        for shown in (ANONYMOUS, token):
            for _ in range(2):
                async with server.connected(shown) as peer:
                    assert await peer.is_let_in()
            await assert_no_handshake(server, shown)
            assert refused(await server.graphql(shown, READ))


async def test_graphiql_is_taken_from_its_address(tmp_path: Path) -> None:
    async with guarded(tmp_path, requests_per_minute=2) as server:
        headers = {"accept": "text/html"}
        replies = [await server.call("GET", "/graphql", headers=headers) for _ in range(3)]
        assert [reply.status == 429 for reply in replies] == [False, False, True]


async def test_probes_are_never_refused(tmp_path: Path) -> None:
    async with guarded(tmp_path, requests_per_minute=1) as server:
        for path in ("/healthz", "/readyz") * 3:
            assert (await server.call("GET", path)).status == 200
        assert not refused(await server.graphql(ANONYMOUS, READ))


# Whose address it is.


def via(*addresses: str) -> dict[str, str]:
    return {"x-forwarded-for": ", ".join(addresses)}


async def test_what_clients_say_of_their_address_is_ignored(tmp_path: Path) -> None:
    async with guarded(tmp_path, requests_per_minute=3, login_attempts_per_minute=1) as server:
        for number in range(3):
            headers = via(f"192.0.2.{number}")
            assert not refused(await server.graphql(ANONYMOUS, READ, **headers))
        assert refused(await server.graphql(ANONYMOUS, READ, **via("192.0.2.9")))
        assert refused(await server.rest(ANONYMOUS, "GET", MOVIES, headers=via("192.0.2.9")))
        assert refused(await log_in(server, USER, via="192.0.2.9"))
        await assert_no_handshake(server, Presented(extra=via("192.0.2.9")))


async def test_what_our_proxy_says_of_addresses_is_used(tmp_path: Path) -> None:
    async with guarded(tmp_path, requests_per_minute=2, trusted_hops=1) as server:
        for _ in range(2):
            assert not refused(await server.graphql(ANONYMOUS, READ, **via("192.0.2.1")))
        # The first entries are what the client wrote itself.
        assert refused(await server.graphql(ANONYMOUS, READ, **via("192.0.2.7", "192.0.2.1")))
        assert refused(await server.rest(ANONYMOUS, "GET", MOVIES, headers=via("192.0.2.1")))
        assert not refused(await server.graphql(ANONYMOUS, READ, **via("192.0.2.2")))
        await assert_no_handshake(server, Presented(extra=via("192.0.2.8", "192.0.2.1")))
        async with server.connected(Presented(extra=via("192.0.2.8", "192.0.2.2"))) as peer:
            assert await peer.is_let_in()
            assert await is_refused_by_websocket(peer)


async def test_a_customers_network_of_ipv6_is_one_caller(tmp_path: Path) -> None:
    async with guarded(tmp_path, requests_per_minute=1, trusted_hops=1) as server:
        assert not refused(await server.graphql(ANONYMOUS, READ, **via("2001:db8::1")))
        assert refused(await server.graphql(ANONYMOUS, READ, **via("2001:db8::2")))
        assert not refused(await server.graphql(ANONYMOUS, READ, **via("2001:db8:1::2")))


# What a server keeps to itself.

CURIOUS = (
    "{ __schema { types { name } } }",
    '{ __type(name: "Mutation") { fields { name } } }',
    "{ hidden: __schema { queryType { name } } }",
    "query { ... on Query { __schema { queryType { name } } } }",
    "query { ...all } fragment all on Query { __schema { queryType { name } } }",
    "mutation { __schema { queryType { name } } }",
)


async def test_where_introspection_is_off_the_schema_is_told_by_no_way(tmp_path: Path) -> None:
    async with guarded(tmp_path, introspection=False) as server:
        admin = bearer(server.mint.ours(scope="admin"))
        for document in CURIOUS:
            replies = [
                await server.graphql(ANONYMOUS, document),
                await server.graphql(admin, document),
                await server.call("GET", "/graphql", params={"query": document}),
            ]
            async with server.connected() as peer:
                assert await peer.is_let_in()
                bodies = [{"errors": await peer.asked(document)}]
            bodies += [reply.json for reply in replies]
            for body in bodies:
                assert set(codes_of(body)) == {"GRAPHQL_VALIDATION_FAILED"}
                assert "data" not in body


async def test_where_introspection_is_off_type_names_are_still_told(tmp_path: Path) -> None:
    async with guarded(tmp_path, introspection=False) as server:
        query = "{ __typename movies(first: 1) { __typename nodes { __typename } } }"
        data = (await server.ask(query)).data
        assert data["__typename"] == "Query"
        assert data["movies"]["nodes"] == [{"__typename": "Movie"}]


async def test_the_schema_may_be_asked_for_where_nothing_else_is_set(tmp_path: Path) -> None:
    async with guarded(tmp_path) as server:
        assert (await server.ask(CURIOUS[0])).data["__schema"]["types"]


@pytest.mark.parametrize("is_on", [True, False])
async def test_browsers_get_a_page_only_where_that_is_on(
    tmp_path: Path,
    is_on: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    async with guarded(tmp_path, graphiql=is_on) as server:
        headers = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        page = await server.call("GET", "/graphql", headers=headers)
        if is_on:
            assert page.status == 200
            assert page.headers["content-type"].startswith("text/html")
        else:
            assert page.status == 400
            assert codes_of(page.json) == ["BAD_REQUEST"]
            assert "<html" not in page.text
        answer = await server.call("GET", "/graphql", params={"query": READ}, headers=headers)
        assert answer.data == {"__typename": "Query"}
