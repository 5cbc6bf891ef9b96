"""Workers as real processes, ended by their own handles."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.integration.jobs.worker_process import Journal
from tests.servers import ROOT


class Machine:
    """Starts processes that share a journal, and ends them."""

    def __init__(self, url: str, folder: Path, stack: ExitStack) -> None:
        self._url = url
        self._path = folder / "journal"
        self._stack = stack
        self.log = folder / "log"
        self.journal = Journal(self._path)

    def start(self, mode: str, **options: Any) -> "subprocess.Popen[bytes]":
        """Start a process."""
        sink = self._stack.enter_context(self.log.open("ab"))
        process = subprocess.Popen(  # noqa: S603  # our own
            [
                sys.executable,
                *("-m", "tests.integration.jobs.worker_process", mode, self._url),
                *(str(self._path), json.dumps(options)),
            ],
            cwd=ROOT,
            stdout=sink,
            stderr=sink,
        )
        self._stack.callback(_end, process)
        return process

    def wait_for(self, event: str, count: int = 1, within_s: float = 20.0) -> dict[str, Any]:
        """Wait until so many events of a kind happened; return the last of those."""
        until_s = time.monotonic() + within_s
        while len(found := self.journal.events(event)) < count:
            assert time.monotonic() < until_s, self.told()
            time.sleep(0.02)
        return found[count - 1]

    def told(self) -> str:
        """Return what a failed test shows."""
        events = [line for line in self.journal.read() if line["event"] != "beat"]
        return f"{events}\n{self.log.read_text(encoding='utf-8')}"


@contextmanager
def machine(url: str, folder: Path) -> Iterator[Machine]:
    """Give a machine whose processes end with the block."""
    with ExitStack() as stack:
        yield Machine(url, folder, stack)


def alive(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be reaped does not."""
    state = _state_on_linux(pid) if Path("/proc/self/stat").exists() else _state(pid)
    return state != "" and not state.startswith("Z")


def _state_on_linux(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2]
    except OSError:
        return ""


def _state(pid: int) -> str:
    ps = ["/bin/ps", "-o", "stat=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, check=False, text=True).stdout.strip()  # noqa: S603  # a number


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
