"""The work of `movieql export` against a server that fails in every way."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from movieql.commands.asking import RESUMED_S_MAX, Asked, KeyRules
from movieql.commands.credentials import Login
from movieql.commands.endings import CommandError, ExitCode
from movieql.commands.saving import Place
from movieql.commands.telling import warnings
from movieql.domain.exports import ExportStatus
from tests.servers import until
from tests.unit.commands.api import (
    CSV,
    Api,
    Commanding,
    Fault,
    at,
    commanding,
    errors,
    hang_up,
    status,
)

WINDOW = Asked(at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00+00:00"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "movies.csv"


def written(path: Path) -> bytes:
    """Return the bytes of the file."""
    return path.read_bytes()


def names(path: Path) -> set[str]:
    """Return what lies in the folder of the file."""
    return {each.name for each in path.parent.iterdir()}


def left(path: Path) -> set[str]:
    """Return what lies beside the file."""
    return names(path) - {path.name, "stdout"}


async def ends_with(code: ExitCode, api: Api, path: Path, timeout_s: float = 5.0) -> str:
    """Return the message of an export that ends so; nothing is written."""
    async with commanding(api) as it:
        it.timeout_s = timeout_s
        with pytest.raises(CommandError) as caught:
            await it.get(path)
    assert caught.value.exit_code is code
    assert path.name not in names(path)
    return str(caught.value)


async def test_the_file_is_there_whole_and_nothing_beside_it(path: Path) -> None:
    async with commanding(Api()) as it:
        record = await it.get(path)
        assert record.status is ExportStatus.READY
        assert written(path) == CSV
        assert left(path) == set()
        assert it.said.text.splitlines() == [
            f"{record.id} is QUEUED, 1 of 13 offers",
            f"{record.id} is RUNNING, 1 of 13 offers",
            f"{record.id} is READY, 1 of 13 offers",
            *(line for line in it.said.text.splitlines() if line.startswith("downloaded")),
        ]
        assert it.clock.waits_s == [1.0, 1.0]


async def test_standard_output_gets_what_was_checked(path: Path) -> None:
    async with commanding(Api()) as it:
        exporting = it.exporting(None)
        with path.open("wb") as sink:
            await exporting.finish(it.downloads(exporting), 20.0, sink)
    assert written(path) == CSV
    assert left(path) == set()


async def test_a_server_that_fails_in_between_ends_nothing(path: Path) -> None:
    api = Api(
        faults=[
            hang_up,
            status(503),
            status(429, Retry_After="3"),
            errors("UNAVAILABLE"),
            errors("INTERNAL"),
            status(200),
        ],
        file_faults=[status(500), status(403), hang_up],
    )
    async with commanding(api) as it:
        await it.get(path)
        assert it.clock.waits_s[2] == 3.0
    assert written(path) == CSV
    assert len(set(api.keys)) == 1


async def test_a_wait_that_is_longer_than_our_patience_is_not_begun(path: Path) -> None:
    message = await ends_with(
        ExitCode.NOT_IN_TIME, Api(faults=[status(429, Retry_After="60")]), path
    )
    assert "429" in message
    assert "--timeout-s" in message


async def test_a_server_that_stays_away_is_given_up(path: Path) -> None:
    message = await ends_with(
        ExitCode.NOT_IN_TIME, Api(faults=[status(502)] * 1_000), path, timeout_s=0.1
    )
    assert "502" in message
    assert left(path) == {"movies.csv.movieql"}  # the same command goes on with the same key


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without"])
async def test_a_download_that_breaks_off_is_completed(
    path: Path,
    ranges: bool,  # noqa: FBT001  # a parameter
) -> None:
    api = Api(cuts=[30_000, 50_000], ranges=ranges)
    async with commanding(api) as it:
        await it.get(path)
    assert written(path) == CSV
    assert api.ranges_asked == [None, "bytes=30000-", "bytes=50000-"]


async def test_a_download_that_never_gets_further_is_given_up(path: Path) -> None:
    message = await ends_with(ExitCode.NOT_IN_TIME, Api(cuts=[30_000] * 100, ranges=False), path)
    assert "broke off" in message
    assert left(path) == {"movies.csv.movieql", "movies.csv.movieql.part"}


async def test_a_file_that_is_another_is_not_written(path: Path) -> None:
    api = Api(sha256="0" * 64)
    message = await ends_with(ExitCode.FAILED, api, path)
    assert "sha256" in message
    assert api.ranges_asked == [None] * 3


async def test_a_server_that_sends_too_much_is_stopped(path: Path) -> None:
    api = Api(file_faults=[lambda _: web.Response(body=CSV * 2)])
    async with commanding(api) as it:
        await it.get(path)
        assert "sends more than the export has" in it.said.text
    assert written(path) == CSV


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"<html>",
        b"[" * 100_000,
        b"{}",
        b'{"data": {"requestExport": null}}',
        b'{"data": {"requestExport": {"errors": [], "export": null}}}',
        b'{"data": {"requestExport": {"errors": [], "export": {"id": "x"}}}}',
        b" " * 5_000_000,
    ],
    ids=lambda body: body[:60].decode().strip() or "blanks",
)
async def test_an_answer_without_sense_is_asked_for_again(path: Path, body: bytes) -> None:
    async with commanding(Api(faults=[lambda _: web.Response(body=body)])) as it:
        await it.get(path)
    assert written(path) == CSV


async def test_an_error_that_says_nothing_ends_it(path: Path) -> None:
    body = b'{"errors": ["?"], "data": null}'
    await ends_with(ExitCode.REFUSED, Api(faults=[lambda _: web.Response(body=body)]), path)


@pytest.mark.parametrize(
    "answer",
    [status(416), status(206), status(302, Location="/x")],
    ids=["no such range", "a range not asked for", "elsewhere"],
)
async def test_an_answer_that_is_no_file_is_asked_for_again(path: Path, answer: Fault) -> None:
    async with commanding(Api(file_faults=[answer])) as it:
        await it.get(path)
        assert "the download answers" in it.said.text
    assert written(path) == CSV


async def test_a_link_that_is_none_is_not_followed(path: Path) -> None:
    api = Api(url_of_file="file:///etc/passwd")
    assert "no link" in await ends_with(ExitCode.NOT_IN_TIME, api, path)


async def test_a_shop_that_is_missing_is_named(path: Path) -> None:
    async with commanding(Api(statuses=["PARTIAL"], missing="filmworld")) as it:
        record = await it.get(path)
    assert record.status is ExportStatus.PARTIAL
    assert written(path) == CSV
    assert list(warnings(record)) == [
        "PARTIAL: without filmworld, not seen in this window",
        "cinemaworld: 2500 rows, last seen 30 min before the window's end (2026-01-01T23:30:00Z)",
        "filmworld: 0 rows, never seen",
    ]


@pytest.mark.parametrize("ended", ["FAILED", "CANCELLED", "EXPIRED"])
async def test_an_export_without_a_file_says_why(path: Path, ended: str) -> None:
    message = await ends_with(
        ExitCode.FAILED, Api(statuses=["RUNNING", ended], error="Nothing\x1b[2J was seen."), path
    )
    assert ended in message
    assert "Nothing [2J was seen." in message
    assert "--new" in message
    assert left(path) == set()


async def test_an_export_that_expires_during_the_download_says_so(path: Path) -> None:
    api = Api(statuses=["READY", "EXPIRED"], file_faults=[status(404)])
    assert "EXPIRED" in await ends_with(ExitCode.FAILED, api, path)


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "FORBIDDEN"])
async def test_who_may_not_is_told_what_is_needed(path: Path, code: str) -> None:
    message = await ends_with(ExitCode.NOT_ALLOWED, Api(faults=[errors(code, "Why.")]), path)
    assert "Why." in message
    assert "scope exports" in message
    assert left(path) == set()


@pytest.mark.parametrize(
    "typename, code",
    [
        ("ValidationFailed", ExitCode.USAGE),
        ("IdempotencyConflict", ExitCode.USAGE),
        ("QuotaExceeded", ExitCode.REFUSED),
        ("SomethingNew", ExitCode.REFUSED),
    ],
)
async def test_a_refusal_is_told(path: Path, typename: str, code: ExitCode) -> None:
    api = Api(refusal={"__typename": typename, "message": "Five are open."})
    assert "Five are open." in await ends_with(code, api, path)
    assert len(api.asked) == 1


async def test_a_refusal_that_may_end_is_waited_for(path: Path) -> None:
    api = Api(refusal={"__typename": "ExportsUnavailable", "message": "Off.", "retryable": True})
    async with commanding(api) as it:
        getting = asyncio.ensure_future(it.get(path))
        await until(lambda: len(api.asked) >= 2)
        api.refusal = None
        await getting
    assert len(set(api.keys)) == 1


async def test_a_log_in_is_renewed_when_its_token_has_ended(path: Path) -> None:
    api = Api(tokens=set(), statuses=["QUEUED", "RUNNING", "READY"])

    def end_tokens(request: web.Request) -> web.StreamResponse:
        api.tokens = set()
        return hang_up(request)

    async with commanding(api) as it:
        it.credentials = Login("ann", "right")
        first = await it.exporting(path).begin()
        api.faults = [end_tokens]
        assert (await it.get(path)).id == first.id
    assert api.logins == 2


async def test_a_wrong_password_is_not_tried_twice(path: Path) -> None:
    api = Api()
    async with commanding(api) as it:
        it.credentials = Login("ann", "wrong")
        with pytest.raises(CommandError, match="name and password") as caught:
            await it.get(path)
    assert caught.value.exit_code is ExitCode.NOT_ALLOWED
    assert "wrong" not in str(caught.value)
    assert api.logins == 1


async def test_a_token_is_never_in_what_is_shown() -> None:
    async with commanding(Api()) as it:
        assert "good" not in repr(it.credentials)


async def test_an_address_that_leads_elsewhere_gets_no_token(path: Path) -> None:
    async with commanding(Api()) as other:
        api = Api(faults=[status(307, Location=f"{other.api.url}/graphql")])
        assert "--url" in await ends_with(ExitCode.REFUSED, api, path)
        assert other.api.asked == []


async def test_an_address_without_graphql_is_told_at_once(path: Path) -> None:
    assert "--url" in await ends_with(ExitCode.REFUSED, Api(faults=[status(404)]), path)


async def interrupted(it: Commanding, path: Path, **options: Any) -> None:
    """Break an export off as Ctrl-C does, when it has been asked for and kept."""
    getting = asyncio.ensure_future(it.get(path, **options))
    await until(lambda: (state := Place(path).state()) and state.export_id)
    getting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await getting


async def test_an_interrupted_command_goes_on_with_the_same_export(path: Path) -> None:
    async with commanding(Api(statuses=["RUNNING"])) as it:
        await interrupted(it, path)
        it.api.statuses = ["READY"]
        await it.get(path)
        assert it.api.keys == ["made 1", "made 1"]
        await it.get(path)
        assert it.api.keys[2] == "made 2"  # the one before is done


async def test_an_interrupted_download_goes_on_where_it_was(path: Path) -> None:
    async with commanding(Api(statuses=["READY"], cuts=[30_000] * 20, ranges=False)) as it:
        with pytest.raises(CommandError):
            await it.get(path)
        it.api.cuts, it.api.ranges, it.api.ranges_asked = [], True, []
        await it.get(path)
        assert it.api.ranges_asked == ["bytes=30000-"]
    assert written(path) == CSV


async def test_what_was_begun_without_waiting_is_what_is_waited_for(path: Path) -> None:
    async with commanding(Api()) as it:
        begun = await it.exporting(path).begin()
        assert left(path) == {"movies.csv.movieql"}
        assert (await it.get(path)).id == begun.id


@pytest.mark.parametrize(
    "options",
    [
        {"asked": Asked(providers=("filmworld",))},
        {"keys": KeyRules(is_new=True)},
        {"keys": KeyRules(given="mine")},
    ],
    ids=["another question", "--new", "--key"],
)
async def test_bytes_of_another_export_are_thrown_away(
    path: Path, options: dict[str, Any]
) -> None:
    async with commanding(Api(statuses=["READY"], cuts=[30_000] * 20, ranges=False)) as it:
        with pytest.raises(CommandError):
            await it.get(path)
        it.api.cuts, it.api.ranges, it.api.ranges_asked = [], True, []
        await it.get(path, **options)
        assert it.api.ranges_asked == [None]
        assert len(set(it.api.keys)) == 2


@pytest.mark.parametrize("asked, same", [(WINDOW, True), (Asked(), False)])
async def test_the_last_day_is_not_that_of_long_ago(
    path: Path,
    asked: Asked,
    same: bool,  # noqa: FBT001  # a parameter
) -> None:
    async with commanding(Api(statuses=["RUNNING"])) as it:
        await interrupted(it, path, asked=asked)
        state = Place(path).state()
        assert state is not None
        Place(path).keep(replace(state, asked_s=state.asked_s - RESUMED_S_MAX - 1))
        it.api.statuses = ["READY"]
        await it.get(path, asked=asked)
        assert (len(set(it.api.keys)) == 1) is same


async def test_a_given_window_is_the_same_export_wherever_it_is_asked_for(tmp_path: Path) -> None:
    # The same moments in another zone, and the same shops in another order.
    again = Asked(at("2026-01-01T01:00:00+01:00"), at("2026-01-02T00:00:00Z"), ("b", "a"))
    async with commanding(Api(statuses=["READY"])) as it:
        await it.get(tmp_path / "one", asked=replace(WINDOW, providers=("a", "b")))
        await it.get(tmp_path / "two", asked=again)
        await it.get(tmp_path / "three", asked=replace(again, gzip=True))
    assert it.api.asked[0] == it.api.asked[1] != it.api.asked[2]
    assert it.api.asked[0]["since"] == "2026-01-01T00:00:00Z"


async def test_an_export_is_picked_up_by_its_id(path: Path) -> None:
    async with commanding(Api()) as it:
        begun = await it.exporting(None).begin()
        await it.get(path, export_id=begun.id)
        assert len(it.api.asked) == 1
        with pytest.raises(CommandError, match="no export of yours") as caught:
            await it.get(path, export_id="0" * 24)
    assert caught.value.exit_code is ExitCode.USAGE
    assert written(path) == CSV


async def test_two_commands_for_one_file_do_not_mix(path: Path) -> None:
    async with commanding(Api()) as it:
        with Place(path).held(), pytest.raises(CommandError, match="another command"):
            await it.get(path)
        await it.get(path)


async def test_a_state_that_cannot_be_read_is_none(path: Path) -> None:
    path.with_name("movies.csv.movieql").write_text("{", encoding="utf-8")
    async with commanding(Api()) as it:
        await it.get(path)
    assert written(path) == CSV


async def test_the_state_tells_no_secret(path: Path) -> None:
    async with commanding(Api()) as it:
        await it.exporting(path).begin()
    kept = json.loads(path.with_name("movies.csv.movieql").read_text(encoding="utf-8"))
    assert set(kept) == {"server", "asked", "key", "asked_s", "export_id"}


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with commanding(Api()) as it:
        with pytest.raises(CommandError, match="No such file"):
            await it.exporting(tmp_path / "no" / "movies.csv").begin()


async def test_all_of_it_has_an_end(path: Path) -> None:
    async with commanding(Api(statuses=["QUEUED"])) as it:
        exporting = it.exporting(path)
        with path.with_name("stdout").open("wb") as sink, pytest.raises(CommandError) as caught:
            await exporting.finish(it.downloads(exporting), 0.1, sink)
    assert caught.value.exit_code is ExitCode.NOT_IN_TIME
    assert "--wait-s" in str(caught.value)
