"""`movieql export` against `movieql dev`, as people run both."""

import csv
import json
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from movieql.dev.catalogues import captured
from tests.servers import launched, operation, ran, started

READY_S = 20.0
"""Longest time from asking for an export to its file."""

PRICES = {
    (shop, movie_id): movie["Price"]
    for shop, catalogue in captured().items()
    for movie_id, movie in catalogue.movies.items()
}
"""What the simulated shops sell, for how much."""


class Dev:
    """`movieql dev` whose shops were seen; `folder` is for what its callers write."""

    def __init__(self, output: str, folder: Path) -> None:
        (self.url,) = re.findall(r"movieql is ready:\s+(http://\S+)", output)
        (password,) = re.findall(r"password (\S+), for a token", output)
        body = json.dumps({"username": "dev", "password": password})
        granted = json.loads(_curl(f"{self.url}/login", body))
        self.token = granted["access_token"]
        (folder / "token").write_text(self.token, encoding="utf-8")
        self.env = {"MOVIES_URL": self.url}
        self.who = ("--token-file", str(folder / "token"))

    def see_the_shops(self, store: Path) -> None:
        """Ask for all prices, and wait until they are written down."""
        question = json.dumps({"query": operation("CheapestMovies")})
        deadline_s = time.monotonic() + READY_S
        while not _all_is_in(store):
            assert time.monotonic() < deadline_s
            _curl(f"{self.url}/graphql", question)
            time.sleep(0.2)

    def run(self, *args: str) -> "subprocess.CompletedProcess[str]":
        return ran(*args, *self.who, env=self.env)


def _curl(url: str, body: str) -> str:
    done = subprocess.run(  # noqa: S603  # a server of ours
        ["curl", "-s", url, "-H", "content-type: application/json", "-d", body],  # noqa: S607  # as people do
        capture_output=True,
        check=True,
        text=True,
        timeout=20,
    )
    return done.stdout


def _all_is_in(store: Path) -> bool:
    seen = "".join(each.read_text(encoding="utf-8") for each in store.rglob("*.jsonl"))
    return all(
        f'"{own_id}"' in seen and f'"{price}"' in seen for (_, own_id), price in PRICES.items()
    )


@pytest.fixture(scope="module")
def dev() -> Iterator[Dev]:
    # Not tmp_path: the path of a unix socket has about 100 characters.
    with tempfile.TemporaryDirectory(prefix="movieql-") as name:
        folder = Path(name)
        ports = ("--port", "0", "--simulator-port", "0")
        with started(
            "dev", *ports, "--data", str(folder / "data"), ready="Ctrl-C stops everything."
        ) as process:
            running = Dev(process.output, folder)
            running.see_the_shops(folder / "data" / "store")
            yield running


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file, by column."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def assert_is_what_is_sold(path: Path) -> None:
    """Compare a file with what the simulated shops have."""
    found = rows(path)
    sold = {key: Decimal(price) for key, price in PRICES.items()}
    assert len(found) == len(sold) == 13
    assert {
        (row["provider"], row["provider_movie_id"]): Decimal(row["price"]) for row in found
    } == sold
    for row in found:
        digits = row["provider_movie_id"][2:]
        assert row["movie_id"] == f"tt{digits}"
        lowest = min(price for (_, own_id), price in sold.items() if own_id[2:] == digits)
        assert (row["cheapest"] == "true") is (Decimal(row["price"]) == lowest)


def listed(dev: Dev) -> list[str]:
    """Return the ids of all exports there are."""
    done = dev.run("exports", "--json")
    assert done.returncode == 0
    return [each["id"] for each in json.loads(done.stdout)]


def test_an_export_is_a_file_of_what_the_shops_sell(dev: Dev, tmp_path: Path) -> None:
    path = tmp_path / "movies.csv"
    began_s = time.monotonic()
    done = dev.run("export", "--wait", "--out", str(path))
    assert time.monotonic() - began_s < READY_S
    assert (done.returncode, done.stdout.split(",")[0]) == (0, f"{path}: 13 rows"), done.stderr
    assert_is_what_is_sold(path)
    assert [each.name for each in tmp_path.iterdir()] == ["movies.csv"]
    for shop in captured():
        assert re.search(rf"^{shop}: \d rows, last seen \d+ s before", done.stderr, re.MULTILINE)
    assert dev.token not in done.stdout + done.stderr


def test_an_interrupted_export_goes_on_as_the_same(dev: Dev, tmp_path: Path) -> None:
    path, before = tmp_path / "movies.csv", listed(dev)
    args = ("export", "--wait", "--out", str(path))
    with launched(*args, *dev.who, env=dev.env) as process:
        process.wait_for("is QUEUED")  # a second until it looks again
        code, elapsed_s = process.stop(signal.SIGINT)
        output = process.output
    assert (code, elapsed_s < 5) == (130, True), output
    assert "Traceback" not in output
    (begun,) = set(listed(dev)) - set(before)
    assert (
        f"Run the same command again, or get it with: movieql export --wait --id {begun}" in output
    )
    assert not path.exists()

    done = dev.run(*args)
    assert done.returncode == 0, done.stderr
    assert begun in done.stderr
    assert_is_what_is_sold(path)
    assert set(listed(dev)) == {*before, begun}


def test_an_export_is_asked_for_and_picked_up_later(dev: Dev, tmp_path: Path) -> None:
    path = tmp_path / "filmworld.csv"
    asked = dev.run("export", "--provider", "filmworld")
    assert asked.returncode == 0, asked.stderr
    done = dev.run("export", "--wait", "--id", asked.stdout.strip(), "--out", str(path))
    assert done.returncode == 0, done.stderr
    assert {row["provider"] for row in rows(path)} == {"filmworld"}


def test_a_token_of_another_server_is_not_allowed(dev: Dev) -> None:
    done = ran("exports", env={**dev.env, "MOVIES_TOKEN": "a.b.c"})
    assert done.returncode == 5
    assert "MOVIES_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr
