"""The official audit of GraphQL over HTTP finds nothing to say."""

import asyncio
import json
from typing import Any

from tests.servers import ROOT, running

AUDITS = 61
"""Questions of graphql-http 1.23.1."""

AUDIT_S = 60.0
"""Longest run of Node; a tenth of it is usual, unless `bin/with-node` installs one first."""


async def audited(url: str) -> list[dict[str, Any]]:
    """Return what became of each question."""
    process = await asyncio.create_subprocess_exec(
        ROOT / "bin" / "with-node",
        "node",
        ROOT / "tests" / "e2e" / "audit.mjs",
        url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), AUDIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    results: list[dict[str, Any]] = json.loads(output)
    return results


async def test_every_audit_of_graphql_over_http_is_passed() -> None:
    async with running() as server:
        results = await audited(f"{server.url}/graphql")
    failed = [
        f"{r['status']}: {r['name']} ({r['reason']})" for r in results if r["status"] != "ok"
    ]
    assert not failed, "\n".join(failed)
    assert len(results) == AUDITS
