"""What is told of an export that has just ended, by whoever ended it."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from movieql.domain.errors import QueueError
from movieql.domain.exports import Manifest
from movieql.ports import ExportTally, Telemetry

NoteEnded: TypeAlias = Callable[[Manifest, float], Awaitable[None]]
"""Told of a manifest that ended an export, and the seconds since it was asked for."""


async def untold(_: Manifest, __: float) -> None:
    """Tell nobody."""


def told_to(telemetry: Telemetry, tally: ExportTally | None) -> NoteEnded:
    """Return what tells operators, and counts where there is a queue to count in."""

    async def note(manifest: Manifest, seconds: float) -> None:
        telemetry.export_ended(manifest.export_id, manifest.status.value, manifest.rows, seconds)
        if tally is not None:
            try:
                await tally.count(manifest.export_id, manifest.status)
            except QueueError as error:  # the export has ended all the same
                telemetry.queue_failed(f"export tally: {error}")

    return note
