"""Starts processes, starts them again when they end, and ends with them when told.

The processes are forked from one without threads or an event loop, so that what they run need
not be found again by name: they have it.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from movieql.jobs.export_worker import MISCONFIGURED, RESTART, STOPPED
from movieql.jobs.parents import die_with_parent

_TOLD: Final = (signal.SIGTERM, signal.SIGINT)

Event = Literal["started", "ended", "killed"]
"""What a supervisor notes of a process."""

Note = Callable[[str, Event, int], None]
"""Takes the role's name, what happened, and the process id or the exit code (-9: by signal 9)."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a process is for; `run` returns its exit code."""

    name: str
    run: Callable[[], int]


@dataclass(frozen=True, slots=True)
class SupervisorRules:
    """The pauses of a supervisor, in seconds.

    `pause_s`: before the first start after an end, doubling to `pause_s_max`; `steady_s`: how long
    a process has to run to be trusted again; `stop_s`: how long it may take to end when told.
    """

    pause_s: float = 0.5
    pause_s_max: float = 4.0
    steady_s: float = 60.0
    stop_s: float = 30.0
    poll_s: float = 0.05


class Restarts:
    """When a process may be started: at once at first, later and later while it keeps ending."""

    def __init__(self, rules: SupervisorRules) -> None:
        self._rules = rules
        self._ends = 0
        self._started_s = 0.0
        self.due_s = 0.0

    def started(self, now_s: float) -> None:
        """Note a start."""
        self._started_s = now_s

    def ended(self, now_s: float) -> None:
        """Note an end, and set `due_s`."""
        steady = now_s - self._started_s >= self._rules.steady_s
        self._ends = 1 if steady else min(self._ends + 1, 32)
        pause_s = self._rules.pause_s * 2.0 ** (self._ends - 1)
        self.due_s = now_s + min(pause_s, self._rules.pause_s_max)


class Supervisor:
    """Keeps a process per role running until SIGTERM or SIGINT; use it in the main thread."""

    def __init__(self, roles: Sequence[Role], note: Note, rules: SupervisorRules) -> None:
        self._roles = roles
        self._note = note
        self._rules = rules
        self._pid = os.getpid()
        self._running: dict[int, int] = {}
        self._restarts = [Restarts(rules) for _ in roles]
        self._told: list[int] = []
        self._stop_by_s: float | None = None
        self._code = STOPPED

    def run(self) -> int:
        """Run until told to stop; return 0, or 78 when a process says that it cannot ever work.

        Every signal is passed on; what does not end in time is killed.
        """
        for number in _TOLD:
            signal.signal(number, lambda number, _: self._told.append(number))
        while self._stop_by_s is None or self._running:
            self._reap()
            self._pass_on()
            self._start_due()
            self._kill_late()
            time.sleep(self._rules.poll_s)
        return self._code

    def _reap(self) -> None:
        for pid in list(self._running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._ended(self._running.pop(pid), os.waitstatus_to_exitcode(status))

    def _ended(self, place: int, code: int) -> None:
        self._note(self._roles[place].name, "ended", code)
        self._restarts[place].ended(time.monotonic())
        if code == MISCONFIGURED:
            self._code = MISCONFIGURED
            self._told.append(signal.SIGTERM)

    def _pass_on(self) -> None:
        while self._told:
            number = self._told.pop(0)
            if self._stop_by_s is None:
                self._stop_by_s = time.monotonic() + self._rules.stop_s
            for pid in self._running:
                os.kill(pid, number)

    def _start_due(self) -> None:
        if self._stop_by_s is not None:
            return
        for place in set(range(len(self._roles))) - set(self._running.values()):
            if time.monotonic() >= self._restarts[place].due_s:
                self._start(place)

    def _start(self, place: int) -> None:
        # A signal between fork and the child's own handlers would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _play(self._roles[place], self._pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)
        self._running[pid] = place
        self._restarts[place].started(time.monotonic())
        self._note(self._roles[place].name, "started", pid)

    def _kill_late(self) -> None:
        if self._stop_by_s is None or time.monotonic() < self._stop_by_s:
            return
        for pid, place in self._running.items():
            self._note(self._roles[place].name, "killed", pid)
            os.kill(pid, signal.SIGKILL)
        self._stop_by_s = time.monotonic() + self._rules.stop_s


def _play(role: Role, parent_pid: int) -> None:
    """Be the role's process; never returns."""
    code = RESTART
    try:
        for number in _TOLD:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)
        # Asked to end and not killed: a worker may finish what it does.
        die_with_parent(parent_pid, signal.SIGTERM)
        code = role.run()
    except BaseException:  # noqa: BLE001  # nothing may get out: above is the parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
