"""Options of the commands: kinds of values, and those that all have."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from movieql.commands.access import URL_DEFAULT, URL_VARIABLE
from movieql.domain.exports import KEY_CHARACTERS_MAX, is_export_id

F = TypeVar("F", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """A time with its offset from UTC."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the time."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail("give a time with its offset, such as 2026-01-31T00:00:00Z.", param, ctx)
        return moment


class ExportId(click.ParamType[str]):
    """An id as the server prints it."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id."""
        if not is_export_id(value):
            self.fail(
                "an export's id has 24 hex digits: `movieql exports` lists them.", param, ctx
            )
        return str(value)


class Key(click.ParamType[str]):
    """An idempotency key."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the key."""
        if not (0 < len(value) <= KEY_CHARACTERS_MAX and value.isprintable()):
            self.fail(f"a key has 1 to {KEY_CHARACTERS_MAX} printable characters.", param, ctx)
        return str(value)


def asks_a_server(command: F) -> F:
    """Add the options that say which server is asked, by whom, and for how long."""
    options = [
        click.option(
            "--url",
            default=URL_DEFAULT,
            envvar=URL_VARIABLE,
            show_default=True,
            show_envvar=True,
            help="The server's address.",
        ),
        click.option(
            "--token-file",
            type=click.Path(dir_okay=False, path_type=Path),
            help="File with a bearer token.  [default: the variable MOVIES_TOKEN]",
        ),
        click.option("--user", help="Log in as; asks for the password, or reads it from stdin."),
        click.option(
            "--timeout-s",
            type=click.FloatRange(1, 86_400),
            default=120.0,
            show_default=True,
            help="Seconds to bear a server that does not answer.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command
