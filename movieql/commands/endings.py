"""How a command ends: with an exit code that a script can act on, and a sentence for people."""

from enum import IntEnum

from movieql.domain.errors import MovieqlError

TEXT_CHARACTERS_MAX = 500
"""Characters of what a server says that are shown."""


class ExitCode(IntEnum):
    """What the shell sees; docs/operations.md says what to do about each."""

    READY = 0
    REFUSED = 1
    USAGE = 2
    PARTIAL = 3
    FAILED = 4
    NOT_ALLOWED = 5
    NOT_IN_TIME = 6
    INTERRUPTED = 130


class CommandError(MovieqlError):
    """The command cannot go on; the message says what to do."""

    exit_code: ExitCode = ExitCode.REFUSED

    @classmethod
    def ending(cls, exit_code: ExitCode, message: str) -> "CommandError":
        """Return the error that ends the command with a code."""
        error = cls(message)
        error.exit_code = exit_code
        return error


class NotNowError(MovieqlError):
    """The server does not answer now, or not as it should; asking again may help."""

    retry_after_s: float = 0.0

    @classmethod
    def after(cls, message: str, retry_after_s: float) -> "NotNowError":
        """Return the error of a server that says after how many seconds to ask again."""
        error = cls(message)
        error.retry_after_s = retry_after_s
        return error


def printable(text: object) -> str:
    """Return what a server says without what a terminal would obey, and not too much of it."""
    shown = "".join(each if each.isprintable() else " " for each in str(text))
    return shown if len(shown) <= TEXT_CHARACTERS_MAX else f"{shown[:TEXT_CHARACTERS_MAX]}…"
