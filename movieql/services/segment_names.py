"""How files of observations are called: by the time they were written, so by day and in order.

`observations/2026/01/31/235959123-{watcher}-{number}.jsonl` as a watcher wrote it, its number
counting from 1 without a gap; `…/235959123-{hash}.c.jsonl` with several of them put together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from movieql.domain.observations import Milliseconds, milliseconds, moment

OBSERVATIONS = "observations/"
"""What all their keys start with."""

_NAME = re.compile(
    r"observations/([0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9]{9})-"
    r"(?:([0-9a-z]{1,32})-([0-9]{8})|[0-9a-f]{16}\.c)\.jsonl"
)
_STAMP = "%Y/%m/%d/%H%M%S"


@dataclass(frozen=True, slots=True)
class SegmentName:
    """A file's key, read. `watcher` None: it is compacted. `number` of the watcher's file."""

    key: str
    written_ms: Milliseconds
    watcher: str | None
    number: int = 0

    @property
    def is_compacted(self) -> bool:
        """Say whether it holds what other files held."""
        return self.watcher is None


def segment_key(written_ms: Milliseconds, watcher: str, number: int) -> str:
    """Return the key of a watcher's file."""
    return f"{OBSERVATIONS}{_stamp(written_ms)}-{watcher}-{number:08d}.jsonl"


def compacted_key(sources: list[str]) -> str:
    """Return the key of the file that holds all of these; the same for the same ones."""
    last = max(name.written_ms for key in sources if (name := read_name(key)) is not None)
    digest = sha256("\n".join(sorted(sources)).encode()).hexdigest()[:16]
    return f"{OBSERVATIONS}{_stamp(last)}-{digest}.c.jsonl"


def read_name(key: str) -> SegmentName | None:
    """Read a key, None for what is no file of observations."""
    found = _NAME.fullmatch(key)
    if found is None:
        return None
    stamp, watcher, number = found.groups()
    try:
        at = datetime.strptime(stamp[:-3], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return SegmentName(key, milliseconds(at) + int(stamp[-3:]), watcher, int(number or 0))


def day_prefix(day: datetime) -> str:
    """Return what the keys of a day start with."""
    return f"{OBSERVATIONS}{day:%Y/%m/%d}/"


def days(since_ms: Milliseconds, until_ms: Milliseconds) -> Iterator[datetime]:
    """Return the days in UTC from one moment to another, both included."""
    day = moment(since_ms).replace(hour=0, minute=0, second=0, microsecond=0)
    while milliseconds(day) <= until_ms:
        yield day
        day += timedelta(days=1)


def _stamp(at_ms: Milliseconds) -> str:
    return f"{moment(at_ms):{_STAMP}}{at_ms % 1000:03d}"
