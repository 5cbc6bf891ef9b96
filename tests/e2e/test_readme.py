"""What README tells a newcomer to ask is asked, word for word."""

import asyncio
import json
import re
import subprocess

import pytest

from tests.servers import ROOT, running

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
CURLS = re.findall(r"^curl .*/graphql .*$", README, re.MULTILINE)


def test_there_is_something_to_test() -> None:
    assert len(QUERIES) >= 4
    assert CURLS


@pytest.mark.parametrize("number", range(len(QUERIES)))
async def test_each_query_is_answered_without_an_error(number: int) -> None:
    async with running() as server:
        reply = await server.ask(QUERIES[number])
        assert reply.status == 200
        assert "errors" not in reply.json
        assert all(reply.data.values())


@pytest.mark.parametrize("number", range(len(CURLS)))
async def test_each_curl_line_answers_with_the_cheapest_prices(number: int) -> None:
    async with running() as server:
        line = CURLS[number].replace("http://127.0.0.1:8000", server.url)
        process = await asyncio.to_thread(
            lambda: subprocess.run(  # noqa: S602  # the line as a person would type it
                line, shell=True, cwd=ROOT, capture_output=True, check=True, timeout=20
            )
        )
        assert json.loads(process.stdout)["data"]["movies"]["complete"] is True
