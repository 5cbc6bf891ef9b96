"""Real servers for tests: on free ports, waited for, and ended by their own handles."""

import asyncio
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from starlette.applications import Starlette

from movieql.app import build_app, server_limits
from movieql.clock import SystemClock
from movieql.composition.services import Services
from movieql.dev.simulator import Simulator
from movieql.dev.stack import simulated_providers, simulated_secrets
from movieql.ports import Clock
from movieql.settings import Settings
from movieql.settings.providers import ProviderSettings
from movieql.tokens.signing import LIFETIME_S_MAX, Signer
from movieql.web.ending import EndingServer
from movieql.web.server import ServerLimits, bind, configured
from movieql.web.telemetry import make_logger

ROOT = Path(__file__).parent.parent
"""The repository's root, where people type the commands that we print."""

START_S = 20.0
"""Longest start of a process; a busy machine may need a tenth of it."""

STOP_S = 10.0
"""Longest end of a process that was asked to stop, before it is killed."""

JWT_SECRET = "a secret of tests alone, of 32 bytes or more"  # noqa: S105  # opens only their servers

_POLL_S = 0.01


def operation(name: str) -> str:
    """Return the text of an operation of `schema/operations`."""
    return (ROOT / "schema" / "operations" / f"{name}.graphql").read_text(encoding="utf-8")


async def until(happened: Any, within_s: float = 5.0) -> None:
    """Wait until a condition holds; it is asked again and again."""
    async with asyncio.timeout(within_s):
        while not happened():  # noqa: ASYNC110  # a condition of another's has no event
            await asyncio.sleep(_POLL_S)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str
    elapsed_s: float

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        """Return `data` of an answer that has no errors."""
        body = self.json
        assert "errors" not in body, body["errors"]
        return body["data"]


class Client:
    """Calls one server."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def call(self, method: str, path: str, **options: Any) -> Reply:
        """Send a request as it is; redirects are not followed."""
        began_s = time.monotonic()
        options.setdefault("allow_redirects", False)
        async with self._session.request(method, self.url + path, **options) as response:
            text = (await response.read()).decode()
            elapsed_s = time.monotonic() - began_s
            return Reply(response.status, response.headers, text, elapsed_s)

    async def post(self, payload: Any, **headers: str) -> Reply:
        """Post JSON, or bytes as they are, to `/graphql`."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = {"content-type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        # aiohttp warns of large bodies unless they come as files.
        return await self.call("POST", "/graphql", data=io.BytesIO(body), headers=headers)

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Reply:
        """Ask a GraphQL question."""
        return await self.post({"query": query, "variables": variables})


class Running(Client):
    """A server in this event loop, with what it was made of."""

    def __init__(
        self, url: str, session: aiohttp.ClientSession, app: Starlette, log: io.StringIO
    ) -> None:
        super().__init__(url, session)
        self.app = app
        self._log = log

    @property
    def services(self) -> Services:
        """Return what is open while the server runs."""
        services: Services = self.app.state.services
        return services

    @property
    def log(self) -> str:
        """Return everything logged so far."""
        return self._log.getvalue()

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        """Return everything logged so far, an object per line."""
        return [json.loads(line) for line in self.log.splitlines()]


class Stack(Running):
    """A server over simulated shops."""

    simulator: Simulator


@asynccontextmanager
async def running(
    settings: Mapping[str, Any] | None = None, **simulator_options: Any
) -> AsyncIterator[Stack]:
    """Run the simulator, made with these options, and the server over it."""
    async with Simulator(**simulator_options) as simulator:
        providers, secrets = simulated_providers(simulator), simulated_secrets(simulator)
        async with serving(providers, secrets, settings, kind=Stack) as stack:
            stack.simulator = simulator
            yield stack


@asynccontextmanager
async def serving(
    providers: Sequence[ProviderSettings],
    environ: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    kind: type[Any] = Running,
    clock: Clock | None = None,
) -> AsyncIterator[Any]:
    """Run the server over these providers, in this event loop, on a free port."""
    log = io.StringIO()
    chosen = Settings(**{"log_level": "debug", **(settings or {})})
    logger = make_logger(chosen.log_level, "json", log)
    app = build_app(chosen, providers, environ or {}, logger, clock)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(listening(app, server_limits(chosen)))
        connector = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        yield kind(url, session, app, log)


