"""The worst requests that the default limits admit, and what memory a server takes for them.

Each kind is sent as often as it goes, from ever-new addresses, so that no budget ends it. What the
server's memory grows by at its peak is compared with a bound. `make soak` goes on for longer than
two minutes and prints a table.
"""

import asyncio
import hashlib
import itertools
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from movieql.dev.simulator import Simulator
from tests.integration.web.guarded import PASSWORD, USER, users_file_text
from tests.servers import Started, replicas

IS_SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
KIND_S = 12.0 if IS_SOAK else 1.5
"""Seconds that each kind is sent for."""

GROWTH_BYTES_MAX = 64_000_000
AT_ONCE = 4
PER_ADDRESS = 50
"""Requests before another address is taken: no budget of a minute ends at that."""

DEFAULTS = {"MOVIEQL_REQUESTS_PER_MINUTE": "1200", "MOVIEQL_COST_PER_MINUTE": "200000"}

FIELDS = "id title year plot poster genres offers { provider { id } price { amount } }"
ACCEPT = ",".join(f"application/x{number};q=0.1" for number in range(2_000)) + ",application/json"
IGNORED = {f"v{number}": number for number in range(1_000, 8_000)}
WIDE = "\U0001f600"
INLINE = "... { id } " * 230

Body = dict[str, Any]


def integers(number: int) -> Body:
    """One document with thousands of variables that it does not declare."""
    return {"query": "{ __typename }", "variables": {"n": number, **IGNORED}}


def documents(number: int) -> Body:
    """Ever-new documents, each of as many tokens as there may be."""
    return {"query": f"query A{number} {{ providers {{ {INLINE} }} }}"}


def documents_with_movies(number: int) -> Body:
    """Ever-new documents over movies, which are kept written out for each."""
    return {"query": f"query A{number} {{ movies {{ nodes {{ {FIELDS} }} }} }}"}


def answers(number: int) -> Body:
    """One question with ever-new words around it, so that each answer is another one."""
    return {
        "query": "query($n: Int) { movies(first: $n) { nodes { id } } }",
        "variables": {"n": 5, "other": f"{number}" + "x" * 90_000},
    }


def sizes(number: int) -> Body:
    """One document with ever-new page sizes."""
    variables = {each: (number + index) % 200 for index, each in enumerate("abcdefghi")}
    pages = " ".join(f"{each}: movies(first: ${each}) {{ nodes {{ id }} }}" for each in variables)
    declared = ", ".join(f"${each}: Int" for each in variables)
    return {"query": f"query({declared}) {{ {pages} }}", "variables": variables}


def invalid(number: int) -> Body:
    """Documents with an error at their end."""
    return {"query": f"query A{number} {{ providers {{ {INLINE} }} nope }}"}


def unreadable(number: int) -> Body:
    """Documents that end before they are whole."""
    return {"query": f"query A{number} {{ providers {{ {INLINE}"}


def names(number: int) -> Body:
    """Ever-new names of operations that there are not."""
    return {"query": "query A { __typename }", "operationName": f"{number}" + "x" * 90_000}


def persisted(number: int) -> Body:
    """Ever-new documents that are registered by their hash, of the widest characters."""
    query = f"query A{number} {{ __typename }} #".ljust(14_990, WIDE)
    digest = hashlib.sha256(query.encode()).hexdigest()
    return {"query": query, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}


def ids(number: int) -> Body:
    """Movies that there are not."""
    return {"query": f'{{ movie(id: "{number}{"x" * 590}") {{ {FIELDS} }} }}'}


QUESTIONS: list[Callable[[int], Body]] = [
    integers,
    documents,
    documents_with_movies,
    answers,
    sizes,
    invalid,
    unreadable,
    names,
    persisted,
    ids,
]


