"""Starts what is measured, as processes of their own on a core of their own, and stops it."""

import asyncio
import contextlib
import os
import secrets
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import orjson

from bench.load import FailedError
from movieql.dev.simulator import Simulator
from movieql.dev.stack import simulated_secrets

START_S = 30.0
"""Seconds in which a server has to be there."""

ROWS_MAX, BODY_BYTES_MAX = 200_000, 100_000_000
"""Of a provider's answer; the defaults are for catalogues of the usual size."""

_STOP_S = 5.0
_POLL_S = 0.02
_EXAMPLE_URL = "https://shops.example.com/api/"


@dataclass(frozen=True, slots=True)
class Cores:
    """Where servers and the load run; None: wherever the system lets them."""

    server: int | None
    load: int | None

    @classmethod
    def take(cls) -> "Cores":
        """Pin this process to the second core there is, if there are two."""
        usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if len(usable) < len(("server", "load")):
            return cls(None, None)
        os.sched_setaffinity(0, {usable[1]})
        return cls(usable[0], usable[1])

    def __str__(self) -> str:
        if self.server is None:
            return "NOT pinned: servers and load share what cores there are"
        return f"servers on core {self.server}, load and simulated shops on core {self.load}"

    @contextmanager
    def inherited(self) -> Iterator[None]:
        """Let processes started meanwhile run on the servers' core."""
        if self.server is None or self.load is None:
            yield
            return
        os.sched_setaffinity(0, {self.server})
        try:
            yield
        finally:
            os.sched_setaffinity(0, {self.load})


@dataclass(frozen=True, slots=True)
class Servers:
    """Starts servers; `folder` is for their files, `pids` are those of all started ones."""

    cores: Cores
    folder: Path
    pids: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def movieql(
        self, simulator: Simulator, settings: Mapping[str, str]
    ) -> AsyncIterator[int]:
        """Run `movieql serve` with shops of a simulator; gives the port."""
        name = secrets.token_hex(4)
        providers = self.folder / f"{name}.toml"
        providers.write_text(_providers(simulator), "utf-8")
        given = {f"MOVIEQL_{name}": value for name, value in settings.items()}
        environ = given | {"MOVIEQL_PROVIDERS_FILE": str(providers), "MOVIEQL_PORT": "0"}
        log = self.folder / f"{name}.log"
        with log.open("wb") as stream:
            running = self._running(
                ["movieql", "serve"], environ | simulated_secrets(simulator), stream.fileno()
            )
            async with running as process:
                yield await _listening(process, log)

    @asynccontextmanager
    async def plain(self, movies: int) -> AsyncIterator[int]:
        """Run `bench.plain`; gives the port."""
        async with self._on_free_port("bench.plain", str(movies)) as port:
            yield port

    @asynccontextmanager
    async def raw(self, body: bytes) -> AsyncIterator[int]:
        """Run `bench.raw` with these bytes; gives the port."""
        file = self.folder / "answer.json"
        file.write_bytes(body)
        async with self._on_free_port("bench.raw", str(file)) as port:
            yield port

    async def bare(self, simulator: Simulator) -> Any:
        """Run `bench.bare` to its end and return what it printed."""
        urls = [simulator.provider_url(shop) for shop in simulator.knobs]
        argv = ["bench.bare", simulator.token, *urls]
        async with self._running(argv, {}, DEVNULL, PIPE) as process, asyncio.timeout(START_S):
            told, _ = await process.communicate()
        if process.returncode != 0:
            raise FailedError(f"bench.bare ended with {process.returncode}")
        return orjson.loads(told)

    @asynccontextmanager
    async def _on_free_port(self, module: str, argument: str) -> AsyncIterator[int]:
        port = _free_port()
        async with self._running([module, argument, str(port)], {}, DEVNULL) as process:
            await _connectable(process, port)
            yield port

    @asynccontextmanager
    async def _running(
        self, argv: list[str], environ: Mapping[str, str], stderr: int, stdout: int = DEVNULL
    ) -> AsyncIterator[Process]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MOVIEQL_")}
        with self.cores.inherited():
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *argv,
                env=inherited | dict(environ),
                cwd=Path(__file__).parents[1],
                stdin=DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        self.pids.append(process.pid)
        try:
            yield process
        finally:
            await _stopped(process)


def _providers(simulator: Simulator) -> str:
    """Return the shipped providers of contract A, pointed at the simulated shops."""
    example = resources.files("movieql.providers").joinpath("examples", "contract_a.toml")
    text = example.read_text("utf-8")
    for shop in simulator.knobs:
        text = text.replace(f"{_EXAMPLE_URL}{shop}", simulator.provider_url(shop))
    return text.replace(
        "base_url =", f"rows_max = {ROWS_MAX}\nbody_bytes_max = {BODY_BYTES_MAX}\nbase_url ="
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def _listening(process: Process, log: Path) -> int:
    """Wait for the line of the log that tells the URL, and return the port."""
    async with asyncio.timeout(START_S):
        while process.returncode is None:
            for line in _read(log).splitlines():
                if b'"listening"' in line and line.endswith(b"}"):
                    return int(orjson.loads(line)["url"].rpartition(":")[2])
            await asyncio.sleep(_POLL_S)
    raise FailedError(f"movieql did not start: {_read(log)[-1000:]!r}")


def _read(log: Path) -> bytes:
    return log.read_bytes()


async def _connectable(process: Process, port: int) -> None:
    async with asyncio.timeout(START_S):
        while process.returncode is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(_POLL_S)
    raise FailedError(f"a server did not start, it ended with {process.returncode}")


async def _stopped(process: Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
