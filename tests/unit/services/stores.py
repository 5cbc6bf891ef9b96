"""An object store in memory whose every call waits to be told how it goes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, TypeVar, cast

from movieql.domain.errors import PreconditionFailedError, StoreError, StoreUnwritableError
from movieql.ports import ObjectStore, StoredObject

_T = TypeVar("_T")

Fate = Literal["ok", "refused", "lost", "refused again", "late", "unwritable"]
"""How a call goes.

`refused`: not executed, StoreError. `lost`: executed, StoreError. `refused again`: executed, and
a second try of it met the first. `late`: StoreError now, executed whenever it is let.
`unwritable`: a put that the disk refuses.
"""


@dataclass
class PendingCall:
    """A call that waits for its fate; a late one is executed by `execute`."""

    execute: Callable[[], Any]
    is_put: bool
    fate: "asyncio.Future[Fate]" = field(default_factory=asyncio.Future)


class ScriptedStore:
    """One object. `history`: every body it ever had; `fates`: of the next calls, then `ok`.

    While `held`, calls wait in `pending`.
    """

    def __init__(self, body: bytes | None = None) -> None:
        self.body = body
        self.history: list[bytes | None] = [body]
        self.fates: list[Fate] = []
        self.held = False
        self.pending: list[PendingCall] = []
        self.late: list[PendingCall] = []
        self.puts = 0

    @property
    def port(self) -> ObjectStore:
        """The store as the services know it."""
        return cast("ObjectStore", self)

    @property
    def etag(self) -> str | None:
        """The object's version: a hash of its content, as every store here has it."""
        return None if self.body is None else sha256(self.body).hexdigest()

    def become(self, body: bytes | None) -> None:
        """Take a body, as if edited by hand."""
        self.body = body
        self.history.append(body)

    async def get(self, key: str, *, bytes_max: int) -> tuple[bytes, str] | None:  # noqa: ARG002
        return await self._call(lambda: self._read(bytes_max))

    async def get_unless(
        self, key: str, etag: str, *, bytes_max: int
    ) -> tuple[bytes, str] | Literal["unchanged"] | None:
        del key
        return await self._call(
            lambda: "unchanged" if self.etag == etag else self._read(bytes_max)
        )

    async def head(self, key: str) -> StoredObject | None:
        if self.body is None or self.etag is None:
            return None
        return StoredObject(key, self.etag, len(self.body), datetime.now(UTC))

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        content_type: str = "application/octet-stream",
    ) -> str:
        del key, content_type
        # As the bucket's policy does (terraform/modules/store/policy.tf).
        assert if_absent or if_match is not None
        return await self._call(lambda: self._write(body, if_match, if_absent), is_put=True)

    def _read(self, bytes_max: int) -> tuple[bytes, str] | None:
        if self.body is None or self.etag is None:
            return None
        if len(self.body) > bytes_max:
            raise StoreError("Too large.")
        return self.body, self.etag

    def _write(self, body: bytes, if_match: str | None, absent: bool) -> str:  # noqa: FBT001
        self.puts += 1
        if (absent and self.body is not None) or (if_match is not None and if_match != self.etag):
            raise PreconditionFailedError
        self.become(body)
        return self.etag or ""

    async def _call(self, execute: Callable[[], _T], *, is_put: bool = False) -> _T:
        call = PendingCall(execute, is_put)
        if self.held:
            self.pending.append(call)
        else:
            await asyncio.sleep(0)
            call.fate.set_result(self.fates.pop(0) if self.fates else "ok")
        fate = await call.fate
        if fate == "late":
            self.late.append(call)
            raise StoreError
        if fate == "refused":
            raise StoreError
        if fate == "unwritable" and is_put:
            raise StoreUnwritableError
        result = execute()
        if fate == "lost":
            raise StoreError
        if fate == "refused again" and is_put:
            raise PreconditionFailedError
        return result
