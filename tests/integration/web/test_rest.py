"""REST over sockets, with the real catalogue on files, the real login and real links."""

import asyncio
import io
import itertools
import json
import random
import re
import secrets
import shlex
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from yarl import URL

from movieql.clock import SystemClock
from movieql.services.catalogue import Catalogue
from movieql.storage.files import FileStore
from movieql.storage.links import LinkSigner
from movieql.tokens.claims import IssuerRules
from movieql.tokens.keys import SecretKey
from movieql.tokens.login import Login, LoginLimits, User
from movieql.tokens.passwords import hash_password
from movieql.tokens.signing import Signer
from movieql.tokens.verifying import Issuer, Tokens
from movieql.web.admission import Admission, Budgets, Callers, MemoryCounts, RateLimits
from movieql.web.files import Files
from movieql.web.login import LoginDoor
from movieql.web.requests import RequestMiddleware
from movieql.web.resources import BodyLimits, refused
from movieql.web.rest import Movies, rest_routes
from movieql.web.telemetry import Metrics, make_logger
from tests.servers import Reply, listening

BODY_BYTES_MAX = 100_000
BODY_S = 0.5
DOCS = Path(__file__).parents[3] / "docs" / "rest.md"
KEY = "movies.json"
PASSWORD = "a long enough password"  # noqa: S105  # of this test's user
SECRET = secrets.token_bytes(32)
HEAT = "/api/movies/Heat/1995"


@cache
def password_hash() -> str:
    """Return a hash of the password, made once: it takes its time."""
    return hash_password(PASSWORD)


