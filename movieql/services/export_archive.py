"""The records of exports in the object store: who wrote what where.

`requests/{id}.json`: the intent, never changed. `manifests/{id}.json`: how it ended, written
once. `pending/{owner}/{id}.json`: it has not ended as far as is known, and how often a job was
queued. `owners/{owner}/{time from now backwards}-{id}`: what a caller has asked for, the latest
first. `open/{owner}.json`: those that count towards a caller's quota. `data/{id}/…`: the files.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from movieql.domain.errors import (
    ExportCorruptError,
    PreconditionFailedError,
    QueueError,
    UnavailableError,
)
from movieql.domain.export_records import (
    RECORD_BYTES_MAX,
    decode_manifest,
    decode_request,
    encode_manifest,
    encode_request,
)
from movieql.domain.exports import ExportRequest, Manifest, is_export_id, owner_of
from movieql.domain.observations import Milliseconds
from movieql.ports import ExportProgressBoard, ObjectStore
from movieql.services.export_ending import NoteEnded, untold
from movieql.services.putting import Patience

DATA = "data/"
"""What the keys of all files of exports start with."""

PENDING = "pending/"
"""What the keys of exports that have not ended start with."""

_UNWRITTEN_MS = 600_000
"""Milliseconds after which an export that was admitted and has no intent never gets one: whoever
was to write it died. No request takes that long."""

_ADMISSIONS_MAX = 50
"""Times that an admission is tried while others of the same caller are quicker."""

_JSON = "application/json"
_TIME_MAX = 10**14  # milliseconds; until the year 5138


@dataclass(frozen=True, slots=True)
class Pending:
    """An export that has not ended as far as is known.

    `generation`: how often a job was queued for it, the last time at `queued_ms`. `etag`: the
    version of this record.
    """

    owner: str
    export_id: str
    generation: int
    queued_ms: Milliseconds
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A place in a caller's list: `cursor` continues after it."""

    cursor: str
    export_id: str


