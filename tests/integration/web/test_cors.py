import pytest

from tests.servers import running

ORIGIN = "https://shop.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


async def test_pages_of_an_origin_that_is_named_may_ask() -> None:
    async with running({"cors_origins": ORIGIN}) as server:
        asked = await server.call("OPTIONS", "/graphql", headers=PREFLIGHT)
        assert asked.headers["access-control-allow-origin"] == ORIGIN
        answer = await server.post({"query": "{ providers { id } }"}, Origin=ORIGIN)
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "x-movieql-sources" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("settings", [{}, {"cors_origins": "https://else.example.com"}])
async def test_pages_of_other_origins_may_not(settings: dict[str, str]) -> None:
    async with running(settings) as server:
        asked = await server.call("OPTIONS", "/graphql", headers=PREFLIGHT)
        assert "access-control-allow-origin" not in asked.headers


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
async def test_what_a_form_of_another_site_can_send_is_refused(kind: str) -> None:
    async with running() as server:
        answer = await server.call(
            "POST",
            "/graphql",
            data=b'{"query":"{ providers { id } }"}',
            headers={"content-type": kind},
        )
        assert answer.status == 415
