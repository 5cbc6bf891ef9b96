"""The worker of `movieql dev`: a process of its own, started again when it ends."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import resources
from pathlib import Path

from movieql.dev.simulator import Simulator
from movieql.jobs import parents

STOP_S = 40.0
"""Longest end of a worker that was asked to stop; it gives a running export 20 s."""

_POLL_S = 0.2
_PAUSE_S = 1.0


def written_providers(simulator: Simulator, path: Path) -> Path:
    """Write the ready settings of the simulator's contract, pointed at its shops."""
    urls = iter([simulator.provider_url(shop) for shop in simulator.knobs])
    text = providers_text(simulator)
    path.write_text(re.sub(r'base_url = ".*"', lambda _: f'base_url = "{next(urls)}"', text))
    return path


def providers_text(simulator: Simulator) -> str:
    """Return the ready settings of the simulator's contract."""
    name = f"contract_{simulator.contract}.toml"
    return resources.files("movieql.providers").joinpath("examples", name).read_text("utf-8")


class WorkerProcess:
    """Runs `movieql worker` with an environment; it ends with this process, however that ends."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._process: subprocess.Popen[bytes] | None = None

    async def run(self) -> None:
        """Keep a worker running until cancelled; then end it in good order."""
        try:
            while True:
                process = self._process = self._started()
                while process.poll() is None:  # noqa: ASYNC110  # a process has no event
                    await asyncio.sleep(_POLL_S)
                await asyncio.sleep(_PAUSE_S)
        finally:
            self._end()

    def _started(self) -> "subprocess.Popen[bytes]":
        guard = [sys.executable, "-I", "-S", parents.__file__, str(os.getpid())]
        worker = [sys.executable, "-m", "movieql", "worker"]
        return subprocess.Popen(  # noqa: S603  # our own program
            [*guard, str(int(signal.SIGTERM)), *worker],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: we end it in good order
        )

    def _end(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
