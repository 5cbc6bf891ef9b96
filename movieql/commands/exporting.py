"""Asking for an export, following it, and getting its file."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from movieql.commands.asking import Asked, KeyRules, resumed
from movieql.commands.documents import EXPORT, REQUEST_EXPORT
from movieql.commands.downloading import Downloads
from movieql.commands.endings import CommandError, ExitCode, NotNowError, printable
from movieql.commands.progress import Progress
from movieql.commands.records import ExportRecord, export_record
from movieql.commands.saving import Place, State
from movieql.commands.server import Server
from movieql.ports import Clock

_REFUSED = {
    "ValidationFailed": ExitCode.USAGE,
    "IdempotencyConflict": ExitCode.USAGE,
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a command is to do.

    `export_id`: picks this one up instead of asking. `place`: None for standard output.
    """

    server: str
    asked: Asked
    keys: KeyRules
    export_id: str | None
    place: Place | None


class Exporting:
    """Does what an order says; `known` is the export as it was told last.

    `new_key` makes a key that nobody used; `poll_s` is between two looks at an export.
    """

    def __init__(  # a composition, called in one place with names
        self,
        order: Order,
        server: Server,
        progress: Progress,
        *,
        clock: Clock,
        new_key: Callable[[], str],
        poll_s: float = 1.0,
    ) -> None:
        self._order = order
        self._server = server
        self._progress = progress
        self._clock = clock
        self._new_key = new_key
        self._poll_s = poll_s
        self.known: ExportRecord | None = None

    async def begin(self) -> ExportRecord:
        """Return the export that the order means, made now if there is none."""
        place = self._order.place
        if place is None:
            return await self._begun(None)
        with place.held() as part:
            return await self._begun(part)

    async def finish(self, downloads: Downloads, wait_s: float, sink: BinaryIO) -> ExportRecord:
        """Return the export when its file is where it is to be. Raises CommandError."""
        place = self._order.place
        if place is None:
            with TemporaryFile() as part:
                record = await self._finished(downloads, wait_s, part)
                await asyncio.to_thread(_copy, part, sink)
                return record
        with place.held() as part:
            record = await self._finished(downloads, wait_s, part)
            place.finish(part)
            return record

    async def look(self, export_id: str) -> ExportRecord:
        """Return an export as it is."""
        record = await self._server.ask(EXPORT, {"id": export_id}, _found)
        if record is None:
            raise CommandError.ending(
                ExitCode.USAGE, "no export of yours has this id: `movieql exports` lists them."
            )
        self.known = record
        return record

    async def look_at_file(self, export_id: str) -> ExportRecord:
        """Return an export that has a file. Raises CommandError when it is gone."""
        record = await self.look(export_id)
        if not record.status.has_data:
            raise _no_file(record)
        return record

    async def _finished(self, downloads: Downloads, wait_s: float, part: BinaryIO) -> ExportRecord:
        with _in_time(wait_s):
            async with asyncio.timeout(wait_s):
                record = await self._ended(await self._begun(part))
                if not record.status.has_data:
                    self._forget()
                    raise _no_file(record)
                await downloads.fetch(record, part)
                return record

    async def _ended(self, record: ExportRecord) -> ExportRecord:
        self._progress.work(record)
        while not record.status.is_terminal:
            await self._clock.sleep(self._poll_s)
            record = await self.look(record.id)
            self._progress.work(record)
        return record

    async def _begun(self, part: BinaryIO | None) -> ExportRecord:
        """Return the export; bytes in `part` that are of another are thrown away."""
        order = self._order
        kept = None if order.place is None else order.place.state()
        state = self._state(kept)
        self._keep(state)
        try:
            record = await self._asked(state.key)
        except CommandError as error:
            if kept is None and error.exit_code is not ExitCode.NOT_IN_TIME:
                self._forget()  # nothing was asked for
            raise
        if part is not None and (kept is None or kept.export_id != record.id):
            part.truncate(0)
        self._keep(replace(state, export_id=record.id))
        return record

    async def _asked(self, key: str) -> ExportRecord:
        if self._order.export_id is not None:
            return await self.look(self._order.export_id)
        sent = {"input": self._order.asked.input(key)}
        self.known = await self._server.ask(REQUEST_EXPORT, sent, _requested)
        return self.known

    def _state(self, kept: State | None) -> State:
        order, now_s = self._order, self._clock.now().timestamp()
        before = resumed(kept, order.server, order.asked, now_s)
        if before is not None and not order.keys.is_new and order.keys.given in {None, before.key}:
            return before
        key = order.keys.given
        if key is None:
            is_derived = order.asked.is_fixed and not order.keys.is_new
            key = order.asked.key if is_derived else self._new_key()
        return State(order.server, order.asked.text, key, now_s)

    def _keep(self, state: State) -> None:
        if self._order.place is not None:
            self._order.place.keep(state)

    def _forget(self) -> None:
        if self._order.place is not None:
            self._order.place.forget()


@contextmanager
def _in_time(wait_s: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise CommandError.ending(
            ExitCode.NOT_IN_TIME, f"not done within {wait_s:g} s (--wait-s)."
        ) from error


def _no_file(record: ExportRecord) -> CommandError:
    why = f": {record.error}" if record.error else ""
    return CommandError.ending(
        ExitCode.FAILED,
        f"export {record.id} is {record.status.value}{why}. For another one add --new.",
    )


def _found(data: Mapping[str, Any]) -> ExportRecord | None:
    told = data.get("export")
    return None if told is None else export_record(told)


def _requested(data: Mapping[str, Any]) -> ExportRecord:
    payload = data.get("requestExport")
    if not isinstance(payload, dict):
        raise NotNowError("it answers without an export")
    errors = payload.get("errors")
    if errors:
        raise _reason(errors[0])
    return export_record(payload.get("export"))


def _reason(error: Mapping[str, Any]) -> CommandError | NotNowError:
    message = printable(error.get("message"))
    if error.get("retryable"):
        return NotNowError(message)
    code = _REFUSED.get(str(error.get("__typename")), ExitCode.REFUSED)
    return CommandError.ending(code, f"the server refuses: {message}")


def _copy(part: BinaryIO, sink: BinaryIO) -> None:
    part.seek(0)
    while chunk := part.read(256 * 1024):
        sink.write(chunk)
    sink.flush()
