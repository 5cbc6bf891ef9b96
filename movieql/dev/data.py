"""The folder in which `movieql dev` keeps what it has, for one of it at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from movieql.domain.errors import SettingsError

DATA_FOLDER = Path(".movieql")
"""Where it lies unless said otherwise: below the folder that `movieql dev` is started in."""


@contextmanager
def data_folder(path: Path) -> Iterator[Path]:
    """Make the folder, for its owner alone, and keep others out. Raises SettingsError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (path / "lock").open("w")
    except OSError as error:
        raise SettingsError(f"--data {path}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SettingsError(
                f"another `movieql dev` uses {path}; stop it, or choose another folder with --data"
            ) from error
        yield path
