"""Real `movieql worker` processes, killed in every way and started again from outside."""

import asyncio
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from random import Random

from tests.servers import Started, launched

PAUSE_S = 0.5
"""Seconds after which one that ended is started again, whatever it said."""

_POLL_S = 0.05


class Supervised:
    """Places that have a `movieql worker` each; call `keep` beside what is tried.

    `ends` counts exit codes of those that ended, -9 where they were killed.
    """

    def __init__(self, env: Mapping[str, str], count: int, stack: AsyncExitStack) -> None:
        self._env = env
        self._stack = stack
        self._places = [self._launched() for _ in range(count)]
        self.ends: Counter[int] = Counter()
        self.log: list[str] = []

    def _launched(self) -> Started:
        return self._stack.enter_context(launched("worker", "--processes", "1", env=self._env))

    async def keep(self) -> None:
        """Start again what ends, until cancelled."""
        while True:
            for place, worker in enumerate(self._places):
                code = worker.process.poll()
                if code is not None:
                    self.ends[code] += 1
                    self.log.append(worker.output)
                    await asyncio.sleep(PAUSE_S)
                    self._places[place] = self._launched()
            await asyncio.sleep(_POLL_S)

    @property
    def told(self) -> str:
        """Return what they logged; a failed test shows it."""
        return "\n".join([*self.log, *(worker.output for worker in self._places)])

    def kill(self, kind: str, rng: Random) -> bool:
        """Kill as `kind` says; tell whether there was somebody to kill.

        Those at work come first.
        """
        shuffled = rng.sample(self._places, len(self._places))
        for worker in sorted(shuffled, key=lambda each: not jobs_of(each)):
            if worker.process.poll() is None and _killed(kind, worker):
                return True
        return False


def _killed(kind: str, worker: Started) -> bool:
    supervisor = worker.process.pid
    if kind == "tree":
        os.kill(supervisor, signal.SIGSTOP)  # or it starts others meanwhile
        return kill_all([*descendants(supervisor), supervisor])
    if kind == "supervisor":
        return kill_all([supervisor])
    roles = running_roles(worker)
    at_work = jobs_of(worker)
    if kind == "keeper":
        return kill_all([roles[kind]] if kind in roles else [])
    # While it works; an idle one has nothing to lose.
    return kill_all([roles["worker-1"]] if kind == "worker" and at_work else at_work)


def jobs_of(worker: Started) -> list[int]:
    """Return the processes in which jobs run."""
    roles = running_roles(worker)
    return children_of([roles["worker-1"]]) if "worker-1" in roles else []


def kill_all(pids: Iterable[int]) -> bool:
    """Kill processes; tell whether one of them was there."""
    killed = False
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed = True
    return killed


def running_roles(worker: Started) -> dict[str, int]:
    """Return the processes that a supervisor started last, by role."""
    roles: dict[str, int] = {}
    for line in worker.output.splitlines():
        with suppress(ValueError):
            event = json.loads(line)
            if event.get("event_") == "started":
                roles[event["role"]] = event["number"]
    there = set(children_of([worker.process.pid]))
    return {role: pid for role, pid in roles.items() if pid in there}


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they did."""
    found: list[int] = []
    level = [pid]
    while level := children_of(level):
        found += level
    return found


def children_of(pids: Sequence[int]) -> list[int]:
    """Return the processes that these started."""
    return [pid for pid, parent in _parents() if parent in pids]


def _parents() -> list[tuple[int, int]]:
    if not Path("/proc/self/stat").exists():
        ps = ["/bin/ps", "-A", "-o", "pid=,ppid="]
        lines = subprocess.run(ps, capture_output=True, check=True, text=True).stdout.splitlines()  # noqa: S603  # nothing of others'
        return [(int(line.split()[0]), int(line.split()[1])) for line in lines]
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            stat = (folder / "stat").read_text(encoding="utf-8") if folder.name.isdigit() else ""
            found.append((int(folder.name), int(stat.rpartition(") ")[2].split()[1])))
    return found


@asynccontextmanager
async def supervised(env: Mapping[str, str], count: int) -> AsyncIterator[Supervised]:
    """Run so many workers; with the block they end, and all that they started."""
    async with AsyncExitStack() as stack:
        workers = Supervised(env, count, stack)
        keeping = asyncio.ensure_future(workers.keep())
        try:
            yield workers
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            while workers.kill("tree", Random(0)):
                pass
