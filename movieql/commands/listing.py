"""Reading the list of the caller's own exports, page by page."""

from collections.abc import Mapping
from typing import Any

from movieql.commands.documents import EXPORTS
from movieql.commands.endings import NotNowError
from movieql.commands.records import ExportRecord, export_record
from movieql.commands.server import Server

PAGE = 50
"""Exports that are asked for at once; servers give no more."""

_Page = tuple[list[ExportRecord], str | None]


async def listed(server: Server, limit: int) -> list[ExportRecord]:
    """Return up to `limit` exports, the latest first. Raises CommandError."""
    found: list[ExportRecord] = []
    after: str | None = None
    while len(found) < limit:
        asked = {"first": min(PAGE, limit - len(found)), "after": after}
        page, after = await server.ask(EXPORTS, asked, _page)
        found += page
        if after is None or not page:
            break
    return found[:limit]


def _page(data: Mapping[str, Any]) -> _Page:
    connection = data.get("exports")
    if not isinstance(connection, dict):
        raise NotNowError("it answers without a list")
    try:
        records = [export_record(each) for each in connection["nodes"]]
        info = connection["pageInfo"]
        return records, info["endCursor"] if info["hasNextPage"] else None
    except (KeyError, TypeError) as error:
        raise NotNowError("it answers with a list that cannot be read") from error
