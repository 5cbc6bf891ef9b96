"""Asking for a day's export from outside, as the keeper does from within."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, time, timedelta

from movieql.composition.exporting import open_exports
from movieql.composition.store import open_store
from movieql.domain.errors import BadInputError, SettingsError
from movieql.domain.exports import Export
from movieql.domain.movies import Profile
from movieql.ports import Clock, Telemetry
from movieql.settings import Settings


async def ask_daily(
    settings: Settings,
    profiles: Sequence[Profile],
    day: date | None,
    clock: Clock,
    telemetry: Telemetry,
) -> Export:
    """Ask for the export of a day in UTC, of yesterday for None; however many do so, there is one.

    A queue that does not answer is no error, for a worker finds what was asked for. Raises
    BadInputError for a day that is not over, SettingsError where there is no store or no queue,
    and StoreError.
    """
    today = clock.now().date()
    day = today - timedelta(days=1) if day is None else day
    if day >= today:
        raise BadInputError(f"{day} is not over in UTC: there is no export of it yet.")
    async with AsyncExitStack() as stack:
        store = await open_store(settings, clock, telemetry, stack)
        if store is None:
            raise SettingsError(_NO_STORE)
        exports = await open_exports(settings, store.objects, profiles, clock, telemetry, stack)
        if exports is None:
            raise SettingsError("a daily export needs MOVIEQL_QUEUE_URL: workers take it there")
        return await exports.daily(datetime.combine(day, time(), UTC))


_NO_STORE = "a daily export needs MOVIEQL_STORE_BUCKET or MOVIEQL_STORE_FOLDER: it is kept there"
