"""`movieql daily-export`: a scheduler outside asks for a day's export, and there is one."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from movieql.dev.valkey import PrivateValkey
from movieql.domain.exports import SYSTEM_SUBJECT, daily_key, export_id
from tests.integration.exports.seeding import SHOPS
from tests.object_store import file_store
from tests.servers import launched, providers_file, ran

ENDED_S = 30.0


@pytest.fixture
def valkey() -> Iterator[PrivateValkey]:
    # Not tmp_path: the path of a unix socket has about 100 characters.
    with tempfile.TemporaryDirectory(prefix="movieql-") as folder:
        valkey = PrivateValkey(Path(folder) / "valkey")
        try:
            valkey.start()
            yield valkey
        finally:
            valkey.kill()


@pytest.fixture
def env(tmp_path: Path, valkey: PrivateValkey) -> dict[str, str]:
    nowhere = dict.fromkeys(SHOPS, "http://127.0.0.1:9")
    return {
        "MOVIEQL_PROVIDERS": providers_file(tmp_path, nowhere).read_text(encoding="utf-8"),
        "MOVIEQL_STORE_FOLDER": str(tmp_path / "store"),
        "MOVIEQL_PUBLIC_URL": "http://127.0.0.1",
        "MOVIEQL_LINK_SECRET": "0123456789-abcdefghijklmnopqrstuvwxyz",
        "MOVIEQL_QUEUE_URL": valkey.url,
        "MOVIEQL_QUEUE_TIMEOUT_S": "2",
    }


def daily_id(day: datetime) -> str:
    return export_id(SYSTEM_SUBJECT, daily_key(day))


def yesterday() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


def asked_by_two_at_once(env: dict[str, str]) -> list[str]:
    with ExitStack() as stack:
        asking = [
            stack.enter_context(launched("daily-export", "--day", "2026-01-31", env=env))
            for _ in range(2)
        ]
        for each in asking:
            assert each.process.wait(ENDED_S) == 0, each.output
        return [each.output for each in asking]


async def test_two_at_once_ask_for_one_export(
    env: dict[str, str], tmp_path: Path, valkey: PrivateValkey
) -> None:
    wanted = daily_id(datetime(2026, 1, 31, tzinfo=UTC))
    assert asked_by_two_at_once(env) == [f"{wanted} QUEUED\n"] * 2
    async with file_store(tmp_path / "store") as store:
        for records in ("requests/", "owners/", "pending/"):
            assert len(await store.list(records)) == 1
    with Redis.from_url(valkey.url) as queue:
        assert queue.lrange("rq:queue:exports", 0, -1) == [f"exp-{wanted}-1".encode()]


def test_the_day_is_yesterday_and_asking_again_changes_nothing(env: dict[str, str]) -> None:
    before = yesterday()
    first, second = ran("daily-export", env=env), ran("daily-export", env=env)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout == second.stdout
    assert first.stdout.split()[0] in {daily_id(before), daily_id(yesterday())}


def test_a_queue_that_is_down_does_not_lose_the_day(
    env: dict[str, str], valkey: PrivateValkey
) -> None:
    valkey.kill()
    asked = ran("daily-export", "--day", "2026-01-31", env=env)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == f"{daily_id(datetime(2026, 1, 31, tzinfo=UTC))} QUEUED\n"
    assert '"event":"queue"' in asked.stderr


@pytest.mark.parametrize(
    "day, changed, code, why",
    [
        ("2999-12-31", {}, 1, "2999-12-31 is not over"),
        (f"{datetime.now(UTC):%Y-%m-%d}", {}, 1, "is not over"),
        ("1999-12-31", {}, 1, "2000"),
        ("31.1.2026", {}, 2, "%Y-%m-%d"),
        ("2026-01-31", {"MOVIEQL_QUEUE_URL": ""}, 1, "MOVIEQL_QUEUE_URL"),
        (
            "2026-01-31",
            {"MOVIEQL_STORE_FOLDER": "", "MOVIEQL_QUEUE_URL": ""},
            1,
            "MOVIEQL_STORE_BUCKET or MOVIEQL_STORE_FOLDER",
        ),
        ("2026-01-31", {"MOVIEQL_PROVIDERS": ""}, 1, "MOVIEQL_PROVIDERS_FILE"),
    ],
    ids=["future", "today", "too old", "no day", "no queue", "no store", "no providers"],
)
def test_what_cannot_be_asked_for_is_told(
    env: dict[str, str], day: str, changed: dict[str, str], code: int, why: str
) -> None:
    done = ran("daily-export", "--day", day, env=env | changed)
    assert done.returncode == code
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
