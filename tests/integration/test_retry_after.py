"""A shop that asks for a pause, over real sockets."""

from collections import Counter
from collections.abc import Mapping

import pytest
from aiohttp import web
from multidict import CIMultiDict

from movieql.settings.providers import parse_providers
from tests.servers import listening_shop, serving

QUESTION = "{ movies { nodes { id } sources { status error { code retryAfterMs } } } }"


@pytest.mark.parametrize("asked", [["30"], ["5", "30"], ["30", "5"], ["5, 30"]])
@pytest.mark.parametrize(
    "status, code", [(503, "UNAVAILABLE"), (500, "UNAVAILABLE"), (429, "RATE_LIMITED")]
)
async def test_a_shop_that_asks_for_half_a_minute_is_called_once(
    status: int, code: str, asked: list[str]
) -> None:
    headers = CIMultiDict(("Retry-After", each) for each in asked)
    calls: Counter[str] = Counter()

    async def shelf(request: web.Request) -> web.Response:
        calls[request.path] += 1
        return web.Response(status=status, headers=headers)

    app = web.Application()
    app.router.add_get("/list", shelf)
    async with listening_shop(app) as url:
        shop: Mapping[str, object] = {
            "id": "busy",
            "name": "Busy",
            "base_url": url,
            "currency": "AUD",
            "list": {"path": "/list", "wrapper": "rows", "fields": ["price"]},
            "keys": {"id": "id", "price": "price"},
        }
        async with serving(parse_providers({"providers": [shop]})) as server:
            replies = [await server.ask(QUESTION) for _ in range(20)]
    waits_ms = []
    for reply in replies:
        (source,) = reply.data["movies"]["sources"]
        assert (source["status"], source["error"]["code"]) == ("FAILED", code)
        waits_ms.append(source["error"]["retryAfterMs"])
    assert calls == {"/list": 1}
    assert all(20_000 < wait_ms <= 30_000 for wait_ms in waits_ms)
    assert waits_ms == sorted(waits_ms, reverse=True)
    assert waits_ms[-1] < waits_ms[0]
