"""What an export is asked for with, and the key by which the same question finds it again."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from movieql.commands.saving import State

RESUMED_S_MAX = 3_600.0
"""Seconds for which "the last 24 hours" may mean those before an earlier run of a command."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an export is to have; None is what was left out. `since`, `until` have a zone."""

    since: datetime | None = None
    until: datetime | None = None
    providers: tuple[str, ...] = ()
    gzip: bool = False

    @property
    def is_fixed(self) -> bool:
        """Say whether it means the same window at any time."""
        return self.since is not None and self.until is not None

    @property
    def text(self) -> str:
        """Return it as text, the same for the same question."""
        return json.dumps(self._fields(), sort_keys=True)

    @property
    def key(self) -> str:
        """Return the idempotency key that is made of it."""
        return f"command-{hashlib.sha256(self.text.encode()).hexdigest()}"

    def input(self, key: str) -> dict[str, Any]:
        """Return it as `RequestExportInput`."""
        given = {name: value for name, value in self._fields().items() if value is not None}
        return {**given, "idempotencyKey": key}

    def _fields(self) -> dict[str, Any]:
        return {
            "since": _utc(self.since),
            "until": _utc(self.until),
            "providers": sorted(set(self.providers)) or None,
            "gzip": self.gzip,
        }


@dataclass(frozen=True, slots=True)
class KeyRules:
    """Which key is used: `given`, or a new one if `is_new`, else one of before if there is one."""

    given: str | None = None
    is_new: bool = False


def resumed(state: State | None, server: str, asked: Asked, now_s: float) -> State | None:
    """Return what an earlier run of the same command kept, None where that does not count."""
    if state is None or (state.server, state.asked) != (server, asked.text):
        return None
    is_recent = 0 <= now_s - state.asked_s <= RESUMED_S_MAX
    return state if asked.is_fixed or is_recent else None


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
