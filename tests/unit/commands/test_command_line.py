"""What the commands print, and the codes that they exit with."""

import asyncio
import errno
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from movieql.__main__ import main
from movieql.commands.access import checked_url
from movieql.commands.endings import CommandError
from movieql.commands.exporting import Exporting
from movieql.commands.progress import Drawn, bars_on
from movieql.commands.records import export_record
from movieql.commands.telling import HEADER, write_list
from movieql.web.server import bind
from tests.unit.commands.api import CSV, TOKEN, Api, commanding, errors, hang_up, status

ID = "a" * 24


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


async def command(api: Api, *args: str, stdin: str = "", token: str | None = TOKEN) -> Result:
    """Run `movieql` with these arguments against an API."""
    env = {"MOVIES_TOKEN": token, "TERM": "dumb", "COLUMNS": "80"}

    def run() -> Result:
        return CliRunner().invoke(main, [*args, "--url", api.url], input=stdin, env=env)

    async with commanding(api):
        return await asyncio.to_thread(run)


@pytest.mark.parametrize(
    "final, code", [("READY", 0), ("PARTIAL", 3), ("FAILED", 4), ("CANCELLED", 4), ("EXPIRED", 4)]
)
async def test_the_exit_code_says_how_it_ended(tmp_path: Path, final: str, code: int) -> None:
    path = str(tmp_path / "it.csv")
    api = Api(statuses=[final], missing="filmworld" if final == "PARTIAL" else None)
    done = await command(api, "export", "--wait", "--out", path)
    assert done.exit_code == code
    if code != 4:
        assert done.stdout == (
            f"{path}: 5000 rows, {len(CSV)} bytes, 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z\n"
        )
        assert "cinemaworld: 2500 rows" in done.stderr
        assert ("without filmworld" in done.stderr) is (code == 3)


async def test_standard_output_has_the_file_alone() -> None:
    done = await command(Api(statuses=["READY"]), "export", "--wait", "--out", "-")
    assert done.stdout_bytes == CSV
    assert "standard output: 5000 rows" in done.stderr


async def test_without_waiting_the_id_is_printed_and_how_to_go_on() -> None:
    api = Api()
    done = await command(api, "export", "--provider", "filmworld", "--gzip")
    own_id = api.id_of(api.keys[0])
    assert (done.exit_code, done.stdout) == (0, f"{own_id}\n")
    assert f"movieql export --wait --id {own_id} --out movies.csv.gz" in done.stderr
    assert (api.asked[0]["providers"], api.asked[0]["gzip"]) == (["filmworld"], True)


async def test_without_waiting_a_failure_is_told_too() -> None:
    done = await command(Api(statuses=["FAILED"], error="Nothing was seen."), "export")
    assert done.exit_code == 4
    assert "Nothing was seen." in done.stderr


async def test_who_is_not_authenticated_gets_5_and_no_token_is_shown() -> None:
    done = await command(Api(), "exports", token="not.a.good.one")  # noqa: S106  # on purpose
    assert done.exit_code == 5
    assert "not.a.good" not in done.output


async def test_a_server_that_does_not_answer_gives_6_and_says_how_to_go_on() -> None:
    api = Api(statuses=["READY"], file_faults=[hang_up] * 99)
    args = ("export", "--wait", "--out", "-", "--timeout-s", "1")
    done = await command(api, *args)
    assert done.exit_code == 6
    assert f"--id {api.id_of(api.keys[0])}" in done.stderr
    refused = await command(Api(faults=[status(429, Retry_After="9")]), *args)
    assert refused.exit_code == 6


