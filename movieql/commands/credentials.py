"""Who the commands speak for: a token that is given, or a name and password that make one."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from movieql.commands.endings import CommandError, ExitCode, NotNowError

LOGIN = "/login"
"""Where a name and a password are given for a token."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; `body` is its JSON, None where it is none."""

    status: int
    body: Any


class Posts(Protocol):
    """Sends JSON to the server; `wire.Wire.post` does. Raises NotNowError."""

    async def __call__(self, path: str, payload: Any, token: str | None = None) -> Reply:
        """Return the answer, unless asking again may help."""
        ...


class Credentials(Protocol):
    """Gives tokens."""

    async def token(self, post: Posts) -> str:
        """Return a token. Raises NotNowError, and CommandError when there is none to be had."""
        ...

    def renew(self) -> bool:
        """Forget an invalid token; say whether there may be another."""
        ...


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token of the caller's own."""

    text: str = field(repr=False)

    async def token(self, post: Posts) -> str:  # noqa: ARG002  # no server is asked
        """Return it."""
        return self.text

    def renew(self) -> bool:
        """Say that there is no other."""
        return False


class Login:
    """A name and a password; logs in when a token is needed, and again when it has ended."""

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._token: str | None = None

    async def token(self, post: Posts) -> str:
        """Return the token of the latest log-in; see `Credentials`."""
        if self._token is None:
            sent = {"username": self._username, "password": self._password}
            self._token = _granted(await post(LOGIN, sent))
        return self._token

    def renew(self) -> bool:
        """Let the next token be a new one."""
        self._token = None
        return True


def _granted(reply: Reply) -> str:
    if reply.status in {401, 403}:
        raise CommandError.ending(
            ExitCode.NOT_ALLOWED, "the server does not take this name and password."
        )
    if reply.status == 404:  # noqa: PLR2004  # there is no log-in
        raise CommandError.ending(
            ExitCode.NOT_ALLOWED,
            "the server has no log-in of its own: give a token of your OpenID provider in "
            "MOVIES_TOKEN or --token-file.",
        )
    token = reply.body.get("access_token") if isinstance(reply.body, dict) else None
    if reply.status != 200 or not isinstance(token, str):  # noqa: PLR2004  # it is logged in
        raise NotNowError(f"its log-in answers {reply.status}")
    return token
