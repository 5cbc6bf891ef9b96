"""The root fields that read exports; each needs the scope `exports`.

They may be null: where the store does not answer, what else was asked for is answered all the
same. An answer that has them is never kept.
"""

import strawberry

from movieql.api.context import ContextInfo
from movieql.api.export_types import SCOPE, Export, ExportConnection, exports_of
from movieql.domain.callers import require


@strawberry.type
class ExportQuery:
    """What can be asked about exports."""

    @strawberry.field(
        description="An export of the caller's; null when there is none of this id. "
        "Needs `exports`."
    )
    @staticmethod
    async def export(info: ContextInfo, id: strawberry.ID) -> Export | None:  # noqa: A002
        """See `Exports.get`."""
        return await found_export(info, id)

    @strawberry.field(description="The caller's own exports, the latest first. Needs `exports`.")
    @staticmethod
    async def exports(
        info: ContextInfo, first: int | None = None, after: str | None = None
    ) -> ExportConnection | None:
        """See `Exports.page`."""
        caller = require(info.context.caller, SCOPE)
        size = info.context.export_limits.page_default if first is None else first
        page = await exports_of(info).page(caller, size, after)
        return ExportConnection.of(page, after)


async def found_export(info: ContextInfo, export_id: str) -> Export | None:
    """Return an export of the caller's.

    Raises UnauthenticatedError, ForbiddenError, UnavailableError.
    """
    caller = require(info.context.caller, SCOPE)
    found = await exports_of(info).get(caller, export_id)
    return None if found is None else Export.of(found)
