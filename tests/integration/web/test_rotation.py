"""An issuer's keys change, vanish and cannot be had, while the server goes on."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.integration.web.guarded import KEY, Guarded, Presented, bearer, codes_of, guarded
from tests.unit.tokens.issuing import jwk

LIFETIME_S = 600.0
PAUSE_S = 10.0
STALE_S = 3_600.0
HEAT = "/api/movies/Heat/1995"
UPSERT = 'mutation { upsertMovie(input: {name: "Heat", year: 1995}) { errors { message } } }'
READ = "{ __typename }"


@pytest.fixture(params=["described", "direct"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Guarded]:
    """Run a server that finds the keys by the issuer's description, or knows where they are."""
    async with served(tmp_path, direct=request.param == "direct") as server:
        yield server


def served(folder: Path, *, direct: bool) -> Any:
    return guarded(
        folder,
        "/keys" if direct else None,
        jwks_lifetime_s=LIFETIME_S,
        jwks_pause_s=PAUSE_S,
        jwks_stale_s=STALE_S,
    )


def shown(server: Guarded, name: str) -> Presented:
    """Return a token of the issuer for a day, signed with the key of this name."""
    mint = server.mint
    return bearer(mint.outside(name, exp=mint.claims()["iat"] + 80_000))


async def may(server: Guarded, token: Presented) -> bool:
    """Return whether a token is accepted, which every way in has to agree on."""
    written = await server.rest(token, "PUT", HEAT, json={"genre": "Crime"})
    changed = await server.graphql(token, UPSERT)
    params = {"query": READ}
    read = await server.call("GET", "/graphql", params=params, headers=token.headers)
    async with server.connected() as peer:
        is_let_in = await peer.is_let_in(token.authorizations[0])
        if is_let_in:
            assert (await peer.asked(UPSERT))["data"] == {"upsertMovie": {"errors": []}}
        else:
            assert peer.client.close_code == 4403
    if not is_let_in:
        assert (written.status, changed.status, read.status) == (401, 401, 401)
        assert codes_of(changed.json) == ["UNAUTHENTICATED"]
    else:
        assert written.status in {200, 201}
        assert (changed.status, read.status) == (200, 200)
        assert changed.data == {"upsertMovie": {"errors": []}}
    return is_let_in


async def test_a_new_key_is_good_at_once_and_the_old_one_is_gone(server: Guarded) -> None:
    old = shown(server, "first")
    assert await may(server, old)
    server.issuer.keys = [jwk(KEY, "second")]
    server.clock.ahead_s += PAUSE_S
    assert await may(server, shown(server, "second"))
    assert not await may(server, old)


async def test_two_keys_beside_each_other_are_both_good(server: Guarded) -> None:
    old = shown(server, "first")
    assert await may(server, old)
    server.issuer.keys.append(jwk(KEY, "second"))
    server.clock.ahead_s += PAUSE_S
    assert await may(server, shown(server, "second"))
    assert await may(server, old)


async def test_an_old_key_ends_with_its_lifetime_though_nobody_shows_a_new_one(
    server: Guarded,
) -> None:
    old = shown(server, "first")
    assert await may(server, old)
    asked = len(server.issuer.asked)
    server.issuer.keys = [jwk(KEY, "second")]
    server.clock.ahead_s += LIFETIME_S - 60
    assert await may(server, old)
    assert len(server.issuer.asked) == asked
    server.clock.ahead_s += 60
    assert not await may(server, old)


async def test_another_key_under_the_same_name_ends_what_the_first_one_signed(
    server: Guarded,
) -> None:
    old = shown(server, "first")
    assert await may(server, old)
    server.issuer.keys = [jwk(KEY, "second", kid="first")]
    server.clock.ahead_s += LIFETIME_S
    assert not await may(server, old)
    mint = server.mint
    assert await may(server, bearer(mint.outside("second", kid="first")))


async def test_an_invented_key_does_not_make_the_server_ask_again_and_again(
    server: Guarded,
) -> None:
    assert await may(server, shown(server, "first"))
    server.clock.ahead_s += PAUSE_S
    before = len(server.issuer.asked)
    for number in range(5):
        invented = bearer(server.mint.outside("mallory", kid=f"invented-{number}"))
        assert (await server.graphql(invented, READ)).status == 401
    documents = 2 if server.issuer.asked[0].startswith("/.well-known") else 1
    assert len(server.issuer.asked) == before + documents


@pytest.mark.parametrize("failure", ["503", "garbage", "gone"])
async def test_while_the_keys_cannot_be_had_known_ones_go_on_and_no_new_ones_come_in(
    server: Guarded, failure: str
) -> None:
    old, new = shown(server, "first"), shown(server, "second")
    assert await may(server, old)
    server.issuer.keys = [jwk(KEY, "second")]
    server.issuer.reply = FAILURES[failure]
    server.clock.ahead_s += LIFETIME_S
    assert await may(server, old)
    assert not await may(server, new)
    assert {"no keys"} == {each["event"] for each in server.log_lines if "reason" in each}
    server.clock.ahead_s += STALE_S - LIFETIME_S
    assert not await may(server, old)
    assert not await may(server, new)
    server.issuer.reply = None
    server.clock.ahead_s += PAUSE_S
    assert await may(server, new)
    assert not await may(server, old)


def _hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


FAILURES: dict[str, Any] = {
    "503": lambda _: web.Response(status=503),
    "garbage": lambda _: web.Response(text="<html>"),
    "gone": _hang_up,
}


async def test_a_server_that_never_had_the_keys_lets_nobody_of_the_issuer_in(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, direct=False) as server:
        server.issuer.reply = FAILURES["503"]
        assert not await may(server, shown(server, "first"))
        assert await may(server, bearer(server.mint.ours()))  # the login has its own
        assert (await server.call("GET", "/readyz")).status == 200
        assert (await server.ask("{ movies { totalCount } }")).status == 200


async def test_the_answer_that_a_token_got_is_not_given_to_it_once_its_key_is_gone(
    server: Guarded,
) -> None:
    old = shown(server, "first")
    question = {"query": "{ movies { totalCount } }"}
    for _ in range(3):  # the later ones are kept answers
        reply = await server.call("GET", "/graphql", params=question, headers=old.headers)
        assert reply.status == 200
    server.issuer.keys = [jwk(KEY, "second")]
    server.clock.ahead_s += LIFETIME_S
    reply = await server.call("GET", "/graphql", params=question, headers=old.headers)
    assert (reply.status, codes_of(reply.json)) == (401, ["UNAUTHENTICATED"])
    etag = {"if-none-match": "*"}
    headers = [*old.headers, *etag.items()]
    reply = await server.call("GET", "/graphql", params=question, headers=headers)
    assert reply.status == 401
