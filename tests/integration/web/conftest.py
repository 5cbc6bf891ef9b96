"""A healthy server per test."""

from collections.abc import AsyncIterator

import pytest

from tests.servers import Stack, running


@pytest.fixture
async def server() -> AsyncIterator[Stack]:
    """Run the server over two healthy shops."""
    async with running() as stack:
        yield stack
