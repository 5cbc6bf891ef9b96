"""The root fields that go on answering."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from movieql.api.context import ContextInfo
from movieql.api.export_types import NO_EXPORTS, SCOPE, Export
from movieql.domain.callers import require
from movieql.domain.errors import UnavailableError


@strawberry.type
class Subscription:
    """What can be followed."""

    @strawberry.subscription(
        description="An export of the caller's: as it is, then each time it changes, until it has "
        "ended, or for as long as this server lets one follow: then ask again. Without such an "
        "export the first answer is an error. "
        "Needs `exports`."
    )
    @staticmethod
    async def export_progress(
        info: ContextInfo,
        id: strawberry.ID,  # noqa: A002  # named by GraphQL
    ) -> AsyncGenerator[Export, None]:
        """See `ExportWatch.changes`."""
        caller = require(info.context.caller, SCOPE)
        watch = info.context.export_watch
        if watch is None:
            raise UnavailableError(NO_EXPORTS)
        async with aclosing(watch.changes(caller, id)) as changes:
            async for export in changes:
                yield Export.of(export)
