"""Processes that end with the one that started them, however that one ended.

Run as a script, `parents.py PARENT_PID SIGNAL COMMAND…`, it is the same for a program that is not
ours: on Linux it becomes the program, elsewhere it stays beside it and watches. It imports
nothing but the standard library, so that it starts at once.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

POLL_S = 0.25
"""Seconds between two looks at the parent where the kernel does not tell of its end."""

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int, number: int, poll_s: float = POLL_S) -> None:
    """Have this process get a signal as soon as its parent ends; at once if it has.

    On Linux it is the thread that forked whose end counts, so fork from the main one. Elsewhere a
    thread looks every `poll_s` seconds; call it after the fork.
    """
    if not _told_by_kernel(number):
        watch = threading.Thread(target=_watch, args=(parent_pid, number, poll_s), daemon=True)
        watch.start()
    if os.getppid() != parent_pid:  # it ended before we asked
        os.kill(os.getpid(), number)


def _told_by_kernel(number: int) -> bool:
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) == 0)


def _watch(parent_pid: int, number: int, poll_s: float) -> None:
    while os.getppid() == parent_pid:
        time.sleep(poll_s)
    os.kill(os.getpid(), number)


def become(parent_pid: int, number: int, command: list[str]) -> int:
    """Run a command that gets a signal when the parent ends; return its exit code, if ever."""
    if _told_by_kernel(number):
        if os.getppid() != parent_pid:
            return 1
        os.execv(command[0], command)  # noqa: S606  # it has to keep our process id
    return beside(parent_pid, number, command)


def beside(parent_pid: int, number: int, command: list[str], poll_s: float = POLL_S) -> int:
    """Run a command as a child; pass on what we are told and tell it when the parent ends."""
    child = subprocess.Popen(command)  # noqa: S603  # our caller's own program
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda number, _: child.send_signal(number))
    while child.poll() is None:
        if os.getppid() != parent_pid:
            child.send_signal(number)
            return child.wait()
        time.sleep(poll_s)
    return child.returncode


if __name__ == "__main__":
    sys.exit(become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
