"""A file that appears whole or not at all, and what is kept beside it while it is not there.

`FILE.movieql` says what was asked for; `FILE.movieql.part` has the bytes so far and keeps a
second command for the same file out.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from movieql.commands.endings import CommandError, ExitCode

STATE_BYTES_MAX = 64 * 1024
"""Bytes of a state file that are read."""

_OPENED_AGAIN_MAX = 5


@dataclass(frozen=True, slots=True)
class State:
    """What was asked for, where and when, so that the same command goes on with it.

    `asked`: what tells one request from another; `asked_s`: Unix time in seconds; `export_id`:
    None until the server has named one.
    """

    server: str
    asked: str
    key: str
    asked_s: float
    export_id: str | None = None


class Place:
    """Where a file is to be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state = path.with_name(f"{path.name}.movieql")
        self._part = path.with_name(f"{path.name}.movieql.part")

    @contextmanager
    def held(self) -> Iterator[BinaryIO]:
        """Open what is there of the file's bytes, for one command at a time.

        Raises CommandError when another one has it, or the folder cannot be written.
        """
        try:
            with self._opened() as part:
                try:
                    yield part
                finally:
                    self._tidy(part)
        except OSError as error:
            raise CommandError.ending(
                ExitCode.REFUSED, f"{self.path}: {error.strerror or error}"
            ) from error

    def _opened(self) -> BinaryIO:
        for _ in range(_OPENED_AGAIN_MAX):
            descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            part = os.fdopen(descriptor, "r+b")
            try:
                fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_at_part(part):  # else another command just finished it
                    return part
            except BlockingIOError as error:
                part.close()
                raise CommandError.ending(
                    ExitCode.REFUSED, f"another command is writing {self.path}: wait for it."
                ) from error
            except BaseException:
                part.close()
                raise
            part.close()
        raise CommandError.ending(ExitCode.REFUSED, f"other commands are writing {self.path}.")

    def _tidy(self, part: BinaryIO) -> None:
        if self._is_at_part(part) and part.seek(0, os.SEEK_END) == 0:
            self._part.unlink()

    def _is_at_part(self, part: BinaryIO) -> bool:
        try:
            return os.path.samestat(os.fstat(part.fileno()), self._part.stat())
        except FileNotFoundError:
            return False

    def state(self) -> State | None:
        """Return what is kept, None where nothing is that can be read."""
        try:
            with self._state.open("rb") as kept:
                return State(**json.loads(kept.read(STATE_BYTES_MAX)))
        except (FileNotFoundError, TypeError, ValueError):
            return None

    def keep(self, state: State) -> None:
        """Replace what is kept, in one step."""
        new = self._state.with_name(f"{self._state.name}.new")
        new.write_text(json.dumps(asdict(state)), encoding="utf-8")
        new.replace(self._state)

    def finish(self, part: BinaryIO) -> None:
        """Put the bytes where they are to be, in one step, and forget the rest."""
        part.flush()
        os.fsync(part.fileno())
        self._part.replace(self.path)
        self.forget()

    def forget(self) -> None:
        """Remove what is kept, so that the same command asks anew."""
        self._state.unlink(missing_ok=True)
        self._part.unlink(missing_ok=True)
