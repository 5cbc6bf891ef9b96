"""The probe, on stores that compare and on stores that only say so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from movieql.domain.errors import PreconditionFailedError, SettingsError, StoreError
from movieql.memory import VirtualClock
from movieql.storage.files import FileStore
from movieql.storage.probe import PROBE_PREFIX, refuse_without_conditions
from movieql.storage.proven import Proven


class Careless(FileStore):
    """Ignores conditions as some servers do: `ignores` of `if_absent` and `if_match`.

    When `lies`, it refuses as it should, and writes all the same.
    """

    ignores: frozenset[str] = frozenset()
    lies = False
    down = False

    async def put(self, key: str, body: bytes, **options: Any) -> str:
        if self.down:
            raise StoreError
        kept = {name: value for name, value in options.items() if name not in self.ignores}
        if not self.lies or kept == options:
            return await super().put(key, body, **kept)
        try:
            return await super().put(key, body, **options)
        except PreconditionFailedError:
            await super().put(key, body)
            raise


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Careless]:
    opened = Careless(
        tmp_path, clock=VirtualClock(), sign_link=lambda *_: "", call_timeout_s=30.0, threads_max=2
    )
    yield opened
    await opened.aclose()


async def test_a_store_that_compares_is_accepted_and_left_clean(store: Careless) -> None:
    await refuse_without_conditions(store, "1")
    assert await store.list("") == []


@pytest.mark.parametrize("lies", [False, True])
@pytest.mark.parametrize(
    "ignored, header", [("if_absent", "If-None-Match"), ("if_match", "If-Match")]
)
async def test_a_store_that_ignores_a_condition_is_refused_and_left_clean(
    store: Careless, ignored: str, header: str, *, lies: bool
) -> None:
    store.ignores, store.lies = frozenset({ignored}), lies
    with pytest.raises(SettingsError, match=f"ignores {header}:.*Use a store"):
        await refuse_without_conditions(store, "1")
    assert await store.list("") == []


async def test_a_store_that_is_down_is_not_called_careless(store: Careless) -> None:
    store.down = True
    with pytest.raises(StoreError):
        await refuse_without_conditions(store, "1")


async def test_what_an_earlier_probe_left_behind_does_no_harm(store: Careless) -> None:
    await store.put(PROBE_PREFIX + "1", b"left behind")
    await refuse_without_conditions(store, "1")


async def test_a_store_that_is_down_at_the_start_is_probed_before_the_first_write(
    store: Careless,
) -> None:
    proven = Proven(store, lambda: "1")
    store.down = True
    with pytest.raises(StoreError):
        await proven.prove()
    with pytest.raises(StoreError):
        await proven.put("a", b"1")
    store.down = False
    await proven.put("a", b"1")
    assert await proven.get("a", bytes_max=1) is not None


async def test_nothing_is_written_to_a_store_that_turns_out_to_ignore_conditions(
    store: Careless,
) -> None:
    await store.put("a", b"1")
    store.ignores = frozenset({"if_match"})
    proven = Proven(store, lambda: "1")
    for write in (
        proven.put("a", b"2"),
        proven.delete("a"),
        proven.begin_upload("b", content_type="text/csv"),
    ):
        with pytest.raises(StoreError, match="ignores If-Match"):
            await write
    assert await proven.get("a", bytes_max=1) == await store.get("a", bytes_max=1)
    assert [each.key for each in await proven.list("")] == ["a"]


async def test_a_good_store_is_probed_once(store: Careless) -> None:
    ids = iter("12")
    proven = Proven(store, lambda: next(ids))
    await asyncio.gather(*(proven.put(name, b"1", if_absent=True) for name in "abc"))
    assert next(ids) == "2"


async def test_a_put_that_meets_its_own_first_try_is_no_failure(tmp_path: Path) -> None:
    class Repeating(Careless):
        """Puts twice, as a client does whose first answer was lost."""

        async def put(self, key: str, body: bytes, **options: Any) -> str:
            if options.get("if_match"):
                with suppress(PreconditionFailedError):
                    await super().put(key, body, **options)
            return await super().put(key, body, **options)

    repeating = Repeating(
        tmp_path, clock=VirtualClock(), sign_link=lambda *_: "", call_timeout_s=30.0, threads_max=2
    )
    await refuse_without_conditions(repeating, "1")
    await repeating.aclose()


async def test_a_store_that_hangs_is_given_up_soon(store: Careless) -> None:
    async def hang(*_: Any, **__: Any) -> str:
        await asyncio.Event().wait()
        return ""

    store.put = hang  # type: ignore[method-assign]  # it hangs
    with pytest.raises(StoreError, match="probe"):
        await Proven(store, lambda: "1", probe_s=0.05).prove()
