"""The root fields that write about exports; in all else like those of `mutations`.

Each needs the scope `exports`. What cannot be queued now is no failure: the intent is written
down, and queued later.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from movieql.api.context import ContextInfo
from movieql.api.export_errors import (
    ExportsUnavailable,
    NotCancellable,
    NotRetryable,
    expected_of_export,
)
from movieql.api.export_types import NO_EXPORTS, SCOPE, Export
from movieql.api.export_watching import NO_EXPORT
from movieql.api.mutation_errors import Failure, NotFound
from movieql.domain import exports as domain
from movieql.domain.callers import Caller, require
from movieql.domain.errors import ExportStateError, MovieqlError
from movieql.services.exports import Exports

_Outcome: TypeAlias = tuple[Export | None, list[Failure]]
_Action: TypeAlias = Callable[
    [Exports, Caller], Awaitable[tuple[domain.Export | None, list[Failure]]]
]


@strawberry.input(description="What an export is to have.")
class RequestExportInput:
    """Becomes `domain.exports.ExportInput`."""

    since: datetime | None = strawberry.field(
        default=None, description="Start of the window, in it; 24 hours before its end."
    )
    until: datetime | None = strawberry.field(
        default=None, description="End of the window, not in it; now."
    )
    providers: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Only these; all that sell."
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="The same for every try of one request: there is one export of each key of a "
        "caller's. Without one each request is a new export.",
    )
    gzip: bool = strawberry.field(default=False, description="Compress the file.")

    def given(self) -> domain.ExportInput:
        """Return it as a value; it is checked by the service."""
        return domain.ExportInput(
            since=self.since,
            until=self.until,
            providers=None if self.providers is None else tuple(map(str, self.providers)),
            idempotency_key=self.idempotency_key,
            gzip=self.gzip,
        )


@strawberry.input(description="Which export is to be cancelled.")
class CancelExportInput:
    """Becomes the argument of `Exports.cancel`."""

    id: strawberry.ID


@strawberry.input(description="Which export is to be made once more.")
class RetryExportInput:
    """Becomes the argument of `Exports.retry`."""

    id: strawberry.ID


@strawberry.type(description="What became of a request for an export.")
class RequestExportPayload:
    """Either `export`, or the reasons in `errors`."""

    export: Export | None
    errors: list[Failure]


@strawberry.type(description="What became of an export that was to be cancelled.")
class CancelExportPayload:
    """See `Exports.cancel`."""

    export: Export | None = strawberry.field(
        description="As it is now, also when it had ended before."
    )
    errors: list[Failure]


@strawberry.type(description="What became of an export that was to be made once more.")
class RetryExportPayload:
    """See `Exports.retry`."""

    export: Export | None = strawberry.field(
        description="The new one, or the old one beside `NotRetryable`."
    )
    errors: list[Failure]


@strawberry.type
class ExportMutation:
    """What can be changed about exports."""

    @strawberry.field(
        description="Ask for a CSV file of all movies on offer in a window of time. "
        "Needs `exports`."
    )
    @staticmethod
    async def request_export(
        info: ContextInfo,
        fields: Annotated[RequestExportInput, strawberry.argument(name="input")],
    ) -> RequestExportPayload | None:
        """See `Exports.request`."""

        async def request(exports: Exports, caller: Caller) -> tuple[domain.Export, list[Failure]]:
            return await exports.request(caller, fields.given()), []

        export, errors = await _outcome(info, request)
        return RequestExportPayload(export=export, errors=errors)

    @strawberry.field(
        description="End an export of the caller's that has not ended. Needs `exports`."
    )
    @staticmethod
    async def cancel_export(
        info: ContextInfo,
        given: Annotated[CancelExportInput, strawberry.argument(name="input")],
    ) -> CancelExportPayload | None:
        """See `Exports.cancel`."""

        async def cancel(
            exports: Exports, caller: Caller
        ) -> tuple[domain.Export | None, list[Failure]]:
            export = await exports.cancel(caller, given.id)
            return export, _not_cancelled(export)

        export, errors = await _outcome(info, cancel)
        return CancelExportPayload(export=export, errors=errors)

    @strawberry.field(
        description="Make an export of the same window once more, when it failed, was cancelled, "
        "expired or is partial. Needs `exports`."
    )
    @staticmethod
    async def retry_export(
        info: ContextInfo,
        given: Annotated[RetryExportInput, strawberry.argument(name="input")],
    ) -> RetryExportPayload | None:
        """See `Exports.retry`."""

        async def retry(
            exports: Exports, caller: Caller
        ) -> tuple[domain.Export | None, list[Failure]]:
            try:
                return await exports.retry(caller, given.id), []
            except ExportStateError as error:
                return await exports.get(caller, given.id), [NotRetryable(message=str(error))]

        export, errors = await _outcome(info, retry)
        return RetryExportPayload(export=export, errors=errors)


async def _outcome(info: ContextInfo, action: _Action) -> _Outcome:
    caller = require(info.context.caller, SCOPE)
    exports = info.context.exports
    if exports is None:
        return None, [
            ExportsUnavailable(message=NO_EXPORTS, retryable=False, may_have_happened=False)
        ]
    try:
        export, errors = await action(exports, caller)
    except MovieqlError as error:
        return None, [expected_of_export(error, info.context.export_limits.open_max)]
    if export is None:
        return None, [NotFound(message=NO_EXPORT)]
    return Export.of(export), errors


def _not_cancelled(export: domain.Export | None) -> list[Failure]:
    if export is None or export.status is domain.ExportStatus.CANCELLED:
        return []
    said = f"The export is {export.status.value}: it cannot be cancelled."
    return [NotCancellable(message=said)]