class ExportArchive:
    """The records of exports. Every method raises StoreError; reading, ExportCorruptError.

    `note_ended` is told of every export that was ended here, and not by another. `board`: where
    workers report their attempts.
    """

    def __init__(
        self,
        store: ObjectStore,
        patience: Patience,
        note_ended: NoteEnded = untold,
        board: ExportProgressBoard | None = None,
    ) -> None:
        self._store = store
        self._patience = patience
        self._note_ended = note_ended
        self._board = board

    async def request(self, export_id: str) -> ExportRequest | None:
        """Return the intent of an export."""
        key = _request_key(export_id)
        body = await self._get(key)
        return None if body is None else decode_request(key, body)

    async def manifest(self, export_id: str) -> Manifest | None:
        """Return how an export ended, None if it has not."""
        key = manifest_key(export_id)
        body = await self._get(key)
        return None if body is None else decode_manifest(key, body)

    async def both(self, export_id: str) -> tuple[ExportRequest | None, Manifest | None]:
        """Return intent and end, asked for at once whatever there is."""
        return await asyncio.gather(self.request(export_id), self.manifest(export_id))

    async def write_request(self, request: ExportRequest) -> ExportRequest:
        """Write an intent and return the one that is there then: this one or an earlier one."""
        key = _request_key(request.id)
        return decode_request(key, await self._put_once(key, encode_request(request)))

    async def commit(self, request: ExportRequest, manifest: Manifest) -> Manifest:
        """End an export, and return how it ended: so, or as another decided before.

        `attempts` becomes what was reported of them, where that is more. After a StoreError it
        may have ended so all the same.
        """
        key = manifest_key(manifest.export_id)
        attempts = max(manifest.attempts, await self._reported_attempts(manifest.export_id))
        manifest = replace(manifest, attempts=attempts)
        there = decode_manifest(key, await self._put_once(key, encode_manifest(manifest)))
        if there.write_id == manifest.write_id:
            await self._note_ended(there, (there.finished_ms - request.created_ms) / 1000)
        return there

    async def _reported_attempts(self, export_id: str) -> int:
        if self._board is not None:
            with suppress(QueueError):  # an export ends without its queue, too
                for progress in (await self._board.progress([export_id])).values():
                    return progress.attempt
        return 0

    async def begin(self, request: ExportRequest) -> None:
        """Note that an export has not ended; it is well if that is noted already."""
        first = Pending(owner_of(request.subject), request.id, 1, request.created_ms)
        await self._put_once(_pending_key(first.owner, request.id), _pending_body(first))

    async def pending(self, owner: str, export_id: str) -> Pending | None:
        """Return what is noted of an export that has not ended."""
        found = await self._found(_pending_key(owner, export_id))
        return None if found is None else _read_pending(owner, export_id, *found)

    async def next_generation(self, pending: Pending, now_ms: Milliseconds) -> bool:
        """Note that a job is queued once more; tell whether nobody else did so."""
        following = replace(pending, generation=pending.generation + 1, queued_ms=now_ms)
        try:
            await self._store.put(
                _pending_key(pending.owner, pending.export_id),
                _pending_body(following),
                if_match=pending.etag,
                content_type=_JSON,
            )
        except PreconditionFailedError:
            return False
        return True

    async def end(self, owner: str, export_id: str) -> None:
        """Note no longer that an export has not ended."""
        await self._store.delete(_pending_key(owner, export_id))

    async def admit(self, request: ExportRequest, open_max: int) -> bool:
        """Count an export among its owner's open ones; return False where there are `open_max`.

        Exact however many ask at once, on any replica: the record is compared and set. What has
        ended, or was admitted and never written, is left out of it. Raises UnavailableError when
        others were quicker too often.
        """
        for _ in range(_ADMISSIONS_MAX):
            with suppress(PreconditionFailedError):
                return await self._admitted(request, open_max)
        raise UnavailableError("Too many exports are asked for at once: try again.")

    async def _admitted(self, request: ExportRequest, open_max: int) -> bool:
        key = _open_key(request.subject)
        admitted, etag = await self._open(key)
        if request.id in admitted:  # also where the answer to an earlier try was lost
            return True
        still_open = admitted
        if len(admitted) >= open_max:  # else there is room, whatever has ended
            still_open = await self._still_open(admitted, request.created_ms - _UNWRITTEN_MS)
        if len(still_open) >= open_max:
            return False
        body = json.dumps({**still_open, request.id: request.created_ms}).encode()
        await self._patience.trying(
            lambda: self._store.put(
                key, body, if_match=etag, if_absent=etag is None, content_type=_JSON
            )
        )
        return True

    async def _still_open(
        self, admitted: Mapping[str, Milliseconds], gone_ms: Milliseconds
    ) -> dict[str, Milliseconds]:
        """Return those that have not ended, and were written or admitted after `gone_ms`."""
        both = await asyncio.gather(*(self.both(each) for each in admitted))
        return {
            export_id: admitted_ms
            for (export_id, admitted_ms), (written, manifest) in zip(
                admitted.items(), both, strict=True
            )
            if manifest is None and (written is not None or admitted_ms > gone_ms)
        }

    async def _open(self, key: str) -> tuple[dict[str, Milliseconds], str | None]:
        """Return when each export of a record was admitted, and the record's version."""
        found = await self._found(key)
        if found is None:
            return {}, None
        try:
            admitted = {str(each): int(at_ms) for each, at_ms in json.loads(found[0]).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise ExportCorruptError(f"The record {key} cannot be read.") from error
        return admitted, found[1]

    async def all_pending(self, after: str | None, limit: int) -> Sequence[tuple[str, str, str]]:
        """Return up to `limit` (key, owner, id) of exports that have not ended, after a key."""
        page = await self._store.list(PENDING, after=after, limit=limit)
        found = []
        for each in page:
            owner, _, name = each.key.removeprefix(PENDING).partition("/")
            found.append((each.key, owner, name.removesuffix(".json")))
        return found

    async def enter(self, request: ExportRequest) -> None:
        """Put an export on its owner's list; it is well if it is there already."""
        await self._patience.trying(lambda: self._store.put(_entry_key(request), b""))

    async def entered(self, subject: str, after: str | None, limit: int) -> Sequence[Listed]:
        """Return up to `limit` places of a subject's list, the latest first, after a cursor."""
        prefix = _owners(subject)
        place = None if after is None else prefix + after
        page = await self._store.list(prefix, after=place, limit=limit)
        cursors = (each.key.removeprefix(prefix) for each in page)
        return [Listed(cursor, cursor.rpartition("-")[2]) for cursor in cursors]

    async def forget(self, export_id: str) -> None:
        """Remove all records of an export; its manifest last, by which this is found again."""
        request = await self.request(export_id)
        if request is not None:
            await self.end(owner_of(request.subject), export_id)
            await self._store.delete(_entry_key(request))
            await self._store.delete(_request_key(export_id))
            await self._forget_open(_open_key(request.subject), export_id)
        await self._store.delete(manifest_key(export_id))

    async def _forget_open(self, key: str, export_id: str) -> None:
        """Take an export out of the record of who is open; the record goes with the last one."""
        admitted, etag = await self._open(key)
        if admitted.pop(export_id, None) is None:
            return
        with suppress(PreconditionFailedError):  # whoever needs room leaves it out
            if admitted:
                body = json.dumps(admitted).encode()
                await self._store.put(key, body, if_match=etag, content_type=_JSON)
            else:
                await self._store.delete(key, if_match=etag)

    async def _get(self, key: str) -> bytes | None:
        found = await self._found(key)
        return None if found is None else found[0]

    async def _found(self, key: str) -> tuple[bytes, str] | None:
        return await self._patience.trying(
            lambda: self._store.get(key, bytes_max=RECORD_BYTES_MAX)
        )

    async def _put_once(self, key: str, body: bytes) -> bytes:
        return await self._patience.put_once(
            self._store, key, body, content_type=_JSON, bytes_max=RECORD_BYTES_MAX
        )


def manifest_key(export_id: str) -> str:
    """Return the key of the record that ends an export."""
    return f"manifests/{export_id}.json"


def data_key(export_id: str, token: str, *, gzip: bool) -> str:
    """Return the key of the file that one attempt writes."""
    return f"{DATA}{export_id}/{token}.csv{'.gz' if gzip else ''}"


def export_of_data(key: str) -> str | None:
    """Return the id of the export that a file is of, None for what is no such file."""
    export_id = key.removeprefix(DATA).partition("/")[0]
    return export_id if key.startswith(DATA) and is_export_id(export_id) else None


def _request_key(export_id: str) -> str:
    return f"requests/{export_id}.json"


def _pending_key(owner: str, export_id: str) -> str:
    return f"{PENDING}{owner}/{export_id}.json"


def _open_key(subject: str) -> str:
    return f"open/{owner_of(subject)}.json"


def _owners(subject: str) -> str:
    return f"owners/{owner_of(subject)}/"


def _entry_key(request: ExportRequest) -> str:
    back_ms = _TIME_MAX - request.created_ms
    return f"{_owners(request.subject)}{back_ms:014d}-{request.id}"


def _pending_body(pending: Pending) -> bytes:
    return json.dumps({"generation": pending.generation, "queued_ms": pending.queued_ms}).encode()


def _read_pending(owner: str, export_id: str, body: bytes, etag: str) -> Pending:
    try:
        record = json.loads(body)
        return Pending(owner, export_id, int(record["generation"]), int(record["queued_ms"]), etag)
    except (ValueError, TypeError, KeyError) as error:
        key = _pending_key(owner, export_id)
        raise ExportCorruptError(f"The note {key} cannot be read.") from error
