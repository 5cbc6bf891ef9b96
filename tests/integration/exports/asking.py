"""Asking a server for exports, as a caller over HTTP."""

import asyncio
from datetime import datetime

from tests.servers import Client, operation, token

ANSWER_S = 15.0
"""Seconds after which a caller takes a server for dead."""


async def ask_for(
    client: Client, key: str, window: tuple[datetime, datetime]
) -> tuple[str, str | None]:
    """Ask for an export once; return what the answer was, and the export's id if it has one."""
    since, until = (each.isoformat() for each in window)
    given = {"since": since, "until": until, "idempotencyKey": key}
    body = {"query": operation("RequestExport"), "variables": {"input": given}}
    try:
        async with asyncio.timeout(ANSWER_S):
            reply = await client.post(body, authorization=f"Bearer {token('exports')}")
    except TimeoutError:
        return "no answer", None
    payload = reply.data["requestExport"]
    if payload["errors"]:
        return str(payload["errors"][0]["__typename"]), None
    return "an export", str(payload["export"]["id"])
