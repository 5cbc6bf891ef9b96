"""A real nginx in front: it keeps whole answers that anybody may see, and nothing else."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.nginx import free_port, nginx
from tests.servers import JWT_SECRET, ROOT, Client, Reply, Stack, running, token

CACHE = """
proxy_cache_path {folder}/cache keys_zone=answers:1m;
server {{
  listen 127.0.0.1:{port};
  location / {{
    proxy_pass {url};
    proxy_http_version 1.1;
    proxy_cache answers;
    proxy_cache_key $request_uri$http_accept;
    proxy_cache_revalidate on;
    add_header X-Cache $upstream_cache_status always;
  }}
}}
"""

DOCUMENT = """query Page($first: Int) {
  movies(first: $first) { complete nodes { title cheapest { final } } }
}"""
SHA256 = hashlib.sha256(DOCUMENT.encode()).hexdigest()
EXTENSIONS = {"persistedQuery": {"version": 1, "sha256Hash": SHA256}}

FRESH_S = 3.0
SHORT_LIVES = {"fresh_s": FRESH_S, "fresh_jitter": 0, "stale_while_refresh_s": FRESH_S}
"""Old after 3 s, and then a question waits for the refresh."""

SLACK_S = 1.0
"""What a refresh and a busy machine may take."""


@dataclass(frozen=True)
class Proxied:
    """A server, and nginx in front of it."""

    server: Stack
    proxy: Client

    @property
    def asked(self) -> int:
        """Return how many GETs came through to the server."""
        return len(self.statuses)

    @property
    def statuses(self) -> list[int]:
        """Return what the server answered to GETs."""
        return [
            line["status"]
            for line in self.server.log_lines
            if line["event"] == "request" and line["method"] == "GET"
        ]

    async def register(self) -> Reply:
        """Send the document along once; what the shops have is known afterwards."""
        return await self.proxy.post({"query": DOCUMENT, "extensions": EXTENSIONS})

    async def get(self, first: int = 3, **headers: str) -> Reply:
        """Name the document by its hash, as clients with persisted queries do."""
        parameters = {
            "extensions": json.dumps(EXTENSIONS),
            "variables": json.dumps({"first": first}),
        }
        return await self.proxy.call("GET", "/graphql", params=parameters, headers=headers)


def cache(reply: Reply) -> str:
    """Return what nginx made of a request; nothing when it did not look."""
    return reply.headers.get("x-cache", "")


@asynccontextmanager
async def caching(url: str, folder: Path) -> AsyncIterator[str]:
    """Run nginx with a cache in front of a URL until the block ends; gives its own URL."""
    port = free_port()
    async with nginx(CACHE.format(folder=folder, url=url, port=port), folder, port):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def proxied(
    folder: Path, settings: Mapping[str, Any] | None = None
) -> AsyncIterator[Proxied]:
    """Run the simulator, the server and nginx."""
    async with (
        running(settings) as server,
        caching(server.url, folder) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Proxied(server, Client(url, session))


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Proxied]:
    """Run a server over two healthy shops, whose answers are fresh for a minute."""
    async with proxied(tmp_path) as pair:
        yield pair


async def test_a_persisted_query_is_answered_by_the_proxy_alone(both: Proxied) -> None:
    assert (await both.register()).data["movies"]["complete"] is True
    first = await both.get()
    assert (cache(first), len(first.data["movies"]["nodes"])) == ("MISS", 3)
    for _ in range(3):
        again = await both.get()
        assert (cache(again), again.text) == ("HIT", first.text)
        assert again.headers["etag"] == first.headers["etag"]
    assert both.asked == 1


async def test_a_document_that_is_not_known_yet_does_not_stay_unknown(both: Proxied) -> None:
    for _ in range(2):
        unknown = await both.get()
        (error,) = unknown.json["errors"]
        assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        assert cache(unknown) == "MISS"
    await both.register()
    assert (await both.get()).data["movies"]["complete"] is True


async def test_other_variables_and_other_types_are_answers_of_their_own(both: Proxied) -> None:
    await both.register()
    kind = "application/graphql-response+json"
    for expected in ("MISS", "HIT"):
        three, two, other = await both.get(), await both.get(2), await both.get(accept=kind)
        assert [cache(reply) for reply in (three, two, other)] == [expected] * 3
        assert [len(r.data["movies"]["nodes"]) for r in (three, two, other)] == [3, 2, 3]
        assert three.headers["content-type"].startswith("application/json")
        assert other.headers["content-type"].startswith(kind)


async def test_what_was_posted_is_never_kept_by_the_proxy(both: Proxied) -> None:
    for _ in range(2):
        assert cache(await both.register()) == ""


async def test_an_old_answer_is_kept_when_it_still_is_what_there_is(tmp_path: Path) -> None:
    async with proxied(tmp_path, SHORT_LIVES) as both:
        await both.register()
        first = await both.get()
        calls = both.server.simulator.calls.total()
        seen = [cache(first)]
        async with asyncio.timeout(FRESH_S * 4):
            while seen[-1] != "REVALIDATED":
                await asyncio.sleep(0.1)
                again = await both.get()
                assert again.text == first.text
                assert again.headers["etag"] == first.headers["etag"]
                seen.append(cache(again))
        assert "HIT" in seen
        assert both.statuses[-1] == 304
        assert both.server.simulator.calls.total() > calls  # the shops said the same again
        assert cache(await both.get()) == "HIT"


async def test_nothing_is_shown_for_longer_than_it_is_fresh(tmp_path: Path) -> None:
    async with proxied(tmp_path, SHORT_LIVES) as both:
        await both.register()
        began_s = time.monotonic()
        reply = first = await both.get()
        for provider, catalogue in both.server.simulator.catalogues.items():
            for movie_id in catalogue.movies:
                both.server.simulator.change(provider, movie_id, Title="Changed")
        async with asyncio.timeout(FRESH_S * 4):
            while reply.text == first.text:
                await asyncio.sleep(0.02)
                reply = await both.get()
        assert time.monotonic() - began_s < FRESH_S + SLACK_S


async def test_a_degraded_answer_is_never_kept(both: Proxied) -> None:
    await both.server.simulator.turn("filmworld", "500")
    await both.register()
    for number in range(1, 4):
        reply = await both.get()
        assert reply.data["movies"]["complete"] is False
        assert (cache(reply), both.asked) == ("MISS", number)


async def test_an_answer_to_somebody_in_particular_is_given_to_nobody_else(
    tmp_path: Path,
) -> None:
    async with proxied(tmp_path, {"jwt_secret": JWT_SECRET}) as both:
        await both.register()
        for number in range(1, 3):
            private = await both.get(authorization=f"Bearer {token()}")
            assert (cache(private), both.asked) == ("MISS", number)
            assert private.headers["cache-control"].startswith("private, max-age=")
        for expected in ("MISS", "HIT"):
            public = await both.get()
            assert cache(public) == expected
            assert public.headers["cache-control"].startswith("public, max-age=")
            assert public.headers["etag"] != private.headers["etag"]


async def test_a_token_that_is_not_valid_is_refused_and_nothing_is_kept(both: Proxied) -> None:
    await both.register()
    for number in range(1, 3):
        refused = await both.get(authorization="Bearer x")
        assert (cache(refused), both.asked, refused.status) == ("MISS", number, 401)
    assert (await both.get()).data["movies"]["complete"] is True


def compose_nginx(url: str, port: int) -> str:
    """Return what compose.yaml's nginx does, without what is Docker's or newer than Debian's."""
    text = (ROOT / "compose" / "nginx.conf").read_text(encoding="utf-8")
    http = text[text.index("  # Compose's names") :].rstrip().removesuffix("}")
    for theirs, ours in {
        "  resolver 127.0.0.11 valid=1s ipv6=off;": "",
        "server server:8000 resolve": f"server {url.removeprefix('http://')}",
        "listen 8080": f"listen 127.0.0.1:{port}",
    }.items():
        assert theirs in http
        http = http.replace(theirs, ours)
    return http


async def test_the_proxy_of_compose_passes_on_what_it_has_to(tmp_path: Path) -> None:
    port = free_port()
    async with (
        running({"trusted_hops": 1, "requests_per_minute": 3}) as server,
        nginx(compose_nginx(server.url, port), tmp_path, port),
        aiohttp.ClientSession() as session,
    ):
        proxy = Client(f"http://127.0.0.1:{port}", session)
        for _ in range(2):
            assert (await proxy.ask("{ movies { totalCount } }")).data["movies"]["totalCount"] == 7
        for path in ("/metrics", "/readyz"):
            assert (await proxy.call("GET", path)).status == 404
        async with session.ws_connect(
            f"{proxy.url}/graphql", protocols=["graphql-transport-ws"]
        ) as socket:
            await socket.send_json({"type": "connection_init"})
            assert (await socket.receive_json())["type"] == "connection_ack"
        # An address that the caller made up is ignored: the budget is that of its own.
        forged = {"x-forwarded-for": "192.0.2.1", "content-type": "application/json"}
        body = b'{"query": "{ movies { totalCount } }"}'
        statuses = [
            (await proxy.call("POST", "/graphql", data=body, headers=forged)).status
            for _ in range(3)
        ]
        assert statuses[-1] == 429
