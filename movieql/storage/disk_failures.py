"""What a disk refuses, as errors of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from movieql.domain.errors import StoreUnwritableError


@contextmanager
def unwritten() -> Iterator[None]:
    """Raise StoreUnwritableError where the disk refuses, for as long as nothing can be seen.

    A disk that is full or read-only, a quota, a missing right. What is missing stays a
    FileNotFoundError.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:  # its text names the path, its strerror does not
        reason = error.strerror or "no reason"
        raise StoreUnwritableError(
            f"The file store cannot be written to ({reason}): nothing was written."
        ) from error
