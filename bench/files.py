"""The files of movieql whose functions a cold question runs.

Run as `python -m bench.files`: a server in this process over two simulated shops is asked for a
page for the first time. Prints the files, and how many there are.
"""

import asyncio
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import movieql
from tests.servers import operation, running

ROOT = Path(movieql.__file__).parent
_SIMULATED = ("dev",)
"""Folders whose functions are the shops' and not the server's."""


async def cold_question() -> set[str]:
    """Return the files, by their path in the package."""
    seen: set[str] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            seen.add(frame.f_code.co_filename)

    async with running() as server:
        threading.setprofile(note)
        sys.setprofile(note)
        try:
            reply = await server.ask(operation("CheapestMovies"))
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
    if not reply.data["movies"]["complete"]:
        raise SystemExit("The answer is not complete.")
    paths = (Path(name) for name in seen)
    found = {path.relative_to(ROOT) for path in paths if path.is_relative_to(ROOT)}
    return {str(path) for path in found if path.parts[0] not in _SIMULATED}


if __name__ == "__main__":
    names = sorted(asyncio.run(cold_question()))
    print("\n".join(names))
    print(f"{len(names)} files")
