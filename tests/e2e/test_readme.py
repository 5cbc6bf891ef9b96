"""What README tells a newcomer to ask is asked, word for word."""

import asyncio
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from movieql.dev.valkey import PrivateValkey
from tests.servers import JWT_SECRET, ROOT, running, started, token

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
CURLS = re.findall(r"^curl .*/graphql .*$", README, re.MULTILINE)
(HOUSE,) = re.findall(r"```sh\n(PASSWORD=.*?)```", README, re.DOTALL)
(POWERSHELL,) = re.findall(r"```powershell\n(.*?)```", README, re.DOTALL)
URL = "http://127.0.0.1:8000"


def in_shell(commands: str) -> str:
    """Run what a person would type, from the root of the repository; return what it prints."""
    done = subprocess.run(  # noqa: S602  # that is what people do
        f"set -e\n{commands}",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=20,
    )
    return done.stdout


@pytest.fixture(scope="module")
def valkey() -> Iterator[PrivateValkey]:
    with tempfile.TemporaryDirectory(prefix="movieql-test-") as folder:
        server = PrivateValkey(Path(folder) / "queue")
        server.start()
        yield server
        server.stop()


def test_there_is_something_to_test() -> None:
    assert len(QUERIES) >= 5
    assert CURLS


def test_the_two_commands_stand_where_nobody_has_to_scroll() -> None:
    lines = [line.split("#")[0].strip() for line in README.splitlines()[:20]]
    assert {"make run", "make test"} <= set(lines)


@pytest.mark.parametrize("number", range(len(QUERIES)))
async def test_each_query_is_answered_without_an_error(
    number: int, tmp_path: Path, valkey: PrivateValkey
) -> None:
    settings = {
        "jwt_secret": JWT_SECRET,
        "store_folder": tmp_path,
        "public_url": "http://127.0.0.1",
        "link_secret": JWT_SECRET,
        "queue_url": valkey.url,
    }
    async with running(settings) as server:
        caller = {"authorization": f"Bearer {token('movies:write', 'exports')}"}
        reply = await server.post({"query": QUERIES[number]}, **caller)
        assert reply.status == 200
        assert "errors" not in reply.json
        assert all(reply.data.values())
        assert [each.get("errors", []) for each in reply.data.values()] == [[]]


@pytest.mark.parametrize("number", range(len(CURLS)))
async def test_each_curl_line_answers_with_the_cheapest_prices(number: int) -> None:
    async with running() as server:
        line = CURLS[number].replace(URL, server.url)
        printed = await asyncio.to_thread(in_shell, line)
        assert json.loads(printed)["data"]["movies"]["complete"] is True


def test_the_commands_of_the_house_catalogue_keep_a_movie_and_find_it() -> None:
    ready = "Ctrl-C stops everything."
    with started("dev", "--port", "0", "--simulator-port", "0", ready=ready) as dev:
        (url,) = re.findall(r"movieql is ready:\s+(http://\S+)", dev.output)
        (password,) = re.findall(r"password ([\w-]+),", dev.output)
        commands = HOUSE.replace(URL, url).replace("PASSWORD=…", f"PASSWORD={password}")
        printed = in_shell(re.sub(r"^(curl .*)$", r"\1; echo", commands, flags=re.MULTILINE))
    before, put, *found = [json.loads(line) for line in printed.splitlines()]
    heat: Any = {"name": "Heat", "year": 1995, "director": "Michael Mann", "genre": "Crime"}
    assert before == []
    assert put == {"message": "Movie created successfully", "movie": heat}
    assert found == [[heat]] * 3


def test_powershell_asks_only_for_what_curl_asks_for() -> None:
    asked = [re.findall(rf"{URL}[\w/?=&]*", text) for text in (HOUSE, POWERSHELL)]
    assert asked[1]
    assert set(asked[1]) <= set(asked[0])
