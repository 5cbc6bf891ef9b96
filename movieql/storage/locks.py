"""Locks that hold between threads and between processes, and end with whoever held them."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from movieql.domain.errors import StoreError
from movieql.storage.disk_failures import unwritten

LOCK_FILES = 64
"""Lock files of a store; keys share them, so that their number does not grow with the keys."""

_POLL_S = 0.005


class Locks:
    """A lock per key, as the system's lock on one of a fixed number of files.

    `flock` belongs to an open file, so it also excludes threads of one process from each other,
    and the system drops it when a process is killed.
    """

    def __init__(self, folder: Path, timeout_s: float) -> None:
        self._folder = folder
        self._timeout_s = timeout_s

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        """Hold the lock of a key; blocks. Raises StoreError after `timeout_s`."""
        stripe = int.from_bytes(sha256(key.encode()).digest()[:8]) % LOCK_FILES
        path = self._folder / f"{stripe:02d}"
        with unwritten():
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock(file)
            yield
        finally:
            os.close(file)  # also gives the lock back

    def _lock(self, file: int) -> None:
        for _ in range(max(round(self._timeout_s / _POLL_S), 1)):
            if try_lock(file):
                return
            time.sleep(_POLL_S)  # flock itself cannot wait for a bounded time
        raise StoreError("The file store is busy: another holds the lock for too long.")


def try_lock(file: int) -> bool:
    """Lock an open file if nobody holds it, until it is closed; say whether it worked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
