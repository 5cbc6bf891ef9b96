"""Find out at the start whether a store compares before it writes, instead of trusting it.

Some servers that speak S3 accept `If-Match` and `If-None-Match` and overwrite all the same
(rclone's and s3rver do), so two writers would silently lose each other's work.
"""

from collections.abc import Awaitable
from contextlib import suppress

from movieql.domain.errors import PreconditionFailedError, SettingsError, StoreError
from movieql.ports import ObjectStore

PROBE_PREFIX = "probe/"
"""Below this the probe writes one object, and deletes it."""

_FIRST = b"first"
_SECOND = b"second"
_WRONG = b"overwritten against its condition"


async def refuse_without_conditions(store: ObjectStore, probe_id: str) -> None:
    """Return if the store compares before it writes.

    `probe_id`: of this probe alone, so that processes may start at the same time. Raises
    SettingsError when the store ignores conditions, StoreError when it does not answer.
    """
    key = PROBE_PREFIX + probe_id
    try:
        stale = await store.put(key, _FIRST)
        await _must_refuse(store.put(key, _WRONG, if_absent=True), "If-None-Match")
        await _must_hold(store, key, _FIRST, "If-None-Match")
        with suppress(PreconditionFailedError):  # an answer was lost: it met its own first try
            await store.put(key, _SECOND, if_match=stale)
        await _must_refuse(store.put(key, _WRONG, if_match=stale), "If-Match")
        await _must_hold(store, key, _SECOND, "If-Match")
    finally:
        with suppress(StoreError):  # a few bytes left behind are no reason not to start
            await store.delete(key)


async def _must_refuse(write: Awaitable[str], condition: str) -> None:
    with suppress(PreconditionFailedError):
        await write
        raise _ignored(condition)


async def _must_hold(store: ObjectStore, key: str, body: bytes, condition: str) -> None:
    found = await store.get(key, bytes_max=len(_WRONG))
    if found is None or found[0] != body:
        raise _ignored(condition)


def _ignored(condition: str) -> SettingsError:
    return SettingsError(
        f"The object store ignores {condition}: two writers would lose each other's changes."
        " Use a store with conditional writes, such as Amazon S3, or the file store."
    )
