"""Three servers behind nginx and two workers, as an orchestrator runs them: it starts again."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from movieql.dev.simulator import Simulator
from movieql.dev.valkey import PrivateValkey
from tests.e2e.nginx import Nginx, free_port, nginx
from tests.integration.exports.supervised import descendants, kill_all
from tests.servers import START_S, STOP_S, Started, launched, serve_env, until

DRAIN_S = 0.8
"""Seconds in which nginx gets to know that a server ends."""

WORKER_STOP_S = 30.0

UPSTREAM = """
upstream replicas {{
  {servers}
  keepalive 16;
  keepalive_timeout 500ms;
}}
server {{
  listen 127.0.0.1:{port};
  location / {{
    proxy_pass http://replicas;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_connect_timeout 1s;
  }}
}}
"""
"""Connections are kept for less than `DRAIN_S`: none is left when a server closes them.

No server is left out after a failure (`max_fails=0`): nginx counts in whole seconds and forgets
late, so that three servers killed in three seconds would all be left out at once.
"""


class Place:
    """Where a process of the command line runs, one after the other."""

    def __init__(self, env: Mapping[str, str], *args: str) -> None:
        self._env, self._args = env, args
        self._stack = ExitStack()
        self.process = self._launched()
        self.log = ""

    def _launched(self) -> Started:
        return self._stack.enter_context(launched(*self._args, env=self._env))

    @property
    def has_ended(self) -> bool:
        """Say whether there is no process now."""
        return self.process.process.poll() is not None

    def kill(self) -> None:
        """Kill the process and all that it started, without any warning."""
        pid = self.process.process.pid
        kill_all([pid, *descendants(pid)])

    async def ended(self, within_s: float) -> int:
        """Wait until the process is gone; return its exit code."""
        await until(lambda: self.has_ended, within_s)
        return self.process.process.wait()

    async def start(self) -> None:
        """Start another one where one has ended."""
        await self.ended(STOP_S)
        self.close()
        self.process = self._launched()

    def close(self) -> None:
        """End the process, and keep what it said."""
        self.kill()
        self.log += self.process.output
        self._stack.close()


class Server(Place):
    """A server's place."""

    def __init__(self, env: Mapping[str, str], session: aiohttp.ClientSession) -> None:
        self.port = free_port()
        self._session = session
        super().__init__(env, "serve", "--port", str(self.port))

    async def is_ready(self) -> bool:
        """Ask it, as an orchestrator does."""
        url = f"http://127.0.0.1:{self.port}/readyz"
        try:
            async with self._session.get(url, headers={"connection": "close"}) as reply:
                return reply.status == 200
        except aiohttp.ClientError:
            return False

    async def becomes(self, *, ready: bool) -> None:
        """Wait until it is ready, or is not."""
        async with asyncio.timeout(START_S):
            while await self.is_ready() is not ready:  # noqa: ASYNC110  # it has no event
                await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Fleet:
    """What runs."""

    servers: list[Server]
    workers: list[Place]
    proxy: Nginx
    url: str
    port: int

    def route(self, *without: Server) -> None:
        """Let nginx send requests to all servers but these."""
        ports = [each.port for each in self.servers if each not in without]
        self.proxy.reload(upstream(ports, self.port))

    async def kill_each(self) -> None:
        """Kill each server and each worker, and start it again; nginx is told nothing."""

        async def servers() -> None:
            for server in self.servers:
                server.kill()
                await server.start()
                await server.becomes(ready=True)

        async def workers() -> None:
            for worker in self.workers:
                worker.kill()
                await worker.start()
                await keeps_house(worker)

        await asyncio.gather(servers(), workers())

    async def roll(self, *, routed: bool) -> None:
        """Stop each and start it again. `routed`: nginx follows what a server says of itself."""

        async def servers() -> None:
            for server in self.servers:
                server.process.process.send_signal(signal.SIGTERM)
                if routed:
                    await server.becomes(ready=False)
                    self.route(server)
                await server.ended(DRAIN_S + STOP_S)
                await server.start()
                await server.becomes(ready=True)
                if routed:
                    self.route()

        async def workers() -> None:
            for worker in self.workers:
                worker.process.process.send_signal(signal.SIGTERM)
                assert await worker.ended(WORKER_STOP_S) == 0
                await worker.start()
                await keeps_house(worker)

        await asyncio.gather(servers(), workers())


async def keeps_house(worker: Place) -> None:
    """Wait until a worker has started all its processes."""
    await until(lambda: '"role":"keeper"' in worker.process.output, START_S)


def upstream(ports: list[int], port: int) -> str:
    """Return nginx's configuration."""
    servers = "\n".join(f"server 127.0.0.1:{each} max_fails=0;" for each in ports)
    return UPSTREAM.format(servers=servers, port=port)


@asynccontextmanager
async def fleet(simulator: Simulator, session: aiohttp.ClientSession) -> AsyncIterator[Fleet]:
    """Run everything until the block ends."""
    async with AsyncExitStack() as stack:
        # Not tmp_path: the path of a unix socket has about 100 characters.
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="movieql-")))
        valkey = PrivateValkey(home / "valkey")
        stack.callback(valkey.kill)
        valkey.start()
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        env = {
            **serve_env(simulator, home),
            "MOVIEQL_QUEUE_URL": valkey.url,
            "MOVIEQL_STORE_FOLDER": str(home / "store"),
            "MOVIEQL_PUBLIC_URL": url,
            "MOVIEQL_LINK_SECRET": "a secret of tests alone, of 32 bytes or more",
            "MOVIEQL_DRAIN_S": str(DRAIN_S),
            "MOVIEQL_EXPORTS_OPEN_MAX": "1000",
            "MOVIEQL_OBSERVATION_FLUSH_S": "1",
            "MOVIEQL_EXPORT_SETTLE_S": "2",
            "MOVIEQL_DAILY_EXPORT": "false",
        }
        servers = [Server(env, session) for _ in range(3)]
        workers = [Place(env, "worker") for _ in range(2)]
        for place in [*servers, *workers]:
            stack.callback(place.close)
        for server in servers:
            await server.becomes(ready=True)
        http = upstream([each.port for each in servers], port)
        proxy = await stack.enter_async_context(nginx(http, home, port))
        yield Fleet(servers, workers, proxy, url, port)
