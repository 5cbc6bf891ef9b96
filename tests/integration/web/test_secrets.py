"""The shops' tokens appear nowhere, whatever the shops do."""

import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from movieql.dev.faults import Mode, Pace
from movieql.settings.providers import parse_providers
from tests.servers import Client, Running, listening_shop, operation, running, serving

CANARY = "canary-0123456789-abcdefghij"
QUICK = {"budget_s": 0.4, "attempt_timeout_s": 0.2, "late_budget_s": 0.3, "fresh_s": 0.01}
PACE = Pace(slow_s=0.02, drip_s=0.05, retry_after_s=1)


async def everything_told(server: Client) -> str:
    """Return all that a caller can see of a server, headers too."""
    replies = [
        await server.ask(operation("CheapestMovies")),
        await server.ask('{ movie(id: "tt0076759") { title offers { error { message } } } }'),
        await server.ask("{ movies(requireComplete: true) { totalCount } }"),
        await server.call("GET", "/readyz"),
        await server.call("GET", "/metrics"),
    ]
    return "\n".join(f"{reply.headers}{reply.text}" for reply in replies)


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.OBSERVED])
async def test_a_token_is_told_to_nobody(mode: Mode, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(QUICK, token=CANARY, pace=PACE) as server:
        told = await everything_told(server)  # healthy, so that there is something to lose
        for provider in server.simulator.catalogues:
            await server.simulator.turn(provider, mode)
        told += await everything_told(server)
        assert CANARY not in told
        assert CANARY not in server.log
        assert CANARY not in caplog.text


async def echo(request: web.Request) -> web.StreamResponse:
    """Send the caller's token back wherever an answer has room for one."""
    token = request.headers["x-token"]
    replies = (
        web.Response(status=403, reason=token, text=token),
        web.Response(status=302, headers={"Location": f"/list?token={token}"}),
        web.Response(status=429, headers={"Retry-After": token}, text=token),
        web.Response(status=500, text=token),
        web.Response(text=f"<p>{token}"),
        web.json_response({token: token}),
        web.json_response({"rows": token}),
        web.json_response({"rows": []}, headers={"X-Token": token, "Set-Cookie": f"t={token}"}),
    )
    request.app[CALLS].append(1)
    return replies[len(request.app[CALLS]) % len(replies)]


CALLS = web.AppKey("calls", list[int])


@pytest.fixture
async def echoing() -> AsyncIterator[Running]:
    """Run the server over a shop that sends our token back."""
    app = web.Application()
    app[CALLS] = []
    app.router.add_get("/list", echo)
    async with listening_shop(app) as url:
        providers = parse_providers(
            {
                "providers": [
                    {
                        "id": "echo",
                        "name": "Echo",
                        "base_url": url,
                        "currency": "AUD",
                        "auth": {"kind": "header", "name": "x-token", "token_env": "TOKEN"},
                        "list": {"path": "/list", "wrapper": "rows", "fields": ["price"]},
                        "keys": {"id": "id", "price": "price"},
                    }
                ]
            }
        )
        async with serving(providers, {"TOKEN": CANARY}, QUICK) as server:
            yield server


async def test_a_shop_that_sends_our_token_back_does_not_make_us_tell_it(
    echoing: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(8):
        assert CANARY not in await everything_told(echoing)
    assert "provider failed" in echoing.log
    assert CANARY not in echoing.log
    assert CANARY not in caplog.text