@asynccontextmanager
async def listening(
    app: Starlette,
    limits: ServerLimits = ServerLimits(),  # noqa: B008  # frozen
) -> AsyncIterator[str]:
    """Let uvicorn serve an app in this event loop; gives its URL."""
    with bind("127.0.0.1", 0) as bound:
        server = _Unsignalled(configured(app, limits), limits.drain_s, lambda: None)
        task = asyncio.ensure_future(server.serve(sockets=[bound]))
        await until(lambda: server.started or task.done())
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def listening_shop(app: web.Application) -> AsyncIterator[str]:
    """Let a shop of a test's own listen; gives its URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    with bind("127.0.0.1", 0) as bound:
        try:
            await web.SockSite(runner, bound).start()
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            await runner.cleanup()


class _Unsignalled(EndingServer):
    """Leaves signals to the test run."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class Started:
    """A process of the real command line; its output grows in a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def output(self) -> str:
        """Return what it printed so far, errors too."""
        return self._output.read_text(encoding="utf-8")

    def wait_for(self, text: str, within_s: float = START_S) -> str:
        """Wait until it printed a text, and return the output so far."""
        deadline_s = time.monotonic() + within_s
        while text not in self.output:
            assert self.process.poll() is None, f"it ended:\n{self.output}"
            assert time.monotonic() < deadline_s, f"no {text!r} in:\n{self.output}"
            time.sleep(_POLL_S)
        return self.output

    @property
    def url(self) -> str:
        """Return where `serve` says that it listens; wait for that first."""
        found = re.search(r'"url":"(http://[^"]+)"', self.output)
        assert found is not None, self.output
        return found[1]

    def stop(self, signal: int) -> tuple[int, float]:
        """Send a signal; return the exit code and the seconds that the end took."""
        began_s = time.monotonic()
        self.process.send_signal(signal)
        return self.process.wait(STOP_S), time.monotonic() - began_s


@contextmanager
def launched(*args: str, env: Mapping[str, str] | None = None) -> Iterator[Started]:
    """Run `movieql` with these arguments until the block ends; nothing is waited for."""
    with tempfile.TemporaryDirectory(prefix="movieql-test-") as folder:
        output = Path(folder) / "output"
        with output.open("wb") as sink:
            process = subprocess.Popen(  # noqa: S603  # our own command line
                [sys.executable, "-m", "movieql", *_apart(args, Path(folder))],
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=_environment(Path(folder), env),
            )
            try:
                yield Started(process, output)
            finally:
                _end(process)


@contextmanager
def started(*args: str, env: Mapping[str, str] | None = None, ready: str) -> Iterator[Started]:
    """Run `movieql` with these arguments until the block ends; waits for its ready line."""
    with launched(*args, env=env) as process:
        process.wait_for(ready)
        yield process


def ran(*args: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run `movieql` with these arguments to its end."""
    with tempfile.TemporaryDirectory(prefix="movieql-test-") as folder:
        return subprocess.run(  # noqa: S603  # our own command line
            [sys.executable, "-m", "movieql", *_apart(args, Path(folder))],
            capture_output=True,
            check=False,
            cwd=ROOT,
            env=_environment(Path(folder), env),
            text=True,
            timeout=START_S,
        )


@contextmanager
def replicas(
    count: int, simulator: Simulator, env: Mapping[str, str] | None = None
) -> Iterator[list[Started]]:
    """Run so many `movieql serve` over a simulator's shops; they start at the same time."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="movieql-test-")))
        whole_env = serve_env(simulator, folder) | dict(env or {})
        processes = [
            stack.enter_context(launched("serve", "--port", "0", env=whole_env))
            for _ in range(count)
        ]
        for process in processes:
            process.wait_for('"url":"http')
        yield processes


def serve_env(simulator: Simulator, folder: Path) -> dict[str, str]:
    """Return the environment of `movieql serve` over a simulator's shops, described in a folder.

    It accepts what `token` makes, and one caller may ask as often as a test does.
    """
    urls = {shop: simulator.provider_url(shop) for shop in simulator.knobs}
    return {
        "MOVIEQL_PROVIDERS_FILE": str(providers_file(folder, urls)),
        "MOVIEQL_JWT_SECRET": JWT_SECRET,
        "MOVIEQL_REQUESTS_PER_MINUTE": "10000000",
        "MOVIEQL_COST_PER_MINUTE": "10000000",
        **simulated_secrets(simulator),
    }


def providers_file(folder: Path, urls: Mapping[str, str]) -> Path:
    """Write the ready settings of contract A, pointed at these shops."""
    text = resources.files("movieql.providers").joinpath("examples/contract_a.toml").read_text()
    for provider in tomllib.loads(text)["providers"]:
        text = text.replace(provider["base_url"], urls[provider["id"]])
    path = folder / "providers.toml"
    path.write_text(text, encoding="utf-8")
    return path


def token(*scopes: str) -> str:
    """Return a token that servers with `JWT_SECRET` accept."""
    clock, issuer = SystemClock(), "movieql"
    signer = Signer(JWT_SECRET.encode(), issuer, issuer, clock, lambda: uuid4().hex)
    return signer.token("tester", scopes, LIFETIME_S_MAX)


def _apart(args: Sequence[str], folder: Path) -> list[str]:
    """Let `dev` keep what it has in a folder of the test's own."""
    if args[:1] == ("dev",) and "--data" not in args:
        return [*args, "--data", str(folder / "data")]
    return [*args]


def _environment(folder: Path, env: Mapping[str, str] | None) -> dict[str, str]:
    """Return an environment into which nothing of the tester's leaks."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONUNBUFFERED": "1",
        **(env or {}),
    }


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
