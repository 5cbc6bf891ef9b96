"""The version of a file: a hash of its content, computed again where that may have changed."""

import os
import time
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Protocol

CHUNK_BYTES = 1 << 20
"""Bytes that are read at once."""

_Stamp = tuple[int, int, int, int]

SETTLED_NS = 2_000_000_000
"""Nanoseconds after which a file's times tell of every change: no file system's tick is longer."""


class Digest(Protocol):
    """What hashlib makes."""

    def hexdigest(self) -> str:
        """Return the hash in hexadecimal digits."""
        ...


def etag_text(digest: Digest) -> str:
    """Return the version that a body with this SHA-256 is, in any process and at any time."""
    return digest.hexdigest()[:32]


class ETags:
    """Versions of files, remembered by inode, size and times for at most `entries_max` files.

    A file that changed within the last `settled_ns` is hashed each time: its times may be the
    same after the next change (git calls such entries racy).
    """

    def __init__(self, entries_max: int = 10_000, settled_ns: int = SETTLED_NS) -> None:
        self._entries_max = entries_max
        self._settled_ns = settled_ns
        self._known: OrderedDict[_Stamp, str] = OrderedDict()
        self._lock = Lock()

    def of(self, path: Path) -> str | None:
        """Return the version of what is there now, None if nothing is; always reads it."""
        try:
            with path.open("rb") as file:
                return _hashed(file)
        except FileNotFoundError:
            return None

    def of_open(self, file: BinaryIO) -> str:
        """Return the version of an open file, as remembered if it cannot have changed."""
        status = os.fstat(file.fileno())
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        with self._lock:
            known = self._known.get(stamp)
        if known is not None:
            return known
        # ctime is the machine's own, so it is compared with the machine's time.
        settled = time.time_ns() - status.st_ctime_ns > self._settled_ns
        etag = _hashed(file)
        if settled:
            self._remember(stamp, etag)
        return etag

    def _remember(self, stamp: _Stamp, etag: str) -> None:
        with self._lock:
            self._known[stamp] = etag
            if len(self._known) > self._entries_max:
                self._known.popitem(last=False)


def _hashed(file: BinaryIO) -> str:
    digest = sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return etag_text(digest)
