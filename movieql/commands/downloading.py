"""Fetching an export's file: from where it broke off if the server can, and never half of one."""

import asyncio
import hashlib
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import BinaryIO

import aiohttp

from movieql.commands.endings import CommandError, ExitCode, NotNowError
from movieql.commands.patience import Patience
from movieql.commands.progress import Progress
from movieql.commands.records import ExportRecord
from movieql.commands.wire import asked_wait_s

_RANGE = re.compile(r"bytes ([0-9]{1,15})-.*")
_HTTP = re.compile(r"https?://\S+", re.ASCII)


@dataclass(frozen=True, slots=True)
class DownloadRules:
    """Bounds of a download.

    `silence_s`: between two pieces. `tries_max`: that bring no byte more than any before.
    `wrong_max`: whole files whose bytes are not those of the record.
    """

    silence_s: float = 30.0
    tries_max: int = 10
    wrong_max: int = 3
    chunk_bytes: int = 256 * 1024


class Downloads:
    """Downloads over `session`; `again` reads an export anew, with a link that works."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        again: Callable[[str], Awaitable[ExportRecord]],
        progress: Progress,
        patience: Patience,
        rules: DownloadRules | None = None,
    ) -> None:
        self._session = session
        self._again = again
        self._progress = progress
        self._patience = patience
        self._rules = rules or DownloadRules()
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self._rules.silence_s, sock_read=self._rules.silence_s
        )

    async def fetch(self, record: ExportRecord, part: BinaryIO) -> None:
        """Complete `part`, which may have the first bytes. Raises CommandError."""
        for _ in range(self._rules.wrong_max):
            await self._complete(record, part)
            if await asyncio.to_thread(_sha256, part) == record.sha256:
                return
            self._progress.note("the file is not the one that was made; downloading it anew")
            part.truncate(0)
        raise CommandError.ending(
            ExitCode.FAILED,
            "the server sends another file than the export has (sha256): nothing was written.",
        )

    async def _complete(self, record: ExportRecord, part: BinaryIO) -> None:
        size_bytes = record.size_bytes or 0
        most_bytes, tried, tries = _length(part), 0, self._patience.tries()
        while _length(part) != size_bytes:
            try:
                await self._receive(record, part, size_bytes)
            except NotNowError as error:
                if _length(part) > most_bytes:
                    most_bytes, tried, tries = _length(part), 0, self._patience.tries()
                tried += 1
                if tried >= self._rules.tries_max:
                    raise _gave_up(error) from error
                await tries.wait(error)
                record = await self._again(record.id)

    async def _receive(self, record: ExportRecord, part: BinaryIO, size_bytes: int) -> None:
        """Add to `part` until it is whole. Raises NotNowError when it breaks off."""
        if record.url is None or not _HTTP.fullmatch(record.url):
            raise NotNowError("there is no link to the file")
        begun_bytes = _length(part) if _length(part) < size_bytes else 0
        # The size of what is compressed on the way is not the size of the file.
        headers = {"Accept-Encoding": "identity"}
        if begun_bytes:
            headers["Range"] = f"bytes={begun_bytes}-"
        try:
            async with self._session.get(
                record.url, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                _seek(part, _offset(response, begun_bytes))
                await self._copy(response, part, size_bytes)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise NotNowError("the download broke off") from error
        if _length(part) < size_bytes:
            raise NotNowError("the download ended before the file did")

    async def _copy(
        self, response: aiohttp.ClientResponse, part: BinaryIO, size_bytes: int
    ) -> None:
        async for chunk in response.content.iter_chunked(self._rules.chunk_bytes):
            if part.tell() + len(chunk) > size_bytes:
                part.truncate(0)
                raise NotNowError("the server sends more than the export has")
            part.write(chunk)
            self._progress.download(part.tell(), size_bytes)


def _offset(response: aiohttp.ClientResponse, begun_bytes: int) -> int:
    """Return where in the file an answer begins. Raises NotNowError for one that is no file."""
    if response.status == 200:  # noqa: PLR2004  # the whole file, also where a range was asked for
        return 0
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status == 206 and found is not None and int(found[1]) == begun_bytes:  # noqa: PLR2004  # the range
        return begun_bytes
    raise NotNowError.after(
        f"the download answers {response.status}", asked_wait_s(response.headers)
    )


def _gave_up(error: NotNowError) -> CommandError:
    return CommandError.ending(ExitCode.NOT_IN_TIME, f"gave up: {error}")


def _seek(part: BinaryIO, offset: int) -> None:
    part.seek(offset)
    part.truncate()


def _length(part: BinaryIO) -> int:
    return part.seek(0, os.SEEK_END)


def _sha256(part: BinaryIO) -> str:
    part.flush()
    part.seek(0)
    return hashlib.file_digest(part, "sha256").hexdigest()  # type: ignore[arg-type]  # a file
