"""Where the server is and who asks, as the options and the environment say."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from movieql.commands.credentials import Credentials, GivenToken, Login
from movieql.commands.endings import CommandError, ExitCode

TOKEN_VARIABLE = "MOVIES_TOKEN"  # noqa: S105  # a name
"""The environment variable of a token."""

URL_VARIABLE = "MOVIES_URL"
"""The environment variable of the server's URL; one named MOVIEQL_ would be a server's setting."""

URL_DEFAULT = "http://127.0.0.1:8000"
"""Where `movieql dev` and `movieql serve` listen unless told otherwise."""

TOKEN_BYTES_MAX = 16 * 1024
"""Bytes of a token file that are read; servers accept shorter ones only."""

_PASSWORD_BYTES_MAX = 4096
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+", re.ASCII)  # RFC 6750 §2.1
_GRAPHQL = "/graphql"


@dataclass(frozen=True, slots=True)
class Access:
    """The server's URL without a slash at its end; `timeout_s` without an answer is too long."""

    url: str
    credentials: Credentials
    timeout_s: float


def access(
    url: str,
    token_file: Path | None,
    user: str | None,
    timeout_s: float,
    environ: Mapping[str, str],
) -> Access:
    """Return what the options mean; asks for the password of `user`. Raises CommandError."""
    return Access(checked_url(url), _credentials(token_file, user, environ), timeout_s)


def checked_url(url: str) -> str:
    """Return the server's URL, without the path of its GraphQL. Raises CommandError."""
    try:
        parts = urlsplit(url)
        ours = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        ours = False
    if not ours or any(each in url for each in "@?#") or not url.isprintable():
        raise _usage("--url is a server's address, for example https://movies.example.org.")
    return url.rstrip("/").removesuffix(_GRAPHQL).rstrip("/")


def _credentials(
    token_file: Path | None, user: str | None, environ: Mapping[str, str]
) -> Credentials:
    if token_file is not None and user is not None:
        raise _usage("give --token-file or --user, not both.")
    if user is not None:
        return Login(user, _password(user))
    if token_file is not None:
        return GivenToken(_checked_token(_read(token_file), f"{token_file}"))
    if environ.get(TOKEN_VARIABLE):
        return GivenToken(_checked_token(environ[TOKEN_VARIABLE].strip(), TOKEN_VARIABLE))
    raise _usage(
        f"who asks? Set {TOKEN_VARIABLE}, or give --token-file FILE, or --user NAME "
        "(`movieql dev` prints its user)."
    )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(TOKEN_BYTES_MAX).decode("ascii", "replace").strip()
    except OSError as error:
        raise _usage(f"--token-file {path}: {error.strerror}.") from error


def _checked_token(text: str, source: str) -> str:
    # The text is not shown: it may be another secret.
    if not _TOKEN.fullmatch(text):
        raise _usage(f"{source} has no bearer token in it.")
    return text


def _password(user: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Password of {user}", hide_input=True, err=True))
    line = sys.stdin.buffer.readline(_PASSWORD_BYTES_MAX).rstrip(b"\r\n")
    password = line.decode("utf-8", "replace")
    if not password:
        raise _usage("no password: type it, or send it as a line of standard input.")
    return password


def _usage(message: str) -> CommandError:
    return CommandError.ending(ExitCode.USAGE, message)