@pytest.mark.parametrize(
    "args, told",
    [
        (("--since", "2026-01-01"), "with its offset"),
        (("--since", "nonsense"), "with its offset"),
        (("--id", "x"), "24 hex digits"),
        (("--id", ID, "--since", "2026-01-01T00:00:00Z"), "--id picks up"),
        (("--id", ID, "--new"), "--id picks up"),
        (("--key", "a", "--new"), "--key names"),
        (("--key", "a\nb"), "printable"),
        (("--user", "ann", "--token-file", "x"), "not both"),
        (("--token-file", "/no/such/file"), "No such file"),
        (("--user", "ann"), "no password"),
        (("--timeout-s", "0"), "--timeout-s"),
        (("--out", "/dev/null"), "- is standard output"),
        (("--out", "/"), "is a directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
async def test_a_mistake_gives_2_and_the_way_out(args: tuple[str, ...], told: str) -> None:
    api = Api()
    done = await command(api, "export", *args)
    assert done.exit_code == 2
    assert told in done.stderr
    assert api.asked == []


async def test_nobody_in_particular_is_told_who_may_ask() -> None:
    done = await command(Api(), "exports", token=None)
    assert done.exit_code == 2
    for way in ("MOVIES_TOKEN", "--token-file", "--user"):
        assert way in done.stderr


async def test_a_bad_argument_of_the_server_is_usage() -> None:
    done = await command(Api(faults=[errors("BAD_USER_INPUT", "`first` is 1 to 50.")]), "exports")
    assert done.exit_code == 2
    assert "`first` is 1 to 50." in done.stderr


async def test_a_token_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    args = ("exports", "--token-file", str(file))
    assert (await command(Api(), *args, token="x")).exit_code == 0  # noqa: S106  # on purpose
    file.write_text("two words", encoding="utf-8")
    wrong = await command(Api(), *args)
    assert wrong.exit_code == 2
    assert "two words" not in wrong.output


async def test_a_password_is_read_and_never_shown() -> None:
    api = Api(tokens=set())
    done = await command(api, "exports", "--user", "ann", stdin="right\n", token=None)
    assert done.exit_code == 0
    assert "right" not in done.output
    wrong = await command(api, "exports", "--user", "ann", stdin="wrong\n", token=None)
    assert wrong.exit_code == 5
    assert "wrong" not in wrong.output


async def test_exports_are_listed_a_line_each_over_all_pages() -> None:
    done = await command(Api(statuses=["READY"]), "exports", "--limit", "70")
    header, *lines = done.stdout.splitlines()
    assert tuple(header.split("\t")) == HEADER
    assert [line.split("\t")[0] for line in lines] == [f"{number:024x}" for number in range(70)]
    assert lines[0].split("\t")[1:3] == ["READY", "2026-01-01T00:00:00Z"]


async def test_exports_are_listed_as_json() -> None:
    done = await command(Api(statuses=["QUEUED"]), "exports", "--limit", "1000", "--json")
    listed = json.loads(done.stdout)
    assert len(listed) == 120
    assert set(listed[0]) == set(HEADER)
    assert listed[0]["rows"] is None


def test_a_terminal_of_80_columns_shows_every_id_whole() -> None:
    told = Api(statuses=["CANCELLED"])._export(ID)  # noqa: SLF001  # as it is sent
    terminal = Terminal()
    write_list([export_record(told)], terminal, as_json=False)
    assert ID in terminal.getvalue()
    assert "CANCELLED" in terminal.getvalue()
    assert "2026-01-02" in terminal.getvalue()


def test_a_terminal_shows_a_bar() -> None:
    told = Api(statuses=["RUNNING"])._export(ID)  # noqa: SLF001  # as it is sent
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    with bars_on(console) as bars:
        drawn = Drawn(bars)
        drawn.work(export_record(told))
        drawn.note("[red]as it is")
        bars.refresh()
        drawn.download(50, 100)
        bars.refresh()
    assert "RUNNING" in screen.getvalue()
    assert "[red]as it is" in screen.getvalue()
    assert "50%" in screen.getvalue()


@pytest.mark.parametrize("url", ["https://a.b", "https://a.b/", "https://a.b/graphql"])
def test_an_address_may_be_given_with_its_path(url: str) -> None:
    assert checked_url(url) == "https://a.b"


@pytest.mark.parametrize(
    "url",
    [
        "a.b",
        "ftp://a.b",
        "http://me:secret@a.b",
        "http://a.b?x",
        "http://",
        "http://[",
        "http://a.b:x",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(CommandError, match="--url") as caught:
        checked_url(url)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_named() -> None:
    with bind("127.0.0.1", 0) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    args = ["exports", "--url", url, "--timeout-s", "1"]
    done = CliRunner().invoke(main, args, env={"MOVIES_TOKEN": TOKEN})
    assert done.exit_code == 6
    assert f"{url} cannot be reached" in done.stderr
    assert "trying again" in done.stderr


async def test_a_disk_that_is_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("movieql.commands.exporting.TemporaryFile", full)
    done = await command(Api(), "export", "--wait", "--out", "-")
    assert done.exit_code == 1
    assert done.stderr == "Error: No space left on device\n"


async def test_an_interruption_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Exporting, "_ended", stop)
    api = Api()
    done = await command(api, "export", "--wait", "--out", "-")
    assert done.exit_code == 130
    assert f"--wait --id {api.id_of(api.keys[0])} --out -" in done.stderr
