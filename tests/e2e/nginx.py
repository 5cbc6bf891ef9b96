"""A real nginx for tests, on a free port, with everything that it writes in a folder of theirs."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.servers import STOP_S, until

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
{user}
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  scgi_temp_path {folder}/scgi;
  uwsgi_temp_path {folder}/uwsgi;
  {http}
}}
"""


class Nginx:
    """One that runs."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process, self._folder = process, folder

    @property
    def errors(self) -> str:
        """Return what it complained of."""
        return (self._folder / "errors").read_text(encoding="utf-8")

    def reload(self, http: str) -> None:
        """Let it go on with another configuration; requests under way end as they began."""
        _write(http, self._folder)
        self._process.send_signal(signal.SIGHUP)


@asynccontextmanager
async def nginx(http: str, folder: Path, port: int) -> AsyncIterator[Nginx]:
    """Run nginx with a configuration that listens on a port, until the block ends."""
    config = _write(http, folder)
    with (folder / "errors").open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            _program(), "-e", "stderr", "-p", folder, "-c", config, stderr=sink
        )
    running = Nginx(process, folder)
    try:
        await until(lambda: _is_listening(port) or process.returncode is not None, STOP_S)
        assert process.returncode is None, running.errors
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), STOP_S)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _write(http: str, folder: Path) -> Path:
    # Its workers would be somebody who may not enter the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, user=user, http=http), encoding="utf-8")
    return config


def _program() -> str:
    """Return the program, which Debian keeps where only root looks."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    assert program is not None, "nginx is not installed; run: apt-get install nginx"
    return program


def _is_listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False
