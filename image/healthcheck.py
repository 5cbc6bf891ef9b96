#!/usr/bin/env python3
"""Whether the container's process does its work: of `movieql serve` asks `/healthz`.

Other commands have no such door. A worker ends when it cannot work, and its container with it, so
while there is one it is healthy. Only the standard library: this runs every few seconds.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

TIMEOUT_S = 3.0
"""Less than Docker waits, so that the reason is told."""

COMMAND = Path("/proc/1/cmdline")
"""The container's process, with its arguments."""


def port_of(arguments: list[str], default: str) -> int | None:
    """Return the port on which the command listens; None when it serves nothing."""
    if "serve" not in arguments:
        return None
    given = default
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        name, _, joined = option.partition("=")
        if name == "--port":
            given = joined or value
    return int(given)


def asked(port: int) -> str | None:
    """Return what is wrong with the server; None when nothing is."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
    return None if status == 200 else f"status {status}"  # noqa: PLR2004  # HTTP's own


def main() -> int:
    """Return the exit code that Docker wants: 0 or 1."""
    arguments = COMMAND.read_text(encoding="utf-8").split("\0")
    port = port_of(arguments, os.environ.get("MOVIEQL_PORT") or "8000")
    wrong = None if port is None else asked(port)
    if wrong is not None:
        print(wrong, file=sys.stderr)  # noqa: T201  # for `docker inspect`
    return 0 if wrong is None else 1


if __name__ == "__main__":
    sys.exit(main())
