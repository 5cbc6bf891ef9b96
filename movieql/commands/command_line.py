"""`movieql export` and `movieql exports`."""

import asyncio
import os
import random
import secrets
import shlex
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import click

from movieql.clock import SystemClock
from movieql.commands.access import Access, access
from movieql.commands.asking import Asked, KeyRules
from movieql.commands.downloading import Downloads
from movieql.commands.endings import CommandError, ExitCode, printable
from movieql.commands.exporting import Exporting, Order
from movieql.commands.listing import listed
from movieql.commands.options import ExportId, Key, Moment, asks_a_server
from movieql.commands.patience import Patience
from movieql.commands.progress import Progress, shown
from movieql.commands.records import ExportRecord
from movieql.commands.saving import Place
from movieql.commands.server import Server
from movieql.commands.telling import summary, warnings, write_list
from movieql.commands.wire import Wire
from movieql.domain.exports import ExportStatus

STANDARD_OUTPUT = "-"
"""What `--out` calls it."""

_ENDED_BADLY = {ExportStatus.FAILED, ExportStatus.CANCELLED, ExportStatus.EXPIRED}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the options of `export` say besides who asks whom."""

    asked: Asked
    keys: KeyRules
    export_id: str | None
    out: str | None
    wait: bool
    wait_s: float

    @property
    def target(self) -> str:
        """Return the file to write, or "-"."""
        return self.out or ("movies.csv.gz" if self.asked.gzip else "movies.csv")

    @property
    def place(self) -> Place | None:
        """Return where state is kept: nowhere for standard output, or if no file is wanted."""
        if self.target == STANDARD_OUTPUT or (self.out is None and not self.wait):
            return None
        return Place(Path(self.target))


@click.command(name="export")
@click.option(
    "--since", type=Moment(), help="Start of the window.  [default: 24 h before its end]"
)
@click.option("--until", type=Moment(), help="End of the window.  [default: now]")
@click.option("--provider", "providers", multiple=True, help="Only this shop; may be repeated.")
@click.option("--gzip", is_flag=True, help="Compress the file.")
@click.option("--wait", is_flag=True, help="Wait for the file and download it.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="File to write, - for standard output.  [default: movies.csv]",
)
@click.option("--id", "export_id", type=ExportId(), help="Pick up this export, ask for none.")
@click.option("--key", type=Key(), help="Idempotency key: the same key, the same export.")
@click.option("--new", "is_new", is_flag=True, help="Another export than before.")
@click.option(
    "--wait-s",
    type=click.FloatRange(1, 604_800),
    default=3_600.0,
    show_default=True,
    help="Seconds to wait for everything.",
)
@asks_a_server
def export_command(  # noqa: PLR0913  # one per option
    *,
    since: datetime | None,
    until: datetime | None,
    providers: tuple[str, ...],
    gzip: bool,
    wait: bool,
    out: str | None,
    export_id: str | None,
    key: str | None,
    is_new: bool,
    wait_s: float,
    url: str,
    token_file: Path | None,
    user: str | None,
    timeout_s: float,
) -> None:
    """Ask a server for a CSV file of all movies on offer in a window, and get it.

    Run again, it goes on with the same export. Exits with 0: ready, 3: some shop is missing in
    the file, 4: failed, cancelled or expired, 5: not allowed, 6: not in time, 130: interrupted.
    """
    asked = Asked(since, until, providers, gzip)
    if export_id is not None and (asked != Asked(gzip=gzip) or key or is_new):
        raise click.UsageError("--id picks up an export as it is: leave what asks for one out.")
    if key is not None and is_new:
        raise click.UsageError("--key names the export, so --new cannot make another.")
    if out is not None and out != STANDARD_OUTPUT and _is_device(Path(out)):
        raise click.UsageError("--out is no file: - is standard output.")
    wish = _Wish(asked, KeyRules(key, is_new), export_id, out, wait, wait_s)
    _end(_Export(wish), lambda: access(url, token_file, user, timeout_s, os.environ))


@click.command(name="exports")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000),
    default=20,
    show_default=True,
    help="The latest so many.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@asks_a_server
def exports_command(  # one per option
    *,
    limit: int,
    as_json: bool,
    url: str,
    token_file: Path | None,
    user: str | None,
    timeout_s: float,
) -> None:
    """List your exports, the latest first: a table on a terminal, else separated by tabs."""
    _end(_List(limit, as_json), lambda: access(url, token_file, user, timeout_s, os.environ))


class _List:
    """The work of `exports`."""

    def __init__(self, limit: int, as_json: bool) -> None:  # noqa: FBT001  # an option
        self._limit = limit
        self._as_json = as_json

    async def run(self, reached: Access) -> ExitCode:
        """Print the list."""
        with shown(sys.stderr) as progress:
            async with _connected(reached, progress) as connected:
                records = await listed(connected.server, self._limit)
        write_list(records, sys.stdout, as_json=self._as_json)
        return ExitCode.READY

    def way_on(self) -> str | None:
        """Return nothing: it is just done again."""
        return None


class _Export:
    """The work of `export`."""

    def __init__(self, wish: _Wish) -> None:
        self._wish = wish
        self._exporting: Exporting | None = None

    async def run(self, reached: Access) -> ExitCode:
        """Ask, and get the file if it is waited for."""
        wish = self._wish
        with shown(sys.stderr) as progress:
            async with _connected(reached, progress) as connected:
                order = Order(reached.url, wish.asked, wish.keys, wish.export_id, wish.place)
                exporting = self._exporting = Exporting(
                    order,
                    connected.server,
                    progress,
                    clock=SystemClock(),
                    new_key=lambda: f"command-{secrets.token_hex(16)}",
                )
                if not wish.wait:
                    record = await exporting.begin()
                else:
                    downloads = connected.downloads(exporting)
                    record = await exporting.finish(downloads, wish.wait_s, sys.stdout.buffer)
        return self._told(record) if wish.wait else self._begun(record)

    def _told(self, record: ExportRecord) -> ExitCode:
        target = self._wish.target
        is_piped = target == STANDARD_OUTPUT
        click.echo(summary(record, "standard output" if is_piped else target), err=is_piped)
        for each in warnings(record):
            click.echo(each, err=True)
        is_partial = record.status is ExportStatus.PARTIAL
        return ExitCode.PARTIAL if is_partial else ExitCode.READY

    def _begun(self, record: ExportRecord) -> ExitCode:
        click.echo(record.id)
        if record.status in _ENDED_BADLY:
            why = f": {record.error}" if record.error else ""
            click.echo(f"it is {record.status.value}{why}. For another add --new.", err=True)
            return ExitCode.FAILED
        click.echo(f"it is {record.status.value}; {self.way_on()}", err=True)
        return ExitCode.READY

    def way_on(self) -> str | None:
        """Say how to go on with what was begun."""
        known = self._exporting and self._exporting.known
        if not known:
            return None
        target = shlex.quote(self._wish.target)
        return f"get it with: movieql export --wait --id {known.id} --out {target}"


@dataclass(frozen=True, slots=True)
class _Connected:
    """A server, and what downloads from wherever it says."""

    session: aiohttp.ClientSession
    server: Server
    progress: Progress
    patience: Patience

    def downloads(self, exporting: Exporting) -> Downloads:
        """Return what downloads the file of an export."""
        return Downloads(self.session, exporting.look_at_file, self.progress, self.patience)


@asynccontextmanager
async def _connected(reached: Access, progress: Progress) -> AsyncIterator[_Connected]:
    rng = random.Random()  # noqa: S311  # waits are no secret
    patience = Patience(SystemClock(), rng, progress.note, reached.timeout_s)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        server = Server(Wire(session, reached.url), reached.credentials, patience)
        yield _Connected(session, server, progress, patience)


def _end(work: _Export | _List, reach: Callable[[], Access]) -> None:
    """Do the work and exit with its code; what went wrong is told without a stack trace."""
    try:
        code = _run(work.run(reach()))
    except (KeyboardInterrupt, click.Abort):
        _tell("interrupted", work)
        code = ExitCode.INTERRUPTED
    except CommandError as error:
        goes_on = error.exit_code is ExitCode.NOT_IN_TIME
        _tell(printable(error), work if goes_on else None)
        code = error.exit_code
    except BrokenPipeError:
        raise  # click ends quietly
    except OSError as error:
        _tell(printable(error.strerror or error), None)
        code = ExitCode.REFUSED
    sys.exit(code)


def _is_device(path: Path) -> bool:
    """Say whether something is there that a file must not replace."""
    return path.exists() and not path.is_file()


def _run(work: Coroutine[Any, Any, ExitCode]) -> ExitCode:
    with asyncio.Runner() as runner:
        return runner.run(work)


def _tell(message: str, work: _Export | _List | None) -> None:
    click.echo(f"Error: {message}", err=True)
    way_on = None if work is None else work.way_on()
    if way_on is not None:
        click.echo(f"Run the same command again, or {way_on}", err=True)
