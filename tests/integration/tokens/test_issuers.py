"""Tokens of an OpenID issuer over real sockets: rotation, outages, floods, bad answers."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from movieql.domain.errors import UnauthenticatedError
from movieql.tokens.verifying import Tokens
from tests.integration.tokens.conftest import Door, OpenIdIssuer
from tests.unit.tokens.issuing import jwk, jwks

PAUSE_S = 0.05


async def is_accepted(tokens: Tokens, token: str) -> bool:
    try:
        return bool(await tokens.verify(token))
    except UnauthenticatedError:
        return False


async def becomes(tokens: Tokens, token: str, *, accepted: bool) -> None:
    """Wait until a token is accepted, or is not, however often that has to be asked."""
    async with asyncio.timeout(5):
        while await is_accepted(tokens, token) is not accepted:  # noqa: ASYNC110  # no event
            await asyncio.sleep(PAUSE_S)


@pytest.mark.parametrize(
    "discovery, asked",
    [(False, ["/keys"]), (True, ["/.well-known/openid-configuration", "/keys"])],
    ids=["keys", "description"],
)
async def test_a_token_is_accepted_by_the_keys_that_its_issuer_publishes(
    issuer: OpenIdIssuer,
    door: Door,
    discovery: bool,  # noqa: FBT001  # a parameter of the test
    asked: list[str],
) -> None:
    tokens = door.tokens(discovery=discovery)
    assert (await tokens.verify(door.token(sub="ada"))).subject == "ada"
    assert issuer.asked == asked


async def test_another_issuers_description_is_rejected(issuer: OpenIdIssuer, door: Door) -> None:
    issuer.issuer = "https://other.example"
    assert not await is_accepted(door.tokens(discovery=True), door.token())
    assert issuer.asked == ["/.well-known/openid-configuration"]
    assert "not of this issuer" in door.failures[0]


async def test_new_keys_need_no_restart(issuer: OpenIdIssuer, door: Door) -> None:
    tokens = door.tokens(pause_s=PAUSE_S)
    assert await is_accepted(tokens, door.token("first"))
    issuer.keys = [jwk("ES256", "second")]
    await becomes(tokens, door.token("second"), accepted=True)
    assert not await is_accepted(tokens, door.token("first"))


async def test_an_issuer_that_is_down_leaves_known_keys_and_lets_no_new_ones_in(
    issuer: OpenIdIssuer, door: Door
) -> None:
    tokens = door.tokens(pause_s=0.001)
    assert await is_accepted(tokens, door.token("first"))
    issuer.keys = [jwk("ES256", "second")]
    issuer.reply = lambda _: web.Response(status=503)
    for _ in range(5):
        assert not await is_accepted(tokens, door.token("second"))
        assert await is_accepted(tokens, door.token("first"))
        await asyncio.sleep(0.002)
    assert "503" in door.failures[0]
    issuer.reply = None
    await becomes(tokens, door.token("second"), accepted=True)


async def test_two_hundred_at_once_with_cold_keys_ask_once(
    issuer: OpenIdIssuer, door: Door
) -> None:
    issuer.delay_s = 0.1
    tokens = door.tokens()
    made = [door.token(jti=str(number)) for number in range(200)]
    assert all(await asyncio.gather(*(is_accepted(tokens, token) for token in made)))
    assert issuer.asked == ["/keys"]


async def test_a_flood_of_invented_keys_asks_once_in_the_pause(
    issuer: OpenIdIssuer, door: Door
) -> None:
    tokens = door.tokens(pause_s=60)
    flood = [door.token(headers={"kid": f"invented {number}"}) for number in range(300)]
    assert not any(await asyncio.gather(*(is_accepted(tokens, token) for token in flood)))
    assert not any([await is_accepted(tokens, token) for token in flood])
    assert await is_accepted(tokens, door.token())
    assert issuer.asked == ["/keys"]


def endless(_: web.Request) -> web.StreamResponse:
    return web.Response(body=jwks(jwk("ES256")) + b" " * 3_000_000)


def elsewhere(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": f"http://{request.host}/keys?moved"})


BAD: dict[str, Any] = {
    "html": lambda _: web.Response(text="<html>"),
    "nothing": lambda _: web.Response(),
    "too large": endless,
    "redirect": elsewhere,
    "not found": lambda _: web.Response(status=404, body=jwks(jwk("ES256"))),
    "symmetric": lambda _: web.Response(
        body=jwks({"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "first", "alg": "HS256"})
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_answer_lets_nobody_in_and_is_told_to_operators(
    issuer: OpenIdIssuer, door: Door, name: str
) -> None:
    issuer.reply = BAD[name]
    assert not await is_accepted(door.tokens(), door.token())
    assert len(door.failures) == 1
    assert issuer.asked == ["/keys"]


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_answer_never_replaces_good_keys(
    issuer: OpenIdIssuer, door: Door, name: str
) -> None:
    tokens = door.tokens(pause_s=0.001)
    assert await is_accepted(tokens, door.token())
    issuer.reply = BAD[name]
    await asyncio.sleep(0.002)
    assert not await is_accepted(tokens, door.token("second"))
    assert await is_accepted(tokens, door.token())
    assert door.failures


async def test_an_issuer_that_hangs_is_given_up_in_time(issuer: OpenIdIssuer, door: Door) -> None:
    issuer.delay_s = 30
    async with asyncio.timeout(3):
        assert not await is_accepted(door.tokens(timeout_s=0.1), door.token())
    assert "in time" in door.failures[0]


async def test_keys_are_not_asked_for_without_encryption(issuer: OpenIdIssuer, door: Door) -> None:
    assert not await is_accepted(door.tokens(https_only=True), door.token())
    assert issuer.asked == []
    assert "https" in door.failures[0]