class Attacker:
    """Sends what it is told to, from as many addresses as it takes."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        number = next(self._numbers)
        address = f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"
        connector = aiohttp.TCPConnector(local_addr=(address, 0))
        async with aiohttp.ClientSession(connector=connector) as session:
            yield session

    async def send(
        self, per_address: int, ask: Callable[[aiohttp.ClientSession, int], Awaitable[int]]
    ) -> int:
        """Send for `KIND_S`, `AT_ONCE` at a time; return how many were answered."""
        until_s = time.monotonic() + KIND_S
        numbers = itertools.count()
        statuses: list[int] = []

        async def go() -> None:
            while time.monotonic() < until_s:
                async with self.session() as session:
                    for _ in range(per_address):
                        if time.monotonic() >= until_s:
                            return
                        statuses.append(await ask(session, next(numbers)))

        await asyncio.gather(*(go() for _ in range(AT_ONCE)))
        # What is refused before it is looked at would try nothing.
        assert statuses
        assert not set(statuses) & {413, 429, 431, 500, 503}, set(statuses)
        return len(statuses)

    async def post(
        self, session: aiohttp.ClientSession, body: Body, path: str = "/graphql"
    ) -> int:
        headers = {"content-type": "application/json", "accept": ACCEPT}
        sent = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        async with session.post(self._url + path, data=sent, headers=headers) as reply:
            await reply.read()
            return reply.status

    async def log_in(self, session: aiohttp.ClientSession, number: int) -> int:
        """Guess a password of ever-new names."""
        body = {"username": f"name{number}", "password": "x" * 1_000}
        return await self.post(session, body, "/login")

    async def call_nothing(self, session: aiohttp.ClientSession, number: int) -> int:
        """Ask for what is not there, by ever-new paths, ids and methods."""
        method = ("GET", "DELETE", "PROPFIND", "PATCH")[number % 4]
        path = f"{self._url}/{number}{'x' * 30_000}"
        headers = {"x-request-id": f"request-{number}"}
        async with session.request(method, path, headers=headers) as reply:
            await reply.read()
            return reply.status

    async def subscribe(self, session: aiohttp.ClientSession, number: int) -> int:
        """Run operations over a WebSocket, and leave it."""
        async with session.ws_connect(
            f"{self._url}/graphql", protocols=["graphql-transport-ws"], max_msg_size=0
        ) as socket:
            await socket.send_json({"type": "connection_init"})
            await socket.receive()
            for each in range(20):
                query = f"query A{number}B{each} {{ __typename }}"
                variables = dict(itertools.islice(IGNORED.items(), 3_000))
                payload = {"query": query, "variables": variables}
                await socket.send_json(
                    {"id": f"{each}" + "x" * 120, "type": "subscribe", "payload": payload}
                )
            heard = [(await socket.receive_json(timeout=10.0))["type"] for _ in range(20)]
        assert "next" in heard, heard
        return 101


def resident_bytes(server: Started, line_name: str) -> int:
    """Return `VmRSS`, what is resident, or `VmHWM`, the most that ever was."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    (line,) = [each for each in status.splitlines() if each.startswith(line_name)]
    return int(line.split()[1]) * 1_024


def kinds(
    attacker: Attacker,
) -> Iterator[tuple[str, int, Callable[[aiohttp.ClientSession, int], Awaitable[int]]]]:
    """Return each kind: its name, how often one address sends it, and what sends it."""

    def posting(make: Callable[[int], Body]) -> Callable[..., Awaitable[int]]:
        return lambda session, number: attacker.post(session, make(number))

    for make in QUESTIONS:
        yield make.__name__, PER_ADDRESS, posting(make)
    yield "addresses", 1, posting(lambda _: {"query": "{ __typename }"})
    yield "logins", PER_ADDRESS, attacker.log_in
    yield "nothing", PER_ADDRESS, attacker.call_nothing
    yield "sockets", PER_ADDRESS, attacker.subscribe


@pytest.mark.timeout(600)
async def test_the_worst_requests_that_limits_admit_take_little_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    users = tmp_path / "users.toml"
    users.write_text(users_file_text(), encoding="utf-8")
    env = DEFAULTS | {"MOVIEQL_LOGIN_USERS_FILE": str(users)}
    rows: list[str] = []
    async with Simulator() as simulator:
        with replicas(1, simulator, env) as (server,):
            attacker = Attacker(server.wait_for('"url":"http') and server.url)
            await warm_up(attacker)
            before = resident_bytes(server, "VmRSS")
            for name, per_address, ask in kinds(attacker):
                sent = await attacker.send(per_address, ask)
                grown = resident_bytes(server, "VmHWM") - before
                rows.append(f"{name:<22} {sent:>8} {grown / 1e6:>8.1f}")
    table = "\n".join([f"{'':<22} {'requests':>8} {'MB more':>8}", *rows])
    if IS_SOAK:
        with capsys.disabled():
            print(f"\n{table}")  # noqa: T201  # the measurement
    assert grown <= GROWTH_BYTES_MAX, table


async def warm_up(attacker: Attacker) -> None:
    """Send some of what any server is sent, so that what is loaded once is there."""
    async with attacker.session() as session:
        for _ in range(20):
            assert await attacker.post(session, documents_with_movies(0)) == 200
        body = {"username": USER, "password": PASSWORD}
        assert await attacker.post(session, body, "/login") == 200
