"""The worker of a `movieql dev`: its processes, to be killed or held."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.servers import START_S, Started

PROCESSES = 3
"""Of a worker that has begun: the supervisor, the one that works, and the keeper."""

_POLL_S = 0.05


def workers_of(dev: Started) -> list[int]:
    """Return the processes of the worker of `movieql dev`: its supervisor and all below."""
    parents, commands = {}, {}
    for line in _ran_ps().splitlines():
        pid, parent, command = line.split(maxsplit=2)
        parents[int(pid)], commands[int(pid)] = int(parent), command
    below = {dev.process.pid}
    for _ in parents:
        below |= {pid for pid, parent in parents.items() if parent in below}
    return [pid for pid in below if "movieql worker" in commands.get(pid, "")]


def kill_workers(dev: Started) -> None:
    """Kill the worker with all its processes; `movieql dev` starts another."""
    for pid in workers_of(dev):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def held_workers(dev: Started) -> Iterator[None]:
    """Let nobody work at any export until the block ends."""
    deadline_s = time.monotonic() + START_S
    while len(workers_of(dev)) < PROCESSES:
        assert time.monotonic() < deadline_s, "the worker did not begin"
        time.sleep(_POLL_S)
    held = workers_of(dev)
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in held:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _ran_ps() -> str:
    command = ["ps", "-A", "-o", "pid=,ppid=,args="]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603  # ours