@dataclass
class House:
    """The routes over a folder; `token` is sent along."""

    folder: Path
    clock: SystemClock = field(default_factory=SystemClock)
    log: io.StringIO = field(default_factory=io.StringIO)
    token: str | None = None

    def __post_init__(self) -> None:
        logger = make_logger("info", "json", self.log)
        self.metrics = Metrics(logger)
        self.links = LinkSigner(SECRET, "", self.clock.now)
        self.store = FileStore(
            self.folder,
            clock=self.clock,
            sign_link=self.links.sign,
            call_timeout_s=30.0,
            threads_max=10,
        )
        numbers = itertools.count()
        self.catalogue = Catalogue(
            self.store,
            key=KEY,
            clock=self.clock,
            rng=random.Random(1),
            new_write_id=lambda: f"writer{next(numbers)}",
        )
        self.limits = RateLimits(Budgets(requests=200), MemoryCounts(self.clock, 100))
        self.signer = Signer(SECRET, "here", "here", self.clock, lambda: secrets.token_hex(8))
        self.login = Login(
            [User("ada", password_hash(), frozenset({"movies:write"}))],
            self.signer,
            self.limits.login_attempt,
            LoginLimits(),
        )
        issuer = Issuer(IssuerRules("here", "here", 3600), SecretKey(SECRET))
        admission = Admission(Callers(Tokens([issuer], self.clock)), self.limits, trusted_hops=0)
        requests = Middleware(
            RequestMiddleware,
            clock=self.clock,
            logger=logger,
            metrics=self.metrics,
            new_id=lambda: secrets.token_hex(8),
            routes=[],
            shortcuts={},
            hsts_s=0,
        )
        self.app = Starlette(
            routes=rest_routes(lambda error: self.metrics.fault("rest", error)),
            middleware=[requests],
            exception_handlers={HTTPException: refused},
        )
        self.app.state.admission = admission
        self.app.state.movies = Movies(
            self.catalogue, admission, BodyLimits(BODY_BYTES_MAX, BODY_S)
        )
        self.app.state.login = LoginDoor(self.login, self.limits)
        self.app.state.files = Files(self.links.opened, self.store)

    async def close(self) -> None:
        await self.catalogue.aclose()
        self.login.close()
        await self.store.aclose()

    def listen(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self._session = url, session

    async def call(self, method: str, path: str, **options: Any) -> Reply:
        """Send a request to exactly this path, with the token if there is one."""
        if self.token is not None:
            options.setdefault("headers", {})["authorization"] = f"Bearer {self.token}"
        url = URL(self.url + path, encoded=True)
        async with self._session.request(method, url, **options) as response:
            text = (await response.read()).decode()
            return Reply(response.status, response.headers, text, 0.0)

    async def put(self, path: str, content: Any, **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call("PUT", path, json=content, headers=sent)

    async def curl(self, arguments: list[str]) -> Reply:
        """Send what curl would send, for the options that are shown to people."""
        options = iter(arguments)
        method, path, body, headers = "", "", None, {}
        for each in options:
            if each == "-H":
                name, _, headers_value = next(options).partition(": ")
                headers[name] = headers_value
            elif each == "-X":
                method = next(options)
            elif each == "-d":
                body = next(options).encode()
            elif each != "-i":
                path = each.removeprefix("http://127.0.0.1:8000")
        method = method or ("GET" if body is None else "POST")
        return await self.call(method, path, data=body, headers=headers)

    async def log_in(self, password: str = PASSWORD) -> Reply:
        return await self.call("POST", "/login", json={"username": "ada", "password": password})

    async def movies(self) -> list[dict[str, Any]]:
        """Return what is listed."""
        reply = await self.call("GET", "/api/movies")
        assert reply.status == 200
        listed: list[dict[str, Any]] = reply.json
        return listed


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Run the routes over an empty folder; nobody is logged in."""
    made = House(tmp_path)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(made.close)
        url = await stack.enter_async_context(listening(made.app))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        made.listen(url, session)
        yield made


@pytest.fixture
def open_house(house: House) -> House:
    """Return the house with a token that may write."""
    house.token = house.signer.token("ada", ["movies:write"], 60)
    return house


async def test_a_movie_from_the_login_to_its_end(house: House) -> None:
    assert await house.movies() == []
    assert (await house.put(HEAT, {"genre": "Crime"})).status == 401
    granted = await house.log_in()
    assert granted.json["expires_in"] == 3600
    house.token = granted.json["access_token"]
    created = await house.put(HEAT, {"genre": "Crime"})
    assert created.status == 201
    listed = await house.call("GET", "/api/movies")
    assert listed.json == [{"name": "Heat", "year": 1995, "genre": "Crime"}]
    assert listed.headers["etag"] == created.headers["etag"]
    updated = await house.put(HEAT, {"director": "Mann"}, if_match=created.headers["etag"])
    assert updated.status == 200
    assert updated.json["movie"] == {
        "name": "Heat",
        "year": 1995,
        "genre": "Crime",
        "director": "Mann",
    }
    late = await house.put(HEAT, {"genre": "Drama"}, if_match=created.headers["etag"])
    assert (late.status, late.json["error"]) == (409, "Version conflict")
    assert late.headers["etag"] == updated.headers["etag"]
    found = await house.call("GET", "/api/movies/query?name=heat&year=1995")
    assert found.json == [updated.json["movie"]]
    assert (await house.call("DELETE", HEAT)).status == 204
    assert (await house.call("DELETE", HEAT)).status == 404
    assert await house.movies() == []


async def test_a_version_seen_is_not_sent_again(open_house: House) -> None:
    etag = (await open_house.put(HEAT, {})).headers["etag"]
    known = await open_house.call("GET", "/api/movies", headers={"if-none-match": etag})
    assert (known.status, known.text) == (304, "")
    head = await open_house.call("HEAD", "/api/movies")
    assert (head.status, head.headers["etag"], head.text) == (200, etag, "")


@pytest.mark.parametrize(
    "name",
    ["Face/Off", "100%", "a%2Fb", "8½", "WALL·E", "what? #1 & more", "七人の侍", "a//b/../c", "+"],
)
async def test_a_name_is_the_same_on_every_way(open_house: House, name: str) -> None:
    encoded = quote(name, safe="")
    assert (await open_house.put(f"/api/movies/{encoded}/1999", {})).status == 201
    found = await open_house.call("GET", f"/api/movies/query?name={encoded}&year=1999")
    assert [movie["name"] for movie in found.json] == [name]
    assert (await open_house.call("DELETE", f"/api/movies/{encoded}/1999")).status == 204


@pytest.mark.parametrize(
    "path, content, at",
    [
        (HEAT, {"year": 1996}, ["year"]),
        (HEAT, {"name": "Cold"}, ["name"]),
        (HEAT, {"_movieql": {}}, ["_movieql"]),
        (HEAT, {"cast": ["x", 2**60]}, ["cast", "1"]),
        ("/api/movies/Heat/1500", {}, ["year"]),
        ("/api/movies/%20/1995", {}, ["name"]),
        (f"/api/movies/{'x' * 1_001}/1995", {}, ["name"]),
    ],
)
async def test_what_may_not_be_written_is_named(
    open_house: House, path: str, content: Any, at: list[str]
) -> None:
    reply = await open_house.put(path, content)
    assert (reply.status, reply.json["path"]) == (400, at)
    assert await open_house.movies() == []


async def test_of_two_writes_for_one_version_one_wins(open_house: House) -> None:
    etag = (await open_house.put(HEAT, {})).headers["etag"]
    replies = await asyncio.gather(
        *(open_house.put(HEAT, {"by": number}, if_match=etag) for number in range(5))
    )
    assert sorted(reply.status for reply in replies) == [200, 409, 409, 409, 409]


async def test_writes_at_once_are_all_there(open_house: House) -> None:
    replies = await asyncio.gather(
        *(open_house.put(f"/api/movies/Heat%20{number}/1995", {}) for number in range(20))
    )
    assert {reply.status for reply in replies} == {201}
    assert len(await open_house.movies()) == 20


async def test_empty_entries_are_no_movies_and_do_not_stop_a_write(open_house: House) -> None:
    await open_house.store.put(KEY, b"[{}]")
    assert await open_house.movies() == []
    assert (await open_house.call("GET", "/api/movies/query?year=1995")).status == 404
    assert (await open_house.put(HEAT, {})).status == 201


async def test_the_years_of_files_made_by_hand_are_found(house: House) -> None:
    await house.store.put(
        KEY, b'[{"name": "name", "year": 0, "director": "d", "n": 1%s}]' % (b"0" * 99)
    )
    found = await house.call("GET", "/api/movies/query?year=0")
    assert found.json == [{"name": "name", "year": 0, "director": "d", "n": 10**99}]


async def test_a_corrupt_file_is_told_of_and_left_alone(open_house: House) -> None:
    await open_house.store.put(KEY, b"[{")
    for reply in (
        await open_house.call("GET", "/api/movies"),
        await open_house.put(HEAT, {}),
    ):
        assert (reply.status, reply.json["code"]) == (503, "UNAVAILABLE")
        assert int(reply.headers["retry-after"]) >= 1
    stored = await open_house.store.get(KEY, bytes_max=100)
    assert stored is not None
    assert stored[0] == b"[{"


async def test_a_refusal_can_be_read_by_who_still_sends(house: House) -> None:
    body = io.BytesIO(b" " * BODY_BYTES_MAX * 5)
    reply = await house.call("PUT", HEAT, data=body, headers={"content-type": "application/json"})
    assert (reply.status, reply.json["code"]) == (401, "UNAUTHENTICATED")
    assert await house.movies() == []


async def test_a_body_that_is_too_large_or_too_slow_is_refused(open_house: House) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(BODY_S * 4)
        yield b"}"

    headers = {"content-type": "application/json"}
    large = io.BytesIO(b" " * (BODY_BYTES_MAX + 1))
    assert (await open_house.call("PUT", HEAT, data=large, headers=headers)).status == 413
    assert (await open_house.call("PUT", HEAT, data=slow(), headers=headers)).status == 408


@pytest.mark.parametrize("depth", [5, 300, 980, 1_020, 10_000])
async def test_a_deep_body_is_no_fault_of_ours(open_house: House, depth: int) -> None:
    body = io.BytesIO(b'{"a":' * depth + b"1" + b"}" * depth)
    headers = {"content-type": "application/json"}
    reply = await open_house.call("PUT", HEAT, data=body, headers=headers)
    assert reply.status == 400
    assert "fault of ours" not in open_house.log.getvalue()


async def test_passwords_cannot_be_tried_for_long(house: House) -> None:
    statuses = [(await house.log_in("wrong")).status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    late = await house.log_in()
    assert late.status == 429
    assert int(late.headers["retry-after"]) >= 1


async def test_a_large_file_is_downloaded_whole(house: House) -> None:
    body = random.Random(7).randbytes(3_000_000)
    await house.store.put("exports/a.csv", body)
    link = await house.store.link(
        "exports/a.csv", lifetime_s=60, filename="movies.csv", content_type="text/csv"
    )
    async with house._session.get(URL(house.url + link, encoded=True)) as response:  # noqa: SLF001  # bytes
        assert response.status == 200
        assert await response.read() == body
        assert response.headers["content-disposition"] == 'attachment; filename="movies.csv"'
    forged = await house.call("GET", link.replace("a.csv", "b.csv"))
    assert (forged.status, forged.json["code"]) == (403, "FORBIDDEN")
    await house.store.delete("exports/a.csv")
    assert (await house.call("GET", link)).status == 404
    assert "signature" not in house.log.getvalue()


async def test_a_fault_has_an_id_that_is_in_the_log(house: House) -> None:
    house.app.state.movies = object()
    reply = await house.call("GET", "/api/movies")
    assert (reply.status, reply.json["code"]) == (500, "INTERNAL")
    assert reply.headers["x-request-id"] in reply.json["error"]
    lines = [json.loads(line) for line in house.log.getvalue().splitlines()]
    assert "fault of ours" in {line["event"] for line in lines}


async def test_what_the_page_for_people_says_works(house: House) -> None:
    """Read the shell commands of `docs/rest.md` as a shell does, and send them one by one."""
    (shown,) = re.findall(r"```sh\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    commands = [line for line in shown.splitlines() if line.startswith("curl ")]
    assert len(commands) == 9
    known = {"…": PASSWORD}
    for command in commands:
        for name, value in known.items():
            command = command.replace(name, value)  # noqa: PLW2901  # as a shell replaces
        reply = await house.curl(shlex.split(command)[1:])
        assert reply.status < 300, (command, reply.text)
        if "etag" in reply.headers:
            known["$ETAG"] = reply.headers["etag"].replace('"', r"\"")
        if "/login" in command:
            known = {"$TOKEN": reply.json["access_token"]}
